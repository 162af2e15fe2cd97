"""Snippets in JavaScript: Node with the `ws` package, and what can be pasted into a page or its console."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guestlab.snippets.literals import Language, javascript_text
from guestlab.snippets.recipe import GUEST_TOKEN

if TYPE_CHECKING:
    from guestlab.snippets.recipe import Pieces, Recipe, Secret

__all__ = ["browser", "node"]

_JAVASCRIPT = Language(javascript_text, lambda secret: secret.camel, ("null", "true", "false"), 2)
_QUOTE = "encodeURIComponent({})"


_AGENT = (
    "The attempt went through the proxy {}. The package ws takes no proxy by itself: add the option "
    "agent: new "
    "HttpsProxyAgent(process.env.HTTPS_PROXY) of the package https-proxy-agent (from its "
    "documentation, not tried)."
)


def node(recipe: Recipe) -> str:
    """Write a script for Node and the `ws` package."""
    head = recipe.commented(
        "//",
        "Needs Node 18 or newer and the ws package. Run with: node attempt.cjs",
        "Exit status: 0 for a SessionResponse, 1 for anything else.",
        *(["Dials 127.0.0.1: few resolvers know names below localhost."] if recipe.is_rewritten else []),
        ca="NODE_EXTRA_CA_CERTS",
        proxy=_AGENT,
    )
    lines = [head, '"use strict";']
    if GUEST_TOKEN in recipe.secrets:
        lines.append('const { randomUUID } = require("node:crypto");')
    lines += ['const WebSocket = require("ws");', ""]
    for secret in recipe.secrets:
        lines += _from_environment(secret, "process.env", "randomUUID()")
        if not secret.is_fresh:
            lines.append(f'if (!{secret.camel}) throw new Error("Set {secret.name} first.");')
    options = [f"origin: {_JAVASCRIPT.expression(recipe.origin)}"] if recipe.origin is not None else []
    if recipe.headers:
        options.append("headers: {" + ", ".join(_headers(recipe)) + "}")
    options.append("handshakeTimeout: 10000")
    lines += [
        *_opening(recipe, recipe.dialled, f", {{ {', '.join(options)} }}"),
        'socket.on("open", () => {',
        '  console.log("open: HTTP 101");',
        f"  {_first(recipe, 'process.exit(1)', 2)}",
        "});",
        _NODE_TALK,
    ]
    return "\n".join(lines)


_NODE_TALK = """\
socket.on("message", (data) => {
  console.log(String(data));
  const answer = JSON.parse(data);
  if (answer.code === 200 && answer.class !== "SessionResponse") return;
  process.exitCode = answer.code === 200 ? 0 : 1;
  socket.close(1000);
});
socket.on("unexpected-response", (request, response) => {
  console.log(`refused: HTTP ${response.statusCode} ${response.statusMessage}`);
  for (const [name, value] of Object.entries(response.headers)) console.log(`${name}: ${value}`);
  let body = "";
  response.on("data", (part) => { body += part; });
  response.on("end", () => { console.log(body || "(empty body)"); process.exit(1); });
});
socket.on("close", (code) => {
  console.log(`closed: code ${code}`);
  process.exit();
});
socket.on("error", (error) => {
  console.log(`failed: ${error.message}`);
  process.exit(1);
});
process.exitCode = 1; // until a SessionResponse comes
setTimeout(() => { console.log("no answer within 20 s"); process.exit(1); }, 20000).unref();
"""


def browser(recipe: Recipe) -> str:
    """Write JavaScript to paste into a page, or into the console of its developer tools."""
    notes = ["Paste it into the console of a page, or into a script element."]
    if recipe.origin is not None:
        origin = "".join(piece if isinstance(piece, str) else "…" for piece in recipe.origin)
        notes.append(f"The browser writes Origin itself: run it on a page of {origin or 'the same origin'}.")
    if recipe.headers:
        names = ", ".join(name for name, _ in recipe.headers)
        notes.append(f"A page cannot set request headers, so these stay out: {names}.")
    if recipe.attempt.http_status not in {101, None}:
        notes.append(
            "Of a refusal a page learns close code 1006 and nothing else (WHATWG WebSockets standard):"
            f" HTTP {recipe.attempt.http_status} stands in the network panel only, if at all."
        )
    if recipe.secure:
        notes.append("The browser itself must trust the certificate: no variable can make it.")
    secrets = recipe.used(recipe.url, recipe.frame, *recipe.subprotocols)  # without the headers
    through = "The attempt went through the proxy {}: set it in the browser or the system, no page can."
    head = recipe.commented("//", *notes, secrets=secrets, ca="", proxy=through)
    lines = [head, "{"]
    for secret in secrets:
        lines += [f"  {line}" for line in _from_environment(secret, "globalThis", "crypto.randomUUID()")]
    lines += [
        *(f"  {line}" for line in _opening(recipe, recipe.url, "")),
        "  socket.onopen = () => {",
        '    console.log("open: HTTP 101");',
        f"    {_first(recipe, 'socket.close(1000)', 4)}",
        "  };",
        _BROWSER_TALK,
    ]
    return "\n".join(lines)


_BROWSER_TALK = """\
  socket.onmessage = (event) => {
    console.log(event.data);
    const answer = JSON.parse(event.data);
    if (answer.code !== 200 || answer.class === "SessionResponse") socket.close(1000);
  };
  socket.onclose = (event) => {
    const why = event.code === 1006 ? "(refused or cut; a page may not know more)" : event.reason;
    console.log(`closed: code ${event.code} ${why}`);
  };
}
"""


def _from_environment(secret: Secret, environment: str, fresh: str) -> list[str]:
    value = f"{environment}.{secret.name}"
    if secret.is_fresh:
        return [f"const {secret.camel} = {value} || {fresh}; // you make it"]
    asked = f' || prompt("{secret.name}")' if environment == "globalThis" else ""
    return [f"const {secret.camel} = {value}{asked};"]


def _opening(recipe: Recipe, url: Pieces, options: str) -> list[str]:
    offered = ", ".join(_JAVASCRIPT.expression(name) for name in recipe.subprotocols)
    return [
        f"const url = {_JAVASCRIPT.expression(url, _QUOTE)};",
        f"const socket = new WebSocket(url, [{offered}]{options});",
    ]


def _first(recipe: Recipe, otherwise: str, indent: int) -> str:
    if recipe.frame is None:
        return f"{otherwise}; // the attempt sent no first frame"
    if recipe.document is not None:
        return f"socket.send(JSON.stringify({_JAVASCRIPT.document(recipe.document, indent)}));"
    return f"socket.send({_JAVASCRIPT.expression(recipe.frame)});"


def _headers(recipe: Recipe) -> list[str]:
    """Each name once: an object cannot hold two, but a list of values."""
    values: dict[str, list[str]] = {}
    for name, value in recipe.headers:
        values.setdefault(name, []).append(_JAVASCRIPT.expression(value))
    return [
        f"{javascript_text(name)}: {found[0] if len(found) == 1 else '[' + ', '.join(found) + ']'}"
        for name, found in values.items()
    ]
