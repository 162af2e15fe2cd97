"""What waits to go out on one socket.

Frames go out through a queue per socket, so that changing state and saying so is one step without an await
in between. Guest connections and notification channels use the same.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.websockets import WebSocket, WebSocketDisconnect
from uvicorn.protocols.utils import ClientDisconnected

if TYPE_CHECKING:
    from guestlab.sandbox.wire import SocketWire

__all__ = ["BACKLOG", "Due", "Outbox"]

BACKLOG = 100_000
"""Frames waiting for a client that does not read; one more and its link is cut."""


@dataclass(frozen=True, slots=True)
class Due:
    """Something to send at a moment of the loop's time."""

    at: float
    item: str | bytes


class Outbox:
    """The queue of one socket, and who carries it there."""

    def __init__(self, socket: WebSocket) -> None:
        self.wire: SocketWire | None = socket.scope.get("guestlab.wire")
        self._socket = socket
        self._queue: asyncio.Queue[str | bytes | Due | tuple[int, str]] = asyncio.Queue()

    def put(self, item: str | bytes | Due) -> None:
        """Send text or bytes."""
        if self._queue.qsize() >= BACKLOG and self.wire is not None:
            self.wire.abort()
            return
        self._queue.put_nowait(item)

    def close(self, code: int, reason: str = "") -> None:
        """Close the socket after what is already queued."""
        self._queue.put_nowait((code, reason))

    async def write(self) -> None:
        """Carry the queue to the socket until it closes."""
        with contextlib.suppress(ClientDisconnected, WebSocketDisconnect, RuntimeError):
            while True:
                item = await self._queue.get()
                if isinstance(item, Due):
                    await asyncio.sleep(item.at - asyncio.get_running_loop().time())
                    item = item.item
                if isinstance(item, str):
                    await self._socket.send_text(item)
                elif isinstance(item, bytes):
                    await self._socket.send_bytes(item)
                else:
                    await self._socket.close(*item)
                    return
