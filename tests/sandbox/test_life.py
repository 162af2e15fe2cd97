"""Starting, stopping, ports, seeds, TLS: the sandbox as an object in somebody's program."""

from __future__ import annotations

import json
import logging
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from uuid import UUID

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from guestlab.errors import SandboxError
from guestlab.sandbox import Sandbox
from guestlab.sandbox.calls import CONTROL_HEADER
from guestlab.sandbox.routes import ROUTES

from .conftest import raw, upgrade_request


def test_the_same_seed_gives_the_same_ids_and_secrets() -> None:
    """And another seed gives others."""
    one, two, other = Sandbox(seed=7), Sandbox(seed=7), Sandbox(seed=8)
    names = ("client_id", "client_secret", "deployment_id", "user_id", "queue_id", "integration_id")
    for name in (*names, "organization_id"):
        assert getattr(one, name) == getattr(two, name) != getattr(other, name)
        if name != "client_secret":
            assert str(UUID(getattr(one, name))) == getattr(one, name)
    assert re.fullmatch(r"[\w-]{43}", one.client_secret)


def test_no_repr_shows_a_secret(sandbox: Sandbox) -> None:
    """Neither the sandbox's nor that of anything it hands out."""
    httpx.post(
        f"http://127.0.0.1:{sandbox.http_port}/oauth/token",
        data={"grant_type": "client_credentials"},
        auth=(sandbox.client_id, sandbox.client_secret),
        trust_env=False,
    )
    (token,) = sandbox.world.tokens
    things = (sandbox, sandbox.world.client, sandbox.world.tokens.values(), sandbox.world.integrations)
    text = " ".join(repr(thing) for thing in (*things, sandbox.backend_log, sandbox.gateway))
    assert sandbox.client_secret not in text
    assert token not in text


def test_a_port_in_use_says_what_why_and_what_next() -> None:
    """A typed error; the other port is given back."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for options in ({"port": port}, {"tls": True, "tls_port": port}):
            with pytest.raises(SandboxError) as caught:
                Sandbox(**options).start()
            assert str(port) in caught.value.what
            assert caught.value.why
            assert caught.value.next_step
    with Sandbox(port=port) as sandbox:
        assert sandbox.http_port == port


def test_a_port_is_free_again_after_close() -> None:
    """A new object takes over at once, also with a socket left open on the old one."""
    first = Sandbox().start()
    port = first.http_port
    url = f"ws://127.0.0.1:{port}/v1?deploymentId={first.deployment_id}"
    with connect(url, proxy=None):
        first.close()
        with Sandbox(port=port) as second:
            assert raw(second.http_port, upgrade_request("/v1")).startswith(b"HTTP/1.1 401")


def test_open_sockets_are_told_that_the_server_goes_away() -> None:
    """Close code 1001, quickly, for every socket."""
    sandbox = Sandbox().start()
    url = f"ws://127.0.0.1:{sandbox.http_port}/v1?deploymentId={sandbox.deployment_id}"
    with ExitStack() as stack:
        links = [stack.enter_context(connect(url, proxy=None)) for _ in range(5)]
        began = time.monotonic()
        sandbox.close()
        assert time.monotonic() - began < 2
        for link in links:
            with pytest.raises(ConnectionClosed) as caught:
                link.recv(5)
            assert caught.value.rcvd is not None
            assert caught.value.rcvd.code == 1001
    sandbox.close()
    with pytest.raises(SandboxError):
        _ = sandbox.http_port


def test_starting_twice_is_an_error(sandbox: Sandbox) -> None:
    """The running one is kept."""
    with pytest.raises(SandboxError):
        sandbox.start()
    assert sandbox.http_port


def test_a_closed_sandbox_can_be_started_again() -> None:
    """Same ids, other port perhaps."""
    sandbox = Sandbox()
    with sandbox:
        first = sandbox.describe()
    with sandbox:
        assert sandbox.describe()["deployment_id"] == first["deployment_id"]


def test_no_thread_is_left_behind() -> None:
    """Twenty sandboxes, no thread more than before."""
    before = threading.active_count()
    for _ in range(20):
        with Sandbox():
            pass
    assert threading.active_count() == before


def test_it_stops_at_the_interpreters_exit() -> None:
    """A forgotten sandbox neither hangs the process nor says anything."""
    code = "from guestlab.sandbox import Sandbox; s = Sandbox(tls=True).start(); print(s.ca_file)"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], check=False, capture_output=True, text=True, timeout=30
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_another_address_than_loopback_is_warned_about() -> None:
    """Loudly, and the region is still dialled on loopback."""
    with (
        pytest.warns(RuntimeWarning, match="everybody who reaches this machine"),
        Sandbox(host="0.0.0.0") as s,
    ):
        assert s.region.name == f"127.0.0.1:{s.http_port}"


def test_tls_has_every_name_and_lives_beside_plaintext() -> None:
    """Each name passes a strict client; ALPN offers no h2; the CA file is gone afterwards."""
    with Sandbox(tls=True) as sandbox:
        ca_file = sandbox.ca_file
        assert ca_file is not None
        context = ssl.create_default_context(cafile=ca_file)
        context.set_alpn_protocols(["h2", "http/1.1"])
        for name in (
            "localhost",
            *(f"{x}.localhost" for x in ("api", "login", "webmessaging", "streaming", "api-cdn", "apps")),
            "127.0.0.1",
            "::1",
        ):
            with (
                socket.create_connection(("127.0.0.1", sandbox.tls_port), timeout=5) as link,
                context.wrap_socket(link, server_hostname=name) as wrapped,
            ):
                assert wrapped.selected_alpn_protocol() == "http/1.1"
        assert raw(sandbox.http_port, upgrade_request("/v1")).startswith(b"HTTP/1.1 401")
        assert str(sandbox.region.ca_file) == str(ca_file)
        config = httpx.get(sandbox.describe()["urls"]["config"], verify=context, trust_env=False).json()
        assert config["apiEndpoint"] == f"https://127.0.0.1:{sandbox.tls_port}"
        assert ca_file.exists()
    assert not ca_file.exists()
    assert not ca_file.parent.exists()


def test_what_speaks_no_tls_does_no_harm(caplog: pytest.LogCaptureFixture) -> None:
    """Plain HTTP, half a handshake, a client that does not trust us: nothing in the log, the next one is served."""
    with Sandbox(tls=True) as sandbox, caplog.at_level(logging.WARNING):
        sandbox.world.call(lambda: sandbox._running().loop.set_debug(True))
        for data in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\xff\xff", b"\x00" * 500):
            with socket.create_connection(("127.0.0.1", sandbox.tls_port), timeout=5) as link:
                link.sendall(data)
                link.shutdown(socket.SHUT_WR)
                while link.recv(65536):
                    pass
        strict = ssl.create_default_context()
        with (
            socket.create_connection(("127.0.0.1", sandbox.tls_port), timeout=5) as link,
            pytest.raises(ssl.SSLCertVerificationError),
        ):
            strict.wrap_socket(link, server_hostname="localhost")
        context = ssl.create_default_context(cafile=sandbox.ca_file)
        url = f"https://localhost:{sandbox.tls_port}/sandbox/state"
        headers = {"Guestlab-Control-Key": sandbox.control_key}
        assert httpx.get(url, headers=headers, verify=context, trust_env=False).status_code == 200
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_the_description_is_plain_json(sandbox: Sandbox) -> None:
    """Every key of the contract."""
    description = json.loads(json.dumps(sandbox.describe()))
    assert set(description) == {
        *("region", "http_port", "tls_port", "ca_file", "client_id", "client_secret", "deployment_id"),
        *("user_id", "queue_id", "integration_id", "control_key", "urls"),
    }
    assert set(description["urls"]) == {"login", "api", "guest", "streaming", "config"}


def test_refusals_and_broken_requests_leave_no_noise(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing at warning level or above, whatever is thrown at the port; it goes on serving."""
    with caplog.at_level(logging.WARNING):
        rubbish = (
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"GET\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
            b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
            b"POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Length: nonsense\r\n\r\n",
            upgrade_request("/v1"),
            upgrade_request("/v1?deploymentId=x"),
        )
        for request in rubbish:
            with socket.create_connection(("127.0.0.1", sandbox.http_port), timeout=5) as link:
                link.sendall(request)
                link.shutdown(socket.SHUT_WR)
                while link.recv(65536):
                    pass
    noise = [record.getMessage() for record in caplog.records]
    assert noise == []
    assert raw(sandbox.http_port, upgrade_request("/v1")).startswith(b"HTTP/1.1 401")


def test_the_control_plane_wants_the_key_of_this_sandbox(sandbox: Sandbox) -> None:
    """Another's key opens nothing, not even with the same seed; what it does and does not is for all."""
    with Sandbox(seed=sandbox.world.seed) as neighbour:
        assert neighbour.client_id == sandbox.client_id
        assert neighbour.control_key != sandbox.control_key
        for headers in ({}, {CONTROL_HEADER: ""}, {CONTROL_HEADER: neighbour.control_key}):
            for way in (way for way in ROUTES if way.path.startswith("/sandbox/")):
                url = f"http://127.0.0.1:{sandbox.http_port}{way.path}"
                reply = httpx.request(way.method, url, headers=headers, trust_env=False)
                assert reply.status_code == (200 if way.path == "/sandbox/explain" else 401), way
                assert sandbox.control_key not in reply.text


def test_a_reset_keeps_the_control_key(sandbox: Sandbox) -> None:
    """Who may reset it may go on."""
    before = sandbox.control_key
    sandbox.reset(seed=9)
    assert sandbox.control_key == before
    assert before not in repr(sandbox) + repr(sandbox.world)
