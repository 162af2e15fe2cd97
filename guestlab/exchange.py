"""Commands out and their answers back, across lost links. The engine below `GuestSession`'s verbs.

One reader task: a text arrives, is decoded, recorded and handed out, in that order and without an `await`
between, so order in the log is order on the wire. A lost link is opened again with the same guest token;
what was missed is filled from history, and words that went down with the link are looked up there before
they are said again. The pure twin is `protocol/guest.py`, which knows no socket and no clock.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from guestlab import unanswered
from guestlab.connect_pace import connect_pace
from guestlab.delivery import Delivery
from guestlab.errors import (
    DeadlineError,
    GuestlabError,
    HandshakeError,
    MessageRefused,
    NetworkError,
    PlatformError,
    SendInDoubt,
    SessionEnded,
)
from guestlab.history import History
from guestlab.link import Link
from guestlab.log.frame_columns import capabilities, message_columns
from guestlab.protocol.commands import Command, ConfigureAuthenticatedSession, ConfigureSession, RequestJwt
from guestlab.protocol.events import (
    ConnectionTakenOver,
    ErrorReceived,
    Event,
    JwtIssued,
    LoggedOut,
    MessageReceived,
    RateLimited,
    SessionCleared,
    SessionConfigured,
    SessionExpired,
)
from guestlab.protocol.guest import GuestProtocol, State
from guestlab.protocol.pacing import Pacer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from guestlab.authentication import GuestAuthentication
    from guestlab.backoff import Backoff
    from guestlab.limits import Limits
    from guestlab.log import Log
    from guestlab.protocol.guest import Outgoing, Received
    from guestlab.protocol.messages import Message
    from guestlab.protocol.plain import PlainMessage
    from guestlab.regions import Region

__all__ = ["WORDS", "Exchange"]

CONFIGURE_TIMEOUT = 30.0
"""Seconds to wait for the `SessionResponse`."""

REQUEST_TIMEOUT = 10.0
"""Seconds to wait for the answer to a request of our own, such as `getJwt`."""

HISTORY_TRIES = 3
"""Times a page of history is asked for after a lost link, before the session goes on without."""

_LEAVING = frozenset({State.CLOSING, State.FAILED, State.RECONNECTING})
"""States in which the client closes the socket itself, as official clients do: the session was taken
over, cleared, logged out, expired or refused, or its sign-in was lost (then it comes back)."""

_RESUME = "Open a new session; the same guest_token resumes a conversation that still lives."
_AFRESH = "Open a new session: with the same guest_token or another, a new conversation begins."
_AFTERWARDS: dict[type[Any], str] = {
    SessionCleared: _AFRESH,
    SessionExpired: _AFRESH,
    LoggedOut: "Open a new session with another guest_token; sign in again if it is to be a person's.",
    ConnectionTakenOver: "Close one of the other connections, or leave it: they hold the session now.",
}
_MEANS: dict[type[Any], str] = {
    SessionCleared: "the conversation was cleared",
    SessionExpired: "it was idle for too long",
    LoggedOut: "the guest logged out",
    ConnectionTakenOver: "a fourth connection, a sign-in elsewhere or a new start took its place",
}

_OVER = frozenset({State.CLOSING, State.CLOSED})

WORDS = frozenset({"Text", "Structured"})
"""The message types that are words; the others are events, which history lists too."""


class Exchange:
    """The engine of one guest session."""

    def __init__(
        self,
        region: Region,
        deployment_id: str,
        guest_token: str,
        *,
        origin: str | None,
        log: Log,
        limits: Limits | None,
        settle: float,
        application: str | None,
        reconnect: Backoff | None,
        authentication: GuestAuthentication | None,
    ) -> None:
        self.region, self.deployment_id, self.origin, self.log = region, deployment_id, origin, log
        self.name = uuid4().hex[:8]
        self.authentication = authentication
        self.protocol = GuestProtocol(deployment_id, guest_token)
        self.pacer = Pacer(limits)
        self.delivery = Delivery(settle)
        self.history = History(
            region, log, self._issue_jwt, origin=origin, pacer=self.pacer, now=time.time, sleep=asyncio.sleep
        )
        self.connected_at = 0.0
        self._url = region.guest_url(deployment_id, application)
        self._reconnect = reconnect
        self._link: Link | None = None
        self._reader: asyncio.Task[None] | None = None
        self._repair: asyncio.Task[None] | None = None
        self._waiting: dict[str, tuple[asyncio.Future[Event], int | None]] = {}
        self._turn = asyncio.Lock()
        self._online = asyncio.Event()
        self._closing = False
        self._away = False
        self._refusal = ""
        self._rate_limited: RateLimited | None = None
        self._hanging_up: asyncio.Task[None] | None = None

    # -- life -------------------------------------------------------------------------------------

    async def connect(self, *, start_new: bool = False) -> SessionConfigured:
        """Open the socket and configure the session.

        Raises:
            HandshakeError: The upgrade or the configuration was refused.
            NetworkError: The socket could not be reached, or broke at once.
        """
        link = await self._dial()
        self._reader = asyncio.create_task(self._run(link), name=f"guestlab-reader-{self.name}")
        try:
            configured = await self.configure(start_new=start_new)
        except MessageRefused as refusal:
            raise HandshakeError(
                "The socket opened, but the session was refused at configure.",
                why=refusal.why,
                next_step=refusal.next_step,
                evidence=refusal.evidence,
                http_status=101,
            ) from None
        except SendInDoubt as broken:
            raise NetworkError(
                "The socket opened, but broke before the session was configured.",
                why=broken.why,
                next_step="Try again; if it stays, look at proxies between here and the region.",
            ) from None
        finally:
            if self.protocol.state not in {State.CONFIGURED, State.READ_ONLY}:
                await self.close()
        self._online.set()
        return configured

    async def configure(self, *, start_new: bool = False) -> SessionConfigured:
        """Configure the session on the open socket; refresh an authenticated one's JWT when refused."""
        self.history.forget_jwt()
        while True:
            try:
                configured = await self._request(await self._configuration(start_new), CONFIGURE_TIMEOUT)
            except MessageRefused as refusal:
                if self.authentication is None or refusal.frame_code != 401:
                    raise
                await self.authentication.refresh(self.region, self.deployment_id, self.log)
                continue
            if not isinstance(configured, SessionConfigured):
                raise SendInDoubt(
                    "The session was answered by something other than a SessionResponse.",
                    why=f"What came is {type(configured).__name__}.",
                    next_step="Look at session.log.frames, then connect again.",
                )
            if self.authentication is not None:
                self.authentication.accepted()
            return configured

    async def _configuration(self, start_new: bool) -> Command:
        if self.authentication is None:
            return ConfigureSession(deployment_id=self.deployment_id, start_new=start_new)
        jwt = await self.authentication.jwt(self.region, self.deployment_id, self.log)
        return ConfigureAuthenticatedSession(jwt=jwt, start_new=start_new)

    async def _dial(self) -> Link:
        if not self.region.is_loopback:
            await connect_pace.turn(self.region.name, self.deployment_id, self._waits_to_connect)
        self._link = await Link.open(
            self._url, origin=self.origin, ca_file=self.region.ca_file, log=self.log, session=self.name
        )
        if self.authentication is not None:
            self._link.catch_up()  # the sign-in is recorded between the upgrade and the first frame
        self.protocol.connection_made()
        self.pacer.reconnected()
        self.connected_at = time.monotonic()
        return self._link

    def _waits_to_connect(self, seconds: float) -> None:
        self.log.record(
            "note",
            stage="session",
            session=self.name,
            note=f"waiting {seconds:.1f} s: the deployment's connections of this minute are used up",
        )

    async def close(self) -> None:
        """Close with 1000 and do not come back."""
        self._closing = True
        self.protocol.close()
        if self._repair is not None:
            self._repair.cancel()
        if self._link is not None:
            await self._link.close()
        if self._reader is not None and self._reader is not asyncio.current_task():
            if self._away:
                self._reader.cancel()  # it waits to dial again
            with contextlib.suppress(asyncio.CancelledError):
                await self._reader
        await self.history.aclose()

    # -- out --------------------------------------------------------------------------------------

    async def request(self, command: Command, timeout: float = REQUEST_TIMEOUT) -> Event:
        """Send one command once the session is configured, and wait for what answers it.

        Raises:
            MessageRefused: The server refused it; for its rate, only where the wait is longer than `timeout`.
            SendInDoubt: The link broke, and whether it was accepted cannot be found out.
            DeadlineError: No answer in time.
            SessionEnded: The session is over.
        """
        return await self._request(command, timeout, online=True)

    async def post(self, command: Command) -> None:
        """Send one command that has no answer to wait for, such as typing."""
        await self._post(command, str(uuid4()), None, online=True)

    async def _request(self, command: Command, timeout: float, *, online: bool = False) -> Event:
        """Send and wait; a refusal for its rate was not accepted, so it is said again after the wait."""
        loop = asyncio.get_running_loop()
        tracing_id, future, deadline = str(uuid4()), loop.create_future(), loop.time() + timeout
        refused: RateLimited | None = None
        try:
            async with asyncio.timeout(timeout):
                while True:
                    await self._post(
                        command, tracing_id, future, online=online, until=deadline if online else None
                    )
                    event: Event = await future
                    if not isinstance(event, RateLimited):
                        return event
                    refused, future = event, loop.create_future()
                    self._waiting.pop(tracing_id, None)
        except TimeoutError:
            if tracing_id in self._waiting:
                raise unanswered.silent(command.action, timeout) from None
            raise self._late(command, timeout, refused) from None
        finally:
            self._waiting.pop(tracing_id, None)
            self.protocol.settle(tracing_id)

    def _late(self, command: Command, timeout: float, refused: RateLimited | None) -> GuestlabError:
        """The time is up before it was said, or said again; or is known to be too short for that."""
        action, now = command.action, asyncio.get_running_loop().time()
        wait = self.pacer.delay(command, now)
        if refused is not None:
            return unanswered.still_refused(action, timeout, refused, wait)
        if not self._online.is_set():
            return unanswered.unsent(action, timeout, "It waited for the link to come back.")
        earlier = self._rate_limited if self.pacer.forced(now) > 0 else None
        return unanswered.held_back(action, timeout, earlier, wait)

    async def _post(
        self,
        command: Command,
        tracing_id: str,
        future: asyncio.Future[Event] | None,
        *,
        online: bool = False,
        until: float | None = None,
    ) -> None:
        """Send one frame inside the budgets; with `online`, in its turn and on a configured session only.

        Raises:
            TimeoutError: The budgets make it wait beyond `until`: said at once, not when the time is up.
        """
        loop = asyncio.get_running_loop()
        # What is said leaves in the order of the calls. What mends the session passes it by.
        async with self._turn if online else contextlib.nullcontext():
            while True:
                if online:
                    await self._online.wait()
                if self.delivery.ended is not None:
                    raise self.delivery.ended
                if self.protocol.state in _OVER:  # the socket is being closed
                    raise self._farewell(1000)
                delay = self.pacer.delay(command, loop.time())
                if delay <= 0:
                    break
                if until is not None and loop.time() + delay > until:
                    raise TimeoutError
                await asyncio.sleep(delay)
            outgoing = self.protocol.send(command, tracing_id=tracing_id)
            self.pacer.sent(command, loop.time())
            if future is not None:
                self._waiting[tracing_id] = (future, None)
            assert self._link is not None
            at_ns, monotonic_ns = time.time_ns(), time.monotonic_ns()
            self._link.write(outgoing.text)
            sent = self._record_sent(outgoing, at_ns, monotonic_ns)
            if tracing_id in self._waiting and future is not None:  # a subscriber may have let it be answered
                self._waiting[tracing_id] = (future, sent)
            await self._link.drained()

    async def _issue_jwt(self) -> JwtIssued:
        issued = await self._request(RequestJwt(), REQUEST_TIMEOUT)
        if not isinstance(issued, JwtIssued):
            raise SendInDoubt(
                "getJwt was answered by something other than a JWT.",
                why=f"What came is {type(issued).__name__}.",
                next_step="Look at session.log.frames, then try again.",
            )
        return issued

    # -- the reader -------------------------------------------------------------------------------

    async def _run(self, link: Link) -> None:
        """Read, and come back after a lost link, until the session is over."""
        try:
            while True:
                await link.read(self._receive)
                link.record_close()
                self._lost(link.close_code)
                self._away = True
                found = await self._come_back()
                self._away = False
                if found is None:
                    return
                link = found
        finally:
            self._end(link.close_code)
            self._online.set()  # whoever waits to say something learns that it is over

    def _receive(self, text: str | bytes) -> None:
        """Decode, record, hand out: synchronous on purpose."""
        at_ns, monotonic_ns = time.time_ns(), time.monotonic_ns()
        if isinstance(text, str):
            if 'rl":' in text:
                self.log.learn(*capabilities(text))
            words = self.protocol.receive_words(text)
            if words is not None:
                self._record_words(text, words, at_ns, monotonic_ns)
                self.delivery.add_words(words)
                return
        received = self.protocol.receive(text)
        events, before, after, settled = received
        self._record_received(text, received, at_ns, monotonic_ns)
        for event in events:
            self.delivery.add(event)
        for tracing_id in settled:
            if tracing_id in self._waiting:
                self._settle(self._waiting[tracing_id][0], events[0])
        if after is State.CLOSING and before is not State.CLOSING and self._link is not None:
            # Taken over, cleared, expired or logged out: the client closes, as official ones do.
            self._hanging_up = asyncio.create_task(self._link.close())

    def _settle(self, future: asyncio.Future[Event], event: Event) -> None:
        if future.done():
            return
        if isinstance(event, RateLimited):
            self.pacer.penalty(event.retry_after, asyncio.get_running_loop().time())
            self._rate_limited = event
            future.set_result(event)
        elif isinstance(event, ErrorReceived):
            future.set_exception(unanswered.refusal(event, self.log))
        else:
            future.set_result(event)

    def _end(self, close_code: int) -> None:
        self.delivery.end(self._farewell(close_code))
        for future, _ in self._waiting.values():
            if not future.done():
                future.set_exception(unanswered.in_doubt(close_code))

    def _farewell(self, close_code: int) -> SessionEnded:
        return SessionEnded(
            "The session is over.",
            why=self._reason(close_code),
            next_step=_AFTERWARDS.get(type(self.protocol.ended), _RESUME),
        )

    def _reason(self, close_code: int) -> str:
        ended = self.protocol.ended
        if ended is not None:
            said = f"The server said {ended.class_name or type(ended).__name__}"
            return f"{said}: {_MEANS[type(ended)]}." if type(ended) in _MEANS else f"{said}."
        if self._closing:
            return "It was closed here."
        text = f"The link ended with close code {close_code} (lane close) and did not come back."
        return f"{text} {self._refusal}".strip()

    # -- coming back ------------------------------------------------------------------------------

    def _lost(self, close_code: int) -> None:
        """The link is gone. Words stay in doubt until history is read; other requests fail now."""
        self._online.clear()
        if self._repair is not None:
            self._repair.cancel()
        self.protocol.connection_lost(close_code)
        for tracing_id in self.protocol.unanswered:
            waiting = self._waiting.get(tracing_id)
            if waiting is not None and not waiting[0].done():
                waiting[0].set_exception(unanswered.in_doubt(close_code))

    async def _come_back(self) -> Link | None:
        """Dial again with back-off; None when the session is over or must not come back."""
        if self._closing or self._reconnect is None or not self.protocol.may_reconnect:
            return None
        self.delivery.begin_gap()
        for attempt, delay in enumerate(self._reconnect.delays(random.random), start=1):
            self._record_life(f"link lost; attempt {attempt} to come back in {delay:.2f} s")
            await asyncio.sleep(delay)
            try:
                link = await self._dial()
            except HandshakeError as refusal:
                self._refusal = refusal.what
                self.protocol.connection_refused(refusal.http_status)
                if not self.protocol.may_reconnect or refusal.http_status == 401:
                    return None
            except NetworkError:
                continue
            else:
                self._repair = asyncio.create_task(self._mend(link), name=f"guestlab-repair-{self.name}")
                return link
        return None

    async def _mend(self, link: Link) -> None:
        """Configure again, fill the gap from history, settle what was in doubt. Runs beside the reader."""
        try:
            configured = await self.configure()
            history = [] if configured.new_session else await self._missed()
        except SendInDoubt:
            return  # the link broke again; the reader has noticed
        except (DeadlineError, MessageRefused, PlatformError) as error:
            self._record_life(f"coming back failed: {error.what} {error.why}")
            link.abort()  # the reader notices and tries again, if the protocol allows it
            return
        missed = self.delivery.end_gap([message for message in history or () if message.type in WORDS])
        for message in missed:
            message.own = self.protocol.owns(message)
            self._record_history(message)
        self._record_life(
            "back; the gap could not be filled: history cannot be read"
            if history is None
            else f"back; {len(missed)} missed messages filled in from history"
        )
        found = {said: message for message in history or () if (said := message.metadata.get("id"))}
        await self._resolve_doubts(found, knowable=history is not None and not configured.new_session)
        self._online.set()

    async def _missed(self) -> list[Message] | None:
        """Read history until a page brings nothing new and reaches back before the gap.

        None when history cannot be read: the session goes on, what was missed stays unknown.
        """
        inbox = self.delivery.inbox
        for _ in range(HISTORY_TRIES):
            history: list[Message] = []
            try:
                async for page in self.history.pages():
                    history += page
                    keys = {message.key for message in page if message.type in WORDS}
                    if keys <= inbox.known and keys & inbox.known_before_gap:
                        break
            except (DeadlineError, MessageRefused, NetworkError, PlatformError) as error:
                self._record_life(f"history could not be read: {error.what} {error.why}")
                continue
            return history
        return None

    async def _resolve_doubts(self, found: Mapping[Any, Message], *, knowable: bool) -> None:
        """Words that went down with the link: acknowledged by history, or said again."""
        for tracing_id, command in list(self.protocol.pending.items()):
            future = self._waiting[tracing_id][0] if tracing_id in self._waiting else None
            self.protocol.settle(tracing_id)
            if future is None or future.done():
                continue
            if tracing_id in found:
                future.set_result(MessageReceived(message=found[tracing_id]))
            elif not knowable:
                future.set_exception(unanswered.in_doubt(1006))
            else:
                await self._post(command, tracing_id, future)

    # -- the record -------------------------------------------------------------------------------

    def _about(self, **fields: Any) -> dict[str, Any]:
        return {"stage": "session", "session": self.name, **fields}

    def _record_life(self, note: str) -> None:
        self.log.record("lifecycle", **self._about(note=note))

    def _record_history(self, message: Message) -> None:
        about = self._about(direction="received", lane="http")
        message.shown = self.log.record("history", **about, **message_columns(message)).text

    def _record_sent(self, frame: Outgoing, at_ns: int, monotonic_ns: int) -> int:
        about = self._about(lane="frame", direction="sent", action=frame.action, tracing_id=frame.tracing_id)
        return self.log.record("frame", **about, at_ns=at_ns, monotonic_ns=monotonic_ns, raw=frame.text).seq

    def _record_words(self, text: str, message: PlainMessage, at_ns: int, monotonic_ns: int) -> None:
        """Record what `_record_received` would, of a frame that holds plain words to the guest."""
        message.late = self.delivery.inbox.is_late(message)
        message.shown = self.log.record_message(
            text, at_ns, monotonic_ns, self.name, *message.columns, message.late
        )

    def _record_received(self, text: str | bytes, received: Received, at_ns: int, monotonic_ns: int) -> None:
        event = received.events[0]
        fields: dict[str, Any] = {}
        if isinstance(event, MessageReceived):
            event.message.late = self.delivery.inbox.is_late(event.message)
            fields = message_columns(event.message)
        elif received.parsed is not None:
            fields = {"event_types": ",".join(type(event).__name__ for event in received.events)}
        answered = self._waiting.get(received.settled[0]) if received.settled else None
        entry = self.log.record(
            "frame",
            parsed=received.parsed,
            at_ns=at_ns,
            monotonic_ns=monotonic_ns,
            stage="session",
            session=self.name,
            lane="frame",
            direction="received",
            class_name=event.class_name,
            frame_code=event.code,
            tracing_id=event.tracing_id or None,
            exchange=answered[1] if answered else None,
            raw=text,
            **fields,
        )
        if isinstance(event, MessageReceived):
            event.message.shown = entry.text
