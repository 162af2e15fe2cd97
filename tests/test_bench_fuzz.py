"""The benchmark of mutated frames, small; and that it would notice a text that is not kept."""

from __future__ import annotations

import pytest

from guestlab.bench.fuzz import _is_kept, fuzz
from guestlab.log import Log


def test_mutated_frames_raise_nothing_and_stay_in_the_log() -> None:
    """A few thousand of what `python -m guestlab.bench fuzz` makes a million of."""
    outcome = fuzz(frames=3_000, seed=3)
    assert outcome.met
    assert outcome.facts["first"] == "none"


TORN = '{"url":"https://h/x","jwt":-1a.b.c","attachmentIhttps://h/x","jwt":-1a.b.c","attachmentId":"a"}'


def test_a_mask_stands_for_a_secret_with_or_without_quotes() -> None:
    """What stood as a number is masked in quotes."""
    assert _is_kept(Log().redact(TORN), TORN)


@pytest.mark.parametrize("lost", ["h/x", "attachmentId", "}"])
def test_a_text_that_lost_something_is_noticed(lost: str) -> None:
    """In the middle and at the end."""
    redacted = Log().redact(TORN)
    assert lost in redacted
    assert not _is_kept(redacted.replace(lost, "", 1), TORN)
