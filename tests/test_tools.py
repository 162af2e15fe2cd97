"""The quiet tools: ruff and strict mypy have nothing to say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    "command",
    [
        ("ruff", "check", "."),
        ("ruff", "format", "--check", "."),
        pytest.param(("mypy",), marks=pytest.mark.timeout(600)),
        pytest.param(("mypy", "--strict", "tests/typing/api.py"), marks=pytest.mark.timeout(600)),
    ],
    ids=" ".join,
)
def test_the_tool_has_nothing_to_say(command: tuple[str, ...]) -> None:
    """As a developer would run it."""
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
