"""A chat's lines are a function of the log: once each, in order, with what became of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from guestlab.log import Log
from guestlab.log.frame_columns import message_columns
from guestlab.protocol.decoding import decode
from guestlab.protocol.events import MessageReceived
from guestlab.widgets.chat_lines import ChatLines
from tests.widgets import chat_frames as frames


class Told:
    """A log of one session, fed as a session feeds it, and its chat."""

    def __init__(self, most: int = 1000) -> None:
        self.log = Log()
        self.chat = ChatLines("s", most)
        self.log.subscribe(self.chat.take)

    def received(self, text: str, *, late: bool = False, exchange: int | None = None) -> None:
        """One frame of the server."""
        event = decode(text)[0]
        fields: dict[str, Any] = {"event_types": type(event).__name__}
        if isinstance(event, MessageReceived):
            fields = message_columns(event.message) | {"late": late}
        self.log.record(
            "frame", stage="session", session="s", lane="frame", direction="received", raw=text,
            class_name=event.class_name, frame_code=event.code, tracing_id=event.tracing_id or None,
            exchange=exchange, **fields,
        )  # fmt: skip

    def sent(self, text: str, tracing_id: str) -> int:
        """Words of the guest."""
        raw = json.dumps(
            {"action": "onMessage", "tracingId": tracing_id, "message": {"type": "Text", "text": text}}
        )
        entry = self.log.record(
            "frame", stage="session", session="s", lane="frame", direction="sent", action="onMessage",
            tracing_id=tracing_id, raw=raw,
        )  # fmt: skip
        return entry.seq

    def lived(self, kind: str, **fields: Any) -> None:
        """Something about the link."""
        self.log.record(kind, stage="session", session="s", **fields)

    @property
    def lines(self) -> list[tuple[str, str]]:
        """Who and what, of every line."""
        return [(line.who, line.text) for line in self.chat.lines]


@pytest.fixture
def told() -> Told:
    """An empty chat."""
    return Told()


def echo(text: str, tracing_id: str) -> str:
    """The guest's own words, as they come back."""
    body = json.loads(frames.said(text, direction="Inbound"))
    return json.dumps({**body, "tracingId": tracing_id})


def test_who_said_what(told: Told) -> None:
    """Guest, bot and agent, the agent by name."""
    told.received(frames.said("Hello"))
    told.received(frames.said("I am Anna", name="Anna", entity="Human"))
    told.received(echo("Hi from my phone", "elsewhere"))
    assert told.lines == [("bot", "Hello"), ("agent", "I am Anna"), ("guest", "Hi from my phone")]
    assert [line.name for line in told.chat.lines] == ["", "Anna", ""]


def test_words_and_their_acknowledgement_are_one_line(told: Told) -> None:
    """With both frames behind it."""
    told.sent("Hi", "1")
    (line,) = told.chat.lines
    assert line.fate == "sending"
    told.received(echo("Hi", "1"))
    assert list(told.chat.lines) == [line]
    assert (line.fate, line.seqs) == ("acknowledged", [1, 2])


def test_a_message_that_comes_twice_is_one_line(told: Told) -> None:
    """It says how often it came."""
    text = frames.said("Hello")
    told.received(text)
    told.received(text)
    (line,) = told.chat.lines
    assert (line.text, line.copies, line.seqs) == ("Hello", 2, [1, 2])


def test_a_repeat_of_a_line_no_longer_kept_is_no_new_line() -> None:
    """Its key is remembered longer than the line."""
    told = Told(most=2)
    first = frames.said("first")
    for text in (first, frames.said("second"), frames.said("third"), first):
        told.received(text)
    assert told.lines == [("bot", "second"), ("bot", "third")]
    assert told.chat.earlier == 1


def test_a_late_message_is_marked_and_keeps_its_place(told: Told) -> None:
    """The log says it was late."""
    told.received(frames.said("second"))
    told.received(frames.said("first"), late=True)
    assert [line.late for line in told.chat.lines] == [False, True]


def test_refused_words_say_why(told: Told) -> None:
    """By tracing id, or by the entry the answer names."""
    told.sent("too long", "1")
    told.received(frames.frame("message too long", class_name="string", code=4011, tracingId="1"))
    seq = told.sent("again", "2")
    told.received(frames.frame("message too long", class_name="string", code=4011), exchange=seq)
    for line in told.chat.lines:
        assert line.fate == "refused"
        assert "frame code 4011 (lane frame)" in line.problem


def test_a_lost_link_leaves_words_in_doubt_until_they_come(told: Told) -> None:
    """And the way back is one line that counts."""
    told.sent("Hi", "1")
    told.lived("close", lane="close", close_code=1006, note="the link broke")
    told.lived("lifecycle", note="link lost; attempt 1 to come back in 0.50 s")
    told.lived("lifecycle", note="link lost; attempt 2 to come back in 1.20 s")
    words, closed, link = told.chat.lines
    assert words.fate == "in doubt"
    assert closed.text.startswith("Socket closed: close code 1006 (lane close)")
    assert link.text == "Link lost; attempt 2 to come back in 1.20 s."
    told.lived("response", step="upgrade", lane="http", http_status=101)
    assert link.text == "Socket open: HTTP 101 (lane http). Attempts: 2."
    told.received(echo("Hi", "1"))
    assert (words.fate, len(told.chat.lines)) == ("acknowledged", 3)


def test_words_found_in_history_are_the_words_in_doubt(told: Told) -> None:
    """History knows no tracing ids; the line is not doubled."""
    told.sent("Hi", "1")
    told.lived("close", lane="close", close_code=1006, note="the link broke")
    told.lived("history", message_id="m1", message_direction="Inbound", message_type="Text", text="Hi")
    words, _ = told.chat.lines
    assert words.fate == "acknowledged"


def test_too_many_requests_tell_until_when(told: Told) -> None:
    """And the words wait."""
    told.sent("Hi", "1")
    told.received(
        frames.frame(
            {"retryAfter": 3, "errorCode": 429, "errorMessage": "slow down"},
            class_name="TooManyRequestsErrorMessage",
            code=429,
            tracingId="1",
        )
    )
    (line,) = told.chat.lines
    assert line.fate == "waiting"
    assert 2.9e9 < told.chat.retry_at_ns - told.log.entries[-1].at < 3.1e9


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ({"eventType": "Presence", "presence": {"type": "Join"}}, "The other side joined."),
        ({"eventType": "Presence", "presence": {"type": "Disconnect"}}, "ended the conversation"),
        ({"eventType": "Presence", "presence": {"type": "Clear"}}, "cleared the conversation"),
        ({"eventType": "Presence", "presence": {"type": "Wave"}}, "is Wave"),
        ({"eventType": "CoBrowse", "coBrowse": {"type": "Offering"}}, "Co-browse: Offering"),
        ({"eventType": "Dance"}, "Something unknown came: event Dance"),
    ],
)
def test_events_are_system_lines(told: Told, event: dict[str, Any], words: str) -> None:
    """In words."""
    told.received(frames.happened(event))
    (line,) = told.chat.lines
    assert line.who == "system"
    assert words in line.text


def test_read_only_is_said(told: Told) -> None:
    """The string "true" of the wire."""
    told.received(
        frames.happened(
            {"eventType": "Presence", "presence": {"type": "Disconnect"}}, metadata={"readOnly": "true"}
        )
    )
    assert told.lines[0][1].endswith("The session is read-only now.")


def test_typing_lasts_until_words_come(told: Told) -> None:
    """Or for as long as it says."""
    told.received(frames.happened({"eventType": "Typing", "typing": {"type": "On", "duration": 2000}}))
    assert told.chat.typing == ("", told.log.entries[-1].at + 2_000_000_000)
    told.received(frames.said("Hello"))
    assert told.chat.typing is None
    assert len(told.chat.lines) == 1


def test_an_offer_stands_until_the_guest_speaks(told: Told) -> None:
    """An acknowledgement of words said before the offer does not end it."""
    reply = frames.item("QuickReply", "quickReply", {"text": "Red", "payload": "RED", "action": "Message"})
    told.sent("earlier", "1")
    told.received(frames.said("Pick", content=[reply]))
    told.received(echo("earlier", "1"))
    told.received(frames.said("by the way"))
    assert told.chat.offer is not None
    assert told.chat.offer.text == "Pick"
    told.sent("Red", "2")
    assert told.chat.offer is None


def test_other_sessions_are_not_shown(told: Told) -> None:
    """A log holds many."""
    told.log.record("lifecycle", stage="session", session="other", note="back; 3 missed messages")
    assert told.lines == []


def test_messages_from_history_are_lines_of_words(told: Told) -> None:
    """The log has their words, not their frames."""
    told.lived(
        "history", message_id="m1", message_direction="Outbound", message_type="Text", text="missed you"
    )
    assert told.lines == [("bot", "missed you")]


@pytest.mark.parametrize("hostile", frames.HOSTILE.values(), ids=frames.HOSTILE)
def test_no_frame_stops_it(told: Told, hostile: str) -> None:
    """Whatever stands in whichever field."""
    for text in frames.hostile_frames(hostile):
        told.received(text)
    assert len(told.chat.lines) >= 10
