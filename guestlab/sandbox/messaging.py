"""The guest messaging service behind the gateway: accepted sockets, client frames, sessions.

Checks of a frame, in this order (level: inferred, the sheet's suggestion): JSON, known action, token,
rate, session, expiry, then the action's own. The actions live in rooms of their own (`configuring.py`,
`saying.py`, `attachments.py`, `history.py`); this room holds the sockets, the registry of sessions and the
table of actions. The second witness: no line of the client's protocol room is used.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from guestlab.limits import PUBLISHED
from guestlab.sandbox import attachments, configuring, history, saying
from guestlab.sandbox.agent import Agent
from guestlab.sandbox.attachments import Uploads
from guestlab.sandbox.authorize import Authorizations
from guestlab.sandbox.bot import Bot
from guestlab.sandbox.channel_events import ChannelEvents
from guestlab.sandbox.channels import Channels
from guestlab.sandbox.customers import Customers
from guestlab.sandbox.dialogue import Dialogue
from guestlab.sandbox.faults import Faults
from guestlab.sandbox.frames import Asked, FrameRefusal, TooFast, envelope, too_many_requests
from guestlab.sandbox.gateway import Gateway
from guestlab.sandbox.history import HistoryTokens
from guestlab.sandbox.json_text import read_json
from guestlab.sandbox.openid import Provider
from guestlab.sandbox.origins import Origin
from guestlab.sandbox.sessions import Connection, Session
from guestlab.sandbox.sign_ins import SignIns
from guestlab.sandbox.voices import GuestVoice
from guestlab.sandbox.webhooks import Webhooks

if TYPE_CHECKING:
    from starlette.websockets import WebSocket

    from guestlab.limits import Limits
    from guestlab.sandbox.conversations import Conversation
    from guestlab.sandbox.deployments import Deployment
    from guestlab.sandbox.openid import Person
    from guestlab.sandbox.scripts import Script
    from guestlab.sandbox.voices import Voice
    from guestlab.sandbox.windows import Window
    from guestlab.sandbox.world import World

__all__ = ["ACTIONS", "Messaging"]

_LOGGER = logging.getLogger("guestlab.sandbox")

SECONDS_TO_LEAVE = 5.0
"""How long a connection told that it is closed may stay; then the server closes it (inferred)."""

Action = Callable[["Messaging", Connection, Asked], int]

ACTIONS: dict[str, Action] = {
    "configureSession": configuring.configure,
    "configureAuthenticatedSession": configuring.configure_authenticated,
    "closeSession": configuring.close_session,
    "getConfiguration": configuring.get_configuration,
    "resumeToken": configuring.resume_token,
    "disconnectCustomer": configuring.disconnect_customer,
    "onMessage": saying.on_message,
    "echo": saying.echo,
    "onAttachment": attachments.on_attachment,
    "getAttachment": attachments.get_attachment,
    "deleteAttachment": attachments.delete_attachment,
    "getJwt": history.get_jwt,
}
"""All twelve of the official enum."""

_CONFIGURING = ("configureSession", "configureAuthenticatedSession")
_WITHOUT_SESSION = {*_CONFIGURING, "echo", "getConfiguration"}


class Messaging:
    """Sessions of all deployments.

    Args:
        world: The organisation.
        script: What the bot says; None for no bot.
        legacy_attributes: Whether custom attributes beside `message` still count.
    """

    def __init__(self, world: World, script: Script | None, *, legacy_attributes: bool = False) -> None:
        self.world = world
        self.legacy_attributes = legacy_attributes
        self.dialogue = Dialogue(world)
        self.bot = Bot(self, script)
        self.agent = Agent(self)
        self.gateway = Gateway()
        self.faults = Faults(self)
        self.uploads = Uploads(self)
        self.history_tokens = HistoryTokens(world)
        self.webhooks = Webhooks(world)
        self.customers = Customers(self)
        self.authorizations = Authorizations(world)
        self.provider = Provider(world)
        self.sign_ins = SignIns(self)
        self.channels = Channels(world)
        self._events = ChannelEvents(world, self.channels)
        self.connections: set[Connection] = set()
        self.home = Origin.of("http", "localhost")
        """Where links lead when no guest is connected; set when the server runs."""
        self.configure_windows: dict[tuple[str, str], Window] = {}
        self._sessions: dict[tuple[str, str], Session] = {}

    @property
    def sizes(self) -> Limits:
        """Size limits; they hold even where no budget is enforced."""
        return self.world.limits or PUBLISHED

    @property
    def sessions(self) -> list[Session]:
        """Every living session, each once."""
        return list(dict.fromkeys(self._sessions.values()))

    def reset(self, *, seed: int, integrations: bool = True) -> None:
        """Begin the whole sandbox anew."""
        self._restart()
        self.world.clock.reset()
        self.gateway.reset()
        self.world.restart(seed=seed, integrations=integrations)
        self._events.begin()
        self.faults.clear()

    def _restart(self) -> None:
        """Forget every session; open sockets are told that the server is going away."""
        for connection in self.connections:
            connection.session = None
            connection.close(1001)
        for session in self.sessions:
            session.ended = "reset"
        self._sessions.clear()
        self.configure_windows.clear()
        self.dialogue.clear()
        self.uploads.clear()
        self.history_tokens.clear()
        self.customers.clear()
        self.webhooks.clear()
        self.authorizations.clear()
        self.provider.clear()
        self.sign_ins.clear()
        self.channels.clear()

    # -- one socket ------------------------------------------------------------------------------------

    async def serve(self, socket: WebSocket, deployment: Deployment, origin: Origin) -> None:
        """Hold one accepted socket until it closes."""
        self.world.record("guest messaging", "socket opened", 101, level="inferred")
        connection = Connection(socket, deployment, origin, self.world.now(), self.faults)
        self.connections.add(connection)
        await socket.accept()
        self.faults.on_open(connection)
        writer = asyncio.create_task(connection.write())
        code = 1006
        try:
            while True:
                message = await socket.receive()
                if message["type"] == "websocket.disconnect":
                    code = int(message.get("code") or 1005)
                    break
                text = message.get("text")
                self.receive(connection, text if text is not None else message.get("bytes") or b"")
        finally:
            self.connections.discard(connection)
            self.detach(connection)
            writer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await writer
            self.world.record("guest messaging", "socket closed", code, level="inferred")

    def receive(self, connection: Connection, text: str | bytes) -> None:
        """Answer one client frame; a configuration later, where a fault wants it."""
        try:
            fields = read_json(text)
        except ValueError:
            fields = None
        action = fields.get("action") if isinstance(fields, dict) else None
        wait = self.faults.on_configure() if action in _CONFIGURING else 0.0
        if wait:
            asyncio.get_running_loop().call_later(wait, self._answer_late, connection, fields)
        else:
            self._answer(connection, fields)

    def _answer_late(self, connection: Connection, fields: Any) -> None:
        if connection in self.connections:
            self._answer(connection, fields)

    def _answer(self, connection: Connection, fields: Any) -> None:
        tracing_id = fields.get("tracingId") if isinstance(fields, dict) else None
        tracing_id = tracing_id if isinstance(tracing_id, str) else None
        name = "unreadable frame"
        try:
            asked = _read(fields, tracing_id)
            name = asked.action
            code = self._act(connection, asked)
        except FrameRefusal as refusal:
            code = refusal.code
            connection.push(envelope("string", refusal.text, code=code, tracing_id=tracing_id))
        except TooFast as refusal:
            code = 429
            connection.push(too_many_requests(refusal.wait, refusal.text, tracing_id))
        except Exception:
            _LOGGER.exception("the sandbox failed at a client frame")
            code = 5000
            connection.push(envelope("string", "Request failed.", code=code, tracing_id=tracing_id))
        self.world.record("guest messaging", name, code, level="inferred")

    def _act(self, connection: Connection, asked: Asked) -> int:
        self._spend(connection, asked)
        self.faults.on_frame(asked)
        if asked.action not in _WITHOUT_SESSION:
            session = connection.session
            if session is None or connection.token != asked.token:
                raise FrameRefusal(4007, "Session not found")
            if not session.alive:
                connection.push(envelope("SessionExpiredEvent", {}, tracing_id=asked.tracing_id))
                return 4006
        return ACTIONS[asked.action](self, connection, asked)

    def _spend(self, connection: Connection, asked: Asked) -> None:
        """Count the frame against every budget it belongs to."""
        limits = self.world.limits
        if limits is None:
            return
        now = self.world.now()
        wait = connection.request_window.wait(now, limits.requests_per_minute_per_connection, 60.0)
        if wait:
            raise TooFast(wait, "Request rate too high for this connection")
        if asked.action == "echo":
            wait = connection.echo_window.wait(now, limits.echoes_per_minute_per_connection, 60.0)
            if wait:
                raise TooFast(wait, "Echo rate too high for this connection")
        if asked.action == "onMessage" and connection.session is not None:
            window = connection.session.message_window
            wait = window.wait(now, limits.messages_per_second_per_session, 1.0)
            if wait:
                raise TooFast(wait, "Message rate too high for this session")

    # -- the registry ----------------------------------------------------------------------------------

    def find(self, deployment: Deployment, token: str) -> Session | None:
        """The living session of a guest token."""
        return self._sessions.get((deployment.id, token))

    def session_of_person(self, deployment: Deployment, person: Person) -> Session | None:
        """The living session of somebody signed in."""
        return next((s for s in self.sessions if s.person is person and s.deployment is deployment), None)

    def named_session(self, name: str) -> Session | None:
        """The living session of a conversation id or a guest token."""
        for (_, token), session in self._sessions.items():
            if token == name or (session.conversation is not None and session.conversation.id == name):
                return session
        return None

    def voice_of(self, conversation: Conversation) -> Voice | None:
        """How to speak in a conversation; None for that of a guest whose session is over."""
        if conversation.messenger_type == "open":
            return self.customers.of(conversation)
        session = self.dialogue.session_of(conversation)
        return GuestVoice(self, session) if session is not None and session.alive else None

    def named_voice(self, name: str | None) -> Voice | None:
        """How to speak to whoever a name means, or to the guest who spoke last.

        Args:
            name: A conversation id, a guest token or an Open Messaging customer's id. None means the guest
                who spoke last; if no guest is there, the customer who did.
        """
        if name is not None:
            session = self.named_session(name)
        else:
            session = max(self.sessions, key=lambda s: (s.said_at, s.created_at), default=None)
        return GuestVoice(self, session) if session is not None else self.customers.named(name)

    def open(self, deployment: Deployment, token: str, *, person: Person | None = None) -> Session:
        """Begin a session; one that had the token before is replaced."""
        previous = self.find(deployment, token)
        if previous is not None:
            self.end(previous, "replaced", closed_event={})
        now = self.world.now()
        session = Session(
            id=self.world.new_id(),
            deployment=deployment,
            created_at=now,
            expires_at=now + deployment.session_seconds,
            person=person,
        )
        who = person.name if person is not None else session.id
        session.external_contact_id = self.world.named_id(f"external contact of {who}")
        self._sessions[deployment.id, token] = session
        self._watch_expiry(session)
        return session

    def attach(self, connection: Connection, session: Session, token: str) -> None:
        """Join a connection to a session; the oldest goes when there are too many."""
        self._sessions[session.deployment.id, token] = session
        connection.token = token
        if connection.session is session:
            return
        self.detach(connection)
        connection.session = session
        session.connections.append(connection)
        limits = self.world.limits
        while limits is not None and len(session.connections) > limits.connections_per_session:
            self.push_out(session.connections[0], {})

    def detach(self, connection: Connection) -> None:
        """Part a connection from its session; the session lives on."""
        session, connection.session = connection.session, None
        if session is not None and connection in session.connections:
            session.connections.remove(connection)

    def push_out(self, connection: Connection, reason: dict[str, Any]) -> None:
        """Tell a connection that it is closed; the client closes, and if it does not, the server does."""
        connection.push(envelope("ConnectionClosedEvent", dict(reason), pushed=True))
        self.detach(connection)
        self.world.clock.call_later(SECONDS_TO_LEAVE, partial(self._close_idle, connection))

    def _close_idle(self, connection: Connection) -> None:
        if connection in self.connections and connection.session is None:
            connection.close(1000)

    def end(
        self,
        session: Session,
        why: str,
        *,
        closed_event: dict[str, Any] | None = None,
        spare: Connection | None = None,
        conversation_end: str = "client",
    ) -> None:
        """End a session for good.

        Args:
            session: The one.
            why: What `ended` says.
            closed_event: The body of the ConnectionClosedEvent its connections get; None sends none.
            spare: A connection that is told nothing.
            conversation_end: The customer's disconnect type in the conversation.
        """
        session.ended = why
        session.errands.drop()
        if session.expiry_timer is not None:
            session.expiry_timer.cancel()
        for key in [key for key, value in self._sessions.items() if value is session]:
            del self._sessions[key]
        if closed_event is not None:
            for connection in tuple(session.connections):
                if connection is not spare:
                    self.push_out(connection, closed_event)
        if session.conversation is not None:
            self.world.conversations.end(session.conversation, conversation_end)

    def send_file(
        self, session: Session, *, name: str, data: bytes, entity: str, mime: str | None = None
    ) -> dict[str, Any]:
        """Send the guest a file of the other side."""
        upload = self.uploads.from_agent(session, name, data, mime)
        origin = session.connections[-1].origin if session.connections else self.home
        item = {"contentType": "Attachment", "attachment": self.uploads.document(upload, origin)}
        return self.dialogue.say(session, content=[item], kind="Text", entity=entity)

    def clear(self, session: Session) -> None:
        """The guest ends the conversation: cleared for all, then closed for all."""
        session.broadcast(envelope("SessionClearedEvent", {}, pushed=True))
        self.end(session, "cleared", closed_event={})

    def log_out(self, session: Session) -> None:
        """Signed out: every device is told."""
        session.broadcast(envelope("LogoutEvent", {}, pushed=True))
        connections = tuple(session.connections)
        self.end(session, "logged out")
        for connection in connections:
            self.detach(connection)
            self.world.clock.call_later(SECONDS_TO_LEAVE, partial(self._close_idle, connection))

    def expire(self, session: Session) -> None:
        """The idle time is over: said once, and again to whoever goes on asking."""
        if session.alive:
            session.broadcast(envelope("SessionExpiredEvent", {}))
            self.end(session, "expired", conversation_end="session.expired")

    def _watch_expiry(self, session: Session) -> None:
        left = session.expires_at - self.world.now()
        if session.alive and left <= 0 and not session.read_only:
            self.expire(session)
            return
        # A read-only session does not expire: what an expired one answers is not known.
        wait = left if left > 0 else float(session.deployment.session_seconds)
        session.expiry_timer = self.world.clock.call_later(wait, lambda: self._watch_expiry(session))


def _read(fields: Any, tracing_id: str | None) -> Asked:
    if not isinstance(fields, dict):
        raise FrameRefusal(400, "Request failed: the frame is not a JSON object")
    action = fields.get("action")
    if not isinstance(action, str) or action not in ACTIONS:
        raise FrameRefusal(400, "Request failed: unknown action")
    token = fields.get("token")
    if isinstance(token, str) and token.strip():
        return Asked(action, token, tracing_id, fields)
    if action == "echo":  # a sample by a Genesys engineer sends it without
        return Asked(action, "", tracing_id, fields)
    raise FrameRefusal(400, "Request failed: token is missing")
