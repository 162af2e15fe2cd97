"""Reads handshakes out of a HAR file as browsers save it (HAR 1.2 with Chromium's `_webSocketMessages`).

Each WebSocket in the file becomes one `Evidence`, its frames included; where the file has none, the calls to
Genesys Cloud do. The file is hostile input: sizes are capped, every field may be missing or of another type,
and a file that is no HAR is an `InputError`. A browser may leave the status of a refused upgrade out (0).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from guestlab.errors import InputError
from guestlab.handshake.address import Address
from guestlab.handshake.diagnosis import Diagnosis, diagnose
from guestlab.handshake.evidence import Evidence
from guestlab.handshake.hosts import HostKind, read_host
from guestlab.handshake.reading import FrameReading

__all__ = ["diagnose_har", "from_har"]

MAX_FILE = 256 * 2**20
"""Bytes of a file that are read at all."""
MAX_ENTRIES = 50_000
MAX_HANDSHAKES = 200
MAX_MESSAGES = 20_000
MAX_DATA = 2**20
"""Characters of one frame that are looked at."""

_ENDINGS = frozenset({"SessionExpiredEvent", "ConnectionClosedEvent", "LogoutEvent"})


def diagnose_har(source: str | Path | Mapping[str, Any]) -> tuple[Diagnosis, ...]:
    """Explain every handshake in a HAR file, in the file's order.

    Raises:
        InputError: It is no HAR, or nothing in it concerns Genesys Cloud.
    """
    return tuple(diagnose(evidence) for evidence in from_har(source))


def from_har(source: str | Path | Mapping[str, Any]) -> tuple[Evidence, ...]:
    """Read the attempts in a HAR.

    Args:
        source: The path of a file, its text, or the parsed object.

    Raises:
        InputError: It is no HAR, or nothing in it concerns Genesys Cloud.
    """
    entries = [entry for entry in _entries(_loaded(source)) if isinstance(entry, Mapping)]
    sockets = [entry for entry in entries if _is_socket(entry)][:MAX_HANDSHAKES]
    if sockets:
        return tuple(_of_socket(entry) for entry in sockets)
    calls = [entry for entry in entries if _is_genesys(entry)][:MAX_HANDSHAKES]
    if calls:
        return tuple(_of_call(entry) for entry in calls)
    raise InputError(
        f"There is no WebSocket handshake among the {len(entries)} entries of this HAR.",
        why="Developer tools record a socket only while their network panel is open.",
        next_step="Open the network panel, reload the page until the socket is tried, and save it again.",
    )


def _loaded(source: Any) -> Mapping[str, Any]:
    if isinstance(source, Mapping):
        return source
    text = (
        source
        if isinstance(source, str) and source.lstrip("\ufeff \r\n\t")[:1] in {"{", "["}
        else _file(source)
    )
    try:
        document = json.loads(text.lstrip("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise _no_har(f"It is not JSON: {type(error).__name__}.") from None
    if not isinstance(document, Mapping):
        raise _no_har("It is JSON, but no object with a log.")
    return document


def _file(source: Any) -> str:
    """Read the file that is named."""
    try:
        path = Path(source)
        if path.stat().st_size > MAX_FILE:
            raise _no_har(f"It has more than {MAX_FILE // 2**20} MB.")
        return path.read_text("utf-8-sig", "replace")
    except (OSError, ValueError, TypeError) as error:
        if isinstance(error, InputError):
            raise
        reason = getattr(error, "strerror", None) or "the name is not usable as a path"
        raise InputError(
            "The HAR file cannot be read.",
            why=f"{type(error).__name__}: {reason}.",
            next_step="Give the path of a .har file, its text, or the parsed object.",
        ) from None


def _no_har(why: str) -> InputError:
    return InputError(
        "This is no HAR file.",
        why=why,
        next_step="Save one in the browser's network panel: Save all as HAR with content.",
    )


def _entries(document: Mapping[str, Any]) -> list[Any]:
    log = document.get("log")
    entries = log.get("entries") if isinstance(log, Mapping) else document.get("entries")
    if not isinstance(entries, list):
        raise _no_har("It has no log.entries.")
    return entries[:MAX_ENTRIES]


# -- one entry ----------------------------------------------------------------


def _part(entry: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = entry.get(name)
    return part if isinstance(part, Mapping) else {}


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _pairs(part: Mapping[str, Any], name: str = "headers") -> tuple[tuple[str, str], ...]:
    rows = part.get(name)
    return tuple(
        (row["name"], _string(row.get("value")))
        for row in (rows[:500] if isinstance(rows, list) else ())
        if isinstance(row, Mapping) and isinstance(row.get("name"), str) and not row["name"].startswith(":")
    )


def _is_socket(entry: Mapping[str, Any]) -> bool:
    request = _part(entry, "request")
    upgrade = next((value for name, value in _pairs(request) if name.lower() == "upgrade"), "")
    return (
        _string(request.get("url")).lower().startswith(("ws://", "wss://"))
        or entry.get("_resourceType") == "websocket"
        or isinstance(entry.get("_webSocketMessages"), list)
        or upgrade.lower() == "websocket"
    )


def _is_genesys(entry: Mapping[str, Any]) -> bool:
    address = Address.of(_string(_part(entry, "request").get("url")))
    kind = read_host(address.host).kind if address.host else HostKind.UNKNOWN
    served = kind is HostKind.LOOPBACK and address.path.startswith(
        ("/api/v2/", "/oauth/", "/webdeployments/")
    )
    return served or kind in {HostKind.GENESYS, HostKind.UNLISTED, HostKind.LOOKALIKE}


def _common(entry: Mapping[str, Any]) -> dict[str, Any]:
    request, response = _part(entry, "request"), _part(entry, "response")
    content = _part(response, "content")
    status = response.get("status")
    text = content.get("text")
    known = isinstance(status, int) and 100 <= status < 1000
    return {
        "url": _string(request.get("url"))[:MAX_DATA] or None,
        "method": _string(request.get("method")) or None,
        "headers": _pairs(request),
        "http_status": status if known else None,
        "response_headers": _pairs(response),
        "body": text[:MAX_DATA] if isinstance(text, str) and status != 101 else None,
    }


def _of_call(entry: Mapping[str, Any]) -> Evidence:
    posted = _part(_part(entry, "request"), "postData")
    text = posted.get("text")
    if not isinstance(text, str):
        text = "&".join(f"{name}={value}" for name, value in _pairs(posted, "params"))
    return Evidence.of(**_common(entry), request_body=text[:MAX_DATA] or None)


def _of_socket(entry: Mapping[str, Any]) -> Evidence:
    sent: list[tuple[int, str]] = []
    received: list[tuple[int, str]] = []
    for place, (outgoing, data) in enumerate(_messages(entry)):
        (sent if outgoing else received).append((place, data))
    answer = _telling(received)
    error = _string(entry.get("_error")) or _string(_part(entry, "response").get("_error"))
    facts = _common(entry)
    if facts["http_status"] is None and (sent or received):
        facts["http_status"] = 101  # frames crossed it, so it was open
    note = f"the browser reports {error}" if error else None
    if facts["http_status"] is None and note is None:
        note = "the browser kept no answer of this socket, so its handshake failed"
    return Evidence.of(
        **facts,
        first_frame=sent[0][1] if sent else None,
        sent_frame=_asked(sent[1:], answer),
        frame=answer[1] if answer else None,
        note=note,
    )


def _asked(sent: list[tuple[int, str]], answer: tuple[int, str] | None) -> str | None:
    """The later frame that the answer is to: the same tracingId, a wish to end, or the last before it."""
    before = [data for place, data in sent if answer is None or place < answer[0]][-500:]
    if answer is None or not before:
        return before[-1] if before else None
    reply = FrameReading(_object(answer[1]))
    tracing_id = reply.text("tracingId")
    for data in reversed(before):
        frame = FrameReading(_object(data))
        if tracing_id and frame.text("tracingId") == tracing_id:
            return data
        ends = frame.action == "closeSession" or frame.event("Presence") == "Clear"
        if ends and reply.class_name in _ENDINGS:
            return data
    return before[-1]


def _messages(entry: Mapping[str, Any]) -> Iterator[tuple[bool, str]]:
    """The text frames: (sent by the page, text)."""
    messages = entry.get("_webSocketMessages")
    for message in messages[:MAX_MESSAGES] if isinstance(messages, list) else ():
        if not isinstance(message, Mapping) or message.get("opcode") not in (None, 1):
            continue
        data = message.get("data")
        if isinstance(data, str):
            yield message.get("type") in ("send", "request"), data[:MAX_DATA]


def _telling(received: list[tuple[int, str]]) -> tuple[int, str] | None:
    """The server's frame that says most: a failure, else the session's end, else how it was configured."""
    frames = [(place, data, FrameReading(_object(data))) for place, data in received]
    failed = (item for item in frames if item[2].is_failure)
    ended = (item for item in frames if item[2].class_name in _ENDINGS)
    configured = (item for item in frames if item[2].class_name == "SessionResponse")
    found = next(failed, None) or next(ended, None) or next(configured, None) or next(iter(frames), None)
    return (found[0], found[1]) if found else None


def _object(data: str) -> Any:
    try:
        return json.loads(data) if data.lstrip()[:1] == "{" else None
    except (ValueError, RecursionError):
        return None
