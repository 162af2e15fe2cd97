"""What a lab lacks is said by the stage itself: which values, which variables, which cell to run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from guestlab.lab import Lab
from guestlab.widgets.needs import needed
from guestlab.widgets.panels import body_html, head_html
from guestlab.widgets.stages import Told

if TYPE_CHECKING:
    from collections.abc import Iterator

DEPLOYMENT = "4c44344e-56ba-4b5c-8228-5473978ffe37"


@pytest.fixture
def bare() -> Iterator[Lab]:
    """A lab in a region, without anything else; nothing is ever sent."""
    with Lab("mypurecloud.de") as lab:
        yield lab


def test_a_lab_without_credentials_is_not_ready(bare: Lab) -> None:
    """The token stage names both ways, the conversation its stage before, the handshake its deployment."""
    token = needed("token", bare)
    assert token is not None
    assert "client_id and client_secret" in token.what
    assert "GUESTLAB_CLIENT_SECRET" in token.next_step
    assert "from_prompt(" in token.cell
    compile(token.cell, "cell", "exec")
    assert needed("conversation", bare).word == "needs a token"  # type: ignore[union-attr]
    assert needed("handshake", bare).word == "needs a deployment id"  # type: ignore[union-attr]


def test_what_is_there_is_not_asked_for(lab: Lab) -> None:
    """The sandbox has it all; an access token of one's own will do in place of a client."""
    assert not any(needed(stage, lab) for stage in ("token", "conversation", "handshake"))
    with Lab("mypurecloud.de", access_token="a" * 30, deployment_id=DEPLOYMENT) as brought:
        assert not any(needed(stage, brought) for stage in ("token", "conversation", "handshake"))


def test_a_client_without_its_secret_is_told_so() -> None:
    """With a cell that asks for it below itself."""
    with Lab("mypurecloud.de", client_id="7f8d") as lab:
        need = needed("token", lab)
        assert need is not None
        assert need.what == "The client's secret is missing: client_secret."
        assert "client_id='7f8d', client_secret=from_prompt()" in need.cell


def test_the_panel_shows_it_in_place_of_ready(bare: Lab, wire: Any) -> None:
    """In the heading, and below it what to do; live and static."""
    assert "needs credentials" in head_html("token", Told(), bare)
    assert "ready" not in head_html("token", Told(), bare)
    assert "GUESTLAB_REGION" in body_html("token", Told(), bare)
    stepper = bare.stepper()
    assert stepper.widget is not None
    assert stepper.refresh.flush()
    assert "needs credentials" in wire.shown(stepper)
    assert "from_prompt" in stepper.html()


def test_once_it_ran_its_own_state_is_shown(bare: Lab) -> None:
    """A failure is a failure."""
    assert "failed" in head_html("token", Told(state="failed"), bare)
