"""The views of a log: what the whole table says about one thing.

Each view has a schema of its own, empty or full. What it needs is gathered in `feeds.py` as the log grows.
"""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, TypeVar, cast

from guestlab.log.entry import COLUMNS, Column, Kind
from guestlab.log.feeds import Feed, MessagesFeed, SessionsFeed
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
    "views_markdown",
]

_AnyFeed = TypeVar("_AnyFeed", Feed, MessagesFeed, SessionsFeed)

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
    "conversation_id", "guest_token", "latency_ms", "late", "monotonic_ns",
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


def _http(rows: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

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


def _attempts(tried: pd.DataFrame) -> pd.DataFrame:
    again = tried.duplicated("attempt", keep="last") & tried["attempt"].notna()
    return typed(tried[~again], ATTEMPTS_COLUMNS)


class Views:
    """The table of one log and what is made of it, kept so that a second call pays for what is new.

    Args:
        since: Gives the entries of the log from one place on.
    """

    def __init__(self, since: Callable[[int], list[Chunk | PutAway]]) -> None:
        self._since = since
        self._lock = threading.Lock()
        self._table: Table | None = None
        self._feeds: dict[str, Feed | SessionsFeed] = {}
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
        with self._lock:
            return _VIEWS[name](self)

    # -- one by one: the lock is held -------------------------------------------------------------------

    def _frames(self) -> pd.DataFrame:
        return self._fed("frames", partial(Feed, FRAMES_COLUMNS, _OF_SOCKETS)).table.frame()

    def _messages(self) -> pd.DataFrame:
        feed = self._fed("messages", _messages_feed)
        if feed.is_ordered:
            view = feed.table.frame().rename(columns=_RENAMED)
        else:
            view = self._remade("messages", feed, lambda rows: _in_order(rows).rename(columns=_RENAMED))
        return _with_conversations(view, feed.conversations) if feed.conversations else view

    def _sessions(self) -> pd.DataFrame:
        counts = self._fed("messages", _messages_feed).counts
        return typed(self._fed("sessions", SessionsFeed).frame(counts), SESSIONS_COLUMNS)

    def _http(self) -> pd.DataFrame:
        return self._remade("http", self._fed("http", partial(Feed, _HTTP_SOURCES, _OF_HTTP)), _http)

    def _attempts(self) -> pd.DataFrame:
        feed = self._fed("attempts", partial(Feed, ATTEMPTS_COLUMNS, _OF_ATTEMPTS))
        return self._remade("attempts", feed, _attempts)

    def _remade(self, name: str, feed: Feed, make: Callable[[pd.DataFrame], pd.DataFrame]) -> pd.DataFrame:
        """Make a view of all the rows of its feed, if there are more than the last time."""
        length, view = self._made.get(name, (-1, None))
        if view is None or length != len(feed.table):
            view = make(feed.table.frame())
            self._made[name] = (len(feed.table), view)
        return view.copy(deep=False)

    def _fed(self, name: str, new: Callable[[], _AnyFeed]) -> _AnyFeed:
        """Return a feed that has seen all there is."""
        if name not in self._feeds:
            self._feeds[name] = new()
        feed = cast("_AnyFeed", self._feeds[name])
        for part in self._since(feed.seen):
            feed.add(part.loaded())
        return feed


def _messages_feed() -> MessagesFeed:
    return MessagesFeed(_columns(*_SAID))


def _with_conversations(messages: pd.DataFrame, known: dict[str, str]) -> pd.DataFrame:
    """Name the conversation of live messages that a transcript told of later."""
    named = messages["conversation_id"]
    told = messages["message_id"].map(known).astype(named.dtype)
    return messages.assign(conversation_id=named.fillna(told))


def _in_order(messages: pd.DataFrame) -> pd.DataFrame:
    return messages.sort_values(["message_time", "seq"]).reset_index(drop=True)


_HTTP_SOURCES = _columns(
    "seq", "at", "monotonic_ns", "kind", "stage", "attempt", "exchange", "method", "url", "http_status",
    "latency_ms", "size", "correlation_id", "note",
)  # fmt: skip
_OF_SOCKETS = frozenset({Kind.FRAME, Kind.CLOSE})
_OF_HTTP = frozenset({Kind.REQUEST, Kind.RESPONSE})
_OF_ATTEMPTS = frozenset({Kind.ATTEMPT})

_SCHEMAS = {
    "http": HTTP_COLUMNS,
    "frames": FRAMES_COLUMNS,
    "messages": MESSAGES_COLUMNS,
    "attempts": ATTEMPTS_COLUMNS,
    "sessions": SESSIONS_COLUMNS,
}


def views_markdown() -> str:
    """Write the columns of each view as Markdown, for the README; brackets hold a name of the table."""
    lines = ["| view | columns |", "|---|---|"]
    for view, columns in _SCHEMAS.items():
        meant = {new: old for old, new in _RENAMED.items()} if view == "messages" else {}
        names = [f"`{c.name}`" + (f" (`{meant[c.name]}`)" if c.name in meant else "") for c in columns]
        lines.append(f"| `log.{view}` | {', '.join(names)} |")
    return "\n".join(lines)


_VIEWS: dict[str, Callable[[Views], pd.DataFrame]] = {
    "http": Views._http,  # noqa: SLF001 - its own table
    "frames": Views._frames,  # noqa: SLF001
    "messages": Views._messages,  # noqa: SLF001
    "attempts": Views._attempts,  # noqa: SLF001
    "sessions": Views._sessions,  # noqa: SLF001
}
