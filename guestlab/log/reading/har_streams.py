"""What a HAR holds, in the order in which it happened.

The file lists an exchange where it began and a socket's frames with the socket; a log lists everything in its
time. Each part is a stream with a key, its next moment (in our own files: its next number), that is asked to
run until another stream's turn comes. Frames are read about two thousand at a time.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Any, Protocol, cast

from guestlab.har.entry import CLOSE, TEXT, Message, frame_text, payload
from guestlab.har.http_text import MOST_SHOWN
from guestlab.log.entry import Kind, Lane
from guestlab.log.reading.har_frames import FRAME_COLUMNS, SocketFrames
from guestlab.log.store import CHUNK
from guestlab.protocol.frames import describe_close

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from guestlab.log.reading.block import Block

__all__ = ["Answer", "Frames", "Stream", "merged"]

_AT_ONCE = 2048
_FOREVER = 2**63
_READ = Message()


class Stream(Protocol):
    """A part of the file."""

    @property
    def key(self) -> int:
        """When its next row is due."""

    def run(self, limit: int, block: Block) -> Iterable[Stream]:
        """Add rows, at least one and none past the limit; return what goes on later."""


def merged(streams: list[Stream], block: Block) -> Iterator[dict[str, Sequence[Any]]]:
    """Run the streams in the order of their keys; yield blocks of about `CHUNK` rows."""
    heap = [(stream.key, number, stream) for number, stream in enumerate(streams)]
    heapq.heapify(heap)
    number = len(heap)
    while heap:
        stream = heapq.heappop(heap)[2]
        for later in stream.run(heap[0][0] if heap else _FOREVER, block):
            number += 1
            heapq.heappush(heap, (later.key, number, later))
        if len(block) >= CHUNK - _AT_ONCE:
            yield block.take()
    if len(block):
        yield block.take()


class Answer:
    """A single row whose moment is yet to come."""

    def __init__(self, key: int, columns: dict[str, Any]) -> None:
        self.key = key
        self._columns = columns

    def run(self, limit: int, block: Block) -> Iterable[Stream]:  # noqa: ARG002 - it is one row
        """Add it."""
        block.add(**self._columns)
        return ()


class Frames:
    """The frames of a socket.

    Args:
        messages: The messages as they stand in the file.
        at: When the socket was opened, nanoseconds since 1970.
        about: The columns all of them share.
    """

    def __init__(self, messages: list[Message], at: int, about: dict[str, Any]) -> None:
        self._messages, self._next = messages, 0
        self._opened = self._last = at
        self._about = {name: value for name, value in about.items() if value is not None}
        self._frames = SocketFrames()
        self._batch: list[Message] = []
        self._times: list[int] = []
        self._place = self._latest = 0
        self._fill()

    @property
    def key(self) -> int:
        """When the next one crossed the wire."""
        return self._times[self._place] if self._times else self._last

    @property
    def is_over(self) -> bool:
        """Whether there is none left."""
        return not self._batch

    def run(self, limit: int, block: Block) -> Iterable[Stream]:
        """Add the frames up to the limit."""
        start, end = self._place, len(self._batch)
        if self._latest > limit:
            times = self._times
            end = next((place for place in range(start + 1, end) if times[place] > limit), end)
        self._add(self._batch[start:end], self._times[start:end], block)
        self._place = end
        if end == len(self._batch):
            self._fill()
        later: tuple[Stream, ...] = () if self.is_over else (self,)
        return later

    def _fill(self) -> None:
        """Take the next messages, and read when each of them came."""
        batch = self._batch = self._messages[self._next : self._next + _AT_ONCE]
        self._messages[self._next : self._next + _AT_ONCE] = [_READ] * len(batch)  # let go of them
        self._next += len(batch)
        self._times = _moments([message.time for message in batch], self._opened, self._last)
        self._place, self._latest = 0, max(self._times, default=0)
        if batch:
            self._last = self._times[-1]

    def _add(self, batch: list[Message], times: list[int], block: Block) -> None:
        if {message.opcode for message in batch} == {TEXT} and _are_plain(batch):
            self._add_plain(batch, times, block)
            return
        for message, at in zip(batch, times, strict=True):
            if message.opcode == TEXT and _are_plain([message]):
                self._add_plain([message], [at], block)
            else:
                self._add_odd(message, at, block)

    def _add_plain(self, batch: list[Message], times: list[int], block: Block) -> None:
        columns = self._frames.columns(batch, times, block.next_seq)
        count, at = len(batch), tuple(times)
        shared = {name: (value,) * count for name, value in self._about.items()}
        kinds, lanes = (Kind.FRAME,) * count, (Lane.FRAME,) * count
        block.run({"at": at, "monotonic_ns": at, "kind": kinds, "lane": lanes, **shared, **columns}, count)

    def _add_odd(self, message: Message, at: int, block: Block) -> None:
        about = {"at": at, "monotonic_ns": at, **self._about}
        if message.opcode == CLOSE:
            code = _close_code(message)
            direction = "sent" if message.is_sent else "received"
            about |= {"kind": Kind.CLOSE, "lane": Lane.CLOSE, "direction": direction, "close_code": code}
            block.add(**about, note=describe_close(code))
            return
        text = frame_text(message)
        if text is None:
            return  # a ping, a pong, or a note of the tool that the socket failed
        if len(text) > MOST_SHOWN:
            direction = "sent" if message.is_sent else "received"
            about |= {"kind": Kind.FRAME, "lane": Lane.FRAME, "direction": direction, "size": len(text)}
            block.add(**about, raw=f"[{len(text)} bytes, not kept]")
            return
        row = self._frames.row(text, at, block.next_seq, is_sent=message.is_sent)
        block.add(**about, kind=Kind.FRAME, lane=Lane.FRAME, **dict(zip(FRAME_COLUMNS, row, strict=True)))


def _are_plain(batch: list[Message]) -> bool:
    """Whether all of them are texts of usual length."""
    texts = [message.data for message in batch if message.encoding is None and message.data is not None]
    return len(texts) == len(batch) and max(map(len, texts)) <= MOST_SHOWN


def _close_code(message: Message) -> int | None:
    """Read the code of a close frame: Base64 as Chromium writes what is no text, or in digits."""
    data = message.data or ""
    if data[:4].isascii() and data[:4].isdigit() and len(data) == 4:
        return int(data)
    held = payload(data, "base64") or b""
    return int.from_bytes(held[:2], "big") if len(held) >= 2 else None


def _moments(times: list[float | None], opened: int, last: int) -> list[int]:
    """Read the times of messages: seconds since 1970, with microseconds."""
    if times and None not in times:
        known = cast("list[float]", times)
        if min(known) > _SECONDS and max(known) < _MILLISECONDS:
            return [int(time * 1e6 + 0.5) * 1000 for time in known]
    moments = []
    for time in times:
        if time is not None and time > 0:
            last = _moment(time, opened)
        moments.append(last)
    return moments


_SECONDS, _MILLISECONDS = 1e8, 1e11
"""Below: seconds since the socket opened. Above: milliseconds, as of the year 5138."""


def _moment(time: float, opened: int) -> int:
    if time < _SECONDS:
        return opened + int(time * 1e6) * 1000
    seconds = time / 1000 if time > _MILLISECONDS else time
    return min(int(seconds * 1e6 + 0.5) * 1000, _FOREVER - 1)
