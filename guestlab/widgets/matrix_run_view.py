"""A matrix while it runs: a button, a bar, a button that stops it, and fields that fill as attempts end.

The attempts are the lab's own, made in the background. Away from loopback the button says how many requests
go where, and pressing it is the yes that `lab.matrix(confirm=True)` asks for; tokens are decoys there.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from guestlab.bridge import bridge
from guestlab.errors import GuestlabError
from guestlab.handshake.matrix import Cell, Matrix, MatrixPlan, vary
from guestlab.style import counted
from guestlab.widgets import theme
from guestlab.widgets.matrix_view import MatrixView
from guestlab.widgets.panels import error_html
from guestlab.widgets.stages import ask_in_a_cell
from guestlab.widgets.view import LiveView, button, markup, row, stack

if TYPE_CHECKING:
    from concurrent.futures import Future

    from guestlab.lab import Lab

__all__ = ["MatrixRun"]


class MatrixRun(LiveView):
    """A plan of attempts, to run from here and to watch.

    Args:
        lab: Whose attempts they are.
        plan: From `guestlab.handshake.matrix.vary`; by default the seed question's.
    """

    def __init__(self, lab: Lab, plan: MatrixPlan | None = None) -> None:
        super().__init__()
        self._lab = lab
        self.plan = plan if plan is not None else vary()
        where = "the embedded sandbox" if lab.sandbox is not None else lab.region.name
        self._made: list[Cell] = []
        self._view = MatrixView(Matrix(plan=self.plan, where=where))
        self._turn = threading.Lock()
        self._stop = threading.Event()
        self._trouble = ""
        self._outcome = ""
        self._run: Any = None

    # -- what it does -----------------------------------------------------------------------------

    @property
    def matrix(self) -> Matrix:
        """What is known by now."""
        return self._view.matrix

    @property
    def runs(self) -> bool:
        """Whether attempts are being made."""
        return self._turn.locked()

    def run(self) -> bool:
        """Begin, from the first attempt on, and return at once; False if it runs already."""
        if not self._turn.acquire(blocking=False):
            return False
        self._made, self._trouble, self._outcome = [], "", ""
        self._stop.clear()
        self._show()
        try:
            ask_in_a_cell(self._lab)
        except GuestlabError as error:
            self._over(error)
            return True
        where, stage = self.matrix.where, self._lab.handshakes
        work = stage.matrix(
            self.plan, where=where, real_token=False, progress=None, cancel=self._stop, on_cell=self._took
        )
        bridge.spawn(work).add_done_callback(self._finished)
        return True

    def cancel(self) -> None:
        """Begin no further attempt; what is done stays."""
        self._stop.set()
        self.refresh.poke()

    def _took(self, cell: Cell) -> None:
        self._made.append(cell)
        self._show()

    def _show(self) -> None:
        order = {setting: number for number, setting in enumerate(self.plan.settings)}
        made = sorted(self._made, key=lambda cell: order[cell.setting])
        self._view.take(Matrix(plan=self.plan, where=self.matrix.where, cells=tuple(made)))
        self.refresh.poke()

    def _finished(self, future: Future[Matrix]) -> None:
        self._over(future.exception())

    def _over(self, error: BaseException | None) -> None:
        made, planned = len(self._made), len(self.plan)
        if isinstance(error, GuestlabError):
            self._trouble = error_html(error)
        elif error is not None:
            self._trouble = theme.note(f"It broke off ({type(error).__name__}).", "failed")
        done = "Done" if made == planned else "Stopped"
        self._outcome = f"{done}: {made} of {counted(planned, 'attempt')} made."
        self._turn.release()
        self.refresh.poke()

    # -- how it looks -----------------------------------------------------------------------------

    def build(self) -> Any:
        """Make the widget."""
        import ipywidgets as w

        where = "" if self._lab.region.is_loopback else f" at {self.matrix.where}"
        self._run = button(f"Run {counted(len(self.plan), 'attempt')}{where}", self.run, style="primary")
        self._cancel = button("Cancel", self.cancel, tooltip="Begin no further attempt; what is done stays")
        self._bar = w.IntProgress(
            value=0, max=len(self.plan), description="Attempts", style={"description_width": "initial"}
        )
        self._said, self._told = markup("", "gl-live", "gl-small"), markup("")
        return stack(
            row(self._run, self._cancel, self._bar, self._said, classes=("gl-buttons",)),
            self._told,
            self._view.build(),
        )

    def paint(self) -> None:
        """Bring it up to date."""
        if self._run is None:
            return
        runs, made = self.runs, len(self._made)
        self._run.disabled, self._cancel.disabled = runs, not runs or self._stop.is_set()
        self._bar.value = made
        self._bar.layout.visibility = "visible" if runs or made else "hidden"
        self._said.value = "running …" if runs else self._outcome
        self._told.value = self._trouble
        self._view.paint()

    def close(self) -> None:
        """Stop moving, and begin no further attempt."""
        self._stop.set()
        self._view.close()
        super().close()

    def html(self) -> str:
        """The heat map as a table, as far as it is known."""
        return self._view.html()

    def text(self) -> str:
        """The heat map in words and icons."""
        return self._view.text()
