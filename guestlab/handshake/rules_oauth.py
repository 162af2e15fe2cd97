"""Rules about asking for an access token: host, body, client, PKCE."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from guestlab.handshake.hosts import HostKind
from guestlab.handshake.quoting import is_masked, is_placeholder, quote_text
from guestlab.handshake.rule import SOURCES, Match, Rule, confirmed, likely
from guestlab.handshake.targets import Target

if TYPE_CHECKING:
    from guestlab.handshake.reading import Reading

__all__ = ["OAUTH_RULES"]

_VERIFIER = re.compile(r"[A-Za-z0-9\-._~]{43,128}")
_CHALLENGE = re.compile(r"[A-Za-z0-9_\-]{43}")


def _wrong_host(reading: Reading) -> Match | None:
    host, path = reading.host, reading.address.path.rstrip("/")
    wanted = {Target.TOKEN: "/oauth/token", Target.AUTHORIZE: "/oauth/authorize"}.get(reading.target)
    if wanted is None or host is None:
        return None
    if host.kind is HostKind.UNKNOWN and reading.note.says("identity provider"):
        return None  # their provider's own host
    faults = []
    port = reading.address.port
    if host.is_genesys and port not in {None, 443} and not reading.succeeded:
        faults.append(f"the port is {port}")
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


def _content_type(reading: Reading) -> str:
    return (reading.header("Content-Type") or "").lower()


def _body_format(reading: Reading) -> Match | None:
    if reading.target is not Target.TOKEN or reading.succeeded:
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
    if reading.target is not Target.TOKEN or reading.succeeded:
        return _basic_elsewhere(reading)
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


def _basic_elsewhere(reading: Reading) -> Match | None:
    """Client id and secret sent to the Platform API, which wants the token they are exchanged for."""
    scheme, _, value = (reading.header("Authorization") or "").partition(" ")
    calls = reading.target in {Target.PLATFORM, Target.CHANNEL_API} and reading.host is not None
    known = calls and (reading.host.is_genesys or reading.host.is_loopback)  # type: ignore[union-attr]
    if scheme.lower() != "basic" or not value or not known or reading.succeeded:
        return None
    return confirmed(
        *reading.lines("url", "headers", "http_status", "body"),
        what="Client id and secret were sent to the Platform API as HTTP Basic; it takes an access token.",
        why="Basic identifies a client to /oauth/token of the login service only; every /api/v2 call wants "
        "Authorization: Bearer with the access token that it answers.",
        next_step="POST /oauth/token first (Basic, grant_type=client_credentials), then send "
        "Authorization: Bearer "
        "<access_token> here.",
    )


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
    if reading.target is Target.TOKEN and not reading.succeeded:
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
)
