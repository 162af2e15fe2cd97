"""Mutated frames, very many: receiving never raises, and what came stays in the log as it came.

Frames of every class are cut, doubled, overwritten and strewn with pieces of the language, from a seed, and
given to sessions without a network. What is searched with coverage as a guide is in `tests/fuzzing`; this is
the promise by count.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import time
from typing import TYPE_CHECKING, Any
from uuid import UUID

from guestlab.bench import Outcome
from guestlab.bench.frames import CONFIGURED, outbound
from guestlab.exchange import Exchange
from guestlab.limits import PUBLISHED
from guestlab.log import Log
from guestlab.protocol.commands import ConfigureSession
from guestlab.regions import Region

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["fuzz", "mutated", "samples"]

PROMISE = "no exception from receiving; the text of every frame is kept"

_TAG = re.compile(r"\[masked:[0-9a-f]{8}\]")
_MASK = re.compile(f'"{_TAG.pattern}"|{_TAG.pattern}')
"""A mask where a number stood has quotes, so that the text stays JSON."""
_A_LIFE = 5_000
"""Frames one session gets before the next begins."""
_PIECES = (
    b"\0",
    b"\xff\xfe",
    b"\\ud800",
    b"\\u0000",
    b"1e999",
    b"-1",
    b"NaN",
    b"null",
    b"true",
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b":",
    b",",
    b'"class":',
    b'"type":',
    b'"code":',
    b'"body":',
    b'"events":',
    b'"content":',
    b'"channel":',
    b'"tracingId":',
    b"[" * 300,
    b'"Presence"',
    b'"Disconnect"',
    b'"Structured"',
    b'"StructuredMessage"',
    b'"SessionResponse"',
    b"9" * 400,
    b"\xe2\x80\xae",
)
_CLASSES = (
    "JwtResponse",
    "PresignedUrlResponse",
    "UploadSuccessEvent",
    "UploadFailureEvent",
    "GenerateUrlError",
    "AttachmentDeletedResponse",
    "SessionExpiredEvent",
    "SessionClearedEvent",
    "ConnectionClosedEvent",
    "LogoutEvent",
    "TooManyRequestsErrorMessage",
    "string",
    "CannedResponse",
)


def samples() -> tuple[bytes, ...]:
    """Frames of every class, to begin with."""
    event = {
        "type": "Event",
        "id": "m1",
        "direction": "Outbound",
        "channel": {"time": "2026-10-01T12:00:00.000Z"},
    }
    replies = [
        {"contentType": "QuickReply", "quickReply": {"text": "Yes", "payload": "y", "action": "Message"}}
    ]
    frames: list[dict[str, Any]] = [
        CONFIGURED,
        *(outbound(number) for number in range(8)),
        _frame(
            "StructuredMessage",
            event | {"events": [{"eventType": "Presence", "presence": {"type": "Disconnect"}}]},
        ),
        _frame(
            "StructuredMessage",
            event | {"events": [{"eventType": "Typing", "typing": {"type": "On", "duration": 5000}}]},
        ),
        _frame(
            "StructuredMessage",
            {"type": "Structured", "text": "?", "direction": "Outbound", "id": "m2", "content": replies},
        ),
        *(
            _frame(
                name,
                {
                    "errorCode": 4011,
                    "retryAfter": 3,
                    "url": "https://h/x",
                    "jwt": "a.b.c",
                    "attachmentId": "a",
                },
            )
            for name in _CLASSES
        ),
        {"type": "response", "class": "string", "code": 4011, "body": "message too long", "tracingId": "t"},
    ]
    return tuple(json.dumps(frame, separators=(",", ":")).encode() for frame in frames)


def _frame(name: str, body: dict[str, Any]) -> dict[str, Any]:
    return {"type": "message", "class": name, "code": 200, "body": body}


def mutated(
    data: bytes, others: Sequence[bytes], source: random.Random, pieces: Sequence[bytes] = _PIECES
) -> bytes:
    """Change some bytes at one to four random places."""
    for _ in range(source.randint(1, 4)):
        start = source.randrange(len(data) + 1)
        end = min(len(data), start + source.choice((0, 1, 1, 2, 8, 40)))
        match source.randrange(6):
            case 0:
                data = data[:start]
            case 1:
                data = data[:start] + data[end:]
            case 2:
                data = data[:start] + source.choice(pieces) + data[end:]
            case 3:
                data = data[:start] + bytes([source.randrange(256)]) + data[start + 1 :]
            case 4:
                data = data[:end] + data[start:]
            case _:
                data = data[:start] + source.choice(others)[start:]
    return data


def fuzz(*, frames: int = 1_000_000, seed: int = 0) -> Outcome:
    """Receive so many mutated frames.

    Args:
        frames: How many.
        seed: Decides every byte.
    """
    started, source = time.monotonic(), random.Random(seed)  # noqa: S311 - no secret
    others = samples()
    counts = {"of a class": 0, "no UTF-8": 0, "raised": 0, "not kept": 0}
    first = ""
    left = frames
    while left:
        life = min(left, _A_LIFE)
        left -= life
        batch = [mutated(source.choice(others), others, source) for _ in range(life)]
        found = asyncio.run(_life(batch, counts, source))
        first = first or found
    return Outcome(
        name="fuzz",
        promise=f"{frames:,} mutated frames: {PROMISE}",
        met=not counts["raised"] and not counts["not kept"],
        facts={
            "seed": seed,
            "frames": f"{frames:,}",
            **counts,
            "first": first or "none",
            "seconds": round(time.monotonic() - started, 1),
        },
    )


async def _life(frames: Sequence[bytes], counts: dict[str, int], source: random.Random) -> str:
    """Give one session its frames; return the first that was not taken as promised."""
    log, first = Log(), ""
    exchange = Exchange(
        Region("127.0.0.1:9", tls=False),
        "deployment",
        str(UUID(int=source.getrandbits(128))),
        origin=None,
        log=log,
        limits=PUBLISHED,
        settle=0.0,
        application=None,
        reconnect=None,
        authentication=None,
    )
    exchange.protocol.connection_made()
    exchange.protocol.send(ConfigureSession())
    for frame in frames:
        text, shown = _as_it_comes(frame)
        counts["no UTF-8"] += isinstance(text, bytes)
        before = len(log)
        try:
            exchange._receive(text)  # noqa: SLF001 - what a link calls
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            counts["raised"] += 1
            first = first or f"{type(error).__name__}: {frame!r}"
            continue
        entry = log.entries[before]
        counts["of a class"] += bool(entry.class_name)
        # Of two tellings of one secret the later knows more.
        if not _is_kept(raw := str(entry.raw), shown) and _untagged(raw) != _untagged(log.redact(shown)):
            counts["not kept"] += 1
            first = first or f"not kept: {frame!r}"
    return first


def _untagged(text: str) -> str:
    """Leave out the tags: a secret that is spelt in two ways may have two."""
    return _TAG.sub("[masked]", text)


def _is_kept(raw: str, shown: str) -> bool:
    """Whether a text is in the log, a mask standing for a secret or for nothing else."""
    pieces, place = _MASK.split(raw), 0
    for piece in pieces:
        place = shown.find(piece, place)
        if place < 0:
            return False
        place += len(piece)
    return shown.startswith(pieces[0]) and shown.endswith(pieces[-1])


def _as_it_comes(frame: bytes) -> tuple[str | bytes, str]:
    """Return what a link hands over, and how the log shows it."""
    try:
        text = frame.decode()
    except UnicodeDecodeError:
        return frame, frame.decode("utf-8", "backslashreplace")
    return text, text
