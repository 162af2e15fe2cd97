"""The summary: what an analyst sees first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, Phase, given, settings

from guestlab.log.summary import SUMMARY_COLUMNS, summary, summary_text
from tests.log.made_logs import logs, new_log

if TYPE_CHECKING:
    from guestlab.log import Log

SECOND = 10**9


def rows(log: Log) -> dict[str, tuple[int, str]]:
    """The summary, by what is counted."""
    return {row["what"]: (row["count"], row["detail"]) for row in summary(log).to_dict("records")}


def told_log() -> Log:
    """A log with one of everything."""
    log = new_log()
    for number, credential in enumerate(("client_credentials", "garbage", "client_credentials"), 1):
        log.record("attempt", attempt=number, credential=credential, ok=False, http_status=401, step="upgrade",
                   rule="upgrade.deployment-missing,credential.oauth-on-guest-socket" if number == 1 else
                   "upgrade.deployment-missing")  # fmt: skip
    log.record("attempt", attempt=4, ok=False, http_status=101, frame_code=4007, step="configure")
    log.record("attempt", attempt=5, ok=True, http_status=101, step="configure")
    log.record("attempt", attempt=6, ok=False, step="dns")
    for at, message_id, late in ((0, "m1", False), (100, "m2", False), (101, "m2", False), (102, "m0", True)):
        frame: dict[str, Any] = {"session": "s1", "direction": "received", "class_name": "StructuredMessage"}
        log.record("frame", at_ns=at * SECOND, **frame, frame_code=200, message_id=message_id, message_direction="Outbound",
                   message_type="Text", late=late, text="x")  # fmt: skip
    log.record(
        "frame", at_ns=103 * SECOND, session="s1", direction="received", class_name="string", frame_code=4029
    )
    log.record("frame", at_ns=104 * SECOND, session="s1", direction="sent", action="onMessage")
    for message_id in ("m1", "m9"):
        log.record(
            "history",
            session="s1",
            message_id=message_id,
            message_direction="Inbound",
            message_type="Text",
            text="y",
        )
    asked = log.record("request", method="GET", url="https://api.x/api/v2/conversations?token=1")
    log.record("response", exchange=asked.seq, http_status=429)
    for _ in range(2):
        log.record("response", session="s1", http_status=101)
    log.record("close", session="s1", close_code=1006)
    return log


def test_what_was_said_by_rest_alone_was_not_missed() -> None:
    """A customer's words by Open Messaging never come live."""
    log = told_log()
    log.record(
        "history", session="open-guest", message_id="r", message_direction="Inbound", message_type="Text"
    )
    assert rows(log)["missed live"] == (1, "known from history alone, of 2 read there")
    assert rows(log)["messages in"][0] == 2


def test_what_only_a_page_of_history_tells_was_missed_live() -> None:
    """Read by history(), not filled in; a message seen there twice is one."""
    log = told_log()
    raw = 'HTTP/1.1 200 OK\r\n\r\n{"entities":[' + ",".join(
        f'{{"id":"{key}","type":"Text","channel":{{}}}}' for key in ("m1", "m2", "lost")
    )
    for _ in range(2):
        log.record(
            "response", url="https://api.x/api/v2/webmessaging/messages", http_status=200, raw=raw + "]}"
        )
    assert rows(log)["missed live"] == (2, "known from history alone, of 4 read there")


def test_the_summary_tells_what_happened() -> None:
    """Every number with its lane."""
    found = rows(told_log())
    assert found["attempts"] == (6, "1 worked, 5 did not")
    assert found["refused: HTTP 401 (lane http)"] == (3, "client_credentials: 2, garbage: 1")
    assert found["refused: frame 4007 (lane frame)"][0] == 1
    assert found["failed at dns"][0] == 1
    assert found["finding upgrade.deployment-missing"] == (3, "attempts 1, 2, 3")
    assert found["finding credential.oauth-on-guest-socket"] == (1, "attempts 1")
    assert found["HTTP error 429 (lane http)"] == (1, "GET https://api.x/api/v2/conversations: 1")
    assert found["rate limited"] == (2, "HTTP 429: 1 (lane http), frames: 1 (lane frame)")
    assert found["frames sent"] == (1, "onMessage: 1")
    assert found["frames received"] == (5, "StructuredMessage: 4, string: 1")
    assert found["error frame 4029 (lane frame)"][0] == 1
    assert found["messages in"][0] == 1
    assert found["messages out"][0] == 3
    assert found["duplicates"][0] == 1
    assert found["late messages"][0] == 1
    assert found["missed live"][0] == 1
    assert found["silences over 60 s"] == (1, "longest 100.0 s, in session s1")
    assert found["sessions"] == (1, "connects: 2, reconnects: 1")
    assert found["closed: 1006 (lane close)"][0] == 1


def test_findings_come_most_frequent_first() -> None:
    """The one to look at first is on top."""
    what = [name for name in rows(told_log()) if name.startswith("finding ")]
    assert what == ["finding upgrade.deployment-missing", "finding credential.oauth-on-guest-socket"]


def test_an_empty_log_has_a_summary_with_the_same_types() -> None:
    """Zeros, not an error."""
    empty, full = summary(new_log()), summary(told_log())
    assert list(empty.columns) == [column.name for column in SUMMARY_COLUMNS]
    assert list(empty.dtypes) == list(full.dtypes)
    assert set(empty["count"]) == {0}


def test_the_summary_as_text_is_aligned() -> None:
    """One line per row."""
    lines, counted = summary_text(told_log()).splitlines(), summary(told_log())
    end = counted["what"].str.len().max() + 2 + 8
    assert len(lines) == len(counted)
    for line, count in zip(lines, counted["count"], strict=True):
        assert line[:end].endswith(f" {count}")


def test_text_from_the_wire_cannot_break_the_summary() -> None:
    """A class name of a hostile server stays one line, without control characters."""
    log = new_log()
    log.record("frame", direction="received", class_name="\x1b[2J\nattempts 99\u202e" + "x" * 500)
    text = summary_text(log)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert len(text.splitlines()) == len(summary(log))
    assert max(map(len, text.splitlines())) < 200


@settings(deadline=None, max_examples=20, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(log=logs())
def test_any_log_has_a_summary(log: Log) -> None:
    """Whatever is in it, empty columns and absurd times included."""
    assert rows(log)["entries"][0] == len(log)
