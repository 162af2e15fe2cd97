"""Finds out of all the addresses in a description which one was asked, and which Origin it came from. Pure.

People name pages, manuals and origins beside the socket: such an address is never taken for the target while a
better one is there, and an Origin or a manual never at all.
"""
# ruff: noqa: E501 - a pattern is read by its alternatives, however long a line of them

from __future__ import annotations

import re

from guestlab.handshake.address import Address
from guestlab.handshake.hosts import read_host

__all__ = ["told_address", "told_origin"]

MAX_ADDRESSES = 50

_URL = re.compile(r"\b(?:wss?|https?)://(?:[^\s\"'<>`)\]]|(?<==)<[^<>\n]{1,40}>)+")
"""A URL in prose; `=<my id>` stands for a value that was left out."""
_MANUALS = re.compile(
    r"(?:^|\.)(?:developer|developers|help|docs?|community|forum|support|status|www)\.(?:[\w-]+\.)*(?:genesys|mypurecloud|pure)\.\w+"
    r"|(?:^|\.)(?:github|stackoverflow|stackexchange|gitlab|reddit|medium|npmjs|pypi|postman|genesys)\.\w+$|\.readthedocs\.io$"
    r"|^developer\.mozilla\.org$",
    re.IGNORECASE,
)
_ORIGIN_BEFORE = re.compile(
    r"\borigin\b(?: header)?\W{0,4}(?:(?:is|was|of|to|as|with|header|value|set|be|being|i|we|send|sent|which|that)\W{1,4}){0,5}$",
    re.IGNORECASE,
)
_PAGE_BEFORE = re.compile(
    r"\b(?:pages?|web ?sites?|sites?|shop|portal|home ?page|domain|app|served|hosted|embedded|opened|visit\w*|loaded|docs?|documentation"
    r"|manual|article|guide|tutorial|according to|described|see|read|seite|webseite)\b(?: \w{1,12}){0,3}\W{0,4}$",
    re.IGNORECASE,
)
_ORIGIN = re.compile(
    r"\borigin\b(?: header)?[\"'`]?\W{0,4}(?:(?:is|was|of|to|as|with|header|value|set|be|being|which|that|i|we|send|sent)\W{1,4}){0,5}"
    r"(?P<origin>(?:https?|file)://[^\s\"'<>`),;]*|null\b|localhost(?::\d{1,5})?|(?:[\w-]{1,63}\.){1,6}[a-z]{2,18}(?::\d{1,5})?(?![\w(]))",
    re.IGNORECASE,
)
_LOCAL_PAGE = re.compile(
    r"\b(?:on|from|at|via|under|page|site|app)\W{1,3}(?:my |our )?(?P<at>(?:https?://)?(?:localhost|127\.0\.0\.1)(?::\d{1,5})?)(?![\w:/.]*/v1)",
    re.IGNORECASE,
)


def told_address(text: str) -> str | None:
    """The address that was asked: a socket's before any other, none that is an Origin or a manual."""
    best: tuple[int, str] | None = None
    for number, found in enumerate(_URL.finditer(text)):
        if number == MAX_ADDRESSES:
            break
        url = found[0].rstrip(".,;:!?*")
        rank = _rank(url, text[max(0, found.start() - 80) : found.start()])
        if rank and (best is None or rank > best[0]):
            best = (rank, url)
    return best[1] if best else None


def _rank(url: str, before: str) -> int:
    """How well an address fits as the one that was asked; 0: not at all."""
    address = Address.of(url)
    if address.scheme in {"ws", "wss"}:
        return 5
    host = read_host(address.host) if address.host else None
    if _ORIGIN_BEFORE.search(before) or _MANUALS.search(address.host):
        return 0
    if host is not None and host.is_genesys:
        return 4 if host.label == "webmessaging" else 3
    return 1 if _PAGE_BEFORE.search(before) else 2


def told_origin(text: str) -> str | None:
    """The Origin that a description states, or the local page it speaks of; None when it states none."""
    if found := _ORIGIN.search(text):
        return found["origin"].rstrip(".,;:!?")
    if (page := _LOCAL_PAGE.search(text)) is None:
        return None
    return page["at"] if "://" in page["at"] else f"http://{page['at']}"
