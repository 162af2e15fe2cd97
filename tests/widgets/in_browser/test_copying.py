"""The copy buttons in the real JupyterLab and in Voila: by mouse and key, with and without a clipboard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Callable

CELL = "import guestlab as gl\nlab = gl.Lab(); lab"
NO_CLIPBOARD = "Object.defineProperty(navigator, 'clipboard', {value: undefined})"


def _handshake(page: Any) -> Any:
    """Run everything; the card of the third stage."""
    page.get_by_role("button", name="Run all", exact=True).click()
    handshake = page.locator(".gl-stage-handshake")
    expect(handshake).to_contain_text("HTTP/1.1 101 Switching Protocols", timeout=30_000)
    return handshake


@pytest.fixture(scope="module")
def page(jupyterlab: Any, browser: Any) -> Any:
    """A stepper, run."""
    page = jupyterlab.open(browser, "copying", [CELL])
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    _handshake(page)
    yield page
    page.close()


def test_bytes_and_code_are_copied_by_key(page: Any) -> None:
    """As they are shown, secrets masked; what became of it is said in a live region beside the button."""
    for name, begins in (
        ("Copy Request, Open", "GET /v1?deploymentId="),
        ("Copy Reply, Refused", "HTTP/1.1 401 Unauthorized\n"),
        ("Copy the code", "# Guest handshake"),
    ):
        button = page.get_by_role("button", name=name, exact=True)
        button.focus()
        page.keyboard.press("Enter")
        said = button.locator("xpath=preceding-sibling::*")
        expect(said).to_have_text("✓ copied")
        assert said.get_attribute("aria-live") == "polite"
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied.startswith(begins)
    assert copied == page.get_by_label("Code to copy").input_value()


def test_without_a_clipboard_the_text_is_selected_and_the_keys_are_named(page: Any) -> None:
    """On plain http there is none, and a browser may refuse it."""
    page.evaluate(NO_CLIPBOARD)
    button = page.get_by_role("button", name="Copy Reply, Refused", exact=True)
    button.click()
    expect(button.locator("xpath=preceding-sibling::*")).to_contain_text("press Ctrl+C")
    assert page.evaluate("String(getSelection())").startswith("HTTP/1.1 401 Unauthorized")
    page.get_by_role("button", name="Copy the code", exact=True).click()
    field = page.get_by_label("Code to copy")
    assert field.evaluate("(one) => one === document.activeElement && one.selectionEnd === one.value.length")


def test_in_voila_too(voila: Any, browser: Any, written: Callable[..., Any]) -> None:
    """The same script comes with the same style sheet."""
    written("copying_in_voila", [CELL])
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{voila.url}/voila/render/copying_in_voila.ipynb")
    _handshake(page)
    button = page.get_by_role("button", name="Copy Request, Open", exact=True)
    button.click()
    expect(button.locator("xpath=preceding-sibling::*")).to_have_text("✓ copied")
    assert "deploymentId=" in page.evaluate("navigator.clipboard.readText()")
    page.close()
