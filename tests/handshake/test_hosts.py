"""Host names are recognised, and for a wrong one the nearest real one is offered."""

from __future__ import annotations

import pytest

from guestlab.handshake.hosts import HostKind, read_host
from guestlab.regions import REGIONS


@pytest.mark.parametrize(
    ("name", "kind", "nearest"),
    [
        ("webmessaging.mypurecloud.com.au", HostKind.GENESYS, "webmessaging.mypurecloud.com.au"),
        ("API.MyPureCloud.de.", HostKind.GENESYS, "webmessaging.mypurecloud.de"),
        ("chat.acme.mypurecloud.ie", HostKind.UNLISTED, "webmessaging.mypurecloud.ie"),
        ("webmesaging.usw2.pure.cloud", HostKind.UNLISTED, "webmessaging.usw2.pure.cloud"),
        ("mypurecloud.jp", HostKind.UNLISTED, "webmessaging.mypurecloud.jp"),
        ("api-us-east-1.genesyscloud.com", HostKind.LOOKALIKE, "webmessaging.mypurecloud.com"),
        ("usw2.mygenesys.com", HostKind.LOOKALIKE, "webmessaging.usw2.pure.cloud"),
        ("webmessaging.euw1.pure.cloud", HostKind.LOOKALIKE, "webmessaging.mypurecloud.ie"),
        ("webmessaging.mypurecloud.co", HostKind.LOOKALIKE, "webmessaging.mypurecloud.com"),
        ("api.eu-central-1.amazonaws.com", HostKind.LOOKALIKE, "webmessaging.mypurecloud.de"),
        ("api.cxone.com", HostKind.VENDOR, "webmessaging.{region}, for example webmessaging.mypurecloud.com"),
        ("dev-123.okta.com", HostKind.ELSEWHERE, ""),
        ("bucket.s3.amazonaws.com", HostKind.ELSEWHERE, ""),
        ("chat.shop.example", HostKind.UNKNOWN, ""),
        ("localhost", HostKind.LOOPBACK, ""),
        ("api.localhost", HostKind.LOOPBACK, ""),
        ("127.0.0.1", HostKind.LOOPBACK, ""),
        ("[::1]", HostKind.LOOPBACK, ""),
    ],
)
def test_a_host_is_named_for_what_it_is(name: str, kind: HostKind, nearest: str) -> None:
    """Regions, look-alikes, vendors, this machine."""
    host = read_host(name)
    assert host.kind is kind
    if nearest:
        assert host.nearest("webmessaging") == nearest
    assert bool(host.remark) == (
        kind in {HostKind.UNLISTED, HostKind.LOOKALIKE, HostKind.VENDOR, HostKind.UNKNOWN}
    )


@pytest.mark.parametrize("region", REGIONS, ids=lambda region: region.name)
def test_every_region_is_known_by_all_its_hosts(region: object) -> None:
    """No row of the region table is mistaken for a look-alike."""
    for label in ("webmessaging", "api", "login", "apps", "streaming", "api-cdn"):
        host = read_host(f"{label}.{region.name}")  # type: ignore[attr-defined]
        assert host.kind is HostKind.GENESYS
        assert (host.label, host.region) == (label, region)
