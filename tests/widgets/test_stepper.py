"""The stepper with a dummy browser: clicks return at once, what happened is shown, no secret reaches the page."""

from __future__ import annotations

import base64
import threading
import time
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import ipywidgets
import pytest

from guestlab.lab import Lab
from guestlab.secret_sources import from_prompt
from guestlab.widgets import view as view_module
from guestlab.widgets.panels import LANGUAGES, attempt_column, body_html
from guestlab.widgets.saved_inputs import Inputs
from guestlab.widgets.stage_token import TokenView
from guestlab.widgets.view import WIDGET_MIME

if TYPE_CHECKING:
    from collections.abc import Callable

    from guestlab.widgets.stepper import Stepper


def _until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)


def _settled(stepper: Stepper) -> None:
    """Wait until nothing runs and everything is painted."""
    _until(lambda: not stepper.stages.busy)
    stepper.refresh.poke()
    assert stepper.refresh.flush()


@pytest.fixture
def stepper(lab: Lab, wire: Any) -> Stepper:
    """A stepper on a sandbox, its widget built."""
    del wire
    stepper = lab.stepper()
    assert stepper.widget is not None
    return stepper


def test_three_clicks_show_401_and_then_101(stepper: Stepper, wire: Any) -> None:
    """The walk of the first lesson, by buttons."""
    wire.click(stepper, "Get token")
    _until(lambda: stepper.stages["token"].state == "done")
    wire.click(stepper, "Open conversation")
    _until(lambda: stepper.stages["conversation"].state == "done" and not stepper.stages.busy)
    wire.click(stepper, "As asked")
    _until(lambda: stepper.stages["handshake"].refused is not None and not stepper.stages.busy)
    _settled(stepper)
    shown = wire.shown(stepper)
    for expected in ("401", "lane http", "upgrade.deployment-missing", "level: inferred", "Next", "Look at"):
        assert expected in shown
    assert "access_token" in wire.named(stepper, "Code to copy").value
    wire.click(stepper, "That works")
    _until(lambda: stepper.stages["handshake"].opened is not None)
    _settled(stepper)
    shown = wire.shown(stepper)
    assert "HTTP/1.1 101 Switching Protocols" in shown
    assert "HTTP/1.1 401 Unauthorized" in shown
    assert "What differs" in shown
    assert "deploymentId" in wire.named(stepper, "Code to copy").value
    assert "access_token" not in wire.named(stepper, "Code to copy").value


def test_a_click_returns_at_once_and_buttons_wait_meanwhile(
    stepper: Stepper, wire: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The work is elsewhere; until it is done every button is disabled, and the stage says running."""
    go_on = threading.Event()
    token = stepper.lab.token
    threads: list[threading.Thread] = []

    def slow(*args: Any, **named: Any) -> Any:
        threads.append(threading.current_thread())
        assert go_on.wait(20)
        return token(*args, **named)

    monkeypatch.setattr(stepper.lab, "token", slow)
    begun = time.monotonic()
    wire.click(stepper, "Run all")
    assert time.monotonic() - begun < 1
    _until(lambda: wire.named(stepper, "Get token").disabled)
    assert threads[0] is not threading.current_thread()
    assert "◔ running" in wire.shown(stepper)
    go_on.set()
    _until(lambda: stepper.stages["handshake"].state == "done")
    _settled(stepper)
    _until(lambda: not wire.named(stepper, "Get token").disabled)


def test_what_is_entered_while_something_runs_makes_it_stale(
    stepper: Stepper, wire: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ran with what stood there before."""
    conversation = stepper.lab.conversation

    def slow(text: str) -> Any:
        wire.enter(stepper, "The customer says", "something else")
        return conversation(text)

    monkeypatch.setattr(stepper.lab, "conversation", slow)
    stepper.run("conversation")
    assert stepper.stages["conversation"].state == "stale"


def test_a_click_after_the_lab_was_closed_says_so(stepper: Stepper, wire: Any) -> None:
    """The buttons stay on the page; they do not look dead."""
    stepper.lab.close()
    wire.click(stepper, "Get token")
    _until(lambda: "This lab is closed." in wire.shown(stepper))


def test_before_a_prompt_was_answered_the_token_stage_says_where_it_is(wire: Any) -> None:
    """In a cell, not here."""
    with Lab("mypurecloud.de", client_id="me", client_secret=from_prompt()) as lab:
        stepper = lab.stepper()
        assert stepper.widget is not None
        assert stepper.refresh.flush()
        assert "run lab.token() in a cell first" in wire.shown(stepper)
        assert "creates a real conversation in mypurecloud.de" in wire.shown(stepper)


def test_every_input_and_button_has_a_name(stepper: Stepper, wire: Any) -> None:
    """For screen readers and for eyes alike."""
    inputs = (
        ipywidgets.Text,
        ipywidgets.Textarea,
        ipywidgets.Dropdown,
        ipywidgets.Button,
        ipywidgets.RadioButtons,
    )
    parts = [part for part in wire.parts(stepper) if isinstance(part, inputs)]
    assert len(parts) > 20
    names = [part.description for part in parts]
    assert all(names)
    assert len(set(names)) == len(names)


def test_what_is_entered_in_the_browser_is_what_runs(stepper: Stepper, wire: Any) -> None:
    """Words, and a text of one's own where "other" is chosen."""
    wire.named(stepper, "Credential").value = "garbage"
    wire.named(stepper, "Placement").value = "header"
    wire.named(stepper, "Deployment").value = "right"
    wire.named(stepper, "Origin").value = "other, as entered"
    assert wire.named(stepper, "Origin header").layout.display is None
    wire.enter(stepper, "Origin header", "https://shop.example")
    assert stepper.inputs == Inputs(
        credential="garbage", placement="header", deployment="right", origin="https://shop.example"
    )
    wire.click(stepper, "Run as entered")
    _until(lambda: stepper.stages["handshake"].opened is not None)
    opened = stepper.stages["handshake"].opened
    assert opened is not None
    assert "Origin: https://shop.example" in opened.request
    assert (opened.credential, opened.placement) == ("garbage", "header")


def test_inputs_given_by_code_are_shown(lab: Lab, wire: Any) -> None:
    """A restored cell fills the fields; the same stepper is shown again; what changed goes stale."""
    stepper = lab.stepper(text="good morning", deployment="4c44344e-56ba-4b5c-8228-5473978ffe37")
    assert wire.named(stepper, "The customer says").value == "good morning"
    assert wire.named(stepper, "Deployment id").value.startswith("4c44344e")
    assert stepper.run("conversation")
    assert lab.stepper(text="good night") is stepper
    assert wire.named(stepper, "The customer says").value == "good night"
    assert stepper.stages["conversation"].state == "stale"
    _settled(stepper)
    assert "↻" in wire.shown(stepper)
    assert "good night" in wire.named(stepper, "Cell to keep").value
    stepper.reset()
    assert wire.named(stepper, "The customer says").value == "hello"
    assert stepper.stages["conversation"].state == "ready"


@pytest.mark.parametrize("label", ["Scope", "The customer says", "Endpoint"])
def test_a_secret_typed_into_a_field_is_taken_out(stepper: Stepper, wire: Any, label: str) -> None:
    """It is in no trait afterwards, and the person is told."""
    secret = "aB3dE5fG7hI9jK1lM3nO5pQ7rS9"
    wire.enter(stepper, label, f"wss://h.example/v1?access_token={secret}")
    stepper.refresh.flush()
    assert secret not in wire.state(stepper)
    assert f"“{label}”" in wire.shown(stepper)
    assert secret not in stepper.code()


@pytest.mark.parametrize("label", ["Code to copy", "Cell to keep"])
def test_what_is_typed_into_a_field_to_copy_from_is_painted_over(
    stepper: Stepper, wire: Any, label: str
) -> None:
    """Nothing stays there that the stepper did not write."""
    stepper.run("handshake")
    _settled(stepper)
    shown = wire.named(stepper, label).value
    wire.enter(stepper, label, "aB3dE5fG7hI9jK1lM3nO5pQ7rS9")
    _until(lambda: wire.named(stepper, label).value == shown)


def test_no_secret_of_the_lab_reaches_the_page(stepper: Stepper, wire: Any) -> None:
    """Client secret, access tokens and guest tokens: in no trait, no message to the browser, no static HTML."""
    lab = stepper.lab
    assert lab.sandbox is not None
    wire.click(stepper, "Run all")
    _until(lambda: stepper.stages["handshake"].state == "done")
    first = stepper.stages["token"].token
    wire.click(stepper, "Renew")
    _until(lambda: stepper.stages["token"].runs == 2)
    for language in LANGUAGES:
        wire.named(stepper, "Language").value = language
        _settled(stepper)
        for which in ("open", "refused"):
            wire.named(stepper, "Code of").value = which
            _settled(stepper)
    second = stepper.stages["token"].token
    assert first is not None
    assert second is not None
    secrets = [lab.sandbox.client_secret, first.value, second.value]
    pair = f"{lab.sandbox.client_id}:{lab.sandbox.client_secret}"
    secrets.append(base64.b64encode(pair.encode()).decode())
    everything = wire.texts + wire.state(stepper) + stepper.html() + stepper.text() + repr(stepper)
    everything += stepper.code() + str(first._repr_mimebundle_())
    assert "HTTP/1.1 101" in everything
    assert not [secret for secret in secrets if secret in everything]


class _Elements(HTMLParser):
    """Collects elements and attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_hostile_text_stays_text(lab: Lab, wire: Any) -> None:
    """In ids, URLs, origins and replies: no element comes of it, in the widget and in static HTML."""
    hostile = '"><img src=x onerror=alert(1)><script>alert(1)</script><a href="javascript:alert(1)">'
    assert lab.sandbox is not None
    lab.sandbox.gateway.set("deployment.unknown", status=403, body=hostile, headers=(("X-Own", hostile),))
    stepper = lab.stepper(text=hostile)
    assert stepper.widget is not None
    stepper.run("conversation")
    attempt = lab.attempt(deployment_id=hostile, origin="https://a.example")
    stepper.enter(credential="none", placement="nowhere", deployment="unknown")
    stepper.run("handshake")
    _settled(stepper)
    refused = stepper.stages["handshake"].refused
    assert refused is not None
    assert refused.body == hostile
    for html in (
        wire.shown(stepper),
        stepper.html(),
        attempt_column("x", attempt, lab),
        attempt._repr_mimebundle_()["text/html"],
    ):
        elements = _Elements()
        elements.feed(html)
        assert {tag for tag, _ in elements.found}.isdisjoint({"img", "script", "iframe", "a"})
        assert not [name for _, attributes in elements.found for name in attributes if name.startswith("on")]
    assert "&lt;img src=x" in wire.shown(stepper)


def test_the_static_form_needs_no_widgets(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain Python and nbconvert: text and HTML, as it is now; no ipywidgets model is made."""
    monkeypatch.setattr(view_module, "has_kernel", lambda: False)
    monkeypatch.setattr(ipywidgets.Widget, "__init__", lambda *_, **__: pytest.fail("a widget was made"))
    stepper = lab.stepper()
    assert "lab.token()" in stepper.html()
    stepper.run()
    bundle = lab._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html"}
    assert bundle["text/plain"] == repr(lab)
    assert "HTTP/1.1 401 Unauthorized" in bundle["text/html"]
    assert "SessionResponse 200" in stepper.text()


def test_in_a_kernel_the_bundle_names_the_widget(lab: Lab, wire: Any) -> None:
    """Beside the static form, so that a saved notebook shows something; the same widget each time."""
    bundle = lab._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", WIDGET_MIME}
    assert bundle[WIDGET_MIME]["model_id"] == lab.stepper().widget.model_id
    assert lab._repr_mimebundle_()[WIDGET_MIME] == bundle[WIDGET_MIME]
    assert "gl-root" in lab.stepper().widget._dom_classes


def test_the_life_of_the_token_counts_down_and_follows_a_renewal(stepper: Stepper, wire: Any) -> None:
    """Without a click; and when a request renewed the token by itself, the view says so."""
    assert stepper.run("token")
    _settled(stepper)
    first = next(text for text in wire.shown(stepper).splitlines() if "expires in" in text)
    assert "23 h 59 min" in first
    _until(lambda: first not in wire.shown(stepper))
    stepper.lab.renew()
    _until(lambda: "has been renewed since" in wire.shown(stepper))
    stepper.close()


def test_a_token_alone_counts_down_too(lab: Lab, wire: Any) -> None:
    """`lab.token()` as the last line of a cell: verdict first, then the doors, then its life."""
    view = TokenView(lab.token())
    html = view.html()
    assert html.index("This token is live") < html.index("guest socket") < html.index("AccessToken(")
    assert view.widget is not None
    first = wire.shown(view)
    assert "expires in" in first
    _until(lambda: wire.shown(view) != first)
    view.close()


def test_a_view_that_cannot_be_painted_says_so_and_lives_on(
    stepper: Stepper, wire: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, in its own words, without the exception's text."""
    monkeypatch.setattr(type(stepper), "_life_html", lambda _: 1 / 0)
    stepper.refresh.poke()
    stepper.refresh.flush()
    _until(lambda: "could not be painted (ZeroDivisionError)" in wire.shown(stepper))
    monkeypatch.undo()
    stepper.run("token")
    assert stepper.stages["token"].state == "done"


def test_a_stage_that_never_ran_says_what_it_is_for(lab: Lab) -> None:
    """Before anything ran, one sentence instead of empty tables."""
    stages = lab.stepper().stages
    for name in ("token", "conversation", "handshake"):
        assert "gl-quiet" in body_html(name, stages[name], lab)
        assert "<table" not in body_html(name, stages[name], lab)


def test_a_stage_that_ran_in_a_cell_says_so(lab: Lab) -> None:
    """Done, but the stepper saw none of its bytes."""
    assert lab.handshake().ok
    html = lab.stepper().html()
    assert "It ran in a cell, by lab.handshake()" in html
    assert "lab.conversation(). Run it here" not in html
