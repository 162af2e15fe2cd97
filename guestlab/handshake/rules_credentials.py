"""Rules about credentials: access tokens where none is read, guest tokens from where none are made."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from guestlab.handshake.evidence import OAUTH_KINDS
from guestlab.handshake.quoting import quote_text
from guestlab.handshake.rest_calls import Call, guest_call
from guestlab.handshake.rule import SOURCES, Match, Rule, confirmed, likely
from guestlab.handshake.targets import Target

if TYPE_CHECKING:
    from guestlab.handshake.credentials import Place
    from guestlab.handshake.reading import Reading

__all__ = ["CREDENTIAL_RULES"]

_MINTS = re.compile(
    r"(?:guests?|sessions?|tokens?|visitors?|identit(?:y|ies)|jwts?|anonymous|guest-?(?:sessions?|tokens?))",
    re.IGNORECASE,
)
"""Last path segments that stand for an identity."""
_OPENS = re.compile(
    r"(?:conversations?|web-?messag\w*|messaging|web-?chats?|chats?|channels?|connect\w*|auth\w*|start|create|"
    r"init\w*|register|handshake|web-?sockets?|sockets?|participants?|members?|join|contacts?)",
    re.IGNORECASE,
)
"""Last path segments that stand for a conversation or socket to be opened."""


_CONFIGURES = frozenset({"configureSession", "configureAuthenticatedSession"})

_IN_THE_FRAME = (
    "An access token of the login service was sent as the guest token ({places}): there any string names a "
    "session, so it opens nothing and gives the access token away."
)


_LIKE_ONE_IN_THE_FRAME = (
    "What stands as the guest token ({places}) looks like an access token or another issued one: "
    "there any string "
    "names a session, so an issued token opens nothing there and is given away."
)
_MADE_UP = "A made-up string was put on the guest socket as a credential ({places}); none is read there."
_CLIENT_PAIR = (
    "Client id and secret were put on the guest socket ({places}); they are not read there, and this gives "
    "them away."
)


def _oauth_on_guest_socket(reading: Reading) -> Match | None:
    if reading.target not in {Target.GUEST, Target.UNKNOWN}:
        return _told_about_socket(reading)
    if reading.target is Target.UNKNOWN and not reading.first:
        return _told_about_socket(reading)
    places = [place for place in reading.credentials if place.is_oauth]
    if not places:
        return None
    verdict = confirmed if any(place.certain for place in places) else likely
    in_the_frame = all(str(place).startswith("first frame") for place in places)
    thing = "made-up credential" if reading.kind == "garbage" else "access token"
    return verdict(
        *(f"{thing} in: {quote_text(place, 80)}" for place in places),
        *reading.lines("token_kind", "http_status"),
        what=_what_was_put(reading, places, in_the_frame=in_the_frame),
        places=", ".join(dict.fromkeys(quote_text(place, 60) for place in places)),
    )


def _what_was_put(reading: Reading, places: list[Place], *, in_the_frame: bool) -> str:
    """Name the thing by what is known of it; "" for the rule's own words."""
    if reading.kind == "garbage":
        return _MADE_UP
    if all("scheme Basic" in place.name for place in places):
        return _CLIENT_PAIR
    if in_the_frame and reading.first.text("action") in _CONFIGURES:
        return _IN_THE_FRAME if reading.kind in OAUTH_KINDS else _LIKE_ONE_IN_THE_FRAME
    return ""


def _told_about_socket(reading: Reading) -> Match | None:
    """The access token is only spoken of, in connection with the guest socket."""
    note = reading.note
    if reading.target not in {Target.UNKNOWN, Target.PLATFORM} or not note.says("socket"):
        return None
    if note.says_any("server plays guest", "open messaging", "notifications"):
        return None
    if reading.kind not in OAUTH_KINDS and not note.says("access token"):
        return None
    spoken = note.has(r"access_token|bearer|authorization header|(?:oauth|access) token|client credentials")
    if not spoken or not note.has(r"guest|web ?messag|deployment|append"):
        return None
    return likely(*reading.lines("token_kind", "note"), places="what you describe")


def _no_guest_token_endpoint(reading: Reading) -> Match | None:
    if reading.is_configured:
        return None
    for call in guest_call(reading):
        match = _minting_call(reading, call)
        if match is not None:
            return match
    if not (reading.is_guest or reading.target is Target.PLATFORM):
        return None
    minted = [place for place in reading.credentials if place.is_minted]
    if minted and (reading.target is Target.GUEST or reading.first):
        verdict = confirmed if any(place.certain for place in minted) else likely
        return verdict(
            *(f"supposed guest credential in: {quote_text(place, 80)}" for place in minted),
            *reading.lines("token_kind", "note"),
            call="a server",
        )
    if reading.note.says("minted identity"):
        return likely(*reading.lines("url", "note"), call="the call you describe")
    return None


def _minting_call(reading: Reading, call: Call) -> Match | None:
    last = call.segments[-1] if call.segments else ""
    if call.exists or call.method in {"DELETE", "PATCH", "HEAD"}:
        return None
    mints = _MINTS.fullmatch(last)
    if not mints and (not _OPENS.fullmatch(last) or call.method == "GET"):
        return None
    verdict = confirmed if mints and not call.from_note else likely
    lines = reading.lines("note") if call.from_note else reading.lines("url", "http_status", "body")
    return verdict(*lines, call=f"{call.method} {quote_text(call.path, 100)}".strip())


CREDENTIAL_RULES = (
    Rule(
        name="credential.oauth-on-guest-socket",
        level="documented",
        sources=(SOURCES["java sdk"], SOURCES["mobile sdk"], SOURCES["platform spec"]),
        what=(
            "An access token of the login service was put on the guest socket ({places}); it is not read "
            "there."
        ),
        why=(
            "Guests are not users of the organisation: the socket knows a deployment id in the URL and a "
            "guest token of your own making in the first frame, nothing else. No kind, scope or place of "
            "an access token changes that."
        ),
        next_step=(
            "Take the token out; open the socket with deploymentId alone and send configureSession with "
            "a fresh UUID as token. Keep the access token for the Platform API."
        ),
        judge=_oauth_on_guest_socket,
    ),
    Rule(
        name="credential.no-guest-token-endpoint",
        level="documented",
        sources=(SOURCES["faq"], SOURCES["platform sdk"], SOURCES["java sdk"]),
        what=(
            "Guest tokens, guest ids and socket addresses are not handed out by {call}: no REST call "
            "makes them."
        ),
        why=(
            "The guest token is a string the client makes by itself (a UUID is advised); the socket's "
            "address follows from region and deployment id."
        ),
        next_step=(
            "Make a UUID, connect to wss://webmessaging.{{region}}/v1?deploymentId=…, and send it as "
            "token in configureSession."
        ),
        judge=_no_guest_token_endpoint,
        yields_to=("product.legacy-webchat", "product.open-messaging"),
    ),
)
