"""The published budgets as gauges: how much of each is used at a moment, whose it is, and a forced wait.

What is drawn is counted in `budgets.py`; nothing is told by colour alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guestlab.analysis.budgets import budget
from guestlab.analysis.plot import (
    MUTED,
    Plot,
    blank,
    colour,
    drawing,
    in_memory,
    lasting,
    nothing,
    shown,
    tint,
)
from guestlab.limits import PUBLISHED, Limits

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["plot_budget"]


def plot_budget(
    frames: pd.DataFrame,
    at: datetime | str | None = None,
    *,
    session: str | None = None,
    limits: Limits = PUBLISHED,
) -> Plot:
    """Draw how much of each published budget is used at a moment, as gauges with the numbers beside.

    Args:
        frames: `log.frames` or `log.table()`.
        at: The moment, UTC where it names no zone; by default that of the latest entry.
        session: Draw this session's alone; by default of each budget the fullest, with whose it is.
        limits: The budgets.

    Raises:
        InputError: A column is missing, or matplotlib is not installed.

    >>> from guestlab.analysis import sample
    >>> plot_budget(sample().frames, "2026-10-01T12:00:09.1Z")  # doctest: +NORMALIZE_WHITESPACE
    Budgets of session s1 at 2026-10-01 12:00:09 UTC: messages 1 of 5 in 1 s, requests 3 of 60 in 60 s,
    configure 1 of 60 in 60 s, health check 0 of 2 in 60 s, typing 0 of 1 in 5 s.
    """
    in_memory(frames, "plot_budget")
    left = budget(frames, at, limits=limits)
    if session is not None:
        left = left[left["session"] == session]
    fullest = left.sort_values(["share", "free_in_s"], ascending=False, kind="stable").drop_duplicates(
        "budget"
    )
    rows = list(fullest.sort_values("budget", kind="stable").itertuples(index=False))
    with drawing():
        return _gauges(rows, left["session"].nunique())


def _gauges(rows: Sequence[Any], sessions: int) -> Plot:
    """One gauge below the other; with whose each is, where there are several sessions."""
    if not rows:
        return nothing("Budgets", "frames with a time were sent")
    forced = max(rows, key=lambda row: row.forced_s)
    is_forced = forced.forced_s > 0
    figure, ax = blank(9.0, 1.0 + 0.5 * (len(rows) + is_forced), axes=False)
    ax.set_xlim(-0.52, 1.62)
    ax.set_ylim(-len(rows) - 0.55 * is_forced + 0.3, 0.6)
    moment = rows[0].at.strftime("%Y-%m-%d %H:%M:%S UTC")
    names = [name for name in map(_whose, rows) if name.startswith("session")]
    one = f" of {names[0]}" if sessions == 1 and names else ""
    title = f"Budgets{one} at {moment}" + (
        f": of each the fullest of {sessions} sessions" if sessions > 1 else ""
    )
    ax.set_title(title)
    for index, row in enumerate(rows):
        whose = _whose(row)
        _gauge(ax, -float(index), row, "" if whose in one else whose)
    words = [f"{_budget_word(row.budget)} {_used(row)}" for row in rows]
    if sessions > 1:
        words = [f"{word} ({_whose(row)})" for word, row in zip(words, rows, strict=True)]
    told = f"{title}{',' if sessions > 1 else ':'} {', '.join(words)}"
    if is_forced:
        wait = f"refused for its rate: no frame of {_whose(forced)} for {lasting(forced.forced_s)}"
        ax.text(
            -0.5,
            0.35 - len(rows),
            f"✗ {wait}",
            va="center",
            fontsize=9,
            fontweight="bold",
            color=colour("failed"),
        )
        told += f"; {wait}"
    return Plot(figure, f"{told}.")


def _whose(row: Any) -> str:
    """Whose budget it is."""
    kinds = (("session", row.session), ("deployment", row.deployment))
    return next((f"{kind} {shown(name, 24)}" for kind, name in kinds if isinstance(name, str)), "no session")


def _gauge(ax: Axes, y: float, row: Any, whose: str) -> None:
    """One bar: used part hatched, the numbers and the state in words beside, whose it is below its name."""
    state, word = _state(row)
    shade = colour(state)
    filled = min(1.0, float(row.share))
    ax.barh(y, 1, height=0.5, facecolor="white", edgecolor="#8c959f", linewidth=1)
    hatch = {"done": "////", "stale": "xxxx", "failed": "++++"}[state]
    ax.barh(y, filled, height=0.5, facecolor=tint(shade), edgecolor=shade, hatch=hatch, linewidth=1)
    raised = 0.13 if whose else 0.0
    name = _budget_word(row.budget)
    ax.text(-0.02, y + raised, name, ha="right", va="center", fontweight="bold", fontsize=9.5)
    ax.text(-0.02, y - 0.2, whose, ha="right", va="center", fontsize=7.5, color=MUTED)
    ax.text(1.03, y, _used(row), va="center", fontsize=9)
    ax.text(1.36, y, word, va="center", fontsize=9, color=shade, fontweight="bold")


def _state(row: Any) -> tuple[str, str]:
    if row.free_in_s == float("inf"):
        return "failed", "✗ none allowed"
    if row.free_in_s > 0:
        return "failed", f"✗ wait {lasting(row.free_in_s)}"
    return ("stale", f"↻ {row.left} left") if row.share >= 0.6 else ("done", f"✓ {row.left} left")


def _used(row: Any) -> str:
    return f"{row.used} of {row.limit} in {row.seconds:g} s"


_WORDS = {"get.history": "history", "health.check": "health check"}


def _budget_word(name: str) -> str:
    """Shorten the vendor's key: "messages.per.session.rate.per.second" → "messages"."""
    head = name.partition(".per.")[0].removesuffix(".rate")
    return _WORDS.get(head, head)
