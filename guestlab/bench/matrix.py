"""Matrix: 48 attempts at a gateway that is slow to answer, against one attempt alone.

A relay stands before the sandbox and holds back the gateway's answer, the first bytes of each connection.
Pairs are interleaved in one run; what counts is the ratio of the two times. The matrix holds attempts that
are refused and attempts that go on to be configured, so the one alone is the one that works: the longest.
"""

from __future__ import annotations

import asyncio
import contextlib
import time

from guestlab.bench import Outcome
from guestlab.bench.pairs import FULL, compare
from guestlab.bridge import bridge
from guestlab.lab import Lab
from guestlab.sandbox import Sandbox

__all__ = ["matrix"]

PROMISE = "48 attempts at a gateway that delays each answer take at most twice one attempt alone"
MOST = 2.0


def matrix(*, pairs: int = FULL, delay: float = 0.5) -> Outcome:
    """Measure so many interleaved pairs.

    Args:
        pairs: How many.
        delay: Seconds by which the gateway's answer is held back.
    """
    works: list[bool] = []
    cells: list[tuple[int, int]] = []

    def alone() -> float:
        started = time.monotonic()
        works.append(lab.handshake().ok)
        return time.monotonic() - started

    def together() -> float:
        started = time.monotonic()
        found = lab.matrix(deployments=["right", "missing", "unknown"], crossed=True).cells
        taken = time.monotonic() - started
        cells.append((len(found), sum(cell.ok for cell in found)))
        return taken

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
                ratio = compare(together, alone, pairs=pairs, warm_up=False)
        finally:
            bridge.run(_closed(relay))
    return Outcome(
        name="matrix",
        promise=PROMISE,
        met=ratio.keeps(MOST) and all(works) and set(cells) == {(48, 16)},
        facts={
            "ratio": str(ratio),
            "pairs": pairs,
            "attempts": cells[-1][0],
            "of these open": cells[-1][1],
            "one alone, median seconds": round(ratio.theirs_median, 3),
            "the matrix, median seconds": round(ratio.ours_median, 3),
        },
    )


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
