"""Rules about the way before the upgrade: name, port, TLS, HTTP. A performed attempt tells where it ended.

What such a failure prevented is not known: other findings are then "likely" at best (`diagnosis.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from guestlab.handshake.hosts import HostKind
from guestlab.handshake.quoting import quote_text
from guestlab.handshake.rule import SOURCES, Judge, Match, Rule, confirmed, likely

if TYPE_CHECKING:
    from guestlab.handshake.reading import Reading

__all__ = ["BEFORE_UPGRADE", "NETWORK_RULES"]

BEFORE_UPGRADE = frozenset({"dns", "tcp", "tls"})
"""Steps after whose failure no answer of the server exists."""


def _ended_at(step: str) -> Judge:
    def judge(reading: Reading) -> Match | None:
        evidence = reading.evidence
        if evidence.failed_step is None:
            return _by_words(reading, step)
        if evidence.failed_step != step or (step == "upgrade" and evidence.http_status is not None):
            return None
        note = quote_text(evidence.failed_note or "")
        lines = (*reading.lines("url"), f"ended at {step}: {note}")
        if note.startswith("the proxy"):
            return confirmed(*lines, note=note, what=_PROXY[step], next_step=_OTHER_PROXY)
        if step == "dns" and _is_known(reading):
            return confirmed(*lines, note=note, next_step=_NAME_IS_RIGHT)
        return confirmed(*lines, note=note)

    return judge


def _is_known(reading: Reading) -> bool:
    return reading.host is not None and reading.host.kind is HostKind.GENESYS


def _by_words(reading: Reading, step: str) -> Match | None:
    """No attempt of ours, but a program's words for what it met."""
    evidence = reading.evidence
    came_back = evidence.http_status or evidence.frame or evidence.close_code not in {None, 1006}
    if reading.note.ended_at != step or came_back or evidence.session_ready:
        return None
    if reading.host is not None and not (_is_known(reading) or reading.is_loopback):
        return None  # the host itself is to blame: endpoint.unknown-host says so
    next_step = _NAME_IS_RIGHT if step == "dns" and _is_known(reading) else ""
    return likely(*reading.lines("url", "note"), note=_WORDS_SAY[step], next_step=next_step)


_WORDS_SAY = {
    "dns": (
        "By the program's words the name was not resolved: it is mistyped, or this machine's DNS or network "
        "does not answer. Nothing about token or deployment was looked at."
    ),
    "tcp": (
        "By the program's words no connection was made in time or at all. Nothing about token or deployment "
        "was looked at."
    ),
    "tls": (
        "By the program's words the certificate is not trusted, or no TLS was spoken. Nothing about token or "
        "deployment was looked at."
    ),
}
_NAME_IS_RIGHT = (
    "The name is one of Genesys Cloud's, so look at this machine's network and DNS; guestlab preflight shows "
    "each step."
)
_PROXY = {
    "dns": "The proxy's name was not resolved, so nothing was sent.",
    "tcp": "The proxy was not reached, or did not let it through, so nothing was sent.",
    "tls": "TLS was not agreed on by way of the proxy, so no request was sent.",
    "upgrade": "What came back by way of the proxy is no HTTP answer.",
}
_OTHER_PROXY = 'Correct the proxy (HTTPS_PROXY, --proxy, proxy=), or go straight: --proxy "" or proxy="".'


NETWORK_RULES: tuple[Rule, ...] = (
    Rule(
        name="network.dns",
        level="documented",
        sources=(SOURCES["platform sdk"],),
        what="The host name was not resolved, so nothing was sent.",
        why="{note}",
        next_step="Check the region's domain against gl.REGIONS, and this machine's network.",
        judge=_ended_at("dns"),
        retryable=True,
    ),
    Rule(
        name="network.tcp",
        level="documented",
        sources=(SOURCES["rfc 6455"],),
        what="No connection came about, so nothing was sent.",
        why="{note}",
        next_step="Check host and port, and whether a firewall or proxy stands between.",
        judge=_ended_at("tcp"),
        retryable=True,
    ),
    Rule(
        name="network.tls",
        level="documented",
        sources=(SOURCES["rfc 6455"],),
        what="TLS was not agreed on, so no request was sent.",
        why="{note}",
        next_step=(
            "A certificate that is not trusted here often means an intercepting company proxy: give its CA "
            "(ca_file=). A port without TLS wants ws:// on loopback."
        ),
        judge=_ended_at("tls"),
    ),
    Rule(
        name="network.not-http",
        level="documented",
        sources=(SOURCES["rfc 6455"],),
        what="What came back to the upgrade is no HTTP answer.",
        why="{note}",
        next_step="Check the port: a TLS port wants wss://, and not every service speaks HTTP.",
        judge=_ended_at("upgrade"),
    ),
)
