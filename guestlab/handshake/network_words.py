"""What programs say when nothing was reached: the step it ended at, by their own words. Pure.

Rows of (step, phrases), the more telling first. Sources: curl's error list, the texts of Node, Python, Java
and Go, and Chromium's net error list. They are words in a note: a finding on them is likely at best.
"""

from __future__ import annotations

import re

__all__ = ["ended_at_by_words"]

_WORDS: dict[str, tuple[str, ...]] = {
    "proxy": (
        r"proxy rejected connection",
        r"InvalidProxy(?:Status|Message)",
        r"websockets\.\w{0,20}\.?ProxyError",
        r"CONNECT tunnel failed",
        r"Received HTTP code \d+ from proxy",
        r"failed CONNECT via proxy",
        r"tunnel(?:l?ing)? (?:socket|connection) (?:could not be established|failed)",
        r"ERR_TUNNEL_CONNECTION_FAILED",
        r"ERR_PROXY_CONNECTION_FAILED",
        r"failed to connect to (?:HTTP|SOCKS\w*) proxy",
        r"WebSocketProxyException",
        r"proxy (?:refused|denied) (?:the )?(?:CONNECT|tunnel|connection)",
    ),
    "tls": (
        r"CERTIFICATE_VERIFY_FAILED",
        r"curl: \((?:35|51|58|60|77)\)",
        r"SSL certificate problem",
        r"certificate (?:has|is) (?:expired|not trusted|not yet valid)",
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
        r"\bENOTFOUND",
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
        r"curl: \(7\)",
        r"ECONNREFUSED",
        r"(?<!read )ETIMEDOUT",
        r"curl: \(28\) (?:Failed to connect|Connection tim)",
        r"EHOSTUNREACH",
        r"ENETUNREACH",
        r"ConnectionRefusedError",
        r"connection refused",
        r"ERR_CONNECTION_(?:REFUSED|TIMED_OUT|FAILED)",
        r"ERR_ADDRESS_UNREACHABLE",
        r"ERR_INTERNET_DISCONNECTED",
        r"No route to host",
        r"Network is unreachable",
        r"dial tcp .{0,80}i/o timeout",
        r"SocketTimeoutException: (?:failed to )?connect",
        r"connect timed out",
        r"Connect call failed",
    ),
    "cut": (
        r"curl: \((?:28|52)\)",
        r"curl: \(56\) .{0,40}(?:Recv failure|reset)",
        r"ECONNRESET",
        r"read ETIMEDOUT",
        r"ERR_CONNECTION_(?:RESET|CLOSED|ABORTED)",
        r"ERR_(?:TIMED_OUT|EMPTY_RESPONSE)",
        r"Connection(?: was)? reset",
        r"ConnectionResetError",
        r"socket hang up",
        r"Empty reply from server",
        r"RemoteDisconnected",
        r"timed out during opening handshake",
        r"(?:opening )?handshake (?:has )?timed out",
        r"WebSocketTimeoutException",
        r"forcibly closed by the remote host",
    ),
    "upgrade": (
        r"did not receive a valid HTTP response",
        r"(?:malformed|invalid|bad) HTTP (?:response|status line|version)",
        r"HPE_INVALID_\w+",
        r"Parse Error: Expected HTTP",
        r"ERR_INVALID_HTTP_RESPONSE",
        r"received HTTP/0\.9",
    ),
}
_COMPILED = tuple((step, re.compile("|".join(words), re.IGNORECASE)) for step, words in _WORDS.items())
_BLOCKED = re.compile(r"ERR_BLOCKED_BY_(?:CLIENT|RESPONSE|CSP|ADMINISTRATOR)", re.IGNORECASE)


def ended_at_by_words(text: str) -> str:
    """Tell at which step it ended, by a program's words: proxy, tls, dns, tcp, cut, upgrade, blocked, or "".

    "cut" is a connection that broke or fell silent: how far it had come is not known.
    """
    step = next((step for step, words in _COMPILED if words.search(text)), "")
    return step or ("blocked" if _BLOCKED.search(text) else "")
