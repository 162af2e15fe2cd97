"""The short way for frames that bring a message: the same entries, as clean."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guestlab.log import Entry, Log, Redactor
from guestlab.log.fitting import Moments, nanoseconds
from guestlab.log.secret_keys import STEMS, has_stem

TOKEN = "8b6c1d1e-0000-4000-8000-000000000001"
SECRET = "Zx9-client-secret-of-forty-characters"
MASK = re.compile(r"\[masked:[0-9a-f]{8}\]")

COLUMNS = (
    "raw", "at_ns", "monotonic_ns", "session", "class_name", "frame_code", "tracing_id", "exchange", "message_id",
    "message_direction", "message_type", "message_time", "originating_entity", "content_types", "text", "late",
)  # fmt: skip
PIECES = st.sampled_from(
    [
        "hello", "token", '"token":"', "=", "@", "Bearer ", "eyJhbGciOi.abc.def", "\\", "\n", '"', "code", TOKEN,
        TOKEN.upper(), SECRET, "ž", "İ", "\ud800", "password: ", "z", "amz", "Authorization: Basic YTpi", "jwt", "k",
        "[masked:0123abcd]", "verifier", "a@b.cz", " ", "{", "}", "order",
    ]
)  # fmt: skip
WORDS = st.lists(PIECES | st.text(max_size=3), max_size=4).map("".join)
ODD = (
    WORDS
    | st.none()
    | st.integers()
    | st.booleans()
    | st.floats()
    | st.lists(st.text(max_size=3), max_size=2)
)
BODIES = st.fixed_dictionaries(
    {
        "text": WORDS,
        "id": WORDS | st.uuids().map(str),
        "type": st.sampled_from(["Text", "Structured"]) | WORDS,
        "direction": st.sampled_from(["Inbound", "Outbound", "", "Sideways"]),
        "time": st.sampled_from(["2026-10-01T12:00:00.123Z", "2026-10-01T12:00:00.9Z", "soon", ""]) | WORDS,
    }
)
SPELLINGS = st.sampled_from(
    [
        json.dumps,
        lambda frame: json.dumps(frame, ensure_ascii=False),
        lambda frame: json.dumps(frame, indent=1),
    ]
)


def both(redactor: Redactor, frames: list[tuple[Any, ...]]) -> tuple[list[Entry], list[Entry]]:
    """The entries of some frames, recorded the short way and the long one."""
    short, long = (Log(redactor=redactor, wall=lambda: 1, monotonic=lambda: 1) for _ in range(2))
    for frame in frames:
        shown = short.record_message(*frame)
        assert shown == short.entries[-1].text
        fields = dict(zip(COLUMNS, frame, strict=True))
        long.record("frame", stage="session", lane="frame", direction="received", **fields)
    return list(short.entries), list(long.entries)


def frame_of(
    spelling: Any, body: dict[str, Any], code: Any, tracing: Any, late: bool | None
) -> tuple[Any, ...]:
    """A frame, and what is in it, in the order of the arguments."""
    raw = spelling({"class": "StructuredMessage", "code": code, "body": body, "tracingId": tracing})
    return (
        raw, 5, 6, "guest", "StructuredMessage", code, tracing, None, body["id"], body["direction"], body["type"],
        body["time"], None, None, body["text"], late,
    )  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(
    SPELLINGS, st.lists(BODIES, min_size=1, max_size=3), ODD, ODD, st.none() | st.booleans(), st.booleans()
)
def test_a_frame_becomes_the_same_entry_by_either_way(
    spelling: Any, bodies: list[dict[str, Any]], code: Any, tracing: Any, late: bool | None, known: bool
) -> None:
    """Whatever it says; and no secret that is known is in it."""
    redactor = Redactor(b"key", secret_keys=["order"])
    if known:
        redactor.learn(TOKEN)
        redactor.learn(SECRET)
    frames = [frame_of(spelling, body, code, tracing, late) for body in bodies]
    both(redactor, frames)  # now it knows what they give away
    short, long = both(redactor, frames)
    assert short == long
    assert [list(map(type, row)) for row in short] == [list(map(type, row)) for row in long]
    shown = MASK.sub("\x00", repr([tuple(row) for row in short]))
    assert not known or (SECRET not in shown and TOKEN not in shown.lower())


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("raw", b'{"a":"\xff"}'), ("raw", '{"a":"\ud800"}'), ("raw", '{"a":"ž"}'), ("session", None), ("session", SECRET),
        ("frame_code", 10**30), ("frame_code", 200.0), ("frame_code", True), ("frame_code", "200"), ("text", 5),
        ("message_id", ["a"]), ("tracing_id", SECRET), ("content_types", ["a", "b"]), ("message_time", 17),
        ("late", None), ("message_direction", "Sideways"), ("message_direction", ["a"]), ("message_type", {"a": 1}),
        ("exchange", 1), ("exchange", 99),
    ],
)  # fmt: skip
def test_what_is_odd_takes_the_long_way(column: str, value: Any) -> None:
    """And becomes what `record` makes of it; asked twice, because words are remembered."""
    plain = frame_of(json.dumps, {"text": "hello", "id": "m", "direction": "Outbound", "type": "Text", "time": None}, 200, "t", False)  # fmt: skip
    fields = {**dict(zip(COLUMNS, plain, strict=True)), column: value}
    if isinstance(value, str):
        fields["raw"] = value if column == "raw" else json.dumps({"said": value})
    redactor = Redactor(b"key")
    redactor.learn(SECRET)
    short, long = both(redactor, [plain, tuple(fields.values()), plain, tuple(fields.values())])
    assert short == long
    assert SECRET not in repr(short)


def test_a_word_is_searched_again_when_something_was_learnt() -> None:
    """Also one that was clean a moment ago."""
    log = Log()
    frame = frame_of(json.dumps, {"text": "x", "id": "m", "direction": "", "type": "Zq9x-abc", "time": None}, 1, "t", None)  # fmt: skip
    log.record_message(*frame)
    log.learn("Zq9x-abc")
    log.record_message(*frame)
    assert [row.message_type for row in log.entries] == ["Zq9x-abc", log.redact("Zq9x-abc")]


def test_subscribers_and_the_journal_hear_of_it(tmp_path: Any) -> None:
    """As of any entry."""
    log, told = Log(journal=tmp_path), []
    log.subscribe(told.append)
    frame = frame_of(
        json.dumps, {"text": "x", "id": "m", "direction": "", "type": "T", "time": None}, 1, "t", None
    )
    log.record_message(*frame)
    assert told == list(log.entries)
    assert type(told[0]) is Entry
    assert len((log.journal or tmp_path).read_text().splitlines()) == 2


@given(
    st.lists(st.sampled_from([*STEMS, "z", "am", "i", "code", "x", "\\", "ke", "hor"]), max_size=6).map(
        "".join
    )
)
def test_the_written_out_search_finds_every_stem(text: str) -> None:
    """No more, and no less, than the table says."""
    assert has_stem(text) == any(stem in text for stem in STEMS)


@given(
    st.datetimes().map(lambda moment: moment.isoformat(timespec="milliseconds") + "Z")
    | st.sampled_from(["2026-10-01T12:00:00.123Z", "2026-10-01T12:00:00.1234Z", "2026-10-01 12:00:00.123Z"])
    | st.text(max_size=25)
)
def test_times_are_read_the_same_with_and_without_remembering(text: str) -> None:
    """The first time, and again."""
    moments = Moments()
    moments.read("2026-10-01T12:00:00.001Z")
    assert [moments.read(text), moments.read(text)] == [nanoseconds(text)] * 2
