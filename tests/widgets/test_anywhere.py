"""What every place that shows ipywidgets has, VS Code included, is all that the views need."""

from __future__ import annotations

import re
from pathlib import Path

import ipywidgets
import pytest

import guestlab

PACKAGE = Path(guestlab.__file__).parent
FILES = sorted([*PACKAGE.rglob("*.css"), *PACKAGE.rglob("*.py")])


def test_a_colour_of_the_notebook_has_a_fallback() -> None:
    """JupyterLab's variables are nowhere else; ours are defined by us."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in FILES)
    used = re.findall(r"var\((--[\w-]+)\s*([,)])", text)
    assert len(used) > 50
    defined = set(re.findall(r"(--gl-[\w-]+)\s*:", text))
    assert [name for name, end in used if end == ")" and name not in defined] == []


@pytest.mark.parametrize("path", [path for path in FILES if "widgets" in path.parts and path.suffix == ".py"])
def test_a_widget_is_of_ipywidgets_own(path: Path) -> None:
    """No extension has to be installed beside it."""
    text = path.read_text(encoding="utf-8")
    assert "anywidget" not in text
    for name in set(re.findall(r"\bw\.([A-Z]\w+)\(", text)):
        module = getattr(ipywidgets, name)._model_module.default_value
        assert module.startswith("@jupyter-widgets/"), name
