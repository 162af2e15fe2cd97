"""The server: one daemon thread, one event loop of its own, one or two listening ports.

uvicorn's protocol classes speak HTTP and WebSocket; this room owns the sockets, the thread, starting and
stopping. A plain asyncio loop, never patched and never shared with a notebook's kernel. Its twin on the
other side is the Starlette application in `routes.py`.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import contextlib
import logging
import os
import socket
import threading
import weakref
from typing import TYPE_CHECKING, Any, TypeVar

from uvicorn.config import Config
from uvicorn.server import ServerState

from guestlab.errors import SandboxError
from guestlab.sandbox.wire import LARGEST_FRAME, HttpWire, SocketWire

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

__all__ = ["Server"]

T = TypeVar("T")

_LOGGER = logging.getLogger("guestlab.sandbox")

_GRACE = 1.0
"""Seconds that open connections get to flush their last bytes."""
_TIMEOUT = 30.0


class Server:
    """Serves one ASGI application until closed.

    Args:
        app: The application.
        host: The address to listen on.
        port: The plaintext port; 0 takes a free one.
        tls: The TLS context; None serves plaintext only.
        tls_port: The TLS port; 0 takes a free one.

    Raises:
        SandboxError: A port is taken or the address is not ours.
    """

    def __init__(
        self, app: Any, *, host: str, port: int, tls: ssl.SSLContext | None = None, tls_port: int = 0
    ) -> None:
        sockets = [_bind(host, port)]
        try:
            if tls is not None:
                sockets.append(_bind(host, tls_port))
        except SandboxError:
            sockets[0].close()
            raise
        self.port: int = sockets[0].getsockname()[1]
        self.tls_port: int | None = sockets[1].getsockname()[1] if tls is not None else None
        self._listeners = list(zip(sockets, (None, tls), strict=False))
        self._app = app
        self._state = ServerState()
        self._servers: list[asyncio.Server] = []
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="guestlab-sandbox", daemon=True)
        self._started: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._stop = asyncio.Event()
        self._closing = threading.Lock()
        self._pid = os.getpid()
        self._at_exit = _closer(weakref.ref(self))

    def start(self) -> None:
        """Start serving; returns once both ports answer."""
        self._thread.start()
        self._started.result(_TIMEOUT)
        atexit.register(self._at_exit)

    @property
    def running(self) -> bool:
        """Whether the loop turns."""
        return self._thread.is_alive() and self._pid == os.getpid()

    def call(self, function: Callable[[], T]) -> T:
        """Run a function on the server's loop and return what it returns; from any thread."""
        if threading.current_thread() is self._thread or not self.running:
            return function()
        done: concurrent.futures.Future[T] = concurrent.futures.Future()

        def there() -> None:
            try:
                done.set_result(function())
            except BaseException as error:  # noqa: BLE001 - it is the caller's, and is raised there
                done.set_exception(error)

        self.loop.call_soon_threadsafe(there)
        return done.result(_TIMEOUT)

    def close(self) -> None:
        """Say 1001 on every open socket, stop, and free the ports. Safe to call twice."""
        atexit.unregister(self._at_exit)
        with self._closing:
            if not self.running or threading.current_thread() is self._thread:
                return
            with contextlib.suppress(RuntimeError):  # the loop ended by itself
                self.loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(_TIMEOUT)

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.set_exception_handler(_told)
        try:
            self.loop.run_until_complete(self._serve())
        except BaseException as error:  # noqa: BLE001 - start() raises it
            if not self._started.done():
                self._started.set_exception(error)
        finally:
            with contextlib.suppress(Exception):
                self.loop.run_until_complete(self.loop.shutdown_asyncgens())
            asyncio.set_event_loop(None)
            self.loop.close()
            for listener, _ in self._listeners:
                listener.close()

    async def _serve(self) -> None:
        config = Config(
            self._app,
            http=HttpWire,
            ws=SocketWire,
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            ws_ping_interval=None,  # the guest pings and the cloud answers; it sends none (inferred)
            ws_max_size=LARGEST_FRAME,
            ws_per_message_deflate=False,  # no official client asks for it
            timeout_keep_alive=75,
        )
        config.load()

        def protocol() -> asyncio.Protocol:
            return HttpWire(config=config, server_state=self._state, app_state={}, _loop=self.loop)

        for listener, tls in self._listeners:
            self._servers.append(
                await self.loop.create_server(protocol, sock=listener, ssl=tls, backlog=2048)
            )
        self._started.set_result(None)
        await self._stop.wait()
        await self._shut_down()

    async def _shut_down(self) -> None:
        # asyncio forgets a connection it has accepted but not yet served when its server closes (3.11).
        for listener, _ in self._listeners:
            with contextlib.suppress(NotImplementedError):  # Windows
                self.loop.remove_reader(listener)
        for _ in range(3):
            await asyncio.sleep(0)
        for server in self._servers:
            server.close()
        for connection in list(self._state.connections):
            with contextlib.suppress(Exception):  # one connection's trouble must not keep the others open
                connection.shutdown()
        deadline = self.loop.time() + _GRACE
        while any(map(_unsent, self._state.connections)) and self.loop.time() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        # A TLS peer that is not reading never says goodbye; nobody waits for it.
        await asyncio.sleep(0.02 if self._state.connections else 0)
        for connection in list(self._state.connections):
            connection.transport.abort()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_GRACE)
        await asyncio.sleep(0)  # what was aborted closes its socket on the next turn


def _told(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Tell the sandbox's own failures; a peer that breaks off or speaks no TLS is none."""
    error = context.get("exception")
    if not isinstance(error, OSError | asyncio.CancelledError):  # ssl.SSLError is an OSError
        _LOGGER.error(context.get("message", "the sandbox's loop failed"), exc_info=error)


def _unsent(connection: Any) -> bool:
    return bool(connection.transport.get_write_buffer_size())


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named so that asyncio sees TCP and switches Nagle's delay off.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # elsewhere the option would let two servers share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)  # taken from here on: a second server asking for it is told so
    except OverflowError:
        listener.close()
        raise SandboxError(
            f"The sandbox cannot listen on {host}:{port}.",
            why="There is no such port: they go from 0, which takes a free one, to 65535.",
            next_step="Leave the port out, or give one of these.",
        ) from None
    except OSError as error:
        listener.close()
        raise SandboxError(
            f"The sandbox cannot listen on {host}:{port}.",
            why=f"{error.strerror or error}: another program may have the port.",
            next_step="Leave the port out (0 takes a free one), or stop the program that has it.",
        ) from None
    return listener


def _closer(server: weakref.ref[Server]) -> Callable[[], None]:
    """A hook for the interpreter's exit that does not keep a forgotten server alive."""

    def close() -> None:
        alive = server()
        if alive is not None:
            alive.close()

    return close
