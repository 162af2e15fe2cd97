"""Open Messaging: integrations, and the inbound call by which a server plays the customer.

Client credentials only: a user's token is refused with `not.a.client`. Source: the Platform API's OpenAPI
document (level: official) and recorded payloads (level: measured).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guestlab.sandbox.clock import iso
from guestlab.sandbox.conversations import MessageData
from guestlab.sandbox.pages import safe_target
from guestlab.sandbox.platform import page
from guestlab.sandbox.refusals import Refusal
from guestlab.sandbox.saying import meant
from guestlab.sandbox.world import Integration, World

if TYPE_CHECKING:
    from guestlab.sandbox.calls import Call
    from guestlab.sandbox.conversations import Conversation

__all__ = [
    "all_integrations",
    "create_integration",
    "delete_integration",
    "inbound_event",
    "inbound_message",
    "inbound_receipt",
    "inbound_response",
    "integration",
    "integrations",
    "update_integration",
]

_PATH = "/api/v2/conversations/messaging/integrations/open"
_ID_TYPES = {"Email", "Phone", "Opaque"}
_BUTTONS = {"Button", "QuickReply", "DatePicker"}
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
    _check_fields(body)
    world = call.world
    created = Integration(
        id=world.new_id() if world.integration_id in world.integrations else world.integration_id,
        name=body["name"],
        webhook_url=body["outboundNotificationWebhookUrl"],
        webhook_secret=body["outboundNotificationWebhookSignatureSecretToken"],
        recipient_id=world.new_id(),
        created_at=world.now(),
        headers=_headers(body) or {},
    )
    world.integrations[created.id] = created
    return {**_document(world, created), "createStatus": "Initiated"}


async def update_integration(call: Call) -> dict[str, Any]:
    """`PATCH …/integrations/open/{id}`: the fields given."""
    found = _find(call)
    body = await call.object()
    if not isinstance(body.get("name"), str) or not body["name"]:
        raise Refusal("missing.required.field.value", field="name")
    _check_fields(body)
    found.name = body["name"]
    found.webhook_url = body.get("outboundNotificationWebhookUrl", found.webhook_url)
    found.webhook_secret = body.get("outboundNotificationWebhookSignatureSecretToken", found.webhook_secret)
    headers = _headers(body)
    found.headers = found.headers if headers is None else headers
    return _document(call.world, found)


async def delete_integration(call: Call) -> None:
    """`DELETE …/integrations/open/{id}`."""
    del call.world.integrations[_find(call).id]


async def all_integrations(call: Call) -> dict[str, Any]:
    """`GET /api/v2/conversations/messaging/integrations`: of every kind, web messaging too."""
    world = call.world
    web = [("webmessaging", d.id, d.name, world.named_id(f"recipient of {d.id}")) for d in world.deployments]
    own = [("open", i.id, i.name, i.recipient_id) for i in world.integrations.values()]
    entities = [
        {
            "id": identifier,
            "name": name,
            "messengerType": kind,
            "status": "Active",
            "recipient": {"id": recipient, "selfUri": f"/api/v2/routing/message/recipients/{recipient}"},
            "version": 1,
            "selfUri": f"/api/v2/conversations/messaging/integrations/{identifier}",
        }
        for kind, identifier, name, recipient in (*web, *own)
    ]
    return page(call, entities)


def _check_fields(body: dict[str, Any]) -> None:
    """What is wrong with the fields that are there."""
    address = body.get("outboundNotificationWebhookUrl")
    if address is not None and (not isinstance(address, str) or not safe_target(address)):
        raise Refusal("invalid.outbound.webhook.url")
    secret = body.get("outboundNotificationWebhookSignatureSecretToken")
    if secret is not None and (not isinstance(secret, str) or len(secret) < _SECRET_LENGTH):
        raise Refusal("notification.webhook.signature.secret.token.longer.than.15.characters")


def _headers(body: dict[str, Any]) -> dict[str, str] | None:
    headers = body.get("webhookHeaders")
    return {str(k): str(v) for k, v in headers.items()} if isinstance(headers, dict) else None


async def inbound_message(call: Call) -> dict[str, Any]:
    """`POST /api/v2/conversations/messages/{integrationId}/inbound/open/message`."""
    found = _find(call)
    body = await call.object()
    sender, channel = _sender(body)
    if not body.get("text") and not body.get("content"):
        raise Refusal("constraint.validation", reason="should have required property 'text'")
    content = [
        {"contentType": "Attachment", **item}
        for item in body.get("content") or ()
        if isinstance(item, dict) and isinstance(item.get("attachment"), dict)
    ]
    said = {"type": "Text", "text": body.get("text") or "", "content": content}
    answer = _keep(call, found, sender, channel, said)
    if call.query.get("prefetchConversationId", "").lower() != "true":
        answer.pop("conversationId")
    return answer


async def inbound_response(call: Call) -> dict[str, Any]:
    """`POST …/inbound/open/structured/response`: the customer pressed a button."""
    found = _find(call)
    body = await call.object()
    sender, channel = _sender(body)
    pressed = body.get("buttonResponse")
    if not isinstance(pressed, dict) or not all(
        isinstance(pressed.get(name), str) for name in ("type", "text", "payload")
    ):
        raise Refusal("constraint.validation", reason="should have required property 'buttonResponse'")
    if pressed["type"] not in _BUTTONS:
        raise Refusal(
            "invalid.value", value=pressed["type"][:100], type="type", allowed=", ".join(sorted(_BUTTONS))
        )
    asked = call.world.conversations.message(str(body.get("originatingMessageId")))
    if asked is None or asked.inbound or asked.conversation.own_address != found.id:
        raise Refusal("not.found")
    shown = {name: pressed[name] for name in ("id", "type", "text", "payload") if name in pressed}
    said = {
        "type": "Structured",
        "text": pressed["text"],
        "content": [{"contentType": "ButtonResponse", "buttonResponse": shown}],
    }
    answer = _keep(call, found, sender, channel, said)
    return {name: value for name, value in answer.items() if name not in {"text", "conversationId"}} | {
        "direction": "Inbound"
    }


def _keep(
    call: Call, found: Integration, sender: dict[str, Any], channel: dict[str, Any], said: dict[str, Any]
) -> dict[str, Any]:
    """Keep what a customer said and return the normalised message, with its conversation's id."""
    world = call.world
    again = found.received.get(str(channel.get("messageId") or ""))
    if again is not None:
        return _answer(again)  # channel.messageId is the key (official); that a second is dropped is inferred
    conversation = _conversation(world, found, sender)
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
        **said,
        "direction": "Inbound",
        "originatingEntity": "Human",
        "metadata": {},
    }
    customer = conversation.participant("customer")
    assert customer is not None
    attributes = _attributes(channel)
    customer.attributes.update({f"context.{key}": value for key, value in attributes.items()})
    message = MessageData(
        id=message_id,
        conversation=conversation,
        participant=customer,
        at=world.now(),
        inbound=True,
        normalized=normalized,
        channel_message_id=normalized["channel"]["messageId"],
    )
    world.conversations.keep(message)
    found.received[message.channel_message_id] = message
    words = meant(str(said["text"]), said["content"])
    call.messaging.customers.of(conversation).heard(message, sender, words)
    call.detail = f"conversation {conversation.id}"
    return _answer(message)


def _answer(message: MessageData) -> dict[str, Any]:
    hidden = {"direction", "originatingEntity"}
    answer = {key: value for key, value in message.normalized.items() if key not in hidden}
    return answer | {"conversationId": message.conversation.id}


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
    call.world.conversations.tell("conversation", message.conversation)
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
        "open",
        guest_address=address,
        own_address=found.id,
        name=name or address,
        external_contact_id=world.named_id(f"external contact of {found.id} {address}"),
    )
