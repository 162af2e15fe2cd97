"""A log as a Parquet dataset, for archives: partitioned by day, sorted by session, schema from `COLUMNS`.

    archive/day=2026-11-22/5f0c…e1-0.parquet
    archive/day=2026-11-23/5f0c…e1-1.parquet

Every log has a name of its own in every process, so that many processes and machines may write into one
folder; the same log written again takes the place of what it wrote there before, and so does a copy of it
(`copies.py`). Files get their names when all of them are whole; what begins with a dot is none yet, and
pandas, Dask and Arrow pass over it. Reading back is `reading/dataset.py`.
"""

from __future__ import annotations

import os
import secrets
import threading
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guestlab.errors import LogError
from guestlab.log.entry import COLUMNS
from guestlab.log.reading.dataset import arrow
from guestlab.log.times import day_of
from guestlab.log.writing.copies import copies_of, run_of, turn
from guestlab.log.writing.files import blocks_of, complaint

if TYPE_CHECKING:
    from guestlab.log.bulk import Sides
    from guestlab.log.entry import Column
    from guestlab.log.recorder import Log

__all__ = ["arrow_schema", "write_parquet"]

_DAY = 86_400 * 10**9
_ROWS = 1 << 16
"""Rows of a row group: what a reader that skips skips at once."""
_names: weakref.WeakKeyDictionary[Log, tuple[int, str]] = weakref.WeakKeyDictionary()
"""Log → the process in which it got its name, and that name: a fork goes on as another log."""
_naming = threading.Lock()


def arrow_schema() -> Any:
    """Return `COLUMNS` as an Arrow schema.

    Raises:
        InputError: pyarrow is not installed.
    """
    return arrow().schema([(column.name, _type(column)) for column in COLUMNS])


def _type(column: Column) -> Any:
    pyarrow = arrow()
    types = {
        "int64": pyarrow.int64(),
        "Int64": pyarrow.int64(),
        "Float64": pyarrow.float64(),
        "boolean": pyarrow.bool_(),
        "datetime64[ns, UTC]": pyarrow.timestamp("ns", tz="UTC"),
        "category": pyarrow.dictionary(pyarrow.int8(), pyarrow.string()),
        "str": pyarrow.large_string(),
    }
    return types[column.dtype]


def write_parquet(log: Log, folder: Path) -> Path:
    """Add a log to the dataset in a folder, which is made where it is missing; return the folder.

    What this very log wrote there before is replaced, and so is a copy of it, such as its journal read by
    another process: of copies the longest stays, and the newest of equal ones. A log that was put together of
    several is another one, and so is one without times (`monotonic_ns` 0): written into the folder that holds
    its parts, they stand there twice.

    `gl.read` gives an equal log, but for `source_file`, which names the run where it was missing: "run " and
    16 digits that every copy of the log has, so that what counts anew in each run can be told apart. Rows lie
    by session, then `seq`, in one file per day of `at`.

    Raises:
        InputError: pyarrow is not installed.
        LogError: The dataset cannot be written.
    """
    schema = arrow_schema()
    table = arrow().concat_tables([schema.empty_table(), *(_table(*block) for block in blocks_of(log))])
    table = _of_run(table, run_of(table))
    if folder.exists() and not folder.is_dir():
        raise LogError(
            f"{folder.name} is a file.",
            why="A dataset is a folder, and a file is never replaced by one.",
            next_step="Give the path of a folder; it is made where it is missing.",
        )
    try:
        _write(table, folder, _name_of(log, table))
    except OSError as error:
        raise complaint(folder, error) from None
    return folder


def _table(block: Sides, length: int) -> Any:
    pyarrow = arrow()
    columns = []
    for column in COLUMNS:
        values = block.get(column.name)
        kind = _type(column)
        if values is None:
            columns.append(pyarrow.nulls(length, kind))
        elif column.dtype == "category":
            words = [None if value is None else str(value) for value in values]
            columns.append(pyarrow.array(words, pyarrow.string()).cast(kind))
        else:
            columns.append(pyarrow.array(values, kind))
    return pyarrow.table(columns, schema=arrow_schema())


def _of_run(table: Any, run: str | None) -> Any:
    """Name the run where no file is named; without times none is known, and nothing is named."""
    if run is None:
        return table
    place = table.schema.get_field_index("source_file")
    named = arrow("pyarrow.compute").fill_null(table["source_file"], f"run {run}")
    return table.set_column(place, table.schema.field(place), named)


def _name_of(log: Log, table: Any) -> str:
    """Name a log, the same as long as it lives in this process; half of it is that of the run."""
    with _naming:
        process, name = _names.get(log, (0, ""))
        if process != os.getpid():
            name = (run_of(table) or secrets.token_hex(8)) + secrets.token_hex(8)
            _names[log] = os.getpid(), name
        return name


def _write(table: Any, folder: Path, name: str) -> None:
    """Write a file per day under a temporary name each, rename them all, and remove what they replace."""
    renamed: list[tuple[Path, Path]] = []
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        for number, (place, rows) in enumerate(_days(table)):
            path = folder / place / f"{name}-{number}.parquet"
            path.parent.mkdir(mode=0o700, exist_ok=True)
            part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
            renamed.append((part, path))
            _write_file(rows, part)
        with turn(folder) as is_ours:
            copies, is_within = copies_of(table, name, folder) if is_ours else ((), False)
            before = {
                path for held in (folder, *folder.glob("day=*")) for path in held.glob(f"{name}-*.parquet")
            }
            if not is_within:
                for part, path in renamed:
                    part.replace(path)
                before -= {path for _, path in renamed}
            for path in (*before, *copies):
                path.unlink(missing_ok=True)
    finally:
        for part, _ in renamed:
            part.unlink(missing_ok=True)


def _days(table: Any) -> list[tuple[str, Any]]:
    """Split a table by day, each part sorted; of an empty one keep the schema, in a part without a day."""
    pyarrow = arrow()
    compute = arrow("pyarrow.compute")
    if table.num_rows == 0:
        return [("", table)]
    # Whole days since 1970, rounded down also before it.
    at = table["at"].cast(pyarrow.int64())
    day = pyarrow.chunked_array([[number // _DAY for number in at.to_pylist()]], pyarrow.int64())
    order = [("session", "ascending"), ("seq", "ascending")]
    return [
        (f"day={day_of(number * _DAY)}", table.filter(compute.equal(day, number)).sort_by(order))
        for number in sorted(compute.unique(day).to_pylist())
    ]


def _write_file(rows: Any, path: Path) -> None:
    parquet = arrow("pyarrow.parquet")
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        codec = "zstd" if arrow().Codec.is_available("zstd") else "snappy"
        parquet.write_table(rows, file, row_group_size=_ROWS, compression=codec)
        file.flush()
        os.fsync(file.fileno())
