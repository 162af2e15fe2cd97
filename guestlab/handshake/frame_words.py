"""The words of client frames: the twelve real actions, and the invented ones by what they try to say.

Sources: the request types of MyPureCloud/web-messaging-sdk-java 18.1.0 (real), and public forum questions
(invented). Pure data and look-ups; `frame_check.py` and the rules use them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

__all__ = ["ACTIONS", "CONFIGURES", "ENVELOPE_KEYS", "INTENTS", "intent_of", "verb_of"]

CONFIGURES = frozenset({"configureSession", "configureAuthenticatedSession"})

ACTIONS = CONFIGURES | {
    "onMessage",
    "onAttachment",
    "getAttachment",
    "deleteAttachment",
    "closeSession",
    "echo",
    "getJwt",
    "disconnectCustomer",
    "resumeToken",
    "getConfiguration",
}
"""Every value `action` can have."""

INTENTS: dict[str, str] = {
    "configure": (
        "auth authenticate authenticateguest authorize connect connected init initialize session "
        "start startchat startsession startconversation join joinconversation joinchat guestready "
        "guestwelcome guest guestauth hello login register subscribe createconversation createsession "
        "configuresession configure configureguest identify handshake open openconversation "
        "newsession clientinit webchatinit connectionrequest connectioninit setup "
        "configureauthenticatedsession resume resumesession reconnect"
    ),
    "message": (
        "message sendmessage send text chat chatmessage guestmessage usermessage newmessage say "
        "postmessage msg onmessage messagesend sendtext textmessage conversationmessage "
        "inboundmessage publish"
    ),
    "typing": (
        "typing starttyping typingstart typingindicator istyping sendtyping stoptyping typingstop composing"
    ),
    "ping": "ping keepalive heartbeat pong keep ka",
    "end": (
        "end endchat endsession endconversation close closechat closeconversation disconnect leave "
        "leavechat bye quit terminate hangup exit stop logout clear clearconversation closesession"
    ),
    "attributes": (
        "setattributes attributes setattribute updateattributes customattributes setcontext metadata"
    ),
    "attachment": (
        "upload attachment sendattachment sendfile file image media uploadattachment fileupload onattachment"
    ),
    "history": "history gethistory getmessages fetchhistory messages getjwt",
}
"""What a frame tries to say → verbs people use for it (letters only, lower case)."""

_INTENT = {verb: intent for intent, verbs in INTENTS.items() for verb in verbs.split()}

ENVELOPE_KEYS = (
    "action",
    "type",
    "command",
    "event",
    "cmd",
    "op",
    "method",
    "eventType",
    "messageType",
    "message",
)
"""Keys under which people put the verb; only the first is real."""


def verb_of(frame: Any) -> tuple[str, str]:
    """The key and value that serve as a frame's verb; ("", "") when there is none."""
    if isinstance(frame, Mapping):
        for key in ENVELOPE_KEYS:
            value = frame.get(key)
            if isinstance(value, str) and value:
                return key, value
    return "", ""


def intent_of(verb: str) -> str:
    """What a verb tries to say: a key of `INTENTS`, or ""."""
    return _INTENT.get(re.sub(r"[^a-z]", "", verb.lower()), "")
