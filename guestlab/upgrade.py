"""Opening a WebSocket: TCP, TLS and the upgrade, with the work done while the answer is on its way.

`websockets` makes everything before it asks, and reads an answer line by line. Here the request is written
first; what it costs to record it and to make ready for frames is hidden behind the wire, and the one answer
that nearly always comes, a 101 with nothing negotiated, is checked at a glance. Every other answer is the
library's to judge, byte for byte; so is the whole way where the environment names a proxy, or where an
answer redirects.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from base64 import b64encode
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any
from urllib.request import getproxies

from websockets.asyncio.client import connect
from websockets.client import ClientProtocol
from websockets.exceptions import InvalidStatus
from websockets.protocol import State
from websockets.uri import parse_uri
from websockets.utils import accept_key

from guestlab.connection import LARGEST, Connection
from guestlab.http import QUIET
from guestlab.regions import is_loopback_host

if TYPE_CHECKING:
    import ssl

    from websockets.uri import WebSocketURI

    from guestlab.connection import Watch

__all__ = ["dial"]

PING_INTERVAL = 15.0
"""Seconds between WebSocket pings, as the official mobile SDK does (level: official)."""

OPEN_TIMEOUT = 30.0
"""Seconds for TCP, TLS and upgrade together, as the official mobile SDK allows (level: official)."""

_CLOSE_TIMEOUT = 2.0
_USER_AGENT = "guestlab"
_END_OF_HEAD = b"\r\n\r\n"
_LARGEST_HEAD = 2**14
"""Bytes of an answer without an end from which on the library decides."""
_PLAIN_HEAD = re.compile(rb"HTTP/1\.1 101 [\t -~\x80-\xff]*\r\n(?:[A-Za-z0-9-]+: [\t -~\x80-\xff]*\r\n)+\r\n")
_NEGOTIATED = (b"sec-websocket-extensions", b"sec-websocket-protocol")
_REDIRECTS = frozenset({300, 301, 302, 303, 307, 308})


async def dial(
    url: str, *, origin: str | None, context: ssl.SSLContext | None, watch: Watch, pings: bool
) -> tuple[Connection, bytes]:
    """Open a WebSocket; return it with the head of the answer that accepted it.

    Args:
        url: A ws:// or wss:// URL.
        origin: The `Origin` header, if any.
        context: For a wss:// URL.
        watch: Is told of the upgrade.
        pings: Whether to send WebSocket pings.

    Raises:
        InvalidURI: The URL is none.
        InvalidStatus: The server refused.
        InvalidHandshake: The answer is no upgrade, or no HTTP.
        InvalidProxy: The environment's proxy cannot be used.
        OSError: DNS, TCP, TLS; a `TimeoutError` when no answer came in time.
    """
    target = _target(url)
    options: dict[str, Any] = {
        "ping_interval": PING_INTERVAL if pings else None,
        "ping_timeout": PING_INTERVAL,
        "close_timeout": _CLOSE_TIMEOUT,
    }
    if target.is_plain and (target.host is not None or not getproxies()):
        try:
            return await _dialled(target, origin, context, watch, options)
        except InvalidStatus as refusal:
            if refusal.response.status_code not in _REDIRECTS:
                raise
    return await _by_the_library(url, origin, context, watch, options | target.route)


@dataclass(frozen=True, slots=True)
class _Target:
    """A URL, taken apart once.

    Attributes:
        uri: What the library makes of it.
        host: The address to dial, for a loopback name; None where DNS and the environment decide.
        head: The request but for its key and its origin.
        is_plain: Whether `head` is all there is to say.
    """

    uri: WebSocketURI
    host: str | None
    head: str
    is_plain: bool

    @property
    def route(self) -> dict[str, Any]:
        """Past any proxy to a loopback name, which not every resolver knows."""
        return {} if self.host is None else {"proxy": None, "host": self.host}


@lru_cache(maxsize=64)
def _target(url: str) -> _Target:
    uri = parse_uri(url)
    host = None
    if is_loopback_host(uri.host):
        host = uri.host if ":" in uri.host else "127.0.0.1"
    name = f"[{uri.host}]" if ":" in uri.host else uri.host
    if uri.port != (443 if uri.secure else 80):
        name = f"{name}:{uri.port}"
    head = (
        f"GET {uri.resource_name} HTTP/1.1\r\nHost: {name}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nUser-Agent: {_USER_AGENT}\r\n"
    )
    is_plain = uri.user_info is None and head.isascii() and head.count(" ") == _SPACES
    return _Target(uri, host, head, is_plain)


_SPACES = 7
"""In a head none of whose parts has a space of its own."""


# -- straight to the server -------------------------------------------------------------------------------


async def _dialled(
    target: _Target,
    origin: str | None,
    context: ssl.SSLContext | None,
    watch: Watch,
    options: dict[str, Any],
) -> tuple[Connection, bytes]:
    uri, transport = target.uri, None
    try:
        async with asyncio.timeout(OPEN_TIMEOUT):
            transport, caller = await asyncio.get_running_loop().create_connection(
                partial(_Caller, uri, watch, options),
                target.host or uri.host,
                uri.port,
                ssl=context,
                server_hostname=uri.host if context is not None else None,
            )
            caller.ask(target.head, origin)
            connection = await caller.answered
            await connection.judged()
    except BaseException as error:
        if transport is not None:
            transport.abort()
        if isinstance(error, TimeoutError):
            raise TimeoutError("timed out during opening handshake") from None
        raise
    connection.start_keepalive()
    return connection, caller.head


class _Caller(asyncio.Protocol):
    """Holds the line until the answer has come, then hands it to a `Connection`."""

    def __init__(self, uri: WebSocketURI, watch: Watch, options: dict[str, Any]) -> None:
        self.answered: asyncio.Future[Connection] = asyncio.get_running_loop().create_future()
        """The connection that has the line, its answer good or bad."""
        self.head = b""
        """The answer: its head, where it accepts."""
        self._uri, self._watch, self._options = uri, watch, options
        self._key = b64encode(secrets.token_bytes(16)).decode()
        self._open: Connection | None = None
        self._transport: Any = None

    def ask(self, head: str, origin: str | None) -> None:
        """Write the request; make ready while it is on its way."""
        if origin is not None:
            head = f"{head}Origin: {origin}\r\n"
        request = f"{head}Sec-WebSocket-Key: {self._key}\r\n\r\n".encode()
        self._transport.write(request)
        self._watch.asked(request)
        if not self.answered.done():  # a subscriber may have let the loop go round
            self._open = self._connection(State.OPEN)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the line; called by the event loop."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Take some of the answer; called by the event loop."""
        so_far = self.head + data
        end = so_far.find(_END_OF_HEAD) + len(_END_OF_HEAD)
        if end < len(_END_OF_HEAD):
            self.head = so_far
            if len(so_far) > _LARGEST_HEAD:
                self._leave_to_the_library()
        elif _accepts(so_far[:end], accept_key(self._key).encode()):
            self.head = so_far[:end]
            self._hand_to(self._open or self._connection(State.OPEN)).opened(so_far[end:])
        else:
            self.head = so_far
            self._leave_to_the_library()

    def eof_received(self) -> None:
        """Take the end of the answer; called by the event loop."""
        self._leave_to_the_library().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """Take the end of the line; called by the event loop."""
        self._leave_to_the_library().connection_lost(exc)

    def _leave_to_the_library(self) -> Connection:
        connection = self._hand_to(self._connection(State.CONNECTING))
        connection.protocol.key = self._key
        if self.head:
            connection.data_received(self.head)
        return connection

    def _connection(self, state: State) -> Connection:
        protocol = ClientProtocol(self._uri, state=state, max_size=LARGEST, logger=QUIET)
        return Connection(protocol, watch=self._watch, **self._options)

    def _hand_to(self, connection: Connection) -> Connection:
        self._transport.set_protocol(connection)
        connection.connection_made(self._transport)
        if not self.answered.done():  # it is, when nobody waits any more
            self.answered.set_result(connection)
        return connection


def _accepts(head: bytes, key: bytes) -> bool:
    """Tell whether an answer says what RFC 6455, section 4.1 asks for, and nothing else that matters."""
    if _PLAIN_HEAD.fullmatch(head) is None:
        return False
    lines = [line.partition(b": ") for line in head.split(b"\r\n")[1:-2]]
    fields = {name.lower(): value for name, _, value in lines}
    return (
        len(fields) == len(lines)
        and fields.get(b"upgrade", b"").lower() == b"websocket"
        and fields.get(b"connection", b"").lower() == b"upgrade"
        and fields.get(b"sec-websocket-accept") == key
        and fields.keys().isdisjoint(_NEGOTIATED)
    )


# -- by the library ---------------------------------------------------------------------------------------


async def _by_the_library(
    url: str, origin: str | None, context: ssl.SSLContext | None, watch: Watch, options: dict[str, Any]
) -> tuple[Connection, bytes]:
    connection = await connect(
        url,
        origin=origin,  # type: ignore[arg-type] # a NewType of str
        ssl=context,
        compression=None,
        open_timeout=OPEN_TIMEOUT,
        user_agent_header=_USER_AGENT,
        max_size=LARGEST,
        logger=QUIET,
        create_connection=partial(Connection, watch=watch),  # type: ignore[arg-type] # as good as a type
        **options,
    )
    assert isinstance(connection, Connection)
    assert connection.response is not None
    return connection, connection.response.serialize()
