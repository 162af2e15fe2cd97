"""The frames the benchmarks run on, and a server in a process of its own that pours them out.

A frame is what a bot or an agent says to a guest: a `StructuredMessage` of about 370 bytes with an id and a
time of its own, and nothing else to make it easy. `python -m guestlab.bench.frames COUNT [tls]` serves: it
prints its port, answers the first text of a connection with a `SessionResponse`, and the second with all
frames at once, so that the reader, not the network, is the bottleneck.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from guestlab.bench.serving import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from websockets.asyncio.server import ServerConnection

    from guestlab.sandbox.certificates import Authority

__all__ = ["CONFIGURED", "Hose", "fire_hose", "outbound"]

CONFIGURED: dict[str, Any] = {
    "type": "response",
    "class": "SessionResponse",
    "code": 200,
    "body": {"connected": True, "newSession": True, "readOnly": False},
}
"""The answer to a configure."""

_START = datetime(2026, 10, 1, 12, tzinfo=UTC)
_SAID = (
    "Thank you for waiting. I have found your order",
    "Your parcel has left our warehouse and should arrive tomorrow",
    "Is there anything else I can do for you?",
    "Vielen Dank für Ihre Geduld, ich prüfe das für Sie",  # every eighth is not plain ASCII
    "I am going to connect you with a colleague now",
    "Could you tell me the number printed on the label?",
    "One moment please",
    "We are open from nine to five on weekdays and from ten to two on Saturdays",
)


def outbound(number: int) -> dict[str, Any]:
    """One frame of a bot or, every fourth, of an agent. Shape: official model, live observation."""
    moment = _START + timedelta(milliseconds=137 * number)
    by_agent = number % 4 == 3
    return {
        "type": "message",
        "class": "StructuredMessage",
        "code": 200,
        "body": {
            "text": f"{_SAID[number % len(_SAID)]} ({number})",
            "type": "Text",
            "direction": "Outbound",
            "id": f"5befde6373a23f32f20b{number:012x}",
            "channel": {
                "time": f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z",
                "type": "Private",
                "to": {},
                "from": {"nickname": "Anna"} if by_agent else {},
            },
            "originatingEntity": "Human" if by_agent else "Bot",
            "metadata": {"correlationId": f"0d6e7b5c-3f41-4c8e-9a57-{number:012x}"},
        },
    }


def _written(frame: dict[str, Any]) -> str:
    return json.dumps(frame, separators=(",", ":"), ensure_ascii=False)


class Hose(NamedTuple):
    """Where a server of frames listens."""

    port: int
    ca_file: Path | None
    """Who signed its certificate, where it speaks TLS."""


@contextlib.contextmanager
def fire_hose(count: int, *, tls: bool = False) -> Iterator[Hose]:
    """Serve so many frames to each connection, from a process of its own."""
    with serving("guestlab.bench.frames", str(count), *(["tls"] if tls else [])) as said:
        port, _, ca_file = said.partition(" ")
        yield Hose(int(port), Path(ca_file) if ca_file else None)


async def _serve(count: int, authority: Authority | None) -> None:
    from websockets.asyncio.server import serve
    from websockets.exceptions import ConnectionClosed

    frames = [_written(outbound(number)) for number in range(count)]

    async def answer(connection: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            await connection.recv()
            await connection.send(_written(CONFIGURED))
            await connection.recv()
            for frame in frames:
                await connection.send(frame)
            await connection.wait_closed()

    context = authority.context if authority is not None else None
    async with serve(answer, "127.0.0.1", 0, compression=None, ssl=context) as server:
        port = server.sockets[0].getsockname()[1]
        sys.stdout.write(f"{port} {authority.ca_file if authority is not None else ''}\n")
        sys.stdout.flush()
        # Whoever started this holds the other end of the pipe: when that ends, so does this.
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


def _main(count: int, *, tls: bool) -> None:
    if not tls:
        asyncio.run(_serve(count, None))
        return
    from guestlab.sandbox.certificates import Authority

    authority = Authority()
    try:
        asyncio.run(_serve(count, authority))
    finally:
        authority.remove()


if __name__ == "__main__":
    _main(int(sys.argv[1]), tls="tls" in sys.argv[2:])
