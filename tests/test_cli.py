"""The command line: what it prints, in which order, and with which exit status."""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from guestlab import cli
from guestlab.cli import main, parser
from guestlab.cli.flags import as_flags

from .clients.conftest import tool

if TYPE_CHECKING:
    from collections.abc import Iterator

GUESTLAB = (sys.executable, "-m", "guestlab")


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*GUESTLAB, *arguments], capture_output=True, text=True, timeout=100, check=False)


@pytest.fixture(scope="module")
def tour() -> str:
    """What `guestlab tour` prints into a pipe."""
    done = _run("tour")
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """What `guestlab tour --json` prints."""
    done = _run("tour", "--json")
    assert done.returncode == 0, done
    parsed: dict[str, Any] = json.loads(done.stdout)
    return parsed


def test_the_tour_begins_with_the_answer_and_ends_with_the_way_on(tour: str) -> None:
    """A hurried reader sees the point first."""
    lines = tour.splitlines()
    assert lines[0].startswith("No: no OAuth token of any kind opens the guest socket")
    assert "then the same calls" in lines[-1]
    assert "\033" not in tour, "plain when piped"


def test_the_readme_shows_lines_of_the_tour(tour: str) -> None:
    """Word for word, in the same order."""
    readme = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    shown = readme.partition("<!-- the tour -->\n```text\n")[2].partition("\n```")[0].splitlines()
    assert len(shown) > 5
    told = iter(tour.splitlines())
    for line in shown:
        assert line in told, line


def test_the_tour_tells_its_story_in_order(tour: str) -> None:
    """Token, conversation, refusal with both findings, 101, the bot, the table, the backend's log."""
    story = [
        r"AccessToken\(\[masked:\w+\]",
        r"conversation [0-9a-f]{8}-",
        r"HTTP 401 \(lane http\), empty body",
        r"finding (credential\.oauth-on-guest-socket|upgrade\.deployment-missing)",
        r"finding (credential\.oauth-on-guest-socket|upgrade\.deployment-missing)",
        r"HTTP/1\.1 101",
        r"SessionResponse",
        r"guest  hello",
        r"  bot  \S",
        r"seq +kind",
        r"POST.*/oauth/token",
    ]
    position = 0
    for pattern in story:
        match = re.compile(pattern).search(tour, position)
        assert match, f"{pattern} does not follow in order"
        position = match.end()
    for rule in ("credential.oauth-on-guest-socket", "upgrade.deployment-missing"):
        assert f"finding {rule}" in tour


def test_the_backend_log_of_the_tour_knows_rest_but_no_refused_upgrade(document: dict[str, Any]) -> None:
    """That is why nobody finds the 401 in any log."""
    backend = "\n".join(document["backend_log"])
    assert "/oauth/token" in backend
    assert "/inbound/open/message" in backend
    assert "401" not in backend


def test_the_tour_for_machines_holds_the_same_story(document: dict[str, Any]) -> None:
    """The keys are those printed in --help, and the story held."""
    help_text = " ".join(_run("tour", "--help").stdout.split())
    keys = help_text.partition("JSON keys: ")[2].split()
    assert sorted(document) == sorted(keys)
    assert document["held"] is True
    assert [attempt["http_status"] for attempt in document["as_asked"]] == [401, 401]
    for attempt in document["as_asked"]:
        assert {"credential.oauth-on-guest-socket", "upgrade.deployment-missing"} <= set(attempt["findings"])
    assert document["handshake"]["http_status"] == 101
    assert {message["direction"] for message in document["messages"]} == {"Inbound", "Outbound"}


@pytest.fixture
def serving() -> Any:
    """`guestlab sandbox --json --tls`, running, and its first line."""
    process = subprocess.Popen(
        [*GUESTLAB, "sandbox", "--json", "--tls"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    yield process, json.loads(process.stdout.readline())
    process.kill()
    process.communicate()


def test_the_sandbox_command_prints_one_json_object_and_serves(serving: Any) -> None:
    """Every key of the contract is there, and the URLs answer."""
    process, first = serving
    assert set(first) == {
        "region",
        "http_port",
        "tls_port",
        "ca_file",
        "client_id",
        "client_secret",
        "deployment_id",
        "user_id",
        "queue_id",
        "integration_id",
        "control_key",
        "urls",
    }
    assert set(first["urls"]) == {"login", "api", "guest", "streaming", "config"}
    assert first["urls"]["guest"].startswith("wss://")
    import ssl

    context = ssl.create_default_context(cafile=first["ca_file"])
    assert httpx.get(first["urls"]["config"], verify=context, trust_env=False).status_code == 200
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0


def test_the_sandbox_command_says_how_faults_are_set_from_any_program() -> None:
    """The line it prints works as it stands."""
    tool("curl")
    process = subprocess.Popen([*GUESTLAB, "sandbox"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        told = iter(process.stdout.readline, "")
        line = next(one for one in told if "curl " in one)
        done = subprocess.run(
            ["bash", "-c", f"{line.strip()} -sS -o /dev/null -w '%{{http_code}}'"],
            capture_output=True, text=True, timeout=30, check=True,
        )  # fmt: skip
        assert done.stdout == "204"
    finally:
        process.kill()
        process.communicate()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to a child")
def test_the_sandbox_command_stops_cleanly_on_ctrl_c(serving: Any) -> None:
    """No traceback."""
    process, _ = serving
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    assert process.stderr.read() == ""


def test_a_port_in_use_is_an_error_with_a_next_step() -> None:
    """Exit status 3, what and why and next on standard error."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = _run("sandbox", "--port", str(taken.getsockname()[1]))
    assert done.returncode == 3
    assert "Why:" in done.stderr
    assert "Next:" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_error_for_machines_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    """The same fields, one object."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        status = main(["sandbox", "--json", "--port", str(taken.getsockname()[1])])
    assert status == 3
    assert {"error", "what", "why", "next_step", "evidence"} == set(json.loads(capsys.readouterr().out))


def test_wrong_usage_exits_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    """As argparse does, with a hint."""
    with pytest.raises(SystemExit) as caught:
        main(["nonsense"])
    assert caught.value.code == 2
    assert "usage:" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["diagnose", "--staus", "401"], "did you mean --status?"),
        (["say", "hello", "--quiet", "-1"], "no number of seconds"),
        (["sandbox", "--port", "99999"], "1 to 65535"),
        (["sandbox", "--tls-port", "x"], "1 to 65535"),
    ],
)
def test_wrong_usage_of_a_command_is_told_by_that_command(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With its own usage, and what was meant or is possible."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    told = capsys.readouterr().err
    assert f"usage: guestlab {arguments[0]}" in told
    assert said in told


def test_errors_name_the_flag_where_python_names_the_argument(capsys: pytest.CaptureFixture[str]) -> None:
    """On the way out of the command line; a command without the flag keeps the argument."""
    assert main(["snippet", "curl", "--region", "mypurecloud.de"]) == 2
    told = capsys.readouterr().err
    assert "Next: Pass --region and --deployment-id; see Admin" in told
    assert "gl.Lab" not in told
    command = parser().parse_args(["preflight"]).parser
    assert as_flags('or go straight: proxy="".', command) == "or go straight: --proxy ''."
    assert as_flags("Give its CA: ca_file=, or", command) == "Give its CA: --ca-file, or"
    assert (
        as_flags('Use gl.Lab("mypurecloud.de", deployment_id=...).', command)
        == "Use --region mypurecloud.de."
    )
    assert as_flags("search_regions=True asks", command) == "--search-regions asks"
    rung = "  \u2717 tls       failed     2.8 ms  x\n              next: Correct the proxy (proxy= or HTTPS_PROXY)."
    assert as_flags(rung, command) == rung.replace("proxy= or", "--proxy or"), "columns stay"
    other = parser().parse_args(["sandbox"]).parser
    assert as_flags("search_regions=True asks", other) == "search_regions=True asks"


def test_the_reader_may_stop_reading() -> None:
    """`guestlab tour | head -1` ends without a traceback."""
    process = subprocess.Popen([*GUESTLAB, "tour"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline()
    process.stdout.close()
    assert process.stderr is not None
    errors = process.stderr.read()
    process.wait(60)
    process.stderr.close()
    assert "Traceback" not in errors
    assert os.name == "nt" or process.returncode == 0


# -- help ---------------------------------------------------------------------------------------------


def _commands(
    parser: argparse.ArgumentParser, path: str = ""
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Every command and sub-command, by what one types."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, command in action.choices.items():
                yield f"{path}{name}", command
                yield from _commands(command, f"{path}{name} ")


COMMANDS = list(_commands(cli.parser()))


@pytest.mark.parametrize(("name", "command"), [pytest.param(*one, id=one[0]) for one in COMMANDS])
def test_every_option_says_what_it_is_for(name: str, command: argparse.ArgumentParser) -> None:
    """And its default, where it has one that is not simply "off"."""
    assert command.description, name
    for action in command._actions:
        if isinstance(action, argparse._SubParsersAction):
            continue
        assert action.help, f"{name} {action.dest}"
        if action.default and action.default != argparse.SUPPRESS:
            assert "default" in action.help, f"{name} {action.dest}"


@pytest.mark.parametrize(("name", "command"), [pytest.param(*one, id=one[0]) for one in COMMANDS])
def test_every_command_has_examples_that_parse(name: str, command: argparse.ArgumentParser) -> None:
    """What help shows can be typed."""
    examples = (command.epilog or "").partition("examples:\n")[2].partition("\n\n")[0].splitlines()
    assert examples, name
    for line in examples:
        typed = shlex.split(line.rpartition("| ")[2] if " | " in line else line)
        assert " ".join(typed).startswith(f"guestlab {name}")
        assert cli.parser().parse_args(typed[1:]).command is not None


def test_help_lists_every_command_once_in_groups() -> None:
    """Nothing is left out, nothing is there twice."""
    grouped = [name for names in cli.GROUPS.values() for name in names]
    top = [name for name, _ in COMMANDS if " " not in name]
    assert sorted(grouped) == sorted(top)
    told = cli.parser().format_help()
    for name in grouped:
        assert re.search(rf"^  {name} ", told, re.MULTILINE)


def test_guestlab_alone_says_what_to_do_first() -> None:
    """Commands that need no account; the first is the tour."""
    done = _run()
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"^  guestlab tour", done.stdout, re.MULTILINE)
    for line in re.findall(r"^  (guestlab \w+)", done.stdout, re.MULTILINE):
        assert line.split()[1] in dict(COMMANDS)
