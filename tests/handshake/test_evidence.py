"""Evidence takes input leniently, keeps one form, and shows no secret."""

from __future__ import annotations

from typing import Any

import pytest

from guestlab.errors import InputError
from guestlab.handshake.evidence import Evidence


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ({"headers": {"Origin": "null"}}, {"headers": (("Origin", "null"),)}),
        ({"headers": [("A", 1), ["B", "2"], {"name": "C", "value": "3"}, "junk"]},
         {"headers": (("A", "1"), ("B", "2"), ("C", "3"))}),
        ({"headers": "Origin: https://a.example\r\nX: y\nnonsense"}, {"headers": (("Origin", "https://a.example"), ("X", "y"))}),
        ({"subprotocols": "bearer, abc"}, {"subprotocols": ("bearer", "abc")}),
        ({"http_status": "401 Unauthorized"}, {"http_status": 401}),
        ({"http_status": 0}, {"http_status": None}),
        ({"close_code": "1006"}, {"close_code": 1006}),
        ({"method": "post"}, {"method": "POST"}),
        ({"token_kind": "Client-Credentials"}, {"token_kind": "client_credentials"}),
        ({"frame": '{"code": 4007}'}, {"frame": {"code": 4007}}),
        ({"first_frame": "hello"}, {"first_frame": "hello"}),
        ({"first_frame": b'{"action":"echo"}'}, {"first_frame": {"action": "echo"}}),
        ({"frame": "{broken"}, {"frame": "{broken"}),
        ({"body": {"a": 1}}, {"body": '{"a": 1}'}),
        ({"body": ""}, {"body": ""}),
        ({"url": "  wss://a  "}, {"url": "wss://a"}),
        ({"allowed_domains": ["a.example", ""]}, {"allowed_domains": ("a.example",)}),
        ({"session_ready": "false"}, {"session_ready": False}),
        ({"note": None}, {"note": None}),
    ],
)  # fmt: skip
def test_any_usual_form_is_understood(given: dict[str, Any], stored: dict[str, Any]) -> None:
    """Mappings and pairs, objects and JSON text, numbers and their text."""
    evidence = Evidence.of(**given)
    assert {name: getattr(evidence, name) for name in stored} == stored
    assert Evidence(**{k: v for k, v in given.items() if v is not None}) == evidence


def test_an_unknown_fact_offers_the_nearest_name() -> None:
    """Did you mean."""
    with pytest.raises(InputError, match="no evidence called 'htpp_status'") as caught:
        Evidence.of(htpp_status=401)
    assert caught.value.next_step == "Did you mean http_status?"


@pytest.mark.parametrize("value", ["banana", True, 3.5j, "12"])
def test_a_status_that_is_no_number_is_refused(value: object) -> None:
    """Rather than judged without it."""
    with pytest.raises(InputError, match="is not a number"):
        Evidence.of(http_status=value)


def test_the_repr_shows_places_and_no_values() -> None:
    """Enough to recognise the attempt, nothing to steal."""
    evidence = Evidence.of(
        url="wss://webmessaging.mypurecloud.de/v1?deploymentId=d&token=abcdef",
        headers={"Authorization": "Bearer abcdef", "X-Secret": "abcdef", "Origin": "https://a.example"},
        subprotocols=["abcdef"],
        first_frame={"action": "configureSession", "token": "abcdef"},
    )
    shown = repr(evidence)
    assert "abcdef" not in shown
    for part in (
        "deploymentId=d",
        "Bearer [masked]",
        "X-Secret: [masked]",
        "https://a.example",
        "configureSession",
    ):
        assert part in shown


def test_evidence_cannot_be_changed() -> None:
    """It is frozen and slotted."""
    evidence = Evidence.of(url="x")
    with pytest.raises(AttributeError):
        evidence.url = "y"  # type: ignore[misc]
    assert not hasattr(evidence, "__dict__")
