"""The views of a growing log are those of its whole table.

The functions here make each view anew, from everything: slow, and plain enough to be believed.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from guestlab.log import COLUMNS, Log
from guestlab.log.store import CHUNK
from guestlab.log.table import typed
from guestlab.log.views import (
    ATTEMPTS_COLUMNS,
    FRAMES_COLUMNS,
    HTTP_COLUMNS,
    MESSAGES_COLUMNS,
    SESSIONS_COLUMNS,
)

NAMES = {column.name for column in COLUMNS}
RENAMED = {"message_time": "time", "message_direction": "direction", "message_type": "type"}
BACK = {new: old for old, new in RENAMED.items()}
SAID = tuple(BACK.get(column.name, column.name) for column in MESSAGES_COLUMNS)


def http(table: pd.DataFrame) -> pd.DataFrame:
    """The view `http` of a whole table, row by row."""
    rows = table[table["kind"].isin(["request", "response"])].astype(object)
    rows = rows.where(rows.notna(), None).to_dict("records")
    asked = {row["seq"] for row in rows if row["kind"] == "request"}
    answers = {row["exchange"]: row for row in rows if row["kind"] == "response"}  # the last one counts
    made = []
    for row in rows:
        if row["kind"] == "request":
            made.append(_exchange(row, answers.get(row["seq"])))
        elif row["exchange"] not in asked:
            made.append({**row, "response_size": row["size"]})
    return typed(pd.DataFrame(made, columns=[column.name for column in HTTP_COLUMNS]), HTTP_COLUMNS)


def _exchange(request: dict[str, Any], answer: dict[str, Any] | None) -> dict[str, Any]:
    """One row of a request and what it was answered."""
    row = {**request, "request_size": request["size"]}
    if answer is None:
        return row | {"http_status": None, "latency_ms": None}
    elapsed = (answer["monotonic_ns"] - request["monotonic_ns"]) / 1e6
    row["latency_ms"] = elapsed if answer["latency_ms"] is None else answer["latency_ms"]
    for name in ("correlation_id", "note"):
        row[name] = request[name] if answer[name] is None else answer[name]
    return row | {"http_status": answer["http_status"], "response_size": answer["size"]}


def frames(table: pd.DataFrame) -> pd.DataFrame:
    """The view `frames` of a whole table."""
    return typed(
        table[[column.name for column in FRAMES_COLUMNS]][table["kind"].isin(["frame", "close"])],
        FRAMES_COLUMNS,
    )


def messages(table: pd.DataFrame) -> pd.DataFrame:
    """The view `messages` of a whole table."""
    is_said = (
        table["kind"].isin(["frame", "history"])
        & table["message_direction"].notna()
        & ~table["message_type"].isin(["Event", "Receipt"])  # typing and joining are no words
    )
    said = table[[*SAID]][is_said]
    again = said.duplicated(["session", "message_id"]) & said["message_id"].notna()
    ordered = said[~again].sort_values(["message_time", "seq"])
    return typed(ordered.rename(columns=RENAMED), MESSAGES_COLUMNS)


def attempts(table: pd.DataFrame) -> pd.DataFrame:
    """The view `attempts` of a whole table."""
    tried = table[table["kind"] == "attempt"]
    again = tried.duplicated("attempt", keep="last") & tried["attempt"].notna()
    return typed(tried[~again], ATTEMPTS_COLUMNS)


def sessions(table: pd.DataFrame) -> pd.DataFrame:
    """The view `sessions` of a whole table."""
    wanted = ["session", "at", "kind", "direction", "http_status", "close_code"]
    of_session = table[wanted][table["session"].notna()]
    said = messages(table)
    is_frame = of_session["kind"] == "frame"
    counts = of_session.assign(
        frames_sent=is_frame & (of_session["direction"] == "sent"),
        frames_received=is_frame & (of_session["direction"] == "received"),
        connects=((of_session["http_status"] == 101) & (of_session["kind"] == "response")).fillna(
            value=False
        ),
    ).groupby("session", sort=False)
    found = counts.agg(
        first_at=("at", "min"),
        last_at=("at", "max"),
        frames_sent=("frames_sent", "sum"),
        frames_received=("frames_received", "sum"),
        connects=("connects", "sum"),
        close_code=("close_code", "last"),
    )
    said = said.groupby(["session", said["direction"].astype("str")]).size()
    for name, direction in (("messages_in", "Inbound"), ("messages_out", "Outbound")):
        one_way = said[said.index.get_level_values(1) == direction].droplevel(1)
        found[name] = one_way.reindex(found.index).fillna(0)
    return typed(found.reset_index(), SESSIONS_COLUMNS)


WHOLE = {"http": http, "frames": frames, "messages": messages, "attempts": attempts, "sessions": sessions}

FEW = st.none() | st.integers(1, 3)
ENTRIES = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(
            ["request", "response", "frame", "frame", "close", "attempt", "history", "note"]
        ),
        "at_ns": st.integers(0, 5),
        "monotonic_ns": st.integers(0, 5),
        "session": st.sampled_from([None, "a", "b"]),
        "direction": st.sampled_from([None, "sent", "received"]),
        "message_direction": st.sampled_from([None, "Inbound", "Outbound"]),
        "message_type": st.sampled_from([None, "Text", "Event", "Receipt"]),
        "message_id": st.sampled_from([None, "m1", "m2", "m3"]),
        "message_time": FEW,
        "attempt": FEW,
        "exchange": st.none() | st.integers(1, 12),
        "http_status": st.sampled_from([None, 101, 401]),
        "close_code": st.sampled_from([None, 1000, 1006]),
        "text": st.sampled_from([None, "\u017e", "x"]),
        "latency_ms": st.sampled_from([None, 1.5]),
        "correlation_id": st.sampled_from([None, "c"]),
    }
)


def recorded(log: Log, entries: list[dict[str, Any]]) -> None:
    """Record what was drawn."""
    for entry in entries:
        fields = dict(entry)
        log.record(fields.pop("kind"), **fields)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.lists(ENTRIES, max_size=6), min_size=1, max_size=4), st.booleans(), st.data())
def test_a_view_of_a_growing_log_is_that_of_the_whole(
    growth: list[list[dict[str, Any]]], long: bool, data: st.DataObject
) -> None:
    """Whenever it is asked for, however much came in between."""
    log = Log()
    if long:  # so that the seam between sealed and newest entries is somewhere in between
        filler = {"at": range(CHUNK - 4), "monotonic_ns": range(CHUNK - 4), "kind": ["note"] * (CHUNK - 4)}
        log.extend_columns([{**filler, "session": ["a", None, "c"] * (CHUNK // 3 - 1)}])
    for entries in growth:
        recorded(log, entries)
        for name in data.draw(st.sets(st.sampled_from(sorted(WHOLE)))):
            pd.testing.assert_frame_equal(getattr(log, name), WHOLE[name](log.table()))
    for name, whole in WHOLE.items():
        pd.testing.assert_frame_equal(getattr(log, name), whole(log.table()))


def test_a_view_shares_nothing_with_the_next() -> None:
    """What was handed out stays as it is while the log grows, ordered or not."""
    log = Log()
    said = {"direction": "received", "message_direction": "Outbound", "session": "s"}
    log.record("frame", **said, message_id="m1", message_time=5)
    before = {name: getattr(log, name) for name in WHOLE}
    copies = {name: frame.copy(deep=True) for name, frame in before.items()}
    log.record("frame", **said, message_id="m2", message_time=3)
    assert log.messages["message_id"].tolist() == ["m2", "m1"]
    for name, frame in before.items():
        pd.testing.assert_frame_equal(frame, copies[name])


def test_a_request_answered_twice_has_its_last_answer() -> None:
    """As after an interim answer; one that nothing asked for stands alone."""
    log = Log()
    asked = log.record("request", size=1).seq
    log.record("response", exchange=asked, http_status=401)
    log.record("response", exchange=asked, http_status=101, latency_ms=1.5)
    log.record("response", exchange=asked + 100, http_status=401, size=2)
    pd.testing.assert_frame_equal(log.http, http(log.table()))
    assert log.http["http_status"].tolist() == [101, 401]
