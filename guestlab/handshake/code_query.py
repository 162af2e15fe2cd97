"""Finds out where code opens a socket when the address is put together by calls. Pure.

`searchParams.set`, `url.Values`, `queryParam`, `UriBuilder`: what such calls add to a query is read from them
by name. What remains of it is put as `{…}`, which is unknown and not missing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from guestlab.handshake.loose_literal import LooseReader

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["UNSEEN", "address_in", "is_address", "with_made_query"]

UNSEEN = "{…}"
"""Stands for what only a running program knows."""
MAX_MADE = 10

_SET = re.compile(
    r"(?<![\w.])(?P<on>[\w.]{0,80}?)\.?\b(?:set|Set|append|Append|add|Add|append_pair|addQueryParameter|queryParam"
    r"|appendQueryParameter|addParameter|setParameter|AddQuery|query|putQueryParameter)"
    r"\(\s*[\"'](?P<name>[\w\-]+)[\"']\s*,\s*"
)
_QUERY_OWNERS = re.compile(r"searchParams|params|query|^q$|^values$|uri|url|^$", re.IGNORECASE)
"""What a name is like on which `set("access_token", …)` means a query, not a header."""
_MAKERS = re.compile(
    r"\b(?:params|searchParams|URLSearchParams|urlencode|with_query|update_query|extend_query|with_params"
    r"|(?<!JSON\.)stringify|encode_www_form|http_build_query|url\.Values|queryItems|URLQueryItem|queryParameters"
    r"|AddQueryString|QueryString\.Create|query|query_params)\b(?!\s*\.)|\)\s*%\s*\{"
)
_MADE_ID = re.compile(
    r"(?P<name>deployment_?id)\b[\"']?\s*(?:=>|[:=](?!=)|\]\s*=|,\s*value:|,)\s*", re.IGNORECASE
)
_INDEXED = re.compile(r"\[\s*[\"'](?P<name>deployment_?id)[\"']\s*\]\s*=(?!=)\s*", re.IGNORECASE)
_IN_TEXT = re.compile(r"[$@frFR]{0,2}([\"'`])[?&]?(?P<name>deployment_?id)=(?P<rest>[^\"'`]*)", re.IGNORECASE)
_QUERY_TOUCHED = re.compile(
    r"\.(?:raw_?query|query|search|queryItems|with_query|update_query|extend_query)\s*(?:=(?!=)|\()"
    r"|\bRawQuery\s*:|\.search_?params\b",
    re.IGNORECASE,
)
_SHOWS_ID = re.compile(r"[?&]deployment_?id=", re.IGNORECASE)


def is_address(value: Any) -> bool:
    """Tell whether a value is a URL, or a path of the Platform API."""
    return isinstance(value, str) and re.match(r"(?:wss?|https?)://|/api/", value.strip()) is not None


def with_made_query(url: str, text: str, names: dict[str, Any] | None = None) -> str:
    """Add what code puts into the query: the deploymentId first of all, its value where it is seen.

    Args:
        url: The address as written.
        text: The code around it.
        names: Known values by name.
    """
    if _SHOWS_ID.search(url):
        return url
    base, _, query = url.partition("?")
    made = dict(_made(text, names or {}))
    told = [part for part in query.split("&") if part and "=" in part]
    told += [f"{name}={value}" for name, value in made.items() if f"{name}=" not in query]
    if not any(re.match(r"deployment_?id=", part, re.IGNORECASE) for part in told) and (
        any("=" not in part for part in query.split("&") if part)
        or (_QUERY_TOUCHED.search(text) and not made)
    ):
        told.append(UNSEEN)
    return f"{base}?{'&'.join(told)}" if told else url


def _made(text: str, names: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The parameters that code adds to a query: (name, value or a placeholder)."""
    for found in list(_SET.finditer(text))[:MAX_MADE]:
        is_id = re.fullmatch(r"deployment_?id", found["name"], re.IGNORECASE) is not None
        if is_id or (_QUERY_OWNERS.search(found["on"].rsplit(".")[-1]) and found["on"]):
            yield found["name"], _value(text, found.end(), names)
    for maker in list(_MAKERS.finditer(text))[:MAX_MADE]:
        near = text[maker.end() : maker.end() + 300]
        found_id = _MADE_ID.search(near)
        if found_id and not re.search(r"\baction\b|\bsend|JSON\.|;|\n\s*\n", near[: found_id.start()]):
            yield found_id["name"], _value(text, maker.end() + found_id.end(), names)
    for indexed in list(_INDEXED.finditer(text))[:MAX_MADE]:
        yield indexed["name"], _value(text, indexed.end(), names)
    for said in list(_IN_TEXT.finditer(text))[:MAX_MADE]:
        inner = said["rest"].partition("&")[0]
        yield said["name"], inner or UNSEEN


def _value(text: str, at: int, names: dict[str, Any]) -> str:
    value = LooseReader(text, at, names).value()
    plain = isinstance(value, str) and value and not re.search(r"[&#\s]", value)
    return str(value) if plain else "{deploymentId}"


# -- an address that is not the call's argument -------------------------------

_GO_URL = re.compile(r"\burl\.URL\s*(?=\{)")
_BUILT_HOST = re.compile(r"\.host\(\s*\"([\w.\-${}]+)\"\s*\)|\bhost\s*[=:]\s*[\"']([\w.\-${}]+)[\"']")
_BUILT_PATH = re.compile(
    r"\.(?:addPathSegments?|encodedPath|path|appendPath)\(\s*\"([^\"]*)\"\s*\)|\bpath\s*[=:]\s*[\"']([^\"']*)[\"']"
)
_BUILT_SCHEME = re.compile(r"(?:\.scheme\(|\bscheme\s*[=:])\s*[\"'](\w+)[\"']")
_UNSPLIT = re.compile(r"\burlun(?:split|parse)\s*\(\s*(?=[(\[])")
_DIRECT = re.compile(
    r"(?:\.url\(|\bURL\(\s*string:|\bURI\(|\bURI\.create\(|\.uri\(|\bURLComponents\(\s*string:"
    r"|fromUriString\(|UriBuilder\()\s*$"
)
_SOCKET_LITERAL = re.compile(r"[$@frFR]{0,2}[\"'`](?=(?:wss?://|https?://webmessaging\.))")


def address_in(text: str, names: dict[str, Any]) -> str | None:
    """Find the address of a socket in code whose opening call does not show it; None when there is none."""
    if literal := _SOCKET_LITERAL.search(text):
        url = LooseReader(text, literal.start(), names).value()
        if not isinstance(url, str) or not is_address(url):
            return None
        made = with_made_query(url, text, names)
        if _SHOWS_ID.search(made) or "?" in made or _DIRECT.search(text[: literal.start()]):
            return made
        return f"{made}?{UNSEEN}"  # it goes through calls that are not seen
    if unsplit := _UNSPLIT.search(text):
        parts = LooseReader(text, unsplit.end(), names).value()
        if isinstance(parts, list) and all(isinstance(part, str) for part in parts[:3]) and len(parts) > 3:
            return with_made_query(f"{parts[0]}://{parts[1]}{parts[2]}?{UNSEEN}", text, names)
    if go := _GO_URL.search(text):
        return _of_go(LooseReader(text, go.end(), names).value(), text, names)
    if host := _BUILT_HOST.search(text):
        path = "/".join((found[1] or found[2]).strip("/") for found in _BUILT_PATH.finditer(text))
        scheme = _BUILT_SCHEME.search(text)
        url = f"{scheme[1] if scheme else 'wss'}://{host[1] or host[2]}/{path}"
        return with_made_query(url, text, names)
    return None


def _of_go(parts: Any, text: str, names: dict[str, Any]) -> str | None:
    """`url.URL{Scheme: "wss", Host: …, Path: …, RawQuery: …}`."""
    if not isinstance(parts, dict) or not isinstance(parts.get("Host"), str):
        return None
    path = str(parts.get("Path") or "")
    url = f"{parts.get('Scheme') or 'wss'}://{parts['Host']}{path if path[:1] in {'/', ''} else '/' + path}"
    raw = parts.get("RawQuery")
    if raw:
        url += f"?{raw}" if isinstance(raw, str) else f"?{UNSEEN}"
    return with_made_query(url, text, names)
