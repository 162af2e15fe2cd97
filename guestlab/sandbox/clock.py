"""The sandbox's time: real until someone turns it.

Everything that expires here asks this clock, never the machine's: sessions, access tokens, history JWTs,
download links, rate windows, the bot's pauses. `advance()` jumps forward and fires what fell due on the
way, each at its own moment. Lives on the server's loop; only `time`, `now`, `advance`, `freeze` and `run`
may be called from elsewhere.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from guestlab.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Clock", "Timer", "iso"]


def iso(seconds: float) -> str:
    """Render an instant as the cloud does: ISO 8601, UTC, milliseconds, `Z`."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Timer:
    """Something that will happen; `cancel()` prevents it."""

    __slots__ = ("callback", "when")

    def __init__(self, when: float, callback: Callable[[], Any]) -> None:
        self.when = when
        self.callback: Callable[[], Any] | None = callback

    def cancel(self) -> None:
        """Let it not happen."""
        self.callback = None


def _wake(sleeper: asyncio.Future[None]) -> None:
    if not sleeper.done():
        sleeper.set_result(None)


def _here(function: Callable[[], Any]) -> Any:
    return function()


class Clock:
    """Controllable time.

    >>> clock = Clock(wall=lambda: 1_000.0)
    >>> clock.advance(72 * 3600)
    >>> clock.time()
    260200.0
    """

    def __init__(self, *, wall: Callable[[], float] = time.time) -> None:
        self._wall = wall
        self._offset = 0.0
        self._held: float | None = None
        self._timers: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._run_there: Callable[[Callable[[], Any]], Any] = _here

    def __repr__(self) -> str:
        state = "frozen" if self._held is not None else "running"
        return f"Clock({iso(self.time())}, {state}, {self._offset:+.0f} s)"

    def time(self) -> float:
        """Seconds since the epoch, in the sandbox."""
        held = self._held
        return self._wall() + self._offset if held is None else held

    @property
    def now(self) -> datetime:
        """The present moment in the sandbox, UTC."""
        return datetime.fromtimestamp(self.time(), UTC)

    def advance(self, seconds: float) -> None:
        """Jump forward; what falls due on the way happens, in order, before this returns.

        Raises:
            InputError: The seconds are negative.
        """
        if seconds < 0:
            raise InputError(
                f"The sandbox's time cannot go back by {-seconds} s.",
                why="Everything that happened would have to unhappen.",
                next_step="Give the seconds to go forward, or reset() the sandbox.",
            )
        self._run_there(lambda: self._advance(seconds))

    def freeze(self) -> None:
        """Stop time: from now on only `advance()` moves it."""
        self._run_there(self._freeze)

    def run(self) -> None:
        """Let time go on from where it stands."""
        self._run_there(self._run)

    def reset(self) -> None:
        """Return to the machine's time and forget all timers."""
        self._timers.clear()
        self._offset = 0.0
        self._held = None
        self._set_alarm()

    # -- for the services, on the loop ------------------------------------------------------------

    def bind(
        self, loop: asyncio.AbstractEventLoop | None, run_there: Callable[[Callable[[], Any]], Any]
    ) -> None:
        """Tie the timers to the server's loop (None: untie); `run_there` calls a function on it."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        self._loop = loop
        self._run_there = run_there if loop is not None else _here
        self._set_alarm()

    def call_later(self, seconds: float, callback: Callable[[], Any]) -> Timer:
        """Have something happen after so many sandbox seconds."""
        timer = Timer(self.time() + seconds, callback)
        heapq.heappush(self._timers, (timer.when, next(self._order), timer))
        if self._timers[0][2] is timer:
            self._set_alarm()
        return timer

    async def sleep(self, seconds: float) -> None:
        """Wait for so many sandbox seconds."""
        if seconds <= 0:
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        timer = self.call_later(seconds, lambda: _wake(woken))
        try:
            await woken
        finally:
            timer.cancel()

    def _advance(self, seconds: float) -> None:
        frozen = self._held is not None
        target = self.time() + seconds
        while self._timers and self._timers[0][0] <= target:
            when, _, timer = heapq.heappop(self._timers)
            self._held = max(when, self.time())
            if timer.callback is not None:
                timer.callback()
        self._held = target if frozen else None
        if not frozen:
            self._offset = target - self._wall()
        self._set_alarm()

    def _freeze(self) -> None:
        self._held = self.time()
        self._set_alarm()

    def _run(self) -> None:
        if self._held is not None:
            self._offset = self._held - self._wall()
            self._held = None
        self._set_alarm()

    def _set_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if self._loop is None or self._held is not None or not self._timers:
            return
        # An hour at most, so that a jump of the machine's own clock is noticed.
        delay = min(max(self._timers[0][0] - self.time(), 0.0), 3600.0)
        self._alarm = self._loop.call_later(delay, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        now = self.time()
        while self._timers and self._timers[0][0] <= now:
            timer = heapq.heappop(self._timers)[2]
            if timer.callback is not None:
                timer.callback()
        self._set_alarm()
