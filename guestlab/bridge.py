"""The bridge from blocking code to the one loop that owns every client.

One daemon thread owns one event loop of a class of our own; `run()` blocks the caller with a time-out,
`arun()` is awaitable from any asyncio loop, `spawn()` does not wait. nest_asyncio is applied to that
private loop only, so that a blocking verb called *on* it (from a user's async callback) nests instead of
deadlocking. The kernel's loop and the asyncio module are never patched: with nest_asyncio on the
kernel's own loop, ipykernel 7 drops messages and cells hang (measured on 7.2 to 7.4).

The only importer of nest_asyncio. User callbacks must never run inside a reader task on this loop.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import os
import threading
import time
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from guestlab.errors import DeadlineError, GuestlabError

if TYPE_CHECKING:
    from collections.abc import Coroutine

__all__ = ["Bridge", "bridge"]

T = TypeVar("T")

_SLICE = 0.25
"""Seconds between looks at the waiting thread: short, so that Ctrl-C is noticed on every platform."""

_GRACE = 5.0
"""Seconds beyond a call's own time-out before the loop itself counts as stuck."""


class _Loop(asyncio.SelectorEventLoop):
    """nest_asyncio patches loop *classes*: this one is ours alone."""


class Bridge:
    """One daemon thread with one event loop, started on first use and again after `close()`."""

    def __init__(self, name: str = "guestlab-io") -> None:
        self.name = name
        self._lock = threading.Lock()
        self._loop: _Loop | None = None
        self._thread: threading.Thread | None = None

    def __repr__(self) -> str:
        state = "running" if self._thread is not None and self._thread.is_alive() else "idle"
        return f"<Bridge {self.name} {state}>"

    def loop(self) -> asyncio.AbstractEventLoop:
        """Return the running private loop, starting its thread if need be."""
        with self._lock:
            if self._loop is None or self._thread is None or not self._thread.is_alive():
                self._loop = _private_loop()
                self._thread = threading.Thread(
                    target=_serve, args=(self._loop,), name=self.name, daemon=True
                )
                self._thread.start()
            return self._loop

    def run(self, coroutine: Coroutine[Any, Any, T], timeout: float = 60.0) -> T:
        """Run a coroutine on the private loop and block until it is done.

        Works in scripts, notebook cells, under a running loop, and on the private loop itself.

        Args:
            coroutine: What to run.
            timeout: Seconds. There is no endless wait.

        Raises:
            DeadlineError: The time is over; the coroutine is cancelled.
        """
        loop = self.loop()
        if threading.current_thread() is self._thread:
            return loop.run_until_complete(_bounded(coroutine, timeout))
        call = _Call(coroutine, timeout)
        deadline = time.monotonic() + timeout + _GRACE
        try:
            loop.call_soon_threadsafe(call.start)
            while not call.ended.acquire(timeout=_SLICE):
                self._check_alive(deadline)
        except BaseException:
            loop.call_soon_threadsafe(call.cancel)  # an interrupt leaves nothing running behind one's back
            raise
        return call.outcome()

    async def arun(self, coroutine: Coroutine[Any, Any, T], timeout: float = 60.0) -> T:
        """Await a coroutine that runs on the private loop, from any asyncio loop."""
        loop = self.loop()
        bounded = _bounded(coroutine, timeout)
        if asyncio.get_running_loop() is loop:
            return await bounded
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(bounded, loop))

    def spawn(self, coroutine: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Start a coroutine on the private loop and return its future at once."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop())

    def close(self, timeout: float = 2.0) -> None:
        """Cancel what runs, stop the loop, join the thread. A later call starts afresh."""
        with self._lock:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is None or thread is None or not thread.is_alive():
            return
        asyncio.run_coroutine_threadsafe(_stop(loop, timeout), loop)
        if threading.current_thread() is not thread:
            thread.join(timeout + 1)

    def _check_alive(self, deadline: float) -> None:
        thread = self._thread
        if thread is None or not thread.is_alive():
            raise GuestlabError(
                "The background loop is gone.",
                why=f"The thread {self.name!r} ended while a call was waiting.",
                next_step="Call again: a new one is started.",
            )
        if time.monotonic() > deadline:
            raise DeadlineError(
                "The background loop does not answer.",
                why="Something blocks it, such as a callback that sleeps instead of awaiting.",
                next_step="Look for blocking calls in callbacks; bridge.close() starts a fresh loop.",
            )

    def _forget(self) -> None:
        """After a fork the thread exists in the parent only."""
        self._lock = threading.Lock()
        self._loop = self._thread = None


class _Call(Generic[T]):
    """A coroutine on the private loop, and a thread that waits for it.

    An interrupt may come between any two lines of the waiting thread. So nothing here is guarded by a lock of
    Python's `threading` that it could leave taken, as it can leave those of `concurrent.futures`: `ended` is
    taken from the beginning, and what is waited for is that the loop gives it back.
    """

    def __init__(self, coroutine: Coroutine[Any, Any, T], timeout: float) -> None:
        self._coroutine, self._timeout = coroutine, timeout
        self._task: asyncio.Task[T] | None = None
        self.ended = threading.Lock()
        self.ended.acquire()

    def start(self) -> None:
        """Begin; on the loop."""
        self._task = asyncio.get_running_loop().create_task(_bounded(self._coroutine, self._timeout))
        self._task.add_done_callback(self._end)

    def cancel(self) -> None:
        """End it, whether it was begun or not; on the loop."""
        if self._task is None:
            self._coroutine.close()
        elif not self._task.cancel() and not self._task.cancelled():
            self._task.exception()  # nobody is left to hear of it

    def _end(self, _: asyncio.Task[T]) -> None:
        self._coroutine.close()  # cancelled before it was begun, it would be told of as never awaited
        self.ended.release()

    def outcome(self) -> T:
        """What it returned, or raise what it raised."""
        assert self._task is not None
        if self._task.cancelled():
            raise concurrent.futures.CancelledError
        return self._task.result()


def _private_loop() -> _Loop:
    """Make a loop that may be re-entered.

    `_patch_loop` is private but frozen: nest_asyncio 1.6.0 is its last release. The public `apply` would
    patch the asyncio module as well.
    """
    import nest_asyncio

    loop = _Loop()
    nest_asyncio._patch_loop(loop)  # noqa: SLF001
    return loop


def _serve(loop: _Loop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        loop.close()


async def _bounded(coroutine: Coroutine[Any, Any, T], timeout: float) -> T:
    try:
        async with asyncio.timeout(timeout) as limit:
            return await coroutine
    except TimeoutError as error:
        if not limit.expired() or isinstance(error, GuestlabError):
            raise
        raise DeadlineError(
            f"Nothing came within {timeout:g} seconds.",
            why="The other side did not answer, or the network is slow.",
            next_step="Try again with a longer timeout=; the log holds what was exchanged so far.",
        ) from None


async def _stop(loop: asyncio.AbstractEventLoop, timeout: float) -> None:
    tasks = asyncio.all_tasks(loop) - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=timeout)
    loop.call_soon(loop.stop)


bridge = Bridge()
"""The bridge every blocking face of guestlab uses."""

atexit.register(bridge.close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=bridge._forget)  # noqa: SLF001
