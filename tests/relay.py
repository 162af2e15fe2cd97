"""A TCP relay between client and sandbox that can cut, and swallow one direction: a bad network on demand."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Self

__all__ = ["Relay"]


class Relay:
    """Listens on a port of its own and passes bytes to and from another port of this machine."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.swallow_up = threading.Event()
        """While set, what the client sends does not arrive."""
        self.swallow_down = threading.Event()
        """While set, what the server sends does not arrive."""
        self.passed_up = 0
        """Connections passed on so far."""
        self._lock = threading.Lock()
        self._sockets: set[socket.socket] = set()
        self._refusing = False
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join(5)

    def cut(self) -> None:
        """Cut every connection, without a close frame."""
        with self._lock:
            sockets, self._sockets = self._sockets, set()
        for end in sockets:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def refuse(self, refusing: bool) -> None:
        """Cut new connections at once, or let them through again."""
        self._refusing = refusing

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self._refusing:
                near.close()
                continue
            far = socket.create_connection(("127.0.0.1", self._target))
            with self._lock:
                self._sockets |= {near, far}
                self.passed_up += 1
            for source, sink, swallow in ((near, far, self.swallow_up), (far, near, self.swallow_down)):
                thread = threading.Thread(target=self._pass, args=(source, sink, swallow), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _pass(self, source: socket.socket, sink: socket.socket, swallow: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if not swallow.is_set():
                    sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        with self._lock:
            self._sockets -= {source, sink}
        source.close()
