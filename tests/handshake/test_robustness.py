"""Whatever is thrown at it, the diagnosis answers; readers raise nothing but InputError."""

from __future__ import annotations

import contextlib
import json
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guestlab.errors import InputError
from guestlab.handshake.described import from_code, from_curl, from_text
from guestlab.handshake.diagnosis import Diagnosis, diagnose
from guestlab.handshake.frame_check import check_frame
from guestlab.handshake.har import from_har
from guestlab.handshake.url_check import check_url

QUICK = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])

words = st.sampled_from(
    ["action", "type", "class", "code", "body", "token", "deploymentId", "message", "channel", "metadata",
     "customAttributes", "events", "eventType", "presence", "readOnly", "errorCode", "data", "topicName", "eventBody",
     "configureSession", "onMessage", "SessionResponse", "string", "ConnectionClosedEvent", "Presence", "Disconnect",
     "grant_type", "client_credentials", "code_verifier", "queueId", "startNew"]
)  # fmt: skip
scalars = st.none() | st.booleans() | st.integers(-5, 5001) | st.floats() | words | st.text(max_size=20)
trees = st.recursive(
    scalars, lambda below: st.lists(below, max_size=4) | st.dictionaries(words | st.text(max_size=8), below, max_size=5),
    max_leaves=12,
)  # fmt: skip
hosts = st.sampled_from(
    ["webmessaging.mypurecloud.de", "api.mypurecloud.com", "login.usw2.pure.cloud", "streaming.mypurecloud.ie", "127.0.0.1:8443",
     "[::1]", "localhost", "api-us-east-1.genesyscloud.com", "chat.acme.mypurecloud.com", "dev.okta.com", "", "x", "[", "a..b"]
)  # fmt: skip
paths = st.sampled_from(
    ["/v1", "/", "", "/api/v2/webmessaging/guests", "/oauth/token", "/oauth/authorize", "/channels/x", "/api/v2/users/me",
     "/api/v2/notifications/channels/x", "/api/v2/webchat/guest/conversations", "/api/v2/conversations/messages/inbound/open"]
)  # fmt: skip
queries = st.sampled_from(
    [
        "",
        "?deploymentId=",
        "?deploymentId=x&token=y",
        "?access_token=[masked:1f]",
        "?a=%ff&&=&b",
        "?queueId=1",
    ]
)
urls = st.builds(
    lambda scheme, host, path, query: f"{scheme}://{host}{path}{query}",
    st.sampled_from(["ws", "wss", "http", "https", "ftp", ""]), hosts, paths, queries,
) | st.text(max_size=60)  # fmt: skip
phrases = st.lists(
    st.sampled_from(
        ["reconnect", "lost messages", "401", "CORS", "websocket", "the queue", "idle for 5 minutes", "drops", "token",
         "guest token from POST", "agent left", "cannot send", "notifications", "24 hours", "scope", "mypurecloud.ie", "{", "."]
    ), max_size=8,
).map(" ".join) | st.text(max_size=80)  # fmt: skip
headers = st.dictionaries(
    st.sampled_from(["Authorization", "Cookie", "Origin", "Content-Type", "Upgrade", "Sec-WebSocket-Protocol", "X-Token"]),
    st.sampled_from(["Bearer x", "Basic YTpi", "Basic %%", "a=b; access_token=c", "null", "application/json", "websocket", ""])
    | st.text(max_size=12),
    max_size=4,
)  # fmt: skip

facts = st.fixed_dictionaries(
    {},
    optional={
        "url": urls,
        "method": st.sampled_from(["GET", "POST", "DELETE", "OPTIONS", ""]),
        "headers": headers | st.lists(st.tuples(st.text(max_size=5), st.text(max_size=5)), max_size=3),
        "subprotocols": st.lists(st.text(max_size=30), max_size=3),
        "token_kind": st.sampled_from(["none", "client_credentials", "pkce", "guest", "garbage", "authorization_code", "?"]),
        "placement": st.sampled_from(["nowhere", "query", "first_frame", "?"]),
        "first_frame": trees,
        "sent_frame": trees,
        "request_body": trees,
        "http_status": st.integers(-10, 5000),
        "response_headers": headers,
        "close_code": st.integers(-10, 70000),
        "body": st.text(max_size=60) | trees.map(json.dumps),
        "frame": trees,
        "note": phrases,
        "allowed_domains": st.lists(st.text(max_size=12), max_size=3),
        "allow_all_domains": st.booleans(),
        "deployment_status": st.sampled_from(["Active", "Inactive", ""]),
        "region_of_deployment": hosts,
        "session_ready": st.booleans(),
    },
)  # fmt: skip


@settings(QUICK, max_examples=400)
@given(facts)
def test_diagnose_never_raises_on_any_evidence(given_facts: dict[str, Any]) -> None:
    """It always answers, and always in words."""
    diagnosis = diagnose(**given_facts)
    assert isinstance(diagnosis, Diagnosis)
    assert str(diagnosis)
    assert len(set(diagnosis.rules)) == len(diagnosis.rules)
    assert repr(diagnosis.evidence).isprintable()


pieces = st.sampled_from(
    ["curl ", "wscat -c ", "websocat ", "-H ", "'", '"', "$'", "\\", "\n", "^\n", "`\n", "-d ", "-u a:b ", "-X ", "--json ", "=",
     "https://api.mypurecloud.com/x ", "wss://h/v1?a=b&c ", "HTTP/1.1 401 Unauthorized\n", "Content-Type: application/json", "{",
     "}", "new WebSocket(", "websockets.connect(", "requests.post(", "fetch(", "JSON.stringify(", "`${a}`", "f'{x}'", ")", "[",
     ",", ":", "const a = ", ".send(", "//", "/*", "'''", "|", ";", "Invoke-RestMethod -Uri ", "GET / HTTP/1.1\n", "\x00", "\u202e"]
)  # fmt: skip
pastes = st.lists(pieces | st.text(max_size=6), max_size=25).map("".join)


@QUICK
@given(pastes)
def test_no_paste_makes_a_reader_fail_otherwise_than_by_input_error(text: str) -> None:
    """Torn quotes, open brackets, anything."""
    for read in (from_text, from_curl, from_code):
        with contextlib.suppress(InputError):
            assert isinstance(diagnose(read(text)), Diagnosis)


entries = st.fixed_dictionaries(
    {},
    optional={
        "_resourceType": st.sampled_from(["websocket", "xhr"]) | trees,
        "_webSocketMessages": st.lists(
            st.fixed_dictionaries({}, optional={"type": st.sampled_from(["send", "receive"]) | trees, "opcode": scalars | trees,
                                                "data": trees | trees.map(json.dumps)}) | trees,
            max_size=4) | trees,
        "request": st.fixed_dictionaries({}, optional={"url": urls | trees, "method": words, "headers": trees, "postData": trees})
        | trees,
        "response": st.fixed_dictionaries({}, optional={"status": scalars | trees, "headers": trees, "content": trees}) | trees,
        "_error": trees,
    },
)  # fmt: skip


@QUICK
@given(st.lists(entries | trees, max_size=3).map(lambda rows: {"log": {"entries": rows}}) | trees)
def test_no_har_makes_the_reader_fail_otherwise_than_by_input_error(document: Any) -> None:
    """Fields of any type, as an object and as text."""
    for source in (document, json.dumps(document)):
        with contextlib.suppress(InputError):
            assert all(isinstance(diagnose(evidence), Diagnosis) for evidence in from_har(source))


@QUICK
@given(urls, trees)
def test_checkers_always_answer(url: str, frame: Any) -> None:
    """Any URL, any frame."""
    assert str(check_url(url))
    assert str(check_frame(frame, first=True))
    assert str(check_frame(json.dumps(frame)))


LONG = {
    "ampersands": "curl https://h/?" + "a=1&" * 25_000,
    "one word": 'new WebSocket("wss://webmessaging.mypurecloud.de/v1");' + "a" * 100_000,
    "dots": 'new WebSocket("wss://webmessaging.mypurecloud.de/v1");' + "a." * 50_000,
    "blank lines": "new WebSocket(u);" + "\n " * 50_000,
    "handlers": 'new WebSocket("wss://h/v1");' + "onopen=" * 14_000,
    "functions": 'websockets.connect("wss://h/v1")\n' + "def a():\n" * 11_000,
    "names": "const x = new WebSocket(u); " + "a=" * 50_000,
    "headers": "c.newWebSocketBuilder().buildAsync(" + "a b " * 25_000,
    "holes": "new WebSocket(`" + "${" * 50_000,
    "sends": "new WebSocket(u);" + "ws.send({a:1});" * 6_000,
    "braces": "{" * 100_000,
    "torn frames": '{"class":"string","code":1,"body":"' * 3_000,
    "objects of Node": "{ type: 'response', " * 8_000,
    "addresses": "wss://h/v1 403 " * 12_000,
    "one address": "wss://" + "h" * 150_000,
    "origins": "Origin header is set to " * 8_000,
    "codes": "closed with code " * 10_000,
    "statuses": "get 403 " * 20_000,
    "handshakes": "bad handshake " * 12_000,
    "comments": 'new WebSocket("wss://h/v1");' + "// error " * 15_000,
    "lines": 'new WebSocket("wss://h/v1");' + "\nit is a word " * 12_000,
    "one line of words": 'new WebSocket("wss://h/v1");\n' + "word " * 25_000,
    "semicolons": 'new WebSocket("wss://h/v1");\n' + "; " * 50_000,
    "functions that return": 'new WebSocket("wss://h/v1");\n' + "def a(\nreturn access_token\n" * 5_000,
    "pages": "our page is at the " * 10_000,
    "marks": "> < " * 40_000,
    "below a command": "wscat -c wss://h/v1\n" + "the server gets a 403 " * 8_000,
}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG.keys())
def test_a_long_paste_is_read_in_seconds(text: str) -> None:
    """No pattern looks at every place from every other; that would take minutes here."""
    started = time.perf_counter()
    assert isinstance(diagnose(from_text(text)), Diagnosis)
    assert time.perf_counter() - started < 10
