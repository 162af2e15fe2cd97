"""A user's access token: the authorization-code grant (RFC 6749 4.1), with PKCE (RFC 7636) or a secret.

A person signs in at `address` and comes back with a code, which a listener on this machine catches where
it can; `redeem` trades it at the token endpoint. With PKCE the client has no secret: it proves by a
verifier that it is who asked. Like every OAuth token of Genesys Cloud, what comes of it opens the Platform
API and never the guest socket.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

from guestlab.errors import InputError, TokenError
from guestlab.http import BasicAuth, json_object
from guestlab.redirect_listener import RedirectListener
from guestlab.tokens import accept
from guestlab.user_token import UserToken

if TYPE_CHECKING:
    from guestlab.http import Client
    from guestlab.log import Log
    from guestlab.regions import Region

__all__ = ["REDIRECT_URI", "AuthorizationCode"]

REDIRECT_URI = "http://localhost:8085/callback"
"""Where the browser comes back to unless said otherwise; the OAuth client must list it in Admin."""


class AuthorizationCode:
    """One sign-in of one person, from the address to open to the access token.

    Args:
        region: Where to sign in; the token is good in this region only.
        client_id: An OAuth client whose grant type is Code Authorization.
        log: Where exchanges are recorded.
        client_secret: Its secret, for the plain grant; None uses PKCE, which has none.
        redirect_uri: One of the client's authorized redirect URIs.
    """

    def __init__(
        self,
        region: Region,
        client_id: str,
        *,
        log: Log,
        client_secret: str | None = None,
        redirect_uri: str = REDIRECT_URI,
    ) -> None:
        if not client_id:
            raise InputError(
                "client_id is empty.",
                why="A person signs in to an OAuth client, which the request names.",
                next_step="Give the id of a client whose grant type is Code Authorization.",
            )
        self._region, self._log = region, log
        self._client_id, self._secret, self._redirect_uri = client_id, client_secret, redirect_uri
        self._verifier = secrets.token_urlsafe(64)
        self._state = secrets.token_urlsafe(16)
        log.learn(self._verifier, *([client_secret] if client_secret else []))
        self._listener: RedirectListener | None = None
        self.unheard: InputError | None = None
        """Why the browser's return is not caught by itself, where it is not."""

    def __repr__(self) -> str:
        return f"<AuthorizationCode {self.grant} client_id={self._client_id} at {self._region.name}>"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        from guestlab.display import sign_in_html

        return {"text/plain": f"{self!r}\nopen {self.address}", "text/html": sign_in_html(self)}

    def listen(self) -> bool:
        """Begin to listen at the redirect URI; False, with the reason in `unheard`, where that cannot be."""
        if self._listener is None:
            try:
                self._listener = RedirectListener(self._redirect_uri, self._state)
            except InputError as error:
                self.unheard = error
        return self._listener is not None

    @property
    def listener(self) -> RedirectListener | None:
        """What waits for the browser, while it waits."""
        return self._listener

    def close(self) -> None:
        """Stop listening."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    @property
    def grant(self) -> str:
        """The grant's name: "pkce" without a secret, "authorization_code" with one."""
        return "authorization_code" if self._secret else "pkce"

    @property
    def address(self) -> str:
        """What a person opens in a browser to sign in."""
        return f"{self._region.login_url}/oauth/authorize?{urlencode(self._query())}"

    async def redeem(self, client: Client, redirected: str) -> UserToken:
        """Trade the code for an access token.

        Args:
            client: Where the exchange is sent and recorded.
            redirected: The whole address the browser came back to.

        Raises:
            TokenError: The sign-in was refused or broken off, or the code was not accepted.
            InputError: The address carries no code, or that of another sign-in.
        """
        fields = {"grant_type": "authorization_code", "redirect_uri": self._redirect_uri}
        fields["code"] = self._code(redirected)
        auth = None
        if self._secret:
            auth = BasicAuth(self._client_id, self._secret)
        else:
            fields |= {"client_id": self._client_id, "code_verifier": self._verifier}
        url = f"{self._region.login_url}/oauth/token"
        response = await client.send("POST", url, stage="token", data=fields, auth=auth)
        document = json_object(response.content)
        token = None
        if response.status_code == 200:
            token = accept(
                document,
                grant=self.grant,
                region=self._region,
                log=self._log,
                now=time.time(),
                renewable=False,
            )
        if token is None:
            raise self._refused(str(document.get("error", "")), response.status_code)
        refresh = document.get("refresh_token")
        return UserToken(
            self._region,
            token,
            log=self._log,
            client_id=self._client_id,
            client_secret=self._secret,
            refresh_token=refresh if isinstance(refresh, str) else None,
        )

    async def click_through(self, client: Client) -> str:
        """Sign in as the sandbox's own user, as a click on its page does; returns where it leads.

        Raises:
            InputError: Away from loopback: there a person signs in.
            TokenError: The page refused.
        """
        if not self._region.is_loopback:
            raise InputError(
                "Nobody signs in by program.",
                why="The region's login page is for a person, in a browser.",
                next_step=f"Open {self.address} and pass the address you come back to.",
            )
        url = f"{self._region.login_url}/oauth/authorize"
        response = await client.send("POST", url, stage="token", data=self._query())
        location: str = response.headers.get("location", "")
        if response.status_code not in {302, 303} or not location:
            raise self._refused("", response.status_code)
        return location

    def _query(self) -> dict[str, str]:
        query = {
            "client_id": self._client_id,
            "redirect_uri": self._redirect_uri,
            "response_type": "code",
            "state": self._state,
        }
        if not self._secret:
            digest = hashlib.sha256(self._verifier.encode()).digest()
            challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            query |= {"code_challenge": challenge, "code_challenge_method": "S256"}
        return query

    def _code(self, redirected: str) -> str:
        answer = parse_qs(urlsplit(redirected).query)
        if "error" in answer:
            raise self._refused(answer["error"][0], None)
        if answer.get("state") != [self._state] or "code" not in answer:
            raise InputError(
                "This address does not belong to the sign-in.",
                why="It carries no code, or the state of another sign-in (RFC 6749 section 10.12).",
                next_step="Open the address of this sign-in again and paste where the browser ends up.",
            )
        code = answer["code"][0]
        self._log.learn(code)
        return code

    def _refused(self, error: str, http_status: int | None) -> TokenError:
        why, next_step = _REASONS.get(
            error,
            ("The login service answered what no rule here explains.", "Look at the reply in lab.log.http."),
        )
        facts = [f"HTTP {http_status}"] if http_status else []
        facts += [f"error={self._log.redact(error)}"] if error else []
        return TokenError(
            "No access token was issued.",
            why=why,
            next_step=next_step,
            evidence=tuple(facts),
            http_status=http_status,
            error=error,
        )


# error → why, next step. Codes: RFC 6749 sections 4.1.2.1 and 5.2, and the official client's list.
_REASONS = {
    "invalid_grant": (
        "The code was used already, has expired, or the verifier or redirect URI does not fit it.",
        "Sign in again; a code works once and for minutes only.",
    ),
    "invalid_client": (
        "No such OAuth client in this region, or its secret is wrong.",
        "Compare client id and secret with Admin > Integrations > OAuth of this region.",
    ),
    "unauthorized_client": (
        "This OAuth client may not use the authorization-code grant.",
        "Choose a client whose grant type is Code Authorization.",
    ),
    "access_denied": ("The person, or the organisation, said no.", "Sign in again and consent."),
    "invalid_pkce_package": (
        "The PKCE challenge was not accepted.",
        "Start the sign-in anew: verifier and challenge belong together.",
    ),
}
