"""Targets of HTTP: what answers a REST call, byte by byte, and what stands in a reply that is well formed.

The first byte says which call is made. httpcore's own mock network hands the bytes over; nothing is dialled.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any
from unittest import mock

import httpcore

from guestlab.attachments import fetch
from guestlab.history import History
from guestlab.http import Client
from guestlab.log import Log, Redactor
from guestlab.platform_api import PlatformApi
from guestlab.preflight import _Ladder
from guestlab.protocol.pacing import Pacer
from guestlab.regions import Region
from guestlab.tokens import Bearer, ClientCredentials
from guestlab.transcripts import collect, conversation_of
from tests.fuzzing.target import Target

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

__all__ = ["TARGETS"]

REGION = Region("127.0.0.1:9", tls=False)
ID = "8b6c1d1e-0000-4000-8000-000000000001"
MOST_ITEMS = 50
"""Of a listing without an end, as the same page answers every question here."""
STATUSES = (200, 200, 200, 200, 201, 202, 204, 301, 400, 401, 403, 404, 429, 500, 503, 999)


async def _no_time(_: float) -> None:
    """Nobody waits here."""


async def _some(items: AsyncIterator[Any]) -> None:
    count = 0
    async for _ in items:
        count += 1
        if count == MOST_ITEMS:
            return


def _history(client: Client) -> History:
    async def issue() -> Any:
        return mock.Mock(jwt="a.b.c", expiration=None)

    return History(
        REGION, client.log, issue, origin=None, pacer=Pacer(None), now=lambda: 0.0, sleep=_no_time
    )  # fmt: skip


async def _pages(client: Client) -> None:
    history = _history(client)
    history._client = client
    await _some(history.pages())


def _api(client: Client) -> PlatformApi:
    return PlatformApi(client, Bearer("a-token-of-somebody"), sleep=_no_time, patience=5.0)


def _token(client: Client) -> Awaitable[Any]:
    return ClientCredentials(REGION, "id", "secret-of-it", log=client.log).issue(client)


CALLS: tuple[tuple[Callable[[Client], Awaitable[Any]], Any], ...] = (
    (_token, {"access_token": "aB3dE5fG7hI9", "token_type": "bearer", "expires_in": 86399}),
    (lambda client: _api(client).token_info(), {"organization": {"name": "x"}, "OAuthClient": {"id": ID}}),
    (lambda client: _some(_api(client).open_integrations()), {"entities": [{"id": ID}], "pageCount": 2, "nextUri": "/api"}),
    (_pages, {"entities": [{"type": "Text", "text": "hello", "id": "m", "channel": {"time": "2026-10-01T12:00:00Z"}}]}),
    (lambda client: _Ladder(client, ID, "https://a.example").documents(), {"version": "3", "status": "Active", "messenger": {"enabled": True}, "domains": ["x"]}),
    (lambda client: collect(_api(client), ID, client.log), {"entities": [{"id": "m", "normalizedMessage": {"type": "Text"}}], "participants": [{"purpose": "agent", "messages": [{"messageId": "m"}]}], "sessionId": "s"}),
    (lambda client: conversation_of(_api(client), ID), {"conversationId": ID}),
    (lambda client: _api(client).start_conversation(ID, "hello", guest="g"), {"id": "m", "conversationId": ID}),
    (lambda client: _api(client).usage("2026-10-01/2026-10-02"), {"executionId": "x", "resultsUri": "/api/v2/x", "queryStatus": "Complete", "results": [{"clientId": "c", "status200": 1}]}),
    (lambda client: _api(client).create_channel(), {"id": "x", "connectUri": "wss://streaming.x/channels/y", "expires": "2026-10-01T12:00:00.000Z"}),
    (lambda client: _api(client).available_topics(), {"entities": [{"id": "v2.x", "requiresPermissions": ["a"], "transports": ["Websocket"]}]}),
    (lambda client: _Ladder(client, ID, None)._all(_api(client)), {"entities": [{"id": ID, "name": "n", "status": "Active"}], "pageCount": 1}),
    (lambda client: fetch(client, "http://127.0.0.1:9/download/x"), {"x": 1}),
    (lambda client: _api(client).transcript(ID, timeout=1.0), [{"messages": [{"x": 1}], "mediaUri": "http://127.0.0.1:9/x"}]),
)  # fmt: skip
"""Every kind of call, and the reply it hopes for."""


async def _called(choice: int, answer: bytes) -> None:
    log = Log(redactor=Redactor(b"fuzzing"))
    async with Client(REGION, log) as client:
        client._client._transport._direct._pool._network_backend = httpcore.AsyncMockBackend([answer])  # type: ignore[attr-defined]
        async with asyncio.timeout(60):
            await CALLS[choice % len(CALLS)][0](client)
    if len(answer) % 16 == 0:  # costs more than all the rest
        log.table()


def read_reply(data: bytes) -> None:
    """Any bytes in place of an HTTP reply."""
    with asyncio.Runner() as runner:
        runner.run(_called(data[0] if data else 0, data[1:]))


def read_document(data: bytes) -> None:
    """A whole reply with any body and status."""
    choice, status = (*data[:2], 0, 0)[:2]
    body = data[2:]
    head = f"HTTP/1.1 {STATUSES[status % len(STATUSES)]} x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    with asyncio.Runner() as runner:
        runner.run(_called(choice, head.encode() + body))


def _documents() -> Sequence[bytes]:
    refusal = (
        b'{"message":"no","code":"bad.credentials","status":401,"contextId":"x","details":[],"errors":[]}'
    )
    login = b'{"error":"invalid_client","description":"client not found","error_description":"authentication failed"}'
    whole = [bytes([number, 0]) + json.dumps(hoped).encode() for number, (_, hoped) in enumerate(CALLS)]
    return [*whole, *(bytes([number, 9]) + refusal for number in range(len(CALLS))), b"\0\x08" + login]


def _replies() -> Sequence[bytes]:
    made = []
    for seed in _documents():
        body = seed[2:]
        made.append(
            seed[:1]
            + b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
            + body
        )
    made += [
        b"\x01HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/other\r\nContent-Length: 0\r\n\r\n",
        b"\x01HTTP/1.1 429 x\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n", b"\x0c" + b"HTTP/1.1 200 OK\r\n\r\nuntil the end",
        b'\x01HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\n2\r\n1}\r\n0\r\n\r\n',
        b"\x01HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00", b"\x01HTTP/1.1 100 Continue\r\n\r\n",
    ]  # fmt: skip
    return made


JSON = (b'{"', b'":', b"[", b"]", b"{", b"}", b"null", b"true", b"1e999", b"NaN", b"-1", b'"\\ud800"', b"\\u0000", b",", b'"entities":', b'"id":', b'"access_token":',
        b'"expires_in":', b'"conversationId":', b'"pageCount":', b'"nextUri":', b'"status":', b'"message":', b'"code":')  # fmt: skip
HTTP = (b"HTTP/1.1 ", b"\r\n", b"\r\n\r\n", b"Content-Length: ", b"Transfer-Encoding: chunked\r\n", b"Content-Encoding: gzip\r\n", b"Location: //[", b"Retry-After: 0\r\n",
        b"Set-Cookie: a=b\r\n", b"Connection: Upgrade\r\n", b"\x00")  # fmt: skip

TARGETS = (
    Target(name="http", read=read_reply, seeds=_replies, words=(*HTTP, *JSON)),
    Target(name="replies", read=read_document, seeds=_documents, words=JSON),
)
