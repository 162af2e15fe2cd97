"""The login service: access tokens by OAuth 2.0.

Error bodies have three keys, the middle one not of the standard, as recorded from production (level:
measured); their status is 400, as two reports have it. The token is opaque, `token_type` lower case.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from guestlab.sandbox.calls import Call, Reply
from guestlab.sandbox.pages import s256

if TYPE_CHECKING:
    from guestlab.sandbox.clients import OAuthClient
    from guestlab.sandbox.world import AccessToken

__all__ = ["metadata", "token"]

_GRANTS = {
    "authorization_code",
    "client_credentials",
    "refresh_token",
    "urn:ietf:params:oauth:grant-type:saml2-bearer",
}


_GRANTS_OF = {
    "CLIENT-CREDENTIALS": {"client_credentials"},
    "CODE": {"authorization_code", "refresh_token"},
}
"""What a client of a kind may ask for."""


async def metadata(call: Call) -> dict[str, Any]:
    """`GET /.well-known/oauth-authorization-server`."""
    issuer = call.origin.url("login")
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/oauth/authorize",
        "token_endpoint": f"{issuer}/oauth/token",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": sorted(_GRANTS),
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "service_documentation": "https://developer.genesys.cloud/authorization",
    }


async def token(call: Call) -> Reply:
    """`POST /oauth/token`."""
    content_type = call.request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/x-www-form-urlencoded":
        return _refused(call, "invalid_request", "the request must be application/x-www-form-urlencoded")
    form = await call.form()
    grant = form.get("grant_type", "")
    if not grant:
        return _refused(call, "invalid_request", "grant_type is missing")
    if grant not in _GRANTS:
        return _refused(call, "unsupported_grant_type", "grant type is not supported")
    client = _client(call, form, grant)
    if isinstance(client, Reply):
        return client
    if grant not in _GRANTS_OF[client.grant]:
        return _refused(call, "unauthorized_client", "grant type is not allowed for this client")
    call.detail = grant
    if grant == "client_credentials":
        return _issued(client, call.world.issue_token(client, scope=form.get("scope", "")))
    if grant == "authorization_code":
        return _by_code(call, client, form)
    return _by_refresh(call, client, form)


def _by_code(call: Call, client: OAuthClient, form: dict[str, str]) -> Reply:
    found = call.messaging.authorizations.take(form.get("code", ""))
    if found is None or (found.client_id, found.redirect_uri) != (client.id, form.get("redirect_uri", "")):
        return _refused(call, "invalid_grant", "code is invalid, used or of another client or address")
    verifier = form.get("code_verifier", "")
    if found.code_challenge is not None and s256(verifier) != found.code_challenge:
        return _refused(call, "invalid_grant", "code_verifier does not match the code_challenge")
    if found.code_challenge is None and not _secret_given(call, form):
        return _refused(call, "invalid_client", "authentication failed")
    issued = call.world.issue_token(client, user_id=found.user_id, scope=found.scope, refresh=True)
    return _issued(client, issued)


def _by_refresh(call: Call, client: OAuthClient, form: dict[str, str]) -> Reply:
    given = form.get("refresh_token", "")
    old = next((t for t in call.world.tokens.values() if given and t.refresh_value == given), None)
    if old is None or old.client_id != client.id:
        return _refused(call, "invalid_grant", "refresh token is invalid or used")
    del call.world.tokens[old.value]
    issued = call.world.issue_token(client, user_id=old.user_id, scope=old.scope, refresh=True)
    return _issued(client, issued)


def _issued(client: OAuthClient, token: AccessToken) -> Reply:
    body = {"access_token": token.value, "token_type": "bearer", "expires_in": client.validity}
    if token.refresh_value is not None:
        body["refresh_token"] = token.refresh_value
    return Reply(body, headers={"Pragma": "no-cache"})


def _secret_given(call: Call, form: dict[str, str]) -> bool:
    return bool(form.get("client_secret")) or "authorization" in call.request.headers


def _client(call: Call, form: dict[str, str], grant: str) -> OAuthClient | Reply:
    """Authenticate the client, by HTTP Basic or by form fields; PKCE does without a secret."""
    pair = _basic(call.request.headers.get("authorization", ""))
    client_id, secret = pair or (form.get("client_id", ""), form.get("client_secret", ""))
    client = call.world.clients.get(client_id.strip().lower())
    if client is None or client.state != "active":
        return _refused(call, "invalid_client", "client not found")
    if grant == "authorization_code" and not secret and form.get("code_verifier"):
        return client
    if not hmac.compare_digest(secret.encode(), client.secret.encode()):
        return _refused(call, "invalid_client", "authentication failed")
    return client


def _basic(header: str) -> tuple[str, str] | None:
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(value.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return ("", "")
    client_id, _, secret = text.partition(":")
    # RFC 6749 section 2.3.1 form-encodes both; ids and secrets here have nothing to encode.
    return unquote(client_id), unquote(secret)


def _refused(call: Call, error: str, description: str, status: int = 400) -> Reply:
    call.detail = f"{error}: {description}"
    body = {"error": error, "description": description, "error_description": description}
    return Reply(body, status, {"Pragma": "no-cache"})
