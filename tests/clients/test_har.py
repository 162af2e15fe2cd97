"""A HAR saved by Chromium tells the handshakes in it apart: the right one, and the question's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright

from guestlab.handshake.har import diagnose_har
from guestlab.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-sync",
    "--no-first-run",
]
SESSION = """async ([url, deployment, token]) => new Promise((resolve) => {
  const socket = new WebSocket(url);
  socket.onopen = () => socket.send(JSON.stringify(
    {action: "configureSession", deploymentId: deployment, token: token}));
  socket.onmessage = (event) => {
    const frame = JSON.parse(event.data);
    if (frame.class === "SessionResponse") socket.send(JSON.stringify(
      {action: "onMessage", token: token, message: {type: "Text", text: "hello"}}));
    else socket.close(1000);
  };
  socket.onclose = () => resolve(true);
})"""
TOKEN = "8b6c1d1e-0000-4000-8000-000000000001"


@pytest.mark.parametrize("right", [True, False], ids=["a guest session", "the question's mistake"])
def test_a_har_of_chromium_is_diagnosed(
    require_tool: Callable[[str], str], tmp_path: Path, right: bool
) -> None:
    """`ok` for the guest session; the question's findings for the token in the query."""
    har = tmp_path / "devtools.har"
    path = require_tool("chromium")
    with Sandbox() as sandbox, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        context = browser.new_context(record_har_path=har)
        page = context.new_page()
        page.goto(sandbox.region.config_url(sandbox.deployment_id))
        asked = f"{sandbox.region.guest_url('').partition('?')[0]}?access_token=w4Tj-EXAMPLE-opaque"
        url = sandbox.region.guest_url(sandbox.deployment_id) if right else asked
        page.evaluate(SESSION, [url, sandbox.deployment_id, TOKEN])
        context.close()
        browser.close()
    (diagnosis,) = diagnose_har(har)
    if right:
        assert diagnosis.ok, str(diagnosis)
    else:
        assert {"upgrade.deployment-missing", "credential.oauth-on-guest-socket"} <= set(diagnosis.rules)
