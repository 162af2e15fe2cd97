"""JSON Lines and CSV on the way in: ours, those of others, torn and hostile ones."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from guestlab.errors import LogError
from guestlab.log.reading import read, text_file
from tests.log.made_logs import new_log

if TYPE_CHECKING:
    from pathlib import Path

    from guestlab.log import Log

SENT = '{"action":"configureSession","token":"8b6c1d1e-0000-4000-8000-000000000001","tracingId":"1"}'
ANSWER = '{"type":"response","class":"SessionResponse","code":200,"tracingId":"1","body":{"connected":true}}'
SAID = json.dumps(
    {
        "type": "message",
        "class": "StructuredMessage",
        "code": 200,
        "body": {
            "id": "m1",
            "type": "Text",
            "text": "Hi",
            "direction": "Outbound",
            "channel": {"time": "2026-01-01T00:00:00.500Z"},
        },
    }
)


def reading(tmp_path: Path, text: str, name: str = "capture.jsonl") -> Log:
    """Read a text as a file of that name."""
    (tmp_path / name).write_text(text, encoding="utf-8", newline="")
    return read(tmp_path / name)


def test_bare_frames_get_their_columns(tmp_path: Path) -> None:
    """As the live log gives them: action, class, message, guest token's tag, and the question answered."""
    sent, answer, said = reading(tmp_path, f"{SENT}\n{ANSWER}\n{SAID}\n").entries
    assert (sent.direction, sent.action, sent.session) == ("sent", "configureSession", "capture")
    assert sent.guest_token is not None
    assert sent.guest_token.startswith("[masked:")
    assert "8b6c1d1e" not in str(sent.raw)
    assert (answer.direction, answer.class_name, answer.exchange) == ("received", "SessionResponse", 1)
    assert (said.text, said.message_direction, said.message_id) == ("Hi", "Outbound", "m1")
    assert said.message_time == 1_767_225_600_500_000_000


def test_a_file_without_times_has_the_time_of_the_file(tmp_path: Path) -> None:
    """Better than none, and the same for every entry."""
    log = reading(tmp_path, f"{SENT}\n{ANSWER}\n")
    assert {entry.at for entry in log.entries} == {(tmp_path / "capture.jsonl").stat().st_mtime_ns}


@pytest.mark.parametrize(
    "row",
    [
        {"frame": SAID, "time": "2026-01-01T00:00:01Z", "direction": "received"},
        {"payload": json.loads(SAID), "ts": 1_767_225_601_000},
        {"data": SAID, "type": "receive", "timestamp": 1_767_225_601.0},
        {"message": SAID, "dir": "in", "@timestamp": "2026-01-01T00:00:01.000000000Z"},
        {**json.loads(SAID), "time": "2026-01-01T00:00:01Z"},
    ],
)
def test_frames_of_other_tools_are_found_wherever_they_stand(tmp_path: Path, row: dict[str, Any]) -> None:
    """With time and direction under any usual name."""
    (entry,) = reading(tmp_path, json.dumps(row) + "\n").entries
    assert (entry.direction, entry.text, entry.at) == ("received", "Hi", 1_767_225_601 * 10**9)


def test_what_a_frame_says_itself_counts_more_than_a_word_beside_it(tmp_path: Path) -> None:
    """Some tools write the platform's direction there."""
    (entry,) = reading(tmp_path, json.dumps({"direction": "sent", "frame": SAID})).entries
    assert entry.direction == "received"


def test_a_late_message_is_flagged_as_in_a_live_log(tmp_path: Path) -> None:
    """By the platform's clock."""
    earlier = SAID.replace("00.500Z", "00.100Z").replace("m1", "m0")
    assert [entry.late for entry in reading(tmp_path, f"{SAID}\n{earlier}\n").entries] == [False, True]


def test_latency_is_measured_where_times_are_known(tmp_path: Path) -> None:
    """From the question to its answer."""
    rows = [{"frame": SENT, "time": 1_767_225_600.0}, {"frame": ANSWER, "time": 1_767_225_600.25}]
    log = reading(tmp_path, "\n".join(map(json.dumps, rows)))
    assert log.entries[1].latency_ms == 250.0


def test_torn_and_strange_lines_cost_themselves_only(tmp_path: Path) -> None:
    """They are in log.skipped, and one note in the log says how many."""
    log = reading(tmp_path, f'{SENT}\n{{"action":"ec\n[1,2]\nnull\n{{"a":1}}\n\n{ANSWER}\n{{"class":"Str')
    assert [entry.kind for entry in log.entries] == ["frame", "frame", "note"]
    assert [skipped.place for skipped in log.skipped] == ["line 2", "line 3", "line 4", "line 5", "line 8"]
    assert (
        log.entries[2].note
        == "5 parts of capture.jsonl could not be read. The first: line 2: it is no JSON, or torn."
    )
    assert log.entries[2].source_file == "capture.jsonl"


HOSTILE = {
    "deep": "[" * 100_000,
    "deep object": '{"a":' * 50_000,
    "deep frame": '{"class":"StructuredMessage","body":' + "[" * 5000 + "]" * 5000 + "}",
    "long number": '{"kind":"note","at":' + "9" * 5000 + "}",
    "wrong types": '{"kind":"note","at":5,"seq":"x","attempt":{},"text":[1],"ok":"maybe","stage":"no","exchange":-9}',
    "surrogate": '{"kind":"note","at":5,"note":"\\ud800"}',
    "null bytes": "\0\0\0\0",
    "escape": '{"class":"\\u001b[2J","code":200}',
    "duplicate keys": '{"kind":"note","kind":"frame","at":1}',
}


@pytest.mark.parametrize("line", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.txt", "a.har", "a.journal.jsonl", "a"])
def test_a_hostile_line_neither_raises_nor_hides_the_others(tmp_path: Path, line: str, name: str) -> None:
    """Whatever the file is called."""
    log = reading(tmp_path, f"{SENT}\n{line}\n{ANSWER}\n", name)
    assert [
        entry.action or entry.class_name for entry in log.entries if entry.raw in {ANSWER, log.entries[0].raw}
    ]
    log.table(), log.summary()


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.txt", "a.har", "a.zip", "a.parquet", "a"])
@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00", b"PK\x03\x04", b"PAR1", b"\x89PNG\r\n\x1a\n" * 50, b"{", b"hello\n"]
)
def test_what_is_no_log_ends_in_an_error_that_says_what_to_give(
    tmp_path: Path, name: str, content: bytes
) -> None:
    """LogError with what, why and next; an empty file is an empty log, whatever its name, and says so."""
    (tmp_path / name).write_bytes(content)
    if content == b"":
        log = read(tmp_path / name)
        told = () if name == "a.jsonl" else ((name, "the file", "it is empty"),)
        assert (len(log), log.skipped) == (0, told)
        return
    with pytest.raises(LogError) as caught:
        read(tmp_path / name)
    assert caught.value.what
    assert caught.value.why
    assert caught.value.next_step


def test_a_huge_line_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not even held in memory."""
    monkeypatch.setattr(text_file, "LONGEST_LINE", 1000)
    log = reading(tmp_path, f'{SENT}\n{{"class":"{"x" * 5000}"}}\n{ANSWER}\n')
    assert [entry.kind for entry in log.entries] == ["frame", "frame", "note"]
    assert log.skipped[0].place == "line 2"
    assert "longer than" in log.skipped[0].why


def test_words_outside_our_sets_are_missing_and_reported(tmp_path: Path) -> None:
    """The rest of the row stays."""
    log = reading(tmp_path, '{"kind":"note","at":5,"seq":1,"stage":"later","note":"kept"}\n')
    assert (log.entries[0].stage, log.entries[0].note) == (None, "kept")
    assert log.skipped[0].place == "line 1, column stage"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_byte_order_marks_are_understood(tmp_path: Path, encoding: str) -> None:
    """PowerShell writes UTF-16."""
    (tmp_path / "a.jsonl").write_bytes(f"{SENT}\r\n{SAID}\r\n".encode(encoding))
    assert [entry.text for entry in read(tmp_path / "a.jsonl").entries] == [None, "Hi"]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_table_of_frames_is_read(tmp_path: Path, separator: str) -> None:
    """With a column of frames, and perhaps time and direction."""
    import csv

    with (tmp_path / "a.csv").open("w", newline="") as file:
        table = csv.writer(file, delimiter=separator)
        table.writerow(["Nr", "timestamp", "direction", "frame"])
        table.writerow([1, "2026-01-01T00:00:01Z", "out", SENT])
        table.writerow([2, "2026-01-01T00:00:02Z", "in", SAID])
        table.writerow([3, "", "", "hello"])
    log = read(tmp_path / "a.csv")
    assert [entry.direction for entry in log.entries] == ["sent", "received", None]
    assert log.entries[1].at == 1_767_225_602 * 10**9
    assert log.skipped[0].place == "line 4"


def test_a_table_written_by_pandas_is_read(tmp_path: Path) -> None:
    """`log.table().to_csv(...)`, index and all."""
    log = new_log()
    log.record("frame", http_status=200, ok=True, direction="sent", action="echo", latency_ms=1.5, raw="{}")
    log.table().to_csv(tmp_path / "a.csv")
    (entry,) = read(tmp_path / "a.csv").entries
    assert entry[:-1] == log.entries[0][:-1]


def test_a_frame_that_opens_a_file_is_masked(tmp_path: Path) -> None:
    """Whoever knows such a URL may fetch the file: in captures of others too."""
    opaque = "aB3dEfGh1jKlMn0pQrStUvWxYz012345"
    frame = f'{{"class":"PresignedUrlResponse","code":200,"body":{{"url":"https:\\/\\/[x/{opaque}"}}}}'
    log = reading(tmp_path, f"{frame}\n")
    assert opaque not in str(log.entries[0].raw)


def test_the_given_redactor_masks(tmp_path: Path) -> None:
    """So that tags of two logs can be compared."""
    (tmp_path / "a.jsonl").write_text(SENT)
    one = new_log()
    tag = one.redactor.learn("8b6c1d1e-0000-4000-8000-000000000001")
    assert read(tmp_path / "a.jsonl", redactor=one.redactor).entries[0].guest_token == tag


@pytest.mark.parametrize("unit", [1, 10**3, 10**6, 10**9])
def test_what_pandas_wrote_keeps_its_times(tmp_path: Path, unit: int) -> None:
    """`to_json` counts milliseconds by default and writes what is missing; nothing is read as of 1970."""
    moment = 1_790_000_000
    row = {"seq": 1, "at": moment * unit, "monotonic_ns": 7, "kind": "frame", "session": "s", "note": None,
           "message_time": moment * unit}  # fmt: skip
    path = tmp_path / "pandas.jsonl"
    path.write_text(json.dumps(row) + "\n")
    (entry,) = read(path).entries
    assert (entry.at, entry.message_time) == (moment * 10**9, moment * 10**9)
