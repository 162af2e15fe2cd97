"""The upgrade: a plain 101 is checked at a glance, everything else is judged by the library; all is recorded."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, Any, NoReturn
from uuid import uuid4

import pytest
from websockets.utils import accept_key

from guestlab import errors
from guestlab.lab import Lab
from guestlab.link import Link
from guestlab.log import Log
from guestlab.sandbox import Sandbox
from guestlab.session import GuestSession
from guestlab.upgrade import _accepts
from tests.scenario import run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # RFC 6455, section 1.3
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
HELLO = b"\x81\x05hello"


def _answer(accept: str, *lines: str, first: str = "HTTP/1.1 101 Switching Protocols") -> bytes:
    upgrade = ("Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Accept: {accept}")
    return "\r\n".join((first, *(lines or upgrade), "", "")).encode("latin-1")


@contextlib.asynccontextmanager
async def _server(answer: Callable[[str, bytes], list[bytes]]) -> AsyncIterator[str]:
    """Answer each upgrade with some segments, made of what must be accepted and the request; then close."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        key = request.split(b"Sec-WebSocket-Key: ")[1].split(b"\r\n")[0].decode()
        for segment in answer(accept_key(key), request):
            writer.write(segment)
            await writer.drain()
            await asyncio.sleep(0)
        with contextlib.suppress(OSError):
            writer.close()
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server, asyncio.timeout(20):
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1?deploymentId=d"


def _opened(answer: Callable[[str, bytes], list[bytes]], **options: Any) -> tuple[list[Any], Log]:
    """Open a link, read it to its end; return what came and the log."""
    log, got = Log(), list[Any]()

    async def scenario() -> None:
        async with _server(answer) as url:
            options.setdefault("origin", None)
            link = await Link.open(url, ca_file=None, log=log, session="s", **options)
            await link.read(got.append)

    run(scenario())
    return got, log


@pytest.mark.parametrize(
    "lines",
    [
        (),
        ("upgrade: WebSocket", "connection: upgrade", f"sec-websocket-accept: {ACCEPT}"),
        ("Date: today", "Connection: Upgrade", "Upgrade: websocket", f"Sec-WebSocket-Accept: {ACCEPT}"),
    ],
)
def test_a_plain_101_is_accepted_at_a_glance(lines: tuple[str, ...]) -> None:
    """Names and words without case, in any order, among others."""
    assert _accepts(_answer(ACCEPT, *lines), accept_key(KEY).encode())


@pytest.mark.parametrize(
    "answer",
    [
        _answer(ACCEPT.lower()),
        _answer(ACCEPT, first="HTTP/1.1 200 OK"),
        _answer(ACCEPT, first="HTTP/1.0 101 Switching Protocols"),
        _answer(ACCEPT, "Upgrade: websocket", f"Sec-WebSocket-Accept: {ACCEPT}"),
        _answer(ACCEPT, "Connection: Upgrade", f"Sec-WebSocket-Accept: {ACCEPT}"),
        _answer(ACCEPT, "Upgrade: websocket", "Connection: Upgrade"),
        _answer(ACCEPT, "Upgrade: h2c", "Connection: Upgrade", f"Sec-WebSocket-Accept: {ACCEPT}"),
        *(
            _answer(
                ACCEPT, "Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Accept: {ACCEPT}", line
            )
            for line in (
                "Sec-WebSocket-Extensions: permessage-deflate",
                "Sec-WebSocket-Protocol: chat",
                "Upgrade: websocket",
                " folded: line",
                "no colon",
                "tight:colon",
                "nul: \x00",
            )
        ),
    ],
)
def test_every_other_answer_is_left_to_the_library(answer: bytes) -> None:
    """Which accepts some of them."""
    assert not _accepts(answer, accept_key(KEY).encode())


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize(
    "extra", [(), ("Connection: keep-alive, Upgrade", "Upgrade: websocket")], ids=["glance", "library"]
)
def test_an_accepted_link_hands_on_what_comes_behind_the_answer(size: int, extra: tuple[str, ...]) -> None:
    """However it is cut, by either way of judging it."""

    def answer(accept: str, _: bytes) -> list[bytes]:
        lines = (*extra, f"Sec-WebSocket-Accept: {accept}") if extra else ()
        data = _answer(accept, *lines) + HELLO
        return [data[place : place + size] for place in range(0, len(data), size)]

    got, log = _opened(answer)
    assert got == ["hello"]
    accepted = log.entries[2]
    assert (accepted.http_status, accepted.ok, accepted.exchange) == (101, True, 2)
    assert (accepted.raw or "").startswith("HTTP/1.1 101 Switching Protocols\r\n")


def test_the_request_is_what_the_library_would_write() -> None:
    """The same lines, and the origin among them."""
    seen: list[bytes] = []
    _opened(lambda accept, request: [seen.append(request) or _answer(accept)], origin="https://a.example")  # type: ignore[func-returns-value,list-item]
    first, *lines = seen[0].decode().split("\r\n")
    assert first == "GET /v1?deploymentId=d HTTP/1.1"
    fields = dict(line.split(": ", 1) for line in lines if line)
    assert fields.pop("Host").startswith("127.0.0.1:")
    assert len(fields.pop("Sec-WebSocket-Key")) == 24
    assert fields == {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "User-Agent": "guestlab",
        "Origin": "https://a.example",
    }


def test_a_refusal_is_recorded_with_its_body() -> None:
    """One request, one answer, and the error names the status."""
    log = Log()

    async def scenario() -> None:
        body = [b"HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\n\r\nnot y", b"ou !"]
        async with _server(lambda *_: body) as url:
            await Link.open(url, origin=None, ca_file=None, log=log, session="s")

    with pytest.raises(errors.HandshakeError) as refusal:
        run(scenario())
    assert refusal.value.http_status == 403
    _, request, response = log.entries
    assert (request.kind, response.exchange) == ("request", request.seq)
    assert (response.http_status, response.ok, response.size) == (403, False, 9)
    assert (response.raw or "").endswith("\r\n\r\nnot you !")


@pytest.mark.parametrize(
    "answer",
    [[], [b"HTTP/1.1 101 Switch"], [b"SSH-2.0-OpenSSH\r\n\r\n"], [b"x" * 20_000]],
    ids=["nothing", "half", "ssh", "endless"],
)
def test_what_is_no_answer_is_an_error_that_says_so(answer: list[bytes]) -> None:
    """The request stands in the log, and what became of it."""
    log = Log()

    async def scenario() -> None:
        async with _server(lambda *_: answer) as url:
            await Link.open(url, origin=None, ca_file=None, log=log, session="s")

    with pytest.raises(errors.NetworkError, match="could not be reached"):
        run(scenario())
    _, request, nothing = log.entries
    assert nothing.exchange == request.seq
    assert (nothing.ok, nothing.http_status) == (False, None)
    assert "No answer" in (nothing.note or "")


def test_a_wrong_key_in_a_101_is_an_answer_but_no_socket() -> None:
    """It is recorded as it came."""
    log = Log()

    async def scenario() -> None:
        async with _server(lambda *_: [_answer(ACCEPT)]) as url:
            await Link.open(url, origin=None, ca_file=None, log=log, session="s")

    with pytest.raises(errors.NetworkError):
        run(scenario())
    assert [(entry.http_status, entry.ok) for entry in log.entries][-1] == (101, False)
    assert len(log.entries) == 3


def test_a_redirect_is_followed() -> None:
    """By the library, which asks again first; everything asked and answered is recorded."""

    def answer(accept: str, request: bytes) -> list[bytes]:
        if b"GET /moved" in request:
            return [_answer(accept) + HELLO]
        return [b"HTTP/1.1 307 Temporary Redirect\r\nLocation: /moved\r\nContent-Length: 0\r\n\r\n"]

    log, got = Log(), list[Any]()

    async def scenario() -> None:
        async with _server(answer) as url:
            link = await Link.open(url, origin=None, ca_file=None, log=log, session="s")
            await link.read(got.append)

    run(scenario())
    assert got == ["hello"]
    assert [entry.http_status for entry in log.entries if entry.kind == "response"] == [307, 307, 101]


def test_the_log_keeps_the_order_of_the_wire() -> None:
    """The answer to the upgrade is recorded behind the first frame's departure, but stands before it."""
    with Sandbox(limits=None, bot=None) as sandbox:
        log = Log()

        async def scenario() -> None:
            session = GuestSession(sandbox.region, sandbox.deployment_id, log=log, limits=None)
            async with session:
                await session.send("hello")

        run(scenario())
    first = list(log.entries)[:5]
    assert [(entry.kind, entry.direction) for entry in first] == [
        ("lifecycle", None),
        ("request", "sent"),
        ("response", "received"),
        ("frame", "sent"),
        ("frame", "received"),
    ]
    times = [entry.monotonic_ns for entry in first]
    assert times == sorted(times)
    assert first[4].exchange == first[3].seq
    assert first[2].exchange == first[1].seq
    assert (first[4].latency_ms or 0) > 0


def test_an_origin_that_is_no_header_is_refused() -> None:
    """A line end in it would be another header."""

    async def scenario() -> None:
        await Link.open(
            "ws://127.0.0.1:9/", origin="https://a\r\nCookie: b", ca_file=None, log=Log(), session="s"
        )

    with pytest.raises(errors.InputError, match="origin"):
        run(scenario())


def test_a_known_name_that_is_not_resolved_has_one_cause_whoever_asks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A session, a REST call and an attempt say the same: the name is not doubted."""

    def unresolved(*_: Any, **__: Any) -> NoReturn:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unresolved)
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    with Lab("mypurecloud.de", deployment_id=str(uuid4()), client_id="a", client_secret="b") as lab:
        (attempt,) = (
            finding for finding in lab.handshake().diagnosis.findings if finding.rule == "network.dns"
        )
        with pytest.raises(errors.NetworkError) as session:
            lab.session(auto_start=False)
        with pytest.raises(errors.NetworkError) as token:
            lab.token()
    assert "though it is a known region's host" in attempt.why
    assert session.value.why == attempt.why.replace("login.", "webmessaging.")
    assert token.value.why == attempt.why.replace("webmessaging.", "login.")
    assert session.value.next_step == token.value.next_step == attempt.next_step
