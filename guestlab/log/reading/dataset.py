"""Parquet: one file, or the folder of a dataset that `Log.to_parquet` writes.

A dataset may hold several logs, each in several files (see `writing/dataset.py`). Each log is put back into
the order in which it was recorded; a file of another name is a log of its own. pyarrow is imported when
needed: everything else is read without it.
"""

from __future__ import annotations

import importlib
import re
from typing import TYPE_CHECKING, Any

from guestlab.errors import InputError
from guestlab.log.entry import COLUMNS, Entry
from guestlab.log.reading.rows import Rows
from guestlab.log.reading.text_file import time_of_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from guestlab.log.reading.report import Report

__all__ = ["arrow", "dataset_of", "entries_of", "entries_of_files"]

_OURS = re.compile(r"([0-9a-f]{32})-\d+\.parquet")
_BATCH = 4096
_MOST_BYTES = 1 << 33
"""Bytes of one log, unpacked: 8 GiB."""
_TIMES = frozenset(column.name for column in COLUMNS if column.dtype == "datetime64[ns, UTC]")


def arrow(module: str = "pyarrow") -> Any:
    """Import pyarrow, or one of its modules.

    Raises:
        InputError: It is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        raise InputError(
            "Parquet needs pyarrow, which is not installed.",
            why="It is large, so guestlab comes without it.",
            next_step="Run pip install 'guestlab[parquet]', or use JSON Lines or CSV, which need nothing.",
        ) from None


def dataset_of(path: Path) -> Path:
    """Return the folder of the dataset a file belongs to; its own path when it belongs to none."""
    if path.parent.name.startswith("day="):
        return path.parent.parent
    return path.parent if _OURS.fullmatch(path.name) else path


def entries_of(path: Path, report: Report) -> Iterator[Entry]:
    """Yield the entries of a Parquet file, or of all in a folder.

    Raises:
        InputError: pyarrow is not installed.
    """
    files = [path] if path.is_file() else sorted(path.rglob("*.parquet"))
    yield from entries_of_files([file for file in files if file.is_file() and file.name[0] != "."], report)


def entries_of_files(files: Sequence[Path], report: Report) -> Iterator[Entry]:
    """Yield the entries of several files, log after log, each in its order.

    `seq`, `exchange` and `attempt` count on from one log to the next.
    """
    parquet = arrow("pyarrow.parquet")
    logs: dict[str, list[Path]] = {}
    for file in files:
        found = _OURS.fullmatch(file.name)
        logs.setdefault(found[1] if found else str(file), []).append(file)
    last = tried = 0
    for parts in logs.values():
        highest_seq = highest_attempt = 0
        for entry in _log(parts, report, parquet):
            highest_seq = max(highest_seq, entry.seq)
            attempt = entry.attempt
            if isinstance(attempt, int):
                highest_attempt = max(highest_attempt, attempt)
            if not (last or tried):
                yield entry
                continue
            yield entry._replace(
                seq=entry.seq + last,
                exchange=None if entry.exchange is None else entry.exchange + last,
                attempt=attempt if attempt is None else attempt + tried,
            )
        last, tried = last + highest_seq, tried + highest_attempt


def _log(parts: list[Path], report: Report, parquet: Any) -> Iterator[Entry]:
    """Yield the entries of one log, by their number."""
    tables = [table for part in parts if (table := _table(part, report, parquet)) is not None]
    if not tables:
        return
    table = tables[0] if len(tables) == 1 else arrow().concat_tables(tables, promote_options="permissive")
    if "seq" in table.column_names:
        table = table.sort_by("seq")
    rows = Rows(report, session=parts[0].stem, at_ns=time_of_file(parts[0]))
    number = 0
    for batch in table.to_batches(max_chunksize=_BATCH):
        sides = {name: _values(batch.column(name), name) for name in batch.schema.names}
        names = tuple(sides)
        for values in zip(*sides.values(), strict=True):
            number += 1
            entry = rows.entry(dict(zip(names, values, strict=True)), f"row {number}")
            if entry is not None:
                yield entry


def _table(path: Path, report: Report, parquet: Any) -> Any:
    try:
        with parquet.ParquetFile(path, memory_map=True) as file:
            groups = range(file.metadata.num_row_groups)
            size = sum(file.metadata.row_group(group).total_byte_size for group in groups)
            if size > _MOST_BYTES:
                report.skip(path.name, f"it would take {size:,} bytes of memory")
                return None
            return file.read()
    except (OSError, ValueError, MemoryError, NotImplementedError, ArithmeticError) as error:  # Arrow's own
        report.skip(path.name, f"it is no Parquet file, or damaged: {type(error).__name__}")
        return None


def _values(column: Any, name: str) -> list[Any]:
    """Return a column as Python values; times as nanoseconds, which a datetime cannot hold."""
    pyarrow = arrow()
    if pyarrow.types.is_timestamp(column.type):
        as_ns = column.cast(pyarrow.timestamp("ns", tz=column.type.tz), safe=False)
        values: list[Any] = as_ns.cast(pyarrow.int64()).to_pylist()
        return values
    values = column.to_pylist()
    if name in _TIMES:
        return [value if isinstance(value, int) else None for value in values]
    return values
