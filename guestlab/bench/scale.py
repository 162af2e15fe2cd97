"""Scale: many guest sessions in one process, against few, and what each of them costs.

The sandbox serves from a process of its own. Every run is a fresh process too: it opens so many sessions,
some dozens at a time, has each of them say a few things and hear the answers, and tells what one cost: CPU
time from before the first connection until the last answer, and memory held at the end, when all are open.
A first handful is not counted: it pays for imports and caches, and stays open so as to leave no room behind.
"""

from __future__ import annotations

import asyncio
import gc
import json
import subprocess
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NamedTuple

from guestlab.bench import Outcome
from guestlab.bench.pairs import FULL, interleaved, ratio_of
from guestlab.bench.serving import serving
from guestlab.errors import InputError
from guestlab.log import Log
from guestlab.session import GuestSession

__all__ = ["Cost", "files_needed", "scale"]

MOST = 1.2
FEW, MANY = 200, 2000

_MESSAGES = 5
"""What each guest says; the bot answers each."""

_AT_ONCE = 32
"""Sessions that connect or talk at the same time, in the run of few as in that of many."""

_WARM_UP = 16
_OTHER_FILES = 100
_PAGE = 4096
_BOT = Path(__file__).with_name("echo_bot.yaml")


class Cost(NamedTuple):
    """What one session cost."""

    cpu_ms: float
    memory_kb: float


def scale(*, pairs: int = FULL, few: int = FEW, many: int = MANY) -> Outcome:
    """Measure so many pairs of a run of many sessions and one of few.

    Raises:
        InputError: This system does not let one process open so many sockets.
    """
    files_needed(many)
    with serving("guestlab.bench.scale", "serve", str(many)) as place:
        taken = interleaved(lambda: _run(place, many), lambda: _run(place, few), pairs=pairs, warm_up=False)
    size = f"{many:,} sessions in one process against {few:,}, each with {_MESSAGES} messages each way"
    rows = [
        Outcome.of_ratio(
            f"{what} per session",
            "at most 20 % more",
            ratio_of([(ours[place], theirs[place]) for ours, theirs in taken]),
            most=MOST,
        )
        for place, what in enumerate(("CPU milliseconds", "memory, kilobytes,"))
    ]
    return Outcome.of_rows("scale", f"{size}: cost per session within 20 %", rows)


def files_needed(sessions: int) -> int:
    """See to it that this process may open a socket per session; return how many files it may open.

    Raises:
        InputError: The system does not allow it.
    """
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return sys.maxsize
    needed = sessions + _OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise InputError(
            f"{sessions:,} sessions need {needed:,} open files, and one process may have {hard:,} here.",
            why="Every session holds a socket, and this system's hard limit is lower.",
            next_step=f"Raise it (as root: `ulimit -Hn {needed}`), or ask for fewer sessions.",
        )
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
        return needed
    return soft


# -- processes --------------------------------------------------------------------------------------------


def _run(place: str, sessions: int) -> Cost:
    command = [sys.executable, "-m", "guestlab.bench.scale", "guests", str(sessions), *place.split()]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603 - this very module
    return Cost(*json.loads(done.stdout))


def _serve(sessions: int) -> None:
    from guestlab.sandbox import Sandbox

    files_needed(sessions)
    with Sandbox(limits=None, bot=_BOT) as sandbox:
        print(sandbox.region.name, sandbox.deployment_id, flush=True)  # noqa: T201 - what it is started for
        sys.stdin.read()


# -- guests -----------------------------------------------------------------------------------------------


async def _guests(sessions: int, region: str, deployment_id: str) -> Cost:
    files_needed(sessions)
    log, turn = Log(), asyncio.Semaphore(_AT_ONCE)

    async def hold(stack: AsyncExitStack) -> None:
        async with turn:
            session = GuestSession(region, deployment_id, log=log, limits=None, reconnect=None)
            await stack.enter_async_context(session)
            for number in range(_MESSAGES):
                await session.send(f"message {number}", timeout=60)
                await session.next_message()  # its own echo
                await session.next_message()

    async with AsyncExitStack() as stack:
        await asyncio.gather(*(hold(stack) for _ in range(_WARM_UP)))
        gc.collect()
        held, started = _resident(), time.process_time()
        await asyncio.gather(*(hold(stack) for _ in range(sessions)))
        taken = time.process_time() - started
        gc.collect()
        return Cost(taken / sessions * 1e3, (_resident() - held) / sessions / 1e3)


def _resident() -> int:
    """Bytes of memory this process holds."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE
    except OSError:  # no Linux: the most it ever held
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        _serve(int(sys.argv[2]))
    else:
        print(json.dumps(asyncio.run(_guests(int(sys.argv[2]), *sys.argv[3:]))))  # noqa: T201
