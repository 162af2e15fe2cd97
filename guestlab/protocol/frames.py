"""What every WebSocket has: directions and close codes.

Lives here: the two directions a frame can take and the table of close codes (lane: close). May not live
here: frame codes such as 4011, which travel inside frames and stand in `codes.py`. The two lanes share
numbers and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["CLOSE_CODES", "CloseCode", "Direction", "describe_close"]


class Direction(StrEnum):
    """Which way a frame crossed the socket, seen from the guest."""

    SENT = "sent"
    RECEIVED = "received"


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseCode:
    """One row of the close-code table.

    Attributes:
        code: The number (lane: close).
        name: The name the RFC gives it.
        meaning: What it means, in one sentence.
        on_wire: False for the codes a close frame may never carry; they are made up locally.
    """

    code: int
    name: str
    meaning: str
    on_wire: bool = True


_ROWS = (
    # RFC 6455 section 7.4.1.
    CloseCode(code=1000, name="normal closure", meaning="The purpose of the connection is fulfilled."),
    CloseCode(
        code=1001,
        name="going away",
        meaning="The endpoint leaves: a server going down, or a page navigated away from.",
    ),
    CloseCode(code=1002, name="protocol error", meaning="The peer broke the WebSocket protocol."),
    CloseCode(code=1003, name="unsupported data", meaning="A kind of data came that cannot be accepted."),
    CloseCode(
        code=1005,
        name="no status received",
        meaning="The close frame carried no code.",
        on_wire=False,
    ),
    CloseCode(
        code=1006,
        name="abnormal closure",
        meaning="The link broke without a close frame.",
        on_wire=False,
    ),
    CloseCode(code=1007, name="invalid payload", meaning="A text frame held something other than UTF-8."),
    CloseCode(code=1008, name="policy violation", meaning="A message broke the endpoint's policy."),
    CloseCode(code=1009, name="message too big", meaning="A message was too big to process."),
    CloseCode(
        code=1010,
        name="mandatory extension",
        meaning="The client wanted an extension that the server did not negotiate.",
    ),
    CloseCode(code=1011, name="internal error", meaning="The server met a condition it did not expect."),
    # IANA's WebSocket Close Code Number Registry, added after the RFC.
    CloseCode(
        code=1012, name="service restart", meaning="The service restarts; connect again after a pause."
    ),
    CloseCode(code=1013, name="try again later", meaning="The server is overloaded; connect again later."),
    CloseCode(
        code=1014, name="bad gateway", meaning="A gateway got no valid answer from the server behind it."
    ),
    # RFC 6455 section 7.4.1 again.
    CloseCode(
        code=1015,
        name="TLS handshake",
        meaning="The TLS handshake failed, for instance over the certificate.",
        on_wire=False,
    ),
)

CLOSE_CODES: dict[int, CloseCode] = {row.code: row for row in _ROWS}

# RFC 6455 section 7.4.2. Upper bounds are exclusive.
_RANGES = (
    (0, 1000, "not used", "The RFC forbids codes below 1000."),
    (1000, 3000, "reserved", "The RFC reserves it for future versions."),
    (3000, 4000, "registered", "A library or framework registered it with IANA."),
    (4000, 5000, "private", "An application's own; Genesys Cloud is not known to use any (level: inferred)."),
)


def describe_close(code: int | None) -> str:
    """Say what a close code means, in one line.

    >>> describe_close(1006)
    '1006 abnormal closure: The link broke without a close frame.'
    """
    if code is None:
        return "no close code: The socket ended without a close handshake."
    row = CLOSE_CODES.get(code)
    if row is not None:
        return f"{code} {row.name}: {row.meaning}"
    for low, high, name, meaning in _RANGES:
        if low <= code < high:
            return f"{code} {name}: {meaning}"
    return f"{code} invalid: No close code lies outside 0 to 4999."
