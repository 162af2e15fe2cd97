"""Frames in, events out: each class, each trap, and everything that is no frame at all."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from playbook import frame

from guestlab.protocol import events as got
from guestlab.protocol.decoding import READERS, decode, decode_entity
from guestlab.protocol.reading import DEEPEST

EXPIRES = datetime.fromtimestamp(1791139139, tz=UTC)


def only(text: str | bytes) -> got.Event:
    """The one event of a frame."""
    (event,) = decode(text)
    return event


# class, body, event class, what the event says
CLASSES: list[tuple[str, Any, type[got.Event], dict[str, Any]]] = [
    (
        "SessionResponse",
        {
            "connected": True,
            "newSession": True,
            "readOnly": False,
            "clearedExistingSession": True,
            "autoStarted": True,
            "allowedMedia": {
                "inbound": {"fileTypes": [{"type": "*/*"}, {"type": "video/3gpp"}], "maxFileSizeKB": 10240}
            },
            "blockedExtensions": [".ade"],
            "maxCustomDataBytes": 2048.0,
            "durationSeconds": 259200.0,
            "expirationDate": 1791139139,
        },
        got.SessionConfigured,
        {
            "connected": True,
            "new_session": True,
            "read_only": False,
            "cleared_existing_session": True,
            "auto_started": True,
            "allowed_media": ("*/*", "video/3gpp"),
            "max_file_size_kb": 10240,
            "blocked_extensions": (".ade",),
            "max_custom_data_bytes": 2048,
            "duration_seconds": 259200,
            "expiration": EXPIRES,
        },
    ),
    (
        "SessionResponse",
        {"connected": True, "allowedMedia": {"inbound": {}}, "expirationDate": 1791139139000},
        got.SessionConfigured,
        {"new_session": False, "allowed_media": (), "max_file_size_kb": None, "expiration": EXPIRES},
    ),
    (
        "SessionResponse",
        {"connected": "false", "readOnly": "true"},
        got.SessionConfigured,
        {"connected": False, "read_only": True},
    ),
    ("ConnectionClosedEvent", {}, got.ConnectionTakenOver, {"reason": ""}),
    ("ConnectionClosedEvent", {"reason": "signedIn"}, got.ConnectionTakenOver, {"reason": "signedIn"}),
    ("ConnectionClosedEvent", {"reasonCode": "signedIn"}, got.ConnectionTakenOver, {"reason": "signedIn"}),
    ("SessionClearedEvent", None, got.SessionCleared, {}),
    ("SessionExpiredEvent", {}, got.SessionExpired, {}),
    ("LogoutEvent", {}, got.LoggedOut, {}),
    ("JwtResponse", {"jwt": "eyJ", "exp": 1791139139}, got.JwtIssued, {"jwt": "eyJ", "expiration": EXPIRES}),
    (
        "ResumeTokenResponse",
        {"resumeToken": "r", "exp": 1791139139.0},
        got.ResumeTokenIssued,
        {"resume_token": "r", "expiration": EXPIRES},
    ),
    (
        "PresignedUrlResponse",
        {"attachmentId": "a", "url": "https://u", "headers": {"x-amz-tagging": "t"}, "fileSize": 1},
        got.UploadUrlIssued,
        {"attachment_id": "a", "url": "https://u", "headers": {"x-amz-tagging": "t"}},
    ),
    (
        "PresignedUrlResponse",
        {"attachmentId": "a", "url": "https://u", "headers": {}},
        got.UploadUrlIssued,
        {"headers": {}},
    ),
    (
        "PresignedUrlResponse",
        {
            "attachmentId": "a",
            "url": "https://u",
            "headers": {},
            "fileName": "f.png",
            "fileSize": 1,
            "fileType": "image/png",
        },
        got.DownloadUrlIssued,
        {
            "attachment_id": "a",
            "url": "https://u",
            "file_name": "f.png",
            "file_size": 1,
            "file_type": "image/png",
        },
    ),
    (
        "UploadSuccessEvent",
        {"attachmentId": "a", "downloadUrl": "https://d", "timestamp": "t"},
        got.UploadSucceeded,
        {"attachment_id": "a", "download_url": "https://d"},
    ),
    (
        "UploadFailureEvent",
        {"attachmentId": "a", "errorCode": 4003, "errorMessage": "scan"},
        got.UploadFailed,
        {"attachment_id": "a", "code": 4003, "reason": "scan"},
    ),
    (
        "GenerateUrlError",
        {"attachmentId": "a", "errorCode": 4001, "errorMessage": "type"},
        got.AttachmentRefused,
        {"attachment_id": "a", "code": 4001, "reason": "type", "name": "file type invalid"},
    ),
    ("AttachmentDeletedResponse", {"attachmentId": "a"}, got.AttachmentDeleted, {"attachment_id": "a"}),
    (
        "GetConfigurationResponse",
        {
            "allowedMedia": {},
            "maxCustomDataBytes": 2048,
            "messageRoutingEnabled": True,
            "sessionDurationSeconds": 259200,
        },
        got.ConfigurationReceived,
        {"max_custom_data_bytes": 2048, "message_routing_enabled": True, "session_duration_seconds": 259200},
    ),
    (
        "TooManyRequestsErrorMessage",
        {"retryAfter": 3, "errorCode": 4029, "errorMessage": "Message rate too high"},
        got.RateLimited,
        {"retry_after": 3.0, "code": 4029, "reason": "Message rate too high"},
    ),
    ("TooManyRequestsErrorMessage", {"retryAfter": -3}, got.RateLimited, {"retry_after": 0.0}),
    ("TooManyRequestsErrorMessage", None, got.RateLimited, {"retry_after": None, "reason": ""}),
    (
        "ErrorMessage",
        {"errorCode": 4020, "message": "no", "name": "E"},
        got.ErrorReceived,
        {"code": 4020, "reason": "no"},
    ),
    ("Error", "plain words", got.ErrorReceived, {"reason": "plain words", "code": 200}),
    ("string", "all right", got.Unrecognized, {"what": "class", "name": "string"}),
    ("NotSupportedClassName", {}, got.Unrecognized, {"what": "class", "name": "NotSupportedClassName"}),
    ("Unknown", {"a": 1}, got.Unrecognized, {"what": "class", "name": "Unknown"}),
]


@pytest.mark.parametrize(("name", "body", "kind", "says"), CLASSES, ids=lambda value: str(value)[:30])
def test_a_class_becomes_its_event(name: str, body: Any, kind: type[got.Event], says: dict[str, Any]) -> None:
    """With what the frame says, whatever `type` it claims."""
    for claimed in ("message", "response"):
        event = only(frame(name, body, tracing_id="t", kind=claimed))
        assert type(event) is kind
        assert {key: getattr(event, key) for key in says} == says
        assert (event.class_name, event.type, event.tracing_id) == (name, claimed, "t")


def test_every_official_class_has_a_reader_or_is_unrecognized() -> None:
    """The official model's list of classes, web-messaging-sdk-java 18.1.0."""
    official = (
        "string SessionResponse StructuredMessage PresignedUrlResponse AttachmentDeletedResponse UploadFailureEvent "
        "UploadSuccessEvent ConnectionClosedEvent LogoutEvent SessionExpiredEvent JwtResponse "
        "GetConfigurationResponse GenerateUrlError TooManyRequestsErrorMessage ResumeTokenResponse "
        "SessionClearedEvent Error Unknown"
    )
    assert set(official.split()) - set(READERS) == {"Unknown"}


@pytest.mark.parametrize(
    ("code", "body", "kind"),
    [
        (400, "Request failed.", got.ErrorReceived),
        (429, "slow down", got.RateLimited),
        (4029, "slow down", got.RateLimited),
        (4011.0, "message too long", got.ErrorReceived),
        (400, None, got.ErrorReceived),
        (400, ["odd"], got.ErrorReceived),
    ],
)
def test_a_string_frame_with_a_code_is_an_error(code: float, body: Any, kind: type[got.Event]) -> None:
    """Whatever stands in its body."""
    event = only(json.dumps({"type": "response", "class": "string", "code": code, "body": body}))
    assert type(event) is kind
    assert event.code == code
    assert event.reason == (body if isinstance(body, str) else "")


@pytest.mark.parametrize("name", ["SessionResponse", "GetConfigurationResponse", "SomethingNew"])
def test_an_error_code_beats_the_class(name: str) -> None:
    """A response that says 4xx is no answer, whatever its class."""
    event = only(frame(name, {"message": "no", "connected": True}, code=400))
    assert isinstance(event, got.ErrorReceived)
    assert (event.code, event.reason, event.advice) == (400, "no", event.advice)


def test_the_tracing_id_is_read_from_the_envelope_then_from_the_body() -> None:
    """Bodies may carry one too."""
    assert (
        only('{"class":"JwtResponse","tracingId":"e","body":{"jwt":"j","tracingId":"b"}}').tracing_id == "e"
    )
    assert only('{"class":"JwtResponse","body":{"jwt":"j","tracingId":"b"}}').tracing_id == "b"
    assert only('{"class":"JwtResponse","tracingId":7,"body":{"jwt":"j"}}').tracing_id == ""
    message = only('{"class":"StructuredMessage","body":{"type":"Text","tracingId":"b"}}').message
    assert message.tracing_id == "b"


# -- structured messages ----------------------------------------------------------------------------------


def structured(body: dict[str, Any], kind: str = "message") -> tuple[got.Event, ...]:
    """The events of one StructuredMessage."""
    return decode(frame("StructuredMessage", body, kind=kind))


@pytest.mark.parametrize("kind", ["Text", "Structured", "Message", "Something", None, 7, [], {}])
def test_words_of_any_type_are_a_message(kind: Any) -> None:
    """Official clients send some without a type; the echo then says Text."""
    (event,) = structured({"type": kind, "text": "hi"})
    assert isinstance(event, got.MessageReceived)
    assert event.message.text == "hi"


def test_a_receipt_is_no_message() -> None:
    """In the model, never seen on the web channel."""
    (event,) = structured(
        {"type": "Receipt", "status": "Delivered", "reasons": [{"code": "GeneralError"}, 7]}
    )
    assert isinstance(event, got.ReceiptReceived)
    assert event.status == "Delivered"
    assert event.message.reasons == ({"code": "GeneralError"},)


# one item of `events`, the event class, what it says
HAPPENINGS: list[tuple[Any, type[got.Event], dict[str, Any]]] = [
    (
        {"eventType": "Typing", "typing": {"type": "On", "duration": 3000}},
        got.TypingReceived,
        {"duration_ms": 3000, "on": True},
    ),
    (
        {"eventType": "Typing", "typing": {"type": "On", "durationMs": 4000}},
        got.TypingReceived,
        {"duration_ms": 4000},
    ),
    ({"eventType": "Typing", "typing": {"type": "Off", "duration": 1000}}, got.TypingReceived, {"on": False}),
    ({"eventType": "Typing"}, got.TypingReceived, {"duration_ms": 5000, "on": True, "direction": "Outbound"}),
    (
        {"eventType": "Presence", "presence": {"type": "Join"}},
        got.PresenceChanged,
        {"presence": "Join", "read_only": True},
    ),
    (
        {"eventType": "Presence", "presence": {"type": "SessionExpired"}},
        got.PresenceChanged,
        {"presence": "SessionExpired"},
    ),
    (
        {"eventType": "Presence", "presence": {"type": "Authenticate"}},
        got.PresenceChanged,
        {"presence": "Authenticate"},
    ),
    ({"eventType": "Presence", "presence": None}, got.PresenceChanged, {"presence": ""}),
    (
        {
            "eventType": "CoBrowse",
            "coBrowse": {"type": "Offering", "sessionId": "s", "sessionJoinToken": "t"},
        },
        got.CoBrowseReceived,
        {"offering": "Offering", "detail": {"type": "Offering", "sessionId": "s", "sessionJoinToken": "t"}},
    ),
    (
        {"eventType": "Video", "video": {"type": "OfferingExpired", "offeringId": "o", "jwt": "j"}},
        got.VideoReceived,
        {"offering": "OfferingExpired", "detail": {"type": "OfferingExpired", "offeringId": "o", "jwt": "j"}},
    ),
    (
        {"eventType": "Reactions", "reactions": [{"reactionType": "Like", "count": 1}]},
        got.Unrecognized,
        {"what": "event", "name": "Reactions"},
    ),
    (
        {"eventType": "Fake", "bloop": {"bip": "bop"}},
        got.Unrecognized,
        {"name": "Fake", "detail": {"eventType": "Fake", "bloop": {"bip": "bop"}}},
    ),
    ({"eventType": ["Typing"]}, got.Unrecognized, {"name": "", "detail": {"eventType": ["Typing"]}}),
    ("no object", got.Unrecognized, {"what": "event", "detail": {"item": "no object"}}),
]


@pytest.mark.parametrize(("item", "kind", "says"), HAPPENINGS, ids=lambda value: str(value)[:40])
def test_an_event_in_a_message_becomes_its_own_event(
    item: Any, kind: type[got.Event], says: dict[str, Any]
) -> None:
    """Alone in its frame, or with words: then the words come first."""
    body = {"type": "Event", "direction": "Outbound", "events": [item], "metadata": {"readOnly": "true"}}
    (event,) = structured(body)
    assert type(event) is kind
    assert {key: getattr(event, key) for key in says} == says
    words, same = structured({**body, "type": "Text", "text": "and words"})
    assert isinstance(words, got.MessageReceived)
    assert type(same) is kind
    assert words.raw == same.raw


def test_several_events_come_in_their_order() -> None:
    """And share the frame."""
    events = structured({"type": "Event", "events": [item for item, _, _ in HAPPENINGS]})
    assert [type(event) for event in events] == [kind for _, kind, _ in HAPPENINGS]
    assert len({event.envelope for event in events}) == 1


@pytest.mark.parametrize("events", [None, [], {}, "Typing"])
def test_an_event_frame_without_events_is_kept(events: Any) -> None:
    """It says nothing, but it is not lost."""
    (event,) = structured({"type": "Event", "id": "x", "events": events})
    assert isinstance(event, got.Unrecognized)
    assert event.detail == {"type": "Event", "id": "x", "events": events}


def test_an_echo_answer_tells_the_sessions_life() -> None:
    """Its metadata are strings."""
    (event,) = structured(
        {
            "type": "Text",
            "text": "ping",
            "metadata": {"durationSeconds": "3600", "expirationDate": "1791139139"},
        },
        "response",
    )
    assert isinstance(event, got.EchoReceived)
    assert (event.duration_seconds, event.expiration) == (3600, EXPIRES)


def test_a_history_entity_reads_as_if_it_had_come_live() -> None:
    """The two have the same shape."""
    (event,) = decode_entity(
        {"id": "a", "type": "Event", "events": [{"eventType": "Presence", "presence": {"type": "Join"}}]}
    )
    assert isinstance(event, got.PresenceChanged)
    assert event.message.id == "a"
    (event,) = decode_entity({"id": {1, 2}})
    assert isinstance(event, got.MalformedFrame)


# -- what is no frame -------------------------------------------------------------------------------------

HOSTILE: list[str | bytes] = [
    "",
    " ",
    "{",
    "nonsense",
    "{}x",
    '{"class":"string"} {"class":"string"}',
    "\ufeff{}",
    "'",
    b"\xff\xfe\x00",
    b'{"class":"\xff"}',
    "[" * 100_000,
    '{"a":' * 100_000,
    "[" * (DEEPEST + 1) + "]" * (DEEPEST + 1),
    '{"class":"StructuredMessage","body":' + '{"a":[' * DEEPEST + "1" + "]}" * DEEPEST + "}",
    '{"code":' + "9" * 5000 + "}",
    "null",
    "7",
    '"text"',
    "[]",
    "true",
    "NaN",
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:20]))
def test_what_is_no_frame_is_malformed(text: str | bytes) -> None:
    """It is an event with a reason, and it can still be read as text."""
    event = only(text)
    assert isinstance(event, got.MalformedFrame)
    assert event.reason.endswith(".")
    assert (event.class_name, event.type, event.code, event.tracing_id) == ("", "", None, "")
    if isinstance(text, str):
        assert event.text == text


def test_json_that_is_no_object_can_be_read_back() -> None:
    """Malformed, but not lost."""
    assert only("[1, {}]").raw == [1, {}]
    assert only("{").raw is None


LIBERAL: list[tuple[str, type[got.Event]]] = [
    (' {"class":"LogoutEvent"} ', got.LoggedOut),
    ('{"class":"LogoutEvent","class":"SessionExpiredEvent"}', got.SessionExpired),
    ('{"class":"LogoutEvent","code":NaN}', got.LoggedOut),
    ('{"class":"LogoutEvent","code":Infinity,"type":[],"tracingId":{}}', got.LoggedOut),
    ('{"class":"LogoutEvent","code":' + "9" * 400 + "}", got.LoggedOut),
    ('{"class":"LogoutEvent","body":7}', got.LoggedOut),
    ('{"class":"\\ud800"}', got.Unrecognized),
    ('{"class":["LogoutEvent"]}', got.Unrecognized),
    ('{"class":{}}', got.Unrecognized),
    ('{"message":"Internal server error","requestId":"r"}', got.Unrecognized),
    ("{}", got.Unrecognized),
    ('{"class":"StructuredMessage"}', got.MalformedFrame),
    ('{"class":"StructuredMessage","body":[]}', got.MalformedFrame),
    ('{"class":"SessionResponse","body":{}}', got.MalformedFrame),
    ('{"class":"SessionResponse","body":{"connected":1}}', got.MalformedFrame),
    ('{"class":"JwtResponse","body":{"jwt":7}}', got.MalformedFrame),
    ('{"class":"ResumeTokenResponse","body":"r"}', got.MalformedFrame),
    ('{"class":"PresignedUrlResponse","body":{"headers":[]}}', got.MalformedFrame),
    ('{"class":"string","code":true}', got.Unrecognized),
]


@pytest.mark.parametrize(("text", "kind"), LIBERAL, ids=lambda value: str(value)[:50])
def test_odd_frames_are_read_liberally(text: str, kind: type[got.Event]) -> None:
    """As far as they can be, and always read back whole."""
    event = only(text)
    assert type(event) is kind
    assert event.text == text
    assert repr(event.raw) == repr(json.loads(text))
    assert event.code is None or isinstance(event.code, int)


def test_half_a_surrogate_pair_does_not_leave_the_core() -> None:
    """It cannot be written as UTF-8; the frame itself still has it."""
    event = only('{"class":"StructuredMessage","body":{"type":"Text","text":"a\\ud800b","id":"\\udfff"}}')
    assert isinstance(event, got.MessageReceived)
    assert event.message.text == "a\ufffdb"
    assert event.raw["body"]["text"] == "a\ud800b"
    assert repr(event).encode()


def test_an_event_made_by_hand_has_an_empty_frame() -> None:
    """For tests and tools that need an event without a server."""
    event = got.SessionExpired()
    assert (event.text, event.raw, event.code, event.class_name) == ("", None, None, "")
    assert event == got.SessionExpired()
    assert repr(event.envelope) == "Envelope(0 characters)"


def test_events_compare_and_hash_by_what_they_say() -> None:
    """Two readings of one frame are equal."""
    text = frame(
        "StructuredMessage", {"type": "Event", "id": "a", "events": [item for item, _, _ in HAPPENINGS]}
    )
    assert decode(text) == decode(text)
    assert hash(decode(text)) == hash(decode(text))
    assert decode(text) != decode(text.replace("bop", "bup"))
    assert got.Envelope("a") != "a"
