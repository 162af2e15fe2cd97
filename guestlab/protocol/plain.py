"""The commonest frame, read by a compiled decoder: words in a `StructuredMessage`, code 200, and no more.

Lives here: what exactly such a frame may hold, and a `Message` that keeps the few values a session asks of
every message; the JSON around them is read when somebody wants it. A frame with one key more, or a value
of another type, is not for here: `decoding.py`, which takes all, then reads it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from msgspec import DecodeError, Struct, field
from msgspec.json import Decoder

from guestlab.protocol.events import Envelope, MessageReceived
from guestlab.protocol.messages import Message
from guestlab.protocol.reading import UNREAD, instant

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["PlainMessage", "read_plain"]

# The decoder skips what it does not know without reading it closely, so these know every key they let
# pass: what they read is valid JSON through and through. Texts hold no halves of surrogate pairs: they
# refuse those too. They refer to nothing that could refer back, so the garbage collector need not look.


class _Channel(Struct, gc=False, forbid_unknown_fields=True):
    time: str
    message_id: str = field(default="", name="messageId")
    type: str = ""
    to: dict[str, str] | None = None
    from_: dict[str, str] | None = field(default=None, name="from")


class _Said(Struct, gc=False, forbid_unknown_fields=True):
    id: str
    type: Literal["Text"]
    direction: Literal["Inbound", "Outbound"]
    channel: _Channel
    text: str = ""
    originating_entity: str = field(default="", name="originatingEntity")
    metadata: dict[str, str] | None = None


class _Frame(Struct, gc=False, forbid_unknown_fields=True):
    type: Literal["message"]
    class_: Literal["StructuredMessage"] = field(name="class")
    code: Literal[200]
    body: _Said
    tracing_id: str = field(default="", name="tracingId")


Columns = tuple[str, int, str | None, None, str, str, str, str | None, str | None, None, str]
"""Class, frame code, tracing id, question, message id, direction, type, time, entity, content types, text."""

_read: Any = Decoder(_Frame).decode


def read_plain(text: str) -> PlainMessage | None:
    """Read the message of a frame if it is of this kind; None leaves it to others. Never raises."""
    try:
        frame = _read(text)
    except (DecodeError, UnicodeEncodeError, RecursionError):
        return None
    return PlainMessage(frame.body, frame.tracing_id, text)


class _PlainEnvelope(Envelope):
    """A frame of which this much is known without reading it."""

    __slots__ = ()
    class_name = "StructuredMessage"
    type = "message"
    code = 200


class PlainMessage(Message):
    """A `Message` that has read what a session asks for; the rest it reads when somebody else does."""

    __slots__ = ("_envelope", "_said")

    def __init__(self, said: _Said, tracing_id: str, text: str) -> None:
        # Not super().__init__(): there is no body yet.
        self._said = said
        self._envelope: str | Envelope = text
        self.tracing_id = tracing_id
        self._content = ()
        self._key = said.channel.message_id or said.id
        self._time = UNREAD
        self.own = self.late = False
        self.shown = None

    @property
    def envelope(self) -> Envelope:
        """The frame it came in."""
        envelope = self._envelope
        if isinstance(envelope, str):
            envelope = self._envelope = _PlainEnvelope(envelope, UNREAD)
        return envelope

    @property
    def event(self) -> MessageReceived:
        """The event that it came."""
        return MessageReceived(envelope=self.envelope, message=self)

    @property
    def columns(self) -> Columns:
        """What the log keeps of it, as `Log.record_message` takes it."""
        said = self._said
        return (
            "StructuredMessage",
            200,
            self.tracing_id or None,
            None,
            self._key,
            said.direction,
            "Text",
            said.channel.time or None,
            said.originating_entity or None,
            None,
            said.text,
        )

    @property
    def _body(self) -> dict[str, Any]:  # type: ignore[override] # there a slot, which stays empty here
        body: dict[str, Any] = self.envelope.parsed["body"]
        return body

    @property
    def id(self) -> str:
        """The platform's id."""
        return self._said.id

    @property
    def message_id(self) -> str:
        """`channel.messageId`."""
        return self._said.channel.message_id

    @property
    def direction(self) -> str:
        """Inbound or Outbound."""
        return self._said.direction

    @property
    def type(self) -> str:
        """Text."""
        return self._said.type

    @property
    def text(self) -> str:
        """The words."""
        return self._said.text

    @property
    def time_text(self) -> str:
        """`channel.time` as it came."""
        return self._said.channel.time

    @property
    def time(self) -> datetime | None:
        """`channel.time` in UTC."""
        moment = self._time
        if moment is UNREAD:
            moment = self._time = instant(self._said.channel.time)
        return moment

    @property
    def originating_entity(self) -> str:
        """Human or Bot."""
        return self._said.originating_entity

    @property
    def content_types(self) -> tuple[str, ...]:
        """None."""
        return ()

    @property
    def choices(self) -> tuple[Any, ...]:
        """None."""
        return ()
