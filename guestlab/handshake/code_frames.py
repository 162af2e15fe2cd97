"""Reads what code sends on a socket, in the order in which it runs as far as that can be told. Pure.

The order of writing is not the order of running: what stands in a handler for messages comes after what
stands in the one for the opening, wherever each is written; when a function of its own runs is not known. A
send that cannot be read keeps its place, so that the next one does not pass for the first.
"""

from __future__ import annotations

import enum
import json
import re
from typing import Any, NamedTuple

from guestlab.handshake.frame_words import CONFIGURES
from guestlab.handshake.loose_literal import LooseReader

__all__ = ["read_frames"]

MAX_SENDS = 30
MAX_BLOCK = 20_000
"""Characters of one handler or function that are looked at."""

_SENDS = re.compile(
    r"(?<![\w.$>-])(?P<on>[\w.$>-]{0,80}?)(?:\.|->)"
    r"(?P<call>send|Send|send_json|send_str|send_text|sendText|SendText|sendMessage"
    r"|send_message|SendAsync|SendMessage|write_message|WriteMessage|sendUTF|WriteJSON|sendJson|emit|send_bytes)"
    r"\s*(?=\()"
)
_ANSWERS = re.compile(r"(?:\w+\.)*(?:res|response|reply|req|request|xhr|smtp|mailer|process)", re.IGNORECASE)
"""What else can send."""
_HANDLES = re.compile(
    r"(?<![\"'`\w])_?(?:on|handle)_?(?:socket|ws|web_?socket|client)?_?"
    r"(?:(?P<open>open|opened|connect|connected)|(?P<message>messages?|text|data|frame|received?)"
    r"|(?P<end>clos(?:e|ed|ing)|error|fail\w*|disconnect(?:ed)?))(?:handler|_?received)?\b\s*(?=[=(:]|\+=)"
    r"|\.(?:on|once|addEventListener|addListener|addHandler)"
    r"\s*\(?\s*[\"':](?P<event>\w+)[\"']?\s*(?=[,)]|do\b)",
    re.IGNORECASE,
)
_NAMED_HANDLER = re.compile(
    r"(?:on_?open\s*[=:]\s*|\bon\w*\(\s*[\"':]open[\"']?\s*,\s*|addEventListener\(\s*[\"']open[\"']\s*,\s*)"
    r"(?:this\.|self\.)?(\w+)\b(?!\s*[(.=])",
    re.IGNORECASE,
)
_FUNCTION = re.compile(
    r"^[ \t]*(?:(?:export|default|public|private|protected|internal|static"
    r"|final|override|suspend|async|pub) )*"
    r"(?:def|function|func|fun|fn|void|Task)\b[ *]*(?:\([^)\n]*\)\s*)?(?P<name>[\w$]+)\s*(?=[(<])"
    r"|\b(?:const|let|var)\s+(?P<arrow>[\w$]+)\s*=\s*(?:async\s*)?(?:function\b|\([^()\n]*\)\s*=>|\w+\s*=>)"
    r"|^[ \t]+(?:async\s+)?(?!(?:if|for|while|switch|catch|with|function|return)\b)"
    r"(?P<method>[\w$]+)\([^()\n]*\)\s*(?=\{)",
    re.MULTILINE,
)
_CONFIGURES_CALL = re.compile(
    r"\b\w*(?:configure|handshake|set_?up|start_?session|open_?session|begin)\w*\s*\(|(?<![\w.])\w+\(\s*(?:ws|socket|websocket|conn|self\.ws|this\.ws)\s*[,)]",
    re.IGNORECASE,
)


class _When(enum.IntEnum):
    """When a send runs."""

    OPEN = 0
    """In line with the opening, or in its handler."""
    CALLED = 1
    """Whenever somebody calls the function it stands in."""
    MESSAGE = 2
    """When something has arrived."""
    END = 3


class _Sent(NamedTuple):
    when: _When
    at: int
    frame: Any
    """None when it cannot be read."""


class _Block(NamedTuple):
    start: int
    end: int
    when: _When


def read_frames(text: str, start: int, end: int, names: dict[str, Any]) -> dict[str, Any]:
    """What a snippet sends on the socket: first frame and a later one, as evidence fields.

    Args:
        text: The code.
        start: Where the call that opens the socket begins.
        end: Where its arguments begin.
        names: Known values by name.
    """
    blocks = _blocks(text, start)
    sends = []
    for place in list(_SENDS.finditer(text))[:MAX_SENDS]:
        when = _when(blocks, place.start())
        if (when is None and place.start() < end) or _ANSWERS.fullmatch(place["on"]):
            continue  # before the socket was there, or to somebody else
        frame = _frame(text, place, names)
        if frame != "":
            sends.append(_Sent(when if when is not None else _When.OPEN, place.start(), frame))
    sends.sort(key=lambda sent: (sent.when, sent.at))
    first, later = _in_order(text, end, [sent for sent in sends if sent.when is not _When.END])
    return {"first_frame": first, "sent_frame": later}


def _in_order(text: str, opened: int, sends: list[_Sent]) -> tuple[Any, Any]:
    """Tell the first frame and a later one; None for what is not known."""
    configuring = next((sent for sent in sends if _action(sent.frame) in CONFIGURES), None)
    at_once = [sent for sent in sends if sent.when is _When.OPEN]
    if configuring and not (at_once and configuring.when in {_When.OPEN, _When.MESSAGE}):
        first: _Sent | None = configuring  # in a function or handler: called in its time, we suppose
    elif at_once and not _may_be_configured(text, opened, at_once[0]):
        first = at_once[0]
    else:
        first = None
    if first is not None and first.frame is None:
        first = None
    rest = [sent for sent in sends if sent is not first and sent.frame is not None]
    return (first.frame if first else None), (rest[0].frame if rest else None)


def _may_be_configured(text: str, opened: int, first: _Sent) -> bool:
    """Whether a call before the first readable send may have sent configureSession already."""
    if _action(first.frame) in CONFIGURES or not isinstance(first.frame, dict):
        return False
    return _CONFIGURES_CALL.search(text, opened, first.at) is not None and opened < first.at


def _action(frame: Any) -> str:
    action = frame.get("action") if isinstance(frame, dict) else None
    return action if isinstance(action, str) else ""


def _frame(text: str, place: re.Match[str], names: dict[str, Any]) -> Any:
    """One sent frame; None when it is not seen, "" when nothing is sent there."""
    positional, named = LooseReader(text, place.end(), names).call()
    values = [*positional, *named.values()]
    if place["call"] == "WriteMessage" and len(values) > 1:
        values = values[1:]
    if not values or values[0] in (None, ""):
        return ""
    value = values[0]
    if isinstance(value, dict):
        return _spelled(text, place, value)
    if not isinstance(value, str):
        return None
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        pass
    return None if re.match(r"\s*[{\[(<$]|\w+[.(]", value) or "{" in value else value


def _spelled(text: str, place: re.Match[str], value: dict[str, Any]) -> Any:
    """An object as it goes out: JSON, or the language's own writing where `str` was called on it."""
    argument = text[place.end() :].lstrip("( \n\t")
    if re.match(r"(?:str|repr)\(", argument):
        return str(value)
    native = re.search(rf"\b{re.escape(place['on'] or ' ')}\s*=\s*new\s+WebSocket\(", text)
    if native and argument.startswith("{") and place["call"] == "send":
        return "[object Object]"  # what a browser sends of an object that nobody wrote as JSON
    return value


# -- where a send stands ------------------------------------------------------


def _blocks(text: str, start: int) -> list[_Block]:
    """Handlers and functions with their extent; a function around the opening call is the main line."""
    named = set(_NAMED_HANDLER.findall(text))
    found = []
    for handler in list(_HANDLES.finditer(text))[:60]:
        when = _handled(handler)
        if when is not None:
            found.append(_Block(handler.start(), _extent(text, handler), when))
    for function in list(_FUNCTION.finditer(text))[:100]:
        name = function["name"] or function["arrow"] or function["method"]
        end = _extent(text, function)
        if not function.start() <= start < end:
            found.append(_Block(function.start(), end, _When.OPEN if name in named else _When.CALLED))
    return found


def _handled(handler: re.Match[str]) -> _When | None:
    event = (handler["event"] or "").lower()
    if event:
        return {
            "open": _When.OPEN, "connect": _When.OPEN, "connected": _When.OPEN, "close": _When.END,
            "error": _When.END, "message": _When.MESSAGE, "data": _When.MESSAGE, "text": _When.MESSAGE,
        }.get(event, _When.CALLED)  # fmt: skip
    kinds = (("open", _When.OPEN), ("message", _When.MESSAGE), ("end", _When.END))
    return next((when for kind, when in kinds if handler[kind]), None)


def _when(blocks: list[_Block], at: int) -> _When | None:
    """When what stands here runs; None on the main line. A handler says more than the function around it."""
    around = [block for block in blocks if block.start <= at < block.end]
    if not around:
        return None
    inner = sorted(around, key=lambda block: block.end - block.start)
    return next((block.when for block in inner if block.when is not _When.CALLED), _When.CALLED)


def _extent(text: str, opening: re.Match[str]) -> int:
    """Where a block ends: by indentation in Python and Ruby, by brackets elsewhere."""
    line_end = text.find("\n", opening.end())
    line_start = text.rfind("\n", 0, opening.start()) + 1
    line = text[line_start : line_end if line_end >= 0 else len(text)]
    if re.match(r"\s*(?:async\s+)?def\s", line) or re.search(r"\bdo(?:\s*\|[^|]*\|)?\s*$", line):
        return _indented(text, line_start, line)
    return _bracketed(text, opening.end())


def _indented(text: str, line_start: int, line: str) -> int:
    indent = len(line) - len(line.lstrip())
    at = line_start + len(line) + 1
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        row = text[at:end]
        if row.strip() and len(row) - len(row.lstrip()) <= indent and row.strip()[:1] not in ")]":
            return at
        at = end + 1
    return len(text)


_STRING = re.compile(r"\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`", re.DOTALL)


def _bracketed(text: str, at: int) -> int:
    """Go to the end of the statement: its brackets closed, then a semicolon, a comma or a line's end."""
    depth, seen = 0, False
    text = text[: at + MAX_BLOCK]
    while at < len(text):
        character = text[at]
        if character in "\"'`" and (string := _STRING.match(text, at)):
            at, seen = string.end(), True
            continue
        depth += (character in "([{") - (character in ")]}")
        if depth < 0 or (depth == 0 and seen and character in ";,"):
            return at
        if depth == 0 and seen and character == "\n" and not _goes_on(text, at):
            return at
        seen = seen or not character.isspace()
        at += 1
    return at


def _goes_on(text: str, at: int) -> bool:
    """Whether a statement continues on the next line."""
    before, after = text[:at].rstrip(), text[at:].lstrip()
    return before.endswith(("=>", "=", "(", ",", "->")) or after[:1] in {"{", "."} or after.startswith("=>")
