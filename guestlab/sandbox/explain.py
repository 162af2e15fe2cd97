"""What the sandbox does, what it does not, and how well each fact is known.

The facts are data (`facts.txt`, and the gateway's own table). Levels: official (the vendor's models, SDKs
and API documents), documented (vendor text), measured (seen on the wire by a named source), inferred (our
deduction, or a default where the sources are silent).
"""

from __future__ import annotations

import textwrap
from functools import cache
from pathlib import Path
from typing import NamedTuple

from guestlab.sandbox.gateway import TABLE

__all__ = ["Fact", "explain", "facts"]


class Fact(NamedTuple):
    """One line of the table."""

    area: str
    what: str
    does: bool
    level: str
    source: str


@cache
def facts() -> tuple[Fact, ...]:
    """Every fact, the gateway's rows first."""
    rows = [Fact("gateway", f"{row.status} when {row.when}", True, row.level, row.source) for row in TABLE]
    for line in Path(__file__).with_name("facts.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            area, does, level, what, source = line.split(" | ")
            rows.append(Fact(area, what, does == "yes", level, source))
    return tuple(rows)


def explain() -> str:
    """The table as text, what it does first."""
    head = (
        "What this sandbox does, and how well each fact is known. Nothing here was checked against the real "
        "cloud by us; `guestlab probe --record` asks one."
    )
    lines = [textwrap.fill(head, 100)]
    for title, does in (("Does", True), ("Does not", False)):
        lines += ["", title, "-" * len(title)]
        for fact in facts():
            if fact.does == does:
                lines += [f"{fact.area}: {fact.what}", f"    {fact.level}: {fact.source}"]
    return "\n".join(lines) + "\n"
