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

__all__ = ["BEFORE_UPGRADE", "NAME_IS_RIGHT", "NETWORK_RULES"]

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
            return confirmed(*lines, note=note, next_step=NAME_IS_RIGHT)
        return confirmed(*lines, note=note)

    return judge


def _is_known(reading: Reading) -> bool:
    return reading.host is not None and reading.host.kind is HostKind.GENESYS


_STEPS_OF = {"tcp": ("tcp", "cut", "proxy")}
"""Rule's step → what programs' words are told apart in."""


def _by_words(reading: Reading, step: str) -> Match | None:
    """No attempt of ours, but a program's words for what it met."""
    evidence, ended = reading.evidence, reading.note.ended_at
    answered = evidence.http_status and ended != "proxy"  # that status is the proxy's
    came_back = answered or evidence.frame or evidence.close_code not in {None, 1006}
    if ended not in _STEPS_OF.get(step, (step,)) or came_back or evidence.session_ready:
        return None
    if reading.host is not None and not (_is_known(reading) or reading.is_loopback):
        return None  # the host itself is to blame: endpoint.unknown-host says so
    next_step = NAME_IS_RIGHT if step == "dns" and _is_known(reading) else _NEXT.get(ended, "")
    lines = reading.lines("url", "http_status", "note")
    return likely(*lines, note=_WORDS_SAY[ended], what=_WHAT.get(ended, ""), next_step=next_step)


_WHAT = {
    "cut": "The connection was cut or fell silent before any answer came; how far it had come is not known.",
    "proxy": "A proxy in between did not let the connection through, so nothing reached Genesys Cloud.",
}
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
    "cut": (
        "By the program's words it was reset or timed out while it waited. A firewall or proxy does so to "
        "what it does not like; nothing is said about token or deployment."
    ),
    "proxy": (
        "By the program's words it asked a proxy for a way through and was refused; 407 is the proxy wanting "
        "a user and password of its own, 403 its own rules, 502 and 504 that it reached nobody."
    ),
    "upgrade": (
        "By the program's words what came back is no valid HTTP answer, or the connection ended before one "
        "was whole."
    ),
}
NAME_IS_RIGHT = (
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
_NEXT = {
    "cut": "Try again, then from another network: guestlab attempt shows at which step it ends.",
    "proxy": _OTHER_PROXY,
}


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
