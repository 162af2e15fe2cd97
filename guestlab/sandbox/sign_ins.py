"""Authenticated messaging: the provider's code becomes a guest JWT, is renewed, is revoked.

`oauthcodegrantjwtexchange`, `token/refresh` and `token/revoke` of the Platform API (level: official); how
long a JWT lives and what a bad code is answered with are not documented (level: inferred). This JWT is not
the one of `getJwt`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from guestlab.sandbox.calls import Call, Reply
from guestlab.sandbox.jwts import mint
from guestlab.sandbox.refusals import Refusal

if TYPE_CHECKING:
    from guestlab.sandbox.deployments import Deployment
    from guestlab.sandbox.messaging import Messaging
    from guestlab.sandbox.openid import Person

__all__ = [
    "JWT_SECONDS",
    "SignIn",
    "SignIns",
    "exchange",
    "refresh",
    "revoke",
]

JWT_SECONDS = 900
REFRESH_SECONDS = 24 * 3600


@dataclass(slots=True, eq=False)
class SignIn:
    """Somebody signed in to a deployment."""

    person: Person
    deployment: Deployment
    expires_at: float
    """Of the refresh token, or of the JWT."""


class SignIns:
    """The JWTs and refresh tokens that are alive."""

    def __init__(self, messaging: Messaging) -> None:
        self._messaging = messaging
        self._jwts: dict[str, SignIn] = {}
        self._refreshers: dict[str, SignIn] = {}

    def clear(self) -> None:
        """Forget them all."""
        self._jwts.clear()
        self._refreshers.clear()

    def person(self, jwt: str, deployment: Deployment) -> Person | None:
        """Who a JWT stands for in a deployment."""
        held = self._jwts.get(jwt)
        if held is None or held.deployment is not deployment or held.expires_at <= self._now():
            return None
        return held.person

    def issue(self, person: Person, deployment: Deployment) -> str:
        """A new JWT."""
        expires_at = self._now() + JWT_SECONDS
        world = self._messaging.world
        claims = {"sub": person.subject, "did": deployment.id, "exp": int(expires_at), "jti": world.new_id()}
        jwt = mint(world, claims)
        self._jwts[jwt] = SignIn(person, deployment, expires_at)
        return jwt

    def issue_refresh(self, person: Person, deployment: Deployment) -> str:
        """A new refresh token."""
        token = self._messaging.world.new_opaque(64)
        self._refreshers[token] = SignIn(person, deployment, self._now() + REFRESH_SECONDS)
        return token

    def renew(self, refresh_token: str) -> str | None:
        """A new JWT for a refresh token, if it is alive."""
        held = self._refreshers.get(refresh_token)
        if held is None or held.expires_at <= self._now():
            return None
        return self.issue(held.person, held.deployment)

    def held(self, jwt: str) -> SignIn | None:
        """What a JWT stands for, expired or not."""
        return self._jwts.get(jwt)

    def forget(self, sign_in: SignIn) -> None:
        """Revoke everything of one person in one deployment."""
        for table in (self._jwts, self._refreshers):
            for key in [key for key, held in table.items() if _same(held, sign_in)]:
                del table[key]

    def expire(self) -> None:
        """Let every JWT be over now; refresh tokens live on."""
        for held in self._jwts.values():
            held.expires_at = self._now()

    def _now(self) -> float:
        return self._messaging.world.now()


def _same(one: SignIn, other: SignIn) -> bool:
    return one.person is other.person and one.deployment is other.deployment


async def exchange(call: Call) -> dict[str, Any]:
    """`POST /api/v2/webdeployments/token/oauthcodegrantjwtexchange`; needs no authorization."""
    body = await call.object()
    oauth = body.get("oauth")
    deployment = _deployment(call, body.get("deploymentId"))
    if deployment is None or not isinstance(oauth, dict):
        raise Refusal("parameters.missing")
    if not deployment.auth:
        raise Refusal("feature.toggle.disabled")
    provider, sign_ins = call.messaging.provider, call.messaging.sign_ins
    nonce = _text(oauth, "nonce")
    id_token = _text(oauth, "idToken")
    if id_token is not None:
        person = provider.redeem_id_token(id_token, nonce=nonce)
        if person is None:
            raise Refusal("bad.credentials")
        return {"jwt": sign_ins.issue(person, deployment)}  # the implicit flow has no refresh token
    code, redirect_uri = _text(oauth, "code"), _text(oauth, "redirectUri")
    if code is None or redirect_uri is None:
        raise Refusal("parameters.missing")
    verifier = _text(oauth, "codeVerifier")
    person = provider.redeem(code, redirect_uri=redirect_uri, nonce=nonce, code_verifier=verifier)
    if person is None:
        raise Refusal("bad.credentials")
    return {
        "jwt": sign_ins.issue(person, deployment),
        "refreshToken": sign_ins.issue_refresh(person, deployment),
    }


async def refresh(call: Call) -> dict[str, Any]:
    """`POST /api/v2/webdeployments/token/refresh`; the mobile SDK leaves `deploymentId` out and works."""
    body = await call.object()
    token = _text(body, "refreshToken")
    if token is None:
        raise Refusal("parameters.missing")
    jwt = call.messaging.sign_ins.renew(token)
    if jwt is None:
        raise Refusal("bad.credentials")
    return {"jwt": jwt}


async def revoke(call: Call) -> Reply:
    """`DELETE /api/v2/webdeployments/token/revoke`: signed out, on every device."""
    sign_ins = call.messaging.sign_ins
    held = sign_ins.held(call.bearer())
    if held is None:
        raise Refusal("bad.credentials")
    if held.expires_at <= call.world.now():
        raise Refusal("credentials.expired")
    session = call.messaging.session_of_person(held.deployment, held.person)
    sign_ins.forget(held)
    if session is not None:
        call.messaging.log_out(session)
    return Reply(status=204)


def _deployment(call: Call, deployment_id: Any) -> Deployment | None:
    return call.world.deployments.find(deployment_id) if isinstance(deployment_id, str) else None


def _text(fields: dict[str, Any], name: str) -> str | None:
    value = fields.get(name)
    return value if isinstance(value, str) and value else None
