"""The lab's three stages on the sandbox, and what a person meets when something is wrong."""

from __future__ import annotations

import asyncio
import pydoc
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from guestlab import errors
from guestlab.lab import Lab
from guestlab.protocol.events import MessageReceived
from guestlab.regions import Region
from guestlab.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

DEPLOYMENT = "3d2f0c1e-0000-4000-8000-000000000001"


@pytest.fixture
def html_server() -> Iterator[Region]:
    """A server that answers every request with a web page."""
    page = b"<html><body>Welcome to nginx!</body></html>"
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%s" % (len(page), page)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    yield Region(f"127.0.0.1:{listener.getsockname()[1]}")
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def test_a_token_is_issued_masked_and_proved_live(lab: Lab) -> None:
    """The token stage ends with the platform's own word on whose token it is."""
    token = lab.token()
    assert token.value not in repr(token)
    assert token.grant == "client_credentials"
    assert token.owner
    assert 86_000 < token.expires_in <= 86_399
    http = lab.log.http
    assert list(http["http_status"]) == [200, 200]
    assert list(http["method"]) == ["POST", "GET"]
    assert lab.stages["token"] == "done"


def test_a_token_says_what_it_opens_and_what_not(lab: Lab) -> None:
    """The guest socket is among what it does not open, with a level."""
    doors = {door.name: door for door in lab.token().good_for}
    assert doors["the Platform API"].opens
    assert not doors["the guest socket"].opens
    assert all(door.level in {"official", "documented", "measured", "inferred"} for door in doors.values())


def test_a_scope_is_accepted_and_said_to_be_no_fix(lab: Lab) -> None:
    """The request carries it, the log says why it changes nothing."""
    assert lab.token(scope="conversations").scope == "conversations"
    assert "scope=conversations" in lab.log.entries[0].raw
    notes = [entry.note for entry in lab.log.entries if entry.kind == "note"]
    assert any("roles" in (note or "") for note in notes)


@pytest.mark.parametrize(
    ("credentials", "options", "why", "next_step"),
    [
        ({"client_secret": "wrong-secret-of-some-length"}, {}, "secret is not its secret", "secret again"),
        ({"client_id": "11111111-2222-4333-8444-555555555555"}, {}, "another region", "client_id"),
        ({}, {"body_format": "json"}, "sent as JSON", "x-www-form-urlencoded"),
        ({}, {"url": "/api/v2/oauth/token"}, "does not issue tokens", "login host"),
    ],
    ids=["wrong secret", "unknown client", "JSON body", "wrong host"],
)
def test_a_refused_token_says_why_and_what_next(
    credentials: dict[str, str], options: dict[str, str], why: str, next_step: str
) -> None:
    """Each common mistake is told from the others, and the exchange is in the log."""
    with Sandbox() as sandbox:
        if "url" in options:
            options = {"url": sandbox.region.api_url + options["url"]}
        own = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret} | credentials
        with Lab(sandbox.region, deployment_id=sandbox.deployment_id, **own) as lab:
            with pytest.raises(errors.TokenError) as caught:
                lab.token(**options)
            assert why in caught.value.why
            assert next_step in caught.value.next_step
            assert own["client_secret"] not in str(caught.value)
            assert lab.stages["token"] == "failed"
            assert len(lab.log.http) == 1


def test_a_client_secret_is_not_sent_to_strangers() -> None:
    """A token URL outside the region is refused before anything leaves."""
    with Lab("mypurecloud.de", deployment_id=DEPLOYMENT, client_id="id", client_secret="secret-1") as lab:
        with pytest.raises(errors.InputError, match=r"evil\.example"):
            lab.token(url="https://evil.example/oauth/token")
        assert len(lab.log) == 0


def test_a_conversation_is_created_and_read_back(lab: Lab) -> None:
    """By Open Messaging, and it says that it is not the guest socket's."""
    conversation = lab.conversation("hello from the server")
    assert "customer" in conversation.participants
    assert "not the one a guest socket opens" in conversation.note
    assert conversation.integration_id


def test_the_path_from_the_question_is_unknown_and_the_right_one_is_named(lab: Lab) -> None:
    """The platform's 404 envelope, and the call that was meant."""
    refusal = lab.conversation_as_asked()
    assert (refusal.http_status, refusal.code) == (404, "not.found")
    assert refusal.correlation_id
    assert "inbound/open/message" in refusal.next_step


@pytest.mark.parametrize("placement", ["query", "header", "first_frame"])
def test_the_question_is_refused_with_401_and_explained(lab: Lab, placement: str) -> None:
    """Refused at the upgrade, empty body, both findings, nothing in the backend's log."""
    attempt = lab.handshake_as_asked(placement)
    assert (attempt.http_status, attempt.step, attempt.body_size) == (401, "upgrade", 0)
    rules = {finding.rule for finding in attempt.diagnosis.findings}
    assert "upgrade.deployment-missing" in rules
    if placement != "first_frame":  # refused before any frame could be sent
        assert "credential.oauth-on-guest-socket" in rules
    assert lab.sandbox is not None
    assert all("/v1" not in str(record) for record in lab.sandbox.backend_log)


def test_the_handshake_that_works(lab: Lab) -> None:
    """101, then SessionResponse 200, with every step timed."""
    attempt = lab.handshake()
    assert attempt.ok
    assert attempt.diagnosis.ok, attempt.diagnosis
    assert (attempt.http_status, attempt.frame_code) == (101, 200)
    assert [step.name for step in attempt.steps] == ["dns", "tcp", "upgrade", "configure"]
    assert all(step.duration_ms > 0 for step in attempt.steps)


def test_over_tls_the_tls_step_is_real() -> None:
    """The certificate is verified against the sandbox's own CA, and named."""
    with Sandbox(tls=True) as sandbox:
        own = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret}
        with Lab(sandbox.region, deployment_id=sandbox.deployment_id, **own) as lab:
            assert lab.token()
            attempt = lab.handshake()
            assert attempt.ok
            tls = next(step for step in attempt.steps if step.name == "tls")
            assert "TLSv1" in tls.note
        untrusted = Region(f"127.0.0.1:{sandbox.tls_port}", tls=True)
        with Lab(untrusted, deployment_id=sandbox.deployment_id) as lab:
            attempt = lab.handshake()
            assert (attempt.ok, attempt.step) == (False, "tls")
            assert "not trusted" in attempt.steps[-1].note


@pytest.mark.parametrize(
    ("options", "status", "step"),
    [
        ({}, 101, "configure"),
        ({"deployment_id": None}, 401, "upgrade"),
        ({"deployment_id": ""}, 401, "upgrade"),
        ({"deployment_id": DEPLOYMENT}, 403, "upgrade"),
        ({"credential": "client_credentials", "placement": "query"}, 101, "configure"),
        ({"credential": "client_credentials", "placement": "header"}, 101, "configure"),
        ({"credential": "garbage", "placement": "cookie"}, 101, "configure"),
        ({"credential": "guest", "placement": "first_frame"}, 101, "configure"),
        ({"first_frame": {"type": "auth"}}, 101, "configure"),
    ],
    ids=str,
)
def test_attempts_end_where_the_gateway_table_says(lab: Lab, options: dict, status: int, step: str) -> None:
    """What decides is the deployment id; the credential does not matter."""
    attempt = lab.attempt(**options)
    assert (attempt.http_status, attempt.step) == (status, step)
    row = lab.log.attempts.iloc[-1]
    assert (row["http_status"], row["step"], row["ok"]) == (status, step, attempt.ok)


def test_away_from_loopback_the_question_sends_a_decoy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token in a URL ends up in logs along the way, so no real one is sent unasked."""
    lab = Lab("mypurecloud.de", deployment_id=DEPLOYMENT, client_id="id", client_secret="secret-1")

    async def nowhere(*_: object, **__: object) -> None:
        raise OSError("no network in tests")

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", nowhere)
    attempt = lab.handshake_as_asked()
    assert attempt.step == "dns"
    top, *others = attempt.findings
    assert attempt.findings is attempt.diagnosis.findings
    assert top.rule == "network.dns"
    assert {finding.confidence for finding in others} <= {"likely"}, "nothing was asked"
    assert lab.log.http.empty, "no token was asked for"
    lab.close()


def test_a_chat_with_the_bot_is_in_the_log(lab: Lab) -> None:
    """Hello is acknowledged, answered, and stands in the messages view."""
    with lab.session() as session:
        sent = session.send("hello")
        assert (sent.text, sent.own) == ("hello", True)
        answer = session.next(MessageReceived, where=lambda event: event.message.direction == "Outbound")
        assert answer.message.text
        assert session.log is lab.log
    messages = lab.log.messages
    assert "hello" in set(messages["text"])
    assert {"Inbound", "Outbound"} <= set(messages["direction"])


def test_the_sandbox_gone_mid_conversation_loses_nothing_logged() -> None:
    """The next send fails clearly; what was said before stays."""
    with Sandbox() as sandbox, Lab(sandbox.region, deployment_id=sandbox.deployment_id) as lab:
        session = lab.session()
        session.send("hello")
        before = len(lab.log)
        sandbox.close()
        with pytest.raises(errors.GuestlabError) as caught:
            session.send("still there?", timeout=5)
        assert caught.value.next_step
        assert len(lab.log) > before
        assert "hello" in set(lab.log.messages["text"])


def test_a_server_speaking_html_is_recognised(html_server: Region) -> None:
    """In all three stages: token, conversation, handshake and session."""
    with Lab(html_server, deployment_id=DEPLOYMENT, client_id="id", client_secret="secret-1") as lab:
        with pytest.raises(errors.TokenError, match="web page"):
            lab.token()
        attempt = lab.handshake()
        assert (attempt.ok, attempt.http_status, attempt.step) == (False, 200, "upgrade")
        assert not attempt.diagnosis.ok
        with pytest.raises(errors.HandshakeError):
            lab.session()
        assert len(lab.log) > 0


def test_a_port_nobody_listens_on_is_recognised() -> None:
    """The attempt ends at tcp; a session raises a NetworkError."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        region = Region(f"127.0.0.1:{listener.getsockname()[1]}")
    with Lab(region, deployment_id=DEPLOYMENT, client_id="id", client_secret="secret-1") as lab:
        attempt = lab.handshake()
        assert attempt.step == "tcp"
        assert attempt.diagnosis.rules == ("network.tcp",)
        with pytest.raises(errors.NetworkError):
            lab.session()
        with pytest.raises(errors.NetworkError, match="no answer"):
            lab.token()


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"region": "mypurecloud.xy", "deployment_id": DEPLOYMENT}, errors.RegionError),
        ({"deployment_id": DEPLOYMENT}, errors.InputError),
        ({"client_id": "mine"}, errors.InputError),
        ({"region": "mypurecloud.de", "ca_file": "/no/such/file.pem"}, errors.InputError),
    ],
)
def test_a_lab_that_cannot_work_is_refused_before_anything_is_sent(
    arguments: dict, error: type[Exception]
) -> None:
    """Ids without a region would be ignored, so they are refused."""
    with pytest.raises(error) as caught:
        Lab(**arguments).handshake()
    assert caught.value.next_step  # type: ignore[attr-defined]


def test_without_a_deployment_id_only_what_needs_one_is_refused() -> None:
    """The token stage and the question's handshake need none."""
    with Sandbox() as sandbox:
        own = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret}
        with Lab(sandbox.region, **own) as lab:
            assert lab.token()
            assert lab.handshake_as_asked().http_status == 401
            with pytest.raises(errors.InputError, match="deployment id is missing"):
                lab.handshake()
            with pytest.raises(errors.InputError, match="deployment id is missing"):
                lab.session()


@pytest.mark.parametrize(
    "options",
    [
        {"credential": "client_credentials"},
        {"placement": "query"},
        {"url": 42},
        {"url": ""},
        {"deployment_id": 42},
        {"headers": "abc"},
        {"headers": {"X-A": "1\r\nX-B: 2"}},
        {"subprotocols": "chat"},
        {"first_frame": {"a": object()}},
    ],
    ids=str,
)
def test_an_attempt_that_cannot_be_carried_out_as_asked_is_refused(lab: Lab, options: dict) -> None:
    """With a clear error instead of a surprise."""
    with pytest.raises(errors.InputError) as caught:
        lab.attempt(**options)
    assert caught.value.next_step


def test_a_closed_lab_says_so(lab: Lab) -> None:
    """Its log stays readable."""
    lab.handshake()
    lab.close()
    for call in (lab.token, lab.conversation, lab.handshake, lab.session):
        with pytest.raises(errors.InputError, match="closed"):
            call()
    assert len(lab.log.attempts) == 1
    assert "closed" in repr(lab)


def test_help_shows_nothing_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No default argument may hold the environment, which has secrets in it."""
    monkeypatch.setenv("GUESTLAB_CLIENT_SECRET", "planted-in-the-environment")
    assert "planted-in-the-environment" not in pydoc.render_doc(Lab)


def test_without_credentials_the_token_stage_says_what_is_missing() -> None:
    """The handshake needs none, the token stage does."""
    with (
        Lab("mypurecloud.de", deployment_id=DEPLOYMENT) as lab,
        pytest.raises(errors.InputError, match="client_id is empty"),
    ):
        lab.token()


def test_a_lab_can_be_made_from_the_environment() -> None:
    """As for a notebook that is shared without secrets."""
    lab = Lab.from_env({"GUESTLAB_REGION": "eu-central-1", "GUESTLAB_DEPLOYMENT_ID": DEPLOYMENT})
    assert lab.region.name == "mypurecloud.de"
    with pytest.raises(errors.InputError, match="GUESTLAB_REGION is not set"):
        Lab.from_env({})


def test_unknown_choices_list_the_known_ones(lab: Lab) -> None:
    """Credential and placement come from fixed sets."""
    with pytest.raises(errors.InputError, match="placement='pocket'"):
        lab.attempt(placement="pocket")


def test_everything_has_a_static_face(lab: Lab) -> None:
    """For notebooks without widgets: text and HTML, escaped."""
    attempt = lab.attempt(deployment_id="<script>alert(1)</script>")
    for shown in (lab, attempt):
        bundle = shown._repr_mimebundle_()
        assert bundle["text/plain"]
        assert "<script>" not in bundle["text/html"]


@pytest.mark.parametrize("grant", ["pkce", "authorization_code"])
def test_a_users_token_is_issued_and_opens_the_guest_socket_no_more_than_any_other(
    lab: Lab, grant: str
) -> None:
    """The sandbox signs its own user in; code, verifier and token are in no log."""
    token = lab.token(grant)
    assert token.grant == grant
    assert not {door.name: door.opens for door in token.good_for}["the guest socket"]
    attempt = lab.handshake_as_asked("header")
    assert attempt.http_status == 401
    attempt = lab.attempt(credential=grant, placement="query", deployment_id=None)
    assert (attempt.http_status, attempt.credential) == (401, grant)
    assert "credential.oauth-on-guest-socket" in attempt.diagnosis.rules
    text = "\n".join(repr(entry) + (entry.raw or "") for entry in lab.log.entries)
    assert token.value not in text
    locations = [entry.raw for entry in lab.log.entries if "location: " in (entry.raw or "").lower()]
    assert all("code=[masked:" in (location or "") for location in locations)
    if grant == "pkce":
        assert "code_challenge_method=S256" in text
        assert "code_verifier=[masked:" in text


def test_a_sign_in_elsewhere_takes_a_person_and_checks_the_state() -> None:
    """The address to open is named; an answer of another sign-in is refused."""
    with Lab("mypurecloud.de") as lab:
        with pytest.raises(errors.InputError, match="Nobody has begun"):
            lab.token("pkce")
        sign_in = lab.sign_in("3d2f0c1e-0000-4000-8000-00000000000c", listen=False)
        assert sign_in.address.startswith("https://login.mypurecloud.de/oauth/authorize?client_id=")
        assert "code_challenge=" in sign_in.address
        with pytest.raises(errors.InputError, match="not finished") as caught:
            lab.token("pkce")
        assert sign_in.address in caught.value.next_step
        with pytest.raises(errors.InputError, match="does not belong"):
            lab.token("pkce", redirected="http://localhost:8085/callback?code=abc&state=other")
        assert lab.tokens.sign_in is sign_in  # it goes on waiting for its own


def test_a_refused_sign_in_says_why() -> None:
    """What the redirect carries as error becomes a TokenError."""
    with Lab("mypurecloud.de") as lab:
        lab.sign_in("3d2f0c1e-0000-4000-8000-00000000000c")
        with pytest.raises(errors.TokenError, match="said no"):
            lab.token("pkce", redirected="http://localhost:8085/callback?error=access_denied&state=x")


def test_what_a_preflight_found_serves_the_next_diagnosis() -> None:
    """Once the allowed domains are known a 403 is the Origin's; of another deployment nothing is known."""
    with Sandbox() as sandbox:
        shop = sandbox.deployments.add(allowed_domains=["shop.example"])
        other = sandbox.deployments.add(allowed_domains=["shop.example"])
        with Lab(sandbox.region, deployment_id=shop.id, origin="https://evil.example") as lab:
            before = lab.attempt(credential="guest", placement="first_frame")
            lab.preflight()
            after = lab.attempt(credential="guest", placement="first_frame")
            elsewhere = lab.attempt(credential="guest", placement="first_frame", deployment_id=other.id)
            right = lab.attempt(credential="guest", placement="first_frame", origin="https://shop.example")
    assert before.http_status == after.http_status == 403
    assert before.diagnosis.rules[0] == elsewhere.diagnosis.rules[0] == "upgrade.deployment-unknown"
    assert (after.diagnosis.rules[0], after.diagnosis.findings[0].confidence) == (
        "upgrade.origin-not-allowed",
        "confirmed",
    )
    assert right.diagnosis.ok
