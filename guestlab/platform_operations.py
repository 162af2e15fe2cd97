"""The Platform API operations the lab knows: their names, the permissions they ask for, which of them write.

Rows of data and a look-up, pure. A write is named, and away from loopback it is sent only if its name was
allowed; so no request of the lab changes a real organisation by accident. Operations not listed here count
as writes unless their method is GET or HEAD. Source of paths and permissions: the Platform API's OpenAPI
document of July 2026, brought forward to Python SDK 269.0.0 (level: official).
"""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, NamedTuple

from guestlab.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["LABS_OWN_WRITES", "OPERATIONS", "WRITES", "Operation", "allowed_writes", "operation_of"]

SAFE_METHODS = frozenset({"GET", "HEAD"})


class Operation(NamedTuple):
    """One operation.

    Attributes:
        name: The verb of `PlatformApi` that calls it, as a rule.
        method: HTTP method.
        path: Below /api/v2, with its parameters in braces.
        permissions: Those of which the operation asks one (`any`) or all.
        writes: Whether it changes something; a POST that only asks does not.
        needs_all: Whether all permissions are asked for, or any one of them.
    """

    name: str
    method: str
    path: str
    permissions: tuple[str, ...] = ()
    writes: bool = False
    needs_all: bool = True

    @property
    def asks_for(self) -> str:
        """The permissions in words, "" when there is none.

        >>> operation_of("GET", "/api/v2/conversations/1f").asks_for
        'conversation:communication:view'
        """
        return (" and " if self.needs_all else " or ").join(self.permissions)


_VIEW = ("conversation:message:view", "conversation:webmessaging:view")
_CREATE = ("conversation:message:create", "conversation:webmessaging:create")
_ANALYTICS = ("analytics:conversationDetail:view", "analytics:agentConversationDetail:view")
# Two more suffice there, for screens and snippets: no recording of a messaging conversation is either.
_RECORDING = ("recording:recording:view", "recording:recordingSegment:view")
_USAGE = ("oauth:client:view", "usage:organization:view")
_DISCONNECT = ("conversation:communication:disconnect",)
_RECEIVE = ("conversation:message:receive",)
_OPEN = "/conversations/messaging/integrations/open"
_INBOUND = "/conversations/messages/{integrationId}/inbound/open"
_MESSAGES = "/conversations/messages/{conversationId}"
_COMMUNICATION = f"{_MESSAGES}/communications/{{communicationId}}"
_CHANNEL = "/notifications/channels/{channelId}/subscriptions"
_WRITES, _ANY = True, False

OPERATIONS: tuple[Operation, ...] = (
    # the caller
    Operation("token_info", "GET", "/tokens/me"),
    Operation("revoke_token", "DELETE", "/tokens/me", (), _WRITES),
    Operation("user_me", "GET", "/users/me"),
    # Open Messaging
    Operation("open_integrations", "GET", _OPEN, ("messaging:integration:view",)),
    Operation("create_open_integration", "POST", _OPEN, ("messaging:integration:add",), _WRITES),
    Operation("integration", "GET", f"{_OPEN}/{{integrationId}}", ("messaging:integration:view",)),
    Operation("send_open_message", "POST", f"{_INBOUND}/message", _RECEIVE, _WRITES),
    Operation("send_open_event", "POST", f"{_INBOUND}/event", _RECEIVE, _WRITES),
    Operation("send_open_receipt", "POST", f"{_INBOUND}/receipt", _RECEIVE, _WRITES),
    # conversations
    Operation("conversations", "GET", "/conversations"),
    Operation("message_conversations", "GET", "/conversations/messages"),
    Operation("conversation", "GET", "/conversations/{conversationId}", ("conversation:communication:view",)),
    Operation("message_conversation", "GET", _MESSAGES),
    Operation("messages", "POST", f"{_MESSAGES}/messages/bulk", _VIEW, False, _ANY),
    Operation("message", "GET", f"{_MESSAGES}/messages/{{messageId}}", _VIEW, False, _ANY),
    Operation("message_details", "GET", "/conversations/messages/{messageId}/details", _VIEW, False, _ANY),
    Operation("say", "POST", f"{_COMMUNICATION}/messages", _CREATE, _WRITES, _ANY),
    Operation("typing", "POST", f"{_COMMUNICATION}/typing", _CREATE, _WRITES, _ANY),
    Operation("disconnect", "POST", "/conversations/{conversationId}/disconnect", _DISCONNECT, _WRITES),
    Operation(
        "update_participant",
        "PATCH",
        f"{_MESSAGES}/participants/{{participantId}}",
        ("conversation:participant:wrapup", "conversation:call:record", *_DISCONNECT),
        _WRITES,
        _ANY,
    ),
    Operation(
        "set_attributes",
        "PATCH",
        "/conversations/{conversationId}/participants/{participantId}/attributes",
        (),
        _WRITES,
    ),
    Operation(
        "send_agentless",
        "POST",
        "/conversations/messages/agentless",
        ("conversation:message:create",),
        _WRITES,
    ),
    # what was said and done, afterwards
    Operation("details", "GET", "/analytics/conversations/{conversationId}/details", _ANALYTICS, False, _ANY),
    Operation("details_query", "POST", "/analytics/conversations/details/query", _ANALYTICS, False, _ANY),
    Operation("transcript", "GET", "/conversations/{conversationId}/recordings", _RECORDING, False, _ANY),
    Operation(
        "recording",
        "GET",
        "/conversations/{conversationId}/recordings/{recordingId}",
        _RECORDING,
        False,
        _ANY,
    ),
    Operation("usage", "POST", "/usage/query", _USAGE, False, _ANY),
    Operation("usage_results", "GET", "/usage/query/{executionId}/results", _USAGE, False, _ANY),
    # web deployments
    Operation("deployments", "GET", "/webdeployments/deployments", ("webDeployments:deployment:view",)),
    Operation(
        "deployment",
        "GET",
        "/webdeployments/deployments/{deploymentId}",
        ("webDeployments:deployment:view",),
    ),
    Operation(
        "configurations", "GET", "/webdeployments/configurations", ("webDeployments:configuration:view",)
    ),
    Operation(
        "configuration",
        "GET",
        "/webdeployments/configurations/{configurationId}/versions/{versionId}",
        ("webDeployments:configuration:view",),
    ),
    # notifications
    Operation("channels", "GET", "/notifications/channels"),
    Operation("create_channel", "POST", "/notifications/channels", (), _WRITES),
    Operation("subscriptions", "GET", _CHANNEL),
    Operation("subscribe", "POST", _CHANNEL, (), _WRITES),
    Operation("replace_subscriptions", "PUT", _CHANNEL, (), _WRITES),
    Operation("unsubscribe", "DELETE", _CHANNEL, (), _WRITES),
    Operation("available_topics", "GET", "/notifications/availabletopics"),
    # what a forum question did: there is no such operation, so it changes nothing
    Operation("conversation_as_asked", "POST", "/conversations/messaging"),
)
"""What `PlatformApi` has verbs for, and three more that name a permission."""

WRITES: frozenset[str] = frozenset(operation.name for operation in OPERATIONS if operation.writes)
"""Names of the operations that write."""

LABS_OWN_WRITES: frozenset[str] = frozenset(
    {
        "create_channel",
        "create_open_integration",
        "replace_subscriptions",
        "revoke_token",
        "send_open_message",
        "subscribe",
        "unsubscribe",
    }
)
"""Allowed unless told otherwise: what a verb of the lab does when it is called, and nothing else does.

Creating an integration has a permission of its own there (`create_integration=True`); channels,
subscriptions and the token belong to the caller; an inbound message is what `lab.conversation()` is for.
"""


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile("/api/v2" + re.sub(r"\{\w+\}", "[^/]+", path))


_PATTERNS = tuple((operation, _pattern(operation.path)) for operation in OPERATIONS)


def operation_of(method: str, path: str) -> Operation:
    """Look an operation up; one that is not listed is named by method and path, and writes unless safe.

    >>> operation_of("POST", "/api/v2/usage/query").name
    'usage'
    >>> operation_of("DELETE", "/api/v2/users/7").name
    'DELETE /api/v2/users/7'
    """
    method = method.upper()
    bare = path.partition("?")[0]
    fitting = [
        operation
        for operation, pattern in _PATTERNS
        if operation.method == method and pattern.fullmatch(bare)
    ]
    if fitting:  # `/conversations/messages` is no conversation of that id: fewest parameters win
        return min(fitting, key=lambda operation: operation.path.count("{"))
    return Operation(f"{method} {bare}", method, bare, (), method not in SAFE_METHODS)


def allowed_writes(names: Iterable[str]) -> frozenset[str]:
    """Check the names of writes; "METHOD /api/v2/…" stands for an operation without a verb.

    Raises:
        InputError: No write has that name.
    """
    if isinstance(names, str):
        names = (names,)
    wanted = frozenset(names)
    for name in sorted(wanted - WRITES):
        if "/api/v2/" in name:
            continue
        near = difflib.get_close_matches(name, WRITES, n=1, cutoff=0.5)
        raise InputError(
            f"{name!r} is no write of the Platform API here.",
            why=f"The writes are {', '.join(sorted(WRITES))}.",
            next_step=f"Did you mean {near[0]!r}?" if near else 'Name one of them, or "METHOD /api/v2/…".',
        )
    return wanted
