"""The three stages and what became of them: run, gone stale, reset. No widget in here.

`Stages` calls the lab's own verbs, one at a time, on whatever thread asks; what it holds afterwards is what
the panels show. A stage is stale when an earlier one ran again after it, or when its inputs changed since.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from guestlab.errors import GuestlabError, InputError
from guestlab.handshake.quoting import is_masked
from guestlab.log.entry import Stage as LogStage
from guestlab.widgets.exchanges import Exchange, answer_level, exchanges_of
from guestlab.widgets.saved_inputs import AS_ASKED, THAT_WORKS, Inputs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from guestlab.handshake.attempt import Attempt
    from guestlab.lab import Lab
    from guestlab.platform_api import Conversation
    from guestlab.tokens import AccessToken

__all__ = ["NAMES", "Stages", "Told", "ask_in_a_cell"]

NAMES = ("token", "conversation", "handshake")

_OWN_INPUTS = {
    "token": ("grant", "scope", "body_format"),
    "conversation": ("text",),
    "handshake": ("credential", "placement", "deployment", "origin", "endpoint"),
}
_LOG_STAGES = {
    "token": (LogStage.TOKEN,),
    "conversation": (LogStage.TOKEN, LogStage.CONVERSATION),
    "handshake": (),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is known of one stage. Replaced as a whole, so that a painter sees all of it or none."""

    state: str = "ready"
    """ready, running, done, failed or stale."""
    was: str = ""
    """What it was before it went stale."""
    token: AccessToken | None = None
    conversation: Conversation | None = None
    refused: Attempt | None = None
    """The last attempt that was refused."""
    opened: Attempt | None = None
    """The last attempt that opened the socket."""
    refused_in: int = 0
    """In which run that was."""
    opened_in: int = 0
    error: GuestlabError | None = None
    exchanges: tuple[Exchange, ...] = ()
    duration_ms: float | None = None
    inputs: Inputs | None = None
    """What it ran with."""
    why_stale: str = ""
    runs: int = 0


class Stages:
    """The stages of one lab.

    Args:
        lab: Whose verbs are called.
        changed: Called after every change, on any thread; it only pokes.
    """

    def __init__(self, lab: Lab, changed: Callable[[], object] = lambda: None) -> None:
        self.lab, self._changed = lab, changed
        self._told = {name: Told(state=self._known(name)) for name in NAMES}
        self._turn = threading.Lock()
        self._run = 0
        flow = lab.tokens.client_flow
        if flow is not None and flow.token is not None:
            self._told["token"] = Told(state="done", token=flow.token)

    def _known(self, name: str) -> str:
        state = self.lab.stages[name]
        return "ready" if state == "running" else state

    def look_around(self) -> bool:
        """Take note of what ran in cells, where nothing ran here; whether that was new."""
        moved = False
        for name, told in dict(self._told).items():
            known = self._known(name)
            if self.busy or told.runs or known in {"ready", told.state}:
                continue
            flow = self.lab.tokens.client_flow if name == "token" else None
            self._told[name] = Told(state=known, token=flow.token if flow is not None else None)
            moved = True
        return moved

    def __getitem__(self, name: str) -> Told:
        return self._told[name]

    def __repr__(self) -> str:
        return ", ".join(f"{name} {told.state}" for name, told in self._told.items())

    @property
    def busy(self) -> bool:
        """Whether something runs."""
        return self._turn.locked()

    def run(self, names: Iterable[str], inputs: Inputs) -> bool:
        """Run stages one after another; one that fails ends it. False if something runs already.

        Blocks, for as long as the lab's verbs take, which all have time-outs. Never raises what a stage
        raises: that is what the stage then shows.
        """

        def work() -> None:
            for name in names:
                if not self._one(name, inputs):
                    return

        return self._alone(work)

    def run_all(self, inputs: Inputs) -> bool:
        """Run every stage; the handshake twice, as asked and as it works, so that both stand side by side."""

        def work() -> None:
            if not (self._one("token", inputs) and self._one("conversation", inputs)):
                return
            first = AS_ASKED if _is(inputs, THAT_WORKS) else {}
            self._one("handshake", replace(inputs, **first), noted=inputs)
            self._one("handshake", replace(inputs, **THAT_WORKS), noted=inputs)

        return self._alone(work)

    def renew(self) -> bool:
        """Get a new token in place of the one at hand."""
        return self._alone(lambda: self._perform("token", None, self._renewed))

    def reset(self) -> bool:
        """Forget what ran. The log keeps it."""

        def work() -> None:
            for name in NAMES:
                self._told[name] = Told()
                self.lab.stages[name] = "ready"

        return self._alone(work)

    def entered(self, inputs: Inputs) -> None:
        """Take note of what is entered now: a stage that ran with something else is stale meanwhile."""
        if self.busy:
            return
        for name in NAMES:
            told = self._told[name]
            if told.inputs is None:
                continue
            same = all(getattr(told.inputs, one) == getattr(inputs, one) for one in _OWN_INPUTS[name])
            if not same and told.state in {"done", "failed"}:
                self._put(name, replace(told, state="stale", was=told.state, why_stale=_ENTERED))
            elif same and told.state == "stale" and told.why_stale == _ENTERED:
                self._put(name, replace(told, state=told.was, was="", why_stale=""))

    # -- below ------------------------------------------------------------------------------------

    def _alone(self, work: Callable[[], object]) -> bool:
        if not self._turn.acquire(blocking=False):
            return False
        self._run += 1
        try:
            work()
        finally:
            self._turn.release()
            self._changed()
        return True

    def _one(self, name: str, inputs: Inputs, *, noted: Inputs | None = None) -> bool:
        verbs = {"token": self._token, "conversation": self._conversation, "handshake": self._handshake}

        def verb() -> Told:
            _never_a_mask(name, inputs)
            return verbs[name](inputs)

        return self._perform(name, noted or inputs, verb)

    def _perform(self, name: str, inputs: Inputs | None, verb: Callable[[], Told]) -> bool:
        before = self._told[name]
        self._put(name, replace(before, state="running", error=None, why_stale="", was=""))
        self._age(name)
        mark, begun = len(self.lab.log), time.monotonic()
        try:
            told = verb()
        except GuestlabError as error:
            told = replace(before, state="failed", error=error)
        except Exception as error:  # noqa: BLE001 - a view lives on; its text may hold a secret, its name not
            told = replace(before, state="failed", error=_unforeseen(error))
        sent = self.lab.log.entries[mark:]
        crossed = exchanges_of(sent, _LOG_STAGES[name], answer_level(self.lab.sandbox))
        told = replace(
            told,
            exchanges=crossed,
            duration_ms=(time.monotonic() - begun) * 1000,
            inputs=inputs if inputs is not None else before.inputs,
            why_stale="",
            was="",
            runs=before.runs + 1,
        )
        self.lab.stages[name] = told.state
        self._put(name, told)
        return told.state == "done" or name == "handshake"

    def _age(self, name: str) -> None:
        """What comes after a stage that runs again rests on what was before."""
        for later in NAMES[NAMES.index(name) + 1 :]:
            told = self._told[later]
            if told.state in {"done", "failed"}:
                why = f"The {name} stage ran again after this one."
                self._put(later, replace(told, state="stale", was=told.state, why_stale=why))

    def _put(self, name: str, told: Told) -> None:
        self._told[name] = told
        self._changed()

    def _token(self, inputs: Inputs) -> Told:
        ask_in_a_cell(self.lab)
        if inputs.grant == "client_credentials":
            grant = None if self.lab.tokens.brings else inputs.grant
            token = self.lab.token(grant, scope=inputs.scope or None, body_format=inputs.body_format)
        else:
            token = self.lab.token(inputs.grant)
        return Told(state="done", token=token)

    def _renewed(self) -> Told:
        ask_in_a_cell(self.lab)
        return Told(state="done", token=self.lab.renew())

    def _conversation(self, inputs: Inputs) -> Told:
        ask_in_a_cell(self.lab)
        if not inputs.text.strip():
            raise InputError(
                "The customer says nothing.",
                why="A conversation begins with the customer's first message.",
                next_step="Write something into “The customer says”.",
            )
        return Told(state="done", conversation=self.lab.conversation(inputs.text))

    def _handshake(self, inputs: Inputs) -> Told:
        if inputs.credential not in {"none", "guest", "garbage"}:
            ask_in_a_cell(self.lab)
        attempt = self.lab.attempt(
            credential=inputs.credential,
            placement=inputs.placement,
            deployment_id=inputs.deployment,
            origin=inputs.origin if inputs.origin != "own" else None,
            url=inputs.endpoint or None,
        )
        before = self._told["handshake"]
        if attempt.ok:
            return replace(before, state="done", opened=attempt, opened_in=self._run)
        return replace(before, state="failed", refused=attempt, refused_in=self._run)


_ENTERED = "The inputs changed since it ran."


def _is(inputs: Inputs, preset: dict[str, str]) -> bool:
    return all(getattr(inputs, name) == value for name, value in preset.items())


def ask_in_a_cell(lab: Lab) -> None:
    """A click has no cell below which a prompt could appear, so it never asks."""
    if lab.tokens.must_ask:
        raise InputError(
            "The secret of this lab was not asked for yet.",
            why="A masked prompt below a cell asks for it, never this view, so that no widget ever holds it.",
            next_step="Run lab.token() in a cell and type it there; then these buttons work.",
        )


def _never_a_mask(name: str, inputs: Inputs) -> None:
    """What looked like a secret was taken out of an input: what stands there instead is not to be sent."""
    masked = [field for field in _OWN_INPUTS[name] if is_masked(getattr(inputs, field))]
    if masked:
        raise InputError(
            f"The input {masked[0]!r} holds a mask in place of a value.",
            why="What looks like a secret is taken out of these inputs; [masked] is what is left of it.",
            next_step="Enter it anew without the secret: credentials are chosen, and asked for below a cell.",
        )


def _unforeseen(error: Exception) -> GuestlabError:
    return GuestlabError(
        f"Something unforeseen happened: {type(error).__name__}.",
        why="No rule of this lab explains it; its text is not shown because it was not redacted.",
        next_step="Run the same verb in a cell, such as lab.token(), to see all of it.",
    )
