"""A wrong frame is told which key is wrong, and what to send instead."""

from __future__ import annotations

import json
from typing import Any

import pytest

from guestlab.handshake.frame_check import check_frame
from guestlab.handshake.frame_words import ACTIONS, INTENTS, intent_of

ID = "4efaaeed-d0c4-4a72-8db1-3e479b6b532f"
TOKEN = "f187426e-7f90-4f99-81dd-1fa5b65a7ea2"
TEXT = {"action": "onMessage", "token": TOKEN, "message": {"type": "Text", "text": "hi"}}


@pytest.mark.parametrize(
    "frame",
    [
        {
            "action": "configureSession",
            "deploymentId": ID,
            "token": TOKEN,
            "startNew": False,
            "tracingId": "t",
        },
        {
            "action": "configureAuthenticatedSession",
            "deploymentId": ID,
            "token": TOKEN,
            "data": {"code": "eyJ.a"},
        },
        TEXT,
        {**TEXT, "message": {**TEXT["message"], "channel": {"metadata": {"customAttributes": {"a": "b"}}}}},
        {"action": "echo", "token": TOKEN, "message": {"type": "Text", "text": "ping"}},
        {"action": "getJwt", "token": "[masked:3f9a1c2e]"},
        {"action": "closeSession", "token": TOKEN, "closeAllConnections": True},
        {
            "action": "onAttachment",
            "token": TOKEN,
            "fileName": "a",
            "fileType": "b",
            "fileSize": 1,
            "errorsAsJson": True,
        },
    ],
    ids=lambda frame: frame["action"],
)
def test_a_right_frame_gets_no_remark(frame: dict[str, Any]) -> None:
    """Neither as an object nor as text."""
    assert check_frame(frame).ok, str(check_frame(frame))
    assert check_frame(json.dumps(frame)).converted is None


@pytest.mark.parametrize(
    ("frame", "first", "keys"),
    [
        ({"type": "connect", "token": "eyJhbGciOi.EXAMPLE"}, True, {"type", "token"}),
        ({"action": "configuresession", "deploymentId": ID, "token": TOKEN}, True, {"action"}),
        ({"type": "configureSession", "deploymentId": ID, "token": TOKEN}, True, {"type"}),
        ({"action": "configureSession", "token": "abc"}, True, {"deploymentId", "token"}),
        ({"action": "configureSession", "deploymentId": TOKEN, "token": TOKEN}, True, {"deploymentId"}),
        ({"action": "configureSession", "deploymentId": ID, "token": TOKEN, "queueId": ID}, True, {"queueId"}),
        ({"action": "configureSession", "deploymentId": ID, "token": TOKEN, "color": "red"}, True, {"color"}),
        (TEXT, True, {"action"}),
        ({**TEXT, "channel": {"metadata": {"customAttributes": {"a": "b"}}}}, False, {"channel.metadata.customAttributes"}),
        ({**TEXT, "customAttributes": {"a": "b"}}, False, {"customAttributes"}),
        ({**TEXT, "message": {"type": "Text", "channel": {"metadata": {"customAttributes": {"a": "b" * 2048}}}}}, False,
         {"message.channel.metadata.customAttributes"}),
        ({"guestId": "1", "conversationId": "2"}, False, {"action", "guestId", "conversationId"}),
        ({**TEXT, "token": "x" * 2049}, False, {"token"}),
        ("hello", True, {""}),
        ("[1]", False, {""}),
    ],
)  # fmt: skip
def test_the_offending_keys_are_named(frame: Any, first: bool, keys: set[str]) -> None:
    """All of them and no other."""
    assert {remark.key for remark in check_frame(frame, first=first, deployment_id=ID).remarks} == keys


@pytest.mark.parametrize(
    ("frame", "path", "value"),
    [
        ({"type": "message", "text": "hi"}, ("message", "text"), "hi"),
        ({"type": "send-message", "data": {"content": "hi"}}, ("message", "text"), "hi"),
        ({"text": "hi"}, ("message", "text"), "hi"),
        ({"type": "SEND_MESSAGE", "text": "hi", "customAttributes": {"a": 1}},
         ("message", "channel", "metadata", "customAttributes"), {"a": "1"}),
        ({**TEXT, "channel": {"metadata": {"customAttributes": {"a": "b"}}}},
         ("message", "channel", "metadata", "customAttributes"), {"a": "b"}),
        ({"type": "typing"}, ("message", "events"), [{"eventType": "Typing", "typing": {"type": "On"}}]),
        ({"event": "leave_chat"}, ("message", "events"), [{"eventType": "Presence", "presence": {"type": "Clear"}}]),
        ({"type": "ping"}, ("action",), "echo"),
        ({"action": "getHistory", "token": TOKEN}, ("action",), "getJwt"),
        ({"action": "getHistory", "token": TOKEN}, ("token",), TOKEN),
        ({"action": "uploadAttachment"}, ("action",), "onAttachment"),
        ({"command": "CONNECT"}, ("action",), "configureSession"),
    ],
)  # fmt: skip
def test_the_frame_that_was_meant_is_offered(
    frame: dict[str, Any], path: tuple[str, ...], value: Any
) -> None:
    """Converted by what its verb tries to say."""
    converted: Any = check_frame(frame).converted
    assert converted["action"] in ACTIONS
    for key in path:
        converted = converted[key]
    assert converted == value


@pytest.mark.parametrize(
    "frame", ["hello", {"type": "init"}, TEXT, {"action": "configureSession", "token": "eyJ.a"}]
)
def test_a_wrong_first_frame_becomes_a_configure_frame(frame: Any) -> None:
    """With the deployment id of the URL, and a token still to be made."""
    converted = check_frame(frame, first=True, deployment_id=ID).converted
    assert converted is not None
    assert (converted["action"], converted["deploymentId"]) == ("configureSession", ID)
    assert converted["token"].startswith("<")
    assert check_frame({**converted, "token": TOKEN}, first=True, deployment_id=ID).ok


def test_what_is_no_frame_at_all_is_left_alone() -> None:
    """Nothing is invented for it."""
    assert check_frame({"a": 1}).converted is None
    assert str(check_frame(TEXT)) == "✓ the frame is right"


def test_the_invented_verbs_are_told_apart_by_what_they_want() -> None:
    """Spelling does not matter, and no real action but by its own intent is an intent."""
    assert intent_of("SEND_MESSAGE") == intent_of("send-message") == "message"
    assert intent_of("guest_ready") == "configure"
    assert intent_of("frobnicate") == ""
    assert len(INTENTS) == 8
