"""Which of the frames that crossed a socket say most: the first, the one that failed, and what it answered.

HAR files and pasted transcripts are read alike by it. Frames are hostile text: any of them may be no JSON.
Pure.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from guestlab.handshake.frame_check import REQUIRED
from guestlab.handshake.frame_words import CONFIGURES
from guestlab.handshake.reading import FrameReading

__all__ = ["Crossed", "Telling", "stray_frame", "telling_frames"]

MAX_SEARCHED = 500
"""Frames of one side that are looked through for a certain one."""

_ENDINGS = frozenset({"SessionExpiredEvent", "ConnectionClosedEvent", "LogoutEvent"})


class Crossed(NamedTuple):
    """One text frame: its place among all of the socket, and its text."""

    place: int
    text: str


class Telling(NamedTuple):
    """The frames a diagnosis looks at."""

    first: str | None
    """The client's first."""
    asked: str | None
    """The client's later one that the answer is to."""
    answer: str | None
    """The server's that says most."""


def telling_frames(sent: list[Crossed], received: list[Crossed]) -> Telling:
    """Choose the frames that say most."""
    answer = _answer(received)
    first = sent[0].text if sent else None
    return Telling(first, _asked(sent[1:], answer), answer.text if answer else None)


def _answer(received: list[Crossed]) -> Crossed | None:
    """The server's frame that says most: a failure, else the session's end, else how it was configured."""
    frames = [(frame, FrameReading(_object(frame.text))) for frame in received]
    failed = (frame for frame, reading in frames if reading.is_failure)
    ended = (frame for frame, reading in frames if reading.class_name in _ENDINGS)
    configured = (frame for frame, reading in frames if reading.class_name == "SessionResponse")
    return next(failed, None) or next(ended, None) or next(configured, None) or next(iter(received), None)


def _asked(later: list[Crossed], answer: Crossed | None) -> str | None:
    """The later frame that the answer is to: the same tracingId, a wish to end, or the last before it."""
    before = [frame.text for frame in later if answer is None or frame.place < answer.place][-MAX_SEARCHED:]
    if answer is None or not before:
        return before[-1] if before else None
    reply = FrameReading(_object(answer.text))
    tracing_id = reply.text("tracingId")
    for text in reversed(before):
        frame = FrameReading(_object(text))
        if tracing_id and frame.text("tracingId") == tracing_id:
            return text
        ends = frame.action == "closeSession" or frame.event("Presence") == "Clear"
        if ends and reply.class_name in _ENDINGS:
            return text
    return before[-1]


def stray_frame(sent: list[Crossed], received: list[Crossed]) -> str | None:
    """A frame without a token that was configured on this socket, to which nothing but silence came."""
    answers = [FrameReading(_object(frame.text)) for frame in received[:MAX_SEARCHED]]
    if any(answer.is_failure for answer in answers):
        return None
    answered = {answer.text("tracingId") for answer in answers}
    configured: set[str] = set()
    for _, text in sent[:MAX_SEARCHED]:
        frame = FrameReading(_object(text))
        if frame.action in CONFIGURES:
            configured.add(frame.text("token"))
        elif len(configured) == 1 and "token" in REQUIRED.get(frame.action, ()):
            silent = not frame.text("tracingId") or frame.text("tracingId") not in answered
            if silent and frame.text("token") not in configured:
                return text
    return None


def _object(text: str) -> Any:
    try:
        return json.loads(text) if text.lstrip()[:1] == "{" else None
    except (ValueError, RecursionError):
        return None
