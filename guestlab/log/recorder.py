"""Log: the append-only, redacted record of everything that crosses a wire.

One call, `record`, is the only way in: it numbers, stamps, redacts and appends under one lock, then tells
the subscribers, in order. What is in the log never changes. The DataFrames are made by `table.py` and
`views.py` when somebody asks; nothing here imports pandas.
"""

from __future__ import annotations

import importlib
import json
import math
import operator
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, SupportsIndex, overload

from guestlab.errors import InputError
from guestlab.log.entry import COLUMNS, Entry, Kind, Lane, Stage, Step
from guestlab.log.redaction import Redactor
from guestlab.log.store import CHUNK, Chunk, seal

if TYPE_CHECKING:
    import pandas as pd

    from guestlab.log.reading.report import Skipped

__all__ = ["Entries", "Log"]

_KINDS: dict[str | None, Kind] = {str(kind): kind for kind in Kind}
_STAGES: dict[str | None, Stage | None] = {None: None, **{str(stage): stage for stage in Stage}}
_STEPS: dict[str | None, Step | None] = {None: None, **{str(step): step for step in Step}}
_LANES: dict[str | None, Lane | None] = {None: None, **{str(lane): lane for lane in Lane}}
_DIRECTIONS: dict[str | None, str | None] = {None: None, "sent": "sent", "received": "received"}
_MESSAGE_DIRECTIONS = {"Inbound": "Inbound", "Outbound": "Outbound"}
_CLOSED: dict[str, Any] = {
    "kind": _KINDS,
    "stage": _STAGES,
    "step": _STEPS,
    "lane": _LANES,
    "direction": _DIRECTIONS,
}

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_INT64 = range(-(2**63), 2**63)
_PLACE = {column.name: place for place, column in enumerate(COLUMNS)}


class Log:
    """The record of everything one lab did; every view of it is a function of its entries.

    >>> log = Log()
    >>> log.record("note", note="The tour begins.")
    <Entry 1 note note='The tour begins.'>
    >>> len(log)
    1

    Threads may record at the same time. A secret is masked from the moment it is learnt: learn it before
    it is used.

    Args:
        redactor: Masks the secrets. By default one with a key of its own, so that tags of two logs cannot
            be compared; give two logs the same redactor to join them.
        wall: The wall clock, nanoseconds since 1970.
        monotonic: The monotonic clock, nanoseconds.
    """

    def __init__(
        self,
        *,
        redactor: Redactor | None = None,
        wall: Callable[[], int] = time.time_ns,
        monotonic: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.redactor = redactor if redactor is not None else Redactor(secrets.token_bytes(32))
        self._wall, self._monotonic = wall, monotonic
        self._lock = threading.Lock()
        self._sealed: list[Chunk] = []
        self._rows: list[Entry] = []
        self._count = 0
        self._subscriptions: tuple[_Subscription, ...] = ()
        self._untold: deque[tuple[Entry, frozenset[_Subscription]]] = deque()
        self._teller: int | None = None
        self._told: frozenset[_Subscription] = frozenset()
        self._tables: Any = None
        self._skipped: tuple[Skipped, ...] = ()

    # -- in ---------------------------------------------------------------------------------------------

    def record(
        self,
        kind: Kind | str,
        /,
        *,
        parsed: object = None,
        at_ns: int | None = None,
        monotonic_ns: int | None = None,
        stage: Stage | str | None = None,
        step: Step | str | None = None,
        lane: Lane | str | None = None,
        direction: str | None = None,
        attempt: int | None = None,
        session: str | None = None,
        exchange: int | None = None,
        method: str | None = None,
        url: str | None = None,
        http_status: int | None = None,
        close_code: int | None = None,
        frame_code: int | None = None,
        action: str | None = None,
        class_name: str | None = None,
        latency_ms: float | None = None,
        size: int | None = None,
        message_id: str | None = None,
        tracing_id: str | None = None,
        correlation_id: str | None = None,
        conversation_id: str | None = None,
        guest_token: str | None = None,
        message_direction: str | None = None,
        message_type: str | None = None,
        message_time: str | int | datetime | None = None,
        originating_entity: str | None = None,
        content_types: str | Iterable[str] | None = None,
        event_types: str | Iterable[str] | None = None,
        text: str | None = None,
        credential: str | None = None,
        placement: str | None = None,
        rule: str | Iterable[str] | None = None,
        ok: bool | None = None,
        late: bool | None = None,
        note: str | None = None,
        raw: str | bytes | None = None,
        source_file: str | None = None,
    ) -> Entry:
        """Append one entry; return it as it stands in the log.

        Keyword arguments are the columns of `COLUMNS`, except those below. What came from the wire may be
        of any type and is never the reason of an error: a number that is none becomes missing, a text
        that is none becomes its JSON. Texts are redacted.

        - `at_ns`, `monotonic_ns`: when it happened; now by default.
        - `parsed`: the JSON of `raw` where it is decoded already, to spare a second decoding.
        - `raw`: what crossed the wire, as text or bytes.
        - `size`: by default the bytes of the frame, or of the HTTP message's body.
        - `latency_ms`: by default the time since the entry named by `exchange`, if that is recent.
        - `guest_token`: the token or its tag; only the tag is kept. By default that of a sent frame.
        - `message_time`: ISO 8601 as on the wire, nanoseconds since 1970, or a datetime.
        - `content_types`, `event_types`, `rule`: a text, or several to be joined by commas.

        Raises:
            InputError: `kind`, `stage`, `step`, `lane` or `direction` is not of its closed set.
        """
        try:
            kind_ = _KINDS[kind]
            stage, step, lane = _STAGES[stage], _STEPS[step], _LANES[lane]
            direction = _DIRECTIONS[direction]
        except (KeyError, TypeError):
            raise _not_of_its_set(kind=kind, stage=stage, step=step, lane=lane, direction=direction) from None
        if isinstance(raw, bytes | bytearray):
            raw = raw.decode("utf-8", "backslashreplace")
        if raw is not None and size is None:
            size = _size(raw, is_frame=kind_ is Kind.FRAME)
        if guest_token is None and direction == "sent" and kind_ is Kind.FRAME:
            guest_token = _token_of(raw, parsed)
        if guest_token is not None:
            guest_token = self.redactor.learn(_text(guest_token))
        if message_direction is not None:
            message_direction = (
                _MESSAGE_DIRECTIONS.get(message_direction) if isinstance(message_direction, str) else None
            )
        credential = None if credential is None else str(credential)  # an enumeration's member, perhaps
        placement = None if placement is None else str(placement)
        texts = (
            session, method, url, action, class_name, message_id, tracing_id, correlation_id,
            conversation_id, message_type, originating_entity, content_types, event_types, text,
            credential, placement, rule, note, source_file, raw,
        )  # fmt: skip
        if not self._is_clean(texts):
            if self._is_clean(texts[:-1]):  # as in a sent frame: the token is in `raw` alone
                raw = self._redacted(raw)
            else:
                (
                    session, method, url, action, class_name, message_id, tracing_id, correlation_id,
                    conversation_id, message_type, originating_entity, content_types, event_types, text,
                    credential, placement, rule, note, source_file, raw,
                ) = map(self._redacted, texts)  # fmt: skip
        with self._lock:
            seq = self._count + 1
            monotonic_ns = _moment(self._monotonic() if monotonic_ns is None else monotonic_ns)
            if exchange is not None and latency_ms is None:
                latency_ms = self._elapsed_ms(exchange, monotonic_ns)
            row = (
                seq,
                _moment(self._wall() if at_ns is None else at_ns),
                monotonic_ns,
                kind_,
                stage,
                step,
                lane,
                direction,
                None if attempt is None else _whole(attempt),
                session,
                None if exchange is None else _whole(exchange),
                method,
                url,
                None if http_status is None else _whole(http_status),
                None if close_code is None else _whole(close_code),
                None if frame_code is None else _whole(frame_code),
                action,
                class_name,
                None if latency_ms is None else _float(latency_ms),
                None if size is None else _whole(size),
                message_id,
                tracing_id,
                correlation_id,
                conversation_id,
                guest_token,
                message_direction,
                message_type,
                None if message_time is None else _nanoseconds(message_time),
                originating_entity,
                content_types,
                event_types,
                text,
                credential,
                placement,
                rule,
                None if ok is None else bool(ok),
                None if late is None else bool(late),
                note,
                raw,
                source_file,
            )
            entry = tuple.__new__(Entry, row)  # three times as fast as Entry(*row)
            self._rows.append(entry)
            self._count = seq
            if len(self._rows) >= CHUNK:
                self._sealed.append(seal(self._rows))
                self._rows = []
            if self._subscriptions:
                self._untold.append((entry, self._authors()))
        if self._untold:
            self._tell()
        return entry

    def learn(self, *known: str) -> None:
        """Remember secrets, so that they are masked wherever they turn up from now on."""
        for secret in known:
            self.redactor.learn(secret)

    def redact(self, text: str) -> str:
        """Mask every secret in a text, as `record` does."""
        return self.redactor.redact(text)

    def _elapsed_ms(self, exchange: int, monotonic_ns: int) -> float | None:
        """Measure from a question, if it is among the newest entries."""
        place = exchange - 1 - CHUNK * len(self._sealed)
        return (monotonic_ns - self._rows[place].monotonic_ns) / 1e6 if 0 <= place < len(self._rows) else None

    def _is_clean(self, texts: tuple[Any, ...]) -> bool:
        """Tell quickly whether all of them are texts that can be kept as they are."""
        try:
            probe = "\n".join([text for text in texts if text is not None])
            if not probe.isascii():
                probe.encode()
        except (TypeError, UnicodeEncodeError):
            return False
        return self.redactor.is_clean(probe)

    def _redacted(self, value: Any) -> str | None:
        return None if value is None else _encodable(self.redactor.redact(_encodable(_text(value))))

    # -- telling ----------------------------------------------------------------------------------------

    def subscribe(self, callback: Callable[[Entry], object]) -> Callable[[], None]:
        """Have every entry told to a callback, in order, from now on; return what ends it.

        The callback runs in a thread that records, so a slow one slows recording: mark something dirty
        and return. One that raises is dropped, and a `note` entry says so. It may record: the others are
        told of that, it is not. Where threads record at the same time, one of them tells for all.
        """
        subscription = _Subscription(callback)
        with self._lock:
            self._subscriptions = (*self._subscriptions, subscription)

        def unsubscribe() -> None:
            with self._lock:
                self._subscriptions = tuple(s for s in self._subscriptions if s is not subscription)

        return unsubscribe

    def _authors(self) -> frozenset[_Subscription]:
        """Who must not be told of an entry: the callbacks inside which it is being recorded."""
        return self._told if self._teller == threading.get_ident() else frozenset()

    def _tell(self) -> None:
        with self._lock:
            if self._teller is not None:
                return  # whoever is telling will tell these too, in order
            self._teller = threading.get_ident()
        try:
            while True:
                with self._lock:
                    if not self._untold:
                        self._teller = None
                        return
                    entry, authors = self._untold.popleft()
                    subscriptions = self._subscriptions
                for subscription in subscriptions:
                    if subscription not in authors:
                        self._told = authors | {subscription}
                        self._call(subscription, entry)
        finally:
            self._told = frozenset()
            if self._teller == threading.get_ident():  # an interrupt came through
                self._teller = None

    def _call(self, subscription: _Subscription, entry: Entry) -> None:
        try:
            subscription.callback(entry)
        except Exception as error:  # noqa: BLE001 - a view must not be able to break the record
            with self._lock:
                self._subscriptions = tuple(s for s in self._subscriptions if s is not subscription)
            self.record(
                Kind.NOTE, note=f"A subscriber failed at entry {entry.seq} and was dropped: {error!r}"
            )

    # -- out --------------------------------------------------------------------------------------------

    @property
    def entries(self) -> Entries:
        """All entries, as a sequence that grows with the log."""
        return Entries(self)

    def __len__(self) -> int:
        return self._count

    def __bool__(self) -> bool:
        return True  # an empty log is a log

    def __repr__(self) -> str:
        return f"<Log: {self._count} entries>"

    def table(self) -> pd.DataFrame:
        """Return everything as a DataFrame with the columns of `COLUMNS`.

        It is the caller's own. A second call pays for what is new.
        """
        frame: pd.DataFrame = self._views().table()
        return frame

    @property
    def http(self) -> pd.DataFrame:
        """One row per HTTP exchange; the columns are `views.HTTP_COLUMNS`."""
        return self._view("http")

    @property
    def frames(self) -> pd.DataFrame:
        """One row per frame and per close; the columns are `views.FRAMES_COLUMNS`."""
        return self._view("frames")

    @property
    def messages(self) -> pd.DataFrame:
        """Every message once, by the platform's clock; the columns are `views.MESSAGES_COLUMNS`."""
        return self._view("messages")

    @property
    def attempts(self) -> pd.DataFrame:
        """One row per attempt; the columns are `views.ATTEMPTS_COLUMNS`."""
        return self._view("attempts")

    @property
    def sessions(self) -> pd.DataFrame:
        """One row per session; the columns are `views.SESSIONS_COLUMNS`."""
        return self._view("sessions")

    def summary(self) -> pd.DataFrame:
        """Return what the log holds at a glance: how much of what, when, and how it went.

        Computed anew with every call.
        """
        frame: pd.DataFrame = _of("summary", "summary")(self)
        return frame

    # -- files ------------------------------------------------------------------------------------------

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        """What could not be read, where this log was read from files; empty for a live one."""
        return self._skipped

    def to_har(self, path: str | Path) -> Path:
        """Write an HTTP Archive (HAR 1.2), WebSocket messages included, and return its path.

        Every text is swept once more with all that is known to be secret by now. The file is written
        beside and renamed when whole, so there is never half of one.

        Raises:
            LogError: The file cannot be written.
        """
        return self._written("har", "write_har", path)

    def to_jsonl(self, path: str | Path) -> Path:
        """Write JSON Lines, one object per entry with its filled columns, and return the path.

        Swept once more and renamed when whole, as `to_har`.

        Raises:
            LogError: The file cannot be written.
        """
        return self._written("lines", "write_jsonl", path)

    def to_csv(self, path: str | Path) -> Path:
        """Write comma-separated values with a line of column names, and return the path.

        Swept once more and renamed when whole, as `to_har`.

        Raises:
            LogError: The file cannot be written.
        """
        return self._written("lines", "write_csv", path)

    def to_parquet(self, folder: str | Path) -> Path:
        """Write a Parquet dataset, partitioned by day and sorted by session, and return its folder.

        Swept once more and renamed when whole, as `to_har`. Needs pyarrow, as in
        `pip install 'guestlab[parquet]'`.

        Raises:
            InputError: pyarrow is not installed.
            LogError: The dataset cannot be written.
        """
        return self._written("dataset", "write_parquet", folder)

    def to_bundle(self, path: str | Path) -> Path:
        """Write a zip for a support case, redacted, and return its path.

        Swept once more and renamed when whole, as `to_har`.

        Raises:
            LogError: The file cannot be written.
        """
        return self._written("bundle", "write_bundle", path)

    def _written(self, room: str, name: str, path: str | Path) -> Path:
        written: Path = _of(f"writing.{room}", name)(self, Path(path))
        return written

    def _view(self, name: str) -> pd.DataFrame:
        frame: pd.DataFrame = self._views().view(name)
        return frame

    def _views(self) -> Any:
        if self._tables is None:
            from guestlab.log.views import Views

            self._tables = Views(self._since)
        return self._tables

    def _since(self, start: int) -> list[Chunk]:
        """Take a snapshot of the entries from one place on, as chunks."""
        first, skipped = divmod(start, CHUNK)
        with self._lock:
            sealed = self._sealed[first:]
            rows = self._rows[max(0, start - CHUNK * len(self._sealed)) :]
        if sealed and skipped:
            sealed[0] = sealed[0].tail(skipped)
        return [*sealed, seal(rows)] if rows else sealed

    def _blocks(self) -> Iterator[list[Entry]]:
        with self._lock:
            sealed, rows = list(self._sealed), list(self._rows)
        for chunk in sealed:
            yield chunk.entries()
        yield rows

    def _at(self, place: int) -> Entry:
        with self._lock:
            chunk, index = divmod(place, CHUNK)
            if chunk == len(self._sealed):
                return self._rows[index]
            sealed = self._sealed[chunk]
        return sealed.entry(index)


class _Subscription:
    """One call of `subscribe`; the same callback may subscribe twice."""

    __slots__ = ("callback",)

    def __init__(self, callback: Callable[[Entry], object]) -> None:
        self.callback = callback


class Entries(Sequence[Entry]):
    """The entries of a log: a sequence over the live log, rebuilt from its columns on demand.

    Iterating visits those that were there when it began. A slice is a list.
    """

    __slots__ = ("_log",)

    def __init__(self, log: Log) -> None:
        self._log = log

    def __len__(self) -> int:
        return len(self._log)

    @overload
    def __getitem__(self, index: int) -> Entry: ...
    @overload
    def __getitem__(self, index: slice) -> list[Entry]: ...
    def __getitem__(self, index: SupportsIndex | slice) -> Entry | list[Entry]:
        places = range(len(self._log))[index]
        if isinstance(places, range):
            return [self._log._at(place) for place in places]  # noqa: SLF001 - its own view
        return self._log._at(places)  # noqa: SLF001

    def __iter__(self) -> Iterator[Entry]:
        for block in self._log._blocks():  # noqa: SLF001
            yield from block

    def __repr__(self) -> str:
        return f"<Entries: {len(self)}>"


def _of(room: str, name: str) -> Callable[..., Any]:
    """Fetch a function of another room of the log when it is needed: recording pays for none of them."""
    function: Callable[..., Any] = getattr(importlib.import_module(f"guestlab.log.{room}"), name)
    return function


def _size(raw: str, *, is_frame: bool) -> int:
    """Count the bytes of a frame, or of the body of an HTTP message."""
    content = raw if is_frame else raw.partition("\r\n\r\n")[2]
    return len(content) if content.isascii() else len(content.encode("utf-8", "surrogatepass"))


def _token_of(raw: str | None, parsed: object) -> str | None:
    """The top-level `token` of a client frame is the guest token."""
    if not parsed and raw is not None and '"token"' in raw:
        try:
            parsed = json.loads(raw)
        except (ValueError, RecursionError):
            return None
    token = parsed.get("token") if isinstance(parsed, dict) else None
    return token if isinstance(token, str) and token else None


def _text(value: Any) -> str:
    """Make text of what should have been text."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bytes | bytearray):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, tuple | list | set | frozenset) and all(isinstance(part, str) for part in value):
        return ",".join(value)
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return str(value)


def _encodable(text: str) -> str:
    """Spell out lone surrogates, which JSON can smuggle in and UTF-8 cannot hold."""
    if text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode()


def _whole(value: Any) -> int | None:
    if type(value) is not int:
        try:
            value = None if isinstance(value, bool) else operator.index(value)
        except TypeError:
            return None
    return value if value is not None and value in _INT64 else None


def _moment(value: float) -> int:
    """Fit a clock's answer, which may be a float or absurd, into its column."""
    moment = int(value)
    return moment if moment in _INT64 else 0


def _float(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _nanoseconds(value: Any) -> int | None:
    """Read a time: ISO 8601 text, a datetime, or nanoseconds since 1970. What is none becomes missing."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if isinstance(value, datetime):
        moment = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
        value = (moment - _EPOCH) // _MICROSECOND * 1000
    return _whole(value)


def _not_of_its_set(**given: object) -> InputError:
    name, value = next(
        (name, value)
        for name, value in given.items()
        if not isinstance(value, str | None) or value not in _CLOSED[name]
    )
    allowed = ", ".join(str(member) for member in _CLOSED[name] if member is not None)
    return InputError(
        f"{value!r} is no {name} of a log entry.",
        why="The column is a closed set, so that every table has the same categories.",
        next_step=f"Use one of {allowed}.",
    )
