"""What a frame says by itself, as columns of the log: the same for a live frame and for one read from a file.

Pure: no clock, no file. `frame_columns` looks at one frame, `Frames` at the frames of one socket in wire
order, and adds what depends on the earlier ones: which question a frame answers, and whether a message is
late. Secrets stand in what is returned: the log masks them at its door.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from guestlab.log.entry import Kind, Lane
from guestlab.log.fitting import nanoseconds
from guestlab.protocol.decoding import decode
from guestlab.protocol.events import MessageReceived
from guestlab.protocol.inbox import Inbox

if TYPE_CHECKING:
    from guestlab.protocol.messages import Message

__all__ = ["Frames", "capabilities", "direction_of", "frame_columns", "message_columns"]

_URL = re.compile(r'"(?:url|downloadUrl)"\s*+:\s*+"([^"]++)"')
_OPAQUE = re.compile(r"[\w-]{24,}")
_CONFIGURES = frozenset({"configureSession", "configureAuthenticatedSession"})
_PENDING = 10_000
"""Questions remembered until their answers come."""


def message_columns(message: Message) -> dict[str, Any]:
    """Return the columns of one message, live or from history."""
    return {
        "message_id": message.key,
        "message_direction": message.direction or None,
        "message_type": message.type,
        "message_time": nanoseconds(message.time),
        "originating_entity": message.originating_entity or None,
        "content_types": ",".join(message.content_types) or None,
        "text": message.text,
        "late": message.late,
    }


def direction_of(parsed: object) -> str | None:
    """Tell by its keys who sent a frame; None when it is no frame of the guest socket."""
    if not isinstance(parsed, dict):
        return None
    if isinstance(parsed.get("class"), str):
        return "received"
    return "sent" if isinstance(parsed.get("action"), str) else None


def capabilities(text: str) -> list[str]:
    """Return the opaque last parts of the URLs in a frame: to know such a URL is to have the file."""
    if 'rl"' not in text:
        return []
    ends = [urlsplit(_plain(url)).path.rpartition("/")[2] for url in _URL.findall(text) if "/" in url]
    return [end for end in ends if _OPAQUE.fullmatch(end)]


def frame_columns(raw: str | bytes, direction: str, *, inbox: Inbox | None = None) -> dict[str, Any]:
    """Return the columns of one frame that it gives by itself; never raise.

    >>> columns = frame_columns('{"action":"echo","token":"8b6c1d1e","tracingId":"1"}', "sent")
    >>> columns["action"], columns["tracing_id"], columns["guest_token"]
    ('echo', '1', '8b6c1d1e')

    Args:
        raw: The frame as it crossed the wire.
        direction: sent or received, seen from the client.
        inbox: Knows the messages before this one, so that a late one is flagged.

    Returns:
        Columns as `Log.record` takes them: kind, lane, direction, raw, and those that are not missing.
        `guest_token` is the token itself.
    """
    text = raw.decode("utf-8", "backslashreplace") if isinstance(raw, bytes) else raw
    known = _sent(text) if direction == "sent" else _received(raw, inbox)
    size = len(raw) if isinstance(raw, bytes) or raw.isascii() else len(raw.encode("utf-8", "surrogatepass"))
    always = {"kind": Kind.FRAME, "lane": Lane.FRAME, "direction": direction, "size": size, "raw": text}
    return always | {name: value for name, value in known.items() if value is not None}


def _sent(text: str) -> dict[str, Any]:
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(parsed, dict):
        return {}
    token = parsed.get("token")
    return {
        "action": _word(parsed.get("action")),
        "tracing_id": _word(parsed.get("tracingId")),
        "guest_token": token if isinstance(token, str) and token else None,
    }


def _received(raw: str | bytes, inbox: Inbox | None) -> dict[str, Any]:
    events = decode(raw)
    event = events[0]
    columns: dict[str, Any] = {}
    if isinstance(event, MessageReceived):
        if inbox is not None:
            event.message.late = inbox.is_late(event.message)
        columns = message_columns(event.message)
    elif event.envelope.parsed is not None:
        columns = {"event_types": ",".join(type(event).__name__ for event in events)}
    return {
        "class_name": event.class_name,
        "frame_code": event.code,
        "tracing_id": event.tracing_id or None,
        **columns,
    }


class Frames:
    """The frames of one socket, in wire order.

    >>> frames = Frames()
    >>> question = frames.columns('{"action":"echo","tracingId":"1"}', "sent", seq=1)
    >>> answer = frames.columns('{"class":"string","code":200,"tracingId":"1"}', "received", seq=2)
    >>> answer["exchange"]
    1
    """

    def __init__(self) -> None:
        self._inbox = Inbox()
        self._asked: dict[str, tuple[int, int | None]] = {}
        self._configure: str | None = None

    def columns(
        self, raw: str | bytes, direction: str, *, seq: int, at_ns: int | None = None
    ) -> dict[str, Any]:
        """Return the columns of the next frame: `frame_columns`, and `late`, `exchange`, `latency_ms`.

        Args:
            raw: The frame as it crossed the wire.
            direction: sent or received, seen from the client.
            seq: Number of its entry.
            at_ns: When it crossed the wire, where that is known.
        """
        columns = frame_columns(raw, direction, inbox=self._inbox)
        tracing_id = columns.get("tracing_id")
        if direction == "sent":
            self._ask(columns.get("action"), tracing_id or "", seq, at_ns)
            return columns
        if tracing_id is None and columns.get("class_name") == "SessionResponse":
            tracing_id = self._configure  # official samples of it come without one
        asked = self._asked.pop(tracing_id, None) if tracing_id is not None else None
        if asked is not None:
            columns["exchange"], asked_at = asked
            if at_ns is not None and asked_at is not None:
                columns["latency_ms"] = (at_ns - asked_at) / 1e6
        return columns

    def _ask(self, action: str | None, tracing_id: str, seq: int, at_ns: int | None) -> None:
        if action in _CONFIGURES:
            self._configure = tracing_id
        elif not tracing_id:
            return
        self._asked[tracing_id] = (seq, at_ns)
        if len(self._asked) > _PENDING:
            del self._asked[next(iter(self._asked))]


def _word(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _plain(url: str) -> str:
    return url.replace("\\/", "/").replace("[", "").replace("]", "")  # brackets are no IPv6 address here
