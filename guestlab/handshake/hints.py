"""What a number usually means where no rule can be sure: the hints inside an `unexplained` finding.

Rows of (lane, number) with what it points to and what to look at first. None of them is a verdict: a proxy, a
gateway or a load balancer may have spoken instead of Genesys Cloud, and a number alone does not tell which.
Sources: RFC 9110 (statuses), RFC 6455 section 7.4 and the IANA close code registry (close codes). Pure.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from guestlab.handshake.answerers import answered_by
from guestlab.handshake.quoting import quote_text
from guestlab.handshake.targets import Target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from guestlab.handshake.reading import Reading

__all__ = ["GRANTS", "Hint", "asks_for_unknown_grant", "hint_of"]


class Hint(NamedTuple):
    """What a number points to, without proving it."""

    points_to: str
    look: str
    """What to look at first."""


_MOVED = Hint(
    points_to=(
        "A redirect does not come from the guest socket: it points to http:// where https/wss belongs, to a "
        "wrong host, or to the login page of a proxy."
    ),
    look=(
        "Look where the header Location points; compare scheme, host and path with "
        "wss://webmessaging.{region}/v1, and try a network without the proxy."
    ),
)
_BETWEEN = Hint(
    points_to=(
        "It comes from a gateway or a proxy in between, or from a service that is away for the moment; the "
        "request itself need not be wrong."
    ),
    look=(
        "Try again after some seconds; look at the headers Server and Via to see who answered, and try a "
        "network without the proxy."
    ),
)

_STATUSES: Mapping[int, Hint] = {
    301: _MOVED,
    302: _MOVED,
    303: _MOVED,
    307: _MOVED,
    308: _MOVED,
    200: Hint(
        points_to=(
            "200 is an ordinary answer: the upgrade was not understood as one. Its headers did not arrive, "
            "or a proxy or portal answered by itself."
        ),
        look="Open it with a WebSocket client over HTTP/1.1, and look at the body and at Server and Via.",
    ),
    400: Hint(
        points_to=(
            "400 is how a server refuses an upgrade whose form is wrong (RFC 6455 section 4.2.1): Upgrade, "
            "Connection, Sec-WebSocket-Key or -Version missing or taken away by a proxy, or HTTP/2, where "
            "these headers do not exist."
        ),
        look=(
            "Look at the raw request; use a WebSocket client, by curl with --http1.1, and see whether a "
            "proxy rewrites the headers."
        ),
    ),
    404: Hint(
        points_to=(
            "404 is about the path. Where it is /v1, as it should be, a proxy or another host behind it "
            "has answered."
        ),
        look=(
            "Look at Server and Via in the answer, check what the name resolves to, and that the path goes "
            "out as /v1 (tools and proxies rewrite it)."
        ),
    ),
    407: Hint(
        points_to=(
            "407 is spoken by proxies only (RFC 9110 section 15.5.8): one in between wants credentials of its"
            " own, and nothing reached Genesys Cloud."
        ),
        look=(
            "Give the proxy's user and password to the client (HTTPS_PROXY, --proxy-user, proxy=), or go past"
            " it."
        ),
    ),
    408: _BETWEEN,
    414: Hint(
        points_to=(
            "414 says that the address is longer than the one who answered takes (RFC 9110 section 15.5.15): "
            "it is about the length, not about what stands in it."
        ),
        look="Shorten it: the guest socket needs deploymentId alone, a UUID of 36 characters.",
    ),
    426: Hint(
        points_to=(
            "426 asks for another protocol: the headers Upgrade and Connection did not arrive, or the request"
            " went out as HTTP/2."
        ),
        look=(
            "Open it with a WebSocket client over HTTP/1.1 (curl: --http1.1), and see whether a proxy takes "
            "the upgrade headers away."
        ),
    ),
    500: _BETWEEN,
    502: _BETWEEN,
    503: _BETWEEN,
    504: _BETWEEN,
}
_CLOSES: Mapping[int, Hint] = {
    1000: Hint(
        points_to="1000 is a normal end: one side closed on purpose, and the number names no fault.",
        look="See which side closed first, and what was sent last before it.",
    ),
    1002: Hint(
        points_to="1002 means that one side broke the WebSocket protocol itself, not the guest protocol.",
        look="Look for a proxy that touches the stream, and for hand-written framing; use a known library.",
    ),
    1003: Hint(
        points_to="1003 refuses the kind of data: the guest socket takes texts, no binary frames.",
        look="Send each frame as text, with one JSON object in it.",
    ),
    1007: Hint(
        points_to="1007 says that a text was no valid UTF-8.",
        look="Encode frames as UTF-8.",
    ),
    1008: Hint(
        points_to=(
            "1008 is a refusal by policy: of the last frame, or by a firewall or gateway in between; it names"
            " no cause."
        ),
        look=(
            "Compare the frame sent last with what the guest protocol knows; guestlab diagnose --sent-frame "
            "does."
        ),
    ),
    1011: Hint(
        points_to=(
            "1011 says that the server met a condition it did not expect; the request need not be wrong."
        ),
        look=(
            "Connect again with the same guest token, waiting longer each time; if it stays, look at the last"
            " frame sent."
        ),
    ),
    1012: Hint(
        points_to="1012 means that the service restarts.",
        look="Connect again with the same guest token after a random pause.",
    ),
    1013: Hint(
        points_to="1013 means that the service is overloaded and asks to try again later.",
        look="Connect again with the same guest token, waiting longer each time.",
    ),
    1014: Hint(
        points_to="1014 is a gateway's bad answer from the server behind it.",
        look="Connect again with the same guest token after some seconds.",
    ),
    1015: Hint(
        points_to="1015 is never sent: the client says by it that TLS was not agreed on.",
        look=(
            "Check the certificate and whether a proxy opens TLS: guestlab attempt shows the step it ends at."
        ),
    ),
}

_ACTIVE = Hint(
    points_to=(
        "The deployment is Active and this Origin is let in, so neither an inactive id nor the Origin "
        "explains the 403. What remains: it was looked up in another region than this socket's; a change that"
        " has not reached every copy yet (published files lag some minutes); a proxy or firewall that answers"
        " by itself."
    ),
    look=(
        "Compare the socket's region with the one it was looked up in, look at Server and Via in the answer, "
        "wait some minutes after a change, and try another network."
    ),
)
_BARE_401 = Hint(
    points_to=(
        "With deploymentId in the query a bare 401 is not what the guest socket is known to answer; a proxy "
        "in between, or a gateway that did not get the query, may have spoken."
    ),
    look="See in the raw bytes whether deploymentId really went out, and repeat it past the proxy.",
)
_NO_SUCH_GRANT = Hint(
    points_to=(
        "The login service publishes four grants: client_credentials, authorization_code (with PKCE or a "
        "secret), refresh_token and SAML2 bearer. The grant asked for is none of them."
    ),
    look=(
        "For a server of your own use client_credentials; to act for a person, authorization_code with PKCE."
    ),
)
GRANTS = frozenset(
    {
        "client_credentials",
        "authorization_code",
        "refresh_token",
        "urn:ietf:params:oauth:grant-type:saml2-bearer",
    }
)
"""Grants the login service publishes (login.mypurecloud.com, authorization server metadata)."""


def hint_of(reading: Reading) -> Hint | None:
    """Find what the evidence points to without proving it; None where it points nowhere."""
    evidence = reading.evidence
    if asks_for_unknown_grant(reading):
        return _NO_SUCH_GRANT
    if hint := _of_answer(reading) or _of_words(reading):
        return hint
    if reading.note.ended_at == "blocked":
        return _BLOCKED
    if reading.target not in {Target.GUEST, Target.UNKNOWN, Target.CHANNEL}:
        return _STATUSES.get(evidence.http_status or 0) if evidence.http_status in _BY_OTHERS else None
    if evidence.http_status == 403 and (evidence.deployment_status or "").lower() == "active":
        return _ACTIVE
    if evidence.http_status in _ANSWERED_BY_OTHERS and (marks := answered_by(reading)):
        return _written_by_another(evidence.http_status or 0, marks)
    if evidence.http_status == 401 and reading.at_guest_socket and reading.deployment_id:
        return _BARE_401
    if evidence.http_status not in {None, 101}:
        return _STATUSES.get(evidence.http_status or 0)
    return _CLOSES.get(evidence.close_code or 0)


_ANSWERED_BY_OTHERS = frozenset({200, 400, 401, 403, 404})


def _written_by_another(status: int, marks: str) -> Hint:
    """Name what in between answered."""
    return Hint(
        points_to=(
            f"This {status} bears the mark of something in between ({marks}): a proxy, firewall or portal "
            "seems to "
            "have answered by itself, and then it says nothing about deployment, Origin or token."
        ),
        look="Ask the people who run it to let wss://webmessaging.{region} through; try without it.",
    )


_NO_JSON = Hint(
    points_to="The frame as given is no JSON object: it was cut off, or mistyped.",
    look="Give it whole, as it came.",
)
_FILE_REFUSED = Hint(
    points_to=(
        "The deployment's public file is not there: 403 and 404 are how the storage behind it answers for "
        "one that "
        "does not exist (inferred), so the id is mistyped, of another region, or the deployment was never "
        "published."
    ),
    look="Compare id and region with Admin > Message > Messenger Deployments; guestlab preflight can search.",
)
_ENDED_OPEN = Hint(
    points_to=(
        "1006 after the socket was open means that the connection ended without a close frame: the "
        "network, a proxy "
        "or the server dropped it. It is no answer to a frame."
    ),
    look=(
        "See whether configureSession went out and what came back; try it past the proxy, and connect "
        "again with "
        "the same guest token."
    ),
)
_BY_WORDS: tuple[tuple[str, Hint], ...] = (
    (
        r"unexpected keyword argument '(?:extra|additional)_headers'",
        Hint(
            points_to=(
                "The websockets library calls the argument additional_headers since version 14, and "
                "extra_headers before (its changelog): the call failed before anything was sent."
            ),
            look="Use the name that fits the version installed: pip show websockets.",
        ),
    ),
    (
        r"(?:missing|invalid) (?:Sec-WebSocket-Accept|Connection|Upgrade) header|Invalid(?:Upgrade|Header)",
        Hint(
            points_to=(
                "The answer to the upgrade lacks headers that every 101 has (RFC 6455 section 4.2.2): "
                "something in between answered by itself, or took them away."
            ),
            look="Look at the raw answer (guestlab attempt), at Server and Via; try it without a proxy.",
        ),
    ),
)


def _of_words(reading: Reading) -> Hint | None:
    """What a program's words point to, where no number does."""
    if reading.reply.raw is not None and not reading.reply.fields:
        return _NO_JSON
    if reading.target is Target.DEPLOYMENT_FILE and reading.evidence.http_status in {403, 404}:
        return _FILE_REFUSED
    if reading.is_open and reading.evidence.close_code == 1006 and not reading.is_configured:
        return _ENDED_OPEN
    return next((hint for words, hint in _BY_WORDS if reading.note.has(words)), None)


_BLOCKED = Hint(
    points_to=(
        "The browser blocked it by itself (an extension, a content security policy, an administrator's "
        "rule): nothing was sent."
    ),
    look="Try a window without extensions, and look at connect-src in the page's Content-Security-Policy.",
)
_PERMISSION = re.compile(
    r"permission\(?s?\)?:?\s*\[?([A-Za-z]+:[\w*]+:[\w*]+(?:,\s*[A-Za-z]+:[\w*]+:[\w*]+)*)"
)
_POST_IT = Hint(
    points_to="405 is about the method: /oauth/token takes a POST.",
    look="Send it as POST, form-encoded, with the client's id and secret as Basic.",
)
_REDIRECT_URI = Hint(
    points_to="The answer speaks of redirect_uri: it must be one the OAuth client lists, to the letter.",
    look="Compare it, scheme, slash and port included, with Admin > Integrations > OAuth, and encode it.",
)


def _of_answer(reading: Reading) -> Hint | None:
    """What the answer itself names."""
    evidence = reading.evidence
    at_login = reading.target in {Target.TOKEN, Target.AUTHORIZE}
    login_host = reading.host is not None and reading.host.label == "login"
    if evidence.http_status == 405 and (at_login or login_host):
        return _POST_IT
    if (at_login or login_host) and re.search(r"redirect.?uri", reading.answer_text) and reading.refused:
        return _REDIRECT_URI
    named = _PERMISSION.search(evidence.body or "") if evidence.http_status == 403 else None
    if named is None:
        return None
    return Hint(
        points_to=f"The answer names what is missing: the permission {quote_text(named[1], 200)}.",
        look="Give a role with it to the OAuth client: Admin > Integrations > OAuth > Roles.",
    )


_BY_OTHERS = frozenset({407, 502, 503, 504})
"""Statuses that say the same wherever the request went."""


def asks_for_unknown_grant(reading: Reading) -> bool:
    """Tell whether a token request names a grant that the login service does not publish."""
    grant = reading.fields.get("grant_type", "")
    plain = grant.strip().lower()
    named = bool(plain) and plain[:1] not in "{<$%["
    return reading.target is Target.TOKEN and named and plain not in GRANTS and not reading.succeeded
