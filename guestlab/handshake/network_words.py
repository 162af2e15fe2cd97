"""What programs say when nothing was reached: the step it ended at, by their own words. Pure.

Rows of (step, phrases), the more telling first. Sources: curl's error list, the texts of Node, Python, Java, Go
and Chromium's net error list. They are words in a note, so a finding on them is likely at best.
"""

from __future__ import annotations

import re

__all__ = ["ended_at_by_words"]

_WORDS: tuple[tuple[str, str], ...] = (
    (
        "tls",
        r"CERTIFICATE_VERIFY_FAILED|curl: \((?:35|51|58|60|77)\)|SSL certificate problem|self[- ]signed certificate"
        r"|unable to (?:get local issuer|verify the first) certificate|UNABLE_TO_VERIFY_LEAF_SIGNATURE"
        r"|DEPTH_ZERO_SELF_SIGNED_CERT|ERR_TLS_CERT_ALTNAME_INVALID|CERT_HAS_EXPIRED|ERR_CERT_\w+|ERR_SSL_\w+"
        r"|SSLHandshakeException|PKIX path building failed|x509: |SSLCertVerificationError|SSLV3_ALERT\w*"
        r"|WRONG_VERSION_NUMBER|wrong version number|tls: (?:failed|handshake)|AuthenticationException.{0,80}certificate",
    ),
    (
        "dns",
        r"curl: \(6\)|Could ?n[o']t resolve host|ENOTFOUND|EAI_AGAIN|EAI_NONAME|gaierror|getaddrinfo failed"
        r"|Name or service not known|nodename nor servname|Temporary failure in name resolution"
        r"|UnknownHostException|UnresolvedAddressException|no such host|ERR_NAME_NOT_RESOLVED|NXDOMAIN"
        r"|No such host is known|Name does not resolve",
    ),
    (
        "tcp",
        r"curl: \((?:7|28)\)|ECONNREFUSED|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ConnectionRefusedError"
        r"|connection refused|ERR_CONNECTION_(?:REFUSED|TIMED_OUT|RESET|CLOSED|FAILED)|ERR_ADDRESS_UNREACHABLE"
        r"|ERR_INTERNET_DISCONNECTED|ERR_PROXY_CONNECTION_FAILED|ERR_TUNNEL_CONNECTION_FAILED"
        r"|No route to host|Network is unreachable|timed out during opening handshake|dial tcp .{0,80}i/o timeout"
        r"|SocketTimeoutException: (?:failed to )?connect|connect timed out|Connect call failed",
    ),
)
_COMPILED = tuple((step, re.compile(words, re.IGNORECASE)) for step, words in _WORDS)
_BLOCKED = re.compile(r"ERR_BLOCKED_BY_(?:CLIENT|RESPONSE|CSP|ADMINISTRATOR)", re.IGNORECASE)


def ended_at_by_words(text: str) -> str:
    """Tell at which step it ended, by a program's words: dns, tcp, tls, blocked, or ""."""
    step = next((step for step, words in _COMPILED if words.search(text)), "")
    return step or ("blocked" if _BLOCKED.search(text) else "")
