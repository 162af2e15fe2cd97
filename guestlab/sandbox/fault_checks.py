"""What a fault may be given: every verb of `faults.py` checks its arguments here, before anything changes.

A fault that cannot strike, or that breaks the sandbox instead of the client, would be found much later and
elsewhere. Each check returns the value as the faults keep it, or raises an `InputError`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from guestlab.errors import InputError

__all__ = ["after_bytes", "count", "how_often", "number", "one_of", "pairs", "probability", "status", "text"]


def _wrong(name: str, value: object, why: str, next_step: str) -> InputError:
    return InputError(f"{name}={value!r} cannot be.", why=why, next_step=next_step)


def count(name: str, value: Any, *, least: int = 0) -> int:
    """A whole number."""
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        why = f"It is a whole number, {least} or more."
        raise _wrong(name, value, why, f"Give one, such as {name}={max(least, 3)}.")
    return value


def how_often(value: Any) -> int | None:
    """How many times a fault strikes; None for always."""
    return None if value is None else count("times", value)


def number(name: str, value: Any) -> float:
    """A length of time in seconds."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < math.inf:
        raise _wrong(name, value, "It is a number of seconds, 0 or more.", f"Give one, such as {name}=0.5.")
    return float(value)


def probability(value: Any) -> float:
    """A share of the times."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1:
        why = "It is a probability, from 0.0 (never) to 1.0 (always)."
        raise _wrong("probability", value, why, "Give one, such as probability=0.3.")
    return float(value)


def after_bytes(value: Any) -> int | tuple[int, int]:
    """A count of bytes, or a range of them."""
    if not isinstance(value, tuple | list):
        return count("after_bytes", value)
    if len(value) != 2 or count("after_bytes", value[0]) > count("after_bytes", value[1]):
        why = "A range has two ends, the lower one first."
        raise _wrong("after_bytes", value, why, "Give one, such as after_bytes=(0, 5000).")
    return (value[0], value[1])


def status(value: Any) -> int:
    """A final HTTP status (RFC 9110 section 15): with 1xx nothing would be answered yet."""
    if not isinstance(value, int) or isinstance(value, bool) or not 200 <= value <= 599:
        why = "A final HTTP status goes from 200 to 599."
        raise _wrong("status", value, why, "Give one, such as status=403.")
    return value


def text(name: str, value: Any) -> str:
    """Words."""
    if not isinstance(value, str):
        raise _wrong(name, value, f"It is a text, not {type(value).__name__}.", "Give it as a string.")
    return value


def pairs(value: Any) -> tuple[tuple[str, str], ...]:
    """Headers: pairs of name and value."""
    rows = [tuple(row) if isinstance(row, tuple | list) else () for row in _rows(value)]
    if any(len(row) != 2 or not all(isinstance(part, str) for part in row) for row in rows):
        why = "Headers are pairs of texts, name and value."
        raise _wrong("headers", value, why, 'Give them so: headers=(("Retry-After", "60"),).')
    return tuple((name, held) for name, held in rows)


def _rows(value: Any) -> Iterable[Any]:
    return value if isinstance(value, tuple | list) else (value,)


def one_of(name: str, value: Any, known: Iterable[str]) -> str:
    """One of some words."""
    words = tuple(known)
    if value not in words:
        raise _wrong(name, value, f"The sandbox knows {', '.join(words)}.", "Take one of these.")
    return str(value)
