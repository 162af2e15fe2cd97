"""Every notebook runs from top to bottom on the sandbox, and shows what it promises."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))

# notebook → what its outputs must show, in order.
PROMISES = {
    "01_first_session": [
        r"AccessToken\(\[masked:",
        r"inbound/open/message",
        r"Conversation\(",
        r"HTTP 401 \(lane http\), empty body",
        r"upgrade\.deployment-missing",
        r"open: HTTP 101, SessionResponse 200",
        r"Outbound +\S",
    ],
}


def _executed(path: Path) -> Any:
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(
        notebook, timeout=90, kernel_name="python3", resources={"metadata": {"path": path.parent}}
    ).execute()
    return notebook


def _outputs(notebook: Any) -> str:
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return "\n".join(
        output.get("text", "") + output.get("data", {}).get("text/plain", "") for output in outputs
    )


def test_every_notebook_has_promises() -> None:
    """A new notebook must say what it shows."""
    assert {path.stem for path in NOTEBOOKS} == set(PROMISES)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_notebook_runs_and_keeps_its_promises(path: Path) -> None:
    """Executed in a real kernel, outputs checked in order."""
    text = _outputs(_executed(path))
    position = 0
    for pattern in PROMISES[path.stem]:
        match = re.compile(pattern).search(text, position)
        assert match, f"{pattern} does not follow in order in:\n{text}"
        position = match.end()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_notebook_is_short_and_stored_clean(path: Path) -> None:
    """At most 15 cells of at most five lines of code; outputs without errors, paths or secrets."""
    notebook = nbformat.read(path, as_version=4)
    assert len(notebook.cells) <= 15
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(len(cell.source.splitlines()) <= 5 for cell in code)
    assert all(output.output_type != "error" for cell in code for output in cell.outputs)
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"/(home|root|work|tmp|Users)/", text)
    assert "access_token=" not in text.replace("access_token=[masked:", "")
