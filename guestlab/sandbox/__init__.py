"""An embedded, faithful stand-in for Genesys Cloud: the second witness.

    with Sandbox() as sandbox:
        sandbox.region, sandbox.deployment_id, sandbox.client_id, sandbox.client_secret

Login, Platform API, gateway, guest messaging and CDN on one loopback port, in a thread of its own. It
shares no protocol code with the client: of guestlab it imports errors, regions and limits only.
`sandbox.explain()` says what it does, what it does not, and how well each fact is known.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Self

from guestlab.errors import SandboxError
from guestlab.limits import PUBLISHED, Limits
from guestlab.regions import Region, is_loopback_host
from guestlab.sandbox.certificates import Authority
from guestlab.sandbox.clock import Clock
from guestlab.sandbox.deployments import Deployment, Deployments
from guestlab.sandbox.explain import explain
from guestlab.sandbox.messaging import Messaging
from guestlab.sandbox.observed import Observed, read_observed
from guestlab.sandbox.origins import Origin
from guestlab.sandbox.routes import application
from guestlab.sandbox.scripts import Script, default_script, read_script
from guestlab.sandbox.server import Server
from guestlab.sandbox.world import World, call_here

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from guestlab.sandbox.agent import Agent
    from guestlab.sandbox.backend_log import Record
    from guestlab.sandbox.channels import Channels
    from guestlab.sandbox.clients import Clients, Users
    from guestlab.sandbox.faults import Faults
    from guestlab.sandbox.gateway import Gateway
    from guestlab.sandbox.openid import Provider

__all__ = ["Deployment", "Sandbox"]


class Sandbox:
    """Genesys Cloud on this machine.

    Args:
        seed: Same seed, same ids and secrets.
        tls: Serve a TLS port beside the plaintext one, with a certificate authority of its own.
        port: The plaintext port; 0 takes a free one.
        tls_port: The TLS port; 0 takes a free one.
        host: Where to listen. Anything but loopback is warned about: there is no real protection here.
        bot: The bot's script, a YAML file; None for the built-in one, False for no bot.
        limits: The budgets enforced; None enforces none.
        legacy_attributes: Whether custom attributes beside `message` still count, as before June 2026.
        observed: What `guestlab probe --record` wrote; the gateway answers as recorded. What is not played
            back is warned about.

    Raises:
        SandboxError: The bot's script or the observed answers cannot be read.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        tls: bool = False,
        port: int = 0,
        tls_port: int = 0,
        host: str = "127.0.0.1",
        bot: Script | str | Path | bool | None = None,
        limits: Limits | None = PUBLISHED,
        legacy_attributes: bool = False,
        observed: Observed | str | Path | None = None,
    ) -> None:
        self._host, self._ports = host, (port, tls_port)
        self._tls = tls
        self._server: Server | None = None
        self._authority: Authority | None = None
        self.clock = Clock()
        self.world = World(seed=seed, limits=limits, clock=self.clock)
        self._messaging = Messaging(self.world, _script(bot), legacy_attributes=legacy_attributes)
        self._observed = _observed(observed)
        if self._observed is not None:
            self._messaging.gateway.replay(self._observed)

    def __repr__(self) -> str:
        where = f"on {self.region.name}" if self._server else "not started"
        return f"Sandbox({where}, seed={self.world.seed})"

    # -- life ----------------------------------------------------------------------------------------

    def start(self) -> Self:
        """Start serving; returns once the ports answer.

        Raises:
            SandboxError: A port is taken, or the sandbox runs already.
        """
        if self._server is not None:
            raise SandboxError(
                "The sandbox runs already.",
                why="start() was called twice, or inside a with block that had started it.",
                next_step="Use it as it is, or make another Sandbox().",
            )
        host = self._host
        if not is_loopback_host(host):
            warnings.warn(
                f"The sandbox listens on {host}: everybody who reaches this machine can use it.",
                RuntimeWarning,
                stacklevel=2,
            )
        authority = Authority() if self._tls else None
        try:
            server = Server(
                application(self._messaging),
                host=host,
                port=self._ports[0],
                tls=authority.context if authority else None,
                tls_port=self._ports[1],
            )
            self._bind(server)
            server.start()
        except BaseException:
            self._bind(None)
            if authority is not None:
                authority.remove()
            raise
        self._server, self._authority = server, authority
        scheme = "http" if authority is None else "https"
        self._messaging.home = Origin.of(scheme, self.region.name)
        return self

    def close(self) -> None:
        """Stop: open sockets get close code 1001, the ports are free, the CA file is gone."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
            self._bind(None)
        if self._authority is not None:
            self._authority.remove()
            self._authority = None

    def __enter__(self) -> Self:
        return self if self._server is not None else self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- where ---------------------------------------------------------------------------------------

    def _running(self) -> Server:
        if self._server is None:
            raise SandboxError(
                "The sandbox is not running.",
                why="It was not started yet, or was closed.",
                next_step="Use `with Sandbox() as sandbox:` or sandbox.start().",
            )
        return self._server

    @property
    def http_port(self) -> int:
        """The plaintext port."""
        return self._running().port

    @property
    def tls_port(self) -> int | None:
        """The TLS port, or None without TLS."""
        return self._running().tls_port

    @property
    def ca_file(self) -> Path | None:
        """The PEM of the sandbox's certificate authority, or None without TLS."""
        return self._authority.ca_file if self._authority else None

    @property
    def region(self) -> Region:
        """The sandbox as a region: one origin, by address; over TLS when it is on."""
        server = self._running()
        host = self._host
        host = host if is_loopback_host(host) else "127.0.0.1"
        host = f"[{host}]" if ":" in host else host
        if server.tls_port is not None and self.ca_file is not None:
            return Region(f"{host}:{server.tls_port}", tls=self.ca_file)
        return Region(f"{host}:{server.port}", tls=False)

    # -- who -----------------------------------------------------------------------------------------

    @property
    def client_id(self) -> str:
        """The id of the OAuth client (client credentials)."""
        return self.world.client.id

    @property
    def client_secret(self) -> str:
        """Its secret; opens nothing but this sandbox."""
        return self.world.client.secret

    @property
    def deployment_id(self) -> str:
        """The id of the messenger deployment that is there from the start."""
        return self.world.deployment_id

    @property
    def user_id(self) -> str:
        """The id of the organisation's agent."""
        return self.world.user_id

    @property
    def queue_id(self) -> str:
        """The id of the organisation's queue."""
        return self.world.queue_id

    @property
    def integration_id(self) -> str:
        """The id of the Open Messaging integration."""
        return self.world.integration_id

    @property
    def control_key(self) -> str:
        """What `/sandbox/…` wants in the header `Guestlab-Control-Key`; random whatever the seed."""
        return self.world.control_key

    @property
    def organization_id(self) -> str:
        """The id of the organisation."""
        return self.world.organization_id

    @property
    def clients(self) -> Clients:
        """The organisation's OAuth clients; `add(permissions=[…])` makes one with a smaller role."""
        return self.world.clients

    @property
    def users(self) -> Users:
        """The organisation's users; `add("Bea", permissions=[…])` makes one who can log in."""
        return self.world.users

    @property
    def deployments(self) -> Deployments:
        """The organisation's deployments; `add(...)` makes more."""
        return self.world.deployments

    @property
    def gateway(self) -> Gateway:
        """The table that judges upgrades; `gateway.set(condition, status=…)` changes an answer."""
        return self._messaging.gateway

    @property
    def agent(self) -> Agent:
        """The human on the other side, with verbs such as `.say()`, `.card()` and `.disconnect()`."""
        return self._messaging.agent

    @property
    def faults(self) -> Faults:
        """Ways to misbehave, such as `.drop()`, `.delay()`, `.refuse()` and `.expire()`."""
        return self._messaging.faults

    @property
    def channels(self) -> Channels:
        """The notification channels: `.close_sockets()` announces maintenance, `.drop_sockets()` does not."""
        return self._messaging.channels

    @property
    def openid(self) -> Provider:
        """The customer's identity provider: `.code("ada", redirect_uri=…)` signs somebody in."""
        return self._messaging.provider

    @property
    def backend_log(self) -> tuple[Record, ...]:
        """What the cloud's own logs would show; refused upgrades are not there."""
        return self.world.log.snapshot()

    def describe(self) -> dict[str, Any]:
        """Where it is and who is who, as plain JSON-ready values. Holds both secrets."""
        region = self.region
        return {
            "region": region.name,
            "http_port": self.http_port,
            "tls_port": self.tls_port,
            "ca_file": str(self.ca_file) if self.ca_file else None,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "deployment_id": self.deployment_id,
            "user_id": self.user_id,
            "queue_id": self.queue_id,
            "integration_id": self.integration_id,
            "control_key": self.control_key,
            "urls": {
                "login": region.login_url,
                "api": region.api_url,
                "guest": region.guest_url(self.deployment_id),
                "streaming": region.streaming_url,
                "config": region.config_url(self.deployment_id),
            },
        }

    def reset(self, *, seed: int | None = None, integrations: bool = True) -> None:
        """Begin anew: sockets close with 1001, everything said and set is forgotten.

        Args:
            seed: Another seed; None keeps the present one.
            integrations: False begins without an Open Messaging integration.
        """
        chosen = self.world.seed if seed is None else seed
        self.world.call(lambda: self._messaging.reset(seed=chosen, integrations=integrations))

    def explain(self) -> str:
        """Say what the sandbox does and does not, how well each fact is known, and from where."""
        return explain(self.gateway, self._observed.notes if self._observed else ())

    def _bind(self, server: Server | None) -> None:
        """Tie the world to a server's loop; everything asked from elsewhere is done there."""
        self.world.call = server.call if server is not None else call_here
        self.clock.bind(server.loop if server is not None else None, self.world.call)


def _script(bot: Script | str | Path | bool | None) -> Script | None:
    if bot is None or bot is True:
        return default_script()
    if bot is False:
        return None
    return bot if isinstance(bot, Script) else read_script(bot)


def _observed(observed: Observed | str | Path | None) -> Observed | None:
    if observed is None or isinstance(observed, Observed):
        return observed  # who read it has its notes
    found = read_observed(observed)
    for note in found.notes:
        warnings.warn(f"{observed}: {note}", RuntimeWarning, stacklevel=3)
    return found
