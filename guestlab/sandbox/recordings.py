"""Recordings: what was said, kept after the conversation as a messaging transcript.

A recording exists once the conversation has ended, and is being prepared for two more seconds: 202 without
a body, held back for at most `maxWaitMs` as asked. Every conversation is recorded here; in the cloud a
policy decides. Shapes and codes: the Platform API's OpenAPI document (level: official); when a recording
appears is the sandbox's choice (level: inferred).
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
from typing import TYPE_CHECKING, Any

from guestlab.sandbox.calls import Reply
from guestlab.sandbox.clock import iso
from guestlab.sandbox.refusals import Refusal

if TYPE_CHECKING:
    from guestlab.sandbox.calls import Call
    from guestlab.sandbox.conversations import Conversation, MessageData

__all__ = ["metadata", "recording", "recordings"]

PREPARING_SECONDS = 2.0
MAX_WAIT_MS = 5000
"""`maxWaitMs` unless given (level: official)."""

_TEXT_LIMIT = 9


async def recordings(call: Call) -> Reply:
    """`GET /api/v2/conversations/{conversationId}/recordings`."""
    found = _conversation(call, "conversation.not.found")
    wait = _max_wait(call)
    if found.ended_at is None:
        return Reply([])
    if not await _is_ready(call, found, wait):
        return Reply(status=202)
    return Reply([_document(call, found)])


async def recording(call: Call) -> Reply:
    """`GET …/recordings/{recordingId}`: while it is prepared, 202 and how long that will take."""
    found = _conversation(call, "not.found")
    if found.ended_at is None or call.part("recording_id") != _id(call, found):
        raise Refusal("not.found")
    if await _is_ready(call, found, 0.0):
        return Reply(_document(call, found))
    left = found.ended_at + PREPARING_SECONDS - call.world.now()
    return Reply({"id": _id(call, found), "estimatedTranscodeTimeMs": max(1, int(left * 1000))}, 202)


async def metadata(call: Call) -> Reply:
    """`GET …/recordingmetadata`: what there is, without what was said."""
    found = _conversation(call, "conversation.not.found")
    if found.ended_at is None:
        return Reply([])
    document = _document(call, found)
    kept = ("id", "conversationId", "media", "annotations", "fileState", "sessionId")
    about = {name: document[name] for name in kept}
    about["startTime"], about["endTime"] = iso(found.started_at), iso(found.ended_at)
    about["selfUri"] = f"/api/v2/conversations/{found.id}/recordingmetadata/{document['id']}"
    return Reply([about])


async def _is_ready(call: Call, found: Conversation, wait: float) -> bool:
    """Whether it is prepared, waiting by the sandbox's clock but never really longer than asked."""
    assert found.ended_at is not None
    left = found.ended_at + PREPARING_SECONDS - call.world.now()
    if left > 0 and wait > 0:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await call.world.clock.sleep(min(left, wait))
        left = found.ended_at + PREPARING_SECONDS - call.world.now()
    return left <= 0


def _max_wait(call: Call) -> float:
    text = call.query.get("maxWaitMs", str(MAX_WAIT_MS))
    if not text.isascii() or not text.isdigit() or len(text) > _TEXT_LIMIT or int(text) == 0:
        raise Refusal("invalid.value", value=text[:100], type="maxWaitMs", allowed="positive integers")
    return int(text) / 1000


def _conversation(call: Call, code: str) -> Conversation:
    found = call.world.conversations.find(call.part("conversation_id"))
    if found is None:
        raise Refusal(code)
    return found


def _id(call: Call, found: Conversation) -> str:
    return call.world.named_id(f"recording of {found.id}")


def _document(call: Call, found: Conversation) -> dict[str, Any]:
    customer = found.participant("customer")
    identifier = _id(call, found)
    return {
        "id": identifier,
        "conversationId": found.id,
        "media": "messaging",
        "annotations": [],
        "fileState": "AVAILABLE",
        "sessionId": customer.communication_id if customer is not None else found.id,
        "creationTime": iso(found.started_at),
        "messagingTranscript": [_message(call, message) for message in found.messages],
        "selfUri": f"/api/v2/conversations/{found.id}/recordings/{identifier}",
    }


def _message(call: Call, message: MessageData) -> dict[str, Any]:
    """One message as a recording has it: not normalised, every kind of content under a key of its own."""
    conversation, party, said = message.conversation, message.participant, message.normalized
    parties = (conversation.guest_address, conversation.own_address)
    sender, receiver = parties if message.inbound else parties[::-1]
    document: dict[str, Any] = {
        "id": message.id,
        "timestamp": iso(message.at),
        "from": sender,
        "to": receiver,
        "purpose": party.purpose,
        "participantId": party.id,
        "status": message.status,
        "messageText": said.get("text") or "",
        **_content(call, message),
    }
    if party.user_id:
        user = {"id": party.user_id, "name": party.name, "version": 1}
        document["fromUser"] = {**user, "selfUri": f"/api/v2/users/{party.user_id}"}
    if party.queue_id:
        document["queue"] = {"id": party.queue_id, "selfUri": f"/api/v2/routing/queues/{party.queue_id}"}
    if said.get("events"):
        document["events"] = said["events"]
    return document


def _content(call: Call, message: MessageData) -> dict[str, Any]:
    items = [item for item in message.normalized.get("content") or () if isinstance(item, dict)]
    found: dict[str, Any] = {}
    for item in items:
        kind = item.get("contentType")
        if kind == "Attachment":
            found.setdefault("messageMediaAttachments", []).append(_attachment(call, message, item))
        elif kind == "QuickReply":
            found.setdefault("quickReplies", []).append(_of(item["quickReply"], "text", "payload", "action"))
        elif kind == "ButtonResponse":
            found["buttonResponse"] = _of(item["buttonResponse"], "type", "text", "payload")
        elif kind == "Card":
            found.setdefault("cards", []).append(_card(item["card"]))
        elif kind == "Carousel":
            found.setdefault("cards", []).extend(_card(card) for card in item["carousel"]["cards"])
    if items and items[0].get("contentType") in _KINDS:
        found["contentType"] = items[0]["contentType"]
    return found


_KINDS = frozenset(
    {"QuickReply", "Card", "Carousel", "Attachment", "ButtonResponse", "DatePicker", "ListPicker"}
)
"""Content types both a message and its recording know."""


def _attachment(call: Call, message: MessageData, item: dict[str, Any]) -> dict[str, Any]:
    """A file with a fresh address, as a presigned one would be."""
    attachment = copy.deepcopy(item["attachment"])
    voice = call.messaging.voice_of(message.conversation)
    if voice is not None:
        call.messaging.uploads.refresh(voice.owner, attachment, call.origin)
    names = {"id": "id", "url": "url", "filename": "name", "fileSize": "contentLength"}
    return {name: attachment[own] for own, name in names.items() if attachment.get(own) is not None}


def _card(card: dict[str, Any]) -> dict[str, Any]:
    document = _of(card, "title", "description")
    if card.get("image"):
        document["url"] = card["image"]
    document["actions"] = [
        _of(action, "type", "text", "payload", "url") for action in card.get("actions") or ()
    ]
    return document


def _of(held: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: held[name] for name in names if name in held}
