"""Connecting: a session opened and configured, against the same two steps by hand.

By hand means `websockets`: connect, send `configureSession`, read the answer. Ours is `GuestSession`, with
everything it records. Both speak TLS, as the platform's socket does, and verify with a context made before;
the server runs in a process of its own on this machine, so that no network hides the difference. Times are
the clock's, of some connections one after the other; the pairs are many and short, because what else a
machine does falls on both sides of a short pair. Without TLS is told too, as a fact.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from typing import TYPE_CHECKING

from websockets.asyncio.client import connect

from guestlab.bench import Outcome
from guestlab.bench.frames import fire_hose
from guestlab.bench.pairs import FULL, compare
from guestlab.log import Log
from guestlab.regions import Region
from guestlab.session import GuestSession

if TYPE_CHECKING:
    from guestlab.bench.frames import Hose
    from guestlab.bench.pairs import Ratio

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


def connecting(*, pairs: int = 4 * FULL, times: int = 10) -> Outcome:
    """Measure so many pairs of so many connections."""
    bare = _compared(pairs, times, tls=False)
    return Outcome.of_ratio(
        "connect and configure",
        f"at most {MOST:g} x the same two steps by hand with websockets, over TLS, milliseconds",
        _compared(pairs, times, tls=True),
        most=MOST,
        **{"without TLS": f"{bare}; medians {bare.ours_median:.3g} against {bare.theirs_median:.3g}"},
    )


def _compared(pairs: int, times: int, *, tls: bool) -> Ratio:
    with fire_hose(0, tls=tls) as hose:
        return compare(
            lambda: asyncio.run(_sessions(hose, times)),
            lambda: asyncio.run(_by_hand(hose, times)),
            pairs=pairs,
        )


async def _by_hand(hose: Hose, times: int) -> float:
    context = ssl.create_default_context(cafile=hose.ca_file) if hose.ca_file is not None else None
    scheme = "ws" if context is None else "wss"
    url, taken = f"{scheme}://127.0.0.1:{hose.port}/v1?deploymentId={_DEPLOYMENT}", 0.0
    for _ in range(times):
        started = time.perf_counter()
        socket = await connect(url, ssl=context, compression=None, proxy=None)
        await socket.send(_CONFIGURE)
        answer = json.loads(await socket.recv())
        taken += time.perf_counter() - started
        assert answer["body"]["connected"]
        await socket.close()
    return taken / times * 1000


async def _sessions(hose: Hose, times: int) -> float:
    scheme = "http" if hose.ca_file is None else "https"
    region = Region(f"{scheme}://127.0.0.1:{hose.port}", tls=hose.ca_file)
    taken, log = 0.0, Log()
    for _ in range(times):
        session = GuestSession(region, _DEPLOYMENT, log=log, limits=None, reconnect=None)
        started = time.perf_counter()
        configured = await session.connect()
        taken += time.perf_counter() - started
        assert configured.connected
        await session.close()
    return taken / times * 1000
