"""What goes into an analysis: columns checked, dtypes settled, pandas or Dask.

Every function of this room is written once, for a pandas DataFrame that holds whole sessions. Here a Dask
DataFrame is cut so that each piece holds whole sessions, and the function runs on every piece. Dask is
imported by whoever made such a frame, never here.

Where a file told no time, the log's `at` is that of the file, and `monotonic_ns` says so by being `UNTIMED`:
here such an `at` becomes missing, so that nothing is measured from it. The order of such rows is the file's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
import pandas as pd

from guestlab.errors import InputError
from guestlab.log.entry import COLUMNS, UNTIMED, Column
from guestlab.log.table import typed
from guestlab.log.views import MESSAGES_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = [
    "FrameT",
    "arrivals",
    "by",
    "check",
    "columns_of",
    "elapsed",
    "empty",
    "is_dask",
    "is_table",
    "measured",
    "ms",
    "nanoseconds",
    "output",
    "prepared",
    "said",
    "together",
]

FrameT = TypeVar("FrameT")
"""A pandas or a Dask DataFrame: what goes in decides what comes out."""

_AS_IN_TABLE = {"time": "message_time", "direction": "message_direction", "type": "message_type"}
"""Column of `log.messages` → the same in `log.table()` and `log.frames`."""

_SCHEMAS = {column.name: column for column in COLUMNS}
_SAID = {column.name: column for column in MESSAGES_COLUMNS}
_MARK = (_SCHEMAS["monotonic_ns"],)
_NO_WORDS = ["Event", "Receipt"]
"""Types of message nobody said: typing, joining, delivery receipts."""


# -- schemas ------------------------------------------------------------------------------------------


def columns_of(*names: str, messages: bool = False) -> tuple[Column, ...]:
    """Pick columns of `log.table()` by name, or with `messages` those of `log.messages`."""
    schema = _SAID if messages else _SCHEMAS
    return tuple(schema[name] for name in names)


def empty(columns: Sequence[Column]) -> pd.DataFrame:
    """Make a DataFrame of no rows with a schema's columns and dtypes."""
    return typed(pd.DataFrame({column.name: [] for column in columns}), columns)


def output(found: pd.DataFrame, columns: Sequence[Column]) -> pd.DataFrame:
    """Give a result its schema: columns in order, dtypes the same for no rows as for many."""
    return typed(found, columns) if len(found) else empty(columns)


# -- checking -----------------------------------------------------------------------------------------


def is_dask(frame: object) -> bool:
    """Whether it is a Dask DataFrame, told without importing Dask."""
    return type(frame).__module__.partition(".")[0] in {"dask", "dask_expr"} and hasattr(
        frame, "map_partitions"
    )


def is_table(frame: Any) -> bool:
    """Whether it has the columns of `log.table()` or `log.frames`, not those of `log.messages`."""
    return "message_time" in frame.columns or not {"time", "type"} & set(frame.columns)


def check(frame: object, function: str, needs: Iterable[str], source: str) -> None:
    """Insist on a DataFrame with the columns a function reads.

    Args:
        frame: What was passed.
        function: Name of the function, for the error.
        needs: The columns it reads.
        source: Which call gives such a frame.

    Raises:
        InputError: It is no DataFrame, lacks a column, or has one twice.
    """
    if not isinstance(frame, pd.DataFrame) and not is_dask(frame):
        raise InputError(
            f"{function}() takes a DataFrame, not {type(frame).__name__}.",
            why="It reads columns of a pandas or a Dask DataFrame.",
            next_step=f"Pass {source}.",
        )
    have = {*map(str, frame.columns), str(frame.index.name)}  # type: ignore[attr-defined]
    missing = [name for name in needs if name not in have]
    if missing:
        raise InputError(
            f"{function}() lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}.",
            why=f"The DataFrame has {', '.join(sorted(have - {'None'})[:12]) or 'no columns'}"
            f"{' …' if len(have) > 13 else ''}.",
            next_step=f"Pass {source}, with its columns as they are.",
        )
    columns = list(map(str, frame.columns))  # type: ignore[attr-defined]
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if twice:
        raise InputError(
            f"{function}() was given the column{'s' if len(twice) > 1 else ''} {', '.join(twice[:5])} twice.",
            why="Two DataFrames were put side by side, so that a name stands for two columns.",
            next_step=f"Put logs under one another (pandas.concat without axis=1), or pass {source}.",
        )


def _settled(frame: pd.DataFrame, columns: Sequence[Column]) -> pd.DataFrame:
    """Bring columns to their dtypes; a CSV file or another engine may have made others of them."""
    try:
        return typed(frame, columns)
    except (TypeError, ValueError) as error:
        raise _unsettled(frame, columns, error) from None


def _unsettled(frame: pd.DataFrame, columns: Sequence[Column], error: Exception) -> InputError:
    """Name the column that cannot be brought to its dtype."""
    names = [column.name for column in columns if column.name in frame.columns]
    naive = [name for name in names if _has_no_zone(frame[name], name)]
    if naive:
        return InputError(
            f"The times in the column {naive[0]} name no time zone.",
            why="A log's times are UTC and say so, so that those of two machines can be compared.",
            next_step=f'Say which zone they are: frame["{naive[0]}"].dt.tz_localize("UTC").',
        )
    wrong = next((column for column in columns if not _fits(frame, column)), None)
    told = f"The column {wrong.name} holds what {wrong.dtype} does not allow." if wrong is not None else None
    return InputError(
        told or "A column holds what its dtype does not allow.",
        why=f"{type(error).__name__}: {str(error)[:200]}",
        next_step="Read the log with guestlab.read(), which keeps the dtypes of guestlab.COLUMNS.",
    )


def _has_no_zone(values: pd.Series[Any], name: str) -> bool:
    schema = _SCHEMAS.get(name) or _SAID.get(name)
    is_time = schema is not None and schema.dtype.startswith("datetime64")
    return is_time and isinstance(values.dtype, np.dtype) and values.dtype.kind == "M"


def _fits(frame: pd.DataFrame, column: Column) -> bool:
    try:
        typed(frame[[column.name]], [column])
    except (TypeError, ValueError):
        return False
    return True


# -- by session, on pandas or Dask --------------------------------------------------------------------


def prepared(frame: Any, columns: Sequence[Column], optional: Sequence[Column] = ()) -> Any:
    """Keep the columns that are read, so that little is moved; an index of one's name becomes it."""
    names = [column.name for column in (*columns, *optional)]
    if frame.index.name in names and frame.index.name not in frame.columns:
        frame = frame.reset_index()
    return frame[[name for name in names if name in frame.columns]]


def by(
    function: Callable[..., pd.DataFrame],
    frame: FrameT,
    reads: Sequence[Column],
    gives: Sequence[Column],
    *,
    optional: Sequence[Column] = (),
    on: str | None = "session",
    **options: Any,
) -> FrameT:
    """Run a function on whole sessions: on a pandas DataFrame at once, on a Dask one piece by piece.

    Args:
        function: From a DataFrame with the columns `reads` to one with `gives`.
        frame: pandas or Dask.
        reads: The columns it needs.
        gives: The columns it makes.
        optional: Columns it uses where they are there.
        on: Rows with the same value there stay together; None where each row stands for itself.
        options: Passed on.
    """
    if any(column.name == "at" for column in reads):
        optional = (*optional, *_MARK)
    pruned: Any = prepared(frame, reads, optional)
    found: Any
    if not is_dask(frame):
        found = output(_part(pruned, function, reads, optional, options), gives)
        return cast("FrameT", found)
    if on is not None and not _is_divided(frame, on):
        pruned = pruned.shuffle(on=on)
    schemas = tuple(reads), tuple(optional), tuple(gives)
    # By place: a value Dask has yet to compute is computed there, and not among keywords.
    found = pruned.map_partitions(
        _piece, function, schemas, tuple(options), *options.values(), meta=empty(gives)
    )
    return cast("FrameT", found.clear_divisions())


def _is_divided(frame: Any, on: str) -> bool:
    """Whether a Dask DataFrame keeps rows with the same value in one partition already."""
    return bool(frame.npartitions == 1 or (frame.index.name == on and frame.known_divisions))


def _piece(
    part: pd.DataFrame,
    function: Callable[..., pd.DataFrame],
    schemas: tuple[Sequence[Column], Sequence[Column], Sequence[Column]],
    names: tuple[str, ...],
    *values: Any,
) -> pd.DataFrame:
    """One partition of a Dask DataFrame."""
    reads, optional, gives = schemas
    if not len(part):
        return empty(gives)
    options = dict(zip(names, values, strict=True))
    return output(_part(part, function, reads, optional, options), gives)


def together(parts: Sequence[Any]) -> Any:
    """Put DataFrames of one schema under one another; one of Dask makes the result one of Dask."""
    if not any(is_dask(part) for part in parts):
        return pd.concat(parts, ignore_index=True)
    import dask.dataframe

    dd: Any = dask.dataframe  # ships no types
    return dd.concat([part if is_dask(part) else dd.from_pandas(part, npartitions=1) for part in parts])


def _part(
    part: pd.DataFrame,
    function: Callable[..., pd.DataFrame],
    reads: Sequence[Column],
    optional: Sequence[Column],
    options: dict[str, Any],
) -> pd.DataFrame:
    there = [column for column in optional if column.name in part.columns]
    return function(measured(_settled(part, (*reads, *there))), **options)


def measured(frame: Any) -> Any:
    """Take `at` away from the rows whose moment no clock told; pandas or Dask."""
    if not {"at", "monotonic_ns"} <= set(frame.columns):
        return frame
    is_told = frame["monotonic_ns"] != UNTIMED
    if not is_dask(frame) and is_told.all():
        return frame
    return frame.assign(at=frame["at"].where(is_told))


# -- messages -----------------------------------------------------------------------------------------


def said(
    function: Callable[..., pd.DataFrame],
    frame: FrameT,
    name: str,
    reads: Sequence[str],
    gives: Sequence[Column],
    *,
    on: str | None = "session",
    once: bool = True,
    sending: bool = False,
    **options: Any,
) -> FrameT:
    """Run a function on messages, out of `log.messages`, `log.frames` or `log.table()`.

    Args:
        function: Gets a DataFrame of messages by arrival, named as in `log.messages`.
        frame: What was passed.
        name: Name of the public function, for errors.
        reads: The columns of `log.messages` it needs beside session, seq, at, kind, direction, message_id.
        gives: The columns it makes.
        on: Rows with the same value there stay together.
        once: Keep the first arrival alone of a message that came again.
        sending: Give it a column `sent_at` too: when a message of ours was sent; missing where unknown.
        options: Passed on to the function.
    """
    names = tuple(dict.fromkeys(("session", "seq", "at", "kind", "direction", "message_id", *reads)))
    if not hasattr(frame, "columns") or not is_table(frame):
        check(frame, name, names, "log.messages (or log.table())")
        schema = columns_of(*names, messages=True)
        optional: tuple[str, ...] = ("latency_ms",)
    else:
        wanted = dict.fromkeys(_AS_IN_TABLE.get(one, one) for one in (*names, "type"))
        check(frame, name, wanted, "log.messages (or log.table())")
        schema = columns_of(*wanted)
        optional = ("latency_ms", "direction", "action", "tracing_id")
    read = {column.name for column in schema}
    further = columns_of(*(one for one in optional if sending and one not in read))
    told: dict[str, Any] = {"then": function, "once": once, "sending": sending, "options": options}
    return by(_words, frame, schema, gives, optional=further, on=on, **told)


def _words(
    frame: pd.DataFrame,
    *,
    then: Callable[..., pd.DataFrame],
    once: bool,
    sending: bool,
    options: dict[str, Any],
) -> pd.DataFrame:
    if sending:
        frame = frame.assign(sent_at=_sent_at(frame))
    if "message_direction" in frame:
        frame = frame.drop(columns=["direction"], errors="ignore")
        frame = frame[frame["kind"].isin(["frame", "history"]) & ~frame["message_type"].isin(_NO_WORDS)]
        frame = frame.rename(columns={there: here for here, there in _AS_IN_TABLE.items()})
    words = arrivals(frame[frame["direction"].notna()])
    if once:
        again = words.duplicated(["session", "message_id"]) & words["message_id"].notna()
        words = words[~again]
    return then(words.reset_index(drop=True), **options)


def _sent_at(frame: pd.DataFrame) -> pd.Series[Any]:
    """When each message of ours was sent: the first try where frames are there, else by its round trip."""
    latency = frame["latency_ms"] if "latency_ms" in frame else pd.Series(pd.NA, frame.index, "Float64")
    since = frame["at"] - pd.to_timedelta(latency.astype("float64"), unit="ms")
    if not {"message_direction", "direction", "action", "tracing_id"} <= set(frame.columns):
        return since
    keys = ["session", "tracing_id"]
    traced = frame[(frame["kind"] == "frame") & frame["tracing_id"].notna()]
    tries = traced[(traced["direction"] == "sent") & (traced["action"] == "onMessage")]
    echoes = traced[traced["message_direction"] == "Inbound"][[*keys, "message_id"]].drop_duplicates()
    alone = echoes[~echoes.duplicated(keys, keep=False)]  # some clients trace all they say by one id
    first = tries.groupby(keys, dropna=False)["at"].min().rename("first_try").reset_index()
    known = frame[[*keys, "message_id"]].merge(alone.merge(first, on=keys), how="left")["first_try"]
    told: pd.Series[Any] = known.set_axis(frame.index).fillna(since)
    return told


def arrivals(frame: pd.DataFrame) -> pd.DataFrame:
    """Sort by session, and within one by arrival: what has no time stands where the log has it."""
    if not frame["at"].isna().any():
        return frame.sort_values(["session", "at", "seq"], kind="stable")
    by_seq = frame.sort_values("seq", kind="stable")
    place = by_seq.groupby("session", dropna=False)["at"].ffill()
    by_seq = by_seq.assign(place=place)
    by_seq["place"] = by_seq.groupby("session", dropna=False)["place"].bfill()
    return by_seq.sort_values(["session", "place", "seq"], kind="stable").drop(columns="place")


# -- time ---------------------------------------------------------------------------------------------


def nanoseconds(times: pd.Series[Any]) -> npt.NDArray[np.int64]:
    """Return times as nanoseconds since 1970; none may be missing."""
    return times.to_numpy("datetime64[ns]").astype("int64")


def ms(nanoseconds: Any) -> Any:
    """Turn nanoseconds into milliseconds."""
    return nanoseconds / 1e6


def elapsed(since: pd.Series[Any], until: pd.Series[Any]) -> pd.Series[Any]:
    """Milliseconds between two columns of times; missing where either is."""
    known = since.notna() & until.notna()
    found = pd.Series(pd.NA, index=until.index, dtype="Float64")
    found[known] = ms(nanoseconds(until[known]) - nanoseconds(since[known]))
    return found
