"""Logs for the tests of files: made by hypothesis, planted with secrets, and compared column by column."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from guestlab.log import COLUMNS, Kind, Lane, Log, Redactor, Stage, Step

KEY = b"key"
INT64 = st.integers(-(2**63), 2**63 - 1)
COUNTS = st.integers(-(2**62), 2**62)
FRAGMENTS = st.sampled_from(
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t", "\r", "\n", "'", "'=", '"', '""', ",", ";", "\0", "\x1b[31m", "{}", "é", "\u202e",
     "\u2028", "😀", "\uff1d", '{"a":1}', " ", "null", "0", "true", "nan"]
)  # fmt: skip
TEXTS = st.lists(FRAGMENTS | st.text(st.characters(codec="utf-8"), max_size=4), max_size=6).map("".join)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "Int64": COUNTS,
    "Float64": st.floats(allow_nan=False, allow_infinity=False),
    "boolean": st.booleans(),
    "str": TEXTS,
    "datetime64[ns, UTC]": st.integers(-(2**63) + 1, 2**63 - 1),
}
CLOSED = {"stage": list(Stage), "step": list(Step), "lane": list(Lane), "direction": ["sent", "received"]}
OTHERS = [
    column for column in COLUMNS if column.name not in {"seq", "at", "monotonic_ns", "kind", "source_file"}
]


def _value(column: Any) -> st.SearchStrategy[Any]:
    if column.name == "guest_token":  # learnt, and from then on masked in every export
        return st.uuids().map(str)
    if column.name == "exchange":
        return st.integers(1, 3)
    if column.name == "message_direction":
        return st.sampled_from(["Inbound", "Outbound"])
    if column.name in CLOSED:
        return st.sampled_from(CLOSED[column.name])
    return VALUES[column.dtype]


ROWS = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(list(Kind)),
        "at_ns": INT64.filter(lambda at: at > -(2**63)),
        "monotonic_ns": INT64,
    },
    optional={column.name: _value(column) for column in OTHERS},
)
"""Arguments of `Log.record`."""


@st.composite
def logs(draw: st.DrawFn, *, most: int = 8) -> Log:
    """A log of a few entries with anything in them."""
    log = new_log()
    for row in draw(st.lists(ROWS, max_size=most)):
        kind = row.pop("kind")
        if row.get("exchange", 0) > len(log):
            del row["exchange"]
        log.record(kind, **row)
    return log


def new_log(**options: Any) -> Log:
    """A log whose tags are the same in every test."""
    return Log(redactor=Redactor(KEY, **options), wall=lambda: 1_700_000_000_123_456_789, monotonic=lambda: 5)


def differing(one: Log, other: Log, *, but: tuple[str, ...] = ("source_file",)) -> list[Any]:
    """The cells in which two logs differ, some columns left aside."""
    if len(one) != len(other):
        return [("length", len(one), len(other))]
    return [
        (place, name, a, b)
        for place, (mine, theirs) in enumerate(zip(one.entries, other.entries, strict=True), 1)
        for name, a, b in zip(mine._fields, mine, theirs, strict=True)
        if name not in but and (a != b or type(a) is not type(b))
    ]


SECRETS = {
    "client secret": "Kq8-planted-client-secret-0001",
    "access token": "planted-access-token-Zz9-000000000002",
    "refresh token": "planted-refresh-token-Yy8-00000000003",
    "guest token": "8b6c1d1e-1111-4222-8333-00000000aaaa",
    "history token": "eyJhbGciOiJIUzI1NiJ9.eyJwbGFudGVkIjoxfQ.c2lnbmVkLWJ5LXRoZS10ZXN0",
    "cookie": "planted-cookie-value-Xx7-0004",
    "presigned signature": "planted5signature6planted7signature8",
    "file address": "aB3dEfGh1jKlMn0pQrStUvWxYz012345",
    "own attribute": "Planted Ludmila Nováková",
}
"""What a log may never tell."""


def planted_log() -> Log:
    """A log in which every secret crossed the wire, some before they were known."""
    s = SECRETS
    log = new_log(secret_keys=["customerName"], personal=True)
    log.record(
        "note", note=f"a colleague pasted {s['client secret']} and {s['access token']} before they were known"
    )
    log.record(
        "request", stage="token", lane="http", direction="sent", method="POST", url="https://login.x/oauth/token",
        raw=f"POST /oauth/token HTTP/1.1\r\nCookie: session={s['cookie']}\r\n\r\n"
            f"grant_type=client_credentials&client_id=abc&client_secret={s['client secret']}",
    )  # fmt: skip
    log.record(
        "response", exchange=2, http_status=200,
        raw="HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
            f'{{"access_token":"{s["access token"]}","refresh_token":"{s["refresh token"]}"}}',
    )  # fmt: skip
    log.record(
        "frame", session="one", lane="frame", direction="sent", action="configureSession",
        raw=f'{{"action":"configureSession","token":"{s["guest token"]}"}}',
    )  # fmt: skip
    log.record(
        "frame",
        direction="received",
        raw=f'{{"class":"JwtResponse","body":{{"jwt":"{s["history token"]}"}}}}',
    )
    log.learn(s["file address"])
    log.record(
        "frame", direction="received",
        raw=f'{{"class":"PresignedUrlResponse","body":{{"url":"https://x/{s["file address"]}?X-Amz-Signature={s["presigned signature"]}"}}}}',
    )  # fmt: skip
    log.record(
        "frame", direction="sent", raw=f'{{"customAttributes":{{"customerName":"{s["own attribute"]}"}}}}'
    )
    log.record("frame", direction="received", message_direction="Inbound", message_type="Text", message_id="m1",
               session="one", text=f"my token is {s['guest token']}, my name {s['own attribute']}")  # fmt: skip
    log.record(
        "attempt", attempt=1, url=f"wss://x/v1?access_token={s['access token']}", ok=False, http_status=401
    )
    return log
