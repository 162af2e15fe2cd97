"""The pace of connecting: a deployment's budget of connections counts over all sessions of this process.

A session paces itself (`protocol.pacing`); only together do many of them spend what a deployment is allowed
in a minute. On loopback nobody is asked to wait.
"""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING

from guestlab.limits import PUBLISHED
from guestlab.protocol.pacing import Pacer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["ConnectPace", "connect_pace"]


class ConnectPace:
    """Keeps the connections of one process inside the published budget of each deployment.

    Args:
        now: Seconds on a clock that does not jump back.
        sleep: Waits so many seconds.
    """

    def __init__(
        self,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._now, self._sleep = now, sleep
        self._lock = threading.Lock()  # sessions may live on several loops
        self._pacers: dict[tuple[str, str], Pacer] = {}

    async def turn(
        self, region: str, deployment_id: str, waiting: Callable[[float], object] = lambda _: None
    ) -> None:
        """Return when a connection may be opened, and count it.

        Args:
            region: The region's domain.
            deployment_id: Whose budget it is.
            waiting: Told the seconds, once, if there are any to wait.
        """
        told = False
        while (seconds := self._taken(region, deployment_id)) > 0:
            if not told:
                waiting(seconds)
            told = True
            await self._sleep(seconds)

    def _taken(self, region: str, deployment_id: str) -> float:
        """Take a place in the budget; or say how many seconds there will be none."""
        with self._lock:
            pacer = self._pacers.setdefault((region, deployment_id), Pacer(PUBLISHED))
            now = self._now()
            seconds = pacer.delay("connect", now)
            if seconds == 0:
                pacer.sent("connect", now)
            return seconds


connect_pace = ConnectPace()
"""The one of this process."""
