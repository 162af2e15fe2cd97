"""uvicorn's two protocol classes, with the few corrections the sandbox's promises need.

- A refused upgrade carries exactly the status, headers and body the gateway says: no invented content
  type on an empty body, and no error in the log about an application that "did not complete".
- Frames that came in one packet with the upgrade are not lost.
- A request that only looks like an upgrade is answered, not dropped with a traceback.
- Shutting down says 1001 ("going away"), as the cloud does, not 1012.
- A link can be cut after a given number of sent bytes, for the faults.
- A request must come whole within `SLOWEST_REQUEST` seconds: who dribbles it holds no connection for ever.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.datastructures import Headers
from websockets.http11 import Response
from websockets.protocol import State

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

__all__ = ["LARGEST_FRAME", "SLOWEST_REQUEST", "HttpWire", "SocketWire"]

GOING_AWAY = 1001

SLOWEST_REQUEST = 30.0
"""Seconds from a connection, or from a request's first byte, to its last; then it is cut."""

LARGEST_FRAME = 2**20
"""Bytes of a client's message; a larger one closes its socket with 1009. The cloud's own is not known."""

# A server that is shown rubbish on purpose all day long warns about none of it; its own failures it tells.
_LOGGER = logging.getLogger("guestlab.sandbox")
_LOGGER.setLevel(logging.ERROR)


class SocketWire(WebSocketsSansIOProtocol):
    """One WebSocket, below the application. Reached as `scope["guestlab.wire"]`."""

    written = 0
    """Bytes written since the upgrade was accepted or refused."""
    _write: Callable[[Any], None]
    _cut_at: int | None = None
    _refusal: tuple[int, Headers, bytes] | None = None

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.logger = self.conn.logger = _LOGGER
        self.conn.debug = False  # it would tell every upgrade as it came, with what people put into it

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport behind a write that counts."""
        super().connection_made(transport)
        self._write = self.transport.write
        self.transport = cast("asyncio.Transport", _Counted(self.transport, self))

    @property
    def will_be_cut(self) -> bool:
        """Whether a cut is set already."""
        return self._cut_at is not None

    def cut_after(self, count: int) -> None:
        """Break the link, without a close frame, once so many more bytes have been sent."""
        self._cut_at = self.written + count
        if count <= 0:
            self.abort()

    def abort(self) -> None:
        """Break the link now."""
        self.transport.abort()

    def write_counted(self, data: bytes) -> None:
        """Write, up to the byte at which the link breaks."""
        if self._cut_at is not None and self.written + len(data) >= self._cut_at:
            kept = data[: self._cut_at - self.written]
            self.written += len(kept)
            self._write(kept)
            # Let the kernel have the bytes before the link goes: abort() alone would drop our buffer.
            self.loop.call_soon(self._abort_when_flushed, 0)
            self._write = _nowhere
            return
        self.written += len(data)
        self._write(data)

    def _abort_when_flushed(self, tries: int) -> None:
        if self.transport.get_write_buffer_size() and tries < 200:
            self.loop.call_later(0.005, self._abort_when_flushed, tries + 1)
            return
        self.transport.abort()

    def handle_connect(self, event: Any) -> None:
        """Offer this object to the application."""
        super().handle_connect(event)
        if self.response.status_code == 101:
            self.scope["guestlab.wire"] = self  # type: ignore[typeddict-unknown-key]

    def data_received(self, data: bytes) -> None:
        """Read; a malformed opening handshake is answered too, which uvicorn leaves open."""
        try:
            super().data_received(data)
        except Exception:  # noqa: BLE001 - one connection's rubbish must not reach the loop's error log
            self.transport.abort()
            return
        if self.handshake_initiated or self.conn.handshake_exc is None:
            return
        answer = b"".join(self.conn.data_to_send())  # 414 and 431 come from websockets
        if not answer:
            headers = Headers({"Connection": "close", "Content-Length": "0"})
            answer = Response(400, "Bad Request", headers, b"").serialize()
        self.handshake_initiated = self.handshake_complete = self.close_sent = True
        self.transport.write(answer)
        self.transport.close()

    async def send(self, message: Any) -> None:
        """Write a refusal byte for byte as asked; everything else is uvicorn's."""
        if message["type"] == "websocket.http.response.start" and self._refusal is None:
            pairs = [(k.decode("latin-1").title(), v.decode("latin-1")) for k, v in message["headers"]]
            headers = Headers(pairs)
            self._refusal = (message["status"], headers, b"")
            return
        if message["type"] == "websocket.http.response.body" and self._refusal is not None:
            self._refuse(message.get("body", b""))
            return
        await super().send(message)

    def _refuse(self, body: bytes) -> None:
        if self.transport.is_closing() or self._refusal is None:
            raise ClientDisconnected
        status, headers, _ = self._refusal
        headers.setdefault("Connection", "close")
        headers.setdefault("Content-Length", str(len(body)))
        self.transport.write(Response(status, _phrase(status), headers, body).serialize())
        self.handshake_complete = True
        self.close_sent = True
        self.transport.close()

    def shutdown(self) -> None:
        """Say that the server is going away."""
        if self.handshake_complete and not self.close_sent and self.conn.state is State.OPEN:
            self.queue.put_nowait({"type": "websocket.disconnect", "code": GOING_AWAY})
            self.conn.send_close(GOING_AWAY)
            self.transport.write(b"".join(self.conn.data_to_send()))
        self.transport.close()


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _nowhere(_: Any) -> None:
    return None


class _Counted:
    """A transport whose writes are counted; everything else is the transport's own."""

    def __init__(self, transport: asyncio.Transport, wire: SocketWire) -> None:
        self._transport = transport
        self.write = wire.write_counted

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


_COMING = frozenset({h11.IDLE, h11.SEND_BODY})
"""The client's side of a request that is not whole."""


class HttpWire(H11Protocol):
    """One HTTP connection; hands genuine upgrades to `SocketWire`."""

    _deadline: asyncio.TimerHandle | None = None

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.logger = _LOGGER

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for a request."""
        super().connection_made(transport)  # type: ignore[arg-type]
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Read, and look whether the request is whole."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._unwatch()
        super().connection_lost(exc)

    def _watch(self) -> None:
        if self.transport.get_protocol() is not self or self.conn.their_state not in _COMING:
            self._unwatch()
        elif self._deadline is None and not self.transport.is_closing():
            self._deadline = self.loop.call_later(SLOWEST_REQUEST, self._give_up)

    def _unwatch(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        self.transport.abort()

    def _should_upgrade(self) -> bool:
        # RFC 6455 section 4.1: the opening handshake is a GET of HTTP/1.1 or later.
        genuine = self.scope["method"] == "GET" and self.scope["http_version"] == "1.1"
        return genuine and self._get_upgrade() == b"websocket"

    def handle_websocket_upgrade(self, event: Any) -> None:
        """Upgrade, and pass on what the client sent without waiting for the answer."""
        # The official Java SDK's GET says "Content-Length: 0", which older websockets take for a body.
        self.headers = [pair for pair in self.headers if pair != (b"content-length", b"0")]
        super().handle_websocket_upgrade(event)
        early, _ = self.conn.trailing_data
        if early:
            protocol = self.transport.get_protocol()
            cast("SocketWire", protocol).data_received(early)

    def send_400_response(self, msg: str) -> None:
        """Refuse what cannot be read; a request still being answered gets no second answer."""
        if self.cycle is not None:
            self.cycle.disconnected = True
        super().send_400_response(msg)

    def handle_events(self) -> None:
        """Never let a malformed request end in a traceback."""
        try:
            super().handle_events()
        except Exception:  # noqa: BLE001 - one connection's rubbish must not reach the loop's error log
            self.transport.abort()
