"""How the views look: one style sheet, and small functions from words to HTML.

Rules: classes begin with `gl-`; colours are the notebook theme's own variables with a fallback, so that light
and dark both work; a state is an icon and a word, and only then a colour; every text is escaped here, because
text from the wire is hostile; links go to http and https only. Pure text, no ipywidgets. The static HTML that
survives without a style sheet is in `guestlab.display`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from guestlab.style import look
from guestlab.visible import escape

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "LANES",
    "SCRIPT",
    "STYLE",
    "Markup",
    "advice",
    "code",
    "details",
    "escape",
    "fact",
    "facts",
    "heading",
    "level",
    "link",
    "note",
    "number",
    "pill",
    "table",
]


def _file(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


STYLE = f"<style>{_file('theme.css')}</style>"
"""`theme.css`; goes once into every view, in an HTML widget of class `gl-style`."""

SCRIPT = f'<style onload="{escape(_file("front.js"), quote=True)}">.gl-style {{ display: none }}</style>'
"""`front.js`, run when this style sheet is loaded; beside `STYLE` in a widget, never in static HTML."""

LANES = {"http": "HTTP status", "close": "close code", "frame": "frame code"}
"""Lane → what its numbers are called: three different things, so a number never stands alone."""

_LEVELS = {
    "official": "the vendor's models, SDKs and API documents say so",
    "documented": "a text of the vendor says so",
    "measured": "seen on the wire by a named source",
    "inferred": "our deduction; the sources are silent",
    "set by hand": "set in this sandbox by its user",
}


def pill(state: str, word: str | None = None) -> str:
    """Show a state: icon and word, in its colour.

    >>> pill("done")
    '<span class="gl-pill gl-done">✓ done</span>'
    """
    seen = look(state)
    return f'<span class="gl-pill gl-{escape(state)}">{seen.icon} {escape(word or seen.word)}</span>'


def heading(text: str, *beside: str, rank: int = 4) -> str:
    """Show a heading of text, with HTML beside it on the same line."""
    return f'<div class="gl-head"><h{rank} class="gl-heading">{escape(text)}</h{rank}>{"".join(beside)}</div>'


def level(name: str) -> str:
    """Show what a fact is worth: official, documented, measured or inferred."""
    meaning = _LEVELS.get(name, "")
    return f'<span class="gl-level" title="{escape(meaning, quote=True)}">level: {escape(name)}</span>'


def number(value: object, lane: str) -> str:
    """Show a number with its lane.

    >>> number(401, "http")
    '<span class="gl-number">401 <span class="gl-lane">HTTP status</span></span>'
    """
    called = LANES.get(lane, lane)
    return (
        f'<span class="gl-number">{escape(str(value))} <span class="gl-lane">{escape(called)}</span></span>'
    )


def note(text: str, state: str = "") -> str:
    """Show a remark of text, set off from the rest."""
    kind = f" gl-note-{escape(state)}" if state else ""
    icon = f"{look(state).icon} " if state else ""
    return f'<div class="gl-note{kind}">{icon}{escape(text)}</div>'


def code(text: str, *, label: str = "") -> str:
    """Show bytes or code as they are; reachable by the keyboard, since it may scroll."""
    named = f' role="group" aria-label="{escape(label, quote=True)}"' if label else ""
    return f'<pre class="gl-code" tabindex="0"{named}>{escape(text)}</pre>'


def details(title: str, body: str, *, shown: bool = False, beside: str = "") -> str:
    """Show HTML that folds under a title of text, with HTML beside it."""
    summary = f"<summary><b>{escape(title)}</b>{beside}</summary>"
    return f"<details{' open' if shown else ''}>{summary}{body}</details>"


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Show rows of text. A cell that is `Markup` is HTML already."""
    top = "".join(_head_cell(name) for name in head)
    body = "".join(
        "<tr>" + "".join(f"<td {_LEFT}>{_cell(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    thead = f"<thead><tr>{top}</tr></thead>" if top else ""
    return f'<table class="gl-table">{thead}<tbody>{body}</tbody></table>'


_LEFT = 'style="text-align:left"'
"""Renderers without our style sheet set the cells of a table to the right."""


def _head_cell(name: str) -> str:
    return f'<th scope="col" {_LEFT}>{escape(name)}</th>' if name else f"<td {_LEFT}></td>"


class Markup(str):
    """HTML made here, to stand in a cell as it is."""

    __slots__ = ()


def _cell(cell: object) -> str:
    return cell if isinstance(cell, Markup) else escape(str(cell))


def fact(name: str, value: object) -> str:
    """Show one named value."""
    return f'<span class="gl-quiet">{escape(name)}</span> <code>{escape(str(value))}</code>'


def facts(**named: object) -> str:
    """Show named values in one line; what is empty is left out."""
    return " &nbsp; ".join(fact(name.replace("_", " "), value) for name, value in named.items() if value)


def advice(*, what: str, why: str, next_step: str, beside: str = "") -> str:
    """Show a verdict: what, why, and the one thing to do next. `beside` is HTML after the first."""
    rows = (("What", f"{escape(what)} {beside}"), ("Why", escape(why)), ("Next", escape(next_step)))
    body = "".join(f"<dt>{name}</dt><dd>{text}</dd>" for name, text in rows if text.strip())
    return f'<dl class="gl-advice">{body}</dl>'


def link(url: str, text: str = "") -> str:
    """Show a link to http or https; any other address as text alone.

    >>> link("javascript:alert(1)", "here")
    'here'
    """
    shown = escape(text or url)
    try:
        scheme = urlsplit(url.strip()).scheme.lower()
    except ValueError:
        return shown
    if scheme not in {"http", "https"}:
        return shown
    return (
        f'<a href="{escape(url.strip(), quote=True)}" target="_blank" rel="noopener noreferrer">{shown}</a>'
    )
