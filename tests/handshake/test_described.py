"""Command lines, code and words become evidence, and the same findings as a performed attempt."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from guestlab.errors import InputError
from guestlab.handshake.described import diagnose_text, from_code, from_curl, from_text

ID = "4efaaeed-d0c4-4a72-8db1-3e479b6b532f"
SEED = ("upgrade.deployment-missing", "credential.oauth-on-guest-socket")

CURL: list[tuple[str, str, dict[str, Any], tuple[str, ...]]] = [
    (
        "a handshake by hand with what curl -i printed",
        """curl -i -N -H "Connection: Upgrade" -H 'Upgrade: websocket' -H "Sec-WebSocket-Version: 13" \\
  -H "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==" \\
  'https://webmessaging.mypurecloud.com/v1?access_token=eyJhbGciOi.EXAMPLE'
HTTP/1.1 401 Unauthorized
Date: Mon, 04 May 2026 10:00:00 GMT
Content-Length: 0

""",
        {"http_status": 401, "body": "", "method": "GET",
         "response_headers": (("Date", "Mon, 04 May 2026 10:00:00 GMT"), ("Content-Length", "0"))},
        SEED,
    ),
    (
        "a verbose transcript",
        """$ curl -v -u id:secret https://login.mypurecloud.de/oauth/token -d grant_type=client_credentials
*   Trying 192.0.2.1:443...
> POST /oauth/token HTTP/1.1
> Host: login.mypurecloud.de
>
< HTTP/1.1 400 Bad Request
< Content-Type: application/json
<
{"error":"invalid_client","description":"client not found","error_description":"client not found"}
* Connection #0 to host login.mypurecloud.de left intact
""",
        {"http_status": 400, "method": "POST", "token_kind": "client_credentials",
         "headers": (("Content-Type", "application/x-www-form-urlencoded"),
                     ("Authorization", "Basic " + base64.b64encode(b"id:secret").decode()))},
        ("oauth.client-authentication",),
    ),
    (
        "bundled options, bare ampersands and a refused name",
        ("curl -sSiXPOST https://webchat.genesyscloud.com/api/v2/webmessaging/guests?a=1&b=2 --json '{\"x\":1}'\n"
        "curl: (6) Could not resolve host: webchat.genesyscloud.com"),
        {"method": "POST", "note": "curl: (6) Could not resolve host: webchat.genesyscloud.com",
         "url": "https://webchat.genesyscloud.com/api/v2/webmessaging/guests?a=1&b=2",
         "headers": (("Content-Type", "application/json"),)},
        ("endpoint.unknown-host", "credential.no-guest-token-endpoint", "rest.path-not-in-platform-api"),
    ),
    (
        "carets of cmd",
        ('curl "https://login.usw2.pure.cloud/oauth/token" ^\r\n  -H "Content-Type: application/json" ^\r\n'
        '  --data-raw "{\\"grant_type\\":\\"client_credentials\\"}"\r\n'),
        {"method": "POST", "request_body": {"grant_type": "client_credentials"}, "token_kind": "client_credentials"},
        ("oauth.body-format", "oauth.client-authentication"),
    ),
    (
        "backticks of PowerShell, data in the query",
        ("PS C:\\> curl.exe -G https://login.mypurecloud.ie/oauth/token `\n --data-urlencode 'grant_type=client_credentials'\n"
        '{"error":"invalid_request"}'),
        {"method": "GET", "url": "https://login.mypurecloud.ie/oauth/token?grant_type=client_credentials", "request_body": None},
        ("oauth.body-format", "oauth.client-authentication"),
    ),
    (
        "ANSI quotes, a cookie and an option that is not known",
        f"curl --frobnicate -b 'access_token=abc' $'wss://webmessaging.mypurecloud.jp/v1?deploymentId={ID}\\n' --http1.1",
        {"url": f"wss://webmessaging.mypurecloud.jp/v1?deploymentId={ID}", "headers": (("Cookie", "access_token=abc"),)},
        ("credential.oauth-on-guest-socket",),
    ),
    (
        "bearer by option",
        "curl --oauth2-bearer abc -I --url=https://api.mypurecloud.com/api/v2/tokens/me",
        {"method": "HEAD", "headers": (("Authorization", "Bearer abc"),)},
        (),
    ),
    (
        "wscat with its usual words",
        (f"> wscat -c wss://webmessaging.mypurecloud.com/v1?deploymentId={ID} -s chat -o https://a.example -x '{{\"type\":\"init\"}}'\n"
        "error: Unexpected server response: 403"),
        {"http_status": 403, "subprotocols": ("chat",), "headers": (("Origin", "https://a.example"),),
         "first_frame": {"type": "init"}},
        ("upgrade.subprotocol-not-used", "frame.wrong-first-frame", "upgrade.deployment-unknown", "client.hides-response"),
    ),
    (
        "websocat",
        "websocat -v -H='Authorization: Bearer abc' --protocol=bearer wss://webmessaging.euc2.pure.cloud/v1",
        {"subprotocols": ("bearer",), "headers": (("Authorization", "Bearer abc"),)},
        ("upgrade.deployment-missing", "upgrade.subprotocol-not-used", "credential.oauth-on-guest-socket"),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "facts", "rules"), [row[1:] for row in CURL], ids=[row[0] for row in CURL])
def test_a_command_line_is_read_as_pasted(text: str, facts: dict[str, Any], rules: tuple[str, ...]) -> None:
    """Quotes, continuations, bundles, and what was printed below."""
    facts = dict(facts)
    evidence = from_curl(text)
    headers = facts.pop("headers", ())
    assert {name: getattr(evidence, name) for name in facts} == facts
    assert [pair for pair in evidence.headers if pair in headers] == list(headers)
    assert diagnose_text(text).rules == rules


CODE: list[tuple[str, str, dict[str, Any], tuple[str, ...]]] = [
    (
        "browser, template string and subprotocol",
        """
        const base = 'wss://webmessaging.mypurecloud.de/v1';
        const ws = new WebSocket(`${base}?deploymentId=${id}`, ['bearer', token]);
        ws.onopen = () => { ws.send(JSON.stringify({ type: 'connect', token })); };
        """,
        {"url": "wss://webmessaging.mypurecloud.de/v1?deploymentId={id}", "subprotocols": ("bearer", "{token}"),
         "first_frame": {"type": "connect", "token": "{token}"}},
        ("upgrade.subprotocol-not-used", "frame.wrong-first-frame", "credential.oauth-on-guest-socket"),
    ),
    (
        "python websockets with the exception it raised",
        """
        import websockets
        URL = f"wss://webmessaging.mypurecloud.com/v1?access_token={token}"
        async with websockets.connect(URL, additional_headers={"X-A": "b"}) as ws:
            await ws.send(json.dumps({"action": "configureSession", "token": str(uuid.uuid4())}))
        websockets.exceptions.InvalidStatus: server rejected WebSocket connection: HTTP 401
        """,
        {"url": "wss://webmessaging.mypurecloud.com/v1?access_token={token}", "headers": (("X-A", "b"),), "http_status": 401,
         "first_frame": {"action": "configureSession", "token": "{uuid.uuid4}"}},
        ("upgrade.deployment-missing", "credential.oauth-on-guest-socket", "frame.wrong-first-frame", "client.hides-response"),
    ),
    (
        "websocket-client with header lines",
        'ws = websocket.create_connection("wss://api.mypurecloud.com/v1", header=["Authorization: Bearer " + token])',
        {"url": "wss://api.mypurecloud.com/v1", "headers": (("Authorization", "Bearer {token}"),)},
        ("endpoint.not-guest-socket", "credential.oauth-on-guest-socket"),
    ),
    (
        "aiohttp in several lines",
        ("async with session.ws_connect(\n    'wss://webmessaging.mypurecloud.com'\n    '/v1',\n    origin='https://a.example',\n"
        "    protocols=('x',),  # a comment\n) as ws: await ws.send_json({'action': 'join'})"),
        {"url": "wss://webmessaging.mypurecloud.com/v1", "headers": (("Origin", "https://a.example"),), "subprotocols": ("x",),
         "first_frame": {"action": "join"}},
        ("upgrade.deployment-missing", "upgrade.subprotocol-not-used", "frame.wrong-first-frame"),
    ),
    (
        "node ws with options",
        ("new WebSocket('wss://webmessaging.mypurecloud.com/v1?deploymentId=' + depId, { headers: { Authorization: 'Bearer x' },"
        " origin: 'https://a.example' })"),
        {"url": "wss://webmessaging.mypurecloud.com/v1?deploymentId={depId}",
         "headers": (("Authorization", "Bearer x"), ("Origin", "https://a.example"))},
        ("credential.oauth-on-guest-socket",),
    ),
    (
        "requests with json",
        ('r = requests.post("https://login.mypurecloud.com/oauth/token", json={"grant_type": "client_credentials"},\n'
        "    auth=(CLIENT_ID, SECRET))\nprint(r.status_code)  # status: 400"),
        {"method": "POST", "request_body": {"grant_type": "client_credentials"}, "token_kind": "client_credentials"},
        ("oauth.body-format",),
    ),
    (
        "requests with a form, right",
        'requests.post("https://login.mypurecloud.com/oauth/token", data={"grant_type": "client_credentials"}, auth=(a, b))',
        {"method": "POST", "headers": (("Content-Type", "application/x-www-form-urlencoded"),
                                       ("Authorization", "Basic {id:secret}"))},
        (),
    ),
    (
        "fetch",
        ('const res = await fetch("https://api.mypurecloud.com/api/v2/webmessaging/guests", {\n  method: "POST",\n  headers: '
        '{ "Authorization": `Bearer ${token}`, "Content-Type": "application/json" },\n  body: JSON.stringify({ name: "x" })\n});'),
        {"method": "POST", "request_body": {"name": "x"}},
        ("credential.no-guest-token-endpoint", "rest.path-not-in-platform-api"),
    ),
    (
        "axios",
        "axios.delete('https://api.mypurecloud.com/api/v2/webmessaging/guests/' + guestId, { headers: { Authorization: a } })",
        {"method": "DELETE", "url": "https://api.mypurecloud.com/api/v2/webmessaging/guests/{guestId}"},
        ("session.end", "rest.send-is-a-frame", "rest.path-not-in-platform-api"),
    ),
    (
        "PowerShell",
        ("Invoke-RestMethod -Uri 'https://api.mypurecloud.com/oauth/token' -Method Post -ContentType 'application/json' -Body "
        "'{\"grant_type\":\"client_credentials\"}'"),
        {"method": "POST", "request_body": {"grant_type": "client_credentials"}},
        ("oauth.wrong-host", "oauth.body-format", "oauth.client-authentication"),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("code", "facts", "rules"), [row[1:] for row in CODE], ids=[row[0] for row in CODE])
def test_a_snippet_is_read_without_being_run(
    code: str, facts: dict[str, Any], rules: tuple[str, ...]
) -> None:
    """What only a running program knows becomes a placeholder."""
    evidence = from_code(code)
    assert {name: getattr(evidence, name) for name in facts} == facts
    assert diagnose_text(code).rules == rules


WORDS: list[tuple[str, dict[str, Any], tuple[str, ...]]] = [
    (
        "I open wss://webmessaging.mypurecloud.com/v1?access_token=eyJhbGciOi.EXAMPLE with client credentials and get 401.",
        {"url": "wss://webmessaging.mypurecloud.com/v1?access_token=eyJhbGciOi.EXAMPLE", "http_status": 401,
         "token_kind": "client_credentials"},
        SEED,
    ),
    (
        ("GET /v1?access_token=abc HTTP/1.1\r\nHost: webmessaging.mypurecloud.com\r\nUpgrade: websocket\r\n\r\n"
        "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"),
        {"url": "wss://webmessaging.mypurecloud.com/v1?access_token=abc", "http_status": 401, "body": ""},
        SEED,
    ),
    (
        'The server sends {"type":"response","class":"string","code":4007,"body":"Session not found"} after my message.',
        {"frame": {"type": "response", "class": "string", "code": 4007, "body": "Session not found"}},
        ("frame.session-not-configured",),
    ),
    (
        f'On wss://webmessaging.mypurecloud.ie/v1?deploymentId={ID} I send {{"type":"auth"}} first and it stays silent.',
        {"first_frame": {"type": "auth"}},
        ("frame.wrong-first-frame",),
    ),
    ("The browser closes with 1006.", {"close_code": 1006}, ("unexplained",)),
]  # fmt: skip


@pytest.mark.parametrize(("text", "facts", "rules"), WORDS, ids=[row[0][:30] for row in WORDS])
def test_words_and_raw_requests_are_read_too(
    text: str, facts: dict[str, Any], rules: tuple[str, ...]
) -> None:
    """The first URL, unmistakable numbers, quoted frames; the text itself is the note."""
    evidence = from_text(text)
    assert {name: getattr(evidence, name) for name in facts} == facts
    assert diagnose_text(text).rules == rules


@pytest.mark.parametrize("text", ["", "  \n ", None, 7])
def test_nothing_to_read_is_an_input_error(text: Any) -> None:
    """From every face."""
    for read in (from_text, from_curl, from_code, diagnose_text):
        with pytest.raises(InputError, match="no text to read"):
            read(text)


def test_what_is_not_there_is_said() -> None:
    """No command, no call."""
    with pytest.raises(InputError, match="no curl command line"):
        from_curl("I curl my hair")
    with pytest.raises(InputError, match="no call in this code"):
        from_code("x = 1")
