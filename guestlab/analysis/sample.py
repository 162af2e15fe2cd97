"""A small log to try an analysis on: one session with everything that goes wrong in real ones.

Invented and always the same: a guest, a bot and an agent; a burst that overtakes itself, a message twice,
a lost link, a message only history brings back, a 429. Nothing here comes from a real organisation.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from guestlab.log import Log

__all__ = ["sample"]

_START = int(datetime(2026, 10, 1, 12, tzinfo=UTC).timestamp()) * 1_000_000_000
_SKEW_MS = 40
"""The platform's clock is so far behind ours."""
_URL = "wss://webmessaging.mypurecloud.de/v1?deploymentId=11111111-2222-3333-4444-555555555555"

# ms after the start · action or class · code · tracing id · then, of a message: platform's ms, id, who, text
_ROWS: tuple[tuple[Any, ...], ...] = (
    (100, "configureSession", None, "c1"),
    (148, "SessionResponse", 200, "c1"),
    (1_000, "onMessage", None, "m1"),
    (1_060, "StructuredMessage", 200, "m1", 1_030, "g1", "guest", "Hello, where is my order?"),
    (2_190, "StructuredMessage", 200, None, 2_150, "b2", "bot", "Please tell me its number."),
    (2_230, "StructuredMessage", 200, None, 2_100, "b1", "bot", "Hello!"),  # overtaken on its way
    (2_900, "StructuredMessage", 200, None, 2_150, "b2", "bot", "Please tell me its number."),  # again
    (9_000, "onMessage", None, "m2"),
    (9_055, "StructuredMessage", 200, "m2", 9_028, "g2", "guest", "It is 4711."),
    (9_200, "echo", None, "e1"),
    (9_230, "StructuredMessage", 200, "e1"),
    (9_300, "onMessage", None, "m3"),
    (9_330, "TooManyRequestsErrorMessage", 429, "m3"),
    (14_000, "close", 1006, None),
    (19_000, "configureSession", None, "c2"),
    (19_050, "SessionResponse", 200, "c2"),
    (19_300, "history", None, None, 15_200, "b3", "bot", "One moment, an agent will help you."),
    (52_080, "StructuredMessage", 200, None, 52_020, "a1", "agent", "It left our house this morning."),
    (60_000, "onMessage", None, "m4"),
    (60_052, "StructuredMessage", 200, "m4", 60_026, "g3", "guest", "Thank you!"),
    (61_000, "close", 1000, None),
)
_SENT = {"configureSession", "onMessage", "echo"}
_WRITTEN = {"guest": ("Inbound", None), "bot": ("Outbound", "Bot"), "agent": ("Outbound", "Human")}


def sample() -> Log:
    """Return a small, invented log of one guest session, always the same.

    >>> log = sample()
    >>> len(log), len(log.messages)
    (23, 7)
    """
    log = Log()
    _record(log, "request", 0, lane="http", direction="sent", method="GET", url=_URL, step="upgrade", size=0)
    _record(log, "response", 90, lane="http", direction="received", method="GET", url=_URL, step="upgrade",
            http_status=101, exchange=1, size=0, ok=True)  # fmt: skip
    asked: dict[str, int] = {}
    for at, name, code, tracing_id, *message in _ROWS:
        about = _about(name, code, message)
        if tracing_id in asked and about.get("direction") == "received":
            about["exchange"] = asked[tracing_id]
        entry = _record(log, about.pop("kind", "frame"), at, tracing_id=tracing_id, **about)
        if name in _SENT:
            asked[tracing_id] = entry.seq
    return log


def _about(name: str, code: int | None, message: list[Any]) -> dict[str, Any]:
    if name == "close":
        return {"kind": "close", "lane": "close", "direction": "received", "close_code": code}
    if name in _SENT:
        return {"lane": "frame", "direction": "sent", "action": name, "size": 120}
    about: dict[str, Any] = {"lane": "frame", "direction": "received", "class_name": name, "size": 310}
    if name == "history":
        about = {"kind": "history", "lane": "http", "direction": "received"}
    if code is not None:
        about["frame_code"] = code
    if message:
        time, key, who, text = message
        direction, entity = _WRITTEN[who]
        about |= {
            "message_time": _START + (time - _SKEW_MS) * 1_000_000,
            "message_id": key,
            "message_direction": direction,
            "message_type": "Text",
            "originating_entity": entity,
            "text": text,
        }
    elif name == "StructuredMessage":
        about["message_type"] = "Event"
    return about


def _record(log: Log, kind: str, ms: int, **fields: Any) -> Any:
    at = _START + ms * 1_000_000
    return log.record(kind, at_ns=at, monotonic_ns=at, stage="session", session="s1", **fields)
