"""Cells of a CSV file: our columns as text that nothing is lost in and no spreadsheet runs, and back.

Pure. A spreadsheet takes a cell that begins with = + - @ or a tab for a formula, quoted or not
(https://owasp.org/www-community/attacks/CSV_Injection), and some trim what is blank before it. Such a text
gets an apostrophe in front, which reading takes off again. Numbers and times are written by us and bear none.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from guestlab.log.times import iso_of, read_time

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["READ", "WRITTEN", "defused", "defused_back"]

_FORMULA = r"'*(?:[\t\r\n]|[\s\0\ufeff\u200b]*[=+\-@\uff1d\uff0b\uff0d\uff20])"
"""Full-width signs too, which some spreadsheets take for the plain ones."""
_DANGEROUS = re.compile(_FORMULA)
_DEFUSED = re.compile("'" + _FORMULA)


def defused(text: str) -> str:
    """Put an apostrophe before what a spreadsheet would run.

    >>> defused("=1+1"), defused("a=1")
    ("'=1+1", 'a=1')
    """
    return f"'{text}" if _DANGEROUS.match(text) else text


def defused_back(text: str) -> str:
    """Take the apostrophe off again.

    >>> defused_back(defused("'=1+1"))
    "'=1+1"
    """
    return text[1:] if _DEFUSED.match(text) else text


def _read_whole(cell: str) -> int | None:
    try:
        return int(cell)
    except ValueError:  # also more digits than Python is willing to read
        number = _read_real(cell)  # pandas writes 5.0 where some are missing
        return int(number) if number is not None and abs(number) < 2**53 and number == int(number) else None


def _read_real(cell: str) -> float | None:
    try:
        number = float(cell)
    except ValueError:
        return None
    return number if abs(number) < float("inf") else None


def _read_truth(cell: str) -> bool | None:
    return {"true": True, "false": False, "1": True, "0": False}.get(cell.lower())


def _write_truth(value: Any) -> str:
    return "true" if value else "false"


def _write_text(value: Any) -> str:
    return defused(str(value))


WRITTEN: dict[str, Callable[[Any], str]] = {
    "int64": str,
    "Int64": str,
    "Float64": repr,
    "boolean": _write_truth,
    "datetime64[ns, UTC]": iso_of,
    "category": str,
    "str": _write_text,
}
"""Dtype of a column → how a value that is not missing is written."""

READ: dict[str, Callable[[str], Any]] = {
    "int64": _read_whole,
    "Int64": _read_whole,
    "Float64": _read_real,
    "boolean": _read_truth,
    "datetime64[ns, UTC]": read_time,
    "category": str,
    "str": defused_back,
}
"""Dtype of a column → how a cell that is not empty is read."""
