"""The notebooks as they are stored, where nothing runs: nbconvert's pages in the browser, looked at as a reader would."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from nbconvert import HTMLExporter

from tests.store_notebooks import FOLDER

from .conftest import SCREENSHOTS

if TYPE_CHECKING:
    from pathlib import Path

NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))

EMPTY = """() => [...document.querySelectorAll('.jp-OutputArea-output')]
  .filter((one) => one.getBoundingClientRect().height < 5 || !(one.innerText.trim() || one.querySelector('img')))
  .map((one) => one.outerHTML.slice(0, 200))"""
SIDEWAYS = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_stored_notebook_reads_well(path: Path, browser: Any, tmp_path: Path) -> None:
    """No script error, no output without anything in it, nothing wider than the page, on a telephone neither."""
    html, _ = HTMLExporter(mathjax_url="", require_js_url="").from_notebook_node(
        nbformat.read(path, as_version=4)
    )
    (tmp_path / "page.html").write_text(html, encoding="utf-8")
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto((tmp_path / "page.html").as_uri())
    outputs = page.locator(".jp-OutputArea-output")
    assert outputs.count() >= 5
    assert page.evaluate(EMPTY) == []
    assert page.evaluate(SIDEWAYS) <= 0
    if SCREENSHOTS:
        page.screenshot(path=f"{SCREENSHOTS}/static_{path.stem}.png", full_page=True)
    page.set_viewport_size({"width": 420, "height": 900})
    assert page.evaluate(SIDEWAYS) <= 0
    assert errors == []
    page.close()
