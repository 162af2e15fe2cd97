"""The README's table of numbers: it is what was measured, and says what the benchmarks promise."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from guestlab.bench import Outcome, report
from guestlab.bench.__main__ import BENCHMARKS, main
from guestlab.bench.connecting import connecting
from guestlab.bench.importing import importing
from guestlab.bench.scale import scale

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[1]
PROMISED = {"log", "socket", "matrix", "scale", "widgets", "import", "chaos", "kill", "log-view"}
MACHINE = {
    "python": "3.11.7",
    "platform": "Linux",
    "cores": "2",
    "pandas": "3.1.1",
    "pyarrow": "not installed",
}


def _stored() -> dict[str, Any]:
    measured: dict[str, Any] = json.loads((ROOT / report.STORED).read_text(encoding="utf-8"))
    return measured


def _run(benchmark: str, *, met: bool = True, date: str = "2026-11-23", **facts: Any) -> dict[str, Any]:
    outcome = {
        "benchmark": benchmark,
        "name": benchmark,
        "promise": "p",
        "met": met,
        "facts": facts,
        "rows": [],
    }
    return {"date": date, "environment": MACHINE, "outcomes": [outcome]}


def test_the_readme_holds_what_was_measured() -> None:
    """No figure between the marks is written by hand: `python -m guestlab.bench.report` writes the block."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert report.with_block(readme, _stored()) == readme


def test_every_promised_benchmark_is_measured_or_said_to_be_missing() -> None:
    """The stored run names none that is gone; one it lacks is named above the table."""
    measured = {outcome["benchmark"] for outcome in _stored()["outcomes"]}
    assert measured <= set(BENCHMARKS)
    assert set(BENCHMARKS) >= PROMISED
    missing = report.block(_stored()).partition("Not among these runs:")[2].partition("\n")[0]
    assert {name for name in BENCHMARKS if f"`{name}`" in missing} == set(BENCHMARKS) - measured


@pytest.mark.parametrize(
    "tiny",
    [
        lambda: connecting(pairs=1, times=1),
        lambda: importing(pairs=1),
        lambda: scale(pairs=1, few=2, many=3).rows[0],
    ],
    ids=["socket", "import", "scale"],
)
def test_the_stored_promises_are_those_of_the_benchmarks(tiny: Callable[[], Outcome]) -> None:
    """A promise that changes has to be measured again."""
    outcome = tiny()
    stored = [leaf for found in _stored()["outcomes"] for leaf in report._leaves(found)]
    assert outcome.promise in {leaf["promise"] for leaf in stored if leaf["name"] == outcome.name}


def test_of_several_runs_the_last_counts_with_its_date_and_machine() -> None:
    """One benchmark may be measured again alone."""
    runs = [_run("a", date="2026-11-01"), _run("b", date="2026-11-01"), _run("a", met=False)]
    measured = report.merged(runs)
    assert [(o["benchmark"], o["date"], o["met"]) for o in measured["outcomes"]] == [
        ("a", "2026-11-23", False),
        ("b", "2026-11-01", True),
    ]
    assert report.merged([measured, _run("b")])["outcomes"][1]["date"] == "2026-11-23"
    assert measured["outcomes"][0]["environment"] == MACHINE


def test_a_row_says_what_was_promised_measured_and_whether_it_holds() -> None:
    """Rows of a benchmark of several stand one by one; nothing breaks the table."""
    run = _run("both")
    row = {"name": "one|two", "promise": "p", "met": False, "facts": {"ratio": "2 x", "pairs": 5}, "rows": []}
    run["outcomes"][0]["rows"] = [row]
    text = report.block(report.merged([run]))
    assert "| one/two | p | 2 x | 5 | **not met** |" in text
    assert "Measured 2026-11-23, on 2 cores, Linux, Python 3.11.7, pandas 3.1.1: `both`." in text


def test_the_report_stores_and_rewrites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is outside the marks stays."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tests/data").mkdir(parents=True)
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n", encoding="utf-8")
    run = tmp_path / "run.json"
    run.write_text(json.dumps(_run("kill", **{"of these missing": 0})), encoding="utf-8")
    report.main([str(run)])
    report.main([])
    text = readme.read_text(encoding="utf-8")
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    assert "| kill | p | of these missing: 0 |  | met |" in text


def test_a_readme_without_the_marks_is_refused() -> None:
    """Rather than left as it is."""
    with pytest.raises(ValueError, match="no block"):
        report.with_block("nothing", report.merged([]))


def test_a_benchmark_that_cannot_be_run_is_missed_and_the_others_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the reason in its facts, and the exit status of a promise that does not hold."""

    def fails(_: int) -> Outcome:
        raise OSError("no room")

    good = Outcome(name="good", promise="p", met=True)
    monkeypatch.setitem(BENCHMARKS, "made-up", (fails, fails))
    monkeypatch.setitem(BENCHMARKS, "another", (lambda _: good, lambda _: good))
    assert main(["made-up", "another"]) == 1
    said = capsys.readouterr().out
    assert "MISSED  made-up" in said
    assert "no room" in said
    assert "met  good" in said
