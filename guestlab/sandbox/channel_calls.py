"""The REST calls of the notification service: channels and what they are subscribed to.

Paths, bodies and codes: the Platform API's OpenAPI document (level: official). A channel belongs to a user
and an application; somebody else's is not found (level: inferred).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guestlab.sandbox.calls import Call, Reply
from guestlab.sandbox.clock import iso
from guestlab.sandbox.refusals import Refusal
from guestlab.sandbox.topics import available, topics

if TYPE_CHECKING:
    from guestlab.sandbox.channels import Channel

__all__ = [
    "add_topics",
    "available_topics",
    "channel_exists",
    "channels",
    "clear_topics",
    "create_channel",
    "replace_topics",
    "subscribed_topics",
]


async def create_channel(call: Call) -> dict[str, Any]:
    """`POST /api/v2/notifications/channels`; a body, such as `null`, is not looked at."""
    assert call.token is not None
    await call.body()
    return _document(call, call.messaging.channels.open(call.token))


async def channels(call: Call) -> dict[str, Any]:
    """`GET /api/v2/notifications/channels`: this token's, or the application's."""
    assert call.token is not None
    whose = call.query.get("includechannels", "token")
    if whose not in {"token", "oauthclient"}:
        raise Refusal(
            "invalid.query.param.value",
            value=whose[:100],
            parameter="includechannels",
            allowed="token, oauthclient",
        )
    mine = call.messaging.channels.of(call.token)
    found = [c for c in mine if whose == "oauthclient" or c.token == call.token.value]
    return {"entities": [_document(call, channel) for channel in found]}


async def channel_exists(call: Call) -> Reply:
    """`HEAD /api/v2/notifications/channels/{id}`."""
    _channel(call)
    return Reply(status=200)


async def subscribed_topics(call: Call) -> dict[str, Any]:
    """`GET …/{id}/subscriptions`."""
    channel = _channel(call)
    path = f"/api/v2/notifications/channels/{channel.id}/subscriptions"
    return {
        "entities": [
            {"id": name, "state": "Permitted", "selfUri": f"{path}/{name}"} for name in channel.topics
        ]
    }


async def add_topics(call: Call) -> dict[str, Any]:
    """`POST …/{id}/subscriptions`."""
    return await _subscribe(call, _channel(call), replacing=False)


async def replace_topics(call: Call) -> dict[str, Any]:
    """`PUT …/{id}/subscriptions`."""
    return await _subscribe(call, _channel(call, "entity.not.found"), replacing=True)


async def clear_topics(call: Call) -> Reply:
    """`DELETE …/{id}/subscriptions`."""
    channel = _channel(call)
    channel.topics = {}
    call.messaging.channels.renew(channel)
    return Reply(status=204)


async def available_topics(call: Call) -> dict[str, Any]:
    """`GET /api/v2/notifications/availabletopics`: those the sandbox knows."""
    values = call.request.query_params.getlist("expand")
    expand = {name.strip() for value in values for name in value.split(",")}
    return {"entities": [available(topic, expand) for topic in topics()]}


async def _subscribe(call: Call, channel: Channel, *, replacing: bool) -> dict[str, Any]:
    assert call.token is not None
    body = await call.json()
    if not isinstance(body, list) or not all(
        isinstance(entry, dict) and isinstance(entry.get("id"), str) for entry in body
    ):
        raise Refusal("bad.request")
    told = call.messaging.channels.subscribe(
        channel,
        call.token,
        [entry["id"] for entry in body],
        replacing=replacing,
        lenient=call.query.get("ignoreErrors", "").lower() == "true",
    )
    return {"entities": told}


def _channel(call: Call, code: str = "not.found") -> Channel:
    assert call.token is not None
    found = call.messaging.channels.find(call.part("channel_id"))
    if found is None or found not in call.messaging.channels.of(call.token):
        raise Refusal(code)
    return found


def _document(call: Call, channel: Channel) -> dict[str, Any]:
    return {
        "connectUri": f"{call.origin.url('streaming', socket=True)}/channels/{channel.id}",
        "id": channel.id,
        "expires": iso(channel.expires_at),
    }
