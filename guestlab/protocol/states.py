"""The states of a guest session, what moves it, and where to.

Lives here: data only, so that a test can walk every cell and a notebook can draw it. What a command or an
event is to this table stands in `guest.py`.
"""

from __future__ import annotations

from enum import StrEnum

__all__ = ["OURS", "TRANSITIONS", "WHY_NOT", "Cause", "State"]


class State(StrEnum):
    """Where a guest session stands."""

    IDLE = "idle"
    """No socket yet."""
    CONNECTED = "connected"
    """The socket is open, no session is configured on it."""
    CONFIGURING = "configuring"
    """A configure was sent; its answer decides."""
    CONFIGURED = "configured"
    """Everything may be said."""
    READ_ONLY = "read_only"
    """The conversation was disconnected for good: read, or close and start anew."""
    RECONNECTING = "reconnecting"
    """The socket is gone or worthless; the guest token still holds the session."""
    CLOSING = "closing"
    """The session ended, by the server's word or by ours: close the socket with 1000."""
    CLOSED = "closed"
    """It is over."""
    FAILED = "failed"
    """The upgrade or the configure was refused."""


class Cause(StrEnum):
    """What can move a session from one state to another."""

    # ours
    UPGRADED = "upgraded"
    """The upgrade succeeded."""
    CONFIGURE = "configure"
    """We ask for a session."""
    STEP_UP = "step up"
    """We ask for an authenticated session on a configured socket."""
    SPEAK = "speak"
    """We say something, type, echo, or deal with attachments."""
    FETCH = "fetch"
    """We ask for a history JWT, or clear the conversation."""
    ASK = "ask"
    """We ask what needs no session: the configuration."""
    GIVE_UP = "give up"
    """We send `closeSession`."""
    HANG_UP = "hang up"
    """We close the socket ourselves."""
    # the server's
    READY = "ready"
    """SessionResponse: connected."""
    BARRED = "barred"
    """SessionResponse: connected and read-only."""
    UNBOUND = "unbound"
    """SessionResponse: not connected (after `closeSession`)."""
    SILENCED = "silenced"
    """Presence Disconnect with readOnly."""
    ENDED = "ended"
    """Taken over, logged out, expired, cleared, or a frame code that says so."""
    REFUSED = "refused"
    """A frame code that is final while configuring."""
    POSTPONED = "postponed"
    """A frame code that is not: 429, or 401 to an authenticated configure."""
    DOWNGRADED = "downgraded"
    """4017: the guest token belongs to an authenticated session."""
    DEAUTHENTICATED = "deauthenticated"
    """403: the sign-in was lost; sign in and connect again."""
    NOTICE = "notice"
    """Everything else: no state has a cell for it."""
    # the link's
    LOST = "lost"
    """The socket is gone."""
    UPGRADE_REFUSED = "upgrade refused"
    """The server answered the upgrade with 403."""


OURS = frozenset(
    {
        Cause.UPGRADED,
        Cause.CONFIGURE,
        Cause.STEP_UP,
        Cause.SPEAK,
        Cause.FETCH,
        Cause.ASK,
        Cause.GIVE_UP,
        Cause.HANG_UP,
    }
)

# Rules of this table:
# - a cell that is missing means: for a cause of ours, LocalProtocolError, and nothing has changed; for any
#   other, the state stays as it is and the event is delivered all the same
# - an error is final while configuring (REFUSED leads to FAILED) and a notice once configured (no cell)
# - FAILED may be left by UPGRADED only where `may_reconnect` holds: a passing trouble refused the configure
# - nothing leaves CLOSED
# - source: the state table of the official mobile transport SDK 2.14.0; where it says Error for an ended
#   session, CLOSING stands here, because the socket is still to be closed
TRANSITIONS: dict[State, dict[Cause, State]] = {
    State.IDLE: {
        Cause.UPGRADED: State.CONNECTED,
        Cause.UPGRADE_REFUSED: State.FAILED,
        Cause.HANG_UP: State.CLOSED,
    },
    State.CONNECTED: {
        Cause.CONFIGURE: State.CONFIGURING,
        Cause.ASK: State.CONNECTED,
        Cause.HANG_UP: State.CLOSING,
        # An answer that comes after we had given it up for rate-limited counts all the same.
        Cause.READY: State.CONFIGURED,
        Cause.BARRED: State.READ_ONLY,
        Cause.ENDED: State.CLOSING,
        Cause.REFUSED: State.FAILED,
        Cause.DOWNGRADED: State.FAILED,
        Cause.DEAUTHENTICATED: State.RECONNECTING,
        Cause.LOST: State.RECONNECTING,
    },
    State.CONFIGURING: {
        Cause.ASK: State.CONFIGURING,
        Cause.HANG_UP: State.CLOSING,
        Cause.READY: State.CONFIGURED,
        Cause.BARRED: State.READ_ONLY,
        Cause.UNBOUND: State.CONNECTED,
        Cause.ENDED: State.CLOSING,
        Cause.REFUSED: State.FAILED,
        Cause.POSTPONED: State.CONNECTED,
        Cause.DOWNGRADED: State.FAILED,
        Cause.DEAUTHENTICATED: State.RECONNECTING,
        Cause.LOST: State.RECONNECTING,
    },
    State.CONFIGURED: {
        Cause.STEP_UP: State.CONFIGURED,
        Cause.SPEAK: State.CONFIGURED,
        Cause.FETCH: State.CONFIGURED,
        Cause.ASK: State.CONFIGURED,
        Cause.GIVE_UP: State.CONFIGURED,
        Cause.HANG_UP: State.CLOSING,
        Cause.READY: State.CONFIGURED,
        Cause.BARRED: State.READ_ONLY,
        Cause.UNBOUND: State.CONNECTED,
        Cause.SILENCED: State.READ_ONLY,
        Cause.ENDED: State.CLOSING,
        Cause.DOWNGRADED: State.FAILED,
        Cause.DEAUTHENTICATED: State.RECONNECTING,
        Cause.LOST: State.RECONNECTING,
    },
    State.READ_ONLY: {
        Cause.FETCH: State.READ_ONLY,
        Cause.ASK: State.READ_ONLY,
        Cause.GIVE_UP: State.READ_ONLY,
        Cause.HANG_UP: State.CLOSING,
        Cause.READY: State.CONFIGURED,
        Cause.BARRED: State.READ_ONLY,
        Cause.UNBOUND: State.CONNECTED,
        Cause.ENDED: State.CLOSING,
        Cause.DOWNGRADED: State.FAILED,
        Cause.DEAUTHENTICATED: State.RECONNECTING,
        Cause.LOST: State.RECONNECTING,
    },
    State.RECONNECTING: {
        Cause.UPGRADED: State.CONNECTED,
        Cause.UPGRADE_REFUSED: State.FAILED,
        Cause.HANG_UP: State.CLOSED,
        Cause.ENDED: State.CLOSING,
        Cause.LOST: State.RECONNECTING,
    },
    State.CLOSING: {
        Cause.HANG_UP: State.CLOSING,
        Cause.LOST: State.CLOSED,
    },
    State.CLOSED: {
        Cause.HANG_UP: State.CLOSED,
    },
    State.FAILED: {
        Cause.UPGRADED: State.CONNECTED,
        Cause.UPGRADE_REFUSED: State.FAILED,
        Cause.HANG_UP: State.CLOSED,
        Cause.LOST: State.FAILED,
    },
}

WHY_NOT: dict[State, tuple[str, str]] = {
    State.IDLE: ("No socket is open yet.", "Open the socket, then configure the session."),
    State.CONNECTED: ("The socket is open, but no session is configured.", "Send ConfigureSession first."),
    State.CONFIGURING: ("The server has not answered the configure yet.", "Wait for SessionConfigured."),
    State.CONFIGURED: ("The session is configured already.", "Go on with it, or close it first."),
    State.READ_ONLY: (
        "The conversation was disconnected and the session is read-only.",
        "Call start_new(), which sends CloseSession, then ConfigureSession with start_new=True.",
    ),
    State.RECONNECTING: ("The link is lost.", "Open a new socket; the same guest token resumes the session."),
    State.CLOSING: ("The session has ended.", "Close the socket; then open a new session."),
    State.CLOSED: ("The session is over.", "Open a new session."),
    State.FAILED: ("The upgrade or the configure was refused.", "Fix the cause, then open a new session."),
}
"""Why something is not allowed in a state, and what to do next."""
