"""Frames the guest service sends: the envelope, the message body, and the refusals by frame code.

Shapes: official models of web-messaging-sdk-java 18.1.0 and captured frames. Nothing of the client's
protocol room is used here: two witnesses.
"""

from __future__ import annotations

import json
from typing import Any

__all__ = ["ECHO_CODES", "FrameRefusal", "envelope", "event_body", "message_body", "wire_text"]


class FrameRefusal(Exception):  # noqa: N818 - an answer, not one of our errors
    """A client frame is refused: class `string` with a code (lane: frame)."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


# What the sheet of sources gives word for word; other texts are the sandbox's own.
ECHO_CODES = {
    4006: "Session has expired",
    4007: "Session not found",
    4009: "Attachment not found",
    4010: "Attachment was not successfully uploaded",
    4017: "Cannot downgrade to an unauthenticated session",
}


def envelope(
    class_name: str,
    body: Any,
    *,
    pushed: bool = False,
    code: int = 200,
    tracing_id: str | None = None,
) -> dict[str, Any]:
    """Wrap a body. `pushed` frames are type `message`, answers are type `response`."""
    frame: dict[str, Any] = {
        "type": "message" if pushed else "response",
        "class": class_name,
        "code": code,
        "body": body,
    }
    if tracing_id is not None:
        frame["tracingId"] = tracing_id
    return frame


def wire_text(frame: dict[str, Any]) -> str:
    """Compact JSON, unicode as it is; lone surrogates, which UTF-8 cannot carry, stay escaped."""
    text = json.dumps(frame, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(frame, separators=(",", ":"))
    return text


def message_body(
    *,
    identifier: str,
    inbound: bool,
    time: str,
    text: str | None = None,
    content: list[dict[str, Any]] | None = None,
    kind: str | None = None,
    metadata: dict[str, Any] | None = None,
    channel: dict[str, Any] | None = None,
    entity: str | None = None,
) -> dict[str, Any]:
    """The body of a `StructuredMessage` that says something."""
    body: dict[str, Any] = {}
    if text is not None:
        body["text"] = text
    body["type"] = kind or ("Structured" if content else "Text")
    body["direction"] = "Inbound" if inbound else "Outbound"
    body["id"] = identifier
    body["channel"] = {"time": time, **(channel or {})}
    if content:
        body["content"] = content
    if entity is not None:
        body["originatingEntity"] = entity
    if metadata is not None:
        body["metadata"] = metadata
    return body


def event_body(
    *,
    identifier: str,
    inbound: bool,
    time: str,
    events: list[dict[str, Any]],
    metadata: dict[str, Any] | None = None,
    channel: dict[str, Any] | None = None,
    entity: str | None = None,
) -> dict[str, Any]:
    """The body of a `StructuredMessage` of type Event."""
    body = message_body(
        identifier=identifier,
        inbound=inbound,
        time=time,
        kind="Event",
        metadata=metadata,
        channel=channel,
        entity=entity,
    )
    body["events"] = events
    return body
