"""Rules about notification channels: another socket with another life."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guestlab.handshake.frame_words import ACTIONS
from guestlab.handshake.hosts import HostKind
from guestlab.handshake.quoting import quote_text
from guestlab.handshake.rule import SOURCES, Match, Rule, confirmed, likely
from guestlab.handshake.targets import Target, speaks_channel

if TYPE_CHECKING:
    from guestlab.handshake.reading import Reading

__all__ = ["CHANNEL_RULES"]

_ABOUT_CHANNEL = frozenset({Target.CHANNEL, Target.CHANNEL_API})
_ENDINGS = ("v2.system.token_revoked", "v2.system.no_longer_subscribed")


def _is_connect_uri(reading: Reading) -> bool:
    host = reading.host
    proper = host is not None and (
        host.is_loopback
        or (host.kind is HostKind.GENESYS and host.label == "streaming")
        or host.name == "streaming.{region}"  # code that takes connectUri as it came
    )
    return proper and reading.address.path.startswith("/channels/") and len(reading.address.segments) == 2


def _not_guest_socket(reading: Reading) -> Match | None:
    lines = reading.lines("url", "http_status", "note")
    if reading.target is Target.GUEST:
        if (
            any(speaks_channel(frame) for frame in (reading.first, reading.sent))
            and not reading.is_configured
        ):
            return confirmed(*lines, *reading.lines("first_frame", "sent_frame"),
                             fault="Topics are subscribed on the guest socket.")  # fmt: skip
        return None
    if reading.target is Target.CHANNEL_API:
        if reading.kind == "guest" and reading.refused in {401, 403}:
            return likely(*lines, *reading.lines("token_kind"), fault="A guest has no channels.")
        return None
    if reading.target is not Target.CHANNEL or not reading.evidence.url:
        return _by_note(reading)
    if reading.first.action in ACTIONS:
        return confirmed(
            *lines,
            *reading.lines("first_frame"),
            what="Guest frames are sent on a notification channel's socket, which does not know them.",
            next_step="Open wss://webmessaging.{{region}}/v1?deploymentId=… and send them there.",
            fault="",
        )
    if not _is_connect_uri(reading):
        return confirmed(
            *lines, fault=f"{quote_text(reading.address.host + reading.address.path, 120)} is no connectUri."
        )
    if reading.deployment_id is not None:
        fault = (
            "deploymentId is for the guest socket, wss://webmessaging.…/v1; connectUri is used as it came."
        )
        return confirmed(*lines, fault=fault)
    placed = [
        place for place in reading.credentials if place.where in {"query", "header", "cookie", "subprotocol"}
    ]
    if placed and reading.has_failed and not reading.is_open:
        return confirmed(*lines, *(f"token in: {quote_text(place, 60)}" for place in placed),
                         fault="A connectUri takes no token: it is one.")  # fmt: skip
    return None


def _by_note(reading: Reading) -> Match | None:
    note = reading.note
    if reading.target not in {Target.UNKNOWN, Target.CHANNEL} or not note.says("notifications"):
        return None
    confuses = note.has(
        r"header|token|bearer|authori[sz]|which (?:url|address|socket|host)|guest|deployment ?id|40[13]"
    )
    if confuses and note.says("socket") and not reading.reply:
        return likely(
            *reading.lines("note"), fault="By your words the notification socket is opened by hand."
        )
    return None


def _lifetime(reading: Reading) -> Match | None:
    if reading.target not in _ABOUT_CHANNEL:
        return None
    code, topic = reading.body.text("code"), reading.reply.text("topicName")
    if "too.many.subscriptions" in code or _topics_asked(reading) > 1000:
        return confirmed(*reading.lines("url", "http_status", "body"), fault="It has more than 1000 topics.")
    if topic.startswith(_ENDINGS):
        return confirmed(*reading.lines("frame", "note"), fault=f"{quote_text(topic[:40])} says so.")
    is_channel = "channels" in reading.address.segments[:-1]
    if reading.target is Target.CHANNEL_API and is_channel and reading.refused == 404:
        return confirmed(*reading.lines("url", "http_status", "note"), fault="It is gone: 404.")
    note = reading.note
    if note.says("channel limit"):
        return likely(*reading.lines("note"), fault="Channels or topics are too many.")
    if note.says_any("day", "after a time") and reading.has_failed:
        return likely(*reading.lines("url", "http_status", "close_code", "note"), fault="The time fits.")
    shown = any(place.where != "said" for place in reading.credentials)
    if _is_connect_uri(reading) and reading.refused in {401, 403, 404, 410} and not shown:
        return likely(*reading.lines("url", "http_status"), fault="The connectUri is no longer accepted.")
    return None


def _topics_asked(reading: Reading) -> int:
    body = reading.evidence.request_body
    return len(body) if isinstance(body, list) else 0


def _resubscribe(reading: Reading) -> Match | None:
    note = reading.note
    if reading.target not in _ABOUT_CHANNEL:
        return None
    silent = note.says_any("silence", "not seen", "lost")
    lines = reading.lines("url", "close_code", "frame", "note")
    if note.says("new channel") and (silent or note.says("reconnect")):
        return likely(*lines, fault="The new one has none yet.")
    if note.says("reconnect") and silent:
        return likely(*lines, fault="After a reconnect nothing comes.")
    if silent and note.says_any("silence", "notifications") and not note.says("day") and not reading.refused:
        return likely(*lines, fault="It is open, and no event comes.")
    return None


CHANNEL_RULES = (
    Rule(
        name="channel.not-guest-socket",
        level="documented",
        sources=(SOURCES["platform sdk"], SOURCES["notifications guide"]),
        what="A notification channel is wanted here, which is not opened like this. {fault}",
        why=(
            "Notifications and guest messages are two sockets: a channel is created by REST with an "
            "access token, the guest socket needs none. The channel's connectUri is used as it comes, "
            "without header or token."
        ),
        next_step=(
            "POST /api/v2/notifications/channels with the access token, subscribe topics on that channel "
            "by REST, then open the connectUri it returned."
        ),
        judge=_not_guest_socket,
    ),
    Rule(
        name="channel.lifetime",
        level="documented",
        sources=(SOURCES["platform sdk"], SOURCES["notifications guide"]),
        what="The channel has come to its end or its limits. {fault}",
        why=(
            "A channel lives 24 hours from its last subscription call and dies with its token; there are "
            "20 per user and application (a 21st removes the longest unused) and 1000 topics on each."
        ),
        next_step=(
            "Before the day is over, subscribe again or make a new channel; HEAD "
            "/api/v2/notifications/channels/{{id}} tells whether it lives."
        ),
        judge=_lifetime,
    ),
    Rule(
        name="channel.resubscribe",
        level="documented",
        sources=(SOURCES["platform sdk"], SOURCES["notifications guide"]),
        what="This channel has no subscriptions. {fault}",
        why=(
            "Subscriptions belong to a channel: a new one starts empty, and nothing is replayed. The "
            "same connectUri keeps them as long as the channel lives."
        ),
        next_step=(
            "After making a channel, PUT the topics to "
            "/api/v2/notifications/channels/{{id}}/subscriptions, then connect and read the present "
            "state by REST."
        ),
        judge=_resubscribe,
    ),
)
