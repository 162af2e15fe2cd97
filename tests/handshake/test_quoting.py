"""Quoting repeats no secret and shows hostile text harmlessly."""

from __future__ import annotations

import pytest

from guestlab.handshake.quoting import is_masked, is_placeholder, quote_frame, quote_text, quote_url


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("Bearer abcdefgh", "Bearer [masked]"),
        ("token is eyJhbGciOi.EXAMPLE here", "token is [masked] here"),
        ('{"access_token":"abcdef","expires_in":1}', '{"access_token":"[masked]","expires_in":1}'),
        ("code=abcdef&state=1", "code=[masked]&state=1"),
        ("close code: 4007", "close code: 4007"),
        ('{"code":"not.a.user"}', '{"code":"not.a.user"}'),
        ("wss://streaming.x/channels/streaming-1-abc", "wss://streaming.x/channels/[masked]"),
        ("kept [masked:12ab] as it is", "kept [masked:12ab] as it is"),
        ("4efaaeed-d0c4-4a72-8db1-3e479b6b532f", "4efaaeed-d0c4-4a72-8db1-3e479b6b532f"),
        ("a\nb\x1b[31m\u202e", "a\\nb\\x1b[31m\\x202e"),
        ("x" * 300, "x" * 199 + "…"),
    ],
)
def test_text_is_masked_cut_and_made_visible(text: str, quoted: str) -> None:
    """One line, no secret, no control character."""
    assert quote_text(text) == quoted


@pytest.mark.parametrize(
    ("url", "quoted"),
    [
        (
            "wss://h/v1?deploymentId=abc&access_token=secret",
            "wss://h/v1?deploymentId=abc&access_token=[masked]",
        ),
        ("wss://h/v1?access_token=[masked:3f9a1c2e]", "wss://h/v1?access_token=[masked:3f9a1c2e]"),
        ("wss://h/v1?flag&x=", "wss://h/v1?flag&x="),
        ("wss://me:secret@h/v1", "wss://[masked]h/v1"),
        ("wss://h/v1?a=b#access_token=secret", "wss://h/v1?a=[masked]"),
    ],
)
def test_of_a_query_only_harmless_values_stay(url: str, quoted: str) -> None:
    """Whatever the parameter is called."""
    assert quote_url(url) == quoted


def test_of_a_frame_only_keys_and_harmless_values_stay() -> None:
    """The token is gone, the action stays."""
    frame = {
        "action": "onMessage",
        "token": "s3cret",
        "message": {"type": "Text", "text": "Hello"},
        "list": ["s3cret"],
    }
    quoted = quote_frame(frame)
    assert "s3cret" not in quoted
    assert '"action": "onMessage"' in quoted
    assert quote_frame("plain s") == "plain s"


def test_masks_and_placeholders_are_told_apart() -> None:
    """Neither has a shape to judge."""
    assert is_masked("Bearer [masked:00ff]")
    assert not is_masked("masked")
    assert [is_placeholder(value) for value in ("{id}", "${ID}", "<id>", "[masked]", "id", 4)] == [
        True, True, True, False, False, False,
    ]  # fmt: skip
