"""What a guest can say, one class per thing, and how a command becomes a frame.

Lives here: the commands of all twelve actions, the checks that can be made before sending, and `encode`.
May not live here: whether a command is allowed now (`guest.py`) and how fast (`pacing.py`). Wire names
appear in the `_rest` methods only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from json import JSONEncoder
from typing import Any, ClassVar

from guestlab.errors import InputError
from guestlab.limits import PUBLISHED, Limits
from guestlab.protocol.checks import (
    check_attributes,
    check_file,
    check_length,
    need_strings,
    need_text,
    need_type,
)
from guestlab.protocol.content import AvailableTime, CardAction, ListPickerItem, QuickReply

__all__ = [
    "CloseSession",
    "Command",
    "ConfigureAuthenticatedSession",
    "ConfigureSession",
    "DeleteAttachment",
    "DisconnectCustomer",
    "Echo",
    "FormEntry",
    "RequestConfiguration",
    "RequestDownload",
    "RequestJwt",
    "RequestUpload",
    "ResumeToken",
    "Say",
    "SendButtonResponse",
    "SendClear",
    "SendForm",
    "SendJoin",
    "SendListPicker",
    "SendText",
    "SendTyping",
    "answer",
    "encode",
]

_encoder = JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)

BUTTON_TYPES = ("Button", "DatePicker", "Form", "ListPicker", "QuickReply")
"""What a button response can answer (official model)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What all commands share."""

    action: ClassVar[str] = ""
    """The action by its wire name."""
    _needs: ClassVar[tuple[str, ...]] = ()
    """The attributes that may not be empty."""

    def _rest(self) -> dict[str, Any]:
        """The frame's fields beside action, token and tracing id."""
        return {}

    def _check(self) -> None:
        """Raise InputError for what only this command knows about itself."""


# -- opening and closing ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigureSession(Command):
    """Open or resume a guest session: the first frame on every socket.

    Args:
        deployment_id: Filled in by `GuestProtocol` when left out.
        start_new: Begin a fresh session for this guest token, after a read-only one was closed.
        journey_context: Ties the session to Predictive Engagement; sent as it is.
        resume_token: In the official model; no official client sends it.
    """

    action: ClassVar[str] = "configureSession"
    _needs: ClassVar[tuple[str, ...]] = ("deployment_id",)
    deployment_id: str = ""
    start_new: bool = False
    journey_context: Mapping[str, Any] | None = field(default=None, hash=False)
    resume_token: str | None = field(default=None, repr=False)

    def _rest(self) -> dict[str, Any]:
        rest: dict[str, Any] = {"deploymentId": self.deployment_id, "startNew": self.start_new}
        if self.journey_context is not None:
            rest["journeyContext"] = dict(self.journey_context)
        if self.resume_token is not None:
            rest["resumeToken"] = self.resume_token
        return rest


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigureAuthenticatedSession(Command):
    """Open a session for a signed-in guest, or step a guest session up to one.

    Args:
        jwt: What the token exchange returned; on the wire it is called `code`, and it is no OAuth code.
        deployment_id: Filled in by `GuestProtocol` when left out.
    """

    action: ClassVar[str] = "configureAuthenticatedSession"
    _needs: ClassVar[tuple[str, ...]] = ("deployment_id", "jwt")
    jwt: str = field(repr=False)
    deployment_id: str = ""
    start_new: bool = False
    journey_context: Mapping[str, Any] | None = field(default=None, hash=False)
    resume_token: str | None = field(default=None, repr=False)

    def _rest(self) -> dict[str, Any]:
        rest: dict[str, Any] = {
            "deploymentId": self.deployment_id,
            "startNew": self.start_new,
            "data": {"code": self.jwt},
        }
        if self.journey_context is not None:
            rest["journeyContext"] = dict(self.journey_context)
        if self.resume_token is not None:
            rest["resumeToken"] = self.resume_token
        return rest


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseSession(Command):
    """Give the session up, here and by default on all connections; a read-only one needs it before a new one.

    A goodbye does not need it: closing the socket is enough, and the conversation goes on.
    """

    action: ClassVar[str] = "closeSession"
    close_all_connections: bool = True

    def _rest(self) -> dict[str, Any]:
        return {"closeAllConnections": self.close_all_connections}


@dataclass(frozen=True, slots=True, kw_only=True)
class DisconnectCustomer(Command):
    """An action that is only a name in the official model; what it does is not documented."""

    action: ClassVar[str] = "disconnectCustomer"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeToken(Command):
    """Ask for a resume token; only a name in the official model, its use is not documented."""

    action: ClassVar[str] = "resumeToken"


# -- saying things ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Say(Command):
    """What everything the guest says shares: it becomes part of the conversation.

    Args:
        custom_attributes: Participant data, strings to strings, 2048 bytes of UTF-8 at most.
        metadata: Comes back with the echo and in history. Its `id` is the tracing id unless you set one,
            so that a message can be found again in history, which has no tracing ids.
    """

    action: ClassVar[str] = "onMessage"
    custom_attributes: Mapping[str, str] = field(default_factory=dict, hash=False)
    metadata: Mapping[str, str] = field(default_factory=dict, hash=False)

    def _message(self) -> dict[str, Any]:
        return {}

    def _rest(self) -> dict[str, Any]:
        message = self._message()
        message["metadata"] = {**message.get("metadata", {}), **self.metadata}
        if self.custom_attributes:
            # Nested: the current place. The top-level `channel` is the older one (official).
            message["channel"] = {"metadata": {"customAttributes": dict(self.custom_attributes)}}
        return {"message": message}


@dataclass(frozen=True, slots=True, kw_only=True)
class SendText(Say):
    """Say something in words, with or without uploaded files.

    Args:
        text: 4096 bytes of UTF-8 at most; "" only with an attachment.
        attachment_ids: Ids whose upload succeeded; the official model allows one to a message.
    """

    text: str
    attachment_ids: tuple[str, ...] = ()

    def _message(self) -> dict[str, Any]:
        message: dict[str, Any] = {"type": "Text", "text": self.text}
        if self.attachment_ids:
            message["content"] = [
                {"contentType": "Attachment", "attachment": {"id": attachment}}
                for attachment in self.attachment_ids
            ]
        return message

    def _check(self) -> None:
        need_type(self.text, "text")
        if not self.attachment_ids:
            need_text(self.text, "text")
        for attachment in self.attachment_ids:
            need_text(attachment, "attachment_ids")


@dataclass(frozen=True, slots=True, kw_only=True)
class SendButtonResponse(Say):
    """Click a quick reply, a card's button or a slot of a date picker; `answer(...)` makes one.

    Args:
        text: The label of what was clicked.
        payload: Its payload.
        button_type: QuickReply, Button (cards), DatePicker; ListPicker and Form have commands of their own.
        originating_message_id: The id of the message that made the offer.
    """

    text: str
    payload: str
    button_type: str = "QuickReply"
    originating_message_id: str = ""

    def _message(self) -> dict[str, Any]:
        # As the official browser client sends it; the mobile one says type Text and an empty text.
        button = _button(self.button_type, self.text, self.payload, self.originating_message_id)
        message: dict[str, Any] = {"type": "Structured", "text": self.text, "content": [button]}
        if self.button_type == "DatePicker":
            del message["text"]
            if self.originating_message_id:
                message["metadata"] = {"parentMessageId": self.originating_message_id}
        return message

    def _check(self) -> None:
        if self.button_type not in BUTTON_TYPES:
            raise InputError(
                f"No button response of type {self.button_type!r}.",
                why="The official model has " + ", ".join(BUTTON_TYPES) + ".",
                next_step="Use QuickReply for quick replies, Button for cards, DatePicker for time slots.",
            )
        need_text(self.text, "text")
        need_type(self.payload, "payload")


@dataclass(frozen=True, slots=True, kw_only=True)
class SendListPicker(Say):
    """Choose from a list picker.

    Args:
        items: The chosen rows.
        text: What the reply bubble shows: the picker's `reply_message.subtitle`.
        originating_message_id: The id of the message with the picker.
    """

    items: tuple[ListPickerItem, ...]
    text: str = ""
    originating_message_id: str = ""

    def _message(self) -> dict[str, Any]:
        message: dict[str, Any] = {
            "type": "Structured",
            "text": self.text or ", ".join(item.title for item in self.items),
            "content": [
                _button("ListPicker", item.title, item.id, self.originating_message_id) for item in self.items
            ],
        }
        if self.originating_message_id:
            message["metadata"] = {"parentMessageId": self.originating_message_id}
        return message

    def _check(self) -> None:
        if not self.items:
            raise InputError(
                "A list picker needs at least one chosen row.",
                why="Each chosen row is one button response; without any the message would be empty.",
                next_step="Pass items=(item, ...) from the picker's sections.",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class FormEntry:
    """One answer in a form.

    Args:
        id: The component's id; repeated for each row chosen in a list picker.
        text: What the guest saw: the typed words, the row's title, the date as displayed.
        payload: The value: the typed words, the row's id, the date as ISO 8601 UTC midnight.
    """

    id: str
    text: str = ""
    payload: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendForm(Say):
    """Return a filled-in form.

    Args:
        canned_response_id: From the form as it came.
        entries: The answers; leave out an input that was not touched.
        text: What the reply bubble shows: the form's `reply_message.title`.
        originating_message_id: The id of the message with the form.
    """

    _needs: ClassVar[tuple[str, ...]] = ("canned_response_id",)

    canned_response_id: str
    entries: tuple[FormEntry, ...]
    text: str = ""
    originating_message_id: str = ""

    def _message(self) -> dict[str, Any]:
        form: dict[str, Any] = {"cannedResponseId": self.canned_response_id}
        if self.originating_message_id:
            form["originatingMessageId"] = self.originating_message_id
        form["response"] = [
            {"id": entry.id, "component": _button("Form", entry.text, entry.payload)}
            for entry in self.entries
        ]
        return {"type": "Structured", "text": self.text, "content": [{"contentType": "Form", "form": form}]}


@dataclass(frozen=True, slots=True, kw_only=True)
class SendJoin(Command):
    """Start the conversation without words; only on a new session of a deployment that auto-starts."""

    action: ClassVar[str] = "onMessage"
    custom_attributes: Mapping[str, str] = field(default_factory=dict, hash=False)

    def _rest(self) -> dict[str, Any]:
        message = _event({"eventType": "Presence", "presence": {"type": "Join"}})
        if self.custom_attributes:
            message["channel"] = {"metadata": {"customAttributes": dict(self.custom_attributes)}}
        return {"message": message}


@dataclass(frozen=True, slots=True, kw_only=True)
class SendClear(Command):
    """End the conversation for good, where the deployment allows it; the agent goes to wrap-up."""

    action: ClassVar[str] = "onMessage"

    def _rest(self) -> dict[str, Any]:
        return {"message": _event({"eventType": "Presence", "presence": {"type": "Clear"}})}


@dataclass(frozen=True, slots=True, kw_only=True)
class SendTyping(Command):
    """Show the agent that the guest is typing; once in five seconds at most."""

    action: ClassVar[str] = "onMessage"

    def _rest(self) -> dict[str, Any]:
        return {"message": _event({"eventType": "Typing", "typing": {"type": "On"}})}


# -- asking -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Echo(Command):
    """Ask for a health check; twice a minute at most. It does not keep the session from expiring."""

    action: ClassVar[str] = "echo"
    text: str = "ping"

    def _rest(self) -> dict[str, Any]:
        return {"message": {"type": "Text", "text": self.text}}


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestJwt(Command):
    """Ask for the JWT of the history page; it lives for a minute (documented)."""

    action: ClassVar[str] = "getJwt"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestConfiguration(Command):
    """Ask for the limits that `SessionConfigured` also has."""

    action: ClassVar[str] = "getConfiguration"
    _needs: ClassVar[tuple[str, ...]] = ("deployment_id",)
    deployment_id: str = ""

    def _rest(self) -> dict[str, Any]:
        return {"deploymentId": self.deployment_id}


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestUpload(Command):
    """Ask where to upload a file; PUT it there, then wait for `UploadSucceeded` before sending it.

    Args:
        file_name: With an extension, below 1024 characters.
        file_type: MIME type.
        file_size: Bytes, at least one.
        attachment_id: A UUID of your choice; the server makes one otherwise.
        file_md5: Required in the official model, sent by no official client.
    """

    action: ClassVar[str] = "onAttachment"
    _needs: ClassVar[tuple[str, ...]] = ("file_name", "file_type")
    file_name: str
    file_type: str
    file_size: int
    attachment_id: str = ""
    file_md5: str = ""

    def _rest(self) -> dict[str, Any]:
        rest: dict[str, Any] = {"attachmentId": self.attachment_id} if self.attachment_id else {}
        rest |= {"fileName": self.file_name, "fileType": self.file_type, "fileSize": self.file_size}
        if self.file_md5:
            rest["fileMd5"] = self.file_md5
        rest["errorsAsJson"] = True  # asks for errors that name the attachment
        return rest


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestDownload(Command):
    """Ask for a fresh download URL; the one in a message lives for about ten minutes (documented)."""

    action: ClassVar[str] = "getAttachment"
    _needs: ClassVar[tuple[str, ...]] = ("attachment_id",)
    attachment_id: str

    def _rest(self) -> dict[str, Any]:
        return {"attachmentId": self.attachment_id}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteAttachment(Command):
    """Drop an uploaded file that no message carries yet."""

    action: ClassVar[str] = "deleteAttachment"
    _needs: ClassVar[tuple[str, ...]] = ("attachment_id",)
    attachment_id: str

    def _rest(self) -> dict[str, Any]:
        return {"attachmentId": self.attachment_id}


# -- making and encoding ----------------------------------------------------------------------------------


def answer(choice: QuickReply | CardAction | AvailableTime, *, to: str = "") -> SendButtonResponse:
    """Make the command that answers an offer.

    Args:
        choice: What was clicked, from a message's content.
        to: The id of the message that made the offer.

    Raises:
        InputError: The choice is a link, which sends nothing.
    """
    if isinstance(choice, AvailableTime):
        return SendButtonResponse(
            text=choice.date_time,
            payload=choice.date_time,
            button_type="DatePicker",
            originating_message_id=to,
        )
    if isinstance(choice, CardAction) and choice.is_link:
        raise InputError(
            "A link cannot be answered.",
            why="It opens its URL in the guest's browser and sends nothing.",
            next_step="Choose an action of type Postback, or open the URL.",
        )
    kind = "Button" if isinstance(choice, CardAction) else "QuickReply"
    return SendButtonResponse(
        text=choice.text, payload=choice.payload, button_type=kind, originating_message_id=to
    )


def encode(
    command: Command,
    *,
    token: str,
    tracing_id: str,
    limits: Limits | None = PUBLISHED,
    max_custom_data_bytes: int | None = None,
) -> str:
    """Turn a command into the text of a frame.

    Args:
        command: What to say.
        token: The guest token.
        tracing_id: Comes back on the answer.
        limits: The budgets to check against; None checks no sizes.
        max_custom_data_bytes: The session's own limit, which beats the published one.

    Raises:
        InputError: Something is missing, too large or of the wrong type.

    >>> encode(RequestJwt(), token="t", tracing_id="1")
    '{"action":"getJwt","token":"t","tracingId":"1"}'
    """
    _check(command, limits, max_custom_data_bytes)
    frame: dict[str, Any] = {"action": command.action, "token": token, "tracingId": tracing_id}
    frame |= command._rest()  # noqa: SLF001 - same module
    if isinstance(command, Say):
        message = frame["message"]
        message["metadata"] = {"id": tracing_id, **message["metadata"]}
    try:
        text = _encoder.encode(frame)
        text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(
            f"{type(command).__name__} cannot be written as JSON in UTF-8.",
            why=f"{type(error).__name__}: a value in it has no such form.",
            next_step="Use strings without lone surrogates, finite numbers, lists and dictionaries.",
        ) from None
    return text


def _check(command: Command, limits: Limits | None, max_custom_data_bytes: int | None) -> None:
    for name in command._needs:  # noqa: SLF001 - same module
        need_text(getattr(command, name), name)
    command._check()  # noqa: SLF001 - same module
    if isinstance(command, Say):
        need_strings(command.metadata, "metadata")
    if isinstance(command, (Say, SendJoin)):
        need_strings(command.custom_attributes, "custom_attributes")
    if limits is None:
        return
    check_length(getattr(command, "text", ""), limits)
    if isinstance(command, (Say, SendJoin)):
        allowed = limits.custom_attributes_bytes if max_custom_data_bytes is None else max_custom_data_bytes
        check_attributes(command.custom_attributes, allowed)
    if isinstance(command, RequestUpload):
        check_file(command.file_name, command.file_size)


def _button(kind: str, text: str, payload: str, origin: str = "") -> dict[str, Any]:
    button = {"type": kind, "text": text, "payload": payload}
    if origin:
        button["originatingMessageId"] = origin
    return {"contentType": "ButtonResponse", "buttonResponse": button}


def _event(event: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Event", "events": [event]}
