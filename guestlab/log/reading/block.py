"""Rows on their way into the log, column by column: what `Log.extend_columns` takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Block"]


class Block:
    """Collects rows, one or many at a time.

    They are numbered 1, 2, 3 … across the blocks handed out, unless they bring their own `seq`.
    """

    def __init__(self) -> None:
        self._sides: dict[str, Sequence[Any]] = {}
        self._length = 0
        self._before = 0

    def __len__(self) -> int:
        return self._length

    @property
    def next_seq(self) -> int:
        """The number the next row gets."""
        return self._before + self._length + 1

    def add(self, **columns: Any) -> int:
        """Add one row; return its number."""
        sides, length = self._sides, self._length
        for name, value in columns.items():
            if value is not None:
                side = sides.get(name)
                if side is None or len(side) != length or type(side) is not list:
                    side = self._side(name)
                side.append(value)
        self._length += 1
        return self._before + self._length

    def run(self, columns: Mapping[str, Sequence[Any]], length: int) -> None:
        """Add many rows, given by their columns."""
        if self._length:
            sides, before = self._sides, self._length
            for name, values in columns.items():
                side = sides.get(name)
                if side is None and values[0] is None and values.count(None) == length:
                    continue
                if side is None or len(side) != before or type(side) is not list:
                    side = self._side(name)
                side.extend(values)
        else:
            self._sides = dict(columns)
        self._length += length

    def take(self) -> dict[str, Sequence[Any]]:
        """Hand out what was collected, and begin anew."""
        taken = {
            name: side if len(side) == self._length else self._side(name)
            for name, side in self._sides.items()
        }
        taken.setdefault("seq", range(self._before + 1, self.next_seq))
        self._before += self._length
        self._sides, self._length = {}, 0
        return taken

    def _side(self, name: str) -> list[Any]:
        """Return a column, filled up to the row that comes next."""
        held = self._sides.get(name, ())
        side = held if isinstance(held, list) else list(held)
        if len(side) < self._length:
            side.extend([None] * (self._length - len(side)))
        self._sides[name] = side
        return side
