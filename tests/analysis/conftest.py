"""Logs with known gaps, copies, delays and disorder, and their truth as plain Python objects.

`Said` is one message of an invented world; the tests compute what they expect from lists of them in plain
loops, never with pandas.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from guestlab.log import Log

if TYPE_CHECKING:
    from collections.abc import Callable

START = 1_790_000_000_000_000_000
MS = 1_000_000
ENTITY = {"guest": None, "bot": "Bot", "agent": "Human"}


@dataclass
class Said:
    """One message, and each time it came."""

    session: str
    key: str
    who: str
    text: str
    time: int
    arrivals: list[int] = field(default_factory=list)
    history: list[int] = field(default_factory=list)
    round_trip: float | None = None
    seqs: list[int] = field(default_factory=list)

    @property
    def first_seq(self) -> int:
        """Seq of the entry `log.messages` keeps: the first to come."""
        return self.seqs[0]


@dataclass
class World:
    """A log and what is true about it."""

    log: Log
    said: list[Said]
    skews: dict[str, int]
    sends: list[tuple[str, int, str, int, bool]]
    """Session, connection, action, when, whether it was typing; in order."""
    refusals: list[tuple[str, int, str]]

    @property
    def sessions(self) -> list[str]:
        """Names of the sessions with messages, sorted."""
        return sorted({one.session for one in self.said})

    def of(self, session: str) -> list[Said]:
        """Messages of one session by the platform's clock; ties as in the log."""
        return sorted((m for m in self.said if m.session == session), key=lambda m: (m.time, m.first_seq))

    def live(self, session: str) -> list[Said]:
        """Those that arrived live first, by arrival."""
        came = [m for m in self.said if m.session == session and m.arrivals]
        return sorted(came, key=lambda m: (m.arrivals[0], m.seqs[0]))


def build(seed: int, *, sessions: int = 6, messages: int = 30) -> World:
    """Invent a world; the same seed, the same world."""
    rng = random.Random(seed)
    rows: list[tuple[int, int, dict[str, Any], Said | None]] = []
    said, skews, sends, refusals = [], {}, [], []
    for number in range(sessions):
        session = f"{rng.getrandbits(32):08x}"
        skews[session] = rng.randrange(-300, 300) * MS
        clock = START + rng.randrange(3_600_000) * MS
        lost = False
        for place in range(rng.randrange(2, messages)):
            clock += int(rng.choice([rng.expovariate(1 / 2000), 90_000]) * MS) + 1
            who = rng.choice(["guest", "guest", "bot", "bot", "bot", "agent"])
            one = Said(
                session, f"k{number}-{place}", who, rng.choice(["hello", "yes?", "", "línea ✓"]), clock
            )
            delay = int(rng.lognormvariate(3.5, 1.2) * MS)
            ours = clock + skews[session]
            lost = rng.random() < 0.1 if who != "guest" else False
            if not lost:
                one.arrivals.append(ours + delay)
                if rng.random() < 0.1:
                    one.arrivals.append(ours + delay + rng.randrange(1, 5000) * MS)
            if lost or rng.random() < 0.05:
                one.history.append(ours + 100_000 * MS)
            if who == "guest" and rng.random() < 0.8:
                one.round_trip = (delay + rng.randrange(1, 40) * MS) / MS
            said.append(one)
            for at in one.arrivals:
                rows.append((at, len(rows), _came(one, "frame"), one))
            for at in one.history:
                rows.append((at, len(rows), _came(one, "history"), one))
        _traffic(rng, session, rows, sends, refusals)
    log = Log()
    for at, _, about, one in sorted(rows, key=lambda row: (row[0], row[1])):
        entry = log.record(about.pop("kind"), at_ns=at, monotonic_ns=at, stage="session", **about)
        if one is not None:
            one.seqs.append(entry.seq)
    return World(log, said, skews, sends, refusals)


def _came(one: Said, kind: str) -> dict[str, Any]:
    return {
        "kind": kind, "session": one.session, "direction": "received", "class_name": "StructuredMessage",
        "message_id": one.key, "message_time": one.time, "message_type": "Text", "text": one.text,
        "message_direction": "Inbound" if one.who == "guest" else "Outbound",
        "originating_entity": ENTITY[one.who], "frame_code": 200 if kind == "frame" else None,
        "latency_ms": one.round_trip if kind == "frame" else None,
    }  # fmt: skip


def _traffic(rng: random.Random, session: str, rows: Any, sends: Any, refusals: Any) -> None:
    """Frames sent in bursts over up to three connections, some refused for their rate."""
    clock = START + rng.randrange(3_600_000) * MS
    for connection in range(1, rng.randrange(2, 4)):
        for number in range(rng.randrange(1, 90)):
            clock += int(rng.choice([rng.expovariate(1 / 60), rng.expovariate(1 / 3000)]) * MS) + 1
            action = rng.choice(["onMessage"] * 5 + ["configureSession", "echo", "getJwt"])
            typing = action == "onMessage" and rng.random() < 0.2
            tracing_id = f"{session}-{connection}-{number}"
            about = {"kind": "frame", "session": session, "direction": "sent", "action": action,
                     "tracing_id": tracing_id, "event_types": "Typing" if typing else None}  # fmt: skip
            rows.append((clock, len(rows), about, None))
            sends.append((session, connection, action, clock, typing))
            if rng.random() < 0.05:
                clock += 1 + rng.randrange(20) * MS
                refusal = {"kind": "frame", "session": session, "direction": "received", "frame_code": 429,
                           "class_name": "TooManyRequestsErrorMessage", "tracing_id": tracing_id}  # fmt: skip
                rows.append((clock, len(rows), refusal, None))
                refusals.append((session, connection, "typing" if typing else action))
        clock += 5000 * MS
        end = {"kind": "close", "session": session, "direction": "received", "close_code": 1006}
        rows.append((clock, len(rows), end, None))


@pytest.fixture(scope="session", params=[1, 2, 3])
def world(request: pytest.FixtureRequest) -> World:
    """An invented world, three times another; nobody changes it."""
    return build(request.param)


@pytest.fixture(scope="session")
def make_world() -> Callable[..., World]:
    """Builds further worlds."""
    return build
