"""Reads command lines as pasted: curl, wscat, websocat, with quotes and continuations. Pure.

Shells differ in quoting: POSIX quotes and backslashes, carets of cmd, backticks of PowerShell. Nothing here
is ever run, and no input makes it fail: what is not understood is left out.
"""

from __future__ import annotations

import base64
import re
from typing import Any
from urllib.parse import quote

__all__ = ["COMMAND", "SHELL_CUT", "read_command", "split_words"]

SHELL_CUT = "the shell cuts the command at an & outside quotes"
"""Noted where an unquoted & takes the deploymentId off the URL."""

COMMAND = re.compile(
    r"^[ \t]*(?:[$#>%]\s+|PS [^>\n]*>\s*|sudo\s+)*(curl|wscat|websocat)(?:\.exe)?(?=\s)", re.MULTILINE
)
"""Where a command line begins."""

MAX_COMMAND = 100_000
"""Characters of a command line that are looked at."""

_ALIASES = {
    "X": "request",
    "H": "header",
    "d": "data",
    "u": "user",
    "b": "cookie",
    "A": "user-agent",
    "G": "get",
    "I": "head",
    "F": "form",
    "T": "upload-file",
}
"""Short options of curl that say something about the request."""
_OTHER_VALUED = dict.fromkeys("eowmxcKEDrUCYyztQ", "other")
"""Short options of curl that take a value of no interest here."""
_VALUED = frozenset(
    str.split(
        """request header data user cookie form upload-file other data-raw data-binary data-ascii
        data-urlencode json url oauth2-bearer form-string cacert capath cert key resolve connect-to
        connect-timeout max-time retry retry-delay output write-out proxy noproxy user-agent referer
        interface ciphers cookie-jar config range dump-header limit-rate proto tls-max aws-sigv4
        url-query dns-servers"""
    )
)
"""Long options of curl that take a value."""

_WSCAT = {"c": "connect", "H": "header", "s": "subprotocol", "o": "origin", "x": "execute", "p": "version"}
_WSCAT_VALUED = frozenset(
    str.split(
        """connect header subprotocol origin execute version protocol wait listen host auth ca cert key
        proxy"""
    )
)
_WEBSOCAT = {"H": "header"}
_WEBSOCAT_VALUED = frozenset(
    str.split("""header protocol origin ping-interval ping-timeout basic-auth buffer-size""")
)


def read_command(text: str) -> tuple[dict[str, Any], str]:
    """Read the first command line of a text: evidence fields, and the text that follows the command."""
    start = COMMAND.search(text)
    if start is None:
        return {}, text
    words, rest = split_words(text[start.end() :][:MAX_COMMAND])
    read = {"curl": _curl, "wscat": _wscat, "websocat": _websocat}[start[1]]
    found = read(words)
    lost = _CUT_OFF.match(rest)
    if lost and "?" in (found.get("url") or ""):
        rest = rest[lost.end() :]
        found["note"] = f"({SHELL_CUT}; {lost[1]} was no part of the URL)"
    return found, rest


_LOST = r"&((?:[\w.\-]{1,60}=[^\s&'\"|;]{0,400}&){0,12}deployment_?id=[^\s'\"|;]{0,400})(?=[ \t]*(?:\n|$))"
_CUT_OFF = re.compile(_LOST, re.IGNORECASE)
"""What an unquoted & takes off the end of a command, where deploymentId is in it; else it does not matter."""
_PIECE = re.compile(rf"(?:[^\s\\'\"|;&]|&(?!(?<=&){_LOST[1:]}))+", re.IGNORECASE)


def split_words(text: str) -> tuple[list[str], str]:
    """Split one command line into words, across continued lines; also return what follows it."""
    text = text.replace("\r\n", "\n").translate({0x201C: '"', 0x201D: '"', 0x2018: "'", 0x2019: "'"})
    if re.search(r"\^\s*\n|\^\"", text):
        text = re.sub(r"\^[ \t]*\n", " ", text)
        text = re.sub(r"\^(.)", r"\1", text)
    text = re.sub(r"`[ \t]*\n", " ", text)
    words: list[str] = []
    word: list[str] | None = None
    at = 0
    while at < len(text):
        character = text[at]
        if character == "\n":
            at += 1
            break
        if character in " \t":
            words, word = _finished(words, word)
        elif character == "\\":
            at += 1
            if at < len(text) and text[at] != "\n":
                word = [*(word or []), text[at]]
        elif character in "'\"" or text.startswith("$'", at):
            inner, at = _quoted(text, at)
            word = [*(word or []), inner]
            continue
        elif character in "|;" or (character == "&" and (word is None or _CUT_OFF.match(text, at))):
            break
        else:
            stretch = _PIECE.match(text, at)
            piece = stretch[0] if stretch else character
            word = [*(word or []), piece]
            at += len(piece)
            continue
        at += 1
    return _finished(words, word)[0], text[at:]


def _finished(words: list[str], word: list[str] | None) -> tuple[list[str], None]:
    return (words, None) if word is None else ([*words, "".join(word)], None)


def _quoted(text: str, at: int) -> tuple[str, int]:
    """Read a quoted stretch; a quote that never closes ends with the text."""
    ansi = text.startswith("$'", at)
    mark = "'" if ansi else text[at]
    at += 2 if ansi else 1
    inner: list[str] = []
    while at < len(text) and text[at] != mark:
        if text[at] == "\\" and (ansi or mark == '"') and at + 1 < len(text):
            follower = text[at + 1]
            if ansi:
                inner.append({"n": "\n", "t": "\t", "r": "\r"}.get(follower, follower))
            else:
                inner.append(follower if follower in '"\\$`' else "" if follower == "\n" else "\\" + follower)
            at += 2
        else:
            stretch = re.compile(r"[^\\'\"]+").match(text, at)
            inner.append(stretch[0] if stretch else text[at])
            at += len(inner[-1])
    return "".join(inner), at + 1


def _options(
    words: list[str], short: dict[str, str], valued: frozenset[str]
) -> tuple[list[tuple[str, str]], list[str]]:
    """Sort words into options with their values, and the rest."""
    options: list[tuple[str, str]] = []
    loose: list[str] = []
    queue = list(words)
    while queue:
        word = queue.pop(0)
        if word.startswith("--") and len(word) > 2:
            name, mark, value = word[2:].partition("=")
            options.append((name, value if mark else queue.pop(0) if name in valued and queue else ""))
        elif word.startswith("-") and len(word) > 1:
            options += _bundle(word[1:], queue, short, valued)
        else:
            loose.append(word)
    return options, loose


def _bundle(
    letters: str, queue: list[str], short: dict[str, str], valued: frozenset[str]
) -> list[tuple[str, str]]:
    """Read `-sSi`, `-XPOST`, `-H 'a: b'`: the first letter that takes a value takes the rest."""
    found: list[tuple[str, str]] = []
    for number, letter in enumerate(letters[:40]):
        name = short.get(letter, letter)
        if name in valued:
            rest = letters[number + 1 :].removeprefix("=")
            return [*found, (name, rest or (queue.pop(0) if queue else ""))]
        found.append((name, ""))
    return found


def _all(options: list[tuple[str, str]], *names: str) -> list[str]:
    return [value for name, value in options if name in names]


def _headers(options: list[tuple[str, str]]) -> list[tuple[str, str]]:
    pairs = (line.partition(":") for line in _all(options, "header"))
    return [(name.strip(), value.strip()) for name, mark, value in pairs if mark]


def _curl(words: list[str]) -> dict[str, Any]:
    options, loose = _options(words, _ALIASES | _OTHER_VALUED, _VALUED)
    given = dict(options)
    headers = _headers(options)
    names = {name.lower() for name, _ in headers}
    data = _data(options)
    url = given.get("url") or next((word for word in loose if "." in word or "/" in word), "")
    if "get" in given and data:
        url, data = f"{url}{'&' if '?' in url else '?'}{data}", ""
    if "json" in given:
        headers += [("Content-Type", "application/json")] * ("content-type" not in names)
    elif data and "content-type" not in names:
        headers.append(("Content-Type", "application/x-www-form-urlencoded"))
    if {"form", "form-string"} & set(given):
        headers.append(("Content-Type", "multipart/form-data"))
    headers += _credentials(given)
    headers += [("Cookie", value) for value in _all(options, "cookie") if "=" in value]
    if "user-agent" not in names:
        headers.append(("User-Agent", given.get("user-agent") or "curl"))  # curl always sends one
    posted = bool(data) or bool({"form", "form-string"} & set(given))
    implied = "HEAD" if "head" in given else "PUT" if "upload-file" in given else "POST" if posted else "GET"
    version = next((f" --{name}" for name in given if name.startswith("http")), "")
    return {
        "client": f"curl{version}",
        "url": url or None,
        "method": given.get("request") or implied,
        "headers": tuple(headers),
        "request_body": data or None,
        "token_kind": _grant(data),
    }


def _data(options: list[tuple[str, str]]) -> str:
    parts = []
    for name, value in options:
        if name in {"data", "data-raw", "data-binary", "data-ascii", "json"}:
            parts.append(value)
        elif name == "data-urlencode":
            key, mark, plain = value.partition("=")
            parts.append(f"{key}={quote(plain, safe='')}" if mark else quote(value, safe=""))
    return "&".join(parts)


def _credentials(given: dict[str, str]) -> list[tuple[str, str]]:
    if "oauth2-bearer" in given:
        return [("Authorization", f"Bearer {given['oauth2-bearer']}")]
    if "user" in given:
        pair = given["user"] if ":" in given["user"] else given["user"] + ":"
        encoded = base64.b64encode(pair.encode("utf-8", "replace")).decode("ascii")
        return [("Authorization", f"Basic {encoded}")]
    return []


def _grant(data: str) -> str | None:
    """Which grant a token request is for."""
    if "code_verifier=" in data:
        return "pkce"
    found = re.search(r"grant_type[\"']?\s*[=:]\s*[\"']?(client_credentials|authorization_code)", data)
    return found[1] if found else None


def _wscat(words: list[str]) -> dict[str, Any]:
    options, loose = _options(words, _WSCAT, _WSCAT_VALUED)
    return _socket(options, dict(options).get("connect") or next(iter(loose), ""))


def _websocat(words: list[str]) -> dict[str, Any]:
    options, loose = _options(words, _WEBSOCAT, _WEBSOCAT_VALUED)
    return _socket(options, next((word for word in loose if word.startswith("ws")), ""))


def _socket(options: list[tuple[str, str]], url: str) -> dict[str, Any]:
    headers = _headers(options) + [("Origin", value) for value in _all(options, "origin") if value]
    if auth := _all(options, "auth", "basic-auth"):
        headers += _credentials({"user": auth[0]})
    frames = _all(options, "execute")
    return {
        "url": (url if "://" in url else f"wss://{url}") if url else None,
        "method": "GET",
        "headers": tuple(headers),
        "subprotocols": tuple(
            name for name in _all(options, "subprotocol", "protocol") if not name.isdigit()
        ),
        "first_frame": frames[0] if frames else None,
        "sent_frame": frames[1] if len(frames) > 1 else None,
    }
