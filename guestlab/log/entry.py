"""Entry, one row of the log, and COLUMNS, the public schema of its table.

Pure: no clock, file or pandas. The twin with the clock is `recorder.py`, the one with pandas `table.py`.

Rules of the table: a name is at once the column, the attribute of `Entry` and the argument of
`Log.record`. Missing is None in an entry and NA (NaT, NaN) in a DataFrame. Times are nanoseconds since
1970 in an entry and UTC-aware in a DataFrame. Only closed sets are categories. Text from the wire stands
here as it came, secrets excepted: escape it before it is shown as HTML.
"""

from __future__ import annotations

import enum
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

__all__ = ["COLUMNS", "UNTIMED", "Column", "Entry", "Kind", "Lane", "Stage", "Step", "columns_markdown"]


class Kind(enum.StrEnum):
    """What an entry records."""

    REQUEST = "request"
    """An HTTP request, the upgrade of a WebSocket included."""
    RESPONSE = "response"
    """The answer to one; `exchange` names the request."""
    FRAME = "frame"
    """One WebSocket text, one direction."""
    CLOSE = "close"
    """The end of a WebSocket, with its close code."""
    STEP = "step"
    """A timed phase inside an attempt."""
    ATTEMPT = "attempt"
    """The outcome of one try at opening the socket."""
    LIFECYCLE = "lifecycle"
    """A session or channel changed its state."""
    HISTORY = "history"
    """One message read back from the platform."""
    NOTE = "note"
    """Something worth saying that crossed no wire."""


class Stage(enum.StrEnum):
    """What the lab was doing."""

    PREFLIGHT = "preflight"
    TOKEN = "token"  # noqa: S105 - the name of a stage
    CONVERSATION = "conversation"
    HANDSHAKE = "handshake"
    SESSION = "session"
    CHANNEL = "channel"


class Step(enum.StrEnum):
    """A timed phase inside an attempt, in order."""

    DNS = "dns"
    TCP = "tcp"
    TLS = "tls"
    UPGRADE = "upgrade"
    CONFIGURE = "configure"


class Lane(enum.StrEnum):
    """Whose number it is: HTTP status, WebSocket close code and frame code are different things."""

    HTTP = "http"
    CLOSE = "close"
    FRAME = "frame"


class Column(NamedTuple):
    """One column of a table: what it is called, holds and means."""

    name: str
    dtype: str
    """The pandas dtype, the same in an empty and in a full table."""
    unit: str
    """"" where there is none."""
    meaning: str
    categories: tuple[str, ...] = ()
    """The closed set, for dtype "category"."""


_TIME = "datetime64[ns, UTC]"
_DIRECTIONS = ("sent", "received")
_MESSAGE_DIRECTIONS = ("Inbound", "Outbound")

COLUMNS: tuple[Column, ...] = (
    Column("seq", "int64", "", "Number of the entry in its log: 1, 2, 3 … without a gap."),
    Column("at", _TIME, "ns", "Wall time at which it was recorded, or crossed the wire where known."),
    Column(
        "monotonic_ns",
        "int64",
        "ns",
        "Monotonic time of the same moment: for differences only. 0: no clock told it.",
    ),
    Column("kind", "category", "", "What the entry records.", tuple(Kind)),
    Column("stage", "category", "", "What the lab was doing.", tuple(Stage)),
    Column("step", "category", "", "Timed phase inside an attempt.", tuple(Step)),
    Column("lane", "category", "", "Whose number the entry carries.", tuple(Lane)),
    Column("direction", "category", "", "Seen from here.", _DIRECTIONS),
    Column("attempt", "Int64", "", "Number of the attempt it belongs to."),
    Column("session", "str", "", "Name of the guest session or channel it belongs to."),
    Column("exchange", "Int64", "", "On a response: seq of its request."),
    Column("method", "str", "", "HTTP method."),
    Column("url", "str", "", "Address, secrets masked."),
    Column("http_status", "Int64", "", "Lane http: the status of a response."),
    Column("close_code", "Int64", "", "Lane close: the code that ended a WebSocket."),
    Column("frame_code", "Int64", "", "Lane frame: `code` of a server frame."),
    Column("action", "str", "", "`action` of a client frame."),
    Column("class_name", "str", "", "`class` of a server frame."),
    Column("latency_ms", "Float64", "ms", "Time from the question to this answer, or length of a step."),
    Column("size", "Int64", "bytes", "Size on the wire, before redaction: of the body, or of the frame."),
    Column("message_id", "str", "", "Stable id of a message: the same live and in history."),
    Column("tracing_id", "str", "", "`tracingId`: joins a client frame with the answers to it."),
    Column("correlation_id", "str", "", "The platform's correlation id: quote it to support."),
    Column("conversation_id", "str", "", "Conversation, where known; the guest side never learns it."),
    Column("guest_token", "str", "", "Tag of the guest token, never the token."),
    Column("message_direction", "category", "", "Seen from the platform.", _MESSAGE_DIRECTIONS),
    Column("message_type", "str", "", "Type of a message: Text, Structured, Event …"),
    Column("message_time", _TIME, "ns", "`channel.time` of a message: the platform's clock."),
    Column("originating_entity", "str", "", "Who wrote a message: Human or Bot."),
    Column("content_types", "str", "", "Content types of a message, comma-joined."),
    Column("event_types", "str", "", "Event types of a message, comma-joined."),
    Column("text", "str", "", "Words of a message, or text of an error."),
    Column("credential", "str", "", "What the attempt tried to open the socket with."),
    Column("placement", "str", "", "Where it put the credential."),
    Column("rule", "str", "", "Names of the diagnosis rules that fired, comma-joined, best first."),
    Column("ok", "boolean", "", "Whether it worked."),
    Column("late", "boolean", "", "Whether a message came after one with a later `message_time`."),
    Column("note", "str", "", "One sentence in plain words."),
    Column("raw", "str", "", "What crossed the wire, secrets masked: HTTP head and body, or the frame."),
    Column(
        "source_file",
        "str",
        "",
        "File it was read from; in a dataset the run, where no file; missing in a live log.",
    ),
)
"""The schema of `log.table()`, in column order."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
UNTIMED = 0
"""`monotonic_ns` of what a file tells without a time: its `at` is when the file was last changed."""
_SHOWN = 60
"""Characters of a text in an entry's repr."""


class Entry(NamedTuple):
    """One row of the log: immutable, slotted, one attribute per column of `COLUMNS`.

    >>> Entry(seq=1, at=0, monotonic_ns=0, kind=Kind.NOTE, note="hello")
    <Entry 1 note note='hello'>
    """

    seq: int
    at: int
    monotonic_ns: int
    kind: Kind
    stage: Stage | None = None
    step: Step | None = None
    lane: Lane | None = None
    direction: str | None = None
    attempt: int | None = None
    session: str | None = None
    exchange: int | None = None
    method: str | None = None
    url: str | None = None
    http_status: int | None = None
    close_code: int | None = None
    frame_code: int | None = None
    action: str | None = None
    class_name: str | None = None
    latency_ms: float | None = None
    size: int | None = None
    message_id: str | None = None
    tracing_id: str | None = None
    correlation_id: str | None = None
    conversation_id: str | None = None
    guest_token: str | None = None
    message_direction: str | None = None
    message_type: str | None = None
    message_time: int | None = None
    originating_entity: str | None = None
    content_types: str | None = None
    event_types: str | None = None
    text: str | None = None
    credential: str | None = None
    placement: str | None = None
    rule: str | None = None
    ok: bool | None = None
    late: bool | None = None
    note: str | None = None
    raw: str | None = None
    source_file: str | None = None

    @property
    def when(self) -> datetime:
        """`at` as a UTC datetime, to the microsecond."""
        return _EPOCH + timedelta(microseconds=self.at // 1000)

    def filled(self) -> dict[str, int | float | str | bool]:
        """Return the columns that are not missing, in order."""
        return {name: value for name, value in zip(self._fields, self, strict=True) if value is not None}

    def __repr__(self) -> str:
        hidden = ("seq", "at", "monotonic_ns", "kind")
        facts = (f"{name}={_cut(value)}" for name, value in self.filled().items() if name not in hidden)
        return " ".join((f"<Entry {self.seq} {self.kind}", *facts)) + ">"


for _column in COLUMNS:
    getattr(Entry, _column.name).__doc__ = _column.meaning


def _cut(value: object) -> str:
    """Show a value in a repr: plain, and short."""
    if not isinstance(value, str):
        return repr(value)
    return repr(str(value)) if len(value) <= _SHOWN else repr(value[: _SHOWN - 1] + "…")


def columns_markdown(columns: tuple[Column, ...] = COLUMNS) -> str:
    """Write the schema of a table as Markdown, for the README.

    >>> print(columns_markdown(COLUMNS[:1]))
    | column | dtype | unit | meaning |
    |---|---|---|---|
    | `seq` | `int64` | | Number of the entry in its log: 1, 2, 3 … without a gap. |
    """
    lines = ["| column | dtype | unit | meaning |", "|---|---|---|---|"]
    for column in columns:
        closed = f" ({', '.join(column.categories)})" if column.categories else ""
        unit = f" {column.unit} " if column.unit else " "
        lines.append(f"| `{column.name}` | `{column.dtype}`{closed} |{unit}| {column.meaning} |")
    return "\n".join(lines)
