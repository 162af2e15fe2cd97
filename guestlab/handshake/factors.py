"""The factors a handshake is varied by: words a person says → what is sent. Pure.

Credential and placement have names of their own (`attempt.py`). Here are the words for the deployment id and
the `Origin` header: what "missing", "unknown" or "with_port" mean for one lab's own id and origin. A text
that is none of the words is sent as it is.
"""

from __future__ import annotations

import difflib
import enum
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from guestlab.errors import InputError
from guestlab.handshake.credentials import is_uuid
from guestlab.regions import REGIONS

__all__ = ["DeploymentWord", "OriginWord", "Target", "deployment_of", "origin_of", "other_region"]

UNLISTED = "https://unlisted.example"
"""An origin that no deployment lists: the name is reserved (RFC 2606)."""

ANY = "https://guestlab.example"
"""An origin for a deployment that lets every domain in."""


class DeploymentWord(enum.StrEnum):
    """Which `deploymentId` goes into the URL."""

    RIGHT = "right"
    MISSING = "missing"
    EMPTY = "empty"
    UNKNOWN = "unknown"
    INACTIVE = "inactive"
    OTHER_REGION = "other_region"


class OriginWord(enum.StrEnum):
    """Which `Origin` header goes along."""

    OWN = "own"
    NONE = "none"
    LISTED = "listed"
    UNLISTED = "unlisted"
    NULL = "null"
    WITH_PORT = "with_port"
    WITHOUT_SCHEME = "without_scheme"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A deployment id to send, and whether to another region's host."""

    deployment_id: str | None
    elsewhere: bool = False


def deployment_of(
    word: str, *, own: Callable[[], str], fresh: Callable[[], str], inactive: str | None, loopback: bool
) -> Target:
    """Say what a word for the deployment id means.

    Args:
        word: One of `DeploymentWord`, or an id.
        own: The lab's own id.
        fresh: Makes a UUID nobody has.
        inactive: The id of a deployment known to be inactive, if any.
        loopback: There is no other region on this machine: another region's deployment is an id unknown here.

    Raises:
        InputError: No such word, or no inactive deployment is known.
    """
    if word == DeploymentWord.RIGHT:
        return Target(deployment_id=own())
    if word == DeploymentWord.MISSING:
        return Target(deployment_id=None)
    if word == DeploymentWord.EMPTY:
        return Target(deployment_id="")
    if word == DeploymentWord.UNKNOWN or (word == DeploymentWord.OTHER_REGION and loopback):
        return Target(deployment_id=fresh())
    if word == DeploymentWord.OTHER_REGION:
        return Target(deployment_id=own(), elsewhere=True)
    if word == DeploymentWord.INACTIVE:
        if inactive is None:
            raise InputError(
                "No inactive deployment is known here.",
                why="Only the sandbox can make one by itself.",
                next_step="Put the id of a deployment you have switched off in its place.",
            )
        return Target(deployment_id=inactive)
    if is_uuid(word):
        return Target(deployment_id=word)
    raise _unknown_word("deployment", word, list(DeploymentWord), "or give the id itself, a UUID")


def origin_of(word: str, *, own: str | None, domains: tuple[str, ...]) -> str | None:
    """Say what a word for the `Origin` header means; None sends no such header.

    >>> origin_of("with_port", own="https://shop.example", domains=())
    'https://shop.example:8443'

    Args:
        word: One of `OriginWord`, or an origin as it is.
        own: The lab's own origin.
        domains: The deployment's allowed domains, where known.

    Raises:
        InputError: No such word.
    """
    listed = own or (f"https://{domains[0].removeprefix('*.')}" if domains else ANY)
    host = urlsplit(listed if "//" in listed else f"//{listed}").hostname or listed
    meanings: dict[str, str | None] = {
        OriginWord.OWN: own,
        OriginWord.NONE: None,
        OriginWord.LISTED: listed,
        OriginWord.UNLISTED: UNLISTED,
        OriginWord.NULL: "null",
        OriginWord.WITH_PORT: f"https://{host}:8443",
        OriginWord.WITHOUT_SCHEME: host,
    }
    if word in meanings:
        return meanings[word]
    if "." in word or ":" in word:
        return word
    raise _unknown_word("origin", word, list(OriginWord), "or give the origin itself, https://host")


def other_region(name: str) -> str:
    """A region that is not this one: its neighbour in the table, so that two runs ask the same."""
    return next(region.name for region in REGIONS if region.name != name)


def _unknown_word(factor: str, word: str, known: list[str], otherwise: str) -> InputError:
    close = difflib.get_close_matches(word, known, n=1)
    return InputError(
        f"{factor}={word!r} is unknown.",
        why=f"Known are: {', '.join(known)}.",
        next_step=f"Did you mean {close[0]}?" if close else f"Use one of them, {otherwise}.",
    )
