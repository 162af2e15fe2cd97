"""The administration of messenger deployments by REST: list, read, create, change, delete.

A new or changed deployment is pending for a moment and refuses guests until it is active (level: official for
the states, inferred for the second it takes). Bodies and codes: the Platform API's OpenAPI document (level:
official).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from guestlab.sandbox.calls import Reply
from guestlab.sandbox.configurations import SECONDS_TO_PUBLISH, Configuration, find_configuration, switches_of
from guestlab.sandbox.refusals import Refusal

if TYPE_CHECKING:
    from guestlab.sandbox.calls import Call
    from guestlab.sandbox.deployments import Deployment

__all__ = [
    "active_configuration",
    "create_deployment",
    "delete_deployment",
    "deployment",
    "deployments",
    "update_deployment",
]


async def deployments(call: Call) -> dict[str, Any]:
    """`GET /api/v2/webdeployments/deployments`: a cursor listing."""
    entities = [deployment.document() for deployment in call.world.deployments]
    return {
        "entities": entities,
        "total": len(entities),
        "selfUri": "/api/v2/webdeployments/deployments",
    }


async def deployment(call: Call) -> dict[str, Any]:
    """`GET /api/v2/webdeployments/deployments/{id}`."""
    return _find(call).document()


async def active_configuration(call: Call) -> dict[str, Any]:
    """`GET …/deployments/{id}/configurations`: the version it is on."""
    found = _find(call)
    held = find_configuration(call, found.configuration_id)
    if held is None or found.version not in held.versions:
        raise Refusal("not.found")
    return {"configurationVersion": held.document(found.version), "deployment": found.document()}


async def create_deployment(call: Call) -> Reply:
    """`POST /api/v2/webdeployments/deployments`."""
    body = await call.object()
    held, version = _wanted(call, body)
    made = call.world.deployments.add(name=body["name"], label=call.world.new_id())
    _change(call, made, body, held, version)
    return Reply(made.document(), 201)


async def update_deployment(call: Call) -> dict[str, Any]:
    """`PUT …/deployments/{id}`."""
    found = _find(call)
    body = await call.object()
    _change(call, found, body, *_wanted(call, body))
    return found.document()


async def delete_deployment(call: Call) -> None:
    """`DELETE …/deployments/{id}`: no guest gets in any more."""
    found = _find(call)
    call.world.deployments.remove(found.id)
    found.status = "Deleting"
    _tell(call, found)


def _find(call: Call) -> Deployment:
    found = call.world.deployments.find(call.part("deployment_id"))
    if found is None:
        raise Refusal("not.found")
    return found


def _wanted(call: Call, body: dict[str, Any]) -> tuple[Configuration, str]:
    """The configuration's version a body names, and what else it must have."""
    if not isinstance(body.get("name"), str) or not body["name"].strip():
        raise Refusal("missing.required.field.value", field="name")
    reference = body.get("configuration")
    if not isinstance(reference, dict) or not reference.get("id") or not reference.get("version"):
        raise Refusal("missing.required.field.value", field="configuration")
    held = find_configuration(call, str(reference["id"]))
    version = str(reference["version"])
    if held is None or version not in held.versions:
        raise Refusal("not.found")
    return held, version


def _change(call: Call, target: Deployment, body: dict[str, Any], held: Configuration, version: str) -> None:
    if held.id != target.configuration_id or version != target.version:
        for name, value in switches_of(held.versions[version]).items():
            setattr(target, name, value)
    target.name, target.configuration_id, target.version = body["name"], held.id, version
    if isinstance(body.get("allowAllDomains"), bool):
        target.allow_all_domains = body["allowAllDomains"]
    domains = body.get("allowedDomains")
    if isinstance(domains, list):
        target.allowed_domains = tuple(map(str, domains))
    wish = "Inactive" if body.get("status") == "Inactive" else "Active"
    target.status = "Pending"
    _tell(call, target)
    call.world.clock.call_later(SECONDS_TO_PUBLISH, partial(_settle, call, target, wish))


def _settle(call: Call, target: Deployment, status: str) -> None:
    if target.status == "Pending":
        target.status = status
        _tell(call, target)


def _tell(call: Call, target: Deployment) -> None:
    configuration = {"id": target.configuration_id, "version": target.version, "status": "Active"}
    body = {"id": target.id, "configuration": configuration, "status": target.status}
    call.messaging.channels.tell(f"v2.webdeployments.deployments.{target.id}", body)
