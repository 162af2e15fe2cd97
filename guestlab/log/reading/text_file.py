"""Text from files nobody vouches for: decoded whatever it holds, line by line, each of bounded length.

Here also stand the sizes up to which anything is read. They keep a hostile file from filling the memory or
the afternoon; no honest log comes near them.
"""

from __future__ import annotations

import codecs
import contextlib
import io
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from guestlab.log.reading.report import Report

__all__ = [
    "LONGEST_LINE",
    "MOST_FILES",
    "MOST_UNPACKED",
    "decoded",
    "lines_of",
    "opened",
    "plain",
    "text_of_head",
    "time_of_file",
]

LONGEST_LINE = 1 << 24
"""Characters of a line, or of a cell: 16 Mi. A frame has at most 128 KiB."""
MOST_UNPACKED = 1 << 32
"""Bytes that are unpacked from one zip: 4 GiB."""
MOST_FILES = 10_000
"""Files that are read from one folder."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),  # what PowerShell's `>` writes
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decoded(stream: IO[bytes], head: bytes) -> io.TextIOWrapper:
    """Read bytes as text, by their byte order mark or as UTF-8; what is neither is spelt out.

    Args:
        stream: The bytes, at their beginning.
        head: The first bytes of them.
    """
    encoding = next((name for mark, name in _MARKS if head.startswith(mark)), "utf-8")
    errors = "replace" if encoding == "utf-16" else "backslashreplace"
    return io.TextIOWrapper(stream, encoding=encoding, errors=errors, newline="\n")


@contextlib.contextmanager
def opened(path: Path) -> Iterator[io.TextIOWrapper]:
    """Open a file as text."""
    with path.open("rb") as stream:
        head = stream.read(4)
        stream.seek(0)
        with decoded(stream, head) as text:
            yield text


def text_of_head(head: bytes) -> str:
    """Read the beginning of a file as text; a character cut at its end is spelt out."""
    return decoded(io.BytesIO(head), head).read()


def lines_of(text: IO[str], report: Report, *, with_empty: bool = False) -> Iterator[tuple[int, str]]:
    """Yield the lines, numbered from 1; one that is too long is reported and left out.

    Only a line feed ends a line: JSON may hold every other separator as it is.

    Args:
        text: The open file.
        report: Told of lines that are too long.
        with_empty: Yield the empty ones too.
    """
    number = 0
    while line := text.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE and not line.endswith("\n"):
            report.skip(f"line {number}", f"it is longer than {LONGEST_LINE:,} characters")
            while (rest := text.readline(LONGEST_LINE)) and not rest.endswith("\n"):
                pass
            continue
        line = line.rstrip("\r\n")
        if with_empty or line.strip("\0 \t"):  # a file that was preallocated ends in zeros
            yield number, line


def time_of_file(path: Path) -> int:
    """Return when a file was last changed, in nanoseconds: the time of what bears none."""
    return path.stat().st_mtime_ns


def plain(value: Any) -> str:
    """Show a name or a word of a file in a message: one line, no control characters, not long."""
    text = "".join(one if one.isprintable() else "\ufffd" for one in str(value)[:200])
    return text if len(text) < 80 else f"{text[:79]}…"
