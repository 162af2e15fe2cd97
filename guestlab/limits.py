"""The published budgets of web messaging, as one value object.

Data, not protocol: the client paces itself by it, the sandbox enforces it. Source: the vendor's limits
page as read in October 2026 (level: documented), except where a field says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["PUBLISHED", "Limits", "loosened"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Budgets of one guest session, connection and deployment.

    >>> Limits(messages_per_second_per_session=2).messages_per_second_per_session
    2
    """

    messages_per_second_per_session: int = 5
    """`messages.per.session.rate.per.second`. An announcement of December 2023 says 2."""
    requests_per_minute_per_connection: int = 60
    """`requests.per.connection.rate.per.minute`: every frame counts, typing and echo too."""
    configures_per_minute_per_session: int = 60
    """`configure.per.session.rate.per.minute`."""
    connections_per_minute_per_deployment: int = 1000
    """`connections.rate.per.minute`."""
    history_requests_per_minute_per_session: int = 10
    """`get.history.rate.per.minute`."""
    echoes_per_minute_per_connection: int = 2
    """`health.check.per.connection.rate.per.minute`."""
    connections_per_session: int = 3
    """`session.connections.max`: a fourth closes the oldest."""
    custom_attributes_bytes: int = 2048
    """`metadata.custom.attributes.bytes.max`: UTF-8 bytes of keys and values."""
    text_length: int = 4096
    """Above it the server answers 4011; whether bytes or characters is undocumented: bytes (inferred)."""
    typing_seconds: float = 5.0
    """At most one typing event in this many seconds from a guest."""
    platform_requests_per_minute_per_token: int = 300
    """`client.credentials.token.rate.per.minute` of the Platform API."""


PUBLISHED = Limits()


def loosened(limits: Limits) -> tuple[str, ...]:
    """Name the budgets of pace that are wider than the published ones.

    >>> loosened(Limits(messages_per_second_per_session=1000))
    ('messages_per_second_per_session',)
    """
    names = [name for name in Limits.__slots__ if "_per_minute_" in name or "_per_second_" in name]
    wider = tuple(name for name in names if getattr(limits, name) > getattr(PUBLISHED, name))
    return wider + (("typing_seconds",) if limits.typing_seconds < PUBLISHED.typing_seconds else ())
