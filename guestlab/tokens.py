"""Stage one: an OAuth 2.0 access token, issued, kept, renewed, and explained.

`ClientCredentials` is an httpx authentication flow (RFC 6749 section 4.4, HTTP Basic and a form body), so
every Platform API call renews the token by itself before it expires. A client-credentials token has no
user and no refresh token: renewing means asking again. Its twin on the other side of the I/O line is the
table of refusals below, which turns what the login service answers into typed errors.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from guestlab.doors import GOOD_FOR
from guestlab.errors import InputError, TokenError
from guestlab.http import Auth, BasicAuth, Request, Response, json_object
from guestlab.regions import is_loopback_host

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

    from guestlab.doors import Door
    from guestlab.http import Client
    from guestlab.log import Log
    from guestlab.regions import Region

__all__ = ["LIFETIME", "RENEW_BEFORE", "AccessToken", "Bearer", "ClientCredentials", "accept", "owner_of"]

RENEW_BEFORE = 60.0
"""Seconds before expiry at which a token counts as used up."""

LIFETIME = 86_399
"""Seconds assumed when a server leaves `expires_in` out: 86399 is common in posted traces (level: forum)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessToken:
    """An OAuth 2.0 bearer token. Its repr is masked; `.value` is the secret itself.

    >>> AccessToken(value="a secret", grant="client_credentials", expires_at=None, region="mypurecloud.de")
    AccessToken([masked], client_credentials, mypurecloud.de, expires_at=unknown)
    """

    value: str = field(repr=False)
    grant: str
    """The grant it came from: client_credentials, authorization_code, pkce, token or saml2_bearer."""
    expires_at: datetime | None
    """When it expires, UTC; None for a token you brought, of which the platform does not tell."""
    scope: str | None = None
    """The scope asked for. Client-credentials clients have roles: a scope changes nothing."""
    masked: str = "[masked]"
    """The token's tag in the log."""
    region: str = ""
    owner: str = ""
    """Who the platform says it belongs to (`GET /api/v2/tokens/me`): client and organisation."""
    renewable: bool = False
    """Whether it renews by itself: by asking again, or by its refresh token."""

    def __repr__(self) -> str:
        until = f"{self.expires_at:%Y-%m-%d %H:%M:%SZ}" if self.expires_at else "unknown"
        return f"AccessToken({self.masked}, {self.grant}, {self.region}, expires_at={until})"

    def __reduce__(self) -> Any:
        raise TypeError("An access token is a secret and is neither pickled nor copied; ask for another.")

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        from guestlab.widgets.stage_token import TokenView

        return TokenView(self)._repr_mimebundle_()

    def _ipython_display_(self) -> None:
        from guestlab.widgets.view import show

        show(self)

    @property
    def good_for(self) -> tuple[Door, ...]:
        """What this kind of token opens and what it does not, with reason and level."""
        return GOOD_FOR.get(self.grant, ())

    @property
    def expires_in(self) -> float | None:
        """Seconds of life left, 0 when expired; None where unknown."""
        if self.expires_at is None:
            return None
        return max(0.0, (self.expires_at - datetime.now(UTC)).total_seconds())


def accept(
    document: dict[str, Any], *, grant: str, region: Region, log: Log, now: float, renewable: bool
) -> AccessToken | None:
    """Make the token a token endpoint issued (RFC 6749 section 5.1); None where it issued none.

    Its value, and that of a refresh token beside it, are learnt by the log's redaction.
    """
    value, refresh = document.get("access_token"), document.get("refresh_token")
    if not isinstance(value, str) or not value:
        return None
    log.learn(value, *([refresh] if isinstance(refresh, str) and refresh else []))
    lifetime = document.get("expires_in")
    seconds = float(lifetime) if isinstance(lifetime, int | float) and 0 < lifetime < 1e9 else LIFETIME
    return AccessToken(
        value=value,
        grant=grant,
        expires_at=datetime.fromtimestamp(now + seconds, UTC),
        masked=log.redact(value),
        region=region.name,
        renewable=renewable,
    )


class ClientCredentials(Auth):
    """The client-credentials grant as an httpx authentication flow.

    Args:
        region: Where to ask; the token is good in this region only.
        client_id: The OAuth client's id.
        client_secret: Its secret; learnt by the log's redaction before anything is sent.
        log: Where exchanges are recorded.
        scope: Accepted and sent, though it changes nothing for this grant.
        url: Another token endpoint, to see what it answers. Region or loopback hosts only.
        body_format: "form", or "json" to see what the wrong format gets.
        now: The clock, seconds since the epoch.
    """

    requires_response_body = True

    def __init__(
        self,
        region: Region,
        client_id: str,
        client_secret: str,
        *,
        log: Log,
        scope: str | None = None,
        url: str | None = None,
        body_format: str = "form",
        now: Callable[[], float] = time.time,
    ) -> None:
        _require(client_id, "client_id", "GUESTLAB_CLIENT_ID")
        _require(client_secret, "client_secret", "GUESTLAB_CLIENT_SECRET")
        if body_format not in {"form", "json"}:
            raise InputError(
                f"body_format={body_format!r} is unknown.",
                why="A token request is sent as a form, or as JSON to see it refused.",
                next_step='Use body_format="form".',
            )
        log.learn(client_secret)
        self._region, self._log, self._now = region, log, now
        self._client_id, self._secret, self._scope = client_id, client_secret, scope
        self._url = _allowed(url, region) if url else f"{region.login_url}/oauth/token"
        self._body_format = body_format
        self._lock = asyncio.Lock()
        self._token: AccessToken | None = None

    def __repr__(self) -> str:
        return f"<ClientCredentials client_id={self._client_id} at {self._region.name}>"

    @property
    def token(self) -> AccessToken | None:
        """The token in hand, if any was issued yet."""
        return self._token

    def token_request(self) -> Request:
        """Build the request of RFC 6749 section 4.4.2: HTTP Basic, form body."""
        fields = {"grant_type": "client_credentials"}
        if self._scope is not None:
            fields["scope"] = self._scope
        content: dict[str, Any] = {"data": fields} if self._body_format == "form" else {"json": fields}
        request = Request(
            "POST",
            self._url,
            headers={"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "guestlab"},
            extensions={"guestlab.stage": "token"},
            **content,
        )
        next(BasicAuth(self._client_id, self._secret).auth_flow(request))
        return request

    async def issue(self, client: Client) -> AccessToken:
        """Ask for a new token now.

        Raises:
            TokenError: The login service refused; the text says why and what to change.
            NetworkError: No answer came.
        """
        request = self.token_request()
        response = await client.send(
            request.method,
            self._url,
            stage="token",
            auth=_Ready(),
            headers=request.headers,
            content=request.content,
        )
        return self._accept(response)

    async def async_auth_flow(self, request: Request) -> AsyncGenerator[Request, Response]:
        """Put the bearer token on a request; renew it before expiry, and once after a 401."""
        async with self._lock:
            if self.used_up:
                self._accept((yield self.token_request()))
        response = yield self._authorized(request)
        if response.status_code != 401:
            return
        refused = request.headers["Authorization"]
        async with self._lock:
            if self._authorized(request).headers["Authorization"] == refused:  # nobody renewed it meanwhile
                self._accept((yield self.token_request()))
        yield self._authorized(request)

    def _authorized(self, request: Request) -> Request:
        assert self._token is not None
        request.headers["Authorization"] = f"Bearer {self._token.value}"
        return request

    @property
    def used_up(self) -> bool:
        """Whether there is no token, or it expires within a minute."""
        token = self._token
        return token is None or token.expires_at is None or _ends_soon(token.expires_at, self._now())

    def describe(self, info: dict[str, Any]) -> None:
        """Note on the token whom `GET /api/v2/tokens/me` says it belongs to."""
        assert self._token is not None
        self._token = replace(self._token, owner=self._log.redact(owner_of(info)))

    def _accept(self, response: Response) -> AccessToken:
        document = json_object(response.content)
        token = None
        if response.status_code == 200:
            token = accept(
                document,
                grant="client_credentials",
                region=self._region,
                log=self._log,
                now=self._now(),
                renewable=True,
            )
        if token is None:
            raise self._refused(response, document)
        self._token = replace(token, scope=self._scope)
        return self._token

    def _refused(self, response: Response, document: dict[str, Any]) -> TokenError:
        error = str(document.get("error", ""))
        description = str(document.get("error_description") or document.get("description") or "")
        why, next_step = _reason(_Refusal(response, error, description, self))
        facts = [f"HTTP {response.status_code} from {self._url}"]
        if error:
            facts.append(f"error={error}, description={description!r}")
        return TokenError(
            "No access token was issued.",
            why=why,
            next_step=next_step,
            evidence=tuple(self._log.redact(fact) for fact in facts),
            http_status=response.status_code,
            error=error,
        )

    @property
    def sends_json(self) -> bool:
        """Whether the request is sent in the wrong format on purpose."""
        return self._body_format == "json"

    @property
    def at_login_host(self) -> bool:
        """Whether the request goes to the region's own token endpoint."""
        return self._url == f"{self._region.login_url}/oauth/token"


class Bearer(Auth):
    """A token in hand, put on a request as it is; nothing renews it."""

    def __init__(self, value: str) -> None:
        self._value = value

    def auth_flow(self, request: Request) -> Generator[Request, Response]:
        """Put the bearer token on the request."""
        request.headers["Authorization"] = f"Bearer {self._value}"
        yield request


class _Ready(Auth):
    """No authentication flow: the request already carries what it needs."""


class _Refusal(NamedTuple):
    """What the reasons below look at."""

    response: Response
    error: str
    description: str
    flow: ClientCredentials


# (applies, why, next step). Order matters: what we did wrong on purpose comes first, then what the
# server said. Wording of the descriptions: recorded from production by independent clients.
_REASONS: tuple[tuple[Callable[[_Refusal], bool], str, str], ...] = (
    (
        lambda r: r.flow.sends_json,
        "The token request was sent as JSON; OAuth takes a form (RFC 6749 section 4.4.2).",
        "Send Content-Type: application/x-www-form-urlencoded with grant_type=client_credentials.",
    ),
    (
        lambda r: not r.flow.at_login_host,
        "This host or path does not issue tokens; only https://login.{region}/oauth/token does.",
        "Post the token request to the login host of the region.",
    ),
    (
        lambda r: r.error == "invalid_client" and "not found" in r.description,
        "No OAuth client with this id exists here: a wrong client_id, or the client of another region.",
        "Compare the client_id with Admin > Integrations > OAuth, and the region with the login page's URL.",
    ),
    (
        lambda r: r.error == "invalid_client",
        "The client exists but the secret is not its secret.",
        "Copy the client secret again, without blanks around it; a new one may be generated in Admin.",
    ),
    (
        lambda r: r.error in {"unauthorized_client", "unsupported_grant_type"},
        "This OAuth client may not use the client-credentials grant.",
        "In Admin > Integrations > OAuth choose a client whose grant type is Client Credentials.",
    ),
    (
        lambda r: "html" in r.response.headers.get("content-type", ""),
        "The server answered with a web page, so it is not the login service.",
        "Check the region's host, and whether a proxy answers in its place.",
    ),
    (
        lambda r: r.response.status_code == 429,
        "Too many token requests.",
        "Wait as long as the Retry-After header says, and keep one token instead of asking each time.",
    ),
    (
        lambda _: True,
        "The login service answered what no rule here explains.",
        "Look at the request and the reply in lab.log.http.",
    ),
)


def _reason(refusal: _Refusal) -> tuple[str, str]:
    return next((why, next_step) for applies, why, next_step in _REASONS if applies(refusal))


def _ends_soon(moment: datetime, now: float) -> bool:
    return moment.timestamp() - now < RENEW_BEFORE


def owner_of(info: dict[str, Any]) -> str:
    """Name whom `GET /api/v2/tokens/me` says a token belongs to: OAuth client and organisation."""
    parts = [info.get("OAuthClient"), info.get("organization")]
    return " of ".join(str(part["name"]) for part in parts if isinstance(part, dict) and part.get("name"))


def _require(value: str, name: str, variable: str) -> None:
    if not isinstance(value, str) or not value.strip():
        raise InputError(
            f"{name} is empty.",
            why="A client-credentials token needs the id and the secret of an OAuth client.",
            next_step=f"Give {name}=, set {variable}, or use gl.Lab() with its embedded sandbox.",
        )


def _allowed(url: str, region: Region) -> str:
    """Refuse to send a client secret to a stranger."""
    host = urlsplit(url).hostname or ""
    if is_loopback_host(host) or host == region.name or host.endswith("." + region.name):
        return url
    raise InputError(
        f"The token request is not sent to {host or url!r}.",
        why=f"It carries the client secret, and that host does not belong to {region.name}.",
        next_step=f"Use {region.login_url}/oauth/token.",
    )
