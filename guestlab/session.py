"""The guest session: what a guest can say and read, as async verbs.

Every send ends acknowledged or as an error the caller gets; every message comes out once, across lost
links. How that is kept stands in `exchange.py`; the blocking face is `blocking.py`.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload
from uuid import uuid4

from guestlab import attachments
from guestlab.attachments import File, check_file
from guestlab.backoff import RECONNECT, Backoff
from guestlab.errors import (
    DeadlineError,
    InputError,
    MessageRefused,
    RemoteProtocolError,
    SendInDoubt,
    SessionEnded,
)
from guestlab.exchange import WORDS, Exchange
from guestlab.http import Client
from guestlab.limits import PUBLISHED, Limits, loosened
from guestlab.log import Log
from guestlab.protocol.commands import (
    CloseSession,
    Command,
    DeleteAttachment,
    Echo,
    RequestDownload,
    RequestUpload,
    SendClear,
    SendJoin,
    SendText,
    SendTyping,
    answer,
)
from guestlab.protocol.events import (
    DownloadUrlIssued,
    EchoReceived,
    Event,
    MessageReceived,
    SessionConfigured,
    UploadFailed,
    UploadSucceeded,
    UploadUrlIssued,
)
from guestlab.regions import Region

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path
    from types import TracebackType

    from guestlab.authentication import GuestAuthentication
    from guestlab.protocol.content import Attachment, AvailableTime, CardAction, QuickReply
    from guestlab.protocol.guest import State
    from guestlab.protocol.messages import Message

__all__ = ["GuestSession"]

E = TypeVar("E", bound=Event)

SCAN_TIMEOUT = 60.0
"""Seconds to wait for the verdict on an upload; the server scans it (inferred)."""


class GuestSession:
    """One guest's session: connect, say things, read every message once.

    Use it with `async with`; iterate over it for messages.

    Args:
        region: Where the deployment lives: a `Region`, a domain, an AWS name or any URL of it.
        deployment_id: The messenger deployment's UUID.
        guest_token: A guest token to resume; a new UUID by default. The client makes it: no server does.
        origin: The `Origin` header, for a deployment that restricts its domains.
        log: Where everything is recorded.
        limits: The budgets to stay inside; None switches pacing off, on loopback only.
        settle: Seconds to hold each message so that a burst comes out sorted by `channel.time`. Without
            it messages come out as they arrive; one with an earlier time than its predecessor is `.late`.
        application: Telemetry name in the URL, as official clients send one.
        reconnect: How to come back after a lost link; None ends the session with the link.
        authentication: A signed-in guest; the session is then configured as an authenticated one.
        auto_start: Send a Presence Join when the session is new, as official clients do where the
            deployment's `autoStart` is on. Never sent on a resumed session.
        keep_alive: Seconds between `echo`s that keep the link busy, 30 at least; None sends none.

    Raises:
        InputError: `limits=None`, or wider ones than published, away from loopback; or a keep-alive outside
            its budget.
    """

    def __init__(
        self,
        region: Region | str,
        deployment_id: str,
        guest_token: str | None = None,
        *,
        origin: str | None = None,
        log: Log | None = None,
        limits: Limits | None = PUBLISHED,
        settle: float = 0.0,
        application: str | None = None,
        reconnect: Backoff | None = RECONNECT,
        authentication: GuestAuthentication | None = None,
        auto_start: bool = False,
        keep_alive: float | None = None,
    ) -> None:
        region = region if isinstance(region, Region) else Region(region)
        _check(region, limits, keep_alive)
        if guest_token is not None and not guest_token.strip():
            raise InputError(
                "The guest token is empty.",
                why="It names the session: whoever has none starts a new one.",
                next_step="Leave guest_token out, or pass the one of the session to resume.",
            )
        self.guest_token = guest_token or str(uuid4())
        self.log = log if log is not None else Log()
        self.log.learn(self.guest_token)
        self._auto_start, self._keep_alive = auto_start, keep_alive
        self._heartbeat: asyncio.Task[None] | None = None
        self._files: Client | None = None
        self._attributes: dict[str, str] = {}
        self._exchange = Exchange(
            region,
            deployment_id,
            self.guest_token,
            origin=origin,
            log=self.log,
            limits=limits,
            settle=settle,
            application=application,
            reconnect=reconnect,
            authentication=authentication,
        )

    def __repr__(self) -> str:
        return f"<GuestSession {self.name} at {self._exchange.region.name}: {self.state}>"

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def name(self) -> str:
        """This session's name in the log's `session` column."""
        return self._exchange.name

    @property
    def state(self) -> State:
        """Where the protocol stands."""
        return self._exchange.protocol.state

    @property
    def configured(self) -> SessionConfigured | None:
        """The last `SessionResponse`: limits, expiry, whether the session is new."""
        return self._exchange.protocol.session

    @property
    def connection_age(self) -> float:
        """Seconds since the present socket opened; 0.0 before the first."""
        opened = self._exchange.connected_at
        return time.monotonic() - opened if opened else 0.0

    # -- life -------------------------------------------------------------------------------------

    async def connect(self) -> SessionConfigured:
        """Open the socket and configure the session; ready only after `SessionResponse`.

        Raises:
            HandshakeError: The upgrade or the configuration was refused.
            NetworkError: The socket could not be reached.
        """
        configured = await self._exchange.connect()
        await self._started(configured)
        if self._keep_alive is not None:
            self._heartbeat = asyncio.create_task(self._beat(self._keep_alive))
        return configured

    async def close(self) -> None:
        """Close the connection with 1000. The conversation stays and can be resumed with the guest token."""
        if self._heartbeat is not None:
            self._heartbeat.cancel()
        await self._exchange.close()
        if self._files is not None:
            await self._files.aclose()
            self._files = None

    async def start_new(self, *, timeout: float = 10.0) -> SessionConfigured:
        """Leave a session, read-only or not, and begin a new one with the same guest token.

        Other connections of the session are closed by the server; its history is out of reach afterwards.

        Args:
            timeout: Seconds to wait for the old session's end.

        Raises:
            DeadlineError: No answer in time.
            HandshakeError: The new session was refused.
        """
        await self._exchange.request(CloseSession(close_all_connections=True), timeout)
        configured = await self._exchange.configure(start_new=True)
        await self._started(configured)
        return configured

    async def clear(self, *, timeout: float = 10.0) -> None:
        """End the conversation for good, as the Messenger's own button does. The session is over then.

        Args:
            timeout: Seconds to wait for the answer.

        Raises:
            MessageRefused: The deployment does not allow it (403).
        """
        await self._exchange.request(SendClear(), timeout)

    async def _started(self, configured: SessionConfigured) -> None:
        if self._auto_start and configured.new_session:
            await self._exchange.request(SendJoin(custom_attributes=self._attributes))

    async def _beat(self, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                await self._exchange.request(Echo())
            except SessionEnded:
                return
            except (DeadlineError, MessageRefused, SendInDoubt):
                continue  # the link's own ping finds out whether it still lives

    # -- saying things ----------------------------------------------------------------------------

    async def send(
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
        """Say something; returns the acknowledged message, matched by its tracing id.

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
            MessageRefused: The server refused it, with its frame code. One for its rate (429, 4029) is
                waited out and said again; it is raised where the server asks for more than `timeout`.
            SendInDoubt: The link broke, and the session with it, before the acknowledgement.
            DeadlineError: No acknowledgement in time.
        """
        if attachment is not None and attachment_id is not None:
            raise InputError(
                "A message takes one file, and two were given.",
                why="attachment= uploads a file; attachment_id= names one that is uploaded already.",
                next_step="Pass one of the two; send the other file with a message of its own.",
            )
        ids: tuple[str, ...] = () if attachment_id is None else (attachment_id,)
        if attachment is not None:
            ids = (await self.upload(attachment, name=attachment_name, progress=progress),)
        attributes = {**self._attributes, **(custom_attributes or {})}
        message = await self._say(
            SendText(text=text, attachment_ids=ids, custom_attributes=attributes), timeout
        )
        self._attributes = {}
        return message

    async def reply(
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
        if isinstance(choice, str):
            offer = self._exchange.delivery.last_offer
            offered = offer.choices if offer is not None else ()
            found = next((one for one in offered if one.text == choice), None)
            if found is None or offer is None:
                raise InputError(
                    f"No choice {choice!r} was offered.",
                    why=f"Offered: {', '.join(one.text for one in offered) or 'nothing so far'}.",
                    next_step="Choose one of these, or send() the words as text.",
                )
            choice, to = found, to or offer.id
        return await self._say(answer(choice, to=to), timeout)

    async def say(self, command: Command, *, timeout: float = 10.0) -> Event:
        """Send any command of `guestlab.protocol.commands` and return what answers it.

        Args:
            command: What to say.
            timeout: Seconds to wait for the answer.

        Raises:
            LocalProtocolError: The state of the session does not allow it now.
            MessageRefused: The server refused it, with its frame code.
            DeadlineError: No answer in time.
        """
        return await self._exchange.request(command, timeout)

    async def typing(self) -> None:
        """Show that the guest is typing; the published pace is once in five seconds."""
        await self._exchange.post(SendTyping())

    def attributes(self, **custom_attributes: str) -> None:
        """Set custom attributes to go out with the next message; the protocol has no frame for them alone.

        Args:
            custom_attributes: Names and their values, strings; sizes are checked when they are sent.
        """
        self._attributes |= custom_attributes

    async def echo(self, *, timeout: float = 10.0) -> EchoReceived:
        """Ask for a health check; the answer is neither stored nor routed. Budget: two a minute.

        Args:
            timeout: Seconds to wait for the answer.

        Raises:
            DeadlineError: No answer in time.
            SessionEnded: The session is over.
        """
        return _expected(await self._exchange.request(Echo(), timeout), EchoReceived)

    async def _say(self, command: Command, timeout: float) -> Message:
        return _expected(await self._exchange.request(command, timeout), MessageReceived).message

    # -- files ------------------------------------------------------------------------------------

    async def upload(
        self,
        source: str | Path | bytes,
        *,
        name: str | None = None,
        progress: Callable[[int, int], object] | None = None,
    ) -> str:
        """Upload a file and wait for the server's verdict; returns its id, for `send(attachment_id=…)`.

        Args:
            source: A path, or the bytes.
            name: The name to send it under; by default the path's.
            progress: Called with (bytes sent, bytes in all).

        Raises:
            InputError: The session's limits rule it out.
            MessageRefused: The server refused it, before or after its bytes had arrived.
            NetworkError: The storage did not take it.
        """
        file = File.of(source, name=name)
        check_file(file, self.configured)
        request = RequestUpload(
            file_name=file.name,
            file_type=file.content_type,
            file_size=len(file.content),
            attachment_id=str(uuid4()),
        )
        issued = _expected(await self._exchange.request(request), UploadUrlIssued)
        verdict = self._exchange.delivery.expect(
            lambda event: (
                isinstance(event, UploadSucceeded | UploadFailed)
                and event.attachment_id == issued.attachment_id
            )
        )
        await attachments.put(self._http(), issued, file, progress)
        try:
            async with asyncio.timeout(SCAN_TIMEOUT):
                event = await verdict
        except TimeoutError:
            raise DeadlineError(
                f"No verdict on {file.name} within {SCAN_TIMEOUT:g} seconds.",
                why="The bytes arrived, but the server has neither accepted nor refused them.",
                next_step="Look at session.log.frames; upload it again.",
            ) from None
        if isinstance(event, UploadFailed):
            raise attachments.refused(file, event.code, self.log.redact(event.reason), event.advice)
        return issued.attachment_id

    async def download(self, attachment: Attachment) -> bytes:
        """Fetch an attachment's bytes; an expired URL (after about ten minutes) is renewed once.

        Args:
            attachment: From a message's content.

        Raises:
            MessageRefused: The server knows no such attachment any more.
            NetworkError: The storage did not hand it out.
        """
        content = await attachments.fetch(self._http(), attachment.url) if attachment.url else None
        if content is None:
            request = RequestDownload(attachment_id=attachment.id)
            issued = _expected(await self._exchange.request(request), DownloadUrlIssued)
            content = await attachments.fetch(self._http(), issued.url)
        if content is None:
            raise InputError(
                f"Attachment {attachment.id} cannot be downloaded.",
                why="Its URL is refused, also a fresh one.",
                next_step="Ask the sender for it again.",
            )
        return content

    async def delete_attachment(self, attachment_id: str) -> None:
        """Drop an uploaded file that was not sent yet.

        Args:
            attachment_id: What `upload()` returned.

        Raises:
            MessageRefused: The server knows no such file, or it was sent.
        """
        await self._exchange.request(DeleteAttachment(attachment_id=attachment_id))

    def _http(self) -> Client:
        if self._files is None:
            self._files = Client(self._exchange.region, self.log)
        return self._files

    # -- signing in -------------------------------------------------------------------------------

    async def step_up(self, authentication: GuestAuthentication) -> SessionConfigured:
        """Turn this guest session into an authenticated one, on the same socket.

        Args:
            authentication: Who signs in, and how.

        Raises:
            PlatformError: The identity provider's code was not accepted.
            HandshakeError: The deployment does not allow session upgrades.
        """
        self._exchange.authentication = authentication
        return await self._exchange.configure()

    async def log_out(self) -> None:
        """Revoke the sign-in; every connection of the session gets a `LogoutEvent` and is over."""
        authentication = self._exchange.authentication
        if authentication is None:
            raise InputError(
                "There is nobody to log out.",
                why="This is an anonymous guest session.",
                next_step="Use clear() to end its conversation, or close() to leave it.",
            )
        await authentication.revoke(self._exchange.region, self._exchange.deployment_id, self.log)

    # -- reading ----------------------------------------------------------------------------------

    @overload
    async def next(self, *, timeout: float = 5.0, where: Callable[[Event], bool] | None = None) -> Event: ...
    @overload
    async def next(
        self, event_class: type[E], *, timeout: float = 5.0, where: Callable[[E], bool] | None = None
    ) -> E: ...
    async def next(
        self,
        event_class: type[Event] = Event,
        *,
        timeout: float = 5.0,
        where: Callable[[Any], bool] | None = None,
    ) -> Event:
        """Wait for the next event of a class, from a cursor set at connect and advanced by each call.

        Args:
            event_class: A class of `gl.events`; by default any event will do.
            timeout: Seconds.
            where: Tells of an event whether it is the one; by default each is.

        Raises:
            DeadlineError: None came in `timeout` seconds.
            SessionEnded: The session is over and none is left.
        """
        return await self._exchange.delivery.next(event_class, timeout=timeout, where=where)

    def __aiter__(self) -> AsyncIterator[Message]:
        return self

    async def __anext__(self) -> Message:
        delivery = self._exchange.delivery
        message = delivery.waiting_message() or await delivery.next_message()
        if message is None:
            raise StopAsyncIteration
        return message

    async def next_message(self) -> Message | None:
        """Return the next message, own ones included, or None when the session is over."""
        return await self._exchange.delivery.next_message()

    async def messages(self, *, quiet: float = 2.0) -> list[Message]:
        """Return the messages not read yet, once no further one has come for a while.

        Args:
            quiet: Seconds without a further message that end the wait.
        """
        return await self._exchange.delivery.until_quiet(quiet)

    async def history(self, *, most: int | None = None) -> list[Message]:
        """Return the session's messages from the platform's history, oldest first.

        Args:
            most: How many at most, the newest; all by default. Budget: ten pages of 100 a minute.

        Raises:
            PlatformError: The platform refused.
        """
        messages: list[Message] = []
        async for page in self._exchange.history.pages():
            messages += [message for message in page if message.type in WORDS]
            if most is not None and len(messages) >= most:
                break
        unique = {message.key: message for message in reversed(messages[:most])}
        for message in unique.values():
            message.shown = self.log.redact(message.text)
        return list(unique.values())


def _expected(event: Event, kind: type[E]) -> E:
    """Insist on the kind of answer; a damaged one tells that it was accepted, but not what."""
    if isinstance(event, kind):
        return event
    raise RemoteProtocolError(
        f"The answer came as {type(event).__name__} instead of {kind.__name__}.",
        why="It was damaged on its way, or the server answers what the protocol does not know.",
        next_step="Look at session.log.frames; history() tells whether it was accepted.",
    )


def _check(region: Region, limits: Limits | None, keep_alive: float | None) -> None:
    wider = () if region.is_loopback else (("limits=None",) if limits is None else loosened(limits))
    if wider:
        raise InputError(
            f"Pacing cannot be switched off here, nor loosened: {', '.join(wider)}.",
            why="The published budgets protect other people's cloud; only loopback may go without.",
            next_step="Leave limits at gl.PUBLISHED, or run against the sandbox.",
        )
    if keep_alive is not None and keep_alive < 30:
        raise InputError(
            f"keep_alive={keep_alive:g} is too often.",
            why="The budget of echoes is two a minute on a connection.",
            next_step="Use 30 seconds or more.",
        )
