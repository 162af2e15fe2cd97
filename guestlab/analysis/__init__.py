"""Analysis: what a log says about time, order, copies and budgets, as DataFrames and as plots.

Functions from a DataFrame to one with documented columns. They take what `Log` gives (`log.messages`,
`log.frames`, `log.table()`), of one session or of an archive of many machines, as a pandas DataFrame or a
Dask one (`pip install 'guestlab[dask]'`), and return the same kind. The plots need `guestlab[plot]`.

    timing      turns, response_times, silences
    latency     delivery_latency, clock_skew
    order       disorder, late_messages
    copies      duplicates, live_versus_history
    budgets     rates, budget
    comparing   compare_logs
    plots       plot_timeline, plot_latency, plot_response_times
    gauges      plot_budget
    sequences   plot_attempt, plot_session
    sides       plot_sides
"""

from __future__ import annotations

from guestlab.analysis.budgets import BUDGET_COLUMNS, RATES_COLUMNS, budget, rates
from guestlab.analysis.comparing import COMPARED_LOGS_COLUMNS, compare_logs
from guestlab.analysis.copies import (
    DUPLICATES_COLUMNS,
    LIVE_VERSUS_HISTORY_COLUMNS,
    duplicates,
    live_versus_history,
)
from guestlab.analysis.gauges import plot_budget
from guestlab.analysis.latency import (
    CLOCK_SKEW_COLUMNS,
    DELIVERY_LATENCY_COLUMNS,
    clock_skew,
    delivery_latency,
)
from guestlab.analysis.order import DISORDER_COLUMNS, LATE_MESSAGES_COLUMNS, disorder, late_messages
from guestlab.analysis.plot import Plot
from guestlab.analysis.plots import plot_latency, plot_response_times, plot_timeline
from guestlab.analysis.sample import sample
from guestlab.analysis.sequences import plot_attempt, plot_session
from guestlab.analysis.sides import plot_sides
from guestlab.analysis.timing import (
    RESPONSE_TIMES_COLUMNS,
    SILENCES_COLUMNS,
    TURNS_COLUMNS,
    response_times,
    silences,
    turns,
)

__all__ = [
    "BUDGET_COLUMNS",
    "CLOCK_SKEW_COLUMNS",
    "COMPARED_LOGS_COLUMNS",
    "DELIVERY_LATENCY_COLUMNS",
    "DISORDER_COLUMNS",
    "DUPLICATES_COLUMNS",
    "LATE_MESSAGES_COLUMNS",
    "LIVE_VERSUS_HISTORY_COLUMNS",
    "RATES_COLUMNS",
    "RESPONSE_TIMES_COLUMNS",
    "SILENCES_COLUMNS",
    "TURNS_COLUMNS",
    "Plot",
    "budget",
    "clock_skew",
    "compare_logs",
    "delivery_latency",
    "disorder",
    "duplicates",
    "late_messages",
    "live_versus_history",
    "plot_attempt",
    "plot_budget",
    "plot_latency",
    "plot_response_times",
    "plot_session",
    "plot_sides",
    "plot_timeline",
    "rates",
    "response_times",
    "sample",
    "silences",
    "turns",
]
