"""Every frame the sandbox sends fits the official models, and so does every history page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from guestlab.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

SCHEMA = json.loads((Path(__file__).parent.parent / "data" / "webmessaging-schema.json").read_text("utf-8"))

# What the sandbox shows on request, and the answers a guest gives to it.
EVERYTHING = (
    "hello",
    "menu",
    "quick replies",
    "quick replies v2",
    "card",
    "carousel",
    "list",
    "dates",
    "form",
    "file",
    "typing",
    "joke",
    "anything else",
)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Without limits, so that everything can be asked for at once."""
    with Sandbox(limits=None) as sandbox:
        yield sandbox


def _fits(value: Any, definition: str) -> None:
    schema = {"$ref": f"#/definitions/{definition}", "definitions": SCHEMA["definitions"]}
    jsonschema.validate(value, schema, cls=jsonschema.Draft4Validator)


def _check(frame: dict[str, Any]) -> str:
    """Validate one frame by its class; return the class."""
    name = str(frame["class"])
    if name == "string":  # the one class whose body is text
        assert isinstance(frame["body"], str)
        frame = {**frame, "body": {}}
    else:
        _fits(frame["body"], name)
    _fits(frame, "BaseMessage")
    return name


def _heard(guest: Any) -> list[dict[str, Any]]:
    """Everything that came up to the answer to one more request."""
    frames, tracing_id = [], guest.send("getConfiguration", deploymentId=guest.deployment_id)
    while not frames or frames[-1].get("tracingId") != tracing_id:
        frames.append(guest.receive())
    return frames


def test_all_content_and_all_answers_fit(sandbox: Sandbox, guests: Callable[..., Any]) -> None:
    """The bot shows everything it has; the agent too; errors, echoes, JWT, files, and the end."""
    guest, seen, contents = guests(), set(), set()

    def listen(until: str = "") -> None:
        frames = [guest.until_text(until)] if until else []
        for frame in [*frames, *_heard(guest)]:
            seen.add(_check(frame))
            body = frame["body"] if isinstance(frame["body"], dict) else {}
            contents.update(item["contentType"] for item in body.get("content") or ())

    for text in EVERYTHING:
        guest.say(text)
        listen()
    guest.send("echo", message={"type": "Text", "text": "ping"})
    guest.send("getJwt")
    guest.send("onMessage", message={"type": "Text", "text": "x" * 5000})
    guest.send("nonsense")
    guest.send("onAttachment", fileName="a.exe", fileType="a/b", fileSize=1, errorsAsJson=True)
    guest.send("onAttachment", fileName="a.png", fileType="image/png", fileSize=3)
    sandbox.faults.rate_limit(1.0)
    guest.send("onMessage", message={"type": "Text", "text": "too fast"})
    sandbox.agent.say("I am here")
    sandbox.agent.typing()
    listen()
    guest.send("onMessage", message={"type": "Event", "events": [
        {"eventType": "Presence", "presence": {"type": "Clear"}}]})  # fmt: skip
    seen.update(_check(guest.until(name)) for name in ("SessionClearedEvent", "ConnectionClosedEvent"))
    assert {"QuickReply", "QuickReplyV2", "Card", "Carousel", "ListPicker", "DatePicker", "Form"} <= contents
    assert {
        "StructuredMessage",
        "GetConfigurationResponse",
        "JwtResponse",
        "PresignedUrlResponse",
        "GenerateUrlError",
        "TooManyRequestsErrorMessage",
        "SessionClearedEvent",
        "ConnectionClosedEvent",
        "string",
    } <= seen


def test_session_responses_and_expiry_fit(sandbox: Sandbox, guests: Callable[..., Any]) -> None:
    """New, resumed, expired."""
    first = guests(configure=False)
    _check(first.configure())
    _check(guests(token=first.token, configure=False).configure())
    first.say("hello")
    sandbox.faults.expire("session")
    assert _check(first.until("SessionExpiredEvent")) == "SessionExpiredEvent"


def test_history_pages_fit(sandbox: Sandbox, guests: Callable[..., Any], http: httpx.Client) -> None:
    """With everything in them that the history model knows: it has no QuickReplyV2 (the frames' model has)."""
    guest = guests()
    for text in EVERYTHING:
        if text != "quick replies v2":
            guest.say(text)
    jwt = guest.ask("getJwt")["body"]["jwt"]
    page = http.get(
        "/api/v2/webmessaging/messages",
        params={"pageSize": 100},
        headers={"Authorization": f"Bearer {jwt}"},
    ).json()
    assert len(page["entities"]) > len(EVERYTHING)
    _fits(page, "Platform.WebMessagingMessageEntityList")
