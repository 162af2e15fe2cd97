"""The table of diagnosis rules, in order of precedence.

Names are public and fixed. The order is part of the meaning: among findings of equal confidence the earlier
rule is the better explanation, because what comes first on the way (product, address, token, upgrade) must be
right before what comes later can matter. Each row's judge lives with its family in a `rules_*` module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guestlab.handshake.rules_access import ACCESS_RULES
from guestlab.handshake.rules_channel import CHANNEL_RULES
from guestlab.handshake.rules_credentials import CREDENTIAL_RULES
from guestlab.handshake.rules_endpoint import ENDPOINT_RULES
from guestlab.handshake.rules_frames import FRAME_RULES
from guestlab.handshake.rules_message import MESSAGE_RULES
from guestlab.handshake.rules_network import NETWORK_RULES
from guestlab.handshake.rules_oauth import OAUTH_RULES
from guestlab.handshake.rules_product import PRODUCT_RULES
from guestlab.handshake.rules_rest import REST_RULES
from guestlab.handshake.rules_session import SESSION_RULES
from guestlab.handshake.rules_upgrade import UPGRADE_RULES

if TYPE_CHECKING:
    from guestlab.handshake.rule import Rule

__all__ = ["RULES", "UNEXPLAINED", "RuleTable"]

UNEXPLAINED = "unexplained"
"""The name of the finding that says that no rule fits."""

_ORDER = (
    "network.dns",
    "network.tcp",
    "network.tls",
    "network.not-http",
    "product.legacy-webchat",
    "endpoint.unknown-host",
    "endpoint.not-guest-socket",
    "oauth.wrong-host",
    "oauth.body-format",
    "oauth.pkce",
    "oauth.client-authentication",
    "oauth.user-context",
    "oauth.scope-is-not-the-fix",
    "region.mismatch",
    "upgrade.deployment-missing",
    "upgrade.origin-not-allowed",
    "upgrade.deployment-unknown",
    "credential.oauth-on-guest-socket",
    "upgrade.subprotocol-not-used",
    "channel.not-guest-socket",
    "channel.lifetime",
    "channel.resubscribe",
    "limit.rate",
    "session.expired",
    "session.downgrade",
    "session.taken-over",
    "session.read-only",
    "frame.session-not-configured",
    "oauth.oidc-exchange",
    "frame.wrong-first-frame",
    "message.attachment-flow",
    "message.attributes-location",
    "message.too-long",
    "message.typing",
    "session.end",
    "session.routing-not-on-socket",
    "session.resume",
    "session.keepalive",
    "rest.send-is-a-frame",
    "credential.no-guest-token-endpoint",
    "rest.path-not-in-platform-api",
    "product.open-messaging",
    "cors.not-for-websockets",
    "number.status-vs-close-code",
    "client.hides-response",
)

_BY_NAME = {
    rule.name: rule
    for family in (
        ACCESS_RULES,
        CHANNEL_RULES,
        CREDENTIAL_RULES,
        ENDPOINT_RULES,
        FRAME_RULES,
        MESSAGE_RULES,
        NETWORK_RULES,
        OAUTH_RULES,
        PRODUCT_RULES,
        REST_RULES,
        SESSION_RULES,
        UPGRADE_RULES,
    )
    for rule in family
}


class RuleTable(tuple["Rule", ...]):
    """The rules, which a notebook shows as a table: name, and what it says in a line."""

    __slots__ = ()

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        from guestlab.display import rules_html

        text = "\n".join(f"{rule.name:38} {rule.words}" for rule in self)
        return {"text/plain": text, "text/html": rules_html(self)}


RULES: tuple[Rule, ...] = RuleTable(_BY_NAME.pop(name) for name in _ORDER)
"""Every rule, the better explanation first. `unexplained` is what remains when none fires."""

assert not _BY_NAME, f"rules without a place in the order: {sorted(_BY_NAME)}"
