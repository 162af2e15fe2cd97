"""Rules about REST calls that do not exist, and about things that are frames rather than calls."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from guestlab.handshake.hosts import LABELS, HostKind
from guestlab.handshake.platform_paths import PREFIX
from guestlab.handshake.quoting import quote_text
from guestlab.handshake.rest_calls import Call, guest_call, rest_calls
from guestlab.handshake.rule import SOURCES, Match, Rule, confirmed, likely
from guestlab.handshake.targets import Target

if TYPE_CHECKING:
    from guestlab.handshake.reading import Reading

__all__ = ["ENDS", "REST_RULES", "SENDS", "TYPES", "UPLOADS"]

SENDS = re.compile(
    r"messages?|send(?:-?message)?|text|repl(?:y|ies)|events?|chat-?messages?|inbound|outbound", re.IGNORECASE
)
TYPES = re.compile(r"typing(?:-?\w+)?|is-?typing", re.IGNORECASE)
UPLOADS = re.compile(r"attachments?|uploads?|media|files?|images?|documents?", re.IGNORECASE)
ENDS = re.compile(r"end|close|disconnect|terminate|leave|finish|hang-?up|clear|stop|logout", re.IGNORECASE)
"""Last words of a path by what the caller wants to do as a guest."""

_FRAMES = (
    (TYPES, "an onMessage frame with a Typing event"),
    (UPLOADS, "an onAttachment frame, an upload to the address it returns, then onMessage"),
    (ENDS, "an onMessage frame with a Presence event of type Clear"),
    (SENDS, "an onMessage frame"),
)


def _path_not_in_api(reading: Reading) -> Match | None:
    if reading.target not in {Target.PLATFORM, Target.CHANNEL_API, Target.UNKNOWN, Target.GUEST}:
        return None
    for call in rest_calls(reading):
        if call.found.misfit and "/inbound/open" in call.path:
            continue  # product.open-messaging says what is wrong with the id
        if not call.exists and _is_judged(reading, call):
            return _missing(reading, call)
        if call.exists and not call.from_note and (match := _other_host(reading, call)):
            return match
    return None


def _is_judged(reading: Reading, call: Call) -> bool:
    """Only calls that were meant for the Platform API are held against its list."""
    host = reading.host
    below_api = call.path.startswith(PREFIX + "/")
    if host is None or host.kind is HostKind.LOOPBACK:
        return below_api
    if host.kind is HostKind.GENESYS:
        return host.label == "api" or below_api
    if host.kind in {HostKind.VENDOR, HostKind.UNKNOWN}:
        return below_api and call.as_guest
    return call.path.startswith("/api/") or call.as_guest


def _missing(reading: Reading, call: Call) -> Match:
    shown = f"{call.method} {quote_text(call.path, 140)}".strip()
    verdict = likely if call.from_note or reading.succeeded else confirmed
    lines = reading.lines("note") if call.from_note else reading.lines("url", "http_status", "body")
    if call.found.misfit:
        return likely(
            *lines,
            what="{shown}: the path is real, but {misfit!r} stands where {parameter} belongs, and {shape}.",
            why="Ids in paths are those the Platform API hands out; a name or a number of one's own "
            "finds nothing.",
            next_step="Look the id up (in Admin, or by the list call without it) and put it in there.",
            shown=shown,
            misfit=quote_text(call.found.misfit, 60),
            parameter=call.found.parameter,
            shape="ids are UUIDs"
            if call.found.parameter != "channelId"
            else "a channel's id is the one it got",
        )
    if call.found.template:
        methods = ", ".join(call.found.methods)
        return verdict(
            *lines,
            what="{shown}: this path exists, but not with that method.",
            next_step="The Platform API has it for {methods}: look there for what you need.",
            shown=shown,
            methods=f"{methods} {call.found.template}",
        )
    if call.found.nearest:
        return verdict(*lines, shown=shown, advice=f"The nearest real one is {call.found.nearest}.")
    if call.as_guest:
        return verdict(
            *lines,
            shown=shown,
            advice="There is nothing like it: what a guest does happens in frames on the guest socket.",
        )
    return verdict(
        *lines, shown=shown, advice="There is nothing near it: look the operation up in the API Explorer."
    )


def _other_host(reading: Reading, call: Call) -> Match | None:
    host = reading.host
    if host is None or host.kind is not HostKind.GENESYS or not call.path.startswith(PREFIX):
        return None
    if host.label == "api":
        return _other_port(reading, call)
    domain = host.region.name if host.region else ""
    return confirmed(
        *reading.lines("url", "http_status"),
        what="{shown} exists, but not on {host}.",
        next_step="Send it to https://api.{domain}.",
        shown=f"{call.method} {quote_text(call.path, 140)}".strip(),
        host=f"{host.name}, which is {LABELS.get(host.label, 'something else')}",
        domain=domain,
    )


def _other_port(reading: Reading, call: Call) -> Match | None:
    port = reading.address.port
    if port in {None, 443} or reading.succeeded:
        return None
    return confirmed(
        *reading.lines("url", "http_status"),
        what="{shown} exists, but not on port {port}.",
        next_step="Leave the port out: the Platform API answers on 443.",
        shown=f"{call.method} {quote_text(call.path, 140)}".strip(),
        port=str(port),
    )


def _send_is_a_frame(reading: Reading) -> Match | None:
    for call in guest_call(reading):
        if call.exists:
            continue
        frame = _frame_for(call)
        if frame:
            lines = reading.lines("note") if call.from_note else reading.lines("url", "http_status", "note")
            verdict = likely if call.from_note else confirmed
            return verdict(*lines, call=f"{call.method} {quote_text(call.path, 120)}".strip(), frame=frame)
    return _agents_call(reading)


_AS_GUEST = (
    r"\b(?:as|like|for|from|in the name of|on behalf of) (?:the |a |our |an )?"
    r"(?:guest|customer|visitor|end ?user)"
)


def _agents_call(reading: Reading) -> Match | None:
    """A real call of the agent's side, used in a guest's name."""
    if not reading.note.has(_AS_GUEST) or reading.note.says("open messaging"):
        return None
    for call in rest_calls(reading):
        sends = call.exists and call.method == "POST" and _FRAMES[3][0].fullmatch(call.last_word)
        if sends and not call.from_note and "/inbound/" not in call.path:
            return likely(
                *reading.lines("url", "http_status", "note"),
                call=f"{call.method} {quote_text(call.path, 120)}",
                frame=_FRAMES[3][1],
            )
    return None


def _frame_for(call: Call) -> str:
    """The frame that does what a call was meant to do, or ""."""
    if call.method == "DELETE":
        return _FRAMES[2][1]
    if call.method in {"GET", "HEAD"} or (not call.method and SENDS.fullmatch(call.last_word)):
        return ""
    return next((frame for words, frame in _FRAMES if words.fullmatch(call.last_word)), "")


REST_RULES = (
    Rule(
        name="rest.send-is-a-frame",
        level="documented",
        sources=(SOURCES["platform sdk"], SOURCES["java sdk"], SOURCES["mobile sdk"]),
        what="{call} tries to act as a guest by REST; a guest acts by frames.",
        why=(
            "The Platform API has no call for what a guest sends. Sending, typing, uploading and ending "
            "are frames on the configured guest socket."
        ),
        next_step="Send it as {frame}.",
        judge=_send_is_a_frame,
        yields_to=("product.open-messaging", "product.legacy-webchat"),
    ),
    Rule(
        name="rest.path-not-in-platform-api",
        level="documented",
        sources=(SOURCES["platform sdk"],),
        what="{shown} is not in the Platform API.",
        why=(
            "None of its 2288 paths fits (identifiers are UUIDs, methods count). Invented paths are "
            "passed around in forums and by assistants."
        ),
        next_step="{advice}",
        judge=_path_not_in_api,
        yields_to=("product.legacy-webchat",),
    ),
)
