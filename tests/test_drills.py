"""Drills: each fault is made on real sockets, and the product's own diagnosis finds what the learner should."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from guestlab.drill_scores import COLUMNS, Scores
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
    drill = begin(lab, name, Scores(EXERCISES))
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


def _row(lab: Lab, drill: str, **where: Any) -> dict[str, Any]:
    (row,) = (row for row in lab.drill_results(**where).to_dict("records") if row["drill"] == drill)
    return row


@pytest.fixture
def own_lab() -> Iterator[Lab]:
    """A lab in which nothing was begun yet."""
    with Lab() as lab:
        yield lab


def test_an_answer_is_checked_and_counted(lab: Lab) -> None:
    """Wrong, hinted, right; the result is what a trainer collects."""
    drill = lab.drill("nothing-in-any-log")
    assert not drill.check("limit.rate")
    assert "gateway" in drill.hint()
    assert drill.check("upgrade.deployment-missing")
    assert drill.solved
    result = _row(lab, drill.name)
    assert (result["solved"], result["answers"], result["hints"]) == (True, 2, 1)
    assert result["seconds"] >= 0
    assert "✓ solved" in lab.drill().text


def test_a_seen_solution_does_not_count(lab: Lab) -> None:
    """The result says so, and beginning anew does not wipe it; no hint was asked for."""
    drill = lab.drill("stranger")
    assert "deployment" in drill.solution().text
    assert "does not count" in drill.check("upgrade.deployment-unknown").text
    again = lab.drill("stranger")
    again.check("upgrade.deployment-unknown")
    assert not again.solved
    result = _row(lab, "stranger")
    assert (result["solved"], result["solution_seen"], result["hints"]) == (False, True, 0)
    assert (result["begun"], result["answers"]) == (2, 2)
    assert "◌ seen" in lab.drill().text
    assert "◌ seen" in again._repr_mimebundle_()["text/html"]


def test_what_is_solved_stays_solved(lab: Lab) -> None:
    """The solution may be read afterwards, and the drill be done again."""
    lab.drill("asleep").check("upgrade.deployment-unknown")
    again = lab.drill("asleep")
    again.solution()
    again.check("limit.rate")
    result = _row(lab, "asleep")
    assert (result["solved"], result["solution_seen"], result["answers"]) == (True, False, 2)


def test_hints_come_to_an_end(lab: Lab) -> None:
    """A third is none, says so and is not counted; beginning anew does not begin with the first again."""
    drill = lab.drill("too-fast")
    first, second = drill.hint(), lab.drill("too-fast").hint()
    assert first != second
    assert drill.hint().startswith("No more hints.")
    assert _row(lab, "too-fast")["hints"] == 2


def test_the_results_name_the_learner_and_what_was_not_touched(own_lab: Lab) -> None:
    """A row per drill, in order."""
    own_lab.drill("stranger")
    results = own_lab.drill_results(learner="Anna")
    assert list(results.columns) == list(COLUMNS)
    assert list(results["drill"]) == list(EXERCISES)
    assert set(results["learner"]) == {"Anna"}
    assert results["begun"].sum() == 1


def test_the_results_survive_the_kernel_in_a_file(tmp_path: Path) -> None:
    """A new lab goes on counting from the file, once however often it is written."""
    file = tmp_path / "anna.json"
    with Lab() as before:
        before.drill("stranger").check("limit.rate")
        before.drill("asleep").solution()
        before.drill_results(learner="Anna", to=file)
    with Lab() as after:
        after.drill("stranger").check("upgrade.deployment-unknown")
        after.drill("asleep").check("upgrade.deployment-unknown")
        for _ in range(2):
            result = _row(after, "stranger", learner="Anna", to=file)
            assert (result["begun"], result["answers"], result["solved"]) == (2, 2, True)
        seen = _row(after, "asleep")
        assert (seen["solved"], seen["solution_seen"]) == (False, True)
        assert "◌ seen" in after.drill().text


def test_a_file_of_something_else_or_of_somebody_else_stays_as_it_is(own_lab: Lab, tmp_path: Path) -> None:
    """Refused, in words."""
    diary, bertas = tmp_path / "diary.json", tmp_path / "berta.json"
    diary.write_text('{"dear": "diary"}', encoding="utf-8")
    with Lab() as another:
        another.drill_results(learner="Berta", to=bertas)
    kept = [file.read_text(encoding="utf-8") for file in (diary, bertas)]
    with pytest.raises(InputError, match="no file of drill results"):
        own_lab.drill_results(learner="Anna", to=diary)
    with pytest.raises(InputError, match="Berta"):
        own_lab.drill_results(learner="Anna", to=bertas)
    with pytest.raises(InputError, match="cannot be written"):
        own_lab.drill_results(learner="Anna", to=tmp_path / "no such folder" / "anna.json")
    assert [file.read_text(encoding="utf-8") for file in (diary, bertas)] == kept


@pytest.mark.parametrize("text", ["README.md", "notebooks/07_drills.ipynb"])
def test_a_trainer_puts_them_together_as_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """The line of README and notebook 7, run where the files are."""
    for name in ("anna", "berta", "carl"):
        Scores(EXERCISES).table(name.title(), tmp_path / f"{name}.json")
    written = (Path(__file__).parent.parent / text).read_text(encoding="utf-8").replace('\\"', '"')
    (line,) = re.findall(r'pd\.concat\(.*\("\*\.json"\)\)', written)
    monkeypatch.chdir(tmp_path)
    everybody = eval(line, {"pd": pd, "Path": Path})
    assert set(everybody["learner"]) == {"Anna", "Berta", "Carl"}
    assert len(everybody) == 3 * len(EXERCISES)


def test_the_rules_show_themselves_in_words() -> None:
    """A line per rule, without a place left to fill in."""
    bundle = RULES._repr_mimebundle_()  # type: ignore[attr-defined]  # what a notebook calls
    assert all(rule.name in bundle["text/html"] and rule.words in bundle["text/plain"] for rule in RULES)
    assert "{" not in bundle["text/plain"]
    assert "The host name was not resolved, so nothing was sent." in bundle["text/html"]


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
