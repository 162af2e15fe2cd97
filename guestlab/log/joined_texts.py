"""Thousands of texts searched as one, for many things at once: which of them are worth a closer look.

Redaction looks for some twenty pieces of names in every text, and for every secret that is known. Searched
one by one, each costs a pass over all bytes. Here NumPy takes two bytes at a time and looks them up in a
table: whatever has three letters holds two neighbours at an even place, wherever it begins. What is found
so is a little too much, never too little; who asks looks again. Needs NumPy, which comes with pandas; it is
imported when there is enough to search.
"""

from __future__ import annotations

import math
from functools import cache
from itertools import product
from typing import TYPE_CHECKING, Any

from guestlab.log import secret_keys as names

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Places = NDArray[Any]

__all__ = ["SEAM", "JoinedTexts", "Words", "first_groups", "joined"]

SEAM = "\0"
"""Between texts that are searched as one: in no name, no space, and in hardly any text."""

_ENOUGH = 16_384
"""Characters from which this is faster than searching by text."""
_KELVIN = "\u212a".encode()
"""Its lower case is a k: no other character beyond ASCII has one that makes a piece of a name."""
_CODE = b'code"'
_ESCAPE = ord("\\") << 16 | ord("U") << 24
_RARE_LAST = "etaoinsrhldcumfpgwybvkxjqz"
_USUAL = (
    b"class structuredmessage session response code body type text direction outbound inbound channel time "
    b"private from nickname originatingentity human metadata correlationid message content title events"
)
"""Words of nearly every frame."""
_FOLD = 0x2020202020202020
"""Makes letters small, eight at a time, and leaves digits as they are."""
_SPREAD = 0x9E3779B1
"""Multiplied by it, four bytes spread over a table (Knuth's multiplicative hashing)."""


def joined(texts: Sequence[str]) -> JoinedTexts | None:
    """Join texts so as to search them; None where that is not worth it, or not possible."""
    if sum(map(len, texts)) < _ENOUGH:
        return None
    try:
        utf8 = SEAM.join(texts).encode()
    except UnicodeEncodeError:
        return None
    block = JoinedTexts(utf8)
    return block if len(block) == len(texts) else None  # a text with a seam in it


class JoinedTexts:
    """Texts with a seam between each two.

    Args:
        utf8: The texts.
    """

    def __init__(self, utf8: bytes) -> None:
        import numpy as np

        self._np = np
        self._utf8 = bytes(2) + utf8 + bytes(8 + len(utf8) % 2)  # so that looking around needs no care
        self._bytes = np.frombuffer(self._utf8, np.uint8)
        self._seams = np.flatnonzero(self._bytes[2 : 2 + len(utf8)] == 0) + 2

    def __len__(self) -> int:
        return len(self._seams) + 1

    def with_names(self) -> list[int]:
        """Return the places of the texts in which a name or a shape may give a secret away."""
        np, tables = self._np, _tables()
        pairs = self._bytes.view("<u2")
        found = np.flatnonzero(tables.pairs.take(pairs))
        places = 2 * found
        around = self._words("<u4")[places - 1]
        is_hint = tables.ahead.take(_letters(around >> 8)) | tables.behind.take(_letters(around))
        is_hint |= tables.marks.take(pairs[found])
        is_hint |= (around & 0xDFFF0000) == _ESCAPE  # a backslash at an odd place, and a u
        folded = pairs[found] | 0x2020
        return self._texts_at(
            np.concatenate(
                (
                    places[is_hint] + (self._bytes[places[is_hint]] == 0),  # not the seam before it
                    self._codes(places[folded == _number(b"de")] - 2),
                    self._codes(places[folded == _number(b"od")] - 1),
                )
            )
        )

    def with_uuids(self, known: Places) -> list[int]:
        """Return the places of the texts with a UUID whose first group is among those given, sorted."""
        np = self._np
        dashes = self._marks(ord("-"))
        if len(dashes) < 4 or not len(known):
            return []
        first = dashes[:-3]
        is_middle = (dashes[3:] - first == 15) & (dashes[1:-2] - first == 5) & (dashes[2:-1] - first == 10)
        starts = first[is_middle & (first >= 8)] - 8
        groups = self._words("<u8")[starts] | np.uint64(_FOLD)
        return self._texts_at(starts[_among(groups, known, np)])

    def with_words(self, words: Words) -> list[int]:
        """Return the places of the texts in which one of some words may stand."""
        return self._texts_at(self._np.concatenate([places for places, _ in self._fours(words)]))

    def words(self, words: Words) -> list[str]:
        """Return the words of which a part stands in the texts, each once."""
        found = {four for _, fours in self._fours(words) for four in set(fours.tolist())}
        return list(dict.fromkeys(word for four in found for word in words.by_four[four]))

    def _fours(self, words: Words) -> list[tuple[Places, Places]]:
        """Find the four bytes that belong to words: their places, and themselves."""
        np = self._np
        parts = []
        for shift in (0, 2):
            length = (len(self._utf8) - shift) // 4
            fours = np.frombuffer(self._utf8, "<u4", length, shift)
            places = np.flatnonzero(words.table.take((fours * np.uint32(_SPREAD)) >> 16))
            places = places[_among(fours[places], words.fours, np)]
            parts.append((4 * places + shift, fours[places]))
        return parts

    def with_pair(self, pair: bytes) -> list[int]:
        """Return the places of the texts with two bytes next to each other."""
        np = self._np
        number = _number(pair)
        even = 2 * np.flatnonzero(self._bytes.view("<u2") == number)
        odd = 2 * np.flatnonzero(self._bytes[1:-1].view("<u2") == number) + 1
        return self._texts_at(np.concatenate((even, odd)))

    def _marks(self, mark: int) -> Places:
        places: Places = self._np.flatnonzero(self._bytes == mark)
        return places

    def _words(self, dtype: str) -> Any:
        """Return the number that begins at each byte."""
        np = self._np
        length = len(self._utf8) - np.dtype(dtype).itemsize + 1
        return np.ndarray((length,), dtype, self._utf8, strides=(1,))

    def _codes(self, places: Places) -> Places:
        """Keep the places of `code"` with a text after it; the many with a number after them are none."""
        held = self._bytes
        places = places[held[places + 4] == _CODE[4]]
        word = self._words("<u4")[places] | self._np.uint32(_FOLD & 0xFFFFFFFF)
        places = places[word == _number(_CODE[:4])]
        after, next_after = held[places + 5], held[places + 6]
        is_number = (
            (after == ord(":")) & (next_after > ord(" ")) & (next_after < 0x7F) & (next_after != ord('"'))
        )
        texts: Places = places[~is_number]
        return texts

    def _texts_at(self, places: Places) -> list[int]:
        if not len(places):
            return []
        found: list[int] = self._np.unique(self._np.searchsorted(self._seams, places)).tolist()
        return found


class Words:
    """Words of at least six bytes, to be searched for together; as UTF-8."""

    def __init__(self, words: Iterable[str]) -> None:
        import numpy as np

        self.by_four: dict[int, list[str]] = {}
        """Four bytes of each from an even place on: its first ones, or those after the first."""
        for word in words:
            utf8 = word.encode("utf-8", "surrogatepass")
            for four in {_number(utf8[:4]), _number(utf8[1:5])}:
                self.by_four.setdefault(four, []).append(word)
        self.fours = np.array(sorted(self.by_four), "<u4")
        self.table = np.zeros(65536, np.bool_)
        self.table[(self.fours * np.uint32(_SPREAD)) >> 16] = True


def first_groups(uuids: Iterable[str]) -> Places:
    """Return the first groups of UUIDs in small letters, sorted, as `JoinedTexts.with_uuids` wants them."""
    import numpy as np

    return np.array(sorted({int.from_bytes(uuid[:8].encode(), "little") for uuid in uuids}), "<u8")


class _Tables:
    """Which two, and which three, neighbouring bytes may belong to a piece of a secret's name."""

    def __init__(self) -> None:
        import numpy as np

        self.pairs = np.zeros(1 << 16, np.bool_)
        self.ahead, self.behind = np.zeros(1 << 15, np.bool_), np.zeros(1 << 15, np.bool_)
        for stem in (*(stem.encode() for stem in names.STEMS if len(stem) > 2), _KELVIN):
            for first in (0, 1):
                self._add(stem, first)
        self.marks = np.zeros(1 << 16, np.bool_)
        for mark in b"=@":
            self.marks[mark << 8 : (mark + 1) << 8] = True  # at an odd place
            self.marks[mark :: 1 << 8] = True
        for letter in b"uU":
            self.marks[_number(bytes((ord("\\"), letter)))] = True
        self.pairs |= self.marks
        self.pairs[ord("\\") << 8 : (ord("\\") + 1) << 8] = True
        for pair in (b"de", b"od"):
            self._add_pair(pair)

    def _add(self, stem: bytes, first: int) -> None:
        """Choose, of the pairs of a stem at even or odd places, the rarest with its rarer neighbour."""
        starts = range(first, len(stem) - 1, 2)
        ahead = [(stem[start : start + 2], stem[start : start + 3], self.ahead) for start in starts]
        behind = [
            (stem[start : start + 2], stem[max(start - 1, 0) : start + 2], self.behind) for start in starts
        ]
        whole = [way for way in (*ahead, *behind) if len(way[1]) == 3]
        pair, three, side = min(whole, key=lambda way: _commonness(*way[:2]))
        side[_letters(_number(three))] = True
        self._add_pair(pair)

    def _add_pair(self, pair: bytes) -> None:
        cases = [{byte, ord(chr(byte).upper())} if byte < 128 else {byte} for byte in pair]
        for cased in product(*cases):
            self.pairs[_number(bytes(cased))] = True


_tables = cache(_Tables)


def _commonness(pair: bytes, three: bytes) -> tuple[bool, bool, int]:
    """Rank by how often some letters stand in frames and in English."""
    ranks = [len(_RARE_LAST) - _RARE_LAST.find(chr(byte)) for byte in three]
    return three in _USUAL, pair in _USUAL, math.prod(ranks)


def _letters(three: Any) -> Any:
    """Fold three bytes into fifteen bits: large and small letters become the same."""
    return (three & 31) | (three >> 3 & 0x3E0) | (three >> 6 & 0x7C00)


def _number(some: bytes) -> int:
    return int.from_bytes(some, "little")


def _among(values: Any, known: Any, np: Any) -> Any:
    """Tell which values are among some that are sorted."""
    if not len(known):
        return np.zeros(len(values), np.bool_)
    return known[np.minimum(np.searchsorted(known, values), len(known) - 1)] == values
