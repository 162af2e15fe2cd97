"""Drills: faults to find on the sandbox, with hints, a solution, and a check of the answer.

Each is a row of `EXERCISES`: a story, what makes the fault on real sockets, and the rules that count as the
answer. The learner sees the bytes and not the diagnosis; `check` compares with the rule's name.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from guestlab.display import View
from guestlab.errors import GuestlabError, InputError
from guestlab.handshake.diagnosis import Diagnosis, diagnose
from guestlab.handshake.evidence import Evidence
from guestlab.handshake.rules import RULES
from guestlab.log.entry import Entry, Kind
from guestlab.visible import AS_TEXT, escape, visible

if TYPE_CHECKING:
    from guestlab.drill_scores import Score, Scores
    from guestlab.handshake.attempt import Attempt
    from guestlab.lab import Lab

__all__ = ["EXERCISES", "Checked", "Drill", "Exercise", "Exhibit", "begin", "catalogue"]


class Exhibit(NamedTuple):
    """What the learner is shown, and what the diagnosis says of it."""

    parts: tuple[tuple[str, str], ...]
    """Title and text of each piece, secrets masked."""
    diagnosis: Diagnosis


class Exercise(NamedTuple):
    """One fault to find."""

    name: str
    title: str
    story: str
    answers: tuple[str, ...]
    """Rules any of which counts as the cause."""
    hints: tuple[str, str]
    solution: str
    stage: Callable[[Lab], Exhibit]
    """Makes the fault."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of an answer."""

    correct: bool
    text: str

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text

    def __bool__(self) -> bool:
        return self.correct


class Drill:
    """One exercise that was begun: look at it, ask for hints, check an answer. `lab.drill()` begins one."""

    def __init__(
        self, exercise: Exercise, exhibit: Exhibit, score: Score, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._exercise, self._exhibit, self._now = exercise, exhibit, now
        self.score = score
        """What was done with it, also before it was begun anew."""
        score.begun += 1
        if score.started is None:
            score.started = now()

    @property
    def name(self) -> str:
        """The exercise's name."""
        return self._exercise.name

    @property
    def solved(self) -> bool:
        """Whether the cause was found, without a look at the solution."""
        return self.score.solved

    def hint(self) -> str:
        """Return the next hint; when there are no more, say so and repeat them."""
        hints = self._exercise.hints
        if self.score.hints >= len(hints):
            return f"No more hints. They were: {' '.join(hints)} solution() shows the cause."
        self.score.hints += 1
        return hints[self.score.hints - 1]

    def check(self, rule: str) -> Checked:
        """Check an answer: the name of a rule.

        Raises:
            InputError: There is no rule of that name.
        """
        known = {known.name for known in RULES}
        if rule not in known:
            raise InputError(
                f"There is no rule {rule!r}.",
                why="An answer is the name of a diagnosis rule.",
                next_step="gl.RULES lists them, such as upgrade.deployment-missing.",
            )
        self.score.answers += 1
        if rule not in self._exercise.answers:
            return Checked(False, "✗ Not the cause. Look again at what was sent; hint() helps.")
        if self.score.solution_seen:
            seen = "The solution had been seen, so this does not count as solved."
            return Checked(True, f"✓ Right: {rule}. {self._exercise.solution} {seen}")
        if not self.score.solved:
            self.score.solved = True
            self.score.seconds = round(self._now() - (self.score.started or 0.0), 1)
        return Checked(True, f"✓ Right: {rule}. {self._exercise.solution}")

    def solution(self) -> View:
        """Show the cause, and what the diagnosis says; a drill not solved yet then counts as seen."""
        self.score.solution_seen |= not self.score.solved
        text = f"{self._exercise.solution}\n\n{self._exhibit.diagnosis}"
        bundle = self._exhibit.diagnosis._repr_mimebundle_()
        return View(text, f"<p>{escape(self._exercise.solution)}</p>{bundle['text/html']}")

    def __repr__(self) -> str:
        head = f"Drill {self.name}: {self._exercise.title}\n{self._exercise.story}"
        parts = "\n\n".join(f"-- {title}\n{text}" for title, text in self._exhibit.parts)
        return f"{head}\n\n{parts}\n\nWhich rule is it? .check(rule), .hint(), .solution()"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        parts = "".join(
            f"<details open><summary>{escape(title)}</summary><pre>{escape(text)}</pre></details>"
            for title, text in self._exhibit.parts
        )
        head = f"Drill {escape(self.name)}: {escape(self._exercise.title)} ({self.score.state})"
        html = (
            f"<div {AS_TEXT}><h4>{head}</h4>"
            f"<p>{escape(self._exercise.story)}</p>{parts}"
            "<p>Which rule is it? <code>.check(rule)</code>, <code>.hint()</code>, <code>.solution()</code>"
            "</p></div>"
        )
        return {"text/plain": visible(repr(self)), "text/html": html}


def begin(lab: Lab, name: str, scores: Scores) -> Drill:
    """Make an exercise's fault on the lab's sandbox, and count on where it was left.

    Raises:
        InputError: No such exercise, or the lab has no sandbox of its own.
    """
    if lab.sandbox is None:
        raise InputError(
            "Drills run on the sandbox only.",
            why="They break things on purpose.",
            next_step="Use lab = gl.Lab(), without a region.",
        )
    exercise = EXERCISES.get(name)
    if exercise is None:
        raise InputError(
            f"There is no drill {name!r}.",
            why=f"There are {len(EXERCISES)}: {', '.join(EXERCISES)}.",
            next_step="lab.drill() lists them with their stories.",
        )
    return Drill(exercise, exercise.stage(lab), scores.by_drill[name])


def catalogue(scores: Scores) -> View:
    """List the exercises and how far each is."""
    rows = [
        (scores.by_drill[name].state, name, exercise.title, exercise.story)
        for name, exercise in EXERCISES.items()
    ]
    text = "\n".join(f"{state:9} {name:22} {title}" for state, name, title, _ in rows)
    left = 'style="text-align:left"'
    cells = "".join(
        "<tr>" + "".join(f"<td {left}>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    head = "".join(f"<th {left}>{name}</th>" for name in ("state", "name", "title", "story"))
    return View(text, f"<table><thead><tr>{head}</tr></thead><tbody>{cells}</tbody></table>")


# -- making faults ------------------------------------------------------------------------------------


def _of_attempt(attempt: Attempt, **facts: Any) -> Exhibit:
    """Show the bytes of an attempt; more facts, such as the deployment's domains, are told too."""
    parts = [("sent", attempt.request), ("received", attempt.response or "nothing")]
    if attempt.first_frame is not None:
        parts.append(("first frame", attempt.first_frame))
    parts += [("answer", answer) for answer in attempt.answers]
    parts += [(name.replace("_", " "), str(value)) for name, value in facts.items()]
    if not facts:
        return Exhibit(tuple(parts), attempt.diagnosis)
    return Exhibit(tuple(parts), diagnose(replace(attempt.evidence, **facts)))


def _attempt(**choices: Any) -> Callable[[Lab], Exhibit]:
    return lambda lab: _of_attempt(lab.attempt(**choices))


def _strange_origin(lab: Lab) -> Exhibit:
    assert lab.sandbox is not None
    deployment = lab.sandbox.deployments.add(allowed_domains=["shop.example"])
    attempt = lab.attempt(deployment_id=deployment.id, origin="https://shop.example.evil.test")
    return _of_attempt(attempt, allowed_domains=("shop.example",), deployment_status="Active")


def _exchange(lab: Lab, ask: Callable[[], object]) -> Exhibit:
    """Make a REST call that is refused, and show its two halves."""
    start = len(lab.log)
    with contextlib.suppress(GuestlabError):
        ask()
    entries = [entry for entry in lab.log.entries[start:] if entry.kind in {Kind.REQUEST, Kind.RESPONSE}]
    sent = next(entry for entry in reversed(entries) if entry.kind is Kind.REQUEST)
    got = next(entry for entry in entries if entry.exchange == sent.seq)
    headers, _, body = (sent.raw or "").partition("\r\n\r\n")
    facts = Evidence.of(
        url=sent.url,
        method=sent.method,
        headers=[tuple(line.split(": ", 1)) for line in headers.split("\r\n")[1:] if ": " in line],
        request_body=body or None,
        http_status=got.http_status,
        body=(got.raw or "").partition("\r\n\r\n")[2],
    )
    return Exhibit((("sent", sent.raw or ""), ("received", got.raw or "")), diagnose(facts))


def _json_body(lab: Lab) -> Exhibit:
    return _exchange(lab, lambda: lab.token(body_format="json"))


def _call(method: str, path: str, body: Any = None) -> Callable[[Lab], Exhibit]:
    return lambda lab: _exchange(lab, lambda: lab.platform().request(method, path, json=body, writes=True))


def _in_session(lab: Lab, break_it: Callable[[Lab], object]) -> Exhibit:
    """Say something in a session in which something is broken, and show the frames since."""
    with lab.session(reconnect=None) as session:
        configure = _frames(lab, session.name)[0]
        start = len(lab.log)
        break_it(lab)
        with contextlib.suppress(GuestlabError):
            session.send("Is anybody there?", timeout=2.0)
        frames = [entry for entry in _frames(lab, session.name) if entry.seq > start]
    sent = next((entry.raw for entry in frames if entry.direction == "sent"), None)
    got = next((entry.raw for entry in frames if _is_refusal(entry)), None)
    parts = [("first frame", configure.raw or "")]
    parts += [(f"frame {entry.direction}", entry.raw or "") for entry in frames[:4]]
    facts = Evidence.of(
        url=lab.region.guest_url(lab.deployment_id),
        http_status=101,
        first_frame=configure.raw,
        sent_frame=sent,
        frame=got,
    )
    return Exhibit(tuple(parts), diagnose(facts))


def _is_refusal(entry: Entry) -> bool:
    return (entry.frame_code or 200) >= 400 or entry.class_name == "SessionExpiredEvent"


def _frames(lab: Lab, session: str) -> list[Entry]:
    return [entry for entry in lab.log.entries if entry.kind is Kind.FRAME and entry.session == session]


def _rate_limited(lab: Lab) -> Exhibit:
    assert lab.sandbox is not None
    faults = lab.sandbox.faults
    return _in_session(lab, lambda _: faults.rate_limit(30.0, times=3))


def _expired(lab: Lab) -> Exhibit:
    assert lab.sandbox is not None
    faults = lab.sandbox.faults
    return _in_session(lab, lambda _: faults.expire("session"))


def _described(**facts: Any) -> Callable[[Lab], Exhibit]:
    """A case without a wire: what somebody else saw."""

    def stage(lab: Lab) -> Exhibit:
        told = {"url": lab.region.guest_url(lab.deployment_id), **facts}
        parts = tuple((name.replace("_", " "), str(value)) for name, value in told.items())
        return Exhibit(parts, diagnose(Evidence.of(**told)))

    return stage


_OLD_ATTRIBUTES = json.dumps(
    {
        "action": "onMessage",
        "token": "3b1c7f0e-0000-4000-8000-000000000001",
        "message": {"type": "Text", "text": "Hello"},
        "channel": {"metadata": {"customAttributes": {"tier": "gold"}}},
    }
)

_HELLO = json.dumps(
    {
        "action": "onMessage",
        "token": "3b1c7f0e-0000-4000-8000-000000000001",
        "message": {"type": "Text", "text": "hello"},
    }
)

_ROWS = (
    Exercise(
        "token-on-the-socket", "The token that opens everything else",
        "A developer's access token works for every REST call. In the guest socket's query it gets 401.",
        ("credential.oauth-on-guest-socket", "upgrade.deployment-missing"),
        ("Which of the things that were sent does the guest socket look at?",
         "Compare the query with the address of the handshake that works: lab.handshake()."),
        "The guest socket takes no OAuth token; what is missing is the deployment id.",
        lambda lab: _of_attempt(lab.handshake_as_asked()),
    ),
    Exercise(
        "nothing-in-any-log", "401, empty, and nothing in any log",
        "No credential was sent at all this time. The answer is the same 401 with an empty body.",
        ("upgrade.deployment-missing",),
        ("The gateway answers before the service behind it sees anything.", "Read the whole request line."),
        "There is no deploymentId in the URL.",
        _attempt(deployment_id="missing"),
    ),
    Exercise(
        "stranger", "A deployment nobody knows",
        "The deployment id was copied from an old ticket.",
        ("upgrade.deployment-unknown",),
        ("The status differs from that of a missing id.", "Ask config.json of this region for the id."),
        "The id is well formed, but no deployment of this region has it.",
        _attempt(deployment_id="unknown"),
    ),
    Exercise(
        "asleep", "It worked until Friday",
        "Somebody switched the deployment off on Friday evening.",
        ("upgrade.deployment-unknown",),
        ("403, as for an id that does not exist.", "A deployment has a status."),
        "The deployment is not active.",
        _attempt(deployment_id="inactive"),
    ),
    Exercise(
        "next-door", "Almost the right shop",
        "The deployment lists its domains. The client sends an Origin that looks like one of them.",
        ("upgrade.origin-not-allowed",),
        ("Read the Origin from right to left.", "It is not CORS: the gateway judges a socket's Origin."),
        "The Origin is not among the allowed domains: it only begins like one.",
        _strange_origin,
    ),
    Exercise(
        "made-up-verb", "Connect, please",
        "The socket opens. The first frame says connect, as an assistant had suggested.",
        ("frame.wrong-first-frame",),
        ("101 came: the handshake is not the trouble.", "There are twelve actions; which is the first?"),
        "The first frame must be configureSession with deploymentId and a UUID of your own as token.",
        _attempt(first_frame='{"action":"connect","type":"guest"}'),
    ),
    Exercise(
        "too-early", "Hello before the introduction",
        "The socket opens, and the client says hello at once.",
        ("frame.session-not-configured", "frame.wrong-first-frame"),
        ("The service does not know yet who speaks.", "What comes before the first onMessage elsewhere?"),
        "onMessage came before configureSession.",
        _attempt(first_frame=_HELLO),
    ),
    Exercise(
        "wrong-envelope", "The token request in JSON",
        "Client id and secret are right, and still the login service issues nothing.",
        ("oauth.body-format",),
        ("Look at Content-Type and at the body.", "RFC 6749 section 4.4.2 shows the request."),
        "The token endpoint takes a form, not JSON.",
        _json_body,
    ),
    Exercise(
        "who-am-i", "Nobody in particular",
        "With a client-credentials token GET /api/v2/users/me answers 400.",
        ("oauth.user-context",),
        ("Whose token is it?", "The body has a code: not.a.user."),
        "A client-credentials token has no user; ask /api/v2/tokens/me or /organizations/me.",
        _call("GET", "/api/v2/users/me"),
    ),
    Exercise(
        "invented-path", "A guest, please",
        "An answer on the web says that a REST call makes the guest's token.",
        ("credential.no-guest-token-endpoint", "rest.path-not-in-platform-api"),
        ("404: is the path wrong, or does it not exist at all?", "Who makes a guest token?"),
        "No REST call makes a guest token: the client makes a UUID.",
        _call("POST", "/api/v2/webmessaging/guests", {"deploymentId": "x"}),
    ),
    Exercise(
        "too-fast", "One word too many",
        "A load test of one session. From one moment on every message is refused.",
        ("limit.rate",),
        ("Which lane does the number stand in?", "The frame says how long to wait."),
        "A published budget is used up; wait as long as retryAfter says.",
        _rate_limited,
    ),
    Exercise(
        "after-the-holidays", "Back after the holidays",
        "The guest left the tab open and writes again after some days.",
        ("session.expired", "frame.session-not-configured"),
        ("The frame's code is not an HTTP status.", "How long does a session live without a message?"),
        "The session has expired; begin a new one.",
        _expired,
    ),
    Exercise(
        "lost-attributes", "The gold customer who was not",
        "The message arrives, but the flow sees no custom attributes. This is the frame that was sent.",
        ("message.attributes-location",),
        ("The frame is accepted: nothing is refused.", "Where in the frame do the attributes stand?"),
        "Custom attributes belong into message.channel.metadata; beside it they are ignored since June 2026.",
        _described(http_status=101, sent_frame=_OLD_ATTRIBUTES, note="the custom attributes do not arrive"),
    ),
)  # fmt: skip

EXERCISES: dict[str, Exercise] = {exercise.name: exercise for exercise in _ROWS}
"""Every exercise by its name, in the order to do them."""
