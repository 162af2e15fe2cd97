"""Two requests side by side: what stands in both, what differs, what only one of them has. Pure.

Compares attempts, or texts such as two token requests. Lines are matched by name, so order does not matter.
What is made afresh each time (`Sec-WebSocket-Key`, `tracingId`, a guest's own token) is shown, but is no
difference. What another client would have shown of a refusal is in `client_views.py`.
"""

from __future__ import annotations

import difflib
import itertools
import re
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from guestlab.handshake.client_views import ClientView, client_views
from guestlab.handshake.request_parts import sides
from guestlab.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from guestlab.handshake.attempt import Attempt
    from guestlab.handshake.evidence import Evidence
    from guestlab.handshake.request_parts import Part, Side

    Comparable = Attempt | Evidence | str | tuple[str, str]

__all__ = ["ClientView", "Comparison", "Difference", "Row", "client_views", "compare"]

COLUMN = 58
"""Characters of a column in the terminal."""

_TOKEN = re.compile(r"\[masked[^\]]*\]|[\w.-]+|\s+|.", re.DOTALL)
_MOST_TOKENS = 300
_ORDER = ("method", "path", "query", "HTTP", "header", "body", "first frame")
_SIGNS = {"same": " ", "differs": "≠", "only left": "<", "only right": ">", "random": "~", "not sent": " "}


class Difference(NamedTuple):
    """One thing that differs; None where a side has no such thing."""

    what: str
    left: str | None
    right: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of both sides."""

    what: str
    kind: str
    """same, differs, only left, only right, random (made afresh each time), not sent (ended before)."""
    left: tuple[tuple[str, bool], ...]
    """The left text in pieces; True marks those that differ."""
    right: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Comparison:
    """Two requests, aligned."""

    names: tuple[str, str]
    outcomes: tuple[str, str]
    """What came of each: an attempt's verdict; "" for a text."""
    rows: tuple[Row, ...]
    differences: tuple[Difference, ...]
    """(what, left, right) of what differs and is not made afresh each time."""

    @property
    def text(self) -> str:
        """For a terminal: `[-…-]` is on the left only, `{+…+}` on the right only."""
        lines = [*_columns(" ", *self.names), *_columns(" ", *self.outcomes), "-" * (2 * COLUMN + 5)]
        for row in self.rows:
            left, right = _marked(row.left, "[-", "-]"), _marked(row.right, "{+", "+}")
            if row.kind == "not sent":
                left, right = left or "(not sent: it ended before)", right or "(not sent: it ended before)"
            lines += _columns(_SIGNS[row.kind], left, right)
        lines.append("")
        lines += [str(self.summary), *(f"  {_told(difference)}" for difference in self.differences)]
        return "\n".join(line.rstrip() for line in lines)

    @property
    def summary(self) -> str:
        """One line: how many differences."""
        count = len(self.differences)
        if not count:
            return "No difference, apart from what is made afresh each time."
        return f"{count} difference{'s' if count > 1 else ''}:"

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        whats = ", ".join(difference.what for difference in self.differences) or "nothing"
        return (
            f"<Comparison of {_clean(self.names[0])} with {_clean(self.names[1])}: {_clean(whats)} differs>"
        )

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        from guestlab.display import comparison_html

        return {"text/plain": visible(self.text), "text/html": comparison_html(self)}


def compare(failing: Comparable, working: Comparable) -> Comparison:
    """Lay two attempts, or any two request texts, side by side.

    >>> print(compare(("asked", "GET /v1 HTTP/1.1"), ("right", "GET /v1?deploymentId=d HTTP/1.1")).summary)
    1 difference:

    Args:
        failing: An attempt, evidence, a curl line, code or raw request as pasted, or (name, text).
            Secrets in a text are masked.
        working: What to hold it against.

    Raises:
        InputError: Neither attempts, evidence nor texts.
    """
    left, right = sides(failing, working)
    rows = tuple(_row(left, right, one, other) for one, other in _aligned(left.parts, right.parts))
    return Comparison(
        names=(left.name, right.name),
        outcomes=(left.outcome, right.outcome),
        rows=rows,
        differences=tuple(
            Difference(row.what, _joined(row.left), _joined(row.right))
            for row in rows
            if row.kind in {"differs", "only left", "only right"}
        ),
    )


def _aligned(left: tuple[Part, ...], right: tuple[Part, ...]) -> Iterable[tuple[Part | None, Part | None]]:
    """Pair the parts of one name, in the order of a request."""
    if any(part.what.startswith("line ") for part in (*left[:1], *right[:1])):
        return _aligned_lines(left, right)
    keys_left, keys_right = _keyed(left), _keyed(right)
    keys = sorted({**keys_left, **keys_right}, key=lambda key: _rank(key[0]))  # stable
    return [(keys_left.get(key), keys_right.get(key)) for key in keys]


def _rank(name: str) -> int:
    return next((rank for rank, start in enumerate(_ORDER) if name.startswith(start)), len(_ORDER))


def _aligned_lines(
    left: tuple[Part, ...], right: tuple[Part, ...]
) -> Iterable[tuple[Part | None, Part | None]]:
    """Pair the lines of texts that are no HTTP."""
    texts = [part.text for part in left], [part.text for part in right]
    for _, a, b, c, d in difflib.SequenceMatcher(None, *texts, autojunk=False).get_opcodes():
        yield from itertools.zip_longest(left[a:b], right[c:d])


def _keyed(parts: tuple[Part, ...]) -> dict[tuple[str, int], Part]:
    """Name each part; of several with one name, number them. Header names know no case."""
    counts: dict[str, int] = {}
    keyed = {}
    for part in parts:
        name = part.what.lower() if part.what.startswith("header ") else part.what
        counts[name] = counts.get(name, 0) + 1
        keyed[name, counts[name]] = part
    return keyed


def _row(left: Side, right: Side, one: Part | None, other: Part | None) -> Row:
    part = one or other
    assert part is not None
    if one is None or other is None:
        missing = left if one is None else right
        unsaid = part.what.startswith("first frame") and missing.is_unsaid
        kind = "not sent" if unsaid else "only right" if one is None else "only left"
        pieces = ((part.text, not unsaid),)
        return Row(
            what=part.what,
            kind=kind,
            left=() if one is None else pieces,
            right=() if other is None else pieces,
        )
    if _plain(one) == _plain(other):
        return Row(what=one.what, kind="same", left=((one.text, False),), right=((other.text, False),))
    if one.is_random and other.is_random:
        return Row(what=one.what, kind="random", left=((one.text, False),), right=((other.text, False),))
    marked_left, marked_right = _differing(one.text, other.text)
    return Row(what=one.what, kind="differs", left=marked_left, right=marked_right)


def _plain(part: Part) -> str:
    """What counts of a line: neither the sign before a parameter, nor the case of a header's name."""
    if part.what.startswith("header "):
        name, _, value = part.text.partition(":")
        return f"{name.lower()}:{value.strip()}"
    return part.text.lstrip("?&") if part.what.startswith(("query parameter ", "body ")) else part.text


def _differing(left: str, right: str) -> tuple[tuple[tuple[str, bool], ...], tuple[tuple[str, bool], ...]]:
    """Cut two texts into what they share and what not, by words."""
    one, other = _TOKEN.findall(left), _TOKEN.findall(right)
    if max(len(one), len(other)) > _MOST_TOKENS:
        return ((left, True),), ((right, True),)
    matcher = difflib.SequenceMatcher(None, one, other, autojunk=False)
    pieces: tuple[list[tuple[str, bool]], list[tuple[str, bool]]] = ([], [])
    for kind, a, b, c, d in matcher.get_opcodes():
        for place, part in ((0, one[a:b]), (1, other[c:d])):
            if part:
                pieces[place].append(("".join(part), kind != "equal"))
    return tuple(pieces[0]), tuple(pieces[1])


def _joined(pieces: tuple[tuple[str, bool], ...]) -> str | None:
    return "".join(text for text, _ in pieces) if pieces else None


def _marked(pieces: tuple[tuple[str, bool], ...], before: str, after: str) -> str:
    return "".join(f"{before}{text}{after}" if differs else text for text, differs in pieces)


def _clean(text: str) -> str:
    """Text from the wire is hostile: nothing unprintable reaches the terminal."""
    return "".join(c if c.isprintable() else "·" for c in text)


def _columns(sign: str, left: str, right: str) -> list[str]:
    """One row of two columns, wrapped."""
    one, other = (textwrap.wrap(_clean(text), COLUMN, subsequent_indent="    ") for text in (left, right))
    height = max(len(one), len(other))
    one, other = one + [""] * (height - len(one)), other + [""] * (height - len(other))
    return [
        f"{a:<{COLUMN}} {sign if not n else ' '} {b}" for n, (a, b) in enumerate(zip(one, other, strict=True))
    ]


def _told(difference: Difference) -> str:
    what, left, right = difference
    if left is None:
        return _clean(f"{what}: only on the right: {right}")
    if right is None:
        return _clean(f"{what}: only on the left: {left}")
    return _clean(f"{what}: {left} → {right}")
