"""CSV: what `Log.to_csv` writes, what pandas makes of `log.table()`, and tables of others that hold frames.

An empty cell is a missing value. The separator is a comma, semicolon or tab, whichever the first line has
most of. An apostrophe before a formula's first character is taken off again (see `cells.py`).
"""

from __future__ import annotations

import csv
from typing import IO, TYPE_CHECKING, Any

from guestlab.log.cells import READ
from guestlab.log.entry import COLUMNS
from guestlab.log.reading.rows import FRAME_NAMES, Rows
from guestlab.log.reading.text_file import LONGEST_LINE, opened, time_of_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from guestlab.log.entry import Entry
    from guestlab.log.reading.report import Report

__all__ = ["entries_of", "is_table"]

_READ = {column.name: READ[column.dtype] for column in COLUMNS}
_SEPARATORS = (",", ";", "\t")
_OWN = frozenset({"at", "kind"})
_LIKELY = frozenset(FRAME_NAMES[:3])
"""Names of a column that make a table of frames; the others of `FRAME_NAMES` are too common alone."""
_WITNESSES = frozenset({"direction", "dir", "time", "timestamp", "at", "ts"})
_MOST_COLUMNS = 1000


def is_table(head: str) -> bool:
    """Tell by the first line whether a text is a CSV file with something for a log in it."""
    return _is_head(_names_of(head.partition("\n")[0]))


def _is_head(names: set[str]) -> bool:
    if names >= _OWN:
        return True
    return bool(names & _LIKELY) or bool(names & set(FRAME_NAMES) and names & _WITNESSES)


def _names_of(line: str) -> set[str]:
    if len(line) > LONGEST_LINE or line.lstrip().startswith(("{", "[")):
        return set()
    try:
        cells = next(csv.reader([line.rstrip("\r\n")], delimiter=_separator(line)), [])
    except csv.Error:
        return set()
    return {cell.strip() for cell in cells}


def _separator(line: str) -> str:
    return max(_SEPARATORS, key=line.count)


def entries_of(path: Path, report: Report) -> Iterator[Entry]:
    """Yield the entries of a CSV file, one row at a time."""
    rows = Rows(report, session=path.stem, at_ns=time_of_file(path))
    with opened(path) as text:
        first = text.readline(LONGEST_LINE)
        text.seek(0)
        yield from _entries(text, _separator(first), rows, report)


def _entries(text: IO[str], separator: str, rows: Rows, report: Report) -> Iterator[Entry]:
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST_LINE))  # of the process: it only ever grows
    table = csv.reader(_bounded(text), delimiter=separator)
    names: list[str] | None = None
    while True:
        try:
            cells = next(table)
        except StopIteration:
            return
        except csv.Error as error:
            report.skip(f"line {table.line_num}", f"it is no CSV: {error}")
            continue
        if not any(cells):
            continue
        if names is None:
            names = [name.strip() for name in cells[:_MOST_COLUMNS]]
            if not _is_head(set(names)):
                report.skip("line 1", "it names no column that holds frames")
                return
            continue
        entry = rows.entry(_row(names, cells), f"line {table.line_num}")
        if entry is not None:
            yield entry


def _bounded(text: IO[str]) -> Iterator[str]:
    """Yield lines as the CSV reader wants them; a piece of one that is too long counts as a line."""
    while line := text.readline(LONGEST_LINE):
        yield line


def _row(names: list[str], cells: list[str]) -> dict[str, Any]:
    """Name the cells; those of our columns are read as what they are."""
    row: dict[str, Any] = {}
    own = set(names) >= _OWN
    for name, cell in zip(names, cells, strict=False):
        if cell:
            row[name] = _READ[name](cell) if own and name in _READ else cell
    return row
