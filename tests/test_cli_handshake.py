"""The handshake laboratory on the command line: what it prints, its JSON keys, its exit status."""

from __future__ import annotations

import io
import json
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from guestlab import cli, probe
from guestlab.cli import main
from guestlab.lab import Lab
from guestlab.sandbox import Sandbox

SEED = "curl -i 'wss://webmessaging.mypurecloud.de/v1?access_token=abc'"
GOOD = {
    "url": "wss://webmessaging.mypurecloud.de/v1?deploymentId=3d2f0c1e-0000-4000-8000-000000000001",
    "status": "101",
}


def _keys(text: str) -> dict[str, Any]:
    """Read `a b[{c d}]` into {a: {}, b: {c: {}, d: {}}}."""
    tokens = iter(re.findall(r"\w+|\[\{|\}\]|\{|\}", text))

    def level() -> dict[str, Any]:
        found: dict[str, Any] = {}
        name = ""
        for token in tokens:
            if token in {"[{", "{"}:
                found[name] = level()
            elif token in {"}]", "}"}:
                return found
            else:
                name = token
                found[name] = {}
        return found

    return level()


def _holds(document: Any, keys: dict[str, Any]) -> None:
    assert set(document) == set(keys)
    for name, inner in keys.items():
        if inner:
            for item in document[name] if isinstance(document[name], list) else [document[name]]:
                _holds(item, inner)


def _promised(command: str) -> dict[str, Any]:
    """The keys that --help prints."""
    parser = cli.parser()
    commands = next(action for action in parser._actions if isinstance(action.choices, dict)).choices or {}
    return _keys((commands[command].epilog or "").partition("JSON keys: ")[2])


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["attempt"], 0),
        (["matrix"], 0),
        (["preflight"], 0),
        (["diagnose", SEED], 1),
        (["snippet", "curl"], 0),
        (["probe", "--record", "-", "--between", "0"], 0),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_the_json_keys_are_those_help_prints(
    arguments: list[str], status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """One object on standard output, nothing else."""
    assert main([*arguments, "--json"]) == status
    document = json.loads(capsys.readouterr().out)
    keys = _promised(arguments[0])
    assert keys
    _holds(document, keys)


def test_attempt_shows_the_failing_and_the_working_form(capsys: pytest.CaptureFixture[str]) -> None:
    """Both labelled as measured here; the first is refused, the second ends in a SessionResponse."""
    assert main(["attempt"]) == 0
    told = capsys.readouterr().out
    assert told.count("measured here") == 2
    assert told.index("HTTP 401") < told.index("SessionResponse 200")
    assert "credential.oauth-on-guest-socket" in told


def test_attempt_needs_no_oauth_client(capsys: pytest.CaptureFixture[str]) -> None:
    """A region and a deployment id are enough: a decoy goes out, and no token is asked for."""
    with Sandbox() as sandbox:
        where = ["--region", f"http://{sandbox.region.name}", "--deployment-id", sandbox.deployment_id]
        assert main(["attempt", *where, "--json"]) == 0
        assert "/oauth/token" not in str(list(sandbox.backend_log))
    first, second = json.loads(capsys.readouterr().out)["attempts"]
    assert (first["ok"], first["http_status"], first["credential"]) == (False, 401, "client_credentials")
    assert second["ok"]


@pytest.mark.parametrize(
    ("options", "credential", "placement", "status"),
    [
        (["--credential", "garbage"], "garbage", "query", 101),
        (["--placement", "header"], "client_credentials", "header", 101),
        (["--deployment", "unknown"], "none", "nowhere", 403),
        (["--deployment", "missing", "--credential", "guest"], "guest", "query", 401),
    ],
    ids=str,
)
def test_attempt_tries_what_it_is_told(
    options: list[str], credential: str, placement: str, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Then the form that works, for comparison."""
    assert main(["attempt", *options, "--json"]) == 0
    tried = json.loads(capsys.readouterr().out)["attempts"][0]
    assert (tried["credential"], tried["placement"], tried["http_status"]) == (credential, placement, status)


def test_the_matrix_takes_lists(capsys: pytest.CaptureFixture[str]) -> None:
    """Comma-joined."""
    assert main(["matrix", "--credentials", "none,guest", "--placements", "query", "--crossed"]) == 0
    told = capsys.readouterr().out
    assert "guest in query" in told
    assert "header" not in told


def test_preflight_exits_with_1_when_something_stands_in_the_way(capsys: pytest.CaptureFixture[str]) -> None:
    """And names it."""
    with Sandbox() as sandbox:
        closed = sandbox.deployments.add(status="Inactive")
        where = ["--region", f"http://{sandbox.region.name}", "--deployment-id", closed.id]
        assert main(["preflight", *where]) == 1
    assert "Inactive" in capsys.readouterr().out


@pytest.mark.parametrize("how", ["argument", "file", "stdin", "flags"])
def test_diagnose_takes_it_in_any_form(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same top finding from each."""
    source = tmp_path / "pasted.txt"
    source.write_text(SEED)
    monkeypatch.setattr("sys.stdin", io.StringIO(SEED))
    arguments = {
        "argument": [SEED],
        "file": [str(source)],
        "stdin": ["-"],
        "flags": ["--url", "wss://webmessaging.mypurecloud.de/v1?access_token=abc", "--status", "401"],
    }[how]
    assert main(["diagnose", *arguments]) == 1
    assert "1. upgrade.deployment-missing" in capsys.readouterr().out


def test_diagnose_says_ok_and_exits_with_0(capsys: pytest.CaptureFixture[str]) -> None:
    """A right set-up has no findings."""
    assert main(["diagnose", "--url", GOOD["url"], "--status", GOOD["status"]]) == 0
    assert "ok" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--url", GOOD["url"]], 0, "no outcome was given"),
        (["--url", GOOD["url"], "--status", "101"], 0, "nothing here is wrong"),
        (["--frame", "{bad json"], 1, "no JSON object"),
        ([f"connect('{GOOD['url']}')\n403 Forbidden"], 1, "upgrade.deployment-unknown"),
        ([f"connect('{GOOD['url']}')\nsomething peculiar"], 1, "something peculiar"),
    ],
)
def test_diagnose_is_content_only_with_what_it_understood(
    arguments: list[str], status: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A success, or no outcome at all; never a failure in another form."""
    assert main(["diagnose", *arguments]) == status
    assert words in capsys.readouterr().out


def test_a_har_that_ends_in_the_middle_gets_a_plain_note(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On standard error, without a path of this package."""
    entry = {"request": {"method": "GET", "url": GOOD["url"], "headers": []}, "response": {"status": 403}}
    whole = json.dumps({"log": {"entries": [{**entry, "_resourceType": "websocket"}] * 3}})
    path = tmp_path / "torn.har"
    path.write_text(whole[: len(whole) * 5 // 6])
    assert main(["diagnose", str(path)]) == 1
    told = capsys.readouterr().err
    assert told.startswith("Note: The HAR ends in the middle")
    assert "UserWarning" not in told
    assert ".py" not in told


def test_diagnose_reads_every_handshake_of_a_har(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One diagnosis each."""
    entries = [
        {
            "request": {"method": "GET", "url": url, "headers": []},
            "response": {"status": status, "headers": [], "content": {}},
            "_resourceType": "websocket",
        }
        for url, status in ((GOOD["url"], 101), ("wss://webmessaging.mypurecloud.de/v1", 401))
    ]
    path = tmp_path / "two.har"
    path.write_text(json.dumps({"log": {"version": "1.2", "entries": entries}}))
    assert main(["diagnose", str(path), "--json"]) == 1
    assert len(json.loads(capsys.readouterr().out)["diagnoses"]) == 2


@pytest.mark.parametrize(
    "wrong",
    [["--token-kind", "foo"], ["--placement", "foo"], ["--header", "Authorization Bearer x"],
     ["--response-header", "Server"], ["--header", "Origin https://x.example"], ["--header", ": x"]],
)  # fmt: skip
def test_a_fact_that_means_nothing_is_wrong_usage(
    wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Not swallowed; and the value, which may be a secret, is not repeated whole."""
    with pytest.raises(SystemExit) as left:
        main(["diagnose", "--url", GOOD["url"], *wrong])
    assert left.value.code == 2
    told = capsys.readouterr().err
    assert "Bearer x" not in told
    assert "header" not in wrong[0] or re.search(r"write '\w+: value'", told)


@pytest.mark.parametrize(
    "right",
    [["--token-kind", "Client-Credentials", "--placement", "nowhere"], ["--token-kind", "none"],
     ["--header", "Origin: https://a.example"], ["--header", "X-Empty:"]],
)  # fmt: skip
def test_facts_in_any_usual_spelling_are_taken(right: list[str]) -> None:
    """Case and hyphens do not count."""
    assert main(["diagnose", "--url", GOOD["url"], "--status", "101", *right]) == 0


@pytest.mark.parametrize(
    "arguments",
    [["diagnose", "gone.har"], ["diagnose", "/gone.py"], ["diagnose", "gone.ts"], ["diagnose", "/tmp"]],
)  # fmt: skip
def test_what_cannot_be_read_is_an_error(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 3, with a next step."""
    assert main(arguments) == 3
    assert "Next:" in capsys.readouterr().err


def test_a_snippet_is_printed_alone(capsys: pytest.CaptureFixture[str]) -> None:
    """So that it can be piped into a file and run."""
    assert main(["snippet", "python"]) == 0
    told = capsys.readouterr()
    compile(told.out, "snippet", "exec")
    assert "ends with this command" in told.err


def test_a_snippet_for_a_server_that_stays_has_no_such_warning(capsys: pytest.CaptureFixture[str]) -> None:
    """Its address is good after the command."""
    with Sandbox() as sandbox:
        where = ["--region", sandbox.region.name, "--deployment-id", sandbox.deployment_id]
        assert main(["snippet", "python", *where]) == 0
    assert "ends with this command" not in capsys.readouterr().err


def test_a_snippet_that_could_not_be_tried_is_complete_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It works as soon as somebody answers there."""
    with Sandbox() as sandbox:
        port = sandbox.http_port
        where = ["--region", sandbox.region.name, "--deployment-id", sandbox.deployment_id]
    assert main(["snippet", "python", *where]) == 1
    told = capsys.readouterr()
    assert "Not tried, nothing answered: failed at tcp" in told.err
    assert "# Not tried, nothing answered" in told.out
    program = tmp_path / "attempt.py"
    program.write_text(told.out, encoding="utf-8")
    with Sandbox(port=port):
        done = subprocess.run(
            [sys.executable, str(program)], capture_output=True, text=True, timeout=60, check=False
        )
    assert done.returncode == 0, done
    assert '"class":"SessionResponse"' in done.stdout.replace(" ", "")


def test_a_probe_is_asked_about_first_and_sends_nothing_unasked(capsys: pytest.CaptureFixture[str]) -> None:
    """Away from loopback, without a terminal and without --yes."""
    where = ["--region", "mypurecloud.de", "--deployment-id", "3d2f0c1e-0000-4000-8000-000000000001"]
    assert main(["probe", "--record", "-", *where]) == 2
    told = capsys.readouterr()
    assert "--yes" in told.err
    assert told.out == ""


def test_a_probes_document_tells_no_secret_and_not_whose_it_is(tmp_path: Path) -> None:
    """Neither id nor domain nor origin; every question that could be asked has an answer."""
    waits: list[float] = []
    with Sandbox() as sandbox:
        shop = sandbox.deployments.add(allowed_domains=["shop.secretive.example"])
        closed = sandbox.deployments.add(status="Inactive")
        own = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret}
        origin = "https://shop.secretive.example"
        with Lab(sandbox.region, deployment_id=shop.id, origin=origin, **own) as lab:
            document = probe.probe(lab, inactive=closed.id, sleep=waits.append)
    text = json.dumps(document)
    for private in (shop.id, closed.id, "secretive", sandbox.client_secret):
        assert private not in text
    found = {observation["name"]: observation for observation in document["observations"]}
    assert set(found) == {question.name for question in probe.QUESTIONS}
    assert waits == [1.0] * (len(found) - 1)
    assert found["open"]["ok"]
    assert (found["deployment.missing"]["status"], found["deployment.missing"]["body_size"]) == (401, 0)
    assert found["origin.unlisted"]["status"] == 403
    assert found["deployment.inactive"]["status"] == 403
    assert document["format"] == "guestlab-observed/1"


def test_a_probe_stops_where_the_documented_handshake_does_not_open(tmp_path: Path) -> None:
    """No other answer could be told from its own."""
    with Sandbox() as sandbox:
        closed = sandbox.deployments.add(status="Inactive")
        where = ["--region", f"http://{sandbox.region.name}", "--deployment-id", closed.id]
        record = tmp_path / "answers.json"
        assert main(["probe", "--record", str(record), "--between", "0", *where]) == 3
        assert not record.exists()


def test_the_matrix_benchmark_counts_what_it_should() -> None:
    """One pair at a fifth of the delay; the ratio is the benchmark's own business."""
    from guestlab.bench.matrix import matrix

    outcome = matrix(pairs=1, delay=0.1)
    assert outcome.facts["attempts"] == 48
    assert outcome.facts["of these open"] == 16


def test_an_attempt_with_a_whole_url_stays_where_the_url_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both forms go to one place; at a URL of no region only the first is tried."""

    async def nowhere(host: str, port: int) -> list[str]:
        if host == "127.0.0.1":
            return [host]
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr("guestlab.handshake.dialling._resolved", nowhere)
    with Sandbox() as sandbox:
        url = f"ws://127.0.0.1:{sandbox.http_port}/v1?access_token=abc"
        assert main(["attempt", "--url", url, "--deployment-id", sandbox.deployment_id]) == 0
        printed = capsys.readouterr().out
        assert printed.count(f"127.0.0.1:{sandbox.http_port}/v1") >= 2
        assert main(["attempt", "--url", f"ws://localhost.invalid:{sandbox.http_port}/v1", "--json"]) == 1
        shown = capsys.readouterr()
        assert "belongs to no region" in shown.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["diagnose"],
        ["diagnose", "--url", GOOD["url"], "--status", "abc"],
        ["matrix", "--credentials", "foo"],
        ["preflight", "--region", "atlantis"],
        ["say", ""],
    ],
    ids=" ".join,
)
def test_an_argument_that_cannot_work_is_usage(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit status 2, as for an option there is not; with why and a next step."""
    assert main(arguments) == 2
    assert "Next:" in capsys.readouterr().err
