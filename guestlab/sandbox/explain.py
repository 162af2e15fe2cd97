"""What the sandbox does, what it does not, and how well each fact is known.

Levels: official (the vendor's own models, SDKs and API documents), documented (vendor text), measured (seen
on the wire by a named source), inferred (our deduction, or a default where the sources are silent).
"""

from __future__ import annotations

import textwrap
from typing import NamedTuple

from guestlab.sandbox.gateway import TABLE

__all__ = ["FACTS", "Fact", "explain"]


class Fact(NamedTuple):
    """One line of the table."""

    area: str
    what: str
    does: bool
    level: str
    source: str


_JAVA = "web-messaging-sdk-java 18.1.0"
_MOBILE = "genesys-messenger-transport-mobile-sdk 2.14.0"
_SPEC = "Platform API document, July 2026, and Python SDK 269.0.0"
_LIMITS = "vendor's limits page, October 2026"

FACTS: tuple[Fact, ...] = (
    *(
        Fact("gateway", f"{row.status} when {row.when}", True, row.level, row.source)
        for row in TABLE
    ),
    Fact("gateway", "ignores every token in query, header, cookie and subprotocol", True, "inferred",
         "no official client sends one; what happens if one does is not documented"),
    Fact("gateway", "matches Origin by host, subdomains included; refuses a missing one if domains are listed",
         True, "inferred", "the browser messenger's rule; the server's is not documented"),
    Fact("login", "client credentials by Basic or form; opaque token, bearer, 86399 s", True, "official", _SPEC),
    Fact("login", "errors as {error, description, error_description} with status 400", True, "measured",
         "go-gcloudcx test suite, two forum reports"),
    Fact("login", "authorization code, PKCE, refresh, implicit, a page to click through", True, "official",
         "official clients; the texts of errors are inferred"),
    Fact("login", "SAML2 bearer", False, "official", _SPEC),
    Fact("platform", "error envelope, ININ-Correlation-Id = contextId on every answer", True, "official", _SPEC),
    Fact("platform", "404 not.found for a path or method that does not exist, before any credential is read",
         True, "inferred", "the order of checks is not documented"),
    Fact("platform", "300 requests a minute per token, then 429 with Retry-After", True, "documented", _LIMITS),
    Fact("platform", "roles and permissions: every client may do everything", False, "official", _SPEC),
    Fact("platform", "inin-ratelimit headers", False, "measured", "seen in 2021, not since"),
    Fact("CDN", "config.json and domains.json; 403 for an unknown object", True, "measured",
         "third-party measurement, October 2026"),
    Fact("guest", "all twelve actions", True, "official", _JAVA),
    Fact("guest", "resumeToken and disconnectCustomer: names without a known use, answered by guess", True,
         "inferred", _JAVA),
    Fact("guest", "order of checks: JSON, action, token, rate, session, expiry, then the action's own", True,
         "inferred", "not documented"),
    Fact("guest", "texts of 4011, 4013, 403 and 'Deployment not found'; other texts are the sandbox's own",
         True, "official", _MOBILE),
    Fact("guest", "error frames carry the request's tracingId", True, "inferred", "the model allows it"),
    Fact("guest", "custom attributes beside `message` are accepted and ignored (switch: legacy_attributes)",
         True, "documented", "vendor's announcement, in force since 2026-06-05"),
    Fact("guest", "echo to every connection, times that only grow by at least 1 ms", True, "measured",
         "captured frames; the growth is the sandbox's own care"),
    Fact("guest", "three connections; a fourth pushes out the oldest with ConnectionClosedEvent", True,
         "documented", _LIMITS),
    Fact("guest", "closes the socket 5 s after ConnectionClosedEvent or LogoutEvent if the client does not",
         True, "inferred", "clients always close first"),
    Fact("guest", "no idle time-out and no maximum age of a socket; no ping from the server", True, "inferred",
         "not documented; faults.close(1001) plays it"),
    Fact("guest", "72 h idle life, restarted by every message of either side, not by echo or typing", True,
         "documented", "vendor's messenger documentation"),
    Fact("guest", "SessionExpiredEvent pushed at expiry and to every later action of that socket", True,
         "official", _MOBILE),
    Fact("guest", "a read-only session does not expire", True, "inferred", "not documented"),
    Fact("guest", "clear, close, disconnect (Send, ReadOnly) and start-new sequences", True, "official", _MOBILE),
    Fact("guest", "both `reason` and `reasonCode` in ConnectionClosedEvent", True, "inferred",
         "two official sources disagree"),
    Fact("limits", "5 messages/s per session, 60 requests/min per connection, 60 configures/min, echo 2/min",
         True, "documented", _LIMITS),
    Fact("limits", "one typing event in 5 s, ended early by a message; excess is answered with 429", True,
         "inferred", "the pace is documented, the answer is not"),
    Fact("limits", "text 4096 and attributes 2048, both counted in UTF-8 bytes", True, "inferred",
         "numbers documented, unit of the text not"),
    Fact("history", "newest first, typing left out, empty past the end, ten a minute", True, "documented",
         "three clients rely on the order"),
    Fact("history", "JWT for one minute; a platform token is 401 bad.credentials", True, "documented",
         "the status for a platform token is inferred"),
    Fact("attachments", "upload and download on real addresses, ten minutes each; codes 4000-4010, 4102", True,
         "documented", "official SDK and vendor's limits page"),
    Fact("attachments", "content check: announced size, EICAR test string, Windows programs", True, "inferred",
         "what the cloud's scan looks for is not documented"),
    Fact("signed-in", "exchange, configureAuthenticatedSession, refresh, step-up, revoke, 4017", True, "official",
         _MOBILE),
    Fact("signed-in", "JWT lives 15 minutes, refresh token 24 hours", True, "inferred", "not documented"),
    Fact("signed-in", "OpenID provider page at /openid/authorize, three people, no passwords", True, "inferred",
         "the sandbox's own; a company brings its provider"),
    Fact("conversations", "begins with the guest's first message; its id is never sent to the guest", True,
         "measured", "independent clients"),
    Fact("conversations", "a message within 72 h after the end continues it (threading)", True, "documented",
         "vendor's default"),
    Fact("agent", "read, send, type, attach, wrap up, disconnect by REST, also with client credentials", True,
         "inferred", "whether a client may send is not documented"),
    Fact("agent", "agentless and agent-initiated messages", False, "official", _SPEC),
    Fact("open messaging", "integrations, inbound message; agent's answer to a signed webhook on loopback",
         True, "official", _SPEC),
    Fact("open messaging", "webhooks to other machines", False, "inferred", "nothing leaves this machine"),
    Fact("push devices", "register, update, remove; nothing is pushed", True, "official", _MOBILE),
    Fact("legacy web chat", "404, saying that it has ended", True, "inferred",
         "ended November 2025; what the paths answer since is not documented"),
    Fact("analytics", "analytics, recordings, transcripts", False, "official", _SPEC),
)  # fmt: skip


def explain() -> str:
    """The table as text, what it does first."""
    parts = [
        "What this sandbox does, and how well each fact is known. Nothing here was checked against the real "
        "cloud by us; `guestlab probe --record` asks one.",
        *_table("Does", True),
        *_table("Does not", False),
    ]
    return "\n".join([textwrap.fill(parts[0], 110), *parts[1:]]) + "\n"


def _table(title: str, does: bool) -> list[str]:
    lines = ["", title, "-" * len(title)]
    for fact in FACTS:
        if fact.does == does:
            lines.append(f"{fact.area}: {fact.what}")
            lines.append(f"    {fact.level}: {fact.source}")
    return lines
