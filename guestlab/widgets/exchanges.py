"""What crossed the wire in a stage: request and reply, what a sandbox's answer is worth, what to look at.

From the log's entries to HTML; everything in them is redacted already and is escaped here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from guestlab.log.entry import Kind
from guestlab.widgets import theme

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from guestlab.handshake.attempt import Attempt
    from guestlab.log.entry import Entry
    from guestlab.sandbox import Sandbox

__all__ = ["Exchange", "answer_level", "attempt_level", "exchange_html", "exchanges_of", "steps_html"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One HTTP request and its reply."""

    title: str
    """Method and path."""
    request: str
    reply: str
    """"" when none came."""
    http_status: int | None
    duration_ms: float | None
    level: str = ""
    """What the answer is worth as a fact about the cloud; "" for an answer of the cloud itself."""

    @property
    def ok(self) -> bool:
        """Whether it was answered without a refusal."""
        return self.http_status is not None and self.http_status < 400


def exchanges_of(
    entries: Iterable[Entry], stages: Iterable[str], levels: Mapping[str, str]
) -> tuple[Exchange, ...]:
    """Pair requests and replies.

    Args:
        entries: Of the log, in order.
        stages: Only entries of these.
        levels: Correlation id → level, from a sandbox; empty for the cloud.
    """
    wanted = set(stages)
    entries = [entry for entry in entries if entry.stage in wanted]
    replies = {entry.exchange: entry for entry in entries if entry.kind == Kind.RESPONSE}
    found = []
    for entry in entries:
        if entry.kind != Kind.REQUEST:
            continue
        reply = replies.get(entry.seq)
        found.append(
            Exchange(
                title=f"{entry.method or ''} {_path(entry.url or '')}".strip(),
                request=entry.raw or "",
                reply=(reply.raw or "") if reply is not None else "",
                http_status=reply.http_status if reply is not None else None,
                duration_ms=reply.latency_ms if reply is not None else None,
                level=levels.get(reply.correlation_id or "", "") if reply is not None else "",
            )
        )
    return tuple(found)


def _path(url: str) -> str:
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "") if parts.netloc else url


def answer_level(sandbox: Sandbox | None) -> dict[str, str]:
    """Correlation id → level of everything a sandbox's services answered; {} for the cloud."""
    if sandbox is None:
        return {}
    return {record.correlation_id: record.level for record in sandbox.backend_log if record.correlation_id}


def attempt_level(sandbox: Sandbox | None, attempt: Attempt) -> tuple[str, str]:
    """What a sandbox's answer to an upgrade is worth: level and source; ("", "") for the cloud."""
    if sandbox is None or attempt.http_status is None:
        return "", ""
    rows = [row for row in sandbox.gateway if row.status == attempt.http_status]
    asked = next(iter(parse_qs(urlsplit(attempt.url).query).get("deploymentId", [])), "")
    for deployment in sandbox.deployments:
        if str(deployment.id) == asked:  # known here: so it is not for being unknown that it was refused
            rows = [row for row in rows if row.condition != "deployment.unknown"] or rows
    return (rows[0].level, rows[0].source) if rows else ("", "")


def exchange_html(exchange: Exchange, *, shown: bool = False) -> str:
    """Show one, folded: both sides as they crossed the wire, secrets masked."""
    status = theme.number(exchange.http_status, "http") if exchange.http_status is not None else "no answer"
    took = f"{exchange.duration_ms:.1f} ms" if exchange.duration_ms is not None else ""
    worth = f"sandbox answer, {theme.level(exchange.level)}" if exchange.level else ""
    beside = f' → {status} <span class="gl-quiet gl-small">{took}</span> {worth}'
    sides = (
        _side("Request", exchange.request, exchange.title)
        + _side("Reply", exchange.reply or "nothing came back", exchange.title)
    )  # fmt: skip
    body = f'<div class="gl-pair">{sides}</div>'
    return theme.details(exchange.title, body, shown=shown, beside=beside)


def _side(name: str, text: str, title: str) -> str:
    bytes_shown = theme.code(text.replace("\r\n", "\n").rstrip("\n"), label=f"{name} of {title}")
    return f'<div><div class="gl-quiet gl-small">{name}</div>{bytes_shown}</div>'


def steps_html(attempt: Attempt) -> str:
    """Show an attempt's timed steps: icon, word, milliseconds, and what was found."""
    rows = [
        (theme.Markup(theme.pill("done" if step.ok else "failed", step.name)),
         f"{step.duration_ms:.1f} ms", step.note)
        for step in attempt.steps
    ]  # fmt: skip
    return theme.table((), rows)
