"""The facts by name, as a type checker knows them."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from guestlab.handshake.evidence import Evidence
from guestlab.handshake.facts import Facts

ROOT = Path(__file__).parents[2]


def test_the_facts_are_those_of_the_evidence_in_its_order() -> None:
    """One list, for programs and for the type checker."""
    assert list(Facts.__annotations__) == [field.name for field in fields(Evidence)]


@pytest.mark.timeout(600)
def test_a_misspelt_fact_is_found_before_anything_runs(tmp_path: Path) -> None:
    """By mypy, in the program of somebody who uses guestlab; what is right is let through."""
    program = tmp_path / "program.py"
    right = 'gl.diagnose(url="wss://x", http_status=401, headers={"Origin": "y"}, subprotocols=["a"])'
    program.write_text(f'import guestlab as gl\n{right}\ngl.diagnose(urll="wss://x")\n', encoding="utf-8")
    command = (sys.executable, "-m", "mypy", str(program))
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    assert told.count(" error: ") == 1, told
    assert 'program.py:3: error: Unexpected keyword argument "urll"' in told
