"""The shape of one diagnosis rule: a name, what it looks for, and the words it answers with.

A rule is a row of the `RULES` table. Its `judge` reads the evidence and answers with a `Match` or None; the
texts are templates over the match's values. A judge states what it used, so that a verdict can be checked,
and says "confirmed" only where the evidence itself shows the fault: never on the note alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from guestlab.handshake.reading import Reading

if TYPE_CHECKING:
    from guestlab.handshake.evidence import Evidence

__all__ = ["SOURCES", "Confidence", "Level", "Match", "Rule", "confirmed", "likely"]

Level = Literal["official", "documented", "measured", "inferred"]
Confidence = Literal["confirmed", "likely"]

SOURCES = {
    "java sdk": "MyPureCloud/web-messaging-sdk-java 18.1.0",
    "mobile sdk": "MyPureCloud/genesys-messenger-transport-mobile-sdk 2.14.0",
    "mobile sdk 129": "MyPureCloud/genesys-messenger-transport-mobile-sdk pull request 129",
    "platform sdk": "PureCloudPlatformClientV2 269.0.0 (official Python SDK)",
    "platform spec": "Genesys Cloud Platform API specification, July 2026",
    "limits": "Genesys Cloud limits page, as read in October 2026",
    "faq": "Genesys Cloud Resource Center, web messaging FAQ",
    "oauth metadata": "login.mypurecloud.com authorization server metadata",
    "oauth guide": "Genesys Cloud Developer Center, authorization",
    "notifications guide": "Genesys Cloud Developer Center, notification service",
    "open messaging guide": "Genesys Cloud Developer Center, Open Messaging",
    "deployments": "Genesys Cloud Resource Center, Messenger deployments",
    "announcement": "Genesys Cloud developer announcements",
    "gateway": "AWS API Gateway documentation, Lambda authorizers and quotas",
    "rfc 6455": "RFC 6455 The WebSocket Protocol",
    "rfc 6749": "RFC 6749 The OAuth 2.0 Authorization Framework",
    "rfc 7636": "RFC 7636 Proof Key for Code Exchange",
    "whatwg": "WHATWG WebSockets Standard",
    "fetch": "WHATWG Fetch Standard",
}
"""Public sources of the facts behind the rules, by short name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """That a rule fired, and why."""

    confidence: Confidence
    """confirmed: the evidence shows it; likely: it is the best reading of the evidence or of the note."""
    evidence: tuple[str, ...]
    """The lines the verdict rests on, masked."""
    values: Mapping[str, str] = field(default_factory=dict)
    """What the templates are filled with."""
    what: str = ""
    """A template that fits this case better than the rule's own; likewise the next three."""
    why: str = ""
    next_step: str = ""
    level: Level | None = None


Judge = Callable[[Reading], Match | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One row: when it fires and what it says."""

    name: str
    """Public and fixed for ever."""
    level: Level
    """What the knowledge behind the rule is worth."""
    sources: tuple[str, ...]
    """Where that knowledge is from."""
    what: str
    why: str
    next_step: str
    judge: Judge = field(repr=False)
    retryable: bool = False
    """Whether the same attempt, unchanged, may succeed later."""
    yields_to: tuple[str, ...] = ()
    """Rules that explain the same evidence better: when one of them fires, this one stays silent."""

    @property
    def words(self) -> str:
        """What it says, in one line without a case: "…" stands for what the evidence fills in."""
        bare = re.sub(r"(?<=\.) \{\w+\}$|: \{\w+\}(?=\.$)| \(\{\w+\}\)", "", self.what)
        return re.sub(r"\{\w+\}", "…", bare)

    def matches(self, evidence: Evidence | Reading) -> Match | None:
        """Judge one evidence."""
        return self.judge(evidence if isinstance(evidence, Reading) else Reading(evidence))


def confirmed(
    *evidence: str,
    what: str = "",
    why: str = "",
    next_step: str = "",
    level: Level | None = None,
    **values: str,
) -> Match:
    """Make a match that the evidence itself shows."""
    return _match("confirmed", evidence, {"what": what, "why": why, "next_step": next_step}, level, values)


def likely(
    *evidence: str,
    what: str = "",
    why: str = "",
    next_step: str = "",
    level: Level | None = None,
    **values: str,
) -> Match:
    """Make a match that is the best reading, no more."""
    return _match("likely", evidence, {"what": what, "why": why, "next_step": next_step}, level, values)


def _match(
    confidence: Confidence,
    evidence: tuple[str, ...],
    templates: dict[str, str],
    level: Level | None,
    values: Mapping[str, str],
) -> Match:
    return Match(
        confidence=confidence,
        evidence=tuple(dict.fromkeys(line for line in evidence if line)),
        values=values,
        level=level,
        **templates,
    )
