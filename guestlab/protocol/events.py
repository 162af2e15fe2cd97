"""What the server can say, one class per thing, and how a frame becomes events.

Lives here: the event classes and `decode`, which never raises: a frame that is no JSON, or of no known
class, is an event too. May not live here: what an event does to the session (`guest.py`) and what the
numbers mean (`codes.py`). Wire class names appear in `READERS` only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from json import JSONDecoder, dumps, loads
from typing import TYPE_CHECKING, Any

from guestlab.protocol.codes import AUTHENTICATION_LOST, describe_error
from guestlab.protocol.messages import Message
from guestlab.protocol.reading import Raw, mapping, moment, number, switch, whole, word

if TYPE_CHECKING:
    from datetime import datetime

__all__ = [
    "AttachmentDeleted",
    "AttachmentRefused",
    "CoBrowseReceived",
    "ConfigurationReceived",
    "ConnectionTakenOver",
    "DownloadUrlIssued",
    "EchoReceived",
    "Envelope",
    "ErrorReceived",
    "Event",
    "JwtIssued",
    "LoggedOut",
    "MalformedFrame",
    "MessageReceived",
    "PresenceChanged",
    "RateLimited",
    "ReceiptReceived",
    "ResumeTokenIssued",
    "SessionCleared",
    "SessionConfigured",
    "SessionExpired",
    "TypingReceived",
    "Unrecognized",
    "UploadFailed",
    "UploadSucceeded",
    "UploadUrlIssued",
    "VideoReceived",
    "decode",
    "decode_entity",
]

DEEPEST = 200
"""Frames nested deeper than this are malformed: no message comes near, and reading them back could fail."""

_SHALLOW_BELOW = 2 * DEEPEST  # a shorter text has no room for so many brackets and their partners
_TYPING_MS = 5000  # official: what clients show when a typing event names no duration


class Envelope:
    """A frame as it came: its text, and the JSON in it. Its repr shows neither."""

    __slots__ = ("parsed", "text")

    def __init__(self, text: str = "", parsed: Any = None) -> None:
        self.text = text
        self.parsed = parsed

    def __eq__(self, other: object) -> bool:
        return self.text == other.text if isinstance(other, Envelope) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"Envelope({len(self.text)} characters)"


_NONE = Envelope()


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What all events share: the frame they came in.

    Several events can come in one frame; they then share it.
    """

    envelope: Envelope = field(default=_NONE, repr=False)

    @property
    def class_name(self) -> str:
        """The frame's class by its wire name, "" when it has none."""
        return word(mapping(self.envelope.parsed).get("class"))

    @property
    def type(self) -> str:
        """Whether the frame says it is a response or a message; not to be relied on."""
        return word(mapping(self.envelope.parsed).get("type"))

    @property
    def code(self) -> int | None:
        """The frame code (lane: frame) on the envelope; errors say their own."""
        return whole(mapping(self.envelope.parsed).get("code"))

    @property
    def tracing_id(self) -> str:
        """The tracing id of the request this answers, or ""."""
        return _tracing_id(self.envelope.parsed)

    @property
    def text(self) -> str:
        """The frame as it came."""
        return self.envelope.text

    @property
    def raw(self) -> Any:
        """The frame's JSON, read again from its text; its repr hides secrets. None when it is no JSON."""
        try:
            return loads(self.envelope.text, object_hook=Raw)
        except (ValueError, RecursionError):
            return None


# -- the session ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionConfigured(Event):
    """The server answered a configure, or a close: the session's limits and whether it is usable.

    Attributes:
        connected: False after `CloseSession`: the socket lives on without a session.
        new_session: This configure created the session.
        read_only: The conversation was disconnected for good; reading is all that is left.
        cleared_existing_session: Another session of the same signed-in person was removed.
        allowed_media: MIME types a guest may upload, wildcards included; empty means none.
        max_file_size_kb: The largest upload, in thousands of bytes as official clients count.
        blocked_extensions: File extensions that are refused, with their dot.
        max_custom_data_bytes: The most bytes of custom attributes.
        duration_seconds: How long the session lives without messages.
        expiration: When it expires if nothing more is said.
    """

    connected: bool
    new_session: bool = False
    read_only: bool = False
    cleared_existing_session: bool = False
    auto_started: bool = False
    allowed_media: tuple[str, ...] = ()
    max_file_size_kb: int | None = None
    blocked_extensions: tuple[str, ...] = ()
    max_custom_data_bytes: int | None = None
    duration_seconds: int | None = None
    expiration: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionTakenOver(Event):
    """Another connection replaced this one: a fourth one, a close of all, a clear, or a sign-in elsewhere.

    Close the socket and do not reconnect by yourself.

    Attributes:
        reason: "signedIn" is the only value known; mostly "".
    """

    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedOut(Event):
    """The signed-in guest logged out somewhere; the guest token is worthless now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionExpired(Event):
    """The session was idle for too long; comes by itself or as the answer to any action."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionCleared(Event):
    """The guest cleared the conversation, here or on another connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationReceived(Event):
    """The answer to `RequestConfiguration`."""

    allowed_media: tuple[str, ...] = ()
    max_file_size_kb: int | None = None
    blocked_extensions: tuple[str, ...] = ()
    max_custom_data_bytes: int | None = None
    message_routing_enabled: bool | None = None
    session_duration_seconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JwtIssued(Event):
    """The answer to `RequestJwt`: the bearer for the history page, good for a minute (documented)."""

    jwt: str = field(repr=False)
    expiration: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeTokenIssued(Event):
    """A resume token; in the official model, its use is not documented."""

    resume_token: str = field(repr=False)
    expiration: datetime | None = None


# -- what is said -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageReceived(Event):
    """Somebody said something; the guest's own words come back too, as the only acknowledgement there is."""

    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class EchoReceived(Event):
    """The answer to `Echo`; only this connection gets it, and nothing is stored."""

    message: Message
    duration_seconds: int | None = None
    expiration: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TypingReceived(Event):
    """Somebody is typing: show it for `duration_ms`, or until a message comes.

    Attributes:
        on: False for the `Off` that only test fixtures of the vendor have.
    """

    duration_ms: int
    direction: str
    on: bool
    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenceChanged(Event):
    """Somebody joined, left, cleared or signed in.

    Attributes:
        presence: Join, Disconnect, Clear, SignIn, SessionExpired, Authenticate and others to come.
        read_only: With Disconnect: the session accepts no more messages.
    """

    presence: str
    direction: str
    read_only: bool
    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class CoBrowseReceived(Event):
    """A co-browse offering; this client takes no part, the event is kept whole.

    Attributes:
        offering: Offering, OfferingAccepted, OfferingExpired or OfferingRejected.
        detail: The offering as it came.
    """

    offering: str
    direction: str
    detail: Mapping[str, Any]
    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoReceived(Event):
    """A video offering; this client takes no part, the event is kept whole."""

    offering: str
    direction: str
    detail: Mapping[str, Any]
    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptReceived(Event):
    """A delivery receipt; in the official model, never seen on the web channel."""

    status: str
    message: Message


# -- attachments ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadUrlIssued(Event):
    """The answer to `RequestUpload`: PUT the bytes there, with these headers."""

    attachment_id: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadUrlIssued(Event):
    """The answer to `RequestDownload`: a fresh URL, good for about ten minutes (documented)."""

    attachment_id: str
    url: str = field(repr=False)
    file_name: str = ""
    file_size: int | None = None
    file_type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadSucceeded(Event):
    """The upload was scanned and accepted; only now may a message carry it."""

    attachment_id: str
    download_url: str = field(repr=False)
    timestamp: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentDeleted(Event):
    """The answer to `DeleteAttachment`."""

    attachment_id: str


# -- errors -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorReceived(Event):
    """The server refused something. Final while configuring, mostly a notice afterwards: see `guest.py`.

    Attributes:
        reason: What the server said, in its words.
        error_code: The body's own code; None when only the envelope has one.
    """

    reason: str = ""
    error_code: int | None = None

    @property
    def code(self) -> int | None:
        """The frame code (lane: frame): the body's own where it has one, else the envelope's."""
        return (
            self.error_code
            if self.error_code is not None
            else whole(mapping(self.envelope.parsed).get("code"))
        )

    @property
    def name(self) -> str:
        """The code's short name, from `ERROR_CODES`."""
        return describe_error(self.code).name

    @property
    def advice(self) -> str:
        """What to do about it, from `ERROR_CODES`."""
        return describe_error(self.code).next_step

    @property
    def authentication_lost(self) -> bool:
        """Whether an authenticated session lost its sign-in: sign in again and connect again."""
        return self.code == 403 and self.reason.lower().startswith(AUTHENTICATION_LOST)


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimited(ErrorReceived):
    """A budget is used up; the request was not accepted and may be sent again after the wait.

    Attributes:
        retry_after: Seconds to wait; None when the server did not say.
    """

    retry_after: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentRefused(ErrorReceived):
    """The server issued no URL for an attachment."""

    attachment_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadFailed(ErrorReceived):
    """An upload was refused after its bytes had arrived."""

    attachment_id: str = ""
    timestamp: str = ""


# -- what cannot be read ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Unrecognized(Event):
    """JSON of a class, or with an event, that nobody here knows; it is kept whole.

    Attributes:
        what: "class", "event" or "message": what is unknown about it.
        name: Its wire name.
        detail: The unknown part as it came.
    """

    what: str
    name: str
    detail: Mapping[str, Any] = field(default_factory=Raw, repr=False, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class MalformedFrame(Event):
    """The frame is no JSON object, or lacks what its class cannot do without.

    Attributes:
        reason: What is wrong with it.
    """

    reason: str


# -- reading ----------------------------------------------------------------------------------------------

_scan = JSONDecoder().scan_once


def decode(text: str | bytes) -> tuple[Event, ...]:
    """Read one frame. Never raises and never returns nothing.

    >>> event, = decode('{"type":"response","class":"string","code":4011,"body":"message too long"}')
    >>> event
    ErrorReceived(reason='message too long', error_code=None)
    """
    if type(text) is not str:
        try:
            text = bytes(text).decode()
        except (UnicodeDecodeError, TypeError, ValueError) as error:
            return _malformed(_as_text(text), None, f"The frame is not UTF-8: {error}.")
    try:
        # `loads` would also skip spaces around the object and build nothing else; frames have none.
        parsed, end = _scan(text, 0)
        if end != len(text):
            parsed = loads(text)
    except StopIteration:
        return _read_slowly(text)
    except RecursionError:
        return _malformed(text, None, "The frame is nested too deeply.")
    except ValueError as error:
        return _malformed(text, None, f"The frame is not JSON: {error}.")
    return _events(text, parsed)


def decode_entity(entity: Any) -> tuple[Event, ...]:
    """Read one entity of the history page as if it had come live."""
    frame = {"type": "message", "class": "StructuredMessage", "code": 200, "body": entity}
    try:
        return decode(dumps(frame))
    except (TypeError, ValueError, RecursionError) as error:
        return _malformed("", None, f"The history entity is not JSON: {error}.")


def _read_slowly(text: str) -> tuple[Event, ...]:
    try:
        return _events(text, loads(text))
    except RecursionError:
        return _malformed(text, None, "The frame is nested too deeply.")
    except ValueError as error:
        return _malformed(text, None, f"The frame is not JSON: {error}.")


def _events(text: str, parsed: Any) -> tuple[Event, ...]:
    if len(text) >= _SHALLOW_BELOW and _too_deep(text, parsed):
        return _malformed(text, None, "The frame is nested too deeply.")
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


def _too_deep(text: str, parsed: Any) -> bool:
    if text.count("{") + text.count("[") <= DEEPEST:
        return False
    layer, depth = [parsed], 0
    while layer:
        depth += 1
        if depth > DEEPEST:
            return True
        inner: list[Any] = []
        for value in layer:
            inner += value.values() if type(value) is dict else value if type(value) is list else ()
        layer = inner
    return False


def _malformed(text: str, parsed: Any, reason: str) -> tuple[Event, ...]:
    return (MalformedFrame(envelope=Envelope(text, parsed), reason=reason),)


def _as_text(frame: Any) -> str:
    return frame.decode("utf-8", "backslashreplace") if isinstance(frame, bytes) else ""


def _tracing_id(parsed: Any) -> str:
    held = mapping(parsed)
    # The envelope first, then the body: bodies may carry one since model 18.0 (official).
    return word(held.get("tracingId")) or word(mapping(held.get("body")).get("tracingId"))


# Each reader takes the envelope and whatever stands under "body", which may be of any type or absent.


def _structured(envelope: Envelope, body: Any) -> tuple[Event, ...]:
    if type(body) is not dict:
        return (MalformedFrame(envelope=envelope, reason="A StructuredMessage without a body."),)
    parsed = envelope.parsed
    tracing_id = parsed.get("tracingId")
    if type(tracing_id) is not str:
        tracing_id = body.get("tracingId")
    message = Message(body, tracing_id if type(tracing_id) is str else "")
    if parsed.get("type") == "response":
        return (_echo(envelope, message),)
    kind = body.get("type")
    happenings = body.get("events")
    if not happenings and kind in ("Text", "Structured"):
        return (MessageReceived(envelope=envelope, message=message),)
    return _rarely_structured(envelope, message, kind, happenings)


def _rarely_structured(envelope: Envelope, message: Message, kind: Any, happenings: Any) -> tuple[Event, ...]:
    events = [_happening(envelope, message, item) for item in happenings] if type(happenings) is list else []
    if kind == "Receipt":
        events.insert(0, ReceiptReceived(envelope=envelope, status=message.status, message=message))
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
        return TypingReceived(
            envelope=envelope,
            duration_ms=_TYPING_MS if duration is None else duration,
            direction=direction,
            on=word(typing.get("type")) != "Off",
            message=message,
        )
    if kind == "Presence":
        return PresenceChanged(
            envelope=envelope,
            presence=word(mapping(held.get("presence")).get("type")),
            direction=direction,
            read_only=switch(message.metadata.get("readOnly")) is True,  # the string "true" on the wire
            message=message,
        )
    if kind in {"CoBrowse", "Video"}:
        detail = mapping(held.get("coBrowse" if kind == "CoBrowse" else "video"))
        offer = CoBrowseReceived if kind == "CoBrowse" else VideoReceived
        return offer(
            envelope=envelope,
            offering=word(detail.get("type")),
            direction=direction,
            detail=Raw.of(detail),
            message=message,
        )
    detail = Raw.of(held) if held else Raw(item=Raw.of(item))
    return Unrecognized(envelope=envelope, what="event", name=kind, detail=detail)


def _echo(envelope: Envelope, message: Message) -> EchoReceived:
    metadata = message.metadata
    return EchoReceived(
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
        SessionConfigured(
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
        ConfigurationReceived(
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
            DownloadUrlIssued(
                envelope=envelope,
                attachment_id=attachment_id,
                url=word(url),
                file_name=word(held.get("fileName")),
                file_size=file_size,
                file_type=word(held.get("fileType")),
            ),
        )
    return (UploadUrlIssued(envelope=envelope, attachment_id=attachment_id, url=word(url), headers=headers),)


def _upload_success(envelope: Envelope, body: Any) -> tuple[Event, ...]:
    held = mapping(body)
    return (
        UploadSucceeded(
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
        UploadFailed(
            envelope=envelope,
            attachment_id=word(held.get("attachmentId")),
            timestamp=word(held.get("timestamp")),
            **_said(held),
        ),
    )


def _url_error(envelope: Envelope, body: Any) -> tuple[Event, ...]:
    held = mapping(body)
    return (
        AttachmentRefused(envelope=envelope, attachment_id=word(held.get("attachmentId")), **_said(held)),
    )


def _deleted(envelope: Envelope, body: Any) -> tuple[Event, ...]:
    return (AttachmentDeleted(envelope=envelope, attachment_id=word(mapping(body).get("attachmentId"))),)


def _jwt(envelope: Envelope, body: Any) -> tuple[Event, ...]:
    held = mapping(body)
    jwt = word(held.get("jwt"))
    if not jwt:
        return (MalformedFrame(envelope=envelope, reason="A JwtResponse without a JWT."),)
    return (JwtIssued(envelope=envelope, jwt=jwt, expiration=moment(held.get("exp"))),)


def _resume_token(envelope: Envelope, body: Any) -> tuple[Event, ...]:
    held = mapping(body)
    token = word(held.get("resumeToken"))
    if not token:
        return (MalformedFrame(envelope=envelope, reason="A ResumeTokenResponse without a token."),)
    return (ResumeTokenIssued(envelope=envelope, resume_token=token, expiration=moment(held.get("exp"))),)


def _taken_over(envelope: Envelope, body: Any) -> tuple[Event, ...]:
    held = mapping(body)
    # Official clients read `reason`, the official model says `reasonCode`.
    reason = word(held.get("reason")) or word(held.get("reasonCode"))
    return (ConnectionTakenOver(envelope=envelope, reason=reason),)


def _plain(kind: type[Event]) -> Callable[[Envelope, Any], tuple[Event, ...]]:
    return lambda envelope, _body: (kind(envelope=envelope),)


def _refused(envelope: Envelope) -> bool:
    return (whole(envelope.parsed.get("code")) or 0) >= 300


def _error(envelope: Envelope, body: Any) -> tuple[Event, ...]:
    said = {"reason": word(body), "error_code": None} if type(body) is str else _said(mapping(body))
    event = ErrorReceived(envelope=envelope, **said)
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
        RateLimited(envelope=envelope, retry_after=None if wait is None else max(wait, 0.0), **_said(held)),
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
    "LogoutEvent": _plain(LoggedOut),
    "SessionExpiredEvent": _plain(SessionExpired),
    "SessionClearedEvent": _plain(SessionCleared),
    "JwtResponse": _jwt,
    "GetConfigurationResponse": _configuration,
    "ResumeTokenResponse": _resume_token,
    "TooManyRequestsErrorMessage": _rate_limited,
    "string": _string,
    "Error": _error,
    "ErrorMessage": _error,
}
"""Wire class -> reader. `Unknown`, the official model's last class, is left to `Unrecognized`."""
