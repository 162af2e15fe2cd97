"""What programs say when nothing was reached: the step it ended at, by their own words. Pure.

Rows of (step, phrases), the more telling first. Sources: curl's error list, the texts of Node, Python, Java
and Go, and Chromium's net error list. They are words in a note: a finding on them is likely at best.
"""

from __future__ import annotations

import re

__all__ = ["ended_at_by_words"]

_WORDS: dict[str, tuple[str, ...]] = {
    "tls": (
        r"CERTIFICATE_VERIFY_FAILED",
        r"curl: \((?:35|51|58|60|77)\)",
        r"SSL certificate problem",
        r"self[- ]signed certificate",
        r"unable to (?:get local issuer|verify the first) certificate",
        r"UNABLE_TO_VERIFY_LEAF_SIGNATURE",
        r"DEPTH_ZERO_SELF_SIGNED_CERT",
        r"ERR_TLS_CERT_ALTNAME_INVALID",
        r"CERT_HAS_EXPIRED",
        r"ERR_CERT_\w+",
        r"ERR_SSL_\w+",
        r"SSLHandshakeException",
        r"PKIX path building failed",
        r"x509: ",
        r"SSLCertVerificationError",
        r"SSLV3_ALERT\w*",
        r"WRONG_VERSION_NUMBER",
        r"wrong version number",
        r"tls: (?:failed|handshake)",
        r"AuthenticationException.{0,80}certificate",
    ),
    "dns": (
        r"curl: \(6\)",
        r"Could ?n[o']t resolve host",
        r"ENOTFOUND",
        r"EAI_AGAIN",
        r"EAI_NONAME",
        r"gaierror",
        r"getaddrinfo failed",
        r"Name or service not known",
        r"nodename nor servname",
        r"Temporary failure in name resolution",
        r"UnknownHostException",
        r"UnresolvedAddressException",
        r"no such host",
        r"ERR_NAME_NOT_RESOLVED",
        r"NXDOMAIN",
        r"No such host is known",
        r"Name does not resolve",
    ),
    "tcp": (
        r"curl: \((?:7|28)\)",
        r"ECONNREFUSED",
        r"ETIMEDOUT",
        r"EHOSTUNREACH",
        r"ENETUNREACH",
        r"ConnectionRefusedError",
        r"connection refused",
        r"ERR_CONNECTION_(?:REFUSED|TIMED_OUT|RESET|CLOSED|FAILED)",
        r"ERR_ADDRESS_UNREACHABLE",
        r"ERR_INTERNET_DISCONNECTED",
        r"ERR_PROXY_CONNECTION_FAILED",
        r"ERR_TUNNEL_CONNECTION_FAILED",
        r"No route to host",
        r"Network is unreachable",
        r"timed out during opening handshake",
        r"dial tcp .{0,80}i/o timeout",
        r"SocketTimeoutException: (?:failed to )?connect",
        r"connect timed out",
        r"Connect call failed",
    ),
}
_COMPILED = tuple((step, re.compile("|".join(words), re.IGNORECASE)) for step, words in _WORDS.items())
_BLOCKED = re.compile(r"ERR_BLOCKED_BY_(?:CLIENT|RESPONSE|CSP|ADMINISTRATOR)", re.IGNORECASE)


def ended_at_by_words(text: str) -> str:
    """Tell at which step it ended, by a program's words: dns, tcp, tls, blocked, or ""."""
    step = next((step for step, words in _COMPILED if words.search(text)), "")
    return step or ("blocked" if _BLOCKED.search(text) else "")
