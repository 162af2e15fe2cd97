"""The README tells the truth, and every public name says in its docstring what it is, takes and raises."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import os
import pkgutil
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import guestlab
from guestlab import analysis, cli, errors
from guestlab.blocking_platform import Platform
from guestlab.channel import NotificationChannel
from guestlab.lab import Lab
from guestlab.log import columns_markdown
from guestlab.log.views import views_markdown
from guestlab.sandbox import Sandbox
from guestlab.scripted import Script

from .clients.conftest import tool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_table_of_columns_is_the_codes_own() -> None:
    """Copied from `columns_markdown()`, word for word."""
    _, _, rest = README.partition("<!-- the columns -->\n")
    table, _, _ = rest.partition("<!-- end of the columns -->")
    assert table.strip() == columns_markdown().strip()


def test_the_columns_of_the_views_are_the_codes_own() -> None:
    """Copied from `views_markdown()`, word for word."""
    _, _, rest = README.partition("<!-- the views -->\n")
    table, _, _ = rest.partition("<!-- end of the views -->")
    assert table.strip() == views_markdown().strip()


@pytest.mark.parametrize("name", guestlab.__all__)
def test_every_public_name_is_in_the_readme(name: str) -> None:
    """Nothing public is left for the reader to find out."""
    assert re.search(rf"\b(gl\.)?{name}\b", README)


@pytest.mark.parametrize("name", errors.__all__)
def test_every_error_is_in_the_readme(name: str) -> None:
    """With the place it has in the tree."""
    assert name in README


def test_every_command_is_in_the_readme() -> None:
    """And has a summary in --help."""
    parser = cli.parser()
    commands = next(action for action in parser._actions if isinstance(action.choices, dict)).choices or {}
    assert commands
    for name in commands:
        assert f"`guestlab {name}" in README


def test_the_first_screen_holds_both_commands() -> None:
    """What it is, and the two commands, before anything else."""
    screen = "\n".join(README.splitlines()[:30])
    assert "guestlab tour" in screen
    assert "-m pytest" in screen


def test_the_scripted_conversation_of_the_readme_passes() -> None:
    """As printed, against the sandbox's own bot."""
    (text,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    with Lab() as lab:
        outcome = lab.rehearse(Script.load(text))
    assert outcome.ok, "\n".join(outcome.lines())


def test_the_readmes_curl_sets_faults_and_clears_them() -> None:
    """As printed, line by line, with the port and key the sandbox prints."""
    block = README.partition("<!-- the faults over HTTP -->\n```bash\n")[2].partition("```")[0]
    setting, clearing = re.findall(r"^curl (?:.*\\\n)*.*$", block, re.MULTILINE)
    tool("curl")
    with Sandbox() as sandbox:
        environ = {**os.environ, "PORT": str(sandbox.http_port), "KEY": sandbox.control_key}
        for line, left in ((setting, "Faults(drop, rate limit)"), (clearing, "Faults(none)")):
            done = subprocess.run(
                ["bash", "-c", line], capture_output=True, text=True, env=environ, check=True, timeout=30
            )
            assert (done.stdout, repr(sandbox.faults)) == ("", left)


def test_ci_runs_exactly_the_readmes_test_command() -> None:
    """`.ci/run` reads it from there."""
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    extraction = re.search(r"test_command=\$\((.*)\)", script)
    assert extraction
    done = subprocess.run(
        ["bash", "-c", extraction[1]], cwd=ROOT, capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout.strip().endswith(".venv/bin/python -m pytest")
    assert done.stdout.strip() in README


@pytest.mark.parametrize("link", re.findall(r"\]\((?!http)([^)#]+)\)", README))
def test_every_link_within_the_project_leads_somewhere(link: str) -> None:
    """No dead ends."""
    assert (ROOT / link).exists()


# -- docstrings -----------------------------------------------------------------------------------------

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(guestlab.__path__, "guestlab.")
    if not module.name.endswith("__main__")
)
FACES = (
    guestlab.Lab, guestlab.Session, guestlab.GuestSession, guestlab.Channel, NotificationChannel,
    guestlab.Sandbox, guestlab.Log, guestlab.Region, Platform,
)  # fmt: skip
FUNCTIONS = (
    guestlab.read, guestlab.diagnose, guestlab.diagnose_text, guestlab.diagnose_har, guestlab.compare,
    *(found for name in analysis.__all__ if inspect.isfunction(found := getattr(analysis, name))),
)  # fmt: skip
PLAIN = {
    # One row of the log: its parameters are the columns, which have a table of their own.
    "Log.record", "Log.record_message",
    # One-liners over calls of the Platform API, whose parameters are its own ids.
    "Platform.conversation", "Platform.message_conversation", "Platform.message_details", "Platform.messages",
    "Platform.typing", "Platform.set_attributes", "Platform.disconnect", "Platform.deployment",
    "Platform.details", "Platform.say",
}  # fmt: skip
"""Callables whose parameters their docstring does not name, and why."""


def faces() -> Iterator[tuple[str, Callable[..., Any]]]:
    """The public callables of the names that people hold in their hands."""
    for function in FUNCTIONS:
        yield function.__name__, function
    for face in FACES:
        for name, found in vars(face).items():
            if not name.startswith("_") and callable(found := getattr(found, "__func__", found)):
                yield f"{face.__name__}.{name}", found


def public(module: str) -> Iterator[tuple[str, Any]]:
    """What a module lists, and the public methods and properties of the classes among it."""
    loaded = importlib.import_module(module)
    for name in getattr(loaded, "__all__", ()):
        found = getattr(loaded, name)
        if getattr(found, "__module__", None) != module or not callable(found):
            continue
        yield name, found
        if inspect.isclass(found):
            for part, value in vars(found).items():
                is_ours = isinstance(value, property | classmethod | staticmethod) or inspect.isfunction(
                    value
                )
                if is_ours and not part.startswith("_"):
                    yield f"{name}.{part}", getattr(found, part)


@pytest.mark.parametrize("module", MODULES)
def test_everything_public_begins_with_a_sentence(module: str) -> None:
    """Modules, classes, functions, methods and properties: one plain sentence first, on one line."""
    assert (importlib.import_module(module).__doc__ or "").strip()
    for name, found in public(module):
        first = (inspect.getdoc(found) or "").partition("\n")[0]
        assert re.search(r"[.:?]$", first), f"{module}.{name}: {first!r}"


@pytest.mark.parametrize(("name", "function"), [pytest.param(*face, id=face[0]) for face in faces()])
def test_every_parameter_of_a_face_is_explained(name: str, function: Callable[..., Any]) -> None:
    """Under Args, or by its name in the text."""
    doc = inspect.getdoc(function) or ""
    given = [one for one in inspect.signature(function).parameters if one not in {"self", "cls"}]
    missing = [one for one in given if not re.search(rf"\b{one}\b", doc)]
    assert not missing or name in PLAIN, missing


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_in_the_docstrings_run(module: str) -> None:
    """And print what they say."""
    assert doctest.testmod(importlib.import_module(module)).failed == 0


# -- code in the README ---------------------------------------------------------------------------------

BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_the_python_of_the_readme_is_python(block: str) -> None:
    """Also where an await stands outside a function, as in a cell; … stands for what the reader has."""
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    compile(block, "README.md", "exec", flags=flags)


def names_used(block: str) -> Iterator[str]:
    """The names of ours that a block uses: gl.x and lab.x."""
    for node in ast.walk(ast.parse(block)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.value.id in {"gl", "lab"}:
                yield f"{node.value.id}.{node.attr}"
            elif node.value.id == "session":
                yield f"session.{node.attr}"


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_every_name_the_readme_uses_exists(block: str, lab: Lab) -> None:
    """No verb that was renamed."""
    owners: dict[str, Any] = {"gl": guestlab, "lab": lab, "session": guestlab.Session}
    for name in names_used(block):
        owner, _, attribute = name.partition(".")
        assert hasattr(owners[owner], attribute), name


def test_the_first_answer_of_the_readme_is_given() -> None:
    """The five lines of the question, run as printed: the verdicts are those beside them."""
    block = next(block for block in BLOCKS if "handshake_as_asked().verdict" in block)
    said = [line.partition("# ")[2] for line in block.splitlines() if line.startswith("print(")]
    printed: list[str] = []
    names: dict[str, Any] = {"print": lambda text: printed.append(str(text))}
    exec(compile(block, "README.md", "exec"), names)
    assert printed == said
    assert "hello" in set(names["lab"].log.messages["text"])
    names["session"].close()
    names["lab"].close()


def test_the_table_of_bounds_is_the_codes_own() -> None:
    """Each constant has the value that is printed."""
    _, _, rest = README.partition("<!-- the bounds -->\n")
    table, _, _ = rest.partition("<!-- end of the bounds -->")
    rows = re.findall(r"^\| [^|]+ \| `([\w.]+)` \| ([\d,]+)", table, re.MULTILINE)
    assert len(rows) >= 20
    for name, printed in rows:
        module, _, constant = f"guestlab.{name}".rpartition(".")
        assert getattr(importlib.import_module(module), constant) == int(printed.replace(",", "")), name
