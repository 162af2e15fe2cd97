"""Budgets over a sliding window: how many in the last so many seconds, and how long to wait."""

from __future__ import annotations

import math
from collections import deque

__all__ = ["Window", "whole_seconds"]


def whole_seconds(wait: float) -> int:
    """A wait as servers announce it: whole seconds, at least one, never too short."""
    return max(1, math.ceil(wait))


class Window:
    """Counts events of one kind.

    >>> window = Window()
    >>> [window.wait(now, 2, 60.0) for now in (0.0, 1.0, 2.0, 60.5)]
    [0.0, 0.0, 58.0, 0.0]
    """

    __slots__ = ("_times",)

    def __init__(self) -> None:
        self._times: deque[float] = deque()

    def wait(self, now: float, allowed: int, seconds: float) -> float:
        """Count one event and return 0.0, or return how long to wait without counting it."""
        times = self._times
        while times and times[0] <= now - seconds:
            times.popleft()
        if len(times) >= allowed:
            return times[0] + seconds - now
        times.append(now)
        return 0.0

    def state(self, now: float, seconds: float) -> tuple[int, float]:
        """How many the window holds, and how long till the oldest falls out."""
        times = [moment for moment in self._times if moment > now - seconds]
        return len(times), (times[0] + seconds - now if times else seconds)
