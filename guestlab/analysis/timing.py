"""Who waited for whom: turns, response times and silences, out of the messages of a log.

Each function takes `log.messages`, `log.frames` or `log.table()` as a pandas or a Dask DataFrame. Two
clocks can be read. The platform's (`channel.time`) stamps every message with one clock, so that differences
are true whatever this machine's clock says; how long a message took to be delivered is not in them. Ours
(`at`) tells what the guest lived through: a message of the guest counts from when it was sent, any other
from when it came here, live or filled in from history. One of the guest's that only history told of was sent
at the platform's stamp, moved by what the session's others tell of the two clocks. Left out there is what a
file tells without a time, and what only history knows of a session of which nothing came live.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from guestlab.analysis.intake import FrameT, columns_of, elapsed, said
from guestlab.errors import InputError
from guestlab.log.entry import Column

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = [
    "RESPONSE_TIMES_COLUMNS",
    "SILENCES_COLUMNS",
    "TURNS_COLUMNS",
    "moments",
    "response_times",
    "silences",
    "speakers",
    "turns",
]

Clock = Literal["platform", "here"]

_TIME = "datetime64[ns, UTC]"
_SESSION = columns_of("session")[0]
_WHO = "guest, bot, agent, or the platform's own word; missing where it says none."

TURNS_COLUMNS: tuple[Column, ...] = (
    _SESSION,
    Column("turn", "int64", "", "Number of the turn in its session: 1, 2, 3 …"),
    Column("who", "str", "", f"Whose turn: {_WHO}"),
    Column("messages", "int64", "", "Messages said in it, one after another."),
    Column("characters", "int64", "", "Characters of their texts."),
    Column("started_at", _TIME, "ns", "Time of its first message."),
    Column("ended_at", _TIME, "ns", "Time of its last message."),
    Column("duration_ms", "Float64", "ms", "From its first message to its last."),
    Column("waited_ms", "Float64", "ms", "Since the last message of the turn before; missing for the first."),
    Column("first_seq", "int64", "", "seq of its first message."),
    Column("last_seq", "int64", "", "seq of its last message."),
)
"""One row per turn, sorted by (`session`, `turn`)."""

RESPONSE_TIMES_COLUMNS: tuple[Column, ...] = (
    _SESSION,
    Column("turn", "int64", "", "The guest's turn, numbered as in `turns`."),
    Column("asked_at", _TIME, "ns", "When the guest began to wait."),
    Column("answered_at", _TIME, "ns", "Time of the first answer; missing where none came."),
    Column(
        "response_ms",
        "Float64",
        "ms",
        "From one to the other, as the clock has it: on "
        "the platform's without delivery, on ours all the guest waited; missing where none came.",
    ),
    Column("who", "str", "", "Who answered, from `originating_entity`: bot, agent, or another word of it."),
    Column("first", "boolean", "", "Whether it is the guest's first turn of the session."),
)
"""One row per guest turn, sorted by (`session`, `turn`)."""

SILENCES_COLUMNS: tuple[Column, ...] = (
    _SESSION,
    Column("started_at", _TIME, "ns", "Time of the last message before."),
    Column("ended_at", _TIME, "ns", "Time of the message that ended it."),
    Column("silence_ms", "Float64", "ms", "Length."),
    Column("after", "str", "", "Who spoke last before it."),
    Column("broken_by", "str", "", "Who spoke next."),
    Column("before_seq", "int64", "", "seq of the last message before."),
    Column("after_seq", "int64", "", "seq of the message that ended it."),
)
"""One row per silence, sorted by (`session`, `started_at`)."""

_READS = ("time", "originating_entity", "text")
_ENTITIES = {"Bot": "bot", "Human": "agent"}


def turns(messages: FrameT, *, clock: Clock = "platform") -> FrameT:
    """List the turns of each session: who spoke, how much, and how long they let the other wait.

    A turn is a run of messages by the same speaker; a bot handing over to an agent starts a new one.

    Args:
        messages: `log.messages`, `log.frames` or `log.table()`; pandas or Dask.
        clock: "platform" orders and measures by `channel.time`, delivery not included; "here" by our own
            clock: the guest's words count when they were sent, all others when they came, live or from
            history.

    Returns:
        A DataFrame with `TURNS_COLUMNS`. With Dask the sessions come in any order, each one whole.

    Raises:
        InputError: A column is missing, or there is no such clock.

    >>> from guestlab.analysis import sample
    >>> print(turns(sample().messages)[["turn", "who", "messages", "waited_ms"]].to_string(index=False))
     turn   who  messages  waited_ms
        1 guest         1       <NA>
        2   bot         2     1070.0
        3 guest         1     6878.0
        4   bot         1     6172.0
        5 agent         1    36820.0
        6 guest         1     8006.0
    """
    _check_clock(clock)
    options: dict[str, Any] = {"clock": clock, "sending": clock == "here"}
    return said(_turns, messages, "turns", _READS, TURNS_COLUMNS, **options)


def response_times(
    messages: FrameT, *, clock: Clock = "platform", asked: Literal["first", "last"] = "first"
) -> FrameT:
    """Tell how long the guest waited for each answer, of a bot or an agent.

    Args:
        messages: `log.messages`, `log.frames` or `log.table()`; pandas or Dask.
        clock: "platform" measures by `channel.time`, delivery not included; "here" by our own
            clock: the guest's words count when they were sent, all others when they came, live or from
            history. What was said again after a 429 counts from the first try in `log.frames` or
            `log.table()`, from the last in `log.messages`, which has `latency_ms` alone.
        asked: Where a guest says several things in a row: whether waiting begins with the "first" of them
            or the "last".

    Returns:
        A DataFrame with `RESPONSE_TIMES_COLUMNS`: a row for every guest turn, unanswered ones too, each with
        the first answer, be it a bot's; `turns` has the answers behind it.

    Raises:
        InputError: A column is missing, or an argument is not one of those named.

    >>> from guestlab.analysis import sample
    >>> times = response_times(sample().messages)
    >>> print(times[["turn", "response_ms", "who", "first"]].to_string(index=False))
     turn  response_ms who  first
        1       1070.0 bot   True
        3       6172.0 bot  False
        6         <NA> NaN  False
    """
    _check_clock(clock)
    if asked not in {"first", "last"}:
        raise InputError(
            f"response_times() knows no asked={asked!r}.",
            why="Waiting begins with the first or the last message of a guest's turn.",
            next_step='Pass asked="first" or asked="last".',
        )
    gives = RESPONSE_TIMES_COLUMNS
    options: dict[str, Any] = {"clock": clock, "asked": asked, "sending": clock == "here"}
    return said(_response_times, messages, "response_times", _READS, gives, **options)


def silences(messages: FrameT, *, longer_than: float | timedelta = 60.0, clock: Clock = "platform") -> FrameT:
    """List the stretches in which nobody said anything, typing and joining not counted.

    Args:
        messages: `log.messages`, `log.frames` or `log.table()`; pandas or Dask.
        longer_than: Seconds, or a timedelta; a stretch of exactly that length is not listed.
        clock: "platform" measures by `channel.time`, delivery not included; "here" by our own
            clock: the guest's words count when they were sent, all others when they came, live or from
            history.

    Returns:
        A DataFrame with `SILENCES_COLUMNS`.

    Raises:
        InputError: A column is missing, or `longer_than` is no length of time.

    >>> from guestlab.analysis import sample
    >>> found = silences(sample().messages, longer_than=30)
    >>> print(found[["silence_ms", "after", "broken_by"]].to_string(index=False))
     silence_ms after broken_by
        36820.0   bot     agent
    """
    _check_clock(clock)
    seconds = _seconds(longer_than)
    gives = SILENCES_COLUMNS
    options: dict[str, Any] = {"clock": clock, "longer_than": seconds, "sending": clock == "here"}
    return said(_silences, messages, "silences", _READS, gives, **options)


def _seconds(longer_than: Any) -> float:
    try:
        seconds = longer_than.total_seconds() if isinstance(longer_than, timedelta) else longer_than
        if 0 <= seconds < float("inf"):
            return float(seconds)
    except TypeError:  # no number
        pass
    raise InputError(
        f"longer_than={longer_than!r} is no length of time.",
        why="It counts seconds.",
        next_step="Pass seconds, such as longer_than=60, or a timedelta.",
    )


def speakers(messages: pd.DataFrame) -> pd.Series[Any]:
    """Name who said each message: guest, bot, agent, or the platform's own word.

    An Outbound message by "Human" is an agent's (level: inferred; the platform's word is the wire's).
    """
    entity = messages["originating_entity"].astype(object)
    others = entity.map(_ENTITIES).where(entity.isin(list(_ENTITIES)), entity)
    who: pd.Series[Any] = others.mask(messages["direction"] == "Inbound", "guest").astype("str")
    return who


def _check_clock(clock: str) -> None:
    if clock not in {"platform", "here"}:
        raise InputError(
            f"There is no clock {clock!r}.",
            why='Messages carry two times: the platform\'s own, and that of their arrival "here".',
            next_step='Pass clock="platform" or clock="here".',
        )


def _timed(messages: pd.DataFrame, clock: Clock) -> pd.DataFrame:
    """Sort by session and time on one clock; number the sessions and the runs of one speaker."""
    timed = messages.assign(who=speakers(messages), when=moments(messages, clock))
    timed = timed[timed["when"].notna()]
    timed = timed.sort_values(["session", "when", "seq"], kind="stable")
    place = pd.factorize(timed["session"])[0]
    begins = _changes(place)
    timed["place"] = place
    timed["run"] = (begins | _changes(pd.factorize(timed["who"])[0])).cumsum()
    return timed.reset_index(drop=True)


def moments(messages: pd.DataFrame, clock: Clock) -> pd.Series[Any]:
    """When each message was said on one clock; missing where that tells none."""
    if clock == "platform":
        return messages["time"]
    live = messages["kind"] == "frame"
    heard = live | messages["session"].isin(messages["session"][live])
    is_own = messages["direction"] == "Inbound"
    sent = messages["sent_at"].where(is_own & live)
    # An own message whose echo was lost: by the platform's stamp, moved by what lies between the clocks.
    apart = (sent - messages["time"]).groupby(messages["session"], dropna=False).transform("median")
    sent = sent.where(live, messages["time"] + apart)
    when: pd.Series[Any] = sent.where(is_own).fillna(messages["at"].where(live | ~is_own)).where(heard)
    return when


def _changes(codes: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Mark where a value differs from the one before; the first always does."""
    changes = np.ones(len(codes), dtype=bool)
    changes[1:] = codes[1:] != codes[:-1]
    return changes


def _runs(messages: pd.DataFrame, clock: Clock) -> pd.DataFrame:
    """One row per turn; `place` numbers the session."""
    timed = _timed(messages, clock)
    timed["characters"] = timed["text"].str.len().fillna(0).astype("int64")
    runs = timed.groupby("run", sort=False).agg(
        session=("session", "first"),
        place=("place", "first"),
        who=("who", "first"),
        messages=("seq", "size"),
        characters=("characters", "sum"),
        started_at=("when", "first"),
        ended_at=("when", "last"),
        first_seq=("seq", "first"),
        last_seq=("seq", "last"),
    )
    runs["turn"] = runs.groupby("place").cumcount() + 1
    return runs.reset_index(drop=True)


def _turns(messages: pd.DataFrame, *, clock: Clock) -> pd.DataFrame:
    runs = _runs(messages, clock)
    before = runs.groupby("place")["ended_at"].shift()
    return runs.assign(
        duration_ms=elapsed(runs["started_at"], runs["ended_at"]),
        waited_ms=elapsed(before, runs["started_at"]),
    )


def _response_times(messages: pd.DataFrame, *, clock: Clock, asked: str) -> pd.DataFrame:
    runs = _runs(messages, clock)
    following = runs.groupby("place")[["started_at", "who"]].shift(-1)
    asked_at = runs["started_at" if asked == "first" else "ended_at"]
    answered = runs.assign(
        asked_at=asked_at,
        answered_at=following["started_at"],
        response_ms=elapsed(asked_at, following["started_at"]),
        who=following["who"],
    )[runs["who"] == "guest"]
    return answered.assign(first=~answered.duplicated("place"))


def _silences(messages: pd.DataFrame, *, clock: Clock, longer_than: float) -> pd.DataFrame:
    timed = _timed(messages, clock)
    before = timed.groupby("place")[["when", "who", "seq"]].shift()
    silence_ms = elapsed(before["when"], timed["when"])
    found = timed.assign(
        started_at=before["when"],
        ended_at=timed["when"],
        silence_ms=silence_ms,
        after=before["who"],
        broken_by=timed["who"],
        before_seq=before["seq"],
        after_seq=timed["seq"],
    )
    return found[(silence_ms > longer_than * 1000).fillna(value=False)]
