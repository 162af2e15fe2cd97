"""HTTP with a witness: every exchange is recorded before it is believed.

The only importer of httpx, which has had no stable release since December 2024: whoever needs HTTP takes
it from here. Requests ask for `Accept-Encoding: identity`, so the recorded body is the body on the wire.
Loopback names are dialled as 127.0.0.1 with Host and SNI kept (Debian's resolver knows no `*.localhost`),
and never through a proxy. Elsewhere the environment's proxies are used (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY),
save for the hosts of NO_PROXY.
"""

from __future__ import annotations

import asyncio
import functools
import json
import logging
import os
import socket
import ssl
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Self
from urllib.request import getproxies, proxy_bypass

import httpx

from guestlab.errors import InputError, NetworkError
from guestlab.handshake.hosts import HostKind, read_host
from guestlab.handshake.rules_network import NAME_IS_RIGHT
from guestlab.protocol.transcripts import file_keys
from guestlab.regions import is_loopback_host

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from guestlab.log import Log
    from guestlab.regions import Region

__all__ = [
    "LARGEST_REPLY",
    "LONGEST_EXCHANGE",
    "QUIET",
    "Auth",
    "BasicAuth",
    "Client",
    "Request",
    "Response",
    "dns_reason",
    "environment_proxy",
    "is_known_host",
    "json_object",
    "tls_context",
]

QUIET = logging.getLogger("guestlab.wire")
"""What `websockets` is given to log to: its own lines hold requests and frames as they are, secrets too."""
QUIET.setLevel(logging.WARNING)

_LOGGERS = ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.http2", "httpcore.proxy")
_redact: ContextVar[Callable[[str], str] | None] = ContextVar("guestlab_redact", default=None)


class _Masking(logging.Filter):
    """Masks what httpx tells of our own requests, and leaves everybody else's alone."""

    def filter(self, record: logging.LogRecord) -> bool:
        redact = _redact.get()
        if redact is not None:
            record.msg, record.args = redact(record.getMessage()), ()
        return True


_MASKING = _Masking()

Auth = httpx.Auth
BasicAuth = httpx.BasicAuth
Request = httpx.Request
Response = httpx.Response

_PIECE = 64 * 1024
"""Bytes handed to the socket at once while progress is told."""

_MOST_SHOWN = 2**22
"""Bytes of a body the log keeps; a longer one, such as an upload, is recorded by its size."""

LARGEST_REPLY = 2**26
"""Bytes of a reply's body, decoded; a longer one ends as an error. An attachment has at most some ten MB."""

LONGEST_EXCHANGE = 300.0
"""Seconds from a request to the last byte of its reply, however slowly that dribbles in."""

_TIMEOUT = httpx.Timeout(30.0, connect=10.0)


def tls_context(ca_file: Path | None = None) -> ssl.SSLContext:
    """Make a verifying TLS context: the system's authorities, and those of one PEM file beside them.

    OpenSSL reads the environment's SSL_CERT_FILE and SSL_CERT_DIR in place of the system's.

    Raises:
        InputError: The file cannot be read as PEM certificates.
    """
    try:
        return _tls_context(ca_file, ca_file.stat().st_mtime_ns if ca_file else 0, _system_authorities())
    except (OSError, ssl.SSLError) as error:
        raise InputError(
            f"The CA file {ca_file} cannot be used.",
            why=f"It could not be loaded as PEM certificates: {error}.",
            next_step="Give the path of a readable PEM file with one or more CA certificates.",
        ) from None


def _system_authorities() -> tuple[str | None, ...]:
    return os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")


@functools.lru_cache(maxsize=8)
def _tls_context(ca_file: Path | None, _changed: int, _system: tuple[str | None, ...]) -> ssl.SSLContext:
    """Loading the system's authorities takes milliseconds: keep the context while the file is unchanged."""
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    return context


def environment_proxy(host: str, *, secure: bool, port: int | None = None) -> str:
    """The proxy the environment names for a host, or "" to go straight.

    Loopback goes straight always; so does what NO_PROXY lists. An address without a scheme is an HTTP
    proxy's.
    """
    if is_loopback_host(host) or proxy_bypass(host if port is None or ":" in host else f"{host}:{port}"):
        return ""
    named = getproxies()
    found = named.get("https" if secure else "http") or named.get("all") or ""
    return found if not found or "://" in found else f"http://{found}"


def json_object(content: bytes | str) -> dict[str, Any]:
    """Read a JSON object; anything else reads as an empty one."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def is_known_host(host: str) -> bool:
    """Whether the name is one of Genesys Cloud's, so that a failure to resolve it is not the name's fault."""
    return read_host(host).kind is HostKind.GENESYS


def dns_reason(error: socket.gaierror, host: str = "") -> str:
    """Tell a name that does not exist from a resolver that does not answer, or does not know a real one."""
    if error.errno == socket.EAI_AGAIN:
        return "The name server did not answer: this machine may be offline."
    if is_known_host(host):
        return (
            f"{host} was not resolved here, though it is a known region's host: this machine's DNS "
            "does not know public names, or it is offline."
        )
    return "The host name does not exist: an unknown region has no catch-all, it fails in DNS."


class Client:
    """An HTTP client for one region, recording into one log. Use it with `async with`."""

    def __init__(self, region: Region, log: Log, *, auth: Auth | None = None) -> None:
        self.region = region
        self.log = log
        for name in _LOGGERS:
            logging.getLogger(name).addFilter(_MASKING)
        transport = _RecordingTransport(log, tls_context(region.ca_file), trust_env=not region.is_loopback)
        self._client = httpx.AsyncClient(
            transport=transport,
            auth=auth,
            timeout=_TIMEOUT,
            trust_env=False,
            headers={"Accept-Encoding": "identity", "User-Agent": "guestlab"},
        )

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def send(
        self,
        method: str,
        url: str,
        *,
        stage: str,
        auth: Auth | None = None,
        progress: Callable[[int, int], object] | None = None,
        **content: Any,
    ) -> Response:
        """Send one request and return its whole answer, both recorded.

        Args:
            method: The HTTP method.
            url: An absolute URL.
            stage: The lab's stage this belongs to, for the log.
            auth: Another authentication than the client's own.
            progress: Called with (bytes sent, bytes in all) while the body goes out.
            content: `headers`, `params`, `data` (form), `json`, `content`, as httpx takes them.

        Raises:
            NetworkError: No answer came: DNS, TCP, TLS, time-out, or not HTTP.
        """
        extensions = {"guestlab.stage": stage, "guestlab.progress": progress}
        request = self._client.build_request(method, url, extensions=extensions, **content)
        _redact.set(self.log.redact)
        try:
            return await self._client.send(request, auth=auth or httpx.USE_CLIENT_DEFAULT)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _network_error(error, request, self.log) from None
        finally:
            _redact.set(None)


class _RecordingTransport(httpx.AsyncBaseTransport):
    """Dials, and records both directions of every exchange."""

    def __init__(self, log: Log, context: ssl.SSLContext, *, trust_env: bool) -> None:
        self._log = log
        # Proxies are chosen here and not by the client, so that they see the recorded request too.
        self._context, self._trust_env = context, trust_env
        self._routes: dict[str, httpx.AsyncBaseTransport] = {}
        self._direct = httpx.AsyncHTTPTransport(verify=context, trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        stage = request.extensions.get("guestlab.stage")
        body = await request.aread()
        sent = self._log.record(
            "request",
            stage=stage,
            lane="http",
            direction="sent",
            method=request.method,
            url=str(request.url),
            size=len(body),
            raw=_request_text(request, body),
        )
        started = time.monotonic_ns()
        about: dict[str, Any] = {
            "stage": stage,
            "lane": "http",
            "direction": "received",
            "exchange": sent.seq,
            "method": request.method,
            "url": str(request.url),
        }
        try:
            response, whole = await self._answer(request)
        except httpx.HTTPError as error:
            note = f"No answer: {type(error).__name__}: {error}"
            self._log.record("response", **about, latency_ms=_elapsed_ms(started), ok=False, note=note)
            raise
        if b"://" in response.content[:_MOST_SHOWN]:  # whoever knows a file's address may fetch it
            self._log.learn(*file_keys(json_object(response.content[:_MOST_SHOWN])))
        self._log.record(
            "response",
            **about,
            http_status=response.status_code,
            latency_ms=_elapsed_ms(started),
            size=len(response.content),
            ok=response.is_success and whole,
            note=None if whole else f"Longer than {LARGEST_REPLY:,} bytes: the rest was not read.",
            correlation_id=response.headers.get("inin-correlation-id"),
            raw=_response_text(response),
        )
        if not whole:
            raise _TooLargeError(f"the reply is longer than {LARGEST_REPLY:,} bytes")
        return response

    async def _answer(self, request: httpx.Request) -> tuple[httpx.Response, bool]:
        """Exchange, and tell whether the reply came whole."""
        try:
            async with asyncio.timeout(LONGEST_EXCHANGE):
                response = await self._route(request).handle_async_request(_dialled(request))
                try:
                    body, whole = await _read(response)
                finally:
                    await response.aclose()
        except TimeoutError:
            raise httpx.ReadTimeout(f"not finished after {LONGEST_EXCHANGE:g} s") from None
        stream = httpx.ByteStream(body)
        read = httpx.Response(response.status_code, stream=stream, extensions=response.extensions)
        await read.aread()
        read.headers = response.headers  # afterwards: what is decoded already must not be again
        return read, whole

    def _route(self, request: httpx.Request) -> httpx.AsyncBaseTransport:
        url = request.url
        if not self._trust_env:
            return self._direct
        proxy = environment_proxy(url.host, secure=url.scheme == "https", port=url.port)
        if not proxy:
            return self._direct
        if proxy not in self._routes:
            self._routes[proxy] = _through(proxy, self._context, self._log)
        return self._routes[proxy]

    async def aclose(self) -> None:
        for transport in (self._direct, *self._routes.values()):
            await transport.aclose()


async def _read(response: httpx.Response) -> tuple[bytes, bool]:
    """Read a body, decoded, up to what is taken of one; tell whether that was all."""
    parts, size = list[bytes](), 0
    async for part in response.aiter_bytes():
        parts.append(part)
        size += len(part)
        if size > LARGEST_REPLY:
            return b"".join(parts), False
    return b"".join(parts), True


class _TooLargeError(httpx.ReadError):
    """A reply that does not end where any would."""


def _through(proxy: str, context: ssl.SSLContext, log: Log) -> httpx.AsyncBaseTransport:
    """Make the transport through one proxy; its password is a secret like any other."""
    try:
        url = httpx.URL(proxy)
        if url.password:
            log.learn(url.password)
        way = httpx.Proxy(url, ssl_context=context if url.scheme == "https" else None)
        return httpx.AsyncHTTPTransport(verify=context, proxy=way, trust_env=False)
    except (ValueError, httpx.InvalidURL, ImportError):
        raise InputError(
            "The environment's proxy cannot be used.",
            why="Known are http:// and https:// proxies; a SOCKS proxy wants the package socksio "
            "beside httpx.",
            next_step="Correct HTTPS_PROXY, or list the region's domain in NO_PROXY to go straight.",
        ) from None


def _dialled(request: httpx.Request) -> httpx.Request:
    """Make the request that goes out: a loopback name dialled as 127.0.0.1, its Host and SNI unchanged.

    The original request is left alone: the caller's response must show the name, not the address.
    """
    host, url, extensions = request.url.host, request.url, request.extensions
    progress = extensions.get("guestlab.progress")
    if is_loopback_host(host) and host not in {"127.0.0.1", "::1"}:
        url, extensions = url.copy_with(host="127.0.0.1"), {**extensions, "sni_hostname": host}
    elif progress is None:
        return request
    content = request.content if progress is None else _told(request.content, progress)
    return httpx.Request(request.method, url, headers=request.headers, content=content, extensions=extensions)


async def _told(body: bytes, progress: Callable[[int, int], object]) -> AsyncIterator[bytes]:
    """Yield a body in pieces, telling how far it got."""
    for start in range(0, len(body), _PIECE):
        yield body[start : start + _PIECE]
        progress(min(start + _PIECE, len(body)), len(body))


def _request_text(request: httpx.Request, body: bytes) -> str:
    lines = [f"{request.method} {request.url.raw_path.decode('latin-1')} HTTP/1.1"]
    return _text(lines, request.headers, body)


def _response_text(response: httpx.Response) -> str:
    version = response.http_version
    lines = [f"{version} {response.status_code} {response.reason_phrase}".rstrip()]
    return _text(lines, response.headers, response.content)


def _text(lines: list[str], headers: httpx.Headers, body: bytes) -> str:
    lines += [f"{name.decode('latin-1')}: {value.decode('latin-1')}" for name, value in headers.raw]
    return "\r\n".join(lines) + "\r\n\r\n" + _shown(body)


def _shown(body: bytes) -> str:
    """Text as it is; what is no text, or too much of it, by its size."""
    if len(body) > _MOST_SHOWN:
        return f"[{len(body)} bytes, not kept]"
    try:
        return body.decode()
    except UnicodeDecodeError:
        return f"[{len(body)} bytes, no text]"


def _elapsed_ms(started_ns: int) -> float:
    return (time.monotonic_ns() - started_ns) / 1e6


_NOT_RESOLVED = "Name or service not known"

# exception → why, next step. First match wins; httpx puts DNS and refused connections in one class.
_NETWORK_REASONS: tuple[tuple[type[Exception], str, str, str], ...] = (
    (
        _TooLargeError,
        "",
        "The reply did not end where any of the platform's would; what came of it was dropped.",
        "Check that host and port are the platform's; the log holds the head of the reply.",
    ),
    (
        httpx.ConnectError,
        "CERTIFICATE_VERIFY_FAILED",
        "The server's TLS certificate is not signed by an authority trusted here.",
        "Behind an intercepting company proxy, give its CA: Region(..., tls='ca.pem').",
    ),
    (
        httpx.ConnectError,
        "WRONG_VERSION_NUMBER",
        "The server does not speak TLS on this port.",
        "Use the TLS port, or tls=False for a plaintext loopback server.",
    ),
    (
        httpx.ConnectError,
        _NOT_RESOLVED,
        "The host name does not exist: an unknown region has no catch-all, it fails in DNS.",
        "Check the region; gl.REGIONS lists all of them.",
    ),
    (
        httpx.ConnectError,
        "Temporary failure in name resolution",
        "The name server did not answer: this machine may be offline.",
        "Check this machine's network, then try again.",
    ),
    (
        httpx.ConnectError,
        "",
        "Nothing accepts connections there.",
        "Check host and port, and whether the server still runs.",
    ),
    (
        httpx.TimeoutException,
        "",
        "No answer came in time.",
        "Try again; if it stays, look at proxies and firewalls.",
    ),
    (
        httpx.RemoteProtocolError,
        "",
        "What came back is not HTTP, or the connection was cut.",
        "Check that the port speaks HTTP and that the server still runs.",
    ),
    (
        httpx.InvalidURL,
        "",
        "The reply leads on to an address that is none.",
        "Look at its Location header in the log; what answered there may not be the platform.",
    ),
    (httpx.HTTPError, "", "The connection broke.", "Try again; the log holds what was exchanged so far."),
)


def _network_error(error: Exception, request: httpx.Request, log: Log) -> NetworkError:
    text = str(error)
    why, next_step = next(
        (why, next_step)
        for kind, part, why, next_step in _NETWORK_REASONS
        if isinstance(error, kind) and part in text
    )
    host = request.url.host
    if _NOT_RESOLVED in text and is_known_host(host):
        why, next_step = dns_reason(socket.gaierror(socket.EAI_NONAME, text), host), NAME_IS_RIGHT
    return NetworkError(
        log.redact(f"{request.method} {request.url.scheme}://{request.url.netloc.decode()} got no answer."),
        why=why,
        next_step=next_step,
        evidence=(log.redact(f"{type(error).__name__}: {text}"),),
    )
