"""The other side: the agent's verbs, the agent's REST calls, push, the retired chat."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest

from guestlab.errors import SandboxError

from .conftest import Guest

if TYPE_CHECKING:
    from guestlab.sandbox import Sandbox

MESSAGES = "/api/v2/conversations/messages"


@pytest.fixture
def guest(sandbox: Sandbox) -> Iterator[Guest]:
    """A guest who has said hello to the bot and heard it out."""
    guest = Guest(sandbox)
    guest.say("hello")
    guest.until_text("What would you like")
    yield guest
    guest.close()


def _conversation(sandbox: Sandbox) -> str:
    (conversation,) = sandbox.agent.conversations
    return conversation


# -- verbs ------------------------------------------------------------------------------------------------


def test_the_agent_says_and_shows_everything(sandbox: Sandbox, guest: Guest) -> None:
    """Each verb's frame; the agent is Human, has a name; the bot is silent from then on."""
    agent = sandbox.agent
    agent.typing(seconds=3)
    assert guest.receive()["body"]["events"][0]["typing"] == {"type": "On", "duration": 3000}
    agent.typing(on=False)
    assert guest.receive()["body"]["events"][0]["typing"] == {"type": "Off"}
    message_id = agent.say("I am Ada", nickname="Ada", image="https://a.example/a.png")
    body = guest.receive()["body"]
    assert (body["id"], body["originatingEntity"], body["direction"]) == (message_id, "Human", "Outbound")
    assert body["channel"]["from"] == {"nickname": "Ada", "image": "https://a.example/a.png"}
    shown = (
        (lambda: agent.quick_replies("Pick", "Red", {"text": "Green", "payload": "G"}), "quickReply"),
        (lambda: agent.card("T", "D", actions=["Yes", {"text": "Web", "url": "https://a.example"}]), "card"),
        (lambda: agent.carousel({"title": "A"}, {"title": "B"}), "carousel"),
        (lambda: agent.list_picker("Pick", "Tea", "Coffee", multiple=True), "listPicker"),
        (lambda: agent.date_picker("When", "2030-01-01T10:00:00.000Z"), "datePicker"),
        (lambda: agent.form("F", {"questions": [{"id": "q", "kind": "wheel", "items": ["1"]}]}), "form"),
        (lambda: agent.show("quick_replies_v2", options=["x"]), "quickReplyV2"),
    )
    for verb, name in shown:
        verb()
        body = guest.receive()["body"]
        assert body["type"] == "Structured"
        assert name in body["content"][0]
    guest.say("hello again")
    assert guest.is_silent()
    purposes = [p.purpose for p in next(iter(sandbox.world.conversations)).participants]
    assert purposes == ["customer", "workflow", "acd", "agent"]


def test_the_agent_chooses_whom_to_talk_to(sandbox: Sandbox) -> None:
    """By default the guest who spoke last; by conversation id or guest token otherwise."""
    with pytest.raises(SandboxError, match="no guest"):
        sandbox.agent.say("anybody?")
    one, two = Guest(sandbox), Guest(sandbox)
    for guest in (one, two, one):
        guest.say("echo me")
        guest.until_text("You said")
    sandbox.agent.say("for one")
    assert one.receive()["body"]["text"] == "for one"
    sandbox.agent.say("for two", to=two.token)
    assert two.receive()["body"]["text"] == "for two"
    sandbox.agent.say("two again", to=sandbox.agent.conversations[1])
    assert two.receive()["body"]["text"] == "two again"
    with pytest.raises(SandboxError, match="known"):
        sandbox.agent.say("x", to="nobody")
    with pytest.raises(SandboxError, match="no content called"):
        sandbox.agent.show("hologram")
    with pytest.raises(SandboxError, match="title missing"):
        sandbox.agent.card("")
    with pytest.raises(SandboxError, match="cannot be sent"):
        sandbox.agent.attachment("/no/such/file")
    one.close()
    two.close()


def test_a_guest_without_a_conversation_cannot_be_typed_to(sandbox: Sandbox) -> None:
    """The conversation begins with the guest's first message."""
    guest = Guest(sandbox)
    with pytest.raises(SandboxError, match="no running conversation"):
        sandbox.agent.typing()
    guest.close()


def test_verbs_may_be_called_from_many_threads(sandbox: Sandbox, guest: Guest) -> None:
    """Nothing is lost, and times still only grow."""
    threads = [threading.Thread(target=lambda: [sandbox.agent.say("x") for _ in range(20)]) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    times = [guest.receive()["body"]["channel"]["time"] for _ in range(100)]
    assert times == sorted(set(times))


# -- REST -------------------------------------------------------------------------------------------------


def _lines(api: httpx.Client, conversation: str) -> dict[str, dict[str, Any]]:
    """Purpose → its latest participant, in the shape with communications."""
    document = api.get(f"/api/v2/conversations/{conversation}").json()
    return {party["purpose"]: party for party in document["participants"]}


def test_an_agents_program_holds_a_conversation_by_rest(
    sandbox: Sandbox, guest: Guest, api: httpx.Client
) -> None:
    """Handover, connect, type, say, attach, wrap up, end: each frame reaches the guest."""
    guest.say("talk to a human")
    guest.until_text("I call somebody")
    conversation = _conversation(sandbox)
    agent = _lines(api, conversation)["agent"]
    assert (agent["userId"], agent["messages"][0]["state"]) == (sandbox.user_id, "alerting")
    base = f"{MESSAGES}/{conversation}"
    party = f"{base}/participants/{agent['id']}"
    assert api.patch(party, json={"state": "connected"}).status_code == 202
    line = f"{base}/communications/{agent['messages'][0]['id']}"
    typing = api.post(f"{line}/typing", json={"typing": {"type": "On", "duration": 4000}})
    assert (typing.status_code, typing.content) == (204, b"")
    assert guest.receive()["body"]["events"][0]["typing"]["duration"] == 4000
    sent = api.post(f"{line}/messages", json={"textBody": "How can I help?"}).json()
    body = guest.receive()["body"]
    assert (sent["id"], body["text"], body["originatingEntity"]) == (body["id"], "How can I help?", "Human")
    assert (sent["direction"], sent["status"], sent["messengerType"]) == ("outbound", "sent", "webmessaging")
    assert sent["textBody"] == sent["normalizedMessage"]["text"] == "How can I help?"
    place = api.post(f"{line}/messages/media/uploads", json={"fileName": "a.txt", "contentLengthBytes": 3})
    upload = place.json()
    assert httpx.put(upload["uploadUrl"], content=b"abc", headers=upload["uploadHeaders"], trust_env=False)
    for _ in range(100):
        reply = api.post(f"{line}/messages", json={"mediaIds": [upload["id"]]})
        if reply.status_code == 200:
            break
    attachment = guest.receive()["body"]["content"][0]["attachment"]
    assert httpx.get(attachment["url"], trust_env=False).content == b"abc"
    attributes = api.patch(f"{party}/attributes", json={"attributes": {"mood": "good"}})
    assert (attributes.status_code, attributes.json()) == (202, {"attributes": {"mood": "good"}})
    over = api.patch(party, json={"state": "disconnected", "wrapup": {"code": "done"}})
    assert over.status_code == 202
    assert guest.receive()["body"]["events"][0]["presence"]["type"] == "Disconnect"
    ended = api.get(f"/api/v2/conversations/{conversation}").json()
    assert ended["endTime"]
    assert {p["messages"][0]["state"] for p in ended["participants"]} == {"disconnected"}


def test_messages_are_found_by_id_by_channel_id_in_bulk_and_in_both_shapes(
    sandbox: Sandbox, guest: Guest, api: httpx.Client
) -> None:
    """The first frame's id leads to the conversation; typing frames too; unknown ids are left out."""
    echo = guest.say("find me")["body"]
    bot = guest.until_text("You said")["body"]
    sandbox.agent.typing()
    typing = guest.receive()["body"]
    conversation = _conversation(sandbox)
    for message_id in (echo["id"], echo["channel"]["messageId"], bot["id"], typing["id"]):
        details = api.get(f"{MESSAGES}/{message_id}/details").json()
        assert details["conversationId"] == conversation
        assert details["timestamp"].endswith("Z")
    one = api.get(f"{MESSAGES}/{conversation}/messages/{echo['id']}").json()
    assert (one["direction"], one["textBody"]) == ("inbound", "find me")
    assert one["normalizedMessage"]["channel"]["platform"] == "WebMessaging"
    bulk = api.post(f"{MESSAGES}/{conversation}/messages/bulk", json=[echo["id"], "unknown", bot["id"]])
    assert [entity["id"] for entity in bulk.json()["entities"]] == [echo["id"], bot["id"]]
    assert api.post(f"{MESSAGES}/{conversation}/messages/bulk", json=["x"] * 1001).status_code == 400
    assert api.get(f"{MESSAGES}/unknown/details").json()["code"] == "not.found"
    flat = api.get(f"{MESSAGES}/{conversation}").json()["participants"][0]
    deep = api.get(f"/api/v2/conversations/{conversation}").json()["participants"][0]
    assert flat["messages"][1]["messageId"] == deep["messages"][0]["messages"][1]["messageId"] == echo["id"]
    assert guest.token not in json.dumps([flat, deep, one, bulk.json()])


def test_a_communication_that_cannot_speak_is_refused(
    sandbox: Sandbox, guest: Guest, api: httpx.Client
) -> None:
    """The customer's own, an unknown one, one that has left, an empty text, a text too long."""
    conversation = _conversation(sandbox)
    sandbox.agent.say("I am here")
    lines = _lines(api, conversation)

    def send(communication: str, **body: Any) -> tuple[int, str]:
        reply = api.post(f"{MESSAGES}/{conversation}/communications/{communication}/messages", json=body)
        return reply.status_code, reply.json()["code"]

    agent = lines["agent"]["messages"][0]["id"]
    assert send(lines["customer"]["messages"][0]["id"], textBody="x") == (404, "not.found")
    assert send(str(uuid4()), textBody="x") == (404, "not.found")
    assert send(lines["workflow"]["messages"][0]["id"], textBody="x") == (409, "request.conflict")
    assert send(agent) == (400, "constraint.validation")
    assert send(agent, textBody="x" * 4001) == (400, "max.length.exceeded")
    assert send(agent, mediaIds=["x"]) == (404, "not.found")
    guest.event("Presence", "Clear")
    guest.until("ConnectionClosedEvent")
    assert send(agent, textBody="too late") == (409, "request.conflict")


def test_a_client_may_clean_up_and_has_no_conversations_of_its_own(
    sandbox: Sandbox, guest: Guest, api: httpx.Client
) -> None:
    """POST …/disconnect is 202; the listings are empty for a client."""
    conversation = _conversation(sandbox)
    assert api.get(MESSAGES).json()["entities"] == api.get("/api/v2/conversations").json()["entities"] == []
    assert api.post(f"/api/v2/conversations/{conversation}/disconnect").status_code == 202
    assert guest.until_text("Disconnect")
    assert sandbox.agent.conversations == ()
    gone = api.post(f"/api/v2/conversations/{uuid4()}/disconnect")
    assert gone.json()["code"] == "not.found"


def test_a_user_sees_the_conversations_an_agent_is_in(
    sandbox: Sandbox, guest: Guest, http: httpx.Client
) -> None:
    """With a user's token."""
    token = sandbox.world.issue_token(sandbox.world.code_client, user_id=sandbox.user_id)
    http.headers["Authorization"] = f"Bearer {token.value}"
    assert http.get(MESSAGES).json()["entities"] == []
    sandbox.agent.say("joining")
    assert [entity["id"] for entity in http.get(MESSAGES).json()["entities"]] == [_conversation(sandbox)]


def test_whoever_watches_hears_of_every_change(sandbox: Sandbox) -> None:
    """For services such as notifications: begun, said, typed, joined, ended."""
    heard: list[tuple[str, str]] = []
    stop = sandbox.world.conversations.watch(
        lambda kind, _, message: heard.append((kind, message.normalized["type"] if message else ""))
    )
    guest = Guest(sandbox)
    guest.say("first")
    guest.until_text("You said")
    sandbox.agent.typing()
    sandbox.agent.disconnect()
    assert heard == [
        ("conversation", ""),
        ("message", "Text"),
        ("message", "Text"),
        ("conversation", ""),
        ("typing", "Event"),
        ("message", "Event"),
        ("conversation", ""),
    ]
    stop()
    guest.close()


# -- what is left -------------------------------------------------------------------------------------------


def test_push_devices_are_kept(sandbox: Sandbox, http: httpx.Client) -> None:
    """204s, and the codes the mobile SDK knows."""
    deployment = sandbox.deployments.add(push=True)
    path = f"/api/v2/webmessaging/deployments/{deployment.id}/pushdevices/{uuid4()}"
    device = {"deviceToken": "d", "notificationProvider": "FCM", "language": "en-us", "deviceType": "android"}
    steps = (
        ("PATCH", {"language": "de"}, 404, "device.not.found"),
        ("POST", {}, 400, "required.fields.missing"),
        ("POST", device, 204, None),
        ("POST", device, 409, "device.already.registered"),
        ("PATCH", {"language": "de"}, 204, None),
        ("DELETE", None, 204, None),
        ("DELETE", None, 404, "device.not.found"),
    )
    for method, body, status, code in steps:
        reply = http.request(method, path, json=body) if body is not None else http.request(method, path)
        assert reply.status_code == status
        assert (reply.json()["code"] if reply.content else None) == code
    other = path.replace(deployment.id, sandbox.deployment_id)
    assert http.post(other, json=device).json()["code"] == "feature.toggle.disabled"
    assert http.post(path.replace(deployment.id, "x"), json=device).json()["code"] == "deployment.not.found"


def test_the_legacy_web_chat_says_that_it_has_ended(http: httpx.Client) -> None:
    """404 with the envelope; the message names the successor."""
    for method, path in (("POST", "conversations"), ("GET", "conversations/x/members")):
        reply = http.request(method, f"/api/v2/webchat/guest/{path}")
        assert (reply.status_code, reply.json()["code"]) == (404, "not.found")
        assert "web messaging" in reply.json()["message"]


def test_the_control_plane_does_what_the_object_does(
    sandbox: Sandbox, guest: Guest, http: httpx.Client
) -> None:
    """State, log, clock, faults, agent, reset by HTTP; no secret, no other origin, JSON only."""
    state = http.get("/sandbox/state").json()
    assert (state["client_id"], state["sessions"]) == (sandbox.client_id, 1)
    assert sandbox.client_secret not in json.dumps(state)
    assert http.get("/sandbox/backend-log").json()["records"][0]["what"] == "socket opened"
    assert "Does not" in http.get("/sandbox/explain").text
    assert http.post("/sandbox/agent", json={"say": {"text": "by wire"}}).status_code == 204
    assert guest.receive()["body"]["text"] == "by wire"
    assert http.post("/sandbox/agent", json={"show": {"kind": "card", "title": "T"}}).status_code == 204
    assert guest.receive()["body"]["content"][0]["card"]["title"] == "T"
    before = sandbox.clock.time()
    http.post("/sandbox/clock", json={"freeze": True, "advance": 100})
    assert sandbox.clock.time() >= before + 100
    assert http.post("/sandbox/faults", json={"refuse_frame": {"code": 403, "text": "no"}}).status_code == 204
    assert guest.say("x")["code"] == 403
    assert http.delete("/sandbox/faults").status_code == 204
    for path, body in (
        ("clock", {"advance": -1}),
        ("faults", {"explode": {}}),
        ("faults", {"drop": {"wrong": 1}}),
        ("faults", {"drop": 7}),
        ("agent", {"say": {}}),
        ("reset", {"seed": "x"}),
    ):
        assert http.post(f"/sandbox/{path}", json=body).status_code == 400
    assert http.post("/sandbox/reset", content=b"{}").status_code == 415
    asked = http.get("/sandbox/state", headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in asked.headers
    assert http.get("/sandbox/state", headers={"Host": "evil.example"}).status_code == 404
    assert http.get("/sandbox/state", headers={"Host": "localhost:9"}).status_code == 200
    assert http.post("/sandbox/reset", json={"seed": 7}).status_code == 204
    assert sandbox.client_id != state["client_id"]
