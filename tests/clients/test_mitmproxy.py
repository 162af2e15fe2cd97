"""mitmproxy between guestlab and the sandbox, over TLS on both sides: its HAR tells what the client's log tells."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest

import guestlab as gl
from guestlab.handshake.har import diagnose_har
from guestlab.log import Log
from guestlab.log.reading import read
from tests.scenario import run

if TYPE_CHECKING:
    from guestlab.sandbox import Sandbox

SAID = [
    "time",
    "direction",
    "text",
    "type",
    "originating_entity",
    "content_types",
    "event_types",
    "message_id",
    "tracing_id",
    "guest_token",
    "late",
]


@dataclass
class Mitmproxy:
    """A proxy that runs, and where it writes once it has ended."""

    process: subprocess.Popen[bytes]
    port: int
    har: Path
    ca_file: Path

    def end(self) -> Path:
        """End it; return its HAR, which it writes as it ends."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)
        return self.har


@pytest.fixture
def mitmproxy(require_tool: Callable[[str], str], tmp_path: Path) -> Iterator[Callable[..., Mitmproxy]]:
    """Start mitmdump in one of its modes, with a folder and a certificate authority of its own."""
    path = require_tool("mitmdump")
    started: list[Mitmproxy] = []

    def start(*arguments: str) -> Mitmproxy:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        folder, har = tmp_path / "mitmproxy", tmp_path / "mitmproxy.har"
        settings = (f"confdir={folder}", f"hardump={har}", "termlog_verbosity=error")
        command = [path, "--listen-host", "127.0.0.1", "--listen-port", str(port), *arguments]
        for setting in settings:
            command += ["--set", setting]
        clean = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=clean)
        started.append(Mitmproxy(process, port, har, folder / "mitmproxy-ca-cert.pem"))
        _wait_for(process, port)
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait(5)


def _wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    pytest.fail(f"mitmdump did not start; its exit status is {process.poll()}")


def test_a_har_of_mitmproxy_has_the_messages_of_the_clients_own_log(
    mitmproxy: Callable[..., Mitmproxy], sandbox: Sandbox
) -> None:
    """In time, direction, words, types, ids and the tag of the guest token."""
    upstream = ("--mode", f"reverse:https://127.0.0.1:{sandbox.tls_port}", "--set", "keep_host_header=true")
    proxy = mitmproxy(*upstream, "--set", f"ssl_verify_upstream_trusted_ca={sandbox.ca_file}")
    region = gl.Region(f"localhost:{proxy.port}", tls=proxy.ca_file)
    log = Log()

    async def talk() -> None:
        async with gl.GuestSession(region, sandbox.deployment_id, log=log, limits=None) as session:
            await session.send("hello through mitmproxy — ünïcode")
            await session.typing()
            await session.send("again")
            async for message in session:
                if message.text == "You said: again":
                    break

    run(talk())
    har = read(proxy.end(), redactor=log.redactor)
    assert har.skipped == ()
    assert len(log.messages) >= 3
    pd.testing.assert_frame_equal(har.messages[SAID], log.messages[SAID])
    assert sorted(har.frames["raw"].dropna()) == sorted(log.frames["raw"].dropna())
    (upgrade,) = har.http[har.http["http_status"] == 101].itertuples()
    assert upgrade.latency_ms > 0


def test_an_attempt_through_connect_is_diagnosed_from_mitmproxys_har(
    mitmproxy: Callable[..., Mitmproxy], sandbox: Sandbox
) -> None:
    """`proxy=` asks it to CONNECT; it opens TLS, and writes what it saw."""
    proxy = mitmproxy("--set", f"ssl_verify_upstream_trusted_ca={sandbox.ca_file}")
    region = gl.Region(f"127.0.0.1:{sandbox.tls_port}", tls=proxy.ca_file)
    with gl.Lab(region, deployment_id=sandbox.deployment_id) as lab:
        attempt = lab.attempt(proxy=f"http://127.0.0.1:{proxy.port}")
        assert attempt.ok, str(attempt)
        own = lab.log.frames
    har = proxy.end()
    (diagnosis,) = diagnose_har(har)
    assert diagnosis.ok, str(diagnosis)
    frames = read(har).frames
    assert list(frames["class_name"].dropna()) == list(own["class_name"].dropna()) == ["SessionResponse"]
    assert list(frames["action"].dropna()) == ["configureSession"]
