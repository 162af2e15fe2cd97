"""What the panels say about a stage: verdict first, then what to look at, then the bytes.

From what is known of a stage to HTML, the same in a widget and in static HTML. No widget in here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from guestlab.snippets import FORMATS
from guestlab.widgets import theme
from guestlab.widgets.exchanges import attempt_level, exchange_html, steps_html
from guestlab.widgets.needs import needed

if TYPE_CHECKING:
    from guestlab.errors import GuestlabError
    from guestlab.handshake.attempt import Attempt
    from guestlab.handshake.diagnosis import Finding
    from guestlab.lab import Lab
    from guestlab.tokens import AccessToken
    from guestlab.widgets.stages import Told

__all__ = [
    "LANGUAGES",
    "LIVE",
    "TITLES",
    "attempt_column",
    "body_html",
    "error_html",
    "head_html",
    "life_text",
    "snippet_of",
    "token_panel",
    "verdict",
]

TITLES = {"token": "1 · Token", "conversation": "2 · Conversation", "handshake": "3 · Handshake"}

LANGUAGES = {
    "python": "Python, websockets",
    "guestlab": "Python, guestlab",
    "browser": "JavaScript, browser",
    "node": "JavaScript, Node",
    "curl": "curl",
    "wscat": "wscat",
    "websocat": "websocat",
    "http": "bytes of HTTP",
}
assert set(LANGUAGES) == set(FORMATS)

LIVE = "The token is live. The guest socket is not among what it opens."

_PURPOSE = {
    "token": "An OAuth access token proves who a program is. Look afterwards at what it opens, and what not.",
    "conversation": "With that token a server can open a conversation over REST: by Open Messaging, not as a "
    "guest.",
    "handshake": "A guest opens a WebSocket. As asked: with the token, without deploymentId. That works: the "
    "other way round.",
}

_ASK = (
    "The secret is asked for below a cell, hidden, and never in this view: run lab.token() in a cell first."
)

# (stage, state) → what to look at in the bytes below.
_LOOK = {
    (
        "token",
        "done",
    ): "the host (login., not api.), the form in the body, and Authorization: Basic, which is "
    "client id and secret. The reply's expires_in is the token's life in seconds.",
    ("token", "failed"): "error and error_description in the reply's body, and the request's Content-Type.",
    ("conversation", "done"): "the path …/inbound/open/message: a server speaks for the customer there. The "
    "conversation's id stands in the reply; a guest socket never tells it.",
    ("conversation", "failed"): "code and message in the reply's body: permission, path or integration.",
}
_LOOK_REFUSED = (
    "the request: deploymentId is nowhere in it. The reply is empty because the gateway in front answered it "
    "by itself, and no log behind it shows the attempt."
)
_LOOK_REFUSED_EMPTY = (
    "the request: deploymentId stands in it, but empty, and that is as good as none. The gateway in front "
    "answered by itself, and no log behind it shows the attempt."
)
_LOOK_REFUSED_OTHERWISE = "the request line and Origin: what is refused here is refused before any frame."
_LOOK_CONFIGURE = (
    "the first frame and what came back to it: the upgrade succeeded, it ended afterwards. The number is a "
    "frame code, not an HTTP status."
)
_LOOK_UNSENT = {
    "dns": "the host name: it was not found, so nothing was sent and there are no bytes to look at.",
    "tcp": "the address and the port: no connection came about, so nothing was sent.",
    "tls": "the certificate: the two sides did not agree on encryption, so the request was never sent.",
}
_LOOK_UNANSWERED = "the request: it went out, and no HTTP answer came back."
_LOOK_OPENED = (
    "deploymentId in the request line, no OAuth token anywhere; the token in the first frame is a UUID made "
    "here, which names this guest and nothing else."
)
_LOOK_OPENED_ANYWAY = (
    "deploymentId in the request line: it opened the socket. The credential beside it was not read."
)
_LOOK_OPENED_AS_GUEST = (
    "token in the first frame. It opened because any string will do; {} is now this guest's key."
)
_HARMLESS = {("guest", "first_frame"), ("none", "nowhere")}


def head_html(name: str, told: Told, lab: Lab) -> str:
    """Show a stage's heading: state or what it lacks, verdict, time taken."""
    need = needed(name, lab) if told.state == "ready" else None
    took = f"{told.duration_ms:.0f} ms" if told.duration_ms is not None and told.state != "running" else ""
    said = verdict(name, told)
    beside = f' <span>{theme.escape(said)}</span> <span class="gl-quiet gl-small">{took}</span>'
    state = theme.pill(told.state) if need is None else theme.pill("lacking", need.word)
    return theme.heading(TITLES[name], state, beside)


def verdict(name: str, told: Told) -> str:
    """Say in one line what became of a stage; "" before it ran."""
    if told.state == "running":
        return "…"
    if told.error is not None:
        return told.error.what
    if name == "token" and told.token is not None:
        return LIVE
    if name == "conversation" and told.conversation is not None:
        return f"Conversation {told.conversation.id}, opened by Open Messaging."
    last = told.opened if told.state == "done" else told.refused or told.opened
    return last.verdict[:1].upper() + last.verdict[1:] if last is not None else ""


def body_html(name: str, told: Told, lab: Lab) -> str:
    """Show what a stage brought: what is stale or wrong first, then its own, then the bytes."""
    if not told.runs and told.token is None and told.state in {"ready", "running"}:
        ask = theme.note(_ASK, "lacking") if name == "token" and lab.tokens.must_ask else ""
        return f'<div class="gl-quiet">{theme.escape(_PURPOSE[name])}</div>{ask}{_need(name, lab)}'
    if not told.runs and told.token is None and told.error is None:
        return _in_a_cell(name)
    stale = theme.note(f"Out of date: {told.why_stale} Run it again.", "stale") if told.why_stale else ""
    wrong = error_html(told.error) if told.error is not None else ""
    own = {"token": _token, "conversation": _conversation, "handshake": _handshake}[name](told, lab)
    state = told.was or told.state
    look = _LOOK.get((name, state), "")
    looked = _look_at(look) if look and told.exchanges else ""
    shown = "".join(
        exchange_html(one, shown=not one.ok and state == "failed" and one is told.exchanges[-1])
        for one in told.exchanges
    )
    there = "" if told.runs else _in_a_cell(name)
    return stale + wrong + there + own + looked + shown


def _in_a_cell(name: str) -> str:
    return theme.note(f"It ran in a cell, by lab.{name}(). Run it here to see what crosses the wire.")


def _need(name: str, lab: Lab) -> str:
    need = needed(name, lab)
    if need is None:
        return ""
    cell = theme.code(need.cell, label="the cell to run") if need.cell else ""
    return theme.advice(what=need.what, why="", next_step=need.next_step) + cell


def error_html(error: GuestlabError) -> str:
    """Show an error: what, why, next, and the evidence it rests on."""
    said = theme.advice(what=error.what, why=error.why, next_step=error.next_step)
    if not error.evidence:
        return said
    rows = "".join(f"<li>{theme.escape(fact)}</li>" for fact in error.evidence)
    return said + theme.details("Evidence", f"<ul>{rows}</ul>")


def life_text(token: AccessToken) -> str:
    """Say how long a token still lives, and what happens then.

    >>> from datetime import datetime, timedelta, UTC
    >>> from guestlab.tokens import AccessToken
    >>> soon = datetime.now(UTC) + timedelta(seconds=3725.5)
    >>> life_text(AccessToken(value="x", grant="pkce", expires_at=soon))
    'expires in 1 h 02 min 05 s; then sign in again'
    """
    left = token.expires_in
    if left is None:
        return "nobody told when it expires"
    if left <= 0:
        return "expired: get a new one"
    minutes, seconds = divmod(int(left), 60)
    hours, minutes = divmod(minutes, 60)
    span = f"{hours} h {minutes:02} min {seconds:02} s" if hours else f"{minutes} min {seconds:02} s"
    then = "renews by itself a minute before" if token.renewable else "then sign in again"
    return f"expires in {span}; {then}"


def _token(told: Told, lab: Lab) -> str:
    del lab
    return token_panel(told.token) if told.token is not None else ""


def token_panel(token: AccessToken) -> str:
    """Show what is known of a token, and every door: whether it opens, why, and how well that is known."""
    known = theme.facts(tag=token.masked, grant=token.grant, owner=token.owner, region=token.region)
    scoped = ""
    if token.scope is not None:
        scoped = theme.note(
            f"The scope {token.scope!r} was sent and changed nothing: such clients have roles, no scopes "
            "(level: official). A missing scope is never why something is refused."
        )
    rows = (
        (door.name, _yes_or_no(door.opens), door.why, theme.Markup(theme.level(door.level)))
        for door in token.good_for
    )
    doors = theme.table(("It opens", "", "Why", "Level"), rows)
    return f"<div>{known}</div>{scoped}{doors}"


def _yes_or_no(opens: bool) -> theme.Markup:
    return theme.Markup(theme.pill("done", "yes") if opens else theme.pill("failed", "no"))


def _conversation(told: Told, lab: Lab) -> str:
    del lab
    made = told.conversation
    if made is None:
        return ""
    rows = (
        ("conversation", made.id),
        ("opened by message", made.message_id),
        ("Open Messaging integration", made.integration_id),
        ("participants", ", ".join(made.participants)),
    )
    return theme.table((), rows) + theme.note(made.note)


def _handshake(told: Told, lab: Lab) -> str:
    columns = [
        attempt_column(title, attempt, lab, earlier=run < max(told.refused_in, told.opened_in))
        for title, attempt, run in (
            ("Refused", told.refused, told.refused_in),
            ("Open", told.opened, told.opened_in),
        )
        if attempt is not None
    ]
    return f'<div class="gl-pair">{"".join(columns)}</div>' + _compared(told) if columns else ""


def _compared(told: Told) -> str:
    if told.refused is None or told.opened is None or _target(told.refused) != _target(told.opened):
        return ""
    from guestlab.handshake.comparison import compare

    found = compare(told.refused, told.opened).differences
    rows = (
        (what, "absent" if left is None else left, "absent" if right is None else right)
        for what, left, right in found
    )
    return theme.details("What differs", theme.table(("", "refused", "open"), rows), shown=True)


def _target(attempt: Attempt) -> str:
    """Where it went, without the query: two that went elsewhere have nothing to compare."""
    return attempt.url.partition("?")[0].rstrip("/")


def attempt_column(title: str, attempt: Attempt, lab: Lab | None = None, *, earlier: bool = False) -> str:
    """Show one attempt: verdict, steps, what to look at, bytes, diagnosis, and what the answer is worth.

    Args:
        title: Stands before what was tried.
        attempt: Which.
        lab: Whose sandbox says what an answer is worth.
        earlier: Whether it was not made in the last run.
    """
    state = "done" if attempt.ok else "failed"
    word = f"{title}: {attempt.tried}"
    aged = theme.pill("stale", "of an earlier run") if earlier else ""
    worth = _worth(attempt, lab)
    frames = (attempt.first_frame, *attempt.answers) if attempt.first_frame is not None else ()
    crossed = [("Request", attempt.request), ("Reply", attempt.response or "nothing came back")]
    crossed += [("First frame, sent" if not n else "Frame, received", f or "") for n, f in enumerate(frames)]
    shown = "".join(
        f'<div class="gl-quiet gl-small">{theme.escape(name)}</div>'
        + theme.code(text.replace("\r\n", "\n").rstrip("\n"), label=f"{name}, {title}")
        for name, text in crossed
    )
    return (
        f"<section>{theme.heading(word, theme.pill(state, attempt.verdict), aged, rank=5)}{worth}"
        f"{_findings(attempt)}{steps_html(attempt)}{_look_at(_look(attempt))}{shown}</section>"
    )


def _look(attempt: Attempt) -> str:
    """What to look at: it fits the step the attempt ended at, and the bytes."""
    tried = (attempt.credential, attempt.placement)
    if attempt.ok and tried not in _HARMLESS and attempt.placement == "first_frame":
        whose = "what stands there" if attempt.credential == "garbage" else "your access token"
        return _LOOK_OPENED_AS_GUEST.format(whose)
    if attempt.ok:
        return _LOOK_OPENED if tried in _HARMLESS else _LOOK_OPENED_ANYWAY
    if not attempt.was_answered:
        return _LOOK_UNSENT.get(attempt.step, _LOOK_UNANSWERED)
    if attempt.http_status == 101:
        return _LOOK_CONFIGURE
    if "upgrade.deployment-missing" in attempt.diagnosis.rules:
        return _LOOK_REFUSED_EMPTY if "deploymentId=" in attempt.url else _LOOK_REFUSED
    return _LOOK_REFUSED_OTHERWISE


def _worth(attempt: Attempt, lab: Lab | None) -> str:
    known, source = attempt_level(lab.sandbox if lab is not None else None, attempt)
    if not known:
        return ""
    return f'<div class="gl-quiet gl-small">sandbox answer, {theme.level(known)} {theme.escape(source)}</div>'


def _findings(attempt: Attempt) -> str:
    if not attempt.diagnosis.findings:
        return '<div class="gl-advice">Nothing here is wrong.</div>'
    first, *more = attempt.diagnosis.findings
    shown = (
        theme.note("It is open; one thing about it is still worth changing.", "lacking") if attempt.ok else ""
    )
    shown += _finding(first)
    if more:
        word = "one more finding" if len(more) == 1 else f"{len(more)} more findings"
        shown += theme.details(f"And {word}", "".join(map(_finding, more)))
    return shown


def _finding(finding: Finding) -> str:
    beside = f"<br><code>{theme.escape(finding.rule)}</code> "
    beside += f'<span class="gl-quiet gl-small">{theme.escape(finding.known)}</span>'
    return theme.advice(what=finding.what, why=finding.why, next_step=finding.next_step, beside=beside)


def _look_at(text: str) -> str:
    return f'<div class="gl-look"><b>Look at</b> {theme.escape(text)}</div>'


def snippet_of(told: Told, which: str, language: str) -> str:
    """The code of the refused or of the open attempt; what to do first where there is none."""
    attempt = told.opened if which == "open" else told.refused
    if attempt is None:
        return "Run the handshake: its code appears here."
    return attempt.snippet(language)
