"""Tells what a host name is: one of Genesys Cloud's, this machine, another vendor's, or nobody's.

The regions come from `guestlab.regions`; here stand the labels in front of a region's domain and the ways
people get a host wrong: AWS names in place of the domain, organisation names in front, other vendors. For a
wrong host the nearest real one is offered. Pure.
"""

from __future__ import annotations

import difflib
import enum
import re
from dataclasses import dataclass
from functools import lru_cache

from guestlab.regions import REGIONS, Region, is_loopback_host

__all__ = ["LABELS", "Host", "HostKind", "read_host", "region_hint"]

LABELS = {
    "webmessaging": "the guest socket",
    "api": "the Platform API",
    "login": "the login service",
    "apps": "the web user interface",
    "streaming": "the notification channels",
    "api-cdn": "the public deployment files",
    "api-downloads": "downloads and recordings",
}
"""Host labels in front of a region's domain, and what answers there (level: official, SDKs and docs)."""

_VENDORS = {
    "cxone.com": "NICE CXone",
    "niceincontact.com": "NICE CXone",
    "nice-incontact.com": "NICE CXone",
    "incontact.com": "NICE CXone",
    "twilio.com": "Twilio",
    "zendesk.com": "Zendesk",
    "five9.com": "Five9",
    "five9.net": "Five9",
    "liveperson.net": "LivePerson",
    "liveperson.com": "LivePerson",
    "intercom.io": "Intercom",
    "salesforce.com": "Salesforce",
    "salesforceliveagent.com": "Salesforce",
    "avaya.com": "Avaya",
    "avayacloud.com": "Avaya",
    "talkdeskapp.com": "Talkdesk",
    "talkdesk.com": "Talkdesk",
    "8x8.com": "8x8",
    "vonage.com": "Vonage",
    "connect.aws": "Amazon Connect",
}
_ELSEWHERE = [
    "okta.com",
    "oktapreview.com",
    "auth0.com",
    "microsoftonline.com",
    "amazoncognito.com",
    "onelogin.com",
    "pingidentity.com",
    "accounts.google.com",
    "googleapis.com",
    "s3.amazonaws.com",
]
"""Hosts that take part rightfully: identity providers, and the storage behind pre-signed addresses."""

_BRAND = re.compile(r"genesys|purecloud|pure\.cloud|pureengage|webmessaging|inin\.com")

_WORD_HINTS = {
    "us-gov": "use2.us-gov-pure.cloud",
    "fedramp": "use2.us-gov-pure.cloud",
    "eusc": "edee1.eusc-pure.cloud",
}
_TOKEN_HINTS = {
    "us": "mypurecloud.com",
    "uk": "euw2.pure.cloud",
    "gb": "euw2.pure.cloud",
    "ie": "mypurecloud.ie",
    "de": "mypurecloud.de",
    "jp": "mypurecloud.jp",
    "au": "mypurecloud.com.au",
    "ca": "cac1.pure.cloud",
    "in": "aps1.pure.cloud",
    "br": "sae1.pure.cloud",
    "sg": "apse1.pure.cloud",
    "kr": "apne2.pure.cloud",
    "ch": "euc2.pure.cloud",
    "mx": "mxc1.pure.cloud",
    "ae": "mec1.pure.cloud",
}
"""Country code in a host → the region that was probably meant."""

_AWS_NAME = re.compile(
    r"\b([a-z]{2,4}(?:-[a-z]+)?-(?:north|south|east|west|central)(?:north|south|east|west)?-\d)\b"
)


class HostKind(enum.StrEnum):
    """What a host name turns out to be."""

    GENESYS = "a Genesys Cloud host"
    UNLISTED = "a name in a Genesys Cloud domain that no service has"
    LOOPBACK = "this machine"
    VENDOR = "another vendor's host"
    LOOKALIKE = "no host of any Genesys Cloud region"
    ELSEWHERE = "an identity provider or file storage"
    UNKNOWN = "no Genesys Cloud host"


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A host name, judged."""

    name: str
    kind: HostKind
    label: str = ""
    """What stands in front of the region's domain."""
    region: Region | None = None
    """The region it belongs to; on loopback a region of one's own; None when it belongs to none."""
    remark: str = ""
    """What is wrong with it, in half a sentence."""
    hint: str = ""
    """The domain of the region that was probably meant, or ""."""

    @property
    def is_loopback(self) -> bool:
        """Whether it is this machine: then the host itself is not judged."""
        return self.kind is HostKind.LOOPBACK

    @property
    def is_genesys(self) -> bool:
        """Whether it lies in a Genesys Cloud domain."""
        return self.kind in {HostKind.GENESYS, HostKind.UNLISTED}

    def nearest(self, label: str) -> str:
        """The real host for a service that comes nearest to this one."""
        domain = self.hint or (self.region.name if self.region is not None else "")
        return f"{label}.{domain}" if domain else f"{label}.{{region}}, for example {label}.mypurecloud.com"


@lru_cache(maxsize=1024)
def read_host(name: str) -> Host:
    """Judge a host name (no port)."""
    name = name.strip().lower().rstrip(".")
    if is_loopback_host(name):
        label = name.removesuffix(".localhost") if name.endswith(".localhost") else ""
        return Host(name=name, kind=HostKind.LOOPBACK, label=label, region=Region(name.split("%")[0]))
    for region in REGIONS:
        if name == region.name or name.endswith("." + region.name):
            return _in_region(name, region)
    for domain, vendor in _VENDORS.items():
        if name == domain or name.endswith("." + domain):
            return Host(
                name=name, kind=HostKind.VENDOR, remark=f"it belongs to {vendor}", hint=region_hint(name)
            )
    if any(name == domain or name.endswith("." + domain) for domain in _ELSEWHERE):
        return Host(name=name, kind=HostKind.ELSEWHERE)
    return _foreign(name)


def _in_region(name: str, region: Region) -> Host:
    label = name.removesuffix(region.name).rstrip(".")
    if label in LABELS:
        return Host(name=name, kind=HostKind.GENESYS, label=label, region=region)
    if not label:
        remark = "it is the bare domain, without a service in front"
    elif found := _AWS_NAME.search(label):
        meant = next((other.name for other in REGIONS if other.aws_name == found[1]), "")
        remark = "Genesys Cloud hosts never carry an AWS region name"
        remark += f"; {found[1]} is {meant}" if meant else ""
        return Host(
            name=name, kind=HostKind.UNLISTED, label=label,
            region=Region(meant) if meant else None, remark=remark, hint=meant,
        )  # fmt: skip
    elif "." in label:
        remark = "no organisation or environment name stands in a Genesys Cloud host"
    else:
        remark = f"no service is called {label!r}; there are {', '.join(LABELS)}"
    return Host(name=name, kind=HostKind.UNLISTED, label=label, region=region, remark=remark)


def _foreign(name: str) -> Host:
    hint = region_hint(name)
    if _AWS_NAME.search(name) and (_BRAND.search(name) or "amazonaws" in name):
        remark = "Genesys Cloud hosts never carry an AWS region name"
    elif re.search(r"genesys", name):
        remark = "no region has a domain with 'genesys' in it"
    elif "amazonaws.com" in name:
        remark = "an AWS address is never the public one"
    elif _BRAND.search(name):
        remark = "it looks like one, but the domain is not in the region table"
    else:
        remark = "its domain is not in the region table"
    kind = HostKind.LOOKALIKE if _BRAND.search(name) or "amazonaws" in name else HostKind.UNKNOWN
    return Host(name=name, kind=kind, remark=remark, hint=hint)


def region_hint(text: str) -> str:
    """Guess the domain that was meant: AWS name, its short form, country code, or the nearest spelling."""
    lowered = text.lower().replace("_", "-")
    if found := _AWS_NAME.search(lowered):
        by_name = {region.aws_name: region.name for region in REGIONS}
        if found[1] in by_name:
            return by_name[found[1]]
    for word, domain in _WORD_HINTS.items():
        if word in lowered:
            return domain
    tokens = set(re.split(r"[^a-z0-9]+", lowered))
    for region in REGIONS:
        if _short(region.aws_name) in tokens or region.name.split(".")[0] in tokens - {"mypurecloud"}:
            return region.name
    country = lowered.rsplit(".", 1)[-1]
    if country in _TOKEN_HINTS:  # mypurecloud.co.uk means Britain, however alike mypurecloud.com.au is
        return _TOKEN_HINTS[country]
    bare = _bare(lowered)
    near = difflib.get_close_matches(bare, [region.name for region in REGIONS], n=2, cutoff=0.75)
    if len(near) > 1 and _likeness(bare, near[0]) - _likeness(bare, near[1]) < _TELLING:
        return ""  # pure.cloud, mypurecloud.eu: as near to one region as to another
    if near:
        return near[0]
    return next((domain for token, domain in _TOKEN_HINTS.items() if token in tokens), "")


_TELLING = 0.03
"""How much nearer the nearest domain must be than the next, for it to be what was meant."""


def _likeness(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, other, one).ratio()


def _bare(host: str) -> str:
    """The host without a service label, for comparing spellings."""
    for label in LABELS:
        host = host.removeprefix(label + ".")
    return host


def _short(aws_name: str) -> str:
    """Shorten "eu-west-1" to "euw1", the way many Genesys Cloud domains are made."""
    parts = aws_name.split("-")
    initials = {"northeast": "ne", "southeast": "se"}
    return "".join([parts[0], *(initials.get(part, part[:1]) for part in parts[1:-1]), parts[-1]])
