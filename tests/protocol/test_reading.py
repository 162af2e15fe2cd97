"""Reading single JSON values: liberal, bounded, never raising."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from guestlab.protocol import reading
from guestlab.protocol.reading import DEEPEST, Raw, too_deep

NAN, INFINITY = float("nan"), float("inf")
THEN = datetime(2026, 10, 1, 12, 0, 0, 123000, tzinfo=UTC)

TABLE: list[tuple[str, Any, Any]] = [
    ("word", "a", "a"),
    ("word", "ž🐎", "ž🐎"),
    ("word", "a\ud800b\udfff", "a\ufffdb\ufffd"),
    ("word", None, ""),
    ("word", 7, ""),
    ("mapping", {"a": 1}, {"a": 1}),
    ("mapping", [], {}),
    ("mapping", None, {}),
    ("switch", True, True),
    ("switch", "true", True),
    ("switch", "False", False),
    ("switch", "yes", None),
    ("switch", 1, None),
    ("number", 3, 3.0),
    ("number", 2.5, 2.5),
    ("number", "3600", 3600.0),
    ("number", "x", None),
    ("number", "1" * 33, None),
    ("number", "nan", None),
    ("number", NAN, None),
    ("number", INFINITY, None),
    ("number", True, None),
    ("number", 10**400, None),
    ("number", None, None),
    ("whole", 2048, 2048),
    ("whole", 2048.0, 2048),
    ("whole", "2048", 2048),
    ("whole", 2**63 - 1, 2**63 - 1),
    ("whole", 2**63, None),
    ("whole", 1e300, None),
    ("whole", NAN, None),
    ("whole", False, None),
    ("moment", 1791139139, datetime.fromtimestamp(1791139139, tz=UTC)),
    ("moment", 1791139139000, datetime.fromtimestamp(1791139139, tz=UTC)),
    ("moment", "1791139139", datetime.fromtimestamp(1791139139, tz=UTC)),
    ("moment", 10**17, None),
    ("moment", -(10**17), None),
    ("moment", None, None),
    ("instant", "2026-10-01T12:00:00.123Z", THEN),
    ("instant", "2026-10-01T14:00:00.123+02:00", THEN),
    ("instant", "2026-10-01T12:00:00.123", THEN),
    ("instant", "0001-01-01T00:00:00+14:00", None),
    ("instant", "some_time", None),
    ("instant", "", None),
    ("instant", 7, None),
]


@pytest.mark.parametrize(("name", "value", "read"), TABLE, ids=lambda value: str(value)[:30])
def test_a_value_is_read_or_absent(name: str, value: Any, read: Any) -> None:
    """The right type in, the value out; anything else reads as nothing."""
    result = getattr(reading, name)(value)
    assert result == read
    assert type(result) is type(read)


def test_a_raw_object_hides_secrets_in_its_repr_only() -> None:
    """At every level; the values themselves are untouched."""
    value = {
        "token": "s1",
        "data": {"code": "s2", "list": [{"jwt": "s3"}]},
        "url": "https://bucket/key?signature=s4",
        "headers": {"x": "s5"},
        "code": 200,
        "text": "plain",
    }
    raw = Raw.of(value)
    assert raw == value
    assert not [secret for secret in ("s1", "s2", "s3", "s4", "s5") if secret in repr(raw)]
    assert "s3" not in repr(raw["data"]["list"])
    assert "'code': 200" in repr(raw)
    assert "plain" in repr(raw)


def test_depth_is_measured_without_recursion() -> None:
    """At the limit, beyond it, and far beyond it."""

    def nested(depth: int) -> Any:
        value: Any = 1
        for level in range(depth):
            value = [value] if level % 2 else {"a": value}
        return value

    assert not too_deep(1)
    assert not too_deep(nested(DEEPEST))
    assert too_deep(nested(DEEPEST + 1))
    assert too_deep(nested(100_000))
