"""How the bot and the agent speak in a conversation, whoever is at its other end.

One set of verbs for a guest on the socket (here, over `dialogue.py`) and for an Open Messaging customer
behind a webhook (`customers.py`). What the bot still has to do is kept with whom it does it for.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from guestlab.sandbox.content import CONTENT
from guestlab.sandbox.dialogue import BOT

if TYPE_CHECKING:
    from guestlab.sandbox.attachments import FileOwner
    from guestlab.sandbox.clock import Timer
    from guestlab.sandbox.conversations import Conversation, Participant
    from guestlab.sandbox.messaging import Messaging
    from guestlab.sandbox.scripts import Step
    from guestlab.sandbox.sessions import Session

__all__ = ["Errands", "GuestVoice", "Voice"]


@dataclass(slots=True, eq=False)
class Errands:
    """What the bot still has to do for somebody, and the timer of its pause."""

    steps: deque[Step] = field(default_factory=deque)
    timer: Timer | None = None

    def drop(self) -> None:
        """Do none of it."""
        self.steps.clear()
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


class Voice(Protocol):
    """What can be done in a conversation from its other side."""

    @property
    def conversation(self) -> Conversation | None:
        """The conversation; None before a guest's first message."""

    @property
    def errands(self) -> Errands:
        """What the bot still has to do."""

    @property
    def is_open(self) -> bool:
        """Whether the bot may still speak."""

    @property
    def owner(self) -> FileOwner:
        """Whose the files are."""

    @property
    def shows(self) -> frozenset[str]:
        """The kinds of content the other end can be shown."""

    def say(
        self,
        *,
        text: str | None = None,
        content: list[dict[str, Any]] | None = None,
        entity: str = BOT,
        kind: str | None = None,
        sender: dict[str, str] | None = None,
        party: Participant | None = None,
    ) -> str:
        """Say or show something; returns the message's id."""

    def typing(self, *, on: bool = True, duration: int = 5000, entity: str = BOT) -> None:
        """Show that somebody types."""

    def send_file(self, *, name: str, data: bytes, entity: str = BOT, mime: str | None = None) -> str:
        """Send a file; returns the message's id."""

    def disconnect(self, *, read_only: bool | None = None) -> None:
        """End the conversation."""


@dataclass(frozen=True, slots=True)
class GuestVoice:
    """Speaks to a guest on the socket."""

    messaging: Messaging
    session: Session

    @property
    def conversation(self) -> Conversation | None:
        """The session's conversation."""
        return self.session.conversation

    @property
    def errands(self) -> Errands:
        """Kept in the session."""
        return self.session.errands

    @property
    def is_open(self) -> bool:
        """Whether the session lives and may be written to."""
        return self.session.alive and not self.session.read_only

    @property
    def owner(self) -> Session:
        """The session has the files."""
        return self.session

    @property
    def shows(self) -> frozenset[str]:
        """Everything there is."""
        return frozenset(CONTENT)

    def say(
        self,
        *,
        text: str | None = None,
        content: list[dict[str, Any]] | None = None,
        entity: str = BOT,
        kind: str | None = None,
        sender: dict[str, str] | None = None,
        party: Participant | None = None,
    ) -> str:
        """Push a message to every connection."""
        body = self.messaging.dialogue.say(
            self.session, text=text, content=content, entity=entity, kind=kind, sender=sender, party=party
        )
        return str(body["id"])

    def typing(self, *, on: bool = True, duration: int = 5000, entity: str = BOT) -> None:
        """Push a typing event, unless the deployment hides it."""
        self.messaging.dialogue.typing(self.session, on=on, duration=duration, entity=entity)

    def send_file(self, *, name: str, data: bytes, entity: str = BOT, mime: str | None = None) -> str:
        """Push a message with a link to the file."""
        sent = self.messaging.send_file(self.session, name=name, data=data, entity=entity, mime=mime)
        return str(sent["id"])

    def disconnect(self, *, read_only: bool | None = None) -> None:
        """End it as the deployment's switch says, or as `read_only` does."""
        self.messaging.dialogue.disconnect(self.session, read_only=read_only)
