"""What the server can say, one class per thing.

Lives here: the event classes; a frame that is no JSON, or of no known class, is an event too. How a frame
becomes events stands in `decoding.py`, what an event does to the session in `guest.py`, and what the
numbers mean in `codes.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from json import loads
from typing import TYPE_CHECKING, Any

from guestlab.protocol.codes import AUTHENTICATION_LOST, describe_error
from guestlab.protocol.reading import UNREAD, Raw, mapping, whole, word

if TYPE_CHECKING:
    from datetime import datetime

    from guestlab.protocol.messages import Message

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
]


class Envelope:
    """A frame as it came: its text, and the JSON in it. Its repr shows neither.

    Args:
        text: The frame.
        parsed: Its JSON, None when it is none, or `UNREAD` to read it when it is asked for.
    """

    __slots__ = ("_parsed", "text")

    def __init__(self, text: str = "", parsed: Any = None) -> None:
        self.text = text
        self._parsed = parsed

    @property
    def parsed(self) -> Any:
        """The frame's JSON; not to be changed."""
        if self._parsed is UNREAD:
            self._parsed = loads(self.text)
        return self._parsed

    @property
    def class_name(self) -> str:
        """The class by its wire name, "" when it has none."""
        return word(mapping(self.parsed).get("class"))

    @property
    def type(self) -> str:
        """Message or response, as the frame says."""
        return word(mapping(self.parsed).get("type"))

    @property
    def code(self) -> int | None:
        """The frame code (lane: frame)."""
        return whole(mapping(self.parsed).get("code"))

    @property
    def tracing_id(self) -> str:
        """The tracing id, or ""."""
        # The envelope first, then the body: bodies may carry one since model 18.0 (official).
        parsed = mapping(self.parsed)
        return word(parsed.get("tracingId")) or word(mapping(parsed.get("body")).get("tracingId"))

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
        return self.envelope.class_name

    @property
    def type(self) -> str:
        """Whether the frame says it is a response or a message; not to be relied on."""
        return self.envelope.type

    @property
    def code(self) -> int | None:
        """The frame code (lane: frame) on the envelope; errors say their own."""
        return self.envelope.code

    @property
    def tracing_id(self) -> str:
        """The tracing id of the request this answers, or ""."""
        return self.envelope.tracing_id

    @property
    def text(self) -> str:
        """The frame as it came."""
        return self.envelope.text

    @property
    def raw(self) -> Any:
        """The frame's JSON, read again from its text; its repr hides secrets. None when it is no JSON."""
        return None if self.envelope.parsed is None else loads(self.envelope.text, object_hook=Raw)


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
    detail: Mapping[str, Any] = field(hash=False)
    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoReceived(Event):
    """A video offering; this client takes no part, the event is kept whole."""

    offering: str
    direction: str
    detail: Mapping[str, Any] = field(hash=False)
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
        return self.error_code if self.error_code is not None else self.envelope.code

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
