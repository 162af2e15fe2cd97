"""The blocking face of a guest session, for notebooks and scripts: one-liners over the bridge.

Background reading goes on between cells: the session lives on the bridge's loop. Every call is bounded by
a time-out, and an interrupt leaves the session usable. The async core is `session.py`.
"""

from __future__ import annotations

import sys
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

from guestlab.bridge import bridge
from guestlab.errors import InputError
from guestlab.protocol.events import Event
from guestlab.transcripts import conversation_of_session

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping
    from pathlib import Path
    from types import TracebackType

    from guestlab.authentication import GuestAuthentication
    from guestlab.log import Log
    from guestlab.platform_api import PlatformApi
    from guestlab.protocol.commands import Command
    from guestlab.protocol.content import Attachment, AvailableTime, CardAction, QuickReply
    from guestlab.protocol.events import EchoReceived, SessionConfigured
    from guestlab.protocol.messages import Message
    from guestlab.session import GuestSession
    from guestlab.widgets.chat import Chat

__all__ = ["Session"]

E = TypeVar("E", bound=Event)


class Session:
    """A guest session whose verbs block. `lab.session()` opens one."""

    def __init__(
        self, core: GuestSession, platform: Callable[[], Awaitable[PlatformApi]] | None = None
    ) -> None:
        self._core, self._platform = core, platform
        self._chat: Chat | None = None

    @classmethod
    def open(
        cls,
        core: GuestSession,
        timeout: float = 60.0,
        *,
        platform: Callable[[], Awaitable[PlatformApi]] | None = None,
    ) -> Session:
        """Connect and configure.

        Args:
            core: The async session.
            timeout: Seconds.
            platform: Gives the Platform API, for `conversation_id()`.

        Raises:
            HandshakeError: The socket did not open; names the findings.
        """
        bridge.run(core.connect(), timeout)
        return cls(core, platform)

    def __repr__(self) -> str:
        return f"<Session {self._core.name}: {self._core.state}>"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return self.chat()._repr_mimebundle_()

    def _ipython_display_(self) -> None:
        from guestlab.widgets.view import show

        show(self)

    def chat(self) -> Chat:
        """Show the session as a chat: bubbles, answers to click, the frames behind each line, a composer.

        A session as the last line of a cell shows the same. Without a kernel it is static HTML and text.
        """
        if self._chat is None:
            from guestlab.widgets.chat import Chat

            self._chat = Chat(self)
        return self._chat

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def core(self) -> GuestSession:
        """The async session below."""
        return self._core

    @property
    def name(self) -> str:
        """This session's name in the log's `session` column."""
        return self._core.name

    @property
    def log(self) -> Log:
        """Where all of it is recorded; of a lab's session the lab's own log."""
        return self._core.log

    @property
    def state(self) -> str:
        """The protocol state, such as "configured"."""
        return str(self._core.state)

    @property
    def guest_token(self) -> str:
        """The secret that resumes this session; whoever knows it owns the conversation."""
        return self._core.guest_token

    def send(
        self,
        text: str = "",
        *,
        attachment: str | Path | bytes | None = None,
        attachment_name: str | None = None,
        attachment_id: str | None = None,
        custom_attributes: Mapping[str, str] | None = None,
        progress: Callable[[int, int], object] | None = None,
        timeout: float = 10.0,
    ) -> Message:
        """Say something, with a file if given; returns the acknowledged message.

        An upload shows a progress bar, in a notebook and in a terminal, unless `progress` is given.

        Args:
            text: The words; may be empty beside an attachment.
            attachment: A path or bytes to upload and send along.
            attachment_name: Send the file under another name.
            attachment_id: What `upload()` returned: send that file along. One file to a message.
            custom_attributes: Strings for the flow, at most 2048 bytes of keys and values.
            progress: Called with (bytes sent, bytes in all) during the upload.
            timeout: Seconds to wait for the acknowledgement.

        Raises:
            InputError: Text too long, attributes too large, or a file the limits rule out.
            LocalProtocolError: The session is not configured, or read-only.
            MessageRefused: The server refused it, with its frame code.
            SendInDoubt: The link broke, and the session with it, before the acknowledgement.
            DeadlineError: No acknowledgement in time.
        """
        bar = None
        if attachment is not None and progress is None:
            bar = _ProgressBar(attachment_name or _name(attachment))
            progress = bar.moved
        sending = self._core.send(
            text,
            attachment=attachment,
            attachment_name=attachment_name,
            attachment_id=attachment_id,
            custom_attributes=custom_attributes,
            progress=progress,
            timeout=timeout,
        )
        try:
            return bridge.run(sending, timeout + (600 if attachment is not None else 5))
        finally:
            if bar is not None:
                bar.close()

    def reply(
        self, choice: QuickReply | CardAction | AvailableTime | str, *, to: str = "", timeout: float = 10.0
    ) -> Message:
        """Choose a quick reply, a card's button or a time; returns the acknowledged message.

        Args:
            choice: What was clicked, from a message's content; or the text of a quick reply or button of
                the last message with any.
            to: The id of the message that offered it.
            timeout: Seconds to wait for the acknowledgement.

        Raises:
            InputError: No such choice was offered.
        """
        return bridge.run(self._core.reply(choice, to=to, timeout=timeout), timeout + 5)

    def say(self, command: Command, *, timeout: float = 10.0) -> Event:
        """Send any command of `guestlab.protocol.commands` and return what answers it.

        Args:
            command: What to say.
            timeout: Seconds to wait for the answer.

        Raises:
            LocalProtocolError: The state of the session does not allow it now.
            MessageRefused: The server refused it, with its frame code.
            DeadlineError: No answer in time.
        """
        return bridge.run(self._core.say(command, timeout=timeout), timeout + 5)

    def typing(self) -> None:
        """Show that the guest is typing; paced to once in five seconds."""
        bridge.run(self._core.typing())

    def attributes(self, **custom_attributes: str) -> None:
        """Set custom attributes to go out with the next message.

        Args:
            custom_attributes: Names and their values, strings; sizes are checked when they are sent.
        """
        self._core.attributes(**custom_attributes)

    def upload(self, source: str | Path | bytes, *, name: str | None = None) -> str:
        """Upload a file without sending it yet; returns its id, for `send(attachment_id=…)`.

        Args:
            source: A path, or the bytes.
            name: The name to send it under; by default the path's.

        Raises:
            InputError: The session's limits rule it out.
            MessageRefused: The server refused it, before or after its bytes had arrived.
            NetworkError: The storage did not take it.
        """
        return bridge.run(self._core.upload(source, name=name), timeout=600.0)

    def delete_attachment(self, attachment_id: str) -> None:
        """Drop an uploaded file that was not sent yet.

        Args:
            attachment_id: What `upload()` returned.

        Raises:
            MessageRefused: The server knows no such file, or it was sent.
        """
        bridge.run(self._core.delete_attachment(attachment_id))

    def download(self, attachment: Attachment) -> bytes:
        """Fetch an attachment's bytes; an expired URL is renewed.

        Args:
            attachment: From a message's content.

        Raises:
            MessageRefused: The server knows no such attachment any more.
            NetworkError: The storage did not hand it out.
        """
        return bridge.run(self._core.download(attachment), timeout=600.0)

    def history(self, *, most: int | None = None) -> list[Message]:
        """Return the session's messages from the platform's history, oldest first.

        Args:
            most: How many at most, the newest; all by default. Budget: ten pages of 100 a minute.

        Raises:
            PlatformError: The platform refused.
        """
        return bridge.run(self._core.history(most=most), timeout=600.0)

    def clear(self) -> None:
        """End the conversation for good; the session is over then."""
        bridge.run(self._core.clear())

    def start_new(self) -> SessionConfigured:
        """Leave this session, read-only or not, and begin a new one with the same guest token."""
        return bridge.run(self._core.start_new())

    def step_up(self, authentication: GuestAuthentication) -> SessionConfigured:
        """Turn this guest session into an authenticated one, on the same socket.

        Args:
            authentication: Who signs in, and how.

        Raises:
            PlatformError: The identity provider's code was not accepted.
            HandshakeError: The deployment does not allow session upgrades.
        """
        return bridge.run(self._core.step_up(authentication))

    def log_out(self) -> None:
        """Revoke the sign-in; every connection of the session is over."""
        bridge.run(self._core.log_out())

    @overload
    def next(self, *, timeout: float = 5.0, where: Callable[[Event], bool] | None = None) -> Event: ...
    @overload
    def next(
        self, event_class: type[E], *, timeout: float = 5.0, where: Callable[[E], bool] | None = None
    ) -> E: ...
    def next(
        self,
        event_class: type[Event] = Event,
        *,
        timeout: float = 5.0,
        where: Callable[[Any], bool] | None = None,
    ) -> Event:
        """Wait for the next event of a class, from a cursor that starts at connect and advances here.

        Args:
            event_class: A class of `gl.events`; by default any event will do.
            timeout: Seconds.
            where: Tells of an event whether it is the one; by default each is.

        Raises:
            DeadlineError: None came in `timeout` seconds.
            SessionEnded: The session is over and none is left.
        """
        return bridge.run(self._core.next(event_class, timeout=timeout, where=where), timeout + 5)

    def conversation_id(self) -> str:
        """Look up, by access token, what the guest is never told; fills the column in `log.messages`.

        Raises:
            InputError: Nothing was said yet, or the session is not a lab's.
            PlatformError: The token may not look.
        """
        if self._platform is None:
            raise InputError(
                "This session has no Platform API to ask.",
                why="The guest side is never told its conversation's id; an access token may look it up.",
                next_step="Open the session by lab.session(), in a lab with client_id and client_secret.",
            )
        return bridge.run(self._found(self._platform))

    async def _found(self, platform: Callable[[], Awaitable[PlatformApi]]) -> str:
        return await conversation_of_session(await platform(), self.name, self._core.log)

    def messages(self, *, quiet: float = 2.0) -> list[Message]:
        """Return the messages not read yet, once no further one has come for a while.

        Args:
            quiet: Seconds without a further message that end the wait.
        """
        return bridge.run(self._core.messages(quiet=quiet), timeout=3600.0)

    def __iter__(self) -> Iterator[Message]:
        while (message := bridge.run(self._core.next_message(), timeout=86_400.0)) is not None:
            yield message

    def echo(self, *, timeout: float = 10.0) -> EchoReceived:
        """Ask for a health check; the answer is neither stored nor routed. Budget: two a minute.

        Args:
            timeout: Seconds to wait for the answer.

        Raises:
            DeadlineError: No answer in time.
            SessionEnded: The session is over.
        """
        return bridge.run(self._core.echo(timeout=timeout), timeout + 5)

    def close(self) -> None:
        """Close the connection; the conversation stays and can be resumed with the guest token."""
        bridge.run(self._core.close(), timeout=10.0)


def _name(attachment: str | Path | bytes) -> str:
    return "attachment" if isinstance(attachment, bytes) else PurePath(str(attachment)).name


class _ProgressBar:
    """An upload's bar, made here in the caller's thread; the upload moves it from the bridge's."""

    def __init__(self, name: str) -> None:
        from tqdm.auto import tqdm

        # None: no bar where standard error is no terminal, so that files stay clean. A kernel's is none.
        disable = False if "ipykernel" in sys.modules else None
        self._bar = tqdm(desc=name, unit="B", unit_scale=True, leave=False, disable=disable)

    def moved(self, sent: int, total: int) -> None:
        """So many bytes are out."""
        self._bar.total = total
        self._bar.update(sent - self._bar.n)

    def close(self) -> None:
        """Take it away, whatever became of the upload."""
        self._bar.close()
