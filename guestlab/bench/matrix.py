"""Matrix: 48 attempts at a gateway that is slow to answer, against one attempt alone.

A relay stands before the sandbox and holds back the gateway's answer, the first bytes of each connection.
Pairs are interleaved in one run; what counts is the ratio of the two times. The matrix holds attempts that
are refused and attempts that go on to be configured, so the one alone is the one that works: the longest.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import statistics
import time

from guestlab.bench import Outcome
from guestlab.bridge import bridge
from guestlab.lab import Lab
from guestlab.sandbox import Sandbox

__all__ = ["matrix"]

PROMISE = "48 attempts at a gateway that delays each answer take at most twice one attempt alone"
MOST = 2.0

_STUDENT = {4: 2.776, 14: 2.145}
"""The 97.5 % quantile of Student's t, by degrees of freedom."""


def matrix(*, pairs: int = 15, delay: float = 0.5) -> Outcome:
    """Measure so many interleaved pairs.

    Args:
        pairs: How many.
        delay: Seconds by which the gateway's answer is held back.
    """
    alone: list[float] = []
    together: list[float] = []
    with Sandbox(limits=None) as sandbox:
        relay = bridge.run(_relay(int(sandbox.region.name.rpartition(":")[2]), delay))
        region = f"http://127.0.0.1:{relay.sockets[0].getsockname()[1]}"
        try:
            with Lab(
                region,
                deployment_id=sandbox.deployment_id,
                client_id=sandbox.client_id,
                client_secret=sandbox.client_secret,
            ) as lab:
                lab.matrix(deployments=["right", "missing"])  # imports, a token and compiled patterns
                for _ in range(pairs):
                    started = time.monotonic()
                    works = lab.handshake().ok
                    between = time.monotonic()
                    cells = lab.matrix(deployments=["right", "missing", "unknown"], crossed=True)
                    alone.append(between - started)
                    together.append(time.monotonic() - between)
        finally:
            bridge.run(_closed(relay))
    ratio, low, high = _interval([t / a for t, a in zip(together, alone, strict=True)])
    opened = sum(cell.ok for cell in cells.cells)
    return Outcome(
        name="matrix",
        promise=PROMISE,
        met=low <= MOST and works and (len(cells), opened) == (48, 16),
        facts={
            "ratio": f"{ratio:.2f} (95 %: {low:.2f} to {high:.2f})",
            "pairs": pairs,
            "attempts": len(cells),
            "of these open": opened,
            "one alone, median seconds": round(statistics.median(alone), 3),
            "the matrix, median seconds": round(statistics.median(together), 3),
        },
    )


def _interval(ratios: list[float]) -> tuple[float, float, float]:
    """Geometric mean with its 95 % interval."""
    logs = [math.log(ratio) for ratio in ratios]
    middle = statistics.fmean(logs)
    spread = statistics.stdev(logs) / math.sqrt(len(logs)) if len(logs) > 1 else 0.0
    reach = _STUDENT.get(len(logs) - 1, 2.1) * spread
    return math.exp(middle), math.exp(middle - reach), math.exp(middle + reach)


async def _relay(port: int, delay: float) -> asyncio.Server:
    """Pass connections on to a port of this machine, the first answer of each held back."""

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter, held: float) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                await asyncio.sleep(held)
                held = 0.0
                sink.write(data)
                await sink.drain()
        sink.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        with contextlib.suppress(
            asyncio.CancelledError
        ):  # asyncio's streams (3.11) complain of it at the end
            await asyncio.gather(pump(reader, far_writer, 0.0), pump(far_reader, writer, delay))

    return await asyncio.start_server(serve, "127.0.0.1", 0, backlog=256)


async def _closed(relay: asyncio.Server) -> None:
    relay.close()
    await relay.wait_closed()
