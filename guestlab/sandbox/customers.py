"""Open Messaging customers: who stands behind a webhook, and what is sent there.

Normalised outbound messages as the vendor's guide and recorded payloads have them (levels: documented,
measured); only content that Open Messaging knows, the rest as its words alone (level: inferred). The end of
a conversation is told nowhere: no such webhook event is documented. Posting is `webhooks.py`'s; what comes
in is `open_messaging.py`'s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guestlab.sandbox.clock import iso
from guestlab.sandbox.conversation_documents import content_item
from guestlab.sandbox.conversations import MessageData
from guestlab.sandbox.dialogue import AGENT, BOT
from guestlab.sandbox.voices import Errands

if TYPE_CHECKING:
    from guestlab.sandbox.conversations import Conversation, Participant
    from guestlab.sandbox.messaging import Messaging

__all__ = ["Customer", "Customers"]

SHOWN = frozenset({"quick_replies", "card", "carousel", "date_picker"})
"""Kinds of content with a place in Open Messaging's messages; the others belong to other channels."""

LARGEST_FILE = 10 * 1024 * 1024
"""Bytes of a file an agent sends; as a messenger's default (level: inferred)."""


class Customer:
    """The customer of one conversation; a `Voice` speaks to them.

    Args:
        messaging: The service.
        conversation: An Open Messaging conversation.
    """

    shows = SHOWN
    largest_file = LARGEST_FILE

    def __init__(self, messaging: Messaging, conversation: Conversation) -> None:
        self._messaging = messaging
        self.conversation = conversation
        self.errands = Errands()
        self.said_at = conversation.started_at
        """When the customer last said something, by the clock."""
        self.address = {"id": conversation.guest_address, "idType": "Opaque"}
        self._last_millisecond = 0

    @property
    def id(self) -> str:
        """What tells owners of files apart."""
        return self.conversation.id

    @property
    def owner(self) -> Customer:
        """The customer has the files."""
        return self

    @property
    def is_open(self) -> bool:
        """Whether the conversation goes on."""
        return self.conversation.ended_at is None

    def heard(self, message: MessageData, sender: dict[str, Any], words: list[str]) -> None:
        """The customer said something: receipted, then the bot's turn."""
        self.said_at = message.at
        self.address = {"id": str(sender["id"]), "idType": str(sender["idType"])}
        self._last_millisecond = max(self._last_millisecond, int(message.at * 1000))
        self._receipt(message)
        for one in words:
            self._messaging.bot.hear(self, one)

    def say(
        self,
        *,
        text: str | None = None,
        content: list[dict[str, Any]] | None = None,
        entity: str = BOT,
        kind: str | None = None,
        sender: dict[str, str] | None = None,
        party: Participant | None = None,
    ) -> str:
        """Keep a message and send it to the webhook; returns its id."""
        party = party or self._party(entity)
        return self._send(
            party,
            entity,
            {
                "type": kind or ("Structured" if content else "Text"),
                "text": text or "",
                "content": content or [],
                "reasons": [],
                "relatedMessages": [],
            },
            sender=sender,
        )

    def typing(self, *, on: bool = True, duration: int = 5000, entity: str = BOT) -> None:
        """Send a typing event; its end is none the webhook knows."""
        if on:
            event = {"eventType": "Typing", "typing": {"type": "On", "duration": duration}}
            self._send(self._party(entity), entity, {"type": "Event", "events": [event]}, listed=False)

    def send_file(self, *, name: str, data: bytes, entity: str = BOT, mime: str | None = None) -> str:
        """Send a link to a file."""
        uploads = self._messaging.uploads
        document = uploads.document(uploads.from_agent(self, name, data, mime), self._messaging.home)
        return self.say(
            content=[{"contentType": "Attachment", "attachment": document}], kind="Text", entity=entity
        )

    def disconnect(self, *, read_only: bool | None = None) -> None:  # noqa: ARG002 - a messenger's switch
        """End the conversation; the webhook is not told."""
        self.errands.drop()
        self._messaging.world.conversations.end(self.conversation, "peer")

    # -- within ----------------------------------------------------------------------------------------

    def _send(
        self,
        party: Participant,
        entity: str,
        said: dict[str, Any],
        *,
        sender: dict[str, str] | None = None,
        listed: bool = True,
    ) -> str:
        world, conversation = self._messaging.world, self.conversation
        message_id, at = world.new_hex(), self._stamp()
        normalized = {
            "id": message_id,
            "channel": self._channel(message_id, at, sender or {}),
            "direction": "Outbound",
            "originatingEntity": entity,
            **said,
        }
        message = MessageData(
            id=message_id,
            conversation=conversation,
            participant=party,
            at=at,
            inbound=False,
            normalized=normalized,
            status="sent",
        )
        world.conversations.keep(message, listed=listed)
        content = [content_item(item) for item in said.get("content", ())]
        body = normalized | {"content": content} if content else normalized
        self._messaging.webhooks.send(conversation, body, message if listed else None)
        return message_id

    def _receipt(self, message: MessageData) -> None:
        """Tell the sender that the platform has their message; its id is the message's (level: measured)."""
        body = {
            "id": message.id,
            "channel": self._channel(message.channel_message_id, self._stamp(), {}),
            "direction": "Outbound",
            "type": "Receipt",
            "status": "Delivered",
            "isFinalReceipt": True,
            "reasons": [],
            "metadata": {"type": "delivery"},
        }
        self._messaging.webhooks.send(self.conversation, body)

    def _channel(self, message_id: str, at: float, sender: dict[str, str]) -> dict[str, Any]:
        integration_id = self.conversation.own_address
        integration = self._messaging.world.integrations.get(integration_id)
        name = {"nickname": integration.name} if integration is not None else {}
        return {
            "id": integration_id,
            "messageId": message_id,
            "platform": "Open",
            "type": "Private",
            "to": dict(self.address),
            "from": {"id": integration_id, "idType": "Opaque", **name, **sender},
            "time": iso(at),
        }

    def _stamp(self) -> float:
        """The time of the next message: by the clock, and later than every earlier one."""
        now = int(self._messaging.world.now() * 1000)
        self._last_millisecond = max(now, self._last_millisecond + 1)
        return self._last_millisecond / 1000

    def _party(self, entity: str) -> Participant:
        if entity == AGENT:
            return self._messaging.world.conversations.agent(self.conversation)
        party = self.conversation.participant("workflow")
        assert party is not None
        return party


class Customers:
    """The customers of all Open Messaging conversations."""

    def __init__(self, messaging: Messaging) -> None:
        self._messaging = messaging
        self._by_conversation: dict[str, Customer] = {}

    def clear(self) -> None:
        """Forget all, and what the bot still had to say to them."""
        for customer in self._by_conversation.values():
            customer.errands.drop()
        self._by_conversation.clear()

    @property
    def present(self) -> list[Customer]:
        """Those whose conversation goes on."""
        return [customer for customer in self._by_conversation.values() if customer.is_open]

    def of(self, conversation: Conversation) -> Customer:
        """The customer of an Open Messaging conversation."""
        found = self._by_conversation.get(conversation.id)
        if found is None:
            found = self._by_conversation[conversation.id] = Customer(self._messaging, conversation)
        return found

    def named(self, name: str | None) -> Customer | None:
        """The one with a running conversation of this id, or with this address; None: who spoke last."""
        chosen = [
            customer
            for customer in self.present
            if name is None or name in {customer.conversation.id, customer.conversation.guest_address}
        ]
        return max(chosen, key=lambda customer: customer.said_at, default=None)
