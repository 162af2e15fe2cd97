"""Frames the guest service sends, and the client frame it answers.

Shapes: official models of web-messaging-sdk-java 18.1.0 and captured frames. Nothing of the client's
protocol room is used here: two witnesses. Texts of refusals are word for word where a source has them
(4011, 4013, 403, "Deployment not found"); the others are the sandbox's own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from guestlab.sandbox.windows import whole_seconds

__all__ = [
    "Asked",
    "FrameRefusal",
    "TooFast",
    "envelope",
    "error_body",
    "message_body",
    "too_many_requests",
]

_NAMES = {
    4000: "FileUploadUnavailable",
    4001: "FileTypeInvalid",
    4002: "FileSizeInvalid",
    4003: "FileContentInvalid",
    4004: "FileNameInvalid",
    4005: "FileNameTooLong",
    4008: "AttachmentHasExpired",
    4009: "AttachmentNotFound",
    4010: "AttachmentNotSuccessfullyUploaded",
    4029: "RequestRateTooHigh",
    4102: "FileSizeIsZero",
}


class FrameRefusal(Exception):  # noqa: N818 - an answer, not one of our errors
    """A client frame is refused: class `string` with a code (lane: frame)."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class TooFast(Exception):  # noqa: N818 - an answer, not one of our errors
    """A budget is used up: class `TooManyRequestsErrorMessage`, code 429."""

    def __init__(self, wait: float, text: str) -> None:
        super().__init__(text)
        self.wait = wait
        self.text = text


@dataclass(frozen=True, slots=True)
class Asked:
    """A client frame that could be read."""

    action: str
    token: str = field(repr=False)
    tracing_id: str | None
    fields: dict[str, Any] = field(repr=False)

    def text(self, name: str, *, code: int = 400) -> str:
        """A field that must be a non-empty string."""
        value = self.fields.get(name)
        if not isinstance(value, str) or not value.strip():
            raise FrameRefusal(code, f"Request failed: {name} is missing")
        return value


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


def error_body(code: int, text: str, **more: Any) -> dict[str, Any]:
    """The body of a structured error: name and message as the model wants them, code and text."""
    name = _NAMES.get(code, "Error")
    return {"name": name, "message": text, "errorCode": code, "errorMessage": text, **more}


def too_many_requests(wait: float, text: str, tracing_id: str | None) -> dict[str, Any]:
    """429: what was asked for was not accepted."""
    body = error_body(4029, text, retryAfter=whole_seconds(wait))
    return envelope("TooManyRequestsErrorMessage", body, code=429, tracing_id=tracing_id)


def message_body(
    *,
    identifier: str,
    inbound: bool,
    time: str,
    kind: str,
    channel: dict[str, Any],
    text: str | None = None,
    content: list[dict[str, Any]] | None = None,
    events: list[dict[str, Any]] | None = None,
    entity: str | None = None,
    metadata: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The body of a `StructuredMessage`."""
    body: dict[str, Any] = {} if text is None else {"text": text}
    body |= {"type": kind, "direction": "Inbound" if inbound else "Outbound", "id": identifier}
    body["channel"] = {"time": time, **channel}
    for name, value in (("content", content), ("events", events)):
        if value:
            body[name] = value
    if entity is not None:
        body["originatingEntity"] = entity
    if metadata is not None:
        body["metadata"] = metadata
    return body
