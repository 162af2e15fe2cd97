"""Roles and scopes, rate headers, deployments by REST, agentless messages: the administration's side."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from guestlab.errors import SandboxError
from guestlab.sandbox.operations import find_operation, operations
from guestlab.sandbox.routes import ROUTES, application

from .conftest import Guest
from .replies import complaints

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from guestlab.sandbox import Sandbox

NOWHERE = "00000000-0000-4000-8000-000000000001"
MESSAGES = "/api/v2/conversations/messages"
OPEN = "/api/v2/conversations/messaging/integrations/open"
AGENTLESS = f"{MESSAGES}/agentless"
DEPLOYMENTS = "/api/v2/webdeployments/deployments"
CONFIGURATIONS = "/api/v2/webdeployments/configurations"


def _as(http: httpx.Client, sandbox: Sandbox, client: Any, user_id: str | None = None) -> httpx.Client:
    http.headers["Authorization"] = f"Bearer {sandbox.world.issue_token(client, user_id=user_id).value}"
    return http


# -- roles and scopes -------------------------------------------------------------------------------------

_TOKEN_ROUTES = [way for way in ROUTES if find_operation(way.method, way.path) is not None]
_GUARDED = [way for way in _TOKEN_ROUTES if find_operation(way.method, way.path).permissions]  # type: ignore[union-attr]


@pytest.mark.parametrize("way", _GUARDED, ids=lambda way: f"{way.method} {way.path}")
def test_every_operation_names_the_permission_that_is_missing(
    sandbox: Sandbox, http: httpx.Client, way: Any
) -> None:
    """403 before anything else is looked at; with any one, or all, of the permissions it is not 403."""
    operation = find_operation(way.method, way.path)
    assert operation is not None
    path = way.path.replace(":uuid", "")
    while "{" in path:
        path = path[: path.index("{")] + NOWHERE + path[path.index("}") + 1 :]
    _as(http, sandbox, sandbox.clients.add(permissions=[]))
    refused = http.request(way.method, path)
    assert refused.status_code == 403
    body = refused.json()
    assert body["code"] == ("missing.permissions" if operation.every else "missing.any.permissions")
    for permission in operation.permissions:
        assert permission in body["message"]
        assert permission in body["messageParams"]["permissions"]
    enough = operation.permissions if operation.every else operation.permissions[-1:]
    _as(http, sandbox, sandbox.clients.add(permissions=enough))
    assert http.request(way.method, path).status_code != 403


def test_only_what_is_missing_is_named(sandbox: Sandbox, http: httpx.Client) -> None:
    """Of several permissions that are all needed, those the role holds are not in the text."""
    client = sandbox.clients.add(permissions=["webDeployments:configuration:edit"])
    reply = _as(http, sandbox, client).post(f"{CONFIGURATIONS}/x/versions/draft/publish")
    assert reply.json()["messageParams"] == {"permissions": "webDeployments:configuration:add"}


def test_a_users_role_counts_for_the_users_token_and_scopes_for_the_application(
    sandbox: Sandbox, http: httpx.Client
) -> None:
    """The application's own role is not asked; its scopes are, `area` holding `area:readonly` too."""
    bea = sandbox.users.add("Bea Behrens", permissions=["conversation:communication:view"])
    application_ = sandbox.clients.add(grant="CODE", permissions=[], scopes=["conversations"])
    _as(http, sandbox, application_, bea.id)
    path = f"/api/v2/conversations/{NOWHERE}"
    assert http.get(path).json()["code"] == "not.found"
    assert http.get(f"{MESSAGES}/x/details").json()["code"] == "missing.any.permissions"
    scopeless = http.get("/api/v2/organizations/me")
    assert (scopeless.status_code, scopeless.json()["code"]) == (403, "app.not.authorized.for.scope")
    assert "organization" in scopeless.json()["message"]
    me = http.get("/api/v2/users/me")
    assert me.json()["code"] == "app.not.authorized.for.scope"
    narrow = sandbox.clients.add(grant="CODE", scopes=["conversations:readonly", "user-basic-info"])
    _as(http, sandbox, narrow, bea.id)
    assert http.get(path).json()["code"] == "not.found"
    assert http.post(f"{path}/disconnect").json()["code"] == "app.not.authorized.for.scope"
    assert http.get("/api/v2/users/me").json()["name"] == "Bea Behrens"


def test_a_second_user_may_log_in_on_the_page(sandbox: Sandbox, http: httpx.Client) -> None:
    """One button each; nobody's name is trusted as HTML."""
    bea = sandbox.users.add("Bea <b>Behrens</b>")
    client = sandbox.world.code_client
    query = {"client_id": client.id, "redirect_uri": "https://a.example/", "response_type": "token"}
    page = http.get("/oauth/authorize", params=query).text
    assert page.count("<button") == 2
    assert "Bea &lt;b&gt;Behrens" in page
    location = http.post("/oauth/authorize", data={**query, "user": bea.id}).headers["Location"]
    http.headers["Authorization"] = "Bearer " + location.split("access_token=")[1].split("&")[0]
    assert http.get("/api/v2/users/me").json()["id"] == bea.id


def test_roles_are_checked_when_they_are_made(sandbox: Sandbox) -> None:
    """A permission is three words; there are two kinds of clients."""
    for wrong in (["conversation"], ["a:b"], "a b:c:d", ["a:b:c:d"]):
        with pytest.raises(SandboxError, match="is not a permission"):
            sandbox.clients.add(permissions=wrong)
    with pytest.raises(SandboxError, match="no clients of kind 'PASSWORD'"):
        sandbox.clients.add(grant="PASSWORD")
    assert sandbox.clients.add().id != sandbox.clients.add().id
    assert sandbox.clients[sandbox.client_id].name == "headless bot"
    assert [user.name for user in sandbox.users] == ["Ada Agent"]


def test_a_client_with_a_smaller_role_logs_in_like_any_other(sandbox: Sandbox, http: httpx.Client) -> None:
    """Its id and secret come from the seed; tokens/me shows a role of its own."""
    client = sandbox.clients.add(permissions=["conversation:message:view"], name="reader", validity=300)
    pair = (client.id, client.secret)
    issued = http.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=pair).json()
    assert issued["expires_in"] == 300
    http.headers["Authorization"] = f"Bearer {issued['access_token']}"
    shown = http.get("/api/v2/tokens/me").json()["OAuthClient"]
    assert shown["name"] == "reader"
    _as(http, sandbox, sandbox.world.client)
    other = http.get("/api/v2/tokens/me").json()["OAuthClient"]
    assert shown["roleDivisions"] != other["roleDivisions"]


def test_another_process_makes_a_client_with_a_smaller_role(http: httpx.Client) -> None:
    """By the control plane, for programs that do not hold the sandbox's object."""
    made = http.post(
        "/sandbox/clients", json={"permissions": ["conversation:message:view"], "name": "r"}
    ).json()
    form = {"grant_type": "client_credentials"}
    token = http.post("/oauth/token", data=form, auth=(made["id"], made["secret"])).json()["access_token"]
    http.headers["Authorization"] = f"Bearer {token}"
    assert http.get(f"/api/v2/conversations/{NOWHERE}").json()["code"] == "missing.any.permissions"
    for wrong in ({"permissions": ["x"]}, {"colour": "red"}, {"grant": "PASSWORD"}):
        assert http.post("/sandbox/clients", json=wrong).status_code == 400
    assert http.post("/sandbox/channels", json={"close_sockets": {"notice": 0}}).status_code == 204
    assert http.post("/sandbox/channels", json={"explode": {}}).status_code == 400


# -- the envelope's other corners ---------------------------------------------------------------------------


def test_every_reply_to_a_token_counts_its_budget_down(sandbox: Sandbox, api: httpx.Client) -> None:
    """`inin-ratelimit-*` on successes and refusals; nothing of it without a token."""
    sandbox.clock.freeze()
    counts = []
    for path in ("/api/v2/tokens/me", "/api/v2/users/me", "/api/v2/organizations/me"):
        headers = api.get(path).headers
        counts.append(int(headers["inin-ratelimit-count"]))
        assert headers["inin-ratelimit-allowed"] == "300"
        assert 1 <= int(headers["inin-ratelimit-reset"]) <= 60
    assert counts == [1, 1, 2]  # a refusal for the lack of a user spends nothing
    del api.headers["Authorization"]
    assert "inin-ratelimit-count" not in api.get("/api/v2/tokens/me").headers


def test_a_method_a_path_does_not_have_is_405_with_those_it_has(api: httpx.Client) -> None:
    """And the platform's envelope; a path that does not exist is 404."""
    reply = api.patch("/api/v2/tokens/me")
    assert (reply.status_code, reply.json()["code"]) == (405, "method.not.allowed")
    assert reply.headers["Allow"] == "DELETE, GET"
    assert api.patch("/api/v2/tokens/you").status_code == 404


def test_a_body_that_says_it_is_no_json_is_415(api: httpx.Client) -> None:
    """JSON with a charset, a vendor's JSON, or no word at all is read; a GET's type is not looked at."""
    for kind, code in (
        ("text/plain", "unsupported.media.type"),
        ("application/x-www-form-urlencoded", "unsupported.media.type"),
        ("application/json; charset=utf-8", "missing.required.field.value"),
        ("application/vnd.x+json", "missing.required.field.value"),
    ):
        assert api.post(OPEN, content="{}", headers={"Content-Type": kind}).json()["code"] == code
    odd = {"Content-Type": "text/plain"}
    assert api.get("/api/v2/tokens/me", headers=odd).status_code == 200


def test_every_served_path_is_in_the_published_document() -> None:
    """But those that are retired, or handed out whole; and every guarded one is in the table of permissions."""
    lost = []
    for way in ROUTES:
        path = way.path.replace(":uuid", "").replace("{", "").replace("}", "")
        found = complaints(way.method, path, 200, {"inin-correlation-id": "x"}, b"")
        lost += [f"{way.method} {path}" for what in found if what == "the document has no such path"]
        if way.path.startswith("/api/v2/") and way.needs in {"token", "user", "client"}:
            assert (way.method, find_operation(way.method, way.path)) != (way.method, None), way.path
    assert lost == []
    assert len(operations()) > 100


def test_the_watch_over_replies_notices_what_does_not_fit() -> None:
    """A wrong type, an unknown property, a wrong time, a status or a body nobody published."""
    head = {"inin-correlation-id": "x", "content-type": "application/json"}

    def said(method: str, path: str, status: int, body: Any) -> str:
        return " ".join(complaints(method, path, status, head, json.dumps(body).encode()))

    channel = {"id": "c", "expires": "2026-10-08T09:00:00.000Z"}
    path = "/api/v2/notifications/channels"
    assert said("POST", path, 200, channel) == ""
    assert "not of type" in said("POST", path, 200, {**channel, "id": 7})
    assert "were unexpected" in said("POST", path, 200, {**channel, "a": 1, "b": 2})
    assert "date-time" in said("POST", path, 200, {**channel, "expires": "yesterday"})
    assert "the document has 200" in said("POST", path, 201, channel)
    assert "no such operation" in said("PATCH", path, 200, channel)
    assert "no such path" in said("GET", "/api/v2/nothing", 200, {})
    assert "a body where" in said("DELETE", "/api/v2/tokens/me", 200, {})
    assert "correlation" in said("GET", path, 404, {"status": 404, "code": "c", "message": "m"})
    assert application is not None


# -- deployments and configurations --------------------------------------------------------------------------

MESSENGER = {
    "enabled": True,
    "apps": {
        "conversations": {
            "enabled": True,
            "autoStart": {"enabled": True},
            "conversationDisconnect": {"enabled": True, "type": "ReadOnly"},
            "conversationClear": {"enabled": False},
            "showAgentTypingIndicator": False,
            "sessionDurationSeconds": 3600,
        }
    },
    "fileUpload": {"enableAttachments": False},
}
CONFIGURATION = {
    "name": "By REST",
    "headlessMode": {"enabled": False},
    "languages": ["de"],
    "messenger": MESSENGER,
    "nonsense": 1,
}


def test_a_messenger_made_by_rest_serves_guests(sandbox: Sandbox, api: httpx.Client) -> None:
    """Draft, publish, deploy: pending refuses, active opens, and the configuration's switches hold."""
    sandbox.clock.freeze()
    made = api.post(CONFIGURATIONS, json=CONFIGURATION)
    assert made.status_code == 201
    configuration = made.json()["id"]
    assert made.json()["version"] == "draft"
    versions = f"{CONFIGURATIONS}/{configuration}/versions"
    assert api.get(versions).json()["entities"] == []
    assert api.get(f"{versions}/1").status_code == 404
    changed = {**CONFIGURATION, "name": "Renamed"}
    assert api.put(f"{versions}/draft", json=changed).json()["name"] == "Renamed"
    published = api.post(f"{versions}/draft/publish").json()
    assert (published["version"], published["status"]) == ("1", "Pending")
    deployment = api.post(
        DEPLOYMENTS,
        json={
            "name": "Site",
            "allowAllDomains": False,
            "allowedDomains": ["shop.example"],
            "configuration": {"id": configuration, "version": "1"},
        },
    )
    assert deployment.status_code == 201
    identifier, status = deployment.json()["id"], deployment.json()["status"]
    assert status == "Pending"
    url = f"ws://127.0.0.1:{sandbox.http_port}/v1?deploymentId={identifier}"
    with pytest.raises(InvalidStatus, match="403"), connect(url, proxy=None, origin="https://shop.example"):
        pass
    sandbox.clock.advance(1)
    assert api.get(f"{versions}/1").json()["status"] == "Active"
    both = api.get(f"{DEPLOYMENTS}/{identifier}/configurations").json()
    assert (both["deployment"]["status"], both["configurationVersion"]["name"]) == ("Active", "Renamed")
    with connect(url, proxy=None, origin="https://shop.example"):  # type: ignore[arg-type]
        pass
    shown = sandbox.deployments[identifier]
    assert (shown.auto_start, shown.disconnect, shown.clear, shown.attachments) == (
        True,
        "ReadOnly",
        False,
        False,
    )
    assert (shown.headless, shown.languages, shown.session_seconds) == (False, ("de",), 3600)
    assert (shown.agent_typing, shown.user_typing) == (False, True)
    kept = api.delete(f"{CONFIGURATIONS}/{configuration}")
    assert (kept.status_code, kept.json()["code"]) == (409, "resource.conflict")
    assert api.delete(f"{DEPLOYMENTS}/{identifier}").status_code == 204
    assert api.get(f"{DEPLOYMENTS}/{identifier}").status_code == 404
    assert api.delete(f"{CONFIGURATIONS}/{configuration}").status_code == 204
    assert api.get(f"{versions}/draft").status_code == 404


def test_a_deployment_is_changed_and_switched_off(sandbox: Sandbox, api: httpx.Client) -> None:
    """On its own configuration nothing else changes; Inactive refuses guests."""
    sandbox.clock.freeze()
    path = f"{DEPLOYMENTS}/{sandbox.deployment_id}"
    body = api.get(path).json()
    before = sandbox.deployments[0].config
    changed = api.put(path, json={**body, "name": "Other", "status": "Inactive"}).json()
    assert changed["name"] == "Other"
    sandbox.clock.advance(1)
    assert api.get(path).json()["status"] == "Inactive"
    assert sandbox.deployments[0].config == before
    with pytest.raises(InvalidStatus, match="403"):
        Guest(sandbox)


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"name": ""}, 400, "missing.required.field.value"),
        ({"configuration": None}, 400, "missing.required.field.value"),
        ({"configuration": {"id": NOWHERE, "version": "1"}}, 404, "not.found"),
        ({"configuration": {"id": "own", "version": "7"}}, 404, "not.found"),
    ],
)
def test_a_deployment_wants_a_name_and_a_published_configuration(
    sandbox: Sandbox, api: httpx.Client, change: dict[str, Any], status: int, code: str
) -> None:
    """Nothing is made otherwise."""
    body: dict[str, Any] = {
        "name": "Site",
        "configuration": {"id": sandbox.deployment_id, "version": "1"},
    } | change
    if body["configuration"] and body["configuration"]["id"] == "own":
        body["configuration"]["id"] = sandbox.deployment_id
    reply = api.post(DEPLOYMENTS, json=body)
    assert (reply.status_code, reply.json()["code"]) == (status, code)
    assert api.post(CONFIGURATIONS, json={}).json()["code"] == "missing.required.field.value"
    assert len(sandbox.deployments) == 1


def test_changes_of_deployments_and_configurations_are_told_to_channels(
    sandbox: Sandbox, api: httpx.Client
) -> None:
    """Pending, then Active: for those who wait for it."""
    sandbox.clock.freeze()
    channel = api.post("/api/v2/notifications/channels").json()
    own = sandbox.deployment_id
    names = [f"v2.webdeployments.deployments.{own}", f"v2.webdeployments.configurations.{own}"]
    path = f"/api/v2/notifications/channels/{channel['id']}/subscriptions"
    api.put(path, json=[{"id": name} for name in names])
    with connect(channel["connectUri"], proxy=None) as socket:
        socket.send('{"message":"ping"}')
        socket.recv(5)
        versions = f"{CONFIGURATIONS}/{own}/versions"
        api.put(f"{versions}/draft", json=CONFIGURATION)
        assert api.post(f"{versions}/draft/publish").json()["version"] == "2"
        api.put(f"{DEPLOYMENTS}/{own}", json={"name": "S", "configuration": {"id": own, "version": "2"}})
        sandbox.clock.advance(1)
        frames = [json.loads(socket.recv(5)) for _ in range(4)]
    told = [(frame["topicName"].split(".")[2], frame["eventBody"]["status"]) for frame in frames]
    assert told == [
        ("configurations", "Pending"),
        ("deployments", "Pending"),
        ("configurations", "Active"),
        ("deployments", "Active"),
    ]
    assert frames[3]["eventBody"]["configuration"] == {"id": own, "version": "2", "status": "Active"}
    assert sandbox.deployments[0].auto_start is True


# -- agentless ----------------------------------------------------------------------------------------------


def test_the_organisation_writes_to_a_web_guest(
    sandbox: Sandbox, api: httpx.Client, guests: Callable[..., Guest]
) -> None:
    """By the external contact the conversation names; into the running conversation only if asked to."""
    guest = guests()
    guest.say("hello")
    guest.until_text("What would you like")
    (conversation,) = sandbox.agent.conversations
    customer = api.get(f"{MESSAGES}/{conversation}").json()["participants"][0]
    body = {
        "fromAddress": sandbox.deployment_id,
        "toAddressMessengerType": "webmessaging",
        "textBody": "Still there?",
        "externalContactId": customer["externalContact"]["id"],
    }
    refused = api.post(AGENTLESS, json=body)
    assert (refused.status_code, refused.json()["code"]) == (400, "active.conversation")
    sent = api.post(AGENTLESS, json={**body, "useExistingActiveConversation": True}).json()
    frame = guest.receive()["body"]
    assert (frame["id"], frame["text"], frame["direction"]) == (sent["id"], "Still there?", "Outbound")
    assert sent["conversationId"] == conversation
    assert sent["message"]["messengerType"] == "webmessaging"
    for change, code in (
        ({"textBody": " "}, "invalid.webmessaging.text.body"),
        ({"textBody": "x" * 4000}, "invalid.webmessaging.text.body"),
        ({"externalContactId": None}, "missing.required.field.value"),
        ({"externalContactId": NOWHERE}, "not.found"),
        ({"fromAddress": NOWHERE}, "not.found"),
        ({"fromAddress": ""}, "missing.required.field.value"),
        ({"toAddressMessengerType": "pigeon"}, "invalid.value"),
        ({"toAddressMessengerType": "sms"}, "not.found"),
    ):
        assert api.post(AGENTLESS, json={**body, **change}).json()["code"] == code


def test_the_organisation_writes_to_an_open_messaging_customer(sandbox: Sandbox, api: httpx.Client) -> None:
    """A conversation begins if none runs."""
    body = {
        "fromAddress": sandbox.integration_id,
        "toAddress": "guest-42",
        "toAddressMessengerType": "open",
        "textBody": "Your parcel is here.",
    }
    sent = api.post(AGENTLESS, json=body).json()
    assert api.get(f"{MESSAGES}/{sent['id']}/details").json()["normalizedMessage"]["text"] == body["textBody"]
    assert api.post(AGENTLESS, json=body).json()["code"] == "active.conversation"
    again = api.post(AGENTLESS, json={**body, "useExistingActiveConversation": True}).json()
    assert again["conversationId"] == sent["conversationId"]
    for change, code in (
        ({"toAddress": ""}, "missing.required.field.value"),
        ({"textBody": ""}, "missing.required.field.value"),
        ({"textBody": "x" * 4001}, "max.length.exceeded"),
    ):
        assert api.post(AGENTLESS, json={**body, **change}).json()["code"] == code


def test_agentless_is_for_clients_only(sandbox: Sandbox, http: httpx.Client) -> None:
    """A user is told so, as for the inbound calls of Open Messaging."""
    _as(http, sandbox, sandbox.world.code_client, sandbox.user_id)
    for path in (AGENTLESS, *(f"{MESSAGES}/{sandbox.integration_id}/inbound/open/{what}" for what in
                              ("message", "event", "receipt", "structured/response"))):  # fmt: skip
        assert http.post(path, json={}).json()["code"] == "not.a.client"


# -- Open Messaging's other corners ---------------------------------------------------------------------------


def test_a_customer_presses_a_button(sandbox: Sandbox, api: httpx.Client) -> None:
    """A structured response to a message that was sent; it is in the conversation afterwards."""
    sent = api.post(
        AGENTLESS,
        json={
            "fromAddress": sandbox.integration_id,
            "toAddress": "guest-42",
            "toAddressMessengerType": "open",
            "textBody": "Yes or no?",
        },
    ).json()
    path = f"{MESSAGES}/{sandbox.integration_id}/inbound/open/structured/response"
    body: dict[str, Any] = {
        "channel": {"from": {"id": "guest-42", "idType": "Opaque"}, "time": "2026-10-08T09:00:00.000Z"},
        "buttonResponse": {"type": "QuickReply", "text": "Yes", "payload": "yes"},
        "originatingMessageId": sent["id"],
    }
    pressed = api.post(path, json=body).json()
    assert pressed["type"] == "Structured"
    assert pressed["content"][0]["buttonResponse"]["payload"] == "yes"
    kept = api.get(f"{MESSAGES}/{pressed['id']}/details").json()
    assert (kept["conversationId"], kept["direction"]) == (sent["conversationId"], "inbound")
    for change, code in (
        ({"originatingMessageId": "x"}, "not.found"),
        ({"buttonResponse": {"type": "QuickReply", "text": "Yes"}}, "constraint.validation"),
        ({"buttonResponse": {"type": "Lever", "text": "Yes", "payload": "y"}}, "invalid.value"),
        ({"channel": {}}, "constraint.validation"),
    ):
        assert api.post(path, json={**body, **change}).json()["code"] == code


def test_an_integration_is_changed_listed_and_removed(sandbox: Sandbox, api: httpx.Client) -> None:
    """The general listing has web messaging too."""
    path = f"{OPEN}/{sandbox.integration_id}"
    kinds = [entity["messengerType"] for entity in api.get(OPEN.removesuffix("/open")).json()["entities"]]
    assert kinds == ["webmessaging", "open"]
    changed = api.patch(path, json={"name": "New", "webhookHeaders": {"X-Key": "v"}}).json()
    assert (changed["name"], changed["webhookHeaders"]) == ("New", {"X-Key": "v"})
    assert changed["outboundNotificationWebhookUrl"].startswith("https://hooks.example.com")
    for wrong, code in (
        ({}, "missing.required.field.value"),
        ({"name": "N", "outboundNotificationWebhookUrl": "http://["}, "invalid.outbound.webhook.url"),
        ({"name": "N", "outboundNotificationWebhookSignatureSecretToken": "short"}, "longer.than"),
    ):
        assert code in api.patch(path, json=wrong).json()["code"]
    assert api.delete(path).status_code == 204
    assert api.get(path).status_code == 404


# -- what the cloud's records know -----------------------------------------------------------------------------


def test_refused_upgrades_are_in_no_record_of_the_cloud(sandbox: Sandbox, api: httpx.Client) -> None:
    """Neither backend log nor usage nor conversations: the absence is what a developer meets."""
    base = f"ws://127.0.0.1:{sandbox.http_port}"
    for path in ("/v1", f"/v1?deploymentId={NOWHERE}", "/channels/streaming-0-unknown", "/nowhere"):
        with pytest.raises(InvalidStatus), connect(base + path, proxy=None):
            pass
    assert {record.service for record in sandbox.backend_log} <= {"login"}
    day = 86_400
    begin, end = (time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() + d)) for d in (-day, day))
    query = {"interval": f"{begin}/{end}", "groupBy": ["TemplateUri"]}
    results = api.get(api.post("/api/v2/usage/query", json=query).json()["resultsUri"]).json()["results"]
    assert [row["templateUri"] for row in results] == ["api/v2/usage/query"]
