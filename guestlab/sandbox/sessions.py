"""Guest sessions and their connections, as the messaging service keeps them.

A session is (deployment, guest token); it outlives sockets and may have several. A connection is one
WebSocket; what it sends waits in its outbox.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from guestlab.sandbox.json_text import write_json
from guestlab.sandbox.outbox import Due, Outbox
from guestlab.sandbox.voices import Errands
from guestlab.sandbox.windows import Window

if TYPE_CHECKING:
    from starlette.websockets import WebSocket

    from guestlab.sandbox.clock import Timer
    from guestlab.sandbox.conversations import Conversation
    from guestlab.sandbox.deployments import Deployment
    from guestlab.sandbox.faults import Faults
    from guestlab.sandbox.openid import Person
    from guestlab.sandbox.origins import Origin
    from guestlab.sandbox.wire import SocketWire

__all__ = ["Connection", "Session"]


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
    external_contact_id: str | None = None
    """Who the guest is in the organisation's address book."""
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
    errands: Errands = field(default_factory=Errands, repr=False)
    expiry_timer: Timer | None = field(default=None, repr=False)

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return self.ended is None

    @property
    def largest_file(self) -> int:
        """Bytes of a file, by the deployment."""
        return self.deployment.max_file_kb * 1024

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
        self._outbox = Outbox(socket)
        self.wire: SocketWire | None = self._outbox.wire
        self._faults = faults
        self.last_due = 0.0

    def push(self, frame: dict[str, Any], text: str | None = None) -> None:
        """Send a frame, through whatever faults are on."""
        text = text if text is not None else write_json(frame)
        if self._faults.bends:
            self._faults.bend(self, frame, text)
        else:
            self.put(text)

    def put(self, item: str | bytes | Due) -> None:
        """Send text or bytes as they are, past the faults."""
        self._outbox.put(item)

    def close(self, code: int, reason: str = "") -> None:
        """Close the socket after what is already queued."""
        self._outbox.close(code, reason)

    async def write(self) -> None:
        """Carry the queue to the socket until it closes."""
        await self._outbox.write()
