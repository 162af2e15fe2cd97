"""`guestlab lab`: the notebooks in a folder of yours, and JupyterLab on them.

The notebooks travel with the package; in a clone they stand beside it. What somebody has changed is kept: a
copy is never written over it unasked. JupyterLab runs in this same environment, as a program of its own.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guestlab.cli.output import DONE, ERROR, add_command
from guestlab.errors import GuestlabError

if TYPE_CHECKING:
    import argparse

__all__ = ["add", "copy_notebooks", "shipped"]

KEYS = "folder notebooks{name,state} seed command"
FOLDER = "guestlab-notebooks"
SEED = "GUESTLAB_SANDBOX_SEED"
EXAMPLES = (
    "guestlab lab",
    "guestlab lab course --seed 7",
    "guestlab lab course --refresh --no-open",
)

_STATES = {
    "copied": "copied",
    "unchanged": "there already",
    "kept": "kept as you left it; --refresh puts the original in its place",
    "refreshed": "put back to the original; yours is now {kept}",
}
"""What became of a notebook, and how to say it."""


def add(commands: Any) -> None:
    """Add the command."""
    lab = add_command(commands, "lab", _lab, "copy the notebooks and open JupyterLab on them", KEYS, EXAMPLES)
    lab.description = (
        "Copy the notebooks into a folder of yours, keeping what you changed there, and open JupyterLab on "
        "them. They run offline: every gl.Lab() starts a sandbox of its own, on a port of its own."
    )
    lab.add_argument("folder", nargs="?", default=FOLDER, help=f"where to (default: ./{FOLDER})")
    lab.add_argument(
        "--refresh", action="store_true", help="put changed ones back; yours are kept as .mine.ipynb"
    )
    lab.add_argument("--no-open", action="store_true", help="only copy")
    lab.add_argument(
        "--seed", type=int, help=f"export {SEED}: the same ids on every screen of a class (default: 0)"
    )
    lab.add_argument(
        "--jupyter",
        metavar="OPTION",
        action="append",
        default=[],
        help="an option for JupyterLab, such as --jupyter=--no-browser; may be repeated",
    )


def shipped() -> tuple[Path, ...]:
    """The notebooks of this guestlab, by name.

    Raises:
        GuestlabError: There are none: neither in the package, nor beside it as in a clone.
    """
    package = Path(__file__).parent.parent
    for folder in (package / "notebooks", package.parent / "notebooks"):
        found = tuple(sorted(folder.glob("[0-9][0-9]_*.ipynb")))
        if found:
            return found
    raise GuestlabError(
        "This guestlab has no notebooks with it.",
        why="They are part of the package, and in a clone of the project they stand beside it.",
        next_step="Install guestlab again from its wheel, or run this in a clone.",
    )


def copy_notebooks(folder: Path, *, refresh: bool = False) -> dict[str, str]:
    """Copy the notebooks; returns what became of each: copied, unchanged, kept or refreshed.

    Args:
        folder: Where to; made if it is not there.
        refresh: Put the original in the place of one that was changed, and keep that as `.mine.ipynb`.

    Raises:
        GuestlabError: The folder cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return {source.name: _copy(source, folder / source.name, refresh=refresh) for source in shipped()}
    except OSError as error:
        raise GuestlabError(
            f"The notebooks cannot be copied to {folder}.",
            why=f"{error.strerror or error}.",
            next_step="Give a folder that you may write to: guestlab lab FOLDER.",
        ) from None


def _copy(source: Path, target: Path, *, refresh: bool) -> str:
    original = source.read_bytes()
    state = "copied"
    if target.exists():
        if target.read_bytes() == original:
            return "unchanged"
        if not refresh:
            return "kept"
        target.replace(_kept_as(target))
        state = "refreshed"
    target.write_bytes(original)
    return state


def _kept_as(target: Path) -> Path:
    """The next free name for what somebody changed: one that JupyterLab opens as a notebook."""
    names = (target.with_name(f"{target.stem}.mine{number or ''}.ipynb") for number in (0, *range(2, 1000)))
    return next(name for name in names if not name.exists())


def _lab(options: argparse.Namespace) -> int:
    if not options.no_open:
        _check_jupyterlab(options.jupyter)
    folder = Path(options.folder).expanduser().resolve()
    states = copy_notebooks(folder, refresh=options.refresh)
    command = [sys.executable, "-m", "jupyterlab", next(iter(states)), *options.jupyter]
    _tell(options, folder, states, command)
    if options.no_open:
        return DONE
    environ = dict(os.environ)
    if options.seed is not None:
        environ[SEED] = str(options.seed)
    return _open(command, folder, environ)


def _tell(options: argparse.Namespace, folder: Path, states: dict[str, str], command: list[str]) -> None:
    if options.json:
        document = {
            "folder": str(folder),
            "notebooks": [{"name": name, "state": state} for name, state in states.items()],
            "seed": options.seed,
            "command": None if options.no_open else command,
        }
        print(json.dumps(document), flush=True)
        return
    print(f"The notebooks are in {folder}")
    for name, state in states.items():
        print(f"  {name:<36} {_STATES[state].format(kept=Path(name).stem + '.mine.ipynb')}")
    if options.no_open:
        words = [sys.executable, "-m", "jupyterlab", str(folder)]
        line = subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)
        print("Open them with: " + line, flush=True)
    else:
        print("Opening JupyterLab; Ctrl-C stops it.", flush=True)


def _check_jupyterlab(given: list[str]) -> None:
    if importlib.util.find_spec("jupyterlab") is None:
        raise GuestlabError(
            "JupyterLab is not installed beside guestlab.",
            why=f"There is no module jupyterlab for {Path(sys.executable).name} of this environment.",
            next_step="Run pip install 'guestlab[lab]'; or guestlab lab --no-open, which only copies.",
        )
    if hasattr(os, "geteuid") and os.geteuid() == 0 and "--allow-root" not in given:
        raise GuestlabError(
            "JupyterLab refuses to run as root.",
            why="Whoever reaches its page could do anything on this machine.",
            next_step="Run it as another user; in a container of your own add --jupyter=--allow-root.",
        )


def _open(command: list[str], folder: Path, environ: dict[str, str]) -> int:
    """Run JupyterLab until it ends; Ctrl-C and SIGTERM end it too, so that it is never left behind."""
    before = signal.signal(signal.SIGTERM, _interrupt)
    process = subprocess.Popen(command, cwd=folder, env=environ)  # noqa: S603 - our own interpreter
    stopped = False
    try:
        while True:
            try:
                return DONE if process.wait() == 0 or stopped else ERROR
            except KeyboardInterrupt:
                process.terminate()
                stopped = True
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
