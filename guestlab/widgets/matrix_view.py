"""A matrix as a heat map whose fields are buttons: word and icon in each, the chosen one's attempt below.

Rows are credentials and their places, columns deployment ids and origins, as in the static form, which stays
what GitHub and nbconvert show.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guestlab.display import matrix_html, matrix_text
from guestlab.style import counted, look
from guestlab.widgets import theme
from guestlab.widgets.attempt_view import AttemptBox
from guestlab.widgets.view import LiveView, markup, stack
from guestlab.widgets.views_style import style
from guestlab.widgets.wire_text import plain

if TYPE_CHECKING:
    from guestlab.handshake.attempt import Attempt
    from guestlab.handshake.matrix import Cell, Matrix

__all__ = ["MatrixView"]

_WORDS = 60


class MatrixView(LiveView):
    """A matrix, to click into.

    Args:
        matrix: Which.
    """

    def __init__(self, matrix: Matrix) -> None:
        super().__init__()
        self.matrix = matrix
        self._cells = matrix.by_place()
        self._buttons: dict[tuple[str, str], Any] = {}
        self._chosen: tuple[str, str] | None = None
        self._marked: tuple[str, str] | None = None
        self._shown: dict[tuple[str, str], Cell | None] = {}
        self._box: AttemptBox | None = None

    # -- what it does -----------------------------------------------------------------------------

    @property
    def chosen(self) -> Cell | None:
        """The attempt shown below."""
        return None if self._chosen is None else self._cells[self._chosen]

    def choose(self, row: str, column: str) -> None:
        """Show the attempt of a field, by the words of its row and column; one not tried changes nothing."""
        cell = self._cells.get((row, column))
        if cell is None:
            return
        self._chosen = row, column
        if self._box is not None:
            self._box.about(cell, self._working(cell))
        self.refresh.poke()

    def take(self, matrix: Matrix) -> None:
        """Show what is known by now of the same plan; safe on any thread."""
        self.matrix, self._cells = matrix, matrix.by_place()
        if self._chosen not in self._cells:
            self._chosen = None
        self.refresh.poke()

    def _working(self, cell: Cell) -> Cell | None:
        """The open attempt nearest to one that is not: of its row, of its column, any."""
        opened = [each for each in self.matrix.cells if each.ok]
        near = [each for each in opened if each.setting.row == cell.setting.row]
        near += [each for each in opened if each.setting.column == cell.setting.column]
        return next(iter(near or opened), None)

    # -- how it looks -----------------------------------------------------------------------------

    def build(self) -> Any:
        """Make the widget."""
        self._box = AttemptBox(self.refresh.poke, title=_title)
        if self.chosen is not None:
            self._box.about(self.chosen, self._working(self.chosen))
        self._head, self._told = markup(self._head_html()), markup("")
        return stack(
            style(),
            self._head,
            self._map(),
            self._told,
            stack(self._box.widget, classes=("gl-below",)),
            classes=("gl-card", "gl-matrix"),
        )

    def _map(self) -> Any:
        import ipywidgets as w

        rows, columns = self.matrix.rows, self.matrix.columns
        shared = {"layout": w.Layout(width="auto", height="auto"), "style": w.ButtonStyle()}
        children = [markup("")] + [_head_cell(name, "gl-heat-column") for name in columns]
        for name in rows:
            children.append(_head_cell(name, "gl-heat-row"))
            children += [self._button(name, column, shared) for column in columns]
        made = w.GridBox(children)
        made.layout.grid_template_columns = (
            f"minmax(150px, max-content) repeat({len(columns)}, minmax(132px, 1fr))"
        )
        made.layout.grid_gap = "4px"
        made.add_class("gl-heat")
        return made

    def _button(self, row: str, column: str, shared: dict[str, Any]) -> Any:
        import ipywidgets as w

        made = w.Button(**shared)
        made.add_class("gl-cell")
        self._buttons[row, column] = made
        self._dress((row, column))
        made.on_click(lambda _: self.choose(row, column))
        return made

    def _dress(self, place: tuple[str, str]) -> None:
        """Write into a field what came of its attempt."""
        button, cell = self._buttons[place], self._cells.get(place)
        state = _state(cell)
        word = "not tried" if cell is None else cell.word
        about = "not tried" if cell is None else f"{cell.verdict}. {', '.join(cell.diagnosis.rules)}"
        button.description = f"{look(state).icon} {plain(word, _WORDS, one_line=True)}"
        button.tooltip = plain(f"{', '.join(place)}: {about}", 400, one_line=True)
        button.disabled = cell is None
        for other in {"ready", "done", "failed"} - {state}:
            button.remove_class(f"gl-cell-{other}")
        button.add_class(f"gl-cell-{state}")
        self._shown[place] = cell

    def paint(self) -> None:
        """Bring it up to date."""
        if self._box is None:
            return
        cells = self._cells
        for place in self._buttons:
            if self._shown[place] is not cells.get(place):
                self._dress(place)
        if self._marked != self._chosen:
            if self._marked is not None:
                self._buttons[self._marked].remove_class("gl-cell-chosen")
            if self._chosen is not None:
                self._buttons[self._chosen].add_class("gl-cell-chosen")
            self._marked = self._chosen
        self._head.value = self._head_html()
        self._told.value = self._said()
        self._box.paint()

    def _said(self) -> str:
        cell = self.chosen
        if cell is None:
            said = "Choose a field: its attempt appears here."
        else:
            said = f"Shown below: {cell.setting.row}, {cell.setting.column}."
        return f'<div role="status" class="gl-quiet gl-small gl-said">{theme.escape(plain(said, 400))}</div>'

    def _head_html(self) -> str:
        matrix = self.matrix
        made, opened = len(matrix.cells), sum(cell.ok for cell in matrix.cells)
        left = len(matrix.plan) - made
        pills = [
            theme.pill("done", f"{opened} open"),
            theme.pill("failed", f"{made - opened} not"),
        ]
        if left:
            pills.append(theme.pill("ready", f"{left} not tried"))
        answer = f'<div class="gl-answer">{theme.escape(matrix.answer)}</div>' if matrix.answer else ""
        title = f"Matrix: {counted(made, 'attempt')} at {matrix.where}"
        return theme.heading(title, *pills) + answer

    def html(self) -> str:
        """The heat map as a table."""
        return matrix_html(self.matrix)

    def text(self) -> str:
        """The heat map in words and icons."""
        return matrix_text(self.matrix)


def _state(cell: Cell | None) -> str:
    return "ready" if cell is None else "done" if cell.ok else "failed"


def _head_cell(name: str, kind: str) -> Any:
    return markup(f'<div class="{kind}">{theme.escape(plain(name, _WORDS, one_line=True))}</div>')


def _title(attempt: Attempt) -> str:
    return f"Attempt {attempt.number}"
