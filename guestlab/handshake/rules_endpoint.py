"""Rules about the address: unknown host, right host but not the guest socket, different regions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from guestlab.handshake.hosts import LABELS, HostKind, read_host
from guestlab.handshake.quoting import quote_text
from guestlab.handshake.rule import SOURCES, Match, Rule, confirmed, likely
from guestlab.handshake.targets import Target

if TYPE_CHECKING:
    from guestlab.handshake.reading import Reading

__all__ = ["ENDPOINT_RULES"]

_SERVICE = {
    Target.GUEST: "webmessaging",
    Target.CHANNEL: "streaming",
    Target.TOKEN: "login",
    Target.AUTHORIZE: "login",
    Target.DEPLOYMENT_FILE: "api-cdn",
}
"""The label that answers for a target; everything else is the Platform API."""

_HOST_NAME = re.compile(r"[a-z0-9](?:[a-z0-9_\-]*\.)+[a-z]{2,}", re.IGNORECASE)


def _unknown_host(reading: Reading) -> Match | None:
    host = reading.host
    if host is None or reading.is_configured or not _HOST_NAME.fullmatch(host.name):
        return None
    if (
        host.kind in {HostKind.GENESYS, HostKind.LOOPBACK, HostKind.ELSEWHERE}
        or reading.target is Target.LEGACY
    ):
        return None
    if host.kind is HostKind.UNLISTED and not host.label:
        return None
    if host.kind is HostKind.UNKNOWN and reading.note.says("identity provider"):
        return None  # their provider's own host
    verdict = confirmed if host.kind in {HostKind.LOOKALIKE, HostKind.VENDOR} else likely
    label = _SERVICE.get(reading.target, "api")
    nearest = host.nearest(label)
    if host.region is None and not host.hint and reading.note.regions:
        nearest = f"{label}.{reading.note.regions[0].name}"
    return verdict(
        f"host {quote_text(host.name)}: {host.remark}",
        *reading.lines("http_status", "note"),
        host=quote_text(host.name),
        remark=host.remark,
        nearest=nearest,
        service=LABELS[label],
    )


def _not_guest_socket(reading: Reading) -> Match | None:
    host = reading.host
    if reading.target is not Target.GUEST or host is None or reading.is_configured:
        return None
    if not (host.is_genesys or host.is_loopback):
        return None
    found = (_host_fault(reading), _port_fault(reading), _path_fault(reading), _scheme_fault(reading))
    faults = [fault for fault in found if fault]
    lacking = _upgrade_lacking(reading)
    if not faults and not lacking:
        return None
    if not faults:
        verdict = likely if lacking == _PERHAPS_HTTP2 else confirmed
        return verdict(
            *reading.lines("url", "headers", "client"),
            lacking,
            *reading.lines("http_status"),
            what="The address is right, but this is no WebSocket handshake: {lacking}.",
            why="The guest socket answers a GET that asks to change the protocol (RFC 6455 section "
            "4.1): Upgrade, "
            "Connection, Sec-WebSocket-Key and -Version. An ordinary HTTP request never becomes a socket.",
            next_step="Open {open} with a WebSocket client (new WebSocket, websockets.connect, "
            "wscat); by curl, add "
            "the upgrade headers and --http1.1.",
            lacking=lacking,
            open=f"wss://{quote_text(host.name, 80)}/v1?deploymentId=…",
        )
    if lacking:
        faults.append(lacking)
    domain = host.region.name if host.region else "{region}"
    only_port = len(faults) == 1 and faults[0] == _port_fault(reading)
    right = f"wss://{domain}/v1" if host.is_loopback else f"wss://webmessaging.{domain}/v1"
    return confirmed(
        *reading.lines("url"),
        *faults,
        *reading.lines("http_status"),
        faults="; ".join(faults),
        right=f"{right}?deploymentId=<deployment id>",
        level="inferred" if only_port else None,  # every client uses 443; that nothing else answers follows
    )


def _host_fault(reading: Reading) -> str:
    host = reading.host
    if host is None or host.is_loopback or host.label == "webmessaging":
        return ""
    service, shown = LABELS.get(host.label), quote_text(host.name, 80)
    found = f"{shown} is {service}" if service else f"no service is called {shown}"
    return f"{found}, the guest socket is {host.nearest('webmessaging')}"


def _port_fault(reading: Reading) -> str:
    """Genesys Cloud's hosts answer on the schemes' own ports; no client is documented to use another."""
    host, port = reading.host, reading.address.port
    usual = 443 if reading.address.scheme in {"wss", "https"} else 80
    if host is None or host.is_loopback or port in {None, usual} or reading.is_open:
        return ""
    return f"the port is {port}, Genesys Cloud answers on 443"


def _upgrade_lacking(reading: Reading) -> str:
    """Say that an HTTP request was made where a WebSocket is wanted, when it is seen how it was made."""
    evidence = reading.evidence
    maker = quote_text(evidence.client, 40) if evidence.client else ""
    if maker.lower() in _OWN_PROTOCOL:
        return f"{maker} speaks a protocol of its own on top of WebSocket, with paths and frames of its own"
    if reading.is_open:
        return ""  # whatever made it, it opened a socket
    curls = maker.split(" ")[0] == "curl"
    by_http = curls or _HTTP_CLIENTS.fullmatch(maker) is not None
    if reading.address.scheme in {"ws", "wss"}:
        opens_none = f"{maker} makes ordinary HTTP requests and opens no {reading.address.scheme}:// address"
        return opens_none if by_http and not curls else ""
    if curls and reading.is_upgrade:
        return _upgrade_by_curl(reading, maker)
    if evidence.method not in {None, "GET"} and reading.is_upgrade:
        return f"the method is {evidence.method}, and an upgrade is a GET"
    seen = by_http or (not maker and evidence.method is not None and bool(evidence.headers))
    if reading.is_upgrade or not seen:
        return ""
    return f"{maker or 'an ordinary ' + str(evidence.method)} asked without the headers of an upgrade"


_HTTP_CLIENTS = re.compile(
    r"requests|httpx|urllib\d?|urlopen|fetch|node-fetch|undici|axios|got|ky|superagent|\$\.ajax"
    r"|jquery|xmlhttprequest|xhr|invoke-restmethod|invoke-webrequest|wget|httpie|guzzle"
    r"|faraday|net::http|http\.get|ajax|curl(?: .*)?"
    r"|[\w.]+\.(?:get|post|put|patch|delete|head|request)",
    re.IGNORECASE,
)
"""Clients that make HTTP requests and open no WebSocket, and calls that do."""
_OWN_PROTOCOL = frozenset({"socket.io", "sockjs"})
_PERHAPS_HTTP2 = (
    "curl offers HTTP/2 on https:// unless --http1.1 is said, and the upgrade headers do not exist there"
)


def _upgrade_by_curl(reading: Reading, maker: str) -> str:
    """What an upgrade made by hand with curl lacks (RFC 6455 section 4.1)."""
    if reading.evidence.method not in {None, "GET"}:
        return f"the method is {reading.evidence.method}, and an upgrade is a GET"
    wanted = ("Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version")
    missing = [name for name in wanted if reading.header(name) is None]
    if missing:
        return f"the upgrade headers are not complete: {', '.join(missing)} missing"
    if "--http2" in maker:
        return "HTTP/2 was asked for, and the upgrade headers do not exist there: say --http1.1"
    refused_or_unknown = reading.evidence.http_status in {None, 400, 426, 505} and not reading.note.ended_at
    secure = reading.address.scheme == "https"
    return _PERHAPS_HTTP2 if secure and "--http1.1" not in maker and refused_or_unknown else ""


def _path_fault(reading: Reading) -> str:
    path = reading.address.path
    if path.rstrip("/") == "/v1" or re.search(r"\{[^{}]*\}|\$\w|\$\{", path):
        return ""  # as it should be, or not seen
    return f"the path is {quote_text(path, 100)}, not /v1" if path.strip("/") else "the path /v1 is missing"


def _scheme_fault(reading: Reading) -> str:
    scheme, loopback = reading.address.scheme, reading.is_loopback
    if scheme == "https" and _upgrade_lacking(reading):
        return ""
    if scheme in {"http", "https"} and not reading.is_upgrade:
        return f"the scheme is {scheme}, not {'wss (ws without TLS)' if loopback else 'wss'}"
    if scheme in {"ws", "http"} and not loopback:
        return f"the scheme is {scheme}, without TLS nothing answers"
    if not scheme and reading.address.host and not reading.is_open:
        return "the scheme is missing: an address begins with wss://"
    return ""


def _region_mismatch(reading: Reading) -> Match | None:
    here = reading.host.region if reading.host and not reading.host.is_loopback else None
    if here is None or reading.is_configured:
        return None
    found = reading.evidence.region_of_deployment
    if found and reading.target is Target.GUEST and read_host(found).region not in {None, here}:
        return confirmed(
            *reading.lines("url", "region_of_deployment", "http_status"),
            here=here.name,
            there=quote_text(found, 60),
            thing="the deployment",
        )
    if not reading.has_failed:
        return None
    calls_api = reading.target in {Target.PLATFORM, Target.CHANNEL_API}
    if reading.kind == "other_region" and calls_api and reading.evidence.http_status == 401:
        return confirmed(
            *reading.lines("url", "token_kind", "http_status"),
            here=here.name,
            there="another region",
            thing="the access token",
        )
    return _region_in_note(reading, here.name)


def _region_in_note(reading: Reading, here: str) -> Match | None:
    others = [region.name for region in reading.note.home_regions if region.name != here]
    origin = reading.header("Origin") or ""
    at = read_host(origin.split("://")[-1].split(":")[0]) if origin else None
    if at is not None and at.is_genesys and at.region is not None and at.region.name != here:
        line = f"Origin {quote_text(origin, 80)}"
        return likely(*reading.lines("url"), line, here=here, there=at.region.name, thing="the page")
    if not others:
        return None
    thing = "the deployment" if reading.target is Target.GUEST else "the access token or its client"
    return likely(*reading.lines("url", "http_status", "note"), here=here, there=others[0], thing=thing)


ENDPOINT_RULES = (
    Rule(
        name="endpoint.unknown-host",
        level="documented",
        sources=(SOURCES["platform sdk"], SOURCES["java sdk"]),
        what="{host} is not a Genesys Cloud host: {remark}.",
        why=(
            "Each service of a region has one fixed host, and there is no catch-all: any other name "
            "fails in DNS or reaches somebody else."
        ),
        next_step="Use {nearest}, which is {service}; the region's domain is the one you sign in at.",
        judge=_unknown_host,
    ),
    Rule(
        name="endpoint.not-guest-socket",
        level="documented",
        sources=(SOURCES["java sdk"], SOURCES["mobile sdk"]),
        what="This address is not the guest socket: {faults}.",
        why="Guests connect to one address only, and everything else about them travels in frames on it.",
        next_step="Open {right}.",
        judge=_not_guest_socket,
    ),
    Rule(
        name="region.mismatch",
        level="documented",
        sources=(SOURCES["platform sdk"], SOURCES["mobile sdk"]),
        what="The request goes to {here}, but {thing} belongs to {there}.",
        why=(
            "Organisations, clients, tokens and deployments live in one region and are unknown in all others."
        ),
        next_step="Take host and deployment from the same region: the one in the address bar of your login.",
        judge=_region_mismatch,
    ),
)
