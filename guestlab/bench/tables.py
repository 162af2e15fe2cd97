"""The table: a log of a million entries against a list of as many dictionaries.

The opponent is what anybody would write: one dictionary per frame with the ten values one wants to see, and
`pd.DataFrame(rows)`. Ours is `log.table()`, which has all of the log's columns. Each measurement is a process
of its own that fills one of the two and makes the DataFrame. Memory is what its resident memory grew by at
the peak, data and DataFrame together, after pandas was imported. Without pyarrow means that it cannot be
imported there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from guestlab.bench import Outcome
from guestlab.bench.pairs import FULL, interleaved, ratio_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Measured", "tables"]

AGAIN = 1000
"""Entries that come before the table is asked for again."""

_ROUNDS = 5
"""Times it is asked for again; the median counts."""


class Measured(NamedTuple):
    """What one process measured."""

    seconds: float
    """CPU seconds of the first DataFrame."""
    peak: float
    """Bytes the process grew by at its peak, data included."""
    again: float
    """CPU seconds of the DataFrame after further entries; nan for the list, which makes it anew."""
    shape: tuple[int, int]
    """Rows and columns."""


def tables(*, entries: int = 1_000_000, pairs: int = FULL, with_arrow: bool = True) -> list[Outcome]:
    """Measure the three promises of the table, with pyarrow or without.

    Args:
        entries: How many; the promises are about a million.
        pairs: How many pairs of processes.
        with_arrow: Whether pyarrow can be imported in them.
    """
    taken = interleaved(
        lambda: _in_a_process("log", entries, with_arrow=with_arrow),
        lambda: _in_a_process("list", entries, with_arrow=with_arrow),
        pairs=pairs,
        warm_up=False,
    )
    seconds = ratio_of([(our.seconds, their.seconds) for our, their in taken])
    peak = ratio_of([(our.peak / 1e6, their.peak / 1e6) for our, their in taken])
    again = ratio_of([(our.again, their.seconds) for our, their in taken])
    our, their = taken[0]
    facts = {
        "rows x columns": f"{our.shape[0]:,} x {our.shape[1]} against {their.shape[0]:,} x {their.shape[1]}"
    }
    how = "with pyarrow" if with_arrow else "without pyarrow"
    faster, less, again_faster = (10, 0.4, 100) if with_arrow else (1, 1.0, 10)
    speed = f"{faster} x faster" if with_arrow else "no slower"
    memory = f"at most {less:g} of the peak memory" if with_arrow else "no more memory"
    rows = f"{entries:,} entries"
    return [
        Outcome.of_ratio(
            f"{rows} to DataFrame, {how}",
            f"{speed} than pd.DataFrame(list_of_dicts), CPU seconds",
            seconds,
            most=1 / faster,
            **facts,
        ),
        Outcome.of_ratio(f"memory of that, {how}", f"{memory} (RSS, MB)", peak, most=less),
        Outcome.of_ratio(
            f"again after {AGAIN:,} more, {how}",
            f"{again_faster} x faster than pd.DataFrame(list_of_dicts) of everything, CPU seconds",
            again,
            most=1 / again_faster,
        ),
    ]


def _in_a_process(way: str, entries: int, *, with_arrow: bool) -> Measured:
    """Run this module as a program."""
    command = [sys.executable, "-m", __name__, way, str(entries), str(int(with_arrow))]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 - ourselves
    seconds, peak, again, shape = json.loads(said.splitlines()[-1])
    return Measured(seconds, peak, again, tuple(shape))


# -- within the process --------------------------------------------------------------------------------


def _texts(first: int, last: int) -> Iterator[tuple[str, str, str, str]]:
    """Id, time, words and frame of made-up messages; as in `frames.py`, but cheap to make."""
    for number in range(first, last):
        second, milli = divmod(137 * number, 1000)
        moment = f"2026-10-{1 + second // 86400 % 28:02d}T{second // 3600 % 24:02d}:{second // 60 % 60:02d}"
        moment = f"{moment}:{second % 60:02d}.{milli:03d}Z"
        identifier = f"5befde6373a23f32f20b{number:012x}"
        words = f"Your parcel has left our warehouse and should arrive tomorrow ({number})"
        raw = (
            '{"type":"message","class":"StructuredMessage","code":200,"body":{"text":"'
            + words
            + '","type":"Text",'
            f'"direction":"Outbound","id":"{identifier}","channel":{{"time":"{moment}","type":"Private","to":{{}},'
            '"from":{}},"originatingEntity":"Bot","metadata":{"correlationId":"0d6e7b5c-3f41-4c8e-9a57-'
            f'{number:012x}"}}}}}}'
        )
        yield identifier, moment, words, raw


def _log(entries: int, grown: Callable[[], float]) -> tuple[float, float, float, tuple[int, int]]:
    from guestlab.log import Log

    log = Log()

    def fill(first: int, last: int) -> None:
        for identifier, moment, words, raw in _texts(first, last):
            at = 1_790_000_000_000_000_000 + first
            log.record_message(
                raw, at, at, "5f0c2a9e", "StructuredMessage", 200, None, None, identifier, "Outbound", "Text",
                moment, "Bot", None, words, False,
            )  # fmt: skip

    fill(0, entries)
    frame, seconds = _timed(log.table)
    peak, shape = grown(), frame.shape
    rounds = []
    for number in range(_ROUNDS):
        fill(entries + number * AGAIN, entries + (number + 1) * AGAIN)
        frame, taken = _timed(log.table)
        rounds.append(taken)
    assert len(frame) == entries + _ROUNDS * AGAIN
    return seconds, peak, sorted(rounds)[_ROUNDS // 2], shape


def _list(entries: int, grown: Callable[[], float]) -> tuple[float, float, float, tuple[int, int]]:
    import pandas as pd

    rows: list[dict[str, Any]] = [
        {
            "at": 1_790_000_000_000_000_000 + number,
            "direction": "received",
            "class": "StructuredMessage",
            "code": 200,
            "id": identifier,
            "time": moment,
            "type": "Text",
            "from": "Bot",
            "text": words,
            "raw": raw,
        }
        for number, (identifier, moment, words, raw) in enumerate(_texts(0, entries))
    ]
    frame, seconds = _timed(lambda: pd.DataFrame(rows))
    return seconds, grown(), float("nan"), frame.shape


def _timed(make: Callable[[], Any]) -> tuple[Any, float]:
    started = time.process_time()
    made = make()
    return made, time.process_time() - started


def _peak() -> float:
    """Peak of the resident memory, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux: of this program alone; ru_maxrss there also knows the one that started it
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _main(way: str, entries: int, *, with_arrow: bool) -> None:
    """Measure one way and print it as JSON."""
    if not with_arrow:
        sys.modules["pyarrow"] = None  # type: ignore[assignment] # as Python itself marks what is not there
    import pandas as pd

    pd.DataFrame([{"text": "x", "number": 1}])  # what pandas loads late
    before = _peak()
    measured = {"log": _log, "list": _list}[way](entries, lambda: _peak() - before)
    sys.stdout.write(json.dumps(measured) + "\n")
    sys.stdout.flush()
    os._exit(0)  # taking a million dictionaries apart would only take time


if __name__ == "__main__":
    _main(sys.argv[1], int(sys.argv[2]), with_arrow=sys.argv[3] == "1")
