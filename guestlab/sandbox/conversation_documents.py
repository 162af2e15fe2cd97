"""How REST shows conversations and messages.

`GET /conversations/{id}` and `GET /conversations/messages/{id}` show the same thing differently, and
clients rely on the difference: in the first, a participant's `messages` are communications that hold the
message list; in the second the list sits directly on the participant. Source: the Platform API's OpenAPI
document (level: official).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guestlab.sandbox.clock import iso

if TYPE_CHECKING:
    from guestlab.sandbox.conversations import Conversation, MessageData, Participant

__all__ = ["content_item", "conversation_document", "message_details", "message_document"]


def message_document(message: MessageData) -> dict[str, Any]:
    """`MessageData` as REST gives it. `textBody` is on its way out in 2026 and still sent."""
    conversation = message.conversation
    parties = (conversation.guest_address, conversation.own_address)
    sender, receiver = parties if message.inbound else parties[::-1]
    document: dict[str, Any] = {
        "id": message.id,
        "name": "",
        "providerMessageId": message.channel_message_id or message.id,
        "timestamp": iso(message.at),
        "fromAddress": sender,
        "toAddress": receiver,
        "direction": "inbound" if message.inbound else "outbound",
        "messengerType": conversation.messenger_type,
        "textBody": message.normalized.get("text") or "",
        "status": message.status,
        "conversationId": conversation.id,
        "normalizedMessage": _normalized(message, sender, receiver),
        "normalizedReceipts": [],
        "media": [],
        "selfUri": f"/api/v2/conversations/messages/{conversation.id}/messages/{message.id}",
    }
    user_id = message.participant.user_id
    if user_id:
        document["createdBy"] = {"id": user_id, "selfUri": f"/api/v2/users/{user_id}"}
    return document


def _normalized(message: MessageData, sender: str, receiver: str) -> dict[str, Any]:
    """The normalised message: by REST both parties have an id, on the guest's socket they need not."""
    channel = message.normalized["channel"]
    parties = {
        "from": {"id": sender, **channel.get("from", {})},
        "to": {"id": receiver, **channel.get("to", {})},
    }
    content = [content_item(item) for item in message.normalized.get("content") or ()]
    shown = {**message.normalized, "channel": {**channel, **parties}}
    return shown | {"content": content} if content else shown


def content_item(item: dict[str, Any]) -> dict[str, Any]:
    """One content item: what a guest's frame calls the file's size, REST and the webhook call otherwise."""
    attachment = item.get("attachment")
    if not isinstance(attachment, dict) or "fileSize" not in attachment:
        return item
    size = {"contentSizeBytes": attachment["fileSize"]}
    return {**item, "attachment": {k: v for k, v in attachment.items() if k != "fileSize"} | size}


_WRAPUP = ("code", "name", "notes", "tags", "durationSeconds")


def conversation_document(conversation: Conversation, *, communications: bool) -> dict[str, Any]:
    """The conversation: with communications (`/conversations/{id}`) or flat (`…/messages/{id}`)."""
    prefix = "/api/v2/conversations" if communications else "/api/v2/conversations/messages"
    document: dict[str, Any] = {
        "id": conversation.id,
        "participants": [
            _party(conversation, party, communications=communications) for party in conversation.participants
        ],
        "recentTransfers": [],
        "divisions": [],
        "selfUri": f"{prefix}/{conversation.id}",
    }
    if not communications:  # its model has no times of its own
        return document | {"otherMediaUris": []}
    document |= {"startTime": iso(conversation.started_at), "address": conversation.guest_address}
    if conversation.ended_at is not None:
        document["endTime"] = iso(conversation.ended_at)
    return document


def _party(conversation: Conversation, party: Participant, *, communications: bool) -> dict[str, Any]:
    details = [message_details(message) for message in conversation.messages if message.participant is party]
    document: dict[str, Any] = {
        "id": party.id,
        "name": party.name,
        "purpose": party.purpose,
        "connectedTime": iso(party.connected_at),
        "attributes": dict(party.attributes),
    }
    entities = (
        ("user", party.user_id),
        ("queue", party.queue_id),
        ("externalContact", party.external_contact_id),
    )
    for name, value in entities:
        if value:
            document |= {f"{name}Id": value} if communications else {name: {"id": value}}
    if party.wrapup is not None:
        document["wrapup"] = {name: party.wrapup[name] for name in _WRAPUP if name in party.wrapup}
    if party.ended_at is not None:
        document["endTime"] = iso(party.ended_at)
    line = _line(conversation, party)
    if communications:
        ending = {"disconnectedTime": iso(party.ended_at)} if party.ended_at is not None else {}
        document["messages"] = [{"id": party.communication_id, **line, **ending, "messages": details}]
    else:
        document |= line | {"messages": details}
    return document


def _line(conversation: Conversation, party: Participant) -> dict[str, Any]:
    parties = (conversation.guest_address, conversation.own_address)
    sender, receiver = parties if party.purpose == "customer" else parties[::-1]
    line: dict[str, Any] = {
        "state": party.state,
        "direction": "inbound",
        "provider": "PureCloud Messaging",
        "type": conversation.messenger_type,
        "connectedTime": iso(party.connected_at),
        "authenticated": party.authenticated,
        "fromAddress": {"addressNormalized": sender},
        "toAddress": {"addressNormalized": receiver},
    }
    if party.disconnect_type and party.ended_at is not None:
        line["disconnectType"] = party.disconnect_type
    return line


def message_details(message: MessageData) -> dict[str, Any]:
    """The entry in a participant's message list."""
    metadata: dict[str, Any] = {"type": message.normalized.get("type", "Text")}
    for name, kind in (("events", "eventType"), ("content", "contentType")):
        items = message.normalized.get(name)
        if items:
            metadata[name] = [{kind: item[kind]} for item in items if isinstance(item, dict) and kind in item]
    return {
        "messageId": message.id,
        "messageURI": f"/api/v2/conversations/messages/{message.id}/details",
        "messageStatus": message.status,
        "messageSegmentCount": 1,
        "messageTime": iso(message.at),
        "media": [],
        "messageMetadata": metadata,
    }
