"""The row and its public schema."""

from __future__ import annotations

import pytest

from guestlab.log import COLUMNS, Column, Entry, Kind, Stage, columns_markdown

DTYPES = {"int64", "Int64", "Float64", "boolean", "category", "str", "datetime64[ns, UTC]"}


def entry(**fields: object) -> Entry:
    """Make an entry with the four columns that are never missing."""
    return Entry(**{"seq": 1, "at": 0, "monotonic_ns": 0, "kind": Kind.NOTE, **fields})


def test_an_entry_has_one_attribute_per_column_in_the_same_order() -> None:
    """The names are at once the columns and the attributes."""
    assert Entry._fields == tuple(column.name for column in COLUMNS)


def test_every_column_says_what_it_means() -> None:
    """A dtype of the seven, a sentence, and categories exactly where there is a closed set."""
    for column in COLUMNS:
        assert column.dtype in DTYPES, column
        assert column.meaning[-1] in ".…", column
        assert bool(column.categories) == (column.dtype == "category"), column


def test_the_attributes_carry_the_meaning_of_their_columns() -> None:
    """`help(Entry)` reads like the README."""
    assert Entry.latency_ms.__doc__ == next(c.meaning for c in COLUMNS if c.name == "latency_ms")


def test_an_entry_cannot_be_changed() -> None:
    """Frozen, and without a dict to hang things on."""
    row = entry()
    with pytest.raises(AttributeError):
        row.note = "changed"  # type: ignore[misc]
    with pytest.raises(AttributeError):
        row.extra = 1  # type: ignore[attr-defined]


def test_missing_is_none_and_filled_tells_the_rest() -> None:
    """Columns nobody filled are None."""
    row = entry(note="hello", ok=False)
    assert row.url is None
    assert row.filled() == {
        "seq": 1, "at": 0, "monotonic_ns": 0, "kind": "note", "ok": False, "note": "hello"
    }  # fmt: skip


def test_the_repr_is_short_and_plain() -> None:
    """Long texts are cut, missing columns and clocks are left out, enumerations look like words."""
    shown = repr(entry(stage=Stage.TOKEN, raw="x" * 500))
    assert shown == f"<Entry 1 note stage='token' raw='{'x' * 59}…'>"


def test_when_is_the_wall_time_as_a_utc_datetime() -> None:
    """To the microsecond, and correct after 2038."""
    assert entry(at=2_500_000_000_123_456_789).when.isoformat() == "2049-03-22T04:26:40.123456+00:00"


def test_the_schema_writes_itself_as_markdown() -> None:
    """Categories stand beside their dtype; a column without unit leaves the cell empty."""
    columns = (COLUMNS[1], Column("lane", "category", "", "Whose number.", ("http", "close")))
    assert columns_markdown(columns).splitlines()[2:] == [
        "| `at` | `datetime64[ns, UTC]` | ns | Wall time at which it was recorded, or crossed the wire where known. |",
        "| `lane` | `category` (http, close) | | Whose number. |",
    ]
    assert len(columns_markdown().splitlines()) == len(COLUMNS) + 2
