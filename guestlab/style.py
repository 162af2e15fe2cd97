"""State → word, icon, colour: the only place that maps them, for widgets, tables and the terminal.

A state is never told by colour alone: the word and the icon say it too (WCAG 2.2, 1.4.1). Colours are
CSS custom properties of the notebook theme with a fallback that reads on light and dark grounds.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["LOOKS", "Look", "counted", "look"]


class Look(NamedTuple):
    """How one state appears."""

    word: str
    icon: str
    colour: str


LOOKS: dict[str, Look] = {
    "ready": Look("ready", "○", "var(--jp-ui-font-color2, #6b7280)"),
    "running": Look("running", "◔", "var(--jp-info-color0, #1d6fb8)"),
    "done": Look("done", "✓", "var(--jp-success-color0, #1a7f37)"),
    "failed": Look("failed", "✗", "var(--jp-error-color0, #c62828)"),
    "skipped": Look("skipped", "·", "var(--jp-ui-font-color2, #6b7280)"),
    "stale": Look("stale", "↻", "var(--jp-warn-color0, #a15c00)"),
    "lacking": Look("lacking", "!", "var(--jp-warn-color0, #a15c00)"),
}


def look(state: str) -> Look:
    """Return how a state appears; an unknown one shows as its own word."""
    return LOOKS.get(state, Look(state, "·", "inherit"))


def counted(count: int, what: str, several: str = "") -> str:
    """Say how many there are of something.

    >>> counted(1, "gap"), counted(2000, "gap"), counted(0, "entry", "entries")
    ('1 gap', '2,000 gaps', '0 entries')
    """
    return f"{count:,} {what if count == 1 else several or what + 's'}"
