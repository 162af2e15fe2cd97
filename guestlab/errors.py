"""Every error guestlab raises, each saying what happened, why, and what to do next.

    GuestlabError
    ├── InputError            an argument cannot work (also a ValueError)
    │   └── RegionError       no such region
    ├── NetworkError          no usable answer: DNS, TCP, TLS, not the protocol asked for
    ├── TokenError            the login service refused to issue an access token
    ├── PlatformError         the Platform API answered with its error envelope
    ├── HandshakeError        the guest socket did not open
    ├── ProtocolError
    │   ├── LocalProtocolError    we asked for something the protocol forbids now
    │   └── RemoteProtocolError   the server broke the protocol
    ├── SessionError          the guest session cannot do that
    │   ├── SessionEnded      expired, cleared, taken over, logged out or closed
    │   ├── MessageRefused    the server refused a frame, with its frame code
    │   └── SendInDoubt       the link broke before the acknowledgement
    ├── DeadlineError         nothing came in time (also a TimeoutError)
    ├── LogError              a log could not be read or written
    └── SandboxError          the embedded sandbox could not do that

Texts are redacted before they get here: an error never carries a secret.
"""

from __future__ import annotations

__all__ = [
    "DeadlineError",
    "GuestlabError",
    "HandshakeError",
    "InputError",
    "LocalProtocolError",
    "LogError",
    "MessageRefused",
    "NetworkError",
    "PlatformError",
    "ProtocolError",
    "RegionError",
    "RemoteProtocolError",
    "SandboxError",
    "SendInDoubt",
    "SessionEnded",
    "SessionError",
    "TokenError",
]


class GuestlabError(Exception):
    """The root of the tree.

    Attributes:
        what: One sentence: what happened.
        why: One sentence: the reason, or the likeliest one, said as such.
        next_step: One sentence: the one thing to change or try.
        evidence: The redacted facts the text rests on.
    """

    def __init__(self, what: str, *, why: str, next_step: str, evidence: tuple[str, ...] = ()) -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.next_step = next_step
        self.evidence = evidence

    def __str__(self) -> str:
        lines = [self.what, f"Why: {self.why}", f"Next: {self.next_step}"]
        lines += [f"Evidence: {fact}" for fact in self.evidence]
        return "\n".join(lines)


class InputError(GuestlabError, ValueError):
    """An argument cannot work."""


class RegionError(InputError):
    """No such Genesys Cloud region."""


class NetworkError(GuestlabError):
    """No usable answer came back: DNS, TCP, TLS, or a server that speaks something else."""


class TokenError(GuestlabError):
    """The login service refused to issue an access token.

    Attributes:
        http_status: The HTTP status, or None when the refusal was ours.
        error: The OAuth 2.0 error code (RFC 6749 section 5.2), or "".
    """

    def __init__(
        self,
        what: str,
        *,
        why: str,
        next_step: str,
        evidence: tuple[str, ...] = (),
        http_status: int | None = None,
        error: str = "",
    ) -> None:
        super().__init__(what, why=why, next_step=next_step, evidence=evidence)
        self.http_status = http_status
        self.error = error


class PlatformError(GuestlabError):
    """The Platform API answered with its error envelope.

    Attributes:
        http_status: The HTTP status.
        code: The platform's own code, such as "bad.credentials".
        correlation_id: The `ININ-Correlation-Id` to quote to Genesys support, or "".
    """

    def __init__(
        self,
        what: str,
        *,
        why: str,
        next_step: str,
        evidence: tuple[str, ...] = (),
        http_status: int = 0,
        code: str = "",
        correlation_id: str = "",
    ) -> None:
        super().__init__(what, why=why, next_step=next_step, evidence=evidence)
        self.http_status = http_status
        self.code = code
        self.correlation_id = correlation_id


class HandshakeError(GuestlabError):
    """The guest socket did not open.

    Attributes:
        http_status: The HTTP status of the refused upgrade, or None.
        findings: The names of the diagnosis rules that fired, best first.
    """

    def __init__(
        self,
        what: str,
        *,
        why: str,
        next_step: str,
        evidence: tuple[str, ...] = (),
        http_status: int | None = None,
        findings: tuple[str, ...] = (),
    ) -> None:
        super().__init__(what, why=why, next_step=next_step, evidence=evidence)
        self.http_status = http_status
        self.findings = findings


class ProtocolError(GuestlabError):
    """The guest protocol was broken, by us or by the server."""


class LocalProtocolError(ProtocolError):
    """What was asked for is not allowed in the session's present state."""


class RemoteProtocolError(ProtocolError):
    """The server sent what the protocol does not allow."""


class SessionError(GuestlabError):
    """The guest session cannot do that."""


class SessionEnded(SessionError):  # noqa: N818 - the name says what happened
    """The session is over: expired, cleared, taken over, logged out or closed."""


class MessageRefused(SessionError):  # noqa: N818 - the name says what happened
    """The server refused a frame.

    Attributes:
        frame_code: The code on the frame (lane: frame), such as 4011.
    """

    def __init__(
        self,
        what: str,
        *,
        why: str,
        next_step: str,
        evidence: tuple[str, ...] = (),
        frame_code: int = 0,
    ) -> None:
        super().__init__(what, why=why, next_step=next_step, evidence=evidence)
        self.frame_code = frame_code


class SendInDoubt(SessionError):  # noqa: N818 - the name says what happened
    """The link broke before the acknowledgement: delivered or not is unknown."""


class DeadlineError(GuestlabError, TimeoutError):
    """Nothing came in time."""


class LogError(GuestlabError):
    """A log could not be read or written."""


class SandboxError(GuestlabError):
    """The embedded sandbox could not do that."""
