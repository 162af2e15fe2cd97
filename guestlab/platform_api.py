"""The few Platform API calls the lab needs, and one generic `request` for the rest.

REST only, with an access token; the guest socket is `session.py`'s. Error envelopes become typed errors
with the platform's own code, its correlation id, and a next step. Source of paths and bodies: the Platform
API's OpenAPI document of July 2026, brought forward to Python SDK 269.0.0 (level: official).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from guestlab.errors import InputError, NetworkError, PlatformError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from guestlab.http import Auth, Client, Response

__all__ = ["Conversation", "PlatformApi"]

NOT_THE_GUEST_SOCKET = (
    "This conversation was opened by Open Messaging over REST. It is not the one a guest socket opens: "
    "that one begins with the guest's first message, and its id is never sent to the guest."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A conversation created through the Platform API, and read back from it."""

    id: str
    message_id: str
    """The platform's id of the inbound message that opened it."""
    integration_id: str
    """The Open Messaging integration it came in by."""
    participants: tuple[str, ...]
    """Purposes, such as ("customer", "workflow")."""
    note: str = NOT_THE_GUEST_SOCKET

    def __repr__(self) -> str:
        return f"Conversation({self.id}, {len(self.participants)} participants, by Open Messaging)"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        from guestlab.display import conversation_html

        return {"text/plain": repr(self), "text/html": conversation_html(self)}


class PlatformApi:
    """The Platform API of one region, with an authentication flow that keeps its token fresh."""

    def __init__(self, client: Client, auth: Auth) -> None:
        self._client = client
        self._auth = auth
        self._region = client.region

    async def request(self, method: str, path: str, *, stage: str = "conversation", **content: Any) -> Any:
        """Call any Platform API path and return its decoded JSON body, or None when it is empty.

        Args:
            method: The HTTP method.
            path: Below the API host, such as "/api/v2/users/me".
            stage: The lab's stage this belongs to, for the log.
            content: `params`, `json`, `headers`, as httpx takes them.

        Raises:
            PlatformError: The platform answered with its error envelope.
            NetworkError: No answer, or one that is not the platform's.
        """
        if not path.startswith("/api/v2/"):
            raise InputError(
                f"{path!r} is no Platform API path.",
                why="Every path of the Platform API begins with /api/v2/.",
                next_step="Give the path without host, such as /api/v2/tokens/me.",
            )
        response = await self._client.send(
            method, self._region.api_url + path, stage=stage, auth=self._auth, **content
        )
        return self._document(response, method, path)

    async def token_info(self) -> dict[str, Any]:
        """`GET /api/v2/tokens/me`: proves an access token live; works without a user."""
        return _object(await self.request("GET", "/api/v2/tokens/me", stage="token"))

    async def pages(self, path: str, **params: Any) -> AsyncIterator[dict[str, Any]]:
        """Iterate over the entities of a numbered listing, page by page."""
        number = 1
        while True:
            page = _object(await self.request("GET", path, params={**params, "pageNumber": number}))
            for entity in page.get("entities") or ():
                if isinstance(entity, dict):
                    yield entity
            if number >= int(page.get("pageCount") or 1):
                return
            number += 1

    async def open_integration(self) -> str | None:
        """Look up the first usable Open Messaging integration; return its id or None."""
        async for entity in self.pages("/api/v2/conversations/messaging/integrations/open"):
            if str(entity.get("status", "active")).lower() == "active" and entity.get("id"):
                return str(entity["id"])
        return None

    async def create_open_integration(self, name: str, webhook_url: str) -> str:
        """Create an Open Messaging integration; return its id. A write: the caller must have asked for it."""
        body = {
            "name": name,
            "outboundNotificationWebhookUrl": webhook_url,
            "outboundNotificationWebhookSignatureSecretToken": uuid4().hex,
        }
        created = _object(
            await self.request("POST", "/api/v2/conversations/messaging/integrations/open", json=body)
        )
        return str(created["id"])

    async def send_open_message(self, integration_id: str, text: str, *, guest: str) -> dict[str, Any]:
        """Send one inbound message as a customer; the answer carries the new conversation's id."""
        body = {
            "channel": {
                "from": {"id": guest, "idType": "Opaque", "nickname": guest},
                "time": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "messageId": str(uuid4()),
            },
            "text": text,
        }
        path = f"/api/v2/conversations/messages/{integration_id}/inbound/open/message"
        return _object(await self.request("POST", path, json=body, params={"prefetchConversationId": "true"}))

    async def conversation(self, conversation_id: str) -> dict[str, Any]:
        """`GET /api/v2/conversations/{id}`: the conversation with its participants."""
        return _object(await self.request("GET", f"/api/v2/conversations/{conversation_id}"))

    async def message_details(self, message_id: str) -> dict[str, Any]:
        """`GET /api/v2/conversations/messages/{id}/details`: names a message's conversation."""
        return _object(await self.request("GET", f"/api/v2/conversations/messages/{message_id}/details"))

    async def start_conversation(self, integration_id: str, text: str, *, guest: str) -> Conversation:
        """Create a conversation by an inbound Open Messaging message and read it back."""
        message = await self.send_open_message(integration_id, text, guest=guest)
        conversation_id = message.get("conversationId")
        if not isinstance(conversation_id, str) or not conversation_id:
            raise PlatformError(
                "The message was accepted, but no conversation id came back.",
                why="prefetchConversationId was asked for and the platform left it out.",
                next_step="Look the message up later: GET /api/v2/conversations/messages/{id}/details.",
                http_status=200,
            )
        document = await self.conversation(conversation_id)
        participants = document.get("participants") or ()
        return Conversation(
            id=conversation_id,
            message_id=str(message.get("id", "")),
            integration_id=integration_id,
            participants=tuple(str(p.get("purpose", "")) for p in participants if isinstance(p, dict)),
        )

    def _document(self, response: Response, method: str, path: str) -> Any:
        redact = self._client.log.redact
        try:
            document = json.loads(response.content) if response.content else None
        except (ValueError, RecursionError):
            document = response.content
        if isinstance(document, bytes) and (response.is_success or b"<" in document[:512]):
            raise NetworkError(
                f"{method} {path} was answered with something else than JSON.",
                why="The server there is not the Platform API, or a proxy answered in its place.",
                next_step=f"Check the region: the API host is {self._region.api_url}.",
                evidence=(_status_line(response), redact(document[:200].decode("utf-8", "replace"))),
            )
        if response.is_success:
            return document
        envelope = document if isinstance(document, dict) else {}
        code = str(envelope.get("code", ""))
        correlation_id = response.headers.get("inin-correlation-id", "")
        why, next_step = _advice(code, response.status_code, method, path)
        raise PlatformError(
            f"{method} {path} was refused: HTTP {response.status_code} {code}".rstrip() + ".",
            why=why,
            next_step=next_step,
            evidence=tuple(
                redact(fact)
                for fact in (str(envelope.get("message", ""))[:500], f"correlation id {correlation_id}")
                if fact and not fact.endswith(" ")
            ),
            http_status=response.status_code,
            code=code,
            correlation_id=correlation_id,
        )


# code, or status for codes not listed → why, next step. Codes and wording: the OpenAPI document (official).
_ADVICE: dict[str | int, tuple[str, str]] = {
    "authentication.required": (
        "No bearer token reached the platform.",
        "Send Authorization: Bearer with an access token; lab.token() issues one.",
    ),
    "bad.credentials": (
        "The token is unknown here: expired, revoked, of another region, or not an OAuth token at all.",
        "Issue a new one in this region with lab.token().",
    ),
    "not.a.user": (
        "The call is about 'me', and a client-credentials token has no user.",
        "Use a call that names the object, or a user token (authorization code with PKCE).",
    ),
    "not.a.client": (
        "The call wants a token without a user.",
        "Use a client-credentials token.",
    ),
    "missing.permissions": (
        "None of the OAuth client's roles holds the permission the call needs.",
        "Give the OAuth client a role with the permission named below (Admin > Integrations > OAuth).",
    ),
    "too.many.requests": (
        "The token's budget of requests per minute is used up.",
        "Wait as long as the Retry-After header says.",
    ),
    401: ("The platform does not accept the credential.", "Issue a new token with lab.token()."),
    403: ("The token is valid but may not do this.", "Compare the roles of the OAuth client with the call."),
    404: (
        "There is no such object or path.",
        "Check the id, and the path against the Platform API's documentation.",
    ),
    429: ("The budget of requests is used up.", "Wait as long as the Retry-After header says."),
    500: ("The platform failed.", "Try again later and quote the correlation id to support."),
}

# Paths people were told to use and the call that was meant. Source: public forum answers, which are wrong.
_MEANT: dict[str, str] = {
    "/api/v2/conversations/messaging": (
        "To create a conversation from a server: POST "
        "/api/v2/conversations/messages/{integrationId}/inbound/open/message (lab.conversation() does it). "
        "A guest creates none: its first message on the socket does."
    ),
}


def _advice(code: str, status: int, method: str, path: str) -> tuple[str, str]:
    if status == 404 and path in _MEANT:
        return f"The Platform API has no {method} {path}.", _MEANT[path]
    for key in (code, status, status // 100 * 100):
        if key in _ADVICE:
            return _ADVICE[key]
    return "The platform refused the request.", "Read the platform's message below."


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
