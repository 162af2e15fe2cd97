"""The log, live: filters, one page of rows, the chosen row as it was recorded, and calls that write files.

Only the visible page becomes rows in the browser, so a log of a hundred thousand entries opens as fast as one
of a hundred. While it follows, the newest page is shown, brought up to date at most twice a second; choosing
a row or looking at another page stops that, so that nothing moves under the pointer.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from guestlab.style import counted
from guestlab.widgets import theme
from guestlab.widgets.budget_view import BudgetView
from guestlab.widgets.copying import with_copying
from guestlab.widgets.log_files import LogFiles
from guestlab.widgets.log_filters import LogFilters
from guestlab.widgets.log_rows import HEAD, card, line, lines_text, rows_table
from guestlab.widgets.log_sieve import Sieve, Wanted
from guestlab.widgets.refresh import Refresh
from guestlab.widgets.sequence_view import SequenceBox, of_entries, of_session
from guestlab.widgets.view import LiveView, button, markup, row, stack
from guestlab.widgets.views_style import style

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from guestlab.log import Log
    from guestlab.log.entry import Entry

__all__ = ["PAGE", "LogView"]

PAGE = 100
"""Rows on a page."""

_PER_SECOND = 2.0
"""How often new entries are shown at most; what a person does is shown sooner."""

_STATIC = 20
_HEIGHT = 18
_SCANNED = 1_000_000
"""Entries above which the names of sessions are not looked up unasked: it takes the whole table."""


class LogView(LiveView):
    """A log to look through; `log.view()` makes it.

    Args:
        log: Which.
        newest_first: In which order.
        wanted: What is shown at first: `kind`, `lane`, `direction`, `session`, `text`, `only_refusals`.
    """

    def __init__(self, log: Log, *, newest_first: bool = True, **wanted: Any) -> None:
        super().__init__()
        self._news = Refresh(self.refresh.poke, _PER_SECOND)
        self.log = log
        self._filters = LogFilters(Wanted.of(**wanted), log.redact, self._filtered)
        self._sieve = Sieve(log)
        self._newest_first = newest_first
        self._stopped_at: int | None = None
        self._page = 0
        self._pages = 1
        self._chosen: int | None = None
        self._drawn: int | None = None
        self._listed: tuple[tuple[str, int], ...] | None = None
        self._painter = 0
        self._unsubscribe: Callable[[], None] = lambda: None
        self._budgets: BudgetView | None = None
        self._built = False

    # -- what it does -----------------------------------------------------------------------------

    @property
    def wanted(self) -> Wanted:
        """The filter."""
        return self._filters.wanted

    @property
    def follows(self) -> bool:
        """Whether new entries appear by themselves."""
        return self._stopped_at is None

    def filter(self, **wanted: Any) -> None:
        """Show other rows: `kind`, `lane`, `direction`, `session`, `text`, `only_refusals`; none shows all.

        Raises:
            InputError: No such filter, or not one of its values.
        """
        self._filters.wanted = Wanted.of(**wanted)

    def follow(self, *, on: bool = True) -> None:
        """Show the newest page as it grows; or stand still."""
        self._stopped_at = None if on else len(self.log)
        if on:
            self._page = 0
        self.refresh.poke()

    def choose(self, seq: int) -> None:
        """Show an entry with all it holds, by its number; the list stands still from then on."""
        if not 0 < seq <= len(self.log):
            return
        self._chosen = seq
        if self.follows:
            self._stopped_at = len(self.log)
        if self._built:
            self._sequence.about(self._diagram(self.log.entries[seq - 1]))
        self.refresh.poke()

    def _picked(self, seq: int | None) -> None:
        if seq is not None:
            self.choose(seq)

    def turn_to(self, page: int) -> None:
        """Show another page; the first is 0, and holds the newest rows where those come first."""
        if page == self._page:
            return
        if self.follows:
            self._stopped_at = len(self.log)
        self._page = page
        self.refresh.poke()

    def order(self, *, newest_first: bool) -> None:
        """Choose the order of the rows."""
        self._newest_first, self._page = newest_first, 0
        self.refresh.poke()

    def page(self) -> list[Entry]:
        """The entries of the page shown, in its order."""
        return self._entries(self._chosen_places())

    def _filtered(self) -> None:
        self._page = 0
        self.refresh.poke()

    def _diagram(self, entry: Entry) -> Any:
        if entry.attempt is not None:
            return of_entries(self.log, entry.attempt)
        return of_session(self.log, entry.session) if entry.session else None

    # -- which rows -------------------------------------------------------------------------------

    def _places(self) -> Sequence[int]:
        """Every wanted row, up to where it stopped."""
        places = self._sieve.places(self.wanted)
        if self._stopped_at is None:
            return places
        if isinstance(places, range):
            return range(min(len(places), self._stopped_at))
        import numpy as np

        return places[: int(np.searchsorted(places, self._stopped_at))]

    def _chosen_places(self) -> Sequence[int]:
        places = self._places()
        self._found = len(places)
        self._pages = max(1, -(-len(places) // PAGE))
        self._page = min(max(0, self._page), self._pages - 1)
        if self._newest_first:
            end = len(places) - self._page * PAGE
            return places[max(0, end - PAGE) : end][::-1]
        page = self._pages - 1 if self.follows else self._page
        return places[page * PAGE : (page + 1) * PAGE]

    def _entries(self, places: Sequence[int]) -> list[Entry]:
        return [self.log.entries[int(place)] for place in places]

    # -- the widget -------------------------------------------------------------------------------

    def build(self) -> Any:
        """Make the widget, and follow the log from now on."""
        import ipywidgets as w

        self._head, self._count, self._detail = markup(""), markup(""), markup("")
        self._list = w.Select(options=[], value=None, rows=_HEIGHT, description="Rows of the log")
        self._list.observe(self._by_hand(self._picked), "value")
        plain = {"description_width": "initial"}
        self._following = w.Checkbox(value=True, description="Follow", indent=False, style=plain)
        self._following.observe(self._by_hand(lambda on: self.follow(on=on)), "value")
        self._order = w.Checkbox(
            value=self._newest_first, description="Newest first", indent=False, style=plain
        )
        self._order.observe(self._by_hand(lambda first: self.order(newest_first=first)), "value")
        self._slider = w.IntSlider(
            1, 1, 1, description="Page", continuous_update=False, style=plain, layout={"width": "320px"}
        )
        self._slider.observe(self._by_hand(lambda page: self.turn_to(page - 1)), "value")
        self._before = button("Previous page", lambda: self.turn_to(self._page - 1))
        self._after = button("Next page", lambda: self.turn_to(self._page + 1))
        self._pager = row(self._before, self._slider, self._after, classes=("gl-pager",))
        self._sequence = SequenceBox(self.refresh.poke)
        self._files = LogFiles(self.log, self.refresh.poke)
        self._built = True
        if self._chosen is not None:
            self.choose(self._chosen)
        self._unsubscribe = self.log.subscribe(self._told)
        return stack(
            style(),
            self._head,
            self._filters.build(),
            row(self._order, self._following, classes=("gl-filters",)),
            self._count,
            stack(markup(f'<div class="gl-rows-head" aria-hidden="true">{HEAD}</div>'), self._list,
                  classes=("gl-rows",)),
            self._pager,
            self._detail,
            self._sequence.widget,
            self._folds(),
            classes=("gl-card", "gl-log"),
        )  # fmt: skip

    def _folds(self) -> Any:
        import ipywidgets as w

        holder = stack()
        folds = w.Accordion([holder, self._files.widget])
        folds.titles = ("Budgets: what may still be sent", "Write the log to a file")
        folds.selected_index = None

        def opened(change: Any) -> None:
            if change["new"] == 0 and self._budgets is None:
                self._budgets = BudgetView(self.log)
                holder.children = (self._budgets.widget,)

        folds.observe(opened, "selected_index")
        return folds

    def _by_hand(self, do: Callable[[Any], object]) -> Callable[[Any], None]:
        """Only what a person changed: what painting changes comes on the painting thread."""

        def observed(change: Any) -> None:
            if threading.get_ident() != self._painter:
                do(change["new"])

        return observed

    def _told(self, _: Entry) -> None:
        self._news.poke()

    def close(self) -> None:
        """Stop moving."""
        self._unsubscribe()
        self._news.close()
        if self._budgets is not None:
            self._budgets.close()
        super().close()

    # -- painting ---------------------------------------------------------------------------------

    def paint(self) -> None:
        """Bring the page up to date."""
        if not self._built:
            return
        self._painter = threading.get_ident()
        places = self._chosen_places()
        self._paint_list(self._entries(places))
        self._paint_pager()
        self._count.value = self._count_html(places)
        self._head.value = self._head_html()
        self._following.value, self._order.value = self.follows, self._newest_first
        if self._chosen != self._drawn:
            self._drawn = self._chosen
            entry = None if self._chosen is None else self.log.entries[self._chosen - 1]
            self._detail.value = "" if entry is None else with_copying(card(entry))
        elif self._chosen is None and not self._detail.value:
            self._detail.value = theme.note("Choose a row: all it holds appears here.")
        self._sequence.paint()
        self._files.paint()
        if len(self.log) <= _SCANNED:
            self._filters.offer(self._sieve.sessions())

    def _paint_list(self, entries: list[Entry]) -> None:
        listed = tuple((line(entry), entry.seq) for entry in entries)
        seqs = {seq for _, seq in listed}
        chosen = self._chosen if self._chosen in seqs else None
        if listed == self._listed and self._list.value == chosen:
            return
        with self._list.hold_sync():  # one message, so that the page does not flicker
            if listed != self._listed:
                self._listed = listed
                self._list.options = listed
            self._list.value = chosen

    def _paint_pager(self) -> None:
        page = self._pages - 1 if self.follows and not self._newest_first else self._page
        self._page = page
        self._pager.layout.display = "none" if self._pages == 1 else None
        with self._slider.hold_sync():
            self._slider.max = self._pages
            self._slider.value = page + 1
        self._before.disabled, self._after.disabled = page == 0, page == self._pages - 1

    def _head_html(self) -> str:
        state, word = ("running", "following") if self.follows else ("skipped", "standing still")
        return theme.heading(f"Log: {counted(len(self.log), 'entry', 'entries')}", theme.pill(state, word))

    def _count_html(self, places: Sequence[int]) -> str:
        shown = f"<b>{len(places):,}</b> of <b>{self._found:,}</b> rows shown"
        of = "" if self.wanted.is_everything else f", filtered out of {len(self.log):,}"
        news = ""
        if self._stopped_at is not None and (new := len(self.log) - self._stopped_at):
            news = f" · {new:,} new since it stands still: tick Follow"
        return f'<div role="status" class="gl-count">{shown}{of}{news}</div>'

    # -- static -----------------------------------------------------------------------------------

    def html(self) -> str:
        """The newest rows as a table, and the calls that show and write the rest."""
        entries = self.page()[:_STATIC] if self._newest_first else self.page()[-_STATIC:]
        head = f"<p><b>{theme.escape(repr(self.log))}</b></p>"
        more = f"<p>{len(entries)} of {self._found:,} rows.</p>"
        return f"<div>{head}{rows_table(entries)}{more}{theme.details('In a cell', LogFiles.calls())}</div>"

    def text(self) -> str:
        """The newest rows, one line each."""
        entries = self.page()[:_STATIC] if self._newest_first else self.page()[-_STATIC:]
        return f"{self.log!r}\n{lines_text(entries)}".rstrip()
