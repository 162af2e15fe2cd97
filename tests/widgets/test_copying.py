"""The copy buttons: at every piece of code of a live view, at none of a static one, and nothing hostile in them."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

from guestlab.widgets import theme
from guestlab.widgets.copying import with_copying

if TYPE_CHECKING:
    from guestlab.lab import Lab

HOSTILE = '"></pre><button onclick="alert(1)"><pre class="gl-code" aria-label="'


class Found(HTMLParser):
    """Collects elements with their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep it."""
        self.elements.append((tag, dict(attrs)))

    def named(self, tag: str) -> list[dict[str, str | None]]:
        """All elements of a name."""
        return [attributes for name, attributes in self.elements if name == tag]


def test_each_piece_of_code_gets_a_named_button_and_a_live_region() -> None:
    """What is copied is told by the label; what became of it is said."""
    html = with_copying(theme.code("a", label="the request") + "<p>between</p>" + theme.code("b"))
    buttons = Found(html).named("button")
    assert [button["aria-label"] for button in buttons] == ["Copy the request", "Copy"]
    assert html.count('aria-live="polite"') == 2
    assert "<p>between</p>" in html


def test_hostile_code_makes_no_button_of_its_own() -> None:
    """Neither its text nor its label ends the element it stands in."""
    found = Found(with_copying(theme.code(HOSTILE, label=HOSTILE)))
    (button,) = found.named("button")
    assert button["aria-label"] == f"Copy {HOSTILE}"
    assert "onclick" not in button
    assert len(found.named("pre")) == 1


def test_live_stages_and_attempts_can_be_copied_static_ones_have_no_dead_button(lab: Lab, wire: Any) -> None:
    """Request, reply, frames and the code; GitHub shows none of the buttons, for nobody would hear them."""
    stepper = lab.stepper()
    assert stepper.widget is not None
    stepper.run()
    assert stepper.refresh.flush()
    labels = [button["aria-label"] for button in Found(wire.shown(stepper)).named("button")]
    for wanted in (
        "Copy Request, Refused",
        "Copy Reply, Open",
        "Copy First frame, sent, Open",
        "Copy the code",
    ):
        assert wanted in labels
    assert "<button" not in stepper.html()
    view = lab.handshake().view()
    assert view.widget is not None
    assert view.refresh.flush()
    assert "Copy the code" in wire.shown(view)
    assert "<button" not in view.html()


def test_the_script_is_a_constant_of_ours_and_beside_no_static_form(lab: Lab) -> None:
    """It stands in the style sheet's widget alone."""
    assert "navigator.clipboard" in theme.SCRIPT
    assert Found(theme.SCRIPT).named("style")[0].keys() == {"onload"}
    assert "navigator.clipboard" not in lab.stepper().html()
