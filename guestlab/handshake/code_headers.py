"""Reads the headers and subprotocols that code gives to a socket by calls of their own. Pure.

Only calls that belong to the socket count: what a REST call in the same snippet sends is another matter.
"""

from __future__ import annotations

import re

from guestlab.handshake.loose_literal import LooseReader

__all__ = ["socket_headers", "socket_subprotocols"]

_NAMED = r"(?P<name>Authorization|Origin|Cookie|Sec-WebSocket-Protocol|X-[\w-]*Token)"
_CALL = re.compile(rf"\.(?:addHeader|header|setHeader|withHeader)\(\s*\"{_NAMED}\"\s*,\s*", re.IGNORECASE)
_OPTIONS = re.compile(rf"\.Options\.SetRequestHeader\(\s*\"{_NAMED}\"\s*,\s*", re.IGNORECASE)
_SWIFT = re.compile(
    r"(?<!\w)(?P<on>\w{1,60})\.(?:setValue|addValue)\(\s*(?P<value>\"[^\"]*\"|[\w.]+)\s*,\s*forHTTPHeaderField:\s*"
    rf"\"{_NAMED}\"",
    re.IGNORECASE,
)
_GO_SET = re.compile(rf"\b(?P<on>\w{{1,60}})\.(?:Set|Add)\(\s*\"{_NAMED}\"\s*,\s*", re.IGNORECASE)
_GO_LITERAL = re.compile(
    rf"http\.Header\s*\{{[^}}]*?\"{_NAMED}\"\s*:\s*(?:\[\]string)?\s*\{{\s*", re.IGNORECASE
)
_SUBPROTOCOL = re.compile(
    r"\.(?:AddSubProtocol|subprotocols)\(\s*\"([^\"]+)\""
    r"|\bSubprotocols:\s*(?:\[\]string)?\s*\{\s*\"([^\"]+)\"|webSocketTask\([^)]*protocols:\s*\[\s*\"([^\"]+)\""
)


def socket_headers(text: str, start: int, end: int) -> tuple[tuple[str, str], ...]:
    """Headers given to the socket beside its opening call.

    Args:
        text: The code.
        start: Where the opening call begins.
        end: Where its arguments end.
    """
    call = text[start:end]
    found = [(o["name"], _value(text, o.end())) for o in _OPTIONS.finditer(text)]
    chain = text[:start].rfind("newWebSocketBuilder")
    if "newWebSocketBuilder" in call or chain >= 0:
        begin = start if "newWebSocketBuilder" in call else chain
        found += [(c["name"], _value(text, c.end())) for c in _CALL.finditer(text, begin, end)]
    words = re.findall(r"\b[A-Za-z_]\w{0,60}\b", call.partition("(")[2][:2000])
    for argument in list(dict.fromkeys(words))[:20]:
        built = re.search(rf"\b{argument}\b[^=\n]{{0,80}}=\s*(?:new\s+)?Request\.Builder\(\)", text)
        if built:
            stop = text.find(".build()", built.end())
            span = (built.end(), stop if stop >= 0 else built.end() + 2000)
            found += [(c["name"], _value(text, c.end())) for c in _CALL.finditer(text, *span)]
        found += [(g["name"], _value(text, g.end())) for g in _GO_SET.finditer(text) if g["on"] == argument]
        found += [
            (s["name"], _value(text, s.start("value"))) for s in _SWIFT.finditer(text) if s["on"] == argument
        ]
        if re.search(rf"\b{argument}\s*:?=\s*http\.Header\s*\{{", text):
            found += [(g["name"], _value(text, g.end())) for g in _GO_LITERAL.finditer(text)]
    if "Request.Builder" in call:
        found += [(c["name"], _value(text, c.end())) for c in _CALL.finditer(text, start, end)]
    if "http.Header" in call:
        found += [(g["name"], _value(text, g.end())) for g in _GO_LITERAL.finditer(text, start, end)]
    return tuple(dict.fromkeys(found))


def _value(text: str, at: int) -> str:
    value = LooseReader(text, at).value()
    return value if isinstance(value, str) else "{…}"


def socket_subprotocols(text: str) -> tuple[str, ...]:
    """Subprotocols offered by a call or field of their own."""
    return tuple(next(filter(None, found)) for found in _SUBPROTOCOL.findall(text)[:5])
