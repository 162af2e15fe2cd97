"""Disorder: messages that arrived in another order than they were said.

The platform promises no order (level: documented); bursts of a bot have been seen to overtake themselves.
Arrival order is that of `at`, the true order that of `channel.time`; messages history brought have no
arrival and are left out, a message that came again counts once. In a file that tells no time, such as a
terminal's output, arrival order is that of its lines, and `settle_ms` is missing. That is what a reader
would have to hold each message for (`GuestSession(settle=…)`) to hand all of them out in order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from guestlab.analysis.intake import FrameT, columns_of, elapsed, ms, nanoseconds, said
from guestlab.analysis.timing import speakers
from guestlab.log.entry import Column

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["DISORDER_COLUMNS", "LATE_MESSAGES_COLUMNS", "disorder", "late_messages"]

_SESSION, _SEQ, _AT = columns_of("session", "seq", "at")
_ID, _TIME = columns_of("message_id", "time", messages=True)

LATE_MESSAGES_COLUMNS: tuple[Column, ...] = (
    _SESSION,
    _SEQ,
    _ID,
    Column("who", "str", "", "Who said it."),
    _TIME,
    _AT,
    Column("overtaken_by", "int64", "", "Messages that were said later and came earlier."),
    Column("behind_ms", "Float64", "ms", "How far its time lies behind the newest that had come."),
    Column(
        "settle_ms",
        "Float64",
        "ms",
        "Since the first of those that overtook it came; missing where no time of arrival is known.",
    ),
)
"""One row per late message, sorted by (`session`, `at`, `seq`)."""

DISORDER_COLUMNS: tuple[Column, ...] = (
    _SESSION,
    Column("messages", "int64", "", "Messages that arrived live, each counted once."),
    Column("late", "int64", "", "Messages that came after one with a later time."),
    Column("inversions", "int64", "", "Pairs of messages that came in the wrong order."),
    Column(
        "inverted_share", "Float64", "", "Inversions among all pairs, 0 to 1; missing for fewer than two."
    ),
    Column("behind_ms", "Float64", "ms", "The furthest a message's time lay behind the newest; 0 in order."),
    Column(
        "settle_ms",
        "Float64",
        "ms",
        "Holding each message so long puts all in order; 0 in order; "
        "missing where no time of arrival is known.",
    ),
)
"""One row per session, sorted by `session`."""

_READS = ("time", "originating_entity")
_SMALL = 64
"""Up to so many are compared each with each."""


def disorder(messages: FrameT) -> FrameT:
    """Measure per session how far arrival differs from the platform's order.

    Args:
        messages: `log.messages`, `log.frames` or `log.table()`; pandas or Dask.

    Returns:
        A DataFrame with `DISORDER_COLUMNS`.

    Raises:
        InputError: A column is missing.

    >>> from guestlab.analysis import sample
    >>> found = disorder(sample().messages)
    >>> print(found[["messages", "late", "inversions", "behind_ms", "settle_ms"]].to_string(index=False))
     messages  late  inversions  behind_ms  settle_ms
            6     1           1       50.0       40.0
    """
    return said(_disorder, messages, "disorder", _READS, DISORDER_COLUMNS)


def late_messages(messages: FrameT) -> FrameT:
    """List the messages that came after one with a later time.

    Args:
        messages: `log.messages`, `log.frames` or `log.table()`; pandas or Dask.

    Returns:
        A DataFrame with `LATE_MESSAGES_COLUMNS`.

    Raises:
        InputError: A column is missing.

    >>> from guestlab.analysis import sample
    >>> found = late_messages(sample().frames)
    >>> print(found[["message_id", "who", "overtaken_by", "behind_ms"]].to_string(index=False))
    message_id who  overtaken_by  behind_ms
            b1 bot             1       50.0
    """
    return said(_late, messages, "late_messages", _READS, LATE_MESSAGES_COLUMNS)


def _judged(messages: pd.DataFrame) -> pd.DataFrame:
    """Every live message, in arrival order, with how far it was overtaken."""
    live = messages[(messages["kind"] == "frame") & messages["time"].notna()].reset_index(drop=True)
    overtaken = np.zeros(len(live), dtype="int64")
    behind, held = overtaken.copy(), pd.Series(0.0, index=live.index, dtype="Float64")
    for rows in live.groupby("session", dropna=False, sort=False).indices.values():
        time, at = nanoseconds(live["time"].iloc[rows]), live["at"].iloc[rows]
        newest = np.maximum.accumulate(time)
        if (time == newest).all():
            continue
        overtaken[rows] = _overtaken(time)
        behind[rows] = newest - time
        # The first to come with a later time: until it must wait for this one, nothing is out of order.
        first = np.searchsorted(newest, time, side="right")
        since = at.iloc[np.minimum(first, len(at) - 1)].set_axis(at.index)
        held.iloc[rows] = elapsed(since, at).mask(time >= newest, 0.0)
    return live.assign(overtaken_by=overtaken, behind_ms=ms(behind), settle_ms=held)


def _overtaken(time: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Count for each the greater ones before it: halves are sorted and merged, n log² n in all."""
    size = len(time)
    if size <= _SMALL:
        earlier = np.tri(size, k=-1, dtype=bool)
        greater: npt.NDArray[np.bool_] = (time[np.newaxis, :] > time[:, np.newaxis]) & earlier
        found: npt.NDArray[np.int64] = greater.sum(axis=1, dtype="int64")
        return found
    left, right = time[: size // 2], time[size // 2 :]
    across = len(left) - np.searchsorted(np.sort(left), right, side="right")
    return np.concatenate([_overtaken(left), _overtaken(right) + across])


def _late(messages: pd.DataFrame) -> pd.DataFrame:
    judged = _judged(messages)
    late = judged[judged["overtaken_by"] > 0]
    return late.assign(who=speakers(late))


def _disorder(messages: pd.DataFrame) -> pd.DataFrame:
    judged = _judged(messages)
    judged["is_late"] = judged["overtaken_by"] > 0
    judged["is_held"] = judged["settle_ms"].notna()
    found = judged.groupby("session", dropna=False).agg(
        messages=("seq", "size"),
        late=("is_late", "sum"),
        inversions=("overtaken_by", "sum"),
        behind_ms=("behind_ms", "max"),
        settle_ms=("settle_ms", "max"),
        is_held=("is_held", "all"),
    )
    found["settle_ms"] = found["settle_ms"].where(found["is_held"])
    pairs = (found["messages"] * (found["messages"] - 1) / 2).astype("Float64")
    found["inverted_share"] = found["inversions"].astype("Float64") / pairs.where(pairs > 0)
    return found.reset_index()
