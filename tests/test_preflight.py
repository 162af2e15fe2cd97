"""The preflight: each rung found, failed or skipped, with the one thing to do."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from typing import Any

import pytest

from guestlab import preflight
from guestlab.errors import PlatformError
from guestlab.handshake.diagnosis import diagnose
from guestlab.http import Client
from guestlab.lab import Lab
from guestlab.log import Log
from guestlab.preflight import Preflight, Rung, run_preflight
from guestlab.regions import Region
from guestlab.sandbox import Sandbox

UNKNOWN = "3d2f0c1e-0000-4000-8000-000000000001"


def _rung(found: Preflight, name: str) -> Rung:
    return next(rung for rung in found.steps if rung.name == name)


def test_all_is_well_on_the_sandbox(lab: Lab) -> None:
    """Rung by rung, in order, and the facts are there for the diagnosis."""
    found = lab.preflight()
    names = [rung.name for rung in found.steps]
    assert names == ["dns", "tcp", "tls", "config.json", "status", "domains", "features", "deployment"]
    assert found.ok, found
    assert _rung(found, "tls").state == "skipped"
    assert found.facts["deployment_status"] == "Active"
    assert found.facts["allow_all_domains"] is True
    assert all(word in _rung(found, "features").note for word in ("auto start", "clear", "attachments"))
    attempt = lab.handshake()
    assert diagnose(attempt, **found.facts).ok
    assert {str(stage) for stage in lab.log.http["stage"]} >= {"preflight"}


def test_a_preflight_opens_no_guest_socket(lab: Lab) -> None:
    """It is what comes before."""
    lab.preflight()
    assert lab.log.attempts.empty
    assert lab.log.frames.empty


def test_it_prints_and_shows_the_same(lab: Lab) -> None:
    """Word and icon in both."""
    found = lab.preflight()
    bundle = found._repr_mimebundle_()
    for text in (str(found), bundle["text/html"]):
        for word in ("config.json", "done", "skipped", "✓", "domains"):
            assert word in text
    assert "<script" not in bundle["text/html"]
    assert repr(found).startswith("<Preflight at this machine: nothing")


@pytest.mark.parametrize(
    ("switches", "rung", "note", "next_step"),
    [
        ({"status": "Inactive"}, "status", "Inactive", "Switch it on"),
        ({"messenger": False}, "status", "switched off", "Enable Messenger"),
        ({"allowed_domains": ["shop.example"]}, "domains", "shop.example", "https://shop.example"),
        ({"allowed_domains": []}, "domains", "none at all", "Add a domain"),
    ],
    ids=str,
)
def test_what_stands_in_the_way_is_named(
    switches: dict[str, Any], rung: str, note: str, next_step: str
) -> None:
    """Before any handshake fails of it."""
    with Sandbox() as sandbox:
        deployment = sandbox.deployments.add(**switches)
        with Lab(sandbox.region, deployment_id=deployment.id) as lab:
            found = lab.preflight()
    assert not found.ok
    failed = _rung(found, rung)
    assert failed.state == "failed"
    assert note in failed.note
    assert next_step in failed.next_step
    assert failed.note in found.verdict


@pytest.mark.parametrize("origin", ["https://shop.example", "https://www.SHOP.example:8443"])
def test_a_listed_origin_passes(origin: str) -> None:
    """Host name only, subdomains included, any case."""
    with Sandbox() as sandbox:
        deployment = sandbox.deployments.add(allowed_domains=["shop.example"])
        with Lab(sandbox.region, deployment_id=deployment.id, origin=origin) as lab:
            assert lab.preflight().ok


def test_facts_confirm_what_a_status_alone_cannot() -> None:
    """With the allowed domains known, the 403 is the Origin's beyond doubt."""
    with Sandbox() as sandbox:
        deployment = sandbox.deployments.add(allowed_domains=["shop.example"])
        with Lab(sandbox.region, deployment_id=deployment.id) as lab:
            facts = lab.preflight().facts
            top = diagnose(lab.handshake(), **facts).top
    assert top is not None
    assert (top.rule, top.confidence) == ("upgrade.origin-not-allowed", "confirmed")


def test_without_a_deployment_id_the_token_lists_them() -> None:
    """The token that is no use on the socket becomes the cure."""
    with Sandbox() as sandbox:
        own = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret}
        with Lab(sandbox.region, **own) as lab:
            found = lab.preflight()
        with Lab(sandbox.region) as lab:
            poor = lab.preflight()
        assert [offered.id for offered in found.deployments] == [sandbox.deployment_id]
        assert sandbox.deployment_id in _rung(found, "deployments").next_step
    assert "no token to list them" in _rung(poor, "deployments").note
    assert "client_id" in _rung(poor, "deployments").next_step


@pytest.mark.parametrize("deployment_id", ["", UNKNOWN], ids=["listing", "one"])
def test_where_it_may_not_look_the_permission_is_named(deployment_id: str) -> None:
    """And the page in Admin where to give it, or to look it up oneself."""

    async def refused() -> Any:
        raise PlatformError(
            "GET was refused: HTTP 403 missing.permissions.", why="", next_step="", http_status=403
        )

    async def go(sandbox: Sandbox) -> Preflight:
        async with Client(sandbox.region, Log()) as client:
            return await run_preflight(client, deployment_id, platform=refused)

    with Sandbox() as sandbox:
        found = asyncio.run(go(sandbox))
    assert "webDeployments:deployment:view" in found.steps[-1].next_step
    assert "Admin >" in found.steps[-1].next_step


def test_a_deployment_of_another_region_is_found_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only when asked, one region after the other."""
    monkeypatch.setattr(preflight, "BETWEEN_REGIONS", 0.0)
    with Sandbox() as here, Sandbox(seed=7) as there:

        async def go(*, search: bool, regions: tuple[Region, ...]) -> Preflight:
            async with Client(here.region, Log()) as client:
                return await run_preflight(
                    client, there.deployment_id, search_regions=search, regions=regions
                )

        both, where = (here.region, there.region), there.region.name
        unasked = asyncio.run(go(search=False, regions=both))
        found = asyncio.run(go(search=True, regions=both))
        nowhere = asyncio.run(go(search=True, regions=(here.region,)))
    assert "search_regions=True" in _rung(unasked, "regions").note
    assert _rung(found, "regions").note == f"this deployment lives in {where}"
    assert found.facts["region_of_deployment"] == where
    assert "no region" in _rung(nowhere, "regions").note
    assert nowhere.facts["deployment_status"] == "unknown"


def test_the_sandboxs_ids_are_asked_for_nowhere_else(lab: Lab) -> None:
    """A server of this machine has no other regions."""
    lab.handshakes.deployment_id = UNKNOWN
    found = lab.preflight(search_regions=True)
    assert _rung(found, "regions").state == "skipped"


@pytest.mark.parametrize(("deployment_id", "told"), [("bogus", True), (UNKNOWN, False)])
def test_an_id_that_is_no_uuid_is_told_as_such(lab: Lab, deployment_id: str, told: bool) -> None:
    """Beside that it is not known; of a UUID only that."""
    lab.handshakes.deployment_id = deployment_id
    rung = _rung(lab.preflight(), "config.json")
    assert rung.state == "failed"
    assert ("no UUID" in rung.note) is told
    assert ("Copy the id" in rung.next_step) is told


def test_a_proxy_that_is_not_there_is_what_to_correct() -> None:
    """The region is not to blame."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with Lab("mypurecloud.de", deployment_id=UNKNOWN) as lab:
        found = lab.preflight(proxy=f"http://127.0.0.1:{port}")
    assert [rung.name for rung in found.steps if rung.state == "failed"] == ["tcp"]
    assert "the proxy" in _rung(found, "tcp").note
    assert "firewall" not in _rung(found, "tcp").next_step
    assert "proxy=" in _rung(found, "tcp").next_step


def test_a_host_that_is_not_there_skips_the_rest() -> None:
    """One failure, not eight."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with Lab(f"127.0.0.1:{port}", deployment_id=UNKNOWN) as lab:
        found = lab.preflight()
    assert [rung.name for rung in found.steps if rung.state == "failed"] == ["tcp"]
    assert {rung.state for rung in found.steps[2:]} == {"skipped"}
    assert "firewall" in found.steps[1].next_step


def test_tls_is_a_rung_where_there_is_tls() -> None:
    """Verified, and refused where it is not trusted."""
    with Sandbox(tls=True) as sandbox:
        with Lab(sandbox.region, deployment_id=sandbox.deployment_id) as lab:
            assert _rung(lab.preflight(), "tls").state == "done"
        untrusted = Region(f"127.0.0.1:{sandbox.tls_port}", tls=True)
        with Lab(untrusted, deployment_id=sandbox.deployment_id) as lab:
            found = lab.preflight()
    assert _rung(found, "tls").state == "failed"
    assert "not trusted" in found.verdict


def test_hostile_documents_stay_text(lab: Lab) -> None:
    """What the CDN or the platform says is shown, never run."""
    found = lab.preflight()
    bad = replace(found.steps[0], note="<script>alert(1)</script>", state="failed")
    shown = Preflight(where="x", steps=(bad,))._repr_mimebundle_()["text/html"]
    assert "<script" not in shown
