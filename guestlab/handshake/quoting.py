"""Quotes what somebody did without repeating their secrets.

Diagnosis texts and reprs are shown, saved and pasted into support cases, so nothing that opens anything may
stand in them: query values, bearer tokens, JSON Web Tokens, guest tokens and channel addresses become
`[masked]`. A value that is masked already stays as it is. Pure; the log's own redaction is stronger, as it
knows the secrets by value. Text from the wire is hostile: it is cut and its control characters are shown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["MASK", "is_masked", "is_placeholder", "quote_frame", "quote_text", "quote_url"]

MASK = "[masked]"

_MASKED = re.compile(r"\[masked(?::[0-9A-Za-z]*)?\]")

_OPEN_PARAMETERS = frozenset(
    [
        "deploymentid",
        "deployment_id",
        "deployment",
        "application",
        "action",
        "pagesize",
        "pagenumber",
        "expand",
        "connectiontype",
        "grant_type",
        "response_type",
        "code_challenge_method",
        "scope",
        "region",
        "lang",
        "language",
        "version",
        "events",
        "prefetchconversationid",
        "queueid",
        "flowid",
        "queue",
        "flow",
        "skill",
        "skills",
    ]
)
"""Query and form parameters whose value opens nothing."""

_OPEN_KEYS = frozenset(
    [
        "action",
        "type",
        "class",
        "code",
        "startnew",
        "deploymentid",
        "command",
        "event",
        "eventtype",
        "contenttype",
        "errorcode",
        "retryafter",
        "readonly",
        "connected",
        "newsession",
        "grant_type",
        "topicname",
        "direction",
        "reason",
        "status",
    ]
)
"""Frame keys whose plain value opens nothing."""

# Order matters: a JWT inside a header value is masked with the header.
_SECRETS = (
    re.compile(r"(?i)\b(?P<keep>bearer|basic|guest)\s+[^\s\"',;\[]{4,}"),
    re.compile(r"(?P<keep>)\beyJ[A-Za-z0-9_\-]{4,}(?:\.[A-Za-z0-9_\-]*)*"),
    re.compile(
        r"(?i)(?P<keep>[\"']?\b(?:access_?token|guest_?token|session_?token|refresh_?token|id_?token|resume_?token"
        r"|client_?secret|code_verifier|password|assertion|api_?key|secret|jwt|token)[\"']?\s*[=:]\s*[\"']?)"
        r"(?!\[masked)[^\s\"'&,;}\[]{4,}"
    ),
    # Said in words: "my client secret is s3cr3t", "cookie SESS=1". A plain word is no secret.
    re.compile(
        r"(?i)(?P<keep>\b(?:secret|password|passwd|pass|cookie)\b(?:\s+(?:is|was|of)\s+|\s*[:=]\s*|\s+)[\"']?)"
        r"(?!\[masked)(?=[^\s\"',;]*[\d=_])[^\s\"',;]{4,}"
    ),
    re.compile(r"(?P<keep>\bauth\s*[=:]\s*[(\[]\s*[\"'][^\"']*[\"']\s*,\s*[\"'])(?!\[masked)[^\"']+"),
    # A HAR that does not parse, such as a torn one: {"name": "Cookie", "value": "…"}.
    re.compile(
        r"(?i)(?P<keep>\"(?:cookie|set-cookie|authorization|proxy-authorization|x-api-key)\"\s*,\s*\"value\""
        r"\s*:\s*\")(?!\[masked)[^\"]+"
    ),
    re.compile(r"(?P<keep>\bcode=)(?!\[masked)(?!\d+\b)[^\s\"'&]{4,}"),
    re.compile(r"(?P<keep>/channels/)[^\s\"'?&\[]+"),
    re.compile(r"(?P<keep>/v1/token/)[^\s\"'?&\[]+"),
    re.compile(r"(?i)(?P<keep>[a-z]+://)[^\s/@\"']+:[^\s/@\"']+@"),
    re.compile(r"(?P<keep>)\b(?=[A-Za-z_\-]*\d)(?=[\w\-]*[A-Za-z])(?!(?:[0-9a-fA-F]+-){4})[\w\-]{32,}\b"),
)


def is_masked(value: object) -> bool:
    """Tell whether a value is a mask, so that nobody judges its shape."""
    return isinstance(value, str) and _MASKED.search(value) is not None


def is_placeholder(value: object) -> bool:
    """Tell whether a value stands for another one: `{name}`, `${NAME}`, `<deployment id>`, `%s`."""
    return isinstance(value, str) and value.strip()[:1] in {"{", "<", "$", "%", "["} and not is_masked(value)


def quote_text(text: object, limit: int = 200) -> str:
    """Quote a text on one line: secrets masked, control characters shown, cut at `limit` characters."""
    quoted = str(text)[: 8 * limit]
    for secret in _SECRETS:
        quoted = secret.sub(lambda found: f"{found['keep']}{_space(found['keep'])}{MASK}", quoted)
    quoted = "".join(c if c.isprintable() else "\\n" if c == "\n" else f"\\x{ord(c):02x}" for c in quoted)
    return quoted if len(quoted) <= limit else quoted[: limit - 1] + "…"


def _space(kept: str) -> str:
    """Keep the blank between an authorization scheme and its mask."""
    return " " if kept[-1:].isalpha() else ""


def quote_url(url: object, limit: int = 300) -> str:
    """Quote a URL; of the query only harmless values stay readable."""
    text = str(url)
    head, mark, query = text.partition("?")
    if not mark:
        return quote_text(head, limit)
    parts = (_quote_parameter(part) for part in query.partition("#")[0].split("&"))
    return quote_text(head, limit) + "?" + quote_text("&".join(parts), limit)


def _quote_parameter(part: str) -> str:
    name, mark, value = part.partition("=")
    if not mark or not value or is_masked(value) or name.lower() in _OPEN_PARAMETERS:
        return part
    return f"{name}={MASK}"


def quote_frame(frame: object, limit: int = 240) -> str:
    """Quote a frame: its keys, and the values that open nothing."""
    if isinstance(frame, Mapping | list | tuple):
        return quote_text(json.dumps(_outline(frame, 0), ensure_ascii=False), limit)
    return quote_text(frame, limit)


def _outline(value: Any, depth: int, key: str = "") -> Any:
    if depth > 4:
        return "…"
    if isinstance(value, Mapping):
        return {str(k)[:60]: _outline(v, depth + 1, str(k)) for k, v in list(value.items())[:20]}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_outline(item, depth + 1) for item in value[:5]]
    if (
        isinstance(value, bool | int | float)
        or value is None
        or is_masked(value)
        or key.lower() in _OPEN_KEYS
    ):
        return value
    if key in {"body", "errorMessage", "message", "text"}:
        return str(value)[:80]
    return "…"
