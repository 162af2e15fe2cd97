"""How a frame becomes events.

Lives here: `decode`, which never raises whatever bytes come, and one reader per wire class in `READERS`,
the only place that names those classes. The event classes stand in `events.py`. A frame with several
events inside yields several; a plain text message, by far the most frequent frame, takes the short way.
"""

from __future__ import annotations

from collections.abc import Callable
from json import dumps, loads
from typing import Any

from msgspec import DecodeError
from msgspec.json import Decoder

from guestlab.protocol import events as got
from guestlab.protocol.events import Envelope, Event, MalformedFrame, MessageReceived, Unrecognized
from guestlab.protocol.messages import Message
from guestlab.protocol.plain import read_plain
from guestlab.protocol.reading import DEEPEST, Raw, mapping, moment, number, switch, too_deep, whole, word

__all__ = ["READERS", "decode", "decode_entity"]

_TYPING_MS = 5000  # official: what clients show when a typing event names no duration

_quickly = Decoder().decode
"""Three times as fast as `json.loads`, and equal where it succeeds. It refuses more than that does, numbers
that are none and halves of surrogate pairs among them: what it refuses is read again, slowly."""


def decode(text: str | bytes) -> tuple[Event, ...]:
    """Read one frame. Never raises and never returns nothing.

    >>> event, = decode('{"type":"response","class":"string","code":4011,"body":"message too long"}')
    >>> event
    ErrorReceived(reason='message too long', error_code=None)
    """
    if isinstance(text, bytes):
        return _from_bytes(text)
    plain = read_plain(text)
    if plain is not None:
        return (plain.event,)
    try:
        parsed = _quickly(text)
    except (DecodeError, UnicodeEncodeError, RecursionError):
        return _read_slowly(text)
    return _events(text, parsed)


def decode_entity(entity: Any) -> tuple[Event, ...]:
    """Read one entity of the history page as if it had come live."""
    frame = {"type": "message", "class": "StructuredMessage", "code": 200, "body": entity}
    try:
        return decode(dumps(frame))
    except (TypeError, ValueError, RecursionError) as error:
        return _malformed("", f"The history entity is not JSON: {error}.")


def _from_bytes(data: bytes) -> tuple[Event, ...]:
    try:
        return decode(data.decode())
    except UnicodeDecodeError as error:
        return _malformed(data.decode("utf-8", "backslashreplace"), f"The frame is not UTF-8: {error}.")


def _read_slowly(text: str) -> tuple[Event, ...]:
    """Try again with the standard library, which knows no limit of a number and lets halves of pairs pass."""
    try:
        return _events(text, loads(text))
    except RecursionError:
        return _malformed(text, "The frame is nested too deeply.")
    except ValueError as error:
        return _malformed(text, f"The frame is not JSON: {error}.")


def _events(text: str, parsed: Any) -> tuple[Event, ...]:
    # Without that many brackets no depth is reached; a short text has no room for them and their partners.
    if len(text) > 2 * DEEPEST and text.count("{") + text.count("[") > DEEPEST and too_deep(parsed):
        return _malformed(text, "The frame is nested too deeply.")
    envelope = Envelope(text, parsed)
    if type(parsed) is not dict:
        return (MalformedFrame(envelope=envelope, reason="The frame is JSON, but not an object."),)
    name = parsed.get("class")
    reader = READERS.get(name) if type(name) is str else None
    if reader is not None:
        return reader(envelope, parsed.get("body"))
    if (whole(parsed.get("code")) or 0) >= 300:
        return _error(envelope, parsed.get("body"))
    return (Unrecognized(envelope=envelope, what="class", name=word(name), detail=Raw.of(parsed)),)


def _malformed(text: str, reason: str) -> tuple[Event, ...]:
    return (MalformedFrame(envelope=Envelope(text), reason=reason),)


# Each reader takes the envelope and whatever stands under "body", which may be of any type or absent.


def _structured(envelope: Envelope, body: Any) -> tuple[Event, ...]:
    if type(body) is not dict:
        return (MalformedFrame(envelope=envelope, reason="A StructuredMessage without a body."),)
    parsed = envelope.parsed
    tracing_id = parsed.get("tracingId")
    if type(tracing_id) is not str or not tracing_id:
        tracing_id = body.get("tracingId")
    message = Message(body, word(tracing_id) if tracing_id else "")
    kind = body.get("type")
    happenings = body.get("events")
    if parsed.get("type") == "response" and not happenings:
        return (_echo(envelope, message),)
    if not happenings and kind in ("Text", "Structured"):
        return (MessageReceived(envelope=envelope, message=message),)
    return _rarely_structured(envelope, message, kind, happenings)


def _rarely_structured(envelope: Envelope, message: Message, kind: Any, happenings: Any) -> tuple[Event, ...]:
    events = [_happening(envelope, message, item) for item in happenings] if type(happenings) is list else []
    if kind == "Receipt":
        events.insert(0, got.ReceiptReceived(envelope=envelope, status=message.status, message=message))
    elif kind != "Event":
        events.insert(0, MessageReceived(envelope=envelope, message=message))
    if not events:  # an Event without events says nothing, but it is kept
        return (Unrecognized(envelope=envelope, what="message", name="Event", detail=message.raw),)
    return tuple(events)


def _happening(envelope: Envelope, message: Message, item: Any) -> Event:
    held = mapping(item)
    kind = word(held.get("eventType"))
    direction = message.direction
    if kind == "Typing":
        typing = mapping(held.get("typing"))
        duration = whole(typing.get("duration", typing.get("durationMs")))
        return got.TypingReceived(
            envelope=envelope,
            duration_ms=_TYPING_MS if duration is None else duration,
            direction=direction,
            on=word(typing.get("type")) != "Off",
            message=message,
        )
    if kind == "Presence":
        return got.PresenceChanged(
            envelope=envelope,
            presence=word(mapping(held.get("presence")).get("type")),
            direction=direction,
            read_only=switch(message.metadata.get("readOnly")) is True,  # the string "true" on the wire
            message=message,
        )
    if kind in {"CoBrowse", "Video"}:
        detail = mapping(held.get("coBrowse" if kind == "CoBrowse" else "video"))
        offer = got.CoBrowseReceived if kind == "CoBrowse" else got.VideoReceived
        return offer(
            envelope=envelope,
            offering=word(detail.get("type")),
            direction=direction,
            detail=Raw.of(detail),
            message=message,
        )
    detail = Raw.of(held) if held else Raw(item=Raw.of(item))
    return Unrecognized(envelope=envelope, what="event", name=kind, detail=detail)


def _echo(envelope: Envelope, message: Message) -> got.EchoReceived:
    metadata = message.metadata
    return got.EchoReceived(
        envelope=envelope,
        message=message,
        duration_seconds=whole(metadata.get("durationSeconds")),  # strings on the wire
        expiration=moment(metadata.get("expirationDate")),
    )


def _media(body: dict[str, Any]) -> dict[str, Any]:
    inbound = mapping(mapping(body.get("allowedMedia")).get("inbound"))
    types = inbound.get("fileTypes")
    blocked = body.get("blockedExtensions")
    return {
        "allowed_media": tuple(word(mapping(item).get("type")) for item in types)
        if type(types) is list
        else (),
        "max_file_size_kb": whole(inbound.get("maxFileSizeKB")),
        "blocked_extensions": tuple(word(item) for item in blocked) if type(blocked) is list else (),
        "max_custom_data_bytes": whole(body.get("maxCustomDataBytes")),
    }


def _session(envelope: Envelope, body: Any) -> tuple[Event, ...]:
    if _refused(envelope):
        return _error(envelope, body)
    held = mapping(body)
    connected = switch(held.get("connected"))
    if connected is None:
        return (MalformedFrame(envelope=envelope, reason="A SessionResponse that does not say connected."),)
    return (
        got.SessionConfigured(
            envelope=envelope,
            connected=connected,
            new_session=switch(held.get("newSession")) is True,
            read_only=switch(held.get("readOnly")) is True,
            cleared_existing_session=switch(held.get("clearedExistingSession")) is True,
            auto_started=switch(held.get("autoStarted")) is True,
            duration_seconds=whole(held.get("durationSeconds")),
            expiration=moment(held.get("expirationDate")),
            **_media(held),
        ),
    )


def _configuration(envelope: Envelope, body: Any) -> tuple[Event, ...]:
    if _refused(envelope):
        return _error(envelope, body)
    held = mapping(body)
    return (
        got.ConfigurationReceived(
            envelope=envelope,
            message_routing_enabled=switch(held.get("messageRoutingEnabled")),
            session_duration_seconds=whole(held.get("sessionDurationSeconds")),
            **_media(held),
        ),
    )


def _presigned(envelope: Envelope, body: Any) -> tuple[Event, ...]:
    held = mapping(body)
    url = held.get("url")
    if type(url) is not str:
        return (MalformedFrame(envelope=envelope, reason="A PresignedUrlResponse without a URL."),)
    headers = {name: word(value) for name, value in mapping(held.get("headers")).items()}
    file_size = whole(held.get("fileSize"))
    attachment_id = word(held.get("attachmentId"))
    if not headers and file_size is not None:  # how official clients tell the two apart
        return (
            got.DownloadUrlIssued(
                envelope=envelope,
                attachment_id=attachment_id,
                url=word(url),
                file_name=word(held.get("fileName")),
                file_size=file_size,
                file_type=word(held.get("fileType")),
            ),
        )
    return (
        got.UploadUrlIssued(envelope=envelope, attachment_id=attachment_id, url=word(url), headers=headers),
    )


def _upload_success(envelope: Envelope, body: Any) -> tuple[Event, ...]:
    held = mapping(body)
    return (
        got.UploadSucceeded(
            envelope=envelope,
            attachment_id=word(held.get("attachmentId")),
            download_url=word(held.get("downloadUrl")),
            timestamp=word(held.get("timestamp")),
        ),
    )


def _said(body: dict[str, Any]) -> dict[str, Any]:
    return {
        "reason": word(body.get("errorMessage")) or word(body.get("message")),
        "error_code": whole(body.get("errorCode")),
    }


def _upload_failure(envelope: Envelope, body: Any) -> tuple[Event, ...]:
    held = mapping(body)
    return (
        got.UploadFailed(
            envelope=envelope,
            attachment_id=word(held.get("attachmentId")),
            timestamp=word(held.get("timestamp")),
            **_said(held),
        ),
    )


def _url_error(envelope: Envelope, body: Any) -> tuple[Event, ...]:
    held = mapping(body)
    return (
        got.AttachmentRefused(envelope=envelope, attachment_id=word(held.get("attachmentId")), **_said(held)),
    )


def _deleted(envelope: Envelope, body: Any) -> tuple[Event, ...]:
    return (got.AttachmentDeleted(envelope=envelope, attachment_id=word(mapping(body).get("attachmentId"))),)


def _jwt(envelope: Envelope, body: Any) -> tuple[Event, ...]:
    held = mapping(body)
    jwt = word(held.get("jwt"))
    if not jwt:
        return (MalformedFrame(envelope=envelope, reason="A JwtResponse without a JWT."),)
    return (got.JwtIssued(envelope=envelope, jwt=jwt, expiration=moment(held.get("exp"))),)


def _resume_token(envelope: Envelope, body: Any) -> tuple[Event, ...]:
    held = mapping(body)
    token = word(held.get("resumeToken"))
    if not token:
        return (MalformedFrame(envelope=envelope, reason="A ResumeTokenResponse without a token."),)
    return (got.ResumeTokenIssued(envelope=envelope, resume_token=token, expiration=moment(held.get("exp"))),)


def _taken_over(envelope: Envelope, body: Any) -> tuple[Event, ...]:
    held = mapping(body)
    # Official clients read `reason`, the official model says `reasonCode`.
    reason = word(held.get("reason")) or word(held.get("reasonCode"))
    return (got.ConnectionTakenOver(envelope=envelope, reason=reason),)


def _plain(kind: type[Event]) -> Callable[[Envelope, Any], tuple[Event, ...]]:
    return lambda envelope, _body: (kind(envelope=envelope),)


def _refused(envelope: Envelope) -> bool:
    return (whole(envelope.parsed.get("code")) or 0) >= 300


def _error(envelope: Envelope, body: Any) -> tuple[Event, ...]:
    said = {"reason": word(body), "error_code": None} if type(body) is str else _said(mapping(body))
    event = got.ErrorReceived(envelope=envelope, **said)
    if event.code in {429, 4029}:
        return _rate_limited(envelope, body if type(body) is dict else {"errorMessage": body})
    return (event,)


def _string(envelope: Envelope, body: Any) -> tuple[Event, ...]:
    if _refused(envelope):
        return _error(envelope, body)
    # An acknowledgement in words (inferred): nothing depends on it.
    return (Unrecognized(envelope=envelope, what="class", name="string", detail=Raw(body=Raw.of(body))),)


def _rate_limited(envelope: Envelope, body: Any) -> tuple[Event, ...]:
    held = mapping(body)
    wait = number(held.get("retryAfter"))
    return (
        got.RateLimited(
            envelope=envelope, retry_after=None if wait is None else max(wait, 0.0), **_said(held)
        ),
    )


READERS: dict[str, Callable[[Envelope, Any], tuple[Event, ...]]] = {
    "StructuredMessage": _structured,
    "SessionResponse": _session,
    "PresignedUrlResponse": _presigned,
    "UploadSuccessEvent": _upload_success,
    "UploadFailureEvent": _upload_failure,
    "GenerateUrlError": _url_error,
    "AttachmentDeletedResponse": _deleted,
    "ConnectionClosedEvent": _taken_over,
    "LogoutEvent": _plain(got.LoggedOut),
    "SessionExpiredEvent": _plain(got.SessionExpired),
    "SessionClearedEvent": _plain(got.SessionCleared),
    "JwtResponse": _jwt,
    "GetConfigurationResponse": _configuration,
    "ResumeTokenResponse": _resume_token,
    "TooManyRequestsErrorMessage": _rate_limited,
    "string": _string,
    "Error": _error,
    "ErrorMessage": _error,
}
"""Wire class -> reader. `Unknown`, the official model's last class, is left to `Unrecognized`."""
