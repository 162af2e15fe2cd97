"""The short form of the fuzzing: stored examples, then generated inputs from a fixed seed, per target."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.fuzzing.__main__ import main
from tests.fuzzing.mutations import search
from tests.fuzzing.target import DATA, EXAMPLES, Finding, found_by
from tests.fuzzing.targets import TARGETS

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLE = [(name, path) for name, target in TARGETS.items() for path in target.examples()]
FEW = {"long-paste": 15, "long-text": 15, "har": 30, "parquet": 30, "upgrade": 40}
"""Inputs of the slow ones; of the others a hundred."""


def _told(finding: Finding) -> str:
    return f"{finding.where}\n{finding.data!r}\n{finding.error}"


@pytest.mark.parametrize("name", TARGETS)
def test_what_a_reader_is_meant_for_finds_nothing(name: str) -> None:
    """The seeds, as they are."""
    target = TARGETS[name]
    assert [_told(one) for seed in target.seeds() if (one := found_by(target, seed))] == []


@pytest.mark.parametrize(("name", "path"), EXAMPLE, ids=[f"{name}-{path.name}" for name, path in EXAMPLE])
def test_an_input_that_was_a_finding_is_none_any_more(name: str, path: Path) -> None:
    """Each was found by a longer run and is mended."""
    finding = found_by(TARGETS[name], path.read_bytes())
    assert finding is None, _told(finding)


def test_every_stored_example_belongs_to_a_target() -> None:
    """So that a renamed target does not lose its examples."""
    assert {path.name for path in EXAMPLES.iterdir()} <= set(TARGETS)


@pytest.mark.parametrize("name", TARGETS)
def test_generated_inputs_find_nothing(name: str) -> None:
    """The same inputs in every run: a few seconds of what `python -m tests.fuzzing` does for an hour."""
    count, found = search(TARGETS[name], examples=FEW.get(name, 100), number=20_261_123)
    assert [_told(one) for one in found] == []
    assert count == FEW.get(name, 100)


def test_a_run_is_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was fed, from which seed, for how long, and what came of it."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)  # by Hypothesis, which is always there
    record = tmp_path / "record.json"
    assert main(["redirect", "--seconds", "1", "--seed", "7", "--record", str(record)]) == 0
    (row,) = json.loads(record.read_text(encoding="utf-8"))["targets"]
    assert row["target"] == "redirect"
    assert row["seed"] == 7
    assert row["findings"] == []
    assert row["inputs"] > 0


def test_the_recorded_hour_covers_every_target_and_left_nothing_open() -> None:
    """The record in the repository: an hour in all, no target forgotten, no finding unmended."""
    document = json.loads((DATA / "fuzzing.json").read_text(encoding="utf-8"))
    assert {row["target"] for row in document["targets"]} == set(TARGETS)
    assert document["seconds"] >= 3600
    assert [row for row in document["targets"] if row["findings"]] == []
