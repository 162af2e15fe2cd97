"""Takes a request apart into named lines, so that two can be laid side by side. Pure.

Query parameters, headers and the keys of a body or first frame each become a line of their own: what is the
same in both then stands on one level, in whatever order it was sent.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from guestlab.errors import InputError
from guestlab.handshake.address import Address
from guestlab.handshake.attempt import Attempt
from guestlab.handshake.curl_text import COMMAND
from guestlab.handshake.described import from_text
from guestlab.handshake.evidence import Evidence
from guestlab.log.redaction import Redactor

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Part", "Side", "sides"]

MAX_TEXT = 100_000
"""Characters of a text that are looked at."""
MAX_PARTS = 400

_REQUEST_LINE = re.compile(r"([A-Za-z]{2,20}) ((?:/|\*|[a-z]+://|\S+(?= HTTP/))\S*)(?: (HTTP/[\d.]+))?\s*")
_OUR_TAG = re.compile(r"\[masked:[0-9a-f]{8}\]")
_RANDOM_HEADERS = frozenset({"sec-websocket-key"})
_TOKENLESS = frozenset({"none", "guest"})


class Part(NamedTuple):
    """One line of a request."""

    what: str
    """Its name: method, path, query parameter deploymentId, header Origin, first frame token …"""
    text: str
    """As it is shown."""
    is_random: bool = False
    """Whether it is made afresh each time, so that a difference means nothing."""


class Side(NamedTuple):
    """One request: its name, what came of it, its lines."""

    name: str
    outcome: str
    parts: tuple[Part, ...]
    is_unsaid: bool
    """Whether it ended before its first frame was sent."""


def sides(*given: Attempt | Evidence | str | tuple[str, str]) -> tuple[Side, ...]:
    """Read attempts, evidence, pasted texts or (name, text) pairs; secrets in them become numbered masks.

    Raises:
        InputError: Something else was given.
    """
    redact = _numbering()
    return tuple(_side(item, redact) for item in given)


def _side(given: Any, redact: Any) -> Side:
    if isinstance(given, Attempt):
        name = f"attempt {given.number}: {given.tried}"
        carried = given.placement == "first_frame" and given.credential not in _TOKENLESS
        parts = list(_of_request(_sent(given), "body"))
        parts += _of_body(given.first_frame or "", "first frame", guests=not carried)
        return Side(name, given.verdict, tuple(parts[:MAX_PARTS]), given.first_frame is None)
    if isinstance(given, Evidence):
        return _described("as described", given, redact)
    if isinstance(given, str) and given.strip():
        return _pasted(given, redact)
    if isinstance(given, tuple) and len(given) == 2 and all(isinstance(part, str) for part in given):
        text = redact(given[1][:MAX_TEXT])
        return Side(given[0][:200], "", tuple(_of_request(text, "body"))[:MAX_PARTS], False)
    raise InputError(
        "Only attempts, evidence and texts can be compared.",
        why="One of the two is an empty text."
        if isinstance(given, str)
        else f"One of the two is {type(given).__name__}.",
        next_step='Give attempts, curl lines or requests as pasted, or ("failing", "POST /oauth/…") pairs.',
    )


def _pasted(text: str, redact: Any) -> Side:
    """A command line or code is read as the request it makes; anything else stands as it is."""
    text = text[:MAX_TEXT]
    line = _REQUEST_LINE.fullmatch(text.lstrip().split("\n", 1)[0].rstrip("\r"))
    if line is None or not line[1].isupper():
        evidence = from_text(text)
        command = COMMAND.search(text)
        if evidence.url:
            return _described(f"{command[1]} as pasted" if command else "as pasted", evidence, redact)
    return Side("as pasted", "", tuple(_of_request(redact(text), "body"))[:MAX_PARTS], False)


def _described(name: str, evidence: Evidence, redact: Any) -> Side:
    parts = list(_of_request(redact(_request_of(evidence)), "body"))
    frame = evidence.first_frame
    if frame is not None:
        text = frame if isinstance(frame, str) else json.dumps(frame, default=str)
        parts += _of_body(redact(text), "first frame", guests=evidence.token_kind in {None, *_TOKENLESS})
    status, close = evidence.http_status, evidence.close_code
    outcome = f"HTTP {status} (lane http)" if status else f"close code {close} (lane close)" if close else ""
    return Side(name, outcome, tuple(parts[:MAX_PARTS]), frame is None)


def _request_of(evidence: Evidence) -> str:
    """Write the request that evidence describes; what every WebSocket client adds by itself included."""
    address = Address.of(evidence.url or "")
    _, mark, query = (evidence.url or "").partition("?")
    port = f":{address.port}" if address.port is not None else ""
    target = f"{address.path or '/'}{mark}{query.partition('#')[0]}".replace(" ", "%20")
    lines = [f"{evidence.method or 'GET'} {target} HTTP/1.1"]
    names = {name.lower() for name, _ in evidence.headers}
    headers = [("Host", address.host + port)] if "host" not in names and address.host else []
    if address.scheme in {"ws", "wss"}:
        headers += [(name, value) for name, value in _HANDSHAKE if name.lower() not in names]
        if evidence.subprotocols and "sec-websocket-protocol" not in names:
            headers.append(("Sec-WebSocket-Protocol", ", ".join(evidence.subprotocols)))
    lines += [f"{name}: {value}" for name, value in (*headers, *evidence.headers)]
    body = evidence.request_body
    text = "" if body is None else body if isinstance(body, str) else json.dumps(body, default=str)
    return "\r\n".join(lines) + "\r\n\r\n" + text


_HANDSHAKE = (
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),  # the example of RFC 6455 section 1.2
    ("Sec-WebSocket-Version", "13"),
)
"""What RFC 6455 section 4.1 wants of every client, so that nobody has to describe it."""


def _numbering() -> Any:
    """Redaction whose tags are numbers in order of appearance: no key, so nothing to test a guess against."""
    redactor = Redactor(b"numbered below")
    numbers: dict[str, str] = {}

    def redact(text: str) -> str:
        already = set(_OUR_TAG.findall(text))
        return _OUR_TAG.sub(
            lambda tag: (
                tag[0] if tag[0] in already else numbers.setdefault(tag[0], f"[masked:{len(numbers) + 1}]")
            ),
            redactor.redact(text),
        )

    return redact


def _sent(attempt: Attempt) -> str:
    """The upgrade request; of an attempt that never sent one, its URL."""
    if attempt.request:
        return attempt.request
    _, _, rest = attempt.url.partition("://")
    host, slash, target = rest.partition("/")
    return f"GET {slash}{target} HTTP/1.1\r\nHost: {host}\r\n\r\n"


def _of_request(text: str, body_name: str) -> Iterator[Part]:
    """Read an HTTP request; a text that is none is read line by line."""
    head, _, body = text.replace("\r\n", "\n").lstrip("\n").partition("\n\n")
    first, *headers = head.split("\n")
    line = _REQUEST_LINE.fullmatch(first)
    if line is None:
        for number, content in enumerate(text.splitlines()[:MAX_PARTS], 1):
            yield Part(f"line {number}", content)
        return
    method, target, version = line.groups()
    path, _, query = target.partition("?")
    yield Part("method", method)
    yield Part("path", path)
    for number, pair in enumerate(filter(None, query.split("&"))):
        yield Part(f"query parameter {pair.partition('=')[0]}", f"{'&' if number else '?'}{pair}")
    if version:
        yield Part("HTTP version", version)
    for header in headers:
        name = header.partition(":")[0].strip()
        yield Part(f"header {name}", header, is_random=name.lower() in _RANDOM_HEADERS)
    yield from _of_body(body.rstrip("\n"), body_name)


def _of_body(text: str, name: str, *, guests: bool = False) -> Iterator[Part]:
    """Read JSON or a form key by key; anything else is one line.

    Args:
        text: The body, or the frame.
        name: What to call it.
        guests: Whether its `token` is a guest's, a fresh one each time.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    if isinstance(document, dict):
        for key, value in document.items():
            random = key == "tracingId" or (guests and key == "token" and bool(value))
            shown = f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}"
            yield Part(f"{name} {key}", shown, is_random=random)
    elif re.fullmatch(r"[^\s=&{}]+=[^\s&]*(?:&[^\s=&]+=[^\s&]*)*", text):
        for number, pair in enumerate(text.split("&")):
            yield Part(f"{name} {pair.partition('=')[0]}", f"{'&' if number else ''}{pair}")
    elif text:
        yield Part(name, text)
