"""The guest session through its life: read-only, expiry, clearing, files, signing in, budgets, strangers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from guestlab import errors
from guestlab.authentication import GuestAuthentication
from guestlab.backoff import Backoff
from guestlab.lab import Lab
from guestlab.protocol.events import (
    ConnectionTakenOver,
    LoggedOut,
    MessageReceived,
    PresenceChanged,
    SessionExpired,
    TypingReceived,
)
from guestlab.protocol.guest import State
from guestlab.sandbox import Sandbox
from guestlab.session import GuestSession
from tests.scenario import run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SOON = Backoff(first=0.02, most=0.1, total=10.0)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """With the published limits."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def guest(sandbox: Sandbox) -> Callable[..., GuestSession]:
    """A maker of sessions, on a deployment of its own if switches are given."""

    def make(guest_token: str | None = None, *, on: Any = None, **options: Any) -> GuestSession:
        deployment = on.id if on is not None else sandbox.deployment_id
        return GuestSession(sandbox.region, deployment, guest_token, reconnect=SOON, **options)

    return make


def test_a_read_only_session_can_only_be_read_until_a_new_one_is_started(
    guest: Callable[..., GuestSession], sandbox: Sandbox
) -> None:
    """The agent disconnects for good; start_new() goes on with the same guest token."""

    async def scenario() -> None:
        async with guest() as session:
            await session.send("hello")
            sandbox.agent.disconnect(read_only=True)
            presence = await session.next(PresenceChanged, where=lambda e: e.presence == "Disconnect")
            assert presence.read_only
            assert session.state is State.READ_ONLY
            with pytest.raises(errors.LocalProtocolError, match="read_only"):
                await session.send("anyone?")
            assert "hello" in [message.text for message in await session.history()]
            configured = await session.start_new()
            assert configured.new_session
            assert (await session.send("a new start")).text == "a new start"

    run(scenario())


def test_an_expired_session_ends_and_does_not_come_back(
    guest: Callable[..., GuestSession], sandbox: Sandbox
) -> None:
    """The event says so, and the next send too."""

    async def scenario() -> None:
        async with guest() as session:
            await session.send("hello")
            sandbox.faults.expire("session")
            await session.next(SessionExpired)
            with pytest.raises(errors.SessionEnded, match="SessionExpiredEvent"):
                await session.send("still there?")

    run(scenario())


def test_a_session_expires_by_the_clock_and_the_same_token_starts_anew(
    guest: Callable[..., GuestSession], sandbox: Sandbox
) -> None:
    """Seventy-two hours without a message; then a configure makes a new session."""

    async def scenario() -> None:
        async with guest() as session:
            await session.send("hello")
            assert session.configured is not None
            assert session.configured.duration_seconds is not None
            sandbox.clock.advance(session.configured.duration_seconds + 1)
            await session.next(SessionExpired)
        async with guest(session.guest_token) as again:
            assert again.configured is not None
            assert again.configured.new_session

    run(scenario())


def test_a_join_is_sent_on_a_new_session_only(guest: Callable[..., GuestSession], sandbox: Sandbox) -> None:
    """auto_start greets once; a resumed session is not greeted again."""
    deployment = sandbox.deployments.add(auto_start=True)

    def joins(session: GuestSession) -> int:
        return sum('"Join"' in (entry.raw or "") for entry in session.log.entries if entry.action)

    async def scenario() -> None:
        async with guest(on=deployment, auto_start=True) as session:
            await session.next(MessageReceived, where=lambda e: e.message.direction == "Outbound")
            assert joins(session) == 1
        async with guest(session.guest_token, on=deployment, auto_start=True) as again:
            assert joins(again) == 0

    run(scenario())


def test_a_labs_session_joins_where_the_deployments_configuration_says_so(sandbox: Sandbox) -> None:
    """As official clients do: read from the public config.json."""
    for auto_start in (True, False):
        deployment = sandbox.deployments.add(auto_start=auto_start)
        with Lab(sandbox.region, deployment_id=deployment.id) as lab, lab.session():
            joined = any('"Join"' in (entry.raw or "") for entry in lab.log.entries if entry.action)
            assert joined is auto_start


def test_typing_goes_both_ways(guest: Callable[..., GuestSession], sandbox: Sandbox) -> None:
    """The guest's is paced; the agent's arrives as an event."""

    async def scenario() -> None:
        async with guest() as session:
            await session.send("hello")
            await session.typing()
            sandbox.agent.typing()
            typing = await session.next(TypingReceived, where=lambda e: e.direction == "Outbound")
            assert typing.on

    run(scenario())


def test_a_file_is_uploaded_sent_and_comes_back_whole(
    guest: Callable[..., GuestSession], sandbox: Sandbox, tmp_path: Path
) -> None:
    """Progress is told; the echo has the full attachment; an expired link is renewed."""
    picture = tmp_path / "dot.png"
    picture.write_bytes(b"\x89PNG" + bytes(200_000))
    progress: list[tuple[int, int]] = []

    async def scenario() -> None:
        async with guest() as session:
            message = await session.send(
                "see this",
                attachment=picture,
                attachment_name="point.png",
                progress=lambda sent, total: progress.append((sent, total)),
            )
            (attachment,) = message.attachments
            assert (attachment.filename, attachment.mime) == ("point.png", "image/png")
            assert await session.download(attachment) == picture.read_bytes()
            sandbox.faults.expire("links")
            assert await session.download(attachment) == picture.read_bytes()

    run(scenario())
    assert progress[-1] == (200_004, 200_004)
    assert len(progress) > 2, "more than once"


@pytest.mark.parametrize(
    ("source", "name", "why"),
    [
        (b"", "a.png", "empty"),
        (b"x", "noextension", "extension"),
        (b"x", "virus.exe", "blocks"),
        (b"x" * 11_000_000, "big.png", "larger"),
        (b"x", None, "no name"),
    ],
)
def test_a_file_the_limits_rule_out_is_refused_before_anything_is_sent(
    guest: Callable[..., GuestSession], source: bytes, name: str | None, why: str
) -> None:
    """From the SessionResponse's own limits."""

    async def scenario() -> None:
        async with guest() as session:
            before = len(session.log)
            with pytest.raises(errors.InputError) as caught:
                await session.upload(source, name=name)
            assert why in str(caught.value)
            assert len(session.log) == before

    run(scenario())


def test_an_uploaded_file_is_sent_by_its_id(guest: Callable[..., GuestSession]) -> None:
    """Without another upload; as a path its id is refused with how it is meant, and two files are one too many."""

    async def scenario() -> None:
        async with guest() as session:
            attachment_id = await session.upload(b"GIF89a", name="a.gif")
            with pytest.raises(errors.InputError, match="cannot be read") as refused:
                await session.send("see", attachment=attachment_id)
            assert "attachment_id=" in refused.value.next_step
            with pytest.raises(errors.InputError, match="one file"):
                await session.send("see", attachment=b"GIF89a", attachment_id=attachment_id)
            message = await session.send("see", attachment_id=attachment_id)
            (file,) = message.attachments
            assert file.id == attachment_id
            assert await session.download(file) == b"GIF89a"
            uploads = session.log.frames["action"].eq("onAttachment").sum()
            assert uploads == 1

    run(scenario())


def test_an_uploaded_file_can_be_dropped_again(guest: Callable[..., GuestSession]) -> None:
    """Then it can no longer be sent."""

    async def scenario() -> None:
        async with guest() as session:
            attachment_id = await session.upload(b"GIF89a", name="a.gif")
            await session.delete_attachment(attachment_id)

    run(scenario())


def _signed_in(sandbox: Sandbox, person: str = "ada", **options: Any) -> GuestAuthentication:
    redirect = "https://shop.example/callback"
    return GuestAuthentication(
        sandbox.openid.code(person, redirect_uri=redirect), redirect_uri=redirect, **options
    )


def test_a_signed_in_guest_gets_an_authenticated_session(
    guest: Callable[..., GuestSession], sandbox: Sandbox
) -> None:
    """Messages carry the mark; the JWT and the code are in no log."""
    deployment = sandbox.deployments.add(auth=True)
    authentication = _signed_in(sandbox)

    async def scenario() -> None:
        async with guest(on=deployment, authentication=authentication) as session:
            message = await session.send("it is me")
            assert message.metadata.get("authenticated") == "true"
            text = "\n".join(repr(entry) for entry in session.log.entries)
            assert authentication._jwt
            assert authentication._jwt not in text
            assert authentication._oauth["code"] not in text

    run(scenario())


def test_an_expired_sign_in_is_refreshed(guest: Callable[..., GuestSession], sandbox: Sandbox) -> None:
    """401 to the configure, a refresh, and it is in."""
    deployment = sandbox.deployments.add(auth=True)
    authentication = _signed_in(sandbox)

    async def scenario() -> None:
        async with guest(on=deployment, authentication=authentication) as session:
            await session.send("hello")
            token = session.guest_token
        sandbox.faults.expire("sign-in")
        async with guest(token, on=deployment, authentication=authentication) as again:
            assert again.state is State.CONFIGURED
            assert any("/token/refresh" in (entry.url or "") for entry in again.log.entries)

    run(scenario())


def test_a_guest_steps_up_and_logs_out(guest: Callable[..., GuestSession], sandbox: Sandbox) -> None:
    """On the same socket; the logout ends it."""
    deployment = sandbox.deployments.add(auth=True, session_upgrade=True)

    async def scenario() -> None:
        async with guest(on=deployment) as session:
            await session.send("who am I?")
            await session.step_up(_signed_in(sandbox))
            assert (await session.send("Ada")).metadata.get("authenticated") == "true"
            await session.log_out()
            await session.next(LoggedOut)
            with pytest.raises(errors.SessionEnded, match="LogoutEvent"):
                await session.send("gone")

    run(scenario())


def test_a_logout_after_the_sign_in_expired_refreshes_first(
    guest: Callable[..., GuestSession], sandbox: Sandbox
) -> None:
    """As the platform's documentation asks."""
    deployment = sandbox.deployments.add(auth=True)

    async def scenario() -> None:
        async with guest(on=deployment, authentication=_signed_in(sandbox)) as session:
            await session.send("hello")
            sandbox.faults.expire("sign-in")
            await session.log_out()
            await session.next(LoggedOut)

    run(scenario())


def test_the_text_of_any_offer_can_be_clicked_but_not_ones_own_answer(
    guest: Callable[..., GuestSession],
) -> None:
    """Quick replies and card buttons by their words; the echo of an answer offers nothing."""

    async def scenario() -> None:
        async with guest() as session:
            await session.send("quick replies v2")
            await session.next(MessageReceived, where=lambda e: bool(e.message.choices))
            first = await session.reply("Tea")
            assert first.quick_replies == ()
            await session.reply("Coffee")
            await session.send("card")
            offer = await session.next(MessageReceived, where=lambda e: "Card" in e.message.content_types)
            assert (await session.reply(offer.message.choices[0].text)).own
            with pytest.raises(errors.InputError, match="No choice 'Milk'"):
                await session.reply("Milk")

    run(scenario())


def test_signing_in_elsewhere_takes_a_session_over(
    guest: Callable[..., GuestSession], sandbox: Sandbox
) -> None:
    """The first device is told why, and stays away."""
    deployment = sandbox.deployments.add(auth=True, session_upgrade=True)

    async def scenario() -> None:
        async with guest(on=deployment, authentication=_signed_in(sandbox)) as first:
            await first.send("here")
            async with guest(on=deployment) as second:
                await second.send("hello")
                await second.step_up(_signed_in(sandbox))
                taken = await first.next(ConnectionTakenOver)
                assert taken.reason == "signedIn"

    run(scenario())


def test_a_guest_token_used_authenticated_cannot_be_used_anonymously(
    guest: Callable[..., GuestSession], sandbox: Sandbox
) -> None:
    """4017, at configure."""
    deployment = sandbox.deployments.add(auth=True, session_upgrade=True)

    async def scenario() -> None:
        async with guest(on=deployment, authentication=_signed_in(sandbox)) as session:
            await session.send("here")
        with pytest.raises(errors.HandshakeError, match="configure"):
            await guest(session.guest_token, on=deployment).connect()

    run(scenario())


def test_a_refusal_for_its_rate_is_waited_out(guest: Callable[..., GuestSession], sandbox: Sandbox) -> None:
    """429 with retryAfter: said again after that time, and acknowledged once."""

    async def scenario() -> None:
        async with guest() as session:
            sandbox.faults.rate_limit(0.3)
            loop = asyncio.get_running_loop()
            started = loop.time()
            await session.send("slowly")
            assert loop.time() - started >= 0.3
            assert list(session.log.messages["text"]).count("slowly") == 1

    run(scenario())


def test_a_wait_longer_than_the_time_allowed_is_a_refusal_with_its_numbers(
    guest: Callable[..., GuestSession], sandbox: Sandbox
) -> None:
    """Refused for its rate and never said again: no "unknown"; what comes after waits for the same."""

    async def scenario() -> None:
        async with guest(limits=None) as session:
            sandbox.faults.rate_limit(51)
            with pytest.raises(
                errors.MessageRefused, match=r"for its rate: code 4029 \(lane frame\)"
            ) as refused:
                await session.send("slowly", timeout=0.2)
            assert refused.value.frame_code == 4029
            assert "51 seconds (retryAfter); 0.2 seconds were allowed" in refused.value.why
            assert "Wait 51 seconds more" in refused.value.next_step
            with pytest.raises(errors.DeadlineError, match="was not sent") as unsent:
                await session.send("next", timeout=0.2)
            assert "retryAfter" in unsent.value.why
            assert "4029" in unsent.value.why
            assert "budget" not in unsent.value.why
            assert not (session.log.messages["direction"] == "Inbound").any()

    run(scenario())


def test_pacing_keeps_a_burst_inside_the_published_budget(guest: Callable[..., GuestSession]) -> None:
    """Twelve messages at once: the sandbox, which enforces the limits, refuses none."""

    async def scenario() -> None:
        async with guest() as session:
            await asyncio.gather(*(session.send(str(number)) for number in range(12)))
            codes = session.log.frames["frame_code"].dropna()
            assert set(codes) == {200}

    run(scenario())


def test_a_rejected_message_is_an_error_the_caller_gets(
    guest: Callable[..., GuestSession], sandbox: Sandbox
) -> None:
    """With the frame code, a reason and a next step; the session lives on."""

    async def scenario() -> None:
        async with guest() as session:
            sandbox.faults.refuse_frame(4011, "Message length 5000 is larger than 4096", action="onMessage")
            with pytest.raises(errors.MessageRefused) as caught:
                await session.send("hello")
            assert caught.value.frame_code == 4011
            assert (await session.send("hello again")).own

    run(scenario())


def test_two_guests_and_an_agent_never_see_each_others_messages(
    guest: Callable[..., GuestSession], sandbox: Sandbox
) -> None:
    """The agent writes to one of them."""

    async def scenario() -> None:
        async with guest() as one, guest() as two:
            await one.send("I am one")
            await two.send("I am two")
            first, second = sandbox.agent.conversations
            sandbox.agent.say("only for one", to=first)
            sandbox.agent.say("only for two", to=second)
            for session, mine, other in ((one, "one", "two"), (two, "two", "one")):
                await session.next(MessageReceived, where=lambda e, mine=mine: mine in e.message.text)
                texts = " ".join(message.text for message in await session.messages(quiet=0.3))
                assert f"only for {mine}" in texts
                assert f"only for {other}" not in texts
                assert f"I am {other}" not in texts

    run(scenario())
