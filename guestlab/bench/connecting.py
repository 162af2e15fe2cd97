"""Connecting: a session opened and configured, against the same two steps by hand.

By hand means `websockets`: connect, send `configureSession`, read the answer, close. Ours is `GuestSession`
with everything it records. The server runs in a process of its own on this machine, so no network hides the
difference; times are the clock's, of some dozens of connections one after the other.
"""

from __future__ import annotations

import asyncio
import json
import time

from websockets.asyncio.client import connect

from guestlab.bench import Outcome
from guestlab.bench.frames import fire_hose
from guestlab.bench.pairs import FULL, compare
from guestlab.log import Log
from guestlab.session import GuestSession

__all__ = ["connecting"]

MOST = 1.1

_DEPLOYMENT = "11111111-1111-4111-8111-111111111111"
_CONFIGURE = json.dumps(
    {
        "action": "configureSession",
        "deploymentId": _DEPLOYMENT,
        "token": "t",
        "tracingId": "1",
        "startNew": False,
    }
)


def connecting(*, pairs: int = FULL, times: int = 60) -> Outcome:
    """Measure so many pairs of so many connections."""
    with fire_hose(0) as port:
        ratio = compare(
            lambda: asyncio.run(_sessions(port, times)),
            lambda: asyncio.run(_by_hand(port, times)),
            pairs=pairs,
        )
    return Outcome.of_ratio(
        "connect and configure",
        f"at most {MOST:g} x the same two steps by hand with websockets, milliseconds",
        ratio,
        most=MOST,
    )


async def _by_hand(port: int, times: int) -> float:
    taken = 0.0
    for _ in range(times):
        started = time.perf_counter()
        socket = await connect(
            f"ws://127.0.0.1:{port}/v1?deploymentId={_DEPLOYMENT}", compression=None, proxy=None
        )
        await socket.send(_CONFIGURE)
        answer = json.loads(await socket.recv())
        taken += time.perf_counter() - started
        assert answer["body"]["connected"]
        await socket.close()
    return taken / times * 1000


async def _sessions(port: int, times: int) -> float:
    taken, log = 0.0, Log()
    for _ in range(times):
        session = GuestSession(f"http://127.0.0.1:{port}", _DEPLOYMENT, log=log, limits=None, reconnect=None)
        started = time.perf_counter()
        configured = await session.connect()
        taken += time.perf_counter() - started
        assert configured.connected
        await session.close()
    return taken / times * 1000
