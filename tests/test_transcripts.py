"""Transcripts by access token: one conversation from three sources, joined with what the guest saw live."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from guestlab.errors import InputError, NetworkError, PlatformError
from guestlab.http import Client
from guestlab.log import Log
from guestlab.platform_api import PlatformApi
from guestlab.protocol.events import MessageReceived
from guestlab.sandbox import Sandbox
from guestlab.session import GuestSession
from guestlab.tokens import Bearer, ClientCredentials
from guestlab.transcripts import Transcript, collect, conversation_of, rows_of_document
from tests.scenario import run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

# A tiny PNG: the platform looks at the bytes.
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 32


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Without limits and without a bot: what is said here is said by a test."""
    with Sandbox(limits=None, bot=False) as sandbox:
        yield sandbox


class World:
    """A guest, an agent and an access token at one sandbox, recording into one log."""

    def __init__(self, sandbox: Sandbox, guest: GuestSession, api: PlatformApi, log: Log) -> None:
        self.sandbox, self.guest, self.api, self.log = sandbox, guest, api, log

    async def talk(self) -> str:
        """Say something on both sides; return the conversation's id."""
        message = await self.guest.send("Where is my parcel?")
        self.sandbox.agent.say("In Kiel.")
        self.sandbox.agent.quick_replies("Is that all?", "Yes", "No")
        await self.arrived(3)
        return await conversation_of(self.api, message.id)

    async def arrived(self, count: int) -> None:
        """Wait until so many messages are in the log."""
        while len(self.log.messages) < count:
            await self.guest.next(MessageReceived, timeout=5)

    async def end(self, conversation_id: str) -> None:
        """End the conversation and let the time pass in which its recording is prepared."""
        await self.api.disconnect(conversation_id)
        self.sandbox.clock.advance(5)

    def table(self, kind: str) -> Any:
        """The rows of one kind."""
        table = self.log.table()
        return table[table["kind"] == kind]


@contextlib.asynccontextmanager
async def world_of(sandbox: Sandbox) -> AsyncIterator[World]:
    """A connected guest and a token."""
    log = Log()
    region = sandbox.region
    async with (
        Client(region, log) as client,
        GuestSession(region, sandbox.deployment_id, log=log, limits=None) as guest,
    ):
        flow = ClientCredentials(region, sandbox.client_id, sandbox.client_secret, log=log)
        await flow.issue(client)
        yield World(sandbox, guest, PlatformApi(client, flow), log)


def _texts(rows: Any) -> list[str]:
    return list(rows["text"])


def test_messages_join_with_what_the_guest_saw_live(sandbox: Sandbox) -> None:
    """Same message ids, same session: `log.messages` has each once, and the history rows know more."""

    async def scenario() -> None:
        async with world_of(sandbox) as world:
            conversation_id = await world.talk()
            before = world.log.messages
            found = await collect(world.api, conversation_id, world.log, sources=("messages",))
            assert isinstance(found, Transcript)
            assert found.session == world.guest.name
            assert [report.state for report in found.sources] == ["found"]
            history = world.table("history")
            assert _texts(history) == ["Where is my parcel?", "In Kiel.", "Is that all?"]
            assert list(history["message_direction"]) == ["Inbound", "Outbound", "Outbound"]
            assert list(history["message_type"]) == ["Text", "Text", "Structured"]
            assert list(history["originating_entity"]) == ["Human", "Human", "Human"]
            assert history["content_types"].iloc[2] == "QuickReply,QuickReply"
            assert set(history["conversation_id"]) == {conversation_id}
            assert set(history["message_id"]) == set(before["message_id"])
            assert len(world.log.messages) == len(before)
            live = world.table("frame").dropna(subset=["message_id"]).drop_duplicates("message_id")
            both = live.merge(history, on="message_id", suffixes=("", "_later"))
            assert (both["message_time"] == both["message_time_later"]).all()

    run(scenario())


def test_every_source_is_read_and_recordings_wait_until_ready(sandbox: Sandbox) -> None:
    """Live: nothing recorded. Ended: the recording is prepared first (202), then has the same messages."""

    async def scenario() -> None:
        async with world_of(sandbox) as world:
            conversation_id = await world.talk()
            live = await collect(world.api, conversation_id, world.log)
            states = {report.source: report.state for report in live.sources}
            assert states == {"messages": "found", "analytics": "found", "recordings": "empty"}
            assert "policy" in live.sources[2].next_step
            await world.api.disconnect(conversation_id)
            ended = await collect(world.api, conversation_id, world.log, sources=("recordings",))
            assert [report.state for report in ended.sources] == ["found"]
            recorded = world.table("history")
            recorded = recorded[recorded["note"].str.startswith("recording")]
            assert _texts(recorded)[:3] == ["Where is my parcel?", "In Kiel.", "Is that all?"]
            assert set(recorded["message_id"][:3]) == set(world.log.messages["message_id"])
            assert set(recorded["session"]) == {world.guest.name}
            life = world.table("lifecycle")
            analytics = life[life["note"].str.startswith("analytics")]
            assert analytics["note"].str.contains("no words").all()
            assert analytics["text"].isna().all()
            assert {"customer", "agent", "acd"} <= set(analytics["note"].str.extract(r"analytics: (\w+),")[0])
            assert analytics["message_time"].is_monotonic_increasing

    run(scenario())


def test_a_recording_alone_joins_by_the_frames_in_the_log(sandbox: Sandbox) -> None:
    """A guest's message has another id live than in a recording: the frame names both."""

    async def scenario() -> None:
        async with world_of(sandbox) as world:
            conversation_id = await world.talk()
            await world.end(conversation_id)
            count = len(world.log.messages)
            await collect(world.api, conversation_id, world.log, sources=("recordings",))
            assert len(world.log.messages) == count

    run(scenario())


def test_another_log_holds_the_conversation_under_its_own_name(sandbox: Sandbox) -> None:
    """Without the live session in it, the rows are named after the conversation."""

    async def scenario() -> None:
        async with world_of(sandbox) as world:
            conversation_id = await world.talk()
            other = Log()
            found = await collect(world.api, conversation_id, other)
            assert found.session == conversation_id
            assert set(other.messages["session"]) == {conversation_id}
            assert len(other.messages) == 3

    run(scenario())


def test_open_messaging_conversations_read_likewise(sandbox: Sandbox) -> None:
    """The customer played by a server: the same rows."""

    async def scenario() -> None:
        async with world_of(sandbox) as world:
            begun = await world.api.start_conversation(sandbox.integration_id, "by REST", guest="guest-1")
            log = Log()
            found = await collect(world.api, begun.id, log, sources=("messages", "analytics"))
            assert [report.state for report in found.sources] == ["found", "found"]
            assert list(log.messages["text"]) == ["by REST"]
            assert list(log.messages["direction"]) == ["Inbound"]

    run(scenario())


def test_a_missing_permission_is_named_and_the_rest_still_read(sandbox: Sandbox) -> None:
    """403 for one source is a report with the permission in it, not the end."""

    async def scenario() -> None:
        async with world_of(sandbox) as world:
            conversation_id = await world.talk()
            role = ["conversation:message:view", "conversation:communication:view"]
            reader = sandbox.clients.add(name="reader", permissions=role)
            log = Log()
            async with Client(sandbox.region, log) as client:
                flow = ClientCredentials(sandbox.region, reader.id, reader.secret, log=log)
                await flow.issue(client)
                found = await collect(PlatformApi(client, flow), conversation_id, log)
            assert [report.state for report in found.sources] == ["found", "refused", "refused"]
            advice = [report.next_step for report in found.refused]
            assert "analytics:conversationDetail:view" in advice[0]
            assert "recording:recording:view" in advice[1]
            assert "analytics refused" in repr(found)
            assert len(log.messages) == 3

    run(scenario())


def test_an_unknown_conversation_is_absent_everywhere(sandbox: Sandbox) -> None:
    """Three reports, no rows, no exception."""

    async def scenario() -> None:
        async with world_of(sandbox) as world:
            unknown = "00000000-0000-4000-8000-000000000000"
            found = await collect(world.api, unknown, world.log)
            assert {report.state for report in found.sources} == {"absent"}
            assert found.rows == 0

    run(scenario())


def test_a_worthless_token_ends_it(sandbox: Sandbox) -> None:
    """401 is about the token, so no source is tried after it."""

    async def scenario() -> None:
        async with world_of(sandbox) as world:
            conversation_id = await world.talk()
            api = PlatformApi(world.api._client, Bearer("not-a-token-of-this-sandbox"))
            with pytest.raises(PlatformError) as refused:
                await collect(api, conversation_id, world.log)
            assert refused.value.code == "bad.credentials"

    run(scenario())


def test_what_was_fetched_before_the_network_broke_is_kept(sandbox: Sandbox) -> None:
    """The error comes through; the messages stand in the log."""

    async def scenario() -> None:
        async with world_of(sandbox) as world:
            conversation_id = await world.talk()
            log = Log()
            sandbox.faults.fail(200, path="/api/v2/analytics/")  # an empty answer is none
            with pytest.raises(NetworkError):
                await collect(world.api, conversation_id, log)
            assert len(log.messages) == 3

    run(scenario())


@pytest.mark.parametrize("sources", [("mesages",), "messages"])
def test_an_unknown_source_is_named(sandbox: Sandbox, sources: Any) -> None:
    """Before anything is sent."""

    async def scenario() -> None:
        async with world_of(sandbox) as world:
            with pytest.raises(InputError, match="no sources"):
                await collect(world.api, "c", world.log, sources=sources)

    run(scenario())


def test_rows_hold_no_addresses_of_files(sandbox: Sandbox) -> None:
    """An attachment's address opens the file: the rows of every source leave it out."""

    async def scenario() -> None:
        async with world_of(sandbox) as world:
            message = await world.guest.send("look")
            sandbox.agent.attachment(PNG, name="a.png")
            await world.arrived(2)
            conversation_id = await conversation_of(world.api, message.id)
            await world.end(conversation_id)
            log = Log()
            await collect(world.api, conversation_id, log)
            raws = [entry.raw or "" for entry in log.entries]
            assert any("a.png" in raw for raw in raws)
            assert not [raw for raw in raws if "/downloads/" in raw or "://" in raw]
            content = {entry.content_types for entry in log.entries if entry.kind == "history"}
            assert "Attachment" in content

    run(scenario())


# -- saved documents ---------------------------------------------------------------------------------------


def test_saved_replies_read_as_the_same_rows(sandbox: Sandbox) -> None:
    """Whoever saved the platform's JSON gets the rows `collect` would have recorded."""

    async def scenario() -> None:
        async with world_of(sandbox) as world:
            conversation_id = await world.talk()
            messages = [message async for message in world.api.messages(conversation_id)]
            details = await world.api.details(conversation_id)
            conversation = await world.api.conversation(conversation_id)
            flat = await world.api.message_conversation(conversation_id)
            await world.end(conversation_id)
            recordings = await world.api.transcript(conversation_id)
            words = ["Where is my parcel?", "In Kiel.", "Is that all?"]
            for document in ({"entities": messages}, messages, recordings):
                rows = rows_of_document(json.loads(json.dumps(document)))
                assert rows is not None
                assert [row["text"] for row in rows][:3] == words
                assert {row["kind"] for row in rows} == {"history"}
            for document in (details, {"conversations": [details]}, conversation, flat):
                rows = rows_of_document(json.loads(json.dumps(document)))
                assert rows
                assert {row["kind"] for row in rows} == {"lifecycle"}
                assert {row["conversation_id"] for row in rows} == {conversation_id}

    run(scenario())
