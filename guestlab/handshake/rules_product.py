"""Rules about the wrong product, mixed-up numbers, and clients that hide what happened."""

from __future__ import annotations

import re

from guestlab.handshake.evidence import OAUTH_KINDS
from guestlab.handshake.quoting import quote_text
from guestlab.handshake.reading import Reading, walk_keys
from guestlab.handshake.rest_calls import rest_calls
from guestlab.handshake.rule import SOURCES, Match, Rule, confirmed, likely
from guestlab.handshake.targets import LEGACY_PATH, Target

__all__ = ["PRODUCT_RULES"]

_LEGACY_KEYS = frozenset({"eventStreamUri", "memberInfo", "memberAuthToken"})

_MIXED = re.compile(
    r"\b[1-5]\d\d\b[^.]{0,15}\bclose (?:code|frame|event)"
    r"|clos(?:e|ed|es|ing) (?:code|event|frame|status|reason)?[^.\d]{0,25}\b(?:[2-5]\d\d|4[0-9]{3})\b"
    r"|\b(?:http|status)(?: status| code| error)* (?:1\d{3}|4[0-9]{3})\b"
    r"|(?:1\d{3}|40\d\d) (?:as )?(?:an |a )?(?:http|status)"
    r"|\b[45]\d\d\b[^.]{0,25}in (?:the )?close (?:frame|event|code)",
    re.IGNORECASE,
)


def _legacy(reading: Reading) -> Match | None:
    if reading.target is Target.LEGACY:
        return confirmed(*reading.lines("url", "http_status", "frame"))
    if LEGACY_PATH.search(reading.address.path):
        return likely(*reading.lines("url", "http_status"))
    for name in ("request_body", "frame", "first_frame"):
        if any(path[-1] in _LEGACY_KEYS for path, _ in walk_keys(getattr(reading.evidence, name))):
            return confirmed(*reading.lines("url", name))
    if "eventstreamuri" in reading.answer_text:
        return confirmed(*reading.lines("url", "body"))
    return likely(*reading.lines("url", "note")) if reading.note.says("retired chat") else None


def _open_messaging(reading: Reading) -> Match | None:
    path, note, kind = reading.address.path, reading.note, reading.kind
    if reading.body.text("code") == "not.a.client" or "requires a non-user context" in reading.answer_text:
        return confirmed(*reading.lines("url", "token_kind", "http_status", "body"),
                         fault="Its inbound calls want client credentials, not a user's token.")  # fmt: skip
    if "/inbound/open" in path:
        misfit = next((call.found.misfit for call in rest_calls(reading) if call.found.misfit), "")
        if misfit and not reading.succeeded:
            return likely(
                *reading.lines("url", "http_status", "body"),
                what=_NO_INTEGRATION,
                why=_INTEGRATION_WHY,
                next_step=_INTEGRATION_NEXT,
                misfit=quote_text(misfit, 60),
            )
        if not reading.refused or reading.refused == 429:
            return None
        of_user = kind in OAUTH_KINDS - {"client_credentials", "expired", "other_region"}
        verdict = confirmed if of_user else likely
        refused = _INBOUND.get(reading.refused or 0)
        return verdict(
            *reading.lines("url", "token_kind", "http_status", "body"),
            what=f"The path of Open Messaging is right, and the inbound call was refused: {refused[0]}"
            if refused and not of_user
            else "",
            next_step=refused[1] if refused and not of_user else "",
            fault="The inbound call was refused.",
        )
    if reading.is_configured or reading.target in {Target.TOKEN, Target.LEGACY, Target.CHANNEL}:
        return None
    if note.says("open messaging") and reading.has_failed:
        return likely(*reading.lines("url", "note"), fault="By your words that is what you use or want.")
    asks = reading.target in {Target.UNKNOWN, Target.PLATFORM} and note.says("own interface")
    if (asks or note.says("server plays guest")) and (kind in OAUTH_KINDS or note.says("access token")):
        return likely(
            *reading.lines("url", "token_kind", "note"),
            fault="By your words a server speaks for the customer.",
        )
    return None


_INBOUND = {
    400: (
        "400 is about the body.",
        "Read message and code in the answer; channel needs from.id, from.idType, to.id and time.",
    ),
    401: (
        "401 says that no valid access token came with it.",
        "Send Authorization: Bearer with a fresh client-credentials token of this region.",
    ),
    403: (
        "403 says that the token's client lacks a permission.",
        "Read the permission in the answer's message, and give a role with it to the OAuth client.",
    ),
    404: (
        "404 says that this region knows no open integration of that id.",
        "Compare the id with GET /api/v2/conversations/messaging/integrations/open in the same region.",
    ),
}
"""Status → what it says of an inbound call, and what to do."""

_NO_INTEGRATION = "The path of Open Messaging is right, but {misfit!r} is no integration id: ids are UUIDs."
_INTEGRATION_WHY = "An inbound call names the open integration it is for, by the id it got when it was made."
_INTEGRATION_NEXT = (
    "Take the id from GET /api/v2/conversations/messaging/integrations/open and put it in the path."
)


def _mixed_numbers(reading: Reading) -> Match | None:
    status, close = reading.evidence.http_status, reading.evidence.close_code
    if reading.target in {Target.LEGACY, Target.ELSEWHERE, Target.TOKEN, Target.AUTHORIZE, Target.PLATFORM}:
        return None
    if close is not None and close < 1000:
        return confirmed(
            *reading.lines("close_code"), number=str(close), is_really="an HTTP status", said="a close code"
        )
    if close is not None and 4000 <= close < 5000:
        really = "no close code of Genesys Cloud; its 4xxx numbers come in frames"
        return confirmed(
            *reading.lines("close_code"), number=str(close), said="a close code", is_really=really
        )
    if status is not None and status >= 600:
        known = 1000 <= status < 2000 or 4000 <= status < 5000
        lane = ("a close code" if status < 2000 else "a frame code") if known else "a number of no lane known"
        return confirmed(
            *reading.lines("http_status"), number=str(status), is_really=lane, said="an HTTP status"
        )
    code = reading.reply.number("code")
    if code is not None and 1000 <= code <= 1015:
        return confirmed(
            *reading.lines("frame"), number=str(code), is_really="a close code", said="a frame code"
        )
    found = _MIXED.search(reading.note.text)
    if found and not reading.reply.is_failure:
        number = re.findall(r"\d{3,4}", found[0])[-1]
        what = "{number} does not occur in the lane it is spoken of in."
        return likely(*reading.lines("note"), what=what, number=number)
    return None


def _hidden(reading: Reading) -> Match | None:
    if (
        reading.target not in {Target.GUEST, Target.CHANNEL, Target.UNKNOWN}
        or reading.is_configured
        or reading.reply
    ):
        return None
    note, close = reading.note, reading.evidence.close_code
    if reading.evidence.http_status in _SAYS_ENOUGH or note.ended_at:
        return None
    if note.says("shows no refusal") and (reading.is_upgrade or note.says("socket") or close == 1006):
        return likely(*reading.lines("http_status", "close_code", "note"), client=_client(note.text))
    opened = reading.is_open or note.says_any("idle", "other tab", "ping", "reconnect")
    if close == 1006 and reading.is_upgrade and reading.evidence.http_status is None and not opened:
        return likely(*reading.lines("close_code", "note"), client=_client(note.text))
    return None


_SAYS_ENOUGH = frozenset({407, 502, 503, 504})
"""Statuses whose hint needs no header or body."""
_CLIENTS = (
    "wscat",
    "websocat",
    "Chrome",
    "Firefox",
    "Safari",
    "browser",
    "aiohttp",
    "websocket-client",
    "Postman",
    "iOS",
)


def _client(text: str) -> str:
    lowered = text.lower()
    return next((client for client in _CLIENTS if client.lower() in lowered), "The client")


def _cors(reading: Reading) -> Match | None:
    sent = [name for name, _ in reading.evidence.headers if name.lower().startswith("access-control-allow")]
    if sent and reading.is_upgrade:
        return confirmed(*(f"request header {quote_text(name, 60)}" for name in sent))
    about_socket = reading.is_upgrade or reading.target is Target.GUEST or reading.note.says("socket")
    return (
        likely(*reading.lines("url", "http_status", "note"))
        if reading.note.says("cors") and about_socket
        else None
    )


PRODUCT_RULES = (
    Rule(
        name="product.legacy-webchat",
        level="documented",
        sources=(SOURCES["announcement"], SOURCES["platform sdk"]),
        what="This is the guest API of the retired web chat.",
        why=(
            "Web chat v2 was ended; /api/v2/webchat is gone from the Platform API. It was the one "
            "product whose server handed out a guest's JWT and a socket address (eventStreamUri)."
        ),
        next_step=(
            "Move to web messaging: make a Messenger deployment and open "
            "wss://webmessaging.{{region}}/v1?deploymentId=…."
        ),
        judge=_legacy,
    ),
    Rule(
        name="product.open-messaging",
        level="documented",
        sources=(SOURCES["platform spec"], SOURCES["open messaging guide"]),
        what="What is wanted here is Open Messaging. {fault}",
        why=(
            "Where a server of yours speaks for customers with an OAuth client, the supported way is an "
            "Open Messaging integration; the guest socket is for guests without any login of the "
            "organisation."
        ),
        next_step=(
            "Create an open integration, then POST "
            "/api/v2/conversations/messages/{{integrationId}}/inbound/open/message with a "
            "client-credentials token; answers come to your webhook."
        ),
        judge=_open_messaging,
    ),
    Rule(
        name="cors.not-for-websockets",
        level="documented",
        sources=(SOURCES["whatwg"], SOURCES["fetch"], SOURCES["rfc 6455"]),
        what="CORS has no part in a WebSocket handshake.",
        why=(
            "Browsers send an upgrade without a preflight and ignore Access-Control headers in its "
            "answer; only the server may look at Origin, and Genesys Cloud compares it with the "
            "deployment's allowed domains."
        ),
        next_step="Leave CORS settings alone; put the page's domain into the deployment's allowed domains.",
        judge=_cors,
    ),
    Rule(
        name="number.status-vs-close-code",
        level="documented",
        sources=(SOURCES["rfc 6455"], SOURCES["mobile sdk"]),
        what="{number} was taken for {said}; it is {is_really}.",
        why=(
            "Three kinds of numbers cross here: HTTP statuses (100 to 599) answer the upgrade, close "
            "codes (1000 to 4999) end a connection, frame codes (200, 4xx, 40xx) stand in the server's "
            "frames."
        ),
        next_step="Find out in which of the three it came; the raw bytes of the attempt show it.",
        judge=_mixed_numbers,
    ),
    Rule(
        name="client.hides-response",
        level="documented",
        sources=(SOURCES["whatwg"], SOURCES["rfc 6455"]),
        what="{client} does not show what the server answered.",
        why=(
            "Browsers may not tell a page why a handshake failed (everything becomes 1006), and several "
            "libraries drop status, headers or body of a refusal."
        ),
        next_step=(
            "Repeat the attempt with a client that keeps the answer: guestlab attempt, or curl -i with "
            "the upgrade headers."
        ),
        judge=_hidden,
    ),
)
