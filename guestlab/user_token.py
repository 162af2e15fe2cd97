"""A user's access token in use: put on every request, renewed by its refresh token where there is one.

The other flow beside `tokens.ClientCredentials`. A refresh token (RFC 6749 section 6) comes with the
authorization-code grant of a client that has a secret; with PKCE there is none to prove oneself with, so such
a token is used until it expires, and then the person signs in again.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from guestlab.errors import TokenError
from guestlab.http import Auth, BasicAuth, Request, Response, json_object
from guestlab.tokens import RENEW_BEFORE, AccessToken, accept, owner_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from guestlab.http import Client
    from guestlab.log import Log
    from guestlab.regions import Region

__all__ = ["UserToken"]


class UserToken(Auth):
    """An httpx authentication flow over one user's token.

    Args:
        region: Where the token is good.
        token: The token in hand.
        log: Where renewals are recorded, and whose redaction learns the secrets.
        client_id: The OAuth client it was issued to; needed to renew.
        client_secret: Its secret; needed to renew.
        refresh_token: What renews it; None where there is none.
        now: The clock, seconds since the epoch.
    """

    requires_response_body = True

    def __init__(
        self,
        region: Region,
        token: AccessToken,
        *,
        log: Log,
        client_id: str = "",
        client_secret: str | None = None,
        refresh_token: str | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        secrets = [secret for secret in (token.value, client_secret, refresh_token) if secret]
        log.learn(*secrets)
        self._region, self._log, self._now = region, log, now
        self._client_id, self._secret, self._refresh = client_id, client_secret, refresh_token
        self._token = replace(token, renewable=self.renewable)
        self._lock = asyncio.Lock()

    def __repr__(self) -> str:
        return f"<UserToken {self._token.masked} {self._token.grant} at {self._region.name}>"

    @property
    def token(self) -> AccessToken:
        """The token in hand."""
        return self._token

    @property
    def renewable(self) -> bool:
        """Whether there is a refresh token, and a client secret to go with it."""
        return bool(self._refresh and self._secret)

    @property
    def used_up(self) -> bool:
        """Whether it expires within a minute; never where its life is unknown."""
        expires_at = self._token.expires_at
        return expires_at is not None and expires_at.timestamp() - self._now() < RENEW_BEFORE

    def describe(self, info: dict[str, Any]) -> None:
        """Note on the token whom `GET /api/v2/tokens/me` says it belongs to."""
        self._token = replace(self._token, owner=self._log.redact(owner_of(info)))

    async def renew(self, client: Client) -> AccessToken:
        """Trade the refresh token for a new access token now.

        Raises:
            TokenError: There is no refresh token, or the login service refused it.
            NetworkError: No answer came.
        """
        if not self.renewable:
            raise TokenError(
                "This token cannot be renewed.",
                why="Renewing takes a refresh token and a client's secret; with PKCE there are none.",
                next_step="Sign in again: lab.sign_in(client_id), then lab.token(...).",
                http_status=None,
                error="",
            )
        request = self._refresh_request()
        response = await client.send(
            request.method,
            str(request.url),
            stage="token",
            auth=Auth(),
            headers=request.headers,
            content=request.content,
        )
        return self._accept(response)

    async def async_auth_flow(self, request: Request) -> AsyncGenerator[Request, Response]:
        """Put the bearer token on a request; renew it before expiry, and once after a 401."""
        async with self._lock:
            if self.renewable and self.used_up:
                self._accept((yield self._refresh_request()))
        sent = self._token.value
        response = yield self._authorized(request)
        if response.status_code != 401 or not self.renewable:
            return
        async with self._lock:
            if self._token.value == sent:  # a refresh token works once: nobody else has renewed it meanwhile
                self._accept((yield self._refresh_request()))
        yield self._authorized(request)

    def _authorized(self, request: Request) -> Request:
        request.headers["Authorization"] = f"Bearer {self._token.value}"
        return request

    def _refresh_request(self) -> Request:
        assert self._secret is not None
        request = Request(
            "POST",
            f"{self._region.login_url}/oauth/token",
            headers={"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "guestlab"},
            data={"grant_type": "refresh_token", "refresh_token": self._refresh},
            extensions={"guestlab.stage": "token"},
        )
        next(BasicAuth(self._client_id, self._secret).auth_flow(request))
        return request

    def _accept(self, response: Response) -> AccessToken:
        document = json_object(response.content)
        token = None
        if response.status_code == 200:
            token = accept(
                document,
                grant=self._token.grant,
                region=self._region,
                log=self._log,
                now=self._now(),
                renewable=True,
            )
        if token is None:
            error = self._log.redact(str(document.get("error", "")))
            raise TokenError(
                "The access token was not renewed.",
                why="The refresh token was used already, has expired, or was revoked.",
                next_step="Sign in again: lab.sign_in(client_id, client_secret=...), then lab.token(...).",
                evidence=(f"HTTP {response.status_code}", f"error={error}"),
                http_status=response.status_code,
                error=error,
            )
        refresh = document.get("refresh_token")
        if isinstance(refresh, str) and refresh:
            self._refresh = refresh
        self._token = replace(token, owner=self._token.owner)
        return self._token
