"""The bulk way in: the same entries as by `record`, renumbered and as clean."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guestlab.errors import InputError
from guestlab.log import COLUMNS, Entry, Kind, Log, Redactor
from guestlab.log.store import CHUNK

TOKEN = "8b6c1d1e-0000-4000-8000-000000000001"
SECRET = "Zx9-client-secret-of-forty-characters"
FIRST = 100


def frames(count: int, first: int = FIRST, **fields: Any) -> list[Entry]:
    """Entries as a reader makes them: frames numbered from somewhere."""
    return [
        Entry(seq=first + n, at=n, monotonic_ns=n, kind=Kind.FRAME, **{"text": f"text {n}", **fields})
        for n in range(count)
    ]


# -- order and numbers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 50, CHUNK - 1, CHUNK, 2 * CHUNK + 17])
@pytest.mark.parametrize("before", [0, 1, CHUNK - 1])
def test_entries_come_after_what_is_there_and_are_numbered_on(before: int, count: int) -> None:
    """However many, whatever the log held; and recording goes on after them."""
    log = Log()
    for number in range(before):
        log.record("note", note=f"before {number}")
    assert log.extend(frames(count)) == count
    log.record("note", note="after")
    assert len(log) == before + count + 1
    assert [row.seq for row in log.entries] == list(range(1, len(log) + 1))
    assert [row.text for row in log.entries][before:-1] == [f"text {n}" for n in range(count)]
    assert [log.entries[place].seq for place in (0, before // 2, -1)] == [1, before // 2 + 1, len(log)]
    assert log.table()["seq"].tolist() == [row.seq for row in log.entries]


def test_a_second_file_comes_after_the_first() -> None:
    """Each with its name; many small ones make one long log."""
    log = Log()
    for name in ("a.har", "b.har", *(f"{n}.har" for n in range(30))):
        log.extend(frames(500), source_file=name)
    assert log.table()["source_file"].tolist()[::500] == ["a.har", "b.har", *(f"{n}.har" for n in range(30))]
    assert log.table()["text"].tolist() == [f"text {n}" for n in range(500)] * 32
    assert log.entries[499].source_file == "a.har"
    assert log.entries[500].source_file == "b.har"


def test_an_exchange_follows_its_question() -> None:
    """Also into a later block, and over numbers that are missing in the file; others become missing."""
    log = Log()
    log.record("note")
    numbers = [5, 6, 9, *range(20, 20 + CHUNK)]
    answered = {6: 5, 20: 9, 30: 7, 31: 4, 19 + CHUNK: 6}
    given = [
        Entry(seq=n, at=0, monotonic_ns=0, kind=Kind.RESPONSE, exchange=answered.get(n)) for n in numbers
    ]
    assert log.extend(iter(given)) == len(numbers)
    assert [row.exchange for row in log.entries if row.exchange] == [2, 4, 3]
    again = Log()
    again.extend(log.entries)
    assert list(again.entries) == list(log.entries)


def test_subscribers_are_told_of_each() -> None:
    """In order, with their new numbers."""
    log, told = Log(), []
    log.subscribe(told.append)
    log.extend(frames(CHUNK + 5))
    assert told == list(log.entries)


def test_entries_of_one_log_extend_another_unchanged() -> None:
    """Every column, of every type, across seams."""
    log, copy = Log(), Log()
    for n in range(CHUNK + 100):
        log.record(
            "frame", stage="session", lane="frame", direction="sent", ok=True, late=False, latency_ms=1.5,
            attempt=2, text=f"ž {n}" if n % 2 else None, message_time=n, note="same", method="GET",
            message_direction="Outbound", raw=f'{{"n":{n}}}', tracing_id=f"t{n}", source_file="x.har",
            session=f"s{n % 3}", frame_code=n if n % 5 else None, step="tls" if n % 7 else None,
        )  # fmt: skip
    copy.extend(log.entries)
    assert list(copy.entries) == list(log.entries)
    assert [list(map(type, row)) for row in copy.entries] == [list(map(type, row)) for row in log.entries]


def test_columns_are_taken_without_entries() -> None:
    """Absent ones are missing; without numbers, an exchange counts from the first."""
    log = Log()
    log.record("note")
    kinds = ["request", "response"] * CHUNK
    exchange = [None if n % 2 == 0 else n for n in range(2 * CHUNK)]
    block = {"at": range(2 * CHUNK), "monotonic_ns": range(2 * CHUNK), "kind": kinds, "exchange": exchange}
    assert log.extend_columns([block], source_file="f") == 2 * CHUNK
    assert log.entries[2] == Entry(3, 1, 1, Kind.RESPONSE, exchange=2, source_file="f")
    assert log.entries[2 * CHUNK].exchange == 2 * CHUNK
    assert type(log.entries[1].kind) is Kind


@pytest.mark.parametrize(
    "block",
    [
        {"kind": ["note"]},
        {"kind": ["note"], "at": [1, 2], "monotonic_ns": [1]},
        {"kind": ["note"], "at": [1], "monotonic_ns": [1], "colour": ["red"]},
    ],
)
def test_a_block_that_is_none_is_refused(block: dict[str, Any]) -> None:
    """Before anything of it is recorded."""
    log = Log()
    with pytest.raises(ValueError, match="a block has columns"):
        log.extend_columns([block])
    assert len(log) == 0


# -- values -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "given", "kept"),
    [
        ("frame_code", "4011", None), ("frame_code", True, None), ("frame_code", 10**30, None),
        ("latency_ms", float("nan"), None), ("latency_ms", 3, 3.0), ("message_direction", "Sideways", None),
        ("text", 5, "5"), ("text", "\ud800 lone", "\\ud800 lone"), ("text", b"\xff\x41", "\\xffA"),
        ("class_name", ["a", "b"], "a,b"), ("message_time", "2026-10-01T12:00:00.123Z", 1_790_856_000_123_000_000),
        ("message_time", 10**30, None), ("stage", "session", "session"), ("ok", 1, True), ("at", "soon", 0),
    ],
)  # fmt: skip
@pytest.mark.parametrize("count", [1, CHUNK])
def test_what_a_file_says_never_breaks_a_column(column: str, given: Any, kept: object, count: int) -> None:
    """Wrong types become missing or text, as in `record`."""
    log = Log()
    log.extend(row._replace(**{column: given}) for row in frames(count))
    assert [getattr(row, column) for row in log.entries] == [kept] * count
    assert len(log.table()) == count


@pytest.mark.parametrize("fields", [{"kind": "packet"}, {"kind": None}, {"stage": "login"}, {"lane": []}])
def test_a_word_outside_a_closed_set_is_refused(fields: dict[str, Any]) -> None:
    """As by `record`, with the allowed ones, and nothing of the block is recorded."""
    log = Log()
    with pytest.raises(InputError, match="Use one of"):
        log.extend(row._replace(**fields) for row in frames(2))
    assert len(log) == 0


def test_a_size_nobody_gave_is_measured() -> None:
    """In bytes, before redaction."""
    log = Log()
    raw = json.dumps({"token": TOKEN, "ž": "ž"}, ensure_ascii=False)
    log.extend([*frames(1, raw=raw), *frames(1, FIRST + 1, raw="abc", size=7)])
    assert [row.size for row in log.entries] == [len(raw.encode()), 7]


# -- no secret --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 40, CHUNK])
def test_a_learnt_secret_is_masked_in_every_text_column(count: int) -> None:
    """The bulk sweep leaves out no column."""
    log = Log()
    log.learn(SECRET)
    texts = {column.name for column in COLUMNS if column.dtype == "str"} - {"guest_token"}
    log.extend(frames(count, **dict.fromkeys(texts, f"before {SECRET} after {count}")))
    shown = f"before {log.redact(SECRET)} after {count}"
    assert all(getattr(row, name) == shown for row in log.entries for name in texts)


def test_the_guest_token_of_a_sent_frame_becomes_its_tag_and_is_masked_everywhere() -> None:
    """In what came before it in the block, too."""
    log = Log()
    sent = frames(3, 2, direction="sent", raw=json.dumps({"action": "echo", "token": TOKEN}))
    log.extend([*frames(1, 1, note=f"I saw {TOKEN.upper()}"), *sent])
    tag = log.redact(TOKEN)
    assert [row.guest_token for row in log.entries] == [None, tag, tag, tag]
    assert log.entries[0].note == f"I saw {tag}"
    assert log.entries[1].raw == json.dumps({"action": "echo", "token": tag})
    again = Log(redactor=log.redactor)
    again.extend(log.entries)
    assert list(again.entries) == list(log.entries)


def test_a_guest_token_given_plainly_is_kept_as_its_tag_only() -> None:
    """As by `record`."""
    log = Log()
    log.extend(frames(2, guest_token=TOKEN, text=f"see {TOKEN}"))
    assert log.entries[0].guest_token == log.redact(TOKEN)
    assert TOKEN not in repr(list(log.entries))


FRAGMENTS = st.sampled_from(
    [
        '{"token":"', '"', "\\", "{", "}", ":", ",", "=", "&", "?", "://", "@", "Bearer ", "Authorization: ",
        "Cookie: a=", "\r\n", " ", "eyJhbGciOi.abcdef.ghi", "\\u0041", "%41", '"data":{"code":"', "code=",
        "client_secret=", "GET / HTTP/1.1\r\n", "[masked:0123abcd]", '"token":"[masked:0123abcd]"', TOKEN,
        TOKEN.upper(), "password: ", "\ud800", "İ", "\x00", SECRET, "a@b.cz", "order", "plain words",
    ]
)  # fmt: skip
HOSTILE = st.lists(FRAGMENTS | st.text(max_size=4), max_size=12).map("".join)


@settings(deadline=None, max_examples=200)
@given(st.lists(HOSTILE, min_size=1, max_size=8), st.booleans(), st.booleans())
def test_many_texts_are_redacted_like_each_of_them(texts: list[str], personal: bool, known: bool) -> None:
    """As strong as one by one, and nothing else is changed, when all that is secret is known."""
    redactor = Redactor(b"key", personal=personal, secret_keys=["order"])
    if known:
        redactor.learn(TOKEN)
        redactor.learn(SECRET)
    for _ in range(3):  # now it knows whatever the texts give away
        texts = [redactor.redact(text) for text in texts]
    version = redactor.version
    together = redactor.redact_all(texts)
    alone = [redactor.redact(text) for text in texts]
    if redactor.version == version:
        assert together == alone


@settings(deadline=None, max_examples=100)
@given(st.lists(HOSTILE, min_size=1, max_size=8), st.sampled_from([TOKEN, SECRET]), st.data())
def test_no_known_secret_survives_among_many_texts(
    texts: list[str], secret: str, data: st.DataObject
) -> None:
    """Wherever it stands, however it is spelt, whatever its neighbours say."""
    place = data.draw(st.integers(0, len(texts) - 1))
    texts[place] = f"{texts[place]} {secret} {texts[place]}"
    redactor = Redactor(b"key")
    redactor.learn(secret)
    for text in redactor.redact_all(texts):
        assert secret not in re.sub(r"\[masked:[0-9a-f]{8}\]", "\x00", text)


def test_what_one_text_gives_away_is_masked_in_all_of_them() -> None:
    """Also in those before it."""
    texts = ["I saw Zq9x-abcdefgh123 pass", '{"access_token":"Zq9x-abcdefgh123"}', "and Zq9x-abcdefgh123"]
    redactor = Redactor(b"key")
    assert not any("Zq9x" in text for text in redactor.redact_all(texts))
