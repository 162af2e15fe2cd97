"""The way back from a journal: its lines become entries, whatever happened to the process that wrote them.

Streaming: a few megabytes are held at a time. A line that is none is reported and left out, never the
reason of an error; the last one may be torn where the process was killed. Its twin is `log/journal.py`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from guestlab.errors import LogError
from guestlab.log.entry import COLUMNS, Entry
from guestlab.log.fitting import KINDS, fitted
from guestlab.log.journal import FORMAT, VERSION, Row
from guestlab.log.store import seal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from guestlab.log.reading.report import Report
    from guestlab.log.store import Chunk

__all__ = ["entries_of", "fetched", "is_header", "rows_of"]

_NAMES = tuple(column.name for column in COLUMNS)
_BLOCK = 1 << 20
"""Bytes decoded at once."""
_TORN = "it is torn: its process ended while writing it, before anybody was told of the entry"
_NEEDED = ("seq", "at", "monotonic_ns", "kind")


def is_header(line: bytes) -> bool:
    """Tell whether a file whose first line this is is a journal."""
    return _object(line).get("format") == FORMAT


def entries_of(path: Path, report: Report) -> Iterator[Entry]:
    """Read the entries of a journal, in order.

    Args:
        path: The file.
        report: Told of lines that cannot be read, and once of each column nobody here knows.

    Raises:
        LogError: The file cannot be read, is no journal, or was written by a newer version.
    """
    try:
        with path.open("rb") as file:
            head = file.readline()
            _check(head, path)
            reading = _Reading(report, _object(head))
            number = 2
            while lines := file.readlines(_BLOCK):
                yield from reading.entries(lines, number)
                number += len(lines)
    except OSError as error:
        raise LogError(
            f"The journal {path} cannot be read.",
            why=f"The system said: {error.strerror or error}.",
            next_step="Give the path of a file that exists and may be read.",
        ) from None


def rows_of(lines: bytes) -> list[Entry]:
    """Decode whole lines that this version wrote.

    Raises:
        msgspec.DecodeError: They are not what was written.
    """
    astuple = msgspec.structs.astuple
    return [tuple.__new__(Entry, astuple(row)) for row in _LINES.decode_lines(lines)]


def fetched(path: Path, start: int, end: int, count: int) -> Chunk:
    """Read entries again that a journal holds between two of its bytes, while it is being written.

    Raises:
        LogError: They are not there any more.
    """
    try:
        with path.open("rb") as file:
            file.seek(start)
            rows = rows_of(file.read(end - start))
        if len(rows) == count:
            return seal(rows)
        said = f"{len(rows)} entries are left of {count}"
    except (OSError, msgspec.MsgspecError) as error:
        said = str(error)
    raise LogError(
        f"Older entries cannot be read back from {path}.",
        why=f"The journal was moved or changed while its log was in use: {said}.",
        next_step="Put it back, or record without keep=, which holds every entry in memory.",
    )


_LINES: Any = msgspec.json.Decoder(Row)


class _Reading:
    """Where in one journal the reading is."""

    def __init__(self, report: Report, header: dict[str, Any]) -> None:
        self.report = report
        self.unknown: set[str] = set()
        columns = header.get("columns")
        self._note_unknown(columns if isinstance(columns, list) else [])

    def entries(self, lines: list[bytes], first: int) -> Iterator[Entry]:
        """Decode a block of lines: together where they are as this version writes them, else one by one."""
        try:
            yield from rows_of(b"".join(lines))
        except (msgspec.MsgspecError, UnicodeDecodeError):
            pass
        else:
            return
        for place, line in enumerate(lines):
            entry = self._entry(line, first + place)
            if entry is not None:
                yield entry

    def _entry(self, line: bytes, number: int) -> Entry | None:
        where = f"line {number}"
        fields = _object(line)
        if not fields:
            is_torn = not line.endswith(b"\n")
            self.report.skip(where, _TORN if is_torn else "it is no JSON object")
            return None
        if missing := [name for name in _NEEDED if fields.get(name) is None]:
            self.report.skip(where, f"it has no {missing[0]}")
            return None
        self._note_unknown(fields)
        known = {name: fields[name] for name in _NAMES if fields.get(name) is not None}
        if type(known["seq"]) is not int or not isinstance(known["kind"], str) or known["kind"] not in KINDS:
            self.report.skip(where, "its seq or kind is none")
            return None
        return Entry(**{name: _fitting(name, value) for name, value in known.items()})

    def _note_unknown(self, names: Any) -> None:
        for name in names:
            if name not in _NAMES and name not in self.unknown:
                self.unknown.add(name)
                self.report.skip(f"column {str(name)[:60]!r}", "no column of this version has that name")


def _fitting(name: str, value: Any) -> Any:
    try:
        return fitted(name, (value,))[0]
    except ValueError:  # a word of a newer set
        return None


def _check(head: bytes, path: Path) -> None:
    header = _object(head)
    version = header.get("version")
    if header.get("format") != FORMAT or not isinstance(version, int):
        raise LogError(
            f"{path} is no journal.",
            why="Its first line is not the header of one.",
            next_step="Give it to gl.read(path), which finds out what it is.",
        )
    if version > VERSION:
        raise LogError(
            f"{path} was written by a newer guestlab.",
            why=f"It is a journal of version {version}; this guestlab reads up to version {VERSION}.",
            next_step="Read it with the guestlab that wrote it, or bring this one up to date.",
        )


def _object(line: bytes) -> dict[str, Any]:
    """Decode a line; what is no object is an empty one. `json` reads what msgspec refuses, NaN for one."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
