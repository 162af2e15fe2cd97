"""The log as a DataFrame: sealed columns become pandas columns, without a detour over rows.

pandas is imported inside functions: importing this module is free. Dtypes come from a schema and are the
same for no rows as for a million.

A `Table` keeps its columns in memory larger than the log, and appends what is new. The frames it hands out
are slices of that memory: pandas copies a column before it writes to a slice of something still held
(copy-on-write), so a frame is its owner's to change, and costs next to nothing until then. Whether this
pandas takes memory over without a copy is tried out, column by column; where it does not, the column is
made anew for every frame. Where pyarrow is installed, pandas keeps text in Arrow memory, and takes over the
bytes of the sealed chunks as they are.
"""

from __future__ import annotations

import functools
import importlib
from typing import TYPE_CHECKING, Any

from guestlab.log.entry import COLUMNS, Column
from guestlab.log.store import (
    CHUNK,
    NO_TIME,
    Absent,
    AnyColumn,
    Codes,
    Numbers,
    Strings,
    Texts,
    Words,
    seal_column,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from guestlab.log.chunks import PutAway
    from guestlab.log.store import Chunk

__all__ = ["Table", "typed"]

_GONE = -1
_SLACK = 8
"""One part in so many of the memory is kept free for what comes."""


def typed(frame: pd.DataFrame, columns: Sequence[Column]) -> pd.DataFrame:
    """Select a schema's columns, in its order and with its dtypes."""
    dtypes = {column.name: _dtype(column) for column in columns}
    made = frame[list(dtypes)].astype(dtypes).reset_index(drop=True)
    for column in columns:  # a file may have the categories in another order, which pandas takes for the same
        if column.dtype == "category" and list(made[column.name].cat.categories) != [*column.categories]:
            made[column.name] = made[column.name].cat.set_categories(list(column.categories))
    return made


def _dtype(column: Column) -> Any:
    import pandas as pd

    if column.dtype == "category":
        return pd.CategoricalDtype([str(name) for name in column.categories])
    return column.dtype


class Table:
    """The table of one log, or some columns of some of its rows.

    Args:
        columns: Of `COLUMNS`.
    """

    def __init__(self, columns: Sequence[Column] = COLUMNS) -> None:
        import numpy as np
        import pandas as pd

        self.columns = tuple(columns)
        self._length = self._capacity = 0
        text = _ArrowTexts if pd.StringDtype(na_value=np.nan).storage == "pyarrow" else _ObjectTexts
        kinds = {**_KINDS, "str": text}
        self._columns: dict[str, _Growing] = {column.name: kinds[column.dtype](column) for column in columns}
        self._held = self._whole()

    def __len__(self) -> int:
        return self._length

    def extend(self, chunks: Sequence[Chunk | PutAway]) -> None:
        """Append the rows of some chunks."""
        length = self._length + sum(map(len, chunks))
        if length > self._capacity:
            self._capacity = length + length // _SLACK + CHUNK
            for column in self._columns.values():
                column.reserve(self._capacity)
            self._held = self._whole()
        for part in chunks:
            chunk = part.loaded()
            for name, column in self._columns.items():
                column.write(self._length, chunk.columns[name], len(chunk))
            self._length += len(chunk)

    def frame(self) -> pd.DataFrame:
        """Return the table so far."""
        made = {
            name: column.made(self._length) for name, column in self._columns.items() if not column.is_shown
        }
        return self._held.iloc[: self._length].assign(**made)

    def _whole(self) -> pd.DataFrame:
        """Put pandas around all of the memory, its free part included. Held as long as it is written to."""
        import numpy as np
        import pandas as pd

        arrays = {
            name: column.array() if column.is_shown else np.zeros(self._capacity, "int8")  # holds the place
            for name, column in self._columns.items()
        }
        return pd.DataFrame(arrays, index=pd.RangeIndex(self._capacity), copy=False)


class _Growing:
    """A column whose memory grows, and is written to behind what pandas shows of it."""

    def __init__(self, column: Column) -> None:
        self.column = column

    def reserve(self, capacity: int) -> None:
        """Make room for so many rows."""
        raise NotImplementedError

    def write(self, start: int, part: AnyColumn, length: int) -> None:
        """Write a sealed column from a row on."""
        raise NotImplementedError

    def array(self) -> Any:
        """Return all of the memory as a pandas array."""
        raise NotImplementedError

    def made(self, length: int) -> Any:
        """Return the rows so far as an array that shares nothing."""
        return self.array()[:length].copy()

    @property
    def is_shown(self) -> bool:
        """Whether pandas shows what is written later."""
        kind: Any = type(self)
        return _is_shown(kind, self.column.dtype)


@functools.cache
def _is_shown(kind: Any, dtype: str) -> bool:
    """Try out whether this pandas takes over the memory of a kind of column without a copy."""
    import pandas as pd

    column = next(column for column in COLUMNS if column.dtype == dtype)
    growing = kind(column)
    growing.reserve(1)
    seen: list[Any] = []
    for sample in _SAMPLES.get(dtype) or column.categories[:2]:
        growing.write(0, seal_column((sample,), column), 1)
        if not seen:
            frame = pd.DataFrame({"column": growing.array()}, copy=False)
        seen.append(frame.iloc[:1]["column"].tolist())
    return bool(seen[0] != seen[1])


_SAMPLES: dict[str, tuple[Any, Any]] = {
    "int64": (1, 2),
    "Int64": (1, 2),
    "Float64": (1.0, 2.0),
    "boolean": (False, True),
    "str": ("a", "b"),
    "datetime64[ns, UTC]": (1, 2),
}


class _Cells:
    """One NumPy array that grows, and how the bytes of a sealed column are written into it."""

    def __init__(self, dtype: str, absent: Any) -> None:
        import numpy as np

        self.absent = absent
        self.cells = np.empty(0, dtype)

    def reserve(self, capacity: int) -> None:
        import numpy as np

        if self.cells.dtype == object:
            grown = np.full(capacity, self.absent, object)
        else:
            grown = np.zeros(capacity, self.cells.dtype)  # memory nobody writes to costs nothing
        grown[: len(self.cells)] = self.cells
        self.cells = grown

    def write(self, start: int, values: Any, length: int) -> None:
        """Write bytes, an array or a list; None writes missing values."""
        import numpy as np

        if values is None:
            values = self.absent
        elif not isinstance(values, list | np.ndarray):
            values = np.frombuffer(values, self.cells.dtype)
        self.cells[start : start + length] = values


class _Whole(_Growing):
    """An int64 column."""

    absent = 0

    def __init__(self, column: Column) -> None:
        super().__init__(column)
        self.numbers = _Cells("int64", self.absent)

    def reserve(self, capacity: int) -> None:
        self.numbers.reserve(capacity)

    def write(self, start: int, part: AnyColumn, length: int) -> None:
        self.numbers.write(start, part.numbers if isinstance(part, Numbers) else None, length)

    def array(self) -> Any:
        return self.numbers.cells


class _Times(_Whole):
    """A column of UTC times."""

    absent = NO_TIME

    def array(self) -> Any:
        import pandas as pd

        return pd.array(self.numbers.cells, dtype=pd.DatetimeTZDtype("ns", "UTC"), copy=False)


class _Nullable(_Growing):
    """An Int64 or Float64 column."""

    def __init__(self, column: Column) -> None:
        super().__init__(column)
        self.numbers = _Cells(column.dtype.lower(), 0)
        self.missing = _Cells("bool", absent=False)

    def reserve(self, capacity: int) -> None:
        self.numbers.reserve(capacity)
        self.missing.reserve(capacity)

    def write(self, start: int, part: AnyColumn, length: int) -> None:
        if isinstance(part, Numbers):
            self.numbers.write(start, part.numbers, length)
            self.missing.write(start, part.missing, length)
        else:  # the numbers are left as they are: zeros
            self.missing.cells[start : start + length] = True

    def array(self) -> Any:
        import pandas as pd

        kind = pd.arrays.FloatingArray if self.column.dtype == "Float64" else pd.arrays.IntegerArray
        return kind(self.numbers.cells, self.missing.cells, copy=False)


class _Categories(_Growing):
    """A closed set."""

    def __init__(self, column: Column) -> None:
        super().__init__(column)
        self.codes = _Cells("int8", _GONE)

    def reserve(self, capacity: int) -> None:
        self.codes.reserve(capacity)

    def write(self, start: int, part: AnyColumn, length: int) -> None:
        self.codes.write(start, part.codes if isinstance(part, Codes) else None, length)

    def array(self) -> Any:
        import pandas as pd

        return pd.Categorical.from_codes(self.codes.cells, dtype=_dtype(self.column), validate=False)


class _Booleans(_Growing):
    """A boolean column that knows missing."""

    def __init__(self, column: Column) -> None:
        super().__init__(column)
        self.true = _Cells("bool", absent=False)
        self.missing = _Cells("bool", absent=True)

    def reserve(self, capacity: int) -> None:
        self.true.reserve(capacity)
        self.missing.reserve(capacity)

    def write(self, start: int, part: AnyColumn, length: int) -> None:
        import numpy as np

        codes = np.frombuffer(part.codes, "int8") if isinstance(part, Codes) else None
        self.true.write(start, None if codes is None else codes == 1, length)
        self.missing.write(start, None if codes is None else codes == _GONE, length)

    def array(self) -> Any:
        import pandas as pd

        return pd.arrays.BooleanArray(self.true.cells, self.missing.cells, copy=False)


class _ObjectTexts(_Growing):
    """A text column where pyarrow is not installed: Python strings."""

    def __init__(self, column: Column) -> None:
        super().__init__(column)
        self.texts = _Cells("object", float("nan"))

    def reserve(self, capacity: int) -> None:
        self.texts.reserve(capacity)

    def write(self, start: int, part: AnyColumn, length: int) -> None:
        if not isinstance(part, Absent):  # room that was reserved is missing
            self.texts.write(start, self._objects(part), length)

    def _objects(self, part: AnyColumn) -> Any:
        import numpy as np

        absent = self.texts.absent
        if isinstance(part, Words):
            words = [absent if word is None else word for word in part.words]
            return np.array(words, object)[np.frombuffer(part.numbers, "uint16")]
        return [absent if text is None else text for text in part.values()]

    def array(self) -> Any:
        import numpy as np
        import pandas as pd

        checked_only: Any = pd.arrays.StringArray  # pd.array() would look for missing values again
        return checked_only(self.texts.cells, dtype=pd.StringDtype("python", na_value=np.nan))


class _ArrowTexts(_Growing):
    """A text column where pyarrow is installed: a list of Arrow arrays, never changed."""

    is_shown = False

    def __init__(self, column: Column) -> None:
        super().__init__(column)
        self.arrow: Any = importlib.import_module("pyarrow")
        self.pieces: list[Any] = []
        self.constants: dict[str | None, Any] = {}

    def reserve(self, capacity: int) -> None:
        """Do nothing: pieces are listed, not copied."""

    def write(self, start: int, part: AnyColumn, length: int) -> None:  # noqa: ARG002 - they follow each other
        piece = self._piece(part, length)
        if self.pieces and len(self.pieces[-1]) + length <= CHUNK:  # many small refreshes, few pieces
            piece = self.arrow.concat_arrays([self.pieces.pop(), piece])
        self.pieces.append(piece)

    def _piece(self, part: AnyColumn, length: int) -> Any:
        import numpy as np

        arrow = self.arrow
        if isinstance(part, Words):
            if len(part.words) == 1 and len(part.words[0] or "") <= _SHARED:
                return self._constant(part.words[0]).slice(0, length)
            words = arrow.array(part.words, arrow.large_string())
            return words.take(arrow.array(np.frombuffer(part.numbers, "uint16")))
        if isinstance(part, Strings):
            return arrow.array(part.strings, arrow.large_string())
        if isinstance(part, Texts):
            valid = None
            if part.missing is not None:
                present = np.frombuffer(part.missing, "uint8") == 0
                valid = arrow.py_buffer(np.packbits(present, bitorder="little").tobytes())
            offsets, utf8 = arrow.py_buffer(part.offsets), arrow.py_buffer(part.utf8)
            return arrow.LargeStringArray.from_buffers(length, offsets, utf8, valid)
        nothing = arrow.py_buffer(_NOTHING)  # one piece of zeros serves every absent column
        return arrow.LargeStringArray.from_buffers(length, nothing, nothing, nothing)

    def _constant(self, word: str | None) -> Any:
        """Share one piece among the chunks in which a column says the same throughout."""
        if word not in self.constants:
            if len(self.constants) >= _CONSTANTS:
                self.constants.clear()
            scalar = self.arrow.scalar(word, self.arrow.large_string())
            self.constants[word] = self.arrow.repeat(scalar, CHUNK)
        return self.constants[word]

    def made(self, length: int) -> Any:  # noqa: ARG002 - all there is
        import numpy as np
        import pandas as pd

        chunked = self.arrow.chunked_array(self.pieces, self.arrow.large_string())
        return pd.array(chunked, dtype=pd.StringDtype("pyarrow", na_value=np.nan))


_CONSTANTS = 16
_SHARED = 256
"""Characters above which a word is not repeated for a whole chunk: one of 20,000 would take a gigabyte."""
_NOTHING = bytes(8 * (CHUNK + 1))

_KINDS: dict[str, type[_Growing]] = {
    "int64": _Whole,
    "Int64": _Nullable,
    "Float64": _Nullable,
    "boolean": _Booleans,
    "category": _Categories,
    "datetime64[ns, UTC]": _Times,
}
