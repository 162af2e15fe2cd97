"""Sequence diagrams: who sent what to whom, of one attempt and of one session.

Time runs downwards, not to scale: the numbers at the left tell it. At the right every number stands with
its lane, HTTP status, frame code or close code. What was refused is red, crossed and said in words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from guestlab.analysis.intake import arrivals, check, columns_of, measured
from guestlab.analysis.plot import (
    GRID,
    INK,
    MUTED,
    SPEAKERS,
    Plot,
    blank,
    colour,
    drawing,
    in_memory,
    lasting,
    shown,
    tint,
)
from guestlab.errors import InputError
from guestlab.handshake.attempt import Attempt
from guestlab.log.entry import Entry, Kind, Step
from guestlab.log.table import typed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from matplotlib.axes import Axes

    from guestlab.log import Log

__all__ = ["Arrow", "arrows_of_attempt", "arrows_of_session", "plot_attempt", "plot_session"]

_ROW = 0.42
"""Inches for one arrow."""
_SPREAD = 29
"""Characters that fit between two neighbours of four."""
_LONGEST = 120
"""Characters of a line across the whole drawing."""


class Arrow(NamedTuple):
    """One line of a diagram. `start` and `end` are names of participants; None for a remark."""

    start: str | None
    end: str | None
    text: str
    time: str = ""
    number: str = ""
    """Number and lane, for the right margin."""
    state: str = "plain"
    """plain, done, failed, history, or a speaker."""
    both: bool = False
    """Whether something went both ways."""


# -- an attempt ---------------------------------------------------------------------------------------

_AT_ATTEMPT = ("client", "name server", "gateway", "guest service")
_PEERS = {"dns": "name server", "tcp": "gateway", "tls": "gateway"}


def plot_attempt(attempt: Attempt | Log | Iterable[Entry], *, number: int | None = None) -> Plot:
    """Draw one attempt at opening the guest socket: client, name server, gateway, guest service.

    Args:
        attempt: An `Attempt`, a `Log`, or the entries of one.
        number: Which attempt of the entries; the last by default.

    Raises:
        InputError: The entries hold no such attempt, or matplotlib is not installed.

    >>> from guestlab.log import Log
    >>> log = Log()
    >>> sent = log.record("request", attempt=1, step="upgrade", method="GET", raw="GET /v1 HTTP/1.1")
    >>> _ = log.record("response", attempt=1, step="upgrade", http_status=401, exchange=sent.seq, ok=False)
    >>> plot_attempt(log)  # doctest: +NORMALIZE_WHITESPACE
    Attempt 1: client to gateway: GET /v1; gateway to client: refused, empty body (HTTP 401); the
    guest service was never reached.
    """
    entries = _entries_of(attempt, number)
    outcome = next((entry for entry in reversed(entries) if entry.kind is Kind.ATTEMPT), None)
    arrows = _of_attempt(entries)
    reached = {name for arrow in arrows for name in (arrow.start, arrow.end) if name}
    title = f"Attempt {entries[0].attempt}"
    if outcome is not None and outcome.credential:
        title += (
            f": credential {shown(outcome.credential, 24)} in {shown(outcome.placement or 'nowhere', 24)}"
        )
    verdict = _verdict(outcome)
    lanes = [name for name in _AT_ATTEMPT if name != "name server" or name in reached]
    told = "; ".join(_in_words(arrow) for arrow in arrows)
    missed = "" if "guest service" in reached else "; the guest service was never reached"
    with drawing():
        figure = _diagram(title, lanes, arrows, reached, verdict)
    return Plot(figure, f"{title}: {told}{missed}.")


def arrows_of_attempt(
    attempt: Attempt | Log | Iterable[Entry], *, number: int | None = None
) -> tuple[Arrow, ...]:
    """Return what `plot_attempt` draws, for those who show it without matplotlib.

    Raises:
        InputError: The entries hold no such attempt.
    """
    return tuple(_of_attempt(_entries_of(attempt, number)))


def _entries_of(attempt: Attempt | Log | Iterable[Entry], number: int | None) -> list[Entry]:
    if isinstance(attempt, Attempt):
        return _as_entries(attempt)
    log: Any = attempt
    entries: list[Any] = list(getattr(log, "entries", log))
    if not all(isinstance(entry, Entry) for entry in entries):
        raise InputError(
            f"plot_attempt() takes an Attempt, a Log or entries, not {type(log).__name__}.",
            why="It draws what crossed the wire, step by step, from the entries themselves.",
            next_step="Pass the attempt itself, or lab.log with number= of the attempt.",
        )
    found: list[Entry] = [entry for entry in entries if entry.attempt is not None]
    wanted = number if number is not None else (found[-1].attempt if found else None)
    chosen = [entry for entry in found if entry.attempt == wanted]
    if not chosen:
        raise InputError(
            "There is no attempt to draw." if number is None else f"There is no attempt {number} to draw.",
            why="No entry names one in its column `attempt`.",
            next_step="Pass an Attempt, such as lab.handshake() returns, or a log that recorded one.",
        )
    return chosen


def _as_entries(attempt: Attempt) -> list[Entry]:
    """What an attempt holds, as the entries its log has of it."""
    told: list[tuple[Kind, dict[str, Any]]] = [
        (
            Kind.STEP,
            {"step": Step(step.name), "latency_ms": step.duration_ms, "ok": step.ok, "note": step.note},
        )
        for step in attempt.steps
    ]
    if attempt.request:
        told.append((Kind.REQUEST, {"raw": attempt.request, "size": 0}))
    if attempt.response:
        told.append((Kind.RESPONSE, {"http_status": attempt.http_status, "size": attempt.body_size}))
    if attempt.first_frame is not None:
        size = len(attempt.first_frame.encode())
        told.append((Kind.FRAME, {"direction": "sent", "action": _first_action(attempt), "size": size}))
    for place, answer in enumerate(attempt.answers, start=1):
        code = attempt.frame_code if place == len(attempt.answers) else None
        about = {"direction": "received", "frame_code": code, "size": len(answer.encode())}
        told.append((Kind.FRAME, about | {"class_name": "SessionResponse" if attempt.ok and code else None}))
    if attempt.close_code is not None:
        told.append((Kind.CLOSE, {"close_code": attempt.close_code}))
    told.append((Kind.ATTEMPT, {"ok": attempt.ok, "note": attempt.verdict, "credential": attempt.credential,
                                "placement": attempt.placement}))  # fmt: skip
    return [
        Entry(seq=seq, at=0, monotonic_ns=0, kind=kind, attempt=attempt.number, **about)
        for seq, (kind, about) in enumerate(told, start=1)
    ]


def _first_action(attempt: Attempt) -> str:
    return "configureSession" if "configureSession" in (attempt.first_frame or "") else "first frame"


def _of_attempt(entries: Sequence[Entry]) -> list[Arrow]:
    steps = {str(entry.step): entry for entry in entries if entry.kind is Kind.STEP}
    arrows = [_step(steps[name], name) for name in _PEERS if name in steps]
    upgrade, configure = (_took(steps.get(name)) for name in ("upgrade", "configure"))
    answered = False
    for entry in entries:
        if entry.kind is Kind.REQUEST:
            line = (
                (entry.raw or f"{entry.method or 'GET'} the upgrade")
                .splitlines()[0]
                .removesuffix(" HTTP/1.1")
            )
            arrows.append(Arrow("client", "gateway", line))
        elif entry.kind is Kind.RESPONSE:
            answered = True
            arrows.append(_upgraded(entry, upgrade or _took(entry)))
        elif entry.kind is Kind.FRAME:
            arrows.append(_frame_of_attempt(entry, configure))
        elif entry.kind is Kind.CLOSE:
            number = f"close {entry.close_code}"
            arrows.append(Arrow("guest service", "client", "closed the connection", "", number, "failed"))
    failed = steps.get("upgrade")
    if failed is not None and failed.ok is False and not answered:
        arrows.append(Arrow("gateway", "client", failed.note or "no answer", upgrade, "", "failed"))
    return arrows


def _step(entry: Entry, name: str) -> Arrow:
    state = "failed" if entry.ok is False else "plain"
    return Arrow("client", _PEERS[name], f"{name}: {entry.note or ''}".rstrip(": "), _took(entry), "", state,
                  both=entry.ok is not False)  # fmt: skip


def _upgraded(entry: Entry, took: str) -> Arrow:
    if entry.http_status == 101:
        return Arrow("gateway", "client", "switched to WebSocket", took, "HTTP 101", "done")
    body = f"{entry.size} bytes of body" if entry.size else "empty body"
    number = "" if entry.http_status is None else f"HTTP {entry.http_status}"
    text = f"refused, {body}" if number else entry.note or "no answer"
    return Arrow("gateway", "client", text, took, number, "failed")


def _frame_of_attempt(entry: Entry, took: str) -> Arrow:
    size = f" · {entry.size} bytes" if entry.size else ""
    if entry.direction == "sent":
        return Arrow("client", "guest service", f"{entry.action or 'frame'}{size}")
    code = entry.frame_code
    state = "plain" if code is None else "done" if code == 200 else "failed"
    text = f"{entry.class_name or 'answer'}{size}"
    return Arrow("guest service", "client", text, took, "" if code is None else f"frame {code}", state)


def _took(entry: Entry | None) -> str:
    return "" if entry is None or entry.latency_ms is None else f"{entry.latency_ms:.1f} ms"


def _verdict(outcome: Entry | None) -> tuple[str, str] | None:
    if outcome is None or not outcome.note:
        return None
    state = "done" if outcome.ok else "failed"
    return state, f"{'✓' if outcome.ok else '✗'} {shown(outcome.note, 100)}"


# -- a session ----------------------------------------------------------------------------------------

_FRAMES = columns_of(
    "seq", "at", "kind", "direction", "session", "action", "class_name", "frame_code", "close_code",
    "message_id", "message_direction", "message_type", "originating_entity", "text", "late",
)  # fmt: skip
_MORE = columns_of("http_status", "stage", "monotonic_ns")
_PAUSE_S = 5.0
"""Seconds of silence from which a remark says how long it was."""
_KINDS = {"guest": "Session", "observer": "Channel", "customer": "Open Messaging"}
_ENTITIES = {"Bot": "bot", "Human": "agent"}


def plot_session(frames: pd.DataFrame, *, session: str | None = None, most: int = 40) -> Plot:
    """Draw what a session's guest, the platform, bot and agent sent each other, frame by frame.

    A notification channel is drawn with the observer who listens in the guest's place, what was said by
    Open Messaging with the customer.

    Args:
        frames: `log.frames`; or `log.table()`, which has what history brought and the upgrades too.
        session: Which session or channel; by default the first guest session.
        most: Frames to draw at most; the rest is counted.

    Raises:
        InputError: A column is missing, no such session, or matplotlib is not installed.

    >>> from guestlab.analysis import sample
    >>> plot_session(sample().frames)
    Session s1: 20 frames and closes in 60.9 seconds, between guest, platform, bot and agent.
    """
    in_memory(frames, "plot_session")
    rows, name = _rows(frames, session, "plot_session")
    near = _near(rows, name)
    arrows = _arrows(rows, near, most)
    reached = {one for arrow in arrows for one in (arrow.start, arrow.end) if one} | {near, "platform"}
    lanes = [one for one in (near, "platform", "bot", "agent") if one in reached]
    title = f"{_KINDS[near]} {shown(name, 24)}"
    with drawing():
        figure = _diagram(title, lanes, arrows, set(lanes), None)
    between = f"{', '.join(lanes[:-1])} and {lanes[-1]}"
    return Plot(figure, f"{title}: {_counted(len(rows))} {_span(rows)}, between {between}.")


def _counted(rows: int) -> str:
    return "1 frame or close" if rows == 1 else f"{rows} frames and closes"


def _span(rows: pd.DataFrame) -> str:
    """How long it took, as far as anybody knows."""
    times = rows["at"].dropna()
    if not len(times):
        return "at times nobody noted"
    unknown = len(rows) - len(times)
    span = f"in {(times.max() - times.min()).total_seconds():.1f} seconds"
    return f"{span} ({unknown} at times nobody noted)" if unknown else span


def _near(rows: pd.DataFrame, name: str) -> str:
    """Who is at our end: the guest, the observer on a notification channel, or a customer by REST."""
    if "stage" in rows and rows["stage"].eq("channel").any():
        return "observer"
    is_socket = rows["kind"].isin(["frame", "close"]).any()
    return "customer" if name.startswith("open-") and not is_socket else "guest"


def arrows_of_session(
    frames: pd.DataFrame, *, session: str | None = None, most: int = 40
) -> tuple[Arrow, ...]:
    """Return what `plot_session` draws, for those who show it without matplotlib.

    Raises:
        InputError: A column is missing, or no such session.
    """
    rows, name = _rows(frames, session, "arrows_of_session")
    return tuple(_arrows(rows, _near(rows, name), most))


def _rows(frames: pd.DataFrame, session: str | None, function: str) -> tuple[pd.DataFrame, str]:
    check(frames, function, [column.name for column in _FRAMES], "log.frames (or log.table())")
    there = measured(typed(frames, (*_FRAMES, *(c for c in _MORE if c.name in frames.columns))))
    return _of_session(there, session)


def _arrows(rows: pd.DataFrame, near: str, most: int) -> list[Arrow]:
    drawn = _of_customer if near == "customer" else _frame
    ends = {"guest": near}
    arrows = [
        arrow._replace(
            start=ends.get(arrow.start or "", arrow.start), end=ends.get(arrow.end or "", arrow.end)
        )
        for arrow in _of_frames(rows.head(most), drawn)
    ]
    if len(rows) > most:
        arrows.append(Arrow(None, None, f"… and {len(rows) - most} more"))
    return arrows


def _of_session(frames: pd.DataFrame, session: str | None) -> tuple[pd.DataFrame, str]:
    kinds = ["frame", "close", "history", "request", "response"]
    frames = frames[frames["kind"].isin(kinds)]
    named = pd.concat([frames["session"][_is_guests(frames)], frames["session"]]).dropna()
    name = session if session is not None else (named.iloc[0] if len(named) else None)
    rows = frames[frames["session"] == name] if name is not None else frames.head(0)
    if not len(rows):
        raise InputError(
            "There is no session to draw."
            if session is None
            else f"There is no session {session!r} to draw.",
            why="No frame names it in the column `session`.",
            next_step="Choose one of log.sessions.",
        )
    return arrivals(rows), str(name)


def _is_guests(frames: pd.DataFrame) -> pd.Series[bool]:
    """The frames of guest sessions: what a guest says has an action, and a channel is none."""
    found = (frames["kind"] == "frame") & frames["action"].notna()
    if "stage" in frames:
        found &= frames["stage"].isna() | frames["stage"].ne("channel")
    return found


def _of_frames(rows: pd.DataFrame, drawn: Callable[[Any, str], Arrow]) -> list[Arrow]:
    arrows: list[Arrow] = []
    start = previous = rows["at"].min()
    rows = rows.assign(again=rows.duplicated("message_id") & rows["message_id"].notna())
    each: Iterable[Any] = rows.itertuples(index=False)
    for row in each:
        if pd.isna(row.at):
            arrows.append(drawn(row, ""))
            continue
        pause = (row.at - previous).total_seconds()
        if pause > _PAUSE_S and arrows:
            arrows.append(Arrow(None, None, f"{lasting(pause)} later"))
        arrows.append(drawn(row, f"+{(row.at - start).total_seconds():.3f} s"))
        previous = row.at
    return arrows


def _of_customer(row: Any, time: str) -> Arrow:
    """One line of what a customer says over REST and hears at a webhook."""
    if row.kind == "request":
        return Arrow("platform", "guest", "POST to the webhook", time)
    if row.kind == "response":
        status = getattr(row, "http_status", pd.NA)
        number = "" if pd.isna(status) else f"HTTP {status}"
        return Arrow("guest", "platform", "answered", time, number, "plain" if status == 200 else "failed")
    words = f"“{row.text}”" if not pd.isna(row.text) and row.text else str(row.message_type)
    if row.message_direction == "Inbound":
        return Arrow("guest", "platform", words, time, "", "guest")
    who = _ENTITIES.get(str(row.originating_entity), "platform")
    return Arrow(who, "guest", words, time, "", who if who != "platform" else "plain")


def _frame(row: Any, time: str) -> Arrow:
    if row.kind == "close":
        code = "" if pd.isna(row.close_code) else f"close {row.close_code}"
        state = "plain" if code == "close 1000" else "failed"
        return Arrow("platform", "guest", "connection closed", time, code, state)
    if row.kind in {"request", "response"}:
        status = getattr(row, "http_status", pd.NA)
        if row.kind == "request":
            return Arrow("guest", "platform", "upgrade to WebSocket", time)
        number = "" if pd.isna(status) else f"HTTP {status}"
        text, state = ("switched to WebSocket", "done") if number == "HTTP 101" else ("refused", "failed")
        return Arrow("platform", "guest", text, time, number, state)
    if row.direction == "sent":
        return Arrow("guest", "platform", "frame" if pd.isna(row.action) else str(row.action), time)
    return _received(row, time)


def _received(row: Any, time: str) -> Arrow:
    code = row.frame_code
    number = ("HTTP" if row.kind == "history" else "") if pd.isna(code) else f"frame {code}"
    words = "" if pd.isna(row.text) else f"“{row.text}”"
    remark = " · late" if row.late is not pd.NA and row.late else ""
    remark += " · again" if row.again else ""
    if not pd.isna(code) and code != 200:
        return Arrow("platform", "guest", f"{row.class_name} {words}".rstrip(), time, number, "failed")
    if row.kind == "history":
        return Arrow("platform", "guest", f"from history: {words}{remark}", time, number, "history")
    if row.message_direction == "Outbound" and words:
        who = _ENTITIES.get(str(row.originating_entity), "platform")
        return Arrow(who, "guest", f"{words}{remark}", time, number, who)
    if row.message_direction == "Inbound" and words:
        return Arrow(
            "platform", "guest", f"your message, acknowledged: {words}{remark}", time, number, "guest"
        )
    if pd.isna(row.class_name):
        return Arrow("platform", "guest", "frame", time, number)
    what = row.class_name if pd.isna(row.message_type) else f"{row.class_name} ({row.message_type})"
    return Arrow("platform", "guest", str(what), time, number)


# -- drawing ------------------------------------------------------------------------------------------


def _in_words(arrow: Arrow) -> str:
    if arrow.start is None:
        return shown(arrow.text, _LONGEST)
    number = f" ({arrow.number})" if arrow.number else ""
    return f"{arrow.start} to {arrow.end}: {shown(arrow.text, 80)}{number}"


def _diagram(
    title: str,
    lanes: Sequence[str],
    arrows: Sequence[Arrow],
    reached: set[str],
    verdict: tuple[str, str] | None,
) -> Any:
    figure, ax = blank(9.5, 1.25 + _ROW * len(arrows) + (0.35 if verdict else 0.0), axes=False)
    place = {name: index / max(1, len(lanes) - 1) for index, name in enumerate(lanes)}
    bottom = -len(arrows) - 0.5
    ax.set_xlim(-0.27, 1.27)
    ax.set_ylim(bottom - (0.9 if verdict else 0.1), 0.9)
    ax.set_title(title)
    for name, x in place.items():
        _lifeline(ax, x, bottom, name, reached=name in reached)
    for index, arrow in enumerate(arrows, start=1):
        _draw(ax, arrow, place, -float(index))
    if verdict:
        ax.text(0.5, bottom - 0.45, shown(verdict[1], _LONGEST), ha="center", va="center", fontsize=10,
                fontweight="bold", color=colour(verdict[0]))  # fmt: skip
    return figure


def _lifeline(ax: Axes, x: float, bottom: float, name: str, *, reached: bool) -> None:
    shade = SPEAKERS[name].colour if name in SPEAKERS else INK if reached else MUTED
    line = (0, ()) if reached else (0, (2, 3))
    ax.plot(
        [x, x], [0.05, bottom], color=GRID if reached else "#b6bdc5", linewidth=1.4, linestyle=line, zorder=1
    )
    words = name if reached else f"{name}\nnever reached"
    box = {"boxstyle": "round,pad=0.45", "facecolor": tint(shade, 0.12) if reached else "white",
           "edgecolor": shade, "linestyle": "-" if reached else "--", "linewidth": 1.1}  # fmt: skip
    ax.text(x, 0.35, words, ha="center", va="center", fontsize=9, fontweight="bold", color=shade, bbox=box,
            zorder=5)  # fmt: skip


_INKS = {"plain": INK, "history": MUTED}


def _draw(ax: Axes, arrow: Arrow, place: dict[str, float], y: float) -> None:
    if arrow.start is None or arrow.end is None:
        ax.text(0.5, y, shown(arrow.text, _LONGEST), ha="center", va="center", fontsize=8.5, zorder=4,
                style="italic", color=MUTED, bbox={"facecolor": "white", "edgecolor": "none", "pad": 2}
                )  # fmt: skip
        return
    speaker = SPEAKERS.get(arrow.state)
    shade = speaker.colour if speaker else _INKS.get(arrow.state) or colour(arrow.state)
    start, end = place[arrow.start], place[arrow.end]
    ax.annotate("", (end, y), (start, y), zorder=3, arrowprops={
        "arrowstyle": "<|-|>" if arrow.both else "-|>", "color": shade, "linewidth": 1.3, "shrinkA": 0,
        "shrinkB": 0, "linestyle": "--" if arrow.state == "history" else "-", "mutation_scale": 11,
    })  # fmt: skip
    sign = "✗ " if arrow.state == "failed" else ""
    most = max(24, int(_SPREAD * 3 * abs(end - start)))
    words = shown(sign + arrow.text, most)
    under = {"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.9}
    ax.text((start + end) / 2, y + 0.13, words, ha="center", va="bottom", fontsize=8.2, color=shade,
            bbox=under, zorder=4)  # fmt: skip
    ax.text(-0.045, y, arrow.time, ha="right", va="center", fontsize=8, color=MUTED)
    ax.text(1.045, y, arrow.number, ha="left", va="center", fontsize=8.5, fontweight="bold", color=shade)
