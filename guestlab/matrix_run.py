"""Carries out the plan of a matrix: many attempts at once, inside the published connection budget.

Each attempt is made by a function that is passed in, so nothing here knows where. The budget is the
deployment's connections per minute; beside it a number at once, small away from loopback. A run tells how
far it is, and can be cancelled: what was not finished then is not in the matrix.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol

from guestlab.errors import InputError
from guestlab.handshake.matrix import Cell, Matrix, MatrixPlan, Setting
from guestlab.limits import PUBLISHED, Limits
from guestlab.protocol.pacing import Pacer

if TYPE_CHECKING:
    from guestlab.handshake.attempt import Attempt

__all__ = ["AT_ONCE", "AT_ONCE_ON_LOOPBACK", "Cancel", "Confirm", "ask_first", "run_matrix"]

AT_ONCE = 16
"""Attempts under way at the same time, away from loopback: polite to a service that is somebody else's."""

AT_ONCE_ON_LOOPBACK = 64
"""The same on this machine."""

FEW = 6
"""More requests than this to somebody else's service are asked about first."""

_LOOKS_EVERY = 0.05
"""Seconds between two looks at `cancel`."""

Confirm = Callable[[int], bool] | bool | None
"""True, or a function that is told how many requests would be made and says whether to."""


class Cancel(Protocol):
    """Says whether to stop, as `threading.Event` does."""

    def is_set(self) -> bool:
        """Whether to stop."""


def ask_first(requests: int, confirm: Confirm, *, loopback: bool, where: str) -> None:
    """Ask before more than a few requests go to somebody else's service.

    Raises:
        InputError: Nobody was asked, or the answer was no.
    """
    if loopback or requests <= FEW or confirm is True:
        return
    if callable(confirm):
        if confirm(requests):
            return
        raise InputError(
            f"Nothing was sent: {requests} requests to {where} were not wanted.",
            why="confirm said no.",
            next_step="Vary fewer values, or let confirm answer True.",
        )
    raise InputError(
        f"This would make {requests} requests to {where}.",
        why=f"Away from loopback more than {FEW} are made only when somebody has said so.",
        next_step="Pass confirm=True, or a function that is told the number and answers True or False.",
    )


async def run_matrix(
    plan: MatrixPlan,
    attempt: Callable[[Setting], Awaitable[Attempt]],
    *,
    where: str,
    at_once: int = AT_ONCE,
    limits: Limits | None = PUBLISHED,
    progress: Callable[[int, int], object] | None = None,
    cancel: Cancel | None = None,
    on_cell: Callable[[Cell], object] | None = None,
) -> Matrix:
    """Make every attempt of a plan.

    Args:
        plan: From `vary`.
        attempt: Makes one.
        where: Named in the matrix.
        at_once: How many are under way at the same time.
        limits: The budget of connections per minute.
        progress: Called with (attempts done, attempts in all) after each.
        cancel: Anything with `is_set()`; once it is, the rest is left out.
        on_cell: Called with each attempt when it is over.
    """
    pacer, gate = Pacer(limits), asyncio.Semaphore(at_once)
    cells: dict[Setting, Cell] = {}

    async def one(setting: Setting) -> None:
        async with gate:
            while (wait := pacer.delay("connect", time.monotonic())) > 0:  # noqa: ASYNC110 - a clock, no event
                await asyncio.sleep(wait)
            if cancel is not None and cancel.is_set():
                return
            pacer.sent("connect", time.monotonic())
            cells[setting] = Cell.of(await attempt(setting), setting)
        if on_cell is not None:
            on_cell(cells[setting])
        if progress is not None:
            progress(len(cells), len(plan))

    tasks = {asyncio.create_task(one(setting)) for setting in plan.settings}
    try:
        await _finished(tasks, cancel)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    made = tuple(cells[setting] for setting in plan.settings if setting in cells)
    return Matrix(plan=plan, where=where, cells=made)


async def _finished(tasks: set[asyncio.Task[None]], cancel: Cancel | None) -> None:
    """Wait until all is done, something failed, or it is cancelled."""
    pending = tasks
    while pending and not (cancel is not None and cancel.is_set()):
        timeout = None if cancel is None else _LOOKS_EVERY
        done, pending = await asyncio.wait(pending, timeout=timeout, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()
