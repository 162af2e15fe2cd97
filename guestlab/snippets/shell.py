"""Snippets for the shell: curl, wscat, websocat. For bash, zsh and their kin."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from guestlab.snippets.literals import shell_text, shell_word
from guestlab.snippets.recipe import Secret

if TYPE_CHECKING:
    from guestlab.snippets.recipe import Pieces, Recipe

__all__ = ["curl", "from_environment", "websocat", "wscat"]

_ENCODED = (
    "encoded() { printf %s \"$1\" | od -An -v -tx1 | tr -d ' \\n' | sed 's/../%&/g'; }"
    "  # for a URL, byte by byte"
)


def curl(recipe: Recipe) -> str:
    """Write a curl command: the upgrade alone, without any frame."""
    secrets = recipe.used(
        recipe.url, recipe.origin, *recipe.subprotocols, *(text for _, text in recipe.headers)
    )
    head = recipe.commented(
        "#",
        "Ends at the upgrade. HTTP 101 means: the door is open, and what follows would be the first frame.",
        "Of an open socket curl says after 3 s that the time is up (exit status 28): that is no failure.",
        secrets=secrets,
    )
    url, scheme = recipe.url, "https" if recipe.secure else "http"
    address = (scheme + str(url[0])[str(url[0]).index(":") :], *url[1:])
    options = [
        "--include --no-buffer --silent --show-error --globoff --http1.1 --max-time 3",
        "--header 'Connection: Upgrade' --header 'Upgrade: websocket'",
        "--header 'Sec-WebSocket-Version: 13'",
        "--header 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='",  # the example of RFC 6455 section 1.2
    ]
    if "/." in urlsplit(recipe.attempt.url).path:
        options.append("--path-as-is")
    options += _headers(recipe, "--header", ": ")
    if recipe.subprotocols:
        offered: Pieces = tuple(
            piece
            for number, name in enumerate(recipe.subprotocols)
            for piece in ((", ",) * bool(number) + name)
        )
        options.append(f"--header {shell_word(('Sec-WebSocket-Protocol: ', *offered))}")
    options += _authorities(recipe) + _curl_proxy(recipe)
    return "\n".join([head, *from_environment(secrets, recipe.url), _command("curl", options, address)])


def _authorities(recipe: Recipe) -> list[str]:
    """Trust what SSL_CERT_FILE names, else the file the attempt was given."""
    if not recipe.secure:
        return []
    if recipe.authorities:
        return [f"--cacert {_default('SSL_CERT_FILE', recipe.authorities)}"]
    return ['${SSL_CERT_FILE:+--cacert} ${SSL_CERT_FILE:+"$SSL_CERT_FILE"}']


def _curl_proxy(recipe: Recipe) -> list[str]:
    """Without a tunnel curl would ask a proxy for an http:// URL instead of the upgrade."""
    if not recipe.proxy:
        return []
    options = [f"--proxytunnel --suppress-connect-headers --proxy {_default('HTTPS_PROXY', recipe.proxy)}"]
    if recipe.proxy.startswith("https:") and recipe.authorities:
        options.append(f"--proxy-cacert {_default('SSL_CERT_FILE', recipe.authorities)}")
    return options


def _default(variable: str, value: str) -> str:
    """An environment variable, or else a value, as one word."""
    if _is_plain(value):
        return f'"${{{variable}:-{value}}}"'
    return shell_text(value)  # quotes inside an expansion are read differently by different shells


def _is_plain(value: str) -> bool:
    """Whether no shell reads anything into it."""
    return all(character.isalnum() or character in "/:._-[]@~+," for character in value)


def wscat(recipe: Recipe) -> str:
    """Write a wscat command."""
    head = recipe.commented(
        "#",
        "Needs Node and the wscat package.",
        *(_rewritten(recipe)),
        "wscat ends when its input does: hence the sleep.",
        ca="NODE_EXTRA_CA_CERTS",
    )
    options = _headers(recipe, "--header", ":")
    options += [f"--subprotocol {shell_word(name)}" for name in recipe.subprotocols]
    if recipe.proxy:
        options.append(f"--proxy {_default('HTTPS_PROXY', recipe.proxy)}")
    if recipe.frame is not None:
        options.append(f"--execute {shell_word(recipe.frame)}")
        options.append("--wait 2")
    return "\n".join(
        [
            head,
            *from_environment(recipe.secrets, recipe.dialled),
            _command("sleep 3 | wscat", options, recipe.dialled, "--connect "),
        ]
    )


def websocat(recipe: Recipe) -> str:
    """Write a websocat command."""
    head = recipe.commented(
        "#",
        "Needs websocat 1. Written from its documentation, not tried.",
        *(_rewritten(recipe)),
        "Prints the first frame that comes back, then ends.",
        proxy="The attempt went through the proxy {}; websocat 1 has no option for one of its kind.",
    )
    options = ["--text --no-close --one-message", *_headers(recipe, "--header", ": ")]
    if recipe.subprotocols:
        offered: Pieces = tuple(
            piece
            for number, name in enumerate(recipe.subprotocols)
            for piece in ((",",) * bool(number) + name)
        )
        options.append(f"--protocol {shell_word(offered)}")
    sent = f"printf '%s\\n' {shell_word(recipe.frame)} |" if recipe.frame is not None else "printf '' |"
    return "\n".join(
        [
            head,
            *from_environment(recipe.secrets, recipe.dialled),
            sent,
            _command("websocat", options, recipe.dialled),
        ]
    )


def from_environment(secrets: tuple[Secret, ...], url: Pieces) -> list[str]:
    """The lines that take the secrets from the environment, or stop there."""
    lines = []
    for secret in secrets:
        if secret.is_fresh:
            fresh = "$(cat /proc/sys/kernel/random/uuid 2>/dev/null || uuidgen | tr A-Z a-z)"
            lines.append(f': "${{{secret.name}:={fresh}}}"  # you make it')
        else:
            lines.append(f': "${{{secret.name}:?is not set}}"')
    if any(isinstance(piece, Secret) for piece in url):
        lines.append(_ENCODED)
    return lines


def _headers(recipe: Recipe, option: str, colon: str) -> list[str]:
    lines = []
    if recipe.origin is not None:
        lines.append(f"{option} {shell_word(('Origin' + colon, *recipe.origin))}")
    return lines + [f"{option} {shell_word((name + colon, *value))}" for name, value in recipe.headers]


def _rewritten(recipe: Recipe) -> list[str]:
    return ["Dials 127.0.0.1: few resolvers know names below localhost."] if recipe.is_rewritten else []


def _command(program: str, options: list[str], address: Pieces, before: str = "") -> str:
    """One command on several lines, the address last."""
    last = before + shell_word(address, "encoded")
    return " \\\n  ".join([program, *options, last]) + "\n"
