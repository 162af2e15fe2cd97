"""The front door of the guest socket: judges an upgrade before any service sees it.

A table, judged from the top; the first row whose condition holds answers. What the cloud refuses here
never reaches a backend and stands in no log of it. Each row says how well its answer is known. A token of
any kind, in the query, a header, a cookie or a subprotocol, plays no part: nothing here reads one.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from guestlab.sandbox.deployments import Deployment
    from guestlab.sandbox.observed import Observed
    from guestlab.sandbox.origins import Origin
    from guestlab.sandbox.world import World

from guestlab.errors import SandboxError

__all__ = ["TABLE", "Gateway", "Knock", "Row", "knock_of"]

DENY = "User is not authorized to access this resource with an explicit deny"
"""The text an official mobile SDK's developers quote for a refused deployment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Knock:
    """An upgrade request at the guest socket's door."""

    path: str
    origin: Origin
    deployment_id: str
    header_origin: str | None
    deployment: Deployment | None
    over_rate: Callable[[], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One condition and its answer."""

    condition: str
    when: str
    holds: Callable[[Knock], bool]
    status: int
    body: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    seen: bool = False
    """Whether a backend, and so the cloud's logs, ever sees the attempt."""
    level: str = "inferred"
    source: str = ""

    def __repr__(self) -> str:
        return f"Row({self.condition}: {self.status}, {'seen' if self.seen else 'not seen'}, {self.level})"


def _unknown(knock: Knock) -> bool:
    return knock.deployment is None


def _inactive(knock: Knock) -> bool:
    found = knock.deployment
    return found is not None and (found.status != "Active" or not found.messenger)


def _blocked(knock: Knock) -> bool:
    return knock.deployment is not None and not knock.deployment.allows(knock.header_origin)


_TEXT = (("Content-Type", "text/plain"),)

TABLE: tuple[Row, ...] = (
    Row(
        condition="path.unknown",
        when="the path is not /v1, or the host is another service's",
        holds=lambda knock: knock.path != "/v1" or not knock.origin.serves("/v1"),
        status=404,
        source="no official client asks for another path; the status is the plain meaning of HTTP",
    ),
    Row(
        condition="deployment.missing",
        when="the query has no deploymentId, or an empty one",
        holds=lambda knock: not knock.deployment_id,
        status=401,
        source="the gateway family's vendor: identity source missing or empty → 401, authorizer not called, "
        "call not logged",
    ),
    Row(
        condition="deployment.unknown",
        when="no deployment has this id in this region",
        holds=_unknown,
        status=403,
        body=DENY,
        headers=_TEXT,
        level="documented",
        source="genesys-messenger-transport-mobile-sdk: refused at the upgrade, 403 is terminal",
    ),
    Row(
        condition="deployment.inactive",
        when="the deployment is not Active, or its messenger is switched off",
        holds=_inactive,
        status=403,
        body=DENY,
        headers=_TEXT,
        source="the mobile SDK's text for 403 names feature toggles and configuration",
    ),
    Row(
        condition="origin.blocked",
        when="the deployment lists domains and the Origin header is absent or none of them",
        holds=_blocked,
        status=403,
        body=DENY,
        headers=_TEXT,
        source="the restriction is documented, its status is not",
    ),
    Row(
        condition="connections.too-many",
        when="the deployment's connections per minute are used up",
        holds=lambda knock: knock.over_rate(),
        status=429,
        headers=(("Retry-After", "60"),),
        source="the limit (1000 per minute) is documented, its status is not",
    ),
    Row(
        condition="open",
        when="none of the above: whatever credential came along is ignored",
        holds=lambda _: True,
        status=101,
        seen=True,
        level="documented",
        source="no official client sends a credential with the upgrade; it opens for them all",
    ),
)


class Gateway(Sequence[Row]):
    """The table of one sandbox; each row's answer can be set otherwise."""

    def __init__(self) -> None:
        self._rows = self._own = TABLE

    def __repr__(self) -> str:
        return f"Gateway({', '.join(f'{row.condition}: {row.status}' for row in self._rows)})"

    def set(self, condition: str, **answer: Any) -> None:
        """Answer a condition otherwise.

        Args:
            condition: The row, such as "deployment.missing".
            answer: `status`, `body` or `headers`.

        Raises:
            SandboxError: No such row, or no such part of an answer.
        """
        conditions = [row.condition for row in self._rows]
        if condition not in conditions:
            close = difflib.get_close_matches(condition, conditions, n=1)
            raise SandboxError(
                f"The gateway's table has no row {condition!r}.",
                why=f"It has {', '.join(conditions)}.",
                next_step=f"Did you mean {close[0]}?" if close else "Take one of these.",
            )
        unknown = set(answer) - {"status", "body", "headers"}
        if unknown:
            raise SandboxError(
                f"A row's answer cannot have {', '.join(sorted(unknown))}.",
                why="It has status, body and headers.",
                next_step="Leave the others out.",
            )
        self._rows = tuple(
            replace(row, **answer, level="set by hand", source="sandbox.gateway.set")
            if row.condition == condition
            else row
            for row in self._rows
        )

    def replay(self, observed: Observed) -> None:
        """Answer as a recorded probe was answered, after a reset too."""
        self._rows = self._own = tuple(
            replace(
                row,
                status=answer.status,
                body=answer.body,
                headers=answer.headers,
                seen=answer.status == 101,
                level="measured",
                source=observed.source,
            )
            if (answer := observed.answers.get(row.condition)) is not None
            else row
            for row in TABLE
        )

    def reset(self) -> None:
        """Return to the table as it came."""
        self._rows = self._own

    def judge(self, knock: Knock) -> Row:
        """The row that answers."""
        return next(row for row in self._rows if row.holds(knock))

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            return next(row for row in self._rows if row.condition == key)
        return self._rows[key]

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows)


def knock_of(world: World, path: str, query: dict[str, str], headers: Any, origin: Origin) -> Knock:
    """Read what the table judges from a request."""
    deployment_id = query.get("deploymentId", "").strip()
    deployment = world.deployments.find(deployment_id)
    return Knock(
        path=path,
        origin=origin,
        deployment_id=deployment_id,
        header_origin=headers.get("origin"),
        deployment=deployment,
        over_rate=lambda: deployment is not None and world.over_connection_rate(deployment),
    )
