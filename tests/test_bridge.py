"""The bridge: blocking calls from anywhere, nothing global patched, never a hang."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from guestlab.bridge import Bridge, bridge
from guestlab.errors import DeadlineError


async def _value(value: int) -> int:
    await asyncio.sleep(0.01)
    return value


def _python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-X", "dev", "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_coroutine_runs_to_its_result() -> None:
    """The plain case: a script."""
    assert bridge.run(_value(1)) == 1


def test_an_exception_comes_out_as_it_is() -> None:
    """Nothing is wrapped."""

    async def fails() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        bridge.run(fails())


def test_a_timeout_cancels_and_says_so() -> None:
    """The coroutine learns that nobody waits any more."""
    cancelled = threading.Event()

    async def endless() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    with pytest.raises(DeadlineError, match=r"within 0\.1 seconds"):
        bridge.run(endless(), timeout=0.1)
    assert cancelled.wait(5)


def test_a_timeout_of_the_coroutine_itself_passes_through() -> None:
    """A plain TimeoutError from inside is not relabelled."""

    async def own() -> None:
        async with asyncio.timeout(0.01):
            await asyncio.sleep(60)

    with pytest.raises(TimeoutError) as caught:
        bridge.run(own())
    assert not isinstance(caught.value, DeadlineError)


def test_it_blocks_inside_a_running_loop() -> None:
    """As in a notebook cell, or a blocking call in an async view."""

    async def main() -> int:
        return bridge.run(_value(2))

    assert asyncio.run(main()) == 2


def test_it_can_be_awaited_from_any_loop() -> None:
    """arun() leaves the caller's loop free."""

    async def main() -> list[int]:
        return list(await asyncio.gather(bridge.arun(_value(1)), bridge.arun(_value(2))))

    assert asyncio.run(main()) == [1, 2]


def test_a_blocking_call_on_its_own_loop_nests() -> None:
    """A user's async callback may call blocking verbs; without nesting this would deadlock."""

    async def outer() -> int:
        return bridge.run(_value(5)) + bridge.run(_value(6))

    assert bridge.run(outer()) == 11


def test_many_threads_share_it() -> None:
    """Each gets its own answer."""
    results: list[int] = []
    threads = [
        threading.Thread(target=lambda number=number: results.append(bridge.run(_value(number))))
        for number in range(40)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == list(range(40))


def test_the_rest_of_asyncio_stays_as_it_was() -> None:
    """nest_asyncio is applied to the private loop's class only."""
    assert bridge.run(_value(1)) == 1
    assert asyncio.Task.__module__ == "_asyncio"
    assert not hasattr(asyncio, "_nest_patched")
    assert not hasattr(asyncio.SelectorEventLoop, "_nest_patched")

    async def nested() -> None:
        coroutine = _value(1)
        try:
            asyncio.get_running_loop().run_until_complete(coroutine)
        finally:
            coroutine.close()

    with pytest.raises(RuntimeError):
        asyncio.run(nested())


def test_a_stuck_loop_is_reported_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A callback that blocks the loop costs a clear error, not the kernel."""
    monkeypatch.setattr("guestlab.bridge._GRACE", 0.2)
    stuck = Bridge("stuck")
    release = threading.Event()
    stuck.loop().call_soon_threadsafe(release.wait, 30)
    with pytest.raises(DeadlineError, match="does not answer"):
        stuck.run(_value(1), timeout=0.1)
    release.set()
    stuck.close()


def test_it_can_be_closed_and_used_again() -> None:
    """A later call starts a fresh loop."""
    own = Bridge("own")
    assert own.run(_value(1)) == 1
    own.close()
    assert own.run(_value(2)) == 2
    own.close()


@pytest.mark.parametrize("times", [1, 300])
def test_an_interrupt_cancels_and_leaves_it_usable(times: int) -> None:
    """Ctrl-C in a cell ends the call and leaves nothing running, at whatever moment it comes; the next works."""
    done = _python(f"""
        import asyncio, os, signal, threading
        from guestlab.bridge import bridge
        interrupted = 0
        for _ in range({times}):
            started, cancelled = threading.Event(), threading.Event()
            async def endless():
                started.set()
                try:
                    await asyncio.sleep(60)
                except asyncio.CancelledError:
                    cancelled.set()
                    raise
            def interrupt():
                started.wait()
                os.kill(os.getpid(), signal.SIGINT)
            interrupter = threading.Thread(target=interrupt)
            interrupter.start()
            try:
                bridge.run(endless())
            except KeyboardInterrupt:
                interrupted += cancelled.wait(10)
            interrupter.join()
            assert bridge.run(asyncio.sleep(0, "alive")) == "alive"
        print(interrupted)
    """)
    assert (done.stdout, done.stderr) == (f"{times}\n", ""), done


def test_a_process_ends_quietly_with_work_under_way() -> None:
    """No traceback, no destroyed task, no wait."""
    started = time.monotonic()
    done = _python("""
        import asyncio
        from guestlab.bridge import bridge
        bridge.spawn(asyncio.sleep(100))
        print(bridge.run(asyncio.sleep(0, "done")))
    """)
    assert (done.stdout, done.stderr) == ("done\n", "")
    assert time.monotonic() - started < 30


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")
def test_a_forked_child_gets_a_loop_of_its_own() -> None:
    """The thread exists in the parent only; the child must not wait for it."""
    done = _python("""
        import asyncio, os, warnings
        from guestlab.bridge import bridge
        warnings.simplefilter("ignore")  # Python warns of forking with threads: that is the point
        bridge.run(asyncio.sleep(0))
        child = os.fork()
        if child == 0:
            os._exit(0 if bridge.run(asyncio.sleep(0, True), 10) else 1)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """)
    assert done.stdout == "0\n", done
