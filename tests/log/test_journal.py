"""The journal: what was acknowledged is in the file, and what is in the file is redacted and comes back."""

from __future__ import annotations

import errno
import json
import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from guestlab.bench.kill import killed
from guestlab.errors import InputError, LogError
from guestlab.log import COLUMNS, Entry, Kind, Log, Redactor
from guestlab.log.journal import VERSION
from guestlab.log.reading.journal import entries_of
from guestlab.log.reading.report import Report
from guestlab.log.store import CHUNK

TOKEN = "8b6c1d1e-0000-4000-8000-000000000001"
SECRET = "Zx9-client-secret-of-forty-characters"


def read(path: Path) -> tuple[list[Entry], list[tuple[str, str]]]:
    """The entries of a journal, and what was left out."""
    report = Report(path.name)
    entries = list(entries_of(path, report))
    return entries, [(skipped.place, skipped.why) for skipped in report.skipped]


def filled(log: Log, count: int) -> None:
    """Record entries of many types."""
    for n in range(count):
        log.record(
            "frame", stage="session", lane="frame", direction="sent", ok=True, late=False, latency_ms=1.5,
            attempt=2, text=f"ž {n}" if n % 2 else None, message_time=n, note="same", method="GET",
            message_direction="Outbound", raw=f'{{"n":{n},"t":"\ud800"}}', tracing_id=f"t{n}", step="tls",
        )  # fmt: skip


# -- the file ---------------------------------------------------------------------------------------------


def test_every_entry_is_in_the_file_before_anybody_is_told(tmp_path: Path) -> None:
    """A header, then one object per entry: its filled columns, in the order of the schema."""
    log = Log(journal=tmp_path / "a.jsonl", wall=lambda: 1_790_856_000_000_000_000)
    seen: list[int] = []
    log.subscribe(lambda _: seen.append(len((tmp_path / "a.jsonl").read_bytes().splitlines())))
    log.record("note", note="first")
    log.record("frame", raw="{}")
    assert seen == [2, 3]
    header, first, second = map(json.loads, (tmp_path / "a.jsonl").read_text().splitlines())
    assert header == {
        "format": "guestlab journal", "version": VERSION, "begun": "2026-10-01T12:00:00Z",
        "columns": [column.name for column in COLUMNS],
    }  # fmt: skip
    assert first == log.entries[0].filled()
    assert list(second) == ["seq", "at", "monotonic_ns", "kind", "size", "raw"]


def test_a_folder_gets_a_new_file_for_each_log(tmp_path: Path) -> None:
    """Named by the time, and never twice the same; only its owner may read it."""
    logs = [Log(journal=tmp_path, wall=lambda: 1_790_856_000_000_000_000) for _ in range(3)]
    paths = {log.journal for log in logs}
    assert set(tmp_path.iterdir()) == paths
    assert len(paths) == 3
    for path in tmp_path.iterdir():
        assert path.name.startswith("20261001T120000Z-")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_empty_file_is_taken_and_closed_to_others(tmp_path: Path) -> None:
    """As made by `mktemp` or `touch`."""
    path = tmp_path / "empty"
    path.touch(0o644)
    Log(journal=str(path)).record("note")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(read(path)[0]) == 1


def test_a_file_that_holds_something_is_refused(tmp_path: Path) -> None:
    """It is left alone, and the error says how to read it."""
    path = tmp_path / "old"
    path.write_text("precious")
    with pytest.raises(InputError, match=r"gl\.read") as refusal:
        Log(journal=path)
    assert "another name" in refusal.value.next_step
    assert path.read_text() == "precious"


def test_two_logs_cannot_share_a_journal(tmp_path: Path) -> None:
    """Even before the first has recorded."""
    first = Log(journal=tmp_path / "one")
    with pytest.raises(InputError):
        Log(journal=tmp_path / "one")
    first.record("note")
    assert len(read(tmp_path / "one")[0]) == 1


def test_a_folder_that_is_not_there_is_an_error_at_once(tmp_path: Path) -> None:
    """Not at the first entry."""
    with pytest.raises(LogError, match="cannot be written"):
        Log(journal=tmp_path / "nowhere" / "a")


def test_only_redacted_rows_are_written(tmp_path: Path) -> None:
    """No secret is on the disk at any time."""
    log = Log(journal=tmp_path / "a")
    log.learn(SECRET)
    log.record("frame", direction="sent", raw=json.dumps({"token": TOKEN}), session="s")
    log.record("note", note=f"{SECRET} and {TOKEN}", url=f"https://x/?client_secret={SECRET}")
    log.extend([Entry(1, 1, 1, Kind.NOTE, note=f"{SECRET} and {TOKEN}")])
    content = (tmp_path / "a").read_text()
    assert SECRET not in content
    assert TOKEN not in content
    assert content.count(log.redact(TOKEN)) == 4


def test_threads_write_whole_lines_in_the_order_of_the_log(tmp_path: Path) -> None:
    """Nobody's line is in the middle of another's."""
    log = Log(journal=tmp_path / "a")

    def work(name: int) -> None:
        for number in range(300):
            log.record("frame", session=f"s{name}", attempt=number, raw="x" * 500)

    threads = [threading.Thread(target=work, args=(name,)) for name in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert read(tmp_path / "a") == (list(log.entries), [])


# -- when it cannot be written ----------------------------------------------------------------------------


def test_a_full_disk_loses_no_entry_and_is_said_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a line is taken back, recording goes on in memory, the log shows it."""
    log = Log(journal=tmp_path / "a")
    log.record("note", note="before")
    write, room = os.write, [30]

    def full(file: int, lines: bytes) -> int:
        if not room:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(file, lines[: room.pop()])

    with monkeypatch.context() as disk:
        disk.setattr(os, "write", full)
        entry = log.record("note", note="lost from the file")
    log.record("note", note="after")
    assert entry.note == "lost from the file"
    assert [row.note for row in log.entries][0::3] == ["before", "after"]
    said = log.entries[2]
    assert said.kind is Kind.NOTE
    assert "No space left on device" in str(said.note)
    assert len(log) == 4
    assert isinstance(log.journal_error, LogError)
    assert "journal ended" in repr(log)
    entries, skipped = read(tmp_path / "a")
    assert [row.note for row in entries] == ["before"]
    assert skipped == []


def test_closing_ends_the_journal_but_not_the_log(tmp_path: Path) -> None:
    """What comes after is in memory only, and says so."""
    log = Log(journal=tmp_path / "a")
    log.record("note", note="in the file")
    log.close()
    log.close()
    assert log.journal_error is None
    log.record("note", note="in memory")
    log.extend([Entry(1, 1, 1, Kind.NOTE, note="in memory")])
    assert [str(row.note).split(" ends")[0] for row in log.entries] == [
        "in the file", "in memory", "The journal a", "in memory",
    ]  # fmt: skip
    assert [row.note for row in read(tmp_path / "a")[0]] == ["in the file"]
    Log().close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_does_not_write_into_its_parents_journal(tmp_path: Path) -> None:
    """It records in memory, even when a thread of the parent was recording at that moment."""
    log = Log(journal=tmp_path / "a")
    log.record("note", note="parent")
    log._lock.acquire()
    child = os.fork()
    if child == 0:
        log.record("note", note="child")
        os._exit(0 if len(log) == 3 and log.journal_error is not None else 1)
    log._lock.release()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    log.record("note", note="parent again")
    assert [row.note for row in read(tmp_path / "a")[0]] == ["parent", "parent again"]


# -- keeping few in memory --------------------------------------------------------------------------------


@pytest.mark.parametrize("keep", [1, 1000, 2 * CHUNK])
@pytest.mark.parametrize("bulk", [False, True])
def test_a_log_that_keeps_few_entries_still_shows_all(tmp_path: Path, keep: int, bulk: bool) -> None:
    """By index, slice, iteration, table and view; and no more than about so many are held."""
    whole, log = Log(redactor=Redactor(b"k")), Log(redactor=Redactor(b"k"), journal=tmp_path, keep=keep)
    filled(whole, 2 * CHUNK + 100)
    for _ in range(2):
        log.extend(whole.entries) if bulk else filled(log, 2 * CHUNK + 100)
    count = len(whole)
    assert log._sealed.held + len(log._rows) <= max(keep, 256) + CHUNK
    assert len(log) == 2 * count
    strip = [row[3:] for row in whole.entries]
    assert [row[3:] for row in log.entries] == strip * 2
    assert [row.seq for row in log.entries] == list(range(1, 2 * count + 1))
    for place in (0, 255, 256, CHUNK, count, 2 * count - 1, -1):
        assert log.entries[place].seq == range(1, 2 * count + 1)[place]
    assert [row.seq for row in log.entries[CHUNK - 2 : CHUNK + 2]] == list(range(CHUNK - 1, CHUNK + 3))
    assert log.table()["seq"].tolist() == list(range(1, 2 * count + 1))
    log.record("frame", text="one more")
    assert log.table()["text"].tolist()[-1] == "one more"
    assert len(log.frames) == 2 * count + 1
    assert read(log.journal or tmp_path)[0] == list(log.entries)


def test_keeping_needs_a_journal_and_a_number(tmp_path: Path) -> None:
    """Entries are never thrown away."""
    with pytest.raises(InputError, match="needs a journal"):
        Log(keep=1000)
    with pytest.raises(InputError, match="keeps nothing"):
        Log(keep=0, journal=tmp_path)


def test_a_journal_that_was_moved_is_an_error_when_it_is_needed(tmp_path: Path) -> None:
    """Not a shorter log; what is in memory can still be seen."""
    log = Log(journal=tmp_path / "a", keep=1)
    filled(log, 1000)
    (tmp_path / "a").rename(tmp_path / "b")
    assert log.entries[-1].seq == 1000
    with pytest.raises(LogError, match="moved or changed"):
        log.entries[0]


def test_nothing_is_put_away_that_the_journal_does_not_hold(tmp_path: Path) -> None:
    """After it ended, everything stays in memory."""
    log = Log(journal=tmp_path / "a", keep=1)
    filled(log, 300)
    log.close()
    filled(log, 1000)
    assert [row.seq for row in log.entries] == list(range(1, 1302))


# -- the way back -----------------------------------------------------------------------------------------


def journal(tmp_path: Path, *lines: str | bytes, **header: Any) -> Path:
    """Write a journal by hand."""
    head = {"format": "guestlab journal", "version": VERSION, "columns": [], **header}
    path = tmp_path / "by hand"
    parts = [line if isinstance(line, bytes) else line.encode() + b"\n" for line in lines]
    path.write_bytes(json.dumps(head).encode() + b"\n" + b"".join(parts))
    return path


GOOD = '{"seq":1,"at":2,"monotonic_ns":3,"kind":"note","note":"good"}'


def test_what_was_recorded_comes_back(tmp_path: Path) -> None:
    """Every value, of the same type; also through the bulk way into another log."""
    log = Log(journal=tmp_path / "a")
    filled(log, CHUNK + 50)
    entries, skipped = read(tmp_path / "a")
    assert entries == list(log.entries)
    assert skipped == []
    assert [list(map(type, row)) for row in entries[:3]] == [list(map(type, row)) for row in log.entries[:3]]
    copy = Log()
    copy.extend(entries)
    assert list(copy.entries) == list(log.entries)


@pytest.mark.parametrize("cut", [1, 5, 30, len(GOOD)])
def test_a_torn_last_line_is_reported_and_the_rest_recovered(tmp_path: Path, cut: int) -> None:
    """Wherever it is torn; when only the end of the line is missing, the entry is whole."""
    torn = GOOD.replace("1", "2", 1).encode()[:cut]
    entries, skipped = read(journal(tmp_path, GOOD, torn))
    assert [row.seq for row in entries] == [1, 2][: 1 + (cut == len(GOOD))]
    assert [place for place, why in skipped if "torn" in why] == ["line 3"][: int(cut < len(GOOD))]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("nonsense", "no JSON object"),
        ("[1]", "no JSON object"),
        (b"\xff\xfe\n", "no JSON object"),
        ('{"seq":2,"at":1,"monotonic_ns":1}', "has no kind"),
        ('{"seq":"x","at":1,"monotonic_ns":1,"kind":"note"}', "seq or kind"),
        ('{"seq":2,"at":1,"monotonic_ns":1,"kind":"packet"}', "seq or kind"),
        ('{"seq":2,"at":1,"monotonic_ns":1,"kind":[]}', "seq or kind"),
    ],
)
def test_a_bad_line_is_left_out_and_reported(tmp_path: Path, line: str | bytes, why: str) -> None:
    """The lines around it are read."""
    entries, skipped = read(journal(tmp_path, GOOD, line, GOOD))
    assert [row.note for row in entries] == ["good", "good"]
    assert [place for place, said in skipped if why in said] == ["line 3"]


def test_columns_of_another_version_are_left_out_and_reported_once(tmp_path: Path) -> None:
    """Named in the header or not; their lines are read."""
    coloured = GOOD.replace("{", '{"colour":"red","shade":5,')
    entries, skipped = read(journal(tmp_path, coloured, coloured, columns=["seq", "colour"]))
    assert [row.note for row in entries] == ["good", "good"]
    assert [place for place, _ in skipped] == ["column 'colour'", "column 'shade'"]


def test_values_no_column_can_hold_become_missing(tmp_path: Path) -> None:
    """As on the way in from the wire: NaN, absurd numbers, words of a newer set, lone surrogates."""
    odd = GOOD.replace("}", ',"latency_ms":NaN,"size":1%s,"stage":"brewing","text":"\\ud800"}' % ("0" * 40))
    entry = read(journal(tmp_path, odd))[0][0]
    assert (entry.latency_ms, entry.size, entry.stage) == (None, None, None)
    log = Log()
    log.extend([entry])
    assert log.entries[0].text == "\\ud800"


def test_a_newer_version_is_refused(tmp_path: Path) -> None:
    """With the version, and what to do."""
    with pytest.raises(LogError, match=f"version {VERSION + 1}"):
        read(journal(tmp_path, GOOD, version=VERSION + 1))


@pytest.mark.parametrize("content", [b"", b"{}\n", b"\xff", b'{"format":"guestlab journal"}\n'])
def test_what_is_no_journal_is_refused(tmp_path: Path, content: bytes) -> None:
    """And so is a file that is not there."""
    path = tmp_path / "other"
    with pytest.raises(LogError, match="cannot be read"):
        read(path)
    path.write_bytes(content)
    with pytest.raises(LogError, match="is no journal"):
        read(path)


# -- kill -9 ----------------------------------------------------------------------------------------------


@pytest.mark.skipif(os.name != "posix", reason="no SIGKILL here")
def test_a_killed_process_loses_nothing_it_acknowledged() -> None:
    """Five processes, each killed at a moment of its own."""
    ends = killed(5, seed=1)
    assert [end.missing for end in ends] == [0] * 5
    assert all(end.acknowledged for end in ends)


@pytest.mark.parametrize("wrong", ["a", 1.5, True, float("nan")])
def test_a_keep_that_is_no_number_of_entries_is_refused(tmp_path: Path, wrong: Any) -> None:
    """In words, before there is a file."""
    with pytest.raises(InputError, match="is no number of entries"):
        Log(journal=tmp_path / "a", keep=wrong)
    with pytest.raises(InputError):
        Log(keep=wrong)
    assert list(tmp_path.iterdir()) == []


def test_a_path_with_a_slash_at_its_end_is_a_folder(tmp_path: Path) -> None:
    """It is made where it is missing, and every log gets a file of its own in it."""
    logs = [Log(journal=f"{tmp_path}/new/runs/") for _ in range(2)]
    assert {log.journal.parent for log in logs if log.journal} == {tmp_path / "new" / "runs"}
    assert len(list((tmp_path / "new" / "runs").iterdir())) == 2
    (tmp_path / "file").write_text("x")
    with pytest.raises(LogError, match="cannot be written"):
        Log(journal=f"{tmp_path}/file/")
    for log in logs:
        log.close()
