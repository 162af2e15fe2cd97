"""Rules about what a guest says: rate, length, custom attributes, attachments, typing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from guestlab.handshake.frame_words import intent_of, verb_of
from guestlab.handshake.quoting import quote_text
from guestlab.handshake.reading import FrameReading, Reading, walk_keys
from guestlab.handshake.rest_calls import guest_call
from guestlab.handshake.rule import SOURCES, Match, Rule, confirmed, likely
from guestlab.handshake.rules_rest import TYPES, UPLOADS
from guestlab.handshake.targets import Target
from guestlab.limits import PUBLISHED

__all__ = ["MESSAGE_RULES"]

_RIGHT_PLACE = ("message", "channel", "metadata", "customAttributes")
_ATTRIBUTE_KEYS = frozenset(
    {
        "customattributes",
        "participantdata",
        "customdata",
        "customfields",
        "userdata",
        "contextdata",
        "attributes",
    }
)
_FILE_CODES = frozenset({4001, 4002, 4003, 4004, 4005, 4008, 4009, 4010, 4102})
_FILE_KEYS = frozenset({"attachmentIds", "attachments", "file", "fileData", "base64", "fileContent"})

_SENDS_FILES = (
    r"attach|upload|pre-?signed|\b(?:image|photo|picture|pdf|screenshot)s?\b|file (?:type|size|name)"
    r"|send(?:ing)? (?:a |an |the )?(?:file|document)"
)

_BUDGETS = {
    "upgrade": f"{PUBLISHED.connections_per_minute_per_deployment} connections a minute for the deployment",
    "history": f"{PUBLISHED.history_requests_per_minute_per_session} history requests a minute for a session",
    "platform": f"{PUBLISHED.platform_requests_per_minute_per_token} requests a minute for the access token",
    "configure": f"{PUBLISHED.configures_per_minute_per_session} configures a minute for the session",
    "echo": f"{PUBLISHED.echoes_per_minute_per_connection} echoes a minute for the connection",
    "frame": f"{PUBLISHED.messages_per_second_per_session} messages a second for the session, and "
    f"{PUBLISHED.requests_per_minute_per_connection} frames of any kind a minute for the connection",
}
"""Which published budget an attempt draws on."""


def _rate(reading: Reading) -> Match | None:
    lines = reading.lines("url", "http_status", "response_headers", "frame", "note")
    budget, wait = _budget(reading), _wait(reading)
    if {429, 4029} & reading.reply.codes or reading.reply.class_name == "TooManyRequestsErrorMessage":
        return confirmed(*lines, lane="a frame (lane frame)", budget=budget, wait=wait)
    by_body = reading.body.text("code").startswith("too.many.requests")
    if reading.evidence.http_status == 429 or by_body:
        return confirmed(*lines, lane="an HTTP answer (lane http)", budget=budget, wait=wait)
    told = (
        reading.note.says("rate") and not reading.reply.is_failure and not reading.note.says("channel limit")
    )
    other = reading.refused and not reading.note.has(r"\b429\b|too many requests")
    if reading.evidence.close_code == 429 or (told and not other):
        return likely(*lines, lane="your words, as 429 or 4029", budget=budget, wait=wait)
    return None


def _budget(reading: Reading) -> str:
    by_action = {
        "configureSession": "configure",
        "configureAuthenticatedSession": "configure",
        "echo": "echo",
    }
    text = reading.answer_text
    if reading.target is Target.GUEST and reading.evidence.http_status == 429:
        return _BUDGETS["upgrade"]
    if reading.target in {Target.PLATFORM, Target.CHANNEL_API}:
        return _BUDGETS["history" if "webmessaging/messages" in reading.address.path else "platform"]
    if "for this connection" in text:
        return (
            f"{PUBLISHED.requests_per_minute_per_connection} frames of any kind a minute for the connection"
        )
    if "for this session" in text:
        return f"{PUBLISHED.messages_per_second_per_session} messages a second for the session"
    if reading.target in {Target.TOKEN, Target.AUTHORIZE, Target.CHANNEL}:
        return "the one of this service (the limits page names it)"
    return _BUDGETS[by_action.get(reading.sent.action, "frame")]


def _wait(reading: Reading) -> str:
    seconds = reading.reply.number("body", "retryAfter")
    if seconds is not None:
        return f"{seconds} seconds (retryAfter of the frame)"
    after = reading.response_header("Retry-After")
    if after:
        return f"{quote_text(after, 20)} seconds (Retry-After)"
    return "as long as retryAfter or Retry-After says, else a minute"


def _attributes(reading: Reading) -> Match | None:
    if reading.target not in {Target.GUEST, Target.UNKNOWN, Target.PLATFORM}:
        return None
    if 4013 in reading.reply.codes:
        return confirmed(
            *reading.lines("sent_frame", "frame"), fault="They are larger than 2048 bytes (4013, lane frame)."
        )
    right = False
    for frame in (reading.first, reading.sent):
        for path, value in walk_keys(frame.raw):
            if path == _RIGHT_PLACE:
                right = True
                if _size(value) > PUBLISHED.custom_attributes_bytes:
                    return confirmed("custom attributes above 2048 bytes", *reading.lines("note"),
                                     fault=f"They take {_size(value)} bytes; 2048 are allowed.")  # fmt: skip
            elif fault := _misplaced(path, frame):
                verdict = confirmed if path[-1] == "customAttributes" else likely
                return verdict(
                    fault,
                    *reading.lines("note"),
                    fault=f"Here they stand at {quote_text('.'.join(path), 80)}.",
                )
    if right:
        return None
    if any(not call.exists and "attribute" in call.last_word for call in guest_call(reading)):
        return likely(*reading.lines("url"), fault="There is no REST call for a guest's attributes.")
    if reading.note.says("attributes", "not seen") and reading.note_counts:
        return likely(*reading.lines("note"), fault="By your words they do not arrive.")
    return None


def _misplaced(path: tuple[str, ...], frame: FrameReading) -> str:
    """Say where attributes stand that nobody reads there, or ""."""
    if "customAttributes" in path[:-1]:
        return ""
    plain = path[-1].lower().replace("_", "")
    if plain not in _ATTRIBUTE_KEYS:
        return ""
    verb = verb_of(frame.raw)[1] or "a frame"
    return f"custom attributes at {quote_text('.'.join(path), 80)} of {quote_text(verb, 40)}"


def _size(attributes: Any) -> int:
    if not isinstance(attributes, Mapping):
        return 0
    try:
        texts = (f"{k}{v if isinstance(v, str) else json.dumps(v)}" for k, v in attributes.items())
        return sum(len(text.encode("utf-8", "replace")) for text in texts)
    except (ValueError, TypeError, RecursionError):
        return 0


def _too_long(reading: Reading) -> Match | None:
    if 4011 in reading.reply.codes:
        return confirmed(*reading.lines("frame", "note"), fault="The server says so (4011, lane frame).")
    for frame in (reading.sent, reading.first):
        text = frame.at("message", "text")
        size = len(text.encode("utf-8", "replace")) if isinstance(text, str) else 0
        if reading.is_guest and size > PUBLISHED.text_length:
            return confirmed(f"text of {size} bytes in the frame sent", *reading.lines("frame", "note"),
                             fault=f"It has {size} bytes.")  # fmt: skip
    if reading.is_guest and reading.evidence.close_code == 1009:
        return likely(*reading.lines("close_code", "note"), level="inferred",
                      fault="The connection was closed with 1009, message too big (lane close).")  # fmt: skip
    about_text = not reading.note.says_any("attachment", "attributes", "idle")
    harmed = reading.note.says_any("not seen", "lost", "cannot write", "drops")
    harmed = harmed or reading.note.has(r"4,?096|refus|reject|error")
    if reading.note.says("too long") and about_text and harmed and reading.note_counts:
        return likely(*reading.lines("note"), fault="By your words it is a long one.")
    return None


def _attachment(reading: Reading) -> Match | None:
    reply = reading.reply
    if reading.target not in {Target.GUEST, Target.UNKNOWN, Target.PLATFORM}:
        return None
    if _FILE_CODES & reply.codes or reply.class_name in {"GenerateUrlError", "UploadFailureEvent"}:
        return confirmed(*reading.lines("sent_frame", "frame", "note"), fault=_file_fault(reply))
    if 4000 in reply.codes and (reading.sent.action == "onAttachment" or reading.note.says("attachment")):
        return likely(
            *reading.lines("sent_frame", "frame"),
            fault="The deployment has attachments switched off (4000, lane frame).",
        )
    for call in guest_call(reading):
        if (
            not call.exists
            and call.method not in {"GET", "HEAD", "DELETE"}
            and UPLOADS.fullmatch(call.last_word)
        ):
            return confirmed(
                *reading.lines("url", "http_status"), fault="There is no REST call for a guest's upload."
            )
    for frame, name in ((reading.sent, "sent_frame"), (reading.first, "first_frame")):
        key = next((path for path, _ in walk_keys(frame.raw, 3) if path[-1] in _FILE_KEYS), None)
        if key and reading.is_guest:
            return confirmed(
                *reading.lines(name, "frame"), fault=f"The key {quote_text('.'.join(key), 60)} is not read."
            )
        if intent_of(verb_of(frame.raw)[1]) == "attachment" and not frame.action.startswith("on"):
            return likely(*reading.lines(name, "frame"), fault="No such frame exists.")
    told = reading.note.says("attachment") and reading.note.complains and reading.note.has(_SENDS_FILES)
    if told and reading.note_counts:
        return likely(*reading.lines("note"), fault="By your words a file does not get through.")
    return None


_FILE_FAULTS = {
    4001: "The file's type is not allowed",
    4002: "The file is too large",
    4003: "The file's content was refused",
    4004: "The file's name is not allowed",
    4005: "The file's name is too long",
    4008: "The attachment has expired",
    4009: "There is no such attachment",
    4010: "The message was sent before the upload had succeeded",
    4102: "The file is empty",
}


def _file_fault(reply: FrameReading) -> str:
    code = next(iter(_FILE_CODES & reply.codes), None)
    if code is None:
        return f"The server answers {quote_text(reply.class_name, 40)}."
    return f"{_FILE_FAULTS[code]} ({code}, lane frame)."


def _typing(reading: Reading) -> Match | None:
    typing = bool(reading.sent.event("Typing") or reading.first.event("Typing"))
    text = reading.answer_text
    if reading.is_guest and "feature toggle or fix the configuration" in text:
        verdict = confirmed if typing or reading.note.says("typing") else likely
        return verdict(
            *reading.lines("sent_frame", "frame"), fault="The deployment has the guest's typing switched off."
        )
    if typing and 429 in reading.reply.codes:
        return confirmed(*reading.lines("sent_frame", "frame"), fault="Typing was sent too often.")
    for call in guest_call(reading):
        if not call.exists and TYPES.fullmatch(call.last_word):
            verdict = likely if call.from_note else confirmed
            return verdict(
                *reading.lines("url", "http_status", "note"), fault="There is no REST call for it."
            )
    for frame, name in ((reading.sent, "sent_frame"), (reading.first, "first_frame")):
        if reading.is_guest and intent_of(verb_of(frame.raw)[1]) == "typing":
            return confirmed(*reading.lines(name, "frame"), fault="There is no such frame.")
    counts = (
        reading.is_guest
        and not reading.refused
        and (not reading.reply.is_failure or 429 in reading.reply.codes)
    )
    if reading.note.says("typing") and counts and reading.note.complains:
        return likely(
            *reading.lines("note"), fault="By your words the indicator does not show, or is refused."
        )
    return None


MESSAGE_RULES = (
    Rule(
        name="limit.rate",
        level="documented",
        sources=(SOURCES["limits"], SOURCES["mobile sdk"], SOURCES["platform spec"]),
        what="Too many requests, said in {lane}.",
        why=(
            "The published budget here is {budget}. A refused frame was not accepted; nothing queues it "
            "for you."
        ),
        next_step="Wait {wait}, then go on slower.",
        judge=_rate,
        retryable=True,
    ),
    Rule(
        name="message.attributes-location",
        level="documented",
        sources=(SOURCES["announcement"], SOURCES["mobile sdk"], SOURCES["limits"]),
        what="Custom attributes are not where they are read. {fault}",
        why=(
            "They belong to message.channel.metadata.customAttributes of an onMessage frame, 2048 bytes "
            "of keys and values at most; channel.metadata beside the message is ignored since June 2026."
        ),
        next_step=(
            "Send them as "
            '{{"action":"onMessage","token":…,"message":{{"type":"Text","text":…,'
            '"channel":{{"metadata":{{"customAttributes":{{…}}}}}}}}}}.'
        ),
        judge=_attributes,
    ),
    Rule(
        name="message.too-long",
        level="documented",
        sources=(SOURCES["limits"], SOURCES["mobile sdk"], SOURCES["gateway"]),
        what="The message is too long. {fault}",
        why=(
            "A guest's text may have 4096 bytes; above that the server answers 4011 (lane frame) and "
            "drops it. (That a frame above 32 KB closes the connection with 1009 is inferred.)"
        ),
        next_step="Split the text, or send it as a file.",
        judge=_too_long,
    ),
    Rule(
        name="message.attachment-flow",
        level="documented",
        sources=(SOURCES["mobile sdk"], SOURCES["java sdk"]),
        what="The file does not take the way attachments take. {fault}",
        why=(
            "onAttachment asks for an upload address, PresignedUrlResponse gives it, the bytes go there "
            "by PUT with the headers it names, and only UploadSuccessEvent makes the attachment usable "
            "in onMessage."
        ),
        next_step=(
            "Go through the four steps in order and wait for UploadSuccessEvent; compare type and size "
            "with allowedMedia in SessionResponse."
        ),
        judge=_attachment,
    ),
    Rule(
        name="message.typing",
        level="documented",
        sources=(SOURCES["mobile sdk"], SOURCES["limits"]),
        what="The guest's typing indicator does not get through. {fault}",
        why=(
            "Typing is an event in an onMessage frame, at most once in five seconds, and only where the "
            "configuration shows the guest's typing to agents."
        ),
        next_step=(
            "Send "
            '{{"action":"onMessage","token":…,"message":{{"type":"Event","events":'
            '[{{"eventType":"Typing","typing":{{"type":"On"}}}}]}}}} '
            "and switch the indicator on in the Messenger configuration."
        ),
        judge=_typing,
    ),
)
