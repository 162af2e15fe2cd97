"""Agentless messages: the organisation writes, and nobody is behind it.

Client credentials only. A web guest is addressed by the external contact of an earlier conversation, anybody
else by an address of the channel. Accepted at once; what becomes of it shows in the message's status. Source:
the Platform API's OpenAPI document (level: official); that the flow is the party that speaks is inferred.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guestlab.sandbox.clock import iso
from guestlab.sandbox.conversation_documents import message_document
from guestlab.sandbox.dialogue import BOT
from guestlab.sandbox.refusals import Refusal

if TYPE_CHECKING:
    from guestlab.sandbox.calls import Call
    from guestlab.sandbox.conversations import MessageData
    from guestlab.sandbox.sessions import Session

__all__ = ["send_agentless"]

_KINDS = ("sms", "whatsapp", "open", "webmessaging", "apple")
_TEXT_LENGTH = 4000


async def send_agentless(call: Call) -> dict[str, Any]:
    """`POST /api/v2/conversations/messages/agentless`."""
    body = await call.object()
    for name in ("fromAddress", "toAddressMessengerType"):
        if not isinstance(body.get(name), str) or not body[name]:
            raise Refusal("missing.required.field.value", field=name)
    kind = body["toAddressMessengerType"]
    if kind not in _KINDS:
        raise Refusal(
            "invalid.value", value=kind[:100], type="toAddressMessengerType", allowed=", ".join(_KINDS)
        )
    message = _to_guest(call, body) if kind == "webmessaging" else _to_customer(call, body, kind)
    conversation = message.conversation
    return {
        "id": message.id,
        "conversationId": conversation.id,
        "fromAddress": conversation.own_address,
        "toAddress": conversation.guest_address,
        "messengerType": kind,
        "useExistingActiveConversation": body.get("useExistingActiveConversation") is True,
        "message": message_document(message),
        "timestamp": iso(message.at),
        "selfUri": f"/api/v2/conversations/messages/{message.id}/details",
    }


def _to_guest(call: Call, body: dict[str, Any]) -> MessageData:
    text = body.get("textBody")
    if not isinstance(text, str) or not text.strip() or len(text) >= _TEXT_LENGTH:
        raise Refusal("invalid.webmessaging.text.body")
    session = _session(call, body)
    conversation = session.conversation
    if conversation is not None and conversation.ended_at is None:
        _check_may_join(body)
    said = call.messaging.dialogue.say(session, text=text, entity=BOT)
    message = call.world.conversations.message(said["id"])
    assert message is not None
    return message


def _session(call: Call, body: dict[str, Any]) -> Session:
    """The living session of the external contact, on the deployment named."""
    deployment = call.world.deployments.find(body["fromAddress"])
    contact = body.get("externalContactId")
    if not isinstance(contact, str) or not contact:
        raise Refusal("missing.required.field.value", field="externalContactId")
    for session in call.messaging.sessions:
        if session.deployment is deployment and session.external_contact_id == contact.lower():
            return session
    raise Refusal("not.found")


def _to_customer(call: Call, body: dict[str, Any], kind: str) -> MessageData:
    world = call.world
    integration, address, text = (
        world.integrations.get(body["fromAddress"].lower()),
        body.get("toAddress"),
        body.get("textBody"),
    )
    if kind != "open" or integration is None:  # there are no others here
        raise Refusal("not.found")
    if not isinstance(address, str) or not address:
        raise Refusal("missing.required.field.value", field="toAddress")
    if not isinstance(text, str) or not text:
        raise Refusal("missing.required.field.value", field="textBody")
    if len(text) > _TEXT_LENGTH:
        raise Refusal("max.length.exceeded", limit=_TEXT_LENGTH)
    conversation = world.conversations.latest(own_address=integration.id, guest_address=address)
    if conversation is not None and conversation.ended_at is None:
        _check_may_join(body)
    else:
        conversation = world.conversations.begin(
            "open", guest_address=address, own_address=integration.id, name=address
        )
    sent = call.messaging.customers.of(conversation).say(text=text, entity=BOT)
    message = world.conversations.message(sent)
    assert message is not None
    return message


def _check_may_join(body: dict[str, Any]) -> None:
    if body.get("useExistingActiveConversation") is not True:
        raise Refusal("active.conversation")
