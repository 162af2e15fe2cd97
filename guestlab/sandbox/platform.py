"""The Platform API's general operations: the token itself, who am I.

Paths, bodies and codes: the Platform API's OpenAPI document (level: official). Conversations, messages and
deployments have rooms of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guestlab.sandbox.calls import Reply, page_numbers

if TYPE_CHECKING:
    from guestlab.sandbox.calls import Call

__all__ = [
    "organization_me",
    "page",
    "revoke_token",
    "token_me",
    "user_me",
]


def page(call: Call, entities: list[dict[str, Any]]) -> dict[str, Any]:
    """One page of a numbered listing, with its relative addresses."""
    size, number = page_numbers(call)
    count = max(1, -(-len(entities) // size))
    path = call.request.url.path

    def uri(page_number: int) -> str:
        return f"{path}?pageSize={size}&pageNumber={page_number}"

    document: dict[str, Any] = {
        "entities": entities[(number - 1) * size : number * size],
        "pageSize": size,
        "pageNumber": number,
        "total": len(entities),
        "pageCount": count,
        "firstUri": uri(1),
        "lastUri": uri(count),
        "selfUri": uri(number),
    }
    if number < count:
        document["nextUri"] = uri(number + 1)
    if number > 1:
        document["previousUri"] = uri(number - 1)
    return document


def _organization(call: Call) -> dict[str, str]:
    return {"id": call.world.organization_id, "name": call.world.organization_name}


async def token_me(call: Call) -> dict[str, Any]:
    """`GET` and `HEAD /api/v2/tokens/me`."""
    assert call.token is not None
    client = call.world.clients[call.token.client_id]
    return {
        "organization": _organization(call),
        "homeOrganization": _organization(call),
        "authorizedScope": sorted(client.scopes or ()),
        "OAuthClient": {
            "id": client.id,
            "name": client.name,
            "authorizedGrantType": client.grant,
            "scope": sorted(client.scopes or ()),
            "roleDivisions": [{"roleId": client.role_id, "divisionId": "*"}],
            "state": client.state,
            "organization": _organization(call),
        },
    }


async def revoke_token(call: Call) -> Reply:
    """`DELETE /api/v2/tokens/me`: the bearer used is worth nothing from now on."""
    assert call.token is not None
    call.world.tokens.pop(call.token.value, None)
    call.messaging.channels.revoke(call.token.value)
    return Reply(status=200)


async def user_me(call: Call) -> dict[str, Any]:
    """`GET /api/v2/users/me`: only with a user's token."""
    assert call.token is not None
    user = call.world.users[str(call.token.user_id)]
    return {
        "id": user.id,
        "name": user.name,
        "email": user.email,
        "state": "active",
        "username": user.email,
        "version": 1,
        "division": {"id": call.world.named_id("division"), "name": "Home"},
        "selfUri": f"/api/v2/users/{call.token.user_id}",
    }


async def organization_me(call: Call) -> dict[str, Any]:
    """`GET /api/v2/organizations/me`: who am I, without a user."""
    return {
        **_organization(call),
        "version": 1,
        "thirdPartyOrgName": "guestlab",
        "defaultCountryCode": "DE",
        "state": "active",
        "selfUri": f"/api/v2/organizations/{call.world.organization_id}",
    }
