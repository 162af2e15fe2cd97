"""`guestlab say` and `guestlab test`: conversations held from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guestlab.cli.output import DONE, FINDING, add_command, printable, read_text, seconds, write_text
from guestlab.cli.where import add_where, lab_of
from guestlab.errors import InputError

if TYPE_CHECKING:
    import argparse

    from guestlab.protocol.messages import Message
    from guestlab.scripted import Script

__all__ = ["add"]

SAY_KEYS = "region sandbox session answered messages"
TEST_KEYS = "ok outcomes"
SAY_EXAMPLES = (
    "guestlab say hello",
    "guestlab say hello --region mypurecloud.de --deployment-id 3d2f0c1e-0000-4000-8000-000000000001",
)
TEST_EXAMPLES = ("guestlab test greeting.yaml", "guestlab test *.yaml --junit report.xml")


def add(commands: Any) -> None:
    """Add the commands."""
    say = add_command(
        commands, "say", _say, "say one thing as a guest, print what comes back", SAY_KEYS, SAY_EXAMPLES
    )
    say.add_argument("text", help="what the guest says")
    say.add_argument("--quiet", type=seconds, default=2.0, help="seconds of silence that end it (default: 2)")
    add_where(say)

    test = add_command(
        commands, "test", _test, "hold scripted conversations and check the answers", TEST_KEYS, TEST_EXAMPLES
    )
    test.description = (
        "Hold scripted conversations: YAML files of what a guest says and what must come back in what time."
    )
    test.add_argument("files", nargs="+", metavar="FILE", help="a script; - is standard input")
    test.add_argument("--junit", metavar="XML", help="write the outcomes as JUnit XML too")
    add_where(test)


def _say(options: argparse.Namespace) -> int:
    with lab_of(options) as lab, lab.session() as session:
        session.send(options.text)
        messages = session.messages(quiet=options.quiet)
        answered = any(message.direction == "Outbound" for message in messages)
        if options.json:
            said = [_document(message) for message in messages]
            document = {"region": lab.region.name, "sandbox": lab.sandbox is not None}
            document |= {"session": session.name, "answered": answered, "messages": said}
            print(json.dumps(document))
        else:
            for message in messages:
                print(f"{'guest' if message.direction == 'Inbound' else 'them':>5}  {_message(message)}")
    return DONE if answered else FINDING


def _message(message: Message) -> str:
    offers = "".join(f"  [{offer.text}]" for offer in message.choices)
    others = [name for name in message.content_types if name != "QuickReply"]
    return printable(f"{message.text}{offers}{'  (' + ', '.join(others) + ')' if others else ''}")


def _document(message: Message) -> dict[str, Any]:
    return {
        "direction": message.direction,
        "type": message.type,
        "text": message.text,
        "content_types": list(message.content_types),
        "choices": [choice.text for choice in message.choices],
    }


def _script(name: str) -> Script:
    from guestlab.scripted import Script

    try:
        return Script.load(read_text(name), name=Path(name).name)
    except InputError as error:
        raise InputError(f"{name}: {error.what}", why=error.why, next_step=error.next_step) from None


def _test(options: argparse.Namespace) -> int:
    from guestlab.scripted import junit

    scripts = [_script(name) for name in options.files]
    with lab_of(options) as lab:
        outcomes = [lab.rehearse(script) for script in scripts]
    if options.junit:
        write_text(options.junit, junit(outcomes))
    if options.json:
        print(json.dumps({"ok": all(o.ok for o in outcomes), "outcomes": [o.document() for o in outcomes]}))
    else:
        for outcome in outcomes:
            print(printable("\n".join(outcome.lines())))
    return DONE if all(outcome.ok for outcome in outcomes) else FINDING
