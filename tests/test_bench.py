"""The benchmarks' machinery, on tiny runs: what they count and how they judge, not how fast anything is."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import pytest

from guestlab.bench import Outcome, __main__, environment
from guestlab.bench.archives import archives, write_har_of
from guestlab.bench.connecting import connecting
from guestlab.bench.importing import importing
from guestlab.bench.pairs import Ratio, compare, interleaved, interval, ratio_of
from guestlab.bench.receiving import receiving
from guestlab.bench.tables import tables

if TYPE_CHECKING:
    from pathlib import Path


# -- arithmetic ----------------------------------------------------------------------------------------


def test_the_interval_is_students_around_the_geometric_mean() -> None:
    """Three ratios 1/2, 1, 2: mean 1, standard deviation ln 2, t = 4.303 with two degrees of freedom."""
    mean, low, high = interval([0.5, 1.0, 2.0])
    reach = 4.303 * math.log(2) / math.sqrt(3)
    assert mean == pytest.approx(1.0)
    assert low == pytest.approx(math.exp(-reach))
    assert high == pytest.approx(math.exp(reach))


@pytest.mark.parametrize(("count", "student"), [(5, 2.776), (15, 2.145), (31, 2.042), (200, 1.96)])
def test_the_quantile_follows_the_number_of_pairs(count: int, student: float) -> None:
    """Half of the ratios are e, half 1/e, one more is 1 where the number is odd."""
    logs = [1.0, -1.0] * (count // 2) + [0.0] * (count % 2)
    deviation = math.sqrt(sum(value**2 for value in logs) / (count - 1))
    _, _, high = interval([math.exp(value) for value in logs])
    assert math.log(high) == pytest.approx(student * deviation / math.sqrt(count))


def test_one_pair_proves_nothing() -> None:
    """Its interval is everything, so nothing is missed by it."""
    ratio = ratio_of([(300.0, 100.0)])
    assert ratio[:3] == (pytest.approx(3.0), 0.0, math.inf)
    assert ratio.keeps(0.001)
    assert "0 to inf" in ratio.times_faster


def test_equal_pairs_leave_no_doubt() -> None:
    """An interval of no width lies above the promise as a whole."""
    ratio = ratio_of([(3.0, 2.0)] * 5)
    assert (ratio.ratio, ratio.low, ratio.high) == (pytest.approx(1.5),) * 3
    assert (ratio.ours_median, ratio.theirs_median, ratio.pairs) == (3.0, 2.0, 5)
    assert ratio.keeps(1.51)
    assert not ratio.keeps(1.49)


def test_a_promise_is_missed_only_when_the_whole_interval_lies_above_it() -> None:
    """The mean may lie above it."""
    ratio = Ratio(1.2, 1.05, 1.4, 1.2, 1.0, 15)
    assert ratio.keeps(1.1)
    assert not ratio.keeps(1.0)


def test_a_ratio_says_how_many_times_faster() -> None:
    """The other way round, ends exchanged."""
    ratio = Ratio(0.1, 0.05, 0.2, 1.0, 10.0, 5)
    assert ratio.times_faster == "10 x faster (95 %: 5 to 20)"
    assert str(ratio) == "0.1 x (95 %: 0.05 to 0.2)"


def test_pairs_are_interleaved_in_alternating_order_after_one_that_does_not_count() -> None:
    """So that a machine that gets slower or faster does the same to both."""
    order: list[str] = []

    def ours() -> float:
        order.append("o")
        return 2.0

    def theirs() -> float:
        order.append("t")
        return 1.0

    assert compare(ours, theirs, pairs=3).ratio == pytest.approx(2.0)
    assert "".join(order) == "to" + "ot" + "to" + "ot"
    order.clear()
    assert interleaved(ours, theirs, pairs=2, warm_up=False) == [(2.0, 1.0)] * 2
    assert "".join(order) == "ot" + "to"


# -- outcomes ------------------------------------------------------------------------------------------


def test_an_outcome_of_rows_is_met_when_all_of_them_are() -> None:
    """And shows each, further in."""
    good = Outcome(name="one", promise="holds", met=True, facts={"pairs": 5})
    bad = Outcome(name="two", promise="does not", met=False)
    assert Outcome.of_rows("both", "all of it", [good]).met
    both = Outcome.of_rows("both", "all of it", [good, bad])
    assert not both.met
    assert str(both).splitlines() == [
        "MISSED  both: all of it",
        "    met  one: holds",
        "          pairs: 5",
        "    MISSED  two: does not",
    ]


def test_the_environment_says_what_is_installed_and_what_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """A figure without its machine says little."""
    assert set(environment()) >= {"python", "platform", "cores", "pandas", "pyarrow", "websockets"}
    monkeypatch.setattr("guestlab.bench._MEASURED_WITH", ("there-is-no-such-distribution",))
    assert environment()["there-is-no-such-distribution"] == "not installed"


@pytest.mark.parametrize("met", [True, False])
def test_the_exit_code_tells_whether_every_promise_is_met(
    met: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """0 or 1; with --json one object with the machine and every outcome; the shorter run with --quick."""
    row = Outcome(name="row", promise="p", met=met)
    full, quick = Outcome.of_rows("full", "p", [row]), Outcome.of_rows("quick", "p", [row], seed=3)
    monkeypatch.setitem(__main__.BENCHMARKS, "made-up", (lambda _: full, lambda seed: quick))
    assert __main__.main(["made-up", "--json"]) == (0 if met else 1)
    said = json.loads(capsys.readouterr().out)
    assert set(said) == {"date", "environment", "outcomes"}
    assert [outcome["name"] for outcome in said["outcomes"]] == ["full"]
    assert set(said["outcomes"][0]) == {"benchmark", "name", "promise", "met", "facts", "rows"}
    assert said["outcomes"][0]["benchmark"] == "made-up"
    assert said["outcomes"][0]["rows"][0]["met"] is met
    assert __main__.main(["made-up", "--quick"]) == (0 if met else 1)
    assert "quick: p" in capsys.readouterr().out


def test_a_name_that_is_none_is_refused_with_those_that_are(capsys: pytest.CaptureFixture[str]) -> None:
    """2, as for any wrong argument."""
    with pytest.raises(SystemExit) as refusal:
        __main__.main(["nothing"])
    assert refusal.value.code == 2
    said = capsys.readouterr().err
    assert [name for name in ("log", "socket", "import", "kill", "chaos", "matrix") if name not in said] == []


# -- tiny runs -----------------------------------------------------------------------------------------


def test_receiving_measures_both_ways() -> None:
    """A server in its own process, a session and a bare loop."""
    outcome = receiving(pairs=2, frames=40)
    assert outcome.facts["pairs"] == 2
    assert outcome.facts["frames"] == "40"
    assert " x (95 %:" in outcome.facts["ratio"]


@pytest.mark.parametrize("with_arrow", [True, False])
def test_tables_measure_time_memory_and_again(with_arrow: bool) -> None:
    """Three promises, and as many rows on both sides."""
    if with_arrow:
        pytest.importorskip("pyarrow")
    outcomes = tables(entries=500, pairs=1, with_arrow=with_arrow)
    assert [outcome.facts["pairs"] for outcome in outcomes] == [1, 1, 1]
    assert outcomes[0].facts["rows x columns"] == "500 x 40 against 500 x 10"
    how = "with pyarrow" if with_arrow else "without pyarrow"
    assert all(outcome.name.endswith(how) for outcome in outcomes)


def test_the_archive_is_read_whole(tmp_path: Path) -> None:
    """Its mix is what the benchmark says it is, and nothing of it is skipped."""
    import guestlab as gl

    path = tmp_path / "page.har"
    counts = write_har_of(path, 0.4)
    assert path.stat().st_size >= 400_000
    log = gl.read(path)
    assert not log.skipped
    kinds = log.table()["kind"].value_counts()
    assert kinds["frame"] == counts["messages"]
    assert kinds["request"] == kinds["response"] == counts["exchanges"]
    outcome = archives(megabytes=0.1, pairs=1)
    assert outcome.facts["pairs"] == 1
    assert "WebSocket messages" in outcome.facts["mix"]


def test_connecting_and_importing_measure_both_ways() -> None:
    """Two connections each; one process each."""
    assert connecting(pairs=1, times=2).facts["pairs"] == 1
    assert importing(pairs=1).facts["pairs"] == 1


def test_kill_counts_what_was_acknowledged() -> None:
    """One child, one judgement."""
    outcome = __main__.BENCHMARKS["kill"][0].__globals__["_kill"](1, 0)
    assert outcome.met
    assert outcome.facts["of these missing"] == 0
    assert outcome.facts["times killed"] == 1
