"""Reads what a tool printed and what a person tells: statuses, headers, bodies, frames, addresses. Pure.

People paste the output below the command. Only what is unmistakable is taken as a fact; the rest is kept as a
note, and what of it nobody understands is kept as that.
"""

from __future__ import annotations

import json
import re
from typing import Any

from guestlab.handshake.beside_code import without_harmless
from guestlab.handshake.network_words import ended_at_by_words
from guestlab.handshake.notes import Note
from guestlab.handshake.outcome_words import numbers_told, plainly
from guestlab.handshake.pasted_frames import Shown, blank_out, frames_told, shown_objects
from guestlab.handshake.told_address import told_address, told_origin

__all__ = ["read_beside", "read_output", "read_prose"]

MAX_OUTPUT = 200_000
"""Characters of output that are looked at."""
MAX_NOTE = 4_000
MAX_LINES = 5_000
"""Lines that are looked at one by one."""

_STATUS_LINE = re.compile(r"^[<\s*]*HTTP/[\d.]+\s+(\d{3})\b.*$", re.MULTILINE)
_HEADER = re.compile(r"^(?:<\s*)?([A-Za-z][\w\-]*):\s*(.*?)\s*$")
_NOISE = re.compile(r"^(?:[*>]\s|[{}] \[|<\s*$|\s*%\s+Total|\s*\d+\s+\d+\s+\d|\s*Dload)")
_PROMPT = re.compile(r"^\s*(?:\$|#|>>>|\(venv\)).*$")
_ASKS = re.compile(r"\b(?:how|what|which|why|where|should|must|only|need|wants?)\b|\?", re.IGNORECASE)
"""What a question has and a complaint need not have."""
_CURL_SAYS = re.compile(r"^curl: \(\d+\).*$", re.MULTILINE)


def read_output(text: str) -> dict[str, Any]:
    """Read the output of one command: a dict of evidence fields."""
    text = text[:MAX_OUTPUT].replace("\r\n", "\n")
    statuses = [
        m for m in _STATUS_LINE.finditer(text) if m[1] != "100" and "onnection established" not in m[0]
    ]
    if not statuses:
        return read_beside(text)
    told = "\n".join(_CURL_SAYS.findall(text))
    rest = _CURL_SAYS.sub("", text[statuses[-1].end() :]) if told else text[statuses[-1].end() :]
    headers, body = _head_and_body(rest.lstrip("\n").splitlines())
    found = {"http_status": int(statuses[-1][1]), "response_headers": headers, "body": body}
    shown = shown_objects(body) if int(statuses[-1][1]) == 101 else []
    return {**found, **frames_told(body, shown, opened=True), **({"note": told} if told else {})}


def _head_and_body(lines: list[str]) -> tuple[tuple[tuple[str, str], ...], str]:
    headers: list[tuple[str, str]] = []
    for number, line in enumerate(lines):
        header = _HEADER.match(line)
        if header is None:
            blank = line.strip("< \t") == ""
            rest = lines[number + 1 if blank else number :]
            kept = [row for row in rest if not _NOISE.match(row) and not _PROMPT.match(row)]
            return tuple(headers), "\n".join(kept).strip()
        headers.append((header[1], header[2]))
    return tuple(headers), ""


def read_beside(text: str) -> dict[str, Any]:
    """Read what stands beside a command or code: frames, numbers, a note, what is not understood."""
    text = text[:MAX_OUTPUT]
    shown = shown_objects(text)
    words = blank_out(text, shown)
    told_of = "\n".join(plainly(line) for line in words.splitlines()[:MAX_LINES])
    found: dict[str, Any] = {**numbers_told(told_of, loosely=True), **frames_told(text, shown)}
    document = next(
        (item for item in shown if not item.side and not text[: item.start].strip(" \n\t<>")), None
    )
    if document is not None:
        return {**found, **_answer(document)}
    lines = (line for line in words.splitlines() if line.strip(" <>\t") and not _PROMPT.match(line))
    told = [line for line in lines if not line.endswith("?") or Note(_ASKS.sub("", line)).complains]
    note = "\n".join(told).strip()
    if note:
        found["note"] = note[:MAX_NOTE]
    if {"http_status", "close_code", "frame"}.isdisjoint(found) and not ended_at_by_words(note):
        found["unread"] = without_harmless(note)[:MAX_NOTE].strip() or None
    return found


def _answer(shown: Shown) -> dict[str, Any]:
    """An object that is no frame and stands alone is the body of an answer."""
    status = shown.document.get("status")
    number = {"http_status": status} if isinstance(status, int) and 100 <= status < 600 else {}
    return {"body": json.dumps(shown.document), **number}


# -- a description ------------------------------------------------------------

_KINDS = (
    (re.compile(r"client[- _]credentials?", re.IGNORECASE), "client_credentials"),
    (re.compile(r"\bpkce\b", re.IGNORECASE), "pkce"),
    (re.compile(r"authorization[- _]code", re.IGNORECASE), "authorization_code"),
)
_TOOLS_URL = re.compile(r"\bRequest URL:\s*(https://webmessaging\.\S+)", re.IGNORECASE)
_SOCKETS_WORDS = re.compile(
    r"unexpected server response|sec-websocket|upgrade: ?websocket|websocket", re.IGNORECASE
)


def read_prose(text: str) -> dict[str, Any]:
    """Read a description in words: address, Origin, numbers, quoted frames; the text itself is the note."""
    text = text[:MAX_OUTPUT]
    shown = shown_objects(text)
    words = blank_out(text, shown)
    note = words[:MAX_NOTE] if re.search(r"\w", words) else None
    found: dict[str, Any] = {"note": note, **numbers_told(words, loosely=True)}
    url = told_address(words)
    if url is not None:
        found["url"] = _as_opened(url, words)
    if origin := told_origin(words):
        found["headers"] = (("Origin", origin),)
    kind = next((kind for said, kind in _KINDS if said.search(text)), None)
    if kind:
        found["token_kind"] = kind
    found.update(frames_told(text, shown))
    body = next((item for item in shown if not item.side), None)
    if body is not None:
        found["body"] = json.dumps(body.document)
    return found


def _as_opened(url: str, text: str) -> str:
    """Tools write a socket's address as the https one of its upgrade."""
    tools = _TOOLS_URL.search(text)
    if tools and tools[1].startswith(url) and _SOCKETS_WORDS.search(text):
        return "wss" + url.removeprefix("https")
    return url
