"""The sealed part of a log: chunks one after the other, of which old ones may lie in a file.

Knows places, not files: a chunk that was put away says itself how it is fetched back.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from guestlab.log.store import Chunk

__all__ = ["Chunks", "PutAway"]


class PutAway:
    """A chunk that is not in memory."""

    __slots__ = ("_fetch", "length")

    def __init__(self, fetch: Callable[[], Chunk], length: int) -> None:
        self._fetch, self.length = fetch, length

    def __len__(self) -> int:
        return self.length

    def loaded(self) -> Chunk:
        """Read it, which takes about as long as recording it took."""
        return self._fetch()


class Chunks:
    """Chunks in order, found by the place of an entry in the log. Not locked: its log is."""

    def __init__(self) -> None:
        self.length = 0
        """Entries in all of them."""
        self.held = 0
        """Entries of those in memory."""
        self._parts: list[Chunk | PutAway] = []
        self._starts: list[int] = []
        self._fetches: list[Callable[[], Chunk] | None] = []
        self._oldest = 0
        self._recent: tuple[PutAway, Chunk] | None = None

    def append(self, chunk: Chunk, fetch: Callable[[], Chunk] | None = None) -> None:
        """Add a chunk. `fetch` reads it again; without it the chunk stays in memory for good."""
        self._parts.append(chunk)
        self._starts.append(self.length)
        self._fetches.append(fetch)
        self.length += len(chunk)
        self.held += len(chunk)

    def put_away(self, most: int) -> None:
        """Let go of the oldest in memory until at most so many entries are held there."""
        while self.held > most and self._oldest < len(self._parts):
            chunk, fetch = self._parts[self._oldest], self._fetches[self._oldest]
            if fetch is not None:
                self._parts[self._oldest] = PutAway(fetch, len(chunk))
                self.held -= len(chunk)
            self._oldest += 1

    def since(self, start: int) -> tuple[list[Chunk | PutAway], int]:
        """Return the chunks from one place on, and how many entries of the first come before it."""
        if start >= self.length:
            return [], 0
        first = bisect_right(self._starts, start) - 1
        return self._parts[first:], start - self._starts[first]

    def find(self, place: int) -> tuple[Chunk | PutAway, int]:
        """Return the chunk that holds the entry at one place, and the place in it."""
        index = bisect_right(self._starts, place) - 1
        return self._parts[index], place - self._starts[index]

    def loaded(self, part: Chunk | PutAway) -> Chunk:
        """Return a chunk with its columns; keep the one fetched last, whose neighbours come next."""
        if not isinstance(part, PutAway):
            return part
        recent = self._recent
        if recent is None or recent[0] is not part:
            recent = self._recent = (part, part.loaded())
        return recent[1]
