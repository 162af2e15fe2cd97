"""Verdicts and what stands right beside them: each fault with the near miss that must stay unblamed."""

from __future__ import annotations

from typing import Any

import pytest

from guestlab.handshake.deployment_id import id_fault, is_unseen
from guestlab.handshake.described import diagnose_text
from guestlab.handshake.diagnosis import diagnose

ID = "3b0c7d52-6d0c-4f3e-9a40-7a6f0a51c008"
OTHER = "f187426e-7f90-4f99-81dd-1fa5b65a7ea2"
BARE = "wss://webmessaging.mypurecloud.de/v1"
SOCKET = f"{BARE}?deploymentId={ID}"
API = "https://api.mypurecloud.de/api/v2"
OPAQUE = "kR9sT1vX3zB5dF7hJ9lN1pR3tV5xZ7bDkR9sT1vX3zB5dF7hJ9lN1pR3tV5xZ7bDk"
LISTED = {"headers": {"Origin": "https://www.a.example"}, "allowed_domains": ["a.example"]}
READY = {"type": "response", "class": "SessionResponse", "code": 200, "body": {"connected": True}}


def configure(token: str) -> dict[str, str]:
    """A first frame with this guest token."""
    return {"action": "configureSession", "deploymentId": ID, "token": token}


def rules(**facts: Any) -> tuple[str, ...]:
    """The rules that fire on a description."""
    return diagnose(**facts).rules


# -- a deployment that is active ----------------------------------------------


def test_active_and_let_in_and_refused_is_unexplained_and_says_what_remains() -> None:
    """Neither the id's state nor the Origin may be blamed once both were looked up."""
    for known in (LISTED, {"allow_all_domains": True}):
        (finding,) = diagnose(url=SOCKET, http_status=403, deployment_status="Active", **known).findings
        assert finding.rule == "unexplained"
        for word in ("region", "proxy", "copy"):
            assert word in finding.why
        assert "send the Origin" not in finding.next_step


def test_active_alone_excludes_an_inactive_id_only() -> None:
    """Where the Origin rule is not known, it and the region remain."""
    (finding,) = diagnose(url=SOCKET, http_status=403, deployment_status="Active").findings
    assert (finding.rule, finding.confidence) == ("upgrade.deployment-unknown", "likely")
    assert "Origin rule" in finding.why
    assert "not active" not in finding.what
    here = diagnose(
        url=SOCKET, http_status=403, deployment_status="active", region_of_deployment="mypurecloud.de"
    ).findings[0]
    assert "another region" not in here.why


def test_a_listed_origin_is_not_asked_for_again() -> None:
    """The id remains, the Origin does not."""
    (finding,) = diagnose(url=SOCKET, http_status=403, **LISTED).findings
    assert finding.rule == "upgrade.deployment-unknown"
    assert "Origin is excluded" in finding.why
    assert "Origin" not in finding.next_step


@pytest.mark.parametrize(
    ("facts", "rule"),
    [
        ({"deployment_status": "Inactive", **LISTED}, "upgrade.deployment-unknown"),
        ({"deployment_status": "Active", **LISTED, "allowed_domains": ["b.example"]}, "upgrade.origin-not-allowed"),
        ({"deployment_status": "Active", "region_of_deployment": "mypurecloud.ie"}, "region.mismatch"),
    ],
)  # fmt: skip
def test_what_was_looked_up_and_explains_it_is_still_blamed(facts: dict[str, Any], rule: str) -> None:
    """The near misses of the unexplained one."""
    finding = diagnose(url=SOCKET, http_status=403, **facts).findings[0]
    assert (finding.rule, finding.confidence) == (rule, "confirmed")


# -- the shape of a deployment id ---------------------------------------------


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("{" + ID + "}", "wrapped"), (f'"{ID}"', "wrapped"), (f"<{ID}>", "wrapped"), (ID + "\n", "blank"),
        (" " + ID, "blank"), ("YOUR_DEPLOYMENT_ID", "unfilled"), ("<deployment-id>", "unfilled"),
        ("your-deployment-id", "unfilled"), ("xxxx-xxxx", "unfilled"), ("{YOUR_ID}", "unfilled"),
        ("deploymentId", "unfilled"), ("main-messenger", "no uuid"), ("InvalidDeploymentId", "no uuid"),
        (ID[:-1], "no uuid"), ("undefined", "empty value"), ("[object Object]", "empty value"),
    ],
)  # fmt: skip
def test_what_is_no_deployment_id_is_told_by_its_form(value: str, kind: str) -> None:
    """Quotes, blanks, placeholders, names."""
    fault = id_fault(value)
    assert fault is not None
    assert fault.kind == kind


@pytest.mark.parametrize("value", [ID, ID.upper(), ID.replace("-", ""), "", "[masked:ab12cd34]"])
def test_what_may_be_one_has_no_fault(value: str) -> None:
    """A UUID in any usual writing, and what cannot be seen."""
    assert id_fault(value) is None


@pytest.mark.parametrize(
    "value", ["{deploymentId}", "${DEPLOYMENT_ID}", "$ID", "%s", "{{id}}", "%ID%", "{…}", "' + id + '"]
)
def test_a_variable_is_not_judged(value: str) -> None:
    """What really went out is not known."""
    assert is_unseen(value)
    assert id_fault(value) is None
    assert diagnose(url=f"{BARE}?deploymentId={value}").ok


@pytest.mark.parametrize(
    "query",
    [
        f"{{{ID}}}", f"%22{ID}%22", "YOUR_DEPLOYMENT_ID", "<deployment-id>", "main-messenger", f"{ID}%20", f"{ID} ",
        f"{ID}%0D%0A", f"{ID}&deploymentId={OTHER}",
    ],
)  # fmt: skip
def test_a_misshapen_id_is_never_ok_and_without_an_answer_only_likely(query: str) -> None:
    """And it is left in peace once the socket opened with it."""
    (finding,) = diagnose(url=f"{BARE}?deploymentId={query}").findings
    assert (finding.rule, finding.confidence) == ("upgrade.deployment-unknown", "likely")
    assert finding.next_step
    assert diagnose(url=f"{BARE}?deploymentId={query}", http_status=101).ok


@pytest.mark.parametrize(
    ("url", "status"),
    [
        (f"{SOCKET}&deploymentId={ID}", None), (f"{SOCKET}&deploymentId={ID.upper()}", None),
        (f"  {SOCKET}\n", None), (f"<{SOCKET}>", None), ("ws://localhost:8080/v1?deploymentId=test", None),
        (SOCKET.replace(".de/", ".de:443/"), None), ("ws://127.0.0.1:8443/v1?deploymentId=" + ID, None),
    ],
)  # fmt: skip
def test_what_only_looks_like_a_misshapen_id_is_ok(url: str, status: int | None) -> None:
    """Twice the same, marks around the whole URL, a stub of one's own."""
    assert diagnose(url=url, http_status=status).ok


def test_a_placeholder_is_never_confirmed_and_a_name_is() -> None:
    """Who asks in public hides the id; a literal that is refused is refused for itself."""
    hidden = diagnose(url=f"{BARE}?deploymentId=YOUR_DEPLOYMENT_ID", http_status=403).findings[0]
    assert hidden.confidence == "likely"
    assert "only hid the id" in hidden.why
    assert diagnose(url=f"{BARE}?deploymentId=main", http_status=403).findings[0].confidence == "confirmed"


# -- address, port, upgrade ---------------------------------------------------


def test_another_port_of_a_real_host_is_a_fault_of_the_address() -> None:
    """On loopback any port is right, and what opened is right."""
    eight = SOCKET.replace(".de/", ".de:8443/")
    (finding,) = diagnose(url=eight).findings
    assert finding.rule == "endpoint.not-guest-socket"
    assert "8443" in finding.what
    assert diagnose(url=eight, http_status=101).ok
    assert rules(url="https://login.mypurecloud.de:8443/oauth/token", method="POST") == ("oauth.wrong-host",)
    assert rules(url="https://api.mypurecloud.de:8443/api/v2/users", method="GET") == (
        "rest.path-not-in-platform-api",
    )


UPGRADE = (
    '-H "Connection: Upgrade" -H "Upgrade: websocket" -H "Sec-WebSocket-Version: 13" '
    '-H "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="'
)
HTTPS = SOCKET.replace("wss", "https")


@pytest.mark.parametrize(
    ("text", "maker"),
    [
        (f'await fetch("{HTTPS}")', "fetch"), (f"axios.get('{HTTPS}')", "axios"),
        (f'import requests\nrequests.get("{HTTPS}")', "requests"), (f"curl -i '{HTTPS}'", "curl"),
        (f'await fetch("{SOCKET}")', "fetch"),
    ],
)  # fmt: skip
def test_an_http_client_at_the_right_address_lacks_the_upgrade_not_the_scheme(text: str, maker: str) -> None:
    """The address is not to blame."""
    (finding,) = diagnose_text(text).findings
    assert finding.rule == "endpoint.not-guest-socket"
    assert "address is right" in finding.what
    assert maker in finding.what
    assert "scheme" not in finding.what


@pytest.mark.parametrize("text", [f"curl -i --http1.1 {UPGRADE} '{HTTPS}'", f"curl -i '{SOCKET}'"])
def test_curl_with_the_upgrade_headers_or_with_wss_is_right(text: str) -> None:
    """It speaks WebSocket then."""
    assert diagnose_text(text).ok


@pytest.mark.parametrize("text", [f'new WebSocket("{HTTPS}")', f'ws = await websockets.connect("{HTTPS}")'])
def test_a_websocket_client_with_https_has_the_wrong_scheme(text: str) -> None:
    """There the upgrade would come by itself."""
    (finding,) = diagnose_text(text).findings
    assert "the scheme is https" in finding.what
    assert diagnose(url=HTTPS).findings[0].what == finding.what


def test_a_missing_id_is_named_where_code_puts_the_query_together() -> None:
    """`params=` shows none in the URL."""
    text = f'requests.get("{BARE.replace("wss", "https")}", params={{"deploymentId": "{ID}"}})'
    assert diagnose_text(text).rules == ("endpoint.not-guest-socket",)


# -- paths with an id of the wrong form ---------------------------------------


def test_a_real_path_with_an_id_of_the_wrong_form_is_called_real() -> None:
    """Only the id is wrong."""
    inbound = diagnose(
        url=f"{API}/conversations/messages/abc/inbound/open/message", method="POST", http_status=404
    )
    (finding,) = inbound.findings
    assert finding.rule == "product.open-messaging"
    assert "path of Open Messaging is right" in finding.what
    (other,) = diagnose(url=f"{API}/routing/queues/support/members", method="POST", http_status=404).findings
    assert (other.rule, other.confidence) == ("rest.path-not-in-platform-api", "likely")
    assert "the path is real" in other.what
    assert "queueId" in other.what


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/conversations/messages/abc/inbound/opn/message"), ("POST", "/conversations/start"),
        ("GET", "/conversations/active"), ("GET", "/conversations/messaging"),
        ("POST", "/webmessaging/guests/abc/messages"),
    ],
)  # fmt: skip
def test_an_invented_path_stays_invented(method: str, path: str) -> None:
    """A word that fits an id's place by accident makes no path real."""
    finding = next(
        finding for finding in diagnose(url=API + path, method=method, http_status=404).findings
        if finding.rule == "rest.path-not-in-platform-api"
    )  # fmt: skip
    assert finding.confidence == "confirmed"
    assert "path is real" not in finding.what


def test_ids_and_placeholders_in_an_inbound_path_are_right() -> None:
    """Documentation writes {integrationId}."""
    for identifier in (ID, "{integrationId}"):
        assert diagnose(
            url=f"{API}/conversations/messages/{identifier}/inbound/open/message", method="POST"
        ).ok


# -- credentials --------------------------------------------------------------


@pytest.mark.parametrize("token", [OPAQUE, "eyJhbGciOi.eyJzdWIi.c2ln"])
def test_an_issued_token_as_guest_token_is_likely_one(token: str) -> None:
    """Without anybody saying what it is."""
    (finding,) = diagnose(url=SOCKET, first_frame=configure(token)).findings
    assert (finding.rule, finding.confidence) == ("credential.oauth-on-guest-socket", "likely")
    assert "looks like" in finding.what


@pytest.mark.parametrize(
    ("token", "frame"),
    [(OTHER, None), ("visitor-42", None), ("a" * 64, None), ("9f" * 32, None), ("[masked:ab12cd34]", None), (OPAQUE, READY)],
)  # fmt: skip
def test_a_string_of_ones_own_is_a_guest_token(token: str, frame: Any) -> None:
    """Any string is, and one that works is not doubted."""
    assert diagnose(url=SOCKET, first_frame=configure(token), frame=frame).ok


def test_a_guest_token_of_ones_own_in_a_header_was_minted_by_nobody() -> None:
    """No endpoint is spoken of, so none is blamed; a JWT must have come from somewhere."""
    header = {"Authorization": f"Bearer {OTHER}"}
    facts = {"url": SOCKET, "http_status": 401, "token_kind": "guest", "placement": "header"}
    assert rules(**facts, headers=header) == ("unexplained",)
    assert "credential.no-guest-token-endpoint" in rules(
        **facts, headers={"Authorization": "Guest eyJhbGciOi.EXAMPLE"}
    )
    remarks = diagnose(url=SOCKET, headers={"Authorization": f"Guest {OTHER}"}, http_status=101)
    assert remarks.ok
    assert "no such scheme" in remarks.remarks[0]


@pytest.mark.parametrize(
    ("placement", "parts"),
    [
        ("subprotocol", {"subprotocols": ["[masked:ab12]"]}), ("query", {"url": SOCKET + "&access_token=[masked:ab12]"}),
        ("header", {"headers": {"Authorization": "Bearer [masked:ab12]"}}),
        ("first_frame", {"first_frame": configure("garbage"), "frame": {"class": "string", "code": 400, "body": "no"}}),
    ],
)  # fmt: skip
def test_garbage_is_named_a_made_up_credential_wherever_it_stands(
    placement: str, parts: dict[str, Any]
) -> None:
    """Not an access token, which it is not."""
    facts = {"url": SOCKET, "token_kind": "garbage", "placement": placement, "session_ready": False, **parts}
    finding = next(f for f in diagnose(**facts).findings if f.rule == "credential.oauth-on-guest-socket")
    assert "made-up" in finding.what
    assert "access token" not in finding.what


def test_garbage_that_opened_a_session_is_a_guest_token() -> None:
    """The socket takes any string."""
    facts = {"url": SOCKET, "token_kind": "garbage", "placement": "first_frame", "http_status": 101}
    assert diagnose(**facts, first_frame=configure("garbage"), frame=READY, session_ready=True).ok


def test_basic_is_for_the_token_endpoint_only() -> None:
    """A Bearer at the Platform API is right, and so is Basic at the login."""
    basic = {"Authorization": "Basic aWQ6c2VjcmV0"}
    for status in (None, 401):
        (finding,) = diagnose(url=f"{API}/users", method="GET", headers=basic, http_status=status).findings
        assert finding.rule == "oauth.client-authentication"
        assert "/oauth/token" in finding.next_step
    assert diagnose(url=f"{API}/users", method="GET", headers=basic, http_status=200).ok
    assert diagnose(url=f"{API}/users", method="GET", headers={"Authorization": "Bearer abc"}).ok
    assert diagnose(
        url="https://login.mypurecloud.de/oauth/token", method="POST", headers=basic,
        request_body="grant_type=client_credentials",
    ).ok  # fmt: skip
    on_socket = diagnose(url=SOCKET, headers=basic, http_status=403)
    assert any("Client id and secret" in finding.what for finding in on_socket.findings)


@pytest.mark.parametrize("grant", ["password", "implicit", "urn:ietf:params:oauth:grant-type:device_code"])
def test_a_grant_that_is_not_published_is_unexplained_with_the_four_that_are(grant: str) -> None:
    """No rule has its name."""
    (finding,) = diagnose(
        url="https://login.mypurecloud.de/oauth/token", method="POST", headers={"Authorization": "Basic aWQ6c2VjcmV0"},
        request_body=f"grant_type={grant}&username=a",
    ).findings  # fmt: skip
    assert finding.rule == "unexplained"
    assert "client_credentials" in finding.why


@pytest.mark.parametrize(
    "grant",
    ["client_credentials", "refresh_token", "urn:ietf:params:oauth:grant-type:saml2-bearer", "{grant}"],
)
def test_a_published_grant_is_ok(grant: str) -> None:
    """And so is one that is not seen."""
    assert diagnose(
        url="https://login.mypurecloud.de/oauth/token", method="POST", headers={"Authorization": "Basic aWQ6c2VjcmV0"},
        request_body={"grant_type": grant}, response_headers={}, http_status=200,
    ).ok  # fmt: skip


def test_guest_parameters_on_a_notification_address_are_out_of_place() -> None:
    """The address as it came is right."""
    channel = "wss://streaming.mypurecloud.de/channels/streaming-0-abc"
    (finding,) = diagnose(url=f"{channel}?deploymentId={ID}").findings
    assert (finding.rule, finding.confidence) == ("channel.not-guest-socket", "confirmed")
    assert diagnose(url=channel).ok


# -- how sure, and hints ------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "confidence"),
    [
        ({}, "confirmed"), ({"http_status": 401}, "confirmed"), ({"http_status": 401, "body": ""}, "confirmed"),
        ({"http_status": 403}, "likely"), ({"http_status": 401, "body": '{"message":"x"}'}, "likely"),
        ({"http_status": 502}, "likely"),
    ],
)  # fmt: skip
def test_a_missing_id_explains_a_bare_401_for_certain_and_nothing_else(
    answer: dict[str, Any], confidence: str
) -> None:
    """That it is missing is one thing, that the answer comes from it another."""
    finding = diagnose(url=BARE, **answer).findings[0]
    assert (finding.rule, finding.confidence) == ("upgrade.deployment-missing", confidence)
    assert ("That it is missing is certain" in finding.why) == (confidence == "likely")


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        ({"http_status": 407}, "proxies only"), ({"http_status": 426}, "HTTP/2"), ({"http_status": 404}, "path"),
        ({"http_status": 301}, "redirect"), ({"http_status": 302}, "proxy"), ({"http_status": 502}, "gateway"),
        ({"http_status": 503}, "gateway"), ({"http_status": 504}, "gateway"), ({"close_code": 1008}, "policy"),
        ({"close_code": 1011}, "did not expect"), ({"close_code": 1012}, "restarts"),
        ({"close_code": 1013}, "overloaded"), ({"close_code": 1002}, "protocol"), ({"close_code": 1003}, "binary"),
    ],
)  # fmt: skip
def test_a_number_no_rule_explains_is_unexplained_with_a_hint(facts: dict[str, Any], word: str) -> None:
    """A hint is no verdict, and says so."""
    (finding,) = diagnose(url=SOCKET, **facts).findings
    assert (finding.rule, finding.confidence) == ("unexplained", "likely")
    assert "A hint, no more" in finding.why
    assert word in finding.why
    assert finding.next_step


def test_a_later_frame_alone_is_no_first_frame() -> None:
    """Whether a session was opened before is not known."""
    for frame in ({"type": "chat", "text": "hi"}, {"action": "sendMessage", "text": "hi"}):
        (finding,) = diagnose(sent_frame=frame).findings
        assert finding.rule == "frame.wrong-first-frame"
        assert "first frame" not in finding.what
        assert "onMessage" in finding.next_step
    first = diagnose(first_frame={"action": "sendMessage", "text": "hi"}).findings[0]
    assert "does not open a session" in first.what


# -- pasted code, other languages ---------------------------------------------

START = f"{BARE}?deploymentId="


@pytest.mark.parametrize(
    "text",
    [
        f'client.newWebSocketBuilder().header("Origin", "https://a.example").buildAsync(URI.create("{SOCKET}"), l).join();',
        f'await ws.ConnectAsync(new Uri("{SOCKET}"), CancellationToken.None);',
        f'await ws.ConnectAsync(new Uri($"{START}{{deploymentId}}"), ct);',
        f'var url = "{START}" + deploymentId;\nawait ws.ConnectAsync(new Uri(url), ct);',
        f'Uri uri = new Uri("{START}" + id);\nawait ws.ConnectAsync(uri, ct);',
        f'c, _, err := websocket.DefaultDialer.Dial("{SOCKET}", nil)',
        f'url := fmt.Sprintf("{START}%s", id)\nc, _, err := websocket.DefaultDialer.Dial(url, header)',
        f'const ws = new WebSocket("{SOCKET}", options)', f'ws = create_connection("{START}%s" % ID)',
        f"Connected to {SOCKET}, works fine.",
    ],
)  # fmt: skip
def test_right_code_of_any_language_is_ok(text: str) -> None:
    """Ids put together at run time and arguments that are no subprotocol are not blamed."""
    diagnosis = diagnose_text(text)
    assert diagnosis.ok, diagnosis


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (f'c.newWebSocketBuilder().buildAsync(URI.create("{SOCKET.replace("webmessaging", "api")}"), l);',
         "endpoint.not-guest-socket"),
        (f'await ws.ConnectAsync(new Uri("{BARE}"), ct);', "upgrade.deployment-missing"),
        (f'await ws.ConnectAsync(new Uri($"{BARE}?access_token={{token}}"), ct);', "upgrade.deployment-missing"),
        (f'c, _, err := websocket.DefaultDialer.Dial("{BARE}", nil)', "upgrade.deployment-missing"),
        (f'const ws = new WebSocket("{SOCKET}", accessToken)', "upgrade.subprotocol-not-used"),
        (f'const ws = new WebSocket("{SOCKET}", "chat")', "upgrade.subprotocol-not-used"),
    ],
)  # fmt: skip
def test_faulty_code_of_any_language_is_read(text: str, rule: str) -> None:
    """The same faults as elsewhere."""
    assert diagnose_text(text).findings[0].rule == rule


def test_an_id_hidden_in_words_is_not_taken_for_what_was_sent() -> None:
    """Who writes <my id> beside a 403 sent another one."""
    (finding,) = diagnose_text(f"I open {START}<my id> and get 403.").findings
    assert finding.rule == "upgrade.deployment-unknown"
    assert "placeholder" not in finding.what
    assert "<my id>" in finding.what
