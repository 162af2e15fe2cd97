"""Rules about the way before the upgrade: name, port, TLS, HTTP. A performed attempt tells where it ended.

What such a failure prevented is not known: other findings are then "likely" at best (`diagnosis.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from guestlab.handshake.quoting import quote_text
from guestlab.handshake.rule import SOURCES, Judge, Match, Rule, confirmed

if TYPE_CHECKING:
    from guestlab.handshake.reading import Reading

__all__ = ["BEFORE_UPGRADE", "NETWORK_RULES"]

BEFORE_UPGRADE = frozenset({"dns", "tcp", "tls"})
"""Steps after whose failure no answer of the server exists."""


def _ended_at(step: str) -> Judge:
    def judge(reading: Reading) -> Match | None:
        evidence = reading.evidence
        if evidence.failed_step != step or (step == "upgrade" and evidence.http_status is not None):
            return None
        note = quote_text(evidence.failed_note or "")
        return confirmed(*reading.lines("url"), f"ended at {step}: {note}", note=note)

    return judge


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
