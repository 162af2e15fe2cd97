"""What notification events carry: bodies made from the organisation's state.

No text of a message travels in any of them, only ids and circumstances. Three families, and clients rely on
their differences: `MessageConversation` (`…conversations.messages`: a message is `{message: {id}}`),
`Conversation` (`…conversations`: parties hold communications, a message is `{messageId}`) and the flat detail
events. Source: the topic models of the official Python SDK 269.0.0 (level: official).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guestlab.sandbox.clock import iso
from guestlab.sandbox.conversation_documents import message_details

if TYPE_CHECKING:
    from guestlab.sandbox.conversations import Conversation, MessageData, Participant

__all__ = ["conversation_body", "detail_body", "message_conversation_body", "typing_body", "undelivered_body"]

_FLOW_TYPE = "INBOUNDSHORTMESSAGE"
_NOT_SENT = ("messageId", "messageURI")


def message_conversation_body(conversation: Conversation) -> dict[str, Any]:
    """The body of `…conversations.messages`: the message list sits on the participant."""
    return {
        "id": conversation.id,
        "participants": [_flat_party(conversation, party) for party in conversation.participants],
        "otherMediaUris": [],
    }


def conversation_body(conversation: Conversation) -> dict[str, Any]:
    """The body of `…conversations`: participants hold communications, which hold the message list."""
    return {
        "id": conversation.id,
        "participants": [_party(conversation, party) for party in conversation.participants],
        "recentTransfers": [],
        "address": conversation.guest_address,
    }


def typing_body(message: MessageData) -> dict[str, Any] | None:
    """The body of `…inbound.typing.event`; None for an event the model does not know, as typing's end."""
    events = [
        {"eventType": "Typing", "typing": {"type": "On", **_duration(event["typing"])}}
        for event in message.normalized.get("events") or ()
        if isinstance(event.get("typing"), dict) and event["typing"].get("type") == "On"
    ]
    if not events:
        return None
    conversation = message.conversation
    platform = "Open" if conversation.messenger_type == "open" else "WebMessaging"
    return {
        "conversationId": conversation.id,
        "normalizedMessage": {
            "channel": {
                "id": conversation.own_address,
                "platform": platform,
                "to": {"id": conversation.own_address},
                "from": {"id": conversation.guest_address},
                "time": iso(message.at),
            },
            "type": "Event",
            "events": events,
            "direction": "Inbound",
        },
    }


def undelivered_body(message: MessageData) -> dict[str, Any]:
    """The body of `…undelivered.messages`: what a guest without a socket did not get."""
    conversation, at = message.conversation, int(message.at * 1000)
    customer = conversation.participant("customer")
    assert customer is not None
    return {
        "conversationId": conversation.id,
        "deploymentId": conversation.own_address,
        "participantId": customer.id,
        "communicationId": customer.communication_id,
        "externalContactId": customer.external_contact_id or "",
        "messages": [{"id": message.id, "eventTimeMs": at}],
        "eventTimeMs": at,
    }


def detail_body(what: str, conversation: Conversation, party: Participant, now: float) -> dict[str, Any]:
    """The body of `v2.detail.events.conversation.{id}.{what}`, such as `user.start`."""
    body: dict[str, Any] = {
        "eventTime": int(now * 1000),
        "conversationId": conversation.id,
        "participantId": party.id,
    }
    if what == "attributes":
        communications = [{"id": party.communication_id, "mediaType": "MESSAGE"}]
        return body | {"attributes": dict(party.attributes), "communications": communications}
    customer = party.purpose == "customer"
    parties = (conversation.guest_address, conversation.own_address)
    sender, receiver = parties if customer else parties[::-1]
    body |= {
        "sessionId": party.communication_id,
        "mediaType": "MESSAGE",
        "messageType": conversation.messenger_type.upper(),
        "provider": PROVIDER,
        "direction": "INBOUND",
        "addressFrom": sender,
        "addressTo": receiver,
    }
    if customer and party.external_contact_id:
        body["externalContactId"] = party.external_contact_id
    return body | _own(what, party)


PROVIDER = "PureCloud Messaging"


def _own(what: str, party: Participant) -> dict[str, Any]:
    """What only one kind of detail event has."""
    if what == "wrapup":
        wrapup = party.wrapup or {}
        own: dict[str, Any] = {"wrapupCode": str(wrapup.get("code") or "")}
        if isinstance(wrapup.get("notes"), str):
            own["wrapupNotes"] = wrapup["notes"]
        return own | ({"queueId": party.queue_id} if party.queue_id else {})
    kind, _, edge = what.partition(".")
    own = {}
    if edge == "end":
        own["disconnectType"] = _shouted(party.disconnect_type)
        lasted = int(((party.ended_at or party.connected_at) - party.connected_at) * 1000)
        own["interactingDurationMs" if kind in {"customer", "user"} else "connectedDurationMs"] = lasted
    if kind == "flow":
        own["flowType"] = _FLOW_TYPE
        if edge == "end":
            own["exitReason"] = "TRANSFER" if party.disconnect_type == "transfer" else "DISCONNECT"
    if kind == "acd" and edge == "end":
        own["acdOutcome"] = "ANSWERED"
    if kind == "user" and party.user_id:
        own["userId"] = party.user_id
    if kind in {"acd", "user"} and party.queue_id:
        own["queueId"] = party.queue_id
    return own


def _shouted(disconnect_type: str | None) -> str:
    """`session.expired` as the detail events write it."""
    return (disconnect_type or "unknown").replace(".", "_").upper()


def _duration(typing: dict[str, Any]) -> dict[str, Any]:
    duration = typing.get("duration")
    return {"duration": duration} if isinstance(duration, int) and not isinstance(duration, bool) else {}


def _messages(conversation: Conversation, party: Participant) -> list[dict[str, Any]]:
    return [message_details(message) for message in conversation.messages if message.participant is party]


def _flat_party(conversation: Conversation, party: Participant) -> dict[str, Any]:
    messages = [
        {"message": {"id": details["messageId"]}, **_without(details, *_NOT_SENT)}
        for details in _messages(conversation, party)
    ]
    document: dict[str, Any] = {
        "id": party.id,
        "name": party.name,
        "startTime": iso(party.connected_at),
        "connectedTime": iso(party.connected_at),
        "purpose": party.purpose,
        "state": party.state,
        "direction": "inbound",
        "held": False,
        "wrapupRequired": party.purpose == "agent",
        "attributes": dict(party.attributes),
        "provider": PROVIDER,
        "type": conversation.messenger_type,
        "messages": messages,
    }
    named = (
        ("user", party.user_id),
        ("queue", party.queue_id),
        ("externalContact", party.external_contact_id),
    )
    document |= {name: {"id": value} for name, value in named if value}
    return document | _ending(party, "endTime") | _wrapup(party)


def _party(conversation: Conversation, party: Participant) -> dict[str, Any]:
    messages = [_without(details, "messageURI") for details in _messages(conversation, party)]
    parties = (conversation.guest_address, conversation.own_address)
    sender, receiver = parties if party.purpose == "customer" else parties[::-1]
    communication: dict[str, Any] = {
        "id": party.communication_id,
        "state": party.state,
        "direction": "inbound",
        "held": False,
        "provider": PROVIDER,
        "type": conversation.messenger_type,
        "connectedTime": iso(party.connected_at),
        "fromAddress": {"addressNormalized": sender},
        "toAddress": {"addressNormalized": receiver},
        "messages": messages,
    }
    document: dict[str, Any] = {
        "id": party.id,
        "name": party.name,
        "purpose": party.purpose,
        "connectedTime": iso(party.connected_at),
        "attributes": dict(party.attributes),
        "messages": [communication | _ending(party, "disconnectedTime")],
    }
    ids = (
        ("userId", party.user_id),
        ("queueId", party.queue_id),
        ("externalContactId", party.external_contact_id),
    )
    document |= {name: value for name, value in ids if value}
    if party.ended_at is not None:
        document["endTime"] = iso(party.ended_at)
    return document | _wrapup(party)


def _ending(party: Participant, name: str) -> dict[str, Any]:
    if party.ended_at is None:
        return {}
    return {name: iso(party.ended_at), "disconnectType": party.disconnect_type or "other"}


def _wrapup(party: Participant) -> dict[str, Any]:
    if party.wrapup is None:
        return {}
    known = {
        name: party.wrapup[name] for name in ("code", "notes") if isinstance(party.wrapup.get(name), str)
    }
    return {"wrapup": known}


def _without(document: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in names}
