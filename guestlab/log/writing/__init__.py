"""The way out: a log becomes a file."""

from __future__ import annotations

__all__: list[str] = []
