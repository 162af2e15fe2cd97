"""An HTTP message as text, and taken apart again: the log keeps the bytes, a HAR keeps the parts. Pure."""

from __future__ import annotations

from typing import NamedTuple

from guestlab.har.entry import Content, Pair, Request, Response, payload

__all__ = [
    "MOST_SHOWN",
    "Parts",
    "body_text",
    "is_of_a_page",
    "parts_of",
    "posted_text",
    "request_text",
    "response_text",
]

MOST_SHOWN = 2**22
"""Bytes of a body or frame that are kept; a longer one is told by its size, as in a live log."""


_OF_A_PAGE = (
    "image/", "font/", "audio/", "video/", "text/css", "text/javascript", "application/javascript",
    "application/x-javascript", "application/wasm", "application/font", "application/x-font",
)  # fmt: skip
"""What a page is made of besides its words: no exchange of messages, and most bytes of a recording."""


def is_of_a_page(content: Content) -> bool:
    """Tell the scripts, styles, images and fonts of a page."""
    return content.mime is not None and content.mime.strip().lower().startswith(_OF_A_PAGE)


class Parts(NamedTuple):
    """An HTTP message: its first line, its headers, its body."""

    first: str
    headers: list[tuple[str, str]]
    body: str


def parts_of(text: str) -> Parts:
    r"""Take a message apart.

    >>> parts_of("HTTP/1.1 200 OK\r\nA: b\r\n\r\nhello")
    Parts(first='HTTP/1.1 200 OK', headers=[('A', 'b')], body='hello')
    """
    head, _, body = text.partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    split = (line.partition(":") for line in lines if line)
    return Parts(first, [(name, value.removeprefix(" ")) for name, _, value in split], body)


def request_text(request: Request, body: str) -> str:
    """Write a request as it crossed the wire, or would have in HTTP/1.1."""
    target = request.url.partition("://")[2] if "://" in request.url else request.url
    slash = min((place for mark in "/?#" if (place := target.find(mark)) >= 0), default=len(target))
    path = target[slash:].partition("#")[0]
    path = path if path.startswith("/") else f"/{path}"
    return _text(f"{request.method} {path} {_version(request.version)}", request.headers, body)


def response_text(response: Response, body: str) -> str:
    """Write a response likewise."""
    first = f"{_version(response.version)} {response.status} {response.phrase or ''}".rstrip()
    return _text(first, response.headers, body)


def posted_text(request: Request) -> str | None:
    """Return what was posted; a form may be there by its parameters alone."""
    posted = request.posted
    if posted is None:
        return None
    if posted.text is not None:
        return posted.text
    params = posted.params or []
    if len(params) == 1 and not params[0].value and params[0].name[:1] in {"{", "["}:
        return params[0].name  # Charles takes any body under a form's content type for a form
    return "&".join(f"{pair.name}={pair.value}" for pair in params) or None


def body_text(content: Content) -> tuple[str, int]:
    """Return a body as text, and its size. What is no text, or too much of it, is told by its size."""
    text = content.text
    known = content.size if content.size is not None and content.size > 0 else None
    if text is None:
        return "", known or 0
    if is_of_a_page(content):
        return f"[{known or len(text)} bytes of {content.mime}, not kept]", known or len(text)
    if content.encoding != "base64" and text.isascii() and len(text) <= MOST_SHOWN:
        return text, known or len(text)
    held = payload(text, content.encoding)
    if held is None:
        held = text.encode("utf-8", "surrogatepass")
    if len(held) > MOST_SHOWN:
        return f"[{len(held)} bytes, not kept]", known or len(held)
    try:
        return held.decode(), known or len(held)
    except UnicodeDecodeError:
        return f"[{len(held)} bytes, no text]", known or len(held)


def _text(first: str, headers: list[Pair], body: str) -> str:
    # HTTP/2's pseudo-headers stand in the first line already.
    lines = [f"{pair.name}: {pair.value}" for pair in headers if pair.name[:1] != ":"]
    head = "\n".join((first, *lines))
    if "\r" in head or head.count("\n") > len(lines):  # a line break in a header would make two of it
        head = "\n".join(map(_line, (first, *lines)))
    return head.replace("\n", "\r\n") + "\r\n\r\n" + body


def _version(text: str | None) -> str:
    """`h2`, `http/2.0`, `HTTP/1.1` and `unknown` are all written for what stands in a first line."""
    if text == "HTTP/1.1":
        return text
    upper = (text or "").upper()
    if upper.startswith("HTTP/") and upper[5:6].isdigit() and upper[5:].replace(".", "").isalnum():
        return upper
    return {"H2": "HTTP/2", "H3": "HTTP/3"}.get(upper, "HTTP/1.1")


def _line(text: str) -> str:
    return text.replace("\r", " ").replace("\n", " ")
