"""A small OpenID provider: the customer's own, where a guest signs in before authenticated messaging.

Not Genesys' login: a company brings its provider, Genesys exchanges the provider's code for a guest JWT.
The page lets a person choose who to be; a program asks `code()` instead. Authorization code with optional
PKCE (S256), and the implicit `id_token`. Nothing here is secret or safe; it plays a part.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from guestlab.errors import SandboxError
from guestlab.sandbox.calls import Call, Reply
from guestlab.sandbox.jwts import mint
from guestlab.sandbox.pages import page, s256, safe_target, with_query

if TYPE_CHECKING:
    from guestlab.sandbox.world import World

__all__ = [
    "PEOPLE",
    "Grant",
    "Person",
    "Provider",
    "authorize",
    "discovery",
    "sign_in",
]

CODE_SECONDS = 600
ID_TOKEN_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account at the provider."""

    subject: str
    first_name: str
    last_name: str

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}"


PEOPLE = (
    Person("ada", "Ada", "Lovelace"),
    Person("grace", "Grace", "Hopper"),
    Person("alan", "Alan", "Turing"),
)


@dataclass(frozen=True, slots=True)
class Grant:
    """What an authorization code or id token stands for."""

    person: Person
    redirect_uri: str
    nonce: str | None
    code_challenge: str | None
    expires_at: float


class Provider:
    """Issues codes and id tokens, each good for one exchange."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._codes: dict[str, Grant] = {}
        self._id_tokens: dict[str, Grant] = {}

    def clear(self) -> None:
        """Forget everything issued."""
        self._codes.clear()
        self._id_tokens.clear()

    def code(
        self,
        person: str = "ada",
        *,
        redirect_uri: str = "https://shop.example/callback",
        nonce: str | None = None,
        code_challenge: str | None = None,
    ) -> str:
        """Sign somebody in and return the authorization code, as the redirect would carry it.

        Args:
            person: "ada", "grace" or "alan".
            redirect_uri: Must be given again at the exchange.
            nonce: If given, must be given again at the exchange.
            code_challenge: S256 challenge; the exchange then needs the verifier.
        """
        grant = self._grant(person, redirect_uri, nonce, code_challenge, CODE_SECONDS)
        code = self._world.new_opaque(32)
        self._codes[code] = grant
        return code

    def id_token(self, person: str = "ada", *, nonce: str | None = None) -> str:
        """Sign somebody in by the implicit flow and return the id token."""
        grant = self._grant(person, "", nonce, None, ID_TOKEN_SECONDS)
        claims = {
            "sub": grant.person.subject,
            "given_name": grant.person.first_name,
            "family_name": grant.person.last_name,
            "nonce": nonce,
            "exp": int(grant.expires_at),
            "jti": self._world.new_id(),
        }
        token = mint(self._world, claims)
        self._id_tokens[token] = grant
        return token

    def redeem(
        self, code: str, *, redirect_uri: str, nonce: str | None, code_verifier: str | None
    ) -> Person | None:
        """Whom a code was issued for, if everything fits; a code works once."""
        grant = self._codes.pop(code, None)
        if grant is None or grant.expires_at <= self._world.now() or grant.redirect_uri != redirect_uri:
            return None
        if grant.nonce is not None and grant.nonce != nonce:
            return None
        if grant.code_challenge is not None and s256(code_verifier or "") != grant.code_challenge:
            return None
        return grant.person

    def redeem_id_token(self, id_token: str, *, nonce: str | None) -> Person | None:
        """Whom an id token was issued for."""
        grant = self._id_tokens.get(id_token)
        if grant is None or grant.expires_at <= self._world.now():
            return None
        return grant.person if grant.nonce in {None, nonce} else None

    def _grant(
        self, person: str, redirect_uri: str, nonce: str | None, challenge: str | None, seconds: int
    ) -> Grant:
        found = next((known for known in PEOPLE if known.subject == person), None)
        if found is None:
            names = ", ".join(known.subject for known in PEOPLE)
            raise SandboxError(
                f"Nobody called {person!r} has an account at the sandbox's provider.",
                why=f"It knows {names}.",
                next_step="Take one of these.",
            )
        return Grant(found, redirect_uri, nonce, challenge, self._world.now() + seconds)


async def discovery(call: Call) -> dict[str, Any]:
    """`GET /openid/.well-known/openid-configuration`."""
    issuer = f"{call.origin.url('apps')}/openid"
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "response_types_supported": ["code", "id_token"],
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": ["openid", "profile"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["HS256"],
    }


_KEPT = ("client_id", "redirect_uri", "response_type", "state", "nonce", "scope", "code_challenge")


async def authorize(call: Call) -> Reply:
    """`GET /openid/authorize`: the page where a person chooses who to be."""
    query = call.query
    if not safe_target(query.get("redirect_uri", "")):
        return page(
            "Sign in", "<p>The address to return to (redirect_uri) is missing or not http(s).</p>", 400
        )
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{html.escape(query[name], quote=True)}">'
        for name in _KEPT
        if name in query
    )
    buttons = "".join(
        f'<p><button name="person" value="{person.subject}">Continue as {person.name}</button></p>'
        for person in PEOPLE
    )
    return page(
        "Sign in",
        "<p>This page plays your company's identity provider. Choose who to be.</p>"
        f'<form method="post" action="/openid/authorize">{hidden}{buttons}</form>',
    )


async def sign_in(call: Call) -> Reply:
    """`POST /openid/authorize`: signed in, back to the application."""
    form = await call.form()
    target = form.get("redirect_uri", "")
    if not safe_target(target):
        return page(
            "Sign in", "<p>The address to return to (redirect_uri) is missing or not http(s).</p>", 400
        )
    provider = call.messaging.provider
    answer = {"state": form["state"]} if "state" in form else {}
    nonce = form.get("nonce") or None
    try:
        if form.get("response_type", "code") == "id_token":
            answer["id_token"] = provider.id_token(form.get("person", ""), nonce=nonce)
            location = f"{target}#{urlencode(answer)}"
        else:
            answer["code"] = provider.code(
                form.get("person", ""),
                redirect_uri=target,
                nonce=nonce,
                code_challenge=form.get("code_challenge") or None,
            )
            location = with_query(target, answer)
    except SandboxError:
        return page("Sign in", "<p>Nobody of this name has an account here.</p>", 400)
    return Reply(status=302, raw=b"", headers={"Location": location})
