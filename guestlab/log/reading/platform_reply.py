"""A saved JSON reply of the Platform API: messages, conversations, analytics, recordings.

What each document says is `protocol/transcripts.py`'s. An entry bears the time of what happened, else that of
the file and `monotonic_ns` 0, and the conversation's id as the name of its session.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from guestlab.log.entry import UNTIMED, Entry, Stage
from guestlab.log.reading.text_file import time_of_file
from guestlab.protocol.transcripts import rows_of_document

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from guestlab.log.reading.report import Report

__all__ = ["entries_of"]

LARGEST = 1 << 28
"""Bytes of a document that is read: it is decoded as a whole."""


def entries_of(path: Path, report: Report) -> Iterator[Entry]:
    """Yield a row per message, or per segment of analytics."""
    if path.stat().st_size > LARGEST:
        report.skip("file", f"larger than {LARGEST >> 20} MiB")
        return
    try:
        document = msgspec.json.decode(path.read_bytes())
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        report.skip("file", f"no JSON: {error}")
        return
    rows = rows_of_document(document)
    if rows is None:
        report.skip("file", "no reply of the Platform API that tells of a conversation")
        return
    otherwise = time_of_file(path)
    for number, row in enumerate(rows, 1):
        told = row.get("message_time")
        at = otherwise if told is None else told
        about: dict[str, Any] = {"stage": Stage.CONVERSATION, "session": row.get("conversation_id"), **row}
        yield Entry(seq=number, at=at, monotonic_ns=told or UNTIMED, **about)
