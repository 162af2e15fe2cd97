"""In a real Jupyter kernel: cells queue, reading goes on between and during cells, an interrupt is survived."""

from __future__ import annotations

import queue
import time
from typing import TYPE_CHECKING

import pytest
from jupyter_client.manager import KernelManager

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.filterwarnings("ignore")  # the kernel's own client warns of its dependencies

DEADLINE = 60.0


class Kernel:
    """A kernel driven by raw messages, as JupyterLab's Run All does: without waiting for replies."""

    def __init__(self) -> None:
        self.manager = KernelManager(kernel_name="python3")
        self.manager.start_kernel()
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


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    """A kernel with a lab and a session in it."""
    kernel = Kernel()
    started = kernel.run(
        "import guestlab as gl, time\nlab = gl.Lab(); session = lab.session(); print(session.state)"
    )
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
    message = kernel.client.get_iopub_msg(timeout=DEADLINE)
    while message["msg_type"] != "stream":
        message = kernel.client.get_iopub_msg(timeout=DEADLINE)
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
