"""Runs the notebooks and stores them with clean outputs: `python tests/store_notebooks.py [NAME …]`.

Clean means: no widget that has no state, no times of execution, no ids of the machine's; what is left shows on
GitHub and in nbconvert. The test of the notebooks runs them the same way and sweeps what is stored.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

__all__ = ["FOLDER", "WIDGET_MIME", "clean", "execute", "execute_all"]

FOLDER = Path(__file__).parent.parent / "notebooks"
WIDGET_MIME = "application/vnd.jupyter.widget-view+json"
AT_ONCE = 3

_STATIC = re.compile(r' class="gl-static-[0-9a-f]+"')
"""By this the widget, which is not stored, would hide its static form."""

_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


async def execute(notebook: Any, environ: dict[str, str] | None = None) -> Any:
    """Run a notebook in a kernel of its own, without the developer's own settings; returns it with outputs."""
    clean_environ = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GUESTLAB_") and not name.lower().endswith("_proxy")
    }
    client = NotebookClient(
        notebook,
        timeout=90,
        kernel_name="python3",
        store_widget_state=False,
        record_timing=False,
        resources={"metadata": {"path": FOLDER}},
    )
    await client.async_execute(env={**clean_environ, **(environ or {})})
    return notebook


def execute_all(notebooks: dict[Any, tuple[Any, dict[str, str]]]) -> dict[Any, Any]:
    """Run several, each with an environment, a few at a time; an error is given back in a notebook's place."""

    async def run() -> dict[Any, Any]:
        turn = asyncio.Semaphore(AT_ONCE)

        async def one(notebook: Any, environ: dict[str, str]) -> Any:
            async with turn:
                try:
                    return await execute(notebook, environ)
                except Exception as error:  # told by the test that asks for it
                    return error

        done = await asyncio.gather(*(one(*notebook) for notebook in notebooks.values()))
        return dict(zip(notebooks, done, strict=True))

    return asyncio.run(run())


def clean(notebook: Any) -> Any:
    """Take out what only a running kernel understands."""
    notebook.metadata = nbformat.from_dict(_METADATA)
    for number, cell in enumerate(notebook.cells, 1):
        cell.id, cell.metadata = f"cell-{number:02}", nbformat.from_dict({})
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            data.pop(WIDGET_MIME, None)
            if "text/html" in data:
                data["text/html"] = _STATIC.sub("", data["text/html"])
            if "metadata" in output:
                output.metadata = nbformat.from_dict({})
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.get("data", True)]
    return notebook


def main(names: list[str]) -> None:
    """Run the named notebooks, or all, and store them."""
    paths = {path.stem: path for path in sorted(FOLDER.glob("*.ipynb")) if not names or path.stem in names}
    done = execute_all({stem: (nbformat.read(path, as_version=4), {}) for stem, path in paths.items()})
    for stem, notebook in done.items():
        if isinstance(notebook, Exception):
            raise notebook
        nbformat.write(clean(notebook), paths[stem])
        print(stem)


if __name__ == "__main__":
    main(sys.argv[1:])
