"""The journal: the log on disk while it is being recorded, one JSON object per line.

A line is handed to the operating system, in one write, before anybody is told of its entry: a process
that is killed loses nothing it acknowledged. A machine that loses its power may lose the last moments:
nothing is flushed to the disk itself. Only redacted rows get here, and only their owner may read the file.

The first line is a header: format, version, when it was begun, and the columns. Its twin, the way back, is
`reading/journal.py`.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import stat
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import msgspec

from guestlab.errors import InputError, LogError
from guestlab.log.entry import COLUMNS, Kind, Lane, Stage, Step

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

__all__ = ["FORMAT", "SUFFIX", "VERSION", "Journal", "Row", "nothing_to_keep"]

FORMAT = "guestlab journal"
VERSION = 1
"""Goes up when a reader of today could not understand the lines."""
SUFFIX = ".journal.jsonl"

_ENDS = tuple({"/", os.sep})
"""What the path of a folder ends in, where somebody says that it is one."""

_TYPES: dict[str, Any] = {
    "int64": int,
    "Int64": int | None,
    "Float64": float | None,
    "boolean": bool | None,
    "datetime64[ns, UTC]": int | None,
    "str": str | None,
}
_SETS: dict[str, Any] = {
    "kind": Kind,
    "stage": Stage | None,
    "step": Step | None,
    "lane": Lane | None,
    "direction": Literal["sent", "received"] | None,
    "message_direction": Literal["Inbound", "Outbound"] | None,
}
_NEEDED = frozenset({"seq", "at", "monotonic_ns", "kind"})


def _field(name: str, dtype: str) -> tuple[Any, ...]:
    kind = int if name in {"seq", "at", "monotonic_ns"} else _SETS.get(name) or _TYPES[dtype]
    return (name, kind) if name in _NEEDED else (name, kind, None)


Row: Any = msgspec.defstruct(
    "Row",
    [_field(column.name, column.dtype) for column in COLUMNS],
    omit_defaults=True,
    forbid_unknown_fields=True,
    namespace={"__doc__": "An entry as msgspec has it: the columns in their order, missing ones left out."},
)


class Journal:
    """A file that grows by one line per entry, never in the middle of one.

    Args:
        path: A folder, in which a new file is made: one that exists, or is written with a `/` at its end
            and made then. Or a file, which must not exist or be empty.
        wall_ns: The time now, nanoseconds since 1970: it names a new file and stands in the header.

    Raises:
        InputError: The file holds something already, or another log is writing to it.
        LogError: The file, or its folder, cannot be made.
    """

    def __init__(self, path: str | Path, wall_ns: int) -> None:
        begun = datetime.fromtimestamp(wall_ns // 10**9, UTC)
        self.path = _chosen(path, begun)
        self.error: LogError | None = None
        """Why lines are not written any more."""
        self._encode = msgspec.json.Encoder().encode
        self._owner = os.getpid()
        self._file: int | None = _opened(self.path)
        self.end = 0
        """Bytes written so far: where the next line begins."""
        header = {
            "format": FORMAT,
            "version": VERSION,
            "begun": begun.isoformat().replace("+00:00", "Z"),
            "columns": [column.name for column in COLUMNS],
        }
        if not self._write(json.dumps(header).encode() + b"\n"):
            assert self.error is not None
            raise self.error

    def write(self, row: tuple[Any, ...]) -> bool:
        """Append one entry. Tell whether it is in the file; if not, `error` says why. Never raises."""
        return self._write(self._encode(Row(*row)) + b"\n")

    def write_all(self, rows: Sequence[tuple[Any, ...]]) -> bool:
        """Append one line per entry, all in one write. Otherwise like `write`."""
        encode = self._encode
        return self._write(b"".join([encode(Row(*row)) + b"\n" for row in rows]))

    def close(self) -> None:
        """Have the disk keep what was written, and end the journal. A second time does nothing."""
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):  # a pipe or a full disk: the lines are where they are
                os.fsync(file)
            with contextlib.suppress(OSError):
                os.close(file)

    def __del__(self) -> None:
        if getattr(self, "_file", None) is not None:
            self.close()

    def _write(self, lines: bytes) -> bool:
        if self.error is not None:
            return False
        if self._file is None:
            self.error = _stopped(self.path, "The journal was closed.")
            return False
        if os.getpid() != self._owner:
            self.error = _stopped(self.path, "It belongs to the process of which this is a copy.")
            return False
        try:
            written = os.write(self._file, lines)
            while written < len(lines):
                written += os.write(self._file, lines[written:])
        except OSError as error:
            self._take_back()
            self.error = _stopped(self.path, f"The system said: {error.strerror or error}.")
            return False
        self.end += len(lines)
        return True

    def _take_back(self) -> None:
        """Remove the half of a line that a full disk let in."""
        assert self._file is not None
        with contextlib.suppress(OSError):
            os.ftruncate(self._file, self.end)


def nothing_to_keep(keep: object, journal: object) -> InputError:
    """Say why a log cannot keep so many entries in memory."""
    if not isinstance(keep, int) or isinstance(keep, bool):
        return InputError(
            f"keep={keep!r} is no number of entries.",
            why="It tells about how many entries are held in memory.",
            next_step="Give a whole number, such as 100_000, and a journal= from which the others are read.",
        )
    if journal is None:
        return InputError(
            f"keep={keep} needs a journal.",
            why="Entries that are not kept in memory would be lost.",
            next_step="Give journal= a folder, or leave keep= out.",
        )
    return InputError(
        f"keep={keep} keeps nothing.",
        why="At least one entry has to be in memory.",
        next_step="Give the number of entries to hold in memory, such as 100_000.",
    )


def _chosen(path: str | Path, begun: datetime) -> Path:
    """Name the file: the one given, or a new one in the folder given."""
    chosen = Path(path)
    if str(path).endswith(_ENDS):
        try:
            chosen.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise _refused(path, error) from None
    if not chosen.is_dir():
        return chosen
    return chosen / f"{begun:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}{SUFFIX}"


def _opened(path: Path) -> int:
    """Open a file nobody else writes to, for its owner's eyes only."""
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0), 0o600)
    except OSError as error:
        raise _refused(path, error) from None
    try:
        _claim(file, path)
    except BaseException:
        os.close(file)
        raise
    return file


def _refused(path: str | Path, error: OSError) -> LogError:
    return LogError(
        f"The journal {path} cannot be written.",
        why=f"The system said: {error.strerror or error}.",
        next_step="Give a folder that may be written to, or leave journal= out.",
    )


def _claim(file: int, path: Path) -> None:
    is_claimed = True
    if fcntl is not None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            is_claimed = False
        except OSError:  # a file system without locks
            pass
    state = os.fstat(file)
    if not is_claimed or (stat.S_ISREG(state.st_mode) and state.st_size):
        raise InputError(
            f"{path} holds something already.",
            why="A journal is one log's, from its first line on; nothing is overwritten and nothing mixed.",
            next_step="Read it with gl.read(path), and give this log another name, or a folder.",
        )
    if stat.S_ISREG(state.st_mode) and hasattr(os, "fchmod"):
        with contextlib.suppress(OSError):
            os.fchmod(file, 0o600)


def _stopped(path: Path, why: str) -> LogError:
    return LogError(
        f"The journal {path.name} ends here; recording goes on in memory only.",
        why=why,
        next_step="Save this log with log.to_jsonl(path), and begin a new one with another journal.",
    )
