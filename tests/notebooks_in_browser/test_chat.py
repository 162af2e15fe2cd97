"""A session as a chat in the real JupyterLab: typed, clicked, uploaded; while a cell runs; saved and opened again."""

from __future__ import annotations

import json
from typing import Any

import pytest

CELLS = [
    "import guestlab as gl\nlab = gl.Lab(); session = lab.session()\nsession",
    "print('ran')",
]
EXECUTE = """async (code) => {
  const kernel = window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel;
  const future = kernel.requestExecute({code, store_history: false});
  return (await future.done).content.status;
}"""
START = EXECUTE.replace("return (await future.done).content.status;", "window.__running = future.done;")


@pytest.fixture(scope="module")
def page(jupyterlab: Any, browser: Any) -> Any:
    """A notebook with a session as the last line of a cell."""
    page = jupyterlab.open(browser, "chat", CELLS)
    page.locator(".gl-scroll").wait_for()
    yield page
    page.close()


def say(page: Any, text: str) -> None:
    """Type as a person does, without waiting for anything, and press Enter."""
    page.locator(".gl-say input:enabled").click()
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def bubble(page: Any, text: str) -> Any:
    """The bubble with these words."""
    return page.locator(".gl-bubble", has_text=text).first


def test_typing_and_clicking(page: Any) -> None:
    """Enter sends the words whole; a quick reply is a button; the newest line is in view."""
    say(page, "hello, this is typed faster than anybody can")
    bubble(page, "hello, this is typed faster than anybody can").wait_for()
    page.get_by_role("button", name="Tell me a joke").click()
    bubble(page, "A bearer token walks up").wait_for()
    assert page.get_by_label("Say").input_value() == ""
    scroll = page.locator(".gl-scroll")
    assert scroll.evaluate("(box) => Math.abs(box.scrollTop) < 2")  # at its end, where a new line comes


def test_the_keyboard_alone_is_enough(page: Any) -> None:
    """From the send box by Tab to the buttons that walk the lines; Enter and Space press them."""
    page.get_by_label("Say").click()
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Older":
            break
    newest = page.locator(".gl-inspect option").first
    newest.filter(has_text="bearer").wait_for(state="attached")  # the list is renewed once a second
    page.keyboard.press("Enter")
    page.locator(".gl-inspect", has_text="← received StructuredMessage").wait_for()
    page.keyboard.press("Space")
    page.locator(".gl-inspect", has_text="→ sent onMessage").wait_for()
    page.locator(".gl-inspect", has_text="latency").wait_for()


def test_an_input_has_a_name(page: Any) -> None:
    """Each can be found by what a screen reader calls it."""
    for name in ("Say", "Lines of the chat, newest first"):
        assert page.get_by_label(name).count() == 1, name
    page.get_by_role("tab", name="Compose a frame").click()
    for name in ("Template", "Frame (JSON)", "Address"):
        assert page.get_by_label(name).count() == 1, name
    page.get_by_role("tab", name="Frames").click()


def test_a_file_is_uploaded(page: Any) -> None:
    """Chosen in the browser's own dialogue."""
    with page.expect_file_chooser() as chooser:
        page.locator(".widget-upload").click()
    chooser.value.set_files({"name": "note.txt", "mimeType": "text/plain", "buffer": b"a note " * 500})
    page.get_by_text("(3,500 bytes)").wait_for()
    page.get_by_role("button", name="Send", exact=True).click()
    bubble(page, "I shall treasure it").wait_for()


def test_a_cell_that_runs_holds_nothing_up(page: Any) -> None:
    """Frames are painted while it blocks; words typed meanwhile are said whole, after it."""
    page.evaluate(START, "session.send('typing'); import time; time.sleep(3)")
    bubble(page, "Did you see me typing?").wait_for()
    say(page, "typed while a cell was running")
    page.evaluate("() => window.__running")
    bubble(page, "You said: typed while a cell was running").wait_for()


def test_read_only_and_start_new(page: Any) -> None:
    """The reason stands there; one click begins again."""
    assert page.evaluate(EXECUTE, "lab.sandbox.agent.disconnect(read_only=True)") == "ok"
    page.get_by_text("“Start new” begins another").wait_for()
    assert page.get_by_label("Say").is_disabled()
    page.get_by_role("button", name="Start new").click()
    page.locator(".gl-sys", has_text="New session: ready to talk.").nth(1).wait_for()
    say(page, "and on we go")  # waits until it can be typed into
    bubble(page, "You said: and on we go").wait_for()


def test_it_opens_again_without_a_kernel(jupyterlab: Any, browser: Any) -> None:
    """Saved with the notebook: the whole chat as a table, no widget state, no token."""
    cells = [
        "import guestlab as gl\nlab = gl.Lab(); session = lab.session(); session.send('hello')",
        "session.messages(quiet=0.5); session",
        "open('token.txt', 'w').write(session.guest_token)",
    ]
    page = jupyterlab.open(browser, "saved", cells)
    page.locator(".gl-scroll").wait_for()
    page.wait_for_function("() => document.querySelectorAll('.jp-InputPrompt').length >= 3")
    page.wait_for_timeout(500)
    jupyterlab.command(page, "docmanager:save")
    page.close()
    saved = (jupyterlab.folder / "saved.ipynb").read_text()
    assert (jupyterlab.folder / "token.txt").read_text() not in saved
    assert "widgets" not in json.loads(saved)["metadata"]
    for cell in (notebook := json.loads(saved))["cells"]:
        for output in cell["outputs"]:
            output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)
    (jupyterlab.folder / "again.ipynb").write_text(json.dumps(notebook))
    page = jupyterlab.open(browser, "again", run=False)
    page.locator("table", has_text="I am the sandbox bot").wait_for()
    assert page.locator(".gl-scroll").count() == 0
    page.close()
