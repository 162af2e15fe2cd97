"""The few HTML pages a person sees, and the addresses they lead back to.

Nothing from a request is shown unescaped, and no script runs on these pages.
"""

from __future__ import annotations

import base64
import hashlib
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from guestlab.sandbox.calls import Reply

__all__ = ["page", "s256", "safe_target", "with_query"]

_STYLE = "body{font:16px sans-serif;margin:4em auto;max-width:32em}button{font:inherit;padding:.5em 1em}"


def page(title: str, body: str, status: int = 200) -> Reply:
    """An HTML page; title and body are ours, or escaped."""
    text = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style><h1>{title}</h1>{body}</html>"
    )
    headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
    return Reply(status=status, raw=text.encode(), media_type="text/html; charset=utf-8", headers=headers)


def safe_target(target: str) -> bool:
    """Whether a page may send the browser there: http(s) only, and nothing that breaks a header."""
    try:
        url = urlsplit(target)
    except ValueError:
        return False
    return url.scheme in {"http", "https"} and bool(url.netloc) and target.isascii() and target.isprintable()


def with_query(target: str, answer: dict[str, str]) -> str:
    """Add parameters to an address that may have some."""
    url = urlsplit(target)
    pairs = [*parse_qsl(url.query, keep_blank_values=True), *answer.items()]
    return urlunsplit((url.scheme, url.netloc, url.path, urlencode(pairs), ""))


def s256(verifier: str) -> str:
    """The PKCE challenge of a verifier (RFC 7636)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
