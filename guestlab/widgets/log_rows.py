"""One row of the log, in words: as a line of a list, as a row of a table, and with everything it holds.

Pure. What entries hold is redacted already; it is made visible and escaped here.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from guestlab.handshake.attempt import Credential, in_words
from guestlab.log.entry import COLUMNS, Kind
from guestlab.widgets import theme
from guestlab.widgets.inspector import entry_html
from guestlab.widgets.log_sieve import is_refusal
from guestlab.widgets.wire_text import plain, shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from guestlab.log.entry import Entry

__all__ = ["HEAD", "card", "line", "lines_text", "rows_table", "time_of"]

_WIDTHS = {"": 2, "entry": 8, "time, UTC": 14, "way": 12, "kind": 11, "number": 12, "what": 30}
_SPACE = "\u00a0"
"""A list would make one of several plain spaces."""
_WAYS = {"sent": "→ sent", "received": "← received"}
_WORDS = 160
_SHOWN = 300


def _columns(parts: Iterable[str]) -> str:
    cells = (
        plain(part, width - 1, one_line=True).ljust(width)
        for part, width in zip(parts, _WIDTHS.values(), strict=True)
    )
    return "".join(cells)


HEAD = (_columns(_WIDTHS) + "words").replace(" ", _SPACE)
"""The line above the lines."""


def time_of(nanoseconds: int) -> str:
    """Show a time of day in UTC, to the millisecond."""
    try:
        when = datetime.fromtimestamp(nanoseconds / 1e9, UTC)
    except (ValueError, OverflowError, OSError):  # a log that was read says what it likes
        return "?"
    return f"{when:%H:%M:%S}.{when.microsecond // 1000:03}"


def _number(entry: Entry) -> tuple[str, int] | None:
    """Lane and number of what it carries."""
    numbers = (("http", entry.http_status), ("close", entry.close_code), ("frame", entry.frame_code))
    return next(((lane, number) for lane, number in numbers if number is not None), None)


def _what(entry: Entry) -> str:
    if entry.action or entry.class_name:
        return entry.action or entry.class_name or ""
    if entry.kind is Kind.ATTEMPT and entry.credential:
        if entry.credential == Credential.NONE:
            return in_words(entry.credential, "", deployment="deploymentId=" in (entry.url or ""))
        return f"{entry.credential} in {entry.placement}".replace("_", " ")
    if entry.url and entry.kind is not Kind.STEP:
        return f"{entry.method or ''} {_path(entry.url)}".strip()
    return str(entry.step or entry.stage or "")


def _path(url: str) -> str:
    try:
        return urlsplit(url).path or url
    except ValueError:
        return url


def _words(entry: Entry) -> str:
    return entry.text or entry.note or (entry.raw if entry.kind is Kind.FRAME else "") or ""


def line(entry: Entry) -> str:
    """Show it in one line of fixed columns, for a list in a fixed font."""
    number = _number(entry)
    parts = (
        "✗" if is_refusal(entry) else "",
        f"#{entry.seq}",
        time_of(entry.at),
        _WAYS.get(entry.direction or "", ""),
        str(entry.kind),
        f"{number[0]} {number[1]}" if number else "",
        _what(entry),
    )
    words = plain(_words(entry), _WORDS, one_line=True)
    return f"{_columns(parts)}{words}".rstrip().replace(" ", _SPACE)


def lines_text(entries: Iterable[Entry]) -> str:
    """Show them for a terminal."""
    return "\n".join(line(entry).replace(_SPACE, " ") for entry in entries)


def rows_table(entries: Iterable[Entry]) -> str:
    """Show them as a table that needs no style sheet."""
    rows = [
        (
            entry.seq,
            time_of(entry.at),
            _WAYS.get(entry.direction or "", ""),
            str(entry.kind),
            theme.Markup(_number_html(entry)),
            theme.Markup(shown(_what(entry), _SHOWN)),
            theme.Markup(shown(_words(entry), _SHOWN)),
        )
        for entry in entries
    ]
    return theme.table(("entry", "time, UTC", "way", "kind", "number", "what", "words"), rows)


def _number_html(entry: Entry) -> str:
    number = _number(entry)
    sign = "✗ " if is_refusal(entry) else ""
    return sign + (theme.number(number[1], number[0]) if number else "")


def card(entry: Entry) -> str:
    """Show one with all that it holds: numbers, what crossed the wire, every filled column."""
    rows = [
        (column.name, theme.Markup(shown(str(getattr(entry, column.name)), _SHOWN)), column.meaning)
        for column in COLUMNS
        if column.name != "raw" and getattr(entry, column.name) is not None
    ]
    columns = theme.table(("column", "value", "meaning"), rows)
    return entry_html(entry) + theme.details(f"All {len(rows)} filled columns", columns)
