"""Message: what somebody said, live or from history.

Lives here: one class that reads the body of a `StructuredMessage` frame or an entity of the history
page; the two have the same shape. It reads on demand, because most messages pass by unread and a
busy session must not pay for fields nobody asks for. Content values stand in `content.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guestlab.protocol.content import (
    Attachment,
    ButtonResponse,
    Card,
    CardAction,
    Carousel,
    Content,
    Participant,
    QuickReply,
    QuickReplyV2,
    read_content,
)
from guestlab.protocol.reading import UNREAD, Raw, instant, mapping, too_deep, word

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["Message"]

_SHOWN = 60


class Message:
    """One message of the guest, a bot or an agent; strings are "" where the server said nothing.

    The attributes mirror the wire. `direction` is the platform's view: Inbound was written by the guest,
    Outbound was sent to the guest.

    Attributes:
        tracing_id: The tracing id of the frame, "" when it had none.
        own: This session said it; set when the echo of an own send arrives.
        late: It came after messages with a later time; set by the session that orders them.
        shown: The text as its repr shows it; set by the session to the log's, where secrets are masked.

    >>> Message.from_body({"id": "a1", "type": "Text", "text": "Hi", "direction": "Outbound"}).text
    'Hi'
    """

    __slots__ = ("_body", "_content", "_key", "_time", "late", "own", "shown", "tracing_id")

    def __init__(self, body: dict[str, Any], tracing_id: str = "") -> None:
        self._body = body
        self._content: tuple[Content, ...] | None = None
        self._key: str = UNREAD
        self._time: datetime | None = UNREAD
        self.tracing_id = tracing_id
        self.own = False
        self.late = False
        self.shown: str | None = None

    @classmethod
    def from_body(cls, body: Any, tracing_id: str | None = None) -> Message:
        """Read a frame's body or a history entity; no object, or one nested too deeply, reads as empty."""
        held = {} if too_deep(body) else mapping(body)
        return cls(held, tracing_id or word(held.get("tracingId")))

    # -- what it is -----------------------------------------------------------------------------------

    @property
    def id(self) -> str:
        """The platform's id: 32 hex digits, or a UUID in older captures."""
        return word(self._body.get("id"))

    @property
    def message_id(self) -> str:
        """`channel.messageId`; bots' messages have none on the live socket."""
        return word(self._channel.get("messageId"))

    @property
    def key(self) -> str:
        """What makes it the same message live and in history: `message_id`, else `id`."""
        key = self._key
        if key is UNREAD:
            key = self._key = self.message_id or self.id
        return key

    @property
    def direction(self) -> str:
        """Inbound (from the guest) or Outbound (to the guest)."""
        return word(self._body.get("direction"))

    @property
    def type(self) -> str:
        """Text, Structured, Event or Receipt."""
        return word(self._body.get("type"))

    @property
    def text(self) -> str:
        """The words; may hold Markdown where the deployment allows it."""
        return word(self._body.get("text"))

    @property
    def time(self) -> datetime | None:
        """`channel.time` in UTC: the ordering key."""
        moment = self._time
        if moment is UNREAD:
            moment = self._time = instant(self.time_text)
        return moment

    @property
    def time_text(self) -> str:
        """`channel.time` as it came."""
        return word(self._channel.get("time"))

    @property
    def originating_entity(self) -> str:
        """Human or Bot, where the server says so."""
        return word(self._body.get("originatingEntity"))

    @property
    def originating_message_id(self) -> str:
        """The message this one answers, where the server says so."""
        return word(self._body.get("originatingMessageId"))

    @property
    def status(self) -> str:
        """A receipt's status, such as Delivered."""
        return word(self._body.get("status"))

    # -- what it holds --------------------------------------------------------------------------------

    @property
    def content(self) -> tuple[Content, ...]:
        """Quick replies, cards, attachments and the like, in their order."""
        if self._content is None:
            self._content = tuple(read_content(item) for item in self._list("content"))
        return self._content

    @property
    def content_types(self) -> tuple[str, ...]:
        """The content types by their wire names."""
        content = self._body.get("content")
        if not content or type(content) is not list:
            return ()
        return tuple([word(mapping(item).get("contentType")) for item in content])

    @property
    def event_types(self) -> tuple[str, ...]:
        """The events in it by their wire names; presence as Presence.Join and so on."""
        return tuple(_event_type(mapping(item)) for item in self._list("events"))

    @property
    def quick_replies(self) -> tuple[QuickReply, ...]:
        """The answers on offer, however they were written.

        Options come as QuickReply items, as one QuickReplyV2, or as ButtonResponse items of that type. A
        guest's own answer, which is a ButtonResponse too, offers nothing.
        """
        if self.direction == "Inbound":
            return ()
        found: list[QuickReply] = []
        buttons: list[QuickReply] = []
        for value in self.content:
            if isinstance(value, QuickReply):
                found.append(value)
            elif isinstance(value, QuickReplyV2):
                found.extend(value.actions)
            elif isinstance(value, ButtonResponse) and value.type.lower() == "quickreply":
                buttons.append(QuickReply(text=value.text, payload=value.payload))
        return tuple(found or buttons)

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        """The files in it, for `download(attachment)`; of either side."""
        return tuple(value for value in self.content if isinstance(value, Attachment))

    @property
    def choices(self) -> tuple[QuickReply | CardAction, ...]:
        """Everything in it that can be clicked and says something: quick replies and buttons of cards."""
        if not self._body.get("content"):
            return ()
        cards = [value for value in self.content if isinstance(value, Card)]
        cards += [card for value in self.content if isinstance(value, Carousel) for card in value.cards]
        buttons = [button for card in cards for button in card.actions if not button.is_link]
        return (*self.quick_replies, *(buttons if self.direction != "Inbound" else ()))

    @property
    def metadata(self) -> dict[str, Any]:
        """The message's metadata: correlationId, readOnly, and what the guest sent along."""
        return dict(mapping(self._body.get("metadata")))

    @property
    def custom_attributes(self) -> dict[str, Any]:
        """The custom attributes that travelled with it."""
        return dict(mapping(mapping(self._channel.get("metadata")).get("customAttributes")))

    @property
    def from_(self) -> Participant:
        """Who wrote it; all fields "" for most bots."""
        return Participant.read(self._channel.get("from"))

    @property
    def to(self) -> Participant:
        """Who it was sent to; mostly empty."""
        return Participant.read(self._channel.get("to"))

    @property
    def reasons(self) -> tuple[Raw, ...]:
        """Why a message failed, as history and receipts say it."""
        return tuple(Raw.of(item) for item in self._list("reasons") if type(item) is dict)

    @property
    def raw(self) -> Raw:
        """The body as it came: a copy, with secrets hidden in its repr."""
        raw: Raw = Raw.of(self._body)
        return raw

    # -- the rest -------------------------------------------------------------------------------------

    @property
    def _channel(self) -> dict[str, Any]:
        return mapping(self._body.get("channel"))

    def _list(self, name: str) -> list[Any]:
        value = self._body.get(name)
        return value if type(value) is list else []

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Message):
            return NotImplemented
        return self.tracing_id == other.tracing_id and self._body == other._body

    def __hash__(self) -> int:
        return hash((self.key, self.tracing_id))

    def __repr__(self) -> str:
        text = self.text if self.shown is None else self.shown
        text = text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
        marks = "".join(f", {name}=True" for name in ("own", "late") if getattr(self, name))
        held = ",".join(self.content_types + self.event_types)
        return (
            f"Message({self.direction} {self.type}, key={self.key!r}, time={self.time_text!r}, text={text!r}"
            f"{f', holds={held!r}' if held else ''}{marks})"
        )


def _event_type(event: dict[str, Any]) -> str:
    kind = word(event.get("eventType"))
    presence = word(mapping(event.get("presence")).get("type"))
    return f"{kind}.{presence}" if kind == "Presence" and presence else kind
