"""Benchmarks and stress runs: `python -m guestlab.bench NAME [--quick] [--json]`.

Each prints what it measured and whether its promise holds, and exits with 0 or 1. Speed is a ratio of two
things measured in one run, never seconds; a stress run prints its seed and replays from it.
"""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from guestlab.bench.pairs import Ratio

__all__ = ["Outcome", "environment"]

_MEASURED_WITH = ("pandas", "pyarrow", "websockets", "httpx", "msgspec", "numpy")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one benchmark found.

    Attributes:
        name: What was measured.
        promise: What is promised of it.
        met: Whether that holds.
        facts: What was found, by name.
        rows: The promises it consists of, where there are several; it is met when all of them are.
    """

    name: str
    promise: str
    met: bool
    facts: dict[str, Any] = field(default_factory=dict)
    rows: tuple[Outcome, ...] = ()

    @classmethod
    def of_ratio(cls, name: str, promise: str, ratio: Ratio, *, most: float, **facts: Any) -> Outcome:
        """Judge a ratio: missed only when its whole 95 % interval lies above what is promised."""
        said = ratio.times_faster if "faster" in promise else str(ratio)
        medians = f"{_shown(ratio.ours_median)} against {_shown(ratio.theirs_median)}"
        facts = {"ratio": said, "pairs": ratio.pairs, "medians": medians} | facts
        return cls(name=name, promise=promise, met=ratio.keeps(most), facts=facts)

    @classmethod
    def of_rows(cls, name: str, promise: str, rows: Sequence[Outcome], **facts: Any) -> Outcome:
        """Put several together."""
        met = all(row.met for row in rows)
        return cls(name=name, promise=promise, met=met, facts=facts, rows=tuple(rows))

    def __str__(self) -> str:
        lines = [f"{'met' if self.met else 'MISSED'}  {self.name}: {self.promise}"]
        lines += [f"      {name}: {value}" for name, value in self.facts.items()]
        lines += ["    " + line for row in self.rows for line in str(row).splitlines()]
        return "\n".join(lines)


def environment() -> dict[str, str]:
    """Say what this machine is and what it runs: a ratio of another one may differ."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": str(os.cpu_count()),
        "load": f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown",
        **{name: _version(name) for name in _MEASURED_WITH},
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _shown(number: float) -> str:
    return f"{number:,.0f}" if number >= 1000 else f"{number:.3g}"
