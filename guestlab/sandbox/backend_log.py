"""What the cloud's own logs would show: REST calls and what happens on accepted guest sockets.

An upgrade refused at the gateway never reaches a backend and so never stands here; that absence is the
lesson. In memory only; no credential and no text a guest wrote is ever put into a record.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["BackendLog", "Record"]

_KEPT = 100_000
"""Records held; the oldest fall off, a quarter at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One line of the cloud's log."""

    at: datetime
    service: str
    """login, platform, guest messaging, CDN, uploads or notifications."""
    what: str
    """Method and path, or the guest's action."""
    status: int
    """The HTTP status, or the code of the answering frame."""
    level: str
    """How well it is known that the cloud's backend sees this: documented or inferred."""
    correlation_id: str = ""
    detail: str = ""

    def __str__(self) -> str:
        clock = self.at.strftime("%H:%M:%S.") + f"{self.at.microsecond // 1000:03d}"
        tail = f"  ({self.detail})" if self.detail else ""
        return f"{clock}  {self.service:<15}  {self.status}  {self.what}{tail}"


class BackendLog:
    """The records, oldest first; safe to read from any thread."""

    def __init__(self) -> None:
        self._records: list[Record] = []
        self._lock = threading.Lock()

    def add(self, record: Record) -> None:
        """Append one."""
        with self._lock:
            self._records.append(record)
            if len(self._records) > _KEPT:
                del self._records[: _KEPT // 4]

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._records.clear()

    def snapshot(self) -> tuple[Record, ...]:
        """All records so far."""
        with self._lock:
            return tuple(self._records)
