"""JSON Lines and CSV: what stands in them, read with other people's tools."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guestlab.log import COLUMNS
from guestlab.log.cells import defused, defused_back
from guestlab.log.reading import read
from guestlab.log.times import iso_of, read_time
from guestlab.log.writing.lines import write_csv, write_jsonl
from tests.log.made_logs import differing, new_log

if TYPE_CHECKING:
    from pathlib import Path

NAMES = [column.name for column in COLUMNS]


def test_a_line_of_json_has_the_filled_columns_in_order(tmp_path: Path) -> None:
    """Times are whole nanoseconds, as in the journal."""
    log = new_log()
    log.record("frame", direction="sent", action="echo", raw="{}", message_time="2026-01-01T00:00:00.5Z")
    (line,) = write_jsonl(log, tmp_path / "a.jsonl").read_text().splitlines()
    row = json.loads(line)
    assert list(row) == [name for name in NAMES if name in row]
    assert row["at"] == 1_700_000_000_123_456_789
    assert row["message_time"] == 1_767_225_600_500_000_000
    assert "note" not in row


def test_a_csv_has_a_head_and_iso_times(tmp_path: Path) -> None:
    """With all nine digits of the second."""
    log = new_log()
    log.record("attempt", ok=False, latency_ms=1.25, note='a,"b"\r\nc')
    path = write_csv(log, tmp_path / "a.csv")
    with path.open(newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert list(row) == NAMES
    assert row["at"] == "2023-11-14T22:13:20.123456789Z"
    assert (row["ok"], row["latency_ms"], row["text"]) == ("false", "1.25", "")
    assert row["note"] == 'a,"b"\r\nc'
    assert path.read_bytes().endswith(b"\r\n"), "RFC 4180"


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\tx",
        "\rx",
        "=cmd|' /C calc'!A0",
        "'=1",
        "''@x",
        "\uff1d1",
        "\n=1",
        "  =1",
        "\ufeff=1",
        "\0@x",
        "\u00a0+1",
        "' =1",
    ],
)
def test_no_cell_begins_as_a_formula_does(tmp_path: Path, text: str) -> None:
    """As Python's csv reads it, which a spreadsheet does alike; and gl.read gives the text back."""
    log = new_log()
    log.record("frame", session=text, text=text, note=text, raw=text, class_name=text)
    path = write_csv(log, tmp_path / "a.csv")
    with path.open(newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    for name in ("session", "text", "note", "raw", "class_name"):
        assert row[name] == f"'{text}"
    assert differing(log, read(path)) == []


@given(st.text(st.sampled_from("'=+-@\t\r\n a\ufeff\0"), max_size=6))
def test_defusing_can_be_taken_back(text: str) -> None:
    """Whatever apostrophes were there before."""
    assert defused_back(defused(text)) == text
    assert not defused(text).lstrip(" \ufeff\0").startswith(("=", "+", "-", "@"))
    assert not defused(text).startswith(("\t", "\r", "\n"))


@given(st.integers(-(2**63), 2**63 - 1))
def test_a_written_time_is_read_to_the_nanosecond(moment: int) -> None:
    """From 1677 to 2262."""
    assert read_time(iso_of(moment)) == moment


@pytest.mark.parametrize(
    ("told", "moment"),
    [
        ("2026-01-01T00:00:00Z", 1_767_225_600 * 10**9),
        ("2026-01-01 01:00:00.25+01:00", 1_767_225_600_250_000_000),
        ("2026-01-01 00:00:00.123456789 UTC", 1_767_225_600_123_456_789),
        ("2026-01-01T00:00", 1_767_225_600 * 10**9),
        (1_767_225_600, 1_767_225_600 * 10**9),
        (1_767_225_600.5, 1_767_225_600_500_000_000),
        ("1767225600123", 1_767_225_600_123_000_000),
        (1_767_225_600_123_456, 1_767_225_600_123_456_000),
        ("yesterday", None),
        (True, None),
        (float("nan"), None),
        (-5, None),
        ("2026-13-01T00:00:00Z", None),
        ("9" * 5000, None),
    ],
)
def test_times_of_others_are_read(told: object, moment: int | None) -> None:
    """ISO 8601, and seconds, milliseconds, microseconds since 1970."""
    assert read_time(told) == moment
