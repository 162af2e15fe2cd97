"""A customer behind a webhook: the bot answers, an agent takes over, it ends, and a channel tells of it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import queue
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from websockets.sync.client import connect

from guestlab.errors import SandboxError
from guestlab.sandbox import Sandbox

from .conftest import Guest

if TYPE_CHECKING:
    from http.client import HTTPMessage

MESSAGES = "/api/v2/conversations/messages"
OPEN = "/api/v2/conversations/messaging/integrations/open"
SECRET = "sixteen-letters!"
WHEN = "2026-10-08T09:00:00.000Z"
WORDLESS = ("Receipt", "Event")


class Hook:
    """A webhook on this machine; what it answers can be set, and held back."""

    def __init__(self) -> None:
        self.came: queue.Queue[tuple[HTTPMessage, bytes]] = queue.Queue()
        self.statuses: list[int] = []
        """What the next posts are answered with; 200 when it is empty."""
        self.gate = threading.Event()
        self.gate.set()
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.came.put((self.headers, body))
                hook.gate.wait(10)
                self.send_response(hook.statuses.pop(0) if hook.statuses else 200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"

    def close(self) -> None:
        """Stop listening."""
        self.gate.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def next(self, *, timeout: float = 10.0) -> dict[str, Any]:
        """The next message."""
        document: dict[str, Any] = json.loads(self.came.get(timeout=timeout)[1])
        return document

    def said(self, count: int = 1) -> list[dict[str, Any]]:
        """The next messages that hold words."""
        found: list[dict[str, Any]] = []
        while len(found) < count:
            message = self.next()
            if message["type"] not in WORDLESS:
                found.append(message)
        return found


class Customer:
    """Somebody behind an integration's webhook."""

    def __init__(self, api: httpx.Client, hook: Hook, name: str = "guest-42") -> None:
        self._api, self.name = api, name
        body = {
            "name": "mine",
            "outboundNotificationWebhookUrl": hook.url,
            "outboundNotificationWebhookSignatureSecretToken": SECRET,
            "webhookHeaders": {"X-My-Key": "v"},
        }
        self.integration_id = api.post(OPEN, json=body).json()["id"]
        self.conversation = ""

    @property
    def channel(self) -> dict[str, Any]:
        """Who says it, and when."""
        return {"from": {"id": self.name, "idType": "Opaque"}, "time": WHEN}

    def say(self, text: str, **more: Any) -> dict[str, Any]:
        """Send a message; its answer."""
        document = self._post("message", {"channel": self.channel, "text": text, **more})
        self.conversation = document.pop("conversationId")
        return document

    def press(
        self, asked: dict[str, Any], option: dict[str, Any], kind: str = "QuickReply"
    ) -> dict[str, Any]:
        """Press one of the buttons of a message."""
        pressed = {"type": kind, "text": option["text"], "payload": option["payload"]}
        body = {"channel": self.channel, "buttonResponse": pressed, "originatingMessageId": asked["id"]}
        return self._post("structured/response", body)

    def _post(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        path = f"{MESSAGES}/{self.integration_id}/inbound/open/{kind}"
        reply = self._api.post(path, params={"prefetchConversationId": "true"}, json=body)
        assert reply.status_code == 200, reply.text
        document: dict[str, Any] = reply.json()
        return document


@pytest.fixture
def hook() -> Iterator[Hook]:
    """A webhook."""
    hook = Hook()
    yield hook
    hook.close()


@pytest.fixture
def customer(api: httpx.Client, hook: Hook) -> Customer:
    """A customer who has said nothing yet."""
    return Customer(api, hook)


def _parties(api: httpx.Client, conversation: str) -> dict[str, dict[str, Any]]:
    document = api.get(f"/api/v2/conversations/{conversation}").json()
    return {party["purpose"]: party for party in document["participants"]}


def _line(api: httpx.Client, conversation: str, purpose: str = "agent") -> str:
    communication = _parties(api, conversation)[purpose]["messages"][0]["id"]
    return f"{MESSAGES}/{conversation}/communications/{communication}"


# -- the bot ----------------------------------------------------------------------------------------------


def test_the_bot_answers_hello_with_words_and_buttons(customer: Customer, hook: Hook) -> None:
    """Receipt, typing, text, quick replies, in this order and in Open Messaging's shape; no welcome."""
    said = customer.say("hello")
    receipt, typing, text, replies = (hook.next() for _ in range(4))
    assert [one["type"] for one in (receipt, typing, text, replies)] == [
        "Receipt",
        "Event",
        "Text",
        "Structured",
    ]
    assert (receipt["id"], receipt["status"], receipt["metadata"]) == (
        said["id"],
        "Delivered",
        {"type": "delivery"},
    )
    assert receipt["channel"]["messageId"] == said["channel"]["messageId"]
    assert typing["events"] == [{"eventType": "Typing", "typing": {"type": "On", "duration": 2000}}]
    assert text["text"].startswith("Hello!")
    options = [item["quickReply"] for item in replies["content"]]
    assert {item["contentType"] for item in replies["content"]} == {"QuickReply"}
    assert options[3] == {"text": "Talk to a human", "payload": "HUMAN", "action": "Message"}
    for message in (typing, text, replies):
        assert (message["direction"], message["originatingEntity"]) == ("Outbound", "Bot")
        channel = message["channel"]
        assert (channel["id"], channel["platform"], channel["type"]) == (
            customer.integration_id,
            "Open",
            "Private",
        )
        assert channel["to"] == {"id": "guest-42", "idType": "Opaque"}
        assert (channel["from"]["id"], channel["from"]["nickname"]) == (customer.integration_id, "mine")
        assert message["conversationId"] == customer.conversation
    times = [message["channel"]["time"] for message in (receipt, typing, text, replies)]
    assert times == sorted(set(times))


def test_a_message_posted_twice_under_one_id_is_said_once(
    api: httpx.Client, sandbox: Sandbox, hook: Hook
) -> None:
    """`channel.messageId` is the key: the second is answered as the first; another integration's is its own."""
    ada, bea = Customer(api, hook, "ada"), Customer(api, hook, "bea")
    channel = {**ada.channel, "messageId": "my-id-1"}
    first = ada.say("hello", channel=channel)
    assert ada.say("hello", channel=channel) == first
    other, same = (bea.say("hello", channel={**bea.channel, "messageId": "my-id-1"}) for _ in range(2))
    assert other == same
    assert other["id"] != first["id"]
    said = [
        record for record in sandbox.world.conversations.find(ada.conversation).messages if record.inbound
    ]
    assert [one.id for one in said] == [first["id"]]


def test_a_pressed_button_is_the_script_s_payload(customer: Customer, hook: Hook) -> None:
    """A quick reply's and a card's; what was pressed is in the conversation."""
    customer.say("quick replies")
    (asked,) = hook.said()
    customer.press(asked, asked["content"][0]["quickReply"])
    assert hook.said()[0]["text"] == "RED, noted. A fine colour for a launcher button."
    customer.say("card")
    (asked,) = hook.said()
    (action,) = (one for one in asked["content"][0]["card"]["actions"] if one["type"] == "Postback")
    customer.press(asked, action, kind="Button")
    assert hook.said()[0]["text"].startswith("Sold!")


def test_what_open_messaging_cannot_show_is_said_in_words(customer: Customer, hook: Hook) -> None:
    """Cards, carousels and dates are shown; a list, a form and the newer quick replies are not."""
    shown = {
        "carousel": "Carousel",
        "dates": "DatePicker",
        "list": None,
        "form": None,
        "quick reply v2": None,
    }
    for words, kind in shown.items():
        customer.say(words)
        (message,) = hook.said()
        kinds = [item["contentType"] for item in message["content"]]
        assert kinds == ([kind] if kind else []), words
        assert message["type"] == ("Structured" if kind else "Text")
        assert message["text"]


def test_a_file_is_a_link_that_works(customer: Customer, hook: Hook, http: httpx.Client) -> None:
    """The bot's, and the customer's own is thanked for."""
    customer.say("file")
    attachment = hook.said()[0]["content"][0]["attachment"]
    assert (attachment["filename"], attachment["contentSizeBytes"]) == ("welcome.txt", 15)
    assert http.get(attachment["url"]).text == "A file for you."
    own = {"mediaType": "Image", "url": "https://a.example/a.png", "mime": "image/png"}
    customer.say("", content=[{"attachment": own}])
    assert hook.said()[0]["text"].startswith("Thank you for the file.")


def test_every_message_can_be_read_back_by_rest(
    sandbox: Sandbox, api: httpx.Client, customer: Customer, hook: Hook
) -> None:
    """With its id, in bulk, in both shapes; typing by its id only. The autouse validator looks on."""
    for words in ("hello", "card", "carousel", "dates", "file"):
        customer.say(words)
    said = hook.said(6)
    path = f"{MESSAGES}/{customer.conversation}"
    flow = next(p for p in api.get(path).json()["participants"] if p["purpose"] == "workflow")
    assert [one["messageId"] for one in flow["messages"]] == [message["id"] for message in said]
    bulk = api.post(f"{path}/messages/bulk", json=[message["id"] for message in said]).json()["entities"]
    assert [one["normalizedMessage"]["text"] for one in bulk] == [message["text"] for message in said]
    sandbox.agent.typing()
    while (typing := hook.next())["originatingEntity"] != "Human":
        pass
    assert api.get(f"{MESSAGES}/{typing['id']}/details").json()["normalizedMessage"]["type"] == "Event"


def test_pauses_are_the_sandbox_s_own_and_a_sandbox_without_a_bot_is_silent(
    customer: Customer, hook: Hook, sandbox: Sandbox
) -> None:
    """The text after a script's delay comes when the clock says so; a reset forgets it."""
    sandbox.clock.freeze()
    customer.say("typing")
    assert [hook.next()["type"] for _ in range(2)] == ["Receipt", "Event"]
    sandbox.clock.advance(1)
    assert hook.said()[0]["text"].startswith("There.")
    customer.say("typing")
    assert [hook.next()["type"] for _ in range(2)] == ["Receipt", "Event"]
    customers = sandbox._messaging.customers
    (held,) = customers.present
    sandbox.reset()
    assert (held.errands.timer, len(held.errands.steps), customers.present) == (None, 0, [])


def test_a_script_of_one_s_own_speaks_to_customers_too(tmp_path: Path, hook: Hook) -> None:
    """`bot=`, with groups; `event: join` is a messenger's and never welcomes a customer. False is silent."""
    script = tmp_path / "bot.yaml"
    script.write_text(
        "lines: [{event: join, reply: [Welcome]}, {when: 'my name is (.*)', reply: ['Hi {1}', disconnect]}]"
    )
    with Sandbox(bot=script) as sandbox, _api(sandbox) as api:
        customer = Customer(api, hook)
        customer.say("my name is Ada")
        assert [hook.next().get("text") for _ in range(2)] == [None, "Hi Ada"]
        assert sandbox.agent.conversations == ()
    with Sandbox(bot=False) as sandbox, _api(sandbox) as api:
        Customer(api, hook).say("hello")
        assert sandbox.agent.transcript() == (("customer", "hello"),)


def _api(sandbox: Sandbox) -> httpx.Client:
    token = sandbox.world.issue_token(sandbox.world.client).value
    address = f"http://127.0.0.1:{sandbox.http_port}"
    return httpx.Client(base_url=address, trust_env=False, headers={"Authorization": f"Bearer {token}"})


# -- the agent --------------------------------------------------------------------------------------------


def test_a_handover_alerts_an_agent_who_answers_by_rest(
    sandbox: Sandbox, api: httpx.Client, customer: Customer, hook: Hook
) -> None:
    """Queue, alerting, connected by speaking; typing, words, a file, the end; the bot is silent then."""
    customer.say("Talk to a human")
    assert hook.said()[0]["text"].startswith("I call somebody.")
    parties = _parties(api, customer.conversation)
    assert parties["acd"]["queueId"] == sandbox.queue_id
    assert parties["agent"]["messages"][0]["state"] == "alerting"
    customer.say("still the bot?")
    assert hook.said()[0]["originatingEntity"] == "Bot"
    line = _line(api, customer.conversation)
    sent = api.post(f"{line}/messages", json={"textBody": "Hi Ada"}).json()
    (heard,) = hook.said()
    assert (heard["id"], heard["text"], heard["originatingEntity"]) == (sent["id"], "Hi Ada", "Human")
    assert (sent["messengerType"], sent["status"]) == ("open", "sent")
    parties = _parties(api, customer.conversation)
    assert parties["agent"]["messages"][0]["state"] == "connected"
    assert parties["workflow"]["messages"][0]["disconnectType"] == "transfer"
    customer.say("hello")
    assert hook.next()["type"] == "Receipt"
    assert api.post(f"{line}/typing", json={"typing": {"type": "On", "duration": 900}}).status_code == 204
    assert hook.next()["events"][0]["typing"] == {"type": "On", "duration": 900}
    place = api.post(f"{line}/messages/media/uploads", json={"fileName": "a.txt", "contentLengthBytes": 3})
    upload = place.json()
    httpx.put(upload["uploadUrl"], content=b"abc", headers=upload["uploadHeaders"], trust_env=False)
    while api.post(f"{line}/messages", json={"mediaIds": [upload["id"]]}).status_code != 200:
        pass
    assert hook.said()[0]["content"][0]["attachment"]["filename"] == "a.txt"
    api.patch(
        f"{MESSAGES}/{customer.conversation}/participants/{parties['agent']['id']}",
        json={"state": "disconnected"},
    )
    ended = _parties(api, customer.conversation)
    assert {party["messages"][0]["state"] for party in ended.values()} == {"disconnected"}
    assert api.post(f"{line}/messages", json={"textBody": "x"}).json()["code"] == "request.conflict"


def test_the_agent_s_verbs_reach_a_customer(sandbox: Sandbox, customer: Customer, hook: Hook) -> None:
    """Without a handover and without a name, if no guest is there; what the channel lacks is refused."""
    customer.say("anything")
    hook.said()
    agent = sandbox.agent
    assert agent.conversations == (customer.conversation,)
    message_id = agent.say("I am Ada", nickname="Ada", image="https://a.example/a.png")
    (message,) = hook.said()
    assert (message["id"], message["originatingEntity"]) == (message_id, "Human")
    assert message["channel"]["from"]["nickname"] == "Ada"
    agent.typing(seconds=3)
    assert hook.next()["events"][0]["typing"]["duration"] == 3000
    agent.typing(on=False)
    shown: tuple[tuple[Callable[[], str], str], ...] = (
        (lambda: agent.quick_replies("Pick", "Red", to=customer.name), "QuickReply"),
        (lambda: agent.card("T", "D", to=customer.conversation), "Card"),
        (lambda: agent.carousel({"title": "A"}, {"title": "B"}), "Carousel"),
        (lambda: agent.date_picker("When", "2030-01-01T10:00:00.000Z"), "DatePicker"),
        (lambda: agent.attachment(b"abc", name="a.txt"), "Attachment"),
    )
    for verb, kind in shown:
        verb()
        assert hook.next()["content"][0]["contentType"] == kind
    with pytest.raises(SandboxError, match="cannot be shown form"):
        agent.form("F", {"questions": [{"id": "q"}]})
    assert agent.transcript()[-1] == ("agent", "")
    agent.disconnect()
    assert agent.conversations == ()
    with pytest.raises(SandboxError, match="known"):
        agent.say("too late", to=customer.conversation)
    first = customer.conversation
    customer.say("me again")
    assert hook.said()[0]["conversationId"] == customer.conversation != first


def test_a_guest_comes_before_a_customer_unless_one_is_named(
    sandbox: Sandbox, customer: Customer, hook: Hook
) -> None:
    """The default stays the guest who spoke last."""
    guest = Guest(sandbox)
    guest.say("echo me")
    guest.until_text("You said")
    customer.say("later than the guest")
    hook.said()
    sandbox.agent.say("for the guest")
    assert guest.receive()["body"]["text"] == "for the guest"
    sandbox.agent.say("for the customer", to=customer.conversation)
    assert hook.said()[0]["text"] == "for the customer"
    assert len(sandbox.agent.conversations) == 2
    guest.close()


def test_a_channel_hears_of_a_customer_as_of_a_guest(
    sandbox: Sandbox, api: httpx.Client, customer: Customer, hook: Hook
) -> None:
    """Queue, agent and detail events, from the handover to the end."""
    customer.say("anything")
    hook.said()
    detail = f"v2.detail.events.conversation.{customer.conversation}"
    queue_topic = f"v2.routing.queues.{sandbox.queue_id}.conversations.messages"
    channel = api.post("/api/v2/notifications/channels").json()
    topics = [queue_topic, *(f"{detail}.{what}" for what in ("acd.start", "user.start", "user.end"))]
    api.put(
        f"/api/v2/notifications/channels/{channel['id']}/subscriptions", json=[{"id": one} for one in topics]
    )
    heard: list[dict[str, Any]] = []
    address = f"ws://127.0.0.1:{sandbox.http_port}/channels/{channel['id']}"
    with connect(address, proxy=None) as socket:
        customer.say("Talk to a human")
        hook.said()
        sandbox.agent.say("Here I am")
        sandbox.agent.disconnect()
        while not heard or heard[-1]["topicName"] != queue_topic or not _is_over(heard[-1]):
            heard.append(json.loads(socket.recv(5)))
    told = [frame["topicName"].removeprefix(f"{detail}.") for frame in heard]
    assert [name for name in told if name != queue_topic] == ["acd.start", "user.start", "user.end"]
    states = [
        next((p["state"] for p in frame["eventBody"]["participants"] if p["purpose"] == "agent"), "")
        for frame in heard
        if frame["topicName"] == queue_topic
    ]
    assert list(dict.fromkeys(states)) == ["alerting", "connected", "disconnected"]


def _is_over(frame: dict[str, Any]) -> bool:
    return all(party["state"] == "disconnected" for party in frame["eventBody"]["participants"])


# -- the post ---------------------------------------------------------------------------------------------


def test_posts_are_signed_and_tried_again_in_order(sandbox: Sandbox, customer: Customer, hook: Hook) -> None:
    """Base64 HMAC of the raw body, one's own headers; a 500 holds the later messages back."""
    hook.statuses = [500]
    customer.say("hello")
    headers, body = hook.came.get(timeout=10)
    digest = base64.b64encode(hmac.new(SECRET.encode(), body, hashlib.sha256).digest()).decode()
    assert (headers["X-Hub-Signature-256"], headers["X-My-Key"]) == (f"sha256={digest}", "v")
    _wait_for(sandbox, "try 1", 500)
    assert hook.came.empty()
    sandbox.clock.advance(5)
    assert hook.came.get(timeout=10)[1] == body
    assert [hook.next()["type"] for _ in range(3)] == ["Event", "Text", "Structured"]


def test_tries_are_bounded_and_the_message_says_that_it_failed(
    sandbox: Sandbox, api: httpx.Client, customer: Customer, hook: Hook
) -> None:
    """Five tries, then the next message's turn; a refusal is not tried again."""
    hook.statuses = [200, 503, 503, 503, 503, 503, 400]
    customer.say("anything")
    assert hook.next()["type"] == "Receipt"
    failed = hook.next()["id"]
    for number in range(1, 5):
        _wait_for(sandbox, f"try {number}", 503)
        sandbox.clock.advance(5)
        assert hook.next()["id"] == failed
    _wait_for(sandbox, "given up")
    assert api.get(f"{MESSAGES}/{failed}/details").json()["status"] == "delivery-failed"
    customer.say("again")
    assert hook.next()["type"] == "Receipt"  # refused with 400
    (fine,) = hook.said()
    assert fine["text"] == "You said: again"
    assert api.get(f"{MESSAGES}/{fine['id']}/details").json()["status"] == "sent"


def _wait_for(sandbox: Sandbox, detail: str, status: int = 0) -> None:
    """Until the cloud's log has a line; the sandbox has then also done what follows it."""
    pause = threading.Event()
    while (detail, status) not in {(record.detail, record.status) for record in sandbox.backend_log}:
        pause.wait(0.002)
    sandbox.world.call(lambda: None)


def test_a_slow_receiver_holds_up_its_own_conversation_only(api: httpx.Client) -> None:
    """One webhook does not answer; another customer is served, and order holds when it does."""
    slow, fast = Hook(), Hook()
    try:
        slow.gate.clear()
        waiting, served = Customer(api, slow, "slow"), Customer(api, fast, "fast")
        waiting.say("one")
        assert slow.next()["type"] == "Receipt"
        waiting.say("two")
        served.say("hello")
        assert [fast.next()["type"] for _ in range(4)] == ["Receipt", "Event", "Text", "Structured"]
        assert slow.came.empty()
        slow.gate.set()
        assert [message["text"] for message in slow.said(2)] == ["You said: one", "You said: two"]
    finally:
        slow.close()
        fast.close()


def test_many_conversations_at_once_keep_their_order_and_their_words(
    sandbox: Sandbox, api: httpx.Client, hook: Hook
) -> None:
    """Nothing of one customer's reaches another; each hears in the order it was said."""
    customer = Customer(api, hook)
    names = [f"guest-{number}" for number in range(8)]
    for turn in range(3):
        for name in names:
            customer.name = name
            customer.say(f"{name} turn {turn}")
    by_name: dict[str, list[str]] = {name: [] for name in names}
    conversations: dict[str, set[str]] = {name: set() for name in names}
    for message in hook.said(24):
        to = message["channel"]["to"]["id"]
        by_name[to].append(message["text"])
        conversations[to].add(message["conversationId"])
    assert by_name == {name: [f"You said: {name} turn {turn}" for turn in range(3)] for name in names}
    assert len(set.union(*conversations.values())) == len(names)
    assert len(sandbox.agent.conversations) == len(names)


def test_a_reset_or_a_deleted_integration_cancels_what_waits(
    sandbox: Sandbox, api: httpx.Client, customer: Customer, hook: Hook
) -> None:
    """Nothing of the old organisation is posted afterwards."""
    hook.gate.clear()
    customer.say("hello")
    assert hook.next()["type"] == "Receipt"
    assert api.delete(f"{OPEN}/{customer.integration_id}").status_code == 204
    hook.gate.set()
    webhooks = sandbox._messaging.webhooks
    pause = threading.Event()
    while webhooks._lines:
        pause.wait(0.002)
    assert hook.came.empty()
    hook.gate.clear()
    again = Customer(api, hook)
    again.say("hello")
    assert hook.next()["type"] == "Receipt"
    (line,) = webhooks._lines.values()
    sandbox.reset()
    assert (webhooks._lines, len(line.parcels)) == ({}, 0)
    hook.gate.set()
    while line.task is not None and not line.task.done():
        pause.wait(0.002)
    assert hook.came.empty()


def test_a_webhook_elsewhere_is_never_posted_to(sandbox: Sandbox, api: httpx.Client) -> None:
    """The integration that is there from the start leads nowhere; the bot answers all the same."""
    body = {"channel": {"from": {"id": "a", "idType": "Opaque"}, "time": WHEN}, "text": "hi"}
    api.post(f"{MESSAGES}/{sandbox.integration_id}/inbound/open/message", json=body)
    assert [who for who, _ in sandbox.agent.transcript()] == ["customer", "workflow", "workflow"]
    assert not sandbox._messaging.webhooks._lines
    assert any("not on this machine" in record.detail for record in sandbox.backend_log)
