"""Signing a guest in: an identity provider's code becomes a JWT, which the session is configured with.

Not OAuth of Genesys Cloud: the code comes from the *customer's* OpenID Connect provider, and
`POST /api/v2/webdeployments/token/oauthcodegrantjwtexchange` turns it into the JWT that goes into
`configureAuthenticatedSession` (level: official). REST only; what the socket does is `session.py`'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from guestlab.errors import PlatformError
from guestlab.http import Client, json_object

if TYPE_CHECKING:
    from guestlab.log import Log
    from guestlab.regions import Region

__all__ = ["GuestAuthentication"]

REFRESHES = 3
"""Tries to refresh before giving up, as the official SDK does."""

_TOKENS = "/api/v2/webdeployments/token"


@dataclass(frozen=True, kw_only=True)
class _Answer:
    status: int
    document: dict[str, Any]


class GuestAuthentication:
    """A signed-in guest's JWT, exchanged, refreshed and revoked.

    Args:
        code: The code the identity provider's redirect brought.
        redirect_uri: The redirect URI used there.
        code_verifier: The PKCE verifier (RFC 7636), if one was used.
        nonce: The nonce of the authorization request, if one was used.
        id_token: Instead of a code, in the implicit flow.
    """

    def __init__(
        self,
        code: str = "",
        *,
        redirect_uri: str = "",
        code_verifier: str | None = None,
        nonce: str | None = None,
        id_token: str | None = None,
    ) -> None:
        given = {
            "code": code,
            "redirectUri": redirect_uri,
            "codeVerifier": code_verifier,
            "nonce": nonce,
            "idToken": id_token,
        }
        self._oauth = {name: value for name, value in given.items() if value}
        self._jwt = ""
        self._refresh_token = ""
        self._refreshed = 0

    def __repr__(self) -> str:
        return f"<GuestAuthentication {'signed in' if self._jwt else 'not exchanged yet'}>"

    async def jwt(self, region: Region, deployment_id: str, log: Log) -> str:
        """Return the JWT to configure with, exchanging the code the first time.

        Raises:
            PlatformError: The exchange was refused.
        """
        if not self._jwt:
            log.learn(*(value for name, value in self._oauth.items() if name != "redirectUri"))
            body = {"deploymentId": deployment_id, "oauth": self._oauth}
            answer = await self._post(region, log, "/oauthcodegrantjwtexchange", body)
            self._keep(answer, log, "The sign-in was refused: the code was not exchanged.")
        return self._jwt

    async def refresh(self, region: Region, deployment_id: str, log: Log) -> str:
        """Return a new JWT after the old one was refused.

        Raises:
            PlatformError: Refused, or refreshed three times already without success.
        """
        self._refreshed += 1
        if self._refreshed > REFRESHES or not self._refresh_token:
            raise PlatformError(
                "The guest has to sign in again.",
                why="There is no refresh token."
                if not self._refresh_token
                else f"Refreshing {REFRESHES} times did not help.",
                next_step="Get a new code from the identity provider and open a new session with it.",
                http_status=401,
            )
        body = {"refreshToken": self._refresh_token, "deploymentId": deployment_id}
        answer = await self._post(region, log, "/refresh", body)
        self._keep(answer, log, "The sign-in was not refreshed.")
        return self._jwt

    def accepted(self) -> None:
        """The session was configured: the count of refreshes starts afresh."""
        self._refreshed = 0

    async def revoke(self, region: Region, deployment_id: str, log: Log) -> None:
        """Log out: revokes the JWT; every socket of the session then gets a `LogoutEvent`.

        An expired JWT is refreshed first, as the platform's documentation asks (level: official).

        Raises:
            PlatformError: Refused, also after a refresh.
        """
        answer = await self._revoked(region, log)
        if answer.status in {400, 401} and self._refresh_token:
            await self.refresh(region, deployment_id, log)
            answer = await self._revoked(region, log)
        if not 200 <= answer.status < 300:
            raise _refused(answer, "The logout was refused.", log)
        self._jwt = self._refresh_token = ""

    async def _revoked(self, region: Region, log: Log) -> _Answer:
        async with Client(region, log) as client:
            response = await client.send(
                "DELETE",
                f"{region.api_url}{_TOKENS}/revoke",
                stage="session",
                headers={"Authorization": f"Bearer {self._jwt}"},
            )
        return _Answer(status=response.status_code, document=json_object(response.content))

    async def _post(self, region: Region, log: Log, path: str, body: dict[str, Any]) -> _Answer:
        async with Client(region, log) as client:
            response = await client.send(
                "POST", f"{region.api_url}{_TOKENS}{path}", stage="session", json=body
            )
        return _Answer(status=response.status_code, document=json_object(response.content))

    def _keep(self, answer: _Answer, log: Log, what: str) -> None:
        jwt, refresh_token = answer.document.get("jwt"), answer.document.get("refreshToken")
        if answer.status != 200 or not isinstance(jwt, str) or not jwt:
            raise _refused(answer, what, log)
        log.learn(jwt)
        self._jwt = jwt
        if isinstance(refresh_token, str) and refresh_token:
            log.learn(refresh_token)
            self._refresh_token = refresh_token


def _next_step(message: str) -> str:
    if "enabled" in message:
        return "Switch authentication on in the deployment; on the sandbox: deployments.add(auth=True)."
    if "parameter" in message:
        return "Give code and redirect_uri as at the identity provider, and nonce and code_verifier if used."
    return "Codes work once and for minutes only: get a new one from the identity provider."


def _refused(answer: _Answer, what: str, log: Log) -> PlatformError:
    return PlatformError(
        what,
        why=log.redact(str(answer.document.get("message", ""))) or f"HTTP {answer.status} (lane http).",
        next_step=_next_step(str(answer.document.get("message", "")).lower()),
        http_status=answer.status,
        code=str(answer.document.get("code", "")),
    )
