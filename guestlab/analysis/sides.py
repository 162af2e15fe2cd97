"""One picture of everything that speaks with Genesys Cloud: REST, guest socket, channel, Open Messaging.

Four lanes over one time axis, each with the credential that opens it written beside it. A dotted line joins
what concerns the same conversation, where the platform's side names it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from guestlab.analysis.intake import check, measured, nanoseconds
from guestlab.analysis.plot import (
    GRID,
    INK,
    MUTED,
    Plot,
    blank,
    drawing,
    in_memory,
    number,
    shown,
    unit_for,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_sides"]


class _Lane(NamedTuple):
    """One way in, and what opens it."""

    name: str
    credential: str
    colour: str


_LANES = {
    "rest": _Lane("Platform API", "OAuth client: access token", "#57606a"),
    "guest": _Lane("guest socket", "no token: deploymentId, own UUID", "#0b63a5"),
    "channel": _Lane("notification channel", "made with the token; its socket asks none", "#00735c"),
    "open": _Lane("Open Messaging", "access token in, signed webhook out", "#b34700"),
}
_READ = ("seq", "at", "kind", "stage", "direction", "session", "class_name", "message_direction", "text",
         "conversation_id", "http_status", "message_id")  # fmt: skip
_LETTER = 0.0085
"""Width of a letter as a share of the axes, generous."""
_UNDERLAY = {"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.9}
"""Under words that lie on dotted lines."""
_APART = 0.07
"""What goes in stands above its line, what comes back below: question and answer are often one moment."""
_NOT_TOLD = frozenset({"channel.metadata", "v2.system.socket_closing"})


def plot_sides(table: pd.DataFrame) -> Plot:
    """Draw guest socket, notification channel, Open Messaging and REST in lanes over one time axis.

    What was read from a file without times is left out, and the description says how much.

    Args:
        table: `log.table()` of a lab that used some of them.

    Raises:
        InputError: A column is missing, or matplotlib is not installed.
    """
    in_memory(table, "plot_sides")
    check(table, "plot_sides", _READ, "log.table()")
    points = _points(measured(table))
    untimed = points["at"].isna()
    with drawing():
        plot = _drawn(points[~untimed].reset_index(drop=True))
    if untimed.any():
        plot.description = f"{plot.description[:-1]}; {int(untimed.sum())} without a time left out."
    return plot


def _points(table: pd.DataFrame) -> pd.DataFrame:
    """What is drawn: lane, moment, direction, words, conversation."""
    rows = table[list(_READ)].copy()
    stage, kind = rows["stage"].astype("str"), rows["kind"].astype("str")
    is_said = rows["message_direction"].notna()
    lane = pd.Series(pd.NA, index=rows.index, dtype="str")
    lane[(kind == "request") & (stage != "handshake")] = "rest"
    lane[(kind == "frame") & (stage == "session") & is_said] = "guest"
    lane[(kind == "frame") & (stage == "channel")] = "channel"
    lane[(kind == "history") & rows["session"].str.startswith("open-").fillna(value=False)] = "open"
    lane[(kind == "response") & rows["http_status"].eq(101).fillna(value=False)] = stage.map(
        {"session": "guest", "channel": "channel"}
    ).astype("str")
    told = rows[rows["message_id"].notna() & rows["conversation_id"].notna()].drop_duplicates("message_id")
    named = rows["message_id"].map(told.set_index("message_id")["conversation_id"])
    conversation = rows["conversation_id"].fillna(named.astype(rows["conversation_id"].dtype))
    rows = rows.assign(lane=lane, conversation_id=conversation)[lane.notna()]
    inward = rows["message_direction"].astype("str").eq("Inbound") | rows["direction"].astype("str").eq(
        "sent"
    )
    words = rows["text"].where(rows["text"].notna(), rows["class_name"])
    return rows.assign(inward=inward, words=words).sort_values("seq").reset_index(drop=True)


def _drawn(points: pd.DataFrame) -> Plot:
    present = [name for name in _LANES if name in set(points["lane"])]
    figure, ax = blank(10.5, 1.6 + 0.95 * max(1, len(present)))
    if not len(points):
        ax.set_axis_off()
        ax.text(0.5, 0.5, "nothing crossed a wire yet", ha="center", color=MUTED, transform=ax.transAxes)
        return Plot(figure, "Both sides: nothing crossed a wire yet.")
    moments = nanoseconds(points["at"])
    seconds = (moments - moments.min()) / 1e9
    length = max(float(seconds.max()), 0.1)
    unit, unit_name = unit_for(length)
    place = {name: -float(index) for index, name in enumerate(present)}
    height = points["lane"].map(place) + points["inward"].map({True: _APART, False: -_APART})
    points = points.assign(x=seconds / unit, y=height)
    width = length / unit
    ax.set_ylim(-len(present) + 0.35, 0.8)
    ax.set_xlim(-0.03 * width, 1.12 * width)
    for name in present:
        _lane(ax, points[points["lane"] == name], _LANES[name], place[name])
    _join(ax, points)
    labels = [f"{_LANES[name].name}\n{_LANES[name].credential}" for name in present]
    ax.set_yticks([place[name] for name in present], labels)
    for tick, name in zip(ax.get_yticklabels(), present, strict=True):
        tick.set(color=_LANES[name].colour, fontweight="bold")
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.xaxis.set_major_formatter(lambda x, _: number(x))
    start = points["at"].min().strftime("%Y-%m-%d %H:%M:%S UTC")
    ax.set_xlabel(f"{unit_name} since {start}   ▷ to the platform   ◀ from it   ┆ the same conversation")
    several = _conversations(points)
    ax.set_title(
        f"Every side of {several} conversations" if several > 1 else "One conversation, every side of it"
    )
    counts = ", ".join(f"{_LANES[name].name} {int((points['lane'] == name).sum())}" for name in present)
    of = f", of {several} conversations" if several > 1 else ""
    return Plot(figure, f"Both sides on one time axis: {counts}{of}, in {width:.1f} {unit_name}.")


def _conversations(points: pd.DataFrame) -> int:
    """How many there are at least: a guest's is not known to be the channel's before a transcript says so."""
    known = points["conversation_id"]
    said = points[points["lane"].isin(["guest", "open"]) & points["session"].notna()]
    by_session = said.groupby("session")["conversation_id"].first()
    sessions = by_session.fillna(by_session.index.to_series()).nunique()
    return max(int(sessions), int(known.nunique()))


def _lane(ax: Axes, points: pd.DataFrame, lane: _Lane, height: float) -> None:
    """Draw one lane: hollow to the right what we sent, full to the left what came."""
    ax.axhline(height, color=GRID, linewidth=1, zorder=1)
    for inward, marker, face in ((True, ">", "white"), (False, "<", lane.colour)):
        these = points[points["inward"] == inward]
        ax.scatter(
            these["x"], these["y"], s=46, marker=marker, facecolor=face, edgecolor=lane.colour,
            linewidth=1.4, zorder=3,
        )  # fmt: skip
    told = points[points["words"].notna() & ~points["words"].isin(_NOT_TOLD)].sort_values("x")
    if lane is _LANES["rest"]:
        return
    left, right = ax.get_xlim()
    letter = _LETTER * (right - left)
    reach, before = left, ""
    for x, words in zip(told["x"], told["words"], strict=True):
        if x < reach:
            continue
        text = shown(str(words).rsplit(".", 2)[-1] if str(words).startswith("v2.") else words, 28)
        overflows = x + letter * len(text) > right
        begins = x - letter * len(text) if overflows else x
        if begins < reach or text == before:  # words where there is room, and where they say something new
            continue
        reach, before = begins + letter * (len(text) + 3), text
        ax.annotate(
            text, (x, height + _APART), xytext=(4 if overflows else -4, 7), textcoords="offset points",
            ha="right" if overflows else "left", fontsize=7.5, color=INK, zorder=2.5, bbox=_UNDERLAY,
        )  # fmt: skip


def _join(ax: Axes, points: pd.DataFrame) -> None:
    """Join what the channel told with the words it was about."""
    known = points[points["conversation_id"].notna() & points["lane"].ne("rest")]
    for _, same in known.groupby("conversation_id", sort=False):
        told = same[same["lane"] == "channel"]
        said = same[same["lane"] != "channel"]
        for x, y in zip(told["x"], told["y"], strict=True):
            if len(said):
                near = said.loc[(said["x"] - x).abs().idxmin()]
                ax.plot([near["x"], x], [near["y"], y], color=MUTED, linewidth=0.9, linestyle=":", zorder=2)
