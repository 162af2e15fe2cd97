"""Guest sessions and their connections, as the messaging service keeps them.

A session is (deployment, guest token); it outlives sockets and may have several. A connection is one
WebSocket. Frames go out through a queue per connection, so that changing state and saying so is one step
without an await in between.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.websockets import WebSocket, WebSocketDisconnect
from uvicorn.protocols.utils import ClientDisconnected

from guestlab.sandbox.json_text import write_json
from guestlab.sandbox.windows import Window

if TYPE_CHECKING:
    from guestlab.sandbox.clock import Timer
    from guestlab.sandbox.conversations import Conversation
    from guestlab.sandbox.deployments import Deployment
    from guestlab.sandbox.faults import Faults
    from guestlab.sandbox.openid import Person
    from guestlab.sandbox.origins import Origin
    from guestlab.sandbox.scripts import Step
    from guestlab.sandbox.wire import SocketWire

BACKLOG = 100_000
"""Frames waiting for a client that does not read; one more and its link is cut."""

__all__ = ["Connection", "Due", "Session"]


@dataclass(slots=True, eq=False)
class Session:
    """One guest session."""

    id: str
    """Ours; never sent, and not the guest token."""
    deployment: Deployment
    created_at: float
    expires_at: float
    person: Person | None = None
    """Who signed in, or None for an anonymous guest."""
    connections: list[Connection] = field(default_factory=list, repr=False)
    entities: list[dict[str, Any]] = field(default_factory=list, repr=False)
    """What history shows, oldest first."""
    conversation: Conversation | None = field(default=None, repr=False)
    read_only: bool = False
    closed: bool = False
    """A read-only session that was closed: only a new one can follow."""
    ended: str | None = None
    """Why it is over: expired, cleared, replaced, taken over or logged out."""
    last_millisecond: int = 0
    said_at: float = 0.0
    """When the guest last said something, by the clock."""
    typed_at: float = float("-inf")
    attributes: dict[str, str] = field(default_factory=dict, repr=False)
    message_window: Window = field(default_factory=Window, repr=False)
    history_window: Window = field(default_factory=Window, repr=False)
    steps: deque[Step] = field(default_factory=deque, repr=False)
    """What the bot still has to do."""
    bot_timer: Timer | None = field(default=None, repr=False)
    expiry_timer: Timer | None = field(default=None, repr=False)

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return self.ended is None

    def stamp(self, now: float) -> float:
        """The time of the next message: by the clock, and later than every earlier one.

        Clients order by it, and one drops history entries with an equal time, so it grows by at least
        one millisecond.
        """
        self.last_millisecond = max(int(now * 1000), self.last_millisecond + 1)
        return self.last_millisecond / 1000

    def touch(self, now: float) -> None:
        """Restart the idle time: every message of either side does."""
        self.expires_at = now + self.deployment.session_seconds

    def broadcast(self, frame: dict[str, Any]) -> None:
        """Send a frame to every connection."""
        if self.connections:
            text = write_json(frame)
            for connection in tuple(self.connections):
                connection.push(frame, text)


@dataclass(frozen=True, slots=True)
class Due:
    """Something to send at a moment of the loop's time."""

    at: float
    item: str | bytes


class Connection:
    """One accepted guest socket."""

    def __init__(
        self, socket: WebSocket, deployment: Deployment, origin: Origin, opened_at: float, faults: Faults
    ) -> None:
        self.deployment = deployment
        self.origin = origin
        self.opened_at = opened_at
        self.session: Session | None = None
        self.token = ""
        self.request_window = Window()
        self.echo_window = Window()
        self.wire: SocketWire | None = socket.scope.get("guestlab.wire")
        self._socket = socket
        self._faults = faults
        self.last_due = 0.0
        self._outbox: asyncio.Queue[str | bytes | Due | tuple[int, str]] = asyncio.Queue()

    def push(self, frame: dict[str, Any], text: str | None = None) -> None:
        """Send a frame, through whatever faults are on."""
        text = text if text is not None else write_json(frame)
        if self._faults.bends:
            self._faults.bend(self, frame, text)
        else:
            self.put(text)

    def put(self, item: str | bytes | Due) -> None:
        """Send text or bytes as they are, past the faults."""
        if self._outbox.qsize() >= BACKLOG and self.wire is not None:
            self.wire.abort()
            return
        self._outbox.put_nowait(item)

    def close(self, code: int, reason: str = "") -> None:
        """Close the socket after what is already queued."""
        self._outbox.put_nowait((code, reason))

    async def write(self) -> None:
        """Carry the queue to the socket until it closes."""
        with contextlib.suppress(ClientDisconnected, WebSocketDisconnect, RuntimeError):
            while True:
                item = await self._outbox.get()
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
