"""Notification channels: REST, the socket, and the events of a whole conversation."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import jsonschema
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from guestlab.sandbox.topics import topics

from .conftest import raw, upgrade_request

if TYPE_CHECKING:
    import httpx

    from guestlab.sandbox import Sandbox

    from .conftest import Guest

CHANNELS = "/api/v2/notifications/channels"
PUBLISHED = json.loads(
    (Path(__file__).parent.parent / "data" / "notification-topics.json").read_text("utf-8")
)
# The published models forbid nothing; here a field they do not name is a mistake.
for model in PUBLISHED["definitions"].values():
    if "properties" in model:
        model["additionalProperties"] = False

_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CHANNEL_ID = re.compile("streaming-0-[0-9a-z]{26}")


def _fits(frame: dict[str, Any]) -> str:
    """Validate an event against the model of its topic; return the topic's pattern."""
    name = _CHANNEL_ID.sub("{id}", _UUID.sub("{id}", frame["topicName"]))
    schema = {**PUBLISHED["topics"][name], "definitions": PUBLISHED["definitions"]}
    jsonschema.validate(frame["eventBody"], schema, cls=jsonschema.Draft4Validator)
    assert frame["version"] == "2"
    return name


class Listener:
    """A channel made by REST and heard with the plainest of WebSocket clients."""

    def __init__(self, api: httpx.Client, *names: str) -> None:
        self.channel = api.post(CHANNELS).json()
        self.id = self.channel["id"]
        self.subscriptions = f"{CHANNELS}/{self.id}/subscriptions"
        if names:
            api.put(self.subscriptions, json=[{"id": name} for name in names]).raise_for_status()
        self._stack = ExitStack()
        self.connect()

    def connect(self) -> None:
        """Open the channel's address, for the first time or again."""
        self._stack.close()
        uri = self.channel["connectUri"]
        self.socket: ClientConnection = self._stack.enter_context(connect(uri, proxy=None, compression=None))

    def close(self) -> None:
        """Close the socket."""
        self._stack.close()

    def receive(self) -> dict[str, Any]:
        """The next frame."""
        frame: dict[str, Any] = json.loads(self.socket.recv(5))
        return frame

    def ping(self) -> dict[str, Any]:
        """Ask for a pong and return whatever comes first."""
        self.socket.send('{"message":"ping"}')
        return self.receive()

    def heard(self) -> list[dict[str, Any]]:
        """Everything that is on its way, up to the answer to a ping."""
        frames = [self.ping()]
        while frames[-1] != PONG:
            frames.append(self.receive())
        return frames[:-1]


def _try(url: str) -> None:
    with connect(url, proxy=None):
        pass


PONG = {"topicName": "channel.metadata", "eventBody": {"message": "pong"}}
HEARTBEAT = {"topicName": "channel.metadata", "eventBody": {"message": "WebSocket Heartbeat"}}


@pytest.fixture
def listen(api: httpx.Client) -> Iterator[Callable[..., Listener]]:
    """A maker of listeners; closes their sockets."""
    made: list[Listener] = []

    def make(*names: str) -> Listener:
        made.append(Listener(api, *names))
        return made[-1]

    yield make
    for listener in made:
        listener.close()


def _user(sandbox: Sandbox, http: httpx.Client, permissions: list[str] | None = None) -> dict[str, str]:
    """Headers of somebody logged in."""
    user = sandbox.users.add("Bea Behrens", permissions=permissions)
    token = sandbox.world.issue_token(sandbox.world.code_client, user_id=user.id)
    return {"Authorization": f"Bearer {token.value}", "User": user.id}


# -- channels ---------------------------------------------------------------------------------------------


def test_a_channel_is_made_listed_and_asked_for(sandbox: Sandbox, api: httpx.Client) -> None:
    """With an empty body or `null`; its address follows the request's scheme and host; it lives a day."""
    sandbox.clock.freeze()
    first = api.post(CHANNELS).json()
    assert set(first) == {"connectUri", "id", "expires"}
    assert _CHANNEL_ID.fullmatch(first["id"])
    assert first["connectUri"] == f"ws://127.0.0.1:{sandbox.http_port}/channels/{first['id']}"
    ends = datetime.fromisoformat(first["expires"])
    assert abs((ends - sandbox.clock.now).total_seconds() - 86_400) < 0.01
    named = api.post(CHANNELS, content="null", headers={"Host": "api.localhost:9"}).json()
    assert named["connectUri"] == f"ws://streaming.localhost:9/channels/{named['id']}"
    assert [c["id"] for c in api.get(CHANNELS).json()["entities"]] == [first["id"], named["id"]]
    assert api.head(f"{CHANNELS}/{first['id']}").status_code == 200
    assert api.head(f"{CHANNELS}/streaming-0-unknown").status_code == 404
    assert api.get(CHANNELS, params={"includechannels": "all"}).json()["code"] == "invalid.query.param.value"


def test_channels_belong_to_a_user_and_an_application(
    sandbox: Sandbox, api: httpx.Client, http: httpx.Client
) -> None:
    """`token` lists this token's, `oauthclient` all of the application; somebody else's is not found."""
    mine = api.post(CHANNELS).json()["id"]
    other = sandbox.world.issue_token(sandbox.world.client).value
    theirs = api.post(CHANNELS, headers={"Authorization": f"Bearer {other}"}).json()["id"]
    assert [c["id"] for c in api.get(CHANNELS).json()["entities"]] == [mine]
    listing = api.get(CHANNELS, params={"includechannels": "oauthclient"}).json()
    assert [c["id"] for c in listing["entities"]] == [mine, theirs]
    headers = _user(sandbox, http)
    assert api.head(f"{CHANNELS}/{mine}", headers=headers).status_code == 404


def test_a_twenty_first_channel_removes_the_one_used_longest_ago(
    sandbox: Sandbox, api: httpx.Client, listen: Callable[..., Listener]
) -> None:
    """Those without a socket go first; one with a socket is told 1001."""
    listener = listen()
    rest = [api.post(CHANNELS).json()["id"] for _ in range(19)]
    sandbox.clock.advance(1)
    api.put(f"{CHANNELS}/{rest[0]}/subscriptions", json=[])  # used: it goes last of those without a socket
    api.post(CHANNELS)
    assert api.head(f"{CHANNELS}/{rest[1]}").status_code == 404
    for channel_id in (listener.id, rest[0]):
        assert api.head(f"{CHANNELS}/{channel_id}").status_code == 200
    assert len(api.get(CHANNELS).json()["entities"]) == 20


# -- subscriptions ------------------------------------------------------------------------------------------


def test_topics_are_added_replaced_listed_and_removed(
    sandbox: Sandbox, api: httpx.Client, listen: Callable[..., Listener]
) -> None:
    """POST adds, PUT replaces, GET lists, DELETE removes all."""
    one = f"v2.routing.queues.{sandbox.queue_id}.conversations"
    two = f"v2.users.{sandbox.user_id}?presence&conversations"
    path = listen().subscriptions

    def listed() -> list[str]:
        return [topic["id"] for topic in api.get(path).json()["entities"]]

    answer = api.post(path, json=[{"id": one}]).json()["entities"]
    assert answer == [{"id": one, "state": "Permitted", "selfUri": f"{path}/{one}"}]
    api.post(path, json=[{"id": two}, {"id": one}])
    assert listed() == [one, two]
    api.put(path, json=[{"id": two}])
    assert listed() == [two]
    gone = api.delete(path)
    assert (gone.status_code, gone.content, listed()) == (204, b"", [])


USER = "00000000-0000-4000-8000-000000000001"
# topic, permissions of the role, method, status, code
REFUSED = (
    ("v2.nothing", None, "POST", 400, "notification.invalid.topic"),
    ("v2.users.not-an-id.conversations", None, "POST", 400, "notification.invalid.topic"),
    (f"v2.users.{USER}.conversations?x", None, "POST", 400, "notification.invalid.topic"),
    (f"v2.users.{USER}?conversations&nothing", None, "POST", 400, "notification.invalid.topic"),
    ("v2.users." + "x" * 200, None, "POST", 400, "notification.invalid.topic"),
    ("channel.metadata", None, "POST", 400, "notification.invalid.topic"),
    ("v2.system.socket_closing", None, "PUT", 403, "notification.forbidden.topic"),
    (f"v2.users.{USER}.tokens", None, "POST", 403, "notification.unauthorized.topic"),
    (f"v2.users.{USER}.conversations", [], "POST", 403, "notification.unauthorized.topic"),
    (f"v2.routing.queues.{USER}.conversations.messages", [], "PUT", 403, "notification.unauthorized.topic"),
    (f"v2.users.{USER}.conversations", ["conversation:communication:view"], "POST", 200, ""),
    (f"v2.users.{USER}.conversations", ["conversation:*:view"], "PUT", 200, ""),
)


@pytest.mark.parametrize(("topic", "permissions", "method", "status", "code"), REFUSED)
def test_a_topic_is_judged_by_its_name_and_the_clients_role(
    sandbox: Sandbox,
    http: httpx.Client,
    topic: str,
    permissions: list[str] | None,
    method: str,
    status: int,
    code: str,
) -> None:
    """The published codes; with ignoreErrors the topic comes back Rejected and the others stay."""
    client = sandbox.clients.add(permissions=permissions)
    http.headers["Authorization"] = f"Bearer {sandbox.world.issue_token(client).value}"
    path = f"{CHANNELS}/{http.post(CHANNELS).json()['id']}/subscriptions"
    reply = http.request(method, path, json=[{"id": topic}])
    assert reply.status_code == status
    assert http.get(path).json()["entities"] == (reply.json()["entities"] if status == 200 else [])
    (entity,) = http.request(method, path, params={"ignoreErrors": True}, json=[{"id": topic}]).json()[
        "entities"
    ]
    if status == 200:
        assert entity["state"] == "Permitted"
        return
    assert reply.json()["code"] == code
    assert (entity["id"], entity["state"], entity["rejectionReason"]) == (topic, "Rejected", code)
    if status == 403 and permissions == []:
        assert entity["missingPermissions"] == ["conversation:communication:view"]
        assert "conversation:communication:view" in reply.json()["messageParams"]["permissions"]


def test_a_users_own_topics_need_no_permission(sandbox: Sandbox, http: httpx.Client) -> None:
    """Another user's do; one's own tokens may be watched by oneself only."""
    headers = _user(sandbox, http, permissions=[])
    own = headers["User"]
    path = f"{CHANNELS}/{http.post(CHANNELS, headers=headers).json()['id']}/subscriptions"
    for name, status in (
        (f"v2.users.{own}.conversations", 200),
        (f"v2.users.{own}.tokens", 200),
        (f"v2.users.{sandbox.user_id}.conversations", 403),
    ):
        assert http.post(path, headers=headers, json=[{"id": name}]).status_code == status


def test_a_thousand_topics_are_enough(api: httpx.Client, listen: Callable[..., Listener]) -> None:
    """One more is too many; a name again, or several in one name, are none more."""
    path = listen().subscriptions
    names = [{"id": f"v2.users.{uuid4()}?presence&activity"} for _ in range(1000)]
    assert api.put(path, json=names).status_code == 200
    assert api.post(path, json=names[:1]).status_code == 200
    refused = api.post(path, json=[{"id": f"v2.users.{USER}.presence"}])
    assert (refused.status_code, refused.json()["code"]) == (
        400,
        "notification.subscription.too.many.subscriptions",
    )


def test_a_subscription_wants_a_list_and_a_channel(
    api: httpx.Client, listen: Callable[..., Listener]
) -> None:
    """A body of another shape is 400; an unknown channel is 404, with a code of its own for PUT."""
    path = listen().subscriptions
    for body in ("", "{}", '["v2.x"]', '[{"topic":"x"}]', "null"):
        assert api.post(path, content=body).json()["code"] == "bad.request"
    nowhere = f"{CHANNELS}/streaming-0-x/subscriptions"
    assert api.put(nowhere, json=[]).json()["code"] == "entity.not.found"
    for method in ("GET", "POST", "DELETE"):
        assert api.request(method, nowhere).json()["code"] == "not.found"


def test_the_available_topics_say_who_may_have_them(api: httpx.Client) -> None:
    """Details only where asked for."""
    path = "/api/v2/notifications/availabletopics"
    plain = api.get(path).json()["entities"]
    assert len(plain) == len(topics())
    assert all("description" not in topic for topic in plain)
    wanted = ["description", "requiresPermissions", "permissionDetails", "transports", "topicParameters"]
    for query in ({"expand": wanted}, {"expand": ",".join(wanted)}):
        full = {topic["id"]: topic for topic in api.get(path, params=query).json()["entities"]}
        own = full["v2.users.{id}.conversations"]
        assert own["requiresCurrentUserOrPermission"] is True
        assert own["permissionDetails"][0]["permissions"] == ["conversation:communication:view"]
        assert full["v2.users.{id}.tokens"]["requiresCurrentUser"] is True


# -- the socket ---------------------------------------------------------------------------------------------


def test_heartbeats_come_every_thirty_seconds_and_a_ping_is_answered(
    sandbox: Sandbox, listen: Callable[..., Listener]
) -> None:
    """By the sandbox's clock."""
    sandbox.clock.freeze()
    listener = listen()
    assert listener.ping() == PONG
    sandbox.clock.advance(29.9)
    assert listener.ping() == PONG
    sandbox.clock.advance(0.1)
    assert listener.receive() == HEARTBEAT
    sandbox.clock.advance(60)
    assert [listener.receive(), listener.receive(), listener.ping()] == [HEARTBEAT, HEARTBEAT, PONG]


def test_rubbish_on_the_socket_is_ignored(listen: Callable[..., Listener]) -> None:
    """It answers the next ping as ever."""
    listener = listen()
    for text in ("", "{", "[]", "7", '{"message":7}', '{"message":"hello"}', b"\xff"):
        listener.socket.send(text)
    assert listener.ping() == PONG


@pytest.mark.parametrize(("path", "status"), [("/channels/streaming-0-unknown", 403), ("/channels/", 403)])
def test_an_unknown_channel_is_refused(sandbox: Sandbox, path: str, status: int) -> None:
    """At the upgrade; nothing of it in the cloud's log."""
    with pytest.raises(InvalidStatus) as caught:
        _try(f"ws://127.0.0.1:{sandbox.http_port}{path}")
    assert caught.value.response.status_code == status
    assert sandbox.backend_log == ()


def test_the_channels_host_serves_channels_only(sandbox: Sandbox, listen: Callable[..., Listener]) -> None:
    """By name: streaming. serves them, webmessaging. does not."""
    path = f"/channels/{listen().id}"
    for host, status in (
        ("streaming.localhost", b"101"),
        ("127.0.0.1", b"101"),
        ("webmessaging.localhost", b"404"),
        ("api.localhost", b"404"),
    ):
        answer = raw(sandbox.http_port, upgrade_request(path, host=host))
        assert answer.split()[1] == status


def test_the_newest_socket_wins(sandbox: Sandbox, listen: Callable[..., Listener]) -> None:
    """The older one is told why and closed; the subscriptions stay."""
    topic = f"v2.users.{sandbox.user_id}.conversations"
    first = listen(topic)
    with connect(first.channel["connectUri"], proxy=None) as second:
        told = first.receive()
        assert _fits(told) == "v2.system.no_longer_subscribed.{id}"
        assert told["eventBody"]["reason"] == "another_channel_subscribed"
        assert told["eventBody"]["channelId"] == first.id
        with pytest.raises(ConnectionClosed):
            first.receive()
        sandbox.channels.publish(topic, {"id": "x"})
        assert json.loads(second.recv(5))["eventBody"] == {"id": "x"}


def test_maintenance_is_announced_and_the_same_address_goes_on(
    sandbox: Sandbox, listen: Callable[..., Listener]
) -> None:
    """`v2.system.socket_closing`, a minute later 1001; subscriptions survive."""
    sandbox.clock.freeze()
    sandbox.channels.heartbeat_seconds = 1e9
    topic = f"v2.users.{sandbox.user_id}.conversations"
    listener = listen(topic)
    assert listener.ping() == PONG
    sandbox.channels.close_sockets()
    assert _fits(listener.receive()) == "v2.system.socket_closing"
    sandbox.clock.advance(60)
    with pytest.raises(ConnectionClosed) as caught:
        listener.receive()
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1001
    listener.connect()
    assert listener.ping() == PONG
    sandbox.channels.publish(topic, {"id": "x"})
    assert listener.receive()["eventBody"] == {"id": "x"}


def test_a_lost_link_takes_no_close_frame_and_leaves_the_channel(
    sandbox: Sandbox, listen: Callable[..., Listener]
) -> None:
    """Nothing is announced; the same address goes on, with its topics."""
    topic = f"v2.users.{sandbox.user_id}.conversations"
    listener = listen(topic)
    assert listener.ping() == PONG
    sandbox.channels.drop_sockets()
    with pytest.raises(ConnectionClosed) as caught:
        listener.receive()
    assert caught.value.rcvd is None
    listener.connect()
    assert listener.ping() == PONG
    sandbox.channels.publish(topic, {"id": "x"})
    assert listener.receive()["eventBody"] == {"id": "x"}


def test_a_channel_ends_after_a_day_unless_its_topics_are_set_again(
    sandbox: Sandbox, api: httpx.Client, listen: Callable[..., Listener]
) -> None:
    """A minute before, its socket is told; then 1001, and the address is refused."""
    sandbox.clock.freeze()
    sandbox.channels.heartbeat_seconds = 1e9
    listener = listen()
    renewed = listen()
    assert listener.ping() == renewed.ping() == PONG
    sandbox.clock.advance(80_000)
    api.put(renewed.subscriptions, json=[])
    sandbox.clock.advance(86_400 - 80_000 - 60)
    assert _fits(listener.receive()) == "v2.system.socket_closing"
    sandbox.clock.advance(60)
    with pytest.raises(ConnectionClosed) as caught:
        listener.receive()
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1001
    with pytest.raises(InvalidStatus, match="403"):
        _try(listener.channel["connectUri"])
    assert renewed.ping() == PONG


def test_a_channel_dies_with_the_token_that_made_it(
    api: httpx.Client, listen: Callable[..., Listener]
) -> None:
    """Revoked: told, closed, refused."""
    listener = listen()
    assert listener.ping() == PONG
    api.delete("/api/v2/tokens/me")
    told = listener.receive()
    assert _fits(told) == "v2.system.token_revoked.{id}"
    assert told["eventBody"]["reason"] == "user_tokens_revoked"
    with pytest.raises(ConnectionClosed):
        listener.receive()
    with pytest.raises(InvalidStatus, match="403"):
        _try(listener.channel["connectUri"])


def test_topics_may_be_asked_for_on_the_socket(sandbox: Sandbox, listen: Callable[..., Listener]) -> None:
    """As an independent client does it."""
    listener = listen()
    topic = f"v2.users.{sandbox.user_id}.conversations"
    frame = {"message": "subscribe", "topics": [topic], "correlationId": "c1"}
    listener.socket.send(json.dumps(frame))
    assert listener.receive() == {
        "result": "200",
        "status": "subscribed",
        "topics": [topic],
        "correlationId": "c1",
    }
    listener.socket.send(json.dumps({**frame, "topics": ["v2.nothing"]}))
    refused = listener.receive()
    assert (refused["result"], refused["status"]) == ("400", "failure")
    sandbox.channels.publish(topic, {"id": "x"})
    assert listener.receive()["eventBody"] == {"id": "x"}


def test_a_reset_closes_sockets_and_forgets_channels(
    sandbox: Sandbox, listen: Callable[..., Listener]
) -> None:
    """1001, and nothing is left."""
    listener = listen()
    assert listener.ping() == PONG
    sandbox.reset()
    with pytest.raises(ConnectionClosed) as caught:
        listener.receive()
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1001
    assert len(sandbox.channels) == 0


# -- events -------------------------------------------------------------------------------------------------


def test_a_conversation_is_told_to_queue_and_user_in_order(
    sandbox: Sandbox, guests: Callable[..., Guest], listen: Callable[..., Listener]
) -> None:
    """From the agent's joining on: states, every message's id in order, and the end; no text anywhere."""
    queue, user = f"v2.routing.queues.{sandbox.queue_id}", f"v2.users.{sandbox.user_id}"
    listener = listen(
        f"{queue}.conversations",
        f"{queue}.conversations.messages",
        f"{user}?conversations&conversations.messages",
    )
    guest = guests()
    said = [guest.say("only the bot hears this")["body"]["id"]]
    assert listener.heard() == []
    said.append(sandbox.agent.say("SECRET-WORDS"))
    said += [guest.say(f"SECRET-WORDS {n}")["body"]["id"] for n in range(3)]
    sandbox.agent.disconnect()
    frames = listener.heard()
    assert {_fits(frame) for frame in frames} == {
        "v2.routing.queues.{id}.conversations",
        "v2.routing.queues.{id}.conversations.messages",
        "v2.users.{id}.conversations",
        "v2.users.{id}.conversations.messages",
    }
    assert "SECRET-WORDS" not in json.dumps(frames)
    bodies = [f["eventBody"] for f in frames if f["topicName"] == f"{user}.conversations.messages"]
    told: list[str] = []
    for body in bodies:
        ids = [
            (message["messageTime"], message["message"]["id"])
            for party in body["participants"]
            for message in party["messages"]
        ]
        told += [identifier for _, identifier in sorted(ids) if identifier not in told]
    assert [identifier for identifier in told if identifier in said] == said
    assert len({frame["metadata"]["CorrelationId"] for frame in frames}) == len(frames)
    agents = [party for body in bodies for party in body["participants"] if party["purpose"] == "agent"]
    assert [party["state"] for party in agents] == ["connected"] * (len(agents) - 1) + ["disconnected"]
    assert agents[-1]["disconnectType"] == "peer"
    assert agents[0]["user"] == {"id": sandbox.user_id}
    whole = [f["eventBody"] for f in frames if f["topicName"] == f"{queue}.conversations"][-1]
    customer = whole["participants"][0]
    assert customer["messages"][0]["messages"][0]["messageId"] == said[0]
    assert customer["externalContactId"]


def test_detail_events_tell_who_comes_and_goes(
    sandbox: Sandbox, api: httpx.Client, guests: Callable[..., Guest], listen: Callable[..., Listener]
) -> None:
    """One conversation's life, each step once and in order."""
    guest = guests()
    guest.say("hello")
    guest.until_text("What would you like")
    conversation_id = sandbox.agent.conversations[0]
    prefix = f"v2.detail.events.conversation.{conversation_id}"
    kinds = [topic.name.split("{id}.")[1] for topic in topics() if "detail" in topic.name and topic.told]
    listener = listen(*(f"{prefix}.{kind}" for kind in kinds))
    assert listener.heard() == []
    sandbox.agent.say("I am here")
    agent = api.get(f"/api/v2/conversations/messages/{conversation_id}").json()["participants"][-1]
    path = f"/api/v2/conversations/messages/{conversation_id}/participants/{agent['id']}"
    api.patch(f"{path}/attributes", json={"attributes": {"tier": "gold"}})
    api.patch(path, json={"wrapup": {"code": "solved", "notes": "well"}})
    guest.event("Presence", "Clear")
    frames = listener.heard()
    for frame in frames:
        _fits(frame)
        assert frame["eventBody"]["conversationId"] == conversation_id
    assert [frame["topicName"].removeprefix(f"{prefix}.") for frame in frames] == [
        "flow.end",
        "acd.start",
        "acd.end",
        "user.start",
        "attributes",
        "wrapup",
        "customer.end",
        "user.end",
    ]
    by_kind = {frame["topicName"].removeprefix(f"{prefix}."): frame["eventBody"] for frame in frames}
    assert by_kind["user.start"]["userId"] == sandbox.user_id
    assert by_kind["acd.start"]["queueId"] == sandbox.queue_id
    assert by_kind["attributes"]["attributes"]["tier"] == "gold"
    assert by_kind["wrapup"]["wrapupCode"] == "solved"
    assert (by_kind["user.start"]["mediaType"], by_kind["user.start"]["messageType"]) == (
        "MESSAGE",
        "WEBMESSAGING",
    )
    assert by_kind["customer.end"]["disconnectType"] == "CLIENT"


def test_the_guests_typing_is_told_to_the_flow_and_to_the_agent(
    sandbox: Sandbox, guests: Callable[..., Guest], listen: Callable[..., Listener]
) -> None:
    """Whoever has the conversation; the end of typing is not told, the model has no word for it."""
    names = [
        f"v2.users.{sandbox.user_id}.conversations.inbound.typing.event",
        f"v2.workflows.{sandbox.world.flow_id}.conversations.inbound.typing.event",
    ]
    listener = listen(*names)
    guest = guests()
    guest.say("anything")
    guest.event("Typing", "On")
    frames = listener.heard()
    assert [frame["topicName"] for frame in frames] == [names[1]]
    sandbox.agent.say("mine")
    guest.say("ends the wait between two typings")
    guest.event("Typing", "On")
    frames += listener.heard()
    assert [frame["topicName"] for frame in frames] == [names[1], names[0]]
    for frame in frames:
        _fits(frame)
        assert frame["eventBody"]["normalizedMessage"]["events"][0]["typing"]["type"] == "On"


def test_a_message_for_a_guest_without_a_socket_is_told_as_undelivered(
    sandbox: Sandbox, guests: Callable[..., Guest], listen: Callable[..., Listener]
) -> None:
    """To the deployment's topic."""
    listener = listen(f"v2.webmessaging.deployments.{sandbox.deployment_id}.undelivered.messages")
    guest = guests()
    guest.say("hello")
    guest.until_text("What would you like")
    sandbox.agent.say("You get this")
    guest.close()
    while sandbox.backend_log[-1].what != "socket closed":
        listener.ping()
    message_id = sandbox.agent.say("You do not")
    (frame,) = listener.heard()
    assert _fits(frame) == "v2.webmessaging.deployments.{id}.undelivered.messages"
    assert [message["id"] for message in frame["eventBody"]["messages"]] == [message_id]


def test_an_open_messaging_customers_conversation_is_told_too(
    sandbox: Sandbox, api: httpx.Client, listen: Callable[..., Listener]
) -> None:
    """The other kind of customer: no guest socket at all."""
    path = f"/api/v2/conversations/messages/{sandbox.integration_id}/inbound/open/message"
    body = {
        "channel": {"from": {"id": "guest-42", "idType": "Opaque"}, "time": "2026-10-08T09:00:00.000Z"},
        "text": "Hello",
    }
    first = api.post(path, params={"prefetchConversationId": True}, json=body).json()
    topic = f"v2.detail.events.conversation.{first['conversationId']}.customer.end"
    listener = listen(topic)
    api.post(f"/api/v2/conversations/{first['conversationId']}/disconnect")
    (frame,) = listener.heard()
    _fits(frame)
    assert frame["eventBody"]["messageType"] == "OPEN"


def test_a_combined_topic_is_told_under_its_single_names(
    sandbox: Sandbox, listen: Callable[..., Listener]
) -> None:
    """`?a&b` subscribes to both; each event has the full name."""
    user = f"v2.users.{sandbox.user_id}"
    listener = listen(f"{user.upper().replace('V2.USERS', 'v2.users')}?presence&conversations")
    for part in ("presence", "conversations", "activity"):
        sandbox.channels.publish(f"{user}.{part}", {"part": part})
    assert [frame["topicName"] for frame in listener.heard()] == [f"{user}.presence", f"{user}.conversations"]
