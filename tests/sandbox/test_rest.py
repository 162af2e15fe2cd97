"""Login, Platform API and CDN, as httpx sees them."""

from __future__ import annotations

import base64
import re
from typing import Any
from uuid import UUID

import httpx
import pytest

from guestlab.limits import Limits
from guestlab.sandbox import Sandbox

OPEN = "/api/v2/conversations/messaging/integrations/open"
INBOUND = {
    "channel": {"from": {"id": "guest-42", "idType": "Opaque"}, "time": "2026-10-08T09:00:00.000Z"},
    "text": "Hello",
}


# -- login --------------------------------------------------------------------------------------------


def test_a_token_is_opaque_and_lower_case_bearer(sandbox: Sandbox, http: httpx.Client) -> None:
    """By HTTP Basic and by form fields alike; lives 86399 s."""
    form = {"grant_type": "client_credentials"}
    pair = (sandbox.client_id, sandbox.client_secret)
    by_form = {**form, "client_id": pair[0], "client_secret": pair[1]}
    for reply in (http.post("/oauth/token", data=form, auth=pair), http.post("/oauth/token", data=by_form)):
        assert reply.status_code == 200
        body = reply.json()
        assert body["token_type"] == "bearer"
        assert body["expires_in"] == 86399
        assert set(body) == {"access_token", "token_type", "expires_in"}
        assert len(body["access_token"]) == 86
        assert body["access_token"].count(".") == 0


# request, error, description
REFUSED: tuple[tuple[str, dict[str, Any], str, str], ...] = (
    ("json body", {"json": {"grant_type": "client_credentials"}}, "invalid_request", "urlencoded"),
    ("no body", {}, "invalid_request", "urlencoded"),
    ("no grant", {"data": {"x": "y"}}, "invalid_request", "grant_type"),
    ("password", {"data": {"grant_type": "password"}}, "unsupported_grant_type", "not supported"),
    ("other client", {"auth": ("x", "y")}, "invalid_client", "client not found"),
    ("wrong secret", {"auth": (None, "y")}, "invalid_client", "authentication failed"),
    ("bad basic", {"headers": {"Authorization": "Basic %%%"}}, "invalid_client", "client not found"),
    ("no client", {}, "invalid_client", "client not found"),
)


@pytest.mark.parametrize(("name", "request_", "error", "description"), REFUSED)
def test_a_refused_token_request_says_why_in_three_keys(
    sandbox: Sandbox, http: httpx.Client, name: str, request_: dict[str, Any], error: str, description: str
) -> None:
    """400 with error, description and error_description: not the platform's envelope."""
    options = dict(request_)
    if error == "invalid_client":
        options["data"] = {"grant_type": "client_credentials"}
    if "auth" in options:
        options["auth"] = (options["auth"][0] or sandbox.client_id, options["auth"][1])
    reply = http.post("/oauth/token", **options)
    assert reply.status_code == 400
    body = reply.json()
    assert set(body) == {"error", "description", "error_description"}
    assert body["error"] == error
    assert description in body["description"] == body["error_description"]


def test_the_login_service_describes_itself_by_the_address_it_was_asked_at(http: httpx.Client) -> None:
    """The metadata's addresses follow the request's Host; there is no OpenID discovery."""
    path = "/.well-known/oauth-authorization-server"
    own = http.get(path).json()
    assert own["token_endpoint"] == f"{str(http.base_url).rstrip('/')}/oauth/token"
    named = http.get(path, headers={"Host": "login.localhost:9"}).json()
    assert named["token_endpoint"] == "http://login.localhost:9/oauth/token"
    assert http.get("/.well-known/openid-configuration").status_code == 404


# -- the platform's envelope ----------------------------------------------------------------------------

UNKNOWN = "The requested operation failed with status 404"
# method, path, authorization, status, code
ENVELOPES = (
    ("GET", "/api/v2/tokens/me", None, 401, "authentication.required"),
    ("GET", "/api/v2/tokens/me", "Basic abc", 401, "authentication.required"),
    ("GET", "/api/v2/tokens/me", "Bearer", 401, "authentication.required"),
    ("GET", "/api/v2/tokens/me", "Bearer nonsense", 401, "bad.credentials"),
    ("GET", "/api/v2/users/me", "own", 400, "not.a.user"),
    ("POST", "/api/v2/conversations/messaging", "own", 404, "not.found"),
    ("GET", "/api/v2/conversations/messaging", "own", 404, "not.found"),
    ("POST", "/api/v2/webmessaging/guests", "own", 404, "not.found"),
    ("PUT", "/api/v2/tokens/me", "own", 405, "method.not.allowed"),
    ("GET", "/", None, 404, "not.found"),
    ("GET", OPEN + "/x", "own", 404, "not.found"),
    ("GET", "/api/v2/webdeployments/deployments/x", "own", 404, "not.found"),
    ("GET", f"/api/v2/conversations/{UUID(int=1)}", "own", 404, "not.found"),
    (
        "GET",
        f"/api/v2/conversations/messages/{UUID(int=1)}",
        "own",
        404,
        "conversation.error.conversation.not.found",
    ),
)


@pytest.mark.parametrize(("method", "path", "authorization", "status", "code"), ENVELOPES)
def test_a_refusal_is_the_platforms_envelope(
    sandbox: Sandbox,
    api: httpx.Client,
    method: str,
    path: str,
    authorization: str | None,
    status: int,
    code: str,
) -> None:
    """Message, code, status, details, errors; contextId is the correlation id of the header."""
    headers = {"Authorization": authorization} if authorization not in {None, "own"} else {}
    if authorization is None:
        del api.headers["Authorization"]
    reply = api.request(method, path, headers=headers)
    body = reply.json()
    assert reply.status_code == status == body["status"]
    assert body["code"] == code
    assert body["contextId"] == reply.headers["ININ-Correlation-Id"]
    assert body["details"] == body["errors"] == []
    assert body["message"]
    record = sandbox.backend_log[-1]
    assert (record.status, record.what, record.correlation_id) == (
        status,
        f"{method} {path}",
        body["contextId"],
    )


def test_every_answer_has_a_correlation_id(api: httpx.Client) -> None:
    """Successes too; it changes with each call."""
    ids = {api.get("/api/v2/tokens/me").headers["ININ-Correlation-Id"] for _ in range(3)}
    assert len(ids) == 3


def test_broken_bodies_are_bad_requests(api: httpx.Client) -> None:
    """Half a JSON, another type, something huge: 400 or 413, never 500."""
    for body in (b"{", b"[]", b"7", b"\xff\xfe", b"[" * 100_000):
        reply = api.post(OPEN, content=body)
        assert (reply.status_code, reply.json()["code"]) == (400, "bad.request")
    assert api.post(OPEN, content=b" " * 4_000_000).status_code == 413


# -- tokens and who am I ----------------------------------------------------------------------------------


def test_a_token_proves_itself_and_can_be_revoked(sandbox: Sandbox, api: httpx.Client) -> None:
    """GET and HEAD live; after DELETE it is bad.credentials. `bearer` in any case."""
    body = api.get("/api/v2/tokens/me").json()
    assert body["OAuthClient"]["id"] == sandbox.client_id
    assert body["OAuthClient"]["authorizedGrantType"] == "CLIENT-CREDENTIALS"
    assert body["organization"]["id"] == sandbox.organization_id
    head = api.head("/api/v2/tokens/me")
    assert (head.status_code, head.content) == (200, b"")
    value = api.headers["Authorization"].split()[1]
    assert api.get("/api/v2/tokens/me", headers={"Authorization": f"bEaReR {value}"}).status_code == 200
    gone = api.delete("/api/v2/tokens/me")
    assert (gone.status_code, gone.content) == (200, b"")
    assert api.get("/api/v2/tokens/me").json()["code"] == "bad.credentials"
    assert api.head("/api/v2/tokens/me").status_code == 401


def test_a_token_expires_with_the_sandbox_clock(sandbox: Sandbox, api: httpx.Client) -> None:
    """After 86399 s it is bad.credentials."""
    sandbox.clock.freeze()
    sandbox.clock.advance(86_000)
    assert api.get("/api/v2/organizations/me").json()["id"] == sandbox.organization_id
    sandbox.clock.advance(400)
    assert api.get("/api/v2/organizations/me").json()["code"] == "bad.credentials"


def test_the_tokens_budget_ends_in_429_with_retry_after() -> None:
    """Per token and minute; a minute later it goes on."""
    with Sandbox(limits=Limits(platform_requests_per_minute_per_token=3)) as sandbox:
        sandbox.clock.freeze()
        base = f"http://127.0.0.1:{sandbox.http_port}"
        pair = (sandbox.client_id, sandbox.client_secret)
        with httpx.Client(base_url=base, trust_env=False) as client:
            body = client.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=pair).json()
            client.headers["Authorization"] = f"Bearer {body['access_token']}"
            statuses = [client.get("/api/v2/tokens/me").status_code for _ in range(4)]
            assert statuses == [200, 200, 200, 429]
            refused = client.get("/api/v2/tokens/me")
            assert refused.json()["code"] == "too.many.requests"
            assert 1 <= int(refused.headers["Retry-After"]) <= 61
            sandbox.clock.advance(61)
            assert client.get("/api/v2/tokens/me").status_code == 200


# -- Open Messaging ---------------------------------------------------------------------------------------


def test_an_inbound_message_creates_a_conversation_that_can_be_read_back(
    sandbox: Sandbox, api: httpx.Client
) -> None:
    """The id comes with prefetchConversationId only; both REST shapes show the message."""
    path = f"/api/v2/conversations/messages/{sandbox.integration_id}/inbound/open/message"
    first = api.post(path, params={"prefetchConversationId": "true"}, json=INBOUND).json()
    assert re.fullmatch(r"[0-9a-f]{32}", first["id"])
    assert first["channel"]["platform"] == "Open"
    conversation = api.get(f"/api/v2/conversations/{first['conversationId']}").json()
    customer = conversation["participants"][0]
    assert customer["purpose"] == "customer"
    communication = customer["messages"][0]
    assert UUID(communication["id"])
    assert communication["messages"][0]["messageId"] == first["id"]
    flat = api.get(f"/api/v2/conversations/messages/{first['conversationId']}").json()
    assert flat["participants"][0]["messages"][0]["messageId"] == first["id"]
    second = api.post(path, json=INBOUND).json()
    assert "conversationId" not in second
    again = api.get(f"/api/v2/conversations/{first['conversationId']}").json()
    assert len(again["participants"][0]["messages"][0]["messages"]) == 2


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        ({"text": "x"}, "constraint.validation"),
        ({"channel": {"from": {"id": "a"}, "time": "x"}, "text": "x"}, "constraint.validation"),
        ({"channel": {"from": {"id": "a", "idType": "Opaque"}}, "text": "x"}, "missing.open.channel.date"),
        ({"channel": INBOUND["channel"]}, "constraint.validation"),
    ],
)
def test_an_incomplete_inbound_message_is_refused(
    sandbox: Sandbox, api: httpx.Client, broken: dict[str, Any], code: str
) -> None:
    """With the schema's prose."""
    path = f"/api/v2/conversations/messages/{sandbox.integration_id}/inbound/open/message"
    reply = api.post(path, json=broken)
    assert (reply.status_code, reply.json()["code"]) == (400, code)


def test_integrations_are_listed_found_and_created(sandbox: Sandbox, api: httpx.Client) -> None:
    """One is there from the start; a reset can begin without, and the first one created takes its id."""
    assert [entity["id"] for entity in api.get(OPEN).json()["entities"]] == [sandbox.integration_id]
    assert api.get(f"{OPEN}/{sandbox.integration_id}").json()["status"] == "active"
    body = {
        "name": "mine",
        "outboundNotificationWebhookUrl": "https://hooks.example/x",
        "outboundNotificationWebhookSignatureSecretToken": "sixteen-letters!",
    }
    created = api.post(OPEN, json=body).json()
    assert created["id"] != sandbox.integration_id
    assert api.get(OPEN).json()["total"] == 2
    for name, value, code in (
        ("name", "", "missing.required.field.value"),
        ("outboundNotificationWebhookUrl", "nonsense", "invalid.outbound.webhook.url"),
        (
            "outboundNotificationWebhookSignatureSecretToken",
            "short",
            "notification.webhook.signature.secret.token.longer.than.15.characters",
        ),
    ):
        assert api.post(OPEN, json={**body, name: value}).json()["code"] == code


def test_a_reset_can_begin_without_an_integration(sandbox: Sandbox) -> None:
    """So that creating one can be exercised."""
    sandbox.reset(integrations=False)
    with httpx.Client(base_url=f"http://127.0.0.1:{sandbox.http_port}", trust_env=False) as client:
        secret = base64.b64encode(f"{sandbox.client_id}:{sandbox.client_secret}".encode()).decode()
        body = client.post(
            "/oauth/token",
            data={"grant_type": "client_credentials"},
            headers={"Authorization": f"Basic {secret}"},
        ).json()
        client.headers["Authorization"] = f"Bearer {body['access_token']}"
        assert client.get(OPEN).json()["entities"] == []
        created = client.post(
            OPEN,
            json={
                "name": "mine",
                "outboundNotificationWebhookUrl": "https://hooks.example/x",
                "outboundNotificationWebhookSignatureSecretToken": "sixteen-letters!",
            },
        ).json()
        assert created["id"] == sandbox.integration_id


def test_listings_are_paged(sandbox: Sandbox, api: httpx.Client) -> None:
    """PageSize and pageNumber, with relative addresses; nonsense is an invalid.value."""
    first = api.get(OPEN, params={"pageSize": 1}).json()
    assert (first["pageSize"], first["pageNumber"], first["total"], first["pageCount"]) == (1, 1, 1, 1)
    assert first["selfUri"].startswith(OPEN)
    assert api.get(OPEN, params={"pageNumber": 9}).json()["entities"] == []
    assert api.get(OPEN, params={"pageSize": "many"}).json()["code"] == "invalid.value"


# -- deployments and the CDN --------------------------------------------------------------------------------

# Every field the official mobile transport's parser demands (genesys-messenger-transport-mobile-sdk 2.14.0).
DEMANDED = (
    "id",
    "version",
    "languages",
    "defaultLanguage",
    "apiEndpoint",
    "status",
    "messenger.enabled",
    "messenger.apps.conversations.messagingEndpoint",
    "messenger.styles.primaryColor",
    "messenger.launcherButton.visibility",
    "messenger.fileUpload",
    "journeyEvents.enabled",
    "auth.enabled",
)


def test_config_json_has_all_that_the_official_parser_demands(sandbox: Sandbox, http: httpx.Client) -> None:
    """And its addresses follow the request."""
    path = f"/webdeployments/v1/deployments/{sandbox.deployment_id}/config.json"
    config = http.get(path).json()
    for dotted in DEMANDED:
        value: Any = config
        for name in dotted.split("."):
            value = value[name]
        assert value is not None
    endpoint = config["messenger"]["apps"]["conversations"]["messagingEndpoint"]
    assert endpoint == f"ws://127.0.0.1:{sandbox.http_port}"
    named = http.get(path, headers={"Host": "api-cdn.localhost:9"}).json()
    assert named["apiEndpoint"] == "http://api.localhost:9"
    assert named["messenger"]["apps"]["conversations"]["messagingEndpoint"] == "ws://webmessaging.localhost:9"


def test_the_switches_of_a_deployment_show_in_its_documents(sandbox: Sandbox, http: httpx.Client) -> None:
    """config.json and domains.json say what was set."""
    deployment = sandbox.deployments.add(
        allowed_domains=["a.example"], auto_start=True, disconnect="ReadOnly", clear=False, attachments=False
    )
    base = f"/webdeployments/v1/deployments/{deployment.id}"
    conversations = http.get(f"{base}/config.json").json()["messenger"]["apps"]["conversations"]
    assert conversations["autoStart"] == {"enabled": True}
    assert conversations["conversationDisconnect"] == {"enabled": True, "type": "ReadOnly"}
    assert conversations["conversationClear"] == {"enabled": False}
    expected = {"allowAllDomains": False, "allowedDomains": ["a.example"]}
    assert http.get(f"{base}/domains.json").json() == expected


def test_an_unknown_object_of_the_cdn_is_403_and_readable_across_origins(http: httpx.Client) -> None:
    """As measured: 403 with Access-Control-Allow-Origin."""
    for path in ("x/config.json", "x/domains.json", "x/de.json"):
        url = f"/webdeployments/v1/deployments/{path}"
        reply = http.get(url, headers={"Origin": "https://a.example"})
        assert reply.status_code == 403
        assert reply.headers["Access-Control-Allow-Origin"] == "*"


def test_browsers_may_ask_first(http: httpx.Client) -> None:
    """A CORS preflight is answered on every path."""
    for path in (
        "/api/v2/webmessaging/messages",
        "/oauth/token",
        "/webdeployments/v1/deployments/x/config.json",
    ):
        reply = http.options(
            path,
            headers={
                "Origin": "https://a.example",
                "Access-Control-Request-Method": "GET",
                "Access-Control-Request-Headers": "authorization,content-type,x-amz-tagging",
            },
        )
        assert reply.status_code in {200, 204}
        assert "authorization" in reply.headers["Access-Control-Allow-Headers"].lower()


def test_deployments_are_read_with_a_token(sandbox: Sandbox, api: httpx.Client) -> None:
    """The administration's view."""
    listing = api.get("/api/v2/webdeployments/deployments").json()
    assert [entity["id"] for entity in listing["entities"]] == [sandbox.deployment_id]
    one = api.get(f"/api/v2/webdeployments/deployments/{sandbox.deployment_id}").json()
    assert one["status"] == "Active"
    assert one["allowAllDomains"] is True


def test_a_path_asked_of_another_services_host_is_not_found(sandbox: Sandbox, http: httpx.Client) -> None:
    """Each service has its host name; one origin serves all."""
    form = {"data": {"grant_type": "client_credentials"}, "auth": (sandbox.client_id, sandbox.client_secret)}
    assert http.post("/oauth/token", headers={"Host": "login.localhost"}, **form).status_code == 200
    assert http.post("/oauth/token", headers={"Host": "api.localhost"}, **form).status_code == 404
