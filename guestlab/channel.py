"""The notification channel in use: created over REST, listened to, kept alive, opened again when it is lost.

The core that reads its frames is `protocol/notifications.py`; here are clock, socket and REST calls. Nothing
is replayed by the platform after a gap. So a gap is an event of its own, `Resumed`, which names the
conversations that may have to be read again.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

from guestlab.backoff import RECONNECT, Backoff
from guestlab.errors import (
    DeadlineError,
    GuestlabError,
    HandshakeError,
    InputError,
    NetworkError,
    PlatformError,
    SessionEnded,
)
from guestlab.link import Link
from guestlab.log import Log
from guestlab.protocol.notifications import (
    PING,
    ChannelProtocol,
    ChannelState,
    ChannelTakenOver,
    Notification,
    Pong,
    SocketClosing,
    TokenRevoked,
    Topic,
    TopicEvent,
    topics_of,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator
    from types import TracebackType

    from guestlab.platform_api import PlatformApi
    from guestlab.regions import Region

__all__ = ["NotificationChannel"]

N = TypeVar("N", bound=Notification)

KEPT = 10_000
"""Events kept for a reader who does not come; the log has them all."""

_LOOK = 0.25
"""Seconds between looks at the clock, at most a fortieth of any interval that matters."""

_numbers = itertools.count(1)


class NotificationChannel:
    """One notification channel. Use it with `async with`; iterate over it for the events of its topics.

    Args:
        api: The Platform API, with a token; the channel lives no longer than that token.
        topics: What to subscribe to, such as "v2.routing.queues.{id}.conversations.messages".
        region: Where it is.
        log: Where frames are recorded, as stage `channel`.
        protocol: The core, with its heartbeat and lifetime.
        reconnect: How to come back after a lost socket; None ends the channel with it.
        ignore_errors: Take the topics that are permitted, and leave out the others instead of failing.
        now: The clock of heartbeats and lifetime, in seconds.

    Raises:
        InputError: There are no topics, or one is longer than 200 characters, or there are more than 1000.
    """

    def __init__(
        self,
        api: PlatformApi,
        topics: Iterable[str],
        *,
        region: Region,
        log: Log | None = None,
        protocol: ChannelProtocol | None = None,
        reconnect: Backoff | None = RECONNECT,
        ignore_errors: bool = False,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._topics = _checked(topics)
        self._api, self._region, self._now = api, region, now
        self.log = log if log is not None else Log()
        self.protocol = protocol if protocol is not None else ChannelProtocol()
        self.name = f"channel-{next(_numbers)}"
        self.id = ""
        self.rejected: dict[str, str] = {}
        """Topics that were not permitted, and why."""
        self._reconnect, self._ignore_errors = reconnect, ignore_errors
        self._uri = ""
        self._link: Link | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._events: deque[Notification] = deque(maxlen=KEPT)
        self._told = self._cursor = self._read = 0
        self._news = asyncio.Event()
        self._ended: GuestlabError | None = None
        self._moving = False

    def __repr__(self) -> str:
        where = f"{self.name} at {self._region.name}"
        return f"<NotificationChannel {where}: {self.state}, {len(self.topics)} topics>"

    @property
    def state(self) -> ChannelState:
        """Where it stands."""
        return self.protocol.state

    @property
    def topics(self) -> tuple[str, ...]:
        """What it is subscribed to."""
        return self.protocol.topics

    @property
    def conversations(self) -> tuple[str, ...]:
        """The conversations it told of, newest last."""
        return self.protocol.conversations

    @property
    def expires_in(self) -> float | None:
        """Seconds until the platform forgets the channel; None before it has topics."""
        expires = self.protocol.expires
        return None if expires is None else expires - self._now()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    # -- opening and closing ----------------------------------------------------------------------------

    async def open(self) -> None:
        """Create the channel, connect to it, subscribe.

        Raises:
            PlatformError: No channel, or a topic that does not exist or is not permitted.
            HandshakeError: The socket was refused.
            NetworkError: No answer.
        """
        try:
            await self._begin()
        except BaseException:
            await self.close()
            raise
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._watch())]

    async def close(self) -> None:
        """Close the socket; the channel itself expires at the platform."""
        self.protocol.state = ChannelState.CLOSED
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        if self._link is not None:
            await self._link.close()
            self._link.record_close()
            self._link = None
        self._end(None)

    async def _begin(self) -> None:
        """Make a new channel and put it to use; the socket first, for nothing is told before it is there."""
        created = await self._api.create_channel()
        uri = created.get("connectUri")
        if not isinstance(uri, str) or not uri:
            raise NetworkError(
                "The platform made a channel without an address.",
                why="`connectUri` is missing in its answer.",
                next_step="Look at the reply in lab.log.http.",
            )
        self.log.learn(uri.rpartition("/")[2].partition("?")[0])  # to know the address is to listen
        self.id, self._uri = str(created.get("id", "")), uri
        self._link = await self._dialled()
        self.protocol.connected(self._now())
        await self._subscribe(self._topics)

    async def _dialled(self) -> Link:
        return await Link.open(
            self._uri,
            origin=None,
            ca_file=self._region.ca_file,
            log=self.log,
            session=self.name,
            stage="channel",
            pings=False,
        )

    # -- topics -----------------------------------------------------------------------------------------

    async def subscribe(self, *topics: str) -> tuple[str, ...]:
        """Add topics; returns all it is subscribed to.

        Args:
            topics: Names, such as `v2.routing.queues.{id}.conversations.messages`.

        Raises:
            PlatformError: A topic does not exist or is not permitted.
        """
        added = self._open_for(topics)
        with _naming(added):
            answer = await self._api.subscribe(self.id, added, ignore_errors=self._ignore_errors)
        self._take(answer, tuple(dict.fromkeys((*self.topics, *added))))
        return self.topics

    async def replace(self, *topics: str) -> tuple[str, ...]:
        """Subscribe to these and no others; returns them.

        Args:
            topics: Names, such as `v2.routing.queues.{id}.conversations.messages`.

        Raises:
            PlatformError: A topic does not exist or is not permitted.
        """
        await self._subscribe(self._open_for(topics))
        return self.topics

    def _open_for(self, topics: tuple[str, ...]) -> tuple[str, ...]:
        """Check topics, given one by one or as one list, and that the channel still lives."""
        if self._is_over:
            raise self._ended or _closed()
        several = topics[0] if len(topics) == 1 and not isinstance(topics[0], str) else topics
        return _checked(several)

    async def _subscribe(self, topics: tuple[str, ...]) -> None:
        with _naming(topics):
            answer = await self._api.replace_subscriptions(self.id, topics, ignore_errors=self._ignore_errors)
        self._take(answer, topics)

    def _take(self, answer: list[dict[str, Any]], topics: tuple[str, ...]) -> None:
        refused = {
            str(row.get("id")): str(row.get("rejectionReason") or "not permitted")
            for row in answer
            if str(row.get("state", "")).lower() == "rejected"
        }
        self.rejected |= refused
        self._topics = tuple(topic for topic in topics if topic not in refused)
        self.protocol.subscribed(self._topics, self._now())

    async def available(self) -> tuple[Topic, ...]:
        """Every topic there is, and whether a token without a user may subscribe to it."""
        expand = ("requiresPermissions", "permissionDetails", "description")
        return topics_of(await self._api.available_topics(*expand))

    # -- reading ----------------------------------------------------------------------------------------

    async def ping(self, *, timeout: float = 10.0) -> Pong:
        """Ask whether it is there.

        Args:
            timeout: Seconds to wait for the answer.

        Raises:
            DeadlineError: No answer in time.
        """
        place = self._told
        await self._say_ping()
        return await self._find(Pong, None, place, timeout)

    @overload
    async def next(self, *, topic: str = "", timeout: float = 30.0) -> TopicEvent: ...
    @overload
    async def next(self, kind: type[N], *, topic: str = "", timeout: float = 30.0) -> N: ...
    async def next(
        self, kind: type[Notification] = TopicEvent, *, topic: str = "", timeout: float = 30.0
    ) -> Notification:
        """Wait for the next event of a kind, beginning where the last `next` ended.

        Args:
            kind: A class of `guestlab.protocol.notifications`.
            topic: The topic's name must begin with this.
            timeout: Seconds.

        Raises:
            DeadlineError: None came in time.
            SessionEnded: The channel is over.
        """
        return await self._find(kind, topic, None, timeout)

    async def __aiter__(self) -> AsyncIterator[TopicEvent]:
        while True:
            await self._until(lambda: self._read < self._told or self._is_over)
            if self._read >= self._told:
                if self._ended is not None:
                    raise self._ended
                return
            self._read = max(self._read, self._told - len(self._events))
            event = self._at(self._read)
            self._read += 1
            if isinstance(event, TopicEvent):
                yield event

    @property
    def _is_over(self) -> bool:
        return self.state is ChannelState.CLOSED

    async def _until(self, come: Callable[[], bool]) -> None:
        while not come():
            await self._news.wait()

    def _at(self, place: int) -> Notification:
        return self._events[place - (self._told - len(self._events))]

    async def _find(self, kind: type[N], topic: str | None, place: int | None, timeout: float) -> N:
        found: N | None = None

        def look() -> bool:
            nonlocal found, place
            at = self._cursor if place is None else place
            at = max(at, self._told - len(self._events))
            while at < self._told and found is None:
                event = self._at(at)
                at += 1
                if isinstance(event, kind) and event.topic.startswith(topic or ""):
                    found = event
            if place is None:
                self._cursor = at
            else:
                place = at
            return found is not None or self._is_over

        try:
            async with asyncio.timeout(timeout):
                await self._until(look)
        except TimeoutError:
            raise DeadlineError(
                f"No {kind.__name__} came within {timeout:g} seconds.",
                why="Nothing of the kind was told on this channel, or the topic is another one.",
                next_step="Look at log.frames; a topic tells only what happens after it was subscribed to.",
            ) from None
        if found is None:
            raise self._ended or _closed()
        return found

    # -- the socket -------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        """Read until the channel is over, coming back where that is possible."""
        while True:
            assert self._link is not None
            link = self._link
            await link.read(self._receive)
            link.record_close()
            if self.state is ChannelState.CLOSED:
                return
            since = self._now() if self.protocol.last_frame is None else self.protocol.last_frame
            self.protocol.lost()
            try:
                new_channel = await self._come_back()
            except GuestlabError as error:
                self._end(error)
                return
            self._tell(self.protocol.resumed(self._now(), since, new_channel=new_channel))

    def _receive(self, text: str | bytes) -> None:
        event = self.protocol.receive(text, self._now())
        self.log.record("frame", **_columns(event, self.name))
        if isinstance(event, SocketClosing | TokenRevoked):
            self._moving = isinstance(event, TokenRevoked)
            self._abort()
        elif isinstance(event, ChannelTakenOver):
            self._ended = SessionEnded(
                "The notification channel was taken over.",
                why="Another socket was opened for it, and the newest wins (level: documented).",
                next_step="Give every program a channel of its own.",
            )
            self._abort()
        self._put(event)

    def _abort(self) -> None:
        if self._link is not None:
            self._link.abort()

    async def _come_back(self) -> bool:
        """Open the socket again, or a new channel where the old one is gone; tell which."""
        if self._reconnect is None:
            raise SessionEnded(
                "The notification socket was closed.",
                why="Coming back was not asked for (reconnect=None).",
                next_step="Open a new channel, or leave reconnect at its default.",
            )
        failure: GuestlabError | None = None
        for delay in itertools.chain([0.0], self._reconnect.delays(random.random)):
            await asyncio.sleep(delay)
            try:
                if self._moving:
                    await self._begin()
                    self._moving = False
                    return True
                self._link = await self._dialled()
            except HandshakeError as refused:
                failure, self._moving = refused, True  # the channel is gone: another one
            except NetworkError as error:
                failure = error
            except PlatformError as error:
                if error.http_status < 500 and error.http_status != 429:
                    raise
                failure = error
            else:
                return False
        assert failure is not None
        raise failure

    async def _watch(self) -> None:
        """Do what the clock asks for."""
        while True:
            await asyncio.sleep(_LOOK)
            due = self.protocol.due(self._now())
            if due == "ping":
                await self._say_ping()
            elif due == "give up":
                self.log.record(
                    "note", stage="channel", session=self.name, note="No heartbeat and no pong: cut."
                )
                self._abort()
            elif due == "renew":
                with contextlib.suppress(GuestlabError):  # tried again at the next look, until it expires
                    await self._subscribe(self._topics)

    async def _say_ping(self) -> None:
        if self._link is None:
            return
        self.protocol.pinged(self._now())
        self._link.write(PING)
        self.log.record(
            "frame",
            stage="channel",
            session=self.name,
            lane="frame",
            direction="sent",
            action="ping",
            raw=PING,
        )
        await self._link.drained()

    def _put(self, event: Notification) -> None:
        self._events.append(event)
        self._told += 1
        self._wake()

    def _tell(self, event: Notification) -> None:
        self.log.record("lifecycle", stage="channel", session=self.name, note=f"Back after a gap: {event!r}")
        self._put(event)

    def _end(self, error: GuestlabError | None) -> None:
        self.protocol.state = ChannelState.CLOSED
        self._ended = self._ended or error
        self._wake()

    def _wake(self) -> None:
        """Have everybody look again who waits; who begins to wait now waits for the next time."""
        news, self._news = self._news, asyncio.Event()
        news.set()


def _columns(event: Notification, name: str) -> dict[str, Any]:
    told = event if isinstance(event, TopicEvent) else None
    return {
        "stage": "channel",
        "session": name,
        "lane": "frame",
        "direction": "received",
        "class_name": event.topic or None,
        "conversation_id": (told.conversation_id or None) if told else None,
        "correlation_id": (told.correlation_id or None) if told else None,
        "note": None if told else type(event).__name__,
        "raw": event.raw,
    }


@contextlib.contextmanager
def _naming(topics: tuple[str, ...]) -> Iterator[None]:
    """Name the topics that were asked for: the platform's refusal does not."""
    try:
        yield
    except PlatformError as error:
        if not error.code.startswith("notification."):
            raise
        asked = topics[0] if len(topics) == 1 else f"one of {', '.join(topics[:5])}"
        raise PlatformError(
            f"The channel may not be subscribed to {asked}.",
            why=f"{error.what} {error.why}",
            next_step="available() tells of each topic who may have it; ignore_errors=True takes the others.",
            evidence=error.evidence,
            http_status=error.http_status,
            code=error.code,
            correlation_id=error.correlation_id,
        ) from None


def _closed() -> SessionEnded:
    return SessionEnded(
        "The notification channel is closed.",
        why="It was closed here.",
        next_step="Open a new one with lab.channel(topics=[...]).",
    )


def _checked(topics: Iterable[str]) -> tuple[str, ...]:
    """Refuse what the platform would: the published bounds of topics."""
    given = [topics] if isinstance(topics, str) else list(topics)
    names = tuple(dict.fromkeys(given)) if all(isinstance(name, str) and name for name in given) else ()
    if not names:
        raise InputError(
            "A channel without topics tells nothing.",
            why="It sends only what it is subscribed to, and heartbeats.",
            next_step='Give topics, such as ["v2.routing.queues.{queue id}.conversations.messages"].',
        )
    if len(names) > 1000 or any(len(name) > 200 for name in names):
        raise InputError(
            "These topics do not fit one channel.",
            why="A channel takes 1000 topics of at most 200 characters each (level: documented).",
            next_step="Join topics of one prefix (v2.users.{id}?presence&conversations), or open another.",
        )
    return names
