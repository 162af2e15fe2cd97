"""Open Messaging's other direction: what is said to the customer goes to the integration's webhook.

Signed as documented: `X-Hub-Signature-256: sha256=` and the base64 (not hex) HMAC-SHA256 of the raw body.
Unlike the cloud, the sandbox posts to plain http too, and only to loopback addresses: nothing it does leaves
this machine. Five tries, five seconds apart, while the answer is a time-out, 429 or 5xx. One conversation's
messages go out one after another, in order; no conversation waits for another's receiver.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import ssl
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from guestlab.regions import is_loopback_host

if TYPE_CHECKING:
    from guestlab.sandbox.conversations import Conversation, MessageData
    from guestlab.sandbox.world import Integration, World

__all__ = ["Webhooks", "signature"]

TRIES = 5
SECONDS_BETWEEN = 5.0
TIMEOUT = 10.0
HEAD_START = 0.02
"""Seconds of the machine's own time by which the REST answer that caused a message is ahead of its post."""
WAITING = 1000
"""Messages of one conversation that may wait for its receiver; further ones are given up."""


def signature(secret: str, body: bytes) -> str:
    """The value of the signature header."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return "sha256=" + base64.b64encode(digest).decode()


@dataclass(frozen=True, slots=True)
class _Parcel:
    """One message on its way."""

    integration: Integration
    body: bytes
    due: float
    """When it may go out, by the loop's time."""
    message: MessageData | None


@dataclass(slots=True, eq=False)
class _Line:
    """The messages of one conversation, and the task that carries them."""

    parcels: deque[_Parcel] = field(default_factory=deque)
    task: asyncio.Task[None] | None = None


class Webhooks:
    """Delivers outbound messages, in the background."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._lines: dict[str, _Line] = {}

    def clear(self) -> None:
        """Give up what is still to be delivered."""
        for line in self._lines.values():
            line.parcels.clear()
            if line.task is not None:
                line.task.cancel()
        self._lines.clear()

    def send(
        self, conversation: Conversation, normalized: dict[str, Any], message: MessageData | None = None
    ) -> None:
        """Post something to the conversation's integration, after what waits already.

        Args:
            conversation: Whose.
            normalized: The normalised message.
            message: What is kept of it: its status says so when it could not be delivered.
        """
        found = self._world.integrations.get(conversation.own_address)
        if found is None:
            return
        if not is_loopback_host(urlsplit(found.webhook_url).hostname or ""):
            self._record(found, 0, "not posted: the webhook is not on this machine")
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._record(found, 0, "not posted: the sandbox is not running")
            return
        line = self._lines.setdefault(conversation.id, _Line())
        if len(line.parcels) >= WAITING:
            self._give_up(found, message, "not posted: too many messages wait for this receiver")
            return
        body = json.dumps({**normalized, "conversationId": conversation.id}).encode()
        line.parcels.append(_Parcel(found, body, loop.time() + HEAD_START, message))
        if line.task is None or line.task.done():  # done: a server that was stopped took its tasks along
            line.task = loop.create_task(self._carry(conversation.id, line))

    async def _carry(self, conversation_id: str, line: _Line) -> None:
        """Carry a line until it is empty."""
        loop = asyncio.get_running_loop()
        try:
            while line.parcels:
                parcel = line.parcels.popleft()
                await asyncio.sleep(parcel.due - loop.time())
                await self._deliver(parcel)
        finally:
            if self._lines.get(conversation_id) is line:
                del self._lines[conversation_id]

    async def _deliver(self, parcel: _Parcel) -> None:
        found, status = parcel.integration, 0
        for attempt in range(1, TRIES + 1):
            if self._world.integrations.get(found.id) is not found:
                return
            try:
                status = await asyncio.wait_for(_post(found, parcel.body), TIMEOUT)
            except (OSError, TimeoutError, ValueError):
                status = 0
            self._record(found, status, f"try {attempt}")
            if status and status != 429 and status < 500:
                break
            if attempt < TRIES:
                await self._world.clock.sleep(SECONDS_BETWEEN)
        if not 200 <= status < 300:
            self._give_up(found, parcel.message, "given up")

    def _give_up(self, found: Integration, message: MessageData | None, why: str) -> None:
        self._record(found, 0, why)
        if message is not None:
            message.status = "delivery-failed"
            self._world.conversations.tell("conversation", message.conversation)

    def _record(self, found: Integration, status: int, detail: str) -> None:
        path = urlsplit(found.webhook_url).path or "/"
        self._world.record("open messaging", f"POST {path}", status, detail=detail)


async def _post(found: Integration, body: bytes) -> int:
    """Post by hand and return the status; cancelled with the loop, no thread, no dependency."""
    url = urlsplit(found.webhook_url)
    secure = url.scheme == "https"
    context = ssl._create_unverified_context() if secure else None  # noqa: S323, SLF001 - loopback only
    port = url.port or (443 if secure else 80)
    headers = {
        "Host": url.netloc,
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "X-Hub-Signature-256": signature(found.webhook_secret, body),
        "Connection": "close",
        **found.headers,
    }
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    lines = [f"POST {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("a header or address with a line break")
    # Debian's resolver knows no *.localhost; every name that got here means this machine.
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    try:
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        status_line = (await reader.readline()).split()
        return int(status_line[1]) if len(status_line) > 1 else 0
    finally:
        writer.close()
