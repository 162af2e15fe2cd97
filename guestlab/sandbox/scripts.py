"""The bot's script: what the guest says, and what comes back.

A script is lines of pattern → steps, judged from the top; it is read from a YAML file, the built-in one
too (`default_bot.yaml` shows every step there is). A step is something said, shown or waited for; `bot.py`
carries them out. This room is reading and matching only.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from guestlab.errors import SandboxError
from guestlab.sandbox.content import CONTENT

__all__ = ["STEPS", "Line", "Script", "Step", "default_script", "read_script"]

_OTHER_STEPS = ("text", "typing", "delay", "attachment", "disconnect", "handover")
STEPS = (*_OTHER_STEPS, *CONTENT)
"""Every kind of step."""

_SHORT = {"text": "text", "delay": "seconds", "typing": "seconds", "attachment": "text"}
"""What a step's plain value stands for: `text: Hello` is `text: {text: Hello}`."""

_OCCASIONS = ("text", "join")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing the bot does: `kind` names it, `values` are its arguments."""

    kind: str
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Line:
    """A pattern and the steps it sets off.

    Attributes:
        pattern: A regular expression searched in what the guest said, any case.
        steps: What the bot does, in order. `{text}` is what the guest said, `{1}`… are the groups.
        on: "text" for words and answers, "join" for the guest's arrival.
    """

    pattern: re.Pattern[str]
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
            match = line.pattern.search(text) if line.on == on else None
            if match is not None:
                groups = (text, *(group or "" for group in match.groups()))
                return tuple(Step(step.kind, _filled(step.values, groups)) for step in line.steps)
        return ()


def _filled(value: Any, groups: Sequence[str]) -> Any:
    """Put the guest's words into the texts of a step."""
    if isinstance(value, str) and "{" in value:
        parts = re.split(r"\{(text|\d)\}", value)
        for index in range(1, len(parts), 2):
            number = 0 if parts[index] == "text" else int(parts[index])
            parts[index] = groups[number] if number < len(groups) else ""
        return "".join(parts)
    if isinstance(value, Mapping):
        return {key: _filled(item, groups) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, groups) for item in value]
    return value


def default_script() -> Script:
    """The script of a sandbox that was given none."""
    return read_script(Path(__file__).with_name("default_bot.yaml"))


def read_script(path: str | Path) -> Script:
    """Read a script from a YAML file.

    Raises:
        SandboxError: The file cannot be read, or says something no bot can do; the text names the place.
    """
    import yaml  # here, because only a sandbox that starts needs it

    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
        # A few aliases of aliases stand for more than fits into memory.
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text)):
            raise ValueError("it has an alias (*name), which is not read: write it out")  # noqa: TRY301
        document = yaml.load(text, Loader=_loader())  # noqa: S506 - a safe one
    except (OSError, ValueError, OverflowError, RecursionError, yaml.YAMLError) as error:
        raise SandboxError(
            f"The bot's script {path} cannot be read.",
            why=" ".join(str(error).split()),
            next_step="Check the path, and that the file is YAML in UTF-8.",
        ) from None
    try:
        return _script(document, path.stem)
    except ValueError as error:
        raise SandboxError(
            f"The bot's script {path} says something no bot can do.",
            why=f"{error}.",
            next_step=f"A line has `when` (or `event: join`) and `reply`; its steps are {', '.join(STEPS)}.",
        ) from None


@cache
def _loader() -> Any:
    """A safe loader that leaves No, on and 2030-01-01 as they are written: words of a conversation."""
    import yaml

    class Plain(yaml.SafeLoader):
        """Only true and false are truth values; nothing is a date."""

    dropped = ("tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp")
    Plain.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag not in dropped]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    Plain.add_implicit_resolver(dropped[0], re.compile(r"^(true|false)$"), list("tf"))
    return Plain


def _script(document: Any, name: str) -> Script:
    if not isinstance(document, Mapping) or not isinstance(document.get("lines"), list):
        raise ValueError("it has no list called `lines`")  # noqa: TRY004 - a value of the file
    lines = tuple(_line(line, number) for number, line in enumerate(document["lines"], 1))
    return Script(lines, str(document.get("name") or name))


def _line(line: Any, number: int) -> Line:
    place = f"line {number}"
    if not isinstance(line, Mapping) or not isinstance(line.get("reply"), list):
        raise ValueError(f"{place} has no list called `reply`")  # noqa: TRY004
    on = str(line.get("event", "text"))
    if on not in _OCCASIONS:
        raise ValueError(f"{place}: `event` is text or join, not {on!r}")
    try:
        pattern = re.compile(str(line.get("when", "")), re.IGNORECASE)
    except re.error as error:
        raise ValueError(f"{place}: `when` is no regular expression: {error}") from None
    steps = tuple(_step(step, f"{place}, step {index}") for index, step in enumerate(line["reply"], 1))
    return Line(pattern, steps, on)


def _step(step: Any, place: str) -> Step:
    if isinstance(step, str):
        step = {step: {}} if step in {"typing", "disconnect", "handover"} else {"text": step}
    if not isinstance(step, Mapping) or len(step) != 1:
        raise ValueError(f"{place} is not one `kind: values`")
    ((kind, value),) = step.items()
    if kind not in STEPS:
        close = difflib.get_close_matches(str(kind), STEPS, n=1)
        raise ValueError(f"{place}: no step is called {kind!r}" + (f"; {close[0]!r} is" if close else ""))
    values = _values(kind, value, place)
    if kind in CONTENT:
        try:
            CONTENT[kind](values)
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            raise ValueError(f"{place}: {kind}: {error}") from None
    return Step(kind, values)


def _values(kind: str, value: Any, place: str) -> dict[str, Any]:
    if isinstance(value, Mapping):
        values = dict(value)
    elif kind in _SHORT and value is not None and not isinstance(value, list | bool):
        values = {_SHORT[kind]: value}
    elif kind in {"disconnect", "handover", "typing"}:
        values = {"read_only": value} if kind == "disconnect" and isinstance(value, bool) else {}
    elif kind == "carousel" and isinstance(value, list):
        values = {"cards": value}
    else:
        raise ValueError(f"{place}: {kind} cannot be {value!r}")
    if kind in {"delay", "typing"} and "seconds" in values:
        try:
            values["seconds"] = float(values["seconds"])
        except (TypeError, ValueError):
            raise ValueError(f"{place}: {kind} is a number of seconds") from None
    if kind == "delay" and "seconds" not in values:
        raise ValueError(f"{place}: delay is a number of seconds")
    if kind == "text" and not str(values.get("text") or ""):
        raise ValueError(f"{place}: text is empty")
    return values
