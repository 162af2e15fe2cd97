"""Reads an outcome out of words: HTTP statuses and close codes, as programs print them and people tell them.

Only what is unmistakable becomes a number. A status that a proxy gave to the tunnel is not the server's. Pure.
"""
# ruff: noqa: E501 - a pattern is read by its alternatives, however long a line of them

from __future__ import annotations

import re

from guestlab.handshake.network_words import ended_at_by_words

__all__ = ["bare_outcome", "frame_code_told", "numbers_told", "plainly", "status_printed"]

MAX_TEXT = 200_000
"""Characters that are looked at."""
MAX_MATCHES = 50

_REGISTERED = r"(?:4(?:0\d|1[0-8]|2[1-689]|31|51)|5(?:0[0-8]|1[01]|2[0-7]))"
"""Statuses of failure that exist, those of a well-known gateway included."""
_REASONS = (
    r"(?:Client Error|Server Error|Unauthori[sz]ed|Forbidden|Not Found|Bad Request|Bad Gateway|Service Unavailable"
    r"|Gateway Time-?out|Internal Server Error|Proxy Authentication Required|Upgrade Required|Too Many Requests"
    r"|Method Not Allowed)"
)
_STATUS_WORDS = tuple(
    re.compile(words, re.IGNORECASE)
    for words in (
        r"unexpected (?:server|http) (?:response|status)\D{0,12}(\d{3})",
        r"rejected (?:the )?websocket connection: HTTP (\d{3})",
        r"Handshake status (\d{3})",
        r"(?:WSServerHandshakeError|WebSocketHandshakeException): (\d{3})",
        r"unexpected response code: (\d{3})",
        r"status code '?(\d{3})'? when status code '?101",
        r"101 response but was '?(\d{3})",
        r"bad handshake\W{1,4}(?:\w{1,20}[ .]){0,3}(?:status)?(?:code)?\W{1,3}(\d{3})\b",
        r"\bHTTP(?:/[\d.]+)?(?: status| error| code)*[:=\"]?\s*(\d{3})\b",
        r"<Response \[(\d{3})",
        r"\bstatus(?:[_ ]?code)?['\"]?(?: (?:is|was|of))?\s*[:=]?\s*['\"(]?(\d{3})\b",
        r"\b(?:response|responded|respond|responds)(?: status| code| with)*[:=]?\s*(\d{3})\b",
        r"\bRequestError\W{1,3}code: (\d{3})\b",
        rf"\b([45]\d\d)[ ,:(]{{1,3}}{_REASONS}",
        rf"\b{_REASONS}[ ,:(]{{1,3}}([45]\d\d)\b",
    )
)
_PROGRAMS_OWN = _STATUS_WORDS[:8]
"""Words that only a program says of a refused upgrade."""

_UNITS = (
    r"(?!\d|[.,:]\d|\s{0,2}(?:ms\b|milli|s\b|sec|min|users?\b|customers?\b|visitors?\b|guests?\b|messages?\b|char|bytes?\b|[km]b\b"
    r"|px|%|times\b|requests?\b|clients?\b|connections?\b|sessions?\b|lines?\b|people\b|agents?\b|per\b|€|\$))"
)
_BARE_STATUS = re.compile(
    r"\b(?:gets?|got|getting|with|gives?|gave|giving|returns?|returned|returning|answers?|answered|says?|sees?|is|was|error|errors"
    r"|a|an|still|then|only|just|always|throws?|fails?|failed|failing|shows?|prints?|yields?|receives?|received|upgrade|handshake"
    r"|bekomm\w{1,3}|erh(?:ae|ä)lt\w{0,2}|liefert|antwortet|meldet|kommt|ist|war|lautet|mit|fehler|renvoie|retourne|r[ée]pond|erreur|re[çc]ois"
    r"|obtengo|devuelve|responde|recibo|ricevo|restituisce|krijg\w?|geeft)\W{1,3}"
    r"(?:(?:an?|the|ein\w{0,2}|une?|un|code|status|statut|c[óo]digo|fehler|erreur|error|http|to|immer|stets|toujours)\W{1,3}){0,3}"
    rf"({_REGISTERED})\b{_UNITS}",
    re.IGNORECASE,
)
_AFTER_ADDRESS = re.compile(
    rf"(?:\b(?:wss?|https?)://\S{{1,500}}|\))[ \t\"'`);]{{0,4}}(?:(?:->|=>|→|=|:|-)[ \t]{{0,3}})?\b({_REGISTERED})\b{_UNITS}"
)
"""`wss://… -> 403`, `connect("…") 403`."""
_OPENED = re.compile(
    r"\b101 \(?Switching|\bConnected \(press CTRL\+C|\bHTTP(?:/[\d.]+)? 101\b|\bstatus(?: code)?\W{1,2}101\b"
    r"|\b(?:opens?|opened|open|works?|worked|connects?|connected|succeeds?|succeeded|gets?|got|gives?|returns?|answers?|upgrade)\b"
    r"(?: \w{1,12}){0,2}\W{1,3}101\b",
    re.IGNORECASE,
)
_NOT_OPENED = re.compile(
    r"(?:non-|not |no |never |instead of |expect\w{0,4} |but was |anything but |when status code '?)(?:an? |the |HTTP |status )*'?101"
    r"|101'? (?:was )?expected|expected[^\n]{0,20}101",
    re.IGNORECASE,
)
_CLOSE_WORDS = (
    re.compile(r"\breceived (1\d{3}) \("),
    re.compile(
        r"\b(?:close[sd]?|closing|disconnect(?:s|ed)?|onclose|geschlossen|schlie(?:ß|ss)t|ferm[ée]e?)"
        r"(?: event| frame| by server)?(?: with| mit| avec)?(?: the)?"
        r"(?: code| status)?\s*[:=(\[{,]{0,2}\s*(?:code\s*[:=]?\s*)?(\d{3,4})\b(?!\s*(?:ms|s\b|sec|min|times))",
        re.IGNORECASE,
    ),
    re.compile(r"\bcode['\"]?\s*[:=]\s*(1\d{3})\b", re.IGNORECASE),
    re.compile(r"\bcode (10(?:0\d|1[0-5]))\b", re.IGNORECASE),
    re.compile(r"(?<![\w:.,=/-])(1006)(?![\w:/-]|[.,]\d)"),  # not a line number: _ssl.c:1006
)
_FRAME_CODE = re.compile(
    r"(?<!close )(?<!closed with )\b(?:code|error|errorCode|errno|frame|fehler|erreur)\W{1,4}(40(?:0[0-9]|1[0-9]|2[0-9]))\b",
    re.IGNORECASE,
)


def status_printed(text: str) -> int | None:
    """The HTTP status of a refused upgrade, where a text has it in a program's own words."""
    if ended_at_by_words(text) == "proxy":
        return None
    found = (words.search(text[:MAX_TEXT]) for words in _PROGRAMS_OWN)
    return next((int(match[1]) for match in found if match), None)


def numbers_told(text: str, *, loosely: bool = False) -> dict[str, int]:
    """The status and the close code that a text tells, as evidence fields.

    Args:
        text: What was printed or told.
        loosely: Whether a number counts that only a person would write so.
    """
    text = text[:MAX_TEXT]
    found: dict[str, int] = {}
    status = None if ended_at_by_words(text) == "proxy" else _status(text, loosely=loosely)
    if status is not None:
        found["http_status"] = status
    closes = (match for words in _CLOSE_WORDS if (match := words.search(text)))
    if close := next(closes, None):
        found["close_code"] = int(close[1])
    return found


def _status(text: str, *, loosely: bool) -> int | None:
    """A refusal before a success: who tells of both complains of the first."""
    fine: int | None = None
    for words in (*_STATUS_WORDS, *((_BARE_STATUS, _AFTER_ADDRESS) if loosely else ())):
        for number, match in enumerate(words.finditer(text)):
            status = int(match[1])
            if number == MAX_MATCHES or status >= 300:
                return status if status >= 300 else fine
            if status != 101:
                fine = fine or status
    if _OPENED.search(text) and not _NOT_OPENED.search(text):
        return 101
    return fine


def frame_code_told(text: str) -> int | None:
    """A code of the lane frame that is told in words: "I get code 4007"."""
    found = _FRAME_CODE.search(text[:MAX_TEXT])
    return int(found[1]) if found else None


# -- a comment that is nothing but an outcome ---------------------------------

_FILLING = frozenset(
    str.split(
        """prints print gives give gave returns return returned yields shows show logs log says answers answered
        answer got get gets i result output response error err fails failed fail with rejected refused closes closed
        close code status statuscode http server always now here is it this the a an → event still only we throws
        throw handshake upgrade unexpected by from after and then liefert gibt fehler"""
    )
)
_WORDS_OF_REASONS = frozenset(
    str.split(
        """forbidden unauthorized unauthorised not found bad request gateway timeout time out service unavailable
        internal server error too many requests upgrade required switching protocols ok again always every time each
        abnormal closure going away immediately instantly"""
    )
)
_FAILS = re.compile(
    r"\W{0,6}(?:(?:but |it |this |always |still |just ){0,3})(?:fails|failed|does not work|doesn'?t work|not working|never opens"
    r"|is refused|gets refused|is rejected|broken|hangs)\b(?: here| now| always| every time| immediately)?\W{0,4}",
    re.IGNORECASE,
)


def plainly(line: str) -> str:
    """A line as it is, or as the outcome that it consists of where no other words say what its number is."""
    return line if numbers_told(line, loosely=True) else bare_outcome(line) or line


def bare_outcome(comment: str) -> str:
    """The outcome that a comment consists of, "" where it says anything else ("403 if the id is wrong")."""
    if _FAILS.fullmatch(comment[:80]):
        return comment.strip()
    words = re.findall(r"[A-Za-zÀ-ÿ']+|\d+", comment[:160])
    while words and words[0].lower() in _FILLING:
        words.pop(0)
    if not words or len(words) > 8 or not re.fullmatch(r"[1-5]\d\d|10[01]\d|[34]\d{3}", words[0]):
        return ""
    if any(word.lower() not in _WORDS_OF_REASONS | _FILLING for word in words[1:]):
        return ""
    return f"{'status' if len(words[0]) == 3 else 'close code'} {' '.join(words)}"
