"""The stepper in a real kernel, driven by Jupyter's own messages: a click never hangs, and cells go on answering."""

from __future__ import annotations

import os
import queue
import time
from typing import TYPE_CHECKING, Any

import pytest
from jupyter_client.manager import KernelManager

from guestlab.widgets.view import WIDGET_MIME

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.filterwarnings("ignore")  # the kernel's own client warns of its dependencies

DEADLINE = 60.0

OLDER = os.environ.get("GUESTLAB_CI_IPYKERNEL6")
"""Filled by `pip install --no-deps --target FOLDER ipykernel==6.31.0 nest_asyncio`; tests fetch nothing."""


class Kernel:
    """A kernel, its widgets' states as a browser would know them, and when each change arrived."""

    def __init__(self, **environment: str) -> None:
        self.manager = KernelManager(kernel_name="python3")
        self.manager.start_kernel(env={**os.environ, **environment})
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=DEADLINE)
        self.states: dict[str, dict[str, Any]] = {}
        self.changes: list[tuple[float, str]] = []
        """(when, the new text of an HTML widget)"""
        self.idle: set[str] = set()
        self.printed: dict[str, str] = {}

    def cell(self, code: str) -> str:
        """Queue a cell, as Run All does."""
        return self.client.execute(code, allow_stdin=False)

    def click(self, description: str) -> str:
        """Press a button, as the browser does."""
        return self._send(self._id(description), {"method": "custom", "content": {"event": "click"}})

    def enter(self, description: str, value: str) -> str:
        """Change a text, as the browser does."""
        state = {"method": "update", "state": {"value": value}, "buffer_paths": []}
        return self._send(self._id(description), state)

    def shown(self) -> str:
        """What all HTML widgets show, without the style sheet."""
        values = [str(state.get("value", "")) for state in self.states.values()]
        return "\n".join(value for value in values if not value.startswith("<style>"))

    def until(self, condition: Any, seconds: float = DEADLINE) -> None:
        """Take in what the kernel says until something holds."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"it never happened; printed: {self.printed}"
            self._take(0.05)

    def run(self, code: str) -> str:
        """Run one cell and return what it printed."""
        cell = self.cell(code)
        self.until(lambda: cell in self.idle)
        return self.printed.get(cell, "")

    def stop(self) -> None:
        """End it."""
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)

    def _take(self, seconds: float) -> None:
        try:
            message = self.client.get_iopub_msg(timeout=seconds)
        except queue.Empty:
            return
        content, parent = message["content"], message["parent_header"].get("msg_id", "")
        if message["msg_type"] == "comm_open":
            self.states[content["comm_id"]] = dict(content["data"].get("state", {}))
        elif message["msg_type"] == "comm_msg" and content["data"].get("method") in {"update", "echo_update"}:
            changed = content["data"]["state"]
            self.states.setdefault(content["comm_id"], {}).update(changed)
            self.changes.append((time.monotonic(), str(changed.get("value", ""))))
        elif message["msg_type"] == "stream":
            self.printed[parent] = self.printed.get(parent, "") + content["text"]
        elif message["msg_type"] == "error":
            self.printed[parent] = self.printed.get(parent, "") + "\n".join(content["traceback"])
        elif content.get("execution_state") == "idle":
            self.idle.add(parent)

    def _id(self, description: str) -> str:
        found = [name for name, state in self.states.items() if state.get("description") == description]
        assert len(found) == 1, f"{len(found)} widgets are called {description!r}"
        return found[0]

    def _send(self, comm_id: str, data: dict[str, Any]) -> str:
        message = self.client.session.msg("comm_msg", {"comm_id": comm_id, "data": data})
        self.client.shell_channel.send(message)
        return str(message["header"]["msg_id"])


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    """The newest kernel."""
    kernel = Kernel()
    yield kernel
    kernel.stop()


@pytest.fixture(scope="module")
def older_kernel() -> Iterator[Kernel]:
    """Ipykernel 6.31, the last that handles every message on one thread, from a folder of its own."""
    if OLDER is None:
        pytest.skip("not run: GUESTLAB_CI_IPYKERNEL6 names no folder with ipykernel 6.31 in it")
    kernel = Kernel(PYTHONPATH=OLDER)
    yield kernel
    kernel.stop()


@pytest.mark.parametrize("which", ["kernel", "older_kernel"])
def test_clicks_and_cells_do_not_wait_for_each_other(which: str, request: pytest.FixtureRequest) -> None:
    """One story, since a kernel takes a second to start: shown, painted during a cell, clicked during cells."""
    kernel: Kernel = request.getfixturevalue(which)
    _is_shown(kernel, "6.31.0" if which == "older_kernel" else "7.")
    _what_runs_is_painted_while_a_cell_sleeps(kernel)
    _a_click_during_queued_cells_works_and_every_cell_answers(kernel)
    _clicks_in_quick_succession_run_once(kernel)
    _no_secret_crossed(kernel)


def _is_shown(kernel: Kernel, version: str) -> None:
    code = (
        "import guestlab as gl, ipykernel, time\nlab = gl.Lab()\nprint(ipykernel.__version__)\ndisplay(lab)"
    )
    assert kernel.run(code).strip().startswith(version)
    kernel.until(lambda: "ready" in kernel.shown())


def _what_runs_is_painted_while_a_cell_sleeps(kernel: Kernel) -> None:
    """Changes reach the browser while the cell is still running."""
    cell = kernel.cell("lab.stepper()._start(lab.stepper().run)\ntime.sleep(3)")
    kernel.until(lambda: "HTTP/1.1 101" in kernel.shown())
    assert cell not in kernel.idle
    kernel.until(lambda: cell in kernel.idle)


def _a_click_during_queued_cells_works_and_every_cell_answers(kernel: Kernel) -> None:
    """Reset and Run all are clicked while one cell sleeps and two more wait: nothing is lost."""
    sleeping = kernel.cell("time.sleep(1); print('slept')")
    clicked = kernel.click("Reset")
    waiting = [kernel.cell(f"print(lab.handshake().ok, {number})") for number in range(2)]
    kernel.until(lambda: {sleeping, clicked, *waiting} <= kernel.idle)
    assert [kernel.printed[cell].strip() for cell in (sleeping, *waiting)] == ["slept", "True 0", "True 1"]
    kernel.until(lambda: "○ ready" in kernel.shown() and "HTTP/1.1 101" not in kernel.shown())
    clicked = kernel.click("Run all")
    kernel.until(lambda: clicked in kernel.idle, seconds=10)
    kernel.until(lambda: "HTTP/1.1 101" in kernel.shown() and "HTTP/1.1 401" in kernel.shown())


def _clicks_in_quick_succession_run_once(kernel: Kernel) -> None:
    """A hurried person: the handler returns at once each time, what runs is one thing at a time."""
    kernel.until(lambda: not _disabled(kernel, "Get token"))
    clicks = [kernel.click("Get token") for _ in range(5)]
    kernel.until(lambda: set(clicks) <= kernel.idle, seconds=10)
    kernel.until(lambda: not _disabled(kernel, "Get token") and "↻ stale" in kernel.shown())
    runs = int(kernel.run("print(lab.stepper().stages['token'].runs)"))
    assert 1 <= runs <= 5


def _no_secret_crossed(kernel: Kernel) -> None:
    secrets = kernel.run("print(lab.sandbox.client_secret, lab.tokens.client_flow.token.value)").split()
    assert len(secrets) == 2
    texts = kernel.shown() + "".join(text for _, text in kernel.changes) + str(kernel.states)
    assert not [secret for secret in secrets if secret in texts]


def _disabled(kernel: Kernel, description: str) -> bool:
    return bool(kernel.states[kernel._id(description)].get("disabled"))


CELLS = [
    "import guestlab as gl\nlab = gl.Lab()\nlab.stepper().run()\nlab",
    "lab.token()",
    "session = lab.session(); session.send('hello'); session.messages(quiet=0.5); session",
    (
        "open('secrets.txt', 'w').write(chr(10).join((lab.sandbox.client_secret, session.guest_token,"
        " lab.tokens.client_flow.token.value)));"
    ),
    "session.close(); lab.close()",
]


def _executed(folder: Path, *, store_widget_state: bool) -> Any:
    """Run the cells as for publishing."""
    from nbclient import NotebookClient
    from nbformat import v4

    notebook = v4.new_notebook(cells=[v4.new_code_cell(cell) for cell in CELLS])
    NotebookClient(
        notebook,
        timeout=60,
        kernel_name="python3",
        store_widget_state=store_widget_state,
        resources={"metadata": {"path": folder}},
    ).execute()
    return notebook


def _secrets(folder: Path) -> list[str]:
    secrets = (folder / "secrets.txt").read_text(encoding="utf-8").split()
    assert len(secrets) == 3
    return secrets


@pytest.mark.parametrize("state", [False, True])
def test_a_saved_notebook_holds_the_static_form_and_no_secret(tmp_path: Path, state: bool) -> None:
    """Text and HTML stand in the file; where the state of widgets is saved too, it holds no secret either."""
    import nbformat

    text = nbformat.writes(_executed(tmp_path, store_widget_state=state))
    assert "HTTP/1.1 101" in text
    assert WIDGET_MIME in text
    assert ("widget-state" in text) == state
    assert not [secret for secret in _secrets(tmp_path) if secret in text]


def test_a_page_made_without_a_browser_has_the_static_forms(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An offline page cannot draw a widget, and nbconvert prefers one: GUESTLAB_STATIC leaves it out."""
    from nbconvert import HTMLExporter

    monkeypatch.setenv("GUESTLAB_STATIC", "1")
    notebook = _executed(tmp_path, store_widget_state=True)
    page, _ = HTMLExporter(mathjax_url="", require_js_url="").from_notebook_node(notebook)
    assert WIDGET_MIME not in page
    assert "HTTP/1.1 101" in page
    assert "I am the sandbox bot" in page
    assert not [secret for secret in _secrets(tmp_path) if secret in page]
