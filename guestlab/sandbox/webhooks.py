"""Open Messaging's other direction: what the agent says goes to the integration's webhook.

Signed as documented: `X-Hub-Signature-256: sha256=` and the base64 (not hex) HMAC-SHA256 of the raw body.
Unlike the cloud, the sandbox posts to plain http too, and only to loopback addresses: nothing it does leaves
this machine. Five tries, five seconds apart, while the answer is a time-out, 429 or 5xx.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from guestlab.regions import is_loopback_host

if TYPE_CHECKING:
    from guestlab.sandbox.conversations import Conversation
    from guestlab.sandbox.world import Integration, World

__all__ = ["Webhooks", "signature"]

TRIES = 5
SECONDS_BETWEEN = 5.0
TIMEOUT = 10.0


def signature(secret: str, body: bytes) -> str:
    """The value of the signature header."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return "sha256=" + base64.b64encode(digest).decode()


class Webhooks:
    """Delivers outbound messages, in the background."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._running: set[asyncio.Task[None]] = set()

    def clear(self) -> None:
        """Give up what is still to be delivered."""
        for task in self._running:
            task.cancel()

    def send(self, conversation: Conversation, normalized: dict[str, Any]) -> None:
        """Post one message to the conversation's integration."""
        found = self._world.integrations.get(conversation.own_address)
        if found is None:
            return
        if not is_loopback_host(urlsplit(found.webhook_url).hostname or ""):
            self._record(found, 0, "not posted: the webhook is not on this machine")
            return
        body = json.dumps({**normalized, "conversationId": conversation.id}).encode()
        task = asyncio.get_running_loop().create_task(self._deliver(found, body))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _deliver(self, found: Integration, body: bytes) -> None:
        for attempt in range(1, TRIES + 1):
            try:
                status = await asyncio.wait_for(_post(found, body), TIMEOUT)
            except (OSError, TimeoutError, ValueError):
                status = 0
            self._record(found, status, f"try {attempt}")
            if status and status != 429 and status < 500:
                return
            await self._world.clock.sleep(SECONDS_BETWEEN)

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
