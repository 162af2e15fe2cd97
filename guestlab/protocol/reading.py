"""Reading hostile JSON: every function takes anything and never raises.

Lives here: how one JSON value becomes one Python value, and `Raw`, the dictionary that hides secrets in
its repr. A value of the wrong type reads as absent; the frame itself keeps it. Nothing here knows any
message class.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from math import isfinite
from typing import Any

__all__ = [
    "DEEPEST",
    "MASK",
    "UNREAD",
    "Raw",
    "instant",
    "mapping",
    "moment",
    "number",
    "switch",
    "too_deep",
    "whole",
    "word",
]

MASK = "•••"

UNREAD: Any = object()
"""Stands where a value will be that is read on demand and kept."""

DEEPEST = 200
"""JSON nested deeper than this is not read: no message comes near, and copying it could fail."""

# Half a surrogate pair is legal in JSON escapes but cannot be written as UTF-8 anywhere else.
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_MILLISECONDS_ABOVE = 1e11  # epoch seconds pass this in the year 5138; epoch milliseconds passed it in 1973
_LONGEST_NUMBER = 32
_WIDEST = 2**63

_SECRET_KEYS = frozenset(
    {"token", "jwt", "code", "idtoken", "refreshtoken", "resumetoken", "sessionjointoken", "authorization"}
    | {"nonce", "codeverifier", "headers"}
)


class Raw(dict[str, Any]):
    """A JSON object as it came: an ordinary dictionary whose repr hides secrets.

    >>> Raw(jwt="eyJhbGci", exp=1)
    {'jwt': '•••', 'exp': 1}
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return repr({key: _masked(key, value) for key, value in self.items()})

    @classmethod
    def of(cls, value: Any) -> Any:
        """Copy a parsed JSON value, objects becoming `Raw` at every level."""
        if isinstance(value, dict):
            return cls((key, cls.of(item)) for key, item in value.items())
        if isinstance(value, list):
            return [cls.of(item) for item in value]
        return value


def _masked(key: str, value: Any) -> Any:
    if key.lower() in _SECRET_KEYS and isinstance(value, (str, dict)) and value:
        return MASK
    if isinstance(value, str) and value.startswith("http") and "?" in value:
        return f"{value.partition('?')[0]}?{MASK}"  # a presigned URL is a secret after the question mark
    return value


def too_deep(value: Any) -> bool:
    """Whether a parsed JSON value is nested deeper than `DEEPEST`; level by level, so no stack overflows."""
    level = [value]
    for _ in range(DEEPEST):
        level = [
            item
            for holder in level
            if isinstance(holder, (dict, list))
            for item in (holder.values() if isinstance(holder, dict) else holder)
        ]
        if not level:
            return False
    return any(isinstance(item, (dict, list)) for item in level)


def word(value: Any) -> str:
    """Read a string; anything else is "". Halves of surrogate pairs become U+FFFD."""
    if type(value) is not str:
        return ""
    return value if value.isascii() else _LONE_SURROGATE.sub("\ufffd", value)


def mapping(value: Any) -> dict[str, Any]:
    """Read an object; anything else is empty."""
    return value if type(value) is dict else {}


def switch(value: Any) -> bool | None:
    """Read a boolean, also one written as the string "true" or "false"."""
    if type(value) is bool:
        return value
    if type(value) is str:
        return {"true": True, "false": False}.get(value.lower())
    return None


def number(value: Any) -> float | None:
    """Read a finite number, also one written as a string (echo metadata does that)."""
    if type(value) is str and len(value) <= _LONGEST_NUMBER:
        try:
            value = float(value)
        except ValueError:
            return None
    if type(value) is int:
        return float(value) if -_WIDEST <= value < _WIDEST else None
    return value if type(value) is float and isfinite(value) and abs(value) < _WIDEST else None


def whole(value: Any) -> int | None:
    """Read a whole number; 2048.0 counts, since the published models call these numbers doubles.

    What does not fit into 64 bits reads as absent: the log's columns could not hold it.
    """
    if type(value) is int:
        return value if -_WIDEST <= value < _WIDEST else None
    read = number(value)
    return int(read) if read is not None else None


def moment(value: Any) -> datetime | None:
    """Read an epoch time: seconds, or milliseconds above 10^11."""
    read = number(value)
    if read is None:
        return None
    try:
        return datetime.fromtimestamp(read / 1000 if read > _MILLISECONDS_ABOVE else read, tz=UTC)
    except (OverflowError, ValueError, OSError):
        return None


def instant(value: Any) -> datetime | None:
    """Read an ISO 8601 time such as 2026-10-01T12:00:00.123Z; without a zone it counts as UTC."""
    if type(value) is not str:
        return None
    try:
        read = datetime.fromisoformat(value)
        if read.tzinfo is UTC:
            return read
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (OverflowError, ValueError):
        return None
