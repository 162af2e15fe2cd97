"""A kernel's comm without a kernel: what would go to the browser is kept, clicks and inputs come from the test.

view.widget                     # built as in a kernel
wire.click(view, "Run")         # by the button's text
wire.enter(view, "Text", "hi")  # by the input's label, as the browser would send it
wire.texts                      # every text that went to the browser
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import comm
import ipywidgets
import pytest
from comm.base_comm import BaseComm

from guestlab.widgets import view as view_module

if TYPE_CHECKING:
    from collections.abc import Iterator


class RecordingComm(BaseComm):
    """Keeps what is published instead of sending it."""

    def __init__(self, wire: Wire, *args: Any, **named: Any) -> None:
        self.wire = wire
        super().__init__(*args, **named)

    def publish_msg(
        self, msg_type: str, data: Any = None, metadata: Any = None, buffers: Any = None, **keys: Any
    ) -> None:
        """Keep it, as text: what JSON cannot hold could not be sent either."""
        self.wire.sent.append(json.dumps([msg_type, data, keys], default=str))


class Wire:
    """Both directions between a view and the browser."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    @property
    def texts(self) -> str:
        """Everything that went to the browser, as one text."""
        return "\n".join(self.sent)

    def parts(self, root: Any) -> Iterator[Any]:
        """Walk the widgets of a view."""
        root = getattr(root, "widget", root)
        yield root
        for child in getattr(root, "children", ()):
            yield from self.parts(child)

    def named(self, root: Any, description: str, kind: Any = ipywidgets.Widget) -> Any:
        """Find one widget by its label."""
        found = [
            part
            for part in self.parts(root)
            if isinstance(part, kind) and getattr(part, "description", None) == description
        ]
        assert len(found) == 1, f"{len(found)} widgets are called {description!r}"
        return found[0]

    def click(self, root: Any, description: str) -> None:
        """Press a button, as the browser would."""
        self.named(root, description, ipywidgets.Button)._handle_custom_msg({"event": "click"}, [])

    def enter(self, root: Any, description: str, value: Any, trait: str = "value") -> None:
        """Change an input, as the browser would."""
        self.named(root, description).set_state({trait: value})

    def shown(self, root: Any) -> str:
        """What the HTML widgets of a view show now, as one text, without the style sheets."""
        return "\n".join(
            part.value
            for part in self.parts(root)
            if isinstance(part, ipywidgets.HTML) and "gl-style" not in part._dom_classes
        )

    def state(self, root: Any) -> str:
        """Every trait of every widget of a view, as one text: to look for secrets in."""
        return "\n".join(str(part.get_state()) for part in self.parts(root))


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    """Stand in for a kernel and its browser."""
    wire = Wire()
    monkeypatch.setattr(comm, "create_comm", lambda *args, **named: RecordingComm(wire, *args, **named))
    monkeypatch.setattr(view_module, "has_kernel", lambda: True)
    yield wire
    ipywidgets.Widget.close_all()
