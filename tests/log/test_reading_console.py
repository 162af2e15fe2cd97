"""Terminal output: real captures of wscat and websockets, and transcripts of the web messaging tester."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from guestlab.log.entry import UNTIMED
from guestlab.log.reading import read
from guestlab.log.reading.console import without_escapes

if TYPE_CHECKING:
    from guestlab.log import Log

CAPTURES = Path(__file__).parent.parent / "data" / "console"
TOKEN = "5e0f6a3c-1111-4222-8333-444455556666"
"""What was typed when they were recorded, against the sandbox: wscat 6.1.0, websockets 17.4, in a terminal."""


def reading(tmp_path: Path, text: str) -> Log:
    """Read a text as a file."""
    (tmp_path / "out.txt").write_text(text, encoding="utf-8")
    return read(tmp_path / "out.txt")


@pytest.mark.parametrize("name", ["wscat", "websockets"])
def test_a_real_capture_becomes_a_session(name: str) -> None:
    """Colours, cursor movements and typed lines included: connected, both directions, closed."""
    log = read(CAPTURES / f"{name}.txt")
    frames = [entry for entry in log.entries if entry.kind == "frame"]
    assert [entry.direction for entry in frames] == [
        "sent",
        "received",
        "sent",
        "received",
        "received",
        "received",
        "received",
    ]
    assert [entry.action for entry in frames if entry.action] == ["configureSession", "onMessage"]
    assert list(log.messages["text"]) == [
        "hello",
        "Hello! I am the sandbox bot. You got through, so the handshake worked.",
        "What would you like?",
    ]
    assert log.entries[0].http_status == 101
    assert frames[1].exchange == frames[0].seq
    assert log.skipped == ()
    assert TOKEN not in log.table().to_csv()


def test_the_close_of_a_real_capture_is_read() -> None:
    """With its code."""
    last = read(CAPTURES / "websockets.txt").entries[-1]
    assert (last.kind, last.close_code) == ("close", 1000)


@pytest.mark.parametrize("name", ["wscat", "websockets"])
def test_a_refused_upgrade_becomes_an_attempt_with_its_diagnosis(name: str) -> None:
    """All a tool tells is the number; where the address is known, that is enough."""
    log = read(CAPTURES / f"{name}-refused.txt")
    (attempt,) = (entry for entry in log.entries if entry.kind == "attempt")
    assert (attempt.http_status, attempt.ok) == (401, False)
    if name == "websockets":
        assert str(attempt.rule).startswith("upgrade.deployment-missing")


def test_the_command_above_the_output_tells_the_address(tmp_path: Path) -> None:
    """As people paste it."""
    log = reading(
        tmp_path,
        "$ wscat -c 'wss://webmessaging.mypurecloud.ie/v1'\nerror: Unexpected server response: 401\n",
    )
    assert str(log.attempts.loc[0, "rule"]).startswith("upgrade.deployment-missing")


@pytest.mark.parametrize(
    ("line", "column", "value"),
    [
        ("Connected (press CTRL+C to quit)", "http_status", 101),
        ("Connected to wss://x/v1?deploymentId=1.", "url", "wss://x/v1?deploymentId=1"),
        ('Disconnected (code: 1006, reason: "")', "close_code", 1006),
        ('Disconnected (code: 4000, reason: "so said)")', "close_code", 4000),
        ("Connection closed: 1000 (OK).", "close_code", 1000),
        ("Connection closed: 1008 (policy violation) go away.", "close_code", 1008),
        ("error: Unexpected server response: 403", "http_status", 403),
        ("websocat: WebSocketError: Received unexpected status code (401 Unauthorized)", "http_status", 401),
        ("websocat: WebSocketError: I/O failure", "note", "websocat: WebSocketError: I/O failure"),
        ("error: connect ECONNREFUSED 127.0.0.1:9", "ok", False),
        ('> {"action":"echo"}', "action", "echo"),
        ('< {"class":"string","code":429,"body":"slow down"}', "frame_code", 429),
        ('{"class":"string","code":200,"body":"Untitled"}', "direction", "received"),
        ('{"action":"echo","token":"x"}', "direction", "sent"),
        ("< no json", "raw", "no json"),
    ],
)
def test_what_a_tool_prints_is_understood(tmp_path: Path, line: str, column: str, value: object) -> None:
    """wscat, websocat and the websockets command; websocat prints frames bare."""
    log = reading(tmp_path, f'> {{"action":"echo","tracingId":"9"}}\n{line}\n')
    assert getattr(log.entries[1], column) == value
    assert log.skipped == ()


TRANSCRIPT = """\
\u276f Accept Survey
You: hi
Them: Can we ask you

Accept Survey (PASS)
---------------------
You: hi
Them: Can we ask you
some questions?

Really?
You: Yes

Decline Survey (FAIL)
---------------------
You: hi

Expected a message within 10 seconds containing:
 Goodbye
Didn't receive any response

Scenario Test Results
---------------------
PASS - Accept Survey
FAIL - Decline Survey
"""


def test_a_tester_s_transcript_becomes_messages(tmp_path: Path) -> None:
    """Each scenario a session, each result a note; what was printed while it ran is not counted twice."""
    log = reading(tmp_path, TRANSCRIPT)
    said = [(e.session, e.message_direction, e.text) for e in log.entries if e.kind == "history"]
    assert said == [
        ("Accept Survey", "Inbound", "hi"),
        ("Accept Survey", "Outbound", "Can we ask you\nsome questions?\n\nReally?"),
        ("Accept Survey", "Inbound", "Yes"),
        ("Decline Survey", "Inbound", "hi"),
    ]
    passed, failed = (
        e for e in log.entries if e.kind == "note" and e.session in {"Accept Survey", "Decline Survey"}
    )
    assert (passed.ok, failed.ok) == (True, False)
    assert "within 10 seconds containing: Goodbye Didn't receive any response" in str(failed.note)
    assert len(log.messages) == 4


def test_a_transcript_without_results_is_read_too(tmp_path: Path) -> None:
    """As `AI:` and `Them:` lines of its other command."""
    log = reading(tmp_path, "Conversation\n------------\nAI: hello\nThem: hi there\n")
    assert list(log.messages["text"]) == ["hello", "hi there"]


@pytest.mark.parametrize(
    "line",
    ["x (PASS" * 20_000, "\x1b[" * 50_000, "\x1b]" * 50_000, "> " * 50_000, "Them: " * 20_000, "-" * 100_000],
)
def test_hostile_output_takes_no_time(tmp_path: Path, line: str) -> None:
    """No pattern runs away on a long line."""
    log = reading(tmp_path, f'> {{"action":"echo"}}\n{line}\n')
    assert log.entries[0].action == "echo"


def test_escapes_are_taken_off() -> None:
    """Colours, cursor movements, titles, and what a carriage return wrote over."""
    assert without_escapes("\x1b[1G\x1b[0J> \x1b[3G\r\x1b[2K\x1b[3D\x1b[34m< {}\x1b[39m\r") == "< {}"
    assert without_escapes("\x1b7\x1b]0;title\x07x\x1b8") == "x"


def test_an_upgrade_that_worked_is_an_attempt_too(tmp_path: Path) -> None:
    """Otherwise a count of attempts knew refusals alone; the session connected once all the same."""
    path = tmp_path / "wscat.txt"
    path.write_text(
        'Connected (press CTRL+C to quit)\n> {"action":"echo"}\nerror: Unexpected server response: 401\n'
    )
    log = read(path)
    assert log.attempts["ok"].tolist() == [True, False]
    assert log.attempts["http_status"].tolist() == [101, 401]
    assert log.attempts["attempt"].tolist() == [1, 2]
    assert log.sessions["connects"].tolist() == [1]


def test_what_bears_no_time_says_so(tmp_path: Path) -> None:
    """`at` is the file's, and 0 for the other clock tells that nobody measured it."""
    (tmp_path / "wscat.txt").write_text('Connected (press CTRL+C to quit)\n> {"action":"echo"}\n')
    assert {entry.monotonic_ns for entry in read(tmp_path / "wscat.txt").entries} == {UNTIMED}
