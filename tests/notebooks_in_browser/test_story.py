"""The whole story, as a person has it: the first notebook's copy in the real JupyterLab, run by keys, then clicked.

The notebook is the one that ships, laid out as `guestlab lab` does. With GUESTLAB_SCREENSHOTS=folder every chapter
leaves its pictures there; README's are made so.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from guestlab.cli import notebooks

from .clicks import STEPPER, click_through_the_stages, say_hello_and_choose, view

if TYPE_CHECKING:
    from pathlib import Path


def run_by_keys(page: Any) -> None:
    """Shift+Enter from the first cell to the last, faster than anybody; no output is waited for."""
    cells = page.evaluate("() => window.jupyterapp.shell.currentWidget.content.widgets.length")
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:enter-command-mode')")
    for _ in range(cells - 1):
        page.keyboard.press("Shift+Enter")
    page.keyboard.press("Control+Enter")


@pytest.mark.timeout(240)
def test_the_first_notebook_tells_the_whole_story(jupyterlab: Any, browser: Any, folder: Path) -> None:
    """Three stages, 401 and then 101; hello, a quick reply, its answer; a field's attempt; the refusals alone."""
    notebooks.copy_notebooks(folder / "course")
    page = jupyterlab.open(browser, "course/01_first_session", run=False)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    run_by_keys(page)
    stepper, chat = view(page, STEPPER), view(page, "Session ")
    click_through_the_stages(stepper)
    jupyterlab.picture(stepper, "stepper")
    _open_a_field(jupyterlab, view(page, "Matrix: "))
    say_hello_and_choose(chat, greeted=1)  # by the cell
    jupyterlab.picture(chat, "chat")
    _filter_the_log(jupyterlab, view(page, "Log: "))
    jupyterlab.picture(page, "notebook")
    assert errors == []
    page.close()


def _open_a_field(jupyterlab: Any, matrix: Any) -> None:
    """A field is a button; its attempt stands below with its bytes and what it lacks."""
    expect(matrix.get_by_role("button", name="✓ open").first).to_be_visible()
    matrix.get_by_role("button", name="refused 401").nth(2).click()
    expect(matrix.get_by_role("status")).to_contain_text("client credentials in header")
    expect(matrix).to_contain_text("HTTP/1.1 401 Unauthorized")
    expect(matrix).to_contain_text("What differs from an open attempt")
    jupyterlab.picture(matrix, "matrix")


def _filter_the_log(jupyterlab: Any, log: Any) -> None:
    """It opens on the refusals; then one lane, then some words; a row opens with all it holds."""
    rows = log.get_by_label("Rows of the log").locator("option")
    expect(log.get_by_role("status")).to_contain_text("filtered out of")
    expect(rows.first).to_contain_text("✗")
    expect(rows.filter(has_not_text="✗")).to_have_count(0)
    log.get_by_label("Only refusals").uncheck()
    expect(rows.filter(has_not_text="✗").first).to_contain_text("#")
    log.get_by_label("Lane").select_option("frame")
    expect(rows.filter(has_not_text=re.compile(r"frame\s"))).to_have_count(0)
    expect(rows.filter(has_text=re.compile(r"frame\s200")).first).to_contain_text("received")
    log.get_by_label("Rows of the log").select_option(index=0)
    expect(log).to_contain_text("filled columns")
    jupyterlab.picture(log, "log")
    log.get_by_label("Search").fill("bearer token walks up")
    expect(rows).to_have_count(1)
