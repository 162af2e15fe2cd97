"""How a command speaks: exit statuses, errors, headings, and text that may come from the wire."""

from __future__ import annotations

import argparse
import json
import os
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from guestlab.cli.flags import as_flags
from guestlab.errors import GuestlabError, InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "DONE",
    "ERROR",
    "FINDING",
    "STATUSES",
    "USAGE",
    "Wrapped",
    "add_command",
    "complain",
    "dressed",
    "printable",
    "read_text",
    "seconds",
    "write_text",
]

DONE, FINDING, USAGE, ERROR = 0, 1, 2, 3


STATUSES = "Exit status: 0 done, 1 a finding or failed expectation, 2 usage, 3 error."


class Wrapped(argparse.RawDescriptionHelpFormatter):
    """Help whose description is wrapped, and whose epilog stands as it was written: examples, one a line."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if "\n" in text:
            return super()._fill_text(text, width, indent)
        return textwrap.fill(text, width, initial_indent=indent, subsequent_indent=indent)


def add_command(  # noqa: PLR0917 - a row of a table
    commands: Any, name: str, run: Any, summary: str, keys: str, examples: Sequence[str]
) -> argparse.ArgumentParser:
    """Add a sub-command with `--json`, whose keys its help prints, after examples.

    Args:
        commands: What `add_subparsers` returned.
        name: Of the command.
        run: Takes the options, returns the exit status.
        summary: One line, what it is for; begins the help too.
        keys: Of the JSON object.
        examples: Lines to copy.
    """
    told = textwrap.fill(f"JSON keys: {keys}", 78, break_on_hyphens=False, break_long_words=False)
    epilog = "\n".join(["examples:", *(f"  {line}" for line in examples), "", STATUSES, told])
    command: argparse.ArgumentParser = commands.add_parser(
        name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.", epilog=epilog,
        formatter_class=Wrapped,
    )  # fmt: skip
    command.add_argument("--json", action="store_true", help="print one JSON object for machines")
    command.set_defaults(command=run, parser=command)
    return command


def complain(error: GuestlabError, options: argparse.Namespace) -> int:
    """Tell an error: what, why, next, in flags of the command; returns the exit status."""
    why, next_step = (as_flags(text, options.parser) for text in (error.why, error.next_step))
    if options.json:
        document = {"error": type(error).__name__, "what": error.what, "why": why}
        print(json.dumps({**document, "next_step": next_step, "evidence": list(error.evidence)}))
    else:
        told = GuestlabError(error.what, why=why, next_step=next_step, evidence=error.evidence)
        print(printable(str(told)), file=sys.stderr)
    return USAGE if isinstance(error, InputError) else ERROR


def dressed(line: str, stream: TextIO) -> str:
    """Set headings apart; in colour only on a terminal that wants it (https://no-color.org)."""
    colour = stream.isatty() and "NO_COLOR" not in os.environ
    if line.startswith("# "):
        return f"\n\033[1m{line[2:]}\033[0m" if colour else f"\n{line[2:]}"
    return line


def printable(text: str) -> str:
    """Text from the wire is hostile: no control characters but line ends reach the terminal."""
    return "".join(one if one.isprintable() or one == "\n" else "\ufffd" for one in text)


def read_text(name: str) -> str:
    """Read a file, or standard input for "-".

    Raises:
        GuestlabError: It cannot be read.
    """
    if name == "-":
        return sys.stdin.read()
    try:
        return Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise GuestlabError(
            f"{name} cannot be read.",
            why=f"{error}.",
            next_step="Give the path of a readable UTF-8 file, or - for standard input.",
        ) from None


def write_text(name: str, text: str) -> None:
    """Write a file.

    Raises:
        GuestlabError: It cannot be written.
    """
    try:
        Path(name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise GuestlabError(
            f"{name} cannot be written.",
            why=f"{error.strerror or error}.",
            next_step="Give a path in a folder that exists and may be written to.",
        ) from None


def seconds(word: str) -> float:
    """A length of time; anything else, or less than none, is wrong usage."""
    try:
        number = float(word)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"{printable(word)!r} is no number of seconds: give 0, 0.5, 2 …")
    return number
