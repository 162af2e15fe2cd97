"""From what happens in conversations to what notification channels are told.

Watches the organisation's conversations and compares each with how it last looked: who came, who left, whose
attributes or wrap-up changed become detail events; then the whole conversation goes to the topics of the
users and queues concerned. One call, no await: the order of events is the order of what happened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from guestlab.sandbox.event_bodies import (
    conversation_body,
    detail_body,
    message_conversation_body,
    typing_body,
    undelivered_body,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guestlab.sandbox.channels import Channels
    from guestlab.sandbox.conversations import Conversation, MessageData, Participant
    from guestlab.sandbox.world import World

__all__ = ["ChannelEvents"]

_KINDS = {"customer": "customer", "workflow": "flow", "acd": "acd", "agent": "user"}
"""A party's purpose → its name in the detail events."""


class _Seen(NamedTuple):
    """How a party last looked."""

    there: bool
    attributes: int
    wrapup: bool


class ChannelEvents:
    """Tells channels of conversations."""

    def __init__(self, world: World, channels: Channels) -> None:
        self._world = world
        self._channels = channels
        self._seen: dict[str, dict[str, _Seen]] = {}
        self.begin()

    def begin(self) -> None:
        """Watch the world's conversations; called again when the world began anew."""
        self._seen.clear()
        self._world.conversations.watch(self._changed)

    def _changed(self, kind: str, conversation: Conversation, message: MessageData | None) -> None:
        if kind == "typing":
            if message is not None and message.inbound:
                self._typing(conversation, message)
            return
        if kind == "undelivered":
            if message is not None:
                self._undelivered(conversation, message)
            return
        before = self._seen.get(conversation.id, {})
        after = {party.id: _look(party) for party in conversation.participants}
        self._seen[conversation.id] = after
        if not any(channel.outbox is not None for channel in self._channels):
            return
        for party, what in _differences(conversation, before, after):
            topic = f"v2.detail.events.conversation.{conversation.id}.{what}"
            if self._channels.wanted(topic):
                self._channels.tell(topic, detail_body(what, conversation, party, self._world.now()))
        for prefix in _concerned(conversation, before):
            self._tell_whole(prefix, conversation)

    def _tell_whole(self, prefix: str, conversation: Conversation) -> None:
        if self._channels.wanted(topic := f"{prefix}.conversations"):
            self._channels.tell(topic, conversation_body(conversation))
        if self._channels.wanted(topic := f"{prefix}.conversations.messages"):
            self._channels.tell(topic, message_conversation_body(conversation))

    def _typing(self, conversation: Conversation, message: MessageData) -> None:
        agent, flow = conversation.live("agent"), conversation.live("workflow")
        topics = [f"v2.users.{agent.user_id}"] if agent is not None and agent.user_id else []
        if flow is not None:
            topics.append(f"v2.workflows.{self._world.flow_id}")
        for prefix in topics:
            topic = f"{prefix}.conversations.inbound.typing.event"
            if self._channels.wanted(topic) and (body := typing_body(message)) is not None:
                self._channels.tell(topic, body)

    def _undelivered(self, conversation: Conversation, message: MessageData) -> None:
        topic = f"v2.webmessaging.deployments.{conversation.own_address}.undelivered.messages"
        if self._channels.wanted(topic):
            self._channels.tell(topic, undelivered_body(message))


def _look(party: Participant) -> _Seen:
    attributes = hash(tuple(sorted(party.attributes.items())))
    return _Seen(party.ended_at is None, attributes, party.wrapup is not None)


def _differences(
    conversation: Conversation, before: dict[str, _Seen], after: dict[str, _Seen]
) -> Iterator[tuple[Participant, str]]:
    """What happened to whom, in the parties' order."""
    empty = hash(())
    for party in conversation.participants:
        was, now = before.get(party.id, _Seen(False, empty, False)), after[party.id]
        kind, new = _KINDS.get(party.purpose, "user"), party.id not in before
        if new or (now.there and not was.there):
            yield party, f"{kind}.start"
        if now.attributes != was.attributes:
            yield party, "attributes"
        if now.wrapup and not was.wrapup:
            yield party, "wrapup"
        if not now.there and (was.there or new):
            yield party, f"{kind}.end"


def _concerned(conversation: Conversation, before: dict[str, _Seen]) -> list[str]:
    """The topic prefixes of users and queues that are in it, or were a moment ago."""
    prefixes: dict[str, None] = {}
    for party in conversation.participants:
        was_there = party.id not in before or before[party.id].there
        if party.ended_at is None or was_there:
            if party.user_id:
                prefixes[f"v2.users.{party.user_id}"] = None
            if party.queue_id:
                prefixes[f"v2.routing.queues.{party.queue_id}"] = None
    return list(prefixes)
