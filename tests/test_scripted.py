"""Scripted conversations: what is said, what must come back, and how a failure is told."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest

from guestlab import errors
from guestlab.cli import main
from guestlab.lab import Lab
from guestlab.sandbox import Sandbox
from guestlab.scripted import Outcome, Script, junit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BOT = """
lines:
  - when: hello
    reply:
      - text: "Hi there"
      - quick_replies: {text: "Which one?", options: [Red, Green]}
  - when: red
    reply:
      - text: "Red it is"
  - when: bye
    reply:
      - disconnect
"""
GOOD = """
name: a good one
steps:
  - say: hello
  - expect: {pattern: "^Hi", within: 5}
  - expect: {text: "Which one?", quick_replies: [Red, Green], within: 5}
  - reply: Red
  - expect: Red it is
  - typing
  - say: bye
  - expect: {disconnect: true, within: 5}
"""


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """A lab whose sandbox's bot is scripted too."""
    bot = tmp_path / "bot.yaml"
    bot.write_text(BOT, encoding="utf-8")
    with (
        Sandbox(bot=bot) as sandbox,
        Lab(
            sandbox.region,
            deployment_id=sandbox.deployment_id,
            client_id=sandbox.client_id,
            client_secret=sandbox.client_secret,
        ) as lab,
    ):
        yield lab


def _steps(lab: Lab, *steps: str) -> Outcome:
    return lab.rehearse(Script.load("steps:\n" + "\n".join(f"  - {step}" for step in steps)))


def test_a_conversation_as_expected_passes(lab: Lab) -> None:
    """Text, pattern, quick replies, a reply, typing, a disconnect."""
    outcome = lab.rehearse(Script.load(GOOD))
    assert outcome.ok, "\n".join(outcome.lines())
    assert len(outcome.steps) == 8


@pytest.mark.parametrize(
    ("steps", "note"),
    [
        (("say: hello", "expect: {text: Hullo}"), "Expected 'Hullo', got 'Hi there'"),
        (("say: hello", "expect: {pattern: '^Ho'}"), "matching '^Ho'"),
        (("say: hello", "expect: Hi there", "expect: {quick_replies: [Blue]}"), "got ['Red', 'Green']"),
        (("say: hello", "expect: Hi there", "expect: Which one?", "reply: Blue"), "offered: Red, Green"),
        (("say: hello", "expect: {disconnect: true}"), "Expected a disconnect"),
        (("say: nothing", "expect: {text: x, within: 0.2}"), "Nothing came within 0.2 s"),
        (("say: bye", "expect: {text: x, within: 5}"), "Expected a message, got PresenceChanged"),
        (("say: hello", "expect: {content_type: Card}"), "Expected Card content"),
    ],
)
def test_a_conversation_that_differs_fails_at_its_step(lab: Lab, steps: tuple[str, ...], note: str) -> None:
    """It says what was expected and what came, and names the conversation."""
    outcome = _steps(lab, *steps)
    assert not outcome.ok
    assert note in outcome.steps[-1].note
    assert len(outcome.steps) == len(steps)
    assert len(outcome.conversation_id) == 36, "looked up, because an access token is at hand"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("steps: [", "no YAML"),
        ("- say: hello", "no list of steps"),
        ("steps: [{shout: hello}]", "unknown verb 'shout'"),
        ("steps: [{say: a, expect: b}]", "not one verb"),
        ("steps: [{expect: {colour: red}}]", "unknown things: colour"),
        ("steps: [{expect: {pattern: '('}}]", "pattern that is none"),
        ("stepps: []\nsteps: [typing]", "unknown keys: stepps"),
        ("steps: []", "steps is empty"),
        ("steps: [{expect: {}}]", "expects nothing"),
        ("steps: [{wait: forever}]", "no number of seconds"),
        ("steps: [{expect: {text: a, within: soon}}]", "no number of seconds"),
        ("steps: [{expect: {text: a, within: -1}}]", "no number of seconds"),
        ("steps: [{say: yes}]", "put them in quotes"),
        ("steps: [{say: }]", "nothing to say"),
    ],
)
def test_a_script_nobody_can_read_says_why(text: str, why: str) -> None:
    """With the step's number where there is one."""
    with pytest.raises(errors.InputError) as caught:
        Script.load(text)
    assert why in caught.value.why


def test_disorder_is_given_a_second_chance_with_a_settling_time(tmp_path: Path) -> None:
    """The platform promises no order, so a script that fails for it alone passes on the second run."""
    bot = tmp_path / "bot.yaml"
    bot.write_text(
        "lines: [{when: count, reply: [{text: one}, {text: two}, {text: three}, {text: four}]}]",
        encoding="utf-8",
    )
    script = Script.load("steps: [say: count, expect: one, expect: two, expect: three, expect: four]")
    with Sandbox(bot=bot) as sandbox, Lab(sandbox.region, deployment_id=sandbox.deployment_id) as lab:
        sandbox.faults.reorder(window=3, probability=0.7)
        outcomes = [lab.rehearse(script) for _ in range(4)]
    assert any(outcome.retried for outcome in outcomes), "the fault did reorder"
    assert all(outcome.ok for outcome in outcomes), [list(outcome.lines()) for outcome in outcomes]


def test_junit_holds_what_failed(lab: Lab) -> None:
    """One test case per script, readable by any CI."""
    good, bad = lab.rehearse(Script.load(GOOD)), _steps(lab, "say: hello", 'expect: "\\aHullo"')
    suite = ET.fromstring(junit([good, bad]))
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert "Hi there" in (failure.get("message") or "")


def test_the_command_runs_files_and_exits_with_1_on_a_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On the embedded sandbox, with JSON and JUnit output."""
    good, bad, xml = tmp_path / "good.yaml", tmp_path / "bad.yaml", tmp_path / "out.xml"
    good.write_text("steps: [say: hello, expect: {pattern: '(?i)hello', within: 5}]", encoding="utf-8")
    bad.write_text("steps: [say: hello, expect: nonsense]", encoding="utf-8")
    assert main(["test", str(good)]) == 0
    assert "PASS" in capsys.readouterr().out
    assert main(["test", "--json", "--junit", str(xml), str(good), str(bad)]) == 1
    document = json.loads(capsys.readouterr().out)
    assert [outcome["ok"] for outcome in document["outcomes"]] == [True, False]
    assert ET.parse(xml).getroot().get("failures") == "1"
    assert main(["test", str(tmp_path / "missing.yaml")]) == 3
    assert main(["test", "--junit", str(tmp_path / "no" / "x.xml"), str(good)]) == 3


def test_say_prints_the_answer_and_where_it_is_from(capsys: pytest.CaptureFixture[str]) -> None:
    """The target is named on standard error, the words on standard output."""
    assert main(["say", "--quiet", "0.5", "hello"]) == 0
    printed = capsys.readouterr()
    assert "embedded sandbox" in printed.err
    assert "hello" in printed.out
    assert main(["say", "--json", "--quiet", "0.5", "hello"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["sandbox"], document["answered"]) == (True, True)


def test_options_without_a_region_are_not_ignored(capsys: pytest.CaptureFixture[str]) -> None:
    """Otherwise the sandbox would answer for somebody's cloud."""
    assert main(["say", "--deployment-id", "3d2f0c1e-0000-4000-8000-000000000001", "hi"]) == 2
    assert "without a region" in capsys.readouterr().err
