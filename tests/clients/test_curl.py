"""curl sees exactly the gateway table, and the three stages' REST calls."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from .conftest import tool

if TYPE_CHECKING:
    from guestlab.sandbox import Sandbox

UPGRADE = (
    *("-H", "Connection: Upgrade"),
    *("-H", "Upgrade: websocket"),
    *("-H", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="),
    *("-H", "Sec-WebSocket-Version: 13"),
)


def _curl(*arguments: str) -> tuple[int, str]:
    """Run curl; a socket that stays open is left after a second. Returns status line's code and all text."""
    command = [tool("curl"), "-q", "-s", "-i", "--noproxy", "*", "--http1.1", "--max-time", "1", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    return int(done.stdout.split()[1]), done.stdout


# condition, query, headers
CASES = (
    ("deployment.missing", "", ()),
    ("deployment.missing", "?deploymentId=", ()),
    ("deployment.missing", "?token=an-oauth-token", ("Authorization: Bearer an-oauth-token",)),
    ("deployment.unknown", "?deploymentId=InvalidDeploymentId", ()),
    ("deployment.inactive", "?deploymentId={inactive}", ()),
    ("origin.blocked", "?deploymentId={restricted}", ()),
    ("origin.blocked", "?deploymentId={restricted}", ("Origin: https://evil.example",)),
    ("open", "?deploymentId={restricted}", ("Origin: https://shop.example",)),
    ("open", "?deploymentId={main}", ()),
    ("open", "?deploymentId={main}&token=an-oauth-token", ("Authorization: Bearer an-oauth-token",)),
)


@pytest.mark.parametrize(("condition", "query", "headers"), CASES)
@pytest.mark.parametrize("secure", [False, True])
def test_curl_sees_the_gateway_table(
    sandbox: Sandbox, condition: str, query: str, headers: tuple[str, ...], secure: bool
) -> None:
    """Status and body as the row says, by plaintext and by TLS with the guest socket's host name."""
    ids = {
        "main": sandbox.deployment_id,
        "inactive": sandbox.deployments.add(status="Inactive").id,
        "restricted": sandbox.deployments.add(allowed_domains=["shop.example"]).id,
    }
    path = "/v1" + query.format(**ids)
    extra = [part for header in headers for part in ("-H", header)]
    if secure:
        host = f"webmessaging.localhost:{sandbox.tls_port}"
        url = [f"https://{host}{path}", "--cacert", str(sandbox.ca_file), "--resolve", f"{host}:127.0.0.1"]
    else:
        url = [f"http://127.0.0.1:{sandbox.http_port}{path}"]
    status, text = _curl(*UPGRADE, *extra, *url)
    row = sandbox.gateway[condition]
    assert status == row.status
    if status != 101:
        assert text.partition("\n\n")[2] == row.body
        assert "socket opened" not in {record.what for record in sandbox.backend_log}


def test_curl_gets_a_token_and_a_conversation(sandbox: Sandbox) -> None:
    """The platform's own stages, by the most sceptical of clients."""
    base = f"http://127.0.0.1:{sandbox.http_port}"
    pair = f"{sandbox.client_id}:{sandbox.client_secret}"
    status, text = _curl("-u", pair, "-d", "grant_type=client_credentials", f"{base}/oauth/token")
    assert status == 200
    token = json.loads(text.partition("\n\n")[2])["access_token"]
    message = {
        "channel": {"from": {"id": "g", "idType": "Opaque"}, "time": "2026-10-08T09:00:00.000Z"},
        "text": "Hello",
    }
    status, text = _curl(
        *("-H", f"Authorization: Bearer {token}"),
        *("--json", json.dumps(message)),
        f"{base}/api/v2/conversations/messages/{sandbox.integration_id}/inbound/open/message"
        "?prefetchConversationId=true",
    )
    assert status == 200
    assert json.loads(text.partition("\n\n")[2])["conversationId"]
