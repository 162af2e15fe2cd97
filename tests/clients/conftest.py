"""Programs nobody here wrote, driven against the sandbox.

A tool that is absent is reported as not run; under GUESTLAB_REQUIRE_ALL=1 its absence fails.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator

import pytest

from guestlab.sandbox import Sandbox


def tool(name: str) -> str:
    """The path of a program, or a skip that says why."""
    path = shutil.which(name)
    if path is None:
        absent(name)
    assert path is not None
    return path


def absent(name: str) -> None:
    """Report something as not run."""
    if os.environ.get("GUESTLAB_REQUIRE_ALL") == "1":
        pytest.fail(f"{name} is not installed, and GUESTLAB_REQUIRE_ALL=1 demands it")
    pytest.skip(f"not run: {name} is not installed")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A fresh sandbox, plaintext and TLS."""
    with Sandbox(tls=True) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def require_tool() -> Callable[[str], str]:
    """`tool`, for modules that cannot import it."""
    return tool
