"""The ways a log becomes a file, as buttons: each makes the call it shows, off the kernel's thread."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guestlab.errors import GuestlabError
from guestlab.widgets import theme
from guestlab.widgets.view import button, in_background, markup, row, stack

if TYPE_CHECKING:
    from collections.abc import Callable

    from guestlab.log import Log

__all__ = ["WRITERS", "LogFiles"]

WRITERS = (
    ("HAR", "to_har", ".har", "HTTP Archive, for a browser's developer tools"),
    ("JSON Lines", "to_jsonl", ".jsonl", "one object per entry"),
    ("CSV", "to_csv", ".csv", "for a spreadsheet"),
    ("Parquet", "to_parquet", "-parquet", "a folder, for Dask and pandas"),
    ("Bundle", "to_bundle", ".zip", "redacted, for a support case"),
)
"""Button, method of `Log`, ending, what for."""


class LogFiles:
    """Buttons that write the log beside the notebook.

    Args:
        log: Which.
        poke: Asks for a paint.
        now: The clock that names the files.
    """

    def __init__(
        self, log: Log, poke: Callable[[], None], *, now: Callable[[], time.struct_time] = time.localtime
    ) -> None:
        self._log, self._poke, self._now = log, poke, now
        self._told: list[str] = []
        self._given: set[Path] = set()
        self._shown = markup("")
        buttons = [
            button(name, partial(self.write, method, ending), tooltip=purpose)
            for name, method, ending, purpose in WRITERS
        ]
        where = "Files are written into the kernel's folder; secrets are masked in them."
        self.widget = stack(
            row(*buttons, classes=("gl-buttons",)),
            markup(f'<div class="gl-quiet gl-small">{theme.escape(where)}</div>'),
            self._shown,
        )

    @staticmethod
    def calls() -> str:
        """The calls, as a table."""
        rows = [
            ("log.table()", "everything as a DataFrame"),
            ("log.view(only_refusals=True)", "the rows that say no"),
            *((f'log.{method}("guestlab{ending}")', purpose) for _, method, ending, purpose in WRITERS),
        ]
        return theme.table(("call", "what for"), rows)

    def write(self, method: str, ending: str) -> None:
        """Begin to write a file of a name that is free."""
        path = self._free(ending)
        call = f'log.{method}("{path.name}")'
        place = len(self._told)
        self._told.append(_line("running", call, "writing …"))
        self._poke()

        def work() -> None:
            try:
                getattr(self._log, method)(path)
                told = _line("done", call, f"written: {_size(path)} in {path.resolve()}")
            except GuestlabError as error:
                told = _line("failed", call, f"{error.what} {error.why} {error.next_step}")
            except Exception as error:  # noqa: BLE001 - nobody else would see it
                told = _line("failed", call, f"It could not be written ({type(error).__name__}).")
            self._told[place] = told
            self._poke()

        in_background(work, "guestlab-write")

    def paint(self) -> None:
        """Bring it up to date."""
        self._shown.value = f'<div role="status">{"".join(self._told[-5:])}</div>' if self._told else ""

    def _free(self, ending: str) -> Path:
        stem = time.strftime("guestlab-%Y%m%d-%H%M%S", self._now())
        path, number = Path(f"{stem}{ending}"), 1
        while path.exists() or path in self._given:  # one that is being written is not there yet
            number += 1
            path = Path(f"{stem}-{number}{ending}")
        self._given.add(path)
        return path


def _line(state: str, call: str, what: str) -> str:
    return (
        f'<div class="gl-small">{theme.pill(state)} <code>{theme.escape(call)}</code> '
        f"{theme.escape(what)}</div>"
    )


def _size(path: Path) -> str:
    files: list[Any] = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
    size = sum(each.stat().st_size for each in files)
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{max(1, size // 1000)} kB"
