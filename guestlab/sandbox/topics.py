"""Notification topics: which there are, what a name stands for, and who may subscribe.

Rows of `topics.txt`. Several topics of one prefix may be joined in one name,
`v2.users.{id}?presence&conversations`, which counts as one. Topics of the channel and the system come
uninvited; asking for one is an error. What a token may have is decided by its role, as REST calls are.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from guestlab.sandbox.refusals import Refusal

if TYPE_CHECKING:
    from guestlab.sandbox.world import AccessToken, World

__all__ = ["NAME_LENGTH", "Topic", "available", "expanded", "permit", "topics"]

NAME_LENGTH = 200
"""Characters of a topic's name (documented)."""

_UUID = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"


class Topic(NamedTuple):
    """One kind of topic."""

    name: str
    who: str
    """permission, user-or-permission or user."""
    permissions: tuple[str, ...]
    told: bool
    """Whether the sandbox publishes it."""
    description: str


@cache
def topics() -> tuple[Topic, ...]:
    """Every topic the sandbox knows."""
    rows = []
    for line in Path(__file__).with_name("topics.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, who, permissions, told, description = line.split(" | ")
            needed = () if permissions == "-" else tuple(permissions.split(","))
            rows.append(Topic(name, who, needed, told == "yes", description))
    return tuple(rows)


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], Topic], ...]:
    return tuple(
        (re.compile(re.escape(topic.name).replace(re.escape("{id}"), f"({_UUID})")), topic)
        for topic in topics()
    )


def expanded(name: str) -> tuple[str, ...]:
    """The single topics a name stands for, with its ids in lower case."""
    prefix, mark, rest = name.partition("?")
    names = [f"{prefix}.{part}" for part in rest.split("&")] if mark else [name]
    return tuple(re.sub(_UUID, lambda found: found[0].lower(), one) for one in names)


def permit(world: World, token: AccessToken, name: str, *, replacing: bool) -> tuple[str, ...]:
    """The single topics of a name, if this token may have them all.

    Args:
        world: The organisation.
        token: Who asks.
        name: As it was asked for.
        replacing: Whether the whole list is being replaced; that operation has a code of its own.

    Raises:
        Refusal: The name is no topic, or the token may not have it.
    """
    if len(name) > NAME_LENGTH:
        raise Refusal("notification.invalid.topic")
    if name == "channel.metadata" or name.startswith("v2.system"):
        raise Refusal("notification.forbidden.topic" if replacing else "notification.invalid.topic")
    names = expanded(name)
    for one in names:
        topic, ids = _found(one)
        own = bool(ids) and ids[0] == token.user_id
        if topic.who != "permission" and own:
            continue
        if not any(world.may(token, permission) for permission in topic.permissions):
            raise Refusal("notification.unauthorized.topic", permissions=", ".join(topic.permissions))
    return names


def _found(name: str) -> tuple[Topic, tuple[str, ...]]:
    for pattern, topic in _patterns():
        match = pattern.fullmatch(name)
        if match is not None:
            return topic, match.groups()
    raise Refusal("notification.invalid.topic")


def available(topic: Topic, expand: set[str]) -> dict[str, Any]:
    """The topic as `availabletopics` lists it; details only where asked for."""
    kinds = {"user": "requiresCurrentUser", "permission": "requiresPermissions"}
    own = topic.who != "permission"
    details = {
        "type": kinds.get(topic.who, "requiresPermissions"),
        "permissions": list(topic.permissions),
        "allowsCurrentUser": own,
        "enforced": True,
    }
    document: dict[str, Any] = {
        "id": topic.name,
        "requiresCurrentUser": topic.who == "user",
        "requiresCurrentUserOrPermission": topic.who == "user-or-permission",
        "requiresDivisionPermissions": False,
        "requiresAnyValidator": False,
    }
    on_request: dict[str, Any] = {
        "description": topic.description,
        "enforced": True,
        "visibility": "Public",
        "transports": ["All"],
        "requiresPermissions": list(topic.permissions),
        "permissionDetails": [details],
        "topicParameters": [f"id{number or ''}" for number in range(topic.name.count("{id}"))],
    }
    return document | {name: value for name, value in on_request.items() if name in expand}
