"""Whole exchanges between a guest and a server, line by line."""

from __future__ import annotations

import json

import pytest
from playbook import Playbook

from guestlab.errors import InputError, LocalProtocolError
from guestlab.limits import Limits
from guestlab.protocol import commands as say
from guestlab.protocol import events as got
from guestlab.protocol.guest import GuestProtocol, State
from guestlab.protocol.messages import Message

CONFIGURED = """
    ++ made
    >> ConfigureSession()
    << SessionResponse {"connected": true, "newSession": true} @t1
    ?? SessionConfigured configured settled=t1 pending=
"""
DISCONNECT = (
    '<< StructuredMessage {"id": "d", "type": "Event", "direction": "Outbound", "metadata": {"readOnly": "%s"},'
    ' "events": [{"eventType": "Presence", "presence": {"type": "Disconnect"}}]}'
)
SIGN_IN = (
    '<< StructuredMessage {"id": "s", "type": "Event", "direction": "Inbound",'
    ' "channel": {"from": {"firstName": "Peter"}},'
    ' "events": [{"eventType": "Presence", "presence": {"type": "SignIn"}}]}'
)


def configured(**options: object) -> Playbook:
    """A playbook whose session is configured; the next tracing id is t2."""
    return Playbook(**options).play(CONFIGURED)


def test_a_first_conversation() -> None:
    """Configure, say hello, hear the echo and an answer."""
    book = configured().play("""
        >> SendText(text="Hello")
        ?? pending=t2
        <- Inbound "Hello" @t2
        ?? MessageReceived configured settled=t2 pending=
        <- Outbound "Hi, I am Bot"
        ?? MessageReceived settled=
    """)
    assert [received.events[0].message.own for received in book.received[1:]] == [True, False]


def test_the_frame_of_a_command_has_the_published_key_order() -> None:
    """Action, token, tracing id, then the rest."""
    book = configured().play('>> SendText(text="Hello")')
    assert list(json.loads(book.sent[1].text)) == ["action", "token", "tracingId", "message"]
    assert json.loads(book.sent[1].text)["token"] == "guest-token"


def test_the_golden_transcript_of_a_quick_reply_bot() -> None:
    """Auto-start, quick reply, upload, read-only hang-up, new chat on the same socket."""
    Playbook().play(
        f"""
        ++ made
        >> ConfigureSession()
        << SessionResponse {{"connected": true, "newSession": true}} @t1
        >> SendJoin(custom_attributes=dict(plan="gold"))
        << StructuredMessage {{"id": "j", "type": "Event", "direction": "Inbound",\
 "events": [{{"eventType": "Presence", "presence": {{"type": "Join"}}}}]}} @t2
        ?? PresenceChanged settled=t2
        >> SendButtonResponse(text="Red", payload="RED")
        <- Inbound "Red" @t3
        ?? MessageReceived settled=t3
        >> RequestUpload(file_name="a.png", file_type="image/png", file_size=3, attachment_id="8888")
        << PresignedUrlResponse {{"attachmentId": "8888", "url": "https://u", "headers": {{"x-amz-tagging": "o"}}}} @t4
        ?? UploadUrlIssued settled=t4
        << UploadSuccessEvent {{"attachmentId": "8888", "downloadUrl": "https://d"}}
        ?? UploadSucceeded settled=
        >> SendText(text="see photo", attachment_ids=("8888",))
        <- Inbound "see photo" @t5
        {DISCONNECT % "true"}
        ?? PresenceChanged read_only
        >! SendText(text="hello?")
        >> CloseSession()
        << SessionResponse {{"connected": false, "newSession": false, "readOnly": true}} @t6
        ?? SessionConfigured connected settled=t6
        >> ConfigureSession(start_new=True)
        << SessionResponse {{"connected": true, "newSession": true, "readOnly": false}} @t7
        ?? SessionConfigured configured settled=t7 pending=
    """.replace('dict(plan="gold")', '{"plan": "gold"}')
    )


def test_a_plain_disconnect_leaves_the_guest_talking() -> None:
    """Without readOnly the conversation may go on."""
    configured().play(f"""
        {DISCONNECT % "false"}
        ?? PresenceChanged configured
        >> SendText(text="still here")
    """)


def test_sign_in_may_come_before_the_session_response() -> None:
    """Stepping up, the first frame back is a presence; the session stays usable meanwhile."""
    book = configured().play(f"""
        >> ConfigureAuthenticatedSession(jwt="auth-jwt")
        ?? configured pending=t2
        {SIGN_IN} @t2
        ?? PresenceChanged configured settled= pending=t2
        >> SendText(text="meanwhile")
        << SessionResponse {{"connected": true, "clearedExistingSession": true}} @t2
        ?? SessionConfigured configured settled=t2 pending=t3
    """)
    assert book.protocol.session is not None
    assert book.protocol.session.cleared_existing_session


def test_a_failed_step_up_is_a_notice() -> None:
    """The guest session it started from lives on."""
    configured().play("""
        >> ConfigureAuthenticatedSession(jwt="auth-jwt")
        << string 400 "no" @t2
        ?? ErrorReceived configured settled=t2
        >> SendText(text="still here")
    """)


# -- errors by phase --------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [301, 400, 401, 403, 404, 409, 500, 4000, 4006, 4007, 4020, 5000, 4999])
def test_an_error_is_final_while_configuring(code: int) -> None:
    """Whatever the number says, the configure has failed."""
    book = Playbook().play(f"""
        ++ made
        >> ConfigureSession()
        << string {code} "no" @t1
        ?? ErrorReceived failed settled=t1
    """)
    assert book.protocol.ended is book.last.events[0]


@pytest.mark.parametrize("code", [301, 400, 401, 403, 404, 408, 409, 500, 4000, 4011, 4013, 4020, 5000, 4999])
def test_the_same_error_is_a_notice_once_configured(code: int) -> None:
    """The session goes on."""
    book = configured().play(f'<< string {code} "no"\n?? ErrorReceived configured')
    assert book.protocol.ended is None
    assert book.protocol.may_reconnect


@pytest.mark.parametrize(("code", "may"), [(500, True), (503, True), (408, True), (5000, True), (400, False)])
def test_passing_trouble_may_be_tried_again(code: int, may: bool) -> None:
    """A server error at configure is final for this socket, not for the guest token."""
    book = Playbook().play(
        f'++ made\n>> ConfigureSession()\n<< string {code} "x" @t1\n++ lost 1000\n?? failed'
    )
    assert book.protocol.may_reconnect is may
    if may:
        book.play("++ made\n?? connected\n>> ConfigureSession()")
        assert book.protocol.ended is None
    else:
        with pytest.raises(LocalProtocolError):
            book.protocol.connection_made()


def test_too_many_requests_at_configure_can_be_repeated() -> None:
    """429 is the one refusal that is not final for a guest."""
    book = Playbook().play("""
        ++ made
        >> ConfigureSession()
        << TooManyRequestsErrorMessage 429 {"retryAfter": 3, "errorCode": 4029, "errorMessage": "slow"} @t1
        ?? RateLimited connected settled=t1
        >> ConfigureSession()
        << SessionResponse {"connected": true} @t2
        ?? configured
    """)
    assert book.received[0].events[0].retry_after == 3.0


def test_an_expired_jwt_at_configure_can_be_refreshed() -> None:
    """401 is not final for an authenticated configure; it is for a guest's."""
    Playbook().play("""
        ++ made
        >> ConfigureAuthenticatedSession(jwt="old")
        << string 401 "User is unauthorized"
        ?? ErrorReceived connected settled=t1
        >> ConfigureAuthenticatedSession(jwt="new")
        << SessionResponse {"connected": true} @t2
        ?? configured
    """)


def test_an_error_about_something_else_does_not_fail_the_configure() -> None:
    """Its tracing id says what it is about."""
    Playbook().play("""
        ++ made
        >> ConfigureSession()
        >> RequestConfiguration()
        << string 400 "no" @t2
        ?? ErrorReceived configuring settled=t2
        << SessionResponse {"connected": true} @t1
        ?? configured
    """)


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("<< ConnectionClosedEvent {}", "ConnectionTakenOver"),
        ('<< ConnectionClosedEvent {"reason": "signedIn"}', "ConnectionTakenOver"),
        ("<< LogoutEvent {}", "LoggedOut"),
        ("<< SessionExpiredEvent {}", "SessionExpired"),
        ("<< SessionClearedEvent", "SessionCleared"),
        ('<< string 4006 "expired"', "ErrorReceived"),
        ('<< string 4007 "not found"', "ErrorReceived"),
    ],
)
def test_what_ends_a_session_forbids_reconnecting(line: str, name: str) -> None:
    """The event is kept, the socket is to be closed, and the guest token is not tried again."""
    book = configured().play(f"{line}\n?? {name} closing\n++ lost 1000\n?? closed")
    assert type(book.protocol.ended).__name__ == name
    assert not book.protocol.may_reconnect
    with pytest.raises(LocalProtocolError):
        book.protocol.connection_made()


def test_a_downgrade_throws_the_token_away() -> None:
    """4017 is final in every phase."""
    for start in ("++ made\n>> ConfigureSession()", CONFIGURED):
        book = Playbook().play(f'{start}\n<< string 4017 "no"\n?? failed')
        assert not book.protocol.may_reconnect


def test_the_first_ending_counts() -> None:
    """A clear is followed by a takeover event; what ended the session is the clear."""
    book = configured().play("""
        >> SendClear()
        << StructuredMessage {"type": "Event", "direction": "Inbound",\
 "events": [{"eventType": "Presence", "presence": {"type": "Clear"}}]} @t2
        ?? PresenceChanged configured settled=t2
        << SessionClearedEvent {}
        << ConnectionClosedEvent {}
        ?? ConnectionTakenOver closing
    """)
    assert isinstance(book.protocol.ended, got.SessionCleared)


def test_a_clear_whose_echo_is_missing_is_settled_by_its_effect() -> None:
    """SessionCleared says it as well."""
    configured().play("""
        >> SendClear()
        << SessionClearedEvent {}
        ?? SessionCleared closing settled=t2
    """)


def test_a_lost_sign_in_asks_for_a_new_connection() -> None:
    """403 with these words is neither final nor a notice."""
    book = configured().play("""
        << string 403 "Try to authenticate again, please"
        ?? ErrorReceived reconnecting
        >! SendText(text="hi")
        ++ lost 1000
        ?? reconnecting
        ++ made
        >> ConfigureAuthenticatedSession(jwt="new")
    """)
    assert book.received[-1].events[0].authentication_lost


# -- losing the link --------------------------------------------------------------------------------------


def test_words_stay_in_doubt_when_the_link_is_lost() -> None:
    """They may have been delivered; questions are simply unanswered."""
    book = configured().play("""
        >> SendText(text="did it arrive?")
        >> RequestJwt()
        >> Echo()
        ++ lost 1006
        ?? reconnecting pending=t2
    """)
    assert book.protocol.unanswered == ("t3", "t4")
    book.play("""
        ++ made
        >> ConfigureSession()
        << SessionResponse {"connected": true, "newSession": false}
        ?? configured settled=t5 pending=t2
        <- Inbound "did it arrive?" @t2
        ?? MessageReceived settled=t2 pending=
    """)


def test_a_resend_keeps_its_tracing_id() -> None:
    """So that whichever copy comes back settles it, and a second copy is still known as own."""
    book = configured().play('>> SendText(text="once")')
    again = book.protocol.send(say.SendText(text="once"), tracing_id="t2")
    assert json.loads(again.text)["message"]["metadata"]["id"] == "t2"
    book.play("""
        <- Inbound "once" @t2
        ?? MessageReceived settled=t2
        <- Inbound "once" @t2
        ?? MessageReceived settled=
    """)
    assert book.last.events[0].message.own


def test_a_refused_upgrade_is_final_only_with_403() -> None:
    """Anything else may pass."""
    book = configured().play("++ lost 1001\n++ refused 503\n?? reconnecting")
    assert book.protocol.may_reconnect
    book.play("++ refused 403\n?? failed")
    assert not book.protocol.may_reconnect


def test_hanging_up_is_not_undone_by_the_link() -> None:
    """Our own close is the end."""
    book = configured().play("++ hang up\n?? closing\n>! Echo()\n++ lost 1000\n?? closed")
    assert not book.protocol.may_reconnect


# -- which answer belongs to which command ----------------------------------------------------------------


def test_an_answer_without_a_tracing_id_settles_the_oldest_fitting_command() -> None:
    """Official samples of these answers come without one."""
    configured().play("""
        >> RequestJwt()
        >> Echo()
        >> RequestUpload(file_name="a.b", file_type="x/y", file_size=1, attachment_id="A")
        >> RequestUpload(file_name="c.d", file_type="x/y", file_size=1, attachment_id="B")
        << PresignedUrlResponse {"attachmentId": "B", "url": "https://u", "headers": {"a": "b"}}
        ?? settled=t5
        <= Inbound "ping"
        ?? EchoReceived settled=t3
        << GenerateUrlError {"attachmentId": "A", "errorCode": 4001, "errorMessage": "no"}
        ?? AttachmentRefused configured settled=t4
        << JwtResponse {"jwt": "j", "exp": 1}
        ?? JwtIssued settled=t2 pending=
    """)


@pytest.mark.parametrize("line", ['string 4011 "too long"', 'string 4013 "large"', 'string 4029 "fast"'])
def test_a_refusal_without_a_tracing_id_speaks_of_the_oldest_message(line: str) -> None:
    """As official clients read it: the first message still being sent."""
    configured().play(f"""
        >> RequestJwt()
        >> SendText(text="one")
        >> SendText(text="two")
        << {line}
        ?? configured settled=t3 pending=t2,t4
    """)


def test_a_refusal_with_a_tracing_id_speaks_of_that_message() -> None:
    """Not of the oldest."""
    configured().play("""
        >> SendText(text="one")
        >> SendText(text="two")
        << string 4011 "too long" @t3
        ?? ErrorReceived settled=t3 pending=t2
        << string 4011 "too long" @someone-else
        ?? ErrorReceived settled= pending=t2
        << string 409 "read-only"
        ?? ErrorReceived settled=t2
    """)


def test_another_devices_words_are_not_ours() -> None:
    """The same guest token on a second device: fanned out to us, settled by nobody here."""
    book = configured().play("""
        >> SendText(text="mine")
        <- Inbound "theirs" @their-id
        ?? MessageReceived settled= pending=t2
        <- Inbound "theirs too"
        ?? MessageReceived settled= pending=t2
    """)
    assert not book.last.events[0].message.own


def test_an_echo_is_known_by_its_metadata_as_well() -> None:
    """History has no tracing ids; the id in the metadata comes back there."""
    book = configured().play("""
        >> SendText(text="hi")
        << StructuredMessage {"type": "Text", "text": "hi", "direction": "Inbound", "metadata": {"id": "t2"}}
        ?? MessageReceived settled=t2
    """)
    assert book.last.events[0].message.own
    assert book.protocol.owns(Message.from_body({"direction": "Inbound", "metadata": {"id": "t2"}}))
    assert not book.protocol.owns(Message.from_body({"direction": "Outbound", "metadata": {"id": "t2"}}))
    assert not book.protocol.owns(Message.from_body({"direction": "Inbound"}))


def test_the_pending_command_beats_the_frames_type() -> None:
    """Sources differ on which class is a response; what was asked decides."""
    configured().play("""
        >> SendText(text="hi")
        <= Inbound "hi" @t2
        ?? MessageReceived settled=t2
        <= Inbound "hi" @t2
        ?? MessageReceived settled=
        >> Echo()
        <- Inbound "ping" @t3
        ?? EchoReceived settled=t3
    """)


def test_an_outbound_message_settles_nothing() -> None:
    """Even with a tracing id of ours on it."""
    configured().play("""
        >> SendText(text="hi")
        <- Outbound "hello" @t2
        ?? MessageReceived settled= pending=t2
    """)


def test_typing_is_not_waited_for() -> None:
    """Its echo may or may not come."""
    configured().play(">> SendTyping()\n?? pending=")


def test_a_driver_may_settle_a_command_itself() -> None:
    """From history, or by giving up."""
    protocol = configured().play('>> SendText(text="hi")').protocol
    assert protocol.settle("t2") == say.SendText(text="hi")
    assert protocol.settle("t2") is None


def test_several_events_in_one_frame_are_all_delivered() -> None:
    """The state follows each of them."""
    book = configured().play("""
        << StructuredMessage {"type": "Event", "direction": "Outbound", "metadata": {"readOnly": "true"}, "events": [\
{"eventType": "Typing", "typing": {"type": "On"}},\
 {"eventType": "Fake"},\
 {"eventType": "Presence", "presence": {"type": "Disconnect"}}]}
        ?? TypingReceived+Unrecognized+PresenceChanged read_only
    """)
    assert (book.last.before, book.last.after) == (State.CONFIGURED, State.READ_ONLY)


# -- limits and secrets -----------------------------------------------------------------------------------


def test_the_sessions_own_attribute_limit_beats_the_published_one() -> None:
    """It is in the SessionResponse."""
    book = Playbook().play("""
        ++ made
        >> ConfigureSession()
        << SessionResponse {"connected": true, "maxCustomDataBytes": 4.0}
    """)
    book.play('>> SendText(text="hi", custom_attributes={"ab": "cd"})')
    with pytest.raises(InputError, match="5 bytes"):
        book.play('>> SendText(text="hi", custom_attributes={"ab": "cde"})')
    assert list(book.protocol.pending) == ["t2"]


def test_without_limits_nothing_is_measured() -> None:
    """For a server that shall say no itself."""
    book = configured(limits=None)
    assert book.protocol.send(say.SendText(text="x" * 5000)).tracing_id == "t2"
    assert configured(limits=Limits(text_length=5)).protocol.send(say.SendText(text="12345"))
    with pytest.raises(InputError):
        configured(limits=Limits(text_length=5)).protocol.send(say.SendText(text="123456"))


def test_a_refused_command_changes_nothing() -> None:
    """Neither state nor pending nor tracing ids kept."""
    book = configured()
    with pytest.raises(InputError):
        book.protocol.send(say.SendText(text=""))
    with pytest.raises(InputError):
        Playbook().play("++ made").protocol.send(say.ConfigureAuthenticatedSession(jwt=""))
    book.play("?? configured pending=\n>! ConfigureSession()\n?? configured")


def test_no_repr_shows_a_secret() -> None:
    """Guest token, JWT, resume token, presigned URL: none appears in any repr."""
    book = Playbook()
    secret = "s3cr3t"
    book.protocol._guest_token = secret
    book.play(f"""
        ++ made
        >> ConfigureAuthenticatedSession(jwt="{secret}", resume_token="{secret}")
        << SessionResponse {{"connected": true}} @t1
        << JwtResponse {{"jwt": "{secret}", "exp": 1}}
        << ResumeTokenResponse {{"resumeToken": "{secret}", "exp": 1}}
        << PresignedUrlResponse {{"attachmentId": "a", "url": "https://u?sig={secret}", "headers": {{"x": "{secret}"}}}}
        << UploadSuccessEvent {{"attachmentId": "a", "downloadUrl": "https://u?sig={secret}"}}
        << StructuredMessage {{"type": "Event", "events": [\
{{"eventType": "CoBrowse", "coBrowse": {{"type": "Offering", "sessionJoinToken": "{secret}"}}}},\
 {{"eventType": "Video", "video": {{"type": "Offering", "jwt": "{secret}"}}}}]}}
    """)
    events = [event for received in book.received for event in received.events]
    shown = [book.protocol, *book.sent, *book.received, *events, *(event.raw for event in events)]
    shown += [event.envelope for event in events] + [
        event.message.raw for event in events if hasattr(event, "message")
    ]
    assert not [thing for thing in shown if secret in repr(thing)]
    assert secret in book.sent[0].text


def test_a_long_session_forgets_the_oldest_tracing_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept to know own messages by is bounded."""
    monkeypatch.setattr("guestlab.protocol.guest._REMEMBERED", 2)
    book = configured().play('>> SendText(text="1")\n>> SendText(text="2")\n>> SendText(text="3")')
    assert list(book.protocol._spoken) == ["t3", "t4"]


def test_tracing_ids_are_uuids_by_default() -> None:
    """Fresh for each frame."""
    protocol = GuestProtocol("deployment", "token")
    protocol.connection_made()
    ids = {protocol.send(say.RequestConfiguration()).tracing_id for _ in range(3)}
    assert len(ids) == 3
    assert all(len(tracing_id) == 36 for tracing_id in ids)
