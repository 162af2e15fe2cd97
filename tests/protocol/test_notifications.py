"""The notification channel's frames, and what clock and frames do to a channel."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guestlab.protocol import notifications as n

TOPIC = "v2.routing.queues.6f8b8b1e-0000-4000-8000-000000000001.conversations.messages"


def _frame(topic: str, body: Any, **rest: Any) -> str:
    return json.dumps({"topicName": topic, "version": "2", "eventBody": body, **rest})


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        (_frame("channel.metadata", {"message": "WebSocket Heartbeat"}), n.Heartbeat),
        (_frame("channel.metadata", {"message": "pong"}), n.Pong),
        (_frame("v2.system.socket_closing", {"message": "soon"}), n.SocketClosing),
        (
            _frame("v2.system.no_longer_subscribed.c1", {"reason": "another_channel_subscribed"}),
            n.ChannelTakenOver,
        ),
        (_frame("v2.system.c1.x", {"systemTopicType": "no_longer_subscribed"}), n.ChannelTakenOver),
        (_frame("v2.system.token_revoked.c1", {"reason": "user_tokens_revoked"}), n.TokenRevoked),
        (_frame("v2.subscription.updated", {}), n.SubscriptionsChanged),
        (_frame(TOPIC, {"id": "c"}), n.TopicEvent),
        (_frame(TOPIC, None), n.TopicEvent),
        ("not json", n.Unreadable),
        ("[]", n.Unreadable),
        ('{"result":"200","status":"subscribed"}', n.Unreadable),
        (b"\xff\xfe", n.Unreadable),
    ],
)
def test_a_frame_is_read_as_what_it_is(frame: str | bytes, kind: type[n.Notification]) -> None:
    """Each kind of frame has its class; what is no frame of the channel is Unreadable."""
    assert type(n.decode(frame)) is kind


def test_an_event_names_its_conversation_and_messages() -> None:
    """Both spellings of message ids are found, each once and in order."""
    body = {
        "id": "c-1",
        "participants": [
            {"messages": [{"message": {"id": "m-1"}}, {"messages": [{"messageId": "m-2"}]}]},
            {"messages": [{"message": {"id": "m-1"}}, "rubbish"]},
            None,
        ],
    }
    event = n.decode(_frame(TOPIC, body, metadata={"CorrelationId": "corr"}))
    assert isinstance(event, n.TopicEvent)
    assert (event.conversation_id, event.message_ids) == ("c-1", ("m-1", "m-2"))
    assert event.correlation_id == "corr"
    detail = n.decode(_frame("v2.detail.events.conversation.c-2.customer.start", {"conversationId": "c-2"}))
    assert isinstance(detail, n.TopicEvent)
    assert detail.conversation_id == "c-2"


def test_an_id_of_something_else_is_no_conversation() -> None:
    """A presence event has an id too, of a presence."""
    event = n.decode(_frame("v2.users.u-1.presence", {"id": "p-1"}))
    assert isinstance(event, n.TopicEvent)
    assert event.conversation_id == ""


@given(st.one_of(st.text(), st.binary(), st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(
        st.sampled_from(["topicName", "eventBody", "metadata", "participants", "messages", "message", "id"]),
        inner,
    ),
).map(json.dumps)))  # fmt: skip
def test_reading_never_raises(frame: str | bytes) -> None:
    """Whatever comes is a notification, and its facts can be asked for."""
    event = n.decode(frame)
    if isinstance(event, n.TopicEvent):
        assert isinstance(event.conversation_id, str)
        assert all(isinstance(id_, str) for id_ in event.message_ids)


def test_a_repr_shows_no_frame() -> None:
    """Bodies carry customers' words."""
    assert "Ada" not in repr(n.decode(_frame(TOPIC, {"name": "Ada"})))


def test_silence_is_answered_by_a_ping_and_then_given_up() -> None:
    """One and a half heartbeats of silence, then a ping, then patience."""
    channel = n.ChannelProtocol(heartbeat=30, patience=10)
    assert channel.due(1000.0) is None  # not connected
    channel.connected(0.0)
    assert [channel.due(t) for t in (0.0, 44.9, 45.0)] == [None, None, "ping"]
    channel.pinged(45.0)
    assert [channel.due(t) for t in (54.9, 55.0)] == [None, "give up"]
    channel.receive(_frame("channel.metadata", {"message": "pong"}), 54.0)
    assert channel.due(55.0) is None
    assert channel.due(99.0) == "ping"


def test_any_frame_counts_as_life() -> None:
    """An event is as good as a heartbeat."""
    channel = n.ChannelProtocol(heartbeat=30)
    channel.connected(0.0)
    channel.receive(_frame(TOPIC, {}), 40.0)
    assert channel.due(60.0) is None
    assert channel.last_heartbeat is None


def test_subscriptions_are_set_again_before_the_channel_expires() -> None:
    """A twenty-fourth of its life before the end, and not again once that was done."""
    channel = n.ChannelProtocol(lifetime=24_000)
    channel.connected(0.0)
    channel.subscribed((TOPIC,), 0.0)
    channel.receive(_frame("channel.metadata", {}), 23_000.0)
    assert channel.due(23_000.0) == "renew"
    channel.subscribed((TOPIC,), 23_000.0)
    assert channel.due(23_001.0) is None


def test_being_taken_over_ends_it() -> None:
    """The newest socket wins; this one does not fight."""
    channel = n.ChannelProtocol()
    channel.connected(0.0)
    channel.receive(_frame("v2.system.no_longer_subscribed.c", {}), 1.0)
    channel.lost()
    assert channel.state is n.ChannelState.CLOSED


def test_coming_back_names_the_gap() -> None:
    """How long nothing could be heard, and which conversations may have moved on, newest last."""
    channel = n.ChannelProtocol()
    channel.connected(0.0)
    for id_, at in (("c-1", 1.0), ("c-2", 2.0), ("c-1", 3.0)):
        channel.receive(_frame(TOPIC, {"id": id_}), at)
    channel.lost()
    assert channel.state is n.ChannelState.RECONNECTING
    resumed = channel.resumed(10.0, 3.0, new_channel=True)
    assert (resumed.seconds, resumed.new_channel) == (7.0, True)
    assert resumed.conversations == ("c-2", "c-1")
    assert channel.state is n.ChannelState.CONNECTED


def test_topics_tell_whether_a_client_may_have_them() -> None:
    """Those of the current user are closed to a token without one; permissions follow the roles."""
    rows = [
        {
            "id": "v2.users.{id}.conversations",
            "requiresCurrentUser": True,
            "permissionDetails": [{"type": "requiresCurrentUser", "permissions": []}],
        },
        {
            "id": "v2.routing.queues.{id}.conversations",
            "requiresPermissions": ["routing:queue:view"],
            "permissionDetails": [{"type": "requiresPermissions", "permissions": ["routing:queue:view"]}],
            "description": "Conversations of a queue",
        },
        {"id": "v2.system.x"},
        {"no": "id"},
    ]
    users, queues, free = n.topics_of(rows)
    assert (users.open_to_client, users.needs_user, users.permissions) == (False, True, ())
    assert (queues.open_to_client, queues.permissions) == (True, ("routing:queue:view",))
    assert free.open_to_client
