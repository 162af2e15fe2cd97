"""Open Messaging: integrations, and the inbound call by which a server plays the customer.

Client credentials only: a user's token is refused with `not.a.client`. Source: the Platform API's OpenAPI
document (level: official) and recorded payloads (level: measured).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from guestlab.sandbox.clock import iso
from guestlab.sandbox.conversations import MessageData
from guestlab.sandbox.platform import page
from guestlab.sandbox.refusals import Refusal
from guestlab.sandbox.world import Integration, World

if TYPE_CHECKING:
    from guestlab.sandbox.calls import Call
    from guestlab.sandbox.conversations import Conversation

__all__ = [
    "create_integration",
    "inbound_event",
    "inbound_message",
    "inbound_receipt",
    "integration",
    "integrations",
]

_PATH = "/api/v2/conversations/messaging/integrations/open"
_ID_TYPES = {"Email", "Phone", "Opaque"}
_SECRET_LENGTH = 16
_STATUSES = {
    "Sent": "sent",
    "Delivered": "delivery-success",
    "Failed": "delivery-failed",
    "Published": "published",
    "Removed": "removed",
}
"""Status of a receipt → status of the message (level: inferred from the two official lists)."""


def _document(world: World, found: Integration) -> dict[str, Any]:
    creator = {"id": world.client.id, "selfUri": f"/api/v2/oauth/clients/{world.client.id}"}
    return {
        "id": found.id,
        "name": found.name,
        "outboundNotificationWebhookUrl": found.webhook_url,
        "outboundNotificationWebhookSignatureSecretToken": found.webhook_secret,
        "webhookHeaders": dict(found.headers),
        "status": "active",
        "recipient": {
            "id": found.recipient_id,
            "selfUri": f"/api/v2/routing/message/recipients/{found.recipient_id}",
        },
        "createStatus": "Completed",
        "dateCreated": iso(found.created_at),
        "createdBy": creator,
        "selfUri": f"{_PATH}/{found.id}",
    }


async def integrations(call: Call) -> dict[str, Any]:
    """`GET …/integrations/open`."""
    return page(call, [_document(call.world, found) for found in call.world.integrations.values()])


async def integration(call: Call) -> dict[str, Any]:
    """`GET …/integrations/open/{id}`."""
    return _document(call.world, _find(call))


async def create_integration(call: Call) -> dict[str, Any]:
    """`POST …/integrations/open`."""
    body = await call.object()
    for name in ("name", "outboundNotificationWebhookUrl", "outboundNotificationWebhookSignatureSecretToken"):
        if not isinstance(body.get(name), str) or not body[name]:
            raise Refusal("missing.required.field.value", field=name)
    url = urlsplit(body["outboundNotificationWebhookUrl"])
    if url.scheme not in {"http", "https"} or not url.netloc:
        raise Refusal("invalid.outbound.webhook.url")
    if len(body["outboundNotificationWebhookSignatureSecretToken"]) < _SECRET_LENGTH:
        raise Refusal("notification.webhook.signature.secret.token.longer.than.15.characters")
    headers = body.get("webhookHeaders")
    world = call.world
    created = Integration(
        id=world.new_id() if world.integration_id in world.integrations else world.integration_id,
        name=body["name"],
        webhook_url=body["outboundNotificationWebhookUrl"],
        webhook_secret=body["outboundNotificationWebhookSignatureSecretToken"],
        recipient_id=world.new_id(),
        created_at=world.now(),
        headers={str(k): str(v) for k, v in headers.items()} if isinstance(headers, dict) else {},
    )
    world.integrations[created.id] = created
    return {**_document(world, created), "createStatus": "Initiated"}


async def inbound_message(call: Call) -> dict[str, Any]:
    """`POST /api/v2/conversations/messages/{integrationId}/inbound/open/message`."""
    found = _find(call)
    body = await call.object()
    sender, channel = _sender(body)
    if not body.get("text") and not body.get("content"):
        raise Refusal("constraint.validation", reason="should have required property 'text'")
    conversation = _conversation(call.world, found, sender)
    world = call.world
    message_id = world.new_hex()
    normalized = {
        "id": message_id,
        "channel": {
            "id": found.id,
            "platform": "Open",
            "type": "Private",
            "messageId": str(channel.get("messageId") or world.new_id()),
            "to": {"id": found.id},
            "from": sender,
            "time": channel["time"],
        },
        "type": "Text",
        "text": body.get("text") or "",
        "content": body["content"] if isinstance(body.get("content"), list) else [],
        "direction": "Inbound",
        "originatingEntity": "Human",
        "metadata": {},
    }
    customer = conversation.participant("customer")
    assert customer is not None
    attributes = _attributes(channel)
    customer.attributes.update({f"context.{key}": value for key, value in attributes.items()})
    world.conversations.keep(
        MessageData(
            id=message_id,
            conversation=conversation,
            participant=customer,
            at=world.now(),
            inbound=True,
            normalized=normalized,
            channel_message_id=normalized["channel"]["messageId"],
        )
    )
    call.detail = f"conversation {conversation.id}"
    answer = {
        key: value for key, value in normalized.items() if key not in {"direction", "originatingEntity"}
    }
    if call.query.get("prefetchConversationId", "").lower() == "true":
        answer["conversationId"] = conversation.id
    return answer


async def inbound_event(call: Call) -> dict[str, Any]:
    """`POST …/inbound/open/event`: the customer types; told to watchers, kept nowhere, begins nothing."""
    found = _find(call)
    body = await call.object()
    sender, channel = _sender(body)
    events = body.get("events")
    kinds = (
        [event.get("eventType") for event in events if isinstance(event, dict)]
        if isinstance(events, list)
        else []
    )
    if not kinds or set(kinds) != {"Typing"}:
        raise Refusal("constraint.validation", reason="should have required property 'events': Typing")
    world = call.world
    message_id = world.new_hex()
    shown = {
        "id": found.id,
        "platform": "Open",
        "type": "Private",
        "messageId": message_id,
        "to": {"id": found.id},
        "from": sender,
        "time": channel["time"],
    }
    answer: dict[str, Any] = {
        "id": message_id,
        "channel": shown,
        "type": "Event",
        "events": [{"eventType": "Typing"}],
    }
    running = world.conversations.latest(own_address=found.id, guest_address=str(sender["id"]))
    if running is not None and running.ended_at is None:
        customer = running.participant("customer")
        assert customer is not None
        normalized = {
            **answer,
            "events": [{"eventType": "Typing", "typing": {"type": "On"}}],
            "direction": "Inbound",
            "originatingEntity": "Human",
        }
        typing = MessageData(
            id=message_id,
            conversation=running,
            participant=customer,
            at=world.now(),
            inbound=True,
            normalized=normalized,
        )
        world.conversations.keep(typing, listed=False)
    return answer


async def inbound_receipt(call: Call) -> dict[str, Any]:
    """`POST …/inbound/open/receipt`: what became of a message that was sent to the webhook."""
    found = _find(call)
    body = await call.object()
    held = body.get("channel")
    channel: dict[str, Any] = held if isinstance(held, dict) else {}
    receiver = channel.get("to")
    if not isinstance(receiver, dict) or not receiver.get("id"):
        raise Refusal("constraint.validation", reason="should have required property 'channel.to.id'")
    if not isinstance(channel.get("time"), str):
        raise Refusal("missing.open.channel.date")
    if body.get("status") not in _STATUSES:
        allowed = ", ".join(_STATUSES)
        raise Refusal("invalid.value", value=str(body.get("status"))[:100], type="status", allowed=allowed)
    message = call.world.conversations.message(str(body.get("id")))
    if message is None or message.inbound or message.conversation.own_address != found.id:
        raise Refusal("not.found")
    message.status = _STATUSES[body["status"]]
    return {
        "id": message.id,
        "channel": {
            "id": found.id,
            "platform": "Open",
            "type": "Private",
            "to": receiver,
            "from": {"id": found.id, "idType": "Opaque"},
            "time": channel["time"],
        },
        "type": "Receipt",
        "status": body["status"],
        "direction": "Inbound",
        "isFinalReceipt": body.get("isFinalReceipt") is True,
        "reasons": body["reasons"] if isinstance(body.get("reasons"), list) else [],
    }


def _find(call: Call) -> Integration:
    found = call.world.integrations.get(call.part("integration_id").lower())
    if found is None:
        raise Refusal("not.found")
    return found


def _sender(body: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The customer and the channel, with what the schema demands of them."""
    channel = body.get("channel")
    if not isinstance(channel, dict):
        raise Refusal("constraint.validation", reason="should have required property 'channel'")
    sender = channel.get("from")
    if not isinstance(sender, dict) or not sender.get("id") or sender.get("idType") not in _ID_TYPES:
        raise Refusal(
            "constraint.validation", reason="should have required properties 'channel.from.id', 'idType'"
        )
    if not isinstance(channel.get("time"), str):
        raise Refusal("missing.open.channel.date")
    return sender, channel


def _attributes(channel: dict[str, Any]) -> dict[str, str]:
    metadata = channel.get("metadata")
    attributes = metadata.get("customAttributes") if isinstance(metadata, dict) else None
    return {str(k): str(v) for k, v in attributes.items()} if isinstance(attributes, dict) else {}


def _conversation(world: World, found: Integration, sender: dict[str, Any]) -> Conversation:
    """The customer's running conversation on this integration, or a new one."""
    address = str(sender["id"])
    running = world.conversations.latest(own_address=found.id, guest_address=address)
    if running is not None and running.ended_at is None:
        return running
    name = " ".join(str(sender[key]) for key in ("firstName", "lastName") if sender.get(key))
    return world.conversations.begin(
        "open", guest_address=address, own_address=found.id, name=name or address
    )
