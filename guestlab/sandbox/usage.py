"""API usage: how often the platform was called, counted from the sandbox's own backend log.

A query is asked for first and read afterwards by its execution id. Days are UTC. In the cloud the counts
lag up to a day (level: documented), here they do not. Shapes: the OpenAPI document (level: official).
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from guestlab.sandbox.analytics import read_interval
from guestlab.sandbox.operations import operations
from guestlab.sandbox.refusals import Refusal

if TYPE_CHECKING:
    from guestlab.sandbox.backend_log import Record
    from guestlab.sandbox.calls import Call

__all__ = ["query", "results"]

_KEPT = 100
_GROUPS = {"OAuthClientId", "OrganizationId", "UserId", "TemplateUri", "HttpMethod"}
_COUNTED = {"platform", "notifications"}
"""Services of the backend log that take an OAuth token."""
_COUNTS = ("status200", "status300", "status400", "status500", "status429", "requests")


async def query(call: Call) -> dict[str, Any]:
    """`POST /api/v2/usage/query`: begin counting."""
    body = await call.object()
    read_interval(body.get("interval"))
    groups = body.get("groupBy", [])
    if not isinstance(groups, list) or not all(isinstance(one, str) and one in _GROUPS for one in groups):
        raise Refusal(
            "constraint.validation", reason=f"groupBy: some of {', '.join(sorted(_GROUPS))} are wanted"
        )
    queries = call.world.usage_queries
    identifier = call.world.new_id()
    queries[identifier] = body
    while len(queries) > _KEPT:
        queries.pop(next(iter(queries)))
    return {"executionId": identifier, "resultsUri": f"/api/v2/usage/query/{identifier}/results"}


async def results(call: Call) -> dict[str, Any]:
    """`GET /api/v2/usage/query/{executionId}/results`."""
    body = call.world.usage_queries.get(call.part("execution_id"))
    if body is None:
        raise Refusal("not.found")
    begin, end = read_interval(body["interval"])
    groups = body.get("groupBy", [])
    counted: dict[tuple[str, ...], Counter[str]] = {}
    for record in call.world.log.snapshot():
        method, _, path = record.what.partition(" ")
        if record.service in _COUNTED and begin <= record.at.timestamp() < end:
            key = _key(record, method, path, groups)
            counted.setdefault(key, Counter()).update(_counts(record.status))
    return {"queryStatus": "Complete", "results": [_row(call, key, count) for key, count in counted.items()]}


def _key(record: Record, method: str, path: str, groups: list[str]) -> tuple[str, ...]:
    template = _template(method, path) if "TemplateUri" in groups else ""
    return record.at.strftime("%Y-%m-%d"), template, method if "HttpMethod" in groups else ""


def _row(call: Call, key: tuple[str, ...], count: Counter[str]) -> dict[str, Any]:
    day, template, method = key
    row: dict[str, Any] = {"organizationId": call.world.organization_id, "date": f"{day}T00:00:00.000Z"}
    if template:
        row["templateUri"] = template
    if method:
        row["httpMethod"] = method
    return row | {name: count[name] for name in _COUNTS}


def _counts(status: int) -> list[str]:
    """A 429 counts among the 4xx too, as published."""
    kinds = ["requests", f"status{status // 100}00"]
    return [*kinds, "status429"] if status == 429 else kinds


def _template(method: str, path: str) -> str:
    """The path with its parts named, as usage shows it: without the leading slash."""
    parts = path.split("/")
    for operation in operations().values():
        wanted = operation.path.split("/")
        if operation.method == method and len(wanted) == len(parts) and all(map(_part_fits, wanted, parts)):
            return operation.path.lstrip("/")
    return path.lstrip("/")


def _part_fits(wanted: str, part: str) -> bool:
    return wanted.startswith("{") or wanted == part
