"""kill -9 at a random moment: what a journal's log acknowledged is still there.

A child records frames with a journal and acknowledges each on a pipe, as fast as it can; it is killed
after a random number of acknowledgements and a random fraction of a millisecond; then its journal is read.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from guestlab.log.reading import read

__all__ = ["Killed", "killed"]

_CHILD = """
import os, sys
from guestlab.log import Log
log = Log(journal=sys.argv[1], keep=int(sys.argv[2]))
while True:
    entry = log.record("frame", raw='{"n":%d,"text":"%s"}' % (len(log), "x" * (len(log) % 700)))
    os.write(1, b"%d\\n" % entry.seq)
"""
_LATEST = 3000
"""Acknowledgements after which a child is killed at the latest."""


class Killed(NamedTuple):
    """How one child ended."""

    acknowledged: int
    """Entries it had acknowledged."""
    missing: int
    """Of those, entries that are not in its journal as they were."""
    torn: int
    """Lines that were left out: at most the last."""


def killed(times: int, seed: int) -> list[Killed]:
    """Kill so many recording children, one after the other, each at a random moment.

    Args:
        times: How many.
        seed: Decides the moments, as far as a clock allows.
    """
    moments = random.Random(seed)  # noqa: S311 - no secret
    return [_one(moments) for _ in range(times)]


def _one(moments: random.Random) -> Killed:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "journal")
        keep = moments.choice((1, 100_000))
        child = subprocess.Popen(  # noqa: S603 - our own interpreter
            [sys.executable, "-c", _CHILD, str(path), str(keep)], stdout=subprocess.PIPE
        )
        assert child.stdout is not None
        last = b""
        try:
            for _ in range(moments.randrange(1, _LATEST)):
                last = child.stdout.readline()
            time.sleep(moments.random() / 1000)
        finally:
            child.kill()
        with child.stdout as pipe:
            rest = pipe.read()  # what it acknowledged before it was gone
        child.wait()
        return _judged(path, int((last + rest).split()[-1]))


def _judged(path: Path, acknowledged: int) -> Killed:
    log = read(path)
    there = {entry.seq: entry for entry in log.entries}
    whole = sum(
        1 for seq in range(1, acknowledged + 1) if seq in there and f'"n":{seq - 1},' in str(there[seq].raw)
    )
    return Killed(acknowledged, acknowledged - whole, len(log.skipped))
