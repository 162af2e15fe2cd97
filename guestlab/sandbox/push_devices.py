"""Push devices of a deployment: registered, updated and removed by REST, without any credential.

The sandbox keeps them and pushes nothing. Codes as the mobile SDK knows them (level: official).
"""

from __future__ import annotations

from guestlab.sandbox.calls import Call, Reply
from guestlab.sandbox.refusals import Refusal

__all__ = ["register", "remove", "update"]

_REQUIRED = ("deviceToken", "notificationProvider", "language", "deviceType")


async def register(call: Call) -> Reply:
    """`POST /api/v2/webmessaging/deployments/{deploymentId}/pushdevices/{token}`."""
    key = _key(call)
    body = await call.object()
    missing = [name for name in _REQUIRED if not isinstance(body.get(name), str) or not body[name]]
    if missing:
        raise Refusal("required.fields.missing", fields=", ".join(missing))
    if key in call.world.push_devices:
        raise Refusal("device.already.registered")
    call.world.push_devices[key] = {name: body[name] for name in _REQUIRED}
    return Reply(status=204)


async def update(call: Call) -> Reply:
    """`PATCH` of the same."""
    found = call.world.push_devices.get(_key(call))
    if found is None:
        raise Refusal("device.not.found")
    body = await call.object()
    found.update({name: str(body[name]) for name in ("deviceToken", "language") if body.get(name)})
    return Reply(status=204)


async def remove(call: Call) -> Reply:
    """`DELETE` of the same."""
    if call.world.push_devices.pop(_key(call), None) is None:
        raise Refusal("device.not.found")
    return Reply(status=204)


def _key(call: Call) -> tuple[str, str]:
    deployment = call.world.deployments.find(call.part("deployment_id"))
    if deployment is None:
        raise Refusal("deployment.not.found")
    if not deployment.push:
        raise Refusal("feature.toggle.disabled")
    token = call.part("token_id")
    # Clients send the guest token in lower case here; one with capitals is another token (official SDK).
    return deployment.id, token
