"""Takes a request apart into named lines, so that two can be laid side by side. Pure.

Query parameters, headers and the keys of a body or first frame each become a line of their own: what is the
same in both then stands on one level, in whatever order it was sent.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from guestlab.errors import InputError
from guestlab.handshake.attempt import Attempt
from guestlab.log.redaction import Redactor

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Part", "Side", "sides"]

MAX_TEXT = 100_000
"""Characters of a text that are looked at."""
MAX_PARTS = 400

_REQUEST_LINE = re.compile(r"([A-Za-z]{2,20}) (\S+)(?: (HTTP/[\d.]+))?\s*")
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


def sides(*given: Attempt | tuple[str, str]) -> tuple[Side, ...]:
    """Read attempts, or (name, text) pairs; what is secret in a text becomes a numbered mask.

    Raises:
        InputError: Something else was given.
    """
    redact = _numbering()
    return tuple(_side(item, redact) for item in given)


def _side(given: Any, redact: Any) -> Side:
    if isinstance(given, Attempt):
        name = f"attempt {given.number}: {given.credential} in {given.placement}"
        carried = given.placement == "first_frame" and given.credential not in _TOKENLESS
        parts = list(_of_request(_sent(given), "body"))
        parts += _of_body(given.first_frame or "", "first frame", guests=not carried)
        return Side(name, given.verdict, tuple(parts[:MAX_PARTS]), given.first_frame is None)
    if isinstance(given, tuple) and len(given) == 2 and all(isinstance(part, str) for part in given):
        text = redact(given[1][:MAX_TEXT])
        return Side(given[0][:200], "", tuple(_of_request(text, "body"))[:MAX_PARTS], False)
    raise InputError(
        "Only attempts and texts can be compared.",
        why=f"One of the two is {type(given).__name__}.",
        next_step='Give two attempts, or ("failing", "POST /oauth/token HTTP/1.1 …") and another such pair.',
    )


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
