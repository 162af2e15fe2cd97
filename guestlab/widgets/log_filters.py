"""The filters of the log view: kind, lane, direction, session, a search, refusals alone.

A secret that is pasted into the search becomes its tag at once, which is what the log holds in its place: so
it finds the rows in which the secret crossed the wire, and stays out of the widget's state.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from guestlab.widgets.log_sieve import CHOICES, Wanted
from guestlab.widgets.view import button, row
from guestlab.widgets.wire_text import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["LogFilters"]

_LABELS = {"kind": "Kind", "lane": "Lane", "direction": "Direction"}
_ANY = "any"
_SESSIONS = 200
"""Sessions to choose from: the latest. The search finds the others."""


class LogFilters:
    """What is wanted, and the inputs that say so.

    Args:
        wanted: At first.
        redact: The log's redaction.
        changed: Called after a change, on whatever thread made it.
    """

    def __init__(self, wanted: Wanted, redact: Callable[[str], str], changed: Callable[[], object]) -> None:
        self._wanted = replace(wanted, text=redact(wanted.text))
        self._redact, self._changed = redact, changed
        self._inputs: dict[str, Any] = {}
        self._offered: tuple[str, ...] = ()
        self._filler = 0

    @property
    def wanted(self) -> Wanted:
        """The filter."""
        return self._wanted

    @wanted.setter
    def wanted(self, wanted: Wanted) -> None:
        self._wanted = replace(wanted, text=self._redact(wanted.text))
        if self._inputs:
            self._fill()
        self._changed()

    def build(self) -> Any:
        """Make the inputs."""
        import ipywidgets as w

        plain_style = {"description_width": "initial"}
        for name, values in CHOICES.items():
            self._inputs[name] = w.Dropdown(
                options=[(_ANY, ""), *((value, value) for value in values)],
                description=_LABELS[name],
                style=plain_style,
                layout={"width": "auto"},
            )
        self._inputs["session"] = w.Dropdown(
            options=self._options(), description="Session", style=plain_style, layout={"width": "auto"}
        )
        self._inputs["text"] = w.Text(
            description="Search",
            placeholder="words, ids, bytes",
            style=plain_style,
            layout={"width": "260px"},
        )
        self._inputs["only_refusals"] = w.Checkbox(
            description="Only refusals", indent=False, style=plain_style
        )
        self._fill()
        for name, each in self._inputs.items():
            each.observe(lambda change, name=name: self._entered(name, change["new"]), "value")
        clear = button("Clear filters", self._clear)
        return row(*self._inputs.values(), clear, classes=("gl-filters",))

    def offer(self, sessions: Sequence[str]) -> None:
        """Give the names of sessions to choose from."""
        offered = tuple(sessions[-_SESSIONS:])
        if offered == self._offered or not self._inputs:
            return
        self._offered = offered
        self._filler = threading.get_ident()
        try:
            each = self._inputs["session"]
            with each.hold_sync():
                each.options = self._options()
                each.value = self._wanted.session
        finally:
            self._filler = 0

    def _options(self) -> list[tuple[str, str]]:
        names = dict.fromkeys(self._offered)
        if self._wanted.session:
            names.setdefault(self._wanted.session)
        return [(_ANY, ""), *((plain(name, 60, one_line=True), name) for name in reversed(names))]

    def _clear(self) -> None:
        self.wanted = Wanted()

    def _fill(self) -> None:
        self._filler = threading.get_ident()
        try:
            self._inputs["session"].options = self._options()
            for name, each in self._inputs.items():
                each.value = getattr(self._wanted, name)
        finally:
            self._filler = 0

    def _entered(self, name: str, value: Any) -> None:
        if self._filler == threading.get_ident():  # not a person
            return
        if name == "text" and (clean := self._redact(value)) != value:
            self._inputs["text"].value = clean  # calls this again, with the clean text
            return
        self._wanted = replace(self._wanted, **{name: value or type(getattr(Wanted(), name))()})
        self._changed()
