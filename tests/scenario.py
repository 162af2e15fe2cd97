"""Runs an async scenario in a test, bounded in time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Coroutine

__all__ = ["run"]


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a scenario; none may take longer than a minute."""

    async def bounded() -> None:
        async with asyncio.timeout(60):
            await coroutine

    asyncio.run(bounded())
