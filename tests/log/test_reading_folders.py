"""Folders, bundles, and finding out what a file is."""

from __future__ import annotations

import io
import json
import os
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from guestlab.errors import InputError, LogError
from guestlab.log import Log
from guestlab.log.reading import bundle, read, read_all, sources
from guestlab.log.reading.detect import format_of_head
from guestlab.log.writing.bundle import write_bundle
from guestlab.log.writing.lines import write_csv, write_jsonl
from tests.log.made_logs import SECRETS, new_log, planted_log

ENTRY = b'{"seq":1,"at":5,"monotonic_ns":0,"kind":"note"}\n'


@pytest.mark.parametrize(
    ("head", "name", "found"),
    [
        (b'{"log":{"version":"1.2","entries":[]}}', "a.txt", "har"),
        (b'{\n  "log": {\n    "creator": {}', "a", "har"),
        (b"\xef\xbb\xbf" + b'{"log": {"entries"', "a", "har"),
        (ENTRY, "a.csv", "jsonl"),
        (b'{"class":"string"}\n', "a.har", "jsonl"),
        (b'{"action":"ec', "a.jsonl", "jsonl"),
        (b"seq,at,monotonic_ns,kind\n", "a.txt", "csv"),
        (b"time;frame\n", "a", "csv"),
        (b"PK\x03\x04rest", "a.jsonl", "bundle"),
        (b"PAR1rest", "a.csv", "parquet"),
        (b"Connected (press CTRL+C to quit)\n", "a.csv", "console"),
        (b"You: hi\nThem: hello\n", "a", "console"),
        (b"anything", "a.txt", "console"),
        (b"anything", "a.parquet", None),
        (b"anything", "a.png", None),
        (b'{"name":"package"}', "package.json", None),
    ],
)
def test_content_tells_before_the_name(head: bytes, name: str, found: str | None) -> None:
    """Files get renamed; bytes do not."""
    assert format_of_head(head, name) == found


def test_a_journal_is_known_by_its_first_line(tmp_path: Path) -> None:
    """And read back by its own reader."""
    log = Log(journal=tmp_path / "run.journal.jsonl")
    log.record("note", note="kept")
    log.close()
    assert [entry.note for entry in read(tmp_path / "run.journal.jsonl").entries] == ["kept"]


def test_a_har_is_read_too(tmp_path: Path) -> None:
    """By content, whatever its name."""
    log = planted_log()
    log.to_har(tmp_path / "devtools.har")
    (tmp_path / "devtools.har").rename(tmp_path / "noname")
    assert {entry.source_file for entry in read(tmp_path / "noname").entries} == {"noname"}


def test_a_folder_is_read_in_the_order_of_time(tmp_path: Path) -> None:
    """Every format, subfolders too; each entry names its file; what is none is reported."""
    (tmp_path / "deeper").mkdir()
    for at, name in ((30, "a.jsonl"), (10, "deeper/b.csv"), (20, "c.zip")):
        log = new_log()
        log.record("note", at_ns=at, note=name)
        log.record("attempt", at_ns=at + 1, attempt=1, ok=False)
        {"a": write_jsonl, "b": write_csv, "c": write_bundle}[name[-5] if "/" in name else name[0]](
            log, tmp_path / name
        ) if "/" not in name else write_csv(log, tmp_path / name)
    (tmp_path / "photo.png").write_bytes(b"\x89PNG")
    (tmp_path / ".hidden").write_bytes(b"x")
    log = read(tmp_path)
    assert [entry.source_file for entry in log.entries] == [
        "b.csv",
        "b.csv",
        "c.zip",
        "c.zip",
        "a.jsonl",
        "a.jsonl",
        "photo.png",
    ]
    assert log.attempts["attempt"].tolist() == [1, 2, 3]
    assert [skipped.source_file for skipped in log.skipped] == ["photo.png"]
    assert log.entries[-1].note == (
        "1 part of photo.png could not be read. The first: the file: it is no HAR, journal, JSON Lines, CSV, "
        "Parquet, bundle, terminal output with guest frames, or saved reply of the Platform API."
    )


def test_answers_find_their_questions_in_every_file(tmp_path: Path) -> None:
    """Numbers go on from file to file."""
    for at, name in enumerate(("a", "b")):
        log = new_log()
        log.record("note", note=name, at_ns=at)
        asked = log.record("request", url=f"https://{name}")
        log.record("response", exchange=asked.seq, url=f"https://{name}")
        write_jsonl(log, tmp_path / f"{name}.jsonl")
    log = read_all([tmp_path / "a.jsonl", tmp_path / "b.jsonl"])
    assert [entry.seq for entry in log.entries] == [1, 2, 3, 4, 5, 6]
    assert [(e.url, log.entries[(e.exchange or 0) - 1].url) for e in log.entries if e.kind == "response"] == [
        ("https://a", "https://a"),
        ("https://b", "https://b"),
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes, and links need a right")
def test_links_and_pipes_in_a_folder_are_left_alone(tmp_path: Path) -> None:
    """A link may lead anywhere, a pipe never ends."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "a.jsonl").write_bytes(ENTRY)
    (tmp_path / "folder" / "b.jsonl").write_bytes(ENTRY)
    (tmp_path / "folder" / "link.jsonl").symlink_to(tmp_path / "a.jsonl")
    (tmp_path / "folder" / "loop").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "folder" / "pipe.jsonl")
    assert [entry.source_file for entry in read(tmp_path / "folder").entries] == ["b.jsonl"]


def test_a_folder_of_too_many_files_is_read_in_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And says so."""
    monkeypatch.setattr(sources, "MOST_FILES", 2)
    for name in "abc":
        (tmp_path / f"{name}.jsonl").write_bytes(ENTRY)
    log = read(tmp_path)
    assert sum(1 for entry in log.entries if entry.note is None) == 2
    assert "1 more" in log.skipped[0].why


@pytest.mark.parametrize("make", ["missing", "empty"])
def test_nothing_to_read_is_an_error(tmp_path: Path, make: str) -> None:
    """What, why, next."""
    path = tmp_path / make
    if make == "empty":
        path.mkdir()
    with pytest.raises(LogError) as caught:
        read(path)
    assert caught.value.what
    assert caught.value.why
    assert caught.value.next_step


def test_a_reader_that_fails_stops_nobody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it raises."""
    (tmp_path / "a.jsonl").write_bytes(ENTRY)
    (tmp_path / "b.csv").write_text("seq,at,kind\n1,6,note\n")
    monkeypatch.setitem(sources.READERS, "csv", "no.such.module")
    log = read(tmp_path)
    assert log.skipped[0] == ("b.csv", "the rest", "reading it failed: ModuleNotFoundError")


# -- bundles ------------------------------------------------------------------------------------------------


def test_a_bundle_holds_what_a_support_case_needs(tmp_path: Path) -> None:
    """Every file is listed with its size and hash; what was masked is counted, never told."""
    import hashlib

    with zipfile.ZipFile(write_bundle(planted_log(), tmp_path / "case.zip")) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    assert set(content) == {
        "log.jsonl", "attempts.csv", "messages.csv", "summary.txt", "config.json", "versions.json", "manifest.json",
    }  # fmt: skip
    manifest = json.loads(content.pop("manifest.json"))
    assert manifest["files"] == {
        name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for name, data in content.items()
    }
    assert manifest["entries"] == content["log.jsonl"].count(b"\n")
    tags = {tag for counts in manifest["masked"].values() for tag in counts}
    assert tags
    assert all(tag.startswith("[masked:") and len(tag) == 17 for tag in tags)
    written = json.dumps(manifest["masked"])
    assert content["log.jsonl"].count(b"[masked:") == sum(
        sum(c.values()) for c in manifest["masked"].values()
    )
    assert not any(secret in written for secret in SECRETS.values())


def test_a_bundle_tells_no_host_user_or_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Versions and the region are enough."""
    import getpass
    import platform
    import socket

    with zipfile.ZipFile(write_bundle(new_log(), tmp_path / "case.zip")) as archive:
        content = b"".join(archive.read(name) for name in archive.namelist()).decode()
    assert platform.python_version() in content
    for told in (str(tmp_path), sys.prefix, f"{Path.home()}/"):
        assert told not in content
    for told in (socket.gethostname(), platform.node()):
        assert f'"{told}"' not in content
    assert f'"{getpass.getuser()}"' not in content


def test_a_bundle_knows_region_and_deployment(tmp_path: Path) -> None:
    """From the addresses that were called."""
    log = new_log()
    log.record("request", url="wss://webmessaging.mypurecloud.de/v1?deploymentId=abc-123")
    with zipfile.ZipFile(write_bundle(log, tmp_path / "case.zip")) as archive:
        config = json.loads(archive.read("config.json"))
    assert config["regions"] == ["mypurecloud.de"]
    assert config["deployment_ids"] == ["abc-123"]
    assert config["published_limits"]["text_length"] == 4096


def test_a_zip_bomb_is_read_up_to_its_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is unpacked is counted; the zip's own word is not taken."""
    monkeypatch.setattr(bundle, "MOST_UNPACKED", 10_000)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("log.jsonl", ENTRY + b" " * 50_000_000)
    log = read(tmp_path / "bomb.zip")
    assert log.entries[0].at == 5
    assert "unpacks to more" in log.skipped[-1].why


def _zip(content: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return packed.getvalue()


DAMAGED = {
    "no log": _zip({"readme.txt": b"x"}),
    "cut": _zip({"log.jsonl": ENTRY * 100})[:500],
    "empty": b"PK\x05\x06" + bytes(18),
    "flipped": _zip({"log.jsonl": ENTRY * 100}).replace(b'"kind"', b'"kine"', 1),
    "garbage": b"PK\x03\x04" + os.urandom(500),
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED.keys())
def test_a_damaged_zip_is_reported(tmp_path: Path, content: bytes) -> None:
    """Never a traceback of zipfile's; what is whole before the damage is read."""
    (tmp_path / "case.zip").write_bytes(content)
    (tmp_path / "good.jsonl").write_bytes(ENTRY)
    log = read(tmp_path)
    assert any(skipped.source_file == "case.zip" for skipped in log.skipped)
    assert any(entry.source_file == "good.jsonl" for entry in log.entries)


def test_names_inside_a_zip_lead_nowhere(tmp_path: Path) -> None:
    """Nothing is unpacked to the disk."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "case.zip").write_bytes(_zip({"../../log.jsonl": ENTRY, "/etc/log.jsonl": ENTRY}))
    assert len(read(tmp_path / "folder" / "case.zip")) == 1
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["case.zip", "folder"]


def test_a_bundle_that_was_changed_says_so(tmp_path: Path) -> None:
    """The hashes of its manifest are looked at; what is there is read all the same."""
    path = write_bundle(planted_log(), tmp_path / "case.zip")
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    assert read(path).skipped == ()
    changed = {**content, "log.jsonl": content["log.jsonl"].replace(b"a colleague", b"an outsider")}
    changed["summary.txt"] += b"x"
    del changed["versions.json"]
    path.write_bytes(_zip(changed))
    log = read(path)
    assert "an outsider" in str(log.entries[0].note)
    assert [(one.place, one.why.split(":")[0]) for one in log.skipped] == [
        ("log.jsonl", "read, but it is not what manifest.json says"),
        ("summary.txt", "read, but it is not what manifest.json says"),
        ("versions.json", "it is missing, though manifest.json lists it"),
    ]


@pytest.mark.parametrize("manifest", [b"", b"[]", b'{"files":{"log.jsonl":7}}', b"[" * 100_000])
def test_a_manifest_that_is_none_costs_itself_only(tmp_path: Path, manifest: bytes) -> None:
    """The log is read; nobody says that it is as it was."""
    (tmp_path / "case.zip").write_bytes(_zip({"log.jsonl": ENTRY, "manifest.json": manifest}))
    log = read(tmp_path / "case.zip")
    assert log.entries[0].at == 5
    assert [one.place for one in log.skipped] == ["manifest.json"]


def test_an_unpacked_bundle_is_read_once(tmp_path: Path) -> None:
    """Its tables say again what its log says."""
    log = planted_log()
    with zipfile.ZipFile(write_bundle(log, tmp_path / "case.zip")) as archive:
        archive.extractall(tmp_path / "case")
    back = read(tmp_path / "case")
    assert len(back) == len(log)
    assert {entry.source_file for entry in back.entries} == {"log.jsonl"}
    assert {one.why for one in back.skipped} == {"it is part of the bundle whose log is log.jsonl"}
    assert len(back.skipped) == 6
    assert len(read(tmp_path / "case" / "messages.csv").messages) == len(log.messages), (
        "named itself, it is read"
    )


def test_one_run_in_several_files_is_read_once(tmp_path: Path) -> None:
    """A journal and what was exported of it beside: the longest counts, the others are named."""
    log = Log(journal=tmp_path / "run.journal.jsonl")
    for number in range(5):
        log.record("note", note=f"{number}")
    log.to_jsonl(tmp_path / "a.jsonl")
    log.to_har(tmp_path / "b.har")
    log.to_bundle(tmp_path / "c.zip")
    log.to_csv(tmp_path / "d.csv")
    log.to_parquet(tmp_path / "e")
    log.record("note", note="after")
    log.close()
    other = Log()
    other.record("note", note="another run")
    other.to_jsonl(tmp_path / "z.jsonl")
    back = read(tmp_path)
    assert [entry.note for entry in back.entries] == ["0", "1", "2", "3", "4", "after", "another run"]
    assert all(one.why.startswith("it is the same run as ") for one in back.skipped)
    assert {one.source_file for one in back.skipped} == {"a.jsonl", "b.har", "c.zip", "d.csv", "e"}
    assert len(back.skipped) == 5


def test_runs_that_differ_later_are_two(tmp_path: Path) -> None:
    """Clocks of tests stand still; the first entry alone would be too little to go by."""
    for name in ("a", "b"):
        log = new_log()
        log.record("note", note="the same")
        log.record("note" if name == "a" else "lifecycle", note="not the same")
        write_jsonl(log, tmp_path / f"{name}.jsonl")
    assert (len(read(tmp_path)), read(tmp_path).skipped) == (4, ())


def test_files_of_one_time_without_clocks_are_no_copies(tmp_path: Path) -> None:
    """Two terminals saved in one moment."""
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text('> {"action":"echo"}\n')
        os.utime(tmp_path / name, ns=(5, 5))
    assert len(read(tmp_path)) == 2


def test_of_a_stray_text_file_few_lines_are_listed(tmp_path: Path) -> None:
    """The note tells how many it was."""
    (tmp_path / "notes.txt").write_text("You: hi\nThem: ho\n\nbuy milk\n" + "and bread\n\n" * 499)
    (tmp_path / "a.jsonl").write_bytes(ENTRY + b"x\n" * 1499)
    log = read(tmp_path)
    skipped = [one for one in log.skipped if one.source_file == "a.jsonl"]
    assert len(skipped) == 21
    assert skipped[-1] == ("a.jsonl", "\u2026", "and 1,479 more")
    assert any("1,499 parts of a.jsonl" in str(entry.note) for entry in log.entries)


def test_several_paths_are_read_as_one(tmp_path: Path) -> None:
    """As the command takes them."""
    for at, name in enumerate(("a", "b")):
        log = new_log()
        log.record("note", note=name, at_ns=at)
        write_jsonl(log, tmp_path / f"{name}.jsonl")
    paths = [tmp_path / "a.jsonl", str(tmp_path / "b.jsonl")]
    assert [entry.note for entry in read(paths).entries] == ["a", "b"]
    assert len(read(iter(paths))) == 2


@pytest.mark.parametrize("wrong", [None, 5, b"a", "", [], [None], ["a", 7], {"a": 1}.values()])
def test_what_is_no_path_is_an_input_error(wrong: Any) -> None:
    """Not whatever pathlib says of it."""
    with pytest.raises(InputError):
        read(wrong)


@pytest.mark.parametrize(
    "content", [b'{"log":{"version":"1.2","creator":{"name":"x"},"entries":[]}}', b"\n\n"]
)
def test_a_whole_file_with_nothing_in_it_is_an_empty_log(tmp_path: Path, content: bytes) -> None:
    """Nothing is wrong with it."""
    (tmp_path / "a.har").write_bytes(content)
    (tmp_path / "a.txt").write_bytes(b"\n\n")
    assert len(read(tmp_path / "a.txt")) == 0
    if content.startswith(b"{"):
        assert (len(read(tmp_path / "a.har")), read(tmp_path / "a.har").skipped) == (0, ())


def test_a_copy_that_is_damaged_in_the_middle_counts_once(tmp_path: Path) -> None:
    """The whole one is read; a log that went on otherwise from the same beginning is another."""
    log = new_log()
    for number in range(9):
        log.record("note", at_ns=10**18 + number, monotonic_ns=1 + number)
    whole = log.to_jsonl(tmp_path / "whole.jsonl")
    lines = whole.read_text().splitlines(keepends=True)
    (tmp_path / "damaged.jsonl").write_text("".join([*lines[:4], "{torn\n", *lines[5:]]))
    other = [line.replace('"kind":"note"', '"kind":"lifecycle"') for line in lines[4:6]]
    (tmp_path / "other.jsonl").write_text("".join([*lines[:4], *other]))
    log = read(tmp_path)
    assert [(one.source_file, one.why) for one in log.skipped] == [
        ("damaged.jsonl", "it is the same run as whole.jsonl")
    ]
    assert len(log.entries) == 9 + 6


def test_a_table_is_no_path() -> None:
    """It is what reading gives."""
    with pytest.raises(InputError, match="A DataFrame is no path"):
        read(Log().table())  # type: ignore[arg-type]


def test_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    """Beside others too: what somebody asked for by name is not passed over."""
    (tmp_path / "a.jsonl").write_bytes(ENTRY)
    with pytest.raises(LogError, match=r"There is no file .*nope"):
        read([tmp_path / "a.jsonl", tmp_path / "nope"])


def test_a_workbook_is_told_from_a_damaged_bundle(tmp_path: Path) -> None:
    """With what to do."""
    path = tmp_path / "log.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    with pytest.raises(LogError) as refused:
        read(path)
    assert "save it as CSV" in refused.value.why
