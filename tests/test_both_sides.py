"""A guest on the socket, a customer over REST and a channel that watches both: one lab, one log."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from guestlab.analysis import live_versus_history
from guestlab.blocking_channel import Channel
from guestlab.errors import InputError, PlatformError, SessionEnded
from guestlab.lab import Lab
from guestlab.protocol.notifications import Heartbeat

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def lab() -> Iterator[Lab]:
    """A lab on its sandbox."""
    with Lab() as lab:
        yield lab


def _queue(lab: Lab) -> str:
    assert lab.sandbox is not None
    return f"v2.routing.queues.{lab.sandbox.queue_id}.conversations.messages"


def test_a_channel_tells_of_a_guest_s_conversation(lab: Lab) -> None:
    """The token that opens no guest socket watches what the guest does, once the queue has it."""
    with lab.channel([_queue(lab)]) as channel, lab.session() as guest:
        guest.send("Talk to a human")
        event = channel.next(topic="v2.routing.queues", timeout=20)
        message_id = str(lab.log.messages["message_id"].iloc[0])
        assert event.conversation_id == lab.conversation_of(message_id)
        assert channel.conversations == (event.conversation_id,)
    table = lab.log.table()
    told = table[(table["stage"] == "channel") & (table["kind"] == "frame")]
    assert event.conversation_id in set(told["conversation_id"])


def test_what_opened_a_conversation_over_rest_is_a_message_of_the_log(lab: Lab) -> None:
    """As what a customer says is; neither was missed live."""
    begun = lab.conversation("hello by REST")
    message = lab.log.messages.set_index("text").loc["hello by REST"]
    assert message["direction"] == "Inbound"
    assert message["conversation_id"] == begun.id
    assert message["session"].startswith("open-guestlab-")
    assert "missed live" not in lab.log.summary()["what"].tolist()
    assert len(live_versus_history(lab.log.table())) == 0


def test_a_heartbeat_comes_and_a_ping_is_answered(lab: Lab) -> None:
    """By the sandbox's clock, so nobody waits half a minute."""
    assert lab.sandbox is not None
    with lab.channel([_queue(lab)]) as channel:
        lab.sandbox.clock.advance(31)
        assert isinstance(channel.next(Heartbeat, timeout=20), Heartbeat)
        channel.ping()


def test_the_channel_s_address_is_in_no_log(lab: Lab) -> None:
    """To know it is to listen: not in the REST answer that named it, not in the upgrade."""
    with lab.channel([_queue(lab)]) as channel:
        address = channel.core._uri
        key = address.rpartition("/")[2]
    table = lab.log.table()
    for column in ("url", "raw", "note", "text"):
        assert not table[column].str.contains(key, regex=False).any(), column


def test_a_user_s_own_topic_is_closed_to_a_client(lab: Lab) -> None:
    """The platform says so; ignore_errors takes the others and tells which were not."""
    assert lab.sandbox is not None
    users = f"v2.users.{lab.sandbox.user_id}.tokens"
    with pytest.raises(PlatformError) as caught:
        lab.channel([users])
    assert caught.value.http_status == 403
    assert users in str(caught.value)
    channel = lab.channel([users, _queue(lab)], ignore_errors=True)
    assert channel.topics == (_queue(lab),)
    assert set(channel.rejected) == {users}
    html = channel._repr_mimebundle_()["text/html"]
    assert users in html
    channel.close()
    with pytest.raises(SessionEnded):
        channel.next(timeout=1)


def test_topics_say_who_may_have_them(lab: Lab) -> None:
    """A user's tokens are the user's business; a queue's conversations follow a permission."""
    with lab.channel([_queue(lab)]) as channel:
        known = {topic.id: topic for topic in channel.available()}
    assert known["v2.users.{id}.tokens"].open_to_client is False
    assert known["v2.routing.queues.{id}.conversations.messages"].open_to_client is True


def test_a_customer_is_served_by_the_bot_and_by_an_agent(lab: Lab) -> None:
    """In by REST, out by the signed webhook; the bot hands over, the queue hears of it, one log has it all."""
    assert lab.sandbox is not None
    platform = lab.platform()
    with lab.channel([_queue(lab)]) as channel, lab.customer() as customer:
        said = customer.send("hello")
        assert said.direction == "Inbound"
        hello, choices = customer.next(), customer.next()
        assert hello.originating_entity == choices.originating_entity == "Bot"
        assert choices.content_types == ("QuickReply",) * 4
        customer.send("Talk to a human")
        called = customer.next()
        event = channel.next(topic="v2.routing.queues", timeout=20)
        assert event.conversation_id == customer.conversation_id
        parties = {p["purpose"]: p for p in platform.conversation(customer.conversation_id)["participants"]}
        communication = parties["agent"]["messages"][0]
        assert communication["state"] == "alerting"
        platform.say(customer.conversation_id, communication["id"], "Ada here, by REST")
        by_rest = customer.next()
        lab.sandbox.agent.say("And by hand", to=customer.conversation_id)
        by_hand = customer.next()
        assert (by_rest.text, by_hand.text) == ("Ada here, by REST", "And by hand")
        assert by_rest.originating_entity == by_hand.originating_entity == "Human"
        customer.typing()
        customer.received(by_hand)
        assert customer.conversation_id in repr(platform.messages(customer.conversation_id))
    messages = lab.log.messages
    words = ["hello", hello.text, choices.text, "Talk to a human", called.text, by_rest.text, by_hand.text]
    assert list(messages["text"]) == words
    assert list(messages["direction"]) == [
        "Inbound",
        "Outbound",
        "Outbound",
        "Inbound",
        "Outbound",
        "Outbound",
        "Outbound",
    ]
    assert set(messages["conversation_id"]) == {customer.conversation_id}
    assert messages["message_id"].is_unique


def test_the_platform_s_blocking_face_reads_and_refuses(lab: Lab) -> None:
    """A client has no user; deployments are listed; a write's name is checked."""
    platform = lab.platform(writes=["say"])
    with pytest.raises(PlatformError, match=r"not\.a\.user"):
        platform.user_me()
    assert [row["id"] for row in platform.deployments()] == [lab.deployment_id]
    assert platform.request("GET", "/api/v2/tokens/me")["OAuthClient"]["id"] == lab.client_id
    with pytest.raises(InputError):
        lab.platform(writes=["no such write"])


def test_a_session_s_conversation_is_looked_up(lab: Lab) -> None:
    """The token tells what the guest is not told, and the column is filled for every message."""
    with lab.session() as guest:
        with pytest.raises(InputError, match="no conversation yet"):
            guest.conversation_id()
        guest.send("hello")
        guest.messages(quiet=1.0)
        assert lab.log.messages["conversation_id"].isna().all()
        conversation_id = guest.conversation_id()
        assert set(lab.log.messages["conversation_id"]) == {conversation_id}
        assert lab.log.messages["conversation_id"].dtype == lab.log.messages["text"].dtype
    assert lab.log.messages["message_id"].is_unique


def test_a_transcript_joins_the_live_messages(lab: Lab) -> None:
    """The same messages from the other side: each stands once, and knows its conversation."""
    with lab.session() as guest:
        guest.send("hello")
        guest.messages(quiet=1.0)
    live = len(lab.log.messages)
    conversation_id = lab.conversation_of(str(lab.log.messages["message_id"].iloc[0]))
    transcript = lab.transcript(conversation_id, sources=["messages"])
    assert transcript.rows >= live
    assert len(lab.log.messages) == live


def test_a_channel_is_shown_without_its_address(lab: Lab) -> None:
    """Neither repr nor HTML."""
    with lab.channel([_queue(lab)]) as channel:
        assert isinstance(channel, Channel)
        key = channel.core._uri.rpartition("/")[2]
        shown = json.dumps(channel._repr_mimebundle_()) + repr(channel) + repr(channel.core)
        assert key not in shown


def test_topics_may_be_one_or_a_list_and_a_closed_channel_says_so(lab: Lab) -> None:
    """A text, a list, and nothing after the end."""
    channel = lab.channel(_queue(lab))
    other = _queue(lab).removesuffix(".messages")
    assert channel.subscribe([other]) == (_queue(lab), other)  # type: ignore[arg-type]
    assert channel.replace(other) == (other,)
    with pytest.raises(InputError, match="without topics"):
        channel.replace([])  # type: ignore[arg-type]
    channel.close()
    with pytest.raises(SessionEnded):
        channel.subscribe(other)


def test_a_closed_customer_says_nothing(lab: Lab) -> None:
    """No answer could come."""
    customer = lab.customer()
    customer.close()
    with pytest.raises(SessionEnded, match="closed"):
        customer.send("hello")
