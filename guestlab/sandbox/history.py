"""History: the guest JWT from the socket, and the REST call that takes nothing else.

`getJwt` gives a token for one minute; `GET /api/v2/webmessaging/messages` lists newest first, page by page,
ten times a minute. Typing never stands in it. A platform access token is refused like any unknown one.
Sources: official model and mobile SDK; order as three clients rely on it; life of the JWT documented.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from guestlab.sandbox.calls import Call, page_numbers
from guestlab.sandbox.frames import envelope
from guestlab.sandbox.jwts import mint
from guestlab.sandbox.refusals import Refusal
from guestlab.sandbox.windows import whole_seconds

if TYPE_CHECKING:
    from guestlab.sandbox.frames import Asked
    from guestlab.sandbox.messaging import Messaging
    from guestlab.sandbox.sessions import Connection, Session
    from guestlab.sandbox.world import World

__all__ = ["JWT_SECONDS", "HistoryTokens", "get_jwt", "messages"]

JWT_SECONDS = 60

_FIELDS = ("id", "channel", "type", "text", "content", "direction", "originatingEntity", "metadata", "events")


class HistoryTokens:
    """The guest JWTs that are alive."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._sessions: dict[str, tuple[Session, int]] = {}

    def clear(self) -> None:
        """Forget them all."""
        self._sessions.clear()

    def issue(self, session: Session) -> tuple[str, int]:
        """A new one and its expiry, in seconds since the epoch."""
        now = self._world.now()
        self._sessions = {jwt: held for jwt, held in self._sessions.items() if held[1] > now}
        expiry = int(now) + JWT_SECONDS
        jwt = mint(self._world, {"sub": session.id, "exp": expiry, "jti": self._world.new_id()})
        self._sessions[jwt] = (session, expiry)
        return jwt, expiry

    def session(self, jwt: str) -> Session | None:
        """Whose it is, while it lives."""
        held = self._sessions.get(jwt)
        return held[0] if held is not None and held[1] > self._world.now() else None

    def expire(self) -> None:
        """Let every one be over now."""
        self._sessions.clear()


def get_jwt(messaging: Messaging, connection: Connection, asked: Asked) -> int:
    """`getJwt`: works read-only too."""
    assert connection.session is not None
    jwt, expiry = messaging.history_tokens.issue(connection.session)
    connection.push(envelope("JwtResponse", {"jwt": jwt, "exp": expiry}, tracing_id=asked.tracing_id))
    return 200


async def messages(call: Call) -> dict[str, Any]:
    """`GET /api/v2/webmessaging/messages`."""
    session = call.messaging.history_tokens.session(call.bearer())
    if session is None:
        raise Refusal("bad.credentials")
    if not session.alive:
        raise Refusal("session.expired" if session.ended == "expired" else "session.not.found")
    if not session.deployment.allows(call.request.headers.get("origin")):
        raise Refusal("not.authorized")
    _spend(call, session)
    size, number = page_numbers(call)
    total = len(session.entities)
    if total == 0:
        return {"entities": [], "pageSize": 0, "pageNumber": number, "total": 0, "pageCount": 0}
    newest = total - (number - 1) * size
    chosen = session.entities[max(newest - size, 0) : max(newest, 0)]
    return {
        "entities": [_entity(call, session, entity) for entity in reversed(chosen)],
        "pageSize": size,
        "pageNumber": number,
        "total": total,
        "pageCount": -(-total // size),
    }


def _spend(call: Call, session: Session) -> None:
    limits = call.world.limits
    if limits is None:
        return
    allowed = limits.history_requests_per_minute_per_session
    wait = session.history_window.wait(call.world.now(), allowed, 60.0)
    if wait:
        headers = {"Retry-After": str(whole_seconds(wait))}
        raise Refusal("too.many.requests", headers=headers, limit=allowed, seconds=60)


def _entity(call: Call, session: Session, body: dict[str, Any]) -> dict[str, Any]:
    """A message as history shows it: no channel type, parties always there, download links fresh."""
    entity = {name: body[name] for name in _FIELDS if name in body}
    channel = {"from": {}, "to": {}, **body["channel"]}
    channel.pop("type", None)
    entity["channel"] = channel
    if any("attachment" in item for item in body.get("content", ())):
        entity["content"] = copy.deepcopy(body["content"])
        for item in entity["content"]:
            call.messaging.uploads.refresh(session, item.get("attachment"), call.origin)
    return entity
