"""A saved JSON reply of the Platform API is read into the same messages as everything else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from guestlab import read
from guestlab.bridge import bridge
from guestlab.errors import LogError
from guestlab.lab import Lab

if TYPE_CHECKING:
    from pathlib import Path


def _saved(folder: Path, name: str, document: Any) -> Path:
    path = folder / name
    path.write_text(json.dumps(document, indent=2), encoding="utf-8")
    return path


def test_replies_of_the_sandbox_are_read(tmp_path: Path) -> None:
    """Messages in bulk, a message's details and analytics, saved as somebody's script would."""
    with Lab() as lab:
        with lab.session() as guest:
            guest.send("hello")
            guest.messages(quiet=1.0)
        said = lab.log.messages
        platform = lab.platform()
        conversation_id = lab.conversation_of(str(said["message_id"].iloc[0]))
        bulk = _saved(tmp_path, "bulk.json", {"entities": platform.messages(conversation_id)})
        details = _saved(tmp_path, "details", platform.message_details(str(said["message_id"].iloc[0])))
        analytics = _saved(tmp_path, "analytics.json", bridge.run(platform.core.details(conversation_id)))
    read_back = read(bulk).messages
    assert sorted(read_back["text"]) == sorted(said["text"])
    assert set(read_back["conversation_id"]) == {conversation_id}
    assert list(read(details).messages["text"]) == ["hello"]
    assert set(read(analytics).table()["kind"]) >= {"lifecycle"}
    assert len(read(tmp_path).messages) == len(said)  # a folder: each message once


@pytest.mark.parametrize("text", ['{"participants": 5', '{"participants": "x"}', '["normalizedMessage": 1]'])
def test_what_only_looks_like_a_reply_is_reported(tmp_path: Path, text: str) -> None:
    """It is no log, and the error says so."""
    path = tmp_path / "reply.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(LogError):
        read(path)
