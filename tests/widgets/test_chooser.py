"""Which door: every combination of answers has one, with a reason; it is a table where there are no widgets."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from guestlab.widgets.chooser import DOORS, QUESTIONS, Chooser, choose

COMBINATIONS = list(itertools.product(*(question.answers for question in QUESTIONS)))


@pytest.mark.parametrize("answers", COMBINATIONS)
def test_every_combination_has_a_door_and_a_reason(answers: tuple[str, str, str]) -> None:
    """No answer leads nowhere."""
    door, why = choose(*answers)
    assert door in DOORS.values()
    assert why.endswith(".")


def test_the_doors_are_told_apart() -> None:
    """A guest on a device: the guest socket; an organisation that watches: a channel; a server with a webhook: neither."""
    assert choose("guest", "device", "socket")[0] is DOORS["guest socket"]
    assert choose("organisation", "server", "socket")[0] is DOORS["notification channel"]
    assert choose("guest", "server", "webhook")[0] is DOORS["Open Messaging"]
    assert {choose(*answers)[0].name for answers in COMBINATIONS} == {door.name for door in DOORS.values()}


def test_choosing_shows_the_answer(wire: Any) -> None:
    """Radio buttons, plain; the answer follows."""
    chooser = Chooser()
    assert chooser.widget is not None
    assert "Guest socket" in wire.shown(chooser)
    wire.named(chooser, QUESTIONS[1].text).value = "server"
    wire.named(chooser, QUESTIONS[2].text).value = "webhook"
    assert chooser.refresh.flush()
    assert chooser.door is DOORS["Open Messaging"]
    assert "lab.customer()" in wire.shown(chooser)
    assert "Open Messaging" in chooser.text()


def test_static_it_is_a_table_of_all_answers() -> None:
    """For GitHub and nbconvert."""
    html = Chooser().html()
    assert all(door.name in html for door in DOORS.values())
    assert html.count("<tr>") == 7


def test_an_unknown_answer_is_an_error() -> None:
    """Not a guess."""
    with pytest.raises(KeyError):
        choose("guest", "moon", "socket")
