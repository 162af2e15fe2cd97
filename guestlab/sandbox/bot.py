"""The bot at work: carries out a script's steps for a guest or a customer, one after another.

No task per conversation: steps wait in its errands, and a pause is a timer of the sandbox's clock. The bot
is silent while an agent is in the conversation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guestlab.sandbox.content import CONTENT

if TYPE_CHECKING:
    from collections.abc import Callable

    from guestlab.sandbox.messaging import Messaging
    from guestlab.sandbox.scripts import Script, Step
    from guestlab.sandbox.voices import Voice

__all__ = ["Bot"]


class Bot:
    """Speaks a script."""

    def __init__(self, messaging: Messaging, script: Script | None) -> None:
        self.script = script
        self._messaging = messaging

    def hear(self, voice: Voice, text: str, *, on: str = "text") -> None:
        """Queue the answer to something that was said or done, and begin unless still busy."""
        if self.script is None or _agent_there(voice):
            return
        errands = voice.errands
        errands.steps.extend(self.script.answer(text, on=on))
        if errands.timer is None:
            self._work(voice)

    def _work(self, voice: Voice) -> None:
        errands = voice.errands
        errands.timer = None
        while errands.steps and voice.is_open and not _agent_there(voice):
            step = errands.steps.popleft()
            if step.kind == "delay":
                seconds = float(step.values["seconds"])
                errands.timer = self._messaging.world.clock.call_later(seconds, lambda: self._work(voice))
                return
            self._do(voice, step)
        errands.steps.clear()

    def _do(self, voice: Voice, step: Step) -> None:
        if step.kind in CONTENT:
            text, content = CONTENT[step.kind](step.values)
            voice.say(text=text, content=content if step.kind in voice.shows else None)
        else:
            VERBS[step.kind](self._messaging, voice, step.values)


def _agent_there(voice: Voice) -> bool:
    agent = voice.conversation.live("agent") if voice.conversation is not None else None
    return agent is not None and agent.state == "connected"


def _text(_: Messaging, voice: Voice, values: dict[str, Any]) -> None:
    voice.say(text=str(values["text"]))


def _typing(_: Messaging, voice: Voice, values: dict[str, Any]) -> None:
    voice.typing(duration=int(float(values.get("seconds", 5)) * 1000))


def _attachment(_: Messaging, voice: Voice, values: dict[str, Any]) -> None:
    data = str(values.get("text") or "A file of the sandbox.").encode()
    voice.send_file(name=str(values.get("name") or "file.txt"), data=data)


def _disconnect(_: Messaging, voice: Voice, values: dict[str, Any]) -> None:
    voice.disconnect(read_only=values.get("read_only"))


def _handover(messaging: Messaging, voice: Voice, _values: dict[str, Any]) -> None:
    if voice.conversation is not None:
        messaging.world.conversations.agent(voice.conversation, state="alerting")


VERBS: dict[str, Callable[[Messaging, Voice, dict[str, Any]], None]] = {
    "text": _text,
    "typing": _typing,
    "attachment": _attachment,
    "disconnect": _disconnect,
    "handover": _handover,
}
