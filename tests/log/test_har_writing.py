"""A log is written as HAR: what any reader wants is there, and what comes back is the same log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import guestlab as gl
from guestlab.errors import LogError
from guestlab.log import Log
from guestlab.log.entry import COLUMNS, Entry, Kind, Lane, Stage, Step
from guestlab.log.reading import Report, read
from guestlab.log.reading.har import entries_of
from guestlab.log.writing.har import write_har

SECRET = "s3cr3t-value-nobody-knows"
TOKEN = "8b6c1d1e-0000-4000-8000-000000000001"
_ALIKE = [column.name for column in COLUMNS if column.name != "source_file"]


def rows(log: Log) -> list[tuple[Any, ...]]:
    """The entries, without the column that names the file."""
    return [tuple(getattr(entry, name) for name in _ALIKE) for entry in log.entries]


def there_and_back(log: Log, folder: Path) -> Log:
    """Write and read."""
    back = read(log.to_har(folder / "log.har"), redactor=log.redactor)
    assert back.skipped == ()
    return back


def document(path: Path) -> dict[str, Any]:
    """The log of a HAR."""
    log: dict[str, Any] = json.loads(path.read_bytes())["log"]
    return log


@pytest.fixture(scope="module")
def lived() -> Log:
    """A log with everything a lab records on the sandbox."""
    with gl.Lab() as lab:
        lab.token()
        lab.preflight()
        lab.handshake()
        lab.handshake_as_asked()
        with lab.session() as session:
            session.send("hello ünïcode ☃")
            session.typing()
            session.history()
        log: Log = lab.log
    return log


def test_a_log_comes_back_equal(lived: Log, tmp_path: Path) -> None:
    """Every entry, in every column but the file's name."""
    back = there_and_back(lived, tmp_path)
    assert rows(back) == rows(lived)
    assert {entry.source_file for entry in back.entries} == {"log.har"}
    kinds = {entry.kind for entry in back.entries}
    assert kinds >= {
        Kind.REQUEST,
        Kind.RESPONSE,
        Kind.FRAME,
        Kind.CLOSE,
        Kind.STEP,
        Kind.ATTEMPT,
        Kind.LIFECYCLE,
    }


def test_every_field_a_har_must_have_is_there(lived: Log, tmp_path: Path) -> None:
    """Names and kinds after the specification, section by section."""
    log = document(lived.to_har(tmp_path / "log.har"))
    assert log["version"] == "1.2"
    assert set(log["creator"]) == {"name", "version"}
    wanted = {
        "": {"startedDateTime": str, "time": (int, float), "cache": dict},
        "request": {
            "method": str, "url": str, "httpVersion": str, "cookies": list, "headers": list, "queryString": list,
            "headersSize": int, "bodySize": int,
        },
        "response": {
            "status": int, "statusText": str, "httpVersion": str, "cookies": list, "headers": list, "content": dict,
            "redirectURL": str, "headersSize": int, "bodySize": int,
        },
        "timings": {"send": (int, float), "wait": (int, float), "receive": (int, float)},
    }  # fmt: skip
    assert len(log["entries"]) >= 8
    for entry in log["entries"]:
        for part, fields in wanted.items():
            held = entry[part] if part else entry
            for name, kind in fields.items():
                assert isinstance(held[name], kind), (part, name)
        timings = entry["timings"]
        assert min(timings["send"], timings["wait"], timings["receive"]) >= 0
        spent = sum(value for name, value in timings.items() if value > 0 and name != "ssl")
        assert entry["time"] == pytest.approx(spent)
        assert entry["startedDateTime"].endswith("Z")


def test_the_steps_of_an_attempt_are_its_timings(lived: Log, tmp_path: Path) -> None:
    """The ways dns and tcp by themselves; no tls on plaintext."""
    log = document(lived.to_har(tmp_path / "log.har"))
    steps = {e.step: e.latency_ms for e in lived.entries if e.kind is Kind.STEP and e.attempt == 1}
    upgrade = next(entry for entry in log["entries"] if entry.get("_resourceType") == "websocket")
    timings = upgrade["timings"]
    assert (timings["dns"], timings["connect"], timings["ssl"]) == (steps[Step.DNS], steps[Step.TCP], -1)
    assert timings["wait"] > 0


def test_frames_stand_with_their_upgrade_as_chromium_writes_them(lived: Log, tmp_path: Path) -> None:
    """Type, time in seconds, opcode, data: in the order of the wire."""
    log = document(lived.to_har(tmp_path / "log.har"))
    sockets = [entry for entry in log["entries"] if entry.get("_resourceType") == "websocket"]
    frames = [entry for entry in lived.entries if entry.kind is Kind.FRAME]
    written = [
        message for entry in sockets for message in entry["_webSocketMessages"] if message["opcode"] == 1
    ]
    assert [message["data"] for message in written] == [frame.raw for frame in frames]
    assert [message["type"] for message in written] == [
        {"sent": "send", "received": "receive"}[str(frame.direction)] for frame in frames
    ]
    assert [message["time"] for message in written] == [pytest.approx(frame.at / 1e9) for frame in frames]
    assert sockets[-1]["_webSocketMessages"][-1]["opcode"] == 8
    refused = next(entry for entry in sockets if entry["response"]["status"] == 401)
    assert refused["_webSocketMessages"] == []


def test_frames_without_an_upgrade_get_an_entry_of_their_own(tmp_path: Path) -> None:
    """It says so, and brings nothing back that was not there."""
    log = Log()
    log.record("frame", session="a", lane="frame", direction="received", raw='{"class":"string"}')
    log.record("close", session="b", lane="close", close_code=1006)
    log.record("frame", raw="")
    log.record("frame", note="nothing was kept of it")
    path = log.to_har(tmp_path / "log.har")
    assert [entry["comment"] for entry in document(path)["entries"]] == [
        "The upgrade of this socket is not in the log."
    ] * 3
    assert rows(read(path, redactor=log.redactor)) == rows(log)


def test_a_second_connection_of_a_session_gets_its_own_frames(tmp_path: Path) -> None:
    """Each frame stands with the upgrade before it."""
    log = Log()
    for place in range(2):
        asked = log.record(
            "request", stage="session", session="s", step="upgrade", method="GET", url="wss://a.example/v1"
        )
        log.record("response", session="s", step="upgrade", exchange=asked.seq, http_status=101)
        log.record("frame", session="s", lane="frame", direction="received", raw=f'{{"n":{place}}}')
    entries = document(log.to_har(tmp_path / "log.har"))["entries"]
    assert [entry["_webSocketMessages"][0]["data"] for entry in entries] == ['{"n":0}', '{"n":1}']
    assert rows(there_and_back(log, tmp_path)) == rows(log)


def test_what_is_half_there_comes_back_half(tmp_path: Path) -> None:
    """A request without an answer, an answer without a request, odd bytes, no bytes."""
    log = Log()
    log.record("response", lane="http", http_status=200, raw="HTTP/1.1 200 OK\r\n\r\nbody")
    log.record("request", lane="http", method="POST", url="https://a.example/", raw="not HTTP at all")
    log.record("request", lane="http", raw="POST /other HTTP/1.1\r\nno colon\r\n\r\nx\r\n\r\ny")
    asked = log.record("request", lane="http", method="PUT", url="https://a.example/x?a=1&b=")
    log.record("response", exchange=asked.seq, ok=False, note="No answer: it broke.")
    log.record("history", message_id="m", message_time="2026-11-22T10:00:00Z", text="words")
    path = log.to_har(tmp_path / "log.har")
    assert rows(read(path, redactor=log.redactor)) == rows(log)
    failed = document(path)["entries"][2]
    assert failed["request"]["queryString"] == [{"name": "a", "value": "1"}, {"name": "b", "value": ""}]
    assert failed["response"]["_error"] == "No answer: it broke."


def test_an_empty_log_is_a_har_too(tmp_path: Path) -> None:
    """With no entries; reading it gives an empty log or says that there is nothing."""
    path = write_har(Log(), tmp_path / "log.har")
    assert document(path)["entries"] == []
    assert list(entries_of(path, Report(path.name))) == []


def test_a_secret_learnt_late_is_masked_in_the_file(tmp_path: Path) -> None:
    """Everywhere: head, body, frame, note."""
    log = Log()
    asked = log.record(
        "request", step="upgrade", session="s", method="GET", url=f"wss://a.example/{SECRET}",
        raw=f"GET /{SECRET} HTTP/1.1\r\nA: {SECRET}\r\n\r\n{SECRET}",
    )  # fmt: skip
    log.record(
        "response", step="upgrade", session="s", exchange=asked.seq, raw=f"HTTP/1.1 101 x\r\n\r\n{SECRET}"
    )
    log.record("frame", session="s", direction="received", raw=f'{{"x":"{SECRET}"}}', text=SECRET)
    log.record("note", note=f"it was {SECRET}")
    log.learn(SECRET)
    data = log.to_har(tmp_path / "log.har").read_text("utf-8")
    assert SECRET not in data
    assert data.count("[masked:") >= 8


def test_a_file_of_ours_that_somebody_edited_is_read_as_far_as_it_is_ours(lived: Log, tmp_path: Path) -> None:
    """What is not as we write it is reported, the rest comes back."""
    path = lived.to_har(tmp_path / "log.har")
    data = json.loads(path.read_bytes())
    entries = data["log"]["entries"]
    entries[0]["_guestlab"]["request"]["kind"] = "nonsense"
    del entries[1]["_guestlab"]
    socket = next(entry for entry in reversed(entries) if entry.get("_webSocketMessages"))
    socket["_webSocketMessages"][0]["_guestlab"]["at"] = "now"
    data["log"]["_guestlab"]["entries"][0]["seq"] = None
    path.write_text(json.dumps(data, separators=(",", ":")), "utf-8")
    report = Report(path.name)
    found = list(entries_of(path, report))
    assert len(found) == len(lived.entries) - 6
    assert report.skipped[0].place == "entry 2"
    assert len(report.skipped) == 4


def test_a_torn_file_of_ours_gives_the_exchanges_that_are_whole(lived: Log, tmp_path: Path) -> None:
    """With all their columns, and the report says what is missing."""
    path = lived.to_har(tmp_path / "log.har")
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b'],"_guestlab":{"entries"')])
    report = Report(path.name)
    found = {entry.seq: entry for entry in entries_of(path, report)}
    own = {entry.seq: entry for entry in lived.entries if entry.kind not in _ELSEWHERE}
    assert found == own
    assert report.skipped[0].place == "the end"


_ELSEWHERE = {Kind.STEP, Kind.ATTEMPT, Kind.LIFECYCLE, Kind.HISTORY, Kind.NOTE}


def test_a_folder_is_not_overwritten_and_nothing_half_is_left(tmp_path: Path) -> None:
    """The error says what to do; no other file appears."""
    with pytest.raises(LogError, match="is a folder"):
        write_har(Log(), tmp_path)
    with pytest.raises(LogError, match="cannot be written"):
        write_har(Log(), tmp_path / "no" / "such.har")
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    """By rename; nothing else stays."""
    path = tmp_path / "log.har"
    path.write_text("before")
    log = Log()
    log.record("note", note="after")
    write_har(log, path)
    assert [entry.note for entry in read(path).entries] == ["after"]
    assert list(tmp_path.iterdir()) == [path]


def test_a_long_log_is_spooled_and_comes_back_in_order(tmp_path: Path) -> None:
    """Two sessions at once, with frames enough for several pieces each."""
    log = Log()
    for name in "ab":
        asked = log.record("request", session=name, step="upgrade", url="wss://a.example/v1", method="GET")
        log.record("response", session=name, step="upgrade", exchange=asked.seq, http_status=101)
    for place in range(3000):
        log.record(
            "frame", session="ab"[place % 2], direction="received", raw=f'{{"n":{place},"x":"{"y" * 100}"}}'
        )
    assert rows(there_and_back(log, tmp_path)) == rows(log)


TEXTS = st.none() | st.sampled_from(["", "a", "ü☃", '"\\\r\n', "x" * 50])
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "kind": st.sampled_from(list(Kind)),
    "stage": st.none() | st.sampled_from(list(Stage)),
    "step": st.none() | st.sampled_from(list(Step)),
    "lane": st.none() | st.sampled_from(list(Lane)),
    "direction": st.sampled_from([None, "sent", "received"]),
    "message_direction": st.sampled_from([None, "Inbound", "Outbound"]),
    "exchange": st.none() | st.integers(1, 8),
    "attempt": st.none() | st.integers(1, 2),
    "session": st.sampled_from([None, "a", "b"]),
    "close_code": st.sampled_from([None, 0, 1000, 4999, 70_000, -1]),
    "raw": TEXTS | st.sampled_from(["GET / HTTP/1.1\r\nA: b\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\nbody", "[masked:00000000]"]),
}  # fmt: skip
KINDS_OF_VALUES = {
    "int64": st.integers(0, 2**62),
    "Int64": st.none() | st.integers(-(2**62), 2**62),
    "Float64": st.none() | st.floats(allow_nan=False, allow_infinity=False),
    "boolean": st.none() | st.booleans(),
    "str": TEXTS,
    "datetime64[ns, UTC]": st.none() | st.integers(-(2**62), 2**62),
}
ENTRIES = st.lists(
    st.builds(
        Entry,
        **{
            column.name: VALUES[column.name] if column.name in VALUES else KINDS_OF_VALUES[column.dtype]
            for column in COLUMNS
            if column.name not in {"seq", "source_file"}
        },
        seq=st.just(0),
    ),
    max_size=8,
)


@given(ENTRIES)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_entries_come_back(tmp_path: Path, entries: list[Entry]) -> None:
    """Whatever their kinds, in whatever order: all columns but the file's name."""
    log = Log()
    log.extend(entry._replace(seq=place) for place, entry in enumerate(entries, 1))
    path = log.to_har(tmp_path / "log.har")
    back = Log(redactor=log.redactor)
    back.extend(entries_of(path, Report(path.name)))
    assert rows(back) == rows(log)


@pytest.mark.parametrize("latency_ms", [1e15, 1e300, 1.7e308])
def test_a_latency_longer_than_history_is_no_obstacle(latency_ms: float, tmp_path: Path) -> None:
    """As a file may claim it: the exchange begins at the earliest moment a log knows."""
    log = Log()
    log.record("request", at_ns=-(2**63) + 1, method="GET", url="https://x.example/")
    log.record("response", exchange=1, http_status=200, latency_ms=latency_ms)
    document = json.loads(log.to_har(tmp_path / "x.har").read_text())
    assert document["log"]["entries"][0]["startedDateTime"].startswith("1677-09-21")
