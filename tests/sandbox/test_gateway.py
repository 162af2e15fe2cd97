"""The gateway's table, row by row: exact status line, headers, body, and what the backend saw."""

from __future__ import annotations

from typing import Any

import pytest

from guestlab.errors import SandboxError
from guestlab.limits import Limits
from guestlab.sandbox import Sandbox
from guestlab.sandbox.gateway import DENY, TABLE

from .conftest import ACCEPT, raw, upgrade_request

EMPTY_401 = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
EMPTY_404 = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
DENIED = (
    b"HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: 68\r\nConnection: close\r\n\r\n"
    + DENY.encode()
)
TOO_MANY = (
    b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 60\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
)
OPEN = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: " + ACCEPT.encode() + b"\r\n\r\n"
)


def _main(sandbox: Sandbox) -> str:
    return f"/v1?deploymentId={sandbox.deployment_id}"


def _inactive(sandbox: Sandbox) -> str:
    return f"/v1?deploymentId={sandbox.deployments.add(status='Inactive').id}"


def _switched_off(sandbox: Sandbox) -> str:
    return f"/v1?deploymentId={sandbox.deployments.add(messenger=False).id}"


def _restricted(sandbox: Sandbox) -> str:
    return f"/v1?deploymentId={sandbox.deployments.add(allowed_domains=['shop.example']).id}"


def _used_up(sandbox: Sandbox) -> str:
    path = _main(sandbox)
    assert raw(sandbox.http_port, upgrade_request(path)) == OPEN
    assert raw(sandbox.http_port, upgrade_request(path)) == OPEN
    return path


# name, row, how the path is made, extra headers, host, exact bytes
CASES: tuple[tuple[str, str, Any, tuple[str, ...], str, bytes], ...] = (
    ("other path", "path.unknown", lambda s: _main(s).replace("/v1", "/v2"), (), "x", EMPTY_404),
    ("other service's host", "path.unknown", _main, (), "api.localhost", EMPTY_404),
    ("no query", "deployment.missing", lambda _: "/v1", (), "x", EMPTY_401),
    ("empty id", "deployment.missing", lambda _: "/v1?deploymentId=", (), "x", EMPTY_401),
    ("blank id", "deployment.missing", lambda _: "/v1?deploymentId=%20", (), "x", EMPTY_401),
    ("token instead", "deployment.missing", lambda _: "/v1?token=abc", (), "x", EMPTY_401),
    ("no such id", "deployment.unknown", lambda _: "/v1?deploymentId=InvalidDeploymentId", (), "x", DENIED),
    ("inactive", "deployment.inactive", _inactive, (), "x", DENIED),
    ("messenger off", "deployment.inactive", _switched_off, (), "x", DENIED),
    ("no origin", "origin.blocked", _restricted, (), "x", DENIED),
    ("other origin", "origin.blocked", _restricted, ("Origin: https://evil.example",), "x", DENIED),
    ("lookalike", "origin.blocked", _restricted, ("Origin: https://notshop.example",), "x", DENIED),
    ("listed origin", "open", _restricted, ("Origin: https://shop.example",), "x", OPEN),
    ("subdomain", "open", _restricted, ("Origin: https://WWW.shop.example:8443",), "x", OPEN),
    ("bare host", "open", _restricted, ("Origin: shop.example",), "x", OPEN),
    ("too many", "connections.too-many", _used_up, (), "x", TOO_MANY),
    ("plain", "open", _main, (), "x", OPEN),
    ("by name", "open", _main, (), "webmessaging.localhost:8443", OPEN),
    ("upper-case id", "open", lambda s: f"/v1?deploymentId={s.deployment_id.upper()}", (), "x", OPEN),
    ("token in query", "open", lambda s: _main(s) + "&access_token=abc&token=def", (), "x", OPEN),
    ("token in header", "open", _main, ("Authorization: Bearer abc",), "x", OPEN),
    ("token in cookie", "open", _main, ("Cookie: token=abc",), "x", OPEN),
    ("token as subprotocol", "open", _main, ("Sec-WebSocket-Protocol: bearer, abc",), "x", OPEN),
    ("compression offered", "open", _main, ("Sec-WebSocket-Extensions: permessage-deflate",), "x", OPEN),
    ("as the Java SDK", "open", _main, ("Content-Length: 0", "deploymentId: x"), "x", OPEN),
    ("application named", "open", lambda s: _main(s) + "&application=TransportSDK-2.14.0", (), "x", OPEN),
)


@pytest.mark.parametrize(("name", "condition", "path", "headers", "host", "answer"), CASES)
def test_the_gateway_answers_byte_for_byte(
    name: str, condition: str, path: Any, headers: tuple[str, ...], host: str, answer: bytes
) -> None:
    """Status with reason phrase, headers, body; the backend log has nothing of a refusal."""
    limits = Limits(connections_per_minute_per_deployment=2)
    with Sandbox(limits=limits if name == "too many" else Limits()) as sandbox:
        target = path(sandbox)
        before = len(sandbox.backend_log)
        assert raw(sandbox.http_port, upgrade_request(target, *headers, host=host)) == answer
        row = sandbox.gateway[condition]
        assert answer.startswith(f"HTTP/1.1 {row.status} ".encode())
        assert answer.endswith(row.body.encode())
        news = [record.what for record in sandbox.backend_log[before:]]
        news = [what for what in news if what != "socket closed"]
        assert news == (["socket opened"] if row.seen else [])


def test_every_row_has_a_case() -> None:
    """No row of the table stands untested."""
    assert {case[1] for case in CASES} == {row.condition for row in TABLE}


def test_every_row_says_how_well_it_is_known() -> None:
    """Level and source are there, and only what opens is seen by a backend."""
    for row in TABLE:
        assert row.level in {"official", "documented", "measured", "inferred"}
        assert row.source
        assert row.when
        assert row.seen == (row.status == 101)


def test_a_row_can_be_set_otherwise(sandbox: Sandbox) -> None:
    """Another status, body and headers; reset brings the table back."""
    sandbox.gateway.set("deployment.missing", status=403, body="no", headers=(("X-Why", "because"),))
    expected = b"HTTP/1.1 403 Forbidden\r\nX-Why: because\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno"
    assert raw(sandbox.http_port, upgrade_request("/v1")) == expected
    assert sandbox.gateway["deployment.missing"].level == "set by hand"
    sandbox.reset()
    assert raw(sandbox.http_port, upgrade_request("/v1")) == EMPTY_401
    with pytest.raises(SandboxError, match=r"Did you mean deployment\.missing"):
        sandbox.gateway.set("deployment.mising", status=200)
    with pytest.raises(SandboxError, match="cannot have colour"):
        sandbox.gateway.set("open", colour="red")


def test_what_only_looks_like_an_upgrade_is_answered(sandbox: Sandbox) -> None:
    """A POST with upgrade headers, a missing key, an old version: an HTTP answer, never a dropped link."""
    path = _main(sandbox).encode()
    head = b"Host: x\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\n"
    version = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 7\r\n"
    cases = (
        (b"POST " + path + b" HTTP/1.1\r\n" + head + b"Content-Length: 0\r\n\r\n", b"404"),
        (b"GET " + path + b" HTTP/1.1\r\n" + head + b"\r\n", b"400"),
        (b"GET " + path + b" HTTP/1.1\r\n" + head + version + b"\r\n", b"400"),
        (upgrade_request(path.decode(), "Content-Length: 5") + b"hello", b"400"),
        (b"GET " + path + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"404"),
    )
    for request, status in cases:
        answer = raw(sandbox.http_port, request)
        assert answer.startswith(b"HTTP/1.1 " + status), (request, answer)


def test_a_frame_sent_together_with_the_upgrade_is_not_lost(sandbox: Sandbox) -> None:
    """Impatient clients do that; the masked text frame behind the head is answered."""
    import json
    import socket

    payload = json.dumps({"action": "echo", "token": "t", "message": {"type": "Text", "text": "early"}})
    data = payload.encode()
    frame = bytes([0x81, 0x80 | len(data), 0, 0, 0, 0]) + data
    with socket.create_connection(("127.0.0.1", sandbox.http_port), timeout=5) as link:
        link.sendall(upgrade_request(_main(sandbox)) + frame)
        answer = b""
        while b"early" not in answer:
            chunk = link.recv(65536)
            assert chunk, answer
            answer += chunk
    assert answer.startswith(OPEN)
