"""Guest JWTs: shaped like real ones, signed with a key of the sandbox's own."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from guestlab.sandbox.world import World

__all__ = ["mint"]


def mint(world: World, claims: dict[str, Any]) -> str:
    """A signed token (HS256) with these claims; whether it is worth anything, its room decides."""
    header = {"alg": "HS256", "typ": "JWT"}
    signed = f"{_encoded(json.dumps(header).encode())}.{_encoded(json.dumps(claims).encode())}"
    key = world.named_id("jwt key").encode()
    return f"{signed}.{_encoded(hmac.new(key, signed.encode(), hashlib.sha256).digest())}"


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
