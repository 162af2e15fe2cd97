"""Official sample frames, from the test fixtures of MyPureCloud/genesys-messenger-transport-mobile-sdk."""

from __future__ import annotations

import json
from typing import Any

from guestlab.protocol import commands as say
from guestlab.protocol.decoding import READERS, decode
from guestlab.protocol.events import MalformedFrame, Unrecognized
from guestlab.protocol.messages import Message


def test_a_server_sample_decodes_without_loss(server_sample: dict[str, Any]) -> None:
    """Decoding and reading back gives the same JSON, and a known class is never malformed."""
    text = json.dumps(server_sample)
    events = decode(text)
    assert all(event.raw == server_sample for event in events)
    assert all(event.text == text for event in events)
    assert not any(isinstance(event, MalformedFrame) for event in events)
    assert [type(e) for e in decode(text.encode())] == [type(e) for e in events]


def test_a_server_sample_keeps_its_envelope(server_sample: dict[str, Any]) -> None:
    """Class, type and tracing id can be read off every event."""
    for event in decode(json.dumps(server_sample)):
        assert event.class_name == server_sample["class"]
        assert event.type == server_sample["type"]
        body = server_sample["body"] if isinstance(server_sample["body"], dict) else {}
        assert event.tracing_id == server_sample.get("tracingId", body.get("tracingId", ""))


def test_a_server_sample_of_a_known_class_is_recognized(server_sample: dict[str, Any]) -> None:
    """Only a class nobody knows, an unknown event or an empty one is `Unrecognized`."""
    events = decode(json.dumps(server_sample))
    unknown = [event for event in events if isinstance(event, Unrecognized)]
    if server_sample["class"] in READERS:
        assert {event.what for event in unknown} <= {"event", "message"}
        assert {event.name for event in unknown} <= {"Fake", "Event"}
    else:
        assert unknown


def test_every_field_of_a_sample_message_can_be_read(server_sample: dict[str, Any]) -> None:
    """Nothing lazy raises later, and the plain fields equal the wire's."""
    for event in decode(json.dumps(server_sample)):
        message = getattr(event, "message", None)
        if not isinstance(message, Message):
            continue
        body = server_sample["body"]
        assert message.text == body.get("text", "")
        assert message.direction == body["direction"]
        assert message.raw == body
        assert len(message.content) == len(body.get("content", []))
        assert (message.time is None) == (message.time_text in ("", "some_time"))
        assert repr(message)


def test_an_unknown_sample_is_kept_whole(unknown_sample: dict[str, Any]) -> None:
    """A foreign class and a client's own frame are `Unrecognized`, not lost."""
    (event,) = decode(json.dumps(unknown_sample))
    assert isinstance(event, Unrecognized)
    assert event.raw == unknown_sample
    assert event.detail == unknown_sample


def test_an_official_request_can_be_said(client_sample: dict[str, Any]) -> None:
    """For every official client frame there is a command that sends all the server needs of it."""
    written = json.loads(
        say.encode(
            _said(client_sample), token=client_sample["token"], tracing_id=client_sample.get("tracingId", "x")
        )
    )
    assert _within(_today(client_sample), written)


_OLD = ("guestInformation", "attachmentIds", "fileMd5", "errorsAsJson")


def _today(sample: dict[str, Any]) -> dict[str, Any]:
    """The sample as today's protocol has it: fields that left the model years ago are gone."""
    sample = {key: value for key, value in sample.items() if key not in _OLD and value is not None}
    message = dict(sample.get("message", {}))
    if not message:
        return sample
    if "channel" in sample:  # custom attributes moved into the message in October 2022
        message["channel"] = sample.pop("channel")
    if message.get("content"):
        # The mobile client answers quick replies with type Text and an empty text, and once said Postback.
        message.pop("type", None)
        message.pop("text", None)
        content = json.dumps(message["content"]).replace('"Postback"', '"Button"')
        message["content"] = json.loads(content)
    message = {key: value for key, value in message.items() if value not in (None, [])}
    if sample["action"] == "echo":
        message.pop("metadata", None)
    if "events" in message:
        message["events"] = [{**event, **_plain_typing(event)} for event in message["events"]]
    return {**sample, "message": message}


def _plain_typing(event: dict[str, Any]) -> dict[str, Any]:
    return {"typing": {"type": "On"}} if event["eventType"] == "Typing" else {}


def _said(sample: dict[str, Any]) -> say.Command:
    message = sample.get("message", {})
    attributes = message.get("channel") or sample.get("channel") or {"metadata": {"customAttributes": {}}}
    common = {"custom_attributes": attributes["metadata"]["customAttributes"]}
    configure = {
        "deployment_id": sample.get("deploymentId", ""),
        "start_new": sample.get("startNew", False),
        "journey_context": sample.get("journeyContext"),
    }
    match sample["action"]:
        case "configureSession":
            return say.ConfigureSession(**configure)
        case "configureAuthenticatedSession":
            return say.ConfigureAuthenticatedSession(jwt=sample["data"]["code"], **configure)
        case "closeSession":
            return say.CloseSession(close_all_connections=sample["closeAllConnections"])
        case "echo":
            return say.Echo(text=message["text"])
        case "getJwt":
            return say.RequestJwt()
        case "getAttachment":
            return say.RequestDownload(attachment_id=sample["attachmentId"])
        case "deleteAttachment":
            return say.DeleteAttachment(attachment_id=sample["attachmentId"])
        case "onAttachment":
            return say.RequestUpload(
                attachment_id=sample["attachmentId"],
                file_name=sample["fileName"],
                file_type=sample["fileType"],
                file_size=sample.get("fileSize", 1),
            )
    if message.get("events"):
        event = message["events"][0]
        if event["eventType"] == "Typing":
            return say.SendTyping()
        return say.SendClear() if event["presence"]["type"] == "Clear" else say.SendJoin(**common)
    common["metadata"] = message.get("metadata", {})
    content = message.get("content") or [{}]
    if "buttonResponse" in content[0]:
        button = content[0]["buttonResponse"]
        kind = button["type"].replace("Postback", "Button")
        return say.SendButtonResponse(
            text=button["text"], payload=button["payload"], button_type=kind, **common
        )
    attached = tuple(item["attachment"]["id"] for item in content if "attachment" in item)
    return say.SendText(text=message["text"], attachment_ids=attached, **common)


def _within(small: Any, large: Any) -> bool:
    """Whether everything in `small` is in `large`, which may say more."""
    if isinstance(small, dict):
        return isinstance(large, dict) and all(
            key in large and _within(small[key], large[key]) for key in small
        )
    if isinstance(small, list):
        return isinstance(large, list) and len(small) == len(large) and all(map(_within, small, large))
    return bool(small == large)
