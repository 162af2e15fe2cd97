"""Pacing: how long to wait before sending, so that no published budget is exceeded.

Lives here: the budgets as sliding windows on a clock that is passed in. May not live here: a clock, or
the waiting itself. The numbers come from `guestlab.limits`; the sandbox enforces the same ones.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from guestlab.protocol.commands import Command, SendTyping

if TYPE_CHECKING:
    from guestlab.limits import Limits

__all__ = ["BUDGETS", "Budget", "Pacer"]

SLACK = 0.05
"""Seconds added to each window: frames may bunch up on their way (inferred)."""

DEFAULT_PENALTY = 1.0
"""Seconds to wait when the server says too many but not how long (inferred)."""

OFF_SOCKET = frozenset({"history", "connect"})
"""What is no frame: a REST request for history, and the upgrade itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """One row of the budget table.

    Attributes:
        name: The key in the vendor's limits page.
        count: How many, read from the limits.
        seconds: In how long, read from the limits.
        actions: Which actions count against it; None means every frame.
        per_connection: Starts afresh on a new socket.
    """

    name: str
    count: Callable[[Limits], int]
    seconds: Callable[[Limits], float]
    actions: frozenset[str] | None
    per_connection: bool = False


# Rules of this table: a window slides, so that whatever window the server keeps, it never holds more; a
# frame may count against several rows; typing is `onMessage` to the server and counts as that too.
BUDGETS = (
    Budget(
        name="messages.per.session.rate.per.second",
        count=lambda limits: limits.messages_per_second_per_session,
        seconds=lambda _: 1.0,
        actions=frozenset({"onMessage"}),
    ),
    Budget(
        name="requests.per.connection.rate.per.minute",
        count=lambda limits: limits.requests_per_minute_per_connection,
        seconds=lambda _: 60.0,
        actions=None,
        per_connection=True,
    ),
    Budget(
        name="configure.per.session.rate.per.minute",
        count=lambda limits: limits.configures_per_minute_per_session,
        seconds=lambda _: 60.0,
        actions=frozenset({"configureSession", "configureAuthenticatedSession"}),
    ),
    Budget(
        name="health.check.per.connection.rate.per.minute",
        count=lambda limits: limits.echoes_per_minute_per_connection,
        seconds=lambda _: 60.0,
        actions=frozenset({"echo"}),
        per_connection=True,
    ),
    Budget(
        name="typing",
        count=lambda _: 1,
        seconds=lambda limits: limits.typing_seconds,
        actions=frozenset({"typing"}),
    ),
    Budget(
        name="get.history.rate.per.minute",
        count=lambda limits: limits.history_requests_per_minute_per_session,
        seconds=lambda _: 60.0,
        actions=frozenset({"history"}),
    ),
    Budget(
        name="connections.rate.per.minute",
        count=lambda limits: limits.connections_per_minute_per_deployment,
        seconds=lambda _: 60.0,
        actions=frozenset({"connect"}),
    ),
)


class Pacer:
    """Keeps one session inside its budgets. Times are seconds on any clock that does not jump back.

    Args:
        limits: The budgets; None means no pacing, though a penalty is still served.

    >>> from guestlab.limits import Limits
    >>> pacer = Pacer(Limits(messages_per_second_per_session=1))
    >>> pacer.delay("onMessage", now=100.0)
    0.0
    >>> pacer.sent("onMessage", now=100.0)
    >>> pacer.delay("onMessage", now=100.25)
    0.8
    """

    def __init__(self, limits: Limits | None) -> None:
        self._limits = limits
        # Of each budget the latest sends, as many as it allows: the oldest of them decides.
        self._windows: dict[str, deque[float]] = {
            budget.name: deque(maxlen=max(1, budget.count(limits)))
            for budget in BUDGETS
            if limits is not None
        }
        self._not_before = float("-inf")

    def delay(self, what: Command | str, now: float) -> float:
        """Say how many seconds to wait before this may be sent; 0.0 means now.

        Args:
            what: A command, an action by its wire name, or "typing", "history", "connect".
            now: The time.
        """
        names = _names(what)
        waits = [self._not_before - now] if not names & OFF_SOCKET else []
        for budget in self._budgets(names):
            window = self._windows[budget.name]
            if len(window) == window.maxlen:
                waits.append(window[0] + self._seconds(budget) - now)
        return max(0.0, round(max(waits, default=0.0), 6))

    def sent(self, what: Command | str, now: float) -> None:
        """Count it: it was sent at `now`."""
        for budget in self._budgets(_names(what)):
            self._windows[budget.name].append(now)

    def penalty(self, retry_after: float | None, now: float) -> None:
        """The server said too many requests: send no frame for so many seconds."""
        wait = DEFAULT_PENALTY if retry_after is None else retry_after
        self._not_before = max(self._not_before, now + wait)

    def forced(self, now: float) -> float:
        """Say how many seconds of a penalty are left."""
        return max(0.0, self._not_before - now)

    def reconnected(self) -> None:
        """A new socket is open: the budgets that count by connection start afresh."""
        for budget in BUDGETS:
            if budget.per_connection and budget.name in self._windows:
                self._windows[budget.name].clear()

    def _budgets(self, names: frozenset[str]) -> list[Budget]:
        if self._limits is None:
            return []
        every_frame = not names & OFF_SOCKET
        return [b for b in BUDGETS if (every_frame if b.actions is None else b.actions & names)]

    def _seconds(self, budget: Budget) -> float:
        assert self._limits is not None
        return budget.seconds(self._limits) + SLACK


def _names(what: Command | str) -> frozenset[str]:
    if isinstance(what, SendTyping) or what == "typing":
        return frozenset({"onMessage", "typing"})
    return frozenset({what if isinstance(what, str) else what.action})
