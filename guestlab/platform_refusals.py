"""What the Platform API refuses with, in plain words: its error envelope becomes a `PlatformError`.

Rows of (code or status → why, next step), pure. A refused permission is named: from the message where it
names one, otherwise from the operation's own row. Source of codes and wording: the Platform API's OpenAPI
document (level: official).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from guestlab.errors import PlatformError
from guestlab.platform_operations import operation_of

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["permissions_named", "refusal"]

_GIVE = "Admin > Integrations > OAuth > Roles"

_ADVICE: dict[str | int, tuple[str, str]] = {
    "authentication.required": (
        "No bearer token reached the platform.",
        "Send Authorization: Bearer with an access token; lab.token() issues one.",
    ),
    "bad.credentials": (
        "The token is unknown here: expired, revoked, of another region, or not an OAuth token at all.",
        "Issue a new one in this region with lab.token().",
    ),
    "ip.not.authorized": (
        "The organisation allows only listed addresses, and this machine's is not among them.",
        "Ask an administrator to add it to the allowed IP addresses, or call from one that is listed.",
    ),
    "not.a.user": (
        "The call is about 'me', and a client-credentials token has no user.",
        "Use a call that names the object, or a user token (authorization code with PKCE).",
    ),
    "not.a.client": (
        "The call wants a token without a user.",
        "Use a client-credentials token.",
    ),
    "app.not.authorized.for.scope": (
        "The OAuth client the person signed in to was not given the scope of this call.",
        f"Add the scope to that client ({_GIVE.removesuffix(' > Roles')}) and sign in again.",
    ),
    "too.many.requests": (
        "The token's budget of requests per minute is used up.",
        "Wait as long as the Retry-After header says.",
    ),
    "active.conversation": (
        "A conversation with this recipient is already running.",
        "Use that conversation, or pass useExistingActiveConversation.",
    ),
    401: ("The platform does not accept the credential.", "Issue a new token with lab.token()."),
    403: ("The token is valid but may not do this.", "Compare the roles of the OAuth client with the call."),
    404: (
        "There is no such object or path.",
        "Check the id, and the path against the Platform API's documentation.",
    ),
    408: ("The request arrived too slowly.", "Send it again."),
    409: (
        "The object is not in a state in which this can be done: ended, or changed meanwhile.",
        "Read the object again, then decide.",
    ),
    413: (
        "The request, or the answer it would have, is over the size limit.",
        "Ask for less at once: fewer ids, a smaller page, a shorter interval.",
    ),
    415: ("The platform takes JSON only.", "Send Content-Type: application/json."),
    429: ("The budget of requests is used up.", "Wait as long as the Retry-After header says."),
    500: ("The platform failed.", "Try again later and quote the correlation id to support."),
}
"""Code, or status for codes not listed → why, next step."""

_PERMITTING = re.compile(r"(?:missing\.|recording\.\w+\.view\.permission)|not\.authorized$|authz\.policy")
_PERMISSION = re.compile(r"\b[A-Za-z]+:[A-Za-z*]+:[A-Za-z*]+\b")

# Paths people were told to use and the call that was meant. Source: public forum answers, which are wrong.
_MEANT: dict[str, str] = {
    "/api/v2/conversations/messaging": (
        "To create a conversation from a server: POST "
        "/api/v2/conversations/messages/{integrationId}/inbound/open/message (lab.conversation() does it). "
        "A guest creates none: its first message on the socket does."
    ),
}

_COMMUNICATION = re.compile(r"/communications/[^/]+/")
_NO_COMMUNICATION = (
    "There is no such conversation, or it has no such communication: a participant's own id is none.",
    (
        "Pass the id of one of the agent's communications: messages[].id of that participant in "
        "platform.conversation(conversation_id)."
    ),
)


def permissions_named(envelope: dict[str, Any]) -> tuple[str, ...]:
    """The permissions a refusal names, in its message or its parameters.

    >>> permissions_named({"message": "You are missing the following permission(s): a:b:view, a:c:edit"})
    ('a:b:view', 'a:c:edit')
    """
    parameters = envelope.get("messageParams")
    texts = [envelope.get("message"), *(parameters.values() if isinstance(parameters, dict) else ())]
    found = [name for text in texts if isinstance(text, str) for name in _PERMISSION.findall(text[:5000])]
    return tuple(dict.fromkeys(found))


def refusal(
    method: str,
    path: str,
    status: int,
    envelope: dict[str, Any],
    *,
    correlation_id: str,
    redact: Callable[[str], str],
) -> PlatformError:
    """Make the error of one refused call."""
    code = str(envelope.get("code", ""))[:100]
    why, next_step = _advice(code, status, method, path, envelope)
    facts = [redact(str(envelope.get("message", ""))[:500])]
    if correlation_id:
        facts.append(redact(f"correlation id {correlation_id[:100]}"))
    return PlatformError(
        redact(f"{method} {path} was refused: HTTP {status} {code}".rstrip() + "."),
        why=why,
        next_step=redact(next_step),
        evidence=tuple(fact for fact in facts if fact),
        http_status=status,
        code=code,
        correlation_id=correlation_id,
    )


def _advice(code: str, status: int, method: str, path: str, envelope: dict[str, Any]) -> tuple[str, str]:
    if status == 404 and path in _MEANT:
        return f"The Platform API has no {method} {path}.", _MEANT[path]
    if status == 404 and _COMMUNICATION.search(path):
        return _NO_COMMUNICATION
    if status == 403 and (not code or _PERMITTING.search(code)):
        return _permission_advice(code, method, path, envelope)
    for key in (code, status, status // 100 * 100):
        if key in _ADVICE:
            return _ADVICE[key]
    return "The platform refused the request.", "Read the platform's message below."


def _permission_advice(code: str, method: str, path: str, envelope: dict[str, Any]) -> tuple[str, str]:
    named = permissions_named(envelope)
    one_is_enough = "any" in code
    asked = (" or " if one_is_enough else " and ").join(named) or operation_of(method, path).asks_for
    if not asked:
        return _ADVICE[403]
    where = "; its division counts too" if "division" in code else ""
    return (
        f"No role of the OAuth client holds the permission the call needs{where}: {asked}.",
        f"Give the OAuth client a role with {asked} ({_GIVE}).",
    )
