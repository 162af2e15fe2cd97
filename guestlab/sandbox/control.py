"""The control plane, under its own path: what a program in another process needs of `Sandbox`'s verbs.

`/sandbox/…`, JSON in and out, never part of what is imitated. Everything but `/sandbox/explain` wants the
header `Guestlab-Control-Key`, made at random for each sandbox whatever its seed, so that on a machine shared
by a class nobody disturbs another's. Writes want the JSON content type, and no answer here allows other
origins: a web page the user happens to visit can do nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guestlab.errors import SandboxError
from guestlab.sandbox.calls import Reply
from guestlab.sandbox.explain import explain
from guestlab.sandbox.refusals import Refusal

if TYPE_CHECKING:
    from guestlab.sandbox.calls import Call
    from guestlab.sandbox.clients import OAuthClient

__all__ = [
    "agent",
    "backend_log",
    "channels",
    "clear_faults",
    "clients",
    "clock",
    "explanation",
    "faults",
    "reset",
    "state",
]

_FAULTS = {
    *("drop", "close", "delay", "reorder", "duplicate", "lose", "corrupt"),
    *("refuse", "rate_limit", "refuse_frame", "fail", "expire", "configure_slowly", "slow"),
}
_AGENT = {"say", "typing", "show", "disconnect"}
_CHANNELS = {"close_sockets", "drop_sockets", "publish"}


async def state(call: Call) -> dict[str, Any]:
    """`GET /sandbox/state`: ids (no secret), time, how much is going on."""
    world, messaging = call.world, call.messaging
    return {
        "seed": world.seed,
        "time": world.clock.now.isoformat(),
        "deployments": [deployment.document() for deployment in world.deployments],
        "client_id": world.client.id,
        "integration_id": world.integration_id,
        "sessions": len(messaging.sessions),
        "connections": len(messaging.connections),
        "conversations": [conversation.id for conversation in world.conversations],
        "faults": repr(messaging.faults),
    }


async def backend_log(call: Call) -> dict[str, Any]:
    """`GET /sandbox/backend-log`."""
    return {
        "records": [
            {
                "at": record.at.isoformat(),
                "service": record.service,
                "what": record.what,
                "status": record.status,
                "level": record.level,
                "correlation_id": record.correlation_id,
                "detail": record.detail,
            }
            for record in call.world.log.snapshot()
        ]
    }


async def explanation(_: Call) -> Reply:
    """`GET /sandbox/explain`."""
    return Reply(raw=explain().encode(), media_type="text/plain; charset=utf-8")


async def reset(call: Call) -> Reply:
    """`POST /sandbox/reset`: `{"seed": 7, "integrations": true}`, both optional."""
    body = await _body(call)
    seed = body.get("seed", call.world.seed)
    if not isinstance(seed, int):
        raise Refusal("constraint.validation", reason="seed is a whole number")
    call.messaging.reset(seed=seed, integrations=body.get("integrations") is not False)
    return Reply(status=204)


async def clock(call: Call) -> dict[str, Any]:
    """`POST /sandbox/clock`: `{"advance": seconds}`, `{"freeze": true}` or `{"run": true}`."""
    body = await _body(call)
    seconds = body.get("advance", 0)
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or seconds < 0:
        raise Refusal("constraint.validation", reason="advance is a number of seconds")
    if body.get("freeze"):
        call.world.clock.freeze()
    if body.get("run"):
        call.world.clock.run()
    if seconds:
        call.world.clock.advance(float(seconds))
    return {"time": call.world.clock.now.isoformat()}


async def faults(call: Call) -> Reply:
    """`POST /sandbox/faults`: `{"drop": {"after_bytes": 100}}`, any of the verbs of `sandbox.faults`."""
    body = await _body(call)
    for verb, arguments in body.items():
        _verb(call.messaging.faults, _FAULTS, verb, arguments)
    return Reply(status=204)


async def clear_faults(call: Call) -> Reply:
    """`DELETE /sandbox/faults`."""
    call.messaging.faults.clear()
    return Reply(status=204)


async def agent(call: Call) -> Reply:
    """`POST /sandbox/agent`: `{"say": {"text": "Hello"}}`, or typing, show, disconnect."""
    body = await _body(call)
    for verb, arguments in body.items():
        if verb == "show" and isinstance(arguments, dict) and isinstance(arguments.get("kind"), str):
            kind = arguments.pop("kind")
            _call(lambda kind=kind, rest=arguments: call.messaging.agent.show(kind, **rest))
        else:
            _verb(call.messaging.agent, _AGENT, verb, arguments)
    return Reply(status=204)


async def clients(call: Call) -> dict[str, Any]:
    """`POST /sandbox/clients`: `{"permissions": ["conversation:message:view"]}`; answers id and secret."""
    body = await _body(call)
    made: list[OAuthClient] = []
    _call(lambda: made.append(call.world.clients.add(**body)))
    client = made[0]
    return {"id": client.id, "secret": client.secret, "name": client.name}


async def channels(call: Call) -> Reply:
    """`POST /sandbox/channels`: `{"close_sockets": {"notice": 60}}`, or drop_sockets, publish."""
    for verb, arguments in (await _body(call)).items():
        _verb(call.messaging.channels, _CHANNELS, verb, arguments)
    return Reply(status=204)


def _verb(subject: Any, allowed: set[str], verb: str, arguments: Any) -> None:
    if verb not in allowed:
        raise Refusal("constraint.validation", reason=f"{verb} is none of {', '.join(sorted(allowed))}")
    if not isinstance(arguments, dict):
        raise Refusal("constraint.validation", reason=f"the arguments of {verb} are an object")
    _call(lambda: getattr(subject, verb)(**arguments))


def _call(function: Any) -> None:
    try:
        function()
    except SandboxError as error:
        raise Refusal("constraint.validation", reason=str(error)) from None
    except (TypeError, ValueError) as error:
        raise Refusal("constraint.validation", reason=f"{error}") from None


async def _body(call: Call) -> dict[str, Any]:
    content_type = call.request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise Refusal("unsupported.media.type")
    return await call.object()
