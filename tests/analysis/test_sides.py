"""One picture of every side: lanes by what was used, joined by conversation, safe to look at."""

from __future__ import annotations

import itertools
import json

import pytest

from guestlab.analysis import plot_sides
from guestlab.errors import InputError
from guestlab.log import Log


def _log(words: str = "hello") -> Log:
    log = Log()
    log.record(
        "request", stage="token", lane="http", direction="sent", method="POST", url="https://x/oauth/token"
    )
    log.record("response", stage="session", lane="http", direction="received", http_status=101, session="s")
    log.record(
        "frame", stage="session", session="s", lane="frame", direction="received", class_name="StructuredMessage",
        message_direction="Inbound", message_type="Text", message_id="m-1", text=words, raw="{}",
    )  # fmt: skip
    event = json.dumps(
        {"topicName": "v2.routing.queues.q.conversations.messages", "eventBody": {"id": "c-1"}}
    )
    log.record(
        "frame", stage="channel", session="channel-1", lane="frame", direction="received",
        class_name="v2.routing.queues.q.conversations.messages", conversation_id="c-1", raw=event,
    )  # fmt: skip
    log.record(
        "history", stage="conversation", session="open-guest", message_direction="Inbound", message_type="Text",
        message_id="m-2", text=words, conversation_id="c-2",
    )  # fmt: skip
    log.record(
        "history", stage="conversation", session="s", message_direction="Inbound", message_type="Text",
        message_id="m-1", text=words, conversation_id="c-1",
    )  # fmt: skip
    return log


def test_each_side_has_its_lane() -> None:
    """A transcript is no side of its own; the picture says in words what it shows."""
    plot = plot_sides(_log().table())
    assert repr(plot).startswith(
        "Both sides on one time axis: Platform API 1, guest socket 2, notification channel 1, Open Messaging 1,"
    )
    labels = [tick.get_text() for tick in plot.figure.axes[0].get_yticklabels()]
    assert [label.split("\n")[0] for label in labels] == [
        "Platform API",
        "guest socket",
        "notification channel",
        "Open Messaging",
    ]
    assert "no token" in labels[1]
    assert plot.png().startswith(b"\x89PNG")


def test_the_same_conversation_is_joined() -> None:
    """The channel's event and the guest's word, by the id a transcript told."""
    axes = plot_sides(_log().table()).figure.axes[0]
    dotted = [line for line in axes.get_lines() if line.get_linestyle() == ":"]
    assert len(dotted) == 1


def test_the_title_counts_the_conversations() -> None:
    """One, or so many; words stand above their signs and inside the picture."""
    log = _log()
    several = plot_sides(log.table())
    assert several.figure.axes[0].get_title("left") == "Every side of 2 conversations"
    assert ", of 2 conversations, in " in several.description
    one = plot_sides(log.table()[lambda table: table["session"] != "open-guest"])
    assert one.figure.axes[0].get_title("left") == "One conversation, every side of it"
    for text in several.figure.axes[0].texts:
        assert text.xy[1] % 1 == pytest.approx(0.07), "as high as what goes in"
        assert text.xyann[1] == 7


def test_a_year_is_no_power_of_ten_of_seconds() -> None:
    """The axis counts days."""
    log = _log()
    last = log.entries[-1].at
    log.record("frame", at_ns=last + 325 * 86_400 * 10**9, stage="session", session="s", direction="received",
               message_direction="Outbound", message_type="Text", message_id="m-9", text="at last")  # fmt: skip
    axes = plot_sides(log.table()).figure.axes[0]
    axes.figure.canvas.draw()
    assert axes.get_xlabel().startswith("days since ")
    assert axes.xaxis.get_offset_text().get_text() == ""


def test_hostile_words_are_drawn_as_text() -> None:
    """No mathematics, nothing hidden."""
    plot = plot_sides(_log("$\\frac{1}{0}$ \u202eeve").table())
    shown = [text.get_text() for text in plot.figure.axes[0].texts]
    assert any("\\u202e" in text for text in shown)
    assert plot.png()


def test_an_empty_log_says_so() -> None:
    """Not an error."""
    assert "nothing crossed" in repr(plot_sides(Log().table()))


def test_another_table_is_refused() -> None:
    """With the call that gives the right one."""
    with pytest.raises(InputError, match=r"log\.table\(\)"):
        plot_sides(_log().messages)


def test_words_of_many_messages_do_not_lie_upon_one_another() -> None:
    """Some are said on every lane that has any, each where there is room for it."""
    log = Log()
    for number in range(200):
        log.record(
            "frame", stage="session", session="s", lane="frame", direction="sent", message_direction="Inbound",
            message_type="Text", text=f"what was said as number {number}", raw="{}",
            at_ns=1_790_000_000_000_000_000 + number * 70_000_000,
        )  # fmt: skip
    figure = plot_sides(log.table()).figure
    figure.canvas.draw()
    boxes = sorted(
        (text.get_window_extent() for text in figure.axes[0].texts if text.get_text().startswith("what")),
        key=lambda box: box.x0,
    )
    assert len(boxes) >= 3
    assert all(left.x1 < right.x0 for left, right in itertools.pairwise(boxes))
