"""The notification channel: what its frames say, and what they do to the channel. Pure.

The other socket of Genesys Cloud: it watches conversations from the platform's side, for whoever holds an
access token, and has nothing to do with the guest socket. The token creates the channel over REST; the socket
itself carries no credential: whoever knows its address may listen. The shell with the clock is `channel.py`.

Sources: the notification guide and examples of the official SDKs (level: documented); the enumeration of
system messages in the official streaming client (level: official); frames recorded by an independent client's
test suite (level: measured).
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from json import loads
from typing import Any, NamedTuple

__all__ = [
    "HEARTBEAT",
    "LIFETIME",
    "PING",
    "ChannelProtocol",
    "ChannelState",
    "ChannelTakenOver",
    "Heartbeat",
    "Notification",
    "Pong",
    "Resumed",
    "SocketClosing",
    "SubscriptionsChanged",
    "TokenRevoked",
    "Topic",
    "TopicEvent",
    "Unreadable",
    "decode",
    "topics_of",
]

HEARTBEAT = 30.0
"""Seconds between the server's heartbeats, about (level: documented)."""

LIFETIME = 86_400.0
"""Seconds a channel lives; every call that sets its subscriptions begins them anew (level: documented)."""

PING = '{"message":"ping"}'
"""The client's ping; the server answers on `channel.metadata` with `pong` (level: documented)."""

_MOST_IDS = 10_000


@dataclass(slots=True, kw_only=True)
class Notification:
    """What one frame of the channel says. Its repr leaves the frame out."""

    raw: str = field(default="", repr=False)
    """The frame as it came."""
    topic: str = ""
    """`topicName`."""


@dataclass(slots=True, kw_only=True)
class TopicEvent(Notification):
    """Something happened that a topic told of."""

    body: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """`eventBody`; its schema belongs to the topic."""
    correlation_id: str = ""
    """`metadata.CorrelationId`."""

    @property
    def conversation_id(self) -> str:
        """The conversation it is about, "" where it is about none.

        `v2.detail.events…` say `conversationId`; the conversation topics carry the conversation itself.
        """
        named = self.body.get("conversationId")
        if isinstance(named, str):
            return named
        own = self.body.get("id")
        return own if isinstance(own, str) and "conversations" in self.topic else ""

    @property
    def message_ids(self) -> tuple[str, ...]:
        """Ids of the messages it mentions, each once, in order.

        `…conversations.messages` names them `participants[].messages[].message.id`, `…conversations` names
        them `participants[].messages[].messages[].messageId` (level: official).
        """
        found: dict[str, None] = {}
        for participant in _rows(self.body.get("participants")):
            for said in _rows(participant.get("messages")):
                inner = said.get("message")
                ids = [inner.get("id")] if isinstance(inner, Mapping) else []
                ids += [row.get("messageId") for row in _rows(said.get("messages"))]
                found.update((id_, None) for id_ in ids if isinstance(id_, str))
        return tuple(found)


@dataclass(slots=True, kw_only=True)
class Heartbeat(Notification):
    """The channel lives: about every 30 s."""


@dataclass(slots=True, kw_only=True)
class Pong(Notification):
    """The answer to our ping."""


@dataclass(slots=True, kw_only=True)
class SocketClosing(Notification):
    """The server will close this socket within about a minute; the channel and its topics stay."""

    message: str = ""


@dataclass(slots=True, kw_only=True)
class ChannelTakenOver(Notification):
    """Another socket was opened for this channel: the newest wins, this one is over."""

    reason: str = ""


@dataclass(slots=True, kw_only=True)
class TokenRevoked(Notification):
    """The token that created the channel is worth nothing any more, and so is the channel."""

    reason: str = ""


@dataclass(slots=True, kw_only=True)
class SubscriptionsChanged(Notification):
    """Somebody changed what the channel is subscribed to."""


@dataclass(slots=True, kw_only=True)
class Unreadable(Notification):
    """A frame that is no JSON object with a topic."""


@dataclass(slots=True, kw_only=True)
class Resumed(Notification):
    """We are back after a gap. Nothing is replayed: read again over REST what may have changed meanwhile."""

    seconds: float = 0.0
    """From the last frame before the gap to the socket after it."""
    new_channel: bool = False
    """Whether it is another channel, with the same topics."""
    conversations: tuple[str, ...] = ()
    """The conversations this channel told of before the gap, newest last."""


def _rows(value: object) -> list[Mapping[str, Any]]:
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []


def decode(text: str | bytes) -> Notification:
    """Read one frame of the channel; never raise.

    >>> decode('{"topicName":"channel.metadata","eventBody":{"message":"WebSocket Heartbeat"}}')
    Heartbeat(topic='channel.metadata')
    """
    raw = text if isinstance(text, str) else text.decode("utf-8", "backslashreplace")
    try:
        frame = loads(raw)
    except (ValueError, RecursionError):
        return Unreadable(raw=raw)
    topic = frame.get("topicName") if isinstance(frame, dict) else None
    if not isinstance(topic, str):
        return Unreadable(raw=raw)
    given = frame.get("eventBody")
    body: Mapping[str, Any] = given if isinstance(given, dict) else {}
    message, reason = _word(body, "message"), _word(body, "reason")
    if topic == "channel.metadata":
        kind = Pong if message.strip().lower() == "pong" else Heartbeat
        return kind(raw=raw, topic=topic)
    if topic == "v2.system.socket_closing":
        return SocketClosing(raw=raw, topic=topic, message=message)
    system = _word(body, "systemTopicType")
    if topic.startswith("v2.system.no_longer_subscribed") or system == "no_longer_subscribed":
        return ChannelTakenOver(raw=raw, topic=topic, reason=reason)
    if topic.startswith("v2.system.token_revoked") or system == "token_revoked":
        return TokenRevoked(raw=raw, topic=topic, reason=reason)
    if topic == "v2.subscription.updated" or system == "subscription_changed":
        return SubscriptionsChanged(raw=raw, topic=topic)
    metadata = frame.get("metadata")
    correlation_id = _word(metadata, "CorrelationId") if isinstance(metadata, dict) else ""
    return TopicEvent(raw=raw, topic=topic, body=body, correlation_id=correlation_id)


def _word(holder: Mapping[str, Any], key: str) -> str:
    value = holder.get(key)
    return value if isinstance(value, str) else ""


class ChannelState(enum.StrEnum):
    """Where a channel stands."""

    IDLE = "idle"
    CONNECTED = "connected"
    RECONNECTING = "reconnecting"
    CLOSED = "closed"


class ChannelProtocol:
    """One channel's life, told by frames and by the clock it is given; it does no I/O.

    Args:
        heartbeat: Seconds between heartbeats.
        patience: Seconds a ping may wait for any frame at all.
        lifetime: Seconds a channel lives after its subscriptions were set.
    """

    def __init__(
        self, *, heartbeat: float = HEARTBEAT, patience: float = 10.0, lifetime: float = LIFETIME
    ) -> None:
        self._heartbeat, self._patience, self._lifetime = heartbeat, patience, lifetime
        self.state = ChannelState.IDLE
        self.topics: tuple[str, ...] = ()
        self.last_frame: float | None = None
        self.last_heartbeat: float | None = None
        self.expires: float | None = None
        self._pinged: float | None = None
        self._conversations: dict[str, None] = {}

    @property
    def heartbeat(self) -> float:
        """Seconds between heartbeats, about."""
        return self._heartbeat

    @property
    def lifetime(self) -> float:
        """Seconds it lives after its subscriptions were set; it is renewed a twenty-fourth of that before."""
        return self._lifetime

    @property
    def conversations(self) -> tuple[str, ...]:
        """The conversations told of, newest last."""
        return tuple(self._conversations)

    def subscribed(self, topics: tuple[str, ...], now: float) -> None:
        """Its subscriptions were set: its life begins anew."""
        self.topics, self.expires = topics, now + self._lifetime

    def connected(self, now: float) -> None:
        """The socket is open."""
        self.state, self.last_frame, self._pinged = ChannelState.CONNECTED, now, None

    def receive(self, text: str | bytes, now: float) -> Notification:
        """Take one frame."""
        event = decode(text)
        self.last_frame, self._pinged = now, None
        if isinstance(event, Heartbeat):
            self.last_heartbeat = now
        elif isinstance(event, ChannelTakenOver):
            self.state = ChannelState.CLOSED
        elif isinstance(event, TopicEvent) and (conversation := event.conversation_id):
            self._conversations.pop(conversation, None)
            self._conversations[conversation] = None
            if len(self._conversations) > _MOST_IDS:
                del self._conversations[next(iter(self._conversations))]
        return event

    def lost(self) -> None:
        """The socket is gone."""
        if self.state is ChannelState.CONNECTED:
            self.state = ChannelState.RECONNECTING

    def due(self, now: float) -> str | None:
        """Tell what the clock asks for: "ping", "give up" on this socket, "renew" the channel, or nothing."""
        if self.state is not ChannelState.CONNECTED or self.last_frame is None:
            return None
        if self._pinged is not None:
            return "give up" if now - self._pinged >= self._patience else None
        if now - self.last_frame >= 1.5 * self._heartbeat:
            return "ping"
        renew_at = None if self.expires is None else self.expires - self._lifetime / 24
        return "renew" if renew_at is not None and now >= renew_at else None

    def pinged(self, now: float) -> None:
        """A ping went out."""
        self._pinged = now

    def resumed(self, now: float, since: float, *, new_channel: bool) -> Resumed:
        """The socket is open again."""
        self.connected(now)
        return Resumed(
            seconds=max(0.0, now - since), new_channel=new_channel, conversations=self.conversations
        )


class Topic(NamedTuple):
    """One topic a channel may be subscribed to, and whether a token of a kind can be."""

    id: str
    """With its parameters in braces."""
    permissions: tuple[str, ...]
    """What the client's roles, or the user's, must grant; any one of each kind asked for."""
    needs_user: bool
    """Whether only the user themselves may watch it."""
    open_to_client: bool
    """Whether a client-credentials token may subscribe, given the permissions (level: inferred)."""
    description: str = ""


def topics_of(entities: list[dict[str, Any]]) -> tuple[Topic, ...]:
    """Read the platform's list of topics (`availabletopics`, expanded by permissions and description).

    A topic that asks for the current user, or for a participant of the conversation, cannot be met by a token
    that has no user (level: inferred); one that asks for permissions follows the roles (level: documented).
    """
    return tuple(_topic(entity) for entity in entities if isinstance(entity.get("id"), str))


def _topic(entity: Mapping[str, Any]) -> Topic:
    details = _rows(entity.get("permissionDetails"))
    kinds = {str(row.get("type", "")) for row in details}
    permissions = dict.fromkeys(
        name
        for row in (*details, {"permissions": entity.get("requiresPermissions")})
        for name in (row.get("permissions") or ())
        if isinstance(name, str)
    )
    of_user = bool(entity.get("requiresCurrentUser")) or bool(
        kinds & {"requiresCurrentUser", "requiresUserBeConversationParticipant"}
    )
    by_permission = bool(permissions) or bool(entity.get("requiresCurrentUserOrPermission"))
    described = entity.get("description")
    return Topic(
        id=str(entity["id"]),
        permissions=tuple(permissions),
        needs_user=of_user and not by_permission,
        open_to_client=by_permission or not of_user,
        description=described if isinstance(described, str) else "",
    )
