"""Many sessions of one process together keep the deployment's budget of connections."""

from __future__ import annotations

import asyncio

import pytest

import guestlab as gl
from guestlab import exchange
from guestlab.connect_pace import ConnectPace
from guestlab.errors import GuestlabError

ALLOWED = gl.PUBLISHED.connections_per_minute_per_deployment


class Clock:
    """Time that passes while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    async def sleep(self, seconds: float) -> None:
        """Let it pass."""
        self.now += seconds
        await asyncio.sleep(0)


def test_one_more_than_the_budget_waits_a_minute() -> None:
    """Told once, whichever session comes last."""
    clock, told = Clock(), []
    pace = ConnectPace(lambda: clock.now, clock.sleep)

    async def crowd() -> None:
        for _ in range(ALLOWED + 1):
            await pace.turn("mypurecloud.de", "deployment", told.append)

    asyncio.run(crowd())
    assert len(told) == 1
    assert 60 < told[0] < 61
    assert clock.now == pytest.approx(1000 + told[0])


def test_another_deployment_has_a_budget_of_its_own() -> None:
    """So has the same id in another region."""
    clock, told = Clock(), []
    pace = ConnectPace(lambda: clock.now, clock.sleep)

    async def crowd() -> None:
        for _ in range(ALLOWED):
            await pace.turn("mypurecloud.de", "one", told.append)
        await pace.turn("mypurecloud.de", "another", told.append)
        await pace.turn("mypurecloud.ie", "one", told.append)

    asyncio.run(crowd())
    assert told == []


def test_no_window_of_a_minute_ever_holds_more() -> None:
    """However they crowd."""
    clock, opened = Clock(), []
    pace = ConnectPace(lambda: clock.now, clock.sleep)

    async def one() -> None:
        await pace.turn("mypurecloud.de", "deployment")
        opened.append(clock.now)

    async def crowd() -> None:
        await asyncio.gather(*[one() for _ in range(3 * ALLOWED)])

    asyncio.run(crowd())
    assert len(opened) == 3 * ALLOWED
    assert all(later - earlier >= 60 for earlier, later in zip(opened, opened[ALLOWED:], strict=False))


def test_a_session_waits_for_its_turn_away_from_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """And says in the log what it waits for; on loopback it asks nobody."""
    clock = Clock()
    pace = ConnectPace(lambda: clock.now, clock.sleep)
    monkeypatch.setattr(exchange, "connect_pace", pace)
    log = gl.Log()

    async def connect(region: gl.Region) -> None:
        for _ in range(ALLOWED):
            await pace.turn(region.name, "deployment")
        async with gl.GuestSession(region, "deployment", log=log):
            pass

    with pytest.raises(GuestlabError):  # nothing outside this machine is reached from here
        asyncio.run(connect(gl.Region("mypurecloud.de")))
    waited = [entry.note for entry in log.entries if entry.kind == "note"]
    assert len(waited) == 1
    assert waited[0].startswith("waiting 60")
    log = gl.Log()
    with gl.Sandbox() as sandbox, pytest.raises(GuestlabError):  # it knows no such deployment
        asyncio.run(connect(sandbox.region))
    assert not [entry.note for entry in log.entries if "waiting" in (entry.note or "")]
