"""Benchmarks and stress runs: `python -m guestlab.bench NAME [--quick] [--json]`.

Each prints what it measured and whether its promise holds, and exits with 0 or 1. Speed is a ratio of two
things measured in one run, never seconds; a stress run prints its seed and replays from it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["Outcome"]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one benchmark found."""

    name: str
    promise: str
    met: bool
    facts: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = [f"{'met' if self.met else 'MISSED'}  {self.name}: {self.promise}"]
        lines += [f"      {name}: {value}" for name, value in self.facts.items()]
        return "\n".join(lines)
