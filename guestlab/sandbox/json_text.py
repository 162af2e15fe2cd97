"""JSON as the sandbox reads and writes it: strict, compact, and always fit for UTF-8."""

from __future__ import annotations

import json
from typing import Any, NoReturn

__all__ = ["read_json", "write_json"]


def read_json(text: str | bytes) -> Any:
    """Decode; NaN and Infinity are no JSON.

    Raises:
        ValueError: It is no JSON, or nested beyond reason.
    """
    try:
        return json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deep") from None


def write_json(value: Any) -> str:
    """Encode compactly, unicode as it is; lone surrogates, which UTF-8 cannot carry, stay escaped."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"))
    return text


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
