"""Guest sessions and their connections, as the messaging service keeps them.

A session is (deployment, guest token); it outlives sockets and may have several. A connection is one
WebSocket. Frames go out through a queue per connection, so that changing state and saying so is one step
without an await in between.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.websockets import WebSocket, WebSocketDisconnect
from uvicorn.protocols.utils import ClientDisconnected

from guestlab.sandbox.frames import wire_text
from guestlab.sandbox.windows import Window

if TYPE_CHECKING:
    from guestlab.sandbox.conversations import Conversation
    from guestlab.sandbox.deployments import Deployment
    from guestlab.sandbox.origins import Origin
    from guestlab.sandbox.wire import SocketWire

__all__ = ["Connection", "Session"]


@dataclass(slots=True, eq=False)
class Session:
    """One guest session."""

    id: str
    """Ours; never sent, and not the guest token."""
    deployment: Deployment
    token: str = field(repr=False)
    created_at: float
    expires_at: float
    connections: list[Connection] = field(default_factory=list, repr=False)
    entities: list[dict[str, Any]] = field(default_factory=list, repr=False)
    """What history shows, oldest first."""
    conversation: Conversation | None = None
    read_only: bool = False
    ended: str | None = None
    """Why it is over: expired, cleared, closed, replaced or logged out."""
    last_time: float = 0.0
    attributes: dict[str, str] = field(default_factory=dict)
    message_window: Window = field(default_factory=Window, repr=False)
    configure_window: Window = field(default_factory=Window, repr=False)
    history_window: Window = field(default_factory=Window, repr=False)
    pending_steps: list[Any] = field(default_factory=list, repr=False)
    """What the bot still has to do."""
    bot_busy: bool = False

    def stamp(self, now: float) -> float:
        """The time of the next message: by the clock, and later than every earlier one.

        Clients order by it, and one drops history entries with an equal time, so it grows by at least
        one millisecond.
        """
        self.last_time = max(now, self.last_time + 0.001)
        return self.last_time

    def touch(self, now: float) -> None:
        """Restart the idle time: every message of either side does."""
        self.expires_at = now + self.deployment.session_seconds

    def broadcast(self, frame: dict[str, Any]) -> None:
        """Send a frame to every connection."""
        text = wire_text(frame)
        for connection in list(self.connections):
            connection.push_text(text)


class Connection:
    """One accepted guest socket."""

    def __init__(self, socket: WebSocket, deployment: Deployment, origin: Origin, opened_at: float) -> None:
        self.deployment = deployment
        self.origin = origin
        self.opened_at = opened_at
        self.session: Session | None = None
        self.request_window = Window()
        self.echo_window = Window()
        self.typing_at = float("-inf")
        self.wire: SocketWire | None = socket.scope.get("guestlab.wire")
        self._socket = socket
        self._outbox: asyncio.Queue[str | tuple[int, str]] = asyncio.Queue()

    def push(self, frame: dict[str, Any]) -> None:
        """Send a frame."""
        self.push_text(wire_text(frame))

    def push_text(self, text: str) -> None:
        """Send text as it is."""
        self._outbox.put_nowait(text)

    def close(self, code: int, reason: str = "") -> None:
        """Close the socket after what is already queued."""
        self._outbox.put_nowait((code, reason))

    async def write(self) -> None:
        """Carry the queue to the socket until it closes."""
        with contextlib.suppress(ClientDisconnected, WebSocketDisconnect, RuntimeError):
            while True:
                item = await self._outbox.get()
                if isinstance(item, tuple):
                    await self._socket.close(*item)
                    return
                await self._socket.send_text(item)
