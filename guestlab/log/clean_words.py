"""Words that come again and again, and were found to have nothing to mask.

The type of a message, its class, the name of a session: looking them up is cheaper than searching them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from guestlab.log.redaction import Redactor

__all__ = ["CleanWords", "is_clean"]

_REMEMBERED = 4096


class CleanWords:
    """Remembers groups of words for as long as nothing new is secret.

    Args:
        redactor: Tells whether a text is clean.
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._version = -1
        self._clean: set[tuple[str | None, ...]] = set()

    def has(self, words: tuple[str | None, ...]) -> bool:
        """Tell whether all of some words certainly can be kept as they are.

        Raises:
            TypeError: One of them is no word at all.
        """
        version = self._redactor.version
        if version != self._version:
            self._clean, self._version = set(), version
        if words in self._clean:
            return True
        texts = [word for word in words if word is not None]
        if any(type(text) is not str for text in texts) or not is_clean(self._redactor, texts):
            return False
        if len(self._clean) >= _REMEMBERED:
            self._clean = set()
        self._clean.add(words)
        return True


def is_clean(redactor: Redactor, texts: list[str]) -> bool:
    """Tell quickly whether all of some texts can be kept as they are.

    Raises:
        TypeError: One of them is none.
        UnicodeEncodeError: One holds a lone surrogate.
    """
    probe = "\n".join(texts)
    if not probe.isascii():
        probe.encode()
    return redactor.is_clean(probe)
