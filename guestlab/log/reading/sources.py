"""From paths to one log: which files there are, in which order, each through the reader of its format.

Whatever is wrong with a file ends in its report. Entries come in blocks of columns, as `Log.extend_columns`
takes them.
"""

from __future__ import annotations

import importlib
import os
import stat
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guestlab.errors import GuestlabError, LogError
from guestlab.log.bulk import sides_of
from guestlab.log.entry import UNTIMED, Kind
from guestlab.log.frame_columns import capabilities
from guestlab.log.joined_texts import joined
from guestlab.log.reading.bundle import LOG, PARTS, is_unpacked
from guestlab.log.reading.dataset import dataset_of
from guestlab.log.reading.detect import format_of
from guestlab.log.reading.report import Report
from guestlab.log.reading.text_file import MOST_FILES, plain, time_of_file
from guestlab.log.recorder import Log
from guestlab.log.store import CHUNK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from guestlab.log.redaction import Redactor

    Block = Mapping[str, Sequence[Any]]

__all__ = ["READERS", "log_of"]

READERS = {
    "har": "guestlab.log.reading.har",
    "journal": "guestlab.log.reading.journal",
    "jsonl": "guestlab.log.reading.lines",
    "csv": "guestlab.log.reading.table_file",
    "parquet": "guestlab.log.reading.dataset",
    "bundle": "guestlab.log.reading.bundle",
    "console": "guestlab.log.reading.console",
    "platform": "guestlab.log.reading.platform_reply",
}
"""Format → the module that reads it, imported when it is needed."""
_OPEN_AT_ONCE = 100
_COMPARED = 1000
"""Entries at the beginning of two files that are compared, to find out whether they are one run."""
_MOST_ATTEMPTS = 1 << 32
_UNKNOWN = (
    "it is no HAR, journal, JSON Lines, CSV, Parquet, bundle, terminal output with guest frames, "
    "or saved reply of the Platform API"
)


def log_of(paths: Sequence[Path], redactor: Redactor | None) -> Log:
    """Read files and folders into one log.

    Raises:
        LogError: There is nothing readable at all.
        InputError: It is Parquet alone, and pyarrow is not installed.
    """
    missing = next((path for path in paths if not path.exists()), None)
    if missing is not None:
        raise LogError(
            f"There is no file {plain(missing)}.",
            why="Nothing of that name exists here.",
            next_step="Give the path of a file or folder that exists.",
        )
    log = Log(redactor=redactor)
    found = [source for path in paths for source in _sources(path)]
    if len(found) > 1:
        _leave_out_copies(found)
    sources = sorted(found, key=lambda source: source.begins) if len(found) > 1 else found
    last_attempt = 0
    for source in sources:
        last_attempt = _take(log, source, last_attempt)
    log._skipped = tuple(skipped for source in sources for skipped in source.report.skipped)  # noqa: SLF001
    if not len(log.entries) and not any(source.is_whole for source in sources):
        raise _nothing(paths, sources)
    for source in sources:
        _note(log, source)
    return log


class _Source:
    """One file, or one dataset, on its way into a log."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.report = Report(plain(path.name))
        self.format: str | None = None
        self.begins = 2**63
        self.error: GuestlabError | None = None
        self.run: list[tuple[Any, ...]] = []
        """When its first entries were recorded, to the nanosecond, and what they are."""
        self._is_left_out = False
        self._blocks: Iterator[Block] | None = None

    @property
    def is_whole(self) -> bool:
        """Whether it was understood from end to end, though there may be nothing in it."""
        return not self.report.count and (self.format is not None or self._is_left_out)

    def leave_out(self, why: str) -> None:
        """Do not read it, and say why; nothing is wrong with it."""
        self.report = Report(self.report.source_file)
        self.report.leave_out("the file", why)
        self.format, self._blocks, self._is_left_out = None, None, True

    def count(self) -> int:
        """Count its entries."""
        assert self.format is not None
        unheard = Report(self.report.source_file)
        return sum(len(block["at"]) for block in _read_with(READERS[self.format], self.path, unheard))

    def open(self, *, peek: bool, keep: bool) -> None:
        """Find out what it is, and when it begins."""
        if self._is_left_out:
            return
        try:
            self.format = "parquet" if self.path.is_dir() else format_of(self.path)
            is_empty = self.path.is_file() and self.path.stat().st_size == 0
        except OSError as error:
            self.report.skip("the file", f"it cannot be opened: {error.strerror or type(error).__name__}")
            return
        if is_empty and self.format != "jsonl":  # of those it is how a log without entries is written
            self.leave_out("it is empty")
        elif self.format is None:
            self.report.skip("the file", _UNKNOWN)
        elif peek:
            blocks = self._opened()
            first = next(blocks, None)
            if first is not None:
                self.begins = min((at for at in first["at"] if isinstance(at, int)), default=self.begins)
                self.run = list(zip(first["at"], first["monotonic_ns"], first["kind"], strict=True))[
                    :_COMPARED
                ]
            if keep and first is not None:
                self._blocks = _chained(first, blocks)
            else:
                self.report = Report(self.report.source_file) if first is not None else self.report
                self._blocks = None if first is not None else iter(())

    def blocks(self) -> Iterator[Block]:
        """Yield its entries in blocks of columns; whatever is wrong with it ends in the report."""
        if self.format is None:
            return iter(())
        return self._opened() if self._blocks is None else self._blocks

    def _opened(self) -> Iterator[Block]:
        assert self.format is not None
        try:
            yield from _read_with(READERS[self.format], self.path, self.report)
        except GuestlabError as error:
            self.error = error
            self.report.skip("the rest", plain(error.what))
        except Exception as error:  # noqa: BLE001 - a hostile file must not be able to stop the others
            self.report.skip("the rest", f"reading it failed: {type(error).__name__}")


def _read_with(module: str, path: Path, report: Report) -> Iterator[Block]:
    reader = importlib.import_module(module)
    if hasattr(reader, "columns_of"):  # a reader that never makes entries
        yield from reader.columns_of(path, report)
        return
    entries = iter(reader.entries_of(path, report))
    while some := list(islice(entries, CHUNK)):
        yield sides_of(some)


def _chained(first: Block, rest: Iterator[Block]) -> Iterator[Block]:
    yield first
    yield from rest


def _leave_out_copies(sources: Sequence[_Source]) -> None:
    """Of one run that is there several times, as its journal and an export of it, read the longest alone."""
    first: dict[tuple[Any, ...], list[_Source]] = {}
    for source in sources:
        if source.format is None or not source.run or source.run[0][1] == UNTIMED:
            continue  # of what no clock told, equal times say nothing
        same = first.setdefault(source.run[0], [])
        place = next((at for at, other in enumerate(same) if _is_one_run(source, other)), None)
        if place is None:
            same.append(source)
            continue
        kept, copy = same[place], source
        if copy.count() > kept.count():
            kept, copy = copy, kept
        copy.leave_out(f"it is the same run as {kept.report.source_file}")
        same[place] = kept


def _is_one_run(one: _Source, other: _Source) -> bool:
    """Whether, as far as both were looked into, one has all the other has: a copy may lack damaged lines."""
    end = min(one.run[-1][0], other.run[-1][0])
    mine, theirs = (Counter(entry for entry in source.run if entry[0] <= end) for source in (one, other))
    return mine <= theirs or theirs <= mine


def _sources(path: Path) -> list[_Source]:
    """Find the files to read, each once; look into them where their order has to be found out."""
    if path.is_dir():
        paths, left_out = _files(path)
    else:
        paths, left_out = [path], 0
    sources = [_Source(one) for one in paths]
    for source in sources:
        if source.path.name in PARTS and source.path != path and is_unpacked(source.path.parent):
            source.leave_out(f"it is part of the bundle whose log is {LOG}")
    if left_out:
        beyond = _Source(path)
        beyond.report.skip("the folder", f"only {MOST_FILES:,} files are read; {left_out:,} more are there")
        sources.append(beyond)
    few = len(sources) <= _OPEN_AT_ONCE
    for source in sources:
        if source.report.count == 0:
            source.open(peek=True, keep=few)
    return sources


def _files(folder: Path) -> tuple[list[Path], int]:
    """Return the regular files below a folder, datasets as one, and how many are too many."""
    found: dict[Path, None] = {}
    count = 0
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(place, name)
            if name.startswith(".") or not _is_regular(path):
                continue
            count += 1
            if count <= MOST_FILES:
                found[dataset_of(path) if name.endswith(".parquet") else path] = None
    return list(found), max(0, count - MOST_FILES)


def _is_regular(path: Path) -> bool:
    """Leave out links, which may lead anywhere, and pipes, which may never end."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def _take(log: Log, source: _Source, last_attempt: int) -> int:
    """Put the entries of one file into the log; return the highest number of an attempt so far."""
    highest = [last_attempt]
    try:
        log.extend_columns(_prepared(source.blocks(), log, source.report.source_file, last_attempt, highest))
    except GuestlabError as error:
        source.report.skip("the rest", plain(error.what))
    return highest[0]


def _prepared(
    blocks: Iterable[Block], log: Log, name: str, last_attempt: int, highest: list[int]
) -> Iterator[Block]:
    """Name the file, count attempts on, and learn what opens files before anything is redacted."""
    for block in blocks:
        sides = dict(block)
        kinds = sides["kind"]
        named = sides.get("source_file") or (None,) * len(kinds)
        sides["source_file"] = [name if one is None else one for one in named]
        for raw in _with_urls(kinds, sides.get("raw") or ()):
            log.learn(*capabilities(raw))
        if attempts := sides.get("attempt"):
            numbers = [one for one in attempts if isinstance(one, int) and one < _MOST_ATTEMPTS]
            highest[0] = max(highest[0], last_attempt + max(numbers, default=0))
            if last_attempt:
                known = set(numbers)
                sides["attempt"] = [one + last_attempt if one in known else None for one in attempts]
        yield sides


def _with_urls(kinds: Sequence[Any], raws: Sequence[Any]) -> list[str]:
    """Return the frames that may hold a name ending in `rl`, as url and downloadUrl do."""
    frames = [
        raw for kind, raw in zip(kinds, raws, strict=False) if kind is Kind.FRAME and isinstance(raw, str)
    ]
    block = joined(frames)
    return frames if block is None else [frames[place] for place in block.with_pair(b"rl")]


def _note(log: Log, source: _Source) -> None:
    report = source.report
    if not report.count:
        return
    try:
        at = time_of_file(source.path)
    except OSError:
        at = 0
    first = report.skipped[0]
    parts = "1 part" if report.count == 1 else f"{report.count:,} parts"
    note = f"{parts} of {report.source_file} could not be read. The first: {first.place}: {first.why}."
    log.record(Kind.NOTE, at_ns=at, monotonic_ns=0, source_file=report.source_file, ok=False, note=note)


def _nothing(paths: Sequence[Path], sources: Sequence[_Source]) -> GuestlabError:
    """Say why there is nothing in the log."""
    error = sources[0].error if len(sources) == 1 else None
    if error is not None and sources[0].format == "parquet":
        return error  # pyarrow is missing: nothing is wrong with the file
    if error is not None:
        return LogError(error.what, why=error.why, next_step=error.next_step, evidence=error.evidence)
    skipped = [source.report.skipped[0] for source in sources if source.report.skipped]
    return LogError(
        f"There is nothing readable in {plain(', '.join(path.name or str(path) for path in paths))}.",
        why=f"{skipped[0].source_file}, {skipped[0].place}: {skipped[0].why}."
        if skipped
        else "It holds no file with an entry or a guest frame.",
        next_step="Give a HAR, journal, JSON Lines, CSV, Parquet, bundle, or what wscat or a tester printed.",
        evidence=tuple(f"{one.source_file}, {one.place}: {one.why}" for one in skipped[1:6]),
    )
