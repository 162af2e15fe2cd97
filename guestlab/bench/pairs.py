"""Two ways of doing one thing, measured side by side.

A machine is never as quiet as one would like, so nothing here is a time: both ways run in turn, in one run
and in alternating order, and what counts is the ratio of each pair. The mean is geometric, because twice
as slow and twice as fast must cancel out; its 95 % interval is Student's. A promise counts as missed only
when the whole interval lies beyond it.
"""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["FULL", "QUICK", "Ratio", "compare", "interleaved", "interval", "ratio_of"]

A = TypeVar("A")
B = TypeVar("B")

FULL = 15
"""Pairs of an ordinary run."""

QUICK = 5
"""Pairs with --quick."""

# 97.5 % quantiles of Student's t for 1, 2, 3 … degrees of freedom; beyond them the normal one is near.
_STUDENT = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip


class Ratio(NamedTuple):
    """Ours over theirs: below 1 means less time, or less memory.

    Attributes:
        ratio: The geometric mean of the pairs' ratios.
        low: Lower end of its 95 % interval.
        high: Upper end of it.
        ours_median: Median of what ours took, in the unit of the measurement.
        theirs_median: Median of what theirs took.
        pairs: How many there were.
    """

    ratio: float
    low: float
    high: float
    ours_median: float
    theirs_median: float
    pairs: int

    def keeps(self, most: float) -> bool:
        """Whether a promise of at most so much is not missed: the interval reaches it."""
        return self.low <= most

    @property
    def times_faster(self) -> str:
        """The ratio the other way round, for promises that say how many times faster."""
        slowest = 1 / self.high if self.high < math.inf else 0.0
        fastest = 1 / self.low if self.low else math.inf
        return f"{1 / self.ratio:.3g} x faster (95 %: {slowest:.3g} to {fastest:.3g})"

    def __str__(self) -> str:
        return f"{self.ratio:.3g} x (95 %: {self.low:.3g} to {self.high:.3g})"


def compare(
    ours: Callable[[], float], theirs: Callable[[], float], *, pairs: int, warm_up: bool = True
) -> Ratio:
    """Run both so many times, in turn, and compare what they return.

    Args:
        ours: Does it our way once, and returns what that took: seconds of CPU, seconds, bytes.
        theirs: Does the same as anybody would, and returns what that took.
        pairs: How many pairs are counted.
        warm_up: Run a pair before that does not count: imports, caches and compiled patterns.
    """
    return ratio_of(interleaved(ours, theirs, pairs=pairs, warm_up=warm_up))


def interleaved(
    ours: Callable[[], A], theirs: Callable[[], B], *, pairs: int, warm_up: bool = True
) -> list[tuple[A, B]]:
    """Run both so many times, in turn and in alternating order; return what they returned, pair by pair."""
    if warm_up:
        theirs()
        ours()
    taken: list[tuple[A, B]] = []
    for number in range(pairs):
        if number % 2:
            their = theirs()
            taken.append((ours(), their))
        else:
            our = ours()
            taken.append((our, theirs()))
    return taken


def ratio_of(taken: Sequence[tuple[float, float]]) -> Ratio:
    """Compare what was taken, pair by pair."""
    ratio, low, high = interval([our / their for our, their in taken])
    ours_median, theirs_median = (statistics.median(side) for side in zip(*taken, strict=True))
    return Ratio(ratio, low, high, ours_median, theirs_median, len(taken))


def interval(ratios: Sequence[float]) -> tuple[float, float, float]:
    """Return the geometric mean of some ratios with its 95 % interval.

    >>> [round(end, 3) for end in interval([0.5, 1.0, 2.0])]
    [1.0, 0.179, 5.596]
    """
    logs = [math.log(ratio) for ratio in ratios]
    middle = statistics.fmean(logs)
    if len(logs) == 1:
        return math.exp(middle), 0.0, math.inf  # one pair proves nothing
    freedom = len(logs) - 1
    student = _STUDENT[freedom - 1] if freedom <= len(_STUDENT) else 1.96
    reach = student * statistics.stdev(logs) / math.sqrt(len(logs))
    return math.exp(middle), math.exp(middle - reach), math.exp(middle + reach)
