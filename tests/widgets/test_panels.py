"""What the panels say of an attempt: it fits the step, the bytes and what was tried."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from guestlab.widgets.panels import attempt_column, body_html
from guestlab.widgets.saved_inputs import THAT_WORKS, Inputs, paired
from guestlab.widgets.stages import Stages

if TYPE_CHECKING:
    from guestlab.lab import Lab

NOBODY = "ws://127.0.0.1:1/v1"


def test_nothing_sent_is_nothing_to_look_at(lab: Lab) -> None:
    """An attempt that found no port has no bytes."""
    told = attempt_column("Refused", lab.attempt(url=NOBODY))
    assert "so nothing was sent" in told
    assert "deploymentId is nowhere in it" not in told


def test_an_empty_deployment_id_stands_there(lab: Lab) -> None:
    """It is not nowhere."""
    told = attempt_column("Refused", lab.attempt(deployment_id="empty"))
    assert "but empty" in told


def test_an_access_token_in_the_first_frame_became_the_guests_key(lab: Lab) -> None:
    """It was read, as any string would be; and what is wrong with that stands beside "open"."""
    attempt = lab.attempt(credential="client_credentials", placement="first_frame", deployment_id="right")
    told = attempt_column("Open", attempt)
    assert attempt.ok
    assert "your access token is now this guest" in told
    assert "was not read" not in told
    assert "client credentials token in the first frame" in told
    assert ("Nothing here is wrong" in told) == (not attempt.diagnosis.findings)


def test_an_open_attempt_with_findings_shows_them(lab: Lab) -> None:
    """Open is not the same as right."""
    attempt = lab.attempt(credential="client_credentials", placement="query", deployment_id="right")
    told = attempt_column("Open", attempt)
    assert attempt.ok
    assert "credential.oauth-on-guest-socket" in attempt.diagnosis.rules
    assert "credential.oauth-on-guest-socket" in told
    assert "fits this case" in told
    assert "Nothing here is wrong" not in told


def test_an_older_attempt_says_so_and_another_target_is_not_compared(lab: Lab) -> None:
    """What went elsewhere has nothing in common with what went here."""
    stages = Stages(lab)
    stages.run_all(Inputs())
    told = body_html("handshake", stages["handshake"], lab)
    assert "of an earlier run" not in told
    assert "What differs" in told
    stages.run(["handshake"], Inputs(endpoint=NOBODY))
    told = body_html("handshake", stages["handshake"], lab)
    assert told.count("of an earlier run") == 1
    assert "What differs" not in told


@pytest.mark.parametrize(
    ("entered", "chosen", "becomes"),
    [
        (("none", "query"), "credential", ("none", "nowhere")),
        (("pkce", "nowhere"), "credential", ("pkce", "query")),
        (("pkce", "nowhere"), "placement", ("none", "nowhere")),
        (("none", "header"), "placement", ("client_credentials", "header")),
        ((THAT_WORKS["credential"], THAT_WORKS["placement"]), "credential", ("guest", "first_frame")),
    ],
)
def test_credential_and_place_agree(entered: tuple[str, str], chosen: str, becomes: tuple[str, str]) -> None:
    """The one that was not chosen gives way."""
    both = paired(Inputs(credential=entered[0], placement=entered[1]), chosen=chosen)
    assert (both.credential, both.placement) == becomes
