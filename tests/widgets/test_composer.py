"""A frame by hand: templates are right, the wrong key is named, and what is sent is what is written."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from guestlab.handshake.frame_check import check_frame
from guestlab.handshake.frame_words import ACTIONS
from guestlab.protocol import commands as say
from guestlab.widgets.composer import Composer
from guestlab.widgets.frame_templates import TEMPLATES, TypedFrame, command_of, template

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guestlab.lab import Lab
    from guestlab.widgets.chat import Chat

CLOUD = "wss://webmessaging.mypurecloud.de/v1?deploymentId=4c44344e-56ba-4b5c-8228-5473978ffe37"


class Done:
    """Keeps what a composer asks for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, what: str, make: Any, **_: Any) -> None:
        """Note it."""
        self.asked.append(what)


@pytest.fixture
def far(wire: Any) -> tuple[Composer, Done]:
    """A composer on a session with the real cloud."""
    done = Done()
    return Composer(done, lambda: CLOUD, lambda: None), done


@pytest.fixture
def chat(lab: Lab, wire: Any) -> Iterator[Chat]:
    """A chat on the sandbox."""
    chat = lab.session().chat()
    assert chat.widget is not None
    chat.refresh.flush()
    yield chat
    chat.close()


def until(chat: Chat, wire: Any, *words: str) -> None:
    """Wait until these are on the page."""
    deadline = time.monotonic() + 10
    while not all(word in wire.shown(chat) for word in words):
        assert time.monotonic() < deadline, wire.shown(chat._composer)
        chat.refresh.poke()
        chat.refresh.flush()
        time.sleep(0.02)


def write(chat: Chat, wire: Any, frame: Any) -> None:
    """Type a frame."""
    wire.enter(chat, "Frame (JSON)", frame if isinstance(frame, str) else json.dumps(frame))


def test_every_action_has_a_template() -> None:
    """All twelve."""
    assert {frame["action"] for frame in TEMPLATES.values()} == set(ACTIONS)
    assert len(ACTIONS) == 12


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_is_right_and_has_a_command_that_says_it(name: str) -> None:
    """Word for word, as `command_of` insists."""
    frame = json.loads(template(name, "00000000-0000-4000-8000-000000000000"))
    assert check_frame(frame).ok
    command = command_of(frame, "4c44344e-56ba-4b5c-8228-5473978ffe37")
    assert command is not None
    assert command.action == TEMPLATES[name]["action"]


@pytest.mark.parametrize(
    "command",
    [
        say.SendText(text="Hi", attachment_ids=("a",), custom_attributes={"a": "b"}, metadata={"c": "d"}),
        say.SendButtonResponse(text="Red", payload="RED", originating_message_id="m"),
        say.SendButtonResponse(text="t", payload="t", button_type="DatePicker", originating_message_id="m"),
        say.SendForm(
            canned_response_id="c", entries=(say.FormEntry(id="1", text="a", payload="b"),), text="t"
        ),
        say.SendListPicker(
            items=(say.ListPickerItem(id="1", title="a"),), text="t", originating_message_id="m"
        ),
    ],
    ids=lambda command: type(command).__name__,
)
def test_what_a_command_says_is_read_back_as_it(command: say.Command) -> None:
    """The way there and back."""
    frame = json.loads(say.encode(command, token="t", tracing_id="i"))
    assert command_of(frame) == command


@pytest.mark.parametrize(
    "frame",
    [
        {"action": "echo", "message": {"type": "Text", "text": "ping"}, "guestId": "1"},
        {"action": "dance"},
        {"action": "onMessage", "message": {"type": "Structured", "content": []}},
        {"action": "onMessage", "message": "hello"},
        {"action": "closeSession", "closeAllConnections": "yes"},
        {},
    ],
)
def test_a_frame_no_command_says_has_none(frame: dict[str, Any]) -> None:
    """It is not sent as something else."""
    assert command_of(frame) is None


def test_a_typed_frame_goes_out_as_it_stands() -> None:
    """Its token and tracing id are the session's."""
    typed = TypedFrame.of({"action": "dance", "token": "mine", "tracingId": "x", "style": ["waltz"]})
    assert json.loads(say.encode(typed, token="t", tracing_id="i")) == {
        "action": "dance", "token": "t", "tracingId": "i", "style": ["waltz"],
    }  # fmt: skip


def test_the_wrong_key_is_named_and_converted(far: tuple[Composer, Done], wire: Any) -> None:
    """As one types; one click takes the converted frame."""
    composer, _ = far
    composer.frame.set_state({"value": '{"type": "message", "text": "hi"}'})
    assert "the verb stands under action" in wire.shown(composer)
    assert "&quot;action&quot;: &quot;onMessage&quot;" in wire.shown(composer)
    wire.click(composer, "Take the converted frame")
    assert json.loads(composer.frame.value)["message"] == {"type": "Text", "text": "hi"}


def test_torn_json_says_where(far: tuple[Composer, Done], wire: Any) -> None:
    """And cannot be sent."""
    composer, _ = far
    composer.frame.set_state({"value": '{"action": '})
    assert "It is no JSON" in wire.shown(composer)
    assert "line 1" in wire.shown(composer)
    assert composer.send.disabled


def test_make_uuid_puts_a_new_one_in(far: tuple[Composer, Done], wire: Any) -> None:
    """At the tracing id."""
    composer, _ = far
    before = json.loads(composer.frame.value)["tracingId"]
    wire.click(composer, "Make UUID")
    after = json.loads(composer.frame.value)["tracingId"]
    composer.paint("")
    assert before != after
    assert after in wire.shown(composer)


def test_away_from_the_sandbox_only_commands_are_sent(far: tuple[Composer, Done], wire: Any) -> None:
    """The rest is checked, and it says so."""
    composer, done = far
    wire.click(composer, "Send frame")
    assert done.asked == ["sending a frame"]
    composer.frame.set_state({"value": '{"action": "dance"}'})
    wire.click(composer, "Send frame")
    composer.paint("")
    assert done.asked == ["sending a frame"]
    assert "Not sent: no command says this frame" in wire.shown(composer)


def test_an_address_is_checked_part_by_part(far: tuple[Composer, Done], wire: Any) -> None:
    """With what it should be."""
    composer, _ = far
    composer.address.set_state({"value": "wss://api.mypurecloud.de/v1?deploymentId="})
    assert "webmessaging.mypurecloud.de" in wire.shown(composer)
    assert "✗" in wire.shown(composer)


def test_a_frame_is_sent_and_answered(chat: Chat, wire: Any) -> None:
    """A message to the bot, a health check."""
    write(chat, wire, {"action": "onMessage", "token": "", "message": {"type": "Text", "text": "composed"}})
    wire.click(chat, "Send frame")
    until(chat, wire, "Sent as SendText; answered by MessageReceived", "You said: composed")
    write(chat, wire, {"action": "echo", "message": {"type": "Text", "text": "ping"}})
    wire.click(chat, "Send frame")
    until(chat, wire, "Sent as Echo; answered by EchoReceived", "Health check answered")


def test_a_wrong_frame_goes_to_the_sandbox_as_it_stands(chat: Chat, wire: Any) -> None:
    """And the sandbox's answer is shown, with its frame code."""
    write(chat, wire, {"action": "dance", "token": "x"})
    wire.click(chat, "Send frame")
    until(chat, wire, "Sent as it stands, to the sandbox.", "lane frame")


def test_no_guest_token_is_in_any_widget(chat: Chat, wire: Any) -> None:
    """Its place is taken on sending."""
    for name in TEMPLATES:
        wire.enter(chat, "Template", list(TEMPLATES).index(name), trait="index")
        assert chat._session.guest_token not in wire.state(chat)
    assert chat._session.guest_token not in wire.texts
