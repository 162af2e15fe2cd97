"""The history of a guest session over REST: newest first, page by page, with the JWT of a `getJwt` frame.

`GET /api/v2/webmessaging/messages` takes no OAuth token (level: official). The order, newest first within
and across pages, is what three independent clients rely on (level: documented by none, so: inferred).
While new messages arrive, pages shift towards the end: something may be seen twice, nothing is skipped.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from guestlab.errors import NetworkError, PlatformError
from guestlab.http import Client
from guestlab.protocol.messages import Message

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from guestlab.log import Log
    from guestlab.protocol.events import JwtIssued
    from guestlab.protocol.pacing import Pacer
    from guestlab.regions import Region

__all__ = ["History"]

PAGE_SIZE = 100
"""Entities asked for at once; official helpers use 25 and 100, the maximum is undocumented."""

MOST_PAGES = 1000
"""Pages asked for: a server that never sends an empty one is not asked for ever."""

JWT_MARGIN = 5.0
"""Seconds before its expiry at which a history JWT counts as used up, as the official SDK does."""


class History:
    """Pages of one session's history.

    Args:
        region: Where to ask.
        log: Where the exchanges are recorded.
        issue_jwt: Asks the socket for a JWT.
        origin: The same `Origin` as on the socket; the deployment may restrict its domains.
        pacer: Keeps inside the budget of ten requests a minute.
        now: The clock, seconds since the epoch.
        sleep: Waits.
    """

    def __init__(
        self,
        region: Region,
        log: Log,
        issue_jwt: Callable[[], Awaitable[JwtIssued]],
        *,
        origin: str | None,
        pacer: Pacer,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._region, self._log, self._origin, self._pacer = region, log, origin, pacer
        self._issue_jwt, self._now, self._sleep = issue_jwt, now, sleep
        self._client: Client | None = None
        self._jwt: JwtIssued | None = None

    def forget_jwt(self) -> None:
        """A new `SessionResponse` came: JWTs of before are not used again, as in the official SDK."""
        self._jwt = None

    async def pages(self) -> AsyncIterator[list[Message]]:
        """Yield each page's messages, newest first, events included, until a page is empty.

        A page that is the one before once more ends it too, and so does the last of `MOST_PAGES`.

        Raises:
            PlatformError: The platform refused, such as 429 or 404 session.not.found.
            NetworkError: No answer, or one that is no page.
        """
        before: list[Any] = []
        for number in range(1, MOST_PAGES + 1):
            entities = await self._page(number)
            if not entities or entities == before:
                return
            yield [Message.from_body(entity) for entity in entities]
            before = entities
        note = f"History goes on beyond {MOST_PAGES:,} pages of {PAGE_SIZE}; the rest was not asked for."
        self._log.record("note", stage="session", note=note)

    async def aclose(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _page(self, number: int) -> list[Any]:
        jwt = await self._valid_jwt()
        await self._sleep(self._pacer.delay("history", self._now()))
        self._pacer.sent("history", self._now())
        if self._client is None:
            self._client = Client(self._region, self._log)
        headers = {"Authorization": f"Bearer {jwt}"} | ({"Origin": self._origin} if self._origin else {})
        response = await self._client.send(
            "GET",
            f"{self._region.api_url}/api/v2/webmessaging/messages",
            stage="session",
            headers=headers,
            params={"pageNumber": number, "pageSize": PAGE_SIZE},
        )
        try:
            page = json.loads(response.content)
        except (ValueError, RecursionError):
            page = None
        if response.is_success and isinstance(page, dict):
            entities = page.get("entities")
            return entities if isinstance(entities, list) else []
        if isinstance(page, dict):
            raise _refused(response.status_code, page, self._log)
        raise NetworkError(
            "The history page is not JSON.",
            why="The server there is not the Platform API, or a proxy answered in its place.",
            next_step="Look at the reply in lab.log.http.",
            evidence=(f"HTTP {response.status_code}",),
        )

    async def _valid_jwt(self) -> str:
        jwt = self._jwt
        fresh = jwt is not None and (
            jwt.expiration is None or jwt.expiration.timestamp() > self._now() + JWT_MARGIN
        )
        if jwt is None or not fresh:
            jwt = self._jwt = await self._issue_jwt()
            self._log.learn(jwt.jwt)
        return jwt.jwt


def _refused(status: int, envelope: dict[str, Any], log: Log) -> PlatformError:
    code = str(envelope.get("code", ""))
    return PlatformError(
        f"The history was refused: HTTP {status} {code}".rstrip() + ".",
        why=log.redact(str(envelope.get("message", ""))) or "The platform gave no reason.",
        next_step="Wait a minute after 429; otherwise configure the session again.",
        http_status=status,
        code=code,
        correlation_id=str(envelope.get("contextId", "")),
    )
