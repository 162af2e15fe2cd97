"""One exchange of the log as the object a HAR wants: all mandatory fields, and -1 where nothing is known.

The specification's rules: `blocked`, `dns`, `connect` and `ssl` are -1 when they do not apply, `connect`
includes `ssl`, `send`, `wait` and `receive` are never negative, and `time` is the sum of all but `ssl`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from guestlab.har.entry import Content, Pair, PostData, Request, Response
from guestlab.har.http_text import Parts, body_text, parts_of, posted_text, request_text, response_text
from guestlab.log.entry import Step

if TYPE_CHECKING:
    from guestlab.log.entry import Entry

__all__ = ["exchange_parts"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NOWHERE = "wss://unknown.invalid/"
"""The URL of a socket whose upgrade is not in the log; RFC 2606 keeps the domain free."""
_NO_UPGRADE = "The upgrade of this socket is not in the log."


def exchange_parts(
    first: Entry, request: Entry | None, response: Entry | None, path: dict[Step, float], *, is_socket: bool
) -> dict[str, Any]:
    """Return one entry of a HAR, without the frames.

    Args:
        first: The first entry of the log that belongs to it.
        request: The request, unless only frames are there.
        response: The answer, if there is one.
        path: Milliseconds of the steps that led to it.
        is_socket: Whether it opened a WebSocket.
    """
    asked, asked_drawn = _asked(request, first)
    answered, answered_drawn = _answered(response)
    timings = _timings(response, path)
    kept: dict[str, Any] = {"seq": first.seq}
    for name, entry, drawn in (("request", request, asked_drawn), ("response", response, answered_drawn)):
        if entry is not None:
            kept[name] = entry.filled()
        if drawn:
            kept[f"{name}_drawn"] = True
            del kept[name]["raw"]
    parts = {
        "_guestlab": kept,
        "startedDateTime": _moment(_began(first, response, timings)),
        "time": sum(timings[name] for name in _PHASES if timings[name] > 0),
        "request": _request(asked, request),
        "response": _response(answered, response),
        "cache": {},
        "timings": timings,
    }
    if is_socket:
        parts["_resourceType"] = "websocket"
    if request is None:
        parts["comment"] = _NO_UPGRADE
    return parts


def _asked(entry: Entry | None, first: Entry) -> tuple[Request, bool]:
    """Take a request apart, and tell whether it can be put together again."""
    if entry is None or entry.raw is None:
        return Request((entry or first).method or "GET", first.url or _NOWHERE), False
    parts = parts_of(entry.raw)
    method, _, rest = parts.first.partition(" ")
    request = Request(method, entry.url or _NOWHERE, rest.rpartition(" ")[2], _pairs(parts))
    if parts.body:
        request.posted = PostData(parts.body)
    return request, request_text(request, posted_text(request) or "") == entry.raw


def _answered(entry: Entry | None) -> tuple[Response, bool]:
    if entry is None or entry.raw is None:
        return Response(entry.http_status if entry else None), False
    parts = parts_of(entry.raw)
    version, _, rest = parts.first.partition(" ")
    response = Response(entry.http_status, rest.partition(" ")[2], version, _pairs(parts))
    response.content = Content(text=parts.body)
    return response, response_text(response, body_text(response.content)[0]) == entry.raw


def _pairs(parts: Parts) -> list[Pair]:
    return [Pair(name, value) for name, value in parts.headers]


def _headers(pairs: list[Pair]) -> list[dict[str, str]]:
    return [{"name": pair.name, "value": pair.value} for pair in pairs]


def _header(pairs: list[Pair], name: str) -> str:
    return next((pair.value for pair in pairs if pair.name.lower() == name), "")


def _request(request: Request, entry: Entry | None) -> dict[str, Any]:
    posted = posted_text(request)
    parts = {
        "method": request.method,
        "url": request.url,
        "httpVersion": request.version or "HTTP/1.1",
        "cookies": [],
        "headers": _headers(request.headers),
        "queryString": [
            {"name": name, "value": value}
            for name, value in parse_qsl(request.url.partition("?")[2], keep_blank_values=True)
        ],
        "headersSize": _head_size(entry),
        "bodySize": entry.size if entry is not None and entry.size is not None else -1,
    }
    if posted is not None:
        parts["postData"] = {"mimeType": _header(request.headers, "content-type"), "text": posted}
    return parts


def _response(response: Response, entry: Entry | None) -> dict[str, Any]:
    size = entry.size if entry is not None and entry.size is not None else None
    mime = _header(response.headers, "content-type") or "x-unknown"
    content: dict[str, Any] = {"size": size or 0, "mimeType": mime}
    if response.content is not None and response.content.text:
        content["text"] = response.content.text
    parts = {
        "status": response.status or 0,
        "statusText": response.phrase or "",
        "httpVersion": response.version or "",
        "cookies": [],
        "headers": _headers(response.headers),
        "content": content,
        "redirectURL": _header(response.headers, "location"),
        "headersSize": _head_size(entry),
        "bodySize": -1 if size is None else size,
    }
    if not response.status:
        parts["_error"] = (entry.note if entry is not None else None) or "No answer is in the log."
    return parts


def _head_size(entry: Entry | None) -> int:
    """Bytes of the head, the empty line included: of the masked one, for the real one is not kept."""
    head, end, _ = (entry.raw if entry is not None and entry.raw else "").partition("\r\n\r\n")
    return len(head.encode()) + len(end) if end else -1


_PHASES = ("dns", "connect", "send", "wait", "receive")


def _timings(response: Entry | None, path: dict[Step, float]) -> dict[str, float]:
    tcp, tls = path.get(Step.TCP), path.get(Step.TLS)
    latency = response.latency_ms if response is not None else None
    return {
        "blocked": -1,
        "dns": path.get(Step.DNS, -1),
        "connect": -1 if tcp is None else tcp + (tls or 0),
        "ssl": -1 if tls is None else tls,
        "send": 0,
        "wait": max(latency or 0, 0),
        "receive": 0,
    }


def _began(first: Entry, response: Entry | None, timings: dict[str, float]) -> int:
    """When it began. The upgrade of a session is recorded when it is answered, its steps before it."""
    began = first.at
    if response is not None and response.latency_ms is not None:
        began = min(began, response.at - _nanoseconds(response.latency_ms))
    began -= sum(_nanoseconds(timings[name]) for name in ("dns", "connect") if timings[name] > 0)
    return max(began, -(2**63))


def _nanoseconds(milliseconds: float) -> int:
    """A latency that some file claims may be longer than history, and longer than a float's nanoseconds."""
    return int(max(-(2.0**63), min(milliseconds * 1e6, 2.0**63)))


def _moment(nanoseconds: int) -> str:
    """Write a time as ISO 8601 with its zone."""
    moment = _EPOCH + timedelta(microseconds=nanoseconds // 1000)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
