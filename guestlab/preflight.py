"""The preflight: what can be known about a deployment before any socket is opened, rung by rung.

Name, port and TLS of the guest socket's host; the public documents of the deployment (`config.json`,
`domains.json`: no credential needed); and, where there is an access token, what the Platform API says of it.
Here the token that is no use on the socket becomes the cure: without a deployment id it lists those there
are. A rung that fails skips what stands on it, and says the one thing to do. `Preflight.facts` goes into
`perform(..., facts=...)` and `diagnose(..., **facts)`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from guestlab.errors import GuestlabError, PlatformError
from guestlab.handshake.address import Address
from guestlab.handshake.credentials import is_uuid
from guestlab.handshake.dialling import Dial, find_proxy, run_step
from guestlab.http import json_object
from guestlab.regions import REGIONS, Region
from guestlab.style import look
from guestlab.visible import visible

if TYPE_CHECKING:
    from guestlab.http import Client
    from guestlab.platform_api import PlatformApi

__all__ = ["OfferedDeployment", "Preflight", "Rung", "allowed_domains", "run_preflight"]

PERMISSION = "webDeployments:deployment:view"
ADMIN = "Admin > Message > Messenger Deployments"
BETWEEN_REGIONS = 0.2
"""Seconds between two regions that are asked for a deployment."""

DONE, FAILED, SKIPPED = "done", "failed", "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One thing looked at."""

    name: str
    state: str
    """done, failed or skipped."""
    note: str
    """What was found, in one line."""
    next_step: str = ""
    """The one thing to do, where there is one."""
    duration_ms: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether it stands in nobody's way."""
        return self.state != FAILED

    def __str__(self) -> str:
        state = look(self.state)
        line = f"{state.icon} {self.name:<12} {state.word:<8} {self.duration_ms:8.1f} ms  {self.note}"
        return f"{line}\n{'':>14}next: {self.next_step}" if self.next_step else line


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedDeployment:
    """A deployment of the organisation, as the Platform API lists it."""

    id: str
    name: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Preflight:
    """What was found. Print it, or show it in a notebook."""

    where: str
    steps: tuple[Rung, ...]
    facts: dict[str, Any] = field(default_factory=dict)
    """What is known of the deployment, by the names the diagnosis uses."""
    deployments: tuple[OfferedDeployment, ...] = ()
    """The organisation's deployments, where they were listed."""

    @property
    def ok(self) -> bool:
        """Whether nothing stands in the way of a handshake."""
        return all(rung.ok for rung in self.steps)

    @property
    def verdict(self) -> str:
        """One line: go, or the first thing to do."""
        failed = next((rung for rung in self.steps if not rung.ok), None)
        if failed is None:
            return "nothing stands in the way of a handshake"
        return f"{failed.name} failed: {failed.note}"

    def document(self) -> dict[str, Any]:
        """Everything found, as plain values for JSON."""
        return {
            "ok": self.ok,
            "verdict": self.verdict,
            "facts": {
                name: list(value) if isinstance(value, tuple) else value for name, value in self.facts.items()
            },
            "steps": [{**asdict(rung), "duration_ms": round(rung.duration_ms, 1)} for rung in self.steps],
            "deployments": [asdict(offered) for offered in self.deployments],
        }

    def __repr__(self) -> str:
        return f"<Preflight at {self.where}: {self.verdict}>"

    def __str__(self) -> str:
        return "\n".join(
            [f"Preflight at {self.where}: {self.verdict}", *(f"  {rung}" for rung in self.steps)]
        )

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        from guestlab.display import preflight_html

        return {"text/plain": visible(str(self)), "text/html": preflight_html(self)}


async def allowed_domains(client: Client, region: Region, deployment_id: str) -> tuple[str, ...]:
    """The deployment's allowed domains from its public `domains.json`; () when none, or no answer."""
    try:
        response = await client.send("GET", region.domains_url(deployment_id), stage="preflight")
    except GuestlabError:
        return ()
    found = json_object(response.content).get("allowedDomains") if response.is_success else None
    return tuple(str(name) for name in found) if isinstance(found, list) else ()


async def run_preflight(
    client: Client,
    deployment_id: str,
    *,
    origin: str | None = None,
    platform: Callable[[], Awaitable[PlatformApi]] | None = None,
    search_regions: bool = False,
    regions: Sequence[Region] = REGIONS,
    proxy: str | None = None,
) -> Preflight:
    """Climb the ladder. Whatever is found is an outcome, not an error.

    Args:
        client: HTTP for the region; its log records everything.
        deployment_id: The deployment's id; "" when it is not known.
        origin: The `Origin` the handshake will send, to be held against the allowed domains.
        platform: Makes a Platform API with an access token; None where there are no client credentials.
        search_regions: Ask the other regions' public CDN when this one does not know the deployment.
        regions: The regions to search.
        proxy: As for an attempt.
    """
    ladder = _Ladder(client, deployment_id, origin)
    if await ladder.reach(proxy):
        await ladder.documents()
        if not ladder.config:
            await ladder.search(regions if search_regions else None)
        await ladder.administration(platform)
    else:
        for name in ("config.json", "status", "domains", "features", "deployment"):
            ladder.skip(name, "the host cannot be reached")
    return Preflight(
        where="this machine" if client.region.is_loopback else client.region.name,
        steps=tuple(ladder.rungs),
        facts=ladder.facts,
        deployments=ladder.offered,
    )


class _Ladder:
    """The rungs so far, and what they found."""

    def __init__(self, client: Client, deployment_id: str, origin: str | None) -> None:
        self.client, self.region, self.log = client, client.region, client.log
        self.deployment_id, self.origin = deployment_id, origin
        self.rungs: list[Rung] = []
        self.facts: dict[str, Any] = {}
        self.config: dict[str, Any] = {}
        self.offered: tuple[OfferedDeployment, ...] = ()

    def add(self, name: str, state: str, note: str, next_step: str = "", ms: float = 0.0) -> None:
        """Add a rung; text from the wire is redacted and kept short."""
        note = self.log.redact(note)[:400]
        self.rungs.append(Rung(name=name, state=state, note=note, next_step=next_step, duration_ms=ms))

    def skip(self, name: str, why: str) -> None:
        """Add a rung that was not climbed."""
        self.add(name, SKIPPED, why)

    async def reach(self, proxy: str | None) -> bool:
        """Name, port and TLS of the guest socket's host."""
        url = urlsplit(self.region.guest_url(""))
        secure, host = url.scheme == "wss", url.hostname or ""
        way = find_proxy(host, secure=secure, named=proxy, log=self.log)
        dial = Dial(
            host, url.port or (443 if secure else 80), log=self.log, ca_file=self.region.ca_file, proxy=way
        )
        steps = [("dns", dial.dns), ("tcp", dial.tcp), *([("tls", dial.tls)] if secure else [])]
        try:
            for name, step in steps:
                done = await run_step(name, step, log=self.log)
                self.log.record(
                    "step",
                    stage="preflight",
                    step=name,
                    latency_ms=done.duration_ms,
                    ok=done.ok,
                    note=done.note,
                )
                by_proxy = _OTHER_PROXY if done.note.startswith("the proxy") else ""
                known = _NAME_IS_RIGHT if name == "dns" and not self.region.is_loopback else ""
                advice = "" if done.ok else by_proxy or known or _REACHING[name]
                self.add(name, DONE if done.ok else FAILED, done.note, advice, done.duration_ms)
                if not done.ok:
                    return False
        finally:
            await dial.aclose()
        if not secure:
            self.skip("tls", "plaintext on this machine")
        return True

    async def documents(self) -> None:
        """The deployment's public documents: found in this region, active, who may connect, what it can."""
        if not self.deployment_id:
            self.skip("config.json", "there is no deployment id to look up")
            return
        response, ms = await self._get(self.region.config_url(self.deployment_id), "config.json")
        if response is None:
            return
        self.config = json_object(response.content) if response.is_success else {}
        if not self.config:
            note, advice = _absent(response.status_code), _COMPARE
            if not is_uuid(self.deployment_id):
                note, advice = f"{note}; and it is no UUID, as every deployment id is", _COPY_IT
            self.add("config.json", FAILED, note, advice, ms)
            return
        self.facts["region_of_deployment"] = self.region.name
        self.add(
            "config.json",
            DONE,
            f"version {self.config.get('version', '?')}, {_languages(self.config)}",
            ms=ms,
        )
        self._status()
        await self._domains()
        self.add("features", DONE, _features(self.config))

    def _status(self) -> None:
        status = str(self.config.get("status", "?"))
        self.facts["deployment_status"] = status
        if status != "Active":
            self.add("status", FAILED, f"the deployment is {status}", f"Switch it on in {ADMIN}.")
        elif _at(self.config, "messenger", "enabled") is False:
            advice = "Enable Messenger in the deployment's configuration and publish it."
            self.add("status", FAILED, "the deployment is Active, but its messenger is switched off", advice)
        else:
            self.add("status", DONE, "the deployment is Active")

    async def _domains(self) -> None:
        response, ms = await self._get(self.region.domains_url(self.deployment_id), "domains")
        if response is None:
            return
        document = json_object(response.content) if response.is_success else {}
        if not document:
            self.skip("domains", f"domains.json is not there: HTTP {response.status_code} (lane http)")
            return
        everyone = bool(document.get("allowAllDomains"))
        listed = document.get("allowedDomains")
        domains = tuple(str(name) for name in listed) if isinstance(listed, list) else ()
        self.facts |= {"allow_all_domains": everyone, "allowed_domains": domains}
        if everyone:
            self.add("domains", DONE, "every domain is let in; no Origin is needed", ms=ms)
            return
        names = ", ".join(domains[:8]) or "none at all"
        sent = f"Origin {self.origin}" if self.origin else "no Origin"
        if self.origin and _is_listed(self.origin, domains):
            self.add("domains", DONE, f"lets in {names}; {sent} is one of them", ms=ms)
            return
        advice = (
            f'Pass origin="https://{domains[0].removeprefix("*.")}".'
            if domains
            else f"Add a domain to the deployment in {ADMIN}."
        )
        self.add("domains", FAILED, f"lets in {names}; {sent} is sent", advice, ms)

    async def search(self, regions: Sequence[Region] | None) -> None:
        """Look for the deployment in the other regions, one after the other."""
        if not self.deployment_id or any(rung.name == "config.json" and rung.ok for rung in self.rungs):
            return
        if regions is None:
            self.skip("regions", "not searched; search_regions=True asks the other regions' public CDN")
            return
        if self.region.is_loopback and regions is REGIONS:
            self.skip("regions", "a server of this machine has no other regions")
            return
        started = time.monotonic_ns()
        found = await self._region_of(regions)
        ms = (time.monotonic_ns() - started) / 1e6
        if found is None:
            self.facts["deployment_status"] = "unknown"
            self.add("regions", FAILED, "no region's CDN knows this deployment", _COMPARE, ms)
            return
        self.facts["region_of_deployment"] = found
        advice = f'Use gl.Lab("{found}", deployment_id=...).'
        self.add("regions", FAILED, f"this deployment lives in {found}", advice, ms)

    async def _region_of(self, regions: Sequence[Region]) -> str | None:
        for region in regions:
            if region.name == self.region.name:
                continue
            await asyncio.sleep(BETWEEN_REGIONS)
            try:
                response = await self.client.send(
                    "GET", region.config_url(self.deployment_id), stage="preflight"
                )
            except GuestlabError:
                continue
            if response.is_success and json_object(response.content).get("id"):
                return region.name
        return None

    async def administration(self, platform: Callable[[], Awaitable[PlatformApi]] | None) -> None:
        """What the Platform API says: of this deployment, or which deployments there are."""
        name = "deployment" if self.deployment_id else "deployments"
        if platform is None:
            if self.deployment_id:
                self.skip(name, "no client credentials, so the Platform API was not asked")
            else:
                self.add(name, FAILED, "there is no deployment id, and no token to list them", _COPY_IT)
            return
        started = time.monotonic_ns()
        try:
            api = await platform()
            note, state, advice = await (self._one(api) if self.deployment_id else self._all(api))
        except GuestlabError as error:
            note, state, advice = error.what, FAILED, error.next_step
            if isinstance(error, PlatformError) and error.http_status == 403:
                advice = (
                    f"Give a role of the OAuth client the permission {PERMISSION} (Admin > Integrations > "
                    f"OAuth > Roles), or look it up in {ADMIN}."
                )
        self.add(name, state, note, advice, (time.monotonic_ns() - started) / 1e6)

    async def _one(self, api: PlatformApi) -> tuple[str, str, str]:
        path = f"/api/v2/webdeployments/deployments/{quote(self.deployment_id, safe='')}"
        document = await api.request("GET", path, stage="preflight")
        document = document if isinstance(document, dict) else {}
        status = str(document.get("status", "?"))
        self.facts["deployment_status"] = status
        flow = _at(document, "flow", "name") or _at(document, "flow", "id")
        note = f"{document.get('name', '?')}: {status}; message flow: {flow or 'none named'}"
        if status != "Active":
            return note, FAILED, f"Switch it on in {ADMIN}."
        return note, DONE, "" if flow else f"Attach an inbound message flow in {ADMIN}, if routing is wanted."

    async def _all(self, api: PlatformApi) -> tuple[str, str, str]:
        page = await api.request("GET", "/api/v2/webdeployments/deployments", stage="preflight")
        entities = page.get("entities") if isinstance(page, dict) else None
        self.offered = tuple(
            OfferedDeployment(
                id=str(entity["id"]), name=str(entity.get("name", "")), status=str(entity.get("status", "?"))
            )
            for entity in entities or ()
            if isinstance(entity, dict) and entity.get("id")
        )
        if not self.offered:
            return "the organisation has no messenger deployment", FAILED, f"Make one in {ADMIN}."
        names = "; ".join(f"{one.name} ({one.status}) {one.id}" for one in self.offered[:10])
        best = next((one for one in self.offered if one.status == "Active"), self.offered[0])
        return f"there are {len(self.offered)}: {names}", FAILED, f'Choose one: deployment_id="{best.id}".'

    async def _get(self, url: str, rung: str) -> tuple[Any, float]:
        """Fetch a public document; a failure of the network becomes the rung."""
        started = time.monotonic_ns()
        try:
            response = await self.client.send("GET", url, stage="preflight")
        except GuestlabError as error:
            self.add(rung, FAILED, f"{error.what} {error.why}", error.next_step)
            return None, 0.0
        return response, (time.monotonic_ns() - started) / 1e6


_REACHING = {
    "dns": "Check the region's domain (gl.REGIONS lists all 18) and this machine's network.",
    "tcp": "Check whether a firewall or proxy stands between; pass proxy= or set HTTPS_PROXY.",
    "tls": "Give your company's CA: ca_file=, or the environment's SSL_CERT_FILE.",
}
_OTHER_PROXY = 'Correct the proxy (proxy= or HTTPS_PROXY), or go straight: proxy="".'
_NAME_IS_RIGHT = "The region is known, so look at this machine's DNS and network, or pass proxy=."
_COMPARE = f"Compare the id, and the region, with {ADMIN}."
_COPY_IT = f"Copy the id from {ADMIN}, or give client_id and client_secret to have them listed."


def _absent(status: int) -> str:
    return (
        f"HTTP {status} (lane http): this region's CDN does not know the deployment "
        "(it answers 403 for an unknown id; level: measured)"
    )


def _is_listed(origin: str, domains: tuple[str, ...]) -> bool:
    """As Messenger compares: host name only, the same or below an entry, any case."""
    host = _host(origin)
    entries = [_host(domain.removeprefix("*.")) for domain in domains]
    return any(entry and (host == entry or host.endswith("." + entry)) for entry in entries)


def _host(text: str) -> str:
    return Address.of(text if "//" in text else f"//{text}").host.lower()


def _languages(config: dict[str, Any]) -> str:
    languages = config.get("languages")
    return ", ".join(map(str, languages[:5])) if isinstance(languages, list) else "no languages"


def _features(config: dict[str, Any]) -> str:
    conversations = ("messenger", "apps", "conversations")
    disconnect = _at(config, *conversations, "conversationDisconnect")
    ends = _at(config, *conversations, "conversationDisconnect", "type")
    shown = {
        "auto start": _at(config, *conversations, "autoStart", "enabled"),
        "clear": _at(config, *conversations, "conversationClear", "enabled"),
        "attachments": _at(config, "messenger", "fileUpload", "enableAttachments"),
        "sign-in": _at(config, "auth", "enabled"),
        "step-up": _at(config, "auth", "allowSessionUpgrade"),
    }
    words = [f"{name} {'on' if value else 'off'}" for name, value in shown.items()]
    enabled = isinstance(disconnect, dict) and disconnect.get("enabled")
    return ", ".join([*words, f"disconnect {str(ends)[:20] if enabled else 'not shown'}"])


def _at(document: Any, *path: str) -> Any:
    for key in path:
        document = document.get(key) if isinstance(document, dict) else None
    return document
