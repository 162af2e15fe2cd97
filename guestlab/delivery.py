"""What a session hands out: every event in arrival order, every message once, and the waiting for them.

Two cursors, both set at connect: `next()` walks the events, iteration walks the messages. Nothing is
dropped while nobody looks. The pure part, which message comes out when, is `protocol/inbox.py`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from guestlab.errors import DeadlineError, SessionEnded
from guestlab.protocol.events import Event, MessageReceived
from guestlab.protocol.inbox import Inbox
from guestlab.protocol.plain import PlainMessage

if TYPE_CHECKING:
    from collections.abc import Callable

    from guestlab.protocol.messages import Message

__all__ = ["Delivery"]

E = TypeVar("E", bound=Event)


class Delivery:
    """Events and messages in, readers served.

    Args:
        settle: Seconds to hold each message so that a burst comes out sorted by `channel.time`.
    """

    def __init__(self, settle: float = 0.0) -> None:
        self._settle = settle
        self.inbox = Inbox(settling=settle > 0)
        self.ended: SessionEnded | None = None
        self.last_offer: Message | None = None
        """The last message that offers something to click."""
        self._came_in: dict[int, MessageReceived] = {}
        self._events: list[Event | PlainMessage] = []
        self._next_event = 0
        self._messages: list[Message] = []
        self._next_message = 0
        self._sleepers: list[asyncio.Future[None]] = []
        self._expected: list[tuple[Callable[[Event], bool], asyncio.Future[Event]]] = []

    def expect(self, wanted: Callable[[Event], bool]) -> asyncio.Future[Event]:
        """Return a future for the first live event from now on that is wanted."""
        future: asyncio.Future[Event] = asyncio.get_running_loop().create_future()
        self._expected.append((wanted, future))
        return future

    def add_words(self, message: PlainMessage) -> None:
        """Hand one live message on, as `add` does its event: that is made when somebody wants it."""
        if self._expected or not self.inbox.passes(message):
            self.add(message.event)
            return
        self._messages.append(message)
        self._events.append(message)
        if self._sleepers:
            self._announce()

    def add(self, event: Event) -> None:
        """Hand one live event on; a message that came before is dropped."""
        if isinstance(event, MessageReceived):
            if event.message.key in self.inbox.known:
                return
            self._came_in[id(event.message)] = event
            self._hand_out(self.inbox.add(event.message))
            if self._settle:
                asyncio.get_running_loop().call_later(self._settle, self._settled, event.message)
        else:
            self._events.append(event)
        if self._expected:
            self._expected = [waiting for waiting in self._expected if not _served(waiting, event)]
        self._announce()

    def begin_gap(self) -> None:
        """The link is lost: hold live messages back until the gap is filled."""
        self.inbox.begin_gap()

    def end_gap(self, history: list[Message]) -> list[Message]:
        """Merge what history has with what came live; return the messages only history knew."""
        missed, out = self.inbox.end_gap(history)
        self._hand_out(out)
        if self._settle:
            loop = asyncio.get_running_loop()
            for message in missed:
                loop.call_later(self._settle, self._settled, message)
        self._announce()
        return missed

    def end(self, reason: SessionEnded) -> None:
        """The session is over: hand out what was held, and let every reader know."""
        self.ended = reason
        self._hand_out(self.inbox.drain())
        for _, future in self._expected:
            if not future.done():
                future.set_exception(reason)
        self._announce()

    async def next(
        self, event_class: type[E], *, timeout: float, where: Callable[[E], bool] | None = None
    ) -> E:
        """Wait for the next event of a class.

        Raises:
            DeadlineError: None came in time.
            SessionEnded: The session is over and none is left.
        """
        try:
            async with asyncio.timeout(timeout):
                while True:
                    while self._next_event < len(self._events):
                        event = self._events[self._next_event]
                        self._next_event += 1
                        if isinstance(event, PlainMessage):
                            event = event.event
                        if isinstance(event, event_class) and (where is None or where(event)):
                            return event
                    if self.ended is not None:
                        raise self.ended
                    await self._news()
        except TimeoutError:
            raise DeadlineError(
                f"No {event_class.__name__} came within {timeout:g} seconds.",
                why="The other side was silent, or sent other events.",
                next_step="Look at session.log.frames for what did come; wait longer with timeout=.",
            ) from None

    def waiting_message(self) -> Message | None:
        """Return the next message if one is there: no waiting, no coroutine."""
        place = self._next_message
        if place >= len(self._messages):
            return None
        self._next_message = place + 1
        return self._messages[place]

    async def next_message(self) -> Message | None:
        """Return the next message, or None when the session is over."""
        while (message := self.waiting_message()) is None:
            if self.ended is not None:
                return None
            await self._news()
        return message

    async def until_quiet(self, quiet: float) -> list[Message]:
        """Return the messages not read yet, after `quiet` seconds without a further one."""
        first = self._next_message
        try:
            while True:
                self._next_message = len(self._messages)  # what is there needs no waiting
                try:
                    async with asyncio.timeout(quiet):
                        message = await self.next_message()
                except TimeoutError:
                    break
                if message is None:
                    break
        except asyncio.CancelledError:
            self._next_message = first  # an interrupt reads nothing
            raise
        return self._messages[first : self._next_message]

    def _settled(self, message: Message) -> None:
        self._hand_out(self.inbox.settled(message))
        self._announce()

    def _hand_out(self, messages: list[Message]) -> None:
        """A message and its event come out together, so that both cursors see one order."""
        for message in messages:
            event = self._came_in.pop(id(message), None) or MessageReceived(message=message)
            self._messages.append(message)
            self._events.append(event)
            if message.choices:
                self.last_offer = message

    async def _news(self) -> None:
        """Wait until something is handed out, or the session is over."""
        sleeper: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append(sleeper)
        try:
            await sleeper
        except asyncio.CancelledError:
            if sleeper in self._sleepers:
                self._sleepers.remove(sleeper)
            raise

    def _announce(self) -> None:
        sleepers, self._sleepers = self._sleepers, []
        for sleeper in sleepers:
            if not sleeper.done():
                sleeper.set_result(None)


def _served(waiting: tuple[Callable[[Event], bool], asyncio.Future[Event]], event: Event) -> bool:
    wanted, future = waiting
    if not future.done() and wanted(event):
        future.set_result(event)
    return future.done()
