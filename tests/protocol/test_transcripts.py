"""Documents of the Platform API as rows: what each says, and that no document whatsoever raises."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guestlab.log import Log
from guestlab.log.entry import Entry, Kind
from guestlab.protocol.transcripts import (
    LEFT_OUT,
    analytics_rows,
    conversation_rows,
    file_keys,
    message_ids,
    message_row,
    recording_rows,
    rows_of_document,
)

WHEN = "2026-10-08T09:12:13.456Z"
NANOSECONDS = int(datetime(2026, 10, 8, 9, 12, 13, 456000, tzinfo=UTC).timestamp() * 1000) * 1_000_000
KEY = "abcdefghijklmnopqrstuvwxyz012345"


def _data(**changes: Any) -> dict[str, Any]:
    normalized = {
        "id": "a1",
        "type": "Structured",
        "text": "Pick one",
        "direction": "Outbound",
        "originatingEntity": "Bot",
        "channel": {"time": WHEN, "messageId": "m-1"},
        "content": [{"contentType": "QuickReply", "quickReply": {"text": "Yes", "image": "x"}}],
    }
    return {
        "id": "a1",
        "timestamp": WHEN,
        "direction": "outbound",
        "messengerType": "webmessaging",
        "status": "sent",
        "conversationId": "c1",
        "normalizedMessage": normalized,
        **changes,
    }


def test_a_message_has_the_columns_of_a_live_one() -> None:
    """Id, direction, type, time, who, content and words; `raw` is its JSON."""
    row = message_row(_data())
    assert row is not None
    raw = json.loads(row.pop("raw"))
    assert raw["normalizedMessage"]["text"] == "Pick one"
    assert row == {
        "kind": "history",
        "message_id": "m-1",
        "conversation_id": "c1",
        "message_direction": "Outbound",
        "message_type": "Structured",
        "message_time": NANOSECONDS,
        "originating_entity": "Bot",
        "content_types": "QuickReply",
        "text": "Pick one",
        "note": "messages: sent",
    }


def test_the_older_form_of_a_message_is_read_too() -> None:
    """`textBody`, until autumn 2026 beside or instead of the normalised message."""
    row = message_row(_data(normalizedMessage=None, textBody="Hi", direction="inbound"))
    assert row is not None
    assert (row["message_id"], row["text"], row["message_direction"]) == ("a1", "Hi", "Inbound")
    assert (row["message_type"], row["message_time"]) == ("Text", NANOSECONDS)


@pytest.mark.parametrize("data", [None, 7, "x", [], {}, {"id": "a"}, {"normalizedMessage": {}}])
def test_what_is_no_message_has_no_row(data: Any) -> None:
    """Neither an error nor an empty row."""
    assert message_row(data) is None


def _detail(identifier: str, second: int) -> dict[str, str]:
    return {"messageId": identifier, "messageTime": f"2026-10-08T09:00:0{second}.000Z"}


@pytest.mark.parametrize("communications", [True, False])
def test_message_ids_are_found_in_both_shapes_of_a_conversation(communications: bool) -> None:
    """On the participant or on its communications, in order of time, each once."""
    lists = [[_detail("b", 2), _detail("d", 4)], [_detail("a", 1), _detail("b", 2)], [{"messageId": 7}, None]]
    held = [[{"id": "line", "messages": one}] for one in lists] if communications else lists
    document = {"participants": [{"messages": one} for one in held]}
    assert message_ids(document) == ["a", "b", "d"]


def test_a_conversation_tells_who_joined_and_left() -> None:
    """In both shapes: times of the participant or of its communication."""
    line = {"connectedTime": WHEN, "disconnectedTime": "2026-10-08T09:20:00.000Z", "disconnectType": "peer"}
    document = {"id": "c1", "participants": [{"purpose": "agent", "messages": [line]}]}
    rows = conversation_rows(document)
    assert [row["note"] for row in rows] == ["conversation: agent joined", "conversation: agent left: peer"]
    assert {row["kind"] for row in rows} == {"lifecycle"}
    assert rows[0]["message_time"] == NANOSECONDS


def test_analytics_rows_say_that_there_are_no_words() -> None:
    """Beginning, segments and end, in order of time."""
    segment = {"segmentStart": WHEN, "segmentEnd": "2026-10-08T09:12:14.956Z", "segmentType": "interact"}
    document = {
        "conversationId": "c1",
        "conversationStart": WHEN,
        "conversationEnd": "2026-10-08T09:30:00.000Z",
        "conversationInitiator": "customer",
        "participants": [
            {
                "purpose": "customer",
                "sessions": [
                    {
                        "messageType": "webmessaging",
                        "segments": [{**segment, "disconnectType": "client"}, {"segmentStart": "never"}],
                    }
                ],
            }
        ],
    }
    rows = analytics_rows(document)
    assert [row["note"] for row in rows] == [
        "analytics: begun by customer (analytics keeps no words)",
        "analytics: customer, webmessaging, interact, 1.500 s, ended by client (analytics keeps no words)",
        "analytics: ended (analytics keeps no words)",
    ]
    assert {row["conversation_id"] for row in rows} == {"c1"}
    assert not any("text" in row for row in rows)


# a recorded message → direction, entity, type, content types
RECORDED: tuple[tuple[dict[str, Any], str, str | None, str, str | None], ...] = (
    ({"purpose": "customer", "messageText": "Hi"}, "Inbound", "Human", "Text", None),
    ({"purpose": "agent", "messageText": "Hi"}, "Outbound", "Human", "Text", None),
    (
        {"purpose": "workflow", "quickReplies": [{"text": "Yes"}]},
        "Outbound",
        "Bot",
        "Structured",
        "QuickReply",
    ),
    (
        {"purpose": "customer", "buttonResponse": {"text": "Yes"}},
        "Inbound",
        "Human",
        "Structured",
        "ButtonResponse",
    ),
    (
        {"purpose": "agent", "messageMediaAttachments": [{"url": f"https://f.example/{KEY}"}]},
        "Outbound",
        "Human",
        "Text",
        "Attachment",
    ),
    (
        {"purpose": "bot", "contentType": "Carousel", "cards": [{"title": "A"}]},
        "Outbound",
        "Bot",
        "Structured",
        "Carousel,Card",
    ),
    ({"purpose": "customer", "events": [{"eventType": "Typing"}]}, "Inbound", "Human", "Event", None),
    ({"messageText": "Hi"}, "Outbound", None, "Text", None),
)


@pytest.mark.parametrize(("said", "direction", "entity", "kind", "content"), RECORDED)
def test_a_recorded_message_tells_its_side_by_its_purpose(
    said: dict[str, Any], direction: str, entity: str | None, kind: str, content: str | None
) -> None:
    """And its content by the key it stands under."""
    document = {"conversationId": "c1", "messagingTranscript": [{"id": "a1", "timestamp": WHEN, **said}]}
    (row,) = recording_rows(document, {"a1": "m-1"}.__getitem__)
    assert (row["message_direction"], row.get("originating_entity")) == (direction, entity)
    assert (row["message_type"], row.get("content_types")) == (kind, content)
    assert (row["message_id"], row["message_time"]) == ("m-1", NANOSECONDS)


@pytest.mark.parametrize(
    "held",
    [
        {"mediaUris": {"0": {"mediaUri": f"https://f.example/{KEY}?X-Amz-Signature=1"}}},
        {"messageMediaAttachments": [{"url": f"https://f.example/{KEY}"}]},
        {"cards": [{"url": f"HTTPS://f.example/{KEY}"}]},
    ],
)
def test_addresses_of_files_stand_in_no_row(held: dict[str, Any]) -> None:
    """Left out, and said so."""
    document = {"conversationId": "c1", "messagingTranscript": [{"id": "a", **held}]}
    (row,) = recording_rows(document)
    assert KEY not in row["raw"]
    assert LEFT_OUT in row["raw"]


def test_the_keys_in_addresses_are_found_and_ids_are_not_taken_for_them() -> None:
    """An opaque end of an address opens a file; a UUID, a relative address or a word does not."""
    uuid = "5b0a6b1e-6c1f-4a0a-9a0e-0a4f6b1e6c1f"
    document = [
        {"url": f"https://f.example/downloads/{KEY}"},
        {"deep": {"mediaUri": f"https://f.example/{KEY[::-1]}?a=b"}},
        {
            "url": f"https://f.example/{uuid}",
            "selfUri": f"/api/v2/{KEY}",
            "text": f"https://f.example/{KEY}x",
        },
        {"url": 7, "uri": "https://f.example/short"},
    ]
    assert set(file_keys(document)) == {KEY, KEY[::-1]}


def test_a_webhooks_body_and_a_guests_history_read_as_messages() -> None:
    """They are normalised messages without an envelope."""
    body = {**_data()["normalizedMessage"], "conversationId": "c1"}
    for document in (body, {"entities": [body]}, [body]):
        rows = rows_of_document(document)
        assert rows is not None
        assert [(row["message_id"], row["conversation_id"]) for row in rows] == [("m-1", "c1")]


@pytest.mark.parametrize(
    "document",
    [
        None,
        7,
        "x",
        [],
        {},
        [[]],
        [{"log": {}}],
        {"log": {"entries": []}},
        {"entities": []},
        {"entities": [{"id": "a", "name": "n"}]},
        {"id": "d", "messenger": {}},
        {"action": "onMessage", "token": "t"},
        {"type": "message", "class": "StructuredMessage", "code": 200, "body": {"id": "a"}},
    ],
)
def test_other_documents_are_left_to_other_readers(document: Any) -> None:
    """A HAR, a frame, a deployment: None."""
    assert rows_of_document(document) is None


def test_a_document_nested_too_deeply_is_not_read() -> None:
    """Instead of exhausting the stack."""
    document: Any = {}
    for _ in range(5000):
        document = {"participants": [document], "id": "c", "conversationStart": WHEN, "conversationId": "c"}
    assert rows_of_document(document) is None
    assert list(file_keys(document)) == []
    assert analytics_rows(document) == conversation_rows(document) == recording_rows(document) == []


_KEYS = st.sampled_from(
    [
        "id",
        "conversationId",
        "participants",
        "messages",
        "messagingTranscript",
        "sessions",
        "segments",
        "events",
        "normalizedMessage",
        "channel",
        "time",
        "timestamp",
        "segmentStart",
        "conversationStart",
        "purpose",
        "url",
        "entities",
        "conversations",
        "content",
        "contentType",
        "direction",
        "type",
        "text",
        "messageTime",
        "mediaUris",
    ]
)
_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.just(WHEN),
    st.just("\ud800"),
    st.just("9999-01-01T00:00:00Z"),
)
_DOCUMENTS = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=6),
    max_leaves=40,
)


@given(_DOCUMENTS)
def test_no_document_raises_and_every_row_fits_the_log(document: Any) -> None:
    """Whatever the JSON; a row is both keywords of `record` and fields of an `Entry`."""
    list(file_keys(document))
    message_ids(document)
    rows = [*(rows_of_document(document) or ()), *conversation_rows(document), *analytics_rows(document)]
    rows += recording_rows(document)
    log = Log()
    for row in rows:
        Entry(seq=1, at=0, monotonic_ns=0, **row)
        assert row["kind"] in set(Kind)
        assert row.get("message_direction") in {None, "Inbound", "Outbound"}
        assert "".join(value for value in row.values() if isinstance(value, str)).encode()
        log.record(row["kind"], **{name: value for name, value in row.items() if name != "kind"})


def test_a_time_that_64_bits_do_not_hold_is_missing() -> None:
    """The row stays."""
    row = message_row(_data(normalizedMessage={"id": "a", "text": "Hi"}, timestamp="9999-01-01T00:00:00Z"))
    assert row is not None
    assert "message_time" not in row
