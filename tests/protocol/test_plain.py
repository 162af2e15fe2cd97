"""The compiled way of the commonest frame: the same as the general one, or not taken."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from guestlab.bench.frames import outbound
from guestlab.protocol import decoding
from guestlab.protocol.decoding import decode
from guestlab.protocol.events import Event, MessageReceived
from guestlab.protocol.guest import GuestProtocol
from guestlab.protocol.plain import read_plain

ATTRIBUTES = (
    "id", "message_id", "key", "direction", "type", "text", "time", "time_text", "originating_entity",
    "originating_message_id", "status", "content", "content_types", "event_types", "quick_replies", "choices",
    "attachments", "metadata", "custom_attributes", "from_", "to", "reasons", "raw", "tracing_id", "own", "late", "shown",
)  # fmt: skip


def _seen(events: tuple[Event, ...]) -> list[Any]:
    """Everything a reader can see of some events."""
    seen: list[Any] = []
    for event in events:
        seen += [type(event), repr(event), event.class_name, event.type, event.code, event.tracing_id]
        seen += [event.text, repr(event.raw), event.envelope, repr(event.envelope.parsed)]
        message = getattr(event, "message", None)
        if message is not None:
            seen += [repr(message), hash(message), *(repr(getattr(message, name)) for name in ATTRIBUTES)]
    return seen


def _generally(text: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Event, ...]:
    with monkeypatch.context() as patch:
        patch.setattr(decoding, "read_plain", lambda _: None)
        return decode(text)


def _inbound(**more: Any) -> dict[str, Any]:
    frame = outbound(3)
    frame["body"] |= {"direction": "Inbound", **more}
    frame["body"]["channel"] |= {"messageId": "9b2f0000-0000-4000-8000-000000000000"}
    return {**frame, "tracingId": "t1"}


@pytest.mark.parametrize(
    "frame",
    [outbound(0), outbound(3), _inbound(), _inbound(text=""), _inbound(text='a "quoted" \\ é 😀')],
)
@pytest.mark.parametrize("ascii_only", [True, False])
def test_a_plain_frame_reads_as_by_the_general_way(
    frame: dict[str, Any], ascii_only: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attribute by attribute, and as an equal message."""
    text = json.dumps(frame, ensure_ascii=ascii_only)
    assert read_plain(text) is not None
    (short,), (general,) = decode(text), _generally(text, monkeypatch)
    assert _seen((short,)) == _seen((general,))
    assert short == general
    assert hash(short) == hash(general)
    assert isinstance(short, MessageReceived)
    assert not hasattr(short.message, "__dict__")


@pytest.mark.parametrize(
    ("change", "value"),
    [
        ("code", 4000), ("code", "200"), ("class", "SessionResponse"), ("type", "response"), ("body", []),
        ("more", 1), ("tracingId", None), ("body.type", "Structured"), ("body.type", "Event"),
        ("body.content", []), ("body.events", []), ("body.id", 7), ("body.direction", "Sideways"),
        ("body.text", None), ("body.text", "\ud800"), ("body.channel", None), ("body.channel.time", 5),
        ("body.channel.metadata", {}), ("body.metadata", {"readOnly": True}), ("body.more", 1e400),
    ],
)  # fmt: skip
def test_a_frame_with_anything_else_takes_the_general_way(change: str, value: Any) -> None:
    """One key more, or one value of another kind, is enough."""
    frame = outbound(1)
    holder: Any = frame
    *path, name = change.split(".")
    for step in path:
        holder = holder[step]
    holder[name] = value
    assert read_plain(json.dumps(frame)) is None
    assert decode(json.dumps(frame))


def test_whatever_is_broken_in_a_plain_frame_reads_as_by_the_general_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """3,000 mutations of the bytes, from a seed: nothing passes the short way that the long one refuses."""
    dice = random.Random(7)
    taken = 0
    for number in range(3000):
        text = list(json.dumps(outbound(number % 50), ensure_ascii=False))
        for _ in range(dice.randint(1, 3)):
            place = dice.randrange(len(text))
            text[place : place + dice.randint(0, 2)] = dice.choice(
                ["", '"', "\\", "{", "}", ",", ":", "0", "\x01", "\ud800", "é", " ", '"id":"x",', "\\u0041"]
            )
        frame = "".join(text)
        taken += read_plain(frame) is not None
        assert _seen(decode(frame)) == _seen(_generally(frame, monkeypatch))
    assert 300 < taken < 2700


def test_of_two_keys_of_one_name_the_last_counts_on_both_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with `json.loads`."""
    text = json.dumps(outbound(1)).replace('"type": "Text"', '"type": "Text", "id": "first", "text": "first"')
    assert read_plain(text) is not None
    assert _seen(decode(text)) == _seen(_generally(text, monkeypatch))


def test_only_words_to_the_guest_pass_the_protocol_by(monkeypatch: pytest.MonkeyPatch) -> None:
    """Own words may be the answer to a command, so they take the long way."""
    protocol = GuestProtocol("deployment", "token")
    to_the_guest = json.dumps(outbound(1))
    message = protocol.receive_words(to_the_guest)
    assert message is not None
    assert message == decode(to_the_guest)[0].message  # type: ignore[attr-defined]
    assert _seen((message.event,)) == _seen(_generally(to_the_guest, monkeypatch))
    assert protocol.receive_words(json.dumps(_inbound())) is None
    assert protocol.receive_words("no JSON") is None


def test_the_columns_are_what_the_general_way_records() -> None:
    """Class, code, tracing id, question, message id, direction, type, time, entity, content types, text."""
    message = read_plain(json.dumps(outbound(2)))
    assert message is not None
    assert message.columns == (
        "StructuredMessage",
        200,
        None,
        None,
        message.id,
        "Outbound",
        "Text",
        "2026-10-01T12:00:00.274Z",
        "Bot",
        None,
        "Is there anything else I can do for you? (2)",
    )
