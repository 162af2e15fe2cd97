"""In a real Jupyter kernel: cells queue, reading goes on between and during cells, an interrupt is survived.

Told of ipykernel 7 here, and in one story each of the older ipykernel and of another Python, where they are found.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.filterwarnings("ignore")  # the kernel's own client warns of its dependencies

DEADLINE = 60.0

OLDER = os.environ.get("GUESTLAB_CI_IPYKERNEL6")
"""A folder with ipykernel 6.31 alone in it, for this Python."""
OTHER_PYTHON = os.environ.get("GUESTLAB_CI_PYTHON313")
"""A Python 3.13 with guestlab and ipykernel 7 installed."""
OTHER_OLDER = os.environ.get("GUESTLAB_CI_PYTHON313_IPYKERNEL6")
"""A folder with ipykernel 6.31 alone in it, for that one."""


class Kernel:
    """A kernel driven by raw messages, as JupyterLab's Run All does: without waiting for replies.

    Args:
        python: The interpreter that runs it.
        specs: A folder in which the kernel's specification is written.
        packages: A folder whose packages go before the installed ones.
    """

    def __init__(self, python: str, specs: Path, packages: str | None = None) -> None:
        (specs / "tested").mkdir(exist_ok=True)
        spec = {
            "argv": [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            "display_name": "tested",
            "language": "python",
        }
        (specs / "tested" / "kernel.json").write_text(json.dumps(spec))
        found = KernelSpecManager(kernel_dirs=[str(specs)], ensure_native_kernel=False)
        self.manager = KernelManager(kernel_name="tested", kernel_spec_manager=found)
        self.manager.start_kernel(env={**os.environ, **({"PYTHONPATH": packages} if packages else {})})
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=DEADLINE)

    def send(self, code: str) -> str:
        """Queue a cell."""
        return self.client.execute(code)

    def reply(self, message_id: str) -> str:
        """Wait for a cell's reply and return its status."""
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            message = self.client.get_shell_msg(timeout=DEADLINE)
            if message["parent_header"].get("msg_id") == message_id:
                return str(message["content"]["status"])
        raise AssertionError("the cell was never answered")

    def printed(self, message_id: str) -> str:
        """Collect what a cell printed, until it is idle."""
        text = ""
        while True:
            try:
                message = self.client.get_iopub_msg(timeout=DEADLINE)
            except queue.Empty:
                raise AssertionError("the cell never ended") from None
            if message["parent_header"].get("msg_id") != message_id:
                continue
            if message["msg_type"] == "stream":
                text += message["content"]["text"]
            if message["msg_type"] == "error":
                text += message["content"]["ename"]
            if message["content"].get("execution_state") == "idle":
                return text

    def run(self, code: str) -> str:
        """Run one cell and return what it printed."""
        return self.printed(self.send(code))

    def stop(self) -> None:
        """End it."""
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)

    def until(self, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait for a message."""
        while True:
            try:
                message: dict[str, Any] = self.client.get_iopub_msg(timeout=DEADLINE)
            except queue.Empty:
                raise AssertionError("it never came") from None
            if holds(message):
                return message


BEGIN = "import guestlab as gl, time\nlab = gl.Lab(); session = lab.session(); print(session.state)"


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """A kernel with a lab and a session in it."""
    kernel = Kernel(sys.executable, tmp_path_factory.mktemp("specs"))
    started = kernel.run(BEGIN)
    assert "configured" in started, started
    yield kernel
    kernel.stop()


def test_queued_cells_all_run(kernel: Kernel) -> None:
    """Three cells sent at once, each with blocking calls: none is lost, which nest_asyncio on the kernel's loop would do."""
    cells = [kernel.send(f"print(session.send('hello {number}').text)") for number in range(3)]
    assert [kernel.printed(cell).strip() for cell in cells] == [f"hello {number}" for number in range(3)]


def test_reading_goes_on_while_a_cell_blocks_and_between_cells(kernel: Kernel) -> None:
    """The bot's answer arrives during a sleeping cell, and its entry says so."""
    kernel.run(
        "from guestlab.bridge import bridge\nstart = time.time_ns()\n"
        "bridge.spawn(session.core.send('hello')); time.sleep(1.5)\nend = time.time_ns()"
    )
    code = (
        "print(sum(start < entry.at < end for entry in lab.log.entries "
        "if entry.message_direction == 'Outbound') > 0)"
    )
    assert kernel.run(code).strip() == "True"


def test_an_interrupt_leaves_the_session_usable(kernel: Kernel) -> None:
    """The stop button ends the cell; the next one works."""
    waiting = kernel.send("print('waiting', flush=True)\nsession.next(gl.events.SessionExpired, timeout=60)")
    kernel.until(lambda message: message["msg_type"] == "stream")
    kernel.manager.interrupt_kernel()
    assert "KeyboardInterrupt" in kernel.printed(waiting)
    assert kernel.run("print(session.send('still here').text)").strip() == "still here"


def test_top_level_await_works_beside_it(kernel: Kernel) -> None:
    """The async core runs on the kernel's own loop too, which nothing has patched."""
    code = (
        "async with gl.GuestSession(lab.region, lab.deployment_id, log=lab.log) as own:\n"
        "    print((await own.send('from the kernel loop')).text)"
    )
    assert kernel.run(code).strip() == "from the kernel loop"


@pytest.mark.parametrize(
    ("python", "packages", "version"),
    [
        pytest.param(sys.executable, OLDER, "6.31", id="this Python, ipykernel 6"),
        pytest.param(OTHER_PYTHON, None, "7.", id="Python 3.13, ipykernel 7"),
        pytest.param(OTHER_PYTHON, OTHER_OLDER, "6.31", id="Python 3.13, ipykernel 6"),
    ],
)
def test_it_never_hangs_elsewhere_either(
    python: str | None, packages: str | None, version: str, tmp_path: Path
) -> None:
    """Blocking cells, a view painted while another cell runs, an interrupt: one kernel each, so one story."""
    if python is None:
        pytest.skip("not run: GUESTLAB_CI_PYTHON313 names no Python 3.13")
    if version.startswith("6") and packages is None:
        pytest.skip("not run: no folder with ipykernel 6.31 in it was named")
    kernel = Kernel(python, tmp_path, packages)
    try:
        found = kernel.run("import sys, ipykernel; print(sys.version_info[:2], ipykernel.__version__)")
        assert version in found
        assert ("(3, 13)" in found) == (python == OTHER_PYTHON)
        assert "configured" in kernel.run(BEGIN)
        cells = [kernel.send(f"print(session.send('hello {number}').text)") for number in range(3)]
        assert [kernel.printed(cell).strip() for cell in cells] == [f"hello {number}" for number in range(3)]
        kernel.run("display(session)")
        _a_view_is_painted_while_a_cell_runs(kernel)
        waiting = kernel.send(
            "print('waiting', flush=True)\nsession.next(gl.events.SessionExpired, timeout=60)"
        )
        kernel.until(lambda message: message["msg_type"] == "stream")
        kernel.manager.interrupt_kernel()
        assert "KeyboardInterrupt" in kernel.printed(waiting)
        assert kernel.run("print(session.send('still here').text)").strip() == "still here"
    finally:
        kernel.stop()


def _a_view_is_painted_while_a_cell_runs(kernel: Kernel) -> None:
    """The bot's joke is on its way to the browser before the cell, which waits for that alone, has ended."""
    cell = kernel.send(
        "from guestlab.bridge import bridge\nbridge.spawn(session.core.send('tell me a joke'))\n"
        "until = time.monotonic() + 30\n"
        "while 'bearer token walks' not in session.chat()._newest.value and time.monotonic() < until:\n"
        "    time.sleep(0.05)\nprint('painted' if time.monotonic() < until else 'too late')"
    )
    kernel.until(
        lambda message: message["msg_type"] == "comm_msg" and "bearer token walks" in str(message["content"])
    )
    assert kernel.printed(cell).strip() == "painted"
