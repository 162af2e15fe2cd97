"""What tools print in a terminal: wscat, websocat, the `websockets` command line, the web messaging tester.

A line is judged by its mark: `> ` was sent, `< ` received, `Connected`, `error:` and their like tell how the
socket fared, `You:` and `Them:` are lines of a transcript. A bare line is a frame if it is one by its keys.
Colours and cursor movements are taken off first. A terminal keeps no times: every entry bears that of the
file, and `monotonic_ns` 0, which says that no clock told it. What a tool says of an upgrade becomes an
attempt, of a refused one with its diagnosis.

Sources: wscat 6.1.0, `bin/wscat`; websockets 17.4, `cli.py`; vi/websocat, issue 55; ovotech
genesys-web-messaging-tester-cli, `commands/scriptedTest/ui.ts` and `commands/aiTest/ui.ts`.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from guestlab.handshake.diagnosis import diagnose
from guestlab.handshake.evidence import Evidence
from guestlab.log.entry import UNTIMED, Entry, Kind, Lane, Stage, Step
from guestlab.log.frame_columns import Frames, direction_of
from guestlab.log.reading.text_file import lines_of, opened, time_of_file
from guestlab.protocol.frames import describe_close

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from guestlab.log.reading.report import Report

__all__ = ["entries_of", "entries_of_lines", "is_console", "without_escapes"]

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_78=>])")
_URL = re.compile(r"\bwss?://[^\s\"'<>`]+")
_COMMAND = re.compile(
    r"(?:[$#%>]|PS [^>]*>)?\s*(?:npx )?(?:wscat|websocat|websockets|python3? -m websockets)\s"
)
_CONNECTED = re.compile(r"Connected(?: \(press CTRL\+C to quit\)|(?: to (wss?://\S+?))\.?)?")
_REFUSED = (
    re.compile(r"error: Unexpected server response: (\d{3})"),
    re.compile(r"websocat: WebSocketError: Received unexpected status code(?: \((\d{3})[^)]*\))?"),
    re.compile(r"Failed to connect to \S+: server rejected WebSocket connection: HTTP (\d{3})\.?"),
)
_CLOSED = (
    re.compile(r"Disconnected \(code: (\d{3,4}), reason: \"(.*)\"\)"),
    re.compile(r"Connection closed: (\d{3,4})(?: \([^)]*\))?(.*?)\.?"),
)
_FAILED = re.compile(r"(?:error: |websocat: |Failed to connect to )(.+)")
_SAID = re.compile(r"\s*(You|AI|Them|Chatbot|Bot): ?(.*)")
_INBOUND = frozenset({"You", "AI"})
_RULED = re.compile(r"-{5,}")
_RESULT = re.compile(r"(.+) \((PASS|FAIL)\b[^)]*\)(?: - .*)?")
_AFTER = re.compile(
    r"Expected a message within |Bot disconnected from |WARNING: |Test failed\. |Scenario Test Results"
    r"|(?:PASS|FAIL) - |  \^ This test "
)
"""Lines that end a transcript; the tester prints an empty one before."""
_MOST_SAID = 100_000
"""Lines of transcripts that are kept until it is known whether they are printed again."""
_LONGEST_TOLD = 20_000
"""Characters of a line in which a tool's own words are looked for; a longer one can only be a frame."""


def without_escapes(line: str) -> str:
    r"""Take off colours and cursor movements, and what a carriage return wrote over.

    >>> without_escapes("> \r\x1b[KConnection closed: 1000 (OK).")
    'Connection closed: 1000 (OK).'
    """
    if "\x1b" in line:
        line = _ESCAPES.sub("", line)
    return line.rstrip("\r").rpartition("\r")[2]


def is_console(text: str) -> bool:
    """Tell whether the beginning of a file looks like what such a tool prints."""
    lines = [without_escapes(line) for line in text[:_LONGEST_TOLD].split("\n")[:200]]
    marked = sum(1 for line in lines if line.startswith(("> {", "< {")))
    told = any(
        pattern.fullmatch(line.removeprefix("> "))
        for line in lines
        for pattern in (_CONNECTED, *_REFUSED, *_CLOSED)
    )
    said = sum(1 for line in lines if _SAID.fullmatch(line))
    return marked > 0 or told or said > 1 or any(_COMMAND.match(line) for line in lines)


def entries_of(path: Path, report: Report) -> Iterator[Entry]:
    """Yield what a text file of terminal output tells."""
    with opened(path) as text:
        lines = lines_of(text, report, with_empty=True)
        yield from entries_of_lines(lines, report, session=path.stem, at_ns=time_of_file(path))


def entries_of_lines(
    lines: Iterable[tuple[int, str]], report: Report, *, session: str, at_ns: int
) -> Iterator[Entry]:
    """Yield what numbered lines tell.

    Args:
        lines: The output, line by line.
        report: Told of lines that say nothing known.
        session: Name of the session the frames belong to.
        at_ns: The time of everything.
    """
    console = _Console(report, session, at_ns)
    for number, line in lines:
        yield from console.read(number, without_escapes(line))
    yield from console.end()


class _Console:
    """The state between two lines: which socket, which transcript."""

    def __init__(self, report: Report, session: str, at_ns: int) -> None:
        self._report, self._session, self._at = report, session, at_ns
        self._seq = 0
        self._attempts = 0
        self._frames = Frames()
        self._url: str | None = None
        self._transcript = _Transcript(session)

    def read(self, number: int, line: str) -> Iterator[Entry]:
        while line.startswith("> >"):  # a prompt nobody typed at
            line = line[2:]
        marked = line.startswith(("> ", "< "))
        for pattern, told in _TOLD if len(line) < _LONGEST_TOLD else ():
            found = pattern.fullmatch(line.removeprefix("> "))
            if found is not None:
                yield from told(self, found)
                return
        if marked or line in {">", "<"}:
            yield from self._frame(line[2:], "sent" if line[0] == ">" else "received")
        elif (direction := _direction(line)) is not None:
            yield from self._frame(line.strip(), direction)
        elif not self._transcript.read(number, line):
            self._unknown(number, line)

    def end(self) -> Iterator[Entry]:
        """Yield the transcripts: only now it is known which lines were printed twice."""
        for columns in self._transcript.told(self._report):
            yield self._entry(**columns)

    def _unknown(self, number: int, line: str) -> None:
        if _COMMAND.match(line):
            found = _URL.search(line)
            self._url = found[0] if found else self._url
        elif line.strip() not in {"", "^C", "^D"}:
            self._report.skip(f"line {number}", "it has no mark of a known tool")

    def _entry(self, **columns: Any) -> Entry:
        self._seq += 1
        always = {"seq": self._seq, "at": self._at, "monotonic_ns": UNTIMED, "stage": Stage.SESSION}
        return Entry(**{**always, "session": self._session, **columns})

    def _frame(self, text: str, direction: str) -> Iterator[Entry]:
        if text.strip():
            yield self._entry(**self._frames.columns(text, direction, seq=self._seq + 1))

    def _connected(self, found: re.Match[str]) -> Iterator[Entry]:
        self._url = found[1] or self._url
        self._frames = Frames()
        note = "The tool says it is connected, which takes HTTP 101."
        yield self._upgrade(101, ok=True, note=note)
        yield self._attempt(101, note, ok=True)

    def _refused(self, found: re.Match[str]) -> Iterator[Entry]:
        status = int(found[1]) if found[1] else None
        if (url := _URL.search(found[0])) is not None:
            self._url = url[0].rstrip(".:")
        yield self._upgrade(status, ok=False, note=found[0])
        yield self._attempt(status, found[0])

    def _failed(self, found: re.Match[str]) -> Iterator[Entry]:
        if (url := _URL.search(found[0])) is not None:
            self._url = url[0].rstrip(".:")
        yield self._upgrade(None, ok=False, note=found[0])
        yield self._attempt(None, found[0])

    def _closed(self, found: re.Match[str]) -> Iterator[Entry]:
        code = int(found[1])
        reason = found[2].strip()
        note = describe_close(code) + (f" Reason: {reason}" if reason else "")
        yield self._entry(kind=Kind.CLOSE, lane=Lane.CLOSE, close_code=code, note=note)

    def _upgrade(self, status: int | None, *, ok: bool, note: str) -> Entry:
        return self._entry(
            kind=Kind.RESPONSE,
            step=Step.UPGRADE,
            lane=Lane.HTTP,
            direction="received",
            method="GET",
            url=self._url,
            http_status=status,
            ok=ok,
            note=note,
        )

    def _attempt(self, status: int | None, note: str, *, ok: bool = False) -> Entry:
        self._attempts += 1
        evidence = Evidence.of(url=self._url, method="GET", http_status=status, note=note)
        return self._entry(
            kind=Kind.ATTEMPT,
            stage=Stage.HANDSHAKE,
            step=Step.UPGRADE,
            attempt=self._attempts,
            url=self._url,
            http_status=status,
            rule=None if ok else ",".join(diagnose(evidence).rules) or None,
            ok=ok,
            note=note,
        )


_TOLD: tuple[tuple[re.Pattern[str], Callable[[_Console, re.Match[str]], Iterator[Entry]]], ...] = (
    (_CONNECTED, _Console._connected),  # noqa: SLF001 - the rows of its own table
    *((pattern, _Console._refused) for pattern in _REFUSED),  # noqa: SLF001
    *((pattern, _Console._closed) for pattern in _CLOSED),  # noqa: SLF001
    (_FAILED, _Console._failed),  # noqa: SLF001
)
"""What a tool says of its socket, and what becomes of it. The first that fits the whole line counts."""


class _Transcript:
    """Lines of the web messaging tester: words without frames.

    A scenario's result repeats what was printed while it ran: where there are results, the rest is left out.
    """

    def __init__(self, session: str) -> None:
        self._session = session
        self._running: list[tuple[int, dict[str, Any]]] = []
        self._results: list[tuple[int, dict[str, Any]]] = []
        self._title: re.Match[str] | None = None
        self._result: dict[str, Any] | None = None
        self._last: dict[str, Any] | None = None

    def read(self, number: int, line: str) -> bool:
        """Take a line; tell whether it belongs to a transcript."""
        if len(line) >= _LONGEST_TOLD:
            return False
        if _RULED.fullmatch(line):
            self._begin(number)
            return True
        title = _RESULT.fullmatch(line)
        if title is not None:
            self._title, self._last = title, None
            return True
        if (said := _SAID.fullmatch(line)) is not None:
            return self._said(number, said)
        if _AFTER.match(line):
            self._last = None
            if not line.startswith(("Expected", "Bot")):
                self._result = None
                return True
        return self._continued(line)

    def _continued(self, line: str) -> bool:
        """Take a further line of a message, or of the reason why a scenario failed."""
        if self._last is not None:
            self._last["text"] = f"{self._last['text']}\n{line}"[:_LONGEST_TOLD]
        elif self._result is not None and line.strip():
            self._result["note"] = f"{self._result['note']} {line.strip()}"[:_LONGEST_TOLD]
        return self._last is not None or self._result is not None

    def _begin(self, number: int) -> None:
        self._last = self._result = None
        if self._title is None:
            return
        name, outcome = self._title[1].strip(), self._title[2]
        note = f"The tester's scenario {'passed' if outcome == 'PASS' else 'failed'}."
        self._result = {"kind": Kind.NOTE, "session": name, "ok": outcome == "PASS", "note": note}
        self._results.append((number, self._result))
        self._title = None

    def _said(self, number: int, said: re.Match[str]) -> bool:
        if len(self._running) + len(self._results) >= _MOST_SAID:
            return False
        inbound = said[1] in _INBOUND
        self._last = {
            "kind": Kind.HISTORY,
            "session": self._session if self._result is None else self._result["session"],
            "direction": "sent" if inbound else "received",
            "message_direction": "Inbound" if inbound else "Outbound",
            "message_type": "Text",
            "text": said[2],
            "note": "From a transcript: words, not frames.",
        }
        (self._running if self._result is None else self._results).append((number, self._last))
        return True

    def told(self, report: Report) -> Iterator[dict[str, Any]]:
        """Yield the columns of every entry."""
        if self._results:
            for number, _ in self._running:
                report.skip(f"line {number}", "the scenario's result says it again")
        for _, columns in self._results or self._running:
            if "text" in columns:
                columns["text"] = columns["text"].rstrip()
            yield columns


def _direction(line: str) -> str | None:
    """Tell who sent a bare line, as websocat prints it: by its keys."""
    if not line.lstrip().startswith("{"):
        return None
    try:
        return direction_of(json.loads(line))
    except (ValueError, RecursionError):
        return None
