"""Duplicates, live against history, and two logs, against plain loops."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import guestlab as gl
from guestlab import analysis
from guestlab.analysis.comparing import _moved
from guestlab.log import Log

MS = 1_000_000


def test_duplicates_are_messages_that_came_again(world: Any) -> None:
    """On the socket, or live and from history; with all their numbers."""
    expected = {}
    for one in world.said:
        live, history = len(one.arrivals), len(one.history)
        if live + history > 1 and live:
            word = "live" if not history else "history" if live == 1 else "live and history"
            every = [*one.arrivals, *one.history]
            apart = (max(every) - min(every)) / MS
            expected[one.key] = (word, live, history, apart, True, ",".join(map(str, one.seqs)))
    found = analysis.duplicates(world.log.table())
    names = ["came_again", "live", "history", "apart_ms", "same_text", "seqs"]
    assert expected
    assert {r.message_id: tuple(getattr(r, n) for n in names) for r in found.itertuples()} == expected
    live_only = analysis.duplicates(world.log.frames)
    assert set(live_only["message_id"]) == {one.key for one in world.said if len(one.arrivals) > 1}


def test_a_duplicate_is_found_by_the_id_in_the_frame() -> None:
    """Where a log has no message_id, `channel.messageId` or `id` of the body tells."""
    log = Log()
    for key in ("a", "a", "b"):
        body = {"id": "x" + key, "channel": {"messageId": key}}
        log.record("frame", direction="received", session="s", raw=json.dumps({"body": body}))
    log.record("frame", direction="received", session="s", raw='{"body": {"id": broken')
    found = analysis.duplicates(log.frames)
    assert found["message_id"].tolist() == ["a"]


def test_other_words_under_the_same_id_are_said() -> None:
    """The same message with another text or time is not the same."""
    log = Log()
    for text, time in (("one", 1), ("two", 2)):
        log.record("frame", direction="received", session="s", message_id="k", text=text, message_time=time)
    found = analysis.duplicates(log.frames).iloc[0]
    assert not found["same_text"]
    assert not found["same_time"]


def test_live_and_history_are_matched_by_id(world: Any) -> None:
    """Where each message was seen, in the order of time."""
    found = analysis.live_versus_history(world.log.table())
    expected = {
        one.key: "both" if one.arrivals and one.history else "live" if one.arrivals else "history"
        for one in world.said
    }
    assert dict(zip(found["message_id"], found["found"], strict=True)) == expected
    both = found[found["found"] == "both"]
    assert both["same_text"].all()
    assert both["same_time"].all()
    assert found.loc[found["found"] != "both", "same_text"].isna().all()
    times = found["live_time"].fillna(found["history_time"])
    assert times.is_monotonic_increasing


def test_pages_of_history_are_read_out_of_the_responses() -> None:
    """Another text, another time, and what only history has."""
    log = Log()
    for key, text in (("a", "hello"), ("b", "there")):
        log.record("frame", direction="received", session="s", message_id=key, text=text, message_type="Text",
                   message_direction="Outbound", message_time="2026-10-01T12:00:00.000Z")  # fmt: skip
    entities = [
        {"id": "a", "type": "Text", "text": "hello", "direction": "Outbound",
         "channel": {"time": "2026-10-01T12:00:00.000Z"}},
        {"id": "b", "type": "Text", "text": "changed", "direction": "Outbound",
         "channel": {"time": "2026-10-01T12:00:00.001Z"}},
        {"id": "c", "type": "Text", "text": "missed", "direction": "Outbound", "channel": {"time": "0001-01-01T00:00:00Z"}},
        {"id": "e", "type": "Event", "channel": {}},
        "rubbish",
    ]  # fmt: skip
    raw = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + json.dumps({"entities": entities})
    url = "https://api.mypurecloud.de/api/v2/webmessaging/messages?pageNumber=1"
    log.record("response", direction="received", url=url, http_status=200, raw=raw)
    log.record("response", direction="received", url=url, http_status=429, raw="HTTP/1.1 429\r\n\r\n{]")
    found = analysis.live_versus_history(log.table()).set_index("message_id")
    assert found["found"].to_dict() == {"a": "both", "b": "both", "c": "history"}
    assert found.loc["a", ["same_text", "same_time"]].tolist() == [True, True]
    assert found.loc["b", ["same_text", "same_time"]].tolist() == [False, False]
    assert found.loc["c", "history_text"] == "missed"


def page_of(log: Log, *keys: str) -> None:
    """Record a page of history with some messages."""
    entities = [
        {"id": key, "type": "Text", "text": key, "direction": "Outbound", "channel": {}} for key in keys
    ]
    raw = "HTTP/1.1 200 OK\r\n\r\n" + json.dumps({"entities": entities})
    log.record("response", url="https://api.x/api/v2/webmessaging/messages?pageNumber=1", raw=raw)


def test_what_was_lost_live_has_its_session() -> None:
    """That in which others of the same page came; none where none did."""
    log = Log()
    for session, key in (("s1", "a"), ("s2", "b")):
        log.record("frame", session=session, direction="received", message_id=key, message_type="Text",
                   message_direction="Outbound")  # fmt: skip
    page_of(log, "lost", "b")
    page_of(log, "foreign")
    found = analysis.live_versus_history(log.table()).set_index("message_id")
    assert found["session"].fillna("").to_dict() == {"a": "s1", "b": "s2", "lost": "s2", "foreign": ""}
    assert found.loc["lost", "found"] == "history"


def runs_of_one_seed() -> list[Log]:
    """Two runs that gave the same ids to what they said an hour apart."""
    logs = [Log(), Log()]
    for number, log in enumerate(logs):
        for key in ("a", "b"):
            about: dict[str, Any] = {"session": f"s{number}", "message_id": key, "message_type": "Text",
                                     "message_direction": "Outbound", "text": f"{key} of {number}",
                                     "message_time": (1 + 3600 * number) * 10**9}  # fmt: skip
            log.record("frame" if key == "a" else "history", direction="received", at_ns=10**12 + number,
                       monotonic_ns=10**12 + number, **about)  # fmt: skip
            if key == "a":
                log.record("history", **about)
    return logs


@pytest.mark.parametrize("dask", [False, True])
def test_one_id_in_two_runs_is_two_messages(tmp_path: Any, *, dask: bool) -> None:
    """Nothing of one run is held against the other's, in an archive of both."""
    archive = tmp_path / "archive"
    for log in runs_of_one_seed():
        archive = log.to_parquet(archive)
    table: Any = gl.read(archive).table()
    if dask:
        table = pytest.importorskip("dask.dataframe").from_pandas(table, npartitions=2)
    found: Any = analysis.live_versus_history(table)
    found = found.compute() if dask else found
    rows = sorted(zip(found["message_id"], found["session"], found["found"], strict=True))
    assert rows == [("a", "s0", "both"), ("a", "s1", "both"), ("b", "s0", "history"), ("b", "s1", "history")]
    assert found["same_text"].dropna().all()
    compared: Any = analysis.compare_logs(table, table)
    compared = compared.compute() if dask else compared
    assert len(compared) == 4
    assert (compared["text_one"] == compared["text_other"]).all()


def test_two_files_of_one_conversation_are_still_joined() -> None:
    """A HAR and our own log: other sessions, other files, the same times."""
    log = Log()
    for source, kind in (("a.har", "frame"), ("b.jsonl", "history")):
        log.record(kind, session=source, source_file=source, message_id="k", message_type="Text",
                   message_direction="Inbound", message_time=10**9)  # fmt: skip
    log.record("frame", session="b.jsonl", source_file="b.jsonl", direction="sent")
    assert analysis.live_versus_history(log.table())["found"].tolist() == ["both"]


@pytest.mark.parametrize("dask", [False, True])
def test_what_was_said_by_rest_alone_is_not_missed(*, dask: bool) -> None:
    """A session without any frame is never to come live; one with some is, whatever came of it."""
    log = Log()
    said = {"message_direction": "Inbound", "message_type": "Text"}
    log.record("frame", session="s1", direction="received", message_id="a", **said)
    log.record("history", session="s1", message_id="b", **said)
    log.record("history", session="open-guest", message_id="c", **said)
    log.record("history", session="5f0c-a-conversation", message_id="a", **said)
    log.record("history", message_id="d", **said)
    table: Any = log.table()
    if dask:
        table = pytest.importorskip("dask.dataframe").from_pandas(table, npartitions=3)
    found: Any = analysis.live_versus_history(table)
    found = found.compute() if dask else found
    assert found.set_index("message_id")["found"].to_dict() == {"a": "both", "b": "history", "d": "history"}


def test_two_logs_are_compared_message_by_message(world: Any, make_world: Any) -> None:
    """What one lacks, what differs, how much later it came."""
    one = world.log.messages
    other = one[one["message_id"].str[-1] != "3"].copy()
    other["at"] = other["at"] + pd.Timedelta("7ms")
    other["text"] = other["text"].mask(other["message_id"].str.endswith("5"), "changed")
    other = pd.concat(
        [other, make_world(9, sessions=1).log.messages.assign(message_id=lambda m: "z" + m["message_id"])]
    )
    found = analysis.compare_logs(one, other).set_index("message_id")
    for key, row in found.iterrows():
        if key.startswith("z"):
            assert row["found"] == "other"
        elif key.endswith("3"):
            assert row["found"] == "one"
        else:
            assert row["found"] == "both"
            assert (row["differs"] == "text") == key.endswith("5")
            assert not row["reordered"]
            if not pd.isna(row["latency_one_ms"]):
                assert abs(row["latency_difference_ms"] - 7) < 1e-6


def test_the_fewest_that_must_move_are_called_reordered() -> None:
    """One message that came late in the other log, and no other."""
    messages = analysis.sample().messages
    late = messages["at"].mask(messages["message_id"] == "b1", messages["at"] + pd.Timedelta("30s"))
    found = analysis.compare_logs(messages, messages.assign(at=late))
    assert found.loc[found["reordered"].fillna(value=False), "message_id"].tolist() == ["b1"]


@given(st.permutations(range(7)))
def test_moving_those_puts_the_rest_in_order(places: list[int]) -> None:
    """And no smaller choice would: tried out."""
    from itertools import combinations

    moved = _moved(places)
    kept = [place for place, away in zip(places, moved, strict=True) if not away]
    assert kept == sorted(kept)
    longer = combinations(places, len(kept) + 1)
    assert not any(list(choice) == sorted(choice) for choice in longer)
