"""A notebook saved, its page and its kernel gone, opened again: what was shown still stands there."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect

from .clicks import STEPPER, view

_CELLS = [
    "import guestlab as gl\nlab = gl.Lab()\nlab.handshake()\nlab",
    "session = lab.session(); session.send('hello'); session.messages(quiet=0.5); session",
    "lab.log",
]
_SHUT_DOWN = """async () => {
  const panel = window.jupyterapp.shell.currentWidget;
  await panel.context.save();
  await panel.sessionContext.shutdown();
}"""


def test_views_are_still_there_without_their_kernel(jupyterlab: Any, browser: Any) -> None:
    """While it runs the widgets alone are seen; opened again with another kernel, their static forms."""
    page = jupyterlab.open(browser, "reopened", _CELLS)
    view(page, "Log: ").wait_for()
    view(page, STEPPER).wait_for()
    expect(page.locator("[class^='gl-static-']")).to_have_count(3)
    expect(static_of(page)).to_have_count(0)
    page.evaluate(_SHUT_DOWN)
    page.close()

    page = jupyterlab.open(browser, "reopened", run=False)
    expect(static_of(page)).to_have_count(3)
    expect(static_of(page).nth(0)).to_contain_text("Lab at the embedded sandbox")
    expect(static_of(page).nth(1)).to_contain_text("I am the sandbox bot")
    expect(page.get_by_text("model not found")).to_have_count(3)  # what stood there alone before
    jupyterlab.picture(page, "reopened")
    jupyterlab.command(page, "notebook:run-all-cells")
    view(page, "Log: ").wait_for()
    expect(static_of(page)).to_have_count(0)
    page.close()


def static_of(page: Any) -> Any:
    """The static forms that can be seen."""
    return page.locator("[class^='gl-static-']").filter(visible=True)
