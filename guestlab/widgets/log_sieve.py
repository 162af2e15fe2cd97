"""Which rows of a log are wanted: a filter over its incremental table, which pays for what is new.

Without a filter the table is not even made. A row's place is its `seq` less one. pandas is not imported here:
the log's own frames are asked.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Self

from guestlab.errors import InputError
from guestlab.log.entry import Kind, Lane

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from guestlab.log import Log
    from guestlab.log.entry import Entry

__all__ = ["CHOICES", "SEARCHED", "Sieve", "Wanted", "is_refusal"]

CHOICES: dict[str, tuple[str, ...]] = {
    "kind": tuple(map(str, Kind)),
    "lane": tuple(map(str, Lane)),
    "direction": ("sent", "received"),
}
"""Column → its closed set."""

SEARCHED = (
    "raw", "text", "note", "url", "method", "action", "class_name", "rule", "credential", "placement",
    "session", "message_id", "tracing_id", "correlation_id", "conversation_id", "guest_token",
    "originating_entity", "event_types", "source_file",
)  # fmt: skip
"""Columns a search looks into, without regard to case."""

_SESSIONS = 10_000
"""Names of sessions remembered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What rows must be; "" means any."""

    kind: str = ""
    lane: str = ""
    direction: str = ""
    session: str = ""
    text: str = ""
    """Found somewhere in the columns of `SEARCHED`."""
    only_refusals: bool = False

    @classmethod
    def of(cls, **given: Any) -> Self:
        """Check and take over.

        Raises:
            InputError: No such filter, or not one of its values.
        """
        known = [field.name for field in fields(cls)]
        for name, value in given.items():
            values = CHOICES.get(name)
            if name not in known:
                raise InputError(
                    f"{name!r} is no filter of a log.",
                    why=f"The filters are {', '.join(known)}.",
                    next_step="Use one of them, or filter log.table() with pandas.",
                )
            if values is not None and value not in {"", *values}:
                raise InputError(
                    f"{name}={value!r} is unknown.",
                    why=f"The column holds {', '.join(values)}.",
                    next_step=f"Pass one of them, or leave {name} out.",
                )
        words: dict[str, Any] = {name: value if name == "only_refusals" else str(value)
                                 for name, value in given.items()}  # fmt: skip
        return cls(**words)

    @property
    def is_everything(self) -> bool:
        """Whether nothing is left out."""
        return self == Wanted()


def is_refusal(entry: Entry) -> bool:
    """Whether an entry says no: HTTP from 400, frame codes from 300, closes other than 1000, failures."""
    return (
        (entry.http_status is not None and entry.http_status >= 400)
        or (entry.frame_code is not None and entry.frame_code >= 300)
        or (entry.close_code is not None and entry.close_code != 1000)
        or entry.ok is False
    )


def _refusals(rows: pd.DataFrame) -> pd.Series[bool]:
    """The same for many rows."""
    found = (rows["http_status"] >= 400).fillna(value=False)
    found |= (rows["frame_code"] >= 300).fillna(value=False)
    found |= ((rows["close_code"] != 1000) & rows["close_code"].notna()).fillna(value=False)
    return found | (~rows["ok"]).fillna(value=False)


class Sieve:
    """The places of the wanted rows of one log, brought up to date by looking at new rows only.

    Args:
        log: Whose rows.
    """

    def __init__(self, log: Log) -> None:
        self._log = log
        self._wanted: Wanted | None = None
        self._seen = 0
        self._places: Any = None
        self._listed = 0
        self._sessions: dict[str, None] = {}

    def places(self, wanted: Wanted) -> Sequence[int]:
        """Return the places of all rows that are wanted, in order."""
        if wanted.is_everything:
            return range(len(self._log))
        import numpy as np

        table = self._log.table()
        if wanted != self._wanted:
            self._wanted, self._seen, self._places = wanted, 0, np.empty(0, np.int64)
        if len(table) > self._seen:
            found = np.flatnonzero(_mask(table.iloc[self._seen :], wanted)) + self._seen
            self._places = np.concatenate([self._places, found])
            self._seen = len(table)
        places: Sequence[int] = self._places
        return places

    def sessions(self) -> list[str]:
        """Return the names of sessions and channels, in the order of their first entries."""
        table = self._log.table()
        if len(table) > self._listed and len(self._sessions) < _SESSIONS:
            names = table["session"].iloc[self._listed :].dropna().unique()
            self._sessions.update(dict.fromkeys(map(str, names)))
        self._listed = len(table)
        return list(self._sessions)


def _mask(rows: pd.DataFrame, wanted: Wanted) -> Any:
    """One truth per row; the cheap questions first, the search only among those that are left."""
    import numpy as np

    kept = np.ones(len(rows), bool)
    for name in (*CHOICES, "session"):
        if value := getattr(wanted, name):
            kept &= (rows[name] == value).to_numpy(bool)
    if wanted.only_refusals:
        kept &= _refusals(rows).to_numpy(bool)
    if wanted.text:
        left = np.flatnonzero(kept)
        among = rows if len(left) == len(rows) else rows.iloc[left]
        kept = np.zeros(len(rows), bool)
        kept[left] = _mentions(among, wanted.text)
    return kept


def _mentions(rows: pd.DataFrame, text: str) -> Any:
    import numpy as np

    found = np.zeros(len(rows), bool)
    for name in SEARCHED:
        column = rows[name]
        if column.notna().any():
            found |= column.str.contains(text, case=False, regex=False, na=False).to_numpy(bool)
    return found
