"""What was said in a conversation, fetched with an access token after the fact and recorded into a log.

Three sources, each with a permission of its own: the messages themselves (words, at once), analytics (who
took part when, no words, minutes late), recordings (words, only where a policy kept them). What is refused
is reported with the permission that is missing, and the other sources are still read. Rows get the name
and the message ids of the live session where the log has it, so both sides of one message join. How
documents become rows is `protocol/transcripts.py`'s.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from guestlab.errors import DeadlineError, InputError, PlatformError
from guestlab.protocol.transcripts import (
    analytics_rows,
    message_ids,
    message_row,
    recording_rows,
    rows_of_document,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from guestlab.log import Log
    from guestlab.platform_api import PlatformApi
    from guestlab.protocol.transcripts import Row

__all__ = [
    "SOURCES",
    "SourceReport",
    "Transcript",
    "collect",
    "conversation_of",
    "conversation_of_session",
    "rows_of_document",
]

SOURCES = ("messages", "analytics", "recordings")
"""Where a conversation can be read from."""

_ID = re.compile(r'"id"\s*:\s*"([^"\\]{1,64})"')
_EMPTY = {
    "messages": "The conversation lists no message; one that is long over may list none any more.",
    "analytics": "Analytics lags minutes behind: ask again later.",
    "recordings": "Recordings exist after the conversation, and only where a recording policy keeps them.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceReport:
    """What one source gave."""

    source: str
    state: str
    """found, empty, refused (a permission is missing), absent (no such conversation) or failed."""
    rows: int = 0
    note: str = ""
    """What is missing there, or why it was refused, in one sentence."""
    next_step: str = ""
    """What to do about it; for `refused` it names the permission."""

    def __str__(self) -> str:
        words = [f"{self.source}: {self.state}", f"{self.rows} rows" if self.rows else "", self.note]
        return "; ".join(word for word in words if word) + (
            f" Next: {self.next_step}" if self.next_step else ""
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """What was fetched of one conversation; its rows stand in the log."""

    conversation_id: str
    session: str
    """The name its rows have in the log: the live session's, else the conversation's."""
    sources: tuple[SourceReport, ...]

    @property
    def rows(self) -> int:
        """Rows recorded in all."""
        return sum(report.rows for report in self.sources)

    @property
    def refused(self) -> tuple[SourceReport, ...]:
        """The sources the token may not read."""
        return tuple(report for report in self.sources if report.state == "refused")

    def __str__(self) -> str:
        return "\n".join([repr(self), *(f"  {report}" for report in self.sources)])

    def __repr__(self) -> str:
        states = ", ".join(f"{report.source} {report.state}" for report in self.sources)
        return f"Transcript({self.conversation_id}, {self.rows} rows as {self.session!r}: {states})"


async def collect(
    api: PlatformApi, conversation_id: str, log: Log, *, sources: Sequence[str] = SOURCES
) -> Transcript:
    """Fetch a conversation from every source that is permitted, and record it.

    Args:
        api: The Platform API, with an access token.
        conversation_id: Which conversation; `conversation_of` finds it by one of its messages.
        log: Where the rows go: kind `history` for messages, `lifecycle` for analytics.
        sources: Some of `SOURCES`.

    Raises:
        InputError: An unknown source.
        PlatformError: The token itself is not accepted.
        NetworkError: No answer.
    """
    unknown = [source for source in sources if source not in SOURCES]
    if unknown or isinstance(sources, str):
        raise InputError(
            f"{sources!r} are no sources of a transcript.",
            why=f"The sources are {', '.join(SOURCES)}.",
            next_step='Name some of them, such as sources=("messages",).',
        )
    fetched = _Fetched(api, conversation_id, log)
    try:
        reports = [await _report(source, fetched) for source in SOURCES if source in sources]
    finally:  # what was fetched before the network broke is kept
        session = fetched.record()
    return Transcript(conversation_id=conversation_id, session=session, sources=tuple(reports))


async def conversation_of(api: PlatformApi, message_id: str) -> str:
    """Look up which conversation a message belongs to; the guest side never learns it otherwise.

    Raises:
        PlatformError: The platform knows no such message, or names no conversation.
    """
    found = (await api.message_details(message_id)).get("conversationId")
    if isinstance(found, str) and found:
        return found
    raise PlatformError(
        "The message is known, but the platform names no conversation of it.",
        why="conversationId is not in its details.",
        next_step="Ask again in a moment: it may not have been routed yet.",
        http_status=200,
    )


async def conversation_of_session(api: PlatformApi, session: str, log: Log) -> str:
    """Look up a guest session's conversation by its newest message, and name that of every message in it.

    What the platform lists of the conversation is recorded as `history`, so that `conversation_id` is filled
    among `log.messages`. A session may have had others before: conversations end, sessions go on.

    Raises:
        InputError: The session has no message yet.
        PlatformError: The platform knows no such message, or the token may not look.
    """
    newest = next(
        (
            entry.message_id
            for entry in reversed(log.entries)
            if entry.session == session and entry.message_id and entry.message_direction
        ),
        None,
    )
    if newest is None:
        raise InputError(
            "This session has no conversation yet.",
            why="A conversation begins with the guest's first message.",
            next_step="Send something first.",
        )
    conversation_id = await conversation_of(api, newest)
    await collect(api, conversation_id, log, sources=("messages",))
    return conversation_id


class _Fetched:
    """The rows of one conversation while its sources are read, and what joins them with live ones."""

    def __init__(self, api: PlatformApi, conversation_id: str, log: Log) -> None:
        self._api, self._id, self._log = api, conversation_id, log
        self.rows: list[Row] = []
        self._name = ""
        self._keys: dict[str, str] = {}
        self._sessions: Counter[str] = Counter()

    async def messages(self) -> tuple[int, str]:
        """The words of both sides."""
        document = await self._api.message_conversation(self._id)
        name = document.get("name")
        self._name = name if isinstance(name, str) else ""
        wanted = message_ids(document)
        found = [message async for message in self._api.messages(self._id, wanted)]
        pairs = [(str(message.get("id")), message_row(message)) for message in found]
        rows = [row for _, row in pairs if row is not None]
        self._keys |= {identifier: row["message_id"] for identifier, row in pairs if row is not None}
        self.rows += _in_time(rows)
        lost = len(wanted) - len(rows)
        return len(rows), f"{lost} of {len(wanted)} listed messages were not given out" if lost > 0 else ""

    async def analytics(self) -> tuple[int, str]:
        """Who took part when."""
        rows = analytics_rows(await self._api.details(self._id))
        self.rows += rows
        return len(rows), "no words: analytics keeps none" if rows else ""

    async def recordings(self) -> tuple[int, str]:
        """The words as they were recorded."""
        recordings = await self._api.transcript(self._id)
        for recording in recordings:
            recording.setdefault("conversationId", self._id)
        self._look(_recorded_ids(recordings))
        found = [row for one in recordings for row in recording_rows(one, self._key)]
        self.rows += _in_time(found)
        states = [str(one.get("fileState")) for one in recordings if not one.get("messagingTranscript")]
        return len(found), f"recordings without a messaging transcript: {', '.join(states)}" if states else ""

    def record(self) -> str:
        """Record the rows, named as the live session of the same messages, else as the conversation."""
        self._look(row["message_id"] for row in self.rows if "message_id" in row)
        session = self._sessions.most_common(1)[0][0] if self._sessions else self._name or self._id
        about = {"stage": "conversation", "lane": "http", "direction": "received", "session": session}
        for row in self.rows:
            fields = {"conversation_id": self._id, **about, **row}
            self._log.record(fields.pop("kind"), **fields)
        return session

    def _key(self, identifier: str) -> str:
        return self._keys.get(identifier, identifier)

    def _look(self, identifiers: Iterable[str]) -> None:
        """Find messages in the log, by the id rows have or by the platform's own in the frame."""
        wanted = {*identifiers, *self._keys}
        if not wanted or not len(self._log):
            return
        table = self._log.table()
        said = table.loc[table["message_id"].notna(), ["message_id", "session", "raw", "kind"]]
        for key, session, raw, kind in said.itertuples(index=False):
            own = set(_ID.findall(raw)) & wanted if isinstance(raw, str) and kind == "frame" else set()
            if key not in wanted and not own:
                continue
            self._keys |= {identifier: key for identifier in own if identifier not in self._keys}
            if isinstance(session, str):
                self._sessions[session] += 1


async def _report(source: str, fetched: _Fetched) -> SourceReport:
    read: Callable[[], Awaitable[tuple[int, str]]] = getattr(fetched, source)
    try:
        rows, note = await read()
    except PlatformError as error:
        if error.http_status == 401:
            raise
        state = {403: "refused", 404: "absent"}.get(error.http_status, "failed")
        note = f"{error.what} {error.why}"
        return SourceReport(source=source, state=state, note=note, next_step=error.next_step)
    except DeadlineError as error:
        return SourceReport(source=source, state="failed", note=error.what, next_step=error.next_step)
    if rows == 0:
        return SourceReport(source=source, state="empty", note=note, next_step=_EMPTY[source])
    return SourceReport(source=source, state="found", rows=rows, note=note)


def _recorded_ids(recordings: list[dict[str, Any]]) -> set[str]:
    items = [
        item for one in recordings for item in one.get("messagingTranscript") or () if isinstance(item, dict)
    ]
    return {str(item["id"]) for item in items if item.get("id")}


def _in_time(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: row.get("message_time", 0))
