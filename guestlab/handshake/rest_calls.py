"""The REST calls an attempt shows or speaks of, each looked up in the Platform API's path list.

A call comes from the URL; where there is no URL, from a path written in the note. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from guestlab.handshake.credentials import is_uuid
from guestlab.handshake.platform_paths import PathReading, read_path
from guestlab.handshake.quoting import is_masked
from guestlab.handshake.targets import Target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guestlab.handshake.reading import Reading

__all__ = ["Call", "guest_call", "rest_calls"]

_GUEST_PATH = re.compile(
    r"guest|web-?messag|messenger|web-?chat|visitor|anonymous|external|/messaging\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One REST call."""

    method: str
    """"" when not known."""
    path: str
    found: PathReading
    from_note: bool
    as_guest: bool
    """Whether it is made for a guest, by its path or by the credential."""

    @property
    def exists(self) -> bool:
        """Whether the Platform API has it."""
        return self.found.exists

    @property
    def segments(self) -> tuple[str, ...]:
        """The path's own words; identifiers become "{}"."""
        parts = (part for part in self.path.split("/") if part)
        return tuple("{}" if is_uuid(p) or is_masked(p) or p[:1] in "{<[:$" else p for p in parts)

    @property
    def last_word(self) -> str:
        """The last segment that is no identifier, lower case."""
        words = [segment for segment in self.segments if segment != "{}"]
        return words[-1].lower() if words else ""


def rest_calls(reading: Reading) -> Iterator[Call]:
    """The calls of an attempt."""
    at_socket = reading.target is Target.GUEST and not reading.is_upgrade
    calls = reading.target in {Target.PLATFORM, Target.CHANNEL_API} and bool(reading.evidence.url)
    if calls or (at_socket and reading.method in {"POST", "PUT", "DELETE"}):
        yield _call(reading, reading.method, reading.address.path, from_note=False)
    elif not reading.evidence.url and reading.target is not Target.LEGACY:
        for method, path in reading.note.paths[:5]:
            yield _call(reading, method, path, from_note=True)


def guest_call(reading: Reading) -> Iterator[Call]:
    """The calls of an attempt that are made for a guest."""
    return (call for call in rest_calls(reading) if call.as_guest)


def _call(reading: Reading, method: str, path: str, *, from_note: bool) -> Call:
    path = "/" + "/".join(part for part in path.split("/") if part)
    as_guest = (
        _GUEST_PATH.search(path) is not None
        or (reading.kind == "guest" and "/conversations" in path)
        or reading.target is Target.GUEST
    )
    return Call(
        method=method,
        path=path,
        found=read_path(path, method or None),
        from_note=from_note,
        as_guest=as_guest,
    )
