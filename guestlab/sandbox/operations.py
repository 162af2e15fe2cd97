"""What each operation of the Platform API asks of the caller: permissions and scopes.

Rows of `operations.txt`, from the API's OpenAPI document (level: official). Permissions are a role's and
count for clients and users alike; scopes are an application's and count for users' tokens only. A
permission is three words, `domain:entity:action`; a role may hold `*` in place of any.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import NamedTuple

from guestlab.errors import SandboxError

__all__ = ["Operation", "checked_permissions", "find_operation", "holds", "operations"]

_PART = re.compile(r"\{[^}]*\}")
_PERMISSION = re.compile(r"[A-Za-z*]+(:[A-Za-z*]+){2}")


class Operation(NamedTuple):
    """One published operation."""

    method: str
    path: str
    every: bool
    """Whether all permissions are wanted, or any one."""
    permissions: tuple[str, ...]
    scopes: tuple[str, ...]


@cache
def operations() -> dict[tuple[str, str], Operation]:
    """All known operations, by method and path with the parts' names left out."""
    known = {}
    for line in Path(__file__).with_name("operations.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            what, quantity, permissions, scopes = line.split(" | ")
            method, path = what.split(" ")
            known[method, _nameless(path)] = Operation(
                method, path, quantity != "ANY", _words(permissions), _words(scopes)
            )
    return known


def find_operation(method: str, path: str) -> Operation | None:
    """The operation a route serves; None if the document has none, or asks nothing of the caller."""
    return operations().get((method, _nameless(path)))


def holds(role: Collection[str] | None, permission: str) -> bool:
    """Whether a role (None: everything) holds a permission.

    >>> holds({"conversation:message:*"}, "conversation:message:create")
    True
    >>> holds({"conversation:message:view"}, "conversation:message:create")
    False
    """
    if role is None or permission in role:
        return True
    wanted = permission.split(":")
    return any(
        all(have in {"*", want} for have, want in zip(entry.split(":"), wanted, strict=True))
        for entry in role
        if "*" in entry
    )


def checked_permissions(permissions: Collection[str] | None) -> frozenset[str] | None:
    """The permissions of a new role.

    Raises:
        SandboxError: One is not three words.
    """
    if permissions is None:
        return None
    if isinstance(permissions, str):
        permissions = (permissions,)
    for one in permissions:
        if not _PERMISSION.fullmatch(one):
            raise SandboxError(
                f"{one!r} is not a permission.",
                why="A permission is three words with colons, domain:entity:action.",
                next_step="Write it like conversation:message:view or messaging:integration:*.",
            )
    return frozenset(permissions)


def _words(text: str) -> tuple[str, ...]:
    return () if text == "-" else tuple(text.split(","))


def _nameless(path: str) -> str:
    return _PART.sub("{}", path)
