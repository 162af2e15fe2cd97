"""`guestlab lab`: the notebooks are copied with care, and JupyterLab is opened on them."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from guestlab.cli import main, notebooks
from guestlab.errors import InputError
from guestlab.lab import Lab

if TYPE_CHECKING:
    from pathlib import Path

FIRST = "01_first_session.ipynb"


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What would have been started, instead of JupyterLab."""
    started: list[dict[str, Any]] = []

    class Process:
        def __init__(self, command: list[str], *, cwd: Path, env: dict[str, str]) -> None:
            started.append({"command": command, "cwd": cwd, "env": env})
            self._interrupted = False

        def wait(self) -> int:
            if not self._interrupted:
                self._interrupted = True
                raise KeyboardInterrupt
            return 0

        def terminate(self) -> None:
            started[-1]["terminated"] = True

    monkeypatch.setattr(os, "geteuid", lambda: 1000, raising=False)
    monkeypatch.setattr(subprocess, "Popen", Process)
    return started


def test_every_notebook_is_copied_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And the folder is made; the terminal says where they are."""
    folder = tmp_path / "deep" / "mine"
    assert main(["lab", str(folder), "--no-open"]) == 0
    sources = notebooks.shipped()
    assert {path.name for path in folder.iterdir()} == {source.name for source in sources}
    assert all((folder / source.name).read_bytes() == source.read_bytes() for source in sources)
    printed = capsys.readouterr().out
    assert f"{sys.executable} -m jupyterlab {folder}" in printed
    assert sum(line.endswith(" copied") for line in printed.splitlines()) == len(sources)


def test_without_a_folder_they_go_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Into ./guestlab-notebooks."""
    monkeypatch.chdir(tmp_path)
    assert main(["lab", "--no-open"]) == 0
    assert (tmp_path / "guestlab-notebooks" / FIRST).exists()


def test_what_somebody_changed_is_kept_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A lesson half done survives the next start."""
    notebooks.copy_notebooks(tmp_path)
    (tmp_path / FIRST).write_text("my own work", encoding="utf-8")
    assert main(["lab", str(tmp_path), "--no-open"]) == 0
    assert (tmp_path / FIRST).read_text(encoding="utf-8") == "my own work"
    (line,) = (line for line in capsys.readouterr().out.splitlines() if FIRST in line)
    assert "kept as you left it" in line
    assert "--refresh" in line


def test_refresh_puts_the_original_back_and_keeps_yours(tmp_path: Path) -> None:
    """Nothing is lost: it stands beside, as a notebook that opens, and a second one beside the first."""
    notebooks.copy_notebooks(tmp_path)
    original = (tmp_path / FIRST).read_bytes()
    (tmp_path / FIRST).write_text("my own work", encoding="utf-8")
    states = notebooks.copy_notebooks(tmp_path, refresh=True)
    assert states[FIRST] == "refreshed"
    assert set(states.values()) == {"refreshed", "unchanged"}
    assert (tmp_path / FIRST).read_bytes() == original
    mine = tmp_path / "01_first_session.mine.ipynb"
    assert mine.read_text(encoding="utf-8") == "my own work"
    (tmp_path / FIRST).write_text("more of it", encoding="utf-8")
    notebooks.copy_notebooks(tmp_path, refresh=True)
    assert mine.read_text(encoding="utf-8") == "my own work"
    assert (tmp_path / "01_first_session.mine2.ipynb").read_text(encoding="utf-8") == "more of it"


def test_jupyterlab_is_opened_in_this_environment_with_the_seed(
    tmp_path: Path, opened: list[dict[str, Any]]
) -> None:
    """On the first notebook, in the folder; an interrupt ends it."""
    assert main(["lab", str(tmp_path), "--seed", "7", "--jupyter=--no-browser"]) == 0
    (started,) = opened
    assert started["command"] == [sys.executable, "-m", "jupyterlab", FIRST, "--no-browser"]
    assert started["cwd"] == tmp_path.resolve()
    assert started["env"]["GUESTLAB_SANDBOX_SEED"] == "7"
    assert started["terminated"]


def test_without_a_seed_none_is_exported(tmp_path: Path, opened: list[dict[str, Any]]) -> None:
    """What the environment says is left as it is."""
    assert main(["lab", str(tmp_path)]) == 0
    assert "GUESTLAB_SANDBOX_SEED" not in opened[0]["env"]


def test_for_machines_it_prints_one_object_with_the_keys_of_its_help(
    tmp_path: Path, opened: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    """Which notebooks, what became of them, what was started."""
    assert main(["lab", str(tmp_path), "--json", "--seed", "7"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert " ".join(document) == notebooks.KEYS.replace("{name,state}", "")
    assert document["command"] == opened[0]["command"]
    assert document["seed"] == 7
    assert {tuple(notebook) for notebook in document["notebooks"]} == {("name", "state")}
    main(["lab", str(tmp_path), "--json", "--no-open"])
    again = json.loads(capsys.readouterr().out)
    assert again["command"] is None
    assert {notebook["state"] for notebook in again["notebooks"]} == {"unchanged"}


def test_without_jupyterlab_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is copied; copying alone still works."""
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "jupyterlab" else found(name, *rest)
    )
    folder = tmp_path / "notebooks"
    assert main(["lab", str(folder)]) == 3
    assert "pip install 'guestlab[lab]'" in capsys.readouterr().err
    assert not folder.exists()
    assert main(["lab", str(folder), "--no-open"]) == 0


def test_as_root_it_says_what_jupyterlab_wants(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    opened: list[dict[str, Any]],
) -> None:
    """Before anything is copied or started."""
    monkeypatch.setattr(os, "geteuid", lambda: 0, raising=False)
    folder = tmp_path / "notebooks"
    assert main(["lab", str(folder)]) == 3
    assert "--jupyter=--allow-root" in capsys.readouterr().err
    assert not folder.exists()
    assert main(["lab", str(folder), "--jupyter=--allow-root"]) == 0
    assert len(opened) == 1


def test_a_folder_that_cannot_be_one_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file is in its place."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert main(["lab", str(tmp_path / "file"), "--no-open"]) == 3
    assert "cannot be copied" in capsys.readouterr().err


def test_the_same_seed_gives_a_class_the_same_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    """On ports and with control keys of their own."""
    monkeypatch.setenv("GUESTLAB_SANDBOX_SEED", "7")
    with Lab() as mine, Lab() as yours:
        assert (mine.deployment_id, mine.client_id) == (yours.deployment_id, yours.client_id)
        assert mine.region.name != yours.region.name
        assert mine.sandbox is not None
        assert yours.sandbox is not None
        assert mine.sandbox.control_key != yours.sandbox.control_key
        ids = mine.deployment_id
    monkeypatch.setenv("GUESTLAB_SANDBOX_SEED", "8")
    with Lab() as other:
        assert other.deployment_id != ids
    monkeypatch.setenv("GUESTLAB_SANDBOX_SEED", "seven")
    with pytest.raises(InputError, match="GUESTLAB_SANDBOX_SEED"):
        Lab()


@pytest.mark.timeout(120)
@pytest.mark.skipif(sys.platform == "win32", reason="the group of processes is ended by a signal")
def test_jupyterlab_really_serves_the_notebooks(tmp_path: Path) -> None:
    """Started as a person would, but without a browser; its contents are the notebooks."""
    pytest.importorskip("jupyterlab")
    options = ("--jupyter=--no-browser", "--jupyter=--allow-root", "--jupyter=--port=0")
    environ = {
        **os.environ,
        "JUPYTER_CONFIG_DIR": str(tmp_path / "c"),
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "r"),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "guestlab", "lab", str(tmp_path / "n"), *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=environ,
        start_new_session=True,
    )
    try:
        assert process.stderr is not None
        address = next(
            found
            for line in process.stderr
            if (found := re.search(r"http://127\.0\.0\.1:(\d+)/\S*token=(\w+)", line))
        )
        drain = threading.Thread(target=process.communicate)
        drain.start()
        url = f"http://127.0.0.1:{address[1]}/api/contents?token={address[2]}"
        listed = httpx.get(url, trust_env=False, timeout=30).json()["content"]
        assert {entry["name"] for entry in listed} == {source.name for source in notebooks.shipped()}
        process.terminate()
        assert process.wait(60) == 0
        with pytest.raises(httpx.ConnectError):  # no orphan: nobody listens there any more
            httpx.get(url, trust_env=False, timeout=30)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(20)
        drain.join(20)
