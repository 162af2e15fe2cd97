"""A HAR becomes a log: exchanges, upgrades and frames, with the columns a live log has.

What a tool leaves out stays missing; nothing is made up but the name of each socket's session. Times are the
wall clock's, `monotonic_ns` too: a HAR knows no other. Files this project wrote come back as they were, see
`har_own.py`.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

from guestlab.errors import LogError
from guestlab.har.document import Document, read_document
from guestlab.har.entry import HarEntry, Response, read_entry
from guestlab.har.http_text import body_text, posted_text, request_text, response_text
from guestlab.log.entry import COLUMNS, Entry, Kind, Lane, Stage, Step
from guestlab.log.reading.block import Block
from guestlab.log.reading.har_streams import Answer, Frames, Stream, merged
from guestlab.protocol.reading import instant

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    import msgspec

    from guestlab.log.reading.report import Report

__all__ = ["Unopened", "columns_of", "entries_of", "opened"]

MAX_FILE = 2**30
"""Bytes of a file that are read at all."""
MAX_ENTRIES = 1_000_000

_STARTED = re.compile(rb'"startedDateTime"\s*+:\s*+"([^"]*+)"')
_NEAR = 1024
"""Every tool writes when an entry began near its beginning or its end."""
_NAMES = tuple(column.name for column in COLUMNS)


def entries_of(path: Path, report: Report) -> Iterator[Entry]:
    """Read a HAR as entries, in the order in which they happened.

    Args:
        path: The file.
        report: Is told what cannot be read.

    Raises:
        InputError: It is no HAR, or nothing of it is whole.
        LogError: The file cannot be read.
    """
    for block in columns_of(path, report):
        length = len(block["at"])
        nothing = (None,) * length
        yield from map(Entry._make, zip(*(block.get(name, nothing) for name in _NAMES), strict=True))


def columns_of(path: Path, report: Report) -> Iterator[dict[str, Sequence[Any]]]:
    """Read a HAR as blocks of columns, which `Log.extend_columns` takes; otherwise as `entries_of`."""
    document = read_document(_file(path))
    for place, why in document.skipped:
        report.skip(place, why)
    if document.torn == "after its last entry":
        report.skip("the end", "the file ends without closing its list of entries; all of them are whole")
    if len(document.entries) > MAX_ENTRIES:
        report.skip(f"entry {MAX_ENTRIES + 1}", f"only {MAX_ENTRIES} entries are read")
        del document.entries[MAX_ENTRIES:]
    return merged(_streams(document, report), Block())


def _file(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_FILE:
            raise LogError(
                f"{path.name} is too large.",
                why=f"It has more than {MAX_FILE // 2**20} MiB, and a HAR is read as a whole.",
                next_step="Save a shorter recording.",
            )
        return path.read_bytes()
    except OSError as error:
        raise LogError(
            f"{path.name} cannot be read.",
            why=f"{type(error).__name__}: {error.strerror}.",
            next_step="Give the path of a readable .har file.",
        ) from None


def _streams(document: Document, report: Report) -> list[Stream]:
    if document.creator == "guestlab" and (document.guestlab or document.torn):
        from guestlab.log.reading.har_own import own_streams

        return own_streams(document, report)
    moments = list(map(_started, document.entries))
    at = next((moment for moment in moments if moment is not None), 0)
    streams: list[Stream] = []
    for number, (raw, moment) in enumerate(zip(document.entries, moments, strict=True), start=1):
        at = at if moment is None else moment
        streams.append(Unopened(raw, at, number, report, is_timed=moment is not None))
    return streams


def _started(raw: msgspec.Raw) -> int | None:
    """Find out when an entry began, without reading all of it; None where it does not tell."""
    view = memoryview(raw)
    found = _STARTED.search(bytes(view[:_NEAR])) or _STARTED.search(bytes(view[-_NEAR:]))
    if found is None and len(view) > 2 * _NEAR:
        found = _STARTED.search(view)
    return _nanoseconds(found[1].decode("utf-8", "replace")) if found else None


def _nanoseconds(text: str) -> int | None:
    moment = instant(text)
    if moment is None:
        return None
    return int(moment.replace(microsecond=0).timestamp()) * 1_000_000_000 + moment.microsecond * 1000


class Unopened:
    """An entry nobody has read yet.

    Args:
        raw: The entry as it stands in the file.
        key: Its place in the order.
        number: Which one in the file it is, from 1.
        report: Is told when it holds nothing.
        is_timed: Whether it says when it began; else its place is that of the one before it.
    """

    def __init__(
        self, raw: msgspec.Raw, key: int, number: int, report: Report, *, is_timed: bool = True
    ) -> None:
        self.key, self._is_timed = key, is_timed
        self._raw, self._number, self._report = raw, number, report

    def run(self, limit: int, block: Block) -> Iterable[Stream]:  # noqa: ARG002 - it is its turn
        """Add the request; answer and frames come later."""
        entry = read_entry(self._raw)
        if not entry.url and not entry.messages:
            self._report.skip(f"entry {self._number}", "it has no request with a URL")
            return ()
        if not self._is_timed:
            why = "it cannot be read as a time; the entry stands where its neighbour does"
            self._report.skip(f"entry {self._number}, startedDateTime", why)
        return opened(entry, self.key, self._number, block)


def opened(entry: HarEntry, at: int, number: int, block: Block) -> Iterable[Stream]:
    """Add the request of an entry, and return the streams of its answer and its frames."""
    is_socket = entry.is_socket
    about: dict[str, Any] = {"url": entry.url or None, "method": None}
    if is_socket:
        about |= {"stage": _stage(entry.url), "session": _session(entry, number), "step": Step.UPGRADE}
    streams: list[Stream] = []
    if entry.messages:
        frames = Frames(entry.messages, at, {"stage": about["stage"], "session": about["session"]})
        if not frames.is_over:
            streams.append(frames)
    if entry.request is None or not entry.url:
        return streams  # a torn entry of which the frames are left
    about["method"] = entry.request.method or None
    body = posted_text(entry.request) or ""
    seq = block.add(
        **about, at=at, monotonic_ns=at, kind=Kind.REQUEST, lane=Lane.HTTP, direction="sent",
        size=len(body) if body.isascii() else len(body.encode("utf-8", "surrogatepass")),
        raw=request_text(entry.request, body),
    )  # fmt: skip
    latency = _latency(entry, is_socket=is_socket)
    answered = at if latency is None else at + int(latency * 1e6)
    if streams and answered > streams[0].key:  # no frame crosses a socket before it is open
        answered = max(at, streams[0].key)
        latency = (answered - at) / 1e6
    columns = _answer(entry, latency, is_socket=is_socket)
    streams.insert(0, Answer(answered, {**about, "at": answered, "monotonic_ns": answered,
                                        "exchange": seq, **columns}))  # fmt: skip
    return streams


def _answer(entry: HarEntry, latency: float | None, *, is_socket: bool) -> dict[str, Any]:
    """Return the columns of the answer, or of the fact that there is none."""
    response = entry.response or Response()
    always: dict[str, Any] = {
        "kind": Kind.RESPONSE,
        "lane": Lane.HTTP,
        "direction": "received",
        "latency_ms": latency,
    }
    if response.status is None or not 100 <= response.status < 1000:
        if entry.messages:
            note = "The file does not say with which status; frames crossed it, so it was open."
            return {**always, "http_status": 101, "ok": True, "note": note}
        error = response.error or entry.error
        return {**always, "ok": False, "note": f"No answer: {(error or 'the file has none').rstrip('.')}."}
    body, size = body_text(response.content) if response.content else ("", 0)
    is_open = is_socket and response.status == 101
    if is_open:
        body, size = "", 0
    silent = is_open and entry.messages is None
    return {
        **always,
        "http_status": response.status,
        "ok": response.status == 101 if is_socket else 200 <= response.status < 300,
        "size": size,
        "correlation_id": _header(response, "inin-correlation-id"),
        "note": "The file holds no frames of this socket." if silent else None,
        "raw": response_text(response, body),
    }


def _latency(entry: HarEntry, *, is_socket: bool) -> float | None:
    """How long the answer took: of a socket the upgrade alone, which stays open while it is used.

    Safari writes 0 for what it does not know.
    """
    time = entry.time if entry.time is not None and entry.time > 0 else None
    timings = entry.timings
    if not is_socket or timings is None or timings.wait is None or timings.wait < 0:
        return time if time is None or time < _MOST_MS else None
    phases = (timings.blocked, timings.dns, timings.connect, timings.send, timings.wait)
    return min(sum(phase for phase in phases if phase is not None and phase > 0), _MOST_MS) or None


_MOST_MS = 1e10
"""Four months; more is no latency."""


def _header(response: Response, name: str) -> str | None:
    return next((pair.value for pair in response.headers if pair.name.lower() == name), None)


def _stage(url: str) -> Stage | None:
    """Tell the guest socket and the notification channels from other sockets of the page."""
    place, _, query = url.partition("?")
    host, _, path = place.partition("://")[2].partition("/")
    if path.startswith("channels/") or host.startswith("streaming."):
        return Stage.CHANNEL
    is_guest = host.startswith("webmessaging.") or "deploymentId=" in query
    return Stage.SESSION if is_guest else None


def _session(entry: HarEntry, number: int) -> str:
    """Name a socket: the same in every reading of the file, another in every file."""
    seed = f"{number} {entry.started}".encode("utf-8", "surrogatepass")
    return hashlib.blake2s(seed, digest_size=4).hexdigest()
