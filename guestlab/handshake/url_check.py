"""Ticks or crosses every part of a URL, with the right value beside a wrong one. For display. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from guestlab.handshake.credentials import is_uuid
from guestlab.handshake.deployment_id import id_fault, is_unseen
from guestlab.handshake.evidence import Evidence
from guestlab.handshake.hosts import LABELS, HostKind
from guestlab.handshake.platform_paths import read_path
from guestlab.handshake.quoting import is_masked, quote_text, quote_url
from guestlab.handshake.reading import Reading
from guestlab.handshake.targets import Target

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["UrlCheck", "UrlPart", "check_url"]

_SERVICE = {
    Target.GUEST: ("wss", "webmessaging", "/v1"),
    Target.CHANNEL: ("wss", "streaming", "/channels/<id> of connectUri"),
    Target.TOKEN: ("https", "login", "/oauth/token"),
    Target.AUTHORIZE: ("https", "login", "/oauth/authorize"),
    Target.PLATFORM: ("https", "api", ""),
    Target.CHANNEL_API: ("https", "api", ""),
    Target.DEPLOYMENT_FILE: ("https", "api-cdn", "/webdeployments/v1/deployments/<id>/config.json"),
    Target.LEGACY: ("wss", "webmessaging", "/v1"),
}
"""Target → scheme, host label, path of the right address."""

_READ = {"deploymentId", "application"}
"""Query parameters the guest socket reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlPart:
    """One part of a URL, judged."""

    name: str
    """scheme, host, port (where it is wrong), region, path, deploymentId, or "query NAME"."""
    value: str
    """As it stands there, masked; "" when absent."""
    ok: bool
    right: str = ""
    """What it should be, when it is wrong."""
    remark: str = ""

    def __str__(self) -> str:
        mark, advice = ("✓", "") if self.ok else ("✗", f"  → {self.right}" if self.right else "")
        return f"{mark} {self.name:<14} {self.value or '(none)'}{advice}" + (
            f"  ({self.remark})" if self.remark else ""
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlCheck:
    """A URL in its parts, each ticked or crossed."""

    url: str
    """The URL, masked."""
    aimed_at: str
    """What it was aimed at, in words."""
    parts: tuple[UrlPart, ...]

    @property
    def ok(self) -> bool:
        """Whether every part is right."""
        return all(part.ok for part in self.parts)

    def __str__(self) -> str:
        return "\n".join([f"{self.url}  (aimed at {self.aimed_at})", *(f"  {part}" for part in self.parts)])


def check_url(url: str, *, method: str | None = None) -> UrlCheck:
    """Check a URL part by part.

    >>> print(check_url("wss://api.mypurecloud.de/v1?deploymentId=").parts[1])
    ✗ host           api.mypurecloud.de  → webmessaging.mypurecloud.de  (it is the Platform API)

    Args:
        url: Any address, as typed; loopback hosts are a region of one's own.
        method: For a REST call: its HTTP method.
    """
    reading = Reading(Evidence.of(url=url, method=method))
    return UrlCheck(
        url=quote_url(url), aimed_at=str(reading.target.value), parts=tuple(_parts(reading)),
    )  # fmt: skip


def _parts(reading: Reading) -> Iterator[UrlPart]:
    scheme, label, path = _SERVICE.get(reading.target, ("https", "", ""))
    yield _scheme(reading, scheme)
    if label:
        yield from _host(reading, label)
    yield _path(reading, path)
    if reading.target is Target.GUEST:
        yield _deployment(reading)
    yield from _query(reading)


def _scheme(reading: Reading, wanted: str) -> UrlPart:
    scheme = reading.address.scheme
    plain = {"wss": "ws", "https": "http"}[wanted]
    ok = scheme == wanted or (reading.is_loopback and scheme == plain)
    return UrlPart(name="scheme", value=quote_text(scheme, 20), ok=ok, right=wanted)


def _host(reading: Reading, label: str) -> Iterator[UrlPart]:
    host = reading.host
    if host is None:
        yield UrlPart(name="host", value="", ok=False, right=f"{label}.{{region}}")
        return
    shown = quote_text(host.name, 80)
    if host.is_loopback:
        yield UrlPart(name="host", value=shown, ok=True, remark="this machine: a region of one's own")
        return
    if "{" in host.name or "$" in host.name:
        seen = host.name.startswith((f"{label}.", "{", "$"))
        remark = "filled in by code" if seen else "only the region may be filled in"
        yield UrlPart(name="host", value=shown, ok=seen, right=f"{label}.{{region}}", remark=remark)
        return
    fits = host.kind is HostKind.GENESYS and host.label == label
    remark = "" if fits else host.remark or f"it is {LABELS.get(host.label, 'something else')}"
    yield UrlPart(name="host", value=shown, ok=fits, right=host.nearest(label), remark=remark)
    port = reading.address.port
    if host.is_genesys and port not in {None, 443}:
        yield UrlPart(name="port", value=str(port), ok=False, right="leave it out", remark="443 answers")
    region = host.region.name if host.region else ""
    yield UrlPart(
        name="region", value=region, ok=bool(region), right=host.hint or "the domain you sign in at"
    )


def _path(reading: Reading, wanted: str) -> UrlPart:
    path = reading.address.path
    shown = quote_text(path, 120)
    if wanted:
        fixed = wanted.partition("<")[0]
        ok = (
            path.rstrip("/") == wanted
            if fixed == wanted
            else path.startswith(fixed) and len(path) > len(fixed)
        )
        return UrlPart(name="path", value=shown, ok=ok, right=wanted)
    found = read_path(path, reading.evidence.method)
    methods = f"only for {', '.join(found.methods)}" if found.template and not found.exists else ""
    right = found.nearest or ("" if found.template else "no such path in the Platform API")
    return UrlPart(name="path", value=shown, ok=found.exists, right=right, remark=methods)


def _deployment(reading: Reading) -> UrlPart:
    value = reading.deployment_id
    wanted = "<your Messenger deployment's id>"
    if value is None and reading.query_is_unseen:
        return UrlPart(
            name="deploymentId", value="", ok=True, remark="not seen: the query is filled in by code"
        )
    if not value:
        misspelled = reading.misspelled_deployment
        remark = f"{quote_text(misspelled, 40)} is not read" if misspelled else "it must be in the query"
        return UrlPart(name="deploymentId", value="", ok=False, right=wanted, remark=remark)
    fault = id_fault(reading.deployment_ids[0])
    variable = fault is None and is_unseen(value) and not is_masked(value)
    ok = fault is None and (is_uuid(value) or is_masked(value) or variable)
    remark = "filled in by code" if variable else "" if ok else fault.cause if fault else "fill it in"
    return UrlPart(name="deploymentId", value=quote_text(value, 60), ok=ok, right=wanted, remark=remark)


def _query(reading: Reading) -> Iterator[UrlPart]:
    if reading.target not in {Target.GUEST, Target.CHANNEL, Target.TOKEN}:
        return
    allowed = _READ if reading.target is Target.GUEST else set()
    for name, value in reading.address.query[:20]:
        if name in allowed or (not value and name[:1] in {"{", "$"}):
            continue
        shown = quote_url(f"?{name}={value}").removeprefix("?").partition("=")[2]
        yield UrlPart(name=f"query {quote_text(name, 40)}", value=shown, ok=False, right="leave it out",
                      remark="nobody reads it there")  # fmt: skip
