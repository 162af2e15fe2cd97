"""Text from the wire, made fit to be looked at: nothing hidden in it, and never endless.

`guestlab.visible` shows what hides in a text. Here a word of a hundred thousand letters may break, marks do
not pile up, and long texts are cut with a word about it. Pure.
"""

from __future__ import annotations

import re

from guestlab.handshake.quoting import is_masked
from guestlab.visible import escape, visible

__all__ = ["MOST", "is_masked", "labelled", "plain", "shown"]

MOST = 4000
"""Characters of one text shown; a guest may say 4096 bytes, others are not bounded."""

_MARKS = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
_PILES = re.compile(f"([{_MARKS}]{{4}})[{_MARKS}]+")
"""Combining marks one upon another: no language piles up more than four, and more cover other lines."""

_LONG_WORD = re.compile(r"\S{30}(?=\S)")
"""Where a word may break, also without a style sheet."""


def plain(text: str, most: int = MOST, *, one_line: bool = False) -> str:
    r"""Return text without what cannot be seen, cut: for what shows text as text, such as a button.

    >>> plain("ab\u202ecd")
    'ab[U+202E]cd'
    """
    cut = text[:most]
    if one_line:
        cut = " ".join(cut.split())
    cut = _PILES.sub(r"\1", cut)
    cut = visible(cut)
    if len(text) <= most:
        return cut
    return f"{cut}…" if one_line else f"{cut}… ({len(text) - most:,} more characters stand in the log)"


def shown(text: str, most: int = MOST) -> str:
    """Return the same as HTML: escaped, and kept from turning its surroundings around."""
    if not text:
        return ""
    pieces = _LONG_WORD.sub("\\g<0>\0", plain(text, most)).split("\0")  # `plain` leaves no other in the text
    return f'<bdi dir="auto">{"<wbr>".join(map(escape, pieces))}</bdi>'


_FORMULA = re.compile(r"\$.*\$|\\[(\[a-z]", re.DOTALL)
_NO_FORMULA = str.maketrans({"$": "\uff04", "\\": "\uff3c"})


def labelled(text: str, most: int) -> str:
    r"""Return text for the label of an input, in which ipywidgets has MathJax look for formulas.

    A formula may hold a link, to any address. What looks like one gets wide signs, a price does not.

    >>> labelled(r"$\href{x}{y}$", 60).isascii()
    False
    >>> labelled("only $5", 60)
    'only $5'
    """
    seen = plain(text, most, one_line=True)
    return seen.translate(_NO_FORMULA) if _FORMULA.search(seen) else seen
