"""The plan of a matrix, what came of it, and how it is shown."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from guestlab.errors import InputError
from guestlab.handshake.attempt import Attempt, Step
from guestlab.handshake.diagnosis import diagnose
from guestlab.handshake.evidence import Evidence
from guestlab.handshake.factors import deployment_of, origin_of
from guestlab.handshake.matrix import Cell, Matrix, MatrixPlan, Setting, vary
from guestlab.matrix_table import MATRIX_COLUMNS

OWN = "3d2f0c1e-0000-4000-8000-000000000001"


def _setting(credential: str, placement: str, deployment: str = "missing", origin: str = "own") -> Setting:
    return Setting(credential=credential, placement=placement, deployment=deployment, origin=origin)


def _cell(setting: Setting, *, number: int = 1, ok: bool = False, **told: Any) -> Cell:
    evidence = Evidence.of(url="wss://webmessaging.mypurecloud.de/v1", http_status=101 if ok else 401)
    given: dict[str, Any] = {
        "number": number,
        "url": "wss://webmessaging.mypurecloud.de/v1",
        "credential": setting.credential,
        "placement": setting.placement,
        "origin": None,
        "steps": (Step(name="upgrade", ok=ok, duration_ms=1.5, note=""),),
        "request": "",
        "response": "",
        "http_status": 101 if ok else 401,
        "response_headers": (),
        "body": "",
        "body_size": 0,
        "first_frame": None,
        "answers": (),
        "frame_code": 200 if ok else None,
        "close_code": None,
        "ok": ok,
        "evidence": evidence,
        "diagnosis": diagnose(evidence),
    }
    given = {part.name: given[part.name] for part in fields(Attempt) if part.name in given} | told
    return Cell.of(Attempt(**given), setting)


@pytest.fixture
def matrix() -> Matrix:
    """Two refusals, one success, one not tried."""
    settings = (
        _setting("none", "nowhere"),
        _setting("garbage", "query"),
        _setting("none", "nowhere", "right"),
        _setting("garbage", "query", "right"),
    )
    cells = tuple(
        _cell(setting, number=number, ok=setting.deployment == "right")
        for number, setting in enumerate(settings[:3], 1)
    )
    return Matrix(plan=MatrixPlan(settings), where="a test", cells=cells)


def test_the_default_plan_is_the_seed_question() -> None:
    """Every credential in every place without a deployment id, then the deployment id alone."""
    settings = vary().settings
    assert settings[0] == _setting("none", "nowhere")
    assert settings[-1] == _setting("none", "nowhere", "right")
    assert all(setting.deployment == "missing" for setting in settings[:-1])
    assert len(set(settings)) == len(settings) == 17


def test_one_factor_at_a_time_keeps_the_others_at_their_first_value() -> None:
    """No two factors differ from the base in any setting."""
    plan = vary(["none", "guest"], ["query", "header"], ["right", None], ["own", "null"])
    base = plan.settings[0]
    assert len(plan) == 5
    for setting in plan.settings:
        differs = [
            (setting.credential, setting.placement) != (base.credential, base.placement),
            setting.deployment != base.deployment,
            setting.origin != base.origin,
        ]
        assert sum(differs) <= 1


def test_crossed_is_every_combination_in_order_and_none_twice() -> None:
    """48 settings: sixteen credentials in places, three deployments."""
    plan = vary(deployments=["right", "missing", "unknown"], crossed=True)
    assert len(plan) == len(set(plan.settings)) == 48
    assert [setting.deployment for setting in plan.settings[:4]] == ["right", "missing", "unknown", "right"]
    assert len(vary(["guest", "guest"], ["query"], [OWN, OWN], crossed=True)) == 1


@pytest.mark.parametrize(
    ("factors", "what"),
    [
        ({"credentials": ["nonsense"]}, "nonsense"),
        ({"placements": ["pocket"]}, "pocket"),
        ({"credentials": "guest"}, "one text"),
        ({"origins": []}, "origins is empty"),
        ({"credentials": ["guest"], "placements": ["nowhere"]}, "no place"),
    ],
    ids=str,
)
def test_a_plan_that_cannot_be_is_refused(factors: dict[str, Any], what: str) -> None:
    """With what is allowed as the next step."""
    with pytest.raises(InputError, match=what) as caught:
        vary(**factors)
    assert caught.value.next_step


def test_a_cell_is_an_attempt_that_knows_its_setting(matrix: Matrix) -> None:
    """So that everything an attempt offers works on it."""
    cell = matrix.cells[1]
    assert isinstance(cell, Attempt)
    assert cell.setting == _setting("garbage", "query")
    assert cell.word == "refused 401"
    assert matrix.cell("none", "nowhere") is matrix.cells[2]
    assert matrix.cell("guest", "query") is None


@pytest.mark.parametrize(
    ("told", "word"),
    [
        ({"http_status": 101, "frame_code": 400}, "refused 400 (frame)"),
        ({"http_status": 101, "close_code": 1006}, "closed 1006"),
        ({"http_status": None}, "failed at upgrade"),
    ],
    ids=str,
)
def test_the_word_of_a_cell_names_what_ended_it(told: dict[str, Any], word: str) -> None:
    """Number and lane where it is not HTTP's."""
    assert _cell(_setting("none", "nowhere"), **told).word == word


def test_the_answer_says_only_what_was_measured(matrix: Matrix) -> None:
    """Nothing is claimed for cells that were not tried."""
    assert "(1 of 1 did not); the deployment id alone opens it" in matrix.answer
    assert "measured here: a test" in matrix.answer
    without = Matrix(plan=matrix.plan, where="a test", cells=matrix.cells[:2])
    assert "alone" not in without.answer
    alone = Matrix(plan=matrix.plan, where="a test", cells=matrix.cells[2:])
    assert alone.answer.startswith("The deployment id alone opens the guest socket")
    assert Matrix(plan=matrix.plan, where="a test").answer == ""


def test_what_never_reached_the_gateway_answers_nothing(matrix: Matrix) -> None:
    """A name that does not resolve says nothing about credentials, and is counted apart."""
    lost = tuple(_cell(cell.setting, number=9, http_status=None) for cell in matrix.cells)
    nothing = Matrix(plan=matrix.plan, where="nowhere", cells=lost)
    assert nothing.answer == "Nothing was measured: 3 of 3 never reached the gateway (nowhere)."
    some = Matrix(plan=matrix.plan, where="a test", cells=(matrix.cells[1], lost[0], lost[2]))
    assert "(1 of 1 did not); 2 of 3 never reached the gateway" in some.answer
    assert "deployment id alone" not in some.answer


def test_the_table_has_the_same_dtypes_empty_or_full(matrix: Matrix) -> None:
    """One row per attempt."""
    full, empty = matrix.table, Matrix(plan=matrix.plan, where="a test").table
    assert list(full.columns) == [column.name for column in MATRIX_COLUMNS]
    assert (full.dtypes == empty.dtypes).all()
    assert [str(dtype) for dtype in full.dtypes] == [column.dtype for column in MATRIX_COLUMNS]
    assert list(full["http_status"]) == [401, 401, 101]
    assert list(full["ok"]) == [False, False, True]


def test_the_heat_map_is_words_and_icons_never_colour_alone(matrix: Matrix) -> None:
    """In text and in HTML alike, and what was not tried is said to be so."""
    view = matrix.view()
    for text in (str(matrix), view.text(), view.html()):
        assert "✗ refused 401" in text
        assert "✓ open" in text
        assert "○ not tried" in text
        assert "garbage in query" in text
    assert matrix._repr_mimebundle_() == view._repr_mimebundle_()
    assert repr(matrix) == "<Matrix of 3 attempts: 1 open, 2 not, 1 not tried>"


def test_hostile_text_in_a_heat_map_stays_text() -> None:
    """Origins and ids come from people, verdicts from the wire."""
    setting = _setting("none", "nowhere", origin='https://x.example/"><script>alert(1)</script>')
    shown = Matrix(plan=MatrixPlan((setting,)), where="<b>", cells=(_cell(setting),)).view().html()
    assert "<script" not in shown
    assert "<b>" not in shown.replace("<b>No", "").replace("<p><b>", "")


@pytest.mark.parametrize(
    ("word", "own", "domains", "origin"),
    [
        ("own", None, (), None),
        ("none", "https://shop.example", (), None),
        ("listed", None, ("*.shop.example",), "https://shop.example"),
        ("listed", None, (), "https://guestlab.example"),
        ("unlisted", "https://shop.example", (), "https://unlisted.example"),
        ("null", "https://shop.example", (), "null"),
        ("with_port", "https://shop.example", (), "https://shop.example:8443"),
        ("without_scheme", "https://shop.example:81", (), "shop.example"),
        ("https://other.example", None, (), "https://other.example"),
    ],
)
def test_the_words_for_an_origin(word: str, own: str | None, domains: tuple, origin: str | None) -> None:
    """Each means one header, or none."""
    assert origin_of(word, own=own, domains=domains) == origin


@pytest.mark.parametrize("word", ["unlised", "nonsense"])
def test_an_unknown_word_is_an_input_error(word: str) -> None:
    """With a did-you-mean where one is near."""
    with pytest.raises(InputError):
        origin_of(word, own=None, domains=())
    with pytest.raises(InputError):
        deployment_of(word, own=lambda: OWN, fresh=lambda: OWN, inactive=None, loopback=True)


def test_the_words_for_a_deployment() -> None:
    """Another region is another host with the same id; on loopback it is an id unknown here."""

    def meant(word: str, *, loopback: bool = False, inactive: str | None = None) -> tuple:
        target = deployment_of(
            word, own=lambda: OWN, fresh=lambda: "fresh", inactive=inactive, loopback=loopback
        )
        return target.deployment_id, target.elsewhere

    assert meant("right") == (OWN, False)
    assert meant("missing") == (None, False)
    assert meant("empty") == ("", False)
    assert meant("unknown") == ("fresh", False)
    assert meant("other_region") == (OWN, True)
    assert meant("other_region", loopback=True) == ("fresh", False)
    assert meant("inactive", inactive="off") == ("off", False)
    with pytest.raises(InputError, match="inactive"):
        meant("inactive")
