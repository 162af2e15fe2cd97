"""What could not be read: told line by line, never the reason of a failure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Report", "Skipped", "how_many"]

_KEPT = 20
"""Parts of a file that are listed one by one; of one with more, the rest is counted."""
_MORE = "…"
"""The place of those that are counted."""


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
        count: How many parts could not be read.
    """

    def __init__(self, source_file: str) -> None:
        self.source_file = source_file
        self.count = 0
        self._listed: list[Skipped] = []
        self._more = 0

    @property
    def skipped(self) -> list[Skipped]:
        """What was left out, in order; of very much the beginning, and how much more it was."""
        more = Skipped(self.source_file, _MORE, f"and {self._more:,} more")
        return [*self._listed, more] if self._more else list(self._listed)

    def skip(self, place: str, why: str) -> None:
        """Note that one part could not be read."""
        self.count += 1
        self.leave_out(place, why)

    def leave_out(self, place: str, why: str) -> None:
        """Note that one part was left out on purpose: nothing is wrong with it."""
        if len(self._listed) < _KEPT:
            self._listed.append(Skipped(self.source_file, place, why))
        else:
            self._more += 1


def how_many(skipped: Iterable[Skipped]) -> int:
    """Count what was left out, with what is not listed one by one.

    >>> how_many([Skipped("a.txt", "line 1", "it is no JSON"), Skipped("a.txt", "…", "and 1,200 more")])
    1201
    """
    return sum(int(one.why.split()[1].replace(",", "")) if one.place == _MORE else 1 for one in skipped)
