"""A mask of the log stands for a secret: a form, a list, a frame and a stage ask anew instead of sending it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import ipywidgets as w
import pytest

from guestlab.protocol import content as c
from guestlab.widgets.composer import Composer
from guestlab.widgets.forms import form_box, list_picker_box

if TYPE_CHECKING:
    from guestlab.lab import Lab

pytestmark = pytest.mark.usefixtures("wire")
MASK = "[masked:ab12cd34]"


class Sent:
    """Stands in for a session: what would be sent is kept."""

    def __init__(self) -> None:
        self.made: list[Any] = []

    def __call__(self, what: str, make: Any, **_: Any) -> None:
        """Keep it."""
        self.made.append((what, make))


def _form(**input_: Any) -> c.Form:
    asked = c.FormInput(**{"id": "name", "title": "Your name", **input_})
    component = c.FormComponent(type="Input", input=asked)
    return c.Form(canned_response_id="r1", pages=(c.FormPage(title="p", components=(component,)),))


def test_a_form_asks_anew_for_a_value_that_is_a_mask(wire: Any) -> None:
    """The field is emptied, the question named; with the value itself it goes out."""
    sent = Sent()
    box = form_box(_form(is_required=True), "m1", sent)
    field = next(part for part in wire.parts(box) if isinstance(part, w.Text))
    field.value = MASK
    wire.click(box, "Send form")
    assert sent.made == []
    assert "“Your name” holds a secret" in wire.shown(box)
    assert field.value == ""
    field.value = "Ada"
    wire.click(box, "Send form")
    assert len(sent.made) == 1


def test_a_form_whose_own_id_is_masked_is_not_sent(wire: Any) -> None:
    """Nobody could match the answer."""
    sent = Sent()
    box = form_box(_form(id=MASK), "m1", sent)
    next(part for part in wire.parts(box) if isinstance(part, w.Text)).value = "Ada"
    wire.click(box, "Send form")
    assert sent.made == []
    assert "Not sent" in wire.shown(box)


def test_a_row_with_a_masked_title_is_not_sent(wire: Any) -> None:
    """Nor one with a masked id."""
    for row in ({"id": "1", "title": MASK}, {"id": MASK, "title": "tea"}):
        sent = Sent()
        section = c.ListPickerSection(title="s", items=(c.ListPickerItem(**row),))
        picker = c.ListPicker(sections=(section,))
        box = list_picker_box(picker, "m1", sent)
        next(part for part in wire.parts(box) if isinstance(part, w.RadioButtons)).index = 0
        wire.click(box, "Send choice")
        assert sent.made == []
        assert "Not sent" in wire.shown(box)


def test_a_frame_pasted_from_the_log_is_not_sent_with_its_mask(wire: Any) -> None:
    """But its own token and tracing id may be masked: they are filled in anyway."""
    sent = Sent()
    composer = Composer(sent, lambda: "wss://127.0.0.1/v1", lambda: None)
    frame = {
        "action": "onMessage",
        "token": MASK,
        "tracingId": "t",
        "message": {"type": "Text", "text": MASK},
    }
    composer.frame.value = json.dumps(frame)
    wire.click(composer.widget, "Send frame")
    assert sent.made == []
    composer.paint("")
    assert "Not sent" in wire.shown(composer.widget)
    composer.frame.value = json.dumps({**frame, "message": {"type": "Text", "text": "hello"}})
    wire.click(composer.widget, "Send frame")
    assert len(sent.made) == 1


def test_a_stage_whose_input_lost_its_secret_does_not_run(lab: Lab) -> None:
    """What was taken out of it is said, and nothing crosses the wire."""
    stepper = lab.stepper(text="it is aB3dE5fG7hI9jK1lM3nO5")
    assert "[masked]" in stepper.inputs.text
    before = len(lab.log)
    stepper.run("conversation")
    told = stepper.stages["conversation"]
    assert told.state == "failed"
    assert told.error is not None
    assert "'text' holds a mask" in told.error.what
    assert len(lab.log) == before
