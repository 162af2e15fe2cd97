"""The command line: the same nouns as in Python, one file per command.

Exit status: 0 done, 1 a finding or a failed expectation, 2 usage, 3 error. With `--json` a command prints
one JSON object and nothing else on standard output.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from typing import TYPE_CHECKING

from guestlab import __version__
from guestlab.cli import conversation, diagnosis, handshake, log, notebooks, sandbox, tour, transcript
from guestlab.cli.output import DONE, ERROR, complain
from guestlab.errors import GuestlabError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["COMMANDS", "main", "parser"]

COMMANDS = (tour, notebooks, sandbox, handshake, diagnosis, conversation, transcript, log)
"""The modules that add commands, in the order of --help."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # an ASCII terminal shows ? for a tick, not a traceback
    options = parser().parse_args(arguments)
    try:
        status: int = options.command(options)
    except GuestlabError as error:
        complain(error, as_json=options.json)
        return ERROR
    except KeyboardInterrupt:
        return 130  # the shell's convention for an interrupt
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough. Python would complain again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    return status


def parser() -> argparse.ArgumentParser:
    """Build the parser of all commands."""
    top = argparse.ArgumentParser(
        prog="guestlab",
        description="A laboratory for headless Genesys Cloud messaging clients.",
        epilog="Exit status: 0 done, 1 a finding or failed expectation, 2 usage, 3 error.",
    )
    top.add_argument("--version", action="version", version=f"guestlab {__version__}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in COMMANDS:
        module.add(commands)
    return top
