"""A log as a zip to attach to a support case: the log, tables to look at, and what it was made with.

    log.jsonl       every entry, as `Log.to_jsonl` writes it
    attempts.csv    `log.attempts`
    messages.csv    `log.messages`
    summary.txt     `log.summary()` as text
    config.json     what the log tells of region, deployment and origin, and the published limits
    versions.json   Python, platform, guestlab and its dependencies; no host, user or path
    manifest.json   size and SHA-256 of each file, and how often what was masked in which column

A tag stands for a secret without telling it: the manifest counts tags, and holds no value.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import platform
import re
import zipfile
from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import metadata
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from guestlab.errors import RegionError
from guestlab.limits import PUBLISHED
from guestlab.log.known_secrets import MASK
from guestlab.log.summary import summary_text
from guestlab.log.writing.files import blocks_of, replacing
from guestlab.log.writing.lines import csv_of, jsonl_of
from guestlab.regions import Region

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd

    from guestlab.log.bulk import Sides
    from guestlab.log.entry import Column
    from guestlab.log.recorder import Log

__all__ = ["write_bundle"]

FORMAT = "guestlab bundle"
VERSION = 1
_PACKAGES = (
    "guestlab", "dask", "httpx", "ipywidgets", "msgspec", "nest_asyncio", "pandas", "pyarrow", "pyyaml",
    "starlette", "trustme", "uvicorn", "websockets",
)  # fmt: skip
_COUNT = re.compile(r"(: \d+(?=, | and \d+ more$|$))", re.MULTILINE)
_MOST_TOLD = 100
"""Addresses and ids that config.json lists of each kind."""


def write_bundle(log: Log, path: Path) -> Path:
    """Write a support bundle and return its path.

    `gl.read` gives an equal log, but for `source_file`, which is the bundle's name where it was missing.

    Raises:
        LogError: The file cannot be written.
    """
    with replacing(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        bundle = _Bundle(archive)
        seen = _Seen()
        with bundle.member("log.jsonl") as member:
            for block, length in blocks_of(log):
                seen.look(block)
                member.write(jsonl_of(block, length))
                seen.entries += length
        from guestlab.log.views import ATTEMPTS_COLUMNS, MESSAGES_COLUMNS

        bundle.table("attempts.csv", log.attempts, ATTEMPTS_COLUMNS, log)
        bundle.table("messages.csv", log.messages, MESSAGES_COLUMNS, log)
        bundle.text("summary.txt", _redacted(summary_text(log), log) + "\n")
        bundle.text("config.json", _json(seen.config(log)))
        bundle.text("versions.json", _json(_versions()))
        masked = {name: dict(tags.most_common()) for name, tags in seen.masked.items()}
        manifest = {
            "format": FORMAT,
            "version": VERSION,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "entries": seen.entries,
            "files": bundle.files,
            "masked": masked,
        }
        bundle.text("manifest.json", _json(manifest))
    return path


class _Bundle:
    """A zip being written, and what is in it so far."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.files: dict[str, dict[str, Any]] = {}

    @contextlib.contextmanager
    def member(self, name: str) -> Iterator[IO[bytes]]:
        """Open a file in the zip; measured and hashed when it ends."""
        info = zipfile.ZipInfo(name, datetime.now(UTC).timetuple()[:6])
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = 0o600 << 16
        with self._archive.open(info, "w", force_zip64=True) as packed:
            hashed = _Hashed(packed)
            with io.BufferedWriter(hashed, 1 << 16) as file:
                yield file
        self.files[name] = {"bytes": hashed.size, "sha256": hashed.digest.hexdigest()}

    def text(self, name: str, text: str) -> None:
        """Add a small file."""
        with self.member(name) as file:
            file.write(text.encode("utf-8", "backslashreplace"))

    def table(self, name: str, frame: pd.DataFrame, columns: tuple[Column, ...], log: Log) -> None:
        """Add a view as CSV, its texts redacted once more."""
        sides = [_values(frame[column.name], column, log) for column in columns]
        with self.member(name) as file:
            csv_of(zip(*sides, strict=True), columns, file)


class _Hashed(io.RawIOBase):
    """Hands bytes on, counted and hashed."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.digest, self.size = file, hashlib.sha256(), 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.digest.update(data)
        self.size += len(data)
        return self._file.write(data)


def _values(side: pd.Series[Any], column: Column, log: Log) -> list[Any]:
    if column.dtype == "datetime64[ns, UTC]":
        missing = side.isna().tolist()
        numbers = side.astype("int64").tolist()
        return [None if gone else number for number, gone in zip(numbers, missing, strict=True)]
    values = [
        None if gone else value for value, gone in zip(side.tolist(), side.isna().tolist(), strict=True)
    ]
    if column.dtype == "str":
        return [None if value is None else log.redact(value) for value in values]
    return values


class _Seen:
    """What the entries tell on their way past: what was masked, and where they went."""

    def __init__(self) -> None:
        self.entries = 0
        self.masked: dict[str, Counter[str]] = {}
        self._urls: Counter[str] = Counter()

    def look(self, block: Sides) -> None:
        """Look at one block, redacted."""
        for name, side in block.items():
            found = Counter(
                tag
                for text in side
                if isinstance(text, str) and "[masked:" in text
                for tag in MASK.findall(text)
            )
            if found:
                self.masked.setdefault(name, Counter()).update(found)
        self._urls.update(url for url in block.get("url", ()) if isinstance(url, str))

    def config(self, log: Log) -> dict[str, Any]:
        """Tell region, deployment and addresses, as far as the log knows them; redacted one by one."""
        regions: dict[str, None] = {}
        hosts: dict[str, None] = {}
        deployments: dict[str, None] = {}
        for url in self._urls:
            with contextlib.suppress(ValueError):
                parts = urlsplit(url)
                hosts[f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"] = None
                deployments.update(dict.fromkeys(parse_qs(parts.query).get("deploymentId", ())))
                with contextlib.suppress(RegionError):
                    regions[Region.of(url).name] = None
        told = {"regions": regions, "hosts": hosts, "deployment_ids": deployments}
        found = {
            name: [log.redact(word) for word in list(words)[:_MOST_TOLD]] for name, words in told.items()
        }
        return {**found, "published_limits": asdict(PUBLISHED)}


def _redacted(summary: str, log: Log) -> str:
    """Redact the words of a summary, not the counts behind them: `getJwt: 3` is no secret's value."""
    parts = _COUNT.split(summary)
    return "".join(part if place % 2 else log.redact(part) for place, part in enumerate(parts))


def _versions() -> dict[str, Any]:
    packages: dict[str, str | None] = {}
    for name in _PACKAGES:
        try:
            packages[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            packages[name] = None
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "packages": packages,
    }


def _json(document: Any) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
