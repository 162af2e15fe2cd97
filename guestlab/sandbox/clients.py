"""OAuth clients and users: who may ask, and what their roles allow.

`sandbox.clients.add(permissions=[…])` makes a client whose role holds only these; `sandbox.users.add(…)`
likewise. The client and the user that are there from the start may do everything.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from guestlab.errors import SandboxError
from guestlab.sandbox.operations import checked_permissions, holds

__all__ = ["Clients", "OAuthClient", "User", "Users"]

GRANTS = ("CLIENT-CREDENTIALS", "CODE")
"""The kinds of clients the sandbox's login serves, as the platform spells them."""


@dataclass(slots=True)
class OAuthClient:
    """A client of the login service."""

    id: str
    secret: str = field(repr=False)
    name: str
    grant: str = "CLIENT-CREDENTIALS"
    """As the platform spells it: CLIENT-CREDENTIALS or CODE."""
    validity: int = 86_399
    """Seconds an access token lives, as traces show it."""
    state: str = "active"
    redirect_uris: tuple[str, ...] = ()
    permissions: frozenset[str] | None = field(default=None, repr=False)
    """What the client's role holds; None is everything. Counts for client credentials only."""
    scopes: frozenset[str] | None = field(default=None, repr=False)
    """What a user's token of this application may be used for; None is everything."""
    role_id: str = ""

    def may(self, permission: str) -> bool:
        """Whether the client's own role holds a permission."""
        return holds(self.permissions, permission)


@dataclass(slots=True)
class User:
    """Somebody of the organisation."""

    id: str
    name: str
    permissions: frozenset[str] | None = field(default=None, repr=False)
    """What the user's roles hold; None is everything."""

    @property
    def email(self) -> str:
        """Made from the name."""
        return f"{self.name.split(' ')[0].lower()}@guestlab.example"

    def may(self, permission: str) -> bool:
        """Whether the user's roles hold a permission."""
        return holds(self.permissions, permission)


class Clients(Sequence[OAuthClient]):
    """The organisation's OAuth clients, in the order they were added."""

    def __init__(self, named_id: Callable[[str], str], named_secret: Callable[[str], str]) -> None:
        self._named_id = named_id
        self._named_secret = named_secret
        self._by_id: dict[str, OAuthClient] = {}

    def __repr__(self) -> str:
        return f"Clients({', '.join(client.name for client in self)})"

    def add(
        self,
        *,
        permissions: Collection[str] | None = None,
        name: str = "client",
        grant: str = "CLIENT-CREDENTIALS",
        scopes: Collection[str] | None = None,
        validity: int = 86_399,
        label: str | None = None,
    ) -> OAuthClient:
        """Add a client; its `id` and `secret` are made from the sandbox's seed.

        Args:
            permissions: What its role holds, such as `["conversation:message:view"]`; None is everything.
            name: What it is called.
            grant: CLIENT-CREDENTIALS or CODE.
            scopes: What users' tokens of it may be used for (CODE only); None is everything.
            validity: Seconds an access token lives.
            label: What id and secret are derived from; by default its number.

        Raises:
            SandboxError: The grant is unknown, or a permission is not three words.
        """
        if grant not in GRANTS:
            raise SandboxError(
                f"The sandbox's login has no clients of kind {grant!r}.",
                why=f"It serves {' and '.join(GRANTS)}.",
                next_step="Take one of these.",
            )
        label = label or f"client {len(self._by_id)}"
        client = OAuthClient(
            id=self._named_id(label),
            secret=self._named_secret(f"{label} secret"),
            name=name,
            grant=grant,
            validity=validity,
            permissions=checked_permissions(permissions),
            scopes=frozenset(scopes) if scopes is not None else None,
            role_id=self._named_id("role" if permissions is None else f"{label} role"),
        )
        self._by_id = {**self._by_id, client.id: client}  # readers in other threads keep theirs
        return client

    def get(self, client_id: str) -> OAuthClient | None:
        """The client of this id."""
        return self._by_id.get(client_id)

    def __getitem__(self, key: Any) -> Any:
        return self._by_id[key] if isinstance(key, str) else list(self._by_id.values())[key]

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[OAuthClient]:
        return iter(list(self._by_id.values()))


class Users(Sequence[User]):
    """The organisation's users, in the order they were added; the first is the agent."""

    def __init__(self, named_id: Callable[[str], str]) -> None:
        self._named_id = named_id
        self._by_id: dict[str, User] = {}

    def __repr__(self) -> str:
        return f"Users({', '.join(user.name for user in self)})"

    def add(self, name: str, *, permissions: Collection[str] | None = None, label: str | None = None) -> User:
        """Add a user, who can then log in on the login page.

        Args:
            name: The name shown.
            permissions: What the user's roles hold; None is everything.
            label: What the id is derived from; by default the number.

        Raises:
            SandboxError: A permission is not three words.
        """
        user = User(
            id=self._named_id(label or f"user {len(self._by_id)}"),
            name=name,
            permissions=checked_permissions(permissions),
        )
        self._by_id = {**self._by_id, user.id: user}
        return user

    def get(self, user_id: str) -> User | None:
        """The user of this id."""
        return self._by_id.get(user_id)

    def __getitem__(self, key: Any) -> Any:
        return self._by_id[key] if isinstance(key, str) else list(self._by_id.values())[key]

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[User]:
        return iter(list(self._by_id.values()))
