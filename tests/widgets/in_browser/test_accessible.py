"""axe-core on every view, in both themes: no violation of WCAG 2.2 A or AA, and none of its best practices."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

CELLS = [
    "import guestlab as gl\nlab = gl.Lab(); lab",
    "session = lab.session(); session.send('hello'); session",
    "lab.matrix(placements=['query', 'header'])",
    "lab.log.view()",
    "lab.budgets()",
    (
        "channel = lab.channel([f'v2.routing.queues.{lab.sandbox.queue_id}.conversations.messages'])\n"
        "customer = lab.customer(); customer.send('hello'); channel.ping(); channel"
    ),
    "lab.handshake_as_asked().view()",
    "gl.Lab('mypurecloud.de')",
]
VIEWS = ("stepper", "chat", "matrix", "log", "budgets", "channel", "attempt", "stepper without credentials")

AXE = """async (number) => {
  const root = document.querySelectorAll('.gl-root')[number];
  root.id = 'judged-' + number;
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
  const found = await axe.run({include: [['#' + root.id]]}, {runOnly: {type: 'tag', values: tags}});
  return {passes: found.passes.length, violations: found.violations.flatMap(
    (one) => one.nodes.map((node) => `${one.id}: ${one.help}: ${node.html.slice(0, 160)}`))};
}"""

SMALL = """(number) => [...document.querySelectorAll('.gl-root')[number].querySelectorAll(
    'button, select, input, summary, [role=tab]')]
  .filter((one) => one.checkVisibility() && !one.closest('label'))
  .map((one) => [one.getBoundingClientRect(), one.outerHTML.slice(0, 120)])
  .filter(([box]) => box.width && box.height && (box.width < 24 || box.height < 24))
  .map(([box, html]) => `${box.width.toFixed(0)} by ${box.height.toFixed(0)} ${html}`)"""

UNNAMED = """(number) => [...document.querySelectorAll('.gl-root')[number].querySelectorAll(
    '.gl-live:not([aria-live=polite]), .gl-scroll:not([role=log])')].map((one) => one.className)"""


@pytest.fixture(scope="module")
def page(jupyterlab: Any, browser: Any) -> Any:
    """A notebook with every view, the stages run, a field and a line chosen."""
    page = jupyterlab.open(browser, "every_view", CELLS)
    page.set_viewport_size({"width": 1280, "height": 9000})
    expect(page.locator(".gl-root")).to_have_count(len(VIEWS), timeout=60_000)
    page.get_by_role("button", name="Run all", exact=True).first.click()
    expect(page.locator(".gl-stage-handshake").first).to_contain_text("101 Switching", timeout=60_000)
    page.locator(".gl-matrix").get_by_role("button", name="refused 401").first.click()
    page.locator(".gl-inspect option").first.wait_for(state="attached")
    page.get_by_role("button", name="Older").click()
    page.locator(".gl-inspect", has_text="received StructuredMessage").wait_for()
    page.locator(".gl-root").first.get_by_text("Every credential in every place").click()
    page.get_by_role("button", name="Run 17 attempts", exact=True).click()
    expect(page.locator(".gl-root").first).to_contain_text("Done: 17 of 17", timeout=60_000)
    yield page
    page.close()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_no_view_violates_wcag(page: Any, jupyterlab: Any, axe: str, dark: bool) -> None:
    """Names, roles, contrast, focus, structure: judged by axe-core, whose word for each failure is shown."""
    jupyterlab.theme(page, dark=dark)
    page.evaluate(axe)
    found = {name: page.evaluate(AXE, number) for number, name in enumerate(VIEWS)}
    assert all(judged["passes"] > 5 for judged in found.values()), found
    violations = {name: judged["violations"] for name, judged in found.items() if judged["violations"]}
    assert not violations, violations


def test_every_target_is_large_enough(page: Any) -> None:
    """24 by 24 CSS pixels (WCAG 2.2, 2.5.8); the log's pages are turned by buttons as well as by a slider."""
    small = {name: page.evaluate(SMALL, number) for number, name in enumerate(VIEWS)}
    assert not {name: found for name, found in small.items() if found}, small


def test_what_changes_is_announced_and_the_chat_is_a_log(page: Any) -> None:
    """The script in the style sheet has given every live region its role, and left no handler in the page."""
    assert page.locator(".gl-scripted").count() == len(VIEWS)
    assert [name for number in range(len(VIEWS)) for name in page.evaluate(UNNAMED, number)] == []
    assert page.locator(".gl-root [onload], .gl-root [onclick]").count() == 0
    assert page.locator(".gl-scroll").get_attribute("role") == "log"
    said = page.locator(".gl-root").first.locator(".gl-unseen")
    expect(said).to_contain_text("Handshake done")


def test_a_new_message_is_announced_while_it_is_live(page: Any) -> None:
    """The region stood there before; its words come into it."""
    said = page.locator(".gl-root").nth(1).locator(".gl-unseen")
    handle = said.element_handle()
    page.locator(".gl-say input:enabled").click()
    page.keyboard.type("how are you today")
    page.keyboard.press("Enter")
    expect(said).to_contain_text("You said: how are you today")
    assert handle.evaluate("(one) => one.isConnected && one.getAttribute('aria-live') === 'polite'")
