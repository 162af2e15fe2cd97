"""Targets on the wire: frames, notifications, the socket's bytes, what answers an upgrade, webhooks.

The socket is read twice, by our connection and by the library's own, and both must agree: same messages,
same close code. No network: transports and streams here are fed by hand.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import re
from typing import TYPE_CHECKING, Any
from unittest import mock

from websockets.asyncio.client import ClientConnection
from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed
from websockets.uri import parse_uri
from websockets.utils import accept_key

from guestlab.channel import NotificationChannel
from guestlab.connection import LARGEST, Connection
from guestlab.exchange import Exchange
from guestlab.handshake.attempt import Credential, Placement, Plan
from guestlab.handshake.frame_check import check_frame
from guestlab.handshake.perform import perform
from guestlab.limits import PUBLISHED
from guestlab.link import Link
from guestlab.log import Log, Redactor
from guestlab.protocol import commands as say
from guestlab.redirect_listener import RedirectListener
from guestlab.regions import Region
from guestlab.webhook import SIGNATURE_HEADER, WebhookReceiver, signature
from tests.fuzzing.target import DATA, Target

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

__all__ = ["TARGETS", "answer_to_upgrade", "frame_bytes"]

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
SECRET = "0123456789abcdef"
TEXT, BYTES, CONTINUED, CLOSE, PING, PONG = 1, 2, 0, 8, 9, 10


def run(work: Coroutine[Any, Any, object]) -> None:
    """Run something to its end, on a loop of its own."""
    with asyncio.Runner() as runner:
        runner.run(work)


def log_of_ours() -> Log:
    """A log with a fixed key, so that a run can be replayed."""
    return Log(redactor=Redactor(b"fuzzing"))


# -- frames ---------------------------------------------------------------------------------------


@functools.cache
def _samples(name: str, field: str) -> tuple[bytes, ...]:
    lines = (DATA / "frames" / name).read_text(encoding="utf-8").splitlines()
    return tuple(json.dumps(json.loads(line)[field]).encode() for line in lines)


def _frames() -> Sequence[bytes]:
    samples = [sample for sample in _samples("server.jsonl", "payload") if len(sample) < 3000]
    life = b"\n".join(sample for sample in samples if len(sample) < 400)
    return [*samples, life[:4000]]


def _texts(data: bytes) -> list[str | bytes]:
    """Lines, each a frame: text where it is UTF-8, bytes where not."""
    texts: list[str | bytes] = []
    for line in data.split(b"\n")[:50]:
        try:
            texts.append(line.decode())
        except UnicodeDecodeError:
            texts.append(line)
    return texts


def _untagged(text: object) -> str:
    """A secret that is spelt in two ways may have two tags."""
    return re.sub(r"\[masked:[0-9a-f]{8}\]", "[masked]", str(text))


def touch(thing: object) -> None:
    """Read every public attribute, also those that are made on demand."""
    for name in dir(type(thing)):
        if not name.startswith("_"):
            getattr(thing, name)
    repr(thing)


def receive_frames(data: bytes) -> None:
    """A configured session takes frame after frame; each is logged with its text."""
    run(_received(data))


async def _received(data: bytes) -> None:
    log = log_of_ours()
    exchange = Exchange(
        Region("127.0.0.1:9", tls=False), "d", "8b6c1d1e-0000-4000-8000-000000000001", origin=None, log=log,
        limits=PUBLISHED, settle=0.0, application=None, reconnect=None, authentication=None,
    )  # fmt: skip
    protocol = exchange.protocol
    protocol.connection_made()
    protocol.send(say.ConfigureSession())
    for text in _texts(data):
        before = len(log)
        exchange._receive(text)
        entry = log.entries[before]
        shown = text if isinstance(text, str) else text.decode("utf-8", "backslashreplace")
        assert _untagged(entry.raw) == _untagged(log.redact(shown)), "the text of a frame stays in the log"
        for event in protocol_events(text):
            touch(event)
        check_frame(shown)
    if len(data) % 16 == 0:  # costs more than all the rest
        log.table()
        log.messages  # noqa: B018 - a view is made by asking for it


def protocol_events(text: str | bytes) -> Sequence[object]:
    """What a frame decodes to."""
    from guestlab.protocol.decoding import decode

    events = decode(text)
    assert events, "a frame is at least one event"
    return events


def receive_notifications(data: bytes) -> None:
    """A notification channel takes frame after frame."""
    run(_notified(data))


async def _notified(data: bytes) -> None:
    log = log_of_ours()
    channel = NotificationChannel(
        mock.Mock(),
        ["v2.routing.queues.x"],
        region=Region("127.0.0.1:9", tls=False),
        log=log,
        now=lambda: 1.0,
    )
    for text in _texts(data):
        before = len(log)
        channel._receive(text)
        shown = text if isinstance(text, str) else text.decode("utf-8", "backslashreplace")
        raw = log.entries[before].raw
        assert _untagged(raw) == _untagged(log.redact(shown)), "the text of a frame stays in the log"
    for event in channel._events:
        touch(event)
    touch(channel)


def _notifications() -> Sequence[bytes]:
    topic = "v2.conversations.chats.8b6c1d1e-0000-4000-8000-000000000001"
    bodies: list[Any] = [
        {"topicName": "channel.metadata", "eventBody": {"message": "WebSocket Heartbeat"}},
        {"topicName": "channel.metadata", "eventBody": {"message": "pong"}},
        {"topicName": "v2.system.socket_closing", "eventBody": {"message": "The socket closes"}},
        {"topicName": "channel.metadata", "message": "pong"},
        {
            "topicName": topic, "version": "2",
            "eventBody": {"id": topic[-36:], "participants": [{"id": "x", "messages": [{"messageId": "m"}]}]},
            "metadata": {"CorrelationId": "c"},
        },
    ]  # fmt: skip
    return [json.dumps(body).encode() for body in bodies]


# -- the socket -------------------------------------------------------------------------------------


def frame_bytes(content: bytes, opcode: int = TEXT, *, fin: bool = True, mask: bool = False) -> bytes:
    """A frame as RFC 6455 section 5.2 has it."""
    first, masked = opcode | (0x80 if fin else 0), 0x80 if mask else 0
    size = len(content)
    if size < 126:
        head = bytes([first, masked | size])
    elif size < 2**16:
        head = bytes([first, masked | 126]) + size.to_bytes(2)
    else:
        head = bytes([first, masked | 127]) + size.to_bytes(8)
    return head + (b"\0\0\0\0" if mask else b"") + content


def answer_to_upgrade(*headers: bytes) -> bytes:
    """The 101 that fits the fixed key."""
    lines = [
        b"HTTP/1.1 101 Switching Protocols", b"Upgrade: websocket", b"Connection: Upgrade",
        b"Sec-WebSocket-Accept: " + accept_key(KEY).encode(), *headers, b"", b"",
    ]  # fmt: skip
    return b"\r\n".join(lines)


class _Transport(asyncio.Transport):
    """Goes nowhere; being closed it tells the protocol that the connection is lost."""

    def __init__(self, connection: ClientConnection) -> None:
        super().__init__()
        self.connection, self.closing = connection, False

    def write(self, data: Any) -> None:
        """Drop it."""

    def is_closing(self) -> bool:
        return self.closing

    def pause_reading(self) -> None:
        """What is fed is fed."""

    resume_reading = pause_reading

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Nothing is buffered."""

    def set_protocol(self, protocol: Any) -> None:
        """There is one."""

    def write_eof(self) -> None:
        """Nothing to end."""

    def can_write_eof(self) -> bool:
        return True

    def abort(self) -> None:
        if not self.closing:
            self.closing = True
            asyncio.get_running_loop().call_soon(self.connection.connection_lost, None)

    close = abort


def read_socket(data: bytes) -> None:
    """Our cutter and the library's parser agree about any bytes, in packets of any size."""
    size, stream = (data[0] if data else 0), data[1:]
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)] if size else [stream]
    with mock.patch("websockets.client.generate_key", return_value=KEY), asyncio.Runner() as runner:
        ours = runner.run(_read(Connection, [answer_to_upgrade(), *pieces]))
        theirs = runner.run(_read(ClientConnection, [answer_to_upgrade(), *pieces]))
    assert ours == theirs, f"{ours} is not {theirs}"


async def _read(kind: type[ClientConnection], pieces: Sequence[bytes]) -> tuple[list[str | bytes], int]:
    uri = parse_uri("ws://127.0.0.1/")
    connection = kind(
        ClientProtocol(uri, max_size=LARGEST), ping_interval=None, close_timeout=0.01, max_queue=None
    )
    transport = _Transport(connection)
    connection.connection_made(transport)
    connection.request = connection.protocol.connect()
    connection.protocol.send_request(connection.request)
    connection.data_received(pieces[0])
    got: list[str | bytes] = []
    if isinstance(connection, Connection):
        reading = asyncio.ensure_future(Link(connection, Log(), "s").read(got.append))
    else:
        reading = asyncio.ensure_future(_all(connection, got))
    await asyncio.sleep(0)
    for piece in pieces[1:]:
        if not transport.closing:
            connection.data_received(piece)
            await asyncio.sleep(0)
    if not transport.closing:
        connection.eof_received()
        transport.abort()
    await reading
    return got, connection.close_code or 1006


async def _all(connection: ClientConnection, got: list[str | bytes]) -> None:
    with contextlib.suppress(ConnectionClosed):
        while True:
            got.append(await connection.recv())


def _streams() -> Sequence[bytes]:
    mixed = b"".join(
        [
            frame_bytes(b'{"class":"StructuredMessage"}'), frame_bytes(b"thr", fin=False), frame_bytes(b"p", PING),
            frame_bytes(b"ee", CONTINUED), frame_bytes(b"\xff\0", BYTES), frame_bytes("é".encode() * 80),
            frame_bytes((1000).to_bytes(2) + b"bye", CLOSE),
        ]
    )  # fmt: skip
    return [
        b"\0" + mixed, b"\x01" + mixed, b"\x07" + mixed, b"\0" + frame_bytes(b"masked", mask=True),
        b"\0" + frame_bytes(b"\xff"), b"\x03" + frame_bytes(b"x", 3), b"\0\x81\x7f" + b"\xff" * 8,
        b"\0\x81\x7f" + (2**22 + 1).to_bytes(8), b"\0\x89\x7e\x01\x00" + b"a" * 256, b"\0" + frame_bytes(b"\x03", CLOSE),
        b"\0" + frame_bytes((5).to_bytes(2), CLOSE), b"\0" + frame_bytes(b"", CONTINUED), b"\x02\xc1\x01a",
    ]  # fmt: skip


# -- what answers an upgrade --------------------------------------------------------------------------


class _Writer:
    """Where an attempt writes: nowhere."""

    def __init__(self) -> None:
        self.transport = self

    def write(self, data: bytes) -> None:
        """Drop it."""

    close = abort = lambda self: None

    async def drain(self) -> None:
        """Nothing waits."""

    wait_closed = drain


def answer_upgrade(data: bytes) -> None:
    """An attempt tells what came back, whatever it is."""
    size, answer = (data[0] if data else 0), data[1:]
    pieces = [answer[at : at + size] for at in range(0, len(answer), size)] if size else [answer]

    async def opened(*_: Any) -> tuple[asyncio.StreamReader, _Writer]:
        reader = asyncio.StreamReader()
        for piece in pieces:
            reader.feed_data(piece)
        reader.feed_eof()
        return reader, _Writer()

    async def attempt() -> None:
        log = log_of_ours()
        plan = Plan(
            url="ws://127.0.0.1:9/v1?deploymentId=d", credential=Credential.GUEST, placement=Placement.FIRST_FRAME,
            first_frame='{"action":"configureSession","deploymentId":"d","token":"t"}',
        )  # fmt: skip
        found = await perform(plan, log, number=1, proxy="")
        assert str(found)
        assert found.verdict
        if len(data) % 16 == 0:
            found._repr_mimebundle_()
            log.table()

    with (
        mock.patch("asyncio.open_connection", opened),
        mock.patch("websockets.client.generate_key", return_value=KEY),
    ):
        run(attempt())


def _answers() -> Sequence[bytes]:
    refused = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    denied = b"HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\ndenied"
    chunked = b"HTTP/1.1 502 Bad Gateway\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    session = frame_bytes(
        b'{"type":"response","class":"SessionResponse","code":200,"body":{"connected":true}}'
    )
    error = frame_bytes(b'{"type":"response","class":"string","code":4001,"body":"no"}')
    gone = frame_bytes((1011).to_bytes(2) + b"x", CLOSE)
    opened = answer_to_upgrade()
    extended = answer_to_upgrade(b"Sec-WebSocket-Extensions: permessage-deflate")
    whole = [refused, denied, chunked, opened + session, opened + error, opened + gone, extended, opened]
    return [bytes([size]) + answer for answer in whole for size in (0, 5)]


# -- what comes to our own small servers ---------------------------------------------------------------


class _NoServer:
    """Stands where a server would listen."""

    server_address = ("127.0.0.1", 9)
    daemon_threads = True

    def __init__(self, *_: Any) -> None:
        pass

    def serve_forever(self, **_: Any) -> None:
        """Nothing to serve."""


def take_webhook(data: bytes) -> None:
    """A signed body of any kind is judged, and logged."""
    with mock.patch("guestlab.webhook._Server", _NoServer):
        log = log_of_ours()
        receiver = WebhookReceiver(SECRET, touch, log=log)
    for body in data.split(b"\n"):
        assert receiver._take("/genesys", {SIGNATURE_HEADER: signature(SECRET, body)}, body) in {200, 400}
        assert receiver._take("/genesys", {SIGNATURE_HEADER: body.decode("latin-1")}, body) == 401


def take_redirect(data: bytes) -> None:
    """Any address a browser may ask for."""
    with mock.patch("http.server.ThreadingHTTPServer", _NoServer):
        listener = RedirectListener("http://localhost:8085/callback", "state")
    target = data.decode("latin-1")
    listener._take(target)
    listener._take(f"/callback?{target}")
    repr(listener)


def _posted() -> Sequence[bytes]:
    message = {
        "id": "m1", "type": "Text", "text": "hello", "direction": "Outbound", "conversationId": "c",
        "channel": {"id": "i", "platform": "Open", "to": {"id": "customer"}, "time": "2026-10-01T12:00:00.123Z"},
    }  # fmt: skip
    return [json.dumps(message).encode(), b"{}", b"[]", b'{"id":1}\n{"id":1}']


WIRE = (b'"class":', b'"type":', b'"body":', b'"code":', b'"events":', b'"channel":', b'"StructuredMessage"',
        b'"SessionResponse"', b'"Presence"', b"null", b"{", b"}", b"[", b"]", b"\\ud800", b"1e999", b"-0")  # fmt: skip
OPENING = (b"HTTP/1.1 ", b"101 ", b"\r\n", b"\r\n\r\n", b"Content-Length: ", b"Transfer-Encoding: chunked", b"\x81", b"\x88\x02",
           b"\x7e", b"\x7f", b"Upgrade: websocket", b"Sec-WebSocket-Protocol: x")  # fmt: skip

TARGETS = (
    Target(name="frames", read=receive_frames, seeds=_frames, words=WIRE),
    Target(
        name="notifications", read=receive_notifications, seeds=_notifications,
        words=(*WIRE, b'"topicName":', b'"eventBody":', b'"channel.metadata"', b'"v2.system.socket_closing"'),
    ),
    Target(name="socket", read=read_socket, seeds=_streams, words=(b"\x81", b"\x01", b"\x80\x00", b"\x88", b"\x89", b"\x7e", b"\x7f", b"\xff")),
    Target(name="upgrade", read=answer_upgrade, seeds=_answers, words=OPENING),
    Target(name="webhook", read=take_webhook, seeds=_posted, words=WIRE),
    Target(name="redirect", read=take_redirect, seeds=lambda: [b"/callback?code=x&state=state", b"code=x&state=y"], words=(b"//[", b"state=", b"%", b"?", b"#", b"@")),
)  # fmt: skip
