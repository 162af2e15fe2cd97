"""`python -m tests.fuzzing [TARGET …] --seconds N --seed S --record FILE`: search, and write down what came of it.

The seconds are shared evenly among the targets. With atheris the search is guided by coverage, else Hypothesis
generates; which it was stands in the record. Rows of targets that were not searched this time stay in the file.
What was found lies in the folder `--findings`. Exit status: 0, or 1 when something was found.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import platform
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.fuzzing.mutations import search
from tests.fuzzing.targets import TARGETS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.fuzzing.target import Target

__all__ = ["main"]

_COVERED = re.compile(r"cov: (\d+) ft: (\d+) corp: (\d+)")
_DONE = re.compile(r"^Done \d+ runs in (\d+) second", re.MULTILINE)
_EXECUTED = re.compile(r"stat::number_of_executed_units:\s+(\d+)")
_LONGEST = 120
"""Seconds after which libFuzzer takes an input for a hang."""
_MEGABYTES = 2048


def main(arguments: Sequence[str] | None = None) -> int:
    """Search for so long; 0 when nothing was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzzing", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="TARGET", help=f"one of: {', '.join(TARGETS)}; default: all"
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="in all (default: 60)")
    parser.add_argument("--seed", type=int, default=1, help="replays a run (default: 1)")
    parser.add_argument("--record", type=Path, metavar="FILE", help="JSON to write what was done to")
    parser.add_argument(
        "--findings", type=Path, metavar="FOLDER", help="where inputs that found something go"
    )
    parser.add_argument(
        "--corpus", type=Path, metavar="FOLDER", help="keeps inputs that reached something new"
    )
    parser.add_argument(
        "--at-once", type=int, default=1, metavar="N", help="targets side by side (default: 1)"
    )
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - set(TARGETS):
        parser.error(f"no target is called {', '.join(unknown)}")
    targets = [TARGETS[name] for name in options.names or TARGETS]
    findings = options.findings or Path(tempfile.mkdtemp(prefix="guestlab-fuzzing-"))
    findings.mkdir(parents=True, exist_ok=True)
    each = options.seconds * options.at_once / len(targets)

    def one(target: Target) -> dict[str, Any]:
        row = _searched(target, each, options.seed, findings, options.corpus)
        print(", ".join(f"{name} {value}" for name, value in row.items()), flush=True)
        if options.record is not None:
            _record(options.record, row, options.seed)
        return row

    with ThreadPoolExecutor(options.at_once) as pool:
        rows = list(pool.map(one, targets))
    if found := sum(len(row["findings"]) for row in rows):
        print(f"{found} findings, in {findings}")
    return 1 if found else 0


def _searched(
    target: Target, seconds: float, number: int, findings: Path, corpus: Path | None
) -> dict[str, Any]:
    started = time.monotonic()
    if importlib.util.find_spec("atheris") is None:
        count, found = search(target, examples=10**9, number=number, until=started + seconds)
        for place, finding in enumerate(found):
            (findings / f"{target.name}-{place}.input").write_bytes(finding.data)
            (findings / f"{target.name}-{place}.txt").write_text(
                finding.error, encoding="utf-8", errors="replace"
            )
        taken = round(time.monotonic() - started, 1)
        facts: dict[str, Any] = {
            "seconds": taken,
            "inputs": count,
            "edges": None,
            "findings": [one.where for one in found],
        }
        engine = f"hypothesis {version('hypothesis')}"
    else:
        facts = _guided(target, seconds, number, findings, corpus)
        engine = f"atheris {version('atheris')}"
    return {"target": target.name, "engine": engine, **facts}


def _guided(
    target: Target, seconds: float, number: int, findings: Path, corpus: Path | None
) -> dict[str, Any]:
    """Search in a process of its own; after a hang or too much memory in another, for the time that is left."""
    inputs, edges, searched, found = 0, 0, 0.0, list[str]()
    with tempfile.TemporaryDirectory() as folder:
        seeds, kept = Path(folder, "seeds"), (corpus or Path(folder, "corpus")) / target.name
        kept.mkdir(parents=True, exist_ok=True)
        seeds.mkdir()
        for place, data in enumerate([*target.seeds(), *(path.read_bytes() for path in target.examples())]):
            (seeds / str(place)).write_bytes(data)
        words = Path(folder, "words")
        words.write_text("".join(f'"{_escaped(word)}"\n' for word in target.words), encoding="ascii")
        while (left := round(seconds - searched)) > 0:
            started = time.monotonic()
            said = _run(
                target, findings, f"-max_total_time={left}", f"-seed={number}", f"-timeout={_LONGEST}",
                f"-rss_limit_mb={_MEGABYTES}", f"-max_len={target.longest}", f"-dict={words}", "-print_final_stats=1",
                f"-artifact_prefix={findings}/{target.name}-", kept, seeds,
            )  # fmt: skip
            done = _DONE.search(said)  # starting, which takes long, does not count
            searched += float(done[1]) if done else min(time.monotonic() - started, left)
            inputs += sum(map(int, _EXECUTED.findall(said)))
            edges = max([edges, *(int(covered) for covered, _, _ in _COVERED.findall(said))])
            found += re.findall(r"^FINDING (.*)", said, re.MULTILINE)
            if (ended := re.search(r"SUMMARY: libFuzzer: (.*)|ERROR: libFuzzer: (.*)", said)) is None:
                break
            found.append(ended[1] or ended[2])
            number += 1
    return {"seconds": searched, "inputs": inputs, "edges": edges, "findings": sorted(set(found))}


def _run(target: Target, findings: Path, *arguments: object) -> str:
    command = [sys.executable, "-m", "tests.fuzzing.guided", target.name, str(findings), *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    said = done.stdout.decode("utf-8", "replace")
    (findings / f"{target.name}.out").write_text(said[-200_000:], encoding="utf-8")
    return said


def _escaped(word: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word)


def _record(path: Path, row: dict[str, Any], number: int) -> None:
    """Put one target's row into the file."""
    document = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"targets": []}
    rows = {old["target"]: old for old in document["targets"]}
    rows[row["target"]] = {**row, "seed": number, "at": datetime.now(UTC).strftime("%Y-%m-%d %H:%MZ")}
    document["targets"] = [rows[name] for name in TARGETS if name in rows]
    document["python"] = platform.python_version()
    document["seconds"] = round(sum(one["seconds"] for one in document["targets"]), 1)
    document["inputs"] = sum(one["inputs"] for one in document["targets"])
    lines = ",\n  ".join(json.dumps(one) for one in document.pop("targets"))
    head = json.dumps(document)[:-1]
    path.write_text(f'{head}, "targets": [\n  {lines}\n]}}\n', encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
