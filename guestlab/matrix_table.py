"""A matrix as a DataFrame: one row per attempt, dtypes the same for none as for many.

pandas is imported inside functions, as in `log/table.py`, whose way of typing columns this uses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from guestlab.handshake.attempt import STEPS
from guestlab.log.entry import Column
from guestlab.log.table import typed

if TYPE_CHECKING:
    import pandas as pd

    from guestlab.handshake.matrix import Cell, Matrix

__all__ = ["MATRIX_COLUMNS", "matrix_table"]

MATRIX_COLUMNS: tuple[Column, ...] = (
    Column("attempt", "int64", "", "Number of the attempt in its log."),
    Column("credential", "str", "", "What it tried to open the socket with."),
    Column("placement", "str", "", "Where it put the credential."),
    Column("deployment", "str", "", "Which deployment id it sent: a word, or an id."),
    Column("origin", "str", "", "Which Origin it sent: a word, or an origin."),
    Column("ok", "boolean", "", "Whether the socket opened and was configured."),
    Column("step", "category", "", "The step it ended at.", STEPS),
    Column("http_status", "Int64", "", "Lane http: the status of the upgrade."),
    Column("frame_code", "Int64", "", "Lane frame: code of the last answer."),
    Column("close_code", "Int64", "", "Lane close: the code with which the server closed."),
    Column("body_size", "int64", "bytes", "Size of a refusal's body."),
    Column("duration_ms", "Float64", "ms", "All steps together."),
    Column("rule", "str", "", "Names of the diagnosis rules that fired, comma-joined, best first."),
    Column("verdict", "str", "", "What happened, in one line."),
)


def matrix_table(matrix: Matrix) -> pd.DataFrame:
    """Make the table of a matrix."""
    import pandas as pd

    rows = [_row(cell) for cell in matrix.cells]
    frame = pd.DataFrame(rows, columns=[column.name for column in MATRIX_COLUMNS])
    return typed(frame, MATRIX_COLUMNS)


def _row(cell: Cell) -> tuple[object, ...]:
    setting = cell.setting
    return (
        cell.number,
        setting.credential,
        setting.placement,
        setting.deployment,
        setting.origin,
        cell.ok,
        cell.step,
        cell.http_status,
        cell.frame_code,
        cell.close_code,
        cell.body_size,
        cell.duration_ms,
        ",".join(cell.diagnosis.rules) or None,
        cell.verdict,
    )
