"""What is pasted beside a request is read or named: no failure passes for a success, no page for the target."""

from __future__ import annotations

import json
from typing import Any

import pytest

from guestlab.handshake.beside_code import beside_code
from guestlab.handshake.described import diagnose_text, from_text
from guestlab.handshake.diagnosis import diagnose
from guestlab.handshake.har import diagnose_har
from guestlab.handshake.outcome_words import bare_outcome, frame_code_told, numbers_told
from guestlab.handshake.pasted_frames import shown_objects
from guestlab.handshake.told_address import told_address, told_origin

ID = "5c1e2a90-7b34-4d61-8f02-9a6b0c000001"
TOKEN = "f187426e-7f90-4f99-81dd-1fa5b65a7ea2"
SOCKET = f"wss://webmessaging.mypurecloud.de/v1?deploymentId={ID}"
HTTPS = SOCKET.replace("wss", "https")
CONFIGURE = json.dumps({"action": "configureSession", "deploymentId": ID, "token": TOKEN})
READY = '{"type":"response","class":"SessionResponse","code":200,"body":{"connected":true}}'
MESSAGE = json.dumps({"action": "onMessage", "token": TOKEN, "message": {"type": "Text", "text": "x"}})
UPGRADE = (
    "-H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' "
    "-H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='"
)
EXPECTED_101 = "The server returned status code '403' when status code '101' was expected."
CODE = f'ws = websockets.connect("{SOCKET}")'
SCRIPT = f'const ws = new WebSocket("{SOCKET}");'


def rules(text: str) -> tuple[str, ...]:
    """The rules that fire on a paste."""
    return diagnose_text(text).rules


def refusal(code: int, body: str = "no") -> str:
    """A server frame that refuses something."""
    return json.dumps({"type": "response", "class": "string", "code": code, "body": body})


# -- an outcome in whatever form ----------------------------------------------


@pytest.mark.parametrize(
    "outcome",
    ["403 Forbidden", "I get HTTP 403", "I get 403", "-> 403", "gives 403", EXPECTED_101, "websocket: bad handshake, resp.StatusCode=403", "Status: 403 (Forbidden)",
     "Expected HTTP 101 response but was '403 Forbidden'", "# prints 403", "# HTTP 403", "# Error: Unexpected server response: 403",
     "Die Antwort ist 403", "Forbidden (403)", 'WebSockex.RequestError{code: 403, message: "Forbidden"}'],
)  # fmt: skip
@pytest.mark.parametrize("code", [CODE, SCRIPT, f"connect('{SOCKET}')"])
def test_a_refusal_beside_code_is_read(code: str, outcome: str) -> None:
    """As a program prints it, as a person tells it, as a comment that is nothing else."""
    assert rules(f"{code}\n{outcome}")[0] == "upgrade.deployment-unknown"


@pytest.mark.parametrize("outcome", ["403", "HTTP 403", "status 403", "error 403", "statusCode: 403", "-> 403", "gives 403", "403 Forbidden"])  # fmt: skip
def test_a_comment_behind_code_is_read(outcome: str) -> None:
    """On the line of the call."""
    assert rules(f"{SCRIPT} // {outcome}")[0] == "upgrade.deployment-unknown"


@pytest.mark.parametrize(
    "comment",
    ["403 if the id is unknown", "retry on 429", "port 443", "wait 500 ms", "see RFC 6455", "handles 401 and 403", "8443",
     "TODO: log the status code", "https://example.org/403", "200 lines follow", "1006 means that it was cut", "500ms"],
)  # fmt: skip
def test_a_comment_that_only_speaks_of_a_number_is_no_outcome(comment: str) -> None:
    """Code is full of numbers."""
    assert bare_outcome(comment) == ""
    assert diagnose_text(f"{SCRIPT} // {comment}").ok
    assert diagnose_text(f"{CODE}\n# {comment}").ok


@pytest.mark.parametrize(
    "line",
    ["if (res.statusCode === 403) throw new Error('Forbidden');", "assert response.status_code == 403", "timeout = 500",
     "case 401: return refresh();", "logger.info('HTTP 403: not allowed')", "MAX = 429", "except InvalidStatus as e:",
     "if err != nil { log.Fatal(err) }", "import java.net.http.HttpClient;", "setTimeout(retry, 500);",
     'throw new IllegalStateException("closed 1006");', "print('does not work')", "private static final int LIMIT = 429;"],
)  # fmt: skip
def test_code_that_handles_a_failure_has_not_failed(line: str) -> None:
    """A line of code is no outcome."""
    assert beside_code(line) == ""
    diagnosis = diagnose_text(f"{SCRIPT}\n{line}")
    assert diagnosis.ok
    assert "no outcome was given" in str(diagnosis)


@pytest.mark.parametrize(
    ("outcome", "rule"),
    [
        ("websockets.exceptions.InvalidProxyStatus: proxy rejected connection: HTTP 407", "network.tcp"),
        ("websockets.exceptions.InvalidProxyStatus: proxy rejected connection: HTTP 403", "network.tcp"),
        ("websocket._exceptions.WebSocketProxyException: failed CONNECT via proxy status: 407", "network.tcp"),
        ("websocket._exceptions.WebSocketTimeoutException: Connection timed out", "network.tcp"),
        ("Error: read ECONNRESET", "network.tcp"), ("Error: socket hang up", "network.tcp"),
        ("websockets.exceptions.InvalidMessage: did not receive a valid HTTP response", "network.not-http"),
        ("Error: certificate has expired", "network.tls"),
        ("websockets.exceptions.InvalidUpgrade: missing Connection header", "unexplained"),
        ("websockets.exceptions.InvalidHandshake: missing Sec-WebSocket-Accept header", "unexplained"),
        ("TypeError: create_connection() got an unexpected keyword argument 'extra_headers'", "unexplained"),
        ("something peculiar happened", "unexplained"), ("It does not work", "unexplained"),
        ("Received network error or non-101 status code.", "client.hides-response"),
        ("CloseEvent {code: 1011, reason: ''}", "unexplained"), ("closed 1006", "client.hides-response"),
        (refusal(400), "unexplained"), (f"# {refusal(400)}", "unexplained"), (f"received {refusal(4011)}", "message.too-long"),
        ("{'type': 'response', 'class': 'string', 'code': 4011, 'body': 'too long'}", "message.too-long"),
        ("HTTP 502", "unexplained"),
    ],
)  # fmt: skip
def test_no_failure_is_called_right(outcome: str, rule: str) -> None:
    """What is not understood is quoted."""
    diagnosis = diagnose_text(f"{CODE}\n{outcome}")
    assert diagnosis.rules[0] == rule
    if rule == "unexplained" and "{" not in outcome:
        assert any(outcome[-12:] in fact for fact in diagnosis.findings[0].evidence)


@pytest.mark.parametrize("outcome", ["", READY, f"< {READY}", "It works.", "# 101 Switching Protocols", "Is that right?", "Connected (press CTRL+C to quit)"])  # fmt: skip
def test_a_success_or_nothing_at_all_stays_right(outcome: str) -> None:
    """And which of the two it is, is said."""
    diagnosis = diagnose_text(f"{CODE}\n{outcome}")
    assert diagnosis.ok
    seen = bool(outcome) and not outcome.startswith("Is")
    assert ("no outcome was given" in str(diagnosis)) is not seen


def test_what_is_cut_out_or_torn_is_not_right() -> None:
    """An ellipsis for a URL, a frame that is no JSON, a socket on which nothing crossed."""
    (cut,) = diagnose_text("curl -i 'https://…' -H 'Authorization: Bearer …'").findings
    assert "left out" in cut.what
    assert diagnose(frame="{bad json").rules == ("unexplained",)
    entry: dict[str, Any] = {"request": {"method": "GET", "url": SOCKET, "headers": []}, "_resourceType": "websocket",
                             "response": {"status": 101, "headers": []}, "_webSocketMessages": []}  # fmt: skip
    (silent,) = diagnose_har({"log": {"entries": [entry]}})
    assert silent.rules == ("frame.session-not-configured",)
    assert any("browser's words" in fact for fact in silent.findings[0].evidence)
    del entry["_webSocketMessages"]
    assert diagnose_har({"log": {"entries": [entry]}})[0].ok


# -- frames -------------------------------------------------------------------


def test_frames_are_read_whole_however_deep() -> None:
    """No inner object is taken for the first frame."""
    deep = json.dumps({"action": "onMessage", "token": TOKEN, "message": {"type": "Text", "text": "x", "channel": {
        "metadata": {"customAttributes": {"a": {"b": {"c": "d"}}}}}, "content": [{"contentType": "Attachment", "attachment": {"id": "a"}}]}})  # fmt: skip
    (shown,) = shown_objects(f"sent {deep}")
    assert shown.side == "sent"
    assert shown.document == json.loads(deep)
    assert diagnose_text(f"> {deep}").ok
    assert len(shown_objects('{"a":' * 3_000)) == 0
    (torn,) = shown_objects(
        '< {"type":"response","class":"SessionResponse","code":200,"body":{"allowed":[{"type":"*/*"},{"ty'
    )
    assert torn.side == "received"


@pytest.mark.parametrize(
    ("code", "rule"),
    [(4011, "message.too-long"), (409, "session.read-only"), (4006, "session.expired"), (4017, "session.downgrade"),
     (4007, "frame.session-not-configured"), (4029, "limit.rate"), (400, "unexplained")],
)  # fmt: skip
@pytest.mark.parametrize(
    "before", ["Connected (press CTRL+C to quit)\n", f"{SOCKET}\n", f"$ wscat -c '{SOCKET}'\n"]
)
def test_the_frame_that_failed_is_judged(before: str, code: int, rule: str) -> None:
    """Not the one that was answered well before it."""
    transcript = f"{before}> {CONFIGURE}\n< {READY}\n> {MESSAGE}\n< {refusal(code)}"
    diagnosis = diagnose_text(transcript)
    assert diagnosis.rules == (rule,)
    assert code != 4007 or "onMessage was sent" in diagnosis.findings[0].what
    assert diagnose_text(f"{before}> {CONFIGURE}\n< {READY}\n> {MESSAGE}").ok


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"> {MESSAGE}", ()), (f"sent {MESSAGE}\ngot {refusal(400)}", ("unexplained",)),
        (f"sent {MESSAGE}\ngot {refusal(4007)}", ("frame.session-not-configured",)),
        (f"Connected (press CTRL+C to quit)\n> {MESSAGE}", ("frame.session-not-configured",)),
        (f"my first frame is {MESSAGE}", ("frame.session-not-configured",)),
        ("I get code 4007 after sending onMessage", ("frame.session-not-configured",)),
    ],
)  # fmt: skip
def test_one_frame_out_of_a_conversation_is_not_its_first(text: str, expected: tuple[str, ...]) -> None:
    """Unless the opening of the socket is shown, or the server says so."""
    assert rules(text) == expected


# -- addresses and origins ----------------------------------------------------

MANUAL = "https://developer.genesys.cloud/commdigital/digital/webmessaging/websocketapi"


@pytest.mark.parametrize(
    "text",
    [f"According to {MANUAL} I connect to {SOCKET} and get 403", f"On our page https://www.acme.example/contact it works, {SOCKET} gives 403",
     f"Origin header is https://shop.acme.example. I still get 403 from {SOCKET}", f"{SOCKET} as in {MANUAL}"],
)  # fmt: skip
def test_the_socket_is_the_target_whatever_else_is_named(text: str) -> None:
    """Manuals, pages and origins are not what was asked."""
    assert told_address(text) == SOCKET


def test_an_address_alone_is_still_the_target() -> None:
    """A wrong one is what is to be found; a manual or an Origin never is."""
    assert told_address("https://api.cxone.example/v1 does not answer") == "https://api.cxone.example/v1"
    assert told_address(f"I read {MANUAL}") is None
    assert told_address("With Origin https://shop.acme.example I get 403") is None


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("with Origin https://shop.acme.example I get 101", "https://shop.acme.example"),
        ("the Origin header is shop.acme.example.", "shop.acme.example"), ("Origin: null", "null"),
        ("although I send Origin: https://a.example:8443", "https://a.example:8443"),
        ("403 in the Messenger on localhost:3000", "http://localhost:3000"), ("without any Origin header", None),
        ("which origin do I need?", None), ("the origin of this error is unknown", None), ("ws://localhost:8443/v1", None),
    ],
)  # fmt: skip
def test_an_origin_in_words_is_read(text: str, origin: str | None) -> None:
    """And one that is only spoken of is not invented."""
    assert told_origin(text) == origin


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"With Origin https://shop.acme.example {SOCKET} opens (101), then it closes with 1006 after 3 seconds", ("unexplained",)),
        (f"I set Origin to https://shop.acme.example, which is on the allowed list. Still 403 at {SOCKET}.", ("upgrade.deployment-unknown",)),
        (f"{SOCKET} answers 403 although I send Origin: https://shop.acme.example", ("upgrade.deployment-unknown",)),
        (f"{SOCKET} gives 403 in the Messenger on localhost:3000 but works from Postman", ("upgrade.origin-not-allowed",)),
        (f"{SOCKET} without any Origin header: 403. The deployment restricts domains to shop.acme.example.",
         ("upgrade.origin-not-allowed",)),
    ],
)  # fmt: skip
def test_an_origin_is_blamed_only_where_it_can_be(text: str, expected: tuple[str, ...]) -> None:
    """Not after 101, not one that is said to be listed."""
    assert rules(text) == expected


@pytest.mark.parametrize(
    ("origin", "word"),
    [("https://shop.example/contact", "path"), ("https://shop.example/", "slash"), ("shop.example", "scheme"),
     ("https://shop.example", ""), ("https://shop.example:8443", ""), ("null", ""), ("{origin}", ""), ("http://localhost:3000", "")],
)  # fmt: skip
def test_an_origin_of_no_browsers_form_is_named(origin: str, word: str) -> None:
    """An Origin is scheme, host and port; once the socket is open its form has done no harm."""
    diagnosis = diagnose(url=SOCKET, http_status=403, headers={"Origin": origin, "Host": "h"})
    found = [
        f for f in diagnosis.findings if f.rule == "upgrade.origin-not-allowed" and "scheme://host" in f.what
    ]
    assert bool(found) is bool(word)
    assert not word or word in found[0].what
    assert diagnose(url=SOCKET, http_status=101, headers={"Origin": origin, "Host": "h"}).ok


# -- something in between -----------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "body", "between"),
    [
        ({"Server": "squid/5.7", "X-Squid-Error": "ERR_ACCESS_DENIED 0"}, "", "squid/5.7"),
        ({"Server": "Zscaler/6.2"}, "<html>blocked</html>", "Zscaler/6.2"), ({}, "<!DOCTYPE html><p>no", "HTML"),
        ({"Server": "CloudFront"}, "<HTML><H1>403 ERROR</H1>", "CloudFront"), ({"Via": "1.1 proxy01 (squid/5.7)"}, "", "squid"),
        ({"Via": "1.1 abc.cloudfront.net (CloudFront)"}, "", ""), ({"Server": "Apache"}, "Forbidden", ""), ({}, "", ""),
    ],
)  # fmt: skip
def test_a_refusal_by_a_proxy_is_not_the_deployments(
    headers: dict[str, str], body: str, between: str
) -> None:
    """It is named; a content network alone is no sign."""
    top = diagnose(url=SOCKET, http_status=403, response_headers=headers, body=body).findings[0]
    assert top.rule == ("unexplained" if between else "upgrade.deployment-unknown")
    assert between in top.why
    known = diagnose(
        url=SOCKET, http_status=403, response_headers=headers, body=body, deployment_status="Inactive"
    )
    assert known.rules[0] == "upgrade.deployment-unknown"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ssl error (_ssl.c:1006)", None), ("closed with 1006", 1006), ("code: 1006", 1006), ("file.js:1006:3", None),
        ("1006", 1006), ("port 11006", None), ("received 1011 (internal error)", 1011), ("closes after 3000 ms", None),
    ],
)  # fmt: skip
def test_a_line_number_is_no_close_code(text: str, expected: int | None) -> None:
    """Nor is a port or a time."""
    assert numbers_told(text).get("close_code") == expected


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (f"{SOCKET} -> 403", 403), (f"{SOCKET} 403", 403), (f"{SOCKET} liefert 403", 403), (f"{SOCKET} renvoie une erreur 403", 403),
        ("non-101 status code", None), ("status code '403' when status code '101' was expected", 403), ("works (101)", 101),
        ("with 500 users", None), ("gets 429 requests", None), ("REST gives 200 and the socket HTTP 401", 401),
        ("connect call failed ('10.0.0.1', 443)", None), ("instead of 101", None), ("it is 404 pages long", 404),
    ],
)  # fmt: skip
def test_statuses_in_words(text: str, status: int | None) -> None:
    """In several languages, and near misses."""
    assert numbers_told(text, loosely=True).get("http_status") == status


def test_a_close_code_is_no_frame_code() -> None:
    """The lanes stay apart."""
    assert frame_code_told("I get code 4007") == 4007
    assert frame_code_told("close code 4007") is None
    assert frame_code_told("port 4007") is None


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (f"wscat -c '{SOCKET}'\nConnected (press CTRL+C to quit)\nDisconnected (code: 1006)", "unexplained"),
        (f"wscat -c '{SOCKET}'\n403", "upgrade.deployment-unknown"), (f"wscat -c '{SOCKET}'\nnothing happens", "unexplained"),
        (f"{SOCKET} is down", "unexplained"), (f"{CODE}\nclosed 1006", "client.hides-response"),
        (f"wscat -c '{SOCKET}'\nConnected (press CTRL+C to quit)\n>", ""), (f"{SOCKET} works in the browser", ""),
    ],
)  # fmt: skip
def test_an_open_socket_that_ends_is_told_from_one_that_never_opened(text: str, rule: str) -> None:
    """1006 hides a refusal only where there may have been one."""
    assert rules(text)[:1] == ((rule,) if rule else ())


def test_a_tools_notation_of_the_address_is_no_wrong_scheme() -> None:
    """Postman shows the upgrade's request; an ordinary GET of the same address is one."""
    shown = f"Error: Unexpected server response: 403\nRequest URL: {HTTPS}\nStatus Code: 403 Forbidden"
    assert rules(shown)[0] == "upgrade.deployment-unknown"
    assert rules(f"I open {HTTPS} with requests.get and get 403")[0] == "endpoint.not-guest-socket"


def test_a_tunnel_that_failed_and_a_cut_command_are_named() -> None:
    """407 is the proxy's; what the shell cut off never went out."""
    curl = f"curl -i -N --http1.1 -x http://proxy.example:3128 {UPGRADE} '{HTTPS}'"
    (found,) = diagnose_text(f"{curl}\ncurl: (56) CONNECT tunnel failed, response 407").findings
    assert (found.rule, "proxy" in found.what) == ("network.tcp", True)
    cut = f"wscat -c wss://webmessaging.mypurecloud.de/v1?debug=1&deploymentId={ID}\nerror: Unexpected server response: 401"
    assert "unquoted &" in diagnose_text(cut).findings[0].what
    quoted = cut.replace("wss:", "'wss:").replace(f"{ID}\n", f"{ID}'\n")
    assert "upgrade.deployment-missing" not in rules(quoted)


def test_a_non_uuid_token_that_is_called_invalid_is_no_matter_of_an_identity_provider() -> None:
    """Nor is the public file's 403 one of the socket."""
    told = f"{refusal(400, 'Invalid token')} after {CONFIGURE.replace(TOKEN, 'not-a-uuid')}, is it our OpenID token?"
    assert rules(told)[0] == "frame.wrong-first-frame"
    file = f"https://api-cdn.mypurecloud.de/webdeployments/v1/deployments/{ID}/config.json gives 403"
    assert "public file" in diagnose_text(file).findings[0].why


def test_an_access_token_from_a_function_of_the_program_is_found() -> None:
    """A function that makes a UUID is none."""
    issued = 'def get_token():\n    r = requests.post(f"https://login.{R}/oauth/token")\n    return r.json()["access_token"]\n'
    frame = f'{{"action": "configureSession", "deploymentId": "{ID}", "token": token}}'
    main = f'async def main():\n    token = get_token()\n    ws = await websockets.connect("{SOCKET}")\n'
    main += f"    await ws.send(json.dumps({frame}))\n"
    assert rules(issued + main) == ("credential.oauth-on-guest-socket",)
    assert diagnose_text("def get_token():\n    return str(uuid.uuid4())\n" + main).ok


def test_what_a_paste_tells_is_kept_as_evidence() -> None:
    """Numbers, Origin, note, and whose words they are."""
    evidence = from_text(f"{CODE}\nI get HTTP 403")
    assert (evidence.http_status, evidence.note_by, evidence.note) == (403, "paste", "I get HTTP 403")
    assert from_text(f"{CODE}\nnobody knows").unread == "nobody knows"
