"""Notification channels: who has which, what it is subscribed to, and the socket at its end.

Rules (level: documented unless said): 20 channels per user and application, a further one removes the one
used longest ago, those without a socket first; a channel lives 24 hours from its creation or the last
change of its topics; one socket each, the newest wins; whoever knows the address may connect, without any
header. Nothing is kept for a channel without a socket. All times are the sandbox clock's. The REST calls are
`channel_calls.py`'s, what happens in the organisation `channel_events.py`'s.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from guestlab.sandbox.json_text import read_json, write_json
from guestlab.sandbox.origins import Origin
from guestlab.sandbox.outbox import Outbox
from guestlab.sandbox.refusals import Refusal
from guestlab.sandbox.topics import permit

if TYPE_CHECKING:
    from starlette.websockets import WebSocket

    from guestlab.sandbox.clock import Timer
    from guestlab.sandbox.messaging import Messaging
    from guestlab.sandbox.world import AccessToken, World

__all__ = ["Channel", "Channels", "attend"]

CHANNELS_EACH = 20
TOPICS_EACH = 1000
LIFE = 24 * 3600.0
HEARTBEAT = 30.0
NOTICE = 60.0
"""Seconds between the notice that a socket will close and its closing ("about a minute", documented)."""

_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(slots=True, eq=False)
class Channel:
    """One channel."""

    id: str
    token: str = field(repr=False)
    """The value of the access token that made it; the channel dies with it."""
    client_id: str
    user_id: str | None
    expires_at: float
    used_at: float
    topics: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Topic as asked for → the single topics it stands for."""
    outbox: Outbox | None = field(default=None, repr=False)
    heartbeat: Timer | None = field(default=None, repr=False)
    warned: bool = False

    def listens(self, name: str) -> bool:
        """Whether a single topic is subscribed to."""
        return any(name in names for names in self.topics.values())

    def put(self, topic: str, body: dict[str, Any], **more: Any) -> None:
        """Send one frame, if there is a socket."""
        if self.outbox is not None:
            self.outbox.put(write_json({"topicName": topic, **more, "eventBody": body}))


class Channels:
    """All channels of the organisation; reachable as `sandbox.channels`."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._by_id: dict[str, Channel] = {}
        self.heartbeat_seconds = HEARTBEAT
        """Between two heartbeats; counts from the next socket on."""

    def __repr__(self) -> str:
        return f"Channels({len(self._by_id)}, {sum(c.outbox is not None for c in self)} with a socket)"

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Channel]:
        return iter(tuple(self._by_id.values()))

    # -- by hand, from any thread ----------------------------------------------------------------------

    def publish(self, topic: str, body: dict[str, Any]) -> None:
        """Send an event of your own making to every channel subscribed to the topic."""
        self._world.call(lambda: self.tell(topic, body))

    def close_sockets(self, *, notice: float = NOTICE) -> None:
        """Maintenance: say `v2.system.socket_closing`, and close after the notice. Channels stay."""

        def there() -> None:
            for channel in self:
                if channel.outbox is not None:
                    self._say_closing(channel, notice)

        self._world.call(there)

    def drop_sockets(self) -> None:
        """Cut every socket without a close frame, as a lost link does. Channels stay; what comes is lost."""

        def there() -> None:
            for channel in self:
                if channel.outbox is not None and channel.outbox.wire is not None:
                    channel.outbox.wire.abort()

        self._world.call(there)

    # -- for the services, on the loop -----------------------------------------------------------------

    def clear(self) -> None:
        """Forget all; open sockets are told that the server is going away."""
        for channel in self:
            self._hang_up(channel, 1001)
        self._by_id.clear()

    def find(self, channel_id: str) -> Channel | None:
        """The living channel of this id."""
        return self._by_id.get(channel_id)

    def of(self, token: AccessToken) -> list[Channel]:
        """The channels of a token's user and application."""
        owner = (token.client_id, token.user_id)
        return [channel for channel in self if (channel.client_id, channel.user_id) == owner]

    def open(self, token: AccessToken) -> Channel:
        """Make a channel; one too many removes another."""
        world, now = self._world, self._world.now()
        while len(mine := self.of(token)) >= CHANNELS_EACH:
            self._remove(min(mine, key=lambda c: (c.outbox is not None, c.used_at)))
        tail = "".join(world.random.choices(_ALPHABET, k=26))
        channel = Channel(
            id=f"streaming-0-{tail}",
            token=token.value,
            client_id=token.client_id,
            user_id=token.user_id,
            expires_at=now + LIFE,
            used_at=now,
        )
        self._by_id[channel.id] = channel
        self._watch(channel)
        return channel

    def subscribe(
        self, channel: Channel, token: AccessToken, wanted: list[str], *, replacing: bool, lenient: bool
    ) -> list[dict[str, Any]]:
        """Add topics, or put them in place of all; returns how each fared.

        Raises:
            Refusal: One topic is none, not allowed or too many, unless `lenient`.
        """
        kept = {} if replacing else dict(channel.topics)
        told: list[dict[str, Any]] = []
        for name in wanted:
            document: dict[str, Any] = {
                "id": name,
                "state": "Permitted",
                "selfUri": _self_uri(channel, name),
            }
            try:
                names = permit(self._world, token, name, replacing=replacing)
                _check_room(kept, name)
                kept[name] = names
            except Refusal as refusal:
                if not lenient:
                    raise
                document |= {"state": "Rejected", "rejectionReason": refusal.code}
                if "permissions" in refusal.params:
                    document["missingPermissions"] = refusal.params["permissions"].split(", ")
            told.append(document)
        channel.topics = kept
        self.renew(channel)
        return told

    def renew(self, channel: Channel) -> None:
        """Any change of the topics begins the channel's life anew."""
        channel.used_at = self._world.now()
        channel.expires_at = channel.used_at + LIFE
        channel.warned = False

    def wanted(self, name: str) -> bool:
        """Whether anybody would hear of a topic now."""
        return any(channel.outbox is not None and channel.listens(name) for channel in self)

    def tell(self, name: str, body: dict[str, Any]) -> None:
        """Publish one event of a single topic."""
        for channel in self:
            if channel.outbox is not None and channel.listens(name):
                channel.put(name, body, version="2", metadata={"CorrelationId": self._world.new_id()})

    def revoke(self, token: str) -> None:
        """A token is gone, and its channels with it."""
        for channel in self:
            if channel.token == token:
                self._system(channel, "token_revoked", reason="user_tokens_revoked")
                self._remove(channel)

    # -- the socket --------------------------------------------------------------------------------------

    def connect(self, channel: Channel, outbox: Outbox) -> None:
        """Give a channel its socket; one it had is told and closed."""
        if channel.outbox is not None:
            self._system(channel, "no_longer_subscribed", reason="another_channel_subscribed")
            self._hang_up(channel, 1000)
        channel.outbox, channel.used_at, channel.warned = outbox, self._world.now(), False
        self._beat_later(channel, outbox)
        self._world.record("notifications", "socket opened", 101, level="inferred")

    def disconnect(self, channel: Channel, outbox: Outbox) -> None:
        """A socket is gone; the channel lives on without one."""
        if channel.outbox is outbox:
            channel.outbox = None
            if channel.heartbeat is not None:
                channel.heartbeat.cancel()

    def heard(self, channel: Channel, text: str | bytes) -> None:
        """What a client says on the socket: `ping`, or `subscribe`, which exists beside REST (measured)."""
        try:
            frame = read_json(text)
        except ValueError:
            return
        message = frame.get("message") if isinstance(frame, dict) else None
        if message == "ping":
            channel.put("channel.metadata", {"message": "pong"})
        elif message == "subscribe" and channel.outbox is not None:
            channel.outbox.put(write_json(self._subscribed(channel, frame)))

    def _subscribed(self, channel: Channel, frame: dict[str, Any]) -> dict[str, Any]:
        topics = frame.get("topics")
        wanted = [str(topic) for topic in topics] if isinstance(topics, list) else []
        answer = {"correlationId": frame["correlationId"]} if "correlationId" in frame else {}
        token = self._world.tokens.get(channel.token)
        if token is None:
            return {"result": "404", "message": "The channel is gone.", **answer}
        try:
            self.subscribe(channel, token, wanted, replacing=False, lenient=False)
        except Refusal as refusal:
            return {"result": "400", "status": "failure", "message": refusal.template, **answer}
        return {"result": "200", "status": "subscribed", "topics": wanted, **answer}

    def _beat_later(self, channel: Channel, outbox: Outbox) -> None:
        if channel.outbox is outbox:
            channel.heartbeat = self._world.clock.call_later(
                self.heartbeat_seconds, partial(self._beat, channel, outbox)
            )

    def _beat(self, channel: Channel, outbox: Outbox) -> None:
        if channel.outbox is outbox:
            channel.put("channel.metadata", {"message": "WebSocket Heartbeat"})
            self._beat_later(channel, outbox)

    # -- endings -----------------------------------------------------------------------------------------

    def _watch(self, channel: Channel) -> None:
        """Warn a minute before the end of a channel's life, then end it, unless it was renewed."""
        if self._by_id.get(channel.id) is not channel:
            return
        left = channel.expires_at - self._world.now()
        if left <= 0:
            self._remove(channel)
            return
        if left <= NOTICE and not channel.warned:
            self._say_closing(channel, None)
            channel.warned = True
        wait = left - NOTICE if left > NOTICE else left
        self._world.clock.call_later(wait, partial(self._watch, channel))

    def _say_closing(self, channel: Channel, notice: float | None) -> None:
        seconds = NOTICE if notice is None else notice
        text = f"This socket will be closed in {seconds:.0f} seconds."
        channel.put("v2.system.socket_closing", {"channelId": channel.id, "message": text}, version="2")
        if notice is not None and channel.outbox is not None:
            close = partial(self._close_unless_changed, channel, channel.outbox)
            self._world.clock.call_later(notice, close)

    def _close_unless_changed(self, channel: Channel, outbox: Outbox) -> None:
        if channel.outbox is outbox:
            self._hang_up(channel, 1001)

    def _system(self, channel: Channel, kind: str, **more: str) -> None:
        body = {
            "channelId": channel.id,
            "systemTopicType": kind,
            "organizationId": self._world.organization_id,
            "oauthClientId": channel.client_id,
            "oauthClientOrgId": self._world.organization_id,
            **({"userId": channel.user_id} if channel.user_id else {}),
            **more,
        }
        channel.put(f"v2.system.{kind}.{channel.id}", body, version="2")

    def _remove(self, channel: Channel) -> None:
        self._by_id.pop(channel.id, None)
        self._hang_up(channel, 1001)

    def _hang_up(self, channel: Channel, code: int) -> None:
        outbox, channel.outbox = channel.outbox, None
        if channel.heartbeat is not None:
            channel.heartbeat.cancel()
        if outbox is not None:
            outbox.close(code)


def _check_room(topics: dict[str, tuple[str, ...]], name: str) -> None:
    if name not in topics and len(topics) >= TOPICS_EACH:
        raise Refusal("notification.subscription.too.many.subscriptions")


def _self_uri(channel: Channel, name: str) -> str:
    return f"/api/v2/notifications/channels/{channel.id}/subscriptions/{name}"


async def attend(messaging: Messaging, socket: WebSocket) -> None:
    """Judge and serve an upgrade under `/channels/`: the id in the path is all there is."""
    channels, path = messaging.channels, socket.url.path
    origin = Origin.of_scope(dict(socket.scope), socket.scope["headers"])
    await socket.receive()
    channel = channels.find(path.removeprefix("/channels/")) if origin.serves(path) else None
    if channel is None:
        # 401 and 403 are reported for refused channels; which for what is not documented (inferred).
        await socket.send_denial_response(Response(b"", 403 if origin.serves(path) else 404))
        return
    outbox = Outbox(socket)
    await socket.accept()
    channels.connect(channel, outbox)
    writer = asyncio.create_task(outbox.write())
    code = 1006
    try:
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                code = int(message.get("code") or 1005)
                break
            text = message.get("text")
            channels.heard(channel, text if text is not None else message.get("bytes") or b"")
    finally:
        channels.disconnect(channel, outbox)
        writer.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await writer
        messaging.world.record("notifications", "socket closed", code, level="inferred")
