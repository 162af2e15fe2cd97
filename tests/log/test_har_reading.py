"""HARs of every tool become a log with the columns a live one has.

The samples: `devtools-156` was written by Chromium 156's own developer tools, `playwright-1.65` by Playwright
driving it, `mitmproxy-11.0.2` by mitmdump, all of a guest session on the sandbox. `firefox`, `safari` and
`charles` are written by hand after the sources of the first two and published exports of the third.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from guestlab.errors import InputError, LogError
from guestlab.log.reading import Report, read
from guestlab.log.reading.har import columns_of, entries_of

if TYPE_CHECKING:
    from guestlab.log.entry import Entry

SAMPLES = Path(__file__).parent.parent / "data" / "har"
WORDS = [
    "hello",
    "Hello! I am the sandbox bot. You got through, so the handshake worked.",
    "What would you like?",
]
SOCKET = "wss://webmessaging.mypurecloud.de/v1?deploymentId=11111111-1111-4111-8111-111111111111"
START = 1_795_341_600.0
"""2026-11-22T10:00:00Z."""


def entry(url: str, started: float = START, **more: Any) -> dict[str, Any]:
    """An exchange that took 100 ms."""
    return {
        "startedDateTime": f"2026-11-22T10:00:{started - START:06.3f}Z",
        "time": 100.0,
        "request": {"method": "GET", "url": url, "httpVersion": "HTTP/1.1", "headers": []},
        "response": {"status": 200, "statusText": "OK", "httpVersion": "HTTP/1.1", "headers": []},
        **more,
    }


def socket(*messages: tuple[str, float | None, Any], **more: Any) -> dict[str, Any]:
    """A WebSocket with messages: type, seconds after the start, data or the whole message."""
    written = [
        {"type": kind, "time": None if at is None else START + at, "opcode": 1,
         **(data if isinstance(data, dict) and "data" in data else {"data": data if isinstance(data, str) else json.dumps(data)})}
        for kind, at, data in messages
    ]  # fmt: skip
    upgrade = {"status": 101, "statusText": "Switching Protocols", "httpVersion": "HTTP/1.1", "headers": []}
    return entry(
        SOCKET, **{"response": upgrade, "_resourceType": "websocket", "_webSocketMessages": written, **more}
    )


def said(words: str) -> dict[str, Any]:
    """A text of a bot."""
    body = {"id": "b", "type": "Text", "text": words, "direction": "Outbound", "channel": {}}
    return {"type": "message", "class": "StructuredMessage", "code": 200, "body": body}


@pytest.fixture
def written(tmp_path: Path) -> Any:
    """Write a HAR and read its entries and its report."""

    def write(*entries: Any, text: str | None = None) -> tuple[list[Entry], list[tuple[str, str]]]:
        path = tmp_path / "some.har"
        document = {"log": {"version": "1.2", "creator": {"name": "A tool"}, "entries": list(entries)}}
        path.write_text(json.dumps(document) if text is None else text, "utf-8")
        report = Report(path.name)
        found = list(entries_of(path, report))
        assert [one.seq for one in found] == list(range(1, len(found) + 1))
        return found, [(skipped.place, skipped.why) for skipped in report.skipped]

    return write


@pytest.mark.parametrize("name", ["devtools-156", "playwright-1.65", "mitmproxy-11.0.2"])
def test_a_guest_session_saved_by_a_tool_is_read(name: str) -> None:
    """Its messages, its upgrade and its frames; the guest token by its tag alone."""
    log = read(SAMPLES / f"{name}.har")
    assert log.skipped == ()
    assert list(log.messages["text"]) == WORDS
    assert list(log.messages["direction"].astype("str")) == ["Inbound", "Outbound", "Outbound"]
    assert log.messages["message_id"].notna().all()
    upgrade = log.http[log.http["http_status"] == 101].iloc[0]
    assert "deploymentId=" in upgrade["url"]
    assert 0 < upgrade["latency_ms"] < 1000
    sent = log.frames[log.frames["direction"] == "sent"]
    assert list(sent["action"]) == ["configureSession", "onMessage"]
    assert sent["guest_token"].str.fullmatch(r"\[masked:[0-9a-f]{8}\]").all()
    answered = log.frames[log.frames["latency_ms"].notna()]
    assert list(answered["class_name"]) == ["SessionResponse", "StructuredMessage"]
    assert log.table()["at"].is_monotonic_increasing
    assert set(log.table()["session"].dropna()) == set(log.sessions["session"])
    assert log.sessions.iloc[0][["connects", "messages_in", "messages_out"]].tolist() == [1, 1, 2]


@pytest.mark.parametrize("name", ["firefox", "safari", "charles"])
def test_a_tool_that_writes_no_frames_gives_the_exchanges(name: str) -> None:
    """And a note on the upgrade says that frames are missing from the file."""
    log = read(SAMPLES / f"{name}.har")
    assert log.skipped == ()
    http = log.http
    upgrade = http[http["http_status"] == 101].iloc[0]
    assert upgrade["note"] == "The file holds no frames of this socket."
    assert upgrade["at"].isoformat() == "2026-11-22T10:00:00.500000+00:00"
    history = http[http["url"].str.contains("/messages", na=False)].iloc[0]
    assert (history["http_status"], history["correlation_id"]) == (
        200,
        "0a1b2c3d-0000-4000-8000-00000000000f",
    )
    body = next(one.raw for one in log.entries if one.raw and "pageCount" in one.raw)
    assert body.startswith("HTTP/2")
    assert json.loads(body.partition("\r\n\r\n")[2])["entities"][0]["text"] == "hello"


def test_what_got_no_answer_says_so() -> None:
    """By the tool's own words."""
    log = read(SAMPLES / "safari.har")
    lost = next(one for one in log.entries if one.ok is False)
    assert (lost.http_status, lost.note) == (None, "No answer: The network connection was lost.")


def test_charles_posted_body_is_found_under_a_forms_name() -> None:
    """It takes JSON for a form when the content type says so."""
    log = read(SAMPLES / "charles.har")
    posted = next(one for one in log.entries if one.method == "POST" and one.kind == "request")
    assert posted.raw is not None
    assert posted.raw.endswith('\r\n\r\n{"grant_type":"client_credentials"}')
    assert ":authority" not in posted.raw


def test_exchanges_and_frames_stand_in_the_order_of_time(written: Any) -> None:
    """Two sockets and a call, interleaved; an answer names its request."""
    found, skipped = written(
        socket(("receive", 1.0, said("a")), ("receive", 3.0, said("c")), ("receive", 3.5, said("d"))),
        entry("https://api.mypurecloud.de/x", START + 2),
        socket(
            ("receive", 2.05, said("b")),
            ("receive", 3.2, said("e")),
            startedDateTime="2026-11-22T10:00:02.010Z",
        ),
    )
    assert skipped == []
    assert [one.text or one.kind for one in found] == [
        "request", "response", "a", "request", "request", "response", "b", "response", "c", "e", "d"
    ]  # fmt: skip
    assert [one.at for one in found] == sorted(one.at for one in found)
    assert {one.seq: one.exchange for one in found if one.kind == "response"} == {2: 1, 6: 5, 8: 4}
    assert len({one.session for one in found if one.kind == "frame"}) == 2


@pytest.mark.parametrize(
    ("time", "seconds"),
    [
        (START + 1.5, 1.5),
        ((START + 1.5) * 1000, 1.5),
        (1.5, 1.5),
        (None, 0.0),
        (0, 0.0),
        (-1, 0.0),
        (1e300, None),
    ],
    ids=["seconds", "milliseconds", "since opening", "none", "zero", "negative", "absurd"],
)
def test_a_message_time_is_read_in_every_unit(written: Any, time: Any, seconds: float | None) -> None:
    """Chromium and mitmproxy write seconds, Playwright milliseconds; without one it is that of the frame before."""
    frame = socket(("receive", 0, said("x")))
    frame["_webSocketMessages"][0]["time"] = time
    found, _ = written(frame)
    at = next(one.at for one in found if one.kind == "frame")
    if seconds is not None:
        assert at == int(START * 1e9) + int(seconds * 1e9)


def test_binary_frames_closes_and_pings(written: Any) -> None:
    """Text in a binary frame is read, a close has its code, a ping and an error of the tool are no entries."""
    frame = json.dumps(said("binary"))
    found, _ = written(
        socket(
            ("receive", 1, {"opcode": 2, "data": base64.b64encode(frame.encode()).decode()}),
            ("receive", 2, {"opcode": 2, "data": base64.b64encode(b"\xff\xfe").decode()}),
            ("receive", 3, {"encoding": "base64", "data": base64.b64encode(frame.encode()).decode()}),
            ("receive", 4, {"opcode": 9, "data": ""}),
            ("error", 5, {"opcode": -1, "data": "net::ERR"}),
            ("receive", 6, {"opcode": 1, "data": "x" * (2**22 + 1)}),
            ("send", 7, {"opcode": 8, "data": base64.b64encode((1001).to_bytes(2, "big") + b"bye").decode()}),
            ("receive", 8, {"opcode": 8, "data": "4000"}),
            ("receive", 9, {"opcode": 8, "data": ""}),
        )
    )
    frames = [one for one in found if one.kind == "frame"]
    assert [one.text for one in frames] == ["binary", None, "binary", None]
    assert frames[1].raw == "\\xff\\xfe"
    assert frames[3].raw == f"[{2**22 + 1} bytes, not kept]"
    closes = [(one.direction, one.close_code) for one in found if one.kind == "close"]
    assert closes == [("sent", 1001), ("received", 4000), ("received", None)]


def test_a_socket_without_a_status_was_open_if_frames_crossed_it(written: Any) -> None:
    """Otherwise its handshake failed, and the tool's reason is told."""
    found, _ = written(
        socket(("receive", 1, said("x")), response={"status": 0}),
        entry(SOCKET, response={"status": 0, "_error": "net::ERR_ABORTED"}, _webSocketMessages=[]),
    )
    answers = [one for one in found if one.kind == "response"]
    assert {(one.http_status, one.ok) for one in answers} == {(101, True), (None, False)}
    assert "No answer: net::ERR_ABORTED." in {one.note for one in answers}


def test_sockets_are_told_apart_by_what_they_are(written: Any) -> None:
    """The guest socket, the notification channels, and another socket of the page."""
    found, _ = written(
        socket(),
        entry("wss://streaming.mypurecloud.de/channels/abc", _resourceType="websocket"),
        entry("wss://live.shop.example/feed", _resourceType="websocket"),
    )
    stages = {one.url: one.stage for one in found if one.url}
    assert [stages[url] for url in sorted(stages)] == [None, "channel", "session"]


def test_a_torn_file_gives_what_is_whole_and_a_report(written: Any) -> None:
    """The exchanges, and of the socket in which it ends the frames."""
    document = {
        "log": {
            "entries": [
                entry("https://a.example/"),
                socket(("receive", 1, said("one")), ("receive", 2, said("two"))),
            ]
        }
    }
    text = json.dumps(document)
    found, skipped = written(text=text[: text.index("two") + 1])
    assert [one.text for one in found if one.kind == "frame"] == ["one"]
    assert skipped == [("entry 2", "the file ends in the middle of it; 1 whole frames were kept")]


def test_every_torn_sample_is_read_or_refused_in_words(tmp_path: Path) -> None:
    """Cut at many places, whatever tool wrote it."""
    for sample in sorted(SAMPLES.glob("*.har")):
        data = sample.read_bytes()
        for end in range(0, len(data), 997):
            path = tmp_path / "torn.har"
            path.write_bytes(data[:end])
            report = Report(path.name)
            try:
                found = len(list(entries_of(path, report)))
            except InputError as error:
                told = error.next_step
            else:
                told = str(found or report.skipped)
            assert told.strip("[]")


@pytest.mark.parametrize(
    "entry", [None, 7, "x", [], {}, {"request": {}}, {"request": {"url": ""}}, {"request": 5}]
)
def test_an_entry_that_says_nothing_is_reported(written: Any, entry: Any) -> None:
    """The others are read."""
    found, skipped = written(entry, socket(("receive", 1, said("x"))))
    assert len(found) == 3
    assert skipped == [("entry 1", "it has no request with a URL")]


def test_absurd_numbers_and_texts_are_no_errors(tmp_path: Path) -> None:
    """Whatever stands in a file, the log takes it."""
    path = tmp_path / "odd.har"
    odd = entry(
        "https://a.example/\ud800", time=1e308, response={"status": 2**70, "content": {"size": -(2**70)}}
    )
    more = socket(("receive", 1e300, said("\ud800")), startedDateTime="0001-01-01T00:00:00Z")
    late = socket(("receive", 1e17, said("x")), startedDateTime="9999-12-31T23:59:59Z", time=-5)
    path.write_text(json.dumps({"log": {"entries": [odd, more, late]}}), "utf-8")
    log = read(path)
    assert len(log.table()) == len(log.entries) >= 8


def test_a_file_too_large_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before its bytes are in memory."""
    path = tmp_path / "large.har"
    path.write_text("{}" * 100)
    monkeypatch.setattr("guestlab.log.reading.har.MAX_FILE", 100)
    with pytest.raises(LogError, match="too large"):
        columns_of(path, Report(path.name))


def test_a_file_that_is_no_har_or_not_there_is_refused(tmp_path: Path) -> None:
    """Each in its own words."""
    path = tmp_path / "no.har"
    with pytest.raises(LogError, match="cannot be read"):
        columns_of(path, Report(path.name))
    path.write_text("<html>")
    with pytest.raises(InputError, match="no HAR"):
        columns_of(path, Report(path.name))


def test_many_frames_come_in_blocks_and_in_order(tmp_path: Path) -> None:
    """No block holds much more than a chunk; numbers run through."""
    path = tmp_path / "many.har"
    messages = [("receive", place / 100, said(str(place))) for place in range(10_000)]
    path.write_text(
        json.dumps({"log": {"entries": [socket(*messages), entry("https://a.example/", START + 20)]}})
    )
    blocks = list(columns_of(path, Report(path.name)))
    assert max(len(block["at"]) for block in blocks) <= 6144
    texts = [text for block in blocks for text in block["text"] if text is not None]
    assert texts == [str(place) for place in range(10_000)]
    log = read(path)
    assert len(log.messages) == 10_000 - 9_999  # they all have one id: the same message
    assert len(log.frames) == 10_000


def test_an_entry_that_does_not_say_when_it_began_is_told_and_kept(tmp_path: Path) -> None:
    """It stands where its neighbour does: the one before it, of the first the one after."""
    begun = ["soon", "2026-01-01T00:00:01Z", None]
    entries = [
        {"startedDateTime": when, "request": {"method": "GET", "url": f"https://x/{number}"}, "response": {}}
        for number, when in enumerate(begun)
    ]
    (tmp_path / "a.har").write_text(json.dumps({"log": {"version": "1.2", "entries": entries}}))
    log = read(tmp_path / "a.har")
    assert {entry.at for entry in log.entries if entry.kind == "request"} == {1_767_225_601 * 10**9}
    assert [one.place for one in log.skipped] == [f"entry {number}, startedDateTime" for number in (1, 3)]


@pytest.mark.parametrize(
    ("mime", "kept"),
    [
        ("application/javascript; charset=utf-8", False),
        ("image/png", False),
        ("text/css", False),
        ("FONT/woff2", False),
        ("application/json", True),
        ("text/html", True),
        (None, True),
    ],
)
def test_what_a_page_is_made_of_is_told_by_its_size(tmp_path: Path, mime: str | None, kept: bool) -> None:
    """Scripts, styles, images and fonts hold no exchange of messages; everything else is kept."""
    content = {"size": 15, "text": "some words here"} | ({"mimeType": mime} if mime else {})
    entry = {
        "startedDateTime": "2026-11-22T10:00:00.000Z",
        "time": 1,
        "request": {"method": "GET", "url": "https://shop.example/x", "headers": []},
        "response": {"status": 200, "headers": [], "content": content},
    }
    path = tmp_path / "page.har"
    document = {"log": {"version": "1.2", "creator": {"name": "WebInspector"}, "entries": [entry]}}
    path.write_text(json.dumps(document), encoding="utf-8")
    answer = read(path).entries[1]
    assert answer.size == 15
    assert ("some words here" in (answer.raw or "")) is kept
