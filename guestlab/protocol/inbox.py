"""Which messages a reader gets, once each and in which order. Pure: no clock, no loop.

The link may bring a message twice (live, and again from history after a reconnect) or out of order: the
vendor's documentation promises no order. The inbox knows every message by `channel.messageId or id`,
drops repeats, holds messages back while a gap is being filled, and, with a settling time, hands them out
sorted by `channel.time`. A message that comes after a later one was handed out is flagged, never dropped.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from guestlab.protocol.messages import Message

__all__ = ["Inbox"]


class Inbox:
    """Messages in, each one out at most once.

    Args:
        settling: Hold each message until `settled(message)` says its settling time is over; without it,
            messages come out as they arrive.
    """

    def __init__(self, *, settling: bool = False) -> None:
        self._settling = settling
        self.known: set[str] = set()
        """The keys of every message seen."""
        self.known_before_gap: set[str] = set()
        """Those seen before the gap that is being filled."""
        self._filling: list[Message] | None = None
        self._held: list[tuple[datetime, int, Message]] = []
        self._arrivals = 0
        self._newest: datetime | None = None
        self._newest_arrived: datetime | None = None

    @property
    def filling(self) -> bool:
        """Whether a gap is being filled, so that live messages wait."""
        return self._filling is not None

    def add(self, message: Message) -> list[Message]:
        """Take one live message; return what may be handed out now."""
        if not self._new(message):
            return []
        if self._filling is not None:
            self._filling.append(message)
            return []
        return self._accept(message)

    def passes(self, message: Message) -> bool:
        """Take one live message that comes out at once: one that is new, while nothing is held back."""
        if self._settling or self._filling is not None:
            return False
        key = message.key
        if key:
            if key in self.known:
                return False
            self.known.add(key)
        time, newest = message.time, self._newest
        if time is not None:  # as in `_handed_out`; every frame passes here
            if newest is not None and time < newest:
                message.late = True
            else:
                message.late, self._newest = False, time
        return True

    def is_late(self, message: Message) -> bool:
        """Tell, as a message arrives, whether one with a later time arrived before it."""
        time, newest = message.time, self._newest_arrived
        if time is None:
            return False
        if newest is not None and time < newest:
            return True
        self._newest_arrived = time
        return False

    def begin_gap(self) -> None:
        """The link was lost and is back: hold live messages until the gap is filled."""
        if self._filling is None:
            self._filling = []
            self.known_before_gap = set(self.known)

    def end_gap(self, history: list[Message]) -> tuple[list[Message], list[Message]]:
        """Merge what history has with what came live meanwhile.

        Args:
            history: Messages of the session, in any order.

        Returns:
            The messages only history knew, and everything that may be handed out now, both in order.
        """
        missed = sorted((m for m in history if self._new(m)), key=_when)
        waiting, self._filling = self._filling or [], None
        out: list[Message] = []
        for message in sorted([*missed, *waiting], key=_when):
            out += self._accept(message)
        return missed, out

    def settled(self, message: Message) -> list[Message]:
        """A message's settling time is over: return it and every held one that is not later."""
        out: list[Message] = []
        while self._held and message.time is not None and self._held[0][0] <= message.time:
            out.append(self._handed_out(heapq.heappop(self._held)[2]))
        return out

    def drain(self) -> list[Message]:
        """The session is over: return what is still held, in order."""
        out = [self._handed_out(m) for m in self._filling or []]
        self._filling = None
        while self._held:
            out.append(self._handed_out(heapq.heappop(self._held)[2]))
        return out

    def _new(self, message: Message) -> bool:
        if not message.key:
            return True  # nothing to tell it by: never dropped
        if message.key in self.known:
            return False
        self.known.add(message.key)
        return True

    def _accept(self, message: Message) -> list[Message]:
        if not self._settling or message.time is None:
            return [self._handed_out(message)]
        self._arrivals += 1
        heapq.heappush(self._held, (message.time, self._arrivals, message))
        return []

    def _handed_out(self, message: Message) -> Message:
        time, newest = message.time, self._newest
        if time is None:
            return message
        message.late = newest is not None and time < newest
        if not message.late:
            self._newest = time
        return message


def _when(message: Message) -> tuple[bool, str]:
    """Sort by time; ISO 8601 texts of one format sort as times do. Without a time: last."""
    return (message.time is None, message.time_text or "")
