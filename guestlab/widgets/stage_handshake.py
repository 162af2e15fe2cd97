"""Stage three in the stepper: credential, place, deployment, origin, endpoint; and the code of an attempt."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from guestlab.handshake.attempt import Credential, Placement
from guestlab.handshake.factors import DeploymentWord, OriginWord
from guestlab.widgets import theme
from guestlab.widgets.copying import COPYABLE, HOW_TO_COPY, copy_button
from guestlab.widgets.fields import Choice, FreeText, WordOrText
from guestlab.widgets.panels import LANGUAGES, snippet_of
from guestlab.widgets.saved_inputs import Inputs, paired, swept_id
from guestlab.widgets.sequence_view import SequenceBox, of_attempt
from guestlab.widgets.view import markup, row, stack

if TYPE_CHECKING:
    from collections.abc import Callable

    from guestlab.handshake.attempt import Attempt
    from guestlab.widgets.stages import Told

__all__ = ["Diagrams", "HandshakeFields", "SnippetBox"]


_AS_TYPED = (
    "The endpoint is sent as it stands: a deployment id belongs into it as ?deploymentId=…. What is chosen "
    "under Deployment does not go into the address."
)


class HandshakeFields:
    """The inputs of the handshake stage.

    Args:
        inputs: What stands there at first.
        changed: Called after a change.
        named: Of `FreeText`.
    """

    def __init__(self, inputs: Inputs, changed: Callable[[], object], **named: Any) -> None:
        self._changed, self._writing = changed, False
        self.credential = Choice(
            "Credential", tuple(Credential), inputs.credential, lambda: self._pair("credential")
        )
        self.placement = Choice(
            "Placement", tuple(Placement), inputs.placement, lambda: self._pair("placement")
        )
        self.deployment = WordOrText(
            "Deployment",
            "Deployment id",
            tuple(DeploymentWord),
            inputs.deployment,
            changed,
            sweep=swept_id,
            **named,
        )
        self.origin = WordOrText(
            "Origin", "Origin header", tuple(OriginWord), inputs.origin, changed, **named
        )
        self.endpoint = FreeText(
            "Endpoint",
            inputs.endpoint,
            self._addressed,
            placeholder="the region's own",
            width="360px",
            **named,
        )
        self._said = markup("")
        self.widget = stack(
            row(self.credential.widget, self.placement.widget, *self.deployment.widgets),
            row(*self.origin.widgets, self.endpoint.widget),
            self._said,
        )
        self._show_whose_address()

    def read(self) -> dict[str, str]:
        """What is entered."""
        return {
            "credential": self.credential.value,
            "placement": self.placement.value,
            "deployment": self.deployment.value,
            "origin": self.origin.value,
            "endpoint": self.endpoint.value,
        }

    def write(self, inputs: Inputs) -> None:
        """Enter something else."""
        self._writing = True
        try:
            self.credential.value, self.placement.value = inputs.credential, inputs.placement
        finally:
            self._writing = False
        self.deployment.value, self.origin.value = inputs.deployment, inputs.origin
        self.endpoint.value = inputs.endpoint

    def _pair(self, chosen: str) -> None:
        """None goes nowhere, and back: the one not chosen gives way."""
        if self._writing:
            return
        now = replace(Inputs(), credential=self.credential.value, placement=self.placement.value)
        both = paired(now, chosen=chosen)
        self._writing = True
        try:
            self.credential.value, self.placement.value = both.credential, both.placement
        finally:
            self._writing = False
        self._changed()

    def _addressed(self) -> None:
        self._show_whose_address()
        self._changed()

    def _show_whose_address(self) -> None:
        """An address of one's own is sent as it stands, so the choice of a deployment says nothing then."""
        typed = bool(self.endpoint.value)
        for part in self.deployment.widgets:
            part.disabled = typed
        self._said.value = theme.note(_AS_TYPED, "lacking") if typed else ""


class SnippetBox:
    """The code of the refused or of the open attempt, in a language of choice, to copy.

    The text stands in a field that can be selected as a whole, also where no button may touch the clipboard.
    What somebody types into it is painted over.

    Args:
        language: The language at first.
        changed: Called when another one is chosen.
        restore: Called when the text was changed in the browser: asks for a paint.
    """

    def __init__(self, language: str, changed: Callable[[], object], restore: Callable[[], object]) -> None:
        import ipywidgets as w

        auto = {"description_width": "initial"}
        self.which = w.Dropdown(
            options=[("the open attempt", "open"), ("the refused attempt", "refused")],
            value="open",
            description="Code of",
            style=auto,
            layout={"width": "auto"},
        )
        self.language = w.Dropdown(
            options=[(shown, name) for name, shown in LANGUAGES.items()],
            value=language,
            description="Language",
            style=auto,
            layout={"width": "auto"},
        )
        self.code = w.Textarea(
            description="Code to copy",
            layout={"width": "99%", "height": "240px"},
            style=auto,
        )
        self.code.add_class("gl-snippet")
        self.code.observe(lambda _: restore(), "value")
        for chosen in (self.which, self.language):
            chosen.observe(lambda _: changed(), "value")
        self.widget = stack(
            row(self.which, self.language, copy_button("the code")),
            self.code,
            markup(HOW_TO_COPY),
            classes=("gl-code-box", COPYABLE),
        )

    def paint(self, told: Told) -> None:
        """Show the code of what there is."""
        which = str(self.which.value)
        if which == "open" and told.opened is None and told.refused is not None:
            which = "refused"
        self.code.value = snippet_of(told, which, str(self.language.value))
        self.widget.layout.display = None if told.opened or told.refused else "none"


class Diagrams:
    """A button for each of the two attempts that draws who sent what to whom.

    Args:
        poke: Asks for a paint.
    """

    def __init__(self, poke: Callable[[], None]) -> None:
        self._boxes = (
            SequenceBox(poke, "Sequence of the refused attempt"),
            SequenceBox(poke, "Sequence of the open attempt"),
        )
        self._about: tuple[Attempt | None, ...] = (None, None)
        self.widget = stack(*(box.widget for box in self._boxes), classes=("gl-sequences",))

    def paint(self, told: Told) -> None:
        """Offer what there is; a drawing stays until its attempt is another."""
        attempts = (told.refused, told.opened)
        for box, before, attempt in zip(self._boxes, self._about, attempts, strict=True):
            if attempt is not before:
                box.about(of_attempt(attempt) if attempt is not None else None)
            box.paint()
        self._about = attempts
