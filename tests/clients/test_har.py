"""HARs between guestlab and programs nobody here wrote.

Chromium driven by Playwright saves one, Chromium's own developer tools read and write one (their modules run in
a page at `devtools://`), and npm's `har-validator` judges ours by its schema of HAR 1.2.
"""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from playwright.sync_api import sync_playwright

import guestlab as gl
from guestlab.handshake.har import diagnose_har
from guestlab.log.reading import read
from guestlab.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from guestlab.log import Log

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-sync",
    "--no-first-run",
]
SESSION = """async ([url, deployment, token]) => new Promise((resolve) => {
  const seen = [];
  const socket = new WebSocket(url);
  socket.onopen = () => socket.send(JSON.stringify(
    {action: "configureSession", deploymentId: deployment, token: token}));
  socket.onmessage = (event) => {
    const frame = JSON.parse(event.data);
    seen.push(event.data);
    if (frame.class === "SessionResponse") socket.send(JSON.stringify(
      {action: "onMessage", token: token, message: {type: "Text", text: "hello"}}));
    else if ((frame.body.text || "").startsWith("What would")) socket.close(1000);
  };
  socket.onclose = () => resolve(seen);
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
        seen = page.evaluate(SESSION, [url, sandbox.deployment_id, TOKEN])
        context.close()
        browser.close()
    (diagnosis,) = diagnose_har(har)
    if right:
        assert diagnosis.ok, str(diagnosis)
        _assert_same_messages(read(har), [json.loads(frame)["body"] for frame in seen])
    else:
        assert {"upgrade.deployment-missing", "credential.oauth-on-guest-socket"} <= set(diagnosis.rules)


def _assert_same_messages(log: Log, bodies: list[dict[str, Any]]) -> None:
    """The messages of the log are those the page got."""
    said = [body for body in bodies if body.get("type") in {"Text", "Structured"}]
    assert len(said) >= 3
    assert list(log.messages["text"]) == [body["text"] for body in said]
    assert list(log.messages["direction"].astype("str")) == [body["direction"] for body in said]
    assert list(log.messages["time"]) == [pd.Timestamp(body["channel"]["time"]) for body in said]
    keys = [body["channel"].get("messageId") or body["id"] for body in said]
    assert list(log.messages["message_id"]) == keys


DEVTOOLS = """async (text) => {
  const HAR = await import('devtools://devtools/bundled/models/har/har.js');
  const root = new HAR.HARFormat.HARRoot(JSON.parse(text));
  const requests = HAR.Importer.Importer.requestsFromHARLog(root.log);
  return {
    seen: requests.map((request) => ({
      url: request.url(), status: request.statusCode, type: request.resourceType().name(),
      frames: request.frames().map((frame) => [frame.type, frame.opCode, frame.text]),
    })),
    written: {log: await HAR.Log.Log.build(requests, {sanitize: false})},
  };
}"""
"""Chromium's importer reads a HAR, and its exporter writes what was read."""


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Log, Path]]:
    """A lab's log, and the HAR it wrote."""
    with gl.Lab() as lab:
        lab.token()
        lab.handshake()
        lab.handshake_as_asked()
        with lab.session() as session:
            session.send("hello ünïcode")
        yield lab.log, lab.log.to_har(tmp_path_factory.mktemp("har") / "ours.har")


def test_chromiums_own_developer_tools_read_our_har_and_we_read_theirs(
    require_tool: Callable[[str], str], ours: tuple[Log, Path], tmp_path: Path
) -> None:
    """Every exchange and frame arrives in the network panel's model; what it writes has the same messages."""
    log, path = ours
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=require_tool("chromium"), args=FLAGS)
        page = browser.new_page()
        page.goto("devtools://devtools/bundled/devtools_app.html")
        result = page.evaluate(DEVTOOLS, path.read_text("utf-8"))
        browser.close()
    frames = [frame for request in result["seen"] for frame in request["frames"] if frame[1] == 1]
    own = log.frames[log.frames["kind"] == "frame"]
    assert [frame[2] for frame in frames] == list(own["raw"])
    assert [frame[0] == "send" for frame in frames] == list(own["direction"] == "sent")
    assert [request["url"] for request in result["seen"]] == list(log.http["url"])
    assert [request["status"] for request in result["seen"]] == list(log.http["http_status"])
    sockets = [request for request in result["seen"] if request["type"] == "websocket"]
    assert len(sockets) == 3
    theirs = tmp_path / "theirs.har"
    theirs.write_text(json.dumps(result["written"]), "utf-8")
    back = read(theirs, redactor=log.redactor)
    said = [
        "time",
        "direction",
        "text",
        "type",
        "originating_entity",
        "message_id",
        "tracing_id",
        "guest_token",
    ]
    pd.testing.assert_frame_equal(back.messages[said], log.messages[said])


VALIDATE = """
const {har} = require('har-validator');
har(JSON.parse(require('fs').readFileSync(process.argv[1], 'utf-8'))).then(
  () => console.log('valid'), (error) => console.log(JSON.stringify(error.errors)));
"""


def test_our_har_is_valid_by_an_independent_schema(
    require_tool: Callable[[str], str], ours: tuple[Log, Path]
) -> None:
    """`har-validator` finds nothing missing and nothing of a wrong type."""
    node = require_tool("node")
    found = subprocess.run(
        [node, "-e", "require('har-validator')"], capture_output=True, check=False, timeout=30
    )
    if found.returncode:
        require_tool("har-validator (npm)")
    result = subprocess.run(
        [node, "-e", VALIDATE, str(ours[1])], capture_output=True, text=True, check=True, timeout=30
    )
    assert result.stdout.strip() == "valid"
