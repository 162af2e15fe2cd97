"""The bot's script: reading, matching, filling in, and saying what is wrong with a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from guestlab.errors import SandboxError
from guestlab.sandbox import Sandbox
from guestlab.sandbox.content import CONTENT
from guestlab.sandbox.scripts import STEPS, default_script, read_script

from .conftest import Guest

OWN = """
name: shop
lines:
  - event: join
    reply: ["Welcome to the shop"]
  - when: 'order (\\d+)'
    reply:
      - typing: 1.5
      - delay: 30
      - text: "Order {1}: on its way. You asked: {text}"
      - quick_replies: {text: "More?", options: [Yes, {text: No, payload: NO}]}
  - when: '^NO$'
    reply:
      - disconnect: true
"""


def _written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "bot.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_script_of_ones_own_is_spoken(tmp_path: Path) -> None:
    """Join, groups filled in, a pause on the sandbox's clock, quick replies, a read-only end, silence."""
    with Sandbox(bot=_written(tmp_path, OWN)) as sandbox:
        sandbox.clock.freeze()
        guest = Guest(sandbox)
        guest.event("Presence", "Join")
        assert guest.receive()["body"]["text"] == "Welcome to the shop"
        guest.say("where is order 42?")
        assert guest.receive()["body"]["events"][0]["typing"]["duration"] == 1500
        assert guest.is_silent()
        sandbox.clock.advance(30)
        assert guest.receive()["body"]["text"] == "Order 42: on its way. You asked: where is order 42?"
        replies = [item["quickReply"]["payload"] for item in guest.receive()["body"]["content"]]
        assert replies == ["Yes", "NO"]
        guest.say("unknown words")
        assert guest.is_silent()
        guest.say("no")
        assert guest.receive()["body"]["metadata"]["readOnly"] == "true"
        guest.close()


def test_two_questions_at_once_are_answered_one_after_the_other(tmp_path: Path) -> None:
    """The second waits until the first pause is over."""
    with Sandbox(bot=_written(tmp_path, OWN)) as sandbox:
        sandbox.clock.freeze()
        guest = Guest(sandbox)
        guest.say("order 1")
        guest.receive()
        guest.say("order 2")
        assert guest.is_silent()
        sandbox.clock.advance(60)
        texts = [guest.receive()["body"].get("text", "typing") for _ in range(5)]
        assert [text[:7] for text in texts] == ["Order 1", "More?", "typing", "Order 2", "More?"]
        guest.close()


def test_the_built_in_script_uses_every_step_there_is() -> None:
    """It is the pattern for others."""
    used = {step.kind for line in default_script().lines for step in line.steps}
    assert used == set(STEPS)
    assert set(CONTENT) < used


@pytest.mark.parametrize(
    "words", ["my card is lost", "menu of the day", "list my orders", "file a complaint"]
)
def test_the_built_in_script_does_not_jump_at_single_words(words: str) -> None:
    """Only a plain request shows something; the rest is echoed."""
    (step,) = default_script().answer(words)
    assert step.values["text"] == f"You said: {words}"


BROKEN = (
    ("lines: 7", "no list called `lines`"),
    ("- a", "no list called `lines`"),
    ("lines: [{when: x}]", "line 1 has no list called `reply`"),
    ("lines: [{when: '(', reply: []}]", "no regular expression"),
    ("lines: [{event: dance, reply: []}]", "`event` is text or join"),
    ("lines: [{reply: [{quick_reply: {}}]}]", "'quick_replies' is"),
    ("lines: [{reply: [{text: a, typing: 1}]}]", "not one `kind: values`"),
    ("lines: [{reply: [{text: ''}]}]", "text is empty"),
    ("lines: [{reply: [{delay: soon}]}]", "number of seconds"),
    ("lines: [{reply: [{delay: {}}]}]", "number of seconds"),
    ("lines: [{reply: [{card: {}}]}]", "title missing"),
    ("lines: [{reply: [{card: 7}]}]", "card cannot be 7"),
    ("lines: [{reply: [{form: {title: t, pages: [{questions: [{id: q, kind: song}]}]}}]}]", "kind is one of"),
    ("lines: [", "cannot be read"),
    ("\x00", "cannot be read"),
)


@pytest.mark.parametrize(("text", "part"), BROKEN)
def test_a_broken_script_is_refused_with_its_place(tmp_path: Path, text: str, part: str) -> None:
    """Before anything starts: what, why and what next."""
    path = _written(tmp_path, text)
    with pytest.raises(SandboxError) as caught:
        Sandbox(bot=path)
    assert part in str(caught.value)
    assert str(path) in caught.value.what
    assert caught.value.next_step


def test_a_missing_script_is_refused(tmp_path: Path) -> None:
    """With its path."""
    with pytest.raises(SandboxError, match="nowhere"):
        read_script(tmp_path / "nowhere.yaml")
