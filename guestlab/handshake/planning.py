"""From what a person asks for to the plan of an attempt: checked, with the credential in its place.

Pure. `perform.py` carries the plan out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from guestlab.errors import InputError
from guestlab.handshake.attempt import Credential, Placement, Plan

if TYPE_CHECKING:
    from guestlab.regions import Region

__all__ = ["address", "check_attempt", "make_plan", "member"]


def member(kind: type[Credential | Placement], value: str) -> Any:
    """Find a credential or placement by its name.

    Raises:
        InputError: No such one; lists those there are.
    """
    try:
        return kind(value)
    except ValueError:
        raise InputError(
            f"{kind.__name__.lower()}={value!r} is unknown.",
            why="Attempts vary a fixed set, so that they can be compared.",
            next_step=f"Use one of: {', '.join(kind)}.",
        ) from None


def address(region: Region, deployment_id: str | None) -> str:
    """Build the guest socket's URL; None leaves the deployment id out, "" sends it empty."""
    url = region.guest_url(deployment_id or "")
    return url if deployment_id is not None else url.partition("?")[0]


def check_attempt(
    *,
    credential: Credential,
    placement: Placement,
    url: object,
    deployment_id: object,
    subprotocols: object,
    headers: object,
    parameter: object = "access_token",
) -> None:
    """Refuse what could not be carried out as asked.

    Raises:
        InputError: A credential without a place, or an argument of the wrong kind.
    """
    if (credential is Credential.NONE) != (placement is Placement.NOWHERE):
        raise InputError(
            f"credential={credential.value!r} does not go with placement={placement.value!r}.",
            why="A credential needs a place, and a place needs a credential to be put there.",
            next_step='Say for instance credential="client_credentials", placement="query".',
        )
    for name, value in (("url", url), ("deployment_id", deployment_id)):
        if not isinstance(value, str | None):
            raise InputError(
                f"{name}={value!r} is no text.",
                why=f"It was given as {type(value).__name__}.",
                next_step=f"Give {name} as a string.",
            )
    if not isinstance(headers, Mapping) or any(
        not isinstance(part, str) or "\r" in part or "\n" in part for pair in headers.items() for part in pair
    ):
        raise InputError(
            "headers cannot be sent.",
            why="A header is a name and a value, both texts of one line.",
            next_step='Pass a dictionary, such as headers={"X-Example": "1"}.',
        )
    if not isinstance(parameter, str) or not re.fullmatch(r"[\w.~-]+", parameter):
        raise InputError(
            f"parameter={parameter!r} is no name for a query parameter.",
            why="It names the credential in the query or the cookie.",
            next_step='Use a plain name, such as parameter="token".',
        )
    if isinstance(subprotocols, str):
        raise InputError(
            "subprotocols is one text.",
            why="Several may be offered, so it is a list.",
            next_step=f"Pass subprotocols=[{subprotocols!r}].",
        )


def make_plan(
    url: str,
    *,
    credential: Credential,
    placement: Placement,
    secret: str | None,
    origin: str | None,
    headers: dict[str, str],
    subprotocols: tuple[str, ...],
    first_frame: Mapping[str, Any] | str,
    parameter: str = "access_token",
) -> Plan:
    """Put the credential where it was asked for; `parameter` names it in a query or a cookie.

    Raises:
        InputError: The first frame cannot be written as JSON.
    """
    if secret is not None and placement is Placement.QUERY:
        url += ("&" if "?" in url else "?") + urlencode({parameter: secret}, quote_via=quote)
    if secret is not None and placement is Placement.HEADER:
        headers = {"Authorization": f"Bearer {secret}", **headers}
    if secret is not None and placement is Placement.COOKIE:
        headers = {"Cookie": f"{parameter}={secret}", **headers}
    if secret is not None and placement is Placement.SUBPROTOCOL:
        subprotocols = (secret, *subprotocols)
    return Plan(
        url=url,
        headers=tuple(headers.items()),
        subprotocols=subprotocols,
        origin=origin,
        first_frame=first_frame if isinstance(first_frame, str) else _frame_text(first_frame),
        credential=credential,
        placement=placement,
    )


def _frame_text(frame: Mapping[str, Any]) -> str:
    try:
        return json.dumps(frame)
    except (TypeError, ValueError) as error:
        raise InputError(
            "The first frame cannot be written as JSON.",
            why=f"{error}.",
            next_step="Use strings, numbers, lists and dictionaries, or give the text itself.",
        ) from None
