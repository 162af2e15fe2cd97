"""A WebSocket connection on which the commonest frame takes a short way: one text, whole, well formed.

`websockets` spends half of a frame's cost on generality: a parser that can stop at every byte, a queue, a
wake-up. Here what arrives is cut into frames, for which two bytes and a length are enough, and a text goes
straight to the reader. Everything else is the library's, byte for byte: the upgrade, fragments, bytes,
broken UTF-8, what breaks the protocol, pings, pongs and the close. So is what comes before somebody reads,
or while something is in the library's queue: order stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from websockets.asyncio.client import ClientConnection
from websockets.frames import Frame, Opcode
from websockets.protocol import State

if TYPE_CHECKING:
    from collections.abc import Callable

    from websockets.datastructures import HeadersLike
    from websockets.http11 import Response
    from websockets.protocol import Event

__all__ = ["LARGEST", "Connection", "Watch"]

LARGEST = 2**22
"""The most bytes of a frame; the library is told too, and closes with 1009 on more."""

# RFC 6455, section 5.2. First byte: FIN, no extension, opcode 1. Second byte: the length, or how many bytes
# it takes; above 127 the frame is masked, which a server's must not be.
_WHOLE_TEXT = 0x81
_LENGTH_FOLLOWS = 126
_WIDTHS = {126: 2, 127: 8}

_END_OF_HEAD = b"\r\n\r\n"


class Watch(Protocol):
    """Is told of an upgrade as it crosses the wire."""

    def asked(self, head: bytes) -> object:
        """Take a request that was written just now; its answer is on the way."""

    def refused(self, response: Response) -> object:
        """Take an answer that opens no socket."""


class Connection(ClientConnection):
    """What `websockets` makes with `connect(…, create_connection=Connection, compression=None)`.

    Args:
        arguments: The library's.
        watch: Is told of the upgrade.
        options: The library's.
    """

    reader: Callable[[str], None] | None = None
    """Is handed each whole text, and returns at once. What it raises cuts the link."""

    failure: Exception | None = None
    """What it raised."""

    queued = 0
    """Messages in the library's queue, or on their way into it; who takes one out counts it down."""

    _answer = b""  # the last bytes of an answer to the upgrade that has not come whole
    _arrived: bytearray | None = None  # what is not handed on yet, while it is us who cut
    _cutting = False

    def __init__(self, *arguments: Any, watch: Watch | None = None, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._watch = watch

    async def handshake(
        self, additional_headers: HeadersLike | None = None, user_agent_header: str | None = None
    ) -> None:
        """Ask for the upgrade and wait for the answer; called by the library, as its own would be."""
        self.request = request = self.protocol.connect()
        if additional_headers is not None:
            request.headers.update(additional_headers)
        if user_agent_header is not None:
            request.headers.setdefault("User-Agent", user_agent_header)
        self.protocol.send_request(request)
        self.send_data()
        if self._watch is not None:
            self._watch.asked(request.serialize())
        await self.judged()

    async def judged(self) -> None:
        """Wait until the answer to the upgrade is known to be good.

        Raises:
            InvalidHandshake: It is not.
        """
        await self.response_rcvd
        if self.protocol.handshake_exc is not None:
            if self.response is not None and self._watch is not None:
                self._watch.refused(self.response)
            raise self.protocol.handshake_exc

    def opened(self, data: bytes) -> None:
        """Take what came behind an answer that was found good elsewhere."""
        self._arrived = bytearray()
        self.response_rcvd.set_result(None)
        if data:
            self.data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Take the end of the link; called by the event loop."""
        super().connection_lost(exc)
        if not self.response_rcvd.done():
            self.response_rcvd.set_result(None)

    def post(self, text: str) -> None:
        """Write a text as one frame; nothing, where the link is over."""
        if self.protocol.state is State.OPEN and not self.transport.is_closing():
            self.protocol.send_text(text.encode())
            try:
                self.send_data()
            except OSError:
                self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Take what arrives; called by the event loop."""
        if self._arrived is None:
            if not self.response_rcvd.done():
                data = self._upgraded(data)
            if self._arrived is None:
                if data:
                    super().data_received(data)
                return
        self._arrived += data
        if self._cutting:
            return  # a reader lets the loop go round: what comes meanwhile waits until it returns
        self._cutting = True
        try:
            self._cut(self._arrived)
        except Exception as failure:  # noqa: BLE001 - for whoever waits for the end, not for the event loop
            self.failure, self.reader = failure, None
            self.transport.abort()
        finally:
            self._cutting = False

    def eof_received(self) -> None:
        """Take the end; called by the event loop."""
        if not self._cutting:
            self._let_go(0)
        super().eof_received()

    def process_event(self, event: Event) -> None:
        """Take what the library has read; called by the library."""
        if type(event) is not Frame:
            super().process_event(event)  # the answer to the upgrade
            return
        if event.opcode is Opcode.TEXT or event.opcode is Opcode.BINARY:
            self.queued += 1
        super(ClientConnection, self).process_event(event)

    def _upgraded(self, data: bytes) -> bytes:
        """Give the library the head of the answer, cut from then on if it accepts; return what is left."""
        so_far = self._answer + data
        end = so_far.find(_END_OF_HEAD)
        if end < 0:
            self._answer = so_far[1 - len(_END_OF_HEAD) :]
            return data
        end += len(_END_OF_HEAD) - len(self._answer)
        self._answer = b""
        super().data_received(data[:end])
        if self.protocol.state is State.OPEN:
            self._arrived = bytearray()
        return data[end:]

    def _cut(self, arrived: bytearray) -> None:
        """Hand on every frame that has come whole."""
        start = 0
        while len(arrived) - start >= 2:
            length, body = arrived[start + 1], start + 2
            if length >= _LENGTH_FOLLOWS:
                width = _WIDTHS.get(length)
                if width is None:
                    self._let_go(start)
                    return
                body += width
                if len(arrived) < body:
                    break
                length = int.from_bytes(arrived[body - width : body], "big")
                if length > LARGEST:
                    self._let_go(start)
                    return
            end = body + length
            if len(arrived) < end:
                break
            if arrived[start] == _WHOLE_TEXT and not self.queued and self.reader is not None:
                try:
                    text = arrived[body:end].decode()
                except UnicodeDecodeError:
                    super().data_received(bytes(arrived[start:end]))  # closes with 1007
                else:
                    self.reader(text)
            else:
                super().data_received(bytes(arrived[start:end]))
                if self.protocol.state is not State.OPEN:
                    self._let_go(end)
                    return
            start = end
        del arrived[:start]

    def _let_go(self, start: int) -> None:
        """Leave the rest to the library, and all that comes: the link is at its end, or out of order."""
        arrived, self._arrived = self._arrived, None
        if arrived is not None and len(arrived) > start:
            super().data_received(bytes(arrived[start:]))
