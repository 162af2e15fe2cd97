"""A view of a log saved as a table: `log.messages.to_csv(…)`, and the tables of a support bundle.

Views name their columns otherwise than the log, or leave out what kind of entry a row is. Messages come back
as history, attempts as attempts; the others say too little to make entries of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["View", "view_of"]

_FRAMES = frozenset({"raw", "frame", "payload", "data"})


class View(NamedTuple):
    """How the rows of a view become rows of a log."""

    name: str
    """The property of `Log`."""
    needs: frozenset[str]
    """Columns that tell it."""
    kind: str = ""
    """What its rows record; empty where they cannot be read."""
    renamed: Mapping[str, str] = {}
    """Column of the view → column of the log."""
    note: str | None = None

    def row(self, cells: Mapping[str, str]) -> dict[str, Any]:
        """Name the cells of one row as a log does."""
        row: dict[str, Any] = {self.renamed.get(name, name): cell for name, cell in cells.items()}
        if self.note is not None:
            row["note"] = self.note
        if "message_time" in row and "at" not in row:
            row["at"] = row["message_time"]
        return {**row, "kind": self.kind}


_VIEWS = (
    View(
        "messages",
        frozenset({"time", "direction", "type"}),
        "history",
        {"time": "message_time", "direction": "message_direction", "type": "message_type"},
        "From a table of messages: words, not frames.",
    ),
    View("attempts", frozenset({"attempt", "at", "ok", "credential", "placement"}), "attempt"),
    View("http", frozenset({"at", "method", "url", "http_status", "request_size"})),
    View("sessions", frozenset({"session", "first_at", "last_at", "frames_sent"})),
)


def view_of(names: set[str]) -> View | None:
    """Tell by the names of a table's columns which view of a log it is, if it is one."""
    if not names.isdisjoint(_FRAMES):
        return None
    return next((view for view in _VIEWS if view.needs <= names), None)
