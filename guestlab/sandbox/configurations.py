"""Messenger configurations, as the administration's REST calls know them.

A deployment that was there from the start, or was added by hand, has one of its own, which bears its id and
shows its switches; further ones are made by REST, as a draft that is published into numbered versions. A
version that a deployment is put on becomes its switches. Shapes: the Platform API's OpenAPI document (level:
official); that publishing takes a second is inferred.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from guestlab.sandbox.calls import Reply
from guestlab.sandbox.clock import iso
from guestlab.sandbox.refusals import Refusal

if TYPE_CHECKING:
    from guestlab.sandbox.calls import Call
    from guestlab.sandbox.deployments import Deployment

__all__ = [
    "Configuration",
    "configuration",
    "configurations",
    "create_configuration",
    "delete_configuration",
    "draft",
    "find_configuration",
    "publish_draft",
    "switches_of",
    "update_draft",
    "versions",
]

_PATH = "/api/v2/webdeployments/configurations"
_FILE_TYPES = ("image/jpeg", "image/gif", "image/png")
"""What the administration's model lists; a public `config.json` may hold more, such as any type at all."""
_WRITABLE = (
    *("name", "description", "headlessMode", "languages", "defaultLanguage", "customI18nLabels", "messenger"),
    *("position", "supportCenter", "cobrowse", "journeyEvents", "authenticationSettings", "video"),
)
SECONDS_TO_PUBLISH = 1.0


@dataclass(slots=True)
class Configuration:
    """One configuration: its draft, and what was published of it."""

    id: str
    draft: dict[str, Any]
    versions: dict[str, dict[str, Any]] = field(default_factory=dict)

    def document(self, version: str) -> dict[str, Any]:
        """A version, or the draft, as REST shows it."""
        fields = self.draft if version == "draft" else self.versions[version]
        own = {"id": self.id, "version": version, "selfUri": f"{_PATH}/{self.id}/versions/{version}"}
        return {"status": "Active", **fields, **own}


async def configurations(call: Call) -> dict[str, Any]:
    """`GET /api/v2/webdeployments/configurations`: all, or those with `showOnlyPublished`."""
    known = {found.id: found for found in map(partial(_derived, call), call.world.deployments)}
    known |= call.world.configurations
    published = call.query.get("showOnlyPublished", "").lower() == "true"
    shown = [
        found.document(next(reversed(found.versions)) if published else "draft")
        for found in known.values()
        if found.versions or not published
    ]
    return {"entities": shown, "total": len(shown), "selfUri": _PATH}


async def versions(call: Call) -> dict[str, Any]:
    """`GET …/configurations/{id}/versions`: the published ones, newest first."""
    found = _find(call)
    shown = [found.document(version) for version in reversed(found.versions)]
    return {"entities": shown, "total": len(shown), "selfUri": f"{_PATH}/{found.id}/versions"}


async def draft(call: Call) -> dict[str, Any]:
    """`GET …/configurations/{id}/versions/draft`."""
    return _find(call).document("draft")


async def configuration(call: Call) -> dict[str, Any]:
    """`GET …/configurations/{id}/versions/{versionId}`: a published number."""
    found, version = _find(call), call.part("version_id")
    if version not in found.versions:
        raise Refusal("not.found")
    return found.document(version)


async def create_configuration(call: Call) -> Reply:
    """`POST /api/v2/webdeployments/configurations`: a draft."""
    fields = _fields(await call.object())
    made = Configuration(call.world.new_id(), {**fields, "dateCreated": iso(call.world.now())})
    call.world.configurations[made.id] = made
    return Reply(made.document("draft"), 201)


async def update_draft(call: Call) -> dict[str, Any]:
    """`PUT …/configurations/{id}/versions/draft`."""
    found = _find(call)
    found.draft = {**_fields(await call.object()), "dateModified": iso(call.world.now())}
    call.world.configurations[found.id] = found
    return found.document("draft")


async def publish_draft(call: Call) -> dict[str, Any]:
    """`POST …/configurations/{id}/versions/draft/publish`: pending at first, active soon."""
    found = _find(call)
    version = str(max((int(number) for number in found.versions if number.isdigit()), default=0) + 1)
    fields = {**found.draft, "status": "Pending", "datePublished": iso(call.world.now())}
    found.versions[version] = fields
    call.world.configurations[found.id] = found

    def activate() -> None:
        fields["status"] = "Active"
        tell()

    def tell() -> None:
        body = {"id": found.id, "version": version, "status": fields["status"]}
        call.messaging.channels.tell(f"v2.webdeployments.configurations.{found.id}", body)

    tell()
    call.world.clock.call_later(SECONDS_TO_PUBLISH, activate)
    return found.document(version)


async def delete_configuration(call: Call) -> None:
    """`DELETE …/configurations/{id}`: unless a deployment has it."""
    found = _find(call)
    if any(found.id == deployment.configuration_id for deployment in call.world.deployments):
        raise Refusal("resource.conflict")
    call.world.configurations.pop(found.id, None)


def find_configuration(call: Call, configuration_id: str) -> Configuration | None:
    """One made by REST, or one that a deployment has of its own."""
    held = call.world.configurations.get(configuration_id.lower())
    if held is not None:
        return held
    deployment = call.world.deployments.find(configuration_id)
    own = deployment is not None and deployment.configuration_id == deployment.id
    return _derived(call, deployment) if deployment is not None and own else None


def switches_of(document: dict[str, Any]) -> dict[str, Any]:
    """The attributes of a deployment that a configuration sets; what it leaves out stays as it is."""
    messenger = _part(document, "messenger")
    talk = _part(_part(messenger, "apps"), "conversations")
    files, authentication = _part(messenger, "fileUpload"), _part(document, "authenticationSettings")
    disconnect = _part(talk, "conversationDisconnect")
    found = {
        "messenger": messenger.get("enabled"),
        "headless": _part(document, "headlessMode").get("enabled"),
        "auto_start": _part(talk, "autoStart").get("enabled"),
        "markdown": _part(talk, "markdown").get("enabled"),
        "clear": _part(talk, "conversationClear").get("enabled"),
        "push": _part(talk, "notifications").get("enabled"),
        "agent_typing": talk.get("showAgentTypingIndicator"),
        "user_typing": talk.get("showUserTypingIndicator"),
        "attachments": files.get("enableAttachments"),
        "auth": authentication.get("enabled"),
        "session_upgrade": authentication.get("allowSessionUpgrade"),
    }
    switches: dict[str, Any] = {name: value for name, value in found.items() if isinstance(value, bool)}
    if isinstance(disconnect.get("enabled"), bool):
        kind = "ReadOnly" if disconnect.get("type") == "ReadOnly" else "Send"
        switches["disconnect"] = kind if disconnect["enabled"] else None
    seconds = talk.get("sessionDurationSeconds")
    if isinstance(seconds, int) and not isinstance(seconds, bool) and seconds > 0:
        switches["session_seconds"] = seconds
    languages = document.get("languages")
    if isinstance(languages, list) and languages:
        switches["languages"] = tuple(map(str, languages))
    return switches


def _part(document: dict[str, Any], name: str) -> dict[str, Any]:
    value = document.get(name)
    return value if isinstance(value, dict) else {}


def _fields(body: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(body.get("name"), str) or not body["name"].strip():
        raise Refusal("missing.required.field.value", field="name")
    return {name: body[name] for name in _WRITABLE if name in body}


def _find(call: Call) -> Configuration:
    found = find_configuration(call, call.part("configuration_id"))
    if found is None:
        raise Refusal("not.found")
    return found


def _derived(call: Call, deployment: Deployment) -> Configuration:
    """A deployment's own configuration, from its switches."""
    shown = deployment.config(call.origin)
    messenger = shown["messenger"]
    conversations = dict(messenger["apps"]["conversations"])
    conversations.pop("messagingEndpoint", None)
    fields = {
        "name": f"{deployment.name} configuration",
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
    }
    if deployment.auth:
        fields["authenticationSettings"] = {
            "enabled": True,
            "integrationId": call.world.named_id("openid integration"),
            "allowSessionUpgrade": deployment.session_upgrade,
        }
    return Configuration(deployment.configuration_id, fields, {deployment.version: fields})


def _mode(mode: dict[str, Any]) -> dict[str, Any]:
    allowed = [kind for kind in _FILE_TYPES if {kind, "*/*", "image/*"} & set(mode["fileTypes"])]
    return {**mode, "fileTypes": allowed}
