"""Evidence in, findings out: the verdict on one attempt.

Every rule of `RULES` judges the evidence. The findings are ordered so that the best comes first: confirmed
before likely, and within each in the order of the table, which puts what comes first on the way first. A
rule that yields to another one that fired stays silent. When nothing fires, the attempt is either right
(`ok`) or, if anything failed, `unexplained` with the raw evidence: never a guess. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Unpack

from guestlab.errors import InputError
from guestlab.handshake.evidence import Evidence
from guestlab.handshake.frame_check import check_frame
from guestlab.handshake.hints import asks_for_unknown_grant, hint_of
from guestlab.handshake.inventions import find_inventions
from guestlab.handshake.outcome_words import frame_code_told, status_printed
from guestlab.handshake.reading import Reading
from guestlab.handshake.rules import RULES, UNEXPLAINED
from guestlab.handshake.rules_network import BEFORE_UPGRADE
from guestlab.handshake.targets import Target
from guestlab.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guestlab.handshake.facts import Facts
    from guestlab.handshake.rule import Confidence, Level, Match, Rule

__all__ = ["Diagnosis", "Finding", "diagnose"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One rule that fired, in words."""

    rule: str
    """The rule's fixed name, or "unexplained"."""
    what: str
    """What is wrong, in one sentence."""
    why: str
    """Why that cannot work."""
    next_step: str
    """The one thing to change."""
    level: Level
    """What the knowledge is worth: official, documented, measured or inferred."""
    confidence: Confidence
    """confirmed: the evidence fits the rule whole. likely: the best reading of it. How far the rule itself
    can be trusted is its level."""
    evidence: tuple[str, ...]
    """The facts it rests on, masked."""
    sources: tuple[str, ...]
    """Where the knowledge is from."""
    retryable: bool = False
    """Whether the same attempt, unchanged, may succeed later."""

    @property
    def known(self) -> str:
        """Level and confidence in words: two questions, two answers."""
        return f"how well known: {self.level}; fits this case: {self.confidence}"

    def __str__(self) -> str:
        lines = [f"{self.rule}  ({self.known})", f"  {self.what}"]
        lines += [f"  Why:      {self.why}", f"  Next:     {self.next_step}"]
        lines += [f"  Evidence: {fact}" for fact in self.evidence]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """The findings on one attempt, best first."""

    findings: tuple[Finding, ...] = ()
    remarks: tuple[str, ...] = ()
    """Names in it that belong to nothing (headers, scopes, packages): no fault, but nothing to build on."""
    evidence: Evidence = field(default_factory=Evidence, repr=False, compare=False)
    """What was judged."""

    @property
    def ok(self) -> bool:
        """Whether there is nothing to find fault with."""
        return not self.findings

    @property
    def top(self) -> Finding | None:
        """The best finding, or None when all is well."""
        return self.findings[0] if self.findings else None

    @property
    def rules(self) -> tuple[str, ...]:
        """The names of the rules that fired, best first."""
        return tuple(finding.rule for finding in self.findings)

    @property
    def remaining(self) -> str:
        """What can be said where there is no finding: that it works, or only that no fault is seen."""
        return _WORKS if Reading(self.evidence).has_worked else _NO_FAULT_SEEN

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        from guestlab.display import diagnosis_html

        return {"text/plain": visible(str(self)), "text/html": diagnosis_html(self)}

    def __bool__(self) -> bool:
        return True  # an `ok` diagnosis is still a diagnosis

    def __repr__(self) -> str:
        return f"<Diagnosis {', '.join(self.rules) or 'ok'}>"

    def __str__(self) -> str:
        lines = [f"{number}. {finding}" for number, finding in enumerate(self.findings, 1)]
        lines = lines or [f"ok: {self.remaining}"]
        return "\n".join([*lines, *(f"Beside: {remark}" for remark in self.remarks)])


_WORKS = "nothing here is wrong."
_NO_FAULT_SEEN = "nothing is wrong in what was shown; no outcome was given."


def diagnose(attempt: Any = None, /, **description: Unpack[Facts]) -> Diagnosis:
    """Explain an attempt, performed or described.

    >>> diagnose(url="wss://webmessaging.mypurecloud.com/v1?access_token=x", http_status=401).rules[0]
    'upgrade.deployment-missing'

    Args:
        attempt: An `Attempt`, an `Evidence`, or anything with `.evidence`. Leave it out to describe one.
        description: The facts, by name: url, method, headers, subprotocols, token_kind, placement,
            first_frame, sent_frame, request_body, http_status, response_headers, close_code, body, frame,
            note, and what is known of the deployment. Every one is optional.

    Raises:
        InputError: What was given is no attempt, or a fact has no such name or form.
    """
    return _diagnosed(_evidence_of(attempt, {**description}))


def _evidence_of(attempt: Any, description: dict[str, Any]) -> Evidence:
    if attempt is None:
        return Evidence.of(**description)
    evidence = getattr(attempt, "evidence", None)
    if not isinstance(evidence, Evidence):
        raise InputError(
            f"{type(attempt).__name__} cannot be diagnosed.",
            why="It has no evidence: only attempts, evidence and descriptions can be judged.",
            next_step=(
                "Describe it by name, as in diagnose(url=…, http_status=…), or paste it to diagnose_text."
            ),
        )
    if not description:
        return evidence
    known = {name: getattr(evidence, name) for name in Evidence.__dataclass_fields__}
    return Evidence.of(**{**known, **description})


def _diagnosed(evidence: Evidence) -> Diagnosis:
    """Judge; where only the note has the number that came back, what rests on it is likely at best."""
    bare = _judged(evidence)
    told = _told_number(evidence)
    if told is None:
        return bare
    sure = {finding.rule for finding in bare.findings if finding.confidence == "confirmed"}
    findings = [
        finding if finding.rule in sure else replace(finding, confidence="likely", evidence=_as_told(finding))
        for finding in _judged(told).findings
    ]
    if all(finding.rule == UNEXPLAINED for finding in findings):
        return bare
    findings.sort(key=lambda finding: (finding.rule != UNEXPLAINED, finding.confidence != "confirmed"))
    return Diagnosis(findings=tuple(findings), remarks=bare.remarks, evidence=evidence)


def _told_number(evidence: Evidence) -> Evidence | None:
    """The evidence with the status or the frame code that the note has, where none is known otherwise."""
    if not evidence.note or evidence.http_status not in {None, 101} or evidence.frame is not None:
        return None
    status = status_printed(evidence.note) if evidence.url and evidence.http_status is None else None
    if status is not None:
        return replace(evidence, http_status=status)
    code = frame_code_told(evidence.note) if evidence.close_code is None else None
    return replace(evidence, frame={"code": code}) if code is not None else None


def _as_told(finding: Finding) -> tuple[str, ...]:
    """The evidence, a frame that was only told of not quoted as one that was seen."""
    return tuple(
        line.replace("frame received (lane frame)", "told of a frame (lane frame)")
        for line in finding.evidence
    )


def _judged(evidence: Evidence) -> Diagnosis:
    reading = Reading(evidence)
    matches = {rule: match for rule in RULES if (match := rule.matches(reading)) is not None}
    fired = {rule.name for rule in matches}
    findings = [
        _finding(rule, match) for rule, match in matches.items() if not fired.intersection(rule.yields_to)
    ]
    unanswered = evidence.failed_step == "upgrade" and evidence.http_status is None
    if (
        evidence.failed_step in BEFORE_UPGRADE or unanswered
    ):  # nothing was asked, so nothing else can be confirmed
        findings = [
            finding if finding.rule.startswith("network.") else replace(finding, confidence="likely")
            for finding in findings
        ]
    findings.sort(key=lambda finding: finding.confidence != "confirmed")  # stable: the table's order within
    left_over = bool(evidence.unread) and not reading.note.is_content
    fails = reading.has_failed or left_over or _says_nothing(reading) or asks_for_unknown_grant(reading)
    if not findings and fails:
        findings = [_unexplained(reading)]
    elif _status_left_open(reading, findings):
        findings = [_unexplained(reading), *findings]
    return Diagnosis(findings=tuple(findings), remarks=find_inventions(reading), evidence=evidence)


def _status_left_open(reading: Reading, findings: list[Finding]) -> bool:
    """Whether all that was found is beside the status that came back: the gateway gives it for no token."""
    status = reading.evidence.http_status or 0
    told = {finding.rule for finding in findings}
    beside = _OAUTH_THERE in told and told <= {_OAUTH_THERE, *_BESIDE}
    return beside and reading.at_guest_socket and status >= 400 and status not in _OF_THE_GATEWAY


_OF_THE_GATEWAY = frozenset({400, 401, 403, 404, 429})
"""Statuses that the guest socket's gateway is known or inferred to refuse an upgrade with."""
_OAUTH_THERE = "credential.oauth-on-guest-socket"
_BESIDE = ("upgrade.deployment-missing", "upgrade.subprotocol-not-used")


def _finding(rule: Rule, match: Match) -> Finding:
    def filled(template: str) -> str:
        return template.format_map(match.values) if template else ""

    return Finding(
        rule=rule.name,
        what=filled(match.what or rule.what),
        why=filled(match.why or rule.why),
        next_step=filled(match.next_step or rule.next_step),
        level=match.level or rule.level,
        confidence=match.confidence,
        evidence=match.evidence,
        sources=rule.sources,
        retryable=rule.retryable,
    )


def _says_nothing(reading: Reading) -> bool:
    """Nothing was tried and nothing came back: no ground to call anything right."""
    evidence = reading.evidence
    url = reading.address.host.strip("….") or None  # "https://…" is none
    tried = (url, evidence.first_frame, evidence.sent_frame, evidence.frame, evidence.http_status,
             evidence.request_body)  # fmt: skip
    return all(fact is None for fact in tried)


def _unexplained(reading: Reading) -> Finding:
    facts = tuple(_facts(reading))
    hint, look = hint_of(reading) or ("", "")
    return Finding(
        rule=UNEXPLAINED,
        what=_left_out(reading) or ("No rule explains this." if facts else "There is nothing to judge yet."),
        why=f"No known cause fits for certain. A hint, no more: {hint}" if hint else _TOO_LITTLE,
        next_step=look or _wanted(reading),
        level="inferred",
        confidence="likely",
        evidence=facts,
        sources=(),
    )


def _left_out(reading: Reading) -> str:
    """Say that the address was cut out of what was shown."""
    cut = "…" in reading.address.host or reading.address.host.strip(".") == "" != (reading.evidence.url or "")
    return "The URL is left out, so there is nothing to judge." if cut else ""


_TOO_LITTLE = (
    "The evidence fits none of the known causes, or is too little to tell them apart; a guess would be worse."
)


def _facts(reading: Reading) -> Iterator[str]:
    names = [name for name, _ in reading.evidence.quoted() if name != "method" or not reading.evidence.url]
    if reading.evidence.unread and reading.evidence.unread == reading.evidence.note:
        names.remove("note")
    yield from reading.lines(*names)
    for frame, first in ((reading.first, True), (reading.sent, False)):
        if frame and reading.is_guest:
            check = check_frame(frame.raw, first=first, deployment_id=reading.deployment_id)
            yield from (f"frame check: {remark}" for remark in check.remarks)


_WANTED = {
    Target.GUEST: "Repeat it with guestlab attempt, which keeps every byte, and compare a working one.",
    Target.PLATFORM: "Look at code and message in the answer's body; give ININ-Correlation-Id to support.",
    Target.TOKEN: "Look at error and error_description in the answer's body.",
}


def _wanted(reading: Reading) -> str:
    """What would help to tell."""
    missing = [
        name
        for name, value in (
            ("the URL", reading.evidence.url),
            ("the HTTP status", reading.evidence.http_status),
            ("the first frame", reading.evidence.first_frame),
        )
        if value is None
    ]
    if len(missing) >= 2:
        return f"Add what is known: {', '.join(missing)}, and what came back."
    history = reading.address.path.endswith("/webmessaging/messages")
    if history and reading.refused == 401:
        return (
            "Use the JWT that the getJwt frame returned (it lives a minute): this call takes no other token."
        )
    return _WANTED.get(reading.target, "Add what came back: status, headers, body, or the frame.")
