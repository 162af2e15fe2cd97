"""A channel in time: heartbeats, events, gaps, the 24 hours; told in words as well as drawn."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from guestlab.log import Log
from guestlab.protocol.notifications import ChannelProtocol, ChannelState
from guestlab.widgets.channel_life import ChannelLife
from guestlab.widgets.channel_view import ChannelView
from guestlab.widgets.tracks import Mark, Span, track
from guestlab.widgets.view import WIDGET_MIME

if TYPE_CHECKING:
    from collections.abc import Callable

    from guestlab.lab import Lab

NOW = 1_790_000_000_000_000_000
SECOND = 1_000_000_000
TOPIC = "v2.routing.queues.q-1.conversations.messages"
HOSTILE = "<img src=x onerror=alert(1)>"


def _until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


class _Core:
    """As much of a channel as a view looks at, with a clock of ours."""

    def __init__(self, log: Log) -> None:
        self.log, self.protocol, self.now = log, ChannelProtocol(), 0.0
        self.protocol.subscribed((TOPIC,), 0.0)
        self.protocol.state = ChannelState.CONNECTED

    @property
    def expires_in(self) -> float | None:
        return None if self.protocol.expires is None else self.protocol.expires - self.now


class _Channel:
    def __init__(self, log: Log) -> None:
        self.core, self.name, self.rejected = _Core(log), "channel-1", {HOSTILE: HOSTILE}
        self.topics, self.conversations = (TOPIC,), ("c-1",)

    @property
    def state(self) -> str:
        return str(self.core.protocol.state)


def _frame(log: Log, ago: float, *, note: str | None = "Heartbeat", name: str = "channel-1") -> None:
    log.record(
        "frame", stage="channel", session=name, lane="frame", direction="received", note=note,
        class_name="channel.metadata" if note else TOPIC, at_ns=NOW - int(ago * SECOND),
        conversation_id=None if note else HOSTILE,
    )  # fmt: skip


def _lived(*, back: bool = True) -> Log:
    """Up for four minutes, a gap of 20 s, up again."""
    log = Log()
    up = {"stage": "channel", "session": "channel-1", "http_status": 101}
    log.record("response", **up, at_ns=NOW - 240 * SECOND)
    for ago in (210, 180, 150, 120):
        _frame(log, ago)
    _frame(log, 100, note=None)
    log.record("close", stage="channel", session="channel-1", close_code=1006, at_ns=NOW - 95 * SECOND)
    if back:
        log.record("response", **up, at_ns=NOW - 80 * SECOND)
        _frame(log, 50)
        _frame(log, 20)
    _frame(log, 5, name="channel-2")
    log.record("frame", stage="channel", session="channel-1", direction="sent", action="ping", at_ns=NOW)
    return log


def _view(log: Log) -> tuple[ChannelView, _Core]:
    channel = _Channel(log)
    view = ChannelView(channel, now=lambda: NOW + int(channel.core.now * SECOND))  # type: ignore[arg-type]
    return view, channel.core


def test_a_life_is_read_entry_by_entry() -> None:
    """Only its own; a gap is from the last frame to the next socket."""
    log = _lived()
    life = ChannelLife("channel-1")
    for entry in log.entries:
        life.read([entry])
    assert len(life.heartbeats) == 6
    assert life.told == len(life.events) == 1
    assert len(life.pings) == 1
    (gap,) = life.gaps
    assert (NOW - gap.start_ns, NOW - (gap.end_ns or 0)) == (100 * SECOND, 80 * SECOND)
    assert life.born_ns == NOW - 240 * SECOND


def test_it_tells_in_words_and_draws(wire: Any) -> None:
    """Heartbeat, expiry, events, gaps; hostile names stay text."""
    view, _ = _view(_lived())
    assert view.widget is not None
    assert view.refresh.flush()
    shown = wire.shown(view)
    for expected in (
        "✓ connected",
        "20 s ago; the next in about 10 s",
        "in 24 h 00 min",
        "its topics are set anew 1 h 00 min before",
        "1, of 1 conversation<",
        "1 gap of 20 s",
        "read again over REST",
        "The last 5 minutes: 6 heartbeats, 1 event, 1 gap.",
        "24 h: it expires",
        "✗ rejected",
        "level: documented",
    ):
        assert expected in shown
    assert shown.count('class="gl-mark gl-mark-beat"') == 6 + 1  # one in the legend
    assert "<img" not in shown
    assert "&lt;img" in shown
    view.close()


def test_it_counts_down_by_itself(wire: Any) -> None:
    """Overdue heartbeats are said to be so; the renewal comes before the 24 hours."""
    view, core = _view(_lived())
    assert view.widget is not None
    assert view.refresh.flush()
    core.now = 15.0
    _until(lambda: "overdue by 5.0 s" in wire.shown(view), 5)
    core.now = 86_400 - 90.0
    _until(lambda: "in 1 min 30 s" in wire.shown(view), 5)
    assert "Its life: 23 h 58 min of 24 hours are over, 1 min 30 s are left." in wire.shown(view)
    view.close()


def test_an_open_gap_grows(wire: Any) -> None:
    """While the link is lost."""
    view, core = _view(_lived(back=False))
    core.protocol.state = ChannelState.RECONNECTING
    assert view.widget is not None
    assert view.refresh.flush()
    assert "link lost, coming back" in wire.shown(view)
    assert "1 gap of 1 min 40 s" in wire.shown(view)
    view.close()


def test_a_closed_channel_rests(wire: Any) -> None:
    """Its end is no gap; nothing is painted any more."""
    view, core = _view(_lived(back=False))
    core.protocol.state = ChannelState.CLOSED
    assert view.widget is not None
    assert view.refresh.flush()
    shown = wire.shown(view)
    assert "closed" in shown
    assert "none: every event" in shown
    assert "Its life" not in shown
    assert not view._ticker._running
    assert "expires" not in view.html()


def test_marks_outside_are_left_out_and_spans_are_cut() -> None:
    """Places are shares of the bar; words are escaped."""
    drawn = track(
        HOSTILE,
        marks=[Mark(-0.1, "beat", "before"), Mark(0.5, "beat", HOSTILE), Mark(1.1, "beat", "after")],
        spans=[Span(-1.0, 0.25, "gap", "a"), Span(2.0, 3.0, "gap", "b")],
        axis=[(0.0, HOSTILE)],
    )
    assert "<img" not in drawn
    assert "before" not in drawn
    assert "after" not in drawn
    assert re.findall(r'gl-gap"[^>]*left:([\d.]+)%;width:([\d.]+)%', drawn) == [("0.000", "25.000")]


def test_a_channel_shows_itself(lab: Lab, wire: Any) -> None:
    """As the last line of a cell; the events of its topics arrive by themselves."""
    assert lab.sandbox is not None
    topic = f"v2.routing.queues.{lab.sandbox.queue_id}.conversations.messages"
    with lab.channel([topic]) as channel:
        view = channel.view()
        assert channel.view() is view
        bundle = channel._repr_mimebundle_()
        assert bundle["text/plain"] == repr(channel)
        assert WIDGET_MIME in bundle
        assert topic in bundle["text/html"]
        assert "in 23 h 59 min" in bundle["text/html"]
        channel.ping()
        _until(lambda: "our ping" in wire.shown(view))
        lab.conversation()
        with lab.customer() as customer:
            customer.send("hello")
            customer.send("Talk to a human")
            _until(lambda: "The newest events" in wire.shown(view))
    _until(lambda: "closed" in wire.shown(view))
    address = channel.core._uri.rpartition("/")[2]
    assert address not in wire.state(view) + wire.texts
