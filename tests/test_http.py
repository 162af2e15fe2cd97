"""Replies without an end, slow ones and packed ones: each ends as an error, and the log has what came."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
from typing import TYPE_CHECKING

import httpcore
import pytest

from guestlab import history, http, platform_request
from guestlab.errors import NetworkError, PlatformError
from guestlab.history import History
from guestlab.http import Client
from guestlab.log import Log
from guestlab.platform_api import PlatformApi
from guestlab.protocol.pacing import Pacer
from guestlab.regions import Region
from guestlab.tokens import Bearer
from tests.scenario import run

if TYPE_CHECKING:
    from guestlab.http import Response

REGION = Region("127.0.0.1:9", tls=False)
HEAD = b"HTTP/1.1 200 OK\r\nServer: endless\r\n"


class _Backend(httpcore.AsyncMockBackend):
    """Says the same to every connection."""


def _answered(log: Log, *pieces: bytes) -> Response:
    async def ask() -> Response:
        async with Client(REGION, log) as client:
            client._client._transport._direct._pool._network_backend = _Backend(list(pieces))  # type: ignore[attr-defined]
            return await client.send("GET", f"{REGION.api_url}/x", stage="token")

    return asyncio.run(ask())


def test_a_reply_without_an_end_is_cut_and_its_head_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some megabytes too many end it; status and headers are in the log, and the text says how long."""
    monkeypatch.setattr(http, "LARGEST_REPLY", 1000)
    log = Log()
    with pytest.raises(NetworkError, match="got no answer") as caught:
        _answered(log, HEAD + b"\r\n", *[b"a" * 600] * 50)
    assert "did not end" in caught.value.why
    (response,) = [entry for entry in log.entries if entry.kind == "response"]
    assert response.http_status == 200
    assert "Server: endless" in str(response.raw)
    assert "1,000 bytes" in str(response.note)
    assert response.size == 1200, "no more was read than it takes to know"


def test_a_reply_that_unpacks_without_an_end_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """What counts is the size unpacked."""
    monkeypatch.setattr(http, "LARGEST_REPLY", 10_000)
    packed = gzip.compress(b"\0" * 1_000_000)
    head = HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    with pytest.raises(NetworkError) as caught:
        _answered(Log(), head, packed)
    assert "did not end" in caught.value.why


def test_a_packed_reply_is_read_although_none_was_asked_for() -> None:
    """A box in between may pack it; the header it came with stays in the log."""
    packed, log = gzip.compress(b'{"a":1}'), Log()
    head = HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    response = _answered(log, head, packed)
    assert response.json() == {"a": 1}
    assert "Content-Encoding: gzip" in str(log.entries[-1].raw)


def test_a_reply_that_dribbles_in_ends_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """However regularly a byte comes."""
    monkeypatch.setattr(http, "LONGEST_EXCHANGE", 0.2)

    async def dribble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"\r\n")
        while not reader.at_eof():
            writer.write(b"a")
            with contextlib.suppress(TimeoutError, OSError):
                await asyncio.wait_for(reader.read(65536), 0.01)
        writer.close()
        gone.set()

    gone = asyncio.Event()

    async def ask() -> None:
        server = await asyncio.start_server(dribble, "127.0.0.1", 0)
        region = Region(f"127.0.0.1:{server.sockets[0].getsockname()[1]}", tls=False)
        async with server, Client(region, Log()) as client:
            with pytest.raises(NetworkError, match="got no answer") as caught:
                await client.send("GET", f"{region.api_url}/x", stage="token")
            assert caught.value.why == "No answer came in time."
            await gone.wait()

    run(ask())


def test_a_platform_that_says_wait_no_time_is_asked_a_bounded_number_of_times() -> None:
    """`Retry-After: 0` with every answer was a loop without an end."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    busy = b"HTTP/1.1 429 Too Many\r\nRetry-After: 0\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

    async def ask() -> None:
        async with Client(REGION, Log()) as client:
            client._client._transport._direct._pool._network_backend = _Backend([busy])  # type: ignore[attr-defined]
            api = PlatformApi(client, Bearer("a-token-of-somebody"), sleep=sleep, patience=5.0)
            with pytest.raises(PlatformError):
                await api.token_info()

    asyncio.run(ask())
    assert waited == [platform_request.SHORTEST_DELAY] * int(5.0 / platform_request.SHORTEST_DELAY)


def _pages_of(*bodies: bytes, log: Log) -> int:
    """How many pages a history is read of, when each question is answered with the next body."""
    rest = list(bodies)

    class Pages(History):
        async def _page(self, number: int) -> list[object]:
            return [{"type": "Text", "text": (rest.pop(0) if rest else b"more %d" % number).decode()}]

    async def never() -> None:
        raise AssertionError

    async def count() -> int:
        pages = Pages(
            REGION, log, never, origin=None, pacer=Pacer(None), now=lambda: 0.0, sleep=asyncio.sleep
        )  # type: ignore[arg-type]
        return len([page async for page in pages.pages()])

    return asyncio.run(count())


def test_history_that_repeats_itself_or_never_ends_is_read_to_a_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A server that ignores the page's number is asked twice; one that goes on, so often, and the log says so."""
    log = Log()
    assert _pages_of(b"a", b"a", b"b", log=log) == 1
    monkeypatch.setattr(history, "MOST_PAGES", 7)
    assert _pages_of(log=log) == 7
    assert "beyond 7 pages" in str(log.entries[-1].note)
