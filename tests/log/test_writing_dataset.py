"""The Parquet dataset: its layout, many writers, and what is said where pyarrow is missing."""

from __future__ import annotations

import importlib
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING, Any

import pytest

from guestlab.errors import InputError
from guestlab.log import COLUMNS, Log
from guestlab.log.reading import read
from guestlab.log.writing import dataset
from guestlab.log.writing.dataset import arrow_schema, write_parquet
from tests.log.made_logs import new_log

if TYPE_CHECKING:
    from pathlib import Path

DAY = 86_400 * 10**9


def test_a_dataset_lies_by_day_and_session(tmp_path: Path) -> None:
    """One file per day, sorted by session, then in the order of recording."""
    parquet = importlib.import_module("pyarrow.parquet")
    log = new_log()
    for number, session in enumerate("baab"):
        log.record("note", at_ns=(number // 3) * DAY + number, session=session)
    write_parquet(log, tmp_path / "archive")
    files = sorted((tmp_path / "archive").rglob("*.parquet"))
    assert [file.parent.name for file in files] == ["day=1970-01-01", "day=1970-01-02"]
    first = parquet.ParquetFile(files[0]).read()
    assert first.schema.equals(arrow_schema())
    assert list(zip(first["session"].to_pylist(), first["seq"].to_pylist(), strict=True)) == [
        ("a", 2),
        ("a", 3),
        ("b", 1),
    ]


def test_the_schema_is_that_of_the_table() -> None:
    """Names in order; times in nanoseconds, UTC."""
    schema = arrow_schema()
    assert schema.names == [column.name for column in COLUMNS]
    assert str(schema.field("at").type) == "timestamp[ns, tz=UTC]"


def test_pandas_reads_a_dataset_with_the_types_of_the_table(tmp_path: Path) -> None:
    """Its own reader, and the same numbers."""
    import pandas as pd

    log = new_log()
    log.record("frame", http_status=401, ok=False, text="é", direction="sent")
    frame = pd.read_parquet(write_parquet(log, tmp_path / "archive"))
    assert frame.loc[0, "http_status"] == 401
    assert frame["at"].tolist() == log.table()["at"].tolist()
    assert frame.loc[0, "day"] == "2023-11-14"


def test_two_processes_may_write_into_one_dataset(tmp_path: Path) -> None:
    """Neither overwrites the other, and both logs come back, each in its order, attempts told apart."""
    code = textwrap.dedent("""
        import sys
        from pathlib import Path
        from guestlab.log import Log
        log = Log()
        for number in range(50):
            log.record("note", session=sys.argv[2], note=f"{sys.argv[2]} {number}")
        asked = log.record("request")
        log.record("response", exchange=asked.seq)
        log.record("attempt", attempt=1, session=sys.argv[2])
        log.to_parquet(Path(sys.argv[1]))
    """)
    folder = tmp_path / "archive"
    running = [subprocess.Popen([sys.executable, "-c", code, str(folder), name]) for name in ("one", "two")]
    assert [process.wait(60) for process in running] == [0, 0]
    log = read(folder)
    notes = [entry.note for entry in log.entries if entry.kind == "note"]
    for name in ("one", "two"):
        assert [note for note in notes if str(note).startswith(name)] == [
            f"{name} {number}" for number in range(50)
        ]
    assert sorted(entry.attempt for entry in log.entries if entry.kind == "attempt") == [1, 2]
    for answer in (entry for entry in log.entries if entry.kind == "response"):
        assert log.entries[answer.exchange - 1].kind == "request"


def test_a_log_written_again_takes_the_place_of_itself(tmp_path: Path) -> None:
    """What it wrote before is gone, on every day; what others wrote, and what is no log, stays."""
    log, other = new_log(), new_log()
    for number in range(3):
        log.record("note", note=f"x{number}", at_ns=number * DAY)
    other.record("note", note="other", at_ns=9 * DAY)
    folder = write_parquet(log, tmp_path / "archive")
    write_parquet(other, folder)
    (folder / "day=1970-01-01" / "mine.txt").write_text("x")
    log.record("note", note="earlier", at_ns=-DAY)  # a day before those that are there
    write_parquet(log, folder)
    assert [path.name for path in folder.rglob("*.txt")] == ["mine.txt"]
    (folder / "day=1970-01-01" / "mine.txt").unlink()
    assert sorted(str(entry.note) for entry in read(folder).entries) == ["earlier", "other", "x0", "x1", "x2"]
    assert len(list(folder.rglob("*.parquet"))) == 5


def test_a_forked_log_is_another_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parent and child go on apart, and neither may remove what the other alone wrote."""
    parent, child = new_log(), new_log()
    parent.record("note", note="before the fork", at_ns=1, monotonic_ns=1)
    child.extend(parent.entries)
    parent.record("note", note="parent", at_ns=2, monotonic_ns=2)
    child.record("note", note="child", at_ns=3, monotonic_ns=3)
    write_parquet(parent, tmp_path / "archive")
    monkeypatch.setattr(dataset.os, "getpid", lambda: -1)
    notes = [entry.note for entry in read(write_parquet(child, tmp_path / "archive")).entries]
    assert {"parent", "child"} <= set(notes)


def test_a_copy_of_a_run_counts_once(tmp_path: Path) -> None:
    """Its journal read by somebody else, an export, the live log: the one file is the same run's."""
    log = Log(journal=tmp_path / "run.journal.jsonl")
    for number in range(3):
        log.record("note", note=f"x{number}", at_ns=(1 + number) * DAY)
    log.to_csv(tmp_path / "run.csv")
    folder = log.to_parquet(tmp_path / "archive")
    for copy in ("run.journal.jsonl", "run.csv"):
        read(tmp_path / copy).to_parquet(folder)
        assert sorted(str(entry.note) for entry in read(folder).entries) == ["x0", "x1", "x2"]
        assert len(list(folder.rglob("*.parquet"))) == 3


def test_of_copies_the_longest_stays(tmp_path: Path) -> None:
    """An early copy written late takes nothing away, and a later one replaces it."""
    log = Log()
    log.record("note", note="x0")
    early = log.to_jsonl(tmp_path / "early.jsonl")
    log.record("note", note="x1")
    whole = log.to_jsonl(tmp_path / "whole.jsonl")
    folder = tmp_path / "archive"
    for path, notes in ((early, ["x0"]), (whole, ["x0", "x1"]), (early, ["x0", "x1"])):
        read(path).to_parquet(folder)
        assert [entry.note for entry in read(folder).entries] == notes


def test_copies_without_times_are_not_taken_for_one_run(tmp_path: Path) -> None:
    """Where no clock told when it was, equal entries may be of two runs, and none is lost."""
    for _ in range(2):
        log = new_log()
        log.record("note", note="x", at_ns=DAY, monotonic_ns=0)
        log.to_parquet(tmp_path / "archive")
    assert len(read(tmp_path / "archive")) == 2


def test_of_equal_copies_written_at_once_one_stays(tmp_path: Path) -> None:
    """Four processes, each with a copy of one run: they take turns, and none removes the last."""
    log = Log()
    for number in range(20):
        log.record("note", note=f"x{number}")
    export = log.to_jsonl(tmp_path / "run.jsonl")
    folder = tmp_path / "archive"
    code = "import sys, guestlab as gl; gl.read(sys.argv[1]).to_parquet(sys.argv[2])"
    running = [subprocess.Popen([sys.executable, "-c", code, str(export), str(folder)]) for _ in range(4)]
    assert [process.wait(60) for process in running] == [0, 0, 0, 0]
    assert len(list(folder.rglob("*.parquet"))) == 1
    assert len(read(folder)) == 20


def test_without_file_locks_copies_are_left_where_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows: rather twice than not at all."""
    log = Log()
    log.record("note", note="x")
    folder = log.to_parquet(tmp_path / "archive")
    monkeypatch.setitem(sys.modules, "fcntl", None)
    copy = read(log.to_jsonl(tmp_path / "run.jsonl"))
    copy.to_parquet(folder)
    assert len(list(folder.rglob("*.parquet"))) == 2


def test_an_unfinished_write_is_passed_over(tmp_path: Path) -> None:
    """What begins with a dot is no part of the dataset yet."""
    log = new_log()
    log.record("note", note="x")
    folder = write_parquet(log, tmp_path / "archive")
    (folder / "day=2023-11-14" / ".half.parquet.part").write_bytes(b"PAR1")
    (folder / "day=2023-11-14" / ".half.parquet").write_bytes(b"PAR1")
    back = read(folder)
    assert len(back) == 1
    assert back.skipped == ()


def test_without_pyarrow_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the way out and on the way in; nothing else needs it."""
    log = new_log()
    log.record("note", note="x")
    folder = write_parquet(log, tmp_path / "archive")
    (part,) = folder.rglob("*.parquet")
    found = importlib.import_module

    def hidden(name: str, *rest: Any) -> Any:
        if name.partition(".")[0] == "pyarrow":
            raise ImportError(name)
        return found(name, *rest)

    monkeypatch.setattr(importlib, "import_module", hidden)
    for deed in (lambda: write_parquet(log, tmp_path / "other"), lambda: read(folder), lambda: read(part)):
        with pytest.raises(InputError, match="pyarrow") as caught:
            deed()
        assert "guestlab[parquet]" in caught.value.next_step
    assert not (tmp_path / "other").exists()
    log.to_jsonl(tmp_path / "beside.jsonl")
    back = read(tmp_path)
    assert next(entry.note for entry in back.entries) == "x"
    assert "pyarrow" in back.skipped[0].why


@pytest.mark.parametrize(
    "content", [b"PAR1", b"PAR1" + b"\0" * 500 + b"PAR1", b"PAR1\xff\xff\xff\xff\xff\xff\x7fPAR1"]
)
def test_a_damaged_file_in_a_dataset_costs_itself_only(tmp_path: Path, content: bytes) -> None:
    """The others are read; the report names it."""
    log = new_log()
    log.record("note", note="x")
    folder = write_parquet(log, tmp_path / "archive")
    (folder / "day=2023-11-14" / "torn.parquet").write_bytes(content)
    back = read(folder)
    assert next(entry.note for entry in back.entries) == "x"
    assert [skipped.place for skipped in back.skipped] == ["torn.parquet"]
