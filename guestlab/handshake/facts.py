"""The facts `diagnose` takes by name, for a type checker: a misspelt one is found before anything runs.

Types only; what they mean, and what is made of them, is `Evidence` in `evidence.py`. Wider than what is
stored: whatever is at hand is read, as text, as a number or parsed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

__all__ = ["Facts"]

Headers = Mapping[str, Any] | Iterable[Any] | str
Names = Iterable[Any] | str


class Facts(TypedDict, total=False):
    """Every fact of an attempt; each may be left out, and None means not known."""

    url: str | None
    method: str | None
    headers: Headers | None
    subprotocols: Names | None
    token_kind: str | None
    placement: str | None
    first_frame: Any
    sent_frame: Any
    request_body: Any
    http_status: int | str | None
    response_headers: Headers | None
    close_code: int | str | None
    body: Any
    frame: Any
    client: str | None
    note: str | None
    note_by: str | None
    unread: str | None
    allowed_domains: Names | None
    allow_all_domains: bool | None
    deployment_status: str | None
    region_of_deployment: str | None
    session_ready: bool | None
    failed_step: str | None
    failed_note: str | None
