"""What a file without times leads to: missing values, an order, and never a figure made of the file's own time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import guestlab
from guestlab import analysis
from guestlab.log import Log
from guestlab.log.entry import UNTIMED
from tests.analysis.test_frames import FUNCTIONS, ordered, view

if TYPE_CHECKING:
    from pathlib import Path

S = 1_000_000_000


def _frame(key: str, second: int, text: str, direction: str) -> str:
    body = {"id": key, "type": "Text", "text": text, "direction": direction,
            "channel": {"time": f"2026-01-02T03:04:{second:02}.000Z", "messageId": key}}  # fmt: skip
    return "< " + json.dumps({"type": "message", "class": "StructuredMessage", "code": 200, "body": body})


@pytest.fixture
def console(tmp_path: Path) -> Log:
    """What wscat prints of eight messages sent; what came last was said first."""
    said = '> {"action":"onMessage","token":"aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee","message":{"type":"Text"}}'
    lines = [
        "Connected (press CTRL+C to quit)",
        *[said] * 8,
        _frame("k1", 5, "hello", "Inbound"),
        _frame("k2", 7, "yes?", "Outbound"),
        _frame("k2", 7, "yes?", "Outbound"),
        _frame("k3", 6, "one moment", "Outbound"),
    ]
    (tmp_path / "wscat.txt").write_text("\n".join(lines) + "\n", "utf-8")
    return guestlab.read(tmp_path / "wscat.txt")


def test_no_latency_and_no_skew_is_made_of_the_files_time(console: Log) -> None:
    """Nobody knows when the messages came."""
    for frame in (console.messages, console.table(), console.frames):
        assert len(analysis.delivery_latency(frame)) == 0
        assert len(analysis.clock_skew(frame)) == 0
        assert len(analysis.turns(frame, clock="here")) == 0
        assert analysis.turns(frame)["who"].tolist()[0] == "guest"  # the platform's clock is known
    latency = analysis.compare_logs(console.messages, console.messages)
    assert latency[["at_one", "latency_one_ms", "latency_difference_ms"]].isna().all(axis=None)
    assert not latency["reordered"].any()


def test_the_order_of_the_lines_is_that_of_arrival(console: Log) -> None:
    """How much was overtaken is known; how long one would have to wait is not."""
    late = analysis.late_messages(console.messages)
    assert late[["message_id", "overtaken_by", "behind_ms"]].to_numpy().tolist() == [["k3", 1, 1000.0]]
    assert late[["at", "settle_ms"]].isna().all(axis=None)
    found = analysis.disorder(console.messages).iloc[0]
    assert found["inversions"] == 1
    assert pd.isna(found["settle_ms"])


def test_copies_have_no_first_time(console: Log) -> None:
    """Nor anything between the two."""
    found = analysis.duplicates(console.frames)
    assert found["message_id"].tolist() == ["k2"]
    assert found[["first_at", "last_at", "apart_ms"]].isna().all(axis=None)
    assert analysis.live_versus_history(console.table())["live_at"].isna().all()


def test_eight_lines_at_once_are_no_burst(console: Log) -> None:
    """They stand in the file without times."""
    row = analysis.rates(console.frames).iloc[0]
    assert row[["sent", "untimed", "peak"]].tolist() == [8, 8, 0]
    assert pd.isna(row["over"])
    assert len(analysis.budget(console.table())) == 0


def test_the_summary_says_that_there_is_no_time(console: Log) -> None:
    """And counts no silence against what was recorded later."""
    console.record("frame", session="wscat", direction="sent", action="echo")
    found = console.summary().set_index("what")
    assert f"; {len(console) - 1} without a time" in found.loc["entries", "detail"]
    assert not any(found.index.str.startswith("silences"))
    only = guestlab.Log()
    only.record("note", at_ns=S, monotonic_ns=UNTIMED, note="x")
    assert only.summary().set_index("what").loc["entries", "detail"] == "1 without a time"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_dtypes_stay_and_dask_finds_the_same(name: str) -> None:
    """Where some rows have a time and some have none."""
    dd = pytest.importorskip("dask.dataframe")
    source, call, _ = FUNCTIONS[name]
    frame = view(analysis.sample(), source)
    mixed = frame.assign(monotonic_ns=frame["monotonic_ns"].where(frame["seq"] % 3 > 0, UNTIMED))
    for one in (mixed, frame.assign(monotonic_ns=UNTIMED)):
        found = call(one)
        assert (found.dtypes == call(frame).dtypes).all()
        import dask

        with dask.config.set(scheduler="synchronous"):
            lazy: Any = call(dd.from_pandas(one, npartitions=3)).compute()
        assert_frame_equal(ordered(lazy), ordered(found))


def test_a_row_without_a_time_stands_where_the_log_has_it() -> None:
    """Between its neighbours, not at the end."""
    log = Log()
    for place, second in enumerate((1, 2, 3)):
        mark = {"monotonic_ns": UNTIMED} if place == 1 else {}
        log.record("frame", at_ns=place * S, session="s", direction="received", message_id=f"k{second}",
                   message_time=second * S, message_direction="Outbound", message_type="Text", **mark)  # fmt: skip
    assert analysis.disorder(log.messages)["inversions"].tolist() == [0]
