"""Every part of a URL is ticked or crossed, the right value beside a wrong one."""

from __future__ import annotations

import pytest

from guestlab.handshake.url_check import check_url

ID = "4efaaeed-d0c4-4a72-8db1-3e479b6b532f"


@pytest.mark.parametrize(
    "url",
    [
        f"wss://webmessaging.mypurecloud.de/v1?deploymentId={ID}&application=TransportSDK-2.14.0",
        f"ws://127.0.0.1:8443/v1?deploymentId={ID}",
        "wss://streaming.mypurecloud.ie/channels/streaming-1-abc",
        "https://login.usw2.pure.cloud/oauth/token",
        "http://localhost:1/oauth/token",
        "https://api.mypurecloud.com/api/v2/webmessaging/messages?pageSize=25",
        f"https://api-cdn.mypurecloud.jp/webdeployments/v1/deployments/{ID}/config.json",
    ],
)
def test_a_right_url_is_ticked_throughout(url: str) -> None:
    """For every service, on a region and on loopback."""
    check = check_url(url)
    assert check.ok, str(check)
    assert "✗" not in str(check)


@pytest.mark.parametrize(
    ("url", "crossed"),
    [
        (
            "https://api.mypurecloud.com/v1?token=abcdef",
            {"scheme": "wss", "host": "webmessaging.mypurecloud.com", "deploymentId": "<your Messenger deployment's id>",
             "query token": "leave it out"},
        ),
        (
            "wss://webmessaging.euw1.pure.cloud/ws?deploymentId=abc",
            {"host": "webmessaging.mypurecloud.ie", "region": "mypurecloud.ie", "path": "/v1",
             "deploymentId": "<your Messenger deployment's id>"},
        ),
        ("wss://127.0.0.1/v2?deploymentId=" + ID, {"path": "/v1"}),
        ("https://api.mypurecloud.com/oauth/token", {"host": "login.mypurecloud.com"}),
        ("https://api.mypurecloud.com/api/v2/webmessaging/message", {"path": "GET /api/v2/webmessaging/messages"}),
        ("https://api.mypurecloud.com/api/v2/guests", {"path": "no such path in the Platform API"}),
        ("wss://api.mypurecloud.com/api/v2/notifications?token=abc",
         {"host": "streaming.mypurecloud.com", "path": "/channels/<id> of connectUri", "query token": "leave it out"}),
    ],
)  # fmt: skip
def test_each_wrong_part_is_crossed_with_the_right_value(url: str, crossed: dict[str, str]) -> None:
    """And nothing else is."""
    check = check_url(url)
    assert {part.name: part.right for part in check.parts if not part.ok} == crossed
    assert not check.ok
    assert "abcdef" not in str(check)


def test_a_method_that_a_path_does_not_have_is_remarked() -> None:
    """Methods count."""
    check = check_url("https://api.mypurecloud.com/api/v2/webmessaging/messages", method="POST")
    assert "only for GET" in str(check)


@pytest.mark.parametrize(
    "url", ["", "   ", "not a url", "wss://", "://", "wss://[", "mypurecloud.com", "\x00\n", "?a=b"]
)
def test_no_text_is_too_broken_to_be_taken_apart(url: str) -> None:
    """Whatever is typed gets an answer."""
    assert not check_url(url).ok
