"""Back-off: how long to wait before each try to come back, and when to give up. Pure.

Exponential with full jitter, so that many guests cut off at once do not come back at once. Official mobile
clients wait a constant 5 s and give up after 300 s (level: official); the total is kept, the rhythm is ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["RECONNECT", "Backoff"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """A rhythm of tries.

    Attributes:
        first: Seconds of the first wait at most.
        most: Seconds no wait exceeds.
        total: Seconds of waiting after which it is given up.
    """

    first: float = 1.0
    most: float = 30.0
    total: float = 300.0

    def delays(self, random: Callable[[], float]) -> Iterator[float]:
        """Yield each wait in seconds; `random` returns numbers from 0 to 1.

        >>> list(Backoff(first=1, most=4, total=10).delays(lambda: 1.0))
        [1.0, 2.0, 4.0, 3.0]
        """
        ceiling, waited = self.first, 0.0
        while waited < self.total:
            delay = min((0.5 + 0.5 * random()) * ceiling, self.total - waited)
            yield delay
            waited += delay
            ceiling = min(2 * ceiling, self.most)


RECONNECT = Backoff()
