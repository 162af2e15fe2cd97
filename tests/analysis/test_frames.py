"""What all functions share: schemas, dtypes, errors, and the same on Dask."""

from __future__ import annotations

import doctest
import importlib
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from guestlab import analysis
from guestlab.errors import InputError
from guestlab.log import Log
from guestlab.log.table import typed

if TYPE_CHECKING:
    from collections.abc import Callable

# name → the view it takes, how it is called, its schema
FUNCTIONS: dict[str, tuple[str, Callable[[Any], Any], Any]] = {
    "turns": ("messages", analysis.turns, analysis.TURNS_COLUMNS),
    "response_times": ("messages", analysis.response_times, analysis.RESPONSE_TIMES_COLUMNS),
    "silences": ("messages", lambda f: analysis.silences(f, longer_than=5), analysis.SILENCES_COLUMNS),
    "delivery_latency": ("messages", analysis.delivery_latency, analysis.DELIVERY_LATENCY_COLUMNS),
    "clock_skew": ("messages", analysis.clock_skew, analysis.CLOCK_SKEW_COLUMNS),
    "disorder": ("messages", analysis.disorder, analysis.DISORDER_COLUMNS),
    "late_messages": ("messages", analysis.late_messages, analysis.LATE_MESSAGES_COLUMNS),
    "duplicates": ("frames", analysis.duplicates, analysis.DUPLICATES_COLUMNS),
    "live_versus_history": ("table", analysis.live_versus_history, analysis.LIVE_VERSUS_HISTORY_COLUMNS),
    "rates": ("frames", analysis.rates, analysis.RATES_COLUMNS),
    "budget": ("frames", analysis.budget, analysis.BUDGET_COLUMNS),
    "compare_logs": ("messages", lambda f: analysis.compare_logs(f, f), analysis.COMPARED_LOGS_COLUMNS),
}
MODULES = [
    "budgets",
    "comparing",
    "copies",
    "gauges",
    "latency",
    "order",
    "plot",
    "plots",
    "sample",
    "sequences",
    "timing",
]


@pytest.fixture(autouse=True)
def no_threads() -> Any:
    """Dask computes in this thread: quicker for little, and the same."""
    try:
        import dask
    except ImportError:
        yield
    else:
        with dask.config.set(scheduler="synchronous"):
            yield


def view(log: Log, name: str) -> pd.DataFrame:
    """A view of a log by its name."""
    return log.table() if name == "table" else getattr(log, name)


def ordered(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows in one order, whatever pieces they came in; those of one session keep theirs."""
    by = "message_id" if "found" in frame else "session"
    return frame.sort_values(by, kind="stable").reset_index(drop=True)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_dtypes_are_the_schemas_empty_or_full(name: str) -> None:
    """Columns in order; no rows in, none out."""
    source, call, columns = FUNCTIONS[name]
    full = call(view(analysis.sample(), source))
    empty = call(view(Log(), source))
    assert len(full) > 0
    assert len(empty) == 0
    assert list(full.columns) == list(empty.columns) == [column.name for column in columns]
    assert_frame_equal(full, typed(full, columns))
    assert (full.dtypes == empty.dtypes).all()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_missing_column_is_named_with_its_source(name: str) -> None:
    """And so is something that is no DataFrame at all."""
    source, call, _ = FUNCTIONS[name]
    with pytest.raises(InputError, match=rf"{name}\(\) lacks the column at\b") as refused:
        call(view(analysis.sample(), source).drop(columns="at"))
    assert "log." in refused.value.next_step
    with pytest.raises(InputError, match="takes a DataFrame, not Log"):
        call(analysis.sample())


def test_a_column_of_another_kind_is_refused() -> None:
    """Text where a time belongs."""
    messages = analysis.sample().messages.astype({"at": object}).assign(at="soon")
    with pytest.raises(InputError, match="The column at holds what datetime64"):
        analysis.turns(messages)


def test_times_without_a_zone_are_refused_with_the_way_to_give_them_one() -> None:
    """Whose clock they are by is not guessed."""
    messages = analysis.sample().messages
    with pytest.raises(InputError, match="column at name no time zone") as refused:
        analysis.turns(messages.assign(at=messages["at"].dt.tz_localize(None)))
    assert 'frame["at"].dt.tz_localize("UTC")' in refused.value.next_step


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_column_that_stands_twice_is_refused(name: str) -> None:
    """As after a concat in the wrong direction."""
    source, call, _ = FUNCTIONS[name]
    frame = view(analysis.sample(), source)
    with pytest.raises(InputError, match="twice"):
        call(pd.concat([frame, frame], axis=1))


def test_a_column_is_missed_by_the_name_it_has_in_its_view() -> None:
    """What lacks its time is still `log.messages`, not a table that lacks four columns."""
    with pytest.raises(InputError, match=r"response_times\(\) lacks the column time\."):
        analysis.response_times(analysis.sample().messages.drop(columns="time"))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_frame_that_went_through_csv_is_as_good(name: str, tmp_path: Any) -> None:
    """Its dtypes are others; its words are not."""
    source, call, _ = FUNCTIONS[name]
    frame = view(analysis.sample(), source)
    frame.to_csv(tmp_path / "log.csv", index=False)
    assert_frame_equal(call(pd.read_csv(tmp_path / "log.csv")), call(frame))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_frame_passed_is_left_alone(name: str) -> None:
    """It is its owner's."""
    source, call, _ = FUNCTIONS[name]
    frame = view(analysis.sample(), source)
    before = frame.copy(deep=True)
    call(frame)
    assert_frame_equal(frame, before)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_dask_finds_what_pandas_finds(name: str, make_world: Any) -> None:
    """The same rows and dtypes, from pieces cut anywhere; the plan says the dtypes beforehand."""
    dd = pytest.importorskip("dask.dataframe")
    source, call, _ = FUNCTIONS[name]
    frame = view(make_world(4, sessions=5, messages=25).log, source)
    lazy = call(dd.from_pandas(frame, npartitions=4))
    expected = call(frame)
    assert type(lazy).__module__.startswith("dask")
    assert (lazy._meta.dtypes == expected.dtypes).all()
    assert_frame_equal(ordered(lazy.compute()), ordered(expected))


def test_dask_counts_connections_of_all_sessions_together() -> None:
    """And reads upgrades out of a table."""
    dd = pytest.importorskip("dask.dataframe")
    table = pd.concat(
        [analysis.sample().table().assign(session=f"s{n}") for n in range(4)], ignore_index=True
    )
    expected, lazy = analysis.rates(table), analysis.rates(dd.from_pandas(table, npartitions=3))
    found = lazy.compute()
    assert_frame_equal(ordered(found), ordered(expected))
    assert found.loc[found["budget"] == "connections.rate.per.minute", "sent"].tolist() == [4]


def test_a_dataset_divided_by_session_is_not_shuffled() -> None:
    """Sorted once when it was written, it is analysed where it lies."""
    dd = pytest.importorskip("dask.dataframe")
    messages = pd.concat([analysis.sample().messages.assign(session=f"s{n}") for n in range(4)])
    divided = dd.from_pandas(messages.set_index("session"), npartitions=2)
    assert divided.known_divisions
    found = analysis.turns(divided)
    assert "shuffle" not in str(found.expr).lower()
    assert_frame_equal(ordered(found.compute()), ordered(analysis.turns(messages)))


def test_an_empty_dask_frame_gives_an_empty_one() -> None:
    """With the dtypes of a full one."""
    dd = pytest.importorskip("dask.dataframe")
    found = analysis.turns(dd.from_pandas(Log().messages, npartitions=1)).compute()
    assert_frame_equal(found, analysis.turns(Log().messages))


def test_analysing_pandas_needs_neither_dask_nor_matplotlib() -> None:
    """They are not even imported."""
    code = (
        "import sys; sys.modules['dask'] = sys.modules['matplotlib'] = None\n"
        "from guestlab import analysis as a\n"
        "log = a.sample()\n"
        "a.turns(log.messages), a.rates(log.table()), a.compare_logs(log.messages, log.messages)\n"
        "try:\n    a.plot_timeline(log.messages)\n"
        "except a.plot.InputError as error:\n    print(error)\n"
        "assert not any(name.startswith(('dask.', 'matplotlib.')) for name in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert "pip install 'guestlab[plot]'" in done.stdout


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_of_a_module_run(module: str) -> None:
    """And print what they say."""
    results = doctest.testmod(importlib.import_module(f"guestlab.analysis.{module}"))
    assert results.attempted > 0
    assert results.failed == 0


def test_every_function_and_schema_is_exported() -> None:
    """And nothing else."""
    names = set(analysis.__all__)
    assert {
        *FUNCTIONS,
        *(f"plot_{n}" for n in ("attempt", "budget", "latency", "response_times", "session", "timeline")),
    } <= names
    assert all(hasattr(analysis, name) for name in names)
    schemas = {name for name in dir(analysis) if name.endswith("_COLUMNS")}
    assert schemas <= names
    for name in schemas:
        for column in getattr(analysis, name):
            assert re.search(r"[.…]$", column.meaning), f"{name}: {column.name}"
