"""The published budgets as gauges: what of each is used now, what is left, how long to wait.

`gl.analysis.budget` does the counting, over the log's newest rows; here it is painted at most once a second,
and once a second by itself for as long as a window or a `retryAfter` runs.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from guestlab.limits import PUBLISHED, Limits
from guestlab.widgets import theme
from guestlab.widgets.refresh import Ticker
from guestlab.widgets.view import LiveView, markup, stack
from guestlab.widgets.views_style import style
from guestlab.widgets.wire_text import plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from guestlab.log import Log

__all__ = ["BudgetView", "Gauge", "gauges"]

_LATEST = 20_000
"""Rows looked back at: at the busiest a connection may send 60 a minute."""
_SECONDS = 3600.0
"""Older rows count for nothing here; a `retryAfter` longer than that is not shown."""
_GROUPS = 6
"""Sessions shown at most, the latest."""

NAMES = {
    "messages.per.session.rate.per.second": "messages of a session",
    "requests.per.connection.rate.per.minute": "frames of a connection",
    "configure.per.session.rate.per.minute": "configurations of a session",
    "connections.rate.per.minute": "connections of a deployment",
    "get.history.rate.per.minute": "requests for history",
    "health.check.per.connection.rate.per.minute": "echoes of a connection",
    "typing": "typing events",
}
"""The vendor's key → in words."""


class Gauge(NamedTuple):
    """One budget at one moment."""

    whose: str
    """A session, a deployment, or "" for what is counted together."""
    budget: str
    limit: int
    seconds: float
    used: int
    free_in_s: float
    """Until one more may be sent, a `retryAfter` included; 0 for now."""
    forced_s: float = 0.0
    """What of a `retryAfter` still runs: until then no frame is to be sent, whatever is left."""

    @property
    def left(self) -> int:
        """How many more may be sent now."""
        return max(0, self.limit - self.used)

    @property
    def state(self) -> str:
        """A state of `guestlab.style`."""
        if self.free_in_s > 0:
            return "failed"
        return "stale" if self.limit and self.used / self.limit >= 0.8 else "done"

    @property
    def word(self) -> str:
        """What to do."""
        if self.free_in_s == float("inf"):
            return "none allowed"
        if self.free_in_s > 0:
            return f"wait {self.free_in_s:.1f} s"
        return f"{self.left} left"


def gauges(log: Log, now_ns: int, *, limits: Limits = PUBLISHED, session: str | None = None) -> list[Gauge]:
    """Measure the budgets of the log's sessions and deployments at a moment.

    Args:
        log: Its newest rows count.
        now_ns: The moment, nanoseconds since 1970.
        limits: The budgets.
        session: Of one session only; by default the latest few, and what is not a session's.
    """
    if not len(log):
        return []
    from guestlab.analysis.budgets import budget

    rows = log.table().iloc[-_LATEST:]
    now = datetime.fromtimestamp(now_ns / 1e9, UTC)
    ages = (now - rows["at"]).dt.total_seconds()
    rows = rows[(ages <= _SECONDS) & (rows["stage"] != "channel")]  # another socket, other budgets
    if not len(rows):
        return []
    found = budget(rows, now, limits=limits)
    latest = [str(name) for name in rows["session"].dropna().drop_duplicates(keep="last")][-_GROUPS:]
    found = found[found["attempt"].isna()]  # an attempt sends one frame and is over
    shown = list(map(_gauge, found.itertuples()))
    if session is not None:
        return [gauge for gauge in shown if gauge.whose == session]
    in_use = {gauge.whose for gauge in shown if gauge.used or gauge.free_in_s > 0} | set(latest[-1:])
    of_sessions = [gauge for gauge in shown if _is_session(gauge) and gauge.whose in in_use & set(latest)]
    others = [gauge for gauge in shown if gauge.used and not _is_session(gauge)]
    return of_sessions + others[:_GROUPS]


def _gauge(row: Any) -> Gauge:
    whose = next((name for name in (row.session, row.deployment) if isinstance(name, str)), "")
    forced = float(row.forced_s)
    wait = max(float(row.free_in_s), forced)
    return Gauge(whose, str(row.budget), int(row.limit), float(row.seconds), int(row.used), wait, forced)


def _is_session(gauge: Gauge) -> bool:
    return bool(gauge.whose) and gauge.budget != "connections.rate.per.minute"


class BudgetView(LiveView):
    """The budgets of a log, counting down.

    Args:
        log: Whose.
        session: Of one session only.
        limits: The budgets.
        now: The clock by which the log's times are, nanoseconds since 1970.
    """

    def __init__(
        self,
        log: Log,
        session: str | None = None,
        *,
        limits: Limits = PUBLISHED,
        now: Callable[[], int] = time.time_ns,
    ) -> None:
        super().__init__(per_second=1.0)
        self._log, self._session, self._limits, self._now = log, session, limits, now
        self._unsubscribe: Callable[[], None] = lambda: None
        self._ticker = Ticker(self.refresh.poke, 1.0)
        self._shown: Any = None

    def measured(self) -> list[Gauge]:
        """The budgets now."""
        return gauges(self._log, self._now(), limits=self._limits, session=self._session)

    def build(self) -> Any:
        """Make the widget, and follow the log from now on."""
        self._shown = markup("")
        self._unsubscribe = self._log.subscribe(lambda _: self.refresh.poke())
        return stack(style(), self._shown, classes=("gl-budgets",))

    def paint(self) -> None:
        """Bring it up to date; go on by itself as long as something runs."""
        if self._shown is None:
            return
        found = self.measured()
        self._shown.value = _gauges_html(found)
        if any(gauge.used or gauge.free_in_s for gauge in found):
            self._ticker.start()
        else:
            self._ticker.stop()

    def close(self) -> None:
        """Stop moving."""
        self._unsubscribe()
        self._ticker.stop()
        super().close()

    def html(self) -> str:
        """The budgets as a table."""
        rows = [
            (gauge.whose, NAMES.get(gauge.budget, gauge.budget), _of(gauge), theme.Markup(_pill(gauge)))
            for gauge in self.measured()
        ]
        table = theme.table(("whose", "budget", "used", "now"), rows)
        return f"<div><p><b>Budgets</b> (level: documented)</p>{table if rows else _NOTHING}</div>"

    def text(self) -> str:
        """One line for each budget."""
        lines = [
            f"{plain(gauge.whose, 24, one_line=True):<24} {NAMES.get(gauge.budget, gauge.budget):<28} "
            f"{_of(gauge)}: {gauge.word}"
            for gauge in self.measured()
        ]
        return "\n".join(lines or ["No budget is in use."])


_NOTHING = "<p>No budget is in use: nothing that counts was sent within the last hour.</p>"


def _pill(gauge: Gauge) -> str:
    return theme.pill(gauge.state, gauge.word)


def _of(gauge: Gauge) -> str:
    window = (
        "a second" if gauge.seconds == 1 else "a minute" if gauge.seconds == 60 else f"{gauge.seconds:g} s"
    )
    return f"{gauge.used} of {gauge.limit} in {window}"


def _gauges_html(found: list[Gauge]) -> str:
    worth = f'{theme.level("documented")} <span class="gl-quiet gl-small">the vendor\'s limits page</span>'
    head = theme.heading("Budgets", worth)
    if not found:
        return head + _NOTHING
    groups = dict.fromkeys(gauge.whose for gauge in found)
    return head + "".join(_group(whose, [g for g in found if g.whose == whose]) for whose in groups)


def _group(whose: str, found: list[Gauge]) -> str:
    kind = "deployment" if found[0].budget == "connections.rate.per.minute" else "session"
    name = f"{kind} {plain(whose, 60, one_line=True)}" if whose else f"without a {kind}"
    rows = "".join(_row(name, gauge) for gauge in found)
    forced = max(gauge.forced_s for gauge in found)
    told = theme.pill("failed", f"retryAfter: no frame for {forced:.1f} s") if forced > 0 else ""
    head = f'<div class="gl-quiet gl-small gl-whose">{theme.escape(name)} {told}</div>'
    return f'{head}<div class="gl-gauges">{rows}</div>'


def _row(whose: str, gauge: Gauge) -> str:
    name = NAMES.get(gauge.budget, gauge.budget)
    share = min(1.0, gauge.used / gauge.limit) if gauge.limit else 1.0
    label = theme.escape(f"{name}, {whose}: {_of(gauge)}, {gauge.word}", quote=True)
    bar = (
        f'<div class="gl-gauge" role="meter" aria-label="{label}" aria-valuemin="0" '
        f'aria-valuemax="{gauge.limit}" aria-valuenow="{min(gauge.used, gauge.limit)}">'
        f'<div class="gl-fill-{gauge.state}" style="width:{share:.0%}"></div></div>'
    )
    title = theme.escape(gauge.budget, quote=True)
    return (
        f'<div title="{title}">{theme.escape(name)}</div>{bar}'
        f'<div class="gl-small">{_of(gauge)}</div><div>{_pill(gauge)}</div>'
    )
