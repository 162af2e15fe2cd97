"""The guest session over a bad network: every message once, every send acknowledged or reported."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from guestlab import errors
from guestlab.backoff import Backoff
from guestlab.limits import PUBLISHED, Limits
from guestlab.protocol.events import ConnectionTakenOver, EchoReceived, SessionCleared, SessionConfigured
from guestlab.protocol.guest import State
from guestlab.regions import Region
from guestlab.sandbox import Sandbox
from guestlab.session import GuestSession
from tests.relay import Relay
from tests.scenario import run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from guestlab.log import Log

SOON = Backoff(first=0.02, most=0.1, total=10.0)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Without limits: pacing has its own tests."""
    with Sandbox(limits=None, bot=None) as sandbox:
        yield sandbox


@pytest.fixture
def relay(sandbox: Sandbox) -> Iterator[Relay]:
    """A bad network before it."""
    with Relay(sandbox.http_port) as relay:
        yield relay


@pytest.fixture
def guest(sandbox: Sandbox, relay: Relay) -> Callable[..., GuestSession]:
    """A maker of sessions that go through the relay."""

    def make(guest_token: str | None = None, **options: Any) -> GuestSession:
        options = {"limits": None, "reconnect": SOON, **options}
        region = Region(f"127.0.0.1:{relay.port}")
        return GuestSession(region, sandbox.deployment_id, guest_token, **options)

    return make


def _inbound(log: Log) -> list[str]:
    messages = log.messages
    return list(messages[messages["direction"] == "Inbound"]["text"])


def test_a_message_is_acknowledged_by_its_own_echo(guest: Callable[..., GuestSession]) -> None:
    """Matched by tracing id, marked as own, in the log once."""

    async def scenario() -> None:
        async with guest() as session:
            message = await session.send("hello", custom_attributes={"tier": "gold"})
            assert message.own
            sent = next(entry.raw for entry in session.log.entries if entry.action == "onMessage")
            assert '"channel":{"metadata":{"customAttributes":{"tier":"gold"}}}' in (sent or "")
            assert _inbound(session.log) == ["hello"]

    run(scenario())


def test_a_lost_link_comes_back_and_the_session_goes_on(
    guest: Callable[..., GuestSession], relay: Relay
) -> None:
    """Same guest token, no new session, and sending just waits."""

    async def scenario() -> None:
        async with guest() as session:
            await session.send("before")
            relay.cut()
            await session.send("after")
            assert session.configured is not None
            assert not session.configured.new_session
            assert _inbound(session.log) == ["before", "after"]

    run(scenario())


def test_what_was_said_while_away_is_filled_from_history_once_and_in_order(
    guest: Callable[..., GuestSession], relay: Relay, sandbox: Sandbox
) -> None:
    """Another connection of the same guest speaks while this one is cut off."""

    async def scenario() -> None:
        async with guest() as session:
            await session.send("one")
            relay.refuse(True)
            relay.cut()
            other = GuestSession(sandbox.region, sandbox.deployment_id, session.guest_token, limits=None)
            async with other:
                for text in ("two", "three", "four"):
                    await other.send(text)
            relay.refuse(False)
            await session.send("five")
            texts = []
            while "five" not in texts:
                message = await session.next_message()
                assert message is not None
                if message.direction == "Inbound":
                    texts.append(message.text)
            assert texts == ["one", "two", "three", "four", "five"]
            assert _inbound(session.log) == texts

    run(scenario())


def test_a_send_whose_acknowledgement_was_lost_is_not_said_twice(
    guest: Callable[..., GuestSession], relay: Relay, sandbox: Sandbox
) -> None:
    """The server has it; history tells, by the id in its metadata."""

    async def scenario() -> None:
        async with guest() as session:
            await session.send("first")
            relay.swallow_down.set()
            sending = asyncio.create_task(session.send("only once", timeout=20))
            await _until(
                lambda: any(
                    entry.action == "onMessage" and "only once" in (entry.raw or "")
                    for entry in session.log.entries
                )
            )
            await _until(lambda: ("customer", "only once") in sandbox.agent.transcript())
            relay.cut()
            relay.swallow_down.clear()
            message = await sending
            assert message.text == "only once"
            history = await session.history()
            assert [m.text for m in history if m.direction == "Inbound"] == ["first", "only once"]

    run(scenario())


def test_a_send_that_never_arrived_is_said_again(guest: Callable[..., GuestSession], relay: Relay) -> None:
    """History does not know it, so it is sent once more, and acknowledged."""

    async def scenario() -> None:
        async with guest() as session:
            await session.send("first")
            relay.swallow_up.set()
            sending = asyncio.create_task(session.send("lost on the way", timeout=20))
            await _until(lambda: any("lost on the way" in (entry.raw or "") for entry in session.log.entries))
            relay.cut()
            relay.swallow_up.clear()
            assert (await sending).text == "lost on the way"
            history = await session.history()
            assert [m.text for m in history if m.direction == "Inbound"] == ["first", "lost on the way"]

    run(scenario())


def test_requests_without_words_fail_at_once_when_the_link_is_lost(
    guest: Callable[..., GuestSession], relay: Relay
) -> None:
    """An echo is not said again by itself: the caller hears of it."""

    async def scenario() -> None:
        async with guest() as session:
            relay.swallow_down.set()
            asking = asyncio.create_task(session.echo(timeout=20))
            await _until(lambda: any(entry.action == "echo" for entry in session.log.entries))
            relay.cut()
            relay.swallow_down.clear()
            with pytest.raises(errors.SendInDoubt):
                await asking
            assert isinstance(await session.echo(), EchoReceived)

    run(scenario())


def test_without_a_way_back_the_session_ends_and_says_so(
    guest: Callable[..., GuestSession], relay: Relay
) -> None:
    """Iteration stops, sending raises, what was logged stays."""

    async def scenario() -> None:
        session = guest(reconnect=Backoff(first=0.01, most=0.02, total=0.1))
        async with session:
            await session.send("hello")
            relay.refuse(True)
            relay.cut()
            async for _ in session:
                pass
            with pytest.raises(errors.SessionEnded, match="did not come back"):
                await session.send("anyone?")
            assert _inbound(session.log) == ["hello"]

    run(scenario())


def test_the_fourth_connection_closes_the_first_which_stays_away() -> None:
    """Taken over means stop: no reconnect."""

    async def scenario(sandbox: Sandbox) -> None:
        def guest(guest_token: str | None = None) -> GuestSession:
            return GuestSession(sandbox.region, sandbox.deployment_id, guest_token, reconnect=SOON)

        async with contextlib.AsyncExitStack() as stack:
            first = await stack.enter_async_context(guest())
            for _ in range(3):
                await stack.enter_async_context(guest(first.guest_token))
            await first.next(ConnectionTakenOver)
            with pytest.raises(errors.SessionEnded, match="ConnectionClosedEvent"):
                await first.next(EchoReceived)
            with pytest.raises(errors.SessionEnded):
                await first.send("still me?")
            assert int(first.log.sessions["connects"].sum()) == 1

    with Sandbox() as sandbox:
        run(scenario(sandbox))


def test_clearing_ends_the_conversation_and_the_session(guest: Callable[..., GuestSession]) -> None:
    """And the same guest token then begins a new one."""

    async def scenario() -> None:
        async with guest() as session:
            await session.send("goodbye")
            await session.clear()
            await session.next(SessionCleared)
        async with guest(session.guest_token) as again:
            assert again.configured is not None
            assert again.configured.new_session

    run(scenario())


def test_two_guests_never_see_each_others_messages(guest: Callable[..., GuestSession], relay: Relay) -> None:
    """Not even when one of them keeps reconnecting."""

    async def scenario() -> None:
        async with guest() as one, guest() as two:
            for number in range(5):
                await asyncio.gather(one.send(f"one {number}"), two.send(f"two {number}"))
                relay.cut()
            await asyncio.gather(one.send("one end"), two.send("two end"))
            assert {text.split()[0] for text in _inbound(one.log)} == {"one"}
            assert {text.split()[0] for text in _inbound(two.log)} == {"two"}

    run(scenario())


def test_a_settling_time_delivers_by_time(guest: Callable[..., GuestSession]) -> None:
    """Messages come out after it, none lost."""

    async def scenario() -> None:
        async with guest(settle=0.2) as session:
            for number in range(5):
                await session.send(str(number))
            texts = [m.text for m in await session.messages(quiet=1.0) if m.direction == "Inbound"]
            assert texts == ["0", "1", "2", "3", "4"]

    run(scenario())


def test_it_is_ready_only_after_the_session_response(guest: Callable[..., GuestSession]) -> None:
    """connect() returns it; closing ends it."""

    async def scenario() -> None:
        session = guest()
        assert session.state is State.IDLE
        assert isinstance(await session.connect(), SessionConfigured)
        assert session.state is State.CONFIGURED
        await session.close()
        assert session.state is State.CLOSED
        with pytest.raises(errors.SessionEnded, match="closed here"):
            await session.send("too late")

    run(scenario())


def test_a_refused_deployment_is_a_handshake_error_that_names_the_rule(relay: Relay) -> None:
    """Not retried: 403 is final."""

    async def scenario() -> None:
        unknown = GuestSession(Region(f"127.0.0.1:{relay.port}"), "3d2f0c1e-0000-4000-8000-000000000001")
        with pytest.raises(errors.HandshakeError) as caught:
            await unknown.connect()
        assert caught.value.http_status == 403
        assert "upgrade.deployment-unknown" in caught.value.findings

    run(scenario())


def test_what_is_too_long_is_refused_before_it_is_sent(guest: Callable[..., GuestSession]) -> None:
    """Text and attributes are checked against the published limits."""

    async def scenario() -> None:
        async with guest() as session:
            before = len(session.log)
            with pytest.raises(errors.InputError):
                await session.send("x" * (PUBLISHED.text_length + 1))
            with pytest.raises(errors.InputError):
                await session.send("x", custom_attributes={"k": "v" * 3000})
            assert len(session.log) == before

    run(scenario())


def test_pacing_cannot_be_switched_off_away_from_loopback() -> None:
    """The budgets protect other people's cloud."""
    with pytest.raises(errors.InputError, match="Pacing"):
        GuestSession(Region("mypurecloud.de"), "d", limits=None)


@pytest.mark.parametrize(
    "wider",
    [
        {"messages_per_second_per_session": 6},
        {"requests_per_minute_per_connection": 10**9},
        {"typing_seconds": 0.0},
    ],
)
def test_pacing_cannot_be_loosened_away_from_loopback(wider: dict[str, Any]) -> None:
    """Nor switched off by a budget that never ends; tighter ones are welcome."""
    limits = dataclasses.replace(PUBLISHED, **wider)
    with pytest.raises(errors.InputError, match=next(iter(wider))):
        GuestSession(Region("mypurecloud.de"), "d", limits=limits)
    GuestSession(Region("localhost:9"), "d", limits=limits)
    GuestSession(Region("mypurecloud.de"), "d", limits=Limits(messages_per_second_per_session=2))


@pytest.mark.parametrize("seconds", [0, 10, 29.9])
def test_a_keep_alive_outside_its_budget_is_refused(seconds: float) -> None:
    """Two echoes a minute is all there is."""
    with pytest.raises(errors.InputError, match="too often"):
        GuestSession(Region("mypurecloud.de"), "d", keep_alive=seconds)


@pytest.mark.parametrize("seed", range(3))
def test_a_damaged_acknowledgement_is_a_guestlab_error(seed: int) -> None:
    """Frames may be cut, garbled or changed: a send ends acknowledged or as an error that says so."""

    async def scenario(sandbox: Sandbox) -> None:
        async with GuestSession(sandbox.region, sandbox.deployment_id, limits=None, reconnect=SOON) as guest:
            sandbox.faults.corrupt(probability=0.5)
            for number in range(10):
                with contextlib.suppress(errors.GuestlabError):
                    await guest.send(str(number), timeout=0.3)

    with Sandbox(seed=seed, limits=None) as sandbox:
        run(scenario(sandbox))


def test_what_waits_for_a_budget_is_not_blamed_on_the_server(sandbox: Sandbox) -> None:
    """The third echo in a minute is not sent at all, and the error says so."""

    async def scenario() -> None:
        async with GuestSession(sandbox.region, sandbox.deployment_id) as session:
            await session.echo()
            await session.echo()
            with pytest.raises(errors.DeadlineError, match="was not sent") as caught:
                await session.echo(timeout=0.2)
            assert "budget that is used up for another" in caught.value.why

    run(scenario())


def test_a_wait_known_to_be_longer_than_the_time_allowed_fails_at_once(sandbox: Sandbox) -> None:
    """Long before the time is up: by a budget of our own, and by what the server asks for."""

    async def scenario() -> None:
        async with GuestSession(sandbox.region, sandbox.deployment_id) as session, asyncio.timeout(20):
            await session.echo()
            await session.echo()
            with pytest.raises(errors.DeadlineError, match="was not sent") as held:
                await session.echo(timeout=40)
            assert "timeout=" in held.value.next_step
            sandbox.faults.rate_limit(60)
            with pytest.raises(errors.MessageRefused, match="for its rate") as refused:
                await session.send("x", timeout=50)
            assert "60 seconds (retryAfter); 50 seconds were allowed" in refused.value.why
            with pytest.raises(errors.DeadlineError, match="was not sent") as unsent:
                await session.send("y", timeout=50)
            assert "retryAfter" in unsent.value.why

    run(scenario())


def test_the_refusal_that_ended_a_reconnect_is_named(sandbox: Sandbox) -> None:
    """403 is final, and not hidden behind 1006."""

    async def scenario() -> None:
        async with GuestSession(
            sandbox.region, sandbox.deployment_id, limits=None, reconnect=SOON
        ) as session:
            sandbox.faults.refuse(403, times=None)
            sandbox.faults.drop(0)
            with pytest.raises(errors.GuestlabError):
                await session.send("hello", timeout=5)
            with pytest.raises(errors.SessionEnded, match="HTTP 403"):
                await session.send("hello", timeout=5)

    run(scenario())


async def _until(condition: Callable[[], bool]) -> None:
    """Wait for something that happens elsewhere."""
    while not condition():  # noqa: ASYNC110 - what happens is a log entry, not an event
        await asyncio.sleep(0.005)
