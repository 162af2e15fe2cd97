"""One try at opening the guest socket: the plan, the timed steps, and the outcome with its evidence.

Pure data. `perform.py` carries a plan out on real sockets; `diagnosis.py` explains the outcome. Everything
an `Attempt` holds is redacted: it can be shown, saved and compared freely.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from guestlab.visible import visible

if TYPE_CHECKING:
    from guestlab.handshake.diagnosis import Diagnosis, Finding
    from guestlab.handshake.evidence import Evidence
    from guestlab.widgets.attempt_view import AttemptView

__all__ = ["STEPS", "Attempt", "Credential", "Placement", "Plan", "Step", "in_words"]

STEPS = ("dns", "tcp", "tls", "upgrade", "configure")
"""The timed steps, in order. Plaintext loopback has no tls step."""

_DEPLOYMENT = re.compile(r"[?&]deploymentId=[^&#\s]")


class Credential(enum.StrEnum):
    """What a person tries to open the socket with."""

    NONE = "none"
    CLIENT_CREDENTIALS = "client_credentials"
    AUTHORIZATION_CODE = "authorization_code"
    PKCE = "pkce"
    GUEST = "guest"
    GARBAGE = "garbage"
    EXPIRED = "expired"
    OTHER_REGION = "other_region"


class Placement(enum.StrEnum):
    """Where the credential is put."""

    NOWHERE = "nowhere"
    QUERY = "query"
    HEADER = "header"
    COOKIE = "cookie"
    SUBPROTOCOL = "subprotocol"
    FIRST_FRAME = "first_frame"


_TOKENS: dict[str, str] = {
    Credential.CLIENT_CREDENTIALS: "client credentials token",
    Credential.AUTHORIZATION_CODE: "authorization code token",
    Credential.PKCE: "PKCE token",
    Credential.GUEST: "guest token",
    Credential.EXPIRED: "expired token",
    Credential.OTHER_REGION: "another region's token",
}
_PLACES: dict[str, str] = {
    Placement.QUERY: "in the query",
    Placement.HEADER: "in a header",
    Placement.COOKIE: "in a cookie",
    Placement.SUBPROTOCOL: "as a subprotocol",
    Placement.FIRST_FRAME: "in the first frame",
}


def in_words(credential: str, placement: str, *, deployment: bool = False) -> str:
    """Say what was tried where.

    >>> in_words("guest", "first_frame"), in_words("none", "nowhere", deployment=True)
    ('guest token in the first frame', 'deployment id alone')

    Args:
        credential: One of `Credential`.
        placement: One of `Placement`.
        deployment: Whether a deployment id went along.
    """
    if credential == Credential.NONE:
        return "deployment id alone" if deployment else "no credential"
    what = _TOKENS.get(credential, credential.replace("_", " "))
    return f"{what} {_PLACES.get(placement, placement.replace('_', ' '))}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to send. Holds the secrets as they go out, so its repr shows none of them."""

    url: str = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    subprotocols: tuple[str, ...] = field(default=(), repr=False)
    origin: str | None = None
    first_frame: str | None = field(default=None, repr=False)
    """The text of the first frame; None to stop after the upgrade."""
    credential: Credential = Credential.NONE
    placement: Placement = Placement.NOWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One timed phase of an attempt."""

    name: str
    ok: bool
    duration_ms: float
    note: str
    """What it found, in one line: an address, a cipher, a status, a frame."""

    def __str__(self) -> str:
        return f"{'✓' if self.ok else '✗'} {self.name:<9} {self.duration_ms:8.1f} ms  {self.note}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One performed attempt. Everything here is redacted."""

    number: int
    """Counts up within one log."""
    url: str
    credential: str
    placement: str
    origin: str | None
    steps: tuple[Step, ...]
    request: str
    """The upgrade request as sent: request line, headers, empty line."""
    response: str
    """The answer to it as received, body included; "" when none came."""
    http_status: int | None
    """Lane http. 101 when the upgrade succeeded."""
    response_headers: tuple[tuple[str, str], ...]
    body: str
    """The body of a refusal."""
    body_size: int
    """Its size in bytes as received; 0 means empty."""
    first_frame: str | None
    """The first frame as sent, or None when the attempt did not get that far."""
    answers: tuple[str, ...]
    """The frames that came back."""
    frame_code: int | None
    """Lane frame: the code of the last answer."""
    close_code: int | None
    """Lane close: the code with which the server closed, if it did."""
    ok: bool
    """Whether a `SessionResponse` with code 200 came: the socket is open and configured."""
    evidence: Evidence = field(repr=False)
    diagnosis: Diagnosis = field(repr=False)
    proxy: str | None = None
    """The proxy it went through, without credentials; None when it went straight."""
    ca_file: str | None = None
    """The PEM file of authorities trusted beside the system's, if one was given."""

    @property
    def step(self) -> str:
        """The step it ended at: the failed one, or the last."""
        failed = next((step.name for step in self.steps if not step.ok), None)
        return failed or (self.steps[-1].name if self.steps else "dns")

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings of its diagnosis, best first; an open one may have some too."""
        return self.diagnosis.findings

    @property
    def tried(self) -> str:
        """What was tried, in words: the credential and its place, or the deployment id alone."""
        return in_words(self.credential, self.placement, deployment=bool(_DEPLOYMENT.search(self.url)))

    @property
    def duration_ms(self) -> float:
        """Milliseconds, all steps together."""
        return sum(step.duration_ms for step in self.steps)

    @property
    def was_answered(self) -> bool:
        """Whether the server answered the upgrade at all: it was tried, and not only the way there."""
        return self.http_status is not None

    @property
    def verdict(self) -> str:
        """One line: what happened, numbers with their lane."""
        if self.ok:
            return f"open: HTTP {self.http_status}, SessionResponse {self.frame_code} (lane frame)"
        if self.http_status is not None and self.http_status != 101:
            body = f"{self.body_size} bytes of body" if self.body_size else "empty body"
            return f"refused at {self.step}: HTTP {self.http_status} (lane http), {body}"
        if self.frame_code is not None:
            return f"refused at {self.step}: code {self.frame_code} (lane frame)"
        if self.close_code is not None:
            return f"closed at {self.step}: code {self.close_code} (lane close)"
        return f"failed at {self.step}: {self.steps[-1].note if self.steps else 'nothing was tried'}"

    def snippet(self, format: str = "python") -> str:  # noqa: A002 - the word people use
        """Write this attempt as code that runs as it is, with secrets from the environment.

        Args:
            format: "python", "guestlab", "browser", "node", "curl", "wscat", "websocat" or "http".

        Raises:
            InputError: No such format.
        """
        from guestlab.snippets import snippet

        return snippet(self, format)

    def view(self) -> AttemptView:
        """All it holds, with its code in a language of choice and its sequence diagram."""
        from guestlab.widgets.attempt_view import AttemptView

        return AttemptView(self)

    def __repr__(self) -> str:
        return f"<Attempt {self.number} {self.credential} in {self.placement}: {self.verdict}>"

    def __str__(self) -> str:
        lines = [self.verdict, *(f"  {step}" for step in self.steps)]
        return "\n".join([*lines, str(self.diagnosis)])

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        from guestlab.display import attempt_html

        return {"text/plain": visible(str(self)), "text/html": attempt_html(self)}
