"""The inbox: every message once, in the order promised, none lost."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guestlab.protocol.inbox import Inbox
from guestlab.protocol.messages import Message


def _message(number: int, key: str | None = None) -> Message:
    """Message number n, said n milliseconds after noon."""
    time = f"2026-10-01T12:00:{number // 1000:02}.{number % 1000:03}Z"
    return Message.from_body({"id": key or f"m{number}", "type": "Text", "channel": {"time": time}})


def _keys(messages: list[Message]) -> list[str]:
    return [message.key for message in messages]


def test_a_message_comes_out_once_however_often_it_arrives() -> None:
    """Live twice, and again from history."""
    inbox = Inbox()
    assert _keys(inbox.add(_message(1))) == ["m1"]
    assert inbox.add(_message(1)) == []
    inbox.begin_gap()
    assert inbox.end_gap([_message(1)]) == ([], [])


def test_without_settling_messages_come_as_they_arrive_and_late_ones_are_flagged() -> None:
    """Never dropped."""
    inbox = Inbox()
    out = [*inbox.add(_message(2)), *inbox.add(_message(1)), *inbox.add(_message(3))]
    assert _keys(out) == ["m2", "m1", "m3"]
    assert [message.late for message in out] == [False, True, False]


def test_with_settling_a_burst_comes_out_sorted() -> None:
    """Each when its settling time is over, together with the earlier ones."""
    inbox = Inbox(settling=True)
    burst = [_message(number) for number in (3, 1, 2)]
    assert [inbox.add(message) for message in burst] == [[], [], []]
    assert _keys(inbox.settled(burst[0])) == ["m1", "m2", "m3"]
    assert inbox.settled(burst[1]) == []


def test_what_comes_after_settling_is_late_not_lost() -> None:
    """It comes out on its own turn, flagged."""
    inbox = Inbox(settling=True)
    first, straggler = _message(2), _message(1)
    inbox.add(first)
    inbox.settled(first)
    inbox.add(straggler)
    (out,) = inbox.settled(straggler)
    assert out.late


def test_a_gap_is_filled_in_order_before_live_messages_go_on() -> None:
    """What came live while history was read waits for it."""
    inbox = Inbox()
    inbox.add(_message(1))
    inbox.begin_gap()
    assert inbox.add(_message(4)) == []
    missed, out = inbox.end_gap([_message(number) for number in (3, 2, 1)])
    assert _keys(missed) == ["m2", "m3"]
    assert _keys(out) == ["m2", "m3", "m4"]
    assert not any(message.late for message in out)


def test_a_second_loss_keeps_what_was_waiting() -> None:
    """The link may break again while the gap is being filled."""
    inbox = Inbox()
    inbox.begin_gap()
    inbox.add(_message(2))
    inbox.begin_gap()
    assert _keys(inbox.end_gap([_message(1)])[1]) == ["m1", "m2"]


def test_a_message_without_a_key_or_a_time_is_never_dropped() -> None:
    """There is nothing to tell it by."""
    inbox = Inbox(settling=True)
    nameless = Message.from_body({"type": "Text", "text": "?"})
    assert inbox.add(nameless) == [nameless]
    assert inbox.add(nameless) == [nameless]


def test_the_end_drains_what_is_held() -> None:
    """In order, gap or settling."""
    inbox = Inbox(settling=True)
    inbox.add(_message(2))
    inbox.add(_message(1))
    assert _keys(inbox.drain()) == ["m1", "m2"]
    inbox = Inbox()
    inbox.begin_gap()
    inbox.add(_message(5))
    assert _keys(inbox.drain()) == ["m5"]


@given(
    order=st.permutations(range(30)),
    cut=st.integers(0, 29),
    settling=st.booleans(),
    again=st.lists(st.integers(0, 29)),
)
def test_every_message_comes_out_exactly_once(
    order: list[int], cut: int, settling: bool, again: list[int]
) -> None:
    """Whatever the order, the repeats, and the place of the gap."""
    inbox, out = Inbox(settling=settling), list[Message]()
    live, lost = order[:cut], order[cut:]
    for number in [*live, *(n for n in again if n in live)]:
        out += inbox.add(_message(number))
    inbox.begin_gap()
    for number in lost[: len(lost) // 2]:
        out += inbox.add(_message(number))
    out += inbox.end_gap([_message(number) for number in range(30)])[1]
    out += inbox.drain()
    assert sorted(_keys(out)) == sorted(f"m{number}" for number in range(30))


@pytest.mark.parametrize("seed", range(5))
def test_settled_output_is_sorted_when_disorder_stays_within_the_settling_time(seed: int) -> None:
    """A sliding window of disorder comes out straight."""
    numbers = list(range(200))
    random.Random(seed).shuffle(chunk := numbers[:5])
    arrivals = chunk + numbers[5:]
    inbox, out, waiting = Inbox(settling=True), list[Message](), list[Message]()
    for number in arrivals:
        message = _message(number)
        out += inbox.add(message)
        waiting.append(message)
        if len(waiting) > 8:
            out += inbox.settled(waiting.pop(0))
    out += inbox.drain()
    assert _keys(out) == [f"m{number}" for number in range(200)]
