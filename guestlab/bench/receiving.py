"""Receiving: a session that logs every frame, against a bare loop that keeps a list.

The bare loop is what a script would be: `websockets`, `json.loads`, `list.append`. Ours is what a user has:
`GuestSession`, every message read from it, every frame in its log. Neither compresses, no journal is
written, the server runs in another process, and CPU time is what counts.
"""

from __future__ import annotations

import asyncio
import gc
import json
import time

from websockets.asyncio.client import connect

from guestlab.bench import Outcome
from guestlab.bench.frames import fire_hose
from guestlab.bench.pairs import FULL, compare
from guestlab.log import Log
from guestlab.log.store import CHUNK
from guestlab.session import GuestSession

__all__ = ["receiving"]

MOST = 1.5

_DEPLOYMENT = "11111111-1111-4111-8111-111111111111"
_CONFIGURE = json.dumps({"action": "configureSession", "deploymentId": _DEPLOYMENT, "token": "t"})
_GO = json.dumps({"action": "onMessage", "token": "t", "message": {"type": "Text", "text": "go"}})


def receiving(*, pairs: int = FULL, frames: int = 3 * CHUNK) -> Outcome:
    """Measure so many pairs of so many frames: by default enough for the log to seal some chunks."""
    with fire_hose(frames) as (port, _):
        ratio = compare(
            lambda: asyncio.run(_session(port, frames)),
            lambda: asyncio.run(_bare(port, frames)),
            pairs=pairs,
        )
    return Outcome.of_ratio(
        "receive, decode, log a frame",
        f"at most {MOST:g} x a bare websockets loop with json.loads and list.append, CPU microseconds",
        ratio,
        most=MOST,
        frames=f"{frames:,}",
    )


async def _bare(port: int, frames: int) -> float:
    received = []
    gc.collect()
    async with connect(f"ws://127.0.0.1:{port}/v1", compression=None, proxy=None) as socket:
        await socket.send(_CONFIGURE)
        json.loads(await socket.recv())
        started = time.process_time()
        await socket.send(_GO)
        async for text in socket:
            received.append(json.loads(text))
            if len(received) == frames:
                break
        taken = time.process_time() - started
    assert received[-1]["class"] == "StructuredMessage"
    return taken / frames * 1e6


async def _session(port: int, frames: int) -> float:
    log = Log()
    gc.collect()
    async with GuestSession(
        f"http://127.0.0.1:{port}", _DEPLOYMENT, log=log, limits=None, reconnect=None
    ) as session:
        before, count = len(log), 0
        started = time.process_time()
        await session.typing()
        async for _ in session:
            count += 1
            if count == frames:
                break
        taken = time.process_time() - started
    assert len(log) >= before + frames
    return taken / frames * 1e6
