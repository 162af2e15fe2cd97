"""The agent's side by REST: read conversations and messages, answer, type, attach, end.

What an agent's program uses, so that a guest on the socket, or an Open Messaging customer, and an agent by
REST hold a whole conversation.
`{communicationId}` is the agent's own, `participants[purpose=agent].messages[].id`; sending on it connects
the agent if it was only alerting. Whether a client-credentials token may do so is not documented: here it
may (level: inferred). Paths, bodies, codes: the Platform API's OpenAPI document (level: official).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guestlab.sandbox.attachments import LINK_SECONDS
from guestlab.sandbox.calls import Call, Reply, page_numbers
from guestlab.sandbox.conversation_documents import conversation_document, message_document
from guestlab.sandbox.dialogue import AGENT
from guestlab.sandbox.refusals import Refusal

if TYPE_CHECKING:
    from guestlab.sandbox.conversations import Conversation, Participant
    from guestlab.sandbox.voices import Voice

__all__ = [
    "attributes",
    "bulk",
    "conversation",
    "details",
    "disconnect",
    "media_upload",
    "message",
    "message_conversation",
    "my_conversations",
    "participant",
    "send",
    "typing",
    "update_conversation",
]

TEXT_LENGTH = 4000
"""`outbound.webmessaging.and.open.messaging.characters.max`."""
BULK_IDS = 1000
_ENDING = {"disconnected", "DISCONNECTED"}


# -- reading ---------------------------------------------------------------------------------------------


async def conversation(call: Call) -> dict[str, Any]:
    """`GET /api/v2/conversations/{id}`: participants hold communications."""
    return conversation_document(_conversation(call, "not.found"), communications=True)


async def message_conversation(call: Call) -> dict[str, Any]:
    """`GET /api/v2/conversations/messages/{id}`: the message list sits on the participant."""
    return conversation_document(_conversation(call), communications=False)


async def my_conversations(call: Call) -> dict[str, Any]:
    """`GET /api/v2/conversations[/messages]`: the user's own; a client has none (level: inferred)."""
    assert call.token is not None
    flat = call.request.url.path.endswith("/messages")
    mine = [
        conversation_document(found, communications=not flat)
        for found in call.world.conversations
        if call.token.user_id is not None and found.ended_at is None and found.live("agent") is not None
    ]
    size, number = page_numbers(call)
    entities = mine[(number - 1) * size : number * size]
    return {"entities": entities, "pageSize": size, "pageNumber": number, "total": len(mine)}


async def message(call: Call) -> dict[str, Any]:
    """`GET /api/v2/conversations/messages/{conversationId}/messages/{messageId}`."""
    found = call.world.conversations.message(call.part("message_id"))
    if found is None or found.conversation is not _conversation(call):
        raise Refusal("not.found")
    return message_document(found)


async def details(call: Call) -> dict[str, Any]:
    """`GET /api/v2/conversations/messages/{messageId}/details`: by the message's id, or its channel's."""
    found = call.world.conversations.message(call.part("message_id"))
    if found is None:
        raise Refusal("not.found")
    return message_document(found)


async def bulk(call: Call) -> dict[str, Any]:
    """`POST /api/v2/conversations/messages/{conversationId}/messages/bulk`: unknown ids are left out."""
    target = _conversation(call)
    ids = await call.json()
    if not isinstance(ids, list) or len(ids) > BULK_IDS:
        raise Refusal("constraint.validation", reason=f"a list of at most {BULK_IDS} message ids is wanted")
    found = [call.world.conversations.message(str(one)) for one in ids]
    return {"entities": [message_document(m) for m in found if m is not None and m.conversation is target]}


# -- saying ----------------------------------------------------------------------------------------------


async def send(call: Call) -> dict[str, Any]:
    """`POST …/communications/{communicationId}/messages`: the agent says something."""
    target, party = _speaker(call)
    body = await call.object()
    text = body.get("textBody")
    media = body.get("mediaIds")
    media = media if isinstance(media, list) else []
    if not isinstance(text, str | None) or not (text or media):
        raise Refusal("constraint.validation", reason="textBody or mediaIds is wanted")
    if len(text or "") > TEXT_LENGTH:
        raise Refusal("max.length.exceeded", limit=TEXT_LENGTH)
    voice = _voice(call, target)
    uploads = call.messaging.uploads
    files = [uploads.find(voice.owner, one) for one in media]
    if any(found is None or found.data is None for found in files):
        raise Refusal("not.found")
    content = [
        {"contentType": "Attachment", "attachment": uploads.document(found, call.origin)}
        for found in files
        if found is not None
    ]
    sent = voice.say(text=text, content=content, kind="Text", entity=AGENT, party=party)
    message = call.world.conversations.message(sent)
    assert message is not None
    return message_document(message)


async def typing(call: Call) -> Reply:
    """`POST …/communications/{communicationId}/typing`."""
    target, _ = _speaker(call)
    body = await call.json()
    wish = body.get("typing") if isinstance(body, dict) else None
    wish = wish if isinstance(wish, dict) else {}
    duration = wish.get("duration")
    voice = call.messaging.voice_of(target)
    if voice is not None:
        milliseconds = duration if isinstance(duration, int) and 0 < duration < 600_000 else 5000
        on = wish.get("type", "On") != "Off"
        voice.typing(on=on, duration=milliseconds, entity=AGENT)
    return Reply(status=204)


async def media_upload(call: Call) -> dict[str, Any]:
    """`POST …/communications/{communicationId}/messages/media/uploads`: an address to upload to."""
    target, _ = _speaker(call)
    body = await call.object()
    name, size = body.get("fileName"), body.get("contentLengthBytes")
    if not isinstance(name, str) or not name or not isinstance(size, int) or size <= 0:
        raise Refusal("missing.required.field.value", field="fileName, contentLengthBytes")
    found = call.messaging.uploads.from_agent(_voice(call, target).owner, name, b"", None)
    found.data, found.size, found.state = None, size, "asked"
    key = call.messaging.uploads.link(found)
    return {
        "id": found.id,
        "name": name,
        "uploadUrl": f"{call.origin.url('api')}/upload/{key}?X-Amz-Expires={LINK_SECONDS}",
        "uploadHeaders": call.messaging.uploads.headers(),
        "selfUri": f"{call.request.url.path}/{found.id}",
    }


# -- joining, leaving, ending -------------------------------------------------------------------------------


async def participant(call: Call) -> Reply:
    """`PATCH …/participants/{participantId}`: connect, disconnect, wrap up."""
    target = _conversation(call)
    party = target.by_id(call.part("participant_id"))
    if party is None:
        raise Refusal("not.found")
    body = await call.object()
    if isinstance(body.get("wrapup"), dict):
        party.wrapup = body["wrapup"]
        call.world.conversations.tell("conversation", target)
    state = body.get("state")
    if state in _ENDING:
        _leave(call, target, party)
    elif state == "connected" and party.purpose == "agent":
        call.world.conversations.agent(target)
    return Reply(status=202)


async def attributes(call: Call) -> Reply:
    """`PATCH …/participants/{participantId}/attributes`."""
    target = _conversation(call)
    party = target.by_id(call.part("participant_id"))
    if party is None:
        raise Refusal("not.found")
    wanted = (await call.object()).get("attributes")
    if not isinstance(wanted, dict):
        raise Refusal("missing.required.field.value", field="attributes")
    party.attributes.update({str(name): str(value) for name, value in wanted.items()})
    call.world.conversations.tell("conversation", target)
    return Reply({"attributes": dict(party.attributes)}, 202)


async def update_conversation(call: Call) -> dict[str, Any]:
    """`PATCH /api/v2/conversations/messages/{id}`: only its end."""
    target = _conversation(call)
    if (await call.object()).get("state") in _ENDING:
        _end(call, target)
    return conversation_document(target, communications=False)


async def disconnect(call: Call) -> Reply:
    """`POST /api/v2/conversations/{id}/disconnect`: for cleaning up; a client may."""
    target = _conversation(call, "not.found")
    _end(call, target)
    return Reply("OK", 202)


def _leave(call: Call, target: Conversation, party: Participant) -> None:
    if party.purpose in {"agent", "workflow"} and party.ended_at is None:
        _end(call, target)
    else:
        call.world.conversations.leave(target, party, "peer")


def _end(call: Call, target: Conversation) -> None:
    voice = call.messaging.voice_of(target)
    if voice is not None and target.ended_at is None:
        voice.disconnect()
    call.world.conversations.end(target, "peer")


def _conversation(call: Call, code: str = "conversation.error.conversation.not.found") -> Conversation:
    """The conversation the path names, or the operation's own 404."""
    found = call.world.conversations.find(call.part("conversation_id"))
    if found is None:
        raise Refusal(code)
    return found


def _voice(call: Call, target: Conversation) -> Voice:
    """How to speak there; refused where nobody is left to hear it."""
    voice = call.messaging.voice_of(target)
    if voice is None:
        raise Refusal("request.conflict")
    return voice


def _speaker(call: Call) -> tuple[Conversation, Participant]:
    """The conversation and the party that speaks; an alerting agent is connected by speaking."""
    target = _conversation(call)
    party = target.by_communication(call.part("communication_id").lower())
    if party is None or party.purpose == "customer":
        raise Refusal("not.found")
    if party.ended_at is not None:
        raise Refusal("request.conflict")
    if party.purpose == "agent":
        party = call.world.conversations.agent(target)
    return target, party
