"""Who may import whom, read from the source; and importing guestlab is free."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import guestlab

PACKAGE = Path(guestlab.__file__).parent

# room → layer. A room is a module or a package of guestlab; the longest match counts.
LAYERS = {
    "errors": 0,
    "regions": 0,
    "limits": 0,
    "protocol": 1,
    "handshake": 1,
    "har": 1,
    "log.entry": 1,
    "log.joined_texts": 1,
    "log.json_spans": 1,
    "log.known_secrets": 1,
    "log.secret_keys": 1,
    "log.redaction": 1,
    "style": 1,
    "visible": 1,
    "analysis": 2,
    "log": 2,
    "display": 2,
    "snippets": 2,
    "http": 2,
    "handshake.dialling": 3,
    "handshake.perform": 3,
    "matrix_run": 3,
    "matrix_table": 2,
    "preflight": 3,
    "attachments": 3,
    "authorization_code": 3,
    "authentication": 3,
    "backoff": 1,
    "delivery": 3,
    "exchange": 3,
    "unanswered": 3,
    "history": 3,
    "connection": 3,
    "connect_pace": 3,
    "link": 3,
    "upgrade": 3,
    "doors": 1,
    "redirect_listener": 3,
    "secret_sources": 2,
    "token_stage": 3,
    "conversation_stage": 4,
    "handshake_stage": 3,
    "tokens": 3,
    "user_token": 3,
    "platform_api": 3,
    "platform_operations": 1,
    "platform_refusals": 1,
    "platform_request": 3,
    "scripted": 3,
    "session": 3,
    "transcripts": 3,
    "bridge": 4,
    "blocking": 4,
    "blocking_channel": 4,
    "blocking_platform": 4,
    "channel": 3,
    "customer": 4,
    "webhook": 3,
    "lab": 4,
    "drill_scores": 2,
    "drills": 5,
    "tour": 5,
    "probe": 5,
    "bench": 5,
    "cli": 5,
    "widgets": 5,
    "__main__": 5,
}
SANDBOX_MAY_IMPORT = {"errors", "regions", "limits", "sandbox"}
THIRD_PARTY_HOMES = {
    "httpx": {"http"},
    "nest_asyncio": {"bridge"},
    "ipywidgets": {"widgets"},
    "starlette": {"sandbox"},
    "uvicorn": {"sandbox"},
    "trustme": {"sandbox"},
    "pandas": {"log", "analysis", "matrix_table", "bench", "drill_scores"},
    "websockets": {"connection", "link", "upgrade", "handshake.perform", "sandbox", "bench"},
}
# Imports inside functions that point up on purpose.
LAZY_UPWARD = {
    ("handshake.diagnosis", "display"),
    ("handshake.rules", "display"),
    ("handshake.matrix", "display"),
    ("handshake.matrix", "matrix_table"),
    ("handshake.attempt", "display"),  # an object's own `_repr_mimebundle_`
    ("handshake.comparison", "display"),
    ("handshake.attempt", "snippets"),  # attempt.snippet(...)
    ("lab", "drills"),  # lab.drill(...)
    ("lab", "sandbox"),  # gl.Lab() without a region
    ("lab", "widgets"),  # what a lab shows in a notebook
    ("tokens", "widgets"),  # a token's life, counting down
    ("bench", "sandbox"),
    ("blocking", "widgets"),  # session.chat()
    ("blocking_channel", "widgets"),  # what a channel, a log, an attempt, a matrix show in a notebook
    ("log.recorder", "widgets"),
    ("handshake.attempt", "widgets"),
    ("handshake.matrix", "widgets"),
    ("cli", "sandbox"),
}
FILES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def _room(module: str) -> str:
    """`guestlab.log.table` → the room it belongs to."""
    name = module.removeprefix("guestlab.")
    rooms = [
        room for room in (*LAYERS, "sandbox", "widgets", "analysis") if f"{name}.".startswith(f"{room}.")
    ]
    return max(rooms, key=len, default=name)


def _module(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(("guestlab", *(part for part in parts if part != "__init__")))


def _imports(path: Path) -> list[tuple[str, bool]]:
    """Every imported module, and whether the import is only for the type checker."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for_types = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.dump(block.test)
        for statement in block.body
        for node in ast.walk(statement)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            found += [(_imported(node.module, alias.name), id(node) in for_types) for alias in node.names]
        elif isinstance(node, ast.Import):
            found += [(alias.name, id(node) in for_types) for alias in node.names]
    return found


def _imported(module: str, name: str) -> str:
    """`from guestlab.log import store` imports the module guestlab.log.store."""
    folder = PACKAGE.parent.joinpath(*module.split("."))
    return f"{module}.{name}" if (folder / f"{name}.py").exists() else module


@pytest.mark.parametrize("path", FILES, ids=_module)
def test_imports_point_down_only(path: Path) -> None:
    """No room imports one above it; the sandbox shares no protocol code with the client."""
    room = _room(_module(path))
    for module, for_types in _imports(path):
        if not module.startswith("guestlab.") or for_types:
            continue
        target = _room(module)
        if room == "sandbox":
            assert target in SANDBOX_MAY_IMPORT, f"the sandbox imports {module}"
        elif (room, target) not in LAZY_UPWARD and (_room(_module(path)), target) not in LAZY_UPWARD:
            own = _module(path).removeprefix("guestlab.")
            assert (own, target) in LAZY_UPWARD or LAYERS[target] <= LAYERS[room], f"{room} imports {module}"


@pytest.mark.parametrize("path", FILES, ids=_module)
def test_third_party_packages_stay_in_their_rooms(path: Path) -> None:
    """One importer of httpx, one of nest_asyncio, and so on."""
    room = _room(_module(path))
    for module, for_types in _imports(path):
        homes = THIRD_PARTY_HOMES.get(module.partition(".")[0])
        if homes is not None and not for_types:
            assert room in homes or room.partition(".")[0] in homes, f"{room} imports {module}"


def test_every_module_has_a_room() -> None:
    """A new file must be given its layer here."""
    known = {*LAYERS, "sandbox", "widgets", "analysis"}
    assert {_room(_module(path)) for path in FILES} <= known


def test_importing_guestlab_is_free() -> None:
    """No pandas, no widgets, no server, no patched loop, no open socket."""
    code = (
        "import sys, asyncio, guestlab; "
        "heavy = {'pandas', 'ipywidgets', 'nest_asyncio', 'httpx', 'websockets', 'starlette', 'uvicorn'}; "
        "assert not heavy & set(sys.modules), heavy & set(sys.modules); "
        "assert not hasattr(asyncio, '_nest_patched')"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
