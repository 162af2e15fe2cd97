"""What is known about one attempt: the request, the answer, the frames, the complaint. Pure data.

Every field is optional: a performed attempt fills most of them, a person describing one fills a few. Input
is taken leniently (`headers` as a mapping or pairs, frames as objects or JSON text, numbers as text) and
stored in one form. The repr and everything the diagnosis quotes is masked; the fields themselves hold what
was given. Facts found beforehand (the deployment's allowed domains, its status and region) may be added.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from guestlab.errors import InputError
from guestlab.handshake.quoting import quote_frame, quote_text, quote_url

__all__ = ["OAUTH_KINDS", "Evidence"]

OAUTH_KINDS = frozenset(
    {
        "client_credentials",
        "authorization_code",
        "pkce",
        "expired",
        "other_region",
        "saml2_bearer",
        "implicit",
        "access_token",
        "oauth",
    }
)
"""Values of `token_kind` that mean an access token of the login service."""

MAX_TEXT = 2**20
"""Characters of any one text that are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Evidence:
    """The facts of one attempt, performed or described.

    >>> Evidence.of(url="wss://webmessaging.mypurecloud.de/v1?access_token=abcdef", http_status="401")
    Evidence(url='wss://webmessaging.mypurecloud.de/v1?access_token=[masked]', http_status=401)
    """

    url: str | None = None
    """Where it went."""
    method: str | None = None
    """HTTP method; a WebSocket upgrade is a GET."""
    headers: tuple[tuple[str, str], ...] = ()
    """Request headers, as sent."""
    subprotocols: tuple[str, ...] = ()
    """Values offered as `Sec-WebSocket-Protocol`."""
    token_kind: str | None = None
    """Which credential was used: none, client_credentials, authorization_code, pkce, guest, garbage …"""
    placement: str | None = None
    """Where the credential was put: nowhere, query, header, cookie, subprotocol, first_frame."""
    first_frame: Any = None
    """The first frame the client sent, parsed where it is JSON."""
    sent_frame: Any = None
    """A later frame of the client."""
    request_body: Any = None
    """Body of an HTTP request: text, or the object it was made from."""
    http_status: int | None = None
    """Lane http."""
    response_headers: tuple[tuple[str, str], ...] = ()
    """Headers of the answer."""
    close_code: int | None = None
    """Lane close (RFC 6455 section 7.4)."""
    body: str | None = None
    """Body of the HTTP answer; "" when it was empty."""
    frame: Any = None
    """The server's frame that matters, parsed where it is JSON. Its code is lane frame."""
    client: str | None = None
    """What made the request, as far as it is seen: fetch, requests, curl …"""
    note: str | None = None
    """The symptom in the person's own words."""
    note_by: str | None = None
    """Whose words the note has: "paste" (beside a command or code), "browser"; None: the person's."""
    unread: str | None = None
    """What stood beside it in a paste and was not understood."""
    allowed_domains: tuple[str, ...] | None = None
    """The deployment's allowed domains, when looked up."""
    allow_all_domains: bool | None = None
    """Whether the deployment lets every domain in, when looked up."""
    deployment_status: str | None = None
    """Active, Inactive, Pending, Error, Deleting or "unknown" (no such deployment), when looked up."""
    region_of_deployment: str | None = None
    """The region's domain in which the deployment was found, when looked up."""
    session_ready: bool | None = None
    """Of a performed attempt: whether a `SessionResponse` came."""
    failed_step: str | None = None
    """Of a performed attempt: the step it ended at (dns, tcp, tls, upgrade, configure), if it failed."""
    failed_note: str | None = None
    """What that step found."""

    def __post_init__(self) -> None:
        for name, stored in _STORED.items():
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, stored(name, value))

    def __repr__(self) -> str:
        shown = (f"{name}={text}" for name, text in self.quoted())
        return f"Evidence({', '.join(shown)})"

    @classmethod
    def of(cls, **given: Any) -> Evidence:
        """Build evidence from whatever is at hand; None means not known.

        Raises:
            InputError: No such fact, or a status or close code that is no number.
        """
        names = [field.name for field in fields(cls)]
        for name in given:
            if name not in names:
                close = difflib.get_close_matches(name, names, n=1)
                raise InputError(
                    f"There is no evidence called {name!r}.",
                    why=f"Known are: {', '.join(names)}.",
                    next_step=f"Did you mean {close[0]}?"
                    if close
                    else "Put it into note, in your own words.",
                )
        return cls(**{name: value for name, value in given.items() if value is not None})

    def quoted(self) -> tuple[tuple[str, str], ...]:
        """The facts that are known, as masked text: (name, text)."""
        known = []
        for name, quote in _QUOTED.items():
            value = getattr(self, name)
            if value is not None and value != ():
                known.append((name, quote(value)))
        return tuple(known)

    @property
    def evidence(self) -> Evidence:
        """Itself: whatever has `.evidence` can be diagnosed."""
        return self


def _text(name: str, value: Any) -> str:
    if isinstance(value, bytes | bytearray):
        value = bytes(value[:MAX_TEXT]).decode("utf-8", "replace")
    if isinstance(value, Mapping | list | tuple):
        value = _dumped(value)
    text = str(value)[:MAX_TEXT]
    return text.strip() if name in {"method", "token_kind", "client"} else text


_ID_AND_BLANK = re.compile(r"[?&]deploymentId=[^&#\s]+ +$")


def _url(name: str, value: Any) -> str:
    """A URL, trimmed; but a blank after an id that ends it goes out with some clients, and is kept."""
    text = _text(name, value).strip("\t\r\n")
    kept = " " if _ID_AND_BLANK.search(text) else ""
    return text.strip() + kept


def _dumped(value: Any) -> str:
    try:
        return json.dumps(value, default=str)
    except (ValueError, TypeError, RecursionError):
        return str(type(value).__name__)


def _method(name: str, value: Any) -> str | None:
    return _text(name, value).upper() or None


def _kind(name: str, value: Any) -> str | None:
    return _text(name, value).lower().replace("-", "_").replace(" ", "_") or None


def _number(name: str, value: Any) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value) or None
    found = re.search(r"(?<!\d)\d{3,4}(?!\d)", str(value)[:200])
    if found is None and str(value).strip() not in {"", "0"}:
        raise InputError(
            f"{name}={quote_text(value, 40)!r} is not a number.",
            why="An HTTP status has three digits, a close code four.",
            next_step="Give the number alone, or describe what you saw in note.",
        )
    return int(found[0]) if found else None


def _pairs(name: str, value: Any) -> tuple[tuple[str, str], ...]:
    """Headers in any usual form: mapping, pairs, or lines of text."""
    del name
    if isinstance(value, str):
        lines = (line.partition(":") for line in value.splitlines())
        items: Iterable[Any] = [(head.strip(), tail.strip()) for head, mark, tail in lines if mark]
    elif isinstance(value, Mapping):
        items = value.items()
    elif isinstance(value, Iterable):
        items = [_pair(item) for item in value]
    else:
        items = ()
    return tuple(
        (str(item[0])[:MAX_TEXT], str(item[1])[:MAX_TEXT])
        for item in items
        if isinstance(item, tuple | list) and len(item) == 2 and item[0] is not None
    )


def _pair(item: Any) -> Any:
    """One header: a HAR's object, a line of text, or a pair already."""
    if isinstance(item, Mapping):
        return (item.get("name"), item.get("value"))
    if isinstance(item, str):
        name, mark, value = item.partition(":")
        return (name.strip(), value.strip()) if mark else None
    return item


def _names(name: str, value: Any) -> tuple[str, ...]:
    del name
    if isinstance(value, str):
        value = value.split(",")
    items = value if isinstance(value, Iterable) else ()
    return tuple(str(item).strip() for item in items if item is not None and str(item).strip())


def _json(name: str, value: Any) -> Any:
    """A frame or body: objects stay, JSON text is parsed, other text stays text."""
    del name
    if isinstance(value, bytes | bytearray):
        value = bytes(value[:MAX_TEXT]).decode("utf-8", "replace")
    if isinstance(value, str):
        value = value[:MAX_TEXT]
        if value.lstrip()[:1] in {"{", "["}:
            try:
                return json.loads(value)
            except (ValueError, RecursionError):
                return value
        return value
    if isinstance(value, Mapping):
        return {str(key): item for key, item in value.items()}
    return list(value) if isinstance(value, tuple) else value


def _flag(name: str, value: Any) -> bool:
    del name
    return value.strip().lower() in {"true", "yes", "1"} if isinstance(value, str) else bool(value)


_STORED: dict[str, Callable[[str, Any], Any]] = {
    "url": _url,
    "method": _method,
    "headers": _pairs,
    "subprotocols": _names,
    "token_kind": _kind,
    "placement": _kind,
    "first_frame": _json,
    "sent_frame": _json,
    "request_body": _json,
    "http_status": _number,
    "response_headers": _pairs,
    "close_code": _number,
    "body": _text,
    "frame": _json,
    "client": _text,
    "note": _text,
    "note_by": _text,
    "unread": _text,
    "allowed_domains": _names,
    "allow_all_domains": _flag,
    "deployment_status": _text,
    "region_of_deployment": _text,
    "session_ready": _flag,
}
"""How each field is brought into its one form."""


def _quoted_headers(headers: tuple[tuple[str, str], ...]) -> str:
    return "{" + ", ".join(_quoted_header(name, value) for name, value in headers[:20]) + "}"


_OPEN_HEADERS = frozenset(
    [
        "origin",
        "host",
        "user-agent",
        "content-type",
        "content-length",
        "upgrade",
        "connection",
        "sec-websocket-version",
        "retry-after",
        "date",
        "server",
        "location",
        "accept",
        "sec-websocket-extensions",
        "via",
        "x-cache",
        "inin-correlation-id",
    ]
)


def _quoted_header(name: str, value: str) -> str:
    if name.lower() in _OPEN_HEADERS:
        return f"{quote_text(name, 60)}: {quote_text(value, 120)}"
    scheme = value.split(" ", 1)[0] + " " if name.lower() == "authorization" and " " in value else ""
    return f"{quote_text(name, 60)}: {quote_text(scheme, 20)}[masked]"


def _quoted_body(value: Any) -> str:
    if not isinstance(value, str):
        return quote_frame(value)
    if "=" in value and "{" not in value:
        return repr(quote_url("?" + value).removeprefix("?"))
    return repr(quote_text(value))


_QUOTED: dict[str, Callable[[Any], str]] = {
    "url": lambda value: repr(quote_url(value)),
    "method": quote_text,
    "headers": _quoted_headers,
    "subprotocols": lambda names: f"{len(names)} offered",
    "token_kind": quote_text,
    "placement": quote_text,
    "first_frame": quote_frame,
    "sent_frame": quote_frame,
    "request_body": _quoted_body,
    "http_status": quote_text,
    "response_headers": _quoted_headers,
    "close_code": quote_text,
    "body": lambda value: repr(quote_text(value)),
    "frame": quote_frame,
    "client": quote_text,
    "note": lambda value: repr(quote_text(value)),
    "unread": lambda value: repr(quote_text(value)),
    "allowed_domains": lambda names: quote_text(", ".join(names) or "none"),
    "allow_all_domains": quote_text,
    "deployment_status": quote_text,
    "region_of_deployment": quote_text,
    "session_ready": quote_text,
    "failed_step": quote_text,
    "failed_note": quote_text,
}
"""How each field is shown."""
