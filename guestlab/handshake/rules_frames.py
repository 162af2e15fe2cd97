"""Rules about the first frame and about frames before the session stands."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from guestlab.handshake.credentials import is_uuid
from guestlab.handshake.deployment_id import is_unseen
from guestlab.handshake.frame_check import REQUIRED, check_frame, differ
from guestlab.handshake.frame_words import ACTIONS, CONFIGURES, intent_of, verb_of
from guestlab.handshake.quoting import is_masked, quote_frame, quote_text
from guestlab.handshake.rule import SOURCES, Match, Rule, confirmed, likely
from guestlab.handshake.targets import Target, speaks_channel

if TYPE_CHECKING:
    from guestlab.handshake.reading import Reading

__all__ = ["FRAME_RULES"]

_WANTS_FORM = (
    r"(?:what|which|how|exact|correct|right|structure|format|schema|shape)[^.]{0,60}(?:first|initial|opening|"
    r"connect|auth|handshake) (?:frame|message|payload|command)"
    r"|(?:first|initial|opening) (?:frame|message|payload)[^.]{0,40}"
    r"(?:structure|format|schema|look|contain|expected)"
    r"|(?:exact|right|correct) (?:message|frame|payload) (?:structure|format)"
    r"|what (?:do|should|must|shall) (?:i|we) send (?:first|after|once)"
)
_VERB_SAID = (
    r"\b(?:auth\w*|connect|init\w*|join|start\w*|hello|login|register|guest_ready)['\"`]? "
    r"(?:frame|message|command|event|action)\b"
)


def _wrong_first_frame(reading: Reading) -> Match | None:
    if reading.is_configured or reading.target not in {Target.GUEST, Target.UNKNOWN}:
        return None
    if reading.first and speaks_channel(reading.first):
        return None
    if reading.first and (match := _first(reading)):
        return match
    if reading.sent:
        return _later(reading)
    if reading.first:
        return None
    said = reading.note.has(_WANTS_FORM) or reading.note.has(_VERB_SAID) or _shown_in_note(reading)
    if said and not reading.reply and not reading.note.says("identity provider"):
        return likely(
            *reading.lines("url", "note"), fault="by your words the session is not opened by configureSession"
        )
    return None


def _shown_in_note(reading: Reading) -> bool:
    """Whether the note quotes a frame with an invented verb for opening."""
    found = re.search(r"\{\s*['\"]?(?:type|action|command|event)['\"]?\s*:\s*['\"](\w+)", reading.note.text)
    return found is not None and found[1] not in ACTIONS and intent_of(found[1]) == "configure"


def _first(reading: Reading) -> Match | None:
    frame = reading.first
    if not isinstance(frame.raw, Mapping):
        return confirmed(*reading.lines("first_frame"), fault="it is no JSON object")
    if frame.action in CONFIGURES:
        if fault := _incomplete(reading):
            return confirmed(*reading.lines("first_frame", "frame"), fault, fault=fault)
        doubted = _refused_token(reading)
        return likely(*reading.lines("first_frame", "frame"), doubted, fault=doubted) if doubted else None
    if frame.action in ACTIONS:
        return None  # frame.session-not-configured
    key, verb = verb_of(frame.raw)
    if verb.replace("_", "").lower() in {action.lower() for action in CONFIGURES}:
        fault = f"{quote_text(verb, 60)} stands under {key!r}; it must be action, spelled configureSession"
    elif verb:
        fault = f"{key} is {quote_text(verb, 60)!r}, which the guest protocol does not have"
    else:
        fault = "it has no action"
    return confirmed(*reading.lines("first_frame", "frame", "close_code"), fault=fault)


def _incomplete(reading: Reading) -> str:
    """What a configure frame lacks, or ""."""
    token, deployment = reading.first.at("token"), reading.first.at("deploymentId")
    in_url = reading.deployment_id
    if not isinstance(token, str) or not token:
        return "configureSession has no token: a UUID of the client's own making"
    if len(token) > 2048:
        return "its token is longer than 2048 characters"
    if not isinstance(deployment, str) or not deployment:
        return "configureSession has no deploymentId"
    if in_url and differ(deployment, in_url):
        return "its deploymentId is not the one in the URL"
    return ""


_NO_GOOD = re.compile(r"invalid[^.]{0,20}token|token[^.]{0,30}(?:invalid|not valid|malformed|bad)")


def _refused_token(reading: Reading) -> str:
    """Whether the server calls the token invalid, and it has a form that nobody advises, or ""."""
    token = reading.first.at("token")
    if not isinstance(token, str) or is_unseen(token) or is_uuid(token) or not reading.reply.is_failure:
        return ""
    if _NO_GOOD.search(reading.answer_text) is None:
        return ""
    return "its token is no UUID, and the server calls the token invalid"


_OTHERS = frozenset({"ping", "typing", "end", "attributes", "attachment"})
"""Intents of invented verbs that have a rule of their own."""


def _later(reading: Reading) -> Match | None:
    """A later frame with an invented verb: the guest protocol does not have it at any time."""
    frame = reading.sent
    answered = reading.reply.class_name and not reading.reply.is_failure
    if not isinstance(frame.raw, Mapping) or frame.action in ACTIONS or speaks_channel(frame) or answered:
        return None
    key, verb = verb_of(frame.raw)
    if not verb or intent_of(verb) in _OTHERS:
        return None
    fault = f"{key} is {quote_text(verb, 60)!r}, which the guest protocol does not have"
    lines = reading.lines("sent_frame", "frame", "close_code")
    converted = check_frame(frame.raw).converted
    advice = f"Send {quote_frame(converted)}." if converted else "Use one of the twelve actions."
    return likely(
        *lines,
        what="A frame says what the guest protocol does not know: {fault}.",
        next_step="{advice}",
        fault=fault,
        advice=advice,
    )


def _session_not_configured(reading: Reading) -> Match | None:
    if not (reading.is_guest or reading.target is Target.LEGACY):
        return None
    if 4007 in reading.reply.codes:
        return confirmed(*reading.lines("first_frame", "sent_frame", "frame"), sent=_sent(reading))
    if match := _other_token(reading) or _nothing_sent(reading):
        return match
    if (
        reading.first.action not in ACTIONS - CONFIGURES - {"echo", "getConfiguration"}
        or reading.is_configured
    ):
        return None
    if reading.reply.class_name and not reading.reply.is_failure:
        return None
    return confirmed(*reading.lines("first_frame", "frame"), sent=_sent(reading))


def _other_token(reading: Reading) -> Match | None:
    """A later frame without the guest token that was configured, or with another one."""
    first, later, reply = reading.first, reading.sent, reading.reply
    ours, theirs = first.at("token"), later.at("token")
    answered = reply.class_name and not reply.is_failure
    if first.action not in CONFIGURES or later.action not in ACTIONS - CONFIGURES or answered:
        return None
    if reading.note and not reading.note.has(_ABOUT_SESSION) and not reply.is_failure:
        return None  # the words speak of another trouble, which such a frame would never have met
    lines = reading.lines("first_frame", "sent_frame", "frame")
    if "token" in REQUIRED.get(later.action, ()) and theirs in (None, ""):
        return confirmed(*lines, what=_WITHOUT_TOKEN, sent=quote_text(later.action, 60))
    both = isinstance(ours, str) and isinstance(theirs, str)
    seen = both and not any(is_unseen(token) or is_masked(token) for token in (ours, theirs))
    if not seen or ours == theirs:
        return None
    return confirmed(*lines, what=_ANOTHER_TOKEN, sent=quote_text(later.action, 60))


_ABOUT_SESSION = r"token|session|4007|configur|refus|reject|error|not accepted|denied"
_WITHOUT_TOKEN = "{sent} carries no token, so it belongs to no session."  # noqa: S105 - no secret
_ANOTHER_TOKEN = "{sent} carries another token than configureSession had, so it fits no session."  # noqa: S105

_HEARS_NOTHING = (
    r"no (?:\w+ ){0,2}(?:messages?|frames?|answers?|repl(?:y|ies)|events?)\b"
    r"|nothing (?:\w+ ){0,2}(?:arriv|com|happen|receiv)|never (?:arriv|com|receiv|get|answer)"
    r"|(?:stays?|remains?) (?:silent|quiet)|receiv\w* nothing|frames kept of this socket: 0"
)


def _nothing_sent(reading: Reading) -> Match | None:
    """The socket stands, and by the person's words it is silent: as far as is told nothing was sent on it."""
    evidence = reading.evidence
    told = (evidence.first_frame, evidence.sent_frame, evidence.frame, evidence.close_code)
    if evidence.http_status != 101 or any(fact is not None for fact in told):
        return None
    said = reading.note.text.lower()
    if not reading.at_guest_socket or not reading.note.has(_HEARS_NOTHING) or "configure" in said:
        return None
    return likely(
        *reading.lines("url", "http_status", "note"),
        what="The socket is open and hears nothing: as far as is told, no configureSession was sent on it.",
        next_step='Send {{"action":"configureSession","deploymentId":"<the one in the URL>","token":"<a UUID '
        'you make>"}} as the first frame; if that was done, show it and what came back.',
        sent="",
    )


def _sent(reading: Reading) -> str:
    before = (reading.first.action, reading.sent.action)
    action: Any = next((name for name in before if name and name not in CONFIGURES), "")
    return quote_text(action, 60) if action else "A frame"


FRAME_RULES = (
    Rule(
        name="frame.session-not-configured",
        level="documented",
        sources=(SOURCES["mobile sdk"], SOURCES["java sdk"]),
        what="{sent} was sent without a configured session on this connection.",
        why=(
            "The server knows a session only after configureSession was answered by SessionResponse on "
            "the same socket; until then it answers 4007 (lane frame). The same number comes when the "
            "guest token changed in between."
        ),
        next_step=(
            "Send configureSession first, wait for SessionResponse, then use the same token on every frame."
        ),
        judge=_session_not_configured,
    ),
    Rule(
        name="frame.wrong-first-frame",
        level="documented",
        sources=(SOURCES["java sdk"], SOURCES["mobile sdk"]),
        what="The first frame does not open a session: {fault}.",
        why=(
            "The guest protocol has twelve actions and begins with configureSession (or "
            "configureAuthenticatedSession); there is no auth, connect, init, start or join."
        ),
        next_step=(
            'Send {{"action":"configureSession","deploymentId":"<the one in the URL>","token":"<a UUID '
            'you make>"}} as the first frame.'
        ),
        judge=_wrong_first_frame,
    ),
)
