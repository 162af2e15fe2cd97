"""The fast way to a frame's columns and the long way agree, frame by frame."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guestlab.har.entry import Message
from guestlab.log.frame_columns import Frames
from guestlab.log.reading.har_frames import FRAME_COLUMNS, SocketFrames

SAMPLES = Path(__file__).parent.parent / "data" / "frames"
TOKEN = "8b6c1d1e-0000-4000-8000-000000000001"


def said(words: str, time: str | None = "2026-11-22T10:00:00.123Z", **more: Any) -> dict[str, Any]:
    """A text of a bot."""
    channel = {"messageId": "m-1", "type": "Private", **({} if time is None else {"time": time})}
    body = {"id": "b-1", "type": "Text", "text": words, "direction": "Outbound", "channel": channel}
    return {"type": "message", "class": "StructuredMessage", "code": 200, "body": {**body, **more}}


def asked(tracing_id: str | None, action: str = "onMessage") -> dict[str, Any]:
    """A frame of the guest."""
    frame = {"action": action, "token": TOKEN, "message": {"type": "Text", "text": "x"}}
    return frame if tracing_id is None else {**frame, "tracingId": tracing_id}


def both_ways(frames: list[tuple[str, str]]) -> tuple[list[Any], list[Any]]:
    """The columns by the fast way and by `Frames`."""
    times = [1_000_000_000 + 1_000_000 * place for place in range(len(frames))]
    messages = [
        Message(type="send" if way == "sent" else "receive", opcode=1, data=raw) for way, raw in frames
    ]
    columns = SocketFrames().columns(messages, times, 1)
    fast = [dict(zip(FRAME_COLUMNS, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    slowly = Frames()
    slow = []
    for seq, ((way, raw), at) in enumerate(zip(frames, times, strict=True), 1):
        found = slowly.columns(raw, way, seq=seq, at_ns=at)
        slow.append({name: found.get(name) for name in FRAME_COLUMNS})
    return fast, slow


TALKS: dict[str, list[tuple[str, Any]]] = {
    "a talk": [
        ("sent", asked("c", "configureSession")),
        ("received", {"class": "SessionResponse", "code": 200, "tracingId": "c", "body": {"connected": True}}),
        ("sent", asked("1")),
        ("received", said("x", tracingId="1")),
        ("received", {**said("y"), "tracingId": "1"}),
    ],
    "an answer without an id": [
        ("sent", asked(None, "configureSession")),
        ("received", {"class": "SessionResponse", "code": 200, "body": {"connected": True}}),
    ],
    "late ones": [
        ("received", said("b", "2026-11-22T10:00:00.500Z")),
        ("received", said("a", "2026-11-22T10:00:00.499Z")),
        ("received", said("no time", None)),
        ("received", said("c", "2026-11-22T11:00:00.5+01:00")),
        ("received", said("naive", "2026-11-22T10:00:00.1")),
        ("received", said("none", "yesterday")),
    ],
    "events": [
        ("received", said("", type="Event", events=[{"eventType": "Typing"}])),
        ("received", said("x", events=[{"eventType": "Presence", "presence": {"type": "Join"}}])),
        ("received", {**said("pong"), "type": "response"}),
        ("received", said("", type="Receipt", status="Delivered")),
    ],
    "content": [
        ("received", said("", type="Structured", content=[{"contentType": "QuickReply"}, {}, {"contentType": "Card"}])),
        ("received", said("x", content=[])),
        ("received", said("x", content=[7])),
        ("received", said("x", content={"a": 1})),
    ],
    "wrong types": [
        ("received", said(5)),  # type: ignore[arg-type]
        ("received", said("x", direction="Sideways")),
        ("received", said("x", originatingEntity="Robot")),
        ("received", said("x", channel=7)),
        ("received", said("x", id=None, channel={})),
        ("received", {**said("x"), "code": "200"}),
        ("received", {**said("x"), "code": 2**70}),
        ("received", {**said("x"), "tracingId": 7}),
        ("received", {"class": "StructuredMessage", "body": None}),
        ("received", {"class": "string", "code": 4011, "body": "too long"}),
        ("sent", {"action": 7, "token": 7, "tracingId": 7}),
        ("sent", {"action": "", "token": "", "tracingId": ""}),
    ],
    "no frames": [
        ("received", "null"), ("received", "[]"), ("received", ""), ("received", "{"), ("sent", "7"), ("sent", "x"),
        ("received", '{"class":"StructuredMessage","body":{"type":"Text","text":"\\ud800","channel":{}}}'),
        ("received", '{"class":"StructuredMessage","body":{"type":"Text","text":NaN}}'),
        ("received", "{" * 5000), ("sent", "[" * 5000),
        ("received", json.dumps(said("x"))[:-1] + ',"deep":' + "[" * 300 + "]" * 300 + "," + '"pad":"' + "x" * 600 + '"}'),
    ],
}  # fmt: skip


@pytest.mark.parametrize("talk", TALKS.values(), ids=TALKS.keys())
def test_both_ways_agree(talk: list[tuple[str, Any]]) -> None:
    """In every column, in every frame of a talk."""
    frames = [
        (way, raw if isinstance(raw, str) else json.dumps(raw, ensure_ascii=False)) for way, raw in talk
    ]
    fast, slow = both_ways(frames)
    assert fast == slow


@pytest.mark.parametrize("name", ["client", "server", "unknown"])
def test_both_ways_agree_on_published_samples(name: str) -> None:
    """Frames as the official models and captures have them."""
    lines = [json.loads(line) for line in (SAMPLES / f"{name}.jsonl").read_text("utf-8").splitlines() if line]
    raws = [json.dumps(line["payload"]) for line in lines]
    fast, slow = both_ways([("sent" if name == "client" else "received", raw) for raw in raws])
    assert fast == slow
    assert fast


VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from(["", "a", "Text", "Inbound", "2026-11-22T10:00:00Z"])
)
BODIES = st.fixed_dictionaries(
    {"type": st.sampled_from(["Text", "Structured", "Event"])},
    optional={
        "id": VALUES, "text": VALUES, "direction": VALUES, "tracingId": VALUES, "originatingEntity": VALUES,
        "channel": VALUES | st.fixed_dictionaries({}, optional={"time": VALUES, "messageId": VALUES}),
        "content": VALUES | st.lists(st.fixed_dictionaries({}, optional={"contentType": VALUES}), max_size=2),
        "events": VALUES | st.lists(VALUES, max_size=1),
    },
)  # fmt: skip
RECEIVED = st.fixed_dictionaries(
    {"class": st.sampled_from(["StructuredMessage", "SessionResponse", "string"]), "body": BODIES | VALUES},
    optional={"type": st.sampled_from(["message", "response"]), "code": VALUES, "tracingId": VALUES},
)
SENT = st.fixed_dictionaries({}, optional={"action": VALUES, "token": VALUES, "tracingId": VALUES})


@given(
    st.lists(
        st.tuples(st.just("sent"), SENT) | st.tuples(st.just("received"), RECEIVED), min_size=1, max_size=6
    )
)
def test_both_ways_agree_on_anything(talk: list[tuple[str, Any]]) -> None:
    """Whatever stands in the fields both look at."""
    fast, slow = both_ways([(way, json.dumps(frame)) for way, frame in talk])
    assert fast == slow
