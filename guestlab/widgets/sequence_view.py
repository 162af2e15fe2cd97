"""Who sent what to whom, in an attempt or a session: drawn where matplotlib is installed, a table anywhere.

`SequenceBox` is a button that other views hold; the drawing is made when it is pressed, on the kernel's own
thread right after the click has returned, because matplotlib's settings belong to the whole process and a
cell may be plotting too.
"""

from __future__ import annotations

import asyncio
import importlib.util
from base64 import b64encode
from typing import TYPE_CHECKING, Any, NamedTuple

from guestlab.errors import GuestlabError
from guestlab.widgets import theme
from guestlab.widgets.view import LiveView, button, markup, stack
from guestlab.widgets.wire_text import plain, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from guestlab.analysis.plot import Plot
    from guestlab.analysis.sequences import Arrow
    from guestlab.handshake.attempt import Attempt
    from guestlab.log import Log

__all__ = [
    "Diagram",
    "SequenceBox",
    "SequenceView",
    "diagram_html",
    "of_attempt",
    "of_entries",
    "of_session",
]

_MOST = 40
"""Arrows of a session."""
_CUT = 200


class Diagram(NamedTuple):
    """What is to be drawn, and how, once somebody asks."""

    title: str
    plot: Callable[[], Plot]
    arrows: Callable[[], tuple[Arrow, ...]]


def of_attempt(attempt: Attempt) -> Diagram:
    """The diagram of an attempt."""

    def plot() -> Plot:
        from guestlab.analysis.sequences import plot_attempt

        return plot_attempt(attempt)

    def arrows() -> tuple[Arrow, ...]:
        from guestlab.analysis.sequences import arrows_of_attempt

        return arrows_of_attempt(attempt)

    return Diagram(f"attempt {attempt.number}", plot, arrows)


def of_entries(log: Log, number: int) -> Diagram:
    """The diagram of an attempt that a log holds."""

    def entries() -> Any:
        table = log.table()
        places = (table["attempt"] == number).fillna(value=False).to_numpy(bool).nonzero()[0]
        return [log.entries[int(place)] for place in places]

    def plot() -> Plot:
        from guestlab.analysis.sequences import plot_attempt

        return plot_attempt(entries(), number=number)

    def arrows() -> tuple[Arrow, ...]:
        from guestlab.analysis.sequences import arrows_of_attempt

        return arrows_of_attempt(entries(), number=number)

    return Diagram(f"attempt {number}", plot, arrows)


def of_session(log: Log, session: str, most: int = _MOST) -> Diagram:
    """The diagram of a session or channel that a log holds: its first frames."""

    def rows() -> Any:
        table = log.table()
        return table[table["session"] == session]

    def plot() -> Plot:
        from guestlab.analysis.sequences import plot_session

        return plot_session(rows(), session=session, most=most)

    def arrows() -> tuple[Arrow, ...]:
        from guestlab.analysis.sequences import arrows_of_session

        return arrows_of_session(rows(), session=session, most=most)

    return Diagram(f"session {plain(session, 40, one_line=True)}", plot, arrows)


def _can_draw() -> bool:
    return importlib.util.find_spec("matplotlib") is not None


def diagram_html(diagram: Diagram) -> str:
    """Draw it, or tell it as a table, or say why neither can be."""
    try:
        arrows = diagram.arrows()
        plot = diagram.plot() if _can_draw() else None
    except GuestlabError as error:
        return theme.advice(what=error.what, why=error.why, next_step=error.next_step)
    table = _arrows_table(arrows)
    if plot is None:
        hint = theme.note("With matplotlib it is drawn: pip install 'guestlab[plot]'.")
        return table + hint
    picture = b64encode(plot.png()).decode("ascii")
    told = theme.escape(plot.description, quote=True)
    image = f'<img class="gl-drawing" alt="{told}" src="data:image/png;base64,{picture}">'
    return image + theme.details("The same as a table", table)


def _arrows_table(arrows: tuple[Arrow, ...]) -> str:
    rows = [
        (
            arrow.start or "",
            {True: "↔", False: "→"}[arrow.both] if arrow.start else "",
            arrow.end or "",
            theme.Markup(("✗ " if arrow.state == "failed" else "") + shown(arrow.text, _CUT)),
            _number(arrow.number),
            arrow.time,
        )
        for arrow in arrows
    ]
    return theme.table(("from", "", "to", "what", "number and lane", "time"), rows)


def _number(number: str) -> theme.Markup:
    """`frame 200` → 200 frame code."""
    lane, _, value = number.rpartition(" ")
    return theme.Markup(theme.number(value, lane.lower()) if lane else theme.escape(number))


class SequenceBox:
    """A button that draws a diagram below itself.

    Args:
        poke: Asks for a paint.
        text: What the button says.
    """

    def __init__(self, poke: Callable[[], None], text: str = "Sequence diagram") -> None:
        self._poke = poke
        self._diagram: Diagram | None = None
        self._html = ""
        self._button = button(text, self._clicked, tooltip="Draw who sent what to whom")
        self._drawing = markup("")
        self.widget = stack(self._button, self._drawing, classes=("gl-sequence",))

    def about(self, diagram: Diagram | None) -> None:
        """Take another diagram; nothing is drawn before the button is pressed."""
        self._diagram, self._html = diagram, ""

    def paint(self) -> None:
        """Bring it up to date."""
        diagram = self._diagram
        self.widget.layout.display = None if diagram is not None else "none"
        if diagram is not None:
            self._button.tooltip = f"Draw who sent what to whom: {diagram.title}"
        self._drawing.value = self._html

    def _clicked(self) -> None:
        if self._diagram is None:
            return
        self._html = theme.note("Drawing …", "running")
        self._poke()
        try:
            asyncio.get_running_loop().call_soon(self._draw, self._diagram)
        except RuntimeError:
            self._draw(self._diagram)

    def _draw(self, diagram: Diagram) -> None:
        try:
            html = diagram_html(diagram)
        except Exception as error:  # noqa: BLE001 - a click must not end in a traceback nobody sees
            html = theme.note(f"It could not be drawn ({type(error).__name__}).", "failed")
        if diagram is self._diagram:
            self._html = html
            self._poke()


class SequenceView(LiveView):
    """A sequence diagram to stand by itself.

    Args:
        diagram: From `of_attempt`, `of_entries` or `of_session`.
    """

    def __init__(self, diagram: Diagram) -> None:
        super().__init__()
        self._diagram = diagram
        self._drawn = ""

    def build(self) -> Any:
        """Make the widget."""
        return markup(self._shown())

    def html(self) -> str:
        """The drawing, and the table below it."""
        return f"<div>{self._shown()}</div>"

    def text(self) -> str:
        """One line for each arrow."""
        try:
            arrows = self._diagram.arrows()
        except GuestlabError as error:
            return str(error)
        return "\n".join(_line(arrow) for arrow in arrows)

    def _shown(self) -> str:
        if not self._drawn:
            self._drawn = diagram_html(self._diagram)
        return self._drawn


def _line(arrow: Arrow) -> str:
    words = plain(arrow.text, _CUT, one_line=True)
    if arrow.start is None:
        return f"    {words}"
    number = f"  [{arrow.number}]" if arrow.number else ""
    return (
        f"{arrow.start} {'<->' if arrow.both else '->'} {arrow.end}: {words}{number}  {arrow.time}".rstrip()
    )
