"""Asks a real organisation the open questions: what the guest socket answers where nothing is documented.

A handful of attempts, one after the other with a second between them: no token that is worth anything, no
Join, no message, every socket closed. The answers go into a JSON document with the deployment's id, its
domains and every secret taken out, so that it can be given away; the sandbox can play it back as *measured*.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from guestlab.errors import HandshakeError
from guestlab.matrix_run import ask_first

if TYPE_CHECKING:
    from guestlab.handshake.attempt import Attempt
    from guestlab.lab import Lab
    from guestlab.matrix_run import Confirm

__all__ = ["FORMAT", "QUESTIONS", "Question", "probe", "questions_for"]

FORMAT = "guestlab-observed/1"
"""Names the document's form."""

BETWEEN = 1.0
"""Seconds between two attempts."""

PUBLIC_DOCUMENTS = 6
"""Requests made beside the attempts, at most: to know what has to be taken out."""

_FRAME_NOT_JSON = "this is no JSON"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One thing nobody has documented, and the attempt that asks it."""

    name: str
    condition: str
    """The row of the sandbox's gateway table it settles; "" for what comes after the upgrade."""
    question: str
    attempt: dict[str, Any]
    """Arguments of `Lab.attempt`."""
    needs: str = ""
    """What must be given for it: "origin" or "inactive"; "" for nothing."""


QUESTIONS: tuple[Question, ...] = (
    Question(
        name="open",
        condition="open",
        question="Does the documented handshake open the socket?",
        attempt={},
    ),
    Question(
        name="deployment.missing",
        condition="deployment.missing",
        question="Status and body without deploymentId; is the body really empty?",
        attempt={"deployment_id": "missing"},
    ),
    Question(
        name="deployment.empty",
        condition="",
        question="The same with an empty deploymentId.",
        attempt={"deployment_id": "empty"},
    ),
    Question(
        name="deployment.unknown",
        condition="deployment.unknown",
        question="Status and body for an id nobody has.",
        attempt={"deployment_id": "unknown"},
    ),
    Question(
        name="deployment.other-region",
        condition="",
        question="Status and body for the right id at another region's host.",
        attempt={"deployment_id": "other_region"},
    ),
    Question(
        name="deployment.inactive",
        condition="deployment.inactive",
        question="Status and body for a deployment that is switched off.",
        attempt={},
        needs="inactive",
    ),
    Question(
        name="path.unknown",
        condition="path.unknown",
        question="Status and body for another path.",
        attempt={"url": "path"},
    ),
    Question(
        name="origin.absent",
        condition="",
        question="Is an Origin required?",
        attempt={"origin": "none"},
    ),
    Question(
        name="origin.unlisted",
        condition="origin.blocked",
        question="Status and body for an Origin that is not listed.",
        attempt={"origin": "unlisted"},
    ),
    Question(
        name="origin.with-port",
        condition="",
        question="Are ports of the Origin compared?",
        attempt={"origin": "with_port"},
        needs="origin",
    ),
    Question(
        name="authorization.irrelevant",
        condition="",
        question="Does an Authorization header that is worth nothing matter?",
        attempt={"credential": "garbage", "placement": "header"},
    ),
    Question(
        name="frame.unknown-action",
        condition="",
        question="The reply to an unknown action.",
        attempt={"first_frame": {"action": "guestlabProbe"}},
    ),
    Question(
        name="frame.not-json",
        condition="",
        question="The reply to a frame that is not JSON.",
        attempt={"first_frame": _FRAME_NOT_JSON},
    ),
)
"""In the order they are asked; the first tells whether the rest makes sense."""

LEFT_OPEN = ("Idle and total lifetime of the guest socket: needs a socket held open for hours.",)


def questions_for(lab: Lab, inactive: str | None = None) -> tuple[Question, ...]:
    """The questions that can be asked with what is given."""
    given = {"": True, "origin": lab.origin is not None, "inactive": inactive is not None}
    return tuple(question for question in QUESTIONS if given[question.needs])


def probe(
    lab: Lab,
    *,
    inactive: str | None = None,
    confirm: Confirm = None,
    between: float = BETWEEN,
    progress: Callable[[int, int], object] | None = None,
    sleep: Callable[[float], object] = time.sleep,
) -> dict[str, Any]:
    """Ask every question once and return the redacted document.

    Args:
        lab: Where; needs a deployment id, no OAuth client.
        inactive: The id of a deployment that is switched off, if there is one to ask about.
        confirm: Away from loopback: True, or a function told how many requests it would be.
        between: Seconds between two attempts.
        progress: Called with (asked, in all).
        sleep: Waits.

    Raises:
        InputError: Nobody confirmed.
        HandshakeError: The documented handshake does not open the socket.
    """
    questions = questions_for(lab, inactive)
    where = "the embedded sandbox" if lab.sandbox else lab.region.name
    ask_first(len(questions) + PUBLIC_DOCUMENTS, confirm, loopback=lab.region.is_loopback, where=where)
    hide = _Hider(lab, inactive)
    observations: list[dict[str, Any]] = []
    for number, question in enumerate(questions, 1):
        if observations:
            sleep(between)
        attempt = lab.attempt(**_arguments(lab, question, inactive))
        observations.append(_observation(question, attempt, hide))
        if question.name == "open" and not attempt.ok:
            raise HandshakeError(
                f"The handshake that should work does not: {hide(attempt.verdict)}.",
                why="With a deployment that does not open, no other answer could be told from its own.",
                next_step="Run guestlab preflight first, and mend what it names.",
                http_status=attempt.http_status,
            )
        if progress is not None:
            progress(number, len(questions))
    return {
        "format": FORMAT,
        "level": "measured",
        "recorded_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "region": "loopback" if lab.region.is_loopback else lab.region.name,
        "deployment": hide.facts,
        "observations": observations,
        "left_open": list(LEFT_OPEN),
    }


def _arguments(lab: Lab, question: Question, inactive: str | None) -> dict[str, Any]:
    arguments = dict(question.attempt)
    if question.needs == "inactive":
        arguments["deployment_id"] = inactive
    if arguments.get("url") == "path":
        arguments["url"] = lab.region.guest_url(lab.deployment_id).replace("/v1?", "/v0?")
    return arguments


def _observation(question: Question, attempt: Attempt, hide: _Hider) -> dict[str, Any]:
    return {
        "name": question.name,
        "condition": question.condition,
        "question": question.question,
        "step": attempt.step,
        "ok": attempt.ok,
        "status": attempt.http_status,
        "headers": [[hide(name), hide(value)] for name, value in attempt.response_headers],
        "body": hide(attempt.body),
        "body_size": attempt.body_size,
        "close_code": attempt.close_code,
        "frame_code": attempt.frame_code,
        "frames": [hide(answer) for answer in attempt.answers],
        "duration_ms": round(attempt.duration_ms, 1),
        "note": hide(attempt.steps[-1].note if attempt.steps else ""),
    }


class _Hider:
    """Takes out what tells whose deployment it is: ids, domains, the origin. Secrets are masked already."""

    def __init__(self, lab: Lab, inactive: str | None) -> None:
        self.facts = {
            name: value
            for name, value in lab.preflight().facts.items()
            if name in {"allow_all_domains", "deployment_status"}
        }
        domains = lab.allowed_domains()
        self._words = [(lab.deployment_id, "DEPLOYMENT_ID"), (inactive or "", "INACTIVE_DEPLOYMENT_ID")]
        self._words += [(domain, f"domain-{number}.example") for number, domain in enumerate(domains, 1)]
        origin = (lab.origin or "").removeprefix("https://").removeprefix("http://")
        self._words.append((origin, "origin.example"))

    def __call__(self, text: str) -> str:
        """Return the text without them."""
        for word, instead in self._words:
            if word:
                text = text.replace(word, instead)
        return text
