"""Reads what a tool printed: statuses, response headers, bodies, close codes, error lines. Pure.

People paste the output below the command. Only what is unmistakable is taken as a number; the rest is kept
as a note.
"""

from __future__ import annotations

import json
import re
from typing import Any

__all__ = ["read_output", "read_prose", "status_printed"]

MAX_OUTPUT = 200_000
"""Characters of output that are looked at."""

_STATUS_LINE = re.compile(r"^[<\s*]*HTTP/[\d.]+\s+(\d{3})\b.*$", re.MULTILINE)
_HEADER = re.compile(r"^(?:<\s*)?([A-Za-z][\w\-]*):\s*(.*?)\s*$")
_NOISE = re.compile(r"^(?:[*>]\s|[{}] \[|<\s*$|\s*%\s+Total|\s*\d+\s+\d+\s+\d|\s*Dload)")
_PROMPT = re.compile(r"^\s*(?:\$|#|>>>|\(venv\)).*$")

_STATUS_WORDS = (
    re.compile(r"unexpected (?:server|http) (?:response|status)\D{0,12}(\d{3})", re.IGNORECASE),
    re.compile(r"rejected (?:the )?websocket connection: HTTP (\d{3})", re.IGNORECASE),
    re.compile(r"Handshake status (\d{3})", re.IGNORECASE),
    re.compile(r"WSServerHandshakeError: (\d{3})", re.IGNORECASE),
    re.compile(r"unexpected response code: (\d{3})", re.IGNORECASE),
    re.compile(r"status code '?(\d{3})'? when status code '?101", re.IGNORECASE),
    re.compile(r"\bHTTP(?:/[\d.]+)?(?: status| error| code)*:?\s+(\d{3})\b", re.IGNORECASE),
    re.compile(r"<Response \[(\d{3})\]>"),
    re.compile(r"\bstatus(?:[_ ]?code)?\s*[:=]?\s*(\d{3})\b", re.IGNORECASE),
    re.compile(
        r"\b([45]\d\d) (?:Client Error|Server Error|Unauthorized|Forbidden|Not Found|Bad Request)",
        re.IGNORECASE,
    ),
    re.compile(r"\b(405|429) (?:Method Not Allowed|Too Many Requests)", re.IGNORECASE),
)
_CLOSE_WORDS = (
    re.compile(
        r"\bclose[sd]?(?: event| frame)?(?: with)?(?: code| status)?\s*[:=(]?\s*(\d{3,4})\b", re.IGNORECASE
    ),
    re.compile(r"\bcode\s*[:=]\s*(1\d{3})\b", re.IGNORECASE),
    re.compile(r"\b(1006)\b"),
)


def status_printed(text: str) -> int | None:
    """The HTTP status of a refused upgrade, where a text has it in a program's own words."""
    found = (words.search(text[:MAX_OUTPUT]) for words in _STATUS_WORDS[:6])
    return next((int(match[1]) for match in found if match), None)


def read_output(text: str) -> dict[str, Any]:
    """Read the output of one command: a dict of evidence fields."""
    text = text[:MAX_OUTPUT].replace("\r\n", "\n")
    found: dict[str, Any] = {}
    statuses = [
        m for m in _STATUS_LINE.finditer(text) if m[1] != "100" and "onnection established" not in m[0]
    ]
    if statuses:
        found["http_status"] = int(statuses[-1][1])
        headers, body = _head_and_body(text[statuses[-1].end() :].lstrip("\n").splitlines())
        found["response_headers"] = headers
        found["body"] = body
        return found
    found.update(_numbers(text))
    document = _document(text)
    if document is not None:
        found.update(_placed(document))
    rest = "\n".join(line for line in text.splitlines() if line.strip() and not _PROMPT.match(line)).strip()
    if rest and document is None:
        found["note"] = rest[:4000]
    return found


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


def _numbers(text: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for pattern in _STATUS_WORDS:
        if match := pattern.search(text):
            found["http_status"] = int(match[1])
            break
    for pattern in _CLOSE_WORDS:
        if match := pattern.search(text):
            found["close_code"] = int(match[1])
            break
    return found


def _document(text: str) -> Any:
    """A JSON object that stands alone in the text, or None."""
    start = text.find("{")
    if start < 0 or text[:start].strip(" \n\t<>"):
        return None
    try:
        return json.JSONDecoder().raw_decode(text[start:])[0]
    except (ValueError, RecursionError):
        return None


def _placed(document: Any) -> dict[str, Any]:
    """Tell a server's frame from the body of an HTTP answer."""
    if not isinstance(document, dict):
        return {}
    if "class" in document or "topicName" in document:
        return {"frame": document}
    status = document.get("status")
    number = {"http_status": status} if isinstance(status, int) and 100 <= status < 600 else {}
    return {"body": json.dumps(document), **number}


_OBJECT = re.compile(r"\{[^{}]*(?:\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}[^{}]*)*\}")
_URL = re.compile(r"\b(?:wss?|https?)://(?:[^\s\"'<>`)\]]|(?<==)<[^<>\n]{1,40}>)+")
"""A URL in prose; `=<my id>` stands for a value that was left out."""
_KINDS = (
    (re.compile(r"client[- _]credentials?", re.IGNORECASE), "client_credentials"),
    (re.compile(r"\bpkce\b", re.IGNORECASE), "pkce"),
    (re.compile(r"authorization[- _]code", re.IGNORECASE), "authorization_code"),
)
_BARE_STATUS = re.compile(
    r"\b(?:get|gets|got|with|returns?|returned|answers?|answered|says?|is|error|a|an|still|then)\s+(?:an? )?"
    r"(4\d\d|5\d\d)\b",
    re.IGNORECASE,
)


def read_prose(text: str) -> dict[str, Any]:
    """Read a description in words: the first URL, numbers, quoted frames; the text itself is the note."""
    text = text[:MAX_OUTPUT]
    found: dict[str, Any] = {"note": text[:4000], **_numbers(text)}
    if "http_status" not in found and (match := _BARE_STATUS.search(text)):
        found["http_status"] = int(match[1])
    if url := _URL.search(text):
        found["url"] = url[0].rstrip(".,;:")
    kind = next((kind for words, kind in _KINDS if words.search(text)), None)
    if kind:
        found["token_kind"] = kind
    for match in list(_OBJECT.finditer(text))[:5]:
        try:
            document = json.loads(match[0])
        except (ValueError, RecursionError):
            continue
        place = "frame" if {"class", "topicName"} & set(document) else "first_frame"
        if place == "first_frame" and not {"action", "type", "command", "event"} & set(document):
            place = "body"
        found.setdefault(place, json.dumps(document) if place == "body" else document)
    return found
