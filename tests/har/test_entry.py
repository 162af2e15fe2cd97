"""An entry is read whatever wrote it; what is of another type is left out."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guestlab.har.entry import Content, Message, Pair, PostData, Request, Response, frame_text, read_entry
from guestlab.har.http_text import body_text, parts_of, posted_text, request_text, response_text

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NAMES = ("startedDateTime", "time", "request", "response", "timings", "_webSocketMessages", "_resourceType")
INNER = ("method", "url", "headers", "postData", "status", "content", "text", "encoding", "size", "params")


@given(st.dictionaries(st.sampled_from(NAMES), JSON | st.dictionaries(st.sampled_from(INNER), JSON)))
def test_no_entry_makes_the_reader_fail(entry: dict[str, Any]) -> None:
    """Whatever types stand in it."""
    read = read_entry(json.dumps(entry).encode())
    assert isinstance(read.url, str)
    assert read.is_socket in {True, False}
    for message in read.messages or ():
        frame_text(message)
    if read.request is not None:
        request_text(read.request, posted_text(read.request) or "")
    if read.response is not None:
        response_text(read.response, body_text(read.response.content or Content())[0])


def test_one_wrong_field_costs_that_field_alone() -> None:
    """The rest of the entry is read."""
    entry = read_entry(
        json.dumps(
            {
                "time": "soon",
                "request": {"method": 5, "url": "wss://a.example", "headers": [{"name": "A", "value": 1}, 7]},
                "response": {"status": 101.0, "headers": None},
                "_webSocketMessages": [{"type": "send", "data": "{}", "opcode": "1"}, "x", {"data": None}],
            }
        ).encode()
    )
    assert (entry.time, entry.url, entry.request and entry.request.method) == (None, "wss://a.example", "")
    assert entry.request is not None
    assert entry.request.headers == [Pair("A", "")]
    assert entry.response is not None
    assert entry.response.status == 101
    assert [message.data for message in entry.messages or ()] == ["{}", None, None]


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (Message(opcode=1, data="héllo"), "héllo"),
        (Message(data="héllo"), "héllo"),
        (Message(opcode=2, data=base64.b64encode("héllo".encode()).decode()), "héllo"),
        (Message(opcode=1, encoding="base64", data=base64.b64encode(b"hi").decode()), "hi"),
        (Message(opcode=2, data=base64.b64encode(b"\xff\x00").decode()), b"\xff\x00"),
        (Message(opcode=2, data="no Base64: é"), "no Base64: é"),
        (Message(opcode=9, data=""), None),
        (Message(opcode=8, data="A+g="), None),
        (Message(type="error", opcode=-1, data="net::ERR"), None),
        (Message(opcode=1), None),
    ],
)
def test_the_text_of_a_frame_is_what_crossed_the_wire(message: Message, text: str | bytes | None) -> None:
    """Binary frames are Base64, as Chromium and mitmproxy write them; the rest is no frame of ours."""
    assert frame_text(message) == text


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (Content(text="äb"), ("äb", 3)),
        (Content(text="ab", size=77), ("ab", 77)),
        (Content(text=base64.b64encode("ä".encode()).decode(), encoding="base64"), ("ä", 2)),
        (Content(text=base64.b64encode(b"\xff").decode(), encoding="base64"), ("[1 bytes, no text]", 1)),
        (Content(text="a", encoding="base64"), ("a", 1)),
        (Content(size=5), ("", 5)),
        (Content(text="x" * (2**22 + 1)), (f"[{2**22 + 1} bytes, not kept]", 2**22 + 1)),
    ],
    ids=["text", "size told", "base64", "binary", "bad base64", "no text", "too long"],
)
def test_a_body_is_text_or_its_size(content: Content, expected: tuple[str, int]) -> None:
    """As in a live log."""
    assert body_text(content) == expected


@pytest.mark.parametrize(
    ("posted", "text"),
    [
        (None, None),
        (PostData(text="a=1"), "a=1"),
        (PostData(params=[Pair("a", "1"), Pair("b", "2")]), "a=1&b=2"),
        (PostData(params=[Pair('{"a":1}')]), '{"a":1}'),
        (PostData(), None),
    ],
)
def test_what_was_posted_is_found(posted: PostData | None, text: str | None) -> None:
    """As text, as a form, or as Charles writes JSON under a form's content type."""
    assert posted_text(Request(posted=posted)) == text


@pytest.mark.parametrize(
    ("url", "version", "line"),
    [
        ("https://a.example/x?y=1#z", "h2", "GET /x?y=1 HTTP/2"),
        ("https://a.example", "HTTP/2.0", "GET / HTTP/2.0"),
        ("https://a.example?y=1", "http/1.1", "GET /?y=1 HTTP/1.1"),
        ("/x", "unknown", "GET /x HTTP/1.1"),
        ("https://a.example/a\r\nEvil: 1", None, "GET /a  Evil: 1 HTTP/1.1"),
    ],
)
def test_a_request_is_written_as_it_crossed_the_wire(url: str, version: str | None, line: str) -> None:
    """One first line, no pseudo-headers, and no header smuggled in by a line break."""
    headers = [Pair(":path", "/x"), Pair("A", "b\r\nc"), Pair("Host", "a.example")]
    text = request_text(Request("GET", url, version, headers), "body")
    assert text == f"{line}\r\nA: b  c\r\nHost: a.example\r\n\r\nbody"


def test_an_answer_is_taken_apart_and_put_together_again() -> None:
    """Its first line, its headers in order, its body."""
    text = "HTTP/1.1 200 OK\r\nA: b\r\nSet-Cookie: c=[masked:00000000]\r\n\r\n{}\r\n\r\n"
    parts = parts_of(text)
    headers = [Pair(name, value) for name, value in parts.headers]
    assert response_text(Response(200, "OK", "HTTP/1.1", headers), parts.body) == text
