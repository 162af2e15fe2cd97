"""The published budgets against what a log shows: peak rates, what is left at a moment, refusals seen.

The budgets and their windows are the rows of `protocol/pacing.py`, by which our own sessions pace
themselves (level: documented). A window slides: the peak is the most that fell into any stretch of that
length. How the server cuts its windows is not known, and which budget a 429 stands for it does not say.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from guestlab.analysis.intake import FrameT, arrivals, by, check, columns_of, empty, nanoseconds, together
from guestlab.errors import InputError
from guestlab.limits import PUBLISHED, Limits
from guestlab.log.entry import Column
from guestlab.protocol.pacing import BUDGETS, DEFAULT_PENALTY, OFF_SOCKET, Budget

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    import numpy.typing as npt

__all__ = ["BUDGET_COLUMNS", "RATES_COLUMNS", "budget", "rates"]

_CONNECTIONS = "connections.rate.per.minute"
_NAMES = tuple(row.name for row in BUDGETS)
_WHOSE: tuple[Column, ...] = (
    *columns_of("session", "attempt"),
    Column("connection", "Int64", "", "Its 1st, 2nd … connection, where each has a budget of its own."),
    Column("deployment", "str", "", "Deployment id, for the budget all its connections share."),
    Column("budget", "category", "", "The key in the vendor's limits page; typing has none there.", _NAMES),
    Column("limit", "int64", "", "How many are allowed in a window."),
    Column("seconds", "Float64", "s", "Length of the window."),
)

RATES_COLUMNS: tuple[Column, ...] = (
    *_WHOSE,
    Column("sent", "int64", "", "How many were sent in all."),
    Column("peak", "int64", "", "The most in any window of that length."),
    Column("peak_at", "datetime64[ns, UTC]", "ns", "When that was first reached; missing where none sent."),
    Column("share", "Float64", "", "The peak's share of the limit: above 1 it was exceeded."),
    Column("over", "boolean", "", "Whether the peak exceeds the limit."),
    Column("refused", "int64", "", "Answers 429 or 4029 to what counts here; the server names no budget."),
)
"""One row per budget and whoever has it, sorted by `session`, `attempt`, budget, `connection`."""

BUDGET_COLUMNS: tuple[Column, ...] = (
    *_WHOSE,
    Column("at", "datetime64[ns, UTC]", "ns", "The moment."),
    Column("used", "int64", "", "How many fell into the window that ends then."),
    Column("left", "int64", "", "How many more may be sent now."),
    Column("share", "Float64", "", "Used share of the limit."),
    Column("free_in_s", "Float64", "s", "Until one may be sent; a retryAfter that still runs counts."),
)
"""One row per budget and whoever has it, sorted by `session`, `attempt`, budget."""

_READS = columns_of(
    "seq", "at", "kind", "direction", "attempt", "session", "action", "frame_code", "class_name", "tracing_id"
)
_OPTIONAL = columns_of("event_types", "raw", "url", "step", "exchange", "http_status")
_CONNECTS = (*columns_of("at"), Column("deployment", "str", "", ""), Column("refused", "bool", "", ""))
_TOO_MANY = (429, 4029)
_TOO_MANY_CLASS = "TooManyRequestsErrorMessage"
_HISTORY_PATH = "/api/v2/webmessaging/messages"
_DEPLOYMENT = re.compile(r"[?&]deploymentId=([^&#\s]*)")
_LONGEST_WAIT = 86_400.0
"""Seconds: a server that asks for more than a day means something else."""
_UNKNOWN = "unknown"
"""A refusal that names no frame: it counts against the budget of all frames."""


def rates(frames: FrameT, *, limits: Limits = PUBLISHED) -> FrameT:
    """Measure each budget's peak rate, per session and connection.

    Args:
        frames: `log.frames`; or `log.table()`, which has the requests for history and the upgrades too. A
            log does not know whose a request for history is: those without a session count together.
        limits: The budgets.

    Returns:
        A DataFrame with `RATES_COLUMNS`.

    Raises:
        InputError: A column is missing.

    >>> from guestlab.analysis import sample
    >>> found = rates(sample().frames)
    >>> print(found[["budget", "connection", "limit", "peak", "refused"]].head(3).to_string(index=False))
                                     budget  connection  limit  peak  refused
       messages.per.session.rate.per.second        <NA>      5     2        1
    requests.per.connection.rate.per.minute           1     60     5        1
    requests.per.connection.rate.per.minute           2     60     2        0
    """
    check(frames, "rates", [column.name for column in _READS], "log.frames (or log.table())")
    found = by(_rates, frames, _READS, RATES_COLUMNS, optional=_OPTIONAL, limits=limits)
    return _with_connects(found, frames, "rates", RATES_COLUMNS, limits=limits)


def budget(frames: FrameT, at: datetime | str | None = None, *, limits: Limits = PUBLISHED) -> FrameT:
    """Tell what of each budget is used and left at a moment, and when more is free.

    Args:
        frames: `log.frames`; or `log.table()`, which has the requests for history and the upgrades too.
        at: The moment, UTC where it names no zone; by default that of the latest entry.
        limits: The budgets.

    Returns:
        A DataFrame with `BUDGET_COLUMNS`: of each session its connection at that moment.

    Raises:
        InputError: A column is missing, or `at` is no moment.

    >>> from guestlab.analysis import sample
    >>> found = budget(sample().frames, "2026-10-01T12:00:09.5Z")
    >>> print(found[["budget", "used", "left", "free_in_s"]].to_string(index=False))
                                         budget  used  left  free_in_s
           messages.per.session.rate.per.second     2     3       0.83
        requests.per.connection.rate.per.minute     5    55       0.83
          configure.per.session.rate.per.minute     1    59        0.0
    health.check.per.connection.rate.per.minute     1     1        0.0
                                         typing     0     1        0.0
    """
    check(frames, "budget", [column.name for column in _READS], "log.frames (or log.table())")
    everything: Any = frames
    moment = everything["at"].max() if at is None else _moment(at)
    options: dict[str, Any] = {"limits": limits, "at": moment}
    found = by(_budget, frames, _READS, BUDGET_COLUMNS, optional=_OPTIONAL, **options)
    return _with_connects(found, frames, "budget", BUDGET_COLUMNS, **options)


def _moment(at: Any) -> pd.Timestamp:
    try:
        moment = pd.Timestamp(at)
        known = moment.tz_localize("UTC") if moment.tzinfo is None else moment.tz_convert("UTC")
    except (TypeError, ValueError, AttributeError):
        known = pd.NaT  # type: ignore[assignment]
    if pd.isna(known):
        raise InputError(
            f"at={at!r} is no moment.",
            why="It says when to look, as a datetime or as text in ISO 8601.",
            next_step='Pass such as at="2026-10-01T12:00:00Z", or leave it out for the latest entry.',
        )
    return known


# -- what was sent ------------------------------------------------------------------------------------


def _uses(frames: pd.DataFrame) -> pd.DataFrame:
    """One row for each thing that counts against a budget, or was refused, in order.

    Columns: session, attempt, connection, last (the number of its last one), at, name (the action, or
    "history"), typing, refused, until (of a refusal: when it ends). A refusal is named after what it
    refused.
    """
    frames = arrivals(frames)
    closed = (frames["kind"] == "close").astype("int64")
    # Numbered by the closes before: a close belongs to the connection it ends.
    closes = closed.groupby([frames["session"], frames["attempt"]], dropna=False)
    number, last = closes.cumsum() - closed + 1, closes.transform("sum") + 1
    frames = frames.assign(
        connection=number, last=last, name=frames["action"], typing=False, until=frames["at"]
    )
    is_sent = (frames["kind"] == "frame") & (frames["direction"] == "sent")
    sent = frames[is_sent].assign(typing=_is_typing(frames[is_sent]), refused=False)
    parts = [sent, _refusals(frames, sent)]
    if {"url", "exchange", "http_status"} <= set(frames.columns):
        parts += _requests(frames, frames["url"].str.contains(_HISTORY_PATH, regex=False, na=False))
    kept = ["session", "attempt", "connection", "last", "at", "name", "typing", "refused", "until"]
    uses = pd.concat([part[kept] for part in parts])
    return uses.astype({"typing": "bool", "refused": "bool"}).sort_values("at", kind="stable")


def _is_typing(sent: pd.DataFrame) -> pd.Series[bool]:
    found = pd.Series(False, index=sent.index)
    for column in {"event_types", "raw"} & set(sent.columns):
        found |= sent[column].str.contains("Typing", regex=False, na=False).astype("bool")
    return found & (sent["action"] == "onMessage").fillna(value=False).astype("bool")


def _refusals(frames: pd.DataFrame, sent: pd.DataFrame) -> pd.DataFrame:
    """Frames that say too many, each with what it refused: the frame of the same tracing id."""
    too_many = frames["frame_code"].isin(_TOO_MANY) | (frames["class_name"] == _TOO_MANY_CLASS)
    refusals = frames[(frames["kind"] == "frame") & (frames["direction"] == "received") & too_many]
    keys = ["session", "attempt", "tracing_id"]
    asked = sent[sent["tracing_id"].notna()].drop_duplicates(keys)[[*keys, "name", "typing"]]
    known = refusals.drop(columns=["name", "typing"]).merge(asked, on=keys, how="left")
    wait = pd.Series(DEFAULT_PENALTY, index=known.index)
    if "raw" in known:
        wait = known["raw"].map(_retry_after, na_action="ignore").astype("float64").fillna(DEFAULT_PENALTY)
    return known.assign(
        name=known["name"].fillna(_UNKNOWN),
        typing=known["typing"].eq(other=True),
        refused=True,
        until=known["at"] + pd.to_timedelta(wait, unit="s"),
    )


def _retry_after(raw: str) -> float | None:
    """`retryAfter` of a refusal, in seconds; None where it says none that makes sense."""
    try:
        body = json.loads(raw)["body"]
        seconds = float(body["retryAfter"])
    except (ValueError, TypeError, LookupError, RecursionError):
        return None
    return seconds if 0 <= seconds <= _LONGEST_WAIT else None


def _requests(frames: pd.DataFrame, wanted: pd.Series[bool]) -> list[pd.DataFrame]:
    """The requests to one kind of address, and those of their answers that say too many."""
    asked = frames[(frames["kind"] == "request") & wanted].assign(name="history", refused=False)
    too_many = (frames["http_status"] == _TOO_MANY[0]).fillna(value=False)
    answers = frames[(frames["kind"] == "response") & wanted & too_many]
    return [asked, answers.assign(name="history", refused=True)]


class _Counted(NamedTuple):
    """What counts against one budget of one session, attempt or connection, in order of time."""

    at: npt.NDArray[np.int64]
    refused: npt.NDArray[np.bool_]
    until: npt.NDArray[np.int64]

    @property
    def sent(self) -> npt.NDArray[np.int64]:
        """When each was sent."""
        return self.at[~self.refused]

    @classmethod
    def of(cls, uses: pd.DataFrame) -> _Counted:
        """Take them out of a table, once for all groups: slices of arrays are cheap, of tables not."""
        return cls(nanoseconds(uses["at"]), uses["refused"].to_numpy(bool), nanoseconds(uses["until"]))

    def part(self, rows: slice) -> _Counted:
        """Some of them."""
        return _Counted(self.at[rows], self.refused[rows], self.until[rows])


def _groups(uses: pd.DataFrame, *, now: bool) -> Iterator[tuple[tuple[Any, ...], Budget, _Counted]]:
    """Whose budget (session, attempt, connection, no deployment), which, and what counts against it.

    With `now`, of each session and attempt the last connection alone.
    """
    off_socket = uses["name"].isin(OFF_SOCKET)
    for row in BUDGETS:
        if row.name == _CONNECTIONS:
            continue  # the deployment's: counted apart
        is_off = row.actions is not None and row.actions <= OFF_SOCKET
        mine = uses[off_socket if is_off else ~off_socket]
        keys = ["session", "attempt", *(["connection"] if row.per_connection and not now else [])]
        codes = mine.groupby(keys, dropna=False).ngroup().to_numpy()
        heads = mine.iloc[np.unique(codes, return_index=True)[1]]
        wanted = _counts(row, mine)
        if row.per_connection and now:
            wanted &= mine["connection"] == mine["last"]
        kept = np.flatnonzero(wanted.to_numpy(bool))
        kept = kept[np.argsort(codes[kept], kind="stable")]
        counted = _Counted.of(mine.iloc[kept])
        edges = np.searchsorted(codes[kept], np.arange(len(heads) + 1))
        number = heads["last" if now else "connection"] if row.per_connection else [None] * len(heads)
        whose = zip(heads["session"], heads["attempt"], number, [None] * len(heads), strict=True)
        for one, start, end in zip(whose, edges, edges[1:], strict=False):
            yield one, row, counted.part(slice(start, end))


def _counts(row: Budget, uses: pd.DataFrame) -> pd.Series[bool]:
    if row.actions is None:
        return pd.Series(True, index=uses.index)
    found = uses["name"].isin(row.actions)
    return found | uses["typing"] if "typing" in row.actions else found


def _sorted(rows: list[tuple[Any, ...]], columns: tuple[Column, ...]) -> pd.DataFrame:
    """By whose and which; the names of budgets sort by their place in the table."""
    found = pd.DataFrame(rows, columns=[column.name for column in columns])
    place = found["budget"].map({name: place for place, name in enumerate(_NAMES)})
    keys = ["session", "attempt", "place", "connection"]
    return found.assign(place=place).sort_values(keys, kind="stable")


# -- rates --------------------------------------------------------------------------------------------


def _rates(frames: pd.DataFrame, *, limits: Limits) -> pd.DataFrame:
    found = _groups(_uses(frames), now=False)
    return _sorted([(*whose, *_peak(row, counted, limits)) for whose, row, counted in found], RATES_COLUMNS)


def _peak(row: Budget, counted: _Counted, limits: Limits) -> tuple[Any, ...]:
    """From `budget` on: the columns of one row of `rates`."""
    limit, seconds, sent = row.count(limits), row.seconds(limits), counted.sent
    refused = int(counted.refused.sum())
    if not len(sent):
        return row.name, limit, seconds, 0, 0, None, 0.0, False, refused
    # How many fell into the window that ends with each; a window is open at its beginning.
    inside = np.arange(1, len(sent) + 1) - np.searchsorted(sent, sent - int(seconds * 1e9), side="right")
    peak, place = int(inside.max()), int(inside.argmax())
    peak_at = pd.Timestamp(sent[place], tz="UTC")
    return row.name, limit, seconds, len(sent), peak, peak_at, _share(peak, limit), peak > limit, refused


# -- what is left -------------------------------------------------------------------------------------


def _budget(frames: pd.DataFrame, *, limits: Limits, at: Any) -> pd.DataFrame:
    if not len(frames):
        return empty(BUDGET_COLUMNS)
    at = _moment(at)  # the latest entry's may still be text
    found = _groups(_uses(frames[frames["at"] <= at]), now=True)
    return _sorted([(*whose, *_left(row, counted, limits, at)) for whose, row, counted in found],
                   BUDGET_COLUMNS)  # fmt: skip


def _left(row: Budget, counted: _Counted, limits: Limits, at: pd.Timestamp) -> tuple[Any, ...]:
    """From `budget` on: the columns of one row of `budget`."""
    limit, seconds = row.count(limits), row.seconds(limits)
    now, window = at.value, int(seconds * 1e9)
    inside = counted.sent[counted.sent > now - window]
    waits = [0.0]
    if len(inside) >= limit:  # one more fits when the oldest of the last `limit` leaves the window
        waits.append((int(inside[-limit]) + window - now) / 1e9 if limit else float("inf"))
    if row.actions is None or not row.actions & OFF_SOCKET:
        waits += ((counted.until[counted.refused] - now) / 1e9).tolist()
    used = len(inside)
    return row.name, limit, seconds, at, used, max(0, limit - used), _share(used, limit), max(waits)


# -- connections of a deployment ----------------------------------------------------------------------


def _with_connects(
    found: FrameT, frames: Any, function: str, gives: tuple[Column, ...], **options: Any
) -> FrameT:
    """Add the budget that the connections of a deployment share, where the upgrades are in the log."""
    if not {"url", "http_status"} <= set(frames.columns):
        return found
    reads = columns_of("at", "kind", "url", "http_status")
    upgrades = by(_upgrades, frames, reads, _CONNECTS, on=None, optional=columns_of("step"))
    counted = by(_connects, upgrades, _CONNECTS, gives, on="deployment", function_name=function, **options)
    both: FrameT = together([found, counted])
    return both


def _upgrades(table: pd.DataFrame) -> pd.DataFrame:
    url = table["url"].fillna("")
    is_upgrade = url.str.startswith("ws")
    if "step" in table:
        is_upgrade |= table["step"] == "upgrade"
    too_many = (table["kind"] == "response") & (table["http_status"] == _TOO_MANY[0]).fillna(value=False)
    deployment = url.str.extract(_DEPLOYMENT, expand=False)
    found = table.assign(deployment=deployment, refused=too_many)
    return found[is_upgrade & ((table["kind"] == "request") | too_many)]


def _connects(upgrades: pd.DataFrame, *, function_name: str, **options: Any) -> pd.DataFrame:
    row = next(row for row in BUDGETS if row.name == _CONNECTIONS)
    if not len(upgrades):
        return empty(RATES_COLUMNS if function_name == "rates" else BUDGET_COLUMNS)
    if function_name == "budget":
        options["at"] = _moment(options["at"])
        upgrades = upgrades[upgrades["at"] <= options["at"]]
    judge, gives = (_peak, RATES_COLUMNS) if function_name == "rates" else (_left, BUDGET_COLUMNS)
    rows = [
        (None, None, None, deployment, *judge(row, _Counted.of(part.assign(until=part["at"])), **options))
        for deployment, part in upgrades.sort_values("at").groupby("deployment", dropna=False)
    ]
    return pd.DataFrame(rows, columns=[column.name for column in gives])


def _share(used: int, limit: int) -> float:
    """How much of a limit is used; a limit of nothing is exceeded by anything."""
    return used / limit if limit else (0.0 if not used else float("inf"))
