"""What hides in a text from the wire, made visible: wherever text is shown, static or live. Pure.

Escaping alone stops markup. It does not stop characters that turn the direction of the text around them, that
move a terminal's cursor, or that cannot be sent at all. Those are shown for what they are.
"""

from __future__ import annotations

import html
import re

__all__ = ["AS_TEXT", "escape", "visible"]

AS_TEXT = 'class="tex2jax_ignore mathjax_ignore"'
"""Attribute of an element in which notebooks, which run MathJax over outputs, are to look for no formula: one
may hold a link, to any address."""

# Embeddings, overrides and isolates of the bidirectional algorithm (UAX #9), line and paragraph separators,
# halves of surrogate pairs, and control characters other than tab and the ends of lines. Marks that scripts
# need, such as U+200F, stay.
_UNSEEN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb"
    r"\ud800-\udfff]|\r(?!\n)"
)


def visible(text: str) -> str:
    r"""Show what cannot be seen as its code point.

    >>> visible("ab\u202ecd")
    'ab[U+202E]cd'
    """
    return _UNSEEN.sub(lambda match: f"[U+{ord(match[0]):04X}]", text)


def escape(text: str, quote: bool = True) -> str:
    r"""Make HTML of a text, with nothing hidden in it.

    >>> escape("<b>\u202e")
    '&lt;b&gt;[U+202E]'
    """
    return html.escape(visible(text), quote=quote)
