"""A person signs in, in a real browser, at the sandbox's identity provider; the guest session is theirs."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import sync_playwright

from guestlab.authentication import GuestAuthentication
from guestlab.lab import Lab
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


def _redirect_by_browser(path: str, address: str, page_says: str, button: str) -> str:
    """Click through the page and return where it leads."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        page = browser.new_page()
        page.goto(address)
        assert page_says in page.inner_text("body")
        with page.expect_request(lambda request: "/callback?" in request.url) as seen:
            page.get_by_role("button", name=button).click()
        redirected = str(seen.value.url)
        browser.close()
    return redirected


def _page_after_browser(path: str, address: str, page_says: str, button: str) -> str:
    """Click through the page and return what the page that it leads to says."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        page = browser.new_page()
        page.goto(address)
        assert page_says in page.inner_text("body")
        page.get_by_role("button", name=button).click()
        page.wait_for_url("**/callback?**")
        said = page.inner_text("body")
        browser.close()
    return said


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
        address = f"http://127.0.0.1:{sandbox.http_port}/openid/authorize?{urlencode(query)}"
        redirect_url = _redirect_by_browser(path, address, "identity provider", "Continue as Grace Hopper")
        carried = parse_qs(urlsplit(redirect_url).query)
        assert carried["state"] == ["s-1"]
        authentication = GuestAuthentication(
            carried["code"][0], redirect_uri=redirect, code_verifier=verifier, nonce="n-1"
        )

        async def scenario() -> str:
            async with GuestSession(sandbox.region, deployment.id, authentication=authentication) as session:
                return str((await session.send("it is me")).metadata.get("authenticated"))

        assert asyncio.run(scenario()) == "true"


@pytest.mark.timeout(180)
def test_a_user_signs_in_with_pkce_and_the_token_opens_no_guest_socket(
    require_tool: Callable[[str], str],
) -> None:
    """The login page in a real browser, the code traded by verifier, and 401 all the same."""
    with Sandbox() as sandbox, Lab(sandbox.region, deployment_id=sandbox.deployment_id) as lab:
        with socket.create_server(("127.0.0.1", 0)) as server:
            redirect_uri = f"http://localhost:{server.getsockname()[1]}/callback"
        sign_in = lab.sign_in(sandbox.world.code_client.id, redirect_uri=redirect_uri)
        says = _page_after_browser(
            require_tool("chromium"), sign_in.address, "Genesys Cloud login", "Continue as Ada Agent"
        )
        assert "Back to your notebook" in says
        assert lab.token("pkce").grant == "pkce"  # caught, with nothing to copy
        assert lab.attempt(credential="pkce", placement="header", deployment_id=None).http_status == 401
