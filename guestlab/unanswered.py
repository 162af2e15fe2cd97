"""The errors of a command that got no good answer: refused, held back, silent, or lost with the link.

Each says what is known of its fate: a refused one was not accepted, a silent one may have been. The waiting
itself is in `exchange.py`.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from guestlab.errors import DeadlineError, MessageRefused, SendInDoubt

if TYPE_CHECKING:
    from guestlab.log import Log
    from guestlab.protocol.events import ErrorReceived, RateLimited

__all__ = ["held_back", "in_doubt", "refusal", "silent", "still_refused", "unsent"]


def refusal(event: ErrorReceived, log: Log) -> MessageRefused:
    """The server refused it."""
    return MessageRefused(
        f"The server refused the frame: code {event.code} (lane frame).",
        why=log.redact(event.reason) or "It gave no reason.",
        next_step=event.advice,
        frame_code=event.code or 0,
    )


def still_refused(action: str, timeout: float, refused: RateLimited, wait: float) -> MessageRefused:
    """Refused for its rate, and the time was too short to say it again.

    Args:
        action: What it was.
        timeout: Seconds that were allowed.
        refused: The refusal.
        wait: Seconds of it that are left.
    """
    allowed = f"{timeout:.3g} seconds were allowed"
    return MessageRefused(
        f"The server refused {action} for its rate: code {refused.code} (lane frame).",
        why=f"{_asked(refused)}; {allowed}. It was not accepted.",
        next_step=_patience("say it again", timeout, wait),
        frame_code=refused.code or 0,
    )


def held_back(action: str, timeout: float, refused: RateLimited | None, wait: float) -> DeadlineError:
    """Never sent: by a budget, or by what the server asked for at an earlier refusal."""
    if refused is None:
        taken = f" that is used up for another {wait:.3g} seconds" if wait > 0 else ""
        why = f"It has to wait for a published budget{taken} (gl.PUBLISHED lists them)."
        return unsent(action, timeout, why, _patience("send it again", timeout, wait))
    earlier = f"an earlier frame was refused with code {refused.code} (lane frame)"
    why = f"It waited for the server's retryAfter: {earlier}. {_asked(refused)}."
    return unsent(action, timeout, why, _patience("send it again", timeout, wait))


def unsent(
    action: str, timeout: float, why: str, next_step: str = "Allow more time with timeout=."
) -> DeadlineError:
    """Never sent."""
    return DeadlineError(
        f"{action} was not sent within {timeout:.3g} seconds.",
        why=why,
        next_step=next_step,
    )


def silent(action: str, timeout: float) -> DeadlineError:
    """Sent, and not answered in time."""
    return DeadlineError(
        f"No answer to {action} within {timeout:.3g} seconds.",
        why="The server did not answer it; whether it was accepted is unknown.",
        next_step="Look at session.log.frames, and at the history before saying it again.",
    )


def in_doubt(close_code: int) -> SendInDoubt:
    """Sent, and the link broke."""
    return SendInDoubt(
        "The link broke before the acknowledgement.",
        why=f"Close code {close_code} (lane close); the server may or may not have it.",
        next_step="Look at the history before saying it again.",
    )


def _asked(refused: RateLimited) -> str:
    if refused.retry_after is None:
        return "It named no time to wait"
    return f"It asked to wait for {refused.retry_after:.3g} seconds (retryAfter)"


def _patience(what: str, timeout: float, wait: float) -> str:
    if wait <= 0:
        return "Allow more time with timeout=."
    enough = ceil(max(timeout, wait)) + 5
    return f"Wait {ceil(wait)} seconds more and {what}, or allow more time: timeout={enough}."
