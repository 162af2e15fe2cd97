"""Two logs of one conversation, message by message: what only one saw, what differs, what was reordered.

Two clients of the same guest session, a browser's HAR against our own log, yesterday's run against
today's copy: messages are joined by their stable id alone, because each log names its sessions itself;
where one log has an id at several times, as of several runs of a sandbox, by the time too.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Any

import pandas as pd

from guestlab.analysis.copies import told_apart
from guestlab.analysis.intake import FrameT, by, columns_of, ms, nanoseconds, said, together
from guestlab.log.entry import Column

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["COMPARED_LOGS_COLUMNS", "compare_logs"]

_TIME = "datetime64[ns, UTC]"
_ID = columns_of("message_id")[0]

COMPARED_LOGS_COLUMNS: tuple[Column, ...] = (
    _ID,
    Column("found", "category", "", "Which log has it.", ("one", "other", "both")),
    Column("differs", "str", "", "Columns that differ, comma-joined: text, time, direction, type, "
           "originating_entity; missing where none does."),
    Column("reordered", "boolean", "", "Whether it came at another place among those in both logs: the "
           "fewest that must move; missing where it is in one log only."),
    Column("session_one", "str", "", "Its session in the first log."),
    Column("session_other", "str", "", "Its session in the second log."),
    Column("at_one", _TIME, "ns", "Its arrival in the first log."),
    Column("at_other", _TIME, "ns", "Its arrival in the second log."),
    Column("latency_one_ms", "Float64", "ms", "There, `at` minus `time`; two clocks are in it."),
    Column("latency_other_ms", "Float64", "ms", "There, `at` minus `time`; two clocks are in it."),
    Column("latency_difference_ms", "Float64", "ms", "The second less the first: positive where the second "
           "had it later; both machines' clocks are in it."),
    Column("text_one", "str", "", "Its text in the first log."),
    Column("text_other", "str", "", "Its text in the second log."),
    Column("time_one", _TIME, "ns", "`channel.time` in the first log."),
    Column("time_other", _TIME, "ns", "`channel.time` in the second log."),
)  # fmt: skip
"""One row per message that either log has, sorted by its time, then by `message_id`."""

_READS = ("time", "text", "type", "originating_entity")
_COPIED = ("session", "seq", "at", "kind", "direction", "message_id", *_READS)
_COPY = (*columns_of(*_COPIED, messages=True), Column("log", "category", "", "Which.", ("one", "other")))
_DIFFERING = ("text", "time", "direction", "type", "originating_entity")
_JOINED = (
    *(column for column in COMPARED_LOGS_COLUMNS if column.name != "reordered"),
    *(Column(f"seq_{log}", "Int64", "", "To sort by.") for log in ("one", "other")),
)


def compare_logs(one: FrameT, other: FrameT) -> FrameT:
    """Compare two records of one conversation: what each has of the same messages.

    Two runs that said the same are two conversations: of those compare `Log.summary()`, or what
    `response_times` and `disorder` give. One id at several times, as in archives of a sandbox's runs, is
    joined by the time too.

    Args:
        one: `log.messages`, `log.frames` or `log.table()` of the first log; pandas or Dask.
        other: The same of the second.

    Returns:
        A DataFrame with `COMPARED_LOGS_COLUMNS`; messages without an id are not in it. Order is judged
        within each session of the first log. With Dask, rows come in any order.

    Raises:
        InputError: A column is missing.

    >>> from guestlab.analysis import sample
    >>> messages = sample().messages
    >>> found = compare_logs(messages, messages[messages["direction"] == "Outbound"])
    >>> found["found"].value_counts().to_dict()
    {'both': 4, 'one': 3, 'other': 0}
    """
    copies = together([_copies(one, "one"), _copies(other, "other")])
    joined = by(_joined, copies, _COPY, _JOINED, on="message_id")
    compared: FrameT = by(_placed, joined, _JOINED, COMPARED_LOGS_COLUMNS, on="session_one")
    return compared


def _copies(frame: Any, log: str) -> Any:
    return said(_named, frame, "compare_logs", _READS, _COPY, on=None, once=False, log=log)


def _named(messages: pd.DataFrame, *, log: str) -> pd.DataFrame:
    return messages[messages["message_id"].notna()].assign(log=log)


def _joined(copies: pd.DataFrame) -> pd.DataFrame:
    """Both copies of each message side by side; of several the first to come."""
    copies = copies.assign(which=told_apart(copies, "session", "time", within="log"))
    keys = ["message_id", "which"]
    ordered = copies.sort_values(["at", "seq"], kind="stable").assign(latency_ms=_latency)
    one, other = (
        ordered[ordered["log"] == log].drop_duplicates(keys).set_index(keys).add_suffix(f"_{log}")
        for log in ("one", "other")
    )
    both = one.join(other, how="outer")
    found = pd.Series("both", index=both.index)
    found = found.mask(both["seq_other"].isna(), "one").mask(both["seq_one"].isna(), "other")
    return both.assign(
        found=found,
        differs=_differs(both, found == "both"),
        latency_difference_ms=both["latency_ms_other"] - both["latency_ms_one"],
        latency_one_ms=both["latency_ms_one"],
        latency_other_ms=both["latency_ms_other"],
    ).reset_index()


def _latency(copies: pd.DataFrame) -> pd.Series[Any]:
    """Arrival less platform time, for what arrived."""
    live = (copies["kind"] == "frame") & copies["time"].notna() & copies["at"].notna()
    latency = pd.Series(pd.NA, index=copies.index, dtype="Float64")
    latency[live] = ms(nanoseconds(copies["at"][live]) - nanoseconds(copies["time"][live]))
    return latency


def _differs(both: pd.DataFrame, known: pd.Series[bool]) -> pd.Series[Any]:
    words = pd.Series("", index=both.index, dtype=object)
    for name in _DIFFERING:
        one, other = both[f"{name}_one"], both[f"{name}_other"]
        if name in {"text", "originating_entity"}:  # an empty text may be recorded as none
            one, other = one.fillna(""), other.fillna("")
        differ = ~((one == other).fillna(value=False) | (one.isna() & other.isna())) & known
        words = words.where(~differ, words + name + ",")
    return words.str.rstrip(",").replace("", None)


def _placed(joined: pd.DataFrame) -> pd.DataFrame:
    """Mark what was reordered, within each session of the first log."""
    by_arrival = joined.sort_values(["at_one", "seq_one"], kind="stable")
    place = by_arrival.sort_values(["at_other", "seq_other"], kind="stable").assign(
        place=range(len(by_arrival))
    )["place"]
    by_arrival["place"] = place
    by_arrival["reordered"] = pd.Series(pd.NA, index=by_arrival.index, dtype="boolean")
    in_both = by_arrival[by_arrival["found"] == "both"]
    for _, part in in_both.groupby("session_one", dropna=False, sort=False):
        by_arrival.loc[part.index, "reordered"] = _moved(part["place"].tolist())
    by_arrival["when"] = by_arrival["time_one"].fillna(by_arrival["time_other"])
    return by_arrival.sort_values(["when", "message_id"], kind="stable")


def _moved(places: Sequence[int]) -> list[bool]:
    """Mark those outside the longest run in order: moving the fewest puts the rest in order.

    >>> _moved([0, 3, 1, 2])
    [False, True, False, False]
    """
    ends: list[int] = []  # the smallest place a run of each length ends with
    last: list[int] = []  # where it stands
    before = [-1] * len(places)
    for index, place in enumerate(places):
        length = bisect_left(ends, place)
        before[index] = last[length - 1] if length else -1
        ends[length : length + 1] = [place]
        last[length : length + 1] = [index]
    moved = [True] * len(places)
    index = last[-1] if last else -1
    while index >= 0:
        moved[index] = False
        index = before[index]
    return moved
