"""Recording: numbering, stamping, redacting, telling, and the sequence of entries."""

from __future__ import annotations

import itertools
import json
import threading
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum

import pytest

from guestlab.errors import InputError
from guestlab.log import COLUMNS, Entry, Kind, Lane, Log, Redactor
from guestlab.log.store import CHUNK

TOKEN = "8b6c1d1e-0000-4000-8000-000000000001"
SECRET = "Zx9-client-secret-of-forty-characters"


def clocked() -> Log:
    """A log whose clocks count."""
    wall, monotonic = itertools.count(1000), itertools.count(1)
    return Log(
        redactor=Redactor(b"key"), wall=lambda: next(wall), monotonic=lambda: next(monotonic) * 1_000_000
    )


# -- numbers, clocks, types -------------------------------------------------------------------------------


def test_entries_are_numbered_from_one_and_stamped_by_the_given_clocks() -> None:
    """`seq` is never 0, so that `if entry.exchange` means what it says."""
    log = clocked()
    first, second = log.record("note", note="a"), log.record("note", note="b")
    assert (first.seq, first.at, first.monotonic_ns) == (1, 1000, 1_000_000)
    assert (second.seq, second.at) == (2, 1001)


def test_given_times_win_over_the_clocks() -> None:
    """A frame is stamped when it arrives, not when it is recorded."""
    row = clocked().record("frame", at_ns=5, monotonic_ns=6)
    assert (row.at, row.monotonic_ns) == (5, 6)


def test_clocks_may_be_floats_and_even_absurd() -> None:
    """A test's clock is often a float; the columns are whole nanoseconds."""
    log = Log(wall=lambda: 1.5e18, monotonic=lambda: 2.9)  # type: ignore[arg-type, return-value]
    row = log.record("note")
    assert (row.at, row.monotonic_ns) == (1_500_000_000_000_000_000, 2)
    assert log.record("note", at_ns=10**40).at == 0
    assert len(log.table()) == 2


def test_closed_sets_come_out_as_their_members() -> None:
    """Plain words are taken, members are given."""
    row = Log().record("response", lane="http", stage="token", step="dns", direction="received")
    assert row.kind is Kind.RESPONSE
    assert row.lane is Lane.HTTP
    assert (row.stage, row.step, row.direction) == ("token", "dns", "received")


@pytest.mark.parametrize(
    "fields", [{"stage": "login"}, {"step": "http"}, {"lane": "ws"}, {"direction": "in"}, {"lane": 5}]
)
def test_a_word_outside_a_closed_set_is_refused_with_the_allowed_ones(fields: dict[str, object]) -> None:
    """And nothing is recorded."""
    log = Log()
    with pytest.raises(InputError, match=f"is no {next(iter(fields))}") as refusal:
        log.record("note", **fields)  # type: ignore[arg-type]
    assert "Use one of" in refusal.value.next_step
    assert len(log) == 0


def test_an_unknown_kind_is_refused() -> None:
    """The kind is a closed set too."""
    with pytest.raises(InputError, match="'packet' is no kind"):
        Log().record("packet")


@pytest.mark.parametrize(
    ("column", "given", "kept"),
    [
        ("frame_code", "4011", None),
        ("frame_code", True, None),
        ("frame_code", 10**30, None),
        ("frame_code", [200], None),
        ("frame_code", 200, 200),
        ("latency_ms", "soon", None),
        ("latency_ms", float("nan"), None),
        ("latency_ms", float("inf"), None),
        ("latency_ms", 3, 3.0),
        ("message_direction", "Sideways", None),
        ("message_direction", {"a": 1}, None),
        ("message_direction", "Inbound", "Inbound"),
        ("text", 5, "5"),
        ("text", False, "false"),
        ("text", {"b": ["ž"]}, '{"b": ["ž"]}'),
        ("text", "\ud800 lone", "\\ud800 lone"),
        ("text", b"\xff\x41", "\\xffA"),
        ("class_name", ["a", "b"], "a,b"),
        ("content_types", ("Text", "Attachment"), "Text,Attachment"),
        ("event_types", [], ""),
        ("message_time", "some_time", None),
        ("message_time", "2026-10-01T12:00:00.123Z", 1_790_856_000_123_000_000),
        ("message_time", "2026-10-01T14:00:00.123456+02:00", 1_790_856_000_123_456_000),
        ("message_time", "2026-10-01T12:00:00", 1_790_856_000_000_000_000),
        ("message_time", "9999-12-31T23:59:59Z", None),
        ("message_time", datetime(2026, 10, 1, 12, tzinfo=UTC), 1_790_856_000_000_000_000),
        ("message_time", datetime(2026, 10, 1, 14, tzinfo=timezone(timedelta(hours=2))), 1_790_856_000_000_000_000),
        ("message_time", 17, 17),
        ("message_time", [], None),
        ("ok", 1, True),
    ],
)  # fmt: skip
def test_what_the_wire_sends_never_breaks_a_column(column: str, given: object, kept: object) -> None:
    """Wrong types become missing or text, and sealing and tabling such an entry works."""
    log = Log()
    row = log.record("frame", **{column: given})  # type: ignore[arg-type]
    value = getattr(row, column)
    assert value == kept
    for _ in range(CHUNK):
        log.record("note")
    assert log.entries[0] == row
    assert len(log.table()) == CHUNK + 1


def test_enumeration_members_are_kept_as_plain_text() -> None:
    """A credential may come as a member of an enumeration; the column holds its word."""

    class Credential(StrEnum):
        GUEST = "guest"

    row = Log().record("attempt", credential=Credential.GUEST)
    assert type(row.credential) is str


# -- sizes, latencies, tokens -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "raw", "size"),
    [
        ("frame", "abc", 3),
        ("frame", "žluť", 6),
        ("frame", b"\xc5\xbe", 2),
        ("response", "HTTP/1.1 401 Unauthorized\r\nX: y\r\n\r\n", 0),
        ("response", "HTTP/1.1 200 OK\r\n\r\n{}", 2),
    ],
)
def test_the_size_is_that_of_the_wire(kind: str, raw: str | bytes, size: int) -> None:
    """Bytes of the frame, or of the HTTP body without its head."""
    assert Log().record(kind, raw=raw).size == size


def test_the_size_is_taken_before_redaction() -> None:
    """A mask is shorter than a token."""
    raw = json.dumps({"action": "echo", "token": TOKEN})
    assert Log().record("frame", direction="sent", raw=raw).size == len(raw)


def test_an_answer_gets_its_latency_from_its_question() -> None:
    """Unless the caller measured it."""
    log = clocked()
    question = log.record("frame", direction="sent")
    log.record("note")
    assert log.record("frame", direction="received", exchange=question.seq).latency_ms == 2.0
    assert log.record("frame", exchange=question.seq, latency_ms=9.5).latency_ms == 9.5
    assert log.record("frame", exchange=999).latency_ms is None


@pytest.mark.parametrize("parsed", [{"action": "echo", "token": TOKEN}, None, {}])
def test_the_guest_token_of_a_sent_frame_becomes_its_tag(parsed: object) -> None:
    """Decoded or not."""
    raw = json.dumps({"action": "echo", "token": TOKEN})
    log = Log()
    row = log.record("frame", direction="sent", raw=raw, parsed=parsed)
    assert row.guest_token == log.redact(TOKEN)
    assert TOKEN not in repr(row) + str(row.raw)


def test_a_guest_token_given_plainly_is_kept_as_its_tag_only() -> None:
    """And a tag given as such stays that tag."""
    log = Log()
    tag = log.record("lifecycle", guest_token=TOKEN).guest_token
    assert tag is not None
    assert tag.startswith("[masked:")
    assert log.record("lifecycle", guest_token=tag).guest_token == tag


@pytest.mark.parametrize(
    "raw", ['{"token":', '{"token":5}', '"token"', '["token"]', "[" * 100_000 + '"token"']
)
def test_a_frame_that_is_no_object_has_no_guest_token(raw: str) -> None:
    """Whatever is sent is recorded."""
    assert Log().record("frame", direction="sent", raw=raw).guest_token is None


# -- no secret --------------------------------------------------------------------------------------------


def test_a_learnt_secret_is_masked_in_every_text_column() -> None:
    """The sweep leaves out no column."""
    log = Log()
    log.learn(SECRET)
    texts = {column.name for column in COLUMNS if column.dtype == "str"} - {"guest_token"}
    assert len(texts) == 20
    row = log.record("frame", **dict.fromkeys(texts, f"before {SECRET} after"))  # type: ignore[arg-type]
    for name in texts:
        assert getattr(row, name) == f"before {log.redact(SECRET)} after", name


def test_no_planted_secret_is_in_any_output() -> None:
    """Entries, their reprs, the log's, every table and view: all of them clean."""
    log = Log()
    log.learn(SECRET)
    request = log.record(
        "request",
        url=f"https://login.example/oauth?client_secret={SECRET}",
        raw=f"POST / HTTP/1.1\r\nAuthorization: Basic abc\r\n\r\nclient_secret={SECRET}",
    )
    log.record(
        "response", exchange=request.seq, raw='HTTP/1.1 200 OK\r\n\r\n{"access_token":"AT-4711-abcdefgh"}'
    )
    log.record("frame", direction="sent", raw=json.dumps({"token": TOKEN}), session="s")
    log.record("frame", direction="received", text=f"I saw {TOKEN} and AT-4711-abcdefgh", session="s")
    log.record("note", note=f"{SECRET} was refused")
    shown = [repr(log), repr(log.entries), *map(repr, log.entries), *map(str, log.entries)]
    frames = [log.table(), log.http, log.frames, log.messages, log.attempts, log.sessions]
    shown += [frame.to_csv() + frame.to_html() + repr(frame) for frame in frames]
    shown.append(
        repr(log.redactor) + str(vars(log.entries[0]) if hasattr(log.entries[0], "__dict__") else "")
    )
    for secret in (SECRET, TOKEN, "AT-4711-abcdefgh"):
        assert not any(secret in text for text in shown), secret


def test_two_logs_with_one_redactor_can_be_joined() -> None:
    """And two with their own cannot."""
    shared = Redactor(b"the lab's key")
    one, two, other = Log(redactor=shared), Log(redactor=shared), Log()
    tags = [log.record("lifecycle", guest_token=TOKEN).guest_token for log in (one, two, other)]
    assert tags[0] == tags[1] != tags[2]


# -- the sequence of entries ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def long_log() -> Log:
    """A log with sealed chunks and newest rows."""
    log = Log()
    for number in range(2 * CHUNK + 10):
        log.record(
            "frame", text=f"text {number} ž" if number % 3 else None, frame_code=number, ok=bool(number % 2)
        )
    return log


def test_entries_are_the_same_before_and_after_sealing() -> None:
    """What `record` returned is what the log gives back, of the same types."""
    log = Log()
    given = [
        log.record(
            "frame", stage="session", lane="frame", direction="sent", ok=True, late=False, latency_ms=1.5,
            attempt=2, text=f"ž {n}" if n % 2 else None, message_time=n, note="same", method="GET",
            message_direction="Outbound", raw=f'{{"n":{n}}}', tracing_id=f"t{n}",
        )
        for n in range(CHUNK)
    ]  # fmt: skip
    kept = list(log.entries)
    assert kept == given
    assert [list(map(type, row)) for row in kept] == [list(map(type, row)) for row in given]


def test_entries_can_be_indexed_and_sliced_like_a_list(long_log: Log) -> None:
    """Across the seams of chunks, from either end."""
    entries = long_log.entries
    assert [entries[i].seq for i in (0, CHUNK - 1, CHUNK, 2 * CHUNK, -1)] == [
        1, CHUNK, CHUNK + 1, 2 * CHUNK + 1, 2 * CHUNK + 10,
    ]  # fmt: skip
    assert [row.seq for row in entries[CHUNK - 1 : CHUNK + 2]] == [CHUNK, CHUNK + 1, CHUNK + 2]
    assert entries[::-1][0] == entries[-1]
    with pytest.raises(IndexError):
        entries[len(entries)]


def test_iterating_visits_what_was_there_at_the_start() -> None:
    """So recording while iterating ends."""
    log = Log()
    for _ in range(5):
        log.record("note")
    for row in log.entries:
        log.record("note", note=f"saw {row.seq}")
    assert len(log) == 10


def test_a_log_is_true_even_when_empty_and_its_repr_is_short(long_log: Log) -> None:
    """`if log` asks whether there is one."""
    assert Log()
    assert repr(Log()) == "<Log: 0 entries>"
    assert repr(long_log.entries) == f"<Entries: {2 * CHUNK + 10}>"


def test_threads_recording_at_once_keep_seq_dense_and_every_entry() -> None:
    """One number per entry, none twice, in the order of the log; subscribers hear all, in order."""
    log = Log()
    told: list[int] = []
    log.subscribe(lambda entry: told.append(entry.seq))
    start = threading.Barrier(8)

    def work(name: int) -> None:
        start.wait()
        for number in range(700):
            log.record(
                "frame", session=f"s{name}", attempt=number, raw=json.dumps({"token": f"secret-{name}"})
            )

    threads = [threading.Thread(target=work, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert len(log.table()) <= len(log)
    for thread in threads:
        thread.join()
    assert [row.seq for row in log.entries] == list(range(1, 8 * 700 + 1))
    assert told == list(range(1, 8 * 700 + 1))
    for name in range(8):
        assert [row.attempt for row in log.entries if row.session == f"s{name}"] == list(range(700))
    assert not any("secret-" in str(row.raw) for row in log.entries)


# -- subscribers ------------------------------------------------------------------------------------------


def test_subscribers_are_told_until_they_unsubscribe() -> None:
    """Each subscription for itself, even of the same callback."""
    log, told = Log(), []
    ends = [log.subscribe(told.append), log.subscribe(told.append)]
    log.record("note")
    ends[0]()
    ends[0]()
    log.record("note")
    ends[1]()
    log.record("note")
    assert [row.seq for row in told] == [1, 1, 2]


def test_a_failing_subscriber_is_dropped_with_a_note_and_the_others_go_on() -> None:
    """And what its error says is redacted."""
    log, told = Log(), []
    log.learn(SECRET)

    def fails(entry: Entry) -> None:
        raise ValueError(f"no {SECRET}")

    log.subscribe(fails)
    log.subscribe(told.append)
    log.record("frame")
    log.record("frame")
    assert [row.kind for row in log.entries] == ["frame", "note", "frame"]
    note = str(log.entries[1].note)
    assert "dropped: ValueError" in note
    assert SECRET not in note
    assert [row.seq for row in told] == [1, 2, 3]


def test_a_subscriber_that_records_is_not_told_of_it_but_the_others_are() -> None:
    """No deadlock, no endless echo."""
    log, first, second = Log(), [], []

    def echoes(entry: Entry) -> None:
        first.append(entry.seq)
        log.record("note", note=f"saw {entry.seq}")

    log.subscribe(echoes)
    log.subscribe(lambda entry: second.append(entry.seq))
    log.record("frame")
    log.record("frame")
    assert [row.note for row in log.entries] == [None, "saw 1", None, "saw 3"]
    assert first == [1, 3]
    assert second == [1, 2, 3, 4]


def test_two_subscribers_that_answer_each_other_come_to_an_end() -> None:
    """Each is told once of what the other says, and not of what it said itself."""
    log = Log()
    log.subscribe(lambda entry: log.record("note", note=f"a{entry.seq}"))
    log.subscribe(lambda entry: log.record("note", note=f"b{entry.seq}"))
    log.record("frame")
    assert [row.note for row in log.entries] == [None, "a1", "b1", "b2", "a3"]


def test_an_interrupt_inside_a_subscriber_leaves_the_log_usable() -> None:
    """Ctrl-C passes through; the next entry is told again, and so is what waited."""
    log, told = Log(), []
    interrupts = iter([KeyboardInterrupt()])

    def interrupted(entry: Entry) -> None:
        for interrupt in interrupts:
            raise interrupt
        told.append(entry.seq)

    log.subscribe(interrupted)
    with pytest.raises(KeyboardInterrupt):
        log.record("note")
    log.record("note")
    assert told == [2]
    assert len(log) == 2


def test_a_subscriber_may_read_the_log_and_its_table() -> None:
    """The lock is not held while it is told."""
    log, seen = Log(), []
    log.subscribe(lambda entry: seen.append((len(log.entries), len(log.table()), log.entries[-1].seq)))
    log.record("note")
    assert seen == [(1, 1, 1)]


def test_what_one_text_of_an_entry_gives_away_is_masked_in_all_of_it() -> None:
    """Whichever comes first."""
    log = Log()
    entry = log.record("note", note="hunter22-x was used", raw='{"password":"hunter22-x"}')
    assert "hunter22-x" not in repr(list(entry))
    entry = log.record("note", note="password: 'other-33-y'", url="https://a.example/other-33-y")
    assert "other-33-y" not in repr(list(entry))
