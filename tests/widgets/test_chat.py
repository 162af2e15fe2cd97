"""A session as a chat, on the sandbox, without a browser: what is shown, what a click says, what is saved."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import ipywidgets as w
import pytest

from guestlab.bridge import bridge
from guestlab.widgets.view import WIDGET_MIME
from tests.widgets import chat_frames as frames

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from guestlab.blocking import Session
    from guestlab.lab import Lab
    from guestlab.widgets.chat import Chat

DEADLINE = 10.0


@pytest.fixture
def session(lab: Lab) -> Session:
    """A guest who can write to the sandbox's bot."""
    return lab.session()


@pytest.fixture
def chat(session: Session, wire: Any) -> Iterator[Chat]:
    """The session's chat, in a kernel."""
    chat = session.chat()
    assert chat.widget is not None
    yield chat
    chat.close()


def until(chat: Chat, holds: Callable[[], bool]) -> None:
    """Wait for something the chat is to show; the sandbox answers within milliseconds."""
    deadline = time.monotonic() + DEADLINE
    while True:
        chat.refresh.poke()
        chat.refresh.flush()
        if holds():
            return
        assert time.monotonic() < deadline, chat.text()
        time.sleep(0.02)


def shows(chat: Chat, wire: Any, *words: str) -> None:
    """Wait until all of these are on the page."""
    until(chat, lambda: all(word in wire.shown(chat) for word in words))


def field(chat: Chat, wire: Any) -> Any:
    """The send box."""
    return wire.named(chat, "Say")


def enter(chat: Chat, wire: Any, text: str) -> None:
    """Type and press Enter, in the order in which the front end tells of it."""
    box = field(chat, wire)
    box._handle_custom_msg({"event": "submit"}, [])
    box.set_state({"value": text})


def server_says(session: Session, *texts: str) -> None:
    """Frames as if they had come over the socket."""
    loop = bridge.loop()
    for text in texts:
        loop.call_soon_threadsafe(session.core._exchange._receive, text)


def test_a_conversation_by_enter_and_click(chat: Chat, wire: Any) -> None:
    """Words go out, answers come in, a quick reply is a button, and says what it says."""
    enter(chat, wire, "hello")
    shows(chat, wire, "You (guest)", "acknowledged", "I am the sandbox bot", "What would you like?")
    assert field(chat, wire).value == ""
    wire.click(chat, "Tell me a joke")
    shows(chat, wire, "A bearer token walks up", "Answer to QuickReply")
    assert not [part for part in wire.parts(chat) if getattr(part, "description", "") == "Tell me a joke"]


def test_the_button_sends_what_stands_in_the_box(chat: Chat, wire: Any) -> None:
    """The words were told when the box was left."""
    wire.enter(chat, "Say", "good bye for now")
    wire.click(chat, "Send")
    shows(chat, wire, "You said: good bye for now")


def test_words_left_in_the_box_are_not_sent_without_being_asked(
    chat: Chat, wire: Any, session: Session
) -> None:
    """Enter in an empty box asks for nothing later."""
    field(chat, wire)._handle_custom_msg({"event": "submit"}, [])
    chat._send._asked_until = 0.0  # a second later
    wire.enter(chat, "Say", "a draft")
    server_says(session, frames.said("meanwhile"))
    shows(chat, wire, "meanwhile")
    assert field(chat, wire).value == "a draft"
    assert not [entry for entry in session.core.log.entries if entry.action == "onMessage"]


def test_cards_are_buttons(chat: Chat, wire: Any) -> None:
    """Links are links, postbacks are buttons."""
    enter(chat, wire, "card")
    shows(chat, wire, "One deployment, slightly used", 'href="https://example.com/deployment"')
    wire.click(chat, "I take it")
    shows(chat, wire, "Sold!")


def test_a_list_picker_sends_the_rows_chosen(chat: Chat, wire: Any) -> None:
    """At least one; each as a button response."""
    enter(chat, wire, "list")
    until(chat, lambda: any(getattr(part, "description", "") == "Send choice" for part in wire.parts(chat)))
    wire.click(chat, "Send choice")
    assert "Choose at least one row first" in wire.shown(chat)
    wire.enter(chat, "Juice", value=True)
    radio = next(part for part in wire.parts(chat) if isinstance(part, w.RadioButtons))
    radio.set_state({"index": 1})
    wire.click(chat, "Send choice")
    shows(chat, wire, "A good choice", "payload COFFEE", "payload JUICE")


def test_a_time_is_chosen(chat: Chat, wire: Any) -> None:
    """As ISO 8601."""
    enter(chat, wire, "dates")
    name = "Wed 26 Jun 2030, 09:00 UTC · 30 min"
    until(chat, lambda: any(getattr(part, "description", "") == name for part in wire.parts(chat)))
    wire.click(chat, name)
    shows(chat, wire, "Noted in the diary: 2030-06-26T09:00:00.000Z")


def test_a_form_insists_and_is_sent(chat: Chat, wire: Any) -> None:
    """All four kinds of question."""
    enter(chat, wire, "form")
    until(chat, lambda: any(getattr(part, "description", "") == "Send form" for part in wire.parts(chat)))
    wire.click(chat, "Send form")
    assert "Still needed: Your name" in wire.shown(chat)
    inputs = list(wire.parts(chat._choices))
    name = next(part for part in inputs if isinstance(part, w.Text))
    name.set_state({"value": "Ada"})
    next(part for part in inputs if isinstance(part, w.DatePicker)).set_state(
        {"value": {"year": 1815, "month": 11, "date": 10}}
    )
    next(part for part in inputs if isinstance(part, w.Dropdown)).set_state({"index": 3})
    wire.enter(chat, "The log", value=True)
    wire.click(chat, "Send form")
    shows(chat, wire, "Form, filled in", "Ada", "10/12/1815", "Five stars", "The log", "by my heart")


def test_a_file_is_sent_with_its_progress(chat: Chat, wire: Any, session: Session) -> None:
    """And taken out of the widget afterwards."""
    content = b"x" * 50_000
    upload = next(part for part in wire.parts(chat) if isinstance(part, w.FileUpload))
    file = {"name": "notes.txt", "type": "text/plain", "size": 50_000, "last_modified": 0, "content": content}
    upload.set_state({"value": [file]})
    until(chat, lambda: "notes.txt" in wire.shown(chat) and "50,000 bytes" in wire.shown(chat))
    wire.click(chat, "Send")
    shows(chat, wire, "Upload accepted", "Attachment", "I shall treasure it")
    until(chat, lambda: upload.value == ())


def test_an_upload_moves_a_bar(chat: Chat, wire: Any) -> None:
    """As the session tells of the bytes that are out."""
    bar = wire.named(chat, "Upload")
    assert bar.layout.display == "none"
    chat._send._moving(25_000, 50_000)
    until(chat, lambda: bar.layout.display == "")
    assert (bar.value, bar.max) == (25_000, 50_000)


def test_the_agent_by_name_typing_and_leaving(chat: Chat, wire: Any, session: Session) -> None:
    """And why nothing can be said afterwards."""
    typing = {"eventType": "Typing", "typing": {"type": "On", "duration": 60_000}}
    server_says(session, frames.happened(typing, channel={"from": {"nickname": "Anna"}}))
    shows(chat, wire, ">Anna</bdi> is typing")
    server_says(session, frames.said("Hi, I am Anna", name="Anna", entity="Human"))
    shows(chat, wire, "Anna (agent)")
    assert "is typing" not in wire.shown(chat)
    gone = {"eventType": "Presence", "presence": {"type": "Disconnect"}}
    server_says(session, frames.happened(gone, metadata={"readOnly": "true"}))
    shows(chat, wire, "The session is read-only now", "Start new", "read-only</span>")
    assert field(chat, wire).disabled
    assert wire.named(chat, "Start new").layout.display == ""


def test_start_new_begins_again(chat: Chat, wire: Any, session: Session, lab: Lab) -> None:
    """After the agent hung up for good."""
    enter(chat, wire, "hello")
    shows(chat, wire, "What would you like?")
    assert lab.sandbox is not None
    lab.sandbox.agent.disconnect(read_only=True)
    until(chat, lambda: session.state == "read_only")
    shows(chat, wire, "read-only</span>")
    wire.click(chat, "Start new")
    until(chat, lambda: session.state == "configured" and not field(chat, wire).disabled)
    shows(chat, wire, "New session: ready to talk.")
    assert wire.named(chat, "Start new").layout.display == "none"


def test_a_wait_for_a_budget_counts_down(chat: Chat, wire: Any, session: Session) -> None:
    """What the server asked for."""
    limited = {"retryAfter": 30, "errorCode": 429, "errorMessage": "slow down"}
    server_says(session, frames.frame(limited, class_name="TooManyRequestsErrorMessage", code=429))
    shows(chat, wire, "too many requests (frame code 429): may send again in")


def test_a_lost_link_is_told_and_mended(chat: Chat, wire: Any, session: Session) -> None:
    """Close code, attempts and the way back."""
    link = session.core._exchange._link
    assert link is not None
    bridge.loop().call_soon_threadsafe(link.abort)
    shows(chat, wire, "close code 1006", "Back;")
    until(chat, lambda: session.state == "configured")


def test_what_fails_is_told_and_the_words_stay(chat: Chat, wire: Any) -> None:
    """Too long to send: the error in the chat, the words in the box."""
    enter(chat, wire, "x" * 5000)
    shows(chat, wire, "Sending failed", "Next")
    assert field(chat, wire).value == "x" * 5000


def test_a_session_that_is_over_stops_moving(chat: Chat, wire: Any, session: Session) -> None:
    """Closed here, the conversation stays: it says how to go on, and sends nothing more."""
    session.close()
    shows(chat, wire, "closed here</span>", "The conversation stays", "guest_token=session.guest_token")
    assert field(chat, wire).disabled
    assert wire.named(chat, "Send frame").disabled
    until(chat, lambda: not chat._ticker._running)


def test_a_session_that_the_other_side_ended_is_over(chat: Chat, wire: Any, session: Session) -> None:
    """Nothing is left to resume then."""
    server_says(session, '{"type":"message","class":"SessionExpiredEvent","code":200,"body":{}}')
    session.close()
    shows(chat, wire, "over</span>", "The session is over", "lab.session()  # a new guest")
    assert "guest_token=session.guest_token" not in wire.shown(chat)


def test_a_file_that_will_not_do_is_refused_when_it_is_chosen(chat: Chat, wire: Any) -> None:
    """By the limits the server announced; a second file says that it takes the first one's place."""

    def choose(name: str) -> None:
        chosen = {"name": name, "type": "", "size": 2, "content": b"ab", "last_modified": None}
        chat._send._chosen({"new": (chosen,)})

    choose("bad.exe")
    shows(chat, wire, "bad.exe cannot be attached")
    assert chat._send._file is None
    choose("first.png")
    choose("second.png")
    shows(chat, wire, "It takes the place of first.png")


def test_the_frames_behind_a_line(chat: Chat, wire: Any) -> None:
    """Sent and received, latency, lane, tracing id, masked token."""
    enter(chat, wire, "hello")
    shows(chat, wire, "acknowledged")
    line = next(line for line in chat._lines.lines if line.who == "guest")
    listed = chat._inspector.list
    until(chat, lambda: line.number in [number for _, number in listed.options])
    listed.set_state({"index": [number for _, number in listed.options].index(line.number)})
    shows(chat, wire, "→ sent", "← received", "latency", "lane frame", "tracingId", "[masked:")
    assert chat._session.guest_token not in wire.texts


def test_the_chosen_line_stays_chosen(chat: Chat, wire: Any, session: Session) -> None:
    """While the list goes on."""
    listed = chat._inspector.list
    until(chat, lambda: len(listed.options) == 2)
    listed.set_state({"index": 1})
    server_says(session, frames.said("more"))
    until(chat, lambda: len(listed.options) == 3)
    assert listed.value == 1


def test_only_the_last_lines_are_on_the_page(chat: Chat, wire: Any, session: Session) -> None:
    """Older ones are counted."""
    server_says(session, *(frames.said(f"message {number}.") for number in range(1500)))
    shows(chat, wire, "message 1499.", "earlier messages are in <code>log.messages</code>")
    assert wire.shown(chat).count('<div class="gl-bubble">') <= 240
    assert "message 1200." not in wire.shown(chat)


def test_no_token_reaches_the_page_or_what_is_saved(chat: Chat, wire: Any, session: Session) -> None:
    """Widget state, static HTML and text."""
    enter(chat, wire, "hello")
    shows(chat, wire, "What would you like?")
    bundle: Any = session._repr_mimebundle_()
    everything = wire.texts + wire.state(chat) + str(bundle)
    assert session.guest_token not in everything
    assert bundle[WIDGET_MIME]["model_id"] == chat.widget.model_id


def test_the_static_form_holds_the_whole_chat(session: Session) -> None:
    """Table and text, without a kernel, without script or style."""
    session.send("card")
    session.messages(quiet=0.3)
    bundle: Any = session._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html"}
    assert "<table" in bundle["text/html"]
    assert "<script" not in bundle["text/html"]
    assert "style" not in bundle["text/html"]
    for seen in bundle.values():
        assert "One deployment, slightly used" in seen
        assert "I take it" in seen


def test_a_masked_payload_is_answered_by_the_session_itself(chat: Chat, wire: Any, session: Session) -> None:
    """The log masks it; the mask is never said."""
    secret = session.guest_token
    reply = frames.item("QuickReply", "quickReply", {"text": "Go on", "payload": secret, "action": "Message"})
    action = {"type": "Postback", "text": "By card", "payload": secret}
    card = frames.item("Card", "card", {"title": "t", "actions": [action]})
    server_says(session, frames.said("Pick", content=[reply, card]))
    until(chat, lambda: any(getattr(part, "description", "") == "Go on" for part in wire.parts(chat)))
    assert wire.named(chat, "By card").disabled
    said: list[str] = []
    post = session.core._exchange.request

    async def request(command: Any, timeout: float) -> Any:
        said.append(command.payload)
        return await post(command, timeout)

    session.core._exchange.request = request  # type: ignore[method-assign]
    wire.click(chat, "Go on")
    until(chat, lambda: bool(said))
    assert said == [secret]
