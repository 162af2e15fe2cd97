"""The agent's voice: verbs by which a program plays the human on the other side.

Each verb speaks in the conversation of the guest who spoke last, or in the one named by `to=` (a
conversation id, a guest token or an Open Messaging customer's id); if no guest is there, in that of the
customer who spoke last. The agent joins through the queue with the first thing said; from then on the bot is
silent.
"""

from __future__ import annotations

import mimetypes
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from guestlab.errors import SandboxError
from guestlab.sandbox.content import CONTENT
from guestlab.sandbox.dialogue import AGENT

if TYPE_CHECKING:
    from collections.abc import Callable

    from guestlab.sandbox.conversations import Conversation
    from guestlab.sandbox.messaging import Messaging
    from guestlab.sandbox.voices import Voice

__all__ = ["Agent"]

T = TypeVar("T")


class Agent:
    """One agent for all conversations; every verb may be called from any thread."""

    def __init__(self, messaging: Messaging) -> None:
        self._messaging = messaging

    def __repr__(self) -> str:
        return f"Agent({len(self.conversations)} conversations)"

    @property
    def conversations(self) -> tuple[str, ...]:
        """The ids of the running conversations of guests and Open Messaging customers, newest last."""

        def there() -> tuple[str, ...]:
            running = [
                session.conversation
                for session in self._messaging.sessions
                if session.conversation is not None and session.conversation.ended_at is None
            ]
            running += [customer.conversation for customer in self._messaging.customers.present]
            return tuple(c.id for c in sorted(running, key=lambda c: c.started_at))

        found: tuple[str, ...] = self._messaging.world.call(there)
        return found

    def transcript(self, *, to: str | None = None) -> tuple[tuple[str, str], ...]:
        """Who said what, oldest first, such as ("customer", "hello")."""

        def there(voice: Voice) -> tuple[tuple[str, str], ...]:
            messages = voice.conversation.messages if voice.conversation is not None else ()
            return tuple((m.participant.purpose, str(m.normalized.get("text") or "")) for m in messages)

        return self._with(to, there)

    def say(self, text: str, *, to: str | None = None, nickname: str = "", image: str = "") -> str:
        """Say something; returns the message's id.

        Args:
            text: The words.
            to: A conversation id, a guest token or a customer's id; by default the guest who spoke last, or
                the Open Messaging customer who did if no guest is there.
            nickname: The alias the guest sees; a customer's webhook sees the integration's name without.
            image: The address of the agent's picture.
        """
        sender = {k: v for k, v in (("nickname", nickname), ("image", image)) if v}
        return self._with(to, lambda voice: voice.say(text=text, entity=AGENT, sender=sender))

    def typing(self, *, on: bool = True, seconds: float = 5.0, to: str | None = None) -> None:
        """Show that the agent types."""

        def there(voice: Voice) -> None:
            self._messaging.world.conversations.agent(_running(voice))
            voice.typing(on=on, duration=int(seconds * 1000), entity=AGENT)

        self._with(to, there)

    def show(self, kind: str, /, *, to: str | None = None, **values: Any) -> str:
        """Show content of any kind the sandbox can make; returns the message's id.

        Args:
            kind: quick_replies, quick_replies_v2, card, carousel, list_picker, date_picker or form; for a
                customer of Open Messaging quick_replies, card, carousel or date_picker.
            to: A conversation id, a guest token or a customer's id.
            values: As in a script file.
        """
        if kind not in CONTENT:
            raise SandboxError(
                f"There is no content called {kind!r}.",
                why=f"The sandbox can make {', '.join(CONTENT)}.",
                next_step="Take one of these.",
            )
        try:
            text, content = CONTENT[kind](values)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise SandboxError(
                f"This {kind} cannot be made.",
                why=f"{error}.",
                next_step="Compare with the same step in the built-in bot's script, default_bot.yaml.",
            ) from None

        def there(voice: Voice) -> str:
            if kind not in voice.shows:
                raise SandboxError(
                    f"An Open Messaging customer cannot be shown {kind}.",
                    why=f"That channel has {', '.join(sorted(voice.shows))} (inferred from its documents).",
                    next_step="Take one of these, or say it in words.",
                )
            return voice.say(text=text, content=content, entity=AGENT)

        return self._with(to, there)

    def quick_replies(self, text: str, *options: str | dict[str, str], to: str | None = None) -> str:
        """Offer quick replies: words, or {text, payload}."""
        return self.show("quick_replies", to=to, text=text, options=options)

    def card(self, title: str, description: str = "", *, to: str | None = None, **values: Any) -> str:
        """Show a card; `actions` are words, {text, payload} or {text, url}."""
        return self.show("card", to=to, title=title, description=description, **values)

    def carousel(self, *cards: dict[str, Any], to: str | None = None, text: str = "") -> str:
        """Show several cards."""
        return self.show("carousel", to=to, cards=cards, text=text)

    def list_picker(
        self, text: str, *items: str | dict[str, str], to: str | None = None, **values: Any
    ) -> str:
        """Show a list to pick from; `multiple=True` allows several."""
        return self.show("list_picker", to=to, text=text, items=items, **values)

    def date_picker(self, title: str, *times: str, to: str | None = None, **values: Any) -> str:
        """Offer times (ISO 8601)."""
        return self.show("date_picker", to=to, title=title, times=times, **values)

    def form(self, title: str, *pages: dict[str, Any], to: str | None = None, **values: Any) -> str:
        """Ask the guest to fill in a form: pages of {title, questions}."""
        return self.show("form", to=to, title=title, pages=pages, **values)

    def attachment(
        self,
        source: str | Path | bytes,
        *,
        name: str | None = None,
        mime: str | None = None,
        to: str | None = None,
    ) -> str:
        """Send a file, or bytes under a name; returns the message's id."""
        if isinstance(source, bytes):
            data, name = source, name or "file.bin"
        else:
            path = Path(source)
            try:
                data, name = path.read_bytes(), name or path.name
            except OSError as error:
                raise SandboxError(
                    f"{path} cannot be sent.",
                    why=f"{error.strerror}.",
                    next_step="Check the path.",
                ) from None
        mime = mime or mimetypes.guess_type(name)[0]
        return self._with(to, lambda voice: voice.send_file(name=name, data=data, mime=mime, entity=AGENT))

    def disconnect(self, *, read_only: bool | None = None, to: str | None = None) -> None:
        """End the conversation; what the guest sees is the deployment's switch.

        Args:
            read_only: True or False overrides the deployment's switch. Open Messaging has none.
            to: A conversation id, a guest token or a customer's id.
        """
        self._with(to, lambda voice: voice.disconnect(read_only=read_only))

    def _with(self, to: str | None, function: Callable[[Voice], T]) -> T:
        result: T = self._messaging.world.call(lambda: function(self._voice(to)))
        return result

    def _voice(self, to: str | None) -> Voice:
        found = self._messaging.named_voice(to)
        if found is None:
            raise SandboxError(
                "There is no guest to talk to." if to is None else f"Nobody is known as {to!r}.",
                why="No guest session is open." if to is None else "It is no living conversation or guest.",
                next_step="Connect a guest and configure its session, or send an open message, first.",
            )
        return found


def _running(voice: Voice) -> Conversation:
    conversation = voice.conversation
    if conversation is None or conversation.ended_at is not None:
        raise SandboxError(
            "This guest has no running conversation.",
            why="A conversation begins with the guest's first message.",
            next_step="Let the guest say something first.",
        )
    return conversation
