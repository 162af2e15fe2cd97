"""Pages of a guest session's history, as they stand in a log: responses to one address.

`GET /api/v2/webmessaging/messages` is asked by `session.history()`, and by browsers; its answers tell of
messages that may never have come live.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from guestlab.protocol.messages import Message

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

__all__ = ["OnPage", "messages_on_pages"]

_PATH = "/api/v2/webmessaging/messages"


class OnPage(NamedTuple):
    """One message of one page."""

    page: Any
    """The row of the response."""
    session: str | None
    """Whose history it is: as the response says, else that in which others of the page were handed over."""
    message: Message


def messages_on_pages(table: pd.DataFrame) -> Iterator[OnPage]:
    """Yield the messages of each page of history in a table; events and receipts are none."""
    is_page = (table["kind"] == "response") & table["url"].str.contains(_PATH, regex=False, na=False)
    pages = table[is_page & table["raw"].notna()]
    if not len(pages):
        return
    known = table[table["kind"].isin(["frame", "history"])][["message_id", "session"]].dropna()
    session_of = dict(zip(known["message_id"], known["session"], strict=True))
    rows: Iterator[Any] = pages.itertuples(index=False)
    for page in rows:
        told = page.session if isinstance(page.session, str) else None
        messages = list(_messages(page.raw))
        whose = told or next((session_of[one.key] for one in messages if one.key in session_of), None)
        yield from (OnPage(page, whose, message) for message in messages)


def _messages(raw: str) -> Iterator[Message]:
    _, _, body = raw.replace("\r\n", "\n").partition("\n\n")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return
    entities = document.get("entities") if isinstance(document, dict) else None
    for entity in entities if isinstance(entities, list) else []:
        message = Message.from_body(entity)
        if message.key and message.type not in {"Event", "Receipt"}:
            yield message
