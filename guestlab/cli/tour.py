"""`guestlab tour`: the three stages, told in the terminal."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from guestlab.cli.output import DONE, FINDING, add_command, dressed

if TYPE_CHECKING:
    import argparse

__all__ = ["add"]

KEYS = (
    "answer cure region token asked_path conversation as_asked handshake messages backend_log "
    "log_entries held"
)

EXAMPLES = ("guestlab tour", "guestlab tour --json")


def add(commands: Any) -> None:
    """Add the command."""
    tour = add_command(
        commands, "tour", _tour, "tell the three stages on the embedded sandbox", KEYS, EXAMPLES
    )
    tour.description = "Token, conversation, handshake: refused as asked, then as it works."


def _tour(options: argparse.Namespace) -> int:
    from guestlab.tour import perform_tour

    story = perform_tour()
    if options.json:
        print(json.dumps(story.document(), ensure_ascii=False))
    else:
        for line in story.lines():
            print(dressed(line, sys.stdout))
    return DONE if story.held else FINDING
