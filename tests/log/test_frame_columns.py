"""The columns of a frame: the same as a live session records them."""

from __future__ import annotations

import doctest
import importlib
import json
from pathlib import Path

import pytest

from guestlab.lab import Lab
from guestlab.log.frame_columns import Frames, capabilities, direction_of, frame_columns

FRAMES = Path(__file__).parent.parent / "data" / "frames"
LATER = {"session", "stage", "exchange", "latency_ms", "guest_token", "source_file", "late"}
"""What a frame does not say by itself."""


def test_a_live_session_and_its_frames_agree() -> None:
    """Every frame of a real conversation gets the columns it was recorded with."""
    with Lab() as lab, lab.session() as session:
        session.send("hello")
        session.typing()
        session.messages(quiet=0.3)
        session.history()
        lived = [entry for entry in lab.log.entries if entry.kind == "frame"]
    assert len(lived) >= 6
    frames = Frames()
    for entry in lived:
        assert entry.raw is not None
        assert entry.direction is not None
        columns = frames.columns(entry.raw, entry.direction, seq=entry.seq)
        live = {name: value for name, value in entry.filled().items() if name not in LATER}
        for name in ("seq", "at", "monotonic_ns", "size"):  # the size is that before masking
            live.pop(name, None)
            columns.pop(name, None)
        assert {name: value for name, value in columns.items() if name not in LATER} == live
        if entry.exchange is not None:  # live, only what somebody waits for is an answer
            assert columns.get("exchange") == entry.exchange


@pytest.mark.parametrize("kind", ["server", "client", "unknown"])
def test_no_frame_of_the_vendors_raises(kind: str) -> None:
    """And each is told by its keys to be sent or received."""
    for line in (FRAMES / f"{kind}.jsonl").read_text(encoding="utf-8").splitlines():
        payload = json.loads(line)["payload"]
        direction = direction_of(payload)
        if kind != "unknown":
            assert direction in {{"server": "received", "client": "sent"}[kind], None}
        for way in ("sent", "received"):
            assert frame_columns(json.dumps(payload), way)["direction"] == way


@pytest.mark.parametrize(
    "raw", ["", "\0", "{", "[]", "null", "[" * 10_000, b"\xff\xfe", '{"action":5,"token":{}}', "\ud800"]
)
def test_no_frame_raises(raw: str | bytes) -> None:
    """Whatever it is, it is kept as it came."""
    for direction in ("sent", "received"):
        columns = frame_columns(raw, direction)
        assert columns["size"] == len(raw if isinstance(raw, bytes) else raw.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("url", ["https://[x/", "https:\\/\\/x\\/", "https://x/y?z=/", "//", "https://x]"])
def test_no_url_in_a_frame_raises(url: str) -> None:
    """A hostile server may write any."""
    opaque = "aB3dEfGh1jKlMn0pQrStUvWxYz012345"
    assert capabilities(f'{{"url":"{url}{opaque}"}}') in ([opaque], [])


def test_an_answer_without_a_tracing_id_belongs_to_the_configuring_frame() -> None:
    """Official samples of it come without one."""
    frames = Frames()
    frames.columns('{"action":"configureSession","tracingId":"a"}', "sent", seq=7, at_ns=0)
    answer = frames.columns('{"class":"SessionResponse","code":200}', "received", seq=8, at_ns=2_000_000)
    assert (answer["exchange"], answer["latency_ms"]) == (7, 2.0)


@pytest.mark.parametrize("module", ["frame_columns", "times", "cells", "reading.console", "reading.report"])
def test_the_examples_run(module: str) -> None:
    """And print what they say."""
    results = doctest.testmod(importlib.import_module(f"guestlab.log.{module}"))
    assert results.attempted > 0
    assert results.failed == 0
