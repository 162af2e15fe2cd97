"""The short form of the chaos run: nothing lost, nothing doubled, everything in the server's order."""

from __future__ import annotations

import pytest

from guestlab.bench.chaos import chaos


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_every_message_once_in_server_order_and_every_send_accounted_for(seed: int) -> None:
    """Five hundred messages each way, twenty cuts at random bytes, reordering and duplicates."""
    outcome = chaos(messages=500, cuts=20, seed=seed)
    assert outcome.met, str(outcome)
