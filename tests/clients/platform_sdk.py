"""The vendor's Python SDK, driven line by line in an interpreter of its own: not a test, and not imported.

Each line read is `{"do": verb, …}`, each line written is what the SDK returned, or `{"error": {status, body}}`.
The SDK is as it comes; only two things round it are ours: names under `.localhost` are looked up here, as
Debian's resolver does not, and its settings file is read from an empty home.
"""

from __future__ import annotations

import json
import socket
import sys
from typing import Any

_real = socket.getaddrinfo


def _lookup(host: Any, *arguments: Any, **options: Any) -> Any:
    if isinstance(host, str) and host.endswith(".localhost"):
        host = "127.0.0.1"
    return _real(host, *arguments, **options)


socket.getaddrinfo = _lookup

import PureCloudPlatformClientV2 as sdk  # noqa: E402, N813 - after the resolver; the vendor's name
from PureCloudPlatformClientV2.rest import ApiException  # noqa: E402


class Driver:
    """One verb a method."""

    def __init__(self) -> None:
        self._client = sdk.api_client.ApiClient()

    def region(self, host: str, ca_file: str, client_id: str, client_secret: str) -> Any:
        """Log in with client credentials at a region's hosts, over TLS."""
        sdk.configuration.ssl_ca_cert = ca_file
        sdk.configuration.host = host
        self._client = sdk.api_client.ApiClient(host=host)
        self._client.get_client_credentials_token(client_id, client_secret)
        return {"token": bool(self._client.access_token)}

    def gateway(self, port: int, client_id: str, client_secret: str) -> Any:
        """Log in through the SDK's gateway setting: plaintext, one origin."""
        self._client = sdk.api_client.ApiClient()
        self._client.set_gateway("127.0.0.1", "http", port, "", "")
        self._client.get_client_credentials_token(client_id, client_secret)
        return {"token": bool(self._client.access_token)}

    def token(self) -> Any:
        """Who the token is."""
        return sdk.TokensApi(self._client).get_tokens_me()

    def user(self) -> Any:
        """Who the user is; a client has none."""
        return sdk.UsersApi(self._client).get_users_me()

    def channel(self) -> Any:
        """Make a notification channel."""
        return sdk.NotificationsApi(self._client).post_notifications_channels()

    def subscribe(self, channel: str, topics: list[str]) -> Any:
        """Subscribe it."""
        wanted = [{"id": topic} for topic in topics]
        return sdk.NotificationsApi(self._client).put_notifications_channel_subscriptions(channel, wanted)

    def inbound(self, integration: str, body: dict[str, Any]) -> Any:
        """Play the customer by Open Messaging."""
        return sdk.ConversationsApi(self._client).post_conversations_message_inbound_open_message(
            integration, body, prefetch_conversation_id=True
        )

    def conversation(self, conversation: str) -> Any:
        """Read a conversation."""
        return sdk.ConversationsApi(self._client).get_conversation(conversation)

    def message(self, message: str) -> Any:
        """Read a message."""
        return sdk.ConversationsApi(self._client).get_conversations_message_details(message)

    def reply(self, conversation: str, communication: str, text: str) -> Any:
        """Speak on a communication."""
        return sdk.ConversationsApi(self._client).post_conversations_message_communication_messages(
            conversation, communication, {"textBody": text}
        )

    def deployments(self) -> Any:
        """List the messenger deployments."""
        return sdk.WebDeploymentsApi(self._client).get_webdeployments_deployments()

    def do(self, verb: str, **arguments: Any) -> Any:
        """Carry out one line."""
        try:
            answer = getattr(self, verb)(**arguments)
        except ApiException as error:
            return {"error": {"status": error.status, "body": json.loads(error.body or "null")}}
        return self._client.sanitize_for_serialization(answer)


def main() -> None:
    """Answer lines until there are no more."""
    driver = Driver()
    print(json.dumps({"version": sdk.__version__ if hasattr(sdk, "__version__") else ""}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(driver.do(request.pop("do"), **request)), flush=True)


if __name__ == "__main__":
    main()
