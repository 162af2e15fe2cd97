"""`guestlab diagnose`: explain a handshake without any network."""

from __future__ import annotations

import argparse
import json
import re
import sys
import warnings
from pathlib import Path
from typing import Any

from guestlab.cli.output import DONE, FINDING, add_command, printable, read_text
from guestlab.errors import InputError
from guestlab.handshake.attempt import Credential, Placement
from guestlab.handshake.described import from_text
from guestlab.handshake.diagnosis import Diagnosis, diagnose
from guestlab.handshake.evidence import OAUTH_KINDS, Evidence
from guestlab.handshake.har import from_har
from guestlab.handshake.url_check import check_url

__all__ = ["add"]

KEYS = "ok diagnoses[{ok findings[{rule what why next_step level confidence evidence sources}] remarks url}]"
EXAMPLES = (
    "guestlab diagnose \"curl -i 'https://webmessaging.mypurecloud.de/v1?access_token=…'\"",
    "guestlab diagnose devtools.har",
    "guestlab diagnose --url wss://webmessaging.mypurecloud.de/v1 --status 401 --body ''",
    "pbpaste | guestlab diagnose -",
)

# flag → evidence, help. Lists may be given several times.
_FACTS: tuple[tuple[str, str, str], ...] = (
    ("--url", "url", "where it went"),
    ("--method", "method", "HTTP method"),
    ("--token-kind", "token_kind", "client_credentials, pkce, guest, garbage, none …"),
    ("--placement", "placement", "query, header, cookie, subprotocol or first_frame"),
    ("--first-frame", "first_frame", "the first frame that was sent"),
    ("--sent-frame", "sent_frame", "a later frame that was sent"),
    ("--request-body", "request_body", "body of an HTTP request"),
    ("--status", "http_status", "HTTP status of the answer"),
    ("--close-code", "close_code", "close code of the socket"),
    ("--body", "body", "body of the answer; '' when it was empty"),
    ("--frame", "frame", "the server's frame that matters"),
    ("--client", "client", "what made the request: fetch, requests, curl …"),
    ("--note", "note", "what you saw, in your own words"),
    ("--deployment-status", "deployment_status", "Active, Inactive …, where looked up"),
    ("--region-of-deployment", "region_of_deployment", "where the deployment was found"),
)
_LISTS: tuple[tuple[str, str, str], ...] = (
    ("--header", "headers", "a request header, 'Name: value'"),
    ("--subprotocol", "subprotocols", "an offered subprotocol"),
    ("--response-header", "response_headers", "a header of the answer"),
    ("--allowed-domain", "allowed_domains", "an allowed domain of the deployment"),
)


_KINDS = frozenset({*OAUTH_KINDS, *Credential})


def _kind(word: str) -> str:
    """A kind of credential; any other word is wrong usage."""
    return _one_of(word, _KINDS)


def _placement(word: str) -> str:
    """A place for a credential; any other word is wrong usage."""
    return _one_of(word, frozenset(Placement))


def _one_of(word: str, known: frozenset[str]) -> str:
    plain = word.strip().lower().replace("-", "_").replace(" ", "_")
    if plain and plain not in known:
        raise argparse.ArgumentTypeError(f"{word!r} is not known; use one of {', '.join(sorted(known))}")
    return plain


def _header(line: str) -> str:
    """A header line; without a colon after its name it is none, whatever colon the value has."""
    if not re.match(r"\s*[^\s:]+\s*:", line):
        name = re.match(r"\s*([A-Za-z-]{1,30})\s", line)  # a longer word may be a secret
        right = f"{name[1] if name else 'Name'}: value"
        raise argparse.ArgumentTypeError(f"no colon after the header's name; write '{right}'")
    return line


_READ = {
    "token_kind": _kind,
    "placement": _placement,
    "headers": _header,
    "response_headers": _header,
}
"""Evidence → how its flag is read, where not every text will do."""


def add(commands: Any) -> None:
    """Add the command."""
    command = add_command(
        commands, "diagnose", _diagnose, "explain a handshake, without any network", KEYS, EXAMPLES
    )
    command.description = (
        "Explain a handshake, without any network. "
        "Give a curl line in quotes, the path of a HAR file or of code, - for standard input, or flags; "
        "flags add to what was pasted. Exit status 1 when there is a finding, 0 when there is none; whether "
        "it worked, or no outcome was given, is said."
    )
    command.add_argument("input", nargs="?", metavar="INPUT", help="a curl line, a file, or -")
    for flag, name, text in _FACTS:
        command.add_argument(flag, dest=name, type=_READ.get(name, str), help=text)
    for flag, name, text in _LISTS:
        read = _READ.get(name, str)
        command.add_argument(flag, dest=name, action="append", type=read, help=f"{text}; may be repeated")


def _diagnose(options: argparse.Namespace) -> int:
    diagnoses = _diagnosed(options)
    ok = all(diagnosis.ok for diagnosis in diagnoses)
    if options.json:
        print(json.dumps({"ok": ok, "diagnoses": [_document(diagnosis) for diagnosis in diagnoses]}))
    else:
        for number, diagnosis in enumerate(diagnoses, 1):
            if len(diagnoses) > 1:
                print(f"Handshake {number}")
            print(printable("\n".join([*_url_lines(diagnosis), str(diagnosis)])))
    return DONE if ok else FINDING


def _url_lines(diagnosis: Diagnosis) -> list[str]:
    """The URL's parts, ticked or crossed, the right value beside a wrong one."""
    url = diagnosis.evidence.url
    return [str(part) for part in check_url(url, method=diagnosis.evidence.method).parts] if url else []


def _diagnosed(options: argparse.Namespace) -> tuple[Diagnosis, ...]:
    facts = {
        name: getattr(options, name)
        for _, name, _ in (*_FACTS, *_LISTS)
        if getattr(options, name) is not None
    }
    for name in ("headers", "response_headers"):
        if name in facts:
            facts[name] = "\n".join(facts[name])
    if options.input is None:
        if not facts:
            raise InputError(
                "There is nothing to explain.",
                why="Neither an input nor a fact was given.",
                next_step="Paste a curl line, name a file, or say --url … --status …; - is standard input.",
            )
        return (diagnose(**facts),)
    text = _text(options.input)
    if options.input.lower().endswith(".har"):
        return tuple(diagnose(evidence, **facts) for evidence in _from_har(Path(options.input)))
    if _is_har(text):
        return tuple(diagnose(evidence, **facts) for evidence in _from_har(text))
    return (diagnose(from_text(text), **facts),)


def _from_har(source: Path | str) -> tuple[Evidence, ...]:
    """The handshakes of a HAR; that a part of it could not be read is a note on standard error."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        found = from_har(source)
    for warning in told:
        print(printable(f"Note: {warning.message}"), file=sys.stderr)
    return found


def _text(given: str) -> str:
    """The text of a file, of standard input, or what was pasted itself."""
    if given == "-":
        return read_text("-")
    try:
        is_file = "\n" not in given and Path(given).is_file()
    except (OSError, ValueError):  # a pasted line may be no possible path
        is_file = False
    if is_file or given.lower().endswith(".har") or _LIKE_A_PATH.fullmatch(given.strip()):
        return read_text(given)
    return given


_LIKE_A_PATH = re.compile(
    r"(?:~|\.{0,2})/(?!api/|v1|oauth/)[\w.~/\-]+|[A-Za-z]:\\\S+|[\w\-./]+\.(?:py|js|mjs|ts|tsx|java|kt|go|cs|rb|php|swift|rs|txt|log|sh|json)"
)
"""What names a file or folder rather than describing an attempt: a file that is not there is told as such."""


def _is_har(text: str) -> bool:
    start = text.lstrip("\ufeff \r\n\t")[:200_000]
    torn = re.match(r'\{\s*"log"\s*:\s*\{', start) is not None  # whatever is missing at its end
    return torn or (start.startswith("{") and '"log"' in start and '"entries"' in text)


def _document(diagnosis: Diagnosis) -> dict[str, Any]:
    return {
        "ok": diagnosis.ok,
        "findings": [
            {
                "rule": finding.rule,
                "what": finding.what,
                "why": finding.why,
                "next_step": finding.next_step,
                "level": finding.level,
                "confidence": finding.confidence,
                "evidence": list(finding.evidence),
                "sources": list(finding.sources),
            }
            for finding in diagnosis.findings
        ],
        "remarks": list(diagnosis.remarks),
        "url": _url_lines(diagnosis),
    }
