"""GuestProtocol: one guest session as a state machine, without socket or clock.

Lives here: what a command or an event is to the table of `states.py`, and which answer belongs to which
command. Text goes in and events come out; a command goes in and text comes out. The twin on the other
side of the I/O line is `session.py`, which owns the socket, the clock and the waiting.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

from guestlab.errors import LocalProtocolError
from guestlab.limits import PUBLISHED, Limits
from guestlab.protocol import commands as say
from guestlab.protocol import events as got
from guestlab.protocol.codes import describe_error
from guestlab.protocol.decoding import decode
from guestlab.protocol.messages import Message
from guestlab.protocol.plain import PlainMessage, read_plain
from guestlab.protocol.states import TRANSITIONS, WHY_NOT, Cause, State

if TYPE_CHECKING:
    from guestlab.protocol.events import Event

__all__ = ["TRANSITIONS", "Cause", "GuestProtocol", "Outgoing", "Received", "State"]


_CAUSES: dict[type[say.Command], Cause] = {
    say.ConfigureSession: Cause.CONFIGURE,
    say.ConfigureAuthenticatedSession: Cause.CONFIGURE,
    say.CloseSession: Cause.GIVE_UP,
    say.SendClear: Cause.FETCH,
    say.RequestJwt: Cause.FETCH,
    say.DisconnectCustomer: Cause.FETCH,
    say.ResumeToken: Cause.FETCH,
    say.RequestConfiguration: Cause.ASK,
}
"""What a command is to the table; everything else is SPEAK."""

_CONFIGURES = (say.ConfigureSession, say.ConfigureAuthenticatedSession)
_WORDS = (say.Say, say.SendJoin, say.SendClear)
_STRUCTURED = (got.MessageReceived, got.PresenceChanged, got.ReceiptReceived, got.Unrecognized)
_REMEMBERED = 100_000  # tracing ids kept to know an own message by when it comes again

# Which commands an event can answer, and whether it may do so without a tracing id: official samples of
# these answers come without one. Words are matched by id alone, since other devices' words look alike.
_ANSWERS: dict[type[got.Event], tuple[tuple[type[say.Command], ...], bool]] = {
    got.SessionConfigured: ((*_CONFIGURES, say.CloseSession), True),
    got.EchoReceived: ((say.Echo,), True),
    got.JwtIssued: ((say.RequestJwt,), True),
    got.ConfigurationReceived: ((say.RequestConfiguration,), True),
    got.ResumeTokenIssued: ((say.ResumeToken,), True),
    got.UploadUrlIssued: ((say.RequestUpload,), True),
    got.DownloadUrlIssued: ((say.RequestDownload,), True),
    got.AttachmentDeleted: ((say.DeleteAttachment,), True),
    got.AttachmentRefused: ((say.RequestUpload, say.RequestDownload, say.DeleteAttachment), True),
    got.SessionCleared: ((say.SendClear,), True),
    **dict.fromkeys(_STRUCTURED, (_WORDS, False)),
}
_ABOUT_FILES = (got.AttachmentRefused, got.UploadFailed)
_ENDING = (got.ConnectionTakenOver, got.LoggedOut, got.SessionExpired, got.SessionCleared)


class Outgoing(NamedTuple):
    """A frame to send; its repr hides the text, which holds the guest token."""

    text: str
    action: str
    tracing_id: str
    command: say.Command

    def __repr__(self) -> str:
        return f"Outgoing({self.action}, tracing_id={self.tracing_id!r}, {self.command!r})"


class Received(NamedTuple):
    """What one frame did.

    Attributes:
        events: What the server said, at least one.
        before: The state before.
        after: The state after.
        settled: Tracing ids of the commands this frame answered, also those matched without an id.
    """

    events: tuple[Event, ...]
    before: State
    after: State
    settled: tuple[str, ...] = ()

    @property
    def parsed(self) -> Any:
        """The frame's JSON; shared with the events, so not to be changed. None when it is no JSON."""
        return self.events[0].envelope.parsed

    def __repr__(self) -> str:
        moved = self.after if self.before is self.after else f"{self.before} -> {self.after}"
        return f"Received({', '.join(map(repr, self.events))}; {moved})"


class GuestProtocol:
    """One guest session: what may be said now, and what the server's frames mean for it.

    Args:
        deployment_id: Filled into the commands that need one.
        guest_token: The secret that is the session; never shown in a repr.
        new_id: Makes tracing ids.
        limits: Checked before sending; None checks no sizes.

    Attributes:
        state: Where the session stands.
        session: The last `SessionConfigured`, or None.
        pending: Commands that wait for their answer, by tracing id, oldest first.
        ended: The event that ended the session, or None.
        may_reconnect: Whether a lost link may be opened again with the same guest token.
        unanswered: Tracing ids of the commands whose answers went down with the last lost link; words
            are not among them but stay in `pending`, because they may have been delivered.

    >>> protocol = GuestProtocol("deployment", "token", new_id=lambda: "1")
    >>> protocol.connection_made()
    >>> protocol.send(say.ConfigureSession()).action
    'configureSession'
    >>> body = '{"type":"response","class":"SessionResponse","code":200,"body":{"connected":true}}'
    >>> protocol.receive(body).after
    <State.CONFIGURED: 'configured'>
    """

    def __init__(
        self,
        deployment_id: str,
        guest_token: str,
        *,
        new_id: Callable[[], str] = lambda: str(uuid4()),
        limits: Limits | None = PUBLISHED,
    ) -> None:
        self.deployment_id = deployment_id
        self.state = State.IDLE
        self.session: got.SessionConfigured | None = None
        self.pending: dict[str, say.Command] = {}
        self.ended: Event | None = None
        self.may_reconnect = True
        self.unanswered: tuple[str, ...] = ()
        self._guest_token = guest_token
        self._new_id = new_id
        self._limits = limits
        self._spoken: OrderedDict[str, None] = OrderedDict()

    def __repr__(self) -> str:
        return f"<GuestProtocol {self.deployment_id}: {self.state}, {len(self.pending)} pending>"

    @property
    def max_custom_data_bytes(self) -> int | None:
        """The most bytes of custom attributes: the session's own limit, else the published one."""
        if self.session is not None and self.session.max_custom_data_bytes is not None:
            return self.session.max_custom_data_bytes
        return None if self._limits is None else self._limits.custom_attributes_bytes

    # -- the link -------------------------------------------------------------------------------------

    def connection_made(self) -> None:
        """The upgrade succeeded.

        Raises:
            LocalProtocolError: A socket is open already, or the session is over.
        """
        if self.state is State.FAILED and not self.may_reconnect:
            raise _not_now("A new socket", self.state)
        self.state = self._after(Cause.UPGRADED, "A new socket")
        self.ended = None  # a configure refused for passing trouble is forgotten

    def connection_refused(self, http_status: int | None = None) -> State:
        """The upgrade was refused; 403 is final, anything else may pass (official)."""
        if http_status == 403:
            self.may_reconnect = False
            self.state = TRANSITIONS[self.state].get(Cause.UPGRADE_REFUSED, self.state)
        return self.state

    def connection_lost(self, close_code: int | None = None) -> State:
        """The socket is gone, whoever closed it; no close code is final by itself."""
        del close_code  # evidence for the log; Genesys Cloud's meanings are undocumented
        self.unanswered = tuple(i for i, command in self.pending.items() if not isinstance(command, _WORDS))
        for tracing_id in self.unanswered:
            del self.pending[tracing_id]
        self.state = TRANSITIONS[self.state].get(Cause.LOST, self.state)
        return self.state

    def close(self) -> State:
        """We hang up: close the socket with 1000, if one is open, and do not reconnect."""
        self.may_reconnect = False
        self.state = self._after(Cause.HANG_UP, "Hanging up")
        return self.state

    # -- out ------------------------------------------------------------------------------------------

    def send(self, command: say.Command, *, tracing_id: str | None = None) -> Outgoing:
        """Turn a command into a frame.

        Args:
            command: What to say.
            tracing_id: The one of an earlier try, when this is a resend.

        Raises:
            LocalProtocolError: Not allowed in this state; nothing has changed.
            InputError: The command cannot work; nothing has changed.
        """
        command = self._addressed(command)
        after = self._after(self._cause(command), type(command).__name__)
        tracing_id = tracing_id or self._new_id()
        text = say.encode(
            command,
            token=self._guest_token,
            tracing_id=tracing_id,
            limits=self._limits,
            max_custom_data_bytes=self.max_custom_data_bytes,
        )
        self.state = after
        if not isinstance(command, say.SendTyping):  # its echo may or may not come
            self.pending[tracing_id] = command
        if command.action == "onMessage":
            self._remember(tracing_id)
        return Outgoing(text, command.action, tracing_id, command)

    def settle(self, tracing_id: str) -> say.Command | None:
        """Take a command out of `pending`: its fate is known otherwise, from history or by giving up."""
        return self.pending.pop(tracing_id, None)

    def owns(self, message: Message) -> bool:
        """Whether this session said it: by tracing id, or by the `id` in its metadata, as in history."""
        if message.direction == "Outbound":
            return False
        return message.tracing_id in self._spoken or _said_as(message) in self._spoken

    # -- in -------------------------------------------------------------------------------------------

    def receive_words(self, text: str) -> PlainMessage | None:
        """Read one frame if it holds plain words to the guest, which answer no command and change no state.

        By far the most frequent frame, read in half the time. None: nothing has happened, use `receive`.
        """
        message = read_plain(text)
        return message if message is not None and message.direction == "Outbound" else None

    def receive(self, text: str | bytes) -> Received:
        """Read one frame; never raises."""
        before = self.state
        events = decode(text)
        first = events[0]
        if type(first) is got.MessageReceived and len(events) == 1:  # the hot path: no state changes
            message = first.message
            outbound = message.direction == "Outbound"
            if outbound or message.tracing_id in self._spoken:
                settled = () if outbound else self._echoed(message)
                return Received(events, before, before, settled)
        settled_ids: list[str] = []
        events = tuple([self._take(event, settled_ids) for event in events])
        return Received(events, before, self.state, tuple(settled_ids))

    def _echoed(self, message: Message) -> tuple[str, ...]:
        """Our own words came back: the acknowledgement, or a repeat of it."""
        message.own = True
        return () if self.pending.pop(message.tracing_id, None) is None else (message.tracing_id,)

    def _take(self, event: Event, settled: list[str]) -> Event:
        event = self._seen_as(event)
        message = getattr(event, "message", None)
        if message is not None and self.owns(message):
            message.own = True
        answered = self._answered(event)
        command = self.pending.pop(answered) if answered is not None else None
        if answered is not None and answered not in settled:
            settled.append(answered)
        self._apply(self._meaning(event, command), event)
        return event

    def _seen_as(self, event: Event) -> Event:
        """Trust the pending command over the frame's `type`: sources differ on which class has which."""
        command = self.pending.get(event.tracing_id)
        if isinstance(event, got.EchoReceived) and self.owns(event.message):
            return got.MessageReceived(envelope=event.envelope, message=event.message)
        if isinstance(event, got.MessageReceived) and isinstance(command, say.Echo):
            return got.EchoReceived(envelope=event.envelope, message=event.message)
        return event

    # -- which command a frame answers ----------------------------------------------------------------

    def _answered(self, event: Event) -> str | None:
        if not self.pending:
            return None
        by_id = event.tracing_id
        if isinstance(event, got.ErrorReceived) and not isinstance(event, got.UploadFailed):
            return by_id if by_id in self.pending else self._refused_command(event)
        kinds, without_id = _ANSWERS.get(type(event), ((), False))
        message = getattr(event, "message", None)
        if isinstance(message, Message) and message.direction == "Outbound":
            return None
        if isinstance(self.pending.get(by_id), (*kinds, say.DisconnectCustomer)):
            return by_id
        if isinstance(message, Message) and isinstance(self.pending.get(_said_as(message)), kinds):
            return _said_as(message)
        return self._oldest(kinds, event) if without_id and not by_id else None

    def _refused_command(self, event: got.ErrorReceived) -> str | None:
        """An error without a known tracing id: what it most likely speaks of."""
        if event.tracing_id:
            return None  # it answers something else, or something we gave up on
        if isinstance(event, got.AttachmentRefused):
            return self._oldest(_ANSWERS[got.AttachmentRefused][0], event)
        if self.state is State.CONFIGURING:
            return self._oldest(_CONFIGURES, event)
        # Official clients fail the first message still being sent on 4011, 4013 and 4029.
        spoken = self._oldest(_WORDS, event) if describe_error(event.code).refuses_send else None
        # One command in flight leaves no doubt (inferred).
        return spoken or (next(iter(self.pending)) if len(self.pending) == 1 else None)

    def _oldest(self, kinds: tuple[type[say.Command], ...], event: Event) -> str | None:
        candidates = [i for i, command in self.pending.items() if isinstance(command, kinds)]
        attachment = getattr(event, "attachment_id", "")
        named = [i for i in candidates if getattr(self.pending[i], "attachment_id", "") == attachment != ""]
        return next(iter(named or candidates), None)

    # -- what a frame does to the session -------------------------------------------------------------

    def _meaning(self, event: Event, command: say.Command | None) -> Cause:
        if isinstance(event, got.SessionConfigured):
            return Cause.UNBOUND if not event.connected else Cause.BARRED if event.read_only else Cause.READY
        if isinstance(event, _ENDING):
            return Cause.ENDED
        if isinstance(event, got.PresenceChanged):
            barred = event.presence == "Disconnect" and event.read_only and event.direction != "Inbound"
            return Cause.SILENCED if barred else Cause.NOTICE
        if isinstance(event, got.ErrorReceived) and not isinstance(event, _ABOUT_FILES):
            return self._error_meaning(event, command)
        return Cause.NOTICE

    def _error_meaning(self, event: got.ErrorReceived, command: say.Command | None) -> Cause:
        """Read an error by its phase: whether it is final, or a notice, the table decides."""
        row = describe_error(event.code)
        if event.code == 4017:
            return Cause.DOWNGRADED
        if event.authentication_lost:
            return Cause.DEAUTHENTICATED
        if not row.fatal_while_connecting:
            return Cause.POSTPONED
        if event.code == 401 and isinstance(command, say.ConfigureAuthenticatedSession):
            return Cause.POSTPONED
        if row.ends_session and self.state not in {State.CONNECTED, State.CONFIGURING}:
            return Cause.ENDED
        return Cause.NOTICE if command is not None and not isinstance(command, _CONFIGURES) else Cause.REFUSED

    def _apply(self, cause: Cause, event: Event) -> None:
        before = self.state
        after = TRANSITIONS[before].get(cause)
        if after is None:
            return
        self.state = after
        if isinstance(event, got.SessionConfigured):
            self.session = event
        if after is State.CLOSING or after is State.FAILED:
            self.ended = self.ended or event
            passing = cause is Cause.REFUSED and describe_error(event.code).transient
            self.may_reconnect = self.may_reconnect and passing

    # -- small things ---------------------------------------------------------------------------------

    def _cause(self, command: say.Command) -> Cause:
        if isinstance(command, say.ConfigureAuthenticatedSession) and self.state is State.CONFIGURED:
            return Cause.STEP_UP
        return _CAUSES.get(type(command), Cause.SPEAK)

    def _after(self, cause: Cause, what: str) -> State:
        after = TRANSITIONS[self.state].get(cause)
        if after is None:
            raise _not_now(what, self.state)
        return after

    def _addressed(self, command: say.Command) -> say.Command:
        needs = (*_CONFIGURES, say.RequestConfiguration)
        if isinstance(command, needs) and not command.deployment_id:
            return replace(command, deployment_id=self.deployment_id)
        return command

    def _remember(self, tracing_id: str) -> None:
        self._spoken[tracing_id] = None
        if len(self._spoken) > _REMEMBERED:
            self._spoken.popitem(last=False)


def _said_as(message: Message) -> str:
    """The `id` a message's metadata came back with; older clients call it customMessageId."""
    metadata = message.metadata
    name = metadata.get("id") or metadata.get("customMessageId")
    return name if isinstance(name, str) else ""


def _not_now(what: str, state: State) -> LocalProtocolError:
    why, next_step = WHY_NOT[state]
    return LocalProtocolError(f"{what} is not allowed while {state}.", why=why, next_step=next_step)
