"""The way in: files of other tools, and our own, become a log.

`read` finds out what each file is (`detect.py`), has the reader of its format yield entries, and puts them
into one log through its door, where they are redacted as everything is (`sources.py`). A reader is a
function from a path to entries, in the module of its format. Files are hostile: a line that is none, a file
that is none, is reported in `log.skipped` and never raised, unless there is nothing to read at all.

Sizes are bounded: a line or cell of 16 Mi characters, 4 GiB out of one zip, 8 GiB of one Parquet log,
10,000 files of one folder; a HAR, which is read as a whole, has bounds of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guestlab.errors import InputError
from guestlab.log.reading.report import Report, Skipped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from guestlab.log.recorder import Log
    from guestlab.log.redaction import Redactor

__all__ = ["Report", "Skipped", "read", "read_all"]


def read(path: str | Path | Iterable[str | Path], *, redactor: Redactor | None = None) -> Log:
    """Read a file, or every file in a folder, or several of them, into a log.

    HAR (Chrome, Firefox, Safari, mitmproxy, Charles), journal, JSON Lines (ours, or one guest frame a line),
    CSV (ours, or with a column of frames), Parquet file or dataset, bundle, and the terminal output of
    wscat, websocat, the `websockets` command and the web messaging tester. The content tells which it is,
    then the name.

    Of a folder, all files below it are read, the earliest first, hidden ones and links left out. One run
    that is there twice, as its journal and an export of it, is read once: the longer. Attempts are numbered
    on from file to file, so that no two share a number. Every entry names its `source_file`. What could not
    be read, or was left out, is in `log.skipped`; of each file that is not whole, a note in the log says how
    much is missing. What bears no time, as a terminal's output, gets that of its file, and `monotonic_ns` 0.

    A file in which there is nothing, as the export of an empty log, gives an empty log.

    Args:
        path: A file or folder, or several.
        redactor: Masks the secrets, as in `Log`. By default one with a key of its own.

    Raises:
        LogError: There is nothing readable at all.
        InputError: It is no path, or Parquet and pyarrow is not installed.
    """
    if isinstance(path, str | Path):
        return read_all([path], redactor=redactor)
    if hasattr(path, "columns"):
        raise InputError(
            f"A {type(path).__name__} is no path.",
            why="gl.read() reads files; this is a table already.",
            next_step="Analyse it as it is, or write it first: table.to_csv(path).",
        )
    paths = list(path) if isinstance(path, Iterable) and not isinstance(path, bytes) else [path]
    return read_all(paths, redactor=redactor)


def read_all(paths: Sequence[str | Path], *, redactor: Redactor | None = None) -> Log:
    """Read several files and folders into one log, as `read` does with one.

    Raises:
        LogError: There is nothing readable at all.
        InputError: There is no path among them, or Parquet alone and pyarrow is not installed.
    """
    from guestlab.log.reading.sources import log_of

    given: Sequence[Any] = paths
    wrong = [path for path in given if not isinstance(path, str | Path) or not str(path)]
    if wrong or not given:
        what = f"{repr(wrong[0])[:40]} is no path." if wrong else "No path was given."
        raise InputError(
            what,
            why="A log is read from files and folders.",
            next_step="Give the path of one, or a list of several: gl.read(['a.har', 'b.jsonl']).",
        )
    return log_of([Path(path) for path in paths], redactor)
