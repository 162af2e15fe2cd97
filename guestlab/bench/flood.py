"""Malformed requests and upgrades, very many, while two guests talk: it serves on, and leaks nothing.

From a seed: requests and upgrades cut, strewn and overwritten; heads, bodies and frames too large; heads and
bodies that dribble; connections that are opened and left, or closed on one side; rubbish after a right
upgrade. Whatever comes back is searched for what the two guests say and for their tokens; in between each
says something, and must hear itself and never the other.
"""

from __future__ import annotations

import contextlib
import json
import random
import socket
import time
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

from websockets.sync.client import connect

from guestlab.bench import Outcome
from guestlab.bench.fuzz import mutated
from guestlab.sandbox import Sandbox

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

__all__ = ["flood"]

PROMISE = "the sandbox goes on serving; nothing leaks between sessions"

_LEFT_OPEN = 200
"""Connections that stay open, half said."""
_BETWEEN = 50
"""Malformed requests between two words of the guests."""
_MOST_MEGABYTES = 64
"""What the process may grow by; each connection costs some kilobytes, and some stay open."""
_UPGRADE = (
    b"GET /v1?deploymentId=%s HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
_REQUESTS = (
    (
        b"POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        b"Content-Length: 29\r\n\r\ngrant_type=client_credentials"
    ),
    b"GET /api/v2/webmessaging/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a.b.c\r\n\r\n",
    b"GET /api/v2/conversations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer abc\r\n\r\n",
    b"PUT /upload/abc HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    b"POST /sandbox/reset HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\n\r\n{}",
)
_PIECES = (
    b"\0",
    b"\r\n",
    b"\r\n\r\n",
    b"\xff\xfe",
    b"%00",
    b"HTTP/9.9",
    b": ",
    b"A" * 70_000,
    b"-1",
    b"Content-Length: 99999999999999999999\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Expect: 100-continue\r\n",
)
_FRAMES = (
    b"\x81\x05hello",
    b"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\xc1\x80\0\0\0\0",
    b"\x88\x81\0\0\0\0a",
    b"\x81\xfe\xff\xff\0\0\0\0" + b"[" * 65_535,
    b"\x01\x82\0\0\0\0{}",
    b"\x80\x80\0\0\0\0",
    b"\x81\x82\0\0\0\0{}",
    b"\x89\xfe\x01\x00\0\0\0\0" + b"p" * 256,
)


def flood(*, requests: int = 10_000, seed: int = 0) -> Outcome:
    """Send so many malformed requests and upgrades.

    Args:
        requests: How many.
        seed: Decides every byte.
    """
    started, source = time.monotonic(), random.Random(seed)  # noqa: S311 - no secret
    with Sandbox(seed=seed, bot=False, limits=None) as sandbox, contextlib.ExitStack() as stack:
        guests = [stack.enter_context(_Guest.of(sandbox, name, source)) for name in ("Ada", "Bob")]
        secrets = [sandbox.client_secret.encode(), sandbox.control_key.encode()]
        secrets += [secret for guest in guests for secret in (guest.token.encode(), guest.word.encode())]
        rubbish = _Rubbish(sandbox.http_port, sandbox.deployment_id, source)
        stack.callback(rubbish.close)
        before, served, leaks = _megabytes(), 0, 0
        for number in range(requests):
            answer = rubbish.send()
            leaks += any(secret in answer for secret in secrets)
            if number % _BETWEEN == 0:
                served += sum(guest.says_and_hears(number) for guest in guests)
        served += sum(guest.says_and_hears(requests) for guest in guests)
        leaks += sum(other.word in heard for guest, other in (guests, guests[::-1]) for heard in guest.heard)
        grown = _megabytes() - before
    wanted = 2 * (len(range(0, requests, _BETWEEN)) + 1)
    return Outcome(
        name="flood",
        promise=f"{requests:,} malformed requests and upgrades: {PROMISE}",
        met=served == wanted and not leaks and grown < _MOST_MEGABYTES,
        facts={
            "seed": seed,
            "sent": f"{requests:,}",
            **rubbish.counts,
            "words of guests answered": f"{served} of {wanted}",
            "answers with something of another's": leaks,
            "memory grown by": f"{grown:.0f} MB",
            "seconds": round(time.monotonic() - started, 1),
        },
    )


class _Guest(NamedTuple):
    """A guest who goes on talking."""

    socket: ClientConnection
    token: str
    word: str
    """What only this guest says."""
    heard: list[str]

    @classmethod
    @contextlib.contextmanager
    def of(cls, sandbox: Sandbox, name: str, source: random.Random) -> Any:
        """Open a session."""
        token = f"{source.getrandbits(32):08x}-0000-4000-8000-{source.getrandbits(48):012x}"
        url = f"ws://127.0.0.1:{sandbox.http_port}/v1?deploymentId={sandbox.deployment_id}"
        with connect(url, proxy=None, compression=None, max_queue=None) as link:
            guest = cls(link, token, f"{name}-{source.getrandbits(64):016x}", [])
            link.send(
                json.dumps(
                    {"action": "configureSession", "deploymentId": sandbox.deployment_id, "token": token}
                )
            )
            guest.heard.append(str(link.recv(10)))
            yield guest

    def says_and_hears(self, number: int) -> bool:
        """Say one thing, and tell whether its answer came."""
        text = f"{self.word} {number}"
        message = {"type": "Text", "text": text}
        frame = {"action": "onMessage", "token": self.token, "tracingId": str(number), "message": message}
        with contextlib.suppress(OSError, TimeoutError):
            self.socket.send(json.dumps(frame))
            while True:
                self.heard.append(str(self.socket.recv(10)))
                if text in self.heard[-1]:
                    return True
        return False


class _Rubbish:
    """Sends one malformed thing after the other."""

    def __init__(self, port: int, deployment_id: str, source: random.Random) -> None:
        self._port, self._source = port, source
        self._upgrade = _UPGRADE % deployment_id.encode()
        self._left: deque[socket.socket] = deque()
        self.counts = {"requests": 0, "upgrades": 0, "frames after an upgrade": 0, "left half said": 0}

    def send(self) -> bytes:
        """Send one; return what came back at once."""
        source, kind = self._source, self._source.randrange(8)
        link = socket.create_connection(("127.0.0.1", self._port), timeout=10)
        if kind == 0:
            return self._leave(link)
        with link:
            if kind == 1:
                return self._after_upgrade(link)
            is_upgrade = kind < 5
            self.counts["upgrades" if is_upgrade else "requests"] += 1
            data = self._upgrade if is_upgrade else source.choice(_REQUESTS)
            data = mutated(data, (*_REQUESTS, self._upgrade), source, _PIECES)
            with contextlib.suppress(OSError):
                link.sendall(data)
                if source.random() < 0.5:  # half-closed: nothing more will come
                    link.shutdown(socket.SHUT_WR)
                    return _what_comes(link)
            return b""

    def _leave(self, link: socket.socket) -> bytes:
        """Say half of something, and stay; the oldest that was left says a byte more, and goes."""
        self.counts["left half said"] += 1
        whole = self._source.choice((*_REQUESTS, self._upgrade))
        with contextlib.suppress(OSError):
            link.sendall(whole[: self._source.randrange(len(whole))])
        self._left.append(link)
        if len(self._left) <= _LEFT_OPEN:
            return b""
        with self._left.popleft() as oldest, contextlib.suppress(OSError):
            oldest.sendall(b"x")
            return _what_comes(oldest)
        return b""

    def _after_upgrade(self, link: socket.socket) -> bytes:
        self.counts["frames after an upgrade"] += 1
        with contextlib.suppress(OSError):
            link.sendall(self._upgrade + self._source.choice(_FRAMES))
            return _what_comes(link)
        return b""

    def close(self) -> None:
        """Go from all that were left."""
        for link in self._left:
            link.close()


def _what_comes(link: socket.socket) -> bytes:
    link.settimeout(0.01)
    with contextlib.suppress(OSError):
        return link.recv(1 << 16)
    return b""


def _megabytes() -> float:
    """What this process, in which the sandbox runs too, holds in memory."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - not a file on a disk
            return int(file.read().split()[1]) * 4096 / 2**20
    except OSError:
        return 0.0  # not Linux: nothing is told of it
