"""Reaches a host, step by step: dns, tcp, tls; straight, or through the CONNECT of an HTTP or HTTPS proxy.

What an attempt and the preflight have in common. A proxy that refuses is named as the one that did, with
its own status; so is the issuer of a certificate that is not trusted here, because a TLS-intercepting box
betrays itself by it. Loopback needs no resolver, and goes through a proxy only when one is named.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import socket
import ssl
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from guestlab.errors import InputError
from guestlab.handshake.attempt import Step
from guestlab.handshake.certificate import issuer_of
from guestlab.http import dns_reason, environment_proxy, tls_context
from guestlab.regions import is_loopback_host

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from guestlab.log import Log

__all__ = ["STEP_TIMEOUT", "Dial", "Proxy", "StepFailed", "find_proxy", "run_step"]

STEP_TIMEOUT = 10.0
"""Seconds each step may take."""


class StepFailed(Exception):  # noqa: N818 - control flow of one attempt
    """A step did not succeed; the text is its note."""


async def run_step(name: str, step: Callable[[], Awaitable[str]], *, log: Log) -> Step:
    """Run one step and time it. Whatever the network does is its outcome."""
    started = time.monotonic_ns()
    try:
        async with asyncio.timeout(STEP_TIMEOUT):
            note, ok = await step(), True
    except StepFailed as failure:
        note, ok = str(failure), False
    except TimeoutError:
        note, ok = f"no answer within {STEP_TIMEOUT:g} s", False
    except (OSError, EOFError) as error:
        note, ok = _network_note(error), False
    return Step(name=name, ok=ok, duration_ms=(time.monotonic_ns() - started) / 1e6, note=log.redact(note))


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """An HTTP proxy that is asked to CONNECT."""

    host: str
    port: int
    authorization: str = field(default="", repr=False)
    """The `Proxy-Authorization` header's value, or ""."""
    secure: bool = False
    """Whether the proxy itself is spoken to over TLS (https://)."""

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """Its address without credentials."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.secure else 'http'}://{host}:{self.port}"


def find_proxy(
    host: str, *, secure: bool, named: str | None, log: Log, port: int | None = None
) -> Proxy | None:
    """Find the proxy to go through: the one named, or the environment's.

    Args:
        host: Where it goes in the end.
        secure: Whether TLS follows.
        named: `http://[user:password@]host:port`, or https:// where the proxy itself speaks TLS; None looks
            into the environment (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY), "" goes straight.
        log: Learns the proxy's password, so that it is masked everywhere.
        port: Where it goes in the end, for the entries of NO_PROXY that name one.

    Raises:
        InputError: It is no address of an HTTP proxy.
    """
    if named is None:
        named = environment_proxy(host, secure=secure, port=port)
    if not named:
        return None
    try:
        url = urlsplit(named if "//" in named else f"http://{named}")
        where, proxy_port = url.hostname, url.port or (443 if url.scheme == "https" else 80)
    except ValueError:
        url, where, proxy_port = urlsplit(""), None, 0
    if url.scheme not in {"http", "https"} or not where:
        raise InputError(
            "The proxy's address cannot be used.",
            why=_SOCKS if url.scheme.startswith("socks") else _KNOWN_PROXIES,
            next_step='Correct proxy= or HTTPS_PROXY, or pass proxy="" to go straight.',
        )
    tls = url.scheme == "https"
    if url.username is None:
        return Proxy(host=where, port=proxy_port, secure=tls)
    credentials = f"{unquote(url.username)}:{unquote(url.password or '')}"
    encoded = base64.b64encode(credentials.encode()).decode()
    for secret in (unquote(url.password or ""), encoded):
        if secret:
            log.learn(secret)
    return Proxy(host=where, port=proxy_port, authorization=f"Basic {encoded}", secure=tls)


_KNOWN_PROXIES = (
    "Known are HTTP proxies, which are asked to CONNECT: http://[user:password@]host:port, or https:// where "
    "the proxy itself speaks TLS."
)
_SOCKS = "SOCKS proxies are not spoken; HTTP and HTTPS proxies are."


class Dial:
    """The way to one host. Each step returns its note, or raises `StepFailed` or what the network raised."""

    def __init__(
        self, host: str, port: int, *, log: Log, ca_file: Path | None = None, proxy: Proxy | None = None
    ) -> None:
        self.host, self.port, self.ca_file, self.proxy = host, port, ca_file, proxy
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None
        self._log = log
        self._addresses: list[str] = []

    async def dns(self) -> str:
        """Resolve the host, or the proxy that will; loopback names need no resolver."""
        host, port = (self.proxy.host, self.proxy.port) if self.proxy else (self.host, self.port)
        try:
            found = await _resolved(host, port)
        except socket.gaierror as error:
            raise StepFailed(self._unresolved(error)) from None
        self._addresses = found
        if self.proxy:
            return f"the proxy {host} is {', '.join(found[:4])}; it resolves {self.host}"
        if is_loopback_host(host):
            return f"{host} is this machine: {found[0]}"
        return f"{host} is {', '.join(found[:4])}"

    def _unresolved(self, error: socket.gaierror) -> str:
        """Say whose name was not resolved: the proxy's, a known region's, or another's."""
        if self.proxy:
            silent = error.errno == socket.EAI_AGAIN
            why = "the name server did not answer" if silent else "no such name"
            return f"the proxy {self.proxy}: its name {self.proxy.host} was not resolved ({why})"
        return dns_reason(error, self.host)

    async def tcp(self) -> str:
        """Connect to the first address that accepts; through the proxy, to the host behind it."""
        try:
            return await self._connected()
        except OSError as error:
            if self.proxy is None or isinstance(error, TimeoutError):
                raise
            note = _network_note(error)
            raise StepFailed(
                f"the proxy {self.proxy} is not reached: {note}; nothing was sent to {self.host}"
            ) from None

    async def _connected(self) -> str:
        port = self.proxy.port if self.proxy else self.port
        for address in self._addresses[:-1]:
            try:
                return await self._connect(address, port)
            except OSError:
                continue
        return await self._connect(self._addresses[-1], port)

    async def _connect(self, address: str, port: int) -> str:
        self.reader, self.writer = await asyncio.open_connection(address, port)
        if self.proxy is None:
            return f"connected to {address} port {port}"
        if self.proxy.secure:
            await self._tls_to_proxy(self.proxy)
        await self._ask_proxy(self.proxy)
        over = " over TLS" if self.proxy.secure else ""
        return f"connected to the proxy {self.proxy}{over}, and by it to {self.host} port {self.port}"

    async def _tls_to_proxy(self, proxy: Proxy) -> None:
        """Speak TLS with the proxy itself; TLS with the host, if any, goes inside it."""
        assert self.writer is not None
        try:
            await self.writer.start_tls(tls_context(self.ca_file), server_hostname=proxy.host)
        except ssl.SSLCertVerificationError as error:
            raise StepFailed(
                f"the certificate of the proxy {proxy} is not trusted here: {error.verify_message}. "
                f"Give its CA "
                "as ca_file= or SSL_CERT_FILE"
            ) from None
        except ssl.SSLError as error:
            raise StepFailed(f"the proxy {proxy} speaks no TLS: {error.reason}; try http://{proxy}") from None

    async def _ask_proxy(self, proxy: Proxy) -> None:
        """Say CONNECT and read the proxy's own answer to it (RFC 9110 section 9.3.6)."""
        assert self.reader is not None
        assert self.writer is not None
        target = f"{self.host}:{self.port}"
        lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
        if proxy.authorization:
            lines.append(f"Proxy-Authorization: {proxy.authorization}")
        self.writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        await self.writer.drain()
        try:  # no byte of what follows the head may be taken
            head = await self.reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as cut:
            head = cut.partial
        except asyncio.LimitOverrunError:
            head = b""
        version, _, rest = head.partition(b"\r\n")[0].decode("latin-1").partition(" ")
        if not version.startswith("HTTP/") or not rest[:3].isdigit():
            raise StepFailed(f"the proxy {proxy} did not answer CONNECT as an HTTP proxy does")
        if not rest.startswith("2"):
            raise StepFailed(
                f"the proxy {proxy} refused CONNECT with a status of its own: HTTP {rest.strip()[:80]} "
                f"(lane http); nothing reached {self.host}"
            )

    async def tls(self) -> str:
        """Start TLS with the host name in SNI and the certificate verified."""
        assert self.writer is not None
        try:
            await self.writer.start_tls(tls_context(self.ca_file), server_hostname=self.host)
        except ssl.SSLCertVerificationError as error:
            raise StepFailed(await self._untrusted(error)) from None
        tls: ssl.SSLObject = self.writer.get_extra_info("ssl_object")
        return f"{tls.version()}, {(tls.cipher() or ('?',))[0]}, certificate of {_certified(tls)}"

    async def _untrusted(self, error: ssl.SSLCertVerificationError) -> str:
        """Say whose certificate it is that is not trusted here."""
        note = f"the certificate is not trusted here: {error.verify_message}"
        issuer = await self._issuer()
        if issuer:
            note += f"; it was issued by {issuer}"
        if is_loopback_host(self.host):
            return f"{note}. Give the server's CA as ca_file"
        if error.verify_code in _WRONG_NAME:
            return note
        return (
            f"{note}. Genesys Cloud's certificates come from a public authority, so a box in between that "
            "opens TLS is suspected: give its CA as ca_file= or SSL_CERT_FILE"
        )

    async def _issuer(self) -> str:
        """Look at the certificate once more, without trusting it; nothing is sent over that connection."""
        again = Dial(self.host, self.port, log=self._log, proxy=self.proxy)
        again._addresses = self._addresses
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        try:
            await again.tcp()
            assert again.writer is not None
            await again.writer.start_tls(context, server_hostname=self.host)
            tls: ssl.SSLObject = again.writer.get_extra_info("ssl_object")
            return issuer_of(tls.getpeercert(binary_form=True) or b"")
        except (OSError, EOFError, StepFailed):
            return ""
        finally:
            again.abort()
            await asyncio.sleep(0)  # the transport closes on the loop's next turn

    def abort(self) -> None:
        """Drop the connection."""
        if self.writer is not None:
            self.writer.transport.abort()

    async def aclose(self) -> None:
        """Close the connection; never raise."""
        if self.writer is None:
            return
        self.writer.close()
        with contextlib.suppress(OSError, EOFError, TimeoutError):
            async with asyncio.timeout(1.0):
                await self.writer.wait_closed()


_WRONG_NAME = frozenset({10, 62})
"""OpenSSL's verify codes for an expired certificate and for another host's: no sign of a box in between."""


async def _resolved(host: str, port: int) -> list[str]:
    if is_loopback_host(host):
        return [host.strip("[]") if ":" in host else "127.0.0.1"]
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _certified(tls: ssl.SSLObject) -> str:
    """Name whom the peer's certificate was issued to and by."""
    certificate: dict[str, Any] = tls.getpeercert() or {}
    names = [value for kind, value in certificate.get("subjectAltName", ()) if kind == "DNS"]
    issuer = {key: value for part in certificate.get("issuer", ()) for key, value in part}
    return f"{names[0] if names else '?'} by {issuer.get('organizationName', '?')}"


def _network_note(error: Exception) -> str:
    if isinstance(error, socket.gaierror):
        return dns_reason(error)
    if isinstance(error, ssl.SSLError):
        return f"no TLS on this port: {error.reason}"
    if isinstance(error, ConnectionRefusedError):
        return "the port refuses connections"
    return f"the connection was cut: {error or type(error).__name__}"
