"""Reads an attempt out of pasted code: which call opens or asks, with what. Pure.

Two tables: the calls that open a WebSocket and the calls that make an HTTP request, in the libraries people
use. Values come from `LooseReader`; nothing is run.
"""

from __future__ import annotations

import json
import re
from itertools import islice
from typing import Any

from guestlab.handshake.code_frames import read_frames
from guestlab.handshake.code_headers import socket_headers, socket_subprotocols
from guestlab.handshake.code_query import address_in, is_address, with_made_query
from guestlab.handshake.loose_literal import LooseReader

__all__ = ["looks_like_code", "read_code", "with_made_query"]

MAX_CODE = 100_000
"""Characters of code that are looked at."""
MAX_ASKED = 100
"""Calls that are read until one of them is a request."""

_OPENS = re.compile(
    r"\b(?:new\s+(?:\w+\.)?(?:Reconnecting)?(?:WebSocket|ws|WS|W3CWebSocket|WebSocketClient|SockJS)"
    r"|websockets?(?:\.(?:asyncio|sync))?(?:\.client)?\.connect|(?:\w+\.)?ws_connect|(?:websocket\.)?create_connection"
    r"|(?:websocket\.)?WebSocketApp|websocket\.connect|WebSocket\.connect|(?:\w+\.)?DefaultDialer\.Dial(?:Context)?"
    r"|(?:\w+\.)?ConnectAsync|(?:\w*\.)?buildAsync|(?:\w+\.)?newWebSocket|(?:IO)?WebSocketChannel\.connect|websocket\.Dial|webSocketTask|connect_async|WebSockex\.start(?:_link)?"
    r"|WebSocket::Client(?:::Simple)?\.(?:new|connect)|new\s+\\?(?:WebSocket\\)?Client|(?:client|httpClient)\.(?:webSocket|wss?)(?:Session)?|(?<![\w.])connect(?=\(\s*[frb]{0,2}[\"'`]wss?:))\s*(?=\()"
)
_ASKS = re.compile(
    r"\b(?:(?:requests|httpx|client|self\.client|http|axios|got|ky|superagent|aiohttp|\w*session|api)"
    r"\.(?P<method>get|post|put|patch|delete|head|request)|(?P<fetch>fetch|axios|got|urlopen|\$\.ajax|request))\s*(?=\()",
    re.IGNORECASE,
)
_ASSIGNS = re.compile(
    r"(?:^|[;\n{(,])\s{0,80}(?:(?:const|let|var|val|final|String|string|auto|Uri|URI|URL)\s+)?([A-Za-z_$][\w$]*)"
    r"\s*(?::\s*[\w\[\], |]+)?\s*(?::=|=)(?!=)\s*"
    r"(?=[\"'`{\[]|[frbFRB]{1,2}[\"']|json\.dumps|JSON\.stringify"
    r"|[$@]{1,2}\"|fmt\.Sprintf|[Ss]tring\.[Ff]ormat|new (?:Uri|URI|URL|UriBuilder)\("
    r"|(?:URI\.create|Uri\.parse)\(|(?:\w+\.)?URL\(|URI\(|URLComponents\()"
)
_ISSUED = re.compile(
    r"(?<![\w.$])([A-Za-z_$][\w$]{0,60})\s{0,4}:?=(?!=)(?!\s*(?:[{\[\"'`]|[frbFRB]{1,2}[\"']))[^\n;+]{0,400}?"
    r"(?:[\"'](?:access_token|accessToken)[\"']\s*[\])]|\.(?:access_token|accessToken|AccessToken)\b)"
    r"|\baccess_token\s*:\s*([A-Za-z_$][\w$]*)\s*\}\s*=",
)
"""A name that is given the access token out of an answer."""
_FUNCTION = re.compile(
    r"(?:\bdef|\bfunction|\bfunc|\bfun|\bfn)\s+(\w{1,60})\s*\(|\b(?:const|let|var)\s+(\w{1,60})\s*=\s*(?:async\s*)?\("
)
_RETURNS_ISSUED = re.compile(r"\breturn\b[^\n]{0,200}\baccess_?token\b", re.IGNORECASE)
_SOCKET_PACKAGES = re.compile(r"\bwebsockets\b|tungstenite|wss?://", re.IGNORECASE)
_CONNECTS = re.compile(
    r"(?<![\w.])(?:await\s+)?(?:connect|connect_async)\s*(?=\(\s*&?\w+)(?!\([^)]*\)\s*\()|\bwebSocketTask\s*(?=\(\s*with:)"
)
_SOCKET_IO = re.compile(
    r"\bio(?:\.connect)?\s*(?=\(\s*[\"'`](?:wss?|https?)://)|\bsio\.connect\s*(?=\()|\bSockJS\s*(?=\()"
)
_SPEAKS_OTHERWISE = {"io": "socket.io", "sio": "socket.io", "SockJS": "SockJS"}
"""Clients whose frames are wrapped in a protocol of their own."""
_POWERSHELL = re.compile(r"\bInvoke-(?:RestMethod|WebRequest)\b", re.IGNORECASE)
_CODE_SIGNS = re.compile(
    r"new\s+\w*(?:WebSocket|SockJS)\w*\s*\(|\bwebsockets?\.\w|\bws_connect\(|create_connection\(|WebSocketApp\("
    r"|\brequests\.\w+\(|\bhttpx\.\w+\(|\bfetch\(\s*[\"'`]|\baxios[.(]|Invoke-(?:RestMethod|WebRequest)"
    r"|WebSocket::Client|WebSocket\\Client|newWebSocket\(|webSocketTask\(|\bconnect_async\(|\bio\(\s*[\"'`](?:wss?|https?):"
    r"|(?:const|let|var)\s+\w+\s*=|^\s*(?:import|from)\s+\w|^\s*(?:async )?def \w+\("
    r"|\bconnect\(\s*f?[\"'`]wss?:|\b(?:ConnectAsync|buildAsync|newWebSocket)\(|\bDefaultDialer\.Dial|:=|WebSocketChannel\.connect\("
    r"|WebSockex\.|\b(?:client|httpClient)\.(?:webSocket|wss?)(?:Session)?\(",
    re.MULTILINE,
)


_COMMENTED = re.compile(r"^[ \t]*(?://|#|--)[^\n]*", re.MULTILINE)
"""Lines that are comments as a whole: what stands there was not done."""
_BASIC_AUTH = re.compile(r"\bauth\s*[=:]\s*[\w.]*BasicAuth\(")


def looks_like_code(text: str) -> bool:
    """Tell whether a text is a snippet rather than prose."""
    return _CODE_SIGNS.search(text) is not None


def read_code(text: str) -> dict[str, Any]:
    """Read the first attempt in a snippet: a socket before a request. {} when there is none."""
    text = _COMMENTED.sub("", text[:MAX_CODE])
    names = _names(text)
    if opened := _opening(text):
        return _socket(text, opened, names)
    if _POWERSHELL.search(text):
        return _powershell(text)
    for asked in islice(_ASKS.finditer(text), MAX_ASKED):
        method = (asked["method"] or "").upper()
        name = (asked["fetch"] or asked[0].partition(".")[0]).strip()
        found = _asked(method, *LooseReader(text, asked.end(), names).call())
        if found:
            if _BASIC_AUTH.search(text):
                found["headers"] = (*found["headers"], ("Authorization", "Basic {id:secret}"))
            if found["method"] == "GET" and re.search(r"://[^/]+/v1/?$", found["url"]):
                found["url"] = with_made_query(found["url"], text, names)
            return {**found, "client": name}
    return {}


def _opening(text: str) -> re.Match[str] | None:
    """The call that opens a socket."""
    opened = _OPENS.search(text)
    if opened is None and _SOCKET_PACKAGES.search(text):
        opened = _CONNECTS.search(text)
    return opened or _SOCKET_IO.search(text)


def _socket(text: str, opened: re.Match[str], names: dict[str, Any]) -> dict[str, Any]:
    """What opens the socket: its address, headers, subprotocols, and what is sent on it."""
    reader = LooseReader(text, opened.end(), names)
    positional, named = reader.call()
    found = _opened(positional, named)
    call = opened[0]
    if found["url"]:
        found["url"] = with_made_query(found["url"], text, names)
    elif _is_connect_uri(positional):
        found["url"] = "wss://streaming.{region}/channels/{id}"
    else:
        found["url"] = address_in(text, names)
    if found["url"] and "newWebSocket" in call and "Builder" not in call:
        found["url"] = re.sub(r"^http", "ws", found["url"])  # OkHttp takes https:// for wss:// here
    found["headers"] += socket_headers(text, opened.start(), reader.at)
    found["subprotocols"] += socket_subprotocols(text)
    found["client"] = _SPEAKS_OTHERWISE.get(re.sub(r"\W*new\s+|[\s.(].*", "", call, flags=re.DOTALL))
    found.update(read_frames(text, opened.start(), opened.end(), names))
    return found


def _is_connect_uri(positional: list[Any]) -> bool:
    """Whether the address is what a notification channel was made with."""
    return any(isinstance(value, str) and re.search(r"connect_?uri", value, re.IGNORECASE) is not None
               for value in positional[:1])  # fmt: skip


def _names(text: str) -> dict[str, Any]:
    """Simple assignments: name → literal value; and names an access token is given."""
    names: dict[str, Any] = {}
    for name in _given_by_functions(text):
        names[name] = "{access_token}"
    for issued in list(_ISSUED.finditer(text))[:20]:
        name = issued[1] or issued[2]
        if len(re.findall(rf"(?<![\w.]){re.escape(name)}\s*:?=(?!=)", text)) <= 1:
            names[name] = "{access_token}"
    for assigned in list(_ASSIGNS.finditer(text))[:100]:
        value = LooseReader(text, assigned.end(), names).value()
        if isinstance(value, str | dict | list):
            names.setdefault(assigned[1], value)
    return names


def _given_by_functions(text: str) -> set[str]:
    """Names that are given what a function of the snippet returns, where that is an access token."""
    starts = list(_FUNCTION.finditer(text))[:50]
    ends = [begin.start() for begin in starts[1:]] + [len(text)] * bool(starts)
    found = set()
    for begin, end in zip(starts, ends, strict=True):
        if _RETURNS_ISSUED.search(text, begin.end(), min(end, begin.end() + 3_000)):
            called = re.escape(begin[1] or begin[2])
            given = rf"(?<![\w.])(\w{{1,60}})\s{{0,4}}:?=\s{{0,4}}(?:await\s+)?(?:self\.|this\.)?{called}\("
            found.update(re.findall(given, text))
    return found


_HEADER_KEYS = ("headers", "additional_headers", "extra_headers", "header")


def _opened(positional: list[Any], named: dict[str, Any]) -> dict[str, Any]:
    strings = [value for value in positional if isinstance(value, str)]
    url = next((v for v in (*strings, named.get("url"), named.get("uri")) if is_address(v)), None)
    rest = [value for value in positional if value is not url]
    options = {key: value for item in rest if isinstance(item, dict) for key, value in item.items()} | named
    offered = next((item for item in rest if isinstance(item, list)), None)
    if offered is None and len(strings) > 1 and strings[1] is not url and _may_be_offered(strings[1]):
        offered = [strings[1]]
    headers = _pairs(next((options[key] for key in _HEADER_KEYS if options.get(key)), None))
    if isinstance(options.get("origin"), str):
        headers.append(("Origin", options["origin"]))
    listed = options.get("subprotocols") or options.get("protocols") or offered or []
    is_socket = not isinstance(url, str) or not url.lower().startswith("http")
    return {
        "url": url,
        "method": "GET" if is_socket else None,  # a socket's client wants ws: it makes no request of this
        "headers": tuple(headers),
        "subprotocols": tuple(str(item) for item in (listed if isinstance(listed, list) else [listed])),
    }


def _may_be_offered(value: str) -> bool:
    """A second argument is a subprotocol if it is a text; of a variable only its name can tell."""
    named = re.search(
        r"cancel|(proto|token|jwt|bearer)", value, re.IGNORECASE
    )  # C# passes a CancellationToken
    return not value.startswith("{") or (named is not None and named[1] is not None)


def _pairs(headers: Any) -> list[tuple[str, str]]:
    if isinstance(headers, dict):
        return [(str(name), str(value)) for name, value in headers.items()]
    if not isinstance(headers, list):
        return []
    lines = (item.partition(":") for item in headers if isinstance(item, str))
    pairs = [(name.strip(), value.strip()) for name, mark, value in lines if mark]
    return pairs + [(str(i[0]), str(i[1])) for i in headers if isinstance(i, list) and len(i) == 2]


def _asked(method: str, positional: list[Any], named: dict[str, Any]) -> dict[str, Any]:
    options = {
        key: value for item in positional if isinstance(item, dict) for key, value in item.items()
    } | named
    strings = [value for value in positional if isinstance(value, str)]
    url = next((value for value in (*strings, options.get("url")) if is_address(value)), None)
    if url is None:
        return {}
    given = options.get("method") or options.get("type")
    if method in {"", "REQUEST"}:
        verb = strings[0] if strings and strings[0] is not url and len(strings[0]) < 8 else None
        method = str(given or verb or ("POST" if _body(options) is not None else "GET")).upper()
    headers = _pairs(options.get("headers"))
    body = _body(options)
    if body is None and method in {"POST", "PUT", "PATCH"}:
        body = next(
            (v for v in positional if v is not url and isinstance(v, dict) and "headers" not in v), None
        )
        headers += [("Content-Type", "application/json")] * (body is not None and not _has_type(headers))
    elif not _has_type(headers):
        headers += _implied_type(options, body)
    headers += _basic(options)
    return {
        "url": url,
        "method": method,
        "headers": tuple(headers),
        "request_body": body,
        "token_kind": _grant(body),
    }


def _has_type(headers: list[tuple[str, str]]) -> bool:
    return any(name.lower() == "content-type" for name, _ in headers)


def _body(options: dict[str, Any]) -> Any:
    return next(
        (options[key] for key in ("json", "data", "body", "content") if options.get(key) is not None), None
    )


def _implied_type(options: dict[str, Any], body: Any) -> list[tuple[str, str]]:
    """Python's `json=` and `data=` choose the content type by themselves."""
    if options.get("json") is not None:
        return [("Content-Type", "application/json")]
    if "data" in options and isinstance(body, dict):
        return [("Content-Type", "application/x-www-form-urlencoded")]
    return []


def _basic(options: dict[str, Any]) -> list[tuple[str, str]]:
    auth = options.get("auth")
    return (
        [("Authorization", "Basic {id:secret}")] if isinstance(auth, list | dict) and len(auth) == 2 else []
    )


def _grant(body: Any) -> str | None:
    text = json.dumps(body, default=str) if isinstance(body, dict) else str(body or "")
    if "code_verifier" in text:
        return "pkce"
    found = re.search(r"grant_type\W+(client_credentials|authorization_code)", text)
    return found[1] if found else None


def _powershell(text: str) -> dict[str, Any]:
    """Read `Invoke-RestMethod -Uri … -Method … -Headers @{…} -Body …`."""
    url = re.search(r"-Uri\s+[\"']?([^\s\"']+)", text, re.IGNORECASE) or re.search(
        r"[\"'](https?://[^\"']+)", text
    )
    method = re.search(r"-Method\s+[\"']?(\w+)", text, re.IGNORECASE)
    kind = re.search(r"-ContentType\s+[\"']([^\"']+)", text, re.IGNORECASE)
    headers = re.findall(r"[\"']?([A-Za-z\-]+)[\"']?\s*=\s*[\"']([^\"']*)[\"']", text)
    body = re.search(r"-Body\s+(?:'([^']*)'|\"([^\"]*)\")", text, re.IGNORECASE)
    pairs = [
        (name, value)
        for name, value in headers
        if name.lower() in {"authorization", "content-type", "origin"}
    ]
    if kind:
        pairs.append(("Content-Type", kind[1]))
    payload = (body[1] or body[2]) if body else None
    return {
        "client": "Invoke-RestMethod",
        "url": url[1] if url else None,
        "method": method[1].upper() if method else ("POST" if payload else "GET"),
        "headers": tuple(pairs),
        "request_body": payload,
        "token_kind": _grant(payload),
    }
