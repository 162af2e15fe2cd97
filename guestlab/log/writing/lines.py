"""A log as lines of text: JSON Lines, in which nothing is lost, and CSV, for spreadsheets.

Both are written in blocks, so that a log larger than the memory can be written too.
"""

from __future__ import annotations

import csv
import io
from typing import IO, TYPE_CHECKING, Any

from guestlab.log.cells import WRITTEN
from guestlab.log.entry import COLUMNS
from guestlab.log.writing.files import blocks_of, replacing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from guestlab.log.bulk import Sides
    from guestlab.log.entry import Column
    from guestlab.log.recorder import Log

__all__ = ["csv_of", "jsonl_of", "write_csv", "write_jsonl"]

_NAMES = tuple(column.name for column in COLUMNS)


def write_jsonl(log: Log, path: Path) -> Path:
    """Write one JSON object per entry: its columns that are not missing, in order; return the path.

    Times are whole nanoseconds since 1970, so that nothing is lost: `gl.read` gives an equal log, but for
    `source_file`, which is the file's name where it was missing.

    Raises:
        LogError: The file cannot be written.
    """
    with replacing(path) as file:
        for block, length in blocks_of(log):
            file.write(jsonl_of(block, length))
    return path


def jsonl_of(block: Sides, length: int) -> bytes:
    """Return a block as lines of JSON."""
    import msgspec

    names = [name for name in _NAMES if name in block]
    rows = zip(*(block[name] for name in names), strict=True) if names else iter([()] * length)
    filled = (
        {name: value for name, value in zip(names, row, strict=True) if value is not None} for row in rows
    )
    return msgspec.json.Encoder().encode_lines(filled)


def write_csv(log: Log, path: Path) -> Path:
    """Write a line of column names and one line per entry, as RFC 4180 has it, in UTF-8; return the path.

    Times are ISO 8601 in UTC with nanoseconds; an empty cell is a missing value. A text that a spreadsheet
    would take for a formula, blanks before it or not, has an apostrophe in front, which `gl.read` takes off.
    It gives an equal log, but for `source_file`, which is the file's name where it was missing, and for an
    empty text, which comes back as missing: a CSV cannot tell them apart.

    Raises:
        LogError: The file cannot be written.
    """
    with replacing(path) as file:
        rows = (row for block, length in blocks_of(log) for row in _rows(block, length))
        csv_of(rows, COLUMNS, file)
    return path


def csv_of(rows: Iterable[Iterable[Any]], columns: tuple[Column, ...], file: IO[bytes]) -> None:
    """Write rows of values, None where one is missing, as CSV."""
    text = io.TextIOWrapper(file, encoding="utf-8", errors="backslashreplace", newline="")
    table = csv.writer(text)  # line ends and quotes as in RFC 4180
    table.writerow([column.name for column in columns])
    written = [WRITTEN[column.dtype] for column in columns]
    for row in rows:
        table.writerow(
            ["" if value is None else write(value) for write, value in zip(written, row, strict=True)]
        )
    text.flush()
    text.detach()


def _rows(block: Sides, length: int) -> Iterator[tuple[Any, ...]]:
    nothing = (None,) * length
    return zip(*(block.get(name, nothing) for name in _NAMES), strict=True)
