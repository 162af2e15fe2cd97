"""Messages, live and from history."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from guestlab.protocol.content import Participant, QuickReply
from guestlab.protocol.messages import Message

BODY: dict[str, Any] = {
    "id": "0f6b8a1c2d3e4f5061728394a5b6c7d8",
    "type": "Structured",
    "text": "Pick a colour",
    "direction": "Outbound",
    "originatingEntity": "Bot",
    "originatingMessageId": "o",
    "channel": {
        "time": "2026-10-01T12:00:01.456Z",
        "messageId": "9b2f",
        "type": "Private",
        "from": {"nickname": "Anna", "image": "https://a.png"},
        "to": {},
        "metadata": {"customAttributes": {"plan": "gold"}},
    },
    "content": [
        {"contentType": "QuickReply", "quickReply": {"text": "Red", "payload": "RED"}},
        {"contentType": "New"},
        7,
    ],
    "events": [{"eventType": "Presence", "presence": {"type": "Join"}}, {"eventType": "Typing"}, {}, None],
    "metadata": {"correlationId": "c"},
    "brandNew": [1],
}
READ: dict[str, Any] = {
    "id": "0f6b8a1c2d3e4f5061728394a5b6c7d8",
    "type": "Structured",
    "text": "Pick a colour",
    "direction": "Outbound",
    "originating_entity": "Bot",
    "originating_message_id": "o",
    "message_id": "9b2f",
    "key": "9b2f",
    "time": datetime(2026, 10, 1, 12, 0, 1, 456000, tzinfo=UTC),
    "time_text": "2026-10-01T12:00:01.456Z",
    "from_": Participant(nickname="Anna", image="https://a.png"),
    "to": Participant(),
    "custom_attributes": {"plan": "gold"},
    "content_types": ("QuickReply", "New", ""),
    "event_types": ("Presence.Join", "Typing", "", ""),
    "metadata": {"correlationId": "c"},
    "status": "",
    "reasons": (),
    "tracing_id": "t",
    "own": False,
    "late": False,
}


def test_every_field_is_read() -> None:
    """One attribute for each."""
    message = Message.from_body(BODY, "t")
    assert {name: getattr(message, name) for name in READ} == READ
    assert [value.content_type for value in message.content] == ["QuickReply", "New", ""]
    assert message.content is message.content


def test_unknown_fields_survive_in_raw() -> None:
    """The body as it came, as a copy."""
    message = Message.from_body(BODY)
    assert message.raw == BODY
    message.raw["channel"]["messageId"] = "changed"
    message.metadata["correlationId"] = "changed"
    assert message.message_id == "9b2f"
    assert message.metadata == {"correlationId": "c"}


@pytest.mark.parametrize("body", [None, 7, "text", [], {}, {"channel": 7}, {"channel": {"time": 7}}])
def test_a_body_that_is_none_reads_as_empty(body: Any) -> None:
    """Strings are "", collections empty, the time None."""
    message = Message.from_body(body)
    assert [getattr(message, name) for name in ("id", "key", "text", "direction", "type", "time_text")] == [
        ""
    ] * 6
    assert (message.time, message.content, message.event_types, message.metadata) == (None, (), (), {})
    assert repr(message)


def test_a_body_nested_too_deeply_reads_as_empty() -> None:
    """Copying it could overflow the stack."""
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    assert Message.from_body({"id": "a", "content": deep}).id == ""


def test_the_key_is_the_message_id_or_the_id() -> None:
    """Bots' messages have no message id on the live socket."""
    assert Message.from_body({"id": "a", "channel": {"messageId": "b"}}).key == "b"
    assert Message.from_body({"id": "a", "channel": {}}).key == "a"


def test_a_history_entity_may_carry_its_tracing_id_in_the_body() -> None:
    """An argument beats it."""
    assert Message.from_body({"tracingId": "b"}).tracing_id == "b"
    assert Message.from_body({"tracingId": "b"}, "e").tracing_id == "e"


RED, GREEN = QuickReply(text="Red", payload="RED"), QuickReply(text="Green", payload="GREEN")


@pytest.mark.parametrize(
    ("content", "offered"),
    [
        ([{"contentType": "QuickReply", "quickReply": {"text": "Red", "payload": "RED"}}], (RED,)),
        (
            [
                {
                    "contentType": "QuickReplyV2",
                    "quickReplyV2": {"actions": [{"text": "Red", "payload": "RED"}]},
                }
            ],
            (RED,),
        ),
        (
            [
                {
                    "contentType": "ButtonResponse",
                    "buttonResponse": {"type": "quickreply", "text": "Red", "payload": "RED"},
                }
            ],
            (RED,),
        ),
        (
            [
                {"contentType": "QuickReply", "quickReply": {"text": "Green", "payload": "GREEN"}},
                {"contentType": "ButtonResponse", "buttonResponse": {"type": "QuickReply", "text": "Red"}},
            ],
            (GREEN,),
        ),
        ([{"contentType": "ButtonResponse", "buttonResponse": {"type": "Button", "text": "Red"}}], ()),
        ([], ()),
    ],
)
def test_quick_replies_are_found_however_they_are_written(
    content: Any, offered: tuple[QuickReply, ...]
) -> None:
    """As official clients do: QuickReply items first, else ButtonResponse items of that type."""
    assert Message.from_body({"content": content}).quick_replies == offered


def test_messages_are_equal_by_body_and_tracing_id() -> None:
    """Not by how they were handled."""
    one, two = Message.from_body(BODY, "t"), Message.from_body(dict(BODY), "t")
    two.late = True
    assert one == two
    assert hash(one) == hash(two)
    assert one != Message.from_body(BODY, "other")
    assert one != "Pick a colour"


def test_the_repr_is_short_and_says_what_matters() -> None:
    """Direction, key, time, words, content, marks."""
    message = Message.from_body({**BODY, "text": "x" * 100}, "t")
    message.own = message.late = True
    assert repr(message) == (
        "Message(Outbound Structured, key='9b2f', time='2026-10-01T12:00:01.456Z', text='" + "x" * 59 + "…',"
        " holds='QuickReply,New,,Presence.Join,Typing,,', own=True, late=True)"
    )


def test_the_attachments_of_a_message_are_those_of_its_content_in_order() -> None:
    """Of either side; other content is none."""
    files = [{"contentType": "Attachment", "attachment": {"id": name}} for name in ("a", "b")]
    words = {"contentType": "QuickReply", "quickReply": {"text": "Green", "payload": "GREEN"}}
    for direction in ("Inbound", "Outbound"):
        message = Message.from_body({"direction": direction, "content": [files[0], words, files[1]]})
        assert [attachment.id for attachment in message.attachments] == ["a", "b"]
    assert Message.from_body({}).attachments == ()
