"""An attempt from a description: a command line, a snippet of code, a raw request, or words. Pure.

`from_text` tells them apart. What a tool printed may follow below. The result is the same `Evidence` that a
performed attempt leaves, so that both are diagnosed alike.
"""

from __future__ import annotations

import re
from typing import Any

from guestlab.errors import InputError
from guestlab.handshake.beside_code import beside_code
from guestlab.handshake.code_text import looks_like_code, read_code, with_made_query
from guestlab.handshake.curl_text import COMMAND, read_command
from guestlab.handshake.diagnosis import Diagnosis, diagnose
from guestlab.handshake.evidence import Evidence
from guestlab.handshake.pasted_frames import Shown, shown_objects
from guestlab.handshake.pasted_output import read_beside, read_output, read_prose

__all__ = ["diagnose_text", "from_code", "from_curl", "from_text"]

_REQUEST_LINE = re.compile(
    r"^(GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS)\s+(\S+)\s+HTTP/[\d.]+\s*$", re.MULTILINE
)
_IMPORTED = re.compile(
    r"^\s*(?:import\b|from\b|(?:const|let|var)\b.*\brequire\(|npm\b|pip\b).*genesys.*$",
    re.MULTILINE | re.IGNORECASE,
)
"""Lines that name a package."""


def diagnose_text(text: str) -> Diagnosis:
    """Explain what somebody pasted: a curl line, code, a raw request or a description.

    >>> diagnose_text("wscat -c 'wss://webmessaging.mypurecloud.ie/v1?token=abc'").top.rule
    'upgrade.deployment-missing'

    Args:
        text: As pasted; prompts, output and prose around it do no harm.

    Raises:
        InputError: There is nothing to read.
    """
    return diagnose(from_text(text))


def from_text(text: str) -> Evidence:
    """Read an attempt from any paste.

    Raises:
        InputError: There is nothing to read.
    """
    text = _readable(text)
    if COMMAND.search(text):
        return from_curl(text)
    if _REQUEST_LINE.search(text):
        return _evidence(_raw_request(text))
    if looks_like_code(text):
        found = _code(text)
        if found:
            return _evidence(found)
    told = read_prose(text)
    if isinstance(told.get("url"), str):
        told["url"] = with_made_query(told["url"], text)
    return _evidence(told)


def from_curl(text: str) -> Evidence:
    """Read a curl (or wscat, websocat) command line as pasted, and what it printed below it.

    Raises:
        InputError: There is no such command line.
    """
    text = _readable(text)
    if COMMAND.search(text) is None:
        raise InputError(
            "There is no curl command line in this text.",
            why="A line must begin with curl, wscat or websocat.",
            next_step="Paste the command as you run it, or use diagnose_text for anything else.",
        )
    found, output = read_command(text)
    before = text[: COMMAND.search(text).start()].strip()  # type: ignore[union-attr] # searched above
    printed = read_output(output) if output.strip() else {}
    told = read_beside(before) if before else {}
    if {"http_status", "frame", "body"} & set(printed) or told.get("http_status") == 101:
        told = {name: value for name, value in told.items() if name in {"note", "unread"}}
    notes = (told.get("note"), found.get("note"), printed.get("note"))
    unread = (told.get("unread"), printed.get("unread"))
    facts = {**found, **told, **printed, "note": "\n".join(filter(None, notes)), "note_by": "paste"}
    return _evidence({**facts, "unread": "\n".join(filter(None, unread))})


def from_code(text: str) -> Evidence:
    """Read a snippet: `new WebSocket(…)`, `websockets.connect(…)`, `requests.post(…)` and their like.

    Raises:
        InputError: No such call is in it.
    """
    text = _readable(text)
    found = read_command(text)[0] if COMMAND.search(text) else _code(text)
    if not found.get("url") and not found.get("first_frame"):
        raise InputError(
            "There is no call in this code that opens a socket or sends a request with a readable URL.",
            why="Known are new WebSocket, websockets.connect, requests, httpx, fetch, axios and their like.",
            next_step="Paste the lines with the URL written out, or describe it: diagnose(url=…, …).",
        )
    return _evidence(found)


def _readable(text: Any) -> str:
    if not isinstance(text, str) or not text.strip():
        raise InputError(
            "There is no text to read.",
            why="It is empty or no text.",
            next_step="Paste a curl line, a few lines of code, or describe what you did and what came back.",
        )
    return text[:400_000].replace("\x00", "")


def _code(text: str) -> dict[str, Any]:
    found = {key: value for key, value in read_code(text).items() if value not in (None, ())}
    if not found.get("url") and not found.get("first_frame"):
        return {}
    frames = [item for item in shown_objects(text) if item.side and not _is_written(text, item)]
    beside = read_beside(
        "\n".join([beside_code(_cut(text, frames)), *(_quoted(text, item) for item in frames)])
    )
    beside.pop("body", None)
    found = {**beside, **found, "note_by": "paste"}
    if imported := "\n".join(_IMPORTED.findall(text)):
        found["note"] = f"{found.get('note', '')}\n{imported}".strip()
    return found


def _is_written(text: str, shown: Shown) -> bool:
    """Whether an object is a value in the code, and no frame pasted beside it."""
    before = text[max(0, shown.start - 400) : shown.start].rstrip()
    return before.endswith((*"(=,[:+\"'`{", "return", "=>")) and not before.endswith(("->", "-->", "==>"))


def _cut(text: str, shown: list[Shown]) -> str:
    """The text without these objects and the marks before them."""
    pieces, at = [], 0
    for item in shown:
        pieces.append(text[at : item.start].rstrip(" \t<>#/-="))
        at = item.end
    return "".join([*pieces, text[at:]])


def _quoted(text: str, shown: Shown) -> str:
    """An object with the mark that says which side sent it."""
    return f"{'>' if shown.side == 'sent' else '<'} {text[shown.start : shown.end]}"


def _raw_request(text: str) -> dict[str, Any]:
    """Read `GET /v1?… HTTP/1.1` with its headers, and the response below if there is one."""
    line = _REQUEST_LINE.search(text)
    assert line is not None  # the caller has looked
    head, _, rest = text[line.end() :].lstrip("\r\n").replace("\r\n", "\n").partition("\n\n")
    headers = [(name.strip(), value.strip()) for name, mark, value in
               (row.partition(":") for row in head.splitlines()) if mark]  # fmt: skip
    host = next((value for name, value in headers if name.lower() == "host"), "")
    upgrades = any(name.lower() == "upgrade" for name, _ in headers)
    url = (
        line[2]
        if "://" in line[2]
        else f"{'wss' if upgrades else 'https'}://{host}{line[2]}"
        if host
        else line[2]
    )
    body, _, answer = rest.partition("HTTP/") if "HTTP/" in rest else (rest, "", "")
    printed = read_output("HTTP/" + answer) if answer else {}
    return {
        "method": line[1],
        "url": url,
        "headers": tuple(headers),
        "request_body": body.strip() or None,
        **printed,
    }


def _evidence(found: dict[str, Any]) -> Evidence:
    known = {name: value for name, value in found.items() if value not in (None, "", ()) or name == "body"}
    return Evidence.of(**known)  # an empty body is a fact, any other empty field is not
