"""The vendor's own SDKs, unmodified, take the sandbox for the Platform API.

The Python SDK runs in a process of its own: its dependencies are many, and an interpreter that has them may be another
one. `GUESTLAB_SDK_PYTHON` names it; else the current one is tried. What it made, the plainest WebSocket client
listens to.
"""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from websockets.sync.client import connect

from guestlab.sandbox import Sandbox

from .conftest import absent, tool

PACKAGE = "PureCloudPlatformClientV2"
_SDK_PYTHON = os.environ.get("GUESTLAB_SDK_PYTHON", sys.executable)  # read before the environment is cleaned
HEARTBEAT = {"topicName": "channel.metadata", "eventBody": {"message": "WebSocket Heartbeat"}}


@cache
def _has_sdk() -> bool:
    found = f"import importlib.util as u, sys; sys.exit(u.find_spec('{PACKAGE}') is None)"
    return subprocess.run([_SDK_PYTHON, "-c", found], check=False).returncode == 0


class Sdk:
    """The SDK's process: one line there, one line back."""

    def __init__(self, home: Path) -> None:
        script = Path(__file__).with_name("platform_sdk.py")
        environment = {"HOME": str(home), "PATH": os.environ.get("PATH", ""), "NO_PROXY": "*"}
        self._process = subprocess.Popen(
            [_SDK_PYTHON, str(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        assert self._read()["version"] is not None

    def __call__(self, verb: str, **arguments: Any) -> Any:
        """Have it do something."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": verb, **arguments}) + "\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the SDK's process ended"
        return json.loads(line)

    def close(self) -> None:
        """End it."""
        self._process.__exit__(None, None, None)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """One for all: the SDK keeps the first certificate authority it was given."""
    with Sandbox(tls=True) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def sdk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sdk]:
    """The SDK, waiting; starting it takes seconds, and each test logs in anew."""
    if not _has_sdk():
        absent(f"{PACKAGE} (for {_SDK_PYTHON}; GUESTLAB_SDK_PYTHON names another interpreter)")
    sdk = Sdk(tmp_path_factory.mktemp("home"))
    yield sdk
    sdk.close()


@pytest.fixture
def logged_in(sandbox: Sandbox, sdk: Sdk) -> Sdk:
    """The SDK, logged in at the sandbox's hosts over TLS."""
    answer = sdk(
        "region",
        host=f"https://api.localhost:{sandbox.tls_port}",
        ca_file=str(sandbox.ca_file),
        client_id=sandbox.client_id,
        client_secret=sandbox.client_secret,
    )
    assert answer == {"token": True}
    return sdk


def test_the_sdk_logs_in_over_tls_and_learns_who_it_is(sandbox: Sandbox, logged_in: Sdk) -> None:
    """By host names; tokens/me names the client, users/me is refused as the platform refuses a client."""
    me = logged_in("token")
    assert me["OAuthClient"]["id"] == sandbox.client_id
    assert me["organization"]["id"] == sandbox.organization_id
    refused = logged_in("user")["error"]
    assert refused["status"] == 400
    assert refused["body"]["code"] == "not.a.user"
    assert [one["id"] for one in logged_in("deployments")["entities"]] == [sandbox.deployment_id]


def test_a_refused_login_tells_the_sdk_why(sandbox: Sandbox, sdk: Sdk) -> None:
    """The three-key body of the login service."""
    refused = sdk("gateway", port=sandbox.http_port, client_id=sandbox.client_id, client_secret="wrong")
    assert (refused["error"]["status"], refused["error"]["body"]["error"]) == (400, "invalid_client")


def test_a_missing_permission_tells_the_sdk_which(sandbox: Sandbox, sdk: Sdk) -> None:
    """Through the SDK's gateway setting: plaintext and one origin."""
    client = sandbox.clients.add(permissions=["conversation:message:view"])
    assert sdk("gateway", port=sandbox.http_port, client_id=client.id, client_secret=client.secret)["token"]
    refused = sdk("conversation", conversation=str(uuid4()))["error"]
    assert (refused["status"], refused["body"]["code"]) == (403, "missing.any.permissions")
    assert "conversation:communication:view" in refused["body"]["message"]


def test_the_sdk_plays_the_customer_and_reads_itself_back(sandbox: Sandbox, logged_in: Sdk) -> None:
    """Open Messaging inbound, then the conversation and the message."""
    body = {
        "channel": {"from": {"id": "guest-42", "idType": "Opaque"}, "time": "2026-10-08T09:00:00.000Z"},
        "text": "Hello from the SDK",
    }
    said = logged_in("inbound", integration=sandbox.integration_id, body=body)
    conversation = logged_in("conversation", conversation=said["conversationId"])
    customer = conversation["participants"][0]
    assert customer["purpose"] == "customer"
    assert customer["messages"][0]["messages"][0]["messageId"] == said["id"]
    kept = logged_in("message", message=said["id"])
    assert kept["normalizedMessage"]["text"] == "Hello from the SDK"


def test_the_channel_the_sdk_made_tells_a_guests_conversation_in_order(
    sandbox: Sandbox, logged_in: Sdk
) -> None:
    """The SDK subscribes and answers as the agent; any WebSocket client hears it all, heartbeats between."""
    channel = logged_in("channel")
    assert channel["connectUri"].startswith(f"wss://streaming.localhost:{sandbox.tls_port}/channels/")
    queue = f"v2.routing.queues.{sandbox.queue_id}.conversations"
    topics = [f"{queue}.messages", f"v2.users.{sandbox.user_id}.conversations"]
    told = logged_in("subscribe", channel=channel["id"], topics=topics)
    assert [topic["state"] for topic in told["entities"]] == ["Permitted", "Permitted"]
    sandbox.clock.freeze()
    trust = ssl.create_default_context(cafile=str(sandbox.ca_file))
    link = socket.create_connection(("127.0.0.1", sandbox.tls_port))  # no resolver here knows *.localhost
    guest_url = f"ws://127.0.0.1:{sandbox.http_port}/v1?deploymentId={sandbox.deployment_id}"
    with (
        connect(channel["connectUri"], sock=link, ssl=trust, proxy=None) as listener,
        connect(guest_url, proxy=None) as guest,
    ):
        token = str(uuid4())
        echoes: list[str] = []

        def say(text: str) -> None:
            message = {"type": "Text", "text": text}
            guest.send(json.dumps({"action": "onMessage", "token": token, "message": message}))
            while True:
                body = json.loads(guest.recv(10))["body"]
                if body.get("direction") == "Inbound":
                    echoes.append(body["id"])
                    return

        configure = {"action": "configureSession", "deploymentId": sandbox.deployment_id, "token": token}
        guest.send(json.dumps(configure))
        assert json.loads(guest.recv(10))["class"] == "SessionResponse"
        say("talk to a human")
        conversation = sandbox.agent.conversations[-1]  # the newest; customers of other tests have theirs
        parties = logged_in("conversation", conversation=conversation)["participants"]
        (line,) = (party["messages"][0]["id"] for party in parties if party["purpose"] == "agent")
        answered = logged_in("reply", conversation=conversation, communication=line, text="I am here")
        for number in range(3):
            say(f"message {number}")
        sandbox.clock.advance(30)
        say("after a heartbeat")
        listener.send('{"message":"ping"}')
        frames = []
        while not frames or frames[-1]["eventBody"] != {"message": "pong"}:
            frames.append(json.loads(listener.recv(10)))
    said = [(place, _ids(f["eventBody"])) for place, f in enumerate(frames) if f["topicName"] == topics[0]]
    first_seen = list(dict.fromkeys(identifier for _, listing in said for identifier in listing))
    ours = [identifier for identifier in first_seen if identifier in {*echoes, answered["id"]}]
    assert ours == [echoes[0], answered["id"], *echoes[1:]]
    (beat,) = (place for place, frame in enumerate(frames) if frame == HEARTBEAT)
    assert [echoes[-1] in listing for place, listing in said if place < beat] == [False] * (len(said) - 1)
    assert echoes[-1] in said[-1][1]
    assert topics[1] in {frame["topicName"] for frame in frames}


def _ids(body: dict[str, Any]) -> list[str]:
    """A conversation's message ids by time."""
    found = [
        (message["messageTime"], message["message"]["id"])
        for party in body["participants"]
        for message in party["messages"]
    ]
    return [identifier for _, identifier in sorted(found)]


def test_the_javascript_sdk_does_the_same_through_its_gateway_setting(sandbox: Sandbox) -> None:
    """Over TLS, one origin: login, who am I, the refusals, a channel whose address leads back the same way."""
    package = "purecloud-platform-client-v2"
    node = tool("node")
    environment = {**os.environ, "NODE_EXTRA_CA_CERTS": str(sandbox.ca_file), "NO_PROXY": "*"}
    if subprocess.run([node, "-e", f"require.resolve('{package}')"], env=environment, check=False).returncode:
        absent(f"{package} (NODE_PATH names where)")
    topic = f"v2.routing.queues.{sandbox.queue_id}.conversations.messages"
    script = Path(__file__).with_name("platform_sdk.js")
    arguments = ["127.0.0.1", str(sandbox.tls_port), sandbox.client_id, sandbox.client_secret, topic]
    ran = subprocess.run(
        [node, str(script), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert (told["wrong"]["status"], told["wrong"]["error"]) == (400, "invalid_client")
    assert told["me"]["OAuthClient"]["id"] == sandbox.client_id
    assert (told["user"]["status"], told["user"]["code"]) == (400, "not.a.user")
    assert told["channel"]["connectUri"].startswith(f"wss://127.0.0.1:{sandbox.tls_port}/channels/")
    assert told["topics"]["entities"][0]["state"] == "Permitted"
    assert (told["invalid"]["status"], told["invalid"]["code"]) == (400, "notification.invalid.topic")
    assert told["expires"] > 0
