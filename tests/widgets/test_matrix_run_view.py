"""A matrix run from the view: fields fill as attempts end, it can be stopped, and what goes wrong is said."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from guestlab.handshake.matrix import vary
from guestlab.lab import Lab
from guestlab.secret_sources import from_prompt
from guestlab.widgets.matrix_run_view import MatrixRun

if TYPE_CHECKING:
    from guestlab.handshake.attempt import Attempt

PLAN = vary(credentials=["none", "garbage"], placements=["query", "header", "cookie"])


class Gate:
    """Holds attempts back until the test lets so many through."""

    def __init__(self, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
        self._through = threading.Semaphore(0)
        self._attempt = lab.handshakes.attempt
        self.begun = 0
        monkeypatch.setattr(lab.handshakes, "attempt", self)

    async def __call__(self, *args: Any, **named: Any) -> Attempt:
        """Wait for the test, then try."""
        import asyncio

        self.begun += 1
        await asyncio.to_thread(self._through.acquire)
        return await self._attempt(*args, **named)

    def let_through(self, count: int) -> None:
        """So many more."""
        self._through.release(count)


@pytest.fixture
def view(lab: Lab, wire: Any) -> MatrixRun:
    """Five attempts, built."""
    del wire
    view = MatrixRun(lab, PLAN)
    assert view.widget is not None
    assert view.refresh.flush()
    return view


def _until(view: MatrixRun, condition: Any) -> None:
    for _ in range(2000):
        if condition():
            break
        threading.Event().wait(0.01)
    assert condition(), "it never happened"
    view.refresh.poke()
    assert view.refresh.flush()


def test_fields_fill_one_by_one(
    lab: Lab, view: MatrixRun, wire: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each as its attempt ends; the bar and the heading say how far it is."""
    gate = Gate(lab, monkeypatch)
    untried = wire.shown(view).count("not tried")
    assert untried
    wire.click(view, "Run 5 attempts")
    _until(view, lambda: gate.begun == 5)
    assert wire.named(view, "Run 5 attempts").disabled
    assert not wire.named(view, "Cancel").disabled
    for made in (1, 3, 5):
        gate.let_through(made - len(view.matrix.cells))
        _until(view, lambda made=made: len(view.matrix.cells) == made)
        assert wire.named(view, "Attempts").value == made
        assert f"Matrix: {made} attempt" in wire.shown(view)
        fields = [part for part in wire.parts(view) if "gl-cell" in getattr(part, "_dom_classes", ())]
        assert sum(not field.disabled for field in fields) == made
    _until(view, lambda: not view.runs)
    assert "Done: 5 of 5 attempts made." in wire.shown(view)
    assert "No credential in any place opens the guest socket" in wire.shown(view)
    assert [cell.setting for cell in view.matrix.cells] == list(PLAN.settings)


def test_it_is_cancelled(lab: Lab, view: MatrixRun, wire: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done stays and can be looked at, the rest is left out; then it can be run again."""
    gate = Gate(lab, monkeypatch)
    wire.click(view, "Run 5 attempts")
    gate.let_through(2)
    _until(view, lambda: len(view.matrix.cells) == 2)
    wire.click(view, "Cancel")
    _until(view, lambda: not view.runs)
    assert "Stopped: 2 of 5 attempts made." in wire.shown(view)
    assert "3 not tried" in wire.shown(view)
    gate.let_through(100)
    wire.click(view, "Run 5 attempts")
    _until(view, lambda: not view.runs)
    assert len(view.matrix.cells) == 5


def test_it_runs_once_at_a_time(lab: Lab, view: MatrixRun, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second click changes nothing."""
    gate = Gate(lab, monkeypatch)
    assert view.run()
    assert not view.run()
    gate.let_through(5)
    _until(view, lambda: not view.runs)
    assert gate.begun == 5


def test_a_field_can_be_opened_while_it_runs(
    lab: Lab, view: MatrixRun, wire: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And stays open while others come."""
    gate = Gate(lab, monkeypatch)
    wire.click(view, "Run 5 attempts")
    gate.let_through(1)
    _until(view, lambda: len(view.matrix.cells) == 1)
    setting = view.matrix.cells[0].setting
    view._view.choose(setting.row, setting.column)
    gate.let_through(4)
    _until(view, lambda: not view.runs)
    assert f"Shown below: {setting.row}" in wire.shown(view)
    assert "HTTP/1.1" in wire.shown(view)


def test_away_from_loopback_the_button_says_how_many_requests_go_where(wire: Any) -> None:
    """Nothing is sent before it is pressed."""
    with Lab("mypurecloud.de", deployment_id="4c44344e-56ba-4b5c-8228-5473978ffe37") as lab:
        view = MatrixRun(lab)
        assert wire.named(view, "Run 17 attempts at mypurecloud.de") is not None
        assert len(lab.log) == 0
        view.close()


def test_a_secret_that_is_to_be_asked_for_is_asked_for_in_a_cell(wire: Any) -> None:
    """Said, not attempted: a click has no prompt."""
    secret = from_prompt()
    with Lab("mypurecloud.de", deployment_id="x", client_id="c", client_secret=secret) as lab:
        view = MatrixRun(lab)
        assert view.widget is not None
        assert view.run()
        assert not view.runs
        assert view.refresh.flush()
        assert "lab.token()" in wire.shown(view)
        assert len(lab.log) == 0


def test_an_error_ends_it_and_is_said(
    lab: Lab, view: MatrixRun, wire: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its kind alone if it is not ours: its text was not redacted."""

    async def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("a secret")

    monkeypatch.setattr(lab.handshakes, "attempt", broken)
    wire.click(view, "Run 5 attempts")
    _until(view, lambda: not view.runs)
    assert "It broke off (RuntimeError)" in wire.shown(view)
    assert "a secret" not in wire.texts


def test_its_static_form_is_the_heat_map(view: MatrixRun) -> None:
    """As far as it is known."""
    assert "<table>" in view.html()
    assert "not tried" in view.html()
    assert "not tried" in view.text()


def test_the_stepper_holds_one_and_builds_it_when_unfolded(lab: Lab, wire: Any) -> None:
    """Two dozen buttons that nobody asked for are not made."""
    stepper = lab.stepper()
    assert stepper.widget is not None
    assert not [part for part in wire.parts(stepper) if getattr(part, "description", "") == "Cancel"]
    folds = [part for part in wire.parts(stepper) if "matrix" in str(getattr(part, "titles", ""))]
    folds[0].set_state({"selected_index": 0})
    wire.click(stepper, "Run 17 attempts")
    for _ in range(2000):
        if len(stepper.matrix.matrix.cells) == 17 and not stepper.matrix.runs:
            break
        threading.Event().wait(0.01)
    assert len(stepper.matrix.matrix.cells) == 17
    stepper.matrix.refresh.poke()
    assert stepper.matrix.refresh.flush()
    assert "Done: 17 of 17 attempts made." in wire.shown(stepper)
