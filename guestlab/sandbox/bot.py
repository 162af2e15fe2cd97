"""The bot at work: carries out a script's steps in a session, one after another.

No task per session: steps wait in the session, and a pause is a timer of the sandbox's clock. The bot is
silent while an agent is in the conversation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guestlab.sandbox.content import CONTENT
from guestlab.sandbox.dialogue import BOT

if TYPE_CHECKING:
    from collections.abc import Callable

    from guestlab.sandbox.messaging import Messaging
    from guestlab.sandbox.scripts import Script, Step
    from guestlab.sandbox.sessions import Session

__all__ = ["Bot"]


class Bot:
    """Speaks a script."""

    def __init__(self, messaging: Messaging, script: Script | None) -> None:
        self.script = script
        self._messaging = messaging

    def hear(self, session: Session, text: str, *, on: str = "text") -> None:
        """Queue the answer to something the guest said or did, and begin unless still busy."""
        if self.script is None or _agent_there(session):
            return
        session.steps.extend(self.script.answer(text, on=on))
        if session.bot_timer is None:
            self._work(session)

    def _work(self, session: Session) -> None:
        session.bot_timer = None
        while session.steps and session.alive and not session.read_only and not _agent_there(session):
            step = session.steps.popleft()
            if step.kind == "delay":
                seconds = float(step.values["seconds"])
                session.bot_timer = self._messaging.world.clock.call_later(
                    seconds, lambda: self._work(session)
                )
                return
            self._do(session, step)
        session.steps.clear()

    def _do(self, session: Session, step: Step) -> None:
        if step.kind in CONTENT:
            text, content = CONTENT[step.kind](step.values)
            self._messaging.dialogue.say(session, text=text, content=content, entity=BOT)
        else:
            VERBS[step.kind](self._messaging, session, step.values)


def _agent_there(session: Session) -> bool:
    agent = session.conversation.live("agent") if session.conversation is not None else None
    return agent is not None and agent.state == "connected"


def _text(messaging: Messaging, session: Session, values: dict[str, Any]) -> None:
    messaging.dialogue.say(session, text=str(values["text"]), entity=BOT)


def _typing(messaging: Messaging, session: Session, values: dict[str, Any]) -> None:
    messaging.dialogue.typing(session, duration=int(float(values.get("seconds", 5)) * 1000), entity=BOT)


def _attachment(messaging: Messaging, session: Session, values: dict[str, Any]) -> None:
    data = str(values.get("text") or "A file of the sandbox.").encode()
    messaging.send_file(session, name=str(values.get("name") or "file.txt"), data=data, entity=BOT)


def _disconnect(messaging: Messaging, session: Session, values: dict[str, Any]) -> None:
    messaging.dialogue.disconnect(session, read_only=values.get("read_only"))


def _handover(messaging: Messaging, session: Session, _values: dict[str, Any]) -> None:
    if session.conversation is not None:
        messaging.world.conversations.agent(session.conversation, state="alerting")


VERBS: dict[str, Callable[[Messaging, Session, dict[str, Any]], None]] = {
    "text": _text,
    "typing": _typing,
    "attachment": _attachment,
    "disconnect": _disconnect,
    "handover": _handover,
}
