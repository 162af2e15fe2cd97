"""Every address the sandbox answers, as tables, and the application made of them.

HTTP routes are rows of (method, path, service function, what the caller needs, name in the backend log).
A path or method in no row gets the platform's 404 envelope. WebSocket upgrades go to the gateway first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.websockets import WebSocket

from guestlab.sandbox import login, open_messaging, platform
from guestlab.sandbox.calls import Call, Needs, Reply, Service, serve
from guestlab.sandbox.gateway import Gateway, knock_of
from guestlab.sandbox.origins import Origin
from guestlab.sandbox.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

    from guestlab.sandbox.messaging import Messaging
    from guestlab.sandbox.world import World

__all__ = ["ROUTES", "Way", "application"]


async def _config(call: Call) -> Reply:
    found = call.world.deployments.find(call.part("deployment_id"))
    return Reply(found.config(call.origin)) if found else _unknown_object()


async def _domains(call: Call) -> Reply:
    found = call.world.deployments.find(call.part("deployment_id"))
    return Reply(found.domains()) if found else _unknown_object()


def _unknown_object() -> Reply:
    """The CDN's answer for an object it does not have (level: measured)."""
    body = b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code></Error>'
    return Reply(status=403, raw=body, media_type="application/xml")


@dataclass(frozen=True, slots=True)
class Way:
    """One HTTP route."""

    method: str
    path: str
    service: Service
    needs: Needs
    name: str


_T, _U, _C, _N = Needs.TOKEN, Needs.USER, Needs.CLIENT, Needs.NOTHING
_OPEN = "/api/v2/conversations/messaging/integrations/open"
_CDN = "/webdeployments/v1/deployments/{deployment_id}"
# An identifier is a UUID: `/conversations/messaging` must not pass for a conversation.
_CID = "{conversation_id:uuid}"

ROUTES: tuple[Way, ...] = (
    Way("POST", "/oauth/token", login.token, _N, "login"),
    Way("GET", "/.well-known/oauth-authorization-server", login.metadata, _N, "login"),
    Way("GET", "/api/v2/tokens/me", platform.token_me, _T, "platform"),
    Way("DELETE", "/api/v2/tokens/me", platform.revoke_token, _T, "platform"),
    Way("GET", "/api/v2/users/me", platform.user_me, _U, "platform"),
    Way("GET", "/api/v2/organizations/me", platform.organization_me, _T, "platform"),
    Way("GET", _OPEN, open_messaging.integrations, _T, "platform"),
    Way("POST", _OPEN, open_messaging.create_integration, _T, "platform"),
    Way("GET", _OPEN + "/{integration_id}", open_messaging.integration, _T, "platform"),
    Way(
        "POST",
        "/api/v2/conversations/messages/{integration_id}/inbound/open/message",
        open_messaging.inbound_message,
        _C,
        "platform",
    ),
    Way("GET", f"/api/v2/conversations/messages/{_CID}", platform.message_conversation, _T, "platform"),
    Way("GET", f"/api/v2/conversations/{_CID}", platform.conversation, _T, "platform"),
    Way("GET", "/api/v2/webdeployments/deployments", platform.deployments, _T, "platform"),
    Way("GET", "/api/v2/webdeployments/deployments/{deployment_id}", platform.deployment, _T, "platform"),
    Way("GET", _CDN + "/config.json", _config, _N, "CDN"),
    Way("GET", _CDN + "/domains.json", _domains, _N, "CDN"),
)


def application(world: World, gateway: Gateway, messaging: Messaging) -> ASGIApp:
    """The whole sandbox as one ASGI application."""
    methods: dict[str, dict[str, Callable[[Request], Any]]] = {}
    for way in ROUTES:
        endpoint = serve(world, way.service, name=way.name, needs=way.needs)
        methods.setdefault(way.path, {})[way.method] = endpoint
    missing = serve(world, _no_such_path, name="platform", needs=Needs.NOTHING)
    routes = [Route(path, _by_method(table, missing)) for path, table in methods.items()]
    router = Router(routes, redirect_slashes=False)
    router.default = _as_asgi(missing)
    http = CORSMiddleware(
        _by_host(router, missing),
        allow_origins=["*"],
        allow_methods=["*"],
        allow_headers=["*"],
        expose_headers=["ININ-Correlation-Id", "Retry-After"],
    )

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await http(scope, receive, send)
        elif scope["type"] == "websocket":
            await _upgrade(world, gateway, messaging, WebSocket(scope, receive, send))

    return app


async def _upgrade(world: World, gateway: Gateway, messaging: Messaging, socket: WebSocket) -> None:
    """Let the gateway judge; only what it opens reaches the messaging service."""
    origin = Origin.of_scope(dict(socket.scope), socket.scope["headers"])
    knock = knock_of(world, socket.url.path, dict(socket.query_params), socket.headers, origin)
    row = gateway.judge(knock)
    if row.status == 101 and knock.deployment is not None:
        await messaging.serve(socket, knock.deployment, origin)
        return
    await socket.receive()
    await socket.send_denial_response(Response(row.body, row.status, dict(row.headers)))


async def _no_such_path(call: Call) -> Reply:
    await call.body()
    raise Refusal("no.such.path")


class _by_method:  # noqa: N801 - used like a function; a class so that Route passes it every method
    def __init__(self, table: dict[str, Callable[[Request], Any]], missing: Callable[[Request], Any]) -> None:
        self._table = table
        self._missing = missing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"]
        endpoint = self._table.get("GET" if method == "HEAD" else method, self._missing)
        await _as_asgi(endpoint)(scope, receive, send)


def _as_asgi(endpoint: Callable[[Request], Any]) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        response = await endpoint(Request(scope, receive, send))
        await response(scope, receive, send)

    return app


def _by_host(router: ASGIApp, missing: Callable[[Request], Any]) -> ASGIApp:
    """A path asked of another service's host is not found there."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        origin = Origin.of_scope(dict(scope), scope["headers"])
        chosen = router if origin.serves(scope["path"]) else _as_asgi(missing)
        await chosen(scope, receive, send)

    return app
