"""Which names have secret values: the tables redaction goes by.

Names are compared without case, `_` and `-`: `access_token`, `accessToken` and `Access-Token` are one. Of a
name with parts, as the platform's REST gives custom attributes back (`context.loyaltyCard`), the last counts
too.
Sources: RFC 6749, 7522, 7523, 7617 and 7636; AWS Signature Version 4 for presigned URLs; the request
models of MyPureCloud/web-messaging-sdk-java 18.1.0 and of MyPureCloud/genesys-messenger-transport-mobile-sdk
2.14.0. Not secret, and never masked by name: deployment, client, message, tracing and correlation ids.
"""

from __future__ import annotations

import re

__all__ = [
    "AUTHORIZATIONS",
    "CODE_HOLDERS",
    "COOKIES",
    "ENDINGS",
    "HARMLESS",
    "PERSONAL_KEYS",
    "PERSONS",
    "PIECES",
    "PURPOSES",
    "QUERY_KEYS",
    "SCHEMES",
    "SCHEME_ENDINGS",
    "SECRET_KEYS",
    "STEMLESS",
    "STEMS",
    "WHOLE_NAMES",
    "has_stem",
    "last_part",
    "normalized",
]

_PARTS = re.compile(r"[.:/\[\]]")


def normalized(name: str) -> str:
    """Reduce a name to the form in which names are compared."""
    return name.strip().lower().replace("_", "").replace("-", "")


def last_part(name: str) -> str:
    """Return what stands behind the last prefix of a name.

    >>> last_part("context.loyaltyCard"), last_part("attributes[firstName]"), last_part("plain")
    ('loyaltyCard', 'firstName', 'plain')
    """
    return _PARTS.split(name.rstrip("]"))[-1]


AUTHORIZATIONS = frozenset({"authorization", "proxyauthorization"})
"""A scheme, which stays, and a credential."""

COOKIES = frozenset({"cookie", "setcookie"})
"""Pairs: names stay, values go."""

SECRET_KEYS = (
    AUTHORIZATIONS
    | COOKIES
    | {
        "apikey", "assertion", "authcode", "authorizationcode", "clientassertion", "codeverifier",
        "passphrase", "passwd", "password", "privatekey", "pwd", "samlresponse", "secretkey",
        "signingkey", "xamzcredential", "xamzsignature",
    }
)  # fmt: skip
"""Secret wherever they stand: JSON, form, query, header."""

ENDINGS = ("token", "secret", "jwt", "password", "apikey")
"""So is every name that ends in one of these, or its plural: guestToken, clientSecrets."""

PIECES = (
    *ENDINGS,
    *sorted(
        name
        for name in SECRET_KEYS - AUTHORIZATIONS - COOKIES
        if not any(ending in name for ending in ENDINGS)
    ),
)
"""Every secret name but those of `AUTHORIZATIONS` and `COOKIES` has one of these in it."""

QUERY_KEYS = frozenset({"code", "signature", "sig", "awsaccesskeyid"})
"""Secret in a query or a form only: elsewhere `code` is a number or the name of an error."""

CODE_HOLDERS = frozenset({"data", "oauth"})
"""In JSON, a text named `code` is secret inside these, and beside a `grant_type`."""

PERSONAL_KEYS = frozenset(
    {
        "customername", "displayname", "email", "emailaddress", "familyname", "firstname", "fullname",
        "givenname", "lastname", "mail", "mobile", "nickname", "phone", "phonenumber", "telephone",
    }
)  # fmt: skip
"""Masked only when asked: `personal=True`."""

WHOLE_NAMES = frozenset({"customername", "displayname", "fullname", "name", "participantname"})
"""Of persons, but of queues and buttons too: one of a single word is masked there, and not searched for."""

PERSONS = frozenset({"customer", "externalcontact", "from", "guest", "to"})
"""In JSON, a `name` directly inside these is a person's."""

PURPOSES = frozenset({"customer", "external"})
"""What a participant is there for. A name beside one of these is that of no employee."""

SCHEMES = frozenset(
    {"apikey", "aws4-hmac-sha256", "basic", "bearer", "digest", "dpop", "hmac", "negotiate", "ntlm", "token"}
)
"""Authentication schemes: the word before a credential, which stays."""

SCHEME_ENDINGS = ("authorization", "token", "jwt")
"""Where a scheme may stand before the credential. In a password it would be a word of the password."""

STEMS = (
    "token", "key", "cookie", "jwt", "eyj", "authoriz", "amz", "pwd", "verifier", "=", "@", "\\u", "secret",
    "pass", "bearer", "assertion",
)  # fmt: skip
"""A lower-case text without any of these pieces, and without a `code` that is a text, has no secret that a
name or a shape gives away."""


STEMLESS = tuple(sorted(name for name in SECRET_KEYS if not any(stem in name for stem in STEMS)))
"""Secret names without any of these pieces: found only beside another hint."""


def has_stem(lower: str) -> bool:
    """Tell whether a text in lower case has one of the `STEMS`.

    Every frame passes here, so the searches are written out, and looking for one rare letter, which is ten
    times faster, comes before looking for a word with it.
    """
    return (
        "=" in lower
        or "@" in lower
        or ("k" in lower and ("token" in lower or "key" in lower or "cookie" in lower))
        or ("j" in lower and ("jwt" in lower or "eyj" in lower))
        or ("w" in lower and "pwd" in lower)
        or ("v" in lower and "verifier" in lower)
        or ("\\" in lower and "\\u" in lower)
        or "secret" in lower
        or "pass" in lower
        or "bearer" in lower
        or "assertion" in lower
        or ("z" in lower and _has_stem_with_z(lower))
    )


def _has_stem_with_z(lower: str) -> bool:
    """Look around each "z": there is one in every frame, as the end of a time."""
    place = lower.find("z")
    while place >= 0:
        if lower.endswith(("am", "authori"), 0, place):
            return True
        place = lower.find("z", place + 1)
    return False


HARMLESS = frozenset({"", "none", "null", "true", "false", "undefined"})
"""Values that say there is no secret."""
