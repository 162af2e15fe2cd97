"""Static HTML of everything a notebook shows: it survives without widgets, on GitHub and in nbconvert.

Functions from plain objects to text, nothing else. Everything is escaped: text from the wire is hostile.
Tables and `<details>` only, no script and no style sheet, because renderers strip both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from guestlab.handshake.url_check import check_url
from guestlab.style import counted, look
from guestlab.visible import AS_TEXT, escape, visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from guestlab.authorization_code import AuthorizationCode
    from guestlab.blocking_channel import Channel
    from guestlab.customer import Customer
    from guestlab.handshake.attempt import Attempt
    from guestlab.handshake.comparison import Comparison
    from guestlab.handshake.diagnosis import Diagnosis
    from guestlab.handshake.matrix import Cell, Matrix
    from guestlab.handshake.rule import Rule
    from guestlab.platform_api import Conversation
    from guestlab.preflight import Preflight
    from guestlab.tokens import AccessToken

__all__ = [
    "View",
    "attempt_html",
    "channel_html",
    "comparison_html",
    "conversation_html",
    "customer_html",
    "diagnosis_html",
    "matrix_html",
    "matrix_text",
    "preflight_html",
    "rules_html",
    "sign_in_html",
    "token_html",
]


@dataclass(frozen=True, slots=True)
class View:
    """Something to look at: text for a terminal, static HTML for a notebook."""

    text: str
    html: str

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": visible(self.text), "text/html": self.html}


def attempt_html(attempt: Attempt) -> str:
    """Show an attempt: verdict first, then steps, bytes and diagnosis."""
    state = look("done" if attempt.ok else "failed")
    steps = _table(
        ("step", "", "ms", "what"),
        (
            (step.name, look("done" if step.ok else "failed").icon, f"{step.duration_ms:.1f}", step.note)
            for step in attempt.steps
        ),
    )
    parts = [
        f'<p><b style="color:{state.colour}">{state.icon} {escape(attempt.verdict)}</b></p>',
        steps,
        diagnosis_html(attempt.diagnosis),
        _bytes("sent", attempt.request),
        _bytes("received", attempt.response or "nothing"),
    ]
    if attempt.first_frame is not None:
        parts.append(_bytes("first frame", attempt.first_frame))
    parts += [_bytes("answer", answer) for answer in attempt.answers]
    return _section(f"Attempt {attempt.number}: {attempt.tried}", "".join(parts))


def diagnosis_html(diagnosis: Diagnosis) -> str:
    """Show the URL's parts ticked or crossed, then findings: rule, what, why, next step, level."""
    return f"<div {AS_TEXT}>{_url_parts(diagnosis)}{_findings(diagnosis)}</div>"


def _url_parts(diagnosis: Diagnosis) -> str:
    url = diagnosis.evidence.url
    if diagnosis.ok or not url:
        return ""
    parts = check_url(url, method=diagnosis.evidence.method).parts
    rows = ((look("done" if p.ok else "failed").icon, p.name, p.value, p.right, p.remark) for p in parts)
    return _table(("", "part of the URL", "as it is", "as it should be", ""), rows)


def _findings(diagnosis: Diagnosis) -> str:
    if diagnosis.ok:
        return f"<p>No findings: {escape(diagnosis.remaining)}</p>"
    return "".join(
        f"<p><b>What:</b> {escape(finding.what)}<br><b>Why:</b> {escape(finding.why)}<br>"
        f"<b>Next:</b> {escape(finding.next_step)}<br><code>{escape(finding.rule)}</code> "
        f"({escape(finding.known)})</p>"
        for finding in diagnosis.findings
    )


def comparison_html(comparison: Comparison) -> str:
    """Show two requests side by side: a word says what differs, `<del>` and `<ins>` mark where."""
    heads = "".join(
        f'<th style="text-align:left">{escape(name)}{f"<br>{escape(outcome)}" if outcome else ""}</th>'
        for name, outcome in zip(comparison.names, comparison.outcomes, strict=True)
    )
    rows = "".join(
        f'<tr><td style="text-align:left">{escape(row.what)}</td><td style="text-align:left">'
        f"{'' if row.kind == 'same' else escape(row.kind)}</td>"
        f"{_side(row.left, 'del', row.kind)}{_side(row.right, 'ins', row.kind)}</tr>"
        for row in comparison.rows
    )
    table = f"<table><thead><tr><th></th><th></th>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    found = _table(
        ("differs", "left", "right"),
        (
            (what, "absent" if left is None else left, "absent" if right is None else right)
            for what, left, right in comparison.differences
        ),
    )
    told = f"<p>{escape(comparison.summary)}</p>" + (found if comparison.differences else "")
    return _section("Side by side", told + table)


def _side(pieces: Iterable[tuple[str, bool]], element: str, kind: str) -> str:
    """One cell, what differs marked."""
    marked = "".join(
        f"<{element}>{escape(text)}</{element}>" if differs else escape(text) for text, differs in pieces
    )
    absent = "<i>not sent: it ended before</i>" if kind == "not sent" else ""
    return f'<td style="text-align:left">{f"<code>{marked}</code>" if marked else absent}</td>'


def token_html(token: AccessToken) -> str:
    """Show what a token opens and what it does not; never the token."""
    doors = _table(
        ("", "what", "why", "level"),
        (
            (look("done" if door.opens else "failed").icon, door.name, door.why, door.level)
            for door in token.good_for
        ),
    )
    state = look("failed" if token.expires_in == 0 else "done")
    verdict = "This token has expired." if token.expires_in == 0 else "This token is live."
    shut = [door.name for door in token.good_for if not door.opens]
    also = f" It does not open {' or '.join(shut)}." if shut else ""
    told = f'<p><b style="color:{state.colour}">{state.icon} {escape(verdict + also)}</b></p>'
    return _section("Token", f"{told}<p>{escape(repr(token))}<br>{escape(token.owner)}</p>{doors}")


def sign_in_html(sign_in: AuthorizationCode) -> str:
    """Show the link a person follows to sign in, and what happens then."""
    link = f'<a href="{escape(sign_in.address)}" target="_blank" rel="noopener">Sign in at Genesys Cloud</a>'
    heard = sign_in.listener is not None
    after = (
        "Then run <code>lab.token(...)</code>: the browser comes back by itself."
        if heard
        else "Then pass the whole address you end up at as <code>redirected=</code>."
    )
    why = f"<p>{escape(sign_in.unheard.why)}</p>" if sign_in.unheard is not None else ""
    return _section("Sign-in", f"<p>{link}</p><p>{after}</p>{why}")


def channel_html(channel: Channel) -> str:
    """Show a notification channel: its state, its topics, what it told of."""
    state = look("done" if channel.state == "connected" else "stale")
    rows = [(look("done").icon, topic, "subscribed") for topic in channel.topics]
    rows += [(look("failed").icon, topic, why) for topic, why in channel.rejected.items()]
    told = f"<p>It told of {counted(len(channel.conversations), 'conversation')}.</p>"
    title = f"Notification channel {channel.name}: {state.icon} {channel.state}"
    return _section(title, _table(("", "topic", ""), rows) + told)


def customer_html(customer: Customer) -> str:
    """Show a customer played over Open Messaging: by which integration, in which conversation."""
    rows = (
        ("customer", customer.id),
        ("Open Messaging integration", customer.integration_id),
        ("conversation", customer.conversation_id or "none yet: it begins with the first message"),
        ("webhook on this machine", customer.webhook_url),
    )
    return _section("Customer", _table(("", ""), rows))


def conversation_html(conversation: Conversation) -> str:
    """Show a conversation made over REST, and what it is not."""
    rows = (
        ("conversation", conversation.id),
        ("opened by message", conversation.message_id),
        ("Open Messaging integration", conversation.integration_id),
        ("participants", ", ".join(conversation.participants)),
    )
    state = look("done")
    told = "A conversation exists, opened over REST."
    verdict = f'<p><b style="color:{state.colour}">{state.icon} {told}</b></p>'
    return _section("Conversation", verdict + _table(("", ""), rows) + f"<p>{escape(conversation.note)}</p>")


def matrix_html(matrix: Matrix) -> str:
    """Show a matrix as a heat map: word, icon and colour in every field, the answer above."""
    head = "".join(f'<th style="text-align:left">{escape(name)}</th>' for name in ("", *matrix.columns))
    cells = matrix.by_place()
    rows = "".join(
        f'<tr><th style="text-align:left">{escape(row)}</th>'
        + "".join(_heat(cells.get((row, column))) for column in matrix.columns)
        + "</tr>"
        for row in matrix.rows
    )
    answer = f"<p><b>{escape(matrix.answer)}</b></p>" if matrix.answer else ""
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return _section(f"Matrix: {counted(len(matrix.cells), 'attempt')} at {matrix.where}", answer + table)


def _heat(cell: Cell | None) -> str:
    if cell is None:
        state, word, title = look("ready"), "not tried", ""
    else:
        state, word = look("done" if cell.ok else "failed"), cell.word
        title = f"{cell.verdict}. {', '.join(cell.diagnosis.rules)}"
    return (
        f'<td style="text-align:left;color:{state.colour};border-left:4px solid {state.colour}" '
        f'title="{escape(title, quote=True)}">{state.icon} {escape(word)}</td>'
    )


def matrix_text(matrix: Matrix) -> str:
    """Show a matrix as a table of words and icons, for a terminal."""
    cells = matrix.by_place()
    lines = [["", *matrix.columns]]
    for row in matrix.rows:
        found = (cells.get((row, column)) for column in matrix.columns)
        lines.append([row, *(_heat_word(cell) for cell in found)])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    shown = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]
    return "\n".join([*([matrix.answer, ""] if matrix.answer else []), *shown])


def _heat_word(cell: Cell | None) -> str:
    state = look("ready" if cell is None else "done" if cell.ok else "failed")
    return f"{state.icon} {'not tried' if cell is None else cell.word}"


def preflight_html(preflight: Preflight) -> str:
    """Show the rungs of a preflight: what each found, and what to do about those that failed."""
    rows = (
        (look(rung.state).icon, rung.name, look(rung.state).word, f"{rung.duration_ms:.1f}", rung.note,
         rung.next_step)
        for rung in preflight.steps
    )  # fmt: skip
    table = _table(("", "step", "state", "ms", "what", "next step"), rows)
    return _section(f"Preflight: {preflight.where}", f"<p><b>{escape(preflight.verdict)}</b></p>{table}")


def rules_html(rules: Iterable[Rule]) -> str:
    """List the diagnosis rules: the name to answer with, and what it says."""
    rows = ((rule.name, rule.words, rule.level) for rule in rules)
    return f"<div {AS_TEXT}>{_table(('rule', 'in words', 'level'), rows)}</div>"


def _section(title: str, body: str) -> str:
    return f"<div {AS_TEXT}><h4>{escape(title)}</h4>{body}</div>"


def _table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    top = "".join(f'<th style="text-align:left">{escape(name)}</th>' for name in head)
    body = "".join(
        "<tr>" + "".join(f'<td style="text-align:left">{escape(str(cell))}</td>' for cell in row) + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def _bytes(title: str, text: str) -> str:
    return f"<details open><summary>{escape(title)}</summary><pre>{escape(text)}</pre></details>"
