"""The secrets learnt so far, and every form in which one may turn up in a text.

Pure. A guest token is a UUID, and a lab may hold thousands: those are found together, by one search for
the shape. So are JSON Web Tokens, whose shape alone gives them away. Every other secret is searched for
by value: as it is, URL-encoded, JSON-escaped and inside Base64.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

from guestlab.log.joined_texts import SEAM, Words, first_groups, joined

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from guestlab.log.joined_texts import JoinedTexts

__all__ = ["JWT", "MASK", "SHORTEST", "UUID", "KnownSecrets"]

SHORTEST = 6
"""Shorter values are masked where a name gives them away, but not searched for."""
LONGEST = 65_536
"""A longer one is no secret, but an attempt to fill the memory."""

MASK = re.compile(r"\[masked:[0-9a-f]{8}\]")
JWT = re.compile(r"eyJ[\w-]{5,}+(?:\.[\w-]++)++", re.ASCII)

UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_UUID_MIDDLE = re.compile(r"-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-")
_ANY_UUID_MIDDLE = re.compile(r"-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-")
"""Begins with a rare character, so that searching it is five times faster than searching the whole."""
_BASE64 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_-=")
_FEW_UUIDS = 4
_FEW = 64
"""Up to so many forms, one search per form is fastest; above, the text is looked up piece by piece."""


class KnownSecrets:
    """What was learnt, searchable.

    Args:
        mask: Gives the mask of a secret.
    """

    def __init__(self, mask: Callable[[str], str]) -> None:
        self._mask = mask
        self.version = 0
        """Goes up with everything learnt: what was clean before may not be so now."""
        self.is_ascii = True
        """Whether all of it is ASCII."""
        self._lock = threading.Lock()
        self._uuids: set[str] = set()
        self._few_uuids: tuple[str, ...] = ()
        self._masks: dict[str, str] = {}
        self._encoded: set[str] = set()
        self._few: tuple[str, ...] | None = ()
        self._pieces: dict[str, tuple[str, ...]] = {}
        self._groups: tuple[int, Any] = (-1, None)
        self._words: tuple[int, Words | None] = (-1, None)

    def learn(self, secret: str) -> None:
        """Remember one secret."""
        if (
            not SHORTEST <= len(secret) <= LONGEST
            or secret in self._masks
            or MASK.search(secret)
            or JWT.fullmatch(secret)
        ):
            return
        if UUID.fullmatch(secret):
            with self._lock:
                if secret.lower() not in self._uuids:
                    self._uuids.add(secret.lower())
                    self._few_uuids = tuple(self._uuids) if len(self._uuids) <= _FEW_UUIDS else ()
                    self.version += 1
            return
        with self._lock:
            self.is_ascii = self.is_ascii and secret.isascii()
            mask = self._mask(secret)
            plain, encoded = _forms(secret)
            self._encoded |= encoded
            for form in (*plain, *encoded):
                self._masks[form] = mask
                piece = form[:SHORTEST]
                self._pieces[piece] = (*self._pieces.get(piece, ()), form)
            # Replaced, never changed in place: other threads may be searching.
            self._few = tuple(self._masks) if len(self._masks) <= _FEW else None
            self.version += 1

    def in_text(self, text: str, lower: str) -> bool:
        """Tell whether any known secret is in a text, of which the lower case is given too."""
        uuids = self._uuids
        if len(uuids) <= _FEW_UUIDS:
            for uuid in self._few_uuids:
                if uuid in lower:
                    return True
        else:
            for middle in _UUID_MIDDLE.finditer(lower):
                start = middle.start() - 8
                if lower[start : start + 36] in uuids:
                    return True
        few = self._few
        if few is None:
            return any(True for _ in self._forms_in(text))
        for form in few:  # noqa: SIM110 - a generator would cost more than the searches
            if form in text:
                return True
        return False

    def sweep(self, text: str) -> str:
        """Mask every known secret in a text."""
        if self._uuids:
            text = self._without_uuids(text)
        few = self._few
        found = self._forms_in(text) if few is None else (form for form in few if form in text)
        for form in sorted(found, key=len, reverse=True):
            text = _replaced(text, form, self._masks[form], whole_run=form in self._encoded)
        return text

    def sweep_all(self, texts: list[str], block: JoinedTexts) -> None:
        """Mask every known secret in many texts, in place. The texts are given joined, too."""
        if places := block.with_uuids(self._uuids_now()):
            swept = self._without_uuids(SEAM.join([texts[place] for place in places])).split(SEAM)
            for place, text in zip(places, swept, strict=True):
                texts[place] = text
        if self._masks:
            for place in block.with_words(self._words_now()):
                texts[place] = self.sweep(texts[place])

    def _uuids_now(self) -> Any:
        count, groups = self._groups
        if count != len(self._uuids):
            with self._lock:
                count, groups = self._groups = (len(self._uuids), first_groups(self._uuids))
        return groups

    def _words_now(self) -> Words:
        """Return what is known but for UUIDs, ready to be searched for in long texts."""
        count, words = self._words
        if words is None or count != len(self._masks):
            with self._lock:
                words = Words(self._masks)
                self._words = (len(self._masks), words)
        return words

    def _without_uuids(self, text: str) -> str:
        if len(self._uuids) <= _FEW_UUIDS and text.isascii():
            lower = text.lower()
            found = [uuid for uuid in self._few_uuids if uuid in lower]
            if all(text.count(uuid) == lower.count(uuid) for uuid in found):  # none in capitals
                for uuid in found:
                    text = text.replace(uuid, self._mask(uuid))
                return text
        kept: list[str] = []
        position = 0
        for middle in _ANY_UUID_MIDDLE.finditer(text):
            start = middle.start() - 8
            uuid = text[start : start + 36].lower() if start >= position else ""
            if uuid in self._uuids:
                kept += (text[position:start], self._mask(uuid))
                position = start + 36
        return "".join((*kept, text[position:]))

    def _forms_in(self, text: str) -> Iterator[str]:
        """Look every run of six characters up: the cost depends on the text, not on what is known."""
        pieces = self._pieces
        block = joined([text])
        if block is not None:  # long: what is searched for in many texts, is in one
            yield from filter(text.__contains__, block.words(self._words_now()))
            return
        for piece in {text[i : i + SHORTEST] for i in range(len(text) - SHORTEST + 1)}:
            for form in pieces.get(piece, ()):
                if form in text:
                    yield form


def _replaced(text: str, form: str, mask: str, *, whole_run: bool) -> str:
    """Replace a form by a mask, leaving masks alone; an encoded one goes with the run it stands in."""
    kept = []
    position = 0
    while (found := text.find(form, position)) >= 0:
        start, end = found, found + len(form)
        within = next((m for m in MASK.finditer(text, max(0, start - 17), end + 17) if m.end() > start), None)
        if within is not None and within.start() < end:
            kept.append(text[position : within.end()])
            position = within.end()
            continue
        if form.isdigit() and (text[start - 1 : start].isdigit() or text[end : end + 1].isdigit()):
            kept.append(text[position:end])  # part of a longer number
            position = end
            continue
        if whole_run:
            while start > position and text[start - 1] in _BASE64:
                start -= 1
            while end < len(text) and text[end] in _BASE64:
                end += 1
        kept += (text[position:start], mask)
        position = end
    return "".join((*kept, text[position:]))


def _forms(secret: str) -> tuple[set[str], set[str]]:
    """Spell a secret in every way a program may: as text, and inside Base64."""
    quoted = {
        quote(secret, safe="", errors="surrogatepass"),
        quote(secret, errors="surrogatepass"),
        quote_plus(secret, errors="surrogatepass"),
    }
    escaped = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    plain = {secret, *quoted, *escaped, *(form.replace("/", "\\/") for form in (secret, *escaped))}
    plain |= {re.sub(r"%[0-9A-F]{2}", lambda m: m[0].lower(), form) for form in quoted}
    encoded = set()
    data = secret.encode("utf-8", "surrogatepass")
    for lead in range(3):  # a byte may fall on three places of a Base64 group
        code = base64.b64encode(b"\0" * lead + data).decode()
        # Characters that also depend on the neighbouring bytes are left out.
        core = code[(0, 2, 3)[lead] : len(code) - (0, 3, 2)[(lead + len(data)) % 3]]
        encoded |= {core, core.translate(_URL_SAFE)}
    return {f for f in plain if len(f) >= SHORTEST}, {f for f in encoded if len(f) >= SHORTEST}


_URL_SAFE = str.maketrans("+/", "-_")
