"""Times as files write them: ISO 8601 to the nanosecond, and whatever else others count in."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

__all__ = ["day_of", "iso_of", "read_time"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d{1,9})\d*)?\s?(Z|UTC|[+-]\d\d(?::?\d\d)?)?",
    re.IGNORECASE | re.ASCII,
)
_NUMBER = re.compile(r"\d{1,19}(?:\.\d{1,20})?", re.ASCII)
_INT64 = range(-(2**63), 2**63)
_SECONDS = 1_000_000_000
# Whoever counts from 1970 counts in one of these. The bounds are the year 2286 in each.
_UNITS = ((10**10, _SECONDS), (10**13, 1_000_000), (10**16, 1000))


def iso_of(nanoseconds: int) -> str:
    """Write a time as ISO 8601 in UTC, nothing rounded.

    >>> iso_of(1_700_000_000_123_456_789)
    '2023-11-14T22:13:20.123456789Z'
    """
    seconds, rest = divmod(nanoseconds, _SECONDS)
    return f"{(_EPOCH + timedelta(seconds=seconds)).strftime('%Y-%m-%dT%H:%M:%S')}.{rest:09d}Z"


def day_of(nanoseconds: int) -> str:
    """Return the day of a time, in UTC."""
    return iso_of(nanoseconds)[:10]


def read_time(value: Any) -> int | None:
    """Read a time in nanoseconds since 1970, or None when it is none.

    >>> read_time("2023-11-14T22:13:20.123456789Z") == read_time(1_700_000_000_123_456_789)
    True

    Args:
        value: ISO 8601 (without an offset taken for UTC), or seconds, milliseconds, microseconds or
            nanoseconds since 1970, told apart by their size.
    """
    if isinstance(value, str):
        text = value.strip()
        if (found := _ISO.fullmatch(text)) is not None:
            return _read_iso(*found.groups())
        if _NUMBER.fullmatch(text) is None:
            return None
        value = float(text) if "." in text else int(text)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**63:
        return None
    for bound, unit in _UNITS:
        if value < bound:
            whole, rest = divmod(value, 1)  # a float holds about the microsecond
            return int(whole) * unit + round(rest * unit / 1000) * 1000
    return int(value)


def _read_iso(day: str, clock: str, fraction: str | None, offset: str | None) -> int | None:
    zone = "+00:00" if offset is None or offset.upper() in {"Z", "UTC"} else offset
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}{zone}")
    except ValueError:
        return None
    since = moment - _EPOCH
    nanoseconds = (since.days * 86_400 + since.seconds) * _SECONDS + int((fraction or "").ljust(9, "0"))
    return nanoseconds if nanoseconds in _INT64 else None
