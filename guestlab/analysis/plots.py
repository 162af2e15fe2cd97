"""Plots of messages: timeline, delivery latency, response times.

Each takes what the functions of this room take, as a pandas DataFrame, and returns a `Plot`. Nothing is
told by colour alone: shapes, hatching and words say it too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from guestlab.analysis.intake import columns_of, is_table, measured, nanoseconds, said
from guestlab.analysis.latency import delivery_latency
from guestlab.analysis.order import late_messages
from guestlab.analysis.plot import (
    GRID,
    INK,
    MUTED,
    OTHERS,
    SPEAKERS,
    Plot,
    blank,
    counted,
    drawing,
    in_memory,
    lasting,
    nothing,
    number,
    shown,
    tint,
    unit_for,
)
from guestlab.analysis.timing import Clock, moments, response_times, speakers
from guestlab.errors import InputError
from guestlab.log.entry import Column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

__all__ = ["plot_latency", "plot_response_times", "plot_timeline"]

_DRAWN = columns_of("session", "seq", "at", "kind", "direction", "message_id", "time", "text",
                    "originating_entity", messages=True)  # fmt: skip
_DRAWN_WHEN = (*_DRAWN, Column("when", "datetime64[ns, UTC]", "ns", "When it was said, on one clock."))
_MOST_SESSIONS = 40
_UNNAMED = "unnamed"
_LABELLED = 24
"""Messages up to which each shows its words."""
_LETTER = 0.0082
"""Width of a letter as a share of the axes, generous."""
_PERCENTILES = (50, 95, 99)
_UNDERLAY = {"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.85}
"""Under words that lie on lines."""
_LOGARITHMIC = 50.0
"""Above this ratio of the longest to the shortest time a logarithmic axis shows both."""


# -- timeline -----------------------------------------------------------------------------------------


def plot_timeline(messages: pd.DataFrame, *, session: str | None = None, clock: Clock = "platform") -> Plot:
    """Draw who said what when: one session in lanes with its words, several as one line each.

    A ring marks a message that came late, a hollow one was filled in from history; where the frames are
    given, a dashed line marks each close with its code. What has no time on that clock is left out, and the
    description says how many.

    Args:
        messages: `log.messages`, `log.frames` or `log.table()`.
        session: Draw this session alone.
        clock: "platform" places messages by `channel.time`, "here" the guest's when they were sent, all
            others when they came, live or from history.

    Raises:
        InputError: A column is missing, no such session, or matplotlib is not installed.

    >>> from guestlab.analysis import sample
    >>> plot_timeline(sample().messages)
    Timeline of session s1: 7 messages (guest 3, bot 3, agent 1) in 59.0 seconds; 1 late, 1 from history.
    """
    in_memory(messages, "plot_timeline")
    points, left_out = _points(messages, session, clock)
    closes = _closes(messages, session)
    with drawing():
        names = list(dict.fromkeys(points["session"]))
        plot = _lanes(points, closes) if len(names) <= 1 else _strips(points, names)
    return _without(plot, left_out)


def _without(plot: Plot, left_out: int) -> Plot:
    """Say how many messages could not be drawn."""
    if left_out:
        plot.description = f"{plot.description[:-1]}; {left_out} without a time left out."
    return plot


def _points(messages: pd.DataFrame, session: str | None, clock: Clock) -> tuple[pd.DataFrame, int]:
    """The messages to draw, by time, with who said each and whether it came late; how many have no time."""
    reads = ("time", "text", "originating_entity")
    reading: dict[str, Any] = {"clock": clock, "sending": clock == "here"}
    words = said(_with_moments, messages, "plot_timeline", reads, _DRAWN_WHEN, **reading)
    if session is not None:
        words = words[words["session"] == session]
        if not len(words):
            raise InputError(
                f"There is no message of a session {session!r}.",
                why="The name stands in the column `session`.",
                next_step="Choose one of log.sessions.",
            )
    found = late_messages(words)
    late = {*zip(found["session"].astype(str), found["seq"], strict=True)}
    keep = words["when"].notna()
    points = words.assign(
        who=_named(speakers(words)),
        late=[pair in late for pair in zip(words["session"].astype(str), words["seq"], strict=True)],
        history=words["kind"] == "history",
    )
    drawn = points[keep].sort_values(["when", "seq"], kind="stable").reset_index(drop=True)
    return drawn, int((~keep).sum())


def _with_moments(words: pd.DataFrame, *, clock: Clock) -> pd.DataFrame:
    return words.assign(when=moments(words, clock))


def _named(who: pd.Series[Any]) -> pd.Series[Any]:
    """Give those the platform leaves unnamed a word: what is missing equals nothing, itself included."""
    return who.fillna("").replace("", _UNNAMED)


def _closes(frames: pd.DataFrame, session: str | None) -> pd.DataFrame:
    """The ends of connections, where frames were given."""
    if not is_table(frames) or "close_code" not in frames:
        return pd.DataFrame({"at": [], "close_code": []})
    found: pd.DataFrame = measured(frames[frames["kind"] == "close"])
    found = found[found["at"].notna()]
    return found if session is None else found[found["session"] == session]


def _look(who: object) -> Any:
    return SPEAKERS.get(str(who), OTHERS)


def _seconds(points: pd.DataFrame) -> tuple[Any, float, str, str]:
    """Seconds since the first, the unit to show them in, and the axis's label."""
    times = nanoseconds(points["when"])
    since = (times - times[0]) / 1e9
    unit, name = unit_for(float(since[-1]))
    start = points["when"].iloc[0].strftime("%Y-%m-%d %H:%M:%S UTC")
    return since, unit, name, f"{name} since {start}"


def _scatter(ax: Axes, x: Any, y: Any, points: pd.DataFrame, size: float = 62) -> None:
    """Draw messages: shape and colour by speaker, hollow from history, ringed when late."""
    for who in dict.fromkeys(points["who"]):
        style = _look(who)
        for hollow in (False, True):
            rows = ((points["who"].astype(str) == str(who)) & (points["history"] == hollow)).to_numpy()
            face = "white" if hollow else style.colour
            ax.scatter(x[rows], y[rows], s=size, marker=style.marker, facecolor=face, edgecolor=style.colour,
                       linewidth=1.6, zorder=3)  # fmt: skip
    late = points["late"].to_numpy(dtype=bool)
    ax.scatter(
        x[late], y[late], s=3.7 * size, marker="o", facecolor="none", edgecolor=INK, linewidth=1.2, zorder=4
    )


def _legend(ax: Axes, points: pd.DataFrame, *, closes: bool = False) -> None:
    from matplotlib.lines import Line2D

    def sign(label: str, marker: str, face: str, edge: str, size: float = 7.5) -> Line2D:
        return Line2D([], [], linestyle="none", marker=marker, markerfacecolor=face, markeredgecolor=edge,
                      markersize=size, label=label)  # fmt: skip

    signs = [
        sign(_name(who), _look(who).marker, _look(who).colour, _look(who).colour)
        for who in dict.fromkeys(points["who"])
    ]
    if points["history"].any():
        signs.append(sign("from history", "o", "white", MUTED))
    if points["late"].any():
        signs.append(sign("late", "o", "none", INK, 12))
    if closes:
        signs.append(Line2D([], [], color=MUTED, linestyle=(0, (4, 3)), label="connection closed"))
    if signs:
        _below(ax, signs)


def _below(ax: Axes, signs: Sequence[Any]) -> None:
    """Put the legend under the drawing."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    figure.legend(handles=signs, loc="outside lower left", ncols=len(signs), handletextpad=0.5,
                  columnspacing=1.6)  # fmt: skip


def _name(who: object) -> str:
    return shown(who, 16)


def _lanes(points: pd.DataFrame, closes: pd.DataFrame) -> Plot:
    """One session: a lane for each speaker, with words where there is room."""
    people = list(dict.fromkeys([*(who for who in SPEAKERS if who in set(points["who"])), *points["who"]]))
    if not len(points):
        return nothing("Timeline", "messages")
    since, unit, name, label = _seconds(points)
    place = {str(who): -float(index) for index, who in enumerate(people)}
    x, y = since / unit, np.array([place[str(who)] for who in points["who"]])
    figure, ax = blank(9.5, 1.5 + 0.85 * max(1, len(people)))
    ax.set_yticks(list(place.values()), [_name(who) for who in people])
    for tick, who in zip(ax.get_yticklabels(), people, strict=True):
        tick.set(color=_look(who).colour, fontweight="bold")
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.set_ylim(-len(people) + 0.4, 0.75)
    width = float(x[-1]) if len(x) and x[-1] > 0 else 1.0
    ax.set_xlim(-0.03 * width, 1.1 * width)
    for height in place.values():
        ax.axhline(height, color=GRID, linewidth=1, zorder=1)
    ax.plot(x, y, color="#8c959f", linewidth=0.8, zorder=2)
    _scatter(ax, x, y, points)
    if len(points) <= _LABELLED:
        _words(ax, x / (1.13 * width), x, y, points)
    _close_lines(ax, closes, points, unit)
    ax.set_xlabel(label)
    title = f"Session {shown(points['session'].iloc[0], 24)}"
    ax.set_title(title)
    _legend(ax, points, closes=bool(len(closes)))
    return Plot(figure, _told(points, title[0].lower() + title[1:], f"{x[-1]:.1f} {name}"))


def _words(ax: Axes, share: Any, x: Any, y: Any, points: pd.DataFrame) -> None:
    """Write each message's words above its sign, where no other words stand in the lane."""
    taken: dict[float, float] = {}
    for index, text in enumerate(points["text"].fillna("")):
        words = shown(text, 34)
        left = float(share[index])
        if not words or left < taken.get(y[index], -1.0):
            continue
        taken[y[index]] = left + _LETTER * (len(words) + 2)
        overflows = left + _LETTER * len(words) > 1
        ax.annotate(words, (x[index], y[index]), xytext=(5 if overflows else -4, 9),
                    textcoords="offset points", ha="right" if overflows else "left", fontsize=8, color=INK,
                    bbox=_UNDERLAY, zorder=2.5)  # fmt: skip


def _close_lines(ax: Axes, closes: pd.DataFrame, points: pd.DataFrame, unit: float) -> None:
    """Mark where a connection ended, by our own clock."""
    start = nanoseconds(points["when"])[0]
    for at, code in zip(nanoseconds(closes["at"]), closes["close_code"], strict=True):
        x = (at - start) / 1e9 / unit
        ax.axvline(x, color=MUTED, linewidth=1, linestyle=(0, (4, 3)), zorder=1)
        words = "closed" if pd.isna(code) else f"close {code}"
        ax.annotate(words, (x, 1), xycoords=("data", "axes fraction"), xytext=(0, 2),
                    textcoords="offset points", ha="center", fontsize=8, color=MUTED)  # fmt: skip


def _strips(points: pd.DataFrame, names: Sequence[Any]) -> Plot:
    """Several sessions: one line each, in the order of their first messages."""
    drawn = list(names)[:_MOST_SESSIONS]
    kept = points[points["session"].isin(drawn)].reset_index(drop=True)
    since, unit, name, label = _seconds(kept)
    place = {session: -float(index) for index, session in enumerate(drawn)}
    figure, ax = blank(9.5, 1.6 + 0.27 * len(drawn))
    x, y = since / unit, kept["session"].map(place).to_numpy(dtype=float)
    for session, height in place.items():
        inside = x[(kept["session"] == session).to_numpy()]
        ax.hlines(height, inside.min(), inside.max(), color="#8c959f", linewidth=0.8, zorder=2)
    _scatter(ax, x, y, kept, 38)
    ax.set_yticks(list(place.values()), [shown(session, 18) for session in drawn])
    ax.set_ylim(-len(drawn) + 0.4, 0.6)
    ax.grid(axis="x", color=GRID, linewidth=0.8)
    ax.set_xlabel(label)
    more = f", the first {len(drawn)} of {len(names)}" if len(names) > len(drawn) else ""
    ax.set_title(f"{len(names)} sessions{more}")
    _legend(ax, kept)
    return Plot(figure, _told(points, f"{len(names)} sessions{more}", f"{since[-1] / unit:.1f} {name}"))


def _told(points: pd.DataFrame, what: str, length: str) -> str:
    counts = ", ".join(
        f"{_name(who)} {count}" for who, count in points["who"].value_counts(sort=False).items()
    )
    notes = [
        f"{int(points[column].sum())} {word}"
        for column, word in (("late", "late"), ("history", "from history"))
        if points[column].any()
    ]
    said_so = f"; {', '.join(notes)}" if notes else ""
    messages = counted(len(points), "messages")
    return f"Timeline of {what}: {messages} ({counts}) in {length}{said_so}."


# -- distributions ------------------------------------------------------------------------------------


def plot_latency(messages: pd.DataFrame, *, corrected: bool = False) -> Plot:
    """Draw how long messages took to arrive, as a histogram with its percentiles.

    Args:
        messages: `log.messages`, `log.frames` or `log.table()`.
        corrected: Take out the estimated skew of the two clocks; see `clock_skew`.

    Raises:
        InputError: A column is missing, or matplotlib is not installed.

    >>> from guestlab.analysis import sample
    >>> plot_latency(sample().messages)
    Delivery latency, two clocks in it: 6 messages, median 75 ms, 95 % within 152 ms, 99 % within 166 ms.
    """
    in_memory(messages, "plot_latency")
    found = delivery_latency(messages)
    came = said(lambda words: words, messages, "plot_latency", ("time",), _DRAWN[:6])
    left_out = int((came["kind"] == "frame").sum()) - len(found)
    column, title = (
        ("corrected_ms", "Delivery latency, clock skew taken out")
        if corrected
        else ("latency_ms", "Delivery latency, two clocks in it")
    )
    with drawing():
        return _without(_histogram(found[column], found["who"], title, "messages"), left_out)


def plot_response_times(messages: pd.DataFrame, *, clock: Clock = "platform") -> Plot:
    """Draw how long the guest waited for answers, as a histogram by who answered.

    Args:
        messages: `log.messages`, `log.frames` or `log.table()`.
        clock: "platform" measures by `channel.time`, delivery not included; "here" from sending to arrival.

    Raises:
        InputError: A column is missing, or matplotlib is not installed.

    >>> from guestlab.analysis import sample
    >>> plot_response_times(sample().messages)
    Response times, platform's clock: 2 answers, median 3.62 s, 95 % within 5.92 s, 99 % within 6.12 s.
    """
    in_memory(messages, "plot_response_times")
    found = response_times(messages, clock=clock)
    answered = found[found["response_ms"].notna()]
    with drawing():
        by_clock = "our own clock" if clock == "here" else "platform's clock"
        return _histogram(answered["response_ms"], answered["who"], f"Response times, {by_clock}", "answers")


def _histogram(times: pd.Series[Any], who: pd.Series[Any], title: str, things: str) -> Plot:
    """Stacked by speaker, with percentiles; logarithmic where the times span much."""
    values, who = times.to_numpy(dtype=float) / 1000.0, _named(who)
    if not len(values):
        return nothing(title, things)
    figure, ax = blank(9.0, 3.6)
    ax.set_title(title)
    longest = float(np.abs(values).max())
    unit, name = unit_for(longest) if longest >= 2 else (0.001, "milliseconds")
    is_wide = values.min() > 0 and values.max() / values.min() > _LOGARITHMIC
    if is_wide:
        unit, name = 1.0, "time, on a logarithmic axis"
    values = values / unit
    bins = _bins(values, wide=is_wide)
    if is_wide:
        ax.set_xscale("log")
    people = list(dict.fromkeys([*(name for name in SPEAKERS if name in set(who)), *who]))
    ax.hist([values[(who.astype(str) == str(one)).to_numpy()] for one in people], bins=bins, stacked=True,
            label=[_name(one) for one in people], color=[tint(_look(one).colour) for one in people],
            edgecolor=[_look(one).colour for one in people], hatch=[_look(one).hatch for one in people],
            linewidth=0.9)  # fmt: skip
    ax.xaxis.set_major_formatter(lambda x, _: lasting(x) if is_wide else number(x))
    told = _percentile_lines(ax, values, unit)
    signs = list(ax.get_legend_handles_labels()[0])
    if values.min() < 0:
        signs.append(ax.axvspan(bins[0], 0, facecolor="none", edgecolor=GRID, hatch="\\\\", zorder=0,
                                label="before it was said: the clocks differ"))  # fmt: skip
    ax.set_xlabel(name)
    ax.set_ylabel(things)
    ax.locator_params(axis="y", integer=True)
    ax.grid(axis="y", color=GRID, linewidth=0.8)
    _below(ax, signs)
    return Plot(figure, f"{title}: {counted(len(values), things)}, {told}.")


def _bins(values: Any, *, wide: bool) -> Any:
    """Edges at round numbers, zero among them; evenly spread on a logarithmic axis."""
    count = int(min(40, max(8, 2 * np.sqrt(len(values)))))
    low, high = float(values.min()), float(values.max())
    if wide:
        return np.geomspace(low * 0.999, high * 1.001, count + 1)
    low, high = min(low, 0.0), max(high, 0.0)
    step = _round_step((high - low) / count)
    first = np.floor(low / step)
    return np.arange(first, max(np.ceil(high / step), first + 1) + 1) * step


def _round_step(step: float) -> float:
    """The next of 1, 2, 5, 10, 20, 50 … that is not smaller."""
    if step <= 0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(step))
    return float(next(power * factor for factor in (1, 2, 5, 10) if power * factor >= step * 0.999))


def _percentile_lines(ax: Axes, values: Any, unit: float) -> str:
    """Draw the percentiles, each named at its line; return them in words. A value is `unit` seconds long."""
    marks = [float(np.percentile(values, percent)) for percent in _PERCENTILES]
    top = ax.get_ylim()[1]
    ax.set_ylim(0, top * 1.42)
    for index, (percent, mark) in enumerate(zip(_PERCENTILES, marks, strict=True)):
        height = 0.97 - 0.09 * index
        ax.axvline(
            mark, ymax=height, color=INK, linewidth=1, linestyle=((0, ()), (0, (5, 2)), (0, (1, 1.5)))[index]
        )
        is_right = ax.transAxes.inverted().transform(ax.transData.transform((mark, 0)))[0] > 0.8
        words = f"{percent} %: {lasting(mark * unit)}"
        ax.annotate(words, (mark, height), xycoords=("data", "axes fraction"),
                    xytext=(-4 if is_right else 4, 0), textcoords="offset points", va="top", fontsize=8.5,
                    ha="right" if is_right else "left", bbox=_UNDERLAY)  # fmt: skip
    half, *rest = (lasting(mark * unit) for mark in marks)
    within = (f"{percent} % within {mark}" for percent, mark in zip(_PERCENTILES[1:], rest, strict=True))
    return ", ".join([f"median {half}", *within])
