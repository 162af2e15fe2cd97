"""Tells what an attempt was aimed at: the guest socket, a notification channel, a token, a REST call.

The aim is read from the address first, then from frames, last from the note, because a wrong address often
still shows what was wanted. Pure.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from guestlab.handshake.hosts import HostKind

if TYPE_CHECKING:
    from guestlab.handshake.reading import FrameReading, Reading

__all__ = ["GUEST_WORDS", "LEGACY_PATH", "Target", "find_target", "speaks_channel", "speaks_guest"]


class Target(enum.StrEnum):
    """What an attempt was aimed at."""

    GUEST = "the guest socket"
    CHANNEL = "a notification channel's socket"
    CHANNEL_API = "a REST call about notification channels"
    TOKEN = "a token request"  # noqa: S105 - no secret
    AUTHORIZE = "the login page of a user grant"
    PLATFORM = "a REST call of the Platform API"
    DEPLOYMENT_FILE = "a deployment's public file"
    LEGACY = "the retired web chat"
    ELSEWHERE = "somebody else's service"
    UNKNOWN = "something the evidence does not name"


GUEST_WORDS = re.compile(r"guest|web-?messag|messenger|web-?chat|visitor|anonymous|external", re.IGNORECASE)
"""Words in a path that speak of a guest."""

_GUESTY = re.compile(r"guest|messag|messenger|chat|visitor|conversation|widget|external", re.IGNORECASE)
_CHANNEL_WORDS = re.compile(
    r"notification|subscri|topics?\b|analytics|/channels/streaming|eventstream", re.IGNORECASE
)
LEGACY_PATH = re.compile(
    r"/api/v2/webchat/|/webchat/v\d|/webchat/guest|/api/v2/conversations/chats\b", re.IGNORECASE
)
"""Paths of the retired web chat, guest's and agent's side."""
_LEGACY_SOCKET = re.compile(r"/v1/token/", re.IGNORECASE)
_CHAT_TOPIC = re.compile(r"^v2\.conversations\.chats\.", re.IGNORECASE)


def find_target(reading: Reading) -> Target:
    """Decide what an attempt was aimed at."""
    if _is_legacy(reading):
        return Target.LEGACY
    if not reading.evidence.url:
        return _by_content(reading)
    if reading.host is not None and reading.host.kind is HostKind.ELSEWHERE:
        return Target.ELSEWHERE
    return _of_socket(reading) if reading.is_upgrade else _of_http(reading)


def _is_legacy(reading: Reading) -> bool:
    label, path = reading.host.label if reading.host else "", reading.address.path
    return (
        # its socket was at eventStreamUri, so a socket at these paths is an attempt at a guest socket
        (LEGACY_PATH.search(path) is not None and not reading.is_upgrade)
        or _LEGACY_SOCKET.search(path) is not None
        or label == "carrierpigeon"
        or _CHAT_TOPIC.match(reading.reply.text("topicName")) is not None
        or (label == "streaming" and reading.note.says("retired chat"))
    )


def _by_content(reading: Reading) -> Target:
    if "grant_type" in reading.fields:
        return Target.TOKEN
    if any(speaks_guest(frame) for frame in (reading.first, reading.sent, reading.reply)):
        return Target.GUEST
    if any(speaks_channel(frame) for frame in (reading.first, reading.sent, reading.reply)):
        return Target.CHANNEL
    if reading.note.says("notifications") and not reading.note.has(r"guest|web ?messag|deployment"):
        return Target.CHANNEL
    return Target.UNKNOWN


def _of_socket(reading: Reading) -> Target:
    label = reading.host.label if reading.host else ""
    where = f"{reading.address.host}{reading.address.path}"
    if label == "streaming" or reading.address.path.startswith("/channels/"):
        return Target.CHANNEL
    if label == "webmessaging" or (reading.is_loopback and reading.address.path.rstrip("/") == "/v1"):
        return Target.GUEST
    if _CHANNEL_WORDS.search(where):
        return Target.CHANNEL
    wants_events = reading.note.says("notifications") or speaks_channel(reading.first)
    wants_chat = _GUESTY.search(where) or speaks_guest(reading.first) or reading.deployment_id is not None
    return Target.CHANNEL if wants_events and not wants_chat else Target.GUEST


def _of_http(reading: Reading) -> Target:
    path, label = reading.address.path.lower(), reading.host.label if reading.host else ""
    grants = "grant_type" in reading.fields or "grant_type" in dict(reading.address.query)
    if "oauth" in path and path.rstrip("/").endswith("/authorize"):
        return Target.AUTHORIZE
    if (
        grants
        or ("oauth" in path and path.rstrip("/").endswith("/token"))
        or (label == "login" and reading.method == "POST")
    ):
        return Target.TOKEN
    if label == "api-cdn" or path.startswith("/webdeployments/v1/"):
        return Target.DEPLOYMENT_FILE
    if label == "streaming" or (reading.is_loopback and path.startswith("/channels/")):
        return Target.CHANNEL
    if path.rstrip("/") == "/v1" or (label == "webmessaging" and not path.startswith("/api/")):
        return Target.GUEST
    if "/notifications" in path:
        return Target.CHANNEL_API
    return Target.PLATFORM


def speaks_guest(frame: FrameReading) -> bool:
    """Tell whether a frame belongs to the guest protocol, whichever side sent it."""
    return bool(
        frame.action
        in {"configureSession", "configureAuthenticatedSession", "onMessage", "onAttachment", "echo"}
        or frame.class_name
        or (frame.text("type") in {"response", "message"} and frame.number("code") is not None)
    )


def speaks_channel(frame: FrameReading) -> bool:
    """Tell whether a frame belongs to a notification channel, whichever side sent it."""
    return bool(
        frame.text("topicName")
        or frame.text("message") in {"ping", "subscribe", "unsubscribe"}
        or isinstance(frame.fields.get("topics"), list)
        or isinstance(frame.fields.get("eventBody"), Mapping)
    )
