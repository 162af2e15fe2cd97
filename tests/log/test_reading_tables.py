"""CSV files that were cut off, and views of a log that were saved as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from guestlab.errors import LogError
from guestlab.log.entry import UNTIMED
from guestlab.log.reading import read
from tests.log.made_logs import new_log

if TYPE_CHECKING:
    from pathlib import Path

    from guestlab.log import Log

FRAME = '{"action":"onMessage","token":"8b6c1d1e-0000-4000-8000-000000000001","message":{"type":"Text"}}'


def said() -> Log:
    """A log of three messages, of which the last has quotes, commas and a line break in it."""
    log = new_log()
    for number, text in enumerate(("one", "two", 'three, "quoted"\nand more'), 1):
        log.record(
            "frame", stage="session", direction="received", session="s", raw=FRAME, text=text,
            message_id=f"m{number}", message_direction="Outbound", message_type="Text",
            message_time="2026-01-01T00:00:00.500Z", at_ns=1_767_225_601_000_000_000 + number,
        )  # fmt: skip
    log.record("attempt", stage="handshake", attempt=1, credential="none", placement="query", ok=False,
               rule="upgrade.x", http_status=401)  # fmt: skip
    return log


def test_a_csv_cut_anywhere_in_its_last_row_leaves_that_row_out(tmp_path: Path) -> None:
    """A half row would come back as a whole one with other values, and nobody would know."""
    whole = said().to_csv(tmp_path / "whole.csv").read_bytes()
    there = [entry._replace(source_file=None) for entry in read(tmp_path / "whole.csv").entries]
    told = 0
    for end in range(whole.index(b"two"), len(whole)):
        (tmp_path / "cut.csv").write_bytes(whole[:end])
        log = read(tmp_path / "cut.csv")
        found = [entry._replace(source_file=None) for entry in log.entries if entry.kind != "note"]
        assert found == there[: len(found)]
        if b"\r\n" not in whole[end - 2 : end + 2]:  # at the end of a row nothing is torn
            assert ["torn" in one.why for one in log.skipped] == [True]
        told += len(log.skipped)
    assert told > 100


def test_a_csv_of_which_nothing_whole_is_left_says_that_it_was_cut(tmp_path: Path) -> None:
    """Rather than that it holds nothing."""
    (tmp_path / "cut.csv").write_text('seq,at,kind,text\r\n1,2026-01-01T00:00:00Z,note,"half')
    with pytest.raises(LogError, match="cut off"):
        read(tmp_path / "cut.csv")


def test_a_quote_that_never_ends_is_told_where_it_begins(tmp_path: Path) -> None:
    """The rows after it are gone with it."""
    rows = ["at,kind,note", "2026-01-01T00:00:00Z,note,a", '2026-01-01T00:00:00Z,note,"b'] + [
        "2026-01-01T00:00:00Z,note,c"
    ] * 3
    (tmp_path / "x.csv").write_text("\n".join(rows) + "\n")
    log = read(tmp_path / "x.csv")
    assert log.entries[0].note == "a"
    assert [(one.place, "torn" in one.why) for one in log.skipped] == [("lines 3 to 6", True)]


def test_a_quote_within_a_cell_of_others_is_no_torn_row(tmp_path: Path) -> None:
    """Other tools do not quote as RFC 4180 has it."""
    (tmp_path / "x.csv").write_text('at,kind,note\n2026-01-01T00:00:00Z,note,5" pipe\n')
    log = read(tmp_path / "x.csv")
    assert ([entry.note for entry in log.entries], log.skipped) == (['5" pipe'], ())


def test_a_table_of_messages_comes_back_as_messages(tmp_path: Path) -> None:
    """As pandas writes `log.messages`: its columns are named otherwise than the log's."""
    log = said()
    log.messages.to_csv(tmp_path / "messages.csv", index=False)
    back = read(tmp_path / "messages.csv")
    columns = ["time", "direction", "type", "text", "message_id", "session", "at"]
    assert back.messages[columns].to_dict() == log.messages[columns].to_dict()
    assert {entry.kind for entry in back.entries} == {"history"}
    assert back.skipped == ()


def test_some_columns_of_messages_are_enough(tmp_path: Path) -> None:
    """A time, a direction and a type."""
    said().messages[["time", "direction", "type", "text"]].to_csv(tmp_path / "few.csv", index=False)
    back = read(tmp_path / "few.csv").messages
    assert back["text"].tolist()[:2] == ["one", "two"]
    assert back["at"].tolist() == back["time"].tolist()


def test_a_table_of_attempts_comes_back_as_attempts(tmp_path: Path) -> None:
    """Though it has no column that says so."""
    log = said()
    log.attempts.to_csv(tmp_path / "attempts.csv", index=False)
    assert read(tmp_path / "attempts.csv").attempts.to_dict() == log.attempts.to_dict()


@pytest.mark.parametrize("view", ["http", "sessions"])
def test_a_view_that_holds_no_entries_is_named(tmp_path: Path, view: str) -> None:
    """So that its reader knows which file to give instead."""
    getattr(said(), view).to_csv(tmp_path / "view.csv", index=False)
    with pytest.raises(LogError, match=rf"it is log\.{view}, a view"):
        read(tmp_path / "view.csv")


def test_a_row_that_tells_its_time_is_never_said_to_be_untimed(tmp_path: Path) -> None:
    """0 on the other clock is kept for what nobody measured."""
    (tmp_path / "x.csv").write_text(
        'time,frame\n2026-01-01T00:00:01Z,"{""action"":""echo""}"\n,"{""action"":""echo""}"\n'
    )
    timed, untimed = read(tmp_path / "x.csv").entries
    assert (timed.monotonic_ns, untimed.monotonic_ns) == (timed.at, UNTIMED)
