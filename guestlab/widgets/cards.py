"""What the stepper is put together from: the card of a stage, and parts that fold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guestlab.widgets.copying import with_copying
from guestlab.widgets.view import markup, row, stack

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Card", "folded", "folded_late"]


def folded_late(title: str, box: Any, build: Callable[[], object]) -> Any:
    """Fold what is built when it is unfolded for the first time."""
    made = folded(title, box)

    def unfolded(change: Any) -> None:
        if change["new"] is not None and not box.children:
            build()

    made.observe(unfolded, "selected_index")
    return made


def folded(title: str, child: Any) -> Any:
    """Fold a widget under a title."""
    import ipywidgets as w

    made = w.Accordion([child])
    made.titles = (title,)
    made.selected_index = None
    return made


class Card:
    """One stage: head, inputs, buttons, what came of it."""

    def __init__(self, name: str, fields: Any, buttons: list[Any], below: list[Any]) -> None:
        self._head, self._body = markup(""), markup("")
        self._buttons = buttons
        self._state = ""
        self.widget = stack(
            self._head,
            fields,
            row(*buttons, classes=("gl-buttons",)),
            self._body,
            *below,
            classes=("gl-card", f"gl-stage-{name}"),
        )

    def paint(self, head: str, body: str, state: str, *, busy: bool) -> None:
        """Show what is known now."""
        self._head.value, self._body.value = head, with_copying(body)
        for each in self._buttons:
            each.disabled = busy
        if state != self._state:
            self.widget.remove_class(f"gl-card-{self._state}")
            self.widget.add_class(f"gl-card-{state}")
            self._state = state
