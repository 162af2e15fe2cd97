"""What a view needs of the log, gathered as the log grows: each row is looked at once.

A feed keeps its rows in a `Table` of its own, so that a view asked for again pays for what is new. What it
makes of them is in `views.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from guestlab.log.entry import Kind
from guestlab.log.store import NO_TIME, Absent, Codes
from guestlab.log.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from guestlab.log.entry import Column
    from guestlab.log.store import Chunk

__all__ = ["NO_WORDS", "Feed", "MessagesFeed", "SessionsFeed"]

NO_WORDS = frozenset({"Event", "Receipt"})
"""Types of messages that say nothing: typing, joining, and that something arrived."""

_KINDS = tuple(Kind)


class Feed:
    """The rows of some kinds, with some columns.

    Args:
        columns: Of `COLUMNS`.
        kinds: Which entries are wanted.
    """

    def __init__(self, columns: Sequence[Column], kinds: frozenset[Kind]) -> None:
        self.seen = 0
        """Entries of the log looked at so far."""
        self.table = Table(columns)
        self._wanted = bytes(code < len(_KINDS) and _KINDS[code] in kinds for code in range(256))

    def add(self, chunk: Chunk) -> None:
        """Take what is wanted of the next entries."""
        self.seen += len(chunk)
        chosen = self._chosen(chunk)
        if 1 in chosen:
            names = [column.name for column in self.table.columns]
            self.table.extend([chunk.select(chosen, names)])

    def _chosen(self, chunk: Chunk) -> bytes:
        """Return a 1 for every row that is wanted."""
        kinds = chunk.columns["kind"]
        assert isinstance(kinds, Codes)
        return kinds.codes.translate(self._wanted)


class MessagesFeed(Feed):
    """Every message once: the first entry that has it."""

    def __init__(self, columns: Sequence[Column]) -> None:
        super().__init__(columns, frozenset({Kind.FRAME, Kind.HISTORY}))
        self.counts: dict[tuple[str, str], int] = {}
        """(session, direction) → messages."""
        self.conversations: dict[str, str] = {}
        """message id → the conversation it belongs to, where a transcript told."""
        self._known: set[tuple[str | None, str]] = set()
        self._latest = NO_TIME
        self.is_ordered = True
        """Whether they came in the order of (`message_time`, `seq`), those without a time last."""

    def _chosen(self, chunk: Chunk) -> bytes:
        if isinstance(chunk.columns["message_direction"], Absent):
            return bytes(len(chunk))
        values = zip(*(chunk.columns[name].values() for name in _JUDGED), strict=True)
        return bytes(map(self._is_new, super()._chosen(chunk), values))

    def _is_new(self, wanted: int, values: tuple[Any, ...]) -> bool:
        """Judge one row, in the order of the log."""
        direction, kind, message_id, session, time_ns, conversation_id = values
        if not wanted or direction is None or kind in NO_WORDS:
            return False
        if message_id is not None:
            if conversation_id is not None:
                self.conversations[message_id] = conversation_id
            known = len(self._known)
            self._known.add((session, message_id))
            if len(self._known) == known:
                return False
        time_ns = _NEVER if time_ns is None else time_ns
        self.is_ordered = self.is_ordered and time_ns >= self._latest
        self._latest = time_ns
        if session is not None:
            self.counts[session, direction] = self.counts.get((session, direction), 0) + 1
        return True


_JUDGED = ("message_direction", "message_type", "message_id", "session", "message_time", "conversation_id")
_NEVER = 2**63


@dataclass(slots=True)
class _Session:
    """What happened in one session."""

    first_at: int
    last_at: int
    frames_sent: int = 0
    frames_received: int = 0
    connects: int = 0
    close_code: int | None = None


class SessionsFeed:
    """Sums up each session."""

    def __init__(self) -> None:
        self.seen = 0
        """Entries of the log looked at so far."""
        self._sessions: dict[str, _Session] = {}

    def add(self, chunk: Chunk) -> None:
        """Count the next entries."""
        self.seen += len(chunk)
        names = chunk.columns["session"]
        if isinstance(names, Absent):
            return
        columns = (chunk.columns[name].values() for name in _COUNTED)
        for name, at, kind, direction, status, close_code in zip(names.values(), *columns, strict=True):
            if name is None:
                continue
            session = self._sessions.get(name)
            if session is None:
                session = self._sessions[name] = _Session(at, at)
            session.first_at, session.last_at = min(session.first_at, at), max(session.last_at, at)
            if kind is Kind.FRAME:
                session.frames_sent += direction == "sent"
                session.frames_received += direction == "received"
            if status == 101 and kind is Kind.RESPONSE:  # an attempt says it again
                session.connects += 1
            if close_code is not None:
                session.close_code = close_code

    def frame(self, counts: dict[tuple[str, str], int]) -> pd.DataFrame:
        """Return one row per session.

        Args:
            counts: (session, direction) → messages.
        """
        import pandas as pd

        rows = [
            (
                name, _utc(one.first_at), _utc(one.last_at), one.frames_sent, one.frames_received,
                counts.get((name, "Inbound"), 0), counts.get((name, "Outbound"), 0), one.connects,
                one.close_code,
            )
            for name, one in self._sessions.items()
        ]  # fmt: skip
        return pd.DataFrame(rows, columns=list(_SUMMED))


def _utc(nanoseconds: int) -> pd.Timestamp:
    import pandas as pd

    return pd.Timestamp(nanoseconds, tz="UTC")


_COUNTED = ("at", "kind", "direction", "http_status", "close_code")
_SUMMED = (
    "session", "first_at", "last_at", "frames_sent", "frames_received", "messages_in", "messages_out",
    "connects", "close_code",
)  # fmt: skip
