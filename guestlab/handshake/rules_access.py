"""Rules about what an access token can do: users, scopes, and the exchange for signed-in guests."""

from __future__ import annotations

import re

from guestlab.handshake.credentials import is_jwt
from guestlab.handshake.quoting import is_masked, quote_text
from guestlab.handshake.reading import Reading, walk_keys
from guestlab.handshake.rule import SOURCES, Match, Rule, confirmed, likely
from guestlab.handshake.targets import Target

__all__ = ["ACCESS_RULES"]

_INVENTED_SCOPE = re.compile(
    r"web-?chat:|web-?messaging:|conversations?:messaging|messaging:\*|messaging:(?:guest|conversation)|"
    r"notifications:subscribe|websocket:|urn:genesys:cloud:oauth|conversation:read|guest:",
    re.IGNORECASE,
)
_GUEST_SCOPE = re.compile(
    r"web-?chat:|web-?messaging:|messaging:(?:\*|guest)|websocket:|guest:", re.IGNORECASE
)
"""Invented scopes that are to let somebody onto the guest socket: no role does that either."""
_NO_SUCH_SCOPE = "Scopes with such names do not exist."
_NO_ROLE_EITHER = (
    "Leave scope out. No role lets anybody onto the guest socket either: open it with deploymentId, and "
    "without any token."
)
_PROVIDER_KEYS = frozenset({"idToken", "id_token", "authCode", "jwt", "code", "openIdToken"})
"""Keys under which people put an identity provider's token into a guest's configureSession."""
_NEEDS_USER = re.compile(r"/api/v2/(?:.*/)?users/me(?:/|$)")


def _user_context(reading: Reading) -> Match | None:
    text = reading.answer_text
    if reading.body.text("code") == "not.a.user" or "requires a user context" in text:
        return confirmed(*reading.lines("url", "http_status", "body"))
    if reading.kind != "client_credentials":
        return None
    if (
        reading.target is Target.PLATFORM
        and _NEEDS_USER.search(reading.address.path)
        and not reading.succeeded
    ):
        return confirmed(*reading.lines("url", "token_kind", "http_status"))
    told = reading.note.says("user context") and reading.target in {Target.PLATFORM, Target.UNKNOWN}
    return likely(*reading.lines("url", "token_kind", "note")) if told else None


def _scope(reading: Reading) -> Match | None:
    asked = reading.fields.get("scope") or dict(reading.address.query).get("scope") or ""
    grant = reading.fields.get("grant_type") or dict(reading.address.query).get("grant_type") or ""
    of_client = "client_credentials" in {grant, reading.kind}
    shown = f"scope {quote_text(asked, 100)}" if asked else ""
    instead = _NO_ROLE_EITHER if _GUEST_SCOPE.search(asked or reading.note.text) else ""
    if reading.target in {Target.TOKEN, Target.AUTHORIZE} and asked:
        if of_client and not reading.succeeded:
            return confirmed(
                *reading.lines("url"), shown, fault="The request asks for scopes.", next_step=instead
            )
        if _INVENTED_SCOPE.search(asked):
            return confirmed(*reading.lines("url"), shown, fault=_NO_SUCH_SCOPE, next_step=instead)
    if reading.note.says("invented scope") and not reading.is_configured:
        return likely(*reading.lines("note"), fault=_NO_SUCH_SCOPE, next_step=instead)
    if (
        of_client
        and reading.note.says("scope")
        and reading.body.text("code") != "app.not.authorized.for.scope"
    ):
        return likely(*reading.lines("token_kind", "body", "note"), fault="Scopes are spoken of.")
    return None


def _oidc(reading: Reading) -> Match | None:
    if reading.is_configured and reading.first.action == "configureAuthenticatedSession":
        return None
    for frame, name in ((reading.first, "first_frame"), (reading.sent, "sent_frame")):
        if frame.action == "configureAuthenticatedSession":
            match = _authenticated(reading, frame.at("data", "code"), name)
            if match is not None:
                return match
        elif frame.action == "configureSession":
            keys = (path for path, _ in walk_keys(frame.raw, 2) if path[-1] in _PROVIDER_KEYS)
            key = next(keys, None)
            if key:
                return likely(
                    *reading.lines(name, "note"), fault=f"configureSession does not read {'.'.join(key)}."
                )
    if (
        "session authentication failed" in reading.answer_text
        or "try to authenticate again" in reading.answer_text
    ):
        return confirmed(*reading.lines("frame", "body"), fault="The server wants a new sign-in.")
    exchange = reading.address.path.endswith("/oauthcodegrantjwtexchange")
    if exchange and reading.refused:
        return likely(*reading.lines("url", "http_status", "body"), fault="The exchange itself was refused.")
    guests = reading.first.action == "configureSession" and reading.reply.is_failure
    told = reading.note.says("identity provider") and reading.is_guest and reading.has_failed and not guests
    if (
        told
        and reading.note.has(r"signed?|log|authoris|authoriz|valid|token|code|anonymous")
        and not reading.refused
    ):
        return likely(
            *reading.lines("note"), fault="By your words the provider's token is fine and the session is not."
        )
    return None


def _authenticated(reading: Reading, code: object, name: str) -> Match | None:
    lines = reading.lines(name, "frame", "note")
    if not isinstance(code, str) or not code:
        return confirmed(*lines, fault="data.code is missing.")
    refused = {401, 403} & reading.reply.codes
    if not refused and not (reading.has_failed and not reading.reply):
        return None
    if not is_jwt(code) and not is_masked(code) and refused:
        return confirmed(*lines, fault="data.code is no JWT: it looks like the provider's own code.")
    if refused or reading.note.says("identity provider"):
        return likely(*lines, fault="data.code is refused: it is another JWT, or it has expired.")
    return None


ACCESS_RULES = (
    Rule(
        name="oauth.user-context",
        level="documented",
        sources=(SOURCES["platform spec"],),
        what="This call needs a user, and a client-credentials token has none.",
        why=(
            "Such a token stands for the client itself; calls about 'me' answer 400 not.a.user. It does "
            "not mean the token is bad."
        ),
        next_step=(
            "To check the token, call GET /api/v2/organizations/me or GET /api/v2/tokens/me; to act for "
            "a person, use the authorization code grant with PKCE."
        ),
        judge=_user_context,
    ),
    Rule(
        name="oauth.scope-is-not-the-fix",
        level="documented",
        sources=(SOURCES["platform spec"], SOURCES["platform sdk"]),
        what="A scope will not help here. {fault}",
        why=(
            "Scopes apply to user grants only; a client-credentials client is limited by its roles and "
            "divisions. No scope lets anybody onto the guest socket."
        ),
        next_step=(
            "Leave scope out, and give the client a role with the missing permission in Admin > "
            "Integrations > OAuth."
        ),
        judge=_scope,
    ),
    Rule(
        name="oauth.oidc-exchange",
        level="documented",
        sources=(SOURCES["mobile sdk"], SOURCES["platform spec"]),
        what="A signed-in session wants the exchanged JWT, not the identity provider's. {fault}",
        why="configureAuthenticatedSession takes in data.code the jwt that "
        "POST /api/v2/webdeployments/token/oauthcodegrantjwtexchange returns for the provider's code.",
        next_step=(
            "Exchange the provider's authorization code there (deploymentId, oauth.code, "
            "oauth.redirectUri), then send the jwt it returns as data.code; refresh it when the server "
            "answers 401."
        ),
        judge=_oidc,
    ),
)
