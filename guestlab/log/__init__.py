"""The log: the append-only, redacted record of everything that crosses a wire, and its DataFrames.

`entry.py` and `redaction.py` are pure; `recorder.py` has the clock, `store.py` the columns in memory,
`table.py` and `views.py` make the DataFrames. Importing this imports no pandas.
"""

from __future__ import annotations

from guestlab.log.entry import COLUMNS, Column, Entry, Kind, Lane, Stage, Step, columns_markdown
from guestlab.log.recorder import Log
from guestlab.log.redaction import Redactor

__all__ = [
    "COLUMNS",
    "Column",
    "Entry",
    "Kind",
    "Lane",
    "Log",
    "Redactor",
    "Stage",
    "Step",
    "columns_markdown",
]
