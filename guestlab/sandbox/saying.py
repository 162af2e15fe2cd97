"""`onMessage` and `echo`: what a guest may say, and what each mistake costs.

Words, answers to buttons and forms, attachments, presence, typing. Limits and codes: the vendor's limits
page and the mobile SDK's fixtures (level: documented); where they are silent the sheet's suggested default
(level: inferred).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from guestlab.sandbox.frames import FrameRefusal, TooFast, envelope
from guestlab.sandbox.voices import GuestVoice

if TYPE_CHECKING:
    from guestlab.sandbox.frames import Asked
    from guestlab.sandbox.messaging import Messaging
    from guestlab.sandbox.sessions import Connection, Session

__all__ = ["echo", "meant", "on_message"]

_TYPES = {"Text", "Structured", "Event", "Receipt", "Message"}


def on_message(messaging: Messaging, connection: Connection, asked: Asked) -> int:
    """`onMessage`: everything the guest says."""
    session = connection.session
    assert session is not None
    if session.read_only:
        raise FrameRefusal(409, "Session is read-only")
    message = asked.fields.get("message")
    if not isinstance(message, dict):
        raise FrameRefusal(400, "Request failed: message is missing")
    if session.person is None and session.deployment.auth and not session.deployment.session_upgrade:
        raise FrameRefusal(403, "Try to authenticate again")
    _take_attributes(messaging, session, asked.fields, message)
    events = _objects(message.get("events"))
    if message.get("type") == "Event" or ("type" not in message and events):
        return _event(messaging, session, asked, message, events)
    return _words(messaging, connection, session, asked, message)


def echo(messaging: Messaging, connection: Connection, asked: Asked) -> int:
    """`echo`: a health check; stored nowhere, routed nowhere, does not extend the session."""
    message = asked.fields.get("message")
    text = message.get("text") if isinstance(message, dict) else None
    body: dict[str, Any] = {
        "text": text if isinstance(text, str) else "",
        "type": "Text",
        "direction": "Inbound",
        "id": messaging.world.new_hex(),
    }
    session = connection.session
    if session is not None:
        # Strings here, integers in SessionResponse: as captured.
        body["metadata"] = {
            "durationSeconds": str(session.deployment.session_seconds),
            "expirationDate": str(int(session.expires_at)),
        }
    connection.push(envelope("StructuredMessage", body, tracing_id=asked.tracing_id))
    return 200


def _words(
    messaging: Messaging, connection: Connection, session: Session, asked: Asked, message: dict[str, Any]
) -> int:
    text, kind = message.get("text"), message.get("type", "Text")
    if not isinstance(kind, str) or kind not in _TYPES or not isinstance(text, str | None):
        raise FrameRefusal(400, "Request failed: message type or text is not valid")
    content = _objects(message.get("content"))
    if not text and not content:
        raise FrameRefusal(400, "Request failed: the message is empty")
    limit = messaging.sizes.text_length
    length = _size(text or "")
    if length > limit:
        raise FrameRefusal(4011, f"Message length {length} is larger than {limit}")
    content = messaging.uploads.attach(session, content, connection.origin)
    messaging.dialogue.heard(session, message, kind=kind, content=content, tracing_id=asked.tracing_id)
    for words in meant(text or "", content):
        messaging.bot.hear(GuestVoice(messaging, session), words)
    return 200


def _event(
    messaging: Messaging,
    session: Session,
    asked: Asked,
    message: dict[str, Any],
    events: list[dict[str, Any]],
) -> int:
    if not events:
        raise FrameRefusal(400, "Request failed: the event is empty")
    metadata = message.get("metadata")
    if any(event.get("eventType") == "Typing" for event in events):
        _spend_typing(messaging, session)
        messaging.dialogue.noticed(
            session, events, stored=False, metadata=metadata, tracing_id=asked.tracing_id
        )
        return 200
    presences = {_presence(event) for event in events}
    if "Clear" in presences and not session.deployment.clear:
        raise FrameRefusal(403, "Presence events Conversation Clear are not supported")
    messaging.dialogue.noticed(session, events, stored=True, metadata=metadata, tracing_id=asked.tracing_id)
    if "Clear" in presences:
        messaging.clear(session)
    elif "Join" in presences:
        messaging.bot.hear(GuestVoice(messaging, session), "", on="join")
    return 200


def _spend_typing(messaging: Messaging, session: Session) -> None:
    """Typing once in five seconds; a message of the guest's own ends the wait."""
    if not session.deployment.user_typing:
        raise FrameRefusal(403, "Turn on the Feature Toggle or fix the configuration.")
    limits = messaging.world.limits
    now = messaging.world.now()
    if limits is not None and now - session.typed_at < limits.typing_seconds:
        wait = session.typed_at + limits.typing_seconds - now
        raise TooFast(wait, "Typing rate too high for this session")
    session.typed_at = now


def _take_attributes(
    messaging: Messaging, session: Session, frame: dict[str, Any], message: dict[str, Any]
) -> None:
    """Custom attributes: in `message.channel`. Beside `message` they are ignored (documented, June 2026)."""
    places = [message.get("channel")]
    if messaging.legacy_attributes:
        places.insert(0, frame.get("channel"))
    limit = messaging.sizes.custom_attributes_bytes
    for channel in places:
        metadata = channel.get("metadata") if isinstance(channel, dict) else None
        attributes = metadata.get("customAttributes") if isinstance(metadata, dict) else None
        if not isinstance(attributes, dict):
            continue
        pairs = {str(name): _plain(value) for name, value in attributes.items()}
        if sum(_size(name) + _size(value) for name, value in pairs.items()) > limit:
            raise FrameRefusal(4013, f"Custom Attributes in channel metadata is larger than {limit} bytes")
        session.attributes.update(pairs)


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _size(text: str) -> int:
    """UTF-8 bytes; whether the cloud counts bytes or characters is not documented."""
    return len(text.encode("utf-8", "surrogatepass"))


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _presence(event: dict[str, Any]) -> str | None:
    presence = event.get("presence")
    if event.get("eventType") != "Presence" or not isinstance(presence, dict):
        return None
    kind = presence.get("type")
    return kind if isinstance(kind, str) else None


def meant(text: str, content: list[dict[str, Any]]) -> list[str]:
    """What the bot hears: the payloads of pressed buttons or a form's name, else the words."""
    payloads: list[str] = []
    for item in content:
        response = item.get("buttonResponse")
        if isinstance(response, dict) and isinstance(response.get("payload"), str):
            payloads.append(response["payload"])
        form = item.get("form")
        if isinstance(form, dict):
            payloads.append(f"FORM {form.get('cannedResponseId', '')}")
    if payloads:
        return payloads
    if not text and any(item.get("contentType") == "Attachment" for item in content):
        return ["UPLOAD"]
    return [text]
