"""Finds the entries of a HAR file without making one tree of it.

A file is decoded one level deep: each entry stays the bytes it is until somebody reads it, so a file of
100 MB never stands in memory as objects. A file that ends in the middle, or is damaged somewhere, gives the
entries that are whole, and of a torn WebSocket the frames that are; what is missing is told. Pure: bytes in.
"""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import dataclass, field
from typing import Any

import msgspec

from guestlab.errors import InputError

__all__ = ["Document", "no_har", "read_document"]

_ABSENT = msgspec.Raw()


@dataclass(slots=True)
class Document:
    """The top of a HAR file."""

    entries: list[msgspec.Raw]
    """Each as it stands in the file."""
    creator: str = ""
    """The program that wrote it."""
    guestlab: msgspec.Raw = field(default_factory=msgspec.Raw)
    """The log's own field `_guestlab`, which only this project writes; empty where it is missing."""
    skipped: list[tuple[str, str]] = field(default_factory=list)
    """What could not be read: its place, and why."""
    torn: str = ""
    """Where the file ends when it does not end as it should; "" for a whole one."""


class _Log(msgspec.Struct, gc=False):
    entries: list[msgspec.Raw]
    creator: msgspec.Raw = msgspec.Raw(b"null")
    guestlab: msgspec.Raw = msgspec.field(default=_ABSENT, name="_guestlab")


class _Top(msgspec.Struct, gc=False):
    log: _Log


_TOP = msgspec.json.Decoder(_Top)
_BARE = msgspec.json.Decoder(_Log)
_ENTRIES = re.compile(r'"entries"\s*+:\s*+\[')
_OPENS = re.compile(r'\s*+\{\s*+"log"\s*+:')
_BETWEEN = re.compile(r"[\s,]*+")
_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|["{}\[\],]', re.DOTALL)
_PARTNER = {"{": "}", "[": "]"}
_read_value = json.JSONDecoder().raw_decode


def read_document(data: bytes) -> Document:
    """Find the entries of a HAR.

    Args:
        data: The file, as UTF-8 or UTF-16, with or without a byte order mark.

    Raises:
        InputError: It is no HAR, or nothing in it is whole.
    """
    data = _utf8(data)
    try:
        log = _log_of(data)
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        return _recovered(data)
    return Document(entries=log.entries, creator=_name(log.creator), guestlab=log.guestlab)


def no_har(why: str) -> InputError:
    """Say that a file is none, and how to get one."""
    return InputError(
        "This is no HAR file.",
        why=why,
        next_step="Save one in the browser's network panel: Save all as HAR with content.",
    )


def _utf8(data: bytes) -> bytes:
    """Shells that redirect a program's output, as PowerShell does, may write UTF-16."""
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return data.decode("utf-16", "replace").encode()
    return data.removeprefix(b"\xef\xbb\xbf")


def _log_of(data: bytes) -> _Log:
    """Read a document that is whole; one without the outer object, too."""
    with contextlib.suppress(msgspec.ValidationError):
        return _TOP.decode(data).log
    try:
        return _BARE.decode(data)
    except msgspec.ValidationError:
        if data.lstrip()[:1] != b"{":
            raise no_har("It is JSON, but no object with a log.") from None
        raise no_har("It has no log.entries.") from None


def _name(creator: Any) -> str:
    try:
        held = msgspec.json.decode(creator)
    except (msgspec.DecodeError, RecursionError):
        return ""
    name = held.get("name") if isinstance(held, dict) else None
    return name if isinstance(name, str) else ""


# -- a file that is damaged -------------------------------------------------------------------------------


def _recovered(data: bytes) -> Document:
    """Read entry by entry, as far as it goes."""
    text = data.decode("utf-8", "replace")
    start = _ENTRIES.search(text)
    if start is None:
        if text.lstrip()[:1] == "{" and '"log"' in text[:1000] and len(text) < 2**20:
            raise _cut("It ends before its first entry.")
        raise no_har("It is not JSON.")
    document = Document([], _creator_before(text[: start.start()]))
    position = _BETWEEN.match(text, start.end()).end()  # type: ignore[union-attr] # it matches nothing, too
    while position < len(text) and text[position] != "]":
        place = f"entry {len(document.entries) + len(document.skipped) + 1}"
        end = _end_of_value(text, position)
        if end is None:
            _salvage(document, text, position, place)
            break
        if end < 0:
            end = -end
            document.skipped.append((place, "it is no valid JSON"))
        else:
            document.entries.append(msgspec.Raw(text[position:end].encode()))
        position = _BETWEEN.match(text, end).end()  # type: ignore[union-attr]
    else:
        if not _closes(text, position):
            document.torn = "after its last entry"
    if not document.entries:
        if document.skipped and not document.torn.startswith("in "):
            raise no_har("It is not JSON.")
        raise _cut("It ends before its first entry is whole.")
    return document


def _closes(text: str, position: int) -> bool:
    """Whether what follows the entries ends the document; Python writes numbers no JSON has, such as NaN."""
    opening = '{"log":{"entries":[' if _OPENS.match(text) else '{"entries":['
    try:
        json.loads(opening + text[position:])
    except (ValueError, RecursionError):
        return False
    return True


def _cut(why: str) -> InputError:
    return InputError(
        "This is not a readable HAR: it ends in the middle.",
        why=why,
        next_step="Save it again in the browser's network panel, or copy the whole file.",
    )


def _creator_before(head: str) -> str:
    place = head.find('"creator"')
    brace = head.find("{", place)
    try:
        return _name(json.dumps(_read_value(head, brace)[0])) if place >= 0 and brace >= 0 else ""
    except (ValueError, RecursionError):
        return ""


def _end_of_value(text: str, start: int) -> int | None:
    """Find where a value ends: negated if it is damaged, None if the text ends before."""
    try:
        return _read_value(text, start)[1]
    except (ValueError, RecursionError):
        end, _, _ = _walk(text, start)
        return None if end is None else -end


def _walk(text: str, start: int) -> tuple[int | None, int, str]:
    """Follow the brackets of a value.

    Returns:
        Where it ends, or None; the last place at which it could be cut; and what would close it there.
    """
    stack: list[str] = []
    cut, closing = start, ""
    for token in _TOKEN.finditer(text, start):
        mark = token[0]
        if mark == '"':
            break  # the text ends within a string
        if mark in _PARTNER:
            stack.append(_PARTNER[mark])
        elif mark == ",":
            cut, closing = token.start(), "".join(reversed(stack))
        elif mark in "}]":
            if stack:
                stack.pop()
            if not stack:
                return token.end(), token.end(), ""
            cut, closing = token.end(), "".join(reversed(stack))
    return None, cut, closing


def _salvage(document: Document, text: str, start: int, place: str) -> None:
    """Keep of the entry in which the file ends the frames that are whole."""
    document.torn = f"in {place}"
    _, cut, closing = _walk(text, start)
    mended = text[start:cut] + closing
    try:
        entry = json.loads(mended)
        frames = [frame for frame in entry["_webSocketMessages"] if "data" in frame]
    except (ValueError, TypeError, KeyError, RecursionError):
        document.skipped.append((place, "the file ends in the middle of it"))
        return
    entry["_webSocketMessages"] = frames
    document.entries.append(msgspec.Raw(json.dumps(entry).encode()))
    kept = f"{len(frames)} whole frames were kept"
    document.skipped.append((place, f"the file ends in the middle of it; {kept}"))
