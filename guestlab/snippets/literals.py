"""Texts and objects as literals of Python, JavaScript and the shell. What was masked becomes a variable.

Text from the wire is hostile: whatever could end a literal, a script element or a line is escaped, and
nothing unprintable reaches a terminal.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from guestlab.snippets.recipe import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from guestlab.snippets.recipe import Pieces

__all__ = ["Language", "javascript_text", "python_text", "shell_text", "shell_word"]


def python_text(text: str) -> str:
    """Write a text as a Python literal."""
    return '"' + "".join(_escaped(c, "\\U{:08x}") for c in text) + '"'


def javascript_text(text: str) -> str:
    """Write a text as a JavaScript literal that may stand in a page, too."""
    return '"' + "".join("\\x3c" if c == "<" else _escaped(c, "\\u{{{:x}}}") for c in text) + '"'


def _escaped(character: str, wide: str) -> str:
    if character in {'"', "\\"}:
        return "\\" + character
    if character == "\n":
        return "\\n"
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else wide.format(code)


class Language:
    """How one language writes literals.

    Args:
        text: Writes a text.
        variable: Names a secret's variable.
        words: What None, True and False are called.
        step: Spaces that one level is indented by.
    """

    def __init__(
        self,
        text: Callable[[str], str],
        variable: Callable[[Secret], str],
        words: tuple[str, str, str],
        step: int,
    ) -> None:
        self.text = text
        self.variable = variable
        self.step = step
        self.words = dict(zip((None, True, False), words, strict=True))

    def expression(self, pieces: Pieces, quoting: str = "") -> str:
        """Join pieces to one expression; `quoting` is a call with {} for the variable, if any."""
        parts = [
            (quoting or "{}").format(self.variable(piece)) if isinstance(piece, Secret) else self.text(piece)
            for piece in pieces
        ]
        return " + ".join(parts) or '""'

    def document(self, value: Any, indent: int = 0) -> str:
        """Write a JSON value, one key a line at the top."""
        inner = " " * (indent + self.step)
        if isinstance(value, dict) and value:
            rows = [
                f"{inner}{self.text(k)}: {self.document(v, indent + self.step)}," for k, v in value.items()
            ]
            return "\n".join(["{", *rows, " " * indent + "}"])
        if isinstance(value, dict):
            return "{}"
        if isinstance(value, list):
            return "[" + ", ".join(self.document(item, indent) for item in value) + "]"
        if isinstance(value, tuple):
            return self.expression(value)
        if isinstance(value, str):
            return self.text(value)
        return self.words[value] if value is None or isinstance(value, bool) else str(value)


def shell_word(pieces: Pieces, quoting: str = "") -> str:
    """Write pieces as one word of the shell; variables go through the function `quoting`, if any."""
    parts = [
        f'"$({quoting} "${piece.name}")"'
        if isinstance(piece, Secret) and quoting
        else f'"${piece.name}"'
        if isinstance(piece, Secret)
        else shell_text(piece)
        for piece in pieces
    ]
    return "".join(parts) or "''"


def shell_text(text: str) -> str:
    """Quote a text for bash, zsh and their kin."""
    if text.isprintable():
        return shlex.quote(text)
    return "$'" + "".join(map(_ansi_c, text)) + "'"


def _ansi_c(character: str) -> str:
    if character in {"'", "\\"}:
        return "\\" + character
    if character.isprintable():
        return character
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "backslashreplace"))
