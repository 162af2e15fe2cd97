"""Snippets of attempts that went through a proxy, or trusted an authority of one's own, go the same way."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from guestlab.handshake.attempt import Attempt, Plan
from guestlab.handshake.perform import perform
from guestlab.log import Log
from guestlab.sandbox import Sandbox
from guestlab.snippets import FORMATS, snippet

from .clients.conftest import tool
from .handshake.test_dialling import PASSWORD, connect_proxy

RUNS = {
    "python": [sys.executable],
    "curl": ["bash"],
    "wscat": ["bash"],
    "http": ["bash"],
    "guestlab": [sys.executable],
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """One that speaks TLS."""
    with Sandbox(tls=True) as running:
        yield running


def _plan(sandbox: Sandbox) -> Plan:
    frame = f'{{"action": "configureSession", "deploymentId": "{sandbox.deployment_id}", "token": "{sandbox.user_id}"}}'
    url = f"wss://127.0.0.1:{sandbox.tls_port}/v1?deploymentId={sandbox.deployment_id}"
    return Plan(url=url, first_frame=frame)


def _environment(**more: str) -> dict[str, str]:
    plain = {
        name: value
        for name, value in os.environ.items()
        if "proxy" not in name.lower() and name != "SSL_CERT_FILE"
    }
    return {**plain, **more}


@pytest.mark.parametrize("format_", RUNS)
def test_a_snippet_goes_through_the_attempts_proxy(sandbox: Sandbox, format_: str, tmp_path: Path) -> None:
    """With the authority the attempt was given, and no variable set."""
    if format_ in {"curl", "wscat"}:
        tool(format_)

    async def go() -> tuple[int, str, list[str]]:
        async with connect_proxy() as proxy:
            way = f"http://me:{PASSWORD}@127.0.0.1:{proxy['port']}"
            attempt = await perform(_plan(sandbox), Log(), number=1, ca_file=sandbox.ca_file, proxy=way)
            assert attempt.ok, attempt
            path = tmp_path / "attempt"
            path.write_text(snippet(attempt, format_))
            seen = len(proxy["heads"])
            environment = _environment(
                NODE_EXTRA_CA_CERTS=str(sandbox.ca_file), SSL_CERT_FILE=str(sandbox.ca_file)
            )
            if format_ in {"python", "curl", "guestlab"}:
                del environment["SSL_CERT_FILE"]  # they know the file
            done = await asyncio.create_subprocess_exec(
                *RUNS[format_], str(path), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment
            )
            text = (await asyncio.wait_for(done.communicate(), 30))[0].decode()
            return done.returncode or 0, text, proxy["heads"][seen:]

    status, text, heads = asyncio.run(go())
    assert heads, text
    assert heads[0].startswith("CONNECT 127.0.0.1:"), text
    assert "101" in text or "SessionResponse" in text, text
    if format_ in {"python", "guestlab"}:
        assert status == 0, text


@pytest.fixture(scope="module")
def through(sandbox: Sandbox) -> Attempt:
    """An attempt, as if it had gone through a proxy."""
    return asyncio.run(perform(_plan(sandbox), Log(), number=1, ca_file=sandbox.ca_file, proxy=""))


@pytest.mark.parametrize("format_", FORMATS)
def test_every_snippet_names_the_proxy_and_no_credentials(through: Attempt, format_: str) -> None:
    """What a tool cannot do is said in its head."""
    text = snippet(replace(through, proxy="https://proxy.example:3128"), format_)
    assert "proxy.example" in text
    assert PASSWORD not in text
    assert "proxy" not in snippet(through, format_).replace("no proxy", "")


@pytest.mark.parametrize("format_", ["python", "guestlab"])
@pytest.mark.parametrize(
    "facts", [{"proxy": "https://p.example:1"}, {"ca_file": "/a \"b'$c.pem"}, {"ca_file": None}]
)
def test_python_snippets_stay_python(through: Attempt, format_: str, facts: dict[str, Any]) -> None:
    """Whatever the file is called."""
    compile(snippet(replace(through, **facts), format_), "snippet", "exec")


def test_a_file_with_an_odd_name_stays_one_word(through: Attempt, tmp_path: Path) -> None:
    """Nothing in it is read by the shell."""
    odd = "/tmp/$(touch x) 'y'.pem"
    path = tmp_path / "attempt.sh"
    path.write_text(snippet(replace(through, ca_file=odd), "curl"))
    listed = path.read_text().replace("curl \\\n", "printf '%s\\n' \\\n")
    done = subprocess.run(
        ["bash", "-c", listed], capture_output=True, text=True, env=_environment(), timeout=10, check=True
    )
    assert odd in done.stdout.splitlines()
