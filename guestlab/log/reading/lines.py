"""JSON Lines: those `Log.to_jsonl` writes, and those of others that hold one guest frame a line.

A line of ours has the columns of the log as names. A line of somebody else is itself a frame, or holds one
under `frame`, `raw`, `payload`, `data` or the like, beside it perhaps a time and a direction. Each line is
judged by itself, so that a torn one costs itself only. Times that pandas wrote as milliseconds are told from
our nanoseconds by their size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guestlab.log.reading.rows import Rows, is_own
from guestlab.log.reading.text_file import lines_of, opened, time_of_file
from guestlab.log.times import read_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from guestlab.log.entry import Entry
    from guestlab.log.reading.report import Report

__all__ = ["entries_of", "entries_of_lines"]


def entries_of(path: Path, report: Report) -> Iterator[Entry]:
    """Yield the entries of a JSON Lines file, one line at a time.

    Frames that bear no time get that of the file; those that name no session are of one with its name.
    """
    rows = Rows(report, session=path.stem, at_ns=time_of_file(path))
    with opened(path) as text:
        yield from entries_of_lines(lines_of(text, report), rows, report)


def entries_of_lines(lines: Iterable[tuple[int, str]], rows: Rows, report: Report) -> Iterator[Entry]:
    """Yield the entries of numbered lines."""
    import msgspec

    decode = msgspec.json.Decoder(Any).decode
    for number, line in lines:
        place = f"line {number}"
        try:
            row = decode(line)
        except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
            report.skip(place, "it is no JSON, or torn")
            continue
        if not isinstance(row, dict):
            report.skip(place, "it is JSON, but no object")
            continue
        entry = rows.entry(_in_nanoseconds(row), place, line)
        if entry is not None:
            yield entry


def _in_nanoseconds(row: dict[str, Any]) -> dict[str, Any]:
    """Read the times of a row of our columns that another program wrote: pandas counts milliseconds.

    Ours are whole nanoseconds beside `monotonic_ns`, and what is missing is left out.
    """
    if not is_own(row) or ("monotonic_ns" in row and None not in row.values()):
        return row
    times = {name: read_time(row[name]) for name in ("at", "message_time") if row.get(name) is not None}
    return row | times
