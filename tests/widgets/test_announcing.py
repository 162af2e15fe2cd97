"""What is said aloud: new lines of a chat and stages that changed, one sentence at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from guestlab.widgets.announcing import LineAnnouncer, StateAnnouncer
from guestlab.widgets.chat_lines import Line

if TYPE_CHECKING:
    from guestlab.lab import Lab

pytestmark = pytest.mark.usefixtures("wire")


def _line(number: int, who: str = "bot", text: str = "") -> Line:
    return Line(number=number, who=who, at_ns=0, text=text or f"words {number}")


def test_what_stood_there_before_is_not_said() -> None:
    """A chat that is opened late is read, not recited."""
    aloud = LineAnnouncer()
    aloud.paint([_line(1), _line(2)])
    assert aloud.widget.value == ""


def test_a_new_line_is_said_with_its_speaker_but_not_ones_own() -> None:
    """Whoever typed it knows it."""
    aloud = LineAnnouncer(clock=iter(range(100)).__next__)
    aloud.paint([])
    aloud.paint([_line(1, "guest")])
    assert aloud.widget.value == ""
    aloud.paint([_line(1, "guest"), _line(2, text="hello")])
    assert aloud.widget.value == "Bot: hello"


def test_a_burst_is_counted_and_said_a_second_later() -> None:
    """At most one sentence a second: the newest, and how many came."""
    now = [0.0]
    aloud = LineAnnouncer(clock=lambda: now[0])
    aloud.paint([])
    lines = [_line(1)]
    aloud.paint(lines)
    for number in range(2, 50):
        lines.append(_line(number))
        now[0] += 0.01
        aloud.paint(lines)
    assert aloud.widget.value == "Bot: words 1"
    now[0] += 1.0
    aloud.paint(lines)
    assert aloud.widget.value == "48 new lines. The newest: Bot: words 49"


def test_hostile_words_are_said_as_text() -> None:
    """Escaped, and nothing turns around."""
    aloud = LineAnnouncer()
    aloud.paint([])
    aloud.paint([_line(1, text="<img src=x onerror=alert(1)>\u202e")])
    assert "<img" not in aloud.widget.value
    assert "[U+202E]" in aloud.widget.value


def test_a_stage_that_changed_is_said_with_its_verdict() -> None:
    """And the others are not said again."""
    aloud = StateAnnouncer()
    aloud.paint({"token": ("ready", ""), "handshake": ("ready", "")})
    assert aloud.widget.value == ""
    aloud.paint({"token": ("running", "…"), "handshake": ("ready", "")})
    assert aloud.widget.value == "Token running."
    aloud.paint({"token": ("done", "It is live."), "handshake": ("ready", "")})
    assert aloud.widget.value == "Token done: It is live."


def test_chat_and_stepper_have_one_live_region_each(lab: Lab, wire: Any) -> None:
    """Of the class that the script makes polite; it says what came."""
    stepper = lab.stepper()
    assert stepper.widget is not None
    assert stepper.refresh.flush()
    stepper.run("handshake")
    assert stepper.refresh.flush()
    (said,) = [part.value for part in wire.parts(stepper) if "gl-unseen" in part._dom_classes]
    assert "Handshake failed: Refused at upgrade: HTTP 401" in said
    with lab.session() as session:
        chat = session.chat()
        assert chat.widget is not None
        assert chat.refresh.flush()
        session.send("hello")
        session.messages(quiet=0.3)
        chat.refresh.poke()
        assert chat.refresh.flush()
        said = [part for part in wire.parts(chat) if "gl-unseen" in part._dom_classes]
        assert len(said) == 1
        assert "Bot:" in said[0].value
        chat.close()
