"""Clients that dribble, say too much or hang up halfway: each is cut, and everybody else is served."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING

import pytest
from websockets.exceptions import ConnectionClosedError

from guestlab.bench.flood import flood
from guestlab.sandbox import wire
from guestlab.sandbox.calls import BODY_LIMIT
from guestlab.sandbox.wire import LARGEST_FRAME

from .conftest import Guest, raw, upgrade_request

if TYPE_CHECKING:
    from guestlab.sandbox import Sandbox

HALVES = {
    "nothing": b"",
    "half a head": b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ",
    "half a body": b"POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\ngrant_type=",
    "half a chunk": b"POST /oauth/token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc",
    "half of a second request": b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: ",
    "half an upgrade": upgrade_request("/v1")[:-2],
}


def _until_cut(link: socket.socket) -> bytes:
    """Dribble until the other side has had enough; return what it said."""
    said = b""
    link.settimeout(0.05)
    for _ in range(400):
        with contextlib.suppress(TimeoutError):
            try:
                link.send(b"a")
                part = link.recv(65536)
            except (ConnectionResetError, BrokenPipeError):
                return said
            if not part:
                return said
            said += part
    pytest.fail("the connection was never cut")


@pytest.mark.parametrize("half", HALVES.values(), ids=HALVES.keys())
def test_a_request_that_dribbles_is_cut_and_a_guest_goes_on(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, half: bytes
) -> None:
    """Byte by byte, head or body: a deadline holds for the whole of a request."""
    monkeypatch.setattr(wire, "SLOWEST_REQUEST", 0.3)
    guest = Guest(sandbox)
    with socket.create_connection(("127.0.0.1", sandbox.http_port), timeout=10) as link:
        link.sendall(half)
        _until_cut(link)
        assert guest.say("still here")["code"] == 200, "an open guest socket is no request that dribbles"
    guest.close()


def test_a_body_that_is_too_large_is_refused_before_it_is_whole(sandbox: Sandbox) -> None:
    """Nobody can make the sandbox hold more than its limit."""
    lines = ["POST /oauth/token HTTP/1.1", "Host: x", "Content-Type: application/x-www-form-urlencoded"]
    head = "\r\n".join([*lines, f"Content-Length: {10**12}", "", ""]).encode()
    with socket.create_connection(("127.0.0.1", sandbox.http_port), timeout=10) as link:
        link.sendall(head)
        with contextlib.suppress(OSError):
            for _ in range(BODY_LIMIT // 65536 + 8):
                link.sendall(b"a" * 65536)
        with contextlib.suppress(ConnectionResetError):
            assert link.recv(65536).startswith(b"HTTP/1.1 413 ")
    assert raw(sandbox.http_port, upgrade_request("/v1")).startswith(b"HTTP/1.1 401")


def test_a_frame_that_is_too_large_closes_its_socket_alone(sandbox: Sandbox) -> None:
    """With 1009, as RFC 6455 section 7.4.1 has it."""
    big, small = Guest(sandbox), Guest(sandbox)
    big.socket.send("a" * (LARGEST_FRAME + 1))
    with pytest.raises(ConnectionClosedError) as caught:
        big.socket.recv(10)
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1009
    assert small.say("I am fine")["code"] == 200
    big.close()
    small.close()


def test_a_flood_of_rubbish_leaves_two_guests_talking_apart() -> None:
    """A few hundred of what `python -m guestlab.bench flood` sends ten thousand of."""
    outcome = flood(requests=400, seed=7)
    assert outcome.met, outcome
