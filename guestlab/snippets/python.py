"""Snippets for Python: the `websockets` package, and guestlab itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from guestlab.errors import RegionError
from guestlab.regions import Region
from guestlab.snippets.literals import Language, python_text
from guestlab.snippets.recipe import GUEST_TOKEN, Secret

if TYPE_CHECKING:
    from guestlab.snippets.recipe import Pieces, Recipe

__all__ = ["guestlab", "python"]

_PYTHON = Language(python_text, lambda secret: secret.variable, ("None", "True", "False"), 4)
_QUOTE = 'quote({}, safe="")'


def python(recipe: Recipe) -> str:
    """Write a script for the `websockets` package."""
    head = recipe.commented(
        "#",
        "Needs Python 3.9 or newer and the websockets package, 15 or newer. Run with: python attempt.py",
        "Exit status: 0 for a SessionResponse, 1 for anything else.",
        *(["Dials 127.0.0.1: few resolvers know names below localhost."] if recipe.is_rewritten else []),
    )
    lines = [
        head,
        *_imports(recipe, recipe.dialled, "json", *_needed(recipe)),
        "",
        "from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException",
        "from websockets.sync.client import connect",
        "",
        *map(_from_environment, recipe.secrets),
        f"URL = {_PYTHON.expression(recipe.dialled, _QUOTE)}",
    ]
    if recipe.authorities:
        lines += [
            "TRUSTED = ssl.create_default_context()",
            f"TRUSTED.load_verify_locations({python_text(recipe.authorities)})",
        ]
    if recipe.frame is not None:
        lines.append(f"FIRST_FRAME = {_frame(recipe)}")
    options = "".join(f", {name}={value}" for name, value in _options(recipe))
    lines += ["", "try:", f"    with connect(URL{options}, open_timeout=10) as socket:"]
    lines.append('        print("open: HTTP 101")')
    lines.append(
        _PYTHON_TALK if recipe.frame is not None else "        sys.exit(1)  # the attempt sent no first frame"
    )
    return "\n".join([*lines, _PYTHON_ENDS])


_PYTHON_TALK = """\
        socket.send(FIRST_FRAME)
        while True:
            text = socket.recv(timeout=10)
            print(text)
            answer = json.loads(text)
            if answer.get("code") != 200:
                sys.exit(1)
            if answer.get("class") == "SessionResponse":
                break"""

_PYTHON_ENDS = """\
except InvalidStatus as refusal:
    response = refusal.response
    print(f"refused: HTTP {response.status_code} {response.reason_phrase}")
    for name, value in response.headers.raw_items():
        print(f"{name}: {value}")
    print(bytes(response.body or b"").decode("utf-8", "replace") or "(empty body)")
    sys.exit(1)
except ConnectionClosed as closed:
    print(f"closed by the server: {closed}")
    sys.exit(1)
except (OSError, ValueError, WebSocketException) as error:
    print(f"failed: {type(error).__name__}: {error}")
    sys.exit(1)
"""


def guestlab(recipe: Recipe) -> str:
    """Write a script for guestlab."""
    region = _region(recipe)
    simple = _is_plainly_working(recipe, region)
    notes = [
        "Needs the guestlab package. Run with: python attempt.py",
        "Exit status: 0 for a SessionResponse, 1 for anything else.",
    ]
    if region is None:
        notes.append("The attempt's host is of no region; the lab's own region is not asked anything.")
    where = python_text("mypurecloud.com" if region is None else region.name)
    if region is not None and region.is_loopback and recipe.secure:
        where = python_text(f"wss://{region.name}")  # of a bare loopback address plaintext is meant
    head = recipe.commented("#", *notes, secrets=() if simple else None)
    return "\n".join([head, *(_handshake if simple else _attempt)(recipe, where), _GUESTLAB_ENDS])


def _handshake(recipe: Recipe, where: str) -> list[str]:
    deployment = python_text(parse_qs(urlsplit(recipe.attempt.url).query)["deploymentId"][0])
    origin = f", origin={_PYTHON.expression(recipe.origin)}" if recipe.origin is not None else ""
    if recipe.authorities:
        origin += f", ca_file={python_text(recipe.authorities)}"
    return [
        "import sys",
        "",
        "import guestlab as gl",
        "",
        f"with gl.Lab({where}, deployment_id={deployment}{origin}) as lab:",
        "    attempt = lab.handshake()  # with a guest token of its own",
    ]


def _attempt(recipe: Recipe, where: str) -> list[str]:
    options = [("url", _PYTHON.expression(recipe.url, _QUOTE))]
    if recipe.origin is not None:
        options.append(("origin", _PYTHON.expression(recipe.origin)))
    if recipe.headers:
        pairs = (f"{python_text(name)}: {_PYTHON.expression(value)}" for name, value in recipe.headers)
        options.append(("headers", "{" + ", ".join(pairs) + "}"))
    if recipe.subprotocols:
        options.append(("subprotocols", _list(recipe)))
    if recipe.document is not None:
        options.append(("first_frame", _PYTHON.document(recipe.document, 8)))
    elif recipe.frame is not None:
        options.append(("first_frame", _PYTHON.expression(recipe.frame)))
    if recipe.proxy:
        options.append(("proxy", f'os.environ.get("HTTPS_PROXY") or {python_text(recipe.proxy)}'))
    trusted = f", ca_file={python_text(recipe.authorities)}" if recipe.authorities else ""
    return [
        *_imports(recipe, recipe.url, *(["os"] if recipe.proxy else [])),
        "",
        "import guestlab as gl",
        "",
        *map(_from_environment, recipe.secrets),
        *([""] if recipe.secrets else []),
        f"with gl.Lab({where}{trusted}) as lab:",
        "    attempt = lab.attempt(",
        *(f"        {name}={value}," for name, value in options),
        "    )",
    ]


def _imports(recipe: Recipe, url: Pieces, *more: str) -> list[str]:
    """The standard library's modules, in the order linters want."""
    plain = {*more, "sys"} | ({"os"} if recipe.secrets else set())
    plain |= {"uuid"} if GUEST_TOKEN in recipe.secrets else set()
    quotes = any(isinstance(piece, Secret) for piece in url)
    return [f"import {name}" for name in sorted(plain)] + (
        ["from urllib.parse import quote"] if quotes else []
    )


_GUESTLAB_ENDS = """\
    print(attempt)  # the verdict, the steps, and why
    print(*attempt.answers, sep="\\n")
sys.exit(0 if attempt.ok else 1)
"""


def _region(recipe: Recipe) -> Region | None:
    try:
        return Region.of(recipe.attempt.url.partition("?")[0])
    except RegionError:
        return None


def _is_plainly_working(recipe: Recipe, region: Region | None) -> bool:
    """Tell whether `lab.handshake()` makes this very handshake."""
    attempt = recipe.attempt
    query = parse_qs(urlsplit(attempt.url).query)
    frame = recipe.document or {}
    return (
        attempt.ok
        and region is not None
        and not recipe.headers
        and not recipe.proxy
        and not recipe.subprotocols
        and re.fullmatch(r"[\w-]+", "".join(query.get("deploymentId", ()))) is not None
        and attempt.url == region.guest_url(query["deploymentId"][0])
        and set(frame) <= {"action", "deploymentId", "token", "tracingId"}
        and frame.get("action") == "configureSession"
        and frame.get("token") == (GUEST_TOKEN,)
    )


def _from_environment(secret: Secret) -> str:
    if secret.is_fresh:
        return f'{secret.variable} = os.environ.get("{secret.name}") or str(uuid.uuid4())  # you make it'
    return f'{secret.variable} = os.environ["{secret.name}"]'


def _frame(recipe: Recipe) -> str:
    if recipe.document is not None:
        return f"json.dumps({_PYTHON.document(recipe.document)})"
    return _PYTHON.expression(recipe.frame or ())


def _options(recipe: Recipe) -> list[tuple[str, str]]:
    options = []
    if recipe.origin is not None:
        options.append(("origin", _PYTHON.expression(recipe.origin)))
    if recipe.headers:
        pairs = (f"({python_text(name)}, {_PYTHON.expression(value)})" for name, value in recipe.headers)
        options.append(("additional_headers", "[" + ", ".join(pairs) + "]"))
    if recipe.subprotocols:
        options.append(("subprotocols", _list(recipe)))
    if recipe.authorities and recipe.secure:
        options.append(("ssl", "TRUSTED"))
    if recipe.proxy:
        options.append(("proxy", f'os.environ.get("HTTPS_PROXY") or {python_text(recipe.proxy)}'))
        if recipe.proxy.startswith("https:") and recipe.authorities:
            options.append(("proxy_ssl", "TRUSTED"))
    return options


def _needed(recipe: Recipe) -> list[str]:
    return ["os"] * bool(recipe.proxy) + ["ssl"] * bool(recipe.authorities)


def _list(recipe: Recipe) -> str:
    return "[" + ", ".join(_PYTHON.expression(offered) for offered in recipe.subprotocols) + "]"
