"""Beyond one machine: an archive that several processes write, and Dask's workers analyse with the same calls."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import guestlab as gl

if TYPE_CHECKING:
    from collections.abc import Iterator

WRITER = """
import random, sys
sys.path.insert(0, sys.argv[3])
from tests.analysis.conftest import build
log = build(int(sys.argv[1]), sessions=4, messages=20).log
for _ in range(3):                      # a log that is written again and again, as it grows
    log.record("note", note="a look at the archive")
    log.to_parquet(sys.argv[2])
"""
CALLS: dict[str, Any] = {
    name: getattr(gl.analysis, name)
    for name in (
        "response_times", "turns", "silences", "disorder", "duplicates", "late_messages",
        "live_versus_history", "delivery_latency", "rates", "budget",
    )
}  # fmt: skip


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset that three processes wrote at once, read again and again meanwhile."""
    folder = tmp_path_factory.mktemp("many") / "archive"
    root = str(Path(__file__).parents[2])
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(seed), str(folder), root], cwd=root)
        for seed in range(11, 14)
    ]
    while any(writer.poll() is None for writer in writers):
        if not list(folder.rglob("*.parquet")):
            continue
        log = gl.read(folder)
        assert log.skipped == ()  # never half a file
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    return folder


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """Two workers, each a process, on loopback."""
    distributed = pytest.importorskip("dask.distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def in_order(found: pd.DataFrame) -> pd.DataFrame:
    """Partitions come in no promised order."""
    found = found.reset_index(drop=True)
    return found.loc[found.astype("str").sort_values([*found.columns]).index].reset_index(drop=True)


def test_every_process_wrote_its_log_once(archive: Path) -> None:
    """Three logs, each in its last form."""
    notes = [entry for entry in gl.read(archive).entries if entry.note == "a look at the archive"]
    assert len(notes) == 3 * 3


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", CALLS)
def test_a_cluster_finds_what_pandas_finds(name: str, archive: Path, client: Any) -> None:
    """The same call, on the same files, over worker processes and in this one."""
    import dask.dataframe as dd

    lazy = dd.read_parquet(archive)
    assert lazy.npartitions > 1
    there = CALLS[name](lazy)
    assert type(there).__module__.startswith("dask")
    here = CALLS[name](pd.read_parquet(archive))
    found = client.compute(there).result()
    assert len(here)
    pd.testing.assert_frame_equal(in_order(found), in_order(here))


@pytest.mark.timeout(300)
def test_the_example_of_the_readme_runs(archive: Path) -> None:
    """As printed, on a folder of that name, in a process of its own; it prints what pandas finds."""
    pytest.importorskip("dask.distributed")
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    code = readme.partition("<!-- the archive -->\n```python\n")[2].partition("```")[0]
    assert "read_parquet" in code
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=archive.parent, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    waits = gl.analysis.response_times(pd.read_parquet(archive)).groupby("session")["response_ms"].max()
    printed = dict(line.split() for line in done.stdout.splitlines()[1:] if len(line.split()) == 2)
    assert {name: float(value) for name, value in printed.items() if name in waits.index} == dict(waits)
