"""What a credential of each kind opens, and what it does not: a table, from the platform's own documents.

Pure. The three classes of credentials are disjoint: an OAuth token for the Platform API, a web messaging JWT
for a guest's history, and for the guest socket none at all.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["GOOD_FOR", "Door"]


@dataclass(frozen=True, slots=True)
class Door:
    """One thing a person may want to open, and whether this kind of token opens it."""

    name: str
    opens: bool
    why: str
    level: str
    source: str

    def __str__(self) -> str:
        return f"{'opens' if self.opens else 'does not open'} {self.name}: {self.why} ({self.level})"


# Every kind of grant faces the same doors. Source of the counts: the platform's own OpenAPI document,
# July 2026, 3180 operations: 3135 take an OAuth token, 2 a web messaging JWT, 33 nothing.
GOOD_FOR: dict[str, tuple[Door, ...]] = {
    "client_credentials": (
        Door(
            "the Platform API",
            True,
            "its roles decide which calls; it has no user, so calls about 'me' answer not.a.user",
            "official",
            "Platform API OpenAPI document, July 2026",
        ),
        Door(
            "Open Messaging inbound",
            True,
            "these operations want a token without a user",
            "official",
            "Platform API OpenAPI document, July 2026: not.a.client",
        ),
        Door(
            "notification channels",
            True,
            "topics that a permission guards, such as those of queues and of other users; none of its own",
            "documented",
            "notification examples of the official SDKs",
        ),
        Door(
            "the guest socket",
            False,
            "it takes no OAuth token of any kind; it wants a deploymentId in the URL and a client-made UUID",
            "documented",
            "MyPureCloud/web-messaging-sdk-java 18.1.0, README and client",
        ),
        Door(
            "guest history",
            False,
            "GET /api/v2/webmessaging/messages takes the JWT that the getJwt frame returns",
            "official",
            "Platform API OpenAPI document, July 2026",
        ),
    ),
}


_USER_DOORS = (
    Door(
        "the Platform API",
        True,
        "as the person who signed in: scope of the client and permission of the user both count",
        "official",
        "Platform API OpenAPI document, July 2026",
    ),
    Door(
        "Open Messaging inbound",
        False,
        "these operations want a token without a user: not.a.client",
        "official",
        "Platform API OpenAPI document, July 2026",
    ),
    Door(
        "notification channels",
        True,
        "topics of the user, and those that a permission of the user guards",
        "documented",
        "notification examples of the official SDKs",
    ),
    *GOOD_FOR["client_credentials"][3:],
)
GOOD_FOR |= dict.fromkeys(("authorization_code", "pkce", "token", "saml2_bearer"), _USER_DOORS)
