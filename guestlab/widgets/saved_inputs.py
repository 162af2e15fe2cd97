"""What was entered into the stepper, as one cell of code, and back from it.

`Inputs` holds words and ids. A secret cannot get in: words come from closed sets, and every free text is
swept by name, by shape and, where the lab is known, by value; so whatever `code_of` writes may be shown and
saved. Where a secret is needed, the cell says where it comes from instead. Pure.
"""

from __future__ import annotations

import ast
import difflib
import re
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from guestlab.errors import InputError
from guestlab.handshake.attempt import Credential, Placement
from guestlab.log.redaction import Redactor
from guestlab.snippets import FORMATS

if TYPE_CHECKING:
    from collections.abc import Callable

    from guestlab.lab import Lab

__all__ = [
    "AS_ASKED",
    "GRANTS",
    "THAT_WORKS",
    "Inputs",
    "code_of",
    "inputs_of",
    "paired",
    "swept",
    "swept_id",
]

GRANTS = ("client_credentials", "pkce", "authorization_code")
_CHOICES: dict[str, tuple[str, ...]] = {
    "grant": GRANTS,
    "body_format": ("form", "json"),
    "credential": tuple(Credential),
    "placement": tuple(Placement),
    "language": tuple(FORMATS),
}
_TAG = re.compile(r"\[masked:[0-9a-f]{8}\]")
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_SHORTEST = 20
_LONG = re.compile(r"[\w+/=.~-]{20,}")
_OWN_ID = re.compile(r"(deploymentId=)([0-9a-f-]{36})(?=[&#]|$)", re.IGNORECASE)
_MASK = "[masked]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Everything that can be entered; no secret is among it. The defaults are the forum question's."""

    grant: str = "client_credentials"
    scope: str = ""
    body_format: str = "form"
    text: str = "hello"
    credential: str = "client_credentials"
    placement: str = "query"
    deployment: str = "missing"
    """A word of `DeploymentWord`, or an id."""
    origin: str = "own"
    """A word of `OriginWord`, or an origin."""
    endpoint: str = ""
    """A whole URL in place of the one built from region and deployment."""
    language: str = "python"

    @classmethod
    def of(cls, **named: str) -> Inputs:
        """Check names and values.

        Raises:
            InputError: No such input, or not one of its values.
        """
        known = [one.name for one in fields(cls)]
        for name, value in named.items():
            if name not in known:
                raise _unknown("The stepper has no input", name, known)
            if not isinstance(value, str):
                raise InputError(
                    f"{name}= is no text.",
                    why=f"It is a {type(value).__name__}; everything entered in the stepper is text.",
                    next_step=f'Write {name}="…".',
                )
            choices = _CHOICES.get(name)
            if choices is not None and value not in choices:
                raise _unknown(f"{name}= cannot be", value, list(choices))
        return cls(**named)

    def swept(self, redact: Callable[[str], str] | None = None) -> Inputs:
        """Return the same without anything that may be a secret; see `swept`."""
        free = ("scope", "text", "origin", "endpoint")
        cleaned = {name: swept(getattr(self, name), redact) for name in free}
        cleaned["deployment"] = swept_id(self.deployment, redact)
        return replace(self, **cleaned)


def paired(inputs: Inputs, *, chosen: str = "credential") -> Inputs:
    """Make credential and place agree: none goes nowhere, and what goes nowhere is none.

    Args:
        inputs: What is entered.
        chosen: Which of the two was chosen, so that the other gives way.
    """
    if (inputs.credential == Credential.NONE) == (inputs.placement == Placement.NOWHERE):
        return inputs
    if chosen == "placement":
        other = Credential.NONE if inputs.placement == Placement.NOWHERE else Inputs().credential
        return replace(inputs, credential=other.value if isinstance(other, Credential) else other)
    nowhere = inputs.credential == Credential.NONE
    return replace(inputs, placement=Placement.NOWHERE.value if nowhere else Inputs().placement)


AS_ASKED = {
    "credential": "client_credentials",
    "placement": "query",
    "deployment": "missing",
    "origin": "own",
    "endpoint": "",
}
"""The handshake of the forum question: an OAuth token in the query, no deployment id."""

THAT_WORKS = AS_ASKED | {"credential": "guest", "placement": "first_frame", "deployment": "right"}
"""The handshake that works: the deployment id in the URL, a UUID of one's own in the first frame."""


def swept(text: str, redact: Callable[[str], str] | None = None) -> str:
    """Mask whatever in a text is a secret, or looks like one.

    Stricter than the log, which sees every secret arrive: here a UUID may be a guest token, and a long run of
    letters with digits or capitals in it an access token. A `deploymentId=` in a URL is neither.

    >>> swept("hello"), swept("wss://h/v1?access_token=secret"), swept("it is aB3dE5fG7hI9jK1lM3nO5")
    ('hello', 'wss://h/v1?access_token=[masked]', 'it is [masked]')

    Args:
        text: What somebody typed.
        redact: The lab's own `log.redact`, which knows its secrets by value.
    """
    shown = redact(text) if redact is not None else text
    shown = _TAG.sub(_MASK, Redactor(b"inputs").redact(shown))
    parts, position = list[str](), 0
    for own in _OWN_ID.finditer(shown):
        parts += (_hidden(shown[position : own.start(2)]), own[2])
        position = own.end()
    return "".join((*parts, _hidden(shown[position:])))


def _hidden(text: str) -> str:
    text = _UUID.sub(_MASK, text)
    return _LONG.sub(lambda match: _MASK if _looks_secret(match[0]) else match[0], text)


def swept_id(text: str, redact: Callable[[str], str] | None = None) -> str:
    """Mask a secret in a field for an id: a UUID may stand there, unless the lab knows it for a secret."""
    known = redact(text) if redact is not None else text
    return text if _UUID.fullmatch(known.strip()) else swept(text, redact)


def _looks_secret(run: str) -> bool:
    """Twenty signs with a digit or a capital within: words, hosts and paths have none."""
    return any(
        len(piece) >= _SHORTEST and any(sign.isdigit() or sign.isupper() for sign in piece[1:])
        for piece in re.split(r"[./]", run)
    )


def code_of(inputs: Inputs, *, lab: Lab | None = None) -> str:
    """Write one cell that makes the lab and the stepper with these inputs again. No secret is in it.

    >>> print(code_of(Inputs(text="good morning")))
    import guestlab as gl
    <BLANKLINE>
    lab = gl.Lab()
    lab.stepper(text='good morning')

    Args:
        inputs: What was entered.
        lab: Whose region, deployment and client are written too; without it, and for a lab on its own
            sandbox, the cell starts a sandbox.
    """
    redact = lab.log.redact if lab is not None else None
    clean = inputs.swept(redact)
    default = Inputs()
    told = {
        one.name: getattr(clean, one.name)
        for one in fields(Inputs)
        if getattr(clean, one.name) != getattr(default, one.name)
    }
    arguments = ", ".join(f"{name}={value!r}" for name, value in told.items())
    call = f"lab.stepper({arguments})"
    if len(call) > 100:
        call = "\n".join(["lab.stepper(", *(f"    {name}={value!r}," for name, value in told.items()), ")"])
    return "\n".join([*_lab_lines(lab), call])


def _lab_lines(lab: Lab | None) -> list[str]:
    if lab is None or lab.sandbox is not None:
        return ["import guestlab as gl", "", "lab = gl.Lab()"]
    redact = lab.log.redact
    told = {
        "deployment_id": lab.deployment_id if lab.has_deployment else None,
        "client_id": lab.client_id,
        "origin": lab.origin,
    }
    parts = [repr(lab.region.name), *(f"{name}={redact(v)!r}" for name, v in told.items() if v)]
    lines = ["import guestlab as gl"]
    if lab.tokens.has_client:
        lines.append("from guestlab.secret_sources import from_prompt")
        parts.append("client_secret=from_prompt()")
    elif lab.tokens.brings:
        lines.append("from guestlab.secret_sources import from_prompt")
        parts.append("access_token=from_prompt('access token')")
    return [*lines, "", "lab = gl.Lab(", *(f"    {part}," for part in parts), ")"]


def inputs_of(code: str) -> Inputs:
    """Read the inputs back from a cell that `code_of` wrote. Nothing of it is executed.

    >>> inputs_of("lab.stepper(text='good morning')").text
    'good morning'

    Raises:
        InputError: The text is no such cell, or names no such input.
    """
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError):
        tree = ast.Module(body=[], type_ignores=[])
    calls = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "stepper"
    ]
    if len(calls) != 1 or calls[0].args or any(keyword.arg is None for keyword in calls[0].keywords):
        raise InputError(
            "There are no saved inputs in this text.",
            why="They are one call: lab.stepper(name=value, …).",
            next_step="Paste the whole cell that the stepper shows under “Save these inputs”.",
        )
    return Inputs.of(**{str(keyword.arg): _value(keyword) for keyword in calls[0].keywords})


def _value(keyword: ast.keyword) -> Any:
    try:
        return ast.literal_eval(keyword.value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        raise InputError(
            f"{keyword.arg}= is no plain value.",
            why="Saved inputs are texts between quotation marks; nothing is executed to read them.",
            next_step=f'Write {keyword.arg}="…".',
        ) from None


def _unknown(what: str, word: str, known: list[str]) -> InputError:
    close = difflib.get_close_matches(word, known, n=1)
    return InputError(
        f"{what} {swept(word)!r}.",
        why=f"Known are: {', '.join(known)}.",
        next_step=f"Did you mean {close[0]!r}?" if close else "Use one of them.",
    )
