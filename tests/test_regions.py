"""Regions: every way people write one finds it, and what is none gets a did-you-mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from guestlab.errors import InputError, RegionError
from guestlab.regions import REGIONS, Region, is_loopback_host

if TYPE_CHECKING:
    from pathlib import Path

DEPLOYMENT = "3d2f0c1e-0000-4000-8000-000000000001"


def test_there_are_eighteen_regions_each_with_its_own_hosts() -> None:
    """The table is whole and no two rows share a host."""
    assert len(REGIONS) == 18
    assert len({region.api_url for region in REGIONS}) == 18
    assert len({region.aws_name for region in REGIONS}) == 18


@pytest.mark.parametrize("region", REGIONS, ids=lambda region: region.name)
def test_every_url_of_a_region_leads_back_to_it(region: Region) -> None:
    """`Region.of` accepts the domain, the AWS name in both spellings, and any URL or host."""
    spellings = [
        region.name,
        region.name.upper(),
        region.aws_name,
        region.aws_name.replace("-", "_"),
        f"login.{region.name}",
        f"{region.login_url}/oauth/token?x=1",
        f"{region.apps_url}/directory/#/user",
        region.guest_url(DEPLOYMENT),
        f"wss://streaming.{region.name}/channels/streaming-0-abc",
        region.config_url(DEPLOYMENT),
        f"  {region.api_url}/ ",
    ]
    assert {Region.of(spelling).name for spelling in spellings} == {region.name}
    assert {Region(spelling).name for spelling in spellings} == {region.name}


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("login_url", "https://login.mypurecloud.de"),
        ("api_url", "https://api.mypurecloud.de"),
        ("apps_url", "https://apps.mypurecloud.de"),
        ("streaming_url", "wss://streaming.mypurecloud.de"),
    ],
)
def test_hosts_are_labels_before_the_domain(name: str, url: str) -> None:
    """Each service has a host label of its own."""
    assert getattr(Region("mypurecloud.de"), name) == url


def test_guest_and_config_urls_carry_the_deployment() -> None:
    """The deployment id is in the query of the socket and in the path of the configuration."""
    region = Region("usw2.pure.cloud")
    assert region.guest_url("a b", application="x/1") == (
        "wss://webmessaging.usw2.pure.cloud/v1?deploymentId=a%20b&application=x%2F1"
    )
    assert region.config_url("d").endswith("/webdeployments/v1/deployments/d/config.json")
    assert region.domains_url("d").endswith("/webdeployments/v1/deployments/d/domains.json")


@pytest.mark.parametrize(
    ("wrong", "suggestion"),
    [
        ("mypurecloud.dee", "mypurecloud.de"),
        ("eu-central-11", "eu-central-1"),
        ("https://api.usw3.pure.cloud/x", "usw2.pure.cloud"),
        ("mypurecloud.co", "mypurecloud.com"),
        ("mypurecloud.co.uk", "eu-west-2"),
    ],
)
def test_an_unknown_region_gets_a_did_you_mean(wrong: str, suggestion: str) -> None:
    """The nearest domains and AWS names are offered."""
    with pytest.raises(RegionError, match="is not a Genesys Cloud region") as caught:
        Region.of(wrong)
    assert suggestion in caught.value.next_step


@pytest.mark.parametrize(
    "wrong", ["", "   ", "example.com", "https://", "evil-mypurecloud.de.example", "\x00"]
)
def test_what_is_no_region_is_refused(wrong: str) -> None:
    """Nothing is guessed from a stranger's host, however alike it ends."""
    with pytest.raises(RegionError):
        Region.of(wrong)


def test_a_loopback_region_is_one_origin() -> None:
    """Every service answers on one host and port, in plaintext unless TLS is asked for."""
    region = Region("127.0.0.1:8080")
    assert region.is_loopback
    assert region.login_url == region.api_url == "http://127.0.0.1:8080"
    assert region.guest_url("d") == "ws://127.0.0.1:8080/v1?deploymentId=d"


def test_a_loopback_region_may_have_tls_and_names(tmp_path: Path) -> None:
    """With a CA file the schemes change; with names each service has its own host."""
    region = Region("localhost:8443", tls=tmp_path / "ca.pem", names=True)
    assert region.ca_file == tmp_path / "ca.pem"
    assert region.api_url == "https://api.localhost:8443"
    assert region.guest_url("d") == "wss://webmessaging.localhost:8443/v1?deploymentId=d"


def test_as_text_a_region_is_the_name_that_stands_in_its_urls() -> None:
    """So that an f-string is a URL, on loopback too."""
    assert f"https://login.{Region('eu-central-1')}" == Region("mypurecloud.de").login_url
    assert f"ws://{Region('127.0.0.1:8080', tls=False)}/v1" == "ws://127.0.0.1:8080/v1"


def test_plaintext_away_from_loopback_is_refused() -> None:
    """The cloud has no plaintext port, and a secret must not go out in clear."""
    with pytest.raises(InputError, match="without TLS"):
        Region("mypurecloud.de", tls=False)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True),
        ("api.localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("[::1]", True),
        ("localhost.example.com", False),
        ("127.0.0.1.example.com", False),
        ("10.0.0.1", False),
        ("", False),
    ],
)
def test_loopback_is_told_from_lookalikes(host: str, loopback: bool) -> None:
    """Only names and addresses that mean this machine count."""
    assert is_loopback_host(host) is loopback
