"""A log becomes a HAR 1.2, with WebSocket messages as Chromium's developer tools write them.

Exchanges and sockets are entries any HAR reader understands; all columns of the log stand in `_guestlab`
beside, and what has no place in a HAR, such as steps and notes, in the log's own `_guestlab`, so that the
file comes back as an equal log (`guestlab/log/reading/har_own.py`). Entries pass through once: what is
written goes to a spool file and is put in order at the end, so a long log needs little memory.
"""

from __future__ import annotations

import base64
import os
import tempfile
from typing import IO, TYPE_CHECKING

import msgspec

from guestlab.har.entry import CLOSE, TEXT
from guestlab.log.entry import COLUMNS, Entry, Kind, Step
from guestlab.log.writing.files import blocks_of, complaint, replacing
from guestlab.log.writing.har_parts import exchange_parts

if TYPE_CHECKING:
    from pathlib import Path

    from guestlab.log.recorder import Log

__all__ = ["write_har"]

_BUFFER = 256 * 1024
_NAMES = tuple(column.name for column in COLUMNS)
_WAY = frozenset({Step.DNS, Step.TCP, Step.TLS})
"""The steps before the upgrade, which a HAR tells as timings."""
_encode = msgspec.json.encode


def write_har(log: Log, path: Path) -> Path:
    """Write a log as a HAR file; return its path.

    Every text is swept once more with all that is known to be secret by now. The file is written beside and
    renamed when whole.

    Raises:
        LogError: The path is a folder, or the file cannot be written.
    """
    with replacing(path) as file:
        try:
            with tempfile.TemporaryFile(dir=path.parent) as spool:
                archive = _Archive(spool)
                for sides, length in blocks_of(log):
                    nothing = (None,) * length
                    for row in zip(*(sides.get(name, nothing) for name in _NAMES), strict=True):
                        archive.add(Entry._make(row))
                archive.write_to(file)
        except OSError as error:
            raise complaint(path, error) from None
    return path


class _Pieces:
    """JSON values on their way to the spool, while other lists grow beside this one."""

    def __init__(self, spool: IO[bytes]) -> None:
        self._spool = spool
        self._held: list[bytes] = []
        self._size = 0
        self._places: list[tuple[int, int]] = []

    def add(self, value: bytes) -> None:
        """Add one value."""
        self._held.append(value)
        self._size += len(value)
        if self._size >= _BUFFER:
            self.flush()

    def flush(self) -> None:
        """Let go of what is held in memory."""
        data = b",\n".join(self._held)
        self._places.append((self._spool.seek(0, os.SEEK_END), len(data)))
        self._spool.write(data)
        self._held, self._size = [], 0

    def write_to(self, file: IO[bytes]) -> None:
        """Write the values, with commas between."""
        between = b""
        for start, length in self._places:
            self._spool.seek(start)
            file.write(between + self._spool.read(length))
            between = b",\n"
        if self._held:
            file.write(between + b",\n".join(self._held))


class _Part:
    """One entry of the HAR: an exchange, and the frames where it opened a socket."""

    def __init__(self, first: Entry, spool: IO[bytes], path: dict[Step, float]) -> None:
        self._first: Entry | None = first
        self._path = path
        self._head = _Pieces(spool)
        self._frames = _Pieces(spool)
        self._is_socket = first.kind is not Kind.REQUEST or first.step is Step.UPGRADE

    def answer(self, response: Entry | None) -> None:
        """Note the answer; the exchange is complete with it."""
        if self._first is not None:
            request = self._first if self._first.kind is Kind.REQUEST else None
            head = exchange_parts(self._first, request, response, self._path, is_socket=self._is_socket)
            self._head.add(_encode(head)[:-1])  # a list of frames may follow
            self._head.flush()
            self._first = None

    def add_frame(self, entry: Entry) -> None:
        """Add a frame or a close."""
        self._frames.add(_message(entry))

    def write_to(self, file: IO[bytes]) -> None:
        """Write it."""
        self.answer(None)
        self._head.write_to(file)
        if self._is_socket:
            file.write(b',"_webSocketMessages":[')
            self._frames.write_to(file)
            file.write(b"]")
        file.write(b"}")


class _Archive:
    """The HAR that is being put together."""

    def __init__(self, spool: IO[bytes]) -> None:
        self._spool = spool
        self._parts: list[_Part] = []
        self._unanswered: dict[int, _Part] = {}
        self._sockets: dict[tuple[str | None, int | None], _Part] = {}
        self._paths: dict[int | None, dict[Step, float]] = {}
        self._others = _Pieces(spool)

    def add(self, entry: Entry) -> None:
        """Add the next entry of the log."""
        if entry.kind is Kind.REQUEST:
            self._unanswered[entry.seq] = part = self._part(entry)
            if entry.step is Step.UPGRADE:
                self._sockets[entry.session, entry.attempt] = part
        elif entry.kind is Kind.RESPONSE and entry.exchange in self._unanswered:
            self._unanswered.pop(entry.exchange).answer(entry)
        elif entry.kind in {Kind.FRAME, Kind.CLOSE}:
            key = entry.session, entry.attempt
            if key not in self._sockets:
                self._sockets[key] = self._part(entry)
            self._sockets[key].add_frame(entry)
        else:
            if entry.kind is Kind.STEP and entry.step in _WAY and entry.latency_ms is not None:
                self._paths.setdefault(entry.attempt, {})[entry.step] = entry.latency_ms
            self._others.add(_encode(entry.filled()))

    def _part(self, first: Entry) -> _Part:
        is_upgrade = first.step is Step.UPGRADE
        path = self._paths.pop(first.attempt, {}) if is_upgrade else {}
        part = _Part(first, self._spool, path)
        self._parts.append(part)
        return part

    def write_to(self, file: IO[bytes]) -> None:
        """Write all of it."""
        from guestlab import __version__

        creator = _encode({"name": "guestlab", "version": __version__})
        file.write(b'{"log":{"version":"1.2","creator":' + creator + b',"pages":[],"entries":[\n')
        for number, part in enumerate(self._parts):
            if number:
                file.write(b",\n")
            part.write_to(file)
        file.write(b'\n],"_guestlab":{"entries":[')
        self._others.write_to(file)
        file.write(b"]}}}\n")


def _message(entry: Entry) -> bytes:
    """Write a frame as Chromium does; a close, which is no text, in Base64."""
    kept = entry.filled()
    if entry.kind is Kind.CLOSE:
        code = (entry.close_code or 0) & 0xFFFF
        data = base64.b64encode(code.to_bytes(2, "big") if code else b"").decode()
    else:
        data = entry.raw or ""
        if data:
            del kept["raw"]
    return _encode(
        {
            "type": "send" if entry.direction == "sent" else "receive",
            "time": entry.at / 1e9,
            "opcode": CLOSE if entry.kind is Kind.CLOSE else TEXT,
            "data": data,
            "_guestlab": kept,
        }
    )
