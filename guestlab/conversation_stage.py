"""The lab's conversation over REST: the one that can be had, and the one the forum's question asked for.

Stage two of `Lab` is a face over this. Neither is the conversation a guest socket opens: that one begins with
the guest's first message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from guestlab.customer import record_said
from guestlab.errors import InputError, PlatformError

if TYPE_CHECKING:
    from guestlab.log import Log
    from guestlab.platform_api import Conversation, PlatformApi

__all__ = ["converse", "converse_as_asked"]


async def converse(
    api: PlatformApi, text: str, log: Log, *, webhook_url: str, may_create: bool
) -> Conversation:
    """Create a conversation by an inbound Open Messaging message, and read it back.

    Args:
        api: The Platform API.
        text: What the customer says.
        log: Where it is recorded.
        webhook_url: Where an integration made for it would send the agent's words.
        may_create: Whether an integration may be made where there is none.

    Raises:
        InputError: There is no integration and none may be made.
        PlatformError: The platform refused.
    """
    integration_id = await api.open_integration()
    if integration_id is None and not may_create:
        raise InputError(
            "There is no Open Messaging integration, so no conversation can be created over REST.",
            why="Server-side conversations come in by an Open Messaging integration.",
            next_step="Pass create_integration=True to create one, or make it in Admin > Platforms.",
        )
    if integration_id is None:
        integration_id = await api.create_open_integration("guestlab", webhook_url)
    guest = f"guestlab-{uuid4().hex[:8]}"
    return await api.start_conversation(
        integration_id, text, guest=guest, accepted=lambda message: record_said(log, guest, message)
    )


async def converse_as_asked(api: PlatformApi, api_url: str) -> PlatformError:
    """Post to the path of the forum's question, which does not exist; return the refusal.

    Raises:
        InputError: It was accepted.
    """
    try:
        await api.request("POST", "/api/v2/conversations/messaging", json={})
    except PlatformError as refusal:
        return refusal
    raise InputError(
        "POST /api/v2/conversations/messaging was accepted.",
        why="The Platform API has no such operation, so this server is not it.",
        next_step=f"Check what answers at {api_url}.",
    )
