"""The columns of the log in memory: a run of entries, turned on its side and sealed.

Newest entries stay rows; every `CHUNK` of them become one `Chunk`, whose columns are plain bytes and
arrays: small, never changed again, and laid out as NumPy, and Arrow where it is installed, lay out theirs,
so that `table.py` takes them over without a detour. Entries are rebuilt on demand. Standard library only:
recording must not pay for pandas.
"""

from __future__ import annotations

import functools
import importlib.util
from array import array
from itertools import accumulate, compress, pairwise
from typing import TYPE_CHECKING, Any

from guestlab.log.entry import COLUMNS, Column, Entry, Kind, Lane, Stage, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = [
    "CHUNK",
    "NO_TIME",
    "Absent",
    "AnyColumn",
    "Chunk",
    "Codes",
    "Numbers",
    "Strings",
    "Texts",
    "Words",
    "seal",
    "seal_column",
    "seal_sides",
]

CHUNK = 4096
"""Entries per sealed chunk. Sealing pauses the recording thread: about 10 ms at this size."""
NO_TIME = -(2**63)
"""A missing time, as NumPy writes it."""
_MANY = 256
"""Distinct texts per chunk up to which they are numbered instead of repeated."""
_ALWAYS_DISTINCT = frozenset({"raw", "text"})


class Absent:
    """A column without any value."""

    __slots__ = ("length",)

    def __init__(self, length: int) -> None:
        self.length = length

    def __getitem__(self, index: int) -> None:
        return None

    def tail(self, start: int) -> Absent:
        """Leave out the first rows."""
        return Absent(self.length - start)

    def select(self, chosen: bytes) -> Absent:
        """Keep the rows with a 1."""
        return Absent(chosen.count(1))

    def values(self) -> list[None]:
        """Return the column as Python values."""
        return [None] * self.length


class Numbers:
    """Whole numbers or floats. `missing` has a 1 per missing value, or is None when there is none."""

    __slots__ = ("missing", "numbers")

    def __init__(self, numbers: array[Any], missing: bytes | None) -> None:
        self.numbers, self.missing = numbers, missing

    def __getitem__(self, index: int) -> Any:
        return None if self.missing is not None and self.missing[index] else self.numbers[index]

    def tail(self, start: int) -> Numbers:
        """Leave out the first rows."""
        return Numbers(self.numbers[start:], None if self.missing is None else self.missing[start:])

    def select(self, chosen: bytes) -> Numbers:
        """Keep the rows with a 1."""
        missing = None if self.missing is None else bytes(compress(self.missing, chosen))
        return Numbers(array(self.numbers.typecode, compress(self.numbers, chosen)), missing)

    def values(self) -> list[Any]:
        """Return the column as Python values."""
        if self.missing is None:
            return self.numbers.tolist()
        return [None if gone else n for n, gone in zip(self.numbers, self.missing, strict=True)]


class Codes:
    """A closed set, one byte per value: its place in the set, 255 when missing."""

    __slots__ = ("codes", "members")

    def __init__(self, codes: bytes, members: tuple[Any, ...]) -> None:
        self.codes, self.members = codes, members

    def __getitem__(self, index: int) -> Any:
        code = self.codes[index]
        return None if code == _GONE else self.members[code]

    def tail(self, start: int) -> Codes:
        """Leave out the first rows."""
        return Codes(self.codes[start:], self.members)

    def select(self, chosen: bytes) -> Codes:
        """Keep the rows with a 1."""
        return Codes(bytes(compress(self.codes, chosen)), self.members)

    def values(self) -> list[Any]:
        """Return the column as Python values."""
        member = dict(enumerate(self.members)).get
        return list(map(member, self.codes))


class Words:
    """Texts of which many are alike: each kept once, rows hold its number."""

    __slots__ = ("numbers", "words")

    def __init__(self, numbers: array[int], words: tuple[str | None, ...]) -> None:
        self.numbers, self.words = numbers, words

    def __getitem__(self, index: int) -> str | None:
        return self.words[self.numbers[index]]

    def tail(self, start: int) -> Words:
        """Leave out the first rows."""
        return Words(self.numbers[start:], self.words)

    def select(self, chosen: bytes) -> Words:
        """Keep the rows with a 1."""
        return Words(array("H", compress(self.numbers, chosen)), self.words)

    def values(self) -> list[str | None]:
        """Return the column as Python values."""
        return list(map(self.words.__getitem__, self.numbers))


class Strings:
    """Texts as Python strings: what pandas holds where pyarrow is not installed, so they are shared."""

    __slots__ = ("strings",)

    def __init__(self, strings: tuple[str | None, ...]) -> None:
        self.strings = strings

    def __getitem__(self, index: int) -> str | None:
        return self.strings[index]

    def tail(self, start: int) -> Strings:
        """Leave out the first rows."""
        return Strings(self.strings[start:])

    def select(self, chosen: bytes) -> Strings:
        """Keep the rows with a 1."""
        return Strings(tuple(compress(self.strings, chosen)))

    def values(self) -> Sequence[str | None]:
        """Return the column as Python values."""
        return self.strings


class Texts:
    """Texts end to end as UTF-8, as Arrow holds them; text i lies between offsets i and i+1.

    `missing` as in Numbers.
    """

    __slots__ = ("missing", "offsets", "utf8")

    def __init__(self, utf8: bytes, offsets: array[int], missing: bytes | None) -> None:
        self.utf8, self.offsets, self.missing = utf8, offsets, missing

    def __getitem__(self, index: int) -> str | None:
        if self.missing is not None and self.missing[index]:
            return None
        return self.utf8[self.offsets[index] : self.offsets[index + 1]].decode()

    def tail(self, start: int) -> Texts:
        """Leave out the first rows; their bytes stay."""
        missing = None if self.missing is None else self.missing[start:]
        return Texts(self.utf8, self.offsets[start:], missing)

    def select(self, chosen: bytes) -> Texts:
        """Keep the rows with a 1."""
        return _arena(list(compress(self.values(), chosen)))

    def values(self) -> list[str | None]:
        """Return the column as Python values."""
        spans = pairwise(self.offsets)
        if self.utf8.isascii():
            joined = self.utf8.decode("ascii")
            texts = [joined[a:b] for a, b in spans]
        else:
            texts = [self.utf8[a:b].decode() for a, b in spans]
        if self.missing is None:
            return list(texts)
        return [None if gone else text for text, gone in zip(texts, self.missing, strict=True)]


AnyColumn = Absent | Numbers | Codes | Words | Strings | Texts

_NAMES = tuple(column.name for column in COLUMNS)
_GONE = 255
_MEMBERS: dict[str, tuple[Any, ...]] = {
    "kind": tuple(Kind),
    "stage": tuple(Stage),
    "step": tuple(Step),
    "lane": tuple(Lane),
}


class Chunk:
    """Sealed entries, column by column."""

    __slots__ = ("columns", "length")

    def __init__(self, columns: dict[str, AnyColumn], length: int) -> None:
        self.columns, self.length = columns, length

    def __len__(self) -> int:
        return self.length

    def loaded(self) -> Chunk:
        """Return itself: it is in memory."""
        return self

    def entry(self, index: int) -> Entry:
        """Rebuild one entry."""
        return Entry._make(column[index] for column in self.columns.values())

    def entries(self) -> list[Entry]:
        """Rebuild all of them."""
        return list(map(Entry._make, zip(*(c.values() for c in self.columns.values()), strict=True)))

    def tail(self, start: int) -> Chunk:
        """Leave out the first rows, sharing what can be shared."""
        columns = {name: column.tail(start) for name, column in self.columns.items()}
        return Chunk(columns, self.length - start)

    def select(self, chosen: bytes, names: Sequence[str]) -> Chunk:
        """Keep the rows with a 1, and some columns; share what can be shared."""
        columns = {name: self.columns[name] for name in names}
        if 0 not in chosen:
            return Chunk(columns, self.length)
        kept = {name: column.select(chosen) for name, column in columns.items()}
        return Chunk(kept, chosen.count(1))


def seal(entries: Sequence[tuple[Any, ...]]) -> Chunk:
    """Turn entries into columns."""
    sides = zip(*entries, strict=True) if entries else [()] * len(COLUMNS)
    return seal_sides(dict(zip(_NAMES, sides, strict=True)), len(entries))


def seal_sides(sides: Mapping[str, Sequence[Any]], length: int) -> Chunk:
    """Seal what is in columns already; those that are not given have no value."""
    columns = {
        column.name: seal_column(sides[column.name], column) if column.name in sides else Absent(length)
        for column in COLUMNS
    }
    return Chunk(columns, length)


def seal_column(side: Sequence[Any], column: Column) -> AnyColumn:
    """Turn the values of one column into their sealed form."""
    length = len(side)
    # Most columns say the same throughout, and most of those nothing. Counting is the cheapest look:
    # it compares identities first.
    if length and side.count(side[0]) == length:
        if side[0] is None:
            return Absent(length)
        if column.dtype in _CONSTANTS:
            return _CONSTANTS[column.dtype](side[0], length, column)
    return _SEALERS[column.dtype](side, column)


def _same_word(word: str, length: int, _: Column) -> AnyColumn:
    return Words(array("H", bytes(2 * length)), (str(word),))


def _same_member(member: Any, length: int, column: Column) -> AnyColumn:
    members = _MEMBERS.get(column.name, column.categories)
    return Codes(bytes([members.index(member)]) * length, members)


def _whole(side: Sequence[Any], _: Column) -> AnyColumn:
    return _numbers(side, "q", 0)


def _times(side: Sequence[Any], _: Column) -> AnyColumn:
    return _numbers(side, "q", NO_TIME)


def _floats(side: Sequence[Any], _: Column) -> AnyColumn:
    return _numbers(side, "d", 0.0)


def _numbers(side: Sequence[Any], typecode: str, filler: float) -> AnyColumn:
    if None not in side:
        return Numbers(array(typecode, side), None)
    missing = bytes([value is None for value in side])
    return Numbers(array(typecode, [filler if value is None else value for value in side]), missing)


def _closed(side: Sequence[Any], column: Column) -> AnyColumn:
    members = _MEMBERS.get(column.name, column.categories)
    return _coded(side, members)


def _booleans(side: Sequence[Any], _: Column) -> AnyColumn:
    return _coded(side, (False, True))


def _coded(side: Sequence[Any], members: tuple[Any, ...]) -> AnyColumn:
    codes: dict[Any, int] = {member: code for code, member in enumerate(members)}
    codes[None] = _GONE
    return Codes(bytes(map(codes.__getitem__, side)), members)


def _texts(side: Sequence[Any], column: Column) -> AnyColumn:
    if column.name not in _ALWAYS_DISTINCT:
        distinct = dict.fromkeys(side[: 2 * _MANY])
        if len(distinct) <= _MANY and len(distinct := dict.fromkeys(side)) <= _MANY:
            words = tuple(None if word is None else str(word) for word in distinct)
            numbers = dict(zip(distinct, range(len(distinct)), strict=True))
            return Words(array("H", map(numbers.__getitem__, side)), words)
    return _arena(side) if _has_arrow() else Strings(tuple(side))


@functools.cache
def _has_arrow() -> bool:
    """Tell whether pyarrow is installed, without importing it."""
    return importlib.util.find_spec("pyarrow") is not None


def _arena(side: Sequence[Any]) -> Texts:
    missing = bytes([value is None for value in side]) if None in side else None
    texts = ["" if value is None else value for value in side] if missing else side
    joined = "".join(texts)
    utf8 = joined.encode()
    lengths = list(map(len, texts))
    if len(utf8) != len(joined):
        for place, is_ascii in enumerate(map(str.isascii, texts)):
            if not is_ascii:
                lengths[place] = len(texts[place].encode())
    return Texts(utf8, array("q", accumulate(lengths, initial=0)), missing)


_CONSTANTS: dict[str, Callable[[Any, int, Column], AnyColumn]] = {
    "category": _same_member,
    "str": _same_word,
}

_SEALERS: dict[str, Callable[[Sequence[Any], Column], AnyColumn]] = {
    "int64": _whole,
    "Int64": _whole,
    "Float64": _floats,
    "boolean": _booleans,
    "category": _closed,
    "str": _texts,
    "datetime64[ns, UTC]": _times,
}
