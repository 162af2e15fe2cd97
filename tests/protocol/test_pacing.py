"""Pacing on a virtual clock: no published budget is exceeded, and nothing waits without need."""

from __future__ import annotations

import pytest

from guestlab.limits import PUBLISHED, Limits
from guestlab.protocol import commands as say
from guestlab.protocol.pacing import BUDGETS, SLACK, Pacer

# what is sent, how many, in how many seconds: written down a second time from the limits page
PUBLISHED_BUDGETS: list[tuple[say.Command | str, int, float]] = [
    ("onMessage", 5, 1),
    (say.SendText(text="hi"), 5, 1),
    ("onMessage", 60, 60),
    ("getJwt", 60, 60),
    (say.ConfigureSession(), 60, 60),
    ("configureAuthenticatedSession", 60, 60),
    ("echo", 2, 60),
    (say.Echo(), 2, 60),
    ("typing", 1, 5),
    (say.SendTyping(), 1, 5),
    ("history", 10, 60),
    ("connect", 1000, 60),
]


def send_eagerly(pacer: Pacer, what: say.Command | str, times: int, start: float = 1000.0) -> list[float]:
    """Send as fast as the pacer lets, on a virtual clock; return the times."""
    now, sent = start, []
    for _ in range(times):
        wait = pacer.delay(what, now)
        assert wait >= 0
        now += wait
        assert pacer.delay(what, now) == pytest.approx(0.0, abs=1e-5)
        pacer.sent(what, now)
        sent.append(now)
    return sent


@pytest.mark.parametrize(("what", "count", "seconds"), PUBLISHED_BUDGETS, ids=lambda value: str(value)[:20])
def test_no_window_ever_holds_more_than_the_budget(
    what: say.Command | str, count: int, seconds: float
) -> None:
    """Wherever the server's window begins."""
    sent = send_eagerly(Pacer(PUBLISHED), what, count * 3 + 1)
    for first, last in zip(sent, sent[count:], strict=False):
        assert last - first >= seconds


@pytest.mark.parametrize(
    ("what", "count", "seconds"),
    [
        ("echo", 2, 60),
        ("typing", 1, 5),
        ("history", 10, 60),
        ("configureSession", 60, 60),
        ("onMessage", 5, 1),
    ],
)
def test_a_budget_may_be_used_up_at_once(what: str, count: int, seconds: float) -> None:
    """The wait comes after it, and is no longer than the window."""
    sent = send_eagerly(Pacer(PUBLISHED), what, count + 1)
    assert sent[:count] == [1000.0] * count
    assert sent[count] == pytest.approx(1000.0 + seconds + SLACK)


def test_all_frames_share_the_connections_budget() -> None:
    """Sixty a minute, typing and echo included; history is no frame."""
    pacer = Pacer(PUBLISHED)
    for action in (
        "getJwt",
        "onAttachment",
        "getAttachment",
        "deleteAttachment",
        "configureSession",
        "getConfiguration",
    ):
        for _ in range(10):
            pacer.sent(action, 0.0)
    for action in ("onMessage", "echo", "getJwt", "typing", "closeSession"):
        assert pacer.delay(action, 10.0) == pytest.approx(50.0 + SLACK)
    assert pacer.delay("history", 10.0) == 0.0
    assert pacer.delay("connect", 10.0) == 0.0


def test_typing_counts_as_a_message_too() -> None:
    """It is the same action to the server."""
    pacer = Pacer(Limits(messages_per_second_per_session=1))
    pacer.sent(say.SendTyping(), 0.0)
    assert pacer.delay(say.SendText(text="hi"), 0.0) == pytest.approx(1.0 + SLACK)
    assert pacer.delay(say.SendTyping(), 2.0) == pytest.approx(3.0 + SLACK)


def test_a_new_connection_starts_its_own_budgets_afresh() -> None:
    """The session's stay."""
    pacer = Pacer(PUBLISHED)
    for action in ("echo", "echo", "typing"):
        pacer.sent(action, 0.0)
    pacer.reconnected()
    assert pacer.delay("echo", 0.0) == 0.0
    assert pacer.delay("typing", 0.0) == pytest.approx(5.0 + SLACK)


def test_a_penalty_holds_every_frame_back() -> None:
    """As long as the server said, a second when it did not; a shorter one does not shorten a longer one."""
    pacer = Pacer(PUBLISHED)
    pacer.penalty(3, 100.0)
    assert pacer.delay("getJwt", 101.0) == 2.0
    assert pacer.delay("history", 101.0) == 0.0
    pacer.penalty(None, 101.0)
    assert pacer.delay("onMessage", 101.0) == 2.0
    assert pacer.delay("onMessage", 103.0) == 0.0
    pacer.penalty(None, 103.0)
    assert pacer.delay("onMessage", 103.0) == 1.0


def test_without_limits_there_is_no_pacing() -> None:
    """But what the server asked for is still obeyed."""
    pacer = Pacer(None)
    for _ in range(1000):
        assert pacer.delay("onMessage", 0.0) == 0.0
        pacer.sent("onMessage", 0.0)
    pacer.penalty(2.5, 0.0)
    assert pacer.delay("onMessage", 0.0) == 2.5


def test_a_window_forgets_what_is_over() -> None:
    """Memory stays bounded by the budgets."""
    pacer = Pacer(PUBLISHED)
    send_eagerly(pacer, "onMessage", 500)
    assert sum(map(len, pacer._windows.values())) <= 60 + 5


def test_the_budgets_are_named_once() -> None:
    """Each by its key on the limits page, or by its action."""
    assert len({budget.name for budget in BUDGETS}) == len(BUDGETS) == 7
