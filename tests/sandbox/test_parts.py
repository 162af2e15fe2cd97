"""Parts by themselves: clock, windows, origins, deployments, the explanation."""

from __future__ import annotations

import doctest
import importlib
import threading
import time

import pytest

from guestlab.errors import SandboxError
from guestlab.sandbox import Sandbox
from guestlab.sandbox.clock import Clock
from guestlab.sandbox.deployments import Deployment
from guestlab.sandbox.explain import explain, facts
from guestlab.sandbox.gateway import TABLE
from guestlab.sandbox.origins import Origin

LEVELS = {"official", "documented", "measured", "inferred"}


@pytest.mark.parametrize("name", ["clock", "windows", "origins"])
def test_the_examples_in_the_documentation_are_true(name: str) -> None:
    """Doctests."""
    outcome = doctest.testmod(importlib.import_module(f"guestlab.sandbox.{name}"))
    assert outcome.attempted > 0
    assert outcome.failed == 0


def test_an_advance_fires_what_falls_due_each_at_its_moment() -> None:
    """In order, timers set on the way included; cancelled ones not."""
    clock = Clock(wall=lambda: 0.0)
    fired: list[tuple[str, float]] = []

    def note(name: str) -> None:
        fired.append((name, clock.time()))

    clock.call_later(10, lambda: note("ten"))
    clock.call_later(5, lambda: (note("five"), clock.call_later(2, lambda: note("seven"))))
    clock.call_later(6, lambda: note("never")).cancel()
    clock.call_later(21, lambda: note("later"))
    clock.advance(20)
    assert fired == [("five", 5.0), ("seven", 7.0), ("ten", 10.0)]
    assert clock.time() == 20.0
    with pytest.raises(ValueError, match="go back"):
        clock.advance(-1)


def test_a_frozen_clock_stands_still_and_goes_on_from_there() -> None:
    """Only advance moves it."""
    wall = [100.0]
    clock = Clock(wall=lambda: wall[0])
    clock.freeze()
    wall[0] = 150.0
    assert clock.time() == 100.0
    clock.advance(5)
    assert clock.time() == 105.0
    clock.run()
    wall[0] = 160.0
    assert clock.time() == 115.0
    clock.reset()
    assert clock.time() == 160.0
    assert "running" in repr(clock)


def test_timers_ring_in_real_time_too() -> None:
    """On the server's loop."""
    with Sandbox() as sandbox:
        rung = threading.Event()
        sandbox.world.call(lambda: sandbox.clock.call_later(0.05, rung.set))
        assert rung.wait(5)


def test_the_clock_may_be_turned_from_any_thread_and_from_within() -> None:
    """Also by what a timer sets off."""
    with Sandbox() as sandbox:
        began = sandbox.clock.time()
        sandbox.world.call(lambda: sandbox.clock.call_later(10, lambda: sandbox.clock.now))
        threads = [threading.Thread(target=sandbox.clock.advance, args=(10,)) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert 50 <= sandbox.clock.time() - began < 60
        assert sandbox.clock.time() - time.time() > 40


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://shop.example", True),
        ("http://SHOP.example:8080", True),
        ("https://www.shop.example", True),
        ("shop.example", True),
        ("https://shop.example.evil", False),
        ("https://myshop.example", False),
        ("null", False),
        ("", False),
        (None, False),
        ("https://[broken", False),
    ],
)
def test_the_domain_rule(origin: str | None, allowed: bool) -> None:
    """Host part only, any case, equal or a subdomain; a missing Origin is refused."""
    deployment = Deployment(id="x", allow_all_domains=False, allowed_domains=("Shop.example",))
    assert deployment.allows(origin) is allowed
    assert Deployment(id="x").allows(origin)
    assert not Deployment(id="x", allow_all_domains=False).allows(origin)


def test_an_unknown_switch_or_person_gets_a_did_you_mean() -> None:
    """Typed errors with a next step."""
    sandbox = Sandbox()
    with pytest.raises(SandboxError, match="Did you mean auto_start"):
        sandbox.deployments.add(autostart=True)
    with pytest.raises(SandboxError, match="ada, grace, alan"):
        sandbox.openid.code("charles")


def test_an_origin_leads_back_the_way_the_client_came() -> None:
    """By one origin or by names, plaintext or TLS."""
    assert Origin.of("http", "127.0.0.1:80").url("api") == "http://127.0.0.1:80"
    assert (
        Origin.of("ws", "api.localhost:1").url("webmessaging", socket=True) == "ws://webmessaging.localhost:1"
    )
    assert Origin.of("https", "API-CDN.eu.localhost").url("api") == "https://api.eu.localhost"
    assert Origin.of("https", "api").url("login") == "https://api"


def test_the_explanation_names_level_and_source_of_everything() -> None:
    """What it does, what it does not, the gateway's rows among them; the levels are the four there are."""
    known = facts()
    assert {fact.level for fact in known} <= LEVELS
    assert all(fact.area and fact.what and fact.source for fact in known)
    assert {fact.does for fact in known} == {True, False}
    text = explain()
    assert Sandbox().explain() == text
    for fact in known:
        assert fact.what in text
        assert fact.source in text
    for row in TABLE:
        assert f"{row.status} when {row.when}" in text
