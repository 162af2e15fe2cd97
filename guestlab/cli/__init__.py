"""The command line: the same nouns as in Python, one file per command.

Exit status: 0 done, 1 a finding or a failed expectation, 2 usage (an `InputError` is), 3 error. With
`--json` a command prints one JSON object and nothing else on standard output.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from typing import TYPE_CHECKING

from guestlab import __version__
from guestlab.cli import conversation, diagnosis, handshake, log, notebooks, sandbox, tour, transcript
from guestlab.cli.flags import unknown_flags
from guestlab.cli.output import DONE, STATUSES, Wrapped, complain
from guestlab.errors import GuestlabError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["COMMANDS", "FIRST", "GROUPS", "main", "parser"]

GROUPS = {
    "begin": ("tour", "lab", "sandbox"),
    "the handshake": ("attempt", "matrix", "preflight", "snippet", "diagnose", "probe"),
    "conversations": ("say", "test", "transcript"),
    "logs": ("log",),
}
"""The commands as --help lists them."""


FIRST = """Begin with one of these; none needs an account:

  guestlab tour         token, conversation, handshake: refused as asked, then as it works
  guestlab lab          the notebooks, in JupyterLab (pip install 'guestlab[lab]')
  guestlab diagnose -   explain the curl line, HAR or code you paste

With your own region: guestlab attempt --region mypurecloud.de --deployment-id ID
Everything else: guestlab --help"""
"""What `guestlab` alone says."""

COMMANDS = (tour, notebooks, sandbox, handshake, diagnosis, conversation, transcript, log)
"""The modules that add commands, in the order of --help."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # an ASCII terminal shows ? for a tick, not a traceback
    top = parser()
    options, unknown = top.parse_known_args(arguments)
    if unknown:
        command = options.parser or top
        command.error(unknown_flags(unknown, command))
    if options.command is None:
        print(FIRST)
        return DONE
    try:
        status: int = options.command(options)
    except GuestlabError as error:
        return complain(error, options)
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
        usage="guestlab COMMAND [OPTIONS]",
        formatter_class=Wrapped,
    )
    top.add_argument("--version", action="version", version=f"guestlab {__version__}")
    top.set_defaults(command=None, parser=None)
    commands = top.add_subparsers(metavar="COMMAND", prog="guestlab", help=argparse.SUPPRESS)
    for module in COMMANDS:
        module.add(commands)
    summaries = {action.dest: action.help for action in commands._choices_actions}  # noqa: SLF001 - no other way
    listed = (
        f"{title}:\n" + "\n".join(f"  {name:<11} {summaries[name]}" for name in names)
        for title, names in GROUPS.items()
    )
    top.description = "\n\n".join(["A laboratory for headless Genesys Cloud messaging clients.", *listed])
    top.epilog = f"guestlab COMMAND --help tells more, with examples. Begin with: guestlab tour\n{STATUSES}"
    return top
