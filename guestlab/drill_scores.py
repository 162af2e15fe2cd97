"""What a learner did with the drills: counted by drill, kept in a file, put together by a trainer.

A drill that is begun anew goes on counting where it was. The file is a JSON array of flat rows, so that
`pandas.read_json` reads it, and twenty of them together are one `pandas.concat`. It has no words of the
learner's but the name that was given, and no secrets.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from guestlab.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["COLUMNS", "Score", "Scores"]

COLUMNS = ("learner", "drill", "begun", "answers", "hints", "solution_seen", "solved", "seconds")
"""Of the table, in order. `seconds`: from the first beginning until it was solved."""


@dataclass(slots=True)
class Score:
    """What was done with one drill, however often it was begun."""

    begun: int = 0
    answers: int = 0
    hints: int = 0
    """How many different hints were asked for."""
    solution_seen: bool = False
    """Whether the solution was looked at before the drill was solved."""
    solved: bool = False
    """Whether the cause was found without the solution."""
    seconds: float | None = None
    started: float | None = None
    """When it was first begun in this lab, on a monotonic clock; stays out of the rows."""

    @property
    def state(self) -> str:
        """How far it is, in a word with its icon."""
        states = ((self.solved, "✓ solved"), (self.solution_seen, "◌ seen"), (self.begun > 0, "… begun"))
        return next((word for holds, word in states if holds), "○ open")

    def add(self, earlier: Score) -> None:
        """Go on from what was done before, in another kernel."""
        self.solution_seen = earlier.solution_seen or (self.solution_seen and not earlier.solved)
        self.solved = earlier.solved or (self.solved and not earlier.solution_seen)
        self.seconds = earlier.seconds if earlier.solved else self.seconds
        self.hints = max(self.hints, earlier.hints)
        self.begun += earlier.begun
        self.answers += earlier.answers


class Scores:
    """The scores of one lab, by drill."""

    def __init__(self, drills: Iterable[str]) -> None:
        self.by_drill = {name: Score() for name in drills}
        self._joined: set[Path] = set()

    def table(self, learner: str = "", to: str | Path | None = None) -> pd.DataFrame:
        """Return a row per drill, untouched ones too; with a file, count on from it and write it.

        Raises:
            InputError: The file is something else, is another learner's, or cannot be written.
        """
        path = None if to is None else Path(to).expanduser().resolve()
        if path is not None and path not in self._joined:
            self._join(path, learner)
            self._joined.add(path)
        rows = [
            {"learner": learner, "drill": name, **{column: getattr(score, column) for column in COLUMNS[2:]}}
            for name, score in self.by_drill.items()
        ]
        if path is not None:
            _write(path, rows)
        return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"seconds": "float64"})

    def _join(self, path: Path, learner: str) -> None:
        if not path.exists():
            return
        earlier = _read(path)
        names = {row["learner"] for row in earlier} - {learner}
        if names:
            raise InputError(
                f"{path.name} has the results of {', '.join(sorted(map(repr, names)))}.",
                why=f"They are not added to those of {learner!r}: a file belongs to one learner.",
                next_step='Give each learner a file: lab.drill_results(learner="Anna", to="anna.json").',
            )
        for row in earlier:
            if row["drill"] in self.by_drill:
                self.by_drill[row["drill"]].add(Score(**{name: row[name] for name in COLUMNS[2:]}))


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        if all(set(COLUMNS) == set(row) for row in rows):
            return list(rows)
    except (OSError, ValueError, TypeError):
        pass
    raise InputError(
        f"{path.name} is there, and is no file of drill results.",
        why="It would be written over.",
        next_step="Give another name, such as anna.json.",
    )


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    try:
        path.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"The results cannot be written to {path.name}.",
            why=f"{error.strerror or error}.",
            next_step='Give a file in a folder that you may write to: to="anna.json".',
        ) from None
