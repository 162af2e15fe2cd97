"""`guestlab sandbox`: Genesys Cloud played on this machine, until stopped."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

from guestlab.cli.output import DONE, add_command, printable

if TYPE_CHECKING:
    from guestlab.sandbox import Sandbox

__all__ = ["add"]

KEYS = (
    "region http_port tls_port ca_file client_id client_secret deployment_id user_id queue_id "
    "integration_id control_key urls{login,api,guest,streaming,config}"
)

EXAMPLES = (
    "guestlab sandbox",
    "guestlab sandbox --port 8080 --tls-port 8443 --seed 7",
    "guestlab sandbox --explain",
)

_LAST_PORT = 65535


def add(commands: Any) -> None:
    """Add the command."""
    sandbox = add_command(commands, "sandbox", _sandbox, "serve the sandbox until stopped", KEYS, EXAMPLES)
    sandbox.description = (
        "Play Genesys Cloud on this machine until Ctrl-C. Prints its region, ids, secret and URLs."
    )
    sandbox.add_argument("--port", type=_port, default=0, help="plaintext port (default: a free one)")
    sandbox.add_argument(
        "--tls", action="store_true", help="serve TLS too, with a CA of its own (default: plaintext alone)"
    )
    sandbox.add_argument("--tls-port", type=_port, default=0, help="TLS port (default: a free one)")
    sandbox.add_argument(
        "--bot",
        metavar="FILE",
        help="a bot's script in YAML (default: guestlab/sandbox/default_bot.yaml, written the same way)",
    )
    sandbox.add_argument(
        "--observed", metavar="FILE", help="answer at the gateway as `guestlab probe --record FILE` recorded"
    )
    sandbox.add_argument(
        "--explain", action="store_true", help="print what it does and does not, with levels, and exit"
    )
    sandbox.add_argument("--seed", type=int, default=0, help="same seed, same ids (default: 0)")


def _port(word: str) -> int:
    """A port; any other number is wrong usage."""
    if not word.isascii() or not word.isdigit() or int(word) > _LAST_PORT:
        raise argparse.ArgumentTypeError(
            f"{printable(word)!r} is no port: give 1 to {_LAST_PORT}, or 0 for a free one"
        )
    return int(word)


def _sandbox(options: argparse.Namespace) -> int:
    from guestlab.sandbox import Sandbox
    from guestlab.sandbox.observed import read_observed

    observed = read_observed(options.observed) if options.observed else None
    for note in observed.notes if observed else ():
        print(printable(f"{options.observed}: {note}"), file=sys.stderr)
    stop = threading.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, lambda *_: stop.set())
    sandbox = Sandbox(
        seed=options.seed,
        tls=options.tls or bool(options.tls_port),
        port=options.port,
        tls_port=options.tls_port,
        bot=options.bot,
        observed=observed,
    )
    if options.explain:
        print(json.dumps({"explain": sandbox.explain()}) if options.json else sandbox.explain())
        return DONE
    with sandbox:
        description = sandbox.describe()
        if options.json:
            print(json.dumps(description), flush=True)
        else:
            _print_sandbox(description)
        told = 0
        while not stop.wait(0.5):  # short: Windows notices Ctrl-C between waits only
            if not options.json:
                told = _tell(sandbox, told)
    return DONE


def _print_sandbox(description: dict[str, Any]) -> None:
    print("The sandbox plays Genesys Cloud on this machine. Ctrl-C stops it.\n")
    for key, value in description.items():
        if key == "urls":
            for name, url in value.items():
                print(f"  {name + ' url':<16} {url}")
        elif value is not None:
            print(f"  {key.replace('_', ' '):<16} {value}")
    print(
        "\nFaults, from any program (DELETE there switches them off):\n\n"
        f"  curl http://127.0.0.1:{description['http_port']}/sandbox/faults "
        f"-H 'Guestlab-Control-Key: {description['control_key']}' "
        """-H 'Content-Type: application/json' -d '{"drop": {"times": 1}}'"""
    )
    print(
        "\nThe secret and the control key open nothing but this sandbox. What its services log:",
        flush=True,
    )


def _tell(sandbox: Sandbox, told: int) -> int:
    """Print what the services logged since the last look; refused upgrades are not among it."""
    records = tuple(sandbox.backend_log)
    for record in records[told:]:
        print(printable(str(record)), flush=True)
    return len(records)
