"""The log as a DataFrame: sealed columns become pandas columns, without a detour over rows.

pandas is imported inside functions: importing this module is free. Dtypes come from a schema and are the
same for no rows as for a million. Where pyarrow is installed, pandas keeps text in Arrow memory, and the
bytes of the sealed chunks are taken over as they are.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from guestlab.log.entry import COLUMNS, Column
from guestlab.log.store import NO_TIME, Absent, Chunk, Codes, Numbers, Texts, Words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd

__all__ = ["build", "typed"]

_GONE = -1


def build(chunks: Sequence[Chunk]) -> pd.DataFrame:
    """Make the table of some chunks, with all of `COLUMNS`."""
    import pandas as pd

    length = sum(len(chunk) for chunk in chunks)
    arrays = {
        column.name: _MAKERS[column.dtype]([chunk.columns[column.name] for chunk in chunks], column, length)
        for column in COLUMNS
    }
    return pd.DataFrame(arrays, index=pd.RangeIndex(length), copy=False)


def typed(frame: pd.DataFrame, columns: Sequence[Column]) -> pd.DataFrame:
    """Select a schema's columns, in its order and with its dtypes."""
    import pandas as pd

    names = [column.name for column in columns]
    dtypes: dict[str, Any] = {
        column.name: pd.CategoricalDtype(_labels(column)) if column.dtype == "category" else column.dtype
        for column in columns
    }
    return frame[names].astype(dtypes).reset_index(drop=True)


def _labels(column: Column) -> list[str]:
    return [str(name) for name in column.categories]


def _buffers(parts: Sequence[Any], dtype: str, absent: Any, field: str) -> Any:
    """Lay one buffer of every part end to end; parts without it are filled."""
    import numpy as np

    pieces = [
        np.full(_length(part), absent, dtype)
        if isinstance(part, Absent) or getattr(part, field) is None
        else np.frombuffer(getattr(part, field), dtype)
        for part in parts
    ]
    return np.concatenate([np.empty(0, dtype), *pieces])


def _length(part: Any) -> int:
    if isinstance(part, Absent):
        return part.length
    return len(part.numbers if isinstance(part, Numbers | Words) else part.missing)


def _whole(parts: Sequence[Any], _: Column, __: int) -> Any:
    return _buffers(parts, "int64", 0, "numbers")


def _nullable(parts: Sequence[Any], column: Column, _: int) -> Any:
    import pandas as pd

    is_float = column.dtype == "Float64"
    numbers = _buffers(parts, "float64" if is_float else "int64", 0, "numbers")
    missing = _missing(parts)
    return pd.arrays.FloatingArray(numbers, missing) if is_float else pd.arrays.IntegerArray(numbers, missing)


def _missing(parts: Sequence[Any]) -> Any:
    import numpy as np

    pieces = []
    for part in parts:
        if isinstance(part, Absent):
            pieces.append(np.ones(part.length, bool))
        elif part.missing is None:
            pieces.append(np.zeros(_length(part), bool))
        else:
            pieces.append(np.frombuffer(part.missing, bool))
    return np.concatenate([np.empty(0, bool), *pieces])


def _times(parts: Sequence[Any], _: Column, __: int) -> Any:
    import pandas as pd

    numbers = _buffers(parts, "int64", NO_TIME, "numbers")
    return pd.DatetimeIndex(numbers.view("M8[ns]")).tz_localize("UTC")


def _codes(parts: Sequence[Any]) -> Any:
    import numpy as np

    pieces = [
        np.frombuffer(part.codes, "int8") if isinstance(part, Codes) else np.full(part.length, _GONE, "int8")
        for part in parts
    ]
    return np.concatenate([np.empty(0, "int8"), *pieces])


def _categorical(parts: Sequence[Any], column: Column, _: int) -> Any:
    import pandas as pd

    return pd.Categorical.from_codes(_codes(parts), dtype=pd.CategoricalDtype(_labels(column)))


def _booleans(parts: Sequence[Any], _: Column, __: int) -> Any:
    import pandas as pd

    codes = _codes(parts)
    return pd.arrays.BooleanArray(codes == 1, codes == _GONE)


def _strings(parts: Sequence[Any], _: Column, length: int) -> Any:
    import numpy as np
    import pandas as pd

    dtype: Any = pd.StringDtype(na_value=np.nan)
    if dtype.storage == "pyarrow":
        arrow = importlib.import_module("pyarrow")
        arrays = [_arrow_strings(part, arrow) for part in parts]
        return pd.array(arrow.chunked_array(arrays, arrow.large_string()), dtype=dtype)
    objects = np.empty(length, object)
    start = 0
    for part in parts:
        values = _python_strings(part)
        objects[start : start + len(values)] = values
        start += len(values)
    return pd.array(objects, dtype=dtype, copy=False)


def _python_strings(part: Any) -> Any:
    import numpy as np

    if isinstance(part, Absent):
        return np.full(part.length, np.nan, object)
    if isinstance(part, Words):
        words = np.array([np.nan if word is None else word for word in part.words], object)
        return words[np.frombuffer(part.numbers, "uint16")]
    return [np.nan if value is None else value for value in part.values()]


def _arrow_strings(part: Any, arrow: Any) -> Any:
    import numpy as np

    if isinstance(part, Absent):
        return arrow.nulls(part.length, arrow.large_string())
    if isinstance(part, Words):
        words = arrow.array(part.words, arrow.large_string())
        return words.take(arrow.array(np.frombuffer(part.numbers, "uint16")))
    assert isinstance(part, Texts)
    valid = None
    if part.missing is not None:
        bits = np.packbits(np.frombuffer(part.missing, "uint8") == 0, bitorder="little")
        valid = arrow.py_buffer(bits.tobytes())
    offsets, utf8 = arrow.py_buffer(part.offsets), arrow.py_buffer(part.utf8)
    return arrow.LargeStringArray.from_buffers(len(part.offsets) - 1, offsets, utf8, valid)


_MAKERS: dict[str, Callable[[Sequence[Any], Column, int], Any]] = {
    "int64": _whole,
    "Int64": _nullable,
    "Float64": _nullable,
    "boolean": _booleans,
    "category": _categorical,
    "str": _strings,
    "datetime64[ns, UTC]": _times,
}
