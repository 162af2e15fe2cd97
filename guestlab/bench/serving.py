"""A server in a process of its own: started, heard once, and ended with whoever started it."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["serving"]


@contextlib.contextmanager
def serving(module: str, *arguments: str) -> Iterator[str]:
    """Run a module of ours that says where it listens and serves until its input ends; yield what it said."""
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(  # noqa: S603 - ourselves
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.stdin.close()  # what it waits for
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
