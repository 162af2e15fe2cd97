"""From argument to flag: errors speak Python, and here somebody types a command.

`FLAGS` is a table, applied where a command tells an error, so that no text is written twice. A row counts
only for a command that has the flag: advice must be something that can be typed. Evidence is never reworded.
"""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

__all__ = ["FLAGS", "advice_as_flags", "as_flags", "unknown_flags"]

# Rules of this table: whole phrases come before single arguments.
FLAGS: tuple[tuple[str, str, str], ...] = (
    ("--region", r"Pass gl\.Lab\(region, deployment_id=(?:\.\.\.|…)\)", "Pass --region and --deployment-id"),
    ("--region", r'gl\.Lab\("([^"]*)", \w+=(?:\.\.\.|…)\)', r"--region \1"),
    (
        "--region",
        r"Give \w+=, set (\w+), or use gl\.Lab\(\) with its embedded sandbox",
        r"Set \1, or leave out --region and GUESTLAB_REGION: the embedded sandbox has its own",
    ),
    ("--region", r"or use gl\.Lab\(\) for the sandbox", "or leave it out for the sandbox"),
    ("--proxy", r'--proxy "" or proxy=""', "--proxy ''"),
    ("--proxy", r"--proxy, proxy=|proxy=, --proxy", "--proxy"),
    ("--proxy", r'\bproxy=""', "--proxy ''"),
    ("--proxy", r"\bproxy=", "--proxy"),
    ("--search-regions", r"\bsearch_regions=True", "--search-regions"),
    ("--yes", r"\bconfirm=True", "--yes"),
    ("--deployment-id", r'\bdeployment_id="([^"]*)"', r"--deployment-id \1"),
    ("--deployment-id", r"\bdeployment_id=(?:\.\.\.|…)?", "--deployment-id"),
    ("--ca-file", r"\bca_file=(?:\.\.\.|…)?", "--ca-file"),
)
"""The flag needed, how an error names the argument, how the command line does."""

_ADVICE = re.compile(r"\s*(?:Why|Next):")


def as_flags(text: str, command: argparse.ArgumentParser) -> str:
    """Say in flags of a command what a text says in arguments."""
    own = command._option_string_actions  # noqa: SLF001 - argparse has no public list of them
    for flag, pattern, said in FLAGS:
        if flag in own:
            text = re.sub(pattern, said, text)
    return re.sub(r"(--proxy|--deployment-id|--ca-file)(?=\w)", r"\1 ", text)


def advice_as_flags(text: str, command: argparse.ArgumentParser) -> str:
    """The same for a text that holds evidence too: only its lines of advice are reworded."""
    lines = text.split("\n")
    return "\n".join(as_flags(one, command) if _ADVICE.match(one) else one for one in lines)


def unknown_flags(words: Sequence[str], command: argparse.ArgumentParser) -> str:
    """Name what a command does not know, and the flag that was meant, if one is near."""
    own = [flag for flag in command._option_string_actions if flag.startswith("--")]  # noqa: SLF001
    first = next((word for word in words if word.startswith("-")), words[0]).partition("=")[0]
    near = difflib.get_close_matches(first, own, n=1)
    meant = f"; did you mean {near[0]}?" if near else ""
    return f"unrecognized arguments: {' '.join(words)}{meant}"
