"""What is public is listed, and what is listed exists."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

import guestlab

PACKAGE = Path(guestlab.__file__).parent
MODULES = sorted(
    ".".join(("guestlab", *path.relative_to(PACKAGE).with_suffix("").parts))
    for path in PACKAGE.rglob("*.py")
    if path.name not in {"__init__.py", "__main__.py"}
)


def test_the_top_level_lists_at_most_32_names_and_has_them_all() -> None:
    """Each name loads, and the table of sources agrees with the list."""
    assert len(guestlab.__all__) <= 32
    assert set(guestlab.__all__) == set(guestlab._NAMES)
    for name in guestlab.__all__:
        assert getattr(guestlab, name) is not None
    assert set(guestlab.__all__) <= set(dir(guestlab))


def test_an_unknown_name_is_an_attribute_error() -> None:
    """As for any module."""
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = guestlab.nothing


@pytest.mark.parametrize("module", MODULES)
def test_every_module_lists_its_public_names(module: str) -> None:
    """`__all__` exists, is true, and leaves out no public class or function defined there."""
    loaded = importlib.import_module(module)
    tree = ast.parse(Path(loaded.__file__ or "").read_text(encoding="utf-8"))
    defined = {
        node.name
        for node in tree.body
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and not node.name.startswith("_")
    }
    listed = set(loaded.__all__)
    assert all(hasattr(loaded, name) for name in listed)
    missing = defined - listed
    assert not missing, f"public but not listed: {sorted(missing)}"


@pytest.mark.parametrize("module", MODULES)
def test_every_public_object_is_documented(module: str) -> None:
    """A docstring of its own, and a purpose for the module."""
    loaded = importlib.import_module(module)
    assert loaded.__doc__
    for name in loaded.__all__:
        value = getattr(loaded, name)
        if getattr(value, "__module__", None) == module and callable(value):
            assert value.__doc__, f"{module}.{name} has no docstring"
