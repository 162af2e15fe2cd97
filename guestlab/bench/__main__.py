"""`python -m guestlab.bench`: run one benchmark, or all of them."""

from __future__ import annotations

import argparse
import json
import sys
import traceback
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from guestlab.bench import Outcome, environment
from guestlab.bench.archives import archives
from guestlab.bench.chaos import chaos
from guestlab.bench.connecting import connecting
from guestlab.bench.flood import flood
from guestlab.bench.fuzz import fuzz
from guestlab.bench.importing import importing
from guestlab.bench.kill import killed
from guestlab.bench.log_view import log_view
from guestlab.bench.matrix import matrix
from guestlab.bench.pairs import FULL, QUICK
from guestlab.bench.receiving import receiving
from guestlab.bench.scale import scale
from guestlab.bench.tables import tables
from guestlab.bench.widgets import widgets

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def _log(pairs: int, entries: int, megabytes: float) -> Outcome:
    """Everything that is promised of the log."""
    rows = [
        receiving(pairs=pairs),
        *tables(entries=entries, pairs=pairs),
        *tables(entries=entries, pairs=pairs, with_arrow=False),
        archives(megabytes=megabytes, pairs=pairs),
    ]
    return Outcome.of_rows("log", "what a log costs, against doing without one", rows)


def _kill(times: int, seed: int) -> Outcome:
    """No entry that was acknowledged is missing, whenever the process ended."""
    ends = killed(times, seed)
    missing = sum(end.missing for end in ends)
    facts = {
        "seed": seed,
        "times killed": len(ends),
        "entries acknowledged": sum(end.acknowledged for end in ends),
        "of these missing": missing,
        "torn lines left out": sum(end.torn for end in ends),
    }
    return Outcome(
        name="kill",
        promise=f"kill -9 at random, {times} times: no acknowledged entry missing after gl.read",
        met=missing == 0 and len(ends) == times,
        facts=facts,
    )


# name → (run, shorter run). A seed is passed to both.
BENCHMARKS: dict[str, tuple[Callable[[int], Outcome], Callable[[int], Outcome]]] = {
    "log": (
        lambda _: _log(FULL, 1_000_000, 100),
        lambda _: _log(QUICK, 300_000, 20),
    ),
    "socket": (lambda _: connecting(), lambda _: connecting(pairs=4 * QUICK)),
    "import": (lambda _: importing(), lambda _: importing(pairs=QUICK)),
    "kill": (lambda seed: _kill(50, seed), lambda seed: _kill(10, seed)),
    "chaos": (
        lambda seed: chaos(seed=seed),
        lambda seed: chaos(messages=500, cuts=20, seed=seed),
    ),
    "fuzz": (lambda seed: fuzz(seed=seed), lambda seed: fuzz(frames=20_000, seed=seed)),
    "flood": (lambda seed: flood(seed=seed), lambda seed: flood(requests=1000, seed=seed)),
    "matrix": (lambda _: matrix(), lambda _: matrix(pairs=QUICK)),
    "scale": (lambda _: scale(), lambda _: scale(pairs=QUICK, few=100, many=1000)),
    "log-view": (lambda _: log_view(), lambda _: log_view(pairs=QUICK)),
    "widgets": (lambda _: widgets(), lambda _: widgets(seconds=10)),
}

__all__ = ["BENCHMARKS", "main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for; 0 when every promise is met, 1 otherwise."""
    parser = argparse.ArgumentParser(prog="python -m guestlab.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of: {', '.join(BENCHMARKS)}")
    parser.add_argument("--all", action="store_true", help="run every benchmark")
    parser.add_argument("--quick", action="store_true", help="smaller, for a first look")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--seed", type=int, default=0, help="replay a stress run (default: 0)")
    options = parser.parse_args(arguments)
    names = list(BENCHMARKS) if options.all else options.names
    if not names or not set(names) <= set(BENCHMARKS):
        parser.error(f"name one of {', '.join(BENCHMARKS)}, or give --all")
    outcomes, machine = [], environment()
    if not options.json:
        print(", ".join(f"{name} {value}" for name, value in machine.items()), flush=True)
    for name in names:
        outcomes.append(_outcome(name, quick=options.quick, seed=options.seed))
        if not options.json:
            print(outcomes[-1], flush=True)
    if options.json:
        found = [
            {"benchmark": name, **asdict(outcome)} for name, outcome in zip(names, outcomes, strict=True)
        ]
        today = datetime.now(UTC).date().isoformat()
        print(json.dumps({"date": today, "environment": machine, "outcomes": found}))
    return 0 if all(outcome.met for outcome in outcomes) else 1


def _outcome(name: str, *, quick: bool, seed: int) -> Outcome:
    """Run one; what cannot be run here is missed, and the others are run all the same."""
    try:
        return BENCHMARKS[name][quick](seed)
    except Exception as error:  # noqa: BLE001 - whatever it is, the others are still to be run
        traceback.print_exc()
        return Outcome(name=name, promise="to be measured", met=False, facts={"could not be run": str(error)})


if __name__ == "__main__":
    sys.exit(main())
