"""Many entries at once, column by column: fitted, numbered and redacted before they become a chunk.

The twin of `Log.record` for what is read from files. Pure, but for what the redactor learns.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import islice
from typing import TYPE_CHECKING, Any

from guestlab.log.entry import COLUMNS, Entry, Kind
from guestlab.log.fitting import encodable, fitted, size_of, token_of
from guestlab.log.joined_texts import joined

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    _Redact = Callable[[list[str]], list[str]]

    from guestlab.log.redaction import Redactor

__all__ = ["Numbering", "Sides", "clean", "sides_of", "slices"]

Sides = dict[str, "Sequence[Any]"]
"""Column → one value per entry. A column without any value may be left out."""

_NAMES = tuple(column.name for column in COLUMNS)
_TEXTS = ("raw", *(c.name for c in COLUMNS if c.dtype == "str" and c.name not in {"raw", "guest_token"}))
"""`raw` first: it gives most secrets away, which then are masked in the others."""
_NEEDED = frozenset({"at", "monotonic_ns", "kind"})
_FEW = 256
"""Distinct texts in a column up to which each is looked at once."""
_BATCH = 4 << 20
"""Characters searched at once: the search needs a few times as much memory."""


def sides_of(entries: Sequence[Entry]) -> Sides:
    """Turn entries on their side."""
    return dict(zip(_NAMES, zip(*entries, strict=True), strict=True))


def slices(block: Mapping[str, Sequence[Any]], most: int) -> Iterator[tuple[Sides, int]]:
    """Cut columns into pieces of at most so many entries, each with its length.

    Raises:
        ValueError: The columns differ in length, one is missing, or one is none of `COLUMNS`.
    """
    lengths = {len(side) for side in block.values()}
    if len(lengths) > 1 or not _NEEDED <= block.keys() <= set(_NAMES):
        raise ValueError(f"a block has columns of {sorted(lengths)} entries: {', '.join(block)}")
    length = max(lengths, default=0)
    if length <= most:
        if length:
            yield dict(block), length
        return
    for start in range(0, length, most):
        yield {name: side[start : start + most] for name, side in block.items()}, min(most, length - start)


class Numbering:
    """Gives the entries of one file new numbers, and finds the new number of an old one."""

    def __init__(self) -> None:
        self._runs: list[tuple[int, int, int]] = []
        """Old number, new number, length: of each stretch in which both go up by one."""

    def renumber(self, sides: Sides, start: int, length: int) -> None:
        """Number entries from `start` on, in place, and their `exchange` with them."""
        old = sides.get("seq") or range(start, start + length)
        self._learn(old, start, length)
        sides["seq"] = range(start, start + length)
        questions = sides.get("exchange")
        if questions and questions.count(None) != length:
            sides["exchange"] = [None if number is None else self._new(number) for number in questions]

    def _learn(self, old: Sequence[int], start: int, length: int) -> None:
        if old[-1] - old[0] == length - 1 and list(old) == list(range(old[0], old[0] + length)):
            self._add(old[0], start, length)
            return
        for place, number in enumerate(old):
            self._add(number, start + place, 1)

    def _add(self, old: int, new: int, length: int) -> None:
        if self._runs:
            last_old, last_new, last_length = self._runs[-1]
            if old == last_old + last_length and new == last_new + last_length:
                self._runs[-1] = (last_old, last_new, last_length + length)
                return
        self._runs.append((old, new, length))

    def _new(self, old: int) -> int | None:
        """Return the new number, or None when the file holds no such entry."""
        place = bisect_right(self._runs, (old, 2**63, 0)) - 1
        if place < 0:
            return None
        first, new, length = self._runs[place]
        return new + old - first if old < first + length else None


def clean(sides: Sides, length: int, redactor: Redactor) -> Sides:
    """Fit and redact columns, as `Log.record` does with an entry.

    Raises:
        InputError: A word is outside its closed set.
    """
    fit = {
        name: fitted(name, side)
        for name, side in sides.items()
        if name in _NEEDED or side.count(None) != length
    }
    if "raw" in fit:
        _measure(fit, length)
    _tag_tokens(fit, length, redactor)
    before = redactor.version
    _redact(fit, lambda texts: _redacted(texts, redactor))
    if redactor.version != before:
        _redact(fit, redactor.sweep_all)  # what the last column gave away may stand in the first
    return fit


def _measure(sides: Sides, length: int) -> None:
    """Fill in the sizes nobody gave."""
    raws, kinds = sides["raw"], sides["kind"]
    sizes = sides.get("size") or [None] * length
    if None in sizes:
        sides["size"] = [
            size_of(raw, is_frame=kind is Kind.FRAME) if size is None and raw is not None else size
            for size, raw, kind in zip(sizes, raws, kinds, strict=True)
        ]


def _tag_tokens(sides: Sides, length: int, redactor: Redactor) -> None:
    """Keep of each guest token its tag; look for it in sent frames that do not name it."""
    tokens = sides.get("guest_token") or [None] * length
    if None in tokens and "raw" in sides and "direction" in sides:
        tokens = [
            token_of(raw, None)
            if token is None and direction == "sent" and kind is Kind.FRAME and raw and '"token"' in raw
            else token
            for token, direction, kind, raw in zip(
                tokens, sides["direction"], sides["kind"], sides["raw"], strict=True
            )
        ]
    tags = {token: None if token is None else redactor.learn(token) for token in set(tokens)}
    if tags.keys() != {None}:
        sides["guest_token"] = list(map(tags.__getitem__, tokens))


def _redact(sides: Sides, redact: _Redact) -> None:
    for name in _TEXTS:
        if name in sides:
            side = sides[name]
            distinct = dict.fromkeys(side[: 2 * _FEW])
            if len(distinct) <= _FEW and len(distinct := dict.fromkeys(side)) <= _FEW:
                sides[name] = _each_once(side, distinct, redact)
            else:
                sides[name] = _every(side, redact)


def _each_once(side: Sequence[Any], distinct: dict[Any, None], redact: _Redact) -> Sequence[Any]:
    words = [word for word in distinct if word is not None]
    redacted = _every(words, redact)
    if redacted == words:
        return side
    shown = {None: None, **dict(zip(words, redacted, strict=True))}
    return list(map(shown.__getitem__, side))


def _every(side: Sequence[Any], redact: _Redact) -> list[Any]:
    places = [place for place, text in enumerate(side) if text] if not all(side) else None
    present: Iterable[str] = side if places is None else [side[place] for place in places]
    cleaned: list[str] = []
    for batch in _batches(present):
        cleaned += redact(batch)
    if places is None:
        return cleaned
    whole = list(side)
    for place, text in zip(places, cleaned, strict=True):
        whole[place] = text
    return whole


def _batches(texts: Iterable[str]) -> Iterator[list[str]]:
    texts = iter(texts)
    while some := list(islice(texts, 4096)):
        start, length = 0, 0
        for end, text in enumerate(some) if sum(map(len, some)) > _BATCH else ():
            length += len(text)
            if length > _BATCH and end > start:
                yield some[start:end]
                start, length = end, len(text)
        yield some[start:]


def _redacted(texts: list[str], redactor: Redactor) -> list[str]:
    block = joined(texts)
    if block is None and not "".join(texts).isascii():
        texts = list(map(encodable, texts))
    redacted = redactor.redact_all(texts, block)
    if redacted == texts or "".join(redacted).isascii():
        return redacted
    return list(map(encodable, redacted))
