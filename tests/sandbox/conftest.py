"""The sandbox under test, and the plainest possible clients: raw sockets, httpx, websockets."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from uuid import uuid4

import httpx
import pytest
from websockets.sync.client import ClientConnection, connect

import guestlab.sandbox
from guestlab.sandbox import Sandbox

from .replies import Replies

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


@pytest.fixture(autouse=True)
def replies(monkeypatch: pytest.MonkeyPatch) -> Iterator[Replies]:
    """Every REST reply of every sandbox here fits the published document."""
    replies = Replies()
    monkeypatch.setattr(guestlab.sandbox, "application", replies.watched(guestlab.sandbox.application))
    yield replies
    assert replies.wrong == []


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A fresh sandbox, plaintext."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def http(sandbox: Sandbox) -> Iterator[httpx.Client]:
    """An HTTP client without any credential but the control plane's key."""
    key = {"Guestlab-Control-Key": sandbox.control_key}
    with httpx.Client(
        base_url=f"http://127.0.0.1:{sandbox.http_port}", headers=key, trust_env=False
    ) as client:
        yield client


@pytest.fixture
def api(sandbox: Sandbox, http: httpx.Client) -> httpx.Client:
    """An HTTP client with a client-credentials token."""
    reply = http.post(
        "/oauth/token",
        data={"grant_type": "client_credentials"},
        auth=(sandbox.client_id, sandbox.client_secret),
    )
    http.headers["Authorization"] = f"Bearer {reply.json()['access_token']}"
    return http


@pytest.fixture
def guests(sandbox: Sandbox) -> Iterator[Any]:
    """A maker of guests; closes their sockets."""
    made: list[Guest] = []

    def make(**options: Any) -> Guest:
        made.append(Guest(sandbox, **options))
        return made[-1]

    yield make
    for guest in made:
        guest.close()


class Guest:
    """One guest socket driven frame by frame with the websockets library."""

    def __init__(
        self,
        sandbox: Sandbox,
        *,
        token: str | None = None,
        deployment_id: str | None = None,
        configure: bool = True,
        **frame: Any,
    ) -> None:
        self.deployment_id = deployment_id or sandbox.deployment_id
        self.token = token or str(uuid4())
        url = f"ws://127.0.0.1:{sandbox.http_port}/v1?deploymentId={self.deployment_id}"
        self._stack = ExitStack()
        self.socket: ClientConnection = self._stack.enter_context(
            connect(url, proxy=None, compression=None, max_queue=None)
        )
        self.session: dict[str, Any] = {}
        if configure:
            self.session = self.configure(**frame)["body"]

    def close(self) -> None:
        """Close the socket."""
        self._stack.close()

    def send(self, action: str, **fields: Any) -> str:
        """Send one frame; return its tracingId."""
        tracing_id = fields.pop("tracingId", None) or str(uuid4())
        frame = {"action": action, "token": self.token, "tracingId": tracing_id, **fields}
        self.socket.send(json.dumps(frame))
        return tracing_id

    def receive(self, timeout: float = 5.0) -> dict[str, Any]:
        """The next frame."""
        return json.loads(self.socket.recv(timeout))

    def ask(self, action: str, **fields: Any) -> dict[str, Any]:
        """Send one frame and return the frame that answers it."""
        tracing_id = self.send(action, **fields)
        while True:
            frame = self.receive()
            if frame.get("tracingId") == tracing_id:
                return frame

    def configure(self, **fields: Any) -> dict[str, Any]:
        """Configure the session."""
        return self.ask("configureSession", **{"deploymentId": self.deployment_id, **fields})

    def say(self, text: str, **message: Any) -> dict[str, Any]:
        """Send a text and return its echo."""
        return self.ask("onMessage", message={"type": "Text", "text": text, **message})

    def event(self, kind: str, value: str) -> dict[str, Any]:
        """Send an event and return its echo."""
        name = {"Presence": "presence", "Typing": "typing"}[kind]
        event = {"eventType": kind, name: {"type": value}}
        return self.ask("onMessage", message={"type": "Event", "events": [event]})

    def until(self, class_name: str) -> dict[str, Any]:
        """Skip frames up to one of a class."""
        while True:
            frame = self.receive()
            if frame["class"] == class_name:
                return frame

    def until_text(self, part: str) -> dict[str, Any]:
        """Skip frames up to one whose body's text holds something."""
        while True:
            frame = self.receive()
            if part in str(frame["body"]):
                return frame

    def is_silent(self) -> bool:
        """Whether nothing is on its way: the answer to an unlimited request comes first."""
        tracing_id = self.send("getConfiguration", deploymentId=self.deployment_id)
        return self.receive().get("tracingId") == tracing_id


def upgrade_request(path: str, *headers: str, host: str = "127.0.0.1") -> bytes:
    """A correct upgrade request, by hand."""
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: {host}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {KEY}",
        "Sec-WebSocket-Version: 13",
        *headers,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def raw(port: int, request: bytes) -> bytes:
    """What a raw socket gets: everything up to the close, or up to the end of a 101's head."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as link:
        link.sendall(request)
        answer = b""
        while chunk := link.recv(65536):
            answer += chunk
            if answer.startswith(b"HTTP/1.1 101") and answer.endswith(b"\r\n\r\n"):
                break
        return answer
