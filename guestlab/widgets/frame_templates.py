"""A client frame typed by hand: templates for the twelve actions, and the command that says the same.

The guest token is never in a template: its place is taken when the frame is sent. A frame that no command
says word for word is not sent as something else; `TypedFrame` sends it as it stands, for the sandbox.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from guestlab.errors import GuestlabError
from guestlab.protocol import commands as say
from guestlab.protocol.content import ListPickerItem
from guestlab.protocol.reading import mapping, whole, word

__all__ = ["TEMPLATES", "TOKEN", "TypedFrame", "command_of", "template"]

TOKEN = "<this session's guest token: filled in on sending>"  # noqa: S105 - no secret
_ID = "<attachment id>"
_DEPLOYMENT = "<this session's deployment id: filled in on sending>"


def _event(kind: str, value: str) -> dict[str, Any]:
    return {"type": "Event", "events": [{"eventType": kind, kind.lower(): {"type": value}}]}


def _button(kind: str, text: str, payload: str) -> dict[str, Any]:
    return {
        "contentType": "ButtonResponse",
        "buttonResponse": {"type": kind, "text": text, "payload": payload},
    }


_REPLY = {
    "type": "Structured",
    "text": "Red",
    "content": [_button("QuickReply", "Red", "RED")],
    "metadata": {},
}
_WITH_ATTRIBUTES = {
    "type": "Text",
    "text": "Hello",
    "metadata": {},
    "channel": {"metadata": {"customAttributes": {"page": "checkout"}}},
}
_SHOW = "<the JWT of the sign-in>"

# What it is for → action and the rest of the frame. Every one of the twelve actions stands here.
TEMPLATES: dict[str, dict[str, Any]] = {
    "onMessage: text": {
        "action": "onMessage",
        "message": {"type": "Text", "text": "Hello from the composer", "metadata": {}},
    },
    "onMessage: text with custom attributes": {"action": "onMessage", "message": _WITH_ATTRIBUTES},
    "onMessage: answer to a quick reply": {"action": "onMessage", "message": _REPLY},
    "onMessage: typing": {"action": "onMessage", "message": _event("Typing", "On")},
    "onMessage: presence Join": {"action": "onMessage", "message": _event("Presence", "Join")},
    "onMessage: presence Clear": {"action": "onMessage", "message": _event("Presence", "Clear")},
    "echo": {"action": "echo", "message": {"type": "Text", "text": "ping"}},
    "getConfiguration": {"action": "getConfiguration", "deploymentId": _DEPLOYMENT},
    "getJwt": {"action": "getJwt"},
    "configureSession": {"action": "configureSession", "deploymentId": _DEPLOYMENT, "startNew": False},
    "configureAuthenticatedSession": {
        "action": "configureAuthenticatedSession",
        "deploymentId": _DEPLOYMENT,
        "startNew": False,
        "data": {"code": _SHOW},
    },
    "closeSession": {"action": "closeSession", "closeAllConnections": True},
    "onAttachment": {
        "action": "onAttachment",
        "fileName": "picture.png",
        "fileType": "image/png",
        "fileSize": 1024,
        "errorsAsJson": True,
    },
    "getAttachment": {"action": "getAttachment", "attachmentId": _ID},
    "deleteAttachment": {"action": "deleteAttachment", "attachmentId": _ID},
    "disconnectCustomer": {"action": "disconnectCustomer"},
    "resumeToken": {"action": "resumeToken"},
}


def template(name: str, tracing_id: str) -> str:
    """Return a template as JSON to type in, with a tracing id."""
    rest = dict(TEMPLATES[name])
    frame = {"action": rest.pop("action"), "token": TOKEN, "tracingId": tracing_id, **rest}
    return json.dumps(frame, indent=2, ensure_ascii=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedFrame(say.Command):
    """A frame sent as it stands, right or wrong; only its token and tracing id are the session's.

    Args:
        action: Whatever stands under `action`.
        rest: The other keys.
    """

    action: str  # type: ignore[misc] # fixed for a class elsewhere, typed by hand here
    rest: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @classmethod
    def of(cls, frame: Mapping[str, Any]) -> TypedFrame:
        """Take a frame apart."""
        own = {"action", "token", "tracingId"}
        rest = {key: value for key, value in frame.items() if key not in own}
        return cls(action=str(frame.get("action", "")), rest=rest)

    def _rest(self) -> dict[str, Any]:
        return dict(self.rest)


def command_of(frame: Mapping[str, Any], deployment_id: str = "") -> say.Command | None:
    """Return the command that says a frame word for word, or None when there is none.

    >>> command_of({"action": "echo", "message": {"type": "Text", "text": "ping"}})
    Echo(text='ping')
    """
    filled = (
        {**frame, "deploymentId": deployment_id} if frame.get("deploymentId") == _DEPLOYMENT else dict(frame)
    )
    reader = _READERS.get(word(filled.get("action")))
    try:
        command = reader(filled) if reader is not None else None
        if command is None:
            return None
        said = json.loads(say.encode(command, token="t", tracing_id="i", limits=None))  # noqa: S106
    except (GuestlabError, TypeError, ValueError):
        return None
    return command if _rest_of(said) == _rest_of(filled) else None


def _rest_of(frame: Mapping[str, Any]) -> dict[str, Any]:
    """What a frame says beside its token and tracing id, which the session fills in."""
    rest = {key: value for key, value in frame.items() if key not in {"token", "tracingId"}}
    message = rest.get("message")
    if isinstance(message, Mapping):
        metadata = {key: value for key, value in mapping(message.get("metadata")).items() if key != "id"}
        rest["message"] = (
            {**message, "metadata": metadata}
            if metadata
            else {key: value for key, value in message.items() if key != "metadata"}
        )
    return rest


def _on_message(frame: Mapping[str, Any]) -> say.Command | None:
    message = mapping(frame.get("message"))
    events = message.get("events")
    first = mapping(events[0]) if isinstance(events, list) and events else {}
    attributes = mapping(mapping(mapping(message.get("channel")).get("metadata")).get("customAttributes"))
    metadata = {key: value for key, value in mapping(message.get("metadata")).items() if key != "id"}
    spoken: dict[str, Any] = {"custom_attributes": attributes, "metadata": metadata}
    if first.get("eventType") == "Typing":
        return say.SendTyping()
    if first.get("eventType") == "Presence":
        joins = mapping(first.get("presence")).get("type") == "Join"
        return say.SendJoin(custom_attributes=attributes) if joins else say.SendClear()
    content = message.get("content")
    items = [mapping(item) for item in content] if isinstance(content, list) else []
    if message.get("type") == "Text":
        ids = tuple(word(mapping(item.get("attachment")).get("id")) for item in items)
        return say.SendText(text=word(message.get("text")), attachment_ids=ids, **spoken)
    return _structured(word(message.get("text")), items, spoken)


def _structured(text: str, items: list[dict[str, Any]], spoken: dict[str, Any]) -> say.Command | None:
    metadata = {key: value for key, value in spoken["metadata"].items() if key != "parentMessageId"}
    spoken = {**spoken, "metadata": metadata}
    first = items[0] if items else {}
    form = mapping(first.get("form"))
    if form:
        answers = [mapping(answer) for answer in form.get("response", []) if isinstance(answer, dict)]
        return say.SendForm(
            canned_response_id=word(form.get("cannedResponseId")),
            originating_message_id=word(form.get("originatingMessageId")),
            text=text,
            entries=tuple(_entry(answer) for answer in answers),
            **spoken,
        )
    buttons = [mapping(item.get("buttonResponse")) for item in items]
    if not buttons:
        return None
    kind, to = word(buttons[0].get("type")), word(buttons[0].get("originatingMessageId"))
    if kind == "ListPicker":
        rows = tuple(ListPickerItem(id=word(b.get("payload")), title=word(b.get("text"))) for b in buttons)
        return say.SendListPicker(items=rows, text=text, originating_message_id=to, **spoken)
    return say.SendButtonResponse(
        text=word(buttons[0].get("text")),
        payload=word(buttons[0].get("payload")),
        button_type=kind,
        originating_message_id=to,
        **spoken,
    )


def _entry(answer: dict[str, Any]) -> say.FormEntry:
    button = mapping(mapping(answer.get("component")).get("buttonResponse"))
    return say.FormEntry(
        id=word(answer.get("id")), text=word(button.get("text")), payload=word(button.get("payload"))
    )


def _upload(frame: Mapping[str, Any]) -> say.Command:
    return say.RequestUpload(
        file_name=word(frame.get("fileName")),
        file_type=word(frame.get("fileType")),
        file_size=whole(frame.get("fileSize")) or 0,
        attachment_id=word(frame.get("attachmentId")),
        file_md5=word(frame.get("fileMd5")),
    )


_READERS: dict[str, Callable[[Mapping[str, Any]], say.Command | None]] = {
    "onMessage": _on_message,
    "echo": lambda frame: say.Echo(text=word(mapping(frame.get("message")).get("text"))),
    "getConfiguration": lambda frame: say.RequestConfiguration(deployment_id=word(frame.get("deploymentId"))),
    "getJwt": lambda _: say.RequestJwt(),
    "configureSession": lambda frame: say.ConfigureSession(
        deployment_id=word(frame.get("deploymentId")), start_new=frame.get("startNew") is True
    ),
    "configureAuthenticatedSession": lambda frame: say.ConfigureAuthenticatedSession(
        deployment_id=word(frame.get("deploymentId")),
        start_new=frame.get("startNew") is True,
        jwt=word(mapping(frame.get("data")).get("code")),
    ),
    "closeSession": lambda frame: say.CloseSession(
        close_all_connections=frame.get("closeAllConnections") is True
    ),
    "onAttachment": _upload,
    "getAttachment": lambda frame: say.RequestDownload(attachment_id=word(frame.get("attachmentId"))),
    "deleteAttachment": lambda frame: say.DeleteAttachment(attachment_id=word(frame.get("attachmentId"))),
    "disconnectCustomer": lambda _: say.DisconnectCustomer(),
    "resumeToken": lambda _: say.ResumeToken(),
}
