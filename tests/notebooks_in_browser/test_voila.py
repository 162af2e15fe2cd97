"""The same stepper in Voila: no cells, no JupyterLab, the same clicks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Callable


def test_three_stages_in_voila(voila: Any, browser: Any, written: Callable[..., Any]) -> None:
    """401 and then 101, and every request beside its reply."""
    written("app", ["import guestlab as gl\nlab = gl.Lab()\nlab"])
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.goto(f"{voila.url}/voila/render/app.ipynb")
    page.get_by_role("button", name="Run all", exact=True).click()
    handshake = page.locator(".gl-stage-handshake")
    expect(handshake).to_contain_text("HTTP/1.1 401 Unauthorized", timeout=20_000)
    expect(handshake).to_contain_text("HTTP/1.1 101 Switching Protocols", timeout=20_000)
    expect(page.locator(".gl-stage-token")).to_contain_text("POST /oauth/token")
    page.close()
