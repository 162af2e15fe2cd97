"""The Platform API's paths: every real one is known, and invented ones are told from them."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from guestlab.handshake.platform_paths import _rows, read_path

ID = "64680e29-d4b1-4653-b5b7-55d93753d3ad"


def test_every_path_of_the_list_is_found_with_each_of_its_methods() -> None:
    """Identifiers filled in, 2288 templates, over three thousand operations."""
    rows = _rows()
    assert len(rows) == 2288
    lost = [
        (method, template)
        for template, methods in rows
        for method in methods
        if not read_path(re.sub(r"\{[^}]*\}", ID, template), method).exists
    ]
    assert lost == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/v2/conversations/messaging"),  # fits {conversationId} by accident only
        ("GET", "/api/v2/conversations/webmessaging"),
        ("POST", "/api/v2/webmessaging/messages"),  # there is GET only
        ("POST", "/api/v2/webmessaging/guests"),
        ("DELETE", f"/api/v2/webmessaging/guests/{ID}"),
        ("GET", "/webmessaging/messages"),
        ("GET", "/api/v2"),
        ("GET", "/"),
        ("GET", "/api/v2/users/me/me/me"),
    ],
)
def test_an_invented_path_does_not_exist(method: str, path: str) -> None:
    """Words are no identifiers, and methods count."""
    assert not read_path(path, method).exists


@pytest.mark.parametrize(
    ("method", "path"),
    [
        (None, "/api/v2/webmessaging/messages"),
        ("OPTIONS", "/api/v2/webmessaging/messages"),
        ("GET", "/api/v2/conversations/{conversationId}"),
        ("GET", "/api/v2/conversations/[masked:12ab]"),
        ("GET", "/api/v2/conversations/YOUR_CONVERSATION"),
        ("HEAD", "/api/v2/notifications/channels/streaming-0-abc123"),
        ("GET", "/api/v2/oauth/scopes/conversations:readonly"),
        ("GET", "//api/v2/users/me/".replace("//", "/")),
    ],
)
def test_identifiers_of_other_shapes_and_placeholders_fit(method: str | None, path: str) -> None:
    """People write placeholders, and some ids are no UUIDs."""
    assert read_path(path, method).exists


@pytest.mark.parametrize(
    ("method", "path", "nearest"),
    [
        ("GET", "/api/v2/webmessaging/message", "GET /api/v2/webmessaging/messages"),
        ("GET", "/api/v2/user/me", "GET /api/v2/users/me"),
        ("POST", "/api/v2/notification/channel", "GET, POST /api/v2/notifications/channels"),
        ("POST", "/api/v2/guests/conversations", ""),
        ("POST", "/api/v2/conversations/webmessaging/guests", ""),
        ("POST", "/api/v2/conversations/messaging/messages", ""),
        ("GET", "/" + "/".join(["x"] * 400), ""),
    ],
)
def test_the_nearest_real_path_is_offered_only_when_it_is_near(method: str, path: str, nearest: str) -> None:
    """A far suggestion would be wrong advice."""
    assert read_path(path, method).nearest == nearest


def test_the_list_is_read_on_first_use_only() -> None:
    """Importing the diagnosis reads no file."""
    code = "import guestlab.handshake.diagnosis, guestlab.handshake.platform_paths as p; print(p._rows.cache_info().currsize)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "0"
