"""Reads values out of pasted code: strings, objects, lists and calls of Python and JavaScript. Pure.

A tolerant reader for diagnosis, not an interpreter: nothing is evaluated. What only a running program could
know becomes a placeholder, `{name}`. No input makes it fail: it stops and returns what it has.
"""

from __future__ import annotations

import re
from typing import Any

__all__ = ["LooseReader"]

MAX_DEPTH = 12
MAX_ITEMS = 500
MAX_SKIPPED = 50_000
"""Characters one reader passes over that it does not understand; then it is at the end of the text."""

_SPACE = re.compile(r"(?:\s|//[^\n]*|/\*.*?\*/|#[^\n]*)*", re.DOTALL)
_MARKS = re.compile(r"[,()\[\]{}]")
_NAME = re.compile(
    r"(?:new\s+|await\s+|async\s+)*[A-Za-z_$][\w$]*(?:\s*(?:\.|\?\.|::|->)\s*[A-Za-z_$][\w$]*)*"
)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_STRING = re.compile(r"(?P<prefix>[A-Za-z$@]{0,2})(?P<mark>\"\"\"|'''|[\"'`])")
_CONSTANTS = {
    "true": True,
    "True": True,
    "false": False,
    "False": False,
    "null": None,
    "None": None,
    "nil": None,
    "undefined": None,
}
_JOINS = re.compile(r"\+(?![+=])|\.(?=\s+[\"'$\w])(?<=\s\.)")
"""Joins texts: plus, and the dot of PHP between blanks."""
_GO_MAP = re.compile(r"(?:map\[string\](?:any|interface\s*\{\s*\}|string)|M)\s*(?=\{)")
_ACCESS_TOKEN = re.compile(r"\b(?:access_?token)\b", re.IGNORECASE)
_WRAPPERS = re.compile(
    r"(?:JSON\.stringify|json\.dumps|orjson\.dumps|dumps|String|str|repr|Buffer\.from|new\s+(?:URLSearchParams|Headers|URL|Uri|URI|UriBuilder)|Uri"
    r"|\w*\.?URL|UriComponentsBuilder\.from\w+|URLComponents|json_encode|Encoding\.UTF8\.GetBytes|(?:qs|querystring)\.stringify"
    r"|fmt\.Sprintf|[Ss]tring\.[Ff]ormat|util\.format|sprintf|\w+\.[Pp]arse|Uri\.parse|URL\.init"
    r"|URLSearchParams|urlencode|urllib\.parse\.urlencode|encodeURIComponent|URI\.create|URI|encodeURI|dict|bytes)"
)
"""Calls whose value is, for our purpose, their first argument."""
_HOLE = re.compile(r"\{((?:[^{}]|\{[^{}]*\})*)\}")
_HOLE_RUBY = re.compile(r"#" + _HOLE.pattern)
_HOLE_JS = re.compile(r"\$" + _HOLE.pattern)


def _as_text(value: Any) -> str:
    """A value joined to a text; parameters by name become a query."""
    if isinstance(value, dict):
        return "&".join(f"{name}={item if isinstance(item, str) else '{…}'}" for name, item in value.items())
    return str(value)


class LooseReader:
    """A cursor over source text."""

    def __init__(self, text: str, at: int = 0, names: dict[str, Any] | None = None) -> None:
        self.text = text
        self.at = at
        self.names = names or {}
        self._patience = MAX_SKIPPED

    def call(self, depth: int = 0) -> tuple[list[Any], dict[str, Any]]:
        """Read `(a, b, key=c)` at the cursor: positional values and keyword values."""
        positional: list[Any] = []
        named: dict[str, Any] = {}
        if not self._take("("):
            return positional, named
        for _ in range(MAX_ITEMS):
            if self._take(")") or self._ended():
                break
            keyword = re.compile(r"([A-Za-z_]\w*)\s*(?:=(?![=>])|:(?=\s))").match(self.text, self._skip())
            if keyword:
                self.at = keyword.end()
                named[keyword[1]] = self.value(depth)
            else:
                positional.append(self.value(depth))
            if not self._take(","):
                self._to_end_of_item(")")
        return positional, named

    def value(self, depth: int = 0) -> Any:
        """Read one value, strings joined by `+` included."""
        value = self._primary(depth)
        for _ in range(MAX_ITEMS):
            joins = _JOINS.match(self.text, self._skip()) if isinstance(value, str) else None
            if joins is None:
                break
            self.at = joins.end()
            value += _as_text(self._primary(depth))
        return value

    def _primary(self, depth: int) -> Any:
        start = self._skip()
        if depth > MAX_DEPTH or self._ended():
            self.at = len(self.text)
            return "{…}"
        character = self.text[start]
        string = _STRING.match(self.text, start)
        if string and (
            not string["prefix"]
            or string["prefix"].lower() in {"f", "r", "b", "rb", "br", "fr", "u", "$", "@", "$@", "@$"}
        ):
            return self._strings(string)
        if character == "{":
            return self._object(depth)
        if character in "[(":
            return self._list(depth, "]" if character == "[" else ")")
        if number := _NUMBER.match(self.text, start):
            self.at = number.end()
            return float(number[0]) if "." in number[0] else int(number[0][:30])
        return self._named(depth)

    def _strings(self, string: re.Match[str]) -> str:
        """A string, and the strings that follow it directly as Python joins them."""
        value = self._string(string)
        for _ in range(MAX_ITEMS):
            follower = _STRING.match(self.text, self._skip())
            if follower is None or follower["mark"] == "`" or len(follower["prefix"]) > 2:
                break
            value += self._string(follower)
        return value

    def _string(self, string: re.Match[str]) -> str:
        mark, prefix = string["mark"], string["prefix"].lower()
        inner, at = [], string.end()
        while at < len(self.text) and not self.text.startswith(mark, at):
            if self.text[at] == "\\" and "r" not in prefix:
                follower = self.text[at + 1 : at + 2]
                inner.append({"n": "\n", "t": "\t", "\n": ""}.get(follower, follower))
                at += 2
            else:
                inner.append(self.text[at])
                at += 1
        self.at = min(at + len(mark), len(self.text))
        text = "".join(inner)
        if mark == '"' and "#{" in text:
            text = _HOLE_RUBY.sub(self._filled, text)
        if mark == "`":
            return _HOLE_JS.sub(self._filled, text)
        return _HOLE.sub(self._filled, text) if {"f", "$"} & set(prefix) else text

    def _filled(self, found: re.Match[str]) -> str:
        """Put a known value into a hole of a text; calls are read as elsewhere, the rest stays a hole."""
        inner = found[1].strip()
        known = self.names.get(inner)
        if known is None and "(" in inner:
            known = LooseReader(inner, 0, self.names).value(MAX_DEPTH - 3)
        if isinstance(known, dict):
            return _as_text(known)
        return known if isinstance(known, str) else "{" + re.sub(r"[{}]", "", inner)[:60] + "}"

    def _object(self, depth: int) -> dict[str, Any]:
        self.at += 1
        found: dict[str, Any] = {}
        for _ in range(MAX_ITEMS):
            if self._take("}") or self._ended():
                break
            key = self._key(depth)
            if self._take(":") or self._take("=>") or self._take("="):
                found[key] = self.value(depth + 1)
            elif key:
                found[key] = self.names.get(key, "{" + key + "}")
            if not self._take(",") and not self._take(";"):
                self._to_end_of_item("}")
        return found

    def _key(self, depth: int) -> str:
        start = self._skip()
        if string := _STRING.match(self.text, start):
            return self._string(string)
        if self.text.startswith("[", start):
            return str(self._list(depth + 1, "]"))
        name = re.compile(r"(?:\.\.\.|\*\*)?[\w$\-]+").match(self.text, start)
        self.at = name.end() if name else start
        return name[0].lstrip(".*") if name else ""

    def _list(self, depth: int, end: str) -> list[Any] | Any:
        self.at += 1
        found: list[Any] = []
        plain = True
        for _ in range(MAX_ITEMS):
            if self._take(end) or self._ended():
                break
            found.append(self.value(depth + 1))
            if self._take(","):
                plain = False
            else:
                self._to_end_of_item(end)
        return found[0] if end == ")" and plain and len(found) == 1 else found

    def _named(self, depth: int) -> Any:
        """A constant, a known name, a wrapping call, or a placeholder for anything else."""
        if go := _GO_MAP.match(self.text, self._skip()):
            self.at = go.end()
            return self._object(depth)
        name = _NAME.match(self.text, self._skip())
        if name is None:
            self.at += 1
            return "{…}"
        self.at = name.end()
        word = re.sub(r"\s+", " ", name[0])
        if word in _CONSTANTS:
            return _CONSTANTS[word]
        if self.text.startswith("(", self._skip()):
            wraps = _WRAPPERS.fullmatch(word) is not None
            positional, named = self.call(depth + 1) if depth < MAX_DEPTH else ([], {})
            inner = positional[0] if wraps and positional else named if wraps and named else None
            if isinstance(inner, str) and inner[:1] == "/" and len(positional) == 2:
                inner = f"{positional[1]}".rstrip("/") + inner  # new URL("/v1", "wss://…")
            after = self._trailing(depth)
            return inner if inner is not None else _placeholder(word, after)
        after = self._trailing(depth)
        if word in self.names:
            return self.names[word]
        owner = self.names.get(word.partition(".")[0])
        if isinstance(owner, str) and "://" in owner:
            return owner  # u.String(), uri.to_s, builder.Uri
        return _placeholder(word, after)

    def _trailing(self, depth: int) -> str:
        """Skip `.encode()`, `["KEY"]` and the like after a value; the text of it."""
        begin = self.at
        for _ in range(20):
            start = self._skip()
            follower = re.compile(r"\??\.\s*[A-Za-z_$][\w$]*").match(self.text, start)
            if follower:
                self.at = follower.end()
            elif self.text.startswith(("(", "["), start) and depth < MAX_DEPTH:
                self._list(depth + 1, ")" if self.text[start] == "(" else "]")
            else:
                break
        return self.text[begin : self.at][:500]

    def _to_end_of_item(self, end: str) -> None:
        """Go to the comma or bracket that ends an item whose rest is not understood."""
        depth, to = 0, len(self.text)
        for mark in _MARKS.finditer(self.text, self.at, self.at + self._patience):
            character = mark[0]
            if depth == 0 and character in {",", end}:
                to = mark.end() if character == "," else mark.start()
                break
            depth += 1 if character in "([{" else -1 if character in ")]}" else 0
            if depth < 0:
                to = mark.start()
                break
        self._patience = max(0, self._patience - (to - self.at))
        self.at = to

    def _skip(self) -> int:
        space = _SPACE.match(self.text, self.at)
        self.at = space.end() if space else self.at
        return self.at

    def _take(self, mark: str) -> bool:
        if self.text.startswith(mark, self._skip()):
            self.at += len(mark)
            return True
        return False

    def _ended(self) -> bool:
        return self.at >= len(self.text)


def _placeholder(word: str, after: str) -> str:
    """What stands for a value that is not seen; that it is an access token is kept."""
    return "{access_token}" if _ACCESS_TOKEN.search(after) else "{" + word[:60] + "}"
