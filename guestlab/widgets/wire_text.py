"""Text from the wire, made fit to be looked at: nothing hidden in it, and never endless.

Escaping alone stops markup. It does not stop characters that turn the direction of the text around them, that
move a terminal's cursor, or a word of a hundred thousand letters. Those are shown for what they are, and long
texts are cut with a word about it. Pure.
"""

from __future__ import annotations

import re
from html import escape

from guestlab.handshake.quoting import is_masked

__all__ = ["MOST", "is_masked", "plain", "shown"]

MOST = 4000
"""Characters of one text shown; a guest may say 4096 bytes, others are not bounded."""

# Embeddings, overrides and isolates of the bidirectional algorithm (UAX #9), line and paragraph separators,
# and control characters other than tab and line feed. Marks that scripts need, such as U+200F, stay.
_UNSEEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]"
)

_MARKS = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
_PILES = re.compile(f"([{_MARKS}]{{4}})[{_MARKS}]+")
"""Combining marks one upon another: no language piles up more than four, and more cover other lines."""


def plain(text: str, most: int = MOST, *, one_line: bool = False) -> str:
    r"""Return text without what cannot be seen, cut: for what shows text as text, such as a button.

    >>> plain("ab\u202ecd")
    'ab[U+202E]cd'
    """
    cut = text[:most]
    if one_line:
        cut = " ".join(cut.split())
    cut = _PILES.sub(r"\1", cut)
    cut = _UNSEEN.sub(lambda match: f"[U+{ord(match[0]):04X}]", cut)
    if len(text) <= most:
        return cut
    return f"{cut}…" if one_line else f"{cut}… ({len(text) - most:,} more characters stand in the log)"


def shown(text: str, most: int = MOST) -> str:
    """Return the same as HTML: escaped, and kept from turning its surroundings around."""
    return f'<bdi dir="auto">{escape(plain(text, most), quote=True)}</bdi>' if text else ""
