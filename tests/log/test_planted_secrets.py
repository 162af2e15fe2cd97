"""Secrets planted where the lab meets them: by no way in do they come into a log or its journal."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from guestlab.log import Entry, Kind, Log, Redactor

UUID = "8b6c1d1e-0000-4000-8000-000000000001"
OPAQUE = "qZ9x_4711-abcdefghijklmnopqrstuvwxyz"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJndWVzdCJ9.c2lnbmF0dXJl"
BASIC = base64.b64encode(f"client-id:{OPAQUE}".encode()).decode()
UPLOAD = (
    "https://uploads.example/b/x.png?X-Amz-Credential=AKIA4711%2F20261001&X-Amz-Signature=" + "0f1e2d3c" * 8
)


def body(**fields: Any) -> str:
    """A frame of the server around a body."""
    return json.dumps({"type": "response", "class": "X", "code": 200, "body": fields}, separators=(",", ":"))


def sent(**fields: Any) -> str:
    """A frame of the guest."""
    return json.dumps({"action": "onMessage", "token": UUID, **fields}, separators=(",", ":"))


PLANTED: dict[str, tuple[str, str]] = {
    "client secret, Basic": (f"POST /oauth/token HTTP/1.1\r\nAuthorization: Basic {BASIC}\r\n\r\n", BASIC),
    "client secret, form": (f"POST /oauth/token HTTP/1.1\r\n\r\nclient_secret={OPAQUE}&grant_type=x", OPAQUE),
    "access token": (f'HTTP/1.1 200 OK\r\n\r\n{{"access_token":"{OPAQUE}","expires_in":86400}}', OPAQUE),
    "access token, used": (f"GET /api HTTP/1.1\r\nAuthorization: Bearer {OPAQUE}\r\n\r\n", OPAQUE),
    "refresh token": (body(refreshToken=OPAQUE), OPAQUE),
    "refresh token, form": (f"grant_type=refresh_token&refresh_token={OPAQUE}", OPAQUE),
    "guest token": (sent(message={"type": "Text", "text": "hello"}), UUID),
    "history token": (body(jwt=JWT, exp=4711), JWT),
    "history token, used": (f"GET /api/v2/webmessaging/messages HTTP/1.1\r\nAuthorization: Bearer {JWT}\r\n\r\n", JWT),
    "authorization code": (sent(data={"code": OPAQUE, "redirectUri": "https://x/"}), OPAQUE),
    "code verifier": (sent(data={"codeVerifier": OPAQUE}), OPAQUE),
    "cookie": (f"GET / HTTP/1.1\r\nCookie: theme=dark; sid={OPAQUE}\r\n\r\n", OPAQUE),
    "set cookie": (f"HTTP/1.1 200 OK\r\nSet-Cookie: sid={OPAQUE}; Path=/; HttpOnly\r\n\r\n", OPAQUE),
    "presigned URL, signature": (body(url=UPLOAD), "0f1e2d3c" * 8),
    "presigned URL, credential": (body(url=UPLOAD), "AKIA4711%2F20261001"),
    "presigned URL, header": (body(headers={"x-amz-security-token": OPAQUE}), OPAQUE),
    "password in a URL": (f"GET http://me:{OPAQUE}@proxy.example/ HTTP/1.1\r\n\r\n", OPAQUE),
    "name in a custom attribute": (
        sent(channel={"metadata": {"customAttributes": {"customerName": "Hedwig Bleibtreu"}}}), "Hedwig Bleibtreu",
    ),
    "name in a custom attribute, other case": (
        body(channel={"metadata": {"customAttributes": {"customer_name": "Hedwig Bleibtreu"}}}), "Hedwig Bleibtreu",
    ),
    "mail address": (body(text="write to hedwig@example.org"), "hedwig@example.org"),
}  # fmt: skip


def by_record(log: Log, raw: str) -> None:
    """One by one."""
    direction = "sent" if '"action"' in raw else "received"
    log.record("frame", direction=direction, raw=raw)


def by_record_message(log: Log, raw: str) -> None:
    """As a session does with the frame of a message."""
    log.record_message(raw, 1, 1, "s", "X", 200, None, None, None, None, None, None, None, None, None, None)


def by_extend(log: Log, raw: str) -> None:
    """As a reader does, among many others."""
    plain = [Entry(n, 1, 1, Kind.FRAME, direction="received", raw=f'{{"n":{n}}}') for n in range(1, 1500)]
    log.extend([*plain[:700], plain[700]._replace(raw=raw, direction="sent"), *plain[701:]])


@pytest.mark.parametrize("way", [by_record, by_record_message, by_extend])
@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_secret_comes_into_no_log(name: str, way: Any, tmp_path: Path) -> None:
    """Nor into its journal, nor into what is said afterwards; and the frame around it does."""
    raw, secret = PLANTED[name]
    log = Log(
        redactor=Redactor(b"key", secret_keys=["customerName"], personal="mail" in name), journal=tmp_path
    )
    way(log, raw)
    log.record("note", note=f"I saw {secret}")
    shown = "\n".join(repr(tuple(row)) for row in log.entries) + log.table().to_csv()
    assert "[masked:" in shown
    assert secret not in shown
    assert secret not in (log.journal or tmp_path).read_text()
    assert any(str(row.raw)[:12] == raw[:12] for row in log.entries)


@pytest.mark.parametrize("way", [by_record, by_record_message, by_extend])
def test_redaction_is_on_by_default_and_names_of_persons_are_asked_for(way: Any) -> None:
    """A log without a redactor has one; what a customer is called is no credential."""
    log = Log()
    way(log, PLANTED["name in a custom attribute"][0])
    shown = repr([tuple(row) for row in log.entries])
    assert UUID not in shown
    assert "Hedwig Bleibtreu" in shown
