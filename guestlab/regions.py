"""Where Genesys Cloud lives: one row per region, every host and URL derived from it.

Source of the table: the region enum of the official Python SDK 269.0.0 (level: official). Never build a
domain from an AWS region name: look it up here. A loopback region is one's own server, such as the
sandbox: one origin for every service.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

from guestlab.errors import InputError, RegionError

__all__ = ["REGIONS", "Region", "is_loopback_host"]

# AWS region → domain. Order: as Genesys lists them, by continent.
_DOMAINS = {
    "us-east-1": "mypurecloud.com",
    "us-east-2": "use2.us-gov-pure.cloud",
    "us-west-2": "usw2.pure.cloud",
    "ca-central-1": "cac1.pure.cloud",
    "mx-central-1": "mxc1.pure.cloud",
    "sa-east-1": "sae1.pure.cloud",
    "eu-west-1": "mypurecloud.ie",
    "eu-west-2": "euw2.pure.cloud",
    "eu-central-1": "mypurecloud.de",
    "eu-central-2": "euc2.pure.cloud",
    "eusc-de-east-1": "edee1.eusc-pure.cloud",
    "me-central-1": "mec1.pure.cloud",
    "ap-south-1": "aps1.pure.cloud",
    "ap-southeast-1": "apse1.pure.cloud",
    "ap-southeast-2": "mypurecloud.com.au",
    "ap-northeast-1": "mypurecloud.jp",
    "ap-northeast-2": "apne2.pure.cloud",
    "ap-northeast-3": "apne3.pure.cloud",
}
_AWS_NAMES = {domain: aws_name for aws_name, domain in _DOMAINS.items()}

_LABELS = ("webmessaging", "api-downloads", "api-cdn", "streaming", "login", "apps", "api")
"""Host labels that stand in front of a region's domain."""


def is_loopback_host(host: str) -> bool:
    """Tell whether a host name or address (no port) means this machine."""
    host = host.strip("[]").lower().rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _split_port(netloc: str) -> tuple[str, int | None]:
    """Split `host[:port]`, brackets kept on an IPv6 address."""
    match = re.fullmatch(r"(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?", netloc)
    if match is None:
        return netloc, None
    return match[1], int(match[2]) if match[2] else None


@dataclass(frozen=True, slots=True)
class Region:
    """A row of hosts: login, API, messaging, streaming, CDN.

    >>> Region("mypurecloud.de").guest_url("3d2f0c1e-0000-4000-8000-000000000001")
    'wss://webmessaging.mypurecloud.de/v1?deploymentId=3d2f0c1e-0000-4000-8000-000000000001'
    >>> f"https://login.{Region('eu-central-1')}"
    'https://login.mypurecloud.de'

    Args:
        name: The domain ("mypurecloud.de"), an AWS name, any URL of the region, or `host:port` of a
            loopback server.
        tls: True for the system's trust store, a path to a PEM file of certificate authorities to trust
            beside it, False for plaintext (loopback only).
        names: Loopback only: give every service a host name of its own (`api.localhost:8443`) instead of
            one origin for all.

    Raises:
        RegionError: The domain is no Genesys Cloud region; the text offers the nearest.
        InputError: Plaintext was asked for away from loopback.
    """

    name: str
    tls: bool | Path = True
    names: bool = False
    _host: str = field(init=False, repr=False, compare=False)

    def __init__(self, name: str, *, tls: bool | str | Path | None = None, names: bool = False) -> None:
        cleaned, secure = _found(str(name))
        host, _ = _split_port(cleaned)
        loopback = is_loopback_host(host)
        if tls is None:
            tls = secure
        if not loopback and tls is False:
            raise InputError(
                f"Region {cleaned} cannot be reached without TLS.",
                why="Genesys Cloud answers on https and wss only.",
                next_step="Leave tls out, or give the path of your company's CA file.",
            )
        object.__setattr__(self, "name", cleaned)
        object.__setattr__(self, "tls", tls if isinstance(tls, bool) else Path(tls))
        object.__setattr__(self, "names", bool(names and loopback))
        object.__setattr__(self, "_host", host)

    def __repr__(self) -> str:
        extra = "" if not self.is_loopback else f", tls={self.tls!s}" + (", names=True" if self.names else "")
        return f"Region({self.name!r}{extra})"

    def __str__(self) -> str:
        return self.name

    @classmethod
    def of(cls, text: str) -> Region:
        """Find the region meant by a domain, an AWS name, or any URL or host of it.

        >>> Region.of("https://login.mypurecloud.de/oauth/token").name
        'mypurecloud.de'
        >>> Region.of("eu-central-1").name
        'mypurecloud.de'

        Raises:
            RegionError: Nothing of the kind; the text offers the nearest.
        """
        return cls(text)

    @property
    def aws_name(self) -> str:
        """The AWS region ("eu-central-1"), or "" on loopback."""
        return _AWS_NAMES.get(self.name, "")

    @property
    def is_loopback(self) -> bool:
        """Whether this region is a server on this machine."""
        return self.name not in _AWS_NAMES

    @property
    def ca_file(self) -> Path | None:
        """The PEM file of extra certificate authorities to trust, if any."""
        return self.tls if isinstance(self.tls, Path) else None

    @property
    def login_url(self) -> str:
        """`https://login.{region}`: issues access tokens."""
        return self._origin("login", "https")

    @property
    def api_url(self) -> str:
        """`https://api.{region}`: the Platform API, paths below `/api/v2`."""
        return self._origin("api", "https")

    @property
    def apps_url(self) -> str:
        """`https://apps.{region}`: the web user interface, Admin included."""
        return self._origin("apps", "https")

    @property
    def streaming_url(self) -> str:
        """`wss://streaming.{region}`: notification channels; use a channel's own connectUri."""
        return self._origin("streaming", "wss")

    def guest_url(self, deployment_id: str, application: str | None = None) -> str:
        """The address of the guest socket for one deployment.

        Args:
            deployment_id: The deployment's UUID.
            application: Optional name sent as telemetry, as official clients do.
        """
        query = f"deploymentId={quote(deployment_id, safe='')}"
        if application is not None:
            query += f"&application={quote(application, safe='')}"
        return f"{self._origin('webmessaging', 'wss')}/v1?{query}"

    def config_url(self, deployment_id: str) -> str:
        """The public `config.json` of a deployment (`deployment_id`); needs no credential."""
        return self._deployment_url(deployment_id, "config.json")

    def domains_url(self, deployment_id: str) -> str:
        """The public `domains.json` of a deployment (`deployment_id`): its allowed domains."""
        return self._deployment_url(deployment_id, "domains.json")

    def _deployment_url(self, deployment_id: str, document: str) -> str:
        base = self._origin("api-cdn", "https")
        return f"{base}/webdeployments/v1/deployments/{quote(deployment_id, safe='')}/{document}"

    def _origin(self, label: str, scheme: str) -> str:
        if self.tls is False:
            scheme = {"https": "http", "wss": "ws"}[scheme]
        authority = self.name if self.is_loopback and not self.names else f"{label}.{self.name}"
        return f"{scheme}://{authority}"


def _found(text: str) -> tuple[str, bool]:
    """Find the domain meant, or the loopback `host:port`; and whether it speaks TLS."""
    cleaned = text.strip().lower().rstrip("/.")
    aws_name = cleaned.replace("_", "-")
    if aws_name in _DOMAINS:
        return _DOMAINS[aws_name], True
    try:
        url = urlsplit(cleaned if "//" in cleaned else f"//{cleaned}")
    except ValueError:
        raise _unknown(text) from None
    authority = url.netloc.rpartition("@")[2]
    host, _ = _split_port(authority)
    if is_loopback_host(host):
        return authority, url.scheme in {"https", "wss"}
    host = host.rstrip(".")
    for domain in _AWS_NAMES:
        if host == domain or host.endswith("." + domain):
            return domain, True
    raise _unknown(text)


def _unknown(text: str) -> RegionError:
    """Build the did-you-mean error for something that is no region."""
    wanted = text.strip().lower()
    bare = re.sub(r"^[a-z]+://", "", wanted).split("/")[0].split("?")[0]
    for label in _LABELS:
        bare = bare.removeprefix(label + ".")
    candidates = [*_AWS_NAMES, *_DOMAINS]
    if bare.endswith(".uk"):  # Britain's region has no domain of the country
        bare = "eu-west-2"
    close = difflib.get_close_matches(bare.replace("_", "-"), candidates, n=3, cutoff=0.6)
    return RegionError(
        f"{text!r} is not a Genesys Cloud region.",
        why="No region has this domain or AWS name, and an unknown host has no catch-all: it fails in DNS.",
        next_step=(
            f"Did you mean {' or '.join(close)}?"
            if close
            else "Take the domain from the address bar of your Genesys Cloud login; gl.REGIONS lists all 18."
        ),
    )


REGIONS: tuple[Region, ...] = tuple(Region(domain) for domain in _DOMAINS.values())
