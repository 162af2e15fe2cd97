"""Plots: what they say in words, that they are PNGs, and what hostile text cannot do to them."""

from __future__ import annotations

import re
import subprocess
import sys
from base64 import b64decode
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from guestlab import analysis
from guestlab.analysis.plot import SPEAKERS, colour, shown
from guestlab.analysis.sequences import arrows_of_session
from guestlab.errors import InputError
from guestlab.log import Log
from guestlab.log.entry import UNTIMED

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytest.importorskip("matplotlib")

HOSTILE = (
    "$\\frac{1}{0$", "\u202egnp.exe", "a\x00b\x1b[31m\r\n", "\\input{/etc/passwd}", "<script>alert(1)</script>",
    "你好 🙂", "z" + "\u0301" * 500, "x" * 100_000, "\ud800", "{0.__class__}", "%s%n", "", "\u2066\u2069",
)  # fmt: skip
PLOTS: dict[str, Callable[[Log], analysis.Plot]] = {
    "timeline": lambda log: analysis.plot_timeline(log.messages),
    "timeline of the table": lambda log: analysis.plot_timeline(log.table()),
    "timeline here": lambda log: analysis.plot_timeline(log.messages, clock="here"),
    "latency": lambda log: analysis.plot_latency(log.messages),
    "latency corrected": lambda log: analysis.plot_latency(log.messages, corrected=True),
    "response times": lambda log: analysis.plot_response_times(log.messages),
    "budget": lambda log: analysis.plot_budget(log.table()),
    "session": lambda log: analysis.plot_session(log.table()),
}


def hostile_log() -> Log:
    """Every word the wire can say is hostile."""
    log = Log()
    for place, text in enumerate(HOSTILE):
        about: dict[str, Any] = {"session": HOSTILE[place % 2], "at_ns": place * 10**9, "attempt": 1}
        log.record("frame", direction="sent", action=text, url=text, **about)
        log.record("frame", direction="received", class_name=text, text=text, message_id=f"{place}{text[:9]}",
                   message_type="Text", message_direction=("Inbound", "Outbound")[place % 2],
                   originating_entity=text, message_time=place * 10**9, frame_code=(200, 429)[place % 2],
                   **about)  # fmt: skip
        log.record("request", method=text, raw=text, **about)
        log.record("response", http_status=403, note=text, **about)
        log.record("step", step="dns", note=text, **about)
    log.record("attempt", attempt=1, credential=HOSTILE[0], placement=HOSTILE[1], note=HOSTILE[2], ok=False)
    return log


@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_is_a_png_with_words_beside_it(name: str) -> None:
    """On opaque white, in a notebook without any matplotlib backend."""
    plot = PLOTS[name](analysis.sample())
    bundle, metadata = plot._repr_mimebundle_()
    assert b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    assert bundle["text/plain"] == repr(plot) == plot.description
    assert plot.description.endswith(".")
    assert metadata["image/png"]["alt"] == plot.description
    assert plot.figure.get_facecolor() == (1.0, 1.0, 1.0, 1.0)


@pytest.mark.parametrize("name", PLOTS)
def test_hostile_text_is_drawn_escaped(name: str) -> None:
    """No mathematics, no TeX, no control or bidi character, no warning about a missing glyph."""
    plot = PLOTS[name](hostile_log())
    plot.png()
    assert_safe(plot)


def test_hostile_text_of_an_attempt_is_drawn_escaped() -> None:
    """Of its entries too."""
    plot = analysis.plot_attempt(hostile_log())
    plot.png()
    assert_safe(plot)


def assert_safe(plot: analysis.Plot) -> None:
    """Look at every text of the drawing."""
    from matplotlib.text import Text

    for text in plot.figure.findobj(Text):
        if not text.get_text():
            continue
        assert not text.get_usetex()
        assert not text.get_parse_math()
        assert len(text.get_text()) < 200
        assert text.get_text().replace("\n", "").isprintable()
    assert plot.description.isprintable()


def test_a_user_who_saves_the_figure_gets_no_error_either() -> None:
    """Outside of our style: glyphs were replaced when the words were written."""
    import io

    plot = analysis.plot_session(hostile_log().frames)
    plot.figure.savefig(io.BytesIO(), format="png")


@pytest.mark.parametrize("name", [name for name in PLOTS if name != "session"])
def test_nothing_to_draw_is_said(name: str) -> None:
    """No error, no empty axes without a word."""
    plot = PLOTS[name](Log())
    plot.png()
    assert "no " in plot.description


def test_what_is_not_there_cannot_be_drawn() -> None:
    """A session, an attempt."""
    log = analysis.sample()
    for call in (
        lambda: analysis.plot_session(Log().frames),
        lambda: analysis.plot_session(log.frames, session="s2"),
        lambda: analysis.plot_timeline(log.messages, session="s2"),
        lambda: analysis.plot_attempt(log),
        lambda: analysis.plot_attempt(log, number=3),
    ):
        with pytest.raises(InputError, match="There is no"):
            call()


def test_many_sessions_are_one_line_each(make_world: Any) -> None:
    """The first forty of them."""
    log = make_world(5, sessions=45, messages=6).log
    plot = analysis.plot_timeline(log.messages)
    plot.png()
    assert "45 sessions, the first 40 of 45" in plot.description


def test_response_times_are_drawn_with_their_clock() -> None:
    """The two measure different things."""
    messages = analysis.sample().messages
    assert "platform's clock" in analysis.plot_response_times(messages).description
    assert "our own clock" in analysis.plot_response_times(messages, clock="here").description


def test_a_timeline_tells_how_many_messages_it_leaves_out() -> None:
    """On our own clock those of a session of which nothing came live."""
    log = analysis.sample()
    log.record("history", session="read later", message_id="h", message_direction="Outbound", text="hello",
               message_type="Text", message_time=log.entries[0].at)  # fmt: skip
    assert "1 without a time left out" in analysis.plot_timeline(log.messages, clock="here").description
    assert "left out" not in analysis.plot_timeline(log.messages).description


def test_a_long_session_is_cut_and_counted() -> None:
    """So that it stays readable."""
    from matplotlib.text import Text

    plot = analysis.plot_session(analysis.sample().frames, most=4)
    assert "… and 16 more" in [text.get_text() for text in plot.figure.findobj(Text)]


def test_numbers_stand_with_their_lane() -> None:
    """HTTP status, frame code and close code in one diagram."""
    from matplotlib.text import Text

    texts = {
        text.get_text() for text in analysis.plot_session(analysis.sample().table()).figure.findobj(Text)
    }
    assert {"HTTP 101", "frame 429", "close 1006", "frame 200"} <= texts
    assert "“Please tell me its number.” · again" in texts


@pytest.mark.parametrize("wrong", ["table", "column", "words"])
def test_what_is_no_attempt_is_refused_in_words(lab: Any, wrong: str) -> None:
    """The other plots take the table; this one says what it takes."""
    lab.handshake()
    table = lab.log.table()
    given = {"table": table, "column": table["attempt"], "words": ["attempt 1"]}[wrong]
    with pytest.raises(InputError, match=r"plot_attempt\(\) takes an Attempt, a Log or entries"):
        analysis.plot_attempt(given)


def test_an_attempt_and_its_log_draw_the_same(lab: Any) -> None:
    """The refused one never reached the guest service, and says so."""
    working, refused = lab.handshake(), lab.handshake_as_asked()
    for attempt in (working, refused):
        from_log = analysis.plot_attempt(lab.log, number=attempt.number)
        assert analysis.plot_attempt(attempt).description.split(": client")[0] in from_log.description
        from_log.png()
    assert "SessionResponse" in analysis.plot_attempt(working).description
    assert "HTTP 401" in analysis.plot_attempt(refused).description
    assert "the guest service was never reached" in analysis.plot_attempt(refused).description


def test_plots_are_saved_by_their_ending(tmp_path: Path) -> None:
    """PNG, SVG and PDF; another ending is refused before anything is written."""
    plot = analysis.plot_latency(analysis.sample().messages)
    for name, start in (("a.png", b"\x89PNG"), ("a.svg", b"<?xml"), ("a.pdf", b"%PDF")):
        assert plot.save(tmp_path / name).read_bytes().startswith(start)
    with pytest.raises(InputError, match="cannot be saved"):
        plot.save(tmp_path / "a.exe")
    assert not (tmp_path / "a.exe").exists()


def test_the_same_plot_has_the_same_bytes() -> None:
    """So that a notebook's stored output does not change by itself."""
    first, second = (analysis.plot_timeline(analysis.sample().messages).png() for _ in range(2))
    assert first == second


def test_plots_leave_pyplot_and_the_users_settings_alone() -> None:
    """No global figure, no backend, no changed default; a user's TeX and dark style do not reach ours."""
    code = (
        "import sys, matplotlib\n"
        "matplotlib.rcParams['text.usetex'] = True\n"
        "matplotlib.rcParams['figure.facecolor'] = 'black'\n"
        "names = ('text.usetex', 'text.parse_math', 'figure.facecolor', 'axes.titlesize', 'font.family')\n"
        "found = lambda: [str(matplotlib.rcParams[name]) for name in names]\n"
        "before = found()\n"
        "from guestlab import analysis as a\n"
        "plot = a.plot_timeline(a.sample().messages)\n"
        "plot.png()\n"
        "assert found() == before\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
        "assert plot.figure.get_facecolor() == (1, 1, 1, 1)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_dask_is_asked_to_compute_first() -> None:
    """A drawing holds thousands of points, an archive millions."""
    dd = pytest.importorskip("dask.dataframe")
    messages = dd.from_pandas(analysis.sample().messages, npartitions=1)
    with pytest.raises(InputError, match="not one of Dask") as refused:
        analysis.plot_timeline(messages)
    assert ".compute()" in refused.value.next_step


def words_of(plot: analysis.Plot) -> set[str]:
    """Every text of a drawing."""
    from matplotlib.text import Text

    return {text.get_text() for text in plot.figure.findobj(Text)}


def points_in(plot: analysis.Plot) -> int:
    """How many signs a drawing has."""
    return sum(len(one.get_offsets()) for one in plot.figure.axes[0].collections if hasattr(one, "get_sizes"))


def test_those_without_a_name_are_drawn_as_unnamed() -> None:
    """In a timeline and in a histogram: what is missing equals nothing, itself included."""
    messages = analysis.sample().messages
    nameless = messages.assign(
        originating_entity=messages["originating_entity"].where(messages["seq"] % 2 > 0)
    )
    plot = analysis.plot_timeline(nameless)
    missing = int((nameless["originating_entity"].isna() & (nameless["direction"] == "Outbound")).sum())
    assert f"unnamed {missing}" in plot.description
    late = 1
    assert points_in(plot) == len(messages) + late
    assert "unnamed" in words_of(plot)
    bars = analysis.plot_latency(nameless).figure.axes[0].patches
    assert sum(bar.get_height() for bar in bars) >= 6


def test_what_has_no_time_is_left_out_and_said() -> None:
    """Nothing is drawn at the time of the file it was read from."""
    log = analysis.sample()
    untimed = log.table().assign(monotonic_ns=UNTIMED)
    messages = log.messages.assign(monotonic_ns=UNTIMED)
    assert "; 6 without a time left out." in analysis.plot_latency(messages).description
    assert "; 7 without a time left out." in analysis.plot_timeline(messages, clock="here").description
    assert "left out" not in analysis.plot_timeline(messages).description
    assert "left out" in analysis.plot_sides(untimed).description
    assert "no frames with a time" in analysis.plot_budget(untimed).description
    session = analysis.plot_session(untimed)
    assert session.description == (
        "Session s1: 23 frames and closes at times nobody noted, between guest, platform, bot and agent."
    )
    assert not any(word.startswith("+") or "later" in word for word in words_of(session))
    some = untimed.assign(monotonic_ns=untimed["monotonic_ns"].where(untimed["seq"] > 3, 1))
    assert "(20 at times nobody noted)" in analysis.plot_session(some).description


def channel_and_guest() -> Log:
    """A channel, then a guest session, then a customer."""
    log = Log()
    log.record(
        "frame", stage="channel", session="channel-1", direction="received", class_name="v2.topic", raw="{}"
    )
    log.record("frame", stage="channel", session="channel-1", direction="sent", action="ping", raw="{}")
    log.record("frame", stage="session", session="g1", direction="sent", action="configureSession")
    said = {"message_direction": "Inbound", "message_type": "Text"}
    log.record("history", stage="conversation", session="open-c", message_id="m", text="hello", **said)
    log.record("request", stage="conversation", session="open-c", direction="received", method="POST")
    log.record("response", stage="conversation", session="open-c", direction="sent", http_status=200)
    return log


def test_the_first_guest_session_is_drawn_and_others_by_name() -> None:
    """A channel has an observer, Open Messaging a customer; nobody is called a guest who is none."""
    log = channel_and_guest()
    for frames in (log.table(), log.frames):
        assert analysis.plot_session(frames).description.startswith("Session g1: 1 frame or close ")
    channel = analysis.plot_session(log.table(), session="channel-1")
    assert channel.description.endswith("between observer and platform.")
    assert channel.description.startswith("Channel channel-1")
    assert "ping" in words_of(channel)
    customer = analysis.plot_session(log.table(), session="open-c")
    assert customer.description.endswith("between customer and platform.")
    assert {"“hello”", "POST to the webhook", "HTTP 200"} <= words_of(customer)
    assert "guest" not in words_of(channel) | words_of(customer)
    arrows = arrows_of_session(log.table(), session="channel-1")
    assert {end for arrow in arrows for end in (arrow.start, arrow.end)} == {"observer", "platform"}


def test_a_budget_says_whose_it_is() -> None:
    """In the title, or beside each where there are several sessions; a forced wait is a line of its own."""
    log = analysis.sample()
    assert analysis.plot_budget(log.frames).description.startswith("Budgets of session s1 at ")
    forced = analysis.plot_budget(log.frames, "2026-10-01T12:00:09.5Z")
    assert forced.description.endswith("; refused for its rate: no frame of session s1 for 830 ms.")
    assert "✓ 3 left" in words_of(forced)
    log.record("frame", at_ns=log.entries[-1].at, session="s2", direction="sent", action="echo")
    both = analysis.plot_budget(log.table())
    assert "of each the fullest of 2 sessions" in both.description
    assert "health check 1 of 2 in 60 s (session s2)" in both.description
    assert {"session s1", "session s2"} <= words_of(both)


@pytest.mark.parametrize(
    ("shift_ms", "words"),
    [
        (0, "median 75 ms"),
        (1_000, "median 1.07 s"),
        (10**9, "median 11.6 days"),
        (-(10**10), "median -116 days"),
    ],
)
def test_numbers_are_in_units_people_use(shift_ms: int, words: str) -> None:
    """No exponent anywhere, in words or on an axis."""
    messages = analysis.sample().messages
    plot = analysis.plot_latency(messages.assign(at=messages["at"] + pd.Timedelta(shift_ms, "ms")))
    assert words in plot.description
    plot.png()
    assert not any(re.search(r"\de[+\d-]", word) for word in words_of(plot) | {plot.description})


@pytest.mark.parametrize("some", [0, 1, 2])
def test_few_points_are_drawn_too(some: int) -> None:
    """None, a single one, all at the same time."""
    log = analysis.sample()
    messages = log.messages.head(some)
    for here in (messages, messages.assign(at=messages["time"])):
        for plot in (
            analysis.plot_latency(here),
            analysis.plot_timeline(here),
            analysis.plot_response_times(here),
        ):
            assert plot.png().startswith(b"\x89PNG")
    assert analysis.plot_sides(log.table().head(4 * some)).png()
    assert analysis.plot_budget(log.frames.head(some)).png()
    if some == 1:
        assert "1 message (guest 1) in 0.0 seconds" in analysis.plot_timeline(messages).description


def luminance(hexadecimal: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = (int(hexadecimal[place : place + 2], 16) / 255 for place in (1, 3, 5))
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("shade", [*(s.colour for s in SPEAKERS.values()), colour("done"), colour("failed")])
def test_colours_of_words_read_on_white(shade: str) -> None:
    """At least 4.5 to 1 (WCAG 2.2, 1.4.3)."""
    assert 1.05 / (luminance(shade) + 0.05) >= 4.5


def test_speakers_differ_by_more_than_colour() -> None:
    """Shape in timelines, hatching in histograms."""
    assert len({one.marker for one in SPEAKERS.values()}) == len(SPEAKERS)
    assert len({one.hatch for one in SPEAKERS.values()}) == len(SPEAKERS)


@pytest.mark.parametrize("text", HOSTILE)
def test_shown_text_is_one_short_printable_line(text: str) -> None:
    """Whatever came."""
    line = shown(text, 20)
    assert len(line) <= 20
    assert line.isprintable()


def test_the_time_axis_takes_any_span() -> None:
    """A single message, a day, a year."""
    for apart in ("0s", "1ms", "1D", "365D"):
        messages = analysis.sample().messages.head(2)
        second = messages["time"].iloc[0] + pd.Timedelta(apart)
        times = [messages["time"].iloc[0], second]
        analysis.plot_timeline(messages.assign(time=pd.Series(times, index=messages.index))).png()
