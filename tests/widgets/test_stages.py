"""The stages without a widget: their states, what makes them stale, what they keep."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from guestlab.lab import Lab
from guestlab.secret_sources import from_prompt
from guestlab.widgets.panels import body_html
from guestlab.widgets.saved_inputs import THAT_WORKS, Inputs
from guestlab.widgets.stages import NAMES, Stages

if TYPE_CHECKING:
    import pytest

    from guestlab.sandbox import Sandbox


def _states(stages: Stages) -> list[str]:
    return [stages[name].state for name in NAMES]


def test_all_stages_run_in_order_and_the_handshake_both_ways(lab: Lab) -> None:
    """401 and then 101; the lab's own stages agree."""
    seen: list[list[str]] = []
    stages = Stages(lab, lambda: seen.append(_states(stages)))
    assert _states(stages) == ["ready"] * 3
    assert stages.run_all(Inputs())
    assert _states(stages) == ["done"] * 3
    assert ["running", "ready", "ready"] in seen
    assert ["done", "done", "running"] in seen
    told = stages["handshake"]
    assert told.refused is not None
    assert told.opened is not None
    assert (told.refused.http_status, told.opened.http_status) == (401, 101)
    assert lab.stages == dict.fromkeys(NAMES, "done")


def test_requests_and_replies_are_kept_with_their_level(lab: Lab) -> None:
    """Every sandbox answer says what it is worth."""
    stages = Stages(lab)
    stages.run_all(Inputs())
    crossed = stages["token"].exchanges
    assert [one.title for one in crossed] == ["POST /oauth/token", "GET /api/v2/tokens/me"]
    assert all(
        one.level and one.ok and one.duration_ms and one.reply.startswith("HTTP/1.1 200") for one in crossed
    )
    assert any("/inbound/open/message" in one.title for one in stages["conversation"].exchanges)


def test_a_stage_is_stale_after_an_earlier_one_ran_again(lab: Lab) -> None:
    """What rests on the old token says so, until it runs again."""
    stages = Stages(lab)
    stages.run_all(Inputs())
    stages.run(["token"], Inputs())
    assert _states(stages) == ["done", "stale", "stale"]
    assert "token stage" in stages["conversation"].why_stale
    stages.run(["conversation"], Inputs())
    assert _states(stages) == ["done", "done", "stale"]
    assert (
        "conversation stage" in stages["handshake"].why_stale
        or "token stage" in stages["handshake"].why_stale
    )


def test_a_stage_is_stale_while_other_inputs_are_entered(lab: Lab) -> None:
    """And fresh again when the change is undone; other stages do not care."""
    stages = Stages(lab)
    inputs = Inputs()
    stages.run(["token"], inputs)
    stages.run(["conversation"], inputs)
    changed = Inputs(text="something else")
    stages.entered(changed)
    assert _states(stages) == ["done", "stale", "ready"]
    stages.entered(inputs)
    assert _states(stages) == ["done", "done", "ready"]


def test_a_failure_is_shown_with_why_and_next_and_ends_the_run(lab: Lab) -> None:
    """A token request as JSON is refused; what came after it does not run."""
    stages = Stages(lab)
    stages.run_all(Inputs(body_format="json"))
    assert _states(stages) == ["failed", "ready", "ready"]
    told = stages["token"]
    assert told.error is not None
    assert "JSON" in told.error.why
    assert told.exchanges[-1].http_status == 400
    assert stages.run(NAMES, Inputs())
    assert stages["token"].state == "done"


def test_the_open_attempt_stays_beside_the_refused_one(lab: Lab) -> None:
    """Failing and working side by side, whichever came last; the state is that of the last."""
    stages = Stages(lab)
    stages.run(["handshake"], Inputs(**THAT_WORKS))
    stages.run(["handshake"], Inputs())
    told = stages["handshake"]
    assert told.state == "failed"
    assert told.opened is not None
    assert told.refused is not None


def test_one_thing_runs_at_a_time(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second start while something runs does nothing, and does not wait."""
    begun, go_on = threading.Event(), threading.Event()
    token = lab.token

    def slow(*args: Any, **named: Any) -> Any:
        begun.set()
        assert go_on.wait(10)
        return token(*args, **named)

    monkeypatch.setattr(lab, "token", slow)
    stages = Stages(lab)
    first = threading.Thread(target=stages.run, args=(["token"], Inputs()))
    first.start()
    assert begun.wait(10)
    assert stages.busy
    assert stages.run(["conversation"], Inputs()) is False
    assert stages.reset() is False
    assert _states(stages) == ["running", "ready", "ready"]
    go_on.set()
    first.join(10)
    assert _states(stages) == ["done", "ready", "ready"]


def test_a_prompt_is_never_asked_from_a_click(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """A click has no cell to ask under: the stage says what to run; after that cell, it works."""
    sandbox = _of(lab)
    asked: list[str] = []
    monkeypatch.setattr("getpass.getpass", lambda label: asked.append(label) or sandbox.client_secret)
    with Lab(sandbox.region, client_id=sandbox.client_id, client_secret=from_prompt()) as other:
        stages = Stages(other)
        stages.run(["token"], Inputs())
        told = stages["token"]
        assert asked == []
        assert told.error is not None
        assert "lab.token()" in told.error.next_step
        other.token()
        assert len(asked) == 1
        stages.run(["token"], Inputs())
        assert stages["token"].state == "done"


def test_an_unforeseen_error_shows_its_kind_and_not_its_text(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its text was never redacted."""

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("secret in a text")

    monkeypatch.setattr(lab, "token", broken)
    stages = Stages(lab)
    stages.run(["token"], Inputs())
    shown = str(stages["token"].error)
    assert "RuntimeError" in shown
    assert "secret" not in shown


def test_reset_forgets_and_renew_makes_the_rest_stale(lab: Lab) -> None:
    """The log keeps everything."""
    stages = Stages(lab)
    stages.run_all(Inputs())
    first = stages["token"].token
    stages.renew()
    second = stages["token"].token
    assert first is not None
    assert second is not None
    assert first.value != second.value
    assert _states(stages) == ["done", "stale", "stale"]
    entries = len(lab.log)
    stages.reset()
    assert _states(stages) == ["ready"] * 3
    assert len(lab.log) == entries


def test_a_users_token_runs_like_any_other(lab: Lab) -> None:
    """The sandbox signs its own user in; the guest socket opens to that token no more than to another."""
    stages = Stages(lab)
    stages.run(["token"], Inputs(grant="pkce"))
    token = stages["token"].token
    assert token is not None
    assert token.grant == "pkce"
    stages.run(["handshake"], Inputs(credential="pkce"))
    assert stages["handshake"].refused is not None


def test_what_ran_in_cells_before_is_known(lab: Lab) -> None:
    """`lab.token()` in a cell, then `lab`: the stage is done."""
    token = lab.token()
    stages = Stages(lab)
    assert stages["token"].state == "done"
    assert stages["token"].token is not None
    assert stages["token"].token.masked == token.masked


def test_what_runs_in_a_cell_meanwhile_is_taken_note_of(lab: Lab) -> None:
    """Where nothing ran here; what ran here, and what was reset, stays as it is."""
    stages = Stages(lab)
    lab.token()
    lab.conversation()
    assert stages.look_around()
    assert _states(stages) == ["done", "done", "ready"]
    assert stages["token"].token is not None
    for name in ("token", "conversation"):
        assert f"It ran in a cell, by lab.{name}()." in body_html(name, stages[name], lab)
    assert not stages.look_around()
    stages.reset()
    assert not stages.look_around()
    assert _states(stages) == ["ready"] * 3


def test_a_customer_who_says_nothing_opens_no_conversation(lab: Lab) -> None:
    """A form speaks of its field, and nothing is sent."""
    stages = Stages(lab)
    stages.run(["conversation"], Inputs(text=" "))
    told = stages["conversation"]
    assert told.state == "failed"
    assert told.error is not None
    assert "The customer says" in told.error.next_step
    assert told.exchanges == ()


def test_each_attempt_knows_its_run(lab: Lab) -> None:
    """Both of "Run all" are of one; a later one is of another."""
    stages = Stages(lab)
    stages.run_all(Inputs())
    assert stages["handshake"].refused_in == stages["handshake"].opened_in == 1
    stages.run(["handshake"], Inputs())
    assert (stages["handshake"].refused_in, stages["handshake"].opened_in) == (2, 1)


def _of(lab: Lab) -> Sandbox:
    assert lab.sandbox is not None
    return lab.sandbox
