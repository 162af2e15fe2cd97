"""The frames of one socket in a file, many at a time: what `frame_columns` says, at a fraction of its cost.

A text of the guest, bot or agent, by far the most frequent frame, and whatever a client sent are decoded
into the few fields the log wants. Any other frame takes the long way, through `frame_columns`, and so does
one that is not as expected. Both ways agree (tests/log/test_har_frames.py).
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from guestlab.log.frame_columns import frame_columns
from guestlab.protocol.reading import DEEPEST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from guestlab.har.entry import Message

__all__ = ["FRAME_COLUMNS", "SocketFrames"]

FRAME_COLUMNS = (
    "direction", "action", "class_name", "frame_code", "tracing_id", "guest_token", "exchange", "latency_ms",
    "size", "message_id", "message_direction", "message_type", "message_time", "originating_entity",
    "content_types", "event_types", "text", "late", "raw",
)  # fmt: skip
"""What differs from frame to frame."""

_CONFIGURES = frozenset({"configureSession", "configureAuthenticatedSession"})
_PENDING = 10_000
"""Questions remembered until their answers come."""
_LONG = 1000
"""A shorter frame has no room for so many brackets and anything else."""
_SEND = frozenset({"send", "request"})
_WRONG = (msgspec.DecodeError, ValueError, RecursionError)


class _Sent(msgspec.Struct, gc=False):
    action: str | None = None
    token: str | None = None
    tracing_id: str | None = msgspec.field(default=None, name="tracingId")


class _Channel(msgspec.Struct, gc=False):
    time: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    message_id: str = msgspec.field(default="", name="messageId")


class _Content(msgspec.Struct, gc=False):
    type: str = msgspec.field(default="", name="contentType")


class _Body(msgspec.Struct, gc=False):
    type: Literal["Text", "Structured"]
    text: str = ""
    direction: Literal["Inbound", "Outbound"] | None = None
    id: str = ""
    channel: _Channel | None = None
    content: list[_Content] = []
    entity: Literal["Human", "Bot"] | None = msgspec.field(default=None, name="originatingEntity")
    tracing_id: str = msgspec.field(default="", name="tracingId")
    events: list[msgspec.Raw] = []


class _Received(msgspec.Struct, gc=False):
    body: _Body
    class_name: Literal["StructuredMessage"] = msgspec.field(name="class")
    type: str = ""
    code: Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)] | None = None
    tracing_id: str = msgspec.field(default="", name="tracingId")


_sent = msgspec.json.Decoder(_Sent).decode
_received = msgspec.json.Decoder(_Received).decode


class SocketFrames:
    """The frames of one socket, in wire order."""

    def __init__(self) -> None:
        self._newest = -(2**63)
        self._asked: dict[str, tuple[int, int]] = {}
        self._configure: str | None = None

    def columns(
        self, messages: Sequence[Message], times: Sequence[int], start: int
    ) -> dict[str, Sequence[Any]]:
        """Return the columns of the next frames, all of them texts.

        Args:
            messages: The frames.
            times: When each crossed the wire.
            start: Number of the first one's entry.
        """
        rows = [
            self._out(message.data or "", at, seq)
            if message.type in _SEND
            else self._in(message.data or "", at)
            for seq, (message, at) in enumerate(zip(messages, times, strict=True), start)
        ]
        return dict(zip(FRAME_COLUMNS, zip(*rows, strict=True), strict=True))

    def row(self, raw: str | bytes, at: int, seq: int, *, is_sent: bool) -> tuple[Any, ...]:
        """Return the columns of the next frame, the long way."""
        columns = frame_columns(raw, "sent" if is_sent else "received")
        tracing_id = columns.get("tracing_id")
        if is_sent:
            self._ask(columns.get("action"), tracing_id or "", seq, at)
        else:
            columns["exchange"], columns["latency_ms"] = self._answered(
                columns.get("class_name"), tracing_id, at
            )
        if "late" in columns:
            columns["late"] = self._late(columns.get("message_time"))
        return tuple([columns.get(name) for name in FRAME_COLUMNS])

    def _out(self, text: str, at: int, seq: int) -> tuple[Any, ...]:
        try:
            frame = _sent(text)
        except _WRONG:
            return self.row(text, at, seq, is_sent=True)
        self._ask(frame.action, frame.tracing_id or "", seq, at)
        return (
            "sent", frame.action, None, None, frame.tracing_id, frame.token or None, None, None,
            len(text) if text.isascii() else len(text.encode()), None, None, None, None, None,
            None, None, None, None, text,
        )  # fmt: skip

    def _in(self, text: str, at: int) -> tuple[Any, ...]:
        try:
            frame = _received(text)
        except _WRONG:  # an event, an answer, an error: anything but words
            return self.row(text, at, 0, is_sent=False)
        body = frame.body
        if frame.type == "response" or body.events or (len(text) > _LONG and _may_be_deep(text)):
            return self.row(text, at, 0, is_sent=False)
        time, message_id, late = None, "", False
        if (channel := body.channel) is not None:
            message_id = channel.message_id
            if channel.time is not None:
                time = round(channel.time.timestamp() * 1e6) * 1000  # a float holds microseconds until 2255
                if time < self._newest:
                    late = True
                else:
                    self._newest = time
        exchange, latency = None, None
        tracing_id = frame.tracing_id or body.tracing_id or None
        if tracing_id is not None and (asked := self._asked.pop(tracing_id, None)) is not None:
            exchange, latency = asked[0], (at - asked[1]) / 1e6
        return (
            "received", None, "StructuredMessage", frame.code, tracing_id, None, exchange, latency,
            len(text) if text.isascii() else len(text.encode()), message_id or body.id,
            body.direction, body.type, time, body.entity,
            ",".join([item.type for item in body.content]) or None if body.content else None,
            None, body.text, late, text,
        )  # fmt: skip

    def _ask(self, action: str | None, tracing_id: str, seq: int, at: int) -> None:
        if action in _CONFIGURES:
            self._configure = tracing_id
        elif not tracing_id:
            return
        self._asked[tracing_id] = (seq, at)
        if len(self._asked) > _PENDING:
            del self._asked[next(iter(self._asked))]

    def _answered(
        self, class_name: str | None, tracing_id: str | None, at: int
    ) -> tuple[int | None, float | None]:
        if tracing_id is None and class_name == "SessionResponse":
            tracing_id = self._configure  # official samples of it come without one
        asked = None if tracing_id is None else self._asked.pop(tracing_id, None)
        return (None, None) if asked is None else (asked[0], (at - asked[1]) / 1e6)

    def _late(self, time: int | None) -> bool:
        """Tell whether one with a later time came before it."""
        if time is None:
            return False
        if time < self._newest:
            return True
        self._newest = time
        return False


def _may_be_deep(text: str) -> bool:
    """Whether a frame has brackets enough to be nested more deeply than is read."""
    return text.count("{") + text.count("[") > DEEPEST
