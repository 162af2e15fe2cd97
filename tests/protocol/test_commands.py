"""Commands become frames, or are refused with what, why and next."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from guestlab.errors import InputError
from guestlab.limits import PUBLISHED, Limits
from guestlab.protocol import commands as say
from guestlab.protocol.content import AvailableTime, CardAction, ListPickerItem, QuickReply

ID = {"metadata": {"id": "t1"}}


def button(kind: str, text: str, payload: str, **more: str) -> dict[str, Any]:
    """One ButtonResponse item."""
    return {
        "contentType": "ButtonResponse",
        "buttonResponse": {"type": kind, "text": text, "payload": payload, **more},
    }


def event(body: dict[str, Any]) -> dict[str, Any]:
    """The message of one event."""
    return {"message": {"type": "Event", "events": [body]}}


# command, action, the rest of the frame
FRAMES: list[tuple[say.Command, str, dict[str, Any]]] = [
    (say.ConfigureSession(deployment_id="d"), "configureSession", {"deploymentId": "d", "startNew": False}),
    (
        say.ConfigureSession(
            deployment_id="d", start_new=True, journey_context={"customer": {"id": "x"}}, resume_token="r"
        ),
        "configureSession",
        {
            "deploymentId": "d",
            "startNew": True,
            "journeyContext": {"customer": {"id": "x"}},
            "resumeToken": "r",
        },
    ),
    (
        say.ConfigureAuthenticatedSession(deployment_id="d", jwt="j", journey_context={}, resume_token="r"),
        "configureAuthenticatedSession",
        {
            "deploymentId": "d",
            "startNew": False,
            "data": {"code": "j"},
            "journeyContext": {},
            "resumeToken": "r",
        },
    ),
    (say.CloseSession(), "closeSession", {"closeAllConnections": True}),
    (say.CloseSession(close_all_connections=False), "closeSession", {"closeAllConnections": False}),
    (say.DisconnectCustomer(), "disconnectCustomer", {}),
    (say.ResumeToken(), "resumeToken", {}),
    (say.SendText(text="žluť 🐎"), "onMessage", {"message": {"type": "Text", "text": "žluť 🐎", **ID}}),
    (
        say.SendText(
            text="",
            attachment_ids=("a", "b"),
            custom_attributes={"A": "B"},
            metadata={"id": "mine", "k": "v"},
        ),
        "onMessage",
        {
            "message": {
                "type": "Text",
                "text": "",
                "content": [
                    {"contentType": "Attachment", "attachment": {"id": "a"}},
                    {"contentType": "Attachment", "attachment": {"id": "b"}},
                ],
                "metadata": {"id": "mine", "k": "v"},
                "channel": {"metadata": {"customAttributes": {"A": "B"}}},
            }
        },
    ),
    (
        say.SendButtonResponse(text="Red", payload="RED"),
        "onMessage",
        {
            "message": {
                "type": "Structured",
                "text": "Red",
                "content": [button("QuickReply", "Red", "RED")],
                **ID,
            }
        },
    ),
    (
        say.answer(QuickReply(text="Red", payload="RED"), to="o"),
        "onMessage",
        {
            "message": {
                "type": "Structured",
                "text": "Red",
                "content": [button("QuickReply", "Red", "RED", originatingMessageId="o")],
                **ID,
            }
        },
    ),
    (
        say.answer(CardAction(type="Postback", text="Book", payload="p")),
        "onMessage",
        {"message": {"type": "Structured", "text": "Book", "content": [button("Button", "Book", "p")], **ID}},
    ),
    (
        say.answer(AvailableTime(date_time="2026-06-26T17:30:00.000Z", duration=1800), to="o"),
        "onMessage",
        {
            "message": {
                "type": "Structured",
                "content": [
                    button(
                        "DatePicker",
                        "2026-06-26T17:30:00.000Z",
                        "2026-06-26T17:30:00.000Z",
                        originatingMessageId="o",
                    )
                ],
                "metadata": {"id": "t1", "parentMessageId": "o"},
            }
        },
    ),
    (
        say.SendListPicker(
            items=(ListPickerItem(id="1", title="Tea"), ListPickerItem(id="2", title="Milk")),
            originating_message_id="o",
        ),
        "onMessage",
        {
            "message": {
                "type": "Structured",
                "text": "Tea, Milk",
                "content": [
                    button("ListPicker", "Tea", "1", originatingMessageId="o"),
                    button("ListPicker", "Milk", "2", originatingMessageId="o"),
                ],
                "metadata": {"id": "t1", "parentMessageId": "o"},
            }
        },
    ),
    (
        say.SendForm(
            canned_response_id="cr1",
            entries=(say.FormEntry(id="name", text="Jane", payload="Jane"), say.FormEntry(id="wp")),
            text="Thanks",
            originating_message_id="o",
        ),
        "onMessage",
        {
            "message": {
                "type": "Structured",
                "text": "Thanks",
                "content": [
                    {
                        "contentType": "Form",
                        "form": {
                            "cannedResponseId": "cr1",
                            "originatingMessageId": "o",
                            "response": [
                                {"id": "name", "component": button("Form", "Jane", "Jane")},
                                {"id": "wp", "component": button("Form", "", "")},
                            ],
                        },
                    }
                ],
                **ID,
            }
        },
    ),
    (say.SendTyping(), "onMessage", event({"eventType": "Typing", "typing": {"type": "On"}})),
    (say.SendJoin(), "onMessage", event({"eventType": "Presence", "presence": {"type": "Join"}})),
    (
        say.SendJoin(custom_attributes={"A": "B"}),
        "onMessage",
        {
            "message": {
                "type": "Event",
                "events": [{"eventType": "Presence", "presence": {"type": "Join"}}],
                "channel": {"metadata": {"customAttributes": {"A": "B"}}},
            }
        },
    ),
    (say.SendClear(), "onMessage", event({"eventType": "Presence", "presence": {"type": "Clear"}})),
    (say.Echo(), "echo", {"message": {"type": "Text", "text": "ping"}}),
    (say.RequestJwt(), "getJwt", {}),
    (say.RequestConfiguration(deployment_id="d"), "getConfiguration", {"deploymentId": "d"}),
    (
        say.RequestUpload(
            file_name="a.png", file_type="image/png", file_size=3, attachment_id="a", file_md5="m"
        ),
        "onAttachment",
        {
            "attachmentId": "a",
            "fileName": "a.png",
            "fileType": "image/png",
            "fileSize": 3,
            "fileMd5": "m",
            "errorsAsJson": True,
        },
    ),
    (
        say.RequestUpload(file_name="a.png", file_type="image/png", file_size=3),
        "onAttachment",
        {"fileName": "a.png", "fileType": "image/png", "fileSize": 3, "errorsAsJson": True},
    ),
    (say.RequestDownload(attachment_id="a"), "getAttachment", {"attachmentId": "a"}),
    (say.DeleteAttachment(attachment_id="a"), "deleteAttachment", {"attachmentId": "a"}),
]


@pytest.mark.parametrize(("command", "action", "rest"), FRAMES, ids=lambda value: type(value).__name__)
def test_a_command_becomes_its_frame(command: say.Command, action: str, rest: dict[str, Any]) -> None:
    """Action, token, tracing id, then the rest; compact, and in UTF-8 rather than escapes."""
    text = say.encode(command, token="guest", tracing_id="t1")
    assert json.loads(text) == {"action": action, "token": "guest", "tracingId": "t1", **rest}
    assert list(json.loads(text))[:3] == ["action", "token", "tracingId"]
    assert text == json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"))
    assert command.action == action


def test_every_action_has_a_command() -> None:
    """All twelve of the official model."""
    twelve = (
        "configureSession configureAuthenticatedSession onAttachment getAttachment deleteAttachment onMessage "
        "closeSession echo getJwt disconnectCustomer resumeToken getConfiguration"
    )
    assert {action for _, action, _ in FRAMES} == set(twelve.split())


# command, a piece of what the error says
REFUSED: list[tuple[say.Command, str]] = [
    (say.ConfigureSession(), "deployment_id is empty"),
    (say.ConfigureAuthenticatedSession(deployment_id="d", jwt=""), "jwt is empty"),
    (say.SendText(text=""), "text is empty"),
    (say.SendText(text=7), "text must be a string, not int"),  # type: ignore[arg-type]
    (say.SendText(text=None, attachment_ids=("a",)), "text must be a string"),  # type: ignore[arg-type]
    (say.SendText(text="x", attachment_ids=("",)), "attachment_ids is empty"),
    (say.SendText(text="x" * 4097), "The text has 4097 bytes in UTF-8; 4096 are allowed"),
    (say.SendText(text="ž" * 2049), "The text has 4098 bytes"),
    (say.SendText(text="\ud800"), "cannot be written as JSON in UTF-8"),
    (
        say.SendText(text="x", custom_attributes={"a": 1}),
        "custom_attributes must map strings to strings; 'a' holds int",
    ),  # type: ignore[dict-item]
    (say.SendText(text="x", custom_attributes={"k": "v" * 2048}), "The custom attributes have 2049 bytes"),
    (say.SendText(text="x", metadata={"a": None}), "metadata must map strings to strings"),  # type: ignore[dict-item]
    (say.SendJoin(custom_attributes={"ž": "v" * 2047}), "The custom attributes have 2049 bytes"),
    (say.SendText(text="x", metadata=None), "metadata must be a mapping, not NoneType"),  # type: ignore[arg-type]
    (say.SendButtonResponse(text="", payload="p"), "text is empty"),
    (say.SendButtonResponse(text="a", payload=None), "payload must be a string"),  # type: ignore[arg-type]
    (
        say.SendButtonResponse(text="a", payload="p", button_type="Postback"),
        "No button response of type 'Postback'",
    ),
    (say.SendListPicker(items=()), "at least one chosen row"),
    (say.SendForm(canned_response_id="", entries=()), "canned_response_id is empty"),
    (say.Echo(text="x" * 4097), "The text has 4097 bytes"),
    (say.RequestConfiguration(), "deployment_id is empty"),
    (say.RequestUpload(file_name="a", file_type="x/y", file_size=1), "has no extension"),
    (say.RequestUpload(file_name=".a", file_type="x/y", file_size=1), "has no extension"),
    (say.RequestUpload(file_name="a.b", file_type="x/y", file_size=0), "is empty"),
    (say.RequestUpload(file_name="a" * 1020 + ".png", file_type="x/y", file_size=1), "has 1024 characters"),
    (say.RequestUpload(file_name="a.b", file_type="", file_size=1), "file_type is empty"),
    (say.RequestDownload(attachment_id=""), "attachment_id is empty"),
    (say.ConfigureSession(deployment_id="d", journey_context={"a": object()}), "cannot be written as JSON"),
    (
        say.ConfigureSession(deployment_id="d", journey_context={"a": float("nan")}),
        "cannot be written as JSON",
    ),
]


@pytest.mark.parametrize(("command", "says"), REFUSED, ids=lambda value: str(value)[:40])
def test_a_command_that_cannot_work_is_refused(command: say.Command, says: str) -> None:
    """Before anything is sent, with why and a next step."""
    with pytest.raises(InputError) as caught:
        say.encode(command, token="guest", tracing_id="t1")
    assert says in caught.value.what
    assert caught.value.why
    assert caught.value.next_step


def test_what_just_fits_is_sent() -> None:
    """The limits themselves are allowed."""
    fits: list[say.Command] = [
        say.SendText(text="x" * 4096),
        say.SendText(text="x", custom_attributes={"k": "v" * 2047}),
        say.RequestUpload(file_name="a" * 1019 + ".png", file_type="x/y", file_size=1),
    ]
    for command in fits:
        assert say.encode(command, token="guest", tracing_id="t1")


@pytest.mark.parametrize(
    ("command", "says"), [row for row in REFUSED if "allowed" in row[1] or "bytes" in row[1]]
)
def test_without_limits_sizes_are_the_servers_business(command: say.Command, says: str) -> None:
    """Types are still checked."""
    assert says
    assert say.encode(command, token="guest", tracing_id="t1", limits=None)


def test_limits_can_be_tighter_or_wider() -> None:
    """They are an argument, and the session's own attribute limit beats them."""
    with pytest.raises(InputError):
        say.encode(say.SendText(text="xx"), token="g", tracing_id="1", limits=Limits(text_length=1))
    attributes = say.SendText(text="x", custom_attributes={"k": "v" * 3000})
    assert say.encode(attributes, token="g", tracing_id="1", limits=PUBLISHED, max_custom_data_bytes=4000)


def test_a_link_cannot_be_answered() -> None:
    """It opens a page and sends nothing."""
    with pytest.raises(InputError, match="A link cannot be answered"):
        say.answer(CardAction(type="LINK", text="Open", url="https://x"))


def test_no_repr_shows_a_secret() -> None:
    """JWT and resume token are left out."""
    command = say.ConfigureAuthenticatedSession(deployment_id="d", jwt="s3cr3t", resume_token="s3cr3t")
    assert "s3cr3t" not in repr(command) + repr(say.ConfigureSession(resume_token="s3cr3t"))


@pytest.mark.parametrize(
    "command", [command for command, _, _ in FRAMES], ids=lambda value: type(value).__name__
)
def test_commands_are_frozen_slotted_and_hashable(command: say.Command) -> None:
    """So that they can wait in a table for their answer."""
    assert not hasattr(command, "__dict__")
    assert hash(command) == hash(dataclasses.replace(command))
    with pytest.raises((dataclasses.FrozenInstanceError, TypeError)):
        command.action = "other"  # type: ignore[misc]
