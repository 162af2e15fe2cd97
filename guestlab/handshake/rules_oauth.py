"""Rules about access tokens: how one is asked for, and what it can and cannot do."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping

from guestlab.handshake.credentials import is_jwt
from guestlab.handshake.hosts import HostKind
from guestlab.handshake.quoting import is_masked, is_placeholder, quote_text
from guestlab.handshake.reading import Reading, walk_keys
from guestlab.handshake.rule import SOURCES, Match, Rule, confirmed, likely
from guestlab.handshake.targets import Target

__all__ = ["OAUTH_RULES"]

_VERIFIER = re.compile(r"[A-Za-z0-9\-._~]{43,128}")
_CHALLENGE = re.compile(r"[A-Za-z0-9_\-]{43}")
_INVENTED_SCOPE = re.compile(
    r"web-?chat:|web-?messaging:|conversations?:messaging|messaging:\*|messaging:(?:guest|conversation)|"
    r"notifications:subscribe|websocket:|urn:genesys:cloud:oauth|conversation:read|guest:",
    re.IGNORECASE,
)
_PROVIDER_KEYS = frozenset({"idToken", "id_token", "authCode", "jwt", "code", "openIdToken"})
"""Keys under which people put an identity provider's token into a guest's configureSession."""
_NEEDS_USER = re.compile(r"/api/v2/(?:.*/)?users/me(?:/|$)")


def _wrong_host(reading: Reading) -> Match | None:
    host, path = reading.host, reading.address.path.rstrip("/")
    wanted = {Target.TOKEN: "/oauth/token", Target.AUTHORIZE: "/oauth/authorize"}.get(reading.target)
    if wanted is None or host is None:
        return None
    faults = []
    if not host.is_loopback and not (host.kind is HostKind.GENESYS and host.label == "login"):
        faults.append(f"the host is {quote_text(host.name, 80)}")
    if path != wanted:
        faults.append(f"the path is {quote_text(path or '/', 80)}")
    if reading.address.scheme == "http" and not host.is_loopback:
        faults.append("the scheme is http")
    if not faults:
        return None
    verdict = likely if host.kind is HostKind.UNKNOWN else confirmed
    right = f"http(s)://{host.name}" if host.is_loopback else f"https://{host.nearest('login')}"
    right = "https://login.{region}" if "{" in right else right
    lines = (*reading.lines("url"), *faults, *reading.lines("http_status"))
    return verdict(*lines, faults=" and ".join(faults), right=right + wanted)


def _succeeded(reading: Reading) -> bool:
    status = reading.evidence.http_status
    return status is not None and 200 <= status < 300


def _content_type(reading: Reading) -> str:
    return (reading.header("Content-Type") or "").lower()


def _body_format(reading: Reading) -> Match | None:
    if reading.target is not Target.TOKEN or _succeeded(reading):
        return None
    kind, body = _content_type(reading), reading.evidence.request_body
    lines = reading.lines("url", "http_status")
    if "json" in kind or "multipart" in kind:
        return confirmed(
            *lines, f"Content-Type {quote_text(kind, 60)}", fault=f"as {quote_text(kind.split(';')[0], 40)}"
        )
    if isinstance(body, Mapping | list) and "form" not in kind:
        return likely(*lines, *reading.lines("request_body"), fault="as JSON")
    if "grant_type" in dict(reading.address.query) and "grant_type" not in reading.fields:
        return confirmed(*lines, "grant_type stands in the query", fault="in the query, not in the body")
    if kind and "x-www-form-urlencoded" not in kind and body is not None:
        return confirmed(
            *lines, f"Content-Type {quote_text(kind, 60)}", fault=f"as {quote_text(kind.split(';')[0], 40)}"
        )
    return None


def _client_authentication(reading: Reading) -> Match | None:
    if reading.target is Target.UNKNOWN:
        told = reading.note.says("invalid client") or _oauth_error(reading) == "invalid_client"
        fault = "The login service does not know the pair."
        return likely(*reading.lines("body", "note"), fault=fault) if told else None
    if reading.target is not Target.TOKEN or _succeeded(reading):
        return None
    header = reading.header("Authorization") or ""
    in_body = not header and bool({"client_id", "client_secret"} & set(reading.fields))
    lines = reading.lines("url", "http_status", "body")
    fault = _malformed_basic(header) if header else ""
    if not fault and _oauth_error(reading) == "invalid_client":
        fault = "They stood in the body." if in_body else _UNKNOWN_PAIR
    if fault:
        scheme = f"Authorization: {quote_text(header.split(' ', 1)[0], 20)} …" if header else ""
        return confirmed(*lines, scheme, fault=fault)
    if reading.note.says("invalid client"):
        return likely(*lines, *reading.lines("note"), fault="The pair was refused.")
    public = _is_user_exchange(reading) and "client_secret" not in reading.fields  # then oauth.pkce judges
    seen = reading.has_failed if in_body else reading.knows_headers
    if header or public or not seen:
        return None
    place = "They stand in the body." if in_body else "None came with the request."
    return likely(*lines, *reading.lines("request_body"), fault=place)


_UNKNOWN_PAIR = "The pair is unknown here: wrong secret, or another region's client."


def _oauth_error(reading: Reading) -> str:
    return reading.body.text("error") or next(
        (
            word
            for word in ("invalid_client", "invalid_grant", "invalid_scope")
            if word in reading.answer_text
        ),
        "",
    )


def _is_user_exchange(reading: Reading) -> bool:
    """Whether an authorization code is exchanged, with or without PKCE."""
    return (
        reading.kind == "pkce"
        or "code_verifier" in reading.fields
        or "code_challenge" in reading.fields
        or reading.fields.get("grant_type") == "authorization_code"
    )


def _malformed_basic(header: str) -> str:
    """What is wrong with the form of an Authorization header for this purpose, or ""."""
    scheme, _, value = header.partition(" ")
    value = value.strip()
    if scheme.lower() != "basic":
        return "The header is not Basic."
    if not value or is_masked(value) or is_placeholder(value) or "…" in value or "..." in value:
        return ""
    try:
        decoded = base64.b64decode(value, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return "What follows Basic is not base64 of id:secret." if ":" in value else ""
    if ":" not in decoded:
        return "Decoded, it has no colon between id and secret."
    return "It ends in a line break that was encoded with it." if decoded.endswith("\n") else ""


def _pkce(reading: Reading) -> Match | None:
    if reading.target is Target.AUTHORIZE:
        return _pkce_authorize(reading)
    if reading.target is Target.TOKEN and not _succeeded(reading):
        return _pkce_exchange(reading)
    told = reading.note.says("pkce") and reading.note.complains
    return (
        likely(*reading.lines("note"), fault="By your words it does.")
        if told and reading.target is Target.UNKNOWN
        else None
    )


def _pkce_exchange(reading: Reading) -> Match | None:
    has_secret = "client_secret" in reading.fields or (
        reading.header("Authorization") or ""
    ).lower().startswith("basic")
    if not _is_user_exchange(reading) or (has_secret and reading.kind != "pkce"
                                          and "code_verifier" not in reading.fields):  # fmt: skip
        return None
    fields, lines = reading.fields, reading.lines("url", "request_body", "http_status", "body")
    verifier = fields.get("code_verifier")
    if "code_challenge" in fields:
        return confirmed(
            *lines, fault="The challenge was sent at the token step, where the verifier belongs."
        )
    if fields.get("grant_type", "authorization_code") != "authorization_code":
        return None
    if verifier is None:
        sure = confirmed if fields else likely
        return sure(*lines, fault="code_verifier is missing.") if fields or reading.has_failed else None
    if not (reading.refused or reading.has_failed):
        return None
    if not is_masked(verifier) and not _VERIFIER.fullmatch(verifier) and not is_placeholder(verifier):
        return confirmed(
            *lines, fault="code_verifier must have 43 to 128 characters out of letters, digits and - . _ ~"
        )
    if _oauth_error(reading) == "invalid_grant" or reading.note.says("pkce") or reading.refused == 400:
        return likely(*lines, *reading.lines("note"), fault="Verifier and challenge do not belong together.")
    return None


def _pkce_authorize(reading: Reading) -> Match | None:
    query = dict(reading.address.query)
    challenge, method = query.get("code_challenge"), query.get("code_challenge_method")
    lines = reading.lines("url", "http_status", "note")
    if "code_verifier" in query:
        return confirmed(
            *lines, fault="The verifier stands in the login page's address; it must stay secret until later."
        )
    if challenge is None:
        missing = reading.kind == "pkce" and query.get("response_type", "code") == "code"
        return confirmed(*lines, fault="code_challenge is missing.") if missing else None
    if method != "S256":
        return confirmed(*lines, fault="code_challenge_method must be S256; plain is not supported.")
    if reading.has_failed and not is_masked(challenge) and not _CHALLENGE.fullmatch(challenge):
        return confirmed(
            *lines, fault="The challenge is no base64url of a SHA-256 hash (43 characters, no padding)."
        )
    return None


def _user_context(reading: Reading) -> Match | None:
    text = reading.answer_text
    if reading.body.text("code") == "not.a.user" or "requires a user context" in text:
        return confirmed(*reading.lines("url", "http_status", "body"))
    if reading.kind != "client_credentials":
        return None
    if (
        reading.target is Target.PLATFORM
        and _NEEDS_USER.search(reading.address.path)
        and not _succeeded(reading)
    ):
        return confirmed(*reading.lines("url", "token_kind", "http_status"))
    told = reading.note.says("user context") and reading.target in {Target.PLATFORM, Target.UNKNOWN}
    return (
        likely(*reading.lines("url", "token_kind", "note"))
        if told and reading.note.has("users/me|user context")
        else None
    )


def _scope(reading: Reading) -> Match | None:
    asked = reading.fields.get("scope") or dict(reading.address.query).get("scope") or ""
    grant = reading.fields.get("grant_type") or dict(reading.address.query).get("grant_type") or ""
    of_client = "client_credentials" in {grant, reading.kind}
    shown = f"scope {quote_text(asked, 100)}" if asked else ""
    if reading.target in {Target.TOKEN, Target.AUTHORIZE} and asked:
        if of_client and not _succeeded(reading):
            return confirmed(*reading.lines("url"), shown, fault="The request asks for scopes.")
        if _INVENTED_SCOPE.search(asked):
            return confirmed(*reading.lines("url"), shown, fault="Scopes with such names do not exist.")
    if reading.note.says("invented scope") and not reading.is_configured:
        return likely(*reading.lines("note"), fault="Scopes with such names do not exist.")
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
    told = reading.note.says("identity provider") and reading.is_guest and reading.has_failed
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


OAUTH_RULES = (
    Rule(
        name="oauth.wrong-host",
        level="documented",
        sources=(SOURCES["platform sdk"], SOURCES["oauth metadata"]),
        what="This is not where the login service answers: {faults}.",
        why="Tokens are issued by one host per region, outside the Platform API and below its own path.",
        next_step="Use {right}.",
        judge=_wrong_host,
    ),
    Rule(
        name="oauth.body-format",
        level="documented",
        sources=(SOURCES["platform sdk"], SOURCES["oauth guide"], SOURCES["rfc 6749"]),
        what="The token request was sent {fault}; the login service reads forms.",
        why="OAuth 2.0 token requests are form-encoded in the body; JSON is not understood here.",
        next_step=(
            "Send grant_type and the rest as application/x-www-form-urlencoded (in Python: data=, not json=)."
        ),
        judge=_body_format,
    ),
    Rule(
        name="oauth.pkce",
        level="documented",
        sources=(SOURCES["platform sdk"], SOURCES["rfc 7636"], SOURCES["oauth metadata"]),
        what="The code exchange does not prove that it belongs to the login: PKCE is not done right. {fault}",
        why=(
            "The login page gets code_challenge, the base64url of the SHA-256 of the verifier without "
            "padding, method S256; the token request gets the verifier itself, and no secret."
        ),
        next_step=(
            "Keep one verifier of 43 to 128 characters per login: hash it for /oauth/authorize, send it "
            "as code_verifier to /oauth/token."
        ),
        judge=_pkce,
    ),
    Rule(
        name="oauth.client-authentication",
        level="documented",
        sources=(SOURCES["platform sdk"], SOURCES["oauth metadata"], SOURCES["rfc 6749"]),
        what="Client id and secret did not identify the client. {fault}",
        why=(
            "The official way is HTTP Basic: base64 of id:secret in the Authorization header. "
            "invalid_client also comes for a wrong secret, and for a client of another region."
        ),
        next_step=(
            "Send Authorization: Basic base64(id:secret) (curl: -u id:secret) to the region the client "
            "was made in."
        ),
        judge=_client_authentication,
    ),
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
