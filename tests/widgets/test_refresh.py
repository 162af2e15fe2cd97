"""Painting: coalesced, bounded in rate, on one thread, and never a danger to what pokes it."""

from __future__ import annotations

import itertools
import threading
import time
from typing import TYPE_CHECKING

from guestlab.widgets.refresh import Refresh, Ticker, painter

if TYPE_CHECKING:
    import pytest


def test_one_poke_makes_one_paint() -> None:
    """Leading edge: the first poke is painted soon, and once."""
    painted: list[float] = []
    refresh = Refresh(lambda: painted.append(time.monotonic()))
    begun = time.monotonic()
    refresh.poke()
    assert refresh.flush()
    assert len(painted) == 1
    assert painted[0] - begun < 5
    refresh.close()


def test_many_pokes_from_many_threads_make_few_paints() -> None:
    """8 threads poke 8,000 times; each pause between two paints is at least the interval, and the last poke counts."""
    state = 0
    seen: list[tuple[float, int]] = []
    refresh = Refresh(lambda: seen.append((time.monotonic(), state)), per_second=20)

    def poke() -> None:
        nonlocal state
        for _ in range(1000):
            state += 1
            refresh.poke()

    threads = [threading.Thread(target=poke) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    state = -1
    refresh.poke()
    assert refresh.flush()
    assert seen[-1][1] == -1
    assert len(seen) < 100
    pauses = [later - earlier for (earlier, _), (later, _) in itertools.pairwise(seen)]
    assert all(pause > 0.045 for pause in pauses)
    refresh.close()


def test_a_poke_while_painting_makes_one_more_paint() -> None:
    """Trailing edge: nothing that happened during a paint is lost, and a view that pokes itself does not spin."""
    counts: list[int] = []

    def paint() -> None:
        counts.append(1)
        if len(counts) == 1:
            for _ in range(10):
                refresh.poke()

    refresh = Refresh(paint, per_second=50)
    refresh.poke()
    assert refresh.flush()
    assert len(counts) == 2
    refresh.close()


def test_all_views_are_painted_on_one_thread() -> None:
    """One writer per trait, whoever pokes."""
    threads: set[str] = set()
    views = [Refresh(lambda: threads.add(threading.current_thread().name)) for _ in range(5)]
    for view in views:
        threading.Thread(target=view.poke).start()
    deadline = time.monotonic() + 5
    while not threads and time.monotonic() < deadline:
        time.sleep(0.01)
    assert all(view.flush() for view in views)
    assert threads == {painter.name}
    for view in views:
        view.close()


def test_a_slow_view_leaves_half_of_the_thread_to_others() -> None:
    """A paint that takes longer than the interval is done less often."""
    begun: list[float] = []

    def paint() -> None:
        begun.append(time.monotonic())
        time.sleep(0.1)

    refresh = Refresh(paint, per_second=100)
    for _ in range(3):
        refresh.poke()
        assert refresh.flush()
    assert all(later - earlier > 0.19 for earlier, later in itertools.pairwise(begun))
    refresh.close()


def test_an_exception_is_told_once_and_painting_goes_on(capfd: pytest.CaptureFixture[str]) -> None:
    """The view says so once; nothing is printed; the next paint happens."""
    told: list[Exception] = []
    calls: list[int] = []

    def paint() -> None:
        calls.append(1)
        if len(calls) < 4:
            raise ValueError("no")

    refresh = Refresh(paint, per_second=100, on_error=told.append)
    for _ in range(4):
        refresh.poke()
        assert refresh.flush()
    assert len(calls) == 4
    assert [str(error) for error in told] == ["no"]
    captured = capfd.readouterr()
    assert captured.out == captured.err == ""
    refresh.close()


def test_close_ends_painting() -> None:
    """What was asked for and not painted yet is dropped; a later poke does nothing; flush does not wait."""
    painted: list[int] = []
    refresh = Refresh(lambda: painted.append(1), per_second=2)
    refresh.poke()
    assert refresh.flush()
    refresh.poke()
    refresh.close()
    refresh.poke()
    assert refresh.flush(timeout=0.0)
    time.sleep(0.6)
    assert painted == [1]


def test_a_ticker_ticks_until_it_is_stopped() -> None:
    """At its pace, once however often it is started; and an exception ends it quietly."""
    ticks: list[float] = []
    enough = threading.Event()

    def tick() -> None:
        ticks.append(time.monotonic())
        if len(ticks) == 3:
            ticker.stop()
            enough.set()

    ticker = Ticker(tick, 0.02)
    ticker.start()
    ticker.start()
    assert enough.wait(5)
    time.sleep(0.1)
    assert len(ticks) == 3

    broken = threading.Event()

    def fail() -> None:
        broken.set()
        raise ValueError

    Ticker(fail, 0.01).start()
    assert broken.wait(5)
