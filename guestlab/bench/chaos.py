"""Chaos: a guest and a bot talk while the link is cut, reordered and duplicated. Nothing may be lost.

The sandbox's faults do the damage, at random bytes, from a seed; a run with the same seed cuts at the same
bytes. The truth is what the sandbox itself holds of the session; the witness is `log.messages`.
"""

from __future__ import annotations

import asyncio
import collections
import time
from pathlib import Path

from guestlab.backoff import Backoff
from guestlab.bench import Outcome
from guestlab.errors import GuestlabError
from guestlab.log import Log
from guestlab.sandbox import Sandbox
from guestlab.session import GuestSession

__all__ = ["chaos"]

PROMISE = "every message in log.messages exactly once, in server order; every send acknowledged or reported"

BYTES_PER_EXCHANGE = 900
"""Bytes the server pushes for one message and its answer, roughly; spreads the cuts over the run."""

ECHO_BOT = Path(__file__).with_name("echo_bot.yaml")

AT_ONCE = 8
"""Sends under way at the same time."""


def chaos(*, messages: int = 10_000, cuts: int = 200, seed: int = 0) -> Outcome:
    """Hold a conversation of so many messages each way over a link that is cut so many times.

    Args:
        messages: What the guest says; the bot answers each.
        cuts: How often the link is cut, at random bytes.
        seed: Decides where.
    """
    return asyncio.run(_chaos(messages, cuts, seed))


async def _chaos(messages: int, cuts: int, seed: int) -> Outcome:
    started, log = time.monotonic(), Log()
    with Sandbox(seed=seed, limits=None, bot=ECHO_BOT) as sandbox:
        between = messages * BYTES_PER_EXCHANGE // (cuts + 1)
        sandbox.faults.reorder(window=3, probability=0.1)
        sandbox.faults.duplicate(probability=0.05)
        sandbox.faults.drop(after_bytes=(between // 4, between), times=cuts)
        session = GuestSession(
            sandbox.region,
            sandbox.deployment_id,
            log=log,
            limits=None,
            reconnect=Backoff(first=0.002, most=0.05, total=60.0),
        )
        async with session:
            acknowledged, reported = await _talk(session, messages)
            sandbox.faults.clear()
            truth = await _truth(sandbox)
            await _settled(log, truth)
        return _judge(
            log,
            truth,
            messages=messages,
            acknowledged=acknowledged,
            reported=reported,
            cuts=cuts,
            seed=seed,
            seconds=time.monotonic() - started,
        )


async def _talk(session: GuestSession, messages: int) -> tuple[int, int]:
    """Say everything; return how many sends were acknowledged and how many reported as failed."""
    numbers, counts = iter(range(messages)), collections.Counter[str]()

    async def speak() -> None:
        for number in numbers:
            try:
                await session.send(f"message {number}", timeout=60)
                counts["acknowledged"] += 1
            except GuestlabError:
                counts["reported"] += 1

    await asyncio.gather(*(speak() for _ in range(AT_ONCE)))
    return counts["acknowledged"], counts["reported"]


async def _truth(sandbox: Sandbox) -> list[str]:
    """The session's texts as the sandbox itself holds them, oldest first, once it is quiet."""
    before: list[str] = []
    while True:
        texts = [text for _, text in sandbox.agent.transcript()]
        if texts == before:
            return texts
        before = texts
        await asyncio.sleep(0.2)


async def _settled(log: Log, truth: list[str]) -> None:
    """Give frames that are still under way a moment to arrive."""
    async with asyncio.timeout(30):
        while len(log.messages) < len(truth):  # noqa: ASYNC110 - entries, not an event
            await asyncio.sleep(0.05)


def _judge(
    log: Log,
    truth: list[str],
    *,
    messages: int,
    acknowledged: int,
    reported: int,
    cuts: int,
    seed: int,
    seconds: float,
) -> Outcome:
    seen = [str(text) for text in log.messages["text"]]
    lost = sum(1 for entry in log.entries if entry.kind == "close" and entry.close_code == 1006)
    met = (
        seen == truth
        and len(set(seen)) == len(seen)
        and acknowledged + reported == messages
        and len(truth) >= 2 * acknowledged
        and lost >= cuts
    )
    return Outcome(
        name="chaos",
        promise=PROMISE,
        met=met,
        facts={
            "seed": seed,
            "messages held by the server": len(truth),
            "messages in log.messages": len(seen),
            "missing": len(set(truth) - set(seen)),
            "doubled": len(seen) - len(set(seen)),
            "out of order": sum(a != b for a, b in zip(seen, truth, strict=False)),
            "sends acknowledged": acknowledged,
            "sends reported as failed": reported,
            "sends unaccounted": messages - acknowledged - reported,
            "links cut": lost,
            "cuts asked for": cuts,
            "filled from history": sum(1 for entry in log.entries if entry.kind == "history"),
            "seconds": round(seconds, 1),
        },
    )
