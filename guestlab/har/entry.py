"""One entry of a HAR: its exchange and its WebSocket messages, whatever wrote it.

Only what is needed is read. The usual types are decoded at speed; where a tool writes another one, that
entry is read again slowly, field by field, and what does not fit is left out.

How the tools write a WebSocket (read in their sources, Chromium and mitmproxy measured too):

- Chromium's developer tools (`front_end/models/har/Log.ts`): `_resourceType: "websocket"`, and
  `_webSocketMessages` with `type` send, receive or error, `time` in seconds since 1970, `opcode`, `data`,
  which is text for opcode 1 and Base64 otherwise. mitmproxy (`addons/savehar.py`, 11.0) writes the same;
  Playwright (measured with 1.65) too, but with `time` in milliseconds and timings of -1.
- Firefox (`netmonitor/src/har/har-builder.js`) and Safari (`Controllers/HARBuilder.js`): the upgrade alone,
  and no frame, in every version found.
- Charles: no frame either (inferred, PretendoNetwork/nex-viewer pull request 23). Bodies may be Base64 though
  they are text, headers hold HTTP/2's `:status`, `statusText` and `mimeType` may be null, and a posted body
  may stand as the name of its only parameter (from published exports).
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

__all__ = [
    "Content",
    "HarEntry",
    "Message",
    "Pair",
    "PostData",
    "Request",
    "Response",
    "Timings",
    "frame_text",
    "payload",
    "read_entry",
]

TEXT, BINARY, CLOSE = 1, 2, 8
"""Opcodes (RFC 6455 section 5.2)."""

_ABSENT = msgspec.Raw()


class _Piece(msgspec.Struct, gc=False):
    """A piece of a file. Its values may be secrets, so its repr shows none."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class Pair(_Piece, gc=False):
    """A header or a parameter of a form."""

    name: str
    value: str = ""


class PostData(_Piece, gc=True):
    """What was posted: as text, or as a form's parameters."""

    text: str | None = None
    params: list[Pair] | None = None


class Request(_Piece, gc=True):
    """The question."""

    method: str = ""
    url: str = ""
    version: str | None = msgspec.field(default=None, name="httpVersion")
    headers: list[Pair] = []
    posted: PostData | None = msgspec.field(default=None, name="postData")


class Content(_Piece, gc=True):
    """The answer's body."""

    size: int | None = None
    mime: str | None = msgspec.field(default=None, name="mimeType")
    text: str | None = None
    encoding: str | None = None


class Response(_Piece, gc=True):
    """The answer; `status` 0 where there was none."""

    status: int | None = None
    phrase: str | None = msgspec.field(default=None, name="statusText")
    version: str | None = msgspec.field(default=None, name="httpVersion")
    headers: list[Pair] = []
    content: Content | None = None
    error: str | None = msgspec.field(default=None, name="_error")


class Timings(_Piece, gc=False):
    """Milliseconds; -1 where a phase did not happen. `connect` includes `ssl`."""

    blocked: float | None = None
    dns: float | None = None
    connect: float | None = None
    send: float | None = None
    wait: float | None = None


class Message(_Piece, gc=False):
    """One WebSocket message as Chromium writes it; `encoding` as a body has it, in case a tool says so."""

    type: Literal["send", "receive", "request", "response", "error", ""] = ""
    time: float | None = None
    opcode: int | None = None
    data: str | None = None
    encoding: str | None = None

    @property
    def is_sent(self) -> bool:
        """Whether the client said it."""
        return self.type in {"send", "request"}


class HarEntry(_Piece, gc=True):
    """One entry."""

    started: str = msgspec.field(default="", name="startedDateTime")
    time: float | None = None
    request: Request | None = None
    response: Response | None = None
    timings: Timings | None = None
    resource_type: str | None = msgspec.field(default=None, name="_resourceType")
    messages: list[Message] | None = msgspec.field(default=None, name="_webSocketMessages")
    error: str | None = msgspec.field(default=None, name="_error")
    guestlab: msgspec.Raw = msgspec.field(default=_ABSENT, name="_guestlab")

    @property
    def url(self) -> str:
        """Where it went."""
        return self.request.url if self.request else ""

    @property
    def is_socket(self) -> bool:
        """Whether it is a WebSocket: by its URL, its type, its frames or its headers."""
        return (
            self.url[:6].lower().startswith(("ws://", "wss://"))
            or self.resource_type == "websocket"
            or self.messages is not None
            or any(
                len(pair.name) == 7 and pair.name.lower() == "upgrade" and pair.value.lower() == "websocket"
                for pair in (self.request.headers if self.request else ())
            )
        )


_ENTRY = msgspec.json.Decoder(HarEntry)


def read_entry(raw: msgspec.Raw | bytes) -> HarEntry:
    """Read one entry; never raise."""
    try:
        return _ENTRY.decode(raw)
    except (msgspec.DecodeError, ValueError, RecursionError):
        entry: HarEntry = _leniently(HarEntry, _anything(raw))
        return entry


def payload(text: str, encoding: str | None) -> bytes | None:
    """Return the bytes of a body or frame that is Base64; None when it says so and is not."""
    if encoding != "base64":
        return text.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(text, validate=False)
    except (binascii.Error, ValueError):
        return None


def frame_text(message: Message) -> str | bytes | None:
    """Return what a message says: text, bytes that are none, or None for pings and the like."""
    data = message.data
    if data is None or message.opcode not in (None, TEXT, BINARY):
        return None
    if message.opcode != BINARY and message.encoding != "base64":
        return data
    held = payload(data, "base64")
    if held is None:
        return data  # said to be Base64, and is not
    try:
        return held.decode()
    except UnicodeDecodeError:
        return held


# -- slowly -----------------------------------------------------------------------------------------------


def _anything(raw: msgspec.Raw | bytes) -> Any:
    try:
        return json.loads(bytes(raw).decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None


def _leniently(kind: type[Any], value: Any) -> Any:
    """Fit anything into a structure: what is of another type is left out."""
    held = value if isinstance(value, Mapping) else {}
    known = {}
    for field in msgspec.structs.fields(kind):
        fit = _FITS[kind.__name__, field.encode_name]
        if (fitted := fit(held.get(field.encode_name))) is not None:
            known[field.name] = fitted
    return kind(**known) if kind is not Pair else Pair(known.get("name", ""), known.get("value", ""))


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _whole(value: Any) -> int | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < 2**63 else None  # NaN is not less than anything


def _raw(value: Any) -> msgspec.Raw | None:
    return None if value is None else msgspec.Raw(json.dumps(value).encode())


def _messages(value: Any) -> list[Message] | None:
    return [_leniently(Message, item) for item in value] if isinstance(value, list) else None


def _kind(value: Any) -> str | None:
    return value if value in ("send", "receive", "request", "response", "error") else None


def _pairs(value: Any) -> list[Pair] | None:
    if not isinstance(value, list):
        return None
    named = (item for item in value if isinstance(item, Mapping) and isinstance(item.get("name"), str))
    return [_leniently(Pair, item) for item in named]


def _part(kind: type[Any]) -> Any:
    return lambda value: _leniently(kind, value) if isinstance(value, Mapping) else None


_FITS: dict[tuple[str, str], Any] = {
    ("Pair", "name"): _text,
    ("Pair", "value"): _text,
    ("PostData", "text"): _text,
    ("PostData", "params"): _pairs,
    ("Request", "method"): _text,
    ("Request", "url"): _text,
    ("Request", "httpVersion"): _text,
    ("Request", "headers"): _pairs,
    ("Request", "postData"): _part(PostData),
    ("Content", "size"): _whole,
    ("Content", "mimeType"): _text,
    ("Content", "text"): _text,
    ("Content", "encoding"): _text,
    ("Response", "status"): _whole,
    ("Response", "statusText"): _text,
    ("Response", "httpVersion"): _text,
    ("Response", "headers"): _pairs,
    ("Response", "content"): _part(Content),
    ("Response", "_error"): _text,
    **{("Timings", field.encode_name): _number for field in msgspec.structs.fields(Timings)},
    ("HarEntry", "startedDateTime"): _text,
    ("HarEntry", "time"): _number,
    ("HarEntry", "request"): _part(Request),
    ("HarEntry", "response"): _part(Response),
    ("HarEntry", "timings"): _part(Timings),
    ("HarEntry", "_resourceType"): _text,
    ("HarEntry", "_webSocketMessages"): _messages,
    ("HarEntry", "_error"): _text,
    ("HarEntry", "_guestlab"): _raw,
    ("Message", "type"): _kind,
    ("Message", "time"): _number,
    ("Message", "opcode"): _whole,
    ("Message", "data"): _text,
    ("Message", "encoding"): _text,
}
