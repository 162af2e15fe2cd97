"""The blocking face of a notification channel, for notebooks and scripts: one-liners over the bridge.

Frames go on arriving between cells: the channel lives on the bridge's loop. The async core is `channel.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

from guestlab.bridge import bridge
from guestlab.errors import DeadlineError
from guestlab.protocol.notifications import Notification, TopicEvent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from guestlab.channel import NotificationChannel
    from guestlab.protocol.notifications import Pong, Topic
    from guestlab.widgets.channel_view import ChannelView

__all__ = ["Channel"]

N = TypeVar("N", bound=Notification)


class Channel:
    """A notification channel whose verbs block. `lab.channel(topics=[...])` opens one."""

    def __init__(self, core: NotificationChannel) -> None:
        self._core = core
        self._view: ChannelView | None = None

    @classmethod
    def open(cls, core: NotificationChannel, timeout: float = 60.0) -> Channel:
        """Create the channel, connect, subscribe.

        Args:
            core: The async channel.
            timeout: Seconds.

        Raises:
            PlatformError: No channel, or a topic that does not exist or is not permitted.
            HandshakeError: The socket was refused.
        """
        bridge.run(core.open(), timeout)
        return cls(core)

    def __repr__(self) -> str:
        return f"<Channel {self._core.name}: {self._core.state}, {len(self._core.topics)} topics>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def core(self) -> NotificationChannel:
        """The async channel below."""
        return self._core

    @property
    def name(self) -> str:
        """This channel's name in the log's `session` column."""
        return self._core.name

    @property
    def state(self) -> str:
        """Where it stands, such as "connected"."""
        return str(self._core.state)

    @property
    def topics(self) -> tuple[str, ...]:
        """What it is subscribed to."""
        return self._core.topics

    @property
    def rejected(self) -> dict[str, str]:
        """Topics that were not permitted, and why; filled where `ignore_errors` was asked for."""
        return dict(self._core.rejected)

    @property
    def conversations(self) -> tuple[str, ...]:
        """The conversations it told of, newest last."""
        return self._core.conversations

    @overload
    def next(self, *, topic: str = "", timeout: float = 30.0) -> TopicEvent: ...
    @overload
    def next(self, kind: type[N], *, topic: str = "", timeout: float = 30.0) -> N: ...
    def next(
        self, kind: type[Notification] = TopicEvent, *, topic: str = "", timeout: float = 30.0
    ) -> Notification:
        """Wait for the next event of a kind, beginning where the last `next` ended.

        Args:
            kind: A class of `guestlab.protocol.notifications`; by default an event of a topic.
            topic: The topic's name must begin with this.
            timeout: Seconds.

        Raises:
            DeadlineError: None came in time.
            SessionEnded: The channel is over.
        """
        return bridge.run(self._core.next(kind, topic=topic, timeout=timeout), timeout + 5)

    def events(self, *, quiet: float = 1.0) -> Iterator[TopicEvent]:
        """Read events until none has come for a while.

        Args:
            quiet: Seconds without a further event that end it.
        """
        while True:
            try:
                yield self.next(timeout=quiet)
            except DeadlineError:
                return

    def ping(self, *, timeout: float = 10.0) -> Pong:
        """Ask whether it is there.

        Args:
            timeout: Seconds to wait for the answer.

        Raises:
            DeadlineError: No answer in time.
        """
        return bridge.run(self._core.ping(timeout=timeout), timeout + 5)

    def subscribe(self, *topics: str) -> tuple[str, ...]:
        """Add topics; returns all it is subscribed to.

        Args:
            topics: Names, such as `v2.routing.queues.{id}.conversations.messages`.

        Raises:
            PlatformError: A topic does not exist or is not permitted.
        """
        return bridge.run(self._core.subscribe(*topics))

    def replace(self, *topics: str) -> tuple[str, ...]:
        """Subscribe to these and no others; returns them.

        Args:
            topics: Names, such as `v2.routing.queues.{id}.conversations.messages`.

        Raises:
            PlatformError: A topic does not exist or is not permitted.
        """
        return bridge.run(self._core.replace(*topics))

    def available(self) -> tuple[Topic, ...]:
        """Every topic there is, and whether a token without a user may subscribe to it."""
        return bridge.run(self._core.available())

    def close(self) -> None:
        """Close the socket."""
        bridge.run(self._core.close())

    def view(self) -> ChannelView:
        """Its heartbeats, events, gaps and 24 hours, live; the same view each time.

        A channel as the last line of a cell shows the same. Without a kernel it is static HTML and text.
        """
        if self._view is None:
            from guestlab.widgets.channel_view import ChannelView

            self._view = ChannelView(self)
        return self._view

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        return self.view()._repr_mimebundle_(**options)

    def _ipython_display_(self) -> None:
        from guestlab.widgets.view import show

        show(self)
