"""Addresses the sandbox hands out: they follow the scheme and Host of the request they answer.

A client may know the sandbox as one origin (`127.0.0.1:8080`) or by service names (`api.localhost:8443`);
either way the URLs in the answers lead back by the same way. Also here: which service a path belongs to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["LABELS", "Origin", "service_of"]

LABELS = ("webmessaging", "api-cdn", "streaming", "login", "apps", "api")
"""Host labels that name one service each."""

# path prefix → services that answer it. No row: any host may.
_SERVICES = (
    ("/api/v2/", ("api",)),
    ("/oauth/", ("login",)),
    ("/.well-known/", ("login",)),
    ("/logout", ("login",)),
    ("/v1", ("webmessaging",)),
    ("/channels/", ("streaming",)),
    ("/webdeployments/", ("api-cdn",)),
)


def service_of(path: str) -> tuple[str, ...]:
    """The host labels under which a path is answered; all of them if it is nobody's own."""
    for prefix, services in _SERVICES:
        if path == prefix or path.startswith(prefix):
            return services
    return LABELS


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme and authority a client used to reach us.

    >>> Origin.of("wss", "webmessaging.localhost:8443").url("api")
    'https://api.localhost:8443'
    >>> Origin.of("http", "127.0.0.1:8080").url("webmessaging", socket=True)
    'ws://127.0.0.1:8080'
    """

    secure: bool
    label: str
    """The service label of the host, or "" for one origin."""
    authority: str
    """Host and port without the label."""

    @classmethod
    def of(cls, scheme: str, host: str) -> Origin:
        """Read a request's scheme and Host header."""
        label, _, rest = host.partition(".")
        if label.lower() in LABELS and rest:
            return cls(scheme in {"https", "wss"}, label.lower(), rest)
        return cls(scheme in {"https", "wss"}, "", host)

    @classmethod
    def of_scope(cls, scope: dict[str, object], headers: Iterable[tuple[bytes, bytes]]) -> Origin:
        """Read an ASGI scope."""
        host = next((value.decode("latin-1") for name, value in headers if name == b"host"), "")
        server = scope.get("server")
        if not host and isinstance(server, tuple | list):
            host = f"{server[0]}:{server[1]}"
        return cls.of(str(scope.get("scheme", "http")), host)

    def url(self, service: str, *, socket: bool = False) -> str:
        """The base address of a service, the way this client came."""
        scheme = ("wss" if self.secure else "ws") if socket else ("https" if self.secure else "http")
        return f"{scheme}://{service + '.' if self.label else ''}{self.authority}"

    @property
    def host(self) -> str:
        """The host name without label and port, brackets kept."""
        host, _, port = self.authority.rpartition(":")
        return host if port.isdigit() and host else self.authority

    def serves(self, path: str) -> bool:
        """Whether the host the client named answers this path."""
        return not self.label or self.label in service_of(path)
