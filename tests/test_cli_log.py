"""`guestlab log`: what it prints, what it writes, and with which exit status."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from guestlab.cli import log as commands
from guestlab.cli import main
from guestlab.log import Log
from guestlab.log.reading import read
from guestlab.log.writing.lines import write_jsonl
from tests.log.made_logs import SECRETS, differing, new_log, planted_log

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A log as JSON Lines."""
    log = new_log()
    log.record("frame", session="s1", direction="received", class_name="StructuredMessage", message_direction="Outbound",
               message_type="Text", message_id="m1", message_time="2026-01-01T00:00:00Z", text="Hi\x1b[31m\nthere\u202e")  # fmt: skip
    log.record("attempt", attempt=1, ok=False, http_status=401, rule="upgrade.deployment-missing")
    log.record("close", session="s1", close_code=1006)
    return write_jsonl(log, tmp_path / "a.jsonl")


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    """What a command prints with --json."""
    assert main(["log", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("view", commands.SHOWN)
def test_every_view_is_shown(file: Path, capsys: pytest.CaptureFixture[str], view: str) -> None:
    """One line per row under the names of the columns; nothing of it moves the cursor."""
    assert main(["log", "show", str(file), "--view", view]) == 0
    out = capsys.readouterr().out
    lines = out.splitlines()
    assert lines[0].split() == list(commands.SHOWN[view])
    assert not any(character in out for character in "\x1b\u202e\r")
    found = read(file)
    frame = found.table() if view == "table" else getattr(found, view)
    assert len(lines) == max(len(frame), 1) + 1


def test_messages_are_shown_by_default_each_on_one_line(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever they hold."""
    main(["log", "show", str(file)])
    assert "Hi�[31m⏎there�" in capsys.readouterr().out


def test_the_tail_is_the_end(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The last rows of the view."""
    rows = told(capsys, "show", str(file), "--view", "table", "--tail", "2")["rows"]
    assert [row["seq"] for row in rows] == [2, 3]
    assert told(capsys, "show", str(file), "--tail", "0")["rows"] == []


@pytest.mark.parametrize(
    ("arguments", "keys"),
    [
        (("show", "FILE"), "view entries columns rows skipped"),
        (("summary", "FILE"), "entries rows skipped"),
        (("convert", "FILE", "OUT.csv"), "written format entries skipped"),
    ],
)
def test_the_keys_for_machines_are_those_of_the_help(
    file: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], keys: str
) -> None:
    """And they stay."""
    paths = {"FILE": str(file), "OUT.csv": str(file.parent / "b.csv")}
    assert set(told(capsys, *(paths.get(word, word) for word in arguments))) == set(keys.split())
    with pytest.raises(SystemExit):
        main(["log", arguments[0], "--help"])
    named = " ".join(capsys.readouterr().out.split()).partition("JSON keys: ")[2]
    assert [
        word.partition("[")[0] for word in named.split() if not word.endswith(("why}]", "place", "count"))
    ][: len(keys.split()) - 1]
    assert all(key in named for key in keys.split())


def test_the_rows_for_machines_hold_every_column(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Times in ISO 8601, missing values null."""
    document = told(capsys, "show", str(file))
    (row,) = document["rows"]
    assert list(row) == document["columns"]
    assert row["time"] == "2026-01-01T00:00:00.000000000Z"
    assert row["latency_ms"] is None
    assert row["text"] == "Hi\x1b[31m\nthere\u202e"


def test_the_summary_is_printed(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same rows as log.summary()."""
    assert main(["log", "summary", str(file)]) == 0
    out = capsys.readouterr().out
    for row in told(capsys, "summary", str(file))["rows"]:
        assert row["what"] in out


@pytest.mark.parametrize(
    ("out", "kind"),
    [
        ("b.jsonl", "jsonl"),
        ("b.ndjson", "jsonl"),
        ("B.CSV", "csv"),
        ("b.har", "har"),
        ("b.zip", "bundle"),
        ("b.parquet", "parquet"),
        ("b/", "parquet"),
    ],
)
def test_a_log_is_converted_by_the_ending(
    file: Path, capsys: pytest.CaptureFixture[str], out: str, kind: str
) -> None:
    """And comes back the same."""
    document = told(capsys, "convert", str(file), f"{file.parent}/{out}")
    assert (document["format"], document["entries"]) == (kind, 3)
    assert differing(read(file), read(document["written"])) == []


def test_the_format_may_be_named(file: Path, tmp_path: Path) -> None:
    """Where the ending says nothing."""
    assert main(["log", "convert", str(file), str(tmp_path / "x"), "--to", "csv"]) == 0
    assert (tmp_path / "x").read_text().startswith("seq,at,")


def test_several_files_become_one(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The last name is where to write."""
    other = new_log()
    other.record("note", at_ns=1)
    write_jsonl(other, file.parent / "b.jsonl")
    document = told(
        capsys, "convert", str(file), str(file.parent / "b.jsonl"), str(file.parent / "both.jsonl")
    )
    assert document["entries"] == 4


def test_one_file_named_twice_is_one_log(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And it is told that the second was left out."""
    document = told(capsys, "summary", str(file), str(file))
    assert document["entries"] == 3
    assert document["skipped"][0]["why"] == "it is the same run as a.jsonl"


def test_a_dataset_that_holds_something_is_added_to_only_when_asked(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same log converted twice is in it once all the same; another one is added."""
    out = str(file.parent / "x.parquet")
    assert main(["log", "convert", str(file), out]) == 0
    with pytest.raises(SystemExit) as ended:
        main(["log", "convert", str(file), out])
    assert ended.value.code == 2
    assert "--append" in capsys.readouterr().err
    assert len(read(out)) == 3
    assert main(["log", "convert", str(file), out, "--append"]) == 0
    assert len(read(out)) == 3
    other = Log()
    other.record("note", note="another")
    other.to_jsonl(file.parent / "b.jsonl")
    assert main(["log", "convert", str(file.parent / "b.jsonl"), out, "--append"]) == 0
    assert len(read(out)) == 4
    with pytest.raises(SystemExit):
        main(["log", "convert", str(file), str(file.parent / "x.csv"), "--append"])


@pytest.mark.parametrize("wrong", ["-1", "x", "1.5", ""])
def test_a_tail_that_is_no_number_is_said_to_be_none(
    file: Path, capsys: pytest.CaptureFixture[str], wrong: str
) -> None:
    """In words of the command, not of its source."""
    with pytest.raises(SystemExit):
        main(["log", "show", str(file), f"--tail={wrong}"])
    err = capsys.readouterr().err
    assert "is no number of rows" in err
    assert "_count" not in err


def test_how_much_was_skipped_is_told_in_full(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Though only the beginning is listed."""
    (tmp_path / "a.txt").write_text('> {"action":"echo"}\n' + "what is this?\n" * 1500)
    assert main(["log", "show", str(tmp_path / "a.txt")]) == 0
    assert "and 1,499 more" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["show"],
        ["show", "FILE", "--view", "nonsense"],
        ["show", "FILE", "--tail", "-1"],
        ["show", "FILE", "--tail", "x"],
        ["convert", "FILE"],
        ["convert", "FILE", "out.doc"],
        ["convert", "FILE", "out.csv", "--to", "doc"],
        ["nonsense"],
    ],
)
def test_wrong_usage_exits_with_2(
    file: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    """And writes nothing."""
    before = sorted(file.parent.iterdir())
    with pytest.raises(SystemExit) as caught:
        main(["log", *(str(file) if word == "FILE" else word for word in arguments)])
    assert caught.value.code == 2
    assert "usage:" in capsys.readouterr().err
    assert sorted(file.parent.iterdir()) == before


@pytest.mark.parametrize("verb", ["show", "summary", "convert"])
def test_an_unreadable_file_exits_with_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    """What, why, next on standard error; with --json an object."""
    out = [str(tmp_path / "b.csv")] if verb == "convert" else []
    assert main(["log", verb, str(tmp_path / "missing\x1b[31m.jsonl"), *out]) == 3
    error = capsys.readouterr().err
    assert "Why:" in error
    assert "Next:" in error
    assert "\x1b" not in error
    assert main(["log", verb, str(tmp_path / "missing"), *out, "--json"]) == 3
    assert {"error", "what", "why", "next_step", "evidence"} == set(json.loads(capsys.readouterr().out))
    assert not (tmp_path / "b.csv").exists()


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What a tool prints, piped."""
    text = b'Connected (press CTRL+C to quit)\n> {"action":"echo","token":"8b6c1d1e-0000-4000-8000-000000000001"}\n'
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
    rows = told(capsys, "show", "-", "--view", "frames")["rows"]
    assert [row["action"] for row in rows] == ["echo"]
    assert "8b6c1d1e" not in json.dumps(rows)


def test_what_was_left_out_is_told(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On standard error, so that a pipe stays clean."""
    with file.open("a") as end:
        end.write('{"torn')
    assert main(["log", "show", str(file)]) == 0
    said = capsys.readouterr()
    assert said.err == "Not read: a.jsonl, line 4: it is no JSON, or torn.\n"
    assert told(capsys, "show", str(file))["skipped"] == [
        {"source_file": "a.jsonl", "place": "line 4", "why": "it is no JSON, or torn"}
    ]


def test_no_secret_of_a_foreign_file_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A capture of another tool holds them bare."""
    frames = [
        f'{{"action":"configureSession","token":"{SECRETS["guest token"]}"}}',
        f'{{"class":"JwtResponse","code":200,"body":{{"jwt":"{SECRETS["history token"]}"}}}}',
        f'{{"class":"PresignedUrlResponse","code":200,"body":{{"url":"https://x/{SECRETS["file address"]}"}}}}',
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(frames))
    for arguments in (["show", "--view", "table", "--json"], ["show", "--view", "frames"], ["summary"]):
        assert main(["log", arguments[0], str(tmp_path / "a.jsonl"), *arguments[1:]]) == 0
    out = capsys.readouterr().out
    for what in ("guest token", "history token", "file address"):
        assert SECRETS[what] not in out


def test_a_planted_log_converted_twice_stays_masked(tmp_path: Path) -> None:
    """Tags survive; reading does not learn them as secrets."""
    first = write_jsonl(planted_log(), tmp_path / "a.jsonl")
    for one, other in (("a.jsonl", "b.har"), ("b.har", "c.csv"), ("c.csv", "d.jsonl")):
        assert main(["log", "convert", str(tmp_path / one), str(tmp_path / other)]) == 0
    assert differing(read(first), read(tmp_path / "d.jsonl")) == []
