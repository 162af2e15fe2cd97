"""Hostile text in every displayed field of every view, in the real browser: nothing runs, loads or moves."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import nbformat
import pytest
from nbconvert import HTMLExporter

import guestlab
from guestlab.widgets.view import WIDGET_MIME
from tests.widgets.chat_frames import HOSTILE

from .hostile_views import ELSEWHERE, TEXTS, VIEWS

ROOT = Path(__file__).parents[2]

CELL = f"""import sys; sys.path.insert(0, {str(ROOT)!r})
import guestlab as gl
from guestlab.bridge import bridge
from tests.widgets import chat_frames as frames
lab = gl.Lab(); session = lab.session(); chat = session.chat()
chat"""

SAY = """for frame in [*frames.hostile_frames(frames.HOSTILE[{name!r}])[:-1], frames.said("this was: " + {name!r}),
        frames.hostile_frames(frames.HOSTILE[{name!r}])[-1]]:
    bridge.loop().call_soon_threadsafe(session.core._exchange._receive, frame)
"""

CHOOSE = """listed = chat._inspector.list
listed.value = max(number for _, number in listed.options)
"""

WRITE = """import json
chat._composer.frame.value = json.dumps({{"action": frames.HOSTILE[{name!r}], frames.HOSTILE[{name!r}]: 1}})
chat._composer.address.value = frames.HOSTILE[{name!r}].encode("utf-8", "replace").decode()
"""

EXECUTE = """async (code) => {
  const kernel = window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel;
  const reply = await kernel.requestExecute({code, store_history: false}).done;
  return reply.content.status + (reply.content.evalue || '');
}"""

# What must not be there, and what must not stick out. Elements inside one that clips may be as wide as they like.
FAULTS = """(root) => {
  const faults = [];
  if (window.__pwned) faults.push('a script ran');
  const drawn = 'img:not(.gl-drawing[src^="data:image/png;base64,"])';  // our own diagrams
  const foreign = `script,iframe,object,embed,svg,${drawn},link,meta,base,audio,video,animate,math,mjx-container`;
  for (const element of root.querySelectorAll(foreign)) faults.push('element ' + element.tagName);
  for (const element of root.querySelectorAll('style'))
    if (!element.closest('.gl-style')) faults.push('a style sheet');
  const box = root.getBoundingClientRect();
  for (const element of root.querySelectorAll('*')) {
    for (const {name, value} of element.attributes) {
      if (name.startsWith('on')) faults.push('attribute ' + name);
      if (name === 'href' && !/^https?:/.test(value)) faults.push('link ' + value.slice(0, 40));
    }
    for (const kind of ['mouseover', 'mouseenter', 'focus', 'load', 'error'])
      element.dispatchEvent(new Event(kind));
    const seen = element.getBoundingClientRect();
    if (seen.width && (seen.right > box.right + 2 || seen.left < box.left - 2)) {
      let above = element.parentElement, clipped = false;
      while (above && above !== root.parentElement) {
        if (getComputedStyle(above).overflowX !== 'visible') clipped = true;
        above = above.parentElement;
      }
      if (!clipped) faults.push('sticks out: ' + element.tagName + '.' + element.className + ' ' + element.textContent.slice(0, 60));
    }
  }
  for (const element of root.querySelectorAll('.gl-scroll,.gl-choices,.gl-inspect,.gl-compose'))
    if (element.scrollWidth > element.clientWidth + 2)
      faults.push('scrolls sideways: ' + element.className + ' ' + element.scrollWidth);
  if (document.documentElement.scrollWidth > window.innerWidth + 2) faults.push('the page scrolls sideways');
  if (window.__pwned) faults.push('a script ran on an event');
  return [...new Set(faults)].slice(0, 10);
}"""

# What would turn the direction of the text around it, on the page or in a title. (An input stands by itself.)
TURNED = """(root) => [root, ...root.querySelectorAll('*')]
  .filter((one) => [one.title || '', one.textContent].some((text) => /[\\u202a-\\u202e\\u2066-\\u2069]/.test(text)))
  .map((one) => one.tagName + '.' + one.className + ' ' + (one.title || one.textContent).slice(0, 40)).slice(-3)"""

COVERED = """(root) => {
  const input = root.querySelector('.gl-say input');
  input.scrollIntoView({block: 'center'});
  const box = input.getBoundingClientRect();
  const top = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
  return top === input && box.width > 100 ? '' : 'the send box is covered by ' + (top && top.outerHTML.slice(0, 80));
}"""


class Watch:
    """What a page does that it should not."""

    def __init__(self, page: Any) -> None:
        self.seen: list[str] = []
        page.on("pageerror", lambda error: self.seen.append(f"error {error}"[:200]))
        page.on("dialog", lambda dialog: (self.seen.append(f"dialog {dialog.message}"), dialog.dismiss()))
        page.on("request", self._request)
        page.on("console", self._console)

    def _request(self, request: Any) -> None:
        address = urlsplit(request.url)
        if address.scheme not in {"data", "blob", "file"} and address.hostname != "127.0.0.1":
            self.seen.append(f"request {request.url[:80]}")

    def _console(self, message: Any) -> None:
        if message.type == "error":
            self.seen.append(f"console {message.text}"[:200])


@pytest.fixture(scope="module")
def page(jupyterlab: Any, browser: Any) -> Any:
    """A notebook with a chat in it."""
    page = jupyterlab.open(browser, "hostile", [CELL])
    page.locator(".gl-scroll").wait_for()
    page.watch = Watch(page)
    yield page
    page.close()


def executed(page: Any, code: str) -> None:
    """Run code in the notebook's kernel, without a cell."""
    assert page.evaluate(EXECUTE, code) == "ok"


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_in_a_chat_does_nothing(page: Any, name: str) -> None:
    """In bubbles, buttons, pickers, forms, the list of lines, the frames, the composer."""
    page.get_by_role("tab", name="Frames").click()
    executed(page, SAY.format(name=name))
    page.locator(".gl-words", has_text=f"this was: {name}").wait_for()
    page.locator(".gl-choices .gl-form").wait_for()
    page.wait_for_function(
        "(name) => [...document.querySelectorAll('.gl-inspect option')].some((o) => o.text.includes(name))",
        arg=f"this was: {name}".replace(" ", "\u00a0"),  # as ipywidgets writes them
    )
    executed(page, CHOOSE)
    page.locator(".gl-inspect pre").first.wait_for()
    root = page.locator(".gl-root").first
    assert root.evaluate(FAULTS) == []
    page.get_by_role("tab", name="Compose a frame").click()
    executed(page, WRITE.format(name=name))
    page.locator(".gl-address table").wait_for()
    assert root.evaluate(FAULTS) == []
    assert root.evaluate(COVERED) == ""
    assert page.watch.seen == []


def test_hostile_text_in_the_static_form_does_nothing(jupyterlab: Any, browser: Any) -> None:
    """Shown as trusted HTML, which JupyterLab does not clean and hands to MathJax."""
    show = (
        "from IPython.display import HTML\n"
        "for name in frames.HOSTILE:\n"
        "    for frame in frames.hostile_frames(frames.HOSTILE[name]):\n"
        "        bridge.loop().call_soon_threadsafe(session.core._exchange._receive, frame)\n"
        "session.messages(quiet=0.5)\n"
        'HTML("<div id=static>" + chat.html() + "</div><p id=end></p>")'
    )
    page = jupyterlab.open(browser, "hostile_static", [CELL.removesuffix("\nchat"), show], run=False)
    watch = Watch(page)
    jupyterlab.command(page, "notebook:run-all-cells")
    page.locator("#end").wait_for(state="attached")
    page.wait_for_timeout(1000)  # MathJax, were it to come, comes later
    faults = [fault for fault in page.locator("#static").evaluate(FAULTS) if "sideways" not in fault]
    assert faults == []
    assert page.locator("#static mjx-container").count() == 0
    assert watch.seen == []
    page.close()


VIEW_CELLS = [
    f"""import sys; sys.path.insert(0, {str(ROOT)!r})
import guestlab as gl
from tests.notebooks_in_browser.hostile_views import show
lab = gl.Lab(); name = None""",
    "if name: show(lab, name)",
]


def _shown_classes() -> set[str]:
    """The classes of guestlab that show themselves in a notebook."""
    found = set()
    for path in Path(guestlab.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                methods = {part.name for part in node.body if isinstance(part, ast.FunctionDef)}
                bases = {base.id for base in node.bases if isinstance(base, ast.Name)}
                if methods & {"_repr_mimebundle_", "_repr_html_"} or "LiveView" in bases:
                    found.add(node.name)
    return found


def test_every_view_is_in_the_table() -> None:
    """A new one must say how hostile text gets into it."""
    assert len(_shown_classes()) > 20
    assert _shown_classes() == {name for name in (*VIEWS, *ELSEWHERE) if " " not in name}


@pytest.fixture(scope="module")
def views(jupyterlab: Any, browser: Any) -> Any:
    """A notebook in which every view is shown again for each text."""
    page = jupyterlab.open(browser, "hostile_views", VIEW_CELLS)
    page.watch = Watch(page)
    yield page
    page.close()


@pytest.mark.parametrize("name", TEXTS)
def test_hostile_text_in_any_view_does_nothing(jupyterlab: Any, browser: Any, views: Any, name: str) -> None:
    """Static form and widget of each: no element that was not ours, no handler, no link, nothing turned round."""
    page = views
    executed(page, f"name = {name!r}")
    jupyterlab.command(page, "notebook:run-cell")
    page.locator(".hostile-end", has_text=name).wait_for(state="attached")
    forms = page.locator("div.hostile")
    assert forms.count() == len(VIEWS) - 1
    faults = {}
    for part in [*forms.all(), *page.locator(".gl-root").all()]:
        found = part.evaluate(FAULTS) + part.evaluate(TURNED)
        if "hostile" in part.get_attribute("class"):  # a static form has no style sheet: its output scrolls
            found = [fault for fault in found if not fault.startswith("sticks out")]
        if found:
            faults[part.get_attribute("data-view") or part.inner_text()[:60]] = found
    assert faults == {}
    assert page.watch.seen == []
    _the_saved_page_does_nothing(jupyterlab, browser, page)


def _the_saved_page_does_nothing(jupyterlab: Any, browser: Any, page: Any) -> None:
    """As nbconvert makes a page of what was saved, where no widget is: static forms alone."""
    jupyterlab.command(page, "docmanager:save")
    notebook = nbformat.read(jupyterlab.folder / "hostile_views.ipynb", as_version=4)
    for output in notebook.cells[1].outputs:
        output.get("data", {}).pop(WIDGET_MIME, None)
    html, _ = HTMLExporter(mathjax_url="", require_js_url="").from_notebook_node(notebook)
    saved = browser.new_page(viewport={"width": 1280, "height": 1000})
    saved.watch = Watch(saved)
    path = jupyterlab.folder / "hostile_views.html"
    path.write_text(html, encoding="utf-8")
    saved.goto(path.as_uri())
    forms = saved.locator("div.hostile")
    assert forms.count() == len(VIEWS) - 1
    faults = [fault for form in forms.all() for fault in form.evaluate(FAULTS) + form.evaluate(TURNED)]
    assert [fault for fault in faults if not fault.startswith("sticks out")] == []
    assert saved.watch.seen == []
    saved.close()
