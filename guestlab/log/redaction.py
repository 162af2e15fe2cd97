"""Redaction at the door: secrets are masked before an entry exists."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Redactor"]


class Redactor:
    """Masks secrets in text."""

    def __init__(self, key: bytes, *, secret_keys: Iterable[str] = (), personal: bool = False) -> None:
        self._key, self._secret_keys, self._personal = key, frozenset(secret_keys), personal
        self._masks: dict[str, str] = {}

    def mask(self, secret: str) -> str:
        """Return the tag of a secret."""
        return f"[masked:{hmac.digest(self._key, secret.encode(), 'sha256').hex()[:8]}]"

    def learn(self, secret: str) -> str:
        """Remember a secret, so that it is masked wherever it turns up; return its tag."""
        mask = self._masks[secret] = self.mask(secret)
        return mask

    def is_clean(self, text: str) -> bool:
        """Whether there is nothing to mask in a text."""
        return not any(secret in text for secret in self._masks)

    def redact(self, text: str) -> str:
        """Mask every secret in a text."""
        for secret, mask in self._masks.items():
            text = text.replace(secret, mask)
        return text
