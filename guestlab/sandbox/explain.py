"""What the sandbox does, what it does not, and how well each fact is known.

The facts are data (`facts.txt`, and the gateway's own table). Levels: official (the vendor's models, SDKs
and API documents), documented (vendor text), measured (seen on the wire by a named source), inferred (our
deduction, or a default where the sources are silent).
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from guestlab.sandbox.gateway import TABLE, Row

__all__ = ["Fact", "explain", "facts"]


class Fact(NamedTuple):
    """One line of the table."""

    area: str
    what: str
    does: bool
    level: str
    source: str


def facts(gateway: Iterable[Row] = TABLE) -> tuple[Fact, ...]:
    """Every fact, the gateway's rows first."""
    rows = [Fact("gateway", f"{row.status} when {row.when}", True, row.level, row.source) for row in gateway]
    return (*rows, *_written())


@cache
def _written() -> tuple[Fact, ...]:
    rows = []
    for line in Path(__file__).with_name("facts.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            area, does, level, what, source = line.split(" | ")
            rows.append(Fact(area, what, does == "yes", level, source))
    return tuple(rows)


def explain(gateway: Iterable[Row] = TABLE, notes: Iterable[str] = ()) -> str:
    """The table as text, what it does first.

    Args:
        gateway: The rows of a sandbox's gateway.
        notes: What of a recorded probe is not played back.
    """
    head = (
        "What this sandbox does, and how well each fact is known. Nothing here was checked against the real "
        "cloud by us; `guestlab probe --record` asks one."
    )
    lines = [textwrap.fill(head, 100)]
    lines += [f"Observed answers: {note}" for note in notes]
    known = facts(gateway)
    for title, does in (("Does", True), ("Does not", False)):
        lines += ["", title, "-" * len(title)]
        for fact in known:
            if fact.does == does:
                lines += [f"{fact.area}: {fact.what}", f"    {fact.level}: {fact.source}"]
    return "\n".join(lines) + "\n"
