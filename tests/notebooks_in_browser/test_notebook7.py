"""The same stepper and chat in Notebook 7, which is JupyterLab's parts put together otherwise."""

from __future__ import annotations

from typing import Any

from .clicks import STEPPER, click_through_the_stages, say_hello_and_choose, view


def test_stages_and_chat_in_notebook_7(notebook7: Any, browser: Any) -> None:
    """401 and then 101, hello and an answer to a click."""
    page = notebook7.open(browser, "seven", ["import guestlab as gl\nlab = gl.Lab()\nlab", "lab.session()"])
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    assert page.evaluate("() => window.jupyterapp.name") == "Jupyter Notebook"
    click_through_the_stages(view(page, STEPPER))
    say_hello_and_choose(view(page, "Session "))
    assert errors == []
    page.close()
