"""A notification channel over a real socket: heartbeats, gaps, a new channel, topics refused."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from guestlab.backoff import Backoff
from guestlab.channel import NotificationChannel
from guestlab.errors import DeadlineError, InputError, SessionEnded
from guestlab.log import Log
from guestlab.protocol.notifications import ChannelProtocol, Heartbeat, Resumed, TopicEvent
from guestlab.regions import Region

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TOPIC = "v2.routing.queues.q-1.conversations.messages"
SOON = Backoff(first=0.01, most=0.02, total=2.0)


def _event(number: int) -> str:
    body = {"id": f"conversation-{number}"}
    return json.dumps({"topicName": TOPIC, "version": "2", "eventBody": body, "metadata": {}})


def _heartbeat() -> str:
    return json.dumps({"topicName": "channel.metadata", "eventBody": {"message": "WebSocket Heartbeat"}})


class _Platform:
    """The REST half, written down; the socket half is a real server."""

    def __init__(self, port: int) -> None:
        self.port, self.created = port, 0
        self.set: list[tuple[str, tuple[str, ...]]] = []
        self.rejecting: dict[str, str] = {}

    async def create_channel(self) -> dict[str, Any]:
        self.created += 1
        id_ = f"streaming-0-{self.created}-abcdefghijklmnop"
        return {"id": id_, "connectUri": f"ws://127.0.0.1:{self.port}/channels/{id_}"}

    async def replace_subscriptions(
        self, channel_id: str, topics: tuple[str, ...], *, ignore_errors: bool = False
    ) -> list[dict[str, Any]]:
        self.set.append((channel_id, tuple(topics)))
        return [
            {"id": topic, "state": "Rejected", "rejectionReason": self.rejecting[topic]}
            if topic in self.rejecting
            else {"id": topic, "state": "Permitted"}
            for topic in topics
        ]

    async def subscribe(
        self, channel_id: str, topics: tuple[str, ...], *, ignore_errors: bool = False
    ) -> list[dict[str, Any]]:
        return [{"id": topic, "state": "Permitted"} for topic in topics]


Handler = Callable[[ServerConnection, int], Awaitable[None]]


@asynccontextmanager
async def _listening(
    handler: Handler,
    *,
    topics: tuple[str, ...] = (TOPIC,),
    rejecting: dict[str, str] | None = None,
    **options: Any,
) -> AsyncIterator[tuple[NotificationChannel, _Platform]]:
    """Open a channel at a server whose connections a handler plays, numbered from 1."""
    seen = 0

    async def play(connection: ServerConnection) -> None:
        nonlocal seen
        seen += 1
        try:
            await handler(connection, seen)
        except ConnectionClosed:
            return

    async with serve(play, "127.0.0.1", 0) as server:
        platform = _Platform(server.sockets[0].getsockname()[1])
        platform.rejecting = rejecting or {}
        channel = NotificationChannel(
            platform,  # type: ignore[arg-type]
            topics,
            region=Region(f"127.0.0.1:{platform.port}", tls=False),
            **{"reconnect": SOON, **options},
        )
        async with channel:
            yield channel, platform


def test_events_come_in_order_and_stand_in_the_log() -> None:
    """What the topics tell, and only that, is iterated over; everything is logged."""

    async def tell(connection: ServerConnection, _: int) -> None:
        for number in range(3):
            await connection.send(_event(number))
            await connection.send(_heartbeat())
        await connection.wait_closed()

    async def scenario() -> Log:
        log = Log()
        async with _listening(tell, log=log) as (channel, _):
            seen = []
            async for event in channel:
                seen.append(event.conversation_id)
                if len(seen) == 3:
                    break
            assert seen == ["conversation-0", "conversation-1", "conversation-2"]
            assert channel.conversations == tuple(seen)
            assert isinstance(await channel.next(Heartbeat, timeout=5), Heartbeat)
        return log

    table = asyncio.run(scenario()).table()
    frames = table[table["kind"] == "frame"]
    told = frames[frames["class_name"] == TOPIC]
    assert list(told["conversation_id"]) == ["conversation-0", "conversation-1", "conversation-2"]
    assert set(frames["stage"]) == {"channel"}


def test_a_lost_socket_is_opened_again_at_the_same_channel() -> None:
    """The same address, a Resumed that names the gap, and the events go on."""

    async def cut(connection: ServerConnection, number: int) -> None:
        await connection.send(_event(number))
        if number == 1:
            connection.transport.abort()
            return
        await connection.wait_closed()

    async def scenario() -> None:
        async with _listening(cut) as (channel, platform):
            assert (await channel.next(TopicEvent, timeout=5)).conversation_id == "conversation-1"
            resumed = await channel.next(Resumed, timeout=5)
            assert (resumed.new_channel, resumed.conversations) == (False, ("conversation-1",))
            assert (await channel.next(TopicEvent, timeout=5)).conversation_id == "conversation-2"
            assert platform.created == 1

    asyncio.run(scenario())


def test_a_dead_channel_is_replaced_with_its_topics() -> None:
    """After token_revoked: another channel, the same topics, the reader loses no place."""

    async def revoke(connection: ServerConnection, number: int) -> None:
        await connection.send(_event(number))
        if number == 1:
            await connection.send(
                json.dumps({"topicName": "v2.system.token_revoked.x", "eventBody": {"reason": "x"}})
            )
        await connection.wait_closed()

    async def scenario() -> None:
        async with _listening(revoke) as (channel, platform):
            seen: list[str] = []
            async for event in channel:
                seen.append(event.conversation_id)
                if len(seen) == 2:
                    break
            assert seen == ["conversation-1", "conversation-2"]
            assert platform.created == 2
            assert [topics for _, topics in platform.set] == [(TOPIC,), (TOPIC,)]
            assert (await channel.next(Resumed, timeout=5)).new_channel

    asyncio.run(scenario())


def test_a_notice_of_closing_is_followed_at_once() -> None:
    """The same channel, before the server closes."""

    async def closing(connection: ServerConnection, number: int) -> None:
        if number == 1:
            await connection.send(
                json.dumps({"topicName": "v2.system.socket_closing", "eventBody": {"message": "soon"}})
            )
        else:
            await connection.send(_event(number))
        await connection.wait_closed()

    async def scenario() -> None:
        async with _listening(closing) as (channel, platform):
            assert (await channel.next(TopicEvent, timeout=5)).conversation_id == "conversation-2"
            assert platform.created == 1

    asyncio.run(scenario())


def test_being_taken_over_ends_the_channel() -> None:
    """No fight: the error says that another program listens there."""

    async def taken(connection: ServerConnection, _: int) -> None:
        await connection.send(json.dumps({"topicName": "v2.system.no_longer_subscribed.x", "eventBody": {}}))
        await connection.wait_closed()

    async def scenario() -> None:
        async with _listening(taken) as (channel, platform):
            with pytest.raises(SessionEnded, match="taken over"):
                await channel.next(TopicEvent, timeout=5)
            with pytest.raises(SessionEnded, match="taken over"):
                async for _ in channel:
                    pass
            assert platform.created == 1

    asyncio.run(scenario())


def test_silence_is_noticed() -> None:
    """No heartbeat: a ping; no answer: the socket is cut and opened again."""

    async def silent(connection: ServerConnection, number: int) -> None:
        async for message in connection:
            assert json.loads(message) == {"message": "ping"}
            if number == 2:
                await connection.send(
                    json.dumps({"topicName": "channel.metadata", "eventBody": {"message": "pong"}})
                )
                await connection.send(_event(2))

    async def scenario() -> None:
        protocol = ChannelProtocol(heartbeat=0.1, patience=0.3)
        async with _listening(silent, protocol=protocol) as (channel, _):
            assert (await channel.next(Resumed, timeout=10)).new_channel is False
            assert (await channel.next(TopicEvent, timeout=10)).conversation_id == "conversation-2"

    asyncio.run(scenario())


def test_a_ping_is_answered() -> None:
    """On request as well."""

    async def answer(connection: ServerConnection, _: int) -> None:
        async for _message in connection:
            await connection.send(
                json.dumps({"topicName": "channel.metadata", "eventBody": {"message": "pong"}})
            )

    async def scenario() -> None:
        async with _listening(answer) as (channel, _):
            await channel.ping(timeout=5)
            with pytest.raises(DeadlineError, match="No TopicEvent"):
                await channel.next(TopicEvent, timeout=0.1)

    asyncio.run(scenario())


def test_topics_that_are_not_permitted_are_told_apart() -> None:
    """With ignore_errors the others are taken."""

    async def wait(connection: ServerConnection, _: int) -> None:
        await connection.wait_closed()

    async def scenario() -> None:
        async with _listening(
            wait, topics=(TOPIC, "v2.users.u.x"), rejecting={"v2.users.u.x": "no"}, ignore_errors=True
        ) as (channel, _):
            assert channel.topics == (TOPIC,)
            assert channel.rejected == {"v2.users.u.x": "no"}
            assert await channel.subscribe("v2.detail.events.conversation.c.acd.start") == (
                TOPIC,
                "v2.detail.events.conversation.c.acd.start",
            )

    asyncio.run(scenario())


@pytest.mark.parametrize("topics", [(), ("",), ("t" * 201,), tuple(f"t{i}" for i in range(1001))])
def test_topics_out_of_bounds_are_refused_here(topics: tuple[str, ...]) -> None:
    """The published bounds, before anything is sent."""
    with pytest.raises(InputError):
        NotificationChannel(None, topics, region=Region("mypurecloud.de"))  # type: ignore[arg-type]


def test_the_address_is_in_no_log() -> None:
    """To know a channel's address is to listen to it."""

    async def wait(connection: ServerConnection, _: int) -> None:
        await connection.wait_closed()

    async def scenario() -> Log:
        log = Log()
        async with _listening(wait, log=log):
            pass
        return log

    table = asyncio.run(scenario()).table()
    assert len(table)
    for column in ("url", "raw", "note", "text"):
        assert not table[column].str.contains("abcdefghijklmnop", regex=False).any()
