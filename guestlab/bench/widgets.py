"""Widgets: a chat at 500 messages a second in the real JupyterLab and Chromium.

The sandbox runs here and its agent talks; the session and its chat run in a notebook's kernel, a process
of its own, and are watched in a page. Each message carries the time at which it was said; an observer in
the page notes when it stands there. So the time counted is the whole way: server, socket, log, paint, page.
Both clocks are this machine's. Meanwhile a cell runs every second, and the page's memory is taken after a
collection.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guestlab.bench import Outcome
from guestlab.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["widgets"]

MOST_MS = 250.0
"""Milliseconds from frame to screen, p95."""

MOST_CELL_MS = 1000.0
"""Milliseconds in which a cell answers, p95."""

MOST_GROWTH = 20.0
"""Megabytes by which the page's heap may grow between the beginning and the end."""

_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--enable-precise-memory-info"]

_CELL = """import guestlab as gl
from guestlab.regions import Region
session = gl.Lab({region!r}, deployment_id={deployment!r}, client_id="none", client_secret="none").session()
session.send("I am here")
session"""

_RUN = """async (code) => {
  const kernel = window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel;
  const started = performance.now();
  await kernel.requestExecute({code, store_history: false}).done;
  return performance.now() - started;
}"""

_READY = """async () => {
  const app = window.jupyterapp; await app.restored;
  const current = app.shell.currentWidget;
  await current.context.ready; await current.context.sessionContext.ready;
  await app.commands.execute('notebook:run-all-cells');
}"""

# A message may stand in two places while lines are handed over: the first counts.
_OBSERVE = r"""() => {
  window.__taken = []; window.__seen = new Set(); window.__highest = -1;
  window.__longest = 0; window.__last = performance.now();
  const look = () => requestAnimationFrame(() => {
    const now = Date.now();
    for (const words of document.querySelectorAll('.gl-words')) {
      const found = /^#(\d+) @(\d+)/.exec(words.textContent);
      if (found && !window.__seen.has(found[1])) {
        window.__seen.add(found[1]); window.__taken.push(now - +found[2]);
        window.__highest = Math.max(window.__highest, +found[1]);
      }
    }
  });
  new MutationObserver(look).observe(document.querySelector('.gl-lines'), {childList: true, subtree: true});
  setInterval(() => {
    const now = performance.now();
    window.__longest = Math.max(window.__longest, now - window.__last - 50); window.__last = now;
  }, 50);
}"""


def widgets(*, seconds: float = 60.0, a_second: int = 500) -> Outcome:
    """Let an agent say so much for so long, and watch.

    Args:
        seconds: How long.
        a_second: Messages a second.
    """
    promise = (
        f"a chat at {a_second} messages a second for {seconds:g} s: p95 from frame to screen under "
        f"{MOST_MS:g} ms, cells answer, page memory bounded"
    )
    lacking = _lacking()
    if lacking:
        return Outcome(
            name="widgets", promise=promise, met=False, facts={"not run": f"{lacking} is not installed"}
        )
    with Sandbox(limits=None) as sandbox, _jupyterlab(sandbox) as url, _page(url) as page:
        facts = _watched(sandbox, page, seconds, a_second)
    met = (
        facts["frame to screen, p95 ms"] < MOST_MS
        and facts["a cell, p95 ms"] < MOST_CELL_MS
        and facts["page heap grew by MB"] < MOST_GROWTH
        and facts["messages a second"] > 0.9 * a_second
        and facts["last one shown"]
    )
    return Outcome(name="widgets", promise=promise, met=met, facts=facts)


def _lacking() -> str:
    from importlib.util import find_spec

    if shutil.which("chromium") is None:
        return "chromium"
    return next((name for name in ("jupyterlab", "playwright", "nbformat") if find_spec(name) is None), "")


def _watched(sandbox: Sandbox, page: Any, seconds: float, a_second: int) -> dict[str, Any]:
    page.locator(".gl-bubble").first.wait_for(timeout=60_000)
    page.evaluate(_OBSERVE)
    protocol = page.context.new_cdp_session(page)
    agent = _Agent(sandbox, seconds, a_second)
    agent.start()
    page.wait_for_timeout(min(5_000, seconds * 300))  # 240 lines are on the page by then
    before = _memory(protocol)
    cells = []
    while agent.is_alive():
        cells.append(page.evaluate(_RUN, "1 + 1"))
        page.wait_for_timeout(1_000)
    agent.join()
    page.wait_for_timeout(1_500)
    after = _memory(protocol)
    taken = sorted(page.evaluate("window.__taken"))
    return {
        "messages": agent.said,
        "messages a second": round(agent.said / agent.took),
        "seen on the page": len(taken),
        "last one shown": page.evaluate("window.__highest") == agent.said - 1,
        "frame to screen, median ms": round(statistics.median(taken)),
        "frame to screen, p95 ms": round(taken[int(len(taken) * 0.95)]),
        "frame to screen, longest ms": round(taken[-1]),
        "a cell, p95 ms": round(sorted(cells)[int(len(cells) * 0.95)]),
        "page stood still for at most ms": round(page.evaluate("window.__longest")),
        "page heap MB": f"{before['heap']:.1f} at the beginning, {after['heap']:.1f} at the end",
        "page heap grew by MB": round(after["heap"] - before["heap"], 1),
        "page nodes": f"{before['nodes']:,.0f} at the beginning, {after['nodes']:,.0f} at the end",
    }


class _Agent(threading.Thread):
    """Says so much a second, in small bursts as bots do."""

    def __init__(self, sandbox: Sandbox, seconds: float, a_second: int) -> None:
        super().__init__(name="guestlab-bench-agent", daemon=True)
        self.said, self.took = 0, 1.0
        self._sandbox, self._seconds, self._a_second = sandbox, seconds, a_second

    def run(self) -> None:
        """Talk."""
        started = time.monotonic()
        while (passed := time.monotonic() - started) < self._seconds:
            while self.said < passed * self._a_second:
                words = (
                    f"#{self.said} @{time.time_ns() // 1_000_000} and some words such as an agent would say"
                )
                self._sandbox.agent.say(words)
                self.said += 1
            time.sleep(0.01)
        self.took = time.monotonic() - started


def _memory(protocol: Any) -> dict[str, float]:
    """Take the page's memory after a collection."""
    protocol.send("HeapProfiler.enable")
    protocol.send("HeapProfiler.collectGarbage")
    protocol.send("Performance.enable")
    found = {m["name"]: m["value"] for m in protocol.send("Performance.getMetrics")["metrics"]}
    return {"heap": found["JSHeapUsedSize"] / 1e6, "nodes": found["Nodes"]}


# -- the notebook -----------------------------------------------------------------------------------------


@contextlib.contextmanager
def _page(url: str) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=_FLAGS)
        try:
            page = browser.new_page(viewport={"width": 1280, "height": 1000})
            page.goto(f"{url}/doc/tree/chat.ipynb?reset")
            page.wait_for_function("() => window.jupyterapp?.shell?.currentWidget?.context?.isReady")
            page.evaluate(_READY)
            yield page
        finally:
            browser.close()


@contextlib.contextmanager
def _jupyterlab(sandbox: Sandbox) -> Iterator[str]:
    """Serve a notebook with a chat, on loopback; kernels end with it."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        _write(
            place / "chat.ipynb", _CELL.format(region=sandbox.region.name, deployment=sandbox.deployment_id)
        )
        port = _free_port()
        own = {
            name: str(place / name.lower())
            for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
        }
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and arguments
            [
                *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}"),
                *("--ServerApp.port_retries=0", "--IdentityProvider.token=", "--expose-app-in-browser"),
                *("--ServerApp.disable_check_xsrf=True", "--LabApp.extension_manager=readonly"),
                *("--ServerApp.terminals_enabled=False", f"--ServerApp.root_dir={place}"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **own},
            start_new_session=True,
        )
        try:
            _wait_for(f"http://127.0.0.1:{port}/api/status", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # its own group: the kernel it started


def _write(path: Path, code: str) -> None:
    import nbformat

    v4: Any = nbformat.v4
    notebook = v4.new_notebook(cells=[v4.new_code_cell(code)])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path.write_text(v4.writes_json(notebook), encoding="utf-8")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait_for(url: str, process: subprocess.Popen[bytes], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own loopback address
                json.load(answer)
        except (OSError, ValueError):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("JupyterLab did not come up") from None
            time.sleep(0.1)
        else:
            return
