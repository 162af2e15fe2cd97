"""What the log tells of one notification channel: heartbeats, events, pings, gaps between sockets. Pure.

Read entry by entry, so that a view pays for what is new.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from guestlab.log.entry import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from guestlab.log.entry import Entry

__all__ = ["ChannelLife", "Gap"]

_KEPT = 5_000
"""Marks of one sort; a day has 2,880 heartbeats."""
_EVENTS = 20


class Gap(NamedTuple):
    """A time in which nothing was heard; nothing of it is told later."""

    start_ns: int
    """The last frame before it."""
    end_ns: int | None
    """The socket after it; None while there is none."""


class ChannelLife:
    """The life of one channel so far.

    Args:
        name: Of the channel, as in the column `session`.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.born_ns: int | None = None
        self.heartbeats: deque[int] = deque(maxlen=_KEPT)
        self.pings: deque[int] = deque(maxlen=_KEPT)
        self.events: deque[int] = deque(maxlen=_KEPT)
        self.newest: deque[Entry] = deque(maxlen=_EVENTS)
        """The newest entries that told of a topic."""
        self.told = 0
        """How many events in all."""
        self.gaps: deque[Gap] = deque(maxlen=_KEPT)
        self.last_frame_ns: int | None = None
        self._is_up = False

    def read(self, entries: Iterable[Entry]) -> None:
        """Take over what is new."""
        for entry in entries:
            if entry.session == self.name and entry.stage == "channel":
                self._take(entry)

    def _take(self, entry: Entry) -> None:
        if entry.kind is Kind.RESPONSE and entry.http_status == 101:
            self._up(entry.at)
        elif entry.kind is Kind.CLOSE:
            if self._is_up:
                self._is_up = False
                self.gaps.append(Gap(self.last_frame_ns or entry.at, None))
        elif entry.kind is Kind.FRAME and entry.direction == "sent":
            self.pings.append(entry.at)
        elif entry.kind is Kind.FRAME:
            self._frame(entry)

    def _up(self, at: int) -> None:
        if self.born_ns is None:
            self.born_ns = at
        if self.gaps and self.gaps[-1].end_ns is None:
            self.gaps[-1] = self.gaps[-1]._replace(end_ns=at)
        self._is_up, self.last_frame_ns = True, at

    def _frame(self, entry: Entry) -> None:
        self.last_frame_ns = entry.at
        if entry.note == "Heartbeat":
            self.heartbeats.append(entry.at)
        elif entry.note is None:
            self.told += 1
            self.events.append(entry.at)
            self.newest.append(entry)
