"""What your client would show: one refusal as other programs present it, and what they keep to themselves.

Most of them hide what would explain a refusal, so people look for the reason in vain. The texts were seen on
the versions named in `CLIENTS` and are compared with the real programs by tests; where a program was not at
hand, its level says so. Pure.
"""

from __future__ import annotations

import http
from dataclasses import dataclass
from typing import TYPE_CHECKING

from guestlab.protocol.frames import describe_close

if TYPE_CHECKING:
    from collections.abc import Callable

    from guestlab.handshake.attempt import Attempt

__all__ = ["CLIENTS", "ClientView", "client_views"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientView:
    """How one client presents what happened."""

    client: str
    seen_with: str
    """The version it was seen with, or where it is written."""
    shows: str
    """The text a person gets to see."""
    hides: str
    """What the answer held that is not shown; "" for nothing."""
    why: str
    """Why it is hidden, or where to find it after all."""
    level: str
    """measured, documented or inferred."""

    def __str__(self) -> str:
        hidden = f"hides {self.hides}" if self.hides else "hides nothing"
        return f"{self.client}: {self.shows}\n  {hidden}. {self.why} ({self.level}, {self.seen_with})"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Client:
    """What is known about one client and a refused upgrade."""

    seen_with: str
    refused: Callable[[Attempt], str]
    """Its text for a refusal by HTTP."""
    shows: frozenset[str]
    """Of status, headers and body, what that text holds."""
    why: str
    level: str
    unreachable: str
    """What it shows where no HTTP answer came."""


def _phrase(attempt: Attempt) -> str:
    """The reason phrase as the server wrote it."""
    line = attempt.response.split("\n", 1)[0].strip()
    return line.split(" ", 2)[2] if line.count(" ") > 1 else ""


def _standard_phrase(attempt: Attempt) -> str:
    try:
        return http.HTTPStatus(attempt.http_status or 0).phrase
    except ValueError:
        return "<unknown status code>"


def _browser(attempt: Attempt) -> str:
    # 401 and 407 go through Chromium's own authentication, which has nothing to offer a WebSocket.
    reason = (
        "HTTP Authentication failed; no valid credentials available"
        if attempt.http_status == 401
        else f"Error during WebSocket handshake: Unexpected response code: {attempt.http_status}"
    )
    return (
        f"close event: code 1006, reason '', wasClean false. Console: WebSocket connection to"
        f" '{attempt.url}' failed: {reason}"
    )


def _websocket_client(attempt: Attempt) -> str:
    headers = {name.lower(): value for name, value in attempt.response_headers}
    body = attempt.body if attempt.body_size else None
    return (
        "WebSocketBadStatusException: Handshake status"
        f" {attempt.http_status} {_phrase(attempt)} -+-+- {headers} -+-+- {body}"
    )


_NOTHING: frozenset[str] = frozenset()
_STATUS = frozenset({"status"})

CLIENTS: dict[str, _Client] = {
    "browser": _Client(
        seen_with="Chromium 156",
        refused=_browser,
        shows=_NOTHING,
        why="The WHATWG WebSockets standard forbids it: a page could otherwise explore networks it cannot"
        " reach itself. Every failure to connect is close code 1006 to the page; only the developer tools'"
        " console and network panel may say more, and of a 401 Chromium's console leaves out the number.",
        level="measured",
        unreachable="close event: code 1006, reason '', wasClean false, the same as for any refusal",
    ),
    "wscat": _Client(
        seen_with="wscat 6.1.0",
        refused=lambda attempt: f"error: Unexpected server response: {attempt.http_status}",
        shows=_STATUS,
        why="It prints the message of the error event of the Node package ws, which names the number alone;"
        " a program of your own gets the rest by listening to unexpected-response.",
        level="measured",
        unreachable="error: and Node's own words, such as connect ECONNREFUSED",
    ),
    "websocat": _Client(
        seen_with="github.com/vi/websocat issue 55; not run here",
        refused=lambda attempt: (
            "websocat: WebSocketError: Received unexpected status code"
            f" ({attempt.http_status} {_standard_phrase(attempt)})"
        ),
        shows=_STATUS,
        why="It prints its library's error, which holds the status; before version 1.6.0 not even that.",
        level="documented",
        unreachable="websocat: WebSocketError: and the system's own words",
    ),
    "websockets": _Client(
        seen_with="websockets 17.4",
        refused=lambda attempt: (
            f"InvalidStatus: server rejected WebSocket connection: HTTP {attempt.http_status}"
        ),
        shows=_STATUS,
        why="The exception has everything: look at error.response.headers and error.response.body.",
        level="measured",
        unreachable="the system's own error, such as ConnectionRefusedError",
    ),
    "websocket-client": _Client(
        seen_with="websocket-client 1.9.2",
        refused=_websocket_client,
        shows=frozenset({"status", "headers", "body"}),
        why="It shows all, of an empty body None. WebSocketApp tells on_error, and nobody without one.",
        level="measured",
        unreachable="the system's own error, such as ConnectionRefusedError",
    ),
    "aiohttp": _Client(
        seen_with="aiohttp 3.14.5",
        refused=lambda attempt: (
            f"WSServerHandshakeError: {attempt.http_status}, message='Invalid response status',"
            f" url='{attempt.url}'"
        ),
        shows=_STATUS,
        why="The exception has error.status and error.headers; the body is thrown away unread.",
        level="measured",
        unreachable="ClientConnectorError: Cannot connect to host, and the system's own words",
    ),
}
"""The clients, in the order they are shown."""


def client_views(attempt: Attempt) -> dict[str, ClientView]:
    """Tell how browser, wscat, websocat, and three Python packages would present an attempt's outcome."""
    return {name: _view(name, client, attempt) for name, client in CLIENTS.items()}


def _view(name: str, client: _Client, attempt: Attempt) -> ClientView:
    shows, hides, why, level = _presented(client, attempt)
    if level == "measured":
        level = client.level
    return ClientView(client=name, seen_with=client.seen_with, shows=shows, hides=hides, why=why, level=level)


def _presented(client: _Client, attempt: Attempt) -> tuple[str, str, str, str]:
    """What is shown, what hidden, why, and how well that is known."""
    if attempt.http_status is not None and attempt.http_status != 101:
        hidden = _hidden(client, attempt)
        return client.refused(attempt), hidden, client.why, "measured"
    if attempt.answers:
        why = "Behind an open socket every client hands on frames as they come."
        return attempt.answers[-1], "", why, "measured"
    if attempt.close_code is not None:
        why = "A close frame's code and reason reach every client; a cut link has none, and shows as 1006."
        return f"closed: {describe_close(attempt.close_code)}", "", why, "documented"
    hidden = "" if client.shows else "at which step it failed: DNS, TCP or TLS"
    return client.unreachable, hidden, "No HTTP answer came, so there is nothing else to show.", "inferred"


def _hidden(client: _Client, attempt: Attempt) -> str:
    answer = {
        "status": f"the status, HTTP {attempt.http_status}",
        "headers": "the headers" if attempt.response_headers else "",
        "body": "the body" if attempt.body_size else "that the body is empty",
    }
    hidden = ", ".join(text for name, text in answer.items() if name not in client.shows and text)
    return f"from the page: {hidden}" if not client.shows else hidden
