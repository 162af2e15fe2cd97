"""A person signs in, in a real browser, at the sandbox's identity provider; the guest session is theirs."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import sync_playwright

from guestlab.authentication import GuestAuthentication
from guestlab.sandbox import Sandbox
from guestlab.session import GuestSession

if TYPE_CHECKING:
    from collections.abc import Callable

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-sync",
    "--no-first-run",
]


def _code_by_browser(path: str, address: str, person: str) -> dict[str, list[str]]:
    """Click through the page and return what the redirect carried."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        page = browser.new_page()
        page.goto(address)
        assert "identity provider" in page.inner_text("body")
        with page.expect_request(lambda request: "/callback?" in request.url) as seen:
            page.get_by_role("button", name=f"Continue as {person}").click()
        carried = parse_qs(urlsplit(seen.value.url).query)
        browser.close()
    return carried


@pytest.mark.timeout(180)
def test_a_person_signs_in_and_the_session_is_authenticated(require_tool: Callable[[str], str]) -> None:
    """Authorization code with PKCE at the provider, exchange, configureAuthenticatedSession, all offline."""
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    path = require_tool("chromium")
    with Sandbox() as sandbox:
        deployment = sandbox.deployments.add(auth=True)
        redirect = f"http://127.0.0.1:{sandbox.http_port}/callback"
        query: dict[str, Any] = {
            "response_type": "code",
            "client_id": "shop",
            "redirect_uri": redirect,
            "state": "s-1",
            "nonce": "n-1",
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        carried = _code_by_browser(
            path,
            f"http://127.0.0.1:{sandbox.http_port}/openid/authorize?{urlencode(query)}",
            "Grace Hopper",
        )
        assert carried["state"] == ["s-1"]
        authentication = GuestAuthentication(
            carried["code"][0], redirect_uri=redirect, code_verifier=verifier, nonce="n-1"
        )

        async def scenario() -> str:
            async with GuestSession(sandbox.region, deployment.id, authentication=authentication) as session:
                return str((await session.send("it is me")).metadata.get("authenticated"))

        assert asyncio.run(scenario()) == "true"
