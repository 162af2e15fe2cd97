"""The published budgets against what a log shows: peak rates, what is left at a moment, refusals seen.

The budgets and their windows are the rows of `protocol/pacing.py`, by which our own sessions pace
themselves (level: documented). A window slides: the peak is the most that fell into any stretch of that
length. How the server cuts its windows is not known, and which budget a 429 stands for it does not say: it
is held against a budget where our own count had exceeded that, and `retryAfter` is no longer than the window
(level: inferred). What has no time, such as a terminal's output, falls into no window.
"""

from __future__ import annotations

import contextlib
import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
import pandas as pd

from guestlab.analysis.intake import (
    FrameT,
    arrivals,
    by,
    check,
    columns_of,
    empty,
    measured,
    nanoseconds,
    together,
)
from guestlab.errors import InputError
from guestlab.limits import PUBLISHED, Limits
from guestlab.log.entry import Column
from guestlab.protocol.pacing import BUDGETS, DEFAULT_PENALTY, OFF_SOCKET, SLACK, Budget

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    import numpy.typing as npt

__all__ = ["BUDGET_COLUMNS", "RATES_COLUMNS", "budget", "rates"]

_CONNECTIONS = "connections.rate.per.minute"
_NAMES = tuple(row.name for row in BUDGETS)
_WHOSE: tuple[Column, ...] = (
    *columns_of("session", "attempt"),
    Column("source_file", "str", "", "File or run of what names no session: attempts count anew in each."),
    Column("connection", "Int64", "", "Its 1st, 2nd … connection, where each has a budget of its own."),
    Column("deployment", "str", "", "Deployment id, for the budget all its connections share."),
    Column("budget", "category", "", "The key in the vendor's limits page; typing has none there.", _NAMES),
    Column("limit", "int64", "", "How many are allowed in a window."),
    Column("seconds", "Float64", "s", "Length of the window."),
)

RATES_COLUMNS: tuple[Column, ...] = (
    *_WHOSE,
    Column("sent", "int64", "", "How many were sent in all."),
    Column("untimed", "int64", "", "How many of them have no time, and are in no window."),
    Column("peak", "int64", "", "The most in any window of that length, of those that have a time."),
    Column("peak_at", "datetime64[ns, UTC]", "ns", "When that was first reached; missing where none sent."),
    Column("share", "Float64", "", "The peak's share of the limit: above 1 it was exceeded; missing where "
           "some have no time."),
    Column("over", "boolean", "", "Whether the peak exceeds the limit; missing where it does not, but some "
           "have no time."),
    Column("refused", "int64", "", "Answers 429 or 4029 to what counts here; the server names no budget."),
)  # fmt: skip
"""One row per budget and whoever has it, sorted by `session`, `attempt`, budget, `connection`."""

BUDGET_COLUMNS: tuple[Column, ...] = (
    *_WHOSE,
    Column("at", "datetime64[ns, UTC]", "ns", "The moment."),
    Column("used", "int64", "", "How many fell into the window that ends then."),
    Column("left", "int64", "", "How many more this budget allows now: 0 exactly while `free_in_s` runs."),
    Column("share", "Float64", "", "Used share of the limit."),
    Column("free_in_s", "Float64", "s", "Until this budget allows one: until the oldest leaves the window, "
           "or a retryAfter that stands for this budget has run out."),
    Column("forced_s", "Float64", "s", "What of a retryAfter still runs, whichever budget it stands for: no "
           "frame is to be sent before, whatever is left; 0 where none runs, and for what is no frame."),
)  # fmt: skip
"""One row per budget and whoever has it, sorted by `session`, `attempt`, budget."""

_READS = columns_of(
    "seq", "at", "kind", "direction", "attempt", "session", "action", "frame_code", "class_name", "tracing_id"
)
_OPTIONAL = columns_of("event_types", "raw", "url", "step", "exchange", "http_status", "source_file")
_WHO = ["session", "attempt", "source_file"]
_CONNECTS = (*columns_of("at"), Column("deployment", "str", "", ""), Column("refused", "bool", "", ""))
_TOO_MANY = (429, 4029)
_TOO_MANY_CLASS = "TooManyRequestsErrorMessage"
_HISTORY_PATH = "/api/v2/webmessaging/messages"
_DEPLOYMENT = re.compile(r"[?&]deploymentId=([^&#\s]*)")
_LONGEST_WAIT = 86_400.0
"""Seconds: a server that asks for more than a day means something else."""
_NEVER = -(2**63)
"""Nanoseconds of a missing time."""
_ROUNDED = 1.0
"""Seconds: `retryAfter` counts whole ones, rounded up (level: inferred)."""
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
        A DataFrame with `BUDGET_COLUMNS`: of each session its last connection up to then, closed
        or not; no row where
        nothing has a time.

    Raises:
        InputError: A column is missing, or `at` is no moment.

    >>> from guestlab.analysis import sample
    >>> found = budget(sample().frames, "2026-10-01T12:00:09.5Z")
    >>> print(found[["budget", "used", "left", "free_in_s", "forced_s"]].to_string(index=False))
                                         budget  used  left  free_in_s  forced_s
           messages.per.session.rate.per.second     2     3        0.0      0.83
        requests.per.connection.rate.per.minute     5    55        0.0      0.83
          configure.per.session.rate.per.minute     1    59        0.0      0.83
    health.check.per.connection.rate.per.minute     1     1        0.0      0.83
                                         typing     0     1        0.0      0.83
    """
    check(frames, "budget", [column.name for column in _READS], "log.frames (or log.table())")
    everything: Any = frames
    moment = measured(everything)["at"].max() if at is None else _moment(at)
    options: dict[str, Any] = {"limits": limits, "at": moment}
    found = by(_budget, frames, _READS, BUDGET_COLUMNS, optional=_OPTIONAL, **options)
    return _with_connects(found, frames, "budget", BUDGET_COLUMNS, **options)


def _moment(at: Any) -> pd.Timestamp:
    # A number would be nanoseconds since 1970 to pandas, and something else to who wrote it.
    known: Any = pd.NaT
    with contextlib.suppress(TypeError, ValueError, AttributeError):
        moment = pd.Timestamp("NaT" if isinstance(at, int | float) else at)
        known = moment.tz_localize("UTC") if moment.tzinfo is None else moment.tz_convert("UTC")
    if pd.isna(known):
        raise InputError(
            f"at={at!r} is no moment.",
            why="It says when to look, as a datetime or as text in ISO 8601.",
            next_step='Pass at="2026-10-01T12:00:00Z", say, or leave it out for the latest entry.',
        )
    return cast("pd.Timestamp", known)


# -- what was sent ------------------------------------------------------------------------------------


def _uses(frames: pd.DataFrame) -> pd.DataFrame:
    """One row for each thing that counts against a budget, or was refused, in order.

    Columns: session, attempt, connection, last (the number of its last one), at, name (the action, or
    "history"), typing, refused, until (of a refusal: when it ends). A refusal is named after what it
    refused.
    """
    frames = arrivals(_of_runs(frames))
    closed = (frames["kind"] == "close").astype("int64")
    # Numbered by the closes before: a close belongs to the connection it ends.
    closes = closed.groupby([frames[name] for name in _WHO], dropna=False)
    number = closes.cumsum() - closed + 1
    last = number.groupby([frames[name] for name in _WHO], dropna=False).transform("max")
    frames = frames.assign(
        connection=number, last=last, name=frames["action"], typing=False, until=frames["at"]
    )
    is_sent = (frames["kind"] == "frame") & (frames["direction"] == "sent")
    sent = frames[is_sent].assign(typing=_is_typing(frames[is_sent]), refused=False)
    parts = [sent, _refusals(frames, sent)]
    if {"url", "exchange", "http_status"} <= set(frames.columns):
        parts += _requests(frames, frames["url"].str.contains(_HISTORY_PATH, regex=False, na=False))
    kept = [*_WHO, "connection", "last", "at", "name", "typing", "refused", "until"]
    uses = pd.concat([part[kept] for part in parts])
    return uses.astype({"typing": "bool", "refused": "bool"}).sort_values("at", kind="stable")


def _of_runs(frames: pd.DataFrame) -> pd.DataFrame:
    """Name file or run where no session does: a session is one, in however many files it stands."""
    source = frames["source_file"] if "source_file" in frames else pd.Series(pd.NA, frames.index, "str")
    return frames.assign(source_file=source.where(frames["session"].isna()))


def _is_typing(sent: pd.DataFrame) -> pd.Series[bool]:
    found = pd.Series(False, index=sent.index)
    for column in {"event_types", "raw"} & set(sent.columns):
        found |= sent[column].str.contains("Typing", regex=False, na=False).astype("bool")
    return found & (sent["action"] == "onMessage").fillna(value=False).astype("bool")


def _refusals(frames: pd.DataFrame, sent: pd.DataFrame) -> pd.DataFrame:
    """Frames that say too many, each with what it refused: the frame of the same tracing id."""
    too_many = frames["frame_code"].isin(_TOO_MANY) | (frames["class_name"] == _TOO_MANY_CLASS)
    refusals = frames[(frames["kind"] == "frame") & (frames["direction"] == "received") & too_many]
    keys = [*_WHO, "tracing_id"]
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
    forced: int = _NEVER
    """Until when a refusal asks the present connection to send no frame."""

    @property
    def sent(self) -> npt.NDArray[np.int64]:
        """When each was sent, of those that have a time."""
        told: npt.NDArray[np.bool_] = ~self.refused & (self.at != _NEVER)
        return self.at[told]

    @property
    def untimed(self) -> int:
        """How many were sent nobody knows when."""
        return int((~self.refused & (self.at == _NEVER)).sum())

    @classmethod
    def of(cls, uses: pd.DataFrame) -> _Counted:
        """Take them out of a table, once for all groups: slices of arrays are cheap, of tables not."""
        return cls(nanoseconds(uses["at"]), uses["refused"].to_numpy(bool), nanoseconds(uses["until"]))

    def part(self, rows: slice, forced: int) -> _Counted:
        """Some of them."""
        return _Counted(self.at[rows], self.refused[rows], self.until[rows], forced)


def _groups(uses: pd.DataFrame, *, now: bool) -> Iterator[tuple[tuple[Any, ...], Budget, _Counted]]:
    """Whose budget (session, attempt, file, connection, no deployment), which, and what counts against it.

    With `now`, of each session and attempt the last connection alone.
    """
    off_socket = uses["name"].isin(OFF_SOCKET)
    for row in BUDGETS:
        if row.name == _CONNECTIONS:
            continue  # the deployment's: counted apart
        is_off = row.actions is not None and row.actions <= OFF_SOCKET
        mine = uses[off_socket if is_off else ~off_socket]
        keys = [*_WHO, *(["connection"] if row.per_connection and not now else [])]
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
        whose = zip(*(heads[name] for name in _WHO), number, [None] * len(heads), strict=True)
        forced = [_NEVER] * len(heads) if is_off or not now else _forced(mine, codes, len(heads))
        for one, start, end, until in zip(whose, edges, edges[1:], forced, strict=False):
            yield one, row, counted.part(slice(start, end), int(until))


def _forced(uses: pd.DataFrame, codes: npt.NDArray[Any], groups: int) -> npt.NDArray[np.int64]:
    """Of each group: until when a refusal on its last connection runs."""
    found = np.full(groups, _NEVER)
    rows = (uses["refused"] & (uses["connection"] == uses["last"])).to_numpy(bool)
    np.maximum.at(found, codes[rows], nanoseconds(uses["until"][rows]))
    return found


def _counts(row: Budget, uses: pd.DataFrame) -> pd.Series[bool]:
    if row.actions is None:
        return pd.Series(True, index=uses.index)
    found = uses["name"].isin(row.actions)
    return found | uses["typing"] if "typing" in row.actions else found


def _sorted(rows: list[tuple[Any, ...]], columns: tuple[Column, ...]) -> pd.DataFrame:
    """By whose and which; the names of budgets sort by their place in the table."""
    found = pd.DataFrame(rows, columns=[column.name for column in columns])
    place = found["budget"].map({name: place for place, name in enumerate(_NAMES)})
    keys = [*_WHO, "place", "connection"]
    return found.assign(place=place).sort_values(keys, kind="stable")


# -- rates --------------------------------------------------------------------------------------------


def _rates(frames: pd.DataFrame, *, limits: Limits) -> pd.DataFrame:
    found = _groups(_uses(frames), now=False)
    return _sorted([(*whose, *_peak(row, counted, limits)) for whose, row, counted in found], RATES_COLUMNS)


def _peak(row: Budget, counted: _Counted, limits: Limits) -> tuple[Any, ...]:
    """From `budget` on: the columns of one row of `rates`."""
    limit, seconds, sent = row.count(limits), row.seconds(limits), counted.sent
    refused, untimed = int(counted.refused.sum()), counted.untimed
    inside = _windows(sent, seconds)
    peak = int(inside.max(initial=0))
    peak_at = pd.Timestamp(sent[inside.argmax()], tz="UTC") if peak else None
    # With some times unknown, the true peak may be higher.
    share = pd.NA if untimed else _share(peak, limit)
    over = pd.NA if untimed and peak <= limit else peak > limit
    return row.name, limit, seconds, len(sent) + untimed, untimed, peak, peak_at, share, over, refused


def _windows(sent: npt.NDArray[np.int64], seconds: float) -> npt.NDArray[np.int64]:
    """How many fell into the window that ends with each; a window is open at its beginning."""
    return np.arange(1, len(sent) + 1) - np.searchsorted(sent, sent - int(seconds * 1e9), side="right")


# -- what is left -------------------------------------------------------------------------------------


def _budget(frames: pd.DataFrame, *, limits: Limits, at: Any) -> pd.DataFrame:
    if not len(frames) or pd.isna(at):
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
    waits += [(until - now) / 1e9 for until in _stands_for(counted, limit, seconds, now)]
    used, wait = len(inside), max(waits)
    left = 0 if wait > 0 else limit - used
    forced = max(0.0, (counted.forced - now) / 1e9)
    return row.name, limit, seconds, at, used, left, _share(used, limit), wait, forced


def _stands_for(counted: _Counted, limit: int, seconds: float, now: int) -> Iterator[int]:
    """Ends of the refusals that still run and mean this budget: shortly before, it was exceeded."""
    runs = counted.refused & (counted.until > now)
    if not runs.any():
        return
    window = int(seconds * 1e9)
    exceeded = counted.sent[_windows(counted.sent, seconds + SLACK) > limit]
    begun, ends = counted.at, counted.until
    for since, until in zip(begun[runs], ends[runs], strict=True):
        is_its = until - since <= window + int(_ROUNDED * 1e9)
        if is_its and ((exceeded <= since) & (exceeded > since - window)).any():
            yield int(until)


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
        if pd.isna(options["at"]):
            return empty(BUDGET_COLUMNS)
        options["at"] = _moment(options["at"])
        upgrades = upgrades[upgrades["at"] <= options["at"]]
    judge, gives = (_peak, RATES_COLUMNS) if function_name == "rates" else (_left, BUDGET_COLUMNS)
    nobody = [None] * (len(_WHO) + 1)  # and no connection
    rows = [
        (*nobody, deployment, *judge(row, _Counted.of(part.assign(until=part["at"])), **options))
        for deployment, part in upgrades.sort_values("at").groupby("deployment", dropna=False)
    ]
    return pd.DataFrame(rows, columns=[column.name for column in gives])


def _share(used: int, limit: int) -> float:
    """How much of a limit is used; a limit of nothing is exceeded by anything."""
    return used / limit if limit else (0.0 if not used else float("inf"))
