"""Reads what `guestlab probe --record` wrote, so that the gateway can answer as the cloud was seen to.

The file may come from anybody: every value is checked before it can reach the wire, and a file that a probe
cannot have written is refused whole. An answer that fits no row, or does not settle the one it names, is left
out and told in `notes`. What the gateway does with the answers is `Gateway.replay`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from guestlab.errors import SandboxError
from guestlab.sandbox.gateway import TABLE

__all__ = ["FORMAT", "Answer", "Observed", "read_observed"]

FORMAT = "guestlab-observed/1"
"""The only form there is so far."""

FILE_SIZE = 8 * 1024 * 1024
"""Bytes; a probe's dozen answers with the largest bodies stay far below."""
BODY_SIZE = 64 * 1024
"""Bytes of UTF-8."""
MOST = 100
"""Answers in a file, and headers in an answer."""

HARMLESS = {
    *("cache-control", "content-language", "content-type", "expires", "pragma", "retry-after", "server"),
    *("vary", "via", "x-amz-apigw-id", "x-amz-cf-id", "x-amz-cf-pop", "x-amzn-errortype"),
    *("x-amzn-requestid", "x-cache", "x-content-type-options"),
}
"""Headers played back. Others frame the message, bind or prompt the client, lead away or grow stale."""

_BODYLESS = {101, 204, 205, 304}  # RFC 9110, sections 15.2 to 15.4
_REGION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:\[\]-]{0,99}")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")  # a token of RFC 9110
_SINGLE_LINE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]{0,4096}")
_NEEDS_DEPLOYMENT = {"deployment.missing", "deployment.unknown"}
"""Rows of attempts without a deployment: there is nothing an opened socket could be served with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one row of the gateway's table was seen to answer."""

    status: int
    body: str
    headers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """A recorded probe, checked.

    Attributes:
        source: When and where it was recorded.
        answers: Row of the gateway's table → its answer.
        notes: One sentence for everything that is not played back.
    """

    source: str
    answers: Mapping[str, Answer]
    notes: tuple[str, ...] = ()


def read_observed(path: str | Path) -> Observed:
    """Read a file that `guestlab probe --record` wrote.

    Raises:
        SandboxError: It cannot be read, or is none; the text names the place.
    """
    document = _document(path)
    try:
        return _observed(document)
    except ValueError as error:
        raise SandboxError(
            f"The observed answers in {path} cannot be played back.",
            why=f"{error}.",
            next_step="Give the file as `guestlab probe --record FILE` wrote it, or record it anew.",
        ) from None


def _document(path: str | Path) -> Any:
    try:
        path = Path(path)
        if path.exists() and not path.is_file():
            raise ValueError("it is no regular file")  # noqa: TRY301 - a pipe or device could go on for ever
        with path.open("rb") as file:
            content = file.read(FILE_SIZE + 1)
        if len(content) > FILE_SIZE:
            raise ValueError(f"it is larger than {FILE_SIZE} bytes")  # noqa: TRY301
        return json.loads(content.decode("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise SandboxError(
            f"The observed answers in {path} cannot be read.",
            why=" ".join(str(error).split()) + ".",
            next_step="Give a JSON file that `guestlab probe --record FILE` wrote.",
        ) from None


def _observed(document: Any) -> Observed:
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        found = document.get("format") if isinstance(document, dict) else document
        raise ValueError(f"its format is {_shown(found)}, not {FORMAT!r}")
    if document.get("level") != "measured":
        raise ValueError(f"its level is {_shown(document.get('level'))}; a probe says 'measured'")
    observations = document.get("observations")
    if not isinstance(observations, list) or len(observations) > MOST:
        raise ValueError(f"`observations` is not a list of at most {MOST}")
    answers: dict[str, Answer] = {}
    notes: list[str] = []
    for number, observation in enumerate(observations, 1):
        place = f"observation {number}"
        condition, answer, left_out = _answer(observation, place)
        reason = _unsettled(condition, answer, document.get("deployment"))
        if condition in answers:
            raise ValueError(f"{place} answers {condition!r} a second time")
        if condition and reason:
            notes.append(f"{_shown(condition)} is not played back: {reason}.")
        elif condition and answer is not None:
            answers[condition] = answer
            notes += [f"{condition!r} is played back without {name}: {why}." for name, why in left_out]
    if not answers:
        raise ValueError(" ".join(["it settles no row of the gateway's table", *notes]).rstrip("."))
    return Observed(source=_source(document), answers=answers, notes=tuple(notes))


def _source(document: dict[str, Any]) -> str:
    region, recorded_at = document.get("region"), document.get("recorded_at")
    if not isinstance(region, str) or not _REGION.fullmatch(region):
        raise ValueError(f"`region` is {_shown(region)}, not a region's name")
    try:
        when = datetime.fromisoformat(recorded_at or "").isoformat(timespec="seconds")
    except (TypeError, ValueError):
        raise ValueError(f"`recorded_at` is {_shown(recorded_at)}, not a time of ISO 8601") from None
    where = "a sandbox on loopback, not the cloud" if region == "loopback" else region
    return f"guestlab probe of {when}, {where}"


def _unsettled(condition: str, answer: Answer | None, facts: Any) -> str:
    """Why an answer says nothing about its row; "" if it does."""
    if condition not in {row.condition for row in TABLE}:
        return "the gateway's table has no such row"
    if answer is None:
        return "no HTTP answer came"
    if condition == "origin.blocked" and not (
        isinstance(facts, dict) and facts.get("allow_all_domains") is False
    ):
        return "the deployment asked is not known to list domains, so no Origin was blocked"
    if answer.status == 101 and condition in _NEEDS_DEPLOYMENT:
        return "the socket opened, and the sandbox has no deployment to serve it with"
    return ""


def _answer(observation: Any, place: str) -> tuple[str, Answer | None, list[tuple[str, str]]]:
    """The row, its answer, and (header, reason) for what is left out of it."""
    if not isinstance(observation, dict) or not isinstance(observation.get("condition"), str):
        raise ValueError(f"{place} has no `condition` that is a text")  # noqa: TRY004 - a value of the file
    condition, status, body = (observation.get(key) for key in ("condition", "status", "body"))
    if status is None:
        return str(condition), None, []
    if type(status) is not int or not (status == 101 or 200 <= status <= 599):
        raise ValueError(f"{place}: `status` is {_shown(status)}, not 101 or a whole number from 200 to 599")
    if condition == "open" and status != 101:
        raise ValueError(f"{place}: the handshake that works was answered {status}; a probe stops there")
    if not isinstance(body, str) or len(body.encode("utf-8", "surrogatepass")) > BODY_SIZE:
        raise ValueError(f"{place}: `body` is not a text of at most {BODY_SIZE} bytes")
    if re.search("[\ud800-\udfff]", body):
        raise ValueError(f"{place}: `body` holds half a character")
    if body and status in _BODYLESS:
        raise ValueError(f"{place}: HTTP {status} has no body")
    headers, left_out = _headers(observation.get("headers"), place)
    return str(condition), Answer(status=status, body=body, headers=headers), left_out


def _headers(pairs: Any, place: str) -> tuple[tuple[tuple[str, str], ...], list[tuple[str, str]]]:
    if not isinstance(pairs, list) or len(pairs) > MOST:
        raise ValueError(f"{place}: `headers` is not a list of at most {MOST}")
    kept: dict[str, str] = {}
    left_out: list[tuple[str, str]] = []
    for pair in pairs:
        if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(part, str) for part in pair):
            raise ValueError(f"{place}: a header is not a pair of texts")
        name, value = pair
        if not _HEADER_NAME.fullmatch(name):
            raise ValueError(f"{place}: {_shown(name)} is no header's name")
        if not _SINGLE_LINE.fullmatch(value):
            raise ValueError(f"{place}: the value of {name} is no single line of at most 4096 characters")
        name = name.lower()
        if name in HARMLESS and not value.isascii():
            left_out.append((name, "its value is not ASCII"))
        elif name in HARMLESS:  # repeated ones are one list (RFC 9110, section 5.3)
            kept[name] = f"{kept[name]}, {value.strip()}" if name in kept else value.strip()
    return tuple((name.title(), value) for name, value in kept.items()), left_out


def _shown(value: Any) -> str:
    """A value from the file, safe to print."""
    try:
        return f"{value!a:.60}"
    except (ValueError, RecursionError):  # an integer of thousands of digits
        return "unreadable"
