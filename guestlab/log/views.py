"""The views of a log: what the whole table says about one thing.

Each view is a function from the table to a DataFrame with a schema of its own, empty or full.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from guestlab.log.entry import COLUMNS, Column
from guestlab.log.table import Table, typed

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from guestlab.log.chunks import PutAway
    from guestlab.log.store import Chunk

__all__ = [
    "ATTEMPTS_COLUMNS",
    "FRAMES_COLUMNS",
    "HTTP_COLUMNS",
    "MESSAGES_COLUMNS",
    "SESSIONS_COLUMNS",
    "Views",
]

_KEPT = 100_000
"""Rows up to which a view is kept for the next call: a longer one would hold much memory twice."""

_BY_NAME = {column.name: column for column in COLUMNS}


def _columns(*names: str) -> tuple[Column, ...]:
    return tuple(_BY_NAME[name] for name in names)


HTTP_COLUMNS: tuple[Column, ...] = (
    *_columns("seq", "at", "stage", "attempt", "method", "url", "http_status", "latency_ms"),
    Column("request_size", "Int64", "bytes", "Size of the request's body."),
    Column("response_size", "Int64", "bytes", "Size of the response's body."),
    *_columns("correlation_id", "note"),
)
"""One row per HTTP exchange. `seq` and `at` are the request's."""

FRAMES_COLUMNS: tuple[Column, ...] = _columns(
    "seq", "at", "monotonic_ns", "kind", "stage", "lane", "direction", "attempt", "session", "action",
    "class_name", "frame_code", "close_code", "latency_ms", "size", "message_id", "tracing_id",
    "correlation_id", "guest_token", "message_direction", "message_type", "message_time",
    "originating_entity", "content_types", "event_types", "text", "late", "note", "raw",
)  # fmt: skip
"""One row per frame and per close."""

_RENAMED = {"message_time": "time", "message_direction": "direction", "message_type": "type"}
"""Column of the table → column of `messages`, where there is no other time, direction or type."""

_SAID = (
    "seq", "message_time", "message_direction", "text", "message_type", "at", "kind", "session",
    "originating_entity", "content_types", "event_types", "message_id", "tracing_id", "correlation_id",
    "conversation_id", "guest_token", "latency_ms", "late",
)  # fmt: skip

MESSAGES_COLUMNS: tuple[Column, ...] = tuple(
    column._replace(name=_RENAMED.get(column.name, column.name)) for column in _columns(*_SAID)
)
"""Every message of guest, bot and agent once, sorted by (`time`, `seq`)."""

ATTEMPTS_COLUMNS: tuple[Column, ...] = _columns(
    "attempt",
    "at",
    "credential",
    "placement",
    "ok",
    "step",
    "http_status",
    "frame_code",
    "close_code",
    "rule",
    "latency_ms",
    "url",
)
"""One row per attempt."""

SESSIONS_COLUMNS: tuple[Column, ...] = (
    *_columns("session"),
    Column("first_at", "datetime64[ns, UTC]", "ns", "Wall time of its first entry."),
    Column("last_at", "datetime64[ns, UTC]", "ns", "Wall time of its last entry."),
    Column("frames_sent", "Int64", "", "Frames sent."),
    Column("frames_received", "Int64", "", "Frames received."),
    Column("messages_in", "Int64", "", "Inbound messages: the guest's, each counted once."),
    Column("messages_out", "Int64", "", "Outbound messages: of bots and agents, each counted once."),
    Column("connects", "Int64", "", "Upgrades answered with HTTP 101."),
    Column("close_code", "Int64", "", "Lane close: the last one."),
)
"""One row per session, in the order of their first entries."""


def _names(columns: tuple[Column, ...]) -> list[str]:
    return [column.name for column in columns]


def _http(table: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    wanted = [column.name for column in HTTP_COLUMNS if column.name in _BY_NAME]
    rows = table.loc[table["kind"].isin(["request", "response"])]
    rows = rows[[*wanted, "kind", "exchange", "monotonic_ns", "size"]]
    requests = rows[rows["kind"] == "request"].set_index("seq", drop=False)
    responses = rows[rows["kind"] == "response"]
    answered = responses["exchange"].isin(requests.index)
    answers = responses[answered].drop_duplicates("exchange", keep="last").astype({"exchange": "int64"})
    answers = answers.set_index("exchange").reindex(requests.index)
    elapsed = (answers["monotonic_ns"] - requests["monotonic_ns"]).astype("Float64") / 1e6
    exchanges = requests.assign(
        http_status=answers["http_status"],
        latency_ms=answers["latency_ms"].fillna(elapsed),
        request_size=requests["size"],
        response_size=answers["size"],
        correlation_id=answers["correlation_id"].fillna(requests["correlation_id"]),
        note=answers["note"].fillna(requests["note"]),
    )
    # An answer whose request is not in this log stands alone.
    alone = responses[~answered]
    alone = alone.assign(request_size=None, response_size=alone["size"])
    both = pd.concat([typed(exchanges, HTTP_COLUMNS), typed(alone, HTTP_COLUMNS)])
    return typed(both.sort_values("seq"), HTTP_COLUMNS)


def _frames(table: pd.DataFrame) -> pd.DataFrame:
    return typed(table[_names(FRAMES_COLUMNS)][table["kind"].isin(["frame", "close"])], FRAMES_COLUMNS)


def _messages(table: pd.DataFrame) -> pd.DataFrame:
    is_said = (
        table["kind"].isin(["frame", "history"])
        & table["message_direction"].notna()
        & ~table["message_type"].isin(["Event", "Receipt"])  # typing and joining are no words
    )
    said = table[[*_SAID]][is_said]
    again = said.duplicated(["session", "message_id"]) & said["message_id"].notna()
    ordered = said[~again].sort_values(["message_time", "seq"])
    return typed(ordered.rename(columns=_RENAMED), MESSAGES_COLUMNS)


def _attempts(table: pd.DataFrame) -> pd.DataFrame:
    tried = table[table["kind"] == "attempt"]
    again = tried.duplicated("attempt", keep="last") & tried["attempt"].notna()
    return typed(tried[~again], ATTEMPTS_COLUMNS)


def _sessions(table: pd.DataFrame) -> pd.DataFrame:
    wanted = ["session", "at", "kind", "direction", "http_status", "close_code"]
    of_session = table[wanted][table["session"].notna()]
    messages = _messages(table)
    is_frame = of_session["kind"] == "frame"
    counts = of_session.assign(
        frames_sent=is_frame & (of_session["direction"] == "sent"),
        frames_received=is_frame & (of_session["direction"] == "received"),
        connects=(of_session["http_status"] == 101).fillna(value=False),
    ).groupby("session", sort=False)
    found = counts.agg(
        first_at=("at", "min"),
        last_at=("at", "max"),
        frames_sent=("frames_sent", "sum"),
        frames_received=("frames_received", "sum"),
        connects=("connects", "sum"),
        close_code=("close_code", "last"),
    )
    said = messages.groupby(["session", messages["direction"].astype("str")]).size()
    for name, direction in (("messages_in", "Inbound"), ("messages_out", "Outbound")):
        one_way = said[said.index.get_level_values(1) == direction].droplevel(1)
        found[name] = one_way.reindex(found.index).fillna(0)
    return typed(found.reset_index(), SESSIONS_COLUMNS)


_VIEWS: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "http": _http,
    "frames": _frames,
    "messages": _messages,
    "attempts": _attempts,
    "sessions": _sessions,
}


class Views:
    """The table of one log and what is made of it, kept so that a second call pays for what is new.

    Args:
        since: Gives the entries of the log from one place on.
    """

    def __init__(self, since: Callable[[int], list[Chunk | PutAway]]) -> None:
        self._since = since
        self._lock = threading.Lock()
        self._table: Table | None = None
        self._made: dict[str, tuple[int, pd.DataFrame]] = {}

    def table(self) -> pd.DataFrame:
        """Return the whole table."""
        with self._lock:
            if self._table is None:
                self._table = Table()
            self._table.extend(self._since(len(self._table)))
            return self._table.frame()

    def view(self, name: str) -> pd.DataFrame:
        """Return one view by its name."""
        table = self.table()
        length, view = self._made.get(name, (-1, None))
        if view is None or length != len(table):
            view = _VIEWS[name](table)
            if len(view) <= _KEPT:
                self._made[name] = (len(table), view)
        return view.copy(deep=False)
