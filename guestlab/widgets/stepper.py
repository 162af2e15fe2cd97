"""The stepper: the lab's three stages, to click through. What `lab` shows as the last line of a cell.

A view of `stages.py`, which does the work; a click starts it on a thread of its own and returns, and what
became of it is painted as it comes, while a cell runs too. Secrets are nowhere in it: they are asked for by a
prompt below a cell, and every text is redacted before it gets here.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from guestlab.widgets import theme
from guestlab.widgets.announcing import StateAnnouncer
from guestlab.widgets.cards import Card, folded, folded_late
from guestlab.widgets.chooser import Chooser
from guestlab.widgets.matrix_run_view import MatrixRun
from guestlab.widgets.panels import body_html, head_html, life_text, verdict
from guestlab.widgets.refresh import Ticker
from guestlab.widgets.saved_inputs import AS_ASKED, THAT_WORKS, Inputs, code_of, paired
from guestlab.widgets.stage_conversation import ConversationFields
from guestlab.widgets.stage_handshake import Diagrams, HandshakeFields, SnippetBox
from guestlab.widgets.stage_token import TokenFields
from guestlab.widgets.stages import NAMES, Stages
from guestlab.widgets.view import LiveView, button, in_background, markup, row, stack

if TYPE_CHECKING:
    from collections.abc import Callable

    from guestlab.lab import Lab
    from guestlab.tokens import AccessToken

__all__ = ["Stepper"]


class Stepper(LiveView):
    """Token, conversation, handshake: inputs, buttons, what was sent, what came back, why.

    Args:
        lab: Whose verbs are called.
        inputs: What is entered at first: names and values of `Inputs`.
    """

    def __init__(self, lab: Lab, **inputs: str) -> None:
        super().__init__()
        self.lab = lab
        self.stages = Stages(lab, self.refresh.poke)
        self.matrix = MatrixRun(lab)
        self.inputs = _agreeing(Inputs.of(**inputs), inputs).swept(lab.log.redact)
        self._fields: dict[str, Any] = {}
        self._cards: dict[str, Card] = {}
        self._filling = False
        self._ticker = Ticker(self._tick)

    # -- what it does -----------------------------------------------------------------------------

    def run(self, *names: str) -> bool:
        """Run stages, blocking; without names, all of them. False if something runs already."""
        ran = self.stages.run(names, self.inputs) if names else self.stages.run_all(self.inputs)
        self._entered()  # somebody may have entered something else meanwhile
        return ran

    def reset(self) -> bool:
        """Forget what ran, and enter the defaults. The log keeps everything."""
        if not self.stages.reset():
            return False
        self.enter(**{name: getattr(Inputs(), name) for name in Inputs.__dataclass_fields__})
        return True

    def enter(self, **inputs: str) -> None:
        """Change inputs, in the widget too.

        Raises:
            InputError: No such input, or not one of its values.
        """
        known = {name: getattr(self.inputs, name) for name in Inputs.__dataclass_fields__}
        self.inputs = _agreeing(Inputs.of(**{**known, **inputs}), inputs).swept(self.lab.log.redact)
        self._filling = True
        try:
            for fields in self._fields.values():
                fields.write(self.inputs)
        finally:
            self._filling = False
        self._entered()

    def code(self) -> str:
        """One cell that makes this stepper again, inputs included; no secret is in it."""
        return code_of(self.inputs, lab=self.lab)

    def close(self) -> None:
        """Stop the countdown. A click afterwards still says why nothing runs any more."""
        self._ticker.stop()
        self.matrix.cancel()

    # -- how it looks -----------------------------------------------------------------------------

    def build(self) -> Any:
        """Make the widget."""
        import ipywidgets as w

        named = {"redact": self.lab.log.redact, "on_secret": self._took_out}
        where = "" if self.lab.region.is_loopback else self.lab.region.name
        self._fields = {
            "token": TokenFields(self.inputs, self._read, **named),
            "conversation": ConversationFields(self.inputs, self._read, where=where, **named),
            "handshake": HandshakeFields(self.inputs, self._read, **named),
        }
        self._life = markup("")
        self._snippet = SnippetBox(self.inputs.language, self._read, self.refresh.poke)
        self._notice = markup("", "gl-live")
        self._aloud = StateAnnouncer()
        self._diagrams = Diagrams(self.refresh.poke)
        self._overall = [
            button("Run all", lambda: self._start(self.run), style="primary"),
            button("Reset", lambda: self._start(self.reset)),
        ]
        buttons = {
            "token": [
                self._runs("token", "Get token"),
                button("Renew", lambda: self._start(self.stages.renew)),
            ],
            "conversation": [self._runs("conversation", "Open conversation")],
            "handshake": [
                button("As asked", lambda: self._preset(AS_ASKED), tooltip="Fill in and run the refused one"),
                button(
                    "That works", lambda: self._preset(THAT_WORKS), tooltip="Fill in and run the open one"
                ),
                self._runs("handshake", "Run as entered"),
            ],
        }
        below = {
            "token": [self._life],
            "conversation": [],
            "handshake": [self._diagrams.widget, self._snippet.widget],
        }
        self._cards = {
            name: Card(name, self._fields[name].widget, buttons[name], below[name]) for name in NAMES
        }
        self._saved = w.Textarea(
            description="Cell to keep",
            layout={"width": "99%", "height": "90px"},
            style={"description_width": "initial"},
        )
        self._saved.observe(lambda _: self.refresh.poke(), "value")
        self._chooser = Chooser(self.refresh.poke)
        self._matrix_box = stack()
        self._ticker.start()
        return stack(
            markup(self._where_html()),
            row(*self._overall, classes=("gl-buttons",)),
            self._notice,
            self._aloud.widget,
            folded("Which door do I need? Three questions", self._chooser.build()),
            *(card.widget for card in self._cards.values()),
            folded_late("Every credential in every place: the matrix", self._matrix_box, self._build_matrix),
            folded("Save these inputs as a cell", self._saved),
        )

    def paint(self) -> None:
        """Bring everything up to date."""
        if not self._cards:
            return
        busy = self.stages.busy
        for each in self._overall:
            each.disabled = busy
        for name, card in self._cards.items():
            told = self.stages[name]
            card.paint(
                head_html(name, told, self.lab), body_html(name, told, self.lab), told.state, busy=busy
            )
        told = self.stages["handshake"]
        self._aloud.paint({name: (told.state, verdict(name, told)) for name, told in self._told()})
        self._snippet.paint(told)
        self._diagrams.paint(told)
        self._saved.value = self.code()
        self._chooser.paint()
        self._life.value = self._life_html()

    def html(self) -> str:
        """Everything as it is now, without a style sheet; beneath, how to run it."""
        shown = "".join(
            head_html(name, self.stages[name], self.lab) + body_html(name, self.stages[name], self.lab)
            for name in NAMES
        )
        calls = theme.table(("stage", "runs with"), ((name, f"lab.{name}()") for name in NAMES))
        return f"<div>{self._where_html()}{shown}{theme.details('In a cell', calls, shown=True)}</div>"

    def text(self) -> str:
        """One line for each stage."""
        lines = [repr(self.lab)]
        lines += [
            f"  {name:<13} {told.state:<8} {verdict(name, told)}".rstrip() for name, told in self._told()
        ]
        return "\n".join(lines)

    # -- below ------------------------------------------------------------------------------------

    def _build_matrix(self) -> None:
        self._matrix_box.children = (self.matrix.build(),)
        self.matrix.refresh.poke()

    def _told(self) -> list[tuple[str, Any]]:
        return [(name, self.stages[name]) for name in NAMES]

    def _where_html(self) -> str:
        lab = self.lab
        where = "the embedded sandbox" if lab.sandbox is not None else lab.region.name
        deployment = lab.deployment_id if lab.has_deployment else "none given"
        known = theme.facts(region=lab.region.name, deployment=deployment, client=lab.client_id)
        return f'<h3 class="gl-title">Lab at {theme.escape(where)}</h3><div class="gl-small">{known}</div>'

    def _runs(self, name: str, text: str) -> Any:
        return button(
            text, lambda: self._start(lambda: self.run(name)), style="primary" if name != "handshake" else ""
        )

    def _preset(self, preset: dict[str, str]) -> None:
        if self.stages.busy:
            return
        self.enter(**preset)
        self._start(lambda: self.run("handshake"))

    def _start(self, work: Callable[[], object]) -> None:
        """Begin on another thread: a click returns at once, whatever the kernel is doing."""
        self._notice.value = ""
        in_background(work)

    def _read(self) -> None:
        """Take over what is entered in the widget."""
        if self._filling or not self._fields:
            return
        entered = {name: value for fields in self._fields.values() for name, value in fields.read().items()}
        self.inputs = replace(self.inputs, **entered, language=str(self._snippet.language.value))
        self._entered()

    def _entered(self) -> None:
        self.stages.entered(self.inputs)
        self.refresh.poke()

    def _took_out(self, label: str) -> None:
        self._notice.value = theme.note(
            f"What looked like a secret was taken out of “{label}”. Choose a credential instead; secrets are "
            "asked for below a cell and stay out of this view.",
            "stale",
        )
        self._read()

    def _tick(self) -> None:
        if self.stages.look_around():
            self.refresh.poke()
        self._life.value = self._life_html()  # on the painting thread, like every other paint

    def _life_html(self) -> str:
        token = self._newest()
        if token is None:
            return ""
        shown = self.stages["token"].token
        renewed = " It has been renewed since." if shown is not None and shown.value != token.value else ""
        life = theme.escape(f"The token {life_text(token)}.{renewed}")
        return f'<div role="timer" class="gl-small">{life}</div>'

    def _newest(self) -> AccessToken | None:
        """The token at hand: requests renew it by themselves."""
        shown = self.stages["token"].token
        flow = self.lab.tokens.client_flow
        if shown is not None and shown.grant == "client_credentials" and flow is not None:
            return flow.token or shown
        return shown


def _agreeing(entered: Inputs, given: dict[str, str]) -> Inputs:
    """A place given alone decides on the credential, otherwise it is the other way round."""
    return paired(
        entered, chosen="placement" if "placement" in given and "credential" not in given else "credential"
    )
