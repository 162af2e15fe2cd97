"""One WebSocket connection to the guest socket: dialled, recorded, closed.

Knows HTTP upgrades and close codes, not the guest protocol: `session.py` gives it texts and takes texts.
The upgrade and every frame are recorded here or by the session, in wire order.
"""

from __future__ import annotations

import socket
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidMessage,
    InvalidProxy,
    InvalidStatus,
    InvalidURI,
)
from websockets.protocol import State

from guestlab.errors import HandshakeError, InputError, NetworkError
from guestlab.handshake.diagnosis import diagnose
from guestlab.handshake.evidence import Evidence
from guestlab.handshake.rules_network import NAME_IS_RIGHT
from guestlab.http import dns_reason, is_known_host, tls_context
from guestlab.protocol.frames import describe_close
from guestlab.upgrade import dial

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from websockets.http11 import Response

    from guestlab.connection import Connection
    from guestlab.log import Log

__all__ = ["Link"]


class Link:
    """A connection that is open from `open()` until `close()` or the server's end."""

    def __init__(
        self,
        connection: Connection,
        log: Log,
        session: str,
        stage: str = "session",
        unrecorded: Callable[[], object] | None = None,
    ) -> None:
        self._connection = connection
        self._unrecorded = unrecorded
        self._log = log
        self._session = session
        self._stage = stage

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        origin: str | None,
        ca_file: Path | None,
        log: Log,
        session: str,
        stage: str = "session",
        pings: bool = True,
    ) -> Link:
        """Dial and upgrade, both recorded.

        Args:
            url: A ws:// or wss:// URL.
            origin: The `Origin` header, if any.
            ca_file: PEM file of authorities to trust beside the system's.
            log: Where it is recorded.
            session: Name of the session or channel, for the log.
            stage: The lab's stage, for the log.
            pings: Whether to send WebSocket pings.

        Raises:
            HandshakeError: The server refused the upgrade; names the findings.
            NetworkError: DNS, TCP, TLS, or an answer that is no HTTP.
            InputError: The URL or the origin cannot be used.
        """
        if origin is not None and not (origin.isascii() and origin.isprintable()):
            raise InputError(
                log.redact(f"The origin {origin!r} cannot be sent."),
                why="A header's value is one line of ASCII.",
                next_step="Use scheme, host and port: https://www.example.com.",
            )
        fields: dict[str, Any] = {"stage": stage, "session": session, "step": "upgrade", "url": url}
        context = tls_context(ca_file) if url.startswith("wss:") else None
        log.record("lifecycle", **fields, note="connecting")
        upgrade = _Upgrade(log, fields)
        try:
            connection, head = await dial(url, origin=origin, context=context, watch=upgrade, pings=pings)
        except InvalidStatus as refusal:
            raise _refused(url, origin, refusal.response, log) from None
        except (InvalidURI, ValueError) as error:
            raise InputError(
                log.redact(f"{url!r} cannot be opened as a WebSocket."),
                why=log.redact(f"It is no ws:// or wss:// URL: {error}."),
                next_step="Use the form wss://webmessaging.{region}/v1?deploymentId={deployment id}.",
            ) from None
        except (OSError, InvalidHandshake, InvalidProxy) as error:
            upgrade.failed(error)
            raise _unreachable(url, error, log) from None
        accepted = partial(upgrade.accepted, head, time.time_ns(), time.monotonic_ns())
        return cls(connection, log, session, stage, unrecorded=accepted)

    def write(self, text: str) -> None:
        """Write one text frame at once; a lost link shows in `read()`, not here.

        Record it right afterwards, before anything is awaited: its answer cannot be read before, and the
        time that takes is the wire's.
        """
        self._connection.post(text)
        self.catch_up()

    async def drained(self) -> None:
        """Wait until there is room to write more."""
        if self._connection.paused:
            await self._connection.drain()

    def catch_up(self) -> None:
        """Record the answer to the upgrade, if it waits for the first frame to leave before it."""
        unrecorded, self._unrecorded = self._unrecorded, None
        if unrecorded is not None:
            unrecorded()

    async def read(self, receive: Callable[[str | bytes], None]) -> None:
        """Hand over each message as it comes, until the connection is over.

        Args:
            receive: Takes a message, and returns at once. What it raises cuts the link and is raised here.
        """
        self.catch_up()
        connection = self._connection
        connection.reader = receive
        try:
            while True:
                message = await connection.recv()
                connection.queued -= 1
                receive(message)
        except ConnectionClosed:
            if connection.failure is not None:
                raise connection.failure from None
        finally:
            connection.reader = None

    @property
    def close_code(self) -> int:
        """The code the connection ended with (lane close); 1006 when it was cut."""
        return self._connection.close_code or 1006

    @property
    def closed(self) -> bool:
        """Whether the connection is over."""
        return self._connection.state is State.CLOSED

    def record_close(self) -> None:
        """Record how it ended."""
        self.catch_up()
        self._log.record(
            "close",
            stage=self._stage,
            session=self._session,
            lane="close",
            direction="received" if self._connection.protocol.close_rcvd else None,
            close_code=self.close_code,
            note=describe_close(self.close_code),
        )

    async def close(self) -> None:
        """Close with 1000."""
        self.catch_up()
        await self._connection.close()

    def abort(self) -> None:
        """Cut it without a close frame."""
        self.catch_up()
        self._connection.transport.abort()


class _Upgrade:
    """Records an upgrade as it crosses the wire; one that is redirected is several."""

    def __init__(self, log: Log, fields: dict[str, Any]) -> None:
        self._log, self._fields = log, fields
        self._started = time.monotonic_ns()
        self._sent: int | None = None
        self._is_answered = False

    def asked(self, head: bytes) -> None:
        """Record a request; it is on its way."""
        entry = self._log.record(
            "request", lane="http", direction="sent", method="GET", **self._fields, raw=head
        )
        self._sent, self._is_answered = entry.seq, False

    def accepted(self, head: bytes, at_ns: int, monotonic_ns: int) -> None:
        """Record the answer that opens the socket, later than it came."""
        self._answered(101, head, at_ns, monotonic_ns)

    def refused(self, response: Response) -> None:
        """Record an answer that does not."""
        now = time.time_ns(), time.monotonic_ns()
        self._answered(response.status_code, response.serialize(), *now, body=bytes(response.body or b""))

    def _answered(
        self, status: int, raw: bytes, at_ns: int, monotonic_ns: int, body: bytes | None = None
    ) -> None:
        self._is_answered = True
        self._log.record(
            "response",
            lane="http",
            direction="received",
            at_ns=at_ns,
            monotonic_ns=monotonic_ns,
            method="GET",
            exchange=self._sent,
            http_status=status,
            latency_ms=(monotonic_ns - self._started) / 1e6,
            size=len(body or b""),
            ok=body is None,
            raw=raw,
            **self._fields,
        )

    def failed(self, error: Exception) -> None:
        """Record that no answer came."""
        if not self._is_answered:
            self._log.record(
                "response",
                lane="http",
                direction="received",
                exchange=self._sent,
                ok=False,
                **self._fields,
                note=f"No answer: {error}",
            )


def _bytes(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")


def _refused(url: str, origin: str | None, response: Response, log: Log) -> HandshakeError:
    diagnosis = diagnose(
        Evidence.of(
            url=log.redact(url),
            method="GET",
            headers=(("Origin", origin),) if origin is not None else (),
            token_kind="none",  # noqa: S106 - a kind, not a secret
            http_status=response.status_code,
            response_headers=tuple(response.headers.raw_items()),
            body=log.redact(_bytes(bytes(response.body or b""))),
        )
    )
    top = diagnosis.findings[0]
    return HandshakeError(
        f"The server refused the upgrade: HTTP {response.status_code} (lane http).",
        why=top.why,
        next_step=top.next_step,
        evidence=top.evidence,
        http_status=response.status_code,
        findings=tuple(finding.rule for finding in diagnosis.findings),
    )


def _unreachable(url: str, error: Exception, log: Log) -> NetworkError:
    host = url.partition("://")[2].partition("/")[0]
    if isinstance(error, InvalidMessage):
        why, next_step = "What answered there does not speak HTTP.", "Check host and port."
    elif "CERTIFICATE_VERIFY_FAILED" in str(error):
        why = "The server's TLS certificate is not signed by an authority trusted here."
        next_step = "Behind an intercepting company proxy, give its CA: Region(..., tls='ca.pem')."
    elif isinstance(error, socket.gaierror):
        why = dns_reason(error, host)
        anywhere = "Check the region and this machine's network; gl.REGIONS lists every domain."
        next_step = NAME_IS_RIGHT if is_known_host(host) else anywhere
    elif isinstance(error, TimeoutError):
        why, next_step = "No answer came in time.", "Look at proxies and firewalls, then try again."
    else:
        why = "Nothing usable accepts connections there."
        next_step = "Check region, host and port, and whether the server still runs."
    return NetworkError(
        f"The guest socket at {host} could not be reached.",
        why=why,
        next_step=next_step,
        evidence=(log.redact(f"{type(error).__name__}: {error}"),),
    )
