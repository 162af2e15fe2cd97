"""Takes a URL apart without ever failing, whatever was pasted.

`urllib` refuses some broken URLs and rewrites others; a diagnosis must read exactly what was typed. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote_plus

__all__ = ["Address", "read_pairs"]

_SHAPE = re.compile(
    r"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.\-]*):)?(?://(?P<authority>[^/?#]*))?"
    r"(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?(?:#(?P<fragment>.*))?",
    re.DOTALL,
)
_AUTHORITY = re.compile(r"(?:.*@)?(?P<host>\[[^\]]*\]|[^:]*)(?::(?P<port>\d*))?.*", re.DOTALL)


def read_pairs(text: str) -> tuple[tuple[str, str], ...]:
    """Read `a=1&b=2`, percent-decoded, in order."""
    parts = (part.partition("=") for part in text.split("&")[:200] if part)
    return tuple((unquote_plus(name, errors="replace"), unquote_plus(value, errors="replace"))
                 for name, _, value in parts)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A URL in parts, each as typed except that scheme and host are lower case."""

    scheme: str = ""
    host: str = ""
    port: int | None = None
    path: str = ""
    query: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, text: str) -> Address:
        """Read a URL; a bare `host/path` is read as one too."""
        cleaned = text.strip().strip("<>\"'`").replace("\\/", "/").replace("#{", "{")  # a variable of Ruby
        if (
            "://" not in cleaned
            and not cleaned.startswith("/")
            and re.match(r"[\w\-.]+\.\w+(?:[:/?]|$)", cleaned)
        ):
            cleaned = "//" + cleaned
        found = _SHAPE.fullmatch(cleaned)
        assert found is not None  # every part is optional
        place = _AUTHORITY.fullmatch(found["authority"] or "")
        port = place["port"] if place else None
        return cls(
            scheme=(found["scheme"] or "").lower(),
            host=(place["host"] if place else "").strip().lower().rstrip("."),
            port=int(port) if port and len(port) <= 5 else None,
            path=found["path"] or "",
            query=read_pairs(found["query"] or ""),
        )

    def parameter(self, name: str) -> str | None:
        """The value of a query parameter, spelled exactly so; None when absent."""
        return next((value for key, value in self.query if key == name), None)

    @property
    def segments(self) -> tuple[str, ...]:
        """The path's segments, empty ones left out."""
        return tuple(segment for segment in self.path.split("/") if segment)
