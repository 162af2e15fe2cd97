"""When a view is painted: poked from any thread, painted at most so often, never on the poker's time.

`Refresh` coalesces: the first poke paints soon (leading edge), pokes that come meanwhile become one more
paint (trailing edge). `Ticker` pokes at a steady pace, for what moves by itself, such as a countdown.
Everything is painted on one thread of its own, so that every trait of a widget has one writer, a slow view
does not hold up the sockets, and a cell that runs does not hold up the views. Nothing here knows ipywidgets.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import threading
from typing import TYPE_CHECKING

from guestlab.bridge import Bridge

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["PER_SECOND", "Refresh", "Ticker", "painter"]

PER_SECOND = 10.0
"""Paints a second at most: above it a person sees no difference and JupyterLab begins to lag (measured)."""

_SHARE = 0.5
"""Of the painting thread's time that one view may take: a slow one is painted less often."""

painter = Bridge("guestlab-paint")
"""The one thread that paints."""

atexit.register(painter.close)

_logger = logging.getLogger("guestlab.widgets")
_logger.addHandler(logging.NullHandler())  # without it Python prints warnings into whatever cell runs


class Refresh:
    """Calls `paint` after `poke()`, at most so many times a second.

    >>> from threading import Event
    >>> painted = Event()
    >>> refresh = Refresh(painted.set)
    >>> refresh.poke()
    >>> painted.wait(5)
    True
    >>> refresh.close()

    Args:
        paint: What to call, on the painting thread. It reads what is there; it must not wait for anything.
        per_second: How often at most.
        on_error: Told of an exception in `paint`, once for each text; without it, it is only logged.
    """

    def __init__(
        self,
        paint: Callable[[], object],
        per_second: float = PER_SECOND,
        *,
        on_error: Callable[[Exception], object] | None = None,
    ) -> None:
        self._paint, self._interval, self._on_error = paint, 1.0 / per_second, on_error
        self._lock = threading.Lock()
        self._quiet = threading.Condition(self._lock)
        self._wanted = self._painting = self._closed = False
        self._last = float("-inf")
        self._cost = 0.0
        self._told: set[str] = set()

    def __repr__(self) -> str:
        state = "closed" if self._closed else "poked" if self._wanted else "quiet"
        return f"<Refresh {state}, at most {1 / self._interval:g} a second>"

    def poke(self) -> None:
        """Ask for a paint. Returns at once; safe on any thread, in a log's subscriber and while painting."""
        if self._wanted or self._closed:  # two threads that both see False make one paint, by the lock
            return
        with self._lock:
            if self._wanted or self._closed:
                return
            self._wanted = True
        loop = painter.loop()
        loop.call_soon_threadsafe(self._arrange, loop)

    def flush(self, timeout: float = 5.0) -> bool:
        """Wait until what was asked for is painted; False if the time is over. Not on the painting thread."""
        with self._quiet:
            return self._quiet.wait_for(lambda: not (self._wanted or self._painting), timeout)

    def close(self) -> None:
        """Paint no more."""
        with self._quiet:
            self._closed, self._wanted = True, False
            self._quiet.notify_all()

    def _arrange(self, loop: asyncio.AbstractEventLoop) -> None:
        pause = max(self._interval, self._cost / _SHARE - self._cost)
        loop.call_later(max(0.0, self._last + pause - loop.time()), self._run, loop)

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        with self._lock:
            if self._closed:
                return
            self._wanted, self._painting = False, True  # a poke from here on is one more paint
        begun = loop.time()
        try:
            self._paint()
        except Exception as error:  # noqa: BLE001 - whatever a view does, the session lives on
            self._failed(error)
        finally:
            self._last = loop.time()
            self._cost = self._last - begun
            with self._quiet:
                self._painting = False
                self._quiet.notify_all()

    def _failed(self, error: Exception) -> None:
        text = f"{type(error).__name__}: {error}"
        if text in self._told:
            return
        self._told.add(text)
        _logger.warning("a view could not be painted: %s", type(error).__name__, exc_info=error)
        if self._on_error is not None:
            try:
                self._on_error(error)
            except Exception as second:
                _logger.warning("nor could that be shown", exc_info=second)


class Ticker:
    """Calls something every so many seconds, on the painting thread, until it is stopped.

    Args:
        call: What to call; an exception stops it.
        seconds: How often.
    """

    def __init__(self, call: Callable[[], object], seconds: float = 1.0) -> None:
        self._call, self._seconds = call, seconds
        self._running = False
        self._generation = 0

    def start(self) -> None:
        """Begin; a second start changes nothing."""
        if self._running:
            return
        self._running = True
        self._generation += 1
        loop = painter.loop()
        loop.call_soon_threadsafe(self._next, loop, self._generation)

    def stop(self) -> None:
        """End it."""
        self._running = False

    def _next(self, loop: asyncio.AbstractEventLoop, generation: int) -> None:
        loop.call_later(self._seconds, self._tick, loop, generation)

    def _tick(self, loop: asyncio.AbstractEventLoop, generation: int) -> None:
        if not self._running or generation != self._generation:
            return
        try:
            self._call()
        except Exception as error:
            _logger.warning("a ticker stopped", exc_info=error)
            self._running = False
            return
        self._next(loop, generation)
