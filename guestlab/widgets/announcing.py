"""What changed, said aloud: one sentence at a time, for whoever listens to the page instead of looking at it.

A screen reader speaks what changes in a live region that stood there before. `front.js` makes one of the
widget here; it is on the page, out of sight. So that bursts do not drown everything, a chat says at most one
sentence a second: the newest, and how many came with it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from guestlab.widgets.bubbles import who_said, words_of
from guestlab.widgets.theme import escape
from guestlab.widgets.view import markup
from guestlab.widgets.wire_text import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from guestlab.widgets.chat_lines import Line

__all__ = ["Announcer", "LineAnnouncer", "StateAnnouncer"]

_PAUSE = 1.0
_LONGEST = 400


class Announcer:
    """A sentence, said aloud."""

    def __init__(self) -> None:
        self.widget = markup("", "gl-live", "gl-unseen")

    def say(self, text: str) -> None:
        """Say it; the same once more is said once."""
        self.widget.value = escape(plain(text, _LONGEST, one_line=True))


class LineAnnouncer(Announcer):
    """The new lines of a chat, but for the guest's own words.

    Args:
        clock: Seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._heard: int | None = None
        self._last = float("-inf")

    def paint(self, lines: Sequence[Line]) -> None:
        """Say what is new, unless something was said just now: then the next paint says it."""
        newest = lines[-1].number if lines else 0
        if self._heard is None:  # what stood there when the chat was opened is read, not said
            self._heard = newest
        now = self._clock()
        if newest == self._heard or now - self._last < _PAUSE:
            return
        new = [line for line in lines if line.number > self._heard and line.who != "guest"]
        self._heard = newest
        if new:
            self._last = now
            self.say(_sentence(new))


def _sentence(new: Sequence[Line]) -> str:
    line = new[-1]
    words = f"{who_said(line)}: {words_of(line, _LONGEST)}" if line.who != "system" else line.text
    return words if len(new) == 1 else f"{len(new)} new lines. The newest: {words}"


class StateAnnouncer(Announcer):
    """The stages of a stepper: what each is now, and its verdict."""

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[str, tuple[str, str]] = {}

    def paint(self, states: Mapping[str, tuple[str, str]]) -> None:
        """Say what differs from before: stage → state and verdict."""
        moved = [name for name, told in states.items() if self._known.get(name, told) != told]
        self._known = dict(states)
        if moved:
            self.say(" ".join(_state(name, *states[name]) for name in moved))


def _state(name: str, state: str, verdict: str) -> str:
    said = f": {verdict}" if verdict.strip("…") else ""
    return f"{name.capitalize()} {state}{said}" + ("" if said.endswith((".", "!", "?")) else ".")
