"""Rates and budgets, against windows counted one by one."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest

from guestlab import analysis
from guestlab.errors import InputError
from guestlab.limits import PUBLISHED, Limits
from guestlab.log import Log
from guestlab.log.entry import UNTIMED
from guestlab.protocol.pacing import BUDGETS, OFF_SOCKET, Pacer

S = 1_000_000_000
ON_SOCKET = [row for row in BUDGETS if row.actions is None or not row.actions <= OFF_SOCKET]


def counts(row: Any, action: str, *, typing: bool) -> bool:
    """Whether something sent counts against a budget."""
    return row.actions is None or action in row.actions or (typing and "typing" in row.actions)


def sent(world: Any, session: str, row: Any, connection: int | None) -> list[int]:
    """When what counts was sent."""
    return [
        at
        for name, number, action, at, typing in world.sends
        if name == session and connection in {None, number} and counts(row, action, typing=typing)
    ]


def test_peaks_are_the_most_in_any_window(world: Any) -> None:
    """Of each budget, per session or per connection, with the refusals of what counts."""
    expected = {}
    for session in world.sessions:
        for row in ON_SOCKET:
            seconds = row.seconds(PUBLISHED)
            connections = sorted({n for name, n, *_ in world.sends if name == session})
            for connection in connections if row.per_connection else [None]:
                times = sent(world, session, row, connection)
                windows = [sum(at - seconds * S < t <= at for t in times) for at in times]
                refused = sum(
                    name == session and connection in {None, number}
                    and counts(row, "onMessage" if action == "typing" else action, typing=action == "typing")
                    for name, number, action in world.refusals
                )  # fmt: skip
                peak = max(windows, default=0)
                expected[session, row.name, connection] = (
                    len(times),
                    peak,
                    peak > row.count(PUBLISHED),
                    refused,
                )
    found = analysis.rates(world.log.frames)
    assert {
        (r.session, r.budget, None if pd.isna(r.connection) else r.connection): (
            r.sent,
            r.peak,
            r.over,
            r.refused,
        )
        for r in found.itertuples()
    } == expected


def test_what_is_left_is_counted_at_the_moment(world: Any) -> None:
    """In the window that ends then; the wait is until the oldest leaves it."""
    session = world.sessions[0]
    moments = [at for name, _, _, at, _ in world.sends if name == session]
    moment = moments[len(moments) // 2]
    found = analysis.budget(world.log.frames, pd.Timestamp(moment, tz="UTC").isoformat())
    for row in found[found["session"] == session].itertuples():
        budget = next(one for one in BUDGETS if one.name == row.budget)
        connection = None if pd.isna(row.connection) else row.connection
        window = int(budget.seconds(PUBLISHED) * S)
        times = [t for t in sent(world, session, budget, connection) if moment - window < t <= moment]
        assert row.used == len(times)
        assert row.left == max(0, row.limit - len(times))
        if len(times) >= row.limit:
            assert row.free_in_s >= (times[-row.limit] + window - moment) / S - 1e-9


def test_the_gauges_agree_with_the_pacer() -> None:
    """The same budgets, the same windows; the pacer adds its slack."""
    limits = Limits(messages_per_second_per_session=2)
    log, pacer = Log(), Pacer(limits)
    start = 1_790_000_000 * S
    for place in range(2):
        log.record("frame", at_ns=start + place * S // 10, session="s", direction="sent", action="onMessage")
        pacer.sent("onMessage", place / 10)
    row = analysis.budget(log.frames, limits=limits).iloc[0]
    assert row["left"] == 0
    assert row["free_in_s"] == pytest.approx(pacer.delay("onMessage", 0.1) - 0.05)


def test_a_retry_after_that_still_runs_is_a_forced_wait() -> None:
    """Of every frame, and of no budget where all windows are free; nonsense counts as one second."""
    for said, wait in ((7, 6.0), ("x", 0.0), (-1, 0.0), (1e300, 0.0)):
        log = Log()
        log.record("frame", at_ns=0, session="s", direction="sent", action="onMessage", tracing_id="t")
        raw = json.dumps({"body": {"retryAfter": said}})
        log.record(
            "frame", at_ns=S, session="s", direction="received", frame_code=429, tracing_id="t", raw=raw
        )
        log.record("frame", at_ns=2 * S, session="s", direction="received", frame_code=200)
        found = analysis.budget(log.frames)
        assert found["forced_s"].tolist() == pytest.approx([wait] * len(found))
        assert (found["free_in_s"] == 0).all()
        assert (found["left"] > 0).all()


def test_a_retry_after_belongs_to_the_budget_that_was_exceeded() -> None:
    """More than sixty frames in a minute: ten seconds later messages are free, frames are not."""
    log = Log()
    for number in range(61):
        at = number * 140_000_000  # seven or eight a second
        log.record(
            "frame", at_ns=at, session="s", direction="sent", action="onMessage", tracing_id=str(number)
        )
    raw = json.dumps({"body": {"retryAfter": 53}})
    refused = log.record(
        "frame",
        at_ns=at + S // 100,
        session="s",
        direction="received",
        frame_code=429,
        tracing_id="60",
        raw=raw,
    ).at
    later = pd.Timestamp(refused + 10 * S, tz="UTC")
    found = analysis.budget(log.frames, later).set_index("budget")
    messages = found.loc["messages.per.session.rate.per.second"]
    frames = found.loc["requests.per.connection.rate.per.minute"]
    assert messages[["left", "free_in_s"]].tolist() == [5, 0.0]
    assert frames["left"] == 0
    assert frames["free_in_s"] == pytest.approx(43.0)
    assert found["forced_s"].tolist() == pytest.approx([43.0] * 5)
    assert ((found["left"] == 0) == (found["free_in_s"] > 0)).all()
    # The same on a new connection: the wait was the old one's.
    log.record("close", at_ns=refused + S, session="s", close_code=1006)
    log.record("frame", at_ns=refused + 2 * S, session="s", direction="sent", action="configureSession")
    found = analysis.budget(log.frames, later)
    assert (found["forced_s"] == 0).all()
    assert found.set_index("budget").loc["requests.per.connection.rate.per.minute", "left"] == 59


@pytest.mark.parametrize("dask", [False, True])
def test_frames_without_a_time_are_in_no_window(*, dask: bool) -> None:
    """They are counted, and nothing is said to be exceeded or not; what is exceeded by the others stays so."""
    log = Log()
    for session, timed, untimed in (("none", 0, 8), ("some", 2, 1), ("over", 7, 1)):
        for place in range(timed + untimed):
            mark = {} if place < timed else {"monotonic_ns": UNTIMED}
            log.record("frame", at_ns=9 * S, session=session, direction="sent", action="onMessage", **mark)
    frames: Any = log.frames
    if dask:
        frames = pytest.importorskip("dask.dataframe").from_pandas(frames, npartitions=3)
    rates, left = analysis.rates(frames), analysis.budget(frames)
    rates, left = (found.compute() if dask else found for found in (rates, left))
    found = rates[rates["budget"] == "messages.per.session.rate.per.second"].set_index("session")
    assert found["sent"].to_dict() == {"none": 8, "some": 3, "over": 8}
    assert found["untimed"].to_dict() == {"none": 8, "some": 1, "over": 1}
    assert found["peak"].to_dict() == {"none": 0, "some": 2, "over": 7}
    assert found["share"].isna().all()
    assert found["over"].isna().to_dict() == {"none": True, "some": True, "over": False}
    assert found.loc["over", "over"]
    assert pd.isna(found.loc["none", "peak_at"])
    assert set(left["session"]) == {"some", "over"}
    everything = log.frames[log.frames["session"] == "none"]
    assert len(analysis.budget(everything)) == 0
    assert (analysis.budget(everything).dtypes == left.dtypes).all()


def test_upgrades_and_history_are_counted_from_the_table() -> None:
    """By deployment, and by session where it is known; with their 429s."""
    log = Log()
    url = "wss://webmessaging.mypurecloud.de/v1?deploymentId={}"
    for place in range(4):
        where = url.format("d1" if place else "d2")
        request = log.record("request", at_ns=place * S, url=where, step="upgrade")
        status = 429 if place == 3 else 101
        log.record(
            "response", at_ns=place * S, url=where, step="upgrade", exchange=request.seq, http_status=status
        )
    for place in range(3):
        page = "https://api.mypurecloud.de/api/v2/webmessaging/messages?pageNumber=1"
        log.record("request", at_ns=place * 40 * S, url=page)
        log.record("response", at_ns=place * 40 * S, url=page, http_status=429 if place else 200)
    found = analysis.rates(log.table())
    connections = found[found["budget"] == "connections.rate.per.minute"].set_index("deployment")
    assert connections[["sent", "peak", "refused"]].T.to_dict("list") == {"d1": [3, 3, 1], "d2": [1, 1, 0]}
    history = found[found["budget"] == "get.history.rate.per.minute"].iloc[0]
    assert history[["sent", "peak", "refused"]].tolist() == [3, 2, 2]
    left = analysis.budget(log.table(), "1970-01-01T00:00:03Z").set_index("deployment")
    assert left.loc["d1", "used"] == 3


@pytest.mark.parametrize("moment", ["yesterday-ish", "", object(), "NaT", 5, 5.0, True])
def test_a_moment_that_is_none_is_refused(moment: Any) -> None:
    """With how to write one."""
    with pytest.raises(InputError, match="is no moment"):
        analysis.budget(analysis.sample().frames, moment)


@pytest.mark.parametrize("dask", [False, True])
def test_attempts_of_different_runs_are_not_added_up(tmp_path: Any, *, dask: bool) -> None:
    """Each run counts its attempts from 1, and its log names no session there."""
    for run in (1, 2):
        log = Log()
        for at in range(2):
            moment = (1000 * run + at) * 10**9
            log.record("frame", at_ns=moment, monotonic_ns=moment, direction="sent", attempt=1,
                       action="configureSession")  # fmt: skip
        archive = log.to_parquet(tmp_path / "archive")
    table: Any = pd.read_parquet(archive)
    if dask:
        table = pytest.importorskip("dask.dataframe").from_pandas(table, npartitions=2)
    found: Any = analysis.rates(table)
    found = found.compute() if dask else found
    configured = found[found["budget"] == "configure.per.session.rate.per.minute"]
    assert configured["sent"].tolist() == [2, 2]
    assert configured["source_file"].nunique() == 2


def test_a_session_is_one_in_however_many_files() -> None:
    """What names its session needs no file."""
    log = Log()
    for source in ("a.har", "b.har"):
        log.record("frame", session="s", direction="sent", action="echo", source_file=source)
    assert analysis.rates(log.table())["sent"].max() == 2


def test_after_a_close_there_is_no_next_connection_yet() -> None:
    """Its budgets stand for the connection that was."""
    log = Log()
    log.record("frame", session="s", at_ns=10**18, monotonic_ns=1, direction="sent", action="echo")
    log.record("close", session="s", at_ns=10**18 + 1, monotonic_ns=1, close_code=1000)
    found = analysis.budget(log.frames).dropna(subset="connection").set_index("budget")
    assert set(found["connection"]) == {1}
    assert found.loc["requests.per.connection.rate.per.minute", "used"] == 1
