"""What could not be read: told line by line, never the reason of a failure."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Report", "Skipped"]

_KEPT = 10_000
"""Parts listed one by one; of a file with more, the rest is counted."""


class Skipped(NamedTuple):
    """One part of a file that was left out."""

    source_file: str
    """Name of the file, without the folder it stands in."""
    place: str
    """Where in it: `line 17`, `entry 3`."""
    why: str
    """In plain words."""


class Report:
    """Collects what a reader leaves out of one file.

    >>> report = Report("session.jsonl")
    >>> report.skip("line 2", "it is no JSON")
    >>> report.skipped
    [Skipped(source_file='session.jsonl', place='line 2', why='it is no JSON')]

    Args:
        source_file: Name of the file.

    Attributes:
        skipped: What was left out, in order; of very much the beginning.
        count: How many parts were left out.
    """

    def __init__(self, source_file: str) -> None:
        self.source_file = source_file
        self.skipped: list[Skipped] = []
        self.count = 0

    def skip(self, place: str, why: str) -> None:
        """Note that one part was left out."""
        self.count += 1
        if self.count <= _KEPT:
            self.skipped.append(Skipped(self.source_file, place, why))
