"""The servers and the browser of the notebooks' tests, and axe-core, which judges pages by WCAG.

axe-core comes from npm, as the README's `.ci/run` installs it; where it is absent it is reported as not run, and
under GUESTLAB_REQUIRE_ALL=1 its absence fails.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.notebooks_in_browser.conftest import browser, folder, jupyterlab, need, voila, written

__all__ = ["axe", "browser", "folder", "jupyterlab", "voila", "written"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What the servers' and the browser's own libraries warn of is not ours."""
    for item in items:
        if "in_browser" in str(item.path):
            item.add_marker(pytest.mark.filterwarnings("ignore"))


@pytest.fixture(scope="package")
def axe() -> str:
    """The source of axe-core."""
    node = shutil.which("node")
    found = (
        subprocess.run(
            [node, "-p", "require.resolve('axe-core/axe.min.js')"],
            capture_output=True,
            text=True,
            check=False,
        )
        if node
        else None
    )
    path = Path(found.stdout.strip()) if found is not None and found.returncode == 0 else None
    need("axe-core", found=path is not None)
    assert path is not None
    return path.read_text(encoding="utf-8")
