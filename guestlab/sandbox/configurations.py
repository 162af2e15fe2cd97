"""Messenger configurations, as the administration's REST calls show them: one for every deployment.

A configuration bears its deployment's id and holds what the public `config.json` shows of the messenger.
Read only. Shapes: the Platform API's OpenAPI document (level: official).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guestlab.sandbox.refusals import Refusal

if TYPE_CHECKING:
    from guestlab.sandbox.calls import Call
    from guestlab.sandbox.deployments import Deployment

__all__ = ["configuration", "configurations", "versions"]

_PATH = "/api/v2/webdeployments/configurations"
_FILE_TYPES = ("image/jpeg", "image/gif", "image/png")
"""What the administration's model lists; a public `config.json` may hold more, such as any type at all."""


async def configurations(call: Call) -> dict[str, Any]:
    """`GET /api/v2/webdeployments/configurations`: a cursor listing."""
    held = [_document(call, deployment, "draft") for deployment in call.world.deployments]
    return {"entities": held, "total": len(held), "selfUri": _PATH}


async def versions(call: Call) -> dict[str, Any]:
    """`GET …/configurations/{id}/versions`: the published one."""
    found = _find(call)
    held = [_document(call, found, found.version)]
    return {"entities": held, "total": 1, "selfUri": f"{_PATH}/{found.id}/versions"}


async def configuration(call: Call) -> dict[str, Any]:
    """`GET …/configurations/{id}/versions/{versionId}`: "draft", or the published number."""
    found = _find(call)
    version = call.part("version_id")
    if version not in {"draft", found.version}:
        raise Refusal("not.found")
    return _document(call, found, version)


def _find(call: Call) -> Deployment:
    found = call.world.deployments.find(call.part("configuration_id"))
    if found is None:
        raise Refusal("not.found")
    return found


def _document(call: Call, deployment: Deployment, version: str) -> dict[str, Any]:
    shown = deployment.config(call.origin)
    messenger = shown["messenger"]
    conversations = dict(messenger["apps"]["conversations"])
    conversations.pop("messagingEndpoint", None)
    document = {
        "id": deployment.id,
        "name": f"{deployment.name} configuration",
        "version": version,
        "headlessMode": shown["headlessMode"],
        "languages": shown["languages"],
        "defaultLanguage": shown["defaultLanguage"],
        "messenger": {
            **messenger,
            "apps": {**messenger["apps"], "conversations": conversations},
            "fileUpload": {
                **messenger["fileUpload"],
                "modes": [_mode(mode) for mode in messenger["fileUpload"]["modes"]],
            },
        },
        "status": "Active",
        "selfUri": f"{_PATH}/{deployment.id}/versions/{version}",
    }
    if deployment.auth:
        document["authenticationSettings"] = {
            "enabled": True,
            "integrationId": call.world.named_id("openid integration"),
            "allowSessionUpgrade": deployment.session_upgrade,
        }
    return document


def _mode(mode: dict[str, Any]) -> dict[str, Any]:
    allowed = [kind for kind in _FILE_TYPES if {kind, "*/*", "image/*"} & set(mode["fileTypes"])]
    return {**mode, "fileTypes": allowed}
