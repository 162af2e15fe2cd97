"""Every rule has one evidence that provokes it and one that resembles it and must not."""

from __future__ import annotations

from typing import Any

import pytest

from guestlab.handshake.diagnosis import diagnose
from guestlab.handshake.evidence import Evidence
from guestlab.handshake.rules import RULES

ID = "4efaaeed-d0c4-4a72-8db1-3e479b6b532f"
TOKEN = "f187426e-7f90-4f99-81dd-1fa5b65a7ea2"
SOCKET = f"wss://webmessaging.mypurecloud.de/v1?deploymentId={ID}"
BARE = "wss://webmessaging.mypurecloud.de/v1"
API = "https://api.mypurecloud.de/api/v2"
LOGIN = "https://login.mypurecloud.de/oauth/token"
CHANNEL = "wss://streaming.mypurecloud.de/channels/streaming-1-EXAMPLE"
FORM = "application/x-www-form-urlencoded"
BASIC = "Basic RVhBTVBMRS1pZDpFWEFNUExFLXNlY3JldA=="
BEARER = {"Authorization": "Bearer w4Tj-EXAMPLE-opaque-access-token"}
CONFIGURE = {"action": "configureSession", "deploymentId": ID, "token": TOKEN}
READY = {
    "type": "response",
    "class": "SessionResponse",
    "code": 200,
    "body": {"connected": True, "readOnly": False},
}
CLEAR = {"action": "onMessage", "token": TOKEN, "message": {"type": "Event", "events": [
    {"eventType": "Presence", "presence": {"type": "Clear"}}]}}  # fmt: skip
TYPING = {"action": "onMessage", "token": TOKEN, "message": {"type": "Event", "events": [
    {"eventType": "Typing", "typing": {"type": "On"}}]}}  # fmt: skip
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"


def refusal(code: int, body: str = "") -> dict[str, Any]:
    """A server frame that refuses something."""
    return {"type": "response", "class": "string", "code": code, "body": body}


def text(words: str = "Hi", **beside: Any) -> dict[str, Any]:
    """A text message of the guest."""
    return {"action": "onMessage", "token": TOKEN, "message": {"type": "Text", "text": words, **beside}}


# rule, evidence that provokes it, evidence that must not
TABLE: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "network.dns",
        {"url": SOCKET, "failed_step": "dns", "failed_note": "The host name does not exist."},
        {"url": SOCKET, "failed_step": "tcp", "failed_note": "the port refuses connections"},
    ),
    (
        "network.tcp",
        {"url": SOCKET, "failed_step": "tcp", "failed_note": "the port refuses connections"},
        {"url": SOCKET, "failed_step": "upgrade", "http_status": 403},
    ),
    (
        "network.tls",
        {"url": SOCKET, "failed_step": "tls", "failed_note": "the certificate is not trusted here"},
        {"url": SOCKET, "failed_step": "configure", "http_status": 101},
    ),
    (
        "network.not-http",
        {"url": SOCKET, "failed_step": "upgrade", "failed_note": "the answer is not HTTP: 'SSH-2.0'"},
        {"url": SOCKET, "failed_step": "upgrade", "http_status": 401},
    ),
    (
        "endpoint.unknown-host",
        {"url": f"wss://webchat.genesyscloud.com/v1?deploymentId={ID}"},
        {"url": f"wss://webmessaging.localhost:8443/v1?deploymentId={ID}", "http_status": 403},
    ),
    (
        "endpoint.not-guest-socket",
        {"url": f"wss://api.mypurecloud.de/v1?deploymentId={ID}"},
        # https is right where the handshake is made by hand
        {"url": SOCKET.replace("wss", "https"), "headers": {"Upgrade": "websocket"}, "http_status": 403},
    ),
    (
        "upgrade.deployment-missing",
        {"url": BARE + "?deploymentID=" + ID, "http_status": 401},
        {"url": SOCKET, "http_status": 401},
    ),
    (
        "upgrade.deployment-unknown",
        {"url": BARE + "?deploymentId=InvalidDeploymentId", "http_status": 403},
        {"url": SOCKET, "http_status": 401},
    ),
    (
        "upgrade.origin-not-allowed",
        {"url": SOCKET, "http_status": 403, "headers": {"Origin": "https://a.example"}, "allowed_domains": ["b.example"]},
        {"url": SOCKET, "http_status": 403, "headers": {"Origin": "https://www.b.example:8443"}, "allowed_domains": ["b.example"]},
    ),
    (
        "upgrade.subprotocol-not-used",
        {"url": SOCKET, "subprotocols": ["chat"], "close_code": 1006},
        {"url": CHANNEL, "subprotocols": ["chat"], "http_status": 101},
    ),
    (
        "credential.oauth-on-guest-socket",
        {"url": SOCKET, "headers": {"Cookie": "theme=dark; access_token=abc"}, "token_kind": "pkce", "http_status": 403},
        {"url": BARE + f"?token={TOKEN}", "token_kind": "guest", "http_status": 401},
    ),
    (
        "credential.no-guest-token-endpoint",
        {"url": API + "/webmessaging/guests", "method": "POST", "http_status": 404},
        {"url": API + "/webdeployments/token/oauthcodegrantjwtexchange", "method": "POST", "http_status": 400},
    ),
    (
        "frame.wrong-first-frame",
        {"url": SOCKET, "http_status": 101, "first_frame": {"type": "join"}},
        {"url": SOCKET, "http_status": 101, "first_frame": CONFIGURE, "frame": refusal(500)},
    ),
    (
        "frame.session-not-configured",
        {"url": SOCKET, "http_status": 101, "first_frame": text(), "frame": refusal(4007)},
        {"url": SOCKET, "http_status": 101, "first_frame": CONFIGURE, "sent_frame": text(), "frame": refusal(4011)},
    ),
    (
        "rest.path-not-in-platform-api",
        # it fits /conversations/{conversationId} by accident only
        {"url": API + "/conversations/messaging", "method": "GET"},
        {"url": API + f"/conversations/{ID}", "method": "GET", "http_status": 404},
    ),
    (
        "rest.send-is-a-frame",
        {"url": API + f"/webmessaging/guests/{ID}/messages", "method": "POST"},
        {"url": API + f"/conversations/messages/{ID}/communications/{ID}/messages", "method": "POST", "http_status": 403},
    ),
    (
        "session.routing-not-on-socket",
        {"url": SOCKET + "&queueId=" + ID, "http_status": 101},
        # a custom attribute may be called queue: the flow reads it
        {"url": SOCKET, "http_status": 101, "sent_frame": text(
            channel={"metadata": {"customAttributes": {"queue": "Billing"}}}), "note": "No answer."},
    ),
    (
        "session.keepalive",
        {"url": SOCKET, "http_status": 101, "close_code": 1001, "note": "It closes when idle for ten minutes."},
        {"url": CHANNEL, "http_status": 101, "close_code": 1001, "note": "It closes when idle for ten minutes."},
    ),
    (
        "session.resume",
        {"url": SOCKET, "first_frame": {**CONFIGURE, "startNew": True}, "note": "After a reconnect messages are lost."},
        {"url": SOCKET, "first_frame": {**CONFIGURE, "startNew": True}, "http_status": 101, "frame": READY},
    ),
    (
        "session.read-only",
        {"url": SOCKET, "http_status": 101, "frame": refusal(409, "Conflict")},
        {"sent_frame": {"action": "closeSession", "token": TOKEN, "closeAllConnections": True},
         "frame": {**READY, "body": {"connected": False, "readOnly": True}}},
    ),
    (
        "session.end",
        {"url": API + f"/webmessaging/guests/{ID}", "method": "DELETE", "http_status": 405},
        {"url": API + f"/conversations/{ID}/disconnect", "method": "POST", "http_status": 403},
    ),
    (
        "session.expired",
        {"url": SOCKET, "frame": {"type": "message", "class": "SessionExpiredEvent", "code": 200, "body": {}}},
        {"url": SOCKET, "http_status": 101, "close_code": 4006},
    ),
    (
        "session.downgrade",
        {"url": SOCKET, "first_frame": CONFIGURE, "frame": refusal(4017)},
        {"url": SOCKET, "first_frame": CONFIGURE, "frame": refusal(4007)},
    ),
    (
        "session.taken-over",
        {"frame": {"type": "message", "class": "ConnectionClosedEvent", "code": 200, "body": {"reason": "signedIn"}}},
        {"sent_frame": CLEAR, "frame": {"type": "message", "class": "ConnectionClosedEvent", "code": 200, "body": {}}},
    ),
    (
        "limit.rate",
        {"url": SOCKET, "http_status": 429},
        {"url": SOCKET, "http_status": 403, "note": "Retry-After is not there."},
    ),
    (
        "message.attributes-location",
        {"sent_frame": {**text(), "channel": {"metadata": {"customAttributes": {"a": "b"}}}}},
        {"sent_frame": text(channel={"metadata": {"customAttributes": {"a": "b"}}}), "note": "Attributes do not arrive."},
    ),
    (
        "message.too-long",
        {"url": SOCKET, "sent_frame": text("ä" * 2100)},
        {"url": SOCKET, "sent_frame": text("a" * 4096), "http_status": 101},
    ),
    (
        "message.attachment-flow",
        {"frame": {"type": "message", "class": "UploadFailureEvent", "code": 200, "body": {"errorCode": 4003}}},
        {"url": SOCKET, "http_status": 101, "close_code": 4003},
    ),
    (
        "message.typing",
        {"sent_frame": TYPING, "frame": refusal(403, "Turn on the Feature Toggle or fix the configuration.")},
        {"url": API + f"/conversations/messages/{ID}/communications/{ID}/typing", "method": "POST", "http_status": 403},
    ),
    (
        "oauth.wrong-host",
        {"url": "https://api.mypurecloud.de/oauth/token", "method": "POST", "request_body": "grant_type=client_credentials"},
        {"url": "http://localhost:9000/oauth/token", "method": "POST", "request_body": "grant_type=client_credentials",
         "http_status": 400},
    ),
    (
        "oauth.body-format",
        {"url": LOGIN, "method": "POST", "headers": {"Content-Type": "application/json"}, "request_body": {"grant_type": "x"}},
        {"url": LOGIN, "method": "POST", "headers": {"Content-Type": FORM}, "request_body": {"grant_type": "x"},
         "http_status": 400},
    ),
    (
        "oauth.client-authentication",
        {"url": LOGIN, "method": "POST", "headers": {"Authorization": BASIC}, "request_body": "grant_type=client_credentials",
         "http_status": 400, "body": '{"error":"invalid_client"}'},
        {"url": LOGIN, "method": "POST", "headers": {"Authorization": BASIC}, "request_body": "grant_type=client_credentials",
         "http_status": 400, "body": '{"error":"unsupported_grant_type"}'},
    ),
    (
        "oauth.pkce",
        {"url": LOGIN, "method": "POST", "token_kind": "pkce", "request_body": "grant_type=authorization_code&code=c"},
        {"url": LOGIN, "method": "POST", "token_kind": "pkce",
         "request_body": f"grant_type=authorization_code&code=c&code_verifier={VERIFIER}", "http_status": 500},
    ),
    (
        "oauth.user-context",
        {"url": API + "/users/me", "method": "GET", "token_kind": "client_credentials", "http_status": 400},
        {"url": API + "/tokens/me", "method": "GET", "token_kind": "client_credentials", "http_status": 401},
    ),
    (
        "oauth.scope-is-not-the-fix",
        {"url": LOGIN, "method": "POST", "request_body": "grant_type=client_credentials&scope=routing"},
        {"url": API + "/users/me", "token_kind": "authorization_code", "http_status": 403, "note": "Which scope is it?",
         "body": '{"code":"app.not.authorized.for.scope"}'},
    ),
    (
        "oauth.oidc-exchange",
        {"first_frame": {**CONFIGURE, "action": "configureAuthenticatedSession", "data": {"code": "raw-code"}},
         "frame": refusal(401, "User is unauthorized")},
        {"first_frame": {**CONFIGURE, "action": "configureAuthenticatedSession", "data": {"code": "eyJhbGciOi.EXAMPLE"}},
         "frame": READY},
    ),
    (
        "region.mismatch",
        {"url": SOCKET, "http_status": 403, "region_of_deployment": "mypurecloud.ie"},
        {"url": SOCKET, "http_status": 403, "note": "We also tried usw2.pure.cloud; our org is in Frankfurt."},
    ),
    (
        "channel.not-guest-socket",
        {"url": "wss://api.mypurecloud.de/api/v2/notifications?token=abc", "http_status": 403},
        {"url": CHANNEL, "http_status": 101, "token_kind": "client_credentials"},
    ),
    (
        "channel.lifetime",
        {"url": API + "/notifications/channels/streaming-1-EXAMPLE", "method": "HEAD", "http_status": 404},
        {"url": API + "/notifications/channels/streaming-1-EXAMPLE", "method": "HEAD", "http_status": 401},
    ),
    (
        "channel.resubscribe",
        {"url": CHANNEL, "http_status": 101, "note": "We made a new channel and get no events."},
        {"url": SOCKET, "http_status": 101, "note": "We made a new channel and get no events."},
    ),
    (
        "product.legacy-webchat",
        {"url": API + "/webchat/guest/conversations", "method": "POST", "http_status": 404},
        {"url": "wss://api.mypurecloud.de/api/v2/guest/conversations/webchat", "http_status": 403},
    ),
    (
        "product.open-messaging",
        {"token_kind": "client_credentials", "note": "Our server sends messages on behalf of the customer."},
        {"url": API + f"/conversations/messages/{ID}/inbound/open/message", "method": "POST", "http_status": 202,
         "token_kind": "client_credentials"},
    ),
    (
        "number.status-vs-close-code",
        {"url": SOCKET, "close_code": 403},
        {"url": SOCKET, "http_status": 101, "close_code": 1011},
    ),
    (
        "client.hides-response",
        {"url": SOCKET, "close_code": 1006, "note": "Chrome tells me nothing else."},
        {"url": SOCKET, "http_status": 101, "close_code": 1006, "frame": READY},
    ),
    (
        "cors.not-for-websockets",
        {"url": SOCKET, "http_status": 403, "note": "Which CORS header does the server want?"},
        {"url": API + "/conversations", "method": "GET", "note": "The browser blocks this call by CORS."},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "provoking", "near_miss"), TABLE, ids=[row[0] for row in TABLE])
def test_each_rule_fires_on_its_evidence_and_not_on_its_near_miss(
    rule: str, provoking: dict[str, Any], near_miss: dict[str, Any]
) -> None:
    """The pair of every row, judged by the rule itself and by the whole diagnosis."""
    row = next(each for each in RULES if each.name == rule)
    assert row.matches(Evidence.of(**provoking)) is not None
    assert rule in diagnose(**provoking).rules
    assert row.matches(Evidence.of(**near_miss)) is None
    assert rule not in diagnose(**near_miss).rules


def test_the_table_covers_every_rule() -> None:
    """No rule without its pair, no pair without its rule."""
    assert sorted(row[0] for row in TABLE) == sorted(rule.name for rule in RULES)


def test_every_rule_says_what_why_next_and_where_from() -> None:
    """Texts are whole sentences, sources are named, names are unique."""
    assert len({rule.name for rule in RULES}) == len(RULES) == 45
    for rule in RULES:
        assert rule.sources
        assert all(rule.sources)
        for words in (rule.what, rule.why, rule.next_step):
            assert words.rstrip().endswith((".", ".)", "}")), (rule.name, words)
        assert set(rule.yields_to) <= {each.name for each in RULES}


@pytest.mark.parametrize("provoking", [row[1] for row in TABLE], ids=[row[0] for row in TABLE])
def test_findings_are_rendered_without_a_gap(provoking: dict[str, Any]) -> None:
    """No template is left unfilled, and every finding names its evidence."""
    for finding in diagnose(**provoking).findings:
        rendered = f"{finding.what} {finding.why} {finding.next_step}"
        assert "{}" not in rendered
        assert "  " not in rendered
        assert finding.evidence, finding.rule
