"""CSV: what `Log.to_csv` writes, what pandas makes of `log.table()`, and tables of others that hold frames.

An empty cell is a missing value. The separator is a comma, semicolon or tab, whichever the first line has
most of. An apostrophe before a formula's first character is taken off again (see `cells.py`). The last row of
a file that was cut off is left out: half a row would be read as a whole one with other values.
"""

from __future__ import annotations

import csv
from typing import IO, TYPE_CHECKING, Any

from guestlab.log.cells import READ
from guestlab.log.entry import COLUMNS
from guestlab.log.reading.rows import FRAME_NAMES, Rows
from guestlab.log.reading.text_file import LONGEST_LINE, opened, time_of_file
from guestlab.log.reading.view_tables import view_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
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
    if names >= _OWN or view_of(names) is not None:
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
    table = _Table(text, separator, report)
    found = table.rows()
    _, names = next(found, ("line 1", []))
    if not names:
        return
    named = _reader_of(names, report)
    if named is None:
        return
    for place, cells in found:
        entry = rows.entry(named(cells), place)
        if entry is not None:
            yield entry


class _Table:
    """The rows of a CSV file, each told once it is known whether another one follows.

    Args:
        text: The open file.
        separator: What stands between cells.
        report: Told of rows that cannot be read.
    """

    def __init__(self, text: IO[str], separator: str, report: Report) -> None:
        self._text, self._separator, self._report = text, separator, report
        self._lines: list[str] = []
        """Those of the row that is being read."""
        self._reader = csv.reader(self._bounded(), delimiter=separator)

    def rows(self) -> Iterator[tuple[str, list[str]]]:
        """Yield the names, then every row that is whole, each with its place."""
        waiting: tuple[str, list[str], list[str]] | None = None
        width = 0
        while True:
            begins = self._reader.line_num + 1
            try:
                cells = next(self._reader)
            except StopIteration:
                break
            except csv.Error as error:
                self._report.skip(f"line {self._reader.line_num}", f"it is no CSV: {error}")
                self._lines.clear()
                continue
            lines, self._lines = self._lines, []
            if not any(cells):
                continue
            if waiting is not None:
                yield waiting[:2]
            elif not width:
                width = len(cells)
            ends = self._reader.line_num
            waiting = (f"line {begins}" if begins == ends else f"lines {begins} to {ends}"), cells, lines
        if waiting is None:
            return
        place, cells, lines = waiting
        if why := self._torn(lines, len(cells) < width):
            self._report.skip(place, why)
        else:
            yield place, cells

    def _torn(self, lines: list[str], is_short: bool) -> str | None:
        """Tell why the last row is none, or None when it is whole."""
        if is_short:
            return "it is torn: the file ends in the middle of this row"
        try:  # a reader that is not strict takes the end of the file for the end of the quote
            list(csv.reader(lines, delimiter=self._separator, strict=True))
        except csv.Error as error:
            if "unexpected end of data" in str(error):
                return "it is torn: a quote that begins in it has no end, so the file was cut off"
        return None

    def _bounded(self) -> Iterator[str]:
        """Yield lines as the CSV reader wants them; a piece of one that is too long counts as a line."""
        while line := self._text.readline(LONGEST_LINE):
            self._lines.append(line)
            yield line


def _reader_of(names: list[str], report: Report) -> Callable[[list[str]], dict[str, Any]] | None:
    """Return what names the cells of a row; our columns are read as what they are."""
    names = [name.strip() for name in names[:_MOST_COLUMNS]]
    view = view_of(set(names))
    if view is not None and not view.kind:
        report.skip("the file", f"it is log.{view.name}, a view: read the log that it was made of")
        return None
    if not _is_head(set(names)):
        report.skip("line 1", "it names no column that holds frames, or ends within its names")
        return None
    is_own = set(names) >= _OWN

    def own(cells: list[str]) -> dict[str, Any]:
        row = {name: cell for name, cell in zip(names, cells, strict=False) if cell}
        row = row if view is None else view.row(row)
        return {name: _READ[name](cell) if name in _READ else cell for name, cell in row.items()}

    def foreign(cells: list[str]) -> dict[str, Any]:
        return {name: cell for name, cell in zip(names, cells, strict=False) if cell}

    return own if is_own or view is not None else foreign
