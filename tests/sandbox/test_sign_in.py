"""Signing in: the agent's login page, the customer's provider, authenticated sessions, step-up, logout."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from guestlab.sandbox import Sandbox

from .conftest import Guest

CALLBACK = "https://shop.example/callback?keep=this"
TOKEN = "/api/v2/webdeployments/token"
VERIFIER = "v" * 50
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


@pytest.fixture
def quiet() -> Iterator[Sandbox]:
    """A sandbox without a bot, its time standing still."""
    with Sandbox(bot=False) as sandbox:
        sandbox.clock.freeze()
        yield sandbox


@pytest.fixture
def web(quiet: Sandbox) -> Iterator[httpx.Client]:
    """An HTTP client without any credential."""
    with httpx.Client(base_url=f"http://127.0.0.1:{quiet.http_port}", trust_env=False) as client:
        yield client


@pytest.fixture
def shop(quiet: Sandbox) -> Any:
    """A deployment where guests may sign in and step up."""
    return quiet.deployments.add(auth=True, session_upgrade=True)


# -- the agent's login --------------------------------------------------------------------------------------


def _click_through(web: httpx.Client, path: str, query: dict[str, str], **more: str) -> httpx.Response:
    """Open the page and press its button, as a person would."""
    page = web.get(path, params=query)
    assert page.status_code == 200
    assert page.headers["Content-Type"].startswith("text/html")
    pairs = re.findall(r'name="(\w+)" value="([^"]*)"', page.text)
    fields = {name: html.unescape(value) for name, value in pairs}
    return web.post(path, data={**fields, **more})


def _code_client(quiet: Sandbox) -> Any:
    return quiet.world.code_client


def test_a_person_clicks_through_and_the_code_is_worth_a_users_token(
    quiet: Sandbox, web: httpx.Client
) -> None:
    """Authorization code with the client's secret; then refresh; a user's token is not a client's."""
    client = _code_client(quiet)
    query = {"client_id": client.id, "redirect_uri": CALLBACK, "response_type": "code", "state": "s&1"}
    back = _click_through(web, "/oauth/authorize", query)
    assert back.status_code == 302
    answer = parse_qs(urlsplit(back.headers["Location"]).query)
    assert (answer["keep"], answer["state"]) == (["this"], ["s&1"])
    form = {"grant_type": "authorization_code", "code": answer["code"][0], "redirect_uri": CALLBACK}
    pair = (client.id, client.secret)
    first = web.post("/oauth/token", data=form, auth=pair).json()
    assert set(first) == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert web.post("/oauth/token", data=form, auth=pair).json()["error"] == "invalid_grant"
    web.headers["Authorization"] = f"Bearer {first['access_token']}"
    assert web.get("/api/v2/users/me").json()["id"] == quiet.user_id
    inbound = f"/api/v2/conversations/messages/{quiet.integration_id}/inbound/open/message"
    assert web.post(inbound, json={}).json()["code"] == "not.a.client"
    refresh = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    second = web.post("/oauth/token", data=refresh, auth=pair).json()
    assert second["access_token"] != first["access_token"]
    assert web.post("/oauth/token", data=refresh, auth=pair).json()["error"] == "invalid_grant"
    assert web.get("/api/v2/users/me").json()["code"] == "bad.credentials"


@pytest.mark.parametrize(
    ("verifier", "error"), [(VERIFIER, None), (CHALLENGE, "invalid_grant"), ("", "invalid_client")]
)
def test_pkce_needs_the_verifier_and_no_secret(
    quiet: Sandbox, web: httpx.Client, verifier: str, error: str | None
) -> None:
    """The verifier, not the challenge."""
    client = _code_client(quiet)
    query = {"client_id": client.id, "redirect_uri": CALLBACK, "response_type": "code"}
    query |= {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
    back = _click_through(web, "/oauth/authorize", query)
    code = parse_qs(urlsplit(back.headers["Location"]).query)["code"][0]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
    form |= {"client_id": client.id, "code_verifier": verifier}
    assert web.post("/oauth/token", data=form).json().get("error") == error


def test_the_implicit_flow_answers_in_the_fragment(quiet: Sandbox, web: httpx.Client) -> None:
    """As old clients still do it."""
    query = {"client_id": _code_client(quiet).id, "redirect_uri": CALLBACK, "response_type": "token"}
    back = _click_through(web, "/oauth/authorize", query)
    answer = parse_qs(urlsplit(back.headers["Location"]).fragment)
    assert answer["token_type"] == ["bearer"]
    web.headers["Authorization"] = f"Bearer {answer['access_token'][0]}"
    assert web.get("/api/v2/users/me").status_code == 200


def test_a_wrong_login_request_is_told_to_the_application_or_shown(quiet: Sandbox, web: httpx.Client) -> None:
    """To the application where its address is known; nothing is echoed unescaped, no script address works."""
    client = _code_client(quiet)
    good = {"client_id": client.id, "redirect_uri": CALLBACK, "response_type": "code"}
    told = (
        ({"response_type": "magic"}, "unsupported_response_type"),
        ({"client_id": quiet.client_id}, "unauthorized_client"),
        ({"code_challenge": "x", "code_challenge_method": "plain"}, "invalid_request"),
    )
    for change, error in told:
        back = web.get("/oauth/authorize", params={**good, **change})
        assert parse_qs(urlsplit(back.headers["Location"]).query)["error"] == [error]
    for change in ({"client_id": "x"}, {"redirect_uri": "javascript:alert(1)"}, {"redirect_uri": ""}):
        shown = web.get("/oauth/authorize", params={**good, **change})
        assert shown.status_code == 400
    evil = web.get("/oauth/authorize", params={**good, "state": '"><script>x</script>'})
    assert "<script>" not in evil.text
    assert "default-src 'none'" in evil.headers["Content-Security-Policy"]
    for grant, error in (("client_credentials", "unauthorized_client"), ("refresh_token", "invalid_grant")):
        body = web.post("/oauth/token", data={"grant_type": grant}, auth=(client.id, client.secret)).json()
        assert body["error"] == error
    assert web.get("/logout", params={"redirect_uri": CALLBACK}).headers["Location"] == CALLBACK
    assert web.get("/logout").status_code == 200


# -- the customer's provider and the exchange ---------------------------------------------------------------


def _exchange(web: httpx.Client, deployment: Any, **oauth: Any) -> httpx.Response:
    body = {"deploymentId": deployment.id, "oauth": {"redirectUri": CALLBACK, **oauth}}
    return web.post(f"{TOKEN}/oauthcodegrantjwtexchange", json=body)


def _sign_in(quiet: Sandbox, web: httpx.Client, shop: Any, person: str = "ada") -> dict[str, str]:
    reply = _exchange(web, shop, code=quiet.openid.code(person, redirect_uri=CALLBACK))
    assert reply.status_code == 200
    answer: dict[str, str] = reply.json()
    return answer


def _configure(guest: Guest, jwt: str, **fields: Any) -> dict[str, Any]:
    """configureAuthenticatedSession, up to its SessionResponse or error."""
    return guest.ask(
        "configureAuthenticatedSession", deploymentId=guest.deployment_id, data={"code": jwt}, **fields
    )


def test_a_person_signs_in_at_the_provider_and_the_code_is_exchanged(
    quiet: Sandbox, web: httpx.Client, shop: Any
) -> None:
    """By clicking; with nonce and PKCE; a code works once."""
    query = {"client_id": "shop", "redirect_uri": CALLBACK, "response_type": "code", "state": "x"}
    query |= {"nonce": "n-1", "code_challenge": CHALLENGE, "scope": "openid"}
    back = _click_through(web, "/openid/authorize", query, person="grace")
    code = parse_qs(urlsplit(back.headers["Location"]).query)["code"][0]
    good = {"code": code, "nonce": "n-1", "codeVerifier": VERIFIER}
    answer = _exchange(web, shop, **good).json()
    assert set(answer) == {"jwt", "refreshToken"}
    assert answer["jwt"].count(".") == 2
    assert _exchange(web, shop, **good).json()["code"] == "bad.credentials"
    assert (
        web.get("/openid/.well-known/openid-configuration")
        .json()["authorization_endpoint"]
        .startswith("http")
    )


def test_an_exchange_that_does_not_fit_is_refused(quiet: Sandbox, web: httpx.Client, shop: Any) -> None:
    """Missing parameters, wrong address, wrong nonce, wrong verifier, sign-in switched off."""
    missing = web.post(f"{TOKEN}/oauthcodegrantjwtexchange", json={"deploymentId": shop.id})
    assert (missing.status_code, missing.json()["code"]) == (400, "parameters.missing")
    for issued, given in (
        ({"redirect_uri": "https://other.example/"}, {}),
        ({"nonce": "a"}, {"nonce": "b"}),
        ({"code_challenge": CHALLENGE}, {"codeVerifier": CHALLENGE}),
    ):
        code = quiet.openid.code(**{"redirect_uri": CALLBACK, **issued})
        assert _exchange(web, shop, code=code, **given).json()["code"] == "bad.credentials"
    plain = quiet.deployments[0]
    off = _exchange(web, plain, code=quiet.openid.code(redirect_uri=CALLBACK))
    assert off.json()["code"] == "feature.toggle.disabled"


def test_the_implicit_id_token_gives_no_refresh_token(quiet: Sandbox, web: httpx.Client, shop: Any) -> None:
    """As the mobile SDK knows it."""
    query = {"redirect_uri": CALLBACK, "response_type": "id_token", "nonce": "n"}
    back = _click_through(web, "/openid/authorize", query, person="alan")
    token = parse_qs(urlsplit(back.headers["Location"]).fragment)["id_token"][0]
    assert set(_exchange(web, shop, idToken=token, nonce="n").json()) == {"jwt"}
    assert _exchange(web, shop, idToken=token, nonce="other").json()["code"] == "bad.credentials"


def test_an_authenticated_session_says_so_on_every_message(
    quiet: Sandbox, web: httpx.Client, shop: Any
) -> None:
    """metadata.authenticated "true"; the conversation knows who it is."""
    guest = Guest(quiet, deployment_id=shop.id, configure=False)
    body = _configure(guest, _sign_in(quiet, web, shop)["jwt"])["body"]
    assert (body["connected"], body["newSession"]) == (True, True)
    assert guest.say("hello")["body"]["metadata"]["authenticated"] == "true"
    customer = next(iter(quiet.world.conversations)).participants[0]
    assert (customer.name, customer.authenticated) == ("Ada Lovelace", True)
    guest.close()


def test_a_bad_or_expired_jwt_is_401_and_refresh_mends_it(
    quiet: Sandbox, web: httpx.Client, shop: Any
) -> None:
    """The text is `User is unauthorized`; the mobile SDK refreshes without a deployment id."""
    guest = Guest(quiet, deployment_id=shop.id, configure=False)
    signed_in = _sign_in(quiet, web, shop)
    for bad in ("rubbish", ""):
        refused = _configure(guest, bad)
        assert (refused["class"], refused["code"], refused["body"]) == ("string", 401, "User is unauthorized")
    quiet.clock.advance(901)
    assert _configure(guest, signed_in["jwt"])["code"] == 401
    again = web.post(f"{TOKEN}/refresh", json={"refreshToken": signed_in["refreshToken"]})
    assert _configure(guest, again.json()["jwt"])["class"] == "SessionResponse"
    assert web.post(f"{TOKEN}/refresh", json={}).json()["code"] == "parameters.missing"
    assert web.post(f"{TOKEN}/refresh", json={"refreshToken": "x"}).json()["code"] == "bad.credentials"
    guest.close()


def test_signing_in_where_it_is_switched_off_is_403(quiet: Sandbox) -> None:
    """The deployment's auth switch."""
    guest = Guest(quiet, configure=False)
    assert _configure(guest, "x")["code"] == 403
    guest.close()


def test_a_token_used_signed_in_cannot_go_back(quiet: Sandbox, web: httpx.Client, shop: Any) -> None:
    """4017; nor can somebody else take it over."""
    guest = Guest(quiet, deployment_id=shop.id, configure=False)
    _configure(guest, _sign_in(quiet, web, shop)["jwt"])
    refused = guest.configure()
    assert (refused["class"], refused["code"]) == ("string", 4017)
    assert _configure(guest, _sign_in(quiet, web, shop, "grace")["jwt"])["code"] == 403
    guest.close()


def test_two_devices_of_one_person_share_the_session(quiet: Sandbox, web: httpx.Client, shop: Any) -> None:
    """Different guest tokens, one session: each hears the other."""
    devices = [Guest(quiet, deployment_id=shop.id, configure=False) for _ in range(2)]
    new = [_configure(device, _sign_in(quiet, web, shop)["jwt"])["body"]["newSession"] for device in devices]
    assert new == [True, False]
    devices[0].say("from one")
    assert devices[1].receive()["body"]["text"] == "from one"
    for device in devices:
        device.close()


def test_step_up_keeps_the_session_and_shows_who_signed_in(
    quiet: Sandbox, web: httpx.Client, shop: Any
) -> None:
    """SignIn before the SessionResponse; the words said before stay; messages are authenticated from now on."""
    guest = Guest(quiet, deployment_id=shop.id)
    assert "authenticated" not in guest.say("before")["body"]["metadata"]
    jwt = _sign_in(quiet, web, shop)["jwt"]
    guest.send("configureAuthenticatedSession", deploymentId=shop.id, data={"code": jwt})
    event = guest.receive()["body"]
    assert event["events"] == [{"eventType": "Presence", "presence": {"type": "SignIn"}}]
    assert (event["direction"], event["channel"]["from"]) == (
        "Inbound",
        {"firstName": "Ada", "lastName": "Lovelace"},
    )
    answer = guest.receive()
    assert (answer["class"], answer["body"]["newSession"]) == ("SessionResponse", False)
    assert answer["body"]["clearedExistingSession"] is False
    assert guest.say("after")["body"]["metadata"]["authenticated"] == "true"
    assert [text for _, text in quiet.agent.transcript() if text] == ["before", "after"]
    guest.close()


def test_step_up_takes_over_from_another_device(quiet: Sandbox, web: httpx.Client, shop: Any) -> None:
    """The older session is removed: its device hears signedIn, the new one clearedExistingSession."""
    older = Guest(quiet, deployment_id=shop.id, configure=False)
    _configure(older, _sign_in(quiet, web, shop)["jwt"])
    guest = Guest(quiet, deployment_id=shop.id)
    jwt = _sign_in(quiet, web, shop)["jwt"]
    guest.send("configureAuthenticatedSession", deploymentId=shop.id, data={"code": jwt})
    assert guest.until("SessionResponse")["body"]["clearedExistingSession"] is True
    assert older.until("ConnectionClosedEvent")["body"] == {"reason": "signedIn", "reasonCode": "signedIn"}
    guest.close()
    older.close()


def test_where_upgrade_is_off_guests_cannot_speak_or_step_up(quiet: Sandbox, web: httpx.Client) -> None:
    """Signing in from the start is the only way."""
    strict = quiet.deployments.add(auth=True)
    guest = Guest(quiet, deployment_id=strict.id)
    refused = guest.say("hello?")
    assert (refused["code"], refused["body"]) == (403, "Try to authenticate again")
    assert _configure(guest, _sign_in(quiet, web, strict)["jwt"])["code"] == 403
    guest.close()


def test_logging_out_is_told_to_every_device(quiet: Sandbox, web: httpx.Client, shop: Any) -> None:
    """LogoutEvent; the JWT and the refresh token are worth nothing; the history JWT never was this one."""
    devices = [Guest(quiet, deployment_id=shop.id, configure=False) for _ in range(2)]
    signed_in = [_sign_in(quiet, web, shop) for _ in devices]
    for device, keys in zip(devices, signed_in, strict=True):
        _configure(device, keys["jwt"])
    history_jwt = devices[0].ask("getJwt")["body"]["jwt"]
    refused = web.delete(f"{TOKEN}/revoke", headers={"Authorization": f"Bearer {history_jwt}"})
    assert refused.json()["code"] == "bad.credentials"
    done = web.delete(f"{TOKEN}/revoke", headers={"Authorization": f"bearer {signed_in[0]['jwt']}"})
    assert (done.status_code, done.content) == (204, b"")
    for device in devices:
        assert device.until("LogoutEvent")["body"] == {}
    assert _configure(devices[0], signed_in[1]["jwt"])["code"] == 401
    gone = web.post(f"{TOKEN}/refresh", json={"refreshToken": signed_in[0]["refreshToken"]})
    assert gone.json()["code"] == "bad.credentials"
    for device in devices:
        device.close()


def test_revoking_with_an_expired_jwt_says_expired(quiet: Sandbox, web: httpx.Client, shop: Any) -> None:
    """Refresh first, then revoke."""
    jwt = _sign_in(quiet, web, shop)["jwt"]
    quiet.faults.expire("sign-in")
    refused = web.delete(f"{TOKEN}/revoke", headers={"Authorization": f"Bearer {jwt}"})
    assert (refused.status_code, refused.json()["code"]) == (400, "credentials.expired")
