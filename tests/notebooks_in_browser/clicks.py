"""What a person clicks in the views, wherever they are shown: JupyterLab, Notebook 7, Voila. By words, not by classes."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import expect

__all__ = ["STEPPER", "click_through_the_stages", "say_hello_and_choose", "view"]

STEPPER = "Lab at the embedded sandbox"


def view(page: Any, title: str) -> Any:
    """A view on the page, by what its heading begins with."""
    heading = page.get_by_role("heading", name=re.compile(f"^{title}"))
    return page.locator(".gl-root").filter(has=heading).first


def click_through_the_stages(stepper: Any) -> None:
    """Token, conversation, as asked, that works: each shows what it must; the refused one stays beside the open one."""
    stepper.get_by_role("button", name="Get token", exact=True).click()
    expect(stepper).to_contain_text("POST /oauth/token")  # of this run: a cell's own shows no requests
    stepper.get_by_role("button", name="Open conversation", exact=True).click()
    expect(stepper).to_contain_text("opened by Open Messaging")
    stepper.get_by_role("button", name="As asked", exact=True).click()
    expect(stepper).to_contain_text("HTTP/1.1 401 Unauthorized")
    expect(stepper).to_contain_text("upgrade.deployment-missing")
    stepper.get_by_role("button", name="That works", exact=True).click()
    expect(stepper).to_contain_text("HTTP/1.1 101 Switching Protocols")
    expect(stepper).to_contain_text("HTTP/1.1 401 Unauthorized")
    for name in (
        "Refused: client credentials token in the query",
        "Open: guest token in the first frame",
    ):
        expect(stepper.get_by_role("heading", name=name)).to_be_visible()
    expect(stepper.get_by_label("Code to copy")).to_have_value(re.compile("deploymentId"))


def say_hello_and_choose(chat: Any, *, greeted: int = 0) -> None:
    """Said with Enter; the bot offers quick replies; one is clicked and answered; its frame is looked at.

    Args:
        chat: The view.
        greeted: How often the bot has greeted already.
    """
    greetings = chat.locator(".gl-bubble", has_text="I am the sandbox bot")
    expect(greetings).to_have_count(greeted)
    chat.get_by_label("Say", exact=True).fill("hello")
    chat.get_by_label("Say", exact=True).press("Enter")
    expect(greetings).to_have_count(greeted + 1)
    chat.get_by_role("button", name="Tell me a joke").click()
    answer = "A bearer token walks up"
    expect(chat.locator(".gl-bubble", has_text=answer)).to_be_visible()
    lines = chat.get_by_label("Lines of the chat, newest first")
    expect(lines).to_contain_text(answer.replace(" ", "\u00a0"))  # as ipywidgets writes options
    lines.select_option(index=0)
    expect(chat).to_contain_text("← received StructuredMessage")
