"""Inputs as a cell of code and back: nothing is lost, nothing is executed, no secret gets in."""

from __future__ import annotations

import base64
import uuid
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guestlab.errors import InputError
from guestlab.handshake.attempt import Credential, Placement
from guestlab.handshake.factors import DeploymentWord, OriginWord
from guestlab.lab import Lab
from guestlab.secret_sources import from_environment, from_prompt
from guestlab.snippets import FORMATS
from guestlab.widgets.saved_inputs import GRANTS, Inputs, code_of, inputs_of, swept

if TYPE_CHECKING:
    from collections.abc import Callable

DEPLOYMENT = "4c44344e-56ba-4b5c-8228-5473978ffe37"

INPUTS = st.builds(
    Inputs,
    grant=st.sampled_from(GRANTS),
    scope=st.sampled_from(["", "conversations", "messaging:read"]),
    body_format=st.sampled_from(["form", "json"]),
    text=st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12).filter(
        lambda text: swept(text) == text
    ),
    credential=st.sampled_from(list(map(str, Credential))),
    placement=st.sampled_from(list(map(str, Placement))),
    deployment=st.sampled_from([*map(str, DeploymentWord), DEPLOYMENT]),
    origin=st.sampled_from([*map(str, OriginWord), "https://shop.example"]),
    endpoint=st.sampled_from(["", f"wss://webmessaging.mypurecloud.de/v1?deploymentId={DEPLOYMENT}"]),
    language=st.sampled_from(list(FORMATS)),
)


@settings(max_examples=200, deadline=None)
@given(INPUTS)
def test_inputs_survive_the_way_to_code_and_back(inputs: Inputs) -> None:
    """Whatever was entered, quotation marks and line ends included."""
    code = code_of(inputs)
    compile(code, "cell", "exec")
    assert inputs_of(code) == inputs


ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz0123456789-_"
PLANTED = st.one_of(
    st.uuids().map(str),
    st.binary(min_size=24, max_size=48).map(lambda raw: base64.urlsafe_b64encode(raw).decode().rstrip("=")),
    st.binary(min_size=16, max_size=32).map(bytes.hex),
    st.text(ALPHABET, min_size=32, max_size=64).filter(
        lambda text: text.lower() != text and text.upper() != text and any(sign.isdigit() for sign in text)
    ),
)
PLACES: list[Callable[[str], str]] = [
    lambda secret: secret,
    lambda secret: f"my token is {secret}, is it not",
    lambda secret: f"Bearer {secret}",
    lambda secret: f"wss://h.example/v1?access_token={secret}&deploymentId={DEPLOYMENT}",
    lambda secret: f"wss://h.example/v1?deploymentId={DEPLOYMENT}#{secret}",
    lambda secret: f"https://user:{secret}@h.example/",
    lambda secret: f"https://h.example/{secret}/x",
]


@settings(max_examples=300, deadline=None)
@given(PLANTED, st.sampled_from(PLACES), st.sampled_from(["scope", "text", "origin", "endpoint"]))
def test_no_secret_gets_into_a_saved_cell(secret: str, place: Callable[[str], str], name: str) -> None:
    """A token of any usual shape, wherever somebody pastes it."""
    assert secret not in code_of(Inputs.of(**{name: place(secret)}))


def test_what_the_lab_knows_is_masked_whatever_its_shape() -> None:
    """A secret of plain letters is none by its shape, but by its value."""
    lab = Lab("mypurecloud.de", deployment_id=DEPLOYMENT, client_id="client", client_secret="justletters")
    inputs = Inputs.of(text="is it justletters?", scope="justletters", origin="https://justletters.example")
    assert "justletters" not in code_of(inputs, lab=lab)


def test_a_deployment_field_keeps_ids_and_no_tokens() -> None:
    """The field takes a word or a UUID; a token pasted there is neither. A guest token the lab knows is masked."""
    assert "aB3d" not in code_of(Inputs.of(deployment="aB3dE5fG7hI9jK1lM3nO5pQ7"))
    lab = Lab("mypurecloud.de")
    guest_token = str(uuid.uuid4())
    lab.log.learn(guest_token)
    assert guest_token not in code_of(Inputs.of(deployment=guest_token), lab=lab)


@pytest.mark.parametrize(
    ("lab", "wanted"),
    [
        (
            lambda: Lab("mypurecloud.de", deployment_id=DEPLOYMENT),
            f'"mypurecloud.de", deployment_id="{DEPLOYMENT}"',
        ),
        (
            lambda: Lab(
                "mypurecloud.de", client_id="me", client_secret="planted-secret", origin="https://a.example"
            ),
            '"mypurecloud.de", client_id="me", origin="https://a.example", client_secret=from_prompt()',
        ),
        (
            lambda: Lab("mypurecloud.de", access_token=from_prompt()),
            '"mypurecloud.de", access_token=from_prompt("access token")',
        ),
    ],
)
def test_the_cell_makes_the_lab_again_without_its_secret(lab: Callable[[], Lab], wanted: str) -> None:
    """Where a secret is needed, a masked prompt stands in the cell."""
    code = code_of(Inputs(), lab=lab())
    assert "planted" not in code
    squeezed = "".join(code.replace("'", '"').split())
    assert f"gl.Lab({''.join(wanted.split())},)" in squeezed
    compile(code, "cell", "exec")


def test_a_saved_cell_runs(lab: Lab) -> None:
    """The cell of a lab on its sandbox makes a lab, and the stepper holds the inputs again."""
    stepper = lab.stepper(text="good morning", credential="guest", deployment="right")
    names: dict[str, object] = {}
    exec(stepper.code(), names)
    again = names["lab"]
    assert isinstance(again, Lab)
    assert again.stepper().inputs == stepper.inputs
    again.close()


@pytest.mark.parametrize(
    "code",
    [
        "",
        "lab.handshake()",
        "lab.stepper(text=__import__('os').getcwd())",
        "lab.stepper('hello')",
        "lab.stepper(**inputs)",
        "lab.stepper(txet='hello')",
        "lab.stepper(grant='password')",
        "lab.stepper(text=1)",
        "lab.stepper(); lab.stepper()",
        "lab.stepper(text='",
        "\0",
        "lab.stepper(text=" + "(" * 500 + ")" * 500 + ")",
    ],
)
def test_what_is_no_saved_cell_is_refused_and_not_executed(code: str) -> None:
    """By an error of ours, with a next step."""
    with pytest.raises(InputError) as caught:
        inputs_of(code)
    assert caught.value.next_step


def test_unknown_names_and_values_are_guessed() -> None:
    """Did you mean …; a secret given by mistake is not repeated."""
    with pytest.raises(InputError, match="deploymnet"):
        Inputs.of(deploymnet="right")
    with pytest.raises(InputError) as caught:
        Inputs.of(grant="aB3dE5fG7hI9jK1lM3nO5pQ7")
    assert "aB3dE" not in str(caught.value)


def test_hosts_words_and_ids_are_kept() -> None:
    """What is no secret is not taken for one."""
    for text in (
        "good morning, my order 12345 has not arrived",
        f"wss://webmessaging.usw2.pure.cloud/v1?deploymentId={DEPLOYMENT}",
        "https://a-rather-long-host-name-of-a-shop.example",
        "Donaudampfschifffahrtsgesellschaftskapitän",
        "conversation:messages:view conversations",
    ):
        assert swept(text) == text


def test_only_sources_that_ask_nobody_are_asked_on_a_click(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment answers by itself; a prompt and a function of one's own may ask a person."""

    def lab(source: Callable[[], str]) -> Lab:
        return Lab("mypurecloud.de", client_id="me", client_secret=source)

    assert lab(from_prompt()).tokens.must_ask
    assert lab(lambda: "x").tokens.must_ask
    assert not lab(from_environment("X")).tokens.must_ask
    assert not Lab("mypurecloud.de", client_id="me", client_secret="x").tokens.must_ask
    assert Lab("mypurecloud.de", access_token=from_prompt()).tokens.must_ask
