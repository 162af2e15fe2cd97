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

if TYPE_CHECKING:
    from guestlab.sandbox.world import OAuthClient

__all__ = ["metadata", "token"]

_GRANTS = {
    "authorization_code",
    "client_credentials",
    "refresh_token",
    "urn:ietf:params:oauth:grant-type:saml2-bearer",
}


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
    client = _client(call, form)
    if isinstance(client, Reply):
        return client
    if grant == "client_credentials" and client.grant == "CLIENT-CREDENTIALS":
        issued = call.world.issue_token(client, scope=form.get("scope", ""))
        call.detail = grant
        return Reply({"access_token": issued.value, "token_type": "bearer", "expires_in": client.validity})
    return _refused(call, "unauthorized_client", "grant type is not allowed for this client")


def _client(call: Call, form: dict[str, str]) -> OAuthClient | Reply:
    """Authenticate the client, by HTTP Basic or by form fields."""
    pair = _basic(call.request.headers.get("authorization", ""))
    client_id, secret = pair or (form.get("client_id", ""), form.get("client_secret", ""))
    client = call.world.clients.get(client_id.strip().lower())
    if client is None or client.state != "active":
        return _refused(call, "invalid_client", "client not found")
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
