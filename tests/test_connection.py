"""Frames cut here or read by the library: the same messages, in the same order, whatever the network does."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.utils import accept_key

from guestlab.connection import LARGEST, Connection
from guestlab.link import Link
from guestlab.log import Log
from tests.scenario import run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    Converse = Callable[[asyncio.StreamReader, asyncio.StreamWriter, str], Awaitable[None]]


TEXT, BYTES, CONTINUED, CLOSE, PING = 0x1, 0x2, 0x0, 0x8, 0x9


def _frame(content: bytes, opcode: int = TEXT, *, fin: bool = True) -> bytes:
    """A server's frame, RFC 6455 section 5.2."""
    first = bytes([opcode | (0x80 if fin else 0)])
    size = len(content)
    if size < 126:
        return first + bytes([size]) + content
    if size < 2**16:
        return first + b"\x7e" + size.to_bytes(2) + content
    return first + b"\x7f" + size.to_bytes(8) + content


GOODBYE = _frame((1000).to_bytes(2) + b"bye", CLOSE)


@contextlib.asynccontextmanager
async def _peer(converse: Converse) -> AsyncIterator[str]:
    """Serve one connection, whatever it says: reader, writer and the client's key are given."""
    over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        key = head.split(b"Sec-WebSocket-Key: ")[1].split(b"\r\n")[0].decode()
        try:
            with contextlib.suppress(OSError):
                await converse(reader, writer, key)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            over.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        async with asyncio.timeout(20):
            yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
            await over.wait()
    finally:
        server.close()
        await server.wait_closed()


async def _until_close(reader: asyncio.StreamReader) -> bytes:
    """Read the client's frames, which are short, until it closes or is gone."""
    frames = b""
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        while True:
            head = await reader.readexactly(2)
            frames += head + await reader.readexactly(4 + (head[1] & 0x7F))
            if head[0] & 0x0F == CLOSE:
                break
    return frames


async def _connected(url: str) -> Connection:
    connection = await connect(
        url,
        create_connection=Connection,
        compression=None,
        proxy=None,
        max_size=LARGEST,
        close_timeout=0.5,
        ping_interval=None,
    )
    assert isinstance(connection, Connection)
    return connection


def _received(
    segments: Sequence[bytes] | Callable[[str], Sequence[bytes]],
    *,
    receive: Callable[[Any], None] | None = None,
) -> tuple[list[str | bytes], int, bytes]:
    """What arrives of some segments, the close code, and what the client wrote after the upgrade.

    Segments follow the answer to the upgrade, unless they are made from the key and hold it.
    """
    got: list[str | bytes] = []
    wrote: list[bytes] = []

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, key: str) -> None:
        for segment in segments(key) if callable(segments) else (_accepted(key), *segments):
            writer.write(segment)
            await writer.drain()
            await asyncio.sleep(0)
        wrote.append(await _until_close(reader))

    async def scenario() -> int:
        async with _peer(converse) as url:
            link = Link(await _connected(url), Log(), "s")
            await link.read(receive or got.append)
            return link.close_code

    code = asyncio.run(scenario())
    return got, code, b"".join(wrote)


def _accepted(key: str) -> bytes:
    return (
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {accept_key(key)}\r\n\r\n"
    ).encode()


MIXED = (
    _frame(b"one")
    + _frame("zwei é 😀".encode())
    + _frame(b"p", PING)
    + _frame(b"thr", fin=False)
    + _frame(b"q", PING)
    + _frame(b"ee", CONTINUED)
    + _frame(b"four" * 100)
    + _frame(b"\x00\xff", BYTES)
    + _frame(b"")
    + _frame(b"six" * 30_000)
    + _frame(b"seven")
)
MESSAGES = ["one", "zwei é 😀", "three", "four" * 100, b"\x00\xff", "", "six" * 30_000, "seven"]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000, 10**6])
def test_messages_arrive_whole_and_in_order_however_the_bytes_are_cut(size: int) -> None:
    """Fragments, bytes, pings and long frames among them, from one byte at a time to all at once."""
    if size < 1000:  # one byte at a time through 90 kB says no more than through the short ones
        data = MIXED.replace(_frame(b"six" * 30_000), _frame(b"six")) + GOODBYE
        expected = [m if m != "six" * 30_000 else "six" for m in MESSAGES]
    else:
        data, expected = MIXED + GOODBYE, MESSAGES
    got, code, _ = _received([data[place : place + size] for place in range(0, len(data), size)])
    assert got == expected
    assert code == 1000


@pytest.mark.parametrize("early", [1, 4, 12, 10**6])
def test_what_comes_with_the_answer_to_the_upgrade_is_not_lost(early: int) -> None:
    """Part of a frame, or many, in the segment that accepts."""
    data = MIXED + GOODBYE
    got, code, _ = _received(lambda key: [_accepted(key) + data[:early], data[early:]])
    assert got == MESSAGES
    assert code == 1000


def test_a_ping_is_answered() -> None:
    """By the library, masked as a client must."""
    _, _, wrote = _received([_frame(b"", PING) + GOODBYE])
    assert wrote[0] == 0x8A


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (_frame(b"\xff\xfe"), 1007),
        (_frame(b"\xff", fin=False) + _frame(b"", CONTINUED), 1007),
        (b"\x81\x81\x00\x00\x00\x00a", 1002),  # masked by a server
        (b"\xc1\x01a", 1002),  # an extension nobody asked for
        (b"\x83\x01a", 1002),  # an opcode there is not
        (_frame(b"a", CONTINUED), 1002),
        (_frame(b"a", fin=False) + _frame(b"b"), 1002),
        (b"\x81\x7f" + (LARGEST + 1).to_bytes(8), 1009),
    ],
)
def test_what_breaks_the_protocol_closes_as_the_library_does(wrong: bytes, code: int) -> None:
    """What came before is delivered, what comes after is not."""
    got, _, wrote = _received([_frame(b"before") + wrong + _frame(b"after")])
    assert got == ["before"]
    assert _close_code(wrote) == code


def _close_code(wrote: bytes) -> int:
    assert wrote[0] == 0x88
    mask, content = wrote[2:6], wrote[6:8]
    return int.from_bytes(bytes(byte ^ mask[place] for place, byte in enumerate(content)))


def test_half_a_frame_at_the_end_is_a_cut_link() -> None:
    """1006, and nothing of it is delivered."""

    async def converse(_: asyncio.StreamReader, writer: asyncio.StreamWriter, key: str) -> None:
        writer.write(_accepted(key) + _frame(b"whole") + _frame(b"half of it")[:6])
        await writer.drain()

    async def scenario() -> None:
        async with _peer(converse) as url:
            link, got = Link(await _connected(url), Log(), "s"), list[Any]()
            await link.read(got.append)
            assert got == ["whole"]
            assert link.close_code == 1006

    run(scenario())


def test_what_a_reader_raises_cuts_the_link_and_comes_out_where_it_is_awaited() -> None:
    """Not in the event loop, which would only log it."""

    def fail(text: str | bytes) -> None:
        raise ZeroDivisionError(text)

    with pytest.raises(ZeroDivisionError, match="one"):
        (_received([_frame(b"one") + _frame(b"two")], receive=fail))


def test_a_refusal_keeps_its_body() -> None:
    """The bytes after its head are no frames."""
    head = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\n\r\nnot y"
    with pytest.raises(InvalidStatus) as refusal:
        _received(lambda _: [head, b"ou !"])
    assert refusal.value.response.body == b"not you !"


@pytest.mark.parametrize("place", range(1, 130, 9))
def test_the_answer_to_the_upgrade_may_come_in_two(place: int) -> None:
    """Wherever it is cut, also within its last line ends."""

    def halves(key: str) -> list[bytes]:
        answer = _accepted(key)
        return [answer[:-place], answer[-place:] + _frame(b"one") + GOODBYE]

    got, code, _ = _received(halves)
    assert (got, code) == (["one"], 1000)


def test_a_reader_that_lets_the_loop_go_round_gets_the_rest_afterwards() -> None:
    """As on the bridge's loop, where a blocking verb nests: nothing twice, nothing out of order."""
    connection = Connection.__new__(Connection)
    got: list[str] = []

    def read(text: str) -> None:
        got.append(text)
        if text == "one":
            connection.data_received(_frame(b"three"))

    connection.reader = read
    connection._arrived = bytearray()  # as after an upgrade
    connection.data_received(_frame(b"one") + _frame(b"two"))
    assert got == ["one", "two", "three"]


def test_messages_before_anybody_reads_wait_in_order() -> None:
    """They are in the library's queue, and what comes later stays behind them."""

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, key: str) -> None:
        writer.write(_accepted(key) + b"".join(_frame(str(number).encode()) for number in range(40)))
        await reader.readexactly(7)  # the client has looked
        writer.write(b"".join(_frame(str(number).encode()) for number in range(40, 80)) + GOODBYE)
        await _until_close(reader)

    async def scenario() -> None:
        async with _peer(converse) as url:
            connection = await _connected(url)
            assert connection.queued > 0
            await connection.send("x")
            got: list[Any] = []
            await Link(connection, Log(), "s").read(got.append)
            assert got == [str(number) for number in range(80)]

    run(scenario())
