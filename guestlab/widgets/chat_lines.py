"""The lines of a chat, read out of the log: who said what, what happened, what is on offer.

A chat is a function of the log. `ChatLines.take` is given one session's entries in order and keeps the last
so many lines; a message that comes twice is one line, words just sent and their acknowledgement are one line.
Each line knows its entries by number, so that its frames can be looked up. No widgets and no clock here; what
a line looks like stands in `bubbles.py`, what an event says in words in `happenings.py`.
"""

from __future__ import annotations

import json
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from guestlab.log.entry import Kind
from guestlab.protocol import events as got
from guestlab.protocol.content import Card, Carousel, DatePicker, Form, ListPicker
from guestlab.protocol.decoding import decode
from guestlab.protocol.messages import Message
from guestlab.widgets.happenings import Happening, happening_of, life_of

if TYPE_CHECKING:
    from guestlab.log.entry import Entry

__all__ = ["KEPT", "ChatLines", "Line"]

KEPT = 1000
"""Lines that are kept; older messages are in `log.messages`."""

_REMEMBERED = 20_000
"""Keys of messages remembered beyond those, to know a repeat by."""

_FRAMES = 12
"""Entries kept for one line."""

_OFFERS = (Card, Carousel, DatePicker, ListPicker)


@dataclass(slots=True, eq=False)
class Line:
    """One line: a message, or something that happened.

    Attributes:
        number: Counts lines of this chat from 1.
        who: "guest", "bot", "agent" or "system".
        at_ns: When it was recorded here.
        text: The words.
        name: Who said it, where the server says so.
        message: The message; None for what happened, and for messages of which the log has no frame.
        tone: A state of `guestlab.style`, for what happened and for words that were refused.
        fate: What became of the guest's words: "sending", "acknowledged", "refused", "in doubt".
        problem: Why they were refused.
        late: It came after one with a later time.
        copies: How often it came.
        seqs: The numbers of its entries, oldest first.
        key: What makes it the same message live and in history.
        version: Goes up with every change.
    """

    number: int
    who: str
    at_ns: int
    text: str = ""
    name: str = ""
    message: Message | None = None
    time_ns: int | None = None
    tone: str = ""
    fate: str = ""
    problem: str = ""
    late: bool = False
    copies: int = 1
    seqs: list[int] = field(default_factory=list)
    key: str = ""
    version: int = 0

    def add(self, seq: int) -> None:
        """Note one more entry of this line."""
        if len(self.seqs) < _FRAMES:
            self.seqs.append(seq)
        self.version += 1


class ChatLines:
    """The last lines of one session's chat.

    Args:
        session: The session's name in the log.
        most: Lines to keep.

    Attributes:
        lines: The lines, oldest first.
        earlier: How many messages are not among them any more.
        offer: The line whose message offers something to choose, until the guest says something.
        typing: Who is typing, and until when in nanoseconds.
        retry_at_ns: Until when the server wants no frames; 0 when it does not say so.
        url: The address of the last socket.
        ended: Whether the server said that the session is over.
        version: Goes up with every change.
    """

    def __init__(self, session: str, most: int = KEPT) -> None:
        self.session = session
        self.lines: deque[Line] = deque()
        self.earlier = 0
        self.count = 0
        self.offer: Line | None = None
        self.typing: tuple[str, int] | None = None
        self.retry_at_ns = 0
        self.url = ""
        self.ended = False
        self.version = 0
        self._most = most
        self._said: OrderedDict[str, Line | None] = OrderedDict()
        self._unsettled: dict[str, Line] = {}
        self._by_seq: dict[int, Line] = {}
        self._life: Line | None = None

    def take(self, entry: Entry) -> None:
        """Read one entry; those of other sessions change nothing."""
        if entry.session != self.session:
            return
        if entry.kind is Kind.FRAME and entry.raw is not None:
            if entry.direction == "sent":
                self._sent(entry)
            else:
                self._received(entry)
        elif entry.kind is Kind.HISTORY:
            self._message(entry, Message({}), from_history=True)
        elif entry.kind in {Kind.LIFECYCLE, Kind.CLOSE, Kind.RESPONSE}:
            self.url = entry.url or self.url
            self._lives(entry)

    # -- the link -------------------------------------------------------------------------------------

    def _lives(self, entry: Entry) -> None:
        """What befalls the link is one line, as long as it is about coming back."""
        happening = life_of(entry)
        if happening is None:
            return
        if entry.kind is Kind.CLOSE:
            for line in self._unsettled.values():
                self._fated(line, "in doubt", entry.seq)
            self.typing = None
        if self._life is not None and happening.goes_on and self.lines and self.lines[-1] is self._life:
            tries = f" Attempts: {self._life.copies}." if happening.tone == "done" else ""
            self._life.text, self._life.tone = f"{happening.text}{tries}", happening.tone
            self._life.copies += 1
            self._touch(self._life, entry.seq)
        else:
            line = self._happened(entry, happening)
            self._life = line if happening.goes_on else None

    # -- sent -----------------------------------------------------------------------------------------

    def _sent(self, entry: Entry) -> None:
        if entry.action != "onMessage":
            return
        body = _parsed(entry.raw).get("message")
        said = {**body, "direction": "Inbound"} if isinstance(body, dict) else {}
        message = Message.from_body(said, entry.tracing_id or "")
        if message.type not in {"Text", "Structured"}:
            return
        self.offer = None
        if (known := self._unsettled.get(message.tracing_id)) is not None:
            self._touch(known, entry.seq)  # said again after a wait, or over a new link
            return
        line = self._new("guest", entry, text=message.text, message=message, fate="sending")
        self._unsettled[message.tracing_id] = line
        self._by_seq[entry.seq] = line

    # -- received -------------------------------------------------------------------------------------

    def _received(self, entry: Entry) -> None:
        events = decode(entry.raw or "")
        if entry.message_direction is not None or entry.message_type in {"Text", "Structured"}:
            first = events[0]
            self._message(entry, first.message if isinstance(first, _WITH_WORDS) else Message({}))
            return
        for event in events:
            self._event(entry, event)

    def _message(self, entry: Entry, message: Message, *, from_history: bool = False) -> None:
        key = entry.message_id or ""
        if key in self._said and self._said[key] is None:
            return  # a repeat of what is no longer kept
        known = self._said.get(key)
        if known is None:
            known = self._unsettled.pop(self._said_as(entry, from_history=from_history), None)
            if known is not None:  # the acknowledgement
                known.message = message if known.message is None else known.message
                known.time_ns = entry.message_time
                known.fate = "acknowledged"
                self._remember(key, known)
                self._touch(known, entry.seq)
                return
        if known is not None:
            if not from_history:
                known.copies += 1
            self._touch(known, entry.seq)
            return
        line = self._new(
            _who(entry),
            entry,
            text=entry.text or "",
            message=message,
            time_ns=entry.message_time,
            late=bool(entry.late),
            name="" if from_history else message.from_.name,
            fate="acknowledged" if entry.message_direction == "Inbound" else "",
        )
        self._remember(key, line)
        if entry.message_direction == "Inbound":
            self.offer = None
        else:
            self.typing = None
            if _offers(message):
                self.offer = line

    def _said_as(self, entry: Entry, *, from_history: bool) -> str:
        """The tracing id of words just sent that this is; history has none, there the words tell."""
        if not from_history or entry.message_direction != "Inbound":
            return entry.tracing_id or ""
        alike = (key for key, line in self._unsettled.items() if line.text == (entry.text or ""))
        return next(alike, "")

    def _event(self, entry: Entry, event: got.Event) -> None:
        if isinstance(event, got.TypingReceived):
            if event.direction == "Outbound":
                until = entry.at + min(max(event.duration_ms, 0), 60_000) * 1_000_000
                self.typing = (event.message.from_.name, until) if event.on else None
                self.version += 1
            return
        if isinstance(event, got.RateLimited):
            wait = 1.0 if event.retry_after is None else min(max(event.retry_after, 0.0), 3600.0)
            self.retry_at_ns = entry.at + int(wait * 1e9)
        if isinstance(event, got.ErrorReceived) and self._refused(entry, event):
            return
        if isinstance(event, got.PresenceChanged | got.SessionCleared | got.SessionExpired):
            self.offer, self.typing = None, None
        if isinstance(event, (*_ENDS, got.SessionConfigured)):
            self.ended = isinstance(event, _ENDS)
        happening = happening_of(event)
        if happening is not None:
            self._happened(entry, happening)

    def _refused(self, entry: Entry, event: got.ErrorReceived) -> bool:
        """Mark the words an error speaks of."""
        line = self._unsettled.get(entry.tracing_id or "") or self._by_seq.get(entry.exchange or 0)
        if line is None:
            return False
        happening = happening_of(event)
        line.problem = happening.text if happening is not None else ""
        if isinstance(event, got.RateLimited):  # said again by itself after the wait
            self._fated(line, "waiting", entry.seq)
        else:
            self._unsettled = {key: held for key, held in self._unsettled.items() if held is not line}
            self._fated(line, "refused", entry.seq)
        return True

    # -- the lines ------------------------------------------------------------------------------------

    def _new(self, who: str, entry: Entry, **fields: Any) -> Line:
        self.count += 1
        line = Line(number=self.count, who=who, at_ns=entry.at, seqs=[entry.seq], **fields)
        self.lines.append(line)
        while len(self.lines) > self._most:
            gone = self.lines.popleft()
            self.earlier += gone.who != "system"
            if gone.key in self._said:
                self._said[gone.key] = None
            for seq in gone.seqs:
                self._by_seq.pop(seq, None)
            if gone.message is not None:
                self._unsettled.pop(gone.message.tracing_id, None)
        self.version += 1
        return line

    def _happened(self, entry: Entry, happening: Happening) -> Line:
        return self._new("system", entry, text=happening.text, tone=happening.tone)

    def _fated(self, line: Line, fate: str, seq: int) -> None:
        line.fate = fate
        self._touch(line, seq)

    def _touch(self, line: Line, seq: int) -> None:
        line.add(seq)
        self.version += 1

    def _remember(self, key: str, line: Line) -> None:
        if key:
            line.key = key
            self._said[key] = line
            if len(self._said) > _REMEMBERED:
                self._said.popitem(last=False)


_ENDS = (got.SessionCleared, got.SessionExpired, got.LoggedOut, got.ConnectionTakenOver)
_WITH_WORDS = (got.MessageReceived, got.EchoReceived, got.ReceiptReceived)


def _who(entry: Entry) -> str:
    if entry.message_direction == "Inbound":
        return "guest"
    return "agent" if entry.originating_entity == "Human" else "bot"


def _offers(message: Message) -> bool:
    return bool(message.choices) or any(
        isinstance(value, _OFFERS) or (isinstance(value, Form) and bool(value.pages))
        for value in message.content
    )


def _parsed(raw: str | None) -> dict[str, Any]:
    try:
        parsed = json.loads(raw or "")
    except (ValueError, RecursionError):
        return {}
    return parsed if isinstance(parsed, dict) else {}
