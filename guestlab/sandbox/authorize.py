"""The login service's page: authorization code (with or without PKCE), implicit, and logout.

A person clicks "Continue as Ada Agent" (or another user) and returns to the application with a code, which
the application trades at `/oauth/token` for a user's access token. Parameters and error values as the
official client knows them (level: official). Any http(s) or loopback address may be returned to; the real
service has a list.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from guestlab.sandbox.calls import Reply
from guestlab.sandbox.pages import page, safe_target, with_query

if TYPE_CHECKING:
    from guestlab.sandbox.calls import Call
    from guestlab.sandbox.clients import OAuthClient, User
    from guestlab.sandbox.world import World

__all__ = [
    "Authorization",
    "Authorizations",
    "authorize",
    "log_out",
    "sign_in",
]

CODE_SECONDS = 300

_KEPT = (
    "client_id",
    "redirect_uri",
    "response_type",
    "state",
    "code_challenge",
    "code_challenge_method",
    "scope",
)


@dataclass(frozen=True, slots=True)
class Authorization:
    """What a code stands for."""

    client_id: str
    user_id: str
    redirect_uri: str
    code_challenge: str | None
    scope: str
    expires_at: float


class Authorizations:
    """Codes that wait to be traded, each good for once."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._codes: dict[str, Authorization] = {}

    def clear(self) -> None:
        """Forget them all."""
        self._codes.clear()

    def issue(
        self,
        client: OAuthClient,
        user: User,
        *,
        redirect_uri: str,
        code_challenge: str | None,
        scope: str = "",
    ) -> str:
        """A new code for a user."""
        code = self._world.new_opaque(32)
        expires_at = self._world.now() + CODE_SECONDS
        self._codes[code] = Authorization(client.id, user.id, redirect_uri, code_challenge, scope, expires_at)
        return code

    def take(self, code: str) -> Authorization | None:
        """What a code stands for; it is used up by asking."""
        found = self._codes.pop(code, None)
        return found if found is not None and found.expires_at > self._world.now() else None


async def authorize(call: Call) -> Reply:
    """`GET /oauth/authorize`."""
    query = call.query
    refusal = _refusal(call, query)
    if refusal is not None:
        return refusal
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{html.escape(query[name], quote=True)}">'
        for name in _KEPT
        if name in query
    )
    buttons = "".join(
        f'<p><button name="user" value="{user.id}">Continue as {html.escape(user.name)}</button></p>'
        for user in call.world.users
    )
    return page(
        "Log in",
        "<p>This page plays the Genesys Cloud login. No password is asked for.</p>"
        f'<form method="post" action="/oauth/authorize">{hidden}{buttons}</form>',
    )


async def sign_in(call: Call) -> Reply:
    """`POST /oauth/authorize`: logged in, back to the application."""
    form = await call.form()
    refusal = _refusal(call, form)
    if refusal is not None:
        return refusal
    world, target = call.world, form["redirect_uri"]
    client = world.clients[form["client_id"].lower()]
    user = world.users.get(form.get("user", "")) or world.users[0]
    state = {"state": form["state"]} if "state" in form else {}
    if form["response_type"] == "token":
        token = world.issue_token(client, user_id=user.id, scope=form.get("scope", ""))
        answer = {"access_token": token.value, "expires_in": str(client.validity), "token_type": "bearer"}
        return _redirect(f"{target}#{urlencode(answer | state)}")
    code = call.messaging.authorizations.issue(
        client,
        user,
        redirect_uri=target,
        code_challenge=form.get("code_challenge") or None,
        scope=form.get("scope", ""),
    )
    return _redirect(with_query(target, {"code": code} | state))


async def log_out(call: Call) -> Reply:
    """`GET /logout`."""
    target = call.query.get("redirect_uri", "")
    if safe_target(target):
        return _redirect(target)
    return page("Logged out", "<p>You are logged out.</p>")


def _refusal(call: Call, query: dict[str, str]) -> Reply | None:
    """What is wrong with the request: shown here, or told to the application."""
    target = query.get("redirect_uri", "")
    client = call.world.clients.get(query.get("client_id", "").lower())
    if client is None or not safe_target(target):
        what = "client_id is unknown" if client is None else "redirect_uri is missing or not http(s)"
        return page("Log in", f"<p>invalid_request: {what}.</p>", 400)
    error = None
    if query.get("response_type") not in {"code", "token"}:
        error = "unsupported_response_type"
    elif client.grant != "CODE":
        error = "unauthorized_client"
    elif query.get("code_challenge") and query.get("code_challenge_method") != "S256":
        error = "invalid_request"
    if error is None:
        return None
    answer = {"error": error, "error_description": error.replace("_", " ")}
    return _redirect(with_query(target, answer | ({"state": query["state"]} if "state" in query else {})))


def _redirect(location: str) -> Reply:
    return Reply(status=302, raw=b"", headers={"Location": location})
