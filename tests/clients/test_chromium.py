"""Chromium's own WebSocket against the sandbox, over TLS and by host name.

It holds a conversation; of a refused handshake it lets a page see close code 1006 and nothing else, which is
the HTML standard's own rule and why people look for the reason in vain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from playwright.sync_api import sync_playwright

from guestlab.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]

# Opens a socket, says each frame once the one before was answered as wanted, and resolves with all it saw.
TALK = """
async ({url, frames, wanted}) => new Promise((resolve) => {
  const seen = {frames: [], close: null, error: null};
  const socket = new WebSocket(url);
  let step = 0;
  socket.onopen = () => socket.send(JSON.stringify(frames[step++]));
  socket.onmessage = (event) => {
    seen.frames.push(JSON.parse(event.data));
    if (step < frames.length) socket.send(JSON.stringify(frames[step++]));
    if (seen.frames.length >= wanted) socket.close(1000);
  };
  socket.onerror = (event) => { seen.error = {type: event.type, keys: Object.keys(event)}; };
  socket.onclose = (event) => {
    seen.close = {code: event.code, reason: event.reason, clean: event.wasClean};
    resolve(seen);
  };
})
"""


@pytest.fixture(scope="module")
def chromium(require_tool: Any) -> Iterator[Any]:
    """Debian's chromium, driven by Playwright, which downloads no browser of its own here."""
    path = require_tool("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A sandbox with TLS."""
    with Sandbox(tls=True) as sandbox:
        yield sandbox


@pytest.fixture
def page(chromium: Any, sandbox: Sandbox) -> Iterator[Page]:
    """A page of the sandbox's own, so that requests carry its Origin; Chromium resolves *.localhost itself."""
    context = chromium.new_context(ignore_https_errors=True)
    page = context.new_page()
    page.goto(
        f"https://api-cdn.localhost:{sandbox.tls_port}/webdeployments/v1/deployments/"
        f"{sandbox.deployment_id}/config.json"
    )
    yield page
    context.close()


def _url(sandbox: Sandbox, query: str) -> str:
    return f"wss://webmessaging.localhost:{sandbox.tls_port}/v1{query}"


def test_chromium_holds_a_conversation(page: Page, sandbox: Sandbox) -> None:
    """SessionResponse, the echo with the same tracingId, then the bot."""
    token, tracing_id = str(uuid4()), str(uuid4())
    deployment = sandbox.deployment_id
    frames = [
        {"action": "configureSession", "deploymentId": deployment, "token": token},
        {
            "action": "onMessage",
            "token": token,
            "tracingId": tracing_id,
            "message": {"type": "Text", "text": "hello from Chromium"},
        },
    ]
    seen = page.evaluate(
        TALK, {"url": _url(sandbox, f"?deploymentId={deployment}"), "frames": frames, "wanted": 3}
    )
    configured, echo, *rest = seen["frames"]
    assert (configured["class"], configured["code"]) == ("SessionResponse", 200)
    assert (echo["tracingId"], echo["body"]["direction"]) == (tracing_id, "Inbound")
    assert any(frame["body"].get("direction") == "Outbound" for frame in rest)
    assert seen["close"]["code"] == 1000


@pytest.mark.parametrize(
    "query",
    ["", "?access_token=anything", f"?deploymentId={uuid4()}"],
    ids=["missing: 401", "token only: 401", "unknown: 403"],
)
def test_chromium_shows_a_refusal_as_1006_and_nothing_else(page: Page, sandbox: Sandbox, query: str) -> None:
    """No status, no headers, no body reach the page, whatever the refusal was."""
    seen = page.evaluate(TALK, {"url": _url(sandbox, query), "frames": [{}], "wanted": 1})
    assert seen["close"] == {"code": 1006, "reason": "", "clean": False}
    assert seen["error"] == {"type": "error", "keys": ["isTrusted"]}
    assert seen["frames"] == []
