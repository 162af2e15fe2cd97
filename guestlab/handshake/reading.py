"""Evidence, read once for all rules: what was aimed at, where credentials stand, what the frames say.

Everything here is derived from one `Evidence` and computed on first use. It states facts and judges nothing:
the judging is in the rules. Values from the wire are hostile, so every access is defensive. Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from guestlab.handshake.address import Address, read_pairs
from guestlab.handshake.credentials import Place, credential_places
from guestlab.handshake.hosts import Host, HostKind, read_host
from guestlab.handshake.notes import Note
from guestlab.handshake.quoting import quote_frame, quote_text, quote_url
from guestlab.handshake.targets import Target, find_target

if TYPE_CHECKING:
    from guestlab.handshake.evidence import Evidence

__all__ = ["FrameReading", "Reading", "walk_keys"]

ERROR_CLASSES = frozenset(
    {"TooManyRequestsErrorMessage", "GenerateUrlError", "UploadFailureEvent", "ErrorMessage", "Error"}
)
"""Server frame classes that report a failure whatever their `code`."""


def walk_keys(value: Any, depth: int = 6) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every key of a nested object with its path, outermost first."""
    if depth and isinstance(value, Mapping):
        for key, item in list(value.items())[:200]:
            yield (str(key),), item
            for path, below in walk_keys(item, depth - 1):
                yield (str(key), *path), below
    elif depth and isinstance(value, list):
        for item in value[:50]:
            yield from walk_keys(item, depth - 1)


_HOLE = re.compile(r"\$?\{[^{}]*\}|\$\w+|%s|\$\([^)]*\)|#\{[^{}]*\}")
"""A variable as languages write it."""


_WORKS = re.compile(r"\bworks?\b|\bworked\b|\bworking\b|\bruns? fine\b|\bas it should\b", re.IGNORECASE)


class FrameReading:
    """One frame, whatever it is: an object, a list, or text that is no JSON."""

    def __init__(self, frame: Any) -> None:
        self.raw = frame
        self.fields: Mapping[str, Any] = frame if isinstance(frame, Mapping) else {}

    def __bool__(self) -> bool:
        return self.raw is not None

    def text(self, key: str) -> str:
        """A field that is a string, or ""."""
        value = self.fields.get(key)
        return value if isinstance(value, str) else ""

    def number(self, *path: str) -> int | None:
        """A nested field that is a whole number, digits in a string included."""
        value = self.at(*path)
        if isinstance(value, str) and value.isdecimal() and len(value) < 10:
            return int(value)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def at(self, *path: str) -> Any:
        """A nested field, or None."""
        value: Any = self.fields
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        return value

    @property
    def action(self) -> str:
        """What the client asks for."""
        return self.text("action")

    @property
    def code(self) -> int | None:
        """The application code: the one in the body where it is more exact (lane frame)."""
        return self.number("body", "errorCode") or self.number("code")

    @property
    def codes(self) -> frozenset[int]:
        """All codes it carries."""
        found = {self.number("code"), self.number("body", "errorCode"), self.number("errorCode")}
        return frozenset(code for code in found if code is not None)

    @property
    def class_name(self) -> str:
        """What the server's frame is."""
        return self.text("class")

    @property
    def body_text(self) -> str:
        """The server's words, if any."""
        for value in (
            self.at("body"),
            self.at("body", "errorMessage"),
            self.at("body", "message"),
            self.at("message"),
        ):
            if isinstance(value, str):
                return value
        return ""

    def event(self, kind: str) -> str:
        """The `type` of the first event of a kind ("Presence", "Typing") in a message, or ""."""
        for holder in (self.at("message"), self.at("body")):
            events = holder.get("events") if isinstance(holder, Mapping) else None
            for event in events if isinstance(events, list) else ():
                if isinstance(event, Mapping) and event.get("eventType") == kind:
                    below = event.get(kind.lower())
                    return str(below.get("type", kind)) if isinstance(below, Mapping) else kind
        return ""

    @property
    def is_failure(self) -> bool:
        """Whether a server frame reports a failure, the gateway's own `Forbidden` included."""
        code = self.number("code")
        gateway = "connectionId" in self.fields and "requestId" in self.fields and "message" in self.fields
        return gateway or self.class_name in ERROR_CLASSES or (code is not None and not 200 <= code < 300)


class Reading:
    """The facts behind one evidence."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.note = Note(evidence.note)
        self.first = FrameReading(evidence.first_frame)
        self.sent = FrameReading(evidence.sent_frame)
        self.reply = FrameReading(evidence.frame)

    # -- where it went --------------------------------------------------------

    @cached_property
    def address(self) -> Address:
        """The URL in parts; empty parts when there is none."""
        return Address.of(self.evidence.url or "")

    @cached_property
    def host(self) -> Host | None:
        """The host, judged; None when no host is known."""
        return read_host(self.address.host) if self.address.host else None

    @property
    def is_loopback(self) -> bool:
        """Whether it went to this machine."""
        return self.host is not None and self.host.is_loopback

    @cached_property
    def is_upgrade(self) -> bool:
        """Whether a WebSocket was asked for, by scheme or by the headers of a handshake made by hand."""
        return (
            self.address.scheme in {"ws", "wss"}
            or "websocket" in (self.header("Upgrade") or "").lower()
            or self.header("Sec-WebSocket-Key") is not None
        )

    @cached_property
    def target(self) -> Target:
        """What was aimed at."""
        return find_target(self)

    @property
    def is_guest(self) -> bool:
        """Whether it is about the guest socket, as far as can be told."""
        return self.target in {Target.GUEST, Target.UNKNOWN}

    @cached_property
    def at_guest_socket(self) -> bool:
        """Whether host and path are exactly the guest socket's; scheme and query may still be wrong."""
        return (
            self.target is Target.GUEST
            and self.host is not None
            and (
                self.host.is_loopback
                or (self.host.kind is HostKind.GENESYS and self.host.label == "webmessaging")
            )
            and self.address.path.rstrip("/") == "/v1"
        )

    # -- what was sent --------------------------------------------------------

    def header(self, name: str) -> str | None:
        """A request header, case ignored."""
        return _header(self.evidence.headers, name)

    def response_header(self, name: str) -> str | None:
        """A response header, case ignored."""
        return _header(self.evidence.response_headers, name)

    @property
    def kind(self) -> str | None:
        """Which credential was used, by the description."""
        return self.evidence.token_kind

    @property
    def knows_headers(self) -> bool:
        """Whether an absent header is a fact rather than a gap in the description."""
        return bool(self.evidence.headers) or self.evidence.session_ready is not None

    @cached_property
    def subprotocols(self) -> tuple[str, ...]:
        """Everything offered as a subprotocol, by argument or header."""
        header = self.header("Sec-WebSocket-Protocol") or ""
        return self.evidence.subprotocols or tuple(p.strip() for p in header.split(",") if p.strip())

    @property
    def deployment_id(self) -> str | None:
        """The value of `deploymentId` in the query, spelled exactly so; None when absent."""
        value = self.address.parameter("deploymentId")
        return value.strip() if value is not None else None

    @cached_property
    def query_is_unseen(self) -> bool:
        """Whether a part of the query is a variable: then what is not in it is unknown, not missing."""
        return any(
            not value
            and _HOLE.fullmatch(name) is not None
            and not name.strip("{}<>$ ").startswith("access_token")
            for name, value in self.address.query
        )

    @cached_property
    def deployment_ids(self) -> tuple[str, ...]:
        """All values of `deploymentId` in the query, blanks kept, those at the URL's very end included."""
        found = tuple(value for name, value in self.address.query if name == "deploymentId")
        url = self.evidence.url or ""
        ends_blank = url.endswith(" ") and url.rstrip().endswith(found[-1] if found else "\n")
        return (*found[:-1], found[-1] + " ") if ends_blank else found

    @cached_property
    def misspelled_deployment(self) -> str:
        """A query parameter that was meant to be `deploymentId`, or ""."""
        for name, _ in self.address.query:
            if name != "deploymentId" and re.sub(r"[^a-z]", "", name.lower()) in {
                "deploymentid",
                "deployment",
                "deployid",
            }:
                return name
        return ""

    @cached_property
    def credentials(self) -> tuple[Place, ...]:
        """Where credentials that are no guest token stand in the request and the first frame."""
        return credential_places(self)

    @cached_property
    def fields(self) -> dict[str, str]:
        """The request body's fields, whether a form, JSON or an object."""
        body = self.evidence.request_body
        if isinstance(body, Mapping):
            return {str(key): value if isinstance(value, str) else json.dumps(value, default=str)[:4000]
                    for key, value in list(body.items())[:100]}  # fmt: skip
        return dict(read_pairs(body)) if isinstance(body, str) and "=" in body else {}

    @property
    def method(self) -> str:
        """The HTTP method; where none is given, POST if there is a body, else ""."""
        return self.evidence.method or ("POST" if self.evidence.request_body is not None else "")

    # -- what came back -------------------------------------------------------

    @cached_property
    def body(self) -> FrameReading:
        """The HTTP answer's body, parsed where it is a JSON object."""
        text = self.evidence.body or ""
        if text.lstrip()[:1] != "{":
            return FrameReading(None)
        try:
            return FrameReading(json.loads(text))
        except (ValueError, RecursionError):
            return FrameReading(None)

    @cached_property
    def answer_text(self) -> str:
        """All words of the answer, HTTP body and frame, lower case."""
        return f"{self.evidence.body or ''}\n{self.reply.body_text}".lower()[:20_000]

    @property
    def is_configured(self) -> bool:
        """Whether a session stands: the set-up that led there works."""
        connected = self.reply.class_name == "SessionResponse" and not self.reply.is_failure
        return bool(self.evidence.session_ready) or connected

    @property
    def is_open(self) -> bool | None:
        """Whether the upgrade succeeded; None when not known."""
        if self.evidence.http_status is not None and self.evidence.http_status < 600:
            return self.evidence.http_status == 101
        return True if self.reply or self.is_configured else None

    @property
    def refused(self) -> int | None:
        """The HTTP status of a failure, or None."""
        status = self.evidence.http_status
        return status if status is not None and 400 <= status < 600 else None

    @property
    def succeeded(self) -> bool:
        """Whether an HTTP call was answered with a 2xx."""
        status = self.evidence.http_status
        return status is not None and 200 <= status < 300

    @property
    def has_worked(self) -> bool:
        """Whether a success was seen or told: a configured session, an open socket, a 2xx."""
        returned = self.target is Target.AUTHORIZE and (self.evidence.http_status or 0) in range(300, 400)
        answered = bool(self.reply.fields) and not self.reply.is_failure
        content = self.note.is_content and bool(_WORKS.search(self.note.text))
        return self.is_configured or self.is_open is True or self.succeeded or returned or answered or content

    @cached_property
    def has_failed(self) -> bool:
        """Whether anything says that it does not work."""
        evidence = self.evidence
        status, close = evidence.http_status, evidence.close_code
        redirects = self.target is Target.AUTHORIZE and status is not None and 300 <= status < 400
        refused = (
            status is not None and (status >= 300 or (self.is_upgrade and status != 101)) and not redirects
        )
        unready = evidence.session_ready is False and (status != 101 or evidence.first_frame is not None)
        closed = close is not None and close not in {1000, 1005}
        erred = bool(self.body.text("error")) or (self.body.number("status") or 0) >= 400
        no_object = self.reply.raw is not None and not self.reply.fields
        failed = refused or unready or closed or erred or no_object or self.reply.is_failure
        return failed or self.note.complains

    @property
    def note_counts(self) -> bool:
        """Whether a finding may rest on the note: a guest matter, and no number that says more than words."""
        return self.is_guest and not self.reply.is_failure and not self.refused

    # -- as evidence ----------------------------------------------------------

    def lines(self, *names: str) -> tuple[str, ...]:
        """The facts used, one masked line each; what is not known is left out."""
        return tuple(line for name in names if (line := self._line(name)))

    def _line(self, name: str) -> str:
        evidence = self.evidence
        value = getattr(evidence, name)
        if value is None or value == ():
            return ""
        match name:
            case "url":
                return (
                    f"URL {quote_url(value)}"
                    if not evidence.method
                    else f"{evidence.method} {quote_url(value)}"
                )
            case "http_status":
                return f"HTTP status {value} (lane http)"
            case "close_code":
                return f"close code {value} (lane close)"
            case "frame":
                return f"frame received (lane frame): {quote_frame(value)}"
            case "body":
                return f"body: {quote_text(value)}" if value else "body: empty (0 bytes)"
            case "note":
                return f"{_WORDS_OF.get(evidence.note_by or '', _PERSONS_WORDS)}: {quote_text(value)}"
            case "unread":
                return f"not understood: {quote_text(value)}"
            case _:
                shown = dict(evidence.quoted()).get(name, "")
                return f"{name.replace('_', ' ')}: {shown}"


_PERSONS_WORDS = "in the person's words"
_WORDS_OF = {"browser": "in the browser's words", "paste": "in the words pasted beside it"}


def _header(headers: tuple[tuple[str, str], ...], name: str) -> str | None:
    wanted = name.lower()
    return next((value for key, value in headers if key.lower() == wanted), None)
