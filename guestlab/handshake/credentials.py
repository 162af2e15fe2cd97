"""Finds credentials wherever people put them: query, header, cookie, subprotocol, first frame.

A guest token in its right place (`token` of a configure frame) is none of them, and neither is `data.code` of
an authenticated session. Values may be masked already; then only the name and the kind can tell. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from guestlab.handshake.evidence import OAUTH_KINDS
from guestlab.handshake.frame_words import ACTIONS
from guestlab.handshake.quoting import is_masked, is_placeholder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guestlab.handshake.reading import Reading

__all__ = [
    "Place",
    "credential_places",
    "is_guests",
    "is_issued_by_name",
    "is_jwt",
    "is_uuid",
    "is_variable",
]

_OAUTH_NAMES = frozenset(
    {
        "accesstoken",
        "oauthtoken",
        "bearer",
        "bearertoken",
        "authorization",
        "oauth",
        "accesskey",
        "platformtoken",
    }
)
_MINTED_NAMES = frozenset(
    {
        "guesttoken",
        "sessiontoken",
        "guestjwt",
        "guestid",
        "visitortoken",
        "visitorid",
        "guestsessionid",
        "memberid",
    }
)
_HANDED_OUT = frozenset({"guesttoken", "sessiontoken", "guestjwt", "visitortoken"})
"""Of these, the names of a token one was given."""
_VAGUE_NAMES = frozenset(
    {
        "token",
        "auth",
        "authtoken",
        "jwt",
        "apikey",
        "key",
        "idtoken",
        "credential",
        "credentials",
        "t",
    }
)
_UUID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)
_CONFIGURES = frozenset({"configureSession", "configureAuthenticatedSession"})
_CONFIGURE_FIELDS = frozenset({("data", "code"), ("deploymentId",), ("resumeToken",)})
_PROVIDERS = frozenset({"idToken", "id_token", "openIdToken", "authCode"})
"""Keys of a configure frame that mean an identity provider's token: `oauth.oidc-exchange` judges them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One credential found."""

    where: str
    """query, header, cookie, subprotocol, first_frame, or said (in the note only)."""
    name: str
    """The parameter, header or key it stands under."""
    is_oauth: bool
    """Whether it is, or passes for, an access token of the login service."""
    is_minted: bool
    """Whether it is, or passes for, a guest token handed out by a server. There is no such thing."""
    certain: bool
    """Whether kind or name leave no doubt."""

    def __str__(self) -> str:
        words = {
            "query": "query parameter",
            "first_frame": "first frame, key",
            "said": "not shown, only named:",
        }
        return f"{words.get(self.where, self.where)} {self.name}".strip()


def is_uuid(value: object) -> bool:
    """Tell whether a value is shaped like a UUID."""
    return isinstance(value, str) and _UUID.fullmatch(value.strip()) is not None


def is_jwt(value: object) -> bool:
    """Tell whether a value is shaped like a JSON Web Token (its first part is `{"…` in base64)."""
    return isinstance(value, str) and value.strip().removeprefix("Bearer ").startswith("eyJ")


_ISSUED = re.compile(r"access_?token|oauth|bearer|\bjwt\b", re.IGNORECASE)
_OF_GUEST = re.compile(r"guest|visitor|uuid|random|session|client_?token", re.IGNORECASE)


def is_variable(value: str) -> bool:
    """Tell whether a value is a variable, `{name}` or `$NAME`: only its name can say what it is."""
    return is_placeholder(value) and value.strip()[:1] in {"{", "$"}


def is_issued_by_name(value: str) -> bool:
    """Tell whether a variable's name says that it holds an access token."""
    return is_variable(value) and _ISSUED.search(value) is not None and not _OF_GUEST.search(value)


def is_guests(value: str) -> bool:
    """Tell whether a variable's name says that it holds a guest token of one's own."""
    return is_variable(value) and _OF_GUEST.search(value) is not None and not _ISSUED.search(value)


def credential_places(reading: Reading) -> tuple[Place, ...]:
    """Find every credential that is no guest token in its right place."""
    found = [
        *_in_query(reading),
        *_in_headers(reading),
        *_in_subprotocols(reading),
        *_in_first_frame(reading),
    ]
    if not any(place.is_oauth for place in found):
        found += _told(reading, has_seen=bool(found))
    return tuple(found)


def _judged(reading: Reading, where: str, name: str, value: str) -> Place | None:
    """Judge one named value; None when it is no credential."""
    plain = re.sub(r"[^a-z]", "", name.lower()).removeprefix("x").removeprefix("genesys")
    if plain not in _OAUTH_NAMES | _MINTED_NAMES | _VAGUE_NAMES or not value.strip():
        return None
    kind = reading.kind
    if plain in _VAGUE_NAMES and kind is None and is_guests(value):
        return None
    by_name, by_kind = plain in _OAUTH_NAMES, kind in OAUTH_KINDS
    minted = plain in _MINTED_NAMES or (kind == "guest" and is_jwt(value))
    oauth = not minted and kind != "guest" and (by_name or by_kind or (not is_uuid(value) and kind != "none"))
    return Place(
        where=where, name=name, is_oauth=oauth, is_minted=minted, certain=by_kind or by_name or minted
    )


def _in_query(reading: Reading) -> Iterator[Place]:
    for name, value in reading.address.query:
        place = _judged(reading, "query", name, value)
        if place is not None:
            yield place


def _in_headers(reading: Reading) -> Iterator[Place]:
    for name, value in reading.evidence.headers:
        if name.lower() == "cookie":
            for part in value.split(";"):
                key, _, inner = part.partition("=")
                place = _judged(reading, "cookie", key.strip(), inner)
                if place is not None:
                    yield place
        elif name.lower() == "authorization" and value.strip():
            yield _authorization(reading, value)
        elif name.lower().startswith("x-") and "token" in name.lower():
            place = _judged(reading, "header", name, value)
            if place is not None:
                yield place


def _authorization(reading: Reading, value: str) -> Place:
    """A header's credential. A guest token of one's own, put here, was handed out by nobody."""
    kind, (scheme, _, rest) = reading.kind, value.partition(" ")
    guests = kind == "guest" or scheme.lower() == "guest"
    minted = guests and (is_jwt(rest or value) or reading.note.says("minted identity"))
    shown = "Authorization, scheme Basic" if scheme.lower() == "basic" else "Authorization"
    return Place(where="header", name=shown, is_oauth=not guests, is_minted=minted,
                 certain=kind in OAUTH_KINDS or (minted and scheme.lower() == "guest"))  # fmt: skip


def _in_subprotocols(reading: Reading) -> Iterator[Place]:
    kind = reading.kind
    offered = reading.subprotocols
    by_name = [p for p in offered if is_variable(p) and re.search("token", p, re.IGNORECASE)]
    variables = [p for p in by_name if not is_guests(p)]
    tokenish = variables + [p for p in offered if is_jwt(p) or is_masked(p) or len(p) >= 24]
    named = [p for p in offered if re.search(r"bearer|access.?token|^token", p, re.IGNORECASE)]
    told = kind in OAUTH_KINDS or (kind == "garbage" and reading.evidence.placement == "subprotocol")
    if (tokenish and (told or named)) or (offered and told and kind == "garbage"):
        yield Place(where="subprotocol", name="Sec-WebSocket-Protocol", is_oauth=kind != "guest",
                    is_minted=kind == "guest", certain=told)  # fmt: skip


def _in_first_frame(reading: Reading) -> Iterator[Place]:
    for path, value in _strings(reading.first.raw):
        if reading.first.action in _CONFIGURES and (path in _CONFIGURE_FIELDS or path[-1] in _PROVIDERS):
            continue
        name = ".".join(path)
        if reading.first.action in ACTIONS and path == ("token",):
            if is_uuid(value) or not _is_access_token(reading, value):
                continue
            told = reading.kind in OAUTH_KINDS and not is_masked(value)
            yield Place(where="first_frame", name=name, is_oauth=True, is_minted=False, certain=told)
            continue
        place = _judged(reading, "first_frame", path[-1], value)
        if place is not None:
            yield Place(where="first_frame", name=name, is_oauth=place.is_oauth,
                        is_minted=place.is_minted, certain=place.certain)  # fmt: skip


def _is_access_token(reading: Reading, value: str) -> bool:
    """Tell whether the `token` of a configure frame is an access token instead of a string of one's own."""
    if is_variable(value) and reading.kind in {None, "none"}:
        return is_issued_by_name(value)
    if reading.kind == "garbage":
        return reading.evidence.placement == "first_frame" and _is_refused(reading)
    if reading.kind not in OAUTH_KINDS:
        return reading.kind in {None, "none"} and _looks_issued(reading, value)
    if is_masked(value):
        request = f"{reading.evidence.url} {reading.evidence.headers} {reading.evidence.subprotocols}"
        return reading.evidence.placement == "first_frame" or (":" in value and value in request)
    return True


_OPAQUE = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*\d)[A-Za-z0-9_\-]{60,120}")


def _looks_issued(reading: Reading, value: str) -> bool:
    """A JWT, or what looks like the login service's opaque tokens where no session has accepted it.

    A guest token may be any string, so that one which works is not doubted; but nobody makes up a JWT.
    """
    if is_masked(value):
        return False
    works = reading.is_configured or (bool(reading.reply.class_name) and not reading.reply.is_failure)
    if value.strip().lower().startswith("bearer "):
        return not works
    return is_jwt(value) or (not works and _OPAQUE.fullmatch(value.strip()) is not None)


def _is_refused(reading: Reading) -> bool:
    return not reading.is_configured and reading.has_failed


def _strings(value: Any, depth: int = 4, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(value, dict) and depth:
        for key, item in list(value.items())[:100]:
            yield from _strings(item, depth - 1, (*path, str(key)))
    elif isinstance(value, str) and path:
        yield path, value


def _told(reading: Reading, *, has_seen: bool) -> Iterator[Place]:
    """A credential that the description speaks of but does not show."""
    evidence = reading.evidence
    oauth = evidence.token_kind in OAUTH_KINDS
    if oauth and evidence.placement not in {None, "nowhere"}:
        yield Place(where=str(evidence.placement), name="", is_oauth=True, is_minted=False, certain=True)
    elif (
        oauth
        and not has_seen
        and evidence.placement is None
        and not reading.is_configured
        and reading.has_failed
    ):
        yield Place(
            where="said", name=f"{evidence.token_kind} token", is_oauth=True, is_minted=False, certain=False
        )
