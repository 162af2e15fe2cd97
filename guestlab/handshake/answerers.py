"""Who wrote an HTTP answer, where it bears the mark of something in between. Pure.

The guest socket's refusals are short texts; a page in HTML is somebody else's. Names of products are those
they put into `Server` and `Via` themselves. A name of a content network alone tells nothing: the cloud uses
them too.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from guestlab.handshake.quoting import quote_text

if TYPE_CHECKING:
    from guestlab.handshake.reading import Reading

__all__ = ["answered_by"]

_IN_BETWEEN = re.compile(
    r"squid|zscaler|blue ?coat|proxysg|forti(?:gate|web|net|proxy)?|mcafee|web ?gateway|websense"
    r"|forcepoint|palo ?alto|ironport"
    r"|cisco|sophos|barracuda|netskope|umbrella|check ?point|symantec|mitmproxy|fiddler|charles|tinyproxy"
    r"|privoxy|ntlm|bigip|big-ip"
    r"|imperva|incapsula|swg|proxy",
    re.IGNORECASE,
)
_OWN_HEADERS = re.compile(
    r"x-squid-|x-zscaler|x-bluecoat|x-forti|x-netskope|proxy-authenticate|x-iinfo", re.IGNORECASE
)
_PAGE = re.compile(r"\s*(?:<!doctype html|<html|<head|<body)", re.IGNORECASE)


def answered_by(reading: Reading) -> str:
    """What shows that something in between wrote the answer, in words; "" where nothing does."""
    status = reading.evidence.http_status
    if status is None or status == 101:
        return ""
    named = [(name, reading.response_header(name) or "") for name in ("Server", "Via")]
    marks = [f"{name}: {quote_text(value, 80)}" for name, value in named if _IN_BETWEEN.search(value)]
    marks += [
        quote_text(name, 60) for name, _ in reading.evidence.response_headers if _OWN_HEADERS.match(name)
    ][:3]
    if _PAGE.match(reading.evidence.body or ""):
        marks = marks or [f"{name}: {quote_text(value, 80)}" for name, value in named if value]
        marks.append("a page in HTML")
    return ", ".join(marks)
