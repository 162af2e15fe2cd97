"""The blocking face of the Platform API, for notebooks and scripts: one-liners over the bridge.

The async core is `platform_api.py`, which says what each call is, what it needs, and what it may not do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from guestlab.bridge import bridge

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from guestlab.platform_api import PlatformApi

__all__ = ["Platform"]

T = TypeVar("T")

LONG = 600.0
"""Seconds for a call that reads page after page."""


class Platform:
    """The Platform API, its verbs blocking. `lab.platform()` gives one; documents are dicts and lists."""

    def __init__(self, core: PlatformApi) -> None:
        self._core = core

    def __repr__(self) -> str:
        return f"<Platform {self._core!r}>"

    @property
    def core(self) -> PlatformApi:
        """The async client below, with every call."""
        return self._core

    def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        query: Mapping[str, Any] | None = None,
        writes: bool = False,
    ) -> Any:
        """Call any path and return its decoded JSON.

        Args:
            method: Of HTTP.
            path: From `/api/v2/` on.
            json: The body.
            query: Parameters of the URL.
            writes: Whether it is known that this changes something.

        Raises:
            InputError: A write away from loopback that was not meant as one (`writes=True`).
            PlatformError: The platform answered with its error envelope.
        """
        asked = dict(query) if query is not None else None
        return bridge.run(self._core.request(method, path, json=json, query=asked, writes=writes), LONG)

    # -- the caller -----------------------------------------------------------------------------------

    def token_info(self) -> dict[str, Any]:
        """What the token is: its OAuth client and organisation."""
        return bridge.run(self._core.token_info())

    def user_me(self) -> dict[str, Any]:
        """Whose token it is; refused with `not.a.user` where it has no user."""
        return bridge.run(self._core.user_me())

    # -- conversations ----------------------------------------------------------------------------------

    def conversation(self, conversation_id: str) -> dict[str, Any]:
        """Read a conversation, with the communications of its participants."""
        return bridge.run(self._core.conversation(conversation_id))

    def message_conversation(self, conversation_id: str) -> dict[str, Any]:
        """Read it with the list of messages on each participant."""
        return bridge.run(self._core.message_conversation(conversation_id))

    def message_details(self, message_id: str) -> dict[str, Any]:
        """Read one message; names its conversation."""
        return bridge.run(self._core.message_details(message_id))

    def messages(
        self, conversation_id: str, message_ids: Sequence[str] | None = None
    ) -> list[dict[str, Any]]:
        """Read messages of a conversation, all by default, in bulk."""
        return bridge.run(_listed(self._core.messages(conversation_id, message_ids)), LONG)

    def say(
        self, conversation_id: str, communication_id: str, text: str, *, media_ids: Sequence[str] = ()
    ) -> dict[str, Any] | None:
        """Say something as the agent who owns the communication. A write."""
        return bridge.run(self._core.say(conversation_id, communication_id, text, media_ids=media_ids))

    def typing(self, conversation_id: str, communication_id: str, *, milliseconds: int = 5000) -> None:
        """Show the customer that the agent types. A write."""
        bridge.run(self._core.typing(conversation_id, communication_id, milliseconds=milliseconds))

    def set_attributes(
        self, conversation_id: str, participant_id: str, attributes: Mapping[str, str]
    ) -> None:
        """Add attributes to a participant, or change them. A write."""
        bridge.run(self._core.set_attributes(conversation_id, participant_id, attributes))

    def disconnect(self, conversation_id: str) -> None:
        """End a conversation for everybody. A write."""
        bridge.run(self._core.disconnect(conversation_id))

    # -- what there is ----------------------------------------------------------------------------------

    def deployments(self) -> list[dict[str, Any]]:
        """List the web messaging deployments."""
        return bridge.run(_listed(self._core.deployments()), LONG)

    def deployment(self, deployment_id: str) -> dict[str, Any]:
        """Read one deployment."""
        return bridge.run(self._core.deployment(deployment_id))

    def configurations(self) -> list[dict[str, Any]]:
        """List the messenger configurations."""
        return bridge.run(_listed(self._core.configurations()), LONG)

    def open_integrations(self) -> list[dict[str, Any]]:
        """List the Open Messaging integrations."""
        return bridge.run(_listed(self._core.open_integrations()), LONG)

    def usage(self, interval: str) -> list[dict[str, Any]]:
        """How often the organisation's clients called which path; it knows nothing of refused upgrades.

        Args:
            interval: Two times of ISO 8601 with a slash between, in UTC.
        """
        return bridge.run(self._core.usage(interval), LONG)

    # -- afterwards -------------------------------------------------------------------------------------

    def details(self, conversation_id: str) -> dict[str, Any]:
        """Who took part when, as analytics tells it; no words."""
        return bridge.run(self._core.details(conversation_id))

    def details_query(self, interval: str) -> list[dict[str, Any]]:
        """The messaging conversations of a time, as analytics tells them; no words.

        Args:
            interval: Two times of ISO 8601 with a slash between, in UTC.
        """
        return bridge.run(_listed(self._core.details_query(interval)), LONG)


async def _listed(rows: AsyncIterator[T]) -> list[T]:
    return [row async for row in rows]
