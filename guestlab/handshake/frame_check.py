"""Checks one client frame: names the key that is wrong and gives the frame it should have been. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from guestlab.handshake.credentials import is_jwt, is_uuid
from guestlab.handshake.deployment_id import is_unseen
from guestlab.handshake.frame_words import ACTIONS, CONFIGURES, intent_of, verb_of
from guestlab.handshake.quoting import is_masked, quote_text
from guestlab.limits import PUBLISHED

__all__ = ["REQUIRED", "FrameCheck", "FrameRemark", "check_frame", "differ"]

_TOKEN = "<the guest token: a UUID you make once>"  # noqa: S105 - no secret
_DEPLOYMENT = "<the deployment id of the URL>"

_KNOWN_KEYS: dict[str, frozenset[str]] = {
    "configureSession": frozenset({"deploymentId", "startNew", "journeyContext", "resumeToken"}),
    "configureAuthenticatedSession": frozenset({"deploymentId", "startNew", "journeyContext", "data"}),
    "onMessage": frozenset({"message", "time", "channel"}),
    "echo": frozenset({"message"}),
    "onAttachment": frozenset(
        {"attachmentId", "fileName", "fileType", "fileSize", "fileMd5", "errorsAsJson"}
    ),
    "getAttachment": frozenset({"attachmentId"}),
    "deleteAttachment": frozenset({"attachmentId"}),
    "closeSession": frozenset({"closeAllConnections"}),
    "getConfiguration": frozenset({"deploymentId"}),
}
"""Action → its own keys, beside action, token and tracingId (request models of the Java SDK 18.1.0)."""

REQUIRED: dict[str, tuple[str, ...]] = {
    "configureSession": ("token", "deploymentId"),
    "configureAuthenticatedSession": ("token", "deploymentId", "data"),
    "onMessage": ("token", "message"),
    "onAttachment": ("token", "fileName", "fileType", "fileSize"),
    "getAttachment": ("token", "attachmentId"),
    "deleteAttachment": ("token", "attachmentId"),
    "closeSession": ("token", "closeAllConnections"),
    "getJwt": ("token",),
}
"""Action → the keys it needs (request models of the Java SDK 18.1.0)."""

_FOREIGN = {
    "conversationId": "guests never see or send a conversation id",
    "guestId": "a guest is known by its token alone",
    "connectionId": "the server keeps connections by itself",
    "channelId": "the guest socket has no channels",
    "org_id": "the deployment implies the organisation",
    "organizationId": "the deployment implies the organisation",
    "siteId": "the deployment implies it",
    "queueId": "the deployment's flow routes",
    "routingTarget": "the deployment's flow routes",
    "clientInit": "there is no such key",
    "webchatId": "that was the retired web chat",
    "accessToken": "the guest socket takes no access token",
    "access_token": "the guest socket takes no access token",
    "guestToken": "the key is token, and its value is your own",
}
"""Invented keys, and what to know about each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameRemark:
    """One thing wrong with a frame."""

    key: str
    """The offending key, dotted; "" for the frame as a whole."""
    what: str
    """What is wrong with it."""

    def __str__(self) -> str:
        return f"{self.key}: {self.what}" if self.key else self.what


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameCheck:
    """What there is to say about one frame."""

    remarks: tuple[FrameRemark, ...]
    converted: dict[str, Any] | None
    """The frame of the guest protocol that says what this one meant; None when it is right or unclear."""

    @property
    def ok(self) -> bool:
        """Whether the frame is right."""
        return not self.remarks

    def __str__(self) -> str:
        lines = [f"✗ {remark}" for remark in self.remarks] or ["✓ the frame is right"]
        if self.converted is not None:
            lines.append(f"send instead: {json.dumps(self.converted, ensure_ascii=False)}")
        return "\n".join(lines)


def check_frame(frame: Any, *, first: bool = False, deployment_id: str | None = None) -> FrameCheck:
    """Check a client frame.

    >>> print(check_frame({"type": "message", "text": "hi"}).remarks[0])
    type: the verb stands under action, and 'message' is none of the twelve

    Args:
        frame: The frame as an object, or its text.
        first: Whether it is the first on its connection.
        deployment_id: The deployment id in the URL, for comparison.
    """
    if isinstance(frame, str | bytes):
        frame = _parsed(frame)
    if not isinstance(frame, Mapping):
        remark = FrameRemark(key="", what="a frame is one JSON object in a text")
        return FrameCheck(remarks=(remark,), converted=_configure(deployment_id) if first else None)
    remarks = tuple(_remarks(frame, first=first, deployment_id=deployment_id))
    return FrameCheck(remarks=remarks, converted=_converted(frame, first, deployment_id) if remarks else None)


def _parsed(text: str | bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _remarks(frame: Mapping[str, Any], *, first: bool, deployment_id: str | None) -> Iterator[FrameRemark]:
    action = frame.get("action")
    action = action if isinstance(action, str) else ""
    if action not in ACTIONS:
        yield _unknown_verb(frame)
    elif first and action not in CONFIGURES:
        yield FrameRemark(
            key="action", what=f"{action} before the session is configured; configureSession comes first"
        )
    if action in ACTIONS:
        for key in REQUIRED.get(action, ()):
            if frame.get(key) in (None, ""):
                yield FrameRemark(key=key, what=f"{action} needs it")
        known = _KNOWN_KEYS.get(action, frozenset()) | {"action", "token", "tracingId"}
        for key in frame:
            if key not in known and key not in _FOREIGN and key != "customAttributes":
                yield FrameRemark(key=quote_text(key, 60), what=f"{action} has no such key")
    for key, remark in _FOREIGN.items():
        if key in frame:
            yield FrameRemark(key=key, what=remark)
    yield from _token_remarks(frame)
    in_frame = frame.get("deploymentId")
    if deployment_id and isinstance(in_frame, str) and differ(in_frame, deployment_id):
        yield FrameRemark(key="deploymentId", what="it is not the one in the URL")
    yield from _attribute_remarks(frame)


def differ(one: str, other: str) -> bool:
    """Whether two ids are seen and not the same; what a program fills in is not seen."""
    seen = not is_masked(one + other) and not is_unseen(one) and not is_unseen(other)
    return seen and one.strip().lower() != other.strip().lower()


def _unknown_verb(frame: Mapping[str, Any]) -> FrameRemark:
    key, verb = verb_of(frame)
    if not verb:
        return FrameRemark(key="action", what="it is missing")
    shown = quote_text(verb, 60)
    if key != "action":
        return FrameRemark(key=key, what=f"the verb stands under action, and {shown!r} is none of the twelve"
                           if verb not in ACTIONS else f"{shown!r} must stand under action")  # fmt: skip
    alike = next((known for known in ACTIONS if known.lower() == verb.lower().replace("_", "")), None)
    return FrameRemark(
        key="action", what=f"{shown!r} is spelled {alike}" if alike else f"{shown!r} is none of the twelve"
    )


def _token_remarks(frame: Mapping[str, Any]) -> Iterator[FrameRemark]:
    token = frame.get("token")
    if not isinstance(token, str) or not token or is_unseen(token) or token.startswith("<"):
        return
    if is_jwt(token):
        yield FrameRemark(
            key="token", what="it looks like a JWT; the guest token is a UUID of your own making"
        )
    elif len(token) > 2048:
        yield FrameRemark(key="token", what="it is longer than 2048 characters")
    elif not is_uuid(token):
        yield FrameRemark(key="token", what="a UUID is advised; anybody who guesses it owns the session")


_ATTRIBUTES_PLACE = "they are read at message.channel.metadata.customAttributes only"
_ATTRIBUTES_IGNORED = "ignored since June 2026; put them at message.channel.metadata.customAttributes"


def _attribute_remarks(frame: Mapping[str, Any]) -> Iterator[FrameRemark]:
    if "customAttributes" in frame:
        yield FrameRemark(
            key="customAttributes", what="they are read at message.channel.metadata.customAttributes only"
        )
    if "customAttributes" in _below(frame, "channel", "metadata"):
        yield FrameRemark(key="channel.metadata.customAttributes", what=_ATTRIBUTES_IGNORED)
    for path in (("message",), ("message", "metadata"), ("message", "channel")):
        if "customAttributes" in _below(frame, *path):
            yield FrameRemark(key=".".join((*path, "customAttributes")), what=_ATTRIBUTES_PLACE)
    attributes = _below(frame, "message", "channel", "metadata").get("customAttributes")
    if isinstance(attributes, Mapping):
        size = sum(len(f"{key}{value}".encode("utf-8", "replace")) for key, value in attributes.items())
        if size > PUBLISHED.custom_attributes_bytes:
            yield FrameRemark(
                key="message.channel.metadata.customAttributes", what=f"{size} bytes; 2048 are allowed"
            )


def _below(frame: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    value: Any = frame
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


# -- the frame that was meant -------------------------------------------------


def _converted(frame: Mapping[str, Any], first: bool, deployment_id: str | None) -> dict[str, Any] | None:
    action = frame.get("action")
    action = action if isinstance(action, str) else ""
    if action in ACTIONS and not (first and action not in CONFIGURES):
        return _repaired(frame, deployment_id)
    if first:
        return _configure(deployment_id)
    intent = intent_of(verb_of(frame)[1])
    token = frame.get("token") if is_uuid(frame.get("token")) else _TOKEN
    made: dict[str, dict[str, Any]] = {
        "configure": _configure(deployment_id),
        "message": _message(frame, token),
        "attributes": _message(frame, token),
        "typing": _event(token, "Typing", "On"),
        "end": _event(token, "Presence", "Clear"),
        "ping": {"action": "echo", "token": token, "message": {"type": "Text", "text": "ping"}},
        "history": {"action": "getJwt", "token": token},
        "attachment": {
            "action": "onAttachment",
            "token": token,
            "fileName": "<name>",
            "fileType": "<type>",
            "fileSize": 0,
        },
    }
    return made.get(intent) or (_message(frame, token) if _words(frame) else None)


def _configure(deployment_id: str | None) -> dict[str, Any]:
    return {"action": "configureSession", "deploymentId": deployment_id or _DEPLOYMENT, "token": _TOKEN}


def _event(token: Any, kind: str, value: str) -> dict[str, Any]:
    event = {"eventType": kind, kind.lower(): {"type": value}}
    return {"action": "onMessage", "token": token, "message": {"type": "Event", "events": [event]}}


def _words(frame: Mapping[str, Any]) -> str:
    """The text a frame wanted to say, wherever it stands."""
    for holder in (
        frame,
        _below(frame, "data"),
        _below(frame, "message"),
        _below(frame, "payload"),
        _below(frame, "body"),
    ):
        for key in ("text", "content", "body", "message", "textBody"):
            value = holder.get(key)
            if isinstance(value, str) and value:
                return value
    return ""


def _attributes_of(frame: Mapping[str, Any]) -> Mapping[str, Any]:
    paths = (
        (),
        ("data",),
        ("channel", "metadata"),
        ("message",),
        ("message", "metadata"),
        ("message", "channel"),
    )
    for holder in (_below(frame, *path) for path in paths):
        for key in ("customAttributes", "attributes"):
            value = holder.get(key)
            if isinstance(value, Mapping):
                return value
    return {}


def _message(frame: Mapping[str, Any], token: Any) -> dict[str, Any]:
    message: dict[str, Any] = {"type": "Text", "text": _words(frame)}
    attributes = _attributes_of(frame)
    if attributes:
        message["channel"] = {
            "metadata": {"customAttributes": {str(k): str(v) for k, v in attributes.items()}}
        }
    return {"action": "onMessage", "token": token, "message": message}


def _repaired(frame: Mapping[str, Any], deployment_id: str | None) -> dict[str, Any] | None:
    """A frame with a real action: the same with what is wrong put right."""
    action = str(frame.get("action"))
    known = _KNOWN_KEYS.get(action, frozenset()) | {"action", "token", "tracingId"}
    repaired = {key: value for key, value in frame.items() if key in known}
    token = frame.get("token")
    if not isinstance(token, str) or not token or is_jwt(token):
        repaired["token"] = _TOKEN
    if "deploymentId" in REQUIRED.get(action, ()):
        repaired["deploymentId"] = deployment_id or frame.get("deploymentId") or _DEPLOYMENT
    attributes = _attributes_of(frame)
    if action == "onMessage" and attributes and isinstance(repaired.get("message"), Mapping):
        repaired.pop("channel", None)
        message = {k: v for k, v in repaired["message"].items() if k != "customAttributes"}
        repaired["message"] = {**message, "channel": {"metadata": {"customAttributes": dict(attributes)}}}
    return repaired
