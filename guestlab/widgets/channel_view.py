"""A notification channel in time: heartbeats, events and gaps of the last minutes, and its life of 24 hours.

A view of the log (`channel_life.py`) and of the channel's own clock. It is painted as things happen, and once
a second by itself, because it counts down.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from guestlab.display import channel_html
from guestlab.style import counted
from guestlab.widgets import theme
from guestlab.widgets.channel_life import ChannelLife
from guestlab.widgets.log_rows import time_of
from guestlab.widgets.refresh import Ticker
from guestlab.widgets.tracks import Mark, Span, legend, track
from guestlab.widgets.view import LiveView, markup, stack
from guestlab.widgets.views_style import style
from guestlab.widgets.wire_text import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from guestlab.blocking_channel import Channel

__all__ = ["ChannelView", "span_text"]

_MINUTES = 5
_LOOK_BACK = 50_000
"""Entries read back when the view is opened on a long log."""
_RECENT = 8
_STATES = {
    "connected": ("done", "connected"),
    "reconnecting": ("stale", "link lost, coming back"),
    "closed": ("skipped", "closed"),
    "idle": ("ready", "not open yet"),
}


def span_text(seconds: float) -> str:
    """Say a span of time.

    >>> span_text(86_399), span_text(75), span_text(4.2)
    ('23 h 59 min', '1 min 15 s', '4.2 s')
    """
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, left = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {left:02} s" if minutes else f"{left} s"


class ChannelView(LiveView):
    """A notification channel and its time; `channel.view()` makes it.

    Args:
        channel: Which.
        now: The clock by which the log's times are, nanoseconds since 1970.
    """

    def __init__(self, channel: Channel, *, now: Callable[[], int] = time.time_ns) -> None:
        super().__init__(per_second=2.0)
        self._channel, self._now = channel, now
        self._log = channel.core.log
        self.life = ChannelLife(channel.name)
        self._next = max(0, len(self._log) - _LOOK_BACK)
        self._reading = threading.Lock()
        self._unsubscribe: Callable[[], None] = lambda: None
        self._ticker = Ticker(self.refresh.poke, 1.0)
        self._built = False

    def build(self) -> Any:
        """Make the widget, and follow the log from now on."""
        self._head, self._facts, self._tracks, self._tables = (markup("") for _ in range(4))
        self._built = True
        self._unsubscribe = self._log.subscribe(lambda _: self.refresh.poke())
        self._ticker.start()
        return stack(
            style(), self._head, self._facts, self._tracks, self._tables, classes=("gl-card", "gl-channel")
        )

    def paint(self) -> None:
        """Bring it up to date."""
        if not self._built:
            return
        now, state = self._now(), self._channel.state
        with self._reading:
            self._read()
            self._head.value = self._head_html(state)
            self._facts.value = theme.table((), self._known(now, state))
            self._tracks.value = self._minutes_html(now, state) + self._life_html(now, state)
            self._tables.value = self._topics_html() + self._events_html()
        if state == "closed":
            self._unsubscribe()
            self._ticker.stop()

    def _read(self) -> None:
        end = len(self._log)
        self.life.read(self._log.entries[self._next : end])
        self._next = end

    def close(self) -> None:
        """Stop moving."""
        self._unsubscribe()
        self._ticker.stop()
        super().close()

    # -- its words --------------------------------------------------------------------------------

    def _head_html(self, state: str) -> str:
        seen, word = _STATES.get(state, (state, state))
        return theme.heading(f"Notification channel {self._channel.name}", theme.pill(seen, word))

    def _known(self, now: int, state: str) -> list[tuple[object, ...]]:
        """Name, value, what it is worth: what a person asks of a channel."""
        protocol, life = self._channel.core.protocol, self.life
        documented = theme.Markup(theme.level("documented"))
        rows: list[tuple[object, ...]] = []
        is_open = state == "connected"
        if life.heartbeats:
            ago = (now - life.heartbeats[-1]) / 1e9
            due = protocol.heartbeat - ago
            word = f"the next in about {span_text(due)}" if due >= 0 else f"overdue by {span_text(-due)}"
            rows.append(
                ("heartbeat", f"{span_text(max(0.0, ago))} ago{f'; {word}' if is_open else ''}", documented)
            )
        elif is_open:
            rows.append(
                ("heartbeat", f"none yet; one comes about every {protocol.heartbeat:g} s", documented)
            )
        left = self._channel.core.expires_in
        if left is not None and state != "closed":
            at = datetime.fromtimestamp(now / 1e9 + left, UTC)
            renewed = span_text(protocol.lifetime / 24)
            word = f"in {span_text(left)}, at {at:%Y-%m-%d %H:%M} UTC" if left > 0 else "now"
            rows.append(("expires", f"{word}; its topics are set anew {renewed} before", documented))
        conversations = counted(len(self._channel.conversations), "conversation")
        rows.append(("events", f"{life.told:,}, of {conversations}", ""))
        rows.append(("gaps", self._gaps_text(now, state), ""))
        return rows

    def _gaps_text(self, now: int, state: str) -> str:
        gaps = [gap for gap in self.life.gaps if gap.end_ns is not None or state != "closed"]
        if not gaps:
            return "none: every event since it was opened is in the log"
        longest = max(((gap.end_ns or now) - gap.start_ns) / 1e9 for gap in gaps)
        word = "1 gap" if len(gaps) == 1 else f"{len(gaps)} gaps, the longest"
        return f"{word} of {span_text(longest)}; nothing of it is told later: read again over REST"

    # -- its pictures -----------------------------------------------------------------------------

    def _minutes_html(self, now: int, state: str) -> str:
        window, life = _MINUTES * 60.0, self.life
        start = now - int(window * 1e9)
        future = window / 8
        whole = window + future

        def at(moment: int) -> float:
            return (moment - start) / 1e9 / whole

        marks = [
            Mark(at(one), "beat", f"heartbeat {time_of(one)}") for one in life.heartbeats if one >= start
        ]
        marks += [Mark(at(one), "event", f"event {time_of(one)}") for one in life.events if one >= start]
        marks += [Mark(at(one), "ping", f"our ping {time_of(one)}") for one in life.pings if one >= start]
        if life.heartbeats and state == "connected":
            due = life.heartbeats[-1] + int(self._channel.core.protocol.heartbeat * 1e9)
            marks.append(Mark(at(due), "due", "the next heartbeat is due"))
        gaps = [
            Span(at(gap.start_ns), at(gap.end_ns or now), "gap", "gap: nothing was heard")
            for gap in life.gaps
            if (gap.end_ns is not None or state != "closed") and (gap.end_ns or now) >= start
        ]
        beats = sum(mark.kind == "beat" for mark in marks)
        events = sum(mark.kind == "event" for mark in marks)
        counts = counted(beats, "heartbeat"), counted(events, "event"), counted(len(gaps), "gap")
        told = f"The last {_MINUTES} minutes: {', '.join(counts)}."
        axis = [(minute * 60 / whole, f"{_MINUTES - minute} min ago") for minute in range(_MINUTES)]
        axis += [(window / whole, "now"), (1.0, "")]
        picture = track(told, marks=marks, spans=gaps, axis=axis)
        name = f'<div class="gl-track-name">The last {_MINUTES} minutes</div>'
        return name + picture + legend(("beat", "event", "ping", "due", "gap"))

    def _life_html(self, now: int, state: str) -> str:
        left, lifetime = self._channel.core.expires_in, self._channel.core.protocol.lifetime
        if left is None or state == "closed":
            return ""
        spent = min(1.0, max(0.0, 1 - left / lifetime))
        set_at = now - int((lifetime - left) * 1e9)

        def at(moment: int) -> float:
            return (moment - set_at) / 1e9 / lifetime

        gaps = [
            Span(max(0.0, at(gap.start_ns)), at(gap.end_ns or now), "gap", "gap: nothing was heard")
            for gap in self.life.gaps
            if (gap.end_ns or now) >= set_at
        ]
        spans = [Span(0.0, spent, "spent", f"{span_text(max(0.0, lifetime - left))} of it are over"), *gaps]
        marks = [Mark(23 / 24, "renew", "its topics are set anew"), Mark(0.9985, "end", "it expires")]
        hours = lifetime / 3600
        axis = [(part / 4, f"{hours * part / 4:g} h") for part in range(4)]
        axis += [(1.0, f"{hours:g} h: it expires")]
        told = (
            f"Its life: {span_text(lifetime - left)} of {hours:g} hours are over, {span_text(left)} are left."
        )
        name = '<div class="gl-track-name">Its life, since its topics were set</div>'
        return name + track(told, marks=marks, spans=spans, axis=axis) + legend(("spent", "renew", "end"))

    def _topics_html(self) -> str:
        rows: list[tuple[object, ...]] = [
            (theme.Markup(theme.pill("done", "subscribed")), theme.Markup(shown(topic, 300)), "")
            for topic in self._channel.topics
        ]
        rows += [
            (
                theme.Markup(theme.pill("failed", "rejected")),
                theme.Markup(shown(topic, 300)),
                theme.Markup(shown(why, 600)),
            )
            for topic, why in self._channel.rejected.items()
        ]
        return theme.details(
            counted(len(rows), "topic"),
            theme.table(("", "topic", "why not"), rows),
            shown=True,
        )

    def _events_html(self) -> str:
        if not self.life.newest:
            return ""
        rows = [
            (
                entry.seq,
                time_of(entry.at),
                theme.Markup(shown(entry.class_name or "", 200)),
                theme.Markup(shown(entry.conversation_id or "", 60)),
            )
            for entry in list(self.life.newest)[: -_RECENT - 1 : -1]
        ]
        head = ("entry", "time, UTC", "topic", "conversation")
        return theme.details("The newest events", theme.table(head, rows), shown=True)

    # -- static -----------------------------------------------------------------------------------

    def html(self) -> str:
        """State, topics, and what is known of its time."""
        with self._reading:
            self._read()
            known = theme.table((), self._known(self._now(), self._channel.state))
            return f"<div>{channel_html(self._channel)}{known}{self._events_html()}</div>"

    def text(self) -> str:
        """The channel in one line."""
        return repr(self._channel)
