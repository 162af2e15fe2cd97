"""The same stepper and chat in Voila: no cells, no JupyterLab, the same clicks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .clicks import STEPPER, click_through_the_stages, say_hello_and_choose, view

if TYPE_CHECKING:
    from collections.abc import Callable


def test_stages_and_chat_in_voila(voila: Any, browser: Any, written: Callable[..., Any]) -> None:
    """401 and then 101, hello and an answer to a click."""
    written("app", ["import guestlab as gl\nlab = gl.Lab()\nlab", "lab.session()"])
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.set_default_timeout(60_000)  # Voila runs the cells before it shows anything
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{voila.url}/voila/render/app.ipynb")
    view(page, STEPPER).wait_for()
    click_through_the_stages(view(page, STEPPER))
    say_hello_and_choose(view(page, "Session "))
    assert errors == []
    page.close()
