"""The lab's tokens: the client's own, a person's, and one that was brought, each in its flow.

Stage one of `Lab` is a face over this. A flow puts its token on every request and renews what can be renewed;
which flow speaks for the lab is decided here and nowhere else: the client's, else the token that was brought,
else the person's who signed in.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from guestlab.authorization_code import REDIRECT_URI, AuthorizationCode
from guestlab.errors import DeadlineError, InputError, TokenError
from guestlab.platform_api import PlatformApi
from guestlab.secret_sources import Secret, asks_nobody, resolved
from guestlab.tokens import AccessToken, Bearer, ClientCredentials, owner_of
from guestlab.user_token import UserToken

if TYPE_CHECKING:
    from collections.abc import Callable

    from guestlab.http import Client
    from guestlab.log import Log
    from guestlab.regions import Region

__all__ = ["Tokens"]

_GRANTS = {
    "CLIENT-CREDENTIALS": "client_credentials",
    "CODE": "authorization_code",
    "TOKEN": "token",
    "SAML2-BEARER": "saml2_bearer",
    "SAML2BEARER": "saml2_bearer",
}
"""`authorizedGrantType` of the platform → our name of the grant."""

_PATIENCE = 300.0
"""Seconds a person has to sign in, unless said otherwise."""

_SCOPE_NOTE = (
    "A scope was asked for. Scopes apply only to clients that do not use the client-credentials grant; "
    "this one is limited by its roles, so adding a scope never mends a refusal (level: official)."
)


class Tokens:
    """Every access token one lab holds.

    Args:
        region: Where they are good.
        log: Where what is sent for them is recorded.
        client_id: The OAuth client's id.
        client_secret: Its secret, or what gives it when it is first needed.
        access_token: A token brought along, or what gives it.
        stand_in: Gives id and secret of an OAuth client whose user signs in by program: the sandbox's.
    """

    def __init__(
        self,
        region: Region,
        log: Log,
        *,
        client_id: str | None = None,
        client_secret: Secret | None = None,
        access_token: Secret | None = None,
        stand_in: Callable[[], tuple[str, str]] | None = None,
    ) -> None:
        self._region, self._log = region, log
        self.client_id = client_id
        self._stand_in = stand_in
        self._source, self._brought = client_secret, access_token
        if isinstance(client_secret, str) and client_secret:
            log.learn(client_secret)
        if isinstance(access_token, str) and access_token:
            log.learn(access_token)
        self.client_flow: ClientCredentials | None = None
        self.user_flow: UserToken | None = None
        self.own_flow: UserToken | None = None
        self.sign_in: AuthorizationCode | None = None
        self._newest: ClientCredentials | UserToken | None = None

    def __repr__(self) -> str:
        held = [flow for flow in (self.client_flow, self.own_flow, self.user_flow) if flow is not None]
        return f"<Tokens at {self._region.name}: {', '.join(map(repr, held)) or 'none yet'}>"

    @property
    def has_client(self) -> bool:
        """Whether there is an OAuth client to ask with."""
        return bool(self.client_id and self._source)

    @property
    def brings(self) -> bool:
        """Whether a token was brought along in place of a client."""
        return bool(self._brought) and not self.has_client

    @property
    def must_ask(self) -> bool:
        """Whether a secret is yet to be had from what may ask a person: in a cell, not on a click."""
        waiting = self._source if self.has_client else self._brought if self.own_flow is None else None
        return callable(waiting) and not asks_nobody(waiting)

    def ask(self) -> None:
        """Ask for a secret that was put off, here and now: a person may take longer than a loop may stand."""
        if callable(self._source):
            self._source = resolved(self._source)
        if callable(self._brought):
            self._brought = resolved(self._brought)

    def client_credentials(
        self, *, scope: str | None = None, url: str | None = None, body_format: str = "form"
    ) -> ClientCredentials:
        """Make a flow for the client, asking for its secret where that was put off."""
        self.ask()
        return ClientCredentials(
            self._region,
            self.client_id or "",
            resolved(self._source),
            log=self._log,
            scope=scope,
            url=url,
            body_format=body_format,
        )

    async def issue(
        self, http: Client, *, scope: str | None = None, url: str | None = None, body_format: str = "form"
    ) -> AccessToken:
        """Have a token issued to the client, and prove it live."""
        flow = self.client_credentials(scope=scope, url=url, body_format=body_format)
        await flow.issue(http)
        self.client_flow = self._newest = flow
        flow.describe(await PlatformApi(http, flow).token_info())
        if scope is not None:
            self._log.record("note", stage="token", note=_SCOPE_NOTE)
        assert flow.token is not None
        return flow.token

    async def issued(self, http: Client) -> AccessToken:
        """Return a live token of the client, asking for one if the token stage was skipped."""
        if self.client_flow is None or self.client_flow.used_up:
            return await self.issue(http)
        assert self.client_flow.token is not None
        return self.client_flow.token

    # -- a person's -------------------------------------------------------------------------------------

    def begin_sign_in(
        self,
        client_id: str,
        *,
        client_secret: Secret | None = None,
        redirect_uri: str = REDIRECT_URI,
        listen: bool = True,
    ) -> AuthorizationCode:
        """Begin a sign-in, ending one that was begun before."""
        self.end_sign_in()
        secret = resolved(client_secret) or None
        self.sign_in = AuthorizationCode(
            self._region, client_id, log=self._log, client_secret=secret, redirect_uri=redirect_uri
        )
        if listen:
            self.sign_in.listen()
        return self.sign_in

    def end_sign_in(self) -> None:
        """Stop listening for a browser."""
        if self.sign_in is not None:
            self.sign_in.close()
            self.sign_in = None

    async def users_token(
        self, http: Client, grant: str, redirected: str | None = None, timeout: float | None = None
    ) -> AccessToken:
        """Finish the sign-in of this grant; where a stand-in may sign in, begin it first.

        Raises:
            InputError: Nobody has begun to sign in.
            DeadlineError: The person did not come back in time.
        """
        begun = self.sign_in
        if begun is None or (self._stand_in is not None and begun.grant != grant):
            if self._stand_in is None:
                raise InputError(
                    "Nobody has begun to sign in.",
                    why="A user's token comes of a person's sign-in to an OAuth client of yours.",
                    next_step="Call lab.sign_in(client_id) and open its .address in a browser.",
                )
            client_id, secret = self._stand_in()
            plain = grant == "authorization_code"
            self.begin_sign_in(client_id, client_secret=secret if plain else None, listen=False)
        return await self.redeem(http, redirected, timeout)

    async def users_secret(self, http: Client, grant: str, *, real: bool) -> str | None:
        """Return a user's token of this grant to send; None if there is none, or it may not be sent."""
        held = self.user_flow
        if held is not None and held.token.grant == grant:
            return held.token.value if real else None
        return (await self.users_token(http, grant)).value if self._stand_in is not None else None

    async def redeem(self, http: Client, redirected: str | None, timeout: float | None) -> AccessToken:
        """Finish the sign-in that was begun: by the address given, by the browser's return, or by program.

        Raises:
            DeadlineError: The person did not come back in time.
            InputError: Nothing listens and no address was given.
        """
        sign_in = self.sign_in
        assert sign_in is not None
        if redirected is None:
            redirected = await self._return(sign_in, http, timeout)
        try:
            flow = await sign_in.redeem(http, redirected)
        except TokenError:
            self.end_sign_in()  # its code works once; an address of another sign-in leaves this one waiting
            raise
        self.end_sign_in()
        flow.describe(await PlatformApi(http, Bearer(flow.token.value)).token_info())
        self.user_flow = self._newest = flow
        return flow.token

    async def _return(self, sign_in: AuthorizationCode, http: Client, timeout: float | None) -> str:
        listener = sign_in.listener
        caught = listener.caught if listener is not None else None
        if timeout is None and self._region.is_loopback and not (caught and caught.done()):
            return await sign_in.click_through(http)
        if caught is None:
            why = sign_in.unheard.why if sign_in.unheard is not None else "Nothing listens for the browser."
            raise InputError(
                "The sign-in is not finished.",
                why=why,
                next_step=f"Open {sign_in.address} and pass the address you come back to as redirected=.",
            )
        seconds = _PATIENCE if timeout is None else timeout
        try:
            return await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(caught)), seconds)
        except TimeoutError:
            raise DeadlineError(
                f"Nobody came back from the sign-in within {seconds:g} seconds.",
                why="The login page was not opened, or the browser runs on another machine than this kernel.",
                next_step=f"Open {sign_in.address} here, or pass the address you end up at as redirected=.",
            ) from None

    # -- one that was brought ---------------------------------------------------------------------------

    async def bring(self, http: Client, access_token: Secret | None = None) -> AccessToken:
        """Take a token that somebody else was issued; the platform tells what kind it is.

        Raises:
            InputError: There is none.
            PlatformError: The platform does not accept it.
        """
        value = resolved(access_token if access_token is not None else self._brought)
        value = value.removeprefix("Bearer ").removeprefix("bearer ").strip()  # pasted from a header
        if not value:
            raise InputError(
                "There is no access token.",
                why="The token given is empty.",
                next_step="Pass the token, or secret_sources.from_prompt() to be asked for it.",
            )
        self._log.learn(value)
        info = await PlatformApi(http, Bearer(value)).token_info()
        client = info.get("OAuthClient")
        kind = str(client.get("authorizedGrantType", "")) if isinstance(client, dict) else ""
        token = AccessToken(
            value=value,
            grant=_GRANTS.get(kind.upper(), "brought"),
            expires_at=None,
            masked=self._log.redact(value),
            region=self._region.name,
            owner=self._log.redact(owner_of(info)),
        )
        self.own_flow = self._newest = UserToken(self._region, token, log=self._log)
        return self.own_flow.token

    # -- whichever speaks for the lab -------------------------------------------------------------------

    async def speaking(self, http: Client) -> ClientCredentials | UserToken:
        """Return the flow that speaks for the lab, getting a token first if the stage was skipped."""
        if self.has_client or not (self._brought or self.own_flow or self.user_flow):
            await self.issued(http)
            assert self.client_flow is not None
            return self.client_flow
        if self.own_flow is None and self._brought:
            await self.bring(http)
        flow = self.own_flow or self.user_flow
        assert flow is not None
        return flow

    async def renew(self, http: Client) -> AccessToken:
        """Get a new token in place of the one that speaks for the lab, or of the person's."""
        if self.user_flow is not None:
            return await self.user_flow.renew(http)
        if self.own_flow is not None and not self.has_client:
            return await self.own_flow.renew(http)
        return await self.issue(http)

    async def revoke(self, http: Client) -> AccessToken:
        """Make the newest token worthless, at the platform and here; return what it was.

        Raises:
            InputError: There is none.
        """
        flow = self._newest if self._newest in (self.user_flow, self.own_flow, self.client_flow) else None
        flow = flow or self.user_flow or self.own_flow or self.client_flow
        token = flow.token if flow is not None else None
        if token is None:
            raise InputError(
                "There is no token to revoke.",
                why="None was issued in this lab yet, or it was revoked already.",
                next_step="Call lab.token() first.",
            )
        await PlatformApi(http, Bearer(token.value)).request("DELETE", "/api/v2/tokens/me", stage="token")
        if flow is self.user_flow:
            self.user_flow = None
        elif flow is self.own_flow:
            self.own_flow = self._brought = None
        else:
            self.client_flow = None
        return replace(token, renewable=False)
