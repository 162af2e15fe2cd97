"""The bot at work: carries out a script's steps in a session, one after another.

No task per session: steps wait in the session, and a pause is a timer of the sandbox's clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
        """Queue the answer to something the guest said or did."""
        if self.script is None:
            return
        session.pending_steps.extend(self.script.answer(text, on=on))
        if not session.bot_busy:
            self._work(session)

    def _work(self, session: Session) -> None:
        session.bot_busy = False
        while session.pending_steps and session.ended is None and not session.read_only:
            step: Step = session.pending_steps.pop(0)
            if step.kind == "delay":
                session.bot_busy = True
                self._messaging.world.clock.call_later(
                    float(step.values["seconds"]), lambda: self._work(session)
                )
                return
            VERBS[step.kind](self._messaging, session, step.values)
        session.pending_steps.clear()


def _typing(messaging: Messaging, session: Session, values: dict[str, Any]) -> None:
    if session.deployment.agent_typing:
        messaging.typing(session, duration=int(values.get("duration", 5000)), entity="Bot")


def _text(messaging: Messaging, session: Session, values: dict[str, Any]) -> None:
    messaging.say(session, text=str(values["text"]), entity="Bot")


def _quick_replies(messaging: Messaging, session: Session, values: dict[str, Any]) -> None:
    content = [
        {
            "contentType": "QuickReply",
            "quickReply": {
                "text": str(reply["text"]),
                "payload": str(reply.get("payload", reply["text"])),
                "action": "Message",
            },
        }
        for reply in values["replies"]
    ]
    messaging.say(session, text=str(values["text"]), content=content, entity="Bot")


VERBS: dict[str, Callable[[Messaging, Session, dict[str, Any]], None]] = {
    "typing": _typing,
    "text": _text,
    "quick_replies": _quick_replies,
}
