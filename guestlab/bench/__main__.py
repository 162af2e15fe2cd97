"""`python -m guestlab.bench`: run one benchmark, or all of them."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from guestlab.bench.chaos import chaos
from guestlab.bench.matrix import matrix

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from guestlab.bench import Outcome

# name → (run, shorter run). A seed is passed to both.
BENCHMARKS: dict[str, tuple[Callable[[int], Outcome], Callable[[int], Outcome]]] = {
    "chaos": (
        lambda seed: chaos(seed=seed),
        lambda seed: chaos(messages=500, cuts=20, seed=seed),
    ),
    "matrix": (lambda _: matrix(), lambda _: matrix(pairs=5)),
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
    outcomes = []
    for name in names:
        outcomes.append(BENCHMARKS[name][options.quick](options.seed))
        if not options.json:
            print(outcomes[-1], flush=True)
    if options.json:
        print(json.dumps([asdict(outcome) for outcome in outcomes]))
    return 0 if all(outcome.met for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
