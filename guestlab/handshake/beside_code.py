"""Tells what stands beside code in one paste: what a program printed, what a person wrote, outcomes in comments.

A line is taken for code by its form; every other line is somebody's words, and no word may be lost, because an
outcome that is not read would make a failure look right. Pure.
"""
# ruff: noqa: E501 - a pattern is read by its alternatives, however long a line of them

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from guestlab.handshake.outcome_words import bare_outcome, plainly

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["beside_code", "without_harmless"]

MAX_LINES = 2_000

_PRINTED = re.compile(
    r"(?:\b\w*Error\b|\b\w*Exception\b|error:|Traceback|HTTP/[\d.]+ \d{3}|Unexpected server response|InvalidStatus"
    r"|rejected WebSocket|close code|closed with|<Response \[|Handshake status|failed:|\bInvalid(?:Message|Upgrade|Handshake)\b"
    r"|CloseEvent\b|proxy rejected|bad handshake|non-101|ErrorEvent|StatusCode=\d)"
)
"""What a program printed rather than a person wrote, wherever it stands, in a comment too."""
_CATCHES = re.compile(
    r"^\s*(?:[})]|(?:public|private|protected|internal|static|async|class|def|fn|func|fun|function|override|export|const|let|var|val|return"
    r"|use|using|enum|struct|interface|type|on)\b|[^\n]*[(),]\s*(?:throws \w+\s*)?\{\s*$|catch\b|except\b|raise\b|throw\b|rescue\b|import\b|from\b|if\b|elif\b|assert\b|with pytest|case\b|match\b"
    r"|[\w$.]{1,80}\([^\n]*\)\s*;\s*$"
    r"|console\.|print\w*\(|log\w*\.|System\.|fmt\.|echo\b|puts\b|logger\.|\w+\.on\(|\w+\.add\w*\()"
)
"""Statements that only name an error."""
_CODE = re.compile(
    r"^\s*(?:$|```|\#!|//|\#|/\*|\*|--\s|<!--|[\}\)\]@.\"'`?*+&|$]|<[\w/!?]"
    r"|(?:(?:public|private|protected|internal|sealed|abstract|static|final|partial|export|default|data|open|pub|async)\s+)*"
    r"(?:class|interface|struct|enum|record|object|trait|impl|module|namespace|func|fun|fn|mod|defmodule|actor)\s+\w+(?!\s+[a-z]+\s+[a-z]+\s)"
    r"|import\b|from\s+[\w.]+\s+import\b"
    r"|(?:using|use|package|require\w*|include|namespace|module|extern|open)\b[ \"'(<{*@]\S*(?:\s\S+){0,2}\s*$"
    r"|(?:const|let|var|val|final|static|assert|public|private|protected|internal|export|async|await|return|raise|throw|yield|def|fn|fun"
    r"|func|class|enum|object|record|trait|impl|declare|abstract|readonly|struct|interface|type|override|suspend|new|final|mut|String|Uri|auto|void|int|lambda|print|puts|echo|defer|go|extends)\b"
    r"(?=[^\n]*[=(;{\[<]|\W*\w*\W*\w*\W*$)"
    r"|(?:if|for|while|with|elif|else|try|except|finally|switch|catch|do|end|unless|begin|rescue|case|match|loop|when|select)\b"
    r"(?:\s*\(|[^\n]*(?:[{]|[=!]=|:=|[=-]>)|[^.!?\n]*(?:[:)]|\bthen|\bdo)\s*$|\s*$)"
    r"|(?:pass|break|continue|end|done|fi|nil|null|None)\W*$"
    r"|[\w$.\[\]\"'>*&:@, ()-]{1,120}?\s*(?::\s*[\w<>\[\], |.]{1,60})?(?::=|(?<![=!<>])[+|]?=(?![=>]))\s*\S"
    r"|[A-Za-z_$][\w$]*(?:(?:\.|::|->|\?\.|!!?\.)[\w$!?]+|\[[^\]\n]{0,60}\])*(?:<[\w<>, .]{1,40}>)?\("
    r"|[\w$\"'-]+\s*(?::|=>)\s*[\"'`\w{\[$(].*,\s*$)"
    r"|^\s*(?:\{:\w|[a-z][\w.]*\s+:[a-z]|pp?\s+\[)|\bdo(?:\s*\|[^|\n]*\|)?\s*$|[=!]==?\s|&&|\|\|"
    r"|[;{]\s*$|=>\s*[\w({]|\)\s*(?:\{|;|,)\s*$",
)
_NO_STATEMENT = re.compile(
    r"^\s*(?:[A-Za-z' ]{1,40}\b)?(?:status|code|http|error|result|answer|response|wss?://\S+|https?://\S+)\W{0,3}[=:]{1,2}\s*\d{3,4}\b"
    r"[^;,)(]*$",
    re.IGNORECASE,
)
_TRAILING = re.compile(r"(?<![:\"'\w/])(?://|\#(?![\w{!])|--(?=\s))[ \t]*(?P<said>[^\n]{1,400})$")
_STRING = re.compile(r"\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|`[^`\n]*`")
_WHOLE = re.compile(r"^\s*(?://+|\#+|--|/\*+|\*(?!/))[ \t]*(?P<said>[^\n]*?)(?:\*/)?\s*$")
_HARMLESS = re.compile(
    r"\W*|\s*(?:```\w*|(?:\$|>>>|PS [^>]*>|C:\\[^>]*>|\(\w+\)\s*\$)\s.*|\$|>>>|[-=_*#~]{3,}.*"
    r"|(?:npm|pip3?|yarn|pnpm|node|python3?|go run|cargo|dotnet|java|ruby|php|deno|bun)\s+\S.*"
    r"|.{0,200}[:?]|(?:hi|hello|thanks|thank you|cheers|regards|best)\b.{0,60}"
    r"|\W*(?:connected|connecting|open|opened|ready|ok|done|success|it works|works|listening|started|starting)\b.{0,60}"
    r"|Connected \(press CTRL\+C to quit\)|[>$%#]\s*)",
    re.IGNORECASE,
)


def beside_code(text: str) -> str:
    """The lines of a paste of code that are no code, and the outcomes that its comments consist of."""
    found: list[str] = []
    depth = 0
    for line in _without_blocks(text.splitlines()[:MAX_LINES]):
        whole = _WHOLE.match(line)
        if whole:
            found += _of_comment(whole["said"])
            continue
        bare = _STRING.sub('""', line[:2_000])
        if _PRINTED.search(bare) and not _CATCHES.match(line):
            said = _TRAILING.search(bare)
            found.append(said["said"] if said and not _PRINTED.search(bare[: said.start()]) else line)
            continue
        if said := _TRAILING.search(bare):
            found += _of_comment(said["said"])
            bare = bare[: said.start()]
        if outcome := bare_outcome(bare[bare.rfind(")") + 1 :]) if ")" in bare else "":
            found.append(outcome)
        if depth <= 0 and (_NO_STATEMENT.match(line) or not _CODE.search(bare)):
            found.append(plainly(line))
            continue
        depth = max(
            0, depth + sum(bare.count(mark) for mark in "([{") - sum(bare.count(mark) for mark in ")]}")
        )
    return "\n".join(line.strip() for line in found if line.strip())


def _without_blocks(lines: list[str]) -> Iterator[str]:
    """Leave out docstrings and comments of several lines: what they say of failures is what may happen."""
    last = {
        mark: max((n for n, line in enumerate(lines) if mark in line), default=-1) for mark in _ENDS.values()
    }
    until = ""
    for number, line in enumerate(lines):
        if until:
            until = "" if until in line else until
            continue
        mark = next((end for begin, end in _ENDS.items() if _opens(line, begin, end)), "")
        if mark and last[mark] > number:
            until = mark
        else:
            yield line


_ENDS = {'"""': '"""', "'''": "'''", "/*": "*/"}


def _opens(line: str, begin: str, end: str) -> bool:
    """Whether something that begins on this line goes on after it."""
    if begin == end:
        return line.count(begin) % 2 == 1
    return line.lstrip().startswith(begin) and end not in line


def _of_comment(said: str) -> list[str]:
    if _PRINTED.search(said):
        return [said]
    outcome = bare_outcome(said)
    return [outcome] if outcome else []


def without_harmless(text: str) -> str:
    """What remains when prompts, greetings, headings and questions are taken away."""
    return "\n".join(line for line in text.splitlines() if not _HARMLESS.fullmatch(line[:400]))
