"""Thousands of malformed requests, upgrades and frames: it goes on serving, and nobody hears a stranger."""

from __future__ import annotations

import contextlib
import json
import logging
import random
import socket
from typing import TYPE_CHECKING

from guestlab.sandbox import Sandbox

from .conftest import Guest, upgrade_request

if TYPE_CHECKING:
    import pytest

SEEDS = (
    (
        b"POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        b"Content-Length: 29\r\n\r\ngrant_type=client_credentials"
    ),
    b"GET /api/v2/tokens/me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer abc\r\n\r\n",
    b"PUT /upload/abc HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    b"OPTIONS /api/v2/x HTTP/1.1\r\nHost: x\r\nOrigin: y\r\nAccess-Control-Request-Method: GET\r\n\r\n",
)
PIECES = (
    b"\x00",
    b"\r\n",
    b"\xff\xfe",
    b"%00",
    b"HTTP/1.1",
    b"HTTP/9.9",
    b": ",
    b"A" * 9000,
    b"\r\n\r\n",
    b"-1",
)


def _mutated(data: bytes, source: random.Random) -> bytes:
    """Cut, doubled, overwritten or enriched at random places."""
    for _ in range(source.randint(1, 4)):
        place = source.randrange(len(data) + 1)
        other = source.randrange(len(data) + 1)
        data = source.choice(
            (
                data[:place] + source.choice(PIECES) + data[place:],
                data[:place] + data[place + source.randint(1, 9) :],
                data[: max(place, 1)],
                data[:place] + bytes([source.randrange(256)]) + data[place + 1 :],
                data[:place] + data[min(place, other) : max(place, other)] + data[place:],
            )
        )
    return data


def test_malformed_requests_and_upgrades_do_no_harm(caplog: pytest.LogCaptureFixture) -> None:
    """Two thousand of them; nothing in the log, no connection kept, the right answer to the next request."""
    source = random.Random(20_261_122)
    with Sandbox() as sandbox, caplog.at_level(logging.WARNING):
        upgrade = upgrade_request(f"/v1?deploymentId={sandbox.deployment_id}")
        for _ in range(2000):
            with socket.create_connection(("127.0.0.1", sandbox.http_port), timeout=10) as link:
                link.sendall(_mutated(source.choice((*SEEDS, upgrade, upgrade)), source))
                if source.random() < 0.5:
                    link.shutdown(socket.SHUT_WR)
                    link.settimeout(0.01)
                    with contextlib.suppress(TimeoutError, ConnectionResetError):
                        link.recv(65536)
        guest = Guest(sandbox)
        assert guest.say("still here?")["code"] == 200
        guest.close()
    assert [record.getMessage() for record in caplog.records] == []


def _rubbish(source: random.Random, depth: int = 0) -> object:
    """A value no client would send there."""
    flat = (None, True, -1, 1e300, "", "x", "\u0000", "\ud800", "🙃" * 50, 10**30)
    if depth > 2 or source.random() < 0.6:
        return source.choice(flat)
    if source.random() < 0.5:
        return [_rubbish(source, depth + 1) for _ in range(source.randrange(3))]
    keys = (
        "type",
        "text",
        "events",
        "content",
        "channel",
        "metadata",
        "id",
        "contentType",
        "attachment",
        "presence",
    )
    return {source.choice(keys): _rubbish(source, depth + 1) for _ in range(source.randrange(4))}


FIELDS = {
    "configureSession": ("deploymentId", "startNew", "journeyContext"),
    "configureAuthenticatedSession": ("deploymentId", "data", "startNew"),
    "onMessage": ("message", "channel", "time"),
    "onAttachment": ("fileName", "fileType", "fileSize", "attachmentId", "errorsAsJson"),
    "getAttachment": ("attachmentId",),
    "deleteAttachment": ("attachmentId",),
    "closeSession": ("closeAllConnections",),
    "echo": ("message",),
    "getJwt": ("x",),
    "getConfiguration": ("deploymentId",),
    "resumeToken": ("x",),
}


def test_rubbish_in_every_field_of_every_action_is_answered(caplog: pytest.LogCaptureFixture) -> None:
    """Three thousand frames: each gets an answer of a known class, never 5000; a stranger hears nothing."""
    source = random.Random(42)
    with Sandbox(bot=False, limits=None) as sandbox, caplog.at_level(logging.WARNING):
        stranger, guest = Guest(sandbox), Guest(sandbox)
        for number in range(3000):
            action = source.choice(list(FIELDS))
            fields = {name: _rubbish(source) for name in FIELDS[action]}
            if source.random() < 0.5 and "deploymentId" in fields:
                fields["deploymentId"] = sandbox.deployment_id
            if source.random() < 0.5 and "message" in fields:
                inner = {name: _rubbish(source) for name in ("type", "text", "content", "events", "channel")}
                fields["message"] = {
                    **inner,
                    "type": source.choice(("Text", "Event", "Structured", inner["type"])),
                }
            guest.socket.send(
                json.dumps({"action": action, "token": guest.token, "tracingId": str(number), **fields})
            )
            while True:
                frame = guest.receive()
                assert frame["code"] != 5000, (action, fields, frame)
                if frame.get("tracingId") == str(number):
                    break
            if action == "closeSession":
                guest.configure()
        assert stranger.is_silent()
        guest.close()
        stranger.close()
    assert [record.getMessage() for record in caplog.records] == []
