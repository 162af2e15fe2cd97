"""Log: the append-only, redacted record of everything that crosses a wire.

One call, `record`, is the only way in: it numbers, stamps, redacts and appends under one lock, then tells
the subscribers, in order. What is in the log never changes. The DataFrames are made by `table.py` and
`views.py` when somebody asks; nothing here imports pandas.
"""

from __future__ import annotations

import importlib
import os
import secrets
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, SupportsIndex, overload

from guestlab.log.bulk import Numbering, clean, sides_of, slices
from guestlab.log.chunks import Chunks
from guestlab.log.clean_words import CleanWords, is_clean
from guestlab.log.entry import Entry, Kind, Lane, Stage, Step
from guestlab.log.fitting import (
    DIRECTIONS,
    KINDS,
    LANES,
    MESSAGE_DIRECTIONS,
    STAGES,
    STEPS,
    Moments,
    encodable,
    moment,
    nanoseconds,
    not_of_its_set,
    number,
    size_of,
    text_of,
    token_of,
    whole,
)
from guestlab.log.redaction import Redactor
from guestlab.log.store import CHUNK, Chunk, seal, seal_sides

if TYPE_CHECKING:
    import pandas as pd

    from guestlab.errors import LogError
    from guestlab.log.bulk import Sides
    from guestlab.log.chunks import PutAway
    from guestlab.log.journal import Journal
    from guestlab.log.reading.report import Skipped
    from guestlab.widgets.log_view import LogView

__all__ = ["Entries", "Log"]

_LOGS: weakref.WeakSet[Log] = weakref.WeakSet()
_FRAME, _SESSION, _FRAME_LANE = Kind.FRAME, Stage.SESSION, Lane.FRAME  # an enumeration is slow to ask
_MONOTONIC = Entry._fields.index("monotonic_ns")
_LARGEST = 2**63 - 1
_LEAST = 256
"""Entries of a chunk at least, where few are to be kept in memory."""


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
        journal: Where every entry is also written, before anybody is told of it: a folder, in which a new
            file is made (it exists, or is written with a `/` at its end and made), or a new file. Costs
            about 4 microseconds per entry. When it cannot be written any more, recording goes on in
            memory, and a `note` entry says so.
        keep: About how many entries to hold in memory; needs a journal, from which older ones are read
            when they are asked for. Reading one costs about 10 milliseconds, iterating 5 microseconds
            per entry. A table or view holds its own rows in memory once it was asked for.

    Raises:
        InputError: `journal` holds something already, or `keep` is given without a journal, or is no number
            from 1 on.
        LogError: The journal cannot be written.
    """

    def __init__(
        self,
        *,
        redactor: Redactor | None = None,
        wall: Callable[[], int] = time.time_ns,
        monotonic: Callable[[], int] = time.monotonic_ns,
        journal: str | Path | None = None,
        keep: int | None = None,
    ) -> None:
        if keep is not None and (type(keep) is not int or journal is None or keep < 1):
            from guestlab.log.journal import nothing_to_keep

            raise nothing_to_keep(keep, journal)
        self.redactor = redactor if redactor is not None else Redactor(secrets.token_bytes(32))
        self._wall, self._monotonic = wall, monotonic
        self._lock = threading.Lock()
        self._keep = keep
        self._most = CHUNK if keep is None else min(CHUNK, max(keep // 4, _LEAST))
        self._journal = None if journal is None else _journal(journal, moment(wall()))
        self._sealed_to = 0 if self._journal is None else self._journal.end
        self._is_ending_told = False
        self._sealed = Chunks()
        self._rows: list[tuple[Any, ...]] = []
        self._count = 0
        self._subscriptions: tuple[_Subscription, ...] = ()
        self._untold: deque[tuple[Entry, frozenset[_Subscription]]] = deque()
        self._teller: int | None = None
        self._told: frozenset[_Subscription] = frozenset()
        self._tables: Any = None
        self._shown: LogView | None = None
        self._words, self._moments = CleanWords(self.redactor), Moments()
        self._skipped: tuple[Skipped, ...] = ()
        _LOGS.add(self)

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
            kind_ = KINDS[kind]
            stage, step, lane = STAGES[stage], STEPS[step], LANES[lane]
            direction = DIRECTIONS[direction]
        except (KeyError, TypeError):
            raise not_of_its_set(kind=kind, stage=stage, step=step, lane=lane, direction=direction) from None
        if isinstance(raw, bytes | bytearray):
            raw = raw.decode("utf-8", "backslashreplace")
        if raw is not None and size is None:
            size = size_of(raw, is_frame=kind_ is Kind.FRAME)
        if guest_token is None and direction == "sent" and kind_ is Kind.FRAME:
            guest_token = token_of(raw, parsed)
        if guest_token is not None:
            guest_token = self.redactor.learn(text_of(guest_token))
        if message_direction is not None:
            message_direction = (
                MESSAGE_DIRECTIONS.get(message_direction) if isinstance(message_direction, str) else None
            )
        credential = None if credential is None else str(credential)  # an enumeration's member, perhaps
        placement = None if placement is None else str(placement)
        texts = (
            session, method, action, class_name, message_id, tracing_id, correlation_id, conversation_id,
            message_type, originating_entity, content_types, event_types, text, credential, placement, rule,
            note, source_file,
        )  # fmt: skip
        if not self._is_clean((*texts, url, raw)):
            before = self.redactor.version
            url, raw = self._redacted(url), self._redacted(raw)  # most often, it is one of these alone
            if self.redactor.version != before or not self._is_clean(texts):
                (
                    session, method, action, class_name, message_id, tracing_id, correlation_id,
                    conversation_id, message_type, originating_entity, content_types, event_types, text,
                    credential, placement, rule, note, source_file, url, raw,
                ) = self._all_redacted((*texts, url, raw))  # fmt: skip
        with self._lock:
            seq = self._count + 1
            monotonic_ns = moment(self._monotonic() if monotonic_ns is None else monotonic_ns)
            if exchange is not None and latency_ms is None:
                latency_ms = self._elapsed_ms(exchange, monotonic_ns)
            row = (
                seq,
                moment(self._wall() if at_ns is None else at_ns),
                monotonic_ns,
                kind_,
                stage,
                step,
                lane,
                direction,
                None if attempt is None else whole(attempt),
                session,
                None if exchange is None else whole(exchange),
                method,
                url,
                None if http_status is None else whole(http_status),
                None if close_code is None else whole(close_code),
                None if frame_code is None else whole(frame_code),
                action,
                class_name,
                None if latency_ms is None else number(latency_ms),
                None if size is None else whole(size),
                message_id,
                tracing_id,
                correlation_id,
                conversation_id,
                guest_token,
                message_direction,
                message_type,
                None if message_time is None else nanoseconds(message_time),
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
            self._enter(row)
        if self._untold or self._journal is not None:
            self._follow_up()
        return _entry(row)

    def record_message(  # noqa: PLR0917 - names would cost a microsecond
        self,
        raw: str | bytes,
        at_ns: int,
        monotonic_ns: int,
        session: str | None,
        class_name: str | None,
        frame_code: int | None,
        tracing_id: str | None,
        exchange: int | None,
        message_id: str | None,
        message_direction: str | None,
        message_type: str | None,
        message_time: str | datetime | None,
        originating_entity: str | None,
        content_types: str | None,
        text: str | None,
        late: bool | None,
    ) -> str | None:
        """Append the frame that brought a message to a session; return its text as it stands in the log.

        The same entry as `record("frame", stage="session", lane="frame", direction="received", …)` makes
        of the same columns, in half the time: such frames are nearly all there are. All the texts must be
        what the JSON of `raw` says, for what stands in a clean frame is not searched again; `exchange` is
        a `seq` of this log, and the times are those of `time.time_ns()` and `time.monotonic_ns()`.
        """
        size = time_ns = None
        try:
            if (
                self._is_quick(raw, tracing_id, message_id, text)
                and (frame_code is None or (type(frame_code) is int and -_LARGEST <= frame_code <= _LARGEST))
                and (not message_direction or message_direction in MESSAGE_DIRECTIONS)
                and self._words.has(
                    (session, class_name, message_direction, message_type, originating_entity, content_types)
                )
            ):
                time_ns = None if message_time is None else self._moments.read(message_time)
                size = len(raw) if raw.isascii() else len(raw.encode())  # type: ignore[union-attr]
        except (TypeError, UnicodeEncodeError):
            size = None
        if size is None:
            return self.record(
                Kind.FRAME, stage=Stage.SESSION, lane=Lane.FRAME, direction="received", raw=raw, at_ns=at_ns,
                monotonic_ns=monotonic_ns, session=session, class_name=class_name, frame_code=frame_code,
                tracing_id=tracing_id, exchange=exchange, message_id=message_id, text=text, late=late,
                message_direction=message_direction, message_type=message_type, message_time=message_time,
                originating_entity=originating_entity, content_types=content_types,
            ).text  # fmt: skip
        with self._lock:
            latency_ms = None if exchange is None else self._elapsed_ms(exchange, monotonic_ns)
            row = (
                self._count + 1, at_ns, monotonic_ns, _FRAME, _SESSION, None, _FRAME_LANE, "received", None,
                session, exchange, None, None, None, None, frame_code, None, class_name, latency_ms, size,
                message_id, tracing_id, None, None, None, message_direction or None, message_type, time_ns,
                originating_entity, content_types, None, text, None, None, None, None, late, None, raw, None,
            )  # fmt: skip
            self._enter(row)
        if self._untold or self._journal is not None:
            self._follow_up()
        return text

    def _is_quick(self, raw: object, tracing_id: object, message_id: object, text: object) -> bool:
        """Tell whether a frame and texts out of its JSON certainly can be kept as they are.

        Without a backslash in it, they stand in it word for word: then what stands in a clean frame is clean.
        """
        if (
            type(raw) is not str
            or (type(text) is not str and text is not None)
            or (type(message_id) is not str and message_id is not None)
            or (type(tracing_id) is not str and tracing_id is not None)
        ):
            return False
        if "\\" in raw:
            texts = [raw, *filter(None, (tracing_id, message_id, text))]
            return is_clean(self.redactor, texts)
        return self.redactor.is_clean(raw)

    def _enter(self, row: tuple[Any, ...]) -> None:
        """Add one entry to what the log holds. The lock is held.

        The newest stand as plain tuples, which the garbage collector leaves alone, unlike entries.
        """
        if self._journal is not None:
            self._journal.write(row)
        rows = self._rows
        rows.append(row)
        self._count += 1
        if len(rows) >= self._most:
            self._seal()
        if self._subscriptions:
            self._untold.append((_entry(row), self._authors()))

    def _follow_up(self) -> None:
        """Tell what is to be told. The lock is not held."""
        if self._untold:
            self._tell()
        if self._journal is not None and self._journal.error is not None:
            self._tell_ending()

    def extend(self, entries: Iterable[Entry], *, source_file: str | None = None) -> int:
        """Append many entries, as read from a file; return how many.

        They come after what is in the log, in the order given, and get new numbers: `seq`, and `exchange`
        with it. An `exchange` that names no entry given here so far, or in the same few thousand, becomes
        missing. Everything else is fitted, measured and redacted as by `record`, but for `latency_ms`,
        which stays as it is.

        Cheaper than `record`: about 6 microseconds per entry of 300 bytes, mostly for redaction.

        Args:
            entries: In order; their numbers must go up.
            source_file: What their `source_file` shall be; by default what it is.

        Raises:
            InputError: `kind`, `stage`, `step`, `lane` or `direction` of one is not of its closed set.
                Those a few thousand before it are in the log already.
        """
        rest = iter(entries)
        blocks = iter(lambda: list(islice(rest, CHUNK)), [])
        return self.extend_columns(map(sides_of, blocks), source_file=source_file)

    def extend_columns(
        self, blocks: Iterable[Mapping[str, Sequence[Any]]], *, source_file: str | None = None
    ) -> int:
        """Append many entries given as columns, for readers that need not build entries; return how many.

        A little cheaper than `extend`, which see, and so is not making the entries.

        Args:
            blocks: Each holds some thousand entries, best `CHUNK`: column → one value per entry. `at`,
                `monotonic_ns` and `kind` must be there; other columns without values may be left out.
                Without `seq`, an `exchange` counts from what this call appends: 1 is its first entry.
            source_file: What their `source_file` shall be; by default what it is.

        Raises:
            InputError: As `extend`.
            ValueError: A block has a column that is none, or columns of different lengths.
        """
        numbering, count = Numbering(), 0
        for block in blocks:
            for sides, length in slices(block, CHUNK):
                if source_file is not None:
                    sides["source_file"] = (source_file,) * length
                if "seq" not in sides:
                    sides["seq"] = range(count + 1, count + length + 1)
                self._take(clean(sides, length, self.redactor), length, numbering)
                count += length
        return count

    def _take(self, sides: Sides, length: int, numbering: Numbering) -> None:
        """Append columns that are clean."""
        with self._lock:
            numbering.renumber(sides, self._count + 1, length)
            chunk = seal_sides(sides, length)
            is_alone = length >= self._most // 4
            if is_alone or len(self._rows) + length > self._most:
                self._seal()
            if self._journal is not None:
                self._journal.write_all(chunk.entries())
            if is_alone:
                self._append(chunk)
            else:
                self._rows += chunk.entries()
                if len(self._rows) >= self._most:
                    self._seal()
            self._count += length
            if self._subscriptions:
                authors = self._authors()
                self._untold.extend((entry, authors) for entry in chunk.entries())
        self._follow_up()

    def _seal(self) -> None:
        """Turn the newest rows into columns. The lock is held."""
        if self._rows:
            rows, self._rows = self._rows, []
            self._append(seal(rows))

    def _append(self, chunk: Chunk) -> None:
        """Add a chunk, and let go of what the journal holds too. The lock is held."""
        if self._keep is None or self._journal is None or self._journal.error is not None:
            self._sealed.append(chunk)  # for good
            return
        start, self._sealed_to = self._sealed_to, self._journal.end
        from guestlab.log.reading.journal import fetched

        fetch = partial(fetched, self._journal.path, start, self._sealed_to, len(chunk))
        self._sealed.append(chunk, fetch)
        self._sealed.put_away(max(self._keep - self._most, 0))

    def _tell_ending(self) -> None:
        """Say once that the journal ended."""
        with self._lock:
            journal, was_told = self._journal, self._is_ending_told
            self._is_ending_told = True
        if not was_told and journal is not None and journal.error is not None:
            self.record(Kind.NOTE, note=f"{journal.error.what} {journal.error.why}", ok=False)

    # -- the journal ------------------------------------------------------------------------------------

    @property
    def journal(self) -> Path | None:
        """The file every entry is also written to, or None."""
        return None if self._journal is None else self._journal.path

    @property
    def journal_error(self) -> LogError | None:
        """Why entries are not written to the journal any more, or None."""
        return None if self._journal is None else self._journal.error

    def close(self) -> None:
        """End the journal and have the disk keep it. The log can still be read, and even recorded in.

        Entries recorded from then on are in memory only, and a `note` entry says so. Without a journal,
        or a second time, it does nothing.
        """
        with self._lock:
            if self._journal is not None:
                self._journal.close()

    def learn(self, *known: str) -> None:
        """Remember secrets, so that they are masked wherever they turn up from now on.

        Args:
            known: The secrets themselves.
        """
        for secret in known:
            self.redactor.learn(secret)

    def redact(self, text: str) -> str:
        """Mask every secret in a text, as `record` does.

        Args:
            text: Anything that may hold one.
        """
        return self.redactor.redact(text)

    def _elapsed_ms(self, exchange: int, monotonic_ns: int) -> float | None:
        """Measure from a question, if it is among the newest entries."""
        place = exchange - 1 - self._sealed.length
        return (monotonic_ns - self._rows[place][_MONOTONIC]) / 1e6 if 0 <= place < len(self._rows) else None

    def _is_clean(self, texts: tuple[Any, ...]) -> bool:
        """Tell quickly whether all of them are texts that can be kept as they are."""
        try:
            return is_clean(self.redactor, [text for text in texts if text is not None])
        except (TypeError, UnicodeEncodeError):
            return False

    def _redacted(self, value: Any) -> str | None:
        return None if value is None else encodable(self.redactor.redact(encodable(text_of(value))))

    def _all_redacted(self, texts: tuple[Any, ...]) -> Iterable[str | None]:
        """Redact the texts of one entry: what a later one gives away is masked in the earlier ones too."""
        before = self.redactor.version
        redacted = list(map(self._redacted, texts))
        return redacted if self.redactor.version == before else map(self._redacted, redacted)

    # -- telling ----------------------------------------------------------------------------------------

    def subscribe(self, callback: Callable[[Entry], object]) -> Callable[[], None]:
        """Have every entry told to a callback, in order, from now on; return what ends it.

        Args:
            callback: Called with each entry.

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
        if self._journal is None:
            return f"<Log: {self._count} entries>"
        state = "ended" if self._journal.error is not None else "in"
        return f"<Log: {self._count} entries, journal {state} {self._journal.path.name}>"

    def view(self, **wanted: Any) -> LogView:
        """Return a live view to look through it: filters, pages, the chosen entry as it was recorded.

        A log as the last line of a cell shows one. Without a kernel it is static HTML and text.

        Args:
            wanted: What it shows at first: `kind`, `lane`, `direction`, `session`, `text`, `only_refusals`;
                and `newest_first`.

        Raises:
            InputError: No such filter, or not one of its values.
        """
        from guestlab.widgets.log_view import LogView

        return LogView(self, **wanted)

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        if self._shown is None:
            self._shown = self.view()
        return self._shown._repr_mimebundle_(**options)

    def _ipython_display_(self) -> None:
        from guestlab.widgets.view import show

        show(self)

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

        Args:
            path: Of the file; one of that name is replaced.

        Raises:
            LogError: The file cannot be written.
        """
        return self._written("har", "write_har", path)

    def to_jsonl(self, path: str | Path) -> Path:
        """Write JSON Lines, one object per entry with its filled columns, and return the path.

        Swept once more and renamed when whole, as `to_har`.

        Args:
            path: Of the file; one of that name is replaced.

        Raises:
            LogError: The file cannot be written.
        """
        return self._written("lines", "write_jsonl", path)

    def to_csv(self, path: str | Path) -> Path:
        """Write comma-separated values with a line of column names, and return the path.

        Swept once more and renamed when whole, as `to_har`. A text that a spreadsheet would run as a formula
        has an apostrophe in front, which `gl.read` takes off again. Empty and missing texts are both empty
        cells, and come back as missing: where that matters, write JSON Lines or Parquet.

        Args:
            path: Of the file; one of that name is replaced.

        Raises:
            LogError: The file cannot be written.
        """
        return self._written("lines", "write_csv", path)

    def to_parquet(self, folder: str | Path) -> Path:
        """Write a Parquet dataset, partitioned by day and sorted by session, and return its folder.

        Into one folder any number of logs and processes may write. Written again, this log takes the place
        of what it wrote there before, and of copies of the same run that others wrote there; of copies the
        longest stays. A log put together of several is another one, and adds to them. Swept once more and
        renamed when whole, as `to_har`. Needs pyarrow: `pip install 'guestlab[parquet]'`.

        Args:
            folder: Of the dataset; made where it is missing.

        Raises:
            InputError: pyarrow is not installed.
            LogError: The dataset cannot be written.
        """
        return self._written("dataset", "write_parquet", folder)

    def to_bundle(self, path: str | Path) -> Path:
        """Write a zip for a support case, redacted, and return its path.

        Swept once more and renamed when whole, as `to_har`.

        Args:
            path: Of the file; one of that name is replaced.

        Raises:
            LogError: The file cannot be written.
        """
        return self._written("bundle", "write_bundle", path)

    def _written(self, room: str, name: str, path: str | Path) -> Path:
        if not isinstance(path, str | Path) or not str(path):
            from guestlab.log.writing.files import no_path

            raise no_path(path)
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

    def _since(self, start: int) -> list[Chunk | PutAway]:
        """Take a snapshot of the entries from one place on, as chunks."""
        with self._lock:
            parts, skipped = self._sealed.since(start)
            rows = self._rows[max(0, start - self._sealed.length) :]
        if skipped:
            parts[0] = parts[0].loaded().tail(skipped)
        return [*parts, seal(rows)] if rows else parts

    def _blocks(self) -> Iterator[list[Entry]]:
        with self._lock:
            parts, rows = self._sealed.since(0)[0], list(self._rows)
        for part in parts:
            yield self._sealed.loaded(part).entries()
        yield list(map(_entry, rows))

    def _at(self, place: int) -> Entry:
        with self._lock:
            if place >= self._sealed.length:
                return _entry(self._rows[place - self._sealed.length])
            part, index = self._sealed.find(place)
        return self._sealed.loaded(part).entry(index)


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


def _entry(row: tuple[Any, ...]) -> Entry:
    """Make an entry of its values, three times as fast as `Entry(*row)`."""
    return tuple.__new__(Entry, row)


def _journal(path: str | Path, wall_ns: int) -> Journal:
    from guestlab.log.journal import Journal

    return Journal(path, wall_ns)


def _renew_locks() -> None:
    """In the child of a fork, where the thread that held a lock does not exist."""
    for log in _LOGS:
        log._lock, log._teller = threading.Lock(), None  # noqa: SLF001


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_locks)


def _of(room: str, name: str) -> Callable[..., Any]:
    """Fetch a function of another room of the log when it is needed: recording pays for none of them."""
    function: Callable[..., Any] = getattr(importlib.import_module(f"guestlab.log.{room}"), name)
    return function
