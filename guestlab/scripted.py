"""Scripted conversations: a YAML file of what the guest says and what must come back, checked live.

    name: greeting
    steps:
      - say: hello
      - expect: {pattern: "^Hi", quick_replies: [Order status], within: 5}
      - reply: Order status
      - expect: {text: "Where is it?"}
      - expect: {disconnect: true, within: 30}

Each expectation takes the next message or event that is not the guest's own. When one fails although
messages came out of order, the script is run again with a settling time, on a fresh guest: order is not
promised by the platform (level: documented).
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from guestlab.errors import DeadlineError, GuestlabError, InputError, SessionEnded
from guestlab.protocol.events import (
    ConnectionTakenOver,
    Event,
    MessageReceived,
    PresenceChanged,
    SessionCleared,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from guestlab.protocol.messages import Message
    from guestlab.session import GuestSession

__all__ = ["Outcome", "Script", "StepOutcome", "junit"]

VERBS = ("say", "reply", "expect", "typing", "attributes", "wait")
EXPECTATIONS = ("text", "pattern", "quick_replies", "content_type", "disconnect", "within")
WITHIN = 10.0
"""Seconds an expectation waits unless it says otherwise."""

LARGEST = 2**20
"""Characters of a script."""

STRAGGLER = 0.5
"""Seconds of silence to wait for messages that are late, before a failure is judged."""

SETTLE = 1.0
"""Seconds of settling time on a second run, as an independent tester holds messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepOutcome:
    """How one step went."""

    number: int
    what: str
    ok: bool
    seconds: float
    note: str = ""

    def __str__(self) -> str:
        mark = "✓" if self.ok else "✗"
        return f"{mark} {self.number:>2} {self.what}" + (f"\n      {self.note}" if self.note else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a script went."""

    name: str
    ok: bool
    steps: tuple[StepOutcome, ...]
    seconds: float
    session: str
    """The session's name in the log."""
    retried: bool = False
    """Whether a first run failed with messages out of order, and this is the second."""
    conversation_id: str = ""
    """Filled in on failure, when an access token is at hand."""

    def document(self) -> dict[str, Any]:
        """The outcome for machines."""
        return {
            "name": self.name,
            "ok": self.ok,
            "seconds": round(self.seconds, 3),
            "session": self.session,
            "retried": self.retried,
            "conversation_id": self.conversation_id,
            "steps": [
                {
                    "number": s.number,
                    "what": s.what,
                    "ok": s.ok,
                    "seconds": round(s.seconds, 3),
                    "note": s.note,
                }
                for s in self.steps
            ],
        }

    def lines(self) -> Iterable[str]:
        """The outcome for a terminal."""
        yield f"{'PASS' if self.ok else 'FAIL'}  {self.name}  {self.seconds:.2f} s"
        yield from (f"  {step}" for step in self.steps)
        if self.retried:
            yield "  run again with a settling time: the first time messages came out of order"
        if self.conversation_id:
            yield f"  conversation {self.conversation_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A conversation to hold. Made by `Script.load` from YAML text."""

    name: str
    steps: tuple[tuple[str, Any], ...]
    auto_start: bool = False
    custom_attributes: dict[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls, text: str, *, name: str = "conversation") -> Script:
        """Read YAML.

        Raises:
            InputError: It is no YAML, or has a step or expectation nobody knows; says which.
        """
        import yaml

        if len(text) > LARGEST:
            raise _unreadable(f"it has more than {LARGEST:,} characters")
        try:
            # A few aliases of aliases stand for more than fits into memory.
            if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text)):
                raise _unreadable("it has an alias (*name), which is not read: write it out")
            document = yaml.safe_load(text)
        except RecursionError:
            raise _unreadable("it is nested too deeply") from None
        except (yaml.YAMLError, ValueError, OverflowError) as error:  # of a date that is none, ValueError
            if isinstance(error, InputError):
                raise
            raise _unreadable(f"it is no YAML: {error}") from None
        if not isinstance(document, dict) or not isinstance(document.get("steps"), list):
            raise _unreadable("it has no list of steps")
        if not document["steps"]:
            raise _unreadable("its list of steps is empty")
        if unknown := set(document) - {"name", "steps", "auto_start", "custom_attributes"}:
            raise _unreadable(f"it has unknown keys: {', '.join(sorted(map(str, unknown)))}")
        steps = tuple(_step(number, step) for number, step in enumerate(document["steps"], start=1))
        attributes = document.get("custom_attributes") or {}
        if not isinstance(attributes, dict):
            raise _unreadable("custom_attributes is not a mapping")
        return cls(
            name=str(document.get("name", name)),
            steps=steps,
            auto_start=bool(document.get("auto_start", False)),
            custom_attributes={str(key): str(value) for key, value in attributes.items()},
        )

    async def run(self, make_session: Callable[..., GuestSession]) -> Outcome:
        """Hold the conversation; again with a settling time if it failed out of order.

        Args:
            make_session: Makes a session of a fresh guest; given `settle` and `auto_start`.
        """
        outcome, disordered = await self._run(make_session(settle=0.0, auto_start=self.auto_start))
        if outcome.ok or not disordered:
            return outcome
        again, _ = await self._run(make_session(settle=SETTLE, auto_start=self.auto_start))
        return replace(again, retried=True)

    async def _run(self, session: GuestSession) -> tuple[Outcome, bool]:
        started, done = time.monotonic(), list[StepOutcome]()
        walk = _Walk(session)
        session.attributes(**self.custom_attributes)
        async with session:
            for number, (verb, value) in enumerate(self.steps, start=1):
                done.append(await walk.step(number, verb, value))
                if not done[-1].ok:
                    break
            ok = all(step.ok for step in done)
            # The straggler itself may still be under way when an expectation fails for it.
            disordered = not ok and any(m.late for m in await session.messages(quiet=STRAGGLER))
        outcome = Outcome(
            name=self.name,
            ok=ok,
            steps=tuple(done),
            seconds=time.monotonic() - started,
            session=session.name,
        )
        return outcome, disordered


class _Walk:
    """One run through the steps."""

    def __init__(self, session: GuestSession) -> None:
        self._session = session
        self._offer: Message | None = None

    async def step(self, number: int, verb: str, value: Any) -> StepOutcome:
        started = time.monotonic()
        try:
            note = await getattr(self, f"_{verb}")(value)
        except GuestlabError as error:
            note = f"{error.what} {error.why}"
        seconds = time.monotonic() - started
        what = f"{verb}: {value}" if value is not None else verb
        return StepOutcome(number=number, what=what, ok=not note, seconds=seconds, note=note)

    async def _say(self, text: Any) -> str:
        await self._session.send(str(text))
        return ""

    async def _reply(self, text: Any) -> str:
        offers = self._offer.choices if self._offer is not None else ()
        choice = next((offer for offer in offers if offer.text == str(text)), None)
        if choice is None or self._offer is None:
            offered = ", ".join(offer.text for offer in offers) or "nothing"
            return f"No choice {text!r} was offered; offered: {offered}."
        await self._session.reply(choice, to=self._offer.id)
        return ""

    async def _typing(self, _: Any) -> str:
        await self._session.typing()
        return ""

    async def _attributes(self, values: Any) -> str:
        self._session.attributes(**{str(key): str(value) for key, value in dict(values).items()})
        return ""

    async def _wait(self, quiet: Any) -> str:
        await self._session.messages(quiet=float(quiet))
        return ""

    async def _expect(self, expected: dict[str, Any]) -> str:
        within = float(expected.get("within", WITHIN))
        try:
            event = await self._session.next(Event, timeout=within, where=_concerns)
        except (DeadlineError, SessionEnded) as error:
            return f"Nothing came within {within:g} s. {error.why}"
        if expected.get("disconnect"):
            ended = not isinstance(event, MessageReceived)
            return "" if ended else f"Expected a disconnect, got {_shown(event)}."
        if not isinstance(event, MessageReceived):
            return f"Expected a message, got {_shown(event)}."
        if event.message.choices:
            self._offer = event.message
        return _mismatch(event.message, expected)


def _concerns(event: Event) -> bool:
    """What an expectation looks at: words to the guest, and the conversation's end."""
    if isinstance(event, MessageReceived):
        return event.message.direction == "Outbound"
    if isinstance(event, PresenceChanged):
        return event.presence == "Disconnect"
    return isinstance(event, SessionCleared | ConnectionTakenOver)


def _shown(event: Event) -> str:
    if isinstance(event, MessageReceived):
        return f"the message {event.message.text!r}"
    return type(event).__name__


def _mismatch(message: Message, expected: dict[str, Any]) -> str:
    """Compare one message with what was expected; "" when it is that."""
    if "text" in expected and message.text != str(expected["text"]):
        return f"Expected {str(expected['text'])!r}, got {message.text!r}."
    if "pattern" in expected and not re.search(str(expected["pattern"]), message.text):
        return f"Expected something matching {expected['pattern']!r}, got {message.text!r}."
    offered = [offer.text for offer in message.quick_replies]
    if "quick_replies" in expected and offered != [str(text) for text in expected["quick_replies"]]:
        return f"Expected the quick replies {expected['quick_replies']}, got {offered}."
    if "content_type" in expected and expected["content_type"] not in message.content_types:
        return f"Expected {expected['content_type']} content, got {list(message.content_types)}."
    return ""


def _step(number: int, step: Any) -> tuple[str, Any]:
    if isinstance(step, str) and step in VERBS:
        step = {step: None}
    if not isinstance(step, dict) or len(step) != 1:
        raise _unreadable(f"step {number} is not one verb with its value: {step!r}")
    verb, value = next(iter(step.items()))
    if verb not in VERBS:
        raise _unreadable(f"step {number} has the unknown verb {verb!r}; known are {', '.join(VERBS)}")
    if verb == "expect":
        value = value if isinstance(value, dict) else {"text": value}
        if unknown := set(value) - set(EXPECTATIONS):
            names = ", ".join(sorted(map(str, unknown)))
            raise _unreadable(
                f"step {number} expects unknown things: {names}; known are {', '.join(EXPECTATIONS)}"
            )
        if not value:
            raise _unreadable(f"step {number} expects nothing; known are {', '.join(EXPECTATIONS)}")
        _check_pattern(number, value)
        if not isinstance(value.get("quick_replies", []), list):
            raise _unreadable(f"step {number} expects quick_replies that are no list")
        _check_seconds(number, "within", value.get("within", WITHIN))
    if verb == "wait":
        _check_seconds(number, "wait", value)
    if verb == "attributes" and not isinstance(value, dict):
        raise _unreadable(f"step {number} has attributes that are no mapping")
    if verb in {"say", "reply"} and not isinstance(value, str | int | float):
        raise _unreadable(f"step {number} has nothing to {verb}")
    if isinstance(value, bool):
        raise _unreadable(
            f"step {number}: YAML reads yes, no, on and off as truth values; put them in quotes"
        )
    return verb, value


def _check_seconds(number: int, name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 86_400:
        raise _unreadable(f"step {number} has {name}: {value!r}, which is no number of seconds")


def _check_pattern(number: int, expected: dict[str, Any]) -> None:
    try:
        re.compile(str(expected.get("pattern", "")))
    except re.error as error:
        raise _unreadable(f"step {number} has a pattern that is none: {error}") from None


def _unreadable(why: str) -> InputError:
    return InputError(
        "The script cannot be read.",
        why=f"{why[:1].upper()}{why[1:]}.",
        next_step="Write steps as `- say: hello` and `- expect: {text: ..., within: 5}`.",
    )


def junit(outcomes: Iterable[Outcome]) -> str:
    """Render outcomes as JUnit XML, one test case per script."""
    outcomes = list(outcomes)
    suite = ET.Element(
        "testsuite",
        name="guestlab",
        tests=str(len(outcomes)),
        failures=str(sum(not outcome.ok for outcome in outcomes)),
    )
    for outcome in outcomes:
        case = ET.SubElement(suite, "testcase", name=_xml(outcome.name), time=f"{outcome.seconds:.3f}")
        failed = next((step for step in outcome.steps if not step.ok), None)
        if failed is not None:
            failure = ET.SubElement(case, "failure", message=_xml(failed.note))
            failure.text = _xml("\n".join(outcome.lines()))
    return ET.tostring(suite, encoding="unicode", xml_declaration=True)


def _xml(text: str) -> str:
    """Drop what XML 1.0 cannot hold: text from the wire may have it."""
    return re.sub(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text)
