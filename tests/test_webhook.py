"""The webhook receiver: signatures first, each message once, everything in the log, no secret in it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from guestlab.errors import InputError
from guestlab.log import Log
from guestlab.webhook import LARGEST, SIGNATURE_HEADER, WebhookReceiver, is_signed, signature

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guestlab.protocol.messages import Message

SECRET = "a-signature-secret-token"


def _message(number: int = 1, **changes: Any) -> bytes:
    document = {
        "id": f"m-{number}",
        "channel": {"time": "2026-11-22T10:00:00.000Z", "to": {"id": "guest-42", "idType": "Opaque"}},
        "conversationId": "c-1",
        "direction": "Outbound",
        "originatingEntity": "Human",
        "type": "Text",
        "text": "Hi Ada",
        **changes,
    }
    return json.dumps(document).encode()


def _post(url: str, body: bytes, header: str | None) -> int:
    request = urllib.request.Request(url, data=body, headers={"Content-Type": "application/json"})
    if header is not None:
        request.add_header(SIGNATURE_HEADER, header)
    try:
        with urllib.request.urlopen(request, timeout=10) as reply:
            return int(reply.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@pytest.fixture
def log() -> Log:
    """A log of its own."""
    return Log()


@pytest.fixture
def taken() -> list[Message]:
    """What the receiver handed on."""
    return []


@pytest.fixture
def receiver(log: Log, taken: list[Message]) -> Iterator[WebhookReceiver]:
    """A receiver on a free port."""
    receiver = WebhookReceiver(SECRET, taken.append, log=log)
    yield receiver
    receiver.close()


def test_the_signature_is_base64_of_the_raw_body() -> None:
    """Computed here independently, byte by byte as documented."""
    digest = hmac.new(SECRET.encode(), _message(), hashlib.sha256).digest()
    assert signature(SECRET, _message()) == "sha256=" + base64.b64encode(digest).decode()
    assert is_signed(SECRET, _message(), signature(SECRET, _message()))


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "sha256=",
        "sha256=" + hmac.new(SECRET.encode(), _message(), hashlib.sha256).hexdigest(),
        signature("another-secret-token", _message()),
        signature(SECRET, _message(2)),
        "sha256=ä",
    ],
)
def test_a_wrong_signature_is_refused(
    receiver: WebhookReceiver, taken: list[Message], log: Log, header: str | None
) -> None:
    """Hexadecimal, of another secret, of another body, missing: 401, and nothing is handed on."""
    given = header.encode("latin-1").decode("latin-1") if header else header
    assert _post(receiver.url, _message(), given) == 401
    assert taken == []
    assert log.messages.empty
    assert list(log.http["http_status"]) == [401]


def test_a_signed_message_is_taken_once(receiver: WebhookReceiver, taken: list[Message], log: Log) -> None:
    """A second try of the same id is answered with 200 and not handed on again."""
    for _ in range(2):
        assert _post(receiver.url, _message(), signature(SECRET, _message())) == 200
    assert _post(receiver.url, _message(2), signature(SECRET, _message(2))) == 200
    assert [message.id for message in taken] == ["m-1", "m-2"]
    messages = log.messages
    assert list(messages["direction"]) == ["Outbound", "Outbound"]
    assert set(messages["conversation_id"]) == {"c-1"}
    assert SECRET not in "".join(log.table()["raw"].dropna())


def test_events_and_receipts_are_no_words(receiver: WebhookReceiver, taken: list[Message], log: Log) -> None:
    """They are handed on, and stand in the log, but not among the messages."""
    typing = _message(3, type="Event", text=None, events=[{"eventType": "Typing"}])
    assert _post(receiver.url, typing, signature(SECRET, typing)) == 200
    assert [message.type for message in taken] == ["Event"]
    assert log.messages.empty


@pytest.mark.parametrize(("path", "body", "status"), [("/other", b"{}", 404), ("/genesys", b"[]", 400)])
def test_what_is_no_message_is_refused(
    receiver: WebhookReceiver, taken: list[Message], path: str, body: bytes, status: int
) -> None:
    """Another path, or no JSON object."""
    url = receiver.url.replace("/genesys", path)
    assert _post(url, body, signature(SECRET, body)) == status
    assert taken == []


def test_a_body_without_bounds_is_not_read(receiver: WebhookReceiver) -> None:
    """Too long by its own words, or of no told length: refused before a byte of it is read."""
    host, port = receiver.url.removeprefix("http://").partition("/")[0].split(":")
    for head, status in ((f"Content-Length: {LARGEST + 1}", b"413"), ("X: y", b"411")):
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(f"POST /genesys HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n".encode())
            assert connection.recv(100).split()[1] == status


def test_a_taken_port_is_said() -> None:
    """With what to do."""
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(InputError, match="another port"):
        WebhookReceiver(SECRET, print, log=Log(), port=server.getsockname()[1])
