"""What both sides say in a session: made into bodies, kept, and sent to every connection.

One place for the rules that hold for everything said: times that only grow, ids as the cloud makes them,
the idle time that every message restarts, history without typing, the conversation that the guest's first
message creates (its id is never sent to the guest). The guest's frames arrive from `saying.py`, the bot's
and the agent's words from `bot.py`, `agent.py` and `agent_rest.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guestlab.sandbox.clock import iso
from guestlab.sandbox.conversations import MessageData
from guestlab.sandbox.frames import envelope, message_body

if TYPE_CHECKING:
    from guestlab.sandbox.conversations import Conversation, Participant
    from guestlab.sandbox.sessions import Session
    from guestlab.sandbox.world import World

__all__ = ["AGENT", "BOT", "Dialogue"]

BOT, AGENT = "Bot", "Human"
"""`originatingEntity` of what is said to the guest."""


class Dialogue:
    """Carries words and events between a session and its conversation."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._sessions: dict[str, Session] = {}

    def clear(self) -> None:
        """Forget which session a conversation belongs to."""
        self._sessions.clear()

    def session_of(self, conversation: Conversation) -> Session | None:
        """The guest session that holds a conversation, if it has one."""
        return self._sessions.get(conversation.id)

    # -- the guest's side ------------------------------------------------------------------------------

    def heard(
        self,
        session: Session,
        message: dict[str, Any],
        *,
        kind: str,
        content: list[dict[str, Any]] | None = None,
        tracing_id: str | None,
    ) -> None:
        """Keep the guest's words and echo them to every connection: the only acknowledgement there is."""
        body = self._body(
            session,
            inbound=True,
            kind=kind,
            channel={"messageId": self._world.new_id()},
            text=message.get("text"),
            content=content,
            metadata=self._metadata(session, message.get("metadata")),
        )
        session.said_at = self._world.now()
        session.typed_at = float("-inf")
        self._keep(session, body, AGENT, inbound=True)
        session.broadcast(envelope("StructuredMessage", body, pushed=True, tracing_id=tracing_id))

    def noticed(
        self,
        session: Session,
        events: list[dict[str, Any]],
        *,
        stored: bool,
        metadata: Any = None,
        sender: dict[str, str] | None = None,
        tracing_id: str | None = None,
    ) -> None:
        """Echo the guest's events; presence is kept, typing is not."""
        channel: dict[str, Any] = {"messageId": self._world.new_id()}
        if sender is not None:
            channel["from"] = sender
        body = self._body(
            session,
            inbound=True,
            kind="Event",
            channel=channel,
            events=events,
            metadata=self._metadata(session, metadata),
        )
        self._keep(session, body, AGENT, inbound=True, listed=stored)
        session.broadcast(envelope("StructuredMessage", body, pushed=True, tracing_id=tracing_id))

    # -- the other side --------------------------------------------------------------------------------

    def say(
        self,
        session: Session,
        *,
        text: str | None = None,
        content: list[dict[str, Any]] | None = None,
        entity: str = BOT,
        kind: str | None = None,
        sender: dict[str, str] | None = None,
        party: Participant | None = None,
    ) -> dict[str, Any]:
        """Send words or content to the guest and return the message's body."""
        body = self._body(
            session,
            inbound=False,
            kind=kind or ("Structured" if content else "Text"),
            channel={"type": "Private", "to": {}, "from": sender or {}},
            text=text,
            content=content,
            entity=entity,
            metadata=self._metadata(session, None),
        )
        self._keep(session, body, entity, inbound=False, party=party)
        session.broadcast(envelope("StructuredMessage", body, pushed=True))
        if not session.connections and session.conversation is not None:
            message = self._world.conversations.message(body["id"])
            self._world.conversations.tell("undelivered", session.conversation, message)
        return body

    def show(
        self,
        session: Session,
        event: dict[str, Any],
        *,
        entity: str = BOT,
        stored: bool,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Send an event to the guest: typing or presence."""
        body = self._body(
            session,
            inbound=False,
            kind="Event",
            channel={"messageId": self._world.new_id()},
            events=[event],
            entity=entity,
            metadata=self._metadata(session, metadata),
        )
        self._keep(session, body, entity, inbound=False, listed=stored)
        session.broadcast(envelope("StructuredMessage", body, pushed=True))

    def typing(self, session: Session, *, on: bool = True, duration: int = 5000, entity: str = BOT) -> None:
        """Show the guest that somebody types, unless the deployment hides it."""
        if session.deployment.agent_typing:
            kind = {"type": "On", "duration": duration} if on else {"type": "Off"}
            self.show(session, {"eventType": "Typing", "typing": kind}, entity=entity, stored=False)

    def disconnect(self, session: Session, *, read_only: bool | None = None) -> None:
        """The agent or the flow ends the conversation; what the guest sees is the deployment's switch.

        Args:
            session: Whose conversation ends.
            read_only: Overrides the deployment: True as "ReadOnly", False as "Send".
        """
        mode = session.deployment.disconnect
        if read_only is not None:
            mode = "ReadOnly" if read_only else "Send"
        session.errands.drop()
        if session.conversation is not None:
            entity = AGENT if session.conversation.live("agent") else BOT
        else:
            entity = BOT
        if mode is not None:
            session.read_only = mode == "ReadOnly"
            self.show(
                session,
                {"eventType": "Presence", "presence": {"type": "Disconnect"}},
                entity=entity,
                stored=True,
                metadata={"readOnly": "true" if session.read_only else "false"},
            )
        if session.conversation is not None:
            self._world.conversations.end(session.conversation, "peer")

    # -- within ----------------------------------------------------------------------------------------

    def _body(self, session: Session, *, inbound: bool, **parts: Any) -> dict[str, Any]:
        moment = session.stamp(self._world.now())
        return message_body(identifier=self._world.new_hex(), inbound=inbound, time=iso(moment), **parts)

    def _metadata(self, session: Session, given: Any) -> dict[str, Any]:
        metadata = dict(given) if isinstance(given, dict) else {}
        if session.person is not None:
            metadata["authenticated"] = "true"
        return metadata | {"correlationId": self._world.new_id()}

    def _keep(
        self,
        session: Session,
        body: dict[str, Any],
        entity: str,
        *,
        inbound: bool,
        listed: bool = True,
        party: Participant | None = None,
    ) -> None:
        """Keep a message for history and in the conversation; typing only where its id can be found."""
        if listed:
            session.touch(self._world.now())
            session.entities.append({**body, "originatingEntity": entity})
        conversation = self._conversation(session) if listed else session.conversation
        if conversation is None:
            return
        party = party or self._party(conversation, entity, inbound=inbound)
        if inbound:
            party.authenticated = session.person is not None
            party.attributes |= {f"context.{name}": value for name, value in session.attributes.items()}
        channel = {
            **body["channel"],
            "id": session.deployment.id,
            "platform": "WebMessaging",
            "type": "Private",
        }
        message = MessageData(
            id=body["id"],
            conversation=conversation,
            participant=party,
            at=session.last_millisecond / 1000,
            inbound=inbound,
            normalized={**body, "channel": channel, "originatingEntity": entity},
            status="received" if inbound else "sent",
            channel_message_id=body["channel"].get("messageId", ""),
        )
        self._world.conversations.keep(message, listed=listed)

    def _party(self, conversation: Conversation, entity: str, *, inbound: bool) -> Participant:
        if inbound:
            party = conversation.participant("customer")
        elif entity == AGENT:
            party = self._world.conversations.agent(conversation)
        else:
            party = conversation.participant("workflow")
        assert party is not None
        return party

    def _conversation(self, session: Session) -> Conversation:
        """The session's conversation: running, continued, or begun now."""
        conversation = session.conversation
        if conversation is not None and self._world.conversations.resume(conversation):
            return conversation
        conversation = self._world.conversations.begin(
            "webmessaging",
            guest_address=session.id,
            own_address=session.deployment.id,
            name=session.person.name if session.person else "",
            external_contact_id=session.external_contact_id,
        )
        session.conversation = conversation
        self._sessions[conversation.id] = session
        return conversation
