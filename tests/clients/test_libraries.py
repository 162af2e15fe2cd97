"""Client libraries others wrote, over TLS and by host name: aiohttp and websocket-client.

Each holds a conversation, and each refused handshake shows what that library lets a person see. Debian's
resolver knows no `*.localhost`, so the test resolves the names.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import socket
import ssl
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from .conftest import absent

if TYPE_CHECKING:
    from guestlab.sandbox import Sandbox


def _library(name: str, package: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        absent(package)


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Resolve `*.localhost` to this machine."""
    real = socket.getaddrinfo

    def lookup(host: Any, *arguments: Any, **options: Any) -> Any:
        if isinstance(host, str) and host.endswith(".localhost"):
            host = "127.0.0.1"
        return real(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", lookup)


def _url(sandbox: Sandbox, query: str) -> str:
    return f"wss://webmessaging.localhost:{sandbox.tls_port}/v1{query}"


def _frames(sandbox: Sandbox) -> tuple[dict[str, Any], dict[str, Any]]:
    token = str(uuid4())
    return (
        {
            "action": "configureSession",
            "deploymentId": sandbox.deployment_id,
            "token": token,
            "tracingId": "trace-1",
        },
        {
            "action": "onMessage",
            "token": token,
            "tracingId": "trace-2",
            "message": {"type": "Text", "text": "hello"},
        },
    )


def _is_a_conversation(frames: list[dict[str, Any]]) -> None:
    """SessionResponse, echo with the same tracingId, typing, text, quick replies."""
    assert [frame.get("tracingId") for frame in frames[:2]] == ["trace-1", "trace-2"]
    assert frames[0]["class"] == "SessionResponse"
    assert [frame["body"]["type"] for frame in frames[1:]] == ["Text", "Event", "Text", "Structured"]
    directions = [frame["body"]["direction"] for frame in frames[1:]]
    assert directions == ["Inbound", "Outbound", "Outbound", "Outbound"]


REFUSED = (("", 401, ""), ("?deploymentId=unknown", 403, "explicit deny"))


def test_aiohttp_holds_a_conversation_and_keeps_it_alive(sandbox: Sandbox) -> None:
    """With its heartbeat on, compression offered, and pings answered in time."""
    aiohttp = _library("aiohttp", "aiohttp")

    async def talk() -> list[dict[str, Any]]:
        context = ssl.create_default_context(cafile=str(sandbox.ca_file))
        resolver = aiohttp.ThreadedResolver()
        connector = aiohttp.TCPConnector(ssl=context, resolver=resolver)
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.ws_connect(
                _url(sandbox, f"?deploymentId={sandbox.deployment_id}"), heartbeat=0.2, compress=15
            ) as link,
        ):
            configure, text = _frames(sandbox)
            await link.send_json(configure)
            frames = [await link.receive_json(timeout=10)]
            await asyncio.sleep(0.5)  # two heartbeats
            await link.send_json(text)
            frames += [await link.receive_json(timeout=10) for _ in range(4)]
            await link.ping(b"abc")
            await link.close()
            assert link.close_code == 1000
        await asyncio.sleep(0.25)  # aiohttp's documentation asks for it: TLS says goodbye in the background
        return frames

    _is_a_conversation(asyncio.run(talk()))


@pytest.mark.parametrize(("query", "status", "body"), REFUSED)
def test_aiohttp_shows_status_and_headers_of_a_refusal(
    sandbox: Sandbox, query: str, status: int, body: str
) -> None:
    """WSServerHandshakeError: status and headers, no body."""
    aiohttp = _library("aiohttp", "aiohttp")

    async def knock() -> Any:
        context = ssl.create_default_context(cafile=str(sandbox.ca_file))
        connector = aiohttp.TCPConnector(ssl=context, resolver=aiohttp.ThreadedResolver())
        async with aiohttp.ClientSession(connector=connector) as session:
            with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
                await session.ws_connect(_url(sandbox, query))
        await asyncio.sleep(0.25)
        return caught.value

    error = asyncio.run(knock())
    assert error.status == status
    assert error.headers["Content-Length"] == str(0 if not body else 68)


def test_websocket_client_holds_a_conversation(sandbox: Sandbox) -> None:
    """The synchronous library of PyPI."""
    websocket = _library("websocket", "websocket-client")
    link = websocket.create_connection(
        _url(sandbox, f"?deploymentId={sandbox.deployment_id}"),
        sslopt={"ca_certs": str(sandbox.ca_file)},
        timeout=10,
        http_no_proxy=["*"],
    )
    try:
        configure, text = _frames(sandbox)
        link.send(json.dumps(configure))
        frames = [json.loads(link.recv())]
        link.send(json.dumps(text))
        frames += [json.loads(link.recv()) for _ in range(4)]
    finally:
        link.close()
    _is_a_conversation(frames)


@pytest.mark.parametrize(("query", "status", "body"), REFUSED)
def test_websocket_client_shows_status_headers_and_body_of_a_refusal(
    sandbox: Sandbox, query: str, status: int, body: str
) -> None:
    """WebSocketBadStatusException has them all."""
    websocket = _library("websocket", "websocket-client")
    with pytest.raises(websocket.WebSocketBadStatusException) as caught:
        websocket.create_connection(
            _url(sandbox, query),
            sslopt={"ca_certs": str(sandbox.ca_file)},
            timeout=10,
            http_no_proxy=["*"],
        )
    assert caught.value.status_code == status
    assert body.encode() in (caught.value.resp_body or b"")
