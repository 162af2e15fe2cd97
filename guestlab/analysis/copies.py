"""The same message more than once: duplicates, live against history, one log against another.

A message is told by its stable id, `channel.messageId` or else `id` of its body, which is the same live and
in history (level: measured by the survey's live sessions). Where a log lacks it, the id is read from `raw`.
One id at different times in different files is not one message: a sandbox gives the same ids in every run.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pandas as pd

from guestlab.analysis.intake import (
    FrameT,
    arrivals,
    by,
    check,
    columns_of,
    elapsed,
    together,
)
from guestlab.log.entry import Column
from guestlab.log.history_pages import messages_on_pages

if TYPE_CHECKING:
    from guestlab.protocol.messages import Message

__all__ = [
    "DUPLICATES_COLUMNS",
    "LIVE_VERSUS_HISTORY_COLUMNS",
    "duplicates",
    "live_versus_history",
    "told_apart",
]

_TIME = "datetime64[ns, UTC]"
_SESSION, _ID = columns_of("session", "message_id")

DUPLICATES_COLUMNS: tuple[Column, ...] = (
    _SESSION,
    _ID,
    Column(
        "came_again",
        "category",
        "",
        "live: more than once on the socket; history: live, and filled in from history.",
        ("live", "history", "live and history"),
    ),
    Column("live", "int64", "", "Times it came on the socket."),
    Column("history", "int64", "", "Times it was filled in from history."),
    Column("first_at", _TIME, "ns", "Its first arrival; missing where one of them has no time."),
    Column("last_at", _TIME, "ns", "Its last arrival, on the socket or filled in; missing likewise."),
    Column("apart_ms", "Float64", "ms", "Between the two; missing likewise."),
    Column("same_text", "boolean", "", "Whether every arrival had the same text."),
    Column("same_time", "boolean", "", "Whether every arrival had the same `channel.time`."),
    Column("seqs", "str", "", "seq of every arrival, comma-joined, in order."),
)
"""One row per message that came more than once, sorted by (`session`, `first_at`)."""

LIVE_VERSUS_HISTORY_COLUMNS: tuple[Column, ...] = (
    _ID,
    Column("session", "str", "", "Session it came live in; otherwise that of the history, or that in which "
           "others of its page were handed over."),
    Column("found", "category", "", "Where it was seen.", ("live", "history", "both")),
    Column("direction", "category", "", "Seen from the platform.", ("Inbound", "Outbound")),
    Column("live_at", _TIME, "ns", "First arrival on the socket."),
    Column("history_at", _TIME, "ns", "When history first told of it, on a page or filled in."),
    Column("live_text", "str", "", "Its text as it came live."),
    Column("history_text", "str", "", "Its text in history."),
    Column("same_text", "boolean", "", "Whether they agree; missing where it was seen in one only."),
    Column("live_time", _TIME, "ns", "`channel.time` as it came live."),
    Column("history_time", _TIME, "ns", "`channel.time` in history."),
    Column("same_time", "boolean", "", "Whether they agree; missing where it was seen in one only."),
)  # fmt: skip
"""One row per message, sorted by its time, live or else in history, then by `message_id`."""

_COPY_READS = columns_of(
    "session", "seq", "at", "kind", "direction", "message_id", "message_direction", "message_type",
    "message_time", "text",
)  # fmt: skip
_ON_PAGES = columns_of("session", "seq", "at", "kind", "message_id", "url", "raw")
_SOURCE = columns_of("source_file")
_SIGHTING = (
    *(column for column in _COPY_READS if column.name not in {"direction", "message_type"}),
    *_SOURCE,
    Column("heard", "bool", "", "Whether its session could have heard it live: some frame of it is there."),
)


def duplicates(frames: FrameT) -> FrameT:
    """List the messages that were handed over more than once in one session.

    Events that carry an id count too. The copies a fourth of several connections receives are no
    duplicates: each connection is a session of its own in a log.

    Args:
        frames: `log.frames`, or `log.table()` to see messages filled in from history as well.

    Returns:
        A DataFrame with `DUPLICATES_COLUMNS`.

    Raises:
        InputError: A column is missing.

    >>> from guestlab.analysis import sample
    >>> found = duplicates(sample().frames)
    >>> print(found[["message_id", "came_again", "live", "apart_ms"]].to_string(index=False))
    message_id came_again  live  apart_ms
            b2       live     2     710.0
    """
    check(frames, "duplicates", [column.name for column in _COPY_READS], "log.frames (or log.table())")
    return by(_duplicates, frames, _COPY_READS, DUPLICATES_COLUMNS, optional=columns_of("raw"))


def live_versus_history(table: FrameT) -> FrameT:
    """Compare what came live with what history says: missing on either side, other text or time.

    History is what was filled in after a lost link, and every page read by `session.history()`: those
    stand in the table as responses to `GET /api/v2/webmessaging/messages`. "live" means something only
    where history was read afterwards, and far enough back. What was said by REST alone, in a session
    without any frame (a customer's by Open Messaging), was never to come live and is left out.

    `history_at` is the first time history told of a message, on a page or filled in; `last_at` of
    `duplicates` is the last time a message was handed over, for which pages do not count.

    Args:
        table: `log.table()`.

    Returns:
        A DataFrame with `LIVE_VERSUS_HISTORY_COLUMNS`. With Dask, rows come in any order.

    Raises:
        InputError: A column is missing.

    >>> from guestlab.analysis import sample
    >>> found = live_versus_history(sample().table())
    >>> print(found[["message_id", "found"]].tail(3).to_string(index=False))
    message_id   found
            b3 history
            a1    live
            g3    live
    """
    check(table, "live_versus_history", [*(c.name for c in _COPY_READS), "url", "raw"], "log.table()")
    words = by(_words, table, _COPY_READS, _SIGHTING, optional=_SOURCE)
    pages = by(_on_pages, table, _ON_PAGES, _SIGHTING, on=None, optional=_SOURCE)
    sightings: FrameT = together([words, pages])
    return by(_compared, sightings, _SIGHTING, LIVE_VERSUS_HISTORY_COLUMNS, on="message_id")


# -- duplicates ---------------------------------------------------------------------------------------


def _duplicates(frames: pd.DataFrame) -> pd.DataFrame:
    came = frames[
        (frames["kind"] == "history") | ((frames["kind"] == "frame") & (frames["direction"] == "received"))
    ]
    came = arrivals(came.assign(message_id=_ids(came)))
    came = came[came["message_id"].notna()]
    came = came[came.duplicated(["session", "message_id"], keep=False)]
    is_live = came["kind"] == "frame"
    copies = came.assign(
        live=is_live,
        history=~is_live,
        seqs=came["seq"].astype("str"),
        text=came["text"].fillna(""),
        time=came["message_time"],
    ).groupby(["session", "message_id"], dropna=False, sort=False)
    found = copies.agg(
        live=("live", "sum"),
        history=("history", "sum"),
        first_at=("at", "first"),
        last_at=("at", "last"),
        told=("at", "count"),
        texts=("text", "nunique"),
        times=("time", "nunique"),
        timed=("time", "count"),
        seqs=("seqs", ",".join),
    )
    found = found[found["live"] > 0].reset_index()  # pages of history shift: seen twice there is no fault
    found["came_again"] = _word(found)
    found["same_text"] = found["texts"] == 1
    came_times = found["live"] + found["history"]
    found["same_time"] = (found["timed"] == 0) | ((found["times"] == 1) & (found["timed"] == came_times))
    for name in ("first_at", "last_at"):  # of some without a time none is known to be the first
        found[name] = found[name].where(found["told"] == came_times)
    found["apart_ms"] = elapsed(found["first_at"], found["last_at"])
    return found.sort_values(["session", "first_at"], kind="stable")


def _word(found: pd.DataFrame) -> pd.Series[Any]:
    words = pd.Series("live", index=found.index)
    words = words.mask(found["history"] > 0, "live and history")
    return words.mask((found["history"] > 0) & (found["live"] == 1), "history")


def _ids(frames: pd.DataFrame) -> pd.Series[Any]:
    """The message's id, from the frame itself where the log has none."""
    ids = frames["message_id"]
    if "raw" not in frames:
        return ids
    unread = ids.isna() & frames["raw"].str.contains('"id"', regex=False, na=False)
    return ids.mask(unread, frames["raw"].where(unread).map(_body_id, na_action="ignore"))


def _body_id(raw: str) -> str | None:
    body = _json(raw).get("body")
    found = _key(body) if isinstance(body, dict) else None
    return found if isinstance(found, str) else None


def _key(body: dict[str, Any]) -> object:
    channel = body.get("channel")
    return (channel.get("messageId") if isinstance(channel, dict) else None) or body.get("id")


def _json(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


# -- live against history -----------------------------------------------------------------------------


def _words(table: pd.DataFrame) -> pd.DataFrame:
    """One row each time a message was handed over: live, or filled in from history."""
    words = (
        table["kind"].isin(["frame", "history"])
        & table["message_direction"].notna()
        & ~table["message_type"].isin(["Event", "Receipt"])
        & table["message_id"].notna()
    )
    heard = table["session"].isna() | table["session"].isin(table["session"][table["kind"] == "frame"])
    return table.assign(heard=heard, source_file=table.get("source_file"))[words]


def _on_pages(table: pd.DataFrame) -> pd.DataFrame:
    """One row for each message of each page of history."""
    rows = [
        (one.session, one.page.seq, one.page.at, "history", one.message.key, one.message.direction,
         _timestamp(one.message), one.message.text, getattr(one.page, "source_file", None), True)
        for one in messages_on_pages(table)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=[column.name for column in _SIGHTING])


def _timestamp(message: Message) -> pd.Timestamp | None:
    try:
        return None if message.time is None else pd.Timestamp(message.time).as_unit("ns")
    except pd.errors.OutOfBoundsDatetime:  # the wire may say year 1
        return None


def _compared(sightings: pd.DataFrame) -> pd.DataFrame:
    sightings = sightings.assign(which=told_apart(sightings, "source_file", "message_time"))
    keys = ["message_id", "which"]
    heard = sightings.groupby(keys, dropna=False)["heard"].transform("any")
    ordered = sightings[heard | sightings["kind"].eq("frame")].sort_values(["at", "seq"], kind="stable")
    sides = {
        name: ordered[ordered["kind"] == kind].drop_duplicates(keys).set_index(keys).add_suffix(f"_{name}")
        for name, kind in (("live", "frame"), ("history", "history"))
    }
    both = sides["live"].join(sides["history"], how="outer")
    seen_live, seen_history = both["seq_live"].notna(), both["seq_history"].notna()
    in_both = seen_live & seen_history
    found = pd.Series("both", index=both.index).mask(~seen_history, "live").mask(~seen_live, "history")
    result = both.assign(
        found=found,
        session=both["session_live"].fillna(both["session_history"]),
        direction=both["message_direction_live"].fillna(both["message_direction_history"]),
        live_at=both["at_live"],
        history_at=both["at_history"],
        live_text=both["text_live"],
        history_text=both["text_history"],
        same_text=_same(both["text_live"].fillna(""), both["text_history"].fillna(""), in_both),
        live_time=both["message_time_live"],
        history_time=both["message_time_history"],
        same_time=_same(both["message_time_live"], both["message_time_history"], in_both),
    )
    result["when"] = result["live_time"].fillna(result["history_time"])
    return result.reset_index().sort_values(["when", "message_id"], kind="stable")


def told_apart(rows: pd.DataFrame, source: str, time: str, within: str | None = None) -> pd.Series[Any]:
    """Tell messages of one id apart that cannot be one: a time where sources differ in it, else missing.

    The platform's ids are unique; those of a sandbox are the same in every run of one seed.

    Args:
        rows: Sightings of messages.
        source: The column that says where each was seen.
        time: That of the platform's time.
        within: The column whose values are compared with one another: what differs between them counts as
            another copy of one message.
    """
    sources = rows[source].fillna("")
    first = rows[time].groupby([rows["message_id"], sources]).transform("min")
    group = [rows["message_id"], *([rows[within]] if within else [])]
    several = first.groupby(group, observed=True).transform("nunique") > 1
    split = several.groupby(rows["message_id"]).transform("any")
    which: pd.Series[Any] = first.where(split)
    return which


def _same(one: pd.Series[Any], other: pd.Series[Any], known: pd.Series[bool]) -> pd.Series[Any]:
    """Whether they agree, two missing ones included; missing where it is not known."""
    agree = (one == other) | (one.isna() & other.isna())
    return agree.astype("boolean").where(known)
