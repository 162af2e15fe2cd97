"""A customer played by a server: Open Messaging, both ways, with a client-credentials token.

What the forum's question really wanted: one token, and a program in the customer's place. Words go in over
REST, the agent's come out at a webhook. It is not the guest socket, and its conversation is not a guest's.
"""

from __future__ import annotations

import queue
import secrets
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

from guestlab.bridge import bridge
from guestlab.errors import DeadlineError, InputError, SessionEnded
from guestlab.log.frame_columns import message_columns
from guestlab.protocol.messages import Message
from guestlab.visible import visible
from guestlab.webhook import WebhookReceiver, addressee

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType

    from guestlab.log import Log
    from guestlab.platform_api import PlatformApi

__all__ = ["Customer", "record_said"]


def record_said(log: Log, customer_id: str, accepted: Mapping[str, Any]) -> Message:
    """Record the platform's copy of what a customer said by Open Messaging; return it as a message."""
    message = Message.from_body({"direction": "Inbound", **accepted})
    log.record(
        "history",
        stage="conversation",
        session=f"open-{customer_id}",
        conversation_id=str(accepted.get("conversationId") or "") or None,
        **message_columns(message),
    )
    return message


class Customer:
    """One customer of one Open Messaging integration; every verb blocks. `lab.customer()` makes one.

    Args:
        api: The Platform API, with a token that has no user.
        log: Where everything is recorded, each message as a `history` entry.
        integration_id: An integration that exists; None creates one.
        secret: Its signature secret token, at least 16 characters; made here for one that is created.
        webhook_url: Where the platform reaches our webhook; by default its address on this machine.
        port: Where the webhook listens; 0 takes a free one.
        customer_id: The id the platform knows the customer by; a new one by default.

    Raises:
        InputError: An integration without its secret: what comes back could not be told from a forgery.
        PlatformError: The platform refused to create one.
    """

    def __init__(
        self,
        api: PlatformApi,
        *,
        log: Log,
        integration_id: str | None = None,
        secret: str | None = None,
        webhook_url: str | None = None,
        port: int = 0,
        customer_id: str | None = None,
    ) -> None:
        if integration_id is not None and not secret:
            raise InputError(
                "The integration's signature secret is missing.",
                why="Without it what comes to the webhook cannot be told from a forgery.",
                next_step="Pass secret=, its outbound notification webhook signature secret token.",
            )
        self._api, self.log = api, log
        self.id = customer_id or f"guestlab-{uuid4().hex[:8]}"
        self.name = f"open-{self.id}"
        self.conversation_id = ""
        self._is_closed = False
        self._came: queue.Queue[Message] = queue.Queue()
        secret = secret or secrets.token_urlsafe(24)
        self._receiver = WebhookReceiver(secret, self._receive, log=log, port=port, session=self.name)
        try:
            self.integration_id = integration_id or bridge.run(
                api.create_open_integration("guestlab", webhook_url or self._receiver.url, secret=secret)
            )
        except BaseException:
            self._receiver.close()
            raise

    def __repr__(self) -> str:
        return f"<Customer {self.id} by Open Messaging integration {self.integration_id}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def webhook_url(self) -> str:
        """Where the webhook listens on this machine; a tunnel leads here."""
        return self._receiver.url

    def send(self, text: str) -> Message:
        """Say something as the customer; returns the platform's own copy of it.

        Raises:
            PlatformError: The platform refused: with a user's token it says `not.a.client`.
        """
        self._check_open()
        accepted = bridge.run(self._api.send_open_message(self.integration_id, text, guest=self.id))
        self.conversation_id = str(accepted.get("conversationId") or self.conversation_id)
        return record_said(self.log, self.id, {**accepted, "conversationId": self.conversation_id})

    def typing(self) -> None:
        """Show that the customer is typing."""
        bridge.run(self._api.send_open_event(self.integration_id, guest=self.id))

    def received(self, message: Message, *, status: str = "Delivered") -> None:
        """Say what became of a message of the agent's: Delivered, or Failed."""
        bridge.run(self._api.send_open_receipt(self.integration_id, message.id, guest=self.id, status=status))

    def next(self, *, timeout: float = 10.0) -> Message:
        """Wait for the next message that is no event and no receipt.

        Raises:
            DeadlineError: None came in time.
        """
        try:
            return self._came.get(timeout=timeout)
        except queue.Empty:
            raise DeadlineError(
                f"Nothing came to the webhook within {timeout:g} seconds.",
                why="Nobody answered, or the platform cannot reach the webhook.",
                next_step=f"See that {self.webhook_url} is what the integration's address leads to.",
            ) from None

    def messages(self, *, quiet: float = 1.0) -> Iterator[Message]:
        """Read messages until none has come for so many seconds."""
        while True:
            try:
                yield self.next(timeout=quiet)
            except DeadlineError:
                return

    def close(self) -> None:
        """Stop listening. The integration stays."""
        self._is_closed = True
        self._receiver.close()

    def _check_open(self) -> None:
        if self._is_closed:
            raise SessionEnded(
                "This customer is closed.",
                why="Its webhook listens no more, so no answer could come.",
                next_step="Make a new one: lab.customer().",
            )

    def _receive(self, message: Message) -> None:
        if addressee(message) in {"", self.id} and message.type not in {"Event", "Receipt"}:
            self._came.put(message)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        from guestlab.display import customer_html

        return {"text/plain": visible(repr(self)), "text/html": customer_html(self)}
