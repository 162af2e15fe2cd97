"""Drills: each fault is made on real sockets, and the product's own diagnosis finds what the learner should."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from guestlab.drills import EXERCISES, begin
from guestlab.errors import InputError
from guestlab.handshake.rules import RULES
from guestlab.lab import Lab
from guestlab.regions import Region

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """One lab for all: drills leave nothing behind."""
    with Lab() as lab:
        yield lab


@pytest.mark.parametrize("name", EXERCISES)
def test_the_diagnosis_finds_what_the_learner_should(lab: Lab, name: str) -> None:
    """Its first finding is an answer that counts; and the drill shows the bytes but not the finding."""
    drill = begin(lab, name)
    exercise = EXERCISES[name]
    assert drill._exhibit.diagnosis.findings[0].rule in exercise.answers
    shown = "".join(drill._repr_mimebundle_().values())
    assert not any(rule.name in shown for rule in RULES)
    assert lab.sandbox is not None
    assert lab.sandbox.client_secret not in shown


def test_there_are_enough_of_them() -> None:
    """Ten at least, of known rules."""
    assert len(EXERCISES) >= 10
    known = {rule.name for rule in RULES}
    assert all(set(exercise.answers) <= known for exercise in EXERCISES.values())


def test_an_answer_is_checked_and_counted(lab: Lab) -> None:
    """Wrong, hinted, right; the result is what a trainer collects."""
    drill = lab.drill("nothing-in-any-log")
    assert not drill.check("limit.rate")
    assert "gateway" in drill.hint()
    assert drill.check("upgrade.deployment-missing")
    assert drill.solved
    (result,) = [row for row in lab.drill_results() if row["drill"] == drill.name]
    assert (result["solved"], result["answers"], result["hints"]) == (True, 2, 1)
    assert json.dumps(result)
    assert "✓ solved" in lab.drill().text


def test_a_seen_solution_does_not_count(lab: Lab) -> None:
    """The result says so."""
    drill = lab.drill("stranger")
    assert "deployment" in drill.solution().text
    drill.check("upgrade.deployment-unknown")
    assert (drill.result["solved"], drill.result["solution_seen"]) == (False, True)


def test_no_such_drill_and_no_such_rule(lab: Lab) -> None:
    """Both say what there is."""
    with pytest.raises(InputError, match="stranger"):
        lab.drill("no such")
    with pytest.raises(InputError, match=r"gl\.RULES"):
        lab.drill("stranger").check("no.such-rule")


def test_nothing_is_broken_elsewhere(lab: Lab) -> None:
    """Only the sandbox a lab owns."""
    with Lab(Region(lab.region.name)) as elsewhere, pytest.raises(InputError, match="sandbox only"):
        elsewhere.drill("stranger")
