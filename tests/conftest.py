"""Guards for every test: loopback only, a clean environment, and a lab on a sandbox of its own."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from guestlab.regions import is_loopback_host

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guestlab.lab import Lab

_connect = socket.socket.connect


def _loopback_only(self: socket.socket, address: object) -> None:
    if isinstance(address, tuple) and not is_loopback_host(str(address[0])):
        raise AssertionError(f"a test tried to reach {address}")
    return _connect(self, address)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def guarded(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test leaves this machine, and none sees the developer's own settings or proxies."""
    monkeypatch.setattr(socket.socket, "connect", _loopback_only)
    for name in os.environ:
        if name.lower().endswith("_proxy") or (
            name.startswith("GUESTLAB_") and name != "GUESTLAB_REQUIRE_ALL"
        ):
            monkeypatch.delenv(name)


@pytest.fixture
def lab() -> Iterator[Lab]:
    """A lab on a fresh embedded sandbox."""
    from guestlab.lab import Lab

    with Lab() as lab:
        yield lab
