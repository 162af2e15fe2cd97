"""Every address the sandbox answers, as tables, and the application made of them.

HTTP routes are rows of (method, path, service function, what the caller needs, name in the backend log).
A path or method in no row gets the platform's 404 envelope. WebSocket upgrades go to the gateway first,
unless another service has the path (`SOCKETS`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, NamedTuple

from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.websockets import WebSocket

from guestlab.regions import is_loopback_host
from guestlab.sandbox import (
    agent_rest,
    agentless,
    analytics,
    attachments,
    authorize,
    cdn,
    channel_calls,
    configurations,
    control,
    deployment_calls,
    history,
    legacy,
    login,
    open_messaging,
    openid,
    platform,
    push_devices,
    recordings,
    sign_ins,
    usage,
)
from guestlab.sandbox.calls import Call, Needs, Reply, Service, serve
from guestlab.sandbox.channels import attend
from guestlab.sandbox.gateway import knock_of
from guestlab.sandbox.operations import find_operation
from guestlab.sandbox.origins import Origin
from guestlab.sandbox.refusals import Refusal

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from guestlab.sandbox.messaging import Messaging

__all__ = ["ROUTES", "SOCKETS", "Way", "application"]


class Way(NamedTuple):
    """One HTTP route."""

    method: str
    path: str
    service: Service
    needs: Needs
    name: str


_T, _U, _C, _N, _G = Needs.TOKEN, Needs.USER, Needs.CLIENT, Needs.NOTHING, Needs.GUEST
_K = Needs.CONTROL
_API = "/api/v2"
# An identifier is a UUID: `/conversations/messaging` must not pass for a conversation.
_CONVERSATION = f"{_API}/conversations/{{conversation_id:uuid}}"
_MESSAGES = f"{_API}/conversations/messages"
_MESSAGE_CONVERSATION = f"{_MESSAGES}/{{conversation_id:uuid}}"
_COMMUNICATION = f"{_MESSAGE_CONVERSATION}/communications/{{communication_id:uuid}}"
_PARTY = "/participants/{participant_id:uuid}"
_ANALYTICS = f"{_API}/analytics/conversations"
_OPEN = f"{_API}/conversations/messaging/integrations/open"
_INBOUND = f"{_MESSAGES}/{{integration_id}}/inbound/open"
_CONFIGURATIONS = f"{_API}/webdeployments/configurations"
_CONFIGURATION = f"{_CONFIGURATIONS}/{{configuration_id}}"
_DEPLOYMENTS = f"{_API}/webdeployments/deployments"
_DEPLOYMENT = f"{_DEPLOYMENTS}/{{deployment_id}}"
_TOKEN = f"{_API}/webdeployments/token"
_PUSH = f"{_API}/webmessaging/deployments/{{deployment_id}}/pushdevices/{{token_id}}"
_CHANNELS = f"{_API}/notifications/channels"
_TOPICS = f"{_CHANNELS}/{{channel_id}}/subscriptions"
_CDN = "/webdeployments/v1/deployments/{deployment_id}"

ROUTES: tuple[Way, ...] = (
    Way("POST", "/oauth/token", login.token, _N, "login"),
    Way("GET", "/oauth/authorize", authorize.authorize, _N, "login"),
    Way("POST", "/oauth/authorize", authorize.sign_in, _N, "login"),
    Way("GET", "/logout", authorize.log_out, _N, "login"),
    Way("GET", "/.well-known/oauth-authorization-server", login.metadata, _N, "login"),
    Way("GET", f"{_API}/tokens/me", platform.token_me, _T, "platform"),
    Way("DELETE", f"{_API}/tokens/me", platform.revoke_token, _T, "platform"),
    Way("GET", f"{_API}/users/me", platform.user_me, _U, "platform"),
    Way("GET", f"{_API}/organizations/me", platform.organization_me, _T, "platform"),
    # messenger deployments and their configurations
    Way("GET", _DEPLOYMENTS, deployment_calls.deployments, _T, "platform"),
    Way("POST", _DEPLOYMENTS, deployment_calls.create_deployment, _T, "platform"),
    Way("GET", _DEPLOYMENT, deployment_calls.deployment, _T, "platform"),
    Way("PUT", _DEPLOYMENT, deployment_calls.update_deployment, _T, "platform"),
    Way("DELETE", _DEPLOYMENT, deployment_calls.delete_deployment, _T, "platform"),
    Way("GET", f"{_DEPLOYMENT}/configurations", deployment_calls.active_configuration, _T, "platform"),
    Way("GET", _CONFIGURATIONS, configurations.configurations, _T, "platform"),
    Way("POST", _CONFIGURATIONS, configurations.create_configuration, _T, "platform"),
    Way("DELETE", _CONFIGURATION, configurations.delete_configuration, _T, "platform"),
    Way("GET", f"{_CONFIGURATION}/versions", configurations.versions, _T, "platform"),
    Way("GET", f"{_CONFIGURATION}/versions/draft", configurations.draft, _T, "platform"),
    Way("PUT", f"{_CONFIGURATION}/versions/draft", configurations.update_draft, _T, "platform"),
    Way("POST", f"{_CONFIGURATION}/versions/draft/publish", configurations.publish_draft, _T, "platform"),
    Way("GET", f"{_CONFIGURATION}/versions/{{version_id}}", configurations.configuration, _T, "platform"),
    # Open Messaging
    Way("GET", _OPEN, open_messaging.integrations, _T, "platform"),
    Way("POST", _OPEN, open_messaging.create_integration, _T, "platform"),
    Way("GET", f"{_OPEN}/{{integration_id}}", open_messaging.integration, _T, "platform"),
    Way("PATCH", f"{_OPEN}/{{integration_id}}", open_messaging.update_integration, _T, "platform"),
    Way("DELETE", f"{_OPEN}/{{integration_id}}", open_messaging.delete_integration, _T, "platform"),
    Way("GET", _OPEN.removesuffix("/open"), open_messaging.all_integrations, _T, "platform"),
    Way("POST", f"{_INBOUND}/message", open_messaging.inbound_message, _C, "platform"),
    Way("POST", f"{_INBOUND}/event", open_messaging.inbound_event, _C, "platform"),
    Way("POST", f"{_INBOUND}/receipt", open_messaging.inbound_receipt, _C, "platform"),
    Way("POST", f"{_INBOUND}/structured/response", open_messaging.inbound_response, _C, "platform"),
    Way("POST", f"{_MESSAGES}/agentless", agentless.send_agentless, _C, "platform"),
    # notifications
    Way("GET", f"{_API}/notifications/availabletopics", channel_calls.available_topics, _T, "notifications"),
    Way("POST", _CHANNELS, channel_calls.create_channel, _T, "notifications"),
    Way("GET", _CHANNELS, channel_calls.channels, _T, "notifications"),
    Way("HEAD", f"{_CHANNELS}/{{channel_id}}", channel_calls.channel_exists, _T, "notifications"),
    Way("GET", _TOPICS, channel_calls.subscribed_topics, _T, "notifications"),
    Way("POST", _TOPICS, channel_calls.add_topics, _T, "notifications"),
    Way("PUT", _TOPICS, channel_calls.replace_topics, _T, "notifications"),
    Way("DELETE", _TOPICS, channel_calls.clear_topics, _T, "notifications"),
    # conversations and the agent's side
    Way("GET", f"{_API}/conversations", agent_rest.my_conversations, _T, "platform"),
    Way("GET", _CONVERSATION, agent_rest.conversation, _T, "platform"),
    Way("POST", f"{_CONVERSATION}/disconnect", agent_rest.disconnect, _T, "platform"),
    Way("PATCH", f"{_CONVERSATION}{_PARTY}/attributes", agent_rest.attributes, _T, "platform"),
    Way("GET", _MESSAGES, agent_rest.my_conversations, _T, "platform"),
    Way("GET", _MESSAGE_CONVERSATION, agent_rest.message_conversation, _T, "platform"),
    Way("PATCH", _MESSAGE_CONVERSATION, agent_rest.update_conversation, _T, "platform"),
    Way("PATCH", f"{_MESSAGE_CONVERSATION}{_PARTY}", agent_rest.participant, _T, "platform"),
    Way("PATCH", f"{_MESSAGE_CONVERSATION}{_PARTY}/attributes", agent_rest.attributes, _T, "platform"),
    Way("POST", f"{_COMMUNICATION}/messages", agent_rest.send, _T, "platform"),
    Way("POST", f"{_COMMUNICATION}/typing", agent_rest.typing, _T, "platform"),
    Way("POST", f"{_COMMUNICATION}/messages/media/uploads", agent_rest.media_upload, _T, "platform"),
    Way("POST", f"{_MESSAGE_CONVERSATION}/messages/bulk", agent_rest.bulk, _T, "platform"),
    Way("GET", f"{_MESSAGE_CONVERSATION}/messages/{{message_id}}", agent_rest.message, _T, "platform"),
    Way("GET", f"{_MESSAGES}/{{message_id}}/details", agent_rest.details, _T, "platform"),
    # afterwards
    Way("GET", f"{_ANALYTICS}/details", analytics.many_details, _T, "platform"),
    Way("POST", f"{_ANALYTICS}/details/query", analytics.query, _T, "platform"),
    Way("GET", f"{_ANALYTICS}/{{conversation_id:uuid}}/details", analytics.details, _T, "platform"),
    Way("GET", f"{_CONVERSATION}/recordings", recordings.recordings, _T, "platform"),
    Way("GET", f"{_CONVERSATION}/recordings/{{recording_id:uuid}}", recordings.recording, _T, "platform"),
    Way("GET", f"{_CONVERSATION}/recordingmetadata", recordings.metadata, _T, "platform"),
    Way("POST", f"{_API}/usage/query", usage.query, _T, "platform"),
    Way("GET", f"{_API}/usage/query/{{execution_id}}/results", usage.results, _T, "platform"),
    # guests
    Way("GET", f"{_API}/webmessaging/messages", history.messages, _G, "history"),
    Way("POST", f"{_TOKEN}/oauthcodegrantjwtexchange", sign_ins.exchange, _N, "sign-in"),
    Way("POST", f"{_TOKEN}/refresh", sign_ins.refresh, _N, "sign-in"),
    Way("DELETE", f"{_TOKEN}/revoke", sign_ins.revoke, _G, "sign-in"),
    Way("POST", _PUSH, push_devices.register, _N, "push devices"),
    Way("PATCH", _PUSH, push_devices.update, _N, "push devices"),
    Way("DELETE", _PUSH, push_devices.remove, _N, "push devices"),
    Way("PUT", "/upload/{key}", attachments.upload, _N, "uploads"),
    Way("GET", f"{_API}/downloads/{{key}}", attachments.download, _N, "uploads"),
    Way("GET", f"{_CDN}/config.json", cdn.config, _N, "CDN"),
    Way("GET", f"{_CDN}/domains.json", cdn.domains, _N, "CDN"),
    Way("GET", "/webdeployments/{rest:path}", cdn.anything_else, _N, "CDN"),
    # the customer's identity provider
    Way("GET", "/openid/.well-known/openid-configuration", openid.discovery, _N, "openid"),
    Way("GET", "/openid/authorize", openid.authorize, _N, "openid"),
    Way("POST", "/openid/authorize", openid.sign_in, _N, "openid"),
    # retired
    *(
        Way(method, f"{_API}/webchat/guest/{{rest:path}}", legacy.retired, _N, "platform")
        for method in ("GET", "POST", "PATCH", "DELETE")
    ),
    # the sandbox's own
    Way("GET", "/sandbox/state", control.state, _K, "control"),
    Way("GET", "/sandbox/backend-log", control.backend_log, _K, "control"),
    Way("GET", "/sandbox/explain", control.explanation, _N, "control"),
    Way("POST", "/sandbox/reset", control.reset, _K, "control"),
    Way("POST", "/sandbox/clock", control.clock, _K, "control"),
    Way("POST", "/sandbox/faults", control.faults, _K, "control"),
    Way("DELETE", "/sandbox/faults", control.clear_faults, _K, "control"),
    Way("POST", "/sandbox/agent", control.agent, _K, "control"),
    Way("POST", "/sandbox/channels", control.channels, _K, "control"),
    Way("POST", "/sandbox/clients", control.clients, _K, "control"),
)

SOCKETS: dict[str, Callable[[Messaging, WebSocket], Awaitable[None]]] = {"/channels/": attend}
"""Path prefix → who judges and serves upgrades there, past the guest gateway."""

Endpoint = Callable[[Request], Awaitable[Response]]


def application(messaging: Messaging) -> ASGIApp:
    """The whole sandbox as one ASGI application."""
    methods: dict[str, dict[str, Endpoint]] = {}
    for way in ROUTES:
        operation = find_operation(way.method, way.path)
        endpoint = serve(messaging, way.service, name=way.name, needs=way.needs, operation=operation)
        methods.setdefault(way.path, {})[way.method] = endpoint
    missing = serve(messaging, _no_such_path, name="platform", needs=Needs.NOTHING)
    other = serve(messaging, _no_such_method, name="platform", needs=Needs.NOTHING)
    routes = [Route(path, _ByMethod(table, other)) for path, table in methods.items()]
    router = Router(routes, redirect_slashes=False)
    router.default = _as_asgi(missing)
    inner = _by_host(router, missing)
    open_to_browsers = CORSMiddleware(
        inner,
        allow_origins=["*"],
        allow_methods=["*"],
        allow_headers=["*"],
        expose_headers=[
            "ININ-Correlation-Id",
            "Retry-After",
            "ETag",
            *(f"inin-ratelimit-{part}" for part in ("count", "allowed", "reset")),
        ],
    )

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            chosen = inner if scope["path"].startswith("/sandbox/") else open_to_browsers
            await chosen(scope, receive, send)
        elif scope["type"] == "websocket":
            await _upgrade(messaging, WebSocket(scope, receive, send))

    return app


async def _upgrade(messaging: Messaging, socket: WebSocket) -> None:
    """Let the gateway judge; only what it opens reaches the messaging service."""
    path = socket.url.path
    for prefix, service in SOCKETS.items():
        if path.startswith(prefix):
            await service(messaging, socket)
            return
    origin = Origin.of_scope(dict(socket.scope), socket.scope["headers"])
    knock = knock_of(messaging.world, path, dict(socket.query_params), socket.headers, origin)
    await socket.receive()
    fault = messaging.faults.on_upgrade()
    row = fault or messaging.gateway.judge(knock)
    if row.status == 101 and knock.deployment is not None:
        await messaging.serve(socket, knock.deployment, origin)
        return
    # A row set by hand to 101 without a deployment to serve opens nothing.
    status = row.status if row.status != 101 else 500
    await socket.send_denial_response(Response(row.body, status, dict(row.headers)))


async def _no_such_path(call: Call) -> Reply:
    await call.body()
    raise Refusal("no.such.path")


async def _no_such_method(call: Call) -> Reply:
    await call.body()
    raise Refusal("method.not.allowed", headers={"Allow": ", ".join(call.request.scope["guestlab.methods"])})


class _ByMethod:
    """One path's endpoints by method; an instance, so that Starlette passes it every method."""

    def __init__(self, table: dict[str, Endpoint], other: Endpoint) -> None:
        self._table = table
        self._other = other

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"]
        if method == "HEAD" and "HEAD" not in self._table:
            method = "GET"
        scope["guestlab.methods"] = sorted(self._table)
        await _as_asgi(self._table.get(method, self._other))(scope, receive, send)


def _as_asgi(endpoint: Endpoint) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        response = await endpoint(Request(scope, receive, send))
        await response(scope, receive, send)

    return app


def _by_host(router: ASGIApp, missing: Endpoint) -> ASGIApp:
    """A path asked of another service's host is not found there."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        origin = Origin.of_scope(dict(scope), scope["headers"])
        serves = origin.serves(scope["path"])
        if scope["path"].startswith("/sandbox/"):
            # Only under a name of this machine: a web page cannot reach it by rebinding its own.
            serves = is_loopback_host(origin.host)
        chosen = router if serves else _as_asgi(missing)
        await chosen(scope, receive, send)

    return app
