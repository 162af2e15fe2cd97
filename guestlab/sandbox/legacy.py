"""The legacy web chat guest API, which is retired: it answers that it is gone.

Genesys ended ACD web chat v2 in November 2025; the paths left the platform's API in August 2026 (official
SDKs). What they answer since is not documented: here 404 with the platform's envelope, whose message says
what to use instead (level: inferred).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from guestlab.sandbox.refusals import Refusal

if TYPE_CHECKING:
    from guestlab.sandbox.calls import Call, Reply

__all__ = ["retired"]


async def retired(call: Call) -> Reply:
    """Any method on `/api/v2/webchat/guest/…`."""
    await call.body()
    call.detail = "legacy web chat, retired"
    raise Refusal("web.chat.retired")
