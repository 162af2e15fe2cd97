"""The views, against values worked out by hand."""

from __future__ import annotations

import itertools
from typing import Any

import pandas as pd

from guestlab.log import Log


def clocked() -> Log:
    """A log whose clocks tick once per entry: a second of wall time, a millisecond of monotonic time."""
    ticks = itertools.count(1)
    wall = itertools.count(1)
    return Log(
        wall=lambda: next(wall) * 1_000_000_000,
        monotonic=lambda: next(ticks) * 1_000_000,
    )


def rows(frame: pd.DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    """The cells of some columns, missing as None."""
    return [
        tuple(None if pd.isna(value) else value for value in row)
        for row in frame[list(columns)].itertuples(index=False)
    ]


def said(log: Log, **fields: Any) -> None:
    """Record one received message."""
    log.record(
        fields.pop("kind", "frame"),
        **{"direction": "received", "message_direction": "Outbound", "message_type": "Text", **fields},
    )


# -- http -------------------------------------------------------------------------------------------------


def test_http_joins_every_request_with_its_answer() -> None:
    """In the order of the requests, whatever the order of the answers."""
    log = clocked()
    first = log.record(
        "request", stage="token", method="POST", url="https://login/", raw="POST / HTTP/1.1\r\n\r\nabc"
    )
    second = log.record("request", stage="conversation", method="GET", url="https://api/", attempt=3)
    log.record("response", exchange=second.seq, http_status=404, size=20, correlation_id="c-2", note="no")
    log.record("response", exchange=first.seq, http_status=200, size=10, latency_ms=99.5)
    assert rows(
        log.http, "seq", "stage", "attempt", "method", "url", "http_status", "latency_ms", "request_size",
        "response_size", "correlation_id", "note",
    ) == [
        (1, "token", None, "POST", "https://login/", 200, 99.5, 3, 10, None, None),
        (2, "conversation", 3, "GET", "https://api/", 404, 1.0, None, 20, "c-2", "no"),
    ]  # fmt: skip
    assert log.http["at"].tolist() == [
        pd.Timestamp(1, unit="s", tz="UTC"),
        pd.Timestamp(2, unit="s", tz="UTC"),
    ]


def test_http_shows_a_request_without_answer_and_an_answer_without_request() -> None:
    """Neither is lost."""
    log = clocked()
    log.record("request", method="GET", url="https://a/", size=1, note="asked")
    log.record("response", method="GET", url="https://b/", http_status=500, size=2)
    log.record("response", exchange=77, http_status=502)
    assert rows(log.http, "seq", "url", "http_status", "request_size", "response_size", "note") == [
        (1, "https://a/", None, 1, None, "asked"),
        (2, "https://b/", 500, None, 2, None),
        (3, None, 502, None, None, None),
    ]


def test_http_takes_the_last_answer_of_several() -> None:
    """One row per exchange."""
    log = clocked()
    question = log.record("request")
    log.record("response", exchange=question.seq, http_status=100)
    log.record("response", exchange=question.seq, http_status=200)
    assert rows(log.http, "seq", "http_status", "latency_ms") == [(1, 200, 2.0)]


def test_http_leaves_frames_out_even_when_they_answer_something() -> None:
    """A frame's `exchange` is no HTTP exchange."""
    log = clocked()
    sent = log.record("frame", direction="sent")
    log.record("frame", direction="received", exchange=sent.seq)
    assert len(log.http) == 0


# -- frames and messages ----------------------------------------------------------------------------------


def test_frames_are_the_frames_and_closes_in_order() -> None:
    """And nothing else."""
    log = clocked()
    for kind in ("request", "frame", "note", "frame", "close", "step"):
        log.record(kind, session="s", close_code=1000 if kind == "close" else None)
    assert rows(log.frames, "seq", "kind", "close_code") == [
        (2, "frame", None),
        (4, "frame", None),
        (5, "close", 1000),
    ]


def test_messages_are_sorted_by_the_platforms_clock_then_by_seq() -> None:
    """A message without time comes last; at equal times the earlier arrival is first."""
    log = clocked()
    for message_id, time in (("c", 30), ("a", 10), ("x", None), ("b2", 20), ("b1", 20)):
        said(log, message_id=message_id, message_time=time)
    assert log.messages["message_id"].tolist() == ["a", "b2", "b1", "c", "x"]


def test_messages_hold_each_message_once_per_session() -> None:
    """Live and from history, repeated on a second connection: the first arrival stands."""
    log = clocked()
    said(log, session="s", message_id="m1", text="live", message_time=1)
    said(log, session="s", message_id="m1", text="again", message_time=1)
    said(log, kind="history", session="s", message_id="m1", text="history", message_time=1)
    said(log, kind="history", session="s", message_id="m2", text="only in history", message_time=2)
    said(log, session="t", message_id="m1", text="another session", message_time=3)
    said(log, message_id="m1", text="no session", message_time=4)
    said(log, message_id="m1", text="no session, again", message_time=4)
    assert log.messages["text"].tolist() == ["live", "only in history", "another session", "no session"]


def test_messages_without_id_are_all_kept() -> None:
    """Nothing says that they are the same."""
    log = clocked()
    said(log, session="s", text="a")
    said(log, session="s", text="a")
    assert len(log.messages) == 2


def test_messages_are_words_only() -> None:
    """Frames without a message, typing, receipts, and entries of other kinds are left out."""
    log = clocked()
    log.record("frame", direction="sent", action="onMessage", text="sent, not yet acknowledged")
    said(log, message_id="e", message_type="Event", event_types="Typing")
    said(log, message_id="r", message_type="Receipt")
    said(log, kind="note", message_id="n")
    said(log, message_id="i", message_direction="Inbound", text="echo of the guest's words")
    said(log, message_id="u", message_type=None, text="untyped")
    said(log, message_id="s", message_type="Structured", text="pick one")
    assert log.messages["message_id"].tolist() == ["i", "u", "s"]


# -- attempts and sessions --------------------------------------------------------------------------------


def test_attempts_have_one_row_each() -> None:
    """From the entry that says how it ended; the steps before it are no rows."""
    log = clocked()
    log.record("step", attempt=1, step="dns", ok=True)
    log.record(
        "attempt", attempt=1, url="wss://x/", credential="client_credentials", placement="query", step="upgrade",
        http_status=401, ok=False, rule=["credential.oauth-on-guest-socket", "upgrade.deployment-missing"], latency_ms=12.5,
    )  # fmt: skip
    log.record("attempt", attempt=2, ok=None)
    log.record("attempt", attempt=2, ok=True, http_status=101)
    log.record("attempt", ok=False)
    columns = ("attempt", "url", "credential", "placement", "http_status", "step", "ok", "rule", "latency_ms")
    assert rows(log.attempts, *columns) == [
        (
            1, "wss://x/", "client_credentials", "query", 401, "upgrade", False,
            "credential.oauth-on-guest-socket,upgrade.deployment-missing", 12.5,
        ),
        (2, None, None, None, 101, None, True, None, None),
        (None, None, None, None, None, None, False, None, None),
    ]  # fmt: skip


def test_sessions_count_what_happened_in_each() -> None:
    """Sessions in the order of their first entry; entries without a session belong to none."""
    log = clocked()
    log.record("note")  # 1 s
    log.record("response", session="b", http_status=101)  # 2 s
    log.record("response", session="a", http_status=401)
    log.record("response", session="b", http_status=101)
    log.record("frame", session="b", direction="sent")
    said(log, session="b", message_direction="Inbound", message_id="m1")
    said(log, session="b", message_direction="Outbound", message_id="m2")
    said(log, session="b", message_direction="Outbound", message_id="m2")
    said(log, session="b", message_direction="Outbound", message_type="Event")
    said(log, kind="history", session="b", message_direction="Outbound", message_id="m3")
    log.record("close", session="b", close_code=1006)
    log.record("close", session="b", close_code=1001)
    log.record("lifecycle", session="b")  # 13 s
    columns = (
        "session", "frames_sent", "frames_received", "messages_in", "messages_out", "connects", "close_code",
    )  # fmt: skip
    assert rows(log.sessions, *columns) == [("b", 1, 4, 1, 2, 2, 1001), ("a", 0, 0, 0, 0, 0, None)]
    times = [pd.Timestamp(second, unit="s", tz="UTC") for second in (2, 13, 3, 3)]
    assert log.sessions[["first_at", "last_at"]].to_numpy().ravel().tolist() == times


def test_views_follow_the_log() -> None:
    """A view asked for again knows what was recorded since."""
    log = clocked()
    said(log, session="s", message_id="m1")
    assert (len(log.messages), len(log.frames), len(log.sessions)) == (1, 1, 1)
    said(log, session="t", message_id="m2")
    assert (len(log.messages), len(log.frames), len(log.sessions)) == (2, 2, 2)
