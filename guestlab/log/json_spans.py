"""Replace values in JSON text by the name they stand under, without touching a byte around them.

Pure, and it never raises: the text is read token by token, so that a torn or hostile one is treated as
far as it makes sense. A parser would lose the exact bytes, and of a name that occurs twice all but one.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Container

__all__ = ["places_beside", "replace_values"]

_TOKEN = re.compile(
    r'"[^"\\]*+(?:\\.[^"\\]*+)*+\\?+"?+'  # a string, perhaps torn
    r"|[{}\[\]:,]"
    r'|[^\s"{}\[\]:,]++',  # a number, true, false, null, or garbage
    re.DOTALL,
)
_LITERALS = frozenset({"null", "true", "false"})


@dataclass(slots=True)
class _Container:
    """An object or array that is being read."""

    is_object: bool
    name: str
    """The name it stands under; an array hands it on to its elements."""
    secret: bool
    """Everything in it is."""
    named_secret: str = ""
    """It said {"name": "Authorization", …}: its "value" is that header's."""


class _Reader:
    """Where in the document the reading is."""

    def __init__(self, is_secret: Callable[[str, str, str], bool]) -> None:
        self.is_secret = is_secret
        self.top = _Container(is_object=False, name="", secret=False)
        self.containers: list[_Container] = []
        self.key_token: str | None = None
        self.key: str | None = None
        """The name of the value that comes next."""

    @property
    def parent(self) -> _Container:
        return self.containers[-1] if self.containers else self.top

    def punctuation(self, mark: str) -> None:
        if mark == ":":
            self.key, self.key_token = _content(self.key_token or "")[0], None
        elif mark in "{[":
            name, secret = self.value(mark)
            self.containers.append(_Container(mark == "{", name, secret))
        else:
            self.key = self.key_token = None
            if mark in "}]" and self.containers:
                self.containers.pop()

    def value(self, first: str) -> tuple[str, bool]:
        """Begin a value by its first character: return its name, and whether it is secret."""
        key, self.key, parent = self.key, None, self.parent
        if key is None:
            return parent.name, parent.secret
        if parent.named_secret and key.lower() == "value":
            return parent.named_secret, True
        return key, parent.secret or self.is_secret(key, parent.name, first)


def replace_values(
    text: str,
    is_secret: Callable[[str, str, str], bool],
    hide: Callable[[str, str], str],
    hide_number: Callable[[str], str],
    reread: Callable[[str], str],
    *,
    places: Container[int] = frozenset(),
) -> str:
    """Replace the values in JSON text that a name makes secret.

    Args:
        text: JSON, whole or torn.
        is_secret: Tells by its name, the name of what it stands in, and its own first character, whether
            a value is secret.
        hide: Gives the replacement of a secret text, by its name and value.
        hide_number: Gives the replacement of a secret number, which becomes a text.
        reread: Redacts any other text value that needs a look; it may be JSON, a URL or prose.
        places: Where further secret values begin, as `places_beside` finds them.
    """
    reader = _Reader(is_secret)
    kept: list[str] = []
    position = 0
    for match in _TOKEN.finditer(text):
        token = match[0]
        first = token[0]
        if first in "{}[]:,":
            reader.punctuation(first)
            continue
        if first == '"' and reader.key is None and reader.parent.is_object:
            reader.key_token = token
            continue
        name, secret = reader.value(first)
        if first == '"' and name.lower() in {"name", "key"}:
            named, _ = _content(token)
            reader.parent.named_secret = named if is_secret(named, "", first) else ""
        if not secret and match.start() not in places:
            replacement = _reread(token, reread)
        elif first == '"':
            replacement = _hidden(token, name, hide)
        else:
            replacement = None if token in _LITERALS else f'"{hide_number(token)}"'
        if replacement is not None:
            kept += (text[position : match.start()], replacement)
            position = match.end()
    return "".join((*kept, text[position:]))


def places_beside(
    text: str, is_wanted: Callable[[str], bool], is_witness: Callable[[str, str], bool]
) -> frozenset[int]:
    """Find texts by what stands beside them: the name of a person by what the person is there for.

    Args:
        text: JSON, whole or torn.
        is_wanted: Tells by its name whether the place of a text is looked for.
        is_witness: Tells by its name and text whether a value shows that its object is one of those meant.
    """
    reader = _Reader(lambda *_: False)
    found: set[int] = set()
    objects: list[tuple[list[int], list[bool]]] = []
    """Of each that is open: the places looked for, and the witnesses."""
    for match in _TOKEN.finditer(text):
        token = match[0]
        if token[0] in "{}[]:,":
            reader.punctuation(token)
            if token in {"{", "["}:
                objects.append(([], []))
            elif token in {"}", "]"} and objects:
                _settle(objects.pop(), found)
        elif token[0] == '"' and reader.key is None and reader.parent.is_object:
            reader.key_token = token
        else:
            key = reader.key
            reader.value(token[0])
            if key is None or token[0] != '"' or not objects:
                continue
            if is_wanted(key):
                objects[-1][0].append(match.start())
            elif is_witness(key, _content(token)[0]):
                objects[-1][1].append(True)
    while objects:  # torn
        _settle(objects.pop(), found)
    return frozenset(found)


def _settle(told: tuple[list[int], list[bool]], found: set[int]) -> None:
    places, witnesses = told
    if witnesses:
        found.update(places)


def _hidden(token: str, name: str, hide: Callable[[str, str], str]) -> str | None:
    """Return what stands for a secret text, or None to leave it as it is."""
    content, _ = _content(token)
    hidden = hide(name, content)
    return None if hidden == content else _string(hidden, token)


def _reread(token: str, reread: Callable[[str], str]) -> str | None:
    """Look into a text value where it may hold something the eye does not see, or name and value."""
    if token[0] != '"' or not ("\\" in token or ":" in token or "=" in token):
        return None
    content, decoded = _content(token)
    seen = reread(content)
    if seen == content:
        return None
    return _string(seen, token) if decoded else token.replace(content, seen)


def _string(content: str, instead_of: str) -> str:
    """Write a string token like another one: escaped as much, and torn if that is."""
    closing = '"' if _is_closed(instead_of) else ""
    return json.dumps(content, ensure_ascii=instead_of.isascii())[:-1] + closing


def _is_closed(token: str) -> bool:
    """Tell whether a string token has its closing quote, and not an escaped one."""
    return len(token) > 1 and token[-1] == '"' and (len(token) - len(token[:-1].rstrip("\\"))) % 2 == 1


def _content(token: str) -> tuple[str, bool]:
    """Decode a string token, and tell whether that went well; of a torn one take what is there."""
    if "\\" not in token:
        return token.strip('"'), True
    try:
        return str(json.loads(token, strict=False)), True
    except ValueError:
        return token.removeprefix('"').removesuffix('"'), False
