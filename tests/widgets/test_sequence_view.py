"""Sequence diagrams in views: a picture where matplotlib is installed, a table anywhere."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

import pytest

from guestlab.analysis.sequences import arrows_of_attempt, arrows_of_session
from guestlab.errors import InputError
from guestlab.log import Log
from guestlab.widgets import sequence_view
from guestlab.widgets.attempt_view import AttemptView
from guestlab.widgets.sequence_view import SequenceView, of_attempt, of_entries, of_session

if TYPE_CHECKING:
    from guestlab.lab import Lab

HOSTILE = "<img src=x onerror=alert(1)>\u202e"


@pytest.fixture
def without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the extra is not installed."""
    monkeypatch.setattr(sequence_view, "_can_draw", lambda: False)


def _talk() -> Log:
    log = Log()
    log.record("frame", session="s1", direction="sent", action="onMessage", raw="{}")
    log.record(
        "frame", session="s1", direction="received", class_name="StructuredMessage", frame_code=200,
        message_direction="Outbound", originating_entity="Bot", text=HOSTILE, message_type="Text",
    )  # fmt: skip
    log.record("close", session="s1", direction="received", close_code=1001)
    return log


@pytest.mark.usefixtures("without_matplotlib")
def test_a_session_is_told_as_a_table(wire: Any) -> None:
    """Who to whom, numbers with their lane, hostile text as text."""
    view = SequenceView(of_session(_talk(), "s1"))
    shown = wire.shown(view)
    assert ">guest</td>" in shown
    assert ">bot</td>" in shown
    assert "close code" in shown
    assert "&lt;img src=x" in shown
    assert "<img" not in shown
    assert "\u202e" not in shown
    assert "guestlab[plot]" in shown
    assert "platform -> guest: connection closed  [close 1001]" in view.text()


def test_a_session_is_drawn(wire: Any) -> None:
    """With its description as the alternative text."""
    if importlib.util.find_spec("matplotlib") is None:
        pytest.skip("not run: matplotlib is not installed")
    shown = wire.shown(SequenceView(of_session(_talk(), "s1")))
    assert shown.count("<img") == 1
    assert 'alt="Session s1: 3 frames and closes' in shown


def test_an_attempt_is_the_same_from_the_log_and_from_itself(lab: Lab) -> None:
    """Both tell that the guest service was not reached."""
    attempt = lab.handshake_as_asked()
    for diagram in (of_attempt(attempt), of_entries(lab.log, attempt.number)):
        arrows = diagram.arrows()
        assert "guest service" not in {arrow.end for arrow in arrows}
        assert any(arrow.number == "HTTP 401" and arrow.state == "failed" for arrow in arrows)
    assert arrows_of_attempt(attempt) == of_attempt(attempt).arrows()


def test_what_is_not_there_is_said(wire: Any) -> None:
    """What, why, next; no traceback in the view."""
    view = SequenceView(of_session(Log(), "nobody"))
    shown = wire.shown(view)
    assert "There is no session" in shown
    assert "log.sessions" in shown
    with pytest.raises(InputError):
        arrows_of_session(Log().frames, session="nobody")


def test_an_attempt_has_a_view_of_its_own(lab: Lab, wire: Any) -> None:
    """Bytes, code, diagram; and beside a working one what differs."""
    refused, opened = lab.handshake_as_asked(), lab.handshake()
    view = refused.view()
    assert view.widget is not None
    assert view.refresh.flush()
    assert "HTTP/1.1 401" in wire.shown(view)
    assert "What differs" not in view.html()
    assert "What differs" in AttemptView(refused, opened).html()
    wire.click(view, "Sequence diagram")
    assert view.refresh.flush()
    assert "gateway" in wire.shown(view)


def test_a_drawing_that_fails_is_said_in_the_view(
    lab: Lab, wire: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A click never ends in a traceback."""
    view = lab.handshake().view()
    assert view.widget is not None
    assert view.refresh.flush()

    def broken(_: object) -> str:
        raise RuntimeError("no fonts")

    monkeypatch.setattr(sequence_view, "diagram_html", broken)
    wire.click(view, "Sequence diagram")
    assert view.refresh.flush()
    assert "could not be drawn (RuntimeError)" in wire.shown(view)
