"""Close codes and frame codes: two lanes, two tables."""

from __future__ import annotations

import pytest

from guestlab.protocol.codes import ERROR_CODES, describe_error
from guestlab.protocol.frames import CLOSE_CODES, Direction, describe_close

# Number, name in RFC 6455 section 11.7 or IANA's registry, may stand in a close frame.
REGISTERED = [
    (1000, "normal closure", True),
    (1001, "going away", True),
    (1002, "protocol error", True),
    (1003, "unsupported data", True),
    (1005, "no status received", False),
    (1006, "abnormal closure", False),
    (1007, "invalid payload", True),
    (1008, "policy violation", True),
    (1009, "message too big", True),
    (1010, "mandatory extension", True),
    (1011, "internal error", True),
    (1012, "service restart", True),
    (1013, "try again later", True),
    (1014, "bad gateway", True),
    (1015, "TLS handshake", False),
]


def test_the_close_codes_are_the_registered_ones() -> None:
    """With their names, and whether they may stand on the wire."""
    assert [(row.code, row.name, row.on_wire) for row in CLOSE_CODES.values()] == REGISTERED
    assert all(row.meaning.endswith(".") for row in CLOSE_CODES.values())


@pytest.mark.parametrize(
    ("code", "starts"),
    [
        (1000, "1000 normal closure: "),
        (None, "no close code: "),
        (0, "0 not used: "),
        (999, "999 not used: "),
        (1004, "1004 reserved: "),
        (2999, "2999 reserved: "),
        (3000, "3000 registered: "),
        (4000, "4000 private: "),
        (4999, "4999 private: "),
        (5000, "5000 invalid: "),
        (-1, "-1 invalid: "),
    ],
)
def test_every_close_code_can_be_described(code: int | None, starts: str) -> None:
    """Known, in a known range, or invalid."""
    assert describe_close(code).startswith(starts)


def test_directions_are_seen_from_the_guest() -> None:
    """As the log has them."""
    assert [str(direction) for direction in Direction] == ["sent", "received"]


def test_the_published_frame_codes_are_all_there() -> None:
    """Written down a second time; the gaps in the numbers are the vendor's."""
    http = [400, 401, 403, 404, 408, 409, 429, 500]
    own = [*range(4000, 4012), 4013, 4017, 4020, 4029, 4102, 5000]
    assert list(ERROR_CODES) == http + own


@pytest.mark.parametrize("row", ERROR_CODES.values(), ids=lambda row: str(row.code))
def test_every_frame_code_says_what_to_do_and_how_sure_it_is(row: object) -> None:
    """A sentence each, and one of the four levels."""
    assert ERROR_CODES[row.code] is row
    assert row.meaning.endswith(".")
    assert row.next_step.endswith(".")
    assert row.level in {"official", "documented", "measured", "inferred"}


def test_the_special_frame_codes_are_marked() -> None:
    """Not final, ending, refusing the message in flight."""

    def marked(mark: str) -> set[int]:
        return {row.code for row in ERROR_CODES.values() if getattr(row, mark)}

    assert marked("fatal_while_connecting") == set(ERROR_CODES) - {429, 4029}
    assert marked("ends_session") == {4006, 4007, 4017}
    assert marked("refuses_send") == {429, 4011, 4013, 4029}
    assert marked("transient") == {408, 429, 500, 4029, 5000}


@pytest.mark.parametrize(
    ("code", "read_as"),
    [(4011, 4011), (422, 400), (503, 500), (599, 500), (4012, 5000), (302, 5000), (None, 5000)],
)
def test_an_unknown_frame_code_is_read_by_its_hundred(code: int | None, read_as: int) -> None:
    """As official clients do, else as an unexpected error."""
    assert describe_error(code).code == read_as
