"""A support bundle: the zip `Log.to_bundle` writes. Its log is `log.jsonl`; the rest is for people.

A zip may be a bomb: what is unpacked is counted as it comes, whatever the directory of the zip says, and
the reading ends at `MOST_UNPACKED`. Nothing is ever written to the disk.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import IO, TYPE_CHECKING, Any

from guestlab.log.reading.lines import entries_of_lines
from guestlab.log.reading.rows import Rows
from guestlab.log.reading.text_file import MOST_UNPACKED, decoded, lines_of, time_of_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from guestlab.log.entry import Entry
    from guestlab.log.reading.report import Report

__all__ = ["LOG", "entries_of"]

LOG = "log.jsonl"
"""Name of the log in a bundle."""
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, ValueError)
"""What `zipfile` raises of a damaged, encrypted or strange zip."""


def entries_of(path: Path, report: Report) -> Iterator[Entry]:
    """Yield the entries of a bundle, unpacking as it goes."""
    try:
        with zipfile.ZipFile(path) as archive:
            member = _member(archive)
            if member is None:
                report.skip("the zip", f"there is no {LOG} in it")
                return
            rows = Rows(report, session=path.stem, at_ns=time_of_file(path))
            with (
                archive.open(member) as packed,
                decoded(io.BufferedReader(_Counted(packed, report)), b"") as text,
            ):
                yield from entries_of_lines(lines_of(text, report), rows, report)
    except _BROKEN as error:
        report.skip("the rest", f"the zip is damaged or locked: {type(error).__name__}")


def _member(archive: zipfile.ZipFile) -> str | None:
    """Find the log: in the zip itself, or in the one folder that somebody packed it with."""
    names = [name for name in archive.namelist() if name == LOG or name.endswith(f"/{LOG}")]
    return min(names, key=len, default=None)


class _Counted(io.RawIOBase):
    """Hands on what is unpacked, up to a size."""

    def __init__(self, packed: IO[bytes], report: Report) -> None:
        self._packed, self._report = packed, report
        self._left = MOST_UNPACKED

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)
        if self._left <= 0:
            self._report.skip("the rest", f"it unpacks to more than {MOST_UNPACKED:,} bytes")
            return 0
        data = self._packed.read(min(len(view), self._left))
        self._left -= len(data)
        view[: len(data)] = data
        return len(data)
