"""guestlab transcript, against a sandbox that another lab talked on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from guestlab import read
from guestlab.cli import main
from guestlab.lab import Lab

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def talked(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The message id of a guest's word, with the environment leading to its sandbox."""
    with Lab() as lab:
        with lab.session() as session:
            session.send("hello there")
        assert lab.sandbox is not None
        monkeypatch.setenv("GUESTLAB_REGION", lab.region.name)
        monkeypatch.setenv("GUESTLAB_CLIENT_ID", lab.sandbox.client_id)
        monkeypatch.setenv("GUESTLAB_CLIENT_SECRET", lab.sandbox.client_secret)
        yield str(lab.log.messages["message_id"].iloc[0])


def test_a_message_leads_to_its_conversation(
    talked: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The words of the guest come back, on screen, as JSON and as a file."""
    out = tmp_path / "transcript.jsonl"
    assert main(["transcript", "--message", talked, "--source", "messages", "--out", str(out)]) == 0
    assert "hello there" in capsys.readouterr().out
    assert main(["transcript", "--message", talked, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert set(document) == {"conversation_id", "sources", "messages"}
    assert "hello there" in [row["text"] for row in document["messages"]]
    assert "hello there" in list(read(out).messages["text"])


def test_no_conversation_is_an_error(talked: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It says what to give; an unknown one is told by its source, and is nothing found."""
    for arguments in ([], ["some-id", "--message", talked]):
        with pytest.raises(SystemExit) as usage:
            main(["transcript", *arguments])
        assert usage.value.code == 2
        assert "--message" in capsys.readouterr().err
    assert main(["transcript", "3d2f0c1e-0000-4000-8000-00000000000c"]) == 1
    assert "absent" in capsys.readouterr().out
