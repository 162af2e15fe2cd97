"""The table: fixed dtypes, nothing lost, cheap to ask for again, and the caller's own."""

from __future__ import annotations

import subprocess
import sys

import pandas as pd
import pytest

from guestlab.log import COLUMNS, Entry, Log
from guestlab.log.store import CHUNK
from guestlab.log.views import (
    ATTEMPTS_COLUMNS,
    FRAMES_COLUMNS,
    HTTP_COLUMNS,
    MESSAGES_COLUMNS,
    SESSIONS_COLUMNS,
)

VIEWS = {
    "http": HTTP_COLUMNS,
    "frames": FRAMES_COLUMNS,
    "messages": MESSAGES_COLUMNS,
    "attempts": ATTEMPTS_COLUMNS,
    "sessions": SESSIONS_COLUMNS,
}


def frames_of(log: Log) -> dict[str, pd.DataFrame]:
    """The table and every view, by name."""
    return {"table": log.table(), **{name: getattr(log, name) for name in VIEWS}}


def filled(log: Log, count: int = 1) -> Log:
    """Record entries that between them fill every column."""
    for number in range(count):
        question = log.record(
            "request",
            stage="token",
            lane="http",
            direction="sent",
            method="GET",
            url="https://x/",
            raw="GET / HTTP/1.1\r\n\r\n",
        )
        log.record(
            "response", exchange=question.seq, http_status=200, correlation_id="c", stage="token", lane="http"
        )
        log.record("step", step="dns", ok=True, attempt=1, stage="handshake")
        log.record(
            "attempt", attempt=number, credential="guest", placement="first_frame", rule=("a", "b"), ok=False
        )
        log.record(
            "frame", direction="received", lane="frame", session="s", class_name="StructuredMessage",
            action="onMessage", frame_code=200, message_id=f"m{number}", tracing_id="t", conversation_id="v",
            guest_token="8b6c1d1e-0000-4000-8000-000000000001", message_direction="Outbound",
            message_type="Text", message_time=number, originating_entity="Bot", content_types="Card",
            event_types="Typing", text=f"Žluť {number}", late=False, latency_ms=1.5, raw="{}",
        )  # fmt: skip
        log.record("close", close_code=1001, lane="close", session="s", note="gone")
    return log


# -- dtypes -----------------------------------------------------------------------------------------------


def test_the_table_has_the_columns_and_dtypes_of_the_schema() -> None:
    """In order, every one."""
    table = filled(Log()).table()
    assert list(table) == [column.name for column in COLUMNS]
    for column in COLUMNS:
        assert str(table[column.name].dtype) == column.dtype, column.name
        if column.categories:
            assert list(table[column.name].cat.categories) == list(column.categories)
    assert isinstance(table.index, pd.RangeIndex)


@pytest.mark.parametrize("name", VIEWS)
def test_every_view_has_the_columns_and_dtypes_it_documents(name: str) -> None:
    """In order, every one."""
    view = frames_of(filled(Log()))[name]
    assert len(view) > 0
    assert {column: str(dtype) for column, dtype in view.dtypes.items()} == {
        column.name: column.dtype for column in VIEWS[name]
    }


@pytest.mark.parametrize("name", ["table", *VIEWS])
def test_dtypes_are_the_same_empty_and_full(name: str) -> None:
    """So that frames of any two logs can be put together."""
    empty, full = frames_of(Log())[name], frames_of(filled(Log(), CHUNK // 5))[name]
    assert len(empty) == 0 < len(full)
    pd.testing.assert_series_equal(empty.dtypes, full.dtypes)
    both = pd.concat([empty, full], ignore_index=True)
    pd.testing.assert_series_equal(both.dtypes, full.dtypes)


@pytest.mark.parametrize("kind", ["request", "response", "frame", "close", "attempt", "note", "history"])
def test_dtypes_hold_when_a_log_has_one_kind_of_entry_only(kind: str) -> None:
    """Views with no row, or with rows that miss everything."""
    log = Log()
    log.record(kind)
    for name, frame in frames_of(log).items():
        pd.testing.assert_series_equal(frame.dtypes, frames_of(Log())[name].dtypes)


def test_times_are_utc_aware_nanoseconds() -> None:
    """To the last digit."""
    log = Log()
    log.record("frame", at_ns=1_790_856_000_123_456_789, message_time="2026-10-01T12:00:00.123Z")
    row = log.table().iloc[0]
    assert row["at"].isoformat() == "2026-10-01T12:00:00.123456789+00:00"
    assert row["message_time"] == pd.Timestamp("2026-10-01T12:00:00.123Z")


# -- values -----------------------------------------------------------------------------------------------


def plain(value: object) -> object:
    """A cell as the entry has it."""
    if pd.isna(value):
        return None
    return value.value if isinstance(value, pd.Timestamp) else value


@pytest.mark.parametrize("count", [1, CHUNK // 6 + 1, CHUNK // 2])
def test_every_cell_is_the_attribute_of_its_entry(count: int) -> None:
    """Before, across and after the seam of sealed chunks."""
    log = filled(Log(), count)
    for entry, row in zip(log.entries, log.table().itertuples(index=False), strict=True):
        assert Entry._make(map(plain, row)) == entry


def test_the_table_follows_the_log_at_any_pace() -> None:
    """Asked after one entry, after many, across chunks and after growing: always the whole log."""
    log = Log()
    for step in (1, 1, 2, 5, 100, CHUNK - 3, 1, 3 * CHUNK, 7, 2 * CHUNK):
        for _ in range(step):
            log.record(
                "frame",
                text=f"ž{len(log)}",
                frame_code=len(log),
                ok=len(log) % 2 == 0,
                lane="frame",
                message_time=len(log),
            )
        table = log.table()
        assert table["seq"].tolist() == list(range(1, len(log) + 1))
        assert table["frame_code"].tolist() == list(range(len(log)))
        assert table["text"].tolist() == [f"ž{n}" for n in range(len(log))]
        assert table["message_time"].astype("int64").tolist() == list(range(len(log)))
        assert table["lane"].eq("frame").all()
        assert table["ok"].tolist() == [n % 2 == 0 for n in range(len(log))]


def test_an_older_table_does_not_change_when_the_log_grows() -> None:
    """It is a picture of its moment."""
    log = filled(Log(), 3)
    before = log.table()
    copy = before.copy(deep=True)
    filled(log, 3)
    log.table()
    pd.testing.assert_frame_equal(before, copy)


@pytest.mark.parametrize("name", ["table", *VIEWS])
def test_changing_a_frame_changes_no_other(name: str) -> None:
    """Cells, columns, rows and the index are the caller's own."""
    log = filled(Log(), 3)
    untouched = frames_of(log)[name].copy(deep=True)
    for column in untouched:
        mine = frames_of(log)[name]
        mine.loc[0, column] = mine.loc[len(mine) - 1, column]
        mine.iloc[0:1, mine.columns.get_loc(column)] = None if column not in {"seq", "monotonic_ns"} else 7
    mine = frames_of(log)[name]
    mine["new"] = 1
    mine.pop(mine.columns[-2])
    mine.insert(0, "first", 0)
    mine.index.name = "mine"
    pd.testing.assert_frame_equal(frames_of(log)[name], untouched)


def test_ordinary_pandas_works_on_a_table() -> None:
    """Group, pivot, merge, fill, resample, query, pickle: nothing trips over how the memory is held."""
    table = filled(Log(), 20).table()
    assert table.groupby("kind", observed=True)["seq"].count().to_dict()["frame"] == 20
    assert table.merge(table[["seq", "kind"]], left_on="exchange", right_on="seq").shape[0] == 20
    assert table["latency_ms"].fillna(0).sum() >= 30
    assert table.set_index("at").resample("1h")["seq"].count().sum() == 120
    assert len(table.query("kind == 'frame' and frame_code == 200")) == 20
    assert len(table.pivot_table(index="kind", values="seq", aggfunc="count", observed=True)) == 6
    assert pd.concat([table, table]).drop_duplicates("seq").shape == table.shape
    assert table["text"].str.upper().dropna().iloc[0] == "ŽLUŤ 0"
    assert len(table.to_json(orient="records", date_format="iso")) > 1000


def test_importing_the_log_imports_neither_pandas_nor_numpy() -> None:
    """And recording needs neither: only a table does."""
    code = (
        "import sys; from guestlab.log import Log; import guestlab.log.table, guestlab.log.views\n"
        "log = Log(); [log.record('note', note=str(i)) for i in range(5000)]; log.entries[3]\n"
        "assert not {'pandas', 'numpy', 'pyarrow', 'asyncio', 'socket'} & set(sys.modules), set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
