"""The playbook and the official samples, for every test of the protocol core."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).parent.parent

if "playbook" not in sys.modules:  # tests are no package, and no path is bent for one module
    spec = importlib.util.spec_from_file_location("playbook", TESTS / "playbook.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["playbook"] = module
    spec.loader.exec_module(module)


def samples(name: str) -> list[Any]:
    """The official samples of one kind, as test parameters."""
    lines = (TESTS / "data" / "frames" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return [
        pytest.param(row["payload"], id=f"{number}-{row['name'][:40]}") for number, row in enumerate(rows)
    ]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give `server_sample`, `client_sample` and `unknown_sample` their values."""
    for kind in ("server", "client", "unknown"):
        if f"{kind}_sample" in metafunc.fixturenames:
            metafunc.parametrize(f"{kind}_sample", samples(kind))
