"""What a line of a chat looks like: in the widget, as static HTML for GitHub and nbconvert, and as text.

One line comes in, a text goes out. Who said it, its time and what became of it are words, not only colours.
Everything from the wire passes through `wire_text.shown` or `plain`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from guestlab.style import look
from guestlab.visible import AS_TEXT
from guestlab.widgets.contents import Group, Piece, groups_of
from guestlab.widgets.theme import link
from guestlab.widgets.wire_text import is_masked, plain, shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from guestlab.widgets.chat_lines import Line

__all__ = ["bubble", "bubbles_table", "bubbles_text", "clock", "label", "who_said", "words_of"]

_SHORT = 300
"""Characters of titles, labels, names and payloads."""

_MOST_GROUPS, _MOST_PIECES = 20, 40

_MASKED = "its address is a secret, so it is masked; session.download(...) fetches it"

_ROLES = {"guest": "guest", "bot": "bot", "agent": "agent"}
_FATES = {
    "sending": ("◔", "sending", "running"),
    "waiting": ("◔", "waiting for a budget", "stale"),
    "acknowledged": ("✓", "acknowledged", "ready"),
    "refused": ("✗", "refused", "failed"),
    "in doubt": ("?", "in doubt: the link broke before the acknowledgement", "stale"),
}
"""Fate → icon, words, state."""


def clock(nanoseconds: int | None) -> str:
    """Show a time as its hour, minute and second in UTC; "" for none."""
    when = _moment(nanoseconds)
    return "" if when is None else f"{when:%H:%M:%S}"


def who_said(line: Line) -> str:
    """Say who: the name where the server gave one, and the part they play."""
    role = _ROLES.get(line.who, "")
    if line.name:
        return f"{plain(line.name, _SHORT, one_line=True)} ({role})"
    return {"guest": "You (guest)", "bot": "Bot", "agent": "Agent"}.get(line.who, "")


def label(line: Line, most: int = 60) -> str:
    """Name a line in a list of lines."""
    who = "·" if line.who == "system" else line.who
    return f"{line.number:>4}  {clock(line.time_ns or line.at_ns)}  {who}  {words_of(line, most)}"


def words_of(line: Line, most: int) -> str:
    """Say a line in one line of text; without words, what it holds."""
    what = plain(line.text, most, one_line=True)
    if not what and line.message is not None:
        what = ", ".join(plain(group.kind, 40) for group in groups_of(line.message)[:3])
    return what


# -- the widget ---------------------------------------------------------------------------------------


def bubble(line: Line) -> str:
    """Show a line as HTML that leans on the chat's style sheet."""
    if line.who == "system":
        icon = look(line.tone).icon
        return (
            f'<div class="gl-sys gl-{line.tone}"><span aria-hidden="true">{icon}</span> '
            f"{shown(line.text, 600)} {_time(line)}</div>"
        )
    words = f'<div class="gl-words">{shown(line.text)}</div>' if line.text else ""
    held = "".join(_group(group) for group in _groups(line))
    held = f'<div class="gl-held">{held}</div>' if held else ""
    empty = "" if words or held else '<div class="gl-words gl-quiet">(no words)</div>'
    return (
        f'<div class="gl-msg gl-by-{line.who}"><div class="gl-who">{shown(who_said(line))} {_time(line)} '
        f'<span class="gl-nr">#{line.number}</span></div>'
        f'<div class="gl-bubble">{words}{held}{empty}</div>{_marks(line)}</div>'
    )


def _time(line: Line) -> str:
    when = _moment(line.time_ns or line.at_ns)
    if when is None:
        return ""
    return f'<time datetime="{when.isoformat()}">{when:%H:%M:%S}</time>'


def _marks(line: Line) -> str:
    marks = []
    if line.fate:
        icon, words, state = _FATES[line.fate]
        marks.append(f'<span class="gl-{state}">{icon} {words}</span>')
    if line.problem:
        marks.append(f'<span class="gl-failed">{shown(line.problem, 600)}</span>')
    if line.late:
        marks.append('<span class="gl-stale">↶ late: said before the one above it</span>')
    if line.copies > 1:
        marks.append(f'<span class="gl-quiet">came {line.copies} times</span>')
    return f'<div class="gl-marks">{" · ".join(marks)}</div>' if marks else ""


def _groups(line: Line) -> list[Group]:
    if line.message is None:
        return []
    found = groups_of(line.message)
    if len(found) <= _MOST_GROUPS:
        return found
    rest = Group("More", detail=f"{len(found) - _MOST_GROUPS:,} more of these stand in the log")
    return [*found[:_MOST_GROUPS], rest]


def _pieces(group: Group) -> list[Piece]:
    if len(group.pieces) <= _MOST_PIECES:
        return list(group.pieces)
    rest = Piece("", f"{len(group.pieces) - _MOST_PIECES:,} more of these stand in the log")
    return [*group.pieces[:_MOST_PIECES], rest]


def _group(group: Group) -> str:
    head = f'<div class="gl-kind">{shown(group.kind, _SHORT)}</div>' if group.kind != "Quick replies" else ""
    title = f"<b>{shown(group.title, _SHORT)}</b>" if group.title else ""
    detail = f"<div>{shown(group.detail, 1000)}</div>" if group.detail else ""
    pieces = "".join(
        f'<li class="gl-piece gl-piece-{p.kind or "said"}">{_piece(p)}</li>' for p in _pieces(group)
    )
    pieces = f"<ul>{pieces}</ul>" if pieces else ""
    compact = " gl-compact" if group.kind == "Quick replies" else ""
    return f'<div class="gl-group{compact}">{head}{title}{detail}{pieces}</div>'


def _piece(piece: Piece) -> str:
    icon = {"file": "📎 ", "answer": "→ ", "question": "? "}.get(piece.kind, "")
    detail = f' <span class="gl-quiet">· {shown(piece.detail, _SHORT)}</span>' if piece.detail else ""
    words = shown(piece.text, _SHORT)
    return f"{icon}{words}{_address(piece)}{detail}"


def _address(piece: Piece) -> str:
    """Link to http and https; tell of every other address without making it one."""
    if not piece.url:
        return ""
    if is_masked(piece.url):
        return f' <span class="gl-quiet">({_MASKED})</span>'
    text = plain(piece.url, 120, one_line=True)
    made = link(piece.url, text) if len(piece.url) <= 2000 else ""
    if made.startswith("<a "):
        return f" <bdi>{made}</bdi>"
    return f' <span class="gl-quiet">(no link, it is not http: {shown(piece.url, 60)})</span>'


# -- static -------------------------------------------------------------------------------------------


def bubbles_table(lines: Iterable[Line]) -> str:
    """Show lines as a plain HTML table: no style sheet, no script."""
    rows = "".join(_row(line) for line in lines)
    left = 'align="left"'
    head = f"<tr><th {left}>#</th><th {left}>time (UTC)</th><th {left}>who</th><th {left}>what</th></tr>"
    return f"<table {AS_TEXT}><thead>{head}</thead><tbody>{rows}</tbody></table>"


def _row(line: Line) -> str:
    when = clock(line.time_ns or line.at_ns)
    start = f'<tr valign="top"><td align="left">{line.number}</td><td align="left">{when}</td>'
    if line.who == "system":
        icon = look(line.tone).icon
        return (
            f'{start}<td align="left"></td><td align="left"><i>{icon} {shown(line.text, 600)}</i></td></tr>'
        )
    words = f"{shown(line.text)}" if line.text else ""
    held = "".join(_static_group(group) for group in _groups(line))
    marks = "; ".join(_mark_words(line))
    rest = f"<br><i>{shown(marks)}</i>" if marks else ""
    who = f"{_ARROWS[line.who]} <b>{shown(who_said(line))}</b>"
    return f'{start}<td align="left">{who}</td><td align="left">{words}{held}{rest}</td></tr>'


_ARROWS = {"guest": "→", "bot": "←", "agent": "←"}


def _static_group(group: Group) -> str:
    title = f"<b>{shown(group.title, _SHORT)}</b>" if group.title else ""
    detail = f" {shown(group.detail, 1000)}" if group.detail else ""
    pieces = "".join(f"<li>{_piece(piece)}</li>" for piece in _pieces(group))
    pieces = f"<ul>{pieces}</ul>" if pieces else ""
    return f"<blockquote><i>{shown(group.kind, _SHORT)}</i> {title}{detail}{pieces}</blockquote>"


def _mark_words(line: Line) -> list[str]:
    words = []
    if line.fate and line.fate != "acknowledged":
        words.append(_FATES[line.fate][1])
    if line.problem:
        words.append(plain(line.problem, 600))
    if line.late:
        words.append("late: said before the one above it")
    if line.copies > 1:
        words.append(f"came {line.copies} times")
    return words


# -- text ---------------------------------------------------------------------------------------------


def bubbles_text(lines: Iterable[Line]) -> str:
    """Show lines for a terminal, one or more rows each."""
    return "\n".join(row for line in lines for row in _text_rows(line))


def _text_rows(line: Line) -> list[str]:
    start = f"{clock(line.time_ns or line.at_ns):8}  "
    if line.who == "system":
        return [f"{start}{'':6}  {look(line.tone).icon} {plain(line.text, 600, one_line=True)}"]
    words = plain(line.text, 1000, one_line=True)
    marks = "; ".join(_mark_words(line))
    name = f"{plain(line.name, 60, one_line=True)}: " if line.name else ""
    rows = [f"{start}{line.who:6}  {name}{words}{f'  [{marks}]' if marks else ''}"]
    for group in _groups(line):
        pieces = " · ".join(plain(piece.text, 80, one_line=True) for piece in _pieces(group))
        title = plain(group.title or group.detail, 80, one_line=True)
        rows.append(f"{'':18}[{plain(group.kind, 60, one_line=True)}] {title} {pieces}".rstrip())
    return rows


def _moment(nanoseconds: int | None) -> datetime | None:
    if nanoseconds is None:
        return None
    try:
        return datetime.fromtimestamp(nanoseconds / 1e9, tz=UTC)
    except (OverflowError, ValueError, OSError):
        return None
