"""What programs others wrote need of a server, as far as no other test shows it.

Found by driving seventeen of them: vendor SDKs in Python, JavaScript and Java, testers, bot connectors, generic
WebSocket clients, a browser.
"""

from __future__ import annotations

import json
import socket
import ssl
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from websockets.sync.client import connect

from guestlab.sandbox import Sandbox

from .conftest import Guest, raw, upgrade_request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HOSTS = ("api", "login", "webmessaging", "streaming", "api-cdn", "apps")
ORIGIN = "https://shop.example"


@pytest.fixture
def tls() -> Iterator[Sandbox]:
    """A sandbox with both ports."""
    with Sandbox(tls=True, bot=False) as sandbox:
        yield sandbox


def _trust(sandbox: Sandbox) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(sandbox.ca_file))


def _everything(guest: Guest, *texts: str) -> list[dict[str, Any]]:
    """All frames that answer these words."""
    for text in texts:
        guest.send("onMessage", message={"type": "Text", "text": text})
    frames: list[dict[str, Any]] = []
    tracing_id = guest.send("getConfiguration", deploymentId=guest.deployment_id)
    while not frames or frames[-1].get("tracingId") != tracing_id:
        frames.append(guest.receive())
    return frames[:-1]


SHOW = ("menu", "quick replies", "card", "carousel", "list", "dates", "form", "file", "anything else")


# -- transport --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("secure", [False, True])
def test_every_address_handed_out_follows_scheme_and_host(tls: Sandbox, secure: bool) -> None:
    """By service name or as one origin, on the plaintext port or over TLS (items 1 to 4)."""
    port = tls.tls_port if secure else tls.http_port
    scheme = "https" if secure else "http"
    socket_scheme = "wss" if secure else "ws"
    token = tls.world.issue_token(tls.world.client).value
    with httpx.Client(
        base_url=f"{scheme}://127.0.0.1:{port}", verify=_trust(tls) if secure else True, trust_env=False
    ) as http:
        http.headers["Authorization"] = f"Bearer {token}"
        for named in (True, False):

            def host(label: str, named: bool = named) -> str:
                return f"{label}.localhost:{port}" if named else f"127.0.0.1:{port}"

            config = http.get(
                f"/webdeployments/v1/deployments/{tls.deployment_id}/config.json",
                headers={"Host": host("api-cdn")},
            ).json()
            assert config["apiEndpoint"] == f"{scheme}://{host('api')}"
            endpoint = config["messenger"]["apps"]["conversations"]["messagingEndpoint"]
            assert endpoint == f"{socket_scheme}://{host('webmessaging')}"
            channel = http.post("/api/v2/notifications/channels", headers={"Host": host("api")}).json()
            assert channel["connectUri"].startswith(f"{socket_scheme}://{host('streaming')}/channels/")
            metadata = http.get("/.well-known/oauth-authorization-server", headers={"Host": host("login")})
            assert metadata.json()["token_endpoint"] == f"{scheme}://{host('login')}/oauth/token"


def test_the_certificate_lists_every_name_and_h2_is_not_offered(tls: Sandbox) -> None:
    """Node takes no wildcard under one label; a client that would like h2 gets HTTP/1.1 (item 4)."""
    context = _trust(tls)
    context.set_alpn_protocols(["h2", "http/1.1"])
    for name in (*(f"{host}.localhost" for host in HOSTS), "localhost", "127.0.0.1"):
        with (
            socket.create_connection(("127.0.0.1", tls.tls_port)) as link,
            context.wrap_socket(link, server_hostname=name) as secured,
        ):
            assert secured.selected_alpn_protocol() == "http/1.1"


def test_an_upgrade_may_look_as_real_clients_make_it(sandbox: Sandbox) -> None:
    """Content-Length: 0, a deploymentId header, further query parameters, any Origin or none (item 6)."""
    path = f"/v1?deploymentId={sandbox.deployment_id}"
    cases = (
        (path, ("Content-Length: 0", f"deploymentId: {sandbox.deployment_id}")),
        (f"{path}&application=web-messaging-sdk-java", ()),
        (path, (f"Origin: {ORIGIN}",)),
        (path, ()),
        (path, ("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",)),
        (path, ("Sec-WebSocket-Protocol: chat, superchat",)),
    )
    for target, headers in cases:
        answer = raw(sandbox.http_port, upgrade_request(target, *headers)).decode().lower()
        assert answer.startswith("http/1.1 101")
        assert "s3pplmbitxaq9kygzzhzrbk+xoo=" in answer
        assert "sec-websocket-extensions" not in answer  # compression is never agreed to
        assert "sec-websocket-protocol" not in answer  # nothing the sandbox does not speak


@pytest.mark.parametrize("compression", [None, "deflate"])
def test_a_conversation_is_the_same_whether_compression_was_offered(
    sandbox: Sandbox, compression: str | None
) -> None:
    """Optional both ways (item 7)."""
    url = f"ws://127.0.0.1:{sandbox.http_port}/v1?deploymentId={sandbox.deployment_id}"
    with connect(url, proxy=None, compression=compression) as link:
        frame = {"action": "configureSession", "deploymentId": sandbox.deployment_id, "token": "t" * 36}
        link.send(json.dumps(frame))
        assert json.loads(link.recv(5))["class"] == "SessionResponse"


def test_the_socket_answers_a_close_without_a_status(sandbox: Sandbox) -> None:
    """As the JavaScript tester closes: 1005 in the log, and a close frame back (item 7)."""
    with socket.create_connection(("127.0.0.1", sandbox.http_port), timeout=5) as link:
        link.sendall(upgrade_request(f"/v1?deploymentId={sandbox.deployment_id}"))
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            answer += link.recv(4096)
        link.sendall(b"\x88\x80\x00\x00\x00\x00")
        assert link.recv(4096)[:1] == b"\x88"
        assert link.recv(4096) == b""
    while sandbox.backend_log[-1].what != "socket closed":
        time.sleep(0.005)
    assert sandbox.backend_log[-1].status == 1005


def test_frames_are_text_and_small(sandbox: Sandbox, guests: Callable[..., Guest]) -> None:
    """A Java client loses 40 kB messages and binary frames; the richest content stays far below (item 8)."""
    guest = guests()
    for text in SHOW:
        guest.send("onMessage", message={"type": "Text", "text": text})
        tracing_id = guest.send("getConfiguration", deploymentId=guest.deployment_id)
        while True:
            frame = guest.socket.recv(5)
            assert isinstance(frame, str)
            assert len(frame.encode()) < 16_384
            if json.loads(frame).get("tracingId") == tracing_id:
                break


BROWSED = (
    ("GET", "/webdeployments/v1/deployments/{deployment}/config.json"),
    ("GET", "/webdeployments/v1/deployments/unknown/config.json"),
    ("GET", "/api/v2/webmessaging/messages"),
    ("POST", "/oauth/token"),
    ("GET", "/api/v2/tokens/me"),
    ("POST", "/api/v2/notifications/channels"),
    ("GET", "/api/v2/conversations/00000000-0000-4000-8000-000000000001"),
    ("POST", "/api/v2/webdeployments/token/oauthcodegrantjwtexchange"),
    ("PUT", "/upload/some-key"),
    ("GET", "/api/v2/downloads/some-key"),
    ("GET", "/api/v2/no/such/path"),
)


@pytest.mark.parametrize(("method", "path"), BROWSED)
def test_a_browser_may_ask_and_read_everything_it_touches(
    sandbox: Sandbox, http: httpx.Client, method: str, path: str
) -> None:
    """The preflight, and the origin header on answers of every kind, refusals too (item 9)."""
    path = path.format(deployment=sandbox.deployment_id)
    wanted = "authorization,content-type,x-amz-tagging,x-amz-server-side-encryption"
    asked = http.options(
        path,
        headers={
            "Origin": ORIGIN,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": wanted,
        },
    )
    assert asked.status_code in {200, 204}
    assert asked.headers["Access-Control-Allow-Origin"] in {"*", ORIGIN}
    allowed = {part.strip().lower() for part in asked.headers["Access-Control-Allow-Headers"].split(",")}
    assert set(wanted.split(",")) <= allowed
    assert method in asked.headers["Access-Control-Allow-Methods"]
    reply = http.request(method, path, headers={"Origin": ORIGIN})
    assert reply.headers["Access-Control-Allow-Origin"] in {"*", ORIGIN}


# -- OAuth and REST ----------------------------------------------------------------------------------------


def test_a_get_may_say_it_is_json_and_bearer_may_be_lower_case(api: httpx.Client) -> None:
    """As the SDKs send it (item 11)."""
    value = api.headers["Authorization"].split()[1]
    headers = {"Authorization": f"bearer {value}", "Content-Type": "application/json"}
    assert api.get("/api/v2/tokens/me", headers=headers).status_code == 200


def test_a_lost_conversation_is_told_as_the_tester_reads_it(api: httpx.Client) -> None:
    """A string, the code `not.found` and a numeric status (item 12)."""
    body = api.get("/api/v2/conversations/messages/unknown/details").json()
    assert isinstance(body["message"], str)
    assert (body["code"], body["status"]) == ("not.found", 404)


def test_every_frame_of_a_conversation_can_be_looked_up(
    sandbox: Sandbox, api: httpx.Client, guests: Callable[..., Guest]
) -> None:
    """By the body's id and by the channel's message id, events included, from the very first (item 18)."""
    guest = guests()
    guest.event("Presence", "Join")
    frames = _everything(guest, "hello")
    guest.event("Typing", "On")
    seen = 0
    for frame in frames:
        if frame["class"] != "StructuredMessage":
            continue
        ids = [frame["body"]["id"], frame["body"]["channel"].get("messageId")]
        for identifier in filter(None, ids):
            found = api.get(f"/api/v2/conversations/messages/{identifier}/details")
            assert found.status_code == 200
            assert found.json()["id"] == frame["body"]["id"]
            seen += 1
    assert seen > 3


# -- the guest's socket ---------------------------------------------------------------------------------------


def test_every_message_frame_has_what_clients_take_for_granted(
    sandbox: Sandbox, guests: Callable[..., Guest]
) -> None:
    """Id, direction, a time that never goes back, a type, code 200; events included (items 20 and 21)."""
    with Sandbox(limits=None) as free:
        guest = Guest(free, configure=False)
        first = guest.configure()
        assert (first["class"], first["body"]["newSession"]) == ("SessionResponse", True)
        again = Guest(free, token=guest.token)
        assert again.session["newSession"] is False
        again.close()
        times = []
        for frame in _everything(guest, *SHOW, "typing"):
            assert frame["code"] == 200
            if frame["class"] == "StructuredMessage":
                body = frame["body"]
                assert frame["type"] == "message"
                assert isinstance(body["id"], str)
                assert body["direction"] in {"Inbound", "Outbound"}
                assert isinstance(body["type"], str)
                times.append(body["channel"]["time"])
        assert times == sorted(times)
        assert len(times) > len(SHOW)
        guest.close()


def test_an_echo_keeps_everything_and_comes_before_any_other_text(
    sandbox: Sandbox, guests: Callable[..., Guest]
) -> None:
    """Unicode, metadata and tracingId; no error frame comes unasked (items 22 and 23)."""
    guest = guests()
    text = "Grüße aus 東京 🙂 \u202e"
    message = {"type": "Text", "text": text, "metadata": {"k": "v", "ü": "ö"}}
    tracing_id = guest.send("onMessage", message=message)
    first = guest.receive()
    assert first["tracingId"] == tracing_id
    body = first["body"]
    assert (body["text"], body["direction"]) == (text, "Inbound")
    assert {"k": "v", "ü": "ö"}.items() <= body["metadata"].items()
    assert {frame["code"] for frame in _everything(guest, "hello")} == {200}


def test_custom_attributes_may_stand_in_both_places(guests: Callable[..., Guest]) -> None:
    """Beside the message and in it: accepted, never answered with an error (item 24)."""
    guest = guests()
    channel = {"metadata": {"customAttributes": {"tier": "gold"}}}
    for message, beside in (
        ({"type": "Text", "text": "a"}, channel),
        ({"type": "Text", "text": "b", "channel": channel}, None),
        ({"type": "Text", "text": "c", "channel": channel}, channel),
    ):
        fields = {"message": message} | ({"channel": beside} if beside else {})
        assert guest.ask("onMessage", **fields)["code"] == 200
