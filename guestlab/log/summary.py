"""What a log holds, at a glance: one row per thing worth knowing, with its number and a few words.

    what                              count  detail
    attempts                             12  3 worked, 9 did not
    refused: HTTP 401 (lane http)         9  client_credentials: 5, garbage: 4
    finding upgrade.deployment-missing    9  attempts 1, 2, 3, 4, 5 …

A number is shown with its lane. Lines that every log has are always there; the others where there is
something to tell. The counting is done on the table and its views; the text is made here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guestlab.log.entry import UNTIMED, Column
from guestlab.log.history_pages import messages_on_pages
from guestlab.log.reading.report import how_many
from guestlab.log.times import iso_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from guestlab.log.recorder import Log

    Row = tuple[str, int, str]

__all__ = ["SILENCE", "SUMMARY_COLUMNS", "summary", "summary_text"]

SUMMARY_COLUMNS: tuple[Column, ...] = (
    Column("what", "str", "", "What is counted; a number with its lane."),
    Column("count", "int64", "", "How many there are."),
    Column("detail", "str", "", "More about them in a few words; empty where there is nothing to add."),
)
"""The schema of `log.summary()`."""

SILENCE = 60.0
"""Seconds without a frame, in one session, from which on it counts as a gap."""
_SHOWN = 6
"""Kinds of a thing that a detail names before it says how many more there are."""
_RATE_CODES = (429, 4029)
"""Frame codes of a rate limit (lane frame): the envelope's, and the application's."""


def summary(log: Log) -> pd.DataFrame:
    """Count what is in a log; the columns are `SUMMARY_COLUMNS`.

    Rows, in this order: entries, files, sessions, attempts, refusals by lane and number, findings by rule,
    HTTP exchanges, HTTP errors by status, frames sent and received by class, error frames, messages in and
    out, duplicates, late ones, those that only history knew, gaps, rate limits, closes by code, what could
    not be read.
    """
    import pandas as pd

    from guestlab.log.table import typed

    rows = list(_rows(log))
    columns = {column.name: [row[place] for row in rows] for place, column in enumerate(SUMMARY_COLUMNS)}
    return typed(pd.DataFrame(columns), SUMMARY_COLUMNS)


def summary_text(log: Log) -> str:
    """Write the summary as lines of text, aligned, for a terminal or a file."""
    rows = list(_rows(log))
    width = max(len(what) for what, _, _ in rows)
    return "\n".join(f"{what:<{width}}  {count:>8,}  {detail}".rstrip() for what, count, detail in rows)


def _rows(log: Log) -> Iterator[Row]:
    table = log.table()
    yield "entries", len(table), _span(table["at"], table["monotonic_ns"] != UNTIMED)
    yield from _some("files", table["source_file"].nunique(), _counted(table["source_file"]))
    yield from _sessions(log)
    yield from _attempts(log)
    yield from _http(log)
    yield from _frames(table)
    yield from _messages(log, table)
    yield from _gaps(table)
    yield from _rates(table)
    closes = table["close_code"][table["kind"] == "close"].dropna()
    for code, count in closes.value_counts().items():
        yield f"closed: {code} (lane close)", int(count), ""
    skipped = log.skipped
    first = f"{skipped[0].source_file}, {skipped[0].place}: {skipped[0].why}" if skipped else ""
    yield from _some("left out of files", how_many(skipped), _plain(first))


def _some(what: str, count: float, detail: str) -> Iterator[Row]:
    """A row where there is something to count."""
    if count:
        yield what, int(count), detail


def _sessions(log: Log) -> Iterator[Row]:
    sessions = log.sessions
    connects = int(sessions["connects"].sum())
    again = int((sessions["connects"] - 1).clip(lower=0).sum())
    detail = f"connects: {connects}" + (f", reconnects: {again}" if again else "")
    yield "sessions", len(sessions), detail if len(sessions) else ""


def _attempts(log: Log) -> Iterator[Row]:
    attempts = log.attempts
    worked = int(attempts["ok"].fillna(value=False).sum())
    detail = f"{worked} worked, {len(attempts) - worked} did not" if len(attempts) else ""
    yield "attempts", len(attempts), detail
    failed = attempts[~attempts["ok"].fillna(value=False)]
    told = failed["close_code"].notna() & False
    for name, lane in (("http_status", "HTTP {} (lane http)"), ("frame_code", "frame {} (lane frame)"),
                       ("close_code", "close {} (lane close)")):  # fmt: skip
        # 101 is no refusal: whatever refused such an attempt came later, on another lane.
        has = failed[name].notna() & ~told & ~failed[name].eq(101)
        for number, some in failed[has].groupby(name, observed=True):
            yield f"refused: {lane.format(number)}", len(some), _counted(some["credential"])
        told |= has
    for step, some in failed[~told].groupby("step", observed=True):
        yield f"failed at {step}", len(some), _counted(some["credential"])
    yield from _findings(attempts)


def _findings(attempts: pd.DataFrame) -> Iterator[Row]:
    ruled = attempts[["attempt", "rule"]].dropna(subset="rule")
    each = ruled.assign(rule=ruled["rule"].str.split(",")).explode("rule")
    found = sorted(each.groupby("rule"), key=lambda pair: -len(pair[1]))
    for rule, some in found[:20]:
        numbers = [str(number) for number in some["attempt"].dropna().tolist()]
        yield f"finding {_plain(str(rule))}", len(some), _listed("attempts ", numbers)


def _http(log: Log) -> Iterator[Row]:
    exchanges = log.http
    statuses = exchanges["http_status"]
    unanswered = int(statuses.isna().sum())
    parts = [f"{status}: {count}" for status, count in statuses.value_counts().items()]
    parts += [f"no answer: {unanswered}"] if unanswered else []
    yield "HTTP exchanges", len(exchanges), _listed("", parts)
    for status, some in exchanges[(statuses >= 400).fillna(value=False)].groupby("http_status"):
        where = some["method"].fillna("") + " " + some["url"].fillna("").str.partition("?")[0]
        yield f"HTTP error {status} (lane http)", len(some), _counted(where.str.strip())


def _frames(table: pd.DataFrame) -> Iterator[Row]:
    frames = table[table["kind"] == "frame"]
    sent = frames[frames["direction"] == "sent"]
    received = frames[frames["direction"] == "received"]
    yield "frames sent", len(sent), _counted(sent["action"])
    yield "frames received", len(received), _counted(received["class_name"])
    bad = received[(received["frame_code"] >= 400).fillna(value=False)]
    for code, some in bad.groupby("frame_code"):
        yield f"error frame {code} (lane frame)", len(some), _counted(some["class_name"])


def _messages(log: Log, table: pd.DataFrame) -> Iterator[Row]:
    messages = log.messages
    for name, direction, who in (("in", "Inbound", "of guests"), ("out", "Outbound", "of bots and agents")):
        some = messages[messages["direction"] == direction]
        yield f"messages {name}", len(some), who if len(some) else ""
    said = table["message_direction"].notna() & table["message_id"].fillna("").ne("")
    said &= ~table["message_type"].isin(["Event", "Receipt"])
    live = table[said & (table["kind"] == "frame")][["session", "message_id"]]
    yield from _some("duplicates", live.duplicated().sum(), "live messages that came more than once")
    yield from _some(
        "late messages", messages["late"].fillna(value=False).sum(), "after one with a later time"
    )
    # What was said by REST alone, in a session without a frame, was never to come live.
    heard = table["session"].isna() | table["session"].isin(table["session"][table["kind"] == "frame"])
    filled = table[said & heard & (table["kind"] == "history")]["message_id"]
    read = {*filled, *(one.message.key for one in messages_on_pages(table))}
    missed = len(read - {*live["message_id"]})
    yield from _some("missed live", missed, f"known from history alone, of {len(read)} read there")


def _gaps(table: pd.DataFrame) -> Iterator[Row]:
    is_told = table["session"].notna() & (table["monotonic_ns"] != UNTIMED)
    frames = table[(table["kind"] == "frame") & is_told][["session", "at"]]
    if frames.empty:
        return
    seconds = frames.assign(at=frames["at"].astype("int64") / 1e9).sort_values("at")
    silence = seconds.groupby("session")["at"].diff()
    longest = silence.max()
    if longest > SILENCE:
        longest_at: Any = silence.idxmax()
        where = frames["session"].loc[longest_at]
        detail = f"longest {_duration(longest)}, in session {_plain(str(where))}"
        yield f"silences over {SILENCE:.0f} s", int((silence > SILENCE).sum()), detail


def _rates(table: pd.DataFrame) -> Iterator[Row]:
    answers = table[table["kind"] == "response"]
    over_http = int((answers["http_status"] == 429).fillna(value=False).sum())
    is_frame = (table["kind"] == "frame") & (table["direction"] == "received")
    by_code = table["frame_code"].isin(_RATE_CODES)
    by_class = (table["class_name"] == "TooManyRequestsErrorMessage").fillna(value=False)
    as_frame = int((is_frame & (by_code | by_class)).sum())
    told = [f"HTTP 429: {over_http} (lane http)"] if over_http else []
    told += [f"frames: {as_frame} (lane frame)"] if as_frame else []
    yield from _some("rate limited", over_http + as_frame, ", ".join(told))


def _counted(values: pd.Series[Any]) -> str:
    """Name the most frequent values with their numbers."""
    counts = values.dropna().value_counts()
    return _listed("", [f"{_plain(str(value))}: {count}" for value, count in counts.items()])


def _listed(before: str, parts: list[str]) -> str:
    if not parts:
        return ""
    more = len(parts) - _SHOWN
    return before + ", ".join(parts[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _span(at: pd.Series[Any], told: pd.Series[bool]) -> str:
    """From when and how long; what no clock told has no part in it."""
    unknown = int((~told).sum())
    without = f"{unknown:,} without a time" if unknown else ""
    times = at[told].astype("int64")  # the log may span more than pandas can subtract
    if times.empty:
        return without
    first, last = int(times.min()), int(times.max())
    span = f"{iso_of(first)[:19].replace('T', ' ')} UTC, {_duration((last - first) / 1e9)}"
    return f"{span}; {without}" if without else span


def _duration(seconds: float) -> str:
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.1f} s"


def _plain(text: str) -> str:
    """One line, no control characters, not long: it may come from the wire."""
    text = "".join(one if one.isprintable() else "\ufffd" for one in text[:200])
    return text if len(text) <= 80 else f"{text[:79]}…"
