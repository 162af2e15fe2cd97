"""The matrix as buttons: each says what came of its attempt, a click shows the attempt with all it holds."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

import ipywidgets
import pytest

from guestlab.widgets.matrix_view import MatrixView
from guestlab.widgets.panels import LANGUAGES
from guestlab.widgets.view import WIDGET_MIME

if TYPE_CHECKING:
    from guestlab.handshake.matrix import Matrix
    from guestlab.lab import Lab

MISSING = "deployment id missing"


@pytest.fixture
def matrix(lab: Lab) -> Matrix:
    """Four attempts, one of them open."""
    return lab.matrix(credentials=["none", "client_credentials", "garbage"], placements=["query"])


def _fields(view: Any, wire: Any) -> dict[str, Any]:
    """Row and column, as the tooltip begins → the button."""
    return {
        part.tooltip.partition(":")[0]: part
        for part in wire.parts(view)
        if isinstance(part, ipywidgets.Button) and "gl-cell" in part._dom_classes
    }


def _click(button: Any) -> None:
    button._handle_custom_msg({"event": "click"}, [])


def test_every_field_is_a_button_with_word_and_icon(matrix: Matrix, wire: Any) -> None:
    """Never by colour alone; what was not tried cannot be pressed."""
    fields = _fields(matrix.view(), wire)
    assert len(fields) == len(matrix.rows) * len(matrix.columns)
    assert fields[f"no credential, {MISSING}"].description == "✗ refused 401"
    assert fields["no credential, deployment id right"].description == "✓ open"
    untried = fields["garbage in query, deployment id right"]
    assert untried.description == "○ not tried"
    assert untried.disabled
    assert sum(not button.disabled for button in fields.values()) == len(matrix)


def test_a_click_shows_the_attempt_below(matrix: Matrix, wire: Any) -> None:
    """Verdict, bytes, diagnosis, what differs from the open one, code; and the field is marked."""
    view = matrix.view()
    fields = _fields(view, wire)
    assert view.refresh.flush()
    assert "Choose a field" in wire.shown(view)
    field = fields[f"client credentials in query, {MISSING}"]
    _click(field)
    assert view.refresh.flush()
    shown = wire.shown(view)
    for expected in (
        "Shown below: client credentials in query",
        "refused at upgrade: HTTP 401 (lane http)",
        "HTTP/1.1 401 Unauthorized",
        "upgrade.deployment-missing",
        "What differs from an open attempt",
        "query parameter deploymentId",
    ):
        assert expected in shown
    assert "gl-cell-chosen" in field._dom_classes
    assert "access_token" in wire.named(view, "Code to copy").value
    other = fields["no credential, deployment id right"]
    _click(other)
    assert view.refresh.flush()
    assert "HTTP/1.1 101 Switching Protocols" in wire.shown(view)
    assert "What differs" not in wire.shown(view)
    assert "gl-cell-chosen" in other._dom_classes
    assert "gl-cell-chosen" not in field._dom_classes


def test_the_code_follows_the_language(matrix: Matrix, wire: Any) -> None:
    """All of them."""
    view = matrix.view()
    assert view.widget is not None
    view.choose("no credential", "deployment id right")
    seen = set()
    for language in LANGUAGES:
        wire.enter(view, "Language", list(LANGUAGES).index(language), "index")
        assert view.refresh.flush()
        seen.add(wire.named(view, "Code to copy").value)
    assert len(seen) == len(LANGUAGES)
    assert all(seen)


def test_a_field_that_was_not_tried_shows_nothing(matrix: Matrix, wire: Any) -> None:
    """As little as one that does not exist."""
    view = matrix.view()
    assert view.widget is not None
    view.choose("garbage in query", "deployment id right")
    view.choose("no such row", "no such column")
    assert view.chosen is None


def test_the_sequence_diagram_is_drawn_when_asked_for(matrix: Matrix, wire: Any) -> None:
    """A picture with its description where matplotlib is; the table always."""
    view = matrix.view()
    assert view.widget is not None
    view.choose("no credential", MISSING)
    assert view.refresh.flush()
    assert "data:image/png" not in wire.shown(view)
    wire.click(view, "Sequence diagram")
    assert view.refresh.flush()
    shown = wire.shown(view)
    assert ">gateway</td>" in shown
    if importlib.util.find_spec("matplotlib") is not None:
        assert 'src="data:image/png;base64,' in shown
        assert 'alt="Attempt ' in shown
    view.choose("no credential", "deployment id right")
    assert view.refresh.flush()
    assert "data:image/png" not in wire.shown(view)


def test_the_last_line_of_a_cell_shows_widget_and_static_form(matrix: Matrix, wire: Any) -> None:
    """The heat map stays as a table for GitHub and nbconvert."""
    del wire
    bundle = matrix._repr_mimebundle_()
    assert WIDGET_MIME in bundle
    assert "✗ refused 401" in bundle["text/html"]
    assert "✓ open" in bundle["text/plain"]


def test_without_a_kernel_there_is_the_static_form_alone(matrix: Matrix) -> None:
    """Plain Python and nbconvert."""
    assert set(matrix._repr_mimebundle_()) == {"text/plain", "text/html"}


def test_no_secret_is_in_the_widgets_state(lab: Lab, wire: Any) -> None:
    """Neither the token's value nor the client's secret; every field clicked."""
    view = MatrixView(lab.matrix(credentials=["client_credentials"]))
    token = lab.token().value
    assert lab.sandbox is not None
    for field in _fields(view, wire).values():
        _click(field)
        assert view.refresh.flush()
        wire.click(view, "Sequence diagram")
        assert view.refresh.flush()
        told = wire.state(view) + wire.texts
        assert token not in told
        assert lab.sandbox.client_secret not in told


def test_two_hundred_fields_are_few_models(lab: Lab, wire: Any) -> None:
    """The buttons share layout and style: one model for each field."""
    matrix = lab.matrix(
        credentials=["guest", "garbage"],
        deployments=["missing", "right", "empty"],
        origins=["own", "none"],
        crossed=True,
    )
    view = matrix.view()
    fields = _fields(view, wire)
    assert len(fields) == 60
    assert len({id(field.layout) for field in fields.values()}) == 1
    assert len({id(field.style) for field in fields.values()}) == 1
