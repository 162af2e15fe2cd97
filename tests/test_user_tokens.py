"""A person's token: caught by the listener, renewed, revoked, brought along; and where secrets come from."""

from __future__ import annotations

import socket
import threading
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from guestlab.bridge import bridge
from guestlab.doors import GOOD_FOR
from guestlab.errors import DeadlineError, InputError, PlatformError, TokenError
from guestlab.lab import Lab
from guestlab.log import Log
from guestlab.redirect_listener import RedirectListener
from guestlab.sandbox import Sandbox
from guestlab.secret_sources import from_environment, from_keyring, from_prompt, resolved

if TYPE_CHECKING:
    from guestlab.authorization_code import AuthorizationCode


def _free_uri() -> str:
    """Name a redirect URI at a port that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://localhost:{server.getsockname()[1]}/callback"


def _open(address: str) -> tuple[int, str]:
    """Go to an address of this machine as a browser does."""
    address = address.replace("//localhost", "//127.0.0.1")
    try:
        with urllib.request.urlopen(address, timeout=10) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def _person_signs_in(sign_in: AuthorizationCode) -> str:
    """Do what the click on the sandbox's page does, and go where it leads."""
    address = urlsplit(sign_in.address)
    posted = urllib.request.Request(
        f"{address.scheme}://{address.netloc}{address.path}",
        data=urlencode({key: values[0] for key, values in parse_qs(address.query).items()}).encode(),
    )

    class _Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> None:
            return None

    try:
        urllib.request.build_opener(_Stay).open(posted, timeout=10)
    except urllib.error.HTTPError as error:
        with error:
            return str(error.headers["Location"])
    raise AssertionError("the page did not send the browser on")


def test_the_browser_comes_back_by_itself() -> None:
    """The listener catches the redirect while token() waits, and the code is in no log."""
    with Sandbox() as sandbox, Lab(sandbox.region, deployment_id=sandbox.deployment_id) as lab:
        sign_in = lab.sign_in(sandbox.world.code_client.id, redirect_uri=_free_uri())
        assert sign_in.listener is not None
        redirected = _person_signs_in(sign_in)
        browser = threading.Thread(target=_open, args=(redirected,))
        browser.start()
        token = lab.token("pkce", timeout=20)
        browser.join()
        code = parse_qs(urlsplit(redirected).query)["code"][0]
        assert (token.grant, token.renewable) == ("pkce", False)
        assert lab.log.table()["raw"].str.contains(code, regex=False).sum() == 0
        assert lab.tokens.sign_in is None


def test_a_stranger_s_redirect_is_not_taken() -> None:
    """Another state, another path: a page that says so, and the listener goes on waiting."""
    uri = _free_uri()
    listener = RedirectListener(uri, "the-state")
    try:
        assert _open(f"{uri}?code=c&state=other")[0] == 400
        assert _open(uri.replace("/callback", "/favicon.ico"))[0] == 404
        assert not listener.caught.done()
        status, page = _open(f"{uri}?code=c&state=the-state")
        assert (status, "Back to your notebook" in page) == (200, True)
        assert listener.caught.result(5) == f"{uri}?code=c&state=the-state"
    finally:
        listener.close()


def test_nobody_coming_back_is_a_deadline() -> None:
    """token() waits as long as it was told to and says what to do."""
    with Sandbox() as sandbox, Lab(sandbox.region) as lab:
        lab.sign_in(sandbox.world.code_client.id, redirect_uri=_free_uri())
        with pytest.raises(DeadlineError, match="Nobody came back"):
            lab.token("pkce", timeout=0.2)


def test_a_taken_port_leaves_the_pasted_address() -> None:
    """Where nothing can listen the sign-in says why, and takes the address by hand."""
    with socket.create_server(("127.0.0.1", 0)) as server, Sandbox() as sandbox, Lab(sandbox.region) as lab:
        uri = f"http://localhost:{server.getsockname()[1]}/callback"
        sign_in = lab.sign_in(sandbox.world.code_client.id, redirect_uri=uri)
        assert sign_in.listener is None
        assert sign_in.unheard is not None
        assert "taken" in str(sign_in.unheard)
        assert "redirected=" in sign_in._repr_mimebundle_()["text/html"]
        with pytest.raises(InputError, match="redirected="):
            lab.token("pkce", timeout=1)
        redirected = _person_signs_in(lab.tokens.sign_in or sign_in)
        assert lab.token("pkce", redirected=redirected).grant == "pkce"


def test_the_link_is_shown_without_a_secret() -> None:
    """The sign-in's HTML carries the link, never the verifier or the client secret."""
    with Sandbox() as sandbox, Lab(sandbox.region) as lab:
        secret = sandbox.world.code_client.secret
        sign_in = lab.sign_in(sandbox.world.code_client.id, client_secret=secret, redirect_uri=_free_uri())
        shown = "".join(sign_in._repr_mimebundle_().values())
        assert "oauth/authorize" in shown
        assert secret not in shown


def test_a_users_token_renews_by_its_refresh_token() -> None:
    """RFC 6749 section 6: a new access token, a new refresh token, and neither in the log."""
    with Lab() as lab:
        first = lab.token("authorization_code")
        second = lab.renew()
        assert first.renewable
        assert second.value != first.value
        assert second.grant == "authorization_code"
        assert lab.renew().value != second.value  # the refresh token had been replaced
        raw = "".join(lab.log.table()["raw"].dropna())
        assert first.value not in raw
        assert second.value not in raw


def test_a_401_renews_a_users_token_once() -> None:
    """A token that died early is renewed within the request that found out."""
    with Lab() as lab:
        assert lab.sandbox is not None
        first = lab.token("authorization_code")
        flow = lab.tokens.user_flow
        assert flow is not None
        lab.sandbox.world.tokens[first.value].expires_at = 0.0
        client = lab._http()
        url = f"{lab.region.api_url}/api/v2/users/me"
        response = bridge.run(client.send("GET", url, stage="token", auth=flow))
        assert response.status_code == 200
        assert flow.token.value != first.value


def test_a_pkce_token_does_not_renew() -> None:
    """It has no secret to renew with; the error says to sign in again."""
    with Lab() as lab:
        lab.token("pkce")
        with pytest.raises(TokenError, match="Sign in again"):
            lab.renew()


def test_a_revoked_token_is_worthless() -> None:
    """DELETE /api/v2/tokens/me; the lab forgets it and asks anew when it needs one."""
    with Lab() as lab:
        token = lab.token()
        assert lab.revoke().value == token.value
        assert lab.stages["token"] == "ready"
        with pytest.raises(PlatformError, match="401"):
            lab.use_token(token.value)
        assert lab.token().value != token.value
        lab.revoke()
        with pytest.raises(InputError, match="no token to revoke"):
            lab.revoke()


@pytest.mark.parametrize(("grant", "opens"), [("client_credentials", True), ("authorization_code", False)])
def test_a_brought_token_is_recognised(grant: str, opens: bool) -> None:
    """The platform tells of which grant it is, so what it is good for is known."""
    with Lab() as issuing:
        value = issuing.token(grant).value
        with Lab(issuing.region, access_token=lambda: value) as lab:
            token = lab.token()
            assert (token.grant, token.expires_at, token.expires_in) == (grant, None, None)
            assert {door.name: door.opens for door in token.good_for}["Open Messaging inbound"] is opens
            assert value not in repr(token) + repr(lab.tokens)
            with pytest.raises(TokenError, match="cannot be renewed"):
                lab.renew()


def test_every_grant_knows_its_doors() -> None:
    """The guest socket opens for none of them."""
    for doors in GOOD_FOR.values():
        assert {door.name: door.opens for door in doors}["the guest socket"] is False


def test_a_secret_is_asked_for_when_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A source in place of the secret is called once, at the first token."""
    asked: list[str] = []
    with Sandbox() as sandbox:

        def ask() -> str:
            asked.append("once")
            return sandbox.client_secret

        with Lab(sandbox.region, client_id=sandbox.client_id, client_secret=ask) as lab:
            assert asked == []
            lab.token()
            lab.token()
            assert asked == ["once"]
        monkeypatch.setenv("GUESTLAB_TEST_SECRET", f" {sandbox.client_secret} ")
        assert resolved(from_environment("GUESTLAB_TEST_SECRET")) == sandbox.client_secret
        monkeypatch.setattr("getpass.getpass", lambda prompt: prompt)
        assert resolved(from_prompt("api")) == "api:"


def test_a_keyring_says_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A found secret is returned; none is an error that says how to put one there."""
    keyring = pytest.importorskip("keyring")
    kept = {("guestlab", "client"): "s3cret-of-the-keyring"}
    monkeypatch.setattr(keyring, "get_password", lambda service, name: kept.get((service, name)))
    assert resolved(from_keyring("guestlab", "client")) == "s3cret-of-the-keyring"
    with pytest.raises(InputError, match="keyring set guestlab other"):
        from_keyring("guestlab", "other")()


def test_a_secret_that_is_no_text_is_refused() -> None:
    """The error names the type, never the value."""
    with pytest.raises(InputError, match="int"):
        resolved(lambda: 12345678)  # type: ignore[arg-type, return-value]


def test_a_redirect_uri_elsewhere_is_not_listened_at() -> None:
    """Only http at this machine is."""
    for uri in ("https://localhost:8085/callback", "http://example.com/callback"):
        with pytest.raises(InputError, match="cannot be listened at"):
            RedirectListener(uri, "state")


def test_a_log_and_a_journal_exclude_each_other() -> None:
    """A log has its journal from the beginning."""
    with pytest.raises(InputError, match="Both a log and a journal"):
        Lab(log=Log(), journal="run.jsonl")


def test_the_newest_token_is_the_one_revoked() -> None:
    """Whatever kind it is of."""
    with Lab() as lab:
        older = lab.token("pkce")
        newer = lab.token()
        assert lab.revoke().value == newer.value
        assert lab.revoke().value == older.value


def test_a_prompt_without_anybody_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a prompt that nobody answers nor a variable that is not set is a bare Python error."""

    def nobody(_: str) -> str:
        raise EOFError

    monkeypatch.setattr("getpass.getpass", nobody)
    with pytest.raises(InputError, match="Nobody could be asked"):
        from_prompt()()
    with pytest.raises(InputError, match="GUESTLAB_NO_SUCH is not set"):
        from_environment("GUESTLAB_NO_SUCH")()


def test_a_token_pasted_with_its_scheme_is_taken() -> None:
    """As it stands in a header."""
    with Lab() as lab:
        value = lab.token().value
        assert lab.use_token(f" Bearer {value}\n").value == value
