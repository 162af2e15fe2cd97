"""Handshakes are read out of HAR files, and no file makes the reader fail in any other way than it says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from guestlab.errors import InputError
from guestlab.handshake.har import diagnose_har, from_har

if TYPE_CHECKING:
    from pathlib import Path

ID = "4efaaeed-d0c4-4a72-8db1-3e479b6b532f"
TOKEN = "f187426e-7f90-4f99-81dd-1fa5b65a7ea2"
CONFIGURE = {"action": "configureSession", "deploymentId": ID, "token": TOKEN, "tracingId": "1"}
READY = {"type": "response", "class": "SessionResponse", "code": 200, "tracingId": "1",
         "body": {"connected": True, "newSession": True, "readOnly": False}}  # fmt: skip
ECHO = {"type": "message", "class": "StructuredMessage", "code": 200, "tracingId": "2",
        "body": {"direction": "Inbound", "type": "Text", "text": "Hi"}}  # fmt: skip
CLOSED = {"type": "message", "class": "ConnectionClosedEvent", "code": 200, "body": {}}


def message(words: str, tracing_id: str = "2") -> dict[str, Any]:
    """A text of the guest."""
    return {
        "action": "onMessage",
        "token": TOKEN,
        "tracingId": tracing_id,
        "message": {"type": "Text", "text": words},
    }


CLEAR = {"action": "onMessage", "token": TOKEN, "tracingId": "3",
         "message": {"type": "Event", "events": [{"eventType": "Presence", "presence": {"type": "Clear"}}]}}  # fmt: skip


def socket_entry(url: str, *frames: tuple[str, Any], status: int = 101, **more: Any) -> dict[str, Any]:
    """An entry as Chromium writes it."""
    return {
        "_resourceType": "websocket",
        "_webSocketMessages": [
            {
                "type": kind,
                "time": 1.0,
                "opcode": 1,
                "data": data if isinstance(data, str) else json.dumps(data),
            }
            for kind, data in frames
        ],
        "request": {
            "method": "GET",
            "url": url,
            "headers": [{"name": "Origin", "value": "https://shop.example"}],
        },
        "response": {"status": status, "headers": [], "content": {"size": 0, "mimeType": "x-unknown"}},
        **more,
    }


def har(*entries: Any) -> dict[str, Any]:
    """A HAR around entries."""
    return {"log": {"version": "1.2", "creator": {"name": "WebInspector"}, "entries": list(entries)}}


SOCKET = f"wss://webmessaging.mypurecloud.de/v1?deploymentId={ID}"
OPEN = (("send", CONFIGURE), ("receive", READY))

SESSIONS: list[tuple[str, dict[str, Any], tuple[str, ...]]] = [
    ("a whole session", socket_entry(SOCKET, *OPEN, ("send", message("Hi")), ("receive", ECHO)), ()),
    ("one against this machine", socket_entry(SOCKET.replace("wss://webmessaging.mypurecloud.de", "ws://127.0.0.1:8080"), *OPEN), ()),
    ("a cleared conversation", socket_entry(SOCKET, *OPEN, ("send", CLEAR), ("send", message("x")), ("receive", CLOSED)), ()),
    ("taken over", socket_entry(SOCKET, *OPEN, ("send", message("x")), ("receive", CLOSED)), ("session.taken-over",)),
    (
        "the seed's mistake, refused without a status",
        socket_entry("wss://127.0.0.1:8443/v1?access_token=eyJhbGciOi.EXAMPLE", status=0, _error="net::ERR_ABORTED"),
        ("upgrade.deployment-missing", "credential.oauth-on-guest-socket"),
    ),
    (
        "an error in the middle",
        socket_entry(SOCKET, *OPEN, ("send", message("x" * 5000, "9")), ("send", message("b", "10")),
                     ("receive", {"type": "response", "class": "string", "code": 4011, "body": "too long", "tracingId": "9"})),
        ("message.too-long",),
    ),
    ("a wrong first frame", socket_entry(SOCKET, ("send", {"type": "init"})), ("frame.wrong-first-frame",)),
    ("binary noise beside", socket_entry(SOCKET, ("send", CONFIGURE), ("receive", "\x00\ufffd"), ("receive", READY)), ()),
]  # fmt: skip


@pytest.mark.parametrize(("entry", "rules"), [row[1:] for row in SESSIONS], ids=[row[0] for row in SESSIONS])
def test_a_socket_of_a_har_is_diagnosed(entry: dict[str, Any], rules: tuple[str, ...]) -> None:
    """A session in order is ok; mistakes give their findings."""
    (diagnosis,) = diagnose_har(har(entry))
    assert diagnosis.rules == rules


def test_each_handshake_is_diagnosed_by_itself_in_order() -> None:
    """Other entries do not disturb, sockets come before calls."""
    page = {"request": {"method": "GET", "url": "https://shop.example/"}, "response": {"status": 200}}
    call = {
        "request": {"method": "POST", "url": "https://api.mypurecloud.de/api/v2/webmessaging/guests"},
        "response": {},
    }
    bad = socket_entry("wss://webmessaging.mypurecloud.de/v1", status=401)
    both = diagnose_har(har(page, bad, call, socket_entry(SOCKET, *OPEN)))
    assert [diagnosis.rules for diagnosis in both] == [("upgrade.deployment-missing",), ()]


def test_without_a_socket_the_calls_to_genesys_cloud_are_diagnosed() -> None:
    """The token request with its form, and no page of the shop."""
    page = {"request": {"method": "GET", "url": "https://shop.example/"}, "response": {"status": 500}}
    call = {
        "request": {
            "method": "POST",
            "url": "https://api.mypurecloud.de/oauth/token",
            "headers": [
                {"name": ":authority", "value": "x"},
                {"name": "Content-Type", "value": "application/json"},
            ],
            "postData": {"text": '{"grant_type":"client_credentials"}'},
        },
        "response": {"status": 404, "content": {"text": "{}"}},
    }
    (diagnosis,) = diagnose_har(har(page, call))
    assert diagnosis.rules[:2] == ("oauth.wrong-host", "oauth.body-format")


def test_a_har_is_taken_as_path_text_or_object(tmp_path: Path) -> None:
    """A byte order mark does not matter."""
    document = har(socket_entry(SOCKET, *OPEN))
    text = json.dumps(document)
    path = tmp_path / "tools.har"
    path.write_text("\ufeff" + text, "utf-8")
    assert from_har(path) == from_har(str(path)) == from_har(text) == from_har(document)


@pytest.mark.parametrize(
    "source",
    ["{", "[1]", "{}", '{"log": 1}', '{"log": {"entries": {}}}', "[" * 100_000, har(), har(1, None, "x", [])],
    ids=["torn", "list", "empty", "log", "entries", "deep", "none", "junk"],
)
def test_a_file_that_is_no_har_is_an_input_error(source: Any) -> None:
    """With why and next, and nothing else."""
    with pytest.raises(InputError) as caught:
        from_har(source)
    assert caught.value.why.endswith(".")
    assert caught.value.next_step.endswith(".")


@pytest.mark.parametrize("source", ["no/such/file.har", "", "x\x00y", None, 5])
def test_a_file_that_cannot_be_read_is_an_input_error(source: Any) -> None:
    """Whatever was given as a path."""
    with pytest.raises(InputError, match="cannot be read"):
        from_har(source)


def test_a_file_too_large_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before its text is in memory."""
    path = tmp_path / "large.har"
    path.write_text("{}" * 100)
    monkeypatch.setattr("guestlab.handshake.har.MAX_FILE", 100)
    with pytest.raises(InputError, match="no HAR"):
        from_har(path)


def test_a_torn_har_is_diagnosed_as_far_as_it_is_whole(tmp_path: Path) -> None:
    """With a warning that says where it ends."""
    text = json.dumps(har(socket_entry(SOCKET, *OPEN), socket_entry(SOCKET, ("send", {"type": "init"}))))
    path = tmp_path / "torn.har"
    path.write_text(text[: text.rindex("request")])
    with pytest.warns(UserWarning, match="ends in the middle, in entry 2"):
        diagnoses = diagnose_har(path)
    assert [diagnosis.rules for diagnosis in diagnoses] == [(), ("frame.wrong-first-frame",)]


def test_a_har_torn_before_anything_is_whole_is_an_input_error() -> None:
    """It says so, and not that it is no HAR."""
    text = json.dumps(har(socket_entry(SOCKET, *OPEN)))
    with pytest.raises(InputError, match="not a readable HAR: it ends in the middle"):
        from_har(text[: text.index("_webSocketMessages")])


def test_a_damaged_entry_is_left_out_with_a_warning() -> None:
    """The others are diagnosed."""
    text = json.dumps(har("HERE", socket_entry(SOCKET, *OPEN))).replace('"HERE"', "{no json}")
    with pytest.warns(UserWarning, match="1 entries are no valid JSON"):
        (diagnosis,) = diagnose_har(text)
    assert diagnosis.ok


def test_very_many_frames_are_capped() -> None:
    """Only so many are looked at; the first sent still counts."""
    flood = [("receive", ECHO)] * 30_000
    (diagnosis,) = diagnose_har(har(socket_entry(SOCKET, ("send", {"type": "auth"}), *flood)))
    assert diagnosis.rules == ("frame.wrong-first-frame",)
