"""The bot's script: what the guest says, and what comes back.

A script is rows of pattern → steps, judged from the top. A step is something said, shown or waited for;
`bot.py` carries them out. This room is data and matching only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["DEFAULT", "Line", "Script", "Step"]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing the bot does: `kind` names the verb, `values` its arguments."""

    kind: str
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Line:
    """A pattern and the steps it sets off.

    Attributes:
        pattern: A regular expression searched in what the guest said, any case; `join` and `any` are
            spelled `on`.
        steps: What the bot does, in order. `{text}` is what the guest said, `{1}`… are the groups.
        on: "text" for words and answers, "join" for the guest's arrival.
    """

    pattern: str
    steps: tuple[Step, ...]
    on: str = "text"


@dataclass(frozen=True, slots=True)
class Script:
    """A whole script."""

    lines: tuple[Line, ...]
    name: str = "script"

    def answer(self, text: str, *, on: str = "text") -> tuple[Step, ...]:
        """The steps for something the guest said or did; none if no line matches."""
        for line in self.lines:
            if line.on != on:
                continue
            match = re.search(line.pattern, text, re.IGNORECASE)
            if match is not None:
                groups = (text, *(group or "" for group in match.groups()))
                return tuple(Step(step.kind, _filled(step.values, groups)) for step in line.steps)
        return ()


def _filled(value: Any, groups: Sequence[str]) -> Any:
    """Put the guest's words into the texts of a step."""
    if isinstance(value, str):
        parts = re.split(r"\{(text|\d)\}", value)
        for index in range(1, len(parts), 2):
            number = 0 if parts[index] == "text" else int(parts[index])
            parts[index] = groups[number] if number < len(groups) else ""
        return "".join(parts)
    if isinstance(value, dict):
        return {key: _filled(item, groups) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_filled(item, groups) for item in value]
    return value


def _typing(milliseconds: int = 5000) -> Step:
    return Step("typing", {"duration": milliseconds})


def _text(text: str) -> Step:
    return Step("text", {"text": text})


def _quick_replies(text: str, *options: tuple[str, str]) -> Step:
    replies = [{"text": label, "payload": payload} for label, payload in options]
    return Step("quick_replies", {"text": text, "replies": replies})


DEFAULT = Script(
    name="default",
    lines=(
        Line(
            r"",
            (
                _typing(),
                _text("Welcome! I am the sandbox bot. Say hello and I show you around."),
            ),
            on="join",
        ),
        Line(
            r"^\s*(hello|hi|hey|hallo|guten tag|bonjour|hola|servus|ciao)\b",
            (
                _typing(),
                _text("Hello! I am the sandbox bot, and you got through: the handshake worked."),
                _quick_replies(
                    "What would you like to do?",
                    ("Tell me a joke", "JOKE"),
                    ("How did I get in?", "HOW"),
                    ("Talk to a human", "HUMAN"),
                ),
            ),
        ),
        Line(
            r"^JOKE$|\bjoke\b",
            (
                _typing(),
                _text(
                    "A token walks into a gateway. 'You are not on the list', says the gateway. "
                    "'But I am a bearer!' 'Then carry on. Elsewhere.'"
                ),
            ),
        ),
        Line(
            r"^HOW$|how did i get in",
            (
                _typing(),
                _text(
                    "You named a deployment in the address, and your first frame carried a guest token "
                    "that you made up yourself. No OAuth token was needed: none is ever read here."
                ),
            ),
        ),
        Line(
            r"^HUMAN$|\b(human|agent|person)\b",
            (
                _typing(),
                _text("Here the human is you: sandbox.agent.say('...') speaks in my place."),
            ),
        ),
        Line(r"", (_text("You said: {text}"),)),
    ),
)
"""The script of a sandbox that was given none."""
