"""Importing: `import guestlab` against `import httpx`, each in a fresh process that times the one line."""

from __future__ import annotations

import subprocess
import sys

from guestlab.bench import Outcome
from guestlab.bench.pairs import FULL, compare

__all__ = ["importing"]

MOST = 1 / 3

_TIMED = "import time; started = time.process_time(); import {}; print(time.process_time() - started)"


def importing(*, pairs: int = FULL) -> Outcome:
    """Measure so many pairs of processes."""
    ratio = compare(lambda: _imported("guestlab"), lambda: _imported("httpx"), pairs=pairs)
    return Outcome.of_ratio(
        "import guestlab", "at most a third of import httpx, CPU milliseconds", ratio, most=MOST
    )


def _imported(name: str) -> float:
    command = [sys.executable, "-c", _TIMED.format(name)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 - ourselves
    return float(said) * 1000
