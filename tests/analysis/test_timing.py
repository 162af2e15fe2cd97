"""Turns, response times and silences, against plain loops."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from guestlab import analysis
from guestlab.errors import InputError

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


def test_our_own_clock_orders_by_arrival(world: Any) -> None:
    """What came live only, first arrivals."""
    expected = []
    for session in world.sessions:
        live = [one for one in world.live(session) if not one.history or one.history[0] > one.arrivals[0]]
        expected += [(session, b.arrivals[0] - a.arrivals[0]) for a, b in itertools.pairwise(live)]
    found = analysis.silences(world.log.messages, longer_than=0, clock="here")
    lengths = [(row.session, round(row.silence_ms * MS)) for row in found.itertuples()]
    assert lengths == [pair for pair in expected if pair[1] > 0]


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda m: analysis.turns(m, clock="moon"), "clock"),
        (lambda m: analysis.response_times(m, asked="never"), "asked"),
        (lambda m: analysis.silences(m, longer_than=-1), "longer_than"),
        (lambda m: analysis.silences(m, longer_than=float("nan")), "longer_than"),
    ],
)
def test_an_impossible_argument_is_refused(call: Any, word: str) -> None:
    """With what would be possible."""
    with pytest.raises(InputError) as refused:
        call(analysis.sample().messages)
    assert word in str(refused.value)
