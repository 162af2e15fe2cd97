"""The guest service, frame by frame: actions, echoes, errors, the lives and ends of sessions."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from guestlab.limits import Limits
from guestlab.sandbox import Sandbox

from .conftest import Guest

HEX = re.compile(r"[0-9a-f]{32}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@pytest.fixture
def quiet() -> Iterator[Sandbox]:
    """A sandbox without a bot, its time standing still."""
    with Sandbox(bot=False) as sandbox:
        sandbox.clock.freeze()
        yield sandbox


@pytest.fixture
def guest(quiet: Sandbox) -> Iterator[Guest]:
    """A configured guest on it."""
    guest = Guest(quiet)
    yield guest
    guest.close()


# -- configure --------------------------------------------------------------------------------------------


def test_a_new_token_opens_a_session_with_every_field_filled(quiet: Sandbox, guest: Guest) -> None:
    """Integers, not floats; expiry in epoch seconds; media as the deployment has it."""
    now = int(quiet.clock.time())
    body = guest.session
    assert (body["connected"], body["newSession"], body["readOnly"]) == (True, True, False)
    assert body["clearedExistingSession"] is False
    assert body["allowedMedia"] == {"inbound": {"fileTypes": [{"type": "*/*"}], "maxFileSizeKB": 10240}}
    assert ".exe" in body["blockedExtensions"]
    assert body["maxCustomDataBytes"] == 2048
    assert body["durationSeconds"] == 259_200
    assert body["expirationDate"] == now + 259_200
    assert all(not isinstance(value, float) for value in body.values())


def test_a_known_token_resumes(quiet: Sandbox, guest: Guest) -> None:
    """On the same socket and on another; even if nothing was ever said."""
    assert guest.configure()["body"]["newSession"] is False
    guest.close()
    again = Guest(quiet, token=guest.token)
    assert again.session["newSession"] is False
    again.close()


def test_another_deployments_session_is_another(quiet: Sandbox, guest: Guest) -> None:
    """Sessions are keyed by deployment and token."""
    other = Guest(quiet, token=guest.token, deployment_id=quiet.deployments.add().id)
    assert other.session["newSession"] is True
    other.close()


def test_start_new_replaces_the_session(quiet: Sandbox, guest: Guest) -> None:
    """The old one's other connections are told; its words are no longer reachable."""
    second = Guest(quiet, token=guest.token)
    guest.say("old")
    guest.send("configureSession", deploymentId=guest.deployment_id, startNew=True)
    fresh = guest.until("SessionResponse")
    assert fresh["body"]["newSession"] is True
    assert guest.is_silent()
    assert second.until("ConnectionClosedEvent")["body"] == {}
    second.close()


# name, what is sent (after a configure unless it begins with "raw"), code, part of the text
REFUSED: tuple[tuple[str, Any, int, str], ...] = (
    ("raw not json", "{", 400, "JSON"),
    ("raw a list", "[]", 400, "JSON"),
    ("raw deep", "[" * 100_000, 400, "JSON"),
    ("raw no action", {}, 400, "action"),
    ("raw unknown action", {"action": "auth", "token": "t"}, 400, "action"),
    ("raw no token", {"action": "getJwt", "token": None}, 400, "token"),
    ("raw empty token", {"action": "getJwt", "token": " "}, 400, "token"),
    ("raw before configure", {"action": "onMessage", "token": "t", "message": {"text": "x"}}, 4007, ""),
    ("raw no deployment", {"action": "configureSession", "token": "t"}, 400, "deploymentId"),
    (
        "raw other deployment",
        {"action": "configureSession", "token": "t", "deploymentId": "x"},
        400,
        "Deployment not found",
    ),
    ("another token", {"action": "getJwt", "token": "another"}, 4007, "Session not found"),
    ("no message", {"action": "onMessage"}, 400, "message"),
    ("empty message", {"action": "onMessage", "message": {"type": "Text", "text": ""}}, 400, "empty"),
    ("not a number", '{"action":"echo","token":"t","x":NaN}', 400, "JSON"),
    ("type a list", {"action": "onMessage", "message": {"type": [], "text": "x"}}, 400, "type"),
    ("odd type", {"action": "onMessage", "message": {"type": "Song", "text": "x"}}, 400, "type"),
    ("text no text", {"action": "onMessage", "message": {"type": "Text", "text": 7}}, 400, "text"),
    ("no events", {"action": "onMessage", "message": {"type": "Event", "events": []}}, 400, "event"),
    (
        "too long",
        {"action": "onMessage", "message": {"type": "Text", "text": "x" * 4097}},
        4011,
        "Message length 4097 is larger than 4096",
    ),
    (
        "too long in bytes",
        {"action": "onMessage", "message": {"type": "Text", "text": "ä" * 2049}},
        4011,
        "Message length 4098",
    ),
    (
        "attributes too large",
        {
            "action": "onMessage",
            "message": {
                "type": "Text",
                "text": "x",
                "channel": {"metadata": {"customAttributes": {"k": "v" * 2048}}},
            },
        },
        4013,
        "Custom Attributes in channel metadata is larger than 2048 bytes",
    ),
    ("no closeAllConnections", {"action": "closeSession"}, 400, "closeAllConnections"),
    ("unknown attachment", {"action": "deleteAttachment", "attachmentId": "x"}, 4009, "not found"),
)


@pytest.mark.parametrize(("name", "sent", "code", "part"), REFUSED)
def test_a_bad_frame_is_answered_with_a_string(
    quiet: Sandbox, name: str, sent: Any, code: int, part: str
) -> None:
    """Class `string`, the code on the frame, the request's tracingId; the socket stays open."""
    guest = Guest(quiet, configure=not name.startswith("raw"))
    if isinstance(sent, dict):
        sent = json.dumps({"token": guest.token, "tracingId": "t-1", **sent} if sent else sent)
    guest.socket.send(sent)
    frame = guest.receive()
    assert (frame["type"], frame["class"], frame["code"]) == ("response", "string", code)
    assert part in frame["body"]
    assert frame.get("tracingId") == ("t-1" if "t-1" in sent else None)
    assert guest.configure()["code"] == 200
    guest.close()


def test_binary_frames_are_read_like_text(quiet: Sandbox, guest: Guest) -> None:
    """Nobody sends them; nobody falls over."""
    guest.socket.send(b'{"action":"echo","message":{"type":"Text","text":"hi"}}')
    assert guest.receive()["body"]["text"] == "hi"
    guest.socket.send(b"\xff\x00")
    assert guest.receive()["code"] == 400


# -- saying -----------------------------------------------------------------------------------------------


def test_a_text_is_echoed_to_every_connection(quiet: Sandbox, guest: Guest) -> None:
    """The sender's tracingId, unicode and metadata kept; ids and times as the cloud makes them."""
    second = Guest(quiet, token=guest.token)
    text = "Grüße 👋 \u202e <b>"
    echo = guest.say(text, metadata={"id": "mine"})
    assert second.receive() == echo
    assert (echo["type"], echo["class"], echo["code"]) == ("message", "StructuredMessage", 200)
    body = echo["body"]
    assert (body["text"], body["type"], body["direction"]) == (text, "Text", "Inbound")
    assert HEX.fullmatch(body["id"])
    assert TIME.fullmatch(body["channel"]["time"])
    assert body["channel"]["messageId"].count("-") == 4
    assert body["metadata"]["id"] == "mine"
    assert body["metadata"]["correlationId"]
    second.close()


def test_a_lone_surrogate_survives(quiet: Sandbox, guest: Guest) -> None:
    """It is legal JSON and no legal UTF-8: it stays escaped, on the socket and in REST."""
    frame = {"action": "onMessage", "token": guest.token, "message": {"type": "Text", "text": "\ud800"}}
    guest.socket.send(json.dumps(frame))
    assert guest.receive()["body"]["text"] == "\ud800"
    jwt = guest.ask("getJwt")["body"]["jwt"]
    url = f"http://127.0.0.1:{quiet.http_port}/api/v2/webmessaging/messages"
    page = httpx.get(url, headers={"Authorization": f"Bearer {jwt}"}, trust_env=False).json()
    assert page["entities"][0]["text"] == "\ud800"


def test_a_failure_of_the_sandbox_itself_is_answered_and_told(
    quiet: Sandbox, guest: Guest, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """5000 on the socket, 500 by REST; the log has the traceback; both go on."""

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr(quiet._messaging.bot, "hear", broken)
    monkeypatch.setattr(quiet.world, "issue_token", broken)
    guest.send("onMessage", message={"type": "Text", "text": "x"})
    assert guest.until("string")["code"] == 5000
    assert guest.ask("getJwt")["code"] == 200
    reply = httpx.post(
        f"http://127.0.0.1:{quiet.http_port}/oauth/token",
        data={"grant_type": "client_credentials"},
        auth=(quiet.client_id, quiet.client_secret),
        trust_env=False,
    )
    assert (reply.status_code, reply.json()["code"]) == (500, "internal.server.error")
    failures = [record for record in caplog.records if record.exc_info]
    assert len(failures) == 2


def test_times_only_grow(guest: Guest) -> None:
    """Even with the clock standing still: by a millisecond at least."""
    times = [guest.say(str(number))["body"]["channel"]["time"] for number in range(4)]
    assert times == sorted(set(times))


@pytest.mark.parametrize("kind", ["Text", "Structured"])
def test_an_answer_to_a_button_keeps_its_content(guest: Guest, kind: str) -> None:
    """The mobile SDK's form and the browser's."""
    response = {"type": "QuickReply", "text": "Red", "payload": "RED", "originatingMessageId": "x"}
    content = [{"contentType": "ButtonResponse", "buttonResponse": response}]
    text = "" if kind == "Text" else "Red"
    body = guest.ask("onMessage", message={"type": kind, "text": text, "content": content})["body"]
    assert (body["type"], body["content"]) == (kind, content)


def test_presence_is_echoed_and_typing_too(guest: Guest) -> None:
    """As events of direction Inbound."""
    for kind, value in (("Presence", "Join"), ("Typing", "On")):
        body = guest.event(kind, value)["body"]
        assert (body["type"], body["direction"]) == ("Event", "Inbound")
        assert body["events"][0]["eventType"] == kind
        assert body["channel"]["time"]


def test_typing_can_be_switched_off(quiet: Sandbox) -> None:
    """403 with the text of the official fixture."""
    guest = Guest(quiet, deployment_id=quiet.deployments.add(user_typing=False).id)
    refused = guest.event("Typing", "On")
    assert (refused["class"], refused["code"]) == ("string", 403)
    assert refused["body"] == "Turn on the Feature Toggle or fix the configuration."
    guest.close()


def test_attributes_reach_the_conversation_from_the_message_only(quiet: Sandbox, guest: Guest) -> None:
    """Beside `message` they are accepted and ignored, unless the switch is on."""
    attributes = {"metadata": {"customAttributes": {"plan": "gold"}}}
    beside = {"metadata": {"customAttributes": {"old": "way", "plan": "tin"}}}
    text = {"type": "Text", "text": "x", "channel": attributes}
    assert guest.ask("onMessage", message=text, channel=beside)["code"] == 200
    customer = next(iter(quiet.world.conversations)).participants[0]
    assert customer.attributes == {"context.plan": "gold"}
    with Sandbox(bot=False, legacy_attributes=True) as legacy:
        other = Guest(legacy)
        assert other.ask("onMessage", message=text, channel=beside)["code"] == 200
        customer = next(iter(legacy.world.conversations)).participants[0]
        assert customer.attributes == {"context.plan": "gold", "context.old": "way"}
        other.close()


def test_echo_answers_this_connection_only_and_extends_nothing(quiet: Sandbox, guest: Guest) -> None:
    """Type response, no channel, durations as strings; works without a token and before configure."""
    second = Guest(quiet, token=guest.token)
    quiet.clock.advance(100)
    reply = guest.ask("echo", message={"type": "Text", "text": "ping"})
    assert (reply["type"], reply["body"]["text"]) == ("response", "ping")
    assert "channel" not in reply["body"]
    assert reply["body"]["metadata"] == {
        "durationSeconds": "259200",
        "expirationDate": str(guest.session["expirationDate"]),
    }
    assert second.is_silent()
    bare = Guest(quiet, configure=False)
    bare.socket.send('{"action":"echo","message":{"type":"Text","text":"early"}}')
    assert bare.receive()["body"]["text"] == "early"
    bare.close()
    second.close()


def test_get_configuration_needs_no_session(quiet: Sandbox) -> None:
    """The model's required fields are there."""
    guest = Guest(quiet, configure=False)
    body = guest.ask("getConfiguration", deploymentId=quiet.deployment_id)["body"]
    assert body["messageRoutingEnabled"] is True
    assert body["maxCustomDataBytes"] == 2048
    assert body["allowedMedia"]["inbound"]["maxFileSizeKB"] == 10240
    guest.close()


def test_the_two_actions_nobody_knows_are_answered(guest: Guest) -> None:
    """By guess, marked as such in explain()."""
    assert set(guest.ask("resumeToken")["body"]) == {"resumeToken", "exp"}
    assert guest.ask("disconnectCustomer")["class"] == "string"


def test_attachments_can_be_switched_off(quiet: Sandbox) -> None:
    """SessionResponse says so by an empty inbound."""
    guest = Guest(quiet, deployment_id=quiet.deployments.add(attachments=False).id)
    assert guest.session["allowedMedia"] == {"inbound": {}}
    guest.close()


# -- limits -----------------------------------------------------------------------------------------------


def _say(guest: Guest) -> dict[str, Any]:
    return guest.say("x")


def _echo(guest: Guest) -> dict[str, Any]:
    return guest.ask("echo", message={"type": "Text", "text": "x"})


def _configure(guest: Guest) -> dict[str, Any]:
    return guest.configure()


def _typing(guest: Guest) -> dict[str, Any]:
    return guest.event("Typing", "On")


def _jwt(guest: Guest) -> dict[str, Any]:
    return guest.ask("getJwt")


# what, how often it is allowed, how long until it is allowed again
BUDGETS = ((_say, 5, 1), (_echo, 2, 60), (_typing, 1, 5), (_jwt, 59, 60), (_configure, 59, 60))


@pytest.mark.parametrize(("ask", "allowed", "seconds"), BUDGETS)
def test_a_used_up_budget_is_a_429_that_says_how_long(
    quiet: Sandbox, guest: Guest, ask: Any, allowed: int, seconds: int
) -> None:
    """TooManyRequestsErrorMessage; after retryAfter it works again, and not a moment before."""
    for _ in range(allowed):
        assert ask(guest)["code"] == 200
    refused = ask(guest)
    assert (refused["class"], refused["code"]) == ("TooManyRequestsErrorMessage", 429)
    body = refused["body"]
    assert (body["errorCode"], body["retryAfter"]) == (4029, seconds)
    assert body["errorMessage"] == body["message"]
    quiet.clock.advance(body["retryAfter"])
    assert ask(guest)["code"] == 200


def test_a_refused_message_is_not_said(quiet: Sandbox, guest: Guest) -> None:
    """429 means: not accepted."""
    codes = [guest.say(str(number))["code"] for number in range(6)]
    assert codes == [200] * 5 + [429]
    assert [text for _, text in quiet.agent.transcript()] == ["0", "1", "2", "3", "4"]


def test_a_message_ends_the_typing_wait(guest: Guest) -> None:
    """As the mobile SDK counts on."""
    assert guest.event("Typing", "On")["code"] == 200
    assert guest.event("Typing", "On")["code"] == 429
    guest.say("x")
    assert guest.event("Typing", "On")["code"] == 200


def test_the_message_budget_is_the_sessions_and_the_request_budget_the_connections(quiet: Sandbox) -> None:
    """Two sockets of one session share five messages a second."""
    token = str(uuid4())
    guests = [Guest(quiet, token=token) for _ in range(2)]
    codes = [guests[number % 2].say(str(number))["code"] for number in range(6)]
    assert codes == [200] * 5 + [429]
    for guest in guests:
        guest.close()


def test_without_limits_nothing_is_counted() -> None:
    """A hundred messages at once, six connections; sizes still hold."""
    with Sandbox(bot=False, limits=None) as sandbox:
        token = str(uuid4())
        guests = [Guest(sandbox, token=token) for _ in range(6)]
        assert {guests[0].say(str(number))["code"] for number in range(100)} == {200}
        assert {_echo(guests[0])["code"] for _ in range(10)} == {200}
        assert guests[0].say("x" * 5000)["code"] == 4011
        assert guests[5].until_text("99")
        for guest in guests:
            guest.close()


# -- more than one connection -----------------------------------------------------------------------------


def test_a_fourth_connection_pushes_out_the_oldest(quiet: Sandbox) -> None:
    """It is told, hears nothing more, and is closed by the server if it stays."""
    token = str(uuid4())
    guests = [Guest(quiet, token=token) for _ in range(4)]
    closed = guests[0].receive()
    assert (closed["class"], closed["body"]) == ("ConnectionClosedEvent", {})
    guests[3].say("x")
    assert guests[1].receive()["body"]["text"] == guests[2].receive()["body"]["text"] == "x"
    assert guests[0].ask("getJwt")["code"] == 4007
    quiet.clock.advance(5)
    with pytest.raises(ConnectionClosed) as caught:
        guests[0].receive()
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1000
    for guest in guests:
        guest.close()


def test_strangers_never_hear_each_other(quiet: Sandbox) -> None:
    """Two guests of one deployment, and the same token in another deployment."""
    one, two = Guest(quiet), Guest(quiet)
    elsewhere = Guest(quiet, token=one.token, deployment_id=quiet.deployments.add().id)
    one.say("secret")
    quiet.agent.say("for one only", to=one.token)
    assert two.is_silent()
    assert elsewhere.is_silent()
    for guest in (one, two, elsewhere):
        guest.close()


# -- ends -------------------------------------------------------------------------------------------------


def test_a_session_expires_and_says_so(quiet: Sandbox, guest: Guest) -> None:
    """Pushed at expiry; answered to every later action; the token then opens a new session."""
    guest.say("hello")
    quiet.clock.advance(259_201)
    assert guest.receive()["class"] == "SessionExpiredEvent"
    again = guest.ask("getJwt")
    assert (again["class"], again["type"]) == ("SessionExpiredEvent", "response")
    assert guest.configure()["body"]["newSession"] is True
    (conversation,) = quiet.world.conversations
    assert conversation.participants[0].disconnect_type == "session.expired"


def test_every_message_of_either_side_keeps_a_session_alive(quiet: Sandbox, guest: Guest) -> None:
    """Typing and echo do not."""
    guest.say("hello")
    quiet.clock.advance(200_000)
    quiet.agent.say("still there?")
    quiet.clock.advance(200_000)
    assert guest.until_text("still there?")
    assert _echo(guest)["class"] == "StructuredMessage"
    _typing(guest)
    quiet.clock.advance(60_000)
    assert guest.until("SessionExpiredEvent")


def test_clear_runs_in_the_documented_order(quiet: Sandbox, guest: Guest) -> None:
    """Echo, cleared, closed, for every connection; then the token opens a new session."""
    second = Guest(quiet, token=guest.token)
    guest.say("hello")
    assert second.receive()["body"]["text"] == "hello"
    guest.event("Presence", "Clear")
    assert second.receive()["body"]["events"][0]["presence"]["type"] == "Clear"
    for link in (guest, second):
        assert [link.receive()["class"] for _ in range(2)] == ["SessionClearedEvent", "ConnectionClosedEvent"]
    assert guest.ask("getJwt")["code"] == 4007
    again = Guest(quiet, token=guest.token)
    assert again.session["newSession"] is True
    again.say("a new one")
    assert len(quiet.world.conversations) == 2
    again.close()
    second.close()


def test_clear_can_be_switched_off(quiet: Sandbox) -> None:
    """403 with the text of the official fixture; nothing happens."""
    guest = Guest(quiet, deployment_id=quiet.deployments.add(clear=False).id)
    refused = guest.event("Presence", "Clear")
    assert refused["code"] == 403
    assert refused["body"] == "Presence events Conversation Clear are not supported"
    assert guest.is_silent()
    guest.close()


def test_read_only_then_start_new(quiet: Sandbox) -> None:
    """The golden transcript: disconnect, 409, closeSession, configure with startNew on the same socket."""
    deployment = quiet.deployments.add(disconnect="ReadOnly")
    guest = Guest(quiet, deployment_id=deployment.id)
    other = Guest(quiet, token=guest.token, deployment_id=deployment.id)
    guest.say("hello")
    quiet.agent.disconnect()
    ended = guest.receive()["body"]
    assert ended["events"] == [{"eventType": "Presence", "presence": {"type": "Disconnect"}}]
    assert (ended["direction"], ended["metadata"]["readOnly"]) == ("Outbound", "true")
    refused = guest.say("hello?")
    assert (refused["class"], refused["code"]) == ("string", 409)
    assert guest.ask("onAttachment", fileName="a.png", fileType="image/png", fileSize=1)["code"] == 409
    assert guest.ask("getJwt")["class"] == "JwtResponse"
    resumed = guest.configure()["body"]
    assert (resumed["connected"], resumed["readOnly"], resumed["newSession"]) == (True, True, False)
    closed = guest.ask("closeSession", closeAllConnections=True)["body"]
    assert closed == {"connected": False, "newSession": False, "readOnly": True}
    assert other.until("ConnectionClosedEvent")
    assert guest.say("x")["code"] == 4007
    still = guest.configure()["body"]
    assert (still["connected"], still["readOnly"]) == (False, True)
    fresh = guest.configure(startNew=True)["body"]
    assert (fresh["connected"], fresh["newSession"], fresh["readOnly"]) == (True, True, False)
    assert guest.say("a new chat")["code"] == 200
    assert len(quiet.world.conversations) == 2
    guest.close()
    other.close()


def test_a_read_only_session_outlives_its_idle_time(quiet: Sandbox) -> None:
    """What an expired one answers is not known, so it does not expire here."""
    guest = Guest(quiet, deployment_id=quiet.deployments.add(disconnect="ReadOnly").id)
    guest.say("hello")
    quiet.agent.disconnect()
    quiet.clock.advance(300_000)
    assert guest.configure()["body"]["readOnly"] is True
    guest.close()


@pytest.mark.parametrize(("mode", "seen"), [("Send", "false"), (None, None)])
def test_after_an_open_disconnect_the_guest_goes_on_in_the_same_conversation(
    quiet: Sandbox, mode: str | None, seen: str | None
) -> None:
    """With "Send" the guest is told, with none not; within 72 h the conversation continues."""
    guest = Guest(quiet, deployment_id=quiet.deployments.add(disconnect=mode).id)
    guest.say("hello")
    quiet.agent.disconnect()
    if seen is not None:
        assert guest.receive()["body"]["metadata"]["readOnly"] == seen
    assert guest.say("one more thing")["code"] == 200
    (conversation,) = quiet.world.conversations
    assert conversation.ended_at is None
    quiet.agent.disconnect()
    if seen is not None:
        guest.receive()
    for _ in range(4):
        quiet.clock.advance(70_000)
    guest.close()


def test_a_message_long_after_the_end_begins_another_conversation(quiet: Sandbox) -> None:
    """The threading time is 72 h."""
    deployment = quiet.deployments.add(disconnect=None, session_seconds=30 * 86_400)
    guest = Guest(quiet, deployment_id=deployment.id)
    guest.say("hello")
    quiet.agent.disconnect()
    quiet.clock.advance(73 * 3600)
    guest.say("hello again")
    assert len(quiet.world.conversations) == 2
    guest.close()


def test_closing_one_connection_leaves_the_others(quiet: Sandbox, guest: Guest) -> None:
    """CloseAllConnections false: only this one's binding goes."""
    second = Guest(quiet, token=guest.token)
    body = guest.ask("closeSession", closeAllConnections=False)["body"]
    assert (body["connected"], body["readOnly"]) == (False, False)
    assert second.say("still here")["code"] == 200
    assert guest.configure()["body"]["newSession"] is False
    second.close()


def test_closing_the_socket_ends_nothing(quiet: Sandbox, guest: Guest) -> None:
    """What is said meanwhile is not replayed on the next socket."""
    guest.say("hello")
    guest.close()
    quiet.agent.say("missed")
    again = Guest(quiet, token=guest.token)
    assert again.session["newSession"] is False
    assert again.is_silent()
    again.close()


def test_a_message_in_fragments_is_one_message(guest: Guest) -> None:
    """Three frames of the wire, one answer."""
    text = json.dumps({"action": "echo", "message": {"type": "Text", "text": "in three parts"}})
    guest.socket.send([text[:10], text[10:30], text[30:]])
    assert guest.receive()["body"]["text"] == "in three parts"


def test_the_socket_answers_pings_and_closes_politely(guest: Guest) -> None:
    """Pong with the same payload; a close frame is answered."""
    assert guest.socket.ping(b"abc").wait(5)
    guest.socket.close(1000, "bye")
    assert guest.socket.close_code == 1000


# -- the bot ----------------------------------------------------------------------------------------------


def test_the_bot_greets_a_joining_guest_and_shows_everything_on_request(sandbox: Sandbox) -> None:
    """One of each content type, each asked for by its menu entry."""
    guest = Guest(sandbox)
    sandbox.world.limits = None
    guest.event("Presence", "Join")
    assert guest.until_text("Welcome!")
    guest.say("menu")
    menu = guest.until("StructuredMessage")["body"]["content"][0]["listPicker"]
    seen = set()
    for item in [item for section in menu["sections"] for item in section["items"]]:
        if item["id"] == "SHOW END":
            continue
        response = {"type": "ListPicker", "text": item["title"], "payload": item["id"]}
        content = [{"contentType": "ButtonResponse", "buttonResponse": response}]
        guest.ask("onMessage", message={"type": "Structured", "text": "x", "content": content})
        body = guest.receive()["body"]
        if body["type"] == "Event":
            assert body["events"][0]["eventType"] == "Typing"
            sandbox.clock.advance(1)
            body = guest.receive()["body"]
        seen |= {part["contentType"] for part in body.get("content", ())}
    assert seen == {
        *("QuickReply", "QuickReplyV2", "Card", "Carousel", "ListPicker", "DatePicker", "Form", "Attachment"),
    }
    guest.say("bye")
    assert guest.until_text("Goodbye")
    assert guest.receive()["body"]["events"][0]["presence"]["type"] == "Disconnect"
    guest.close()


def test_the_bot_answers_a_quick_reply_and_echoes_the_rest(sandbox: Sandbox) -> None:
    """Hello → typing, text, quick replies; an answer gets a reply; anything else comes back kindly."""
    guest = Guest(sandbox)
    guest.say("hello")
    kinds = [guest.receive()["body"]["type"] for _ in range(2)]
    offer = guest.receive()["body"]
    assert (kinds, offer["type"]) == (["Event", "Text"], "Structured")
    choice = offer["content"][1]["quickReply"]
    response = {"type": "QuickReply", "text": choice["text"], "payload": choice["payload"]}
    content = [{"contentType": "ButtonResponse", "buttonResponse": response}]
    guest.ask("onMessage", message={"type": "Text", "text": "", "content": content})
    assert guest.until_text("guest token")
    guest.say("Who is {text} <b>?")
    assert guest.receive()["body"]["text"] == "You said: Who is {text} <b>?"
    guest.close()


def test_several_answers_at_once_get_several_replies(sandbox: Sandbox) -> None:
    """A list with multiple selection."""
    guest = Guest(sandbox)
    content = [
        {"contentType": "ButtonResponse", "buttonResponse": {"type": "ListPicker", "text": x, "payload": x}}
        for x in ("RED", "GREEN")
    ]
    guest.ask("onMessage", message={"type": "Structured", "text": "Done", "content": content})
    assert [guest.receive()["body"]["text"][:5] for _ in range(2)] == ["RED, ", "GREEN"]
    guest.close()


def test_many_guests_at_once() -> None:
    """Two hundred sessions on one sandbox, each with its own echo and its own bot."""
    with Sandbox(limits=None) as sandbox:
        began = time.monotonic()
        guests = [Guest(sandbox) for _ in range(200)]
        for number, guest in enumerate(guests):
            guest.send("onMessage", message={"type": "Text", "text": f"number {number}"})
        for number, guest in enumerate(guests):
            assert guest.receive()["body"]["text"] == f"number {number}"
            assert guest.receive()["body"]["text"] == f"You said: number {number}"
        for guest in guests:
            guest.close()
        assert time.monotonic() - began < 60


def test_limits_can_be_chosen() -> None:
    """Any of them, by a Limits of one's own."""
    with Sandbox(bot=False, limits=Limits(connections_per_session=1, text_length=3)) as sandbox:
        first = Guest(sandbox)
        second = Guest(sandbox, token=first.token)
        assert first.until("ConnectionClosedEvent")
        assert second.say("four")["code"] == 4011
        first.close()
        second.close()
