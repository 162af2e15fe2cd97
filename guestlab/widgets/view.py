"""What every view is: a plain object with a widget where there is a kernel, and static HTML everywhere.

`LiveView` puts both into one bundle, `show` puts them below a cell one after the other: a running notebook
shows the widget, whose style sheet hides the HTML; a saved one, GitHub and nbconvert show the HTML as it was.
Widget state is never saved and no secret is ever a trait. Below are the few ways in which views make widgets,
so that they look alike.
"""

from __future__ import annotations

import os
import sys
import threading
import uuid
from typing import TYPE_CHECKING, Any

from guestlab.visible import AS_TEXT, visible
from guestlab.widgets.refresh import Refresh
from guestlab.widgets.theme import SCRIPT, STYLE, note

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "WIDGET_MIME",
    "LiveView",
    "button",
    "has_kernel",
    "in_background",
    "markup",
    "row",
    "show",
    "stack",
]

WIDGET_MIME = "application/vnd.jupyter.widget-view+json"


def has_kernel() -> bool:
    """Whether a kernel runs this and ipywidgets is installed: else a widget would show nothing.

    GUESTLAB_STATIC says that there is nobody to show one to: nbconvert and others that make a page of a
    notebook prefer the widget to its static form, and cannot draw it offline.
    """
    if os.environ.get("GUESTLAB_STATIC"):
        return False
    shell = sys.modules.get("IPython")
    if shell is None or getattr(shell.get_ipython(), "kernel", None) is None:
        return False
    try:
        import ipywidgets  # noqa: F401
    except ImportError:
        return False
    return True


class LiveView:
    """A view of something: `widget` moves, `html()` and `text()` are as it is now.

    Subclasses write `build()`, `paint()`, `html()` and `text()`. `paint` runs on the painting thread only, so
    that each trait has one writer; anything may call `refresh.poke()`.
    """

    def __init__(self, per_second: float = 10.0) -> None:
        self.refresh = Refresh(self.paint, per_second, on_error=self._show_failure)
        self._widget: Any = None
        self._static = f"gl-static-{uuid.uuid4().hex}"
        self._failure: Any = None

    @property
    def widget(self) -> Any:
        """The widget, built on first use: a box of class `gl-root` around what `build()` made."""
        if self._widget is None:
            import ipywidgets as w

            self._failure = markup("")
            style = markup(STYLE + SCRIPT + _hiding(self._static), "gl-style")
            self._widget = w.VBox([style, self._failure, self.build()])
            self._widget.add_class("gl-root")
            self.refresh.poke()
        return self._widget

    def build(self) -> Any:
        """Make the widget, once."""
        raise NotImplementedError

    def paint(self) -> None:
        """Bring the widget up to date."""

    def html(self) -> str:
        """Show it as static HTML, everything escaped."""
        raise NotImplementedError

    def text(self) -> str:
        """Show it as text, for a terminal."""
        raise NotImplementedError

    def close(self) -> None:
        """Stop moving. What is on the page stays as it is."""
        self.refresh.close()

    def __repr__(self) -> str:
        return self.text()

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        html = f"<div {AS_TEXT}>{self.html()}</div>"
        bundle: dict[str, Any] = {"text/plain": visible(self.text()), "text/html": html}
        if has_kernel():
            bundle["text/html"] = f'<div class="{self._static}">{html}</div>'
            bundle[WIDGET_MIME] = {
                "version_major": 2,
                "version_minor": 0,
                "model_id": self.widget.model_id,
            }
        return bundle

    def _ipython_display_(self) -> None:
        show(self)

    def _show_failure(self, error: Exception) -> None:
        """Say in the view itself that it could not be painted; its texts are ours, not the wire's."""
        if self._failure is not None:
            self._failure.value = note(
                f"This view could not be painted ({type(error).__name__}). What it shows may be out of date; "
                "the log and the session go on. Show it again in a new cell.",
                "failed",
            )


def show(thing: Any) -> None:
    """Put something below the cell: the static form, then the widget, in two outputs.

    Of one output JupyterLab takes the widget alone, and says "model not found" where a notebook is reopened.

    Raises:
        NotImplementedError: There is no widget; IPython then shows the bundle as it is.
    """
    bundle = thing._repr_mimebundle_()
    widget = bundle.pop(WIDGET_MIME, None)
    if widget is None:
        raise NotImplementedError
    from IPython import display

    publish: Any = display.publish_display_data
    publish(bundle)
    publish({WIDGET_MIME: widget})


def _hiding(static: str) -> str:
    """Hide a static form, with its place among the outputs where a browser knows `:has`."""
    place = f":is(.jp-OutputArea-child, .output_area):has(.{static})"
    return f"<style>.{static} {{ display: none }}</style><style>{place} {{ display: none }}</style>"


def markup(value: str = "", *classes: str) -> Any:
    """Make a widget of HTML that was built by `theme`."""
    import ipywidgets as w

    made = w.HTML(value)
    for name in classes:
        made.add_class(name)
    return made


def button(text: str, on_click: Callable[[], object], *, style: str = "", tooltip: str = "") -> Any:
    """Make a button. `on_click` must return at once: give long work to `in_background`.

    Args:
        text: What it says.
        on_click: Called without arguments.
        style: "primary", "success", "info", "warning", "danger" or "".
        tooltip: What a hovering mouse is told.
    """
    import ipywidgets as w

    made = w.Button(description=text, button_style=style, tooltip=tooltip or text)
    made.layout.width = "auto"
    made.on_click(lambda _: on_click())
    return made


def row(*children: Any, classes: tuple[str, ...] = ()) -> Any:
    """Put widgets side by side; they wrap where it is narrow."""
    import ipywidgets as w

    made = w.HBox(list(children))
    for name in ("gl-row", *classes):
        made.add_class(name)
    return made


def stack(*children: Any, classes: tuple[str, ...] = ()) -> Any:
    """Put widgets below one another."""
    import ipywidgets as w

    made = w.VBox(list(children))
    for name in classes:
        made.add_class(name)
    return made


def in_background(work: Callable[[], object], name: str = "guestlab-click") -> threading.Thread:
    """Run blocking work, such as a verb of the lab, off the kernel's thread; a click returns at once.

    The thread is a daemon: it never keeps a kernel alive. `work` handles its own errors.
    """
    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    return thread
