"""How long messages took to arrive, and how far two clocks are apart.

A message carries the platform's time and, here, that of its arrival. Their difference is the delay plus the
difference of two clocks, so by itself it proves nothing and may be negative. What can be known: a message
cannot arrive before it was said, which bounds the difference from above; and a message of our own was said
after we sent it, which bounds it from below. `clock_skew` gives both bounds and the middle.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from guestlab.analysis.intake import FrameT, columns_of, ms, nanoseconds, said
from guestlab.analysis.timing import speakers
from guestlab.log.entry import Column

__all__ = ["CLOCK_SKEW_COLUMNS", "DELIVERY_LATENCY_COLUMNS", "clock_skew", "delivery_latency"]

_SESSION, _SEQ, _AT = columns_of("session", "seq", "at")
_ID, _TIME, _DIRECTION = columns_of("message_id", "time", "direction", messages=True)
_SKEW = "Our clock minus the platform's, estimated for the session; see `clock_skew`."

DELIVERY_LATENCY_COLUMNS: tuple[Column, ...] = (
    _SESSION,
    _SEQ,
    _ID,
    _DIRECTION,
    Column("who", "str", "", "Who said it: guest (an own message, echoed), bot, agent."),
    _TIME,
    _AT,
    Column("latency_ms", "Float64", "ms", "`at` minus `time`, as measured on two clocks; may be negative."),
    Column("skew_ms", "Float64", "ms", _SKEW),
    Column("corrected_ms", "Float64", "ms", "`latency_ms` minus `skew_ms`."),
)
"""One row per message that arrived live, sorted by (`session`, `at`, `seq`)."""

CLOCK_SKEW_COLUMNS: tuple[Column, ...] = (
    _SESSION,
    Column("messages", "int64", "", "Messages that arrived live and carry the platform's time."),
    Column("echoes", "int64", "", "Own messages among them whose round trip is known."),
    Column("lowest_ms", "Float64", "ms", "The skew is no less: no own message is said before it is sent."),
    Column("highest_ms", "Float64", "ms", "The skew is no more: no message arrives before it is said."),
    Column("skew_ms", "Float64", "ms", "The middle of both; without an echo, `highest_ms`."),
    Column("uncertainty_ms", "Float64", "ms", "It may be wrong by so much; missing without an echo."),
    Column("consistent", "boolean", "", "Whether the bounds agree; if not, a clock jumped or drifted."),
)
"""One row per session, sorted by `session`."""

_READS = ("time", "latency_ms", "originating_entity")
_STAMP_MS = 1.0
"""`channel.time` counts whole milliseconds: the bounds may miss each other by one (level: documented)."""


def delivery_latency(messages: FrameT) -> FrameT:
    """Tell how long each message took from the platform's stamp to its arrival here.

    `latency_ms` is measured on two clocks: their difference is in it, and makes it negative when ours is
    behind. `corrected_ms` takes out the skew estimated by `clock_skew`. Without any echo in the session
    the fastest message counts as instantaneous, and `corrected_ms` is the delay beyond it.

    Args:
        messages: `log.messages`, `log.frames` or `log.table()`; pandas or Dask.

    Returns:
        A DataFrame with `DELIVERY_LATENCY_COLUMNS`; messages that history brought, or without one of the
        two times, are not in it: a terminal's output keeps none of arrival.

    Raises:
        InputError: A column is missing.

    >>> from guestlab.analysis import sample
    >>> found = delivery_latency(sample().messages)
    >>> print(found[["message_id", "latency_ms", "corrected_ms"]].head(3).to_string(index=False))
    message_id  latency_ms  corrected_ms
            g1        70.0          30.0
            b2        80.0          40.0
            b1       170.0         130.0
    """
    gives = DELIVERY_LATENCY_COLUMNS
    return said(_latency, messages, "delivery_latency", _READS, gives)


def clock_skew(messages: FrameT) -> FrameT:
    """Estimate how far our clock is ahead of the platform's, per session.

    Args:
        messages: `log.messages`, `log.frames` or `log.table()`; pandas or Dask.

    Returns:
        A DataFrame with `CLOCK_SKEW_COLUMNS`.

    Raises:
        InputError: A column is missing.

    >>> from guestlab.analysis import sample
    >>> skew = clock_skew(sample().messages)
    >>> print(skew[["echoes", "lowest_ms", "highest_ms", "skew_ms", "uncertainty_ms"]].to_string(index=False))
     echoes  lowest_ms  highest_ms  skew_ms  uncertainty_ms
          3       14.0        66.0     40.0            26.0
    """
    return said(_skew, messages, "clock_skew", _READS, CLOCK_SKEW_COLUMNS)


def _live(messages: pd.DataFrame) -> pd.DataFrame:
    """Messages that came live and carry both times, `apart_ms` between them."""
    live = messages[(messages["kind"] == "frame") & messages["time"].notna() & messages["at"].notna()]
    apart = ms(nanoseconds(live["at"]) - nanoseconds(live["time"]))
    return live.assign(apart_ms=pd.array(apart, dtype="Float64"))


def _skew(messages: pd.DataFrame) -> pd.DataFrame:
    live = _live(messages)
    is_echo = (live["direction"] == "Inbound") & live["latency_ms"].notna()
    bounds = live.assign(
        is_echo=is_echo,
        floor_ms=(live["apart_ms"] - live["latency_ms"]).where(is_echo),
    )
    found = bounds.groupby("session", dropna=False).agg(
        messages=("seq", "size"),
        echoes=("is_echo", "sum"),
        lowest_ms=("floor_ms", "max"),
        highest_ms=("apart_ms", "min"),
    )
    middle = (found["lowest_ms"] + found["highest_ms"]) / 2
    half = (found["highest_ms"] - found["lowest_ms"]) / 2
    return found.assign(
        skew_ms=middle.fillna(found["highest_ms"]),
        uncertainty_ms=half.abs(),
        consistent=(half * 2 >= -_STAMP_MS).astype("boolean"),
    ).reset_index()


def _latency(messages: pd.DataFrame) -> pd.DataFrame:
    live = _live(messages)
    skew: pd.DataFrame = _skew(messages)[["session", "skew_ms"]]
    joined: Any = live.assign(who=speakers(live)).merge(skew, on="session", how="left")
    return joined.assign(  # type: ignore[no-any-return]
        latency_ms=joined["apart_ms"],
        corrected_ms=joined["apart_ms"] - joined["skew_ms"],
    )
