"""What every way out of a log has in common: equal on the way back, without secrets, whole or not at all."""

from __future__ import annotations

import json
import os
import re
import stat
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from guestlab.errors import InputError, LogError
from guestlab.log import Log
from guestlab.log.reading import read
from guestlab.log.writing.bundle import write_bundle
from guestlab.log.writing.dataset import write_parquet
from guestlab.log.writing.lines import write_csv, write_jsonl
from tests.log.made_logs import SECRETS, differing, logs, new_log, planted_log

if TYPE_CHECKING:
    from collections.abc import Callable

WAYS: dict[str, tuple[Callable[[Log, Path], Path], str]] = {
    "jsonl": (write_jsonl, "log.jsonl"),
    "csv": (write_csv, "log.csv"),
    "parquet": (write_parquet, "archive"),
    "bundle": (write_bundle, "case.zip"),
}
UNHURRIED = settings(
    deadline=None,
    max_examples=25,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking a log takes minutes
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
each_way = pytest.mark.parametrize("way", WAYS)


def written_bytes(path: Path) -> bytes:
    """Everything in a file or folder, zips unpacked."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    found = b""
    for file in files:
        found += file.name.encode() + file.read_bytes()
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as archive:
                found += b"".join(archive.read(name) for name in archive.namelist())
        if file.suffix == ".parquet":
            import pyarrow.parquet as parquet

            found += "\n".join(map(str, parquet.read_table(file, partitioning=None).to_pylist())).encode()
    return found


@pytest.mark.parametrize("way", ["jsonl", "parquet", "bundle"])
@UNHURRIED
@given(log=logs())
def test_a_log_comes_back_equal(tmp_path_factory: pytest.TempPathFactory, way: str, log: Log) -> None:
    """In every column but the name of the file."""
    write, name = WAYS[way]
    path = write(log, tmp_path_factory.mktemp("way") / name)
    back = read(path, redactor=log.redactor)
    assert differing(log, back) == []
    files = {entry.source_file for entry in back.entries}
    assert files <= {path.name} or (
        way == "parquet" and len(files) == 1 and "".join(files).startswith("run ")
    )
    assert back.skipped == ()


@UNHURRIED
@given(log=logs())
def test_a_log_comes_back_equal_from_csv_but_for_empty_texts(
    tmp_path_factory: pytest.TempPathFactory, log: Log
) -> None:
    """An empty text comes back as missing, as the docstring says."""
    path = write_csv(log, tmp_path_factory.mktemp("way") / "log.csv")
    back = read(path, redactor=log.redactor)
    assert [cell for cell in differing(log, back) if cell[2:] != ("", None)] == []


@each_way
def test_an_empty_log_comes_back_empty(tmp_path: Path, way: str) -> None:
    """It is a log all the same."""
    write, name = WAYS[way]
    back = read(write(new_log(), tmp_path / name))
    assert (len(back), back.skipped) == (0, ())


def test_an_empty_har_and_an_empty_journal_come_back_empty(tmp_path: Path) -> None:
    """As every other way of writing an empty log."""
    log = Log(journal=tmp_path / "x.journal.jsonl")
    for path in (log.to_har(tmp_path / "x.har"), tmp_path / "x.journal.jsonl"):
        assert (len(read(path)), read(path).skipped) == (0, ())


@pytest.mark.parametrize("wrong", ["", None, 5])
@pytest.mark.parametrize("name", ["to_har", "to_jsonl", "to_csv", "to_parquet", "to_bundle"])
def test_what_names_no_place_is_not_written_to(name: str, wrong: Any) -> None:
    """An empty path would be the folder one stands in."""
    with pytest.raises(InputError, match="names no place"):
        getattr(new_log(), name)(wrong)


@each_way
def test_a_named_source_file_stays(tmp_path: Path, way: str) -> None:
    """A log that was read from several files still knows which entry came from which."""
    log = new_log()
    log.record("note", note="a", source_file="devtools.har")
    log.record("note", note="b")
    write, name = WAYS[way]
    path = write(log, tmp_path / name)
    first, second = (entry.source_file for entry in read(path).entries)
    assert first == "devtools.har"
    assert second == path.name or (way == "parquet" and re.fullmatch("run [0-9a-f]{16}", str(second)))


@each_way
def test_no_planted_secret_is_in_an_export(tmp_path: Path, way: str) -> None:
    """Not as it is, not encoded; also not one that was learnt after it was recorded."""
    write, name = WAYS[way]
    content = written_bytes(write(planted_log(), tmp_path / name))
    for what, secret in SECRETS.items():
        for shape in (secret, quote(secret, safe=""), json.dumps(secret)[1:-1]):
            assert shape.encode() not in content, what
    assert b"[masked:" in content


@each_way
def test_a_secret_learnt_late_is_masked_in_exports(tmp_path: Path, way: str) -> None:
    """The log itself stays as it was recorded; what leaves the house does not."""
    log = new_log()
    log.record("note", session="Zebra-7788-secret", note="it said Zebra-7788-secret", attempt=1)
    log.learn("Zebra-7788-secret")
    write, name = WAYS[way]
    path = write(log, tmp_path / name)
    assert b"Zebra-7788-secret" not in written_bytes(path)
    (entry,) = read(path).entries
    assert entry.note is not None
    assert entry.note.startswith("it said [masked:")


@each_way
@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX")
def test_only_the_owner_may_read_an_export(tmp_path: Path, way: str) -> None:
    """Mode 0600, whatever the umask says."""
    write, name = WAYS[way]
    before = os.umask(0)
    try:
        path = write(planted_log(), tmp_path / name)
    finally:
        os.umask(before)
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


@each_way
def test_a_log_that_cannot_be_written_says_so(tmp_path: Path, way: str) -> None:
    """What, why, next; no traceback of the system's."""
    (tmp_path / "file").write_text("kept")
    write, name = WAYS[way]
    with pytest.raises(LogError) as caught:
        write(planted_log(), tmp_path / "file" / name)
    assert caught.value.next_step.startswith("Give a path")


@pytest.mark.parametrize("way", ["jsonl", "csv", "bundle"])
def test_a_folder_is_never_replaced(tmp_path: Path, way: str) -> None:
    """It may hold what nobody has a copy of."""
    write, _ = WAYS[way]
    with pytest.raises(LogError, match="is a folder"):
        write(planted_log(), tmp_path)


def test_a_file_is_never_replaced_by_a_dataset(tmp_path: Path) -> None:
    """A dataset is a folder."""
    (tmp_path / "taken").write_text("kept")
    with pytest.raises(LogError, match="is a file"):
        write_parquet(planted_log(), tmp_path / "taken")
    assert (tmp_path / "taken").read_text() == "kept"


@each_way
def test_a_failing_disk_leaves_what_was_there(
    tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither half a file nor a temporary one."""
    write, name = WAYS[way]
    write(planted_log(), tmp_path / name)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    def full(_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(LogError, match="cannot be written") as caught:
        write(planted_log(), tmp_path / name)
    assert "No space left" in caught.value.why
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_the_summary_of_a_bundle_keeps_its_counts(tmp_path: Path) -> None:
    """`getJwt: 1` tells how often, not what; a secret learnt later is masked all the same."""
    log = new_log()
    log.record("frame", direction="sent", action="getJwt")
    log.record("frame", direction="sent", action="onMessage")
    log.record("frame", direction="received", class_name="hunter2-hunter2")
    log.learn("hunter2-hunter2")
    with zipfile.ZipFile(log.to_bundle(tmp_path / "case.zip")) as bundle:
        summary = bundle.read("summary.txt").decode()
    assert "getJwt: 1" in summary
    assert "onMessage: 1" in summary
    assert "hunter2" not in summary
