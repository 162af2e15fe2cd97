"""A stretch of time as a bar with marks and spans on it: HTML alone, and the same in words. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from guestlab.widgets.theme import escape

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Mark", "Span", "legend", "track"]

_MOST = 600
"""Marks of one bar: more than it has places."""

_NAMES = {
    "beat": "heartbeat",
    "event": "event of a topic",
    "ping": "our ping",
    "due": "next heartbeat due",
    "gap": "gap: nothing heard",
    "spent": "over",
    "renew": "topics set anew, a new life",
    "end": "expires",
}


class Mark(NamedTuple):
    """A moment."""

    place: float
    """From 0 to 1."""
    kind: str
    words: str


class Span(NamedTuple):
    """A time from one place to another."""

    start: float
    end: float
    kind: str
    words: str


def track(
    told: str,
    *,
    marks: Iterable[Mark] = (),
    spans: Iterable[Span] = (),
    axis: Iterable[tuple[float, str]] = (),
) -> str:
    """Draw one bar.

    Args:
        told: The same in words.
        marks: What happened when; what lies outside is left out.
        spans: What lasted; cut at the ends.
        axis: Place and words below the bar.
    """
    within = [mark for mark in marks if 0 <= mark.place <= 1][-_MOST:]
    drawn = [
        f'<span class="{_css(span.kind)}" title="{escape(span.words, quote=True)}" '
        f'style="left:{_percent(max(0.0, span.start))};'
        f'width:{_percent(min(1.0, span.end) - max(0.0, span.start))}"></span>'
        for span in spans
        if span.end >= 0 and span.start <= 1
    ]
    drawn += [
        f'<span class="{_css(mark.kind)}" title="{escape(mark.words, quote=True)}" '
        f'style="left:{_percent(mark.place)}"></span>'
        for mark in within
    ]
    words = "".join(f'<span style="left:{_percent(place)}">{escape(word)}</span>' for place, word in axis)
    bar = f'<div class="gl-track" role="img" aria-label="{escape(told, quote=True)}">{"".join(drawn)}</div>'
    return f'{bar}<div class="gl-axis" aria-hidden="true">{words}</div>'


def legend(kinds: Iterable[str]) -> str:
    """Say what the marks of a bar mean."""
    rows = "".join(f'<span><i class="{_css(kind)}"></i>{escape(_NAMES[kind])}</span>' for kind in kinds)
    return f'<div class="gl-legend" aria-hidden="true">{rows}</div>'


def _css(kind: str) -> str:
    return f"gl-{kind}" if kind in {"gap", "spent"} else f"gl-mark gl-mark-{kind}"


def _percent(share: float) -> str:
    return f"{100 * max(0.0, share):.3f}%"
