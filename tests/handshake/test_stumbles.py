"""What a developer with fresh eyes stumbled over, each beside the near miss that must stay as it is."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any

import pytest

from guestlab.errors import InputError
from guestlab.handshake.comparison import compare
from guestlab.handshake.described import diagnose_text
from guestlab.handshake.diagnosis import diagnose
from guestlab.handshake.dialling import Dial, Proxy, run_step
from guestlab.handshake.har import diagnose_har
from guestlab.handshake.hosts import read_host
from guestlab.handshake.network_words import ended_at_by_words
from guestlab.handshake.request_parts import sides
from guestlab.handshake.url_check import check_url
from guestlab.log import Log

ID = "5c1e2a90-7b34-4d61-8f02-9a6b0c000001"
OTHER = "5c1e2a90-7b34-4d61-8f02-9a6b0c000002"
TOKEN = "f187426e-7f90-4f99-81dd-1fa5b65a7ea2"
BARE = "wss://webmessaging.mypurecloud.de/v1"
SOCKET = f"{BARE}?deploymentId={ID}"
HTTPS = SOCKET.replace("wss", "https")
CONFIGURE = {"action": "configureSession", "deploymentId": ID, "token": TOKEN}
READY = {"type": "response", "class": "SessionResponse", "code": 200, "body": {"connected": True}}
UPGRADE = (
    '-H "Connection: Upgrade" -H "Upgrade: websocket" -H "Sec-WebSocket-Version: 13" '
    '-H "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="'
)


def verdict(**facts: Any) -> list[tuple[str, str]]:
    """The findings on a description: (rule, confidence)."""
    return [(finding.rule, finding.confidence) for finding in diagnose(**facts).findings]


def read(text: str) -> list[tuple[str, str]]:
    """The same for something pasted."""
    return [(finding.rule, finding.confidence) for finding in diagnose_text(text).findings]


# -- clients ------------------------------------------------------------------


@pytest.mark.parametrize(
    "client",
    ["websockets", "ws", "Chrome", "browser", "new WebSocket", "okhttp", "aiohttp", "Postman", "python", "React Native"],
)  # fmt: skip
def test_a_websocket_client_is_not_taken_for_an_http_client(client: str) -> None:
    """Nor is one that nobody knows."""
    assert verdict(url=SOCKET, http_status=403, client=client) == [("upgrade.deployment-unknown", "likely")]
    assert verdict(url=SOCKET, client=client) == []


@pytest.mark.parametrize("client", ["requests", "fetch", "axios", "httpx", "urllib", "session.get"])
def test_an_http_client_is_told_unless_it_opened_the_socket(client: str) -> None:
    """101 rules it out, whatever was said."""
    assert verdict(url=SOCKET, client=client)[0] == ("endpoint.not-guest-socket", "confirmed")
    assert verdict(url=SOCKET, client=client, http_status=101) == []


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        (f"curl --http1.1 -X POST {UPGRADE} '{HTTPS}'", [("endpoint.not-guest-socket", "confirmed")]),
        (f"curl --http2 {UPGRADE} '{HTTPS}'", [("endpoint.not-guest-socket", "confirmed")]),
        (f"curl {UPGRADE} '{HTTPS}'", [("endpoint.not-guest-socket", "likely")]),
        (f"curl --http1.1 -H 'Upgrade: websocket' '{HTTPS}'", [("endpoint.not-guest-socket", "confirmed")]),
        (f"curl --http1.1 {UPGRADE} '{HTTPS}'", []),
        (f"curl --http1.1 -X GET {UPGRADE} '{HTTPS}'", []),
        (f"wscat -c {BARE}?lang=de&deploymentId={ID}", [("upgrade.deployment-missing", "likely")]),
        (f"wscat -c '{BARE}?lang=de&deploymentId={ID}'", []),
        (f"wscat -c {SOCKET} > log 2>&1 &", []),
        (f"wscat -c {SOCKET}&application=shop", []),
    ],
)
def test_a_command_is_read_as_a_shell_runs_it(text: str, rules: list[tuple[str, str]]) -> None:
    """Method, protocol version, missing headers, an & outside quotes."""
    assert read(text) == rules


# -- code ---------------------------------------------------------------------

SENDS_LATER = (
    'ws.onmessage = () => { ws.send(JSON.stringify({action: "onMessage", token, message: {}})); };\n'
)
SENDS_FIRST = (
    'ws.onopen = () => ws.send(JSON.stringify({action: "configureSession", deploymentId: D, token}));\n'
)


def test_the_order_of_writing_is_not_the_order_of_running() -> None:
    """A handler for messages comes after the one for the opening, wherever it stands."""
    opening = f"const token = crypto.randomUUID();\nconst ws = new WebSocket(`{BARE}?deploymentId=${{D}}`);\n"
    assert read(opening + SENDS_LATER + SENDS_FIRST) == []
    assert read(opening + SENDS_FIRST + SENDS_LATER) == []
    swapped = SENDS_LATER.replace("onmessage", "onopen") + SENDS_FIRST.replace("onopen", "onmessage")
    assert read(opening + swapped) == [("frame.session-not-configured", "confirmed")]


def test_what_a_function_of_ones_own_sends_is_not_the_first_frame() -> None:
    """When it runs is not known; and what a call before it sent is not seen."""
    say = 'def say(ws, text):\n    ws.send(json.dumps({"action": "onMessage", "token": T, "message": {"text": text}}))\n'
    opening = f'def main():\n    ws = create_connection("{SOCKET}")\n'
    assert read(say + opening + "    configure(ws)\n    say(ws, 'hi')\n") == []
    inline = '    ws.send(json.dumps({"action": "onMessage", "token": T, "message": {"text": "x"}}))\n'
    assert read(opening + "    configure(ws)\n" + inline) == []
    assert read(opening + "    ws.send(first)\n" + inline) == []
    assert read(opening + inline) == [("frame.session-not-configured", "confirmed")]


@pytest.mark.parametrize(
    ("query", "rules"),
    [
        ("?{query}", []), ("?${params}", []), ("?$QUERY", []), ("", ["upgrade.deployment-missing"]),
        ("?lang=de", ["upgrade.deployment-missing"]), ("?deploymentId=", ["upgrade.deployment-missing"]),
        ("?access_token={token}", ["upgrade.deployment-missing", "credential.oauth-on-guest-socket"]),
    ],
)  # fmt: skip
def test_a_query_that_is_a_variable_is_unknown_and_not_missing(query: str, rules: list[str]) -> None:
    """A value that is one leaves the rest of the query readable."""
    assert [finding.rule for finding in diagnose(url=BARE + query).findings] == rules


@pytest.mark.parametrize("in_frame", ["{DEP}", "$DEP", "process.env", ID, ID.upper()])
def test_an_id_that_is_not_seen_differs_from_none(in_frame: str) -> None:
    """Two literals do."""
    frame = {**CONFIGURE, "deploymentId": in_frame}
    url = f"{BARE}?deploymentId={{deploymentId}}" if in_frame == "process.env" else SOCKET
    assert verdict(url=url, first_frame=frame) == []
    assert verdict(url=SOCKET, first_frame={**CONFIGURE, "deploymentId": OTHER}) == [
        ("frame.wrong-first-frame", "confirmed")
    ]


def test_an_access_token_is_followed_through_a_name() -> None:
    """Not one that only goes to the Platform API, nor a name that is given something else later."""
    fetched = (
        'tok = requests.post("https://login.mypurecloud.de/oauth/token", data=d).json()["access_token"]\n'
    )
    opening = f'ws = create_connection("{SOCKET}")\n'
    send = f'ws.send(json.dumps({{"action": "configureSession", "deploymentId": "{ID}", "token": NAME}}))\n'
    assert read(fetched + opening + send.replace("NAME", "tok")) == [
        ("credential.oauth-on-guest-socket", "likely")
    ]
    assert read(fetched + opening + send.replace("NAME", "guest")) == []
    again = fetched + "tok = str(uuid.uuid4())\n"
    assert read(again + opening + send.replace("NAME", "tok")) == []


@pytest.mark.parametrize(
    ("send", "rules"),
    [
        ("ws.send(str(FRAME))", ["frame.wrong-first-frame"]),
        ("ws.send(json.dumps(FRAME))", []), ("ws.send_json(FRAME)", []), ("ws.send(frame)", []),
    ],
)  # fmt: skip
def test_an_object_written_by_str_is_no_json(send: str, rules: list[str]) -> None:
    """Python's own writing has single quotes."""
    frame = f'{{"action": "configureSession", "deploymentId": "{ID}", "token": t}}'
    text = f'ws = create_connection("{SOCKET}")\n' + send.replace("FRAME", frame)
    assert [rule for rule, _ in read(text)] == rules


GO = (
    'u := url.URL{Scheme: "wss", Host: "webmessaging.mypurecloud.de", Path: "/v1"%s}\n'
    "c, _, err := websocket.DefaultDialer.Dial(u.String(), nil)"
)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (f'const socket = io("{SOCKET}");', "endpoint.not-guest-socket"),
        (f'const ws = new WebSocket("{SOCKET}");', ""),
        ('ws = create_connection(ch.connect_uri)\nws.send(json.dumps({"action": "configureSession", "token": t}))',
         "channel.not-guest-socket"),
        ("ws = create_connection(ch.connect_uri)\nprint(ws.recv())", ""),
        (GO % ', RawQuery: "deploymentId=" + id', ""), (GO % "", "upgrade.deployment-missing"),
        (f'const ws = new WebSocket("{SOCKET}", ["bearer", access_token]);', "credential.oauth-on-guest-socket"),
        (f'const ws = new WebSocket("{SOCKET}", [], options);', ""),
        (f'val r = Request.Builder().url("{HTTPS}").build()\nclient.newWebSocket(r, listener)', ""),
    ],
)  # fmt: skip
def test_libraries_are_known_by_how_they_open(text: str, rule: str) -> None:
    """Each wrong one beside the right one."""
    rules = [name for name, _ in read(text)]
    assert (rule in rules) if rule else rules == []


def test_a_variable_is_no_cross_in_the_url_check() -> None:
    """What code fills in is right; an empty id and another service's label are not."""
    assert check_url("wss://webmessaging.{region}/v1?deploymentId={id}").ok
    assert check_url(f"{BARE}?{{query}}").ok
    assert not check_url("wss://api.{region}/v1?deploymentId={id}").ok
    assert not check_url(f"{BARE}?deploymentId=").ok


# -- hosts, addresses, numbers ------------------------------------------------


@pytest.mark.parametrize(
    ("host", "nearest"),
    [
        ("webmessaging.us-west-2.mypurecloud.com", "webmessaging.usw2.pure.cloud"),
        ("webmessaging.us-east-1.mypurecloud.com", "webmessaging.mypurecloud.com"),
        ("webmessaging.mypurecloud.con", "webmessaging.mypurecloud.com"),
        ("webmessaging.pure.cloud", ""), ("webmessaging.mypurecloud.eu", ""),
    ],
)  # fmt: skip
def test_a_region_is_only_offered_where_it_is_the_one_meant(host: str, nearest: str) -> None:
    """pure.cloud is the end of many."""
    offered = read_host(host).nearest("webmessaging")
    assert offered == nearest if nearest else "{region}" in offered


def test_guest_frames_on_a_channel_are_wanted_on_the_guest_socket() -> None:
    """The channel is not what is wanted."""
    channel = "wss://streaming.mypurecloud.de/channels/streaming-0-abc"
    (finding,) = diagnose(url=channel, first_frame=CONFIGURE).findings
    assert finding.rule == "channel.not-guest-socket"
    assert "channel is wanted" not in finding.what
    assert "webmessaging" in finding.next_step
    assert diagnose(url=channel, first_frame={"message": "ping"}).ok


@pytest.mark.parametrize(("number", "word"), [(999, "no lane"), (1006, "close code"), (4011, "frame code")])
def test_a_number_is_given_to_the_lane_it_is_of(number: int, word: str) -> None:
    """999 is of none."""
    finding = diagnose(http_status=number).findings[0]
    assert finding.rule == "number.status-vs-close-code"
    assert word in finding.what


def test_an_address_needs_its_scheme() -> None:
    """A tool such as wscat adds it by itself."""
    assert verdict(url=SOCKET.removeprefix("wss://")) == [("endpoint.not-guest-socket", "confirmed")]
    assert read(f"wscat -c '{SOCKET.removeprefix('wss://')}'") == []


@pytest.mark.parametrize(
    ("query", "word"),
    [
        (f"?a=b&amp;deploymentId={ID}", "&amp;"),
        (f"#deploymentId={ID}", "#"),
        (f"?a=b?deploymentId={ID}", "second ?"),
    ],
)
def test_a_slip_in_the_query_is_named(query: str, word: str) -> None:
    """And what is only missing is not called one."""
    finding = diagnose(url=BARE + query).findings[0]
    assert finding.rule == "upgrade.deployment-missing"
    assert word in finding.what
    assert word not in diagnose(url=BARE).findings[0].what


# -- what is known of the deployment ------------------------------------------


@pytest.mark.parametrize(
    ("facts", "rule"),
    [
        ({"deployment_status": "Inactive"}, "upgrade.deployment-unknown"),
        ({"headers": {"Origin": "https://evil.example"}, "allowed_domains": ["shop.example"]}, "upgrade.origin-not-allowed"),
        ({"allowed_domains": ["shop.example"]}, "upgrade.origin-not-allowed"),
        ({"deployment_status": "Active"}, ""), ({"allow_all_domains": True}, ""),
        ({"headers": {"Origin": "https://shop.example"}, "allowed_domains": ["shop.example"]}, ""),
        ({"headers": {"Origin": "https://evil.example"}, "allowed_domains": ["shop.example"], "http_status": 101}, ""),
    ],
)  # fmt: skip
def test_facts_that_were_looked_up_count_before_anything_failed(facts: dict[str, Any], rule: str) -> None:
    """Likely, because nothing was refused yet."""
    assert verdict(url=SOCKET, **facts) == ([(rule, "likely")] if rule else [])


@pytest.mark.parametrize("origin", ["shop.example", "https://shop.example/", "https://shop.example:8443"])
def test_an_origin_of_another_form_is_not_excluded(origin: str) -> None:
    """How it is compared is not documented; the form browsers send is."""
    facts = {"url": SOCKET, "http_status": 403, "allowed_domains": ["shop.example"]}
    loose = diagnose(**facts, headers={"Origin": origin}).findings[0]
    assert "excluded" not in loose.why
    assert origin.partition("//")[2][:8] in loose.what
    assert "excluded" in diagnose(**facts, headers={"Origin": "https://shop.example"}).findings[0].why


def test_a_bare_403_names_id_and_origin() -> None:
    """Without knowledge of the domains both stand in the first sentence."""
    finding = diagnose(url=SOCKET, http_status=403, headers={"Host": "h"}).findings[0]
    assert "without an Origin" in finding.what
    assert "unknown in this region" in finding.what


@pytest.mark.parametrize("value", ["{deploymentId}", "$DEP", "${DEP}"])
def test_a_variable_id_that_was_refused_is_not_called_unknown(value: str) -> None:
    """What went out is not seen; a mask hides one that is."""
    finding = diagnose(url=f"{BARE}?deploymentId={value}", http_status=403).findings[0]
    assert (finding.rule, finding.confidence) == ("upgrade.deployment-unknown", "likely")
    assert "not seen" in finding.what
    masked = diagnose(url=f"{BARE}?deploymentId=[masked:ab12cd34]", http_status=403).findings[0]
    assert "not seen" not in masked.what


# -- frames -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("later", "more", "fires"),
    [
        ({"action": "onMessage", "token": OTHER}, {}, True), ({"action": "onMessage"}, {}, True),
        ({"action": "onMessage", "token": TOKEN}, {}, False), ({"action": "echo"}, {}, False),
        ({"action": "onMessage", "token": "{token}"}, {}, False),
        ({"action": "onMessage", "token": "[masked:ab12cd34]"}, {}, False),
        ({"action": "onMessage", "token": OTHER}, {"frame": {"class": "StructuredMessage", "code": 200}}, False),
        ({"action": "onMessage", "token": OTHER}, {"frame": READY}, False),
        ({"action": "onMessage", "token": OTHER}, {"note": "Architect does not see the order number."}, False),
    ],
)  # fmt: skip
def test_a_later_frame_needs_the_configured_token(
    later: dict[str, Any], more: dict[str, Any], fires: bool
) -> None:
    """What was answered, or cannot be seen, is left in peace."""
    fired = verdict(
        url=SOCKET, first_frame=CONFIGURE, sent_frame={**later, "message": {"type": "Text"}}, **more
    )
    assert (("frame.session-not-configured", "confirmed") in fired) is fires


def test_a_token_is_remarked_on_where_the_server_calls_it_invalid() -> None:
    """Any string is a guest token otherwise."""
    refusal = {"type": "response", "class": "string", "code": 400, "body": "Invalid token"}
    hello = {**CONFIGURE, "token": "hello"}
    assert verdict(url=SOCKET, first_frame=hello, frame=refusal) == [("frame.wrong-first-frame", "likely")]
    assert verdict(url=SOCKET, first_frame=hello) == []
    assert verdict(url=SOCKET, first_frame=CONFIGURE, frame=refusal) == [("unexplained", "likely")]
    bearer = {**CONFIGURE, "token": "Bearer xyz12345"}
    assert verdict(url=SOCKET, first_frame=bearer)[0] == ("credential.oauth-on-guest-socket", "likely")


def test_a_silent_open_socket_lacks_configure_session() -> None:
    """Unless that was sent, or is spoken of."""
    facts = {"url": SOCKET, "http_status": 101, "note": "no message ever arrives"}
    assert verdict(**facts) == [("frame.session-not-configured", "likely")]
    assert ("frame.session-not-configured", "likely") not in verdict(**facts, first_frame=CONFIGURE)
    spoken = {**facts, "note": "I sent configureSession and no message ever arrives"}
    assert ("frame.session-not-configured", "likely") not in verdict(**spoken)


# -- the network in a program's words -----------------------------------------


@pytest.mark.parametrize(
    ("words", "step"),
    [
        ("curl: (6) Could not resolve host: webmessaging.mypurecloud.de", "dns"),
        ("socket.gaierror: [Errno -2] Name or service not known", "dns"), ("getaddrinfo ENOTFOUND x", "dns"),
        ("java.net.UnknownHostException: webmessaging.mypurecloud.de", "dns"),
        ("curl: (7) Failed to connect: Connection refused", "tcp"), ("connect ECONNREFUSED 1.2.3.4:443", "tcp"),
        ("ETIMEDOUT", "tcp"), ("TimeoutError: timed out during opening handshake", "cut"),
        ("curl: (60) SSL certificate problem: unable to get local issuer certificate", "tls"),
        ("[SSL: CERTIFICATE_VERIFY_FAILED] self signed certificate in certificate chain", "tls"),
        ("x509: certificate signed by unknown authority", "tls"), ("It works, the certificate is fine.", ""),
        ("the agent refused to answer", ""), ("net::ERR_BLOCKED_BY_CLIENT", "blocked"),
    ],
)  # fmt: skip
def test_a_programs_words_name_the_step(words: str, step: str) -> None:
    """Likely at best; and never where an answer came."""
    assert ended_at_by_words(words) == step
    if step in {"dns", "tcp", "tls"}:
        assert verdict(url=SOCKET, note=words) == [(f"network.{step}", "likely")]
        fired = verdict(url=SOCKET, note=words, http_status=403)
        assert f"network.{step}" not in [rule for rule, _ in fired]


def test_an_unknown_host_explains_better_than_its_failing_name() -> None:
    """The name was never there."""
    rules = verdict(url=SOCKET.replace("mypurecloud.de", "genesyscloud.com"), note="ENOTFOUND")
    assert rules[0][0] == "endpoint.unknown-host"
    assert "network.dns" not in [rule for rule, _ in rules]


def test_a_status_in_a_programs_words_counts_as_likely() -> None:
    """As it does where the same words were pasted below a command."""
    fired = verdict(url=SOCKET, note="Unexpected server response: 403")
    assert fired[0] == ("upgrade.deployment-unknown", "likely")
    assert verdict(url=BARE, note="Unexpected server response: 401")[0] == (
        "upgrade.deployment-missing",
        "confirmed",
    )
    assert {sure for _, sure in verdict(url=f"{BARE}?deploymentId=main", note="Unexpected server response: 403")} == {"likely"}  # fmt: skip


def _refusing_port() -> int:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        return int(closed.getsockname()[1])


def _step(name: str, host: str, proxy: Proxy | None = None) -> str:
    """What one step to a host found, after the resolution it needs."""

    async def go() -> str:
        dial = Dial(host, 443, log=Log(), proxy=proxy)
        found = await run_step("dns", dial.dns, log=Log())
        return (await run_step("tcp", dial.tcp, log=Log())).note if name == "tcp" else found.note

    return asyncio.run(go())


def test_a_proxy_that_is_not_there_is_named_as_the_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its name, its port; not the region's."""

    async def nobody(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    guest = "webmessaging.mypurecloud.de"
    refused = _step("tcp", guest, Proxy(host="127.0.0.1", port=_refusing_port()))
    assert refused.startswith("the proxy 127.0.0.1:")
    assert "refuses connections" in refused
    monkeypatch.setattr("guestlab.handshake.dialling._resolved", nobody)
    named = _step("dns", guest, Proxy(host="nosuch.invalid", port=3128))
    assert named.startswith("the proxy nosuch.invalid:3128")
    assert "a known region's host" in _step("dns", guest)
    assert "unknown region" not in _step("dns", guest)
    assert "unknown region" in _step("dns", "webmessaging.nowhere.example")


def test_the_finding_on_a_proxy_is_about_the_proxy() -> None:
    """And on a region's name about this machine's network."""
    facts = {"url": SOCKET, "session_ready": False}
    proxy = diagnose(
        **facts, failed_step="tcp", failed_note="the proxy p:1 is not reached: refused"
    ).findings[0]
    assert "proxy" in proxy.what
    assert "go straight" in proxy.next_step
    name = diagnose(**facts, failed_step="dns", failed_note="it was not resolved").findings[0]
    assert "one of Genesys Cloud's" in name.next_step


def test_nothing_is_confirmed_where_nothing_came_back() -> None:
    """A TLS port spoken to without TLS, and no deployment id."""
    facts = {
        "url": "ws://127.0.0.1:1/v1",
        "failed_step": "upgrade",
        "failed_note": "not HTTP",
        "session_ready": False,
    }
    fired = dict(verdict(**facts))
    assert fired["network.not-http"] == "confirmed"
    assert fired["upgrade.deployment-missing"] == "likely"


# -- hints --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        ({"url": SOCKET, "http_status": 400}, "HTTP/2"), ({"url": SOCKET, "http_status": 200}, "ordinary answer"),
        ({"url": "https://login.mypurecloud.de/oauth/token", "method": "GET", "http_status": 405}, "POST"),
        ({"url": "https://login.mypurecloud.de/oauth/authorize?client_id=i", "http_status": 400,
          "body": "redirect_uri mismatch"}, "redirect_uri"),
        ({"url": "https://api.mypurecloud.de/api/v2/webdeployments/deployments", "method": "GET", "http_status": 403,
          "body": '{"message": "You must have the following permission(s): webDeployments:deployment:view"}'},
         "webDeployments:deployment:view"),
    ],
)  # fmt: skip
def test_an_unexplained_answer_says_what_it_points_to(facts: dict[str, Any], word: str) -> None:
    """A hint, no verdict."""
    (finding,) = diagnose(**facts).findings
    assert finding.rule == "unexplained"
    assert word in finding.why


def test_each_refusal_of_an_inbound_call_has_its_own_advice() -> None:
    """The body, the token, the id."""
    url = f"https://api.mypurecloud.de/api/v2/conversations/messages/{ID}/inbound/open/message"
    found = {
        status: diagnose(url=url, method="POST", http_status=status).findings[0] for status in (400, 401, 404)
    }
    assert {finding.rule for finding in found.values()} == {"product.open-messaging"}
    assert len({finding.next_step for finding in found.values()}) == 3
    assert diagnose(url=url, method="POST", http_status=202).ok


# -- HAR, comparison ----------------------------------------------------------


def _har(status: int, error: str | None = None, messages: tuple[tuple[str, Any], ...] = ()) -> dict[str, Any]:
    response = {"status": status, "headers": [], "content": {}, **({"_error": error} if error else {})}
    frames = [{"type": kind, "time": number, "opcode": 1, "data": json.dumps(data)}
              for number, (kind, data) in enumerate(messages)]  # fmt: skip
    entry = {"request": {"method": "GET", "url": SOCKET, "headers": []}, "response": response,
             "_resourceType": "websocket", "_webSocketMessages": frames}  # fmt: skip
    return {"log": {"version": "1.2", "entries": [entry]}}


@pytest.mark.parametrize(
    ("error", "rule"),
    [
        ("net::ERR_CONNECTION_REFUSED", "network.tcp"), ("net::ERR_CERT_AUTHORITY_INVALID", "network.tls"),
        ("net::ERR_NAME_NOT_RESOLVED", "network.dns"), ("net::ERR_BLOCKED_BY_CLIENT", "unexplained"),
        ("net::ERR_SOMETHING_NEW", "unexplained"),
    ],
)  # fmt: skip
def test_a_browsers_error_is_never_ok(error: str, rule: str) -> None:
    """Unless frames crossed the socket."""
    assert diagnose_har(_har(0, error))[0].rules == (rule,)
    assert diagnose_har(_har(0, None, (("send", CONFIGURE), ("receive", READY))))[0].ok


def test_a_stray_token_in_a_har_is_found() -> None:
    """What was answered, or configured anew, is none."""
    stray = {
        "action": "onMessage",
        "token": OTHER,
        "tracingId": "2",
        "message": {"type": "Text", "text": "x"},
    }
    opening = (("send", CONFIGURE), ("receive", READY))
    echoed = {"type": "message", "class": "StructuredMessage", "code": 200, "tracingId": "2"}
    found = diagnose_har(
        _har(101, None, (*opening, ("send", stray), ("send", {"action": "echo", "token": TOKEN})))
    )
    assert found[0].rules == ("frame.session-not-configured",)
    assert diagnose_har(_har(101, None, (*opening, ("send", stray), ("receive", echoed))))[0].ok
    anew = (*opening, ("send", {**CONFIGURE, "token": OTHER}), ("receive", READY), ("send", stray))
    assert diagnose_har(_har(101, None, anew))[0].ok


def test_words_are_no_request_line_and_nothing_is_no_text() -> None:
    """What is compared is named as it is."""
    (words,) = sides(("b", "hello world"))
    assert [part.what for part in words.parts] == ["line 1"]
    (request,) = sides(("a", "post /v1"))
    assert request.parts[0].what == "method"
    with pytest.raises(InputError, match="compared") as refused:
        compare(("a", "GET /v1 HTTP/1.1"), "")
    assert "empty" in str(refused.value)
