"""Disorder and late messages, against pairs counted one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guestlab import analysis
from guestlab.analysis.order import _overtaken

MS = 1_000_000


def by_hand(live: list[Any]) -> list[tuple[str, int, float, float]]:
    """Of each late message: id, how many overtook it, how far behind, how long to hold."""
    found = []
    for place, one in enumerate(live):
        ahead = [m for m in live[:place] if m.time > one.time]
        if ahead:
            behind = max(m.time for m in ahead) - one.time
            held = one.arrivals[0] - min(m.arrivals[0] for m in ahead)
            found.append((one.key, len(ahead), behind / MS, held / MS))
    return found


def came(world: Any, session: str) -> list[Any]:
    """What arrived live before history had it."""
    return [m for m in world.live(session) if not m.history or m.history[0] > m.arrivals[0]]


def test_late_messages_are_those_overtaken(world: Any) -> None:
    """Each with how many overtook it, and how long holding would have helped."""
    found = analysis.late_messages(world.log.frames)
    expected = [(s, *late) for s in world.sessions for late in by_hand(came_on_socket(world, s))]
    names = ["session", "message_id", "overtaken_by", "behind_ms", "settle_ms"]
    assert [tuple(row) for row in found[names].itertuples(index=False)] == expected


def came_on_socket(world: Any, session: str) -> list[Any]:
    """Frames know nothing of history: every first arrival on the socket counts."""
    return list(world.live(session))


def test_the_figures_of_a_session_are_the_sums(world: Any) -> None:
    """Inversions, late messages and the worst, for each session."""
    found = analysis.disorder(world.log.messages).set_index("session")
    for session in world.sessions:
        live = came(world, session)
        late = by_hand(live)
        pairs = len(live) * (len(live) - 1) / 2
        row = found.loc[session]
        assert row["messages"] == len(live)
        assert row["late"] == len(late)
        assert row["inversions"] == sum(one[1] for one in late)
        assert row["inverted_share"] == pytest.approx(row["inversions"] / pairs) if pairs else True
        assert row["behind_ms"] == pytest.approx(max((one[2] for one in late), default=0))
        assert row["settle_ms"] == pytest.approx(max((one[3] for one in late), default=0))


def test_holding_for_the_settling_time_puts_all_in_order(world: Any) -> None:
    """What `settle_ms` promises: released when due, nothing comes out of order."""
    for row in analysis.disorder(world.log.messages).itertuples():
        live = came(world, row.session)
        for one in live:
            due = one.arrivals[0] + row.settle_ms * MS
            assert all(other.arrivals[0] <= due + 1 for other in live if other.time < one.time)


@given(st.lists(st.integers(-5, 5), max_size=200))
def test_the_fast_count_is_the_slow_one(times: list[int]) -> None:
    """Any order, any ties."""
    slow = [sum(before > one for before in times[:place]) for place, one in enumerate(times)]
    assert _overtaken(np.array(times, dtype="int64")).tolist() == slow
