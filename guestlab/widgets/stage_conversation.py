"""Stage two in the stepper: what the customer says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guestlab.widgets import theme
from guestlab.widgets.fields import FreeText
from guestlab.widgets.view import markup, row, stack

if TYPE_CHECKING:
    from collections.abc import Callable

    from guestlab.widgets.saved_inputs import Inputs

__all__ = ["ConversationFields"]


class ConversationFields:
    """The input of the conversation stage.

    Args:
        inputs: What stands there at first.
        changed: Called after a change.
        where: The region a real conversation is created in; "" on the sandbox.
        named: Of `FreeText`.
    """

    def __init__(self, inputs: Inputs, changed: Callable[[], object], *, where: str, **named: Any) -> None:
        self.text = FreeText("The customer says", inputs.text, changed, width="420px", **named)
        warning = f"This creates a real conversation in {where}." if where else ""
        self.widget = stack(row(self.text.widget), markup(theme.note(warning, "lacking") if warning else ""))

    def read(self) -> dict[str, str]:
        """What is entered."""
        return {"text": self.text.value}

    def write(self, inputs: Inputs) -> None:
        """Enter something else."""
        self.text.value = inputs.text
