"""Every snippet runs, unmodified: an open attempt's ends in a SessionResponse, a refused one's is refused again.

What is run is exactly what `Attempt.snippet` wrote, by the tool it is for, in a folder of its own.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from guestlab.errors import InputError
from guestlab.lab import Lab
from guestlab.sandbox import Sandbox
from guestlab.snippets import FORMATS, snippet
from guestlab.snippets.literals import javascript_text, python_text, shell_text

from .clients.conftest import absent, tool
from .clients.test_chromium import FLAGS

if TYPE_CHECKING:
    from guestlab.handshake.attempt import Attempt

ROOT = Path(__file__).parent.parent
HOSTILE = "a'b\"c$(id)`id`\\d</script>\n\x1b[31m\u202eé😀{%s}"
TRICKY_SECRET = "q+w/e==.'$HOME-\"`x`\\"

# format → file name, command, seconds. Browser apart.
RUNS = {
    "python": ("attempt.py", [sys.executable]),
    "guestlab": ("attempt.py", [sys.executable]),
    "node": ("attempt.cjs", ["node"]),
    "curl": ("attempt.sh", ["bash"]),
    "wscat": ("attempt.sh", ["bash"]),
    "websocat": ("attempt.sh", ["bash"]),
    "http": ("attempt.sh", ["bash"]),
}
ENDS_AT_101 = {"curl", "http"}


@dataclass
class Ran:
    """One snippet, run."""

    status: int
    text: str
    frames: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for line in self.text.splitlines():
            if line.startswith('{"type":'):
                self.frames.append(json.loads(line))


def _node_path() -> str:
    """Where Node finds `ws`: as told, in the tools folder, or beside wscat, which is made of it."""
    tools = os.environ.get("GUESTLAB_CI_TOOLS", str(ROOT / ".venv-tools"))
    wscat = Path(tool("wscat")).resolve().parent.parent
    folders = (os.environ.get("NODE_PATH", ""), f"{tools}/node_modules", f"{wscat}/node_modules")
    found = next((folder for folder in folders if folder and Path(folder, "ws").is_dir()), None)
    if found is None:
        absent("the Node package ws")
    return str(found)


def _needs(format_: str) -> None:
    """Skip, or fail under GUESTLAB_REQUIRE_ALL=1, where the tool is absent."""
    if format_ == "websocat":
        from shutil import which

        if which("websocat") is None:
            pytest.skip("not run: Debian has no websocat; its arguments are tested apart")
    names = {"node": ["node", "wscat"], "curl": ["curl", "bash"], "wscat": ["wscat", "bash"]}
    for name in names.get(format_, ["bash", "openssl"] if format_ == "http" else []):
        tool(name)


def _run(text: str, format_: str, folder: Path, **environment: str) -> Ran:
    """Run a snippet as it is."""
    name, command = RUNS[format_]
    path = folder / name
    path.write_text(text, encoding="utf-8")
    clean = {key: value for key, value in os.environ.items() if not key.startswith("GUESTLAB_")}
    clean |= {"NO_PROXY": "*", "no_proxy": "*", "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
    if format_ == "node":
        clean["NODE_PATH"] = _node_path()
    done = subprocess.run(
        [*command, str(path)],
        cwd=folder,
        env={**clean, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return Ran(done.returncode, (done.stdout + done.stderr).decode("utf-8", "replace").replace("\r", ""))


@dataclass
class Tried:
    """Attempts against one sandbox, and what their snippets gave."""

    sandbox: Sandbox
    attempts: dict[str, Attempt]
    access_token: str
    runs: dict[tuple[str, str], Future[Ran]]


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tried]:
    """A sandbox, the attempts, and every snippet of theirs running: most of the time they only wait."""
    with Sandbox(tls=True) as sandbox, ThreadPoolExecutor(4) as pool:
        attempts, access_token = _attempts(sandbox)
        tried = Tried(sandbox, attempts, access_token, {})
        for name, attempt in attempts.items():
            for format_ in FORMATS:
                if format_ in RUNS:
                    folder = tmp_path_factory.mktemp(f"{name}-{format_}".replace(" ", "-"))
                    work = pool.submit(_run_on_demand, tried, attempt, format_, folder)
                    tried.runs[name, format_] = work
        yield tried


def _run_on_demand(tried: Tried, attempt: Attempt, format_: str, folder: Path) -> Ran:
    return _run(
        attempt.snippet(format_),
        format_,
        folder,
        GUESTLAB_ACCESS_TOKEN=tried.access_token,
        SSL_CERT_FILE=str(tried.sandbox.ca_file),
        NODE_EXTRA_CA_CERTS=str(tried.sandbox.ca_file),
    )


def _attempts(sandbox: Sandbox) -> tuple[dict[str, Attempt], str]:
    known = {
        "deployment_id": sandbox.deployment_id,
        "client_id": sandbox.client_id,
        "client_secret": sandbox.client_secret,
    }
    restricted = sandbox.deployments.add(allowed_domains=["shop.example"]).id
    found = {}
    with Lab(f"127.0.0.1:{sandbox.http_port}", **known) as lab:
        found["open"] = lab.handshake()
        found["refused: query"] = lab.handshake_as_asked()
        found["refused: header"] = lab.handshake_as_asked("header")
        found["refused: unknown deployment"] = lab.attempt(deployment_id="unknown", headers={"X-A": "b c"})
        found["refused: first frame"] = lab.attempt(
            first_frame={"action": "configureSession", "deploymentId": sandbox.deployment_id, "token": ""}
        )
        found["open: origin"] = lab.attempt(deployment_id=restricted, origin="https://shop.example")
        access_token = lab.token().value
    with Lab(f"wss://127.0.0.1:{sandbox.tls_port}", **known, ca_file=sandbox.ca_file) as lab:
        found["open: TLS"] = lab.handshake()
        host = f"webmessaging.localhost:{sandbox.tls_port}"
        found["refused: TLS, by name"] = lab.attempt(url=f"wss://{host}/v1?deploymentId=")
    for name, attempt in found.items():
        assert attempt.ok is name.startswith("open"), (name, attempt)
    return found, access_token


CASES = [
    *((name, format_) for name in ("open", "refused: query", "open: TLS") for format_ in RUNS),
    *(("refused: header", format_) for format_ in RUNS),
    *(("refused: unknown deployment", format_) for format_ in ("python", "curl", "http", "node")),
    *(("refused: TLS, by name", format_) for format_ in RUNS),
    *(("open: origin", format_) for format_ in RUNS),
    *(("refused: first frame", format_) for format_ in ("python", "guestlab", "node", "wscat")),
]


@pytest.mark.parametrize(("name", "format_"), CASES)
def test_a_snippet_runs_as_it_is(tried: Tried, name: str, format_: str) -> None:
    """SessionResponse or HTTP 101 where the attempt was open; its own refusal where it was refused."""
    _needs(format_)
    attempt = tried.attempts[name]
    ran = tried.runs[name, format_].result(60)
    if attempt.http_status != 101:
        assert str(attempt.http_status) in ran.text, ran
        assert ran.frames == []
        if format_ in {"python", "guestlab", "node", "curl", "http"}:
            assert attempt.body in ran.text
    elif format_ in ENDS_AT_101:
        assert ran.text.startswith("HTTP/1.1 101 "), ran
    else:
        assert [(frame["class"], frame["code"]) for frame in ran.frames] == [
            ("SessionResponse", 200) if attempt.ok else ("string", 400)
        ], ran
    if format_ in {"python", "guestlab", "node"}:
        assert (ran.status == 0) is attempt.ok
    assert tried.access_token not in ran.text


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Debian's chromium, driven by Playwright."""
    from playwright.sync_api import sync_playwright

    path = tool("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.mark.parametrize("name", ["open", "open: TLS", "refused: query", "refused: header"])
def test_the_browser_snippet_runs_in_a_page(tried: Tried, chromium: Any, name: str) -> None:
    """Pasted into a page of the sandbox's own; of a refusal the page learns 1006 and nothing else."""
    sandbox, attempt = tried.sandbox, tried.attempts[name]
    secure = attempt.url.startswith("wss:")
    base = f"https://127.0.0.1:{sandbox.tls_port}" if secure else f"http://127.0.0.1:{sandbox.http_port}"
    context = chromium.new_context(ignore_https_errors=True)
    try:
        page = context.new_page()
        page.goto(f"{base}/webdeployments/v1/deployments/{sandbox.deployment_id}/config.json")
        page.evaluate("token => { globalThis.GUESTLAB_ACCESS_TOKEN = token; }", tried.access_token)
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        with page.expect_console_message(lambda message: message.text.startswith("closed: "), timeout=20000):
            page.add_script_tag(content=attempt.snippet("browser"))
    finally:
        context.close()
    closed = next(line for line in said if line.startswith("closed: "))
    answers = [json.loads(line) for line in said if line.startswith('{"type":')]
    if attempt.ok:
        assert [answer["class"] for answer in answers] == ["SessionResponse"]
        assert closed.startswith("closed: code 1000")
    else:
        assert answers == []
        assert closed.startswith("closed: code 1006")


class Recorder:
    """A server that keeps what it is sent and answers everything with 401."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            with connection:
                connection.settimeout(20)
                request = b""
                while b"\r\n\r\n" not in request and (data := connection.recv(65536)):
                    request += data
                if not request:
                    return
                self.requests.append(request.decode("latin-1"))
                connection.sendall(
                    b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno!"
                )

    def close(self) -> None:
        """Stop listening."""
        socket.create_connection(("127.0.0.1", self.port)).close()
        self._thread.join(20)
        self._socket.close()


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    """A fresh recorder."""
    recorder = Recorder()
    yield recorder
    recorder.close()


@pytest.mark.parametrize("format_", [name for name in RUNS if name != "websocat"])
def test_a_secret_arrives_whole_where_the_credential_stood(
    recorder: Recorder, format_: str, tmp_path: Path
) -> None:
    """Whatever characters it has: no shell expands it, no URL tears it, and nothing else is changed."""
    _needs(format_)
    with Lab(f"127.0.0.1:{recorder.port}", deployment_id="d") as lab:
        query = lab.attempt(credential="garbage", placement="query")
        header = lab.attempt(
            credential="garbage", placement="header", headers={"X-Api-Key": "k" * 40, "X-Note": HEADER}
        )
    for attempt in (query, header):
        ran = _run(
            attempt.snippet(format_),
            format_,
            tmp_path,
            GUESTLAB_ACCESS_TOKEN=TRICKY_SECRET,
            GUESTLAB_SECRET_1="key 1",
        )
        assert "401" in ran.text, ran
    first, second = (request.split("\r\n") for request in recorder.requests[2:])
    query_sent = parse_qs(urlsplit(first[0].split(" ")[1]).query)
    assert query_sent == {"deploymentId": ["d"], "access_token": [TRICKY_SECRET]}
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in second)}
    assert headers["authorization"] == f"Bearer {TRICKY_SECRET}"
    assert headers["x-api-key"] == "key 1"
    assert headers["x-note"] == HEADER


def test_the_websocat_command_hands_over_every_argument(tried: Tried, tmp_path: Path) -> None:
    """A stand-in of that name prints what it is called with; the real one is in no Debian."""
    stand_in = tmp_path / "websocat"
    stand_in.write_text("#!/bin/bash\nprintf '%s\\n' \"$@\"; cat\n", encoding="utf-8")
    stand_in.chmod(0o755)
    path = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "GUESTLAB_GUEST_TOKEN": "a-guest's-token"}
    attempt = tried.attempts["open: origin"]
    ran = _run(attempt.snippet("websocat"), "websocat", tmp_path, **path)
    *arguments, url, frame = ran.text.splitlines()
    assert arguments == ["--text", "--no-close", "--one-message", "--header", "Origin: https://shop.example"]
    assert url == attempt.url
    assert json.loads(frame)["token"] == "a-guest's-token"


def test_a_guest_token_given_is_the_one_used(tried: Tried, tmp_path: Path) -> None:
    """The same guest twice: the second time the session is no new one."""
    given = {"GUESTLAB_GUEST_TOKEN": "8b6c1d1e-0000-4000-8000-00000000abcd"}
    text = tried.attempts["open"].snippet("python")
    seen = [_run(text, "python", tmp_path, **given).frames[0]["body"]["newSession"] for _ in range(2)]
    assert seen == [True, False]


def test_an_attempt_that_reached_nobody_is_written_too(tmp_path: Path) -> None:
    """No request was sent; the snippets send the one that would have been, and fail the same way."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with Lab(f"127.0.0.1:{port}", deployment_id="d") as lab:
        attempt = lab.attempt()
    assert "GET /v1?deploymentId=d HTTP/1.1" in attempt.snippet("http")
    ran = _run(attempt.snippet("python"), "python", tmp_path)
    assert ran.status == 1
    assert ran.text.startswith("failed: ConnectionRefusedError")


def test_no_snippet_holds_a_secret_or_a_mask(tried: Tried) -> None:
    """Variables stand in their place, named at the top."""
    for name, attempt in tried.attempts.items():
        for format_ in FORMATS:
            text = snippet(attempt, format_)
            assert "masked:" not in text
            assert tried.access_token not in text
            assert tried.sandbox.client_secret not in text
            for variable in set(re.findall(r"GUESTLAB_\w+", text)):
                assert text.count(variable) >= 2, (name, format_, "named at the top, and used")
                assert f"Environment: {variable}," in text


HEADER = "a'b \"$(id)`id` \\d %s </script> {x}"


@pytest.fixture(scope="module")
def hostile(tried: Tried) -> list[Attempt]:
    """Attempts with everything that could end a literal, a comment or a here-document."""
    with Lab(f"127.0.0.1:{tried.sandbox.http_port}", deployment_id=tried.sandbox.deployment_id) as lab:
        return [
            lab.attempt(
                headers={"X-H": HEADER}, first_frame={"action": HOSTILE, HOSTILE: [HOSTILE, None, 1]}
            ),
            lab.attempt(origin=HEADER, first_frame=HOSTILE + "\u2028*/"),
            lab.attempt(url=f"ws://127.0.0.1:{tried.sandbox.http_port}/v1/../$(id)/'{{a}}?x=%22'\"`id`"),
            lab.attempt(first_frame={"__proto__": 1, "2": 2, "1": 2**60, "f": 1e300}),
        ]


@pytest.mark.parametrize("format_", FORMATS)
def test_hostile_text_stays_text(hostile: list[Attempt], format_: str, tmp_path: Path) -> None:
    """Whatever an attempt held, its snippet is still a program of its language, and one without surprises."""
    _needs(format_)
    for attempt in hostile:
        text = attempt.snippet(format_)
        assert all(c.isprintable() or c == "\n" for c in text)
        assert "</script" not in text or format_ != "browser"
        if format_ in {"python", "guestlab"}:
            compile(text, "attempt.py", "exec")
        else:
            path = tmp_path / ("attempt.cjs" if format_ in {"node", "browser"} else "attempt.sh")
            path.write_text(text, encoding="utf-8")
            check = [tool("node"), "--check"] if path.suffix == ".cjs" else [tool("bash"), "-n"]
            done = subprocess.run([*check, str(path)], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr + text


@pytest.mark.parametrize("format_", ["python", "node", "wscat", "guestlab"])
def test_hostile_frames_are_sent_as_they_were(
    tried: Tried, hostile: list[Attempt], format_: str, tmp_path: Path
) -> None:
    """The answer is the attempt's own: the frame arrived, and nothing in it was run."""
    _needs(format_)
    for attempt in (hostile[0], hostile[3]):
        ran = _run(attempt.snippet(format_), format_, tmp_path)
        assert [frame["body"] for frame in ran.frames] == [json.loads(attempt.answers[0])["body"]], ran
        assert "uid=" not in ran.text


def test_literals_read_back_as_the_text(tmp_path: Path) -> None:
    """In each of the languages."""
    assert eval(python_text(HOSTILE)) == HOSTILE
    shown = f"process.stdout.write({javascript_text(HOSTILE)})"
    javascript = subprocess.run([tool("node"), "-e", shown], capture_output=True, check=True)
    assert javascript.stdout.decode() == HOSTILE
    shown = f"printf %s {shell_text(HOSTILE)}"
    shell = subprocess.run([tool("bash"), "-c", shown], capture_output=True, check=True)
    assert shell.stdout.decode() == HOSTILE


@pytest.mark.parametrize(
    ("wrong", "right"), [("pyhton", "python"), ("javascript", "browser"), ("WSCAT", "wscat")]
)
def test_an_unknown_format_is_refused_with_the_one_meant(tried: Tried, wrong: str, right: str) -> None:
    """Nothing is written by guess."""
    with pytest.raises(InputError, match="is unknown") as refused:
        tried.attempts["open"].snippet(wrong)
    assert refused.value.next_step == f"Did you mean {right!r}?"
    with pytest.raises(InputError) as refused:
        tried.attempts["open"].snippet("cobol-74")
    assert refused.value.next_step == "Use one of these names."
