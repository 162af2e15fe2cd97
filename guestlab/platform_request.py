"""One Platform API request: guarded against accidental writes, waited for, its answer decoded.

What every call of `platform_api.py` shares, and nothing of what they mean. A request that only reads is
sent again after 429 (as long as `Retry-After` says) and after 502, 503 and 504, within a bound; a write
never is. Refusals become errors in `platform_refusals.py`.
"""

from __future__ import annotations

import asyncio
import json as json_
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlsplit

from guestlab.errors import InputError, NetworkError
from guestlab.platform_operations import LABS_OWN_WRITES, allowed_writes, operation_of
from guestlab.platform_refusals import refusal
from guestlab.protocol.transcripts import file_keys

if TYPE_CHECKING:
    from guestlab.http import Auth, Client, Response
    from guestlab.platform_operations import Operation

__all__ = ["PlatformRequests", "entities_of", "part"]

PATIENCE = 75.0
"""Seconds a reading call waits in all before a 429 becomes an error: the budgets are per minute."""

SHORTEST_DELAY = 0.25
"""Seconds between two tries at least: with `Retry-After: 0` it would be asked without a pause, for ever."""

_BUSY = frozenset({429, 502, 503, 504})
_LAST_PAGE = 10_000
"""No listing is followed further than this."""


class PlatformRequests:
    """Requests to the Platform API of one region.

    Args:
        client: The HTTP client; its log records every exchange.
        auth: An authentication flow that keeps its token fresh.
        writes: Names of the writes allowed away from loopback (`guestlab.platform_operations.WRITES`);
            by default what the lab's own verbs do. On loopback everything is allowed.
        patience: Seconds a reading call waits in all for a busy platform.
        sleep: Waits.
    """

    def __init__(
        self,
        client: Client,
        auth: Auth,
        *,
        writes: Iterable[str] = LABS_OWN_WRITES,
        patience: float = PATIENCE,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._client, self._auth, self._region = client, auth, client.region
        self._writes = allowed_writes(writes)
        self._patience, self._sleep = patience, sleep

    async def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        query: dict[str, Any] | None = None,
        stage: str = "conversation",
        writes: bool = False,
        **content: Any,
    ) -> Any:
        """Call any Platform API path and return its decoded JSON body, or None when it is empty.

        Args:
            method: The HTTP method.
            path: Below the API host, such as "/api/v2/users/me".
            json: The body.
            query: The query; a value may be a list.
            stage: The lab's stage this belongs to, for the log.
            writes: This call is meant to change something: sends a write that was not allowed by name.
            content: `params`, `headers`, as httpx takes them.

        Raises:
            InputError: A path that is none, or a write that nobody allowed.
            PlatformError: The platform answered with its error envelope.
            NetworkError: No answer, or one that is not the platform's.
        """
        response = await self._exchange(
            method, path, json=json, query=query, stage=stage, writes=writes, **content
        )
        return self._document(response, method, path)

    async def pages(self, path: str, **params: Any) -> AsyncIterator[dict[str, Any]]:
        """Iterate over the entities of a listing, page by page, numbered or by cursor."""
        number, query = 1, dict(params)
        while True:
            page = _object(await self.request("GET", path, query=query))
            found = entities_of(page)
            for entity in found:
                yield entity
            following = _following(page, path, number)
            number += 1
            if following is None or not found or number > _LAST_PAGE:
                return
            query = {**params, **following}

    async def _exchange(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        query: dict[str, Any] | None = None,
        stage: str = "conversation",
        writes: bool = False,
        **content: Any,
    ) -> Response:
        """Send one request, and send it again while the platform is busy and asking changes nothing."""
        _check_path(path)
        operation = operation_of(method, path)
        self._check_allowed(operation, writes=writes)
        if json is not None:
            content["json"] = json
        if query is not None:
            content["params"] = query
        waited, tries = 0.0, 0
        while True:
            response = await self._client.send(
                method, self._region.api_url + path, stage=stage, auth=self._auth, **content
            )
            if response.status_code not in _BUSY or operation.writes:
                return response
            delay = max(_delay(response, tries), SHORTEST_DELAY)
            if waited + delay > self._patience:
                return response
            note = f"HTTP {response.status_code} (lane http): asked again after {delay:g} s."
            self._client.log.record("note", stage=stage, note=note)
            await self._sleep(delay)
            waited, tries = waited + delay, tries + 1

    def _check_allowed(self, operation: Operation, *, writes: bool) -> None:
        if not operation.writes or writes or self._region.is_loopback or operation.name in self._writes:
            return
        raise InputError(
            f"{operation.name!r} would change something in {self._region.name}, and nobody allowed it.",
            why="Away from the sandbox the lab changes nothing that was not asked for by name.",
            next_step=f'Allow it by name: lab.platform(writes=["{operation.name}"]).',
        )

    def _document(self, response: Response, method: str, path: str) -> Any:
        redact = self._client.log.redact
        try:
            document = json_.loads(response.content) if response.content else None
        except (ValueError, RecursionError):
            document = response.content
        if isinstance(document, bytes) and (response.is_success or b"<" in document[:512]):
            raise NetworkError(
                f"{method} {path} was answered with something other than JSON.",
                why="The server there is not the Platform API, or a proxy answered in its place.",
                next_step=f"Check the region: the API host is {self._region.api_url}.",
                evidence=(_status_line(response), redact(document[:200].decode("utf-8", "replace"))),
            )
        if response.is_success:
            if b"://" in response.content:  # before rows, tables and exports are made of it
                self._client.log.learn(*file_keys(document))
            return document
        raise refusal(
            method,
            path,
            response.status_code,
            document if isinstance(document, dict) else {},
            correlation_id=response.headers.get("inin-correlation-id", ""),
            redact=redact,
        )


def part(value: str) -> str:
    """Write an id as one part of a path.

    >>> part("a/b")
    'a%2Fb'

    Raises:
        InputError: It cannot be one.
    """
    if not isinstance(value, str) or not value.strip() or value in {".", ".."}:
        raise InputError(
            f"{value!r} is no id.",
            why="It becomes a part of the path, and a path with it would name something else.",
            next_step="Give the id as the platform shows it.",
        )
    return quote(value, safe="")


def entities_of(page: Any) -> list[dict[str, Any]]:
    """The entities of a listing's page that are objects."""
    entities = page.get("entities") if isinstance(page, dict) else None
    return [entity for entity in entities if isinstance(entity, dict)] if isinstance(entities, list) else []


def _following(page: dict[str, Any], path: str, number: int) -> dict[str, str | int] | None:
    """The query of the next page: a numbered listing counts, one by cursor names its next address."""
    count = page.get("pageCount")
    if isinstance(count, int):
        return {"pageNumber": number + 1} if number < count else None
    address = page.get("nextUri")
    if not isinstance(address, str) or urlsplit(address).path != path:
        return None
    return dict(parse_qsl(urlsplit(address).query)) or None


def _delay(response: Response, tries: int) -> float:
    """How long to wait: as told, else 1, 2, 4 … seconds. A date in `Retry-After` is not read."""
    told = response.headers.get("retry-after", "").strip()
    if told.isascii() and told.isdigit():
        return float(min(int(told[:9]), 10**9))
    return float(2 ** min(tries, 6))


def _check_path(path: str) -> None:
    bare = path.partition("?")[0]
    if not bare.startswith("/api/v2/"):
        raise InputError(
            f"{path!r} is no Platform API path.",
            why="Every path of the Platform API begins with /api/v2/.",
            next_step="Give the path without host, such as /api/v2/tokens/me.",
        )
    if any(segment in {".", ".."} for segment in bare.lower().replace("%2e", ".").split("/")):
        raise InputError(
            f"{path!r} goes up a folder.",
            why="With . or .. in it a path names another operation than it seems to.",
            next_step="Write the path out.",
        )


def _status_line(response: Response) -> str:
    return f"HTTP {response.status_code}, {response.headers.get('content-type', 'no content type')}"


def _object(document: Any) -> dict[str, Any]:
    if isinstance(document, dict):
        return document
    raise NetworkError(
        "The platform's answer is not a JSON object.",
        why="This call answers with an object; what came is something else.",
        next_step="Look at the reply in lab.log.http.",
    )
