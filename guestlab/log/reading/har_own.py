"""A HAR this project wrote comes back as it was: every entry, with all of its columns.

The columns stand in `_guestlab`, beside what any HAR reader understands; what the HAR itself holds, such as
the text of a frame, is not there twice. Such a file is as hostile as any other: what is not as we write it is
left out and reported. The twin is `guestlab/log/writing/har.py`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from guestlab.har.entry import CLOSE, Request, Response, read_entry
from guestlab.har.http_text import body_text, posted_text, request_text, response_text
from guestlab.log.entry import COLUMNS, Column, Entry, Kind, Lane, Stage, Step

if TYPE_CHECKING:
    from collections.abc import Iterable

    from guestlab.har.document import Document
    from guestlab.log.reading.block import Block
    from guestlab.log.reading.har_streams import Stream
    from guestlab.log.reading.report import Report

__all__ = ["own_streams"]

_AT_ONCE = 1024
_SEQ = re.compile(rb'"seq":(\d{1,18})[,}]')
_NEAR = 256
_NAMES = tuple(column.name for column in COLUMNS)
_RAW = _NAMES.index("raw")
_TYPES: dict[str, Any] = {
    "int64": int,
    "Int64": int,
    "Float64": float,
    "boolean": bool,
    "str": str,
    "datetime64[ns, UTC]": int,
}
_ENUMS: dict[str, Any] = {"kind": Kind, "stage": Stage, "step": Step, "lane": Lane}
_ALWAYS = frozenset({"seq", "at", "monotonic_ns", "kind"})


def _field(column: Column) -> tuple[Any, ...]:
    known: Any = _TYPES.get(column.dtype)
    if column.name in _ENUMS:
        known = _ENUMS[column.name]
    elif column.dtype == "category":
        known = Literal.__getitem__(tuple(map(str, column.categories)))
    if column.name in _ALWAYS:
        return (column.name, known)
    return (column.name, known | None, None)


_Kept: Any = msgspec.defstruct("_Kept", map(_field, COLUMNS), gc=False)
"""The columns of an entry."""
_KeptExchange: Any = msgspec.defstruct(
    "_KeptExchange",
    [
        ("request", _Kept | None, None),
        ("response", _Kept | None, None),
        ("request_drawn", bool, False),
        ("response_drawn", bool, False),
    ],
)
"""The columns of a request and its answer. Drawn: `raw` is to be put together from the HAR's own parts."""
_KeptMessage: Any = msgspec.defstruct(
    "_KeptMessage", [("data", str), ("opcode", int), ("kept", _Kept)], rename={"kept": "_guestlab"}, gc=False
)
_KeptMessages: Any = msgspec.defstruct(
    "_KeptMessages",
    [("messages", list[msgspec.Raw], msgspec.field(default_factory=list))],
    rename={"messages": "_webSocketMessages"},
)
_KeptLog: Any = msgspec.defstruct("_KeptLog", [("entries", list[msgspec.Raw])])

_exchange = msgspec.json.Decoder(_KeptExchange).decode
_rows = msgspec.json.Decoder(list[_Kept]).decode
_own_messages = msgspec.json.Decoder(_KeptMessages).decode
_messages = msgspec.json.Decoder(list[_KeptMessage]).decode
_WRONG = (msgspec.DecodeError, ValueError, RecursionError)


def own_streams(document: Document, report: Report) -> list[Stream]:
    """Return what a file of ours holds, each part by the number of its first entry."""
    streams: list[Stream] = []
    for number, raw in enumerate(document.entries, start=1):
        found = _SEQ.search(bytes(memoryview(raw)[:_NEAR]))
        if found is None:
            report.skip(f"entry {number}", "it is not as guestlab writes it")
        else:
            streams.append(_Exchange(raw, int(found[1]), f"entry {number}", report))
    if document.torn:
        report.skip("the end", "the file ends before what crossed no wire, such as steps and notes")
        return streams
    try:
        others = msgspec.json.decode(document.guestlab, type=_KeptLog).entries
    except _WRONG:
        report.skip("log._guestlab", "it is not as guestlab writes it")
        others = []
    others_stream = _Rows(others, "log._guestlab", report, _other)
    return [*streams, *others_stream.rest()]


class _Rows:
    """Rows with their columns: frames, or what crossed no wire.

    Args:
        raws: As they stand in the file.
        place: Where that is, for the report.
        report: Is told what cannot be read.
        read: Turns some of them into entries' values.
    """

    def __init__(self, raws: list[msgspec.Raw], place: str, report: Report, read: Any) -> None:
        self._raws, self._next = raws, 0
        self._place, self._report, self._read = place, report, read
        self._ready: list[tuple[Any, ...]] = []
        self._fill()

    @property
    def key(self) -> int:
        """The number of the next one."""
        return int(self._ready[0][0])

    def rest(self) -> tuple[Stream, ...]:
        """Itself, unless it is over."""
        return (self,) if self._ready else ()

    def run(self, limit: int, block: Block) -> Iterable[Stream]:
        """Add the rows up to the limit."""
        ready = self._ready
        count = next((place for place, row in enumerate(ready) if row[0] > limit), len(ready)) or 1
        block.run(dict(zip(_NAMES, zip(*ready[:count], strict=True), strict=True)), count)
        del ready[:count]
        if not ready:
            self._fill()
        return self.rest()

    def _fill(self) -> None:
        while not self._ready and self._next < len(self._raws):
            raws = self._raws[self._next : self._next + _AT_ONCE]
            try:
                self._ready = self._read(raws)
            except _WRONG:
                for place, raw in enumerate(raws, start=self._next + 1):
                    try:
                        self._ready += self._read([raw])
                    except _WRONG:
                        self._report.skip(f"{self._place}, row {place}", "it is not as guestlab writes it")
            self._next += len(raws)


def _other(raws: list[msgspec.Raw]) -> list[tuple[Any, ...]]:
    return list(map(msgspec.structs.astuple, _rows(b"[" + b",".join(raws) + b"]")))


def _frames(raws: list[msgspec.Raw]) -> list[tuple[Any, ...]]:
    rows = []
    for message in _messages(b"[" + b",".join(raws) + b"]"):
        row = msgspec.structs.astuple(message.kept)
        if row[_RAW] is None and message.data and message.opcode != CLOSE:
            row = (*row[:_RAW], message.data, *row[_RAW + 1 :])
        rows.append(row)
    return rows


class _Exchange:
    """A request, its answer, and the frames of a socket."""

    def __init__(self, raw: msgspec.Raw, key: int, place: str, report: Report) -> None:
        self.key = key
        self._raw, self._place, self._report = raw, place, report

    def run(self, limit: int, block: Block) -> Iterable[Stream]:  # noqa: ARG002 - it is its turn
        """Add the request; answer and frames come in their turn."""
        entry = read_entry(self._raw)
        try:
            kept = _exchange(entry.guestlab)
            frames = _own_messages(self._raw).messages
        except _WRONG:
            self._report.skip(self._place, "it is not as guestlab writes it")
            return ()
        later: list[Stream] = []
        if kept.request is not None:
            if kept.request_drawn:
                request = entry.request or Request()
                kept.request.raw = request_text(request, posted_text(request) or "")
            block.add(**_filled(kept.request))
        if kept.response is not None:
            if kept.response_drawn:
                response = entry.response or Response()
                body = body_text(response.content)[0] if response.content else ""
                kept.response.raw = response_text(response, body)
            later.append(_Row(kept.response))
        if frames:
            later += _Rows(frames, f"{self._place}, _webSocketMessages", self._report, _frames).rest()
        return later


class _Row:
    """One row whose number is yet to come."""

    def __init__(self, kept: Any) -> None:
        self.key: int = kept.seq
        self._kept = kept

    def run(self, limit: int, block: Block) -> Iterable[Stream]:  # noqa: ARG002 - it is one row
        """Add it."""
        block.add(**_filled(self._kept))
        return ()


def _filled(kept: Any) -> dict[str, Any]:
    return {name: getattr(kept, name) for name in Entry._fields}
