"""A support bundle: the zip `Log.to_bundle` writes. Its log is `log.jsonl`; the rest is for people.

`manifest.json` holds the hash of every file: where one was changed since, that is reported, and the log is
read all the same. A zip may be a bomb: what is unpacked is counted as it comes, whatever the directory of the
zip says, and the reading ends at `MOST_UNPACKED`. Nothing is ever written to the disk.
"""

from __future__ import annotations

import hashlib
import io
import json
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

__all__ = ["LOG", "PARTS", "entries_of", "is_unpacked"]

LOG = "log.jsonl"
"""Name of the log in a bundle."""
MANIFEST = "manifest.json"
FORMAT = "guestlab bundle"
PARTS = frozenset({"attempts.csv", "messages.csv", "summary.txt", "config.json", "versions.json", MANIFEST})
"""What lies beside it, for people."""
_CHANGED = f"read, but it is not what {MANIFEST} says: the file was changed after the bundle was written"
_WORKBOOK = "a workbook of a spreadsheet: save it as CSV"
_MOST_MANIFEST = 1 << 20
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, ValueError)
"""What `zipfile` raises of a damaged, encrypted or strange zip."""


def entries_of(path: Path, report: Report) -> Iterator[Entry]:
    """Yield the entries of a bundle, unpacking as it goes."""
    try:
        with zipfile.ZipFile(path) as archive:
            member = _member(archive)
            if member is None:
                is_workbook = "xl/workbook.xml" in archive.namelist()
                report.skip("the zip", _WORKBOOK if is_workbook else f"there is no {LOG} in it")
                return
            rows = Rows(report, session=path.stem, at_ns=time_of_file(path))
            hashes = _hashes(archive, member.removesuffix(LOG), report)
            with archive.open(member) as packed:
                counted = _Counted(packed, report)
                with decoded(io.BufferedReader(counted), b"") as text:
                    yield from entries_of_lines(lines_of(text, report), rows, report)
            if hashes.pop(LOG, counted.digest.hexdigest()) != counted.digest.hexdigest():
                report.skip(LOG, _CHANGED)
            _check(archive, member.removesuffix(LOG), hashes, report)
    except _BROKEN as error:
        report.skip("the rest", f"the zip is damaged or locked: {type(error).__name__}")


def _hashes(archive: zipfile.ZipFile, folder: str, report: Report) -> dict[str, str]:
    """Read which hash each file had when the bundle was written; nothing where that is not told."""
    if folder + MANIFEST not in archive.namelist():
        return {}
    with archive.open(folder + MANIFEST) as packed:
        data = packed.read(_MOST_MANIFEST + 1)
    try:
        files = json.loads(data[:_MOST_MANIFEST])["files"]
        return {str(name): str(about["sha256"]) for name, about in files.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        report.skip(MANIFEST, "it is not as guestlab writes it: nobody can tell whether the log was changed")
        return {}


def _check(archive: zipfile.ZipFile, folder: str, hashes: dict[str, str], report: Report) -> None:
    """Compare the files beside the log with their hashes."""
    names = frozenset(archive.namelist())
    for name in sorted(hashes.keys() & PARTS):
        if folder + name not in names:
            report.skip(name, f"it is missing, though {MANIFEST} lists it")
            continue
        with archive.open(folder + name) as packed:
            counted = _Counted(packed, report)
            while counted.read(1 << 16):
                pass
        if counted.digest.hexdigest() != hashes[name]:
            report.skip(name, _CHANGED)


def is_unpacked(folder: Path) -> bool:
    """Tell whether a folder is a bundle that somebody unpacked."""
    try:
        with (folder / MANIFEST).open("rb") as file:
            return FORMAT.encode() in file.read(200) and (folder / LOG).is_file()
    except OSError:
        return False


def _member(archive: zipfile.ZipFile) -> str | None:
    """Find the log: in the zip itself, or in the one folder that somebody packed it with."""
    names = [name for name in archive.namelist() if name == LOG or name.endswith(f"/{LOG}")]
    return min(names, key=len, default=None)


class _Counted(io.RawIOBase):
    """Hands on what is unpacked, up to a size."""

    def __init__(self, packed: IO[bytes], report: Report) -> None:
        self._packed, self._report = packed, report
        self._left = MOST_UNPACKED
        self.digest = hashlib.sha256()

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
        self.digest.update(data)
        return len(data)
