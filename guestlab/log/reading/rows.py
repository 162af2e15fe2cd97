"""A row of some table becomes an entry: one of ours, or one of another tool that holds a guest frame.

A row is a mapping from names to values, wherever it stood: a line of JSON, of CSV, of Parquet. Rows are
hostile: what does not fit is reported, never raised.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from guestlab.log.entry import COLUMNS, UNTIMED, Entry
from guestlab.log.fitting import CLOSED, KINDS, whole
from guestlab.log.frame_columns import Frames, direction_of
from guestlab.log.times import read_time

if TYPE_CHECKING:
    from collections.abc import Mapping

    from guestlab.log.reading.report import Report

__all__ = ["FRAME_NAMES", "Rows", "is_own"]

FRAME_NAMES = ("raw", "frame", "payload", "data", "message", "msg", "text", "body", "content")
"""Under which names other tools keep a frame, in the order in which they are tried."""
_TIME_NAMES = ("at", "time", "timestamp", "@timestamp", "ts", "datetime", "date", "when")
_DIRECTION_NAMES = ("direction", "dir", "way", "type", "event", "opcode")
_SESSION_NAMES = ("session", "session_id", "sessionId", "connection", "connection_id", "connectionId")
_WORDS = {
    **dict.fromkeys(("sent", "send", "out", "outgoing", "request", "tx", "client", ">", "->", ">>"), "sent"),
    **dict.fromkeys(
        ("received", "receive", "recv", "in", "incoming", "response", "rx", "server", "<", "<-", "<<"),
        "received",
    ),
}
"""Words for the direction of a frame. Not among them: inbound and outbound, which each side reads its way."""
_NAMES = tuple(column.name for column in COLUMNS)
_CLOSED = ("stage", "step", "lane", "direction")
_SOCKETS = 1000
"""Sessions of one file that are kept apart."""


def is_own(row: Mapping[str, Any]) -> bool:
    """Tell whether a row has the columns of our log."""
    return isinstance(row.get("kind"), str) and row["kind"] in KINDS and "at" in row


class Rows:
    """Turns the rows of one file into entries.

    Args:
        report: Told what is left out.
        session: Name of the session for frames that name none.
        at_ns: Time of frames that have none.
    """

    def __init__(self, report: Report, *, session: str, at_ns: int) -> None:
        self._report = report
        self._session, self._at = session, at_ns
        self._seq = 0
        self._sockets: dict[str, Frames] = {}

    def entry(self, row: Mapping[str, Any], place: str, line: str | None = None) -> Entry | None:
        """Return the entry of a row, or None when there is none in it.

        Args:
            row: Names and values.
            place: Where it stands, for the report.
            line: The row as JSON text, where it may itself be a frame.
        """
        return self._own(row, place) if is_own(row) else self._foreign(row, place, line)

    def _own(self, row: Mapping[str, Any], place: str) -> Entry | None:
        at = read_time(row["at"]) if isinstance(row["at"], str) else whole(row["at"])
        if at is None:
            self._report.skip(place, "what stands under at is no time")
            return None
        values = dict(row)
        number = whole(row.get("seq"))
        self._seq = values["seq"] = number if number is not None and number > self._seq else self._seq + 1
        monotonic = whole(row.get("monotonic_ns"))
        values["at"], values["monotonic_ns"] = at, at if monotonic is None else monotonic
        values["kind"] = KINDS[row["kind"]]
        for name in _CLOSED:
            word = row.get(name)
            try:
                values[name] = CLOSED[name][word]
            except (KeyError, TypeError):
                # The word is not quoted: in a row that slipped it may be anything, a secret too.
                self._report.skip(f"{place}, column {name}", "it holds a word that is none of its set")
                values[name] = None
        return Entry._make(map(values.get, _NAMES))

    def _foreign(self, row: Mapping[str, Any], place: str, line: str | None) -> Entry | None:
        found = _frame(row, line)
        if found is None:
            self._report.skip(place, "there is no guest frame in it")
            return None
        raw, direction = found
        told = next((at for name in _TIME_NAMES if (at := read_time(row.get(name))) is not None), None)
        named = (row.get(name) for name in _SESSION_NAMES)
        session = next((word for word in named if isinstance(word, str) and 0 < len(word) <= 200), None)
        session = session or self._session
        self._seq += 1
        if session not in self._sockets and len(self._sockets) >= _SOCKETS:
            self._sockets.clear()
        frames = self._sockets.setdefault(session, Frames())
        columns = frames.columns(raw, direction, seq=self._seq, at_ns=told)
        at = self._at if told is None else told
        always = {"seq": self._seq, "at": at, "monotonic_ns": told or UNTIMED}
        columns |= {**always, "stage": "session", "session": session}
        return Entry(**columns)


def _frame(row: Mapping[str, Any], line: str | None) -> tuple[str, str] | None:
    """Find the frame in a row, and who sent it: what the frame says itself goes before words beside it."""
    itself = direction_of(row) if line is not None else None
    if itself is not None and line is not None:
        return line, itself
    words = (str(row.get(name)).strip().lower() for name in _DIRECTION_NAMES if row.get(name) is not None)
    told = next((_WORDS[word] for word in words if word in _WORDS), None)
    for name in FRAME_NAMES:
        value = row.get(name)
        parsed = _parsed(value)
        direction = direction_of(parsed) or (told if value and isinstance(value, str | dict) else None)
        if direction is not None and parsed is not None:
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            return text, direction
        if direction is not None and isinstance(value, str) and name in {"raw", "frame", "payload"}:
            return value, direction  # the direction is told, the frame is no JSON: kept all the same
    return None


def _parsed(value: Any) -> Any:
    if not isinstance(value, str):
        return value if isinstance(value, dict) else None
    if not value.lstrip().startswith("{"):
        return None
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None
