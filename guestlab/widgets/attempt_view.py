"""One attempt with all it holds: verdict, diagnosis, steps, bytes, its diagram, and its code to copy.

`AttemptBox` is the part that other views hold, such as a matrix below its fields; `AttemptView` stands by
itself. Beside a working attempt it says what differs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guestlab.display import attempt_html
from guestlab.widgets import theme
from guestlab.widgets.copying import COPYABLE, HOW_TO_COPY, copy_button, with_copying
from guestlab.widgets.fields import Choice
from guestlab.widgets.panels import LANGUAGES, attempt_column
from guestlab.widgets.sequence_view import SequenceBox, of_attempt
from guestlab.widgets.view import LiveView, markup, row, stack
from guestlab.widgets.views_style import style

if TYPE_CHECKING:
    from collections.abc import Callable

    from guestlab.handshake.attempt import Attempt
    from guestlab.lab import Lab

__all__ = ["AttemptBox", "AttemptView", "differences_html"]


def differences_html(attempt: Attempt, working: Attempt | None) -> str:
    """Say what an attempt that did not open sent otherwise than one that did; "" without such a pair."""
    if working is None or attempt.ok or working is attempt:
        return ""
    from guestlab.handshake.comparison import compare

    rows = [
        (what, "absent" if left is None else left, "absent" if right is None else right)
        for what, left, right in compare(attempt, working).differences
    ]
    names = (f"attempt {attempt.number}, this one", f"attempt {working.number}, open")
    return theme.details("What differs from an open attempt", theme.table(("", *names), rows), shown=True)


class AttemptBox:
    """An attempt, its code in a language of choice, its diagram.

    Args:
        poke: Asks for a paint.
        title: From an attempt to its heading; the credential and its place are added.
        lab: Whose sandbox says what an answer is worth.
    """

    def __init__(
        self,
        poke: Callable[[], None],
        *,
        title: Callable[[Attempt], str] | None = None,
        lab: Lab | None = None,
    ) -> None:
        import ipywidgets as w

        self._title = title or (lambda attempt: f"Attempt {attempt.number}")
        self._lab = lab
        self._attempt: Attempt | None = None
        self._working: Attempt | None = None
        self._drawn: tuple[int, int] | None = None
        self._told = markup("")
        self._language = Choice("Language", tuple(LANGUAGES), "python", poke)
        self._language.widget.options = [(shown, name) for name, shown in LANGUAGES.items()]
        self._code = w.Textarea(
            description="Code to copy",
            layout={"width": "99%", "height": "220px"},
            style={"description_width": "initial"},
        )
        self._code.add_class("gl-snippet")
        self.sequence = SequenceBox(poke)
        self.widget = stack(
            self._told,
            self.sequence.widget,
            stack(
                row(self._language.widget, copy_button("the code")),
                self._code,
                markup(HOW_TO_COPY),
                classes=("gl-code-box", COPYABLE),
            ),
        )
        self.widget.layout.display = "none"

    def about(self, attempt: Attempt, working: Attempt | None = None) -> None:
        """Take another attempt.

        Args:
            attempt: Which.
            working: One that opened, to say what differs.
        """
        self._attempt, self._working = attempt, working
        self.sequence.about(of_attempt(attempt))

    def paint(self) -> None:
        """Bring it up to date."""
        attempt, working = self._attempt, self._working
        if attempt is None:
            return
        drawn = (id(attempt), id(working))
        if drawn != self._drawn:
            self._drawn = drawn
            told = attempt_column(self._title(attempt), attempt, self._lab)
            self._told.value = with_copying(told) + differences_html(attempt, working)
        self._code.value = attempt.snippet(self._language.value)
        self.sequence.paint()
        self.widget.layout.display = None


class AttemptView(LiveView):
    """An attempt by itself.

    Args:
        attempt: Which.
        working: One that opened, to say what differs.
        lab: Whose sandbox says what an answer is worth.
    """

    def __init__(self, attempt: Attempt, working: Attempt | None = None, *, lab: Lab | None = None) -> None:
        super().__init__()
        self._attempt, self._working, self._lab = attempt, working, lab
        self._box: AttemptBox | None = None

    def build(self) -> Any:
        """Make the widget."""
        self._box = AttemptBox(self.refresh.poke, lab=self._lab)
        self._box.about(self._attempt, self._working)
        return stack(style(), self._box.widget, classes=("gl-card",))

    def paint(self) -> None:
        """Bring it up to date."""
        if self._box is not None:
            self._box.paint()

    def html(self) -> str:
        """Everything but the code and the diagram."""
        return attempt_html(self._attempt) + differences_html(self._attempt, self._working)

    def text(self) -> str:
        """Verdict, steps, diagnosis."""
        return str(self._attempt)
