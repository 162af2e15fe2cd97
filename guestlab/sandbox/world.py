"""All state of the sandbox: one organisation of Genesys Cloud, made from a seed.

Same seed, same ids and secrets. The services of the other rooms read and change this; nothing here knows
HTTP or WebSocket. Touched only on the server's loop, or before the server runs.
"""

from __future__ import annotations

import hashlib
import random
import secrets
import string
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from guestlab.limits import PUBLISHED, Limits
from guestlab.sandbox.backend_log import BackendLog, Record
from guestlab.sandbox.clients import Clients, OAuthClient, Users
from guestlab.sandbox.clock import Clock
from guestlab.sandbox.conversations import Conversations, MessageData
from guestlab.sandbox.deployments import Deployment, Deployments
from guestlab.sandbox.windows import Window

if TYPE_CHECKING:
    from collections.abc import Callable

    from guestlab.sandbox.configurations import Configuration

__all__ = ["AccessToken", "Integration", "World", "call_here"]

_ALPHABET = string.ascii_letters + string.digits + "-_"


def call_here(function: Callable[[], Any]) -> Any:
    """Call a function right here."""
    return function()


@dataclass(slots=True)
class AccessToken:
    """An opaque bearer token."""

    value: str = field(repr=False)
    client_id: str
    user_id: str | None
    expires_at: float
    scope: str = ""
    refresh_value: str | None = field(default=None, repr=False)
    window: Window = field(default_factory=Window, repr=False)


@dataclass(slots=True)
class Integration:
    """An Open Messaging integration."""

    id: str
    name: str
    webhook_url: str
    webhook_secret: str = field(repr=False)
    recipient_id: str = ""
    created_at: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)
    received: dict[str, MessageData] = field(default_factory=dict, repr=False)
    """What came in, by the sender's own `channel.messageId`."""


class World:
    """The organisation: clients, tokens, deployments, integrations, conversations.

    Args:
        seed: Where ids and secrets come from.
        limits: The budgets enforced; None enforces none.
        clock: The sandbox's time.
        integrations: Whether an Open Messaging integration is there from the start.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        limits: Limits | None = PUBLISHED,
        clock: Clock | None = None,
        integrations: bool = True,
    ) -> None:
        self.clock = clock or Clock()
        self.call: Callable[[Callable[[], Any]], Any] = call_here
        """Runs a function where the world lives: on the server's loop, or here before it runs."""
        self.limits = limits
        self.log = BackendLog()
        self.control_key = secrets.token_urlsafe(24)
        """Opens the control plane. Never of the seed: a class shares a seed, and one machine."""
        self.restart(seed=seed, integrations=integrations)

    def restart(self, *, seed: int, integrations: bool = True) -> None:
        """Begin anew from a seed: everything but the clock and the limits."""
        self.seed = seed
        self.random = random.Random(f"guestlab sandbox {seed}")  # noqa: S311 - ids of a stand-in
        self.organization_id = self.named_id("organization")
        self.organization_name = "guestlab sandbox"
        self.users = Users(self.named_id)
        self.user_id = self.users.add("Ada Agent", label="user").id
        self.queue_id = self.named_id("queue")
        self.flow_id = self.named_id("flow")
        self.integration_id = self.named_id("integration")
        self.tokens: dict[str, AccessToken] = {}
        self.clients = Clients(self.named_id, self._named_secret)
        self.client = self.clients.add(name="headless bot", label="client")
        self.code_client = self.clients.add(name="agent desktop", grant="CODE", label="code client")
        self.integrations: dict[str, Integration] = {}
        if integrations:
            self._add_first_integration()
        self.deployments = Deployments(self.named_id)
        self.deployment_id = self.deployments.add(name="Sandbox messenger", label="deployment").id
        self.conversations = Conversations(
            new_id=self.new_id, now=self.now, user_id=self.user_id, queue_id=self.queue_id
        )
        self.configurations: dict[str, Configuration] = {}
        self.push_devices: dict[tuple[str, str], dict[str, str]] = {}
        self.usage_queries: dict[str, dict[str, Any]] = {}
        self._connection_windows: dict[str, Window] = {}
        self.log.clear()

    # -- ids ---------------------------------------------------------------------------------------

    def named_id(self, name: str) -> str:
        """A UUID that depends on the seed and a name only."""
        digest = hashlib.sha256(f"{self.seed}/{name}".encode()).digest()
        return str(uuid.UUID(bytes=digest[:16], version=4))

    def new_id(self) -> str:
        """The next UUID."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def new_hex(self) -> str:
        """The next id of 32 hex digits, as message ids are."""
        return f"{self.random.getrandbits(128):032x}"

    def new_opaque(self, length: int = 86) -> str:
        """The next opaque string, as access tokens are."""
        return "".join(self.random.choices(_ALPHABET, k=length))

    def _named_secret(self, name: str) -> str:
        source = random.Random(f"{self.seed}/{name}")  # noqa: S311 - a secret that opens nothing
        return "".join(source.choices(_ALPHABET, k=43))

    # -- what the services need ---------------------------------------------------------------------

    def now(self) -> float:
        """Seconds since the epoch, by the sandbox's clock."""
        return self.clock.time()

    def issue_token(
        self, client: OAuthClient, *, user_id: str | None = None, scope: str = "", refresh: bool = False
    ) -> AccessToken:
        """Make a new access token."""
        token = AccessToken(
            value=self.new_opaque(),
            client_id=client.id,
            user_id=user_id,
            expires_at=self.now() + client.validity,
            scope=scope,
            refresh_value=self.new_opaque() if refresh else None,
        )
        self.tokens[token.value] = token
        return token

    def may(self, token: AccessToken, permission: str) -> bool:
        """Whether the bearer's role holds a permission: the user's role, or the client's own."""
        if token.user_id is not None:
            user = self.users.get(token.user_id)
            return user is not None and user.may(permission)
        client = self.clients.get(token.client_id)
        return client is not None and client.may(permission)

    def live_token(self, value: str) -> AccessToken | None:
        """The token of this value, if it is known and has not expired."""
        token = self.tokens.get(value)
        if token is None or token.expires_at <= self.now():
            return None
        return token

    def over_connection_rate(self, deployment: Deployment) -> bool:
        """Count one more connection of a deployment; whether that is one too many this minute."""
        if self.limits is None:
            return False
        window = self._connection_windows.setdefault(deployment.id, Window())
        return window.wait(self.now(), self.limits.connections_per_minute_per_deployment, 60.0) > 0

    def record(
        self,
        service: str,
        what: str,
        status: int,
        *,
        level: str = "documented",
        correlation_id: str = "",
        detail: str = "",
    ) -> None:
        """Write a line of the cloud's log."""
        self.log.add(
            Record(
                at=self.clock.now,
                service=service,
                what=what,
                status=status,
                level=level,
                correlation_id=correlation_id,
                detail=detail,
            )
        )

    def _add_first_integration(self) -> None:
        self.integrations[self.integration_id] = Integration(
            id=self.integration_id,
            name="Sandbox open messaging",
            webhook_url="https://hooks.example.com/guestlab",
            webhook_secret=self._named_secret("webhook secret"),
            recipient_id=self.named_id("recipient"),
            created_at=self.now(),
        )
