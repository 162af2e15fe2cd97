"""Catches the browser as it comes back from a sign-in: a small web server here (RFC 8252 section 7.3).

It answers one address, the redirect URI, and listens on loopback only. What comes back belongs to the
sign-in only when it carries its `state`; anything else gets a page that says so, and the listener goes on
waiting. The code in the address is a secret: nothing here is written to a console or a log.
"""

from __future__ import annotations

import concurrent.futures
import functools
import hmac
import http.server
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from guestlab.errors import InputError
from guestlab.regions import is_loopback_host

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["RedirectListener"]

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>guestlab</title>
<body style="font:1.1rem system-ui;margin:15vh auto;max-width:34rem;padding:0 1rem">
<h1>{title}</h1><p>{text}</p></body></html>"""

_BACK = ("Back to your notebook", "The sign-in came through. You may close this page.")
_STRANGER = ("Not this sign-in", "This address carries no answer to the sign-in that is waiting.")


class RedirectListener:
    """Waits for one redirect. Start it before the browser is sent away, and close it afterwards.

    Args:
        redirect_uri: `http://localhost:PORT/path`, as the OAuth client lists it.
        state: The `state` of the sign-in that is waited for.

    Raises:
        InputError: The redirect URI is not http on this machine, or its port is taken.
    """

    def __init__(self, redirect_uri: str, state: str) -> None:
        parts = urlsplit(redirect_uri)
        if parts.scheme != "http" or not is_loopback_host(parts.hostname or ""):
            raise InputError(
                f"The redirect URI {redirect_uri} cannot be listened at.",
                why="Only http:// at localhost leads to this machine (RFC 8252 section 7.3).",
                next_step="Use a redirect URI such as http://localhost:8085/callback, or pass redirected=.",
            )
        self.redirect_uri = redirect_uri
        self._path, self._state = parts.path or "/", state
        self._caught: concurrent.futures.Future[str] = concurrent.futures.Future()
        port = parts.port or 80
        try:
            self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        except OSError as error:
            raise InputError(
                f"Port {port} is taken, so the sign-in cannot come back by itself.",
                why=f"Another program, or another sign-in, listens there: {error.strerror}.",
                next_step="Close it, use another redirect URI of the OAuth client, or pass redirected=.",
            ) from None
        self._server.daemon_threads = True
        serve = functools.partial(self._server.serve_forever, poll_interval=0.1)
        self._thread = threading.Thread(target=serve, name="guestlab-redirect", daemon=True)
        self._thread.start()

    def __repr__(self) -> str:
        return f"<RedirectListener {self.redirect_uri} {'caught' if self._caught.done() else 'waiting'}>"

    @property
    def caught(self) -> concurrent.futures.Future[str]:
        """Done when the browser has come back; its result is the whole address."""
        return self._caught

    def close(self) -> None:
        """Stop listening. What was caught stays."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(2.0)

    def _take(self, target: str) -> tuple[str, str] | None:
        """Judge an address; None when it is not the redirect URI at all."""
        try:
            parts = urlsplit(target)
        except ValueError:  # such as //[, which anybody on this machine may ask for
            return None
        if parts.path != self._path:
            return None
        state = parse_qs(parts.query).get("state", [""])[0]
        if not hmac.compare_digest(state.encode("utf-8", "surrogatepass"), self._state.encode()):
            return _STRANGER
        if not self._caught.done():
            self._caught.set_result(f"{self.redirect_uri.partition('?')[0]}?{parts.query}")
        return _BACK

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        return _handler_of(self._take)


def _handler_of(
    take: Callable[[str], tuple[str, str] | None],
) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        server_version, sys_version = "guestlab", ""
        timeout = 10  # seconds for a request; a silent connection holds nothing up

        def do_GET(self) -> None:
            said = take(self.path)
            if said is None:
                self.send_error(404)
                return
            body = _PAGE.format(title=said[0], text=said[1]).encode()
            self.send_response(200 if said is _BACK else 400)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.send_header("Referrer-Policy", "no-referrer")
            self.send_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing: the address carries the code."""

    return Handler
