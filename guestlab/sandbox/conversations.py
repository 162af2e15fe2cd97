"""Conversations as the platform keeps them: parties, messages, beginning and end.

A conversation begins with a guest's first message on a socket or with an Open Messaging inbound message;
a flow (the bot) takes it first, an agent may join. How REST shows them is `conversation_documents.py`'s.
Whoever wants to know of changes, such as a notification service, calls `watch`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Conversation", "Conversations", "MessageData", "Participant"]

THREADING_SECONDS = 72 * 3600
"""A message within this time after the end continues the same conversation (documented default)."""

_NAMES = {"customer": "Guest", "workflow": "Inbound message flow", "acd": "Support", "agent": "Ada Agent"}


@dataclass(slots=True, kw_only=True, eq=False)
class Participant:
    """One party: customer, workflow, acd or agent."""

    id: str
    purpose: str
    name: str
    communication_id: str
    connected_at: float
    state: str = "connected"
    user_id: str | None = None
    queue_id: str | None = None
    ended_at: float | None = None
    disconnect_type: str | None = None
    attributes: dict[str, str] = field(default_factory=dict)
    authenticated: bool = False
    wrapup: dict[str, Any] | None = None
    external_contact_id: str | None = None
    """Who the customer is in the organisation's address book."""


@dataclass(slots=True, kw_only=True, eq=False)
class MessageData:
    """One message of a conversation, from either side."""

    id: str
    conversation: Conversation = field(repr=False)
    participant: Participant
    at: float
    inbound: bool
    normalized: dict[str, Any] = field(repr=False)  # whatever people write, secrets too
    """The normalised message: type, text, content, events, channel, metadata."""
    status: str = "received"
    channel_message_id: str = ""


@dataclass(slots=True, kw_only=True, eq=False)
class Conversation:
    """A conversation of the organisation."""

    id: str
    messenger_type: str
    """webmessaging or open."""
    started_at: float
    guest_address: str
    """What REST shows as the customer's address: never the guest token, which is a secret."""
    own_address: str
    """The deployment's or integration's id."""
    participants: list[Participant] = field(default_factory=list)
    messages: list[MessageData] = field(default_factory=list)
    ended_at: float | None = None

    def participant(self, purpose: str) -> Participant | None:
        """The latest party of a purpose that is still there, else the latest of all."""
        candidates = [party for party in self.participants if party.purpose == purpose]
        live = [party for party in candidates if party.ended_at is None]
        found = live or candidates
        return found[-1] if found else None

    def live(self, purpose: str) -> Participant | None:
        """The party of a purpose that is still there."""
        party = self.participant(purpose)
        return party if party is not None and party.ended_at is None else None

    def by_communication(self, communication_id: str) -> Participant | None:
        """The party that owns a communication."""
        return next((p for p in self.participants if p.communication_id == communication_id), None)

    def by_id(self, participant_id: str) -> Participant | None:
        """The party of this id."""
        return next((p for p in self.participants if p.id == participant_id), None)


Watcher = Callable[[str, Conversation, MessageData | None], None]


class Conversations:
    """All conversations of the organisation, and an index of their messages.

    Args:
        new_id: Makes ids.
        now: The sandbox's time.
        user_id: The agent who joins.
        queue_id: The queue conversations wait in.
    """

    def __init__(
        self, *, new_id: Callable[[], str], now: Callable[[], float], user_id: str, queue_id: str
    ) -> None:
        self._new_id = new_id
        self._now = now
        self._user_id = user_id
        self._queue_id = queue_id
        self._by_id: dict[str, Conversation] = {}
        self._latest: dict[tuple[str, str], Conversation] = {}
        self._messages: dict[str, MessageData] = {}
        self._watchers: list[Watcher] = []

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Conversation]:
        return iter(list(self._by_id.values()))

    def find(self, conversation_id: str) -> Conversation | None:
        """The conversation of this id."""
        return self._by_id.get(conversation_id.lower())

    def latest(self, *, own_address: str, guest_address: str) -> Conversation | None:
        """The latest conversation between two addresses."""
        return self._latest.get((own_address, guest_address))

    def message(self, message_id: str) -> MessageData | None:
        """The message of this id: the platform's, or the channel's."""
        return self._messages.get(message_id) or self._messages.get(message_id.lower())

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Call `watcher(kind, conversation, message)` on every change; returns how to stop it.

        Kinds: "conversation" (begun, party joined or left, ended), "message", "typing" and "undelivered"
        (somebody wrote to a guest who has no socket open).
        """
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    def tell(self, kind: str, conversation: Conversation, message: MessageData | None = None) -> None:
        """Tell the watchers."""
        for watcher in tuple(self._watchers):
            watcher(kind, conversation, message)

    def begin(
        self,
        messenger_type: str,
        *,
        guest_address: str,
        own_address: str,
        name: str = "",
        external_contact_id: str | None = None,
    ) -> Conversation:
        """Begin one: the customer and the flow."""
        conversation = Conversation(
            id=self._new_id(),
            messenger_type=messenger_type,
            started_at=self._now(),
            guest_address=guest_address,
            own_address=own_address,
        )
        self._by_id[conversation.id] = conversation
        self._latest[own_address, guest_address] = conversation
        self._join(conversation, "customer", name=name).external_contact_id = external_contact_id
        self._join(conversation, "workflow")
        self.tell("conversation", conversation)
        return conversation

    def resume(self, conversation: Conversation) -> bool:
        """Continue an ended conversation if it ended recently enough; whether it is running now."""
        if conversation.ended_at is None:
            return True
        if self._now() - conversation.ended_at > THREADING_SECONDS:
            return False
        conversation.ended_at = None
        customer = conversation.participant("customer")
        assert customer is not None
        customer.ended_at, customer.disconnect_type, customer.state = None, None, "connected"
        self._join(conversation, "workflow")
        self.tell("conversation", conversation)
        return True

    def agent(self, conversation: Conversation, *, state: str = "connected") -> Participant:
        """The agent's party; joins through the queue if nobody is there, and leaves the flow behind."""
        party, changed = conversation.live("agent"), False
        if party is None:
            queue = self._join(conversation, "acd")
            queue.queue_id = self._queue_id
            self._leave(queue, "transfer")
            party, changed = self._join(conversation, "agent"), True
            party.user_id, party.queue_id, party.state = self._user_id, self._queue_id, state
        elif state == "connected" and party.state != "connected":
            party.state, party.connected_at, changed = "connected", self._now(), True
        flow = conversation.live("workflow")
        if party.state == "connected" and flow is not None:
            self._leave(flow, "transfer")
            changed = True
        if changed:
            self.tell("conversation", conversation)
        return party

    def keep(self, message: MessageData, *, listed: bool = True) -> None:
        """Add a message; one that is not listed is found by its id only, as typing is."""
        if listed:
            message.conversation.messages.append(message)
        self._messages[message.id] = message
        if message.channel_message_id:
            self._messages.setdefault(message.channel_message_id, message)
        self.tell("message" if listed else "typing", message.conversation, message)

    def leave(self, conversation: Conversation, party: Participant, disconnect_type: str) -> None:
        """One party leaves; when the customer or the last other one goes, it is over."""
        if party.ended_at is None:
            self._leave(party, disconnect_type)
            others = [p for p in conversation.participants if p.ended_at is None and p.purpose != "customer"]
            if party.purpose == "customer" or not others:
                self.end(conversation, disconnect_type)
            else:
                self.tell("conversation", conversation)

    def end(self, conversation: Conversation, disconnect_type: str) -> None:
        """Disconnect everybody; the type is client, peer, system or session.expired."""
        if conversation.ended_at is not None:
            return
        conversation.ended_at = self._now()
        for party in conversation.participants:
            if party.ended_at is None:
                self._leave(party, disconnect_type if party.purpose == "customer" else "peer")
        self.tell("conversation", conversation)

    def _join(self, conversation: Conversation, purpose: str, *, name: str = "") -> Participant:
        party = Participant(
            id=self._new_id(),
            purpose=purpose,
            name=name or _NAMES[purpose],
            communication_id=self._new_id(),
            connected_at=self._now(),
        )
        conversation.participants.append(party)
        return party

    def _leave(self, party: Participant, disconnect_type: str) -> None:
        party.ended_at, party.state, party.disconnect_type = self._now(), "disconnected", disconnect_type
