"""Every cell of the state table, legal or not, reached by real frames, commands and link events."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playbook import Playbook

from guestlab.errors import LocalProtocolError
from guestlab.protocol import commands as say
from guestlab.protocol.states import OURS, TRANSITIONS, WHY_NOT, Cause, State

CONFIGURED = """
    ++ made
    >> ConfigureSession()
    << SessionResponse {"connected": true, "newSession": true} @t1
"""
TO = {
    State.IDLE: "",
    State.CONNECTED: "++ made",
    State.CONFIGURING: """
        ++ made
        >> ConfigureSession()
    """,
    State.CONFIGURED: CONFIGURED,
    State.READ_ONLY: """
        ++ made
        >> ConfigureSession()
        << SessionResponse {"connected": true, "readOnly": true} @t1
    """,
    State.RECONNECTING: CONFIGURED + "++ lost 1001",
    State.CLOSING: CONFIGURED + "<< LogoutEvent {}",
    State.CLOSED: CONFIGURED + "<< LogoutEvent {}\n++ lost 1000",
    State.FAILED: """
        ++ made
        >> ConfigureSession()
        << string 500 "Request failed." @t1
    """,
}
BY = {
    Cause.UPGRADED: "++ made",
    Cause.CONFIGURE: ">> ConfigureSession()",
    Cause.STEP_UP: '>> ConfigureAuthenticatedSession(jwt="j")',
    Cause.SPEAK: '>> SendText(text="hi")',
    Cause.FETCH: ">> RequestJwt()",
    Cause.ASK: ">> RequestConfiguration()",
    Cause.GIVE_UP: ">> CloseSession()",
    Cause.HANG_UP: "++ hang up",
    Cause.READY: '<< SessionResponse {"connected": true}',
    Cause.BARRED: '<< SessionResponse {"connected": true, "readOnly": true}',
    Cause.UNBOUND: '<< SessionResponse {"connected": false, "readOnly": true}',
    Cause.SILENCED: '<< StructuredMessage {"type": "Event", "direction": "Outbound", "metadata": {"readOnly": "true"},'
    ' "events": [{"eventType": "Presence", "presence": {"type": "Disconnect"}}]}',
    Cause.ENDED: "<< SessionExpiredEvent {}",
    Cause.REFUSED: '<< string 400 "Deployment not found"',
    Cause.POSTPONED: '<< TooManyRequestsErrorMessage 429 {"retryAfter": 3}',
    Cause.DOWNGRADED: '<< string 4017 "no"',
    Cause.DEAUTHENTICATED: '<< string 403 "Session authentication failed: expired"',
    Cause.NOTICE: '<- Outbound "hello"',
    Cause.LOST: "++ lost 1006",
    Cause.UPGRADE_REFUSED: "++ refused 403",
}
CELLS = [(state, cause) for state in State for cause in Cause]


@pytest.mark.parametrize(("state", "cause"), CELLS, ids=lambda value: value.name)
def test_every_cell_does_what_the_table_says(state: State, cause: Cause) -> None:
    """A cell leads where it says; a missing one refuses our doing and ignores the others'."""
    book = Playbook().play(TO[state])
    assert book.protocol.state is state
    # On a socket without a session an authenticated configure is a configure like any other.
    entry = Cause.CONFIGURE if cause is Cause.STEP_UP and state is not State.CONFIGURED else cause
    expected = TRANSITIONS[state].get(entry)
    if expected is None and cause in OURS and BY[cause].startswith(">>"):
        book.play(BY[cause].replace(">>", ">!", 1))
    elif expected is None and cause in OURS:
        with pytest.raises(LocalProtocolError):
            book.play(BY[cause])
    else:
        book.play(BY[cause])
    assert book.protocol.state is (state if expected is None else expected)


def test_the_table_and_the_explanations_know_every_state() -> None:
    """No state without a row, none without a why and a next step."""
    assert set(TRANSITIONS) == set(WHY_NOT) == set(TO) == set(State)
    assert set(BY) == set(Cause)


def test_nothing_leaves_closed() -> None:
    """Closed is the end: a new session needs a new protocol object."""
    assert set(TRANSITIONS[State.CLOSED].values()) == {State.CLOSED}


# What a guest may say in which state, written down a second time from the published state table: words,
# typing, echo and attachments need a configured session, history and clear also work read-only.
_CONFIGURES = {State.CONNECTED}
_OPEN = {State.CONNECTED, State.CONFIGURING, State.CONFIGURED, State.READ_ONLY}
ALLOWED: list[tuple[Callable[[], say.Command], set[State]]] = [
    (say.ConfigureSession, _CONFIGURES),
    (lambda: say.ConfigureAuthenticatedSession(jwt="j"), _CONFIGURES | {State.CONFIGURED}),
    (lambda: say.SendText(text="hi"), {State.CONFIGURED}),
    (lambda: say.SendButtonResponse(text="a", payload="b"), {State.CONFIGURED}),
    (lambda: say.SendListPicker(items=(say.ListPickerItem(id="1", title="a"),)), {State.CONFIGURED}),
    (lambda: say.SendForm(canned_response_id="c", entries=()), {State.CONFIGURED}),
    (say.SendTyping, {State.CONFIGURED}),
    (say.SendJoin, {State.CONFIGURED}),
    (say.SendClear, {State.CONFIGURED, State.READ_ONLY}),
    (say.Echo, {State.CONFIGURED}),
    (lambda: say.RequestUpload(file_name="a.b", file_type="x/y", file_size=1), {State.CONFIGURED}),
    (lambda: say.RequestDownload(attachment_id="a"), {State.CONFIGURED}),
    (lambda: say.DeleteAttachment(attachment_id="a"), {State.CONFIGURED}),
    (say.RequestJwt, {State.CONFIGURED, State.READ_ONLY}),
    (say.RequestConfiguration, _OPEN),
    (say.CloseSession, {State.CONFIGURED, State.READ_ONLY}),
    (say.DisconnectCustomer, {State.CONFIGURED, State.READ_ONLY}),
    (say.ResumeToken, {State.CONFIGURED, State.READ_ONLY}),
]


def test_the_list_of_commands_is_complete() -> None:
    """All twelve actions and every command class are in it."""
    made = {type(make()) for make, _ in ALLOWED}
    classes = {getattr(say, name) for name in say.__all__}
    commands = {kind for kind in classes if isinstance(kind, type) and issubclass(kind, say.Command)}
    assert made == commands - {say.Command, say.Say}
    assert len({kind.action for kind in made}) == 12


@pytest.mark.parametrize("state", State, ids=lambda value: value.name)
@pytest.mark.parametrize("make", [make for make, _ in ALLOWED], ids=lambda make: type(make()).__name__)
def test_a_command_is_allowed_where_it_should_be(make: Callable[[], say.Command], state: State) -> None:
    """Elsewhere it is refused with why and next step."""
    protocol = Playbook().play(TO[state]).protocol
    if state in dict(ALLOWED)[make]:
        assert protocol.send(make()).text
        return
    with pytest.raises(LocalProtocolError, match="is not allowed while") as caught:
        protocol.send(make())
    assert caught.value.why
    assert caught.value.next_step
    assert protocol.state is state
