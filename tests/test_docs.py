"""The README tells the truth: its commands, tables and names are those of the code."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

import guestlab
from guestlab import cli, errors
from guestlab.lab import Lab
from guestlab.log import columns_markdown
from guestlab.scripted import Script

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_table_of_columns_is_the_codes_own() -> None:
    """Copied from `columns_markdown()`, word for word."""
    _, _, rest = README.partition("<!-- the columns -->\n")
    table, _, _ = rest.partition("<!-- end of the columns -->")
    assert table.strip() == columns_markdown().strip()


@pytest.mark.parametrize("name", guestlab.__all__)
def test_every_public_name_is_in_the_readme(name: str) -> None:
    """Nothing public is left for the reader to find out."""
    assert re.search(rf"\b(gl\.)?{name}\b", README)


@pytest.mark.parametrize("name", errors.__all__)
def test_every_error_is_in_the_readme(name: str) -> None:
    """With the place it has in the tree."""
    assert name in README


def test_every_command_is_in_the_readme() -> None:
    """And has a summary in --help."""
    parser = cli.parser()
    commands = next(action for action in parser._actions if isinstance(action.choices, dict)).choices or {}
    assert commands
    for name in commands:
        assert f"`guestlab {name}" in README


def test_the_first_screen_holds_both_commands() -> None:
    """What it is, and the two commands, before anything else."""
    screen = "\n".join(README.splitlines()[:30])
    assert "guestlab tour" in screen
    assert "-m pytest" in screen


def test_the_scripted_conversation_of_the_readme_passes() -> None:
    """As printed, against the sandbox's own bot."""
    (text,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    with Lab() as lab:
        outcome = lab.rehearse(Script.load(text))
    assert outcome.ok, "\n".join(outcome.lines())


def test_ci_runs_exactly_the_readmes_test_command() -> None:
    """`.ci/run` reads it from there."""
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    extraction = re.search(r"test_command=\$\((.*)\)", script)
    assert extraction
    done = subprocess.run(
        ["bash", "-c", extraction[1]], cwd=ROOT, capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout.strip().endswith(".venv/bin/python -m pytest")
    assert done.stdout.strip() in README


@pytest.mark.parametrize("link", re.findall(r"\]\((?!http)([^)#]+)\)", README))
def test_every_link_within_the_project_leads_somewhere(link: str) -> None:
    """No dead ends."""
    assert (ROOT / link).exists()
