"""Faults: each strikes as said, as often as said, and again the same with the same seed."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from guestlab.errors import InputError
from guestlab.sandbox import Sandbox
from guestlab.sandbox.corruption import CORRUPTIONS

from .conftest import Guest, raw, upgrade_request


@pytest.fixture
def quiet() -> Iterator[Sandbox]:
    """A sandbox without a bot and without budgets."""
    with Sandbox(bot=False, limits=None) as sandbox:
        yield sandbox


@pytest.fixture
def guest(quiet: Sandbox) -> Iterator[Guest]:
    """A configured guest on it."""
    guest = Guest(quiet)
    yield guest
    guest.close()


def _burst(sandbox: Sandbox, count: int = 30) -> None:
    for number in range(count):
        sandbox.agent.say(str(number))


def _texts(guest: Guest) -> list[str]:
    """Everything up to the answer of a request that no fault of pushed frames touches."""
    time.sleep(0.1)  # longer than a held-back frame is held
    tracing_id = guest.send("getConfiguration", deploymentId=guest.deployment_id)
    texts: list[str] = []
    while True:
        frame = guest.receive()
        if frame.get("tracingId") == tracing_id:
            return texts
        texts.append(frame["body"]["text"])


# -- the link ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2, 57, 400])
def test_a_link_is_cut_at_the_byte(quiet: Sandbox, count: int) -> None:
    """Exactly so many bytes after the upgrade, and no close frame."""
    path = f"/v1?deploymentId={quiet.deployment_id}"
    quiet.faults.drop(after_bytes=count)
    payload = json.dumps({"action": "echo", "message": {"type": "Text", "text": "x" * 600}}).encode()
    frame = bytes([0x81, 0x80 | 126, len(payload) >> 8, len(payload) & 255, 0, 0, 0, 0]) + payload
    with socket.create_connection(("127.0.0.1", quiet.http_port), timeout=5) as link:
        link.sendall(upgrade_request(path))
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            answer += link.recv(1)
        link.sendall(frame)
        rest = b""
        try:
            while chunk := link.recv(65536):
                rest += chunk
        except ConnectionResetError:
            pass
    assert len(rest) == count


def test_links_are_cut_as_often_as_said_and_then_no_more(quiet: Sandbox) -> None:
    """Open ones first, then those that follow; the session survives."""
    guest = Guest(quiet)
    quiet.faults.drop(times=2)
    with pytest.raises(ConnectionClosed) as caught:
        guest.receive()
    assert caught.value.rcvd is None
    with pytest.raises((ConnectionClosed, EOFError)):
        Guest(quiet, token=guest.token)
    assert repr(quiet.faults) == "Faults(none)"
    again = Guest(quiet, token=guest.token)
    assert again.session["newSession"] is False
    again.close()
    guest.close()


def test_the_places_of_cuts_come_from_the_seed() -> None:
    """Same seed, same places; another seed, others."""

    def places(seed: int) -> list[int]:
        with Sandbox(seed=seed) as sandbox:
            sandbox.faults.drop(after_bytes=(1, 10_000), times=10)
            return list(sandbox.faults._cuts)

    assert places(1) == places(1) != places(2)
    assert len(set(places(1))) > 5


def test_sockets_are_closed_with_a_code(quiet: Sandbox, guest: Guest) -> None:
    """Any that may be sent; others are an error with a next step."""
    quiet.faults.close(1001, "maintenance")
    with pytest.raises(ConnectionClosed) as caught:
        guest.receive()
    assert caught.value.rcvd is not None
    assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (1001, "maintenance")
    for code in (1005, 1006, 1015, 999, 5000):
        with pytest.raises(InputError):
            quiet.faults.close(code)


# -- the stream -------------------------------------------------------------------------------------------


def test_duplicates_and_losses(quiet: Sandbox, guest: Guest) -> None:
    """Pushed frames only; history is complete all the same."""
    quiet.faults.duplicate(times=2)
    _burst(quiet, 3)
    assert _texts(guest) == ["0", "0", "1", "1", "2"]
    quiet.faults.clear()
    quiet.faults.lose(times=1)
    _burst(quiet, 2)
    assert _texts(guest) == ["1"]
    jwt = guest.ask("getJwt")["body"]["jwt"]
    url = f"http://127.0.0.1:{quiet.http_port}/api/v2/webmessaging/messages"
    page = httpx.get(url, headers={"Authorization": f"Bearer {jwt}"}, trust_env=False).json()
    assert page["total"] == 5


def test_reordering_changes_the_order_and_loses_nothing(quiet: Sandbox, guest: Guest) -> None:
    """Each of thirty is there once, and not all in their places."""
    quiet.faults.reorder(window=3, probability=0.5)
    _burst(quiet)
    texts = _texts(guest)
    assert sorted(texts, key=int) == [str(number) for number in range(30)]
    assert texts != sorted(texts, key=int)


def test_delay_keeps_the_order_and_costs_its_time(quiet: Sandbox, guest: Guest) -> None:
    """Later, each by itself, not one after the other."""
    quiet.faults.delay(0.2, jitter=0.05)
    began = time.monotonic()
    _burst(quiet, 5)
    assert [guest.receive()["body"]["text"] for _ in range(5)] == list("01234")
    assert 0.19 < time.monotonic() - began < 5


@pytest.mark.parametrize("how", sorted(CORRUPTIONS))
def test_a_corrupt_frame_is_one_and_the_next_is_whole(quiet: Sandbox, guest: Guest, how: str) -> None:
    """Every way to damage a frame, by name."""
    quiet.faults.corrupt(how, times=1)
    quiet.agent.say("damaged")
    quiet.agent.say("whole")
    damaged = guest.socket.recv(5)
    with contextlib.suppress(ValueError, TypeError, KeyError):
        assert json.loads(damaged)["body"]["text"] != "damaged" or how in {"binary", "unknown-class", "noise"}
    assert guest.receive()["body"]["text"] == "whole"


def test_a_mixture_of_corruptions_never_stops_the_stream(quiet: Sandbox, guest: Guest) -> None:
    """Two hundred damaged frames later all is well."""
    quiet.faults.corrupt()
    _burst(quiet, 200)
    quiet.faults.clear()
    for _ in range(200):
        guest.socket.recv(5)
    assert guest.say("still here")["code"] == 200
    with pytest.raises(InputError):
        quiet.faults.corrupt("gently")


# -- answers ----------------------------------------------------------------------------------------------


def test_upgrades_are_refused_as_said(quiet: Sandbox) -> None:
    """Status, body, headers; so many times; unseen by any backend."""
    path = f"/v1?deploymentId={quiet.deployment_id}"
    quiet.faults.refuse(503, "busy", headers=(("Retry-After", "7"),), times=2)
    for _ in range(2):
        answer = raw(quiet.http_port, upgrade_request(path))
        assert answer == (
            b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 7\r\nContent-Length: 4\r\n"
            b"Connection: close\r\n\r\nbusy"
        )
    assert quiet.backend_log == ()
    assert raw(quiet.http_port, upgrade_request(path)).startswith(b"HTTP/1.1 101")


def test_messages_are_rate_limited_and_frames_refused_as_said(quiet: Sandbox, guest: Guest) -> None:
    """429 with retryAfter for messages only; any code and text for any action."""
    quiet.faults.rate_limit(2.5, times=1)
    assert guest.ask("getJwt")["code"] == 200
    refused = guest.say("x")
    assert (refused["code"], refused["body"]["retryAfter"]) == (429, 3)
    assert guest.say("x")["code"] == 200
    quiet.faults.refuse_frame(403, "Session authentication failed", action="onMessage", times=1)
    assert guest.ask("getJwt")["code"] == 200
    refused = guest.say("x")
    assert (refused["class"], refused["code"], refused["body"]) == (
        "string",
        403,
        "Session authentication failed",
    )
    assert guest.say("x")["code"] == 200


def test_rest_calls_fail_as_said(quiet: Sandbox) -> None:
    """A bare status below a path, with Retry-After if wanted."""
    base = f"http://127.0.0.1:{quiet.http_port}"
    quiet.faults.fail(503, path="/api/v2/", retry_after=2, times=1)
    config = f"{base}/webdeployments/v1/deployments/{quiet.deployment_id}/config.json"
    assert httpx.get(config, trust_env=False).status_code == 200
    failed = httpx.get(f"{base}/api/v2/tokens/me", trust_env=False)
    assert (failed.status_code, failed.content, failed.headers["Retry-After"]) == (503, b"", "2")
    assert httpx.get(f"{base}/api/v2/tokens/me", trust_env=False).status_code == 401


def test_rest_calls_are_slow_as_said_each_on_its_own(quiet: Sandbox) -> None:
    """Below the path and so often; what is asked meanwhile elsewhere does not wait."""
    base = f"http://127.0.0.1:{quiet.http_port}"
    config = f"{base}/webdeployments/v1/deployments/{quiet.deployment_id}/config.json"
    quiet.faults.slow(20, path="/api/v2/", times=1)
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(f"{base}/api/v2/tokens/me", trust_env=False, timeout=0.3)
    assert httpx.get(config, trust_env=False).status_code == 200
    assert httpx.get(f"{base}/api/v2/tokens/me", trust_env=False, timeout=10).status_code == 401


def test_what_is_sent_before_the_session_response_is_refused_where_configuring_takes_time(
    quiet: Sandbox,
) -> None:
    """4007 first, then the SessionResponse; from then on all is well, and the next guest is answered at once."""
    quiet.faults.configure_slowly(0.3, times=1)
    guest = Guest(quiet, configure=False)
    configuring = guest.send("configureSession", deploymentId=quiet.deployment_id)
    early = guest.send("onMessage", message={"type": "Text", "text": "too early"})
    refused, configured = guest.receive(), guest.receive()
    assert (refused["tracingId"], refused["class"], refused["code"]) == (early, "string", 4007)
    assert (configured["tracingId"], configured["class"]) == (configuring, "SessionResponse")
    assert guest.say("in time")["code"] == 200
    guest.close()
    other = Guest(quiet, configure=False)
    other.send("configureSession", deploymentId=quiet.deployment_id)
    other.send("onMessage", message={"type": "Text", "text": "at once"})
    assert [other.receive()["code"] for _ in range(2)] == [200, 200]
    other.close()


@pytest.mark.parametrize(
    ("verb", "arguments"),
    [
        ("drop", {"after_bytes": "x"}),
        ("drop", {"after_bytes": -1}),
        ("drop", {"after_bytes": (5, 1)}),
        ("drop", {"after_bytes": (1, 2, 3)}),
        ("drop", {"times": None}),
        ("close", {"code": "1000"}),
        ("close", {"reason": 7}),
        ("delay", {"seconds": -1}),
        ("delay", {"seconds": float("nan")}),
        ("delay", {"seconds": 1, "jitter": "x"}),
        ("reorder", {"window": 0}),
        ("reorder", {"probability": 1.5}),
        ("duplicate", {"times": -1}),
        ("lose", {"probability": "often"}),
        ("corrupt", {"how": 3}),
        ("refuse", {"status": 99}),
        ("refuse", {"status": 101}),
        ("refuse", {"status": "403"}),
        ("refuse", {"status": 403, "body": None}),
        ("refuse", {"status": 403, "headers": {"a": "b"}}),
        ("refuse", {"status": 403, "headers": (("a", 1),)}),
        ("rate_limit", {"retry_after": -3}),
        ("refuse_frame", {"code": True, "text": "x"}),
        ("refuse_frame", {"code": 403, "text": None}),
        ("refuse_frame", {"code": 403, "text": "x", "action": 1}),
        ("fail", {"status": 0}),
        ("fail", {"status": 503, "path": None}),
        ("fail", {"status": 503, "retry_after": "soon"}),
        ("configure_slowly", {"seconds": True}),
        ("slow", {"seconds": 1, "path": None}),
        ("expire", {"what": "milk"}),
    ],
)
def test_a_fault_that_cannot_strike_is_refused_and_switches_nothing_on(
    quiet: Sandbox, verb: str, arguments: dict[str, object]
) -> None:
    """With why and what to give; over HTTP too, as 400."""
    with pytest.raises(InputError) as caught:
        getattr(quiet.faults, verb)(**arguments)
    assert caught.value.next_step
    assert repr(quiet.faults) == "Faults(none)"
    if "nan" not in str(arguments):  # JSON has none
        answer = httpx.post(
            f"http://127.0.0.1:{quiet.http_port}/sandbox/faults",
            json={verb: arguments},
            headers={"Guestlab-Control-Key": quiet.control_key},
            trust_env=False,
        )
        assert answer.status_code == 400


# -- time -------------------------------------------------------------------------------------------------


def test_things_expire_on_demand(quiet: Sandbox, guest: Guest) -> None:
    """Sessions, history JWTs, access tokens; an unknown thing is an error."""
    base = f"http://127.0.0.1:{quiet.http_port}"

    def status(path: str, value: str) -> int:
        return httpx.get(
            base + path, headers={"Authorization": f"Bearer {value}"}, trust_env=False
        ).status_code

    jwt = guest.ask("getJwt")["body"]["jwt"]
    quiet.faults.expire("history")
    assert status("/api/v2/webmessaging/messages", jwt) == 401
    token = quiet.world.issue_token(quiet.world.client).value
    assert status("/api/v2/tokens/me", token) == 200
    quiet.faults.expire("access-token")
    assert status("/api/v2/tokens/me", token) == 401
    quiet.faults.expire()
    assert guest.receive()["class"] == "SessionExpiredEvent"
    with pytest.raises(InputError):
        quiet.faults.expire("patience")


def test_clear_and_reset_switch_everything_off(quiet: Sandbox) -> None:
    """And the representation says what is on."""

    def all_on() -> None:
        quiet.faults.drop(100)
        quiet.faults.delay(1)
        quiet.faults.lose()
        quiet.faults.refuse(500)

    for off in (quiet.faults.clear, quiet.reset):
        all_on()
        assert repr(quiet.faults) == "Faults(delay, lose, drop, upgrade)"
        off()
        assert repr(quiet.faults) == "Faults(none)"


def test_a_session_survives_two_hundred_cuts() -> None:
    """In little, what the chaos test does: nothing said is lost, nothing doubled, whatever the link does."""
    with Sandbox(bot=False, limits=None, seed=3) as sandbox:
        sandbox.faults.drop(after_bytes=(1, 4000), times=200)
        said: list[str] = []
        token = str(uuid4())
        cuts = 0
        while cuts < 200:
            try:
                guest = Guest(sandbox, token=token)
            except (ConnectionClosed, EOFError):
                cuts += 1
                continue
            try:
                while True:
                    text = f"{cuts}/{len(said)}"
                    said.append(text)
                    guest.say(text)
            except ConnectionClosed:
                cuts += 1
            guest.close()
        (session,) = sandbox.world.call(lambda: sandbox._messaging.sessions)
        heard = [entity["text"] for entity in session.entities]
        assert len(heard) == len(set(heard))
        assert heard == [text for text in said if text in set(heard)]
        assert len(said) - len(heard) <= 200
