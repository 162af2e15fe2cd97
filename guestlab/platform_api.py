"""The Platform API calls the lab needs, each a verb, and one generic `request` for the rest.

REST only, with an access token; the guest socket is `session.py`'s. Writes are named and guarded, busy
answers waited for and refusals explained one floor below, in `platform_request.py`; which operations there
are, and what permission each asks for, stands in `platform_operations.py`. Source of paths and bodies: the
Platform API's OpenAPI document of July 2026, brought forward to Python SDK 269.0.0 (level: official).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from guestlab.errors import DeadlineError, NetworkError, PlatformError
from guestlab.platform_request import PlatformRequests, entities_of, part
from guestlab.protocol.transcripts import message_ids
from guestlab.visible import visible

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence

__all__ = ["Conversation", "PlatformApi"]

NOT_THE_GUEST_SOCKET = (
    "This conversation was opened by Open Messaging over REST. It is not the one a guest socket opens: "
    "that one begins with the guest's first message, and its id is never sent to the guest."
)

BULK_IDS = 1000
"""Message ids one bulk call takes (level: official)."""

DETAILS_PAGE = 100
"""Conversations asked for at once in a details query; the platform's default is 25."""

RECORDING_WAIT_MS = 5000
"""`maxWaitMs`: how long the platform holds the answer while a recording is being prepared (its default)."""

_CONVERSATIONS = "/api/v2/conversations"
_MESSAGES = "/api/v2/conversations/messages"
_OPEN = "/api/v2/conversations/messaging/integrations/open"
_ANALYTICS = "/api/v2/analytics/conversations"
_CHANNELS = "/api/v2/notifications/channels"
_WEB = "/api/v2/webdeployments"


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

        return {"text/plain": visible(repr(self)), "text/html": conversation_html(self)}


class PlatformApi(PlatformRequests):
    """The Platform API of one region. Documents come back as the platform wrote them: dicts and lists."""

    # -- the caller -------------------------------------------------------------------------------

    async def token_info(self) -> dict[str, Any]:
        """`GET /api/v2/tokens/me`: proves an access token live; works without a user."""
        return await self._object("GET", "/api/v2/tokens/me", stage="token")

    async def revoke_token(self) -> None:
        """`DELETE /api/v2/tokens/me`: the token used is worth nothing afterwards. A write."""
        await self.request("DELETE", "/api/v2/tokens/me", stage="token")

    async def user_me(self) -> dict[str, Any]:
        """`GET /api/v2/users/me`: whose token it is; refused with `not.a.user` where it has none."""
        return await self._object("GET", "/api/v2/users/me", stage="token")

    # -- Open Messaging: a server plays the customer ------------------------------------------------

    def open_integrations(self) -> AsyncIterator[dict[str, Any]]:
        """Iterate over the Open Messaging integrations."""
        return self.pages(_OPEN)

    async def integration(self, integration_id: str) -> dict[str, Any]:
        """`GET …/integrations/open/{id}`."""
        return await self._object("GET", f"{_OPEN}/{part(integration_id)}")

    async def open_integration(self) -> str | None:
        """Look up the first usable Open Messaging integration; return its id or None."""
        async for entity in self.open_integrations():
            if str(entity.get("status", "active")).lower() == "active" and entity.get("id"):
                return str(entity["id"])
        return None

    async def create_open_integration(self, name: str, webhook_url: str, *, secret: str = "") -> str:
        """Create an Open Messaging integration; return its id. A write: the caller must have asked for it.

        Args:
            name: Its name.
            webhook_url: Where the platform posts what the agent says: https, port 443.
            secret: What it signs them with, at least 16 characters; one nobody knows by default.
        """
        body = {
            "name": name,
            "outboundNotificationWebhookUrl": webhook_url,
            "outboundNotificationWebhookSignatureSecretToken": secret or uuid4().hex,
        }
        created = await self._object("POST", _OPEN, json=body)
        return _id(created, "integration")

    async def send_open_message(self, integration_id: str, text: str, *, guest: str) -> dict[str, Any]:
        """Send one inbound message as a customer; the answer carries the new conversation's id. A write."""
        body = {"channel": _customer(guest), "text": text}
        path = f"{_MESSAGES}/{part(integration_id)}/inbound/open/message"
        return await self._object("POST", path, json=body, query={"prefetchConversationId": "true"})

    async def send_open_event(
        self, integration_id: str, *, guest: str, event_type: str = "Typing"
    ) -> dict[str, Any]:
        """Send one inbound event as a customer: typing, the only one there is. A write."""
        channel = {name: value for name, value in _customer(guest).items() if name != "messageId"}
        body = {"channel": channel, "events": [{"eventType": event_type}]}
        return await self._object("POST", f"{_MESSAGES}/{part(integration_id)}/inbound/open/event", json=body)

    async def send_open_receipt(
        self,
        integration_id: str,
        message_id: str,
        *,
        guest: str,
        status: str = "Delivered",
        is_final: bool = False,
    ) -> dict[str, Any]:
        """Say what became of an outbound message: Sent, Delivered, Failed, Published or Removed. A write."""
        channel = {"to": {"id": guest}, "time": _now()}
        body = {"id": message_id, "channel": channel, "status": status, "isFinalReceipt": is_final}
        path = f"{_MESSAGES}/{part(integration_id)}/inbound/open/receipt"
        return await self._object("POST", path, json=body)

    async def start_conversation(
        self,
        integration_id: str,
        text: str,
        *,
        guest: str,
        accepted: Callable[[dict[str, Any]], object] | None = None,
    ) -> Conversation:
        """Create a conversation by an inbound Open Messaging message and read it back. A write.

        Args:
            integration_id: By which integration it comes in.
            text: What the customer says.
            guest: The id the platform shall know the customer by.
            accepted: Told the platform's copy of the message.
        """
        message = await self.send_open_message(integration_id, text, guest=guest)
        if accepted is not None:
            accepted(message)
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

    # -- conversations ------------------------------------------------------------------------------

    async def conversation(self, conversation_id: str) -> dict[str, Any]:
        """`GET /api/v2/conversations/{id}`: the conversation with its participants."""
        return await self._object("GET", f"{_CONVERSATIONS}/{part(conversation_id)}")

    async def message_conversation(self, conversation_id: str) -> dict[str, Any]:
        """`GET /api/v2/conversations/messages/{id}`: the same, with the message list on the participant."""
        return await self._object("GET", f"{_MESSAGES}/{part(conversation_id)}")

    async def conversations(self) -> list[dict[str, Any]]:
        """`GET /api/v2/conversations`: those running now for the signed-in user; a client has none."""
        return entities_of(await self.request("GET", _CONVERSATIONS))

    async def message_details(self, message_id: str) -> dict[str, Any]:
        """`GET /api/v2/conversations/messages/{id}/details`: names a message's conversation."""
        return await self._object("GET", f"{_MESSAGES}/{part(message_id)}/details")

    async def messages(
        self, conversation_id: str, message_ids_: Sequence[str] | None = None
    ) -> AsyncIterator[dict[str, Any]]:
        """Iterate over the messages of a conversation, both sides, fetched in bulk.

        Args:
            conversation_id: Which conversation.
            message_ids_: Which messages; None reads the conversation and takes all it lists.
        """
        wanted = message_ids_
        if wanted is None:
            wanted = message_ids(await self.message_conversation(conversation_id))
        path = f"{_MESSAGES}/{part(conversation_id)}/messages/bulk"
        for start in range(0, len(wanted), BULK_IDS):
            listing = await self.request("POST", path, json=list(wanted[start : start + BULK_IDS]))
            for message in entities_of(listing):
                yield message

    async def say(
        self, conversation_id: str, communication_id: str, text: str = "", *, media_ids: Sequence[str] = ()
    ) -> dict[str, Any] | None:
        """Say something as the agent who owns the communication; None where it was only accepted. A write."""
        body: dict[str, Any] = {"textBody": text}
        if media_ids:
            body["mediaIds"] = list(media_ids)
        answer = await self.request(
            "POST", f"{_communication(conversation_id, communication_id)}/messages", json=body
        )
        return answer if isinstance(answer, dict) else None

    async def typing(self, conversation_id: str, communication_id: str, *, milliseconds: int = 5000) -> None:
        """Show the customer that the agent types. A write."""
        body = {"typing": {"type": "On", "duration": milliseconds}}
        await self.request("POST", f"{_communication(conversation_id, communication_id)}/typing", json=body)

    async def set_attributes(
        self, conversation_id: str, participant_id: str, attributes: Mapping[str, str]
    ) -> None:
        """Add attributes to a participant, or change them. A write."""
        path = f"{_CONVERSATIONS}/{part(conversation_id)}/participants/{part(participant_id)}/attributes"
        await self.request("PATCH", path, json={"attributes": dict(attributes)})

    async def update_participant(self, conversation_id: str, participant_id: str, **changes: Any) -> None:
        """Connect, disconnect or wrap up one participant: `state="disconnected"`, `wrapup={…}`. A write."""
        path = f"{_MESSAGES}/{part(conversation_id)}/participants/{part(participant_id)}"
        await self.request("PATCH", path, json=changes)

    async def disconnect(self, conversation_id: str) -> None:
        """End a conversation for everybody; a client without a user may. A write."""
        await self.request("POST", f"{_CONVERSATIONS}/{part(conversation_id)}/disconnect")

    async def send_agentless(
        self, from_address: str, messenger_type: str, text: str, **recipient: Any
    ) -> dict[str, Any] | None:
        """Send a message without an agent; None where it was only accepted. A write.

        Args:
            from_address: The deployment id for webmessaging, an integration id for open, a number for sms.
            messenger_type: webmessaging, open, sms, whatsapp or apple.
            text: The words.
            recipient: `toAddress`; for webmessaging `externalContactId` instead (level: official).
        """
        body = {"fromAddress": from_address, "toAddressMessengerType": messenger_type, "textBody": text}
        answer = await self.request("POST", f"{_MESSAGES}/agentless", json={**body, **recipient})
        return answer if isinstance(answer, dict) else None

    # -- afterwards -----------------------------------------------------------------------------------

    async def details(self, conversation_id: str) -> dict[str, Any]:
        """`GET /api/v2/analytics/conversations/{id}/details`: who took part when; no words."""
        return await self._object("GET", f"{_ANALYTICS}/{part(conversation_id)}/details")

    async def details_query(
        self, interval: str, *, page_size: int = DETAILS_PAGE, **query: Any
    ) -> AsyncIterator[dict[str, Any]]:
        """Iterate over conversations of a time, page by page, as analytics tells them: no words.

        Args:
            interval: ISO 8601, "2026-10-01T00:00:00.000Z/2026-10-08T00:00:00.000Z".
            page_size: Conversations a page.
            query: `segmentFilters`, `conversationFilters`, `order`, `orderBy`; by default messaging only.
        """
        query.setdefault("segmentFilters", [_MESSAGING])
        number, seen = 1, 0
        while True:
            paging = {"pageSize": page_size, "pageNumber": number}
            body = {"interval": interval, "paging": paging, **query}
            page = await self._object("POST", f"{_ANALYTICS}/details/query", json=body)
            found = page.get("conversations")  # where nothing fits, the key is not there
            held = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
            for conversation in held:
                yield conversation
            seen, number, hits = seen + len(held), number + 1, page.get("totalHits")
            if not held or (seen >= hits if isinstance(hits, int) else len(held) < page_size):
                return

    async def transcript(self, conversation_id: str, *, timeout: float = 60.0) -> list[dict[str, Any]]:
        """The recordings of a conversation, waited for while the platform prepares them.

        Asked for without media (`formatId=NONE`), so that no address comes that opens a file. A
        conversation that nobody recorded has none: an empty list. Words stand in `messagingTranscript`.

        Args:
            conversation_id: Which conversation.
            timeout: Seconds to wait at most.

        Raises:
            DeadlineError: The platform was still preparing them.
        """
        path = f"{_CONVERSATIONS}/{part(conversation_id)}/recordings"
        query = {"maxWaitMs": RECORDING_WAIT_MS, "formatId": "NONE"}
        found = await self._prepared(path, query, timeout)
        if not isinstance(found, list):
            raise NetworkError(
                "The recordings are no list.",
                why="This call answers with a list; what came is something else.",
                next_step="Look at the reply in lab.log.http.",
            )
        return [one for one in found if isinstance(one, dict)]

    async def recording(
        self, conversation_id: str, recording_id: str, *, timeout: float = 60.0
    ) -> dict[str, Any]:
        """One recording, waited for likewise.

        Raises:
            DeadlineError: The platform was still preparing it.
        """
        path = f"{_CONVERSATIONS}/{part(conversation_id)}/recordings/{part(recording_id)}"
        found = await self._prepared(path, {"formatId": "NONE", "messageFormatId": "NONE"}, timeout)
        return found if isinstance(found, dict) else {}

    async def _prepared(self, path: str, query: dict[str, Any], timeout: float) -> Any:
        """Ask until the answer is no longer 202."""
        waited = 0.0
        while True:
            response = await self._exchange("GET", path, query=query)
            document = self._document(response, "GET", path)
            if response.status_code != 202:
                return document
            estimate = document.get("estimatedTranscodeTimeMs") if isinstance(document, dict) else None
            delay = min(max(estimate / 1000, 0.5), 10.0) if isinstance(estimate, int) else 1.0
            waited += delay + query.get("maxWaitMs", 0) / 1000
            if waited > timeout:
                raise DeadlineError(
                    f"The recording was not ready within {timeout:g} seconds.",
                    why="The platform answers 202 (lane http) while it prepares a recording.",
                    next_step="Ask again later, or allow more time with timeout=.",
                )
            await self._sleep(delay)

    async def usage(
        self, interval: str, *, group_by: Iterable[str] = ("TemplateUri", "HttpMethod"), timeout: float = 60.0
    ) -> list[dict[str, Any]]:
        """How often the organisation's clients called the platform; counts lag up to a day.

        Raises:
            PlatformError: The query failed.
            DeadlineError: It was still running.
        """
        body = {"interval": interval, "granularity": "Day", "groupBy": list(group_by)}
        begun = await self._object("POST", "/api/v2/usage/query", json=body)
        path = f"/api/v2/usage/query/{part(str(begun.get('executionId', '')))}/results"
        waited, delay = 0.0, 1.0
        while True:
            answer = await self._object("GET", path)
            status = answer.get("queryStatus")
            if status == "Failed":
                raise PlatformError(
                    "The usage query failed.",
                    why="The platform began it and gave it up.",
                    next_step="Ask again, for a shorter interval.",
                )
            if status != "Running":
                rows = answer.get("results")
                return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
            waited += delay
            if waited > timeout:
                raise DeadlineError(
                    f"The usage query did not finish within {timeout:g} seconds.",
                    why="It answers Running while it counts.",
                    next_step="Ask again later, or for a shorter interval.",
                )
            await self._sleep(delay)
            delay = min(2 * delay, 10.0)

    # -- web deployments --------------------------------------------------------------------------------

    def deployments(self) -> AsyncIterator[dict[str, Any]]:
        """Iterate over the web messaging deployments."""
        return self.pages(f"{_WEB}/deployments")

    async def deployment(self, deployment_id: str) -> dict[str, Any]:
        """`GET /api/v2/webdeployments/deployments/{id}`."""
        return await self._object("GET", f"{_WEB}/deployments/{part(deployment_id)}")

    def configurations(self) -> AsyncIterator[dict[str, Any]]:
        """Iterate over the messenger configurations (their drafts)."""
        return self.pages(f"{_WEB}/configurations")

    async def configuration(self, configuration_id: str, version: str = "draft") -> dict[str, Any]:
        """One version of a messenger configuration: a number, or "draft"."""
        path = f"{_WEB}/configurations/{part(configuration_id)}/versions/{part(version)}"
        return await self._object("GET", path)

    # -- notifications -------------------------------------------------------------------------------------

    async def channels(self) -> list[dict[str, Any]]:
        """The notification channels of this OAuth client."""
        query = {"includechannels": "oauthclient"}
        return entities_of(await self.request("GET", _CHANNELS, query=query, stage="channel"))

    async def create_channel(self) -> dict[str, Any]:
        """Create a notification channel: its `connectUri` is as good as a credential. A write."""
        return await self._object("POST", _CHANNELS, stage="channel")

    async def subscriptions(self, channel_id: str) -> list[dict[str, Any]]:
        """The topics a channel is subscribed to."""
        return entities_of(await self.request("GET", _subscriptions(channel_id), stage="channel"))

    async def subscribe(
        self, channel_id: str, topics: Iterable[str], *, ignore_errors: bool = False
    ) -> list[dict[str, Any]]:
        """Add topics to a channel; with `ignore_errors` bad ones come back as Rejected. A write."""
        return await self._subscribe("POST", channel_id, topics, ignore_errors=ignore_errors)

    async def replace_subscriptions(
        self, channel_id: str, topics: Iterable[str], *, ignore_errors: bool = False
    ) -> list[dict[str, Any]]:
        """Subscribe a channel to these topics and no others. A write."""
        return await self._subscribe("PUT", channel_id, topics, ignore_errors=ignore_errors)

    async def unsubscribe(self, channel_id: str) -> None:
        """Take every topic from a channel. A write."""
        await self.request("DELETE", _subscriptions(channel_id), stage="channel")

    async def available_topics(self, *expand: str) -> list[dict[str, Any]]:
        """The topics there are, with what `expand` adds, such as "requiresPermissions"."""
        query = {"expand": list(expand)} if expand else None
        answer = await self.request(
            "GET", "/api/v2/notifications/availabletopics", query=query, stage="channel"
        )
        return entities_of(answer)

    async def _subscribe(
        self, method: str, channel_id: str, topics: Iterable[str], *, ignore_errors: bool
    ) -> list[dict[str, Any]]:
        body = [{"id": topic} for topic in topics]
        query = {"ignoreErrors": "true"} if ignore_errors else None
        path = _subscriptions(channel_id)
        return entities_of(await self.request(method, path, json=body, query=query, stage="channel"))

    async def _object(self, method: str, path: str, **content: Any) -> dict[str, Any]:
        document = await self.request(method, path, **content)
        if isinstance(document, dict):
            return document
        raise NetworkError(
            "The platform's answer is not a JSON object.",
            why="This call answers with an object; what came is something else.",
            next_step="Look at the reply in lab.log.http.",
        )


_MESSAGING = {
    "type": "and",
    "predicates": [
        {"type": "dimension", "dimension": "mediaType", "operator": "matches", "value": "message"}
    ],
}
"""The filter of a details query that leaves messaging over."""


def _communication(conversation_id: str, communication_id: str) -> str:
    return f"{_MESSAGES}/{part(conversation_id)}/communications/{part(communication_id)}"


def _subscriptions(channel_id: str) -> str:
    return f"{_CHANNELS}/{part(channel_id)}/subscriptions"


def _customer(guest: str) -> dict[str, Any]:
    """The channel of an inbound message: who says it, when, and an id that makes it one message."""
    sender = {"id": guest, "idType": "Opaque", "nickname": guest}
    return {"from": sender, "time": _now(), "messageId": str(uuid4())}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _id(created: Mapping[str, Any], what: str) -> str:
    if created.get("id"):
        return str(created["id"])
    raise NetworkError(
        f"The {what} was created, but its answer names no id.",
        why="This call answers with what it created.",
        next_step="Look at the reply in lab.log.http.",
    )
