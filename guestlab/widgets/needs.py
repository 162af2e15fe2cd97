"""What a lab lacks before a stage can run: which values, the variables that may hold them, a cell that asks.

A button cannot ask for a secret, because there is no prompt outside a cell; so a view says what to run. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from guestlab.lab import Lab

__all__ = ["Need", "needed"]


class Need(NamedTuple):
    """Something that is missing."""

    word: str
    """In two or three words."""
    what: str
    next_step: str
    cell: str
    """Code to run in a cell; no secret stands in it."""


_ASKING = "from guestlab.secret_sources import from_prompt\n"
_BY_ENVIRONMENT = (
    "Set GUESTLAB_REGION, GUESTLAB_CLIENT_ID and GUESTLAB_CLIENT_SECRET (or GUESTLAB_ACCESS_TOKEN) and use "
    "gl.Lab.from_env(); or run this cell, which asks below itself, hidden:"
)


def needed(stage: str, lab: Lab) -> Need | None:
    """Say what a stage needs that this lab does not have; None where it can run."""
    if stage == "handshake":
        return None if lab.has_deployment else _deployment(lab)
    tokens = lab.tokens
    held = tokens.has_client or tokens.brings or tokens.own_flow or tokens.user_flow
    if held or tokens.sign_in is not None:
        return None
    if stage == "conversation":
        return Need("needs a token", "There is no access token yet.", "Get one in stage 1 first.", "")
    return _client(lab)


def _client(lab: Lab) -> Need:
    region = lab.region.name
    if lab.client_id:
        what = "The client's secret is missing: client_secret."
        cell = f"lab = gl.Lab({region!r}, client_id={lab.client_id!r}, client_secret=from_prompt())"
    else:
        what = "An OAuth client is missing, client_id and client_secret; or an access token in its place."
        cell = 'lab.use_token(from_prompt("access token"))'
    return Need("needs credentials", what, _BY_ENVIRONMENT, _ASKING + cell)


def _deployment(lab: Lab) -> Need:
    return Need(
        "needs a deployment id",
        "The deployment id is missing: without one only refusals can be shown.",
        "Set GUESTLAB_DEPLOYMENT_ID, or pass it; it stands in Admin > Message > Messenger Deployments:",
        f'lab = gl.Lab({lab.region.name!r}, deployment_id="…")',
    )
