"""One WebSocket connection to the guest socket: dialled, recorded, closed.

Knows HTTP upgrades and close codes, not the guest protocol: `session.py` gives it texts and takes texts.
The upgrade and every frame are recorded here or by the session, in wire order.
"""

from __future__ import annotations

import contextlib
import socket
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from websockets.asyncio.client import connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidMessage,
    InvalidProxy,
    InvalidStatus,
    InvalidURI,
)
from websockets.protocol import State

from guestlab.connection import LARGEST, Connection
from guestlab.errors import HandshakeError, InputError, NetworkError
from guestlab.handshake.diagnosis import diagnose
from guestlab.handshake.evidence import Evidence
from guestlab.http import dns_reason, tls_context
from guestlab.protocol.frames import describe_close
from guestlab.regions import is_loopback_host

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from websockets.http11 import Request, Response

    from guestlab.log import Log

__all__ = ["Link"]

PING_INTERVAL = 15.0
"""Seconds between WebSocket pings, as the official mobile SDK does (level: official)."""

OPEN_TIMEOUT = 30.0
"""Seconds for TCP, TLS and upgrade together, as the official mobile SDK allows (level: official)."""


class Link:
    """A connection that is open from `open()` until `close()` or the server's end."""

    def __init__(self, connection: Connection, log: Log, session: str, stage: str = "session") -> None:
        self._connection = connection
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
        """
        started = time.monotonic_ns()
        fields: dict[str, Any] = {"stage": stage, "session": session, "step": "upgrade", "url": url}
        context = tls_context(ca_file) if url.startswith("wss:") else None
        log.record("lifecycle", **fields, note="connecting")
        try:
            connection = await connect(
                url,
                origin=origin,  # type: ignore[arg-type] # a NewType of str
                ssl=context,
                compression=None,
                ping_interval=PING_INTERVAL if pings else None,
                ping_timeout=PING_INTERVAL,
                open_timeout=OPEN_TIMEOUT,
                close_timeout=2.0,
                user_agent_header="guestlab",
                max_size=LARGEST,
                create_connection=Connection,
                **_route(url),
            )
        except InvalidStatus as refusal:
            _record_upgrade(log, fields, None, refusal.response, started)
            raise _refused(url, origin, refusal.response, log) from None
        except (InvalidURI, ValueError) as error:
            raise InputError(
                log.redact(f"{url!r} cannot be opened as a WebSocket."),
                why=log.redact(f"It is no ws:// or wss:// URL: {error}."),
                next_step="Use the form wss://webmessaging.{region}/v1?deploymentId={deployment id}.",
            ) from None
        except (OSError, InvalidHandshake, InvalidProxy) as error:
            log.record(
                "response", lane="http", direction="received", ok=False, **fields, note=f"No answer: {error}"
            )
            raise _unreachable(url, error, log) from None
        _record_upgrade(log, fields, connection.request, connection.response, started)
        assert isinstance(connection, Connection)
        return cls(connection, log, session, stage)

    async def send(self, text: str) -> None:
        """Write one text frame; a lost link shows in `read()`, not here."""
        with contextlib.suppress(ConnectionClosed):
            await self._connection.send(text)

    async def read(self, receive: Callable[[str | bytes], None]) -> None:
        """Hand over each message as it comes, until the connection is over.

        Args:
            receive: Takes a message, and returns at once. What it raises cuts the link and is raised here.
        """
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
        await self._connection.close()

    def abort(self) -> None:
        """Cut it without a close frame."""
        self._connection.transport.abort()


def _route(url: str) -> dict[str, Any]:
    """Dial loopback names as 127.0.0.1 and past any proxy; leave the rest to the environment."""
    host = urlsplit(url).hostname or ""
    if not is_loopback_host(host):
        return {}
    return {"proxy": None, "host": host if ":" in host else "127.0.0.1"}


def _record_upgrade(
    log: Log, fields: dict[str, Any], request: Request | None, response: Response | None, started: int
) -> None:
    sent = log.record(
        "request",
        lane="http",
        direction="sent",
        method="GET",
        **fields,
        raw=_bytes(request.serialize()) if request else None,
    )
    if response is None:
        return
    log.record(
        "response",
        lane="http",
        direction="received",
        method="GET",
        exchange=sent.seq,
        http_status=response.status_code,
        latency_ms=(time.monotonic_ns() - started) / 1e6,
        size=len(response.body or b""),
        ok=response.status_code == 101,
        raw=_bytes(response.serialize()),
        **fields,
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
        why = dns_reason(error)
        next_step = "Check the region and this machine's network; gl.REGIONS lists every domain."
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
