"""The examples in the docstrings run."""

from __future__ import annotations

import doctest
import importlib

import pytest


@pytest.mark.parametrize("module", ["entry", "recorder", "redaction"])
def test_the_examples_of_a_module_run(module: str) -> None:
    """And print what they say."""
    results = doctest.testmod(importlib.import_module(f"guestlab.log.{module}"))
    assert results.attempted > 0
    assert results.failed == 0
