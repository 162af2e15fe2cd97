"""Receives what Open Messaging sends out: a small web server of ours, its signature checked first.

The platform posts what the agent says to the integration's webhook, signed: `X-Hub-Signature-256: sha256=`
and the base64 (not the hexadecimal) HMAC-SHA256 of the raw body, keyed with the integration's secret token.
It wants 2xx within ten seconds and tries again otherwise, up to five times, so a message may come twice: by
its `id` it is taken once (levels: documented; taking it once is inferred).

The receiver listens on loopback. From the real cloud it is reached through a tunnel that ends TLS and passes
the body on unchanged; the platform posts to https on port 443 only.
"""

from __future__ import annotations

import base64
import functools
import hmac
import http.server
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from guestlab.errors import InputError
from guestlab.http import json_object
from guestlab.log.frame_columns import message_columns
from guestlab.protocol.messages import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from guestlab.log import Log

__all__ = ["LARGEST", "SIGNATURE_HEADER", "WebhookReceiver", "addressee", "is_signed", "signature"]

SIGNATURE_HEADER = "X-Hub-Signature-256"

LARGEST = 2**20
"""Bytes of a body that are taken; a message is far smaller."""

_REMEMBERED = 10_000
"""Ids remembered, so that a second try is taken for what it is."""


def signature(secret: str, body: bytes) -> str:
    """Return the value of the signature header for a body.

    >>> signature("0123456789abcdef", b"{}")
    'sha256=+R4+nwXMLfZKwcJvitzN/9qNHkp6jFChoI7q2sbd/sU='
    """
    digest = hmac.digest(secret.encode(), body, "sha256")
    return "sha256=" + base64.b64encode(digest).decode()


def is_signed(secret: str, body: bytes, header: str | None) -> bool:
    """Tell whether a body carries its right signature; compared in constant time."""
    given = (header or "").strip().encode("utf-8", "surrogateescape")
    return hmac.compare_digest(given, signature(secret, body).encode())


class WebhookReceiver:
    """Takes signed messages at one path of this machine, and hands each on once.

    Args:
        secret: The integration's signature secret token.
        receive: Called with every new message, in a thread of the server's; it returns at once.
        log: Where every request is recorded, and every message.
        port: Where to listen; 0 takes a free one.
        path: The one path that is answered.
        session: Name in the log's `session` column.

    Raises:
        InputError: The port is taken.
    """

    def __init__(
        self,
        secret: str,
        receive: Callable[[Message], object],
        *,
        log: Log,
        port: int = 0,
        path: str = "/genesys",
        session: str = "open-messaging",
    ) -> None:
        log.learn(secret)
        self._secret, self._receive, self._log = secret, receive, log
        self._path, self._session = path, session
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()
        try:
            self._server = _Server(("127.0.0.1", port), _handler_of(self._take))
        except OSError as error:
            raise InputError(
                f"The webhook cannot listen on port {port}.",
                why=f"Another program listens there: {error.strerror}.",
                next_step="Close it, or take another port; port=0 takes a free one.",
            ) from None
        serve = functools.partial(self._server.serve_forever, poll_interval=0.1)
        self._thread = threading.Thread(target=serve, name="guestlab-webhook", daemon=True)
        self._thread.start()

    def __repr__(self) -> str:
        return f"<WebhookReceiver {self.url}>"

    @property
    def url(self) -> str:
        """Where it listens, on this machine."""
        return f"http://127.0.0.1:{self._server.server_address[1]}{self._path}"

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(2.0)

    def _take(self, path: str, headers: Mapping[str, str], body: bytes) -> int:
        """Judge one request; return the status to answer with."""
        status, note, message = self._judged(path, headers, body)
        asked = self._log.record(
            "request",
            stage="conversation",
            session=self._session,
            lane="http",
            direction="received",
            method="POST",
            url=self.url,
            size=len(body),
            ok=status < 300,
            note=note,
            raw=f"POST {path} HTTP/1.1\r\n\r\n{body.decode('utf-8', 'backslashreplace')}",
        )
        self._log.record(
            "response",
            stage="conversation",
            session=self._session,
            lane="http",
            direction="sent",
            exchange=asked.seq,
            http_status=status,
        )
        if message is not None:
            self._log.record(
                "history",
                stage="conversation",
                session=self._session,
                conversation_id=_text(message.raw.get("conversationId")),
                event_types=",".join(message.event_types) or None,
                **message_columns(message),
            )
            self._receive(message)
        return status

    def _judged(self, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, str, Message | None]:
        if path.partition("?")[0] != self._path:
            return 404, "another path", None
        if not is_signed(self._secret, body, headers.get(SIGNATURE_HEADER)):
            return 401, "the signature is missing or wrong: not from this integration", None
        document = json_object(body)
        if not document:
            return 400, "the body is no JSON object", None
        message = Message.from_body(document)
        with self._lock:
            if message.id and message.id in self._seen:
                return 200, "a second try of a message that was taken", None
            self._seen[message.id] = None
            if len(self._seen) > _REMEMBERED:
                self._seen.popitem(last=False)
        return 200, f"{message.type or 'a message'} for {addressee(message) or 'nobody'}", message


class _Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128  # many conversations may be answered at once; the default is 5
    daemon_threads = True


def addressee(message: Message) -> str:
    """The customer a message is for: `channel.to.id`."""
    channel = message.raw.get("channel")
    to = channel.get("to") if isinstance(channel, dict) else None
    return (_text(to.get("id")) if isinstance(to, dict) else None) or ""


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _handler_of(
    take: Callable[[str, Mapping[str, str], bytes], int],
) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        server_version, sys_version = "guestlab", ""
        timeout = 10  # seconds for a request; a silent connection holds nothing up

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            # A number may be so long that Python refuses to read it.
            if not (length.isascii() and length.isdigit()) or len(length) > 9 or int(length) > LARGEST:
                self._answer(413 if length.isdigit() else 411)
                return
            self._answer(take(self.path, dict(self.headers.items()), self.rfile.read(int(length))))

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.send_header("Connection", "close")
            self.end_headers()
            self.close_connection = True

        def log_message(self, *_: Any) -> None:
            """Say nothing: the log has it."""

    return Handler
