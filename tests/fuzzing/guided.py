"""Coverage-guided search by atheris (libFuzzer), one target in one process of its own.

`python -m tests.fuzzing.guided TARGET FINDINGS [libFuzzer's own arguments]`. An input that finds something is
stored in the folder FINDINGS, and the search goes on; only a hang or too much memory ends the process.
atheris is no dependency: `pip install atheris` beside the tests' own.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import atheris

__all__ = ["main"]


def main() -> None:
    """Search until libFuzzer's own arguments say it is enough."""
    name, folder, *arguments = sys.argv[1:]
    with atheris.instrument_imports(include=["guestlab", "websockets"]):
        from tests.fuzzing.targets import TARGETS
    from tests.fuzzing.target import found_by

    target, seen = TARGETS[name], set[str]()

    def feed(data: bytes) -> None:
        finding = found_by(target, data)
        if finding is None or finding.where in seen:
            return
        seen.add(finding.where)
        stem = Path(folder, f"{name}-{hashlib.sha256(finding.where.encode()).hexdigest()[:8]}")
        stem.with_suffix(".input").write_bytes(finding.data)
        stem.with_suffix(".txt").write_text(
            f"{finding.where}\n{finding.error}", encoding="utf-8", errors="replace"
        )
        print(f"FINDING {finding.where}", flush=True)

    atheris.Setup([sys.argv[0], *arguments], feed)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
