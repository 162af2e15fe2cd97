"""What a dataset holds already of a run: so that one run counts once, whoever writes it how often.

A run is known by when its first entry was recorded, to the nanosecond of two clocks; whether two logs are of
one run is then told by their entries. The file names of a dataset begin with what the first entry says, so
that a writer looks into few files. Writers who find copies take turns, by a lock on a file in the folder.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from typing import TYPE_CHECKING, Any

from guestlab.log.entry import UNTIMED
from guestlab.log.reading.dataset import arrow

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["copies_of", "run_of", "turn"]

_TOLD = ("seq", "at", "monotonic_ns", "kind", "session", "size")
"""What is the same in every copy of an entry, whatever was masked later and which file it went through."""
_LOCK = ".guestlab-writing"


def run_of(table: Any) -> str | None:
    """Return 16 hexadecimal digits that every copy of a log has; None where no clock told its times."""
    if not table.num_rows:
        return None
    first = table.select(["at", "monotonic_ns", "kind"]).slice(0, 1)
    at, monotonic_ns, kind = (column[0] for column in _plain(first))
    if monotonic_ns == UNTIMED:
        return None
    return hashlib.sha256(f"{at} {monotonic_ns} {kind}".encode()).hexdigest()[:16]


def copies_of(table: Any, name: str, folder: Path) -> tuple[list[Path], bool]:
    """Find copies of a log among what other logs wrote into a dataset.

    Args:
        table: All its entries.
        name: That of its own files; begins with its `run_of`.
        folder: Of the dataset.

    Returns:
        The files of the logs whose entries are all in this one; and whether there is a log that holds all of
        this one and more.
    """
    others: dict[str, list[Path]] = {}
    run = name[:16]
    for path in (*folder.glob(f"{run}*.parquet"), *folder.glob(f"day=*/{run}*.parquet")):
        other = path.name.partition("-")[0]
        if other != name:
            others.setdefault(other, []).append(path)
    within: list[Path] = []
    mine = _rows(table) if others else set()
    for paths in others.values():
        theirs = _rows_of(paths)
        if theirs is None:
            continue
        if mine < theirs:
            return [], True
        if theirs <= mine:
            within += paths
    return within, False


@contextlib.contextmanager
def turn(folder: Path) -> Iterator[bool]:
    """Wait until no other process puts files into the folder; whether the system can tell.

    Without file locks, as on Windows and on some network file systems, nobody waits, and copies are not
    looked for: two who found each other's at once would both give way.
    """
    try:
        import fcntl

        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except (ImportError, OSError):
        yield False
        return
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)  # let go of by the system too, when a process dies
        except OSError:
            yield False
            return
        yield True
    finally:
        os.close(lock)


def _rows_of(paths: list[Path]) -> set[tuple[Any, ...]] | None:
    """Read what tells the entries of a log apart; None where a file is damaged."""
    parquet = arrow("pyarrow.parquet")
    rows: set[tuple[Any, ...]] = set()
    try:
        for path in paths:
            with parquet.ParquetFile(path) as file:
                rows |= _rows(file.read(columns=list(_TOLD)))
    except (OSError, ValueError, LookupError):  # Arrow's own
        return None
    return rows


def _rows(table: Any) -> set[tuple[Any, ...]]:
    return set(zip(*_plain(table.select(list(_TOLD))), strict=True))


def _plain(table: Any) -> list[list[Any]]:
    """Columns as Python values; times as nanoseconds, categories as words."""
    pyarrow = arrow()
    plain = []
    for column in table.columns:
        if pyarrow.types.is_timestamp(column.type):
            column = column.cast(pyarrow.int64())  # noqa: PLW2901
        elif pyarrow.types.is_dictionary(column.type):
            column = column.cast(pyarrow.string())  # noqa: PLW2901
        plain.append(column.to_pylist())
    return plain
