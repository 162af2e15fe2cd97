"""Rules about the life of a guest session: routing, keep-alive, resuming, ending and being ended."""

from __future__ import annotations

import re
from collections.abc import Mapping

from guestlab.handshake.frame_words import intent_of, verb_of
from guestlab.handshake.quoting import quote_text
from guestlab.handshake.reading import FrameReading, Reading, walk_keys
from guestlab.handshake.rest_calls import guest_call
from guestlab.handshake.rule import SOURCES, Match, Rule, confirmed, likely
from guestlab.handshake.rules_rest import ENDS
from guestlab.handshake.targets import Target

__all__ = ["SESSION_RULES"]

_ROUTING_KEYS = frozenset(
    {
        "queue",
        "queueid",
        "queuename",
        "targetqueue",
        "skill",
        "skills",
        "skillid",
        "skillids",
        "flow",
        "flowid",
        "flowname",
        "routing",
        "routingtarget",
        "targetaddress",
        "targettype",
        "acdskills",
        "requestedskills",
        "preferredagent",
        "agentid",
        "routetoqueue",
        "routingdata",
    }
)
_NOT_ROUTING = frozenset({"customAttributes", "journeyContext", "metadata", "message"})


def _plain(key: str) -> str:
    return re.sub(r"[^a-z]", "", key.lower())


def _routing(reading: Reading) -> Match | None:
    if not reading.is_guest:
        return None
    found = [f"query parameter {quote_text(name, 60)}" for name, _ in reading.address.query
             if _plain(name) in _ROUTING_KEYS]  # fmt: skip
    for path, _ in walk_keys(reading.first.raw):
        if _plain(path[-1]) in _ROUTING_KEYS and not _NOT_ROUTING.intersection(path[:-1]):
            found.append(f"key {quote_text('.'.join(path), 60)} of the first frame")
    if found:
        return confirmed(*found[:5], *reading.lines("note"), place=found[0])
    if reading.note.says("queue", "misrouted") and reading.note_counts:
        return likely(*reading.lines("note"), place="what you describe")
    return None


_AT_ONCE = (
    r"\b(?:after|within|in|about|around) (?:\w+ ){0,2}"
    r"(?:\d|1\d|2\d|one|two|three|four|five|ten|a few|some|several)"
    r" ?(?:ms|s|sec\w*|milli\w*)\b|immediately|at once|instantly"
)
"""A time in which nothing gets idle."""
_LONG = r"\bidle|quiet|silence|inactiv|minute|hour"


def _keepalive(reading: Reading) -> Match | None:
    if not reading.is_guest or reading.note.says("notifications"):
        return None
    for frame, name in ((reading.sent, "sent_frame"), (reading.first, "first_frame")):
        said = verb_of(frame.raw)[1] if isinstance(frame.raw, Mapping) else str(frame.raw or "")
        if intent_of(said) == "ping":
            return confirmed(
                *reading.lines(name, "close_code", "note"), sign="A ping was sent as a frame of words."
            )
    if not reading.note_counts:
        return None
    note = reading.note
    if note.says("ping") and (note.says_any("drops", "browser", "idle") or note.complains):
        return likely(*reading.lines("close_code", "note"), sign="Pinging is spoken of.")
    dropped = note.says("drops") or reading.evidence.close_code in {1001, 1006}
    quiet = note.says("idle") and not (note.has(_AT_ONCE) and not note.has(_LONG))
    if quiet and dropped and not note.says_any("other tab", "too long", "day", "reconnect"):
        sign = "It drops after a while of quiet."
        return likely(*reading.lines("close_code", "note"), sign=sign, level="inferred")
    if reading.evidence.close_code == 1001 and reading.is_open is not False:
        return likely(*reading.lines("close_code", "note"), level="inferred",
                      sign="The server went away (1001), as it does to idle or old connections.")  # fmt: skip
    return None


def _resume(reading: Reading) -> Match | None:
    if reading.target not in {Target.GUEST, Target.UNKNOWN, Target.PLATFORM} or reading.note.says(
        "notifications"
    ):
        return None
    note = reading.note
    harmed = note.says_any("lost", "twice", "new conversation", "order")
    if reading.first.at("startNew") is True and (harmed or note.says("reconnect")):
        return confirmed("startNew is true in the first frame", *reading.lines("note"),
                         sign="startNew true makes a new session each time.")  # fmt: skip
    if reading.reply.is_failure:
        return None
    speaks_of_messages = note.has(
        r"messages?|history|transcript|conversation|chat|repl(?:y|ies)|context|wrote|said"
    )
    if (note.says("reconnect") and harmed and speaks_of_messages) or (
        note.says("new token") and note.says_any("reconnect", "new conversation", "lost")
    ):
        return likely(
            *reading.lines("first_frame", "note"), sign="After a reconnect the picture is not the same."
        )
    merging = note.says_any("ids differ", "order", "twice") and note.has(
        r"messages?|history|echo|live|repl(?:y|ies)"
    )
    if merging and reading.target is not Target.PLATFORM:
        return likely(*reading.lines("note"), sign="Messages are doubled, out of order or named differently.")
    if note.says("new conversation") and note.has(r"each|every|same (?:customer|visitor|guest|user|person)"):
        return likely(*reading.lines("note"), sign="The same guest begins anew each time.")
    return None


def _read_only(reading: Reading) -> Match | None:
    reply, note = reading.reply, reading.note
    if reading.is_guest and 409 in reply.codes:
        return confirmed(*reading.lines("frame", "note"), sign="The server answers 409 (lane frame).")
    if reply.class_name == "SessionResponse" and _true(reply.at("body", "readOnly")):
        if reading.sent.action == "closeSession" or reply.at("body", "connected") is False:
            return None  # the rightful answer to closing it
        return confirmed(*reading.lines("frame", "note"), sign="SessionResponse says readOnly.")
    ended = reply.event("Presence") == "Disconnect" and _true(reply.at("body", "metadata", "readOnly"))
    if ended and (note or reading.sent.action == "onMessage"):
        return confirmed(
            *reading.lines("frame", "sent_frame", "note"), sign="Presence Disconnect came with readOnly."
        )
    if note.says("agent left", "cannot write") and reading.note_counts:
        return likely(*reading.lines("note"), sign="Sending stopped when the agent's side ended it.")
    return None


def _true(value: object) -> bool:
    return value is True or (isinstance(value, str) and value.lower() == "true")


def _end(reading: Reading) -> Match | None:
    for call in guest_call(reading):
        if not call.exists and (call.method == "DELETE" or ENDS.fullmatch(call.last_word)):
            verdict = likely if call.from_note else confirmed
            return verdict(
                *reading.lines("url", "note"),
                sign=f"{call.method} {quote_text(call.path, 100)} does not exist.",
            )
    if "conversation clear" in reading.answer_text and reading.is_guest:
        return confirmed(*reading.lines("sent_frame", "frame"), next_step=_CLEAR_OFF,
                         sign="The server says that clearing is not supported.")  # fmt: skip
    if not reading.is_guest:
        return _end_by_note(reading)
    for frame, name in ((reading.sent, "sent_frame"), (reading.first, "first_frame")):
        verb = verb_of(frame.raw)[1]
        invented = intent_of(verb) == "end" and frame.action != "closeSession"
        if invented or frame.action == "disconnectCustomer":
            return likely(
                *reading.lines(name, "note"), sign=f"{quote_text(verb, 60)} is no way to end a conversation."
            )
    closed = reading.sent.action == "closeSession" or reading.evidence.close_code == 1000
    if closed and reading.note.says("stays open") and reading.note.has(r"agent|conversation|interaction"):
        return likely(
            *reading.lines("sent_frame", "close_code", "note"),
            sign="Closing the socket or session ends nothing.",
        )
    return _end_by_note(reading)


_CLEAR_OFF = (
    "Switch on conversation clear in the Messenger configuration, or let the agent or the flow end it."
)


_LEAVES = r"(?:guest|customer|visitor|user|shopper)s? (?:\w+ )?(?:left|leaves?|clos\w+|goes|gone|went)"


def _end_by_note(reading: Reading) -> Match | None:
    note = reading.note
    wanted = note.has(
        r"must|should|want|need|how|able|\blet\b|allow|can (?:i|we)|button|from (?:the|our|my)|by itself"
    )
    about_guest = note.has(r"guest|customer|visitor|user|shopper")
    stays = note.says("stays open") and note.has(r"agent") and note.has(_LEAVES)
    if not stays and (
        not (note.says("end") and wanted and about_guest) or note.says_any("agent left", "idle")
    ):
        return None
    invented = any(not call.exists for call in guest_call(reading))
    if (reading.is_guest and not reading.reply.is_failure) or invented:
        return likely(*reading.lines("note"), sign="The guest's side wants to end the conversation.")
    return None


def _expired(reading: Reading) -> Match | None:
    reply = reading.reply
    if (
        reply.class_name == "SessionExpiredEvent"
        or 4006 in reply.codes
        or reply.event("Presence") == "SessionExpired"
    ):
        return confirmed(*reading.lines("frame", "note"))
    if reading.body.text("code") == "session.expired":
        return confirmed(*reading.lines("url", "http_status", "body"))
    told = reading.note.says("expired") and reading.evidence.close_code != 4006
    return likely(*reading.lines("note")) if told and reading.note_counts else None


def _downgrade(reading: Reading) -> Match | None:
    if 4017 in reading.reply.codes:
        return confirmed(*reading.lines("first_frame", "frame", "note"))
    told = reading.note.has(
        r"\b4017\b|downgrad\w+|(?:sign|logg?)(?:ed|s|ing)?[- ]?(?:out|off)\b[^.]{0,80}\b(?:guest|anonymous)"
    )
    if told and reading.note_counts and reading.evidence.close_code != 4017:
        return likely(*reading.lines("note"))
    return None


def _taken_over(reading: Reading) -> Match | None:
    if reading.reply.class_name == "ConnectionClosedEvent":
        return None if _asked_for(reading.sent) else confirmed(*reading.lines("frame", "note"))
    harmed = reading.note.says("drops") or reading.note.has(
        r"thrown out|kicked|\bstops?\b|log(?:s|ged) out|goes quiet"
    )
    if reading.note.says("other tab") and harmed and reading.note_counts:
        return likely(*reading.lines("note"))
    return None


def _asked_for(sent: FrameReading) -> bool:
    """A guest that cleared the conversation or closed the session is told so; nobody took it over."""
    return sent.action == "closeSession" or sent.event("Presence") == "Clear"


SESSION_RULES = (
    Rule(
        name="session.expired",
        level="documented",
        sources=(SOURCES["mobile sdk"], SOURCES["limits"]),
        what="The guest session has expired.",
        why=(
            "A session lives 72 hours after its last message by default (15 minutes to 18 months by "
            "configuration); afterwards every action on it is answered so (4006 or SessionExpiredEvent, "
            "lane frame)."
        ),
        next_step=(
            "Send configureSession again: with the same token the server makes a new session (newSession "
            "true)."
        ),
        judge=_expired,
    ),
    Rule(
        name="session.downgrade",
        level="documented",
        sources=(SOURCES["mobile sdk"],),
        what=(
            "This guest token belongs to a signed-in session and cannot be used as a guest's any more "
            "(4017, lane frame)."
        ),
        why="A token that was used with configureAuthenticatedSession stays authenticated.",
        next_step="Throw the token away at sign-out, make a new UUID and configure with that.",
        judge=_downgrade,
    ),
    Rule(
        name="session.taken-over",
        level="documented",
        sources=(SOURCES["limits"], SOURCES["mobile sdk"]),
        what="Another connection took this session over (ConnectionClosedEvent).",
        why=(
            "A session may have three connections: a fourth closes the oldest. Signing in elsewhere does "
            "the same."
        ),
        next_step=(
            "Do not reconnect by itself, or the places throw each other out in turn: ask the person, or "
            "share one connection among the tabs."
        ),
        judge=_taken_over,
    ),
    Rule(
        name="session.read-only",
        level="documented",
        sources=(SOURCES["mobile sdk"], SOURCES["platform sdk"]),
        what="The session is read-only: the conversation was ended from the other side. {sign}",
        why=(
            "Where conversation disconnect is configured as ReadOnly, the agent's or flow's end closes "
            "the session for writing; each configure then answers readOnly and each message 409 (lane "
            "frame)."
        ),
        next_step=(
            "Send closeSession with closeAllConnections true, then configureSession with startNew true."
        ),
        judge=_read_only,
    ),
    Rule(
        name="session.end",
        level="documented",
        sources=(SOURCES["mobile sdk"], SOURCES["platform sdk"]),
        what="A guest ends a conversation by a Presence event of type Clear. {sign}",
        why=(
            "There is no REST call for it, and closing the socket or sending closeSession leaves the "
            "conversation where it is. Clear works only where conversation clear is enabled in the "
            "configuration."
        ),
        next_step=(
            "Send "
            '{{"action":"onMessage","token":…,"message":{{"type":"Event","events":'
            '[{{"eventType":"Presence","presence":{{"type":"Clear"}}}}]}}}}.'
        ),
        judge=_end,
    ),
    Rule(
        name="session.routing-not-on-socket",
        level="documented",
        sources=(SOURCES["java sdk"], SOURCES["platform sdk"]),
        what="Routing was asked for on the socket ({place}), where nobody reads it.",
        why="Queue, skills and language are chosen by the inbound message flow of the deployment.",
        next_step=(
            "Route in the deployment's Architect flow; pass what it needs as custom attributes of the "
            "first message."
        ),
        judge=_routing,
    ),
    Rule(
        name="session.resume",
        level="documented",
        sources=(SOURCES["mobile sdk"], SOURCES["java sdk"], SOURCES["platform spec"]),
        what="The session is not taken up again as it was. {sign}",
        why=(
            "A session continues with the same guest token and startNew false. Nothing is replayed on "
            "the socket: what was missed is in the history, live messages carry the same "
            "channel.messageId there, and order is not guaranteed."
        ),
        next_step="Keep the token, configure with startNew false, fetch the history (getJwt, then GET "
        "/api/v2/webmessaging/messages), merge by channel.messageId or id, and sort by channel.time.",
        judge=_resume,
    ),
    Rule(
        name="session.keepalive",
        level="documented",
        sources=(SOURCES["mobile sdk"], SOURCES["limits"], SOURCES["gateway"]),
        what="The connection needs a sign of life. {sign}",
        why=(
            "Browsers cannot send WebSocket pings, and a ping written as JSON is an unknown action. The "
            "health check is the echo action, twice a minute at most. (That about ten idle minutes end a "
            "connection is inferred.)"
        ),
        next_step=(
            'Send {{"action":"echo","token":…,"message":{{"type":"Text","text":"ping"}}}} every 30 '
            "seconds or more, and reconnect with the same guest token when the socket closes."
        ),
        judge=_keepalive,
        retryable=True,
    ),
)
