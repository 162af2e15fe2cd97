"""The log view on a long log: opening it, and filtering it, against writing all rows as HTML.

What anybody would do first is `DataFrame.to_html()` of the seven columns the view shows. The browser's share
is not measured: it gets a hundred rows from the view, and everything from the other. A search may wait for up
to a tenth of a second for the next paint.
"""

from __future__ import annotations

import json
import time

from guestlab.bench import Outcome
from guestlab.bench.pairs import FULL, compare
from guestlab.log import Log
from guestlab.widgets.log_view import LogView

__all__ = ["log_view"]

_PROMISE = "a long log opens in the view, and is filtered there, in less time than its rows take as HTML"
_COLUMNS = ["seq", "at", "direction", "kind", "frame_code", "class_name", "text"]
_RARE = "number 4711"


def log_view(*, entries: int = 100_000, pairs: int = FULL) -> Outcome:
    """Measure so many interleaved pairs.

    Args:
        entries: Of the log.
        pairs: How many.
    """
    log = _filled(entries)
    started = time.perf_counter()
    first = LogView(log)
    assert first.widget is not None
    first.refresh.flush(60.0)
    cold = time.perf_counter() - started  # with ipywidgets, pandas and the whole table
    view = LogView(log)
    assert view.widget is not None
    view.refresh.flush(60.0)
    searches = iter(range(10**9))

    def opened() -> float:
        begun = time.perf_counter()
        one = LogView(log)
        assert one.widget is not None
        one.refresh.flush(60.0)
        taken = time.perf_counter() - begun
        one.close()
        return taken

    def searched() -> float:
        text = f"number {next(searches) % 10_000}"  # another each time, so that nothing is remembered
        begun = time.perf_counter()
        view.filter(text=text)
        view.refresh.flush(60.0)
        return time.perf_counter() - begun

    def written() -> float:
        begun = time.perf_counter()
        log.table()[_COLUMNS].to_html()
        return time.perf_counter() - begun

    opening = compare(opened, written, pairs=pairs)
    filtering = compare(searched, written, pairs=pairs)
    view.filter(text=_RARE)
    found = len(view.page())
    for each in (first, view):
        each.close()
    return Outcome(
        name="log view",
        promise=_PROMISE,
        met=opening.keeps(1.0) and filtering.keeps(1.0) and found > 0,
        facts={
            "entries": entries,
            "pairs": pairs,
            "opening": str(opening),
            "opening, median ms": round(opening.ours_median * 1e3, 1),
            "searching": str(filtering),
            "searching, median ms": round(filtering.ours_median * 1e3, 1),
            "all rows as HTML, median ms": round(opening.theirs_median * 1e3, 1),
            "the first view of the log, its table built for it, ms": round(cold * 1e3, 1),
        },
    )


def _filled(entries: int) -> Log:
    log = Log()
    for number in range(entries):
        text = f"hello, this is number {number}"
        raw = {"type": "message", "class": "StructuredMessage", "code": 200, "body": {"text": text}}
        log.record(
            "frame",
            stage="session",
            lane="frame",
            direction="received" if number % 2 else "sent",
            session=f"session-{number % 40}",
            class_name="StructuredMessage",
            frame_code=200 if number % 97 else 4011,
            text=text,
            raw=json.dumps(raw),
        )
    return log
