"""Running a matrix: budget, progress, cancelling, asking first; and what the sandbox answers to it."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from guestlab import matrix_run
from guestlab.errors import InputError
from guestlab.handshake.matrix import Setting, vary
from guestlab.lab import Lab
from guestlab.limits import Limits
from guestlab.matrix_run import ask_first, run_matrix
from guestlab.sandbox import Sandbox

DEPLOYMENT = "3d2f0c1e-0000-4000-8000-000000000001"


def test_the_default_matrix_answers_the_seed_question(lab: Lab) -> None:
    """No credential in any place opens it; the deployment id alone does."""
    matrix = lab.matrix()
    assert [cell.setting for cell in matrix.cells] == list(vary().settings)
    assert [cell.ok for cell in matrix.cells] == [False] * 16 + [True]
    assert {cell.http_status for cell in matrix.cells[:-1]} == {401}
    assert "15 of 15 did not" in matrix.answer
    assert "the deployment id alone opens it" in matrix.answer
    assert len(lab.log.attempts) == 17
    tokens = [entry for entry in lab.log.entries if entry.kind == "request" and entry.method == "POST"]
    assert len(tokens) == 1, "one token is issued for all cells"


def test_crossed_shows_that_only_the_deployment_id_matters(lab: Lab) -> None:
    """48 attempts; the columns differ, the rows do not."""
    matrix = lab.matrix(deployments=["right", "missing", "unknown"], crossed=True)
    found = matrix.table.groupby(["deployment", "http_status"]).size().to_dict()
    assert found == {("missing", 401): 16, ("right", 101): 16, ("unknown", 403): 16}
    assert {frozenset(cell.diagnosis.rules) for cell in matrix.cells if cell.ok} >= {frozenset()}


def test_deployments_and_origins_vary_by_word() -> None:
    """Restricted domains: only a listed origin opens, port or none."""
    with Sandbox() as sandbox:
        shop = sandbox.deployments.add(allowed_domains=["shop.example"])
        with Lab(sandbox.region, deployment_id=shop.id) as lab:
            words = ["none", "listed", "unlisted", "null", "with_port", "without_scheme"]
            matrix = lab.matrix(["none"], None, ["right"], words)
            opened = {cell.setting.origin: cell.ok for cell in matrix.cells}
    assert opened == {
        "none": False,
        "listed": True,
        "unlisted": False,
        "null": False,
        "with_port": True,
        "without_scheme": True,
    }


@pytest.mark.parametrize("credential", ["expired", "other_region"])
def test_unusable_tokens_are_tried_and_refused_alike(lab: Lab, credential: str) -> None:
    """An expired one is issued and revoked here; a decoy plays another region's, and the log says so."""
    attempt = lab.attempt(credential=credential, placement="query", deployment_id="missing")
    assert attempt.http_status == 401
    assert "credential.oauth-on-guest-socket" in attempt.diagnosis.rules
    notes = [entry.note or "" for entry in lab.log.entries if entry.kind == "note"]
    assert any("decoy" in note for note in notes) == (credential == "other_region")


def test_the_credentials_name_in_the_query_can_be_chosen(lab: Lab) -> None:
    """`token`, `jwt`: the cases people bring differ in it."""
    attempt = lab.attempt(credential="garbage", placement="query", deployment_id="missing", parameter="token")
    assert "?token=" in attempt.url
    with pytest.raises(InputError, match="parameter"):
        lab.attempt(credential="garbage", placement="query", parameter="a b")


def test_progress_counts_up_to_the_whole(lab: Lab) -> None:
    """Once per attempt."""
    seen: list[tuple[int, int]] = []
    lab.matrix(["none"], None, ["right", "missing"], progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 2), (2, 2)]


def test_a_cancelled_matrix_keeps_what_is_done(lab: Lab) -> None:
    """The rest is left out, and said to be not tried."""
    cancel = threading.Event()
    words = ["missing", "empty", "unknown", "inactive", "other_region", "right"]
    matrix = lab.matrix(deployments=words, crossed=True, progress=lambda *_: cancel.set(), cancel=cancel)
    assert 1 <= len(matrix) < len(matrix.plan) == 96
    assert "not tried" in str(matrix)


def test_a_progress_callback_that_fails_ends_the_run(lab: Lab) -> None:
    """The person sees their own mistake."""

    def progress(done: int, total: int) -> None:
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        lab.matrix(["none"], None, ["right"], progress=progress)


def test_many_requests_elsewhere_are_asked_about_first() -> None:
    """The number is named, nothing is sent; a few need no asking, and loopback none."""
    with Lab("mypurecloud.de", deployment_id=DEPLOYMENT) as lab:
        with pytest.raises(InputError, match="17 requests to mypurecloud") as caught:
            lab.matrix()
        assert "confirm=True" in caught.value.next_step
        asked: list[int] = []
        with pytest.raises(InputError, match="not wanted"):
            lab.matrix(confirm=lambda number: bool(asked.append(number)))
        assert asked == [17]
        assert len(lab.log) == 0
    ask_first(6, None, loopback=False, where="x")
    ask_first(600, None, loopback=True, where="x")
    ask_first(600, True, loopback=False, where="x")
    ask_first(600, lambda number: number == 600, loopback=False, where="x")


def test_no_more_than_so_many_run_at_once_and_none_beyond_the_budget(
    monkeypatch: pytest.MonkeyPatch, lab: Lab
) -> None:
    """Both are kept with a clock that moves only when somebody sleeps."""
    cell = lab.handshake()
    now, running, most = 0.0, 0, 0
    starts: list[float] = []
    sleep = asyncio.sleep

    async def pass_time(seconds: float) -> None:
        nonlocal now
        now += seconds
        await sleep(0)

    async def attempt(setting: Setting) -> Any:
        nonlocal running, most
        running += 1
        most = max(most, running)
        starts.append(now)
        await sleep(0)
        running -= 1
        return cell

    monkeypatch.setattr(matrix_run.time, "monotonic", lambda: now)
    monkeypatch.setattr(matrix_run.asyncio, "sleep", pass_time)
    limits = Limits(connections_per_minute_per_deployment=5)
    plan = vary()
    matrix = asyncio.run(run_matrix(plan, attempt, where="a test", at_once=3, limits=limits))
    assert len(matrix) == len(plan)
    assert most <= 3
    assert all(later - earlier >= 60 for earlier, later in zip(starts, starts[5:], strict=False))
