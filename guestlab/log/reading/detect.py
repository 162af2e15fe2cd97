"""What a file is: judged by its first bytes, and by its name where those leave it open."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from guestlab.log.frame_columns import direction_of
from guestlab.log.reading.console import is_console
from guestlab.log.reading.journal import is_header
from guestlab.log.reading.rows import FRAME_NAMES, is_own
from guestlab.log.reading.table_file import is_table
from guestlab.log.reading.text_file import text_of_head

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["HEAD", "SUFFIXES", "format_of", "format_of_head"]

HEAD = 1 << 16
"""Bytes that are looked at."""
SUFFIXES = {
    ".har": "har",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".zip": "bundle",
    ".txt": "console",
    ".log": "console",
    ".out": "console",
    ".json": "platform",
}
_HAR = re.compile(r'\{\s*"log"\s*:\s*(?:\{|$)')
_PLATFORM = re.compile(
    r'"(?:normalizedMessage|messagingTranscript|conversationStart|participants|conversationId)"\s*:'
)
_HAR_INSIDE = re.compile(r'"(?:startedDateTime|creator|entries|_webSocketMessages)"\s*:')


def format_of(path: Path) -> str | None:
    """Return har, journal, jsonl, csv, parquet, bundle, console or platform; None when it is none of them.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as stream:
        return format_of_head(stream.read(HEAD), path.name)


def format_of_head(head: bytes, name: str) -> str | None:
    """Judge the beginning of a file, and its name."""
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "bundle"
    if head.startswith(b"PAR1"):
        return "parquet"
    text = text_of_head(head).lstrip("\ufeff\0 \t\r\n")
    found = _of_json(text) if text.startswith("{") else None
    if found is None and text.startswith(("{", "[")) and _PLATFORM.search(text):
        found = "platform"
    if found is None and is_table(text):
        found = "csv"
    if found is None and is_console(text):
        found = "console"
    return found or _of_name(name, text)


def _of_name(name: str, text: str) -> str | None:
    """Go by the name: for a file that is empty or begins torn."""
    lower = name.lower()
    found = next((known for suffix, known in SUFFIXES.items() if lower.endswith(suffix)), None)
    if text and found in {"parquet", "bundle", "platform"}:
        return None  # these are known by what is in them
    return found


def _of_json(text: str) -> str | None:
    """Tell a HAR from lines of JSON; of the lines, the first that is whole decides."""
    if _HAR.match(text) or ('"log"' in text[:2000] and _HAR_INSIDE.search(text)):
        return "har"
    for line in text.split("\n")[:20]:
        row = _object(line)
        if row is None:
            continue
        if is_header(line.encode("utf-8", "replace")):
            return "journal"
        if is_own(row) or direction_of(row) or not row.keys().isdisjoint(FRAME_NAMES):
            return "jsonl"
    return None


def _object(line: str) -> dict[str, Any] | None:
    try:
        row = msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return None
    return row if isinstance(row, dict) else None
