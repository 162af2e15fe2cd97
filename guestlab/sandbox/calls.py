"""One REST call: what every service of the sandbox does the same way.

Reads the body within bounds, checks the credential, turns refusals into the platform's envelope, stamps
the correlation id on every answer and writes the line of the backend log. A service is then a function
`(call) -> Reply | dict | None`. Order of checks: route, credential, scope, permission, context (user or
client), body, lookup (level: inferred; no source gives one).
"""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from guestlab.sandbox.json_text import read_json, write_json
from guestlab.sandbox.origins import Origin
from guestlab.sandbox.refusals import Refusal
from guestlab.sandbox.windows import whole_seconds

if TYPE_CHECKING:
    from guestlab.sandbox.messaging import Messaging
    from guestlab.sandbox.operations import Operation
    from guestlab.sandbox.world import AccessToken, World

__all__ = ["CONTROL_HEADER", "Call", "Needs", "Reply", "Service", "page_numbers", "serve"]

_LOGGER = logging.getLogger("guestlab.sandbox")

# Paths whose last part is as good as a credential; the log shows none.
_SECRET_ENDS = re.compile(r"^(/upload/|/api/v2/downloads/|.*/pushdevices/).+")

BODY_LIMIT = 3 * 1024 * 1024
"""Bytes of a JSON or form body; uploads have their own."""


class Needs(StrEnum):
    """What an operation asks of the caller."""

    NOTHING = "nothing"
    TOKEN = "token"  # noqa: S105 - a kind, not a secret
    USER = "user"
    CLIENT = "client"
    GUEST = "guest"
    """A guest JWT; the operation checks it itself."""
    CONTROL = "control"
    """The sandbox's own key, for its control plane."""


CONTROL_HEADER = "Guestlab-Control-Key"


@dataclass(slots=True)
class Reply:
    """An answer: JSON unless `raw` is given."""

    document: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    media_type: str = "application/json"


@dataclass(slots=True)
class Call:
    """One request, seen by a service."""

    world: World
    messaging: Messaging
    request: Request
    origin: Origin
    correlation_id: str
    token: AccessToken | None = None
    operation: Operation | None = None
    """What the published document says of the operation; None if it has none."""
    detail: str = ""
    """A remark for the backend log."""
    _body: bytes | None = None

    @property
    def query(self) -> dict[str, str]:
        """The query parameters."""
        return dict(self.request.query_params)

    def part(self, name: str) -> str:
        """A part of the path."""
        return str(self.request.path_params[name])

    async def body(self, limit: int = BODY_LIMIT) -> bytes:
        """The whole body, at most `limit` bytes."""
        if self._body is None:
            chunks: list[bytes] = []
            size = 0
            async for chunk in self.request.stream():
                size += len(chunk)
                if size > limit:
                    raise Refusal("request.entity.too.large", limit=limit)
                chunks.append(chunk)
            self._body = b"".join(chunks)
        return self._body

    async def json(self) -> Any:
        """The body as JSON, None when it is empty."""
        body = await self.body()
        if not body.strip():
            return None
        # A body without any type is read as JSON; only one that says it is something else is refused.
        kind = self.request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind and kind != "application/json" and not kind.endswith("+json"):
            raise Refusal("unsupported.media.type")
        try:
            return read_json(body)
        except ValueError:
            raise Refusal("bad.request") from None

    async def object(self) -> dict[str, Any]:
        """The body as a JSON object."""
        document = await self.json()
        if not isinstance(document, dict):
            raise Refusal("bad.request")
        return document

    async def form(self) -> dict[str, str]:
        """The body as an urlencoded form."""
        text = (await self.body()).decode("utf-8", "replace")
        return dict(parse_qsl(text, keep_blank_values=True))

    def bearer(self) -> str:
        """The bearer credential sent, whatever it is worth."""
        scheme, _, value = self.request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not value.strip():
            raise Refusal("authentication.required")
        return value.strip()


Service = Callable[[Call], Awaitable["Reply | dict[str, Any] | None"]]


def page_numbers(call: Call) -> tuple[int, int]:
    """`pageSize` and `pageNumber` of a numbered listing."""
    return _positive(call, "pageSize", 25), _positive(call, "pageNumber", 1)


def _positive(call: Call, name: str, default: int) -> int:
    text = call.query.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:10]) <= 1_000_000:
        raise Refusal("invalid.value", value=text[:100], type=name, allowed="positive integers")
    return int(text)


def serve(
    messaging: Messaging,
    service: Service,
    *,
    name: str,
    needs: Needs,
    operation: Operation | None = None,
) -> Callable[[Request], Any]:
    """Wrap a service function as a Starlette endpoint."""
    world = messaging.world

    async def endpoint(request: Request) -> Response:
        call = Call(
            world=world,
            messaging=messaging,
            request=request,
            origin=Origin.of_scope(dict(request.scope), request.scope["headers"]),
            correlation_id=world.new_id(),
            operation=operation,
        )
        reply = await _answer(call, service, needs)
        shown = _SECRET_ENDS.sub(r"\1…", request.url.path)
        response = _response(call, reply)
        world.record(
            name,
            f"{request.method} {shown}",
            response.status_code,
            correlation_id=call.correlation_id,
            detail=call.detail,
        )
        return response

    return endpoint


async def _answer(call: Call, service: Service, needs: Needs) -> Reply:
    faults = call.messaging.faults
    if wait := faults.on_wait(call.request.url.path):
        await asyncio.sleep(wait)
    fault = faults.on_call(call.request.url.path)
    if fault is not None:
        call.detail = "fault"
        return Reply(status=fault.status, headers=dict(fault.headers))
    try:
        _authenticate(call, needs)
        _spend(call)
        answer = await service(call)
    except Refusal as refusal:
        call.detail = call.detail or refusal.code
        return Reply(refusal.envelope(call.correlation_id), refusal.status, dict(refusal.headers))
    except ClientDisconnect:
        return Reply(status=400)
    except Exception:
        _LOGGER.exception("a REST service of the sandbox failed")
        failure = Refusal("internal.server.error")
        return Reply(failure.envelope(call.correlation_id), failure.status)
    if isinstance(answer, Reply):
        return answer
    return Reply(answer) if answer is not None else Reply(status=204)


def _authenticate(call: Call, needs: Needs) -> None:
    if needs in {Needs.NOTHING, Needs.GUEST}:
        return
    if needs is Needs.CONTROL:
        given = call.request.headers.get(CONTROL_HEADER, "")
        if not secrets.compare_digest(given.encode(), call.world.control_key.encode()):
            raise Refusal("control.key.wrong", header=CONTROL_HEADER)
        return
    token = call.world.live_token(call.bearer())
    if token is None:
        raise Refusal("bad.credentials")
    call.token = token
    if call.operation is not None:
        _permit(call, token, call.operation)
    if needs is Needs.USER and token.user_id is None:
        raise Refusal("not.a.user")
    if needs is Needs.CLIENT and token.user_id is not None:
        raise Refusal("not.a.client")


def _permit(call: Call, token: AccessToken, operation: Operation) -> None:
    """Scopes bind users' tokens, permissions everybody's."""
    client = call.world.clients[token.client_id]
    if token.user_id is not None and client.scopes is not None and operation.scopes:
        # The longer scope, without `:readonly`, allows all of its area.
        areas = {scope.removesuffix(":readonly") for scope in operation.scopes}
        if not client.scopes & {*operation.scopes, *areas}:
            raise Refusal("app.not.authorized.for.scope", scope=operation.scopes[0])
    missing = [one for one in operation.permissions if not call.world.may(token, one)]
    if operation.every and missing:
        raise Refusal("missing.permissions", permissions=", ".join(missing))
    if missing and len(missing) == len(operation.permissions):
        raise Refusal("missing.any.permissions", permissions=", ".join(missing))


def _spend(call: Call) -> None:
    """Count the call against the token's budget per minute."""
    limits = call.world.limits
    if call.token is None or limits is None:
        return
    allowed = limits.platform_requests_per_minute_per_token
    wait = call.token.window.wait(call.world.now(), allowed, 60.0)
    if wait:
        raise Refusal(
            "too.many.requests",
            headers={"Retry-After": str(whole_seconds(wait))},
            limit=allowed,
            seconds=60,
        )


def _response(call: Call, reply: Reply) -> Response:
    if reply.raw is not None:
        content = reply.raw
    elif reply.document is None:
        content = b""
    else:
        content = write_json(reply.document).encode()
    response = Response(content, status_code=reply.status)
    if content:
        response.headers["Content-Type"] = reply.media_type
    response.headers["ININ-Correlation-Id"] = call.correlation_id
    response.headers["Cache-Control"] = "no-cache, no-store, must-revalidate"
    limits = call.world.limits
    if call.token is not None and limits is not None:
        used, left = call.token.window.state(call.world.now(), 60.0)
        response.headers["inin-ratelimit-count"] = str(used)
        response.headers["inin-ratelimit-allowed"] = str(limits.platform_requests_per_minute_per_token)
        response.headers["inin-ratelimit-reset"] = str(whole_seconds(left))
    for key, value in reply.headers.items():
        response.headers[key] = value
    return response
