"""The command line: the same nouns as in Python.

Exit status: 0 done, 1 a finding or a failed expectation, 2 usage, 3 error. With `--json` a command prints
one JSON object and nothing else on standard output.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from guestlab import __version__
from guestlab.errors import GuestlabError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from guestlab.lab import Lab
    from guestlab.protocol.messages import Message

__all__ = ["main"]

DONE, FINDING, USAGE, ERROR = 0, 1, 2, 3

_TOUR_KEYS = (
    "answer cure region token asked_path conversation as_asked handshake messages backend_log "
    "log_entries held"
)
_SANDBOX_KEYS = (
    "region http_port tls_port ca_file client_id client_secret deployment_id user_id queue_id "
    "integration_id urls{login,api,guest,streaming,config}"
)

_SAY_KEYS = "session answered messages"
_TEST_KEYS = "ok outcomes"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    options = _parser().parse_args(arguments)
    try:
        status: int = options.command(options)
    except GuestlabError as error:
        _complain(error, as_json=options.json)
        return ERROR
    except KeyboardInterrupt:
        return 130  # the shell's convention for an interrupt
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough. Python would complain again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="guestlab",
        description="A laboratory for headless Genesys Cloud messaging clients.",
        epilog="Exit status: 0 done, 1 a finding or failed expectation, 2 usage, 3 error.",
    )
    parser.add_argument("--version", action="version", version=f"guestlab {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    tour = _command(commands, "tour", _tour, "tell the three stages on the embedded sandbox", _TOUR_KEYS)
    tour.description = "Token, conversation, handshake: refused as asked, then as it works."

    sandbox = _command(commands, "sandbox", _sandbox, "serve the sandbox until stopped", _SANDBOX_KEYS)
    sandbox.description = (
        "Play Genesys Cloud on this machine until Ctrl-C. Prints its region, ids, secret and URLs."
    )
    sandbox.add_argument("--port", type=int, default=0, help="plaintext port (default: a free one)")
    sandbox.add_argument("--tls", action="store_true", help="serve TLS too, with a CA of its own")
    sandbox.add_argument("--tls-port", type=int, default=0, help="TLS port (default: a free one)")
    sandbox.add_argument("--seed", type=int, default=0, help="same seed, same ids (default: 0)")

    say = _command(commands, "say", _say, "say one thing as a guest, print what comes back", _SAY_KEYS)
    say.add_argument("text", help="what the guest says")
    say.add_argument("--quiet", type=float, default=2.0, help="seconds of silence that end it (default: 2)")
    _where(say)

    test = _command(commands, "test", _test, "hold scripted conversations and check the answers", _TEST_KEYS)
    test.description = "Run YAML files of what a guest says and what must come back within what time."
    test.add_argument("files", nargs="+", metavar="FILE", help="a script; - is standard input")
    test.add_argument("--junit", metavar="XML", help="write the outcomes as JUnit XML too")
    _where(test)
    return parser


def _where(command: argparse.ArgumentParser) -> None:
    """Where to connect: options, then the environment, then the embedded sandbox."""
    where = command.add_argument_group(
        "where (default: GUESTLAB_REGION and so on, else the embedded sandbox)"
    )
    where.add_argument("--region", help="domain, AWS name or URL, such as mypurecloud.de")
    where.add_argument("--deployment-id", help="the messenger deployment's UUID")
    where.add_argument("--origin", help="the Origin header, for a deployment that restricts its domains")
    where.add_argument("--ca-file", help="PEM file of CA certificates to trust beside the system's")


def _lab(options: argparse.Namespace) -> Lab:
    from guestlab.lab import Lab
    from guestlab.regions import Region

    name = options.region or os.environ.get("GUESTLAB_REGION")
    if not name:
        return Lab()
    region = Region.of(name)
    if options.ca_file:
        region = Region(region.name, tls=options.ca_file, names=region.names)
    return Lab(
        region,
        deployment_id=options.deployment_id or os.environ.get("GUESTLAB_DEPLOYMENT_ID"),
        client_id=os.environ.get("GUESTLAB_CLIENT_ID"),
        client_secret=os.environ.get("GUESTLAB_CLIENT_SECRET"),
        origin=options.origin or os.environ.get("GUESTLAB_ORIGIN"),
    )


def _command(commands: Any, name: str, run: Any, summary: str, keys: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(name, help=summary, epilog=f"JSON keys: {keys}")
    command.add_argument("--json", action="store_true", help="print one JSON object for machines")
    command.set_defaults(command=run)
    return command


def _tour(options: argparse.Namespace) -> int:
    from guestlab.tour import perform_tour

    story = perform_tour()
    if options.json:
        print(json.dumps(story.document(), ensure_ascii=False))
    else:
        for line in story.lines():
            print(_dressed(line, sys.stdout))
    return DONE if story.held else FINDING


def _sandbox(options: argparse.Namespace) -> int:
    from guestlab.sandbox import Sandbox

    stop = threading.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, lambda *_: stop.set())
    tls = options.tls or bool(options.tls_port)
    with Sandbox(seed=options.seed, tls=tls, port=options.port, tls_port=options.tls_port) as sandbox:
        description = sandbox.describe()
        if options.json:
            print(json.dumps(description), flush=True)
        else:
            _print_sandbox(description)
        while not stop.wait(0.5):  # short: Windows notices Ctrl-C between waits only
            pass
    return DONE


def _say(options: argparse.Namespace) -> int:
    with _lab(options) as lab, lab.session() as session:
        session.send(options.text)
        messages = session.messages(quiet=options.quiet)
        answered = any(message.direction == "Outbound" for message in messages)
        if options.json:
            said = [{"direction": m.direction, "type": m.type, "text": m.text} for m in messages]
            print(json.dumps({"session": session.name, "answered": answered, "messages": said}))
        else:
            for message in messages:
                print(f"{'guest' if message.direction == 'Inbound' else 'them':>5}  {_message(message)}")
    return DONE if answered else FINDING


def _message(message: Message) -> str:
    offers = "".join(f"  [{offer.text}]" for offer in message.quick_replies)
    others = [name for name in message.content_types if name != "QuickReply"]
    return _printable(f"{message.text}{offers}{'  (' + ', '.join(others) + ')' if others else ''}")


def _printable(text: str) -> str:
    """Text from the wire is hostile: no control characters reach the terminal."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def _test(options: argparse.Namespace) -> int:
    from guestlab.scripted import Script, junit

    scripts = [Script.load(_read(name), name=Path(name).name) for name in options.files]
    with _lab(options) as lab:
        outcomes = [lab.rehearse(script) for script in scripts]
    if options.junit:
        Path(options.junit).write_text(junit(outcomes), encoding="utf-8")
    if options.json:
        print(json.dumps({"ok": all(o.ok for o in outcomes), "outcomes": [o.document() for o in outcomes]}))
    else:
        for outcome in outcomes:
            print("\n".join(_printable_lines(outcome.lines())))
    return DONE if all(outcome.ok for outcome in outcomes) else FINDING


def _printable_lines(lines: Iterable[str]) -> Iterable[str]:
    return ("\n".join(_printable(part) for part in line.split("\n")) for line in lines)


def _read(name: str) -> str:
    if name == "-":
        return sys.stdin.read()
    try:
        return Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{name} cannot be read.",
            why=f"{error}.",
            next_step="Give the path of a readable UTF-8 file, or - for standard input.",
        ) from None


def _print_sandbox(description: dict[str, Any]) -> None:
    print("The sandbox plays Genesys Cloud on this machine. Ctrl-C stops it.\n")
    for key, value in description.items():
        if key == "urls":
            for name, url in value.items():
                print(f"  {name + ' url':<16} {url}")
        elif value is not None:
            print(f"  {key.replace('_', ' '):<16} {value}")
    print("\nThe secret is the sandbox's own: it opens nothing else.", flush=True)


def _complain(error: GuestlabError, *, as_json: bool) -> None:
    if as_json:
        document = {"error": type(error).__name__, "what": error.what, "why": error.why}
        print(json.dumps({**document, "next_step": error.next_step, "evidence": list(error.evidence)}))
    else:
        print(error, file=sys.stderr)


def _dressed(line: str, stream: TextIO) -> str:
    """Set headings apart; in colour only on a terminal that wants it (https://no-color.org)."""
    colour = stream.isatty() and "NO_COLOR" not in os.environ
    if line.startswith("# "):
        return f"\n\033[1m{line[2:]}\033[0m" if colour else f"\n{line[2:]}"
    return line
