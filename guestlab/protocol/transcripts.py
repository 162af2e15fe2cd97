"""What the Platform API tells of a conversation, as rows of the log: one row per message or segment.

Lives here: how five documents read: a message (`MessageData`) and a listing of them, a conversation, an
analytics conversation, a recording with its messaging transcript, and a page of guest history. Rows are
the keywords of `Log.record` and the fields of an `Entry`; they join live rows by `message_id`. Analytics
holds no words: its rows are lifecycle rows and say so. Addresses of files are left out of `raw`: they may
open the file.

Pure, and hostile documents read as fewer rows. Source of the shapes: the Platform API's OpenAPI document
(level: official); who is Human or Bot in a recording is told from the purpose (level: inferred).
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from guestlab.protocol.messages import Message
from guestlab.protocol.reading import instant, mapping, too_deep, word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "Row",
    "analytics_rows",
    "conversation_rows",
    "file_keys",
    "message_ids",
    "message_row",
    "recording_rows",
    "rows_of_document",
]

Row = dict[str, Any]
"""`kind` and further fields of an `Entry`, without number and time of recording; `message_time` in ns."""

NO_WORDS = "analytics keeps no words"

LEFT_OUT = "[left out]"

# The end of an address that is as good as a credential; a UUID is an id, and ids are no secrets.
_FILE_KEY = re.compile(
    r"://[^?#]*/(?![0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?:[?#]|$))([\w-]{24,})(?:[?#]|$)"
)
_LONGEST_ADDRESS = 4096
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DIRECTIONS = {"inbound": "Inbound", "outbound": "Outbound"}
_CUSTOMERS = frozenset({"customer", "external"})
_PEOPLE = frozenset({"customer", "external", "agent", "user", "group"})

# Key of a recorded message → content type. Source: RecordingMessagingMessage (level: official).
_RECORDED_CONTENT = {
    "messageMediaAttachments": "Attachment",
    "quickReplies": "QuickReply",
    "buttonResponse": "ButtonResponse",
    "buttonResponses": "ButtonResponse",
    "cards": "Card",
    "datePicker": "DatePicker",
    "listPicker": "ListPicker",
    "form": "Form",
    "story": "Story",
    "notificationTemplate": "Notification",
    "notificationResponse": "NotificationResponse",
    "interactiveApplication": "InteractiveApplication",
    "paymentRequest": "PaymentRequest",
    "paymentResponse": "PaymentResponse",
    "roadsideAssistance": "RoadsideAssistance",
    "richLink": "RichLink",
}


# -- messages ----------------------------------------------------------------------------------------------


def message_row(data: Any) -> Row | None:
    """Read a `MessageData`; None where it is none.

    >>> row = message_row({"id": "a1", "direction": "inbound", "timestamp": "2026-10-08T09:00:00.000Z",
    ...     "conversationId": "c1", "normalizedMessage": {"id": "a1", "type": "Text", "text": "Hi"}})
    >>> row["message_id"], row["message_direction"], row["text"]
    ('a1', 'Inbound', 'Hi')
    """
    data = {} if too_deep(data) else mapping(data)
    normalized = mapping(data.get("normalizedMessage"))
    message = Message.from_body(normalized)
    message_id = message.key or word(data.get("id"))
    if not message_id or not (normalized or "textBody" in data):
        return None
    direction = _direction(message.direction) or _direction(word(data.get("direction")))
    text = message.text or word(data.get("textBody"))  # textBody: until autumn 2026
    return _row(
        "history",
        message_id=message_id,
        conversation_id=word(data.get("conversationId")),
        message_direction=direction,
        message_type=message.type or ("Text" if text else ""),
        message_time=_nanoseconds(message.time or instant(data.get("timestamp"))),
        originating_entity=message.originating_entity,
        content_types=",".join(filter(None, message.content_types)),
        event_types=",".join(filter(None, message.event_types)),
        text=text,
        note=_status_note(data),
        raw=_raw(data),
    )


def _status_note(data: dict[str, Any]) -> str:
    status = word(data.get("status"))
    return f"messages: {status}" if status else "messages"


def _history_row(entity: dict[str, Any]) -> Row | None:
    """Read an entity of the guest's own history page, or the body a webhook is sent."""
    message = Message.from_body(entity)
    if not message.key or not message.direction or not isinstance(entity.get("channel"), dict):
        return None
    return _row(
        "history",
        message_id=message.key,
        conversation_id=word(entity.get("conversationId")),
        message_direction=_direction(message.direction),
        message_type=message.type,
        message_time=_nanoseconds(message.time),
        originating_entity=message.originating_entity,
        content_types=",".join(filter(None, message.content_types)),
        event_types=",".join(filter(None, message.event_types)),
        text=message.text,
        note="guest history",
        raw=_raw(entity),
    )


def message_ids(conversation: Any) -> list[str]:
    """The ids of all messages a conversation document lists, in order of time, each once.

    Both shapes are read: the list on the participant, and on a participant's communications.
    """
    found: dict[str, int] = {}
    for participant in _objects(mapping(conversation).get("participants")):
        for item in _objects(participant.get("messages")):
            for details in (item, *_objects(item.get("messages"))):
                identifier = word(details.get("messageId"))
                if identifier:
                    found.setdefault(identifier, _nanoseconds(instant(details.get("messageTime"))) or 0)
    return sorted(found, key=lambda identifier: found[identifier])


# -- who took part -----------------------------------------------------------------------------------------


def conversation_rows(document: Any) -> list[Row]:
    """Read a conversation: a lifecycle row per participant and end. Its words are fetched in bulk."""
    held = {} if too_deep(document) else mapping(document)
    identifier = word(held.get("id"))
    rows = []
    for participant in _objects(held.get("participants")):
        about = {name: value for name, value in participant.items() if name != "messages"}
        lines = [participant, *_objects(participant.get("messages"))]
        purpose = word(participant.get("purpose")) or "somebody"
        begun = _first(lines, "connectedTime", "startTime")
        ended = _first(lines, "endTime", "disconnectedTime")
        why = next((word(line["disconnectType"]) for line in lines if line.get("disconnectType")), "")
        for moment, what in ((begun, "joined"), (ended, f"left: {why}" if why else "left")):
            if moment is not None:
                note = f"conversation: {purpose} {what}"
                rows.append(_life(identifier, moment, note, about))
    return _in_order(rows)


def analytics_rows(document: Any) -> list[Row]:
    """Read an analytics conversation: lifecycle rows for its beginning, each segment and its end."""
    held = {} if too_deep(document) else mapping(document)
    identifier = word(held.get("conversationId"))
    rows = []
    start, end = instant(held.get("conversationStart")), instant(held.get("conversationEnd"))
    whole = {name: value for name, value in held.items() if name != "participants"}
    if start is not None:
        by = word(held.get("conversationInitiator")) or word(held.get("originatingDirection"))
        note = f"analytics: begun{f' by {by}' if by else ''} ({NO_WORDS})"
        rows.append(_life(identifier, start, note, whole))
    for participant in _objects(held.get("participants")):
        for session in _objects(participant.get("sessions")):
            rows += _segments(identifier, participant, session)
    if end is not None:
        rows.append(_life(identifier, end, f"analytics: ended ({NO_WORDS})", whole))
    return _in_order(rows)


def _segments(identifier: str, participant: dict[str, Any], session: dict[str, Any]) -> Iterator[Row]:
    purpose = word(participant.get("purpose")) or "somebody"
    media = word(session.get("messageType")) or word(session.get("mediaType")) or "unknown media"
    about = {name: value for name, value in session.items() if name not in {"segments", "metrics"}}
    for segment in _objects(session.get("segments")):
        start, end = instant(segment.get("segmentStart")), instant(segment.get("segmentEnd"))
        if start is None:
            continue
        length = f", {(end - start).total_seconds():.3f} s" if end is not None else ", not ended"
        why = word(segment.get("disconnectType"))
        kind = word(segment.get("segmentType")) or "unknown"
        ended = f", ended by {why}" if why else ""
        note = f"analytics: {purpose}, {media}, {kind}{length}{ended} ({NO_WORDS})"
        yield _life(identifier, start, note, {"purpose": purpose, "session": about, "segment": segment})


# -- recordings --------------------------------------------------------------------------------------------


def recording_rows(document: Any, key_of: Callable[[str], str] = str) -> list[Row]:
    """Read a recording's messaging transcript.

    Args:
        document: A `Recording`.
        key_of: The id live rows have for a recorded message's id, where it is another.
    """
    held = {} if too_deep(document) else mapping(document)
    identifier = word(held.get("conversationId"))
    rows = (_recorded(identifier, item, key_of) for item in _objects(held.get("messagingTranscript")))
    return [row for row in rows if row is not None]


def _recorded(identifier: str, item: dict[str, Any], key_of: Callable[[str], str]) -> Row | None:
    message_id, purpose = word(item.get("id")), word(item.get("purpose")).lower()
    if not message_id:
        return None
    kinds = [kind for key, kind in _RECORDED_CONTENT.items() if item.get(key)]
    content = list(dict.fromkeys([word(item.get("contentType")), *kinds]))
    events = Message.from_body({"events": item.get("events")}).event_types
    content = [kind for kind in content if kind]
    return _row(
        "history",
        message_id=key_of(message_id),
        conversation_id=identifier,
        message_direction="Inbound" if purpose in _CUSTOMERS else "Outbound",
        message_type="Event" if events else "Structured" if content and content != ["Attachment"] else "Text",
        message_time=_nanoseconds(instant(item.get("timestamp"))),
        originating_entity=("Human" if purpose in _PEOPLE else "Bot") if purpose else "",
        content_types=",".join(content),
        event_types=",".join(filter(None, events)),
        text=word(item.get("messageText")),
        note=f"recording: {purpose}" if purpose else "recording",
        raw=_raw(item),
    )


# -- documents as somebody saved them ----------------------------------------------------------------------


def rows_of_document(document: Any) -> list[Row] | None:
    """Read a saved JSON reply of the Platform API, or a list of them; None where it is no such document.

    Known: one message and listings of messages (bulk), history pages of the guest, what a webhook gets,
    conversations, analytics conversations (one, a query's page, a job's results), recordings (one, or a
    conversation's list). A listing without anything in it cannot be told apart and reads as None.

    >>> rows_of_document({"some": "thing"}) is None
    True
    """
    if too_deep(document):
        return None
    if isinstance(document, list):
        parts = [rows_of_document(part) for part in document if isinstance(part, dict)]
        known = [rows for rows in parts if rows is not None]
        return [row for rows in known for row in rows] if known and len(known) == len(document) else None
    if not isinstance(document, dict):
        return None
    for is_one, read in _DOCUMENTS:
        if is_one(document):
            return read(document)
    return None


def _is_message(document: dict[str, Any]) -> bool:
    return "normalizedMessage" in document or {"textBody", "messengerType"} <= document.keys()


def _is_history(document: dict[str, Any]) -> bool:
    return isinstance(document.get("channel"), dict) and {"direction", "type", "id"} <= document.keys()


def _is_analytics(document: dict[str, Any]) -> bool:
    return (
        "conversationId" in document
        and {"conversationStart", "originatingDirection"} & document.keys() != set()
    )


def _is_recording(document: dict[str, Any]) -> bool:
    return "messagingTranscript" in document or {"conversationId", "fileState"} <= document.keys()


def _is_conversation(document: dict[str, Any]) -> bool:
    participants = document.get("participants")
    return "id" in document and isinstance(participants, list) and "conversationId" not in document


def _listed(key: str, is_one: Callable[[dict[str, Any]], bool]) -> Callable[[dict[str, Any]], bool]:
    def is_listing(document: dict[str, Any]) -> bool:
        items = document.get(key)
        return (
            isinstance(items, list) and bool(items) and all(isinstance(i, dict) and is_one(i) for i in items)
        )

    return is_listing


def _each(key: str, read: Callable[[dict[str, Any]], list[Row]]) -> Callable[[dict[str, Any]], list[Row]]:
    return lambda document: [row for item in _objects(document.get(key)) for row in read(item)]


def _one(read: Callable[[dict[str, Any]], Row | None]) -> Callable[[dict[str, Any]], list[Row]]:
    def rows(document: dict[str, Any]) -> list[Row]:
        row = read(document)
        return [] if row is None else [row]

    return rows


_DOCUMENTS: tuple[tuple[Callable[[dict[str, Any]], bool], Callable[[dict[str, Any]], list[Row]]], ...] = (
    (_is_message, _one(message_row)),
    (_is_history, _one(_history_row)),
    (_listed("entities", _is_message), _each("entities", _one(message_row))),
    (_listed("entities", _is_history), _each("entities", _one(_history_row))),
    (_is_analytics, analytics_rows),
    (_listed("conversations", _is_analytics), _each("conversations", analytics_rows)),
    (_is_recording, recording_rows),
    (_is_conversation, conversation_rows),
    (_listed("entities", _is_conversation), _each("entities", conversation_rows)),
)
"""What tells a document → how it reads. First match wins."""


# -- within ------------------------------------------------------------------------------------------------


def _row(kind: str, **fields: Any) -> Row:
    """A row without what is missing or empty; a message's text stays, empty or not."""
    kept = {name: value for name, value in fields.items() if value not in (None, "") or name == "text"}
    return {"kind": kind, **kept}


def _life(identifier: str, moment: datetime, note: str, held: dict[str, Any]) -> Row:
    time = _nanoseconds(moment)
    return _row("lifecycle", conversation_id=identifier, message_time=time, note=note, raw=_raw(held))


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _first(lines: list[dict[str, Any]], *names: str) -> datetime | None:
    found = (instant(line.get(name)) for name in names for line in lines)
    return next((moment for moment in found if moment is not None), None)


def _in_order(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: row.get("message_time", 0))


def _direction(text: str) -> str | None:
    return _DIRECTIONS.get(text.lower())


def _nanoseconds(moment: datetime | None) -> int | None:
    """Since 1970; None where 64 bits do not hold it, as in the year 9999."""
    if moment is None:
        return None
    nanoseconds = (moment - _EPOCH) // _MICROSECOND * 1000
    return nanoseconds if -(2**63) < nanoseconds < 2**63 else None


def _raw(held: Any) -> str:
    """The document as JSON, addresses of files left out."""
    return word(json.dumps(_without_addresses(held), ensure_ascii=False, separators=(",", ":")))


def _without_addresses(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: LEFT_OUT if _is_address(key, item) else _without_addresses(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_without_addresses(item) for item in value]
    return value


def file_keys(document: Any) -> Iterator[str]:
    """Yield the opaque ends of the addresses in a document: whoever knows one may fetch the file.

    >>> list(file_keys({"url": "https://files.example/downloads/abcdefghijklmnopqrstuvwx?X-Amz-Date=1"}))
    ['abcdefghijklmnopqrstuvwx']
    """
    if too_deep(document):
        return
    waiting = [document]
    while waiting:
        held = waiting.pop()
        if isinstance(held, list):
            waiting += held
        elif isinstance(held, dict):
            for key, value in held.items():
                if isinstance(value, str):
                    found = _FILE_KEY.search(value[:_LONGEST_ADDRESS]) if _is_address(key, value) else None
                    if found is not None:
                        yield found[1]
                else:
                    waiting.append(value)


def _is_address(key: str, value: Any) -> bool:
    """Tell a file's address by its name and look: whoever knows a presigned one may fetch the file."""
    name = key.lower()
    if name == "mediauris":
        return True
    return name.endswith(("url", "uri", "href")) and isinstance(value, str) and "://" in value[:16]
