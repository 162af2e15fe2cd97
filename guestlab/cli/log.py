"""`guestlab log`: look at a log, count what is in it, turn it into another format."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guestlab.cli.output import DONE, Wrapped, add_command, printable
from guestlab.errors import GuestlabError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    import pandas as pd

    from guestlab.log import Log

__all__ = ["FORMATS", "SHOWN", "add"]

SHOW_KEYS = "view entries columns rows skipped[{source_file place why}]"
SUMMARY_KEYS = "entries rows[{what count detail}] skipped[{source_file place why}]"
CONVERT_KEYS = "written format entries skipped[{source_file place why}]"
SHOW_EXAMPLES = (
    "guestlab log show devtools.har",
    "guestlab log show runs/ --view frames --tail 20",
)
SUMMARY_EXAMPLES = ("guestlab log summary runs/", "wscat -c … | guestlab log summary -")
CONVERT_EXAMPLES = (
    "guestlab log convert devtools.har session.csv",
    "guestlab log convert runs/ archive.parquet --append",
)

SHOWN: dict[str, tuple[str, ...]] = {
    "messages": ("time", "direction", "type", "text", "session", "late"),
    "frames": ("at", "session", "direction", "action", "class_name", "frame_code", "close_code", "text"),
    "http": ("at", "stage", "method", "url", "http_status", "latency_ms", "correlation_id"),
    "attempts": (
        "attempt",
        "credential",
        "placement",
        "ok",
        "http_status",
        "frame_code",
        "close_code",
        "rule",
    ),
    "sessions": ("session", "first_at", "frames_sent", "frames_received", "messages_in", "messages_out"),
    "table": ("seq", "at", "kind", "session", "action", "class_name", "http_status", "text", "note"),
}
"""View → the columns that fit a terminal; --json prints all of them."""
FORMATS: dict[str, tuple[str, ...]] = {
    "jsonl": (".jsonl", ".ndjson"),
    "csv": (".csv",),
    "parquet": (".parquet", "/"),
    "har": (".har",),
    "bundle": (".zip",),
}
"""Format → what OUT ends in."""
_WIDEST = 48
_MOST_READ = 1 << 30
"""Bytes that are read from standard input."""


def add(commands: Any) -> None:
    """Add the commands."""
    log = commands.add_parser(
        "log",
        help="show, sum up and convert logs (HAR, journal, Parquet and others)",
        description="Show, sum up and convert logs: HAR, journal, JSON Lines, CSV, Parquet, bundle, terminal "
        "output; a file or a folder.",
        epilog="examples:\n  " + "\n  ".join((*SHOW_EXAMPLES, *SUMMARY_EXAMPLES, *CONVERT_EXAMPLES)),
        formatter_class=Wrapped,
    )
    verbs = log.add_subparsers(title="what to do", metavar="VERB", required=True)
    show = add_command(verbs, "show", _show, "print one view of a log", SHOW_KEYS, SHOW_EXAMPLES)
    _add_inputs(show)
    show.add_argument("--view", choices=tuple(SHOWN), default="messages", help="which (default: messages)")
    show.add_argument("--tail", metavar="N", type=_count, help="only the last N rows (default: all)")
    counted = add_command(
        verbs, "summary", _summary, "tell at a glance what is in a log", SUMMARY_KEYS, SUMMARY_EXAMPLES
    )
    _add_inputs(counted)
    convert = add_command(
        verbs, "convert", _convert, "write a log in another format", CONVERT_KEYS, CONVERT_EXAMPLES
    )
    convert.description = (
        "Write a log in another format. "
        "It is told by what OUT ends in: .jsonl .csv .har .zip, .parquet or / (a folder)."
    )
    _add_inputs(convert)
    convert.add_argument(
        "out",
        metavar="OUT",
        help="where to write; a file of that name is replaced, a folder must be empty (or --append)",
    )
    convert.add_argument(
        "--append",
        action="store_true",
        help="parquet: add to what is in the folder; a run that is there is replaced",
    )
    convert.add_argument(
        "--to",
        choices=tuple(FORMATS),
        metavar="FORMAT",
        help="jsonl, csv, parquet, har or bundle (default: by what OUT ends in)",
    )


def _add_inputs(command: argparse.ArgumentParser) -> None:
    command.add_argument("files", nargs="+", metavar="FILE", help="a file or folder; - is standard input")


def _count(text: str) -> int:
    import argparse

    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{printable(text)!r} is no number of rows: give 0, 1, 2 …")
    return int(text)


def _read(names: Sequence[str]) -> Log:
    """Read what was named; standard input passes through a file of its own."""
    from guestlab.log.reading import read_all

    if "-" not in names:
        return read_all(names)
    with tempfile.TemporaryDirectory(prefix="guestlab-") as folder:
        stdin = Path(folder, "standard-input")
        with stdin.open("wb") as file:
            _copy(sys.stdin.buffer, file)
        return read_all([stdin if name == "-" else name for name in names])


def _copy(source: Any, target: Any) -> None:
    left = _MOST_READ
    while left > 0 and (data := source.read(min(1 << 20, left))):
        left -= len(data)
        target.write(data)
    if left <= 0 and source.read(1):
        raise GuestlabError(
            "There is too much on standard input.",
            why=f"More than {_MOST_READ >> 20} MiB came.",
            next_step="Save it as a file and name that.",
        )


def _skipped(log: Log) -> list[dict[str, str]]:
    return [skipped._asdict() for skipped in log.skipped]


def _tell_skipped(log: Log) -> None:
    from guestlab.log.reading.report import how_many

    if log.skipped:
        first = log.skipped[0]
        count = how_many(log.skipped)
        more = f" and {count - 1:,} more" if count > 1 else ""
        text = f"Not read: {first.source_file}, {first.place}: {first.why}{more}."
        print(printable(text), file=sys.stderr)


def _show(options: argparse.Namespace) -> int:
    log = _read(options.files)
    frame: pd.DataFrame = log.table() if options.view == "table" else getattr(log, options.view)
    if options.tail is not None:
        frame = frame.tail(options.tail)
    if options.json:
        document = {
            "view": options.view,
            "entries": len(log),
            "columns": list(frame.columns),
            "rows": _records(frame),
            "skipped": _skipped(log),
        }
        print(json.dumps(document))
        return DONE
    _tell_skipped(log)
    print("\n".join(_lines(frame[list(SHOWN[options.view])])))
    return DONE


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as JSON takes them: times in ISO 8601, missing values null."""
    rows: list[dict[str, Any]] = json.loads(
        frame.to_json(orient="records", date_format="iso", date_unit="ns", default_handler=str) or "[]"
    )
    return rows


def _lines(frame: pd.DataFrame) -> list[str]:
    """Lay a view out for a terminal: one line per row, whatever the cells hold."""
    names = [str(name) for name in frame.columns]
    filled = frame.astype(object).where(frame.notna(), None)
    rows = [names, *([_cell(value) for value in row] for row in filled.itertuples(index=False, name=None))]
    widths = [min(max(map(len, column)), _WIDEST) for column in zip(*rows, strict=True)]
    wide = shutil.get_terminal_size((160, 24)).columns if sys.stdout.isatty() else 10_000
    shown = ("  ".join(_fitted(cell, width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return [line.rstrip()[:wide] for line in shown] + ([] if len(rows) > 1 else ["(nothing)"])


def _fitted(cell: str, width: int) -> str:
    return cell.ljust(width) if len(cell) <= width else f"{cell[: width - 1]}…"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}.{value.microsecond // 1000:03d}"
    if isinstance(value, float):
        return f"{value:.1f}"
    text = str(value)[: 4 * _WIDEST]
    return printable(text).replace("\n", "\u23ce")


def _summary(options: argparse.Namespace) -> int:
    from guestlab.log.summary import summary_text

    log = _read(options.files)
    if options.json:
        rows = _records(log.summary())
        print(json.dumps({"entries": len(log), "rows": rows, "skipped": _skipped(log)}))
    else:
        _tell_skipped(log)
        print(printable(summary_text(log)))
    return DONE


def _format(options: argparse.Namespace) -> str:
    """The format to write: what --to says, else what the ending of OUT does."""
    if options.to is not None:
        return str(options.to)
    for name, ends in FORMATS.items():
        if options.out.lower().endswith(ends):
            return name
    options.parser.error(
        f"what {printable(options.out)!r} shall be is not told by its ending; say --to FORMAT"
    )
    raise AssertionError("argparse exits")


def _convert(options: argparse.Namespace) -> int:
    kind = _format(options)
    out = Path(options.out)
    if options.append and kind != "parquet":
        options.parser.error(f"--append is for parquet; {printable(options.out)} would be replaced")
    if kind == "parquet" and not options.append and out.is_dir() and any(out.iterdir()):
        options.parser.error(
            f"{printable(options.out)} holds something already: a log that is in it would be there twice; "
            "say --append to add this one, or name a folder that is empty or missing"
        )
    log = _read(options.files)
    writers: dict[str, Callable[[Path], Path]] = {
        "jsonl": log.to_jsonl,
        "csv": log.to_csv,
        "parquet": log.to_parquet,
        "har": log.to_har,
        "bundle": log.to_bundle,
    }
    written = writers[kind](out)
    if options.json:
        document = {"written": str(written), "format": kind, "entries": len(log), "skipped": _skipped(log)}
        print(json.dumps(document))
    else:
        _tell_skipped(log)
        print(f"{len(log):,} entries written to {printable(str(written))}.")
    return DONE
