"""Reads handshakes out of a HAR file as browsers and proxies save it.

Each WebSocket in the file becomes one `Evidence`, its frames included; where the file has none, the calls to
Genesys Cloud do. The file is hostile input: sizes are capped, every field may be missing or of another type,
and a file that is no HAR is an `InputError`. Of a file that ends in the middle the whole entries are read,
and a warning says so. A browser may leave the status of a refused upgrade out (0).
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from guestlab.errors import InputError
from guestlab.handshake.address import Address
from guestlab.handshake.diagnosis import Diagnosis, diagnose
from guestlab.handshake.evidence import Evidence
from guestlab.handshake.frame_order import Crossed, stray_frame, telling_frames
from guestlab.handshake.hosts import HostKind, read_host
from guestlab.har.document import Document, no_har, read_document
from guestlab.har.entry import HarEntry, Pair, frame_text, read_entry
from guestlab.har.http_text import posted_text

__all__ = ["diagnose_har", "from_har"]

MAX_FILE = 256 * 2**20
"""Bytes of a file that are read at all."""
MAX_ENTRIES = 50_000
MAX_HANDSHAKES = 200
MAX_MESSAGES = 20_000
MAX_DATA = 2**20
"""Characters of one frame that are looked at."""
MAX_HEADERS = 500


def diagnose_har(source: str | Path | Mapping[str, Any]) -> tuple[Diagnosis, ...]:
    """Explain every handshake in a HAR file, in the file's order.

    Warns (`UserWarning`) when the file ends in the middle or is damaged, and only a part could be read.

    Args:
        source: The path of a file, the text of one, or the document decoded from one.

    Raises:
        InputError: It is no HAR, nothing of it is whole, or nothing in it concerns Genesys Cloud.
    """
    return tuple(diagnose(evidence) for evidence in from_har(source))


def from_har(source: str | Path | Mapping[str, Any]) -> tuple[Evidence, ...]:
    """Read the attempts in a HAR.

    Args:
        source: The path of a file, its text, or the parsed object.

    Raises:
        InputError: It is no HAR, or nothing in it concerns Genesys Cloud.
    """
    document = read_document(_bytes(source))
    sockets: list[HarEntry] = []
    calls: list[HarEntry] = []
    for raw in document.entries[:MAX_ENTRIES]:
        entry = read_entry(raw)
        if entry.is_socket:
            sockets.append(entry)
            if len(sockets) == MAX_HANDSHAKES:
                break
        elif not sockets and len(calls) < MAX_HANDSHAKES and _is_genesys(entry):
            calls.append(entry)
    _mention(document)
    if sockets:
        return tuple(_of_socket(entry) for entry in sockets)
    if calls:
        return tuple(_of_call(entry) for entry in calls)
    ending = f" It ends in the middle, {document.torn}." if document.torn else ""
    raise InputError(
        f"There is no WebSocket handshake among the {len(document.entries)} entries of this HAR.{ending}",
        why="Developer tools record a socket only while their network panel is open.",
        next_step="Open the network panel, reload the page until the socket is tried, and save it again.",
    )


def _mention(document: Document) -> None:
    """Say that not all of the file could be read."""
    if document.torn:
        whole = len(document.entries)
        text = f"The HAR ends in the middle, {document.torn}: only what is whole was read, {whole} entries."
    elif document.skipped:
        text = f"The HAR is damaged: {len(document.skipped)} entries are no valid JSON and were left out."
    else:
        return
    warnings.warn(text, UserWarning, stacklevel=4)


def _bytes(source: Any) -> bytes:
    if isinstance(source, Mapping):
        try:
            return json.dumps(source, default=str).encode()
        except (TypeError, ValueError, RecursionError) as error:
            raise no_har(f"It cannot be written as JSON: {type(error).__name__}.") from None
    if isinstance(source, str) and source.lstrip("\ufeff \r\n\t")[:1] in {"{", "["}:
        return source.lstrip("\ufeff").encode("utf-8", "backslashreplace")
    return _file(source)


def _file(source: Any) -> bytes:
    """Read the file that is named."""
    try:
        path = Path(source)
        if path.stat().st_size > MAX_FILE:
            raise no_har(f"It has more than {MAX_FILE // 2**20} MB.")
        return path.read_bytes()
    except (OSError, ValueError, TypeError) as error:
        if isinstance(error, InputError):
            raise
        reason = getattr(error, "strerror", None) or "the name is not usable as a path"
        raise InputError(
            "The HAR file cannot be read.",
            why=f"{type(error).__name__}: {reason}.",
            next_step="Give the path of a .har file, its text, or the parsed object.",
        ) from None


# -- one entry ----------------------------------------------------------------


def _pairs(pairs: list[Pair]) -> tuple[tuple[str, str], ...]:
    return tuple((pair.name, pair.value) for pair in pairs[:MAX_HEADERS] if not pair.name.startswith(":"))


def _is_genesys(entry: HarEntry) -> bool:
    address = Address.of(entry.url)
    kind = read_host(address.host).kind if address.host else HostKind.UNKNOWN
    served = kind is HostKind.LOOPBACK and address.path.startswith(
        ("/api/v2/", "/oauth/", "/webdeployments/")
    )
    return served or kind in {HostKind.GENESYS, HostKind.UNLISTED, HostKind.LOOKALIKE}


def _common(entry: HarEntry) -> dict[str, Any]:
    request, response = entry.request, entry.response
    status = response.status if response else None
    text = response.content.text if response and response.content else None
    return {
        "url": entry.url[:MAX_DATA] or None,
        "method": request.method or None if request else None,
        "headers": _pairs(request.headers) if request else (),
        "http_status": status if status is not None and 100 <= status < 1000 else None,
        "response_headers": _pairs(response.headers) if response else (),
        "body": text[:MAX_DATA] if text is not None and status != 101 else None,
    }


def _of_call(entry: HarEntry) -> Evidence:
    posted = posted_text(entry.request) if entry.request else None
    return Evidence.of(**_common(entry), request_body=(posted or "")[:MAX_DATA] or None)


def _of_socket(entry: HarEntry) -> Evidence:
    sent: list[Crossed] = []
    received: list[Crossed] = []
    for place, (outgoing, data) in enumerate(_frames(entry)):
        (sent if outgoing else received).append(Crossed(place, data))
    telling, stray = telling_frames(sent, received), stray_frame(sent, received)
    facts = _common(entry)
    if facts["http_status"] is None and (sent or received):
        facts["http_status"] = 101  # frames crossed it, so it was open
    return Evidence.of(
        **facts,
        first_frame=telling.first,
        sent_frame=stray or telling.asked,
        frame=None if stray else telling.answer,  # to the stray one nothing came
        note=_browsers_note(entry, facts["http_status"]),
        note_by="browser",
    )


def _browsers_note(entry: HarEntry, status: int | None) -> str | None:
    """What the file says beside the bytes: an error, no answer kept, no frame kept."""
    error = entry.error or (entry.response.error if entry.response else None)
    if error:
        ends = ", and kept no answer, so the handshake failed" if status is None else ""
        return f"the browser reports {error}{ends}"
    if status is None:
        return "the browser kept no answer of this socket, so its handshake failed"
    if status == 101 and entry.messages == []:
        return "frames kept of this socket: 0"
    return None


def _frames(entry: HarEntry) -> Iterator[tuple[bool, str]]:
    """The text frames: (sent by the page, text)."""
    for message in (entry.messages or [])[:MAX_MESSAGES]:
        text = frame_text(message)
        if isinstance(text, str):
            yield message.is_sent, text[:MAX_DATA]
