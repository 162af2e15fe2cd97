"""Knows every path of the Platform API, and the nearest real one to a path that does not exist.

The list is data (`guestlab/data/platform-paths.txt`, from the official Python SDK 269.0.0) and is read on
first use. A path fits a template only if its variable segments look like identifiers (UUIDs, or the shapes
the platform uses): `/api/v2/conversations/messaging` is no conversation. Methods count as well.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from guestlab.handshake.quoting import is_masked

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["PREFIX", "PathReading", "read_path"]

PREFIX = "/api/v2"

_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_PLACEHOLDER = re.compile(r"[{<\[$:%].*|.*[}>\]]|[A-Z][A-Z0-9_]{3,}|(?i:your|my)[-_].*|\.\.\.|…|[xX]{3,}")
_FREE_NAMES = re.compile(
    r"name$|type$|version$|code$|jid$|key$|dateid$|^messageids$|^scopeid$|^rowid$|^externalkey$|^typeid$"
    r"|^subjectid$|^settingsid$|^topicid$|^weekid$|^languageid$|^segmentid$|^statusid$|^channelid$",
    re.IGNORECASE,
)
"""Parameters whose values are free text, not identifiers of the usual shape."""

_WORDS = re.compile(r"[a-z]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class PathReading:
    """What the list says about one path and method."""

    path: str
    template: str = ""
    """The real path it fits, or ""."""
    methods: tuple[str, ...] = ()
    """The methods of that real path."""
    method_fits: bool = False
    """Whether the method asked with is one of them."""
    nearest: str = ""
    """When it does not fit: the real path that comes nearest, with its methods; "" when none is near."""
    misfit: str = ""
    """The one segment that keeps it from fitting `template`: it stands where an identifier belongs."""
    parameter: str = ""
    """The name of that identifier in the template."""

    @property
    def exists(self) -> bool:
        """Whether path and method are real."""
        return bool(self.template) and self.method_fits and not self.misfit


@dataclass(slots=True)
class _Node:
    """One segment in the tree of paths."""

    words: dict[str, _Node] = field(default_factory=dict)
    parameters: list[tuple[str, _Node]] = field(default_factory=list)
    template: str = ""
    methods: tuple[str, ...] = ()


def read_path(path: str, method: str | None = None) -> PathReading:
    """Look a path up, with or without `/api/v2` in front.

    >>> read_path("/api/v2/webmessaging/messages", "GET").exists
    True
    >>> read_path("/api/v2/webmessaging/guests", "POST").exists
    False
    """
    below = path.removeprefix(PREFIX) if path.startswith(PREFIX + "/") else path
    segments = tuple(segment for segment in below.split("/") if segment)[:30]
    nodes = list(_walk(_tree(), segments)) if path.startswith(PREFIX + "/") else []
    if not nodes:
        meant = _meant(path, segments, method) if path.startswith(PREFIX + "/") else None
        return meant or PathReading(path=path, nearest=_nearest(segments, method))
    anyhow = method in {None, "OPTIONS"}
    node = next((node for node in nodes if anyhow or method in node.methods), nodes[0])
    fits = anyhow or method in node.methods
    return PathReading(path=path, template=node.template, methods=node.methods, method_fits=fits)


def _walk(node: _Node, segments: tuple[str, ...]) -> Iterator[_Node]:
    """Every place a path leads to, its own words before variables."""
    if not segments:
        if node.template:
            yield node
        return
    word, rest = segments[0], segments[1:]
    if (below := node.words.get(word)) is not None:
        yield from _walk(below, rest)
    for name, below in node.parameters:
        if _is_value(word, name):
            yield from _walk(below, rest)


def _meant(path: str, segments: tuple[str, ...], method: str | None) -> PathReading | None:
    """A real path and method with one identifier of the wrong form, such as `abc` for a UUID.

    A word the API or forums use as a word is no identifier: `/conversations/messaging` is an invented path.
    """
    other_method: PathReading | None = None
    for number, segment in enumerate(segments):
        if segment.lower() in _vocabulary() or _INVENTED.search(segment) or re.fullmatch(r"v\d+", segment):
            continue
        trial = (*segments[:number], _ANY_ID, *segments[number + 1 :])
        for node in _walk(_tree(), trial):
            template = node.template.removeprefix(PREFIX).strip("/").split("/")
            if template[number].startswith("{") and (method is None or method in node.methods):
                return PathReading(path=path, template=node.template, methods=node.methods, method_fits=True,
                                   misfit=segment, parameter=template[number].strip("{}"))  # fmt: skip
            if template[number].startswith("{") and len(template) - number > 2 and other_method is None:
                other_method = PathReading(path=path, template=node.template, methods=node.methods)
    return other_method


_ANY_ID = "00000000-0000-4000-8000-000000000000"
_INVENTED = re.compile(
    r"guest|messag|messenger|chat|visitor|anonym|session|token|socket|connect|auth|widget|send|start|join|init"
    r"|create|open|close|end|typing|event|participant|attach|upload|history|me$|current|active|external",
    re.IGNORECASE,
)
"""What stands in paths that were made up."""


@cache
def _vocabulary() -> frozenset[str]:
    """Every word that stands in a real path as itself."""
    words = (segment for template, _ in _rows() for segment in template.split("/"))
    return frozenset(word.lower() for word in words if word and not word.startswith("{"))


def _is_value(segment: str, parameter: str) -> bool:
    """Tell whether a segment can be a parameter's value rather than an invented word."""
    if _UUID.fullmatch(segment) or is_masked(segment) or _PLACEHOLDER.fullmatch(segment):
        return True
    if _FREE_NAMES.search(parameter):
        return bool(re.search(r"[\d._\-]", segment)) or parameter.lower() not in {"channelid", "topicid"}
    return len(segment) >= 3 and any(c.isdigit() for c in segment) and not re.fullmatch(r"v\d+", segment)


@cache
def _rows() -> tuple[tuple[str, tuple[str, ...]], ...]:
    text = (files("guestlab") / "data" / "platform-paths.txt").read_text("utf-8")
    rows = (line.split(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))
    return tuple((PREFIX + path, tuple(methods.split(","))) for methods, path in rows)


@cache
def _tree() -> _Node:
    root = _Node()
    for template, methods in _rows():
        node = root
        for segment in template.removeprefix(PREFIX).strip("/").split("/"):
            node = _below(node, segment)
        node.template, node.methods = template, methods
    return root


def _below(node: _Node, segment: str) -> _Node:
    if not segment.startswith("{"):
        return node.words.setdefault(segment, _Node())
    name = segment.strip("{}")
    for known, below in node.parameters:
        if known == name:
            return below
    node.parameters.append((name, _Node()))
    return node.parameters[-1][1]


@cache
def _index() -> dict[str, frozenset[int]]:
    """Which rows use a word, for a quick shortlist."""
    found: dict[str, set[int]] = {}
    for number, (template, _) in enumerate(_rows()):
        for word in _words(template.removeprefix(PREFIX)):
            found.setdefault(word, set()).add(number)
    return {word: frozenset(numbers) for word, numbers in found.items()}


def _words(path: str) -> frozenset[str]:
    """The path's own words in the singular, without its variables."""
    bare = re.sub(r"\{[^}]*\}", " ", path.lower())
    return frozenset(word.removesuffix("s") for word in _WORDS.findall(bare) if len(word) > 2)


def _nearest(segments: tuple[str, ...], method: str | None) -> str:
    """The real path with the most words in common, if it is near enough to be worth naming."""
    shape = tuple("{}" if _UUID.fullmatch(s) or any(c.isdigit() for c in s) else s.lower() for s in segments)
    words = _words("/".join(shape)) - {"api"}
    index = _index()
    votes: dict[int, float] = {}
    for word in words:
        numbers = index.get(word, frozenset())
        for number in numbers:
            votes[number] = votes.get(number, 0.0) + 1.0 / (1 + len(numbers)) ** 0.5
    wanted = "/".join(shape)
    far = {number: abs(_rows()[number][0].count("/") - 2 - len(shape)) for number in votes}
    shortlist = sorted(votes, key=lambda number: (far[number] - 2 * votes[number], number))[:60]
    best, best_score = "", 0.0
    for number in shortlist:
        template, methods = _rows()[number]
        if not _has_every_word(words, template):
            continue
        known = re.sub(r"\{[^}]*\}", "{}", template.removeprefix(PREFIX).strip("/")).lower()
        score = difflib.SequenceMatcher(None, wanted, known, autojunk=False).ratio()
        score += 0.05 if method in methods else 0.0
        if score > best_score:
            best, best_score = f"{', '.join(methods)} {template}", score
    return best if best_score >= 0.72 else ""


def _has_every_word(words: frozenset[str], template: str) -> bool:
    """Each invented word needs a look-alike of its own, so that nobody is sent to another feature."""
    left = _words(template.removeprefix(PREFIX))
    for word in sorted(words, key=lambda word: word not in left):
        near = difflib.get_close_matches(word, left, n=1, cutoff=0.7)
        if not near:
            return False
        left -= {near[0]}
    return not left or _ends_alike(words, template)


def _ends_alike(words: frozenset[str], template: str) -> bool:
    """A longer template must at least end with a word that was asked for."""
    last = [segment for segment in template.split("/") if not segment.startswith("{")][-1]
    return bool(difflib.get_close_matches(last.removesuffix("s"), words, n=1, cutoff=0.7))
