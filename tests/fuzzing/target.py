"""What a target is: one reader of guestlab, fed with bytes from outside.

A target takes bytes and returns; an error of guestlab's own tree is an answer too. Anything else that is
raised is a finding, and so is an input that takes more CPU time than `MOST_SECONDS`. Both engines (Hypothesis
in `mutations.py`, libFuzzer in `guided.py`) and the stored examples feed the same targets.
"""

from __future__ import annotations

import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from guestlab.errors import GuestlabError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["DATA", "EXAMPLES", "MOST_SECONDS", "Finding", "Target", "TooSlowError", "found_by"]

DATA = Path(__file__).parents[1] / "data"
EXAMPLES = Path(__file__).with_name("examples")
"""One folder per target: inputs that were findings once."""

MOST_SECONDS = 10.0
"""CPU seconds one input may take, instrumented: a hang, or a pattern that looks at every place from every other."""


class TooSlowError(Exception):
    """An input took too long."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """One reader."""

    name: str
    read: Callable[[bytes], object]
    seeds: Callable[[], Sequence[bytes]]
    """What the reader is meant for; mutated from there."""
    words: Sequence[bytes] = ()
    """Pieces of its language, put in at random."""
    longest: int = 4096
    """Bytes of a generated input."""

    def __call__(self, data: bytes) -> None:
        """Feed one input; raises only on a finding."""
        started = time.process_time()
        try:
            self.read(data)
        except GuestlabError as error:
            str(error)
        taken = time.process_time() - started
        if taken > MOST_SECONDS:
            raise TooSlowError(f"{taken:.1f} CPU seconds for {len(data)} bytes")

    def examples(self) -> list[Path]:
        """The stored inputs that were findings once."""
        return sorted((EXAMPLES / self.name).glob("*"))


@dataclass(frozen=True, kw_only=True)
class Finding:
    """An input that raised what it must not."""

    target: str
    where: str
    """The innermost line of guestlab's, and the exception: equal for inputs that find the same."""
    error: str
    data: bytes


def found_by(target: Target, data: bytes) -> Finding | None:
    """Feed one input; return what it found."""
    try:
        target(data)
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        ours = [frame for frame in frames if "guestlab/" in frame.filename.replace("\\", "/")]
        last = (ours or frames)[-1]
        where = f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}"
        text = "".join(traceback.format_exception(error))
        return Finding(target=target.name, where=where, error=text, data=data)
    return None
