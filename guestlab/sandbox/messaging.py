"""The guest messaging service behind the gateway: accepted sockets, client frames, what they set off.

Checks of a frame, in this order (level: inferred, the sheet's suggestion): JSON, known action, token,
rate, session, expiry, read-only, then the action's own. Answers and pushes: official models and captured
frames. This is the second witness: no line of the client's protocol room is used.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any

from guestlab.sandbox.bot import Bot
from guestlab.sandbox.clock import iso
from guestlab.sandbox.conversations import Conversation, MessageData, Participant
from guestlab.sandbox.frames import FrameRefusal, envelope, event_body, message_body
from guestlab.sandbox.sessions import Connection, Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.websockets import WebSocket

    from guestlab.sandbox.deployments import Deployment
    from guestlab.sandbox.origins import Origin
    from guestlab.sandbox.scripts import Script
    from guestlab.sandbox.world import World

__all__ = ["Messaging"]

_TYPES = {"Text", "Structured", "Event", "Receipt", "Message"}
_WITHOUT_SESSION = {"configureSession", "configureAuthenticatedSession", "echo", "getConfiguration"}
_SECONDS_AFTER_CLOSED_EVENT = 5.0


class Messaging:
    """Sessions of all deployments, and the verbs of both sides."""

    def __init__(self, world: World, script: Script | None, *, legacy_attributes: bool = False) -> None:
        self.world = world
        self.bot = Bot(self, script)
        self.legacy_attributes = legacy_attributes
        self.sessions: dict[tuple[str, str], Session] = {}
        self.connections: set[Connection] = set()

    def restart(self) -> None:
        """Forget every session; open sockets are told that the server is going away."""
        for connection in self.connections:
            connection.session = None
            connection.close(1001)
        self.sessions.clear()

    # -- one socket ----------------------------------------------------------------------------------

    async def serve(self, socket: WebSocket, deployment: Deployment, origin: Origin) -> None:
        """Hold one accepted socket until it closes."""
        self.world.record("guest messaging", "socket opened", 101, level="inferred")
        await socket.accept()
        connection = Connection(socket, deployment, origin, self.world.now())
        self.connections.add(connection)
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
            self._detach(connection)
            writer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await writer
            self.world.record("guest messaging", "socket closed", code, level="inferred")

    def receive(self, connection: Connection, text: str | bytes) -> None:
        """Answer one client frame."""
        frame = _decoded(text)
        tracing_id = frame.get("tracingId") if isinstance(frame, dict) else None
        tracing_id = tracing_id if isinstance(tracing_id, str) else None
        action = frame.get("action") if isinstance(frame, dict) else None
        code = 200
        try:
            code = self._act(connection, frame, action, tracing_id)
        except FrameRefusal as refusal:
            code = refusal.code
            connection.push(envelope("string", refusal.text, code=refusal.code, tracing_id=tracing_id))
        name = action if isinstance(action, str) and action in ACTIONS else "unreadable frame"
        self.world.record("guest messaging", name, code, level="inferred")

    def _act(self, connection: Connection, frame: Any, action: Any, tracing_id: str | None) -> int:
        if not isinstance(frame, dict):
            raise FrameRefusal(400, "Request failed: the frame is not a JSON object")
        if not isinstance(action, str) or action not in ACTIONS:
            raise FrameRefusal(400, "Request failed: unknown action")
        token = frame.get("token")
        if action != "echo" and (not isinstance(token, str) or not token.strip()):
            raise FrameRefusal(400, "Request failed: token is missing")
        wait = self._over_rate(connection, action)
        if wait:
            connection.push(_too_many(wait, tracing_id))
            return 429
        session = connection.session
        if action not in _WITHOUT_SESSION:
            if session is None or session.token != token:
                raise FrameRefusal(4007, "Session not found")
            if session.ended is not None or session.expires_at <= self.world.now():
                connection.push(envelope("SessionExpiredEvent", {}, tracing_id=tracing_id))
                return 200
        return ACTIONS[action](self, connection, frame, tracing_id) or 200

    def _over_rate(self, connection: Connection, action: str) -> float:
        limits = self.world.limits
        if limits is None:
            return 0.0
        now = self.world.now()
        budgets = [(connection.request_window, limits.requests_per_minute_per_connection, 60.0)]
        if action == "echo":
            budgets.append((connection.echo_window, limits.echoes_per_minute_per_connection, 60.0))
        session = connection.session
        if action == "onMessage" and session is not None:
            budgets.append((session.message_window, limits.messages_per_second_per_session, 1.0))
        if action.startswith("configure") and session is not None:
            budgets.append((session.configure_window, limits.configures_per_minute_per_session, 60.0))
        return max((window.wait(now, allowed, seconds) for window, allowed, seconds in budgets), default=0.0)

    # -- the guest's actions -------------------------------------------------------------------------

    def configure(self, connection: Connection, frame: dict[str, Any], tracing_id: str | None) -> int:
        """`configureSession`: open or resume the session of a guest token."""
        deployment = self._deployment_of(connection, frame)
        token = frame["token"]
        session, new = self._open(deployment, token, start_new=frame.get("startNew") is True)
        self._attach(connection, session)
        connection.push(
            envelope("SessionResponse", self._session_body(session, new=new), tracing_id=tracing_id)
        )
        return 200

    def on_message(self, connection: Connection, frame: dict[str, Any], tracing_id: str | None) -> int:
        """`onMessage`: everything the guest says."""
        session = connection.session
        assert session is not None
        if session.read_only:
            raise FrameRefusal(409, "Session is read-only")
        message = frame.get("message")
        if not isinstance(message, dict):
            raise FrameRefusal(400, "Request failed: message is missing")
        self._take_attributes(session, frame, message)
        if message.get("type") == "Event" or ("type" not in message and message.get("events")):
            return self._guest_event(session, message, tracing_id)
        return self._guest_words(session, message, tracing_id)

    def echo(self, connection: Connection, frame: dict[str, Any], tracing_id: str | None) -> int:
        """`echo`: a health check; stored nowhere, routed nowhere, does not extend the session."""
        message = frame.get("message")
        text = message.get("text") if isinstance(message, dict) else None
        body: dict[str, Any] = {"text": text if isinstance(text, str) else "", "type": "Text"}
        body |= {"direction": "Inbound", "id": self.world.new_hex()}
        session = connection.session
        if session is not None:
            body["metadata"] = {
                "durationSeconds": str(session.deployment.session_seconds),
                "expirationDate": str(int(session.expires_at)),
            }
        connection.push(envelope("StructuredMessage", body, tracing_id=tracing_id))
        return 200

    def configuration(self, connection: Connection, frame: dict[str, Any], tracing_id: str | None) -> int:
        """`getConfiguration`: the same media facts as a SessionResponse."""
        deployment = self._deployment_of(connection, {"deploymentId": connection.deployment.id, **frame})
        body = {
            "allowedMedia": deployment.media(),
            "blockedExtensions": list(deployment.blocked_extensions),
            "maxCustomDataBytes": self._attribute_bytes(),
            "messageRoutingEnabled": True,
            "sessionDurationSeconds": deployment.session_seconds,
        }
        connection.push(envelope("GetConfigurationResponse", body, tracing_id=tracing_id))
        return 200

    # -- what the other side says --------------------------------------------------------------------

    def say(
        self,
        session: Session,
        *,
        text: str | None = None,
        content: list[dict[str, Any]] | None = None,
        entity: str = "Human",
        sender: dict[str, str] | None = None,
        kind: str | None = None,
    ) -> dict[str, Any]:
        """Send words or content to the guest, store them, and return the message body."""
        now = session.stamp(self.world.now())
        body = message_body(
            identifier=self.world.new_hex(),
            inbound=False,
            time=iso(now),
            text=text,
            content=content,
            kind=kind,
            channel={"type": "Private", "to": {}, "from": sender or {}},
            entity=entity,
            metadata={"correlationId": self.world.new_id()},
        )
        self._store(session, body, inbound=False, entity=entity)
        session.broadcast(envelope("StructuredMessage", body, pushed=True))
        return body

    def typing(self, session: Session, *, duration: int = 5000, entity: str = "Human") -> None:
        """Show the guest that somebody types; stored nowhere."""
        body = self._event(
            session,
            [{"eventType": "Typing", "typing": {"type": "On", "duration": duration}}],
            inbound=False,
            entity=entity,
        )
        session.broadcast(envelope("StructuredMessage", body, pushed=True))

    # -- within --------------------------------------------------------------------------------------

    def _deployment_of(self, connection: Connection, frame: dict[str, Any]) -> Deployment:
        named = frame.get("deploymentId")
        if not isinstance(named, str) or not named:
            raise FrameRefusal(400, "Request failed: deploymentId is missing")
        found = self.world.deployments.find(named)
        if found is None or found.id != connection.deployment.id:
            raise FrameRefusal(400, "Deployment not found")
        return found

    def _open(self, deployment: Deployment, token: str, *, start_new: bool) -> tuple[Session, bool]:
        now = self.world.now()
        key = (deployment.id, token)
        session = self.sessions.get(key)
        if session is not None and session.ended is None and session.expires_at > now and not start_new:
            return session, False
        session = Session(
            id=self.world.new_id(),
            deployment=deployment,
            token=token,
            created_at=now,
            expires_at=now + deployment.session_seconds,
        )
        self.sessions[key] = session
        return session, True

    def _attach(self, connection: Connection, session: Session) -> None:
        if connection.session is session:
            return
        self._detach(connection)
        connection.session = session
        session.connections.append(connection)
        limits = self.world.limits
        allowed = limits.connections_per_session if limits is not None else None
        while allowed is not None and len(session.connections) > allowed:
            self._push_out(session.connections[0])

    def _detach(self, connection: Connection) -> None:
        if connection.session is not None and connection in connection.session.connections:
            connection.session.connections.remove(connection)

    def _push_out(self, connection: Connection) -> None:
        """Tell a connection that it is closed; the client closes, and if it does not, the server does."""
        connection.push(envelope("ConnectionClosedEvent", {}, pushed=True))
        self._detach(connection)
        connection.session = None
        self.world.clock.call_later(_SECONDS_AFTER_CLOSED_EVENT, lambda: connection.close(1000))

    def _session_body(self, session: Session, *, new: bool) -> dict[str, Any]:
        deployment = session.deployment
        return {
            "connected": True,
            "newSession": new,
            "readOnly": session.read_only,
            "allowedMedia": deployment.media(),
            "blockedExtensions": list(deployment.blocked_extensions),
            "maxCustomDataBytes": self._attribute_bytes(),
            "clearedExistingSession": False,
            "durationSeconds": deployment.session_seconds,
            "expirationDate": int(session.expires_at),
        }

    def _attribute_bytes(self) -> int:
        return self.world.limits.custom_attributes_bytes if self.world.limits is not None else 2048

    def _text_length(self) -> int:
        return self.world.limits.text_length if self.world.limits is not None else 4096

    def _take_attributes(self, session: Session, frame: dict[str, Any], message: dict[str, Any]) -> None:
        """Custom attributes: in `message.channel`; beside `message` ignored since June 2026."""
        places = [message.get("channel")]
        if self.legacy_attributes:
            places.insert(0, frame.get("channel"))
        for channel in places:
            metadata = channel.get("metadata") if isinstance(channel, dict) else None
            attributes = metadata.get("customAttributes") if isinstance(metadata, dict) else None
            if not isinstance(attributes, dict):
                continue
            pairs = {str(key): _plain(value) for key, value in attributes.items()}
            size = sum(_size(key) + _size(value) for key, value in pairs.items())
            if size > self._attribute_bytes():
                raise FrameRefusal(
                    4013,
                    f"Custom Attributes in channel metadata is larger than {self._attribute_bytes()} bytes",
                )
            session.attributes.update(pairs)

    def _guest_words(self, session: Session, message: dict[str, Any], tracing_id: str | None) -> int:
        text = message.get("text")
        content = message.get("content")
        kind = message.get("type", "Text")
        if kind not in _TYPES or (text is not None and not isinstance(text, str)):
            raise FrameRefusal(400, "Request failed: message type or text is not valid")
        content = [item for item in content if isinstance(item, dict)] if isinstance(content, list) else []
        if not text and not content:
            raise FrameRefusal(400, "Request failed: the message is empty")
        length = _size(text or "")
        if length > self._text_length():
            raise FrameRefusal(4011, f"Message length {length} is larger than {self._text_length()}")
        now = session.stamp(self.world.now())
        body = message_body(
            identifier=self.world.new_hex(),
            inbound=True,
            time=iso(now),
            text=text,
            content=content,
            kind=kind,
            channel={"messageId": self.world.new_id()},
            metadata=self._metadata(message),
        )
        self._store(session, body, inbound=True, entity="Human")
        session.broadcast(envelope("StructuredMessage", body, pushed=True, tracing_id=tracing_id))
        self.bot.hear(session, _heard(text or "", content))
        return 200

    def _guest_event(self, session: Session, message: dict[str, Any], tracing_id: str | None) -> int:
        events = message.get("events")
        events = [event for event in events if isinstance(event, dict)] if isinstance(events, list) else []
        if not events:
            raise FrameRefusal(400, "Request failed: the event is empty")
        body = self._event(session, events, inbound=True, metadata=self._metadata(message))
        joined = any(_presence(event) == "Join" for event in events)
        if any(event.get("eventType") == "Typing" for event in events):
            if not session.deployment.user_typing:
                raise FrameRefusal(403, "Turn on the Feature Toggle or fix the configuration.")
        else:
            self._store(session, body, inbound=True, entity="Human")
        session.broadcast(envelope("StructuredMessage", body, pushed=True, tracing_id=tracing_id))
        if joined:
            self.bot.hear(session, "", on="join")
        return 200

    def _event(
        self,
        session: Session,
        events: list[dict[str, Any]],
        *,
        inbound: bool,
        metadata: dict[str, Any] | None = None,
        entity: str | None = None,
    ) -> dict[str, Any]:
        return event_body(
            identifier=self.world.new_hex(),
            inbound=inbound,
            time=iso(session.stamp(self.world.now())),
            events=events,
            channel={"messageId": self.world.new_id()},
            metadata=metadata if metadata is not None else {"correlationId": self.world.new_id()},
            entity=entity,
        )

    def _metadata(self, message: dict[str, Any]) -> dict[str, Any]:
        given = message.get("metadata")
        return {**(given if isinstance(given, dict) else {}), "correlationId": self.world.new_id()}

    def _store(self, session: Session, body: dict[str, Any], *, inbound: bool, entity: str) -> None:
        """Keep a message for history and in the conversation; it restarts the idle time."""
        world = self.world
        now = world.now()
        session.touch(now)
        session.entities.append({**body, "originatingEntity": entity})
        conversation = session.conversation
        if conversation is None or conversation.ended_at is not None:
            conversation = self._begin_conversation(session)
        party = conversation.participant("customer" if inbound else "workflow")
        assert party is not None
        party.attributes.update({f"context.{k}": v for k, v in session.attributes.items()} if inbound else {})
        channel = {
            **body["channel"],
            "id": session.deployment.id,
            "platform": "WebMessaging",
            "type": "Private",
        }
        world.keep(
            MessageData(
                id=body["id"],
                conversation=conversation,
                participant=party,
                at=session.last_time,
                inbound=inbound,
                normalized={**body, "channel": channel, "originatingEntity": entity},
                status="received" if inbound else "sent",
                channel_message_id=body["channel"].get("messageId", ""),
            )
        )

    def _begin_conversation(self, session: Session) -> Conversation:
        """The guest's first message creates the conversation; its id is never told to the guest."""
        world = self.world
        now = world.now()
        conversation = Conversation(
            id=world.new_id(),
            messenger_type="webmessaging",
            started_at=now,
            guest_address=session.id,
            own_address=session.deployment.id,
            participants=[
                Participant(
                    id=world.new_id(),
                    purpose=purpose,
                    name=name,
                    communication_id=world.new_id(),
                    connected_at=now,
                )
                for purpose, name in (("customer", "Guest"), ("workflow", "Inbound message flow"))
            ],
        )
        world.conversations[conversation.id] = conversation
        session.conversation = conversation
        return conversation


def _decoded(text: str | bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _presence(event: dict[str, Any]) -> str | None:
    presence = event.get("presence")
    kind = (
        presence.get("type") if event.get("eventType") == "Presence" and isinstance(presence, dict) else None
    )
    return kind if isinstance(kind, str) else None


def _heard(text: str, content: list[dict[str, Any]]) -> str:
    """What the bot hears: the payload of a pressed button, else the words."""
    for item in content:
        response = item.get("buttonResponse")
        if isinstance(response, dict) and isinstance(response.get("payload"), str):
            return str(response["payload"])
    return text


def _too_many(wait: float, tracing_id: str | None) -> dict[str, Any]:
    body = {
        "retryAfter": max(1, round(wait + 0.5)),
        "errorCode": 4029,
        "errorMessage": "Message rate too high for this session",
    }
    return envelope("TooManyRequestsErrorMessage", body, code=429, tracing_id=tracing_id)


ACTIONS: dict[str, Callable[[Messaging, Connection, dict[str, Any], str | None], int]] = {
    "configureSession": Messaging.configure,
    "onMessage": Messaging.on_message,
    "echo": Messaging.echo,
    "getConfiguration": Messaging.configuration,
}
