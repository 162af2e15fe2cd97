"""The upgrade request byte for byte, as text one can read, change and send."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guestlab.snippets.literals import shell_text
from guestlab.snippets.recipe import Secret
from guestlab.snippets.shell import from_environment

if TYPE_CHECKING:
    from guestlab.snippets.recipe import Pieces, Recipe

__all__ = ["http"]


def http(recipe: Recipe) -> str:
    """Write the raw request with what sends it: bash alone, or `openssl s_client` for TLS."""
    host, port = recipe.authority
    secrets = recipe.used(*recipe.request)
    head = recipe.commented(
        "#",
        "The upgrade request as it crossed the wire. Run with: bash attempt.sh (it prints the answer)."
        + (" Needs openssl." if recipe.secure else f" Or send it by: nc {host} {port}"),
        "Ends at the upgrade: HTTP 101 means that the door is open.",
        secrets=secrets,
        proxy=_S_CLIENT if recipe.secure else _NO_WAY,
    )
    first, *headers = recipe.request
    lines = [
        head,
        *from_environment(secrets, first),
        "request() {",
        "awk '{ printf \"%s\\r\\n\", $0 }' <<REQUEST",
    ]
    lines += [_line(first, "encoded"), *map(_line, headers), "", "REQUEST", "}"]
    address = shell_text(host if ":" not in host else f"[{host}]")
    if recipe.secure:
        lines += [
            "{ request; sleep 3; } |",
            f"  openssl s_client -quiet -no_ign_eof -verify_return_error -connect {address}:{port}"
            + _server_name(recipe)
            + _through(recipe),
        ]
    else:
        lines += [
            f"exec 3<>/dev/tcp/{shell_text(host)}/{port} || exit 1",
            "request >&3",
            "while IFS= read -r -t 3 line <&3; do printf '%s\\n' \"$line\"; done",
            "printf '%s\\n' \"$line\"",
        ]
    return "\n".join([*lines, ""])


_S_CLIENT = "Goes through the proxy {}; openssl takes its user and password by -proxy_user and -proxy_pass."
_NO_WAY = "The attempt went through the proxy {}; bash alone goes straight."


def _through(recipe: Recipe) -> str:
    """Let openssl ask an HTTP proxy to CONNECT; it speaks no TLS to proxies."""
    scheme, _, place = recipe.proxy.partition("://")
    return f" -proxy {shell_text(place)}" if scheme == "http" else ""


def _server_name(recipe: Recipe) -> str:
    """Addresses stand in no SNI (RFC 6066 section 3)."""
    name = recipe.attempt.url.partition("://")[2].partition("/")[0].partition("?")[0].rpartition("@")[2]
    if name.startswith("[") or name.replace(".", "").replace(":", "").isdigit():
        return ""
    return f" -servername {shell_text(name.partition(':')[0])}"


def _line(pieces: Pieces, quoting: str = "") -> str:
    """One line of a here-document, in which dollar sign, backtick and backslash are special."""
    return "".join(
        (f'$({quoting} "${piece.name}")' if quoting else f"${{{piece.name}}}")
        if isinstance(piece, Secret)
        else "".join(f"\\{c}" if c in "$`\\" else c for c in piece if c.isprintable())
        for piece in pieces
    )
