"""Matrix, log, budgets and channel in the real JupyterLab: fields clicked, rows filtered, hostile text harmless."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

if TYPE_CHECKING:
    from conftest import JupyterLab

_PREPARED = """\
import guestlab as gl
from guestlab.widgets.budget_view import BudgetView
lab = gl.Lab()
"""
_MATRIX = "matrix = lab.matrix(placements=['query', 'header', 'cookie'])\nmatrix"
_HOSTILE = """\
hostile = "<img src=x onerror='window.pwned=1'><script>window.pwned=2</script>"
session = lab.session()
for number in range(5):
    session.send(f"hello {number}")
lab.log.record("frame", text=hostile, raw=hostile, note=hostile, session=hostile, action=hostile, url=hostile)
for number in range(300):
    lab.log.record("note", note=f"filler {number}")
view = lab.log.view()
view"""
_BUDGETS = "for number in range(5):\n    session.send(f'quick {number}')\nBudgetView(lab.log)"
_CHANNEL = """\
channel = lab.channel([f"v2.routing.queues.{lab.sandbox.queue_id}.conversations.messages"])
customer = lab.customer()
customer.send("hello")
customer.send("Talk to a human")
channel.ping()
channel"""


def test_views_are_clicked_and_filtered(jupyterlab: JupyterLab, browser: Any) -> None:
    """One notebook, four views: an attempt behind a field, refusals alone, an entry, a diagram, budgets, time."""
    page = jupyterlab.open(browser, "views", [_PREPARED, _MATRIX, _HOSTILE, _BUDGETS, _CHANNEL])
    page.set_viewport_size({"width": 1280, "height": 6000})
    matrix, log = page.locator(".gl-matrix"), page.locator(".gl-log")

    expect(matrix.get_by_role("button", name="✓ open")).to_be_visible(timeout=60_000)
    refused = matrix.get_by_role("button", name="refused 401")
    expect(refused).to_have_count(10)
    refused.nth(2).focus()
    page.keyboard.press("Enter")
    expect(matrix.get_by_role("status")).to_contain_text("client credentials in header")
    expect(matrix).to_contain_text("HTTP/1.1 401 Unauthorized")
    expect(matrix).to_contain_text("What differs from an open attempt")
    matrix.get_by_role("button", name="Sequence diagram").click()
    expect(matrix.get_by_text("The same as a table").or_(matrix.get_by_text("guestlab[plot]"))).to_be_visible(
        timeout=60_000
    )

    rows = log.get_by_label("Rows of the log").locator("option")
    expect(rows).to_have_count(100)
    log.get_by_label("Search").fill("<IMG SRC=X")
    expect(rows).to_have_count(1)
    log.get_by_label("Rows of the log").select_option(index=0)
    expect(log).to_contain_text("filled columns")
    expect(log.locator("pre").first).to_contain_text("<script>window.pwned=2</script>")
    assert page.evaluate("window.pwned") is None
    assert page.locator(".gl-root img:not(.gl-drawing)").count() == 0
    log.get_by_role("button", name="Clear filters").click()
    log.get_by_label("Only refusals").check()
    expect(log.locator(".gl-count")).to_contain_text("filtered out of")
    expect(rows.first).to_contain_text("401")
    expect(rows.first).to_have_text(re.compile("✗"))

    expect(page.locator(".gl-budgets").first.get_by_role("meter").first).to_be_visible()
    channel = page.locator(".gl-channel")
    expect(channel).to_contain_text("The newest events", timeout=60_000)
    expect(channel.get_by_role("img").nth(1)).to_have_attribute("aria-label", re.compile("of 24 hours"))

    rows.nth(3).evaluate("option => option.parentElement.scrollTop = 0")
    for name in ("matrix", "log", "budgets", "channel"):
        jupyterlab.picture(page.locator(f".gl-{name}").first, name)
    assert page.evaluate("window.pwned") is None
    page.close()
