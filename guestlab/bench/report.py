"""The table of numbers in README.md, written from runs of the benchmarks and never by hand.

`python -m guestlab.bench --all --json > FILE` measures; `python -m guestlab.bench.report FILE …` stores what
was found as `tests/data/measured.json` and rewrites the block between the two marks in README.md. Of several
files the later ones win, benchmark by benchmark, so that one can be measured again alone. Without a file
the block is written again from what is stored. Run it in a clone.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["BEGIN", "END", "STORED", "block", "main", "merged", "with_block"]

BEGIN = "<!-- the numbers: python -m guestlab.bench.report writes what stands here -->"
END = "<!-- end of the numbers -->"

STORED = Path("tests/data/measured.json")

_README = Path("README.md")
_BESIDE = {"pairs", "seconds", "seed", "medians"}

# What of an outcome's facts stands in the table; where nothing is said, its ratio, or all of them.
_SHOWN: Mapping[str, tuple[str, ...]] = {
    "log view": ("opening", "searching"),
    "matrix": ("ratio", "attempts"),
    "widgets": (
        "messages a second",
        "frame to screen, p95 ms",
        "a cell, p95 ms",
        "page heap grew by MB",
        "not run",
    ),
    "connect and configure": ("ratio", "without TLS"),
}


def merged(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Put runs together: of each benchmark the last outcome, with the date and machine it was measured on."""
    outcomes: dict[str, dict[str, Any]] = {}
    for run in runs:
        about = {key: run[key] for key in ("date", "environment") if key in run}
        for outcome in run["outcomes"]:
            outcomes[outcome["benchmark"]] = about | outcome
    return {"outcomes": list(outcomes.values())}


def block(measured: Mapping[str, Any]) -> str:
    """Return the lines between the marks, of what `merged` returned."""
    lines = ["| what | promise | measured | pairs | |", "|---|---|---|---|---|"]
    lines += [_row(outcome) for found in measured["outcomes"] for outcome in _leaves(found)]
    return "\n".join((BEGIN, "", *_machines(measured), *_missing(measured), "", *lines, "", END))


def with_block(readme: str, measured: Mapping[str, Any]) -> str:
    """Return a README with its block written anew.

    Raises:
        ValueError: It has no such block.
    """
    before, _, rest = readme.partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise ValueError(f"README has no block between {BEGIN} and {END}")
    return before + block(measured) + after


def _machines(measured: Mapping[str, Any]) -> Iterator[str]:
    """Say where and when, once for all that was measured alike; and the load each began under."""
    alike: dict[str, list[str]] = {}
    for outcome in measured["outcomes"]:
        about = outcome["environment"]
        versions = ", ".join(
            f"{name} {about[name]}"
            for name in about
            if name not in {"python", "platform", "cores", "load"} and about[name] != "not installed"
        )
        load = f" (load {about['load']})" if "load" in about else ""
        where = f"{about['cores']} cores, {about['platform']}, Python {about['python']}, {versions}"
        alike.setdefault(f"{outcome['date']}, on {where}", []).append(f"`{outcome['benchmark']}`{load}")
    for where, names in alike.items():
        yield f"Measured {where}: {', '.join(names)}."


def _missing(measured: Mapping[str, Any]) -> Iterator[str]:
    """Say of which benchmarks there is no run."""
    from guestlab.bench.__main__ import BENCHMARKS

    there = {outcome["benchmark"] for outcome in measured["outcomes"]}
    missing = [f"`{name}`" for name in BENCHMARKS if name not in there]
    if missing:
        yield f"Not among these runs: {', '.join(missing)}."


def _leaves(outcome: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if not outcome["rows"]:
        yield outcome
    for row in outcome["rows"]:
        yield from _leaves(row)


def _row(outcome: Mapping[str, Any]) -> str:
    facts = outcome["facts"]
    usual = ("ratio",) if "ratio" in facts else tuple(name for name in facts if name not in _BESIDE)
    names = [name for name in _SHOWN.get(outcome["name"], usual) if name in facts]
    shown = [str(facts[name]) if name == "ratio" else f"{name}: {facts[name]}" for name in names]
    verdict = "met" if outcome["met"] else "**not met**"
    cells = (outcome["name"], outcome["promise"], "; ".join(shown), str(facts.get("pairs", "")), verdict)
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def main(paths: Sequence[str]) -> None:
    """Store what the files say, if there are any, and write the README's block."""
    runs = [json.loads(STORED.read_text(encoding="utf-8"))] if STORED.exists() else []
    stored = {"outcomes": [] if not runs else runs[0]["outcomes"]}
    measured = merged([stored, *(json.loads(Path(path).read_text(encoding="utf-8")) for path in paths)])
    STORED.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    _README.write_text(with_block(_README.read_text(encoding="utf-8"), measured), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
