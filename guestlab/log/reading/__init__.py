"""The way in: files of other tools, and our own, become a log."""

from __future__ import annotations

from guestlab.log.reading.report import Report, Skipped

__all__ = ["Report", "Skipped"]
