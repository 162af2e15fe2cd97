"""Conversations as the platform keeps them, and their two REST shapes.

A conversation begins with a guest's first message on a socket or with an Open Messaging inbound message.
`GET /conversations/{id}` and `GET /conversations/messages/{id}` show the same thing differently, and
clients rely on the difference: in the first, a participant's `messages` are communications that hold the
message list; in the second the list sits directly on the participant. Source: the Platform API's OpenAPI
document (level: official).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from guestlab.sandbox.clock import iso

__all__ = ["Conversation", "MessageData", "Participant"]


@dataclass(slots=True, kw_only=True)
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


@dataclass(slots=True, kw_only=True)
class MessageData:
    """One message of a conversation, from either side."""

    id: str
    conversation: Conversation
    participant: Participant
    at: float
    inbound: bool
    normalized: dict[str, Any]
    """The normalised message: type, text, content, events, channel, metadata."""
    status: str = "received"
    channel_message_id: str = ""

    def document(self) -> dict[str, Any]:
        """`MessageData` as REST gives it. `textBody` is on its way out in 2026 and still sent."""
        conversation = self.conversation
        uri = f"/api/v2/conversations/messages/{conversation.id}/messages/{self.id}"
        document: dict[str, Any] = {
            "id": self.id,
            "name": "",
            "providerMessageId": self.channel_message_id or self.id,
            "timestamp": iso(self.at),
            "fromAddress": conversation.guest_address if self.inbound else conversation.own_address,
            "toAddress": conversation.own_address if self.inbound else conversation.guest_address,
            "direction": "inbound" if self.inbound else "outbound",
            "messengerType": conversation.messenger_type,
            "textBody": self.normalized.get("text") or "",
            "status": self.status,
            "conversationId": conversation.id,
            "normalizedMessage": self.normalized,
            "normalizedReceipts": [],
            "media": [],
            "selfUri": uri,
        }
        if self.participant.user_id:
            document["createdBy"] = {
                "id": self.participant.user_id,
                "selfUri": f"/api/v2/users/{self.participant.user_id}",
            }
        return document

    def details(self) -> dict[str, Any]:
        """The entry in a participant's message list."""
        metadata: dict[str, Any] = {"type": self.normalized.get("type", "Text")}
        for key in ("events", "content"):
            if self.normalized.get(key):
                metadata[key] = [
                    {k: v for k, v in item.items() if k in {"eventType", "contentType"}}
                    for item in self.normalized[key]
                    if isinstance(item, dict)
                ]
        return {
            "messageId": self.id,
            "messageURI": f"/api/v2/conversations/messages/{self.id}/details",
            "messageStatus": self.status,
            "messageSegmentCount": 1,
            "messageTime": iso(self.at),
            "media": [],
            "messageMetadata": metadata,
        }


@dataclass(slots=True, kw_only=True)
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

    def by_communication(self, communication_id: str) -> Participant | None:
        """The party that owns a communication."""
        return next((p for p in self.participants if p.communication_id == communication_id), None)

    def end(self, at: float, disconnect_type: str) -> None:
        """Disconnect everybody."""
        if self.ended_at is not None:
            return
        self.ended_at = at
        for party in self.participants:
            if party.ended_at is None:
                party.ended_at = at
                party.state = "disconnected"
                party.disconnect_type = disconnect_type if party.purpose == "customer" else "peer"

    def document(self, *, communications: bool) -> dict[str, Any]:
        """The REST shape: with communications (`/conversations/{id}`) or flat (`…/messages/{id}`)."""
        prefix = "/api/v2/conversations" if communications else "/api/v2/conversations/messages"
        document: dict[str, Any] = {
            "id": self.id,
            "startTime": iso(self.started_at),
            "address": self.guest_address,
            "participants": [
                self._party(party, communications=communications) for party in self.participants
            ],
            "otherMediaUris": [],
            "recentTransfers": [],
            "divisions": [],
            "selfUri": f"{prefix}/{self.id}",
        }
        if self.ended_at is not None:
            document["endTime"] = iso(self.ended_at)
        return document

    def _party(self, party: Participant, *, communications: bool) -> dict[str, Any]:
        details = [m.details() for m in self.messages if m.participant is party]
        document: dict[str, Any] = {
            "id": party.id,
            "name": party.name,
            "purpose": party.purpose,
            "connectedTime": iso(party.connected_at),
            "attributes": dict(party.attributes),
        }
        if party.user_id:
            document["userId" if communications else "user"] = (
                party.user_id if communications else {"id": party.user_id}
            )
        if party.queue_id:
            document["queueId" if communications else "queue"] = (
                party.queue_id if communications else {"id": party.queue_id}
            )
        line = self._line(party)
        if communications:
            document["messages"] = [{**line, "id": party.communication_id, "messages": details}]
        else:
            document.update(line)
            document["messages"] = details
        for part in (document, *(document["messages"] if communications else ())):
            if party.ended_at is not None:
                part["endTime" if part is document else "disconnectedTime"] = iso(party.ended_at)
        return document

    def _line(self, party: Participant) -> dict[str, Any]:
        inbound = party.purpose == "customer"
        line: dict[str, Any] = {
            "state": party.state,
            "direction": "inbound",
            "provider": "PureCloud Messaging",
            "type": self.messenger_type,
            "connectedTime": iso(party.connected_at),
            "authenticated": party.authenticated,
            "fromAddress": {"addressNormalized": self.guest_address if inbound else self.own_address},
            "toAddress": {"addressNormalized": self.own_address if inbound else self.guest_address},
        }
        if party.disconnect_type:
            line["disconnectType"] = party.disconnect_type
        return line
