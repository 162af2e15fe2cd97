"""The budgets as gauges: what is used, what is left, how long to wait; counting down by itself."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from guestlab.limits import Limits
from guestlab.log import Log
from guestlab.widgets.budget_view import BudgetView, Gauge, gauges

if TYPE_CHECKING:
    from collections.abc import Callable

    from guestlab.lab import Lab

NOW = 1_790_000_000_000_000_000
SECOND = 1_000_000_000
HOSTILE = "<img src=x onerror=alert(1)>"


def _until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


def _sent(log: Log, ago: float, *, session: str = "s1", tracing_id: str = "t") -> None:
    log.record(
        "frame", stage="session", lane="frame", direction="sent", session=session, action="onMessage",
        tracing_id=tracing_id, at_ns=NOW - int(ago * SECOND), raw="{}",
    )  # fmt: skip


def _refused(log: Log, ago: float, retry_after: float) -> None:
    raw = json.dumps({"code": 429, "body": {"retryAfter": retry_after}})
    log.record(
        "frame", stage="session", lane="frame", direction="received", session="s1", frame_code=429,
        class_name="TooManyRequestsErrorMessage", tracing_id="t", at_ns=NOW - int(ago * SECOND), raw=raw,
    )  # fmt: skip


def _named(found: list[Gauge], name: str) -> Gauge:
    (gauge,) = [gauge for gauge in found if gauge.budget.startswith(name)]
    return gauge


def test_what_is_used_is_counted_within_its_window() -> None:
    """Messages within a second, frames within a minute."""
    log = Log()
    for ago in (90.0, 30.0, 0.9, 0.5, 0.1):
        _sent(log, ago)
    found = gauges(log, NOW)
    messages, frames = _named(found, "messages.per"), _named(found, "requests.per")
    assert (messages.used, messages.left, messages.state) == (3, 2, "done")
    assert (frames.used, frames.left) == (4, 56)
    assert gauges(log, NOW + 3700 * SECOND) == []


def test_a_full_window_says_how_long_to_wait() -> None:
    """Until its oldest leaves it."""
    log = Log()
    for ago in (0.9, 0.8, 0.7, 0.6, 0.5):
        _sent(log, ago)
    messages = _named(gauges(log, NOW), "messages.per")
    assert messages.state == "failed"
    assert messages.word == "wait 0.1 s"
    almost = _named(gauges(log, NOW, limits=Limits(messages_per_second_per_session=6)), "messages.per")
    assert (almost.state, almost.word) == ("stale", "1 left")


def test_retry_after_counts_down() -> None:
    """As the server asked, whatever the window says."""
    log = Log()
    _sent(log, 5.0)
    _refused(log, 4.0, retry_after=10)
    assert _named(gauges(log, NOW), "messages.per").word == "wait 6.0 s"
    assert _named(gauges(log, NOW + 5 * SECOND), "messages.per").word == "wait 1.0 s"
    assert _named(gauges(log, NOW + 7 * SECOND), "messages.per").word == "5 left"


def test_another_socket_has_other_budgets() -> None:
    """Pings of a notification channel count against nothing here; an attempt is over."""
    log = Log()
    log.record("frame", stage="channel", direction="sent", session="channel-1", action="ping", at_ns=NOW)
    log.record("frame", stage="handshake", direction="sent", attempt=1, action="configureSession", at_ns=NOW)
    assert gauges(log, NOW) == []


def test_old_sessions_at_rest_are_left_out() -> None:
    """The newest is always shown; of others those in use; one by its name."""
    log = Log()
    _sent(log, 600.0, session="old")
    _sent(log, 20.0, session="busy")
    _sent(log, 10.0, session="new")
    assert {gauge.whose for gauge in gauges(log, NOW)} == {"busy", "new"}
    assert {gauge.whose for gauge in gauges(log, NOW, session="old")} == {"old"}


def test_gauges_are_painted_with_word_icon_and_meter(wire: Any) -> None:
    """Never by colour alone; and hostile names stay text."""
    log = Log()
    for ago in (0.9, 0.8, 0.7, 0.6, 0.5):
        _sent(log, ago, session=HOSTILE)
    view = BudgetView(log, now=lambda: NOW)
    assert view.widget is not None
    assert view.refresh.flush()
    for html in (wire.shown(view), view.html()):
        assert "✗ wait 0.1 s" in html
        assert "5 of 5 in a second" in html
        assert "level: documented" in html
        assert "<img" not in html
    assert 'role="meter"' in wire.shown(view)
    assert 'aria-valuenow="5"' in wire.shown(view)
    assert "wait 0.1 s" in view.text()
    view.close()


def test_it_counts_down_by_itself_and_then_rests(wire: Any) -> None:
    """At most once a second; nothing is painted where nothing runs."""
    clock = [NOW]
    log = Log()
    _sent(log, 0.0)
    _refused(log, 0.0, retry_after=30)
    view = BudgetView(log, now=lambda: clock[0])
    assert view.widget is not None
    _until(lambda: "wait 30.0 s" in wire.shown(view))
    clock[0] += 12 * SECOND
    _until(lambda: "wait 18.0 s" in wire.shown(view), 5)
    clock[0] += 100 * SECOND
    _until(lambda: "wait" not in wire.shown(view), 5)
    _until(lambda: not view._ticker._running, 5)
    view.close()


def test_a_new_entry_wakes_it(lab: Lab, wire: Any) -> None:
    """Sent in another cell, seen here."""
    with lab.session() as session:
        view = BudgetView(lab.log, session.name)
        assert view.widget is not None
        assert view.refresh.flush()
        for number in range(3):
            session.send(f"hello {number}")
        _until(lambda: "4 of 60 in a minute" in wire.shown(view))
        view.close()


def test_an_empty_log_says_so(wire: Any) -> None:
    """In the widget, as HTML, as text."""
    view = BudgetView(Log())
    assert "No budget is in use" in view.html()
    assert view.text() == "No budget is in use."
    assert view.widget is not None
    assert view.refresh.flush()
    assert "No budget is in use" in wire.shown(view)
    view.close()
