"""The frames behind a line of a chat: what crossed the wire for it, both ways, with every number's lane.

A listbox of the lines, newest first; the chosen one's entries are looked up in the log by their numbers, so
that what is shown is what was recorded, redacted. The list is brought up to date at most once a second and
keeps what is chosen.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from guestlab.log.entry import Kind
from guestlab.protocol.codes import describe_error
from guestlab.protocol.frames import describe_close
from guestlab.style import counted
from guestlab.widgets.bubbles import clock, label
from guestlab.widgets.copying import with_copying
from guestlab.widgets.theme import code, details, escape, note, number
from guestlab.widgets.view import button, markup, row, stack
from guestlab.widgets.wire_text import plain, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from guestlab.log.entry import Entry
    from guestlab.widgets.chat_lines import Line

__all__ = ["Inspector", "entry_html", "pretty"]

_LONGEST = 20_000
"""Characters of one frame shown."""

_PAUSE = 1.0


class Inspector:
    """Choose a line, see its frames.

    Args:
        look_up: From entry numbers to entries.
        poke: Asks for a paint.
    """

    def __init__(self, look_up: Callable[[Sequence[int]], list[Entry]], poke: Callable[[], None]) -> None:
        import ipywidgets as w

        self._look_up, self._poke = look_up, poke
        self._lines: dict[int, Line] = {}
        self._chosen: Line | None = None
        self._drawn: tuple[int, int] | None = None
        self._listed: tuple[int, ...] = ()
        self._renewed = 0.0
        self._filling = False
        self.list = w.Select(options=[], value=None, rows=9, description="Lines of the chat, newest first")
        self.list.observe(self._picked, "value")
        self._detail = markup()
        # JupyterLab takes the arrow keys of a list for itself; buttons are left alone.
        older = button("Older", lambda: self._step(-1), tooltip="Choose the line before")
        newer = button("Newer", lambda: self._step(1), tooltip="Choose the line after")
        self.widget = stack(self.list, row(newer, older), self._detail, classes=("gl-inspect",))

    def choose(self, number: int) -> None:
        """Show the frames of the line with this number."""
        self.list.value = number

    def _step(self, by: int) -> None:
        numbers = sorted(self._lines)
        if not numbers:
            return
        now = numbers[-1] + 1 if self._chosen is None else self._chosen.number
        further = [number for number in numbers if (number - now) * by > 0]
        if further:
            self.choose(min(further) if by > 0 else max(further))

    def _picked(self, change: Any) -> None:
        if not self._filling and change["new"] is not None:
            self._chosen = self._lines.get(change["new"], self._chosen)
            self._poke()

    def paint(self, lines: Iterable[Line]) -> None:
        """Bring the list and the frames of the chosen line up to date."""
        now = time.monotonic()
        listed = tuple(line.number * 1000 + line.version for line in lines)
        if listed != self._listed and now - self._renewed >= _PAUSE:
            self._listed, self._renewed = listed, now
            self._fill({line.number: line for line in lines})
        chosen = self._chosen
        drawn = None if chosen is None else (chosen.number, chosen.version)
        if drawn != self._drawn or (drawn is None and not self._detail.value):
            self._drawn = drawn
            self._detail.value = self._html(chosen)

    def _fill(self, lines: dict[int, Line]) -> None:
        if self._chosen is not None:  # stays to be seen, even if the chat has gone on
            lines.setdefault(self._chosen.number, self._chosen)
        self._lines = lines
        options = [(label(lines[number]), number) for number in sorted(lines, reverse=True)]
        self._filling = True
        try:
            self.list.options = options
            self.list.value = None if self._chosen is None else self._chosen.number
        finally:
            self._filling = False

    def _html(self, line: Line | None) -> str:
        if line is None:
            return note("Choose a line above: its frames appear here.")
        entries = self._look_up(line.seqs)
        count = f"{counted(len(entries), 'entry', 'entries')} of the log"
        head = f'<div class="gl-quiet gl-small">line #{line.number}: {count}</div>'
        return head + with_copying("".join(entry_html(entry) for entry in entries))


_WAYS = {"sent": "→ sent", "received": "← received"}


def entry_html(entry: Entry) -> str:
    """Show one entry: which way, when, its numbers with their lanes, its ids, and what crossed the wire."""
    what = plain(entry.action or entry.class_name or str(entry.kind), 80, one_line=True)
    way = _WAYS.get(entry.direction or "", "·")
    rows = "".join(f"<tr><th scope='row'>{name}</th><td>{value}</td></tr>" for name, value in _facts(entry))
    wire = ""
    if entry.raw is not None:
        cut = pretty(entry.raw)
        wire = details("what crossed the wire (secrets masked)", code(cut, label="the frame"), shown=True)
    return (
        f'<div class="gl-card"><div class="gl-head">'
        f'<h4 class="gl-heading">{way} <bdi>{escape(what)}</bdi></h4>'
        f'<span class="gl-quiet">entry {entry.seq}</span></div>'
        f'<table class="gl-table"><tbody>{rows}</tbody></table>{wire}</div>'
    )


def _facts(entry: Entry) -> Iterable[tuple[str, str]]:
    yield "time", f"{clock(entry.at)} UTC"
    if entry.latency_ms is not None:
        asked = f" after entry {entry.exchange}" if entry.exchange is not None else ""
        yield "latency", f"{entry.latency_ms:.1f} ms{asked}"
    if entry.http_status is not None:
        yield "lane http", number(entry.http_status, "http")
    if entry.close_code is not None:
        yield "lane close", f"{number(entry.close_code, 'close')}: {escape(describe_close(entry.close_code))}"
    if entry.frame_code is not None:
        meaning = "" if entry.frame_code == 200 else f": {escape(describe_error(entry.frame_code).meaning)}"
        yield "lane frame", number(entry.frame_code, "frame") + meaning
    elif entry.kind is Kind.FRAME:
        yield "lane frame", '<span class="gl-quiet">no code: client frames carry none</span>'
    for name, value in (
        ("tracingId", entry.tracing_id),
        ("message id", entry.message_id),
        ("content", entry.content_types),
        ("events", entry.event_types),
        ("note", entry.note),
    ):
        if value:
            yield name, shown(value, 300)
    if entry.size is not None:
        yield "size", f"{entry.size:,} bytes"


def pretty(raw: str) -> str:
    """Lay JSON out over lines; anything else stays as it came. What cannot be seen is shown."""
    text = raw
    if len(raw) <= _LONGEST * 5 and raw.lstrip()[:1] in {"{", "["}:
        try:
            text = json.dumps(json.loads(raw), indent=2, ensure_ascii=False)
        except (ValueError, RecursionError):
            text = raw
    return plain(text.encode("utf-8", "replace").decode(), _LONGEST)
