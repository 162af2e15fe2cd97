"""Turns, response times and silences, against plain loops."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from guestlab import analysis
from guestlab.errors import InputError
from guestlab.log import Log

if TYPE_CHECKING:
    from collections.abc import Sequence

MS = 1_000_000


def runs(world: Any, session: str) -> list[list[Any]]:
    """Messages of a session cut where the speaker changes."""
    found: list[list[Any]] = []
    for one in world.of(session):
        if found and found[-1][-1].who == one.who:
            found[-1].append(one)
        else:
            found.append([one])
    return found


def plain(frame: pd.DataFrame, *names: str) -> list[tuple[Any, ...]]:
    """Rows as tuples, missing as None, times as nanoseconds."""
    return [
        tuple(None if pd.isna(v) else v.value if isinstance(v, pd.Timestamp) else v for v in row)
        for row in frame[list(names)].itertuples(index=False)
    ]


def test_turns_are_runs_of_one_speaker(world: Any) -> None:
    """Their numbers, lengths and waits, session by session."""
    expected: list[Sequence[Any]] = []
    for session in world.sessions:
        previous = None
        for number, run in enumerate(runs(world, session), start=1):
            waited = None if previous is None else (run[0].time - previous) / MS
            characters = sum(len(one.text) for one in run)
            expected.append((session, number, run[0].who, len(run), characters, run[0].time, run[-1].time,
                             (run[-1].time - run[0].time) / MS, waited, run[0].first_seq))  # fmt: skip
            previous = run[-1].time
    found = analysis.turns(world.log.messages)
    names = ("session", "turn", "who", "messages", "characters", "started_at", "ended_at", "duration_ms",
             "waited_ms", "first_seq")  # fmt: skip
    assert plain(found, *names) == expected


@pytest.mark.parametrize("asked", ["first", "last"])
def test_the_guest_waits_from_asking_to_the_first_answer(world: Any, asked: str) -> None:
    """Whoever answers, and also where nobody does."""
    expected: list[Sequence[Any]] = []
    for session in world.sessions:
        cut = runs(world, session)
        is_first = True
        for number, run in enumerate(cut):
            if run[0].who != "guest":
                continue
            answer = cut[number + 1][0] if number + 1 < len(cut) else None
            began = run[0 if asked == "first" else -1].time
            wait = None if answer is None else (answer.time - began) / MS
            who = None if answer is None else answer.who
            expected.append((session, number + 1, began, wait, who, is_first))
            is_first = False
    found = analysis.response_times(world.log.table(), asked=asked)  # type: ignore[arg-type]
    assert plain(found, "session", "turn", "asked_at", "response_ms", "who", "first") == expected


def test_a_silence_is_longer_than_asked_for(world: Any) -> None:
    """Between neighbours in time, whoever speaks."""
    expected = []
    for session in world.sessions:
        messages = world.of(session)
        for before, after in itertools.pairwise(messages):
            if after.time - before.time > 60_000 * MS:
                expected.append((session, before.time, after.time, (after.time - before.time) / MS,
                                 before.who, after.who))  # fmt: skip
    found = analysis.silences(world.log.messages, longer_than=60)
    assert expected
    assert plain(found, "session", "started_at", "ended_at", "silence_ms", "after", "broken_by") == expected


def test_a_length_of_time_may_be_a_timedelta() -> None:
    """As pandas users have it."""
    messages = analysis.sample().messages
    found = analysis.silences(messages, longer_than=pd.Timedelta("30s"))
    assert (
        plain(found, "silence_ms") == plain(analysis.silences(messages, longer_than=30), "silence_ms") != []
    )


def test_our_own_clock_counts_from_sending_to_arrival(world: Any) -> None:
    """The guest's words when they were sent, all others when they first came, from history too."""
    expected = []
    for session in world.sessions:
        said = [one for one in world.said if one.session == session]
        moments = sorted(lived(one) for one in said) if any(one.arrivals for one in said) else []
        expected += [(session, after - before) for before, after in itertools.pairwise(moments)]
    found = analysis.silences(world.log.messages, longer_than=0, clock="here")
    lengths = [(row.session, row.silence_ms) for row in found.itertuples()]
    wanted = [(session, length / MS) for session, length in expected if length > 0]
    assert [session for session, _ in lengths] == [session for session, _ in wanted]
    assert [length for _, length in lengths] == pytest.approx([length for _, length in wanted], abs=1e-4)


def lived(one: Any) -> int:
    """When a message counts on our own clock."""
    came = min(one.arrivals + one.history)
    is_told = one.round_trip is not None and came in one.arrivals
    return came - round(one.round_trip * MS) if is_told else came


SECOND = 10**9
GUEST: dict[str, Any] = {"session": "s", "message_direction": "Inbound", "message_type": "Text"}
BOT: dict[str, Any] = {**GUEST, "message_direction": "Outbound", "originating_entity": "Bot"}


def asked(log: Log, at: float, tracing_id: str = "t1") -> None:
    """Record a message on its way out."""
    log.record("frame", at_ns=round(at * SECOND), session="s", direction="sent", action="onMessage",
               tracing_id=tracing_id)  # fmt: skip


def heard(log: Log, at: float, key: str, who: dict[str, Any], kind: str = "frame", **about: Any) -> None:
    """Record a message that came; the platform's clock is a minute ahead."""
    log.record(kind, at_ns=round(at * SECOND), direction="received", message_id=key,
               message_time=round((about.pop("said", at) + 60) * SECOND), **who, **about)  # fmt: skip


def test_what_was_said_again_counts_from_the_first_try() -> None:
    """Refused with 429 at 10, said again at 12: the guest waited from 10 on."""
    log = Log()
    asked(log, 10)
    asked(log, 12)
    heard(log, 12.5, "g", GUEST, tracing_id="t1", latency_ms=500.0)
    heard(log, 13, "b", BOT)
    waited = {name: analysis.response_times(getattr(log, name), clock="here")["response_ms"].tolist()
              for name in ("frames", "messages")}  # fmt: skip
    assert waited == {"frames": [3000.0], "messages": [1000.0]}


def test_one_tracing_id_for_everything_is_no_first_try() -> None:
    """Where a client names all it says alike, the round trip tells."""
    log = Log()
    for at in (10, 20):
        asked(log, at)
        heard(log, at + 0.5, f"g{at}", GUEST, tracing_id="t1", latency_ms=500.0)
        heard(log, at + 2, f"b{at}", BOT)
    assert analysis.response_times(log.table(), clock="here")["response_ms"].tolist() == [2000.0, 2000.0]


@pytest.mark.parametrize("dask", [False, True])
def test_an_answer_from_history_ends_the_wait_when_it_is_filled_in(*, dask: bool) -> None:
    """And a question whose echo was lost counts from its stamp, taken to our clock."""
    log = Log()
    heard(log, 10.5, "g1", GUEST, latency_ms=500.0, said=10)
    heard(log, 11, "b1", BOT, said=10.2)
    heard(log, 30, "g2", GUEST, "history", said=20)
    heard(log, 30, "b2", BOT, "history", said=20.2)
    table: Any = log.table()
    if dask:
        table = pytest.importorskip("dask.dataframe").from_pandas(table, npartitions=2)
    waits: Any = analysis.response_times(table, clock="here")
    waits = waits.compute() if dask else waits
    assert waits["response_ms"].tolist() == [1000.0, 10_000.0]
    if not dask:
        assert analysis.turns(table, clock="here")["who"].tolist() == ["guest", "bot", "guest", "bot"]


def test_history_alone_never_came_here() -> None:
    """A transcript read later tells nothing of when a guest heard it."""
    log = Log()
    heard(log, 30, "g", GUEST, "history", said=20)
    heard(log, 30, "b", BOT, "history", said=21)
    assert not len(analysis.response_times(log.messages, clock="here"))
    assert len(analysis.response_times(log.messages)) == 1


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda m: analysis.turns(m, clock="moon"), "clock"),
        (lambda m: analysis.response_times(m, asked="never"), "asked"),
        (lambda m: analysis.silences(m, longer_than=-1), "longer_than"),
        (lambda m: analysis.silences(m, longer_than=float("nan")), "longer_than"),
        (lambda m: analysis.silences(m, longer_than="60s"), "longer_than"),
        (lambda m: analysis.silences(m, longer_than=None), "longer_than"),
        (lambda m: analysis.silences(m, longer_than=pd.NaT), "longer_than"),
    ],
)
def test_an_impossible_argument_is_refused(call: Any, word: str) -> None:
    """With what would be possible."""
    with pytest.raises(InputError) as refused:
        call(analysis.sample().messages)
    assert word in str(refused.value)
