"""What happens in a session, in words: one row per kind of event, for the system lines of a chat.

`happening_of` reads an event of the server, `life_of` an entry about the link. None means that it is nothing
a chat shows. Every number is shown with its lane. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from guestlab.log.entry import Kind
from guestlab.protocol import events as got

if TYPE_CHECKING:
    from collections.abc import Callable

    from guestlab.log.entry import Entry

__all__ = ["Happening", "happening_of", "life_of"]


class Happening(NamedTuple):
    """Something to say in a chat.

    Attributes:
        text: In words.
        tone: A state of `guestlab.style`.
        goes_on: The next of this kind replaces it.
    """

    text: str
    tone: str = "ready"
    goes_on: bool = False


def happening_of(event: got.Event) -> Happening | None:
    """Say what an event means to somebody who watches; None when it is not worth a line."""
    for kind in type(event).__mro__:
        say = _EVENTS.get(kind)
        if say is not None:
            return say(event)
    return None


def life_of(entry: Entry) -> Happening | None:
    """Say what an entry about the link means; None when it is not worth a line."""
    note = entry.note or ""
    if entry.kind is Kind.RESPONSE and entry.step == "upgrade":
        if entry.http_status == 101:
            return Happening("Socket open: HTTP 101 (lane http).", "done", goes_on=True)
        if entry.http_status is None:
            return Happening(note or "The socket could not be reached.", "failed", goes_on=True)
        return Happening(f"Upgrade refused: HTTP {entry.http_status} (lane http).", "failed", goes_on=True)
    if entry.kind is Kind.CLOSE:
        tone = "ready" if entry.close_code == 1000 else "stale"
        meaning = note.removeprefix(str(entry.close_code)).strip()
        text = f"Socket closed: close code {entry.close_code} (lane close), {meaning}"
        return Happening(text, tone)
    if entry.kind is Kind.LIFECYCLE and note and note != "connecting":
        if note.startswith("back;"):
            return Happening(_sentence(note), "done")
        return Happening(
            _sentence(note), "running" if note.startswith("link lost") else "stale", goes_on=True
        )
    return None


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}".rstrip(".") + "." if text else ""


def _configured(event: Any) -> Happening:
    if not event.connected:
        return Happening("Session given up; the socket stays open.", "stale")
    if event.read_only:
        return Happening("Session resumed, but it is read-only: the conversation was disconnected.", "stale")
    began = "New session" if event.new_session else "Session resumed"
    taken = " Another session of the same person was removed." if event.cleared_existing_session else ""
    return Happening(f"{began}: ready to talk.{taken}", "done")


_PRESENCES = {
    "Join": ("joined", "done"),
    "Disconnect": ("ended the conversation", "stale"),
    "Clear": ("cleared the conversation", "stale"),
    "SignIn": ("signed in", "done"),
}


def _presence(event: Any) -> Happening:
    who = event.message.from_.name or ("The guest" if event.direction == "Inbound" else "The other side")
    words, tone = _PRESENCES.get(event.presence, (f"is {event.presence or 'somewhere unnamed'}", "ready"))
    rest = " The session is read-only now." if event.read_only else ""
    return Happening(f"{who} {words}.{rest}", tone)


def _limited(event: Any) -> Happening:
    wait = "" if event.retry_after is None else f" Wait {event.retry_after:g} s."
    return Happening(f"Too many requests: frame code {event.code} (lane frame).{wait}", "stale")


def _error(event: Any) -> Happening:
    reason = f" {_sentence(event.reason)}" if event.reason else ""
    return Happening(f"Refused: frame code {event.code} (lane frame).{reason} {event.advice}", "failed")


_EVENTS: dict[type[Any], Callable[[Any], Happening | None]] = {
    got.SessionConfigured: _configured,
    got.ConnectionTakenOver: lambda e: Happening(
        "Another connection took this one's place" + (f" ({e.reason})." if e.reason else "."), "failed"
    ),
    got.LoggedOut: lambda _: Happening("The guest logged out: the session is over.", "stale"),
    got.SessionExpired: lambda _: Happening("The session expired: it was idle for too long.", "stale"),
    got.SessionCleared: lambda _: Happening("The conversation was cleared: the session is over.", "stale"),
    got.PresenceChanged: _presence,
    got.CoBrowseReceived: lambda e: Happening(f"Co-browse: {e.offering} (this client takes no part)."),
    got.VideoReceived: lambda e: Happening(f"Video: {e.offering} (this client takes no part)."),
    got.ReceiptReceived: lambda e: Happening(f"Receipt: {e.status or 'without a status'}."),
    got.EchoReceived: lambda _: Happening("Health check answered."),
    got.UploadSucceeded: lambda _: Happening("Upload accepted.", "done"),
    got.AttachmentDeleted: lambda _: Happening("Upload dropped."),
    got.RateLimited: _limited,
    got.ErrorReceived: _error,
    got.Unrecognized: lambda e: Happening(f"Something unknown came: {e.what} {e.name or 'without a name'}."),
    got.MalformedFrame: lambda e: Happening(f"A frame that cannot be read: {e.reason}", "failed"),
}
"""Event class → what to say; a subclass without a row of its own is said as its parent is."""
