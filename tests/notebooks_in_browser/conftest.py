"""Notebooks in the real JupyterLab, Notebook 7 and Voila, in the real Chromium of this machine.

    page = jupyterlab.open(browser, {"demo": ["import guestlab as gl", "gl.Lab()"]})    # runs every cell

One server of each kind serves all tests of this folder, on loopback, and is ended with them. What is absent is
reported as not run; under GUESTLAB_REQUIRE_ALL=1 its absence fails. With GUESTLAB_SCREENSHOTS=folder the tests
leave pictures there, light and dark, to be looked at.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import math
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from nbformat import v4

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--no-first-run",
]
SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/docmanager-extension:plugin": {"autosave": False},
}
START_TIMEOUT = 60.0
EXPECT_TIMEOUT = 30_000  # milliseconds, of a busy machine; what holds is seen at once
SCREENSHOTS = os.environ.get("GUESTLAB_SCREENSHOTS")
"""A folder, to be given by whoever wants to look: the same tests leave their pictures there."""

_READY = """async () => {
  const app = window.jupyterapp;
  await app.restored;
  const current = app.shell.currentWidget;
  await current.context.ready;
  await current.context.sessionContext.ready;
}"""
_THEME = """async (name) => { await window.jupyterapp.commands.execute('apputils:change-theme', {theme: name}); }"""
_COMMAND = """async (name) => { await window.jupyterapp.commands.execute(name); }"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What the servers' and the browser's own libraries warn of is not ours."""
    for item in items:
        if "notebooks_in_browser" in str(item.path):
            item.add_marker(pytest.mark.filterwarnings("ignore"))


def need(name: str, *, found: bool) -> None:
    """Report something absent as not run, or fail where everything is demanded."""
    if found:
        return
    if os.environ.get("GUESTLAB_REQUIRE_ALL") == "1":
        pytest.fail(f"{name} is not installed, and GUESTLAB_REQUIRE_ALL=1 demands it")
    pytest.skip(f"not run: {name} is not installed")


def write_notebook(path: Path, cells: Sequence[str]) -> Path:
    """Write a notebook of code cells."""
    notebook = v4.new_notebook(cells=[v4.new_code_cell(cell) for cell in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, path)
    return path


@dataclass
class Server:
    """A Jupyter server or Voila, serving one folder."""

    url: str
    folder: Path
    process: subprocess.Popen[bytes]

    def stop(self) -> None:
        """End it and the kernels it started: the process group is its own."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


@dataclass
class JupyterLab(Server):
    """JupyterLab or Notebook 7, with the few things tests do to it."""

    path: str
    """Where its notebooks are, below its address."""

    def open(self, browser: Any, name: str, cells: Sequence[str] | None = None, *, run: bool = True) -> Any:
        """Open a notebook of the folder in a page of its own, after writing it, and run all its cells.

        Args:
            browser: The fixture.
            name: The notebook's name, without its ending.
            cells: Its code; None opens what is there.
            run: Whether to run it.
        """
        if cells is not None:
            write_notebook(self.folder / f"{name}.ipynb", cells)
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(30_000)
        page.goto(f"{self.url}/{self.path}/{name}.ipynb?reset")
        page.wait_for_function("() => window.jupyterapp?.shell?.currentWidget?.context?.isReady")
        page.evaluate(_READY)
        if run:
            self.command(page, "notebook:run-all-cells")
        return page

    def command(self, page: Any, name: str) -> None:
        """Run one of JupyterLab's commands, such as "docmanager:save"."""
        page.evaluate(_COMMAND, name)

    def theme(self, page: Any, *, dark: bool) -> None:
        """Change the theme."""
        page.evaluate(_THEME, "JupyterLab Dark" if dark else "JupyterLab Light")
        page.wait_for_function(
            "(dark) => document.body.dataset.jpThemeLight === (dark ? 'false' : 'true')", arg=dark
        )

    def picture(self, what: Any, name: str) -> None:
        """Take pictures of a part of a page, or of a page, in both themes; if somebody wants to look.

        Args:
            what: A locator or a page.
            name: Of the files, without "_light.png" and "_dark.png".
        """
        if not SCREENSHOTS:
            return
        page = getattr(what, "page", what)
        before = page.viewport_size
        if what is not page:  # all of it at once, however tall it is
            height = math.ceil(what.evaluate("(part) => part.scrollHeight"))
            page.set_viewport_size({"width": before["width"], "height": max(before["height"], height + 200)})
        for dark in (True, False):
            self.theme(page, dark=dark)
            page.wait_for_function(
                "() => document.getAnimations().every((one) => one.playState !== 'running')"
            )
            what.screenshot(path=f"{SCREENSHOTS}/{name}_{'dark' if dark else 'light'}.png")
        page.set_viewport_size(before)


@pytest.fixture(scope="package")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the notebooks lie."""
    return tmp_path_factory.mktemp("notebooks")


@pytest.fixture(scope="package")
def written(folder: Path) -> Callable[[str, Sequence[str]], Path]:
    """Writes a notebook of code cells into the folder."""
    return lambda name, cells: write_notebook(folder / f"{name}.ipynb", cells)


@pytest.fixture(scope="package")
def jupyterlab(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterLab]:
    """JupyterLab on a free port."""
    server = _jupyter("jupyterlab", "doc/tree", folder, tmp_path_factory.mktemp("jupyterlab"))
    yield server
    server.stop()


@pytest.fixture(scope="package")
def notebook7(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterLab]:
    """Notebook 7 on a free port: another arrangement of JupyterLab's parts, so that the same commands work."""
    server = _jupyter("notebook", "notebooks", folder, tmp_path_factory.mktemp("notebook7"))
    yield server
    server.stop()


def _jupyter(module: str, path: str, folder: Path, place: Path) -> JupyterLab:
    need(module, found=importlib.util.find_spec(module) is not None)
    (place / "overrides.json").write_text(json.dumps(SETTINGS))
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    process = _serve(
        f"{url}/api/status",
        place,
        *(module, "--no-browser", "--allow-root", f"--port={port}", "--ServerApp.port_retries=0"),
        *("--IdentityProvider.token=", "--ServerApp.disable_check_xsrf=True", "--expose-app-in-browser"),
        *(f"--LabServerApp.app_settings_dir={place}", "--LabApp.extension_manager=readonly"),
        *("--ServerApp.terminals_enabled=False", f"--ServerApp.root_dir={folder}"),
    )
    return JupyterLab(url, folder, process, path)


@pytest.fixture(scope="package")
def voila(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Voila on a free port; a notebook of the folder is at `{voila.url}/voila/render/{name}.ipynb`."""
    need("voila", found=importlib.util.find_spec("voila") is not None)
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    process = _serve(
        f"{url}/voila/static/voila.js",
        tmp_path_factory.mktemp("voila"),
        *(
            "voila",
            "--no-browser",
            f"--port={port}",
            "--Voila.ip=127.0.0.1",
            "--show_tracebacks=True",
            str(folder),
        ),
    )
    server = Server(url, folder, process)
    yield server
    server.stop()


@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    """Debian's chromium, driven by Playwright, which downloads no browser of its own here.

    A context of its own for each test would be cleaner; a page each is faster, and nothing is remembered.
    """
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=EXPECT_TIMEOUT)
    path = shutil.which("chromium")
    need("chromium", found=path is not None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _serve(url: str, place: Path, module: str, *arguments: str) -> subprocess.Popen[bytes]:
    """Start a Python module that serves, with settings and data of its own, and wait until it answers."""
    own = {
        name: str(place / name.lower())
        for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    }
    log = place / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **own},
            start_new_session=True,
        )
    deadline = time.monotonic() + START_TIMEOUT
    while True:
        try:
            urllib.request.urlopen(url, timeout=2).read()
        except urllib.error.HTTPError:
            return process
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                raise AssertionError(log.read_text(errors="replace")[-3000:]) from None
            time.sleep(0.1)
        else:
            return process
