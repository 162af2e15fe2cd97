"""Command-line WebSocket clients hold a whole conversation, and show what they can of a refusal."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from .conftest import tool
from .talk import Talk

if TYPE_CHECKING:
    from guestlab.sandbox import Sandbox


def _websockets(sandbox: Sandbox, query: str) -> Talk:
    return Talk([sys.executable, "-m", "websockets", f"ws://127.0.0.1:{sandbox.http_port}/v1{query}"])


def _wscat(sandbox: Sandbox, query: str) -> Talk:
    return Talk([tool("wscat"), "-c", f"ws://127.0.0.1:{sandbox.http_port}/v1{query}"])


def _wscat_tls(sandbox: Sandbox, query: str) -> Talk:
    """Over TLS by address; the certificate authority is handed over the way Node takes it."""
    url = f"wss://127.0.0.1:{sandbox.tls_port}/v1{query}"
    return Talk([tool("wscat"), "-c", url], NODE_EXTRA_CA_CERTS=str(sandbox.ca_file))


CLIENTS = [_websockets, _wscat, _wscat_tls]


@pytest.mark.parametrize("client", CLIENTS)
def test_a_command_line_holds_a_conversation(
    sandbox: Sandbox, client: Callable[[Sandbox, str], Talk]
) -> None:
    """ConfigureSession → SessionResponse, Text → Inbound echo with the same tracingId → the bot."""
    token = str(uuid4())
    talk = client(sandbox, f"?deploymentId={sandbox.deployment_id}")
    try:
        configure = {"action": "configureSession", "deploymentId": sandbox.deployment_id, "token": token}
        answer = talk.insist({**configure, "tracingId": "trace-1"})
        assert (answer["class"], answer["code"], answer["tracingId"]) == ("SessionResponse", 200, "trace-1")
        assert answer["body"]["connected"] is True
        text = {"type": "Text", "text": "hello"}
        talk.send({"action": "onMessage", "token": token, "tracingId": "trace-2", "message": text})
        echo = talk.frame()
        while echo.get("tracingId") == "trace-1":
            echo = talk.frame()  # the first frame was typed more than once
        assert (echo["tracingId"], echo["body"]["direction"]) == ("trace-2", "Inbound")
        bot = [talk.frame()["body"] for _ in range(3)]
        assert [body["type"] for body in bot] == ["Event", "Text", "Structured"]
        assert {body["direction"] for body in bot} == {"Outbound"}
        assert bot[2]["content"][0]["contentType"] == "QuickReply"
    finally:
        talk.close()


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(("query", "status"), [("", 401), ("?deploymentId=unknown", 403)])
def test_a_command_line_shows_the_status_of_a_refusal(
    sandbox: Sandbox, client: Callable[[Sandbox, str], Talk], query: str, status: int
) -> None:
    """The number is there for the person to see; neither body nor reason is promised by these programs."""
    talk = client(sandbox, query)
    try:
        talk.wait_for(str(status))
    finally:
        talk.close()
    assert "socket opened" not in {record.what for record in sandbox.backend_log}
