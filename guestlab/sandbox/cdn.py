"""The CDN: a deployment's public documents, without any credential.

An object it does not have is 403, not 404, and readable from every origin (level: measured).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from guestlab.sandbox.calls import Reply

if TYPE_CHECKING:
    from guestlab.sandbox.calls import Call

__all__ = ["anything_else", "config", "domains"]

_DENIED = b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code></Error>'


async def config(call: Call) -> Reply:
    """`GET …/{deploymentId}/config.json`."""
    found = call.world.deployments.find(call.part("deployment_id"))
    return Reply(found.config(call.origin)) if found is not None else _unknown()


async def domains(call: Call) -> Reply:
    """`GET …/{deploymentId}/domains.json`."""
    found = call.world.deployments.find(call.part("deployment_id"))
    return Reply(found.domains()) if found is not None else _unknown()


async def anything_else(_: Call) -> Reply:
    """Any other object, such as labels in a language nobody made."""
    return _unknown()


def _unknown() -> Reply:
    return Reply(status=403, raw=_DENIED, media_type="application/xml")
