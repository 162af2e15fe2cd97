"""Finds the frames in a paste: whole JSON objects, and objects as Python and Node print them. Pure.

An inner object is never taken for a frame of its own, however deep it stands. Which side sent one is told by
what it holds, and where that is open by the mark or word before it.
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from guestlab.handshake.frame_order import Crossed, telling_frames
from guestlab.handshake.frame_words import ACTIONS, CONFIGURES
from guestlab.handshake.loose_literal import LooseReader

__all__ = ["Shown", "blank_out", "frames_told", "shown_objects"]

MAX_OBJECTS = 200
MAX_TRIES = 2_000
"""Opening braces that are tried."""
MAX_PRINTED = 20_000
"""Characters of one object that is no JSON."""
MAX_READ = 2_000_000
"""Characters that are read in trying."""

_STRICT = re.compile(r"\{\s*[\"}]")
_LOOSE = re.compile(r"\{\s*(?:'\w+'|[A-Za-z_]\w*)\s*:")
_SENT = re.compile(
    r"(?:(?<![-=>])>{1,3}|→|↑|-->|\b(?:sent|sends?|sending|out|outgoing|tx|request|publish\w*))\W{0,12}$",
    re.IGNORECASE,
)
_RECEIVED = re.compile(
    r"(?:<{1,3}|←|↓|[-=]>|\b(?:received?|receives|recv|gets?|got|rx|incoming|answer\w*|respon\w+|repl\w+))\W{0,12}$",
    re.IGNORECASE,
)
_OPENING = re.compile(
    r"^\W{0,4}Connected\b|\b(?:first|initial|opening) (?:frame|message)|\bon_?open\b"
    r"|(?:right|directly|immediately|straight) after (?:the )?(?:open|connect|upgrade|handshake)"
    r"|(?:without|before|no|instead of|forgot\w*|skip\w*) (?:any |a |the |sending )?configure",
    re.IGNORECASE | re.MULTILINE,
)
"""What shows that nothing was sent before the first frame that is seen."""


class Shown(NamedTuple):
    """One object as it stands in a text."""

    start: int
    end: int
    document: dict[str, Any]
    side: str
    """sent, received, or "" for an object that is no frame by its looks."""


def shown_objects(text: str) -> list[Shown]:
    """Every whole object of a text, outermost ones only, in order."""
    found: list[Shown] = []
    at, budget = 0, MAX_READ
    for _ in range(MAX_TRIES):
        start = text.find("{", at)
        if start < 0 or budget <= 0 or len(found) == MAX_OBJECTS:
            break
        document, end, spent = _object_at(text, start)
        budget -= spent
        if document is None:
            at = start + 1
            continue
        found.append(Shown(start, end, document, _side(document, text[max(0, start - 40) : start])))
        at = end
    return found


def _object_at(text: str, start: int) -> tuple[dict[str, Any] | None, int, int]:
    """The object that begins here, where it ends, and how much was read to tell."""
    if _STRICT.match(text, start):
        try:
            document, end = _DECODER.raw_decode(text, start)
        except json.JSONDecodeError as error:
            return _torn(text, start) or (None, start, error.pos - start + 1)
        except RecursionError:
            return None, start, 10_000
        return document, end, end - start
    if _LOOSE.match(text, start):
        return _printed(text, start, start + MAX_PRINTED) or (None, start, MAX_PRINTED)
    return None, start, 1


def _torn(text: str, start: int) -> tuple[dict[str, Any], int, int] | None:
    """A frame that a log cut off at the end of its line."""
    end = text.find("\n", start)
    end = len(text) if end < 0 else end
    found = _printed(text, start, min(end, start + MAX_PRINTED))
    return (found[0], end, found[2]) if found else None


def _printed(text: str, start: int, end: int) -> tuple[dict[str, Any], int, int] | None:
    reader = LooseReader(text[start:end])
    value = reader.value()
    fits = isinstance(value, dict) and _is_printed_frame(value)
    return (value, start + reader.at, reader.at) if fits else None


_DECODER = json.JSONDecoder()


def _is_printed_frame(value: dict[str, Any]) -> bool:
    """An object without JSON's quotes counts when only a frame looks so."""
    of_server = isinstance(value.get("class"), str) and isinstance(value.get("code"), int)
    return of_server or value.get("action") in ACTIONS


def _side(document: dict[str, Any], before: str) -> str:
    keys = set(document)
    if isinstance(document.get("action"), str) and "class" not in keys:
        return "sent"
    if keys & {"class", "topicName"} or keys >= {"message", "connectionId", "requestId"}:
        return "received"
    if document.get("type") in {"response", "message"} and isinstance(document.get("code"), int):
        return "received"
    if _RECEIVED.search(before):
        return "received" if keys & {"type", "code", "event"} else ""
    verbs = keys & {"type", "command", "event", "cmd", "op"}
    return "sent" if verbs or (_SENT.search(before) and keys & {"token", "deploymentId"}) else ""


def blank_out(text: str, shown: list[Shown]) -> str:
    """The text without its frames, so that no number in one is taken for an outcome told in words."""
    pieces, at = [], 0
    for item in shown:
        if item.side:
            pieces.append(text[at : item.start])
            at = item.end
    return " ".join([*pieces, text[at:]])


def frames_told(text: str, shown: list[Shown], *, opened: bool = False) -> dict[str, Any]:
    """The frames that say most, as evidence fields.

    Args:
        text: What was pasted.
        shown: Its objects.
        opened: Whether the opening of the socket is seen, so that the first frame shown is the first sent.
    """
    written = [(item.side, Crossed(place, json.dumps(item.document))) for place, item in enumerate(shown)]
    sent = [frame for side, frame in written if side == "sent"]
    telling = telling_frames(sent, [frame for side, frame in written if side == "received"])
    first, asked = telling.first, telling.asked
    if first is not None:
        action = next(item for item in shown if item.side == "sent").document.get("action")
        if action in ACTIONS - CONFIGURES and not (opened or _OPENING.search(text)):
            first, asked = None, asked or first  # one frame out of a conversation that is not shown
    fields = {"first_frame": first, "sent_frame": asked, "frame": telling.answer}
    return {name: frame for name, frame in fields.items() if frame is not None}
