"""What is shipped: a wheel and an sdist with all the package needs, and nothing else.

Installing them on each Python, with the lowest and the newest dependencies, is `.ci/pythons`.
"""

from __future__ import annotations

import email
import importlib.util
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "guestlab"
UNWANTED = ("__pycache__", ".pyc", ".ipynb_checkpoints", ".DS_Store", ".journal.jsonl", ".bak")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both, built as `pip` and `python -m build` do, without fetching anything."""
    folder = tmp_path_factory.mktemp("built")
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> zipfile.ZipFile:
    """The wheel."""
    (path,) = built.glob("*.whl")
    return zipfile.ZipFile(path)


@pytest.fixture(scope="module")
def source(built: Path) -> list[str]:
    """The files of the sdist, without the folder in front."""
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        return [name.partition("/")[2] for name in archive.getnames()]


def shipped(folder: Path) -> set[str]:
    """Files below a folder as they should be in the wheel."""
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and not any(word in path.as_posix() for word in UNWANTED)
    }


def test_the_wheel_holds_the_package_and_the_notebooks(wheel: zipfile.ZipFile) -> None:
    """Every module, table, style sheet and notebook; `py.typed` too, and nothing beside them."""
    names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    package = {f"guestlab/{name}" for name in shipped(PACKAGE)}
    notebooks = {f"guestlab/notebooks/{name}" for name in shipped(ROOT / "notebooks")}
    assert names == package | notebooks
    assert "guestlab/py.typed" in names
    assert len([name for name in notebooks if name.endswith(".ipynb")]) >= 9


@pytest.mark.parametrize("word", [*UNWANTED, "tests/"])
def test_the_wheel_holds_nothing_stray(wheel: zipfile.ZipFile, word: str) -> None:
    """No tests, no leftovers of a run."""
    assert not [name for name in wheel.namelist() if word in name]


def test_the_metadata_says_what_it_is_and_wants(wheel: zipfile.ZipFile) -> None:
    """Name, licence, Python, extras, the README as Markdown, and the command."""
    (name,) = [name for name in wheel.namelist() if name.endswith("/METADATA")]
    told = email.message_from_string(wheel.read(name).decode())
    assert told["Name"] == "guestlab"
    assert told["Requires-Python"] == ">=3.11"
    assert told["License-Expression"] == "MIT"
    assert told["Description-Content-Type"] == "text/markdown"
    assert {"lab", "plot", "parquet", "dask", "keyring", "test"} <= set(told.get_all("Provides-Extra") or ())
    assert (ROOT / "README.md").read_text(encoding="utf-8").strip() in str(told.get_payload()).strip()
    points = wheel.read(name.replace("METADATA", "entry_points.txt")).decode()
    assert "guestlab = guestlab.cli:main" in points


def test_no_dependency_has_a_ceiling(wheel: zipfile.ZipFile) -> None:
    """A ceiling would need a known break beside it."""
    (name,) = [name for name in wheel.namelist() if name.endswith("/METADATA")]
    wants = email.message_from_string(wheel.read(name).decode()).get_all("Requires-Dist") or []
    assert wants
    assert not [want for want in wants if "<" in want.partition(";")[0] or "==" in want.partition(";")[0]]


def test_the_sdist_holds_what_the_tests_need(source: list[str]) -> None:
    """Source, tests, notebooks, README and the scripts of `.ci`: it can be built and tested alone."""
    for name in (
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "guestlab/py.typed",
        "tests/conftest.py",
        ".ci/run",
        "notebooks/01_first_session.ipynb",
    ):
        assert name in source
    assert not [name for name in source if any(word in name for word in UNWANTED)]
    assert {name.partition("/")[0] for name in source} - {"PKG-INFO"} == {
        ".ci",
        ".gitignore",
        "LICENSE",
        "README.md",
        "guestlab",
        "notebooks",
        "pyproject.toml",
        "tests",
    }


def test_a_registry_would_take_both(built: Path) -> None:
    """`twine check --strict`, where twine is installed."""
    if importlib.util.find_spec("twine") is None:
        pytest.skip("twine is not installed")
    done = subprocess.run(
        [sys.executable, "-m", "twine", "check", "--strict", *map(str, built.iterdir())],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_the_wheel_alone_runs_the_tour(built: Path, tmp_path: Path) -> None:
    """From the zip, without the source tree: the data files are found, and the notebooks copied."""
    (path,) = built.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "site")
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); import guestlab; from guestlab.cli import main\n"
        "assert guestlab.__file__.startswith(sys.argv[1]), guestlab.__file__\n"
        "assert main(['tour', '--json']) == 0\n"
        "assert main(['lab', '--no-open', 'notebooks']) == 0\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "site")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "notebooks").glob("*.ipynb"))) >= 9
