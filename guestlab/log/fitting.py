"""What comes from a wire or a file, fitted into the column it is meant for.

Pure, and wrong values are never the reason of an error: a number that is none becomes missing, a text that
is none becomes its JSON. Only a word outside a closed set that we chose ourselves is refused.
"""

from __future__ import annotations

import json
import math
import operator
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from guestlab.errors import InputError
from guestlab.log.entry import COLUMNS, Kind, Lane, Stage, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = [
    "CLOSED",
    "DIRECTIONS",
    "KINDS",
    "LANES",
    "MESSAGE_DIRECTIONS",
    "STAGES",
    "STEPS",
    "Moments",
    "encodable",
    "fitted",
    "moment",
    "nanoseconds",
    "not_of_its_set",
    "number",
    "size_of",
    "text_of",
    "token_of",
    "whole",
]

KINDS: dict[str | None, Kind] = {str(kind): kind for kind in Kind}
STAGES: dict[str | None, Stage | None] = {None: None, **{str(stage): stage for stage in Stage}}
STEPS: dict[str | None, Step | None] = {None: None, **{str(step): step for step in Step}}
LANES: dict[str | None, Lane | None] = {None: None, **{str(lane): lane for lane in Lane}}
DIRECTIONS: dict[str | None, str | None] = {None: None, "sent": "sent", "received": "received"}
MESSAGE_DIRECTIONS = {"Inbound": "Inbound", "Outbound": "Outbound"}
CLOSED: dict[str, Any] = {
    "kind": KINDS,
    "stage": STAGES,
    "step": STEPS,
    "lane": LANES,
    "direction": DIRECTIONS,
}
"""Column → word → member, for the sets whose words are ours."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_PLATFORM_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)
_FRACTIONS = {f"{milliseconds:03}Z": milliseconds * 1_000_000 for milliseconds in range(1000)}
_SECONDS_REMEMBERED = 64
_INT64 = range(-(2**63), 2**63)


def size_of(raw: str, *, is_frame: bool) -> int:
    """Count the bytes of a frame, or of the body of an HTTP message."""
    content = raw if is_frame else raw.partition("\r\n\r\n")[2]
    return len(content) if content.isascii() else len(content.encode("utf-8", "surrogatepass"))


def token_of(raw: str | None, parsed: object) -> str | None:
    """The top-level `token` of a client frame is the guest token."""
    if not parsed and raw is not None and '"token"' in raw:
        try:
            parsed = json.loads(raw)
        except (ValueError, RecursionError):
            return None
    token = parsed.get("token") if isinstance(parsed, dict) else None
    return token if isinstance(token, str) and token else None


def text_of(value: Any) -> str:
    """Make text of what should have been text."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bytes | bytearray):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, tuple | list | set | frozenset) and all(isinstance(part, str) for part in value):
        return ",".join(value)
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return str(value)


def encodable(text: str) -> str:
    """Spell out lone surrogates, which JSON can smuggle in and UTF-8 cannot hold."""
    if text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode()


def whole(value: Any) -> int | None:
    """Take a whole number of 64 bits; anything else is missing."""
    if type(value) is not int:
        try:
            value = None if isinstance(value, bool) else operator.index(value)
        except TypeError:
            return None
    return value if value is not None and value in _INT64 else None


def moment(value: float) -> int:
    """Fit a clock's answer, which may be a float or absurd, into its column."""
    instant = int(value)
    return instant if instant in _INT64 else 0


def number(value: Any) -> float | None:
    """Take a finite number; anything else is missing."""
    try:
        real = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return real if math.isfinite(real) else None


def nanoseconds(value: Any) -> int | None:
    """Read a time: ISO 8601 text, a datetime, or nanoseconds since 1970. What is none becomes missing."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if isinstance(value, datetime):
        instant = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
        value = (instant - _EPOCH) // _MICROSECOND * 1000
    return whole(value)


class Moments:
    """Reads the times of messages, of which many lie in one second.

    >>> Moments().read("2026-10-01T12:00:00.123Z") == nanoseconds("2026-10-01T12:00:00.123Z")
    True
    """

    def __init__(self) -> None:
        self._seconds: dict[str, int] = {}

    def read(self, text: str | datetime) -> int | None:
        """Read a time as `nanoseconds` does, several times as fast if it is in the platform's own form."""
        if type(text) is str:
            seconds, fraction = self._seconds.get(text[:20]), _FRACTIONS.get(text[20:])
            if seconds is not None and fraction is not None:
                return seconds + fraction
        instant = nanoseconds(text)
        if type(text) is str and instant is not None and _PLATFORM_TIME.fullmatch(text):
            if len(self._seconds) >= _SECONDS_REMEMBERED:
                self._seconds = {}
            self._seconds[text[:20]] = instant - _FRACTIONS[text[20:]]
        return instant


def not_of_its_set(**given: object) -> InputError:
    """Say which of some words is outside its closed set, and what would be inside."""
    name, value = next(
        (name, value)
        for name, value in given.items()
        if not isinstance(value, str | None) or value not in CLOSED[name]
    )
    allowed = ", ".join(str(member) for member in CLOSED[name] if member is not None)
    return InputError(
        f"{value!r} is no {name} of a log entry.",
        why="The column is a closed set, so that every table has the same categories.",
        next_step=f"Use one of {allowed}.",
    )


def fitted(name: str, values: Sequence[Any]) -> Sequence[Any]:
    """Fit the values of one column into it, all at once.

    Args:
        name: The column.
        values: One per entry.

    Raises:
        InputError: `kind`, `stage`, `step`, `lane` or `direction` holds a word outside its closed set.
    """
    types, fit = _FITS[name]
    if types.issuperset(map(type, values)) and (name not in _RANGED or _in_range(values)):
        return values
    if name in _SETS:  # few words, many values
        try:
            member = {word: fit(word) for word in set(values)}
        except TypeError:  # not even hashable
            return list(map(fit, values))
        return list(map(member.__getitem__, values))
    return [None if value is None and name not in _NEVER_MISSING else fit(value) for value in values]


def _in_range(values: Sequence[Any]) -> bool:
    """Tell whether whole numbers fit 64 bits."""
    present = [value for value in values if value is not None] if None in values else values
    return not present or (min(present) in _INT64 and max(present) in _INT64)


def _of_set(name: str) -> Callable[[Any], Any]:
    def member(value: Any) -> Any:
        try:
            return CLOSED[name][value]
        except (KeyError, TypeError):
            raise not_of_its_set(**{name: value}) from None

    return member


def _truth(value: Any) -> bool:
    return bool(value)


def _message_direction(value: Any) -> str | None:
    return MESSAGE_DIRECTIONS.get(value) if isinstance(value, str) else None


_NONE = type(None)
_NEVER_MISSING = frozenset({"seq", "at", "monotonic_ns", "kind"})
_BY_DTYPE: dict[str, tuple[frozenset[type], Callable[[Any], Any]]] = {
    "int64": (frozenset({int}), lambda value: whole(value) or 0),
    "Int64": (frozenset({int, _NONE}), whole),
    "Float64": (frozenset(), number),  # a NaN has the right type
    "boolean": (frozenset({bool, _NONE}), _truth),
    "datetime64[ns, UTC]": (frozenset({int, _NONE}), nanoseconds),
    "str": (frozenset({str, _NONE}), text_of),
}
_BY_NAME: dict[str, tuple[frozenset[type], Callable[[Any], Any]]] = {
    "at": (frozenset({int}), lambda value: moment(value) if isinstance(value, int | float) else 0),
    "kind": (frozenset({Kind}), _of_set("kind")),
    "stage": (frozenset({Stage, _NONE}), _of_set("stage")),
    "step": (frozenset({Step, _NONE}), _of_set("step")),
    "lane": (frozenset({Lane, _NONE}), _of_set("lane")),
    "direction": (frozenset({_NONE}), _of_set("direction")),
    "message_direction": (frozenset({_NONE}), _message_direction),
}
_SETS = frozenset(column.name for column in COLUMNS if column.dtype == "category")
_FITS = {column.name: _BY_NAME.get(column.name) or _BY_DTYPE[column.dtype] for column in COLUMNS}
_RANGED = frozenset(
    column.name for column in COLUMNS if column.dtype in {"int64", "Int64", "datetime64[ns, UTC]"}
)
