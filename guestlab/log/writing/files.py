"""How a log is written: swept once more, to a temporary file beside, renamed when whole.

A secret that was learnt after an entry was recorded is masked here too. Only their owner may read the files.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING

from guestlab.errors import InputError, LogError
from guestlab.log.bulk import clean, sides_of
from guestlab.log.store import CHUNK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guestlab.log.bulk import Sides
    from guestlab.log.recorder import Log

__all__ = ["blocks_of", "complaint", "no_path", "replacing"]


def blocks_of(log: Log) -> Iterator[tuple[Sides, int]]:
    """Yield the columns of a log in blocks, each with its length, redacted with what is known by now.

    A column without any value in a block is left out. The entries are those that were there at the start.
    """
    entries = iter(log.entries)
    while some := list(islice(entries, CHUNK)):
        yield clean(sides_of(some), len(some), log.redactor), len(some)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Open a file that takes the place of `path` when the block ends well, and leaves nothing otherwise.

    Raises:
        LogError: The path is a folder, or the system refuses.
    """
    if path.is_dir():
        raise LogError(
            f"{path.name} is a folder.",
            why="A file is to be written, and a folder is never replaced.",
            next_step="Give the path of a file in it, such as log.jsonl.",
        )
    try:
        number, name = tempfile.mkstemp(prefix=f".{path.name[:100]}.", suffix=".part", dir=path.parent)
        try:
            with os.fdopen(number, "wb") as file:  # mode 0600, as mkstemp makes it
                yield file
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise complaint(path, error) from None


def complaint(path: Path, error: OSError) -> LogError:
    """Say that the system refused to write."""
    return LogError(
        f"{path.name} cannot be written.",
        why=f"The system said: {error.strerror or type(error).__name__}.",
        next_step="Give a path in a folder that exists, may be written to and has room.",
    )


def no_path(given: object) -> InputError:
    """Say that what was given names no place to write to."""
    return InputError(
        f"{str(given)[:40]!r} names no place to write to.",
        why="It is empty." if given == "" else f"It is a {type(given).__name__}, not a path.",
        next_step="Give a path as text or pathlib.Path, such as 'log.jsonl'.",
    )
