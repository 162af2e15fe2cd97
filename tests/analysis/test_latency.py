"""Delivery latency and clock skew, against plain loops and a known skew."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from guestlab import analysis

MS = 1_000_000


def measured(world: Any, session: str) -> list[Any]:
    """What arrived live before history had it, by arrival."""
    return [m for m in world.live(session) if not m.history or m.history[0] > m.arrivals[0]]


def test_the_bounds_hold_the_true_skew(world: Any) -> None:
    """The world knows how far its clocks are apart; the estimate is inside its own uncertainty."""
    found = analysis.clock_skew(world.log.messages).set_index("session")
    for session in world.sessions:
        live = measured(world, session)
        row, skew = found.loc[session], world.skews[session] / MS
        echoes = [m for m in live if m.round_trip is not None]
        assert row["messages"] == len(live)
        assert row["echoes"] == len(echoes)
        assert row["highest_ms"] == pytest.approx(min((m.arrivals[0] - m.time) / MS for m in live))
        assert row["highest_ms"] >= skew
        if echoes:
            lowest = max((m.arrivals[0] - m.time) / MS - m.round_trip for m in echoes)
            assert row["lowest_ms"] == pytest.approx(lowest)
            assert row["lowest_ms"] <= skew + 1e-6
            assert abs(row["skew_ms"] - skew) <= row["uncertainty_ms"] + 1e-6
            assert row["consistent"]


def test_each_live_message_has_its_latency(world: Any) -> None:
    """On two clocks, and with their difference taken out; history has none."""
    found = analysis.delivery_latency(world.log.table())
    skews = analysis.clock_skew(world.log.table()).set_index("session")["skew_ms"]
    expected = [(s, m.key, (m.arrivals[0] - m.time) / MS) for s in world.sessions for m in measured(world, s)]
    assert [(r.session, r.message_id, r.latency_ms) for r in found.itertuples()] == expected
    for row in found.itertuples():
        assert row.corrected_ms == pytest.approx(row.latency_ms - skews[row.session])


def test_a_clock_behind_makes_latencies_negative() -> None:
    """They are shown as they are, not cut at zero."""
    log = analysis.sample()
    messages = log.messages.assign(time=lambda rows: rows["time"] + pd.Timedelta("1s"))
    found = analysis.delivery_latency(messages)
    assert (found["latency_ms"] < 0).all()
    assert (found["corrected_ms"] >= 0).all()


def test_bounds_that_contradict_each_other_are_said_to() -> None:
    """A clock that jumped within the session."""
    messages = analysis.sample().messages
    jumped = messages["at"].where(messages["seq"] < 20, messages["at"] + pd.Timedelta("1h"))
    found = analysis.clock_skew(messages.assign(at=jumped))
    assert not found["consistent"].iloc[0]
